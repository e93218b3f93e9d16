#ifndef RES_FILE_LOOKUP_IMPL_H
#define RES_FILE_LOOKUP_IMPL_H

#include <limits.h>
#include <sys/stat.h>

#include "res/file/lookup.h"

/* A path relative to the root. */
struct file_place {
    char text[PATH_MAX]; /* "." for the root itself */
    size_t n;
    bool has_slash; /* it was given with one at its end, which is cut off here */
};

/* 0, or -ENAMETOOLONG. */
int file_place_init(struct file_place *at, struct span path);
int file_place_join(struct file_place *at, const struct file_place *directory, const char *name);
/* The directory of `of`. */
void file_place_above(struct file_place *at, const struct file_place *of);
const char *file_place_name(const struct file_place *at);

/* file_walk_open() beneath the root, or at once: -EAGAIN then says that it would block. */
int file_lookup_open(struct file_lookup *l, const char *path, int flags);

/* Add the open file as a variant, with its coded siblings. Takes fd over (-1: the variant negotiates itself).
 * NULL without memory. */
struct file_variant *file_variant_add(struct file_lookup *l, const struct file_place *at, int fd,
                                      const struct stat *st);

/* Add all variants of `name`, which does not exist, in `directory`. 0 or -errno. */
int file_variants_find(struct file_lookup *l, const struct file_place *directory, const char *name);

struct file_stamp file_stamp_of(const struct stat *st);

/*
 * Read the whole of c->fd into c->bytes. 1: done, and nothing changed meanwhile; 0: it did, length and stamp are the
 * new ones; or -errno. at_once: -EAGAIN where that would block.
 */
int file_content_read(struct file_content *c, bool at_once);

/* Read what is to be read, and tag everything. 0 or -errno. */
int file_load(struct file_lookup *l, int64_t now_ns);

#endif
