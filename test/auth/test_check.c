#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/check.h"
#include "auth/response.h"
#include "base/check.h"
#include "exchange/wait.h"
#include "http/method.h"

/* The password of each is x. */
#define ALICE \
    "$6$rounds=1000$saltsalt$w9KQdgZ0Ki6LoC1UHsgXGBQaO4XJhW7upynW4LSaoTX6YuFX0KIqzhQcvdJFwTJS.I2sYmby8LApILDV7m1xF/"
#define BOB   "$2y$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"
#define CAROL "$5$rounds=1000$saltsalt$z3t6rrtFn3lMdv6AmvXeEFzPOKLJ2JypZJIYx/pmpp/"
#define DAVE  "$y$j75$saltsalt$Gtztd5zUp728UyZG5IA6qtNknB9RVEpxHqWZmvVOP57"

/* Any four reasons tell which of the settings was taken. */
#define MISSING   R_proxy_auth_required
#define REFUSED   R_proxy_loop
#define MALFORMED R_token_invalid
#define STALE     R_network_auth_required

#define REALM     "http-auth@example.org"
#define FIELDS    4

static struct loop loop;
static struct mail_box mail;
static struct offload helpers;
static struct auth_worker *worker;
static struct auth_settings settings;
static char path[] = "/tmp/verdict-auth-XXXXXX";
static uint64_t now_ms;
static unsigned woken;

/* One request and what is kept of it. */
struct visit {
    struct exchange *x;
    struct auth_state state;
    struct field fields[FIELDS];
};

static void resume(struct exchange *x)
{
    (void)x;
    woken++;
}

static void tick(struct exchange *x)
{
    x->now_ms = now_ms;
}

static const struct exchange_host host = { .tick = tick, .resume = resume };

static void visit_open(struct visit *v, const char *method, const char *target, const char *authorization)
{
    struct verdict verdict;

    *v = (struct visit){ .x = calloc(1, sizeof *v->x) };
    DIE_UNLESS(v->x != NULL);
    v->x->host = &host;
    v->x->now_ms = now_ms;
    arena_init(&v->x->arena, NULL, 0, 1 << 16);
    head_init(&v->x->req.head, v->fields);
    v->x->req.head.method_name = span_of(method);
    v->x->req.head.method = method_find(span_of(method));
    v->x->req.head.target = span_of(target);
    DIE_UNLESS(target_parse(span_of(target), v->x->req.head.method, &v->x->req.target, &verdict) == R_NONE);
    if (authorization != NULL)
        head_add(&v->x->req.head, SPAN("Proxy-Authorization"), arena_copy(&v->x->arena, span_of(authorization)));
    v->x->req.head.base = v->x->req.head.count > 0 ? v->fields[0].value.p : NULL;
}

static enum flow visit_check(struct visit *v)
{
    return auth_check(v->x, &settings, worker, &v->state);
}

/* The reason; R_NONE: let in. */
static enum reason visit_run(struct visit *v)
{
    enum flow flow;

    while ((flow = visit_check(v)) == FLOW_WAIT) {
        unsigned before = woken;

        while (woken == before)
            DIE_UNLESS(loop_round(&loop, 1000) >= 0);
    }
    assert_int_equal(flow == FLOW_STOP, v->x->verdict.why != R_NONE);
    return v->x->verdict.why;
}

static void visit_close(struct visit *v)
{
    arena_reset(&v->x->arena);
    free(v->x);
}

