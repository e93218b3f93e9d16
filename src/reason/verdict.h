#ifndef REASON_VERDICT_H
#define REASON_VERDICT_H

#include "base/check.h"
#include "base/span.h"
#include "reason/reason.h"

/* Why something ended, where in the input, where in the source, and what it is about. */
struct verdict {
    enum reason why;
    uint32_t at;         /* byte offset of the offence, or errno for reasons of the system */
    const char *where;   /* HERE: a string literal */
    struct span operand; /* field name, path relative to the site, limit, peer; borrowed; may be empty */
};

#define verdict_set(v, r, pos)            verdict_set_at((v), (r), (uint32_t)(pos), (struct span){ 0 }, HERE)
#define verdict_about(v, r, pos, operand) verdict_set_at((v), (r), (uint32_t)(pos), (operand), HERE)

static inline enum reason verdict_set_at(struct verdict *v, enum reason why, uint32_t at, struct span operand,
                                         const char *where)
{
    *v = (struct verdict){ why, at, where, operand };
    return why;
}

#endif
