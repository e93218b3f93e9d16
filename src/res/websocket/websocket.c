#include "res/websocket/websocket.h"

#include <wslay/wslay.h>

#include "exchange/exchange.h"
#include "res/websocket/accept_key.h"
#include "res/websocket/echo.h"

struct websocket_state {
    struct body body; /* first: the body is the state */
    struct echo echo;
};

/* A connection changes its protocol; a stream of HTTP/2 is opened to one. RFC8441:5 */
static bool is_switch(const struct exchange *x)
{
    return x->req.connect_protocol.n == 0;
}

/* More from the client, or the end. An idle client is told; one that is gone does not hear it. */
static enum flow input_take(struct exchange *x, struct echo *e)
{
    enum flow f = x->codec->content(x, &e->intake.input);

    if (f == FLOW_STOP)
        echo_close(e, WSLAY_CODE_GOING_AWAY, SPAN("idle"));
    else if (f == FLOW_GO && e->intake.input.n == 0)
        e->closing = true;
    return f == FLOW_WAIT ? FLOW_WAIT : FLOW_GO;
}

static enum reason reason_of(uint16_t code)
{
    switch (code) {
    case WSLAY_CODE_GOING_AWAY:
        return R_websocket_idle;
    case WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA:
        return R_websocket_text_invalid;
    case WSLAY_CODE_MESSAGE_TOO_BIG:
        return R_websocket_message_too_large;
    default:
        return R_websocket_protocol_error;
    }
}

static enum flow websocket_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct echo *e = &((struct websocket_state *)body)->echo;

    echo_forget(e);
    while (e->output.n == 0 && !e->closing) {
        if (e->intake.input.n == 0 && input_take(x, e) == FLOW_WAIT)
            return FLOW_WAIT;
        if (!e->closing && !echo_work(e))
            return exchange_break(x, R_worker_memory_exhausted, 0, HERE);
    }
    if (e->code != 0)
        exchange_break(x, reason_of(e->code), 0, HERE);
    *out = piece_of(e->output);
    return FLOW_GO;
}

static void websocket_stop(struct body *body)
{
    echo_fini(&((struct websocket_state *)body)->echo);
}

static enum flow websocket_open(struct exchange *x)
{
    x->facts.exists = true;
    return FLOW_GO;
}

/* The new protocol begins behind the request, so that all of it must have come. RFC9110:7.8 */
static enum flow content_skip(struct exchange *x)
{
    struct span piece;
    enum flow f;

    do {
        f = x->codec->content(x, &piece);
    } while (f == FLOW_GO && piece.n > 0);
    return f;
}

static enum flow switch_fields(struct exchange *x)
{
    char *accept = arena_take(&x->arena, ACCEPT_KEY_BYTES + 1);

    if (accept == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    if (!accept_key_write(accept, request_field(x, FIELD_SEC_WEBSOCKET_KEY)))
        return STOP(x, R_worker_memory_exhausted, 0);
    reply_add(x, SPAN("Upgrade"), SPAN("websocket"));
    reply_add(x, SPAN("Sec-WebSocket-Accept"), (struct span){ accept, ACCEPT_KEY_BYTES });
    return FLOW_GO;
}

static enum flow websocket_produce(struct exchange *x)
{
    static const struct body_ops ops = { .next = websocket_next, .stop = websocket_stop };
    const struct websocket_settings *settings = x->res_settings;
    struct websocket_state *state = x->res_state;
    enum flow f = is_switch(x) ? content_skip(x) : FLOW_GO;

    if (f == FLOW_GO && is_switch(x))
        f = switch_fields(x);
    if (f != FLOW_GO)
        return f;
    if (!echo_init(&state->echo, settings->message_bytes))
        return STOP(x, R_worker_memory_exhausted, 0);
    state->body = (struct body){ .ops = &ops, .length = -1 };
    x->reply.body = &state->body;
    x->reply.tunnel = true;
    return FLOW_GO;
}

/* How to ask. Connections and their upgrades are no matter of HTTP/2 (RFC9113:8.2.2). RFC6455:4.4 */
static void websocket_describe(struct exchange *x, enum reason why)
{
    if (why != R_upgrade_required && why != R_websocket_version_unsupported)
        return;
    if (x->req.head.major == 1) {
        reply_add(x, SPAN("Upgrade"), SPAN("websocket"));
        reply_add(x, SPAN("Connection"), SPAN("upgrade"));
    }
    reply_add(x, SPAN("Sec-WebSocket-Version"), SPAN("13"));
}

static void websocket_close(struct exchange *x)
{
    struct websocket_state *state = x->res_state;

    echo_fini(&state->echo);
}

const struct resource_ops websocket_resource = {
    .name = "websocket",
    .methods = UINT64_C(1) << M_GET | UINT64_C(1) << M_OPTIONS,
    .state_bytes = sizeof(struct websocket_state),
    .open = websocket_open,
    .produce = websocket_produce,
    .describe = websocket_describe,
    .close = websocket_close,
};
