#include "graph/graph.h"

enum flow act_authenticate(struct exchange *x)
{
    return x->res->authenticate != NULL ? x->res->authenticate(x) : FLOW_GO;
}

/* The graph draws each try, since a path that came back to itself could not be told. */
enum flow act_attempt(struct exchange *x)
{
    return x->res->attempt(x);
}

enum flow act_attempt_again(struct exchange *x)
{
    return x->res->attempt(x);
}

enum flow act_attempt_last(struct exchange *x)
{
    return x->res->attempt(x);
}

enum flow act_give_up(struct exchange *x)
{
    const struct verdict *v = &forwarding_now(x->forwarding)->failed;

    if (v->why == R_upstream_exchange_failed)
        return FLOW_GO; /* to the edge that ends so: a trace could not tell the two apart */
    return exchange_stop(x, v->why, v->at, v->operand, v->where);
}

enum flow act_relay(struct exchange *x)
{
    return x->res->relay(x);
}
