#include "serve/running.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "http/h1_parse.h"
#include "wire/h1.h"

/* One connection of a worker, and what it is told to run. */
static struct field fields[8];
static struct exchange x;
static struct conn conn = { .protocol = &h1_protocol, .x = &x };
static struct config config;
static struct shared_config shared = { .config = &config };
static struct snapshot snapshot = { .shared = &shared };
static struct worker worker = { .snapshot = &snapshot, .wire.conns = &conn };

static const struct running_list *list_of(struct span head)
{
    static const struct h1_limits limits = { 8192, 8192, 16384, 8 };
    static struct running_list list;

    config.admin.secrets = secrets_standard;
    x = (struct exchange){ 0 };
    head_init(&x.req.head, fields);
    assert_int_equal(h1_parse_head(head, &limits, &x.req.head, &x.head_verdict), x.head_verdict.why);
    conn.near_peer.any.sa_family = AF_UNIX;
    conn.state = CONN_REPLY;
    running_list_fill(&worker, &list);
    assert_int_equal(list.count, 1);
    return &list;
}

/* Refused or not, the target of what still runs is seen by whoever may look at the console. */
static void test_targets_have_no_secrets(void **state)
{
    static const struct {
        const char *head, *target;
    } cases[] = {
        { "GET /a/b HTTP/1.1\r\n\r\n", "/a/b" },
        { "GET /a?token=hunter2 HTTP/1.1\r\n\r\n", "/a" },
        { "GET http://u:hunter2@a/b HTTP/1.1\r\n\r\n", "http://[removed]@a/b" },
        { "GET /a#access_token=hunter2 HTTP/1.1\r\n\r\n", "/a#access_token=[removed]" },
        { "CONNECT u:hunter2@a:443 HTTP/1.1\r\n\r\n", "[removed]@a:443" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct running *r = &list_of(span_of(cases[i].head))->all[0];

        assert_int_equal(r->target_bytes, strlen(cases[i].target));
        assert_memory_equal(r->target, cases[i].target, r->target_bytes);
    }
}

static void test_long_targets_are_cut(void **state)
{
    static char head[1200] = "GET /";
    const struct running *r;

    (void)state;
    memset(head + 5, 'a', 1000);
    strcpy(head + 1005, " HTTP/1.1\r\n\r\n");
    r = &list_of(span_of(head))->all[0];
    assert_int_equal(r->target_bytes, RUNNING_TARGET_BYTES);
    assert_memory_equal(r->target, head + 4, RUNNING_TARGET_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets_have_no_secrets),
        cmocka_unit_test(test_long_targets_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
