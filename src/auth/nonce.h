#ifndef AUTH_NONCE_H
#define AUTH_NONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/*
 * Nonces of Digest: the time of issue and a number, sealed with a key of this process, so that nothing is kept of a nonce
 * until a client has proved with it that it knows a password. RFC7616:5.4
 *
 * From then on each of its counts is good once: the last 64 below the highest are known one by one, those further below
 * are taken for used. So much is kept of 2048 nonces, shared by all workers. Where a nonce has to make room, all that
 * share its place and are not younger count as stale, unless they are known too: what was forgotten cannot be replayed, and
 * the price is that a client asks again.
 *
 * Threads  any; a short lock when a nonce is used
 */
struct nonces;

#define NONCE_BYTES 60

/* NULL: no memory or no randomness. */
struct nonces *nonces_new(void);
void nonces_release(struct nonces **nonces);

/* A new nonce: hexadecimal digits, no NUL. now_ms: a clock that does not go back, the same for all workers. False: no
 * memory. */
bool nonce_write(struct nonces *n, uint64_t now_ms, char out[NONCE_BYTES]) __attribute__((warn_unused_result));

/*
 * Take `count` off a nonce that came with a proof. True: the nonce was made here, not longer than lifetime_ms ago, and
 * the count is used for the first time. False: the client has to ask with a new one (stale).
 */
bool nonce_use(struct nonces *n, struct span nonce, uint32_t count, uint64_t now_ms, uint64_t lifetime_ms)
    __attribute__((warn_unused_result));

#endif