static void file_write(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    DIE_UNLESS(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void ha1_of(enum digest_algorithm a, char out[DIGEST_HEX_MAX + 1])
{
    const struct span parts[] = { SPAN("Mufasa"), SPAN(REALM), SPAN("Circle of Life") };

    DIE_UNLESS(digest_hash(a, parts, 3, out));
    out[digest_hex_digits(a)] = '\0';
}

static int world_open(void **state)
{
    static const char *paths[] = { path };
    char why[USERS_WHY_BYTES], md5[DIGEST_HEX_MAX + 1], sha256[DIGEST_HEX_MAX + 1], text[2048];
    int fd = mkstemp(path);

    (void)state;
    DIE_UNLESS(fd >= 0 && close(fd) == 0);
    ha1_of(DIGEST_MD5, md5);
    ha1_of(DIGEST_SHA256, sha256);
    snprintf(text, sizeof text,
             "alice:" ALICE "\nbob:" BOB "\ncarol:" CAROL "\ndave:" DAVE "\nMufasa:" REALM ":%s\nMufasa:" REALM ":%s\n",
             md5, sha256);
    file_write(text);
    settings = (struct auth_settings){ .realm = SPAN(REALM),
                                       .basic = true,
                                       .digest = { true, true },
                                       .field = FIELD_PROXY_AUTHORIZATION,
                                       .challenge = SPAN("Proxy-Authenticate"),
                                       .missing = MISSING,
                                       .refused = REFUSED,
                                       .malformed = MALFORMED,
                                       .stale = STALE,
                                       .nonce_lifetime_s = 60,
                                       .good_lifetime_s = 60 };
    now_ms = 5000;
    DIE_UNLESS(users_new(paths, 1, &settings.users, why) == 0);
    settings.nonces = nonces_new();
    DIE_UNLESS(loop_init(&loop) == 0 && mail_box_init(&mail, &loop) == 0 && settings.nonces != NULL);
    offload_init(&helpers, 2, 16);
    worker = auth_worker_new(&helpers, &mail);
    return worker != NULL ? 0 : -1;
}

static int world_close(void **state)
{
    (void)state;
    offload_fini(&helpers);
    mail_box_fini(&mail);
    loop_fini(&loop);
    auth_worker_release(&worker);
    users_release(&settings.users);
    nonces_release(&settings.nonces);
    unlink(path);
    strcpy(path, "/tmp/verdict-auth-XXXXXX");
    return 0;
}

struct basic_case {
    const char *authorization;
    enum reason want;
    uint32_t at;
    const char *user;
};

static const struct basic_case basic_cases[] = {
    { NULL, MISSING, 0, NULL },
    { "Basic YWxpY2U6eA==", R_NONE, 0, "alice" },
    { "bASIC YWxpY2U6eA==", R_NONE, 0, "alice" },
    { "Basic Ym9iOng=", R_NONE, 0, "bob" },
    { "Basic Y2Fyb2w6eA==", R_NONE, 0, "carol" },
    { "Basic ZGF2ZTp4", R_NONE, 0, "dave" },
    { "Basic YWxpY2U6eQ==", REFUSED, 0, NULL },                 /* alice:y */
    { "Basic YWxpY2U6", REFUSED, 0, NULL },                     /* alice: */
    { "Basic QWxpY2U6eA==", REFUSED, 0, NULL },                 /* Alice:x */
    { "Basic bm9ib2R5Ong=", REFUSED, 0, NULL },                 /* nobody:x */
    { "Basic Ong=", REFUSED, 0, NULL },                         /* :x */
    { "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl", REFUSED, 0, NULL }, /* Mufasa has no hash for Basic */
    { "Bearer abc", MISSING, 0, NULL },
    { "Basic", MALFORMED, 0, NULL },
    { "Basic a=b", MALFORMED, 0, NULL },
    { "Basic YWxpY2U6eA", MALFORMED, 6, NULL },
    { "Basic YWxpY2U=", MALFORMED, 6, NULL },
    { "Basic YWxpY2U6eA== b", MALFORMED, 17, NULL },
    { "\"", MALFORMED, 0, NULL },
};

static void basic_lets_in_who_knows_the_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof basic_cases / sizeof *basic_cases; i++) {
        const struct basic_case *t = &basic_cases[i];
        struct visit v;

        visit_open(&v, "GET", "/", t->authorization);
        if (visit_run(&v) != t->want)
            print_message("%s: %s\n", t->authorization, reason_info(v.x->verdict.why)->name);
        assert_int_equal(v.x->verdict.why, t->want);
        assert_int_equal(v.x->verdict.at, t->at);
        assert_true(span_is(v.x->verdict.operand, t->want == MALFORMED ? SPAN("Proxy-Authorization") : SPAN("")));
        assert_true(span_is(v.state.user, t->user != NULL ? span_of(t->user) : SPAN("")));
        visit_close(&v);
    }
}

static void a_second_field_is_malformed(void **state)
{
    struct visit v;

    (void)state;
    visit_open(&v, "GET", "/", "Basic YWxpY2U6eA==");
    head_add(&v.x->req.head, SPAN("proxy-authorization"), SPAN("Basic YWxpY2U6eA=="));
    assert_int_equal(visit_run(&v), MALFORMED);
    visit_close(&v);
}

