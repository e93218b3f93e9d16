#ifndef TEST_ADMIN_KEPT_H
#define TEST_ADMIN_KEPT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "admin/source.h"
#include "base/check.h"
#include "exchange/exchange.h"
#include "graph/graph.h"
#include "path.h"
#include "record/record.h"
#include "record/tally.h"

/* A server of two workers, and the thread of its admin listener, that has kept what a test told it to. */

#define KEPT_ADMIN 2u /* number of the admin's own view */
#define KEPT_VIEWS 3u

struct kept_server {
    struct recorder recorders[KEPT_VIEWS];
    struct tally *tallies[KEPT_VIEWS];
    struct admin_view views[KEPT_VIEWS];
    struct admin_source source;
};

/* An exchange that has ended; what is left out is as in a plain GET that was answered from cache. */
struct kept {
    uint64_t number, ended_ms, unix_ms, took_ms;
    const char *request, *reply, *operand, *route;
    const char *client; /* NULL: 127.0.0.1; "unix:": a socket of that kind */
    const char *path;   /* as walk_print() writes one */
    enum reason why, broken;
    enum method method;
    enum dialect dialect;
    uint16_t site;
    bool unreadable, unsent; /* no request line; no answer */
    uint16_t status;         /* 0: by reason and dialect, unless unsent */
    const char *upstream;    /* NULL: nobody else was asked */
    enum reason tried;       /* how each of two tries failed but the last that was relayed; R_NONE: there was none */
    bool relayed;
};

static inline const char *kept_site_name(void *server, uint16_t site)
{
    static const char *const names[] = { "", "example.org", "other.example", "admin" };

    (void)server;
    if (site == TALLY_SITE_OTHER)
        return "other";
    return site < sizeof names / sizeof names[0] ? names[site] : NULL;
}

static inline uint64_t kept_lines_lost(void *server, uint32_t worker)
{
    (void)server;
    return worker + 1;
}

/* count, kept_count: entries of the two rings of each. */
static inline void kept_begin(struct kept_server *s, uint32_t count, uint32_t kept_count)
{
    const struct recorder_settings settings = { .count = count,
                                                .kept_count = kept_count,
                                                .bytes = (size_t)count * 4096,
                                                .kept_bytes = (size_t)kept_count * 4096,
                                                .head_bytes = 4096,
                                                .slow_ms = 1000 };

    for (uint32_t i = 0; i < KEPT_VIEWS; i++) {
        DIE_UNLESS(recorder_init(&s->recorders[i], &settings));
        s->tallies[i] = tally_new();
        DIE_UNLESS(s->tallies[i] != NULL);
        s->views[i] =
            (struct admin_view){ .recorder = &s->recorders[i], .tally = s->tallies[i], .is_admin = i == KEPT_ADMIN };
    }
    s->source = (struct admin_source){ .server = s,
                                       .views = s->views,
                                       .view_count = KEPT_VIEWS,
                                       .started_unix_ms = 1795242000000,
                                       .site_name = kept_site_name,
                                       .log_lines_lost = kept_lines_lost };
}

static inline void kept_end(struct kept_server *s)
{
    for (uint32_t i = 0; i < KEPT_VIEWS; i++) {
        recorder_fini(&s->recorders[i]);
        tally_release(&s->tallies[i]);
    }
}

static inline struct span kept_text(const char *text)
{
    return text != NULL ? span_of(text) : (struct span){ 0 };
}

static inline uint32_t kept_peer(const char *client, struct sockaddr_storage *peer)
{
    struct sockaddr_in *four = (struct sockaddr_in *)peer;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)peer;

    memset(peer, 0, sizeof *peer);
    four->sin_family = AF_INET;
    if (inet_pton(AF_INET, client != NULL ? client : "127.0.0.1", &four->sin_addr) == 1)
        return sizeof *four;
    six->sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, client, &six->sin6_addr) == 1)
        return sizeof *six;
    peer->ss_family = AF_UNIX;
    return sizeof peer->ss_family;
}

/* What an upstream answered. */
static inline void kept_forward(struct exchange *x, struct forwarding *f, const struct kept *k)
{
    static const struct reply_field fields[1];

    *f = (struct forwarding){ .group = kept_text(k->upstream), .status = k->relayed ? k->status : 0 };
    if (k->tried != R_NONE)
        f->attempts[f->count++] = (struct attempt){ .failed.why = k->tried,
                                                    .upstream = SPAN("127.0.0.1:3001"),
                                                    .begun_ms = 100,
                                                    .connected_ms = 101,
                                                    .kept = true };
    if (k->relayed)
        f->attempts[f->count++] = (struct attempt){
            .upstream = SPAN("127.0.0.1:3000"), .begun_ms = 100, .connected_ms = 102, .sent_ms = 103, .head_ms = 110
        };
    x->reply.relayed.fields = k->relayed ? fields : NULL;
    x->forwarding = f;
}

/* Let a worker record and count it. */
static inline void keep(struct kept_server *s, uint32_t worker, const struct kept *k)
{
    static struct exchange x;
    static struct forwarding forwarding;
    const struct policy policy = { .dialect = k->dialect };
    enum reason why = k->why != R_NONE ? k->why : R_request_ok;
    struct span request = kept_text(k->request != NULL ? k->request : "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    struct sockaddr_storage peer;

    x = (struct exchange){
        .policy = &policy, .transport = &transport_plain, .number = k->number, .bytes_in = request.n, .bytes_out = 412
    };
    x.peer = (struct span){ (const char *)&peer, kept_peer(k->client, &peer) };
    x.site_number = k->site;
    x.unix_ms = k->unix_ms != 0 ? k->unix_ms : 1795242734123;
    x.route_prefix = kept_text(k->route);
    x.req.head_text = request;
    x.req.head.target = k->unreadable ? (struct span){ 0 } : SPAN("/");
    x.req.head.method = k->method;
    x.req.head.major = x.req.head.minor = !k->unreadable;
    x.reply.head_text = kept_text(k->reply);
    x.trace = trace_of(k->path != NULL ? k->path : "receive>");
    x.verdict = (struct verdict){ why, 7, "../../src/graph/run.c:43", kept_text(k->operand) };
    x.broken.why = k->broken;
    x.status_sent = k->unsent ? 0 : k->status != 0 ? k->status : reason_code(why, k->dialect).wire;
    x.moments.ended_ms = k->ended_ms;
    x.moments.first_byte_ms = k->ended_ms - k->took_ms;
    if (k->upstream != NULL)
        kept_forward(&x, &forwarding, k);
    recorder_write(&s->recorders[worker], &x, &secrets_standard);
    tally_add(s->tallies[worker], &x);
}

#endif
