#include "http/method.h"
#include "http/token.h"
#include "serve/config_impl.h"

/* Routes that hand requests on. */

#define BIT(m)              (UINT64_C(1) << (m))
#define CONTENT_LIMIT_BYTES (UINT64_C(1) << 30)
#define PSEUDONYM_BYTES     64u

static struct span method_names(struct config_report *r)
{
    struct span all = { 0 };

    for (int m = M_UNKNOWN + 1; m < METHODS; m++) {
        struct span parts[] = { all, m > M_UNKNOWN + 1 ? SPAN(" ") : (struct span){ 0 },
                                method_info((enum method)m)->name };

        all = arena_join(r->arena, parts, 3);
    }
    return all;
}

static enum method method_read(struct config_report *r, const struct yaml_node *node)
{
    enum method method = method_find(node->text);

    if (method == M_UNKNOWN)
        config_complain(r, node, "%s is no method that is known: %swrite it in capitals, such as GET",
                        config_quote(r, node->text), config_near(r, node->text, method_names(r)));
    return method;
}

uint64_t config_methods_all(void)
{
    uint64_t methods = 0;

    for (int m = M_UNKNOWN + 1; m < METHODS; m++)
        methods |= BIT(m);
    return methods;
}

static uint64_t methods_read(struct config_builder *b, const struct config_value *v)
{
    uint64_t methods = 0;

    if (!v->good)
        return config_methods_all() & ~BIT(M_CONNECT);
    for (const struct yaml_node *n = NULL; (n = config_text_next(v->node, n)) != NULL;) {
        enum method method = method_read(&b->report, n);

        if (method == M_CONNECT)
            config_complain(&b->report, n, "CONNECT is for forward proxies: see \"forward\"");
        else if (method != M_UNKNOWN && (methods & BIT(method)) != 0)
            config_complain(&b->report, n, "%s is here twice", config_quote(&b->report, n->text));
        methods |= method != M_UNKNOWN ? BIT(method) : 0;
    }
    return methods;
}

void config_forwards_fill(struct config_builder *b, const struct config_value v[], struct route *route)
{
    const struct config_value *limit = &v[KEY_route_content_limit];

    route->policy.forwards = true;
    route->policy.hidden_served = true;
    route->policy.methods = methods_read(b, &v[KEY_route_methods]);
    route->policy.content_limit_bytes = limit->good ? limit->number : CONTENT_LIMIT_BYTES;
}

struct h1_limits config_head_limits(uint64_t head_bytes, uint64_t field_bytes)
{
    return (struct h1_limits){ .target_bytes = (uint32_t)field_bytes,
                               .field_bytes = (uint32_t)field_bytes,
                               .head_bytes = (uint32_t)head_bytes,
                               .fields = HEAD_FIELDS_MAX };
}

bool config_pseudonym_read(struct config_builder *b, const struct config_value *v, struct span *out)
{
    *out = arena_copy(b->memory, v->text);
    if (v->text.n > PSEUDONYM_BYTES) {
        config_complain(&b->report, v->node, "%s is too long: at most %u letters", config_quote(&b->report, v->text),
                        PSEUDONYM_BYTES);
        return false;
    }
    if (token_span(v->text, TOKEN_NAME) == v->text.n)
        return true;
    config_complain(&b->report, v->node, "%s is no name for Via: letters, digits, dots and hyphens",
                    config_quote(&b->report, v->text));
    return false;
}

/* What a request must have so that the choice holds. */
static void choice_key_read(struct config_builder *b, const struct config_value v[], struct gateway_choice *choice)
{
    const struct config_value *field = &v[KEY_choice_field], *query = &v[KEY_choice_query],
                              *method = &v[KEY_choice_method], *client = &v[KEY_choice_client];
    const char *why = "";

    if (field->good && token_span(field->text, TOKEN_NAME) < field->text.n)
        config_complain(&b->report, field->node, "%s is no field name: letters, digits and hyphens",
                        config_quote(&b->report, field->text));
    if (method->good)
        method_read(&b->report, method->node);
    if (client->good && address_range_parse(client->text, &choice->client, &why) != 0)
        config_complain(&b->report, client->node, "%s: %s", config_quote(&b->report, client->text), why);
    choice->key = field->node != NULL    ? GATEWAY_FIELD
                  : query->node != NULL  ? GATEWAY_QUERY
                  : method->node != NULL ? GATEWAY_METHOD
                                         : GATEWAY_CLIENT;
    choice->name = arena_copy(b->memory, field->node != NULL ? field->text : query->text);
}

static void choice_value_read(struct config_builder *b, const struct config_value v[], struct gateway_choice *choice)
{
    const struct config_value *is = &v[KEY_choice_is], *begins = &v[KEY_choice_begins];
    const struct config_value *given = is->node != NULL ? is : begins;

    choice->begins = is->node == NULL && begins->node != NULL;
    if (is->node != NULL && begins->node != NULL)
        config_complain(&b->report, begins->node, "\"is\" says the value already: remove one of them");
    if (given->node != NULL && choice->key != GATEWAY_FIELD && choice->key != GATEWAY_QUERY)
        config_complain(&b->report, given->node, "\"%s\" goes only with \"field\" or \"query\"",
                        choice->begins ? "begins" : "is");
    if (choice->key == GATEWAY_METHOD)
        given = &v[KEY_choice_method];
    if (given->good)
        choice->value = arena_copy(b->memory, given->text);
}

