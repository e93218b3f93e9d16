#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "exchange/body.h"
#include "exchange/codec.h"
#include "exchange/flow.h"
#include "exchange/forwarding.h"
#include "exchange/policy.h"
#include "exchange/ready.h"
#include "exchange/resource.h"
#include "exchange/trace.h"
#include "exchange/transport.h"
#include "http/alternative.h"
#include "http/etag.h"
#include "http/head.h"
#include "http/host.h"
#include "http/range.h"
#include "http/target.h"
#include "reason/verdict.h"

#define REPLY_FIELDS    32
#define REPLY_READY     2
#define EXCHANGE_RANGES 16

/* What the resource says about the target. */
struct facts {
    bool exists, is_collection;
    bool has_index;          /* of a collection: a file stands for it */
    bool parent_exists;      /* when !exists: the collection above is there */
    bool was_removed;        /* when !exists: a tombstone says that it was deleted here */
    bool negotiates;         /* several variants stand for the name */
    bool acceptable;         /* at least one variant fits the Accept fields */
    bool coding_acceptable;  /* a content coding that the client takes can be made */
    bool variant_negotiates; /* the chosen variant negotiates itself */
    bool has_etag, has_modified;
    bool content_same; /* the request's content is what is there already */
    bool created;      /* PUT made something new */
    struct etag etag;  /* of the selected representation */
    int64_t modified;  /* seconds since 1970 UTC, if has_modified */
    uint64_t length;   /* bytes of the selected representation */
};

struct request {
    struct head head;      /* fields in place; valid until the exchange ends */
    struct span head_text; /* all of it as it came, or what had come when it was refused; valid as long */
    struct target target;  /* parts of head.target */
    struct host host;
    struct span path;    /* decoded, without dot segments, begins with '/'; empty for `*` */
    struct span subpath; /* the part of path below the route's prefix, begins with '/' */
    bool has_content;    /* framing announces content, of whatever length */
    bool length_known;   /* by Content-Length (or none) */
    bool expects_continue;
    bool early;                   /* all of its head came in early data: it may be a replay. RFC8470:3 */
    struct span connect_protocol; /* :protocol of an extended CONNECT, or empty. RFC8441:4 */
    uint64_t length;              /* bytes announced, if length_known */
};

/* Lines of a reply that were made before, and how many of its own fields go before them. */
struct reply_ready {
    const struct ready_fields *lines; /* borrowed until the reply's head has been written */
    uint32_t after;
};

struct reply {
    uint32_t count, ready_count;            /* of x->reply_fields and x->reply_ready in use */
    struct body *body;                      /* NULL: no content */
    struct span link_to;                    /* redirects and choices: the URI that the content points to */
    struct span note;                       /* what the operator has to say, plain text; the error content shows it */
    const struct alternative *alternatives; /* what the client may choose from; the error content lists them */
    uint32_t alternative_count;
    /* A response that was made elsewhere: its status, of whatever meaning, and its fields, which are sent before those of
     * the reply. Then no Date or Server is made here. status 0: the reply is our own. Borrowed until the exchange ends. */
    struct {
        uint16_t status;
        uint16_t count;
        const struct reply_field *fields;
    } relayed;
    bool tunnel;           /* no content: after the head another protocol is spoken, both ways. RFC9110:7.8 */
    bool may_hold_secrets; /* a field of it came from elsewhere, or is configured, and may carry credentials */
    struct span head_text; /* the codec's: status line and fields as sent; valid until the exchange ends */
};

struct wait {
    const char *what; /* "open", "content"; NULL: not waiting */
    uint64_t since_ms;
    uint32_t ticket;            /* grows after every wait; stale wake-ups differ */
    void *with;                 /* what the waker holds for us, such as a job */
    void (*cancel)(void *with); /* called instead of a wake-up if the client leaves first */
};

/* Milliseconds of the worker's clock at which something happened; 0: not yet. */
struct moments {
    uint64_t accepted_ms, first_byte_ms, head_ms, content_ms, answered_ms, ended_ms;
};

/* An id is eight letters of five bits. */
#define EXCHANGE_ID_LETTERS 8
#define EXCHANGE_ID_BITS    40

#define EXCHANGE_WAITS      4

/* Time spent in waits of one name. */
struct waited {
    const char *what;
    uint64_t ms;
};

/* Whoever runs exchanges: the only way up from below. */
struct exchange_host {
    void (*begin)(struct exchange *x);  /* the codec has a head, or the reason why it has none: run */
    void (*route)(struct exchange *x);  /* sets site, route, policy, res, subpath; a table look-up */
    void (*tick)(struct exchange *x);   /* sets now_ms, unix_ms and unix_seconds to the worker's clock */
    void (*resume)(struct exchange *x); /* after a wake-up: run the graph on */
    void (*ended)(struct exchange *x);  /* the reply has left, or cannot */
};

/*
 * Members stand in four groups, by what a new exchange has in them (wire/slot.c): clearing all of it would cost more than
 * much of the graph.
 */
struct exchange {
    /* Set by whoever makes x, before anybody sees it. */
    const struct exchange_host *host;
    void *worker;                      /* the host's */
    const struct transport *transport; /* never NULL */
    struct span peer;                  /* the client's socket address, as the system writes it; lives as long as x */
    uint64_t now_ms;                   /* the worker's clock of this round */
    int64_t unix_seconds;              /* likewise, since 1970 UTC */
    bool server_full, client_full, descriptors_full; /* found by the connection at accept */
    struct arena arena;

