#ifndef TEST_RECORD_MADE_H
#define TEST_RECORD_MADE_H

#include "base/check.h"
#include "exchange/exchange.h"
#include "exchange/policy.h"
#include "exchange/resource.h"
#include "http/h1_parse.h"

/* An exchange as a codec and the graph would leave it: the request is parsed, and its target taken apart. What is wrong
 * with it stands in the verdict. Valid until the next call. */
static inline struct exchange *made(struct span request)
{
    static const struct h1_limits limits = { 8192, 8192, 16384, 100 };
    static const struct policy policy = { .dialect = DIALECT_NGINX };
    static const struct resource_ops resource = { .name = "file" };
    static struct exchange x;
    static struct field fields[100];
    enum reason why;

    x = (struct exchange){ .policy = &policy, .transport = &transport_plain, .res = &resource, .status_sent = 200 };
    head_init(&x.req.head, fields);
    x.req.head_text = request;
    why = h1_parse_head(request, &limits, &x.req.head, &x.head_verdict);
    DIE_UNLESS(why == x.head_verdict.why || why == R_MORE);
    if (why == R_MORE)
        verdict_set(&x.head_verdict, R_request_head_cut_short, request.n);
    x.verdict = x.head_verdict;
    if (why == R_NONE && target_parse(x.req.head.target, x.req.head.method, &x.req.target, &x.verdict) == R_NONE)
        verdict_set(&x.verdict, R_request_ok, 0);
    return &x;
}

#endif
