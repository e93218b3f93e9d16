#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exchange/exchange.h"
#include "exchange/wait.h"
#include "io/loop.h"
#include "io/wheel.h"
#include "res/cgi/cgi.h"

/*
 * Real programs: small scripts in a folder of their own, run by the resource as a server does, with a client that is made
 * up here.
 */

#define SAID_MOST (1u << 20)
#define GIVES_UP  8000u /* ms of a test that hangs */

/* The client: what it sends, in pieces, and where it stops. */
struct client {
    struct exchange x;
    struct span content;
    size_t piece_bytes;
    bool pauses;  /* what is left comes later */
    bool relayed; /* the head has come; content is pulled */
    bool ended;   /* nothing comes any more */
    size_t said_bytes;
    char *said;
    struct field fields[8];
};

static struct loop loop;
static struct wheel wheel;
static struct cgi_worker *worker;
static struct cgi_settings settings;
static struct cgi_variable variable = { SPAN_INIT("PLANET"), SPAN_INIT("Venus") };
static struct sockaddr_in peer = { .sin_family = AF_INET };
static char directory[] = "/tmp/verdict-cgi-XXXXXX";
static char errors[sizeof directory + 16];

/* --- The client --- */

static enum flow content(struct exchange *x, struct span *piece)
{
    struct client *c = x->conn;
    size_t n = c->content.n < c->piece_bytes ? c->content.n : c->piece_bytes;

    if (n == 0 && c->pauses)
        return exchange_wait(x, "content", NULL, c);
    *piece = (struct span){ c->content.p, n };
    c->content = span_from(c->content, n);
    return FLOW_GO;
}

static void tick(struct exchange *x)
{
    x->now_ms = loop.now_ms;
}

/* Pull content as far as it goes. */
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
        enum flow f = cgi_resource.attempt(x);

        if (f == FLOW_WAIT)
            return;
        if (f == FLOW_STOP || x->forwarding->attempts[0].failed.why != R_NONE) {
            c->ended = true;
            return;
        }
        assert_int_equal(cgi_resource.relay(x), FLOW_GO);
        c->relayed = true;
    }
    pull(c);
}

static const struct codec_ops codec = { .name = "made up", .content = content };
static const struct exchange_host host = { .tick = tick, .resume = go_on };
static const struct policy policy = { 0 };

static struct client *client_new(const char *path, struct span sent)
{
    struct client *c = calloc(1, sizeof *c);
    struct exchange *x = &c->x;

    assert_non_null(c);
    loop_round(&loop, 0); /* what came before may have slept: the clock is that of now */
    c->said = malloc(SAID_MOST);
    c->content = sent;
    c->piece_bytes = 7000;
    arena_init(&x->arena, NULL, 0, 1 << 20);
    x->host = &host;
    x->codec = &codec;
    x->conn = c;
    x->transport = &transport_plain;
    x->policy = &policy;
    x->peer = (struct span){ (const char *)&peer, sizeof peer };
    x->res = &cgi_resource;
    x->res_settings = &settings;
    x->res_worker = worker;
    x->res_state = arena_zero(&x->arena, cgi_resource.state_bytes);
    x->number = 12345;
    head_init(&x->req.head, c->fields);
    x->req.head.method = sent.p != NULL ? M_POST : M_GET;
    x->req.head.method_name = method_info(x->req.head.method)->name;
    x->req.head.major = x->req.head.minor = 1;
    head_add(&x->req.head, SPAN("Host"), SPAN("example.org"));
    head_add(&x->req.head, SPAN("Proxy"), SPAN("evil"));
    x->req.has_content = x->req.length_known = sent.p != NULL;
    x->req.length = sent.n;
    x->req.host.name = SPAN("example.org");
    x->req.target = (struct target){ .path = SPAN("/bin/raw"), .query = SPAN("a=b&c"), .has_query = true };
    x->req.path = arena_join(&x->arena, (struct span[]){ SPAN("/bin"), span_of(path) }, 2);
    x->req.subpath = span_from(x->req.path, sizeof "/bin" - 1);
    tick(x);
    return c;
}

static enum flow client_begin(struct client *c)
{
    enum flow f = cgi_resource.open(&c->x);

