/*
 * From an exchange to a connection. What has to wait keeps itself in a struct search; a connection that was kept needs
 * none.
 *
 *   choose --> kept ------------------------------------------------> handed out
 *          `-> slot there? --no--> queue --> granted a slot --> make --^
 *                     `---yes------------------------------------^
 */
#include <errno.h>
#include <stdlib.h>

#include "exchange/wait.h"
#include "upstream/making.h"
#include "upstream/take_impl.h"

enum stage {
    QUEUED,  /* in the member's ring */
    GRANTED, /* out of it, with a slot, and perhaps a connection; x is woken at the end of the round */
    MAKING,
    MADE,
    FAILED
};

struct search {
    struct link waiting;
    enum stage stage;
    bool probes, fresh;
    bool slot; /* one of the member's is ours */
    struct upstreams *all;
    struct upstream_member *member;
    struct exchange *x;
    uint32_t ticket;
    struct connection *up; /* GRANTED: may be NULL; MADE */
    struct verdict failed;
    struct timer timer;
    struct deferred turn;
    struct making making;
    struct making_settings settings;
};

#define FAIL_WITH(s, why, at, about) verdict_set_at(&(s)->failed, (why), (uint32_t)(at), (about), HERE)

/* --- Events --- */

static void wake(struct search *s)
{
    exchange_wake(s->x, s->ticket);
}

static void take_turn(struct deferred *d)
{
    wake((struct search *)((char *)d - offsetof(struct search, turn)));
}

static struct search *of_waiting(const struct link *waiting)
{
    return (struct search *)((uintptr_t)waiting - offsetof(struct search, waiting));
}

bool search_wants_kept(const struct link *waiting)
{
    return !of_waiting(waiting)->fresh;
}

void search_grant(struct link *waiting, struct connection *c)
{
    struct search *s = of_waiting(waiting);

    timer_drop(&s->timer);
    s->stage = GRANTED;
    s->slot = true;
    s->up = c;
    loop_defer(s->all->world.loop, &s->turn);
}

static void queue_expire(struct timer *t)
{
    struct search *s = (struct search *)((char *)t - offsetof(struct search, timer));

    link_remove(&s->waiting);
    s->member->waiting_count--;
    FAIL_WITH(s, R_upstream_queue_timeout, 0, s->member->origin->text);
    s->stage = FAILED;
    wake(s);
}

static void collect(struct search *s)
{
    s->up = s->making.up;
    s->failed = s->making.failed;
    s->stage = s->up != NULL ? MADE : FAILED;
}

static void making_done(struct making *m)
{
    struct search *s = (struct search *)((char *)m - offsetof(struct search, making));

    collect(s);
    wake(s);
}

/* --- How it ends --- */

/* Others are at fault when no connection was made, but for what is our own trouble. */
static bool is_members_fault(enum reason why)
{
    return why != R_worker_memory_exhausted && why != R_upstream_exchange_failed && why != R_upstream_ip_prohibited &&
           why != R_upstream_queue_timeout && why != R_upstream_connection_limit;
}

/* The member has one exchange less; it may have failed it. */
static void part(struct upstream_member *m, bool probes, enum reason why)
{
    const bool ill = why != R_NONE && is_members_fault(why);

    m->exchanges--;
    if (ill)
        pool_blame(m);
    if (probes)
        health_probed(&m->health, m->pool->group, ill ? HEALTH_ILL : HEALTH_UNKNOWN, m->pool->all->world.loop->now_ms);
}

static void search_free(struct search *s)
{
    timer_drop(&s->timer);
    loop_undefer(&s->turn);
    free(s);
}

static enum flow stop(struct exchange *x, struct upstream_search *asked, const struct verdict *failed)
{
    asked->failed = *failed;
    asked->failed.operand = arena_copy(&x->arena, failed->operand);
    return FLOW_STOP;
}

static enum flow stop_early(struct upstream_search *asked, struct upstream_member *m, bool probes, enum reason why)
{
    part(m, probes, why);
    asked->tried |= member_bit(m);
    verdict_set_at(&asked->failed, why, 0, m->origin->text, HERE);
    return FLOW_STOP;
}

