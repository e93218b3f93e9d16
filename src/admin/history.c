#include "admin/history.h"

#include <stdlib.h>

#include "admin/count.h"

#define MINUTE_MS 60000u

/* One more than there are spaces between them. */
#define SAMPLES (HISTORY_MINUTES * MINUTE_MS / HISTORY_SAMPLE_MS + 1)

/* Looks come once a second, and some a little early. */
#define RATE_MS    900u
#define RATE_COUNT (HISTORY_RATES * 1000 / RATE_MS + 2)

/* The counters of all workers at a moment. */
struct sample {
    uint64_t at_ms;
    struct branches branches[2]; /* [1]: of failures */
};

struct rate {
    uint64_t at_ms, exchanges;
};

struct history {
    const struct admin_source *source;
    uint64_t begun_ms;
    uint64_t sample_count, rate_count; /* ever taken; the last is at [(count - 1) % room] */
    struct rate rates[RATE_COUNT];
    struct sample samples[SAMPLES];
};

static const struct sample *sample_at(const struct history *h, uint64_t n)
{
    return &h->samples[n % SAMPLES];
}

static const struct rate *rate_at(const struct history *h, uint64_t n)
{
    return &h->rates[n % RATE_COUNT];
}

static void sample_take(struct history *h, uint64_t now_ms)
{
    struct sample *s = &h->samples[h->sample_count++ % SAMPLES];

    s->at_ms = now_ms;
    count_branches(h->source, false, &s->branches[false]);
    count_branches(h->source, true, &s->branches[true]);
}

static void rate_take(struct history *h, uint64_t now_ms)
{
    h->rates[h->rate_count++ % RATE_COUNT] = (struct rate){ now_ms, count_exchanges(h->source) };
}

struct history *history_new(const struct admin_source *source, uint64_t now_ms)
{
    struct history *h = calloc(1, sizeof *h);

    if (h == NULL)
        return NULL;
    h->source = source;
    h->begun_ms = now_ms;
    sample_take(h, now_ms);
    rate_take(h, now_ms);
    return h;
}

void history_release(struct history **h)
{
    free(*h);
    *h = NULL;
}

void history_tick(struct history *h, uint64_t now_ms)
{
    if (now_ms - rate_at(h, h->rate_count - 1)->at_ms >= RATE_MS)
        rate_take(h, now_ms);
    if (now_ms - sample_at(h, h->sample_count - 1)->at_ms >= HISTORY_SAMPLE_MS)
        sample_take(h, now_ms);
}

/* The youngest that is as old as that, or the oldest. */
static const struct sample *sample_before(const struct history *h, uint64_t age_ms, uint64_t now_ms)
{
    uint64_t n = h->sample_count - 1, oldest = h->sample_count > SAMPLES ? h->sample_count - SAMPLES : 0;

    while (n > oldest && now_ms - sample_at(h, n)->at_ms < age_ms)
        n--;
    return sample_at(h, n);
}

static const struct rate *rate_before(const struct history *h, uint64_t age_ms, uint64_t now_ms)
{
    uint64_t n = h->rate_count - 1, oldest = h->rate_count > RATE_COUNT ? h->rate_count - RATE_COUNT : 0;

    while (n > oldest && now_ms - rate_at(h, n)->at_ms < age_ms)
        n--;
    return rate_at(h, n);
}

static void branches_subtract(struct branches *out, const struct branches *before)
{
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        for (unsigned way = 0; way < 2; way++)
            out->edges[n][way] -= before->edges[n][way];
    for (unsigned row = 0; row < TALLY_STOPS; row++)
        out->stops[row] -= before->stops[row];
    out->exchanges -= before->exchanges;
}

void history_branches(const struct history *h, uint32_t minutes, bool failures_only, uint64_t now_ms,
                      struct branches *out, uint64_t *covers_ms_out)
{
    const struct sample *before;

    count_branches(h->source, failures_only, out);
    *covers_ms_out = now_ms - h->begun_ms;
    if (minutes == 0)
        return;
    before = sample_before(h, (uint64_t)minutes * MINUTE_MS, now_ms);
    branches_subtract(out, &before->branches[failures_only]);
    *covers_ms_out = now_ms - before->at_ms;
}

double history_rate(const struct history *h, uint64_t now_ms)
{
    const struct rate *before = rate_before(h, HISTORY_RATES * (uint64_t)1000, now_ms);
    uint64_t ms = now_ms - before->at_ms;

    /* Less than a second is no measure: a few exchanges would look like many. */
    return (double)(count_exchanges(h->source) - before->exchanges) * 1000.0 / (double)(ms < 1000 ? 1000 : ms);
}
