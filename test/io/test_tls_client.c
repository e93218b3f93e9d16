#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls_client.h"
#include "tls_ends.h"
#include "tls_made.h"

#define BIG_BYTES (4u << 20)

static char why[TLS_WHY_BYTES];

static void write_all(struct tls *t, struct span bytes)
{
    assert_int_equal(tls_write(t, &(struct iovec){ (void *)bytes.p, bytes.n }, 1), bytes.n);
}

static void both_sides_agree(void **state)
{
    struct tls_client *client = ends_client_usual();
    struct tls_store *store = ends_store(&ends_site.files, NULL);
    char buffer[16];
    struct ends e;

    (void)state;
    ends_open(&e, client, SPAN("A.Test."), NULL);
    tls_client_release(&client);
    assert_int_equal(ends_shake(&e, store), TLS_READY);
    assert_int_equal(tls_info(e.client)->version, TLS1_3_VERSION);
    ends_assert_text(tls_info(e.client)->version_name, "TLSv1.3");
    ends_assert_text(tls_info(e.client)->server_name, "a.test");
    ends_assert_text(tls_info(e.server)->server_name, "a.test");
    assert_false(tls_info(e.client)->resumed);
    assert_false(tls_info(e.client)->h2);
    assert_int_equal(tls_connect_failure(e.client), R_NONE);
    write_all(e.client, SPAN("question"));
    assert_int_equal(tls_read(e.server, buffer, sizeof buffer), 8);
    write_all(e.server, SPAN("answer"));
    assert_int_equal(tls_read(e.client, buffer, sizeof buffer), 6);
    assert_memory_equal(buffer, "answer", 6);
    assert_false(tls_was_early(e.client));
    ends_close(&e);
    tls_store_release(&store);
}

static void names_are_checked(void **state)
{
    static const struct {
        struct span name;
        const char *error; /* NULL: none */
        const char *asked; /* that the server saw, where there is no error */
    } rows[] = {
        { SPAN_INIT("a.test"), NULL, "a.test" },
        { SPAN_INIT("x.b.test"), NULL, "x.b.test" },
        { SPAN_INIT("127.0.0.1"), NULL, "" },
        { SPAN_INIT("::1"), NULL, "" },
        { SPAN_INIT("0:0::1"), NULL, "" },
        { SPAN_INIT("c.test"), "hostname mismatch", NULL },
        { SPAN_INIT("b.test"), "hostname mismatch", NULL },
        { SPAN_INIT("y.x.b.test"), "hostname mismatch", NULL },
        { SPAN_INIT("127.0.0.2"), "IP address mismatch", NULL },
        { SPAN_INIT("::2"), "IP address mismatch", NULL },
        { SPAN_INIT(""), "there is no name that its certificate could be for", NULL },
        { SPAN_INIT("."), "there is no name that its certificate could be for", NULL },
        { SPAN_INIT(".test"), "there is no name that its certificate could be for", NULL },
        { SPAN_INIT("a.test\0b"), "there is no name that its certificate could be for", NULL },
    };
    struct tls_client *client = ends_client_usual();
    struct tls_store *store = ends_store(&ends_site.files, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ends e;

        ends_open(&e, client, rows[i].name, NULL);
        if (rows[i].error != NULL) {
            assert_int_equal(ends_shake(&e, store), TLS_FAILED);
            ends_assert_failure(&e, R_upstream_tls_certificate, rows[i].error);
        } else {
            assert_int_equal(ends_shake(&e, store), TLS_READY);
            ends_assert_text(tls_info(e.server)->server_name, rows[i].asked);
        }
        ends_close(&e);
    }
    tls_store_release(&store);
    tls_client_release(&client);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    struct tls_client *client = ends_client_usual();
    char name[256];
    struct ends e;

    (void)state;
    memset(name, 'a', sizeof name);
    ends_open(&e, client, (struct span){ name, sizeof name }, NULL);
    assert_int_equal(tls_handshake(e.client), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_certificate, "there is no name that its certificate could be for");
    ends_close(&e);
    tls_client_release(&client);
}