static enum flow stop_failed(struct exchange *x, struct upstream_search *asked)
{
    struct search *s = asked->state;
    struct upstream_member *m = s->member;
    const bool slot = s->slot;
    enum flow flow = stop(x, asked, &s->failed);

    part(m, s->probes, s->failed.why);
    asked->tried |= member_bit(m);
    asked->state = NULL;
    search_free(s);
    if (slot)
        pool_free_slot(m);
    return flow;
}

static enum flow hand_out(struct upstream_search *asked, struct connection *c, bool probes, struct upstream **out)
{
    struct upstream_member *m = c->up.member;

    m->requests++;
    c->probes = probes;
    c->asked = asked;
    if (c->up.exchanges == 0)
        asked->tried |= member_bit(m);
    asked->connected_ms = m->pool->all->world.loop->now_ms;
    *out = &c->up;
    return FLOW_GO;
}

static void give_back(struct search *s)
{
    struct upstream_member *m = s->member;

    if (s->up == NULL)
        pool_free_slot(m);
    else if (s->stage == GRANTED && connection_is_quiet(s->up))
        pool_keep(s->up);
    else
        pool_close(s->up);
}

void upstream_abandon(struct upstream_search *asked)
{
    struct search *s = asked->state;

    if (s == NULL)
        return;
    asked->state = NULL;
    if (s->stage == QUEUED) {
        link_remove(&s->waiting);
        s->member->waiting_count--;
    }
    if (s->stage == MAKING)
        making_cancel(&s->making);
    part(s->member, s->probes, R_NONE);
    if (s->slot)
        give_back(s);
    search_free(s);
}

/* --- How it goes on --- */

static void abandon(void *asked)
{
    upstream_abandon(asked);
}

static enum flow park(struct exchange *x, struct upstream_search *asked)
{
    struct search *s = asked->state;

    s->x = x;
    s->ticket = x->wait.ticket;
    return exchange_wait(x, s->stage == QUEUED || s->stage == GRANTED ? "queue" : "connect", abandon, asked);
}

static void make(struct search *s)
{
    s->stage = MAKING;
    if (making_start(&s->making, &s->settings))
        collect(s);
}

/* What was granted may have been closed in the meantime; its slot is ours all the same. */
static void use_grant(struct search *s)
{
    if (s->up != NULL && connection_is_quiet(s->up)) {
        connection_lend(s->up);
        s->stage = MADE;
        return;
    }
    if (s->up != NULL)
        connection_free(s->up);
    s->up = NULL;
    make(s);
}

enum flow search_go_on(struct exchange *x, struct upstream_search *asked, struct upstream **out)
{
    struct search *s = asked->state;
    enum flow flow;

    if (s->stage == GRANTED)
        use_grant(s);
    if (s->stage == FAILED)
        return stop_failed(x, asked);
    if (s->stage != MADE)
        return park(x, asked);
    flow = hand_out(asked, s->up, s->probes, out);
    asked->state = NULL;
    search_free(s);
    return flow;
}

static struct search *search_new(struct upstream_search *asked, struct upstream_member *m, bool probes)
{
    struct search *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->all = m->pool->all;
    s->member = m;
    s->probes = probes;
    s->fresh = asked->fresh;
    s->making.done = making_done;
    s->turn.run = take_turn;
    timer_init(&s->timer, queue_expire);
    asked->state = s;
    return s;
}

enum flow search_make(struct exchange *x, struct upstream_search *asked, const struct making_settings *settings,
                      bool probes, struct upstream **out)
{
    struct upstream_member *m = settings->member;
    struct search *s = search_new(asked, m, probes);

    if (s == NULL) {
        pool_free_slot(m);
        return stop_early(asked, m, probes, R_worker_memory_exhausted);
    }
    s->slot = true;
    s->settings = *settings;
    make(s);
    return search_go_on(x, asked, out);
}

/* --- How it begins --- */

static struct making_settings settings_of(const struct exchange *x, struct upstream_member *m)
{
    const struct upstream_origin *origin = m->origin;

