/*
 * A connection of HTTP/2 whose client says anything, at any pace, and reads or does not: each exchange that begins ends
 * once, whatever waits is told, nothing is left when the connection is gone, and what the client hears are frames.
 *
 * Input: how the connection is (enum how), where what the client says is cut (0: nowhere), then frames. Those whose type
 * is one of enum order are not said: they tell the client, the clock or a waiting exchange what to do. What the
 * exchanges do is told by the path: see work_begin(). The clock is ours, so that an input does the same each time.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <nghttp2/nghttp2.h>

#include "base/check.h"
#include "exchange/wait.h"
#include "wire/conn.h"
#include "wire/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MOST 65536
#define FRAME_HEAD_BYTES 9
#define FRAME_BYTES_MOST 16384 /* what any client takes. RFC9113:4.2 */
#define ROUNDS_MOST      64
#define WAITING_MOST     64
#define STREAMS_MOST     256 /* that are followed */
#define TEXT_BYTES       20000
#define FILE_BYTES       100000
#define CONTENT_BYTES    40000

enum how {
    HOW_RAW = 1 << 0,    /* no preface is said for the client: it may speak HTTP/1 */
    HOW_NARROW = 1 << 1, /* the server's socket takes little at once */
    HOW_DEAF = 1 << 2,   /* the client does not read */
    HOW_SMALL = 1 << 3,  /* windows of one frame, and few streams */
    HOW_STOPS = 1 << 4,  /* in the end the server stops, not the client */
};

enum order {
    ORDER_READ = 0xf0, /* the client reads from now on */
    ORDER_DEAF,        /* ... or not */
    ORDER_WAKE,        /* one of the exchanges that wait goes on; the payload says which */
    ORDER_LATER,       /* time passes: 100 ms for each unit of the payload */
    ORDER_FINISH,      /* the client says no more */
    ORDER_LEAVE,       /* the client closes its socket */
    ORDER_DRAIN,
    ORDER_STOP,
};

/* What the exchanges are about to do, in their arenas. */
struct work {
    struct body body;
    char kind;
    uint32_t pieces; /* of the body, still to come */
    bool waited;
    bool stopped;
};

struct waiting {
    struct exchange *x;
    uint32_t ticket;
};

/* A stream as the client sees it. */
struct heard_stream {
    uint32_t id;
    bool has_head, ended, has_length;
    uint64_t length, bytes; /* announced, and come */
};

/* What the client has heard of the frame that is coming. */
struct heard {
    uint8_t head[FRAME_HEAD_BYTES];
    uint32_t head_bytes, left; /* left: of the payload */
    uint32_t continues;        /* the stream whose field block goes on; 0: none */
    uint64_t frames;
    nghttp2_hd_inflater *inflater;
    struct heard_stream streams[STREAMS_MOST];
    uint32_t stream_count;
};

static struct world {
    struct loop loop;
    struct wheel wheel;
    struct wire_settings settings;
    struct wire wire;
    int client; /* its socket; -1: closed */
    bool reads, is_checked, finished;
    bool missed; /* the client has not read, or left early: the end may be anywhere */
    unsigned seed;
    uint32_t accepted, closed, begun, ended, bodies, bodies_stopped, waits;
    struct waiting waiting[WAITING_MOST];
    uint32_t waiting_count;
    struct heard heard;
} w;

static char text[TEXT_BYTES];
static int file = -1;

/* The clock of the loop. libFuzzer asks for the time of day, and gets the true one. */
static struct {
    bool is_ours;
    uint64_t ms;
} our_clock;

int clock_gettime(clockid_t id, struct timespec *t)
{
    if (!our_clock.is_ours || id != CLOCK_MONOTONIC)
        return (int)syscall(SYS_clock_gettime, id, t);
    t->tv_sec = (time_t)(our_clock.ms / 1000);
    t->tv_nsec = (long)(our_clock.ms % 1000) * 1000000;
    return 0;
}

/* Exchanges */

