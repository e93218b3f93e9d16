/*
 * Heads of responses: one byte at a time gives the verdict of all at once; what was parsed lies in the input; the same
 * field lines behind a request line are taken or refused in the same place, unless white space stands before a colon, which
 * only responses may have; framing takes any head that parses.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/h1_response.h"
#include "http/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { .field_bytes = 96, .head_bytes = 512, .fields = 16 };

/* A request line that is as long as a status line without a phrase. */
#define STATUS_LINE  "HTTP/1.1 200\r\n"
#define REQUEST_LINE "G / HTTP/1.1\r\n"

_Static_assert(sizeof STATUS_LINE == sizeof REQUEST_LINE, "the field lines begin in the same place");

struct result {
    struct field fields[16];
    struct response_head response;
    struct verdict v;
    enum reason why;
};

static bool lies_in(struct span part, struct span whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static bool is_upstream(enum reason why)
{
    return why == R_upstream_headers_unparseable || why == R_upstream_bad_response ||
           why == R_upstream_headers_too_large || why == R_upstream_header_line_too_large;
}

static void check_same(const struct result *a, const struct result *b)
{
    const struct head *h = &a->response.head, *g = &b->response.head;

    DIE_UNLESS(a->why == b->why && a->v.why == b->v.why && a->v.at == b->v.at && span_is(a->v.operand, b->v.operand));
    DIE_UNLESS(a->response.status == b->response.status && span_is(a->response.phrase, b->response.phrase));
    DIE_UNLESS(h->count == g->count && h->bytes == g->bytes && h->at == g->at && h->minor == g->minor);
    DIE_UNLESS(memcmp(h->first, g->first, sizeof h->first) == 0);
    for (size_t i = 0; i < h->count; i++)
        DIE_UNLESS(a->fields[i].name.p == b->fields[i].name.p && a->fields[i].value.n == b->fields[i].value.n);
}

/* Only white space may stand between. */
static const char *colon_behind(struct span name)
{
    const char *p = name.p + name.n;

    while (*p == ' ' || *p == '\t')
        p++;
    DIE_UNLESS(*p == ':');
    return p;
}

static void check_fields(const struct head *head, struct span in)
{
    const char *behind = in.p;

    for (size_t i = 0; i < head->count; i++) {
        const struct field *f = &head->fields[i];

        DIE_UNLESS(lies_in(f->name, in) && lies_in(f->value, in) && f->name.n > 0 && f->name.p > behind);
        DIE_UNLESS(token_span(f->name, TOKEN_NAME) == f->name.n && f->value.p > colon_behind(f->name));
        DIE_UNLESS(span_is(span_trim(f->value), f->value) && span_find(f->value, '\n') == f->value.n);
        behind = f->value.p + f->value.n;
    }
}

static void check_framing(const struct response_head *response, enum method method)
{
    struct framing framing;
    struct verdict v = { 0 };
    enum reason why = response_framing(response, method, &framing, &v);

    if (why != R_NONE) {
        DIE_UNLESS(why == v.why && (why == R_upstream_bad_response || why == R_upstream_transfer_coding_error));
        DIE_UNLESS(v.at < response->head.bytes && v.operand.n > 0);
        return;
    }
    DIE_UNLESS(framing.length <= INT64_MAX && (framing.kind == FRAMING_LENGTH || framing.length == 0));
    DIE_UNLESS(method != M_HEAD || framing.kind == FRAMING_NONE);
    DIE_UNLESS(framing.kind != FRAMING_CLOSE || !response_keeps(response, &framing));
}

static void check_complete(const struct response_head *response, struct span in)
{
    const struct head *head = &response->head;

    DIE_UNLESS(head->bytes >= sizeof STATUS_LINE + 1 && head->bytes <= in.n && head->bytes <= limits.head_bytes);
    DIE_UNLESS(memcmp(in.p + head->bytes - 4, "\r\n\r\n", 4) == 0 && lies_in(response->phrase, in));
    DIE_UNLESS(response->status / 100 >= 1 && response->status / 100 <= 5 && head->major == 1);
    check_framing(response, M_GET);
    check_framing(response, M_HEAD);
    check_framing(response, M_CONNECT);
}

/* The lines behind a status line are those behind a request line, but for white space before a colon. */
static void check_as_request(const struct result *r, struct span in)
{
    static const struct h1_limits as_request = {
        .target_bytes = 1, .field_bytes = 96, .head_bytes = 512, .fields = 16
    };
    struct span line = SPAN(STATUS_LINE);
    char *copy;
    struct field fields[16];
    struct head head;
    struct verdict v = { 0 };
    enum reason why;

    if (!span_starts(in, line))
        return;
    copy = malloc(in.n);
    DIE_UNLESS(copy != NULL);
    memcpy(copy, in.p, in.n);
    memcpy(copy, REQUEST_LINE, line.n);
    head_init(&head, fields);
    why = h1_parse_head((struct span){ copy, in.n }, &as_request, &head, &v);
    if (why == R_space_before_colon) {
        free(copy);
        return;
    }
    DIE_UNLESS((why == R_NONE) == (r->why == R_NONE) && (why == R_MORE) == (r->why == R_MORE) && v.at == r->v.at);
    DIE_UNLESS(head.count == r->response.head.count && head.bytes == r->response.head.bytes);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size };
    struct result whole = { .why = R_NONE }, steps = { .why = R_MORE };

    response_init(&whole.response, whole.fields);
    whole.why = h1_parse_response(in, &limits, &whole.response, &whole.v);
    response_init(&steps.response, steps.fields);
    for (size_t n = 0; n <= size && steps.why == R_MORE; n++)
        steps.why = h1_parse_response((struct span){ in.p, n }, &limits, &steps.response, &steps.v);
    check_same(&whole, &steps);
    check_fields(&whole.response.head, in);
    check_as_request(&whole, in);
    if (whole.why == R_NONE)
        check_complete(&whole.response, in);
    else if (whole.why != R_MORE)
        DIE_UNLESS(is_upstream(whole.why) && whole.v.why == whole.why && whole.v.at <= size);
    return 0;
}
