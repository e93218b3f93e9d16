#ifndef RES_WEBSOCKET_ECHO_H
#define RES_WEBSOCKET_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "res/websocket/intake.h"

#define ECHO_HEAD_BYTES 10 /* of an unmasked frame, at most */

struct wslay_event_context;

/*
 * One WebSocket, seen from the server: what the client sends goes in, what it gets comes out, a frame at a time.
 *
 * Memory   the message that comes in is kept once, in one block that grows with it and becomes the echo in place:
 *          message_bytes + ECHO_HEAD_BYTES. It is freed when the echo is forgotten. The state of wslay lives until
 *          echo_fini().
 * Threads  none. A struct echo must not move while it is open.
 */
struct echo {
    struct wslay_event_context *wslay; /* NULL: not open */
    uint32_t message_bytes;
    struct intake intake;
    struct span output; /* a whole frame to send; points into message or control. */
    bool closing;       /* a close frame is in the output, or was: nothing more is read or sent */
    uint16_t code;      /* of a close frame that is the server's own word; 0: there is none. RFC6455:7.4.1 */
    bool memory_short, in_control;
    uint8_t opcode; /* of the message that comes in */
    char *message;  /* ECHO_HEAD_BYTES for the head, then what has come */
    size_t message_room, message_n;
    char control[2 + CONTROL_PAYLOAD_BYTES];
};

/* Open *e, which is zeroed. False: no memory; *e is as before. */
bool echo_init(struct echo *e, uint32_t message_bytes);

/* Free what *e holds; it may be not open. Once is enough, twice does no harm. */
void echo_fini(struct echo *e);

/* Read e->intake.input until there is an output, the end, or no input. The output must be empty. False: no memory. */
bool echo_work(struct echo *e) __attribute__((warn_unused_result));

/* The output has been sent. */
void echo_forget(struct echo *e);

/* Say why the WebSocket ends: the close frame becomes the output, whatever it was. why has at most 123 bytes, UTF-8.
 * RFC6455:5.5.1 */
void echo_close(struct echo *e, uint16_t code, struct span why);

#endif
