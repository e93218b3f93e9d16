#ifndef HTTP_H2_LINE_H
#define HTTP_H2_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "http/field.h"

/* What may stand in a field line of HTTP/2, of a head or of trailers. Pure; any thread. */

/* Offset of the first byte that no name has, upper case among them; name.n when there is none. RFC9113:8.2.1 */
size_t h2_line_name_span(struct span name);

/* A token in lower case, not empty. id: what field_find() says of the name. */
bool h2_line_name_valid(struct span name, enum field_id id);

/* Offset of the first byte that may not stand there in a value: white space at an end, and what no TOKEN_VALUE is;
 * value.n when there is none. RFC9113:8.2.1 */
size_t h2_line_value_span(struct span value);

/* Is it about a connection of HTTP/1.1, or a TE that asks for more than trailers? RFC9113:8.2.2 */
bool h2_line_forbidden(enum field_id id, struct span value);

#endif
