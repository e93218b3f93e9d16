#include "graph/graph.h"

bool ask_is_origin(const struct exchange *x)
{
    return !x->policy->forwards;
}

bool ask_proxies(const struct exchange *x)
{
    return x->policy->proxies;
}

bool ask_client_served(const struct exchange *x)
{
    return !x->forwarding->client_denied;
}

bool ask_client_let_in(const struct exchange *x)
{
    return !x->forwarding->client_unadmitted;
}

bool ask_destination_named(const struct exchange *x)
{
    return x->forwarding->destination_named;
}

bool ask_scheme_spoken(const struct exchange *x)
{
    return x->forwarding->scheme_spoken;
}

bool ask_port_allowed(const struct exchange *x)
{
    return x->forwarding->port_allowed;
}

bool ask_plain_port_allowed(const struct exchange *x)
{
    return !x->forwarding->plain_port_denied;
}
