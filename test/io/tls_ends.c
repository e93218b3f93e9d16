#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_ends.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS 50

struct ends_site ends_site;
static char why[TLS_WHY_BYTES];

int ends_setup(void **state)
{
    (void)state;
    made_folder();
    ends_site.root = made_certificate(&(struct made_wish){ .name = "the root", .authority = true });
    ends_site.between =
        made_certificate(&(struct made_wish){ .name = "between", .issuer = &ends_site.root, .authority = true });
    ends_site.leaf =
        made_certificate(&(struct made_wish){ .name = "c.test",
                                              .alternatives = "DNS:a.test,DNS:*.b.test,IP:127.0.0.1,IP:::1",
                                              .issuer = &ends_site.between });
    ends_site.root_path = made_write_certificate("root.pem", &ends_site.root);
    ends_site.files = (struct tls_files){
        .certificate =
            made_write_chain("leaf.pem", (const struct made *const[]){ &ends_site.leaf, &ends_site.between, NULL }),
        .key = made_write_key("leaf.key", &ends_site.leaf)
    };
    return 0;
}

int ends_teardown(void **state)
{
    (void)state;
    made_free(&ends_site.leaf);
    made_free(&ends_site.between);
    made_free(&ends_site.root);
    made_folder_remove();
    return 0;
}

struct tls_client *ends_client(const struct tls_client_settings *wish)
{
    struct tls_client_settings settings = *wish;
    struct tls_client *c = NULL;

    if (settings.version_min == 0)
        settings.version_min = TLS1_2_VERSION;
    if (tls_client_new(&settings, &c, why) != 0)
        fail_msg("%s", why);
    return c;
}

struct tls_client *ends_client_usual(void)
{
    return ends_client(&(struct tls_client_settings){ .ca = ends_site.root_path, .verify = true });
}

struct tls_store *ends_store(const struct tls_files *shown, struct tls_tickets *tickets)
{
    const struct tls_store_settings settings = {
        .certificates = shown, .certificate_count = 1, .version_min = TLS1_2_VERSION, .tickets = tickets
    };
    struct tls_store *store = NULL;

    if (tls_store_new(&settings, &store, why) != 0)
        fail_msg("%s", why);
    return store;
}

SSL_CTX *ends_foreign(void)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());

    assert_int_equal(SSL_CTX_use_certificate_chain_file(c, ends_site.files.certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(c, ends_site.files.key, SSL_FILETYPE_PEM), 1);
    SSL_CTX_set_session_id_context(c, (const unsigned char *)"x", 1);
    return c;
}

void ends_open(struct ends *e, struct tls_client *client, struct span name, struct tls_session_slot *slot)
{
    int fds[2];

    *e = (struct ends){ 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    e->client_fd = fds[0];
    e->server_fd = fds[1];
    e->client = tls_connect(client, e->client_fd, name, slot);
    assert_non_null(e->client);
}

void ends_close(struct ends *e)
{
    tls_free(e->client);
    tls_free(e->server);
    if (e->foreign != NULL)
        SSL_set_shutdown(e->foreign, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(e->foreign);
    close(e->client_fd);
    close(e->server_fd);
}

const struct tls_clients *ends_choose(void *context, struct span server_name)
{
    (void)server_name;
    return ((struct ends *)context)->asked;
}

bool ends_foreign_turn(SSL *s)
{
    ERR_clear_error();
    return SSL_do_handshake(s) == 1 || SSL_get_error(s, -1) != SSL_ERROR_WANT_READ;
}

/* By turns, until neither goes on. */
static enum tls_step shake(struct ends *e)
{
    enum tls_step step = TLS_WANTS_READ, other = TLS_WANTS_READ;

    for (int i = 0; i < TURNS && (step == TLS_WANTS_READ || other == TLS_WANTS_READ); i++) {
        step = tls_handshake(e->client);
        if (e->server != NULL)
            other = tls_handshake(e->server);
        else
            other = ends_foreign_turn(e->foreign) ? TLS_READY : TLS_WANTS_READ;
    }
    return step;
}

enum tls_step ends_shake(struct ends *e, struct tls_store *store)
{
    e->server = tls_new(store, e->server_fd, ends_choose, e);
    assert_non_null(e->server);
    return shake(e);
}

enum tls_step ends_shake_foreign(struct ends *e, SSL_CTX *context)
{
    e->foreign = SSL_new(context);
    SSL_set_fd(e->foreign, e->server_fd);
    SSL_set_accept_state(e->foreign);
    return shake(e);
}

void ends_assert_text(struct span is, const char *text)
{
    if (!span_is(is, span_of(text)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)is.n, is.p, text);
}

void ends_assert_failure(const struct ends *e, enum reason reason, const char *text)
{
    ends_assert_text(tls_error(e->client), text);
    assert_string_equal(reason_info(tls_connect_failure(e->client))->name, reason_info(reason)->name);
}
