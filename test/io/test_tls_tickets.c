#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define LIFETIME_S 100u

static struct made made[2];
static struct tls_files files[2];
static struct tls_tickets *tickets;
static char why[TLS_WHY_BYTES];

static int setup(void **state)
{
    (void)state;
    made_folder();
    made[0] = made_certificate(&(struct made_wish){ .name = "a.test" });
    made[1] = made_certificate(&(struct made_wish){ .name = "b.test" });
    files[0] = made_files("a", &made[0]);
    files[1] = made_files("b", &made[1]);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&made[0]);
    made_free(&made[1]);
    made_folder_remove();
    return 0;
}

static int tickets_make(void **state)
{
    (void)state;
    tickets = tls_tickets_new();
    return tickets == NULL;
}

static int tickets_forget(void **state)
{
    (void)state;
    tls_tickets_release(&tickets);
    return 0;
}

static struct tls_store *store_with(struct tls_tickets *with)
{
    const struct tls_store_settings settings = {
        .certificates = files, .certificate_count = 2, .version_min = TLS1_2_VERSION, .tickets = with
    };
    struct tls_store *store = NULL;

    if (tls_store_new(&settings, &store, why) != 0)
        fail_msg("%s", why);
    return store;
}

/* A session of a connection that comes to its end. */
static SSL_SESSION *session_of(struct tls_store *store, const struct pair_wish *wish)
{
    SSL_SESSION *session;
    struct pair p;

    pair_ready(&p, store, wish);
    session = pair_session(&p);
    pair_close(&p);
    return session;
}

/* Is it resumed? The new session takes its place. */
static bool resumes(struct tls_store *store, struct pair_wish wish, SSL_SESSION **session)
{
    struct pair p;
    bool resumed;

    wish.session = *session;
    pair_ready(&p, store, &wish);
    resumed = tls_info(p.t)->resumed;
    assert_int_equal(resumed, SSL_session_reused(p.client));
    SSL_SESSION_free(*session);
    *session = pair_session(&p);
    pair_close(&p);
    return resumed;
}

static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void tickets_are_good_in_all_stores(void **state)
{
    struct tls_store *one = store_with(tickets), *other = store_with(tickets);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct pair_wish wish = { .name = "b.test", .version_max = versions[v] };
        SSL_SESSION *session = session_of(one, &wish);

        assert_non_null(session);
        for (int i = 0; i < 3; i++)
            assert_true(resumes(i % 2 ? one : other, wish, &session));
        SSL_SESSION_free(session);
    }
    tls_store_release(&one);
    tls_store_release(&other);
}

static void a_ticket_is_good_for_one_name(void **state)
{
    struct tls_store *store = store_with(tickets);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        SSL_SESSION *session = session_of(store, &(struct pair_wish){ .name = "b.test", .version_max = versions[v] });
        SSL_SESSION *same = SSL_SESSION_dup(session), *none = SSL_SESSION_dup(session);

        assert_false(resumes(store, (struct pair_wish){ .name = "a.test", .version_max = versions[v] }, &session));
        assert_false(resumes(store, (struct pair_wish){ .version_max = versions[v] }, &none));
        assert_true(resumes(store, (struct pair_wish){ .name = "B.TEST.", .version_max = versions[v] }, &same));
        SSL_SESSION_free(session);
        SSL_SESSION_free(same);
        SSL_SESSION_free(none);
    }
    tls_store_release(&store);
}

static void keys_of_others_are_not_taken(void **state)
{
    struct tls_tickets *theirs = tls_tickets_new();
    struct tls_store *store = store_with(tickets), *other = store_with(theirs);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct pair_wish wish = { .name = "b.test", .version_max = versions[v] };
        SSL_SESSION *session = session_of(store, &wish);

        assert_false(resumes(other, wish, &session));
        assert_true(resumes(other, wish, &session));
        SSL_SESSION_free(session);
    }
    /* In any order. */
    tls_tickets_release(&theirs);
    assert_null(theirs);
    tls_store_release(&store);
    tls_store_release(&other);
}

static void the_key_before_is_taken(void **state)
{
    struct tls_store *store = store_with(tickets);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct pair_wish wish = { .version_max = versions[v] };
        uint64_t now_s = 1000 + 1000 * v;
        SSL_SESSION *first, *renewed, *kept, *late;

        tls_tickets_rotate(tickets, now_s, LIFETIME_S);
        first = session_of(store, &wish);
        kept = SSL_SESSION_dup(first);
        late = SSL_SESSION_dup(first);
        renewed = SSL_SESSION_dup(first);
        /* Not old enough. */
        tls_tickets_rotate(tickets, now_s + LIFETIME_S / 2, LIFETIME_S);
        tls_tickets_rotate(tickets, now_s + LIFETIME_S / 2, LIFETIME_S);
        assert_true(resumes(store, wish, &first));
        tls_tickets_rotate(tickets, now_s + LIFETIME_S / 2 + 1, LIFETIME_S);
        assert_true(resumes(store, wish, &renewed));
        tls_tickets_rotate(tickets, now_s + LIFETIME_S / 2 + 1, LIFETIME_S);
        assert_true(resumes(store, wish, &kept));
        tls_tickets_rotate(tickets, now_s + LIFETIME_S + 2, LIFETIME_S);
        assert_false(resumes(store, wish, &late));
        /* What was replaced is sealed with the second key. */
        assert_true(resumes(store, wish, &renewed));
        SSL_SESSION_free(first);
        SSL_SESSION_free(renewed);
        SSL_SESSION_free(kept);
        SSL_SESSION_free(late);
    }
    tls_store_release(&store);
}

static void without_tickets_nothing_is_resumed(void **state)
{
    struct tls_store *store = store_with(NULL);

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct pair_wish wish = { .version_max = versions[v] };
        struct pair p;

        pair_ready(&p, store, &wish);
        assert_true(p.session == NULL || !SSL_SESSION_is_resumable(p.session));
        pair_close(&p);
    }
    tls_store_release(&store);
}

static void tickets_outlive_new_files(void **state)
{
    struct tls_store *store = store_with(tickets);
    struct pair_wish wish = { .name = "b.test" };
    SSL_SESSION *session = session_of(store, &wish);
    struct made fresh = made_certificate(&(struct made_wish){ .name = "b.test" });

    (void)state;
    made_files("b", &fresh);
    assert_int_equal(tls_store_refresh(store, why), 1);
    assert_true(resumes(store, wish, &session));
    SSL_SESSION_free(session);
    made_free(&fresh);
    tls_store_release(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tickets_are_good_in_all_stores, tickets_make, tickets_forget),
        cmocka_unit_test_setup_teardown(a_ticket_is_good_for_one_name, tickets_make, tickets_forget),
        cmocka_unit_test_setup_teardown(keys_of_others_are_not_taken, tickets_make, tickets_forget),
        cmocka_unit_test_setup_teardown(the_key_before_is_taken, tickets_make, tickets_forget),
        cmocka_unit_test(without_tickets_nothing_is_resumed),
        cmocka_unit_test_setup_teardown(tickets_outlive_new_files, tickets_make, tickets_forget),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
