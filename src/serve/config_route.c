#include <errno.h>
#include <sys/stat.h>

#include "http/language.h"
#include "http/method.h"
#include "http/path.h"
#include "serve/config_impl.h"

#define BIT(m) (UINT64_C(1) << (m))

/* Below this a coding saves less than a packet, above it the work would hold up others. */
#define COMPRESS_MIN_BYTES 1024
#define COMPRESS_MAX_BYTES (16u << 20)

/* `negotiate: off` is no way to negotiate but the absence of variants. */
#define NEGOTIATE_OFF             3

#define CONTENT_LIMIT_READ_BYTES  (UINT64_C(1) << 20)
#define CONTENT_LIMIT_WRITE_BYTES (UINT64_C(1) << 30)

enum require { REQUIRE_LENGTH, REQUIRE_CONDITION };

/* A route's path is held against decoded ones, so it is written in just the form that decoding gives. */
static void path_read(struct config_builder *b, const struct config_value *v, struct route *route)
{
    struct config_report *r = &b->report;
    char *room = arena_take(r->arena, v->text.n + 1);
    struct verdict fault;
    size_t n;

    if (room == NULL)
        return;
    if (v->text.p[0] != '/')
        config_complain(r, v->node, "%s does not begin with /, as a route's path does", config_quote(r, v->text));
    else if (span_find(v->text, '?') < v->text.n)
        config_complain(r, v->node, "%s has a query: routes are chosen by path alone", config_quote(r, v->text));
    else if (path_decode(v->text, room, v->text.n + 1, &n, &fault) != R_NONE)
        config_complain(r, v->node, "%s is no path: a %% or a \"..\" in it leads nowhere", config_quote(r, v->text));
    else if (!span_is(v->text, (struct span){ room, n }))
        config_complain(r, v->node, "%s never fits: requests for it arrive as %s", config_quote(r, v->text),
                        config_quote(r, (struct span){ room, n }));
    else
        route->prefix = arena_copy(b->memory, v->text);
}

static void policy_fill(struct config_builder *b, const struct config_value v[], struct route *route, bool write)
{
    uint64_t standard_limit = write ? CONTENT_LIMIT_WRITE_BYTES : CONTENT_LIMIT_READ_BYTES;
    const struct policy *above = &b->config->policy;
    uint64_t negotiate = v[KEY_route_negotiate].number, require = v[KEY_route_require].number;

    route->policy = (struct policy){
        .methods = BIT(M_GET) | BIT(M_HEAD) | BIT(M_OPTIONS) | (write ? BIT(M_PUT) | BIT(M_DELETE) : 0),
        .content_limit_bytes = v[KEY_route_content_limit].good ? v[KEY_route_content_limit].number : standard_limit,
        .path_limit_bytes = (uint32_t)v[KEY_route_path_limit].number,
        .query_limit_bytes = (uint32_t)v[KEY_route_query_limit].number,
        .segments_limit = (uint16_t)v[KEY_route_segments_limit].number,
        .length_required = (require & BIT(REQUIRE_LENGTH)) != 0,
        .condition_required = (require & BIT(REQUIRE_CONDITION)) != 0,
        .trace = v[KEY_route_trace].number == 1,
        .hidden_served = v[KEY_route_hidden].number == 1,
        .negotiation = negotiate < NEGOTIATE_OFF ? (enum negotiation)negotiate : NEGOTIATE_LENIENT,
        .listing = v[KEY_route_listing].number == 1 ? LISTING_ON : LISTING_OFF,
        .tls_need = v[KEY_route_tls].good ? (enum tls_need)v[KEY_route_tls].number : above->tls_need,
        .tls_version_min = v[KEY_route_tls_minimum].good ? config_tls_version(v[KEY_route_tls_minimum].number)
                                                         : above->tls_version_min,
        .explain = v[KEY_route_explain].good ? (enum explain_when)v[KEY_route_explain].number : above->explain,
        .dialect = v[KEY_route_dialect].good ? (enum dialect)v[KEY_route_dialect].number : above->dialect,
    };
}

