#ifndef HTTP_METHOD_H
#define HTTP_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* The methods that the server has heard of; whether a resource takes one is another question. */
enum method {
    M_UNKNOWN,
#define METHOD(id, name, ...) M_##id,
#include "http/methods.def"
#undef METHOD
    METHODS
};

/* So that 1 << method makes a set of methods in a uint64_t. */
_Static_assert(METHODS <= 64, "a set of methods is a 64-bit mask");

/* What the content of a request means. RFC9110:9.3 */
enum method_content {
    CONTENT_NO_MEANING, /* none defined: taken off the connection and forgotten */
    CONTENT_OPTIONAL,
    CONTENT_EXPECTED,
    CONTENT_FORBIDDEN, /* the client must not send any */
};

struct method_info {
    struct span name; /* as on the wire */
    bool safe, idempotent;
    enum method_content content;
    const char *spec; /* RFCnnnn:section, or the name of a draft */
};

/* Case-sensitive (RFC9110:9.1). M_UNKNOWN when the name is not in the table. */
enum method method_find(struct span name);

/* m < METHODS. Never NULL; M_UNKNOWN has an empty name and is neither safe nor idempotent. */
const struct method_info *method_info(enum method m);

/*
 * The names of a set as the value of Allow: "GET, HEAD, OPTIONS", in the order of the table.
 *
 * set     1 << M_GET | ...; bits that are no method are ignored
 * out     gets at most `room` bytes, no NUL; METHOD_LIST_BYTES hold any set
 *
 * Returns bytes of the whole list; more than `room` means that it was cut off.
 */
size_t method_list(uint64_t set, char *out, size_t room);
#define METHOD_LIST_BYTES 512

#endif
