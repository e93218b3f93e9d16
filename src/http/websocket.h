#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include <stdbool.h>

#include "base/span.h"

/* Is it the base64 text of 16 bytes, as Sec-WebSocket-Key must be? The bits of the last letter that no byte needs may
 * be set: a decoder drops them. Any thread. RFC6455:4.2.1 */
bool websocket_key_valid(struct span key);

#endif
