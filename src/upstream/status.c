#include "upstream/upstream_impl.h"

static struct upstream_status status_of(const struct upstream_member *m)
{
    const struct health *h = &m->health;

    return (struct upstream_status){ .group = m->pool->group->name,
                                     .text = m->origin->text,
                                     .live = !m->origin->down && !h->rests && !h->checked_down,
                                     .resting = h->rests,
                                     .checked_down = h->checked_down,
                                     .down = m->origin->down,
                                     .connections = m->slots,
                                     .idle = m->idle_count,
                                     .exchanges = m->exchanges,
                                     .waiting = m->waiting_count,
                                     .requests = m->requests,
                                     .failures = m->failures };
}

uint32_t upstreams_status(const struct upstreams *u, struct upstream_status *out, uint32_t room)
{
    uint32_t members = 0;

    for (uint32_t i = 0; i < u->count; i++)
        for (uint32_t k = 0; k < u->pools[i].group->count; k++, members++)
            if (members < room)
                out[members] = status_of(&u->pools[i].members[k]);
    return members;
}
