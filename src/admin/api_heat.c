#include <stdio.h>

#include "admin/api.h"
#include "admin/member.h"
#include "graph/graph.h"

#define ID_BYTES 128u

static void put_edge(json_t **o, const char *node, const char *branch, uint64_t count)
{
    char id[ID_BYTES];

    if (count == 0)
        return;
    snprintf(id, sizeof id, "e-%s-%s", node, branch);
    member_number(o, id, count);
}

static void put_stop(json_t **o, const struct graph_stop *stop, uint64_t count)
{
    char branch[ID_BYTES / 2];

    snprintf(branch, sizeof branch, "stop-%s", reason_info(stop->why)->name);
    put_edge(o, graph_nodes[stop->node].name, branch, count);
}

/* By their ids in the picture (graph/draw.h). */
static json_t *edges_json(const struct branches *b)
{
    json_t *o = json_object();

    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        const struct node *node = &graph_nodes[n];

        put_edge(&o, node->name, node->ask != NULL ? "no" : "next", b->edges[n][0]);
        if (node->ask != NULL)
            put_edge(&o, node->name, "yes", b->edges[n][1]);
    }
    for (size_t row = 0; row < graph_stop_count && row < TALLY_STOPS; row++)
        put_stop(&o, &graph_stops[row], b->stops[row]);
    return o;
}

static bool query_fits(struct api *api, const struct query *q, uint64_t *minutes, uint64_t *failed)
{
    static const struct span known[] = { SPAN_INIT("minutes"), SPAN_INIT("failed"), SPAN_INIT("lang") };

    if (!query_number(q, SPAN("minutes"), 0, HISTORY_MINUTES, minutes) ||
        (*minutes != 0 && *minutes != 1 && *minutes != 5 && *minutes != HISTORY_MINUTES))
        api->fault = SPAN("minutes");
    else if (!query_number(q, SPAN("failed"), 0, 1, failed))
        api->fault = SPAN("failed");
    else
        api->fault = query_unknown(q, known, sizeof known / sizeof known[0]);
    return api->fault.n == 0;
}

json_t *api_heat(struct api *api, const struct query *q)
{
    uint64_t minutes, failed, covers_ms;
    struct branches b;
    json_t *o;

    if (!query_fits(api, q, &minutes, &failed))
        return NULL;
    history_branches(api->history, (uint32_t)minutes, failed > 0, api->now_ms, &b, &covers_ms);
    o = json_object();
    member_number(&o, "minutes", minutes);
    member_number(&o, "covers_ms", covers_ms);
    member(&o, "failed", json_boolean(failed > 0));
    member_number(&o, "exchanges", b.exchanges);
    member(&o, "edges", edges_json(&b));
    return o;
}
