#include "res/file/variant.h"

#include "http/coding.h"
#include "http/language.h"

/* The offset of the last dot of a name, or its length. */
static size_t last_dot(struct span name)
{
    const char *dot = name.n > 0 ? memrchr(name.p, '.', name.n) : NULL;

    return dot != NULL ? (size_t)(dot - name.p) : name.n;
}

static bool is_coding(struct span suffix)
{
    for (enum coding i = 0; i < CODINGS; i++)
        if (suffix.n > 0 && span_is_nocase(coding_info(i)->file_suffix, suffix))
            return true;
    return false;
}

static bool is_language(struct span text)
{
    return language_is_tag(text) && (text.n == 2 || span_find(text, '-') != text.n);
}

bool file_variant_typed(const struct media_types *types, struct span name)
{
    size_t dot = last_dot(name);

    if (dot == name.n || dot + 1 == name.n || is_coding(span_from(name, dot)))
        return false;
    return media_type_find(types, name) != media_type_find(types, (struct span){ 0 });
}

struct span file_variant_language(const struct media_types *types, struct span name)
{
    struct span stem = { name.p, last_dot(name) };
    size_t dot = last_dot(stem);

    if (!file_variant_typed(types, name) || dot == 0 || dot == stem.n || !is_language(span_from(stem, dot + 1)))
        return (struct span){ 0 };
    return span_from(stem, dot + 1);
}

/* The name without its language and type, or without its language alone. */
static bool is_stem(struct span asked, struct span name, size_t stem_bytes)
{
    return stem_bytes > 0 && span_is(asked, (struct span){ name.p, stem_bytes });
}

bool file_variant_fits(const struct media_types *types, struct span asked, struct span name)
{
    size_t type_at = last_dot(name);
    struct span language = file_variant_language(types, name);
    size_t stem = language.n > 0 ? type_at - language.n - 1 : type_at;

    if (!file_variant_typed(types, name))
        return false;
    if (!file_variant_typed(types, asked))
        return is_stem(asked, name, stem) || is_stem(asked, name, type_at);
    return language.n > 0 && span_ends(asked, span_from(name, type_at)) &&
           is_stem((struct span){ asked.p, last_dot(asked) }, name, stem);
}
