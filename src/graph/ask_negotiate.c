#include "graph/graph.h"

bool ask_negotiates(const struct exchange *x)
{
    return x->facts.negotiates;
}

bool ask_reactive(const struct exchange *x)
{
    return x->policy->negotiation == NEGOTIATE_REACTIVE;
}

bool ask_acceptable(const struct exchange *x)
{
    return x->facts.acceptable || x->policy->negotiation == NEGOTIATE_LENIENT;
}

bool ask_variant_plain(const struct exchange *x)
{
    return !x->facts.variant_negotiates;
}

bool ask_coding_acceptable(const struct exchange *x)
{
    return x->facts.coding_acceptable;
}
