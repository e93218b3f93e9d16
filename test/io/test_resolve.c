#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/address.h"
#include "io/resolve.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28 };
enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };
enum manner { ANSWERS, NO_DATA, GARBLED, CUT, TRUNCATED, SILENT, RCODE };

/* What the server does with a question for a name and type. */
static const struct zone {
    const char *name;
    uint16_t type; /* 0: both */
    enum manner manner;
    uint8_t rcode, count; /* of addresses */
    uint32_t ttl_s;
    const char *alias;
} zone[] = {
    { "both.test", TYPE_A, ANSWERS, 0, 1, 300, NULL },
    { "both.test", TYPE_AAAA, ANSWERS, 0, 1, 200, NULL },
    { "four.test", TYPE_A, ANSWERS, 0, 2, 300, NULL },
    { "four.test", TYPE_AAAA, NO_DATA, 0, 0, 0, NULL },
    { "half.test", TYPE_A, ANSWERS, 0, 1, 300, NULL },
    { "half.test", TYPE_AAAA, RCODE, RCODE_SERVFAIL, 0, 0, NULL },
    { "alias.test", 0, ANSWERS, 0, 1, 300, "real.test" },
    { "many.test", TYPE_A, ANSWERS, 0, 25, 300, NULL },
    { "many.test", TYPE_AAAA, NO_DATA, 0, 0, 0, NULL },
    { "large.test", TYPE_A, TRUNCATED, 0, 12, 300, NULL },
    { "large.test", TYPE_AAAA, ANSWERS, 0, 1, 300, NULL },
    { "moment.test", 0, ANSWERS, 0, 1, 0, NULL },
    { "empty.test", 0, NO_DATA, 0, 0, 0, NULL },
    { "broken.test", 0, RCODE, RCODE_SERVFAIL, 0, 0, NULL },
    { "refused.test", 0, RCODE, RCODE_REFUSED, 0, 0, NULL },
    { "garbled.test", 0, GARBLED, 0, 1, 300, NULL },
    { "cut.test", 0, CUT, 0, 0, 0, NULL },
    { "silent.test", 0, SILENT, 0, 0, 0, NULL },
};

/* A name server, on the loop of the test. */
static struct server {
    struct watch watch;  /* UDP */
    struct watch listen; /* TCP */
    struct watch stream; /* a connection over TCP */
    uint16_t port;
    unsigned asked;     /* datagrams */
    bool silent, fails; /* whatever is asked */
    bool gone;          /* everything is NXDOMAIN */
} server;

static struct loop loop;
static struct wheel wheel;

struct writer {
    uint8_t bytes[1500];
    size_t n;
};

static void put16(struct writer *w, unsigned v)
{
    w->bytes[w->n++] = (uint8_t)(v >> 8);
    w->bytes[w->n++] = (uint8_t)v;
}

static void put_name(struct writer *w, const char *name)
{
    while (*name != '\0') {
        const size_t n = strcspn(name, ".");

        w->bytes[w->n++] = (uint8_t)n;
        memcpy(w->bytes + w->n, name, n);
        w->n += n;
        name += n + (name[n] == '.');
    }
    w->bytes[w->n++] = 0;
}

static void put_record_head(struct writer *w, unsigned type, uint32_t ttl_s, unsigned bytes)
{
    put16(w, type);
    put16(w, 1);
    put16(w, ttl_s >> 16);
    put16(w, ttl_s & 0xffff);
    put16(w, bytes);
}

static void put_address(struct writer *w, unsigned type, unsigned number)
{
    static const uint8_t four[4] = { 192, 0, 2 }, six[16] = { 0x20, 0x01, 0x0d, 0xb8 };
    const size_t n = type == TYPE_A ? sizeof four : sizeof six;

    memcpy(w->bytes + w->n, type == TYPE_A ? four : six, n);
    w->bytes[w->n + n - 1] = (uint8_t)number;
    w->n += n;
}

static void put_answers(struct writer *w, const struct zone *z, unsigned type)
{
    if (z->alias != NULL) {
        put16(w, 0xc00c);
        put_record_head(w, TYPE_CNAME, 5, (unsigned)strlen(z->alias) + 2);
        put_name(w, z->alias);
    }
    for (unsigned i = 0; i < z->count; i++) {
        if (z->alias != NULL)
            put_name(w, z->alias);
        else
            put16(w, 0xc00c);
        put_record_head(w, type, z->ttl_s, z->manner == GARBLED ? 200 : type == TYPE_A ? 4 : 16);
        put_address(w, type, i + 1);
    }
}

