#ifndef RECORD_TALLY_H
#define RECORD_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "graph/graph.h"

/*
 * What one worker has counted since it started. One writer, any readers: each number is exact, and they may be of
 * slightly different moments. No lock, no instruction that locks the bus.
 */

#define TALLY_SITES      129 /* names of sites that are counted apart; the last collects the others */
#define TALLY_SITE_OTHER (TALLY_SITES - 1)
#define TALLY_PATHS      1024 /* different paths through the graph that are counted by one addition each */
#define TALLY_STOPS      384  /* acts' own stops: rows of graph/stops.def; a test holds them to it */
#define TALLY_DURATIONS  14   /* the last has no bound */

/* Upper bounds in milliseconds of all but the last; an exchange of as many is within. */
extern const uint32_t tally_duration_ms[TALLY_DURATIONS - 1];

/* How often one way through the graph was taken, with one end. */
struct tally_path {
    _Atomic uint64_t count; /* 0: the place is free, and the rest says nothing */
    uint64_t answers;       /* as in struct trace */
    uint16_t at, why;
};

struct tally {
    _Atomic uint64_t bytes_in, bytes_out;
    _Atomic uint64_t duration_ms;                /* sum */
    _Atomic uint64_t durations[TALLY_DURATIONS]; /* not cumulative */
    _Atomic uint64_t connections_accepted;
    _Atomic uint64_t connections_refused;  /* closed at once: beyond any limit at which they are answered */
    _Atomic uint32_t connections, running; /* now */
    _Atomic uint64_t broken[R_COUNT];      /* sending failed after the verdict, by the second reason */
    _Atomic uint64_t tries[R_COUNT];       /* at upstreams, by how they failed; R_NONE: answered */
    struct tally_path *last_path;          /* the writer's own: the place of the exchange before */
    struct tally_path paths[TALLY_PATHS];
    _Atomic uint64_t beyond[2][GRAPH_NODES][2]; /* edges of paths that found no place; [1]: of failures */
    _Atomic uint64_t beyond_stops[2][TALLY_STOPS];
    _Atomic uint64_t beyond_exchanges[2];
    /* By number of the site, dialect and reason. */
    _Atomic uint64_t ends[TALLY_SITES][DIALECTS][R_COUNT];
};

/* Zeroed memory that is touched only by use; NULL without memory. */
struct tally *tally_new(void);
void tally_release(struct tally **t);

/* Writer: x has ended. On the path of every request. */
void tally_add(struct tally *t, const struct exchange *x);

/* Writer: a connection or an exchange has begun (+1) or ended (-1). */
void tally_connections(struct tally *t, int by);
void tally_running(struct tally *t, int by);

/* Writer: a connection was closed without an answer, because there are too many. */
void tally_refused(struct tally *t);

/* How often each way out of a node was taken. */
struct branches {
    uint64_t edges[GRAPH_NODES][2]; /* question: no, yes; act: next, unused */
    uint64_t stops[TALLY_STOPS];    /* acts' own stops, by row of graph_stops */
    uint64_t exchanges;
};

/* Any thread: add what t has counted to *out. failures_only: of exchanges whose reason has, in the RFC dialect, a status
 * of class 4 or 5, or none. */
void tally_branches(const struct tally *t, bool failures_only, struct branches *out);

#endif
