#include "exchange/allow.h"

#define BIT(m) (UINT64_C(1) << (m))

static bool takes_writes(const struct exchange *x, enum methods_use use)
{
    if (x->res != NULL && x->policy->forwards)
        return true;
    return !x->facts.is_collection && !(use == METHODS_TELL && span_ends(x->req.path, SPAN("/")));
}

uint64_t exchange_methods(const struct exchange *x, enum methods_use use)
{
    uint64_t set = BIT(M_GET) | BIT(M_HEAD);

    if (x->res != NULL) {
        set = x->policy->methods & x->res->methods;
        if (x->policy->trace)
            set |= BIT(M_TRACE);
    }
    if (!takes_writes(x, use))
        set &= ~(BIT(M_PUT) | BIT(M_DELETE));
    return set | BIT(M_OPTIONS);
}

void allow_add(struct exchange *x)
{
    char text[512];
    size_t n = method_list(exchange_methods(x, METHODS_TELL), text, sizeof text);

    reply_add(x, SPAN("Allow"), arena_copy(&x->arena, (struct span){ text, n }));
}
