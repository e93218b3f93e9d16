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
    return x->req.head.method == M_PUT && !x->policy->forwards;
}

bool ask_content_coding_plain(const struct exchange *x)
{
    const struct field *f = head_field(&x->req.head, FIELD_CONTENT_ENCODING);

    return f == NULL ||
           (!head_repeated(&x->req.head, FIELD_CONTENT_ENCODING) && span_is_nocase(f->value, SPAN("identity")));
}

/* A client of HTTP/1.1 may take an interim response for the final one: only the operator can know. RFC8297:3 */
bool ask_hints_due(const struct exchange *x)
{
    const struct head *head = &x->req.head;

    return x->policy->hint_count + x->policy->site_hint_count > 0 &&
           (head->method == M_GET || head->method == M_HEAD) &&
           (head->major > 1 || (x->policy->hints_h1 && head->minor > 0));
}

bool ask_content_whole(const struct exchange *x)
{
    return !request_has(x, FIELD_CONTENT_RANGE);
}
