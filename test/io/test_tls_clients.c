#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define SOON_S 2

static struct made server, root, middle, stranger;
static struct tls_tickets *tickets;
static struct tls_store *store;
static const char *root_path, *list_path;
static char why[TLS_WHY_BYTES];

static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static int setup(void **state)
{
    struct tls_files files;
    struct tls_store_settings settings = { .certificate_count = 1, .version_min = TLS1_2_VERSION };

    (void)state;
    made_folder();
    server = made_certificate(&(struct made_wish){ .name = "server" });
    root = made_certificate(&(struct made_wish){ .name = "root", .authority = true });
    middle = made_certificate(&(struct made_wish){ .name = "middle", .authority = true, .issuer = &root, .serial = 9 });
    stranger = made_certificate(&(struct made_wish){ .name = "stranger", .authority = true });
    root_path = made_write_certificate("root.pem", &root);
    list_path = made_write_list("root.crl", &root, (const long[]){ 7, 0 });
    files = made_files("server", &server);
    settings.certificates = &files;
    settings.tickets = tickets = tls_tickets_new();
    return tls_store_new(&settings, &store, why);
}

static int teardown(void **state)
{
    (void)state;
    tls_store_release(&store);
    tls_tickets_release(&tickets);
    made_free(&server);
    made_free(&root);
    made_free(&middle);
    made_free(&stranger);
    made_folder_remove();
    return 0;
}

static struct tls_clients *clients_of(const char *ca, const char *crl)
{
    struct tls_clients *clients = NULL;

    if (tls_clients_new(ca, crl, &clients, why) != 0)
        fail_msg("%s", why);
    return clients;
}

static struct made client_of(const struct made *issuer, long serial)
{
    return made_certificate(&(struct made_wish){ .name = "Zo\xc3\xab, ok", .issuer = issuer, .serial = serial });
}

static enum reason judged(const struct tls_clients *clients, const struct made *m, const struct made *between,
                          uint16_t version)
{
    enum reason found;
    struct pair p;

    pair_ready(&p, store,
               &(struct pair_wish){ .version_max = version,
                                    .clients = clients,
                                    .certificate = m != NULL ? m->x : NULL,
                                    .key = m != NULL ? m->key : NULL,
                                    .between = between != NULL ? between->x : NULL });
    assert_ptr_equal(tls_info(p.t)->clients, clients);
    found = tls_info(p.t)->client_certificate;
    if (m != NULL)
        assert_true(span_ends(tls_info(p.t)->client_subject, SPAN("Zo\\C3\\AB\\, ok")));
    else
        assert_int_equal(tls_info(p.t)->client_subject.n, 0);
    pair_close(&p);
    return found;
}

static void clients_are_judged(void **state)
{
    struct tls_clients *plain = clients_of(root_path, NULL), *listed = clients_of(root_path, list_path);
    struct made good = client_of(&root, 5), revoked = client_of(&root, 7), untrusted = client_of(&stranger, 5);
    struct made expired = made_certificate(
        &(struct made_wish){ .name = "Zo\xc3\xab, ok", .issuer = &root, .from_s = -100, .until_s = -10 });
    struct made future =
        made_certificate(&(struct made_wish){ .name = "Zo\xc3\xab, ok", .issuer = &root, .from_s = 99 });
    struct made below = client_of(&middle, 5);
    const struct {
        const struct tls_clients *clients;
        const struct made *shown, *between;
        enum reason found;
    } cases[] = {
        { plain, NULL, NULL, R_client_cert_required },
        { plain, &good, NULL, R_NONE },
        { listed, &good, NULL, R_NONE },
        { plain, &revoked, NULL, R_NONE },
        { listed, &revoked, NULL, R_client_cert_revoked },
        { plain, &untrusted, NULL, R_client_cert_invalid },
        { listed, &untrusted, NULL, R_client_cert_invalid },
        { plain, &expired, NULL, R_client_cert_expired },
        { plain, &future, NULL, R_client_cert_expired },
        { plain, &below, NULL, R_client_cert_invalid },
        { plain, &below, &middle, R_NONE },
        /* No list of who signed it says whether it was taken back. */
        { listed, &below, &middle, R_client_cert_invalid },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t v = 0; v < 2; v++) {
            enum reason found = judged(cases[i].clients, cases[i].shown, cases[i].between, versions[v]);

            if (found != cases[i].found)
                fail_msg("case %zu: %s", i, found > R_MORE ? reason_info(found)->name : "none");
        }
    made_free(&good);
    made_free(&revoked);
    made_free(&untrusted);
    made_free(&expired);
    made_free(&future);
    made_free(&below);
    tls_clients_release(&plain);
    tls_clients_release(&listed);
}

