#include "http/h1_parse.h"

#include "http/token.h"

/*
 * A head is read line by line, and a line part by part:
 *
 *   empty lines   METHOD SP TARGET SP VERSION CRLF   { NAME ":" OWS VALUE OWS CRLF }   CRLF
 *   STAGE_START ................................ | STAGE_FIELDS .................... | STAGE_DONE
 *
 * A part is the longest run of bytes of its class; the byte that ends the run decides. Only a whole line moves
 * head->at.
 */
enum stage { STAGE_START, STAGE_FIELDS, STAGE_DONE };

#define METHOD_BYTES      32u /* longer than any method that there is: RFC9112:3 asks for 501 */
#define EMPTY_LINES_BYTES 4u  /* two empty lines before the request line */

struct reader {
    const char *p;
    uint32_t n; /* bytes that may be looked at: what has come, up to the limit of the head */
    const struct h1_limits *limits;
    struct head *head;
    struct verdict *v;
};

static struct span part(const struct reader *r, uint32_t from, uint32_t to)
{
    return (struct span){ r->p + from, to - from };
}

static uint32_t run(const struct reader *r, uint32_t from, uint32_t to, enum token_class class)
{
    return from + (uint32_t)token_span(part(r, from, to), class);
}

static uint32_t run_of_space(const struct reader *r, uint32_t from, uint32_t to)
{
    while (from < to && (r->p[from] == ' ' || r->p[from] == '\t'))
        from++;
    return from;
}

/* Where a part that starts at `from` must stop: at its limit or where the bytes do. */
static uint32_t bound(const struct reader *r, uint32_t from, uint32_t limit_bytes)
{
    return r->n - from < limit_bytes ? r->n : from + limit_bytes;
}

/* There is no byte at r->n. */
static enum reason out_of_bytes(const struct reader *r)
{
    if (r->n < r->limits->head_bytes)
        return R_MORE;
    return verdict_set(r->v, R_header_fields_too_large, r->n);
}

/* The byte at `at` ends a part that it must not end. It has a name of its own if it is bad anywhere in a head. */
static enum reason refuse(const struct reader *r, uint32_t at, enum reason at_line_end, enum reason otherwise,
                          struct span operand)
{
    switch (r->p[at]) {
    case '\0':
        return verdict_about(r->v, R_nul_in_head, at, operand);
    case '\n':
        return verdict_about(r->v, R_bare_line_feed, at, operand);
    case '\r':
        if (at + 1 == r->n)
            return out_of_bytes(r);
        if (r->p[at + 1] != '\n')
            return verdict_about(r->v, R_bare_carriage_return, at, operand);
        return verdict_about(r->v, at_line_end, at, operand);
    default:
        return verdict_about(r->v, otherwise, at, operand);
    }
}

/* R_NONE when CR LF stands at `at`. */
static enum reason expect_line_end(const struct reader *r, uint32_t at, enum reason otherwise, struct span operand)
{
    if (at == r->n)
        return out_of_bytes(r);
    if (r->p[at] == '\r' && at + 1 < r->n && r->p[at + 1] == '\n')
        return R_NONE;
    return refuse(r, at, otherwise, otherwise, operand);
}

/* *at: from the first byte of the method to the SP behind it. */
static enum reason take_method(const struct reader *r, uint32_t *at)
{
    const struct span none = { 0 };
    uint32_t i = run(r, *at, bound(r, *at, METHOD_BYTES), TOKEN_NAME);

    if (i == r->n)
        return out_of_bytes(r);
    if (token_is(r->p[i], TOKEN_NAME))
        return verdict_set(r->v, R_method_unknown, i);
    if (r->p[i] != ' ' || i == *at)
        return refuse(r, i, R_malformed_request_line, R_method_malformed, none);
    r->head->method_name = part(r, *at, i);
    *at = i;
    return R_NONE;
}

/* *at: from the first byte of the target to the SP behind it. */
static enum reason take_target(const struct reader *r, uint32_t *at)
{
    const struct span none = { 0 };
    uint32_t i = run(r, *at, bound(r, *at, r->limits->target_bytes), TOKEN_VISIBLE);

    if (i == r->n)
        return out_of_bytes(r);
    if (token_is(r->p[i], TOKEN_VISIBLE))
        return verdict_set(r->v, R_uri_too_long, i);
    if (i == *at && (r->p[i] == ' ' || r->p[i] == '\r'))
        return refuse(r, i, R_malformed_request_line, R_malformed_request_line, none);
    if (r->p[i] != ' ')
        return refuse(r, i, R_version_missing, R_target_malformed, none);
    r->head->target = part(r, *at, i);
    *at = i;
    return R_NONE;
}

/* Does c fit the place i of "HTTP/1.1"? RFC9112:2.3 */
static bool version_fits(char c, uint32_t i)
{
    return i == 5 || i == 7 ? token_is(c, TOKEN_DIGIT) : c == "HTTP/1.1"[i];
}

/* *at: from the first byte of the version to the CR behind it. */
static enum reason take_version(const struct reader *r, uint32_t *at)
{
    const struct span none = { 0 };

    for (uint32_t i = *at; i < *at + 8; i++) {
        if (i == r->n)
            return out_of_bytes(r);
        if (i == *at && (r->p[i] == '\r' || r->p[i] == ' '))
            return refuse(r, i, R_version_missing, R_malformed_request_line, none);
        if (!version_fits(r->p[i], i - *at))
            return refuse(r, i, R_version_malformed, R_version_malformed, none);
    }
    r->head->major = (uint8_t)(r->p[*at + 5] - '0');
    r->head->minor = (uint8_t)(r->p[*at + 7] - '0');
    *at += 8;
    if (*at < r->n && r->p[*at] == ' ')
        return verdict_set(r->v, R_malformed_request_line, *at);
    return expect_line_end(r, *at, R_version_malformed, none);
}

