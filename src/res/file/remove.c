#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "res/file/name.h"
#include "res/file/quota.h"
#include "res/file/tombstone.h"

/* DELETE, a job for a helper. */
struct removal {
    struct file_job base; /* base.entry: what was there when the graph looked */
    struct file_change change;

    /* After the run. */
    enum reason why;
    int error;
};

static void fail(struct removal *r, enum reason why, int error)
{
    r->why = why;
    r->error = error;
}

/* Somebody was faster. Without a condition that is as good as doing it (RFC9110:9.3.5). */
static void vanished(struct removal *r)
{
    if (r->change.guard != GUARD_NONE)
        fail(r, R_write_conflict_stale_version, ENOENT);
}

static void failed(struct removal *r, int error)
{
    if (error == ENOENT || error == ENOTDIR)
        vanished(r);
    else if (error == EISDIR)
        fail(r, R_delete_on_collection, error);
    else
        fail(r, file_change_reason(error), error);
}

/* That the tombstone cannot be made changes nothing about the removal: not-found is true as well (RFC9110:15.5.11). */
static void removed(struct removal *r, const struct file_name *n)
{
    if (S_ISREG(n->st.st_mode))
        file_quota_add(r->change.root, -(int64_t)n->st.st_size);
    if (r->change.tombstones && file_tombstone_add(r->change.root->fd, (struct span){ n->at.text, n->at.n }) != 0)
        check_count(HERE);
    file_name_changed(&r->change);
}

static void remove_name(struct removal *r, struct file_name *n)
{
    int err = 0;

    if (!n->is_there) {
        vanished(r);
        return;
    }
    if (unlinkat(n->directory_fd, n->text, 0) != 0) {
        failed(r, errno);
        return;
    }
    removed(r, n);
    file_name_unlock(n);
    err = file_name_sync(n, &r->change);
    if (err != 0)
        failed(r, -err);
}

static void run(struct file_job *j)
{
    struct removal *r = (struct removal *)j;
    struct file_name n;
    int err = file_name_open(&n, &r->change, (struct span){ j->entry->path, j->entry->path_bytes });

    if (err != 0) {
        failed(r, -err);
        return;
    }
    r->why = file_name_lock(&n, &r->change, &r->error);
    if (r->why == R_NONE)
        remove_name(r, &n);
    file_name_fini(&n);
}

static void discard(struct file_job *j)
{
    (void)j;
}

static enum flow removal_start(struct exchange *x)
{
    struct removal *r = calloc(1, sizeof *r);

    if (r == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    r->base.run = run;
    r->base.discard = discard;
    r->why = file_change_init(&r->change, x, &r->error);
    if (r->why == R_NONE)
        return file_job_start(x, &r->base, file_state(x)->entry, "remove");
    STOP_ABOUT(x, r->why, r->error, x->req.path);
    free(r);
    return FLOW_STOP;
}

enum flow file_remove(struct exchange *x)
{
    struct file_job *j = file_state(x)->job;
    const struct removal *r = (const struct removal *)j;
    enum flow flow = FLOW_GO;

    if (j == NULL)
        return removal_start(x);
    file_change_forget(x);
    if (r->why != R_NONE)
        flow = STOP_ABOUT(x, r->why, r->error, x->req.path);
    file_job_release(&file_state(x)->job);
    return flow;
}
