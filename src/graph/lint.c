#include "graph/graph.h"

#include <stdio.h>
#include <string.h>

static int says(unsigned node, const char *what)
{
    fprintf(stderr, "graph: %s: %s\n", graph_nodes[node].name, what);
    return 1;
}

static int edge_check(unsigned from, struct edge e, uint32_t have, uint32_t avail[], bool seen[])
{
    if (e.end != R_NONE)
        return 0;
    if (e.to <= from)
        return says(from, "an edge points back: the graph may not loop");
    seen[e.to] = true;
    avail[e.to] &= have; /* known only if known on every way in */
    return 0;
}

static int nodes_check(void)
{
    uint32_t avail[GRAPH_NODES];
    bool seen[GRAPH_NODES] = { true };
    int bad = 0;

    memset(avail, 0xff, sizeof avail);
    avail[0] = 0;
    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        const struct node *node = &graph_nodes[n];
        uint32_t have = avail[n] | node->gives;

        if (!seen[n])
            bad += says(n, "no edge leads here");
        if ((node->needs & ~avail[n]) != 0)
            bad += says(n, "needs a fact that some path does not provide");
        bad += edge_check(n, node->out[0], have, avail, seen);
        if (node->ask != NULL)
            bad += edge_check(n, node->out[1], have, avail, seen);
    }
    return bad;
}

/* Edges only point down, so the longest way to each node is known before the node is reached. */
static int answers_check(void)
{
    unsigned longest[GRAPH_NODES] = { 0 };

    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        const struct node *node = &graph_nodes[n];
        unsigned here = longest[n] + (node->ask != NULL);

        if (here > TRACE_ANSWERS_MAX)
            return says(n, "more questions on a path than a trace holds: give it another word");
        for (unsigned way = 0; way < 2; way++)
            if (node->out[way].end == R_NONE && node->out[way].to > n && longest[node->out[way].to] < here)
                longest[node->out[way].to] = here;
    }
    return 0;
}

int graph_lint(void)
{
    int bad = nodes_check() + answers_check();

    for (size_t i = 0; i < graph_stop_count; i++) {
        if (graph_nodes[graph_stops[i].node].act == NULL)
            bad += says(graph_stops[i].node, "only acts stop of their own");
        else if (graph_nodes[graph_stops[i].node].out[0].end == graph_stops[i].why)
            bad += says(graph_stops[i].node, "stops with the reason of its edge: a trace could not tell them apart");
        for (size_t j = 0; j < i; j++)
            if (memcmp(&graph_stops[i], &graph_stops[j], sizeof graph_stops[i]) == 0)
                bad += says(graph_stops[i].node, "a reason stands twice in stops.def");
    }
    for (size_t b = 1; b < graph_block_count; b++)
        if (graph_blocks[b].first <= graph_blocks[b - 1].first)
            bad += says(graph_blocks[b].first, "blocks are not in the order of their nodes");
    return bad;
}
