#ifndef HTTP_VIA_H
#define HTTP_VIA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bounded.h"
#include "base/span.h"
#include "http/head.h"

/*
 * Via (RFC9110:7.6.3) and CDN-Loop (RFC8586:2): through whom a message came, to find loops.
 *
 * A pseudonym is a token; host:port will do too. Pure; any thread; no memory.
 */

/* May s be used as a pseudonym? A token, perhaps with ":" and digits behind. */
bool via_is_pseudonym(struct span s);

/* One element, "1.1 verdict"; from HTTP/2 on without the minor number, "2 verdict". */
void via_put(struct bounded *b, unsigned major, unsigned minor, struct span pseudonym);

/*
 * How often does the pseudonym stand in the Via lines, without regard to case? A port behind it is overlooked when the
 * pseudonym has none. Comments and quoted strings are no elements; what is opened and never closed hides nothing, so
 * that nobody hides the rest of the line with a lone parenthesis. O(bytes of the lines).
 */
size_t via_count(const struct head *head, struct span pseudonym);

/* How often does the id stand in the CDN-Loop lines, without regard to case and to parameters? As via_count(). */
size_t via_count_cdn(const struct head *head, struct span id);

#endif