/* A limit beyond what the parser takes would promise a reason that can never come. */
static void limit_check(struct config_builder *b, const struct config_value *v, const char *name)
{
    if (v->good && v->number > b->target_bytes)
        config_complain(&b->report, v->node,
                        "\"%s\" is beyond \"target_bytes\" in \"limits\", which is %s: raise that too", name,
                        config_number(&b->report, TYPE_SIZE, b->target_bytes));
}

static void index_read(struct config_builder *b, const struct config_value *v, struct file_settings *file)
{
    unsigned count = 0;

    if (v->node == NULL)
        file->index[count++] = "index.html";
    for (const struct yaml_node *n = NULL; v->good && (n = config_text_next(v->node, n)) != NULL;) {
        if (span_find(n->text, '/') < n->text.n || n->text.p[0] == '.')
            config_complain(&b->report, n, "%s is no name of an index: write a file's name alone, such as index.html",
                            config_quote(&b->report, n->text));
        else
            file->index[count++] = arena_copy(b->memory, n->text).p;
    }
}

static void language_read(struct config_builder *b, const struct config_value *v, struct file_settings *file)
{
    if (!v->good)
        return;
    if (!language_is_tag(v->text))
        config_complain(&b->report, v->node, "%s is no language tag: such as en, zh-CN or zh-TW",
                        config_quote(&b->report, v->text));
    file->default_language = arena_copy(b->memory, v->text).p;
}

