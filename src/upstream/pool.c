/* The connections of a member that nobody uses, and those who wait for one. */
#include "upstream/upstream_impl.h"

static struct connection *connection_of_link(struct link *link)
{
    return (struct connection *)((char *)link - offsetof(struct connection, link));
}

static void idle_remove(struct connection *c)
{
    link_remove(&c->link);
    c->idle = false;
    c->up.member->idle_count--;
}

/* Nothing that comes on a connection that carries no exchange is good, and neither is staying for too long. */
static void idle_happened(struct connection *c)
{
    if (timer_is_set(&c->timer) && connection_is_quiet(c))
        return;
    idle_remove(c);
    pool_close(c);
}

/* What happens to an idle one is acted on at once, so that there is nothing to look for. */
struct connection *pool_take(struct upstream_member *m)
{
    struct connection *last;

    if (link_is_empty(&m->idle))
        return NULL;
    last = connection_of_link(m->idle.prev);
    idle_remove(last);
    return last;
}

bool pool_make_room(struct upstream_member *m)
{
    struct connection *oldest;

    if (link_is_empty(&m->idle))
        return false;
    oldest = connection_of_link(m->idle.next);
    idle_remove(oldest);
    connection_free(oldest);
    return true;
}

void pool_free_slot(struct upstream_member *m)
{
    struct link *first = m->waiting.next;

    if (link_is_empty(&m->waiting)) {
        m->slots--;
        return;
    }
    link_remove(first);
    m->waiting_count--;
    search_grant(first, NULL);
}

void pool_close(struct connection *c)
{
    struct upstream_member *m = c->up.member;

    connection_free(c);
    pool_free_slot(m);
}

static void idle_append(struct connection *c)
{
    struct upstream_member *m = c->up.member;
    const struct upstream_group *group = m->pool->group;
    const struct upstream_world *world = &m->pool->all->world;

    c->idle = true;
    c->happened = idle_happened;
    link_append(&m->idle, &c->link);
    timer_set(world->wheel, &c->timer, world->loop->now_ms, group->idle_ms);
    if (++m->idle_count > group->idle_limit && pool_make_room(m))
        pool_free_slot(m);
}

void pool_keep(struct connection *c)
{
    struct upstream_member *m = c->up.member;
    struct link *first = m->waiting.next;

    if (link_is_empty(&m->waiting)) {
        idle_append(c);
    } else if (search_wants_kept(first)) {
        link_remove(first);
        m->waiting_count--;
        search_grant(first, c);
    } else {
        pool_close(c);
    }
}

void pool_empty(struct upstream_member *m)
{
    while (pool_make_room(m))
        m->slots--;
}

void pool_blame(struct upstream_member *m)
{
    m->failures++;
    health_failed(&m->health, m->pool->group, m->pool->all->world.loop->now_ms);
}

/* --- What its user says --- */

/* Who has heard nothing does not know how the member is. */
static enum health_probe verdict_of(const struct connection *c, enum upstream_end how)
{
    if (how == UPSTREAM_FAILED)
        return HEALTH_ILL;
    return c->heard ? HEALTH_WELL : HEALTH_UNKNOWN;
}

static void probe_pay(struct connection *c, enum health_probe how)
{
    struct upstream_member *m = c->up.member;

    if (c->probes)
        health_probed(&m->health, m->pool->group, how, m->pool->all->world.loop->now_ms);
    c->probes = false;
}

void upstream_well(struct upstream *up)
{
    probe_pay(connection_of(up), HEALTH_WELL);
}

static bool can_be_kept(struct connection *c)
{
    const struct upstream_group *group = c->up.member->pool->group;

    if (group->idle_limit == 0 || group->idle_ms == 0 || group->proxy_protocol != 0 || c->up.at < c->up.have)
        return false;
    if (group->exchanges_limit != 0 && c->up.exchanges >= group->exchanges_limit)
        return false;
    return connection_is_quiet(c);
}

static void fail(struct connection *c)
{
    c->asked->tried |= member_bit(c->up.member);
    pool_blame(c->up.member);
}

void upstream_release(struct upstream *up, enum upstream_end how)
{
    struct connection *c = connection_of(up);
    struct upstream_member *m = up->member;

    if (how == UPSTREAM_FAILED)
        fail(c);
    probe_pay(c, verdict_of(c, how));
    m->exchanges--;
    up->exchanges++;
    if (how != UPSTREAM_KEEP || !can_be_kept(c)) {
        pool_close(c);
        return;
    }
    upstream_buffer_return(up);
    connection_lend(c);
    pool_keep(c);
}
