#ifndef RES_GATEWAY_GATEWAY_IMPL_H
#define RES_GATEWAY_GATEWAY_IMPL_H

#include "exchange/exchange.h"
#include "http/chunk.h"
#include "http/forward.h"
#include "http/framing.h"
#include "http/h1_response.h"
#include "http/proxy_status.h"
#include "http/uri_rewrite.h"
#include "res/gateway/gateway.h"
#include "res/gateway/transform.h"

/*
 * A request on its way to an upstream, and the answer on its way back.
 *
 *   open: whom to ask --> attempt: take a connection, send, read a head --> relay: fields --> body: content
 *                              ^---------- the graph, when it failed ----------'
 *
 * Sending and receiving run side by side: an answer may come, and pass, before the request's content has been sent.
 */

/* Content waits so long for the upstream's word, and then goes on. RFC9110:10.1.1 */
#define GATEWAY_HELD_MS 1000u

enum gateway_phase {
    PHASE_IDLE,    /* no attempt is under way */
    PHASE_TAKE,    /* a connection is looked for */
    PHASE_ASK,     /* the request is sent, a head is waited for */
    PHASE_ANSWERED /* the head is here; content follows, or a tunnel */
};

/* What is left to send. */
struct gateway_out {
    struct span head, line, piece; /* not written yet: head of the request, chunk line, content */
    char chunk_line[24];
    bool begun;                /* a byte has gone out */
    bool chunked, chunk_begun; /* a chunk has been announced */
    bool taken_all;            /* the client's content has come to its end */
    bool held;                 /* content waits for the upstream's word. RFC9110:10.1.1 */
    uint64_t held_ms;
    bool blocked; /* the connection takes no more now */
    bool closed;  /* the connection takes no more at all: what it answered may still be read */
    char *replay; /* content that was sent, to be sent again; NULL: none is kept */
    uint32_t replay_room, replay_bytes, replayed_bytes;
};

/* Content of the answer that is taken in before any of it goes on. */
struct gateway_kept {
    char *bytes;
    uint32_t room, count, given;
    struct span rest; /* of the piece that did not fit */
    bool ready;       /* it goes on before what is still to come */
    bool whole;       /* nothing is still to come */
};

/* What has come. */
struct gateway_in {
    struct response_head response;
    struct framing framing;
    struct chunk chunk;
    uint64_t left, taken; /* of the content; left: of FRAMING_LENGTH */
    int pipe[2];          /* 0, 0: none is taken */
    bool copies;          /* content does not go past us */
    uint64_t turn_ms;     /* when content came last */
    uint64_t turn_bytes;  /* of it, at that moment */
    bool done;            /* content has come to its end */
    bool keeps;           /* the connection may carry another exchange then */
    bool any;             /* a byte of the answer has come */
};

struct gateway {
    struct body body; /* first: the body of the reply is the state */
    struct forwarding forwarding;
    const struct gateway_settings *settings;
    struct exchange *x;
    uint32_t group;
    uint64_t hash;
    enum gateway_phase phase;
    struct upstream_search search;
    struct upstream *up;             /* NULL: none is held */
    struct span target, destination; /* as they are sent; destination: of WebDAV */
    struct uri_mount mount;
    struct forward lines; /* of the request that go on */
    struct gateway_out out;
    struct gateway_in in;
    struct gateway_kept kept;
    bool told;                    /* the reply has its head */
    bool stale;                   /* the attempt before found its connection closed */
    struct transform_plan change; /* of the content */
    uint64_t sent_ms;             /* the request was whole; 0: it is not yet */
    bool collected;               /* as much content as is to be, before anybody is asked */
    struct span left_over;        /* of the piece that was taken last, and did not fit */
    bool upgrades;                /* another protocol was offered to the upstream */
    bool tunnel;                  /* the head is done with, and bytes pass both ways */
    bool client_ended;            /* of a tunnel: no more comes from there, and the upstream was told */
    struct auth_state *auth;      /* of proxies */
    struct span place, host;      /* of proxies: what was asked for, as text, and the host alone with a NUL behind it */
};

static inline struct gateway *gateway_of(const struct exchange *x)
{
    return x->res_state;
}

static inline struct gateway_worker *gateway_worker(const struct exchange *x)
{
    return x->res_worker;
}

/* The attempt under way has failed. Its connection is given back. Always returns FLOW_GO: the graph decides what next. */
enum flow gateway_fail(struct gateway *g, enum reason why, uint32_t at, struct span operand, bool harmless,
                       const char *where);
