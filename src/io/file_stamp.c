#include "io/file_stamp.h"

#include <errno.h>
#include <stddef.h>

void file_stamp_take(struct file_stamp *s, const char *path)
{
    struct stat st;

    *s = (struct file_stamp){ 0 };
    if (path == NULL)
        return;
    if (stat(path, &st) != 0) {
        s->error = errno;
        return;
    }
    *s = (struct file_stamp){
        .device = st.st_dev, .inode = st.st_ino, .size_bytes = st.st_size, .modified = st.st_mtim, .changed = st.st_ctim
    };
}

static bool time_is(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool file_stamp_is(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->error == b->error && a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
           time_is(a->modified, b->modified) && time_is(a->changed, b->changed);
}
