#include "res/websocket/echo.h"

#include <stdlib.h>
#include <wslay/wslay.h>

#include "base/check.h"

#define GROWTH_BYTES 512u

static void put_number(char *out, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; number >>= 8)
        out[i] = (char)(number & 0xff);
}

void echo_close(struct echo *e, uint16_t code, struct span why)
{
    DIE_UNLESS(why.n <= CONTROL_PAYLOAD_BYTES - 2);
    put_number(e->control, (0x80u | WSLAY_CONNECTION_CLOSE) << 8 | (2 + why.n), 2);
    put_number(e->control + 2, code, 2);
    if (why.n > 0)
        memcpy(e->control + 4, why.p, why.n);
    e->output = (struct span){ e->control, 4 + why.n };
    e->closing = true;
    e->code = code;
}

/* Room for n bytes more; it grows by what has come, not by what a head claims. */
static bool message_grow(struct echo *e, size_t n)
{
    size_t need = ECHO_HEAD_BYTES + e->message_n + n, room = 2 * e->message_room + GROWTH_BYTES;
    size_t most = ECHO_HEAD_BYTES + (size_t)e->message_bytes;
    char *grown;

    if (need <= e->message_room)
        return true;
    if (room > most)
        room = most;
    if (room < need)
        room = need;
    grown = realloc(e->message, room);
    if (grown == NULL) {
        e->memory_short = true;
        return false;
    }
    e->message = grown;
    e->message_room = room;
    return true;
}

static void message_drop(struct echo *e)
{
    free(e->message);
    e->message = NULL;
    e->message_room = e->message_n = 0;
}

/* The head goes before the payload, as short as it can be. RFC6455:5.2 */
static void message_frame(struct echo *e)
{
    size_t n = e->message_n, more = n < 126 ? 0 : n <= UINT16_MAX ? 2 : 8;
    char *head = e->message + ECHO_HEAD_BYTES - 2 - more;

    head[0] = (char)(0x80 | e->opcode);
    head[1] = (char)(more == 0 ? n : more == 2 ? 126 : 127);
    put_number(head + 2, n, more);
    e->output = (struct span){ head, 2 + more + n };
}

static ssize_t on_want(wslay_event_context_ptr wslay, uint8_t *out, size_t room, int flags, void *arg)
{
    struct echo *e = arg;
    bool blocked = e->output.n > 0 || e->memory_short || wslay_event_want_write(wslay) != 0;
    size_t n = blocked ? 0 : intake_take(&e->intake, out, room);

    (void)flags;
    if (n > 0)
        return (ssize_t)n;
    wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
    return -1;
}

/* Only control frames are sent by wslay, and one at a time. */
static ssize_t on_send(wslay_event_context_ptr wslay, const uint8_t *data, size_t n, int flags, void *arg)
{
    struct echo *e = arg;

    (void)wslay;
    (void)flags;
    DIE_UNLESS(e->output.n + n <= sizeof e->control);
    memcpy(e->control + e->output.n, data, n);
    e->output = (struct span){ e->control, e->output.n + n };
    return (ssize_t)n;
}

/* wslay's own limit is for frames here, and spares no control frame. */
static void on_frame(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    struct echo *e = arg;

    (void)wslay;
    e->in_control = wslay_is_ctrl_frame(frame->opcode);
    if (e->in_control)
        return;
    if (frame->opcode != WSLAY_CONTINUATION_FRAME)
        e->opcode = frame->opcode;
    if (frame->payload_length > e->message_bytes - e->message_n)
        echo_close(e, WSLAY_CODE_MESSAGE_TOO_BIG, (struct span){ 0 });
}

static void on_run(wslay_event_context_ptr wslay, const struct wslay_event_on_frame_recv_chunk_arg *run, void *arg)
{
    struct echo *e = arg;

    (void)wslay;
    if (e->in_control || e->closing || run->data_length == 0 || !message_grow(e, run->data_length))
        return;
    memcpy(e->message + ECHO_HEAD_BYTES + e->message_n, run->data, run->data_length);
    e->message_n += run->data_length;
}

/* wslay takes half a status code for none. RFC6455:5.5.1 */
static void on_message(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *message, void *arg)
{
    struct echo *e = arg;

    (void)wslay;
    if (e->closing || e->memory_short)
        return;
    if (message->opcode == WSLAY_CONNECTION_CLOSE && message->msg_length == 1)
        echo_close(e, WSLAY_CODE_PROTOCOL_ERROR, (struct span){ 0 });
    else if (!wslay_is_ctrl_frame(message->opcode) && message_grow(e, 0))
        message_frame(e);
}

bool echo_init(struct echo *e, uint32_t message_bytes)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_want,
        .send_callback = on_send,
        .on_frame_recv_start_callback = on_frame,
        .on_frame_recv_chunk_callback = on_run,
        .on_msg_recv_callback = on_message,
    };

    if (wslay_event_context_server_init(&e->wslay, &callbacks, e) != 0) {
        e->wslay = NULL;
        return false;
    }
    wslay_event_config_set_no_buffering(e->wslay, 1);
    e->message_bytes = message_bytes;
    return true;
}

void echo_fini(struct echo *e)
{
    wslay_event_context_free(e->wslay);
    e->wslay = NULL;
    message_drop(e);
    e->output = (struct span){ 0 };
}

void echo_forget(struct echo *e)
{
    if (e->output.n > 0 && e->output.p != e->control)
        message_drop(e);
    e->output = (struct span){ 0 };
}

/* Frames that wslay cannot read it would close without a code. RFC6455:7.4.1 */
bool echo_work(struct echo *e)
{
    int result = wslay_event_recv(e->wslay);

    if (e->memory_short || result == WSLAY_ERR_NOMEM)
        return false;
    if (result != 0)
        echo_close(e, WSLAY_CODE_PROTOCOL_ERROR, (struct span){ 0 });
    if (e->closing)
        return true;
    result = wslay_event_send(e->wslay);
    e->closing = wslay_event_get_close_sent(e->wslay) != 0;
    if (e->closing && !wslay_event_get_close_received(e->wslay))
        e->code = wslay_event_get_status_code_sent(e->wslay);
    return result == 0;
}
