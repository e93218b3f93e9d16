#include "wire/h2_impl.h"

#define TINY_WINDOW_BYTES  256u /* a client that reads gives far more at once */
#define FIELD_BLOCK_FACTOR 4u   /* of the longest head: as much is decoded before the connection ends */

/* Callbacks tell of a stream many times in a row. */
static struct h2_stream *stream_of(struct h2 *h2, int32_t id)
{
    if (h2->recent == NULL || h2->recent->id != id)
        h2->recent = nghttp2_session_get_stream_user_data(h2->session, id);
    return h2->recent;
}

static uint64_t now(const struct h2 *h2)
{
    return h2->c->wire->loop->now_ms;
}

void h2_end(struct h2 *h2, enum reason why, uint32_t error)
{
    if (h2->ends.why != R_NONE)
        return;
    verdict_set(&h2->ends, why, error);
    nghttp2_session_terminate_session(h2->session, error);
}

static void count(struct h2 *h2, enum h2_cost cost)
{
    const struct wire_settings *set = h2->c->wire->settings;
    uint32_t most = cost == H2_COST_RESET ? set->h2_resets : set->h2_control_frames;
    enum reason why = h2_pace_count(&h2->pace, cost, now(h2), most);

    if (why != R_NONE)
        h2_end(h2, why, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* The message is malformed: a stream error, whatever became of its exchange. RFC9113:8.1.1 */
static void malformed(struct h2_stream *s, enum reason why)
{
    if (s->content.broken.why != R_NONE)
        return;
    verdict_set(&s->content.broken, why, 0);
    h2_stream_reset(s, NGHTTP2_PROTOCOL_ERROR);
}

/* What nghttp2 lets pass, and RFC 9113 does not. */
static int refuse_frame(struct h2 *h2, struct span operand)
{
    h2_end(h2, R_h2_frame_invalid, NGHTTP2_PROTOCOL_ERROR);
    h2->ends.operand = operand;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* May a stream of this number begin or go on? One that was passed over is closed, and never was anything else. All that
 * were cannot be remembered: those of the last time are. RFC9113:5.1.1 */
static bool number_fits(struct h2 *h2, int32_t id)
{
    if (id > h2->last_id) {
        if (id > h2->last_id + 2) {
            h2->passed_from = h2->last_id + 1;
            h2->passed_to = id - 1;
        }
        h2->last_id = id;
    }
    return id < h2->passed_from || id > h2->passed_to;
}

/* A head for a stream that is closed is decoded and ignored by nghttp2, which does not tell of it. */
static bool comes_late(struct h2 *h2, const nghttp2_frame_hd *head)
{
    return head->stream_id <= h2->last_id && stream_of(h2, head->stream_id) == NULL;
}

static int frame_begins(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
    struct h2 *h2 = user;

    (void)session;
    if (head->type == NGHTTP2_PRIORITY) {
        if (head->stream_id == 0)
            return refuse_frame(h2, SPAN("PRIORITY: stream_id == 0"));
        count(h2, H2_COST_PRIORITY);
    } else if (head->type == NGHTTP2_HEADERS && (head->stream_id & 1) != 0) {
        if (comes_late(h2, head))
            count(h2, H2_COST_EMPTY);
        if (!number_fits(h2, head->stream_id))
            return refuse_frame(h2, SPAN("HEADERS: stream_id below one before"));
    }
    return h2->ends.why != R_NONE ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    struct h2_stream *s;

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    s = h2_stream_open(h2, frame->hd.stream_id);
    if (s == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, s->id, s);
    h2->recent = s;
    return 0;
}

/* One line of the trailers, which are only looked at; they count as more of the head. */
static void trailer(struct h2_stream *s, struct span name, struct span value)
{
    enum reason why = h2_trailer_check(name, value);

    h2_head_count(&s->head, name, value);
    if (why != R_NONE)
        malformed(s, why);
}

static int header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_bytes,
                  const uint8_t *value, size_t value_bytes, uint8_t flags, void *user)
{
    struct h2 *h2 = user;
    struct h2_stream *s = stream_of(h2, frame->hd.stream_id);
    struct span name_text = { (const char *)name, name_bytes }, value_text = { (const char *)value, value_bytes };

    (void)session, (void)flags;
    if (s == NULL)
        return 0;
    if (s->head_done || s->is_due)
        trailer(s, name_text, value_text);
    else
        h2_head_add(&s->head, name_text, value_text);
    if (s->head.block_bytes / FIELD_BLOCK_FACTOR > h2->c->wire->settings->head.head_bytes)
        h2_end(h2, R_h2_field_block_bomb, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

void h2_length_check(struct h2_stream *s)
{
    const struct h2_content *content = &s->content;

    if (content->is_length_known &&
        (content->come > content->length || (content->ended && content->come < content->length)))
        malformed(s, R_h2_content_length_mismatch);
}

static void content_ended(struct h2_stream *s)
{
    s->content.ended = true;
    s->arrived = true;
    h2_length_check(s);
    h2_stream_due(s);
}

static int data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *user)
{
    struct h2 *h2 = user;
    struct h2_stream *s = stream_of(h2, id);

    (void)flags;
    if (s == NULL || s->reply_done || s->content.broken.why != R_NONE) {
        nghttp2_session_consume(session, id, n); /* nobody wants it */
        h2_linger_read(h2, n);
        return 0;
    }
    s->moved_ms = now(h2);
    if (!h2_content_add(h2->c->wire, &s->content, bytes, n)) {
        verdict_set(&s->content.broken, R_worker_memory_exhausted, 0);
        h2_stream_reset(s, NGHTTP2_INTERNAL_ERROR);
        return 0;
    }
    s->arrived = true;
    h2_length_check(s);
    h2_stream_due(s);
    return 0;
}

static void headers_came(struct h2 *h2, const nghttp2_frame *frame)
{
    struct h2_stream *s = stream_of(h2, frame->hd.stream_id);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (s == NULL)
        return;
    s->x->bytes_in += frame->hd.length + H2_FRAME_HEAD_BYTES;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST && !ends)
        malformed(s, R_h2_trailers_unfinished);
    else if (ends)
        content_ended(s);
    else
        h2_stream_due(s);
}

static void data_came(struct h2 *h2, const nghttp2_frame *frame)
{
    struct h2_stream *s = stream_of(h2, frame->hd.stream_id);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (frame->hd.length == frame->data.padlen && !ends)
        count(h2, H2_COST_EMPTY);
    if (s == NULL)
        return;
    s->x->bytes_in += frame->hd.length + H2_FRAME_HEAD_BYTES;
    if (ends)
        content_ended(s);
}

static void reset_came(struct h2 *h2, const nghttp2_frame *frame)
{
    struct h2_stream *s = stream_of(h2, frame->hd.stream_id);

    if (s != NULL)
        s->by_client = true;
    if (s != NULL ? !s->reply_done : !h2_linger_has(h2, frame->hd.stream_id))
        count(h2, H2_COST_RESET);
}

static int priority_came(struct h2 *h2, const nghttp2_frame *frame)
{
    const nghttp2_ext_priority_update *update = frame->ext.payload;

    count(h2, H2_COST_PRIORITY);
    if (update->stream_id == 0)
        return refuse_frame(h2, SPAN("PRIORITY_UPDATE: about stream 0")); /* RFC9218:7.1 */
    return 0;
}

static void settings_came(struct h2 *h2, const nghttp2_settings *settings)
{
    if ((settings->hd.flags & NGHTTP2_FLAG_ACK) == 0)
        count(h2, H2_COST_SETTINGS);
    for (size_t i = 0; i < settings->niv; i++)
        if (settings->iv[i].settings_id == NGHTTP2_SETTINGS_HEADER_TABLE_SIZE)
            hpack_limit(&h2->pack, settings->iv[i].value);
}

static int frame_came(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        headers_came(h2, frame);
        break;
    case NGHTTP2_DATA:
        data_came(h2, frame);
        break;
    case NGHTTP2_RST_STREAM:
        reset_came(h2, frame);
        break;
    case NGHTTP2_SETTINGS:
        settings_came(h2, &frame->settings);
        break;
    case NGHTTP2_PING:
        if (!is_ack)
            count(h2, H2_COST_PING);
        else
            h2_drained(h2);
        break;
    case NGHTTP2_WINDOW_UPDATE:
        if (frame->window_update.window_size_increment < (int32_t)TINY_WINDOW_BYTES)
            count(h2, H2_COST_WINDOW);
        break;
    case NGHTTP2_PRIORITY_UPDATE:
        return priority_came(h2, frame);
    default:
        break;
    }
    return 0;
}

/* A stream beyond the limit: the connection ends, or, while the client may not know the limit, the stream is refused.
 * RFC9113:5.1.2 */
static int invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
    struct h2 *h2 = user;
    uint32_t most = h2->c->wire->settings->h2_streams;

    (void)session;
    if (frame->hd.type != NGHTTP2_HEADERS || h2->stream_count < most)
        return 0;
    if (error == NGHTTP2_ERR_PROTO)
        h2->over_streams = true;
    if (error == NGHTTP2_ERR_REFUSED_STREAM) {
        h2->refused++;
        count(h2, H2_COST_RESET);
    }
    return 0;
}

