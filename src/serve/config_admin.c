#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admission.h"
#include "http/host.h"
#include "http/method.h"
#include "http/token.h"
#include "io/address.h"
#include "serve/config_impl.h"

/*
 * The listener of the console. It tells much, so it answers to names of its own only, whatever leads to its address, and
 * beyond this machine only to those who have its token.
 */

#define BIT(m)            (UINT64_C(1) << (m))
#define TOKEN_BYTES_LEAST 16u
#define TOKEN_BYTES_MOST  1024u
#define PUBLIC_BYTES_MOST 1024u

/* Names that nobody writes into `hosts`: of the address, of `public`, of this machine. */
#define HOSTS_IMPLIED 5u

static const struct sockaddr_in *as_ipv4(const struct address *a)
{
    return (const struct sockaddr_in *)&a->socket;
}

static const struct in6_addr *as_ipv6(const struct address *a)
{
    return &((const struct sockaddr_in6 *)&a->socket)->sin6_addr;
}

/* It stands for all addresses of the machine, and is itself none. */
static bool is_wildcard(const struct address *a)
{
    if (a->socket.ss_family == AF_INET)
        return as_ipv4(a)->sin_addr.s_addr == INADDR_ANY;
    return a->socket.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(as_ipv6(a));
}

static bool address_read(struct config_builder *b, const struct yaml_node *at, struct span text, struct address *out)
{
    const char *why = "";

    if (span_is(text, SPAN("off")))
        return false;
    if (address_parse(text, out, &why) == 0)
        return true;
    config_complain(&b->report, at, "admin: %s: %s", config_quote(&b->report, text), why);
    return false;
}

static void taken_check(struct config_builder *b, const struct yaml_node *at, const struct address *a)
{
    const struct config *c = b->config;

    if (config_listen_has(c->listen, c->listen_count, a))
        config_complain(&b->report, at, "admin: %s is in \"listen\" already: the console needs an address of its own",
                        a->text);
    if (config_listen_has(c->tls.listen, c->tls.listen_count, a))
        config_complain(&b->report, at,
                        "admin: %s is in \"listen\" of \"tls\" already: the console needs an address of its own",
                        a->text);
}

static void reach_check(struct config_builder *b, const struct yaml_node *at, const struct address *a,
                        const struct config_value v[])
{
    bool has_token = v[KEY_admin_token].node != NULL || v[KEY_admin_token_file].node != NULL;
    bool has_name = v[KEY_admin_hosts].node != NULL || v[KEY_admin_public].node != NULL;

    if (!address_is_local(a) && !has_token)
        config_complain(&b->report, at,
                        "admin: %s can be reached from other machines: set admin.token, or listen on 127.0.0.1",
                        a->text);
    if (is_wildcard(a) && !has_name)
        config_complain(&b->report, at,
                        "admin: %s has no name that a request could be for: set admin.public or admin.hosts", a->text);
}

/* False: off, or not to be understood. */
static bool listen_read(struct config_builder *b, const struct config_value v[], const char *option,
                        struct address *address)
{
    const struct config_value *listen = &v[KEY_admin_listen];
    const struct yaml_node *at = option != NULL ? &config_options_node : listen->node;
    bool on = address_read(b, listen->node, listen->text, address);

    if (option != NULL)
        on = address_read(b, at, span_of(option), address);
    b->config->admin.listen_said = at != NULL;
    if (!on)
        return false;
    b->config->admin.listen = arena_copy(b->memory, span_of(address->text)).p;
    if (at != NULL)
        taken_check(b, at, address);
    reach_check(b, at, address, v);
    return true;
}

/* What is wrong is told without the token itself: complaints end up in logs. */
static void token_take(struct config_builder *b, const struct yaml_node *at, struct span text)
{
    if (token_span(text, TOKEN_VISIBLE) < text.n)
        config_complain(&b->report, at, "a token has visible characters of ASCII only, and no white space");
    else if (text.n < TOKEN_BYTES_LEAST)
        config_complain(&b->report, at, "a token of %u characters can be guessed: use at least %u", (unsigned)text.n,
                        TOKEN_BYTES_LEAST);
    else if (text.n > TOKEN_BYTES_MOST)
        config_complain(&b->report, at, "a token of %u characters is too long: at most %u", (unsigned)text.n,
                        TOKEN_BYTES_MOST);
    else
        b->config->admin.token = arena_copy(b->memory, text);
}

/* The first line. */
static struct span line_of(const char *text, size_t n)
{
    struct span line = { text, span_find((struct span){ text, n }, '\n') };

    if (span_ends(line, SPAN("\r")))
        line.n--;
    return line;
}

