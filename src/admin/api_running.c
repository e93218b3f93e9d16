#include <stdlib.h>

#include "admin/api.h"
#include "admin/member.h"
#include "admin/row.h"
#include "graph/graph.h"

/* One of those that run, and where. */
struct found {
    const struct running *running;
    uint32_t worker;
};

static const char *state_name(enum running_state state)
{
    return state == RUNNING_READS_HEAD ? "reads-head" : state == RUNNING_GRAPH ? "graph" : "sends";
}

static json_t *string_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static const char *node_name(const struct running *r)
{
    return r->state == RUNNING_GRAPH && r->node < GRAPH_NODES ? graph_nodes[r->node].name : NULL;
}

static const char *reason_name(const struct running *r)
{
    return r->why != R_NONE ? reason_info(r->why)->name : NULL;
}

static json_t *running_json(const struct found *f, uint64_t now_ms)
{
    const struct running *r = f->running;
    json_t *o = json_object();

    member(&o, "id", r->number != 0 ? row_id(r->number) : json_null());
    member_number(&o, "worker", f->worker);
    member(&o, "client", row_client(r->peer, r->peer_bytes));
    member(&o, "method", row_text((struct span){ r->method, r->method_bytes }));
    member(&o, "target", row_text((struct span){ r->target, r->target_bytes }));
    member_string(&o, "state", state_name(r->state));
    member(&o, "node", string_or_null(node_name(r)));
    member(&o, "wait", string_or_null(r->wait));
    member_number(&o, "wait_ms", r->wait != NULL ? record_between(r->wait_ms, now_ms) : 0);
    member_number(&o, "ms", record_between(r->begun_ms, now_ms));
    member(&o, "reason", string_or_null(reason_name(r)));
    member_number(&o, "bytes_in", r->bytes_in);
    member_number(&o, "bytes_out", r->bytes_out);
    return o;
}

static int longest_first(const void *a_in, const void *b_in)
{
    const struct found *a = a_in, *b = b_in;

    return (a->running->begun_ms > b->running->begun_ms) - (a->running->begun_ms < b->running->begun_ms);
}

/* In all[], which has room; returns their number. */
static size_t gather(const struct running_request *const answers[], uint32_t count, struct found *all)
{
    size_t n = 0;

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < answers[i]->list.count; k++)
            all[n++] = (struct found){ &answers[i]->list.all[k], answers[i]->worker };
    qsort(all, n, sizeof *all, longest_first);
    return n;
}

static json_t *list_json(const struct api *api, const struct found *all, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        element(&list, running_json(&all[i], api->now_ms));
    return list;
}

json_t *api_running(struct api *api, const struct running_request *const answers[], uint32_t count, uint32_t silent)
{
    struct found *all = malloc((size_t)(count + 1) * RUNNING_MOST * sizeof *all);
    json_t *o = json_object();
    uint64_t more = 0;

    if (all == NULL) {
        json_decref(o);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        more += answers[i]->list.total - answers[i]->list.count;
    member(&o, "exchanges", list_json(api, all, gather(answers, count, all)));
    member_number(&o, "more", more);
    member_number(&o, "silent", silent);
    free(all);
    return o;
}
