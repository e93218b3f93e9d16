#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exchange/exchange.h"
#include "exchange/wait.h"
#include "io/loop.h"
#include "io/resolve.h"
#include "io/wheel.h"
#include "res/fastcgi/fastcgi.h"

/*
 * Requests to an application behind a unix socket: one that says what the test wants, and php-fpm where it is installed.
 */

#define SAID_MOST            (1u << 20)
#define GIVES_UP             8000u /* ms of a test that hangs */
#define PHP_FPM              "/usr/sbin/php-fpm8.2"

#define HEADER(type, length) "\x01" type "\x00\x01\x00" length "\x00\x00"
#define END                  HEADER("\x03", "\x08") "\x00\x00\x00\x00\x00\x00\x00\x00"
#define TYPED                "Content-Type: a/b\n\n" /* 19 bytes */

struct client {
    struct exchange x;
    struct span content;
    bool relayed; /* the head has come; content is pulled */
    bool ended;   /* nothing comes any more */
    size_t said_bytes;
    char *said;
    struct field fields[8];
};

/* The application: hears all that comes, and says one thing on each connection. */
struct application {
    int listener, fd; /* -1: nobody is connected */
    char heard[1 << 18];
    size_t heard_bytes;
    unsigned connections;
};

static struct loop loop;
static struct wheel wheel;
static struct resolver *resolver;
static struct upstreams *upstreams;
static struct upstream_origin member;
static struct upstream_group group;
static const struct upstream_group *const groups[] = { &group };
static struct fastcgi_settings settings;
static struct sockaddr_in peer = { .sin_family = AF_INET };
static char directory[] = "/tmp/verdict-fcgi-XXXXXX";
static char path[64];
static struct application app = { -1, -1, { 0 }, 0, 0 };

/* --- The client --- */

static enum flow content(struct exchange *x, struct span *piece)
{
    struct client *c = x->conn;

    *piece = c->content;
    c->content.n = 0;
    return FLOW_GO;
}

static void tick(struct exchange *x)
{
    x->now_ms = loop.now_ms;
}

static void pull(struct client *c)
{
    struct exchange *x = &c->x;
    struct piece piece;
    enum flow f = FLOW_GO;

    while (x->reply.body != NULL && (f = x->reply.body->ops->next(x->reply.body, x, &piece)) == FLOW_GO &&
           piece.bytes.n > 0) {
        assert_true(c->said_bytes + piece.bytes.n <= SAID_MOST);
        memcpy(c->said + c->said_bytes, piece.bytes.p, piece.bytes.n);
        c->said_bytes += piece.bytes.n;
    }
    c->ended = f != FLOW_WAIT;
}

static void go_on(struct exchange *x)
{
    struct client *c = x->conn;

    if (!c->relayed) {
        enum flow f = fastcgi_resource.attempt(x);

        if (f == FLOW_WAIT)
            return;
        if (f == FLOW_STOP || forwarding_now(x->forwarding)->failed.why != R_NONE) {
            c->ended = true;
            return;
        }
        assert_int_equal(fastcgi_resource.relay(x), FLOW_GO);
        c->relayed = true;
    }
    pull(c);
}

static const struct codec_ops codec = { .name = "made up", .content = content };
static const struct exchange_host host = { .tick = tick, .resume = go_on };

static struct client *client_new(const char *asked, struct span sent)
{
    struct client *c = calloc(1, sizeof *c);
    struct exchange *x = &c->x;

    assert_non_null(c);
    loop_round(&loop, 0);
    c->said = malloc(SAID_MOST);
    c->content = sent;
    arena_init(&x->arena, NULL, 0, 1 << 20);
    x->host = &host;
    x->codec = &codec;
    x->conn = c;
    x->transport = &transport_plain;
    x->peer = (struct span){ (const char *)&peer, sizeof peer };
    x->res = &fastcgi_resource;
    x->res_settings = &settings;
    x->res_worker = upstreams;
    x->res_state = arena_zero(&x->arena, fastcgi_resource.state_bytes);
    head_init(&x->req.head, c->fields);
    x->req.head.method = sent.p != NULL ? M_POST : M_GET;
    x->req.head.method_name = method_info(x->req.head.method)->name;
    x->req.head.major = x->req.head.minor = 1;
    head_add(&x->req.head, SPAN("Host"), SPAN("example.org"));
    head_add(&x->req.head, SPAN("Content-Type"), SPAN("text/plain"));
    x->req.has_content = x->req.length_known = sent.p != NULL;
    x->req.length = sent.n;
    x->req.host.name = SPAN("example.org");
    x->req.target = (struct target){ .path = span_of(asked), .query = SPAN("a=b"), .has_query = true };
    x->req.path = x->req.subpath = span_of(asked);
    tick(x);
    return c;
}