/* A token that everybody may read protects nothing. Opened without waiting: it may be a pipe. */
static void token_load(struct config_builder *b, const struct yaml_node *at, const char *path)
{
    char text[TOKEN_BYTES_MOST + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = -1;

    if (fd < 0 || fstat(fd, &st) != 0 || (S_ISREG(st.st_mode) && (n = read(fd, text, sizeof text)) < 0))
        config_complain(&b->report, at, "%s: %s: name a file with the token in its first line", path, strerror(errno));
    else if (n < 0)
        config_complain(&b->report, at, "%s is no file: name one with the token in its first line", path);
    else if ((st.st_mode & (S_IROTH | S_IWOTH)) != 0)
        config_complain(&b->report, at, "%s can be read or written by every user of this machine: chmod o= it", path);
    else
        token_take(b, at, line_of(text, (size_t)n));
    if (fd >= 0)
        close(fd);
    explicit_bzero(text, sizeof text);
}

static void token_read(struct config_builder *b, const struct config_value *token, const struct config_value *file)
{
    const char *path;

    if (token->node != NULL && file->node != NULL)
        config_complain(&b->report, file->node, "\"token\" is there already: remove one of them");
    if (token->good)
        token_take(b, token->node, token->text);
    else if (file->good && b->look == CONFIG_FILES && (path = config_path(b, file->text)) != NULL)
        token_load(b, file->node, path);
}

/* Why text is no URL of the console; or NULL, with the host that it names. */
static const char *public_fault(struct span text, struct span *host_out)
{
    size_t scheme = span_starts(text, SPAN("https://")) ? 8 : span_starts(text, SPAN("http://")) ? 7 : 0;
    struct span rest = span_from(text, scheme);
    struct host host;
    size_t bad;

    if (scheme == 0)
        return "is no URL of the console: such as https://example.org/verdict/";
    if (span_find(text, '?') < text.n || span_find(text, '#') < text.n)
        return "has a query or a fragment: remove it";
    if (token_span_escaped(text, TOKEN_URI) < text.n)
        return "has a byte that no URL has: percent-encode it";
    if (text.n > PUBLIC_BYTES_MOST)
        return "is too long: at most 1KiB";
    if (!host_parse((struct span){ rest.p, span_find(rest, '/') }, &host, &bad) || host.name.n == 0)
        return "names no host: such as https://example.org/verdict/";
    *host_out = host.name;
    return NULL;
}

static struct span public_read(struct config_builder *b, const struct config_value *v)
{
    struct span parts[2] = { v->text, span_ends(v->text, SPAN("/")) ? (struct span){ 0 } : SPAN("/") };
    struct span host = { 0 };
    const char *fault;

    if (!v->good)
        return host;
    fault = public_fault(v->text, &host);
    if (fault != NULL)
        config_complain(&b->report, v->node, "%s %s", config_quote(&b->report, v->text), fault);
    else
        b->config->admin.public_url = arena_join(b->memory, parts, 2);
    return host;
}

struct hosts {
    struct span *all;
    uint32_t count;
};

static void host_add(struct config_builder *b, struct hosts *hosts, struct span name)
{
    struct span lower = config_lower(b, name);

    if (span_ends(lower, SPAN("."))) /* the same name, said to be complete */
        lower.n--;
    for (uint32_t i = 0; i < hosts->count; i++)
        if (span_is(hosts->all[i], lower))
            return;
    if (lower.n > 0)
        hosts->all[hosts->count++] = lower;
}

/* As a client writes it into Host: in brackets, without the zone, which is ours alone. RFC6874:4 */
static void host_add_address(struct config_builder *b, struct hosts *hosts, const struct address *a)
{
    char text[ADDRESS_TEXT_BYTES];
    struct span host = address_print((const struct sockaddr *)&a->socket, a->len, ADDRESS_HOST, text);
    struct span parts[] = { SPAN("["), { host.p, span_find(host, '%') }, SPAN("]") };

    if (a->socket.ss_family == AF_UNIX || is_wildcard(a))
        return;
    host_add(b, hosts, span_find(host, ':') < host.n ? arena_join(b->memory, parts, 3) : host);
}

static void host_read(struct config_builder *b, struct hosts *hosts, const struct yaml_node *node)
{
    struct host host;
    size_t bad;

    if (!host_parse(node->text, &host, &bad) || span_find(node->text, '*') < node->text.n)
        config_complain(&b->report, node, "%s is no host name: write a name or an address, such as example.org",
                        config_quote(&b->report, node->text));
    else if (host.name.n < node->text.n)
        config_complain(&b->report, node, "%s: ports are not looked at: leave the port away",
                        config_quote(&b->report, node->text));
    else
        host_add(b, hosts, host.name);
}

/* Names of where it listens, not of where it would after a new start. NULL: it is off. */
static const struct address *reached_at(const struct config_options *o, const struct address *configured,
                                        struct address *stays)
{
    const char *why;

    if (o->admin_stays == NULL || address_parse(span_of(o->admin_stays), stays, &why) != 0)
        return configured;
    return stays;
}

/* address: NULL when the listener is off. */
static void hosts_read(struct config_builder *b, const struct config_value *v, struct span public_host,
                       const struct address *address)
{
    uint32_t said = v->good && v->node->kind == YAML_LIST ? v->node->count : 1;
    struct hosts hosts = { arena_zero(b->memory, (said + HOSTS_IMPLIED) * sizeof *hosts.all), 0 };

    if (hosts.all == NULL)
        return;
    if (address != NULL)
        host_add_address(b, &hosts, address);
    if (address != NULL && address_is_local(address)) {
        host_add(b, &hosts, SPAN("localhost"));
        host_add(b, &hosts, SPAN("127.0.0.1"));
        host_add(b, &hosts, SPAN("[::1]"));
    }
    host_add(b, &hosts, public_host);
    for (const struct yaml_node *n = NULL; v->good && (n = config_text_next(v->node, n)) != NULL;)
        host_read(b, &hosts, n);
    b->config->admin.hosts = hosts.all;
    b->config->admin.host_count = hosts.count;
}

/* The names of a list that replaces a standard one; false: the standard stays. */
static bool names_read(struct config_builder *b, const struct config_value *v, const char *what,
                       const struct span **names_out, uint32_t *count_out)
{
    struct span *names;
    uint32_t count = 0;

    if (!v->good)
        return false;
    names = arena_zero(b->memory, (v->node->kind == YAML_LIST ? v->node->count + 1 : 1) * sizeof *names);
    for (const struct yaml_node *n = NULL; names != NULL && (n = config_text_next(v->node, n)) != NULL;) {
        if (token_span(n->text, TOKEN_NAME) < n->text.n)
            config_complain(&b->report, n, "%s is no name of a %s: letters, digits and hyphens",
                            config_quote(&b->report, n->text), what);
        names[count++] = arena_copy(b->memory, n->text);
    }
    *names_out = names;
    *count_out = count;
    return true;
}

static void secrets_read(struct config_builder *b, const struct config_value v[])
{
    struct secrets *s = &b->config->admin.secrets;
    bool fields, queries;

    *s = secrets_standard;
    fields = names_read(b, &v[KEY_admin_secret_fields], "field", &s->fields, &s->field_count);
    queries = names_read(b, &v[KEY_admin_secret_queries], "parameter", &s->queries, &s->query_count);
    if (fields || queries)
        secrets_prepare(s);
}

static bool is_secret(const struct secrets *s, struct span name, struct span value)
{
    const struct field f = { .name = name, .value = value, .id = (uint8_t)field_find(name) };

    return secrets_in_field(s, &f);
}

/* Does a field that the configuration adds to this route's replies hold a secret? */
static bool tells_secrets(const struct secrets *s, const struct route *route)
{
    if (route->resource == &fixed_resource &&
        (is_secret(s, SPAN("Location"), route->fixed.location) || is_secret(s, SPAN("Link"), route->fixed.blocked_by)))
        return true;
    for (uint32_t i = 0; i < route->fields.count; i++)
        if (is_secret(s, route->fields.fields[i].name, route->fields.fields[i].value))
            return true;
    return false;
}

static void routes_mark(struct config *config)
{
    for (uint32_t i = 0; i < config->site_count; i++)
        for (uint32_t r = 0; r < config->sites[i].route_count; r++) {
            struct route *route = &config->sites[i].routes[r];

            route->tells_secrets = tells_secrets(&config->admin.secrets, route);
        }
}

/* Scheme and authority of a URL that ends with its path. */
static struct span origin_of(struct span url)
{
    size_t scheme = span_find(url, ':') + sizeof "://" - 1;

    return url.n > scheme ? (struct span){ url.p, scheme + span_find(span_from(url, scheme), '/') }
                          : (struct span){ 0 };
}

static void site_make(struct config_builder *b)
{
    struct config_admin *admin = &b->config->admin;
    struct route *routes = arena_zero(b->memory, 2 * sizeof *routes), *changed = routes, *told = routes + 1;

    if (routes == NULL)
        return;
    *told = (struct route){
        .prefix = SPAN("/"),
        .policy = b->config->policy,
        .resource = &admin_resource,
        .admin = { .token = admin->token,
                   .public_origin = origin_of(admin->public_url),
                   .streams_most = (uint32_t)b->config->settings[SETTING_event_streams] },
    };
    told->policy.methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS);
    told->policy.explain = EXPLAIN_ALL;
    told->policy.dialect = DIALECT_RFC;
    *changed = *told;
    changed->prefix = SPAN("/api/admissions");
    changed->policy.methods |= BIT(M_POST) | BIT(M_DELETE);
    changed->policy.content_limit_bytes = ADMISSION_CONTENT_BYTES;
    admin->site = (struct site){
        .names = admin->hosts, .name_count = admin->host_count, .routes = routes, .route_count = 2, .answers_all = true
    };
}

void config_admin_read(struct config_builder *b, const struct yaml_node *node, const struct config_options *options)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    struct address address, stays;
    struct span public_host;
    bool on;

    if (node != NULL)
        config_map_read(&b->report, MAP_admin, node, v);
    else
        config_map_standard(MAP_admin, v);
    on = listen_read(b, v, options->admin, &address);
    token_read(b, &v[KEY_admin_token], &v[KEY_admin_token_file]);
    public_host = public_read(b, &v[KEY_admin_public]);
    hosts_read(b, &v[KEY_admin_hosts], public_host, reached_at(options, on ? &address : NULL, &stays));
    secrets_read(b, v);
    routes_mark(b->config);
    site_make(b);
}
