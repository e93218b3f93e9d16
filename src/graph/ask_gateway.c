#include "graph/graph.h"

bool ask_loop_free(const struct exchange *x)
{
    return x->forwarding->returned <= x->forwarding->returns_most;
}

bool ask_forwards_left(const struct exchange *x)
{
    return !x->forwarding->forwards_used_up;
}

bool ask_last_hop_traces(const struct exchange *x)
{
    return x->req.head.method == M_TRACE;
}

static bool was_answered(const struct exchange *x)
{
    return forwarding_now(x->forwarding)->failed.why == R_NONE;
}

static bool did_nothing(const struct exchange *x)
{
    return forwarding_now(x->forwarding)->harmless;
}

static bool may_be_repeated(const struct exchange *x)
{
    return method_info(x->req.head.method)->idempotent;
}

static bool has_attempts(const struct exchange *x)
{
    const struct forwarding *f = x->forwarding;

    return f->another_left && f->count < f->attempts_most && x->now_ms < f->until_ms;
}

bool ask_answered(const struct exchange *x)
{
    return was_answered(x);
}

bool ask_nothing_processed(const struct exchange *x)
{
    return did_nothing(x);
}

bool ask_repeat_safe(const struct exchange *x)
{
    return may_be_repeated(x);
}

bool ask_content_replayable(const struct exchange *x)
{
    return !x->forwarding->content_gone;
}

bool ask_attempts_left(const struct exchange *x)
{
    return has_attempts(x);
}

bool ask_answered_again(const struct exchange *x)
{
    return was_answered(x);
}

bool ask_nothing_processed_again(const struct exchange *x)
{
    return did_nothing(x);
}

bool ask_repeat_safe_again(const struct exchange *x)
{
    return may_be_repeated(x);
}

bool ask_content_replayable_again(const struct exchange *x)
{
    return !x->forwarding->content_gone;
}

bool ask_attempts_left_again(const struct exchange *x)
{
    return has_attempts(x);
}

bool ask_answered_last(const struct exchange *x)
{
    return was_answered(x);
}

bool ask_protocol_taken_up(const struct exchange *x)
{
    return x->forwarding->switched;
}

/* A stream of HTTP/2 is opened to a protocol; a connection is switched to it. RFC8441:5 */
bool ask_on_stream(const struct exchange *x)
{
    return x->req.connect_protocol.n > 0;
}

bool ask_tunnel_made(const struct exchange *x)
{
    return x->forwarding->connected;
}

bool ask_content_changed(const struct exchange *x)
{
    return x->forwarding->transformed;
}