static void the_other_field_is_not_looked_at(void **state)
{
    struct visit v;

    (void)state;
    visit_open(&v, "GET", "/", NULL);
    head_add(&v.x->req.head, SPAN("Authorization"), SPAN("Basic YWxpY2U6eA=="));
    assert_int_equal(visit_run(&v), MISSING);
    visit_close(&v);
    settings.field = FIELD_AUTHORIZATION;
    visit_open(&v, "GET", "/", NULL);
    head_add(&v.x->req.head, SPAN("Authorization"), SPAN("Basic YWxpY2U6eA=="));
    assert_int_equal(visit_run(&v), R_NONE);
    visit_close(&v);
    settings.field = FIELD_PROXY_AUTHORIZATION;
}

/* FLOW_WAIT: a hash is computed. */
static enum flow basic_first(const char *authorization)
{
    struct visit v;
    enum flow first;

    visit_open(&v, "GET", "/", authorization);
    first = visit_check(&v);
    if (first == FLOW_WAIT) {
        unsigned before = woken;

        while (woken == before)
            DIE_UNLESS(loop_round(&loop, 1000) >= 0);
        visit_check(&v);
    }
    visit_close(&v);
    return first;
}

static void a_right_password_costs_one_hash_a_minute(void **state)
{
    char why[USERS_WHY_BYTES];

    (void)state;
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_WAIT);
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_GO);
    assert_int_equal(basic_first("Basic YWxpY2U6eQ=="), FLOW_WAIT);
    assert_int_equal(basic_first("Basic YWxpY2U6eQ=="), FLOW_WAIT); /* a wrong one is not remembered */
    now_ms += 59999;
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_GO);
    now_ms += 1;
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_WAIT);
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_GO);
    file_write("alice:" BOB "\n"); /* another hash of the same password */
    assert_int_equal(users_refresh(settings.users, why), 1);
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_WAIT);
}

static void a_user_whom_nobody_knows_costs_a_hash(void **state)
{
    (void)state;
    assert_int_equal(basic_first("Basic bm9ib2R5Ong="), FLOW_WAIT);
}

static void the_same_question_is_asked_once(void **state)
{
    struct visit v[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        visit_open(&v[i], "GET", "/", "Basic ZGF2ZTp4");
        assert_int_equal(visit_check(&v[i]), FLOW_WAIT);
    }
    exchange_cancel(v[1].x);
    assert_ptr_equal(v[0].state.waiter.job, v[2].state.waiter.job);
    woken = 0;
    while (woken < 2)
        DIE_UNLESS(loop_round(&loop, 1000) >= 0);
    assert_int_equal(visit_check(&v[0]), FLOW_GO);
    assert_int_equal(visit_check(&v[2]), FLOW_GO);
    for (size_t i = 0; i < 3; i++)
        visit_close(&v[i]);
}

static void clients_that_leave_are_not_answered(void **state)
{
    struct visit v[2];

    (void)state;
    woken = 0;
    for (size_t i = 0; i < 2; i++) {
        visit_open(&v[i], "GET", "/", "Basic ZGF2ZTp4");
        assert_int_equal(visit_check(&v[i]), FLOW_WAIT);
    }
    for (size_t i = 0; i < 2; i++) {
        exchange_cancel(v[i].x);
        visit_close(&v[i]);
    }
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_WAIT);
    assert_int_equal(woken, 1);
}

static void too_many_hashes_are_refused(void **state)
{
    static struct visit v[PASSWORD_JOBS_MAX];
    size_t waiting = 0;
    char value[64];

    (void)state;
    /* ":gaaa@", ":gaaaA" and so on */
    for (size_t i = 0; i < PASSWORD_JOBS_MAX; i++) {
        snprintf(value, sizeof value, "Basic Omdh%s%c", i < 52 ? "YWF" : "YWJ",
                 (char)(i % 52 < 26 ? 'A' + i % 26 : 'a' + i % 26));
        visit_open(&v[i], "GET", "/", value);
        if (visit_check(&v[i]) == FLOW_WAIT)
            waiting++;
        else
            assert_int_equal(v[i].x->verdict.why, R_helper_queue_full);
    }
    assert_in_range(waiting, 16, PASSWORD_JOBS_MAX - 1); /* the helpers of this test hold 16 */
    woken = 0;
    while (woken < waiting)
        DIE_UNLESS(loop_round(&loop, 1000) >= 0);
    for (size_t i = 0; i < PASSWORD_JOBS_MAX; i++) {
        if (v[i].state.waiter.job != NULL)
            assert_int_equal(visit_check(&v[i]), FLOW_STOP);
        visit_close(&v[i]);
    }
}

