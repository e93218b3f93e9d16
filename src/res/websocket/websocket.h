#ifndef RES_WEBSOCKET_WEBSOCKET_H
#define RES_WEBSOCKET_WEBSOCKET_H

#include <stdint.h>

#include "exchange/resource.h"

/* A route that sends every message of a WebSocket back. */
struct websocket_settings {
    uint32_t message_bytes; /* longest message, below 1 << 31; a longer one closes the WebSocket */
};

/*
 * x->res_settings is a struct websocket_settings. After the head, the body of the reply is what the server sends in the
 * new protocol, and x->codec->content() is what the client does: nothing more of it is taken while there is something
 * to send. That the client is idle too long is for the codec to say, by FLOW_STOP.
 * From the system: some 10 KiB for each open WebSocket, and the message that is coming in.
 */
extern const struct resource_ops websocket_resource;

#endif
