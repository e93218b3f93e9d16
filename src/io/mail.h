#ifndef IO_MAIL_H
#define IO_MAIL_H

#include <pthread.h>
#include <stdbool.h>

#include "io/loop.h"

/*
 * A letter between threads; embedded in what it tells. From mail_send() until open() it belongs to the box: the
 * sender touches nothing of it any more. open() runs on the box's thread and may free it.
 */
struct mail {
    struct mail *next;
    void (*open)(struct mail *m);
};

/* A worker's letter box; may not move between mail_box_init() and mail_box_fini(). */
struct mail_box {
    /* The owner's thread only. */
    struct {
        struct loop *loop;
        struct watch bell; /* first letter in an empty box -> eventfd -> the owner's loop */
    } mine;

    /* Any thread, under the lock. */
    struct {
        pthread_mutex_t lock;
        struct mail *first, **last;
    } shared;
};

/* Letters are opened by rounds of `loop`, on its thread. Returns 0 or -errno (-EMFILE, -ENFILE, -ENOMEM, -ENOSPC). */
__attribute__((warn_unused_result)) int mail_box_init(struct mail_box *box, struct loop *loop);

/* Owner's thread, before loop_fini(), when no sender is left. Opens the letters still there. */
void mail_box_fini(struct mail_box *box);

/*
 * Any thread. Letters of one sender are opened in the order in which they were sent. Never fails, never allocates;
 * a system call only when the box was empty.
 */
void mail_send(struct mail_box *box, struct mail *m);

/* Owner's thread. All letters in order, linked by `next`, without opening them; NULL: none. They are the caller's. */
struct mail *mail_receive(struct mail_box *box);

#endif