static void an_authority_need_not_be_a_root(void **state)
{
    const char *path = made_write_certificate("middle.pem", &middle);
    const char *list = made_write_list("middle.crl", &middle, (const long[]){ 6, 0 });
    struct tls_clients *plain = clients_of(path, NULL), *listed = clients_of(path, list);
    struct made good = client_of(&middle, 5), revoked = client_of(&middle, 6), other = client_of(&root, 5);

    (void)state;
    assert_int_equal(judged(plain, &good, NULL, 0), R_NONE);
    assert_int_equal(judged(plain, &other, NULL, 0), R_client_cert_invalid);
    assert_int_equal(judged(listed, &good, NULL, 0), R_NONE);
    assert_int_equal(judged(listed, &revoked, NULL, 0), R_client_cert_revoked);
    made_free(&good);
    made_free(&revoked);
    made_free(&other);
    tls_clients_release(&plain);
    tls_clients_release(&listed);
}

static void nobody_is_asked_without_clients(void **state)
{
    struct made good = client_of(&root, 5);
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ .certificate = good.x, .key = good.key });
    assert_null(tls_info(p.t)->clients);
    assert_int_equal(tls_info(p.t)->client_certificate, R_NONE);
    assert_int_equal(tls_info(p.t)->client_subject.n, 0);
    pair_close(&p);
    made_free(&good);
}

static void clients_are_told_who_may_sign(void **state)
{
    struct tls_clients *clients = clients_of(root_path, NULL);
    const STACK_OF(X509_NAME) * names;
    struct pair p;

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        pair_ready(&p, store, &(struct pair_wish){ .clients = clients, .version_max = versions[v] });
        names = SSL_get0_peer_CA_list(p.client);
        assert_int_equal(sk_X509_NAME_num(names), 1);
        assert_int_equal(X509_NAME_cmp(sk_X509_NAME_value(names, 0), X509_get_subject_name(root.x)), 0);
        pair_close(&p);
    }
    tls_clients_release(&clients);
}

/* Wish with the last session; it is replaced by the new one. */
static bool resumes(struct pair_wish *wish, enum reason expected)
{
    struct pair p;
    bool resumed;

    pair_ready(&p, store, wish);
    resumed = tls_info(p.t)->resumed;
    assert_int_equal(tls_info(p.t)->client_certificate, expected);
    if (expected == R_NONE && wish->clients != NULL)
        assert_true(tls_info(p.t)->client_subject.n > 0);
    SSL_SESSION_free(wish->session);
    wish->session = pair_session(&p);
    pair_close(&p);
    return resumed;
}

static void sessions_of_good_clients_are_resumed(void **state)
{
    struct tls_clients *listed = clients_of(root_path, list_path), *same = clients_of(root_path, list_path);
    struct made good = client_of(&root, 5), untrusted = client_of(&stranger, 5);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct pair_wish wish = {
            .version_max = versions[v], .clients = listed, .certificate = good.x, .key = good.key
        };
        struct pair_wish none = { .version_max = versions[v], .clients = listed };
        struct pair_wish bad = {
            .version_max = versions[v], .clients = listed, .certificate = untrusted.x, .key = untrusted.key
        };

        assert_false(resumes(&wish, R_NONE));
        assert_true(resumes(&wish, R_NONE));
        wish.clients = same;
        assert_true(resumes(&wish, R_NONE));
        assert_true(resumes(&wish, R_NONE));
        assert_false(resumes(&none, R_client_cert_required));
        assert_false(resumes(&none, R_client_cert_required));
        /* Who has a certificate now is asked for it. */
        none.certificate = good.x;
        none.key = good.key;
        assert_false(resumes(&none, R_NONE));
        assert_false(resumes(&bad, R_client_cert_invalid));
        assert_false(resumes(&bad, R_client_cert_invalid));
        SSL_SESSION_free(wish.session);
        SSL_SESSION_free(none.session);
        SSL_SESSION_free(bad.session);
    }
    made_free(&good);
    made_free(&untrusted);
    tls_clients_release(&listed);
    tls_clients_release(&same);
}

