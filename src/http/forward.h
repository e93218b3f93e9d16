#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"

/* Options that Connection may name, each line and each element counted. More is an attack on whoever compares them. */
#define FORWARD_OPTIONS_MAX 64

/* Fields that the gateway writes itself, so that those received are not passed on. */
enum forward_own {
    FORWARD_OWN_HOST = 1,
    FORWARD_OWN_LENGTH = 2, /* Content-Length */
    FORWARD_OWN_EXPECT = 4,
};

/* The field lines of one head that a gateway may pass on. A value: copied freely while the head lives. */
struct forward {
    const struct field *fields;
    uint64_t left[(HEAD_FIELDS_MAX + 63) / 64]; /* bit i of word w: line 64 * w + i */
};

/*
 * Choose the lines of a request or a response that go on to the other side: all but
 *   - those of this connection by the table (field_info()->hop), TE among them;
 *   - those that Connection names, without regard to case, whether the table knows them or not. Some fields stay
 *     though they are named, because what stands before us may have set them for the application, and a client could
 *     else have them removed: see the source for which and why;
 *   - those of `own`, an OR of enum forward_own.
 *
 * Returns  false when Connection has more than FORWARD_OPTIONS_MAX elements that are not hop-by-hop already: such a
 *          message is not fit for being forwarded
 * Memory   none; *out borrows head->fields
 * Cost     a few instructions for each field of the connection in the table; the lines are only looked at when
 *          Connection names more than those
 * Spec     RFC9110:7.6.1
 */
bool forward_choose(const struct head *head, unsigned own, struct forward *out) __attribute__((warn_unused_result));

/* Does the line go on? line < head->count */
static inline bool forward_has(const struct forward *f, size_t line)
{
    return (f->left[line / 64] >> line % 64 & 1) != 0;
}

/* Leave one more line out. line < head->count */
static inline void forward_drop(struct forward *f, size_t line)
{
    f->left[line / 64] &= ~((uint64_t)1 << line % 64);
}

/* Take the next line, in the order of the head; NULL when none is left. */
static inline const struct field *forward_take(struct forward *f)
{
    for (size_t word = 0; word < sizeof f->left / sizeof f->left[0]; word++)
        if (f->left[word] != 0) {
            size_t bit = (size_t)__builtin_ctzll(f->left[word]);

            f->left[word] &= f->left[word] - 1;
            return &f->fields[64 * word + bit];
        }
    return NULL;
}

#endif