static const struct zone *zone_find(const char *name, unsigned type)
{
    static const struct zone unknown = { "", 0, RCODE, RCODE_NXDOMAIN, 0, 0, NULL };
    static const struct zone failing = { "", 0, RCODE, RCODE_SERVFAIL, 0, 0, NULL };

    if (server.fails)
        return &failing;
    for (size_t i = 0; !server.gone && i < sizeof zone / sizeof *zone; i++)
        if (strcasecmp(zone[i].name, name) == 0 && (zone[i].type == 0 || zone[i].type == type))
            return &zone[i];
    return &unknown;
}

/* The type that is asked for; the name goes to `name`, the end of the question to *end. */
static unsigned question_read(const uint8_t *bytes, char name[256], size_t *end)
{
    size_t at = 12, n = 0;

    while (bytes[at] != 0) {
        memcpy(name + n, bytes + at + 1, bytes[at]);
        n += bytes[at];
        name[n++] = '.';
        at += (size_t)bytes[at] + 1;
    }
    name[n - 1] = '\0';
    *end = at + 5;
    return bytes[at + 2];
}

/* Answer `in` as the zone has it. False: not at all. */
static bool respond(const uint8_t *in, bool stream, struct writer *out)
{
    char name[256];
    size_t end;
    const unsigned type = question_read(in, name, &end);
    const struct zone *z = zone_find(name, type);

    server.asked++;
    if (server.silent || z->manner == SILENT)
        return false;
    memcpy(out->bytes, in, end);
    out->bytes[2] = z->manner == TRUNCATED && !stream ? 0x83 : 0x81;
    out->bytes[3] = (uint8_t)(0x80 | z->rcode);
    memset(out->bytes + 6, 0, 6);
    out->n = z->manner == CUT ? 11 : end;
    if (z->manner == ANSWERS || z->manner == GARBLED || (z->manner == TRUNCATED && stream)) {
        put_answers(out, z, type);
        out->bytes[7] = (uint8_t)(z->count + (z->alias != NULL));
    }
    return true;
}

static void server_ready(struct watch *w, uint32_t events)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    uint8_t in[512];
    struct writer out = { .n = 0 };

    (void)events;
    if (recvfrom(w->fd, in, sizeof in, 0, (struct sockaddr *)&from, &len) >= 12 && respond(in, false, &out))
        assert_int_equal(sendto(w->fd, out.bytes, out.n, 0, (struct sockaddr *)&from, len), (ssize_t)out.n);
}

static void stream_ready(struct watch *w, uint32_t events)
{
    uint8_t in[512], head[2];
    struct writer out = { .n = 0 };

    (void)events;
    if (recv(w->fd, head, 2, MSG_WAITALL) != 2) {
        loop_close(&loop, w);
        return;
    }
    assert_int_equal(recv(w->fd, in, head[1], MSG_WAITALL), head[1]);
    assert_true(respond(in, true, &out));
    head[0] = (uint8_t)(out.n >> 8);
    head[1] = (uint8_t)out.n;
    assert_int_equal(send(w->fd, head, 2, MSG_NOSIGNAL | MSG_MORE), 2);
    assert_int_equal(send(w->fd, out.bytes, out.n, MSG_NOSIGNAL), (ssize_t)out.n);
}

static void listen_ready(struct watch *w, uint32_t events)
{
    (void)events;
    assert_true(server.stream.fd < 0);
    server.stream.fd = accept(w->fd, NULL, NULL);
    assert_int_equal(loop_watch(&loop, &server.stream, EPOLLIN), 0);
}

