#include "graph/draw.h"
#include "graph/draw_impl.h"

/* Light ground of a block, and the line and the acts of it. Block by block, in the order of graph_blocks; then again
 * from the start. */
static const struct {
    const char *ground, *act, *line;
} colours[] = {
    { "#f1f5f9", "#dbe4ee", "#64748b" }, { "#eff6ff", "#d6e6fd", "#3b6fc4" }, { "#fdf4ff", "#f3dcfb", "#a13dc0" },
    { "#f0fdfa", "#ccf3ea", "#0f8a7c" }, { "#fefce8", "#f9edb4", "#a27a08" }, { "#f7fee7", "#e2f5b9", "#5c8a12" },
    { "#ecfeff", "#cbf3fa", "#0d87a3" }, { "#fff7ed", "#fde3c8", "#c2600f" }, { "#f5f3ff", "#e2dcfd", "#6d4fd8" },
    { "#fdf2f8", "#fbd9ea", "#be3a7c" }, { "#f8fafc", "#e2e8f0", "#475569" },
};
#define COLOURS (sizeof colours / sizeof colours[0])

/* Ends, by the class of what is sent: nothing, 1xx, 2xx, 3xx, 4xx, 5xx. */
static const struct {
    const char *fill, *line;
} classes[] = {
    { "#e5e7eb", "#4b5563" }, { "#e5e7eb", "#4b5563" }, { "#d3f5dc", "#1a7f37" },
    { "#d7e9fd", "#1f5fb0" }, { "#fdebc8", "#b45309" }, { "#fcd9d9", "#b42318" },
};

/* Beside the name in a box: other fonts than the one that it was measured with may be wider. */
#define SPARE_POINTS 14

/* More stops of an act than this stand in two columns. */
#define STOPS_IN_A_COLUMN 9

static size_t stops_count(unsigned n)
{
    size_t count = 0;

    for (size_t s = draw_stop(n, 0); s < graph_stop_count; s = draw_stop(n, s + 1))
        count++;
    return count;
}

static unsigned class_of(enum reason why, enum dialect dialect)
{
    unsigned class = reason_code(why, dialect).wire / 100u;

    return class < sizeof classes / sizeof classes[0] ? class : 0;
}

static void words(FILE *out, const char *name)
{
    for (; *name != '\0'; name++)
        fputc(*name == '_' ? ' ' : *name, out);
}

/* Link to the section that a spec names, so that the picture leads on to the rule. */
static void link_to(FILE *out, const char *spec)
{
    const char *colon = strchr(spec, ':');

    if (strncmp(spec, "RFC", 3) == 0 && colon != NULL)
        fprintf(out, ", URL=\"https://www.rfc-editor.org/rfc/rfc%.*s#section-%s\"", (int)(colon - spec - 3), spec + 3,
                colon + 1);
}

static void node_dot(FILE *out, unsigned n)
{
    const struct node *node = &graph_nodes[n];
    size_t colour = draw_block(n) % COLOURS;
    bool asks = node->ask != NULL;

    fprintf(out, "        \"n-%s\" [id=\"n-%s\", label=<", node->name, node->name);
    words(out, node->name);
    fprintf(out,
            "%s<br/><font point-size=\"8\" color=\"#6b7280\">%s</font>>, style=\"%s\", fillcolor=\"%s\", "
            "color=\"%s\"",
            asks ? "?" : "", node->spec, asks ? "rounded,filled" : "filled", asks ? "#ffffff" : colours[colour].act,
            colours[colour].line);
    link_to(out, node->spec);
    fprintf(out, ", tooltip=\"%s: %s\"];\n", asks ? "question" : "work", node->name);
}

/* Keeps a box level with its node: dot copes with one such pair a node, not with more. */
static void beside_dot(FILE *out, unsigned n, const char *branch)
{
    fprintf(out, "        { rank=same; \"n-%s\"; \"r-%s-%s\"; }\n", graph_nodes[n].name, graph_nodes[n].name, branch);
}

static void end_dot(FILE *out, unsigned n, const char *branch, enum reason why, enum dialect dialect)
{
    const char *name = graph_nodes[n].name;
    unsigned class = class_of(why, dialect);

    fprintf(out,
            "        \"r-%s-%s\" [id=\"r-%s-%s\", label=<<b>%s</b>&#160;&#160;%s>, style=\"rounded,filled\", "
            "fillcolor=\"%s\", "
            "color=\"%s\", fontcolor=\"%s\", tooltip=\"%s\"];\n",
            name, branch, name, branch, draw_status(why, dialect).text, reason_info(why)->name, classes[class].fill,
            classes[class].line, classes[class].line, reason_info(why)->text);
}

static void stop_cells_dot(FILE *out, unsigned n, enum reason why, enum dialect dialect)
{
    const char *colour = classes[class_of(why, dialect)].line;

    fprintf(out,
            "<td align=\"right\"><font color=\"%s\"><b>%s</b></font></td>"
            "<td align=\"left\" id=\"e-%s-stop-%s\" href=\"#\" title=\"%s\"><font color=\"%s\">%s</font></td>"
            "<td width=\"%d\"></td>",
            colour, draw_status(why, dialect).text, graph_nodes[n].name, reason_info(why)->name, reason_info(why)->text,
            colour, reason_info(why)->name, SPARE_POINTS);
}

