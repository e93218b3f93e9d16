#include <jansson.h>

#include "admin/reason_json.h"
#include "cli/explain_impl.h"

/* "a; b" as ["a", "b"], cut at `separator`. */
static json_t *json_list(const char *text, const char *separator)
{
    json_t *list = json_array();
    size_t width = strlen(separator);

    while (*text != '\0') {
        const char *end = strstr(text, separator);
        size_t n = end != NULL ? (size_t)(end - text) : strlen(text);

        json_array_append_new(list, json_stringn(text, n));
        text += end != NULL ? n + width : n;
    }
    return list;
}

static json_t *status_json(const struct status_info *row, enum language language)
{
    json_t *o = json_object();

    json_object_set_new(o, "kind", json_string("status"));
    json_object_set_new(o, "status", json_integer(row->code));
    json_object_set_new(o, "vendor", json_string(status_vendor_name(row->vendor)));
    json_object_set_new(o, "phrase", json_string(row->phrase));
    json_object_set_new(o, "other_phrases", json_list(row->other_phrases, "; "));
    json_object_set_new(o, "standing", json_string(status_standing_name(row->standing)));
    json_object_set_new(o, "what", json_string(explain_status_what(row, language)));
    json_object_set_new(o, "client", json_string(explain_status_todo(row, language)));
    json_object_set_new(o, "sends", json_list(row->sends, "; "));
    json_object_set_new(o, "never_sends", json_list(row->never_sends, "; "));
    json_object_set_new(o, "emitters", json_list(row->emitters, ", "));
    json_object_set_new(o, "heuristically_cacheable", json_boolean(row->cacheable));
    json_object_set_new(o, "spec", json_list(row->spec, ", "));
    json_object_set_new(o, "rules", json_list(row->rules, " "));
    return o;
}

static json_t *substatus_json(const struct substatus_info *row, enum language language)
{
    const struct status_info *status = status_first(row->status);
    json_t *o = json_object();

    json_object_set_new(o, "kind", json_string("substatus"));
    json_object_set_new(o, "status", json_integer(row->status));
    json_object_set_new(o, "sub", json_integer(row->sub));
    json_object_set_new(o, "vendor", json_string(status_vendor_name(row->vendor)));
    json_object_set_new(o, "meaning", json_string(row->meaning));
    json_object_set_new(o, "what", json_string(explain_substatus_what(row, language)));
    json_object_set_new(o, "todo", json_string(explain_substatus_todo(row, language)));
    json_object_set_new(o, "condition", json_string(row->condition));
    json_object_set_new(o, "rfc", json_string(row->rfc));
    json_object_set_new(o, "registry_only", json_boolean(row->registry_only));
    json_object_set_new(o, "spec", json_list(status != NULL ? status->spec : "", ", "));
    json_object_set_new(o, "rules", json_list(status != NULL ? status->rules : "", " "));
    return o;
}

static json_t *reason_full_json(enum reason why, enum language language)
{
    const struct status_info *status = explain_status_of(why);
    json_t *o = reason_json(why);

    json_object_set_new(o, "kind", json_string("reason"));
    json_object_set_new(o, "what", json_string(explain_what(why, language)));
    json_object_set_new(o, "todo", json_string(explain_todo(why, language)));
    if (status == NULL)
        return o;
    json_object_set_new(o, "phrase", json_string(status->phrase));
    json_object_set_new(o, "sends", json_list(status->sends, "; "));
    json_object_set_new(o, "never_sends", json_list(status->never_sends, "; "));
    json_object_set_new(o, "client", json_string(explain_status_todo(status, language)));
    json_object_set_new(o, "rules", json_list(status->rules, " "));
    return o;
}

static json_t *item_json(const struct look_up_item *item, enum language language)
{
    switch (item->kind) {
    case LOOK_UP_STATUS:
        return status_json(item->status, language);
    case LOOK_UP_SUBSTATUS:
        return substatus_json(item->substatus, language);
    case LOOK_UP_REASON:
        break;
    }
    return reason_full_json(item->why, language);
}

void explain_json(FILE *out, const char *what, const struct look_up *found, enum language language)
{
    json_t *o = json_object(), *items = json_array(), *reasons = json_array(), *also = json_array();
    json_t *elsewhere = json_array();

    for (size_t i = 0; i < found->count; i++)
        json_array_append_new(items, item_json(&found->items[i], language));
    for (size_t i = 0; i < found->reason_count; i++)
        json_array_append_new(reasons, reason_json(found->reasons[i]));
    for (size_t i = 0; i < found->elsewhere_count; i++)
        json_array_append_new(elsewhere, reason_json(found->elsewhere[i]));
    for (size_t i = 0; i < found->also_count; i++)
        json_array_append_new(also, json_string(look_up_name(&found->also[i]).text));
    json_object_set_new(o, "asked", json_string(what));
    json_object_set_new(o, "language", json_string(explain_language_tag(language)));
    json_object_set_new(o, "by_id", json_boolean(found->by_id));
    json_object_set_new(o, "items", items);
    json_object_set_new(o, "reasons", reasons);
    json_object_set_new(o, "elsewhere", elsewhere);
    json_object_set_new(o, "also", also);
    json_dumpf(o, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(o);
}
