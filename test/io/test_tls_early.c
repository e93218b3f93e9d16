#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define EARLY_BYTES 60000u
#define BIG_BYTES   (2u << 20)

static struct made made[2], root;
static struct tls_files files[2];
static struct tls_tickets *tickets;
static struct tls_store *store, *without;
static struct tls_clients *clients;
static char why[TLS_WHY_BYTES], buffer[EARLY_BYTES];

static struct tls_store *store_of(uint32_t early_data_bytes)
{
    const struct tls_store_settings settings = { .certificates = files,
                                                 .certificate_count = 2,
                                                 .version_min = TLS1_2_VERSION,
                                                 .early_data_bytes = early_data_bytes,
                                                 .tickets = tickets,
                                                 .h2 = true };
    struct tls_store *s = NULL;

    if (tls_store_new(&settings, &s, why) != 0)
        fail_msg("%s", why);
    return s;
}

static int setup(void **state)
{
    (void)state;
    made_folder();
    made[0] = made_certificate(&(struct made_wish){ .name = "a.test" });
    made[1] = made_certificate(&(struct made_wish){ .name = "b.test" });
    root = made_certificate(&(struct made_wish){ .name = "root", .authority = true });
    files[0] = made_files("a", &made[0]);
    files[1] = made_files("b", &made[1]);
    tickets = tls_tickets_new();
    store = store_of(EARLY_BYTES);
    without = store_of(0);
    return tls_clients_new(made_write_certificate("root.pem", &root), NULL, &clients, why);
}

static int teardown(void **state)
{
    (void)state;
    tls_clients_release(&clients);
    tls_store_release(&store);
    tls_store_release(&without);
    tls_tickets_release(&tickets);
    made_free(&made[0]);
    made_free(&made[1]);
    made_free(&root);
    made_folder_remove();
    return 0;
}

static const struct pair_wish plain = { .name = "b.test", .alpn = "\x02h2" };

static SSL_SESSION *session_of(struct tls_store *s, const struct pair_wish *wish)
{
    SSL_SESSION *session;
    struct pair p;

    pair_ready(&p, s, wish);
    session = pair_session(&p);
    pair_close(&p);
    return session;
}

/* A connection that has sent early data, and whose server has not looked. */
static void open_early(struct pair *p, struct tls_store *s, SSL_SESSION *session, struct pair_wish wish,
                       struct span early)
{
    size_t n;

    wish.session = session;
    pair_open(p, s, &wish);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), EARLY_BYTES);
    assert_int_equal(SSL_write_early_data(p->client, early.p, early.n, &n), 1);
    assert_int_equal(n, early.n);
}

static void assert_read(struct pair *p, const char *text, bool early)
{
    assert_int_equal(tls_read(p->t, buffer, sizeof buffer), strlen(text));
    assert_memory_equal(buffer, text, strlen(text));
    assert_int_equal(tls_was_early(p->t), early);
}

static void client_finish(struct pair *p)
{
    assert_int_equal(SSL_do_handshake(p->client), 1);
}

static void early_data_is_answered_early(void **state)
{
    SSL_SESSION *session = session_of(store, &plain);
    struct pair p;

    (void)state;
    open_early(&p, store, session, plain, SPAN("early"));
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_true(tls_info(p.t)->resumed);
    assert_true(tls_info(p.t)->h2);
    assert_int_equal(tls_info(p.t)->version, TLS1_3_VERSION);
    assert_true(span_is(tls_info(p.t)->server_name, SPAN("b.test")));
    assert_true(tls_has_more(p.t));
    assert_int_equal(tls_read(p.t, buffer, 2), 2);
    assert_true(tls_has_more(p.t));
    assert_read(&p, "rly", true);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EAGAIN);
    assert_false(tls_has_more(p.t));
    pair_write(&p, SPAN("answer"));
    assert_false(tls_kernel_sends(p.t));
    client_finish(&p);
    assert_int_equal(pair_client_read(&p, buffer, sizeof buffer), 6);
    assert_int_equal(SSL_get_early_data_status(p.client), SSL_EARLY_DATA_ACCEPTED);
    pair_client_write(&p, SPAN("late"));
    assert_read(&p, "late", false);
    pair_write(&p, SPAN("again"));
    assert_int_equal(pair_client_read(&p, buffer, sizeof buffer), 5);
    assert_non_null(p.session);
    tls_say_end(p.t);
    assert_int_equal(pair_client_read(&p, buffer, sizeof buffer), 0);
    assert_int_equal(SSL_get_shutdown(p.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    SSL_SESSION_free(session);
    /* The session of this connection is as good as that of the first. */
    session = pair_session(&p);
    pair_close(&p);
    open_early(&p, store, session, plain, SPAN("more"));
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_read(&p, "more", true);
    SSL_SESSION_free(session);
    pair_close(&p);
}

static void early_data_may_be_long(void **state)
{
    SSL_SESSION *session = session_of(store, &plain);
    char *sent = malloc(EARLY_BYTES);
    size_t got = 0, n;
    struct pair p;
    long some;

    (void)state;
    memset(sent, 'e', EARLY_BYTES);
    open_early(&p, store, session, plain, (struct span){ sent, EARLY_BYTES / 2 });
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    while ((some = tls_read(p.t, buffer, 10000)) > 0) {
        got += (size_t)some;
        assert_true(tls_was_early(p.t));
    }
    assert_int_equal(some, -EAGAIN);
    assert_int_equal(got, EARLY_BYTES / 2);
    assert_int_equal(SSL_write_early_data(p.client, "!", 1, &n), 1);
    assert_read(&p, "!", true);
    client_finish(&p);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EAGAIN);
    pair_client_write(&p, SPAN("late"));
    assert_read(&p, "late", false);
    free(sent);
    SSL_SESSION_free(session);
    pair_close(&p);
}

