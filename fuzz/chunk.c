/* Chunked content: one byte at a time decodes to the same content and verdict as all at once, and content is borrowed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
    char *content;
    size_t n, used;
    enum reason why;
    struct verdict v;
};

static void feed(struct result *r, struct chunk *c, struct span in)
{
    struct span run = { 0 };
    size_t used = in.n + 1;

    r->why = chunk_feed(c, in, &used, &run, &r->v);
    DIE_UNLESS(used <= in.n && (r->why != R_MORE || used == in.n) && (r->why == R_NONE || run.n == 0));
    DIE_UNLESS(run.n == 0 || run.p + run.n == in.p + used);
    DIE_UNLESS(r->why != R_NONE || (run.n == 0) == chunk_ended(c));
    r->used += used;
    if (run.n > 0)
        memcpy(r->content + r->n, run.p, run.n);
    r->n += run.n;
    DIE_UNLESS(c->at == r->used && r->n <= r->used);
}

/* As far as `in` goes, in pieces. */
static struct result decode(struct span in, size_t piece)
{
    struct result r = { .content = malloc(in.n + 1), .why = R_MORE };
    struct chunk c;

    DIE_UNLESS(r.content != NULL);
    chunk_init(&c);
    c.extension_left = 24;
    c.trailer_left = 48;
    do {
        size_t left = in.n - r.used;

        feed(&r, &c, (struct span){ in.p + r.used, left < piece ? left : piece });
    } while (r.why <= R_MORE && !chunk_ended(&c) && r.used < in.n);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size };
    struct result whole = decode(in, size + 1), steps = decode(in, 1);

    DIE_UNLESS(whole.used == steps.used && whole.why == steps.why && whole.v.why == steps.v.why);
    DIE_UNLESS(whole.v.at == steps.v.at && (whole.why <= R_MORE || whole.v.at == whole.used));
    DIE_UNLESS(span_is((struct span){ whole.content, whole.n }, (struct span){ steps.content, steps.n }));
    free(whole.content);
    free(steps.content);
    return 0;
}
