#include "record/tally.h"

#include "graph/walk.h"
#include "record/pages.h"

#define PROBES 8u /* places that a path may have */

_Static_assert((TALLY_PATHS & (TALLY_PATHS - 1)) == 0, "a hash is masked to a place");

const uint32_t tally_duration_ms[TALLY_DURATIONS - 1] = { 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 };

struct tally *tally_new(void)
{
    struct tally *t = pages_map(sizeof(struct tally));

    if (t != NULL)
        t->last_path = t->paths;
    return t;
}

void tally_release(struct tally **t)
{
    pages_unmap(*t, sizeof **t);
    *t = NULL;
}

/* There is one writer: what it loads is what it stored last. */
static inline void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* One step of a path: an edge that was taken, or an act's own stop. */
struct step {
    bool stopped;
    uint16_t row;    /* of graph_stops */
    uint16_t node;   /* of the edge */
    uint8_t way_out; /* no, yes; 0 of an act */
};

/* TALLY_STOPS: none. */
static uint16_t stop_row(unsigned node, unsigned why)
{
    for (uint16_t row = 0; row < graph_stop_count && row < TALLY_STOPS; row++)
        if (graph_stops[row].node == node && graph_stops[row].why == why)
            return row;
    return TALLY_STOPS;
}

/* The next step of a path that ended with `why`. An act in which the exchange was cut off, while it waited, is none. */
static bool step_next(struct walk *w, unsigned why, struct step *step)
{
    const struct node *node;

    if (!walk_next(w))
        return false;
    node = &graph_nodes[w->node];
    *step = (struct step){ .node = w->node, .way_out = w->yes };
    if (node->ask != NULL || !w->last || node->out[0].end == why)
        return true;
    step->row = stop_row(w->node, why);
    step->stopped = true;
    return step->row < TALLY_STOPS;
}

/* Of the exchanges that are told apart as failures: by what the RFC dialect answers. */
static bool is_failure(unsigned why)
{
    unsigned class = reason_code((enum reason)why, DIALECT_RFC).wire / 100;

    return class == 0 || class == 4 || class == 5;
}

/* There is no place for the path: count each of its steps. */
static __attribute__((noinline)) void add_steps(struct tally *t, const struct exchange *x)
{
    bool failed = is_failure(x->verdict.why);
    struct walk w;
    struct step step;

    add(&t->beyond_exchanges[failed], 1);
    walk_init(&w, x->trace);
    while (step_next(&w, x->verdict.why, &step))
        add(step.stopped ? &t->beyond_stops[failed][step.row] : &t->beyond[failed][step.node][step.way_out], 1);
}

/* Of places that are free, none. */
static bool is_of(const struct tally_path *place, const struct exchange *x)
{
    return place->answers == x->trace.answers && place->at == x->trace.at && place->why == x->verdict.why;
}

static bool take(struct tally_path *place, const struct exchange *x)
{
    if (get(&place->count) != 0)
        return false;
    place->answers = x->trace.answers;
    place->at = x->trace.at;
    place->why = (uint16_t)x->verdict.why;
    return true;
}

static inline void add_to_path(struct tally_path *place)
{
    atomic_store_explicit(&place->count, get(&place->count) + 1, memory_order_release);
}

static __attribute__((noinline)) void find_path(struct tally *t, const struct exchange *x)
{
    uint64_t end = x->trace.at | (uint64_t)x->verdict.why << 16;
    uint64_t hash = (x->trace.answers ^ end << 32) * UINT64_C(0x9e3779b97f4a7c15) >> 54;

    for (uint64_t at = hash; at < hash + PROBES; at++) {
        struct tally_path *place = &t->paths[at % TALLY_PATHS];

        if (is_of(place, x) || take(place, x)) {
            add_to_path(place);
            t->last_path = place;
            return;
        }
    }
    add_steps(t, x);
}

/* As a rule, the path that the exchange before has taken too. */
static inline void add_path(struct tally *t, const struct exchange *x)
{
    if (is_of(t->last_path, x))
        add_to_path(t->last_path);
    else
        find_path(t, x);
}

static __attribute__((noinline)) unsigned duration_row(struct tally *t, const struct moments *m)
{
    uint64_t ms = m->first_byte_ms != 0 ? m->ended_ms - m->first_byte_ms : 0;
    unsigned row = 0;

    add(&t->duration_ms, ms);
    while (row < TALLY_DURATIONS - 1 && ms > tally_duration_ms[row])
        row++;
    return row;
}

/* As a rule, within a round of the loop, and so in no time. */
static inline void add_duration(struct tally *t, const struct moments *m)
{
    add(&t->durations[m->ended_ms > m->first_byte_ms ? duration_row(t, m) : 0], 1);
}

/* One that was cut off, because its exchange ended, went neither way. */
static __attribute__((noinline)) void add_tries(struct tally *t, const struct forwarding *f)
{
    for (unsigned i = 0; i < f->count; i++)
        if (f->attempts[i].failed.why != R_NONE || f->attempts[i].head_ms != 0)
            add(&t->tries[f->attempts[i].failed.why], 1);
}

/* The path comes last: what is seldom called there needs no registers saved for others. */
void tally_add(struct tally *t, const struct exchange *x)
{
    unsigned row = x->site_number < TALLY_SITE_OTHER ? x->site_number : TALLY_SITE_OTHER;

    add(&t->bytes_in, x->bytes_in);
    add(&t->bytes_out, x->bytes_out);
    add_duration(t, &x->moments);
    if (x->broken.why != R_NONE)
        add(&t->broken[x->broken.why], 1);
    if (x->forwarding != NULL)
        add_tries(t, x->forwarding);
    add(&t->ends[row][x->policy->dialect][x->verdict.why], 1);
    add_path(t, x);
}

static void add_signed(_Atomic uint32_t *counter, int by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + (uint32_t)by,
                          memory_order_relaxed);
}

void tally_connections(struct tally *t, int by)
{
    add_signed(&t->connections, by);
    if (by > 0)
        add(&t->connections_accepted, (uint64_t)by);
}

void tally_refused(struct tally *t)
{
    add(&t->connections_refused, 1);
}

void tally_running(struct tally *t, int by)
{
    add_signed(&t->running, by);
}

static void branches_add_path(struct branches *out, const struct tally_path *path, uint64_t count)
{
    struct walk w;
    struct step step;

    out->exchanges += count;
    walk_init(&w, (struct trace){ path->answers, path->at });
    while (step_next(&w, path->why, &step))
        *(step.stopped ? &out->stops[step.row] : &out->edges[step.node][step.way_out]) += count;
}

static void branches_add_beyond(struct branches *out, const struct tally *t, bool failed)
{
    out->exchanges += get(&t->beyond_exchanges[failed]);
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        for (unsigned way = 0; way < 2; way++)
            out->edges[n][way] += get(&t->beyond[failed][n][way]);
    for (unsigned row = 0; row < TALLY_STOPS; row++)
        out->stops[row] += get(&t->beyond_stops[failed][row]);
}

void tally_branches(const struct tally *t, bool failures_only, struct branches *out)
{
    for (unsigned i = 0; i < TALLY_PATHS; i++) {
        const struct tally_path *path = &t->paths[i];
        uint64_t count = atomic_load_explicit(&path->count, memory_order_acquire);

        if (count > 0 && (!failures_only || is_failure(path->why)))
            branches_add_path(out, path, count);
    }
    branches_add_beyond(out, t, true);
    if (!failures_only)
        branches_add_beyond(out, t, false);
}