static void client_begin(struct client *c)
{
    assert_int_equal(fastcgi_resource.open(&c->x), FLOW_GO);
    go_on(&c->x);
}

static void client_free(struct client *c)
{
    struct body *body = c->x.reply.body;

    if (body != NULL && body->ops->stop != NULL)
        body->ops->stop(body);
    fastcgi_resource.close(&c->x);
    arena_reset(&c->x.arena);
    free(c->said);
    free(c);
}

static struct span said(const struct client *c)
{
    return (struct span){ c->said, c->said_bytes };
}

static const struct attempt *last(const struct client *c)
{
    return forwarding_now(c->x.forwarding);
}

/* --- The application --- */

static void app_listen(void)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    app = (struct application){ .listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .fd = -1 };
    strcpy(un.sun_path, path);
    unlink(path);
    assert_int_equal(bind(app.listener, (struct sockaddr *)&un, sizeof un), 0);
    assert_int_equal(listen(app.listener, 8), 0);
}

static void app_hang_up(void)
{
    if (app.fd >= 0)
        close(app.fd);
    app.fd = -1;
}

static void turn(void)
{
    ssize_t n;

    loop_round(&loop, 10);
    wheel_advance(&wheel, loop.now_ms);
    if (app.fd < 0 && app.listener >= 0) {
        app.fd = accept4(app.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        app.connections += app.fd >= 0;
    }
    while (app.fd >= 0 && (n = read(app.fd, app.heard + app.heard_bytes, sizeof app.heard - app.heard_bytes)) > 0)
        app.heard_bytes += (size_t)n;
}

static bool app_heard(const char *bytes, size_t n)
{
    return memmem(app.heard, app.heard_bytes, bytes, n) != NULL;
}

/* The end of the request's content has come. */
static void app_hear(void)
{
    static const char end[] = HEADER("\x05", "\x00");
    uint64_t most_ms = loop.now_ms + GIVES_UP;

    while (!app_heard(end, sizeof end - 1) && loop.now_ms < most_ms)
        turn();
    assert_true(app_heard(end, sizeof end - 1));
}

static void app_say(struct span what)
{
    assert_int_equal(write(app.fd, what.p, what.n), (ssize_t)what.n);
}

static void client_wait(struct client *c)
{
    uint64_t most_ms = loop.now_ms + GIVES_UP;

    while (!c->ended && loop.now_ms < most_ms)
        turn();
    assert_true(c->ended);
}

/* Ask, and be told this. */
static struct client *told(struct span what, bool hangs_up)
{
    struct client *c = client_new("/a.php", (struct span){ 0 });

    app.heard_bytes = 0;
    client_begin(c);
    app_hear();
    app_say(what);
    if (hangs_up)
        app_hang_up();
    client_wait(c);
    return c;
}

/* --- Answers --- */

static void test_answer(void **state)
{
    struct client *c = client_new("/app/a.php/more", SPAN("content"));

    (void)state;
    client_begin(c);
    app_hear();
    assert_true(app_heard("\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00", 16));
    assert_true(app_heard("\x0f\x12SCRIPT_FILENAME/srv/www/app/a.php", 2 + 15 + 18));
    assert_true(app_heard("\x0b\x0aSCRIPT_NAME/app/a.php", 2 + 11 + 10));
    assert_true(app_heard("\x09\x05PATH_INFO/more", 2 + 9 + 5));
    assert_true(app_heard("\x0e\x01"
                          "CONTENT_LENGTH7",
                          17));
    assert_true(app_heard("\x06\x05PLANETVenus", 13));
    assert_true(app_heard(HEADER("\x05", "\x07") "content" HEADER("\x05", "\x00"), 23));
    app_say(
        SPAN(HEADER("\x06", "\x07") "Content" HEADER("\x06", "\x0e") "-Type: a/b\n\n12" HEADER("\x06", "\x01") "3"));
    app_say(SPAN(HEADER("\x06", "\x00") END));
    client_wait(c);
    assert_int_equal(c->x.reply.relayed.status, reason_code(R_request_ok, DIALECT_RFC).wire);
    assert_true(span_is(said(c), SPAN("123")));
    assert_int_equal(c->x.broken.why, R_NONE);
    client_free(c);
}

static void test_index(void **state)
{
    struct client *c = client_new("/app/", (struct span){ 0 });

    (void)state;
    client_begin(c);
    app_hear();
    assert_true(app_heard("/srv/www/app/index.php", 22));
    assert_true(app_heard("SCRIPT_NAME/app/index.php", 25));
    assert_false(app_heard("PATH_INFO", 9));
    exchange_cancel(&c->x);
    client_free(c);
}

/* A request that was read to its end leaves its connection to the next. */
static void test_kept(void **state)
{
    struct client *c = told(SPAN(HEADER("\x06", "\x14") TYPED "1" END), false);

    (void)state;
    assert_true(span_is(said(c), SPAN("1")));
    client_free(c);
    c = told(SPAN(HEADER("\x06", "\x14") TYPED "2" END), false);
    assert_true(span_is(said(c), SPAN("2")));
    assert_true(last(c)->kept);
    assert_int_equal(app.connections, 1);
    client_free(c);
}

static void test_big_content(void **state)
{
    size_t n = 150000;
    char *bytes = malloc(n);
    struct client *c;

    (void)state;
    memset(bytes, 'b', n);
    c = client_new("/a.php", (struct span){ bytes, n });
    client_begin(c);
    app_hear();
    assert_true(app_heard(HEADER("\x05", "\x00"), 8));
    assert_true(app_heard("\x01\x05\x00\x01\xff\xff\x00\x00"
                          "b",
                          9));
    assert_true(app_heard("\x01\x05\x00\x01\x49\xf2\x00\x00"
                          "b",
                          9));
    assert_true(app.heard_bytes > n);
    app_say(SPAN(HEADER("\x06", "\x13") TYPED END));
    client_wait(c);
    client_free(c);
    free(bytes);
}

/* --- Failures --- */

static const struct {
    struct span what;
    bool hangs_up;
    enum reason why;
    bool harmless;
} failures[] = {
    { SPAN_INIT(END), false, R_cgi_premature_exit, false },
    { SPAN_INIT(""), true, R_cgi_premature_exit, false },
    { SPAN_INIT(HEADER("\x06", "\x05") "A: b\n"), true, R_cgi_premature_exit, false },
    { SPAN_INIT(HEADER("\x06", "\x05") "words" HEADER("\x06", "\x01") "\n"), false, R_cgi_head_invalid, false },
    { SPAN_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), false, R_fastcgi_protocol_error, false },
    { SPAN_INIT(HEADER("\x03", "\x08") "\0\0\0\0\2\0\0\0"), false, R_fastcgi_overloaded, true },
    { SPAN_INIT(HEADER("\x03", "\x08") "\0\0\0\0\1\0\0\0"), false, R_fastcgi_protocol_error, false },
    { SPAN_INIT(HEADER("\x06", "\x14")), false, R_cgi_timeout, false },
};

