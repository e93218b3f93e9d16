#include "exchange/allow.h"
#include "graph/graph.h"
#include "http/path.h"

bool ask_site_known(const struct exchange *x)
{
    return x->site != NULL;
}

bool ask_site_running(const struct exchange *x)
{
    return !x->site_stopped;
}

bool ask_route_found(const struct exchange *x)
{
    return x->route != NULL;
}

/* Held back by the network, or sent on early by a proxy that says so. RFC8470:5.1 */
bool ask_replay_possible(const struct exchange *x)
{
    return x->req.early || (x->from_trusted && request_has(x, FIELD_EARLY_DATA));
}

bool ask_replay_safe(const struct exchange *x)
{
    return method_info(x->req.head.method)->safe;
}

bool ask_path_fits(const struct exchange *x)
{
    return x->req.target.path.n <= x->policy->path_limit_bytes;
}

bool ask_query_fits(const struct exchange *x)
{
    return x->req.target.query.n <= x->policy->query_limit_bytes;
}

bool ask_segments_fit(const struct exchange *x)
{
    return x->req.path.n <= x->policy->segments_limit || path_segments(x->req.path) <= x->policy->segments_limit;
}

bool ask_answer_configured(const struct exchange *x)
{
    return x->policy->answers;
}

/* Opened to a protocol, a stream asks for what an upgrade would ask for by GET, of those who may take it up. RFC8441:5 */
bool ask_method_allowed(const struct exchange *x)
{
    bool opens = x->policy->forwards && x->req.connect_protocol.n > 0;

    return exchange_methods(x, METHODS_DECIDE) >> (opens ? M_GET : x->req.head.method) & 1;
}

/* Who forwards forwards it. */
bool ask_asks_trace(const struct exchange *x)
{
    return x->req.head.method == M_TRACE && !x->policy->forwards;
}

bool ask_name_visible(const struct exchange *x)
{
    return x->policy->hidden_served || x->req.target.path_plain || path_first_hidden(x->req.path) == x->req.path.n;
}
