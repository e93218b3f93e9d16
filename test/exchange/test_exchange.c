#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "exchange/exchange.h"

static struct field fields[HEAD_FIELDS_MAX];
static struct exchange *x;

static int setup(void **state)
{
    (void)state;
    x = calloc(1, sizeof *x);
    arena_init(&x->arena, NULL, 0, 1 << 16);
    head_init(&x->req.head, fields);
    return x == NULL;
}

static int teardown(void **state)
{
    (void)state;
    arena_reset(&x->arena);
    free(x);
    return 0;
}

static void test_first_verdict_stays(void **state)
{
    (void)state;
    assert_int_equal(STOP_ABOUT(x, R_gone, 7, SPAN("it")), FLOW_STOP);
    assert_int_equal(STOP(x, R_internal_error, 9), FLOW_STOP);
    assert_int_equal(x->verdict.why, R_gone);
    assert_int_equal(x->verdict.at, 7);
    assert_true(span_is(x->verdict.operand, SPAN("it")));
    assert_non_null(strstr(x->verdict.where, "test_exchange.c:"));
}

/* What breaks the sending does not change why it was answered so. */
static void test_break_is_apart(void **state)
{
    (void)state;
    STOP(x, R_request_ok, 0);
    assert_int_equal(exchange_break(x, R_client_closed_during_response, 5, HERE), FLOW_STOP);
    assert_int_equal(exchange_break(x, R_response_send_timeout, 6, HERE), FLOW_STOP);
    assert_int_equal(x->verdict.why, R_request_ok);
    assert_int_equal(x->broken.why, R_client_closed_during_response);
    assert_int_equal(x->broken.at, 5);
}

static void test_id(void **state)
{
    static const struct {
        uint64_t number;
        const char *want;
    } cases[] = {
        { 0, "00000000" },
        { 1, "10000000" },
        { 31, "z0000000" },
        { 32, "01000000" },
        { (UINT64_C(1) << EXCHANGE_ID_BITS) - 1, "zzzzzzzz" },
        { UINT64_C(0x8000000000), "0000000g" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        x->id[0] = '\0';
        x->number = cases[i].number;
        assert_true(span_is(exchange_id(x), span_of(cases[i].want)));
    }
    x->number = 5;
    assert_true(span_is(exchange_id(x), SPAN("0000000g"))); /* once told, it stays */
}

static void test_number(void **state)
{
    static const struct {
        struct span id;
        bool good;
        uint64_t want;
    } cases[] = {
        { SPAN_INIT("00000000"), true, 0 },
        { SPAN_INIT("10000000"), true, 1 },
        { SPAN_INIT("01000000"), true, 32 },
        { SPAN_INIT("0000000g"), true, UINT64_C(0x8000000000) },
        { SPAN_INIT("0000000G"), true, UINT64_C(0x8000000000) },
        { SPAN_INIT("zzzzzzzz"), true, (UINT64_C(1) << EXCHANGE_ID_BITS) - 1 },
        { SPAN_INIT("ZzZzZzZz"), true, (UINT64_C(1) << EXCHANGE_ID_BITS) - 1 },
        { SPAN_INIT(""), false, 0 },
        { SPAN_INIT("0000000"), false, 0 },
        { SPAN_INIT("000000000"), false, 0 },
        { SPAN_INIT("0000000i"), false, 0 },
        { SPAN_INIT("0000000L"), false, 0 },
        { SPAN_INIT("o0000000"), false, 0 },
        { SPAN_INIT("0000000u"), false, 0 },
        { SPAN_INIT("0000000\0"), false, 0 },
        { SPAN_INIT("0000000\x10"), false, 0 },
        { SPAN_INIT("000\xc3\xa9"
                    "000"),
          false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t number = 99;

        assert_int_equal(exchange_number(cases[i].id, &number), cases[i].good);
        assert_int_equal(number, cases[i].good ? cases[i].want : 99);
    }
}

static void test_number_is_the_way_back(void **state)
{
    char letters[EXCHANGE_ID_LETTERS];
    uint64_t back;

    (void)state;
    for (uint64_t n = 1; n < UINT64_C(1) << EXCHANGE_ID_BITS; n = n * 3 + 1) {
        exchange_id_write(n, letters);
        assert_true(exchange_number((struct span){ letters, sizeof letters }, &back));
        assert_int_equal(back, n);
    }
}

static void test_ids_differ(void **state)
{
    char seen[1024][EXCHANGE_ID_LETTERS];

    (void)state;
    for (unsigned i = 0; i < 1024; i++) {
        x->id[0] = '\0';
        x->number = (uint64_t)i << 15;
        memcpy(seen[i], exchange_id(x).p, EXCHANGE_ID_LETTERS);
        for (unsigned k = 0; k < i; k++)
            assert_memory_not_equal(seen[k], seen[i], EXCHANGE_ID_LETTERS);
    }
}

static void test_reply_fields_have_an_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REPLY_FIELDS; i++)
        reply_add(x, SPAN("A"), SPAN("b"));
    assert_int_equal(x->reply.count, REPLY_FIELDS);
    assert_false(x->arena.full);
    reply_add(x, SPAN("Too"), SPAN("much"));
    assert_int_equal(x->reply.count, REPLY_FIELDS);
    assert_true(x->arena.full);
    assert_true(span_is(x->reply_fields[REPLY_FIELDS - 1].name, SPAN("A")));
}

