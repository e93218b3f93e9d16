#include "admin/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain/node.h"
#include "graph/graph.h"
#include "path.h"

#define ARRIVE \
    "receive> admitted+ port_fits+ version_supported+ method_known+ understand> expectation_met+ server_wide- "
#define ROUTED                                                                                            \
    ARRIVE "route> secured- port_moves- https_meant- tls_wanted- site_known+ site_running+ route_found+ " \
           "replay_possible- path_fits+ query_fits+ segments_fit+ answer_configured- "
#define ALLOWED  ROUTED "method_allowed+ asks_trace- name_visible+ "
#define FORWARDS ALLOWED "has_content- hints_due- is_origin- open_forward> proxies- loop_free+ forwards_left+ attempt> "
#define AGAIN    "content_replayable+ attempts_left+ attempt_again> "
#define LAST     "content_replayable_again+ attempts_left_again+ attempt_last> "

/* The caller frees. */
static struct record *record_of(const char *path, const struct record_forwarding *f)
{
    struct record *r = calloc(1, sizeof *r + sizeof *f);

    assert_non_null(r);
    r->trace = trace_of(path);
    r->forwarded = f != NULL;
    if (f != NULL)
        memcpy(r + 1, f, sizeof *f);
    return r;
}

/* Of each try: whether there was another one, and what decided that. */
static const struct {
    const char *path;
    uint8_t count;
    const char *again;
} cases[] = {
    { FORWARDS "answered+ relay>", 1, "-" },
    { FORWARDS, 1, "-" }, /* ended while it was under way */
    { FORWARDS "answered- nothing_processed- repeat_safe- give_up>", 1, "no repeat_safe no" },
    { FORWARDS "answered- nothing_processed- repeat_safe+ content_replayable- give_up>", 1,
      "no content_replayable no" },
    { FORWARDS "answered- nothing_processed+ content_replayable+ attempts_left- give_up>", 1, "no attempts_left no" },
    { FORWARDS "answered- nothing_processed+ " AGAIN "answered_again+ relay>", 2, "yes nothing_processed yes, -" },
    { FORWARDS "answered- nothing_processed- repeat_safe+ " AGAIN "answered_again- nothing_processed_again- "
               "repeat_safe_again- give_up>",
      2, "yes repeat_safe yes, no repeat_safe_again no" },
    { FORWARDS "answered- nothing_processed- repeat_safe+ " AGAIN "answered_again- nothing_processed_again+ " LAST
               "answered_last- give_up>",
      3, "yes repeat_safe yes, yes nothing_processed_again yes, no answered_last no" },
    { FORWARDS "answered- nothing_processed+ " AGAIN "answered_again- nothing_processed_again- repeat_safe_again+ " LAST
               "answered_last+ relay>",
      3, "yes nothing_processed yes, yes repeat_safe_again yes, -" },
};

static void try_print(FILE *out, const json_t *try)
{
    const json_t *because = json_object_get(try, "because");
    const char *node = json_string_value(json_object_get(because, "node"));

    if (node == NULL) {
        assert_true(json_is_null(because) && json_is_null(json_object_get(try, "again")));
        fputc('-', out);
        return;
    }
    fprintf(out, "%s %s ", json_is_true(json_object_get(try, "again")) ? "yes" : "no", node);
    for (unsigned yes = 0; yes < 2; yes++)
        if (strcmp(json_string_value(json_object_get(because, "says")),
                   explain_node_answer(span_of(node), yes ? NODE_YES : NODE_NO, LANGUAGE_ZH_TW)) == 0)
            fputs(yes ? "yes" : "no", out);
}

static char *tries_print(const json_t *upstream)
{
    char *text = NULL;
    size_t bytes = 0, i;
    FILE *out = open_memstream(&text, &bytes);
    const json_t *try;

    json_array_foreach(json_object_get(upstream, "tries"), i, try)
    {
        fputs(i > 0 ? ", " : "", out);
        try_print(out, try);
    }
    fclose(out);
    return text;
}

static void each_try_tells_why_it_was_repeated_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct record_forwarding f = { .upstream = "app", .upstream_bytes = 3, .count = cases[i].count };
        struct record *r = record_of(cases[i].path, &f);
        json_t *upstream = forwarded_json(r, LANGUAGE_ZH_TW);
        char *tries = tries_print(upstream);

        assert_string_equal(tries, cases[i].again);
        free(tries);
        json_decref(upstream);
        free(r);
    }
}

static void who_was_not_asked_is_not_told(void **state)
{
    struct record *r = record_of(FORWARDS, NULL);
    json_t *upstream = forwarded_json(r, LANGUAGE_EN);

    (void)state;
    assert_true(json_is_null(upstream));
    assert_false(forwarded_to(r, SPAN("")));
    json_decref(upstream);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_try_tells_why_it_was_repeated_or_not),
        cmocka_unit_test(who_was_not_asked_is_not_told),
    };

    return cmocka_run_group_tests_name("forwarded", tests, NULL, NULL);
}
