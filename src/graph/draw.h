#ifndef GRAPH_DRAW_H
#define GRAPH_DRAW_H

#include <stdio.h>

#include "base/span.h"
#include "reason/reason.h"

/*
 * The decision graph as a picture, a table and data, all from the same nodes that run.
 *
 * out        where to; the caller looks at ferror() in the end
 * dialect    whose codes the ends show
 * Threads    any
 *
 * Names are the same in every form: node `n-NAME`; edge `e-NAME-yes`, `e-NAME-no`, `e-NAME-next`; an act's own stop
 * `e-NAME-stop-REASON`; the box of an end `r-NAME-yes` and so on; the box of all stops of an act `r-NAME-stop`. Nodes
 * are written as in graph.def, reasons in kebab-case.
 */

/* Graphviz, top to bottom: questions are rounded, acts are boxes, ends are coloured by the class of their status. An
 * act's own stops share one box, whose rows bear the ids of the stops as `a_e-NAME-stop-REASON`. */
void draw_dot(FILE *out, enum dialect dialect);

/* A line a node: block, node (with `?` when it asks), where each answer leads, reasons of its own to stop. */
void draw_text(FILE *out, enum dialect dialect);

/* {"graph", "dialect", "blocks", "nodes", "edges"}; UTF-8, RFC8259:8.1. */
void draw_json(FILE *out, enum dialect dialect);

/* Says what a node asks or does; never NULL, UTF-8 without control characters. Whoever makes one may hold more than this. */
struct draw_words {
    const char *(*of)(const struct draw_words *words, struct span node);
};

/* As draw_json(), and in each node "text". NULL: without. */
void draw_json_worded(FILE *out, enum dialect dialect, const struct draw_words *words);

#endif