/* nghttp2 is about to end the connection with this as any other error. RFC9113:3.4 */
static int complaint(nghttp2_session *session, int error, const char *text, size_t n, void *user)
{
    struct h2 *h2 = user;

    (void)session, (void)text, (void)n;
    if (error == NGHTTP2_ERR_SETTINGS_EXPECTED && h2->ends.why == R_NONE)
        verdict_set(&h2->ends, R_h2_preface_invalid, NGHTTP2_PROTOCOL_ERROR);
    return 0;
}

static int stream_closed(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct h2 *h2 = user;
    struct h2_stream *s = stream_of(h2, id);

    (void)session;
    if (s == NULL)
        return 0;
    h2->recent = NULL;
    s->closed = true;
    s->error = error;
    h2_stream_due(s);
    return 0;
}

enum reason h2_reason_of(uint32_t error)
{
    switch (error) {
    case NGHTTP2_FLOW_CONTROL_ERROR:
        return R_h2_flow_control_violated;
    case NGHTTP2_STREAM_CLOSED:
        return R_h2_stream_closed;
    case NGHTTP2_FRAME_SIZE_ERROR:
        return R_h2_frame_size_wrong;
    case NGHTTP2_PROTOCOL_ERROR:
        return R_h2_frame_invalid;
    default:
        return R_NONE;
    }
}

