#ifndef EXPLAIN_LOOK_UP_H
#define EXPLAIN_LOOK_UP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "reason/reason.h"
#include "reason/status.h"

/*
 * Whatever a person may know of an outcome - a status, a sub-status, a vendor's code, a reason's name or id, or just
 * some words - led to what the registry knows about it. Not for the hot path. Any thread; no memory; results static.
 */

enum look_up_kind { LOOK_UP_STATUS, LOOK_UP_SUBSTATUS, LOOK_UP_REASON };

struct look_up_item {
    enum look_up_kind kind;
    const struct status_info *status;       /* of kind LOOK_UP_STATUS, else NULL */
    const struct substatus_info *substatus; /* of kind LOOK_UP_SUBSTATUS, else NULL */
    enum reason why;                        /* of kind LOOK_UP_REASON, else R_NONE */
};

#define LOOK_UP_ITEMS 8
#define LOOK_UP_ALSO  6

struct look_up {
    struct look_up_item items[LOOK_UP_ITEMS]; /* what was asked for; several when one number has several meanings */
    size_t count;
    enum reason reasons[R_COUNT]; /* the conditions for which the items' codes stand; no item among them */
    size_t reason_count;
    enum reason elsewhere[R_COUNT]; /* by a bare number: conditions for which only other systems use it */
    size_t elsewhere_count;
    bool by_id;                             /* the number is no code: it was taken for the id of a reason */
    struct look_up_item also[LOOK_UP_ALSO]; /* by words: what else fits, best first */
    size_t also_count;
};

/*
 * what     404; 404.13; nginx:499, iis:404.13, cloudflare:1020; if-match-failed, also with `_` or capitals; 4010 (the
 *          id of a reason); "Bad Gateway", also in Chinese; "connection refused" and other words
 *
 * Returns  true, and out->count > 0; false, and *out is empty, when nothing is known
 */
bool look_up(struct span what, struct look_up *out);

/* What is wrong with something that look_up() does not find. */
enum look_up_fault {
    LOOK_UP_UNKNOWN,
    LOOK_UP_NO_VENDOR, /* "foo:404": nobody of that name has numbers here */
    LOOK_UP_NO_NUMBER  /* "nginx:" */
};
enum look_up_fault look_up_fault(struct span what);

/*
 * What is spelt most nearly like `what`, nearest first; at most `most`. Numbers are compared with numbers, names and
 * phrases with such of similar length. Returns their number: 0 when nothing is near.
 */
size_t look_up_near(struct span what, struct look_up_item near[], size_t most);

/* What to call an item so that look_up() finds it again: "404", "nginx:499", "404.13", "if-match-failed". */
struct look_up_name {
    char text[48];
};
struct look_up_name look_up_name(const struct look_up_item *item);

/* The short description of an item: phrase, meaning or text. Never NULL. */
const char *look_up_title(const struct look_up_item *item);

#endif
