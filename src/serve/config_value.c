#include <inttypes.h>
#include <stdlib.h>

#include "http/token.h"
#include "serve/config_impl.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = { { "", 1 },
                                     { "B", 1 },
                                     { "KiB", UINT64_C(1) << 10 },
                                     { "MiB", UINT64_C(1) << 20 },
                                     { "GiB", UINT64_C(1) << 30 },
                                     { "TiB", UINT64_C(1) << 40 },
                                     { NULL, 1 } };
static const struct unit times[] = { { "ms", 1 },    { "", 1 },        { "s", 1000 },
                                     { "m", 60000 }, { "h", 3600000 }, { NULL, 1 } };
static const struct unit seconds[] = { { "s", 1 }, { "", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 1 } };
static const struct unit counts[] = { { "", 1 }, { NULL, 1 } };

static const struct unit *units_of(enum config_type type)
{
    switch (type) {
    case TYPE_SIZE:
        return sizes;
    case TYPE_TIME:
        return times;
    case TYPE_SECONDS:
        return seconds;
    default:
        return counts;
    }
}

/* Digits and a unit, nothing else. A number that does not fit becomes the largest one: no bound admits it. */
static bool number_parse(struct span text, const struct unit *units, uint64_t *out)
{
    size_t digits = token_span(text, TOKEN_DIGIT);
    uint64_t n = 0;
    bool over = false;

    for (size_t i = 0; i < digits; i++) {
        over = over || n > (UINT64_MAX - 9) / 10;
        n = over ? 0 : n * 10 + (uint64_t)(text.p[i] - '0');
    }
    for (; digits > 0 && units->name != NULL; units++)
        if (span_is(span_from(text, digits), span_of(units->name))) {
            *out = over || n > UINT64_MAX / units->factor ? UINT64_MAX : n * units->factor;
            return true;
        }
    return false;
}

const char *config_number(struct config_report *r, enum config_type type, uint64_t number)
{
    const struct unit *best = units_of(type);
    struct span text;

    for (const struct unit *u = best; number > 0 && u->name != NULL; u++)
        if (u->factor > best->factor && number % u->factor == 0)
            best = u;
    text = arena_print(r->arena, "%" PRIu64 "%s", number / best->factor, best->name);
    return text.p != NULL ? text.p : "";
}

static const char *number_form(enum config_type type)
{
    switch (type) {
    case TYPE_SIZE:
        return "a size: a number of bytes, or with KiB, MiB, GiB or TiB, such as 16KiB";
    case TYPE_TIME:
        return "a time: a number with ms, s, m or h, such as 10s";
    case TYPE_SECONDS:
        return "a time: a number of seconds, or with s, m, h or d, such as 10m";
    default:
        return "a number: digits only";
    }
}

static void number_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                        struct config_value *out)
{
    uint64_t n;

    if (!number_parse(node->text, units_of(key->type), &n)) {
        config_complain(r, node, "%s is not %s", config_quote(r, node->text), number_form(key->type));
    } else if (n < key->min || n > key->max) {
        config_complain(r, node, "%s is too %s: \"%s\" takes %s to %s", config_quote(r, node->text),
                        n < key->min ? "small" : "large", key->name, config_number(r, key->type, key->min),
                        config_number(r, key->type, key->max));
    } else {
        out->number = n;
        out->good = true;
    }
}

/* Index of word in the words, which are separated by spaces; -1: none. */
static int word_find(struct span words, struct span word)
{
    for (int i = 0; words.n > 0; i++) {
        struct span w = { words.p, span_find(words, ' ') };

        if (span_is(w, word))
            return i;
        words = span_from(words, w.n < words.n ? w.n + 1 : w.n);
    }
    return -1;
}

static const char *words_list(struct config_report *r, struct span words)
{
    struct span copy = arena_copy(r->arena, words);
    struct span out = { 0 };

    while (copy.n > 0) {
        struct span word = { copy.p, span_find(copy, ' ') };
        struct span parts[] = { out, out.n > 0 ? SPAN(", ") : (struct span){ 0 }, word };

        out = arena_join(r->arena, parts, 3);
        copy = span_from(copy, word.n < copy.n ? word.n + 1 : word.n);
    }
    return out.p != NULL ? out.p : "";
}

static bool word_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                      uint64_t *out)
{
    struct span words = span_of(key->allowed);
    int at = word_find(words, node->text);

    if (at >= 0) {
        *out = (uint64_t)at;
        return true;
    }
    config_complain(r, node, "%s is nothing that \"%s\" takes: %sallowed: %s", config_quote(r, node->text), key->name,
                    config_near(r, node->text, words), words_list(r, words));
    return false;
}

