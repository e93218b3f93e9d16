#ifndef RES_FILE_PUT_H
#define RES_FILE_PUT_H

#include "res/file/name.h"
#include "res/file/temp.h"

/*
 * A file on its way up:
 *
 *   file_put_new --> file_put_open --> file_put_write ... --> file_put_commit --> file_put_release
 *   worker           helper            worker                 helper              worker
 *
 * Memory of its own: it belongs to the job while there is one, and else to the exchange.
 *
 * What a replaced file hands on: its permissions, and its owner and group where the system lets us. Its access list and
 * extended attributes stay behind, as does a link: the link is replaced, not what it leads to.
 */
struct file_put {
    struct job burial; /* see file_put_bury() */
    struct file_change change;
    struct file_temp temp;
    bool is_committed;
    uint64_t declared_bytes; /* 0 also when the length is not known */
    uint64_t written_bytes;
    uint64_t reserved_bytes; /* see quota.h */
    uint64_t tag_seed;
    uint32_t tag_max_bytes; /* longer content is tagged by its stamp, which is not steady yet: no tag is told */

    /* After file_put_open() and file_put_commit(). */
    enum reason why; /* R_NONE, or why it cannot be */
    int error;       /* errno, for reasons of the system */
    bool created;
    struct file_tag tag; /* bytes == 0: none */
};

/* NULL without memory. */
struct file_put *file_put_new(void);

/* Blocks. Is there room in the quota and on the disk for what is declared? Then there is a file to write to. */
void file_put_open(struct file_put *p, struct span path);

/* Append. R_NONE; or quota_exceeded, or why the system does not write, with p->error. */
enum reason file_put_write(struct file_put *p, struct span piece);

/* Blocks. Make it durable, hold the conditions against what is there now, and take the name, all at once or not at all. */
void file_put_commit(struct file_put *p, struct span path);

/* What has not got its name is gone. Blocks while the file system frees a long file. */
void file_put_release(struct file_put **put);

/* The same, by a helper if that takes long and one is to be had. On the worker. */
void file_put_bury(struct file_put **put, struct offload *helpers, struct mail_box *mail);

#endif
