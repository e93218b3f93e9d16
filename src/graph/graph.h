#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/exchange.h"

enum node_id {
#define ASK(name, ...) N_##name,
#define ACT(name, ...) N_##name,
#include "graph/graph.def"
#undef ASK
#undef ACT
    GRAPH_NODES
};

/* end != R_NONE: leave the graph with that reason; else go to node `to`. */
struct edge {
    uint16_t to, end;
};

/* One cache line each: every request passes dozens. */
struct node {
    _Alignas(64) bool (*ask)(const struct exchange *x); /* exactly one of ask and act is set */
    enum flow (*act)(struct exchange *x);
    struct edge out[2]; /* ask: no, yes; act: next, unused */
    const char *name, *spec;
    uint32_t needs, gives; /* F_ bits */
};

/* A run of nodes that belong together; it ends where the next begins. */
struct graph_block {
    const char *name;
    uint16_t first;
};

/* A reason with which an act may stop of its own. */
struct graph_stop {
    uint16_t node, why;
};

extern const struct node graph_nodes[GRAPH_NODES];
extern const struct graph_block graph_blocks[];
extern const size_t graph_block_count;
extern const struct graph_stop graph_stops[];
extern const size_t graph_stop_count;

#define ASK(name, ...) bool ask_##name(const struct exchange *x);
#define ACT(name, ...) enum flow act_##name(struct exchange *x);
#include "graph/graph.def"
#undef ASK
#undef ACT

/* Advance x from x->trace.at until it ends (FLOW_STOP, x->verdict set) or must wait (FLOW_WAIT, x->wait set). */
enum flow graph_run(struct exchange *x);

/* May this act stop with this reason of its own, by stops.def? */
bool graph_may_stop(unsigned node, enum reason why);

/* All of a graph. */
struct graph {
    const struct node *nodes;
    const struct graph_block *blocks;
    const struct graph_stop *stops;
    size_t node_count, block_count, stop_count;
};

extern const struct graph server_graph;

/*
 * Complaints about a graph on standard error: edges that do not point down, facts unknown on some path, nodes that
 * nothing leads to, more questions than a trace holds, stops of questions, twice, or mistakable for an edge, blocks out
 * of order. Returns their number.
 */
int graph_lint(const struct graph *g);

#endif