static enum reason reason_of_error(const struct h2 *h2, uint32_t error)
{
    enum reason why = h2_reason_of(error);

    if (h2->over_streams)
        return R_h2_too_many_streams;
    if (error == NGHTTP2_COMPRESSION_ERROR)
        return R_h2_field_block_broken;
    if (error == NGHTTP2_INTERNAL_ERROR)
        return R_worker_memory_exhausted;
    if (error == NGHTTP2_ENHANCE_YOUR_CALM) /* more values in one frame than nghttp2 takes */
        return R_h2_settings_flood;
    return why != R_NONE ? why : R_h2_frame_invalid;
}

/* nghttp2 ends the connection for a rule that the client broke, and says which in the frame. */
static void goaway_went(struct h2 *h2, const nghttp2_goaway *frame)
{
    size_t n = frame->opaque_data_len < sizeof h2->ends_text ? frame->opaque_data_len : sizeof h2->ends_text;

    if (frame->error_code == NGHTTP2_NO_ERROR)
        return;
    if (h2->ends.why == R_NONE)
        verdict_set(&h2->ends, reason_of_error(h2, frame->error_code), frame->error_code);
    if (n == 0)
        return;
    memcpy(h2->ends_text, frame->opaque_data, n);
    h2->ends.operand = (struct span){ h2->ends_text, n };
}

/* The response has left; whatever else the client wants to send is not needed (RFC9113:8.1), but in some tunnels. */
static void response_went(struct h2_stream *s)
{
    const struct body *body = s->x->reply.body;

    s->hears = s->x->reply.tunnel && body != NULL && body->ops->hear != NULL;
    s->reply_done = !s->hears;
    s->lingers = !s->hears && !s->content.ended;
    if (s->hears || s->lingers)
        h2_stream_due(s);
}

/* A client that makes us reset its streams resets them. RFC9113:10.5 */
static void reset_went(struct h2 *h2, uint32_t error)
{
    if (error == NGHTTP2_PROTOCOL_ERROR || error == NGHTTP2_FLOW_CONTROL_ERROR || error == NGHTTP2_STREAM_CLOSED)
        count(h2, H2_COST_RESET);
}

static int frame_went(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    struct h2_stream *s;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        goaway_went(h2, &frame->goaway);
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        reset_went(h2, frame->rst_stream.error_code);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    s = stream_of(h2, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        h2->heads_of = s;
    else
        s->x->bytes_out += frame->hd.length + H2_FRAME_HEAD_BYTES;
    s->moved_ms = now(h2);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        response_went(s);
    return 0;
}

void h2_callbacks_set(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, frame_begins);
    nghttp2_session_callbacks_set_error_callback2(callbacks, complaint);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frame_came);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frame_went);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_body_frame);
}
