#ifndef ADMIN_FEED_H
#define ADMIN_FEED_H

#include "admin/api.h"
#include "admin/filter.h"
#include "base/arena.h"

/* A text that several readers send at their own pace. */
struct feed_text {
    uint32_t holders;
    uint64_t number;     /* of the feed's texts, from 1 */
    uint64_t rows_after; /* rows that the feed had told, or said to be skipped, when it was written; these included */
    uint64_t rows;       /* in it, likewise */
    size_t bytes;
    char text[];
};

void feed_text_release(struct feed_text *t); /* NULL is ignored */

/* What has ended since the last look, as the events of one filter. One thread. */
struct feed {
    struct feed *next;
    uint32_t readers;
    struct arena arena; /* of the query */
    struct span text;   /* the query, as it came: the same text is the same feed */
    struct query query;
    struct filter filter;
    uint64_t texts, rows_after; /* written so far */
    struct feed_text *current;  /* the last one written; NULL: none yet */
    uint64_t *positions;        /* by worker: the next record to look at */
    void *room;                 /* for one record */
    size_t room_bytes;
};

/* A feed for the query, which begins with what ends from now on. NULL: without memory when *bad_out is empty, else the
 * parameter of that name, which is in `a`, cannot be understood. */
struct feed *feed_new(const struct admin_source *source, struct span query, uint64_t unix_ms, struct arena *a,
                      struct span *bad_out);
void feed_release(struct feed **f);

/* Look for news, which become the current text; `pulse` is the data of a pulse to be told as well, or empty. */
void feed_look(struct feed *f, const struct admin_source *source, struct span pulse);

#endif
