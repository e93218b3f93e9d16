#ifndef SERVE_ACCESS_LOG_H
#define SERVE_ACCESS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/exchange.h"

/* Room for any line: long values are cut. */
#define ACCESS_LOG_LINE_BYTES 28672u

/* What the line needs besides the exchange. */
struct access_log_peer {
    struct span id;     /* of the exchange: letters and digits */
    struct span client; /* address without port */
    struct span detail; /* what the dialect tells besides the status: "494", "404.13"; or empty */
    uint16_t status;    /* for formats with one number: what the dialect tells, else what was sent */
};

/* What tells the time in a line of one format: kept from line to line, zeroed at first. */
struct access_log_second {
    int64_t unix_seconds;
    size_t bytes;
    char text[40];
};

/*
 * One JSON object and a line feed, for x that has ended, while the buffer of its head is still there. Returns bytes
 * written; out has ACCESS_LOG_LINE_BYTES. A request line that could not be read stands in both formats as it came, so
 * that one can see what was refused: its first 200 bytes, those that are no printable ASCII as \xNN.
 */
size_t access_log_json(const struct exchange *x, const struct access_log_peer *peer, struct access_log_second *now,
                       char *out);

/* Apache's combined format, so that GoAccess and fail2ban read it, and behind it, quoted, the reason, the operand, the id
 * and the detail; each "-" when there is none. */
size_t access_log_combined(const struct exchange *x, const struct access_log_peer *peer, struct access_log_second *now,
                           char *out);

/* The line that says how many lines were lost. */
size_t access_log_lost(bool combined, uint64_t lines, int64_t unix_seconds, char *out, size_t room);

#endif
