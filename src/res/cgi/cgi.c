#include "res/cgi/cgi.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "exchange/cgi_message.h"
#include "exchange/wait.h"
#include "reason/status.h"
#include "res/cgi/cgi_impl.h"

#define END_MS 200u /* between the end of a program's output and its own */

/* --- The worker --- */

struct cgi_worker *cgi_worker_new(struct loop *loop, struct wheel *wheel)
{
    struct cgi_worker *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    cgi_processes_init(&w->processes, loop, wheel);
    w->processes.freed = cgi_queue_go_on;
    link_init(&w->waiting);
    return w;
}

void cgi_worker_release(struct cgi_worker **w)
{
    if (*w == NULL)
        return;
    cgi_processes_fini(&(*w)->processes);
    free(*w);
    *w = NULL;
}

/* --- What the graph asks --- */

enum flow cgi_fail(struct cgi *g, enum reason why, uint32_t at, struct span operand, const char *where)
{
    struct attempt *now = forwarding_now(&g->forwarding);

    verdict_set_at(&now->failed, why, at, operand, where);
    now->harmless = g->process == NULL;
    if (g->process != NULL)
        cgi_process_leave(g->process, 0);
    g->process = NULL;
    g->phase = PHASE_IDLE;
    return FLOW_GO;
}

static enum flow cgi_open(struct exchange *x)
{
    struct cgi *g = cgi_of(x);
    struct verdict v = { 0 };

    g->x = x;
    g->settings = x->res_settings;
    if (cgi_find(g->settings, x->req.subpath, &x->arena, &g->program, &v) != R_NONE)
        return exchange_stop(x, v.why, v.at, x->req.path, v.where);
    g->found = true;
    if (!cgi_identity_find(g))
        return STOP_ABOUT(x, R_cgi_identity_denied, 0, span_of(g->settings->user));
    g->forwarding.group = g->program.path;
    g->forwarding.attempts_most = 1;
    g->forwarding.until_ms = UINT64_MAX;
    x->forwarding = &g->forwarding;
    x->facts.exists = true;
    return FLOW_GO;
}

static void attempt_begin(struct cgi *g)
{
    struct forwarding *f = &g->forwarding;

    if (f->count > 0)
        return;
    f->count = 1;
    f->attempts[0] = (struct attempt){ .upstream = g->program.path, .begun_ms = g->x->now_ms };
}

static struct span end_of(struct cgi *g)
{
    bool signalled;
    int code;

    if (!cgi_process_ended(g->process, &signalled, &code))
        return (struct span){ 0 };
    return arena_print(&g->x->arena, signalled ? "signal %d" : "exit status %d", code);
}

/* The output ended before the program did, as a rule, by less than a moment. Who goes on without is not waited for. */
static enum flow ends_early(struct cgi *g, enum cgi_step sending, bool is_late)
{
    struct span end = end_of(g);

    if (end.n > 0 || is_late)
        return cgi_fail(g, R_cgi_premature_exit, g->head_have, end.n > 0 ? end : SPAN("still running"), HERE);
    g->ends = true;
    return cgi_wait(g, sending, END_MS, "program end");
}

/* FLOW_WAIT: the head is not here yet, but nothing else is wrong. */
static enum flow head_take(struct cgi *g, enum cgi_step sending, bool is_late)
{
    const struct h1_limits *limits = &g->settings->head;
    struct verdict v = { 0 };

    for (;;) {
        long n = cgi_process_read(g->process, g->head_text + g->head_have, limits->head_bytes - g->head_have);
        enum reason why;

        if (n == -EAGAIN)
            return FLOW_WAIT;
        if (n <= 0)
            return ends_early(g, sending, is_late);
        g->head_have += (uint32_t)n;
        why = cgi_parse_head((struct span){ g->head_text, g->head_have }, limits, &g->head, &v);
        if (why == R_NONE)
            break;
        if (why != R_MORE)
            return cgi_fail(g, why, v.at, v.operand, v.where);
    }
    g->rest = span_from((struct span){ g->head_text, g->head_have }, g->head.lines.bytes);
    g->phase = PHASE_ANSWERED;
    forwarding_now(&g->forwarding)->head_ms = g->x->now_ms;
    return FLOW_GO;
}

