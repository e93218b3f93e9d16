/* Credentials: what is read lies in the input or the memory given, and a challenge written is credentials to its reader. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/base64.h"
#include "http/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_basic(struct span token68)
{
    char *memory = malloc(BASE64_BYTES(token68.n) + 1);
    struct span user, password;

    DIE_UNLESS(memory != NULL);
    if (basic_decode(token68, memory, &user, &password)) {
        DIE_UNLESS(user.n + password.n < token68.n && span_find(user, ':') == user.n);
        DIE_UNLESS(memchr(memory, '\0', user.n + 1 + password.n) == NULL);
    }
    free(memory);
}

static void read_digest(const struct credentials *c, size_t bytes)
{
    char *memory = malloc(bytes + 1);
    struct digest d;

    DIE_UNLESS(memory != NULL);
    if (digest_read(c, memory, &d) == DIGEST_GOOD)
        DIE_UNLESS(d.nc_value > 0 && d.response.n == digest_hex_digits(d.algorithm));
    free(memory);
}

static void write_challenge(struct span realm)
{
    const struct digest_challenge challenge = { .realm = realm, .algorithm = SPAN("MD5"), .nonce = SPAN("1") };
    size_t bytes = digest_challenge_write(&challenge, NULL, 0), bad;
    char *out = malloc(bytes), *memory = malloc(bytes);
    struct credentials c;

    DIE_UNLESS(out != NULL && memory != NULL && digest_challenge_write(&challenge, out, bytes) == bytes);
    DIE_UNLESS(credentials_parse((struct span){ out, bytes }, memory, &c, &bad));
    DIE_UNLESS(c.count == 5 && credentials_value(&c, SPAN("realm")).n <= realm.n);
    free(out);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = { (const char *)data, size };
    char *memory = malloc(size + 1);
    struct credentials c;
    size_t bad;

    DIE_UNLESS(memory != NULL);
    if (!credentials_parse(value, memory, &c, &bad)) {
        DIE_UNLESS(bad <= size);
    } else {
        DIE_UNLESS(c.count <= CREDENTIALS_PARAMETERS_MAX && (c.token68.n == 0 || c.count == 0));
        read_basic(c.token68);
        read_digest(&c, size);
    }
    write_challenge(value);
    free(memory);
    return 0;
}
