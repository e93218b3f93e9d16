#include "http/token.h"
#include "res/gateway/gateway_impl.h"

/* The value of a parameter of the query, as sent; p == NULL: it is not there. */
static struct span query_value(struct span query, struct span name)
{
    while (query.n > 0) {
        size_t n = span_find(query, '&');
        struct span pair = { query.p, n };
        size_t equals = span_find(pair, '=');

        if (span_is((struct span){ pair.p, equals }, name))
            return equals < n ? span_from(pair, equals + 1) : (struct span){ pair.p + n, 0 };
        query = span_from(query, n < query.n ? n + 1 : n);
    }
    return (struct span){ 0 };
}

/* The first line of that name; p == NULL: there is none. */
static struct span field_value(const struct exchange *x, struct span name)
{
    const struct head *head = &x->req.head;
    enum field_id id = field_find(name);
    const struct field *f = id != FIELD_OTHER ? head_field(head, id) : NULL;

    for (uint16_t i = 0; id == FIELD_OTHER && f == NULL && i < head->count; i++)
        if (span_is_nocase(head->fields[i].name, name))
            f = &head->fields[i];
    return f != NULL ? f->value : (struct span){ 0 };
}

static struct span looked_at(const struct exchange *x, const struct gateway_choice *c)
{
    switch (c->key) {
    case GATEWAY_FIELD:
        return field_value(x, c->name);
    case GATEWAY_QUERY:
        return query_value(x->req.target.query, c->name);
    default:
        return x->req.head.method_name;
    }
}

static bool holds(const struct exchange *x, const struct gateway_choice *c)
{
    struct span found;

    if (c->key == GATEWAY_CLIENT)
        return address_in(&c->client, (const struct sockaddr *)x->peer.p);
    found = looked_at(x, c);
    if (found.p == NULL || c->value.p == NULL)
        return found.p != NULL;
    return c->begins ? span_starts(found, c->value) : span_is(found, c->value);
}

uint32_t gateway_choose(struct exchange *x, const struct gateway_settings *s)
{
    for (uint32_t i = 0; i < s->choice_count; i++)
        if (holds(x, &s->choices[i]))
            return s->choices[i].group;
    return s->group;
}

/* FNV-1a; never 0, which means that nothing decides. */
static uint64_t hash(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ at[i]) * UINT64_C(0x100000001b3);
    return h != 0 ? h : 1;
}

uint64_t gateway_hash(struct exchange *x, const struct upstream_group *group)
{
    uint8_t key[ADDRESS_KEY_BYTES];
    struct span value;

    if (group->balance == BALANCE_CLIENT) {
        address_key((const struct sockaddr *)x->peer.p, key);
        return hash(key, sizeof key);
    }
    if (group->balance != BALANCE_FIELD)
        return 0;
    value = field_value(x, group->balance_field);
    return value.n > 0 ? hash(value.p, value.n) : 0;
}
