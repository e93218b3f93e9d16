#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "io/offload.h"

static struct loop loop;
static struct mail_box box;
static struct offload pool;
static sem_t started, go_on; /* gates of run_gated() */

static unsigned done_count, drop_count, drop_unrun_count;
static unsigned order[64];

struct task {
    struct job job;
    unsigned number;
    unsigned square; /* what the helper writes */
    pthread_t asker;
    sigset_t mask;
};

static void run_square(struct job *j)
{
    struct task *t = (struct task *)j;

    assert_false(pthread_equal(pthread_self(), t->asker));
    t->square = t->number * t->number;
    pthread_sigmask(SIG_SETMASK, NULL, &t->mask);
}

static void run_gated(struct job *j)
{
    sem_post(&started);
    sem_wait(&go_on);
    run_square(j);
}

static void task_done(struct job *j)
{
    struct task *t = (struct task *)j;

    assert_true(pthread_equal(pthread_self(), t->asker));
    assert_true(j->ran);
    assert_int_equal(t->square, t->number * t->number);
    assert_int_equal(sigismember(&t->mask, SIGTERM), 1);
    order[done_count++] = t->number;
    free(t);
}

static void task_drop(struct job *j)
{
    struct task *t = (struct task *)j;

    assert_true(pthread_equal(pthread_self(), t->asker));
    drop_count++;
    drop_unrun_count += !j->ran;
    free(t);
}

static struct task *task_new(unsigned number, void (*run)(struct job *))
{
    struct task *t = calloc(1, sizeof *t);

    t->number = number;
    t->asker = pthread_self();
    t->job.run = run;
    t->job.done = task_done;
    t->job.drop = task_drop;
    return t;
}

static struct task *task_submit(unsigned number, void (*run)(struct job *))
{
    struct task *t = task_new(number, run);

    assert_int_equal(offload_submit(&pool, &t->job, &box), 0);
    return t;
}

static int setup(void **state)
{
    (void)state;
    done_count = drop_count = drop_unrun_count = 0;
    sem_init(&started, 0, 0);
    sem_init(&go_on, 0, 0);
    return loop_init(&loop) != 0 || mail_box_init(&box, &loop) != 0;
}

static int teardown(void **state)
{
    (void)state;
    mail_box_fini(&box);
    loop_fini(&loop);
    sem_destroy(&started);
    sem_destroy(&go_on);
    return 0;
}

static void receive(unsigned count)
{
    while (done_count + drop_count < count)
        assert_true(loop_round(&loop, 10000) >= 0);
}

static void answers_come_to_the_asker(void **state)
{
    (void)state;
    offload_init(&pool, 4, 64);
    for (unsigned i = 0; i < 50; i++)
        task_submit(i, run_square);
    receive(50);
    assert_int_equal(done_count, 50);
    assert_true(pool.shared.threads >= 1 && pool.shared.threads <= 4);
    offload_fini(&pool);
}

static void one_helper_keeps_the_order(void **state)
{
    (void)state;
    offload_init(&pool, 1, 64);
    for (unsigned i = 0; i < 20; i++)
        task_submit(i, run_square);
    receive(20);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(order[i], i);
    offload_fini(&pool);
}

static void a_full_queue_refuses_and_recovers(void **state)
{
    struct task *refused;

    (void)state;
    offload_init(&pool, 1, 2);
    task_submit(0, run_gated);
    sem_wait(&started);
    task_submit(1, run_square);
    task_submit(2, run_square);
    refused = task_new(3, run_square);
    assert_int_equal(offload_submit(&pool, &refused->job, &box), -EAGAIN);
    sem_post(&go_on);
    receive(3);
    assert_int_equal(offload_submit(&pool, &refused->job, &box), 0);
    receive(4);
    assert_int_equal(done_count, 4);
    offload_fini(&pool);
}

static void orphans_are_dropped_whether_they_ran_or_not(void **state)
{
    struct task *running, *waiting, *finished;

    (void)state;
    offload_init(&pool, 1, 8);
    running = task_submit(0, run_gated);
    sem_wait(&started);
    waiting = task_submit(1, run_square);
    finished = task_submit(2, run_gated);
    job_orphan(&running->job);
    job_orphan(&waiting->job);
    sem_post(&go_on);
    sem_wait(&started);
    sem_post(&go_on);
    offload_fini(&pool);
    job_orphan(&finished->job); /* its letter lies in the box already */
    receive(3);
    assert_int_equal(done_count, 0);
    assert_int_equal(drop_count, 3);
    assert_int_equal(drop_unrun_count, 1);
}

static void helpers_start_when_none_is_idle(void **state)
{
    (void)state;
    offload_init(&pool, 3, 8);
    assert_int_equal(pool.shared.threads, 0);
    for (unsigned i = 0; i < 3; i++)
        task_submit(i, run_gated);
    for (unsigned i = 0; i < 3; i++)
        sem_wait(&started); /* all three run at once */
    for (unsigned i = 0; i < 3; i++)
        sem_post(&go_on);
    receive(3);
    offload_fini(&pool);
}

static void fini_finishes_what_is_queued(void **state)
{
    (void)state;
    offload_init(&pool, 1, 64);
    for (unsigned i = 0; i < 30; i++)
        task_submit(i, run_square);
    offload_fini(&pool);
    receive(30);
    assert_int_equal(done_count, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_come_to_the_asker, setup, teardown),
        cmocka_unit_test_setup_teardown(one_helper_keeps_the_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_refuses_and_recovers, setup, teardown),
        cmocka_unit_test_setup_teardown(orphans_are_dropped_whether_they_ran_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(helpers_start_when_none_is_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(fini_finishes_what_is_queued, setup, teardown),
    };

    return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
