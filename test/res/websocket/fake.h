#ifndef TEST_RES_WEBSOCKET_FAKE_H
#define TEST_RES_WEBSOCKET_FAKE_H

#include "exchange/exchange.h"
#include "res/websocket/websocket.h"

/* What content() gives once there are no bytes left. */
enum fake_end { FAKE_ENDS, FAKE_IDLES, FAKE_WAITS };

/* An exchange with a route to the resource, and a client whose bytes come in pieces. */
struct fake {
    struct exchange x;
    struct field fields[1];
    struct websocket_settings settings;
    struct span content; /* of the request; then come the frames */
    struct span client;
    size_t piece_bytes; /* of each piece */
    bool waits;         /* FLOW_WAIT before each piece */
    bool waited, content_over;
    enum fake_end end;
    unsigned asked; /* calls of content() */
    struct piece piece;
    char *server; /* all that has been given out */
    size_t server_bytes;
};

/* A GET of HTTP/1.1, opened, whose exchange may take so many bytes of memory. */
void fake_init(struct fake *f, uint32_t message_bytes, size_t memory);

/* res->produce() until it does not wait. */
enum flow fake_produce(struct fake *f);

/* One piece of the reply's body into f->piece, and behind f->server. */
enum flow fake_next(struct fake *f);

/* All of the body, to its end; waits are waited out. */
void fake_run(struct fake *f);

/* As the host ends an exchange: stop() if there is a body, close(), the arena. */
void fake_over(struct fake *f);

#endif
