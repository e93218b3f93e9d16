#ifndef HTTP_ALTERNATIVE_H
#define HTTP_ALTERNATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* One of the forms in which a resource can be had, for whoever is to choose. RFC9110:15.4.1, 15.5.7 */
struct alternative {
    struct span uri;      /* its own, percent-encoded */
    struct span name;     /* for people; any bytes */
    struct span type;     /* media type */
    struct span language; /* tag; empty: none */
    bool has_length;
    uint64_t length; /* bytes, if has_length */
};

#endif
