#include <errno.h>
#include <stdlib.h>

#include "serve/config_impl.h"

#define MEMORY_BYTES  ((size_t)64 << 20)
#define SCRATCH_BYTES ((size_t)256 << 20) /* the tree of the largest file is far smaller */

/* What a record takes besides the texts of its heads. */
#define RECORD_REST_BYTES 2048u

static const char *const listen_standard[] = { "127.0.0.1:8080" };

const char *config_path(struct config_builder *b, struct span text)
{
    struct span parts[] = { text.p[0] == '/' ? (struct span){ 0 } : b->folder, text };

    return arena_join(b->memory, parts, 2).p;
}

static void log_read(struct config_builder *b, const struct yaml_node *node)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    struct span file;

    if (!config_map_read(&b->report, MAP_log, node, v))
        return;
    file = v[KEY_log_file].text;
    b->config->log_file =
        span_is(file, SPAN("-")) || span_is(file, SPAN("off")) ? arena_copy(b->memory, file).p : config_path(b, file);
    b->config->log_combined = v[KEY_log_format].number == 1;
}

/* Each setting is in one of the two maps. */
static void settings_read(struct config_builder *b, enum config_map map, const struct yaml_node *node)
{
    struct config_value v[CONFIG_KEYS] = { 0 };

    if (!config_map_read(&b->report, map, node, v))
        return;
    for (int k = -1; (k = config_key_next(map, k)) < CONFIG_KEYS;)
        if (v[k].good)
            b->config->settings[k - KEY_SETTINGS] = v[k].number;
}

/* The longest record, with both heads at their longest, must leave the ring room for others. */
static void record_check(struct config_builder *b, const struct yaml_node *limits, enum setting bytes)
{
    const uint64_t *set = b->config->settings;

    if (set[SETTING_record_count] > 0 && 2 * set[SETTING_record_head_bytes] + RECORD_REST_BYTES > set[bytes] / 4)
        config_complain(
            &b->report, limits,
            "\"record_head_bytes\" is too large: twice as much and %s must fit into a quarter of \"%s\", which "
            "is %s",
            config_number(&b->report, TYPE_SIZE, RECORD_REST_BYTES), setting_infos[bytes].name,
            config_number(&b->report, TYPE_SIZE, set[bytes]));
}

/* A limit that another one hides would promise a reason that can never come. */
static void settings_check(struct config_builder *b, const struct yaml_node *limits)
{
    const uint64_t *set = b->config->settings;

    b->target_bytes = set[SETTING_target_bytes];
    if (set[SETTING_target_bytes] >= set[SETTING_head_bytes])
        config_complain(&b->report, limits, "\"target_bytes\" must be below \"head_bytes\", which is %s",
                        config_number(&b->report, TYPE_SIZE, set[SETTING_head_bytes]));
    if (set[SETTING_field_bytes] >= set[SETTING_head_bytes])
        config_complain(&b->report, limits, "\"field_bytes\" must be below \"head_bytes\", which is %s",
                        config_number(&b->report, TYPE_SIZE, set[SETTING_head_bytes]));
    if (set[SETTING_h2_window_bytes] > set[SETTING_h2_connection_window_bytes])
        config_complain(&b->report, limits,
                        "\"h2_window_bytes\" must not be above \"h2_connection_window_bytes\", which is %s",
                        config_number(&b->report, TYPE_SIZE, set[SETTING_h2_connection_window_bytes]));
    record_check(b, limits, SETTING_record_bytes);
    record_check(b, limits, SETTING_record_failure_bytes);
}

static void listen_read(struct config_builder *b, const struct config_value *v)
{
    struct config_listen listen;

    config_listen_read(b, v, &listen);
    b->config->listen = listen.all;
    b->config->listen_count = listen.count;
}

static void believed_check(struct config_builder *b, const struct config_value *v, const char *name,
                           const struct config_value *trusted)
{
    if (v->number == 1 && trusted->node == NULL)
        config_complain(&b->report, v->node, "\"%s\" believes nobody without \"trusted_proxies\": name them", name);
}

