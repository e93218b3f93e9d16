#ifndef RES_GATEWAY_INSERT_H
#define RES_GATEWAY_INSERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"

/*
 * A text put before the first occurrence of a tag in content that comes in pieces, wherever those are cut. Nothing is
 * kept but the beginning of what may be the tag. Content without the tag stays as it is.
 *
 *   while there is content: insert_feed(), then insert_take() until it says false; insert_end(), and insert_take() again
 *
 * Threads  none of its own
 */
struct insert {
    struct span tag, text; /* tag: in whatever case; begins with "<" */
    char *held, *freed;    /* room for a tag each: what is kept back; what was kept back and goes on now */
    size_t matched;        /* bytes of the tag that what has come ends with: all are held */
    bool over;             /* the text has been put in, or the content has ended */
    struct span queue[5];  /* what goes on now */
    uint32_t at, count;
};

/* Both spans are borrowed. False: the arena is full. */
bool insert_init(struct insert *i, struct arena *arena, struct span tag, struct span text);

/* Content, which must stay until it has been taken. All before it has been taken. */
void insert_feed(struct insert *i, struct span content);

/* There is no more: what was held back goes on. */
void insert_end(struct insert *i);

/* The next run that goes on, never empty; valid until the next insert_feed(). False: there is none now. */
bool insert_take(struct insert *i, struct span *out);

#endif