static void test_failures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct client *c = told(failures[i].what, failures[i].hangs_up);

        if (last(c)->failed.why != failures[i].why)
            print_message("%zu: %s\n", i, reason_info(last(c)->failed.why)->name);
        assert_int_equal(last(c)->failed.why, failures[i].why);
        assert_int_equal(last(c)->harmless, failures[i].harmless);
        assert_false(c->x.forwarding->another_left); /* the connection was new, and there is one member */
        client_free(c);
        app_hang_up();
    }
}

static void test_head_too_large(void **state)
{
    char text[8 + 255] = HEADER("\x06", "\xff");
    struct client *c;

    (void)state;
    memset(text + 8, 'x', 255);
    settings.head.head_bytes = settings.head.field_bytes = 200;
    c = told((struct span){ text, sizeof text }, false);
    assert_int_equal(last(c)->failed.why, R_cgi_head_too_large);
    client_free(c);
}

static void test_cut_content(void **state)
{
    struct client *c = told(SPAN(HEADER("\x06", "\x14") TYPED "1"), true);

    (void)state;
    assert_true(span_is(said(c), SPAN("1")));
    assert_int_equal(c->x.broken.why, R_upstream_response_incomplete);
    client_free(c);
    c = told(SPAN(HEADER("\x06", "\x14") TYPED "1"), false);
    assert_int_equal(c->x.broken.why, R_upstream_read_timeout);
    client_free(c);
}

/* Of a kept connection that closes, nobody knows whether it was read: safe requests are asked again, on a new one. */
static void test_stale(void **state)
{
    struct client *c = told(SPAN(HEADER("\x06", "\x14") TYPED "1" END), false);

    (void)state;
    client_free(c);
    c = told(SPAN(""), true);
    assert_true(last(c)->kept);
    assert_int_equal(last(c)->failed.why, R_upstream_connection_terminated);
    assert_true(c->x.forwarding->another_left);
    c->ended = false;
    app.heard_bytes = 0;
    go_on(&c->x);
    app_hear();
    app_say(SPAN(HEADER("\x06", "\x14") TYPED "2" END));
    client_wait(c);
    assert_int_equal(c->x.forwarding->count, 2);
    assert_false(last(c)->kept);
    assert_true(span_is(said(c), SPAN("2")));
    client_free(c);
}

