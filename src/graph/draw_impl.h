#ifndef GRAPH_DRAW_IMPL_H
#define GRAPH_DRAW_IMPL_H

#include "graph/graph.h"

/* A way out of a node: its name in every form of the picture, and which of node.out it is. */
struct draw_branch {
    const char *name; /* "yes", "no", "next" */
    unsigned out;
};

/* Fills the ways out of node n in the order in which they are shown; returns their number. */
unsigned draw_branches(unsigned n, struct draw_branch branches[2]);

/* The index of n's block in graph_blocks. */
size_t draw_block(unsigned n);

/* The index of n's first row in graph_stops that is `from` or later; graph_stop_count when there is none. */
size_t draw_stop(unsigned n, size_t from);

/* What is sent for `why`, and what is told besides: "404", "404.10", "400, logs 494", "no answer, logs 499". */
struct draw_status {
    char text[32];
};
struct draw_status draw_status(enum reason why, enum dialect dialect);

#endif
