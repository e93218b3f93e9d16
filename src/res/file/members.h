#ifndef RES_FILE_MEMBERS_H
#define RES_FILE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "res/file/text.h"
#include "res/file/words.h"

/* The members of a collection, and the two pages that list them. Any thread, one at a time. */
#define FILE_MEMBERS_MAX 100000

struct file_member {
    char *name;
    bool is_collection;
    uint64_t size;
    int64_t modified; /* seconds since 1970 UTC */
};

struct file_members {
    struct file_member *member; /* collections first, then by the bytes of the name */
    uint32_t count, room;
    bool cut; /* there are more */
};

/*
 * Read the directory at `path`, below root_fd, as file_walk_open() does. Left out: "." and "..", names beginning with
 * a dot unless `hidden`, and what is neither file nor directory or leads outside.
 * Returns 0 or -errno; file_members_fini() in both cases.
 */
int file_members_read(struct file_members *m, int root_fd, const char *path, bool hidden);
void file_members_fini(struct file_members *m);

/* path: of the collection, decoded, as the client named it; ends with '/'. */
void file_members_html(const struct file_members *m, struct span path, const struct file_words *w, struct file_text *t);
void file_members_json(const struct file_members *m, struct span path, struct file_text *t);

#endif
