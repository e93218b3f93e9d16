#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admission.h"
#include "io/address.h"

/* A server that lets one client in. */
struct door {
    char inside[ADDRESS_TEXT_BYTES]; /* "": nobody */
    uint64_t until_ms;
    bool full;
};

static struct door door;
static struct admin_source source;
static struct api api;

static const char *text_of(const struct sockaddr *client, char text[ADDRESS_TEXT_BYTES])
{
    return address_print(client, sizeof(struct sockaddr_storage), ADDRESS_HOST, text).p;
}

static bool is_inside(const struct door *d, const struct sockaddr *client)
{
    char text[ADDRESS_TEXT_BYTES];

    return strcmp(d->inside, text_of(client, text)) == 0;
}

static bool admit(void *server, const struct sockaddr *client, uint64_t until_ms, uint64_t now_ms)
{
    struct door *d = server;

    assert_true(now_ms == api.now_ms);
    if (d->full)
        return false;
    text_of(client, d->inside);
    d->until_ms = until_ms;
    return true;
}

static bool expel(void *server, const struct sockaddr *client)
{
    struct door *d = server;
    bool was = is_inside(d, client);

    if (was)
        d->inside[0] = '\0';
    return was;
}

static bool is_admitted(void *server, const struct sockaddr *client, uint64_t now_ms)
{
    (void)now_ms;
    return is_inside(server, client);
}

static uint32_t admitted_count(void *server, uint64_t now_ms)
{
    const struct door *d = server;

    (void)now_ms;
    return d->inside[0] != '\0';
}

/* Content in pieces of so many bytes; waits: once, before the second. */
static struct {
    struct span left;
    size_t piece;
    bool waits;
} feed;

static enum flow content(struct exchange *x, struct span *piece)
{
    (void)x;
    if (feed.waits && feed.left.n == 0) {
        feed.waits = false;
        return FLOW_WAIT;
    }
    *piece = (struct span){ feed.left.p, feed.left.n < feed.piece ? feed.left.n : feed.piece };
    feed.left = span_from(feed.left, piece->n);
    return FLOW_GO;
}

static const struct codec_ops codec = { .name = "fake", .content = content };

static int setup(void **state)
{
    (void)state;
    door = (struct door){ 0 };
    source = (struct admin_source){
        .server = &door, .admit = admit, .expel = expel, .is_admitted = is_admitted, .admitted_count = admitted_count
    };
    api = (struct api){ .source = &source, .now_ms = 5000 };
    return 0;
}

static struct verdict stored(struct span said, size_t piece, size_t arena_bytes)
{
    struct exchange *x = calloc(1, sizeof *x);
    struct admission a = { 0 };
    struct verdict v;
    enum flow f;

    assert_non_null(x);
    arena_init(&x->arena, NULL, 0, arena_bytes);
    x->codec = &codec;
    feed.left = said;
    feed.piece = piece;
    do
        f = admission_store(x, &api, &a);
    while (f == FLOW_WAIT);
    v = x->verdict;
    v.operand = span_of(v.operand.n > 0 ? strndup(v.operand.p, v.operand.n) : strdup(""));
    assert_int_equal(f == FLOW_STOP, v.why != R_NONE);
    arena_reset(&x->arena);
    free(x);
    return v;
}

static void expect_stored(struct span said, size_t piece, enum reason why, const char *operand)
{
    struct verdict v = stored(said, piece, 8192);

    if (v.why != why || strcmp(v.operand.p, operand) != 0)
        fail_msg("%.*s: %s %s", (int)said.n, said.p, reason_info(v.why)->name, v.operand.p);
    free((char *)(uintptr_t)v.operand.p);
}

