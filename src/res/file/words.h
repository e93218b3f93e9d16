#ifndef RES_FILE_WORDS_H
#define RES_FILE_WORDS_H

#include <stdbool.h>

#include "base/span.h"

/* The few words of the page made here, in one language. UTF-8, safe in markup. */
struct file_words {
    struct span language;
    struct span listing; /* before the path */
    struct span parent, name, size, modified;
    struct span cut; /* there are more members than are shown */
};

/* The language that suits an Accept-Language field best; English for whoever names none of them. */
const struct file_words *file_words_for(struct span accept_language);

/* Does the client like JSON better than HTML? */
bool file_words_json(struct span accept);

/* The style of the page: light and dark. */
struct span file_words_style(void);

#endif