/* RFC7616:3.9.1 */
#define VECTOR_NONCE  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define VECTOR_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static void responses_are_those_of_the_specification(void **state)
{
    static const char *const want[DIGEST_ALGORITHMS] = {
        [DIGEST_SHA256] = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        [DIGEST_MD5] = "8ca523f5e9506fed4657c9700eebdbec",
    };

    (void)state;
    for (unsigned a = 0; a < DIGEST_ALGORITHMS; a++) {
        struct digest d = { .algorithm = (enum digest_algorithm)a,
                            .nonce = SPAN(VECTOR_NONCE),
                            .uri = SPAN("/dir/index.html"),
                            .cnonce = SPAN(VECTOR_CNONCE),
                            .nc = SPAN("00000001") };
        char ha1[DIGEST_HEX_MAX + 1], out[DIGEST_HEX_MAX];

        ha1_of(d.algorithm, ha1);
        assert_true(digest_response(&d, SPAN("GET"), span_of(ha1), out));
        assert_true(span_is((struct span){ out, digest_hex_digits(d.algorithm) }, span_of(want[a])));
    }
}

/* What a client writes. */
struct asked {
    enum digest_algorithm algorithm;
    const char *method, *uri, *nc, *realm, *user;
};

static const struct asked plain = { DIGEST_SHA256, "GET", "/dir", "00000001", REALM, "Mufasa" };

static void digest_write(const struct asked *a, const char *nonce, char out[1024])
{
    struct digest d = { .algorithm = a->algorithm,
                        .nonce = span_of(nonce),
                        .uri = span_of(a->uri),
                        .cnonce = SPAN("c"),
                        .nc = span_of(a->nc) };
    char ha1[DIGEST_HEX_MAX + 1], response[DIGEST_HEX_MAX];

    ha1_of(a->algorithm, ha1);
    DIE_UNLESS(digest_response(&d, span_of(a->method), span_of(ha1), response));
    snprintf(
        out, 1024,
        "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", algorithm=%s, qop=auth, nc=%s, cnonce=\"c\", "
        "response=\"%.*s\"",
        a->user, a->realm, nonce, a->uri, digest_algorithm_name(a->algorithm).p, a->nc,
        (int)digest_hex_digits(a->algorithm), response);
}

static const char *fresh_nonce(void)
{
    static char nonce[NONCE_BYTES + 1];

    DIE_UNLESS(nonce_write(settings.nonces, now_ms, nonce));
    return nonce;
}

static enum reason digest_run(const struct asked *a, const char *nonce, const char *target)
{
    char value[1024];
    enum reason why;
    struct visit v;

    digest_write(a, nonce, value);
    visit_open(&v, "GET", target, value);
    why = visit_run(&v);
    assert_true(span_is(v.state.user, why == R_NONE ? SPAN("Mufasa") : SPAN("")));
    visit_close(&v);
    return why;
}

struct digest_case {
    struct asked asked;
    const char *target;
    enum reason want;
};

