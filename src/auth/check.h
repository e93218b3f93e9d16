#ifndef AUTH_CHECK_H
#define AUTH_CHECK_H

#include "auth/nonce.h"
#include "auth/password.h"
#include "auth/users.h"
#include "exchange/exchange.h"

/*
 * Credentials of HTTP authentication, held against a set of users: Basic (RFC 7617) and Digest with qop=auth (RFC 7616), of
 * the client towards a proxy or an origin.
 */
struct auth_settings {
    struct users *users;
    struct nonces *nonces; /* of the process; NULL: no Digest */
    struct span realm;     /* bytes of a field value; that of the Digest lines of the users */
    bool basic;
    bool digest[DIGEST_ALGORITHMS]; /* by enum digest_algorithm: may be offered, once a user has an HA1 for it */
    enum field_id field;            /* FIELD_AUTHORIZATION or FIELD_PROXY_AUTHORIZATION */
    struct span challenge;          /* "WWW-Authenticate" or "Proxy-Authenticate" */
    enum reason missing;            /* no credentials, or of a scheme or an algorithm that is not asked for */
    enum reason refused;            /* an unknown user, or a wrong password: which of them is told to nobody */
    enum reason malformed;          /* the field cannot be read, or is meant for another target */
    enum reason stale;              /* a good proof with a nonce that is too old, used up, or not of this process */
    uint32_t nonce_lifetime_s;
    uint32_t good_lifetime_s; /* how long a password that was right needs no hash; 0: never */
};

/* What one exchange keeps: zeroed before the first call, in its arena. */
struct auth_state {
    struct span user; /* whoever it is, when FLOW_GO; in the arena */
    struct password_waiter waiter;
};

/*
 * May this client come in? WAIT: call again with the same arguments after the wake-up.
 *
 * Returns  FLOW_GO, with state->user; FLOW_STOP with one of the reasons of s, or exchange_memory_exhausted,
 *          worker_memory_exhausted, helper_queue_full. The verdict of a malformed field has its place and its name, and
 *          no verdict has anything of what the client sent in it.
 *
 * The uri of Digest has to be the request target as sent, or, of an absolute one, its path and query, which is what clients
 * of proxies write. RFC7616:3.4.6
 */
enum flow auth_check(struct exchange *x, const struct auth_settings *s, struct auth_worker *w,
                     struct auth_state *state);

/*
 * Read the files of users for these settings; s->users is not looked at.
 *
 * Returns  as users_new(), and -EINVAL when there is nothing but Digest and no user could log in by it
 */
__attribute__((warn_unused_result)) int auth_users_new(const struct auth_settings *s, const char *const *paths,
                                                       uint32_t count, struct users **out, char why[USERS_WHY_BYTES]);

/*
 * Add a line with a challenge for each scheme, the strongest first. RFC7616:3.7. Of Digest only the algorithms for which
 * somebody has an HA1 now, because clients take the first that they know. When files that were read again have none at
 * all, there is one for each that may be offered: an answer without a challenge would be none. RFC9110:15.5.8
 *
 * stale: x ended with s->stale, so the client need not ask its user again
 */
void auth_challenges(struct exchange *x, const struct auth_settings *s, bool stale);

#endif
