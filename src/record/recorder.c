#include <stdlib.h>

#include "base/check.h"
#include "record/record.h"

/* AF_UNIX: what names it is of no use without sockets, which this layer has none of. */
#define FAMILY_UNIX       1

#define SOCKADDR_IN_BYTES 16u

/* Places with room for any reply that a ring must have at least, before one is given to the next reply. */
#define REPLY_PLACES 16u

static size_t fixed_bytes(void)
{
    return sizeof(struct record) + RECORD_OPERAND_BYTES + RECORD_ROUTE_BYTES + sizeof(struct record_forwarding);
}

/* The longest head of which two fit into a quarter of a ring, beside all else: the next record has its place already. */
static uint32_t head_bytes_most(const struct ring *ring)
{
    return (uint32_t)((ring->fixed.size / 4 - fixed_bytes()) / 2);
}

static bool part_init(struct ring *ring, size_t bytes, uint32_t count, uint32_t *head_bytes)
{
    if (count == 0)
        return true;
    if (!ring_init(ring, bytes > 4 * fixed_bytes() ? bytes : 4 * fixed_bytes(), count))
        return false;
    if (*head_bytes > head_bytes_most(ring))
        *head_bytes = head_bytes_most(ring);
    return true;
}

static void next_take(struct recorder *r)
{
    r->next = ring_begin(&r->all, r->next_bytes);
}

bool recorder_init(struct recorder *r, const struct recorder_settings *settings)
{
    uint32_t count = settings->count > 1 ? settings->count : 2; /* one of the places is the next record's */
    uint64_t with_reply;

    *r = (struct recorder){ .head_bytes = settings->head_bytes, .slow_ms = settings->slow_ms };
    if (settings->count == 0)
        return true;
    if (!part_init(&r->all, settings->bytes, count, &r->head_bytes) ||
        !part_init(&r->refused, settings->kept_bytes, settings->kept_count, &r->head_bytes) ||
        !part_init(&r->kept, settings->kept_bytes, settings->kept_count, &r->head_bytes) ||
        (r->room = malloc(r->head_bytes)) == NULL) {
        recorder_fini(r);
        return false;
    }
    /* Replies are written where they are kept if that takes a small part of the memory. */
    with_reply = (uint64_t)record_room(r) + settings->reply_room_bytes;
    r->takes_replies = settings->reply_room_bytes > 0 && with_reply <= r->all.fixed.size / REPLY_PLACES;
    r->next_bytes = (uint32_t)(r->takes_replies ? with_reply : record_room(r));
    next_take(r);
    return true;
}

void recorder_fini(struct recorder *r)
{
    ring_fini(&r->all);
    ring_fini(&r->refused);
    ring_fini(&r->kept);
    free(r->room);
    r->room = NULL;
    r->next = NULL;
}

char *recorder_reply_place(const struct recorder *r)
{
    return r->takes_replies ? (char *)(r->next + 1) : NULL;
}

/* Nothing was sent, or the status sent is of class 4 or 5, or sending broke off. */
static bool has_failed(const struct exchange *x)
{
    return (x->status_sent - 100u >= 300u /* not a status: three classes */) | (x->broken.why != R_NONE);
}

static bool is_slow(const struct recorder *r, const struct exchange *x)
{
    return x->moments.ended_ms >= x->moments.first_byte_ms + r->slow_ms;
}

__attribute__((noinline)) uint8_t record_peer_copy(struct span peer, uint8_t out[RECORD_PEER_BYTES])
{
    uint16_t family = 0;
    uint8_t bytes;

    if (peer.n < sizeof family)
        return 0;
    memcpy(&family, peer.p, sizeof family);
    bytes = family == FAMILY_UNIX || peer.n > RECORD_PEER_BYTES ? sizeof family : (uint8_t)peer.n;
    memcpy(out, peer.p, bytes);
    return bytes;
}

/* A length that the compiler knows, for the family that is most frequent. */
static void put_peer(struct record *to, const struct exchange *x)
{
    uint16_t family = FAMILY_UNIX;

    if (x->peer.n == SOCKADDR_IN_BYTES)
        memcpy(&family, x->peer.p, sizeof family);
    if (family == FAMILY_UNIX) {
        to->peer_bytes = record_peer_copy(x->peer, to->peer);
        return;
    }
    to->peer_bytes = SOCKADDR_IN_BYTES;
    memcpy(to->peer, x->peer.p, SOCKADDR_IN_BYTES);
}

