#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/tls_client.h"
#include "io/tls_made.h"
#include "scene.h"

/* --- Helpers --- */

static void expect_stop(struct client *c, const char *why)
{
    rounds_until(c->flow != FLOW_WAIT);
    assert_int_equal(c->flow, FLOW_STOP);
    assert_string_equal(reason_info(c->search.failed.why)->name, why);
    assert_null(c->search.state);
}

static void expect_operand(const struct client *c, const char *text)
{
    char is[256];

    snprintf(is, sizeof is, "%.*s", (int)c->search.failed.operand.n, c->search.failed.operand.p);
    assert_string_equal(is, text);
}

/* A name server that says nothing. */
static int name_server_silent(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(scene.name_servers, sizeof scene.name_servers, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

static void name_set(unsigned member, struct span name)
{
    scene.members[member].address.len = 0;
    scene.members[member].host = name;
}

/* Nobody is let in any more: connecting takes for ever. Descriptors that see to it. */
static void fill(const struct server *s, int fds[2])
{
    assert_int_equal(listen(s->listener, 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (const struct sockaddr *)&s->at, s->len);
    }
    rounds_for(5);
}

/* --- Names --- */

static void test_a_name(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(1);
    name_set(0, SPAN("localhost"));
    scene_open();
    assert_int_equal(client_take(c), FLOW_GO);
    close(server_accept(&scene.servers[0]));
    client_free(c);
    scene_close();
}

static void test_nobody_tells_the_name(void **state)
{
    struct client *c = client_new();
    int fd;

    (void)state;
    scene_prepare(1);
    fd = name_server_silent();
    name_set(0, SPAN("app.test"));
    scene.group.connect_ms = 150;
    scene_open();
    assert_int_equal(client_ask(c), FLOW_WAIT);
    assert_string_equal(c->x.wait.what, "connect");
    expect_stop(c, "upstream-dns-timeout");
    expect_operand(c, "app.test");
    assert_int_equal(scene_status(0).failures, 1);
    assert_int_equal(scene_status(0).connections, 0);
    client_free(c);
    scene_close();
    close(fd);
}

static void test_there_is_no_such_name(void **state)
{
    struct client *c = client_new();

    (void)state;
    scene_prepare(1);
    name_set(0, SPAN("a..test"));
    scene_open();
    client_ask(c);
    expect_stop(c, "upstream-dns-error");
    client_free(c);
    scene_close();
}

/* --- The end comes early --- */

enum { LEAVES_RESOLVING, LEAVES_DIALLING, LEAVES_SHAKING, LEAVES };

static void test_who_leaves_early(void **state)
{
    const struct tls_client_settings settings = { .version_min = 0x0303 };
    char why[TLS_WHY_BYTES];

    (void)state;
    for (unsigned stage = 0; stage < LEAVES; stage++) {
        struct client *c = client_new(), *other = client_new();
        int names, full[2] = { -1, -1 };

        scene_prepare(1);
        names = name_server_silent();
        scene.group.connections_limit = 1;
        if (stage == LEAVES_RESOLVING)
            name_set(0, SPAN("app.test"));
        if (stage == LEAVES_SHAKING)
            assert_int_equal(tls_client_new(&settings, &scene.group.tls, why), 0);
        scene_open();
        if (stage == LEAVES_DIALLING)
            fill(&scene.servers[0], full);
        assert_int_equal(client_ask(c), FLOW_WAIT);
        assert_int_equal(client_ask(other), FLOW_WAIT);
        assert_int_equal(scene_status(0).waiting, 1);
        rounds_for(5);
        client_free(c);
        rounds_for(5);
        assert_int_equal(scene_status(0).waiting, 0); /* it is the other's turn */
        assert_int_equal(scene_status(0).connections, 1);
        assert_int_equal(scene_status(0).failures, 0);
        client_free(other);
        assert_int_equal(scene_status(0).connections, 0);
        scene_close();
        tls_client_release(&scene.group.tls);
        close(names);
        close(full[0]);
        close(full[1]);
    }
}

/* --- The PROXY protocol --- */

static void test_the_client_is_introduced(void **state)
{
    struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(4321) };
    struct client *c = client_new();
    char expected[128];
    int fd;

    (void)state;
    peer.sin_addr.s_addr = htonl(0xc0000207);
    scene_prepare(1);
    scene.group.proxy_protocol = 1;
    scene_open();
    c->x.peer = (struct span){ (const char *)&peer, sizeof peer };
    assert_int_equal(client_take(c), FLOW_GO);
    fd = server_accept(&scene.servers[0]);
    snprintf(expected, sizeof expected, "PROXY TCP4 192.0.2.7 127.0.0.1 4321 %u\r\n",
             ntohs(((struct sockaddr_in *)&scene.servers[0].at)->sin_port));
    hear(fd, expected);
    client_release(c, UPSTREAM_KEEP); /* it is that client's alone */
    assert_int_equal(scene_status(0).connections, 0);
    close(fd);
    client_free(c);
    scene_close();
}

/* --- TLS --- */

static struct made root, leaf;
static struct tls_store *store;
static struct tls_client *tls_client;
static struct tls_tickets *tickets;

static int tls_setup(void **state)
{
    const struct made_wish root_wish = { .name = "root", .authority = true };
    const struct made_wish leaf_wish = { .name = "leaf", .alternatives = "DNS:a.test", .issuer = &root };
    struct tls_client_settings settings = { .version_min = 0x0303, .verify = true, .alpn = true };
    struct tls_store_settings shown = { .certificate_count = 1, .version_min = 0x0303 };
    struct tls_files files;
    char why[TLS_WHY_BYTES];

    (void)state;
    made_folder();
    root = made_certificate(&root_wish);
    leaf = made_certificate(&leaf_wish);
    files = made_files("leaf", &leaf);
    shown.certificates = &files;
    shown.tickets = tickets = tls_tickets_new();
    settings.ca = made_write_certificate("root.pem", &root);
    assert_int_equal(tls_store_new(&shown, &store, why), 0);
    assert_int_equal(tls_client_new(&settings, &tls_client, why), 0);
    return 0;
}

static int tls_teardown(void **state)
{
    (void)state;
    tls_store_release(&store);
    tls_tickets_release(&tickets);
    tls_client_release(&tls_client);
    made_free(&leaf);
    made_free(&root);
    made_folder_remove();
    return 0;
}

static const struct tls_clients *choose(void *context, struct span name)
{
    (void)context;
    (void)name;
    return NULL;
}

/* The server's side, by turns with the client's, until c has an outcome. */
static struct tls *serve_tls(struct client *c, int fd)
{
    struct tls *t = tls_new(store, fd, choose, NULL);
    enum tls_step step = TLS_WANTS_READ;

    assert_non_null(t);
    for (unsigned i = 0; i < 200 && (c->flow == FLOW_WAIT || step != TLS_READY) && step != TLS_FAILED; i++) {
        if (step != TLS_READY)
            step = tls_handshake(t);
        round_once(1);
    }
    return t;
}

static void tls_prepare(struct span name)
{
    scene_prepare(1);
    scene.group.tls = tls_client;
    scene.group.tls_name = name;
    scene_open();
}

static void test_tls(void **state)
{
    struct client *c = client_new();
    const struct iovec question = { (void *)(uintptr_t) "question", 8 };
    char got[64];

    (void)state;
    tls_prepare(SPAN("a.test"));
    for (unsigned connection = 0; connection < 2; connection++) {
        struct tls *t;
        int fd;

        assert_int_equal(client_ask(c), FLOW_WAIT);
        fd = server_accept(&scene.servers[0]);
        t = serve_tls(c, fd);
        assert_int_equal(c->flow, FLOW_GO);
        assert_int_equal(tls_info(t)->resumed, connection == 1);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(upstream_write(c->up, &question, 1), 8);
            assert_int_equal(tls_read(t, got, sizeof got), 8);
            assert_int_equal(tls_write(t, &(struct iovec){ (void *)(uintptr_t) "answer", 6 }, 1), 6);
            while (upstream_read(c->up) == -EAGAIN) {
                client_watch(c, 0);
                for (unsigned wakes = c->wakes; wakes == c->wakes;)
                    round_once(10);
            }
            assert_int_equal(c->up->have, 6);
            assert_int_equal(upstream_read_pipe(c->up, -1, 1), -EINVAL);
            c->up->at = 6;
            client_release(c, UPSTREAM_KEEP);
            assert_int_equal(scene_status(0).idle, 1);
            rounds_for(10);
            assert_int_equal(client_ask(c), FLOW_GO);
            assert_int_equal(c->up->exchanges, i + 1);
        }
        tls_say_end(t);
        tls_free(t);
        close(fd);
        rounds_for(10);
        assert_int_equal(upstream_read(c->up), 0);
        assert_false(c->up->cut);
        client_release(c, UPSTREAM_KEEP);
        assert_int_equal(scene_status(0).connections, 0);
    }
    client_free(c);
    scene_close();
}

