#include "io/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/check.h"
#include "io/tls_impl.h"

struct tls *tls_begin(SSL_CTX *context, int fd, bool kernel_sends)
{
    struct tls *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    t->fd = fd;
    t->records = 1;
    t->phase = TLS_SHAKES;
    ERR_clear_error();
    t->ssl = SSL_new(context);
    if (t->ssl != NULL && SSL_set_app_data(t->ssl, t) == 1 && tls_socket_attach(t, kernel_sends))
        return t;
    ERR_clear_error();
    tls_free(t);
    return NULL;
}

struct tls *tls_new(struct tls_store *store, int fd,
                    const struct tls_clients *(*choose)(void *context, struct span server_name), void *context)
{
    struct tls_set *set = tls_store_hold(store);
    struct tls *t = tls_begin(set->front, fd, set->kernel_sends);

    if (t == NULL) {
        tls_set_release(set);
        return NULL;
    }
    t->set = set;
    t->choose = choose;
    t->context = context;
    if (set->early_data_bytes > 0)
        t->phase = TLS_BEGINS;
    SSL_set_accept_state(t->ssl);
    return t;
}

void tls_free(struct tls *t)
{
    if (t == NULL)
        return;
    /* Else a session that ends without a word from us is forgotten. */
    if (t->ssl != NULL && t->phase != TLS_BROKEN)
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    tls_set_release(t->set);
    tls_early_fini(t);
    free(t->unsent.bytes);
    free(t->subject);
    free(t);
}

static void break_off(struct tls *t)
{
    tls_error_take(t);
    t->phase = TLS_BROKEN;
}

enum tls_step tls_failed(struct tls *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE:
        return TLS_WANTS_WRITE;
    default:
        break_off(t);
        return TLS_FAILED;
    }
}

long tls_stopped(struct tls *t, int result)
{
    int kind = SSL_get_error(t->ssl, result);

    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return -EAGAIN;
    /* The library says so also of writing, once the other side has said its end. */
    if (kind == SSL_ERROR_ZERO_RETURN && t->socket_error == 0)
        return 0;
    break_off(t);
    return t->socket_error != 0 ? -t->socket_error : -EPROTO;
}

enum tls_step tls_give_up(struct tls *t)
{
    tls_error_set(t, R_worker_memory_exhausted, SPAN("no memory"));
    t->phase = TLS_BROKEN;
    return TLS_FAILED;
}

static struct span subject_of(struct tls *t)
{
    t->subject = tls_clients_subject(t->ssl);
    return t->subject != NULL ? span_of(t->subject) : (struct span){ NULL, 0 };
}

bool tls_agree(struct tls *t)
{
    struct tls_info *i = &t->info;

    i->version = (uint16_t)SSL_version(t->ssl);
    i->version_name = span_of(SSL_get_version(t->ssl));
    i->cipher = span_of(SSL_get_cipher_name(t->ssl));
    i->resumed = SSL_session_reused(t->ssl) == 1;
    i->client_certificate = tls_clients_judge(i->clients, t->ssl);
    if (i->clients != NULL && i->client_certificate != R_client_cert_required)
        i->client_subject = subject_of(t);
    ERR_clear_error();
    return i->client_subject.p != NULL || i->clients == NULL || i->client_certificate == R_client_cert_required;
}

static enum tls_step shake(struct tls *t)
{
    int result = SSL_do_handshake(t->ssl);

    if (result != 1)
        return tls_failed(t, result);
    if (!tls_agree(t))
        return tls_give_up(t);
    t->phase = TLS_OPEN;
    return TLS_READY;
}

enum tls_step tls_handshake(struct tls *t)
{
    enum tls_step step = TLS_WANTS_READ;

    if (t->phase == TLS_BROKEN)
        return TLS_FAILED;
    if (t->phase >= TLS_EARLY)
        return TLS_READY;
    ERR_clear_error();
    if (t->phase == TLS_BEGINS)
        step = tls_early_begin(t);
    return t->phase == TLS_SHAKES ? shake(t) : step;
}

const struct tls_info *tls_info(const struct tls *t)
{
    return &t->info;
}

/*
 * Who asks for a new key must be sent nothing more with the old one (RFC8446:4.6.3), and the kernel has no
 * other. The library would answer unasked when it next reads such a record, and tell that side to expect what does not
 * come.
 */
static long key_refuse(struct tls *t)
{
    tls_say_end(t);
    tls_error_set(t, R_upstream_tls_handshake, SPAN("a new key was asked for, and the kernel encrypts"));
    t->phase = TLS_BROKEN;
    return -EPROTO;
}

static long read_record(struct tls *t, char *to, size_t room)
{
    size_t n = 0;
    long got;

    t->was_early = false;
    got = SSL_read_ex(t->ssl, to, room, &n) == 1 ? (long)n : tls_stopped(t, 0);
    if (SSL_get_key_update_type(t->ssl) != SSL_KEY_UPDATE_NONE && tls_kernel_sends(t))
        return key_refuse(t);
    return got;
}

