#include "res/file/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE        0666 /* less what the umask takes */
#define NAME_TRIES  8
#define PROC_FD     "/proc/self/fd"
#define PROC_LENGTH (sizeof PROC_FD + 12)

void file_temp_init(struct file_temp *t)
{
    *t = (struct file_temp){ .fd = -1, .directory_fd = -1 };
}

static int name_make(char out[FILE_TEMP_NAME_BYTES])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char random[FILE_TEMP_NAME_BYTES - sizeof FILE_TEMP_PREFIX];
    size_t at = sizeof FILE_TEMP_PREFIX - 1;

    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -EIO;
    memcpy(out, FILE_TEMP_PREFIX, at);
    for (size_t i = 0; i < sizeof random; i++)
        out[at + i] = letters[random[i] & 31];
    out[at + sizeof random] = '\0';
    return 0;
}

/* Whoever sweeps litter may come between open() and flock(): then the name is lost. */
static bool name_is_ours(int fd)
{
    struct stat st;

    return (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int open_named(struct file_temp *t)
{
    for (int i = 0; i < NAME_TRIES; i++) {
        int err = name_make(t->name);
        int fd = -1;

        if (err == 0) {
            fd = openat(t->directory_fd, t->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
            err = fd < 0 ? -errno : 0;
        }
        if (fd >= 0 && name_is_ours(fd)) {
            t->fd = fd;
            return 0;
        }
        t->name[0] = '\0';
        if (fd >= 0)
            close(fd);
        else if (err != -EEXIST)
            return err;
    }
    return -EBUSY;
}

/* A file without a name gets one through /proc. */
static int open_unnamed(struct file_temp *t)
{
    if (access(PROC_FD, X_OK) != 0)
        return -EOPNOTSUPP;
    t->fd = openat(t->directory_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, MODE);
    if (t->fd < 0)
        return -errno;
    flock(t->fd, LOCK_EX | LOCK_NB);
    return 0;
}

/* Kernels and file systems that know no O_TMPFILE say so in three ways. */
static bool is_unknown(int err)
{
    return err == -EOPNOTSUPP || err == -EISDIR || err == -EINVAL;
}

int file_temp_open(struct file_temp *t, int directory_fd, enum file_temp_kind kind)
{
    int err = -EOPNOTSUPP;

    file_temp_init(t);
    t->directory_fd = directory_fd;
    if (kind == FILE_TEMP_BEST)
        err = open_unnamed(t);
    if (is_unknown(err))
        err = open_named(t);
    if (err != 0)
        file_temp_fini(t);
    return err;
}

int file_temp_write(const struct file_temp *t, struct span bytes, uint64_t offset)
{
    while (bytes.n > 0) {
        ssize_t n = pwrite(t->fd, bytes.p, bytes.n, (off_t)offset);

        if (n == 0)
            return -ENOSPC;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n < 0)
            continue;
        bytes = span_from(bytes, (size_t)n);
        offset += (uint64_t)n;
    }
    return 0;
}

static int link_unnamed(const struct file_temp *t, int directory_fd, const char *name)
{
    char proc[PROC_LENGTH];

    snprintf(proc, sizeof proc, PROC_FD "/%d", t->fd);
    return linkat(AT_FDCWD, proc, directory_fd, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno;
}

int file_temp_link(struct file_temp *t, int directory_fd, const char *name)
{
    if (t->name[0] == '\0')
        return link_unnamed(t, directory_fd, name);
    if (renameat2(t->directory_fd, t->name, directory_fd, name, RENAME_NOREPLACE) == 0) {
        t->name[0] = '\0';
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    /* The old name is given up in file_temp_fini(). */
    return linkat(t->directory_fd, t->name, directory_fd, name, 0) == 0 ? 0 : -errno;
}

/* There is no way from no name to a name that is taken: over a name of its own. */
static int name_give(struct file_temp *t)
{
    int err = -EEXIST;

    for (int i = 0; i < NAME_TRIES && err == -EEXIST; i++) {
        char name[FILE_TEMP_NAME_BYTES];

        err = name_make(name);
        if (err == 0)
            err = link_unnamed(t, t->directory_fd, name);
        if (err == 0)
            memcpy(t->name, name, sizeof name);
    }
    return err;
}

int file_temp_rename(struct file_temp *t, int directory_fd, const char *name)
{
    int err = t->name[0] == '\0' ? name_give(t) : 0;

    if (err != 0)
        return err;
    if (renameat(t->directory_fd, t->name, directory_fd, name) != 0)
        return -errno;
    t->name[0] = '\0';
    return 0;
}

void file_temp_fini(struct file_temp *t)
{
    if (t->name[0] != '\0')
        unlinkat(t->directory_fd, t->name, 0);
    if (t->fd >= 0)
        close(t->fd);
    if (t->directory_fd >= 0)
        close(t->directory_fd);
    file_temp_init(t);
}
