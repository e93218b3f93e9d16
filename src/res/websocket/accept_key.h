#ifndef RES_WEBSOCKET_ACCEPT_KEY_H
#define RES_WEBSOCKET_ACCEPT_KEY_H

#include <stdbool.h>

#include "base/span.h"

#define ACCEPT_KEY_BYTES 28

/* The value of Sec-WebSocket-Accept for the client's Sec-WebSocket-Key, and a NUL behind it. False: no memory.
 * RFC6455:4.2.2 */
bool accept_key_write(char out[ACCEPT_KEY_BYTES + 1], struct span key);

#endif