/* All stops of an act in one box; many of them stand in two columns. Writes nothing when it has none. */
static void stops_dot(FILE *out, unsigned n, enum dialect dialect)
{
    const char *name = graph_nodes[n].name;
    size_t count = stops_count(n), rows = count > STOPS_IN_A_COLUMN ? (count + 1) / 2 : count;
    size_t left = draw_stop(n, 0), right = left;

    if (count == 0)
        return;
    for (size_t i = 0; i < rows && rows < count; i++)
        right = draw_stop(n, right + 1);
    fprintf(out,
            "        \"r-%s-stop\" [id=\"r-%s-stop\", shape=plain, label=<<table border=\"1\" style=\"rounded\" "
            "cellborder=\"0\" cellspacing=\"0\" cellpadding=\"3\" bgcolor=\"#ffffff\" color=\"#9ca3af\">",
            name, name);
    for (size_t row = 0; row < rows; row++) {
        fputs("<tr>", out);
        stop_cells_dot(out, n, graph_stops[left].why, dialect);
        left = draw_stop(n, left + 1);
        if (row + rows < count) {
            stop_cells_dot(out, n, graph_stops[right].why, dialect);
            right = draw_stop(n, right + 1);
        }
        fputs("</tr>", out);
    }
    fputs("</table>>];\n", out);
    beside_dot(out, n, "stop");
}

/* The boxes in which n can end. */
static void ends_dot(FILE *out, unsigned n, enum dialect dialect)
{
    struct draw_branch branches[2];
    unsigned count = draw_branches(n, branches);
    const char *level = NULL;

    for (unsigned b = 0; b < count; b++) {
        struct edge e = graph_nodes[n].out[branches[b].out];

        if (e.end == R_NONE)
            continue;
        end_dot(out, n, branches[b].name, e.end, dialect);
        level = branches[b].name;
    }
    if (stops_count(n) == 0 && level != NULL)
        beside_dot(out, n, level);
    stops_dot(out, n, dialect);
}

static bool is_front_door(unsigned node)
{
    return node == graph_blocks[draw_block(node)].first;
}

/* The main way down is straight, a block holds together, and the way around a whole block keeps close to it. */
static unsigned edge_weight(unsigned from, struct edge e)
{
    if (e.end != R_NONE)
        return 1;
    if (e.to == from + 1 || draw_block(e.to) == draw_block(from))
        return 12;
    return is_front_door(from) && is_front_door(e.to) ? 6 : 1;
}

static void edges_dot(FILE *out, unsigned n)
{
    const char *name = graph_nodes[n].name;
    struct draw_branch branches[2];
    unsigned count = draw_branches(n, branches);

    for (unsigned b = 0; b < count; b++) {
        const char *branch = branches[b].name;
        struct edge e = graph_nodes[n].out[branches[b].out];

        fprintf(out, "    \"n-%s\" -> ", name);
        if (e.end == R_NONE)
            fprintf(out, "\"n-%s\"", graph_nodes[e.to].name);
        else
            fprintf(out, "\"r-%s-%s\"", name, branch);
        fprintf(out, " [id=\"e-%s-%s\", weight=%u", name, branch, edge_weight(n, e));
        if (count > 1)
            fprintf(out, ", label=\" %s \", color=\"%s\", fontcolor=\"%s\"", branch, b == 0 ? "#1a7f37" : "#b42318",
                    b == 0 ? "#1a7f37" : "#b42318");
        fputs("];\n", out);
    }
    if (draw_stop(n, 0) < graph_stop_count)
        fprintf(out, "    \"n-%s\" -> \"r-%s-stop\" [id=\"e-%s-stop\", style=dashed, label=\" stops \"];\n", name, name,
                name);
}

static void block_dot(FILE *out, size_t block, enum dialect dialect)
{
    size_t last = block + 1 < graph_block_count ? graph_blocks[block + 1].first : GRAPH_NODES;
    size_t colour = block % COLOURS;

    fprintf(out,
            "    subgraph \"cluster_%s\" {\n        id=\"b-%s\"; label=<<b>%s</b>>; labeljust=l; fontsize=18; "
            "tooltip=\"%s\"; margin=18;\n        style=\"rounded,filled\"; fillcolor=\"%s\"; color=\"%s\"; "
            "fontcolor=\"%s\";\n",
            graph_blocks[block].name, graph_blocks[block].name, graph_blocks[block].name, graph_blocks[block].name,
            colours[colour].ground, colours[colour].line, colours[colour].line);
    for (unsigned n = graph_blocks[block].first; n < last; n++) {
        node_dot(out, n);
        ends_dot(out, n, dialect);
    }
    fputs("    }\n", out);
}

void draw_dot(FILE *out, enum dialect dialect)
{
    fprintf(out,
            "digraph server {\n"
            "    graph [id=\"server\", rankdir=TB, ranksep=0.42, nodesep=0.3, bgcolor=\"#ffffff\", "
            "pad=0.3, fontname=\"DejaVu Sans,Verdana,sans-serif\", tooltip=\"The decisions of the server, codes as %s "
            "sends them\"];\n"
            "    node [shape=box, fontname=\"DejaVu Sans,Verdana,sans-serif\", fontsize=11, margin=\"0.16,0.07\", "
            "height=0.4, penwidth=1.2];\n"
            "    edge [fontname=\"DejaVu Sans,Verdana,sans-serif\", fontsize=10, color=\"#6b7280\", "
            "fontcolor=\"#6b7280\", arrowsize=0.7];\n",
            dialect_name(dialect));
    for (size_t b = 0; b < graph_block_count; b++)
        block_dot(out, b, dialect);
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        edges_dot(out, n);
    fputs("}\n", out);
}
