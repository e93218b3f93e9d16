#include <getopt.h>

#include "admin/page.h"
#include "base/check.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "graph/draw.h"

static const char help[] =
    "Usage: verdict graph [server] [options]\n"
    "\n"
    "The decision graph that takes each request to its reason.\n"
    "\n"
    "      --format svg|dot|text|json   default: text, a line a node; svg is the picture, dot is for Graphviz\n"
    "      --dialect NAME               whose codes the ends show: rfc, nginx, iis or cloudflare (default: rfc)\n"
    "      --help                       this text\n";

enum { OPTION_HELP = 256, OPTION_FORMAT, OPTION_DIALECT };

static const struct option long_options[] = {
    { "format", required_argument, NULL, OPTION_FORMAT },
    { "dialect", required_argument, NULL, OPTION_DIALECT },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

static void draw_svg(FILE *out, enum dialect dialect)
{
    const struct admin_page *picture = admin_page_find(SPAN("/graph.svg"));

    (void)dialect;
    if (ALWAYS(picture != NULL))
        fwrite(picture->content.p, 1, picture->content.n, out);
}

static const struct {
    const char *name;
    void (*draw)(FILE *out, enum dialect dialect);
} formats[] = { { "text", draw_text }, { "svg", draw_svg }, { "dot", draw_dot }, { "json", draw_json } };
#define FORMATS (sizeof formats / sizeof formats[0])

static size_t format_find(const char *name)
{
    size_t f = 0;

    while (f < FORMATS && strcmp(formats[f].name, name) != 0)
        f++;
    return f;
}

static int graph(int count, char **names, size_t format, enum dialect dialect)
{
    if (count > 0 && strcmp(names[0], "client") == 0)
        return output_wrong("graph", "client", "this program has no graph of the client", "verdict graph server");
    if (count > 0 && strcmp(names[0], "server") != 0)
        return output_wrong("graph", names[0], "no such graph", "verdict graph server");
    if (count > 1)
        return output_wrong("graph", names[1], "not expected", "one graph at a time");
    if (formats[format].draw == draw_svg && dialect != DIALECT_RFC)
        return output_wrong("graph", dialect_name(dialect), "the picture is drawn with the codes of the RFCs",
                            "--format dot, and draw it with Graphviz");
    formats[format].draw(stdout, dialect);
    return output_end("graph", stdout);
}

int cli_graph(int argc, char **argv)
{
    enum dialect dialect = DIALECT_RFC;
    size_t format = 0;
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_HELP:
            fputs(help, stdout);
            return output_end("graph", stdout);
        case OPTION_FORMAT:
            format = format_find(optarg);
            if (format == FORMATS)
                return output_wrong("graph", optarg, "no such format", "--format svg, dot, text or json");
            break;
        case OPTION_DIALECT:
            dialect = dialect_find(span_of(optarg));
            if (dialect == DIALECTS)
                return output_wrong("graph", optarg, "no such dialect", "rfc, nginx, iis or cloudflare");
            break;
        default:
            return output_wrong("graph", argv[optind - 1], "option unknown or without its value",
                                "verdict graph --help");
        }
    }
    return graph(argc - optind, argv + optind, format, dialect);
}
