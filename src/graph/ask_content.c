#include "graph/graph.h"

bool ask_has_content(const struct exchange *x)
{
    return x->req.has_content;
}

bool ask_length_given(const struct exchange *x)
{
    return x->req.length_known || !x->policy->length_required;
}

bool ask_content_fits(const struct exchange *x)
{
    return !x->req.length_known || x->req.length <= x->policy->content_limit_bytes;
}

/* Only content that is kept as it came must be whole and uncoded. */
bool ask_content_stored(const struct exchange *x)
{
    return x->req.head.method == M_PUT;
}

bool ask_content_coding_plain(const struct exchange *x)
{
    const struct field *f = head_field(&x->req.head, FIELD_CONTENT_ENCODING);

    return f == NULL ||
           (!head_repeated(&x->req.head, FIELD_CONTENT_ENCODING) && span_is_nocase(f->value, SPAN("identity")));
}

bool ask_content_whole(const struct exchange *x)
{
    return !request_has(x, FIELD_CONTENT_RANGE);
}
