#include <errno.h>
#include <openssl/bio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/check.h"
#include "io/tls_impl.h"

static BIO_METHOD *method;

static int socket_read(BIO *b, char *to, size_t room, size_t *got)
{
    struct tls *t = BIO_get_data(b);
    ssize_t n;

    BIO_clear_retry_flags(b);
    do
        n = recv(t->fd, to, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    *got = n > 0 ? (size_t)n : 0;
    t->drained = *got < room;
    if (n > 0)
        return 1;
    if (n == 0)
        t->ended = true;
    else if (errno == EAGAIN)
        BIO_set_retry_read(b);
    else
        t->socket_error = errno;
    return n == 0 ? 0 : -1;
}

/* Bytes that the socket took, 0 when it is full, or -errno. */
static ssize_t socket_send(struct tls *t, const char *from, size_t bytes)
{
    ssize_t n;

    do
        n = send(t->fd, from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    if (errno == EAGAIN)
        return 0;
    t->socket_error = errno;
    return -errno;
}

int tls_socket_flush(struct tls *t)
{
    struct tls_unsent *u = &t->unsent;

    while (u->from < u->to) {
        ssize_t n = socket_send(t, u->bytes + u->from, u->to - u->from);

        if (n <= 0)
            return n == 0 ? -EAGAIN : (int)n;
        u->from += (size_t)n;
    }
    free(u->bytes);
    u->bytes = NULL;
    u->from = u->to = 0;
    return 0;
}

/* What is kept is at most what one tls_write() seals, a buffer of the handshake's and a ticket. */
static bool unsent_append(struct tls_unsent *u, const char *from, size_t bytes)
{
    char *more;

    if (bytes == 0)
        return true;
    more = realloc(u->bytes, u->to + bytes);
    if (more == NULL)
        return false;
    memcpy(more + u->to, from, bytes);
    u->bytes = more;
    u->to += bytes;
    return true;
}

/* Sealed records of this thread's tls_write(): with what each has besides its bytes. */
static _Thread_local char collected[TLS_RECORDS_MOST * (TLS_RECORD_BYTES + 256u)];

void tls_socket_collect(struct tls *t)
{
    t->collects = true;
    t->collected = 0;
}

int tls_socket_send_collected(struct tls *t)
{
    ssize_t n = t->collected > 0 ? socket_send(t, collected, t->collected) : 0;
    size_t sent = n > 0 ? (size_t)n : 0;

    t->collects = false;
    if (n < 0)
        return (int)n;
    if (sent == t->collected)
        return 0;
    return unsent_append(&t->unsent, collected + sent, t->collected - sent) ? -EAGAIN : -ENOMEM;
}

/* False: there is no room for it, which cannot be. */
static bool collect(struct tls *t, const char *from, size_t bytes)
{
    if (NEVER(bytes > sizeof collected - t->collected))
        return false;
    memcpy(collected + t->collected, from, bytes);
    t->collected += bytes;
    return true;
}

/* Bytes taken, 0 when there is no room, or -1. */
static ssize_t write_some(struct tls *t, const char *from, size_t bytes)
{
    int unsent;
    ssize_t n;

    if (t->collects)
        return collect(t, from, bytes) ? (ssize_t)bytes : -1;
    unsent = tls_socket_flush(t);
    n = unsent == 0 ? socket_send(t, from, bytes) : 0;
    if (n < 0 || (unsent != 0 && unsent != -EAGAIN))
        return -1;
    if (!t->early.absorbs)
        return n;
    return unsent_append(&t->unsent, from + n, bytes - (size_t)n) ? (ssize_t)bytes : -1;
}

static int socket_write(BIO *b, const char *from, size_t bytes, size_t *taken)
{
    ssize_t n = write_some(BIO_get_data(b), from, bytes);

    BIO_clear_retry_flags(b);
    if (n == 0)
        BIO_set_retry_write(b);
    *taken = n > 0 ? (size_t)n : 0;
    return n > 0 ? 1 : -1;
}

static long socket_control(BIO *b, int command, long number, void *pointer)
{
    const struct tls *t = BIO_get_data(b);

    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF)
        return t->ended;
    return command == BIO_CTRL_FLUSH;
}

static void method_make(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket of a TLS connection");

    if (m != NULL && BIO_meth_set_read_ex(m, socket_read) == 1 && BIO_meth_set_write_ex(m, socket_write) == 1 &&
        BIO_meth_set_ctrl(m, socket_control) == 1)
        method = m;
    else
        BIO_meth_free(m);
}

bool tls_socket_kernel_knows(void)
{
    char known[256] = "";
    FILE *f = fopen("/proc/sys/net/ipv4/tcp_available_ulp", "re");
    bool found = false;

    if (f == NULL)
        return false;
    while (!found && fscanf(f, "%255s", known) == 1)
        found = strcmp(known, "tls") == 0;
    fclose(f);
    return found;
}

bool tls_socket_attach(struct tls *t, bool kernel_sends)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    BIO *ours, *kernels;

    pthread_once(&once, method_make);
    if (method == NULL || (ours = BIO_new(method)) == NULL)
        return false;
    BIO_set_data(ours, t);
    BIO_set_init(ours, 1);
    SSL_set_bio(t->ssl, ours, ours);
    if (!kernel_sends)
        return true;
    /* Only the library's own socket can hand keys to the kernel. */
    kernels = BIO_new_socket(t->fd, BIO_NOCLOSE);
    if (kernels != NULL)
        SSL_set0_wbio(t->ssl, kernels);
    return true;
}