static void test_nobody(void **state)
{
    struct client *c = client_new("/a.php", (struct span){ 0 });

    (void)state;
    close(app.listener);
    app.listener = -1;
    client_begin(c);
    client_wait(c);
    assert_int_equal(last(c)->failed.why, R_upstream_connection_refused);
    assert_true(last(c)->harmless);
    client_free(c);
}

/* --- php-fpm --- */

static void file_write(const char *name, const char *text)
{
    char whole[128];
    FILE *f;

    snprintf(whole, sizeof whole, "%s/%s", directory, name);
    f = fopen(whole, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static pid_t php_start(void)
{
    char text[512], where[128];
    struct stat st;
    pid_t pid;

    snprintf(text, sizeof text,
             "[global]\nerror_log=%s/log\ndaemonize=no\n[www]\nlisten=%s\npm=static\npm.max_children=1\n"
             "user=nobody\ngroup=nogroup\n",
             directory, path);
    file_write("conf", text);
    snprintf(where, sizeof where, "%s/conf", directory);
    unlink(path);
    pid = fork();
    if (pid == 0) {
        execl(PHP_FPM, PHP_FPM, "-n", "-R", "-y", where, (char *)NULL);
        _exit(1);
    }
    for (int i = 0; i < 250 && stat(path, &st) != 0; i++)
        usleep(20000);
    return pid;
}

static void test_php(void **state)
{
    struct client *c;
    pid_t pid;

    (void)state;
    if (access(PHP_FPM, X_OK) != 0)
        skip();
    close(app.listener);
    app.listener = -1;
    assert_int_equal(chmod(directory, 0755), 0);
    file_write("a.php", "<?php http_response_code(410); header('X-Own: yes'); error_log('it hurts');"
                        "echo $_SERVER['REQUEST_METHOD'],' ',$_SERVER['QUERY_STRING'],' ',"
                        "$_SERVER['PATH_INFO'] ?? '',' ', file_get_contents('php://input');");
    settings.root = span_of(directory);
    pid = php_start();
    for (int i = 0; i < 2; i++) {
        c = client_new("/a.php/info", SPAN("some content"));
        client_begin(c);
        client_wait(c);
        assert_int_equal(last(c)->failed.why, R_NONE);
        assert_int_equal(c->x.reply.relayed.status, reason_code(R_gone, DIALECT_RFC).wire);
        assert_true(span_is(said(c), SPAN("POST a=b /info some content")));
        assert_int_equal(last(c)->kept, i == 1);
        client_free(c);
    }
    c = client_new("/absent.php", (struct span){ 0 });
    client_begin(c);
    client_wait(c);
    assert_int_equal(c->x.reply.relayed.status, reason_code(R_not_found, DIALECT_RFC).wire);
    client_free(c);
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* --- Around --- */

static int setup(void **state)
{
    static const struct fastcgi_parameter parameter = { SPAN_INIT("PLANET"), SPAN_INIT("Venus") };
    struct upstream_world world = { .loop = &loop, .wheel = &wheel, .resolver = resolver, .buffer_bytes = 4096 };
    struct sockaddr_un *un = (struct sockaddr_un *)&member.address.socket;

    (void)state;
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, path);
    member.address.len = sizeof *un;
    member.text = SPAN("unix:app");
    member.weight = 1;
    group = (struct upstream_group){ .name = SPAN("php"),
                                     .members = &member,
                                     .count = 1,
                                     .queue_limit = 4,
                                     .queue_ms = 1000,
                                     .idle_limit = 4,
                                     .idle_ms = 60000,
                                     .connect_ms = 1000 };
    settings = (struct fastcgi_settings){ .groups = groups,
                                          .root = SPAN("/srv/www"),
                                          .index = SPAN("index.php"),
                                          .split = SPAN(".php"),
                                          .parameters = &parameter,
                                          .parameter_count = 1,
                                          .read_ms = 400,
                                          .write_ms = 400,
                                          .head = { .head_bytes = 2048, .field_bytes = 256, .fields = 16 } };
    upstreams = upstreams_new(&world, groups, 1);
    app_listen();
    return upstreams != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    upstreams_release(&upstreams);
    app_hang_up();
    if (app.listener >= 0)
        close(app.listener);
    return 0;
}

static int open_all(void **state)
{
    struct resolver_settings names = RESOLVER_SETTINGS_USUAL;

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(directory) == NULL || loop_init(&loop) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/app", directory);
    wheel_init(&wheel, loop.now_ms);
    return resolver_new(&loop, &wheel, &names, &resolver);
}

static int close_all(void **state)
{
    char command[128];

    (void)state;
    resolver_release(&resolver);
    loop_fini(&loop);
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answer),      TEST(test_index),    TEST(test_kept),
        TEST(test_big_content), TEST(test_failures), TEST(test_head_too_large),
        TEST(test_cut_content), TEST(test_stale),    TEST(test_nobody),
        TEST(test_php),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
