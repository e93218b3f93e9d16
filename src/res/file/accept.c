#include <stdlib.h>

#include "res/file/put.h"
#include "res/file/variant.h"

static enum flow stop(struct exchange *x, enum reason why, int error)
{
    return STOP_ABOUT(x, why, error, x->req.path);
}

static uint64_t tag_seed(const struct exchange *x)
{
    const struct media_types *types = file_worker(x)->types;
    struct span path = x->req.subpath;
    const char *slash = memrchr(path.p, '/', path.n);
    struct span name = slash != NULL ? span_from(path, (size_t)(slash - path.p) + 1) : path;
    struct span language = { 0 };

    if (file_settings(x)->variants)
        language = file_variant_language(types, name);
    return file_tag_seed(media_type_find(types, name)->value, language);
}

struct put_job {
    struct file_job base;
    struct file_put *put; /* owned until the answer is used */
};

static struct span path_of(const struct file_job *j)
{
    return (struct span){ j->entry->path, j->entry->path_bytes };
}

static void run_open(struct file_job *j)
{
    file_put_open(((struct put_job *)j)->put, path_of(j));
}

static void run_commit(struct file_job *j)
{
    file_put_commit(((struct put_job *)j)->put, path_of(j));
}

static void discard(struct file_job *j)
{
    file_put_release(&((struct put_job *)j)->put);
}

/* Takes *put over. */
static enum flow job_start(struct exchange *x, struct file_put **put, void (*run)(struct file_job *j), const char *what)
{
    struct put_job *j = calloc(1, sizeof *j);

    if (j == NULL) {
        file_put_release(put);
        return STOP(x, R_worker_memory_exhausted, 0);
    }
    j->base.run = run;
    j->base.discard = discard;
    j->put = *put;
    *put = NULL;
    return file_job_start(x, &j->base, file_state(x)->entry, what);
}

static enum flow put_start(struct exchange *x)
{
    struct file_put *p = file_put_new();

    if (p == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    p->why = file_change_init(&p->change, x, &p->error);
    if (p->why != R_NONE) {
        stop(x, p->why, p->error);
        file_put_release(&p);
        return FLOW_STOP;
    }
    p->declared_bytes = x->req.length_known ? x->req.length : 0;
    p->tag_max_bytes = file_worker(x)->settings.content_max_bytes;
    p->tag_seed = tag_seed(x);
    return job_start(x, &p, run_open, "create");
}

static enum flow fill(struct exchange *x, struct file_put *p)
{
    struct file_turn turn = { 0 };
    enum flow flow = FLOW_GO;
    enum reason why;

    while (flow == FLOW_GO) {
        struct span piece = { 0 };

        flow = x->codec->content(x, &piece);
        if (flow == FLOW_GO && piece.n == 0)
            return job_start(x, &file_state(x)->put, run_commit, "store");
        if (flow == FLOW_GO && (why = file_put_write(p, piece)) != R_NONE)
            flow = stop(x, why, p->error);
        if (flow == FLOW_GO && file_turn_is_over(&turn, piece))
            flow = file_turn_wait(x);
    }
    return flow;
}

static enum flow finish(struct exchange *x, const struct file_put *p)
{
    file_change_forget(x);
    x->facts.created = p->created;
    if (p->tag.bytes > 0)
        reply_add(x, SPAN("ETag"), arena_copy(&x->arena, file_tag_value(&p->tag)));
    return FLOW_GO;
}

/* The answer of a job: what it worked on is the exchange's again. */
static void take_back(struct exchange *x)
{
    struct file_state *s = file_state(x);
    struct put_job *j = (struct put_job *)s->job;

    s->put = j->put;
    j->put = NULL;
    file_job_release(&s->job);
}

enum flow file_accept(struct exchange *x)
{
    struct file_state *s = file_state(x);

    if (s->put == NULL && s->job == NULL)
        return put_start(x);
    if (s->job != NULL)
        take_back(x);
    if (s->put->why != R_NONE)
        return stop(x, s->put->why, s->put->error);
    return s->put->is_committed ? finish(x, s->put) : fill(x, s->put);
}

void file_accept_close(struct exchange *x)
{
    file_put_bury(&file_state(x)->put, file_worker(x)->helpers, file_worker(x)->mail);
}