/* The part of struct record that is one copy. */
#define SHARED_BYTES (offsetof(struct record, slow) - offsetof(struct record, facts))
#define SAME_PLACE(in_record, in_exchange)                                                                       \
    _Static_assert(offsetof(struct record, in_record) == offsetof(struct exchange, in_exchange) - SHARED_BEGINS, \
                   "struct record takes it with one copy")
#define SHARED_BEGINS offsetof(struct exchange, facts)
SAME_PLACE(facts, facts);
SAME_PLACE(trace, trace);
SAME_PLACE(why, verdict.why);
SAME_PLACE(at, verdict.at);
SAME_PLACE(where, verdict.where);
SAME_PLACE(nothing, verdict.operand);
SAME_PLACE(number, number);
SAME_PLACE(moments, moments);
SAME_PLACE(bytes_in, bytes_in);
SAME_PLACE(bytes_out, bytes_out);
SAME_PLACE(content_out, content_out);
SAME_PLACE(unix_ms, unix_ms);
SAME_PLACE(resource, res);
SAME_PLACE(status_sent, status_sent);
SAME_PLACE(site, site_number);

/* What is not text. The spans that came with the copy would point to what dies with the exchange. */
static inline void put_fixed(struct record *to, const struct exchange *x)
{
    memcpy(to, &x->facts, SHARED_BYTES);
    to->facts.etag.opaque = to->nothing = (struct span){ 0 };
    if (x->waits[0].what == NULL)
        to->waits[0].what = NULL;
    else
        memcpy(to->waits, x->waits, sizeof to->waits);
    to->broken = x->broken.why;
    to->broken_at = x->broken.at;
    to->method = x->req.head.method;
    to->major = x->req.head.major;
    to->minor = x->req.head.minor;
    to->dialect = (uint8_t)x->policy->dialect;
    to->forwarded = x->forwarding != NULL;
    to->has_request_line = x->req.head.target.n > 0;
    to->brought = (struct brought){ .tls_version = x->transport->tls_version,
                                    .certificate = (uint16_t)x->transport->client_certificate,
                                    .certificate_asked = x->transport->client_auth != CLIENT_AUTH_OFF,
                                    .on_tls_port = x->transport->on_tls_port,
                                    .early = x->req.early };
    put_peer(to, x);
}

/* Is all text short enough to be kept whole, and without a secret? */
static inline bool is_plain(const struct recorder *r, const struct exchange *x, const struct secrets *secrets)
{
    return x->req.head_text.n + x->reply.head_text.n <= r->head_bytes && x->verdict.operand.n <= RECORD_OPERAND_BYTES &&
           x->route_prefix.n <= RECORD_ROUTE_BYTES && !x->reply.may_hold_secrets && !secrets_suspected(secrets, x);
}

static char *put_text(char *to, struct span text, uint32_t *bytes)
{
    *bytes = (uint32_t)text.n;
    if (text.n > 0)
        memcpy(to, text.p, text.n);
    return to + text.n;
}

static char *put_cut(char *to, struct span text, uint32_t room, uint32_t *bytes, bool *cut)
{
    *cut = text.n > room;
    if (*cut)
        text.n = room;
    return put_text(to, text, bytes);
}

/* As it is, and whole. The reply is there already, as a rule. */
static inline char *put_plain(struct record *to, const struct exchange *x)
{
    char *text = (char *)(to + 1);
    struct span reply = x->reply.head_text, route = x->route_prefix;

    to->request_cut = to->reply_cut = false;
    to->reply_bytes = (uint32_t)reply.n;
    if (reply.p != text && reply.n > 0)
        memcpy(text, reply.p, reply.n);
    text = put_text(text + reply.n, x->req.head_text, &to->request_bytes);
    text = put_text(text, x->verdict.operand, &to->operand_bytes);
    to->route_bytes = (uint32_t)route.n;
    if (route.n == 1)
        *text = *route.p;
    else if (route.n > 0)
        memcpy(text, route.p, route.n);
    return text + route.n;
}

