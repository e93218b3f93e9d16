#include "io/offload.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "base/check.h"

#define STACK_BYTES ((size_t)256 * 1024)

_Static_assert(offsetof(struct job, mail) == 0, "letters are cast back to jobs");

void offload_init(struct offload *o, unsigned threads, unsigned queue_limit)
{
    if (threads > OFFLOAD_THREADS_MAX)
        threads = OFFLOAD_THREADS_MAX;
    *o = (struct offload){ .fixed = { .threads_limit = threads > 0 ? threads : 1,
                                      .queue_limit = queue_limit > 0 ? queue_limit : 1 } };
    o->shared.last = &o->shared.first;
    pthread_mutex_init(&o->shared.lock, NULL);
    pthread_cond_init(&o->shared.work, NULL);
}

/* On the asker's thread, where the orphan mark was set if it was. */
static void job_open(struct mail *m)
{
    struct job *j = (struct job *)m;

    if (atomic_load_explicit(&j->orphan, memory_order_relaxed))
        j->drop(j);
    else
        j->done(j);
}

/* Waits under the lock; NULL: the queue is empty and the pool stops. */
static struct job *job_take(struct offload *o)
{
    struct mail *m;

    while ((m = o->shared.first) == NULL && !o->shared.stopping) {
        o->shared.idle++;
        pthread_cond_wait(&o->shared.work, &o->shared.lock);
        o->shared.idle--;
    }
    if (m == NULL)
        return NULL;
    o->shared.first = m->next;
    if (o->shared.first == NULL)
        o->shared.last = &o->shared.first;
    o->shared.queued--;
    return (struct job *)m;
}

static void job_run(struct job *j)
{
    j->ran = !atomic_load_explicit(&j->orphan, memory_order_relaxed);
    if (j->ran)
        j->run(j);
    j->mail.open = job_open;
    mail_send(j->reply, &j->mail);
}

static void *helper_main(void *arg)
{
    struct offload *o = arg;
    struct job *j;

    pthread_mutex_lock(&o->shared.lock);
    while ((j = job_take(o)) != NULL) {
        pthread_mutex_unlock(&o->shared.lock);
        job_run(j);
        pthread_mutex_lock(&o->shared.lock);
    }
    pthread_mutex_unlock(&o->shared.lock);
    return NULL;
}

/* Under the lock. A new thread inherits the mask of its maker: signals are for the main thread alone. */
static int helper_start(struct offload *o)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    int err;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    err = pthread_create(&o->shared.thread[o->shared.threads], &attributes, helper_main, o);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err == 0)
        pthread_setname_np(o->shared.thread[o->shared.threads++], "offload");
    return -err;
}

/* Under the lock. Helpers that were woken but have not taken their job yet still count as idle: hence the queue. */
static bool helper_found(struct offload *o)
{
    if (o->shared.idle > o->shared.queued || o->shared.threads == o->fixed.threads_limit)
        return true;
    return helper_start(o) == 0 || o->shared.threads > 0;
}

int offload_submit(struct offload *o, struct job *j, struct mail_box *reply)
{
    int err = -EAGAIN;

    DIE_UNLESS(j->run != NULL && j->done != NULL && j->drop != NULL);
    pthread_mutex_lock(&o->shared.lock);
    DIE_UNLESS(!o->shared.stopping);
    if (o->shared.queued < o->fixed.queue_limit && helper_found(o)) {
        j->reply = reply;
        j->mail.next = NULL;
        *o->shared.last = &j->mail;
        o->shared.last = &j->mail.next;
        o->shared.queued++;
        err = 0;
    }
    pthread_mutex_unlock(&o->shared.lock);
    /* Without the lock, or the helper that wakes has to wait for it at once. */
    if (err == 0)
        pthread_cond_signal(&o->shared.work);
    return err;
}

void job_orphan(struct job *j)
{
    atomic_store_explicit(&j->orphan, true, memory_order_relaxed);
}

void offload_fini(struct offload *o)
{
    pthread_mutex_lock(&o->shared.lock);
    o->shared.stopping = true;
    pthread_cond_broadcast(&o->shared.work);
    pthread_mutex_unlock(&o->shared.lock);
    for (unsigned i = 0; i < o->shared.threads; i++)
        pthread_join(o->shared.thread[i], NULL);
    pthread_cond_destroy(&o->shared.work);
    pthread_mutex_destroy(&o->shared.lock);
}
