#ifndef RES_FILE_FILE_IMPL_H
#define RES_FILE_FILE_IMPL_H

/*
 * The inside of the folder. What lies where:
 *
 *   worker --> cache --> entry (one path, one kind of look-up) --> variants --> contents (plain, coded)
 *
 * An entry is made by a helper (lookup.c) and handed over by mail, or by the worker itself where nothing has to wait, and
 * belongs to one worker from then on. Exchanges in progress pin it; a pinned entry that is no longer believed leaves the table and dies with its last user.
 * Helpers may read an entry that they pinned through their job: what they read (stamps, names, plain contents) never
 * changes after the hand-over. Only `made`, `useless` and `unsteady` of a variant change, and `ready` of a content, and
 * helpers look at none of them.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "http/coding.h"
#include "http/date.h"
#include "http/media_type.h"
#include "io/link.h"
#include "io/offload.h"
#include "res/file/file.h"
#include "res/file/path_lock.h"
#include "res/file/root.h"
#include "res/file/tag.h"

#define FILE_VARIANTS_MAX 16
#define FILE_DIRECTORIES  64
#define FILE_MALLOC_BYTES ((size_t)16)      /* what malloc() takes beyond what it is asked for, about */
#define FILE_CREDIBLE     INT64_C(31536000) /* older than 1971: a clock or an archive that lost its dates */

enum file_kind {
    FILE_READ, /* index names, variants, stored codings */
    FILE_EXACT /* the very name: what PUT and DELETE are about */
};

/* Fields of replies that tell about one content. */
struct file_ready {
    struct file_ready *next;
    uint32_t key;     /* what tells the replies about one content apart: see fields.c */
    struct span path; /* asked for, if there is a link among them: as many as routes share a root */
    struct ready_fields lines;
};

/* Bytes that can be sent: in memory, or behind a descriptor. */
struct file_content {
    char *bytes; /* owned; NULL: empty, or behind fd */
    uint64_t length;
    int fd; /* owned; -1: none */
    bool is_there;
    struct file_tag tag;
    struct file_stamp stamp;
    struct file_ready *ready; /* owned; made when they are first sent, and kept as long as the content */
};

/* A file that stands for the name. */
struct file_variant {
    char *name;           /* last segment, for links; owned */
    struct span type;     /* media type; static or of the worker's table */
    struct span language; /* tag, in `name`; n == 0: none */
    bool negotiates;      /* has variants of its own instead of content */
    bool compressible;
    int64_t modified; /* seconds since 1970 UTC */
    char modified_text[DATE_BYTES];
    struct file_content files[CODINGS]; /* [CODING_IDENTITY] is the file, the others are its coded siblings */
    struct file_content *made[CODINGS]; /* coded here; NULL: not yet */
    unsigned useless;                   /* CODING_BIT()s: coded here, and no shorter */
    bool unsteady;                      /* it changed while it was coded: leave it plain */
};

/* What is at a path. */
struct file_entry {
    struct file_entry *next; /* in the same bucket */
    struct link lru;
    uint64_t used; /* file_cache.uses at its last use */
    uint64_t hash;
    const char *path;
    uint32_t path_bytes, root;
    enum file_kind kind;
    uint32_t users;
    bool in_table;
    bool settled;       /* no file of it changed so recently that the next change could go unseen */
    bool from_disk;     /* a content of it is behind a descriptor */
    uint64_t looked_ms; /* worker's clock when the look-up was asked for */
    uint64_t changes;   /* file_shared.changes at that time */
    uint64_t bytes;     /* of contents in memory */
    bool exists, is_collection, has_index, parent_exists, was_removed, negotiates;
    bool types_differ, languages_differ, has_language;
    uint32_t variant_count;
    struct file_variant *variants; /* owned */
};

struct file_shared {
    _Atomic uint64_t changes; /* through PUT and DELETE, and those from outside that a worker came upon */
    struct file_roots roots;
    struct file_path_locks locks;
};

struct file_cache {
    struct file_entry **buckets;
    uint32_t mask, entries;
    uint32_t opened, opened_max; /* entries with descriptors */
    uint64_t bytes, bytes_max;
    uint64_t seed; /* clients choose paths, and may not choose them to meet in one bucket */
    uint64_t uses;
    struct link lru[2]; /* least recently used first: entries in memory, entries with descriptors */
};

/* What a worker knows of the names in a directory: see directory.h. */
struct file_directory {
    char *path; /* without the slash at its end; owned; NULL: of none */
    uint32_t path_bytes, root;
    bool known;
    bool is_read;     /* a helper is at it */
    unsigned codings; /* CODING_BIT()s of the suffixes that occur */
    uint32_t names;   /* when it was read */
    uint32_t lookups; /* of files in it, since then */
    struct file_stamp stamp;
    uint64_t looked_ms, changes; /* as of entries, when the stamp was last compared */
};

/* What the last Accept-Encoding said. Clients are few kinds of programs, each with one value: reading it is dear. */
struct file_wish {
    char text[96];
    size_t n;
    unsigned quality[CODINGS];
};

struct file_worker {
    struct file_worker_settings settings;
    struct file_cache cache;
    struct file_wish wish;
    struct file_directory directories[FILE_DIRECTORIES];
    struct link jobs; /* that others may join */
    struct offload *helpers;
    struct mail_box *mail;
    const struct media_types *types;
    struct file_shared *shared;
};

