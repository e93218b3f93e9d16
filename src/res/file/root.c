#include "res/file/root.h"
#include "res/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

void file_roots_init(struct file_roots *roots)
{
    *roots = (struct file_roots){ 0 };
    pthread_mutex_init(&roots->lock, NULL);
}

static void root_free(struct file_root *r)
{
    if (r->tidied)
        pthread_join(r->tidier, NULL);
    pthread_mutex_destroy(&r->counting);
    close(r->fd);
    free(r);
}

void file_roots_fini(struct file_roots *roots)
{
    atomic_store(&roots->stopping, true);
    while (roots->first != NULL) {
        struct file_root *r = roots->first;

        roots->first = r->next;
        root_free(r);
    }
    pthread_mutex_destroy(&roots->lock);
}

/* Those that answer without asking another machine or another program. */
bool file_root_is_local(int root_fd)
{
    static const uint32_t local[] = { EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,    F2FS_SUPER_MAGIC,
                                      TMPFS_MAGIC,      SQUASHFS_MAGIC,  EROFS_SUPER_MAGIC_V1, ISOFS_SUPER_MAGIC };
    struct statfs of;

    if (fstatfs(root_fd, &of) != 0)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if ((uint32_t)of.f_type == local[i])
            return true;
    return false;
}

static struct file_root *find(const struct file_roots *roots, const struct stat *st)
{
    struct file_root *r = roots->first;

    while (r != NULL && (r->inode != st->st_ino || r->device != st->st_dev))
        r = r->next;
    return r;
}

static int add(struct file_roots *roots, int directory_fd, const struct stat *st)
{
    struct file_root *r = calloc(1, sizeof *r);

    if (r == NULL)
        return -ENOMEM;
    r->fd = fcntl(directory_fd, F_DUPFD_CLOEXEC, 0);
    if (r->fd < 0) {
        free(r);
        return -errno;
    }
    r->device = st->st_dev;
    r->inode = st->st_ino;
    pthread_mutex_init(&r->counting, NULL);
    r->next = roots->first;
    roots->first = r;
    return 0;
}

int file_root_find(struct file_roots *roots, int directory_fd, struct file_root **out)
{
    struct stat st;
    int err = 0;

    if (fstat(directory_fd, &st) != 0)
        return -errno;
    pthread_mutex_lock(&roots->lock);
    *out = find(roots, &st);
    if (*out == NULL)
        err = add(roots, directory_fd, &st);
    if (*out == NULL && err == 0)
        *out = roots->first;
    pthread_mutex_unlock(&roots->lock);
    return err;
}
