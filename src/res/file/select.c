/*
 * Which of the variants? The quality of each is that of its type times that of its language (RFC9110:12.1 leaves the
 * rule to the server). Equal: the default language, then the shortest, then the first by name. The same order, without
 * the qualities, gives the default variant, which is sent when nothing fits and the route is lenient.
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

static bool is_default_language(const struct wishes *w, const struct file_variant *v)
{
    return w->default_language != NULL && language_is(v->language, span_of(w->default_language));
}

/* Of equal quality: is a to be preferred? They are in the order of their names. */
static bool is_before(const struct wishes *w, const struct file_variant *a, const struct file_variant *b)
{
    bool a_default = is_default_language(w, a);

    if (a_default != is_default_language(w, b))
        return a_default;
    return a->files[CODING_IDENTITY].length < b->files[CODING_IDENTITY].length;
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

enum flow file_select(struct exchange *x)
{
    struct file_entry *e = file_state(x)->entry;
    struct wishes w = { .default_language = file_settings(x)->default_language };
    unsigned quality;

    if (!e->negotiates)
        return FLOW_GO;
    w.accept = request_field(x, FIELD_ACCEPT);
    w.accept_language = request_field(x, FIELD_ACCEPT_LANGUAGE);
    file_state(x)->variant = choose(&w, e, &quality);
    x->facts.acceptable = quality > 0;
    x->facts.variant_negotiates = file_state(x)->variant->negotiates;
    return FLOW_GO;
}