static int setup(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;

    (void)state;
    assert_int_equal(loop_init(&loop), 0);
    wheel_init(&wheel, loop.now_ms);
    server = (struct server){ .watch = { .fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .ready = server_ready },
                              .listen = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .ready = listen_ready },
                              .stream = { .fd = -1, .ready = stream_ready } };
    assert_int_equal(bind(server.listen.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(server.listen.fd, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(bind(server.watch.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(server.listen.fd, 1), 0);
    server.port = ntohs(a.sin_port);
    assert_int_equal(loop_watch(&loop, &server.listen, EPOLLIN), 0);
    return loop_watch(&loop, &server.watch, EPOLLIN);
}

static int teardown(void **state)
{
    (void)state;
    loop_close(&loop, &server.watch);
    loop_close(&loop, &server.listen);
    loop_close(&loop, &server.stream);
    loop_fini(&loop);
    return 0;
}

static struct resolver *resolver_with(struct resolver_settings settings)
{
    char servers[64];
    struct resolver *r = NULL;

    snprintf(servers, sizeof servers, "127.0.0.1:%u", server.port);
    settings.servers = servers;
    assert_int_equal(resolver_new(&loop, &wheel, &settings, &r), 0);
    return r;
}

static struct resolver_settings quick(void)
{
    struct resolver_settings settings = RESOLVER_SETTINGS_USUAL;

    settings.timeout_ms = 50;
    return settings;
}

struct asker {
    struct resolve_question question; /* first member */
    unsigned answered;
    struct asker *forgets; /* when it is answered */
    struct resolver *again;
};

static void asker_answered(struct resolve_question *q)
{
    struct asker *a = (struct asker *)q;

    assert_false(link_is_in(&q->link));
    a->answered++;
    if (a->forgets != NULL)
        resolver_forget(&a->forgets->question);
    if (a->again != NULL) {
        struct resolver *r = a->again;

        a->again = NULL;
        if (resolver_ask(r, q, SPAN("four.test"), 81))
            a->answered++;
    }
}

static void turn(int at_most_ms)
{
    int wait_ms = wheel_wait_ms(&wheel, loop.now_ms);

    wait_ms = wait_ms < 0 || wait_ms > at_most_ms ? at_most_ms : wait_ms;
    assert_true(loop_round(&loop, wait_ms) >= 0);
    wheel_advance(&wheel, loop.now_ms);
}

static void pass_ms(uint64_t ms)
{
    const uint64_t until = loop.now_ms + ms;

    while (loop.now_ms < until)
        turn((int)(until - loop.now_ms));
}

static void await(const struct asker *a, unsigned times)
{
    const uint64_t until = loop.now_ms + 5000;

    while (a->answered < times && loop.now_ms < until)
        turn(100);
    assert_int_equal(a->answered, times);
}

/* Asks, waits, and says whether the answer was there at once. */
static bool ask(struct resolver *r, struct asker *a, const char *name)
{
    *a = (struct asker){ .question.answered = asker_answered };
    if (resolver_ask(r, &a->question, span_of(name), 8080))
        return true;
    await(a, 1);
    return false;
}

static void expect_address(const struct resolve_answer *answer, const char *text)
{
    char buf[ADDRESS_TEXT_BYTES];

    for (unsigned i = 0; i < answer->count; i++)
        if (strcmp(address_print(&answer->addresses[i].any, sizeof answer->addresses[i], ADDRESS_WHOLE, buf).p, text) ==
            0)
            return;
    fail_msg("%s is not among %u addresses", text, answer->count);
}

static void expect_failure(const struct asker *a, enum resolve_outcome outcome, enum reason why, const char *text)
{
    assert_int_equal(a->question.answer.outcome, outcome);
    assert_int_equal(resolve_reason(&a->question.answer), why);
    assert_int_equal(a->question.answer.count, 0);
    assert_string_equal(a->question.answer.text, text);
}

static void expect_ttl(const struct asker *a, uint64_t ms)
{
    const uint64_t left = a->question.answer.expires_ms - loop.now_ms;

    assert_true(left <= ms && left + 500 > ms);
}

/* ---- What needs no server ---- */

static void test_literals(void **state)
{
    static const struct {
        const char *host, *text;
    } rows[] = {
        { "192.0.2.7", "192.0.2.7:8080" },        { "2001:DB8::7", "[2001:db8::7]:8080" }, { "::1", "[::1]:8080" },
        { "::ffff:192.0.2.7", "192.0.2.7:8080" }, { "fe80::1%lo", "[fe80::1%lo]:8080" },
    };
    struct resolver *r = resolver_with(quick());
    struct asker a;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(ask(r, &a, rows[i].host));
        assert_int_equal(resolve_reason(&a.question.answer), R_NONE);
        assert_int_equal(a.question.answer.count, 1);
        assert_true(a.question.answer.expires_ms == UINT64_MAX);
        expect_address(&a.question.answer, rows[i].text);
    }
    assert_int_equal(server.asked, 0);
    resolver_release(&r);
    assert_null(r);
}

static void test_no_names(void **state)
{
    static const char *const rows[] = {
        "",      ".",   "a..b",       "a b",           "a\\046b", "fe80::1%", "fe80::1%nonesuch",
        "[::1]", "a/b", "1.2.3.4%lo", "x\303\274.test"
    };
    struct resolver *r = resolver_with(quick());
    char lengthy[RESOLVE_NAME_BYTES + 2];
    struct asker a;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(ask(r, &a, rows[i]));
        expect_failure(&a, RESOLVE_NO_NAME, R_upstream_dns_error, "this is no name that can be asked for");
    }
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    assert_true(ask(r, &a, lengthy));
    assert_int_equal(a.question.answer.outcome, RESOLVE_NO_NAME);
    lengthy[100] = '\0'; /* a label of 100: c-ares says so itself, before it asks */
    assert_true(ask(r, &a, lengthy));
    expect_failure(&a, RESOLVE_NO_NAME, R_upstream_dns_error, "Misformatted domain name");
    assert_int_equal(server.asked, 0);
    resolver_release(&r);
}

static void test_hosts_file(void **state)
{
    struct resolver *r = resolver_with(quick());
    struct asker a;

    (void)state;
    assert_true(ask(r, &a, "LocalHost"));
    assert_int_equal(a.question.answer.outcome, RESOLVE_FOUND);
    expect_address(&a.question.answer, "127.0.0.1:8080");
    expect_ttl(&a, 1000);
    assert_int_equal(server.asked, 0);
    resolver_release(&r);
}

static void test_servers_refused(void **state)
{
    static const char *const rows[] = { "", "nonsense", "127.0.0.1:x53" };
    struct resolver_settings settings = RESOLVER_SETTINGS_USUAL;
    struct resolver *r = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        settings.servers = rows[i];
        assert_int_equal(resolver_new(&loop, &wheel, &settings, &r), -EINVAL);
        assert_null(r);
    }
    settings.servers = NULL;
    assert_int_equal(resolver_new(&loop, &wheel, &settings, &r), 0);
    resolver_release(&r);
    resolver_release(&r);
}

