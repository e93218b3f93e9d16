#include "http/chunk.h"

#include "http/token.h"

/*
 *   SIZE { ";" EXTENSION } CRLF DATA CRLF ... 0 CRLF { NAME ":" VALUE CRLF } CRLF
 *
 * The frame is read byte by byte, so it may be cut anywhere; data is handed on in runs. A state is named by what the
 * next byte may be.
 */
enum state {
    SIZE,          /* digit, or what ends the size */
    SPACE,         /* white space between the size and a semicolon */
    EXTENSION,     /* anything that a field value may hold, up to CR */
    SIZE_LF,       /* LF behind the size */
    DATA,          /* content */
    DATA_CR,       /* CR behind the content */
    DATA_LF,       /* and its LF */
    TRAILER_START, /* first byte of a trailer line, or the CR of the empty line */
    TRAILER_NAME,  /* rest of the name, up to the colon */
    TRAILER_VALUE, /* up to CR */
    TRAILER_LF,    /* LF of a trailer line */
    LAST_LF,       /* LF of the empty line */
    ENDED,
};

#define SIZE_DIGITS 16

void chunk_init(struct chunk *c)
{
    *c = (struct chunk){ .extension_left = CHUNK_EXTENSION_BYTES, .trailer_left = CHUNK_TRAILER_BYTES, .state = SIZE };
}

bool chunk_ended(const struct chunk *c)
{
    return c->state == ENDED;
}

static enum reason go(struct chunk *c, enum state next)
{
    c->state = (uint8_t)next;
    return R_NONE;
}

static enum reason size_digit(struct chunk *c, char digit)
{
    if (c->digits == SIZE_DIGITS || c->left >> 56 != 0)
        return R_bad_chunk;
    c->digits++;
    c->left = c->left << 4 | token_hex(digit);
    return R_NONE;
}

static enum reason extension_byte(struct chunk *c, enum state next)
{
    if (c->extension_left == 0)
        return R_chunk_extension_too_long;
    c->extension_left--;
    return go(c, next);
}

/* The line with the size. */
static enum reason size_step(struct chunk *c, char byte)
{
    bool space = byte == ' ' || byte == '\t';

    if (c->state == SIZE && token_is(byte, TOKEN_HEX))
        return size_digit(c, byte);
    if (c->digits == 0)
        return R_bad_chunk;
    if (c->state == EXTENSION && token_is(byte, TOKEN_VALUE))
        return extension_byte(c, EXTENSION);
    if (c->state != EXTENSION && (space || byte == ';'))
        return extension_byte(c, space ? SPACE : EXTENSION);
    if (byte == '\r' && c->state != SPACE)
        return go(c, SIZE_LF);
    return R_bad_chunk;
}

static enum reason size_end(struct chunk *c)
{
    c->digits = 0;
    return go(c, c->left > 0 ? DATA : TRAILER_START);
}

/* Count a byte of the trailer section; `first` of a line. */
static enum reason count_trailer(struct chunk *c, bool first, bool end)
{
    if (c->trailer_left == 0)
        return R_request_trailers_too_large;
    c->trailer_left--;
    if (first)
        c->line = 0;
    if (!end && c->line_limit > 0 && c->line++ == c->line_limit)
        return R_header_field_too_large;
    return R_NONE;
}

/* A byte of the trailer section, the empty line at its end excepted. */
static enum reason trailer_step(struct chunk *c, char byte)
{
    bool first = c->state == TRAILER_START, value = c->state == TRAILER_VALUE, end = c->state == TRAILER_LF;
    enum reason why;

    if (first && byte == '\r')
        return go(c, LAST_LF);
    why = count_trailer(c, first, end || (value && byte == '\r'));
    if (why != R_NONE)
        return why;
    if (end)
        return byte == '\n' ? go(c, TRAILER_START) : R_malformed_trailer_field;
    if (value && byte == '\r')
        return go(c, TRAILER_LF);
    if (value)
        return token_is(byte, TOKEN_VALUE) ? R_NONE : R_malformed_trailer_field;
    if (!first && byte == ':')
        return go(c, TRAILER_VALUE);
    return token_is(byte, TOKEN_NAME) ? go(c, TRAILER_NAME) : R_malformed_trailer_field;
}

/* One byte of the frame: anything but DATA and ENDED. */
static enum reason step(struct chunk *c, char byte)
{
    switch ((enum state)c->state) {
    case SIZE:
    case SPACE:
    case EXTENSION:
        return size_step(c, byte);
    case SIZE_LF:
        return byte == '\n' ? size_end(c) : R_bad_chunk;
    case DATA_CR:
        return byte == '\r' ? go(c, DATA_LF) : R_bad_chunk;
    case DATA_LF:
        return byte == '\n' ? go(c, SIZE) : R_bad_chunk;
    case LAST_LF:
        return byte == '\n' ? go(c, ENDED) : R_malformed_trailer_field;
    default:
        return trailer_step(c, byte);
    }
}

static void take_data(struct chunk *c, struct span in, size_t *used, struct span *data)
{
    size_t n = in.n - *used < c->left ? in.n - *used : (size_t)c->left;

    *data = (struct span){ in.p + *used, n };
    *used += n;
    c->at += n;
    c->left -= n;
    if (c->left == 0)
        c->state = DATA_CR;
}

enum reason chunk_feed(struct chunk *c, struct span in, size_t *used, struct span *data, struct verdict *v)
{
    *used = 0;
    *data = (struct span){ 0 };
    while (c->state != ENDED) {
        enum reason why;

        if (*used == in.n)
            return R_MORE;
        if (c->state == DATA) {
            take_data(c, in, used, data);
            return R_NONE;
        }
        why = step(c, in.p[*used]);
        if (why != R_NONE)
            return verdict_set(v, why, c->at);
        ++*used;
        c->at++;
    }
    return R_NONE;
}

size_t chunk_head_write(char out[20], uint64_t bytes)
{
    size_t digits = 1, n;

    while (digits < 16 && bytes >> (4 * digits) != 0)
        digits++;
    for (n = 0; n < digits; n++)
        out[n] = "0123456789abcdef"[bytes >> (4 * (digits - 1 - n)) & 15];
    out[n++] = '\r';
    out[n++] = '\n';
    return n;
}
