#ifndef RECORD_MEMBER_PAGE_H
#define RECORD_MEMBER_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "record/ring.h"

/*
 * What one worker knows of the servers that it hands requests on to, as it was when it told that last. One writer, any
 * readers: a page is read whole or not at all. No lock; nothing is allocated after the beginning.
 */

#define MEMBER_NAME_BYTES 80u  /* with a NUL; longer names are cut */
#define MEMBER_ROWS       256u /* of a page at most: the first ones that the configuration names */

struct member_row {
    char upstream[MEMBER_NAME_BYTES], server[MEMBER_NAME_BYTES];
    bool live, resting, checked_down, down; /* as in struct upstream_status */
    uint32_t connections, idle, exchanges, waiting;
    uint64_t requests, failures; /* since the configuration was read */
};

struct member_page {
    struct ring ring; /* an entry is an array of rows, with one more that is empty */
};

/* Memory is touched only by use. False: none. */
bool member_page_init(struct member_page *p);
void member_page_fini(struct member_page *p);

/* Writer. Room for `count` rows, at most MEMBER_ROWS, which are zeroed; they are told with member_page_end(). */
struct member_row *member_page_begin(struct member_page *p, uint32_t count);
void member_page_end(struct member_page *p, uint32_t count);

/* Writer. The name as a row has it. */
void member_row_name(char to[MEMBER_NAME_BYTES], struct span name);

/* Any thread: the newest page. Returns the number of rows; 0: nothing was told, or it changed too often meanwhile. */
uint32_t member_page_read(const struct member_page *p, struct member_row out[MEMBER_ROWS + 1]);

#endif
