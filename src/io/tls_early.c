#include <errno.h>
#include <stdlib.h>

#include "io/tls_impl.h"

/*
 * Early data is read before the client's Finished, and answered. The library does this with a buffer of its own between
 * it and the socket, whose being full it does not tell; and once a record is partly written it can write no handshake.
 * So in this time the socket takes everything (`absorbs`): what does not fit is kept in `unsent`, and tls_write() tells
 * of bytes as taken only when nothing is left there.
 */

static bool data_keep(struct tls_early *e, const char *from, size_t bytes)
{
    e->data = malloc(bytes);
    if (e->data == NULL)
        return false;
    memcpy(e->data, from, bytes);
    e->data_to = bytes;
    return true;
}

static size_t data_give(struct tls_early *e, char *to, size_t room)
{
    size_t n = e->data_to - e->data_from;

    if (n > room)
        n = room;
    memcpy(to, e->data + e->data_from, n);
    e->data_from += n;
    if (e->data_from == e->data_to) {
        free(e->data);
        e->data = NULL;
    }
    return n;
}

enum tls_step tls_early_begin(struct tls *t)
{
    static _Thread_local char record[TLS_RECORD_BYTES];
    size_t n;

    switch (SSL_read_early_data(t->ssl, record, sizeof record, &n)) {
    case SSL_READ_EARLY_DATA_ERROR:
        return tls_failed(t, -1);
    case SSL_READ_EARLY_DATA_FINISH:
        t->phase = TLS_SHAKES;
        return TLS_WANTS_READ;
    default:
        break;
    }
    if (!data_keep(&t->early, record, n) || !tls_agree(t))
        return tls_give_up(t);
    t->early.absorbs = true;
    t->phase = TLS_EARLY;
    return TLS_READY;
}

static long handshake_end(struct tls *t)
{
    int result = SSL_do_handshake(t->ssl);

    if (result != 1)
        return tls_stopped(t, result);
    t->early.absorbs = false;
    t->phase = TLS_OPEN;
    return 0;
}

long tls_early_read(struct tls *t, char *to, size_t room)
{
    size_t n = 0;

    t->was_early = true;
    if (t->early.data != NULL)
        return (long)data_give(&t->early, to, room);
    if (t->phase == TLS_EARLY) {
        switch (SSL_read_early_data(t->ssl, to, room, &n)) {
        case SSL_READ_EARLY_DATA_ERROR:
            return tls_stopped(t, -1);
        case SSL_READ_EARLY_DATA_SUCCESS:
            return (long)n;
        default:
            t->phase = TLS_ENDING;
        }
    }
    t->was_early = false;
    return handshake_end(t);
}

long tls_early_write(struct tls *t, const char *from, size_t bytes)
{
    size_t n = 0;
    int error;

    if (SSL_write_early_data(t->ssl, from, bytes, &n) != 1)
        return tls_stopped(t, -1);
    error = tls_socket_flush(t);
    if (error == 0)
        return (long)n;
    t->unsent.held_bytes = n;
    return error;
}

void tls_early_fini(struct tls *t)
{
    free(t->early.data);
}
