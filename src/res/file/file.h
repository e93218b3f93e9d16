#ifndef RES_FILE_FILE_H
#define RES_FILE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/resource.h"

#define FILE_INDEX_NAMES 8

enum file_sync { FILE_SYNC_NONE, FILE_SYNC_DATA, FILE_SYNC_FULL };

/* What a route configures: a directory and how it is served. Immutable once the server runs. */
struct file_settings {
    const char *root;                    /* for messages to the operator, never for a client */
    int root_fd;                         /* O_PATH | O_DIRECTORY; every look-up stays beneath it */
    bool root_is_local;                  /* file_root_is_local() */
    uint32_t id;                         /* tells the roots of one configuration apart */
    const char *index[FILE_INDEX_NAMES]; /* names tried in a directory, in this order, NULL after the last */
    bool variants;                       /* page.en.html and logo.webp stand for page and logo */
    bool precompressed;                  /* page.html.br is page.html, coded */
    bool compress;                       /* code on the fly what is compressible */
    uint32_t compress_min_bytes;
    uint64_t compress_max_bytes;
    const char *default_language; /* the variant for whoever names none, or NULL */
    bool write;                   /* PUT and DELETE */
    enum file_sync sync;
    bool tombstones;      /* what was deleted here answers gone */
    uint64_t tombstone_s; /* seconds for which it does; 0: for ever */
    uint64_t quota_bytes; /* of all files beneath root; 0: none */
};

/* Does the directory lie in a file system of this machine, where opening what is in memory never waits for anybody? */
bool file_root_is_local(int root_fd);

struct file_worker;
struct offload;
struct mail_box;
struct media_types;

/* What all workers of a server share: the count of changes, made through PUT and DELETE or found to have been made from
 * outside, the locks of names, and what is known of each directory that is written to. */
struct file_shared;

/* NULL without memory. */
struct file_shared *file_shared_new(void);
void file_shared_release(struct file_shared **shared);

/*
 * For each directory that takes PUT and DELETE, once it is open, at start and at a reload: remove, on a thread of its
 * own, what a crash left behind there and the tombstones that are over. It is done once for each directory.
 * Returns 0 or -errno (-ENOMEM, -EMFILE, -EAGAIN): the directory can be served and written to all the same.
 */
int file_shared_tidy(struct file_shared *shared, const struct file_settings *settings);

struct file_worker_settings {
    uint64_t cache_bytes;       /* of all that is kept in memory: content, coded content, what is known of paths */
    uint32_t cache_entries;     /* of files kept open; those in memory are not */
    uint32_t content_max_bytes; /* a longer file is sent from its descriptor */
    uint32_t recheck_ms;        /* how long an entry is believed; design: 1000 */
};

/* The part of one worker: its cache of open files. helpers runs what blocks and answers through mail; both, types and
 * shared outlive it. NULL without memory. */
struct file_worker *file_worker_new(const struct file_worker_settings *settings, struct offload *helpers,
                                    struct mail_box *mail, const struct media_types *types, struct file_shared *shared);
void file_worker_release(struct file_worker **fw);

/* Forget what was found so far, with its descriptors: what a former configuration served would never be asked for
 * again, and would only go as others push it out. */
void file_worker_forget(struct file_worker *fw);

/*
 * Files. x->res_settings is a struct file_settings, x->res_worker a struct file_worker.
 *
 * Path        x->req.subpath, beneath the root; operands and links are made of x->req.path
 * Reading     GET, HEAD and OPTIONS look for index names, variants and coded siblings; PUT and DELETE for the very name
 * Freshness   what was found is believed for recheck_ms, or until a change is counted in file_shared; then it is looked
 *             up again, by a helper unless the kernel has all of it in memory, and kept if nothing has changed. If
 *             something has, it is counted, so that no worker answers with the old after another has answered with the
 *             new. A request that hits makes no system call, unless the file is too long to be kept: then it is compared
 *             with what was found, as it may have been written over
 * Variants    stand for a name that does not exist itself: see variant.h. At most 16 for a name; a directory of more than
 *             50,000 names is not searched to its end
 * Negotiating facts.variant_negotiates: the chosen variant is a directory (page.en.html/), or a symbolic link to a name
 *             in the same directory that does not exist but has variants (page.en.html -> page). RFC2295:8.1
 * Fields      produce, part and list add all of theirs but Content-Length; choices leaves the content, and what tells
 *             about it, to whoever writes out x->reply.alternatives; describe() adds those of the answers that have no
 *             such act. Location of a 300 is a field, not x->reply.link_to
 * Threads     the worker's; helpers get copies, so settings may go when the last exchange has ended, whatever still runs
 */
extern const struct resource_ops file_resource;

#endif
