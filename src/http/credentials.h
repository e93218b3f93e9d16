#ifndef HTTP_CREDENTIALS_H
#define HTTP_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

#define CREDENTIALS_PARAMETERS_MAX 16

/* value: without quotes and backslashes. */
struct credentials_parameter {
    struct span name, value;
};

/* The value of Authorization or Proxy-Authorization: a scheme, and a token68 or parameters or nothing. */
struct credentials {
    struct span scheme;  /* in the client's case */
    struct span token68; /* n == 0: none */
    size_t count;
    struct credentials_parameter parameters[CREDENTIALS_PARAMETERS_MAX];
};

/*
 * Take the value of such a field apart. RFC9110:11.4
 *
 * value    without white space at its ends
 * memory   has value.n bytes of room, for values with backslashes
 * out      set when true; borrows from value and memory
 * bad      set when false: offset in value of the first byte that cannot be, or of a parameter that is there twice or is
 *          one more than CREDENTIALS_PARAMETERS_MAX
 *
 * Pure; any thread.
 */
bool credentials_parse(struct span value, char *memory, struct credentials *out, size_t *bad)
    __attribute__((warn_unused_result));

/* The value of the parameter, its name without regard to case; p == NULL: it is not there. */
struct span credentials_value(const struct credentials *c, struct span name);

/*
 * Read the token68 of Basic. RFC7617:2
 *
 * memory    has BASE64_BYTES(token68.n) bytes of room; user and password borrow from it. Wipe it after use
 *
 * Returns   false when it is no base64, has no colon, is no UTF-8 (which the challenge asks for, RFC7617:2.1) or has
 *           control characters. Pure; any thread.
 */
bool basic_decode(struct span token68, char *memory, struct span *user, struct span *password)
    __attribute__((warn_unused_result));

/* Values of WWW-Authenticate or Proxy-Authenticate. Texts are quoted; bytes that no field value has are left out.
 * Both return the bytes needed, as the writers of escape.h: more than `room` means cut off. Pure; any thread. */
size_t basic_challenge_write(struct span realm, char *out, size_t room);

/* RFC7616:3.3 */
struct digest_challenge {
    struct span realm;
    struct span algorithm; /* "SHA-256" or "MD5" */
    struct span nonce;
    struct span opaque; /* n == 0: none */
    bool stale;
};

size_t digest_challenge_write(const struct digest_challenge *c, char *out, size_t room);

#endif
