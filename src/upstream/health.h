#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/group.h"

#define HEALTH_WHOLE_SHARE 256u

/*
 * What a worker knows of how a member is. A value; zeroed: it is well. Pure: the time is given, of any clock that does
 * not go back.
 *
 *   live --`fails` failures within fail_ms--> resting --rest_ms--> one exchange is let through --well--> live
 *    |                                           ^                  (another: rest_ms later)  `--failed--'
 *    `--`fall` checks in a row--> checked down --`rise` checks in a row--> live
 */
struct health {
    uint64_t since_ms;  /* of the first of the failures that count together */
    uint64_t rested_ms; /* when it has rested; while `rests` */
    uint64_t probed_ms; /* when the one that was let through has kept others away for long enough; 0: there is none */
    uint64_t back_ms;   /* when it came back; 0: it was never gone */
    uint16_t failures;
    uint16_t checks;   /* in a row that say otherwise than `checked_down` */
    bool rests;        /* and after that, until one exchange went well */
    bool checked_down; /* active checks say so */
};

/* May an exchange be sent to it? Who rests is asked all the same when nobody in the group is live. */
bool health_is_live(const struct health *h, uint64_t now_ms);

/* One is: true when it is one by which the member's rest may end, and health_probed() is owed. */
bool health_take(struct health *h, const struct upstream_group *rules, uint64_t now_ms);

/* How such a one went: well, failed (and counted by health_failed() already), or nobody knows. */
enum health_probe { HEALTH_WELL, HEALTH_ILL, HEALTH_UNKNOWN };
void health_probed(struct health *h, const struct upstream_group *rules, enum health_probe how, uint64_t now_ms);

/* Something that is the member's fault. True when it rests from now on. */
bool health_failed(struct health *h, const struct upstream_group *rules, uint64_t now_ms);

/* How an active check went. True when that changes whether the member is live. */
bool health_checked(struct health *h, const struct upstream_group *rules, bool well, uint64_t now_ms);

/* How much of its weight it gets, of HEALTH_WHOLE_SHARE, at least 1: less while it starts slowly. */
uint32_t health_share(const struct health *h, const struct upstream_group *rules, uint64_t now_ms);

#endif
