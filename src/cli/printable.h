#ifndef CLI_PRINTABLE_H
#define CLI_PRINTABLE_H

#include <stddef.h>

#include "base/span.h"

/*
 * Text from elsewhere, made fit for a terminal: nothing in it can move the cursor, change colours or the direction of
 * writing, or begin a new line. Control characters of one byte become \xNN; other characters that do not show, and bytes
 * that are no UTF-8, become U+FFFD.
 *
 * columns  at most so many are filled; what is longer is cut and ends with U+2026
 * out      NUL-terminated; 4 bytes a column and 4 more always suffice, with less room the text is cut earlier. room > 0
 *
 * Returns bytes written, NUL excluded.
 */
size_t printable(struct span text, size_t columns, char *out, size_t room);

#endif
