#include "explain/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

#define TEXT_BYTES_MOST 200

/* The rows as they are written, node by node. */
struct row {
    const char *node;
    bool asks;
    const char *what, *first, *second;
};

#define ASK_TEXT(node, what, yes, no)       { #node, true, (what), (yes), (no) },
#define ACT_TEXT(node, what, done, stopped) { #node, false, (what), (done), (stopped) },

static const struct row rows[LANGUAGES][GRAPH_NODES + 1] = {
    [LANGUAGE_EN] = {
#include "explain/nodes.en.def"
    },
    [LANGUAGE_ZH_CN] = {
#include "explain/nodes.zh-CN.def"
    },
    [LANGUAGE_ZH_TW] = {
#include "explain/nodes.zh-TW.def"
    },
};

static bool ends_with(const char *text, const char *end)
{
    return span_ends(span_of(text), span_of(end));
}

static bool has_chinese(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text >= 0xE4 && (unsigned char)*text <= 0xE9)
            return true;
    return false;
}

/* Half-width punctuation beside Chinese; a full stop within a name of HTTP has no space behind it. */
static bool has_half_width(const char *text)
{
    static const char *const marks[] = { ", ", ",", ". ", "; ", ": ", "? ", "(", ")" };

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (strstr(text, marks[i]) != NULL)
            return true;
    return false;
}

static void check(const char *text, const char *end, enum language language, const char *about)
{
    bool chinese = language != LANGUAGE_EN;
    bool good = text != NULL && strlen(text) <= TEXT_BYTES_MOST && ends_with(text, end) &&
                has_chinese(text) == chinese && !(chinese && has_half_width(text));

    if (!good)
        fail_msg("%s (%s): %s", about, explain_language_tag(language), text != NULL ? text : "no text");
}

static bool may_stop(unsigned node)
{
    for (size_t s = 0; s < graph_stop_count; s++)
        if (graph_stops[s].node == node)
            return true;
    return false;
}

static void check_ask(struct span name, enum language l)
{
    const char *stop = l == LANGUAGE_EN ? "." : "。";

    check(explain_node(name, l), l == LANGUAGE_EN ? "?" : "？", l, name.p);
    check(explain_node_answer(name, NODE_YES, l), stop, l, name.p);
    check(explain_node_answer(name, NODE_NO, l), stop, l, name.p);
    assert_string_not_equal(explain_node_answer(name, NODE_YES, l), explain_node_answer(name, NODE_NO, l));
}

static void check_act(struct span name, enum language l)
{
    const char *stop = l == LANGUAGE_EN ? "." : "。";

    check(explain_node(name, l), stop, l, name.p);
    check(explain_node_answer(name, NODE_DONE, l), stop, l, name.p);
    check(explain_node_answer(name, NODE_STOPPED, l), stop, l, name.p);
    check(explain_node_answer(name, NODE_WAITS, l), stop, l, name.p);
}

static void no_node_lacks_a_text(void **state)
{
    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++)
        for (unsigned n = 0; n < GRAPH_NODES; n++)
            if (graph_nodes[n].ask != NULL)
                check_ask(span_of(graph_nodes[n].name), l);
            else
                check_act(span_of(graph_nodes[n].name), l);
}

/* One row for each node, of its kind, and in the graph's order. */
static void rows_are_the_nodes(void **state)
{
    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++) {
        for (unsigned n = 0; n < GRAPH_NODES; n++) {
            assert_non_null(rows[l][n].node);
            assert_string_equal(rows[l][n].node, graph_nodes[n].name);
            assert_int_equal(rows[l][n].asks, graph_nodes[n].ask != NULL);
        }
        assert_null(rows[l][GRAPH_NODES].node);
    }
}

/* No text is empty but that of a stop that cannot be; and such a stop has none. */
static void only_acts_that_stop_tell_of_it(void **state)
{
    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++)
        for (unsigned n = 0; n < GRAPH_NODES; n++) {
            const struct row *row = &rows[l][n];
            bool has_second = row->asks || may_stop(n);

            if (row->first[0] == '\0' || (row->second[0] != '\0') != has_second)
                fail_msg("%s (%s)", row->node, explain_language_tag(l));
            if (!row->asks && !has_second)
                assert_string_equal(explain_node_answer(span_of(row->node), NODE_STOPPED, l),
                                    explain_node_answer(SPAN("-"), NODE_STOPPED, l));
        }
}

/* What this program has not: origins to log in to, WebDAV methods, a cache. */
static void nothing_is_promised(void **state)
{
    static const char *const absent[] = { "--", "Authorization", "PROPFIND", "MKCOL", "LOCK", "cache" };

    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++)
        for (unsigned n = 0; n < GRAPH_NODES; n++)
            for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
                assert_null(strstr(rows[l][n].what, absent[i]));
                assert_null(strstr(rows[l][n].first, absent[i]));
                assert_null(strstr(rows[l][n].second, absent[i]));
            }
}

static void texts_stand_at_their_nodes(void **state)
{
    (void)state;
    assert_string_equal(explain_node(SPAN("exists"), LANGUAGE_EN), "Is there something at the path?");
    assert_string_equal(explain_node_answer(SPAN("exists"), NODE_YES, LANGUAGE_EN), "Yes, something is there.");
    assert_string_equal(explain_node_answer(SPAN("exists"), NODE_NO, LANGUAGE_EN), "No, nothing is there.");
    assert_string_equal(explain_node_answer(SPAN("store"), NODE_DONE, LANGUAGE_EN), "It is stored.");
    assert_string_equal(explain_node_answer(SPAN("remove"), NODE_STOPPED, LANGUAGE_ZH_CN), "删除没有成功。");
    assert_string_equal(explain_node(SPAN("is_collection"), LANGUAGE_ZH_TW), "它是集合（例如目錄）嗎？");
}

static void what_nobody_knows_has_plain_answers(void **state)
{
    (void)state;
    assert_null(explain_node(SPAN("exist"), LANGUAGE_EN));
    assert_null(explain_node(SPAN(""), LANGUAGE_ZH_TW));
    assert_string_equal(explain_node_answer(SPAN("exist"), NODE_YES, LANGUAGE_EN), "Yes.");
    assert_string_equal(explain_node_answer(SPAN("exist"), NODE_NO, LANGUAGE_ZH_CN), "否。");
    assert_string_equal(explain_node_answer(SPAN("exists"), NODE_DONE, LANGUAGE_EN), "Done.");
    assert_string_equal(explain_node_answer(SPAN("route"), NODE_STOPPED, LANGUAGE_EN), "It ended here.");
    assert_string_equal(explain_node_answer(SPAN("open"), NODE_WAITS, LANGUAGE_ZH_TW), "尚未完成，仍在等待。");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_node_lacks_a_text),           cmocka_unit_test(rows_are_the_nodes),
        cmocka_unit_test(only_acts_that_stop_tell_of_it), cmocka_unit_test(nothing_is_promised),
        cmocka_unit_test(texts_stand_at_their_nodes),     cmocka_unit_test(what_nobody_knows_has_plain_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
