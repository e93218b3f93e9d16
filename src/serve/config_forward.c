#include "http/method.h"
#include "serve/config_impl.h"

/* The listeners of a forward proxy. Whoever reaches one can act in the name of this machine, so beyond it only those do who
 * are known. */

#define CONNECT_PORT     443
#define NONCE_LIFETIME_S (5 * 60)
#define GOOD_LIFETIME_S  60

static const char listen_standard[] = "127.0.0.1:3128";

static void taken_check(struct config_builder *b, const struct yaml_node *at, const struct address *a)
{
    const struct config *c = b->config;
    const char *where = config_listen_has(c->listen, c->listen_count, a)           ? "\"listen\""
                        : config_listen_has(c->tls.listen, c->tls.listen_count, a) ? "\"listen\" of \"tls\""
                        : c->admin.listen != NULL && config_listen_has(&c->admin.listen, 1, a)
                            ? "\"listen\" of \"admin\""
                            : NULL;

    if (where != NULL)
        config_complain(&b->report, at, "forward: %s is in %s already: the proxy needs an address of its own", a->text,
                        where);
}

/* Such a range leaves nobody out. */
static bool is_everybody(const struct address_range *range)
{
    static const uint8_t ipv4[12] = { [10] = 0xFF, [11] = 0xFF };

    return range->bits == 0 || (range->bits == 8 * sizeof ipv4 && memcmp(range->bytes, ipv4, sizeof ipv4) == 0);
}

static bool leaves_some_out(const struct proxy_settings *proxy)
{
    for (uint32_t i = 0; i < proxy->client_count; i++)
        if (is_everybody(&proxy->clients[i]))
            return false;
    return true;
}

/* What is said, and wrong, has been complained of already. */
static bool is_closed(const struct config_forward *forward, const struct config_value v[])
{
    return (v[KEY_forward_clients].node != NULL && leaves_some_out(&forward->proxy)) ||
           v[KEY_forward_users].node != NULL;
}

bool config_forward_is_closed(const struct config_forward *forward)
{
    return forward->users_file != NULL || (forward->proxy.client_count > 0 && leaves_some_out(&forward->proxy));
}

static void listen_read(struct config_builder *b, const struct config_value v[], const char *option)
{
    struct config_forward *forward = &b->config->forward;
    struct config_listen listen = { 0 };

    if (v[KEY_forward_listen].good)
        config_listen_read(b, &v[KEY_forward_listen], &listen);
    if (option != NULL)
        config_listen_one(b, &config_options_node, "forward", option, &listen);
    else if (v[KEY_forward_listen].node == NULL)
        config_listen_one(b, b->forward != NULL ? b->forward : &config_options_node, "forward", listen_standard,
                          &listen);
    for (uint32_t i = 0; i < listen.count; i++) {
        struct address address;
        const char *why;

        if (address_parse(span_of(listen.all[i]), &address, &why) != 0)
            continue;
        taken_check(b, listen.at[i], &address);
        if (!address_is_local(&address) && !is_closed(forward, v))
            config_complain(&b->report, listen.at[i],
                            "forward: %s can be reached from other machines, and the proxy would serve everybody: set "
                            "forward.clients or forward.users, or listen on 127.0.0.1",
                            address.text);
    }
    forward->listen = listen.all;
    forward->listen_count = listen.count;
}

static void ports_read(struct config_builder *b, const struct config_value *v, struct proxy_settings *proxy)
{
    uint32_t most = v->good && v->node->kind == YAML_LIST ? v->node->count : 1;
    uint16_t *ports = arena_zero(b->memory, most * sizeof *ports);

    if (ports == NULL)
        return;
    proxy->ports = ports;
    if (!v->good)
        ports[proxy->port_count++] = CONNECT_PORT;
    for (const struct yaml_node *n = NULL; v->good && (n = config_text_next(v->node, n)) != NULL;)
        if (config_port_parse(n->text, &ports[proxy->port_count]))
            proxy->port_count++;
        else
            config_complain(&b->report, n, "%s is no port: a number from 1 to 65535",
                            config_quote(&b->report, n->text));
}

