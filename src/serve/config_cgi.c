#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>

#include "serve/config_impl.h"

/* Routes whose answers are made by programs: of this machine, or behind FastCGI. */

/* A name and its value of a map of type FIELDS: both end in NUL, in the configuration's memory. */
struct variable {
    struct span name, value;
};

static bool is_variable(struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return name.n > 0 && !isdigit((unsigned char)name.p[0]);
}

static bool value_good(struct config_report *r, const struct yaml_node *key)
{
    const struct yaml_node *value = key->value;

    if (value->kind != YAML_TEXT)
        config_complain(r, value, "%s takes a text", config_quote(r, key->text));
    else
        for (size_t i = 0; i < value->text.n; i++)
            if (iscntrl((unsigned char)value->text.p[i])) {
                config_complain(r, value, "%s has a control character, which %s does not take",
                                config_quote(r, value->text), config_quote(r, key->text));
                return false;
            }
    return value->kind == YAML_TEXT;
}

/* The variable that a key of the map names. False, after a complaint: none. */
static bool variable_read(struct config_builder *b, const struct yaml_node *map, const struct yaml_node *key,
                          struct variable *out)
{
    struct config_report *r = &b->report;

    if (!is_variable(key->text)) {
        config_complain(r, key, "%s is no name of a variable: letters, digits and underscores",
                        config_quote(r, key->text));
        return false;
    }
    for (const struct yaml_node *k = map->first; k != key; k = k->next)
        if (span_is(k->text, key->text)) {
            config_complain(r, key, "%s is here twice: the first is in line %u", config_quote(r, key->text), k->line);
            return false;
        }
    if (!value_good(r, key))
        return false;
    *out = (struct variable){ arena_copy(b->memory, key->text), arena_copy(b->memory, key->value->text) };
    return true;
}

static bool count_good(struct config_builder *b, const struct config_value *v, enum config_key key)
{
    unsigned most = (unsigned)config_key_info(key).max;

    if (v->good && v->node->count > most)
        config_complain(&b->report, v->node, "%u variables are too many: at most %u", v->node->count, most);
    return v->good && v->node->count <= most;
}

static void environment_read(struct config_builder *b, const struct config_value *v, struct cgi_settings *cgi)
{
    struct cgi_variable *all;
    struct variable one;

    if (!count_good(b, v, KEY_cgi_environment))
        return;
    all = arena_zero(b->memory, v->node->count * sizeof *all);
    cgi->variables = all;
    for (const struct yaml_node *key = v->node->first; all != NULL && key != NULL; key = key->next)
        if (variable_read(b, v->node, key, &one))
            all[cgi->variable_count++] = (struct cgi_variable){ one.name, one.value };
}

static void parameters_read(struct config_builder *b, const struct config_value *v, struct fastcgi_settings *fastcgi)
{
    struct fastcgi_parameter *all;
    struct variable one;

    if (!count_good(b, v, KEY_fastcgi_parameters))
        return;
    all = arena_zero(b->memory, v->node->count * sizeof *all);
    fastcgi->parameters = all;
    for (const struct yaml_node *key = v->node->first; all != NULL && key != NULL; key = key->next)
        if (variable_read(b, v->node, key, &one))
            all[fastcgi->parameter_count++] = (struct fastcgi_parameter){ one.name, one.value };
}

static const char *extension_fault(struct span text)
{
    if (text.n < 2 || text.p[0] != '.' || span_find(text, '/') < text.n)
        return "is no extension: begin with a dot, such as .cgi";
    return NULL;
}

static void interpreter_read(struct config_builder *b, const struct config_value *v, struct cgi_settings *cgi)
{
    if (!v->good)
        return;
    if (v->text.p[0] != '/') {
        config_complain(&b->report, v->node, "%s is no absolute path of an interpreter: such as /usr/bin/perl",
                        config_quote(&b->report, v->text));
        return;
    }
    cgi->interpreter = arena_copy(b->memory, v->text).p;
    if (b->look == CONFIG_FILES && cgi->interpreter != NULL && access(cgi->interpreter, X_OK) != 0)
        config_complain(&b->report, v->node, "%s: %s: name a program that may be executed", cgi->interpreter,
                        strerror(errno));
}

static void user_read(struct config_builder *b, const struct config_value *v, struct cgi_settings *cgi)
{
    const struct passwd *entry;

    if (!v->good)
        return;
    cgi->user = arena_copy(b->memory, v->text).p;
    if (b->look == CONFIG_STRUCTURE || cgi->user == NULL)
        return;
    entry = getpwnam(cgi->user);
    if (entry == NULL)
        config_complain(&b->report, v->node, "%s is no user of this machine: see `getent passwd`",
                        config_quote(&b->report, v->text));
    else if (geteuid() != 0 && entry->pw_uid != geteuid())
        config_complain(&b->report, v->node,
                        "only root can run programs as %s: start the server as root, or leave \"user\" away",
                        config_quote(&b->report, v->text));
}

