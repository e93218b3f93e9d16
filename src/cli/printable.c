#include "cli/printable.h"

#include <stdint.h>
#include <stdio.h>

#include "cli/output.h"

static const struct span replacement = SPAN_INIT("\xEF\xBF\xBD"), ellipsis = SPAN_INIT("\xE2\x80\xA6");

/* Bytes of the character that s begins with, its number in *code; 0 when it is no UTF-8. RFC3629:4 */
static size_t character_read(struct span s, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)s.p[0];
    size_t n = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;

    if (n == 0 || n > s.n)
        return 0;
    *code = n == 1 ? first : first & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s.p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | ((unsigned char)s.p[i] & 0x3Fu);
    }
    return *code >= least[n] && *code <= 0x10FFFF && (*code < 0xD800 || *code > 0xDFFF) ? n : 0;
}

/* Controls, marks of direction, joiners, separators of lines, tags and what belongs to nobody. */
static bool shows(uint32_t code)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {
        { 0x00, 0x1F },     { 0x7F, 0x9F },     { 0xAD, 0xAD },       { 0x61C, 0x61C },      { 0x180E, 0x180E },
        { 0x200B, 0x200F }, { 0x2028, 0x202E }, { 0x2060, 0x206F },   { 0xE000, 0xF8FF },    { 0xFEFF, 0xFEFF },
        { 0xFFF0, 0xFFFB }, { 0xFFFE, 0xFFFF }, { 0xE0000, 0xE0FFF }, { 0xF0000, 0x10FFFF },
    };

    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (code >= hidden[i].from && code <= hidden[i].to)
            return false;
    return true;
}

/* What stands for the character that s begins with; *used bytes of s are done with. */
static struct span character_shown(struct span s, size_t *used, char escape[5])
{
    uint32_t code = 0;

    *used = character_read(s, &code);
    if (*used == 0) {
        *used = 1;
        return replacement;
    }
    if (shows(code))
        return (struct span){ s.p, *used };
    if (*used > 1)
        return replacement;
    snprintf(escape, 5, "\\x%02X", (uint8_t)code);
    return (struct span){ escape, 4 };
}

size_t printable(struct span text, size_t columns, char *out, size_t room)
{
    size_t n = 0, filled = 0, fits = 0;

    while (text.n > 0) {
        char escape[5];
        size_t used;
        struct span shown = character_shown(text, &used, escape);
        size_t width = output_width(shown);

        if (filled + width > columns || n + shown.n + ellipsis.n >= room) {
            n = fits;
            if (n + ellipsis.n < room) {
                memcpy(out + n, ellipsis.p, ellipsis.n);
                n += ellipsis.n;
            }
            break;
        }
        memcpy(out + n, shown.p, shown.n);
        n += shown.n;
        filled += width;
        if (filled < columns)
            fits = n;
        text = span_from(text, used);
    }
    out[n] = '\0';
    return n;
}
