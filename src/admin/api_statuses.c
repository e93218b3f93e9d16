#include "admin/api.h"
#include "admin/member.h"

static json_t *status_json(const struct status_info *row, enum language language)
{
    json_t *o = json_object();

    member_number(&o, "code", row->code);
    member_string(&o, "vendor", status_vendor_name(row->vendor));
    member_string(&o, "standing", status_standing_name(row->standing));
    member_string(&o, "phrase", row->phrase);
    member_string(&o, "spec", row->spec);
    member_string(&o, "what", explain_status_what(row, language));
    member_string(&o, "todo", explain_status_todo(row, language));
    return o;
}

static json_t *substatus_json(const struct substatus_info *row, enum language language)
{
    json_t *o = json_object();

    member_number(&o, "status", row->status);
    member_number(&o, "sub", row->sub);
    member_string(&o, "vendor", status_vendor_name(row->vendor));
    member_string(&o, "meaning", row->meaning);
    member_string(&o, "what", explain_substatus_what(row, language));
    member_string(&o, "todo", explain_substatus_todo(row, language));
    return o;
}

json_t *api_statuses(struct api *api)
{
    json_t *o = json_object(), *statuses = json_array(), *substatuses = json_array();
    size_t status_count, substatus_count;
    const struct status_info *rows = status_rows(&status_count);
    const struct substatus_info *subs = substatus_rows(&substatus_count);

    for (size_t i = 0; i < status_count; i++)
        element(&statuses, status_json(&rows[i], api->language));
    for (size_t i = 0; i < substatus_count; i++)
        element(&substatuses, substatus_json(&subs[i], api->language));
    member(&o, "statuses", statuses);
    member(&o, "substatuses", substatuses);
    return o;
}
