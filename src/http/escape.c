#include "http/escape.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/bounded.h"

static const struct span replacement = SPAN_INIT("\xEF\xBF\xBD"); /* U+FFFD */
static const char hex[] = "0123456789ABCDEF";

static bool is_follower(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Bytes of the UTF-8 sequence that s, not empty, begins with; 0 when it begins with none. RFC3629:4 */
static size_t utf8_bytes(struct span s)
{
    const unsigned char *u = (const unsigned char *)s.p;

    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4 || s.n < 2 || !is_follower(u[1]))
        return 0;
    if (u[0] < 0xe0)
        return 2;
    /* the shortest form only, no surrogates, nothing above U+10FFFF */
    if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
        (u[0] == 0xf4 && u[1] > 0x8f))
        return 0;
    if (s.n < 3 || !is_follower(u[2]))
        return 0;
    if (u[0] < 0xf0)
        return 3;
    return s.n < 4 || !is_follower(u[3]) ? 0 : 4;
}

/* What takes the place of the character at the start of s: its own bytes when it may stay. *used tells its length. */
typedef struct span (*replace_fn)(struct span s, size_t *used, char spare[ESCAPE_GROWTH]);

static size_t escape_each(struct span in, replace_fn replace, const bool special[256], char *out, size_t room)
{
    struct bounded b = { out, room, 0 };

    while (in.n > 0) {
        char spare[ESCAPE_GROWTH];
        size_t plain = 0, used = 1;

        while (plain < in.n && !special[(unsigned char)in.p[plain]])
            plain++;
        bounded_put(&b, (struct span){ in.p, plain });
        in = span_from(in, plain);
        if (in.n == 0)
            break;
        bounded_put(&b, replace(in, &used, spare));
        in = span_from(in, used);
    }
    return b.bytes;
}

static struct span replace_wide(struct span s, size_t *used)
{
    size_t bytes = utf8_bytes(s);

    *used = bytes > 0 ? bytes : 1;
    return bytes > 0 ? (struct span){ s.p, bytes } : replacement;
}

static struct span replace_markup(struct span s, size_t *used, char spare[ESCAPE_GROWTH])
{
    struct span wide;

    (void)spare;
    switch (s.p[0]) {
    case '&':
        return SPAN("&amp;");
    case '<':
        return SPAN("&lt;");
    case '>':
        return SPAN("&gt;");
    case '"':
        return SPAN("&quot;");
    case '\'':
        return SPAN("&#39;");
    case '\r':
        return SPAN("&#13;");
    }
    if ((unsigned char)s.p[0] < 0x80)
        return replacement;
    wide = replace_wide(s, used);
    return span_is(wide, SPAN("\xEF\xBF\xBE")) || span_is(wide, SPAN("\xEF\xBF\xBF")) ? replacement : wide;
}

static struct span replace_json(struct span s, size_t *used, char spare[ESCAPE_GROWTH])
{
    unsigned char c = (unsigned char)s.p[0];

    if (c >= 0x80)
        return replace_wide(s, used);
    if (c == '"')
        return SPAN("\\\"");
    if (c == '\\')
        return SPAN("\\\\");
    memcpy(spare, "\\u00", 4);
    spare[4] = hex[c >> 4];
    spare[5] = hex[c & 15];
    return (struct span){ spare, 6 };
}

static struct span replace_log(struct span s, size_t *used, char spare[ESCAPE_GROWTH])
{
    unsigned char c = (unsigned char)s.p[0];

    (void)used;
    memcpy(spare, "\\x", 2);
    spare[2] = hex[c >> 4];
    spare[3] = hex[c & 15];
    return (struct span){ spare, 4 };
}

static struct span replace_bad(struct span s, size_t *used, char spare[ESCAPE_GROWTH])
{
    (void)spare;
    return replace_wide(s, used);
}

size_t escape_markup(struct span in, char *out, size_t room)
{
    static const bool special[256] = { [0 ... 8] = true, [11 ... 31] = true, ['&'] = true,  ['<'] = true,
                                       ['>'] = true,     ['"'] = true,       ['\''] = true, [0x80 ... 0xff] = true };

    return escape_each(in, replace_markup, special, out, room);
}

size_t escape_json(struct span in, char *out, size_t room)
{
    static const bool special[256] = { [0 ... 31] = true, ['"'] = true, ['\\'] = true, [0x80 ... 0xff] = true };

    return escape_each(in, replace_json, special, out, room);
}

size_t escape_log(struct span in, char *out, size_t room)
{
    static const bool special[256] = { [0 ... 31] = true, ['"'] = true, ['\\'] = true, [0x7f ... 0xff] = true };

    return escape_each(in, replace_log, special, out, room);
}

size_t escape_utf8(struct span in, char *out, size_t room)
{
    static const bool special[256] = { [0x80 ... 0xff] = true };

    return escape_each(in, replace_bad, special, out, room);
}
