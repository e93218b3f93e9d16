#ifndef IO_FILE_STAMP_H
#define IO_FILE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

/* A file as it was when it was looked at: what tells one state of it from another without reading it. All zero but
 * `error` when it could not be looked at. */
struct file_stamp {
    int error; /* errno */
    dev_t device;
    ino_t inode;
    off_t size_bytes;
    struct timespec modified, changed;
};

/* path NULL: no file, all zero. */
void file_stamp_take(struct file_stamp *s, const char *path);

/* Are they of one state? */
bool file_stamp_is(const struct file_stamp *a, const struct file_stamp *b);

#endif
