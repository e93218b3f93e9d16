#include "wire/h2.h"

#include <errno.h>
#include <stdlib.h>

#include "exchange/wait.h"
#include "wire/h2_impl.h"

#define READS_MOST    16u   /* of one connection, before others get their turn */
#define DRAIN_WAIT_MS 1000u /* for the client's word that it has seen GOAWAY */

const char h2_preface[H2_PREFACE_BYTES + 1] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static bool session_new(struct h2 *h2)
{
    nghttp2_mem memory = h2_memory_allocator(&h2->memory);
    const struct wire_settings *set = h2->c->wire->settings;
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int err = -1;

    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        h2_callbacks_set(callbacks);
        nghttp2_option_set_no_http_messaging(option, 1); /* http/h2_head.h has the rules, and names what breaks them */
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_max_continuations(option, set->h2_continuations);
        nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
        nghttp2_option_set_no_closed_streams(option, 1);
        err = nghttp2_session_server_new3(&h2->session, callbacks, h2, option, &memory);
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    return err == 0;
}

static bool settings_tell(struct h2 *h2)
{
    const struct wire_settings *set = h2->c->wire->settings;
    const nghttp2_settings_entry entries[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, set->h2_streams },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, set->h2_window_bytes },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, set->head.head_bytes },
        { NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1 },
        { NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
    };

    return nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries, sizeof entries / sizeof entries[0]) == 0 &&
           nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                 (int32_t)set->h2_connection_window_bytes) == 0;
}

void h2_drained(struct h2 *h2)
{
    if (!h2->goes || h2->last_told)
        return;
    h2->last_told = true;
    nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h2->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
}

/* The client learns that it must open no more streams; those that are on their way are still answered. RFC9113:6.8 */
static void h2_drain(struct conn *c)
{
    struct h2 *h2 = c->h2;

    if (h2->goes)
        return;
    h2->goes = true;
    h2->look_is_set = false;
    nghttp2_submit_shutdown_notice(h2->session);
    nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
    h2_yield(h2);
}

void h2_begin(struct conn *c)
{
    struct h2 *h2 = calloc(1, sizeof *h2);

    if (h2 == NULL) {
        conn_close(c);
        return;
    }
    h2->c = c;
    h2->due_end = &h2->due;
    hpack_init(&h2->pack);
    h2_memory_init(&h2->memory, &c->wire->store);
    c->h2 = h2;
    c->protocol = &h2_protocol;
    c->state = CONN_BUSY;
    if (!session_new(h2) || !settings_tell(h2)) {
        c->wire->accept_failures++;
        conn_close(c);
        return;
    }
    if (c->wire->draining || conn_is_extra(c))
        h2_drain(c);
    c->protocol->run(c);
}

void h2_release(struct conn *c)
{
    struct h2 *h2 = c->h2;

    if (h2 == NULL)
        return;
    c->h2 = NULL;
    if (!h2->memory.refused)
        nghttp2_session_del(h2->session);
    h2_memory_release(&h2->memory);
    if (h2->out != NULL)
        wire_buffer_return(c->wire, h2->out);
    free(h2->large);
    free(h2);
}

/* What has made nghttp2 give up without a word to the client. */
static enum reason reason_of_failure(long error)
{
    switch (error) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC:
        return R_h2_preface_invalid;
    case NGHTTP2_ERR_FLOODED:
        return R_h2_unread_flood;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        return R_h2_continuation_flood;
    case NGHTTP2_ERR_NOMEM:
        return R_worker_memory_exhausted;
    default:
        return R_h2_frame_invalid;
    }
}

static uint32_t error_of_failure(enum reason why)
{
    switch (why) {
    case R_h2_unread_flood:
    case R_h2_continuation_flood:
        return NGHTTP2_ENHANCE_YOUR_CALM;
    case R_worker_memory_exhausted:
        return NGHTTP2_INTERNAL_ERROR;
    default:
        return NGHTTP2_PROTOCOL_ERROR;
    }
}

static void feed(struct h2 *h2)
{
    struct conn *c = h2->c;
    ssize_t n;

    n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)c->buffer, c->have);
    c->have = 0;
    if (n < 0)
        h2_end(h2, reason_of_failure(n), error_of_failure(reason_of_failure(n)));
    for (; h2->refused > 0; h2->refused--)
        conn_refuse(c, R_h2_too_many_streams, (struct span){ 0 });
    h2_streams_run(h2);
}

/* Nothing of c is left to be done: streams have ended with what they ended with. */
static void close_for(struct h2 *h2, enum reason why)
{
    struct conn *c = h2->c;
    struct verdict ends = h2->ends;

    h2_streams_stop(h2, ends.why != R_NONE ? ends.why : why);
    if (ends.why != R_NONE)
        conn_refuse(c, ends.why, ends.operand);
    if (c->broken)
        conn_close(c);
    else
        conn_linger(c);
}

static bool is_idle(const struct h2 *h2)
{
    return h2->streams == NULL && !h2_output_waits(h2);
}

static uint32_t wait_ms(const struct h2 *h2)
{
    const struct wire_settings *set = h2->c->wire->settings;
    uint32_t least = set->head_wait_ms;

    if (h2->goes && !h2->last_told)
        return DRAIN_WAIT_MS;
    if (is_idle(h2) && h2->linger.count > 0)
        return set->linger_ms;
    if (is_idle(h2))
        return h2->c->is_new ? set->head_wait_ms : set->keep_alive_ms;
    least = set->content_wait_ms < least ? set->content_wait_ms : least;
    least = set->tunnel_idle_ms < least ? set->tunnel_idle_ms : least;
    least = set->send_wait_ms < least ? set->send_wait_ms : least;
    return least / CONN_LOOKS;
}

