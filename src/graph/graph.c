#include "graph/graph.h"

#define NODE(n)       \
    {                 \
        N_##n, R_NONE \
    }
#define END(r)   \
    {            \
        0, R_##r \
    }

const struct node graph_nodes[GRAPH_NODES] = {
#define ASK(n, needs_, yes, no, spec_) \
    [N_##n] = { .name = #n, .spec = spec_, .needs = needs_, .ask = ask_##n, .out = { no, yes } },
#define ACT(n, needs_, gives_, next, spec_) \
    [N_##n] = { .name = #n, .spec = spec_, .needs = needs_, .gives = gives_, .act = act_##n, .out = { next } },
#include "graph/graph.def"
#undef ASK
#undef ACT
};

const struct graph_block graph_blocks[] = {
    { "arrive", N_receive },
    { "route", N_route },
    { "secure", N_secured },
    { "site", N_site_known },
    { "content", N_has_content },
    { "resource", N_open },
    { "collection", N_is_collection },
    { "create", N_would_create },
    { "negotiate", N_select },
    { "precondition", N_is_conditional },
    { "read", N_reads },
    { "write", N_removes },
    { "tunnel", N_tunnels },
    { "proxy", N_open_forward },
    { "gateway", N_loop_free },
    { "answer", N_give_answer },
};
const size_t graph_block_count = sizeof graph_blocks / sizeof graph_blocks[0];

const struct graph_stop graph_stops[] = {
#define MAY_STOP(node, reason) { N_##node, R_##reason },
#include "graph/stops.def"
#undef MAY_STOP
};
const size_t graph_stop_count = sizeof graph_stops / sizeof graph_stops[0];

const struct graph server_graph = {
    .nodes = graph_nodes,
    .blocks = graph_blocks,
    .stops = graph_stops,
    .node_count = GRAPH_NODES,
    .block_count = sizeof graph_blocks / sizeof graph_blocks[0],
    .stop_count = sizeof graph_stops / sizeof graph_stops[0],
};

bool graph_may_stop(unsigned node, enum reason why)
{
    for (size_t i = 0; i < graph_stop_count; i++)
        if (graph_stops[i].node == node && graph_stops[i].why == why)
            return true;
    return false;
}
