#include <stdlib.h>

#include "exchange/wait.h"
#include "res/file/file_impl.h"

_Static_assert(offsetof(struct file_job, job) == 0, "a job is cast back to what embeds it");
_Static_assert(offsetof(struct file_waiter, link) == 0, "a link of waiters is cast back to the waiter");

static void on_helper(struct job *job)
{
    struct file_job *j = (struct file_job *)job;

    j->run(j);
}

void file_job_release(struct file_job **job)
{
    struct file_job *j = *job;

    *job = NULL;
    if (j == NULL || --j->holders > 0)
        return;
    j->discard(j);
    file_entry_release(&j->entry);
    free(j);
}

static void leave_running(struct file_job *j)
{
    if (link_is_in(&j->running))
        link_remove(&j->running);
}

static uint32_t waiters_take(struct file_job *j, struct link *ring)
{
    uint32_t n = 0;

    link_init(ring);
    link_move_all(&j->waiters, ring);
    for (struct link *at = ring->next; at != ring; at = at->next)
        n++;
    return n;
}

/* From here on j is held by those that wait, each of which may let go, or, alone, start it again. A wake-up runs an
 * exchange on, and may end others that wait: cancel() takes them out of the ring. */
static void wake_all(struct file_job *j)
{
    struct link ring;

    j->answered = true;
    j->holders = waiters_take(j, &ring);
    while (!link_is_empty(&ring)) {
        struct file_waiter *w = (struct file_waiter *)ring.next;

        link_remove(&w->link);
        file_state(w->x)->job = j;
        exchange_wake(w->x, w->ticket);
    }
}

static void on_answer(struct job *job)
{
    struct file_job *j = (struct file_job *)job;

    leave_running(j);
    if (j->finish != NULL)
        j->finish(j);
    wake_all(j);
}

/* All clients left. What was found is worth keeping all the same. */
static void on_drop(struct job *job)
{
    struct file_job *j = (struct file_job *)job;

    if (job->ran && j->finish != NULL)
        j->finish(j);
    file_job_release(&j);
}

/* The last one to leave turns off the light. */
static void cancel(void *with)
{
    struct file_waiter *w = with;
    struct file_job *j = w->job;

    link_remove(&w->link);
    if (j->answered) {
        file_job_release(&j);
    } else if (link_is_empty(&j->waiters)) {
        leave_running(j);
        job_orphan(&j->job);
    }
}

enum flow file_job_join(struct exchange *x, struct file_job *j, const char *what)
{
    struct file_waiter *w = &file_state(x)->waiter;

    *w = (struct file_waiter){ .x = x, .job = j, .ticket = x->wait.ticket };
    link_append(&j->waiters, &w->link);
    return exchange_wait(x, what, cancel, w);
}

void file_job_hold(struct exchange *x, struct file_job *j, struct file_entry *pin)
{
    j->worker = file_worker(x);
    j->entry = pin;
    j->holders = 1;
    j->answered = false;
    link_init(&j->waiters);
    if (pin != NULL)
        file_entry_take(pin);
}

enum flow file_job_start(struct exchange *x, struct file_job *j, struct file_entry *pin, const char *what)
{
    struct file_worker *fw = file_worker(x);

    j->job.run = on_helper;
    j->job.done = on_answer;
    j->job.drop = on_drop;
    file_job_hold(x, j, pin);
    if (offload_submit(fw->helpers, &j->job, fw->mail) != 0) {
        file_job_release(&j);
        return STOP(x, R_helper_queue_full, 0);
    }
    link_append(&fw->jobs, &j->running);
    return file_job_join(x, j, what);
}