static bool port_range_parse(struct span text, struct port_range *out)
{
    size_t hyphen = span_find(text, '-');
    struct span last = hyphen < text.n ? span_from(text, hyphen + 1) : text;

    return config_port_parse((struct span){ text.p, hyphen }, &out->first) && config_port_parse(last, &out->last) &&
           out->first <= out->last;
}

/* As Squid has it: where HTTP is, and where nothing else is known to be. */
static const struct port_range plain_standard[] = { { 80, 80 }, { 443, 443 }, { 1025, UINT16_MAX } };

static void plain_ports_read(struct config_builder *b, const struct config_value *v, struct proxy_settings *proxy)
{
    uint32_t most = v->good && v->node->kind == YAML_LIST ? v->node->count : 1;
    struct port_range *ranges = arena_zero(b->memory, most * sizeof *ranges);

    if (ranges == NULL)
        return;
    proxy->plain_ports = v->good ? ranges : plain_standard;
    proxy->plain_port_count = v->good ? 0 : sizeof plain_standard / sizeof plain_standard[0];
    for (const struct yaml_node *n = NULL; v->good && (n = config_text_next(v->node, n)) != NULL;)
        if (port_range_parse(n->text, &ranges[proxy->plain_port_count]))
            proxy->plain_port_count++;
        else
            config_complain(&b->report, n, "%s is no port and no range of ports: such as 80, or 8000-8999",
                            config_quote(&b->report, n->text));
}

static void who_read(struct config_builder *b, const struct config_value v[], struct proxy_settings *proxy)
{
    if (v[KEY_forward_clients].good)
        proxy->clients = config_ranges_read(b, &v[KEY_forward_clients], &proxy->client_count);
    if (v[KEY_forward_allow].good)
        proxy->allowed = config_ranges_read(b, &v[KEY_forward_allow], &proxy->allowed_count);
    if (v[KEY_forward_deny].good)
        proxy->denied = config_ranges_read(b, &v[KEY_forward_deny], &proxy->denied_count);
    ports_read(b, &v[KEY_forward_ports], proxy);
    plain_ports_read(b, &v[KEY_forward_plain_ports], proxy);
}

/* Whether the file is there and fits. */
static void users_look(struct config_builder *b, const struct yaml_node *at, const char *file,
                       const struct auth_settings *auth)
{
    struct users *users = NULL;
    char why[USERS_WHY_BYTES] = "";

    if (b->look == CONFIG_FILES && auth_users_new(auth, &file, 1, &users, why) != 0)
        config_complain(&b->report, at, "%s", why);
    users_release(&users);
}

static void auth_fill(struct config_builder *b, const struct config_value v[], struct auth_settings *auth)
{
    bool digest = v[KEY_forward_digest].number == 1;

    *auth = (struct auth_settings){
        .realm = arena_copy(b->memory, v[KEY_forward_realm].text),
        .basic = !digest,
        .digest = { [DIGEST_SHA256] = digest, [DIGEST_MD5] = digest },
        .field = FIELD_PROXY_AUTHORIZATION,
        .challenge = SPAN("Proxy-Authenticate"),
        .missing = R_proxy_auth_required,
        .refused = R_proxy_credentials_refused,
        .malformed = R_proxy_credentials_malformed,
        .stale = R_proxy_nonce_stale,
        .nonce_lifetime_s = NONCE_LIFETIME_S,
        .good_lifetime_s = GOOD_LIFETIME_S,
    };
}