static void expect_names(const char *names)
{
    for (uint32_t i = 0; names[i] != '\0'; i++)
        assert_true(span_is(reply_field_at(x, i)->name, (struct span){ names + i, 1 }));
    assert_null(reply_field_at(x, (uint32_t)strlen(names)));
}

/* Each at the place where it was added; what has no place as ready fields is added one by one. */
static void test_reply_ready(void **state)
{
    static const struct reply_field de[] = { { SPAN_INIT("D"), SPAN_INIT("4") }, { SPAN_INIT("E"), SPAN_INIT("5") } };
    static const struct ready_fields lines = { .fields = de, .count = 2 }, none = { 0 };

    (void)state;
    expect_names("");
    reply_add_ready(x, &lines);
    expect_names("DE");
    reply_add(x, SPAN("A"), SPAN("1"));
    reply_add(x, SPAN("B"), SPAN("2"));
    reply_add_ready(x, &none);
    reply_add(x, SPAN("C"), SPAN("3"));
    expect_names("DEABC");
    x->reply.ready_count = 1;
    reply_add_ready(x, &lines);
    assert_int_equal(x->reply.ready_count, REPLY_READY);
    expect_names("DEABCDE");
    reply_add_ready(x, &lines);
    assert_int_equal(x->reply.count, 5);
    expect_names("DEABCDEDE");
    assert_true(span_is(reply_field_at(x, 8)->value, SPAN("5")));
    assert_true(reply_has(x, SPAN("E")));
    assert_true(reply_has(x, SPAN("C")));
    assert_false(reply_has(x, SPAN("F")));
}

static void test_reply_memory(void **state)
{
    struct piece piece;

    (void)state;
    reply_memory(x, SPAN("content"));
    assert_int_equal(x->reply.body->length, 7);
    assert_int_equal(x->reply.body->ops->next(x->reply.body, x, &piece), FLOW_GO);
    assert_true(span_is(piece.bytes, SPAN("content")));
    assert_true(piece.fd < 0);
}

static void test_reply_memory_without_memory(void **state)
{
    (void)state;
    arena_init(&x->arena, NULL, 0, 0);
    reply_memory(x, SPAN("content"));
    assert_null(x->reply.body);
    assert_true(x->arena.full);
}

static void test_request_field(void **state)
{
    (void)state;
    head_add(&x->req.head, SPAN("Accept"), SPAN("a/b"));
    head_add(&x->req.head, SPAN("Range"), SPAN("bytes=0-"));
    head_add(&x->req.head, SPAN("ACCEPT"), SPAN("c/d;q=0"));
    head_add(&x->req.head, SPAN("accept"), SPAN(""));
    head_add(&x->req.head, SPAN("If-Match"), SPAN(""));
    assert_true(span_is(request_field(x, FIELD_ACCEPT), SPAN("a/b, c/d;q=0, ")));
    assert_true(span_is(request_field(x, FIELD_RANGE), SPAN("bytes=0-")));
    assert_non_null(request_field(x, FIELD_IF_MATCH).p); /* there, and empty */
    assert_int_equal(request_field(x, FIELD_IF_MATCH).n, 0);
    assert_null(request_field(x, FIELD_HOST).p); /* not there */
    assert_true(request_has(x, FIELD_IF_MATCH));
    assert_false(request_has(x, FIELD_HOST));
}

static void test_request_field_without_memory(void **state)
{
    (void)state;
    head_add(&x->req.head, SPAN("Accept"), SPAN("a/b"));
    head_add(&x->req.head, SPAN("Accept"), SPAN("c/d"));
    arena_init(&x->arena, NULL, 0, 0);
    assert_int_equal(request_field(x, FIELD_ACCEPT).n, 0);
    assert_true(x->arena.full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_verdict_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_break_is_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_id, setup, teardown),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_number_is_the_way_back),
        cmocka_unit_test_setup_teardown(test_ids_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reply_fields_have_an_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reply_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reply_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reply_memory_without_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_field, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_field_without_memory, setup, teardown),
    };

    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