static struct work *work_of(const struct exchange *x)
{
    return x->res_state;
}

static void wait_cancelled(void *with)
{
    DIE_UNLESS(with == text);
    w.waits--;
}

/* Until an order comes, or the client leaves. Where nobody remembers, only that. */
static enum flow wait_begin(struct exchange *x)
{
    if (w.waiting_count < WAITING_MOST)
        w.waiting[w.waiting_count++] = (struct waiting){ x, x->wait.ticket };
    w.waits++;
    return exchange_wait(x, "order", wait_cancelled, text);
}

static void wake(uint8_t which)
{
    struct waiting *place, one;

    if (w.waiting_count == 0)
        return;
    place = &w.waiting[which % w.waiting_count];
    one = *place;
    *place = w.waiting[--w.waiting_count];
    if (one.x->wait.what != NULL && one.x->wait.ticket == one.ticket)
        w.waits--;
    exchange_wake(one.x, one.ticket);
}

/* What the client says comes back, as in a tunnel. */
static enum flow echo(struct exchange *x, struct piece *out)
{
    struct span bytes;
    enum flow f = x->codec->content(x, &bytes);

    if (f != FLOW_WAIT)
        *out = piece_of(f == FLOW_GO ? bytes : (struct span){ 0 });
    return f == FLOW_WAIT ? FLOW_WAIT : FLOW_GO;
}

static enum flow body_next(struct body *body, struct exchange *x, struct piece *out)
{
    struct work *work = (struct work *)body;

    DIE_UNLESS(!work->stopped && x->wait.what == NULL);
    if (work->kind == 'e')
        return echo(x, out);
    if (work->kind == 'b' && !work->waited) {
        work->waited = true;
        return wait_begin(x);
    }
    work->waited = false;
    if (work->kind == 'x' && work->pieces == 1)
        return exchange_break(x, R_content_source_failed, 0, HERE);
    *out = piece_of((struct span){ text, work->pieces > 0 ? TEXT_BYTES : 0 });
    if (work->pieces > 0 && (work->kind == 'f' || work->kind == 's'))
        *out = (struct piece){ .fd = file, .length = FILE_BYTES + (work->kind == 's') };
    if (work->pieces > 0)
        work->pieces--;
    return FLOW_GO;
}

static void body_stop(struct body *body)
{
    struct work *work = (struct work *)body;

    DIE_UNLESS(!work->stopped);
    work->stopped = true;
    w.bodies_stopped++;
}

static const struct body_ops body_ops = { .next = body_next, .stop = body_stop };

static void body_give(struct exchange *x, struct work *work)
{
    int64_t piece_bytes = work->kind == 'f' || work->kind == 's' ? FILE_BYTES + (work->kind == 's') : TEXT_BYTES;
    bool is_known = work->kind != 'l' && work->kind != 'e';

    work->body = (struct body){ .ops = &body_ops, .length = is_known ? piece_bytes * work->pieces : -1 };
    x->reply.body = &work->body;
    x->reply.tunnel = work->kind == 'e';
    w.bodies++;
}

static enum flow content_take(struct exchange *x)
{
    struct span piece;
    enum flow f;
    volatile char last;

    do {
        f = x->codec->content(x, &piece);
        if (piece.n > 0)
            last = piece.p[piece.n - 1];
    } while (f == FLOW_GO && piece.n > 0);
    (void)last;
    return f;
}

static void hint(struct exchange *x)
{
    const struct reply_field link = { SPAN("Link"), SPAN("</a.css>; rel=preload") };

    if (!work_of(x)->waited)
        x->codec->interim(x, R_early_hints, &link, 1);
}

/*
 * What the second letter of the path says:
 *   c  the content is taken first        e  what comes goes back, both ways (HTTP/2 only)
 *   h  hints, then a wait                n  no answer at all
 *   w  a wait                            b  a body that waits before each piece
 *   f  a body from a file                s  ... which is shorter than it should be
 *   x  a body that breaks                l  a body whose length is not known
 * and the third how many pieces the body has. All others are answered at once, with one piece.
 */
