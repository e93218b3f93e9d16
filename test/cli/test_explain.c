#include "cli/cli.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/explain_impl.h"
#include "cli/output.h"
#include "graph/graph.h"
#include "run.h"

/* Line by line: command, exit code, a part of the output, the whole of the errors (NULL: none). */
static const struct {
    int (*command)(int, char **);
    const char *line;
    int code;
    const char *out, *err;
} cases[] = {
    { cli_explain, "explain 404", 0, "404 Not Found", NULL },
    { cli_explain, "explain bad gateway", 0, "502 Bad Gateway", NULL },
    { cli_explain, "explain --lang zh-TW if-match-failed", 0, "怎麼辦", NULL },
    { cli_explain, "explain if-match-failed --lang zh-CN", 0, "怎么办", NULL },
    { cli_explain, "explain 404 --lang zh-CN", 0, "  服务器要发送    （英文）SHOULD: content\n", NULL },
    { cli_explain, "explain 404 --lang zh-TW", 0, "  可否快取        可以", NULL },
    { cli_explain, "explain 425", 0, "  webdav          Unordered Collection\n", NULL },
    { cli_explain, "explain --help", 0, "Usage: verdict explain WHAT", NULL },
    { cli_explain, "explain not-fuond", 1, "",
      "verdict: explain: not-fuond: not in the registry: try not-found, 404 or 404.0\n" },
    { cli_explain, "explain too many redirectz", 1, "",
      "verdict: explain: too many redirectz: not in the registry: try 301, 302 or 307\n" },
    { cli_explain, "explain zzqq", 1, "",
      "verdict: explain: zzqq: not in the registry: try other words, or verdict reasons\n" },
    { cli_explain, "explain foo:404", 1, "",
      "verdict: explain: foo:404: no such vendor: try 404, or before it rfc, nginx, iis or cloudflare\n" },
    { cli_explain, "explain nginx:", 1, "",
      "verdict: explain: nginx:: a number is missing: try nginx:499, iis:404.13 or the like\n" },
    { cli_explain, "explain 451", 0,
      "\nWhat other systems use it for\n  reason                                rfc   nginx      iis       cloudflare\n"
      "  mailbox-server-moved ",
      NULL },
    { cli_explain, "explain 4040", 0, "No such status: the number was taken for the id of a reason.\n\n", NULL },
    { cli_explain, "explain", 2, "", "verdict: explain: WHAT: missing: give a status, a code, a reason or words\n" },
    { cli_explain, "explain ", 2, "", "verdict: explain: WHAT: missing: give a status, a code, a reason or words\n" },
    { cli_explain, "explain 404 --lang fr", 2, "",
      "verdict: explain: fr: no such language: --lang en, zh-CN or zh-TW\n" },
    { cli_explain, "explain 404 --format tsv", 2, "",
      "verdict: explain: tsv: no such format: --format text or json\n" },
    { cli_explain, "explain 404 --colour", 2, "",
      "verdict: explain: --colour: option unknown or without its value: verdict explain --help\n" },
    { cli_reasons, "reasons", 0,
      "\nif-match-failed\t4010\t412\t412\t412.0\t412\t-\tkeep\tpermanent\t-\tRFC9110:13.1.1\t", NULL },
    { cli_reasons, "reasons --format text", 2, "", "verdict: reasons: text: no such format: --format tsv or json\n" },
    { cli_reasons, "reasons all", 2, "", "verdict: reasons: all: not expected: verdict reasons prints them all\n" },
    { cli_graph, "graph", 0, "exists?", NULL },
    { cli_graph, "graph server --format dot --dialect iis", 0, "digraph server {", NULL },
    { cli_graph, "graph --format dot", 0, "labeljust=l; fontsize=18; tooltip=\"arrive\";", NULL },
    { cli_graph, "graph --format dot", 0, ">exchange-memory-exhausted</font></td><td width=", NULL },
    { cli_graph, "graph --format svg", 0, "id=\"e-exists-no\"", NULL },
    { cli_graph, "graph client", 2, "",
      "verdict: graph: client: this program has no graph of the client: verdict graph server\n" },
    { cli_graph, "graph map", 2, "", "verdict: graph: map: no such graph: verdict graph server\n" },
    { cli_graph, "graph --format svg --dialect iis", 2, "",
      "verdict: graph: iis: the picture is drawn with the codes of the RFCs: --format dot, and draw it with "
      "Graphviz\n" },
    { cli_graph, "graph --format", 2, "",
      "verdict: graph: --format: option unknown or without its value: verdict graph --help\n" },
};

