#include "res/file/coding_job.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "res/file/cache.h"
#include "res/file/compress.h"
#include "res/file/lookup_impl.h"

struct coding_job {
    struct file_job base; /* base.entry holds the variant */
    struct file_variant *variant;
    enum coding coding;
    struct span coded; /* after the run; from malloc() */
    int error;         /* errno; ESTALE: the file has changed */
};

/* The whole of a file that is too long for the cache. */
static int plain_read(const struct file_content *plain, struct span *out)
{
    struct file_content copy = { .fd = plain->fd, .length = plain->length, .stamp = plain->stamp };
    int done = file_content_read(&copy, false);

    if (done == 1)
        *out = (struct span){ copy.bytes, copy.length };
    return done == 0 ? -ESTALE : done < 0 ? done : 0;
}

static void coding_run(struct file_job *job)
{
    struct coding_job *j = (struct coding_job *)job;
    const struct file_content *plain = &j->variant->files[CODING_IDENTITY];
    struct span content = { plain->bytes, plain->length };
    int err = 0;

    if (plain->bytes == NULL)
        err = plain_read(plain, &content);
    if (err == 0)
        err = file_compress(j->coding, content, &j->coded);
    if (plain->bytes == NULL && content.p != NULL)
        free((void *)content.p);
    j->error = -err;
}

/* What is there already stays: it may be on its way to a client. */
static void coding_finish(struct file_job *job)
{
    struct coding_job *j = (struct coding_job *)job;
    struct file_variant *v = j->variant;
    struct file_content *c;

    if (j->error == ESTALE) {
        v->unsteady = true;
        file_cache_remove(&job->worker->cache, job->entry);
    }
    if (j->error != 0 || v->made[j->coding] != NULL)
        return;
    c = malloc(sizeof *c);
    if (c == NULL) {
        j->error = ENOMEM;
        return;
    }
    file_content_init(c);
    c->is_there = true;
    c->bytes = (char *)j->coded.p;
    c->length = j->coded.n;
    file_tag_of_coded(&c->tag, &v->files[CODING_IDENTITY].tag, file_tag_hash(j->coded), j->coding, false);
    j->coded = (struct span){ 0 };
    v->made[j->coding] = c;
    if (c->length >= v->files[CODING_IDENTITY].length)
        v->useless = ~0U;
    file_cache_grow(&job->worker->cache, job->entry, c->length + sizeof *c + 2 * FILE_MALLOC_BYTES);
}

static void coding_discard(struct file_job *job)
{
    struct coding_job *j = (struct coding_job *)job;

    free((void *)j->coded.p);
}

static struct file_job *coding_running(const struct exchange *x, enum coding coding)
{
    struct link *jobs = &file_worker(x)->jobs;

    for (struct link *at = jobs->next; at != jobs; at = at->next) {
        struct coding_job *j = (struct coding_job *)file_job_of(at);

        if (j->base.run == coding_run && j->variant == file_state(x)->variant && j->coding == coding)
            return &j->base;
    }
    return NULL;
}

enum flow file_coding_start(struct exchange *x, enum coding coding)
{
    struct file_job *running = coding_running(x, coding);
    struct coding_job *j;

    if (running != NULL)
        return file_job_join(x, running, "encode");
    j = calloc(1, sizeof *j);
    if (j == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    j->variant = file_state(x)->variant;
    j->coding = coding;
    j->base.run = coding_run;
    j->base.finish = coding_finish;
    j->base.discard = coding_discard;
    return file_job_start(x, &j->base, file_state(x)->entry, "encode");
}

enum flow file_coding_use(struct exchange *x)
{
    const struct coding_job *j = (const struct coding_job *)file_state(x)->job;
    int error = j->error;

    file_job_release(&file_state(x)->job);
    if (error == 0 || error == ESTALE)
        return FLOW_GO;
    return STOP_ABOUT(x, error == ENOMEM ? R_worker_memory_exhausted : R_file_system_error, error, x->req.path);
}