/* ---- What a server answers ---- */

static void test_found(void **state)
{
    struct resolver *r = resolver_with(quick());
    struct asker a;

    (void)state;
    assert_false(ask(r, &a, "both.test"));
    assert_int_equal(a.question.answer.outcome, RESOLVE_FOUND);
    assert_null(a.question.answer.text);
    assert_int_equal(a.question.answer.count, 2);
    expect_address(&a.question.answer, "192.0.2.1:8080");
    expect_address(&a.question.answer, "[2001:db8::1]:8080");
    expect_ttl(&a, 200 * 1000);
    assert_int_equal(server.asked, 2);

    assert_true(ask(r, &a, "BOTH.Test"));
    assert_int_equal(a.question.answer.count, 2);
    assert_int_equal(server.asked, 2);

    assert_false(ask(r, &a, "four.test"));
    assert_int_equal(a.question.answer.count, 2);
    expect_address(&a.question.answer, "192.0.2.2:8080");

    assert_false(ask(r, &a, "half.test"));
    assert_int_equal(a.question.answer.count, 1);

    assert_false(ask(r, &a, "alias.test"));
    assert_int_equal(a.question.answer.count, 2);
    expect_ttl(&a, 5000);

    assert_false(ask(r, &a, "many.test"));
    assert_int_equal(a.question.answer.count, RESOLVE_ADDRESSES_MAX);
    resolver_release(&r);
}

/* Asked again over TCP, RFC1035:4.2.1 */
static void test_found_over_tcp(void **state)
{
    struct resolver *r = resolver_with(quick());
    struct asker a;

    (void)state;
    assert_false(ask(r, &a, "large.test"));
    assert_int_equal(a.question.answer.outcome, RESOLVE_FOUND);
    assert_int_equal(a.question.answer.count, 13);
    expect_address(&a.question.answer, "192.0.2.12:8080");
    assert_true(server.stream.fd >= 0);
    assert_int_equal(server.asked, 3);
    resolver_release(&r);
}

