#ifndef IO_LINK_H
#define IO_LINK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A ring of things that carry the link themselves: no memory, every step O(1).
 *
 * A head is initialised by link_init() and may not move while the ring is in use. A zeroed member is out of any ring.
 * Threads  none: a ring belongs to one thread.
 */
struct link {
    struct link *next, *prev;
};

static inline void link_init(struct link *head)
{
    head->next = head->prev = head;
}

static inline bool link_is_empty(const struct link *head)
{
    return head->next == head;
}

/* Is this member in some ring? */
static inline bool link_is_in(const struct link *member)
{
    return member->next != NULL;
}

/* As the last of the ring; the member must be out of any ring. */
static inline void link_append(struct link *head, struct link *member)
{
    member->prev = head->prev;
    member->next = head;
    head->prev->next = member;
    head->prev = member;
}

/* The member must be in a ring. */
static inline void link_remove(struct link *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    member->next = member->prev = NULL;
}

/* All members of `from` go behind those of `to`, in their order. */
static inline void link_move_all(struct link *from, struct link *to)
{
    if (link_is_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    link_init(from);
}

#endif
