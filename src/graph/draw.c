#include "graph/draw.h"

#include "graph/draw_impl.h"

unsigned draw_branches(unsigned n, struct draw_branch branches[2])
{
    if (graph_nodes[n].act != NULL) {
        branches[0] = (struct draw_branch){ "next", 0 };
        return 1;
    }
    branches[0] = (struct draw_branch){ "yes", 1 };
    branches[1] = (struct draw_branch){ "no", 0 };
    return 2;
}

size_t draw_block(unsigned n)
{
    size_t b = graph_block_count - 1;

    while (b > 0 && graph_blocks[b].first > n)
        b--;
    return b;
}

size_t draw_stop(unsigned n, size_t from)
{
    while (from < graph_stop_count && graph_stops[from].node != n)
        from++;
    return from;
}

struct draw_status draw_status(enum reason why, enum dialect dialect)
{
    struct code code = reason_code(why, dialect);
    struct draw_status s;
    int n = code.wire == 0 ? snprintf(s.text, sizeof s.text, "no answer")
                           : snprintf(s.text, sizeof s.text, "%u", code.wire);
    char *rest = s.text + n;
    size_t room = sizeof s.text - (size_t)n;

    if (code.detail == 0)
        return s;
    if (dialect == DIALECT_IIS)
        snprintf(rest, room, ".%u", code.detail - 1u);
    else
        snprintf(rest, room, ", %s %u", dialect == DIALECT_NGINX ? "logs" : "tells", code.detail);
    return s;
}

/* "request_ok": where an edge leads; a reason with its status. */
static void edge_text(FILE *out, struct edge e, enum dialect dialect)
{
    if (e.end == R_NONE)
        fprintf(out, "%s", graph_nodes[e.to].name);
    else
        fprintf(out, "%s (%s)", reason_info(e.end)->name, draw_status(e.end, dialect).text);
}

static void stops_text(FILE *out, unsigned n, enum dialect dialect)
{
    const char *before = "; stops: ";

    for (size_t s = draw_stop(n, 0); s < graph_stop_count; s = draw_stop(n, s + 1)) {
        enum reason why = graph_stops[s].why;

        fprintf(out, "%s%s (%s)", before, reason_info(why)->name, draw_status(why, dialect).text);
        before = ", ";
    }
}

void draw_text(FILE *out, enum dialect dialect)
{
    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        const struct node *node = &graph_nodes[n];
        struct draw_branch branches[2];
        unsigned count = draw_branches(n, branches);

        fprintf(out, "%-12s  %s%-*s", graph_blocks[draw_block(n)].name, node->name, (int)(24 - strlen(node->name)),
                node->ask != NULL ? "?" : "");
        for (unsigned b = 0; b < count; b++) {
            fprintf(out, "%s%s -> ", b > 0 ? ", " : "", branches[b].name);
            edge_text(out, node->out[branches[b].out], dialect);
        }
        stops_text(out, n, dialect);
        fputc('\n', out);
    }
}

static void facts_json(FILE *out, const char *name, uint32_t facts)
{
    static const char *const names[] = { "head", "target", "route", "meta", "selected", "content", "range", "reply" };
    const char *before = "";

    _Static_assert(F_REPLY == 1 << 7, "name the new fact");
    fprintf(out, ", \"%s\": [", name);
    for (unsigned f = 0; f < sizeof names / sizeof names[0]; f++) {
        if (((facts >> f) & 1) == 0)
            continue;
        fprintf(out, "%s\"%s\"", before, names[f]);
        before = ", ";
    }
    fputc(']', out);
}

/* A text of ours: it has no control characters. */
static void text_json(FILE *out, const char *text)
{
    fputs(", \"text\": \"", out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void node_json(FILE *out, unsigned n, const struct draw_words *words)
{
    const struct node *node = &graph_nodes[n];
    const char *before = "";

    fprintf(out, "    {\"id\": \"n-%s\", \"name\": \"%s\", \"block\": \"%s\", \"kind\": \"%s\", \"spec\": \"%s\"",
            node->name, node->name, graph_blocks[draw_block(n)].name, node->ask != NULL ? "ask" : "act", node->spec);
    facts_json(out, "needs", node->needs);
    facts_json(out, "gives", node->gives);
    fputs(", \"stops\": [", out);
    for (size_t s = draw_stop(n, 0); s < graph_stop_count; s = draw_stop(n, s + 1)) {
        fprintf(out, "%s\"%s\"", before, reason_info(graph_stops[s].why)->name);
        before = ", ";
    }
    fputc(']', out);
    if (words != NULL)
        text_json(out, words->of(words, span_of(node->name)));
    fputc('}', out);
}

/* The end of an edge's object: the reason, and both numbers of the dialect. */
static void end_json(FILE *out, enum reason why, enum dialect dialect)
{
    struct code code = reason_code(why, dialect);

    fprintf(out, "\"end\": \"%s\", \"status\": %u, \"detail\": ", reason_info(why)->name, code.wire);
    if (code.detail == 0)
        fputs("null}", out);
    else
        fprintf(out, "%u}", dialect == DIALECT_IIS ? code.detail - 1u : code.detail);
}

static void edges_json(FILE *out, unsigned n, enum dialect dialect)
{
    const char *name = graph_nodes[n].name;
    struct draw_branch branches[2];
    unsigned count = draw_branches(n, branches);

    for (unsigned b = 0; b < count; b++) {
        struct edge e = graph_nodes[n].out[branches[b].out];

        fprintf(out, "%s\n    {\"id\": \"e-%s-%s\", \"from\": \"%s\", \"on\": \"%s\", ", n + b > 0 ? "," : "", name,
                branches[b].name, name, branches[b].name);
        if (e.end == R_NONE)
            fprintf(out, "\"to\": \"%s\"}", graph_nodes[e.to].name);
        else
            end_json(out, e.end, dialect);
    }
    for (size_t s = draw_stop(n, 0); s < graph_stop_count; s = draw_stop(n, s + 1)) {
        fprintf(out, ",\n    {\"id\": \"e-%s-stop-%s\", \"from\": \"%s\", \"on\": \"stop\", ", name,
                reason_info(graph_stops[s].why)->name, name);
        end_json(out, graph_stops[s].why, dialect);
    }
}

void draw_json(FILE *out, enum dialect dialect)
{
    draw_json_worded(out, dialect, NULL);
}

void draw_json_worded(FILE *out, enum dialect dialect, const struct draw_words *words)
{
    fprintf(out, "{\n  \"graph\": \"server\",\n  \"dialect\": \"%s\",\n  \"blocks\": [", dialect_name(dialect));
    for (size_t b = 0; b < graph_block_count; b++)
        fprintf(out, "%s\n    {\"name\": \"%s\", \"first\": \"%s\"}", b > 0 ? "," : "", graph_blocks[b].name,
                graph_nodes[graph_blocks[b].first].name);
    fputs("\n  ],\n  \"nodes\": [", out);
    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        fputs(n > 0 ? ",\n" : "\n", out);
        node_json(out, n, words);
    }
    fputs("\n  ],\n  \"edges\": [", out);
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        edges_json(out, n, dialect);
    fputs("\n  ]\n}\n", out);
}
