#include "admin/running_gather.h"

#include <stdlib.h>

#include "exchange/wait.h"

/* One worker's answer; it finds the way back by its place in the array. */
struct asked {
    struct running_request request;
    struct running_gather *gather;
    bool came;
};

struct running_gather {
    struct exchange *x; /* NULL: gone */
    uint32_t ticket;
    bool waits, late;
    uint32_t missing; /* answers still to come */
    uint32_t count;
    struct timer timer;
    const struct running_request **answers;
    struct asked asked[];
};

static void gather_free(struct running_gather *g)
{
    timer_drop(&g->timer);
    free(g->answers);
    free(g);
}

static void gather_wake(struct running_gather *g)
{
    if (!g->waits)
        return;
    g->waits = false;
    exchange_wake(g->x, g->ticket);
}

static void answer_came(struct running_request *r)
{
    struct asked *asked = (struct asked *)r;
    struct running_gather *g = asked->gather;

    asked->came = true;
    if (--g->missing > 0)
        return;
    if (g->x == NULL)
        gather_free(g);
    else
        gather_wake(g);
}

static void gather_late(struct timer *t)
{
    struct running_gather *g = (struct running_gather *)((char *)t - offsetof(struct running_gather, timer));

    g->late = true;
    gather_wake(g);
}

static void gather_ask(struct running_gather *g, const struct admin_source *source)
{
    for (uint32_t i = 0; i < source->view_count; i++) {
        struct asked *asked = &g->asked[g->count];

        if (source->views[i].is_admin)
            continue;
        asked->gather = g;
        asked->request.worker = i;
        asked->request.done = answer_came;
        g->count++;
        g->missing++;
    }
    for (uint32_t i = 0; i < g->count; i++)
        source->ask_running(source->server, &g->asked[i].request);
}

struct running_gather *running_gather_new(const struct admin_source *source, struct wheel *wheel, struct exchange *x)
{
    struct running_gather *g = calloc(1, sizeof *g + source->view_count * sizeof g->asked[0]);

    if (g == NULL)
        return NULL;
    g->answers = calloc(source->view_count, sizeof(const struct running_request *));
    if (g->answers == NULL) {
        free(g);
        return NULL;
    }
    g->x = x;
    timer_init(&g->timer, gather_late);
    timer_set(wheel, &g->timer, x->now_ms, RUNNING_GATHER_MS);
    gather_ask(g, source);
    return g;
}

bool running_gather_ready(const struct running_gather *g)
{
    return g->missing == 0 || g->late;
}

static void wait_cancel(void *with)
{
    struct running_gather *g = with;

    g->waits = false;
}

enum flow running_gather_wait(struct running_gather *g, struct exchange *x)
{
    g->waits = true;
    g->ticket = x->wait.ticket;
    return exchange_wait(x, "workers", wait_cancel, g);
}

const struct running_request *const *running_gather_answers(const struct running_gather *g, uint32_t *count_out,
                                                            uint32_t *silent_out)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < g->count; i++)
        if (g->asked[i].came)
            g->answers[count++] = &g->asked[i].request;
    *count_out = count;
    *silent_out = g->count - count;
    return g->answers;
}

void running_gather_release(struct running_gather **gather)
{
    struct running_gather *g = *gather;

    *gather = NULL;
    if (g == NULL)
        return;
    g->x = NULL;
    g->waits = false;
    timer_drop(&g->timer);
    if (g->missing == 0)
        gather_free(g);
}
