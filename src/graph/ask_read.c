#include "graph/graph.h"
#include "http/date.h"

/* Range is defined for GET alone. RFC9110:14.2 */
bool ask_range_asked(const struct exchange *x)
{
    return x->req.head.method == M_GET && request_has(x, FIELD_RANGE) && x->res->part != NULL;
}

/* A date is strong only when it is a minute older than now. RFC9110:8.8.2.2 */
static bool date_is_current(const struct exchange *x, struct span value)
{
    int64_t since;

    return date_parse(value, x->unix_seconds, &since) && x->facts.has_modified && x->facts.modified == since &&
           since + 60 <= x->unix_seconds;
}

bool ask_if_range_holds(const struct exchange *x)
{
    const struct field *f = head_field(&x->req.head, FIELD_IF_RANGE);
    struct etag tag;

    if (f == NULL)
        return true;
    if (head_repeated(&x->req.head, FIELD_IF_RANGE))
        return false;
    if (etag_parse(f->value, &tag))
        return x->facts.has_etag && etag_equal(tag, x->facts.etag, ETAG_STRONG);
    return date_is_current(x, f->value);
}

bool ask_range_understood(const struct exchange *x)
{
    return x->range_kind != RANGE_IGNORED;
}

bool ask_range_satisfiable(const struct exchange *x)
{
    return x->range_kind != RANGE_UNSATISFIABLE;
}
