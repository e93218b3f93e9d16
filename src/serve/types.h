#ifndef SERVE_TYPES_H
#define SERVE_TYPES_H

#include "http/media_type.h"

/* The media types of this system (/etc/mime.types), with the built-in ones where it has none. NULL without memory. */
struct media_types *types_load(void);
void types_release(struct media_types **types);

#endif
