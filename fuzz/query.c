/* Queries: parts lie where they may, escapes are resolved, and numbers keep to their bounds. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "admin/query.h"
#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_in(struct span part, struct span whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static bool has_escapes(struct span s)
{
    return span_find(s, '%') < s.n || span_find(s, '+') < s.n;
}

static void check_parameter(const struct query *q, const struct query_parameter *p, struct span text)
{
    uint64_t number = 0;

    DIE_UNLESS(p->name.n > 0 && p->value.p != NULL && p->name.n + p->value.n <= text.n);
    DIE_UNLESS(has_escapes(text) || (lies_in(p->name, text) && lies_in(p->value, text)));
    DIE_UNLESS(query_value(q, p->name).p != NULL);
    if (query_number(q, p->name, 0, 500, &number))
        DIE_UNLESS(number <= 500);
    if (query_number(q, p->name, 0, UINT64_MAX, &number) && number <= 500)
        DIE_UNLESS(query_number(q, p->name, 0, 500, &number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size }, bad = { 0 };
    struct arena arena;
    struct query q;

    arena_init(&arena, NULL, 0, 1 << 20);
    if (query_parse(&arena, text, &q, &bad)) {
        DIE_UNLESS(q.count <= QUERY_MOST);
        DIE_UNLESS(query_unknown(&q, NULL, 0).p == (q.count > 0 ? q.all[0].name.p : NULL));
        for (uint32_t i = 0; i < q.count; i++)
            check_parameter(&q, &q.all[i], text);
    } else {
        DIE_UNLESS(bad.n > 0 && bad.n <= size);
    }
    arena_reset(&arena);
    return 0;
}
