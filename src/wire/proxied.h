#ifndef WIRE_PROXIED_H
#define WIRE_PROXIED_H

#include "wire/conn.h"

/*
 * The beginning of a connection from a proxy that says whose connection it is, by the PROXY protocol: from then on that
 * client is c's peer, and what follows is what the listener speaks. A header that cannot be read, or is not whole in the
 * time of a head, is recorded as an exchange without one, and the connection is closed: what would come behind it cannot
 * be told from it. Who sends nothing at all is closed without a word.
 */
extern const struct wire_protocol proxied_protocol;

#endif
