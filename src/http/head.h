#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "http/field.h"
#include "http/method.h"

#define HEAD_FIELDS_MAX 250

/* What one look at the front of a target tells: target_front_of(). */
struct target_front {
    uint32_t bytes; /* of what plain paths are made of, slashes too; 0 as well when nobody has looked yet */
    bool is_plain;  /* no "//" and no "/." in them */
};

/*
 * The head of a request: the request line and the field lines, in place.
 *
 * Memory   all spans are borrowed from the buffer the head was parsed in; `fields` is the caller's array
 * Threads  none of its own
 */
struct head {
    struct span method_name, target;
    struct span scheme; /* :scheme of HTTP/2; empty in HTTP/1, where an absolute target has one */
    enum method method;
    uint8_t major, minor;     /* of the version */
    uint16_t count;           /* field lines so far, at most HEAD_FIELDS_MAX */
    uint32_t bytes;           /* whole head with leading empty lines and the blank line, when complete; else 0 */
    struct field *fields;     /* the caller's array */
    uint8_t first[FIELD_IDS]; /* 1 + index of the first line with that id, 0: none; nothing for FIELD_OTHER */

    const char *base; /* first byte of the message, to tell offsets; NULL: none are known */
    uint32_t at;      /* parser: offset of the line to go on with */
    uint8_t stage;    /* parser: what is expected there; 0: the request line */

    struct target_front front; /* of the target */
};

/* An empty head that keeps its lines in `array`. */
void head_init(struct head *head, struct field *array);

/*
 * Append a field line; the array has room for it, and head->count < HEAD_FIELDS_MAX. Recognises the name. O(1), and
 * O(lines of that name) for a repeated one.
 */
void head_add(struct head *head, struct span name, struct span value);

/* Likewise; field_find() has said the id of the name. */
void head_add_found(struct head *head, enum field_id id, struct span name, struct span value);

/* The first line with the id, or NULL. id is not FIELD_OTHER. */
static inline const struct field *head_field(const struct head *head, enum field_id id)
{
    return head->first[id] != 0 ? &head->fields[head->first[id] - 1] : NULL;
}

/* The line after f with the same id, or NULL: for (f = head_field(h, id); f != NULL; f = head_next(h, f)) */
static inline const struct field *head_next(const struct head *head, const struct field *f)
{
    return f->next != 0 ? &head->fields[f->next - 1] : NULL;
}

/* Are there two lines or more with the id? */
static inline bool head_repeated(const struct head *head, enum field_id id)
{
    return head->first[id] != 0 && head->fields[head->first[id] - 1].next != 0;
}

/* Is `token` an element of the comma-separated list that all lines of the id make up? Without regard to case; the whole
 * element is compared, parameters included. RFC9110:5.6.1 */
bool head_list_has(const struct head *head, enum field_id id, struct span token);

/* Offset in the message of a place in one of the head's spans; 0 when the base is not known. */
static inline uint32_t head_offset(const struct head *head, const char *place)
{
    return head->base != NULL ? (uint32_t)(place - head->base) : 0;
}

#endif
