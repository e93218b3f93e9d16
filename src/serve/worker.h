#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "auth/password.h"
#include "graph/graph.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/mail.h"
#include "io/offload.h"
#include "io/resolve.h"
#include "io/wheel.h"
#include "record/member_page.h"
#include "record/record.h"
#include "record/tally.h"
#include "serve/access_log.h"
#include "serve/clients.h"
#include "serve/config.h"
#include "wire/conn.h"

/* A configuration in use by one worker: let go when its last exchange, and the last connection of TLS that began with it,
 * have ended and a newer one is there. */
struct snapshot {
    struct shared_config *shared;
    uint32_t holders;
    bool is_old;
    struct gateway_worker gateway; /* its upstreams, if it has any */
};

struct worker_listener {
    struct watch watch;
    struct worker *worker;
    const struct address *address;
    enum wire_port port;
};

/* A configuration and how many hold it: the server while it is the newest, and each worker. */
struct shared_config {
    struct config *config;
    _Atomic unsigned holders;
};

void shared_config_release(struct shared_config *shared);

/* One that held s has ended. */
void snapshot_leave(struct snapshot *s);

/* What the workers of one server share. */
struct worker_shared {
    struct clients *clients;
    struct file_shared *files;
    struct media_types *types;
    struct log *log;
    bool log_combined;
    uint32_t connections_limit, per_client_limit;
    unsigned workers;
    uint64_t id_seed;
    struct admissions *admissions;           /* of the forward proxy; NULL: there is none */
    uint16_t tls_port;                       /* where clients find https of this server; 0: nowhere */
    const struct admin_source *admin_source; /* of the admin listener's thread; NULL: a worker that serves sites */
};

/* One thread with its own loop, listeners, connections, caches and counters; nothing of it is shared on the path of a
 * request. */
struct worker {
    /* Written by this worker's thread, read by the admin listener's. */
    struct recorder recorder;
    struct member_page members; /* whom it hands requests on to */
    struct tally *tally;

    /* Set before the thread starts, then read-only. */
    const struct worker_shared *shared;
    pthread_t thread;
    struct log_ring *log; /* NULL: no log */

    /* This worker's thread only. */
    struct access_log_second log_second;
    struct loop loop;
    struct wheel wheel;
    struct wire_settings wire_settings;
    struct wire wire;
    struct snapshot *snapshot; /* for exchanges that begin now */
    struct offload helpers;
    struct cgi_worker *cgi;    /* NULL: no configuration has run programs so far */
    struct resolver *resolver; /* NULL: no configuration has hand requests on so far */
    struct offload hashers;    /* of passwords; when there is: */
    struct auth_worker *auth;  /* NULL: no configuration has asked for passwords so far */
    struct file_worker *files; /* NULL: it serves no files */
    struct admin *admin;       /* NULL: it is not the admin listener's */
    struct worker_listener *listeners;
    uint64_t next_id, id_step; /* of the next exchange, before it is scrambled; the way to the one behind it */
    struct timer stop_timer;   /* running exchanges are cut off */
    struct timer accept_timer; /* listening goes on after descriptors ran out */
    struct timer member_timer; /* `members` is told anew */
    uint32_t listener_count;
    int spare_fd; /* given up to answer one more client when no descriptor is left; -1: in use */
    bool stopping;

    /* Any thread. */
    struct mail_box mail;
    struct mail drain_mail; /* these are here already, so that stopping needs no memory */
    struct mail stop_mail;
    atomic_bool ended;
};

/* Where one worker listens. The addresses outlive it. */
struct worker_listen {
    const struct address *addresses;
    const int *fds; /* one for each address */
    uint32_t count;
    uint32_t plain; /* the first of them speak without TLS, */
    uint32_t tls;   /* ... these with it, and the others are of the forward proxy */
};

/* Give a zeroed worker its memory of what it does, which is readable from now on. False: no memory. */
bool worker_remember(struct worker *w, const struct config *config);

/*
 * Set up a worker that remembers and start its thread.
 *
 * listen     descriptors that listen, one for each address; the worker closes them when it drains
 * config     one hold on it is handed over
 * Returns    0; or -errno: the server cannot run, and what was set up is left to the end of the process
 */
int worker_start(struct worker *w, const struct worker_shared *shared, unsigned index, struct shared_config *config,
                 const struct worker_listen *listen);

/* From another thread: no new connections, let running exchanges end, for at most the configured time. */
void worker_drain(struct worker *w);

/* From another thread, once, after worker_drain(): cut off what still runs. */
void worker_stop(struct worker *w);

/* From another thread: has it come to its end, so that worker_join() does not wait for connections? */
bool worker_ended(const struct worker *w);

/* From another thread: exchanges that begin from now on use this configuration; one hold on it is handed over.
 * False: no memory, the old one stays in use. */
bool worker_reload(struct worker *w, struct shared_config *config);

/* Does worker_reload() bring this setting into force? Others need a new start. */
bool worker_reloads(enum setting s);

/* Wait for the thread to end. */
void worker_join(struct worker *w);

/* Free what it had: when it was joined, and nobody asks it or answers it any more. */
void worker_fini(struct worker *w);

/* Free what worker_remember() made: when nobody reads it any more. */
void worker_forget(struct worker *w);

#endif
