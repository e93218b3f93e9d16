#include <ctype.h>

#include "http/host.h"
#include "http/token.h"
#include "serve/config_impl.h"

/* Those whom routes can hand requests on to. */

static bool name_good(struct config_builder *b, const struct config_value *v, uint32_t before)
{
    const struct config_upstream *all = b->config->upstreams;

    for (size_t i = 0; i < v->text.n; i++)
        if (!isalnum((unsigned char)v->text.p[i]) && strchr("._-", v->text.p[i]) == NULL) {
            config_complain(&b->report, v->node,
                            "%s is no name of an upstream: letters, digits, dots, hyphens and underscores",
                            config_quote(&b->report, v->text));
            return false;
        }
    for (uint32_t i = 0; i < before; i++)
        if (span_is(all[i].group.name, v->text)) {
            config_complain(&b->report, v->node, "upstream %s is here twice: the first is in line %u",
                            config_quote(&b->report, v->text), all[i].line);
            return false;
        }
    return true;
}

/* A key that only another one gives its meaning. */
static void goes_with(struct config_builder *b, const struct config_value *v, const char *name, bool fits,
                      const char *with)
{
    if (v->node != NULL && !fits)
        config_complain(&b->report, v->node, "\"%s\" goes only with \"%s\"", name, with);
}

static void balance_read(struct config_builder *b, const struct config_value v[], struct upstream_group *group)
{
    const struct config_value *balance = &v[KEY_upstream_balance], *field = &v[KEY_upstream_balance_field];

    group->balance = (enum upstream_balance)balance->number;
    if (balance->good && group->balance == BALANCE_FIELD && field->node == NULL)
        config_complain(&b->report, balance->node, "\"balance: field\" needs \"balance_field\": which field decides");
    goes_with(b, field, "balance_field",
              balance->node == NULL ? false : !balance->good || group->balance == BALANCE_FIELD, "balance: field");
    if (!field->good)
        return;
    if (token_span(field->text, TOKEN_NAME) < field->text.n)
        config_complain(&b->report, field->node, "%s is no field name: letters, digits and hyphens",
                        config_quote(&b->report, field->text));
    group->balance_field = config_lower(b, field->text);
}

static void numbers_fill(struct config_builder *b, const struct config_value v[], struct upstream_group *group)
{
    group->connections_limit = (uint32_t)v[KEY_upstream_connections].number;
    group->queue_limit = (uint32_t)v[KEY_upstream_queue].number;
    group->queue_ms = (uint32_t)v[KEY_upstream_queue_wait].number;
    group->idle_limit = (uint32_t)v[KEY_upstream_keep].number;
    group->idle_ms = (uint32_t)v[KEY_upstream_keep_time].number;
    group->exchanges_limit = (uint32_t)v[KEY_upstream_requests_per_connection].number;
    group->connect_ms = (uint32_t)v[KEY_upstream_connect_wait].number;
    group->fails = (uint16_t)v[KEY_upstream_fails].number;
    group->fail_ms = (uint32_t)v[KEY_upstream_fail_time].number;
    group->rest_ms = (uint32_t)v[KEY_upstream_rest].number;
    group->slow_start_ms = (uint32_t)v[KEY_upstream_slow_start].number;
    group->proxy_protocol = (uint8_t)v[KEY_upstream_proxy_protocol].number;
    goes_with(b, &v[KEY_upstream_queue], "queue", v[KEY_upstream_connections].node != NULL, "connections");
    goes_with(b, &v[KEY_upstream_queue_wait], "queue_wait", v[KEY_upstream_queue].node != NULL, "queue");
}

bool config_host_read(struct config_builder *b, const struct config_value *v, struct span *out)
{
    struct host host;
    size_t bad;

    if (!v->good)
        return false;
    if (!host_parse(v->text, &host, &bad) || host.name.n == 0) {
        config_complain(&b->report, v->node, "%s is no host: write a name or an address, such as example.org:8080",
                        config_quote(&b->report, v->text));
        return false;
    }
    *out = arena_copy(b->memory, v->text);
    return true;
}

