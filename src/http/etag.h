#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

#include <stdbool.h>

#include "base/span.h"

/*
 * Entity tags (RFC9110:8.8.3) and the lists of If-Match and If-None-Match. Pure; any thread.
 * Nothing is copied: a parsed tag points into the field value.
 */
struct etag {
    struct span opaque; /* without the quotes; may be empty, may hold commas */
    bool weak;
};

/* RFC9110:8.8.3.2: strong for If-Match and If-Range, weak for If-None-Match. */
enum etag_comparison { ETAG_STRONG, ETAG_WEAK };

/* The whole of `value` is one tag, without white space around it. False: it is not, *out is untouched. */
bool etag_parse(struct span value, struct etag *out);

bool etag_equal(struct etag a, struct etag b, enum etag_comparison comparison);

/* Is the list the single member `*`? White space around it is allowed. */
bool etag_list_is_any(struct span list);

/*
 * Is `current` among the members of `list`?
 *
 * list         one field line's value; for several lines ask for each. Empty members are skipped. `*` is no member:
 *              see etag_list_is_any().
 *
 * Returns      true when a member equal to `current` comes before the first fault. From a fault on nothing is looked
 *              at, since the quotes can no longer be paired with certainty: a broken list therefore never adds a
 *              match. That is the safe side for both fields: If-Match fails with 412, If-None-Match sends the content.
 * Time         linear in the list.
 */
bool etag_in_list(struct span list, struct etag current, enum etag_comparison comparison);

#endif
