#include "http/accept.h"

#include <stdbool.h>

#include "http/language.h"
#include "http/token.h"

enum { QUALITY_MOST = 1000, PARAMETERS_MOST = 255 };

/* One member of a list that can be read. */
struct member {
    struct span name;       /* before the first semicolon */
    struct span parameters; /* after it, up to the weight */
    unsigned quality;
};

struct parameter {
    struct span name, value; /* a quoted value without its quotes, escapes left in */
};

/* How well a member suits, and what it then says. */
struct best {
    unsigned rank, quality;
    bool has_ranges;
};

/* Offset of the first semicolon outside quotes, or s.n. */
static size_t semicolon_find(struct span s)
{
    bool quoted = false;

    if (span_find(s, '"') == s.n)
        return span_find(s, ';');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (quoted && s.p[i] == '\\')
            i++;
        else if (!quoted && s.p[i] == ';')
            return i;
    }
    return s.n;
}

/* The text before the next semicolon, trimmed; *rest goes on after it. */
static struct span part_take(struct span *rest)
{
    size_t end = semicolon_find(*rest);
    struct span part = span_trim((struct span){ rest->p, end });

    *rest = span_from(*rest, end < rest->n ? end + 1 : end);
    return part;
}

static struct span unquote(struct span s)
{
    return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? (struct span){ s.p + 1, s.n - 2 } : s;
}

/* The next parameter that has a name and an equals sign. */
static bool parameter_next(struct span *rest, struct parameter *p)
{
    while (rest->n > 0) {
        struct span part = part_take(rest);
        size_t equals = span_find(part, '=');

        if (equals == 0 || equals == part.n)
            continue;
        p->name = span_trim((struct span){ part.p, equals });
        p->value = unquote(span_trim(span_from(part, equals + 1)));
        return true;
    }
    return false;
}

/* qvalue of RFC9110:12.4.2, and the lenient cases that accept.h names. */
static bool quality_parse(struct span s, unsigned *quality)
{
    size_t i = s.n > 0 && (s.p[0] == '0' || s.p[0] == '1') ? 1 : 0;
    bool whole = i == 1 && s.p[0] == '1', above_zero = false;
    unsigned thousandths = 0, unit = QUALITY_MOST / 10;

    if (s.n == 0 || (i < s.n && s.p[i] != '.') || (i == 0 && s.n < 2))
        return false;
    for (i++; i < s.n; i++, unit /= 10) {
        unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';

        if (digit > 9 || (whole && digit > 0))
            return false;
        above_zero = above_zero || digit > 0;
        thousandths += digit * unit;
    }
    *quality = whole ? QUALITY_MOST : thousandths == 0 && above_zero ? 1 : thousandths;
    return true;
}

/* Finds the weight and cuts the parameters before it; what follows it is an extension nobody uses. */
static bool weight_take(struct member *m)
{
    struct span rest = m->parameters;
    struct parameter p;

    m->quality = QUALITY_MOST;
    while (parameter_next(&rest, &p)) {
        if (span_is_nocase(p.name, SPAN("q"))) {
            m->parameters.n = (size_t)(p.name.p - m->parameters.p);
            return quality_parse(p.value, &m->quality);
        }
    }
    return true;
}

/* The next readable member. */
static bool member_next(struct span *rest, struct member *m)
{
    struct span element;

    while (token_next(rest, &element)) {
        if (span_find(element, ';') == element.n) {
            *m = (struct member){ element, { NULL, 0 }, QUALITY_MOST };
            return true;
        }
        m->name = part_take(&element);
        m->parameters = element;
        if (m->name.n > 0 && weight_take(m))
            return true;
    }
    return false;
}

static void best_update(struct best *best, unsigned rank, unsigned quality)
{
    if (rank > best->rank || (rank == best->rank && quality > best->quality)) {
        best->rank = rank;
        best->quality = quality;
    }
}

static unsigned best_quality(const struct best *best)
{
    return !best->has_ranges ? QUALITY_MOST : best->rank == 0 ? 0 : best->quality;
}

/* Does the type have the parameter? A charset it does not name may be any. */
static bool type_has(struct span type_parameters, const struct parameter *wanted)
{
    bool has_charset = false;
    struct parameter p;

    while (parameter_next(&type_parameters, &p)) {
        if (span_is_nocase(p.name, wanted->name))
            return span_is_nocase(p.value, wanted->value);
        has_charset = has_charset || span_is_nocase(p.name, SPAN("charset"));
    }
    return !has_charset && span_is_nocase(wanted->name, SPAN("charset"));
}

