#include "http/token.h"

/*
 * One row for each sixteen bytes. The values are sums of enum token_class; the test rebuilds the table from the
 * grammars of the RFCs and compares.
 */
/* clang-format off */
const uint8_t token_classes[256] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,   2,   0,   0,   0,   0,   0,   0,  /* 00 */
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,  /* 10 */
      2, 207,   6,   7, 207,   7, 207, 207, 206, 206, 207, 207, 206, 207, 207, 142,  /* 20 */
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 142, 206,   6, 206,   6,  14,  /* 30 */
    142, 223, 223, 223, 223, 223, 223, 207, 207, 207, 207, 207, 207, 207, 207, 207,  /* 40 */
    207, 207, 207, 207, 207, 207, 207, 207, 207, 207, 207,  14,   6,  14,  15, 207,  /* 50 */
     15, 223, 223, 223, 223, 223, 223, 207, 207, 207, 207, 207, 207, 207, 207, 207,  /* 60 */
    207, 207, 207, 207, 207, 207, 207, 207, 207, 207, 207,  14,  15,  14, 207,   0,  /* 70 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* 80 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* 90 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* A0 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* B0 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* C0 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* D0 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* E0 */
      2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,   2,  /* F0 */
};
/* clang-format on */

size_t token_span_escaped(struct span s, enum token_class class)
{
    size_t i = 0;

    for (;;) {
        i += token_span(span_from(s, i), class);
        if (s.n - i < 3 || s.p[i] != '%' || !token_is(s.p[i + 1], TOKEN_HEX) || !token_is(s.p[i + 2], TOKEN_HEX))
            return i;
        i += 3;
    }
}

/* Bytes up to the next comma that separates, or to the end. */
static size_t element_length(struct span s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ',' && !quoted)
            return i;
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == '\\' && quoted)
            i++;
    }
    return s.n;
}

bool token_next(struct span *rest, struct span *element)
{
    while (rest->n > 0) {
        size_t n = element_length(*rest);
        struct span found = span_trim((struct span){ rest->p, n });

        *rest = span_from(*rest, n < rest->n ? n + 1 : n);
        if (found.n > 0) {
            *element = found;
            return true;
        }
    }
    return false;
}
