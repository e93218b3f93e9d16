#ifndef HTTP_MEDIA_TYPE_H
#define HTTP_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/span.h"

/* Media types by the suffix of a file name. */

struct media_type {
    struct span value; /* for Content-Type: `text/html; charset=utf-8` */
    struct span name;  /* its start, without parameters: `text/html` */
    bool is_text;      /* text of any kind, hence the charset */
    bool compressible; /* coding it saves bytes */
};

/* Does coding content of this type save bytes? content_type: the field's value, parameters and all. Pure; any thread. */
bool media_type_is_compressible(struct span content_type);

struct media_slot;

/* A hash of suffixes. Built once, then only read: any number of threads may share it. */
struct media_types {
    const struct media_slot *slots;
    size_t mask; /* slots - 1, a power of two minus one */
};

/*
 * Build the table: the types of `text` first, the built-in ones (media_types.def) where it has none.
 *
 * text         of the form of /etc/mime.types: on each line a type and the suffixes that mean it, `#` begins a comment.
 *              May be empty; not needed after the call. What is no type by RFC6838:4.2, and suffixes with a dot or
 *              longer than 32 bytes, are passed over. A suffix named twice means the later type.
 * arena        holds the table, and so must outlive it; about 110 bytes for each suffix
 *
 * Returns      false when the arena is full; the table is then unusable
 */
bool media_types_load(struct media_types *table, struct span text, struct arena *arena);

/*
 * file_name    a name or a path; what follows the last dot of its last component decides, without regard to the case
 *              of ASCII letters. A name that begins with its only dot has no suffix.
 *
 * Returns      never NULL; application/octet-stream for what is unknown. Lives as long as the table.
 * Time         bounded, whatever the name
 */
const struct media_type *media_type_find(const struct media_types *table, struct span file_name);

#endif
