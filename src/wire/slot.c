#include "wire/slot.h"

#include <stdlib.h>

#define SLOT_ARENA_BYTES 6144u

struct slot {
    struct exchange x;
    struct slot *next;
    struct field *fields;
    _Alignas(max_align_t) char arena[SLOT_ARENA_BYTES];
};

static struct slot *slot_new(unsigned fields)
{
    struct slot *s = malloc(sizeof *s);

    if (s == NULL)
        return NULL;
    s->fields = malloc(fields * sizeof *s->fields);
    if (s->fields == NULL) {
        free(s);
        return NULL;
    }
    s->x.wait.ticket = 0;
    arena_init(&s->x.arena, s->arena, sizeof s->arena, 0);
    return s;
}

/* Called through a pointer, so that the library's memset does it: what compilers put in place for a size that they know
 * is slower. */
static void *(*const volatile clear)(void *, int, size_t) = memset;

struct exchange *slot_take(struct slot **list, unsigned fields, uint32_t arena_bytes)
{
    struct slot *s = *list;

    if (s != NULL)
        *list = s->next;
    else if ((s = slot_new(fields)) == NULL)
        return NULL;
    clear((char *)&s->x + EXCHANGE_CLEAR_BEGIN, 0, EXCHANGE_CLEAR_END - EXCHANGE_CLEAR_BEGIN);
    s->x.wait.what = s->x.waits[0].what = NULL;
    s->x.arena.left = s->x.arena.limit = arena_bytes; /* which may be another than the last time */
    s->x.req.head.fields = s->fields;                 /* all else of an empty head is zero */
    return &s->x;
}

void slot_return(struct slot **list, struct exchange *x)
{
    struct slot *s = (struct slot *)x;

    if (s == NULL)
        return;
    arena_reset(&x->arena);
    x->wait.ticket++;
    s->next = *list;
    *list = s;
}

void slots_free(struct slot **list)
{
    while (*list != NULL) {
        struct slot *s = *list;

        *list = s->next;
        free(s->fields);
        free(s);
    }
}
