#ifndef TEST_GRAPH_FAKE_H
#define TEST_GRAPH_FAKE_H

#include "exchange/forwarding.h"
#include "graph/graph.h"

/* What the pretended resource, route and connection say. */
struct fake {
    struct facts facts;
    struct policy policy; /* zeroed members get generous values from fake_run() */
    struct transport transport;
    enum reason give;         /* what a configured answer stops with; R_NONE: it succeeds */
    enum reason head_refusal; /* what the codec says of the head */
    bool no_site, no_route, site_stopped, server_full, client_full, descriptors_full;
    bool misdirected, from_trusted, early;
    uint32_t arena_bytes, state_bytes; /* memory there is (0: plenty), memory that the resource wants */
    bool no_ranges;                    /* the resource cannot serve parts */
    unsigned char major;               /* that the codec speaks; 0: 1 */
    struct span connect_protocol;
    /* Of a route that forwards: what the resource finds, and how each try goes. */
    struct forwarding forwarding;           /* zeroed members get generous values from fake_run() */
    struct attempt tries[FORWARD_ATTEMPTS]; /* failed.why and harmless count */
    enum reason credentials;                /* what authenticate() stops with; R_NONE: with nothing */
    enum reason cut;                        /* ... attempt() */
    enum reason no_answer;                  /* ... relay() */
    uint64_t now_ms;
    unsigned char content_gone_with; /* the number of a try; 0: with none */
    bool open_to_all;                /* the resource has nobody to authenticate */
};

struct fake_result {
    struct verdict verdict;
    struct trace trace;
    unsigned interims; /* interim responses */
    enum reason interim;
    uint32_t interim_fields; /* of the last of them */
    char path[4096];
};

/* Run one request head (raw bytes) through the graph. */
void fake_run(const char *raw, const struct fake *fake, struct fake_result *out);

#endif
