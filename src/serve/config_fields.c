#include "http/field.h"
#include "http/token.h"
#include "serve/config_impl.h"

_Static_assert(HINTS_MAX == 16, "as many as the key early_hints takes");
_Static_assert(READY_FIELDS == 16, "as many as the key headers takes");

/* The server makes these itself, from what it knows better; a second line would contradict the first. */
static const enum field_id own_fields[] = {
    FIELD_DATE,
    FIELD_SERVER,
    FIELD_CONTENT_LENGTH,
    FIELD_CONTENT_TYPE,
    FIELD_CONTENT_RANGE,
    FIELD_CONTENT_ENCODING,
    FIELD_CONTENT_LANGUAGE,
    FIELD_CONTENT_LOCATION,
    FIELD_ACCEPT_RANGES,
    FIELD_ALLOW,
    FIELD_ETAG,
    FIELD_LAST_MODIFIED,
    FIELD_LOCATION,
    FIELD_RETRY_AFTER,
    FIELD_TRAILER,
};
static const struct span own_names[] = { SPAN_INIT("Verdict"), SPAN_INIT("X-Content-Type-Options") };

static bool is_own(struct span name)
{
    enum field_id id = field_find(name);

    for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++)
        if (span_is_nocase(name, own_names[i]))
            return true;
    for (size_t i = 0; i < sizeof own_fields / sizeof own_fields[0]; i++)
        if (id == own_fields[i])
            return true;
    return field_info(id)->hop;
}

static bool name_good(struct config_report *r, const struct yaml_node *map, const struct yaml_node *key)
{
    if (key->text.n == 0 || token_span(key->text, TOKEN_NAME) < key->text.n) {
        config_complain(r, key, "%s is no field name: letters, digits and hyphens", config_quote(r, key->text));
        return false;
    }
    if (is_own(key->text)) {
        config_complain(r, key, "%s is not for you to set: the server makes it where it belongs",
                        config_quote(r, key->text));
        return false;
    }
    for (const struct yaml_node *k = map->first; k != key; k = k->next)
        if (span_is_nocase(k->text, key->text)) {
            config_complain(r, key, "%s is here twice: give it a list of values", config_quote(r, key->text));
            return false;
        }
    return true;
}

static bool value_good(struct config_report *r, const struct yaml_node *key, const struct yaml_node *value)
{
    if (value->kind != YAML_TEXT || value->text.n == 0)
        config_complain(r, value, "%s takes a text, or a list of texts", config_quote(r, key->text));
    else if (token_span(value->text, TOKEN_VALUE) < value->text.n)
        config_complain(r, value, "%s has a control character, which no field value may have",
                        config_quote(r, value->text));
    else if (span_trim(value->text).n < value->text.n)
        config_complain(r, value, "%s begins or ends with white space, which is no part of a field value",
                        config_quote(r, value->text));
    else
        return true;
    return false;
}

static bool count_good(struct config_report *r, const struct yaml_node *node)
{
    uint64_t most = config_key_info(KEY_route_headers).max, count = 0;

    for (const struct yaml_node *key = node->first; key != NULL; key = key->next)
        count += key->value->kind == YAML_LIST ? key->value->count : 1;
    if (count > most)
        config_complain(r, node, "%u fields are too many: at most %u", (unsigned)count, (unsigned)most);
    return count <= most;
}

static void fields_keep(struct config_builder *b, const struct reply_field *fields, uint32_t count, struct route *route)
{
    void *room = arena_take(b->memory, ready_fields_bytes(fields, count));

    if (room != NULL)
        ready_fields_write(&route->fields, fields, count, room);
}

void config_fields_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct reply_field fields[READY_FIELDS];
    uint32_t count = 0;

    if (!count_good(&b->report, node))
        return;
    for (const struct yaml_node *key = node->first; key != NULL; key = key->next) {
        if (!name_good(&b->report, node, key))
            continue;
        for (const struct yaml_node *v = NULL; (v = config_text_next(key->value, v)) != NULL;)
            if (value_good(&b->report, key, v))
                fields[count++] = (struct reply_field){ key->text, v->text };
    }
    if (count > 0)
        fields_keep(b, fields, count, route);
}

const struct span *config_texts_read(struct config_builder *b, const struct config_value *v,
                                     const char *(*fault)(struct span text), uint16_t *count_out)
{
    uint32_t most = v->node->kind == YAML_LIST ? v->node->count : 1;
    struct span *texts = arena_zero(b->memory, most * sizeof *texts);
    uint16_t count = 0;

    for (const struct yaml_node *n = NULL; texts != NULL && (n = config_text_next(v->node, n)) != NULL;) {
        const char *why = fault(n->text);

        if (why != NULL)
            config_complain(&b->report, n, "%s %s", config_quote(&b->report, n->text), why);
        else
            texts[count++] = arena_copy(b->memory, n->text);
    }
    *count_out = count;
    return count > 0 ? texts : NULL;
}

/* A URI reference in angle brackets, and parameters. RFC8288:3 */
static const char *link_fault(struct span text)
{
    size_t end = span_find(text, '>');
    struct span uri = text.p[0] == '<' && end < text.n ? (struct span){ text.p + 1, end - 1 } : (struct span){ 0 };

    if (uri.n == 0 || token_span_escaped(uri, TOKEN_URI) < uri.n || token_span(text, TOKEN_VALUE) < text.n)
        return "is no value of Link: such as </style.css>; rel=preload; as=style";
    return NULL;
}

void config_site_hints_read(struct config_builder *b, const struct config_value v[])
{
    const struct config_value *hints = &v[KEY_site_early_hints];

    b->site_hints = NULL;
    b->site_hint_count = 0;
    if (hints->good)
        b->site_hints = config_texts_read(b, hints, link_fault, &b->site_hint_count);
}

void config_hints_read(struct config_builder *b, const struct config_value v[], struct route *route)
{
    const struct config_value *hints = &v[KEY_route_early_hints], *h1 = &v[KEY_route_early_hints_h1];

    if (hints->good)
        route->policy.hints = config_texts_read(b, hints, link_fault, &route->policy.hint_count);
    route->policy.hints_h1 = h1->number == 1;
    route->policy.site_hints = b->site_hints;
    route->policy.site_hint_count = b->site_hint_count;
    if (h1->node != NULL && hints->node == NULL && b->site_hint_count == 0)
        config_complain(&b->report, h1->node,
                        "\"early_hints_h1\" goes only with \"early_hints\", which this route has not");
}
