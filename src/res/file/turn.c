#include <stdlib.h>

#include "exchange/wait.h"
#include "res/file/file_impl.h"

#define TURN_BYTES  ((uint64_t)1024 * 1024)
#define TURN_PIECES 256u /* a chunk of one byte costs as many calls as one of many */

bool file_turn_is_over(struct file_turn *turn, struct span piece)
{
    turn->bytes += piece.n;
    turn->pieces++;
    return turn->bytes >= TURN_BYTES || turn->pieces >= TURN_PIECES;
}

struct turn {
    struct mail mail;
    struct exchange *x; /* NULL after the client left */
    uint32_t ticket;
};

static void turn_open(struct mail *m)
{
    struct turn *t = (struct turn *)m;
    struct exchange *x = t->x;
    uint32_t ticket = t->ticket;

    free(t);
    if (x != NULL)
        exchange_wake(x, ticket);
}

static void turn_cancel(void *with)
{
    ((struct turn *)with)->x = NULL;
}

/* A letter to ourselves is opened after the events of this round. */
enum flow file_turn_wait(struct exchange *x)
{
    struct turn *t = malloc(sizeof *t);

    if (t == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    *t = (struct turn){ .mail.open = turn_open, .x = x, .ticket = x->wait.ticket };
    mail_send(file_worker(x)->mail, &t->mail);
    return exchange_wait(x, "turn", turn_cancel, t);
}