    /* Zero: EXCHANGE_CLEAR_BEGIN. */
    const struct codec_ops *codec;
    void *conn;               /* the codec's */
    void *snapshot;           /* the host's: the configuration that this exchange began with */
    const void *site;         /* the host's; NULL: no site has this name */
    const void *route;        /* the host's; NULL: no route of the site covers the path */
    struct span route_prefix; /* the host's; empty: no route */
    struct span told_by;      /* address of the proxy that is believed to say so; empty: peer came itself */
    const struct policy *policy;
    const void *res_settings;      /* what the route configures for its resource; immutable */
    void *res_worker;              /* what this worker keeps for the kind of resource, such as a cache */
    void *res_state;               /* owned by res, in the arena */
    struct forwarding *forwarding; /* NULL: res answers itself */
    bool res_opened;               /* res->close() is owed */
    bool misdirected;              /* over TLS: the host is not one that this connection was made for. RFC9110:7.4 */
    bool from_trusted;             /* the client is a proxy that the operator trusts */
    bool site_stopped;             /* the operator has taken the site out of service */

    struct request req;
    struct reply reply;
    uint64_t content_limit; /* bytes of content that content() may hand out */
    uint32_t range_count;
    enum range_kind range_kind;

    struct verdict broken;        /* why sending failed after the verdict, or R_NONE; set by exchange_break() */
    struct verdict head_verdict;  /* the codec's: why the head could not be read, or R_NONE */
    char id[EXCHANGE_ID_LETTERS]; /* written by exchange_id() when it is first needed */

    /* Zero too, and in the order of struct record, which takes all of it with one copy. */
    struct facts facts;
    struct trace trace;
    struct verdict verdict; /* why it ended; set exactly once, by exchange_stop() */
    uint64_t number;        /* below 1 << EXCHANGE_ID_BITS: what the id is made of */
    struct moments moments;
    uint64_t bytes_in, bytes_out; /* of the whole message: head, framing, content */
    uint64_t content_out;         /* bytes of content handed to the connection */
    uint64_t unix_ms;             /* the worker's clock of this round */
    const struct resource_ops *res;
    uint16_t status_sent;
    uint16_t site_number; /* the host's; 0: no site */

    /* As it was left, but for what says how much of it is in use: EXCHANGE_CLEAR_END. */
    struct wait wait; /* its ticket goes on; `what` is NULL */
    struct waited
        waits[EXCHANGE_WAITS]; /* by name, up to one without; the last collects what has no place of its own */
    struct reply_field reply_fields[REPLY_FIELDS];
    struct reply_ready reply_ready[REPLY_READY];
    struct byte_range ranges[EXCHANGE_RANGES];
};

/* The members that are zero in a new exchange. */
#define EXCHANGE_CLEAR_BEGIN offsetof(struct exchange, codec)
#define EXCHANGE_CLEAR_END   offsetof(struct exchange, wait)

/* End x with a reason. Always returns FLOW_STOP. The first verdict stays. */
enum flow exchange_stop(struct exchange *x, enum reason why, uint32_t at, struct span operand, const char *where);
#define STOP(x, r, pos)                exchange_stop((x), (r), (uint32_t)(pos), (struct span){ 0 }, HERE)
#define STOP_ABOUT(x, r, pos, operand) exchange_stop((x), (r), (uint32_t)(pos), (operand), HERE)

/* Sending failed after the verdict: the second reason, for the log. Always returns FLOW_STOP. */
enum flow exchange_break(struct exchange *x, enum reason why, uint32_t at, const char *where);

/* The id under which x is logged and can be asked for; lives as long as x. */
struct span exchange_id(struct exchange *x);

/* The letters of a number below 1 << EXCHANGE_ID_BITS, and back: letters of either case; false when it is no id. */
void exchange_id_write(uint64_t number, char out[EXCHANGE_ID_LETTERS]);
bool exchange_number(struct span id, uint64_t *out);

/* Add a field line to the reply. More than REPLY_FIELDS mark the arena full. */
void reply_add(struct exchange *x, struct span name, struct span value);

/* Likewise, lines that are ready. More than REPLY_READY of them are added one by one. */
void reply_add_ready(struct exchange *x, const struct ready_fields *lines);

/* The fields of the reply, ready or not, in their order; without those that are relayed. NULL: there are no more. */
const struct reply_field *reply_field_at(const struct exchange *x, uint32_t i);

/* Has it, among these, one of this name, which is in its canonical case? */
bool reply_has(const struct exchange *x, struct span name);

/* Bytes of all fields as text, those that are relayed among them. */
size_t reply_bytes(const struct exchange *x);

/* Make these bytes (from the arena, or static) the content of the reply. */
void reply_memory(struct exchange *x, struct span content);

/* The value of the first line with this id, or an empty span with p == NULL. Several lines of a list field are joined
 * with ", " in the arena (RFC9110:5.3). */
struct span request_field(struct exchange *x, enum field_id id);

/* Does the request have the field at all? */
static inline bool request_has(const struct exchange *x, enum field_id id)
{
    return x->req.head.first[id] != 0;
}

#endif
