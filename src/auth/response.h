#ifndef AUTH_RESPONSE_H
#define AUTH_RESPONSE_H

#include "http/digest.h"

/* The parts with colons between them, hashed, as lower-case digits: digest_hex_digits() of them, no NUL. Of user, realm
 * and password this is HA1. False: no memory, or the library does not do this algorithm. Any thread. RFC7616:3.4.2 */
bool digest_hash(enum digest_algorithm a, const struct span parts[], size_t count, char out[DIGEST_HEX_MAX])
    __attribute__((warn_unused_result));

/* What d->response has to be for whoever has this HA1; as digest_hash(). RFC7616:3.4.1 */
bool digest_response(const struct digest *d, struct span method, struct span ha1, char out[DIGEST_HEX_MAX])
    __attribute__((warn_unused_result));

#endif
