#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "io/mail.h"

#define SENDERS 4u
#define LETTERS 2000u

struct letter {
    struct mail mail;
    unsigned sender, number;
};

static struct loop loop;
static struct mail_box box;
static struct letter letters[SENDERS][LETTERS];
static unsigned seen[SENDERS];

static void letter_open(struct mail *m)
{
    struct letter *l = (struct letter *)m;

    assert_int_equal(l->number, seen[l->sender]);
    seen[l->sender]++;
}

static void letter_send(unsigned sender, unsigned number)
{
    letters[sender][number] = (struct letter){ .mail.open = letter_open, .sender = sender, .number = number };
    mail_send(&box, &letters[sender][number].mail);
}

static void *send_all(void *arg)
{
    const unsigned sender = *(unsigned *)arg;

    for (unsigned i = 0; i < LETTERS; i++)
        letter_send(sender, i);
    return NULL;
}

static int setup(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SENDERS; i++)
        seen[i] = 0;
    return loop_init(&loop) != 0 || mail_box_init(&box, &loop) != 0;
}

static int teardown(void **state)
{
    (void)state;
    mail_box_fini(&box);
    loop_fini(&loop);
    return 0;
}

static void letters_of_many_threads_keep_their_order(void **state)
{
    pthread_t threads[SENDERS];
    unsigned numbers[SENDERS];
    unsigned total = 0;

    (void)state;
    for (unsigned i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &numbers[i]), 0);
    }
    while (total < SENDERS * LETTERS) {
        assert_true(loop_round(&loop, 10000) >= 0);
        total = 0;
        for (unsigned i = 0; i < SENDERS; i++)
            total += seen[i];
    }
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
}

static void one_event_for_many_letters_and_one_for_the_next(void **state)
{
    (void)state;
    letter_send(0, 0);
    letter_send(0, 1);
    letter_send(0, 2);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(seen[0], 3);
    assert_int_equal(loop_round(&loop, 0), 0);
    letter_send(0, 3);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(seen[0], 4);
}

static void received_letters_are_in_order_and_unopened(void **state)
{
    struct mail *m;

    (void)state;
    assert_null(mail_receive(&box));
    letter_send(0, 0);
    letter_send(0, 1);
    m = mail_receive(&box);
    assert_ptr_equal(m, &letters[0][0].mail);
    assert_ptr_equal(m->next, &letters[0][1].mail);
    assert_null(m->next->next);
    assert_int_equal(seen[0], 0);
    loop_round(&loop, 0); /* the bell of an emptied box is harmless */
    letter_send(1, 0);
    assert_int_equal(loop_round(&loop, 1000), 1);
    assert_int_equal(seen[1], 1);
}

static void fini_opens_what_is_left(void **state)
{
    (void)state;
    letter_send(2, 0);
    mail_box_fini(&box);
    assert_int_equal(seen[2], 1);
    assert_int_equal(mail_box_init(&box, &loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(letters_of_many_threads_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(one_event_for_many_letters_and_one_for_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(received_letters_are_in_order_and_unopened, setup, teardown),
        cmocka_unit_test_setup_teardown(fini_opens_what_is_left, setup, teardown),
    };

    return cmocka_run_group_tests_name("mail", tests, NULL, NULL);
}
