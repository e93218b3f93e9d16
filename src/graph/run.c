#include "graph/graph.h"

/*
 * The only place that moves an exchange. It knows nothing of sockets, files or TLS. That each node's facts are known
 * when it is reached is proved once, by graph_lint(), and not asked again here: this loop is run for every request.
 */
enum flow graph_run(struct exchange *x)
{
    uint64_t answers = x->trace.answers != 0 ? x->trace.answers : 1;
    unsigned at = x->trace.at;

    for (;;) {
        const struct node *n = &graph_nodes[at];
        const struct edge *out = n->out;

        if (n->ask != NULL) {
            bool yes = n->ask(x);

            if (RECORDER)
                answers = 2 * answers + yes;
            out += yes;
        } else {
            enum flow f = n->act(x);

            if (f != FLOW_GO) {
                x->trace = (struct trace){ answers, (uint16_t)at };
                (void)(f == FLOW_WAIT || ALWAYS(graph_may_stop(at, x->verdict.why)));
                return f;
            }
        }
        if (out->end != R_NONE) {
            x->trace = (struct trace){ answers, (uint16_t)at };
            return STOP(x, out->end, 0);
        }
        at = out->to;
    }
}
