#include "admin/api.h"
#include "admin/member.h"
#include "admin/reason_json.h"
#include "explain/code.h"

json_t *api_reasons(struct api *api)
{
    json_t *list = json_array();

    for (enum reason why = R_MORE + 1; why < R_COUNT; why++) {
        json_t *o = reason_json(why);

        member_string(&o, "what", explain_what(why, api->language));
        member_string(&o, "todo", explain_todo(why, api->language));
        member_string(&o, "others", explain_other_codes(why).text);
        member(&o, "shown", reason_shown_json(why));
        element(&list, o);
    }
    return list;
}