#define FAIL(g, r, pos) gateway_fail((g), (r), (uint32_t)(pos), (struct span){ 0 }, false, HERE)

/* Which group is asked, and by what it is chosen. */
uint32_t gateway_choose(struct exchange *x, const struct gateway_settings *s);
uint64_t gateway_hash(struct exchange *x, const struct upstream_group *group);

/* The head of the request for the member that was chosen, in the arena. R_NONE, exchange_memory_exhausted, or what is wrong
 * with its Destination. */
enum reason gateway_request_write(struct gateway *g);

/* How a connection is given back on which this went wrong: only what servers do to many requests counts against them. */
enum upstream_end gateway_end(enum reason why);

/* How long content waits for the upstream's word: not so long that the upstream would be late. */
uint32_t gateway_held_ms(const struct gateway *g);

/* Is the request one that may be passed on at all? R_NONE, gateway_cannot_forward_request, forwarded_for_invalid. */
enum reason gateway_request_fits(struct exchange *x);

/* An element of Proxy-Status for the reply; what is too long for the room is left away. */
void gateway_status_add(struct exchange *x, const struct proxy_status *s);

/* Was the upstream offered to speak this protocol? In any case of letters. RFC9110:7.8 */
bool gateway_offers(const struct gateway *g, struct span protocol);

/* What a pump came to. */
enum gateway_step {
    STEP_DONE,    /* all sent; a head is complete */
    STEP_BLOCKED, /* the upstream's connection must become ready */
    STEP_CLIENT,  /* x is parked: the client's content must come */
    STEP_STOP,    /* x has its verdict */
    STEP_FAILED   /* the connection is broken: gateway.up->error */
};

/* Take in the client's content before anybody is asked, where the route says so. WAIT, STOP. */
enum flow gateway_collect(struct gateway *g);

/* Is the content of the answer taken in before any of it goes on? */
bool gateway_keeps(const struct gateway *g);

/* The fields of the reply stay what they are while more is read. */
void gateway_fields_hold(struct exchange *x);

/* Take it in, as much as may be. WAIT; FLOW_STOP: what broke it is x's verdict. */
enum flow gateway_keep(struct gateway *g);

/* What was taken in, piece by piece; false: all of it was given. */
bool gateway_kept_give(struct gateway *g, struct piece *out);

/* Send head and content as far as both sides allow. */
enum gateway_step gateway_send(struct gateway *g);

/* Has nothing of the request reached the connection? */
bool gateway_sent_nothing(const struct gateway *g);

/* Read until a head that is final, or a switch, is complete. STEP_FAILED: v says why. */
enum gateway_step gateway_receive(struct gateway *g, struct verdict *v);

/* Park x until the connection moves: beside a client that is waited for already, when step is STEP_CLIENT. */
enum flow gateway_wait(struct gateway *g, enum gateway_step sending, const char *what);

/* The fields of the reply. */
void gateway_reply_fields(struct gateway *g);

/* Give the connection back after an answer. */
void gateway_release(struct gateway *g);

/* An empty pipe in ends[], of some 256 KiB; false: there is none to be had. One that still holds bytes when it is given
 * back is closed. */
bool gateway_pipe_take(struct gateway_pipes *pipes, int ends[2]);
void gateway_pipe_return(struct gateway_pipes *pipes, int ends[2]);

/* Can the content that came with the head be read? What is broken there can still be told: nothing has been sent. */
enum reason gateway_content_look(const struct gateway *g, struct verdict *v);

extern const struct body_ops gateway_body;
extern const struct body_ops gateway_tunnel;

/* What a forward proxy asks about a request: fills x->forwarding. */
enum reason gateway_proxy_open(struct exchange *x);
enum flow gateway_proxy_authenticate(struct exchange *x);

/* Path and query as the client wrote them, which no proxy may change. RFC9110:7.7 */
struct span gateway_proxy_target(struct exchange *x);
enum flow gateway_proxy_take(struct gateway *g);
void gateway_proxy_describe(struct exchange *x, enum reason why);

/* Where the request goes in there, and its Destination, as they are sent. R_NONE, or why that cannot be said. */
enum reason gateway_places(struct gateway *g);

/* Destination alone: once more when it is known who is asked, because that may be part of it. As gateway_places(). */
enum reason gateway_destination(struct gateway *g);

/* Host and port that the client asks for; those that the upstream is asked for. In the arena, or borrowed. */
struct span gateway_authority(struct exchange *x);
struct span gateway_upstream_host(struct gateway *g);

/* The value of a field of the response as it is told outside. */
struct span gateway_rewrite(struct gateway *g, const struct field *line);

#endif