static const struct {
    const char *said, *operand; /* NULL: it is stored */
} store_cases[] = {
    { "{\"client\":\"192.0.2.1\",\"seconds\":1}", NULL },
    { " {\"seconds\":2592000,\n\"client\":\"2001:db8::1\"} ", NULL },
    { "", "content" },
    { "{", "content" },
    { "[1]", "content" },
    { "{\"client\":\"192.0.2.1\",\"seconds\":1}x", "content" },
    { "{\"client\":\"192.0.2.1\",\"seconds\":1,\"seconds\":2}", "content" },
    { "{\"seconds\":1}", "client" },
    { "{\"client\":7,\"seconds\":1}", "client" },
    { "{\"client\":\"a.example\",\"seconds\":1}", "client" },
    { "{\"client\":\"192.0.2.0/24\",\"seconds\":1}", "client" },
    { "{\"client\":\"192.0.2.1\"}", "seconds" },
    { "{\"client\":\"192.0.2.1\",\"seconds\":0}", "seconds" },
    { "{\"client\":\"192.0.2.1\",\"seconds\":-1}", "seconds" },
    { "{\"client\":\"192.0.2.1\",\"seconds\":1.5}", "seconds" },
    { "{\"client\":\"192.0.2.1\",\"seconds\":2592001}", "seconds" },
};

static void content_says_who_is_let_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof store_cases / sizeof store_cases[0]; i++) {
        const char *operand = store_cases[i].operand;

        expect_stored(span_of(store_cases[i].said), 3, operand != NULL ? R_unprocessable_content : R_NONE,
                      operand != NULL ? operand : "");
    }
    assert_string_equal(door.inside, "2001:db8::1");
    assert_true(door.until_ms == 5000 + UINT64_C(2592000) * 1000);
}

static void content_may_be_waited_for(void **state)
{
    (void)state;
    feed.waits = true;
    expect_stored(SPAN("{\"client\":\"192.0.2.1\",\"seconds\":9}"), 64, R_NONE, "");
    assert_string_equal(door.inside, "192.0.2.1");
}

static void what_has_no_room_is_refused(void **state)
{
    static char blanks[ADMISSION_CONTENT_BYTES + 1];
    struct verdict v;

    (void)state;
    memset(blanks, ' ', sizeof blanks);
    expect_stored((struct span){ blanks, sizeof blanks }, 512, R_content_streamed_too_large, "");
    door.full = true;
    expect_stored(SPAN("{\"client\":\"192.0.2.1\",\"seconds\":9}"), 64, R_insufficient_storage, "");
    v = stored(SPAN("{}"), 64, 0);
    assert_int_equal(v.why, R_worker_memory_exhausted);
    free((char *)(uintptr_t)v.operand.p);
}

static bool found(const char *path, bool stores)
{
    struct admission a = { 0 };

    return admission_find(&api, &a, span_of(path), stores);
}

static void places_are_found(void **state)
{
    static const char *const nothing[] = { "/api/admissionsx", "/api/admissions/", "/api/admissions/192.0.2.2",
                                           "/api/admissions/x", "/api/admissions/192.0.2.1/" };

    (void)state;
    strcpy(door.inside, "192.0.2.1");
    assert_true(found("/api/admissions", false) && found("/api/admissions", true));
    assert_true(found("/api/admissions/192.0.2.1", false));
    assert_false(found("/api/admissions/192.0.2.1", true));
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        assert_false(found(nothing[i], false));
    source.admit = NULL;
    assert_false(found("/api/admissions", false));
}

static void told(const struct admission *a, const char *want)
{
    json_t *said = admission_json(&api, a);
    char *text = json_dumps(said, JSON_COMPACT);

    assert_string_equal(text, want);
    free(text);
    json_decref(said);
}

static void who_is_in_is_told_and_let_out(void **state)
{
    struct admission all = { 0 }, one = { 0 };

    (void)state;
    strcpy(door.inside, "192.0.2.1");
    assert_true(admission_find(&api, &one, SPAN("/api/admissions/192.0.2.1"), false));
    told(&all, "{\"count\":1}");
    told(&one, "{\"admitted\":true}");
    admission_remove(&api, &all);
    told(&all, "{\"count\":1}");
    admission_remove(&api, &one);
    told(&all, "{\"count\":0}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(content_says_who_is_let_in, setup),
        cmocka_unit_test_setup(content_may_be_waited_for, setup),
        cmocka_unit_test_setup(what_has_no_room_is_refused, setup),
        cmocka_unit_test_setup(places_are_found, setup),
        cmocka_unit_test_setup(who_is_in_is_told_and_let_out, setup),
    };

    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
