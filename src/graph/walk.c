#include "graph/walk.h"

#include <stdio.h>

#include "graph/graph.h"

void walk_init(struct walk *w, struct trace trace)
{
    uint64_t answers = trace.answers != 0 ? trace.answers : 1;

    *w = (struct walk){ .answers = answers, .at = trace.at, .left = 63 - (unsigned)__builtin_clzll(answers) };
}

/* Where the walk goes from a node that was passed; GRAPH_NODES: out of the graph. */
static unsigned next_of(const struct walk *w)
{
    struct edge e = graph_nodes[w->node].out[w->yes];

    return e.end != R_NONE ? GRAPH_NODES : e.to;
}

bool walk_next(struct walk *w)
{
    unsigned next = w->begun ? next_of(w) : 0;

    if (w->last || next >= GRAPH_NODES)
        return false;
    w->begun = true;
    w->node = (uint16_t)next;
    w->yes = false;
    w->last = next == w->at;
    if (graph_nodes[next].ask == NULL)
        return true;
    if (w->left == 0)
        return false;
    w->yes = w->answers >> --w->left & 1;
    return true;
}

size_t walk_print(struct trace trace, enum reason why, char *out, size_t room)
{
    struct walk w;
    size_t n = 0;

    out[0] = '\0';
    walk_init(&w, trace);
    while (walk_next(&w)) {
        const struct node *node = &graph_nodes[w.node];
        bool stuck = w.last && (why == R_NONE || node->out[0].end != why);
        char mark = node->ask != NULL ? (w.yes ? '+' : '-') : stuck ? '?' : '>';
        int wrote = snprintf(out + n, room - n, "%s%s%c", n > 0 ? " " : "", node->name, mark);

        if (wrote < 0 || (size_t)wrote >= room - n) {
            out[n] = '\0';
            return n;
        }
        n += (size_t)wrote;
    }
    return n;
}
