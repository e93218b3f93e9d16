#include "serve/config_keys.h"

#include <string.h>

_Static_assert(SETTINGS <= sizeof((struct config *)0)->settings / sizeof(uint64_t), "each has its place");

const struct setting_info setting_infos[SETTINGS] = {
#define SETTING(name_, group_, min_, max_, standard_, manual_) { #name_, #group_, manual_, min_, max_, standard_ },
#include "serve/settings.def"
#undef SETTING
};

static const struct config_key_info keys[KEY_SETTINGS] = {
#define KEY(map_, name_, type_, when_, min_, max_, standard_, allowed_, manual_) \
    { .map = MAP_##map_,                                                         \
      .type = TYPE_##type_,                                                      \
      .when = KEY_##when_,                                                       \
      .min = (min_),                                                             \
      .max = (max_),                                                             \
      .name = #name_,                                                            \
      .standard = (standard_),                                                   \
      .allowed = (allowed_),                                                     \
      .manual = (manual_) },
#include "serve/config_keys.def"
#undef KEY
};

static enum config_type setting_type(struct span name)
{
    return span_ends(name, SPAN("_bytes")) ? TYPE_SIZE : span_ends(name, SPAN("_ms")) ? TYPE_TIME : TYPE_COUNT;
}

struct config_key_info config_key_info(enum config_key key)
{
    const struct setting_info *s;

    if (key < KEY_SETTINGS)
        return keys[key];
    s = &setting_infos[key - KEY_SETTINGS];
    return (struct config_key_info){ .map = strcmp(s->group, "times") == 0 ? MAP_times : MAP_limits,
                                     .type = setting_type(span_of(s->name)),
                                     .min = s->min,
                                     .max = s->max,
                                     .standard_number = s->standard,
                                     .name = s->name,
                                     .standard = "",
                                     .allowed = "",
                                     .manual = s->manual };
}

const char *config_map_title(enum config_map map)
{
    static const char *const titles[CONFIG_MAPS] = { "the configuration",
                                                     "log",
                                                     "tls",
                                                     "a certificate",
                                                     "admin",
                                                     "limits",
                                                     "times",
                                                     "a site",
                                                     "a route",
                                                     "redirect",
                                                     "answer",
                                                     "an upstream",
                                                     "check",
                                                     "tls of an upstream",
                                                     "gateway",
                                                     "a choice",
                                                     "insert",
                                                     "cgi",
                                                     "fastcgi",
                                                     "resolver",
                                                     "forward" };

    return titles[map];
}

int config_key_next(enum config_map map, int key)
{
    do
        key++;
    while (key < CONFIG_KEYS && config_key_info((enum config_key)key).map != map);
    return key;
}
