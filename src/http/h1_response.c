#include "http/h1_response.h"

#include "http/h1_fields_impl.h"
#include "http/token.h"
#include "reason/status.h"

/*
 * Before the field section: VERSION SP 3DIGIT [ SP [ PHRASE ] ] CRLF. A byte that stands where a digit of the status or
 * something before it has to is not HTTP at all; what comes behind is bad HTTP.
 */
#define VERSION_BYTES   8u  /* HTTP/1.1 */
#define BEHIND_STATUS   12u /* where the phrase begins, with its space */
#define STATUS_FORM     "HTTP/0.0 000"
#define FIRST_CLASS     '1'
#define LAST_CLASS      '5'
#define MAJOR_DIGIT     5u
#define FIRST_OF_STATUS 9u

_Static_assert(sizeof STATUS_FORM - 1 == BEHIND_STATUS, "the form ends where the phrase begins");

void response_init(struct response_head *response, struct field *array)
{
    *response = (struct response_head){ 0 };
    head_init(&response->head, array);
}

/* Does c fit the place i of the form, where a 0 is any digit? */
static bool form_fits(char c, uint32_t i)
{
    return STATUS_FORM[i] == '0' ? token_is(c, TOKEN_DIGIT) : c == STATUS_FORM[i];
}

/* The form is right at i; is what it says? */
static bool is_spoken(char c, uint32_t i)
{
    if (i == MAJOR_DIGIT)
        return c == '1';
    return i != FIRST_OF_STATUS || (c >= FIRST_CLASS && c <= LAST_CLASS);
}

/* From the first byte of the message to the one behind the status. */
static enum reason take_status(const struct h1_reader *r, uint16_t *status)
{
    for (uint32_t i = 0; i < BEHIND_STATUS; i++) {
        if (i == r->n)
            return h1_out_of_bytes(r);
        if (!form_fits(r->p[i], i))
            return verdict_set(r->v, R_upstream_headers_unparseable, i);
        if (!is_spoken(r->p[i], i))
            return verdict_set(r->v, R_upstream_bad_response, i);
        if (i >= FIRST_OF_STATUS)
            *status = (uint16_t)(*status * 10 + (r->p[i] - '0'));
    }
    r->head->major = 1;
    r->head->minor = (uint8_t)(r->p[VERSION_BYTES - 1] - '0');
    return R_NONE;
}

/* *at: from the byte behind the status to the CR. */
static enum reason take_phrase(const struct h1_reader *r, uint32_t *at, struct span *phrase)
{
    uint32_t start = *at, end = h1_bound(r, 0, r->limits->field_bytes), i;

    if (start == r->n)
        return h1_out_of_bytes(r);
    if (token_is(r->p[start], TOKEN_VALUE) && r->p[start] != ' ')
        return verdict_set(r->v, R_upstream_headers_unparseable, start);
    if (r->p[start] == ' ')
        start++;
    i = h1_run(r, start, end > start ? end : start, TOKEN_VALUE);
    if (i < r->n && token_is(r->p[i], TOKEN_VALUE))
        return verdict_set(r->v, R_header_field_too_large, i);
    *phrase = h1_part(r, start, i);
    *at = i;
    return h1_expect_line_end(r, i, R_upstream_bad_response, (struct span){ 0 });
}

static enum reason take_status_line(const struct h1_reader *r, struct response_head *response)
{
    uint32_t at = BEHIND_STATUS;
    uint16_t status = 0;
    struct span phrase = { 0 };
    enum reason why = take_status(r, &status);

    if (why != R_NONE || (why = take_phrase(r, &at, &phrase)) != R_NONE)
        return why;
    response->status = status;
    response->phrase = phrase;
    r->head->at = at + 2;
    r->head->stage = H1_FIELDS;
    return R_NONE;
}