static void test_failures(void **state)
{
    static const struct {
        const char *name, *text;
        enum resolve_outcome outcome;
        enum reason why;
    } rows[] = {
        { "none.test", "Domain name not found", RESOLVE_NO_NAME, R_upstream_dns_error },
        { "empty.test", "DNS server returned answer with no data", RESOLVE_NO_NAME, R_upstream_dns_error },
        { "broken.test", "DNS server returned general failure", RESOLVE_NO_NAME, R_upstream_dns_error },
        { "refused.test", "DNS server refused query", RESOLVE_NO_NAME, R_upstream_dns_error },
        { "garbled.test", "Misformatted DNS reply", RESOLVE_NO_NAME, R_upstream_dns_error },
        { "cut.test", "Timeout while contacting DNS servers", RESOLVE_TIMEOUT, R_upstream_dns_timeout },
        { "silent.test", "Timeout while contacting DNS servers", RESOLVE_TIMEOUT, R_upstream_dns_timeout },
    };
    struct resolver *r = resolver_with(quick());
    struct asker a;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned asked;

        assert_false(ask(r, &a, rows[i].name));
        expect_failure(&a, rows[i].outcome, rows[i].why, rows[i].text);
        expect_ttl(&a, 1000);
        asked = server.asked;
        assert_true(ask(r, &a, rows[i].name));
        expect_failure(&a, rows[i].outcome, rows[i].why, rows[i].text);
        assert_int_equal(server.asked, asked);
    }
    resolver_release(&r);
}

static void test_nobody_listens(void **state)
{
    struct resolver *r = resolver_with(quick());
    struct asker a;

    (void)state;
    loop_close(&loop, &server.watch);
    assert_false(ask(r, &a, "both.test"));
    expect_failure(&a, RESOLVE_NO_NAME, R_upstream_dns_error, "Could not contact DNS servers");
    resolver_release(&r);
}

/* ---- How long it is kept ---- */

static void test_asked_again(void **state)
{
    struct resolver_settings settings = quick();
    struct resolver *r;
    struct asker a;

    (void)state;
    settings.ttl_max_ms = 100;
    settings.ttl_min_ms = 0;
    r = resolver_with(settings);
    assert_false(ask(r, &a, "both.test"));
    expect_ttl(&a, 100);
    assert_true(ask(r, &a, "both.test"));
    pass_ms(101);
    assert_false(ask(r, &a, "both.test"));
    assert_int_equal(a.question.answer.count, 2);
    assert_int_equal(server.asked, 4);

    assert_false(ask(r, &a, "moment.test"));
    assert_int_equal(a.question.answer.count, 2);
    pass_ms(2);
    assert_false(ask(r, &a, "moment.test"));
    resolver_release(&r);
}

static void test_failure_forgotten(void **state)
{
    struct resolver_settings settings = quick();
    struct resolver *r;
    struct asker a;

    (void)state;
    settings.negative_ms = 0;
    r = resolver_with(settings);
    assert_false(ask(r, &a, "none.test"));
    expect_failure(&a, RESOLVE_NO_NAME, R_upstream_dns_error, "Domain name not found");
    pass_ms(2);
    assert_false(ask(r, &a, "none.test"));
    assert_int_equal(server.asked, 4);
    resolver_release(&r);
}

static void test_stale(void **state)
{
    struct resolver_settings settings = quick();
    struct resolver *r;
    struct asker a;

    (void)state;
    settings.ttl_min_ms = settings.ttl_max_ms = 50;
    settings.negative_ms = 100;
    settings.stale_ms = 600;
    r = resolver_with(settings);
    assert_false(ask(r, &a, "both.test"));
    assert_false(a.question.answer.stale);
    pass_ms(51);

    server.fails = true;
    assert_false(ask(r, &a, "both.test"));
    assert_int_equal(a.question.answer.outcome, RESOLVE_FOUND);
    assert_true(a.question.answer.stale);
    assert_int_equal(a.question.answer.count, 2);
    expect_ttl(&a, 100);
    assert_true(ask(r, &a, "both.test"));
    assert_true(a.question.answer.stale);

    pass_ms(700);
    assert_false(ask(r, &a, "both.test"));
    expect_failure(&a, RESOLVE_NO_NAME, R_upstream_dns_error, "DNS server returned general failure");
    pass_ms(101);
    server.fails = false;
    assert_false(ask(r, &a, "both.test"));
    assert_false(a.question.answer.stale);
    resolver_release(&r);
}

static void test_no_name_ends_what_was_known(void **state)
{
    struct resolver_settings settings = quick();
    struct resolver *r;
    struct asker a;

    (void)state;
    settings.ttl_min_ms = settings.ttl_max_ms = 20;
    r = resolver_with(settings);
    assert_false(ask(r, &a, "both.test"));
    pass_ms(21);
    server.gone = true;
    assert_false(ask(r, &a, "both.test"));
    expect_failure(&a, RESOLVE_NO_NAME, R_upstream_dns_error, "Domain name not found");
    resolver_release(&r);
}

