#include "http/h1_parse.h"

#include "http/h1_fields_impl.h"
#include "http/target_front.h"

/* Before the field section: empty lines, METHOD SP TARGET SP VERSION CRLF. */

#define METHOD_BYTES       32u /* longer than any method that there is: RFC9112:3 asks for 501 */
#define EMPTY_LINES_BYTES  4u  /* two empty lines before the request line */
#define VERSION_LINE_BYTES 10u /* HTTP/1.1 CR LF */

/* Does a part from `start` end at `i`, with the SP behind it? */
static bool ends_with_space(const struct h1_reader *r, uint32_t start, uint32_t i)
{
    return i > start && i < r->n && r->p[i] == ' ';
}

static enum reason refuse_method(const struct h1_reader *r, uint32_t i)
{
    if (i == r->n)
        return h1_out_of_bytes(r);
    if (token_is(r->p[i], TOKEN_NAME))
        return verdict_set(r->v, R_method_unknown, i);
    return h1_refuse(r, i, R_malformed_request_line, R_method_malformed, (struct span){ 0 });
}

/* *at: from the first byte of the method to the one behind its SP. */
static enum reason take_method(const struct h1_reader *r, uint32_t *at)
{
    uint32_t i = *at + 3;

    if (r->n - *at < 4 || memcmp(r->p + *at, "GET ", 4) != 0) {
        i = h1_run(r, *at, h1_bound(r, *at, METHOD_BYTES), TOKEN_NAME);
        if (!ends_with_space(r, *at, i))
            return refuse_method(r, i);
    }
    r->head->method_name = h1_part(r, *at, i);
    *at = i + 1;
    return R_NONE;
}

static enum reason refuse_target(const struct h1_reader *r, uint32_t start, uint32_t i)
{
    const struct span none = { 0 };

    if (i == r->n)
        return h1_out_of_bytes(r);
    if (token_is(r->p[i], TOKEN_VISIBLE))
        return verdict_set(r->v, R_uri_too_long, i);
    if (i == start && (r->p[i] == ' ' || r->p[i] == '\r'))
        return h1_refuse(r, i, R_malformed_request_line, R_malformed_request_line, none);
    return h1_refuse(r, i, R_version_missing, R_target_malformed, none);
}

/* *at: from the first byte of the target to the one behind its SP. */
static enum reason take_target(const struct h1_reader *r, uint32_t *at)
{
    uint32_t end = h1_bound(r, *at, r->limits->target_bytes);
    struct target_front front = target_front_of(h1_part(r, *at, end));
    uint32_t i = *at + front.bytes;

    if (!ends_with_space(r, *at, i)) {
        i = h1_run(r, i, end, TOKEN_VISIBLE);
        if (!ends_with_space(r, *at, i))
            return refuse_target(r, *at, i);
    }
    r->head->front = front;
    r->head->target = h1_part(r, *at, i);
    *at = i + 1;
    return R_NONE;
}

/* Does c fit the place i of "HTTP/1.1"? RFC9112:2.3 */
static bool version_fits(char c, uint32_t i)
{
    return i == 5 || i == 7 ? token_is(c, TOKEN_DIGIT) : c == "HTTP/1.1"[i];
}

/* Another version than HTTP/1.1, or no whole one. at: its first byte. */
static enum reason take_other_version(const struct h1_reader *r, uint32_t at)
{
    const struct span none = { 0 };
    uint32_t end = at + 8;

    for (uint32_t i = at; i < end; i++) {
        if (i == r->n)
            return h1_out_of_bytes(r);
        if (i == at && (r->p[i] == '\r' || r->p[i] == ' '))
            return h1_refuse(r, i, R_version_missing, R_malformed_request_line, none);
        if (!version_fits(r->p[i], i - at))
            return h1_refuse(r, i, R_version_malformed, R_version_malformed, none);
    }
    r->head->major = (uint8_t)(r->p[at + 5] - '0');
    r->head->minor = (uint8_t)(r->p[at + 7] - '0');
    if (end < r->n && r->p[end] == ' ')
        return verdict_set(r->v, R_malformed_request_line, end);
    return h1_expect_line_end(r, end, R_version_malformed, none);
}

/* at: the first byte of the version. R_NONE: the line ends behind it. */
static enum reason take_version(const struct h1_reader *r, uint32_t at)
{
    if (r->n - at < VERSION_LINE_BYTES || memcmp(r->p + at, "HTTP/1.1\r\n", VERSION_LINE_BYTES) != 0)
        return take_other_version(r, at);
    r->head->major = r->head->minor = 1;
    return R_NONE;
}

/* RFC9112:2.2: a client may have sent an empty line too much after the message before. */
static enum reason skip_empty_lines(const struct h1_reader *r)
{
    struct head *head = r->head;

    while (head->at < r->n && r->p[head->at] == '\r') {
        enum reason why = h1_expect_line_end(r, head->at, R_malformed_request_line, (struct span){ 0 });

        if (why != R_NONE)
            return why;
        if (head->at == EMPTY_LINES_BYTES)
            return verdict_set(r->v, R_malformed_request_line, head->at);
        head->at += 2;
    }
    return R_NONE;
}

static enum reason take_request_line(const struct h1_reader *r)
{
    struct head *head = r->head;
    enum reason why = skip_empty_lines(r);
    uint32_t at = head->at;

    if (why != R_NONE || (why = take_method(r, &at)) != R_NONE)
        return why;
    if ((why = take_target(r, &at)) != R_NONE || (why = take_version(r, at)) != R_NONE)
        return why;
    head->method = method_find(head->method_name);
    head->at = at + VERSION_LINE_BYTES;
    head->stage = H1_FIELDS;
    return R_NONE;
}

enum reason h1_parse_head(struct span in, const struct h1_limits *limits, struct head *head, struct verdict *v)
{
    const struct h1_reader r = h1_reader_of(in, limits, head, v);
    enum reason why = R_NONE;

    if (in.n == 0) /* in.p may be NULL */
        return R_MORE;
    head->base = in.p;
    if (head->stage == H1_START)
        why = take_request_line(&r);
    return why == R_NONE ? h1_fields_take(&r) : why;
}
