#ifndef UPSTREAM_BALANCE_H
#define UPSTREAM_BALANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "upstream/group.h"

#define BALANCE_NOBODY UINT32_MAX

/* A member as the choice sees it. All but `turn` and `key` is set anew before each choice. */
struct balance_member {
    uint64_t key;       /* balance_key() of its name */
    int64_t turn;       /* of the rotation; begins as 0, and is the choice's */
    uint32_t weight;    /* in any unit, the same for all; 1 to 2^20 */
    uint32_t exchanges; /* that it has now */
    bool able;          /* live, and not taken out */
    bool tried;         /* by this exchange, in vain */
    bool full;          /* who is sent there has to wait */
    bool backup;
};

/*
 * Who is asked next: the index, or BALANCE_NOBODY when nobody is able.
 *
 * Those who were tried are asked only when all others were, backups only when no other is left. By turns and by load,
 * who is full is passed over while another is not; a hash waits for its own.
 *
 * hash      what decides, for BALANCE_CLIENT and BALANCE_FIELD; 0: by turns. When a member comes or goes, only what is
 *           its own moves (rendezvous hashing)
 * Turns     smooth: of weights 5, 1, 1 the first is asked five times of seven, and not five times in a row
 * Time      O(count), without memory. Threads: one
 */
uint32_t balance_choose(struct balance_member *members, uint32_t count, enum upstream_balance how, uint64_t hash);

/* Is anybody able who was not tried, besides `besides`? */
bool balance_has_another(const struct balance_member *members, uint32_t count, uint32_t besides);

/* Differs for names that differ, as far as 64 bits can. */
uint64_t balance_key(struct span name);

#endif
