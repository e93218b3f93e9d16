/*
 *   worker --log_line--> ring --.                     .--> file
 *   worker --log_line--> ring ---+--> batch --write--+---> pipe, terminal
 *                                ^                    `--> (failing: held, retried)
 *                            the writer, woken by an eventfd ("the bell")
 *
 * Who wakes the writer: a producer stores the ring's head, then loads `asleep`; the writer stores `asleep`, then loads
 * every head. All four are sequentially consistent, so at least one of the two sees the other: no line sleeps in a
 * ring. While there is traffic the writer does not sleep but lingers, and producers make no system call.
 *
 * `rung` spares further writes to the bell. It is cleared before the rings are looked through, never after.
 *
 * A target that is no regular file may make a write wait for ever, and its O_NONBLOCK flag may belong to others too
 * (a terminal shared with a shell). So it gets at most PIPE_BUF bytes at a time, and only when poll() has promised to
 * take those.
 */
#include "io/log_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

#define LINGER_MS 50
#define RETRY_MS  1000
#define QUIET_MS  10000 /* without a loss: the next one is news again */

_Static_assert(LOG_BATCH_BYTES >= LOG_LINE_BYTES_MAX, "each line fits in a batch");

uint64_t log_clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *path_shown(const struct log *l)
{
    return strcmp(l->fixed.path, "-") == 0 ? "standard output" : l->fixed.path;
}

static void say(const struct log *l, int err, const char *what)
{
    fprintf(stderr, "verdict: log: %s: %s: %s\n", path_shown(l), strerrordesc_np(err), what);
}

void log_bell_ring(struct log *l)
{
    ssize_t n;

    do
        n = eventfd_write(l->fixed.bell, 1);
    while (n != 0 && errno == EINTR);
}

/* wait_ms: -1 for ever. True when it rang. */
static bool bell_wait(struct log *l, int wait_ms)
{
    struct pollfd bell = { .fd = l->fixed.bell, .events = POLLIN };
    eventfd_t count;

    return poll(&bell, 1, wait_ms) == 1 && eventfd_read(l->fixed.bell, &count) == 0;
}

static bool is_stopping(const struct log *l)
{
    return atomic_load(&l->shared.stop_ms) != 0;
}

/* Milliseconds the writer may still take: -1 no limit, 0 none left. */
static int time_left(const struct log *l)
{
    const uint64_t stop_ms = atomic_load(&l->shared.stop_ms);
    const uint64_t now_ms = log_clock_ms();

    if (stop_ms == 0)
        return -1;
    return stop_ms > now_ms ? (int)(stop_ms - now_ms) : 0;
}

/* Returns the descriptor or -errno. O_NONBLOCK: a FIFO without reader must not hold up the start. */
static int target_open(const char *path)
{
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, flags, 0640);

    return fd < 0 ? -errno : fd;
}

static void target_use(struct log *l, int fd)
{
    struct stat st;

    l->writer.fd = fd;
    l->writer.regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    l->writer.failing = false;
}

int log_target_open(struct log *l, const char *path)
{
    int fd = target_open(path);

    if (fd < 0)
        return fd;
    target_use(l, fd);
    return 0;
}

/* Lines that find no room while the target takes its time are told at once: the record in the log itself has to wait
 * until there is room for it. A target that fails has been told already. */
static void losses_say(struct log *l)
{
    uint64_t dropped = 0, now_ms;

    for (unsigned i = 0; i < l->fixed.count; i++)
        dropped += log_ring_dropped(&l->fixed.rings[i]);
    if (dropped == l->writer.dropped)
        return;
    now_ms = log_clock_ms();
    if (!l->writer.failing && (l->writer.dropped_ms == 0 || now_ms - l->writer.dropped_ms > QUIET_MS))
        fprintf(stderr, "verdict: log: %s: taken too slowly: lines are being lost\n", path_shown(l));
    l->writer.dropped = dropped;
    l->writer.dropped_ms = now_ms;
}

/* Wait until a target that is no regular file takes PIPE_BUF bytes. False: time is up, or it is to be reopened. */
static bool target_wait(struct log *l)
{
    for (;;) {
        const int left_ms = time_left(l);
        struct pollfd both[] = { { .fd = l->writer.fd, .events = POLLOUT }, { .fd = l->fixed.bell, .events = POLLIN } };
        eventfd_t count;

        losses_say(l);
        if (left_ms == 0 || atomic_load(&l->shared.reopen))
            return false;
        if (poll(both, 2, left_ms >= 0 && left_ms < RETRY_MS ? left_ms : RETRY_MS) <= 0)
            continue;
        if (both[0].revents != 0)
            return true;
        eventfd_read(l->fixed.bell, &count);
    }
}

