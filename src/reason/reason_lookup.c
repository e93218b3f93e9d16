#include "reason/reason_lookup.h"

#include <stddef.h>

struct other {
    enum reason why;
    enum dialect dialect; /* DIALECTS: `vendor` has none */
    const char *vendor;
    int wire, detail;
};

struct source {
    const char *vendor;
    int wire, wire_last, detail, detail_last;
    const char *document, *place;
};

static const struct other others[] = {
#define ALSO(reason, dialect, wire, detail) { R_##reason, DIALECT_##dialect, NULL, (wire), (detail) },
#define OTHER(reason, vendor, number)       { R_##reason, DIALECTS, (vendor), (number), -1 },
#include "reason/others.def"
#undef ALSO
#undef OTHER
};

static const struct source sources[] = {
#define SOURCE(...) { __VA_ARGS__ },
#include "reason/sources.def"
#undef SOURCE
};

enum {
    OTHERS = sizeof(others) / sizeof(others[0]),
    SOURCES = sizeof(sources) / sizeof(sources[0]),
    COLUMN = R_COUNT - R_MORE - 1, /* reasons in one dialect */
    CELLS = COLUMN * DIALECTS
};

/* 1 to 4 digits at the start of *s, which is moved behind them; -1 when there are none or more. */
static int take_number(struct span *s)
{
    int value = 0;
    size_t n = 0;

    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
        if (n == 4)
            return -1;
        value = value * 10 + (s->p[n] - '0');
    }
    *s = span_from(*s, n);
    return n > 0 ? value : -1;
}

bool reason_lookup_parse(struct span text, struct reason_lookup *out)
{
    size_t colon = span_find(text, ':');

    *out = (struct reason_lookup){ .sub = -1 };
    if (colon == 0)
        return false;
    if (colon < text.n) {
        out->vendor = (struct span){ text.p, colon };
        text = span_from(text, colon + 1);
    }
    out->number = take_number(&text);
    if (out->number <= 0)
        return false;
    if (text.n > 0 && text.p[0] == '.') {
        text = span_from(text, 1);
        out->sub = take_number(&text);
        if (out->sub < 0)
            return false;
    }
    return text.n == 0;
}

/* Is `asked` a name of `vendor`, which may be "a/b"? */
static bool vendor_is(struct span asked, const char *vendor)
{
    struct span left = span_of(vendor);

    if (span_is_nocase(asked, left))
        return true;
    for (;;) {
        size_t n = span_find(left, '/');

        if (span_is_nocase(asked, (struct span){ left.p, n }))
            return true;
        if (n == left.n)
            return false;
        left = span_from(left, n + 1);
    }
}

static bool vendor_fits(struct span asked, const char *vendor)
{
    if (asked.n == 0 || vendor_is(asked, vendor))
        return true;
    return span_is_nocase(asked, SPAN("arr")) && vendor == dialect_name(DIALECT_IIS);
}

static bool number_fits(const struct reason_lookup *l, const struct reason_number *n)
{
    bool sub_status = n->vendor == dialect_name(DIALECT_IIS);

    if (l->sub >= 0 && (!sub_status || n->detail != l->sub))
        return false;
    return l->number == 0 || l->number == n->wire || (!sub_status && l->number == n->detail);
}

/* What reason_code() answers, with the detail as the public knows it. */
static struct reason_number number_of_cell(unsigned at)
{
    enum dialect d = at / COLUMN;
    enum reason r = R_MORE + 1 + at % COLUMN;
    struct code c = reason_code(r, d);
    int detail = c.detail == 0 ? -1 : d == DIALECT_IIS ? c.detail - 1 : c.detail;

    return (struct reason_number){ r, dialect_name(d), c.wire, detail, true };
}

static struct reason_number number_of_other(unsigned at)
{
    const struct other *o = &others[at];
    const char *vendor = o->dialect < DIALECTS ? dialect_name(o->dialect) : o->vendor;

    return (struct reason_number){ o->why, vendor, o->wire, o->detail, false };
}

/* A cell that repeats the RFC's number says nothing new, unless this dialect was asked for. */
static bool repeats(const struct reason_lookup *l, unsigned at)
{
    enum dialect d = at / COLUMN;

    return l->vendor.n == 0 && d != DIALECT_RFC && !reason_differs(R_MORE + 1 + at % COLUMN, d);
}

bool reason_lookup_next(struct reason_lookup *l, struct reason_number *out)
{
    while (l->next < CELLS + OTHERS) {
        unsigned at = l->next++;

        if (at < CELLS && repeats(l, at))
            continue;
        *out = at < CELLS ? number_of_cell(at) : number_of_other(at - CELLS);
        if ((l->why == R_NONE || l->why == out->why) && vendor_fits(l->vendor, out->vendor) && number_fits(l, out))
            return true;
    }
    return false;
}

static bool source_covers(const struct source *s, const struct reason_number *n)
{
    return strcmp(s->vendor, n->vendor) == 0 && n->wire >= s->wire && n->wire <= s->wire_last &&
           n->detail >= s->detail && n->detail <= s->detail_last;
}

const char *reason_lookup_source(const struct reason_number *n, const char **place_out)
{
    for (size_t i = 0; i < SOURCES; i++) {
        if (!source_covers(&sources[i], n))
            continue;
        if (place_out != NULL)
            *place_out = sources[i].place;
        return sources[i].document;
    }
    return NULL;
}
