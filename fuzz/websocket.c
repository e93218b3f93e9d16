/*
 * A WebSocket whose client sends anything, in any pieces: what the server sends are whole, short, unmasked frames that
 * mean something, nothing follows a close frame, and how the bytes were cut makes no difference. The first byte says how
 * long a message may be and whether the client is idle at its end; the second says where the bytes are cut.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "exchange/exchange.h"
#include "res/websocket/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SENT_BYTES_MOST (UINT32_C(1) << 17) /* an answer is no longer than its frame, but for the last one */

enum opcode { SENT_TEXT = 1, SENT_BINARY = 2, SENT_CLOSE = 8, SENT_PONG = 10 };

struct client {
    struct exchange x;
    struct websocket_settings settings;
    struct span left;
    unsigned seed; /* of where the bytes are cut; 0: nowhere */
    bool waited, idles, closed;
    char *sent;
    size_t sent_bytes;
};

/* Half of the calls wait, if the bytes are cut. */
static enum flow client_content(struct exchange *x, struct span *piece)
{
    struct client *c = (struct client *)x;
    size_t n = c->left.n;

    if (c->seed != 0) {
        c->seed = c->seed * 1103515245u + 12345u;
        n = 1 + (c->seed >> 16) % (c->seed >> 24 & 1 ? 3 : 200);
        c->waited = !c->waited;
        if (c->waited)
            return FLOW_WAIT;
    }
    if (c->left.n == 0 && c->idles)
        return FLOW_STOP;
    if (n > c->left.n)
        n = c->left.n;
    *piece = (struct span){ c->left.p, n };
    if (n > 0)
        c->left = span_from(c->left, n);
    return FLOW_GO;
}

/* RFC3629:4, not as a table. */
static bool is_text(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    for (size_t i = 0, bytes; i < n; i += bytes) {
        uint32_t letter = p[i];

        bytes = letter < 0x80 ? 1 : letter >= 0xf0 ? 4 : letter >= 0xe0 ? 3 : 2;
        if ((letter >= 0x80 && letter < 0xc0) || letter >= 0xf8 || i + bytes > n)
            return false;
        letter &= bytes == 1 ? 0x7fu : 0xffu >> (bytes + 1);
        for (size_t k = 1; k < bytes; k++) {
            if (p[i + k] >> 6 != 2)
                return false;
            letter = letter << 6 | (p[i + k] & 0x3f);
        }
        if (letter < least[bytes] || letter > 0x10ffff || (letter >= 0xd800 && letter < 0xe000))
            return false;
    }
    return true;
}

static void check_close(const unsigned char *payload, size_t n)
{
    unsigned code = n >= 2 ? (unsigned)payload[0] << 8 | payload[1] : 1000;

    DIE_UNLESS(n != 1 && code >= 1000 && code < 5000);
    DIE_UNLESS(code != 1005 && code != 1006 && code != 1015);
    DIE_UNLESS(n < 2 || is_text(payload + 2, n - 2));
}

/* Exactly one frame. RFC6455:5.2 */
static void check_frame(struct client *c, struct span frame)
{
    const unsigned char *p = (const unsigned char *)frame.p;
    unsigned opcode = p[0] & 0xf, head_bytes = p[1] == 126 ? 4 : p[1] == 127 ? 10 : 2;
    uint64_t n = head_bytes > 2 ? 0 : p[1];

    DIE_UNLESS(!c->closed && frame.n >= 2 && p[0] >> 4 == 8 && p[1] <= 127 && frame.n >= head_bytes);
    for (unsigned i = 2; i < head_bytes; i++)
        n = n << 8 | p[i];
    DIE_UNLESS(frame.n == head_bytes + n);
    DIE_UNLESS(head_bytes == (n < 126 ? 2u : n < 65536 ? 4u : 10u));
    DIE_UNLESS(opcode == SENT_TEXT || opcode == SENT_BINARY || opcode == SENT_CLOSE || opcode == SENT_PONG);
    DIE_UNLESS(n <= (opcode >= SENT_CLOSE ? 125 : c->settings.message_bytes));
    DIE_UNLESS(opcode != SENT_TEXT || is_text(p + head_bytes, n));
    c->closed = opcode == SENT_CLOSE;
    if (c->closed)
        check_close(p + head_bytes, n);
}

static void client_run(struct client *c)
{
    struct body *body = c->x.reply.body;
    struct piece piece;
    enum flow f;

    for (;;) {
        f = body->ops->next(body, &c->x, &piece);
        if (f == FLOW_WAIT)
            continue;
        DIE_UNLESS(f == FLOW_GO && piece.fd < 0);
        if (piece.bytes.n == 0)
            break;
        check_frame(c, piece.bytes);
        DIE_UNLESS(c->sent_bytes + piece.bytes.n <= SENT_BYTES_MOST);
        memcpy(c->sent + c->sent_bytes, piece.bytes.p, piece.bytes.n);
        c->sent_bytes += piece.bytes.n;
    }
    DIE_UNLESS(c->closed || !c->idles);
    DIE_UNLESS(body->ops->next(body, &c->x, &piece) == FLOW_GO && piece.bytes.n == 0);
}

/* As a stream of HTTP/2, which has no request content before the frames. */
static void client_serve(struct client *c, uint8_t how, unsigned seed, struct span bytes)
{
    static const struct codec_ops codec = { .name = "fuzz", .major = 2, .content = client_content };
    struct exchange *x = &c->x;

    *c = (struct client){ .left = bytes, .seed = seed, .idles = (how & 1) != 0, .sent = malloc(SENT_BYTES_MOST) };
    DIE_UNLESS(c->sent != NULL);
    c->settings.message_bytes = 125u + (how & 0xfeu) * (how & 0xfeu);
    arena_init(&x->arena, NULL, 0, 1 << 16);
    x->codec = &codec;
    x->res = &websocket_resource;
    x->res_settings = &c->settings;
    x->req.connect_protocol = SPAN("websocket");
    x->res_state = arena_zero(&x->arena, x->res->state_bytes);
    DIE_UNLESS(x->res_state != NULL && x->res->open(x) == FLOW_GO && x->res->produce(x) == FLOW_GO);
    client_run(c);
    x->reply.body->ops->stop(x->reply.body);
    x->res->close(x);
    arena_reset(&x->arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct client whole, cut;
    struct span bytes;

    if (size < 2 || size > SENT_BYTES_MOST / 2)
        return 0;
    bytes = (struct span){ (const char *)data + 2, size - 2 };
    client_serve(&whole, data[0], 0, bytes);
    client_serve(&cut, data[0], 1 + data[1], bytes);
    DIE_UNLESS(whole.sent_bytes == cut.sent_bytes && memcmp(whole.sent, cut.sent, cut.sent_bytes) == 0);
    free(whole.sent);
    free(cut.sent);
    return 0;
}
