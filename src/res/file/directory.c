#include "res/file/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "res/file/lookup_impl.h"
#include "res/file/walk.h"

#define NS_PER_S    INT64_C(1000000000)
#define LOOKUPS_MIN 16      /* before names are read: most directories are hardly asked for */
#define NAMES_MAX   1000000 /* more are not read */
#define ALL         (~0U)

/* Reads the names, on a helper. */
struct reading {
    struct job job;
    struct file_worker *worker;
    struct file_kept kept;
    struct file_directory found; /* owns its path; known: all names were read, and none of them changed meanwhile */
};

static struct span directory_of(struct span path)
{
    const char *slash = path.n > 0 ? memrchr(path.p, '/', path.n) : NULL;

    return (struct span){ path.p, slash != NULL ? (size_t)(slash - path.p) : 0 };
}

static bool is_about(const struct file_directory *d, uint32_t root, struct span path)
{
    return d->path != NULL && d->root == root && span_is((struct span){ d->path, d->path_bytes }, path);
}

static struct file_directory *slot_of(struct file_worker *fw, uint32_t root, struct span path)
{
    return &fw->directories[XXH3_64bits_withSeed(path.p, path.n, fw->cache.seed ^ root) % FILE_DIRECTORIES];
}

static bool is_believed(const struct file_worker *fw, const struct file_directory *d, uint64_t now_ms)
{
    return now_ms - d->looked_ms < fw->settings.recheck_ms && d->changes == file_changes(fw);
}

/* 0 or -errno. */
static int stamp_read(int fd, struct file_stamp *stamp)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -errno;
    *stamp = file_stamp_of(&st);
    return 0;
}

static bool stamp_is(const struct file_stamp *a, const struct file_stamp *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Does not block. 1: it is the directory that was read, and has not changed; 0: not so; or -errno. */
static int is_unchanged(const struct file_directory *d, const struct file_settings *settings)
{
    struct file_place at;
    struct file_stamp now;
    int err = file_place_init(&at, (struct span){ d->path, d->path_bytes });
    int fd = err == 0 ? file_walk_open_cached(settings->root_fd, at.text, O_PATH | O_DIRECTORY) : err;

    if (fd < 0)
        return fd;
    err = stamp_read(fd, &now);
    close(fd);
    return err < 0 ? err : stamp_is(&now, &d->stamp);
}

static unsigned coding_of(struct span name)
{
    for (enum coding i = 0; i < CODING_IDENTITY; i++) {
        struct span suffix = coding_info(i)->file_suffix;

        if (suffix.n > 0 && name.n >= suffix.n && span_is_nocase(span_from(name, name.n - suffix.n), suffix))
            return CODING_BIT(i);
    }
    return 0;
}

/* True: to the end. */
static bool names_read(struct file_directory *found, DIR *d)
{
    const struct dirent *e;

    errno = 0;
    while (found->names < NAMES_MAX && (e = readdir(d)) != NULL) {
        found->codings |= coding_of(span_of(e->d_name));
        found->names++;
    }
    return found->names < NAMES_MAX && errno == 0;
}

/* The clock is read before anything is looked at: see tag.h. */
static void read_open(struct file_directory *found, int fd)
{
    struct timespec now;
    struct file_stamp after;
    DIR *d;

    clock_gettime(CLOCK_REALTIME, &now);
    if (stamp_read(fd, &found->stamp) != 0 || (d = fdopendir(fd)) == NULL) {
        close(fd);
        return;
    }
    found->known = names_read(found, d) && stamp_read(fd, &after) == 0 && stamp_is(&after, &found->stamp) &&
                   found->stamp.changed_ns <= now.tv_sec * NS_PER_S + now.tv_nsec - FILE_SETTLED_NS;
    closedir(d);
}

static void reading_run(struct job *job)
{
    struct reading *r = (struct reading *)job;
    struct file_place at;
    int fd = file_place_init(&at, (struct span){ r->found.path, r->found.path_bytes });

    if (fd == 0)
        fd = file_walk_open(r->kept.settings.root_fd, at.text, O_RDONLY | O_DIRECTORY);
    if (fd >= 0)
        read_open(&r->found, fd);
    r->found.known = r->found.known && is_unchanged(&r->found, &r->kept.settings) == 1; /* it can be asked for again */
}

static void reading_free(struct reading *r)
{
    free(r->found.path);
    file_settings_drop(&r->kept);
    free(r);
}

/* On the worker. The slot may belong to another by now. */
static void reading_done(struct job *job)
{
    struct reading *r = (struct reading *)job;
    struct span path = { r->found.path, r->found.path_bytes };
    struct file_directory *d = slot_of(r->worker, r->found.root, path);

    if (is_about(d, r->found.root, path)) {
        free(d->path);
        *d = r->found;
        r->found.path = NULL;
    }
    reading_free(r);
}

/* Its fields but what is found, with a path of its own. False without memory. */
static bool directory_init(struct file_directory *d, uint32_t root, struct span path)
{
    *d = (struct file_directory){ .root = root, .path = malloc(path.n + 1), .path_bytes = (uint32_t)path.n };
    if (d->path != NULL && path.n > 0)
        memcpy(d->path, path.p, path.n);
    return d->path != NULL;
}

/* Without memory, or helpers, another time. */
static void reading_start(struct file_worker *fw, struct file_directory *d, const struct file_settings *settings,
                          uint64_t now_ms)
{
    struct reading *r = calloc(1, sizeof *r);

    d->lookups = 0;
    if (r == NULL)
        return;
    r->worker = fw;
    r->job.run = reading_run;
    r->job.done = r->job.drop = reading_done;
    if (!directory_init(&r->found, d->root, (struct span){ d->path, d->path_bytes }) ||
        file_settings_keep(&r->kept, settings) != 0) {
        reading_free(r);
        return;
    }
    r->found.looked_ms = now_ms;
    r->found.changes = file_changes(fw);
    d->is_read = offload_submit(fw->helpers, &r->job, fw->mail) == 0;
    if (!d->is_read)
        reading_free(r);
}

static bool still_true(struct file_worker *fw, struct file_directory *d, const struct file_settings *settings,
                       uint64_t now_ms)
{
    uint64_t changes = file_changes(fw);
    int same;

    if (is_believed(fw, d, now_ms))
        return true;
    same = is_unchanged(d, settings);
    d->known = same != 0; /* where it cannot be told, perhaps next time */
    if (same != 1)
        return false;
    d->looked_ms = now_ms;
    d->changes = changes;
    return true;
}

unsigned file_directory_codings(struct file_worker *fw, const struct file_settings *settings, struct span path,
                                uint64_t now_ms, uint64_t *since_ms)
{
    struct span above = directory_of(path);
    struct file_directory *d = slot_of(fw, settings->id, above);

    *since_ms = now_ms;
    if (!is_about(d, settings->id, above)) {
        free(d->path);
        directory_init(d, settings->id, above);
        return ALL;
    }
    if (d->known && still_true(fw, d, settings, now_ms)) {
        *since_ms = d->looked_ms;
        return d->codings;
    }
    if (!d->known && !d->is_read && ++d->lookups >= LOOKUPS_MIN + d->names / 8)
        reading_start(fw, d, settings, now_ms);
    return ALL;
}

void file_directory_forget(struct file_worker *fw)
{
    for (unsigned i = 0; i < FILE_DIRECTORIES; i++) {
        free(fw->directories[i].path);
        fw->directories[i] = (struct file_directory){ 0 };
    }
}
