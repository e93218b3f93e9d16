#include "admin/forwarded.h"

#include "admin/member.h"
#include "admin/row.h"
#include "explain/node.h"
#include "graph/graph.h"
#include "graph/walk.h"

/* The questions that decide whether another try is made, and which of their answers do; the graph draws each try. */
static const struct {
    uint16_t node;
    bool no, yes;
} deciders[] = {
    { N_nothing_processed, .yes = true },
    { N_nothing_processed_again, .yes = true },
    { N_repeat_safe, .no = true, .yes = true },
    { N_repeat_safe_again, .no = true, .yes = true },
    { N_content_replayable, .no = true },
    { N_content_replayable_again, .no = true },
    { N_attempts_left, .no = true },
    { N_attempts_left_again, .no = true },
    { N_answered_last, .no = true },
};

/* What decided about each try; node 0: nothing did. */
struct decisions {
    struct {
        uint16_t node;
        bool yes;
    } of[FORWARD_ATTEMPTS];
};

static bool decides(uint16_t node, bool yes)
{
    for (size_t i = 0; i < sizeof deciders / sizeof deciders[0]; i++)
        if (deciders[i].node == node)
            return yes ? deciders[i].yes : deciders[i].no;
    return false;
}

static struct decisions decisions_of(const struct record *r)
{
    struct decisions d = { 0 };
    unsigned try = 0;
    struct walk w;

    walk_init(&w, r->trace);
    while (walk_next(&w)) {
        if (w.node == N_attempt_again)
            try = 1;
        else if (w.node == N_attempt_last)
            try = 2;
        if (graph_nodes[w.node].ask == NULL || !decides(w.node, w.yes))
            continue;
        d.of[try].node = w.node;
        d.of[try].yes = w.yes;
    }
    return d;
}

static json_t *because_json(uint16_t n, bool yes, enum language language)
{
    struct span name = span_of(graph_nodes[n].name);

    if (n == 0)
        return json_null();
    return json_pack("{s:s, s:s, s:s}", "node", graph_nodes[n].name, "text", explain_node(name, language), "says",
                     explain_node_answer(name, yes ? NODE_YES : NODE_NO, language));
}

static json_t *try_json(const struct record_try *t)
{
    json_t *o = json_object();

    member(&o, "server", row_text((struct span){ t->server, t->server_bytes }));
    member(&o, "reason", t->why != R_NONE ? json_string(reason_info(t->why)->name) : json_null());
    member_number(&o, "at", t->at);
    member(&o, "kept", json_boolean(t->kept));
    member(&o, "harmless", json_boolean(t->harmless));
    member_number(&o, "connect", t->connect_ms);
    member_number(&o, "send", t->send_ms);
    member_number(&o, "head", t->head_ms);
    return o;
}

static json_t *tries_json(const struct record *r, const struct record_forwarding *f, enum language language)
{
    struct decisions d = decisions_of(r);
    json_t *tries = json_array();

    for (unsigned i = 0; i < f->count && i < FORWARD_ATTEMPTS; i++) {
        json_t *o = try_json(&f->tries[i]);

        member(&o, "again", d.of[i].node != 0 ? json_boolean(i + 1 < f->count) : json_null());
        member(&o, "because", because_json(d.of[i].node, d.of[i].yes, language));
        element(&tries, o);
    }
    return tries;
}

json_t *forwarded_json(const struct record *r, enum language language)
{
    struct record_forwarding f;
    json_t *o;

    if (!record_forwarding(r, &f))
        return json_null();
    o = json_object();
    member(&o, "name", row_text((struct span){ f.upstream, f.upstream_bytes }));
    member_string(&o, "by", f.relayed ? "upstream" : "self");
    member_number(&o, "status", f.status);
    member(&o, "tries", tries_json(r, &f, language));
    return o;
}

void forwarded_row(json_t **o, const struct record *r)
{
    struct record_forwarding f = { 0 };

    record_forwarding(r, &f);
    member_string(o, "by", f.relayed ? "upstream" : "self");
    member(o, "upstream_name", row_text((struct span){ f.upstream, f.upstream_bytes }));
}

bool forwarded_to(const struct record *r, struct span name)
{
    struct record_forwarding f;

    return record_forwarding(r, &f) && span_is(name, (struct span){ f.upstream, f.upstream_bytes });
}
