#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define DAY_S           86400L
#define KEY_MARK(which) "-----" which " PRIVATE KEY-----\n"

static struct made one, two, root, middle, below;
static char why[TLS_WHY_BYTES];

static int setup(void **state)
{
    (void)state;
    made_folder();
    root = made_certificate(&(struct made_wish){ .name = "root", .authority = true });
    middle = made_certificate(&(struct made_wish){ .name = "middle", .authority = true, .issuer = &root });
    below = made_certificate(&(struct made_wish){ .name = "c.test", .issuer = &middle, .serial = 77 });
    one = made_certificate(&(struct made_wish){ .name = "a.test" });
    two = made_certificate(&(struct made_wish){ .name = "a.test" });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&one);
    made_free(&two);
    made_free(&root);
    made_free(&middle);
    made_free(&below);
    made_folder_remove();
    return 0;
}

static int open_store(const struct tls_files *files, struct tls_store **store)
{
    const struct tls_store_settings settings = { .certificates = files,
                                                 .certificate_count = 1,
                                                 .version_min = TLS1_2_VERSION };

    why[0] = '\0';
    *store = NULL;
    return tls_store_new(&settings, store, why);
}

static const char *write_locked_key(const char *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    const char *path;
    char *bytes;
    long n;

    PEM_write_bio_PrivateKey(text, one.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL);
    n = BIO_get_mem_data(text, &bytes);
    path = made_write(name, (struct span){ bytes, (size_t)n }, 0600);
    BIO_free(text);
    return path;
}

static void assert_why(const char *file, const char *text)
{
    if (!span_starts(span_of(why), span_of(file)) || why[strlen(file)] != ':' || strstr(why, text) == NULL)
        fail_msg("%s", why);
}

static void wrong_files_are_named(void **state)
{
    const char *certificate = made_write_certificate("a.pem", &one), *key = made_write_key("a.key", &one);
    const char *other_key = made_write_key("b.key", &two), *absent = made_path("absent");
    const char *empty = made_write("empty", SPAN(""), 0600), *locked = write_locked_key("locked.key");
    const char *folder = made_path("."),
               *shuffled =
                   made_write_chain("shuffled.pem", (const struct made *const[]){ &below, &root, &middle, NULL });
    const char *broken =
        made_write("broken.pem", SPAN("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0644);
    const char *broken_key = made_write("broken.key", SPAN(KEY_MARK("BEGIN") "AAAA\n" KEY_MARK("END")), 0600);
    const char *ocsp = made_write_ocsp("c.ocsp", &below, &middle, DAY_S);
    const struct {
        struct tls_files files;
        int error;
        const char *file, *text;
    } cases[] = {
        { { absent, key, NULL }, -ENOENT, absent, "No such file or directory: check the path" },
        { { certificate, absent, NULL }, -ENOENT, absent, "No such file or directory: check the path" },
        { { certificate, key, absent }, -ENOENT, absent, "No such file or directory: check the path" },
        { { folder, key, NULL }, -EINVAL, folder, "not a file" },
        { { key, key, NULL }, -EINVAL, key, "no certificate in it" },
        { { empty, key, NULL }, -EINVAL, empty, "no certificate in it" },
        { { broken, key, NULL }, -EINVAL, broken, "is broken" },
        { { certificate, certificate, NULL }, -EINVAL, certificate, "no key in it" },
        { { certificate, broken_key, NULL }, -EINVAL, broken_key, "the key in it cannot be read" },
        { { certificate, locked, NULL }, -EINVAL, locked, "the key has a password" },
        { { certificate, other_key, NULL }, -EINVAL, other_key, "does not fit the certificate in" },
        { { shuffled, key, NULL }, -EINVAL, shuffled, "certificate 2 in it did not sign certificate 1" },
        { { certificate, key, certificate }, -EINVAL, certificate, "not an OCSP response" },
        { { certificate, key, ocsp }, -EINVAL, ocsp, "about another certificate" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_store *store;
        int error = open_store(&cases[i].files, &store);

        if (error != cases[i].error)
            fail_msg("case %zu: %d %s", i, error, why);
        assert_null(store);
        assert_why(cases[i].file, cases[i].text);
        assert_int_equal(ERR_peek_error(), 0);
    }
}

static void keys_are_secret(void **state)
{
    static const struct {
        mode_t mode;
        int error;
    } cases[] = {
        { 0600, 0 },      { 0400, 0 },      { 0640, 0 },      { 0440, 0 },      { 0644, -EPERM },
        { 0604, -EPERM }, { 0602, -EPERM }, { 0620, -EPERM }, { 0660, -EPERM },
    };
    struct tls_files files = made_files("a", &one);
    char advice[256];

    (void)state;
    snprintf(advice, sizeof advice, "chmod 600 %s", files.key);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_store *store;

        chmod(files.key, cases[i].mode);
        assert_int_equal(open_store(&files, &store), cases[i].error);
        if (cases[i].error != 0)
            assert_why(files.key, advice);
        tls_store_release(&store);
    }
}

static void weak_keys_are_refused(void **state)
{
    struct made weak = { EVP_RSA_gen(1024), X509_new() };
    struct tls_files files;
    struct tls_store *store;

    (void)state;
    X509_set_pubkey(weak.x, weak.key);
    X509_gmtime_adj(X509_getm_notBefore(weak.x), 0);
    X509_gmtime_adj(X509_getm_notAfter(weak.x), DAY_S);
    X509_sign(weak.x, weak.key, EVP_sha256());
    files = made_files("weak", &weak);
    assert_int_equal(open_store(&files, &store), -EINVAL);
    assert_why(files.certificate, "ee key too small");
    made_free(&weak);
}

static void a_chain_is_sent(void **state)
{
    const struct tls_files files = { made_write_chain("c.pem", (const struct made *const[]){ &below, &middle, NULL }),
                                     made_write_key("c.key", &below), NULL };
    struct tls_store *store;
    struct pair p;

    (void)state;
    assert_int_equal(open_store(&files, &store), 0);
    pair_ready(&p, store, &(struct pair_wish){ .name = "c.test", .trusts = root.x });
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(p.client)), 2);
    pair_close(&p);
    tls_store_release(&store);
}

