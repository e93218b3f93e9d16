#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define SOON_S 2
#define READS  30

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
    assert_true(tls_clients_are_same(tls_info(p.t)->clients, clients));
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
    const char *foreign = made_write_list("stranger.crl", &stranger, (const long[]){ 7, 0 });
    struct made other = made_certificate(&(struct made_wish){ .name = "root", .authority = true });
    const char *named = made_write_list("named.crl", &other, (const long[]){ 7, 0 });
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
        { root_path, foreign, -EINVAL, foreign, "is by an authority in" },
        { root_path, named, -EINVAL, named, "is by an authority in" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_clients *clients = NULL;

        assert_int_equal(tls_clients_new(cases[i].ca, cases[i].crl, &clients, why), cases[i].error);
        assert_null(clients);
        assert_true(span_starts(span_of(why), span_of(cases[i].file)));
        assert_non_null(strstr(why, cases[i].text));
    }
    made_free(&other);
}

static void new_files_are_taken_up(void **state)
{
    const char *list = made_write_list("new.crl", &root, (const long[]){ 7, 0 });
    struct tls_clients *clients = clients_of(root_path, list);
    struct made good = client_of(&root, 5);
    struct pair_wish wish = { .clients = clients, .certificate = good.x, .key = good.key };
    struct pair old;

    (void)state;
    pair_ready(&old, store, &wish);
    assert_int_equal(tls_clients_refresh(clients, why), 0);
    assert_true(tls_clients_are_same(tls_info(old.t)->clients, clients));
    for (size_t v = 0; v < 2; v++) {
        wish.version_max = versions[v];
        wish.session = NULL;
        made_write_list("new.crl", &root, (const long[]){ 7, 0 });
        assert_int_equal(tls_clients_refresh(clients, why), 1);
        assert_false(resumes(&wish, R_NONE));
        assert_true(resumes(&wish, R_NONE));
        made_write_list("new.crl", &root, (const long[]){ 5, 0 });
        assert_int_equal(tls_clients_refresh(clients, why), 1);
        assert_int_equal(tls_clients_refresh(clients, why), 0);
        assert_false(resumes(&wish, R_client_cert_revoked));
        SSL_SESSION_free(wish.session);
    }
    /* Who came before is told apart, with the authorities gone that he was judged by. */
    assert_false(tls_clients_are_same(tls_info(old.t)->clients, clients));
    pair_close(&old);
    made_free(&good);
    tls_clients_release(&clients);
}

static void a_wrong_file_is_told_once(void **state)
{
    const char *list = made_write_list("new.crl", &root, (const long[]){ 7, 0 });
    struct tls_clients *clients = clients_of(root_path, list);
    struct made revoked = client_of(&root, 7);

    (void)state;
    unlink(list);
    assert_int_equal(tls_clients_refresh(clients, why), -ENOENT);
    assert_int_equal(tls_clients_refresh(clients, why), 0);
    made_write_list("new.crl", &stranger, (const long[]){ 1, 0 });
    assert_int_equal(tls_clients_refresh(clients, why), -EINVAL);
    assert_true(span_starts(span_of(why), span_of(list)));
    assert_int_equal(tls_clients_refresh(clients, why), 0);
    assert_int_equal(judged(clients, &revoked, NULL, 0), R_client_cert_revoked);
    made_write_list("new.crl", &root, (const long[]){ 8, 0 });
    assert_int_equal(tls_clients_refresh(clients, why), 1);
    assert_int_equal(judged(clients, &revoked, NULL, 0), R_NONE);
    made_free(&revoked);
    tls_clients_release(&clients);
}

/* A list of the root's, valid between so many seconds from now; until 0: without an end. */
static void append_list(FILE *to, long from_s, long until_s)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_new();

    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(root.x));
    X509_CRL_set1_lastUpdate(list, X509_gmtime_adj(t, from_s));
    if (until_s != 0)
        X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(t, until_s));
    assert_true(X509_CRL_sign(list, root.key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509_CRL(to, list), 1);
    X509_CRL_free(list);
    ASN1_TIME_free(t);
}

static void lists_out_of_their_time_are_warned_of(void **state)
{
    static const struct {
        long from_s, until_s, second_until_s; /* the second list; 0: none */
        const char *text;                     /* NULL: no warning */
        enum reason found;
    } cases[] = {
        { -9, 99, 0, NULL, R_NONE },
        { -9, 0, 0, NULL, R_NONE },
        { -99, -9, 0, ": this list of revoked certificates expired on 20", R_client_cert_invalid },
        { 60, 99, 0, ": this list of revoked certificates begins on 20", R_client_cert_invalid },
        { -99, -9, 99, NULL, R_NONE },
        { -99, -9, -5, ": this list of revoked certificates expired on 20", R_client_cert_invalid },
    };
    const char *path = made_path("times.crl");
    struct made good = client_of(&root, 5);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *to = fopen(path, "we");
        struct tls_clients *clients;

        append_list(to, cases[i].from_s, cases[i].until_s);
        if (cases[i].second_until_s != 0)
            append_list(to, -50, cases[i].second_until_s);
        fclose(to);
        clients = clients_of(root_path, path);
        assert_int_equal(tls_clients_warn(clients, why), cases[i].text != NULL);
        if (cases[i].text != NULL && (!span_starts(span_of(why), span_of(path)) ||
                                      !span_starts(span_of(why + strlen(path)), span_of(cases[i].text))))
            fail_msg("case %zu: %s", i, why);
        assert_int_equal(judged(clients, &good, NULL, 0), cases[i].found);
        tls_clients_release(&clients);
    }
    made_free(&good);
}

static void *refresh_often(void *clients)
{
    char text[TLS_WHY_BYTES];

    for (unsigned i = 0; i < READS; i++) {
        made_write_list("new.crl", &root, (const long[]){ 7, 9 + i % 2, 0 });
        if (tls_clients_refresh(clients, text) < 0)
            return clients;
    }
    return NULL;
}

static void files_are_read_beside_handshakes(void **state)
{
    struct tls_clients *clients = clients_of(root_path, made_write_list("new.crl", &root, (const long[]){ 7, 0 }));
    struct made good = client_of(&root, 5);
    pthread_t reader;
    struct pair all[READS];
    void *failed;

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, refresh_often, clients), 0);
    for (unsigned i = 0; i < READS; i++) {
        pair_ready(&all[i], store, &(struct pair_wish){ .clients = clients, .certificate = good.x, .key = good.key });
        assert_int_equal(tls_info(all[i].t)->client_certificate, R_NONE);
    }
    pthread_join(reader, &failed);
    assert_null(failed);
    /* Only now: how the library counts who holds what the reader gives up, no checker of threads sees. */
    for (unsigned i = 0; i < READS; i++)
        pair_close(&all[i]);
    made_free(&good);
    tls_clients_release(&clients);
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
        cmocka_unit_test(new_files_are_taken_up),
        cmocka_unit_test(a_wrong_file_is_told_once),
        cmocka_unit_test(lists_out_of_their_time_are_warned_of),
        cmocka_unit_test(files_are_read_beside_handshakes),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