static void check_read(struct config_builder *b, const struct yaml_node *node, struct upstream_check *check)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *path = &v[KEY_check_path], *timeout = &v[KEY_check_timeout];

    if (!config_map_read(&b->report, MAP_check, node, v))
        return;
    if (path->good && (path->text.p[0] != '/' || token_span_escaped(path->text, TOKEN_URI) < path->text.n))
        config_complain(&b->report, path->node, "%s is no path to ask for: begin with /, and percent-encode",
                        config_quote(&b->report, path->text));
    if (timeout->number > v[KEY_check_interval].number)
        config_complain(&b->report, timeout->node != NULL ? timeout->node : node,
                        "\"timeout\" of a check must not be longer than \"interval\", which is %s",
                        config_number(&b->report, TYPE_TIME, v[KEY_check_interval].number));
    config_host_read(b, &v[KEY_check_host], &check->host);
    check->path = arena_copy(b->memory, path->text);
    check->interval_ms = (uint32_t)v[KEY_check_interval].number;
    check->timeout_ms = (uint32_t)timeout->number;
    check->rise = (uint16_t)v[KEY_check_rise].number;
    check->fall = (uint16_t)v[KEY_check_fall].number;
}

static bool is_bare_address(struct span text)
{
    struct address_range range;
    const char *why;

    return span_find(text, '/') == text.n && !span_starts(text, SPAN("unix:")) &&
           address_range_parse(text, &range, &why) == 0;
}

/* Whether the files are there and fit. */
static void tls_look(struct config_builder *b, const struct yaml_node *at, const struct tls_client_settings *settings)
{
    struct tls_client *client = NULL;
    char why[TLS_WHY_BYTES] = "";

    if (tls_client_new(settings, &client, why) != 0)
        config_complain(&b->report, at, "%s", why);
    tls_client_release(&client);
}

static const char *file_of(struct config_builder *b, const struct config_value *v)
{
    return v->good ? config_path(b, v->text) : NULL;
}

static void tls_fill(struct config_builder *b, const struct config_value v[], struct config_upstream *up)
{
    const struct config_value *key = &v[KEY_upstream_tls_key];
    const char *certificate = file_of(b, &v[KEY_upstream_tls_certificate]);

    up->has_tls = true;
    up->tls = (struct tls_client_settings){
        .ca = file_of(b, &v[KEY_upstream_tls_ca]),
        .certificate = certificate,
        .key = key->node != NULL ? file_of(b, key) : certificate,
        .version_min = config_tls_version(v[KEY_upstream_tls_minimum].number),
        .verify = v[KEY_upstream_tls_verify].number == 1,
        .alpn = true,
    };
}

static void security_read(struct config_builder *b, const struct yaml_node *node, struct config_upstream *up)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *ca = &v[KEY_upstream_tls_ca], *key = &v[KEY_upstream_tls_key],
                              *certificate = &v[KEY_upstream_tls_certificate], *name = &v[KEY_upstream_tls_name];
    uint32_t before = b->report.count;

    config_map_read(&b->report, MAP_upstream_tls, node, v);
    goes_with(b, key, "key", certificate->node != NULL, "certificate");
    goes_with(b, ca, "ca", !v[KEY_upstream_tls_verify].good || v[KEY_upstream_tls_verify].number == 1, "verify: on");
    tls_fill(b, v, up);
    if (name->good && !config_is_name(name->text) && !is_bare_address(name->text))
        config_complain(&b->report, name->node, "%s is no name that a certificate could be for: such as app.example",
                        config_quote(&b->report, name->text));
    else if (name->good)
        up->group.tls_name = arena_copy(b->memory, name->text);
    if (b->look == CONFIG_FILES && b->report.count == before)
        tls_look(b, node, &up->tls);
}

static void member_check(struct config_builder *b, const struct yaml_node *node, const struct config_upstream *up,
                         const struct upstream_origin *members, uint16_t count)
{
    const struct upstream_origin *now = &members[count];

    for (uint16_t i = 0; i < count; i++)
        if (span_is(members[i].text, now->text))
            config_complain(&b->report, node, "%s is here twice", config_quote(&b->report, now->text));
    if (up->has_tls && up->tls.verify && now->host.n == 0 && up->group.tls_name.n == 0)
        config_complain(&b->report, node,
                        "%s has no name that its certificate could be for: give \"tls\" of the upstream a \"name\"",
                        config_quote(&b->report, now->text));
}

/* To one upstream TLS is spoken, or it is not. */
static void scheme_check(struct config_builder *b, const struct yaml_node *node, const struct config_upstream *up,
                         enum config_scheme scheme, bool tls_said)
{
    if (up->has_tls && scheme == SCHEME_HTTP)
        config_complain(&b->report, node,
                        "%s is for plain text, and this upstream speaks TLS: say https, or make two upstreams",
                        config_quote(&b->report, node->text));
    else if (up->has_tls && !tls_said && scheme == SCHEME_NONE)
        config_complain(&b->report, node, "%s: others of this upstream have https://: write it here too",
                        config_quote(&b->report, node->text));
}

