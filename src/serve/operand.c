#include "serve/operand.h"

#include "serve/worker.h"

#define NAME_BYTES 200u /* of a field's name before its limit */

enum about {
    ABOUT_NOTHING,
    ABOUT_LIMIT,
    ABOUT_PATH,
    ABOUT_METHOD,
    ABOUT_HOST,
    ABOUT_FIELD,
    ABOUT_ACCEPT,
    ABOUT_TLS,     /* the version that was agreed on */
    ABOUT_SUBJECT, /* of the client's certificate */
    ABOUT_CONNECT, /* the protocol asked for */
    ABOUT_OTHER    /* the host asked for, and the one that the connection was made for */
};

struct topic {
    enum about about;
    const char *field;
};

#define FIELD_NAMED(name)   \
    {                       \
        ABOUT_FIELD, (name) \
    }

static const struct topic topics[R_COUNT] = {
    [R_uri_too_long] = { .about = ABOUT_LIMIT },
    [R_query_too_long] = { .about = ABOUT_LIMIT },
    [R_too_many_url_segments] = { .about = ABOUT_LIMIT },
    [R_header_field_too_large] = { .about = ABOUT_LIMIT },
    [R_header_fields_too_large] = { .about = ABOUT_LIMIT },
    [R_too_many_header_fields] = { .about = ABOUT_LIMIT },
    [R_content_too_large] = { .about = ABOUT_LIMIT },
    [R_content_streamed_too_large] = { .about = ABOUT_LIMIT },
    [R_request_timeout] = { .about = ABOUT_LIMIT },
    [R_request_content_timeout] = { .about = ABOUT_LIMIT },
    [R_too_many_connections_total] = { .about = ABOUT_LIMIT },
    [R_connection_limit_per_client] = { .about = ABOUT_LIMIT },
    [R_exchange_memory_exhausted] = { .about = ABOUT_LIMIT },
    [R_not_found] = { .about = ABOUT_PATH },
    [R_route_not_found] = { .about = ABOUT_PATH },
    [R_gone] = { .about = ABOUT_PATH },
    [R_hidden_segment] = { .about = ABOUT_PATH },
    [R_listing_denied] = { .about = ABOUT_PATH },
    [R_delete_on_collection] = { .about = ABOUT_PATH },
    [R_dav_put_on_collection] = { .about = ABOUT_PATH },
    [R_dav_parent_missing] = { .about = ABOUT_PATH },
    [R_conflict_state] = { .about = ABOUT_PATH },
    [R_method_unknown] = { .about = ABOUT_METHOD },
    [R_method_not_allowed] = { .about = ABOUT_METHOD },
    [R_site_not_found] = { .about = ABOUT_HOST },
    [R_misdirected] = { .about = ABOUT_OTHER },
    [R_tls_too_weak] = { .about = ABOUT_TLS },
    [R_client_cert_invalid] = { .about = ABOUT_SUBJECT },
    [R_client_cert_expired] = { .about = ABOUT_SUBJECT },
    [R_client_cert_revoked] = { .about = ABOUT_SUBJECT },
    [R_client_cert_mapping_denied] = { .about = ABOUT_SUBJECT },
    [R_too_early] = { .about = ABOUT_METHOD },
    [R_connect_protocol_unknown] = { .about = ABOUT_CONNECT },
    [R_websocket_version_unsupported] = FIELD_NAMED("Sec-WebSocket-Version"),
    [R_h2_too_many_streams] = { .about = ABOUT_LIMIT },
    [R_h2_head_timeout] = { .about = ABOUT_LIMIT },
    [R_tls_handshake_timeout] = { .about = ABOUT_LIMIT },
    [R_h2_rapid_reset] = { .about = ABOUT_LIMIT },
    [R_h2_settings_flood] = { .about = ABOUT_LIMIT },
    [R_h2_ping_flood] = { .about = ABOUT_LIMIT },
    [R_h2_empty_frame_flood] = { .about = ABOUT_LIMIT },
    [R_h2_window_flood] = { .about = ABOUT_LIMIT },
    [R_h2_priority_flood] = { .about = ABOUT_LIMIT },
    [R_h2_continuation_flood] = { .about = ABOUT_LIMIT },
    [R_h2_field_block_bomb] = { .about = ABOUT_LIMIT },
    [R_if_match_failed] = FIELD_NAMED("If-Match"),
    [R_if_none_match_failed] = FIELD_NAMED("If-None-Match"),
    [R_if_unmodified_since_failed] = FIELD_NAMED("If-Unmodified-Since"),
    [R_precondition_required] = FIELD_NAMED("If-Match"),
    [R_expectation_failed] = FIELD_NAMED("Expect"),
    [R_length_required] = FIELD_NAMED("Content-Length"),
    [R_content_coding_unknown] = FIELD_NAMED("Content-Encoding"),
    [R_put_range_unsupported] = FIELD_NAMED("Content-Range"),
    [R_range_not_satisfiable] = FIELD_NAMED("Range"),
    [R_not_acceptable] = { .about = ABOUT_ACCEPT },
    [R_coding_not_acceptable] = FIELD_NAMED("Accept-Encoding"),
};