static void certificates_are_judged(void **state)
{
    const struct {
        struct made_wish wish;
        const char *error;
    } rows[] = {
        { { .alternatives = "DNS:a.test", .issuer = &ends_site.root, .from_s = -100, .until_s = -10 },
          "certificate has expired" },
        { { .alternatives = "DNS:a.test", .issuer = &ends_site.root, .from_s = 1000 }, "certificate is not yet valid" },
        { { .alternatives = "DNS:a.test" }, "self-signed certificate" },
        { { .alternatives = "DNS:a.test", .issuer = &ends_site.between }, "unable to get local issuer certificate" },
        { { .alternatives = "DNS:a.test", .issuer = &ends_site.leaf }, "unable to get local issuer certificate" },
        { { .alternatives = "DNS:a*.test", .issuer = &ends_site.root }, "hostname mismatch" },
        { { .name = "a.test", .issuer = &ends_site.root }, "hostname mismatch" },
    };
    struct tls_client *client = ends_client_usual();
    struct tls_client *careless = ends_client(&(struct tls_client_settings){ .verify = false });

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct made shown = made_certificate(&rows[i].wish);
        struct tls_files of_shown = made_files("shown", &shown);
        struct tls_store *store = ends_store(&of_shown, NULL);
        struct ends e;

        ends_open(&e, client, SPAN("a.test"), NULL);
        assert_int_equal(ends_shake(&e, store), TLS_FAILED);
        ends_assert_failure(&e, R_upstream_tls_certificate, rows[i].error);
        assert_int_equal(tls_handshake(e.client), TLS_FAILED);
        assert_int_equal(tls_read(e.client, why, 1), -EPROTO);
        ends_close(&e);
        ends_open(&e, careless, SPAN("a.test"), NULL);
        assert_int_equal(ends_shake(&e, store), TLS_READY);
        ends_close(&e);
        ends_open(&e, careless, SPAN(""), NULL);
        assert_int_equal(ends_shake(&e, store), TLS_READY);
        ends_close(&e);
        tls_store_release(&store);
        made_free(&shown);
    }
    tls_client_release(&client);
    tls_client_release(&careless);
}

static void whoever_is_in_the_file_may_sign(void **state)
{
    const struct made *const trusted[] = { &ends_site.root, &ends_site.between, &ends_site.leaf };
    struct tls_store *store = ends_store(&ends_site.files, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof trusted / sizeof *trusted; i++) {
        const char *path = made_write_certificate("trusted.pem", trusted[i]);
        struct tls_client *client = ends_client(&(struct tls_client_settings){ .ca = path, .verify = true });
        struct ends e;

        ends_open(&e, client, SPAN("a.test"), NULL);
        assert_int_equal(ends_shake(&e, store), TLS_READY);
        ends_close(&e);
        tls_client_release(&client);
    }
    tls_store_release(&store);
}

static void the_system_says_who_may_sign(void **state)
{
    struct tls_store *store = ends_store(&ends_site.files, NULL);
    struct tls_client *client = ends_client(&(struct tls_client_settings){ .verify = true });
    struct ends e;

    (void)state;
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake(&e, store), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_certificate, "unable to get local issuer certificate");
    ends_close(&e);
    tls_client_release(&client);
    setenv("SSL_CERT_FILE", ends_site.root_path, 1);
    client = ends_client(&(struct tls_client_settings){ .verify = true });
    unsetenv("SSL_CERT_FILE");
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake(&e, store), TLS_READY);
    ends_close(&e);
    tls_client_release(&client);
    tls_store_release(&store);
}

static void a_certificate_of_our_own_is_shown_when_asked_for(void **state)
{
    struct made own = made_certificate(&(struct made_wish){ .name = "gateway", .issuer = &ends_site.root });
    struct tls_files of_own = made_files("own", &own);
    struct tls_client *with = ends_client(&(struct tls_client_settings){
        .ca = ends_site.root_path, .certificate = of_own.certificate, .key = of_own.key, .verify = true });
    struct tls_client *without = ends_client_usual();
    struct tls_store *store = ends_store(&ends_site.files, NULL);
    struct tls_clients *clients;
    struct ends e;

    (void)state;
    assert_int_equal(tls_clients_new(ends_site.root_path, NULL, &clients, why), 0);
    for (int i = 0; i < 2; i++) {
        ends_open(&e, i == 0 ? with : without, SPAN("a.test"), NULL);
        e.asked = clients;
        assert_int_equal(ends_shake(&e, store), TLS_READY);
        assert_int_equal(tls_info(e.server)->client_certificate, i == 0 ? R_NONE : R_client_cert_required);
        ends_assert_text(tls_info(e.server)->client_subject, i == 0 ? "CN=gateway" : "");
        ends_close(&e);
    }
    ends_open(&e, with, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake(&e, store), TLS_READY);
    ends_assert_text(tls_info(e.server)->client_subject, "");
    ends_close(&e);
    tls_store_release(&store);
    tls_clients_release(&clients);
    tls_client_release(&with);
    tls_client_release(&without);
    made_free(&own);
}