/* A map that cannot be read still says that there is to be TLS. */
static void transport_read(struct config_builder *b, const struct config_value v[],
                           const struct config_options *options)
{
    b->tls = v[KEY_top_tls].good ? v[KEY_top_tls].node : NULL;
    b->secured = options->tls || v[KEY_top_tls].node != NULL;
    b->config->h2c = v[KEY_top_h2c].number == 1;
    if (v[KEY_top_listen].good)
        listen_read(b, &v[KEY_top_listen]);
    if (v[KEY_top_trusted_proxies].good)
        b->config->trusted = config_ranges_read(b, &v[KEY_top_trusted_proxies], &b->config->trusted_count);
    b->config->real_ip = v[KEY_top_real_ip].number == 1;
    b->config->proxy_protocol = v[KEY_top_listen_proxy_protocol].number == 1;
    believed_check(b, &v[KEY_top_real_ip], "real_ip", &v[KEY_top_trusted_proxies]);
    believed_check(b, &v[KEY_top_listen_proxy_protocol], "listen_proxy_protocol", &v[KEY_top_trusted_proxies]);
}

static bool top_read(struct config_builder *b, const struct yaml_node *root, const struct config_options *options)
{
    struct config_value v[CONFIG_KEYS] = { 0 };
    struct config *c = b->config;

    if (!config_map_read(&b->report, MAP_top, root, v))
        return false;
    transport_read(b, v, options);
    c->workers = (uint32_t)v[KEY_top_workers].number;
    c->policy.explain = (enum explain_when)v[KEY_top_explain].number;
    c->policy.dialect = options->dialect < DIALECTS ? options->dialect : (enum dialect)v[KEY_top_dialect].number;
    if (v[KEY_top_log].good)
        log_read(b, v[KEY_top_log].node);
    if (v[KEY_top_limits].good)
        settings_read(b, MAP_limits, v[KEY_top_limits].node);
    if (v[KEY_top_times].good)
        settings_read(b, MAP_times, v[KEY_top_times].node);
    settings_check(b, v[KEY_top_limits].node);
    b->admin = v[KEY_top_admin].good ? v[KEY_top_admin].node : NULL;
    b->forward = v[KEY_top_forward].good ? v[KEY_top_forward].node : NULL;
    if (v[KEY_top_resolver].good)
        config_resolver_read(b, v[KEY_top_resolver].node);
    b->groups_unclear = v[KEY_top_upstreams].node != NULL && !v[KEY_top_upstreams].good;
    if (v[KEY_top_upstreams].good)
        config_upstreams_read(b, v[KEY_top_upstreams].node);
    if (v[KEY_top_sites].good)
        config_sites_read(b, v[KEY_top_sites].node);
    if (v[KEY_top_sites].node != NULL && options->directory != NULL)
        config_complain(&b->report, v[KEY_top_sites].node,
                        "the command line names a directory to serve, and these sites have theirs: leave one away");
    return true;
}

/* False: nothing in it can be understood. */
static bool file_read(struct config_builder *b, struct span text, const struct config_options *options)
{
    struct yaml_problem problem = { 0 };
    const struct yaml_node *root = yaml_tree(b->report.arena, text, &problem);

    if (root == NULL) {
        struct yaml_node at = { .line = problem.line, .column = problem.column };

        config_complain(&b->report, &at, "%.*s", (int)problem.what.n, problem.what.p);
        return false;
    }
    return top_read(b, root, options);
}

static void standards_set(struct config *c, enum dialect dialect)
{
    c->policy = (struct policy){ .methods = UINT64_MAX,
                                 .content_limit_bytes = UINT64_MAX,
                                 .path_limit_bytes = UINT32_MAX,
                                 .query_limit_bytes = UINT32_MAX,
                                 .segments_limit = UINT16_MAX,
                                 .tls_need = TLS_ANY,
                                 .tls_version_min = 0,
                                 .explain = EXPLAIN_ERRORS,
                                 .dialect = dialect < DIALECTS ? dialect : DIALECT_RFC };
    c->resolver = RESOLVER_SETTINGS_USUAL;
    c->log_file = "-";
    for (unsigned s = 0; s < SETTINGS; s++)
        c->settings[s] = setting_infos[s].standard;
}

