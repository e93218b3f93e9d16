#include "http/path.h"

#include "base/bounded.h"
#include "base/check.h"
#include "http/block.h"
#include "http/token.h"

struct writer {
    char *out;
    size_t n;        /* bytes in out; out[n - 1] is '/' when a segment begins */
    size_t segment;  /* where the segment in progress begins in out */
    size_t raw;      /* and in the raw path */
    bool separators; /* the segment has an escaped slash or a backslash */
};

/* Is one of the parts of s, set off by "%2F" or a backslash, ".."? */
static bool hides_parent(struct span s)
{
    size_t start = 0, i = 0;

    while (i <= s.n) {
        bool escaped = span_starts(span_from(s, i), SPAN("%2F"));

        if (i == s.n || escaped || s.p[i] == '\\') {
            if (span_is((struct span){ s.p + start, i - start }, SPAN("..")))
                return true;
            start = i + (escaped ? 3 : 1);
        }
        i += escaped ? 3 : 1;
    }
    return false;
}

/* Take the last segment but the one in progress away. False at the root. */
static bool climb(struct writer *w)
{
    size_t n = w->segment;

    if (n == 1)
        return false;
    do
        n--;
    while (w->out[n - 1] != '/');
    w->n = n;
    return true;
}

/* The segment in progress is complete: keep it, drop it, or climb. */
static bool end_segment(struct writer *w, bool slash_follows)
{
    struct span segment = { w->out + w->segment, w->n - w->segment };

    if (span_is(segment, SPAN("..")))
        return climb(w);
    if (w->separators && hides_parent(segment))
        return false;
    w->separators = false;
    if (span_is(segment, SPAN(".")))
        w->n = w->segment;
    else if (segment.n > 0 && slash_follows)
        w->out[w->n++] = '/';
    return true;
}

/* The byte at raw.p[*i], decoded, to the segment. False when it may not stand in a path. */
static bool put_byte(struct writer *w, struct span raw, size_t *i)
{
    char c = raw.p[*i];

    if (c == '%') {
        if (raw.n - *i < 3 || !token_is(raw.p[*i + 1], TOKEN_HEX) || !token_is(raw.p[*i + 2], TOKEN_HEX))
            return false;
        c = (char)(token_hex(raw.p[*i + 1]) << 4 | token_hex(raw.p[*i + 2]));
        if (c == '/') {
            memcpy(w->out + w->n, "%2F", 3);
            w->n += 3;
            *i += 3;
            w->separators = true;
            return true;
        }
        *i += 2;
    }
    w->separators |= c == '\\' || c == '%';
    w->out[w->n++] = c;
    *i += 1;
    return c != '\0';
}

enum reason path_decode(struct span raw, char *out, size_t room, size_t *n, struct verdict *v)
{
    struct writer w = { out, 1, 1, 1, false };
    size_t i = 1;

    DIE_UNLESS(room > raw.n);
    out[0] = '/';
    if (raw.n > 0 && raw.p[0] != '/')
        return verdict_set(v, R_target_malformed, 0);
    while (i < raw.n) {
        size_t at = i;

        if (raw.p[i] != '/') {
            if (!put_byte(&w, raw, &i))
                return verdict_set(v, R_target_malformed, at);
            continue;
        }
        if (!end_segment(&w, true))
            return verdict_set(v, R_path_outside_root, w.raw);
        w.segment = w.n;
        w.raw = ++i;
    }
    if (!end_segment(&w, false))
        return verdict_set(v, R_path_outside_root, w.raw);
    *n = w.n;
    return R_NONE;
}

size_t path_encode(struct span path, char *out, size_t room)
{
    static const char digits[] = "0123456789ABCDEF";
    struct bounded text = { out, room, 0 };

    while (path.n > 0) {
        size_t plain = token_span(path, TOKEN_PATH);

        bounded_put(&text, (struct span){ path.p, plain });
        path = span_from(path, plain);
        if (path.n > 0) {
            uint8_t c = (uint8_t)path.p[0];
            char escape[3] = { '%', digits[c >> 4], digits[c & 15] };

            bounded_put(&text, (struct span){ escape, sizeof escape });
            path = span_from(path, 1);
        }
    }
    return text.bytes;
}

size_t path_segments(struct span path)
{
    size_t count = 0;

    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] != '/' && (i == 0 || path.p[i - 1] == '/'))
            count++;
    return count;
}

size_t path_first_hidden(struct span path)
{
    static const struct span known = SPAN_INIT("/.well-known");
    unsigned slash_before = 0;
    size_t i = 0;

    if (span_starts(path, known) && (path.n == known.n || path.p[known.n] == '/'))
        i = known.n;
    for (; i < path.n; i += BLOCK_BYTES) {
        block b = block_load_some(path.p + i, path.n - i);
        unsigned slashes = block_bits(block_is(b, '/'));
        unsigned hidden = (slashes << 1 | slash_before) & block_bits(block_is(b, '.'));

        if (hidden != 0)
            return i + block_first(hidden);
        slash_before = slashes >> (BLOCK_BYTES - 1);
    }
    return path.n;
}