/* An exchange that waits for a job; of the worker alone, helpers never see it. */
struct file_waiter {
    struct link link; /* of job->waiters */
    struct exchange *x;
    struct file_job *job;
    uint32_t ticket;
};

/* x->res_state */
struct file_state {
    struct file_entry *entry;     /* pinned; NULL before the look-up */
    struct file_variant *variant; /* chosen, of entry */
    struct file_content *content; /* chosen form of it */
    struct file_job *job;         /* answered and not yet used; held */
    struct file_waiter waiter;
    enum coding coding;
    bool coding_matters; /* Accept-Encoding decided, or would have */
    struct pieces_body body;
    struct piece piece;
    struct file_put *put;    /* PUT between its jobs */
    uint64_t compared_bytes; /* of the content, so far */
};

/*
 * Work for a helper, and the exchanges that wait for it: several that want the same wait for one job, or a crowd that
 * asks for one file would fill the queue each time the file is looked at again.
 * Embedded first in a larger struct of its own memory, zeroed but for the three functions.
 */
struct file_job {
    struct job job;
    struct file_worker *worker;
    struct file_entry *entry; /* pinned, or NULL */
    struct link running;      /* of worker->jobs: may be joined */
    struct link waiters;
    uint32_t holders;
    bool answered;
    void (*run)(
        struct file_job *
            j); /* on a helper, or at once, when it may not block: fills in the larger struct and touches nothing else */
    void (*finish)(struct file_job *j);  /* on the worker, even when nobody waits any more; may be NULL */
    void (*discard)(struct file_job *j); /* on the worker: frees what the larger struct owns, not the struct */
};

static inline struct file_state *file_state(const struct exchange *x)
{
    return x->res_state;
}

static inline const struct file_settings *file_settings(const struct exchange *x)
{
    return x->res_settings;
}

static inline struct file_worker *file_worker(const struct exchange *x)
{
    return x->res_worker;
}

/* Changes counted so far. */
static inline uint64_t file_changes(const struct file_worker *fw)
{
    return atomic_load_explicit(&fw->shared->changes, memory_order_acquire);
}

static inline bool file_is_read(const struct exchange *x)
{
    return x->req.head.method != M_PUT && x->req.head.method != M_DELETE;
}

/*
 * job.c: give j to a helper and park x; or stop with helper_queue_full, when j is freed. j is from malloc() and zeroed,
 * or answered and held by x alone.
 * After the wake-up file_state(x)->job is j, until file_job_release().
 */
enum flow file_job_start(struct exchange *x, struct file_job *j, struct file_entry *pin, const char *what);

/* x alone holds j, which no helper gets. */
void file_job_hold(struct exchange *x, struct file_job *j, struct file_entry *pin);

/* Park x until j, one of worker->jobs, is answered; then as above. */
enum flow file_job_join(struct exchange *x, struct file_job *j, const char *what);
void file_job_release(struct file_job **j);

/* The member of worker->jobs that `link` belongs to. */
static inline struct file_job *file_job_of(struct link *link)
{
    return (struct file_job *)((char *)link - offsetof(struct file_job, running));
}

/*
 * turn.c: content that comes as fast as it is taken, or in crumbs, may not keep the others waiting. After so much of it:
 * file_turn_wait(), which parks x until they had their turn; or stops without memory.
 */
struct file_turn {
    uint64_t bytes;
    unsigned pieces;
};

bool file_turn_is_over(struct file_turn *turn, struct span piece);
enum flow file_turn_wait(struct exchange *x);

/*
 * settings.c: settings for a job, which may run on after its exchange, and with it the configuration, has gone. A copy
 * with a descriptor and names of its own. 0 or -errno.
 */
struct file_kept {
    struct file_settings settings; /* without default_language and root */
    char *names;
};
int file_settings_keep(struct file_kept *kept, const struct file_settings *settings);
void file_settings_drop(struct file_kept *kept);

/* entry.c */
void file_content_init(struct file_content *c);
void file_content_fini(struct file_content *c);
void file_entry_free(struct file_entry *e);
void file_entry_take(struct file_entry *e);
/* Frees it after its last user, if it is out of the table. */
void file_entry_release(struct file_entry **e);

/* open.c, select.c, encode.c, produce.c, part.c, list.c, choices.c, compare.c, accept.c, remove.c: the methods of
 * file_resource. */
enum flow file_open(struct exchange *x);
enum flow file_select(struct exchange *x);
enum flow file_encode(struct exchange *x);
enum flow file_produce(struct exchange *x);
enum flow file_part(struct exchange *x);
enum flow file_list(struct exchange *x);
enum flow file_choices(struct exchange *x);
enum flow file_compare(struct exchange *x);
enum flow file_accept(struct exchange *x);
enum flow file_remove(struct exchange *x);
void file_close(struct exchange *x);
void file_accept_close(struct exchange *x); /* the part of file_close() for PUT */
void file_describe(struct exchange *x, enum reason why);

/* fields.c: the fields that tell about the selected representation, as the answer with this reason has them. */
void file_fields(struct exchange *x, enum reason why);

/* A run of a content, which must stay pinned. */
struct piece file_piece(const struct file_content *c, uint64_t offset, uint64_t length);

/* The URI path of a file beside the one asked for, percent-encoded, in the arena. */
struct span file_link(struct exchange *x, const char *name);

#endif
