/* The listing of a collection: read and written out by a helper, nothing of it is kept. */
#include <errno.h>
#include <stdlib.h>

#include "res/file/lookup_impl.h"
#include "res/file/members.h"

struct list_job {
    struct file_job base;
    struct file_kept kept;
    const struct file_words *words;
    struct span path, uri_path; /* below the root; as the client named it; both in `copy` */
    char *copy;
    bool as_json, hidden;
    struct file_text page; /* after the run */
    int error;             /* errno */
};

static int page_write(struct list_job *j)
{
    struct file_members m = { 0 };
    struct file_place at;
    int err = file_place_init(&at, j->path);

    if (err == 0)
        err = file_members_read(&m, j->kept.settings.root_fd, at.text, j->hidden);
    if (err == 0 && j->as_json)
        file_members_json(&m, j->uri_path, &j->page);
    else if (err == 0)
        file_members_html(&m, j->uri_path, j->words, &j->page);
    file_members_fini(&m);
    return j->page.failed ? -ENOMEM : err;
}

static void list_run(struct file_job *job)
{
    struct list_job *j = (struct list_job *)job;

    j->error = -page_write(j);
}

static void list_discard(struct file_job *job)
{
    struct list_job *j = (struct list_job *)job;

    free(j->copy);
    free(j->page.bytes);
    file_settings_drop(&j->kept);
}

static bool paths_copy(struct list_job *j, struct span path, struct span uri_path)
{
    j->copy = malloc(path.n + uri_path.n + 1);
    if (j->copy == NULL)
        return false;
    memcpy(j->copy, path.p, path.n);
    memcpy(j->copy + path.n, uri_path.p, uri_path.n);
    j->path = (struct span){ j->copy, path.n };
    j->uri_path = (struct span){ j->copy + path.n, uri_path.n };
    return true;
}

static enum reason reason_of(int error)
{
    enum reason why = file_lookup_reason(error);

    return why == R_acl_denied || why == R_worker_memory_exhausted || why == R_descriptors_exhausted
               ? why
               : R_file_system_error;
}

static enum flow list_start(struct exchange *x)
{
    struct list_job *j = calloc(1, sizeof *j);
    int err = j != NULL && paths_copy(j, x->req.subpath, x->req.path) ? 0 : -ENOMEM;

    if (err == 0)
        err = file_settings_keep(&j->kept, file_settings(x));
    if (err != 0) {
        if (j != NULL)
            free(j->copy);
        free(j);
        return STOP_ABOUT(x, reason_of(-err), -err, x->req.path);
    }
    j->words = file_words_for(request_field(x, FIELD_ACCEPT_LANGUAGE));
    j->as_json = file_words_json(request_field(x, FIELD_ACCEPT));
    j->hidden = x->policy->hidden_served;
    j->base.run = list_run;
    j->base.discard = list_discard;
    return file_job_start(x, &j->base, NULL, "list");
}

/* The page is the job's; it is released in close(). */
static enum flow list_use(struct exchange *x)
{
    const struct list_job *j = (const struct list_job *)file_state(x)->job;
    struct file_state *s = file_state(x);

    if (j->error != 0)
        return STOP_ABOUT(x, reason_of(j->error), j->error, x->req.path);
    reply_add(x, SPAN("Content-Type"), j->as_json ? SPAN("application/json") : SPAN("text/html; charset=utf-8"));
    if (!j->as_json)
        reply_add(x, SPAN("Content-Language"), j->words->language);
    reply_add(x, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    reply_add(x, SPAN("Vary"), SPAN("Accept, Accept-Language"));
    s->piece = piece_of((struct span){ j->page.bytes, j->page.n });
    pieces_body_init(&s->body, &s->piece, 1);
    x->reply.body = &s->body.body;
    return FLOW_GO;
}

enum flow file_list(struct exchange *x)
{
    return file_state(x)->job != NULL ? list_use(x) : list_start(x);
}