static void sessions_stay_with_their_clients(void **state)
{
    struct tls_clients *here = clients_of(root_path, NULL), *listed = clients_of(root_path, list_path);
    struct tls_clients *there = clients_of(made_write_certificate("stranger.pem", &stranger), NULL);
    struct made good = client_of(&root, 7);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct pair_wish wish = { .version_max = versions[v], .certificate = good.x, .key = good.key };

        assert_false(resumes(&wish, R_NONE));
        assert_true(resumes(&wish, R_NONE));
        wish.clients = here;
        assert_false(resumes(&wish, R_NONE));
        assert_true(resumes(&wish, R_NONE));
        wish.clients = there;
        assert_false(resumes(&wish, R_client_cert_invalid));
        wish.clients = here;
        assert_false(resumes(&wish, R_NONE));
        /* Taken back meanwhile. */
        wish.clients = listed;
        assert_false(resumes(&wish, R_client_cert_revoked));
        wish.clients = here;
        assert_false(resumes(&wish, R_NONE));
        wish.clients = NULL;
        assert_false(resumes(&wish, R_NONE));
        SSL_SESSION_free(wish.session);
    }
    made_free(&good);
    tls_clients_release(&here);
    tls_clients_release(&listed);
    tls_clients_release(&there);
}

static void sessions_end_with_the_certificate(void **state)
{
    struct tls_clients *clients = clients_of(root_path, NULL);
    struct made soon = made_certificate(&(struct made_wish){ .name = "soon", .issuer = &root, .until_s = SOON_S });
    struct made below = made_certificate(&(struct made_wish){ .name = "below", .issuer = &middle, .until_s = SOON_S });
    struct pair_wish wishes[4];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const struct made *m = i < 2 ? &soon : &below;

        wishes[i] = (struct pair_wish){ .version_max = versions[i % 2],
                                        .clients = clients,
                                        .certificate = m->x,
                                        .key = m->key,
                                        .between = i < 2 ? NULL : middle.x };
        assert_false(resumes(&wishes[i], R_NONE));
        assert_true(resumes(&wishes[i], R_NONE));
    }
    sleep(SOON_S + 1);
    for (size_t i = 0; i < 4; i++) {
        assert_false(resumes(&wishes[i], R_client_cert_expired));
        SSL_SESSION_free(wishes[i].session);
    }
    made_free(&soon);
    made_free(&below);
    tls_clients_release(&clients);
}

static void wrong_files_are_named(void **state)
{
    const char *key = made_write_key("root.key", &root), *empty = made_write("empty.pem", SPAN(""), 0644);
    const char *absent = made_path("absent.pem");
    const struct {
        const char *ca, *crl;
        int error;
        const char *file, *text;
    } cases[] = {
        { absent, NULL, -ENOENT, absent, "No such file" },
        { key, NULL, -EINVAL, key, "no certificate" },
        { empty, NULL, -EINVAL, empty, "no certificate" },
        { root_path, absent, -ENOENT, absent, "No such file" },
        { root_path, root_path, -EINVAL, root_path, "no revocation list" },
        { root_path, empty, -EINVAL, empty, "no revocation list" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_clients *clients = NULL;

        assert_int_equal(tls_clients_new(cases[i].ca, cases[i].crl, &clients, why), cases[i].error);
        assert_null(clients);
        assert_true(span_starts(span_of(why), span_of(cases[i].file)));
        assert_non_null(strstr(why, cases[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_are_judged),
        cmocka_unit_test(an_authority_need_not_be_a_root),
        cmocka_unit_test(nobody_is_asked_without_clients),
        cmocka_unit_test(clients_are_told_who_may_sign),
        cmocka_unit_test(sessions_of_good_clients_are_resumed),
        cmocka_unit_test(sessions_stay_with_their_clients),
        cmocka_unit_test(sessions_end_with_the_certificate),
        cmocka_unit_test(wrong_files_are_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
