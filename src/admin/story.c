#include "admin/story.h"

#include <stdio.h>

#include "admin/story_fact.h"
#include "explain/node.h"
#include "graph/graph.h"
#include "graph/walk.h"

#define ID_BYTES 128u

/* How a node was left: the name of its answer, and the ids of the picture (graph/draw.h). */
struct way {
    enum node_answer answer;
    char edge[ID_BYTES]; /* empty: by none that is drawn */
    char box[ID_BYTES];  /* empty: the exchange did not end there */
};

static const char *const answer_names[] = {
    [NODE_NO] = "no", [NODE_YES] = "yes", [NODE_DONE] = "done", [NODE_STOPPED] = "stopped", [NODE_WAITS] = "waits",
};

static void write_id(char out[ID_BYTES], const char *kind, const char *node, const char *branch)
{
    snprintf(out, ID_BYTES, "%s-%s-%s", kind, node, branch);
}

static void leave_by(struct way *way, const struct node *node, enum node_answer answer, const char *branch, bool ends)
{
    way->answer = answer;
    write_id(way->edge, "e", node->name, branch);
    if (ends)
        write_id(way->box, "r", node->name, branch);
}

static void stop_in(struct way *way, unsigned n, enum reason why)
{
    way->answer = NODE_STOPPED;
    write_id(way->box, "r", graph_nodes[n].name, "stop");
    if (graph_may_stop(n, why))
        snprintf(way->edge, ID_BYTES, "e-%s-stop-%s", graph_nodes[n].name, reason_info(why)->name);
}

/*
 * Of the last act only the reason tells how it was left. An answer that found no memory has another reason than the
 * graph came to; where no answer was begun, the act was waiting when the client went.
 */
static void leave_last_act(struct way *way, const struct record *r, unsigned n)
{
    const struct node *node = &graph_nodes[n];
    enum reason end = node->out[0].end;
    bool answered = r->moments.answered_ms != 0;

    if (r->why != R_NONE && end == r->why)
        leave_by(way, node, NODE_DONE, "next", true);
    else if (r->why != R_NONE && graph_may_stop(n, r->why))
        stop_in(way, n, r->why);
    else if (answered && end != R_NONE)
        leave_by(way, node, NODE_DONE, "next", true);
    else if (answered)
        stop_in(way, n, r->why);
    else
        way->answer = NODE_WAITS;
}

static struct way way_of(const struct record *r, const struct walk *w)
{
    const struct node *node = &graph_nodes[w->node];
    struct way way = { 0 };

    if (node->ask != NULL)
        leave_by(&way, node, w->yes ? NODE_YES : NODE_NO, w->yes ? "yes" : "no", node->out[w->yes].end != R_NONE);
    else if (!w->last)
        leave_by(&way, node, NODE_DONE, "next", false);
    else
        leave_last_act(&way, r, w->node);
    return way;
}

static const char *block_of(unsigned n)
{
    size_t b = graph_block_count - 1;

    while (b > 0 && graph_blocks[b].first > n)
        b--;
    return graph_blocks[b].name;
}

static const char *or_null(const char *id)
{
    return id[0] != '\0' ? id : NULL;
}

static json_t *node_json(struct story_facts *facts, const struct walk *w, enum language language)
{
    const struct node *node = &graph_nodes[w->node];
    struct way way = way_of(facts->record, w);
    struct span name = span_of(node->name);

    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:o}", "node", node->name, "block", block_of(w->node),
                     "kind", node->ask != NULL ? "ask" : "act", "answer", answer_names[way.answer], "edge",
                     or_null(way.edge), "text", explain_node(name, language), "says",
                     explain_node_answer(name, way.answer, language), "spec", node->spec, "facts",
                     story_facts_of(facts, w->node, w->last, way.answer == NODE_STOPPED));
}

json_t *story_path(const struct admin_source *source, const struct record *r, enum language language)
{
    struct story_facts facts;
    struct walk w;
    json_t *path = json_array();
    bool failed = !story_facts_begin(&facts, source, r) || path == NULL;

    walk_init(&w, r->trace);
    while (!failed && walk_next(&w))
        failed = json_array_append_new(path, node_json(&facts, &w, language)) != 0;
    story_facts_end(&facts);
    if (!failed)
        return path;
    json_decref(path);
    return NULL;
}

json_t *story_end(const struct record *r)
{
    struct way way = { 0 };
    struct walk w;

    walk_init(&w, r->trace);
    while (walk_next(&w))
        way = way_of(r, &w);
    if (way.box[0] == '\0')
        return json_null();
    return json_pack("{s:s, s:s?}", "box", way.box, "edge", or_null(way.edge));
}
