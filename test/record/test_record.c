#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "made.h"
#include "record/record.h"

static const char request_text[] = "GET /a/b.html HTTP/1.1\r\nHost: example.org\r\n\r\n";
static const char reply_text[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
static const unsigned char peer_4[16] = { 2, 0, 0x1f, 0x90, 127, 0, 0, 1 };

static const struct recorder_settings settings = {
    .count = 64, .kept_count = 16, .bytes = 65536, .kept_bytes = 65536, .head_bytes = 4096, .slow_ms = 1000
};

static struct recorder recorder;
static char *room;

static int setup(void **state)
{
    (void)state;
    assert_true(recorder_init(&recorder, &settings));
    room = malloc(record_room(&recorder));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    recorder_fini(&recorder);
    free(room);
    return 0;
}

/* An exchange that went well. */
static struct exchange *served(const char *request)
{
    struct exchange *x = made(span_of(request));

    x->number = 77;
    x->moments = (struct moments){ 1, 1000, 1001, 1002, 1003, 1004 };
    x->bytes_in = 45;
    x->bytes_out = 41;
    x->content_out = 3;
    x->trace = (struct trace){ 0x1234, 21 };
    x->facts = (struct facts){ .exists = true, .has_etag = true, .modified = 1767225600, .length = 3 };
    x->facts.etag = (struct etag){ SPAN("opaque"), true };
    x->reply.head_text = SPAN(reply_text);
    return x;
}

static const struct record *newest(const struct ring *ring)
{
    const struct record *r = record_read(ring, ring_next(ring) - 1, room, record_room(&recorder));

    assert_non_null(r);
    return r;
}

/* What the server knows of an exchange besides the request. */
static void placed(struct exchange *x)
{
    x->peer = (struct span){ (const char *)peer_4, sizeof peer_4 };
    x->site_number = 3;
    x->unix_ms = 1795242734123u;
    x->route_prefix = SPAN("/");
}

static const struct record *written(struct exchange *x)
{
    placed(x);
    recorder_write(&recorder, x, &secrets_standard);
    return newest(&recorder.all);
}

static void expect(struct span is, const char *want)
{
    if (is.n != strlen(want) || (is.n > 0 && memcmp(is.p, want, is.n) != 0))
        fail_msg("\"%.*s\" not \"%s\"", (int)is.n, is.p, want);
}

static void all_is_kept(void **state)
{
    struct exchange *x = served(request_text);
    const struct record *r;

    (void)state;
    x->verdict = (struct verdict){ R_request_ok, 5, "here", SPAN("/a/b") };
    r = written(x);
    assert_int_equal(r->number, 77);
    assert_int_equal(r->unix_ms, 1795242734123u);
    assert_int_equal(r->bytes_in, 45);
    assert_int_equal(r->bytes_out, 41);
    assert_int_equal(r->content_out, 3);
    assert_memory_equal(&r->moments, &x->moments, sizeof r->moments);
    assert_null(r->waits[0].what);
    assert_int_equal(r->trace.answers, 0x1234);
    assert_int_equal(r->trace.at, 21);
    assert_true(r->facts.exists && r->facts.has_etag && r->facts.etag.weak && !r->facts.created);
    assert_null(r->facts.etag.opaque.p);
    assert_int_equal(r->facts.etag.opaque.n, 0);
    assert_int_equal(r->facts.modified, 1767225600);
    assert_int_equal(r->facts.length, 3);
    assert_string_equal(r->where, "here");
    assert_string_equal(r->resource->name, "file");
    assert_int_equal(r->why, R_request_ok);
    assert_int_equal(r->at, 5);
    assert_int_equal(r->broken, R_NONE);
    assert_int_equal(r->site, 3);
    assert_int_equal(r->status_sent, 200);
    assert_int_equal(r->dialect, DIALECT_NGINX);
    assert_int_equal(r->method, M_GET);
    assert_int_equal(r->major, 1);
    assert_int_equal(r->minor, 1);
    assert_true(r->has_request_line);
    assert_false(r->request_cut || r->reply_cut || r->slow || r->failed);
    assert_int_equal(r->peer_bytes, sizeof peer_4);
    assert_memory_equal(r->peer, peer_4, sizeof peer_4);
    expect(record_request(r), request_text);
    expect(record_reply(r), reply_text);
    expect(record_operand(r), "/a/b");
    expect(record_route(r), "/");
    expect(record_method(r), "GET");
    expect(record_target(r), "/a/b.html");
    assert_int_equal(ring_next(&recorder.kept), 0);
}

/* What an exchange that came to nothing does not have. */
static void little_is_kept_of_little(void **state)
{
    struct exchange *x = served("");
    const struct record *r;

    (void)state;
    x->res = NULL;
    x->status_sent = 0;
    x->reply.head_text = (struct span){ 0 };
    x->verdict.operand = (struct span){ 0 };
    x->req.head_text = (struct span){ 0 };
    recorder_write(&recorder, x, &secrets_standard);
    r = newest(&recorder.all);
    assert_null(r->resource);
    assert_false(r->has_request_line);
    assert_int_equal(r->peer_bytes, 0);
    assert_int_equal(r->request_bytes + r->reply_bytes + r->operand_bytes + r->route_bytes, 0);
    assert_int_equal(record_method(r).n + record_target(r).n, 0);
    assert_true(r->failed);
}

static void waits_are_kept_by_name(void **state)
{
    struct exchange *x = served(request_text);
    const struct record *r;

    (void)state;
    x->waits[0] = (struct waited){ "open", 3 };
    x->waits[1] = (struct waited){ "content", 5 };
    r = written(x);
    assert_string_equal(r->waits[0].what, "open");
    assert_int_equal(r->waits[0].ms, 3);
    assert_string_equal(r->waits[1].what, "content");
    assert_null(r->waits[2].what);
}

static void peers_are_kept_as_they_are(void **state)
{
    static const unsigned char v6[28] = { 10, 0, 0x1f, 0x90, [23] = 1 };
    static const unsigned char local[110] = { 1, 0, '/', 'a' };
    static const struct {
        const unsigned char *peer;
        uint32_t bytes, kept;
    } rows[] = { { peer_4, 16, 16 }, { v6, 28, 28 },   { local, 110, 2 }, { local, 16, 2 }, { local, 4, 2 },
                 { local, 2, 2 },    { peer_4, 8, 8 }, { peer_4, 1, 0 },  { v6, 0, 0 } };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange *x = served(request_text);
        const struct record *r;

        x->peer = (struct span){ (const char *)rows[i].peer, rows[i].bytes };
        recorder_write(&recorder, x, &secrets_standard);
        r = newest(&recorder.all);
        assert_int_equal(r->peer_bytes, rows[i].kept);
        assert_memory_equal(r->peer, rows[i].peer, rows[i].kept);
    }
}