/* 0: a parameter is missing; else 1 + their number. */
static unsigned parameters_rank(struct span range_parameters, struct span type_parameters)
{
    unsigned count = 0;
    struct parameter p;

    while (parameter_next(&range_parameters, &p)) {
        if (!type_has(type_parameters, &p))
            return 0;
        if (count < PARAMETERS_MOST)
            count++;
    }
    return 1 + count;
}

/* 0: does not fit; 1: any type; 2: any subtype; 3: exactly. */
static unsigned range_rank(struct span range, struct span type)
{
    size_t slash = span_find(range, '/');

    if (span_is(range, SPAN("*/*")))
        return 1;
    if (slash + 2 == range.n && range.p[slash + 1] == '*')
        return type.n > slash && span_is_nocase((struct span){ range.p, slash + 1 }, (struct span){ type.p, slash + 1 })
                   ? 2
                   : 0;
    return span_is_nocase(range, type) ? 3 : 0;
}

unsigned accept_quality_media(struct span accept, struct span type)
{
    struct best best = { 0, 0, false };
    struct span type_parameters = type, type_name = part_take(&type_parameters);
    struct member m;

    while (member_next(&accept, &m)) {
        unsigned rank, with;

        if (span_find(m.name, '/') == m.name.n)
            continue;
        best.has_ranges = true;
        rank = range_rank(m.name, type_name);
        with = rank > 0 ? parameters_rank(m.parameters, type_parameters) : 0;
        if (with > 0)
            best_update(&best, rank * (PARAMETERS_MOST + 2) + with, m.quality);
    }
    return best_quality(&best);
}

/* Closeness of a range to a tag as a rank, 0 for none; *cost gets the thousandths it takes off. */
static unsigned language_rank(struct span range, struct span tag, unsigned *cost)
{
    enum language_match match;

    *cost = LANGUAGE_SAME;
    if (span_is(range, SPAN("*")))
        return 1;
    match = language_match(range, tag);
    *cost = (unsigned)(LANGUAGE_SAME - match);
    if (match == LANGUAGE_OTHER)
        return 0;
    return (unsigned)match * 256 + (match == LANGUAGE_FILTER ? (range.n < 255 ? (unsigned)range.n : 255) : 0);
}

unsigned accept_quality_language(struct span accept_language, struct span tag)
{
    struct best best = { 0, 0, false };
    struct member m;

    while (member_next(&accept_language, &m)) {
        unsigned cost, rank = language_rank(m.name, tag, &cost);
        bool excludes_nothing = m.quality == 0 && (rank / 256 == LANGUAGE_NEAR || rank / 256 == LANGUAGE_LOOKUP);

        best.has_ranges = true;
        if (rank > 0 && !excludes_nothing)
            best_update(&best, rank, m.quality > cost ? m.quality - cost : m.quality > 0 ? 1 : 0);
    }
    return best_quality(&best);
}

void accept_codings(struct span accept_encoding, unsigned quality[CODINGS])
{
    enum { UNLISTED = QUALITY_MOST + 1 };
    unsigned others = UNLISTED;
    bool listed = false;
    struct member m;

    for (unsigned i = 0; i < CODINGS; i++)
        quality[i] = UNLISTED;
    for (; member_next(&accept_encoding, &m); listed = true) {
        enum coding coding = coding_find(m.name);

        if (coding < CODINGS && (quality[coding] == UNLISTED || m.quality > quality[coding]))
            quality[coding] = m.quality;
        else if (span_is(m.name, SPAN("*")))
            others = m.quality;
    }
    for (unsigned i = 0; i < CODINGS; i++) {
        if (quality[i] == UNLISTED && others != UNLISTED)
            quality[i] = others;
        else if (quality[i] == UNLISTED)
            quality[i] = i != CODING_IDENTITY ? 0 : listed ? 1 : QUALITY_MOST;
    }
}

unsigned accept_quality_coding(struct span accept_encoding, enum coding coding)
{
    unsigned quality[CODINGS];

    accept_codings(accept_encoding, quality);
    return quality[coding];
}