static enum flow work_on(struct exchange *x)
{
    struct work *work = work_of(x);

    switch (work->kind) {
    case 'c':
        return content_take(x);
    case 'h':
        hint(x);
        break;
    case 'w':
        break;
    case 'n':
        return STOP(x, R_dropped_silently, 0);
    default:
        return FLOW_GO;
    }
    if (work->waited)
        return FLOW_GO;
    work->waited = true;
    return wait_begin(x);
}

static void answer(struct exchange *x)
{
    struct work *work = work_of(x);

    exchange_stop(x, R_request_ok, 0, (struct span){ 0 }, HERE);
    x->status_sent = reason_code(x->verdict.why, DIALECT_RFC).wire;
    x->moments.answered_ms = x->now_ms;
    reply_add(x, SPAN("Content-Type"), SPAN("text/plain"));
    reply_add(x, SPAN("Connection"), SPAN("x"));
    if (work != NULL && x->status_sent != 0) {
        work->waited = false;
        body_give(x, work);
    }
    x->codec->reply(x);
}

static void run(struct exchange *x)
{
    enum flow f = FLOW_GO;

    if (x->head_verdict.why != R_NONE)
        f = exchange_stop(x, x->head_verdict.why, 0, (struct span){ 0 }, HERE);
    else if (work_of(x) == NULL)
        f = STOP(x, R_exchange_memory_exhausted, 0);
    else
        f = work_on(x);
    if (f != FLOW_WAIT)
        answer(x);
}

static void host_tick(struct exchange *x)
{
    x->now_ms = w.loop.now_ms;
    x->unix_ms = (uint64_t)w.loop.unix_ms;
    x->unix_seconds = w.loop.unix_s;
}

static void host_begin(struct exchange *x)
{
    static const struct policy policy;
    struct span target = x->req.head.target;
    struct work *work = arena_zero(&x->arena, sizeof *work);

    DIE_UNLESS(x->number == 0 && x->wait.what == NULL);
    x->number = ++w.begun;
    x->policy = &policy;
    x->content_limit = CONTENT_BYTES;
    x->req.expects_continue = request_has(x, FIELD_EXPECT);
    x->res_state = work;
    if (work != NULL) {
        work->kind = target.n > 1 ? target.p[1] : '.';
        work->pieces = target.n > 2 ? (uint8_t)target.p[2] & 7 : 1;
        if (work->kind == 'e' && x->req.connect_protocol.n == 0)
            work->kind = 'c';
    }
    run(x);
}

static void host_resume(struct exchange *x)
{
    host_tick(x);
    if (x->verdict.why != R_NONE)
        x->codec->reply(x);
    else
        run(x);
}

static void host_ended(struct exchange *x)
{
    DIE_UNLESS(x->number != 0 && x->verdict.why != R_NONE && x->wait.what == NULL);
    DIE_UNLESS(work_of(x) == NULL || x->reply.body == NULL || work_of(x)->stopped);
    x->number = 0;
    w.ended++;
}

static const struct exchange_host exchange_host = {
    .begin = host_begin, .tick = host_tick, .resume = host_resume, .ended = host_ended
};

static bool host_accepted(struct conn *c)
{
    (void)c;
    w.accepted++;
    return true;
}

static void host_closed(struct conn *c)
{
    DIE_UNLESS(c->x == NULL);
    w.closed++;
}

static bool host_announces(const struct wire *wire, enum wire_port port, const struct sockaddr *peer)
{
    (void)wire;
    (void)port;
    (void)peer;
    return false;
}

static const struct wire_host wire_host = { .announces = host_announces,
                                            .accepted = host_accepted,
                                            .closed = host_closed };

/* What the client hears. RFC9113:4.1, RFC9113:6 */

static uint32_t number_of(const uint8_t *bytes, unsigned count)
{
    uint32_t n = 0;

    for (unsigned i = 0; i < count; i++)
        n = n << 8 | bytes[i];
    return n;
}