/* The texts of the command line live longer than any configuration, but a copy asks no questions. */
static void listen_apply(struct config_builder *b, const struct config_options *o)
{
    struct config *c = b->config;
    const char *const *listen = o->listen_count > 0 ? o->listen : listen_standard;
    uint32_t count = o->listen_count > 0 ? o->listen_count : 1;

    if (o->listen_count > 0 || c->listen_count == 0) {
        const char **copy = arena_zero(b->memory, count * sizeof *copy);

        for (uint32_t i = 0; copy != NULL && i < count; i++)
            copy[i] = arena_copy(b->memory, span_of(listen[i])).p;
        c->listen = copy;
        c->listen_count = count;
    }
}

static void options_apply(struct config_builder *b, const struct config_options *o)
{
    struct config *c = b->config;

    if (o->workers > 0)
        c->workers = o->workers;
    if (o->log_file != NULL)
        c->log_file = arena_copy(b->memory, span_of(o->log_file)).p;
    if (o->log_combined >= 0)
        c->log_combined = o->log_combined == 1;
    if (c->site_count == 0)
        config_sites_standard(b, o->directory != NULL ? o->directory : ".");
}

static struct span folder_of(const char *file)
{
    const char *slash = file != NULL ? strrchr(file, '/') : NULL;

    return slash != NULL ? (struct span){ file, (size_t)(slash - file) + 1 } : (struct span){ 0 };
}

struct config *config_read(const struct config_options *options, struct span text, enum config_look look,
                           FILE *complaints)
{
    struct config *config = calloc(1, sizeof *config);
    struct arena scratch;
    struct config_builder b = { .config = config, .look = look, .warnings = complaints, .write = options->write };
    bool readable = true;

    if (config == NULL) {
        fprintf(complaints, "verdict: not enough memory for a configuration\n");
        return NULL;
    }
    arena_init(&config->memory, NULL, 0, MEMORY_BYTES);
    arena_init(&scratch, NULL, 0, SCRATCH_BYTES);
    b.memory = &config->memory;
    b.report.arena = &scratch;
    b.folder = folder_of(options->file);
    standards_set(config, options->dialect);
    if (options->file != NULL)
        readable = file_read(&b, text, options);
    listen_apply(&b, options);
    if (readable)
        config_tls_read(&b, options);
    if (readable)
        config_admin_read(&b, b.admin, options);
    if (readable)
        config_forward_read(&b, options);
    if (b.report.count == 0)
        options_apply(&b, options);
    if (config->memory.full || scratch.full)
        config_complain(&b.report, NULL, "not enough memory for this configuration: make it smaller");
    config_report_print(&b.report, options->file != NULL ? options->file : "verdict", complaints);
    if (b.report.count > 0)
        config_release(&config);
    arena_reset(&scratch);
    return config;
}

/* All of the file into *text, which the caller frees. 0 or -errno; -EFBIG beyond CONFIG_FILE_BYTES. */
static int file_load(const char *name, char **text, size_t *n)
{
    FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
    int err = 0;

    if (f == NULL)
        return -errno;
    *text = malloc(CONFIG_FILE_BYTES + 1);
    *n = *text != NULL ? fread(*text, 1, CONFIG_FILE_BYTES + 1, f) : 0;
    if (*text == NULL)
        err = -ENOMEM;
    else if (ferror(f))
        err = errno != 0 ? -errno : -EIO;
    else if (*n > CONFIG_FILE_BYTES)
        err = -EFBIG;
    if (f != stdin)
        fclose(f);
    return err;
}

struct config *config_load(const struct config_options *options, FILE *complaints)
{
    struct config *config = NULL;
    char *text = NULL;
    size_t n = 0;
    int err = options->file != NULL ? file_load(options->file, &text, &n) : 0;

    if (err == 0)
        config = config_read(options, (struct span){ text, n }, CONFIG_FILES, complaints);
    else
        fprintf(complaints, "verdict: %s: %s: name a YAML file of at most 1 MiB that can be read\n", options->file,
                strerror(-err));
    free(text);
    return config;
}
