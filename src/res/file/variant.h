#ifndef RES_FILE_VARIANT_H
#define RES_FILE_VARIANT_H

#include <stdbool.h>

#include "base/span.h"
#include "http/media_type.h"

/*
 * Names of variants. Pure; any thread.
 *
 * A name in which the type is left open: `page` stands for page.html, page.en.html, `logo` for logo.png, logo.webp.
 * A name with a type, `page.html`, stands for page.en.html alone: same type, in some language. A language is a tag with
 * a primary part of two letters, or one with more than its primary part (`yue-Hant`): three letters alone are more
 * often something else (jquery.min.js).
 */

/* Is the file `name` a variant of `asked`? */
bool file_variant_fits(const struct media_types *types, struct span asked, struct span name);

/* The language that a file name tells; n == 0: none. In `name`. */
struct span file_variant_language(const struct media_types *types, struct span name);

/* Has the name a suffix with a known media type? */
bool file_variant_typed(const struct media_types *types, struct span name);

#endif
