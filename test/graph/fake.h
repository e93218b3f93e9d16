#ifndef TEST_GRAPH_FAKE_H
#define TEST_GRAPH_FAKE_H

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