static void failures_and_slow_ones_are_kept_twice(void **state)
{
    static const struct {
        uint16_t status;
        enum reason broken;
        uint64_t first_byte_ms, ended_ms;
        bool failed, slow;
    } rows[] = {
        { 200, R_NONE, 1000, 1999, false, false }, { 200, R_NONE, 1000, 2000, false, true },
        { 304, R_NONE, 1000, 1000, false, false }, { 101, R_NONE, 1000, 1000, false, false },
        { 400, R_NONE, 1000, 1000, true, false },  { 499, R_NONE, 1000, 1000, true, false },
        { 404, R_NONE, 1000, 9000, true, true },   { 503, R_NONE, 1000, 1000, true, false },
        { 0, R_NONE, 1000, 1000, true, false },    { 200, R_client_closed_during_response, 1000, 1000, true, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange *x = served(request_text);
        bool refused = rows[i].status / 100 == 4 && rows[i].broken == R_NONE && !rows[i].slow;
        const struct ring *ring = refused ? &recorder.refused : &recorder.kept;
        uint64_t sum = ring_next(&recorder.refused) + ring_next(&recorder.kept), kept = ring_next(ring);
        const struct record *r;

        x->number = i;
        x->status_sent = rows[i].status;
        x->broken = (struct verdict){ rows[i].broken, 32, NULL, { 0 } };
        x->moments.first_byte_ms = rows[i].first_byte_ms;
        x->moments.ended_ms = rows[i].ended_ms;
        r = written(x);
        assert_int_equal(r->failed, rows[i].failed);
        assert_int_equal(r->slow, rows[i].slow);
        assert_int_equal(r->broken, rows[i].broken);
        assert_int_equal(r->broken_at, 32);
        assert_int_equal(ring_next(ring), kept + (rows[i].failed || rows[i].slow));
        assert_int_equal(ring_next(&recorder.refused) + ring_next(&recorder.kept),
                         sum + (rows[i].failed || rows[i].slow));
        if (rows[i].failed || rows[i].slow) {
            assert_int_equal(newest(ring)->number, i);
            expect(record_request(newest(ring)), request_text);
            expect(record_route(newest(ring)), "/");
        }
    }
}

static void secrets_are_not_kept(void **state)
{
    struct exchange *x = served("GET /?token=a HTTP/1.1\r\nCookie: b\r\nHost: c\r\n\r\n");
    const struct record *r;

    (void)state;
    x->reply.head_text = SPAN("HTTP/1.1 301 Moved Permanently\r\nLocation: /d/?token=a\r\n\r\n");
    x->verdict.operand = SPAN("/d?token=a");
    r = written(x);
    expect(record_request(r), "GET /?token=[removed] HTTP/1.1\r\nCookie: [removed]\r\nHost: c\r\n\r\n");
    expect(record_reply(r), "HTTP/1.1 301 Moved Permanently\r\nLocation: /d/?token=[removed]\r\n\r\n");
    expect(record_operand(r), "/d?token=[removed]");
    expect(record_route(r), "/");
    expect(record_target(r), "/?token=[removed]");
    assert_false(r->request_cut || r->reply_cut);
}

/* A cookie of the request is not in the reply, unless the reply says that it may hold such. */
static void secrets_of_replies_are_not_kept(void **state)
{
    struct exchange *x = served(request_text);

    (void)state;
    x->reply.head_text = SPAN("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\n\r\n");
    x->reply.may_hold_secrets = true;
    expect(record_reply(written(x)), "HTTP/1.1 200 OK\r\nSet-Cookie: [removed]\r\n\r\n");
    expect(record_request(written(x)), request_text);
    x = served("GET / HTTP/1.1\r\nCookie: b\r\n\r\n");
    x->verdict.operand = SPAN("op");
    expect(record_reply(written(x)), reply_text);
    expect(record_request(written(x)), "GET / HTTP/1.1\r\nCookie: [removed]\r\n\r\n");
    expect(record_operand(written(x)), "op");
}

static void a_refused_head_is_kept_without_secrets(void **state)
{
    const struct record *r = written(served("GET /a HTTP/1.1\r\nHost : b\r\nAuthorization : c\r\n\r\n"));

    (void)state;
    assert_int_equal(r->why, R_space_before_colon);
    expect(record_request(r), "GET /a HTTP/1.1\r\nHost : b\r\nAuthorization : [removed]\r\n\r\n");
    expect(record_target(r), "/a");
}

static void long_texts_are_cut(void **state)
{
    static const char *starts[] = { "GET /a HTTP/1.1\r\nHost: ", "GET /a HTTP/1.1\r\nCookie: b\r\nHost: " };
    static char text[9000], wide[2000];

    (void)state;
    memset(wide, 'w', sizeof wide);
    for (int secret = 0; secret < 2; secret++)
        for (int cut = 0; cut < 2; cut++) {
            size_t bytes = settings.head_bytes + (cut ? 1 : 0), n = strlen(starts[secret]);
            struct exchange *x;
            const struct record *r;

            memset(text, 'x', sizeof text);
            memcpy(text, starts[secret], n);
            memcpy(text + bytes - 4 - (secret ? 8 : 0), "\r\n\r\n", 5);
            x = served(text);
            assert_int_equal(x->head_verdict.why, R_NONE);
            x->reply.head_text = (struct span){ text, bytes };
            x->verdict.operand = (struct span){ wide, RECORD_OPERAND_BYTES + (cut ? 1 : 0) };
            placed(x);
            if (cut)
                x->route_prefix = (struct span){ wide, sizeof wide };
            recorder_write(&recorder, x, &secrets_standard);
            r = newest(&recorder.all);
            assert_int_equal(r->request_bytes, settings.head_bytes);
            assert_int_equal(r->reply_bytes, settings.head_bytes);
            assert_int_equal(r->operand_bytes, RECORD_OPERAND_BYTES);
            assert_int_equal(r->route_bytes, cut ? RECORD_ROUTE_BYTES : 1);
            assert_int_equal(r->request_cut, cut);
            assert_int_equal(r->reply_cut, cut);
            expect(record_target(r), "/a");
            assert_memory_equal(record_operand(r).p, wide, RECORD_OPERAND_BYTES);
        }
}

/* One text that is too long is enough. */
static void each_text_is_cut(void **state)
{
    static char wide[5000];

    (void)state;
    memset(wide, 'w', sizeof wide);
    for (int which = 0; which < 4; which++) {
        struct exchange *x = served(request_text);
        const struct record *r;

        x->verdict.operand = (struct span){ wide, which == 0 ? RECORD_OPERAND_BYTES + 1 : 1 };
        x->reply.head_text = (struct span){ wide, which == 1 ? settings.head_bytes + 1 : 2 };
        x->req.head_text = (struct span){ wide, which == 2 ? settings.head_bytes + 1 : 3 };
        x->route_prefix = (struct span){ wide, which == 3 ? RECORD_ROUTE_BYTES + 1 : 4 };
        recorder_write(&recorder, x, &secrets_standard);
        r = newest(&recorder.all);
        assert_int_equal(r->operand_bytes, which == 0 ? RECORD_OPERAND_BYTES : 1);
        assert_int_equal(r->reply_bytes, which == 1 ? settings.head_bytes : 2);
        assert_int_equal(r->request_bytes, which == 2 ? settings.head_bytes : 3);
        assert_int_equal(r->route_bytes, which == 3 ? RECORD_ROUTE_BYTES : 4);
        assert_int_equal(r->reply_cut, which == 1);
        assert_int_equal(r->request_cut, which == 2);
    }
}

static void request_lines_are_told_when_they_could_be_read(void **state)
{
    static const struct {
        const char *request;
        bool has_line;
        const char *method, *target;
    } rows[] = {
        { "OPTIONS * HTTP/1.0\r\n\r\n", true, "OPTIONS", "*" },
        { "GET /a?b HTTP/1.1\r\nHost", true, "GET", "/a?b" },
        { "GET /a HTTP/1.1 \r\n\r\n", true, "GET", "/a" },
        { "GET /a HTTQ/1.1\r\n\r\n", true, "GET", "/a" },
        { "GET /a?token=b HTTQ/1.1\r\n\r\n", true, "GET", "/a?token=[removed]" },
        { "GET /a HTTP", true, "GET", "/a" },
        { "GET /a\r\n\r\n", false, "", "" },
        { "GET /a", false, "", "" },
        { "GET", false, "", "" },
        { "\x16\x03\x01", false, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct record *r = written(served(rows[i].request));

        assert_int_equal(r->has_request_line, rows[i].has_line);
        expect(record_method(r), rows[i].method);
        expect(record_target(r), rows[i].target);
    }
}

/* A reply that was written where the next record will be, whether it is taken as it is, filtered or cut. */
static void a_reply_is_taken_in_place(void **state)
{
    static const struct {
        const char *reply, *kept;
        bool filtered;
    } rows[] = {
        { reply_text, reply_text, false },
        { "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nVary: b\r\n\r\n",
          "HTTP/1.1 200 OK\r\nSet-Cookie: [removed]\r\nVary: b\r\n\r\n", true },
    };
    struct recorder_settings roomy = settings;
    struct recorder r;

    (void)state;
    roomy.reply_room_bytes = 32768;
    roomy.bytes = 4 << 20;
    assert_true(recorder_init(&r, &roomy));
    for (unsigned i = 0; i < 400; i++) {
        struct exchange *x = served(request_text);
        size_t row = i % 2, n = strlen(rows[row].reply);
        char *place = recorder_reply_place(&r);
        const struct record *got;

        assert_non_null(place);
        memset(place, '?', roomy.reply_room_bytes);
        memcpy(place, rows[row].reply, n);
        x->reply.head_text = (struct span){ place, n };
        x->reply.may_hold_secrets = rows[row].filtered;
        placed(x);
        recorder_write(&r, x, &secrets_standard);
        got = record_read(&r.all, i, room, record_room(&r));
        assert_non_null(got);
        expect(record_reply(got), rows[row].kept);
        expect(record_request(got), request_text);
        expect(record_route(got), "/");
    }
    recorder_fini(&r);
}

static void small_memory_has_no_place_for_replies(void **state)
{
    struct recorder_settings small = settings;
    struct recorder r;

    (void)state;
    small.reply_room_bytes = 32768;
    small.bytes = 65536;
    assert_true(recorder_init(&r, &small));
    assert_null(recorder_reply_place(&r));
    recorder_fini(&r);
}

/* A target of which the end was cut off. */
static void a_target_may_be_cut(void **state)
{
    struct recorder_settings small = settings;
    struct recorder r;

    (void)state;
    small.head_bytes = 8;
    assert_true(recorder_init(&r, &small));
    recorder_write(&r, served("GET /abcdefgh HTTP/1.1\r\n\r\n"), &secrets_standard);
    expect(record_target(record_read(&r.all, 0, room, record_room(&r))), "/abc");
    recorder_fini(&r);
}

static void fields_are_found_in_texts(void **state)
{
    static const char head[] =
        "GET / HTTP/1.1\r\nHost : a \nX: y\rno colon\r\n\t folded: z\r\n:\r\nhost: b\r\n\r\nX: late\r\n";
    static const char *const want[][2] = { { "Host", "a" },     { "X", "y" }, { "", "no colon" },
                                           { "", "folded: z" }, { "", "" },   { "host", "b" } };
    struct span name, value;
    size_t at = 0;

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_true(record_field_next(SPAN(head), &at, &name, &value));
        expect(name, want[i][0]);
        expect(value, want[i][1]);
    }
    assert_false(record_field_next(SPAN(head), &at, &name, &value));
    expect(record_field(SPAN(head), SPAN("HOST")), "a");
    assert_null(record_field(SPAN(head), SPAN("Y")).p);
    for (size_t n = 0; n < sizeof "GET / HTTP/1.1\r\n"; n++) {
        at = 0;
        assert_false(record_field_next((struct span){ head, n < 17 ? n : 16 }, &at, &name, &value));
    }
    at = 0;
    assert_false(record_field_next((struct span){ 0 }, &at, &name, &value));
}

static void times_between_moments(void **state)
{
    (void)state;
    assert_int_equal(record_between(1, 5), 4);
    assert_int_equal(record_between(0, 5), 0);
    assert_int_equal(record_between(5, 0), 0);
    assert_int_equal(record_between(5, 4), 0);
}

static void nothing_is_kept_without_places(void **state)
{
    struct recorder_settings none = settings;
    struct recorder r;

    (void)state;
    none.count = 0;
    assert_true(recorder_init(&r, &none));
    recorder_write(&r, served(request_text), &secrets_standard);
    assert_int_equal(ring_next(&r.all), 0);
    recorder_fini(&r);
    none = settings;
    none.kept_count = 0;
    assert_true(recorder_init(&r, &none));
    recorder_write(&r, served("GET"), &secrets_standard);
    assert_int_equal(ring_next(&r.all), 1);
    assert_int_equal(ring_next(&r.kept), 0);
    recorder_fini(&r);
}

/* However little memory there is, and however much of a head is to be kept, a record takes at most a quarter of a ring. */
static void little_memory_keeps_short_texts(void **state)
{
    static const size_t sizes[] = { 1, 4096, 8192, 20000 };
    static char text[60000];
    char *big = malloc(200000);

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, "GET /?a", 7);
    for (size_t i = 0; i < 4; i++) {
        struct recorder_settings small = { 8, 8, sizes[i], sizes[3 - i], 1 << 20, 0, 0 };
        struct recorder r;

        assert_true(recorder_init(&r, &small));
        assert_true(record_room(&r) <= r.all.fixed.size / 4 && record_room(&r) <= r.kept.fixed.size / 4);
        for (int n = 0; n < 20; n++) {
            struct exchange *x = served("GET / HTTP/1.1\r\n\r\n");

            x->req.head_text = x->reply.head_text = (struct span){ text, sizeof text };
            recorder_write(&r, x, &secrets_standard);
            assert_int_equal(ring_next(&r.all), n + 1);
            assert_int_equal(ring_next(&r.kept), n + 1);
            assert_non_null(record_read(&r.all, (uint64_t)n, big, 200000));
            assert_int_equal(record_request((struct record *)big).n, r.head_bytes);
            assert_non_null(record_read(&r.kept, (uint64_t)n, big, record_room(&r)));
        }
        recorder_fini(&r);
    }
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reply_is_taken_in_place, setup, teardown),
        cmocka_unit_test(small_memory_has_no_place_for_replies),
        cmocka_unit_test_setup_teardown(all_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(little_is_kept_of_little, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_are_kept_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(peers_are_kept_as_they_are, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_and_slow_ones_are_kept_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_of_replies_are_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_head_is_kept_without_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(long_texts_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(each_text_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(request_lines_are_told_when_they_could_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(a_target_may_be_cut, setup, teardown),
        cmocka_unit_test(fields_are_found_in_texts),
        cmocka_unit_test(times_between_moments),
        cmocka_unit_test(nothing_is_kept_without_places),
        cmocka_unit_test(little_memory_keeps_short_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