    if (f == FLOW_GO)
        go_on(&c->x);
    else
        c->ended = true;
    return f;
}

static void turn(void)
{
    loop_round(&loop, 20);
    wheel_advance(&wheel, loop.now_ms);
}

static void client_wait(struct client *c)
{
    uint64_t most_ms = loop.now_ms + GIVES_UP;

    while (!c->ended && loop.now_ms < most_ms)
        turn();
    assert_true(c->ended);
}

static void client_free(struct client *c)
{
    cgi_resource.close(&c->x);
    arena_reset(&c->x.arena);
    free(c->said);
    free(c);
}

static struct client *asked(const char *path, struct span sent)
{
    struct client *c = client_new(path, sent);

    client_begin(c);
    client_wait(c);
    return c;
}

static struct span said(const struct client *c)
{
    return (struct span){ c->said, c->said_bytes };
}

static enum reason failed(const struct client *c)
{
    return c->x.forwarding->attempts[0].failed.why;
}

static bool has(struct span text, const char *what)
{
    return memmem(text.p, text.n, what, strlen(what)) != NULL;
}

static const struct reply_field *field(const struct client *c, const char *name)
{
    for (uint16_t i = 0; i < c->x.reply.relayed.count; i++)
        if (span_is(c->x.reply.relayed.fields[i].name, span_of(name)))
            return &c->x.reply.relayed.fields[i];
    return NULL;
}

/* --- Programs --- */

static void script(const char *name, const char *text, mode_t mode)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void made_file(const char *name, char *path, size_t room)
{
    snprintf(path, room, "%s/%s", directory, name);
}

/* Children of ours that are there still, dead or alive. */
static bool has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void no_children_left(void)
{
    for (uint64_t most_ms = loop.now_ms + GIVES_UP; has_children() && loop.now_ms < most_ms;)
        turn();
    assert_false(has_children());
}

