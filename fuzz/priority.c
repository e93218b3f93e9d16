/* Priorities: in bounds; a text either is a dictionary, and then a member behind it counts, or it never counts. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/priority.h"
#include "http/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is(struct priority p, unsigned urgency, bool incremental)
{
    return p.urgency == urgency && p.incremental == incremental;
}

/* Which may stand between members, and not before the first. */
static bool begins_with_tab(struct span s)
{
    while (s.n > 0 && s.p[0] == ' ')
        s = span_from(s, 1);
    return s.n > 0 && s.p[0] == '\t';
}

static struct priority parse_joined(struct span a, struct span b)
{
    char *text = malloc(a.n + b.n);
    struct priority found;

    DIE_UNLESS(text != NULL);
    memcpy(text, a.p, a.n);
    memcpy(text + a.n, b.p, b.n);
    found = priority_parse((struct span){ text, a.n + b.n });
    free(text);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size };
    struct priority alone, before, behind;
    bool good;

    if (size == 0 || in.p[size - 1] == '\\') /* which would take the first byte of what is put behind */
        return 0;
    alone = priority_parse(in);
    DIE_UNLESS(alone.urgency <= 7);
    behind = parse_joined(in, SPAN(",u=0,i"));
    good = is(behind, 0, true);
    DIE_UNLESS(good || (is(behind, 3, false) && is(alone, 3, false)));
    before = parse_joined(SPAN("u=6,u=9,i,i=1,"), in);
    DIE_UNLESS(is(before, alone.urgency, alone.incremental) || begins_with_tab(in));
    DIE_UNLESS(!websocket_key_valid(in) || size == 24);
    return 0;
}
