#include "graph/graph.h"

/* The only place that moves x->at. It knows nothing of sockets, files or TLS. */
enum flow graph_run(struct exchange *x)
{
    for (;;) {
        const struct node *n = &graph_nodes[x->at];
        unsigned yes = 0;

        DIE_UNLESS((n->needs & ~x->known) == 0);
        if (n->ask != NULL) {
            yes = n->ask(x);
        } else {
            enum flow f = n->act(x);

            if (f != FLOW_GO) {
                DIE_UNLESS(f == FLOW_WAIT || ALWAYS(graph_may_stop(x->at, x->verdict.why)));
                return f;
            }
            x->known |= n->gives;
        }
        trace_add(&x->trace, 2u * x->at + yes);
        if (n->out[yes].end != R_NONE)
            return STOP(x, n->out[yes].end, 0);
        x->at = n->out[yes].to;
    }
}
