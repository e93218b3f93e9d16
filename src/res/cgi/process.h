#ifndef RES_CGI_PROCESS_H
#define RES_CGI_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"
#include "io/complaint.h"
#include "io/link.h"
#include "io/loop.h"
#include "io/wheel.h"
#include "res/cgi/spawn.h"

/* Between being asked to end and being made to. */
#define CGI_GRACE_MS 2000u

/* What all programs of a worker have in common; they outlive the exchanges that they were started for. */
struct cgi_processes {
    struct loop *loop;
    struct wheel *wheel;
    struct link all;
    uint32_t running; /* slots taken: by programs until they are reaped, and by who will start one */
    void (*freed)(struct cgi_processes *all); /* a slot is free again; not called from within the calls below */
    struct deferred turn;
};

/*
 * A program that runs, and its three pipes. It belongs to an exchange until cgi_process_leave(), and then to itself, until
 * it has ended and was reaped.
 */
struct cgi_process {
    struct link link;
    struct cgi_processes *all;
    struct watch exit, in, out, err; /* fd -1: closed */
    struct timer timer;
    pid_t pid;
    bool exited;             /* it waits to be reaped: until it was left its id must stay its own */
    bool left;               /* by its exchange */
    bool termed;             /* it was asked to end */
    bool readable, writable; /* as the last events and calls say */
    struct exchange *x;      /* who is to be woken; NULL: nobody */
    uint32_t ticket;
    bool late;
    char who[sizeof "cgi " - 1 + EXCHANGE_ID_LETTERS];
    struct complaint complaint;
};

void cgi_processes_init(struct cgi_processes *all, struct loop *loop, struct wheel *wheel);

/* All programs are killed, and reaped. No exchange has one. */
void cgi_processes_fini(struct cgi_processes *all);

/* Start one for x, into a slot that was counted already and is given back when it was reaped, but not when this fails.
 * 0 with *out, or -errno. */
__attribute__((warn_unused_result)) int cgi_process_start(struct cgi_processes *all, const struct cgi_start *start,
                                                          struct exchange *x, struct cgi_process **out);

/* Bytes read; 0: the end; -EAGAIN; -errno. */
long cgi_process_read(struct cgi_process *p, char *to, size_t room);

/* Bytes taken; -EAGAIN; -EPIPE: it reads no more; -errno. */
long cgi_process_write(struct cgi_process *p, struct span bytes);

/* How it ended: an exit status, or a signal when *signalled. False: it has not ended yet, and cgi_process_watch() wakes when
 * it has. */
bool cgi_process_ended(struct cgi_process *p, bool *signalled, int *code);

/* It gets no more input. */
void cgi_process_end_input(struct cgi_process *p);

/* Wake x with its present ticket when p can be read or written again, has ended, or at the deadline: once for each call, to be made
 * after x was parked. 0: no deadline. */
void cgi_process_watch(struct cgi_process *p, struct exchange *x, uint32_t deadline_ms);

/* Has the deadline of the last watch passed, without a byte read or written since? */
static inline bool cgi_process_is_late(const struct cgi_process *p)
{
    return p->late;
}

/* Give it up, with all pipes but that for its errors. patience_ms: how long it may go on; 0: its whole process group is
 * asked to end at once. Who does not end is killed CGI_GRACE_MS later. */
void cgi_process_leave(struct cgi_process *p, uint32_t patience_ms);

/* A slot that was counted is not needed. */
void cgi_slot_free(struct cgi_processes *all);

#endif