/* The reasons of a head that a client sent, in one that an upstream sent. */
static enum reason of_upstream(enum reason why)
{
    switch (why) {
    case R_NONE:
    case R_MORE:
    case R_upstream_headers_unparseable:
        return why;
    case R_header_field_too_large:
        return R_upstream_header_line_too_large;
    case R_header_fields_too_large:
    case R_too_many_header_fields:
        return R_upstream_headers_too_large;
    case R_transfer_encoding_in_http10:
    case R_chunked_not_last:
    case R_transfer_coding_unknown:
        return R_upstream_transfer_coding_error;
    default:
        return R_upstream_bad_response;
    }
}

/* The place and the operand stay. */
static enum reason blame_upstream(enum reason why, struct verdict *v)
{
    enum reason theirs = of_upstream(why);

    if (theirs > R_MORE)
        v->why = theirs;
    return theirs;
}

enum reason h1_parse_response(struct span in, const struct h1_limits *limits, struct response_head *response,
                              struct verdict *v)
{
    struct head *head = &response->head;
    struct h1_reader r = h1_reader_of(in, limits, head, v);
    enum reason why = R_NONE;

    r.takes_spaced_names = true;
    if (in.n == 0) /* in.p may be NULL */
        return R_MORE;
    head->base = in.p;
    if (head->stage == H1_START)
        why = take_status_line(&r, response);
    if (why == R_NONE)
        why = h1_fields_take(&r);
    return blame_upstream(why, v);
}

/* No header field says anything of what follows. RFC9110:9.3.6, RFC9110:6.4.1 */
static bool ends_at_head(const struct response_head *response, enum method method)
{
    uint16_t status = response->status;

    return (method == M_CONNECT && status / 100 == 2) || (status / 100 != 3 && !status_may_have_content(status));
}

/* How long the content would have been that GET had got: what Content-Length means when there is none. RFC9110:8.6 */
static enum reason check_description(const struct head *head, struct verdict *v)
{
    struct head uncoded = *head;
    struct framing ignored;

    uncoded.first[FIELD_TRANSFER_ENCODING] = 0;
    return framing_choose(&uncoded, &ignored, v);
}

enum reason response_framing(const struct response_head *response, enum method method, struct framing *framing,
                             struct verdict *v)
{
    enum reason why;

    *framing = (struct framing){ .kind = FRAMING_NONE };
    if (ends_at_head(response, method))
        return R_NONE;
    if (method == M_HEAD || !status_may_have_content(response->status))
        return blame_upstream(check_description(&response->head, v), v);
    why = framing_choose(&response->head, framing, v);
    if (why == R_NONE && framing->kind == FRAMING_NONE)
        framing->kind = FRAMING_CLOSE;
    return blame_upstream(why, v);
}

/* Content that the status rules out, and that careless servers send behind it. 304 may well describe some. */
static bool announces_forbidden_content(const struct response_head *response)
{
    const struct field *length = head_field(&response->head, FIELD_CONTENT_LENGTH);

    if (status_may_have_content(response->status) || response->status / 100 == 3)
        return false;
    return head_field(&response->head, FIELD_TRANSFER_ENCODING) != NULL ||
           (length != NULL && !span_is(length->value, SPAN("0"))) ||
           head_repeated(&response->head, FIELD_CONTENT_LENGTH);
}

bool response_keeps(const struct response_head *response, const struct framing *framing)
{
    const struct head *head = &response->head;

    if (response->status / 100 == 1 || framing->kind == FRAMING_CLOSE || announces_forbidden_content(response))
        return false;
    if (head_list_has(head, FIELD_CONNECTION, SPAN("close")))
        return false;
    return head->minor > 0 || head_list_has(head, FIELD_CONNECTION, SPAN("keep-alive"));
}

enum reason response_chunk_reason(enum reason of_chunk_feed)
{
    switch (of_chunk_feed) {
    case R_NONE:
    case R_MORE:
        return of_chunk_feed;
    case R_request_trailers_too_large:
        return R_upstream_trailers_too_large;
    case R_header_field_too_large:
        return R_upstream_trailer_line_too_large;
    default:
        return R_upstream_transfer_coding_error;
    }
}
