#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

static struct made made[3];
static struct tls_files files[3];
static char why[TLS_WHY_BYTES];

static int setup(void **state)
{
    static const char *const names[] = { "DNS:a.test", "DNS:b.test,DNS:*.b.test", "DNS:www.b.test" };
    static const char *const called[] = { "a", "b", "c" };

    (void)state;
    made_folder();
    for (size_t i = 0; i < 3; i++) {
        made[i] = made_certificate(&(struct made_wish){ .name = called[i], .alternatives = names[i] });
        files[i] = made_files(called[i], &made[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        made_free(&made[i]);
    made_folder_remove();
    return 0;
}

static struct tls_store *store_of(struct tls_store_settings settings)
{
    struct tls_store *store = NULL;

    settings.certificates = files;
    settings.certificate_count = 3;
    if (settings.version_min == 0)
        settings.version_min = TLS1_2_VERSION;
    if (tls_store_new(&settings, &store, why) != 0)
        fail_msg("%s", why);
    return store;
}

static size_t shown(const struct pair *p)
{
    X509 *x = SSL_get0_peer_certificate(p->client);

    for (size_t i = 0; i < 3; i++)
        if (X509_cmp(x, made[i].x) == 0)
            return i;
    return 9;
}

static void certificates_go_with_names(void **state)
{
    static const struct {
        const char *asked, *told;
        size_t shown;
        bool known;
    } cases[] = {
        { "a.test", "a.test", 0, true },
        { "b.test", "b.test", 1, true },
        { "B.Test", "b.test", 1, true },
        { "x.b.test", "x.b.test", 1, true },
        { "x.y.b.test", "x.y.b.test", 0, false },
        { "www.b.test", "www.b.test", 2, true },
        { "www.b.test.", "www.b.test", 2, true },
        { "other.test", "other.test", 0, false },
        { NULL, "", 0, false },
        { "sp ace.test", "", 0, false },
    };
    struct tls_store *store = store_of((struct tls_store_settings){ 0 });

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        size_t c = i / 2;
        struct pair p;

        pair_ready(&p, store,
                   &(struct pair_wish){ .name = cases[c].asked,
                                        .version_max = i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION });
        assert_int_equal(shown(&p), cases[c].shown);
        assert_int_equal(p.asked_count, 1);
        assert_true(span_is(p.asked, span_of(cases[c].told)));
        assert_true(span_is(tls_info(p.t)->server_name, span_of(cases[c].told)));
        /* The client is told whether its name was known. */
        assert_int_equal(SSL_SESSION_get0_hostname(SSL_get0_session(p.client)) != NULL, cases[c].known);
        pair_close(&p);
    }
    tls_store_release(&store);
}

static void a_second_hello_changes_nothing(void **state)
{
    struct tls_store *store = store_of((struct tls_store_settings){ 0 });
    struct pair p;

    (void)state;
    /* The client guesses a group that is not taken, and is told to come again. */
    pair_ready(&p, store, &(struct pair_wish){ .name = "b.test", .groups = "P-521:P-384" });
    assert_int_equal(shown(&p), 1);
    assert_int_equal(p.asked_count, 1);
    assert_int_equal(SSL_get_negotiated_group(p.client), NID_secp384r1);
    pair_close(&p);
    tls_store_release(&store);
}

static void a_connection_tells_what_it_covers(void **state)
{
    struct tls_store *store = store_of((struct tls_store_settings){ 0 });
    struct pair p, none;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ .name = "x.b.test" });
    assert_true(tls_shows_for(p.t, SPAN("b.test")));
    assert_true(tls_shows_for(p.t, SPAN("y.b.test")));
    assert_false(tls_shows_for(p.t, SPAN("www.b.test")));
    assert_false(tls_shows_for(p.t, SPAN("a.test")));
    assert_false(tls_shows_for(p.t, SPAN("")));
    assert_true(tls_covers(p.t, SPAN("WWW.b.test.")));
    assert_true(tls_covers(p.t, SPAN("b.test")));
    assert_false(tls_covers(p.t, SPAN("a.test")));
    assert_false(tls_covers(p.t, SPAN("other.test")));
    pair_ready(&none, store, &(struct pair_wish){ 0 });
    assert_true(tls_shows_for(none.t, SPAN("127.0.0.1")));
    assert_true(tls_shows_for(none.t, SPAN("a.test")));
    assert_false(tls_shows_for(none.t, SPAN("b.test")));
    pair_close(&p);
    pair_close(&none);
    tls_store_release(&store);
}

