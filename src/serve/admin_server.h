#ifndef SERVE_ADMIN_SERVER_H
#define SERVE_ADMIN_SERVER_H

#include "io/address.h"
#include "serve/sites.h"
#include "serve/worker.h"

/*
 * The admin listener of a server: one more worker, with a thread, clients and limits of its own, so that it answers
 * when the others are full, and costs them nothing.
 */
struct admin_server {
    struct worker worker;
    struct address address;
    int fd;    /* -1: off, or taken over by the worker */
    bool runs; /* its thread was started */
    struct worker_shared shared;
    struct admin_source source;
    struct admin_view *views;
    struct worker *workers; /* the server's */
    struct sites *sites;    /* likewise */
};

/*
 * Listen where the configuration says, if it does. An address that nobody chose and that is taken is given up with a
 * word on standard error. Returns the exit code: 0, or 1 after a complaint.
 */
int admin_server_listen(struct admin_server *a, const struct config *config);

/* Start it for the workers that run; one hold on the configuration is taken. 0, or 1 after a complaint. */
int admin_server_start(struct admin_server *a, const struct worker_shared *shared, struct worker *workers,
                       struct sites *sites, struct shared_config *config);

/* May it go on where it listens with this configuration? False after a complaint: others could ask without a token. */
bool admin_server_accepts(const struct admin_server *a, const struct config *config);

/* End its streams and connections and wait for its thread. Harmless when it does not run. */
void admin_server_stop(struct admin_server *a);

/* After the workers' worker_fini(), which may still answer it. */
void admin_server_fini(struct admin_server *a);

#endif
