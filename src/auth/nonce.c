#include "auth/nonce.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "http/token.h"

#define PLACES      256u
#define PLACE_USES  8u
#define WINDOW      64u
#define KEY_BYTES   32
#define TIME_BYTES  6u
#define CLEAR_BYTES (TIME_BYTES + 8u)
#define SEAL_BYTES  16u

_Static_assert(NONCE_BYTES == 2 * (CLEAR_BYTES + SEAL_BYTES), "two digits for each byte");

/* A nonce in use; highest == 0: none. */
struct use {
    uint64_t number, issued_ms;
    uint64_t seen; /* bit i: highest - i was used */
    uint32_t highest;
};

/* Nonces issued before floor_ms were in use here and are forgotten. */
struct place {
    uint64_t floor_ms;
    struct use uses[PLACE_USES];
};

struct nonces {
    unsigned char key[KEY_BYTES];
    atomic_uint_fast64_t next;

    struct {
        pthread_mutex_t lock;
        struct place places[PLACES];
    } shared;
};

struct nonces *nonces_new(void)
{
    struct nonces *n = calloc(1, sizeof *n);
    uint64_t first;

    if (n == NULL)
        return NULL;
    if (RAND_bytes(n->key, sizeof n->key) != 1 || RAND_bytes((unsigned char *)&first, sizeof first) != 1) {
        free(n);
        return NULL;
    }
    atomic_init(&n->next, first);
    pthread_mutex_init(&n->shared.lock, NULL);
    return n;
}

void nonces_release(struct nonces **nonces)
{
    struct nonces *n = *nonces;

    *nonces = NULL;
    if (n == NULL)
        return;
    pthread_mutex_destroy(&n->shared.lock);
    OPENSSL_cleanse(n->key, sizeof n->key);
    free(n);
}

static void number_put(unsigned char *out, uint64_t number, size_t bytes)
{
    while (bytes > 0) {
        out[--bytes] = (unsigned char)(number & 0xff);
        number >>= 8;
    }
}

static uint64_t number_get(const unsigned char *in, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | in[i];
    return number;
}

static bool seal(const struct nonces *n, const unsigned char clear[CLEAR_BYTES], unsigned char out[SEAL_BYTES])
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    unsigned bytes;

    if (HMAC(EVP_sha256(), n->key, KEY_BYTES, clear, CLEAR_BYTES, whole, &bytes) == NULL)
        return false;
    memcpy(out, whole, SEAL_BYTES);
    return true;
}

bool nonce_write(struct nonces *n, uint64_t now_ms, char out[NONCE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[CLEAR_BYTES + SEAL_BYTES];

    number_put(bytes, now_ms, TIME_BYTES);
    number_put(bytes + TIME_BYTES, atomic_fetch_add_explicit(&n->next, 1, memory_order_relaxed), 8);
    if (!seal(n, bytes, bytes + CLEAR_BYTES))
        return false;
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return true;
}

/* Is it one of ours? */
static bool nonce_open(const struct nonces *n, struct span nonce, struct use *out)
{
    unsigned char bytes[CLEAR_BYTES + SEAL_BYTES], right[SEAL_BYTES];

    if (nonce.n != NONCE_BYTES || token_span(nonce, TOKEN_HEX) < nonce.n)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(token_hex(nonce.p[2 * i]) << 4 | token_hex(nonce.p[2 * i + 1]));
    if (!seal(n, bytes, right) || CRYPTO_memcmp(right, bytes + CLEAR_BYTES, SEAL_BYTES) != 0)
        return false;
    *out = (struct use){ .issued_ms = number_get(bytes, TIME_BYTES), .number = number_get(bytes + TIME_BYTES, 8) };
    return true;
}

static struct use *use_find(struct place *place, const struct use *wanted)
{
    for (struct use *u = place->uses; u < place->uses + PLACE_USES; u++)
        if (u->highest > 0 && u->number == wanted->number && u->issued_ms == wanted->issued_ms)
            return u;
    return NULL;
}

/* The oldest makes room; NULL: this one may have been forgotten itself. */
static struct use *use_add(struct place *place, const struct use *fresh)
{
    struct use *oldest = place->uses;

    if (fresh->issued_ms < place->floor_ms)
        return NULL;
    for (struct use *u = place->uses; u < place->uses + PLACE_USES && oldest->highest > 0; u++)
        if (u->highest == 0 || u->issued_ms < oldest->issued_ms)
            oldest = u;
    if (oldest->highest > 0 && oldest->issued_ms >= place->floor_ms)
        place->floor_ms = oldest->issued_ms + 1;
    *oldest = *fresh;
    return oldest;
}

static bool count_take(struct use *u, uint32_t count)
{
    uint32_t ahead = count > u->highest ? count - u->highest : 0, behind = u->highest - count;

    if (ahead > 0) {
        u->seen = ahead < WINDOW ? u->seen << ahead | 1 : 1;
        u->highest = count;
        return true;
    }
    if (behind >= WINDOW || (u->seen >> behind & 1) != 0)
        return false;
    u->seen |= (uint64_t)1 << behind;
    return true;
}

bool nonce_use(struct nonces *n, struct span nonce, uint32_t count, uint64_t now_ms, uint64_t lifetime_ms)
{
    struct use wanted, *u;
    struct place *place;
    bool is_new;

    if (count == 0 || !nonce_open(n, nonce, &wanted))
        return false;
    if (now_ms > wanted.issued_ms && now_ms - wanted.issued_ms > lifetime_ms)
        return false;
    place = &n->shared.places[wanted.number % PLACES];
    pthread_mutex_lock(&n->shared.lock);
    u = use_find(place, &wanted);
    if (u == NULL)
        u = use_add(place, &wanted);
    is_new = u != NULL && count_take(u, count);
    pthread_mutex_unlock(&n->shared.lock);
    return is_new;
}
