#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "res/file/cache.h"
#include "res/file/directory.h"
#include "res/file/lookup.h"
#include "res/file/lookup_impl.h"
#include "res/file/walk.h"

static enum file_kind kind_of(const struct exchange *x)
{
    return file_is_read(x) ? FILE_READ : FILE_EXACT;
}

static bool content_is_unchanged(const struct file_content *c)
{
    struct file_stamp stamp;
    struct stat st;

    if (c->fd < 0)
        return true;
    if (fstat(c->fd, &st) != 0)
        return false;
    stamp = file_stamp_of(&st);
    return memcmp(&stamp, &c->stamp, sizeof stamp) == 0;
}

/* Bytes behind a descriptor are those of now: written over in place, they would go out under the tag of then. */
static bool is_unchanged(const struct file_entry *e)
{
    for (uint32_t i = 0; i < e->variant_count; i++)
        for (enum coding coding = 0; coding < CODINGS; coding++)
            if (!content_is_unchanged(&e->variants[i].files[coding]))
                return false;
    return true;
}

static bool is_believed(const struct file_worker *fw, const struct file_entry *e, uint64_t now_ms)
{
    return e->settled && now_ms - e->looked_ms < fw->settings.recheck_ms && e->changes == file_changes(fw) &&
           (!e->from_disk || is_unchanged(e));
}

/* The exchange is answered from `e`. */
static enum flow use_entry(struct exchange *x, struct file_entry *e)
{
    struct facts *f = &x->facts;

    file_entry_take(e);
    file_state(x)->entry = e;
    f->exists = e->exists;
    f->is_collection = e->is_collection;
    f->has_index = e->has_index;
    f->parent_exists = e->parent_exists;
    f->was_removed = e->was_removed;
    f->negotiates = e->negotiates;
    if (e->variant_count > 0)
        file_state(x)->variant = e->variants;
    return FLOW_GO;
}

/* What is behind a descriptor, all that hold it compare at each request; of the rest they have to be told. */
static bool is_to_be_told(const struct file_lookup *l)
{
    const struct file_entry *before = l->base.entry;

    return l->is_news && (before == NULL || !before->from_disk || is_unchanged(before));
}

/* All workers look again. What has been found just now stays believed, unless something else has changed meanwhile. */
static void tell(const struct file_worker *fw, struct file_entry *found)
{
    uint64_t before = atomic_fetch_add_explicit(&fw->shared->changes, 1, memory_order_acq_rel);

    if (found != NULL && found->changes == before)
        found->changes = before + 1;
}

/* Nothing could be found out. What was known is no longer so, or would be asked for again and again. */
static void lookup_failed(const struct file_lookup *l)
{
    struct file_worker *fw = l->base.worker;

    if (l->why == R_descriptors_exhausted) {
        file_cache_close_files(&fw->cache);
    } else if (l->why == R_worker_memory_exhausted) {
        file_cache_clear(&fw->cache);
    } else if (l->base.entry != NULL && l->base.entry->in_table) {
        file_cache_remove(&fw->cache, l->base.entry);
        tell(fw, NULL);
    }
}

/* On the worker, whether or not the asker is still there. */
static void lookup_finish(struct file_job *j)
{
    struct file_lookup *l = (struct file_lookup *)j;

    if (l->why != R_NONE) {
        lookup_failed(l);
        return;
    }
    if (l->same) {
        j->entry->looked_ms = l->made->looked_ms;
        j->entry->changes = l->made->changes;
        return;
    }
    if (is_to_be_told(l))
        tell(j->worker, l->made);
    file_entry_release(&j->entry);
    j->entry = l->made; /* which all that wait will use */
    l->made = NULL;
    file_entry_take(j->entry);
    file_cache_add(&j->worker->cache, j->entry);
}

static struct file_lookup *lookup_new(struct exchange *x, bool at_once, int *error_out)
{
    const struct file_worker *fw = file_worker(x);
    struct file_lookup *l = file_lookup_new(file_settings(x), kind_of(x), x->req.subpath, at_once, error_out);

    if (l == NULL)
        return NULL;
    l->types = fw->types;
    l->content_max_bytes = fw->settings.content_max_bytes;
    l->recheck_ms = fw->settings.recheck_ms;
    l->made->looked_ms = x->now_ms;
    l->made->changes = file_changes(fw);
    l->base.finish = lookup_finish;
    return l;
}

static enum flow lookup_start(struct exchange *x, struct file_entry *old)
{
    int error;
    struct file_lookup *l = lookup_new(x, false, &error);

    if (l == NULL)
        return STOP_ABOUT(x, file_lookup_reason(error), error, x->req.path);
    return file_job_start(x, &l->base, old, "open");
}