void config_cgi_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct cgi_settings *cgi = &route->cgi;
    struct config_value v[CONFIG_KEYS] = { 0 };
    uint64_t head;

    route->resource = &cgi_resource;
    *cgi = (struct cgi_settings){ 0 };
    if (!config_map_read(&b->report, MAP_cgi, node, v))
        return;
    if (v[KEY_cgi_directory].good) {
        cgi->directory = config_path(b, v[KEY_cgi_directory].text);
        config_directory_check(b, v[KEY_cgi_directory].node, cgi->directory);
    }
    if (v[KEY_cgi_extensions].good)
        cgi->extensions = config_texts_read(b, &v[KEY_cgi_extensions], extension_fault, &cgi->extension_count);
    interpreter_read(b, &v[KEY_cgi_interpreter], cgi);
    user_read(b, &v[KEY_cgi_user], cgi);
    environment_read(b, &v[KEY_cgi_environment], cgi);
    cgi->read_ms = (uint32_t)v[KEY_cgi_read_wait].number;
    cgi->processes_limit = (uint32_t)v[KEY_cgi_processes].number;
    cgi->queue_limit = (uint32_t)v[KEY_cgi_queue].number;
    cgi->queue_ms = (uint32_t)v[KEY_cgi_queue_wait].number;
    head = v[KEY_cgi_head].number;
    cgi->head = config_head_limits(head, head);
}

static void fallback_read(struct config_builder *b, const struct config_value *v, struct fastcgi_settings *fastcgi)
{
    if (v->good && (v->text.p[0] != '/' || !span_ends(v->text, fastcgi->split)))
        config_complain(&b->report, v->node, "%s is no script: begin with /, and end with \"split\", which is %s",
                        config_quote(&b->report, v->text), config_quote(&b->report, fastcgi->split));
    fastcgi->fallback = arena_copy(b->memory, v->text);
}

static void places_read(struct config_builder *b, const struct config_value v[], struct fastcgi_settings *fastcgi)
{
    const struct config_value *root = &v[KEY_fastcgi_root], *index = &v[KEY_fastcgi_index],
                              *split = &v[KEY_fastcgi_split];

    if (root->good && root->text.p[0] != '/')
        config_complain(&b->report, root->node, "%s is no absolute path, as it is on the machine of the upstream",
                        config_quote(&b->report, root->text));
    fastcgi->root = arena_copy(b->memory, root->text);
    while (span_ends(fastcgi->root, SPAN("/")))
        fastcgi->root.n--;
    if (index->good && (span_find(index->text, '/') < index->text.n || index->text.p[0] == '.'))
        config_complain(&b->report, index->node,
                        "%s is no name of an index: write a file's name alone, such as index.php",
                        config_quote(&b->report, index->text));
    fastcgi->index = arena_copy(b->memory, index->text);
    if (split->good && extension_fault(split->text) != NULL)
        config_complain(&b->report, split->node, "%s %s", config_quote(&b->report, split->text),
                        "is no extension: begin with a dot, such as .php");
    fastcgi->split = arena_copy(b->memory, split->text);
    fallback_read(b, &v[KEY_fastcgi_fallback], fastcgi);
}

/* A process of such an application is taken by each connection that it has, idle or not: none is kept unasked. */
static void upstream_find(struct config_builder *b, const struct config_value *v, struct fastcgi_settings *fastcgi)
{
    struct config_upstream *up;

    if (!config_group_find(b, v, &fastcgi->group))
        return;
    up = &b->config->upstreams[fastcgi->group];
    if (!up->keep_said)
        up->group.idle_limit = 0;
    if (up->group.check.path.n > 0)
        config_complain(&b->report, v->node,
                        "%s has a \"check\", which asks with HTTP: nobody who speaks FastCGI understands it",
                        config_quote(&b->report, v->text));
}

void config_fastcgi_read(struct config_builder *b, const struct yaml_node *node, struct route *route)
{
    struct fastcgi_settings *fastcgi = &route->fastcgi;
    struct config_value v[CONFIG_KEYS] = { 0 };

    route->resource = &fastcgi_resource;
    route->policy.length_required = true; /* applications read as much as CONTENT_LENGTH says */
    *fastcgi = (struct fastcgi_settings){ .groups = b->config->groups };
    if (!config_map_read(&b->report, MAP_fastcgi, node, v))
        return;
    upstream_find(b, &v[KEY_fastcgi_upstream], fastcgi);
    places_read(b, v, fastcgi);
    parameters_read(b, &v[KEY_fastcgi_parameters], fastcgi);
    fastcgi->read_ms = (uint32_t)v[KEY_fastcgi_read_wait].number;
    fastcgi->write_ms = (uint32_t)v[KEY_fastcgi_write_wait].number;
    fastcgi->head = config_head_limits(v[KEY_fastcgi_head].number, v[KEY_fastcgi_head].number);
}