static void a_replay_is_refused(void **state)
{
    SSL_SESSION *session = session_of(store, &plain), *again = SSL_SESSION_dup(session);
    struct pair first, second, copied;
    char flight[4096];
    ssize_t n;

    (void)state;
    open_early(&first, store, session, plain, SPAN("early"));
    n = recv(first.server_fd, flight, sizeof flight, MSG_PEEK);
    assert_true(n > 0);
    assert_int_equal(tls_handshake(first.t), TLS_READY);
    assert_read(&first, "early", true);
    /* The same bytes, as somebody between would send them. */
    pair_open(&copied, store, &plain);
    assert_int_equal(write(copied.client_fd, flight, (size_t)n), n);
    assert_int_equal(tls_handshake(copied.t), TLS_WANTS_READ);
    /* The same session, by the client itself: it learns that nothing was read, and sends it again. */
    open_early(&second, store, again, plain, SPAN("early"));
    assert_int_equal(tls_handshake(second.t), TLS_WANTS_READ);
    client_finish(&second);
    assert_int_equal(tls_handshake(second.t), TLS_READY);
    assert_false(tls_info(second.t)->resumed);
    assert_int_equal(SSL_get_early_data_status(second.client), SSL_EARLY_DATA_REJECTED);
    assert_int_equal(tls_read(second.t, buffer, sizeof buffer), -EAGAIN);
    pair_client_write(&second, SPAN("late"));
    assert_read(&second, "late", false);
    SSL_SESSION_free(session);
    SSL_SESSION_free(again);
    pair_close(&first);
    pair_close(&second);
    pair_close(&copied);
}

/* Sent where it is not taken: the connection goes on without it. */
static void assert_refused(struct tls_store *s, struct pair_wish wish)
{
    SSL_SESSION *session = session_of(store, &plain);
    char *sent = calloc(1, EARLY_BYTES);
    struct pair p;

    open_early(&p, s, session, wish, (struct span){ sent, EARLY_BYTES });
    assert_int_equal(tls_handshake(p.t), TLS_WANTS_READ);
    client_finish(&p);
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_false(tls_info(p.t)->resumed);
    assert_int_equal(SSL_get_early_data_status(p.client), SSL_EARLY_DATA_REJECTED);
    pair_client_write(&p, SPAN("late"));
    assert_read(&p, "late", false);
    free(sent);
    SSL_SESSION_free(session);
    pair_close(&p);
}

static void early_data_is_not_taken_everywhere(void **state)
{
    struct pair_wish wish = plain;

    (void)state;
    assert_refused(without, plain);
    wish.clients = clients;
    assert_refused(store, wish);
}

static void clients_that_are_asked_are_promised_nothing(void **state)
{
    struct made client = made_certificate(&(struct made_wish){ .name = "client", .issuer = &root });
    struct pair_wish wish = { .clients = clients, .certificate = client.x, .key = client.key };
    SSL_SESSION *session = session_of(store, &wish);
    struct pair p;

    (void)state;
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
    wish.session = session;
    pair_ready(&p, store, &wish);
    assert_true(tls_info(p.t)->resumed);
    assert_int_equal(tls_info(p.t)->client_certificate, R_NONE);
    pair_close(&p);
    SSL_SESSION_free(session);
    session = session_of(without, &plain);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
    SSL_SESSION_free(session);
    made_free(&client);
}

static void a_store_that_takes_it_serves_others(void **state)
{
    struct pair_wish wish = { .name = "b.test", .version_max = TLS1_2_VERSION };
    SSL_SESSION *session = session_of(store, &wish);
    struct pair p;

    (void)state;
    wish.session = session;
    pair_ready(&p, store, &wish);
    assert_true(tls_info(p.t)->resumed);
    pair_client_write(&p, SPAN("late"));
    assert_read(&p, "late", false);
    pair_close(&p);
    SSL_SESSION_free(session);
    session = session_of(store, &plain);
    wish = plain;
    wish.session = session;
    /* Resumed, and nothing is sent early. */
    pair_ready(&p, store, &wish);
    assert_true(tls_info(p.t)->resumed);
    pair_client_write(&p, SPAN("late"));
    assert_read(&p, "late", false);
    pair_close(&p);
    SSL_SESSION_free(session);
}

