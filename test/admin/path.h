#ifndef TEST_ADMIN_PATH_H
#define TEST_ADMIN_PATH_H

#include "base/check.h"
#include "graph/graph.h"

static inline uint16_t node_of(struct span name)
{
    for (uint16_t n = 0; n < GRAPH_NODES; n++)
        if (span_is(name, span_of(graph_nodes[n].name)))
            return n;
    check_die("no such node", name.p);
}

/* The trace of a path as walk_print() writes one. */
static inline struct trace trace_of(const char *path)
{
    struct trace t = { .answers = 1 };

    for (struct span rest = span_of(path); rest.n > 0;) {
        size_t n = span_find(rest, ' ');
        char mark = rest.p[n - 1];

        t.at = node_of((struct span){ rest.p, n - 1 });
        if (mark == '+' || mark == '-')
            t.answers = 2 * t.answers + (mark == '+');
        rest = span_from(rest, n < rest.n ? n + 1 : n);
    }
    return t;
}

#endif
