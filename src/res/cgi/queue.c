#include "exchange/wait.h"
#include "res/cgi/cgi_impl.h"

#define OF_WAITING(at) ((struct cgi *)((char *)(at)-offsetof(struct cgi, waiting)))

static struct cgi_worker *worker_of(const struct cgi *g)
{
    return g->x->res_worker;
}

void cgi_queue_leave(struct cgi *g)
{
    if (g->phase != PHASE_QUEUED)
        return;
    timer_drop(&g->queue_timer);
    link_remove(&g->waiting);
    worker_of(g)->waiting_count--;
    g->phase = PHASE_IDLE;
}

static void expire(struct timer *t)
{
    struct cgi *g = (struct cgi *)((char *)t - offsetof(struct cgi, queue_timer));

    cgi_queue_leave(g);
    g->queue_late = true;
    exchange_wake(g->x, g->queue_ticket);
}

static void cancel(void *with)
{
    cgi_queue_leave(with);
}

static enum flow enter(struct cgi *g)
{
    struct cgi_worker *w = worker_of(g);

    if (w->waiting_count >= g->settings->queue_limit)
        return FAIL(g, R_cgi_queue_full, 0);
    link_append(&w->waiting, &g->waiting);
    w->waiting_count++;
    g->phase = PHASE_QUEUED;
    g->queue_ticket = g->x->wait.ticket;
    timer_init(&g->queue_timer, expire);
    timer_set(w->processes.wheel, &g->queue_timer, w->processes.loop->now_ms, g->settings->queue_ms);
    return exchange_wait(g->x, "queue", cancel, g);
}

enum flow cgi_queue(struct cgi *g)
{
    struct cgi_worker *w = worker_of(g);

    if (g->phase == PHASE_GRANTED)
        return FLOW_GO;
    if (g->queue_late)
        return FAIL(g, R_cgi_queue_full, 0);
    if (w->waiting_count > 0 || w->processes.running >= g->settings->processes_limit)
        return enter(g);
    w->processes.running++;
    g->phase = PHASE_GRANTED;
    return FLOW_GO;
}

void cgi_queue_go_on(struct cgi_processes *all)
{
    struct cgi_worker *w = (struct cgi_worker *)((char *)all - offsetof(struct cgi_worker, processes));

    while (!link_is_empty(&w->waiting)) {
        struct cgi *g = OF_WAITING(w->waiting.next);

        if (all->running >= g->settings->processes_limit)
            return;
        cgi_queue_leave(g);
        all->running++;
        g->phase = PHASE_GRANTED;
        exchange_wake(g->x, g->queue_ticket);
    }
}
