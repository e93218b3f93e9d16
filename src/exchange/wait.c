#include "exchange/wait.h"

enum flow exchange_wait(struct exchange *x, const char *what, void (*cancel)(void *with), void *with)
{
    DIE_UNLESS(x->wait.what == NULL);
    x->wait.what = what;
    x->wait.cancel = cancel;
    x->wait.with = with;
    return FLOW_WAIT;
}

void exchange_wake(struct exchange *x, uint32_t ticket)
{
    if (x->wait.what == NULL || ticket != x->wait.ticket)
        return;
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
