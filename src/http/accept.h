#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "base/span.h"
#include "http/coding.h"

/*
 * What a client would like, out of Accept, Accept-Language and Accept-Encoding (RFC9110:12.5). Pure; any thread.
 *
 * A quality is 0..1000, thousandths; 0 is "not acceptable". A field is given as a span: p == NULL means that it is
 * absent; several lines of it are joined with commas first.
 *
 * Broken input never makes the rest unreadable: a member whose weight is no number from 0 to 1 is passed over; more
 * digits than three are cut, but a weight above 0 never becomes 0; a weight without the leading 0 (`q=.2`) is read.
 * Commas and semicolons inside quotes separate nothing.
 *
 * Time  one pass over the field for each call
 */

/*
 * type         media type of what there is, with parameters: `text/html; charset=utf-8`
 *
 * Returns      the quality of the most specific range that fits, of equally specific ones the highest. RFC9110:12.5.1
 *              A range for one subtype goes before one for a whole type, that before the range for everything; among
 *              ranges of one kind the one with more parameters goes first. 0 when the list has ranges, but none fits;
 *              1000 when the field is absent or has no readable range.
 *              Each parameter of a range must be a parameter of the type, except that a charset is not held against
 *              a type that names none.
 */
unsigned accept_quality_media(struct span accept, struct span type);

/*
 * tag          language of what there is
 *
 * Returns      the quality of the closest range, see language_match(): the same, a longer prefix of the tag, a
 *              shorter one, a longer tag of the same language, a near one, `*`; of equally close ones the highest.
 *              Each step away from the same costs a thousandth, so that the closest of several tags has the largest
 *              number. A range with q=0 excludes only what it is the same as or a prefix of. 0 when the list has
 *              ranges, but none fits; 1000 when the field is absent or has no readable range.
 */
unsigned accept_quality_language(struct span accept_language, struct span tag);

/*
 * The quality of each coding. RFC9110:12.5.3
 * Absent or empty: identity 1000, all others 0; without a wish, nothing is coded. Else what is not listed has the
 * quality of `*`; without `*` it has 0, but identity has 1: acceptable, after everything that is asked for.
 */
void accept_codings(struct span accept_encoding, unsigned quality[CODINGS]);

/* The same for one coding. */
unsigned accept_quality_coding(struct span accept_encoding, enum coding coding);

#endif
