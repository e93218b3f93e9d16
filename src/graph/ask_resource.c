#include "graph/graph.h"

bool ask_asks_options(const struct exchange *x)
{
    return x->req.head.method == M_OPTIONS;
}

bool ask_condition_demanded(const struct exchange *x)
{
    return x->policy->condition_required && !method_info(x->req.head.method)->safe;
}

bool ask_condition_given(const struct exchange *x)
{
    return request_has(x, FIELD_IF_MATCH) || request_has(x, FIELD_IF_NONE_MATCH) ||
           request_has(x, FIELD_IF_UNMODIFIED_SINCE);
}

bool ask_exists(const struct exchange *x)
{
    return x->facts.exists;
}

bool ask_is_collection(const struct exchange *x)
{
    return x->facts.is_collection;
}

bool ask_slash_given(const struct exchange *x)
{
    return span_ends(x->req.path, SPAN("/"));
}

/* Only GET and HEAD survive a 301 unchanged in every client. */
bool ask_redirect_keeps_method(const struct exchange *x)
{
    return x->req.head.method != M_GET && x->req.head.method != M_HEAD;
}

bool ask_stores_on_collection(const struct exchange *x)
{
    return x->req.head.method == M_PUT;
}

bool ask_removes_collection(const struct exchange *x)
{
    return x->req.head.method == M_DELETE;
}

bool ask_has_index(const struct exchange *x)
{
    return x->facts.has_index;
}

bool ask_listing_allowed(const struct exchange *x)
{
    return x->policy->listing == LISTING_ON;
}

bool ask_would_create(const struct exchange *x)
{
    return x->req.head.method == M_PUT;
}

bool ask_was_removed(const struct exchange *x)
{
    return x->facts.was_removed;
}

bool ask_names_collection(const struct exchange *x)
{
    return span_ends(x->req.path, SPAN("/"));
}

bool ask_parent_exists(const struct exchange *x)
{
    return x->facts.parent_exists;
}

bool ask_create_guarded(const struct exchange *x)
{
    return request_has(x, FIELD_IF_MATCH);
}
