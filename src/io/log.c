#include "io/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "io/log_impl.h"

#define STOP_MS  1000
#define LEAVE_MS 1500

static void log_free(struct log *l)
{
    for (unsigned i = 0; l->fixed.rings != NULL && i < l->fixed.count; i++)
        log_ring_fini(&l->fixed.rings[i]);
    free(l->fixed.rings);
    free(l->fixed.path);
    if (l->fixed.bell >= 0)
        close(l->fixed.bell);
    if (l->fixed.ended >= 0)
        close(l->fixed.ended);
    if (l->writer.fd >= 0)
        close(l->writer.fd);
    free(l);
}

static int rings_make(struct log *l, const struct log_settings *settings)
{
    size_t bytes = settings->ring_bytes > 0 ? settings->ring_bytes : LOG_RING_BYTES;

    if (bytes < LOG_LINE_BYTES_MAX)
        bytes = LOG_LINE_BYTES_MAX;
    l->fixed.rings = aligned_alloc(alignof(struct log_ring), settings->rings * sizeof *l->fixed.rings);
    if (l->fixed.rings == NULL)
        return -ENOMEM;
    for (; l->fixed.count < settings->rings; l->fixed.count++)
        if (!log_ring_init(&l->fixed.rings[l->fixed.count], bytes, l))
            return -ENOMEM;
    return 0;
}

static int log_prepare(struct log *l, const struct log_settings *settings)
{
    l->fixed.path = strdup(settings->path);
    if (l->fixed.path == NULL || rings_make(l, settings) != 0)
        return -ENOMEM;
    l->fixed.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->fixed.ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->fixed.bell < 0 || l->fixed.ended < 0)
        return -errno;
    return log_target_open(l, settings->path);
}

/* The writer inherits a full mask: a SIGPIPE for it must not end the process. */
static int writer_start(struct log *l)
{
    sigset_t all, before;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = pthread_create(&l->fixed.thread, NULL, log_writer_main, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        pthread_setname_np(l->fixed.thread, "log");
    return -err;
}

int log_start(const struct log_settings *settings, struct log **out)
{
    struct log *l;
    int err;

    if (strcmp(settings->path, "off") == 0) {
        *out = NULL;
        return 0;
    }
    l = aligned_alloc(alignof(struct log), sizeof *l);
    if (l == NULL)
        return -ENOMEM;
    memset(l, 0, sizeof *l);
    l->fixed.bell = l->fixed.ended = l->writer.fd = -1;
    l->fixed.tell_lost = settings->tell_lost;
    l->fixed.context = settings->context;
    err = log_prepare(l, settings);
    if (err == 0)
        err = writer_start(l);
    if (err != 0) {
        log_free(l);
        return err;
    }
    *out = l;
    return 0;
}

struct log_ring *log_ring_of(struct log *l, unsigned index)
{
    if (l == NULL)
        return NULL;
    DIE_UNLESS(index < l->fixed.count);
    return &l->fixed.rings[index];
}

bool log_line(struct log_ring *r, struct span line)
{
    struct log *l;
    bool put;

    if (r == NULL)
        return false;
    l = r->fixed.log;
    if (line.n == 0 || line.n > LOG_LINE_BYTES_MAX || NEVER(line.p[line.n - 1] != '\n')) {
        atomic_fetch_add(&l->shared.lost, 1);
        return false;
    }
    put = log_ring_put(r, line);
    if ((atomic_load(&l->shared.asleep) || log_ring_is_half_full(r)) && !atomic_load(&l->shared.rung) &&
        !atomic_exchange(&l->shared.rung, true))
        log_bell_ring(l);
    return put;
}

void log_reopen(struct log *l)
{
    if (l == NULL)
        return;
    atomic_store(&l->shared.reopen, true);
    log_bell_ring(l);
}

uint64_t log_lost(const struct log *l)
{
    uint64_t lost = 0;

    if (l == NULL)
        return 0;
    for (unsigned i = 0; i < l->fixed.count; i++)
        lost += log_ring_dropped(&l->fixed.rings[i]);
    return lost + atomic_load(&l->shared.lost);
}

void log_stop(struct log **l)
{
    struct log *stopped = *l;
    struct pollfd ended;
    int got;

    *l = NULL;
    if (stopped == NULL)
        return;
    atomic_store(&stopped->shared.stop_ms, log_clock_ms() + STOP_MS);
    log_bell_ring(stopped);
    ended = (struct pollfd){ .fd = stopped->fixed.ended, .events = POLLIN };
    do
        got = poll(&ended, 1, LEAVE_MS);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return;
    pthread_join(stopped->fixed.thread, NULL);
    log_free(stopped);
}
