/*
 * Records of FastCGI: cut into pieces of any size they say the same, and every run lies in what was read.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "res/fastcgi/fcgi_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    enum reason why;
    uint32_t at;
    size_t used;
    uint64_t bytes[2], sum[2];
    bool ended;
};

static void note(struct heard *h, enum fcgi_run run, struct span bytes)
{
    unsigned which = run == FCGI_RUN_ERRORS;

    h->bytes[which] += bytes.n;
    for (size_t i = 0; i < bytes.n; i++)
        h->sum[which] = h->sum[which] * 31 + (uint8_t)bytes.p[i];
}

static struct heard hear(struct span in, size_t most)
{
    struct fcgi_reader reader = { 0 };
    struct heard h = { .why = R_NONE };
    bool more = true;

    while (more && !h.ended && (h.why == R_NONE || h.why == R_MORE)) {
        struct span rest = span_from(in, h.used), bytes = { 0 };
        enum fcgi_run run = FCGI_RUN_END;
        struct verdict v = { 0 };
        size_t used;

        more = rest.n > 0;
        if (rest.n > most)
            rest.n = most;
        h.why = fcgi_read(&reader, rest, &used, &run, &bytes, &v);
        h.used += used;
        h.at = v.at;
        DIE_UNLESS(used <= rest.n && (h.why != R_MORE || used == rest.n) && (h.why == R_NONE || bytes.n == 0));
        h.ended = h.why == R_NONE && run == FCGI_RUN_END;
        if (h.why != R_NONE || h.ended)
            continue;
        DIE_UNLESS(bytes.n > 0 && bytes.p >= rest.p && bytes.p + bytes.n <= rest.p + used);
        note(&h, run, bytes);
    }
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size };
    struct heard whole = hear(in, SIZE_MAX), bytes = hear(in, 1), some = hear(in, 7);

    DIE_UNLESS(whole.why == bytes.why && whole.why == some.why && whole.at == bytes.at && whole.at == some.at);
    DIE_UNLESS(whole.used == bytes.used && whole.ended == bytes.ended && whole.ended == some.ended);
    for (int i = 0; i < 2; i++) {
        DIE_UNLESS(whole.bytes[i] == bytes.bytes[i] && whole.bytes[i] == some.bytes[i]);
        DIE_UNLESS(whole.sum[i] == bytes.sum[i] && whole.sum[i] == some.sum[i]);
    }
    DIE_UNLESS(whole.why == R_NONE || whole.why == R_MORE || whole.why == R_fastcgi_protocol_error ||
               whole.why == R_fastcgi_overloaded);
    return 0;
}