struct limit {
    uint64_t number;
    const char *unit;
};

/* A time as short as it can be told. */
static struct limit time_limit(uint64_t ms)
{
    return ms % 1000 == 0 ? (struct limit){ ms / 1000, "s" } : (struct limit){ ms, "ms" };
}

/* What a route limits. A target may also be too long for any route: then the head could not be read. */
static struct limit route_limit(const struct exchange *x)
{
    switch (x->verdict.why) {
    case R_uri_too_long:
        return (struct limit){ x->policy->path_limit_bytes, "bytes" };
    case R_query_too_long:
        return (struct limit){ x->policy->query_limit_bytes, "bytes" };
    case R_too_many_url_segments:
        return (struct limit){ x->policy->segments_limit, "segments" };
    default:
        return (struct limit){ x->policy->content_limit_bytes, "bytes" };
    }
}

static struct limit limit_of(const struct exchange *x)
{
    const struct worker *w = x->worker;
    const struct wire_settings *wire = &w->wire_settings;

    switch (x->verdict.why) {
    case R_header_field_too_large:
        return (struct limit){ wire->head.field_bytes, "bytes" };
    case R_header_fields_too_large:
    case R_h2_field_block_bomb:
        return (struct limit){ wire->head.head_bytes, "bytes" };
    case R_too_many_header_fields:
        return (struct limit){ wire->head.fields, "fields" };
    case R_request_timeout:
    case R_h2_head_timeout:
    case R_tls_handshake_timeout:
        return time_limit(wire->head_wait_ms);
    case R_h2_too_many_streams:
        return (struct limit){ wire->h2_streams, "streams" };
    case R_h2_rapid_reset:
        return (struct limit){ wire->h2_resets, "in 10 s" };
    case R_h2_settings_flood:
    case R_h2_ping_flood:
    case R_h2_empty_frame_flood:
    case R_h2_window_flood:
    case R_h2_priority_flood:
        return (struct limit){ wire->h2_control_frames, "in 10 s" };
    case R_h2_continuation_flood:
        return (struct limit){ wire->h2_continuations, "frames" };
    case R_request_content_timeout:
        return time_limit(wire->content_wait_ms);
    case R_too_many_connections_total:
        return (struct limit){ w->shared->connections_limit, "connections" };
    case R_connection_limit_per_client:
        return (struct limit){ w->shared->per_client_limit, "connections" };
    case R_exchange_memory_exhausted:
        return (struct limit){ x->arena.limit, "bytes" };
    default:
        if (x->head_verdict.why != R_NONE)
            return (struct limit){ wire->head.target_bytes, "bytes" };
        return route_limit(x);
    }
}

/* The limit, and before it which field passed it: one that is too large alone has a name worth telling. */
static struct span limit_text(struct exchange *x)
{
    struct limit limit = limit_of(x);
    struct span name = x->verdict.operand;

    if (name.n == 0)
        return arena_print(&x->arena, "%ju %s", (uintmax_t)limit.number, limit.unit);
    if (name.n > NAME_BYTES)
        name.n = NAME_BYTES;
    return arena_print(&x->arena, "%.*s: %ju %s", (int)name.n, name.p, (uintmax_t)limit.number, limit.unit);
}

/* The field that chose among variants; the type, unless the language alone was wished for. */
static struct span accept_name(const struct exchange *x)
{
    bool language_alone = request_has(x, FIELD_ACCEPT_LANGUAGE) && !request_has(x, FIELD_ACCEPT);

    return language_alone ? SPAN("Accept-Language") : SPAN("Accept");
}

static struct span host_text(struct exchange *x)
{
    struct span host = x->req.host.name, made_for = x->transport->server_name;

    if (made_for.n == 0 || host.n > NAME_BYTES)
        return host;
    return arena_print(&x->arena, "%.*s, on a connection for %.*s", (int)host.n, host.p, (int)made_for.n, made_for.p);
}

void operand_fill(struct exchange *x)
{
    struct topic topic = topics[x->verdict.why];
    struct span text = { 0 };

    if (x->verdict.operand.n > 0 && x->head_verdict.why != R_header_field_too_large)
        return;
    switch (topic.about) {
    case ABOUT_LIMIT:
        text = limit_text(x);
        break;
    case ABOUT_PATH:
        text = x->req.path;
        break;
    case ABOUT_METHOD:
        text = x->req.head.method_name;
        break;
    case ABOUT_HOST:
        text = x->req.host.name;
        break;
    case ABOUT_FIELD:
        text = span_of(topic.field);
        break;
    case ABOUT_ACCEPT:
        text = accept_name(x);
        break;
    case ABOUT_TLS:
        text = x->transport->tls_name;
        break;
    case ABOUT_SUBJECT:
        text = x->transport->client_subject;
        break;
    case ABOUT_CONNECT:
        text = x->req.connect_protocol;
        break;
    case ABOUT_OTHER:
        text = host_text(x);
        break;
    case ABOUT_NOTHING:
        break;
    }
    if (text.n > 0)
        x->verdict.operand = text;
}
