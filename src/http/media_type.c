#include "http/media_type.h"

#include <stdint.h>

/*
 * One array of slots, at least half of it empty, searched from the slot the hash names to the first empty one.
 * Suffixes are kept in lower case.
 */
#define SUFFIX_BYTES 32

struct media_slot {
    struct span suffix;
    const struct media_type *type; /* NULL: empty */
    uint32_t hash;
};

struct suffix {
    char bytes[SUFFIX_BYTES];
    size_t n; /* 0: none, or too long to be one */
    uint32_t hash;
};

struct built_in {
    struct span suffix;
    struct media_type type;
};

static const struct built_in built_ins[] = {
#define CHARSET                     "; charset=utf-8"
#define LOOSE                       true
#define PACKED                      false
#define TEXT(suffix_, name_)        { SPAN_INIT(suffix_), { SPAN_INIT(name_ CHARSET), SPAN_INIT(name_), true, true } },
#define TYPE(suffix_, name_, size_) { SPAN_INIT(suffix_), { SPAN_INIT(name_), SPAN_INIT(name_), false, size_ } },
#include "http/media_types.def"
#undef TEXT
#undef TYPE
#undef LOOSE
#undef PACKED
};

enum { BUILT_INS = sizeof built_ins / sizeof built_ins[0] };

static const struct media_type unknown = { SPAN_INIT("application/octet-stream"), SPAN_INIT("application/octet-stream"),
                                           false, false };

/* Lower case and FNV-1a in one pass. */
static struct suffix suffix_make(struct span text)
{
    struct suffix s = { .n = text.n <= SUFFIX_BYTES ? text.n : 0, .hash = 2166136261u };

    for (size_t i = 0; i < s.n; i++) {
        char c = text.p[i];

        s.bytes[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
        s.hash = (s.hash ^ (unsigned char)s.bytes[i]) * 16777619u;
    }
    return s;
}

/* The slot that holds the suffix, else the empty one where it belongs. */
static size_t slot_find(const struct media_slot *slots, size_t mask, const struct suffix *s)
{
    size_t at = s->hash & mask;

    while (slots[at].type != NULL &&
           (slots[at].hash != s->hash || !span_is(slots[at].suffix, (struct span){ s->bytes, s->n })))
        at = (at + 1) & mask;
    return at;
}

/* The next line without its end and its comment. */
static struct span line_take(struct span *text)
{
    size_t end = span_find(*text, '\n');
    struct span line = { text->p, end };

    *text = span_from(*text, end < text->n ? end + 1 : end);
    line.n = span_find(line, '#');
    return line;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next word of the line; empty at its end. */
static struct span word_take(struct span *line)
{
    size_t start = 0, end;
    struct span word;

    if (line->n == 0)
        return (struct span){ NULL, 0 };
    while (start < line->n && is_blank(line->p[start]))
        start++;
    for (end = start; end < line->n && !is_blank(line->p[end]);)
        end++;
    word = (struct span){ line->p + start, end - start };
    *line = span_from(*line, end);
    return word;
}

/* restricted-name of RFC6838:4.2 */
static bool is_restricted_name(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!is_alphanumeric && (i == 0 || c == '\0' || strchr("!#$&-^_.+", c) == NULL))
            return false;
    }
    return s.n > 0;
}

/* The name goes into a field line, so nothing but a type may pass. */
static bool is_type(struct span s)
{
    size_t slash = span_find(s, '/');

    return slash < s.n && is_restricted_name((struct span){ s.p, slash }) &&
           is_restricted_name(span_from(s, slash + 1));
}

static bool is_text_type(struct span name)
{
    return name.n > 5 && span_is_nocase((struct span){ name.p, 5 }, SPAN("text/"));
}

static bool is_compressible(struct span name, bool is_text)
{
    if (is_text || span_ends(name, SPAN("+xml")) || span_ends(name, SPAN("+json")))
        return true;
    for (size_t i = 0; i < BUILT_INS; i++) {
        if (span_is_nocase(built_ins[i].type.name, name))
            return built_ins[i].type.compressible;
    }
    return false;
}

bool media_type_is_compressible(struct span content_type)
{
    struct span name = span_trim((struct span){ content_type.p, span_find(content_type, ';') });

    return is_compressible(name, is_text_type(name));
}

/* NULL when the arena is full. */
static const struct media_type *type_make(struct span name, struct arena *arena)
{
    bool is_text = is_text_type(name);
    struct span parts[] = { name, is_text ? SPAN(CHARSET) : SPAN("") };
    struct media_type *type = arena_take(arena, sizeof *type);
    struct span value = arena_join(arena, parts, 2);

    if (type == NULL || value.n == 0)
        return NULL;
    *type = (struct media_type){ value, { value.p, name.n }, is_text, is_compressible(name, is_text) };
    return type;
}

/* False when the arena is full. */
static bool slot_put(struct media_slot *slots, size_t mask, struct span suffix, const struct media_type *type,
                     struct arena *arena)
{
    struct suffix s = suffix_make(suffix);
    struct media_slot *slot = &slots[slot_find(slots, mask, &s)];

    if (s.n == 0 || span_find(suffix, '.') < suffix.n)
        return true;
    if (slot->type == NULL) {
        struct span kept = arena_copy(arena, (struct span){ s.bytes, s.n });

        if (kept.n == 0)
            return false;
        *slot = (struct media_slot){ kept, type, s.hash };
    }
    slot->type = type;
    return true;
}

static bool line_put(struct media_slot *slots, size_t mask, struct span line, struct arena *arena)
{
    struct span name = word_take(&line), suffix = word_take(&line);
    const struct media_type *type;

    if (suffix.n == 0 || !is_type(name))
        return true;
    type = type_make(name, arena);
    for (; type != NULL && suffix.n > 0; suffix = word_take(&line)) {
        if (!slot_put(slots, mask, suffix, type, arena))
            return false;
    }
    return type != NULL;
}

/* A power of two, at least twice the suffixes there can be. */
static size_t slots_needed(struct span text)
{
    size_t suffixes = BUILT_INS, slots = 1;

    while (text.n > 0) {
        struct span line = line_take(&text);

        if (word_take(&line).n == 0)
            continue;
        while (word_take(&line).n > 0)
            suffixes++;
    }
    while (slots < 2 * suffixes)
        slots *= 2;
    return slots;
}

bool media_types_load(struct media_types *table, struct span text, struct arena *arena)
{
    size_t count = slots_needed(text);
    struct media_slot *slots = arena_zero(arena, count * sizeof *slots);

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < BUILT_INS; i++) {
        if (!slot_put(slots, count - 1, built_ins[i].suffix, &built_ins[i].type, arena))
            return false;
    }
    while (text.n > 0) {
        if (!line_put(slots, count - 1, line_take(&text), arena))
            return false;
    }
    *table = (struct media_types){ slots, count - 1 };
    return true;
}

/* What follows the last dot of the last component; empty when that is all of it but the dot. */
static struct span suffix_of(struct span name)
{
    size_t at = name.n;

    while (at > 0 && name.n - at <= SUFFIX_BYTES && name.p[at - 1] != '.' && name.p[at - 1] != '/')
        at--;
    if (at < 2 || name.p[at - 1] != '.' || name.p[at - 2] == '/')
        return (struct span){ NULL, 0 };
    return span_from(name, at);
}

const struct media_type *media_type_find(const struct media_types *table, struct span file_name)
{
    struct suffix s = suffix_make(suffix_of(file_name));
    const struct media_type *type = table->slots[slot_find(table->slots, table->mask, &s)].type;

    return type != NULL ? type : &unknown;
}
