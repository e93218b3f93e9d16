#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "auth/users.h"
#include "exchange/exchange.h"
#include "io/link.h"
#include "io/offload.h"

struct password_job;

/* What one worker keeps. */
struct auth_worker;

/*
 * helpers   compute the hashes; a pool of their own keeps slow ones from holding up files
 * Returns   NULL: no memory or no randomness. Released after offload_fini() and mail_box_fini().
 */
struct auth_worker *auth_worker_new(struct offload *helpers, struct mail_box *mail);
void auth_worker_release(struct auth_worker **worker);

/* Hashes of one worker that may be asked for and not yet answered. */
#define PASSWORD_JOBS_MAX 64u

/* An exchange that waits for a hash. Zeroed before the first call; in the exchange's arena. */
struct password_waiter {
    struct link link;
    struct exchange *x;
    struct password_job *job; /* NULL: does not wait */
    uint32_t ticket;
};

struct password_question {
    struct span user, password;
    uint32_t good_lifetime_s; /* how long a right answer is remembered */
};

/*
 * Is this the user's password? WAIT: a helper computes the hash; after the wake-up password_answer() tells. Whoever asks
 * the same meanwhile waits for the same hash, and for good_lifetime_s after a right answer none is computed, unless the
 * files have changed. A user whom nobody knows costs the hash of somebody else, always the same one.
 *
 * set       may be released after the call
 * good      set when FLOW_GO
 * FLOW_STOP worker_memory_exhausted, or helper_queue_full: also when PASSWORD_JOBS_MAX are under way
 */
enum flow password_check(struct exchange *x, struct auth_worker *w, struct users_set *set,
                         const struct password_question *q, struct password_waiter *waiter, bool *good);

/* After the wake-up: as password_check() without FLOW_WAIT. */
enum flow password_answer(struct exchange *x, struct password_waiter *waiter, bool *good);

#endif