/* Who insists says so while the hands are shaken, or behind them. */
static void an_alert_for_want_of_our_certificate_is_told(void **state)
{
    struct tls_client *client = ends_client_usual();
    SSL_CTX *server = ends_foreign();
    char buffer[16];
    struct ends e;

    (void)state;
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_READY);
    assert_int_equal(tls_read(e.client, buffer, sizeof buffer), -EPROTO);
    ends_assert_failure(&e, R_upstream_tls_alert, "certificate required (the server's alert)");
    ends_close(&e);
    /* Also when it has left, and what we say finds nobody. */
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_READY);
    assert_int_equal(shutdown(e.client_fd, SHUT_WR), 0);
    assert_int_equal(tls_write(e.client, &(struct iovec){ buffer, 1 }, 1), -EPIPE);
    assert_int_equal(tls_connect_failure(e.client), R_NONE);
    assert_true(tls_read(e.client, buffer, sizeof buffer) < 0);
    ends_assert_failure(&e, R_upstream_tls_alert, "certificate required (the server's alert)");
    ends_close(&e);
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_alert, "handshake failure (the server's alert)");
    ends_close(&e);
    SSL_CTX_free(server);
    tls_client_release(&client);
}

static void versions_are_agreed_on(void **state)
{
    struct tls_client *both = ends_client_usual();
    struct tls_client *one = ends_client(
        &(struct tls_client_settings){ .ca = ends_site.root_path, .verify = true, .version_min = TLS1_3_VERSION });
    SSL_CTX *server = ends_foreign();
    struct ends e;

    (void)state;
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
    ends_open(&e, both, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_READY);
    assert_int_equal(tls_info(e.client)->version, TLS1_2_VERSION);
    ends_close(&e);
    ends_open(&e, one, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_alert, "protocol version (the server's alert)");
    ends_close(&e);
    SSL_CTX_free(server);
    tls_client_release(&both);
    tls_client_release(&one);
}

static int protocol_choose(SSL *ssl, const unsigned char **out, unsigned char *out_bytes, const unsigned char *offered,
                           unsigned offered_bytes, void *wanted)
{
    (void)ssl;
    *out = offered + 1;
    *out_bytes = offered[0];
    assert_int_equal(offered_bytes, 9);
    return memcmp(offered + 1, wanted, 8) == 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void http1_is_offered(void **state)
{
    struct tls_client *client =
        ends_client(&(struct tls_client_settings){ .ca = ends_site.root_path, .verify = true, .alpn = true });
    SSL_CTX *server = ends_foreign();
    const unsigned char *chosen;
    unsigned chosen_bytes;
    struct ends e;

    (void)state;
    SSL_CTX_set_alpn_select_cb(server, protocol_choose, (void *)"http/1.1");
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_READY);
    SSL_get0_alpn_selected(e.foreign, &chosen, &chosen_bytes);
    assert_int_equal(chosen_bytes, 8);
    ends_close(&e);
    SSL_CTX_set_alpn_select_cb(server, protocol_choose, (void *)"http/4.0");
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_alert, "no application protocol (the server's alert)");
    ends_close(&e);
    SSL_CTX_free(server);
    tls_client_release(&client);
}

