#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define DAY_S 86400L

static char certificate[TLS_PATH_BYTES], key[TLS_PATH_BYTES], why[TLS_WHY_BYTES];

static int setup(void **state)
{
    (void)state;
    made_folder();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_folder_remove();
    return 0;
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static X509 *peer_of(struct tls_store *store, struct pair *p)
{
    pair_ready(p, store, &(struct pair_wish){ .name = "localhost" });
    return SSL_get0_peer_certificate(p->client);
}

static struct tls_store *store_of(const struct tls_files *files)
{
    struct tls_store *store = NULL;

    if (tls_store_new(&(struct tls_store_settings){ .certificates = files,
                                                    .certificate_count = 1,
                                                    .version_min = TLS1_3_VERSION },
                      &store, why) != 0)
        fail_msg("%s", why);
    return store;
}

static void a_pair_is_made_once(void **state)
{
    const char *folder = made_path("state/tls");
    char path[TLS_PATH_BYTES];
    struct stat first, second;

    (void)state;
    assert_int_equal(tls_self_signed(folder, certificate, key, why), 1);
    assert_int_equal(mode_of(folder), 0700);
    assert_int_equal(mode_of(made_path("state")), 0700);
    assert_int_equal(mode_of(key), 0600);
    assert_int_equal(stat(certificate, &first), 0);
    snprintf(path, sizeof path, "%s", certificate);
    assert_int_equal(tls_self_signed(folder, certificate, key, why), 0);
    assert_string_equal(path, certificate);
    assert_int_equal(stat(certificate, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
}

static void it_is_for_this_machine(void **state)
{
    struct tls_files files = { certificate, key, NULL };
    struct tls_store *store;
    struct pair p;
    int days, seconds;
    X509 *x;

    (void)state;
    assert_true(tls_self_signed(made_path("here"), certificate, key, why) >= 0);
    store = store_of(&files);
    x = peer_of(store, &p);
    assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(x, "other.test", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
    assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0), 1);
    assert_int_equal(X509_check_purpose(x, X509_PURPOSE_SSL_CLIENT, 0), 0);
    assert_int_equal(X509_check_ca(x), 0);
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x)), 1);
    assert_int_equal(days, 396);
    assert_int_equal(tls_store_days_left(store), 396);
    assert_true(tls_covers(p.t, SPAN("app.localhost")));
    pair_close(&p);
    tls_store_release(&store);
}

static void a_pair_that_will_not_do_is_replaced(void **state)
{
    struct made soon = made_certificate(&(struct made_wish){ .until_s = 7 * DAY_S - 60 });
    struct made later = made_certificate(&(struct made_wish){ .until_s = 7 * DAY_S + 60 });
    const struct {
        const struct made *certificate, *key;
        int made;
    } cases[] = { { &later, &later, 0 }, { &soon, &soon, 1 }, { &later, &soon, 1 } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(tls_self_signed(made_path("there"), certificate, key, why) >= 0);
        made_write_certificate("there/certificate.pem", cases[i].certificate);
        made_write_key("there/key.pem", cases[i].key);
        assert_int_equal(tls_self_signed(made_path("there"), certificate, key, why), cases[i].made);
    }
    made_write("there/key.pem", SPAN("broken"), 0600);
    assert_int_equal(tls_self_signed(made_path("there"), certificate, key, why), 1);
    made_write("there/certificate.pem.new", SPAN("left behind"), 0444);
    unlink(certificate);
    assert_int_equal(tls_self_signed(made_path("there"), certificate, key, why), 1);
    assert_int_equal(tls_self_signed(made_path("there"), certificate, key, why), 0);
    made_free(&soon);
    made_free(&later);
}

static void a_folder_that_cannot_be_is_named(void **state)
{
    const char *file = made_write("file", SPAN(""), 0644);
    char path[256], deep[TLS_PATH_BYTES + 100];

    (void)state;
    snprintf(path, sizeof path, "%s/folder", file);
    assert_int_equal(tls_self_signed(path, certificate, key, why), -ENOTDIR);
    assert_true(span_starts(span_of(why), span_of(path)));
    assert_int_equal(tls_self_signed(file, certificate, key, why), -ENOTDIR);
    memset(deep, 'x', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(tls_self_signed(deep, certificate, key, why), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_made_once),
        cmocka_unit_test(it_is_for_this_machine),
        cmocka_unit_test(a_pair_that_will_not_do_is_replaced),
        cmocka_unit_test(a_folder_that_cannot_be_is_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
