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

void config_trusted_read(struct config_builder *b, const struct config_value *v)
{
    uint32_t most = v->node->kind == YAML_LIST ? v->node->count : 1;
    struct address_range *ranges = arena_zero(b->memory, most * sizeof *ranges);

    b->config->trusted = ranges;
    for (const struct yaml_node *n = NULL; ranges != NULL && (n = config_text_next(v->node, n)) != NULL;) {
        const char *why = "";

        if (address_range_parse(n->text, &ranges[b->config->trusted_count], &why) == 0)
            b->config->trusted_count++;
        else
            config_complain(&b->report, n, "%s: %s", config_quote(&b->report, n->text), why);
    }
}