/* RFC9112:2.2: a client may have sent an empty line too much after the message before. */
static enum reason skip_empty_lines(const struct reader *r)
{
    struct head *head = r->head;

    while (head->at < r->n && r->p[head->at] == '\r') {
        enum reason why = expect_line_end(r, head->at, R_malformed_request_line, (struct span){ 0 });

        if (why != R_NONE)
            return why;
        if (head->at == EMPTY_LINES_BYTES)
            return verdict_set(r->v, R_malformed_request_line, head->at);
        head->at += 2;
    }
    return R_NONE;
}

static enum reason take_request_line(const struct reader *r)
{
    struct head *head = r->head;
    enum reason why = skip_empty_lines(r);
    uint32_t at = head->at;

    if (why != R_NONE || (why = take_method(r, &at)) != R_NONE)
        return why;
    at++;
    if ((why = take_target(r, &at)) != R_NONE)
        return why;
    at++;
    if ((why = take_version(r, &at)) != R_NONE)
        return why;
    head->method = method_find(head->method_name);
    head->at = at + 2;
    head->stage = STAGE_FIELDS;
    return R_NONE;
}

/* White space stands where the name, which began at `start`, has to go on. RFC9112:5.1 */
static enum reason refuse_space(const struct reader *r, uint32_t start, uint32_t at)
{
    uint32_t i = run_of_space(r, at, bound(r, start, r->limits->field_bytes));

    if (i == r->n)
        return out_of_bytes(r);
    return verdict_about(r->v, r->p[i] == ':' ? R_space_before_colon : R_field_name_invalid, at, part(r, start, at));
}

/* *at: from the first byte of the name to the colon. */
static enum reason take_name(const struct reader *r, uint32_t *at)
{
    uint32_t end = bound(r, *at, r->limits->field_bytes);
    uint32_t i = run(r, *at, end, TOKEN_NAME);
    struct span name = part(r, *at, i);

    if (i == r->n)
        return out_of_bytes(r);
    if (i == end && (token_is(r->p[i], TOKEN_NAME) || r->p[i] == ':'))
        return verdict_about(r->v, R_header_field_too_large, i, name);
    if (name.n > 0 && (r->p[i] == ' ' || r->p[i] == '\t'))
        return refuse_space(r, *at, i);
    if (name.n == 0 || r->p[i] != ':')
        return refuse(r, i, R_malformed_header_field, R_field_name_invalid, name);
    *at = i;
    return R_NONE;
}

/* The value between *at, behind the colon, and `end`, the bound of the line. *at: to the CR. */
static enum reason take_value(const struct reader *r, uint32_t *at, uint32_t end, struct span name, struct span *value)
{
    uint32_t start = run_of_space(r, *at, end);
    uint32_t i = run(r, start, end, TOKEN_VALUE);
    enum reason why;

    if (i < r->n && token_is(r->p[i], TOKEN_VALUE))
        return verdict_about(r->v, R_header_field_too_large, i, name);
    why = expect_line_end(r, i, R_field_value_invalid, name);
    if (why != R_NONE)
        return why;
    *at = i;
    while (i > start && (r->p[i - 1] == ' ' || r->p[i - 1] == '\t'))
        i--;
    *value = part(r, start, i);
    return R_NONE;
}

static enum reason take_field(const struct reader *r)
{
    struct head *head = r->head;
    uint32_t at = head->at, end = bound(r, at, r->limits->field_bytes);
    struct span name, value;
    enum reason why = take_name(r, &at);

    if (why != R_NONE)
        return why;
    name = part(r, head->at, at);
    at++;
    why = take_value(r, &at, end, name, &value);
    if (why != R_NONE)
        return why;
    head_add(head, name, value);
    head->at = at + 2;
    return R_NONE;
}

/* A line that begins with white space goes on with the one before. RFC9112:5.2, and RFC9112:2.2 for the first */
static enum reason refuse_folded(const struct reader *r)
{
    const struct head *head = r->head;

    if (head->count == 0)
        return verdict_set(r->v, R_malformed_header_field, head->at);
    return verdict_about(r->v, R_field_line_folded, head->at, head->fields[head->count - 1].name);
}

/* A field line or the blank line. */
static enum reason take_line(const struct reader *r)
{
    struct head *head = r->head;
    enum reason why;

    if (head->at == r->n)
        return out_of_bytes(r);
    switch (r->p[head->at]) {
    case '\r':
        why = expect_line_end(r, head->at, R_malformed_header_field, (struct span){ 0 });
        if (why != R_NONE)
            return why;
        head->at += 2;
        head->bytes = head->at;
        head->stage = STAGE_DONE;
        return R_NONE;
    case ' ':
    case '\t':
        return refuse_folded(r);
    default:
        if (head->count == r->limits->fields)
            return verdict_set(r->v, R_too_many_header_fields, head->at);
        return take_field(r);
    }
}

enum reason h1_parse_head(struct span in, const struct h1_limits *limits, struct head *head, struct verdict *v)
{
    uint32_t n = in.n < limits->head_bytes ? (uint32_t)in.n : limits->head_bytes;
    const struct reader r = { in.p, n, limits, head, v };
    enum reason why = R_NONE;

    if (in.n == 0) /* in.p may be NULL */
        return R_MORE;
    head->base = in.p;
    if (head->stage == STAGE_START)
        why = take_request_line(&r);
    while (why == R_NONE && head->stage == STAGE_FIELDS)
        why = take_line(&r);
    return why;
}