static void switch_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                        struct config_value *out)
{
    int at = word_find(SPAN("off on false true"), node->text);

    if (at < 0) {
        config_complain(r, node, "%s is neither on nor off, which is what \"%s\" takes", config_quote(r, node->text),
                        key->name);
        return;
    }
    out->number = (uint64_t)at & 1;
    out->good = true;
}

static bool has_control(struct span text, bool lines)
{
    for (size_t i = 0; i < text.n; i++)
        if (((uint8_t)text.p[i] < ' ' && !(lines && (text.p[i] == '\n' || text.p[i] == '\t'))) || text.p[i] == '\x7F')
            return true;
    return false;
}

static bool text_check(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node)
{
    bool prose = key->type == TYPE_PROSE;

    if (node->kind != YAML_TEXT)
        config_complain(r, node, "\"%s\" takes text here, not %s", key->name,
                        node->kind == YAML_LIST ? "a list" : "a map");
    else if (node->text.n == 0)
        config_complain(r, node, "\"%s\" has no value", key->name);
    else if (has_control(node->text, prose))
        config_complain(r, node, "%s has a control character, which \"%s\" does not take", config_quote(r, node->text),
                        key->name);
    else if (prose && node->text.n > key->max)
        config_complain(r, node, "\"%s\" is too long: at most %s", key->name, config_number(r, TYPE_SIZE, key->max));
    else
        return true;
    return false;
}

const struct yaml_node *config_text_next(const struct yaml_node *texts, const struct yaml_node *text)
{
    if (texts->kind == YAML_LIST)
        return text == NULL ? texts->first : text->next;
    return text == NULL ? texts : NULL;
}

/* A text, or a list of them, as many as the key takes. */
static void texts_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                       struct config_value *out)
{
    uint32_t count = node->kind == YAML_LIST ? node->count : 1;
    bool choices = key->type == TYPE_CHOICES;
    uint64_t at;

    out->good = true;
    if (!choices && (count < key->min || count > key->max)) {
        out->good = false;
        config_complain(r, node, "\"%s\" has %u members: it takes %u to %u", key->name, count, (unsigned)key->min,
                        (unsigned)key->max);
        return;
    }
    for (const struct yaml_node *t = NULL; (t = config_text_next(node, t)) != NULL;) {
        if (!text_check(r, key, t) || (choices && !word_read(r, key, t, &at)))
            out->good = false;
        else if (choices)
            out->number |= UINT64_C(1) << at;
    }
}

static void scalar_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                        struct config_value *out)
{
    if (!text_check(r, key, node))
        return;
    switch (key->type) {
    case TYPE_TEXT:
    case TYPE_PROSE:
        out->text = node->text;
        out->good = true;
        break;
    case TYPE_SWITCH:
        switch_read(r, key, node, out);
        break;
    case TYPE_CHOICE:
        out->good = word_read(r, key, node, &out->number);
        break;
    default:
        number_read(r, key, node, out);
        break;
    }
}

static void maps_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                      struct config_value *out)
{
    if (node->kind != YAML_LIST)
        config_complain(r, node, "\"%s\" takes a list: begin each member with \"- \"", key->name);
    else if (node->count < key->min || node->count > key->max)
        config_complain(r, node, "\"%s\" has %u members: it takes %u to %u", key->name, node->count, (unsigned)key->min,
                        (unsigned)key->max);
    else
        out->good = true;
}

static void map_check(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                      struct config_value *out)
{
    out->good = node->kind == YAML_MAP;
    if (!out->good)
        config_complain(r, node, "\"%s\" takes a map: lines of \"key: value\"", key->name);
}

void config_value_read(struct config_report *r, const struct config_key_info *key, const struct yaml_node *node,
                       struct config_value *out)
{
    config_value_standard(key, out);
    out->node = node;
    switch (key->type) {
    case TYPE_TEXTS:
    case TYPE_CHOICES:
        texts_read(r, key, node, out);
        break;
    case TYPE_MAPS:
        maps_read(r, key, node, out);
        break;
    case TYPE_MAP:
    case TYPE_FIELDS:
        map_check(r, key, node, out);
        break;
    default:
        scalar_read(r, key, node, out);
        break;
    }
}

void config_value_standard(const struct config_key_info *key, struct config_value *out)
{
    struct span text = span_of(key->standard);
    int word = word_find(span_of(key->type == TYPE_SWITCH ? "off on" : key->allowed), text);

    *out = (struct config_value){ .text = text, .number = key->standard_number };
    if ((key->type == TYPE_SWITCH || key->type == TYPE_CHOICE) && text.n > 0)
        out->number = word > 0 ? (uint64_t)word : 0;
    else if (key->type != TYPE_CHOICES && text.n > 0)
        number_parse(text, units_of(key->type), &out->number);
}
