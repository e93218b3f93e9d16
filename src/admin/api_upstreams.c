#include <stdlib.h>

#include "admin/api.h"
#include "admin/member.h"
#include "admin/row.h"
#include "admin/upstream_rows.h"

static json_t *server_json(const struct upstream_row *row)
{
    json_t *o = json_object();

    member(&o, "server", row_text(span_of(row->server)));
    member_number(&o, "workers", row->workers);
    member_number(&o, "live", row->live);
    member_number(&o, "resting", row->resting);
    member_number(&o, "checked_down", row->checked_down);
    member(&o, "down", json_boolean(row->down > 0));
    member_number(&o, "connections", row->connections);
    member_number(&o, "idle", row->idle);
    member_number(&o, "exchanges", row->exchanges);
    member_number(&o, "waiting", row->waiting);
    member_number(&o, "requests", row->requests);
    member_number(&o, "failures", row->failures);
    return o;
}

/* Those of one upstream, from the row at *i on, which moves on behind them. */
static json_t *upstream_json(const struct upstream_row *rows, uint32_t count, uint32_t *i)
{
    const char *name = rows[*i].upstream;
    json_t *o = json_object(), *servers = json_array();

    while (*i < count && strcmp(rows[*i].upstream, name) == 0)
        element(&servers, server_json(&rows[(*i)++]));
    member(&o, "name", row_text(span_of(name)));
    member(&o, "servers", servers);
    return o;
}

json_t *api_upstreams(struct api *api)
{
    uint32_t count, i = 0;
    struct upstream_row *rows = upstream_rows(api->source, &count);
    json_t *o = json_object(), *list = json_array();

    while (i < count)
        element(&list, upstream_json(rows, count, &i));
    member(&o, "upstreams", list);
    if (rows == NULL) {
        json_decref(o);
        o = NULL;
    }
    free(rows);
    return o;
}
