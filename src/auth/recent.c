#include "auth/recent.h"

#include <openssl/crypto.h>
#include <string.h>

#define ROWS    (sizeof((struct recent *)0)->good / sizeof((struct recent *)0)->good[0])
#define COLUMNS (sizeof((struct recent *)0)->good[0] / sizeof((struct recent *)0)->good[0][0])

bool recent_has(const struct recent *r, const unsigned char proof[PROOF_BYTES], uint64_t now_ms)
{
    size_t row = proof[0] % ROWS;

    for (size_t i = 0; i < COLUMNS; i++)
        if (r->good[row][i].until_ms > now_ms && CRYPTO_memcmp(r->good[row][i].proof, proof, PROOF_BYTES) == 0)
            return true;
    return false;
}

void recent_add(struct recent *r, const unsigned char proof[PROOF_BYTES], uint64_t until_ms)
{
    size_t row = proof[0] % ROWS, first = 0;

    for (size_t i = 0; i < COLUMNS; i++) {
        if (CRYPTO_memcmp(r->good[row][i].proof, proof, PROOF_BYTES) == 0) {
            first = i;
            break;
        }
        if (r->good[row][i].until_ms < r->good[row][first].until_ms)
            first = i;
    }
    memcpy(r->good[row][first].proof, proof, PROOF_BYTES);
    r->good[row][first].until_ms = until_ms;
}
