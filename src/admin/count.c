#include "admin/count.h"

#include <stdatomic.h>

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Each exchange has had one duration. */
static uint64_t exchanges_of(const struct tally *t)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < TALLY_DURATIONS; i++)
        sum += get(&t->durations[i]);
    return sum;
}

void count_add(struct count *c, const struct admin_source *source, uint32_t worker)
{
    const struct tally *t = source->views[worker].tally;

    c->connections += atomic_load_explicit(&t->connections, memory_order_relaxed);
    c->running += atomic_load_explicit(&t->running, memory_order_relaxed);
    c->connections_accepted += get(&t->connections_accepted);
    c->connections_refused += get(&t->connections_refused);
    c->exchanges += exchanges_of(t);
    c->bytes_in += get(&t->bytes_in);
    c->bytes_out += get(&t->bytes_out);
    c->log_lines_lost += source->log_lines_lost(source->server, worker);
}

struct count count_all(const struct admin_source *source)
{
    struct count c = { 0 };

    for (uint32_t i = 0; i < source->view_count; i++)
        if (!source->views[i].is_admin)
            count_add(&c, source, i);
    return c;
}

uint32_t count_workers(const struct admin_source *source)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < source->view_count; i++)
        count += !source->views[i].is_admin;
    return count;
}

uint64_t count_exchanges(const struct admin_source *source)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < source->view_count; i++)
        if (!source->views[i].is_admin)
            sum += exchanges_of(source->views[i].tally);
    return sum;
}

uint64_t count_ends(const struct admin_source *source, uint16_t site, enum dialect dialect, enum reason why)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < source->view_count; i++)
        if (!source->views[i].is_admin)
            sum += get(&source->views[i].tally->ends[site][dialect][why]);
    return sum;
}

void count_branches(const struct admin_source *source, bool failures_only, struct branches *out)
{
    *out = (struct branches){ 0 };
    for (uint32_t i = 0; i < source->view_count; i++)
        if (!source->views[i].is_admin)
            tally_branches(source->views[i].tally, failures_only, out);
}