static void test_tls_cut_off(void **state)
{
    struct client *c = client_new();
    struct tls *t;
    int fd;

    (void)state;
    tls_prepare(SPAN("a.test"));
    client_ask(c);
    fd = server_accept(&scene.servers[0]);
    t = serve_tls(c, fd);
    assert_int_equal(c->flow, FLOW_GO);
    close(fd);
    rounds_for(10);
    assert_int_equal(upstream_read(c->up), 0);
    assert_true(c->up->cut);
    tls_free(t);
    client_free(c);
    scene_close();
}

static void test_tls_fails(void **state)
{
    static const struct {
        struct span name;
        const char *says; /* the server instead of TLS; NULL: TLS; "": it leaves */
        const char *why, *operand;
    } rows[] = {
        { SPAN_INIT("b.test"), NULL, "upstream-tls-certificate", "hostname mismatch" },
        { SPAN_INIT("a.test"), "HTTP/1.1 400 Bad Request\r\n\r\n", "upstream-tls-handshake", "what came is not TLS" },
        { SPAN_INIT("a.test"), "\x15\x03\x03\x00\x02\x02\x28", "upstream-tls-alert",
          "handshake failure (the server's alert)" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client *c = client_new();
        struct tls *t = NULL;
        int fd;

        tls_prepare(rows[i].name);
        client_ask(c);
        fd = server_accept(&scene.servers[0]);
        if (rows[i].says == NULL)
            t = serve_tls(c, fd);
        else if (rows[i].says[0] == '\x15')
            assert_int_equal(send(fd, rows[i].says, 7, 0), 7);
        else
            say(fd, rows[i].says);
        expect_stop(c, rows[i].why);
        expect_operand(c, rows[i].operand);
        assert_int_equal(scene_status(0).connections, 0);
        assert_int_equal(scene_status(0).failures, 1);
        tls_free(t);
        close(fd);
        client_free(c);
        scene_close();
    }
}

static void test_tls_takes_too_long(void **state)
{
    struct client *c = client_new();

    (void)state;
    tls_prepare(SPAN("a.test"));
    scene.group.connect_ms = 100;
    client_ask(c);
    expect_stop(c, "upstream-connect-timeout");
    expect_operand(c, "TLS");
    client_free(c);
    scene_close();
}

/* --- Places --- */

static bool allow(const void *with, const struct sockaddr *to)
{
    assert_int_equal(to->sa_family, AF_INET);
    return *(const bool *)with;
}

static void test_place(void **state)
{
    struct client *c = client_new();
    bool allowed = true;
    struct upstream_place place = {
        .host = SPAN("127.0.0.1"), .text = SPAN("there"), .connect_ms = 1000, .allowed = allow, .with = &allowed
    };

    (void)state;
    scene_prepare(1);
    place.port = scene.members[0].port;
    scene_open();
    scene.place = &place;
    assert_int_equal(client_take(c), FLOW_GO);
    assert_true(span_is(c->search.upstream, SPAN("there")));
    close(server_accept(&scene.servers[0]));
    client_release(c, UPSTREAM_KEEP);
    assert_int_equal(client_take(c), FLOW_GO);
    assert_int_equal(c->up->exchanges, 0);
    client_release(c, UPSTREAM_CLOSE);
    allowed = false;
    client_ask(c);
    expect_stop(c, "upstream-ip-prohibited");
    allowed = true;
    server_stop(&scene.servers[0]);
    client_ask(c);
    expect_stop(c, "upstream-connection-refused");
    client_free(c);
    scene_close();
}

/* --- Checks --- */

static void check_prepare(void)
{
    scene_prepare(1);
    scene.group.check =
        (struct upstream_check){ .path = SPAN("/health"), .interval_ms = 200, .timeout_ms = 300, .rise = 1, .fall = 2 };
}

/* The next check, and what it hears; NULL: nothing. */
static void check_answer(const char *answer)
{
    struct sockaddr_in *at = (struct sockaddr_in *)&scene.servers[0].at;
    char expected[256];
    int fd = -1;

    while (fd < 0) {
        fd = accept4(scene.servers[0].listener, NULL, NULL, SOCK_NONBLOCK);
        round_once(10);
    }
    snprintf(expected, sizeof expected,
             "GET /health HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: verdict-check\r\nConnection: close\r\n\r\n",
             ntohs(at->sin_port));
    rounds_for(5);
    hear(fd, expected);
    if (answer != NULL)
        say(fd, answer);
    rounds_until(is_hung_up(fd));
    close(fd);
}

static void test_checks(void **state)
{
    static const struct {
        const char *answer;
        bool live;
    } steps[] = {
        { "HTTP/1.1 500 No\r\n\r\n", true },
        { "HTTP/1.1 404 No\r\n\r\n", false },
        { "HTTP/1.1 103 -\r\n\r\nHTTP/1.1 204 -\r\n\r\n", true },
        { "nonsense nonsense", true },
        { NULL, false }, /* too late */
        { "HTTP/1.0 302 -\r\n\r\n", true },
    };
    struct client *c = client_new();

    (void)state;
    check_prepare();
    scene_open();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        check_answer(steps[i].answer);
        assert_int_equal(scene_status(0).live, steps[i].live);
        assert_int_equal(scene_status(0).checked_down, !steps[i].live);
        if (!steps[i].live) {
            client_ask(c);
            expect_stop(c, "upstream-all-down");
        }
    }
    server_stop(&scene.servers[0]);
    rounds_until(scene_status(0).checked_down);
    assert_int_equal(scene_status(0).connections, 0);
    assert_int_equal(scene_status(0).requests, 0);
    client_free(c);
    scene_close();
}

/* The worker stops while a check is under way. */
static void test_checks_end(void **state)
{
    (void)state;
    for (unsigned stage = 0; stage < 3; stage++) {
        int names, fd = -1;

        check_prepare();
        names = name_server_silent();
        if (stage == 1)
            name_set(0, SPAN("app.test"));
        scene_open();
        if (stage == 1)
            rounds_for(250);
        while (stage == 2 && fd < 0) {
            fd = accept(scene.servers[0].listener, NULL, NULL);
            round_once(10);
        }
        scene_close();
        close(names);
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name),
        cmocka_unit_test(test_nobody_tells_the_name),
        cmocka_unit_test(test_there_is_no_such_name),
        cmocka_unit_test(test_who_leaves_early),
        cmocka_unit_test(test_the_client_is_introduced),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_tls_cut_off),
        cmocka_unit_test(test_tls_fails),
        cmocka_unit_test(test_tls_takes_too_long),
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_checks_end),
    };

    return cmocka_run_group_tests_name("making", tests, tls_setup, tls_teardown);
}
