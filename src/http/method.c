#include "http/method.h"

#include "base/bounded.h"

static const struct method_info infos[METHODS] = {
    [M_UNKNOWN] = { .name = SPAN_INIT(""), .spec = "RFC9110:9.1" },
#define METHOD(id, wire_name, safe, idem, meaning, spec) [M_##id] = { SPAN_INIT(wire_name), safe, idem, meaning, spec },
#include "http/methods.def"
#undef METHOD
};

const struct method_info *method_info(enum method m)
{
    return &infos[m];
}

/* The methods that make up nearly all requests cost one comparison each; the others one of a length mostly. */
enum method method_find(struct span name)
{
    if (name.n == 3 && memcmp(name.p, "GET", 3) == 0)
        return M_GET;
    for (unsigned m = M_UNKNOWN + 1; m < METHODS; m++)
        if (infos[m].name.n == name.n && memcmp(infos[m].name.p, name.p, name.n) == 0)
            return (enum method)m;
    return M_UNKNOWN;
}

size_t method_list(uint64_t set, char *out, size_t room)
{
    struct bounded list = { out, room, 0 };

    for (unsigned m = M_UNKNOWN + 1; m < METHODS; m++) {
        if (!(set >> m & 1))
            continue;
        if (list.bytes > 0)
            bounded_put(&list, SPAN(", "));
        bounded_put(&list, infos[m].name);
    }
    return list.bytes;
}
