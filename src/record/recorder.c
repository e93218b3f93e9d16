#include "base/check.h"
#include "record/record.h"

/* AF_UNIX: what names it is of no use without sockets, which this layer has none of. */
#define FAMILY_UNIX       1

#define SOCKADDR_IN_BYTES 16u

static size_t fixed_bytes(void)
{
    return sizeof(struct record) + RECORD_OPERAND_BYTES + RECORD_ROUTE_BYTES;
}

/* The longest head of which two fit into half of a ring, beside all else. */
static uint32_t head_bytes_most(const struct ring *ring)
{
    return (uint32_t)((ring->fixed.size / 2 - fixed_bytes()) / 2);
}

static bool part_init(struct ring *ring, size_t bytes, uint32_t count, uint32_t *head_bytes)
{
    if (count == 0)
        return true;
    if (!ring_init(ring, bytes > 2 * fixed_bytes() ? bytes : 2 * fixed_bytes(), count))
        return false;
    if (*head_bytes > head_bytes_most(ring))
        *head_bytes = head_bytes_most(ring);
    return true;
}

bool recorder_init(struct recorder *r, const struct recorder_settings *settings)
{
    *r = (struct recorder){ .head_bytes = settings->head_bytes, .slow_ms = settings->slow_ms };
    if (settings->count == 0)
        return true;
    if (part_init(&r->all, settings->bytes, settings->count, &r->head_bytes) &&
        part_init(&r->kept, settings->kept_bytes, settings->kept_count, &r->head_bytes))
        return true;
    recorder_fini(r);
    return false;
}

void recorder_fini(struct recorder *r)
{
    ring_fini(&r->all);
    ring_fini(&r->kept);
}

/* Nothing was sent, or the status sent is of class 4 or 5, or sending broke off. */
static bool has_failed(const struct exchange *x)
{
    return (x->status_sent / 100 - 1u > 2) | (x->broken.why != R_NONE);
}

static __attribute__((noinline)) void put_other_peer(struct record *to, const struct record_about *about)
{
    uint16_t family = 0;

    to->peer_bytes = 0;
    if (about->peer_bytes < sizeof family)
        return;
    memcpy(&family, about->peer, sizeof family);
    if (family == FAMILY_UNIX || about->peer_bytes > RECORD_PEER_BYTES)
        to->peer_bytes = sizeof family;
    else
        to->peer_bytes = (uint8_t)about->peer_bytes;
    memcpy(to->peer, about->peer, to->peer_bytes);
}

/* A length that the compiler knows, for the family that is most frequent. */
static void put_peer(struct record *to, const struct record_about *about)
{
    uint16_t family;

    if (about->peer_bytes != SOCKADDR_IN_BYTES) {
        put_other_peer(to, about);
        return;
    }
    memcpy(&family, about->peer, sizeof family);
    to->peer_bytes = family != FAMILY_UNIX ? SOCKADDR_IN_BYTES : sizeof family;
    memcpy(to->peer, about->peer, SOCKADDR_IN_BYTES);
}

/* But the tag's text, which dies with the exchange. */
static void put_facts(struct facts *to, const struct facts *from)
{
    memcpy(to, from, offsetof(struct facts, etag));
    to->etag = (struct etag){ .weak = from->etag.weak };
    to->modified = from->modified;
    to->length = from->length;
}

/* What is not text. The order of struct record, and here, is that of struct exchange: neighbours are moved together. */
static inline void put_fixed(struct record *to, const struct exchange *x, const struct record_about *about,
                             uint32_t slow_ms)
{
    const struct moments *m = &x->moments;

    to->number = x->number;
    to->unix_ms = about->unix_ms;
    to->moments = *m;
    if (x->waits[0].what == NULL)
        to->waits[0].what = NULL;
    else
        memcpy(to->waits, x->waits, sizeof to->waits);
    to->bytes_in = x->bytes_in;
    to->bytes_out = x->bytes_out;
    to->content_out = x->content_out;
    to->status_sent = x->status_sent;
    to->site = about->site;
    to->limit = 0;
    to->trace = x->trace;
    put_facts(&to->facts, &x->facts);
    to->why = x->verdict.why;
    to->at = x->verdict.at;
    to->where = x->verdict.where;
    to->broken = x->broken.why;
    to->broken_at = x->broken.at;
    to->resource = x->res != NULL ? x->res->name : NULL;
    to->method = x->req.head.method;
    to->major = x->req.head.major;
    to->minor = x->req.head.minor;
    to->dialect = (uint8_t)x->policy->dialect;
    put_peer(to, about);
    to->has_request_line = x->req.head.target.n > 0;
    to->slow = (m->first_byte_ms != 0) & (m->ended_ms - m->first_byte_ms >= slow_ms);
    to->failed = has_failed(x);
}

