#include "reason/reason.h"

#include <stddef.h>

#define WIRE_SAME            0xffff
#define SAME                 { WIRE_SAME, 0 }
#define AS(wire_)            { (wire_), 0 }
#define LOG(wire_, logged)   { (wire_), (logged) }
#define SUB(wire_, sub)      { (wire_), (sub) + 1 }

static const struct reason_info infos[R_COUNT] = {
#define REASON(id_, name_, rfc, nginx, iis, cf, after_, lasts_, proxy_, spec_, text_)                                  \
    [R_##name_] = { .id = (id_),                                                                                       \
                    .after = (after_),                                                                                 \
                    .lasts = (lasts_),                                                                                 \
                    .code = { { (rfc), 0 }, nginx, iis, cf },                                                          \
                    .name = #name_,                                                                                    \
                    .proxy_error = (proxy_),                                                                           \
                    .spec = (spec_),                                                                                   \
                    .text = (text_) },
#include "reason/reasons.def"
#undef REASON
};

const struct reason_info *reason_info(enum reason r)
{
    return &infos[r];
}

struct code reason_code(enum reason r, enum dialect d)
{
    struct code c = infos[r].code[d];

    return c.wire == WIRE_SAME ? infos[r].code[DIALECT_RFC] : c;
}
