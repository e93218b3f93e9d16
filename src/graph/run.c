#include "graph/graph.h"

/*
 * The only place that moves an exchange. It knows nothing of sockets, files or TLS. That each node's facts are known
 * when it is reached is proved once, by graph_lint(), and not asked again here. Each node of the tables becomes a label
 * and each edge a jump, because every request passes dozens: the questions are compiled into their places.
 */
#define NODE(n) goto run_##n
#define END(r)        \
    do {              \
        end = R_##r;  \
        goto at_edge; \
    } while (0)

#define TRACED(yes) (RECORDER ? 2 * answers + (yes) : answers)

/* clang-format off */
#define RUN_ASK(n, needs, yes, no, spec) \
    run_##n:                             \
        at = N_##n;                      \
        if (ask_##n(x)) {                \
            answers = TRACED(true);      \
            yes;                         \
        } else {                         \
            answers = TRACED(false);     \
            no;                          \
        }

#define RUN_ACT(n, needs, gives, next, spec) \
    run_##n:                                 \
        at = N_##n;                          \
        f = act_##n(x);                      \
        if (f != FLOW_GO)                    \
            goto at_act;                     \
        next;
/* clang-format on */

enum flow graph_run(struct exchange *x)
{
    uint64_t answers = x->trace.answers != 0 ? x->trace.answers : 1;
    unsigned at = x->trace.at;
    enum reason end;
    enum flow f;

    DIE_UNLESS(at < GRAPH_NODES);
    switch (at) {
#define ASK(n, ...) \
    case N_##n:     \
        goto run_##n;
#define ACT ASK
#include "graph/graph.def"
#undef ASK
#undef ACT
    }

#define ASK RUN_ASK
#define ACT RUN_ACT
#include "graph/graph.def"
#undef ASK
#undef ACT

at_act:
    x->trace = (struct trace){ answers, (uint16_t)at };
    (void)(f == FLOW_WAIT || ALWAYS(graph_may_stop(at, x->verdict.why)));
    return f;
at_edge:
    x->trace = (struct trace){ answers, (uint16_t)at };
    return STOP(x, end, 0);
}
