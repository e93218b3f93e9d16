#ifndef IO_OFFLOAD_H
#define IO_OFFLOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "io/mail.h"

#define OFFLOAD_THREADS_MAX 256u

/*
 * Blocking work for a helper thread. Embedded in memory of its own (never in an arena: the asker may go first); the
 * caller zeroes it and sets the three functions, then the job owns all that run() reads and writes.
 *
 *   submit --> run() on a helper --> mail to the reply box --> done() on the asker's thread
 *                                                         `--> drop() there instead, after job_orphan()
 *
 * Exactly one of done() and drop() is called for each job taken, and may free it.
 */
struct job {
    struct mail mail;
    struct mail_box *reply;
    atomic_bool orphan;
    bool ran; /* valid in drop(): false when the job became an orphan before a helper took it */
    void (*run)(struct job *j);
    void (*done)(struct job *j);
    void (*drop)(struct job *j);
};

/*
 * Helper threads with one bounded queue, first come first served. May not move between init and fini.
 *
 * Threads  started when a job finds none idle, up to the limit; 256 KiB of stack each, all signals blocked.
 */
struct offload {
    /* Set before the first submit, then read-only. */
    struct {
        unsigned threads_limit, queue_limit;
    } fixed;

    /* Any thread, under the lock. */
    struct {
        pthread_mutex_t lock;
        pthread_cond_t work; /* a job was queued, or stopping was set */
        struct mail *first, **last;
        unsigned queued, idle, threads;
        bool stopping;
        pthread_t thread[OFFLOAD_THREADS_MAX];
    } shared;
};

/* threads: 1 to OFFLOAD_THREADS_MAX (more counts as that); queue_limit: jobs that may wait for a helper, at least 1. */
void offload_init(struct offload *o, unsigned threads, unsigned queue_limit);

/*
 * Let the helpers finish every queued job, and join them. Nobody may submit any more. The answers are in the reply
 * boxes: open those (mail_box_fini() does) after this.
 */
void offload_fini(struct offload *o);

/*
 * Any thread. The answer goes to `reply`, which must outlive the job.
 * Returns 0; or -EAGAIN when the queue is full or no helper can be started: the job is still the caller's and nothing
 * of it is called.
 */
__attribute__((warn_unused_result)) int offload_submit(struct offload *o, struct job *j, struct mail_box *reply);

/*
 * The asker goes: drop() instead of done(). Asker's thread, between submit and done(). run() is skipped if it has not
 * begun; if it runs now it runs to its end, and drop() comes after that.
 */
void job_orphan(struct job *j);

#endif