static void commands_do_as_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run r = run(cases[i].command, cases[i].line, NULL);

        if (r.code != cases[i].code || strstr(r.out, cases[i].out) == NULL ||
            strcmp(r.err, cases[i].err != NULL ? cases[i].err : "") != 0)
            fail_msg("%s: exit %d\n%s%s", cases[i].line, r.code, r.out, r.err);
        assert_null(strchr(r.out, '\033'));
        run_free(&r);
    }
}

/* What can be stored can be sent. */
static void no_cache_is_named_where_nothing_is_sent(void **state)
{
    static const char *const unsent[] = { "explain nginx:499", "explain nginx:444", "explain unofficial:421",
                                          "explain 306", "explain unofficial:600" };

    (void)state;
    for (size_t i = 0; i < sizeof unsent / sizeof unsent[0]; i++) {
        struct run r = run(cli_explain, unsent[i], NULL);

        assert_null(strstr(r.out, "Cacheable"));
        run_free(&r);
    }
}

static void no_line_is_wider_than_a_terminal(void **state)
{
    size_t statuses, substatuses;
    const struct status_info *status = status_rows(&statuses);
    const struct substatus_info *substatus = substatus_rows(&substatuses);
    size_t items = R_COUNT + statuses + substatuses;

    (void)state;
    for (size_t i = R_MORE + 1; i < LANGUAGES * items; i++) {
        size_t at = i % items;
        struct look_up found;
        struct look_up_name name;
        struct look_up_item item = { .kind = LOOK_UP_REASON, .why = R_not_found };
        char *text = NULL, *rest;
        size_t bytes = 0;
        FILE *out;

        if (at > R_MORE && at < R_COUNT)
            item.why = (enum reason)at;
        else if (at >= R_COUNT && at < R_COUNT + statuses)
            item = (struct look_up_item){ LOOK_UP_STATUS, &status[at - R_COUNT], NULL, R_NONE };
        else if (at >= R_COUNT)
            item = (struct look_up_item){ LOOK_UP_SUBSTATUS, NULL, &substatus[at - R_COUNT - statuses], R_NONE };
        name = look_up_name(&item);
        assert_true(look_up(span_of(name.text), &found));
        out = open_memstream(&text, &bytes);
        explain_text(out, &found, (enum language)(i / items));
        fclose(out);
        rest = text;
        for (char *line; (line = strsep(&rest, "\n")) != NULL;)
            if (output_width(span_of(line)) > OUTPUT_COLUMNS)
                fail_msg("%s: %zu columns: %s", name.text, output_width(span_of(line)), line);
        free(text);
    }
}

static json_t *json_of(int (*command)(int, char **), const char *line, const char *last)
{
    struct run r = run(command, line, last);
    json_t *json = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);

    if (json == NULL)
        fail_msg("%s: %s", line, r.out);
    assert_int_equal(r.code, 0);
    run_free(&r);
    return json;
}

static void explain_json_is_json(void **state)
{
    json_t *o = json_of(cli_explain, "explain --format json --lang zh-CN", "\"too\" many redirects\\");
    json_t *reason = json_of(cli_explain, "explain --format json header-fields-too-large", NULL), *item;

    (void)state;
    assert_string_equal(json_string_value(json_object_get(o, "language")), "zh-CN");
    item = json_array_get(json_object_get(reason, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "kind")), "reason");
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(json_object_get(item, "codes"), "nginx"), "detail")),
                     494);
    assert_int_equal(json_integer_value(
                         json_object_get(json_object_get(json_object_get(item, "codes"), "iis"), "detail")),
                     10);
    json_decref(o);
    json_decref(reason);
}

static void registry_and_graph_are_json(void **state)
{
    json_t *reasons = json_of(cli_reasons, "reasons --format json", NULL);
    json_t *graph = json_of(cli_graph, "graph --format json --dialect nginx", NULL);

    (void)state;
    assert_int_equal(json_array_size(reasons), R_COUNT - R_MORE - 1);
    assert_int_equal(json_array_size(json_object_get(graph, "nodes")), GRAPH_NODES);
    assert_string_equal(json_string_value(json_object_get(graph, "dialect")), "nginx");
    json_decref(reasons);
    json_decref(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_do_as_they_say),          cmocka_unit_test(no_cache_is_named_where_nothing_is_sent),
        cmocka_unit_test(no_line_is_wider_than_a_terminal), cmocka_unit_test(explain_json_is_json),
        cmocka_unit_test(registry_and_graph_are_json),
    };

    unsetenv("LC_ALL");
    unsetenv("LC_MESSAGES");
    unsetenv("LANG");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
