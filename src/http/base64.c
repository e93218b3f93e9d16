#include "http/base64.h"

#include <stdint.h>

#define NO_LETTER 64u

static uint32_t sextet_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : NO_LETTER;
}

/* `letters` of the four stand for something, the others are padding. */
static bool group_decode(const char four[4], size_t letters, char out[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        uint32_t sextet = i < letters ? sextet_of(four[i]) : 0;

        if (sextet == NO_LETTER)
            return false;
        bits = bits << 6 | sextet;
    }
    if ((bits & (letters == 2 ? 0xffffU : letters == 3 ? 0xffU : 0)) != 0)
        return false;
    for (size_t i = 0; i + 1 < letters; i++)
        out[i] = (char)(bits >> (16 - 8 * i) & 0xff);
    return true;
}

bool base64_decode(struct span in, char *out, size_t *bytes)
{
    size_t padding = span_ends(in, SPAN("==")) ? 2 : span_ends(in, SPAN("=")) ? 1 : 0;

    if (in.n % 4 != 0)
        return false;
    for (size_t at = 0; at < in.n; at += 4)
        if (!group_decode(in.p + at, at + 4 == in.n ? 4 - padding : 4, out + at / 4 * 3))
            return false;
    *bytes = BASE64_BYTES(in.n) - padding;
    return true;
}