    return (struct making_settings){ .member = m,
                                     .host = origin->host,
                                     .port = origin->port,
                                     .address = origin->address.len > 0 ? &origin->address : NULL,
                                     .limit_ms = m->pool->group->connect_ms,
                                     .client = x->peer };
}

static enum flow queue(struct exchange *x, struct upstream_search *asked, struct upstream_member *m, bool probes)
{
    const struct upstream_group *group = m->pool->group;
    const struct upstream_world *world = &m->pool->all->world;
    struct search *s;

    if (m->waiting_count >= group->queue_limit)
        return stop_early(asked, m, probes, R_upstream_connection_limit);
    s = search_new(asked, m, probes);
    if (s == NULL)
        return stop_early(asked, m, probes, R_worker_memory_exhausted);
    s->settings = settings_of(x, m);
    link_append(&m->waiting, &s->waiting);
    m->waiting_count++;
    timer_set(world->wheel, &s->timer, world->loop->now_ms, group->queue_ms);
    return park(x, asked);
}

static bool is_full(const struct upstream_member *m)
{
    const uint32_t limit = m->pool->group->connections_limit;

    return limit != 0 && m->slots >= limit;
}

/* A rest is there for others to step in. When there are none, whoever rests may be well again, and to ask is better than
 * to refuse. */
static bool is_anybody_live(const struct upstream_pool *pool, uint64_t now_ms)
{
    for (uint32_t i = 0; i < pool->group->count; i++)
        if (!pool->members[i].origin->down && health_is_live(&pool->members[i].health, now_ms))
            return true;
    return false;
}

static void look_at(struct upstream_pool *pool, uint32_t tried, uint64_t now_ms)
{
    const bool anybody = is_anybody_live(pool, now_ms);

    for (uint32_t i = 0; i < pool->group->count; i++) {
        const struct upstream_member *m = &pool->members[i];
        struct balance_member *b = &pool->balance[i];

        b->weight = m->origin->weight * health_share(&m->health, pool->group, now_ms);
        b->exchanges = m->exchanges;
        b->able = !m->origin->down && (anybody ? health_is_live(&m->health, now_ms) : !m->health.checked_down);
        b->tried = (tried & member_bit(m)) != 0;
        b->full = is_full(m) && m->idle_count == 0;
    }
}

static struct upstream_member *choose(struct upstream_pool *pool, uint64_t hash, struct upstream_search *asked)
{
    const struct upstream_group *group = pool->group;
    uint32_t chosen;

    look_at(pool, asked->tried, pool->all->world.loop->now_ms);
    chosen = balance_choose(pool->balance, group->count, group->balance, hash);
    asked->another_left = balance_has_another(pool->balance, group->count, chosen);
    if (chosen == BALANCE_NOBODY)
        return NULL;
    return &pool->members[chosen];
}

static enum flow begin(struct exchange *x, struct upstream_search *asked, struct upstream_member *m,
                       struct upstream **out)
{
    const bool probes = health_take(&m->health, m->pool->group, m->pool->all->world.loop->now_ms);
    struct making_settings settings;
    struct connection *c = asked->fresh ? NULL : pool_take(m);

    asked->upstream = m->origin->text;
    m->exchanges++;
    if (c != NULL) {
        connection_lend(c);
        return hand_out(asked, c, probes, out);
    }
    if (is_full(m) && !pool_make_room(m))
        return queue(x, asked, m, probes);
    if (!is_full(m))
        m->slots++;
    settings = settings_of(x, m);
    return search_make(x, asked, &settings, probes, out);
}

enum flow upstream_take(struct exchange *x, struct upstreams *u, uint32_t group, uint64_t hash,
                        struct upstream_search *asked, struct upstream **out)
{
    struct upstream_pool *pool = &u->pools[group];
    struct upstream_member *m;

    if (asked->state != NULL)
        return search_go_on(x, asked, out);
    asked->upstream = (struct span){ 0 };
    m = choose(pool, hash, asked);
    if (m != NULL)
        return begin(x, asked, m, out);
    verdict_set_at(&asked->failed, R_upstream_all_down, 0, pool->group->name, HERE);
    return FLOW_STOP;
}
