#include "serve/running.h"

static size_t copy_cut(char *to, size_t room, struct span from)
{
    size_t n = from.n < room ? from.n : room;

    if (n > 0)
        memcpy(to, from.p, n);
    return n;
}

/* A target that is refused may hold secrets before any query. */
static void text_fill(struct running *r, const struct exchange *x, const struct secrets *secrets)
{
    const struct head *head = &x->req.head;
    struct span target = { head->target.p, span_find(head->target, '?') };
    bool cut;

    r->method_bytes = (uint16_t)copy_cut(r->method, sizeof r->method, head->method_name);
    r->target_bytes = (uint16_t)secrets_copy_uris(secrets, target, r->target, sizeof r->target, &cut);
}

/* Of the configuration that x began with; it has none yet while its head is read. */
static const struct secrets *secrets_of(const struct worker *w, const struct exchange *x)
{
    const struct snapshot *s = x->snapshot != NULL ? x->snapshot : w->snapshot;

    return &s->shared->config->admin.secrets;
}

static enum running_state state_of(const struct exchange *x)
{
    if (x->moments.head_ms == 0)
        return RUNNING_READS_HEAD;
    return x->moments.answered_ms > 0 ? RUNNING_SENDS : RUNNING_GRAPH;
}

static struct running running_of(const struct worker *w, const struct exchange *x)
{
    struct running r = { .begun_ms = x->moments.first_byte_ms, .bytes_in = x->bytes_in, .bytes_out = x->bytes_out };

    r.state = state_of(x);
    if (r.state != RUNNING_READS_HEAD)
        r.number = x->number;
    r.wait = x->wait.what;
    r.wait_ms = x->wait.what != NULL ? x->wait.since_ms : 0;
    r.node = x->trace.at;
    r.why = (uint16_t)x->verdict.why;
    text_fill(&r, x, secrets_of(w, x));
    r.peer_bytes = record_peer_copy(x->peer, r.peer);
    return r;
}

/* Where the one of those told is that has run for the shortest time. */
static uint32_t youngest(const struct running_list *l)
{
    uint32_t at = 0;

    for (uint32_t i = 1; i < l->count; i++)
        if (l->all[i].begun_ms > l->all[at].begun_ms)
            at = i;
    return at;
}

/* *at: where the youngest is, once the list is full. */
static void list_add(struct running_list *out, uint32_t *at, const struct worker *w, const struct exchange *x)
{
    out->total++;
    if (out->count < RUNNING_MOST) {
        out->all[out->count++] = running_of(w, x);
        *at = out->count == RUNNING_MOST ? youngest(out) : 0;
    } else if (x->moments.first_byte_ms < out->all[*at].begun_ms) {
        out->all[*at] = running_of(w, x);
        *at = youngest(out);
    }
}

void running_list_fill(const struct worker *w, struct running_list *out)
{
    uint32_t at = 0;

    out->count = out->total = 0;
    for (const struct conn *c = w->wire.conns; c != NULL; c = c->next) {
        const struct exchange *x = NULL;

        while (c->state != CONN_LINGER && (x = c->protocol->next(c, x)) != NULL)
            list_add(out, &at, w, x);
    }
}

static void answer_open(struct mail *m)
{
    struct running_request *r = (struct running_request *)m;

    r->done(r);
}

static void question_open(struct mail *m)
{
    struct running_request *r = (struct running_request *)m;
    struct worker *asker = r->asker;

    running_list_fill(r->asked, &r->list);
    m->open = answer_open;
    mail_send(&asker->mail, m);
}

void running_ask(struct running_request *r, struct worker *worker, struct worker *asker)
{
    r->asked = worker;
    r->asker = asker;
    r->mail.open = question_open;
    mail_send(&worker->mail, &r->mail);
}
