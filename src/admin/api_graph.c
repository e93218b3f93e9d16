#include "admin/api.h"
#include "admin/text.h"
#include "explain/node.h"
#include "graph/draw.h"

struct words {
    struct draw_words draw;
    enum language language;
};

static const char *words_of(const struct draw_words *words, struct span node)
{
    const char *text = explain_node(node, ((const struct words *)words)->language);

    return text != NULL ? text : "";
}

/* Written as text at once: nothing has to be read back, for which the library of JSON needs memory that it does not
 * always get. */
char *api_graph(const struct api *api, size_t *bytes_out)
{
    const struct words words = { { words_of }, api->language };
    struct text t = { 0 };
    FILE *out = text_open(&t);

    if (out != NULL)
        draw_json_worded(out, DIALECT_RFC, &words.draw);
    return text_close(&t, out, bytes_out);
}
