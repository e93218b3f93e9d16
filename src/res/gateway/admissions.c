#include "res/gateway/admissions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Looked at for one client, so that a full table costs no more than an empty one. */
#define PROBES 16u

struct place {
    uint8_t client[ADDRESS_KEY_BYTES];
    uint64_t until_ms; /* 0: free */
};

struct admissions {
    pthread_mutex_t lock;
    uint32_t size; /* a power of two */
    struct place *places;
};

static uint32_t size_of(uint32_t most)
{
    uint32_t size = PROBES;

    while (size < most && size < UINT32_C(1) << 30)
        size *= 2;
    return size;
}

struct admissions *admissions_new(uint32_t most)
{
    struct admissions *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->size = size_of(most);
    a->places = calloc(a->size, sizeof *a->places);
    if (a->places == NULL) {
        free(a);
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void admissions_release(struct admissions **a)
{
    if (*a == NULL)
        return;
    pthread_mutex_destroy(&(*a)->lock);
    free((*a)->places);
    free(*a);
    *a = NULL;
}

static uint32_t first_of(const struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES])
{
    uint32_t h = UINT32_C(2166136261);

    for (unsigned i = 0; i < ADDRESS_KEY_BYTES; i++)
        h = (h ^ client[i]) * UINT32_C(16777619);
    return h & (a->size - 1);
}

/* The client's place; NULL: it has none. *room gets one that is free or over, or NULL. */
static struct place *find(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES], uint64_t now_ms,
                          struct place **room)
{
    uint32_t first = first_of(a, client);

    *room = NULL;
    for (uint32_t i = 0; i < PROBES; i++) {
        struct place *p = &a->places[(first + i) & (a->size - 1)];

        if (p->until_ms > now_ms && memcmp(p->client, client, ADDRESS_KEY_BYTES) == 0)
            return p;
        if (p->until_ms <= now_ms && *room == NULL)
            *room = p;
    }
    return NULL;
}

bool admissions_add(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES], uint64_t until_ms, uint64_t now_ms)
{
    struct place *room, *p;

    pthread_mutex_lock(&a->lock);
    p = find(a, client, now_ms, &room);
    if (p == NULL)
        p = room;
    if (p != NULL) {
        memcpy(p->client, client, ADDRESS_KEY_BYTES);
        p->until_ms = until_ms;
    }
    pthread_mutex_unlock(&a->lock);
    return p != NULL;
}

bool admissions_remove(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES])
{
    struct place *room, *p;

    pthread_mutex_lock(&a->lock);
    p = find(a, client, 0, &room);
    if (p != NULL)
        p->until_ms = 0;
    pthread_mutex_unlock(&a->lock);
    return p != NULL;
}

bool admissions_have(struct admissions *a, const uint8_t client[ADDRESS_KEY_BYTES], uint64_t now_ms)
{
    struct place *room;
    bool in;

    if (a == NULL)
        return false;
    pthread_mutex_lock(&a->lock);
    in = find(a, client, now_ms, &room) != NULL;
    pthread_mutex_unlock(&a->lock);
    return in;
}

uint32_t admissions_count(struct admissions *a, uint64_t now_ms)
{
    uint32_t count = 0;

    pthread_mutex_lock(&a->lock);
    for (uint32_t i = 0; i < a->size; i++)
        count += a->places[i].until_ms > now_ms;
    pthread_mutex_unlock(&a->lock);
    return count;
}
