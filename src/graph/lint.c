#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

#define NODES_MAX 256

static int says(const struct graph *g, unsigned node, const char *what)
{
    fprintf(stderr, "graph: %s: %s\n", g->nodes[node].name, what);
    return 1;
}

/* Where the walk over the nodes stands: what is known on every way to a node, and how many questions the longest has. */
struct survey {
    uint32_t known[NODES_MAX];
    unsigned longest[NODES_MAX];
    bool reached[NODES_MAX];
};

static int edge_check(const struct graph *g, unsigned from, struct edge e, struct survey *s)
{
    const struct node *node = &g->nodes[from];
    unsigned questions = s->longest[from] + (node->ask != NULL);

    if (e.end != R_NONE)
        return 0;
    if (e.to <= from || e.to >= g->node_count)
        return says(g, from, "an edge points back or out: the graph may not loop");
    s->reached[e.to] = true;
    s->known[e.to] &= s->known[from] | node->gives;
    if (s->longest[e.to] < questions)
        s->longest[e.to] = questions;
    return 0;
}

static int node_check(const struct graph *g, unsigned n, struct survey *s)
{
    const struct node *node = &g->nodes[n];
    int bad = 0;

    if (!s->reached[n])
        bad += says(g, n, "no edge leads here");
    if ((node->needs & ~s->known[n]) != 0)
        bad += says(g, n, "needs a fact that some path does not provide");
    if (s->longest[n] + (node->ask != NULL) > TRACE_ANSWERS_MAX)
        bad += says(g, n, "more questions on a path than a trace holds: give it another word");
    bad += edge_check(g, n, node->out[0], s);
    if (node->ask != NULL)
        bad += edge_check(g, n, node->out[1], s);
    return bad;
}

static int stop_check(const struct graph *g, size_t at)
{
    const struct graph_stop *stop = &g->stops[at];
    const struct node *node = &g->nodes[stop->node];
    int bad = 0;

    if (node->act == NULL)
        bad += says(g, stop->node, "only acts stop of their own");
    else if (node->out[0].end == stop->why)
        bad += says(g, stop->node, "stops with the reason of its edge: a trace could not tell them apart");
    for (size_t i = 0; i < at; i++)
        if (memcmp(&g->stops[i], stop, sizeof *stop) == 0)
            bad += says(g, stop->node, "a reason stands twice in stops.def");
    return bad;
}

int graph_lint(const struct graph *g)
{
    struct survey s = { .reached = { true } };
    int bad = 0;

    DIE_UNLESS(g->node_count <= NODES_MAX);
    memset(s.known + 1, 0xff, sizeof s.known - sizeof s.known[0]);
    for (unsigned n = 0; n < g->node_count; n++)
        bad += node_check(g, n, &s);
    for (size_t i = 0; i < g->stop_count; i++)
        bad += stop_check(g, i);
    for (size_t b = 1; b < g->block_count; b++)
        if (g->blocks[b].first <= g->blocks[b - 1].first)
            bad += says(g, g->blocks[b].first, "blocks are not in the order of their nodes");
    return bad;
}
