#include "serve/types.h"

#include <stdio.h>
#include <stdlib.h>

#define SYSTEM_TYPES       "/etc/mime.types"
#define SYSTEM_BYTES_MAX   ((size_t)1 << 20)
#define TYPES_MEMORY_BYTES ((size_t)16 << 20)

struct types {
    struct media_types table; /* first: the handle that callers hold */
    struct arena memory;
};

/* What there is of the system's table; no table is as good as an empty one. */
static struct span system_read(char *room)
{
    FILE *f = fopen(SYSTEM_TYPES, "re");
    size_t n = 0;

    if (f == NULL)
        return (struct span){ 0 };
    n = fread(room, 1, SYSTEM_BYTES_MAX, f);
    fclose(f);
    return (struct span){ room, n };
}

struct media_types *types_load(void)
{
    struct types *t = calloc(1, sizeof *t);
    char *text = malloc(SYSTEM_BYTES_MAX);
    bool loaded = false;

    if (t != NULL && text != NULL) {
        arena_init(&t->memory, NULL, 0, TYPES_MEMORY_BYTES);
        loaded = media_types_load(&t->table, system_read(text), &t->memory);
    }
    free(text);
    if (loaded)
        return &t->table;
    if (t != NULL)
        arena_reset(&t->memory);
    free(t);
    return NULL;
}

void types_release(struct media_types **types)
{
    struct types *t = (struct types *)*types;

    *types = NULL;
    if (t == NULL)
        return;
    arena_reset(&t->memory);
    free(t);
}
