#ifndef ADMIN_SOURCE_H
#define ADMIN_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "io/mail.h"
#include "record/member_page.h"
#include "record/record.h"
#include "record/running.h"
#include "record/tally.h"

/* A question to a worker, owned by who asks until done() is called, once, on the thread of who asked. */
struct running_request {
    struct mail mail; /* the server's, and so are these two */
    void *asked, *asker;
    struct running_list list; /* filled in by the worker */
    uint32_t worker;
    void (*done)(struct running_request *r);
};

/* What one worker can be asked for. */
struct admin_view {
    const struct recorder *recorder;
    const struct tally *tally;
    const struct member_page *members; /* NULL: it hands nothing on */
    bool is_admin;                     /* the thread of the admin listener itself */
};

/* The server as its admin listener sees it: the only way to it. All is fixed while the server runs. */
struct admin_source {
    void *server;
    const struct admin_view *views; /* by number of the worker; the admin's own is the last */
    uint32_t view_count;
    int64_t started_unix_ms;
    /* Name of a site by its number in records and tallies; "": no site; NULL: there is no such number. Any thread. */
    const char *(*site_name)(void *server, uint16_t site);
    uint64_t (*log_lines_lost)(void *server, uint32_t worker);
    /* Ask a worker what it has running; done() is called later, never before this returns. */
    void (*ask_running)(void *server, struct running_request *r);
    /* Clients whom an intercepting proxy lets in; all NULL: there is no forward proxy. Times are of the server's clock. */
    bool (*admit)(void *server, const struct sockaddr *client, uint64_t until_ms, uint64_t now_ms); /* false: no room */
    bool (*expel)(void *server, const struct sockaddr *client); /* false: was not in */
    bool (*is_admitted)(void *server, const struct sockaddr *client, uint64_t now_ms);
    uint32_t (*admitted_count)(void *server, uint64_t now_ms);
};

#endif
