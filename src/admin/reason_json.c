#include "admin/reason_json.h"

#include "admin/member.h"
#include "explain/code.h"
#include "reason/reason_lookup.h"

const char *reason_after_name(enum after after)
{
    return after == KEEP ? "keep" : "close";
}

const char *reason_lasts_name(enum lasts lasts)
{
    return lasts == TEMPORARY ? "temporary" : lasts == PERMANENT ? "permanent" : "unknown";
}

static json_t *code_json(enum reason why, enum dialect dialect)
{
    struct code code = reason_code(why, dialect);
    json_t *o = json_object();

    json_object_set_new(o, "status", json_integer(code.wire));
    if (code.detail > 0)
        json_object_set_new(o, "detail", json_integer(dialect == DIALECT_IIS ? code.detail - 1 : code.detail));
    return o;
}

static json_t *others_json(enum reason why)
{
    struct reason_lookup asked = { .why = why, .sub = -1 };
    struct reason_number n;
    json_t *list = json_array();

    while (reason_lookup_next(&asked, &n)) {
        json_t *o;

        if (n.answered)
            continue;
        o = json_object();
        json_object_set_new(o, "vendor", json_string(n.vendor));
        json_object_set_new(o, "status", json_integer(n.wire));
        if (n.detail >= 0)
            json_object_set_new(o, "detail", json_integer(n.detail));
        json_array_append_new(list, o);
    }
    return list;
}

json_t *reason_json(enum reason why)
{
    const struct reason_info *info = reason_info(why);
    json_t *o = json_object(), *codes = json_object();

    for (enum dialect d = 0; d < DIALECTS; d++)
        json_object_set_new(codes, dialect_name(d), code_json(why, d));
    json_object_set_new(o, "name", json_string(info->name));
    json_object_set_new(o, "id", json_integer(info->id));
    json_object_set_new(o, "text", json_string(info->text));
    json_object_set_new(o, "codes", codes);
    json_object_set_new(o, "others", others_json(why));
    json_object_set_new(o, "after", json_string(reason_after_name(info->after)));
    json_object_set_new(o, "lasts", json_string(reason_lasts_name(info->lasts)));
    json_object_set_new(o, "proxy_error", json_string(info->proxy_error));
    json_object_set_new(o, "spec", json_string(info->spec));
    return o;
}

json_t *reason_shown_json(enum reason why)
{
    json_t *shown = json_object();

    for (enum dialect d = 0; d < DIALECTS; d++)
        member_string(&shown, dialect_name(d), explain_code(why, d).text);
    return shown;
}
