#ifndef AUTH_RECENT_H
#define AUTH_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#define PROOF_BYTES 32

/*
 * Passwords of which a slow hash has said lately that they are right, as digests under a key of the worker. All zero:
 * empty. At most 256; an older one makes room. One thread.
 */
struct recent {
    struct {
        unsigned char proof[PROOF_BYTES];
        uint64_t until_ms; /* 0: none */
    } good[64][4];
};

bool recent_has(const struct recent *r, const unsigned char proof[PROOF_BYTES], uint64_t now_ms);
void recent_add(struct recent *r, const unsigned char proof[PROOF_BYTES], uint64_t until_ms);

#endif