static void protocols_are_chosen(void **state)
{
    static const struct {
        const char *offered;
        bool offers_h2, failed, h2;
        const char *chosen;
    } cases[] = {
        { "\x02h2\x08http/1.1", true, false, true, "h2" },
        { "\x08http/1.1\x02h2", true, false, true, "h2" },
        { "\x02h2\x08http/1.1", false, false, false, "http/1.1" },
        { "\x08http/1.1", true, false, false, "http/1.1" },
        { "\x08http/1.0", true, false, false, "http/1.0" },
        { NULL, true, false, false, "" },
        { "\x02h2", false, true, false, "" },
        { "\x04imap", true, true, false, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_store *store = store_of((struct tls_store_settings){ .h2 = cases[i].offers_h2 });
        const unsigned char *chosen;
        unsigned n;
        struct pair p;

        pair_open(&p, store, &(struct pair_wish){ .alpn = cases[i].offered, .name = "b.test" });
        assert_int_equal(pair_shake(&p), cases[i].failed ? TLS_FAILED : TLS_READY);
        SSL_get0_alpn_selected(p.client, &chosen, &n);
        assert_true(span_is((struct span){ (const char *)chosen, n }, span_of(cases[i].chosen)));
        if (!cases[i].failed)
            assert_int_equal(tls_info(p.t)->h2, cases[i].h2);
        pair_close(&p);
        tls_store_release(&store);
    }
}

static void assert_error(const struct pair *p, const char *text)
{
    struct span error = tls_error(p->t);

    if (!span_is(error, span_of(text)))
        fail_msg("%.*s", (int)error.n, error.p);
}

static void versions_are_told(void **state)
{
    struct tls_store *any = store_of((struct tls_store_settings){ 0 });
    struct tls_store *newest = store_of((struct tls_store_settings){ .version_min = TLS1_3_VERSION });
    struct pair p;

    (void)state;
    pair_ready(&p, any, &(struct pair_wish){ .version_max = TLS1_2_VERSION });
    assert_int_equal(tls_info(p.t)->version, 0x0303);
    assert_true(span_is(tls_info(p.t)->version_name, SPAN("TLSv1.2")));
    assert_true(span_is(tls_info(p.t)->cipher, SPAN("ECDHE-ECDSA-AES256-GCM-SHA384")));
    assert_false(tls_info(p.t)->resumed);
    assert_int_equal(tls_info(p.t)->client_certificate, R_NONE);
    pair_close(&p);
    pair_ready(&p, newest, &(struct pair_wish){ 0 });
    assert_int_equal(tls_info(p.t)->version, 0x0304);
    assert_true(span_is(tls_info(p.t)->version_name, SPAN("TLSv1.3")));
    assert_true(span_is(tls_info(p.t)->cipher, SPAN("TLS_AES_256_GCM_SHA384")));
    pair_close(&p);
    pair_open(&p, newest, &(struct pair_wish){ .version_max = TLS1_2_VERSION });
    assert_int_equal(pair_shake(&p), TLS_FAILED);
    assert_error(&p, "unsupported protocol");
    assert_int_equal(tls_handshake(p.t), TLS_FAILED);
    pair_close(&p);
    tls_store_release(&any);
    tls_store_release(&newest);
}

static void failures_are_told(void **state)
{
    struct tls_store *store = store_of((struct tls_store_settings){ 0 });
    char buffer[16];
    struct pair p;

    (void)state;
    pair_open(&p, store, &(struct pair_wish){ .version_max = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-SHA" });
    assert_int_equal(pair_shake(&p), TLS_FAILED);
    assert_error(&p, "no shared cipher");
    pair_close(&p);
    pair_open(&p, store, &(struct pair_wish){ .trusts = made[2].x, .name = "a.test" });
    pair_shake(&p);
    /* In TLS 1.3 the server was not done yet; in 1.2 neither. */
    assert_int_equal(tls_handshake(p.t), TLS_FAILED);
    assert_error(&p, "unknown CA (the client's alert)");
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EPROTO);
    pair_close(&p);
    tls_store_release(&store);
}

static void garbage_is_refused(void **state)
{
    static const struct {
        struct span sent;
        const char *error;
    } cases[] = {
        { SPAN_INIT("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), "http request" },
        { SPAN_INIT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "wrong version number" },
        { SPAN_INIT("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"), "length too short" },
        { SPAN_INIT(""), "the client left" },
    };
    struct tls_store *store = store_of((struct tls_store_settings){ 0 });

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair p;

        pair_open(&p, store, &(struct pair_wish){ 0 });
        assert_int_equal(write(p.client_fd, cases[i].sent.p, cases[i].sent.n), cases[i].sent.n);
        shutdown(p.client_fd, SHUT_WR);
        assert_int_equal(tls_handshake(p.t), TLS_FAILED);
        assert_error(&p, cases[i].error);
        assert_int_equal(ERR_peek_error(), 0);
        pair_close(&p);
    }
    tls_store_release(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_go_with_names),
        cmocka_unit_test(a_second_hello_changes_nothing),
        cmocka_unit_test(a_connection_tells_what_it_covers),
        cmocka_unit_test(protocols_are_chosen),
        cmocka_unit_test(versions_are_told),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(garbage_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
