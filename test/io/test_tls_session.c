#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "io/tls_client.h"
#include "tls_ends.h"
#include "tls_made.h"

/* The client reads the sessions that came. */
static void read_nothing(struct ends *e)
{
    char buffer[16];

    assert_int_equal(tls_read(e->client, buffer, sizeof buffer), -EAGAIN);
}

static void assert_resumed(struct tls_client *client, struct tls_store *store, struct span name,
                           struct tls_session_slot *slot, bool resumed)
{
    struct ends e;

    ends_open(&e, client, name, slot);
    assert_int_equal(ends_shake(&e, store), TLS_READY);
    assert_int_equal(tls_info(e.client)->resumed, resumed);
    assert_int_equal(tls_info(e.server)->resumed, resumed);
    read_nothing(&e);
    ends_close(&e);
}

static void sessions_are_resumed(void **state)
{
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_store *store = ends_store(&ends_site.files, tickets);
    struct tls_client *client = ends_client_usual(), *other = ends_client_usual();
    struct tls_session_slot slot = { 0 };

    (void)state;
    assert_resumed(client, store, SPAN("a.test"), &slot, false);
    assert_non_null(slot.session);
    assert_resumed(client, store, SPAN("a.test"), &slot, true);
    assert_resumed(client, store, SPAN("A.test."), &slot, true);
    assert_resumed(client, store, SPAN("a.test"), NULL, false);
    assert_resumed(client, store, SPAN("x.b.test"), &slot, false);
    assert_resumed(client, store, SPAN("x.b.test"), &slot, true);
    assert_resumed(other, store, SPAN("x.b.test"), &slot, false);
    assert_resumed(other, store, SPAN("x.b.test"), &slot, true);
    assert_resumed(other, store, SPAN("127.0.0.1"), &slot, false);
    assert_resumed(other, store, SPAN("127.0.0.1"), &slot, true);
    tls_session_drop(&slot);
    assert_null(slot.session);
    tls_session_drop(&slot);
    assert_resumed(other, store, SPAN("127.0.0.1"), &slot, false);
    tls_session_drop(&slot);
    tls_store_release(&store);
    tls_tickets_release(&tickets);
    tls_client_release(&client);
    tls_client_release(&other);
}

/* Of one session, at the same time. */
static void connections_share_a_session(void **state)
{
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_store *store = ends_store(&ends_site.files, tickets);
    struct tls_client *client = ends_client_usual();
    struct tls_session_slot slot = { 0 };
    struct ends e[3];

    (void)state;
    assert_resumed(client, store, SPAN("a.test"), &slot, false);
    for (int i = 0; i < 3; i++) {
        ends_open(&e[i], client, SPAN("a.test"), &slot);
        assert_int_equal(tls_handshake(e[i].client), TLS_WANTS_READ);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ends_shake(&e[i], store), TLS_READY);
        assert_true(tls_info(e[i].client)->resumed);
        read_nothing(&e[i]);
    }
    tls_session_drop(&slot);
    for (int i = 0; i < 3; i++)
        ends_close(&e[i]);
    tls_store_release(&store);
    tls_tickets_release(&tickets);
    tls_client_release(&client);
}

static void sessions_of_tls12_are_resumed(void **state)
{
    struct tls_client *client = ends_client_usual();
    struct tls_session_slot slot = { 0 };
    SSL_CTX *server = ends_foreign();
    struct ends e;

    (void)state;
    SSL_CTX_set_max_proto_version(server, TLS1_2_VERSION);
    for (int i = 0; i < 3; i++) {
        ends_open(&e, client, SPAN("a.test"), &slot);
        assert_int_equal(ends_shake_foreign(&e, server), TLS_READY);
        assert_int_equal(tls_info(e.client)->resumed, i > 0);
        ends_close(&e);
    }
    /* Another server at the same place knows nothing of it. */
    SSL_CTX_free(server);
    server = ends_foreign();
    ends_open(&e, client, SPAN("a.test"), &slot);
    assert_int_equal(ends_shake_foreign(&e, server), TLS_READY);
    assert_int_equal(tls_info(e.client)->version, TLS1_3_VERSION);
    assert_false(tls_info(e.client)->resumed);
    ends_close(&e);
    SSL_CTX_free(server);
    tls_session_drop(&slot);
    tls_client_release(&client);
}

static void a_session_ends_with_its_certificate(void **state)
{
    struct made brief = made_certificate(
        &(struct made_wish){ .alternatives = "DNS:a.test", .issuer = &ends_site.root, .from_s = -100, .until_s = 2 });
    struct tls_files of_brief = made_files("brief", &brief);
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_store *store = ends_store(&of_brief, tickets);
    struct tls_client *client = ends_client_usual();
    struct tls_session_slot slot = { 0 };
    struct ends e;

    (void)state;
    assert_resumed(client, store, SPAN("a.test"), &slot, false);
    assert_resumed(client, store, SPAN("a.test"), &slot, true);
    sleep(3);
    ends_open(&e, client, SPAN("a.test"), &slot);
    assert_int_equal(ends_shake(&e, store), TLS_FAILED);
    ends_assert_failure(&e, R_upstream_tls_certificate, "certificate has expired");
    ends_close(&e);
    tls_session_drop(&slot);
    tls_store_release(&store);
    tls_tickets_release(&tickets);
    tls_client_release(&client);
    made_free(&brief);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(connections_share_a_session),
        cmocka_unit_test(sessions_of_tls12_are_resumed),
        cmocka_unit_test(a_session_ends_with_its_certificate),
    };

    return cmocka_run_group_tests(tests, ends_setup, ends_teardown);
}
