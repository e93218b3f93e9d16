#include "graph/graph.h"
#include "http/date.h"

static bool tag_listed(const struct exchange *x, enum field_id id, enum etag_comparison how)
{
    for (const struct field *f = head_field(&x->req.head, id); f != NULL; f = head_next(&x->req.head, f))
        if (etag_list_is_any(f->value) || (x->facts.has_etag && etag_in_list(f->value, x->facts.etag, how)))
            return true;
    return false;
}

static bool date_given(const struct exchange *x, enum field_id id, int64_t *out)
{
    const struct field *f = head_field(&x->req.head, id);

    return f != NULL && !head_repeated(&x->req.head, id) && date_parse(f->value, x->unix_seconds, out);
}

bool ask_is_conditional(const struct exchange *x)
{
    return request_has(x, FIELD_IF_MATCH) || request_has(x, FIELD_IF_NONE_MATCH) ||
           request_has(x, FIELD_IF_MODIFIED_SINCE) || request_has(x, FIELD_IF_UNMODIFIED_SINCE);
}

bool ask_has_if_match(const struct exchange *x)
{
    return request_has(x, FIELD_IF_MATCH);
}

bool ask_if_match_holds(const struct exchange *x)
{
    return tag_listed(x, FIELD_IF_MATCH, ETAG_STRONG);
}

/* An invalid date, or a resource without one, makes the field ignored. RFC9110:13.1.4 */
bool ask_has_if_unmodified(const struct exchange *x)
{
    int64_t since;

    return x->facts.has_modified && date_given(x, FIELD_IF_UNMODIFIED_SINCE, &since);
}

bool ask_unmodified_holds(const struct exchange *x)
{
    int64_t since;

    return date_given(x, FIELD_IF_UNMODIFIED_SINCE, &since) && x->facts.modified <= since;
}

bool ask_has_if_none_match(const struct exchange *x)
{
    return request_has(x, FIELD_IF_NONE_MATCH);
}

bool ask_if_none_match_holds(const struct exchange *x)
{
    return !tag_listed(x, FIELD_IF_NONE_MATCH, ETAG_WEAK);
}

static bool is_read(const struct exchange *x)
{
    return x->req.head.method == M_GET || x->req.head.method == M_HEAD;
}

bool ask_read_method(const struct exchange *x)
{
    return is_read(x);
}

bool ask_read_with_if_modified(const struct exchange *x)
{
    int64_t since;

    return is_read(x) && x->facts.has_modified && date_given(x, FIELD_IF_MODIFIED_SINCE, &since);
}

bool ask_changed_since(const struct exchange *x)
{
    int64_t since;

    return !date_given(x, FIELD_IF_MODIFIED_SINCE, &since) || x->facts.modified > since;
}

/* Only a PUT of just as many bytes as are there can have been made already. */
static bool may_be_same(const struct exchange *x)
{
    return x->req.head.method == M_PUT && x->res->compare != NULL && x->req.length_known &&
           x->req.length == x->facts.length;
}

bool ask_may_be_applied(const struct exchange *x)
{
    return may_be_same(x);
}

bool ask_may_be_applied_since(const struct exchange *x)
{
    return may_be_same(x);
}

bool ask_already_same(const struct exchange *x)
{
    return x->facts.content_same;
}

bool ask_already_same_since(const struct exchange *x)
{
    return x->facts.content_same;
}

bool ask_reads(const struct exchange *x)
{
    return is_read(x);
}

bool ask_removes(const struct exchange *x)
{
    return x->req.head.method == M_DELETE;
}

bool ask_was_created(const struct exchange *x)
{
    return x->facts.created;
}