static const struct digest_case digest_cases[] = {
    { { DIGEST_SHA256, "GET", "/dir", "00000001", REALM, "Mufasa" }, "/dir", R_NONE },
    { { DIGEST_MD5, "GET", "/dir", "00000001", REALM, "Mufasa" }, "/dir", R_NONE },
    { { DIGEST_MD5, "GET", "/dir", "ffffffff", REALM, "Mufasa" }, "/dir", R_NONE },
    { { DIGEST_SHA256, "GET", "http://a/d?q", "00000001", REALM, "Mufasa" }, "http://a/d?q", R_NONE },
    { { DIGEST_SHA256, "GET", "/d?q", "00000001", REALM, "Mufasa" }, "http://a/d?q", R_NONE },
    { { DIGEST_SHA256, "GET", "/", "00000001", REALM, "Mufasa" }, "http://a", R_NONE },
    { { DIGEST_SHA256, "GET", "/", "00000001", REALM, "Mufasa" }, "http://a?q", MALFORMED },
    { { DIGEST_SHA256, "GET", "/d", "00000001", REALM, "Mufasa" }, "http://a/d?q", MALFORMED },
    { { DIGEST_SHA256, "GET", "/dir", "00000001", REALM, "Mufasa" }, "/dir?", MALFORMED },
    { { DIGEST_SHA256, "GET", "/dir", "00000000", REALM, "Mufasa" }, "/dir", MALFORMED },
    { { DIGEST_SHA256, "PUT", "/dir", "00000001", REALM, "Mufasa" }, "/dir", REFUSED },
    { { DIGEST_SHA256, "GET", "/dir", "00000001", REALM, "mufasa" }, "/dir", REFUSED },
    { { DIGEST_SHA256, "GET", "/dir", "00000001", REALM, "nobody" }, "/dir", REFUSED },
    { { DIGEST_SHA256, "GET", "/dir", "00000001", "other", "Mufasa" }, "/dir", REFUSED },
    { { DIGEST_SHA256, "GET", "/dir", "00000001", REALM, "alice" }, "/dir", REFUSED },
};

static void digest_lets_in_who_proves_the_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof digest_cases / sizeof *digest_cases; i++) {
        const struct digest_case *t = &digest_cases[i];
        enum reason why = digest_run(&t->asked, fresh_nonce(), t->target);

        if (why != t->want)
            print_message("case %zu: %s\n", i, reason_info(why)->name);
        assert_int_equal(why, t->want);
    }
}

static void only_what_is_offered_is_taken(void **state)
{
    const struct asked md5 = { DIGEST_MD5, "GET", "/dir", "00000001", REALM, "Mufasa" };
    struct nonces *nonces = settings.nonces;
    const char *nonce = fresh_nonce();

    (void)state;
    settings.digest[DIGEST_MD5] = false;
    assert_int_equal(digest_run(&md5, nonce, "/dir"), MISSING);
    settings.basic = false;
    assert_int_equal(basic_first("Basic YWxpY2U6eA=="), FLOW_STOP);
    settings.nonces = NULL;
    assert_int_equal(digest_run(&plain, nonce, "/dir"), MISSING);
    settings.nonces = nonces;
    assert_int_equal(digest_run(&plain, nonce, "/dir"), R_NONE);
}

/* Whoever changes one letter of a good field gets no further. */
static void no_letter_may_differ(void **state)
{
    char value[1024];
    size_t n;

    (void)state;
    digest_write(&plain, fresh_nonce(), value);
    n = strlen(value);
    for (size_t i = 0; i < n; i++) {
        char letter = value[i];
        struct visit v;
        enum reason why;

        value[i] = (char)(letter ^ 1);
        visit_open(&v, "GET", "/dir", value);
        why = visit_run(&v);
        if (why == R_NONE)
            print_message("%s\n", value);
        assert_true(why == REFUSED || why == MALFORMED || why == MISSING);
        visit_close(&v);
        value[i] = letter;
    }
}

static void a_nonce_ages_and_each_count_is_good_once(void **state)
{
    struct asked a = plain;
    char nonce[NONCE_BYTES + 1];

    (void)state;
    strcpy(nonce, fresh_nonce());
    assert_int_equal(digest_run(&a, nonce, "/dir"), R_NONE);
    assert_int_equal(digest_run(&a, nonce, "/dir"), STALE);
    a.nc = "00000003";
    assert_int_equal(digest_run(&a, nonce, "/dir"), R_NONE);
    a.nc = "00000002"; /* overtaken on another connection */
    assert_int_equal(digest_run(&a, nonce, "/dir"), R_NONE);
    assert_int_equal(digest_run(&a, nonce, "/dir"), STALE);
    now_ms += 60000;
    a.nc = "00000004";
    assert_int_equal(digest_run(&a, nonce, "/dir"), R_NONE);
    now_ms += 1;
    a.nc = "00000005";
    assert_int_equal(digest_run(&a, nonce, "/dir"), STALE);
    assert_int_equal(digest_run(&a, VECTOR_NONCE, "/dir"), STALE); /* of another process */
    nonce[0] ^= 1;
    assert_int_equal(digest_run(&a, nonce, "/dir"), STALE);
}

