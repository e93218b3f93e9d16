#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "upstream/balance.h"

#define MEMBERS 4
#define MANY    10000

/* So many members that are able, with these weights. */
static void make(struct balance_member *m, const uint32_t *weights, uint32_t count)
{
    static const char *const names[MEMBERS] = { "a:1", "b:1", "c:1", "d:1" };

    for (uint32_t i = 0; i < count; i++)
        m[i] = (struct balance_member){ .key = balance_key(span_of(names[i])), .weight = weights[i], .able = true };
}

static void test_turns_are_smooth(void **state)
{
    static const struct {
        uint32_t weights[MEMBERS], count;
        const char *order;
    } cases[] = {
        { { 1 }, 1, "aaaa" },
        { { 1, 1, 1 }, 3, "abcabc" },
        { { 5, 1, 1 }, 3, "aabacaaaabacaa" },
        { { 1, 3 }, 2, "babbbabb" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct balance_member m[MEMBERS];
        char order[32] = { 0 };

        make(m, cases[i].weights, cases[i].count);
        for (size_t k = 0; cases[i].order[k] != '\0'; k++)
            order[k] = (char)('a' + balance_choose(m, cases[i].count, BALANCE_ROUND_ROBIN, 0));
        assert_string_equal(order, cases[i].order);
    }
}

#define ABLE   1u
#define TRIED  2u
#define FULL   4u
#define BACKUP 8u

static void test_who_is_preferred(void **state)
{
    static const struct {
        unsigned flags[3];
        uint32_t in_turn, hashed; /* BALANCE_NOBODY; for two that are as good, the first in turn, MEMBERS by hash */
    } cases[] = {
        { { 0, 0, 0 }, BALANCE_NOBODY, BALANCE_NOBODY },
        { { 0, ABLE, 0 }, 1, 1 },
        { { BACKUP | ABLE, ABLE, 0 }, 1, 1 },
        { { BACKUP | ABLE, 0, BACKUP }, 0, 0 },
        { { TRIED | ABLE, ABLE, 0 }, 1, 1 },
        { { TRIED | ABLE, BACKUP | ABLE, 0 }, 1, 1 },
        { { TRIED | BACKUP | ABLE, TRIED | ABLE, 0 }, 1, 1 },
        { { TRIED | ABLE, TRIED | ABLE, TRIED }, 0, MEMBERS },
        { { FULL | ABLE, ABLE, 0 }, 1, MEMBERS },
        { { FULL | ABLE, BACKUP | ABLE, 0 }, 0, 0 },
        { { FULL | ABLE, FULL | ABLE, FULL }, 0, MEMBERS },
        { { FULL | TRIED | ABLE, FULL | ABLE, 0 }, 1, 1 },
    };
    static const uint32_t weights[] = { 1, 1, 1 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct balance_member m[3];

        make(m, weights, 3);
        for (unsigned k = 0; k < 3; k++) {
            m[k].able = cases[i].flags[k] & ABLE;
            m[k].tried = cases[i].flags[k] & TRIED;
            m[k].full = cases[i].flags[k] & FULL;
            m[k].backup = cases[i].flags[k] & BACKUP;
        }
        if (cases[i].hashed != MEMBERS)
            assert_int_equal(balance_choose(m, 3, BALANCE_CLIENT, 7), cases[i].hashed);
        assert_int_equal(balance_choose(m, 3, BALANCE_LEAST, 7), cases[i].in_turn);
        m[0].turn = m[1].turn = m[2].turn = 0;
        assert_int_equal(balance_choose(m, 3, BALANCE_ROUND_ROBIN, 7), cases[i].in_turn);
    }
}

static void test_least(void **state)
{
    static const struct {
        uint32_t weights[3], exchanges[3], chosen;
    } cases[] = {
        { { 1, 1, 1 }, { 1, 0, 1 }, 1 }, { { 1, 1, 1 }, { 2, 2, 1 }, 2 },          { { 1, 4, 1 }, { 1, 3, 2 }, 1 },
        { { 1, 4, 1 }, { 1, 5, 2 }, 0 }, { { 1, 2, 1 }, { 0, 0, 0 }, 1 },          { { 1, 2, 1 }, { 5, 0, 0 }, 1 },
        { { 1, 2, 1 }, { 0, 1, 0 }, 0 }, { { 1000, 999, 1 }, { 999, 999, 1 }, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct balance_member m[3];

        make(m, cases[i].weights, 3);
        for (unsigned k = 0; k < 3; k++)
            m[k].exchanges = cases[i].exchanges[k];
        assert_int_equal(balance_choose(m, 3, BALANCE_LEAST, 0), cases[i].chosen);
    }
}

static void test_least_takes_turns_when_all_are_as_busy(void **state)
{
    static const uint32_t weights[] = { 1, 1, 1 };
    struct balance_member m[3];

    (void)state;
    make(m, weights, 3);
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(balance_choose(m, 3, BALANCE_LEAST, 0), i % 3);
}

static void test_a_hash_spreads_by_weight(void **state)
{
    static const uint32_t weights[] = { 1, 2, 5 };
    struct balance_member m[3];
    unsigned got[3] = { 0 };

    (void)state;
    make(m, weights, 3);
    for (uint64_t hash = 1; hash <= MANY; hash++)
        got[balance_choose(m, 3, BALANCE_FIELD, hash)]++;
    for (unsigned i = 0; i < 3; i++)
        assert_in_range(got[i], weights[i] * MANY / 8 * 9 / 10, weights[i] * MANY / 8 * 11 / 10);
}

/* Who is with a member that stays, stays with it. */
static void test_a_hash_moves_only_what_it_must(void **state)
{
    static const uint32_t weights[] = { 1, 1, 1, 1 };
    struct balance_member m[MEMBERS], less[MEMBERS];
    unsigned moved = 0;

    (void)state;
    make(m, weights, MEMBERS);
    make(less, weights, MEMBERS);
    less[2].able = false;
    for (uint64_t hash = 1; hash <= MANY; hash++) {
        uint32_t was = balance_choose(m, MEMBERS, BALANCE_CLIENT, hash);
        uint32_t is = balance_choose(less, MEMBERS, BALANCE_CLIENT, hash);

        assert_int_equal(was, balance_choose(m, MEMBERS, BALANCE_CLIENT, hash));
        if (was != 2)
            assert_int_equal(is, was);
        else
            moved++;
        assert_int_not_equal(is, 2);
    }
    assert_in_range(moved, MANY / 5, MANY / 3);
}

static void test_without_a_hash_they_take_turns(void **state)
{
    static const uint32_t weights[] = { 1, 1, 1 };
    struct balance_member m[3];

    (void)state;
    make(m, weights, 3);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(balance_choose(m, 3, BALANCE_FIELD, 0), i % 3);
}

static void test_another(void **state)
{
    static const uint32_t weights[] = { 1, 1, 1 };
    struct balance_member m[3];

    (void)state;
    make(m, weights, 3);
    assert_true(balance_has_another(m, 3, 0));
    m[1].tried = true;
    m[2].able = false;
    assert_false(balance_has_another(m, 3, 0));
    assert_true(balance_has_another(m, 3, 1));
    assert_true(balance_has_another(m, 3, BALANCE_NOBODY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_are_smooth),
        cmocka_unit_test(test_who_is_preferred),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_least_takes_turns_when_all_are_as_busy),
        cmocka_unit_test(test_a_hash_spreads_by_weight),
        cmocka_unit_test(test_a_hash_moves_only_what_it_must),
        cmocka_unit_test(test_without_a_hash_they_take_turns),
        cmocka_unit_test(test_another),
    };

    return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
