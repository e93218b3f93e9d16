#ifndef IO_LOG_H
#define IO_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define LOG_RING_BYTES     ((size_t)1024 * 1024)
#define LOG_LINE_BYTES_MAX ((size_t)64 * 1024)

struct log;
struct log_ring;

struct log_settings {
    const char *path;  /* a file (created 0640, appended to), "-" for standard output, "off"; borrowed for the call */
    unsigned rings;    /* one for each thread that logs; at least 1 */
    size_t ring_bytes; /* of each; 0: LOG_RING_BYTES; at least LOG_LINE_BYTES_MAX */

    /*
     * Write the record "so many lines were lost here" to `to`, newline included; returns its bytes (0: none). Called
     * on the writer's thread. May be NULL.
     */
    size_t (*tell_lost)(void *context, uint64_t lines, char *to, size_t room);
    void *context;
};

/*
 * The access log: each worker puts lines in a ring of its own, one writer thread drains all rings with one write a
 * batch, at most 50 ms after a line was put. Only the writer ever waits for the disk or for the reader of a pipe.
 *
 * Losses   a line that finds its ring full is lost. When the target fails (full disk, quota, I/O error) the writer
 *          holds what it has and tries again each second, while the rings fill; what a closed pipe does not take is
 *          lost at once. Failing is said once on standard error, and after recovery tell_lost() makes a record. A
 *          record is never torn, except by the time limit of log_stop().
 * Order    lines of one ring stay in order; between rings there is none within a batch.
 *
 * log_start() opens the target and starts the writer, with all signals blocked. *out is NULL for "off".
 * Returns  0; -errno of opening the target (-ENOENT, -EACCES, ... -ENXIO: a FIFO without reader); -ENOMEM, -EAGAIN,
 *          -EMFILE
 */
__attribute__((warn_unused_result)) int log_start(const struct log_settings *settings, struct log **out);

/* The ring of thread `index` (below `rings`); NULL when l is NULL (off). */
struct log_ring *log_ring_of(struct log *l, unsigned index);

/*
 * The thread of that ring only. `line` ends in its only newline, at most LOG_LINE_BYTES_MAX. No lock, and no system
 * call unless the writer sleeps or the ring gets half full. False: lost (counted), or the ring is NULL.
 */
bool log_line(struct log_ring *r, struct span line);

/* Any thread, also a signal handler: open the path anew, for log rotation. When that fails the old target stays. */
void log_reopen(struct log *l);

/* Any thread. Lines lost so far; 0 when l is NULL. */
uint64_t log_lost(const struct log *l);

/*
 * Write what can be written within 1 s and end the writer; the rest is lost and said on standard error. No thread may
 * log any more. A writer that hangs in the kernel (dead network disk) is left behind after half a second more, with
 * its memory.
 */
void log_stop(struct log **l);

#endif
