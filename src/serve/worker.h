#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "graph/graph.h"
#include "io/log.h"
#include "io/loop.h"
#include "io/mail.h"
#include "io/offload.h"
#include "io/wheel.h"
#include "serve/clients.h"
#include "serve/config.h"
#include "wire/conn.h"

/* A configuration in use by one worker: let go when its last exchange has ended and a newer one is there. */
struct snapshot {
    struct config *config;
    uint32_t exchanges;
};

struct worker_listener {
    struct watch watch;
    struct worker *worker;
};

/* What the workers of one server share. */
struct server;

/* One thread with its own loop, listeners, connections, caches and counters; nothing of it is shared on the path of a
 * request. */
struct worker {
    /* Set before the thread starts, then read-only. */
    struct server *server;
    unsigned index;
    pthread_t thread;
    struct log_ring *log; /* NULL: no log */

    /* This worker's thread only. */
    struct loop loop;
    struct wheel wheel;
    struct wire_settings wire_settings;
    struct wire wire;
    const struct config *config;
    struct offload helpers;
    struct file_worker *files;
    struct worker_listener *listeners;
    uint32_t listener_count;
    uint64_t ids;               /* of the next exchange, before it is scrambled */
    struct timer stop_timer;
    bool stopping;
    uint64_t reasons[R_COUNT];  /* one writer, so plain increments */

    /* Any thread. */
    struct mail_box mail;
};

/* Start the thread, which takes over the listening descriptors. 0 or -errno; then nothing is left behind. */
int worker_start(struct worker *w);

/* From another thread: no new connections, let running exchanges end, stop after at most the configured time. */
void worker_drain(struct worker *w);

/* Wait for the thread to end and free what it had. */
void worker_join(struct worker *w);

/* How exchanges run on a worker: wire's and the graph's way up. */
extern const struct exchange_host worker_exchange_host;

/* Room for another connection, and for another of this client? */
extern const struct wire_host worker_wire_host;

#endif