static void test_least_recently_used_goes(void **state)
{
    struct resolver_settings settings = quick();
    struct resolver *r;
    struct asker a;

    (void)state;
    settings.entries_max = 2;
    r = resolver_with(settings);
    assert_false(ask(r, &a, "both.test"));
    assert_false(ask(r, &a, "four.test"));
    assert_true(ask(r, &a, "both.test"));
    assert_false(ask(r, &a, "half.test"));
    assert_true(ask(r, &a, "both.test"));
    assert_false(ask(r, &a, "four.test"));
    resolver_release(&r);
}

/* ---- Many at one time ---- */

static void test_one_question_for_all(void **state)
{
    struct resolver *r = resolver_with(quick());
    struct asker askers[5];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        askers[i] = (struct asker){ .question.answered = asker_answered };
        assert_false(resolver_ask(r, &askers[i].question, SPAN("both.test"), (uint16_t)(8000 + i)));
    }
    resolver_forget(&askers[1].question);
    resolver_forget(&askers[1].question);
    askers[2].forgets = &askers[3];
    askers[4].again = r;
    await(&askers[4], 2);
    assert_int_equal(askers[0].answered, 1);
    assert_int_equal(askers[1].answered, 0);
    assert_int_equal(askers[2].answered, 1);
    assert_int_equal(askers[3].answered, 0);
    expect_address(&askers[0].question.answer, "192.0.2.1:8000");
    expect_address(&askers[2].question.answer, "[2001:db8::1]:8002");
    expect_address(&askers[4].question.answer, "192.0.2.2:81");
    assert_int_equal(server.asked, 4);
    resolver_release(&r);
}

static void test_all_forgotten(void **state)
{
    struct resolver *r = resolver_with(quick());
    struct asker a = { .question.answered = asker_answered };

    (void)state;
    assert_false(resolver_ask(r, &a.question, SPAN("both.test"), 80));
    resolver_forget(&a.question);
    pass_ms(50);
    assert_int_equal(a.answered, 0);
    assert_true(ask(r, &a, "both.test"));
    resolver_release(&r);
}

static void test_too_many_names(void **state)
{
    struct resolver_settings settings = quick();
    struct resolver *r;
    struct asker a = { .question.answered = asker_answered }, b = a, c = a;

    (void)state;
    settings.entries_max = 2;
    r = resolver_with(settings);
    assert_false(resolver_ask(r, &a.question, SPAN("silent.test"), 80));
    assert_false(resolver_ask(r, &b.question, SPAN("both.test"), 80));
    assert_true(resolver_ask(r, &c.question, SPAN("four.test"), 80));
    expect_failure(&c, RESOLVE_EXHAUSTED, R_upstream_exchange_failed, "too many names are being asked for");
    await(&b, 1);
    assert_false(resolver_ask(r, &c.question, SPAN("four.test"), 80));
    resolver_release(&r);
    assert_int_equal(a.answered + c.answered, 0);
    assert_false(link_is_in(&a.question.link));
    assert_false(link_is_in(&c.question.link));
}

/* Runs at the end of a round, before the answers of that round are told. */
struct releaser {
    struct deferred deferred; /* first member */
    struct resolver *resolver;
    const struct asker *asker;
};

static void releaser_run(struct deferred *d)
{
    struct releaser *release = (struct releaser *)d;

    if (release->asker->question.answer.count > 0)
        resolver_release(&release->resolver);
}

static void test_released_with_an_answer_in_hand(void **state)
{
    struct asker a = { .question.answered = asker_answered };
    struct releaser release = { .deferred.run = releaser_run, .resolver = resolver_with(quick()), .asker = &a };

    (void)state;
    assert_false(resolver_ask(release.resolver, &a.question, SPAN("both.test"), 80));
    for (unsigned i = 0; i < 100 && release.resolver != NULL; i++) {
        loop_defer(&loop, &release.deferred);
        turn(10);
    }
    assert_null(release.resolver);
    assert_false(link_is_in(&a.question.link));
    pass_ms(100);
    assert_int_equal(a.answered, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_literals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hosts_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_servers_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_found_over_tcp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_name_ends_what_was_known, setup, teardown),
        cmocka_unit_test_setup_teardown(test_least_recently_used_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_question_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_all_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_released_with_an_answer_in_hand, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