/* NULL: so many that they are not followed. */
static struct heard_stream *heard_stream(struct heard *h, uint32_t id)
{
    for (uint32_t i = 0; i < h->stream_count; i++)
        if (h->streams[i].id == id)
            return &h->streams[i];
    if (h->stream_count == STREAMS_MOST)
        return NULL;
    h->streams[h->stream_count] = (struct heard_stream){ .id = id };
    return &h->streams[h->stream_count++];
}

/* The server answers, it asks nothing: no stream is its own, nothing follows the end of one, and content is as long as
 * was said. */
static void message_check(struct heard *h, uint8_t type, uint8_t flags, uint32_t id)
{
    struct heard_stream *s = heard_stream(h, id);

    DIE_UNLESS((id & 1) == 1 && (flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) == 0);
    if (s == NULL)
        return;
    DIE_UNLESS(!s->ended && (s->has_head || type == NGHTTP2_HEADERS));
    s->has_head = true;
    s->ended = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (type == NGHTTP2_HEADERS)
        return;
    s->bytes += number_of(h->head, 3);
    DIE_UNLESS(!s->has_length || (s->ended ? s->bytes == s->length : s->bytes <= s->length));
}

static void frame_check(struct heard *h)
{
    uint32_t bytes = number_of(h->head, 3), id = number_of(h->head + 5, 4);
    uint8_t type = h->head[3], flags = h->head[4];

    DIE_UNLESS(bytes <= FRAME_BYTES_MOST && id >> 31 == 0);
    DIE_UNLESS(h->frames++ > 0 || (type == NGHTTP2_SETTINGS && (flags & NGHTTP2_FLAG_ACK) == 0));
    DIE_UNLESS(h->continues == (type == NGHTTP2_CONTINUATION ? id : 0));
    switch (type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        message_check(h, type, flags, id);
        break;
    case NGHTTP2_CONTINUATION:
        break;
    case NGHTTP2_RST_STREAM:
        DIE_UNLESS(id != 0 && bytes == 4);
        if (heard_stream(h, id) != NULL)
            heard_stream(h, id)->ended = true;
        break;
    case NGHTTP2_SETTINGS:
        DIE_UNLESS(id == 0 && bytes % 6 == 0 && (bytes == 0 || (flags & NGHTTP2_FLAG_ACK) == 0));
        break;
    case NGHTTP2_PING:
        DIE_UNLESS(id == 0 && bytes == 8);
        break;
    case NGHTTP2_GOAWAY:
        DIE_UNLESS(id == 0 && bytes >= 8);
        break;
    default:
        DIE_UNLESS(type == NGHTTP2_WINDOW_UPDATE && bytes == 4);
    }
    if (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION)
        h->continues = flags & NGHTTP2_FLAG_END_HEADERS ? 0 : id;
}

static void line_heard(struct heard *h, const nghttp2_nv *line)
{
    static const struct span name = SPAN_INIT("content-length");
    struct heard_stream *s = heard_stream(h, number_of(h->head + 5, 4));

    if (s == NULL || !span_is((struct span){ (const char *)line->name, line->namelen }, name))
        return;
    DIE_UNLESS(!s->has_length);
    s->has_length = true;
    for (size_t i = 0; i < line->valuelen; i++)
        s->length = s->length * 10 + (uint64_t)(line->value[i] - '0');
}

