#include "res/fastcgi/fcgi_record.h"

#define VERSION      1
#define REQUEST_ID   1
#define KEEP_CONN    1
#define ROLE_RESPOND 1
#define END_BYTES    8u
#define LENGTH_SHORT 128u /* lengths below take one byte, others four */
#define LENGTH_LONG  0x80000000u

enum type { TYPE_BEGIN = 1, TYPE_END = 3, TYPE_PARAMS = 4, TYPE_STDIN = 5, TYPE_STDOUT = 6, TYPE_STDERR = 7 };
enum said { SAID_COMPLETE, SAID_CANNOT_MULTIPLEX, SAID_OVERLOADED, SAID_UNKNOWN_ROLE };
enum state { IN_HEADER, IN_CONTENT, IN_PADDING, ENDED };

/* Places in a header. */
enum { AT_VERSION, AT_TYPE, AT_ID, AT_LENGTH = 4, AT_PADDING = 6 };

/* ... and in the content of an end. */
enum { AT_PROTOCOL_STATUS = 4 };

static uint16_t number_at(const struct fcgi_reader *r, unsigned at)
{
    return (uint16_t)(r->have[at] << 8 | r->have[at + 1]);
}

static enum reason wrong(uint64_t at, struct verdict *v)
{
    return verdict_set(v, R_fastcgi_protocol_error, at);
}

/* --- Reading --- */

/* Collect the bytes that `have` still lacks. */
static bool collect(struct fcgi_reader *r, struct span in, size_t *used)
{
    size_t lacks = sizeof r->have - r->have_bytes, n = in.n - *used < lacks ? in.n - *used : lacks;

    if (n > 0)
        memcpy(r->have + r->have_bytes, in.p + *used, n);
    r->have_bytes = (uint8_t)(r->have_bytes + n);
    *used += n;
    r->at += n;
    return r->have_bytes == sizeof r->have;
}

static enum reason take_header(struct fcgi_reader *r, struct verdict *v)
{
    uint64_t began = r->at - FCGI_HEADER_BYTES;

    if (r->have[AT_VERSION] != VERSION)
        return wrong(began + AT_VERSION, v);
    r->type = r->have[AT_TYPE];
    if (r->type != TYPE_STDOUT && r->type != TYPE_STDERR && r->type != TYPE_END)
        return wrong(began + AT_TYPE, v);
    if (number_at(r, AT_ID) != REQUEST_ID)
        return wrong(began + AT_ID, v);
    r->left = number_at(r, AT_LENGTH);
    r->padding = r->have[AT_PADDING];
    if (r->type == TYPE_END && r->left != END_BYTES)
        return wrong(began + AT_LENGTH, v);
    r->have_bytes = 0;
    r->state = IN_CONTENT;
    return R_NONE;
}

/* How it went is known when the padding has been passed over. */
static enum reason take_end(struct fcgi_reader *r, struct verdict *v)
{
    uint64_t place = r->at - END_BYTES + AT_PROTOCOL_STATUS;

    r->left = 0;
    r->state = IN_PADDING;
    switch (r->have[AT_PROTOCOL_STATUS]) {
    case SAID_COMPLETE:
        return R_NONE;
    case SAID_OVERLOADED:
        return verdict_set(v, R_fastcgi_overloaded, place);
    default:
        return wrong(place, v);
    }
}

static void pass_padding(struct fcgi_reader *r, struct span in, size_t *used)
{
    size_t n = in.n - *used < r->padding ? in.n - *used : r->padding;

    *used += n;
    r->at += n;
    r->padding = (uint16_t)(r->padding - n);
    if (r->padding == 0)
        r->state = r->type == TYPE_END ? ENDED : IN_HEADER;
}

static struct span take_run(struct fcgi_reader *r, struct span in, size_t *used)
{
    size_t n = in.n - *used < r->left ? in.n - *used : r->left;
    struct span bytes = { in.p + *used, n };

    *used += n;
    r->at += n;
    r->left = (uint16_t)(r->left - n);
    if (r->left == 0)
        r->state = IN_PADDING;
    return bytes;
}

/* One step on. R_NONE with bytes->n == 0: another may follow; R_MORE. */
static enum reason step(struct fcgi_reader *r, struct span in, size_t *used, struct span *bytes, struct verdict *v)
{
    switch (r->state) {
    case IN_HEADER:
        return collect(r, in, used) ? take_header(r, v) : R_MORE;
    case IN_CONTENT:
        if (r->type == TYPE_END)
            return collect(r, in, used) ? take_end(r, v) : R_MORE;
        if (r->left > 0 && in.n == *used)
            return R_MORE;
        *bytes = take_run(r, in, used);
        return R_NONE;
    default:
        if (r->padding > 0 && in.n == *used)
            return R_MORE;
        pass_padding(r, in, used);
        return R_NONE;
    }
}

enum reason fcgi_read(struct fcgi_reader *r, struct span in, size_t *used, enum fcgi_run *run, struct span *bytes,
                      struct verdict *v)
{
    enum reason why = R_NONE;

    *used = 0;
    *bytes = (struct span){ 0 };
    while (why == R_NONE && bytes->n == 0 && r->state != ENDED)
        why = step(r, in, used, bytes, v);
    if (why != R_NONE)
        return why;
    if (bytes->n == 0)
        *run = FCGI_RUN_END;
    else
        *run = r->type == TYPE_STDOUT ? FCGI_RUN_OUTPUT : FCGI_RUN_ERRORS;
    return R_NONE;
}

/* --- Writing --- */

static void put_header(struct bounded *out, enum type type, size_t bytes)
{
    const char header[FCGI_HEADER_BYTES] = { VERSION, (char)type, 0, REQUEST_ID, (char)(bytes >> 8), (char)bytes };

    bounded_put(out, (struct span){ header, sizeof header });
}

void fcgi_put_begin(struct bounded *out, bool stays)
{
    const char body[] = { 0, ROLE_RESPOND, stays ? KEEP_CONN : 0, 0, 0, 0, 0, 0 };

    put_header(out, TYPE_BEGIN, sizeof body);
    bounded_put(out, (struct span){ body, sizeof body });
}

static void put_length(struct bounded *out, size_t n)
{
    uint32_t long_form = (uint32_t)n | LENGTH_LONG;
    const char bytes[] = { (char)(long_form >> 24), (char)(long_form >> 16), (char)(long_form >> 8), (char)n };

    bounded_put(out, n < LENGTH_SHORT ? (struct span){ bytes + 3, 1 } : (struct span){ bytes, 4 });
}

void fcgi_put_pair(struct bounded *out, struct span name, struct span value)
{
    put_length(out, name.n);
    put_length(out, value.n);
    bounded_put(out, name);
    bounded_put(out, value);
}

void fcgi_put_params(struct bounded *out, struct span pairs)
{
    while (pairs.n > 0) {
        size_t n = pairs.n < FCGI_CONTENT_BYTES ? pairs.n : FCGI_CONTENT_BYTES;

        put_header(out, TYPE_PARAMS, n);
        bounded_put(out, (struct span){ pairs.p, n });
        pairs = span_from(pairs, n);
    }
    put_header(out, TYPE_PARAMS, 0);
}

void fcgi_put_stdin(struct bounded *out, size_t bytes)
{
    put_header(out, TYPE_STDIN, bytes);
}
