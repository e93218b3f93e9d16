#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls.h"
#include "tls_made.h"
#include "tls_pair.h"

#define BIG_BYTES (4u << 20)

static struct made made;
static struct tls_files files;
static struct tls_store *store;
static char why[TLS_WHY_BYTES];

static int setup(void **state)
{
    const struct tls_store_settings settings = { .certificates = &files,
                                                 .certificate_count = 1,
                                                 .version_min = TLS1_2_VERSION };

    (void)state;
    made_folder();
    made = made_certificate(&(struct made_wish){ .name = "a.test" });
    files = made_files("a", &made);
    return tls_store_new(&settings, &store, why);
}

static int teardown(void **state)
{
    (void)state;
    tls_store_release(&store);
    made_free(&made);
    made_folder_remove();
    return 0;
}

static void assert_error(const struct pair *p, const char *text)
{
    struct span error = tls_error(p->t);

    if (!span_is(error, span_of(text)))
        fail_msg("%.*s", (int)error.n, error.p);
}

static void a_reset_is_told(void **state)
{
    char buffer[16] = { 0 };
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    /* Closed with bytes unread, this kind of socket is reset. */
    pair_write(&p, SPAN("unread"));
    close(p.client_fd);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -ECONNRESET);
    assert_error(&p, "Connection reset by peer");
    assert_int_equal(tls_write(p.t, &(struct iovec){ buffer, 1 }, 1), -EPROTO);
    assert_false(tls_has_more(p.t));
    p.client_fd = dup(p.server_fd);
    pair_close(&p);
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    close(p.client_fd);
    assert_int_equal(tls_write(p.t, &(struct iovec){ buffer, 1 }, 1), -EPIPE);
    p.client_fd = dup(p.server_fd);
    pair_close(&p);
}

static void broken_records_are_told(void **state)
{
    char buffer[16];
    struct pair p, other;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    pair_ready(&other, store, &(struct pair_wish){ 0 });
    assert_int_equal(write(p.client_fd,
                           "\x17\x03\x03\x00\x14"
                           "01234567890123456789",
                           25),
                     25);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EPROTO);
    assert_error(&p, "decryption failed or bad record mac");
    pair_client_write(&other, SPAN("fine"));
    assert_int_equal(tls_read(other.t, buffer, sizeof buffer), 4);
    pair_close(&p);
    pair_close(&other);
}

static void ends_are_told(void **state)
{
    char buffer[16];
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    SSL_shutdown(p.client);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 0);
    pair_write(&p, SPAN("after"));
    tls_say_end(p.t);
    assert_int_equal(pair_client_read(&p, buffer, sizeof buffer), 5);
    assert_int_equal(SSL_get_shutdown(p.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    pair_close(&p);
    pair_ready(&p, store, &(struct pair_wish){ .version_max = TLS1_2_VERSION });
    shutdown(p.client_fd, SHUT_WR);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 0);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 0);
    pair_close(&p);
}

static void renegotiation_is_refused(void **state)
{
    char buffer[16];
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ .version_max = TLS1_2_VERSION });
    assert_int_equal(SSL_renegotiate(p.client), 1);
    SSL_do_handshake(p.client);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EAGAIN);
    assert_int_equal(SSL_do_handshake(p.client), -1);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
    pair_close(&p);
}

static void two_records_of_one_segment_are_read(void **state)
{
    char buffer[64];
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    assert_false(tls_has_more(p.t));
    pair_client_write(&p, SPAN("first"));
    pair_client_write(&p, SPAN("second"));
    assert_int_equal(tls_read(p.t, buffer, 2), 2);
    assert_true(tls_has_more(p.t));
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 3);
    assert_memory_equal(buffer, "rst", 3);
    assert_true(tls_has_more(p.t));
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 6);
    assert_false(tls_was_early(p.t));
    assert_false(tls_has_more(p.t));
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EAGAIN);
    assert_false(tls_has_more(p.t));
    pair_client_write(&p, SPAN("third"));
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 5);
    pair_close(&p);
}

/* The second was here already: reading it tells nothing of what has come to the socket. */
static void what_came_behind_two_records_is_not_forgotten(void **state)
{
    char buffer[64];
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    pair_client_write(&p, SPAN("first"));
    pair_client_write(&p, SPAN("second"));
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 5);
    pair_client_write(&p, SPAN("third"));
    tls_socket_ready(p.t);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 6);
    assert_true(tls_has_more(p.t));
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 5);
    assert_false(tls_has_more(p.t));
    pair_close(&p);
}

