#ifndef HTTP_DIGEST_H
#define HTTP_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "http/credentials.h"

#define DIGEST_HEX_MAX 64 /* digits of SHA-256 */

enum digest_algorithm { DIGEST_SHA256, DIGEST_MD5, DIGEST_ALGORITHMS };

/* The parameters of Digest, of which the server takes qop=auth alone. RFC7616:3.4 */
struct digest {
    enum digest_algorithm algorithm; /* MD5 when the client names none */
    struct span user, realm, nonce, uri, cnonce, response;
    struct span nc;    /* as written: it is hashed so */
    uint32_t nc_value; /* from 1 */
};

enum digest_fault { DIGEST_GOOD, DIGEST_MALFORMED, DIGEST_UNKNOWN_ALGORITHM };

/*
 * Read the parameters.
 *
 * c        of the scheme Digest
 * memory   has as many bytes of room as the longest of c's values, for a user's name in the extended notation of
 *          RFC8187:3.2; out borrows from it and from c
 *
 * Returns  DIGEST_GOOD; DIGEST_UNKNOWN_ALGORITHM: neither SHA-256 nor MD5, "-sess" included; DIGEST_MALFORMED: a
 *          parameter is missing or cannot be, qop is not auth, or the user's name is hashed, which no challenge asks for
 * Pure; any thread.
 */
enum digest_fault digest_read(const struct credentials *c, char *memory, struct digest *out)
    __attribute__((warn_unused_result));

/* "SHA-256" or "MD5". */
struct span digest_algorithm_name(enum digest_algorithm a);

/* Hexadecimal digits of its results: 64 or 32. */
size_t digest_hex_digits(enum digest_algorithm a);

#endif
