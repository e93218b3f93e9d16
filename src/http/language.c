#include "http/language.h"

/* A tag in pieces; those it does not have are empty. */
struct subtags {
    struct span language, script, region, rest;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all(struct span s, bool (*is)(char))
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is(s.p[i]))
            return false;
    }
    return true;
}

static bool is_letter_or_digit(char c)
{
    return is_letter(c) || is_digit(c);
}

static bool is_script(struct span s)
{
    return s.n == 4 && all(s, is_letter);
}

static bool is_region(struct span s)
{
    return (s.n == 2 && all(s, is_letter)) || (s.n == 3 && all(s, is_digit));
}

static bool is_variant(struct span s)
{
    return ((s.n >= 5 && s.n <= 8) || (s.n == 4 && is_digit(s.p[0]))) && all(s, is_letter_or_digit);
}

/* The first subtag of s; `is` NULL takes any. Empty, and s unchanged, when it is not the kind wanted. */
static struct span subtag_take(struct span *s, bool (*is)(struct span))
{
    struct span subtag = { s->p, span_find(*s, '-') };

    if (is != NULL && !is(subtag))
        return (struct span){ NULL, 0 };
    *s = span_from(*s, subtag.n < s->n ? subtag.n + 1 : subtag.n);
    return subtag;
}

static struct span chinese_script(struct span region)
{
    static const struct span traditional[] = { SPAN_INIT("TW"), SPAN_INIT("HK"), SPAN_INIT("MO") };
    static const struct span simplified[] = { SPAN_INIT("CN"), SPAN_INIT("SG"), SPAN_INIT("MY") };

    for (size_t i = 0; i < 3; i++) {
        if (span_is_nocase(region, traditional[i]))
            return SPAN("Hant");
        if (span_is_nocase(region, simplified[i]))
            return SPAN("Hans");
    }
    return (struct span){ NULL, 0 };
}

static struct subtags tag_split(struct span tag)
{
    struct subtags t;

    t.language = subtag_take(&tag, NULL);
    t.script = subtag_take(&tag, is_script);
    t.region = subtag_take(&tag, is_region);
    t.rest = tag;
    if (t.script.n == 0 && span_is_nocase(t.language, SPAN("zh")))
        t.script = chinese_script(t.region);
    return t;
}

bool language_is_tag(struct span text)
{
    struct span rest = text, language;

    if (text.n == 0 || text.n > LANGUAGE_TAG_BYTES || text.p[text.n - 1] == '-')
        return false;
    language = subtag_take(&rest, NULL);
    if (language.n < 2 || language.n > 3 || !all(language, is_letter))
        return false;
    (void)subtag_take(&rest, is_script);
    (void)subtag_take(&rest, is_region);
    while (rest.n > 0) {
        if (subtag_take(&rest, is_variant).n == 0)
            return false;
    }
    return true;
}

/* Notes which side says more about one piece; both, when each says something else. */
static void piece_compare(struct span range, struct span tag, bool *range_more, bool *tag_more)
{
    if (span_is_nocase(range, tag))
        return;
    if (range.n > 0)
        *range_more = true;
    if (tag.n > 0)
        *tag_more = true;
}

enum language_match language_match(struct span range, struct span tag)
{
    struct subtags r = tag_split(range), t = tag_split(tag);
    bool range_more = false, tag_more = false;

    if (r.language.n == 0 || !span_is_nocase(r.language, t.language))
        return LANGUAGE_OTHER;
    if (r.script.n > 0 && t.script.n > 0 && !span_is_nocase(r.script, t.script))
        return LANGUAGE_OTHER;
    piece_compare(r.script, t.script, &range_more, &tag_more);
    piece_compare(r.region, t.region, &range_more, &tag_more);
    piece_compare(r.rest, t.rest, &range_more, &tag_more);
    if (range_more && tag_more)
        return LANGUAGE_NEAR;
    return range_more ? LANGUAGE_LOOKUP : tag_more ? LANGUAGE_FILTER : LANGUAGE_SAME;
}