/* Every field block decodes, also in pieces. RFC7541:3 */
static void block_check(struct heard *h, const uint8_t *bytes, size_t n)
{
    bool is_last = h->left == n && h->continues == 0;
    int flags = 0;

    do {
        nghttp2_nv line;
        ssize_t used = nghttp2_hd_inflate_hd2(h->inflater, &line, &flags, bytes, n, is_last);

        DIE_UNLESS(used >= 0 && (size_t)used <= n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            line_heard(h, &line);
        bytes += used;
        n -= (size_t)used;
    } while (flags & NGHTTP2_HD_INFLATE_EMIT);
    DIE_UNLESS(n == 0);
    if (is_last)
        nghttp2_hd_inflate_end_headers(h->inflater);
}

static void heard(struct heard *h, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        size_t here = FRAME_HEAD_BYTES - h->head_bytes;

        if (here > 0) {
            here = here < n ? here : n;
            memcpy(h->head + h->head_bytes, bytes, here);
            h->head_bytes += (uint32_t)here;
            h->left = number_of(h->head, 3);
            if (h->head_bytes == FRAME_HEAD_BYTES)
                frame_check(h);
        } else {
            here = h->left < n ? h->left : n;
            if (h->head[3] == NGHTTP2_HEADERS || h->head[3] == NGHTTP2_CONTINUATION)
                block_check(h, bytes, here);
            h->left -= (uint32_t)here;
        }
        bytes += here;
        n -= here;
        if (h->head_bytes == FRAME_HEAD_BYTES && h->left == 0)
            h->head_bytes = 0;
    }
}

/* The client */

static void client_leave(void)
{
    if (w.client >= 0)
        close(w.client);
    w.client = -1;
    w.missed = true;
}

/* False: nothing was there. */
static bool client_read(void)
{
    static uint8_t bytes[65536];
    ssize_t n = w.client >= 0 && w.reads ? recv(w.client, bytes, sizeof bytes, MSG_DONTWAIT) : -1;

    if (n > 0 && w.is_checked)
        heard(&w.heard, bytes, (size_t)n);
    if (n == 0)
        DIE_UNLESS(!w.is_checked || w.missed || w.heard.head_bytes == 0);
    return n > 0;
}

static void rounds(void)
{
    bool more = true;

    for (unsigned i = 0; more && i < ROUNDS_MOST; i++) {
        int events;

        our_clock.is_ours = true;
        events = loop_round(&w.loop, 0);
        our_clock.is_ours = false;
        DIE_UNLESS(events >= 0);
        wheel_advance(&w.wheel, w.loop.now_ms);
        more = client_read() || events > 0 || !link_is_empty(&w.loop.deferred);
    }
}

/* In pieces of a few bytes, or of some hundred. What finds no room is never said. */
static void client_say(const uint8_t *bytes, size_t n)
{
    while (n > 0 && w.client >= 0 && !w.finished) {
        size_t here = n;
        ssize_t taken;

        if (w.seed != 0) {
            w.seed = w.seed * 1103515245u + 12345u;
            here = 1 + (w.seed >> 16) % (w.seed >> 24 & 1 ? 12 : 300);
        }
        here = here < n ? here : n;
        taken = send(w.client, bytes, here, MSG_DONTWAIT | MSG_NOSIGNAL);
        rounds();
        if (taken <= 0)
            return;
        bytes += taken;
        n -= (size_t)taken;
    }
}

static void time_pass(uint64_t ms)
{
    our_clock.ms += ms;
    rounds();
}

static void obey(enum order order, uint8_t argument)
{
    switch (order) {
    case ORDER_READ:
        w.reads = true;
        break;
    case ORDER_DEAF:
        w.reads = false;
        w.missed = true;
        break;
    case ORDER_WAKE:
        wake(argument);
        break;
    case ORDER_LATER:
        time_pass(100u * argument);
        break;
    case ORDER_FINISH:
        w.finished = true;
        if (w.client >= 0)
            shutdown(w.client, SHUT_WR);
        break;
    case ORDER_LEAVE:
        client_leave();
        break;
    case ORDER_DRAIN:
        wire_drain(&w.wire);
        break;
    case ORDER_STOP:
        w.missed = true;
        wire_stop(&w.wire);
        break;
    }
    rounds();
}

