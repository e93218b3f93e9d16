#include "exchange/wait.h"

enum flow exchange_wait(struct exchange *x, const char *what, void (*cancel)(void *with), void *with)
{
    DIE_UNLESS(x->wait.what == NULL);
    x->wait.what = what;
    x->wait.since_ms = x->now_ms;
    x->wait.cancel = cancel;
    x->wait.with = with;
    return FLOW_WAIT;
}

/* What is behind the first place without a name was never written. */
static void waited_add(struct exchange *x)
{
    struct waited *w = x->waits, *last = x->waits + EXCHANGE_WAITS - 1;

    while (w < last && w->what != NULL && w->what != x->wait.what)
        w++;
    if (w->what == NULL) {
        *w = (struct waited){ .what = x->wait.what };
        if (w < last)
            w[1].what = NULL;
    }
    w->ms += x->now_ms - x->wait.since_ms;
}

void exchange_wake(struct exchange *x, uint32_t ticket)
{
    if (x->wait.what == NULL || ticket != x->wait.ticket)
        return;
    x->host->tick(x);
    waited_add(x);
    x->wait.what = NULL;
    x->wait.ticket++;
    x->host->resume(x);
}

void exchange_cancel(struct exchange *x)
{
    if (x->wait.what == NULL)
        return;
    x->wait.what = NULL;
    x->wait.ticket++;
    if (x->wait.cancel != NULL)
        x->wait.cancel(x->wait.with);
}
