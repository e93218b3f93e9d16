/*
 * Heads: one byte at a time gives the verdict of all at once; what was parsed lies in the input and puts together what
 * was sent; framing, target, host and path take any head that parses.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/framing.h"
#include "http/h1_parse.h"
#include "http/host.h"
#include "http/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct h1_limits limits = { .target_bytes = 64, .field_bytes = 96, .head_bytes = 512, .fields = 16 };

struct result {
    struct field fields[16];
    struct head head;
    struct verdict v;
    enum reason why;
};

static bool lies_in(struct span part, struct span whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static void check_same(const struct result *a, const struct result *b)
{
    DIE_UNLESS(a->why == b->why && a->v.why == b->v.why && a->v.at == b->v.at && span_is(a->v.operand, b->v.operand));
    DIE_UNLESS(a->head.count == b->head.count && a->head.bytes == b->head.bytes && a->head.at == b->head.at);
    DIE_UNLESS(memcmp(a->head.first, b->head.first, sizeof a->head.first) == 0);
    for (size_t i = 0; i < a->head.count; i++)
        DIE_UNLESS(a->fields[i].name.p == b->fields[i].name.p && a->fields[i].value.n == b->fields[i].value.n);
}

static void check_fields(const struct head *head, struct span in)
{
    const char *behind = in.p;

    for (size_t i = 0; i < head->count; i++) {
        const struct field *f = &head->fields[i];

        DIE_UNLESS(lies_in(f->name, in) && lies_in(f->value, in) && f->name.n > 0 && f->name.p > behind);
        DIE_UNLESS(f->name.p[f->name.n] == ':' && f->value.p > f->name.p + f->name.n);
        DIE_UNLESS(span_is(span_trim(f->value), f->value) && span_find(f->value, '\n') == f->value.n);
        DIE_UNLESS(f->id == field_find(f->name) && (f->id == FIELD_OTHER || head_field(head, f->id) != NULL));
        behind = f->value.p + f->value.n;
    }
}

static void check_path(struct span raw)
{
    char out[65];
    struct verdict v = { 0 };
    size_t n = 0;

    if (path_decode(raw, out, sizeof out, &n, &v) != R_NONE)
        return;
    DIE_UNLESS(n > 0 && n <= (raw.n > 0 ? raw.n : 1) && out[0] == '/' && memchr(out, '\0', n) == NULL);
    DIE_UNLESS(memmem(out, n, "//", 2) == NULL && memmem(out, n, "/../", 4) == NULL);
    DIE_UNLESS(!span_ends((struct span){ out, n }, SPAN("/..")) && path_segments((struct span){ out, n }) <= n);
}

static void check_complete(const struct head *head, struct span in)
{
    struct framing framing;
    struct target target;
    struct host host;
    struct verdict v = { 0 };

    DIE_UNLESS(head->bytes >= 16 && head->bytes <= in.n && head->bytes <= limits.head_bytes);
    DIE_UNLESS(memcmp(in.p + head->bytes - 4, "\r\n\r\n", 4) == 0);
    DIE_UNLESS(lies_in(head->method_name, in) && lies_in(head->target, in) && head->target.n <= limits.target_bytes);
    if (framing_choose(head, &framing, &v) == R_NONE)
        DIE_UNLESS(framing.length <= INT64_MAX && (framing.kind == FRAMING_LENGTH || framing.length == 0));
    else
        DIE_UNLESS(v.at < head->bytes && v.operand.n > 0);
    if (target_parse(head->target, head->method, &target, &v) != R_NONE)
        return;
    if (host_check(head, &target, &host, &v) != R_NONE)
        DIE_UNLESS(v.at < head->bytes);
    check_path(target.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size };
    struct result whole = { .why = R_NONE }, steps = { .why = R_MORE };

    head_init(&whole.head, whole.fields);
    whole.why = h1_parse_head(in, &limits, &whole.head, &whole.v);
    head_init(&steps.head, steps.fields);
    for (size_t n = 0; n <= size && steps.why == R_MORE; n++)
        steps.why = h1_parse_head((struct span){ in.p, n }, &limits, &steps.head, &steps.v);
    check_same(&whole, &steps);
    check_fields(&whole.head, in);
    if (whole.why == R_NONE)
        check_complete(&whole.head, in);
    else if (whole.why != R_MORE)
        DIE_UNLESS(whole.v.at <= size && (whole.v.operand.n == 0 || lies_in(whole.v.operand, in)));
    return 0;
}
