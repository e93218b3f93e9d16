#include "auth/response.h"

#include <openssl/evp.h>

static bool parts_add(EVP_MD_CTX *context, const struct span parts[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((i > 0 && EVP_DigestUpdate(context, ":", 1) != 1) ||
            (parts[i].n > 0 && EVP_DigestUpdate(context, parts[i].p, parts[i].n) != 1))
            return false;
    return true;
}

bool digest_hash(enum digest_algorithm a, const struct span parts[], size_t count, char out[DIGEST_HEX_MAX])
{
    static const char digits[] = "0123456789abcdef";
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool done = context != NULL &&
                EVP_DigestInit_ex(context, a == DIGEST_SHA256 ? EVP_sha256() : EVP_md5(), NULL) == 1 &&
                parts_add(context, parts, count) && EVP_DigestFinal_ex(context, bytes, &n) == 1;

    EVP_MD_CTX_free(context);
    for (size_t i = 0; done && i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    return done;
}

bool digest_response(const struct digest *d, struct span method, struct span ha1, char out[DIGEST_HEX_MAX])
{
    char ha2[DIGEST_HEX_MAX];
    const struct span request[] = { method, d->uri };
    const struct span all[] = {
        ha1, d->nonce, d->nc, d->cnonce, SPAN("auth"), { ha2, digest_hex_digits(d->algorithm) }
    };

    return digest_hash(d->algorithm, request, 2, ha2) && digest_hash(d->algorithm, all, 6, out);
}
