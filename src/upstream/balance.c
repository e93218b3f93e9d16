#include "upstream/balance.h"

#include <math.h>

#define NEVER_RANK 8u

/* Lower is better. */
static unsigned rank_of(const struct balance_member *m, bool waits)
{
    if (!m->able)
        return NEVER_RANK;
    return (m->tried ? 4u : 0) + (m->backup ? 2u : 0) + (m->full && !waits ? 1u : 0);
}

static unsigned best_rank(const struct balance_member *members, uint32_t count, bool waits)
{
    unsigned best = NEVER_RANK;

    for (uint32_t i = 0; i < count; i++) {
        unsigned rank = rank_of(&members[i], waits);

        best = rank < best ? rank : best;
    }
    return best;
}

/* a has less to do for its weight than b. */
static bool is_less_busy(const struct balance_member *a, const struct balance_member *b)
{
    return (uint64_t)a->exchanges * b->weight < (uint64_t)b->exchanges * a->weight;
}

/* One of those with the least to do, of that rank; NULL: all are as good. */
static const struct balance_member *least_busy(const struct balance_member *members, uint32_t count, unsigned rank)
{
    const struct balance_member *least = NULL;

    for (uint32_t i = 0; i < count; i++)
        if (rank_of(&members[i], false) == rank && (least == NULL || is_less_busy(&members[i], least)))
            least = &members[i];
    return least;
}

/* Everybody gets its weight; who has the most is asked, and pays for all. `least`: only those who are no busier. */
static uint32_t choose_in_turn(struct balance_member *members, uint32_t count, unsigned rank,
                               const struct balance_member *least)
{
    uint32_t chosen = BALANCE_NOBODY;
    int64_t all = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct balance_member *m = &members[i];

        if (rank_of(m, false) != rank || (least != NULL && is_less_busy(least, m)))
            continue;
        m->turn += m->weight;
        all += m->weight;
        if (chosen == BALANCE_NOBODY || m->turn > members[chosen].turn)
            chosen = i;
    }
    if (chosen != BALANCE_NOBODY)
        members[chosen].turn -= all;
    return chosen;
}

static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

/* Who wins by it wins as often as its weight says: the exponential race. */
static double score_of(const struct balance_member *m, uint64_t hash)
{
    double even = ((double)(mix(m->key ^ mix(hash)) >> 11) + 0.5) * 0x1p-53;

    return -(double)m->weight / log(even);
}

static uint32_t choose_by_hash(const struct balance_member *members, uint32_t count, unsigned rank, uint64_t hash)
{
    uint32_t chosen = BALANCE_NOBODY;
    double most = 0;

    for (uint32_t i = 0; i < count; i++) {
        double score = rank_of(&members[i], true) == rank ? score_of(&members[i], hash) : -1;

        if (score >= 0 && (chosen == BALANCE_NOBODY || score > most)) {
            chosen = i;
            most = score;
        }
    }
    return chosen;
}

uint32_t balance_choose(struct balance_member *members, uint32_t count, enum upstream_balance how, uint64_t hash)
{
    const bool hashed = (how == BALANCE_CLIENT || how == BALANCE_FIELD) && hash != 0;
    const unsigned rank = best_rank(members, count, hashed);

    if (rank == NEVER_RANK)
        return BALANCE_NOBODY;
    if (hashed)
        return choose_by_hash(members, count, rank, hash);
    return choose_in_turn(members, count, rank, how == BALANCE_LEAST ? least_busy(members, count, rank) : NULL);
}

bool balance_has_another(const struct balance_member *members, uint32_t count, uint32_t besides)
{
    for (uint32_t i = 0; i < count; i++)
        if (i != besides && members[i].able && !members[i].tried)
            return true;
    return false;
}

uint64_t balance_key(struct span name)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < name.n; i++)
        key = (key ^ (unsigned char)name.p[i]) * UINT64_C(0x100000001b3);
    return mix(key);
}