static enum flow run(struct cgi *g)
{
    bool is_late = cgi_process_is_late(g->process);
    enum cgi_step sending = cgi_send(g);
    enum flow f;

    if (sending == STEP_STOP)
        return FLOW_STOP;
    f = head_take(g, sending, is_late && g->ends);
    if (f == FLOW_GO) {
        exchange_cancel(g->x); /* the codec may have parked x for the client's content */
        return FLOW_GO;
    }
    if (g->ends)
        return f;
    if (is_late && sending != STEP_CLIENT)
        return FAIL(g, R_cgi_timeout, 0);
    return cgi_wait(g, sending, sending == STEP_CLIENT ? 0 : g->settings->read_ms, "program");
}

static bool room_take(struct cgi *g)
{
    const struct h1_limits *limits = &g->settings->head;
    struct field *fields;

    if (g->head_text != NULL)
        return true;
    fields = arena_take(&g->x->arena, limits->fields * sizeof *fields);
    g->head_text = arena_take(&g->x->arena, limits->head_bytes);
    if (fields == NULL || g->head_text == NULL)
        return false;
    cgi_head_init(&g->head, fields);
    return true;
}

static enum flow cgi_attempt(struct exchange *x)
{
    struct cgi *g = cgi_of(x);
    enum flow f;

    attempt_begin(g);
    if (!room_take(g)) {
        if (g->phase == PHASE_GRANTED)
            cgi_slot_free(&((struct cgi_worker *)x->res_worker)->processes);
        g->phase = PHASE_IDLE;
        return STOP(x, R_exchange_memory_exhausted, 0);
    }
    if (g->phase < PHASE_RUNNING) {
        f = cgi_queue(g);
        if (f != FLOW_GO || g->phase != PHASE_GRANTED)
            return f;
        f = cgi_begin(g);
        if (f != FLOW_GO || g->phase != PHASE_RUNNING)
            return f;
    }
    return run(g);
}

static enum flow cgi_relay(struct exchange *x)
{
    struct cgi *g = cgi_of(x);

    g->body = (struct body){ .ops = &cgi_body, .length = cgi_reply_length(&g->head) };
    g->done = g->body.length == 0;
    if (!g->done)
        x->reply.body = &g->body;
    cgi_reply_fill(x, &g->head);
    return FLOW_GO;
}

/* Clients do not learn which file the program is. */
static void cgi_describe(struct exchange *x, enum reason why)
{
    cgi_status_explain(x, why, (struct span){ 0 });
}

/* Of an answer without content nobody reads any. RFC9110:9.3.2 */
static bool is_whole(const struct cgi *g)
{
    const struct exchange *x = g->x;

    if (g->phase != PHASE_ANSWERED)
        return false;
    return g->done || (g->body.length >= 0 && g->given == (uint64_t)g->body.length) ||
           (x->broken.why == R_NONE &&
            (x->req.head.method == M_HEAD || !status_may_have_content(x->reply.relayed.status)));
}

static void cgi_close(struct exchange *x)
{
    struct cgi *g = cgi_of(x);

    if (g->x == NULL)
        return;
    cgi_queue_leave(g);
    if (g->phase == PHASE_GRANTED)
        cgi_slot_free(&((struct cgi_worker *)x->res_worker)->processes);
    if (g->process != NULL)
        cgi_process_leave(g->process, is_whole(g) ? g->settings->read_ms : 0);
    g->process = NULL;
    if (g->found)
        close(g->program.folder_fd);
    free(g->buffer);
    g->buffer = NULL;
}

const struct resource_ops cgi_resource = {
    .name = "cgi",
    .methods = UINT64_MAX & ~(UINT64_C(1) << M_UNKNOWN | UINT64_C(1) << M_CONNECT),
    .state_bytes = sizeof(struct cgi),
    .open = cgi_open,
    .attempt = cgi_attempt,
    .relay = cgi_relay,
    .describe = cgi_describe,
    .close = cgi_close,
};
