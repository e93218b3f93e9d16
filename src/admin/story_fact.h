#ifndef ADMIN_STORY_FACT_H
#define ADMIN_STORY_FACT_H

#include <jansson.h>
#include <stdbool.h>

#include "admin/source.h"
#include "base/span.h"
#include "http/target.h"
#include "record/record.h"

/* What the facts of one exchange are told from; any thread, one at a time. */
struct story_facts {
    const struct admin_source *source;
    const struct record *record;
    struct target target; /* parts of the target, if has_target: it is whole, and could be understood */
    bool has_target;
    struct record_forwarding forwarding; /* without tries, where the request went on to nobody */
    char *made;                          /* room for one text that does not stand in the record */
};

/* False: no memory. Source and record are borrowed until story_facts_end(). */
bool story_facts_begin(struct story_facts *facts, const struct admin_source *source, const struct record *record);
void story_facts_end(struct story_facts *facts);

/*
 * The facts that decided a node (story.def): [{"name", "value"}]; value is null for what the exchange did not have.
 *
 * ends     the exchange got no further than this node: what its reason is about is told too, as `operand`, and for a
 *          `stopped` act the place, as `offset` in bytes or as `errno`
 * Returns  owned by the caller; NULL without memory
 */
json_t *story_facts_of(struct story_facts *facts, unsigned node, bool ends, bool stopped);

/* What member `at` of an exchange is: "byte" or "errno"; NULL: it is 0, or a limit that was met. Static. */
const char *story_at_kind(const struct record *r);

#endif
