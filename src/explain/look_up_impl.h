#ifndef EXPLAIN_LOOK_UP_IMPL_H
#define EXPLAIN_LOOK_UP_IMPL_H

#include "explain/look_up.h"

/* All that can be found, in one row of numbers: reasons, then statuses, then sub-statuses. */
size_t look_up_item_count(void);
struct look_up_item look_up_item_at(size_t at);

/* Fill out->items[0] and out->also by the words of `what`. False when they fit nothing well. */
bool look_up_words(struct span what, struct look_up *out);

/* The items that have the most of the words, best first, if any has half of them; at most `most`. */
size_t look_up_words_near(struct span what, struct look_up_item near[], size_t most);

/* What browsers and tools say that is no phrase of anybody, and the status that it is about. */
struct look_up_saying {
    struct span said;
    uint16_t code;
};
extern const struct look_up_saying look_up_sayings[];
extern const size_t look_up_saying_count;

/* How many letters of `what` are wrong, if the item is meant; LOOK_UP_FAR when it cannot be meant. */
#define LOOK_UP_FAR 1000
unsigned look_up_distance(struct span what, const struct look_up_item *item);

#endif
