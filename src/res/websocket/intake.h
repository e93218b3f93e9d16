#ifndef RES_WEBSOCKET_INTAKE_H
#define RES_WEBSOCKET_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Payload of a control frame, and with head and mask all of it as a client sends it. RFC6455:5.5 */
#define CONTROL_PAYLOAD_BYTES 125
#define CONTROL_FRAME_BYTES   (2 + 4 + CONTROL_PAYLOAD_BYTES)

/*
 * The client's bytes on their way to wslay, cut where wslay needs it: a head in one run, a control frame in one run, and
 * no run reaches over the end of a frame.
 *
 * wslay judges the UTF-8 of a close reason run by run, as if each run began with a status code; and it answers all the
 * frames that it has been given, control frames first. One frame at a time makes the first right, keeps the answers in
 * order, and means that at most one answer is ever held.
 */
struct intake {
    struct span input;     /* what is left of the client's bytes; borrowed */
    uint64_t payload_left; /* of a data frame whose head has been handed on */
    uint32_t held_bytes;
    unsigned char held[CONTROL_FRAME_BYTES]; /* the beginning of a frame, until it can be handed on */
};

/* The next run into out, which has room for CONTROL_FRAME_BYTES or more. Returns its length; 0: the input is used up. */
size_t intake_take(struct intake *in, unsigned char *out, size_t room);

#endif
