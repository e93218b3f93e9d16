#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "http/block.h"

/* What a byte may be part of; token_classes[] holds the OR of these for each of the 256 bytes. */
enum token_class {
    TOKEN_NAME = 1,    /* tchar: methods, field names, coding names. RFC9110:5.6.2 */
    TOKEN_VALUE = 2,   /* field value: VCHAR, SP, HTAB, obs-text. RFC9110:5.5 */
    TOKEN_VISIBLE = 4, /* VCHAR: printable ASCII without SP */
    TOKEN_URI = 8,     /* unreserved, reserved except '#' (RFC3986:2), and ^ ` { | }, which browsers send as they are */
    TOKEN_HEX = 16,    /* hexadecimal digit of either case */
    TOKEN_DIGIT = 32,
    TOKEN_HOST = 64,  /* reg-name without escapes: unreserved, sub-delims. RFC3986:3.2.2 */
    TOKEN_PATH = 128, /* pchar without escapes, and '/'. RFC3986:3.3 */
};

extern const uint8_t token_classes[256];

static inline bool token_is(char c, enum token_class class)
{
    return (token_classes[(uint8_t)c] & class) != 0;
}

/* The classes that token_others() knows exactly. */
#define TOKEN_EXACT (TOKEN_VALUE | TOKEN_VISIBLE | TOKEN_URI | TOKEN_DIGIT)

/*
 * Bit i: lane i is not of the class. Outside TOKEN_EXACT it may be all the same: of those, just the letters, digits, '-'
 * and '.' are known that most of their runs are made of, and of TOKEN_HEX the digits.
 */
static inline unsigned token_others(block b, enum token_class class)
{
    block set;

    switch (class) {
    case TOKEN_VALUE:
        return block_bits((block_in(b, 0, 0x1f) & ~block_is(b, '\t')) | block_is(b, 0x7f));
    case TOKEN_VISIBLE:
        return block_bits(block_in(b, 0, ' ') | block_in(b, 0x7f, 0xff));
    case TOKEN_URI:
        set = block_is(b, '"') | block_is(b, '#') | block_is(b, '%') | block_is(b, '<') | block_is(b, '>') |
              block_is(b, '\\');
        return block_bits(set | block_in(b, 0, ' ') | block_in(b, 0x7f, 0xff));
    case TOKEN_NAME:
    case TOKEN_HOST:
    case TOKEN_PATH:
        set = block_in(b | 0x20, 'a', 'z') | (block_in(b, '-', '9') & ~block_is(b, '/'));
        return block_bits(set) ^ BLOCK_ALL;
    case TOKEN_HEX:
    case TOKEN_DIGIT:
        break;
    }
    return block_bits(block_in(b, '0', '9')) ^ BLOCK_ALL;
}

/* Offset of a byte of s, or s.n: all before it are of the class. */
static inline size_t token_span_blocks(struct span s, enum token_class class)
{
    size_t i = 0;

    for (; s.n - i >= BLOCK_BYTES; i += BLOCK_BYTES) {
        unsigned others = token_others(block_load(s.p + i), class);

        if (others != 0)
            return i + block_first(others);
    }
    if (i < s.n) /* NUL, which is behind them, is of no class */
        i += block_first(token_others(block_load_part(s.p + i, s.n - i), class));
    return i;
}

/* Offset of the first byte of s that is not of the class; s.n when all are. Reads s.n bytes only. */
static inline size_t token_span(struct span s, enum token_class class)
{
    size_t i = token_span_blocks(s, class);

    while ((class & TOKEN_EXACT) == 0 && i < s.n && token_is(s.p[i], class))
        i++;
    return i;
}

/* Offset of the first byte of s that neither is of the class nor begins an escape (%41); s.n when there is none. */
size_t token_span_escaped(struct span s, enum token_class class);

/* 0 to 15. c is TOKEN_HEX. */
static inline unsigned token_hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/*
 * Take the next element off a comma-separated list. RFC9110:5.6.1
 *
 * rest      the list, or what the call before left of it
 * element   borrowed from the list, without white space at its ends, never empty: empty elements are passed over
 *
 * A comma inside a quoted string (RFC9110:5.6.4) separates nothing; a string that is never closed ends with the list.
 * Returns false, and leaves element alone, when there is no more.
 */
bool token_next(struct span *rest, struct span *element);

#endif
