#ifndef UPSTREAM_TAKE_IMPL_H
#define UPSTREAM_TAKE_IMPL_H

#include "upstream/making.h"

/* What upstream_take() and upstream_take_place() have in common. They return as those. */

/* Make a connection for x. The member counts x among its exchanges already, and a slot is x's. */
enum flow search_make(struct exchange *x, struct upstream_search *asked, const struct making_settings *settings,
                      bool probes, struct upstream **out);

/* With what asked->state says. */
enum flow search_go_on(struct exchange *x, struct upstream_search *asked, struct upstream **out);

#endif