/* Is the process that wrote its number there gone? */
static bool is_gone(const char *name)
{
    char path[128], text[32] = { 0 };
    int fd, pid;

    made_file(name, path, sizeof path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    pid = atoi(text);
    assert_true(pid > 1);
    for (int i = 0; i < 100 && kill(pid, 0) == 0; i++) /* an orphan is reaped by somebody else */
        usleep(20000);
    return kill(pid, 0) != 0;
}

static void wait_for_file(const char *name)
{
    char path[128];
    uint64_t most_ms = loop.now_ms + GIVES_UP;
    struct stat st;

    made_file(name, path, sizeof path);
    while ((stat(path, &st) != 0 || st.st_size == 0) && loop.now_ms < most_ms)
        turn();
}

/* --- Answers --- */

static void test_quick(void **state)
{
    struct client *c;

    (void)state;
    script("quick", "#!/bin/sh\necho 'Content-Type: text/plain'\necho 'X-Own: yes'\necho\necho hello\n", 0755);
    c = asked("/quick", (struct span){ 0 });
    assert_int_equal(c->x.reply.relayed.status, reason_code(R_request_ok, DIALECT_RFC).wire);
    assert_non_null(field(c, "Content-Type"));
    assert_non_null(field(c, "X-Own"));
    assert_true(span_is(said(c), SPAN("hello\n")));
    assert_int_equal(c->x.reply.body->length, -1);
    assert_int_equal(c->x.broken.why, R_NONE);
    assert_true(c->x.forwarding->attempts[0].head_ms > 0);
    client_free(c);
    no_children_left();
}

static void test_status_and_location(void **state)
{
    struct client *c;

    (void)state;
    script("gone", "#!/bin/sh\nprintf 'Status: 410 Gone\\r\\nContent-Length: 2\\r\\n\\r\\nnono'\n", 0755);
    c = asked("/gone", (struct span){ 0 });
    assert_int_equal(c->x.reply.relayed.status, reason_code(R_gone, DIALECT_RFC).wire);
    assert_null(field(c, "Status"));
    assert_null(field(c, "Content-Length"));
    assert_int_equal(c->x.reply.body->length, 2);
    assert_true(span_is(said(c), SPAN("no")));
    client_free(c);
    script("away", "#!/bin/sh\nprintf 'Location: /elsewhere\\n\\n'\n", 0755);
    c = asked("/away", (struct span){ 0 });
    assert_int_equal(c->x.reply.relayed.status, reason_code(R_moved_temporarily, DIALECT_RFC).wire);
    assert_true(span_is(field(c, "Location")->value, SPAN("/elsewhere")));
    client_free(c);
    no_children_left();
}

static void test_environment(void **state)
{
    struct client *c;

    (void)state;
    script("env", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\nenv\npwd\necho fds:$(ls /proc/self/fd | wc -l)\n",
           0755);
    setenv("SECRET_OF_SERVER", "x", 1);
    c = asked("/env/more/info", (struct span){ 0 });
    assert_true(has(said(c), "GATEWAY_INTERFACE=CGI/1.1\n"));
    assert_true(has(said(c), "REQUEST_METHOD=GET\n"));
    assert_true(has(said(c), "SCRIPT_NAME=/bin/env\n"));
    assert_true(has(said(c), "PATH_INFO=/more/info\n"));
    assert_true(has(said(c), "QUERY_STRING=a=b&c\n"));
    assert_true(has(said(c), "REQUEST_URI=/bin/raw?a=b&c\n"));
    assert_true(has(said(c), "REMOTE_ADDR=0.0.0.0\n"));
    assert_true(has(said(c), "SERVER_NAME=example.org\n"));
    assert_true(has(said(c), "SERVER_PORT=80\n"));
    assert_true(has(said(c), "HTTP_HOST=example.org\n"));
    assert_true(has(said(c), "PLANET=Venus\n"));
    assert_true(has(said(c), "PATH=/usr/local/bin"));
    assert_true(has(said(c), directory));
    assert_true(has(said(c), "fds:4\n")); /* the three, and that of ls */
    assert_false(has(said(c), "HTTP_PROXY"));
    assert_false(has(said(c), "SECRET_OF_SERVER"));
    assert_false(has(said(c), "CONTENT_LENGTH"));
    client_free(c);
    no_children_left();
}

static void test_signals_are_default(void **state)
{
    struct client *c;

    (void)state;
    script("masks", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\ngrep -E 'Sig(Ign|Blk)' /proc/self/status\n",
           0755);
    signal(SIGHUP, SIG_IGN);
    c = asked("/masks", (struct span){ 0 });
    assert_true(has(said(c), "SigIgn:\t0000000000000000"));
    assert_true(has(said(c), "SigBlk:\t0000000000000000"));
    client_free(c);
    no_children_left();
}

static void test_big_output(void **state)
{
    struct client *c;

    (void)state;
    script("big", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\nhead -c 500000 /dev/zero\n", 0755);
    c = asked("/big", (struct span){ 0 });
    assert_int_equal(c->said_bytes, 500000);
    client_free(c);
    no_children_left();
}

static void test_upload(void **state)
{
    char *bytes = malloc(400000);
    struct client *c;

    (void)state;
    for (size_t i = 0; i < 400000; i++)
        bytes[i] = (char)('a' + i % 23);
    script("echo", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\necho $CONTENT_LENGTH\ncat\n", 0755);
    c = asked("/echo", (struct span){ bytes, 400000 });
    assert_int_equal(c->said_bytes, 400007);
    assert_memory_equal(c->said, "400000\n", 7);
    assert_memory_equal(c->said + 7, bytes, 400000);
    client_free(c);
    free(bytes);
    no_children_left();
}

/* The rest of the content comes when the answer has begun already. */
static void test_upload_after_head(void **state)
{
    struct client *c = client_new("/late", SPAN("first"));

    (void)state;
    script("late", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\ncat\n", 0755);
    c->pauses = true;
    client_begin(c);
    for (int i = 0; i < 50 && c->said_bytes < 5; i++)
        turn();
    assert_true(span_is(said(c), SPAN("first")));
    assert_false(c->ended);
    c->content = SPAN(" second");
    c->pauses = false;
    exchange_wake(&c->x, c->x.wait.ticket);
    client_wait(c);
    assert_true(span_is(said(c), SPAN("first second")));
    client_free(c);
    no_children_left();
}

/* Who reads nothing may answer all the same. */
static void test_upload_unread(void **state)
{
    char *bytes = calloc(1, 300000);
    struct client *c;

    (void)state;
    script("deaf", "#!/bin/sh\nexec 0<&-\necho 'Status: 413 No'\necho\n", 0755);
    c = asked("/deaf", (struct span){ bytes, 300000 });
    assert_int_equal(c->x.reply.relayed.status, reason_code(R_content_too_large, DIALECT_RFC).wire);
    client_free(c);
    free(bytes);
    no_children_left();
}

/* --- Failures --- */

struct failure {
    const char *name, *text;
    enum reason why;
    uint32_t at;
};

static void test_failures(void **state)
{
    static const struct failure cases[] = {
        { "bad", "#!/bin/sh\necho 'no head at all'\necho\n", R_cgi_head_invalid, 2 },
        { "empty", "#!/bin/sh\necho\necho text\n", R_cgi_head_invalid, 1 },
        { "nph", "#!/bin/sh\nprintf 'HTTP/1.1 200 OK\\n\\n'\n", R_cgi_head_invalid, 4 },
        { "short", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n'\n", R_cgi_premature_exit, 25 },
        { "nothing", "#!/bin/sh\nexit 3\n", R_cgi_premature_exit, 0 },
        { "killed", "#!/bin/sh\nkill -9 $$\n", R_cgi_premature_exit, 0 },
        { "large", "#!/bin/sh\nhead -c 5000 /dev/zero | tr '\\0' x\n", R_cgi_head_too_large, 256 },
        { "long", "#!/bin/sh\nfor i in $(seq 99); do echo A: xxxxxxxxxxxxxxx; done\n", R_cgi_head_too_large, 304 },
        { "noterp", "#!/nowhere/sh\n", R_cgi_start_failed, ENOENT },
        { "notype", "garbage without a first line", R_cgi_start_failed, ENOEXEC },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[32];
        struct client *c;

        script(cases[i].name, cases[i].text, 0755);
        snprintf(path, sizeof path, "/%s", cases[i].name);
        c = asked(path, (struct span){ 0 });
        if (failed(c) != cases[i].why || c->x.forwarding->attempts[0].failed.at != cases[i].at)
            print_message("%s: %s at %u\n", cases[i].name, reason_info(failed(c))->name,
                          c->x.forwarding->attempts[0].failed.at);
        assert_int_equal(failed(c), cases[i].why);
        assert_int_equal(c->x.forwarding->attempts[0].failed.at, cases[i].at);
        assert_int_equal(c->x.forwarding->attempts[0].harmless, cases[i].why == R_cgi_start_failed);
        client_free(c);
        no_children_left();
    }
}

/* A group is ended, not only who leads it. */
static void test_timeout(void **state)
{
    struct client *c;

    (void)state;
    script("slow", "#!/bin/sh\nsleep 60 &\necho $! > child\nwait\n", 0755);
    c = asked("/slow", (struct span){ 0 });
    assert_int_equal(failed(c), R_cgi_timeout);
    assert_false(c->x.forwarding->attempts[0].harmless);
    client_free(c);
    no_children_left();
    assert_true(is_gone("child"));
}

static void test_timeout_stubborn(void **state)
{
    struct client *c;

    (void)state;
    script("stubborn", "#!/bin/sh\ntrap '' TERM\nwhile true; do sleep 1; done\n", 0755);
    c = asked("/stubborn", (struct span){ 0 });
    assert_int_equal(failed(c), R_cgi_timeout);
    client_free(c);
    no_children_left();
}

static void test_silent_in_content(void **state)
{
    struct client *c;

    (void)state;
    script("stuck", "#!/bin/sh\necho 'Content-Type: text/plain'\necho\necho some\nsleep 60\n", 0755);
    c = asked("/stuck", (struct span){ 0 });
    assert_true(span_is(said(c), SPAN("some\n")));
    assert_int_equal(c->x.broken.why, R_upstream_read_timeout);
    client_free(c);
    no_children_left();
}

static void test_cut_content(void **state)
{
    struct client *c;

    (void)state;
    script("cut", "#!/bin/sh\nprintf 'Content-Type: a/b\\nContent-Length: 9\\n\\nsome'\n", 0755);
    c = asked("/cut", (struct span){ 0 });
    assert_int_equal(c->x.broken.why, R_upstream_response_incomplete);
    assert_int_equal(c->x.broken.at, 4);
    client_free(c);
    no_children_left();
}

static void test_client_leaves(void **state)
{
    struct client *c = client_new("/busy", (struct span){ 0 });

    (void)state;
    script("busy", "#!/bin/sh\nsleep 60 &\necho $! > busychild\nwait\n", 0755);
    client_begin(c);
    wait_for_file("busychild");
    exchange_cancel(&c->x);
    client_free(c);
    no_children_left();
    assert_true(is_gone("busychild"));
}

static void test_errors_are_told(void **state)
{
    struct client *c;
    char text[512] = { 0 };
    int fd, before = dup(STDERR_FILENO);

    (void)state;
    script("moans", "#!/bin/sh\necho 'it \033[1mhurts' >&2\nprintf twice >&2\necho 'Content-Type: a/b'\necho\n", 0755);
    fd = open(errors, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    dup2(fd, STDERR_FILENO);
    c = asked("/moans", (struct span){ 0 });
    client_free(c);
    no_children_left();
    dup2(before, STDERR_FILENO);
    close(before);
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    close(fd);
    assert_non_null(strstr(text, "verdict: cgi s1"));
    assert_non_null(strstr(text, ": it ?[1mhurts\n"));
    assert_non_null(strstr(text, ": twice\n"));
}

/* --- The queue --- */

static void test_queue(void **state)
{
    struct client *c[4];

    (void)state;
    script("nap", "#!/bin/sh\nsleep 0.3\necho 'Content-Type: a/b'\necho\n", 0755);
    settings.processes_limit = 1;
    settings.queue_limit = 2;
    for (int i = 0; i < 4; i++) {
        c[i] = client_new("/nap", (struct span){ 0 });
        client_begin(c[i]);
    }
    assert_true(c[3]->ended);
    assert_int_equal(failed(c[3]), R_cgi_queue_full);
    assert_true(c[3]->x.forwarding->attempts[0].harmless);
    assert_string_equal(c[1]->x.wait.what, "queue");
    exchange_cancel(&c[1]->x); /* who leaves does not keep others waiting */
    client_free(c[1]);
    client_wait(c[0]);
    assert_true(c[0]->relayed);
    assert_false(c[2]->ended);
    client_free(c[0]);
    client_wait(c[2]);
    assert_true(c[2]->relayed);
    client_free(c[2]);
    client_free(c[3]);
    no_children_left();
}

static void test_queue_too_long(void **state)
{
    struct client *first = client_new("/doze", (struct span){ 0 }), *second = client_new("/doze", (struct span){ 0 });

    (void)state;
    script("doze", "#!/bin/sh\nsleep 0.4\necho 'Content-Type: a/b'\necho\n", 0755);
    settings.processes_limit = 1;
    settings.queue_ms = 100;
    client_begin(first);
    client_begin(second);
    client_wait(second);
    assert_int_equal(failed(second), R_cgi_queue_full);
    client_wait(first);
    assert_true(first->relayed);
    client_free(first);
    client_free(second);
    no_children_left();
}

/* --- What is a program --- */

static enum reason refused(const char *path)
{
    struct client *c = client_new(path, (struct span){ 0 });
    enum flow f = cgi_resource.open(&c->x);
    enum reason why = c->x.verdict.why;

    assert_int_equal(f == FLOW_STOP, why != R_NONE);
    client_free(c);
    return why;
}

static void test_which(void **state)
{
    static const struct span endings[] = { SPAN_INIT(".cgi") };
    char path[128], link[128];

    (void)state;
    script("plain", "text", 0644);
    script("p", "#!/bin/sh\n", 0755);
    made_file("folder", path, sizeof path);
    mkdir(path, 0755);
    script("folder/in.cgi", "#!/bin/sh\n", 0755);
    made_file("out", link, sizeof link);
    assert_int_equal(symlink("/bin/sh", link), 0);
    assert_int_equal(refused("/absent"), R_not_found);
    assert_int_equal(refused("/"), R_not_found);
    assert_int_equal(refused("/folder"), R_not_found);
    assert_int_equal(refused("/folder/"), R_not_found);
    assert_int_equal(refused("/folder/absent/more"), R_not_found);
    assert_int_equal(refused("/plain"), R_execute_denied);
    assert_int_equal(refused("/out"), R_acl_denied);
    assert_int_equal(refused("/folder/in.cgi"), R_NONE);
    assert_int_equal(refused("/folder/in.cgi/"), R_NONE);
    assert_int_equal(refused("/p"), R_NONE);
    settings.extensions = endings;
    settings.extension_count = 1;
    assert_int_equal(refused("/p"), R_not_found);
    assert_int_equal(refused("/folder/in.cgi/info"), R_NONE);
}

static void test_interpreter(void **state)
{
    struct client *c;

    (void)state;
    script("words.txt", "Content-Type: text/plain\n\nwords\n", 0644);
    settings.interpreter = "/bin/cat";
    c = asked("/words.txt", (struct span){ 0 });
    assert_true(span_is(said(c), SPAN("words\n")));
    client_free(c);
    no_children_left();
}

static void test_other_user(void **state)
{
    struct client *c;

    (void)state;
    settings.user = "nobody";
    settings.uid = 65534;
    settings.gid = 65534;
    if (geteuid() != 0) {
        settings.uid = 1;
        assert_int_equal(refused("/quick"), R_cgi_identity_denied);
        return;
    }
    assert_int_equal(chmod(directory, 0755), 0);
    script("whoami", "#!/bin/sh\necho 'Content-Type: a/b'\necho\nid -u\nid -G\n", 0755);
    c = asked("/whoami", (struct span){ 0 });
    assert_true(span_is(said(c), SPAN("65534\n65534\n")));
    assert_int_equal(geteuid(), 0);
    client_free(c);
    no_children_left();
}

/* --- Around --- */

static int setup(void **state)
{
    (void)state;
    settings = (struct cgi_settings){ .directory = directory,
                                      .variables = &variable,
                                      .variable_count = 1,
                                      .read_ms = 700,
                                      .processes_limit = 4,
                                      .queue_limit = 4,
                                      .queue_ms = 5000,
                                      .head = { .head_bytes = 2048, .field_bytes = 256, .fields = 16 } };
    return 0;
}

static int open_all(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (mkdtemp(directory) == NULL || loop_init(&loop) != 0)
        return -1;
    snprintf(errors, sizeof errors, "%s/errors", directory);
    wheel_init(&wheel, loop.now_ms);
    worker = cgi_worker_new(&loop, &wheel);
    return worker != NULL ? 0 : -1;
}

static int close_all(void **state)
{
    char command[128];

    (void)state;
    cgi_worker_release(&worker);
    loop_fini(&loop);
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_quick, setup),
        cmocka_unit_test_setup(test_status_and_location, setup),
        cmocka_unit_test_setup(test_environment, setup),
        cmocka_unit_test_setup(test_signals_are_default, setup),
        cmocka_unit_test_setup(test_big_output, setup),
        cmocka_unit_test_setup(test_upload, setup),
        cmocka_unit_test_setup(test_upload_after_head, setup),
        cmocka_unit_test_setup(test_upload_unread, setup),
        cmocka_unit_test_setup(test_failures, setup),
        cmocka_unit_test_setup(test_timeout, setup),
        cmocka_unit_test_setup(test_timeout_stubborn, setup),
        cmocka_unit_test_setup(test_silent_in_content, setup),
        cmocka_unit_test_setup(test_cut_content, setup),
        cmocka_unit_test_setup(test_client_leaves, setup),
        cmocka_unit_test_setup(test_errors_are_told, setup),
        cmocka_unit_test_setup(test_queue, setup),
        cmocka_unit_test_setup(test_queue_too_long, setup),
        cmocka_unit_test_setup(test_which, setup),
        cmocka_unit_test_setup(test_interpreter, setup),
        cmocka_unit_test_setup(test_other_user, setup),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
