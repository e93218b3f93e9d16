#include <stdio.h>
#include <stdlib.h>

#include "admin/api.h"
#include "admin/member.h"
#include "explain/node.h"
#include "graph/draw.h"

/* What `verdict graph --format json` writes; NULL without memory. */
static json_t *drawn(void)
{
    json_t *graph = NULL;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (out == NULL)
        return NULL;
    draw_json(out, DIALECT_RFC);
    if (fclose(out) == 0)
        graph = json_loadb(text, bytes, 0, NULL);
    free(text);
    return graph;
}

json_t *api_graph(struct api *api)
{
    json_t *graph = drawn(), *node;
    size_t i;

    json_array_foreach(json_object_get(graph, "nodes"), i, node)
    {
        struct span name = span_of(json_string_value(json_object_get(node, "name")));
        const char *text = explain_node(name, api->language);

        if (json_object_set_new(node, "text", json_string(text != NULL ? text : "")) != 0) {
            json_decref(graph);
            return NULL;
        }
    }
    return graph;
}
