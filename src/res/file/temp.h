#ifndef RES_FILE_TEMP_H
#define RES_FILE_TEMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "res/file/litter.h"

#define FILE_TEMP_NAME_BYTES (sizeof FILE_TEMP_PREFIX + 16)

enum file_temp_kind {
    FILE_TEMP_BEST, /* without a name where the file system can, so that a crash leaves nothing */
    FILE_TEMP_NAMED
};

/*
 * A file on its way to its name: written beside it, in the same file system, and seen under it only when it is whole.
 * A crash leaves nothing of an unnamed one; what it leaves of a named one, the next start removes (litter.h).
 *
 * Threads  one at a time; all but file_temp_write() may block for long
 */
struct file_temp {
    int fd;                          /* -1: none */
    int directory_fd;                /* O_PATH; where `name` is */
    char name[FILE_TEMP_NAME_BYTES]; /* empty: without a name */
};

void file_temp_init(struct file_temp *t);

/* directory_fd is taken over, also when it fails. 0 or -errno. */
int file_temp_open(struct file_temp *t, int directory_fd, enum file_temp_kind kind);

/* All of the bytes at that offset, or -errno. */
int file_temp_write(const struct file_temp *t, struct span bytes, uint64_t offset);

/* Take a name that nothing has: -EEXIST when something does. 0 or -errno. */
int file_temp_link(struct file_temp *t, int directory_fd, const char *name);

/* Take a name, whatever file or link has it, at one stroke. 0 or -errno. */
int file_temp_rename(struct file_temp *t, int directory_fd, const char *name);

/* What has not got its name vanishes. Blocks while the file system frees a long file. */
void file_temp_fini(struct file_temp *t);

#endif