static void half_a_record_is_waited_for(void **state)
{
    char record[64], buffer[64];
    ssize_t n;
    struct pair p;
    int between[2];

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, between), 0);
    SSL_set_fd(p.client, between[0]);
    pair_client_write(&p, SPAN("first"));
    n = read(between[1], record, sizeof record);
    assert_true(n > 10);
    assert_int_equal(write(p.client_fd, record, 10), 10);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), -EAGAIN);
    assert_false(tls_has_more(p.t));
    assert_int_equal(write(p.client_fd, record + 10, (size_t)n - 10), n - 10);
    assert_int_equal(tls_read(p.t, buffer, sizeof buffer), 5);
    close(between[0]);
    close(between[1]);
    pair_close(&p);
}

/* Much more than one recv() takes: all of it comes by asking while there is more. */
static void much_is_read(void **state)
{
    char *sent = calloc(1, 100000), buffer[4096];
    size_t got = 0;
    long n;
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    pair_client_write(&p, (struct span){ sent, 100000 });
    while ((n = tls_read(p.t, buffer, sizeof buffer)) > 0) {
        got += (size_t)n;
        assert_true(tls_has_more(p.t) || got == 100000);
    }
    assert_int_equal(n, -EAGAIN);
    assert_int_equal(got, 100000);
    free(sent);
    pair_close(&p);
}

static void parts_are_gathered(void **state)
{
    char *big = malloc(40000), *got = malloc(40000);
    struct iovec parts[] = { { (void *)"one ", 4 }, { NULL, 0 }, { (void *)"two ", 4 }, { big, 30000 } };
    struct pair p;

    (void)state;
    memset(big, 'x', 40000);
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    assert_int_equal(tls_write(p.t, parts, 4), TLS_RECORD_BYTES);
    assert_int_equal(pair_client_read(&p, got, 40000), TLS_RECORD_BYTES);
    assert_memory_equal(got, "one two xxx", 11);
    assert_int_equal(got[TLS_RECORD_BYTES - 1], 'x');
    assert_int_equal(tls_write(p.t, parts, 3), 8);
    assert_int_equal(tls_write(p.t, parts + 2, 1), 4);
    assert_int_equal(tls_write(p.t, parts + 3, 1), 30000);
    assert_int_equal(pair_client_read(&p, got, 40000), 12 + 30000);
    assert_memory_equal(got, "one two two xxx", 15);
    free(big);
    free(got);
    pair_close(&p);
}

/* A copy elsewhere, in two parts. */
static long write_moved(struct tls *t, const char *from, size_t bytes, size_t cut)
{
    char *moved = malloc(bytes);
    struct iovec parts[2] = { { moved, cut < bytes ? cut : 0 }, { moved, bytes } };
    long n;

    memcpy(moved, from, bytes);
    parts[1].iov_base = moved + parts[0].iov_len;
    parts[1].iov_len -= parts[0].iov_len;
    n = tls_write(t, parts, 2);
    free(moved);
    return n;
}

/* The bytes that have no room come again from another place, cut into other parts, with more behind them or less. */
static void a_full_socket_is_written_to_again(void **state)
{
    char *sent = malloc(BIG_BYTES), *got = malloc(BIG_BYTES);
    size_t taken = 0, read_bytes = 0;
    unsigned again = 0, full = 0;
    struct pair p;

    (void)state;
    for (size_t i = 0; i < BIG_BYTES; i++)
        sent[i] = (char)(i * 31 / 7);
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    for (unsigned turn = 0; taken < BIG_BYTES; turn++) {
        size_t left = BIG_BYTES - taken, some = again % 2 == 1 ? 20000 : 5000;
        long n = write_moved(p.t, sent + taken, some < left ? some : left, turn % 97);

        assert_true(n > 0 || n == -EAGAIN);
        taken += n > 0 ? (size_t)n : 0;
        again = n > 0 ? 0 : again + 1;
        full += n == -EAGAIN;
        /* Room for less than a record now and then. */
        if (n == -EAGAIN)
            read_bytes += pair_client_read(&p, got + read_bytes, 100 + turn % 7 * 5000);
    }
    while (read_bytes < BIG_BYTES)
        read_bytes += pair_client_read(&p, got + read_bytes, BIG_BYTES - read_bytes);
    assert_true(full > 10);
    assert_memory_equal(sent, got, BIG_BYTES);
    free(sent);
    free(got);
    pair_close(&p);
}

static void kernel_does_not_send_here(void **state)
{
    struct pair p;

    (void)state;
    pair_ready(&p, store, &(struct pair_wish){ 0 });
    /* Over a socketpair never, whatever the kernel has. */
    assert_false(tls_kernel_sends(p.t));
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reset_is_told),
        cmocka_unit_test(broken_records_are_told),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(renegotiation_is_refused),
        cmocka_unit_test(two_records_of_one_segment_are_read),
        cmocka_unit_test(what_came_behind_two_records_is_not_forgotten),
        cmocka_unit_test(half_a_record_is_waited_for),
        cmocka_unit_test(much_is_read),
        cmocka_unit_test(parts_are_gathered),
        cmocka_unit_test(a_full_socket_is_written_to_again),
        cmocka_unit_test(kernel_does_not_send_here),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