static void counts_far_below_are_used(void **state)
{
    struct span nonce = { fresh_nonce(), NONCE_BYTES };

    (void)state;
    assert_true(nonce_use(settings.nonces, nonce, 100, now_ms, 1000));
    assert_false(nonce_use(settings.nonces, nonce, 36, now_ms, 1000));
    assert_true(nonce_use(settings.nonces, nonce, 37, now_ms, 1000));
    assert_false(nonce_use(settings.nonces, nonce, 37, now_ms, 1000));
    assert_true(nonce_use(settings.nonces, nonce, 163, now_ms, 1000));
    assert_false(nonce_use(settings.nonces, nonce, 100, now_ms, 1000));
    assert_true(nonce_use(settings.nonces, nonce, 300, now_ms, 1000));
    assert_true(nonce_use(settings.nonces, nonce, 299, now_ms, 1000));
    assert_true(nonce_use(settings.nonces, nonce, UINT32_MAX, now_ms, 1000));
    assert_false(nonce_use(settings.nonces, nonce, 0, now_ms, 1000));
}

/* More nonces than there is room for: no count is good twice, and the youngest are known. */
static void what_is_forgotten_cannot_be_replayed(void **state)
{
    static char nonces[3000][NONCE_BYTES];
    uint64_t issued_ms = now_ms;

    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        DIE_UNLESS(nonce_write(settings.nonces, issued_ms + i, nonces[i]));
        assert_true(nonce_use(settings.nonces, (struct span){ nonces[i], NONCE_BYTES }, 1, issued_ms + i, 60000));
    }
    for (size_t i = 0; i < 3000; i++)
        assert_false(nonce_use(settings.nonces, (struct span){ nonces[i], NONCE_BYTES }, 1, issued_ms + 3000, 60000));
    assert_false(nonce_use(settings.nonces, (struct span){ nonces[0], NONCE_BYTES }, 2, issued_ms + 3000, 60000));
    assert_true(nonce_use(settings.nonces, (struct span){ nonces[2999], NONCE_BYTES }, 2, issued_ms + 3000, 60000));
}

static void challenges_are_one_line_each(void **state)
{
    static const char *const begin[] = {
        "Digest realm=\"" REALM "\", qop=\"auth\", algorithm=SHA-256, nonce=\"",
        "Digest realm=\"" REALM "\", qop=\"auth\", algorithm=MD5, nonce=\"",
        "Basic realm=\"" REALM "\", charset=\"UTF-8\"",
    };
    struct visit v;

    (void)state;
    visit_open(&v, "GET", "/", NULL);
    auth_challenges(v.x, &settings, true);
    assert_int_equal(v.x->reply.count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        struct reply_field f = v.x->reply_fields[i];

        assert_true(span_is(f.name, SPAN("Proxy-Authenticate")));
        assert_true(span_starts(f.value, span_of(begin[i])));
        assert_int_equal(span_ends(f.value, SPAN("\", charset=UTF-8, stale=true")), i < 2);
    }
    settings.digest[DIGEST_MD5] = false;
    v.x->reply.count = 0;
    auth_challenges(v.x, &settings, false);
    assert_int_equal(v.x->reply.count, 2);
    assert_true(span_ends(v.x->reply_fields[0].value, SPAN("\", charset=UTF-8")));
    visit_close(&v);
}

/* What is offered when Mufasa has these HA1s alone: the algorithms in their order. */
static void offered_with(bool sha256, bool md5, const char *const want[])
{
    char text[512] = "alice:" ALICE "\n", why[USERS_WHY_BYTES], ha1[DIGEST_HEX_MAX + 1];
    const bool has[DIGEST_ALGORITHMS] = { [DIGEST_SHA256] = sha256, [DIGEST_MD5] = md5 };
    struct visit v;
    uint32_t n = 0;

    for (unsigned a = 0; a < DIGEST_ALGORITHMS; a++) {
        ha1_of((enum digest_algorithm)a, ha1);
        snprintf(text + strlen(text), sizeof text - strlen(text), "Mufasa:%s:%s\n", has[a] ? REALM : "other", ha1);
    }
    file_write(text);
    assert_true(users_refresh(settings.users, why) >= 0);
    visit_open(&v, "GET", "/", NULL);
    auth_challenges(v.x, &settings, false);
    for (; want[n] != NULL; n++) {
        struct span value = v.x->reply_fields[n].value;

        assert_non_null(memmem(value.p, value.n, want[n], strlen(want[n])));
    }
    assert_int_equal(v.x->reply.count, n);
    visit_close(&v);
}

