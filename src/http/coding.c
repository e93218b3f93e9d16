#include "http/coding.h"

#include "http/accept.h"

static const struct coding_info infos[CODINGS] = {
    [CODING_BROTLI] = { SPAN_INIT("br"), SPAN_INIT(".br"), SPAN_INIT("-br") },
    [CODING_ZSTD] = { SPAN_INIT("zstd"), SPAN_INIT(".zst"), SPAN_INIT("-zst") },
    [CODING_GZIP] = { SPAN_INIT("gzip"), SPAN_INIT(".gz"), SPAN_INIT("-gz") },
    [CODING_DEFLATE] = { SPAN_INIT("deflate"), { 0 }, SPAN_INIT("-df") },
    [CODING_IDENTITY] = { SPAN_INIT("identity"), { 0 }, { 0 } },
};

const struct coding_info *coding_info(enum coding coding)
{
    return &infos[coding];
}

/* The first letter spares most comparisons: this runs for each member of each Accept-Encoding. */
enum coding coding_find(struct span token)
{
    for (unsigned i = 0; i < CODINGS && token.n > 0; i++) {
        if ((token.p[0] | 0x20) == infos[i].token.p[0] && span_is_nocase(token, infos[i].token))
            return (enum coding)i;
    }
    return span_is_nocase(token, SPAN("x-gzip")) ? CODING_GZIP : CODINGS;
}

enum coding coding_choose(struct span accept_encoding, unsigned available)
{
    unsigned quality[CODINGS];
    enum coding best = CODINGS;
    unsigned best_quality = 0;

    accept_codings(accept_encoding, quality);
    for (unsigned i = 0; i < CODINGS; i++) {
        if ((available & CODING_BIT(i)) != 0 && quality[i] > best_quality) {
            best = (enum coding)i;
            best_quality = quality[i];
        }
    }
    return best;
}
