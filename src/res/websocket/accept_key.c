#include "res/websocket/accept_key.h"

#include <openssl/evp.h>

#define SHA1_BYTES 20

static bool digest(unsigned char out[SHA1_BYTES], struct span key)
{
    static const struct span guid = SPAN_INIT("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
                EVP_DigestUpdate(context, key.p, key.n) == 1 && EVP_DigestUpdate(context, guid.p, guid.n) == 1 &&
                EVP_DigestFinal_ex(context, out, NULL) == 1;

    EVP_MD_CTX_free(context);
    return done;
}

bool accept_key_write(char out[ACCEPT_KEY_BYTES + 1], struct span key)
{
    unsigned char sha1[SHA1_BYTES];

    return digest(sha1, key) && EVP_EncodeBlock((unsigned char *)out, sha1, sizeof sha1) == ACCEPT_KEY_BYTES;
}