static void algorithms_are_those_of_the_users(void **state)
{
    const struct asked md5 = { DIGEST_MD5, "GET", "/dir", "00000001", REALM, "Mufasa" };

    (void)state;
    settings.basic = false;
    offered_with(false, true, (const char *const[]){ "algorithm=MD5", NULL });
    assert_int_equal(digest_run(&plain, fresh_nonce(), "/dir"), MISSING);
    assert_int_equal(digest_run(&md5, fresh_nonce(), "/dir"), R_NONE);
    offered_with(true, false, (const char *const[]){ "algorithm=SHA-256", NULL });
    assert_int_equal(digest_run(&md5, fresh_nonce(), "/dir"), MISSING);
    assert_int_equal(digest_run(&plain, fresh_nonce(), "/dir"), R_NONE);
    offered_with(true, true, (const char *const[]){ "algorithm=SHA-256", "algorithm=MD5", NULL });
    /* Nobody could get in, but they are asked: an answer has to have a challenge. */
    offered_with(false, false, (const char *const[]){ "algorithm=SHA-256", "algorithm=MD5", NULL });
    assert_int_equal(digest_run(&plain, fresh_nonce(), "/dir"), MISSING);
    settings.digest[DIGEST_MD5] = false;
    offered_with(false, true, (const char *const[]){ "algorithm=SHA-256", NULL });
}

static void users_who_cannot_log_in_are_told(void **state)
{
    static const char *paths[] = { path };
    char why[USERS_WHY_BYTES], want[USERS_WHY_BYTES];
    struct users *users = NULL;

    (void)state;
    file_write("alice:" ALICE "\nMufasa:other:0123456789abcdef0123456789abcdef\n");
    assert_int_equal(auth_users_new(&settings, paths, 1, &users, why), 0); /* alice, by Basic */
    users_release(&users);
    settings.basic = false;
    assert_int_equal(auth_users_new(&settings, paths, 1, &users, why), -EINVAL);
    assert_null(users);
    snprintf(want, sizeof want, "%s has no line user:" REALM ":HA1, which digest needs: make one with htdigest", path);
    assert_string_equal(why, want);
    file_write("Mufasa:" REALM ":0123456789abcdef0123456789abcdef\n");
    assert_int_equal(auth_users_new(&settings, paths, 1, &users, why), 0);
    users_release(&users);
    settings.digest[DIGEST_MD5] = false;
    assert_int_equal(auth_users_new(&settings, paths, 1, &users, why), -EINVAL);
}

static void a_full_arena_lets_nobody_in(void **state)
{
    struct visit v;

    (void)state;
    visit_open(&v, "GET", "/", "Basic YWxpY2U6eA==");
    while (arena_take(&v.x->arena, 16) != NULL) {
    }
    assert_int_equal(visit_run(&v), R_exchange_memory_exhausted);
    visit_close(&v);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, world_open, world_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(basic_lets_in_who_knows_the_password),
        WITH_WORLD(a_second_field_is_malformed),
        WITH_WORLD(the_other_field_is_not_looked_at),
        WITH_WORLD(a_right_password_costs_one_hash_a_minute),
        WITH_WORLD(a_user_whom_nobody_knows_costs_a_hash),
        WITH_WORLD(the_same_question_is_asked_once),
        WITH_WORLD(clients_that_leave_are_not_answered),
        WITH_WORLD(too_many_hashes_are_refused),
        cmocka_unit_test(responses_are_those_of_the_specification),
        WITH_WORLD(digest_lets_in_who_proves_the_password),
        WITH_WORLD(only_what_is_offered_is_taken),
        WITH_WORLD(no_letter_may_differ),
        WITH_WORLD(a_nonce_ages_and_each_count_is_good_once),
        WITH_WORLD(counts_far_below_are_used),
        WITH_WORLD(what_is_forgotten_cannot_be_replayed),
        WITH_WORLD(challenges_are_one_line_each),
        WITH_WORLD(algorithms_are_those_of_the_users),
        WITH_WORLD(users_who_cannot_log_in_are_told),
        WITH_WORLD(a_full_arena_lets_nobody_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
