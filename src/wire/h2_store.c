#include "wire/h2_store.h"

#include <stdbool.h>
#include <stdlib.h>

#define STEP_BYTES 64u

struct h2_piece {
    struct h2_piece *next;
};

static size_t size_of(size_t bytes)
{
    return bytes > 0 ? (bytes - 1) / STEP_BYTES : 0;
}

static bool is_kept(size_t size)
{
#ifdef ARENA_EACH_ALONE /* the sanitizers watch each piece */
    (void)size;
    return false;
#else
    return size < H2_STORE_SIZES;
#endif
}

static size_t room_of(size_t size)
{
    return (size + 1) * STEP_BYTES;
}

void *h2_store_take(struct h2_store *store, size_t bytes)
{
    size_t size = size_of(bytes);
    struct h2_piece *piece;

    if (!is_kept(size))
        return malloc(bytes);
    piece = store->free[size];
    if (piece == NULL)
        return malloc(room_of(size));
    store->free[size] = piece->next;
    store->kept_bytes -= room_of(size);
    return piece;
}

void h2_store_give(struct h2_store *store, void *given, size_t bytes)
{
    struct h2_piece *piece = given;
    size_t size = size_of(bytes);

    if (!is_kept(size) || store->kept_bytes + room_of(size) > H2_STORE_BYTES) {
        free(piece);
        return;
    }
    piece->next = store->free[size];
    store->free[size] = piece;
    store->kept_bytes += room_of(size);
}

void h2_store_free(struct h2_store *store)
{
    for (size_t size = 0; size < H2_STORE_SIZES; size++)
        while (store->free[size] != NULL) {
            struct h2_piece *piece = store->free[size];

            store->free[size] = piece->next;
            free(piece);
        }
    store->kept_bytes = 0;
}
