#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* The fields that the server knows; all others are FIELD_OTHER. */
enum field_id {
    FIELD_OTHER,
#define FIELD(id, name, ...) FIELD_##id,
#include "http/fields.def"
#undef FIELD
    FIELD_IDS
};

_Static_assert(FIELD_IDS <= 120, "struct head keeps a byte for each");

/* How several lines of one name relate. RFC9110:5.3 */
enum field_shape {
    SHAPE_ONE,   /* at most one line makes sense */
    SHAPE_LIST,  /* lines may be joined with commas */
    SHAPE_LINES, /* may repeat, yet a comma does not join them */
};

/* One field line. Name and value are borrowed; the value has no white space at its ends. */
struct field {
    struct span name, value;
    uint8_t id;   /* enum field_id */
    uint8_t next; /* 1 + index of the next line with the same id, 0: none, and always 0 for FIELD_OTHER */
};

struct field_info {
    struct span name; /* lower case */
    enum field_shape shape;
    bool hop;         /* belongs to this connection and is never forwarded. RFC9110:7.6.1 */
    bool h2_forbids;  /* RFC9113:8.2.2 */
    const char *spec; /* RFCnnnn:section, or the name of another document */
};

/* Without regard to case. FIELD_OTHER when the name is not in the table. Reads name.n bytes only; O(1). */
enum field_id field_find(struct span name);

/* id < FIELD_IDS. Never NULL; FIELD_OTHER has an empty name and SHAPE_LIST. */
const struct field_info *field_info(enum field_id id);

#endif