/* Whose first words are not a handshake, or end within it. */
static void odd_servers_are_told_apart(void **state)
{
    static const struct {
        struct span said;
        enum reason reason;
        const char *error;
    } rows[] = {
        { SPAN_INIT("HTTP/1.1 400 Bad Request\r\n\r\n"), R_upstream_tls_handshake, "what came is not TLS" },
        { SPAN_INIT("220 mail.test ESMTP\r\n"), R_upstream_tls_handshake, "what came is not TLS" },
        { SPAN_INIT("\0\0\0\0\0\0\0\0"), R_upstream_tls_handshake, "what came is not TLS" },
        { SPAN_INIT("\x15\x03\x03\x00\x02\x02\x28"), R_upstream_tls_alert, "handshake failure (the server's alert)" },
        { SPAN_INIT("\x15\x03\x03\x00\x02\x02\x70"), R_upstream_tls_alert, "unrecognized name (the server's alert)" },
        { SPAN_INIT("\x15\x03\x03\x00\x02\x02\x6d"), R_upstream_tls_alert, "missing extension (the server's alert)" },
        { SPAN_INIT("\x15\x03\x03\x00\x02\x02\xff"), R_upstream_tls_alert, "unknown (the server's alert)" },
        { SPAN_INIT("\x15\x03\x03\x00\x02\x01\x00"), R_upstream_tls_handshake, "the server left" },
        { SPAN_INIT(""), R_upstream_tls_handshake, "the server left" },
        { SPAN_INIT("\x16\x03"), R_upstream_tls_handshake, "the server left" },
        { SPAN_INIT("\x16\x03\x03\x00\x40\x02\x00\x00\x3c\x03\x03"), R_upstream_tls_handshake, "the server left" },
        { SPAN_INIT("\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x02"
                    "0123456789abcdef0123456789abcdef"
                    "\x00\xc0\x2f\x00\x00\x00"),
          R_upstream_tls_handshake, "unsupported protocol" },
        { SPAN_INIT("\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03"
                    "0123456789abcdef0123456789abcdef"
                    "\x00\x00\x2f\x00\x00\x00"),
          R_upstream_tls_handshake, "wrong cipher returned" },
        { SPAN_INIT("\x17\x03\x03\x00\x01x"), R_upstream_tls_handshake, "unexpected message" },
    };
    struct tls_client *client = ends_client_usual();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char hello[1024];
        struct ends e;

        ends_open(&e, client, SPAN("a.test"), NULL);
        assert_int_equal(tls_handshake(e.client), TLS_WANTS_READ);
        assert_int_equal(tls_connect_failure(e.client), R_NONE);
        assert_true(read(e.server_fd, hello, sizeof hello) > 0);
        assert_int_equal(write(e.server_fd, rows[i].said.p, rows[i].said.n), rows[i].said.n);
        shutdown(e.server_fd, SHUT_WR);
        assert_int_equal(tls_handshake(e.client), TLS_FAILED);
        ends_assert_failure(&e, rows[i].reason, rows[i].error);
        ends_close(&e);
    }
    tls_client_release(&client);
}

static void a_reset_is_told(void **state)
{
    struct tls_client *client = ends_client_usual();
    struct ends e;

    (void)state;
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(tls_handshake(e.client), TLS_WANTS_READ);
    /* Closed with bytes unread, this kind of socket is reset. */
    close(e.server_fd);
    assert_int_equal(tls_handshake(e.client), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_handshake, "Connection reset by peer");
    e.server_fd = dup(e.client_fd);
    ends_close(&e);
    ends_open(&e, client, SPAN("a.test"), NULL);
    close(e.server_fd);
    assert_int_equal(tls_handshake(e.client), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_handshake, "Broken pipe");
    e.server_fd = dup(e.client_fd);
    ends_close(&e);
    tls_client_release(&client);
}

static void a_cut_in_the_middle_is_told(void **state)
{
    struct tls_client *client = ends_client_usual();
    struct tls_store *store = ends_store(&ends_site.files, NULL);
    char bytes[4096];
    struct ends e;
    ssize_t n;

    (void)state;
    ends_open(&e, client, SPAN("a.test"), NULL);
    e.server = tls_new(store, e.server_fd, ends_choose, &e);
    assert_int_equal(tls_handshake(e.client), TLS_WANTS_READ);
    assert_int_equal(tls_handshake(e.server), TLS_WANTS_READ);
    n = recv(e.client_fd, bytes, sizeof bytes, MSG_PEEK);
    assert_true(n > 300 && n < (ssize_t)sizeof bytes);
    n = read(e.client_fd, bytes, sizeof bytes);
    assert_int_equal(write(e.server_fd, bytes, (size_t)n - 100), n - 100);
    assert_int_equal(tls_handshake(e.client), TLS_WANTS_READ);
    shutdown(e.server_fd, SHUT_WR);
    assert_int_equal(tls_handshake(e.client), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_handshake, "the server left");
    ends_close(&e);
    tls_store_release(&store);
    tls_client_release(&client);
}

static size_t read_some(struct tls *t, char *to, size_t room)
{
    size_t n = 0;
    long some;

    tls_socket_ready(t);
    while (n < room && (some = tls_read(t, to + n, room - n)) > 0)
        n += (size_t)some;
    return n;
}

