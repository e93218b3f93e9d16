#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "wire/conn.h"
#include "wire/h2_impl.h"

#define BYTES 50000 /* more than three blocks */

/* A stream whose client has sent its head, on a connection that will never send. */
struct made {
    struct loop loop;
    struct wire wire;
    struct conn c;
    struct h2 h2;
    struct h2_stream s;
    struct exchange x;
};

static uint8_t bytes[BYTES];

static int setup(void **state)
{
    struct made *m = calloc(1, sizeof *m);
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    assert_non_null(m);
    for (size_t i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_auto_window_update(option, 1);
    assert_int_equal(nghttp2_session_server_new2(&m->h2.session, callbacks, &m->h2, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    m->loop.now_ms = 1234;
    m->wire.loop = &m->loop;
    m->c.wire = &m->wire;
    m->h2.c = &m->c;
    m->h2.running = true;
    m->s.h2 = &m->h2;
    m->s.x = &m->x;
    m->s.id = 1;
    m->x.conn = &m->s;
    m->x.content_limit = UINT64_MAX;
    *state = m;
    return 0;
}

static int teardown(void **state)
{
    struct made *m = *state;

    h2_content_drop(&m->wire, &m->s.content);
    h2_blocks_free(&m->wire);
    nghttp2_session_del(m->h2.session);
    free(m);
    return 0;
}

static void come(struct made *m, size_t from, size_t to)
{
    assert_true(h2_content_add(&m->wire, &m->s.content, bytes + from, to - from));
}

/* The next piece; it must be what comes at `at`. */
static size_t take(struct made *m, size_t at)
{
    struct span piece;

    assert_int_equal(h2_content(&m->x, &piece), FLOW_GO);
    assert_memory_equal(piece.p, bytes + at, piece.n);
    return piece.n;
}

static void expect_wait(struct made *m)
{
    struct span piece;

    assert_int_equal(h2_content(&m->x, &piece), FLOW_WAIT);
    assert_int_equal(piece.n, 0);
    assert_string_equal(m->x.wait.what, "content");
    assert_ptr_equal(m->x.wait.with, &m->s);
    m->x.wait.what = NULL;
}

static void expect_stop(struct made *m, enum reason why, uint32_t at)
{
    struct span piece;

    assert_int_equal(h2_content(&m->x, &piece), FLOW_STOP);
    assert_int_equal(m->x.verdict.why, why);
    assert_int_equal(m->x.verdict.at, at);
}

static unsigned free_blocks(const struct made *m)
{
    unsigned count = 0;

    for (void *b = m->wire.free_blocks; b != NULL; memcpy(&b, b, sizeof b))
        count++;
    return count;
}

static void test_all_is_taken_in_its_order(void **state)
{
    static const size_t steps[] = { 1, 7, 16383, 16384, 16385, BYTES };
    struct made *m = *state;

    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        size_t taken = 0;

        m->s.content = (struct h2_content){ 0 };
        for (size_t at = 0; at < BYTES; at += steps[i])
            come(m, at, at + steps[i] < BYTES ? at + steps[i] : BYTES);
        m->s.content.ended = true;
        for (size_t n = 1; n > 0; taken += n)
            n = take(m, taken);
        assert_int_equal(taken, BYTES);
        assert_int_equal(take(m, taken), 0);
        assert_null(m->s.content.first);
        assert_null(m->s.content.last);
    }
}

static void test_what_comes_while_a_piece_is_out_follows_it(void **state)
{
    struct made *m = *state;
    size_t taken = 0;

    for (size_t at = 0; at < BYTES; at += 100) {
        come(m, at, at + 60);
        taken += take(m, taken);
        come(m, at + 60, at + 100);
    }
    m->s.content.ended = true;
    for (size_t n = 1; n > 0; taken += n)
        n = take(m, taken);
    assert_int_equal(taken, BYTES);
    assert_true(free_blocks(m) <= 2);
}

static void test_it_waits_until_something_comes_or_the_end(void **state)
{
    struct made *m = *state;

    expect_wait(m);
    come(m, 0, 5);
    assert_int_equal(take(m, 0), 5);
    m->loop.now_ms = 2345;
    expect_wait(m);
    assert_int_equal(m->s.moved_ms, 2345); /* the client's turn begins */
    m->s.content.ended = true;
    assert_int_equal(take(m, 5), 0);
}

static void test_the_limit_is_met_exactly(void **state)
{
    struct made *m = *state;

    m->x.content_limit = 20000;
    come(m, 0, 20000);
    assert_int_equal(take(m, 0), 16384);
    assert_int_equal(take(m, 16384), 20000 - 16384);
    come(m, 20000, 20001);
    expect_stop(m, R_content_streamed_too_large, 20000);
}

static void test_a_tunnel_has_no_limit(void **state)
{
    struct made *m = *state;

    m->x.content_limit = 10;
    m->x.reply.tunnel = true;
    come(m, 0, 20);
    assert_int_equal(take(m, 0), 20);
}

/* What broke is told even if there is more to take. */
static void test_what_broke_is_told(void **state)
{
    struct made *m = *state;

    come(m, 0, 20);
    verdict_set(&m->s.content.broken, R_request_content_timeout, 7);
    expect_stop(m, R_request_content_timeout, 7);
}

static void test_dropping_tells_what_was_not_credited(void **state)
{
    struct made *m = *state;

    assert_int_equal(h2_content_drop(&m->wire, &m->s.content), 0);
    come(m, 0, 20000);
    assert_int_equal(take(m, 0), 16384);
    assert_int_equal(h2_content_drop(&m->wire, &m->s.content), 20000); /* the piece is out, not used up */
    assert_int_equal(h2_content_drop(&m->wire, &m->s.content), 0);
    assert_int_equal(free_blocks(m), 2);
    come(m, 20000, 40000);
    assert_int_equal(free_blocks(m), 0);
    assert_int_equal(take(m, 20000), 16384);
    assert_int_equal(take(m, 36384), 3616);
    assert_int_equal(h2_content_drop(&m->wire, &m->s.content), 3616);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_is_taken_in_its_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_comes_while_a_piece_is_out_follows_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_waits_until_something_comes_or_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_limit_is_met_exactly, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_tunnel_has_no_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_broke_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dropping_tells_what_was_not_credited, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
