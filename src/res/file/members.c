#include "res/file/members.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "res/file/litter.h"
#include "res/file/walk.h"

void file_members_fini(struct file_members *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        free(m->member[i].name);
    free(m->member);
    *m = (struct file_members){ 0 };
}

static int in_order(const void *a, const void *b)
{
    const struct file_member *left = a, *right = b;

    if (left->is_collection != right->is_collection)
        return left->is_collection ? -1 : 1;
    return strcmp(left->name, right->name);
}

static int add(struct file_members *m, const char *name, const struct stat *st)
{
    struct file_member *member;

    if (m->count == m->room) {
        uint32_t room = m->room > 0 ? 2 * m->room : 64;

        member = reallocarray(m->member, room, sizeof *member);
        if (member == NULL)
            return -ENOMEM;
        m->member = member;
        m->room = room;
    }
    member = &m->member[m->count];
    *member = (struct file_member){
        .name = strdup(name),
        .is_collection = S_ISDIR(st->st_mode),
        .size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
        .modified = st->st_mtim.tv_sec,
    };
    if (member->name == NULL)
        return -ENOMEM;
    m->count++;
    return 0;
}

/* The status of where a link leads, if that is beneath the root. */
static bool follow(int root_fd, const char *path, const char *name, struct stat *st)
{
    char whole[PATH_MAX];
    int n = snprintf(whole, sizeof whole, "%s/%s", path, name);
    int fd = n > 0 && (size_t)n < sizeof whole ? file_walk_open(root_fd, whole, O_PATH) : -1;
    bool found;

    if (fd < 0)
        return false;
    found = fstat(fd, st) == 0;
    close(fd);
    return found;
}

static bool is_shown(const char *name, bool hidden)
{
    if (name[0] != '.')
        return true;
    return hidden && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !file_path_is_own(span_of(name));
}

static int read_members(struct file_members *m, DIR *d, int root_fd, const char *path, bool hidden)
{
    struct dirent *e;
    struct stat st;
    int err = 0;

    while (err == 0 && (e = readdir(d)) != NULL) {
        if (!is_shown(e->d_name, hidden))
            continue;
        if (m->count == FILE_MEMBERS_MAX) {
            m->cut = true;
            break;
        }
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISLNK(st.st_mode) && !follow(root_fd, path, e->d_name, &st))
            continue;
        if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
            err = add(m, e->d_name, &st);
    }
    return err;
}

int file_members_read(struct file_members *m, int root_fd, const char *path, bool hidden)
{
    int fd = file_walk_open(root_fd, path, O_RDONLY | O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    int err;

    *m = (struct file_members){ 0 };
    if (d == NULL) {
        err = fd < 0 ? fd : -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    err = read_members(m, d, root_fd, path, hidden);
    closedir(d);
    if (m->count > 0)
        qsort(m->member, m->count, sizeof m->member[0], in_order);
    return err;
}