static void users_read(struct config_builder *b, const struct config_value v[], struct config_forward *forward)
{
    const struct config_value *users = &v[KEY_forward_users], *realm = &v[KEY_forward_realm];
    static const enum config_key companions[] = { KEY_forward_realm, KEY_forward_digest };

    for (unsigned i = 0; i < sizeof companions / sizeof companions[0]; i++)
        if (v[companions[i]].node != NULL && users->node == NULL)
            config_complain(&b->report, v[companions[i]].node, "\"%s\" goes only with \"users\"",
                            config_key_info(companions[i]).name);
    if (realm->good && (span_find(realm->text, '"') < realm->text.n || span_find(realm->text, '\\') < realm->text.n))
        config_complain(&b->report, realm->node, "%s has a quote or a backslash, which a realm does not take",
                        config_quote(&b->report, realm->text));
    if (!users->good)
        return;
    forward->users_file = config_path(b, users->text);
    auth_fill(b, v, &forward->auth);
    forward->proxy.auth = &forward->auth;
    if (forward->users_file != NULL)
        users_look(b, users->node, forward->users_file, &forward->auth);
}

static void portal_read(struct config_builder *b, const struct config_value v[], struct proxy_settings *proxy)
{
    const struct config_value *intercept = &v[KEY_forward_intercept], *portal = &v[KEY_forward_portal];

    proxy->intercepts = intercept->number == 1;
    if (portal->node != NULL && !proxy->intercepts && (intercept->node == NULL || intercept->good))
        config_complain(&b->report, portal->node, "\"portal\" goes only with \"intercept\"");
    if (proxy->intercepts && portal->node == NULL)
        config_complain(&b->report, intercept->node, "\"intercept\" needs \"portal\": where clients are let in");
    if (proxy->intercepts && v[KEY_forward_users].node != NULL)
        config_complain(&b->report, v[KEY_forward_users].node,
                        "clients that do not know of a proxy cannot log in to it: leave \"users\" or \"intercept\" "
                        "away");
    if (!portal->good)
        return;
    if ((!span_starts(portal->text, SPAN("http://")) && !span_starts(portal->text, SPAN("https://"))) ||
        config_uri_fault(portal->text) != NULL)
        config_complain(&b->report, portal->node, "%s is no URL of a portal: such as https://portal.example/",
                        config_quote(&b->report, portal->text));
    proxy->portal = arena_copy(b->memory, portal->text);
}

static uint64_t standard_of(enum config_key key)
{
    struct config_key_info info = config_key_info(key);
    struct config_value v;

    config_value_standard(&info, &v);
    return v.number;
}

static void route_fill(struct config_builder *b, const struct config_value v[], struct route *route)
{
    *route = (struct route){
        .prefix = SPAN("/"),
        .policy = b->config->policy,
        .resource = &gateway_resource,
        .gateway = { .proxy = &b->config->forward.proxy,
                     .tells = GATEWAY_TELLS_NOTHING,
                     .upgrades = true,
                     .attempts = 1,
                     .returns = 0,
                     .connect_ms = (uint32_t)v[KEY_forward_connect_wait].number,
                     .read_ms = (uint32_t)v[KEY_forward_read_wait].number,
                     .write_ms = (uint32_t)v[KEY_forward_read_wait].number,
                     .tunnel_ms = (uint32_t)v[KEY_forward_tunnel_idle].number,
                     .interim_most = (uint16_t)standard_of(KEY_gateway_interim),
                     .head = config_head_limits(standard_of(KEY_gateway_head), standard_of(KEY_gateway_field)) },
    };
    config_pseudonym_read(b, &v[KEY_forward_name], &route->gateway.name);
    route->policy.forwards = true;
    route->policy.proxies = true;
    route->policy.hidden_served = true;
    route->policy.methods = config_methods_all();
}

void config_forward_read(struct config_builder *b, const struct config_options *options)
{
    struct config_forward *forward = &b->config->forward;
    struct config_value v[CONFIG_KEYS] = { 0 };
    struct route *route = arena_zero(b->memory, sizeof *route);

    if (b->forward != NULL)
        config_map_read(&b->report, MAP_forward, b->forward, v);
    else if (options->forward)
        config_map_standard(MAP_forward, v);
    else
        return;
    if (route == NULL)
        return;
    who_read(b, v, &forward->proxy);
    users_read(b, v, forward);
    portal_read(b, v, &forward->proxy);
    listen_read(b, v, options->forward_listen);
    route_fill(b, v, route);
    forward->site = (struct site){ .is_default = true, .routes = route, .route_count = 1, .answers_all = true };
}
