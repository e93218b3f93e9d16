#ifndef SERVE_FORWARD_H
#define SERVE_FORWARD_H

#include "auth/nonce.h"
#include "io/address.h"
#include "res/gateway/admissions.h"
#include "serve/config.h"

/*
 * What the forward proxy of a server keeps over all its workers and configurations: nonces that were given out stay good
 * when a configuration is read anew, and clients that were let in stay in.
 */
struct forward {
    struct nonces *nonces;         /* NULL: no configuration has asked for Digest so far */
    struct admissions *admissions; /* NULL: there is no forward proxy */
};

/* Give a configuration that nobody uses yet what it needs of it, which is made when it is first needed. False after a
 * complaint. */
bool forward_open(struct forward *f, struct config *config);
void forward_release(struct forward *f);

/*
 * Listeners stay until the next start. May they go on with this configuration? False after a complaint: it says nothing of
 * the proxy, or would let everybody use it who reaches one of these addresses.
 */
bool forward_accepts(const struct address *addresses, uint32_t count, const struct config *config);

#endif