static void sessions_outlive_new_files(void **state)
{
    SSL_SESSION *session = session_of(store, &plain);
    struct pair p;

    (void)state;
    made_files("a", &made[0]);
    assert_int_equal(tls_store_refresh(store, why), 1);
    open_early(&p, store, session, plain, SPAN("early"));
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_read(&p, "early", true);
    SSL_SESSION_free(session);
    pair_close(&p);
}

/*
 * An answer that is much longer than the socket has room for. finish_after: how many bytes are taken when the client's
 * Finished comes, be the socket full or not.
 */
static void answer_long(size_t finish_after, size_t piece_bytes)
{
    SSL_SESSION *session = session_of(store, &plain);
    char *sent = malloc(BIG_BYTES), *got = malloc(BIG_BYTES);
    size_t taken = 0, got_bytes = 0;
    bool finished = false;
    struct pair p;

    for (size_t i = 0; i < BIG_BYTES; i++)
        sent[i] = (char)(i * 31 / 7);
    open_early(&p, store, session, plain, SPAN("early"));
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_read(&p, "early", true);
    while (taken < BIG_BYTES) {
        size_t some = BIG_BYTES - taken < piece_bytes ? BIG_BYTES - taken : piece_bytes;
        long n = tls_write(p.t, &(struct iovec){ sent + taken, some }, 1);

        assert_true(n > 0 || n == -EAGAIN);
        taken += n > 0 ? (size_t)n : 0;
        if (!finished && taken >= finish_after && (n == -EAGAIN || finish_after == 0)) {
            client_finish(&p);
            assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EAGAIN);
            finished = true;
        }
        if (n == -EAGAIN && finished)
            got_bytes += pair_client_read(&p, got + got_bytes, 50000);
        else if (n == -EAGAIN)
            SSL_do_handshake(p.client);
    }
    while (got_bytes < BIG_BYTES) {
        size_t some = pair_client_read(&p, got + got_bytes, BIG_BYTES - got_bytes);

        assert_true(some > 0);
        got_bytes += some;
    }
    assert_memory_equal(sent, got, BIG_BYTES);
    pair_client_write(&p, SPAN("late"));
    assert_read(&p, "late", false);
    pair_write(&p, SPAN("bye"));
    assert_int_equal(pair_client_read(&p, got, BIG_BYTES), 3);
    assert_non_null(p.session);
    free(sent);
    free(got);
    SSL_SESSION_free(session);
    pair_close(&p);
}

static void a_long_answer_waits_for_room(void **state)
{
    (void)state;
    answer_long(0, 20000);
    answer_long(1, 20000);
    answer_long(1, 3000);
    answer_long(50000, 16384);
}

/* All but the last record fits: its bytes are not told as taken before the socket has them. */
static void what_is_taken_is_sent(void **state)
{
    SSL_SESSION *session = session_of(store, &plain);
    char piece[3000] = { 0 };
    size_t taken = 0, got = 0, some;
    struct pair p;
    long n;

    (void)state;
    open_early(&p, store, session, plain, SPAN("early"));
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_read(&p, "early", true);
    while ((n = tls_write(p.t, &(struct iovec){ piece, sizeof piece }, 1)) > 0)
        taken += (size_t)n;
    assert_int_equal(n, -EAGAIN);
    assert_int_equal(tls_write(p.t, &(struct iovec){ piece, sizeof piece }, 1), -EAGAIN);
    client_finish(&p);
    while ((some = pair_client_read(&p, buffer, sizeof buffer)) > 0)
        got += some;
    assert_int_equal(got, taken);
    assert_int_equal(tls_write(p.t, &(struct iovec){ piece, sizeof piece }, 1), sizeof piece);
    assert_int_equal(pair_client_read(&p, buffer, sizeof buffer), sizeof piece);
    SSL_SESSION_free(session);
    pair_close(&p);
}

static void a_client_may_leave_early(void **state)
{
    SSL_SESSION *session = session_of(store, &plain);
    char answer[] = "answer";
    struct pair p;

    (void)state;
    open_early(&p, store, session, plain, SPAN("early"));
    shutdown(p.client_fd, SHUT_WR);
    assert_int_equal(tls_handshake(p.t), TLS_READY);
    assert_read(&p, "early", true);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 0);
    assert_false(tls_has_more(p.t));
    close(p.client_fd);
    assert_int_equal(tls_write(p.t, &(struct iovec){ answer, 6 }, 1), -EPIPE);
    tls_say_end(p.t);
    p.client_fd = dup(p.server_fd);
    SSL_SESSION_free(session);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_data_is_answered_early),
        cmocka_unit_test(early_data_may_be_long),
        cmocka_unit_test(a_replay_is_refused),
        cmocka_unit_test(early_data_is_not_taken_everywhere),
        cmocka_unit_test(clients_that_are_asked_are_promised_nothing),
        cmocka_unit_test(a_store_that_takes_it_serves_others),
        cmocka_unit_test(sessions_outlive_new_files),
        cmocka_unit_test(a_long_answer_waits_for_room),
        cmocka_unit_test(what_is_taken_is_sent),
        cmocka_unit_test(a_client_may_leave_early),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
