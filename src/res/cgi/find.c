#include "res/cgi/find.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANYBODY_EXECUTES (S_IXUSR | S_IXGRP | S_IXOTH)
#define RENAME_RETRIES   16

static int open_beneath(int root_fd, const char *path, int flags)
{
    struct open_how how = { .flags = (unsigned)(O_PATH | O_CLOEXEC | flags),
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long fd = -1;

    /* EAGAIN: something was renamed while the kernel walked over "..", so it could not tell where it was. */
    errno = EAGAIN;
    for (int i = 0; fd < 0 && errno == EAGAIN && i < RENAME_RETRIES; i++)
        fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    return fd >= 0 ? (int)fd : -errno;
}

static int mode_of(int root_fd, const char *path, mode_t *mode)
{
    struct stat st;
    int fd = open_beneath(root_fd, path, 0);
    int error;

    if (fd < 0)
        return fd;
    error = fstat(fd, &st) == 0 ? 0 : -errno;
    close(fd);
    *mode = st.st_mode;
    return error;
}

static enum reason reason_of(int error)
{
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return R_not_found;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return R_worker_memory_exhausted;
    default:
        return R_acl_denied;
    }
}

static enum reason refuse(struct verdict *v, int error)
{
    return verdict_set(v, reason_of(error), -error);
}

static bool is_program_name(const struct cgi_settings *s, struct span path)
{
    bool good = s->extension_count == 0;

    for (uint16_t i = 0; i < s->extension_count; i++)
        good |= span_ends(path, s->extensions[i]);
    return good;
}

/* What the first bytes of the text lead to. */
static int beginning_mode(int root_fd, char *text, size_t bytes, mode_t *mode)
{
    char behind = text[bytes];
    int error;

    text[bytes] = '\0';
    error = mode_of(root_fd, text, mode);
    text[bytes] = behind;
    return error;
}

/* text: the path, without its first slash. *end: of its first beginning that is no directory. */
static int walk(int root_fd, struct span text, size_t *end, mode_t *mode)
{
    int error = 0;

    *mode = S_IFDIR;
    for (*end = 0; error == 0 && S_ISDIR(*mode);) {
        if (*end > 0 && *end + 1 >= text.n)
            return -ENOENT;
        *end += *end > 0;
        *end += span_find(span_from(text, *end), '/');
        error = beginning_mode(root_fd, (char *)(uintptr_t)text.p, *end, mode);
    }
    return error;
}

static enum reason judge(const struct cgi_settings *s, struct span program, mode_t mode)
{
    if (!S_ISREG(mode) || !is_program_name(s, program))
        return R_not_found;
    return s->interpreter != NULL || (mode & ANYBODY_EXECUTES) != 0 ? R_NONE : R_execute_denied;
}

/* text: of the program, a NUL behind it. */
static enum reason folder_open(int root_fd, char *text, struct cgi_program *out, struct verdict *v)
{
    char *slash = strrchr(text, '/');

    if (slash != NULL)
        *slash = '\0';
    out->folder_fd = open_beneath(root_fd, slash != NULL ? text : ".", O_DIRECTORY);
    if (slash != NULL)
        *slash = '/';
    return out->folder_fd >= 0 ? R_NONE : refuse(v, out->folder_fd);
}

/* text: of the program, in the arena, a NUL behind it. */
static enum reason describe(const struct cgi_settings *s, struct span text, struct arena *arena,
                            struct cgi_program *found, struct verdict *v)
{
    const char *slash = strrchr(text.p, '/');
    struct span name = slash != NULL ? span_of(slash + 1) : text;

    found->file = arena_join(arena, (struct span[]){ SPAN("./"), name }, 2).p;
    found->path = arena_join(arena, (struct span[]){ span_of(s->directory), SPAN("/"), text }, 3);
    return found->file != NULL && found->path.p != NULL ? R_NONE : verdict_set(v, R_exchange_memory_exhausted, 0);
}

static enum reason find(const struct cgi_settings *s, int root_fd, struct span path, struct arena *arena,
                        struct cgi_program *out, struct verdict *v)
{
    struct span text = arena_copy(arena, span_from(path, 1));
    struct cgi_program found = { 0 };
    enum reason why;
    mode_t mode;
    size_t end;
    int error;

    if (text.p == NULL)
        return verdict_set(v, R_exchange_memory_exhausted, 0);
    error = walk(root_fd, text, &end, &mode);
    if (error != 0)
        return refuse(v, error);
    why = judge(s, (struct span){ text.p, end }, mode);
    if (why != R_NONE)
        return verdict_set(v, why, 0);
    found.path_info_bytes = text.n - end;
    ((char *)(uintptr_t)text.p)[end] = '\0';
    text.n = end;
    why = describe(s, text, arena, &found, v);
    if (why == R_NONE)
        why = folder_open(root_fd, (char *)(uintptr_t)text.p, &found, v);
    if (why == R_NONE)
        *out = found;
    return why;
}

enum reason cgi_find(const struct cgi_settings *settings, struct span path, struct arena *arena,
                     struct cgi_program *out, struct verdict *v)
{
    int root_fd = open(settings->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    enum reason why;

    if (root_fd < 0)
        return refuse(v, -errno);
    if (path.n < 2 || memchr(path.p, '\0', path.n) != NULL)
        why = verdict_set(v, R_not_found, 0);
    else
        why = find(settings, root_fd, path, arena, out, v);
    close(root_fd);
    return why;
}
