#include "serve/config_impl.h"

void config_listen_read(struct config_builder *b, const struct config_value *v, struct config_listen *out)
{
    uint32_t most = v->node->kind == YAML_LIST ? v->node->count : 1;
    struct config_report *r = &b->report;

    *out = (struct config_listen){ arena_zero(b->memory, most * sizeof *out->all),
                                   arena_zero(r->arena, most * sizeof(void *)), 0 };
    if (out->all == NULL || out->at == NULL)
        return;
    for (const struct yaml_node *n = NULL; (n = config_text_next(v->node, n)) != NULL;) {
        struct address address;
        const char *why = "";

        if (address_parse(n->text, &address, &why) != 0) {
            config_complain(r, n, "%s: %s", config_quote(r, n->text), why);
            continue;
        }
        for (uint32_t i = 0; i < out->count; i++)
            if (strcmp(out->all[i], address.text) == 0)
                config_complain(r, n, "%s is here twice", config_quote(r, n->text));
        out->at[out->count] = n;
        out->all[out->count++] = arena_copy(b->memory, span_of(address.text)).p;
    }
}

static bool is_any_port(const struct address *a)
{
    return a->socket.ss_family != AF_UNIX && span_ends(span_of(a->text), SPAN(":0"));
}

bool config_listen_has(const char *const *listen, uint32_t count, const struct address *a)
{
    for (uint32_t i = 0; i < count && !is_any_port(a); i++) {
        struct address other;
        const char *why;

        if (address_parse(span_of(listen[i]), &other, &why) == 0 && strcmp(other.text, a->text) == 0)
            return true;
    }
    return false;
}

void config_listen_one(struct config_builder *b, const struct yaml_node *at, const char *who, const char *text,
                       struct config_listen *out)
{
    struct address address;
    const char *why = "";

    *out = (struct config_listen){ arena_zero(b->memory, sizeof *out->all), arena_zero(b->report.arena, sizeof(void *)),
                                   0 };
    if (address_parse(span_of(text), &address, &why) != 0) {
        config_complain(&b->report, at, "%s: %s: %s", who, config_quote(&b->report, span_of(text)), why);
    } else if (out->all != NULL && out->at != NULL) {
        out->at[0] = at;
        out->all[out->count++] = arena_copy(b->memory, span_of(address.text)).p;
    }
}

const struct address_range *config_ranges_read(struct config_builder *b, const struct config_value *v,
                                               uint32_t *count_out)
{
    uint32_t most = v->node->kind == YAML_LIST ? v->node->count : 1;
    struct address_range *ranges = arena_zero(b->memory, most * sizeof *ranges);
    uint32_t count = 0;

    for (const struct yaml_node *n = NULL; ranges != NULL && (n = config_text_next(v->node, n)) != NULL;) {
        const char *why = "";

        if (address_range_parse(n->text, &ranges[count], &why) == 0)
            count++;
        else
            config_complain(&b->report, n, "%s: %s", config_quote(&b->report, n->text), why);
    }
    *count_out = count;
    return ranges;
}

/* As the resolver takes them: with commas between. */
static const char *servers_read(struct config_builder *b, const struct config_value *v)
{
    struct span all = { 0 };

    for (const struct yaml_node *n = NULL; (n = config_text_next(v->node, n)) != NULL;) {
        struct address address;
        const char *why = "";

        if (address_parse(n->text, &address, &why) != 0) {
            config_complain(&b->report, n, "%s: %s", config_quote(&b->report, n->text), why);
        } else if (address.socket.ss_family == AF_UNIX || is_any_port(&address)) {
            config_complain(&b->report, n, "%s is no name server: write it as in 192.0.2.53:53",
                            config_quote(&b->report, n->text));
        } else {
            struct span parts[] = { all, all.n > 0 ? SPAN(",") : (struct span){ 0 }, span_of(address.text) };

            all = arena_join(b->memory, parts, 3);
        }
    }
    return all.p;
}

void config_resolver_read(struct config_builder *b, const struct yaml_node *node)
{
    struct resolver_settings *resolver = &b->config->resolver;
    struct config_value v[CONFIG_KEYS] = { 0 };

    if (!config_map_read(&b->report, MAP_resolver, node, v))
        return;
    if (v[KEY_resolver_servers].good)
        resolver->servers = servers_read(b, &v[KEY_resolver_servers]);
    resolver->timeout_ms = (uint32_t)v[KEY_resolver_timeout].number;
    resolver->tries = (uint32_t)v[KEY_resolver_tries].number;
}