long tls_read(struct tls *t, char *to, size_t room)
{
    long n = 0;

    if (t->phase == TLS_BROKEN || NEVER(t->phase < TLS_EARLY))
        return -EPROTO;
    ERR_clear_error();
    if (t->phase != TLS_OPEN)
        n = tls_early_read(t, to, room);
    if (n == 0 && t->phase == TLS_OPEN)
        n = read_record(t, to, room);
    t->waits = n <= 0;
    return n;
}

bool tls_was_end_said(const struct tls *t)
{
    return t->phase != TLS_BROKEN && !t->ended && (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool tls_was_early(const struct tls *t)
{
    return t->was_early;
}

void tls_socket_ready(struct tls *t)
{
    t->drained = false;
}

bool tls_has_more(const struct tls *t)
{
    if (t->phase == TLS_BROKEN || t->waits)
        return false;
    return t->early.data != NULL || !t->drained || SSL_has_pending(t->ssl) == 1;
}

/* The bytes of the parts in one piece: those of the first, when it has enough for a record or is the only one, at most
 * `most` of them; else a copy, for one record. */
static struct span gather(const struct iovec *parts, int count, size_t most)
{
    static _Thread_local char copy[TLS_RECORD_BYTES];
    const size_t want = sizeof copy;
    size_t n = 0;

    if (count == 1 || parts[0].iov_len >= want)
        return (struct span){ parts[0].iov_base, parts[0].iov_len < most ? parts[0].iov_len : most };
    for (int i = 0; i < count && n < want; i++) {
        size_t some = parts[i].iov_len < want - n ? parts[i].iov_len : want - n;

        if (some > 0)
            memcpy(copy + n, parts[i].iov_base, some);
        n += some;
    }
    return (struct span){ copy, n };
}

static long kernel_send(struct tls *t, const struct iovec *parts, int count)
{
    struct msghdr m = { .msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count };
    ssize_t n = sendmsg(t->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n >= 0 ? n : -errno;
}

/* Seal the bytes, a record at a time. All of them, or -errno: the connection is broken. */
static long seal(struct tls *t, struct span bytes)
{
    size_t done = 0;

    while (done < bytes.n) {
        size_t left = bytes.n - done, n = 0;
        int result = SSL_write_ex(t->ssl, bytes.p + done, left < TLS_RECORD_BYTES ? left : TLS_RECORD_BYTES, &n);
        long stopped = result == 1 ? 0 : tls_stopped(t, result);

        if (result != 1)
            return stopped == 0 ? -EPIPE : stopped;
        done += n;
    }
    return (long)done;
}

/* All that was sealed goes out in one call. A client that takes it gets more at a time. */
static long write_records(struct tls *t, struct span bytes)
{
    long sealed, error;

    tls_socket_collect(t);
    sealed = seal(t, bytes);
    error = tls_socket_send_collected(t);
    if (sealed < 0)
        return sealed;
    if (error == 0) {
        t->records = t->records < TLS_RECORDS_MOST ? (uint8_t)(t->records + 1) : TLS_RECORDS_MOST;
        return sealed;
    }
    t->records = 1;
    if (error == -EAGAIN)
        t->unsent.held_bytes = (size_t)sealed;
    return error;
}

/* 0 when nothing is left of earlier calls; else what tls_write() has to tell. */
static long unsent_settle(struct tls *t)
{
    long held = (long)t->unsent.held_bytes, error = tls_socket_flush(t);

    if (error == -EAGAIN)
        return error;
    t->unsent.held_bytes = 0;
    return error != 0 ? error : held;
}

size_t tls_takes(const struct tls *t)
{
    return t->phase == TLS_OPEN ? (size_t)t->records * TLS_RECORD_BYTES : TLS_RECORD_BYTES;
}

long tls_write(struct tls *t, const struct iovec *parts, int count)
{
    long settled;
    struct span bytes;

    if (t->phase == TLS_BROKEN || NEVER(t->phase < TLS_EARLY))
        return -EPROTO;
    settled = unsent_settle(t);
    if (settled != 0 || count == 0)
        return settled;
    if (tls_kernel_sends(t))
        return kernel_send(t, parts, count);
    ERR_clear_error();
    bytes = gather(parts, count, tls_takes(t));
    return t->phase == TLS_OPEN ? write_records(t, bytes) : tls_early_write(t, bytes.p, bytes.n);
}

bool tls_kernel_sends(const struct tls *t)
{
    return t->phase == TLS_OPEN && BIO_get_ktls_send(SSL_get_wbio(t->ssl));
}

bool tls_shows_for(const struct tls *t, struct span name)
{
    uint32_t certificate;

    tls_names_find(&t->set->names, name, &certificate);
    return certificate == t->shown;
}

bool tls_covers(const struct tls *t, struct span name)
{
    char lower[TLS_NAME_BYTES];

    return name.n < sizeof lower && tls_names_has(&t->set->names, tls_hello_name(name, lower), t->shown);
}

void tls_say_end(struct tls *t)
{
    if (t->phase != TLS_OPEN || tls_socket_flush(t) != 0)
        return;
    ERR_clear_error();
    SSL_shutdown(t->ssl);
    ERR_clear_error();
}
