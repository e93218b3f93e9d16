#ifndef RES_FILE_CHANGE_H
#define RES_FILE_CHANGE_H

#include "res/file/lookup_impl.h"

/* What must still be there at the moment of the change, for the request's conditions to hold. */
enum file_guard {
    GUARD_NONE,    /* anything */
    GUARD_ABSENT,  /* nothing, as when If-None-Match was judged */
    GUARD_PRESENT, /* something: If-Match: * */
    GUARD_SAME     /* the very file whose tag or date was judged */
};

/*
 * What PUT or DELETE is to do, with all that a helper needs for it: it may outlive the exchange and its configuration.
 */
struct file_change {
    struct file_shared *shared;
    struct file_root *root;
    enum file_guard guard;
    bool existed;             /* when the graph looked */
    struct file_stamp judged; /* if it existed */
    enum file_sync sync;
    bool tombstones;
    uint64_t quota_bytes;
};

/* On the worker. R_NONE; or write_denied for the server's own names, worker_memory_exhausted, descriptors_exhausted,
 * file_system_error, with *error_out. */
enum reason file_change_init(struct file_change *c, const struct exchange *x, int *error_out);

/* On the worker, after the change: let go of what it knows of the path. Nobody may ask for it again for a long time, and
 * an open descriptor keeps all the bytes of a deleted file on the disk. */
void file_change_forget(const struct exchange *x);

/* The reason that an error in changing something gives. */
enum reason file_change_reason(int error);

#endif