static uint64_t lines_in(const char *p, size_t n)
{
    uint64_t lines = 0;

    for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

static void count_lost(struct log *l, uint64_t lines)
{
    atomic_fetch_add(&l->shared.lost, lines);
}

static bool batch_is_empty(const struct log *l)
{
    return l->writer.from == l->writer.until;
}

static void batch_drop(struct log *l)
{
    const uint64_t lines = lines_in(l->writer.batch + l->writer.from, l->writer.until - l->writer.from);
    const bool record = l->writer.telling != 0 && l->writer.from < l->writer.record_bytes;

    if (l->writer.telling != 0 && !record)
        l->writer.told = l->writer.telling;
    count_lost(l, lines - record);
    l->writer.from = l->writer.until = 0;
    l->writer.telling = 0;
}

/* The rest of a record whose beginning is in another file. */
static void batch_drop_torn(struct log *l)
{
    const char *from = l->writer.batch + l->writer.from;
    const char *end;

    if (batch_is_empty(l) || l->writer.from == 0 || from[-1] == '\n')
        return;
    end = memchr(from, '\n', l->writer.until - l->writer.from);
    DIE_UNLESS(end != NULL);
    l->writer.from = (size_t)(end + 1 - l->writer.batch);
    count_lost(l, 1);
}

/* First of an empty batch: the record of what was lost since the last one. */
static void batch_tell(struct log *l)
{
    const uint64_t lost = log_lost(l);
    size_t bytes;

    if (l->fixed.tell_lost == NULL || lost == l->writer.told || !batch_is_empty(l))
        return;
    bytes = l->fixed.tell_lost(l->fixed.context, lost - l->writer.told, l->writer.batch, LOG_LINE_BYTES_MAX);
    DIE_UNLESS(bytes <= LOG_LINE_BYTES_MAX && (bytes == 0 || l->writer.batch[bytes - 1] == '\n'));
    if (bytes == 0)
        return;
    l->writer.telling = lost;
    l->writer.until = l->writer.record_bytes = bytes;
}

static void batch_fill(struct log *l)
{
    const unsigned count = l->fixed.count;

    for (unsigned i = 0; i < count; i++)
        l->writer.until += log_ring_take(&l->fixed.rings[(l->writer.first + i) % count],
                                         l->writer.batch + l->writer.until, LOG_BATCH_BYTES - l->writer.until);
    l->writer.first++;
}

static void batch_failed(struct log *l, int err)
{
    if (!l->writer.failing)
        say(l, err, "lines are being lost");
    l->writer.failing = true;
    if (err == EPIPE)
        batch_drop(l);
}

static void batch_done(struct log *l)
{
    if (l->writer.telling != 0)
        l->writer.told = l->writer.telling;
    l->writer.telling = 0;
    l->writer.from = l->writer.until = 0;
    l->writer.failing = false;
}

/* Until it is out, the target fails, time is up, or the target is to be reopened. */
static void batch_write(struct log *l)
{
    while (!batch_is_empty(l)) {
        size_t bytes = l->writer.until - l->writer.from;
        ssize_t n;

        if (!l->writer.regular && bytes > PIPE_BUF)
            bytes = PIPE_BUF;
        if (!l->writer.regular && !target_wait(l))
            return;
        n = write(l->writer.fd, l->writer.batch + l->writer.from, bytes);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            bell_wait(l, 1);
            continue;
        }
        if (n <= 0) {
            batch_failed(l, n < 0 ? errno : EIO);
            return;
        }
        l->writer.from += (size_t)n;
    }
    batch_done(l);
}

static void writer_reopen(struct log *l)
{
    int fd;

    if (strcmp(l->fixed.path, "-") == 0)
        return;
    fd = target_open(l->fixed.path);
    if (fd < 0) {
        say(l, -fd, "cannot be opened anew: the log stays where it was");
        return;
    }
    batch_drop_torn(l);
    close(l->writer.fd);
    target_use(l, fd);
}

static bool rings_are_empty(const struct log *l)
{
    for (unsigned i = 0; i < l->fixed.count; i++)
        if (!log_ring_is_empty(&l->fixed.rings[i]))
            return false;
    return true;
}

static void writer_sleep(struct log *l)
{
    atomic_store(&l->shared.rung, false);
    atomic_store(&l->shared.asleep, true);
    if (rings_are_empty(l) && !is_stopping(l) && !atomic_load(&l->shared.reopen))
        bell_wait(l, -1);
    atomic_store(&l->shared.asleep, false);
    atomic_store(&l->shared.rung, false); /* a ring that gets half full must be heard while more gathers */
}

/* One turn: take what is there and write it, then let more gather. False: the end. */
static bool writer_turn(struct log *l)
{
    const bool stopping = is_stopping(l);
    bool full;

    /* A failing target is tried by the clock: full rings need not ring. */
    if (!l->writer.failing)
        atomic_store(&l->shared.rung, false);
    if (atomic_exchange(&l->shared.reopen, false))
        writer_reopen(l);
    losses_say(l);
    batch_tell(l);
    batch_fill(l);
    full = l->writer.until > LOG_BATCH_BYTES - LOG_LINE_BYTES_MAX;
    if (batch_is_empty(l)) {
        if (stopping)
            return false;
        writer_sleep(l);
    } else {
        batch_write(l);
        if (stopping && (l->writer.failing || time_left(l) == 0))
            return false;
    }
    if (!is_stopping(l) && (!full || l->writer.failing))
        bell_wait(l, l->writer.failing ? RETRY_MS : LINGER_MS);
    return true;
}

void *log_writer_main(void *arg)
{
    struct log *l = arg;

    while (writer_turn(l))
        ;
    do {
        batch_drop(l);
        batch_fill(l);
    } while (!batch_is_empty(l));
    if (log_lost(l) != l->writer.told)
        fprintf(stderr, "verdict: log: %s: %ju lines were lost\n", path_shown(l),
                (uintmax_t)(log_lost(l) - l->writer.told));
    eventfd_write(l->fixed.ended, 1);
    return NULL;
}