/* Neither frames nor further streams put off the next look: who sends them has still to let its streams go on. */
static void look_later(struct h2 *h2)
{
    bool idle = is_idle(h2);

    if (h2->look_is_set && h2->look_idle == idle)
        return;
    h2->look_is_set = true;
    h2->look_idle = idle;
    conn_timer(h2->c, wait_ms(h2));
}

/* Who does not take what we have to send is not asked for more. */
static bool takes_input(const struct h2 *h2)
{
    return h2->c->readable && !h2_output_waits(h2) && h2->ends.why == R_NONE;
}

/* False: c is gone. */
static bool input_take(struct h2 *h2)
{
    struct conn *c = h2->c;

    if (c->have > 0)
        feed(h2);
    for (unsigned reads = 0; takes_input(h2) && reads < READS_MOST; reads++) {
        long n;

        if (!conn_buffer(c)) {
            h2_end(h2, R_worker_memory_exhausted, NGHTTP2_INTERNAL_ERROR);
            break;
        }
        n = conn_read(c, c->wire->buffer_bytes);
        if (n == 0 || (n < 0 && n != -EAGAIN)) {
            close_for(h2, R_client_closed_request);
            return false;
        }
        if (n > 0)
            feed(h2);
    }
    conn_buffer_return(c);
    return true;
}

/* Has all been said that there is to say? */
static bool is_over(const struct h2 *h2)
{
    if (h2_output_waits(h2))
        return false;
    if (h2->ends.why != R_NONE)
        return true;
    return h2->streams == NULL && (h2->last_told || !nghttp2_session_want_read(h2->session));
}

/* What is sent ends exchanges, and what they end with is sent. False: the connection is broken. */
static bool output_give(struct h2 *h2)
{
    while (h2_send(h2)) {
        if (h2->due == NULL)
            return true;
        h2_streams_run(h2);
    }
    return false;
}

static void h2_run(struct conn *c)
{
    struct h2 *h2 = c->h2;

    if (c->broken) {
        close_for(h2, R_client_closed_request);
        return;
    }
    h2->running = true;
    if (!input_take(h2))
        return;
    if (!output_give(h2)) {
        c->broken = true;
        close_for(h2, R_client_closed_request);
        return;
    }
    h2->running = false;
    if (is_over(h2)) {
        close_for(h2, R_client_closed_request);
        return;
    }
    look_later(h2);
    if (takes_input(h2)) /* left for others to get their turn, or while output waited: nobody tells of it again */
        h2_yield(h2);
}

/* Is it the client that lets s stand? By the window of s, or that of the connection, which lets no other go on either. */
static bool is_held(const struct h2_stream *s)
{
    const struct h2 *h2 = s->h2;
    uint64_t stood_ms = h2->c->wire->loop->now_ms - h2->moved_ms;

    if (!s->reply_begun || s->reply_done || s->x->wait.what != NULL || h2_output_waits(h2))
        return false;
    return nghttp2_session_get_stream_remote_window_size(h2->session, s->id) <= 0 ||
           stood_ms >= h2->c->wire->settings->send_wait_ms;
}

/* Has s stood for too long? */
static void stream_look(struct h2_stream *s)
{
    const struct wire_settings *set = s->h2->c->wire->settings;
    uint64_t stood_ms = s->h2->c->wire->loop->now_ms - s->moved_ms;
    uint32_t content_ms = s->x->reply.tunnel ? set->tunnel_idle_ms : set->content_wait_ms;

    if (s->closed)
        return;
    if (!s->head_done) {
        if (stood_ms >= set->head_wait_ms)
            h2_end(s->h2, R_h2_head_timeout, NGHTTP2_PROTOCOL_ERROR);
    } else if (exchange_waits_for_codec(s->x)) {
        if (stood_ms >= content_ms && !(s->x->reply.tunnel && s->x->forwarding != NULL)) {
            verdict_set(&s->content.broken, R_request_content_timeout, s->content.taken);
            exchange_wake(s->x, s->x->wait.ticket);
        }
    } else if (stood_ms >= set->send_wait_ms && is_held(s)) {
        exchange_break(s->x, R_h2_window_stalled, s->error, HERE);
        h2_stream_reset(s, NGHTTP2_CANCEL);
    }
}

static void h2_timeout(struct conn *c)
{
    struct h2 *h2 = c->h2;

    h2->look_is_set = false;
    if (h2_output_waits(h2) && !c->writable && conn_is_stuck(c)) {
        c->broken = true;
        close_for(h2, R_response_send_timeout);
        return;
    }
    if (h2->goes || (is_idle(h2) && h2->linger.count == 0)) {
        h2->goes = true;
        h2_drained(h2);
    }
    for (struct h2_stream *s = h2->streams, *next; s != NULL; s = next) {
        next = s->next;
        stream_look(s);
    }
    h2_linger_look(h2);
    h2_run(c);
}

static void h2_stop(struct conn *c, enum reason why)
{
    close_for(c->h2, why);
}

static struct exchange *h2_next(const struct conn *c, const struct exchange *x)
{
    const struct h2_stream *s = x == NULL ? c->h2->streams : ((const struct h2_stream *)x->conn)->next;

    return s != NULL ? s->x : NULL;
}

const struct wire_protocol h2_protocol = {
    .run = h2_run, .timeout = h2_timeout, .drain = h2_drain, .stop = h2_stop, .next = h2_next
};
