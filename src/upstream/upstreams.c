#include <stdlib.h>

#include "upstream/upstream_impl.h"

/* How long the making of connections to places takes is told with each; they are not kept. */
static void places_init(struct upstreams *u)
{
    static const struct upstream_origin nowhere = { .weight = 1 };

    u->place_group.count = 1;
    u->places = (struct upstream_pool){ .all = u, .group = &u->place_group, .members = &u->place };
    u->place.origin = &nowhere;
    u->place.pool = &u->places;
    link_init(&u->place.idle);
    link_init(&u->place.waiting);
}

/* False without memory. */
static bool member_init(struct upstream_pool *pool, uint32_t index)
{
    struct upstream_member *m = &pool->members[index];
    const struct upstream_origin *origin = &pool->group->members[index];

    m->pool = pool;
    m->origin = origin;
    m->index = index;
    link_init(&m->idle);
    link_init(&m->waiting);
    pool->balance[index] = (struct balance_member){ .key = balance_key(origin->text), .backup = origin->backup };
    if (pool->group->check.path.n == 0 || origin->down)
        return true;
    m->check = check_new(m);
    return m->check != NULL;
}

/* What was made of it is released by upstreams_release(). */
static bool pool_init(struct upstreams *u, struct upstream_pool *pool, const struct upstream_group *group)
{
    struct upstream_member *members = calloc(group->count, sizeof *members);
    struct balance_member *balance = calloc(group->count, sizeof *balance);

    *pool = (struct upstream_pool){ .all = u, .group = group, .members = members, .balance = balance };
    if (members == NULL || balance == NULL)
        return group->count == 0;
    for (uint32_t i = 0; i < group->count; i++)
        if (!member_init(pool, i))
            return false;
    return true;
}

struct upstreams *upstreams_new(const struct upstream_world *world, const struct upstream_group *const *groups,
                                uint32_t count)
{
    struct upstreams *u = calloc(1, sizeof *u);

    if (u == NULL)
        return NULL;
    u->world = *world;
    u->pools = calloc(count > 0 ? count : 1, sizeof *u->pools);
    places_init(u);
    for (uint32_t i = 0; u->pools != NULL && i < count; i++) {
        u->count++;
        if (!pool_init(u, &u->pools[i], groups[i])) {
            upstreams_release(&u);
            return NULL;
        }
    }
    if (u->pools == NULL)
        upstreams_release(&u);
    return u;
}

/* A member that was not come to is all zero. */
static void member_release(struct upstream_member *m)
{
    if (m->pool == NULL)
        return;
    check_free(m->check);
    pool_empty(m);
    DIE_UNLESS(m->slots == 0);
    tls_session_drop(&m->session);
}

static void pool_release(struct upstream_pool *pool)
{
    for (uint32_t i = 0; pool->members != NULL && i < pool->group->count; i++)
        member_release(&pool->members[i]);
    free(pool->members);
    free(pool->balance);
}

static void spares_free(struct upstreams *u)
{
    while (u->spare != NULL) {
        void *spare = u->spare;

        memcpy(&u->spare, spare, sizeof u->spare);
        free(spare);
    }
}

void upstreams_release(struct upstreams **released)
{
    struct upstreams *u = *released;

    *released = NULL;
    if (u == NULL)
        return;
    for (uint32_t i = 0; i < u->count; i++)
        pool_release(&u->pools[i]);
    DIE_UNLESS(u->place.slots == 0);
    spares_free(u);
    free(u->pools);
    free(u);
}