static void a_response_is_stapled(void **state)
{
    static const struct {
        long until_s;
        bool asks, stapled;
    } cases[] = { { DAY_S, true, true }, { DAY_S, false, false }, { -10, true, false } };
    struct tls_files files = made_files("c", &below);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_store *store;
        const unsigned char *got;
        struct pair p;

        files.ocsp = made_write_ocsp("c.ocsp", &below, &middle, cases[i].until_s);
        assert_int_equal(open_store(&files, &store), 0);
        for (int v = TLS1_2_VERSION; v <= TLS1_3_VERSION; v++) {
            pair_ready(&p, store, &(struct pair_wish){ .status = cases[i].asks, .version_max = (uint16_t)v });
            assert_int_equal(SSL_get_tlsext_status_ocsp_resp(p.client, &got) > 0, cases[i].stapled);
            pair_close(&p);
        }
        tls_store_release(&store);
    }
}

static void days_are_counted(void **state)
{
    static const struct {
        long until_s;
        int days;
    } cases[] = { { 10 * DAY_S + 100, 10 }, { DAY_S - 100, 0 }, { -100, -1 }, { -DAY_S - 100, -2 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made m = made_certificate(&(struct made_wish){ .from_s = -3 * DAY_S, .until_s = cases[i].until_s });
        struct made other = made_certificate(&(struct made_wish){ .until_s = 5 * DAY_S + 100 });
        const struct tls_files files[] = { made_files("a", &other), made_files("b", &m) };
        const struct tls_store_settings settings = { .certificates = files,
                                                     .certificate_count = 2,
                                                     .version_min = TLS1_2_VERSION };
        struct tls_store *store;

        assert_int_equal(tls_store_new(&settings, &store, why), 0);
        assert_int_equal(tls_store_days_left(store), cases[i].days < 5 ? cases[i].days : 5);
        tls_store_release(&store);
        assert_int_equal(open_store(&files[1], &store), 0);
        assert_int_equal(tls_store_days_left(store), cases[i].days);
        tls_store_release(&store);
        made_free(&m);
        made_free(&other);
    }
}

static void times_are_warned_of(void **state)
{
    static const struct {
        long from_s, until_s;
        const char *text; /* NULL: no warning */
    } cases[] = { { -10, 100, NULL },
                  { -100, -10, "this certificate expired on 20" },
                  { 100, 200, "this certificate begins on 20" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made m = made_certificate(&(struct made_wish){ .from_s = cases[i].from_s, .until_s = cases[i].until_s });
        const struct tls_files files[] = { made_files("a", &one), made_files("b", &m) };
        const struct tls_store_settings settings = { .certificates = files,
                                                     .certificate_count = 2,
                                                     .version_min = TLS1_2_VERSION };
        struct tls_store *store;

        assert_int_equal(tls_store_new(&settings, &store, why), 0);
        assert_false(tls_store_warn(store, 0, why));
        assert_int_equal(tls_store_warn(store, 1, why), cases[i].text != NULL);
        if (cases[i].text != NULL)
            assert_why(files[1].certificate, cases[i].text);
        tls_store_release(&store);
        made_free(&m);
    }
}

static bool shows(struct tls_store *store, const struct made *m)
{
    struct pair p;
    bool same;

    pair_ready(&p, store, &(struct pair_wish){ .name = "a.test" });
    same = X509_cmp(SSL_get0_peer_certificate(p.client), m->x) == 0;
    pair_close(&p);
    return same;
}

static void new_files_are_shown(void **state)
{
    struct tls_files files = made_files("a", &one);
    struct tls_store *store;
    struct pair old;
    char buffer[16];

    (void)state;
    assert_int_equal(open_store(&files, &store), 0);
    assert_int_equal(tls_store_refresh(store, why), 0);
    pair_open(&old, store, &(struct pair_wish){ .name = "a.test" });
    /* The certificate first: until the key comes the pair does not fit, which is told once. */
    made_write_certificate("a.pem", &two);
    assert_int_equal(tls_store_refresh(store, why), -EINVAL);
    assert_why(files.key, "does not fit");
    assert_int_equal(tls_store_refresh(store, why), 0);
    assert_true(shows(store, &one));
    made_write_key("a.key", &two);
    assert_int_equal(tls_store_refresh(store, why), 1);
    assert_int_equal(tls_store_refresh(store, why), 0);
    assert_true(shows(store, &two));
    /* Who began with the old one goes on with it, be the store there or not. */
    tls_store_release(&store);
    assert_null(store);
    assert_int_equal(pair_shake(&old), TLS_READY);
    assert_int_equal(X509_cmp(SSL_get0_peer_certificate(old.client), one.x), 0);
    pair_client_write(&old, SPAN("on"));
    assert_int_equal(tls_read(old.t, buffer, sizeof buffer), 2);
    pair_close(&old);
}

static void what_is_wrong_is_told_once(void **state)
{
    struct tls_files files = made_files("a", &one);
    struct tls_store *store;

    (void)state;
    assert_int_equal(open_store(&files, &store), 0);
    unlink(files.key);
    assert_int_equal(tls_store_refresh(store, why), -ENOENT);
    assert_why(files.key, "No such file or directory");
    assert_int_equal(tls_store_refresh(store, why), 0);
    made_write("a.key", SPAN("nothing"), 0600);
    assert_int_equal(tls_store_refresh(store, why), -EINVAL);
    assert_int_equal(tls_store_refresh(store, why), 0);
    assert_true(shows(store, &one));
    made_write_key("a.key", &one);
    assert_int_equal(tls_store_refresh(store, why), 1);
    /* Only what a file may be done with has changed. */
    chmod(files.key, 0644);
    assert_int_equal(tls_store_refresh(store, why), -EPERM);
    chmod(files.key, 0600);
    assert_int_equal(tls_store_refresh(store, why), 1);
    tls_store_release(&store);
}

static void *refresh_often(void *store)
{
    char text[TLS_WHY_BYTES];

    for (unsigned i = 0; i < 40; i++) {
        made_write_certificate("a.pem", &one);
        if (tls_store_refresh(store, text) < 0)
            return store;
    }
    return NULL;
}

static void files_are_read_beside_connections(void **state)
{
    struct tls_files files = made_files("a", &one);
    struct tls_store *store;
    pthread_t reader;
    void *failed;

    (void)state;
    assert_int_equal(open_store(&files, &store), 0);
    assert_int_equal(pthread_create(&reader, NULL, refresh_often, store), 0);
    for (unsigned i = 0; i < 40; i++)
        assert_true(shows(store, &one));
    pthread_join(reader, &failed);
    assert_null(failed);
    tls_store_release(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_files_are_named),      cmocka_unit_test(keys_are_secret),
        cmocka_unit_test(weak_keys_are_refused),      cmocka_unit_test(a_chain_is_sent),
        cmocka_unit_test(a_response_is_stapled),      cmocka_unit_test(days_are_counted),
        cmocka_unit_test(times_are_warned_of),        cmocka_unit_test(new_files_are_shown),
        cmocka_unit_test(what_is_wrong_is_told_once), cmocka_unit_test(files_are_read_beside_connections),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
