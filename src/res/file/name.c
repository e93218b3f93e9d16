#include "res/file/name.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "res/file/walk.h"

int file_name_open(struct file_name *n, const struct file_change *c, struct span path)
{
    struct file_place above;
    int err = file_place_init(&n->at, path);

    n->is_there = false;
    n->lock = NULL;
    n->directory_fd = -1;
    if (err != 0)
        return err;
    file_place_above(&above, &n->at);
    n->text = file_place_name(&n->at);
    n->directory_fd = file_walk_open(c->root->fd, above.text, O_PATH | O_DIRECTORY);
    return n->directory_fd < 0 ? n->directory_fd : 0;
}

/* Looked at as the graph did: through links. */
static enum reason guard_check(const struct file_name *n, const struct file_change *c)
{
    struct file_stamp stamp;
    struct stat st;
    bool present;
    int fd;

    if (c->guard == GUARD_NONE)
        return R_NONE;
    if (c->guard == GUARD_ABSENT)
        return n->is_there ? R_if_none_match_failed : R_NONE;
    fd = file_walk_open(c->root->fd, n->at.text, O_PATH);
    present = fd >= 0 && fstat(fd, &st) == 0;
    if (fd >= 0)
        close(fd);
    if (!present)
        return R_write_conflict_stale_version;
    stamp = file_stamp_of(&st);
    if (c->guard == GUARD_SAME && memcmp(&stamp, &c->judged, sizeof stamp) != 0)
        return R_write_conflict_stale_version;
    return R_NONE;
}

static enum reason look(struct file_name *n, const struct file_change *c, int *error_out)
{
    n->is_there = fstatat(n->directory_fd, n->text, &n->st, AT_SYMLINK_NOFOLLOW) == 0;
    if (n->is_there || errno == ENOENT)
        return guard_check(n, c);
    *error_out = errno;
    return file_change_reason(*error_out);
}

enum reason file_name_lock(struct file_name *n, const struct file_change *c, int *error_out)
{
    struct stat directory;
    enum reason why;

    if (fstat(n->directory_fd, &directory) != 0) {
        *error_out = errno;
        return R_file_system_error;
    }
    n->lock = file_path_lock(&c->shared->locks, &directory, n->text);
    pthread_mutex_lock(n->lock);
    why = look(n, c, error_out);
    if (why != R_NONE)
        file_name_unlock(n);
    return why;
}

void file_name_changed(const struct file_change *c)
{
    atomic_fetch_add_explicit(&c->shared->changes, 1, memory_order_release);
}

/* O_PATH descriptors cannot be synced. A file system that knows no sync of directories needs none. */
int file_name_sync(const struct file_name *n, const struct file_change *c)
{
    int fd, err = 0;

    if (c->sync != FILE_SYNC_FULL)
        return 0;
    fd = openat(n->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
        err = -errno;
    close(fd);
    return err;
}

void file_name_unlock(struct file_name *n)
{
    if (n->lock != NULL)
        pthread_mutex_unlock(n->lock);
    n->lock = NULL;
}

void file_name_fini(struct file_name *n)
{
    file_name_unlock(n);
    if (n->directory_fd >= 0)
        close(n->directory_fd);
    n->directory_fd = -1;
}
