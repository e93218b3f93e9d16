#include "res/file/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

#define LINKS_FOLLOWED 40 /* as many as the kernel does */
#define DEPTH          128
#define RENAME_RETRIES 16

/* Where a walk stands: the directories above, the last one open, and what is still to be walked. */
struct walk {
    int fds[DEPTH]; /* fds[0] is borrowed */
    unsigned depth, links;
    char *rest; /* in room[used] */
    char room[2][PATH_MAX];
    unsigned used;
};

static int openat2_call(int root_fd, const char *path, int flags, unsigned resolve)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve,
    };
    int fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);

    return fd >= 0 ? fd : -errno;
}

int file_walk_open(int root_fd, const char *path, int flags)
{
    static atomic_bool missing;
    int fd = -EAGAIN;

    if (path[0] == '\0')
        path = ".";
    /* EAGAIN: something was renamed while the kernel walked over "..", so it could not tell where it was. */
    for (int i = 0; fd == -EAGAIN && i < RENAME_RETRIES && !atomic_load_explicit(&missing, memory_order_relaxed); i++) {
        fd = openat2_call(root_fd, path, flags, 0);
        if (fd != -ENOSYS)
            continue;
        atomic_store_explicit(&missing, true, memory_order_relaxed);
    }
    return fd == -ENOSYS || fd == -EAGAIN ? file_walk_steps(root_fd, path, flags) : fd;
}

/* Why it led to nothing is told by who may take his time. */
int file_walk_open_cached(int root_fd, const char *path, int flags)
{
    int fd = openat2_call(root_fd, path[0] != '\0' ? path : ".", flags, RESOLVE_CACHED | RESOLVE_NO_XDEV);

    return fd >= 0 || fd == -ENOENT ? fd : -EAGAIN;
}

static int step_up(struct walk *w)
{
    if (w->depth == 0)
        return -EXDEV;
    close(w->fds[w->depth--]);
    return 0;
}

static int step_down(struct walk *w, const char *name)
{
    int fd;

    if (w->depth + 1 == DEPTH)
        return -ENAMETOOLONG;
    fd = openat(w->fds[w->depth], name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    w->fds[++w->depth] = fd;
    return 0;
}

/* The text of the link goes before what is left of the path. */
static int step_link(struct walk *w, const char *name, const char *after)
{
    char *whole = w->room[!w->used];
    ssize_t n = readlinkat(w->fds[w->depth], name, whole, PATH_MAX - 1);

    if (n < 0)
        return -errno;
    if (n == 0)
        return -ENOENT;
    if (whole[0] == '/')
        return -EXDEV;
    if (++w->links > LINKS_FOLLOWED)
        return -ELOOP;
    if ((size_t)n + 1 + strlen(after) >= PATH_MAX)
        return -ENAMETOOLONG;
    snprintf(whole + n, PATH_MAX - (size_t)n, "%s%s", after[0] != '\0' ? "/" : "", after);
    w->used = !w->used;
    w->rest = whole;
    return 0;
}

static bool is_link(int dir_fd, const char *name)
{
    struct stat st;

    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* Cut the first name off w->rest. */
static char *name_take(struct walk *w, char **after, bool *is_last)
{
    char *name = w->rest + strspn(w->rest, "/");
    size_t n = strcspn(name, "/");
    char *rest = name + n + strspn(name + n, "/");

    *is_last = name[n] == '\0';
    *after = rest;
    name[n] = '\0';
    return name;
}

static int name_walk(struct walk *w, const char *name, char *after)
{
    int err;

    if (strcmp(name, ".") == 0)
        err = 0;
    else if (strcmp(name, "..") == 0)
        err = step_up(w);
    else if (is_link(w->fds[w->depth], name))
        return step_link(w, name, after);
    else
        err = step_down(w, name);
    if (err == 0)
        w->rest = after;
    return err;
}

static int last_open(struct walk *w, const char *name, int flags)
{
    int fd = openat(w->fds[w->depth], name, flags | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 ? fd : -errno;
}

static int walk_on(struct walk *w, int flags)
{
    for (;;) {
        char *after;
        bool is_last;
        char *name = name_take(w, &after, &is_last);
        int err;

        if (name[0] == '\0')
            return last_open(w, ".", flags);
        if (is_last && strcmp(name, "..") != 0 && !is_link(w->fds[w->depth], name))
            return last_open(w, name, flags);
        err = name_walk(w, name, after);
        if (err != 0)
            return err;
    }
}

int file_walk_steps(int root_fd, const char *path, int flags)
{
    struct walk w = { .fds = { root_fd } };
    size_t n = strlen(path);
    int fd;

    if (n >= PATH_MAX)
        return -ENAMETOOLONG;
    w.rest = memcpy(w.room[0], path, n + 1);
    fd = walk_on(&w, flags);
    while (w.depth > 0)
        step_up(&w);
    return fd;
}
