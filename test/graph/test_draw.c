#include "graph/draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

typedef void (*draw_fn)(FILE *out, enum dialect dialect);

/* The whole of a drawing, NUL-terminated; the caller frees. */
static char *drawn(draw_fn draw, enum dialect dialect)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    assert_non_null(out);
    draw(out, dialect);
    assert_int_equal(fclose(out), 0);
    return text;
}

static unsigned times(const char *text, const char *what)
{
    unsigned count = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

static void has_once(const char *text, const char *format, ...)
{
    char what[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (times(text, what) != 1)
        fail_msg("%s: %u times", what, times(text, what));
}

/* Every node and edge has its id, once; `opener` is what stands before an id, for edges `from` too. */
static void check_ids(const char *text, const char *opener, const char *end_id)
{
    for (unsigned n = 0; n < GRAPH_NODES; n++) {
        const struct node *node = &graph_nodes[n];

        has_once(text, "%sn-%s\"", opener, node->name);
        if (node->act != NULL) {
            has_once(text, "%se-%s-next\"", opener, node->name);
        } else {
            has_once(text, "%se-%s-yes\"", opener, node->name);
            has_once(text, "%se-%s-no\"", opener, node->name);
        }
        if (end_id != NULL && node->act != NULL && node->out[0].end != R_NONE)
            has_once(text, "%s%s-%s-next\"", opener, end_id, node->name);
    }
    for (size_t s = 0; s < graph_stop_count; s++)
        has_once(text, "%se-%s-stop-%s\"", opener, graph_nodes[graph_stops[s].node].name,
                 reason_info(graph_stops[s].why)->name);
}

static void dot_has_all_ids_once(void **state)
{
    char *text = drawn(draw_dot, DIALECT_RFC);

    (void)state;
    check_ids(text, "id=\"", "r");
    for (size_t b = 0; b < graph_block_count; b++)
        has_once(text, "id=\"b-%s\"", graph_blocks[b].name);
    free(text);
}

static void dot_asks_in_words(void **state)
{
    char *text = drawn(draw_dot, DIALECT_RFC);

    (void)state;
    has_once(text, "label=<if match holds?<br/>");
    has_once(text, "label=<receive<br/>");
    assert_null(strstr(text, "label=<receive?"));
    assert_non_null(strstr(text, "https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1"));
    free(text);
}

static void json_has_all_ids_once(void **state)
{
    char *text = drawn(draw_json, DIALECT_RFC);

    (void)state;
    check_ids(text, "\"id\": \"", NULL);
    has_once(text, "\"kind\": \"act\", \"spec\": \"RFC9112:2.2\", \"needs\": [], \"gives\": [\"head\"]");
    free(text);
}

static const char *quoted(const struct draw_words *words, struct span node)
{
    (void)words;
    return span_is(node, SPAN("exists")) ? "Is \"it\" in C:\\?" : "Else.";
}

static void draw_worded(FILE *out, enum dialect dialect)
{
    draw_json_worded(out, dialect, &(struct draw_words){ .of = quoted });
}

static void json_has_a_text_in_each_node(void **state)
{
    char *text = drawn(draw_worded, DIALECT_RFC);

    (void)state;
    assert_int_equal(times(text, "\"text\": \""), GRAPH_NODES);
    has_once(text, "\"text\": \"Is \\\"it\\\" in C:\\\\?\"}");
    free(text);
}

static void json_tells_both_numbers(void **state)
{
    char *text = drawn(draw_json, DIALECT_IIS);

    (void)state;
    has_once(text, "\"end\": \"query-too-long\", \"status\": 404, \"detail\": 15}");
    free(text);
}

static void text_has_a_line_a_node(void **state)
{
    char *text = drawn(draw_text, DIALECT_RFC);

    (void)state;
    assert_int_equal(times(text, "\n"), GRAPH_NODES);
    has_once(text, "precondition  if_match_holds?         yes -> has_if_none_match, no -> may_be_applied\n");
    has_once(text, "was_removed?            yes -> gone (410), no -> not-found (404)\n");
    free(text);
}

static void ends_speak_the_dialect(void **state)
{
    static const struct {
        enum dialect dialect;
        const char *want;
    } cases[] = {
        { DIALECT_RFC, "header-fields-too-large (431)" },
        { DIALECT_NGINX, "header-fields-too-large (400, logs 494)" },
        { DIALECT_IIS, "header-fields-too-large (404.10)" },
        { DIALECT_RFC, "dropped-silently (no answer)" },
        { DIALECT_NGINX, "dropped-silently (no answer, logs 444)" },
        { DIALECT_IIS, "not-found (404.0)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = drawn(draw_text, cases[i].dialect);

        if (strstr(text, cases[i].want) == NULL)
            fail_msg("%s: %s", dialect_name(cases[i].dialect), cases[i].want);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dot_has_all_ids_once),         cmocka_unit_test(dot_asks_in_words),
        cmocka_unit_test(json_has_all_ids_once),        cmocka_unit_test(text_has_a_line_a_node),
        cmocka_unit_test(json_has_a_text_in_each_node), cmocka_unit_test(json_tells_both_numbers),
        cmocka_unit_test(ends_speak_the_dialect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
