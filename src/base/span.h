#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* Borrowed bytes, not NUL-terminated. n == 0: empty, and p may be NULL. */
struct span {
    const char *p;
    size_t n;
};

/* The span of a string literal. */
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

/* For static tables, where a compound literal is no constant. */
#define SPAN_INIT(literal)             \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static inline struct span span_of(const char *string)
{
    return (struct span){ string, strlen(string) };
}

/* b's length is used: where b is a literal, the compiler compares words. */
static inline bool span_is(struct span a, struct span b)
{
    return a.n == b.n && (b.n == 0 || memcmp(a.p, b.p, b.n) == 0);
}

/* Equal without regard to the case of ASCII letters. Not by strncasecmp(), which takes all behind a NUL for equal. */
static inline bool span_is_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        unsigned differ = (unsigned char)(a.p[i] ^ b.p[i]), letter = (unsigned char)(a.p[i] | 0x20);

        if (differ != 0 && (differ != 0x20 || letter < 'a' || letter > 'z'))
            return false;
    }
    return true;
}

static inline bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool span_ends(struct span s, struct span suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* s without its first n bytes; n <= s.n. */
static inline struct span span_from(struct span s, size_t n)
{
    return (struct span){ s.p + n, s.n - n };
}

/* s without optional white space (SP, HTAB) at both ends. RFC9110:5.6.3 */
static inline struct span span_trim(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_from(s, 1);
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Offset of the first c in s, or s.n when there is none. */
static inline size_t span_find(struct span s, char c)
{
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

    return at != NULL ? (size_t)(at - s.p) : s.n;
}

#endif
