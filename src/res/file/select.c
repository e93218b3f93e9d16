/*
 * Which of the variants? The quality of each is that of its type times that of its language (RFC9110:12.1 leaves the
 * rule to the server). Of equal quality a language is preferred by what is known of readers, never by the size of the
 * file: the default language, English, no language, then the first by name. Within a language the shortest goes first,
 * then the first by name. When nothing fits, what was not asked for goes before what was refused.
 */
#include "http/accept.h"
#include "http/language.h"
#include "res/file/file_impl.h"

/* A variant that names no language suits everybody, but less than one that fits. */
#define NO_LANGUAGE 1

struct wishes {
    struct span accept, accept_language;
    const char *default_language;
};

static unsigned quality_of(const struct wishes *w, const struct file_variant *v, bool has_language)
{
    unsigned language = 1000;

    if (v->language.n > 0)
        language = accept_quality_language(w->accept_language, v->language);
    else if (has_language && w->accept_language.p != NULL)
        language = NO_LANGUAGE;
    return accept_quality_media(w->accept, v->type) * language;
}

/* The lower the better. */
static unsigned language_rank(const struct wishes *w, struct span language)
{
    if (w->default_language != NULL && language_is(language, span_of(w->default_language)))
        return 0;
    if (language_is(language, SPAN("en")))
        return 1;
    if (language.n > 0 && language_match(SPAN("en"), language) == LANGUAGE_FILTER)
        return 2;
    return language.n == 0 ? 3 : 4;
}

/* Of equal quality: is a to be preferred? b comes before a by name. */
static bool is_before(const struct wishes *w, const struct file_variant *a, const struct file_variant *b)
{
    unsigned a_rank = language_rank(w, a->language), b_rank = language_rank(w, b->language);

    if (a_rank != b_rank)
        return a_rank < b_rank;
    return language_is(a->language, b->language) && a->files[CODING_IDENTITY].length < b->files[CODING_IDENTITY].length;
}

static struct file_variant *choose(const struct wishes *w, struct file_entry *e, unsigned *quality_out)
{
    struct file_variant *best = e->variants;

    *quality_out = quality_of(w, best, e->has_language);
    for (uint32_t i = 1; i < e->variant_count; i++) {
        struct file_variant *v = &e->variants[i];
        unsigned quality = quality_of(w, v, e->has_language);

        if (quality > *quality_out || (quality == *quality_out && is_before(w, v, best))) {
            best = v;
            *quality_out = quality;
        }
    }
    return best;
}

/* The field with a last member for all that it does not name: what is 0 then was refused. */
static struct span widen(struct exchange *x, struct span field, struct span others)
{
    const struct span parts[] = { field, SPAN(", "), others };

    return field.p != NULL ? arena_join(&x->arena, parts, 3) : field;
}

static struct file_variant *choose_unfitting(struct exchange *x, const struct wishes *w)
{
    struct wishes wide = *w;
    unsigned quality;

    wide.accept = widen(x, w->accept, SPAN("*/*;q=0.001"));
    wide.accept_language = widen(x, w->accept_language, SPAN("*;q=0.001"));
    return choose(&wide, file_state(x)->entry, &quality);
}

static void select_variant(struct exchange *x, struct file_state *s)
{
    const struct wishes w = {
        .accept = request_field(x, FIELD_ACCEPT),
        .accept_language = request_field(x, FIELD_ACCEPT_LANGUAGE),
        .default_language = file_settings(x)->default_language,
    };
    unsigned quality;

    s->variant = choose(&w, s->entry, &quality);
    x->facts.acceptable = quality > 0;
    if (quality == 0)
        s->variant = choose_unfitting(x, &w);
    x->facts.variant_negotiates = s->variant->negotiates;
}

enum flow file_select(struct exchange *x)
{
    struct file_state *s = file_state(x);

    if (s->entry->negotiates)
        select_variant(x, s);
    return FLOW_GO;
}