void config_directory_check(struct config_builder *b, const struct yaml_node *at, const char *path)
{
    struct stat st;

    if (b->look == CONFIG_STRUCTURE || path == NULL)
        return;
    if (stat(path, &st) != 0)
        config_complain(&b->report, at, "%s: %s: create it, or name another directory", path, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        config_complain(&b->report, at, "%s is not a directory: name the directory that it is in", path);
}

static void files_fill(struct config_builder *b, const struct config_value v[], struct route *route, bool write)
{
    route->resource = &file_resource;
    route->file = (struct file_settings){
        .root_fd = -1,
        .variants = v[KEY_route_negotiate].number != NEGOTIATE_OFF,
        .precompressed = v[KEY_route_precompressed].number == 1,
        .compress = v[KEY_route_compress].number == 1,
        .compress_min_bytes = COMPRESS_MIN_BYTES,
        .compress_max_bytes = COMPRESS_MAX_BYTES,
        .write = write,
        .sync = (enum file_sync)v[KEY_route_sync].number,
        .tombstones = v[KEY_route_tombstones].number == 1,
        .tombstone_s = v[KEY_route_tombstone_lifetime].number,
        .quota_bytes = v[KEY_route_quota].number,
    };
    index_read(b, &v[KEY_route_index], &route->file);
    language_read(b, &v[KEY_route_default_language], &route->file);
}

#define KINDS "one of \"files\", \"redirect\", \"answer\", \"websocket\", \"gateway\", \"cgi\" and \"fastcgi\""

/* Why a key that is there is out of place, or NULL. */
static const char *misplaced(enum config_when when, bool files, bool forwards)
{
    if (when == KEY_FILES && !files)
        return "\"files\"";
    if (when == KEY_FORWARDS && !forwards)
        return "\"gateway\", \"cgi\" or \"fastcgi\"";
    if (when == KEY_CONTENT && !files && !forwards)
        return "\"files\", \"gateway\", \"cgi\" or \"fastcgi\"";
    return NULL;
}

static void places_check(struct config_builder *b, const struct config_value v[])
{
    bool files = v[KEY_route_files].node != NULL;
    bool forwards =
        v[KEY_route_gateway].node != NULL || v[KEY_route_cgi].node != NULL || v[KEY_route_fastcgi].node != NULL;

    for (int k = -1; (k = config_key_next(MAP_route, k)) < CONFIG_KEYS;) {
        struct config_key_info info = config_key_info((enum config_key)k);
        const char *with = v[k].node != NULL ? misplaced(info.when, files, forwards) : NULL;

        if (with != NULL)
            config_complain(&b->report, v[k].node, "\"%s\" goes only with %s, which this route has not", info.name,
                            with);
    }
}

/* Just one of them; what goes with some only, goes with those. */
static void kind_check(struct config_builder *b, const struct yaml_node *node, const struct config_value v[])
{
    static const enum config_key kinds[] = { KEY_route_files,     KEY_route_redirect, KEY_route_answer,
                                             KEY_route_websocket, KEY_route_gateway,  KEY_route_cgi,
                                             KEY_route_fastcgi };
    int count = 0;

    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (v[kinds[i]].node != NULL && ++count > 1)
            config_complain(&b->report, v[kinds[i]].node,
                            "one route has only " KINDS ": make two routes, or remove one");
    if (count == 0)
        config_complain(&b->report, node, "a route needs " KINDS);
    else
        places_check(b, v);
}

static void websocket_fill(struct config_builder *b, struct route *route)
{
    route->resource = &websocket_resource;
    route->policy.answers = true;
    route->policy.tunnels = true;
    route->policy.methods = BIT(M_GET) | BIT(M_OPTIONS);
    route->websocket = (struct websocket_settings){
        .message_bytes = (uint32_t)b->config->settings[SETTING_websocket_message_bytes],
    };
}

static void forwards_read(struct config_builder *b, const struct config_value v[], struct route *route)
{
    config_forwards_fill(b, v, route);
    if (v[KEY_route_gateway].good)
        config_gateway_read(b, v[KEY_route_gateway].node, route);
    else if (v[KEY_route_cgi].good)
        config_cgi_read(b, v[KEY_route_cgi].node, route);
    else
        config_fastcgi_read(b, v[KEY_route_fastcgi].node, route);
}

static void kind_read(struct config_builder *b, const struct config_value v[], struct route *route, bool write)
{
    if (v[KEY_route_files].good) {
        files_fill(b, v, route, write);
        route->file.root = config_path(b, v[KEY_route_files].text);
        config_directory_check(b, v[KEY_route_files].node, route->file.root);
    } else if (v[KEY_route_redirect].good || v[KEY_route_answer].good) {
        route->resource = &fixed_resource;
        route->policy.answers = true;
        route->policy.methods = UINT64_MAX;
        if (v[KEY_route_redirect].good)
            config_redirect_read(b, v[KEY_route_redirect].node, route);
        else
            config_answer_read(b, v[KEY_route_answer].node, route);
    } else if (v[KEY_route_websocket].good) {
        websocket_fill(b, route);
    } else if (v[KEY_route_gateway].good || v[KEY_route_cgi].good || v[KEY_route_fastcgi].good) {
        forwards_read(b, v, route);
    }
}

void config_route_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    bool write;

    route->line = node->line;
    route->column = node->column;
    if (!config_map_read(&b->report, MAP_route, node, v))
        return;
    kind_check(b, node, v);
    write = v[KEY_route_write].node != NULL ? v[KEY_route_write].number == 1 : b->write;
    if (v[KEY_route_path].good)
        path_read(b, &v[KEY_route_path], route);
    limit_check(b, &v[KEY_route_path_limit], "path_limit");
    limit_check(b, &v[KEY_route_query_limit], "query_limit");
    policy_fill(b, v, route, write);
    kind_read(b, v, route, write);
    config_route_demand(b, v, route);
    config_hints_read(b, v, route);
    if (v[KEY_route_headers].good)
        config_fields_read(b, v[KEY_route_headers].node, route);
}

void config_route_standard(struct config_builder *b, const char *directory, struct route *route)
{
    struct config_value v[CONFIG_KEYS] = { 0 };

    config_map_standard(MAP_route, v);
    route->prefix = SPAN("/");
    policy_fill(b, v, route, b->write);
    files_fill(b, v, route, b->write);
    route->file.root = arena_copy(b->memory, span_of(directory)).p;
}
