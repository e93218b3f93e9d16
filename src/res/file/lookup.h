#ifndef RES_FILE_LOOKUP_H
#define RES_FILE_LOOKUP_H

#include "res/file/file_impl.h"

/*
 * Find out what is at a path: open it, its variants and its coded siblings, read what is short. A job for a helper,
 * because all of it blocks; or done at once, by the worker itself, as far as the kernel has all of it in memory.
 */
struct file_lookup {
    struct file_job base;                 /* base.entry: what was there before, or NULL */
    struct file_kept kept;                /* of a job for a helper */
    const struct file_settings *settings; /* in kept; or the exchange's, at once */
    bool at_once;                         /* do not block */
    unsigned codings;                     /* CODING_BIT()s of the coded siblings to look for */
    const struct media_types *types;
    uint32_t content_max_bytes;
    uint32_t recheck_ms;     /* how long others may believe what they found before */
    struct file_entry *made; /* path, root, kind, looked_ms and changes are filled in beforehand */

    /* After the run. */
    bool would_block; /* only if at_once; then nothing else of it is of use */
    enum reason why;  /* R_NONE, or why it cannot be told; then `made` is of no use */
    int error;        /* errno, for file_system_error */
    bool same;        /* base.entry is still true in all, and `made` is of no use */
    bool is_news;     /* other workers may believe what is no longer so */
};

/* Zeroed but for at_once, codings, the settings, and `made`, which asks about `path`. NULL: see *error_out, an errno. */
struct file_lookup *file_lookup_new(const struct file_settings *settings, enum file_kind kind, struct span path,
                                    bool at_once, int *error_out);

/* What remains is owned by the job. */
void file_lookup_discard(struct file_job *j);

void file_lookup_run(struct file_job *j);

/* For the writing half too: the reason that an error of the file system gives. R_NONE: nothing is there. */
enum reason file_lookup_reason(int error);

#endif
