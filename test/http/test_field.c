#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>

#include "guarded.h"
#include "http/field.h"

/* The hash of field.c, written again so that a new table can be made here when a name was added. */
static unsigned slot_of(struct span name, uint32_t first_factor, uint32_t last_factor)
{
    uint8_t b[8];
    uint32_t first, last;

    for (size_t i = 0; i < 4; i++) {
        b[i] = (uint8_t)name.p[name.n >= 4 ? i : i == 0 ? 0 : i == 1 ? name.n / 2 : name.n - 1];
        b[4 + i] = name.n >= 4 ? (uint8_t)name.p[name.n - 4 + i] : b[i];
    }
    if (name.n < 4)
        b[3] = b[7] = 0;
    memcpy(&first, b, 4);
    memcpy(&last, b + 4, 4);
    return (((first | 0x20202020u) + (uint32_t)name.n) * first_factor + (last | 0x20202020u) * last_factor) >> 23;
}

static bool fill(uint8_t slots[512], uint32_t first_factor, uint32_t last_factor)
{
    memset(slots, 0, 512);
    for (unsigned id = 1; id < FIELD_IDS; id++) {
        unsigned slot = slot_of(field_info((enum field_id)id)->name, first_factor, last_factor);

        if (slots[slot] != 0)
            return false;
        slots[slot] = (uint8_t)id;
    }
    return true;
}

static void print_new_table(void)
{
    uint64_t seed = 88172645463325252u;
    uint8_t slots[512];
    uint32_t first, last;

    do {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        first = (uint32_t)seed | 1;
        last = (uint32_t)(seed >> 32) | 1;
    } while (!fill(slots, first, last));
    printf("FIRST_FACTOR 0x%xu, LAST_FACTOR 0x%xu, slots:\n", first, last);
    for (unsigned i = 0; i < 512; i++) {
        const char *name = field_info((enum field_id)slots[i])->name.p;

        if (slots[i] == 0)
            continue;
        printf("[%u] = FIELD_", i);
        for (; *name != '\0'; name++)
            putchar(*name == '-' ? '_' : toupper((unsigned char)*name));
        printf(",\n");
    }
}

static void every_name_has_its_slot(void **state)
{
    (void)state;
    for (unsigned id = 1; id < FIELD_IDS; id++)
        if (field_find(guarded(field_info((enum field_id)id)->name)) != (enum field_id)id) {
            print_new_table();
            fail_msg("%s is not in its slot: put the new factors and slots into field.c",
                     field_info((enum field_id)id)->name.p);
        }
}

static void case_of_letters_does_not_matter(void **state)
{
    char name[64];

    (void)state;
    for (unsigned id = 1; id < FIELD_IDS; id++) {
        struct span lower = field_info((enum field_id)id)->name;

        for (size_t i = 0; i < lower.n; i++)
            name[i] = (char)toupper((unsigned char)lower.p[i]);
        assert_int_equal(field_find(guarded((struct span){ name, lower.n })), id);
        name[0] = lower.p[0];
        assert_int_equal(field_find(guarded((struct span){ name, lower.n })), id);
    }
}

/* Any single bit turned, the case bit of a letter excepted, makes another name. */
static void near_misses_are_others(void **state)
{
    char name[64];

    (void)state;
    for (unsigned id = 1; id < FIELD_IDS; id++) {
        struct span lower = field_info((enum field_id)id)->name;

        memcpy(name, lower.p, lower.n);
        assert_int_not_equal(field_find(guarded((struct span){ name, lower.n - 1 })), id);
        for (size_t bit = 0; bit < lower.n * 8; bit++) {
            if (bit % 8 == 5 && isalpha((unsigned char)name[bit / 8]))
                continue;
            name[bit / 8] = (char)(name[bit / 8] ^ 1 << bit % 8);
            assert_int_not_equal(field_find(guarded((struct span){ name, lower.n })), id);
            name[bit / 8] = lower.p[bit / 8];
        }
    }
    assert_int_equal(field_find((struct span){ 0 }), FIELD_OTHER);
    assert_int_equal(field_find(guarded(SPAN("x"))), FIELD_OTHER);
}

static void names_are_lower_case_tokens_without_underscore(void **state)
{
    (void)state;
    for (unsigned id = 1; id < FIELD_IDS; id++)
        for (const char *c = field_info((enum field_id)id)->name.p; *c != '\0'; c++)
            assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-');
}

static void rules_are_in_the_columns(void **state)
{
    static const enum field_id forbidden[] = { FIELD_CONNECTION, FIELD_PROXY_CONNECTION, FIELD_KEEP_ALIVE,
                                               FIELD_TRANSFER_ENCODING, FIELD_UPGRADE }; /* RFC9113:8.2.2 */

    (void)state;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        assert_true(field_info(forbidden[i])->h2_forbids && field_info(forbidden[i])->hop);
    assert_true(field_info(FIELD_TE)->hop && !field_info(FIELD_TE)->h2_forbids);
    assert_false(field_info(FIELD_HOST)->hop);
    assert_int_equal(field_info(FIELD_HOST)->shape, SHAPE_ONE);
    assert_int_equal(field_info(FIELD_SET_COOKIE)->shape, SHAPE_LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_has_its_slot),  cmocka_unit_test(case_of_letters_does_not_matter),
        cmocka_unit_test(near_misses_are_others),   cmocka_unit_test(names_are_lower_case_tokens_without_underscore),
        cmocka_unit_test(rules_are_in_the_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