static void choice_read(struct config_builder *b, const struct yaml_node *node, struct gateway_choice *choice)
{
    static const enum config_key keys[] = { KEY_choice_field, KEY_choice_query, KEY_choice_method, KEY_choice_client };
    struct config_value v[CONFIG_KEYS] = { 0 };
    unsigned count = 0;

    if (!config_map_read(&b->report, MAP_choice, node, v))
        return;
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (v[keys[i]].node != NULL && ++count > 1)
            config_complain(&b->report, v[keys[i]].node,
                            "a choice looks at one thing only: make two choices, or remove one");
    if (count == 0)
        config_complain(&b->report, node, "a choice needs one of \"field\", \"query\", \"method\" and \"client\"");
    choice_key_read(b, v, choice);
    choice_value_read(b, v, choice);
    config_group_find(b, &v[KEY_choice_upstream], &choice->group);
}

static void choices_read(struct config_builder *b, const struct yaml_node *list, struct gateway_settings *gateway)
{
    struct gateway_choice *choices = arena_zero(b->memory, list->count * sizeof *choices);

    gateway->choices = choices;
    for (const struct yaml_node *n = list->first; choices != NULL && n != NULL; n = n->next)
        choice_read(b, n, &choices[gateway->choice_count++]);
}

static void insertion_read(struct config_builder *b, const struct yaml_node *node, struct gateway_insertion *insertion)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *before = &v[KEY_insertion_before];

    if (!config_map_read(&b->report, MAP_insertion, node, v))
        return;
    if (before->good && (before->text.n < 3 || before->text.p[0] != '<' || !span_ends(before->text, SPAN(">"))))
        config_complain(&b->report, before->node, "%s is no tag: such as </body>",
                        config_quote(&b->report, before->text));
    insertion->before = arena_copy(b->memory, before->text);
    insertion->text = arena_copy(b->memory, v[KEY_insertion_text].text);
}

static void request_read(struct config_builder *b, const struct config_value v[], struct gateway_settings *gateway)
{
    const struct config_value *to = &v[KEY_gateway_to], *host = &v[KEY_gateway_host];

    if (to->good && (to->text.p[0] != '/' || span_find(to->text, '?') < to->text.n ||
                     token_span_escaped(to->text, TOKEN_URI) < to->text.n))
        config_complain(&b->report, to->node, "%s is no path: begin with /, percent-encode, and leave a query away",
                        config_quote(&b->report, to->text));
    else if (to->good)
        gateway->to = arena_copy(b->memory, to->text);
    if (span_is(host->text, SPAN("upstream")))
        gateway->host = SPAN("-");
    else if (!span_is(host->text, SPAN("keep")))
        config_host_read(b, host, &gateway->host);
    config_pseudonym_read(b, &v[KEY_gateway_name], &gateway->name);
    gateway->tells = (enum gateway_tells)v[KEY_gateway_tell].number;
}

static void numbers_fill(const struct config_value v[], struct gateway_settings *gateway)
{
    gateway->rewrites = v[KEY_gateway_rewrite].number == 1;
    gateway->upgrades = v[KEY_gateway_upgrade].number == 1;
    gateway->early_data = v[KEY_gateway_early_data].number == 1;
    gateway->attempts = (uint8_t)v[KEY_gateway_attempts].number;
    gateway->attempts_ms = (uint32_t)v[KEY_gateway_attempts_time].number;
    gateway->returns = (uint8_t)v[KEY_gateway_returns].number;
    gateway->read_ms = (uint32_t)v[KEY_gateway_read_wait].number;
    gateway->write_ms = (uint32_t)v[KEY_gateway_write_wait].number;
    gateway->response_ms = (uint32_t)v[KEY_gateway_response_wait].number;
    gateway->tunnel_ms = (uint32_t)v[KEY_gateway_tunnel_idle].number;
    gateway->buffer_request_bytes = (uint32_t)v[KEY_gateway_buffer_request].number;
    gateway->buffer_response_bytes = (uint32_t)v[KEY_gateway_buffer_response].number;
    gateway->replay_bytes = (uint32_t)v[KEY_gateway_replay].number;
    gateway->content_limit_bytes = v[KEY_gateway_response_limit].number;
    gateway->interim_most = (uint16_t)v[KEY_gateway_interim].number;
    gateway->head = config_head_limits(v[KEY_gateway_head].number, v[KEY_gateway_field].number);
    gateway->compresses = v[KEY_gateway_compress].number == 1;
}

void config_gateway_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct gateway_settings *gateway = &route->gateway;
    struct config_value v[CONFIG_KEYS] = { 0 };

    route->resource = &gateway_resource;
    *gateway = (struct gateway_settings){ .groups = b->config->groups };
    if (!config_map_read(&b->report, MAP_gateway, node, v))
        return;
    gateway->group = GATEWAY_NO_GROUP;
    config_group_find(b, &v[KEY_gateway_upstream], &gateway->group);
    if (v[KEY_gateway_upstream].node == NULL && v[KEY_gateway_choose].node == NULL)
        config_complain(&b->report, node, "a gateway needs \"upstream\", or \"choose\" with one for each choice");
    if (v[KEY_gateway_choose].good)
        choices_read(b, v[KEY_gateway_choose].node, gateway);
    request_read(b, v, gateway);
    numbers_fill(v, gateway);
    if (v[KEY_gateway_field].number >= v[KEY_gateway_head].number)
        config_complain(&b->report, node, "\"field\" must be below \"head\", which is %s",
                        config_number(&b->report, TYPE_SIZE, v[KEY_gateway_head].number));
    route->policy.serves_half_closed = v[KEY_gateway_half_closed].number == 1;
    if (v[KEY_gateway_insert].good)
        insertion_read(b, v[KEY_gateway_insert].node, &gateway->insertion);
}
