/* Entity tags: a tag found is in any list of it; strong equality implies weak; appending never takes a match away. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was found before a fault stays found, whatever follows. */
static void check_list(struct span list, struct etag current)
{
    bool strong = etag_in_list(list, current, ETAG_STRONG);
    bool weak = etag_in_list(list, current, ETAG_WEAK);
    char *longer = malloc(list.n + 9);

    DIE_UNLESS(longer != NULL && (!strong || weak) && (!strong || !current.weak));
    DIE_UNLESS(!etag_list_is_any(list) || !weak);
    if (list.n > 0)
        memcpy(longer, list.p, list.n);
    memcpy(longer + list.n, ",\"t\",\"a b", 9);
    DIE_UNLESS(!weak || etag_in_list((struct span){ longer, list.n + 9 }, current, ETAG_WEAK));
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span whole = { (const char *)data, size };
    size_t end = span_find(whole, '\n');
    struct span first = { whole.p, end };
    struct etag tag;

    if (etag_parse(first, &tag)) {
        DIE_UNLESS(tag.opaque.n + (tag.weak ? 4u : 2u) == first.n);
        DIE_UNLESS(etag_equal(tag, tag, ETAG_WEAK) && etag_equal(tag, tag, ETAG_STRONG) == !tag.weak);
        DIE_UNLESS(etag_in_list(first, tag, ETAG_WEAK));
        if (end < size)
            check_list(span_from(whole, end + 1), tag);
    }
    check_list(whole, (struct etag){ SPAN("t"), false });
    return 0;
}
