/*
 * Heads that programs write: one byte at a time gives the verdict of all at once, and what was parsed lies in the input.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "http/cgi.h"
#include "reason/reason.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { .field_bytes = 96, .head_bytes = 512, .fields = 16 };

struct result {
    struct field fields[16];
    struct cgi_head head;
    struct verdict v;
    enum reason why;
};

static void check_same(const struct result *a, const struct result *b)
{
    const struct cgi_head *h = &a->head, *g = &b->head;

    DIE_UNLESS(a->why == b->why && a->v.why == b->v.why && a->v.at == b->v.at && span_is(a->v.operand, b->v.operand));
    DIE_UNLESS(h->status == g->status && h->length_known == g->length_known && h->length == g->length);
    DIE_UNLESS(h->location.p == g->location.p && h->location.n == g->location.n);
    DIE_UNLESS(h->lines.count == g->lines.count && h->lines.bytes == g->lines.bytes && h->lines.at == g->lines.at);
}

static void check_fields(const struct head *head, struct span in)
{
    const char *behind = in.p;

    for (size_t i = 0; i < head->count; i++) {
        const struct field *f = &head->fields[i];

        DIE_UNLESS(f->name.n > 0 && f->name.p >= behind && f->name.p[f->name.n] == ':');
        DIE_UNLESS(f->value.p > f->name.p + f->name.n && f->value.p + f->value.n <= in.p + in.n);
        DIE_UNLESS(span_is(span_trim(f->value), f->value) && span_find(f->value, '\n') == f->value.n);
        behind = f->value.p + f->value.n;
    }
}

static void check_complete(const struct cgi_head *head, struct span in)
{
    DIE_UNLESS(head->lines.bytes > 0 && head->lines.bytes <= in.n && head->lines.bytes <= limits.head_bytes);
    DIE_UNLESS(in.p[head->lines.bytes - 1] == '\n');
    DIE_UNLESS(head->status == 0 || (head->status / 100 >= 2 && head->status / 100 <= 5));
    DIE_UNLESS(!head->length_known || head->length <= INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size };
    struct result whole = { .why = R_NONE }, steps = { .why = R_MORE };

    cgi_head_init(&whole.head, whole.fields);
    whole.why = cgi_parse_head(in, &limits, &whole.head, &whole.v);
    cgi_head_init(&steps.head, steps.fields);
    for (size_t n = 0; n <= size && steps.why == R_MORE; n++)
        steps.why = cgi_parse_head((struct span){ in.p, n }, &limits, &steps.head, &steps.v);
    check_same(&whole, &steps);
    check_fields(&whole.head.lines, in);
    if (whole.why == R_NONE)
        check_complete(&whole.head, in);
    else if (whole.why != R_MORE)
        DIE_UNLESS((whole.why == R_cgi_head_invalid || whole.why == R_cgi_head_too_large) && whole.v.at <= size);
    return 0;
}