static bool is_about(const struct exchange *x, const struct file_entry *e)
{
    return e->kind == FILE_READ && e->changes == file_changes(file_worker(x)) &&
           file_cache_about(e, file_settings(x)->id, kind_of(x), x->req.subpath);
}

/* A look-up of the same that has begun after the last change that we know of. */
static struct file_job *lookup_running(const struct exchange *x)
{
    struct file_worker *fw = file_worker(x);

    for (struct link *at = fw->jobs.next; at != &fw->jobs; at = at->next) {
        struct file_job *j = file_job_of(at);

        if (j->run == file_lookup_run && is_about(x, ((struct file_lookup *)j)->made))
            return j;
    }
    return NULL;
}

static enum flow lookup_use(struct exchange *x)
{
    struct file_job *j = file_state(x)->job;
    const struct file_lookup *l = (const struct file_lookup *)j;
    enum flow flow;

    if (l->why != R_NONE)
        flow = STOP_ABOUT(x, l->why, l->error, x->req.path);
    else
        flow = use_entry(x, j->entry);
    file_job_release(&file_state(x)->job);
    return flow;
}

/* Handing it to a helper would cost several times what looking costs. False: it would block, or memory is short. */
static bool look_at_once(struct exchange *x, struct file_entry *old)
{
    int error;
    struct file_lookup *l = file_settings(x)->root_is_local ? lookup_new(x, true, &error) : NULL;
    struct file_job *j = l != NULL ? &l->base : NULL;

    if (l == NULL)
        return false;
    file_job_hold(x, j, old);
    if (l->codings != 0 && l->made->kind == FILE_READ)
        l->codings &=
            file_directory_codings(file_worker(x), file_settings(x), x->req.subpath, x->now_ms, &l->made->looked_ms);
    j->run(j);
    if (l->would_block) {
        file_job_release(&j);
        return false;
    }
    j->finish(j);
    file_state(x)->job = j;
    return true;
}

/* A file found under the very name, in memory, without coded siblings. */
static bool is_plain(const struct file_entry *e)
{
    if (e->variant_count != 1 || e->is_collection || e->negotiates || e->from_disk || !e->settled)
        return false;
    for (enum coding coding = 0; coding < CODING_IDENTITY; coding++)
        if (e->variants->files[coding].is_there)
            return false;
    return true;
}

/* Does not block, and needs no permission: when that changes, so does the stamp. */
static bool is_there_still(const struct file_settings *settings, const struct file_entry *e)
{
    struct file_stamp stamp;
    struct file_place at;
    struct stat st;
    int fd, err;

    if (file_place_init(&at, (struct span){ e->path, e->path_bytes }) != 0)
        return false;
    fd = file_walk_open_cached(settings->root_fd, at.text, O_PATH);
    if (fd < 0)
        return false;
    err = fstat(fd, &st);
    close(fd);
    stamp = file_stamp_of(&st);
    return err == 0 && memcmp(&stamp, &e->variants->files[CODING_IDENTITY].stamp, sizeof stamp) == 0;
}

/* What a look-up finds most often, the same again, without a look-up. */
static __attribute__((noinline)) bool is_confirmed(struct exchange *x, struct file_entry *e)
{
    const struct file_settings *settings = file_settings(x);
    struct file_worker *fw = file_worker(x);
    uint64_t changes = file_changes(fw), since_ms = x->now_ms;

    if (!settings->root_is_local || !is_plain(e))
        return false;
    if (settings->precompressed && file_directory_codings(fw, settings, x->req.subpath, x->now_ms, &since_ms) != 0)
        return false;
    if (!is_there_still(settings, e))
        return false;
    e->looked_ms = since_ms;
    e->changes = changes;
    return true;
}

static __attribute__((noinline)) enum flow look_up(struct exchange *x, struct file_entry *old)
{
    struct file_job *j = lookup_running(x);

    if (j == NULL && look_at_once(x, old))
        return lookup_use(x);
    return j != NULL ? file_job_join(x, j, "open") : lookup_start(x, old);
}

enum flow file_open(struct exchange *x)
{
    struct file_worker *fw = file_worker(x);
    struct file_entry *e;

    if (file_state(x)->job != NULL)
        return lookup_use(x);
    e = file_cache_find(&fw->cache, file_settings(x)->id, kind_of(x), x->req.subpath);
    if (e != NULL && e->kind == FILE_READ && /* a change is judged by what is there */
        (is_believed(fw, e, x->now_ms) || is_confirmed(x, e)))
        return use_entry(x, e);
    return look_up(x, e);
}

void file_close(struct exchange *x)
{
    struct file_state *s = file_state(x);

    if (s == NULL)
        return;
    if (s->put != NULL)
        file_accept_close(x);
    if (s->job != NULL)
        file_job_release(&s->job);
    file_entry_release(&s->entry);
}