/* The reply, filtered or whole, to the head of the texts: it may be there already. */
static char *put_reply(struct recorder *r, struct record *to, struct span reply, const struct secrets *secrets)
{
    char *text = (char *)(to + 1);
    struct span copy = { r->room, reply.n < r->head_bytes ? reply.n : r->head_bytes };

    if (secrets == NULL) {
        to->reply_cut = reply.n > copy.n;
        memmove(text, reply.p != NULL ? reply.p : text, copy.n);
        to->reply_bytes = (uint32_t)copy.n;
    } else {
        to->reply_bytes = (uint32_t)secrets_copy(secrets, reply, r->room, r->head_bytes, &to->reply_cut);
        memcpy(text, r->room, to->reply_bytes);
    }
    return text + to->reply_bytes;
}

/* Without its secrets, and cut. What was in the target may be in the operand too, and in the reply's Location. */
static __attribute__((noinline)) char *put_slowly(struct recorder *r, struct record *to, const struct exchange *x,
                                                  const struct secrets *secrets)
{
    struct span operand = x->verdict.operand;
    bool filtered = x->reply.may_hold_secrets || secrets_in_target(x), cut;
    char *text = put_reply(r, to, x->reply.head_text, filtered ? secrets : NULL);

    text += to->request_bytes = (uint32_t)secrets_copy_request(secrets, x, text, r->head_bytes, &to->request_cut);
    if (filtered)
        text += to->operand_bytes = (uint32_t)secrets_copy_uris(secrets, operand, text, RECORD_OPERAND_BYTES, &cut);
    else
        text = put_cut(text, operand, RECORD_OPERAND_BYTES, &to->operand_bytes, &cut);
    return put_cut(text, x->route_prefix, RECORD_ROUTE_BYTES, &to->route_bytes, &cut);
}

static uint8_t put_name(char to[RECORD_SERVER_BYTES], struct span name)
{
    size_t n = name.n < RECORD_SERVER_BYTES ? name.n : RECORD_SERVER_BYTES;

    if (n > 0)
        memcpy(to, name.p, n);
    return (uint8_t)n;
}

static struct record_try try_of(const struct attempt *a)
{
    struct record_try t = { .why = a->failed.why,
                            .at = a->failed.at,
                            .connect_ms = (uint32_t)record_between(a->begun_ms, a->connected_ms),
                            .send_ms = (uint32_t)record_between(a->connected_ms, a->sent_ms),
                            .head_ms = (uint32_t)record_between(a->sent_ms, a->head_ms),
                            .kept = a->kept,
                            .harmless = a->harmless };

    t.server_bytes = put_name(t.server, a->upstream);
    return t;
}

static __attribute__((noinline)) char *put_forwarding(char *text, const struct exchange *x)
{
    const struct forwarding *f = x->forwarding;
    struct record_forwarding to = { .status = f->status,
                                    .relayed = x->reply.relayed.fields != NULL,
                                    .count = f->count };

    to.upstream_bytes = put_name(to.upstream, f->group);
    for (unsigned i = 0; i < f->count; i++)
        to.tries[i] = try_of(&f->attempts[i]);
    memcpy(text, &to, sizeof to);
    return text + sizeof to;
}

static __attribute__((noinline)) void keep_too(struct recorder *r, const struct record *record, uint32_t bytes)
{
    bool refused = !record->slow && record->broken == R_NONE && record->status_sent / 100 == 4;
    struct ring *kept = refused ? &r->refused : &r->kept;

    if (kept->fixed.count == 0)
        return;
    memcpy(ring_begin(kept, bytes), record, bytes);
    ring_end(kept, bytes);
}

/* ring_begin() always finds room: recorder_init() has seen to it that no record is longer than a quarter of a ring. */
void recorder_write(struct recorder *r, const struct exchange *x, const struct secrets *secrets)
{
    struct record *to = r->next;
    bool slow, failed;
    uint32_t bytes;
    char *end;

    if (to == NULL)
        return;
    end = is_plain(r, x, secrets) ? put_plain(to, x) : put_slowly(r, to, x, secrets);
    if (x->forwarding != NULL)
        end = put_forwarding(end, x);
    bytes = (uint32_t)(end - (char *)to);
    put_fixed(to, x);
    to->slow = slow = is_slow(r, x);
    to->failed = failed = has_failed(x);
    ring_end(&r->all, bytes);
    if (slow | failed)
        keep_too(r, to, bytes);
    next_take(r);
}
