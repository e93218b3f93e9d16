#include "explain/code.h"

#include <stdio.h>

#include "reason/reason_lookup.h"

struct explain_code explain_code(enum reason why, enum dialect dialect)
{
    struct code code = reason_code(why, dialect);
    struct explain_code out;

    if (code.detail > 0 && dialect == DIALECT_IIS && code.wire > 0)
        snprintf(out.text, sizeof out.text, "%u.%u", code.wire, code.detail - 1u);
    else if (code.detail > 0 && code.wire > 0)
        snprintf(out.text, sizeof out.text, "%u (%u)", code.wire, code.detail);
    else if (code.detail > 0)
        snprintf(out.text, sizeof out.text, "(%u)", dialect == DIALECT_IIS ? code.detail - 1u : code.detail);
    else if (code.wire > 0)
        snprintf(out.text, sizeof out.text, "%u", code.wire);
    else
        snprintf(out.text, sizeof out.text, "-");
    return out;
}

struct explain_code explain_detail(enum reason why, enum dialect dialect)
{
    struct code code = reason_code(why, dialect);
    struct explain_code out = { "" };

    if (code.detail > 0 && dialect == DIALECT_IIS)
        snprintf(out.text, sizeof out.text, "%u.%u", code.wire, code.detail - 1u);
    else if (code.detail > 0)
        snprintf(out.text, sizeof out.text, "%u", code.detail);
    return out;
}

struct explain_codes explain_other_codes(enum reason why)
{
    struct reason_lookup asked = { .why = why, .sub = -1 };
    struct explain_codes out = { "" };
    struct reason_number n;
    size_t used = 0;

    while (reason_lookup_next(&asked, &n)) {
        size_t room = sizeof out.text - used;
        int wrote;

        if (n.answered)
            continue;
        wrote = n.detail < 0
                    ? snprintf(out.text + used, room, "%s%s %d", used > 0 ? ", " : "", n.vendor, n.wire)
                    : snprintf(out.text + used, room, "%s%s %d.%d", used > 0 ? ", " : "", n.vendor, n.wire, n.detail);
        if (wrote < 0 || (size_t)wrote >= room) {
            out.text[used] = '\0';
            break;
        }
        used += (size_t)wrote;
    }
    return out;
}