static void frames_run(const uint8_t *data, size_t size)
{
    while (size > 0) {
        size_t n = size < FRAME_HEAD_BYTES ? size : FRAME_HEAD_BYTES + number_of(data, 3);

        n = n < size ? n : size;
        if (n >= FRAME_HEAD_BYTES && data[3] >= ORDER_READ && data[3] <= ORDER_STOP)
            obey(data[3], n > FRAME_HEAD_BYTES ? data[FRAME_HEAD_BYTES] : 0);
        else
            client_say(data, n);
        data += n;
        size -= n;
    }
}

/* The world */

static void world_begin(uint8_t how, unsigned seed)
{
    struct sockaddr_storage peer = { .ss_family = AF_UNIX };
    uint32_t window = how & HOW_SMALL ? 16384 : 65535;
    int pair[2], room = 4096;

    w = (struct world){ .reads = (how & HOW_DEAF) == 0, .is_checked = (how & HOW_RAW) == 0, .seed = seed };
    w.missed = !w.reads;
    w.settings =
        (struct wire_settings){ .head = { .target_bytes = 256, .field_bytes = 512, .head_bytes = 2048, .fields = 32 },
                                .head_wait_ms = 1000,
                                .content_wait_ms = 2000,
                                .send_wait_ms = 2000,
                                .keep_alive_ms = 3000,
                                .linger_ms = 1000,
                                .tunnel_idle_ms = 2000,
                                .linger_bytes = 100000,
                                .drain_bytes = 10000,
                                .arena_bytes = 65536,
                                .h2_streams = how & HOW_SMALL ? 2 : 20,
                                .h2_window_bytes = window,
                                .h2_connection_window_bytes = 2 * window,
                                .h2_resets = 20,
                                .h2_control_frames = 40,
                                .h2_continuations = 4 };
    w.wire = (struct wire){ .loop = &w.loop,
                            .wheel = &w.wheel,
                            .settings = &w.settings,
                            .host = &wire_host,
                            .exchange_host = &exchange_host,
                            .h2c = true,
                            .worker = &w };
    our_clock.ms = 1000000;
    our_clock.is_ours = true;
    DIE_UNLESS(loop_init(&w.loop) == 0 && wire_init(&w.wire) == 0);
    our_clock.is_ours = false;
    wheel_init(&w.wheel, w.loop.now_ms);
    DIE_UNLESS(nghttp2_hd_inflate_new(&w.heard.inflater) == 0);
    DIE_UNLESS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    if (how & HOW_NARROW)
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    w.client = pair[1];
    DIE_UNLESS(conn_open(&w.wire, pair[0], WIRE_PLAIN, &peer, sizeof peer.ss_family) != NULL);
}

/* Nothing is left: not an exchange, not a body, not a wait. */
static void world_end(uint8_t how)
{
    if (how & HOW_STOPS)
        wire_stop(&w.wire);
    client_leave();
    for (unsigned i = 0; i < 4; i++)
        time_pass(w.settings.linger_ms);
    DIE_UNLESS(w.wire.conn_count == 0 && w.wire.conns == NULL && w.accepted == 1 && w.closed == 1);
    DIE_UNLESS(w.begun == w.ended && w.bodies == w.bodies_stopped && w.waits == 0);
    DIE_UNLESS(link_is_empty(&w.loop.deferred));
    nghttp2_hd_inflate_del(w.heard.inflater);
    wire_fini(&w.wire);
    loop_fini(&w.loop);
}

static void file_make(void)
{
    file = memfd_create("h2", MFD_CLOEXEC);
    DIE_UNLESS(file >= 0 && ftruncate(file, FILE_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t settings[FRAME_HEAD_BYTES] = { 0, 0, 0, NGHTTP2_SETTINGS };

    if (size < 2 || size > INPUT_BYTES_MOST)
        return 0;
    if (file < 0)
        file_make();
    world_begin(data[0], data[1]);
    if ((data[0] & HOW_RAW) == 0) {
        client_say((const uint8_t *)h2_preface, H2_PREFACE_BYTES);
        client_say(settings, sizeof settings);
    }
    frames_run(data + 2, size - 2);
    world_end(data[0]);
    return 0;
}
