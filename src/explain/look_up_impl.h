#ifndef EXPLAIN_LOOK_UP_IMPL_H
#define EXPLAIN_LOOK_UP_IMPL_H

#include "explain/look_up.h"

/* All that can be found, in one row of numbers: reasons, then statuses, then sub-statuses. */
size_t look_up_item_count(void);
struct look_up_item look_up_item_at(size_t at);

/* Fill out->items[0] and out->also by the words of `what`. False when they fit nothing well. */
bool look_up_words(struct span what, struct look_up *out);

/* How many letters of `what` are wrong, if the item is meant. */
unsigned look_up_distance(struct span what, const struct look_up_item *item);

#endif