static void pass_much(struct tls *from, struct tls *to, const char *sent)
{
    char *got = malloc(BIG_BYTES);
    size_t taken = 0, arrived = 0, full = 0;

    while (arrived < BIG_BYTES) {
        long n = taken < BIG_BYTES ? tls_write(from, &(struct iovec){ (void *)(sent + taken), BIG_BYTES - taken }, 1)
                                   : tls_write(from, NULL, 0);

        assert_true(n >= 0 || n == -EAGAIN);
        taken += n > 0 ? (size_t)n : 0;
        full += n == -EAGAIN;
        if (n <= 0)
            arrived += read_some(to, got + arrived, BIG_BYTES - arrived);
    }
    assert_true(full > 10);
    assert_memory_equal(sent, got, BIG_BYTES);
    free(got);
}

static void much_goes_both_ways(void **state)
{
    struct tls_client *client = ends_client_usual();
    struct tls_store *store = ends_store(&ends_site.files, NULL);
    char *sent = malloc(BIG_BYTES);
    struct ends e;

    (void)state;
    for (size_t i = 0; i < BIG_BYTES; i++)
        sent[i] = (char)(i * 31 / 7);
    ends_open(&e, client, SPAN("a.test"), NULL);
    assert_int_equal(ends_shake(&e, store), TLS_READY);
    pass_much(e.client, e.server, sent);
    pass_much(e.server, e.client, sent);
    assert_false(tls_kernel_sends(e.client));
    ends_close(&e);
    free(sent);
    tls_store_release(&store);
    tls_client_release(&client);
}

static void a_cut_is_no_end(void **state)
{
    struct tls_client *client = ends_client_usual();
    struct tls_store *store = ends_store(&ends_site.files, NULL);
    char buffer[16];
    struct ends e;

    (void)state;
    for (int said = 0; said < 2; said++) {
        ends_open(&e, client, SPAN("a.test"), NULL);
        assert_int_equal(ends_shake(&e, store), TLS_READY);
        write_all(e.server, SPAN("half"));
        if (said)
            tls_say_end(e.server);
        shutdown(e.server_fd, SHUT_WR);
        assert_int_equal(tls_read(e.client, buffer, sizeof buffer), 4);
        assert_false(tls_was_end_said(e.client));
        for (int i = 0; i < 2; i++) {
            assert_int_equal(tls_read(e.client, buffer, sizeof buffer), 0);
            assert_int_equal(tls_was_end_said(e.client), said);
        }
        ends_close(&e);
    }
    tls_store_release(&store);
    tls_client_release(&client);
}

static void files_that_will_not_do_are_told(void **state)
{
    const char *empty = made_write("empty.pem", SPAN("nothing\n"), 0600);
    const char *missing = made_path("missing.pem");
    const char *foreign = made_write_key("foreign.key", &ends_site.root);
    const struct {
        struct tls_client_settings settings;
        int error;
        const char *about, *what;
    } rows[] = {
        { { .ca = missing, .verify = true }, -ENOENT, missing, "check the path" },
        { { .ca = empty, .verify = true }, -EINVAL, empty, "there is no certificate in it" },
        { { .certificate = missing, .key = ends_site.files.key }, -ENOENT, missing, "check the path" },
        { { .certificate = ends_site.files.certificate, .key = missing }, -ENOENT, missing, "check the path" },
        { { .certificate = ends_site.files.certificate, .key = foreign }, -EINVAL, foreign, "this key does not fit" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_client_settings settings = rows[i].settings;
        struct tls_client *client = NULL;

        settings.version_min = TLS1_2_VERSION;
        assert_int_equal(tls_client_new(&settings, &client, why), rows[i].error);
        assert_null(client);
        assert_non_null(strstr(why, rows[i].about));
        assert_non_null(strstr(why, rows[i].what));
    }
    tls_client_release(&(struct tls_client *){ NULL });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(certificates_are_judged),
        cmocka_unit_test(whoever_is_in_the_file_may_sign),
        cmocka_unit_test(the_system_says_who_may_sign),
        cmocka_unit_test(a_certificate_of_our_own_is_shown_when_asked_for),
        cmocka_unit_test(an_alert_for_want_of_our_certificate_is_told),
        cmocka_unit_test(versions_are_agreed_on),
        cmocka_unit_test(http1_is_offered),
        cmocka_unit_test(odd_servers_are_told_apart),
        cmocka_unit_test(a_reset_is_told),
        cmocka_unit_test(a_cut_in_the_middle_is_told),
        cmocka_unit_test(much_goes_both_ways),
        cmocka_unit_test(a_cut_is_no_end),
        cmocka_unit_test(files_that_will_not_do_are_told),
    };

    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
