#include <stdlib.h>

#include "exchange/wait.h"
#include "res/file/file_impl.h"

_Static_assert(offsetof(struct file_job, job) == 0, "a job is cast back to what embeds it");

static void on_helper(struct job *job)
{
    struct file_job *j = (struct file_job *)job;

    j->run(j);
}

void file_job_release(struct file_job **job)
{
    struct file_job *j = *job;

    *job = NULL;
    if (j == NULL)
        return;
    j->discard(j);
    file_entry_release(&j->entry);
    free(j);
}

static void on_answer(struct job *job)
{
    struct file_job *j = (struct file_job *)job;

    if (j->finish != NULL)
        j->finish(j);
    j->answered = true;
    exchange_wake(j->x, j->ticket);
}

/* The client left. What was found is worth keeping all the same. */
static void on_drop(struct job *job)
{
    struct file_job *j = (struct file_job *)job;

    if (job->ran && j->finish != NULL)
        j->finish(j);
    file_job_release(&j);
}

static void cancel(void *with)
{
    struct file_job *j = with;

    file_state(j->x)->job = NULL;
    j->x = NULL;
    job_orphan(&j->job);
}

enum flow file_job_start(struct exchange *x, struct file_job *j, struct file_entry *pin, const char *what)
{
    struct file_worker *fw = file_worker(x);

    j->job.run = on_helper;
    j->job.done = on_answer;
    j->job.drop = on_drop;
    j->x = x;
    j->worker = fw;
    j->ticket = x->wait.ticket;
    j->entry = pin;
    if (pin != NULL)
        file_entry_take(pin);
    if (offload_submit(fw->helpers, &j->job, fw->mail) != 0) {
        file_job_release(&j);
        return STOP(x, R_helper_queue_full, 0);
    }
    file_state(x)->job = j;
    return exchange_wait(x, what, cancel, j);
}
