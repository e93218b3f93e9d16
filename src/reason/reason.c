#include "reason/reason.h"

#include <stddef.h>

#define WIRE_SAME 0xffff

/* clang-format off */
#define SAME              { WIRE_SAME, 0 }
#define AS(wire_)         { (wire_), 0 }
#define LOG(wire_, log_)  { (wire_), (log_) }
#define SUB(wire_, sub_)  { (wire_), (sub_) + 1 }
#define ERR(wire_, error) { (wire_), (error) }
/* clang-format on */

_Static_assert(R_COUNT <= 512, "the per-worker reason counters are sized for 512");

/* The names as the identifiers spell them; respelled below, before main(). */
static struct {
#define REASON(id, name, ...) char name[sizeof(#name)];
#include "reason/reasons.def"
#undef REASON
} names = {
#define REASON(id, name, ...) #name,
#include "reason/reasons.def"
#undef REASON
};

static const struct reason_info infos[R_COUNT] = {
#define REASON(id_, name_, rfc, nginx, iis, cf, after_, lasts_, proxy_, spec_, text_) \
    [R_##name_] = { .id = (id_),                                                      \
                    .after = (after_),                                                \
                    .lasts = (lasts_),                                                \
                    .code = { { (rfc), 0 }, nginx, iis, cf },                         \
                    .name = names.name_,                                              \
                    .name_bytes = sizeof(#name_) - 1,                                 \
                    .proxy_error = (proxy_),                                          \
                    .spec = (spec_),                                                  \
                    .text = (text_) },
#include "reason/reasons.def"
#undef REASON
};

static const char *const dialect_names[DIALECTS] = {
    [DIALECT_RFC] = "rfc",
    [DIALECT_NGINX] = "nginx",
    [DIALECT_IIS] = "iis",
    [DIALECT_CLOUDFLARE] = "cloudflare",
};

/* An identifier cannot hold a hyphen, and two spellings in the table could differ. Runs before other constructors,
 * which may want names. */
__attribute__((constructor(101))) static void names_respell(void)
{
    char *bytes = (char *)&names;

    for (size_t i = 0; i < sizeof(names); i++)
        if (bytes[i] == '_')
            bytes[i] = '-';
}

const struct reason_info *reason_info(enum reason r)
{
    return &infos[r];
}

struct code reason_code(enum reason r, enum dialect d)
{
    struct code c = infos[r].code[d];

    return c.wire == WIRE_SAME ? infos[r].code[DIALECT_RFC] : c;
}

bool reason_differs(enum reason r, enum dialect d)
{
    return d != DIALECT_RFC && infos[r].code[d].wire != WIRE_SAME;
}

enum reason reason_find(struct span name)
{
    for (enum reason r = R_MORE + 1; r < R_COUNT; r++)
        if (span_is(name, span_of(infos[r].name)))
            return r;
    return R_NONE;
}

enum reason reason_find_id(unsigned id)
{
    for (enum reason r = R_MORE + 1; r < R_COUNT; r++)
        if (infos[r].id == id)
            return r;
    return R_NONE;
}

enum dialect dialect_find(struct span name)
{
    enum dialect d = DIALECT_RFC;

    while (d < DIALECTS && !span_is(name, span_of(dialect_names[d])))
        d++;
    return d;
}

const char *dialect_name(enum dialect d)
{
    return dialect_names[d];
}
