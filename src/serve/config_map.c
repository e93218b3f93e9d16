#include "serve/config_impl.h"

static int key_find(enum config_map map, struct span name)
{
    for (int k = -1; (k = config_key_next(map, k)) < CONFIG_KEYS;)
        if (span_is(span_of(config_key_info((enum config_key)k).name), name))
            return k;
    return CONFIG_KEYS;
}

/* The keys of a map, with `between` between them. */
static struct span key_names(struct config_report *r, enum config_map map, struct span between)
{
    struct span all = { 0 };

    for (int k = -1; (k = config_key_next(map, k)) < CONFIG_KEYS;) {
        struct span parts[] = { all, all.n > 0 ? between : (struct span){ 0 },
                                span_of(config_key_info((enum config_key)k).name) };

        all = arena_join(r->arena, parts, 3);
    }
    return all;
}

/* A key that another map has is likely to be indented wrongly. */
static const char *home_of(struct config_report *r, struct span name)
{
    for (int map = 0; map < CONFIG_MAPS; map++)
        if (key_find((enum config_map)map, name) < CONFIG_KEYS) {
            struct span said = arena_print(r->arena, "it belongs to %s; ", config_map_title((enum config_map)map));

            return said.p != NULL ? said.p : "";
        }
    return "";
}

static void complain_unknown(struct config_report *r, enum config_map map, const struct yaml_node *key)
{
    const char *near, *home;
    struct span names;

    if (r->count >= CONFIG_COMPLAINTS_MOST) {
        r->count++;
        return;
    }
    home = home_of(r, key->text);
    near = *home == '\0' ? config_near(r, key->text, key_names(r, map, SPAN(" "))) : "";
    names = key_names(r, map, SPAN(", "));
    config_complain(r, key, "unknown key %s: %s%sallowed here: %.*s", config_quote(r, key->text), near, home,
                    (int)names.n, names.n > 0 ? names.p : "");
}

static void member_read(struct config_report *r, enum config_map map, const struct yaml_node *key,
                        struct config_value values[CONFIG_KEYS])
{
    int k = key_find(map, key->text);
    struct config_key_info info;

    if (k == CONFIG_KEYS) {
        complain_unknown(r, map, key);
        return;
    }
    info = config_key_info((enum config_key)k);
    if (values[k].node != NULL)
        config_complain(r, key, "\"%s\" is here twice: the first is in line %u", info.name, values[k].node->line);
    else
        config_value_read(r, &info, key->value, &values[k]);
}

void config_map_standard(enum config_map map, struct config_value values[CONFIG_KEYS])
{
    for (int k = -1; (k = config_key_next(map, k)) < CONFIG_KEYS;) {
        struct config_key_info info = config_key_info((enum config_key)k);

        config_value_standard(&info, &values[k]);
    }
}

bool config_map_read(struct config_report *r, enum config_map map, const struct yaml_node *node,
                     struct config_value values[CONFIG_KEYS])
{
    bool is_map = node->kind == YAML_MAP;

    config_map_standard(map, values);
    if (!is_map)
        config_complain(r, node, "%s is a map: lines of \"key: value\"", config_map_title(map));
    for (const struct yaml_node *key = is_map ? node->first : NULL; key != NULL; key = key->next)
        member_read(r, map, key, values);
    for (int k = -1; is_map && (k = config_key_next(map, k)) < CONFIG_KEYS;) {
        struct config_key_info info = config_key_info((enum config_key)k);

        if (info.when == KEY_REQUIRED && values[k].node == NULL)
            config_complain(r, node, "%s needs \"%s\"", config_map_title(map), info.name);
    }
    return is_map;
}
