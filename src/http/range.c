#include "http/range.h"

#include "base/bounded.h"
#include "http/token.h"

/* One member as it was written. */
struct range_spec {
    uint64_t first, last;
    bool has_first, has_last; /* not both false */
};

enum fit { FIT_NONE, FIT_SOME, FIT_UNWRITABLE };

/* Digits at the start of *rest, consumed; saturates. False when there are none. */
static bool number_take(struct span *rest, uint64_t *number)
{
    size_t i = 0;
    uint64_t n = 0;

    for (; i < rest->n && rest->p[i] >= '0' && rest->p[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(rest->p[i] - '0');

        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
    }
    *rest = span_from(*rest, i);
    *number = n;
    return i > 0;
}

/* int-range or suffix-range, nothing around it. RFC9110:14.1.2 */
static bool spec_parse(struct span member, struct range_spec *spec)
{
    spec->has_first = number_take(&member, &spec->first);
    if (member.n == 0 || member.p[0] != '-')
        return false;
    member = span_from(member, 1);
    spec->has_last = number_take(&member, &spec->last);
    if (member.n > 0 || (!spec->has_first && !spec->has_last))
        return false;
    return !spec->has_first || !spec->has_last || spec->first <= spec->last;
}

static enum fit spec_fit(const struct range_spec *spec, uint64_t length, struct byte_range *r)
{
    if (!spec->has_first) {
        if (spec->last == 0)
            return FIT_NONE;
        if (length == 0)
            return FIT_UNWRITABLE;
        *r = (struct byte_range){ spec->last < length ? length - spec->last : 0, length - 1 };
        return FIT_SOME;
    }
    if (spec->first >= length)
        return FIT_NONE;
    *r = (struct byte_range){ spec->first, spec->has_last && spec->last < length ? spec->last : length - 1 };
    return FIT_SOME;
}

/* `last` is below the length, so adding 1 cannot wrap. */
static bool touch(struct byte_range a, struct byte_range b)
{
    return a.first <= b.last + 1 && b.first <= a.last + 1;
}

/*
 * Put r among the `count` ranges of out, which neither overlap nor touch each other; returns the new count. One pass
 * is enough: what r joins together did not touch before, so the union touches nothing that r does not.
 */
static size_t merge(struct byte_range out[], size_t count, struct byte_range r)
{
    size_t kept = 0;
    struct byte_range *joined = NULL;

    for (size_t i = 0; i < count; i++) {
        struct byte_range old = out[i];

        if (touch(old, r) && joined != NULL) {
            joined->first = old.first < joined->first ? old.first : joined->first;
            joined->last = old.last > joined->last ? old.last : joined->last;
            continue;
        }
        out[kept] = old;
        if (touch(old, r)) {
            joined = &out[kept];
            joined->first = r.first < old.first ? r.first : old.first;
            joined->last = r.last > old.last ? r.last : old.last;
        }
        kept++;
    }
    if (joined == NULL)
        out[kept++] = r;
    return kept;
}

/* Range units are compared without regard to case. RFC9110:14.1 */
static bool unit_take(struct span *value)
{
    static const struct span unit = SPAN_INIT("bytes=");

    if (value->n < unit.n || !span_is_nocase((struct span){ value->p, unit.n }, unit))
        return false;
    *value = span_from(*value, unit.n);
    return true;
}

/* All members into out; false when the whole field is to be ignored. */
static bool members_collect(struct span list, uint64_t length, struct byte_range out[], size_t room, size_t *count)
{
    size_t members = 0;
    uint64_t unasked = length;

    *count = 0;
    for (struct span member; token_next(&list, &member); members++) {
        struct range_spec spec;
        struct byte_range r;
        enum fit fit;

        if (members == room || !spec_parse(member, &spec))
            return false;
        fit = spec_fit(&spec, length, &r);
        if (fit == FIT_UNWRITABLE || (fit == FIT_SOME && range_bytes(r) > unasked))
            return false;
        if (fit == FIT_SOME) {
            unasked -= range_bytes(r);
            *count = merge(out, *count, r);
        }
    }
    return members > 0;
}

enum range_kind range_choose(struct span value, uint64_t length, struct byte_range out[], size_t room, size_t *count)
{
    if (!unit_take(&value) || !members_collect(value, length, out, room, count)) {
        *count = 0;
        return RANGE_IGNORED;
    }
    return *count == 0 ? RANGE_UNSATISFIABLE : *count == 1 ? RANGE_ONE : RANGE_MANY;
}

size_t content_range_write(char out[CONTENT_RANGE_BYTES], struct byte_range r, uint64_t length)
{
    struct bounded b = { out, CONTENT_RANGE_BYTES, 0 };

    bounded_put(&b, SPAN("bytes "));
    bounded_put_number(&b, r.first);
    bounded_put(&b, SPAN("-"));
    bounded_put_number(&b, r.last);
    bounded_put(&b, SPAN("/"));
    bounded_put_number(&b, length);
    return b.bytes;
}

size_t content_range_write_unsatisfied(char out[CONTENT_RANGE_BYTES], uint64_t length)
{
    struct bounded b = { out, CONTENT_RANGE_BYTES, 0 };

    bounded_put(&b, SPAN("bytes */"));
    bounded_put_number(&b, length);
    return b.bytes;
}