/* Is all text short enough to be kept whole? */
static bool fits(const struct recorder *r, const struct exchange *x, const struct record_about *about)
{
    return x->req.head_text.n <= r->head_bytes && x->reply.head_text.n <= r->head_bytes &&
           x->verdict.operand.n <= RECORD_OPERAND_BYTES && about->route.n <= RECORD_ROUTE_BYTES;
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

/* As it is, and whole. */
static inline struct record *put_plain(struct ring *ring, const struct exchange *x, const struct record_about *about)
{
    struct span route = about->route;
    size_t bytes = sizeof(struct record) + x->req.head_text.n + x->reply.head_text.n + x->verdict.operand.n + route.n;
    struct record *to = ring_begin(ring, (uint32_t)bytes);
    char *text = (char *)(to + 1);

    to->request_cut = to->reply_cut = false;
    text = put_text(text, x->req.head_text, &to->request_bytes);
    text = put_text(text, x->reply.head_text, &to->reply_bytes);
    text = put_text(text, x->verdict.operand, &to->operand_bytes);
    to->route_bytes = (uint32_t)route.n;
    if (route.n == 1)
        *text = *route.p;
    else if (route.n > 0)
        memcpy(text, route.p, route.n);
    return to;
}

/* Without its secrets, and cut. What was in the target may be in the operand too, and in the reply's Location. */
static __attribute__((noinline)) struct record *put_slowly(struct recorder *r, const struct exchange *x,
                                                           const struct record_about *about,
                                                           const struct secrets *secrets)
{
    struct record *to = ring_begin(&r->all, (uint32_t)record_room(r));
    char *text = (char *)(to + 1);
    struct span reply = x->reply.head_text, operand = x->verdict.operand;
    bool cut;

    text += to->request_bytes = (uint32_t)secrets_copy_request(secrets, x, text, r->head_bytes, &to->request_cut);
    if (x->reply.may_hold_secrets || secrets_in_target(x)) {
        text += to->reply_bytes = (uint32_t)secrets_copy(secrets, reply, text, r->head_bytes, &to->reply_cut);
        text += to->operand_bytes = (uint32_t)secrets_copy_uris(secrets, operand, text, RECORD_OPERAND_BYTES, &cut);
    } else {
        text = put_cut(text, reply, r->head_bytes, &to->reply_bytes, &to->reply_cut);
        text = put_cut(text, operand, RECORD_OPERAND_BYTES, &to->operand_bytes, &cut);
    }
    put_cut(text, about->route, RECORD_ROUTE_BYTES, &to->route_bytes, &cut);
    return to;
}

static uint32_t record_bytes(const struct record *r)
{
    return (uint32_t)sizeof *r + r->request_bytes + r->reply_bytes + r->operand_bytes + r->route_bytes;
}

static __attribute__((noinline)) void keep_too(struct ring *kept, const struct record *record)
{
    uint32_t bytes = record_bytes(record);

    if (kept->fixed.count == 0)
        return;
    memcpy(ring_begin(kept, bytes), record, bytes);
    ring_end(kept, bytes);
}

/* ring_begin() always finds room: recorder_init() has seen to it that no record is longer than half of a ring. */
void recorder_write(struct recorder *r, const struct exchange *x, const struct record_about *about,
                    const struct secrets *secrets)
{
    struct record *to;

    if (r->all.fixed.count == 0)
        return;
    if (!x->reply.may_hold_secrets && fits(r, x, about) && !secrets_suspected(secrets, x))
        to = put_plain(&r->all, x, about);
    else
        to = put_slowly(r, x, about, secrets);
    put_fixed(to, x, about, r->slow_ms);
    if (to->failed | to->slow)
        keep_too(&r->kept, to);
    ring_end(&r->all, record_bytes(to));
}
