#ifndef SERVE_CONFIG_KEYS_H
#define SERVE_CONFIG_KEYS_H

#include <stdint.h>

#include "base/span.h"
#include "serve/config.h"

/* What is known where in a configuration file: config_keys.def, and settings.def for `limits` and `times`. */

enum config_map {
    MAP_top,
    MAP_log,
    MAP_tls,
    MAP_certificate,
    MAP_admin,
    MAP_limits,
    MAP_times,
    MAP_site,
    MAP_route,
    MAP_redirect,
    MAP_answer,
    MAP_upstream,
    MAP_check,
    MAP_upstream_tls,
    MAP_gateway,
    MAP_choice,
    MAP_insertion,
    MAP_cgi,
    MAP_fastcgi,
    MAP_resolver,
    MAP_forward,
    CONFIG_MAPS
};

enum config_type {
    TYPE_TEXT,
    TYPE_PROSE,
    TYPE_TEXTS,
    TYPE_SWITCH,
    TYPE_SIZE,
    TYPE_TIME,
    TYPE_SECONDS,
    TYPE_COUNT,
    TYPE_CHOICE,
    TYPE_CHOICES,
    TYPE_MAP,
    TYPE_MAPS,
    TYPE_FIELDS
};

enum config_when { KEY_ALWAYS, KEY_REQUIRED, KEY_FILES, KEY_FORWARDS, KEY_CONTENT };

enum config_key {
#define KEY(map, name, ...) KEY_##map##_##name,
#include "serve/config_keys.def"
#undef KEY
    KEY_SETTINGS, /* + enum setting */
    CONFIG_KEYS = KEY_SETTINGS + SETTINGS
};

struct config_key_info {
    enum config_map map;
    enum config_type type;
    enum config_when when;
    uint64_t min, max;
    uint64_t standard_number; /* of a setting, which has no standard in words */
    const char *name, *standard, *allowed, *manual;
};

/* Built on the fly for settings, hence by value. key < CONFIG_KEYS. */
struct config_key_info config_key_info(enum config_key key);

/* For messages: "a site", "limits", ... */
const char *config_map_title(enum config_map map);

/* The next key of a map after `key` (begin with -1), or CONFIG_KEYS. */
int config_key_next(enum config_map map, int key);

#endif