static bool says_https(const struct yaml_node *servers)
{
    for (const struct yaml_node *n = NULL; (n = config_text_next(servers, n)) != NULL;)
        if (span_starts(span_trim(n->text), SPAN("https://")))
            return true;
    return false;
}

static void members_read(struct config_builder *b, const struct yaml_node *node, bool tls_said,
                         struct config_upstream *up)
{
    uint32_t most = node->kind == YAML_LIST ? node->count : 1;
    struct upstream_origin *members = arena_zero(b->memory, most * sizeof *members);
    enum config_scheme scheme;
    uint16_t count = 0, down = 0;

    for (const struct yaml_node *n = NULL; members != NULL && (n = config_text_next(node, n)) != NULL;) {
        if (!config_origin_read(b, n, &members[count], &scheme))
            continue;
        scheme_check(b, n, up, scheme, tls_said);
        member_check(b, n, up, members, count);
        down = (uint16_t)(down + members[count++].down);
    }
    if (count > 0 && down == most)
        config_complain(&b->report, node, "all servers of this upstream are down: nobody is left to answer");
    up->group.members = members;
    up->group.count = count;
}

static void group_read(struct config_builder *b, const struct yaml_node *node, uint32_t index)
{
    struct config_upstream *up = &b->config->upstreams[index];
    struct config_value v[CONFIG_KEYS] = { 0 };
    const struct config_value *servers = &v[KEY_upstream_servers], *tls = &v[KEY_upstream_tls];

    up->line = node->line;
    up->column = node->column;
    if (!config_map_read(&b->report, MAP_upstream, node, v))
        return;
    if (v[KEY_upstream_name].good && name_good(b, &v[KEY_upstream_name], index))
        up->group.name = arena_copy(b->memory, v[KEY_upstream_name].text);
    balance_read(b, v, &up->group);
    numbers_fill(b, v, &up->group);
    up->keep_said = v[KEY_upstream_keep].node != NULL;
    if (v[KEY_upstream_check].good)
        check_read(b, v[KEY_upstream_check].node, &up->group.check);
    if (tls->good) {
        security_read(b, tls->node, up);
    } else if (servers->good && says_https(servers->node)) {
        struct config_value standard[CONFIG_KEYS] = { 0 };

        config_map_standard(MAP_upstream_tls, standard);
        tls_fill(b, standard, up);
    }
    if (servers->good)
        members_read(b, servers->node, tls->node != NULL, up);
}

void config_upstreams_read(struct config_builder *b, const struct yaml_node *list)
{
    const struct upstream_group **groups = arena_zero(b->memory, list->count * sizeof(void *));
    uint32_t count = 0;

    b->config->upstreams = arena_zero(b->memory, list->count * sizeof *b->config->upstreams);
    if (groups == NULL || b->config->upstreams == NULL)
        return;
    b->config->groups = groups;
    for (const struct yaml_node *n = list->first; n != NULL; n = n->next) {
        group_read(b, n, count);
        groups[count] = &b->config->upstreams[count].group;
        b->config->group_count = ++count;
    }
}

static struct span names_of(struct config_builder *b, struct span between)
{
    struct span all = { 0 };

    for (uint32_t i = 0; i < b->config->group_count; i++) {
        struct span parts[] = { all, all.n > 0 ? between : (struct span){ 0 }, b->config->groups[i]->name };

        all = arena_join(b->report.arena, parts, 3);
    }
    return all;
}

bool config_group_find(struct config_builder *b, const struct config_value *v, uint32_t *out)
{
    struct span names;

    for (uint32_t i = 0; v->good && i < b->config->group_count; i++)
        if (span_is(b->config->groups[i]->name, v->text)) {
            *out = i;
            return true;
        }
    if (!v->good || b->groups_unclear)
        return false;
    names = names_of(b, SPAN(", "));
    if (names.n == 0)
        config_complain(&b->report, v->node, "%s is no upstream: there are none: add \"upstreams\" at the top",
                        config_quote(&b->report, v->text));
    else
        config_complain(&b->report, v->node, "%s is no upstream: %sthere are: %.*s", config_quote(&b->report, v->text),
                        config_near(&b->report, v->text, names_of(b, SPAN(" "))), (int)names.n, names.p);
    return false;
}
