#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "base/span.h"

/* Content codings (RFC9110:8.4.1), the one liked best first. Pure; any thread. */
enum coding {
    CODING_BROTLI,
    CODING_ZSTD,
    CODING_GZIP,
    CODING_DEFLATE, /* the zlib format of RFC9110:8.4.1.2 */
    CODING_IDENTITY,
    CODINGS /* how many; also "none of them" */
};

#define CODING_BIT(coding) (1u << (coding))

struct coding_info {
    struct span token;       /* in Content-Encoding and Accept-Encoding */
    struct span file_suffix; /* of a stored variant, ".gz"; n == 0: none is ever stored */
    struct span tag_suffix;  /* ends the opaque part of the variant's entity tag, "-gz"; n == 0 for identity */
};

/* coding < CODINGS. */
const struct coding_info *coding_info(enum coding coding);

/* By token, without regard to case; x-gzip is gzip. CODINGS when there is none. RFC9110:8.4.1.3 */
enum coding coding_find(struct span token);

/*
 * The best coding for a representation stored or made in several.
 *
 * accept_encoding  p == NULL: the field is absent
 * available        CODING_BIT()s; identity counts only when its bit is set
 *
 * Returns          the available coding of the highest quality, of several the first in the enum. CODINGS when none is
 *                  acceptable: then the answer is 406, or the field is disregarded (RFC9110:12.5.3 allows both).
 */
enum coding coding_choose(struct span accept_encoding, unsigned available);

#endif
