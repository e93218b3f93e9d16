#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls_client.h"
#include "tls_ends.h"

/* Of the library's own allocations, one fails: the n-th from when it is set. */
static unsigned long until_failure;

static bool fails(void)
{
    return until_failure > 0 && --until_failure == 0;
}

static void *try_malloc(size_t bytes, const char *file, int line)
{
    (void)file, (void)line;
    return fails() ? NULL : malloc(bytes);
}

static void *try_realloc(void *old, size_t bytes, const char *file, int line)
{
    (void)file, (void)line;
    return bytes > 0 && fails() ? NULL : realloc(old, bytes);
}

static void give_back(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

/* The library takes what it cannot unpack or compare for the certificate's fault. */
static bool is_excuse(enum reason r)
{
    return r == R_worker_memory_exhausted || r == R_upstream_tls_handshake || r == R_upstream_tls_certificate;
}

static void foreign_turn(struct ends *e)
{
    unsigned long left = until_failure;

    until_failure = 0;
    assert_int_equal(ERR_peek_error(), 0);
    ends_foreign_turn(e->foreign);
    ERR_clear_error();
    until_failure = left;
}

/* As far as one comes in a few turns, with the sessions behind the handshake. */
static void go(struct ends *e)
{
    enum tls_step step = TLS_WANTS_READ;
    char nothing[1];

    for (int i = 0; i < 4 && step == TLS_WANTS_READ; i++) {
        step = tls_handshake(e->client);
        foreign_turn(e);
    }
    if (step == TLS_READY)
        assert_true(tls_read(e->client, nothing, sizeof nothing) < 0);
}

static void foreign_open(struct ends *e, SSL_CTX *server)
{
    int fds[2];

    *e = (struct ends){ 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    e->client_fd = fds[0];
    e->server_fd = fds[1];
    e->foreign = SSL_new(server);
    SSL_set_fd(e->foreign, e->server_fd);
    SSL_set_accept_state(e->foreign);
}

/* Did one fail? */
static bool connect_without(unsigned long nth, struct tls_client *client, SSL_CTX *server,
                            struct tls_session_slot *slot)
{
    struct ends e;
    bool failed;

    foreign_open(&e, server);
    until_failure = nth;
    e.client = tls_connect(client, e.client_fd, SPAN("a.test"), slot);
    if (e.client != NULL)
        go(&e);
    failed = until_failure == 0;
    until_failure = 0;
    if (e.client != NULL && tls_handshake(e.client) == TLS_FAILED && !is_excuse(tls_connect_failure(e.client)))
        fail_msg("%lu: %s: %.*s", nth, reason_info(tls_connect_failure(e.client))->name, (int)tls_error(e.client).n,
                 tls_error(e.client).p);
    ends_close(&e);
    return failed;
}

static void connecting_survives_want_of_memory(void **state)
{
    struct tls_client *client = ends_client_usual();
    SSL_CTX *server = ends_foreign();
    struct tls_session_slot slot = { 0 };
    unsigned long nth = 1;

    (void)state;
    for (; connect_without(nth, client, server, &slot); nth += nth < 100 ? 1 : 61)
        tls_session_drop(&slot);
    assert_true(nth > 100);
    assert_non_null(slot.session);
    for (nth = 1; connect_without(nth, client, server, &slot); nth += 31)
        assert_true(nth < 10000);
    tls_session_drop(&slot);
    SSL_CTX_free(server);
    tls_client_release(&client);
}

static void setting_up_survives_want_of_memory(void **state)
{
    const struct tls_client_settings settings = { .ca = ends_site.root_path,
                                                  .certificate = ends_site.files.certificate,
                                                  .key = ends_site.files.key,
                                                  .version_min = TLS1_2_VERSION,
                                                  .verify = true,
                                                  .alpn = true };
    char why[TLS_WHY_BYTES];
    bool failed = true;

    (void)state;
    for (unsigned long nth = 1; failed; nth += nth < 50 ? 1 : 17) {
        struct tls_client *client = NULL;
        int error;

        why[0] = '\0';
        until_failure = nth;
        error = tls_client_new(&settings, &client, why);
        failed = until_failure == 0;
        until_failure = 0;
        assert_true(error == 0 || error == -ENOMEM || error == -EINVAL);
        assert_int_equal(error == 0, client != NULL);
        assert_int_equal(error == 0, why[0] == '\0');
        assert_int_equal(ERR_peek_error(), 0);
        tls_client_release(&client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_survives_want_of_memory),
        cmocka_unit_test(setting_up_survives_want_of_memory),
    };

    if (CRYPTO_set_mem_functions(try_malloc, try_realloc, give_back) != 1)
        return 1;
    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
