#include "serve/clients.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "io/address.h"

#define BUCKETS 4096u

struct client {
    struct client *next;
    uint32_t count;
    uint8_t key[ADDRESS_KEY_BYTES];
};

struct clients {
    pthread_mutex_t lock;
    uint32_t total;
    uint64_t seed;
    struct client *buckets[BUCKETS];
};

struct clients *clients_new(uint64_t seed)
{
    struct clients *all = calloc(1, sizeof *all);

    if (all == NULL)
        return NULL;
    pthread_mutex_init(&all->lock, NULL);
    all->seed = seed;
    return all;
}

void clients_release(struct clients **all_in)
{
    struct clients *all = *all_in;

    *all_in = NULL;
    if (all == NULL)
        return;
    for (unsigned b = 0; b < BUCKETS; b++)
        while (all->buckets[b] != NULL) {
            struct client *c = all->buckets[b];

            all->buckets[b] = c->next;
            free(c);
        }
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static struct client **bucket_of(struct clients *all, const uint8_t key[ADDRESS_KEY_BYTES])
{
    return &all->buckets[XXH3_64bits_withSeed(key, ADDRESS_KEY_BYTES, all->seed) % BUCKETS];
}

/* Under the lock. */
static struct client *find_or_add(struct clients *all, const uint8_t key[ADDRESS_KEY_BYTES])
{
    struct client **bucket = bucket_of(all, key);
    struct client *c = *bucket;

    while (c != NULL && memcmp(c->key, key, sizeof c->key) != 0)
        c = c->next;
    if (c != NULL)
        return c;
    c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    memcpy(c->key, key, sizeof c->key);
    c->next = *bucket;
    *bucket = c;
    return c;
}

struct client *clients_enter(struct clients *all, const struct sockaddr *peer, uint32_t *total_out, uint32_t *same_out)
{
    uint8_t key[ADDRESS_KEY_BYTES];
    struct client *c;

    address_key(peer, key);
    pthread_mutex_lock(&all->lock);
    *total_out = ++all->total;
    c = find_or_add(all, key);
    *same_out = c != NULL ? ++c->count : 0;
    pthread_mutex_unlock(&all->lock);
    return c;
}

void clients_leave(struct clients *all, struct client *c)
{
    pthread_mutex_lock(&all->lock);
    all->total--;
    if (c != NULL && --c->count == 0) {
        struct client **at = bucket_of(all, c->key);

        while (*at != c)
            at = &(*at)->next;
        *at = c->next;
        free(c);
    }
    pthread_mutex_unlock(&all->lock);
}

uint32_t clients_total(struct clients *all)
{
    uint32_t total;

    pthread_mutex_lock(&all->lock);
    total = all->total;
    pthread_mutex_unlock(&all->lock);
    return total;
}
