#include "res/file/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "http/language.h"
#include "res/file/litter.h"
#include "res/file/lookup_impl.h"
#include "res/file/tombstone.h"
#include "res/file/walk.h"

/* O_NONBLOCK: a FIFO without a writer would hold the helper for ever. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY)

#define NS_PER_MS  INT64_C(1000000)

/* What a helper uses must live as long as he does. */
static int settings_take(struct file_lookup *l, const struct file_settings *settings, bool at_once)
{
    int err = at_once ? 0 : file_settings_keep(&l->kept, settings);

    l->settings = at_once ? settings : &l->kept.settings;
    l->at_once = at_once;
    l->codings = settings->precompressed ? ~0U : 0;
    return err;
}

struct file_lookup *file_lookup_new(const struct file_settings *settings, enum file_kind kind, struct span path,
                                    bool at_once, int *error_out)
{
    struct file_lookup *l = calloc(1, sizeof *l);
    struct file_entry *e = calloc(1, sizeof *e);
    char *copy = malloc(path.n + 1);
    int err = l != NULL && e != NULL && copy != NULL ? settings_take(l, settings, at_once) : -ENOMEM;

    if (err != 0) {
        free(l);
        free(e);
        free(copy);
        *error_out = -err;
        return NULL;
    }
    e->path = memcpy(copy, path.p, path.n);
    e->path_bytes = (uint32_t)path.n;
    e->root = settings->id;
    e->kind = kind;
    l->made = e;
    l->base.run = file_lookup_run;
    l->base.discard = file_lookup_discard;
    return l;
}

void file_lookup_discard(struct file_job *j)
{
    struct file_lookup *l = (struct file_lookup *)j;

    file_entry_free(l->made);
    l->made = NULL;
    file_settings_drop(&l->kept);
}

enum reason file_lookup_reason(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return R_NONE;
    case EXDEV:
        return R_link_outside_root;
    case ELOOP:
        return R_link_loop;
    case EACCES:
    case EPERM:
        return R_acl_denied;
    case ENXIO: /* a socket, or a device that is not there */
    case ENODEV:
        return R_not_a_regular_file;
    case EMFILE:
    case ENFILE:
        return R_descriptors_exhausted;
    case ENOMEM:
        return R_worker_memory_exhausted;
    default:
        return R_file_system_error;
    }
}

static void fail(struct file_lookup *l, enum reason why, int error)
{
    l->why = why;
    l->error = error;
}

int file_lookup_open(struct file_lookup *l, const char *path, int flags)
{
    int fd;

    if (!l->at_once)
        return file_walk_open(l->settings->root_fd, path, flags);
    fd = file_walk_open_cached(l->settings->root_fd, path, flags);
    l->would_block |= fd == -EAGAIN;
    return fd;
}

/* What cannot be found out is no "no": the lookup has failed then. */
static bool is_directory(struct file_lookup *l, const struct file_place *at)
{
    int fd = file_lookup_open(l, at->text, O_PATH | O_DIRECTORY);

    if (fd < 0 && file_lookup_reason(-fd) != R_NONE)
        fail(l, file_lookup_reason(-fd), -fd);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Opens a file or directory; a descriptor and its status, or -errno. A directory that may be entered, though not read,
 * can still have an index. */
static int open_at(struct file_lookup *l, const struct file_place *at, struct stat *st)
{
    int fd = file_lookup_open(l, at->text, OPEN_FLAGS);
    int err;

    if (fd == -EACCES && is_directory(l, at))
        fd = file_lookup_open(l, at->text, O_PATH | O_DIRECTORY);
    if (fd < 0 || fstat(fd, st) == 0)
        return fd;
    err = -errno;
    close(fd);
    return err;
}

static void look_variants(struct file_lookup *l, const struct file_place *directory, const char *name)
{
    int err = file_variants_find(l, directory, name);

    if (err < 0 && file_lookup_reason(-err) != R_NONE)
        fail(l, file_lookup_reason(-err), -err);
    l->made->negotiates = l->made->variant_count > 0;
}

static void nothing_there(struct file_lookup *l, const struct file_place *at, int error)
{
    struct file_place above;

    if (file_lookup_reason(error) != R_NONE) {
        fail(l, file_lookup_reason(error), error);
        return;
    }
    if (at->n == 0) /* no path that the system could hold */
        return;
    file_place_above(&above, at);
    l->made->parent_exists = is_directory(l, &above);
    if (l->why != R_NONE)
        return;
    l->would_block |= l->at_once && l->settings->tombstones;
    if (l->settings->tombstones && !l->at_once)
        l->made->was_removed =
            file_tombstone_there(l->settings->root_fd, (struct span){ at->text, at->n }, l->settings->tombstone_s);
    if (error != ENOENT || l->made->kind != FILE_READ || !l->settings->variants || at->has_slash)
        return;
    look_variants(l, &above, file_place_name(at));
    l->made->exists = l->made->negotiates;
}

/* True: `name` stands for the collection, or something is wrong with it. */
static bool look_index_name(struct file_lookup *l, const struct file_place *directory, const char *name)
{
    struct file_place at;
    struct stat st = { 0 };
    int fd = file_place_join(&at, directory, name);

    if (fd == 0)
        fd = open_at(l, &at, &st);
    if (fd == -ENOENT && l->settings->variants)
        look_variants(l, directory, name);
    else if (fd < 0 && file_lookup_reason(-fd) != R_NONE)
        fail(l, file_lookup_reason(-fd), -fd);
    else if (fd >= 0 && !S_ISREG(st.st_mode))
        close(fd);
    else if (fd >= 0 && file_variant_add(l, &at, fd, &st) == NULL)
        fail(l, R_worker_memory_exhausted, ENOMEM);
    return l->made->variant_count > 0 || l->why != R_NONE;
}

static void look_collection(struct file_lookup *l, const struct file_place *at)
{
    struct file_entry *e = l->made;

    e->exists = e->is_collection = e->parent_exists = true;
    if (e->kind != FILE_READ || !at->has_slash)
        return;
    for (unsigned i = 0; i < FILE_INDEX_NAMES && l->settings->index[i] != NULL; i++)
        if (look_index_name(l, at, l->settings->index[i]))
            break;
    e->has_index = e->variant_count > 0;
}

static void look_file(struct file_lookup *l, const struct file_place *at, int fd, const struct stat *st)
{
    l->made->parent_exists = true;
    if (at->has_slash) { /* a file has no members, so nothing is called so */
        l->made->parent_exists = false;
        close(fd);
    } else if (file_variant_add(l, at, fd, st) == NULL) {
        fail(l, R_worker_memory_exhausted, ENOMEM);
    } else {
        l->made->exists = true;
    }
}

/* Where names with a dot are served, what the server keeps for itself is not: uploads on their way, tombstones. */
static void look(struct file_lookup *l)
{
    struct span path = { l->made->path, l->made->path_bytes };
    struct file_place at;
    struct stat st = { 0 };
    int fd = file_place_init(&at, path);

    if (l->made->kind == FILE_READ && file_path_is_own(path))
        return;
    if (fd == 0)
        fd = open_at(l, &at, &st);
    if (fd < 0) {
        nothing_there(l, &at, -fd);
    } else if (S_ISREG(st.st_mode)) {
        look_file(l, &at, fd, &st);
    } else {
        close(fd);
        if (S_ISDIR(st.st_mode))
            look_collection(l, &at);
        else
            fail(l, R_not_a_regular_file, 0);
    }
}

static bool variant_is_same(const struct file_variant *a, const struct file_variant *b)
{
    if (strcmp(a->name, b->name) != 0 || a->negotiates != b->negotiates)
        return false;
    for (unsigned i = 0; i < CODINGS; i++)
        if (a->files[i].is_there != b->files[i].is_there ||
            memcmp(&a->files[i].stamp, &b->files[i].stamp, sizeof a->files[i].stamp) != 0)
            return false;
    return true;
}

static bool is_same(const struct file_entry *a, const struct file_entry *b)
{
    if (a->exists != b->exists || a->is_collection != b->is_collection || a->parent_exists != b->parent_exists ||
        a->was_removed != b->was_removed || a->variant_count != b->variant_count)
        return false;
    for (uint32_t i = 0; i < a->variant_count; i++)
        if (!variant_is_same(&a->variants[i], &b->variants[i]))
            return false;
    return true;
}

/* Whether the Accept fields can make a difference: for Vary. */
static void compare_variants(struct file_entry *e)
{
    const struct file_variant *first = e->variants;

    for (uint32_t i = 0; i < e->variant_count; i++) {
        e->types_differ |= !span_is(e->variants[i].type, first->type);
        e->languages_differ |= !language_is(e->variants[i].language, first->language);
        e->has_language |= e->variants[i].language.n > 0;
    }
}

static bool is_recent(const struct file_entry *e, int64_t since_ns)
{
    for (uint32_t i = 0; i < e->variant_count; i++)
        for (enum coding coding = 0; coding < CODINGS; coding++)
            if (e->variants[i].files[coding].is_there && e->variants[i].files[coding].stamp.changed_ns >= since_ns)
                return true;
    return false;
}

/* What this worker has not seen before, others may have seen before it changed. */
static void compare(struct file_lookup *l, int64_t now_ns)
{
    const struct file_entry *before = l->base.entry;
    bool is_as_before = before != NULL && is_same(before, l->made);

    l->same = is_as_before && before->settled;
    l->is_news = before != NULL ? !is_as_before : is_recent(l->made, now_ns - l->recheck_ms * NS_PER_MS);
}

/* The clock is read before anything is looked at: see tag.h. */
void file_lookup_run(struct file_job *j)
{
    struct file_lookup *l = (struct file_lookup *)j;
    struct timespec now;
    int64_t now_ns;
    int err;

    clock_gettime(CLOCK_REALTIME, &now);
    now_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    look(l);
    if (l->why != R_NONE || l->would_block)
        return;
    compare(l, now_ns);
    if (l->same)
        return;
    err = file_load(l, now_ns);
    l->would_block = l->at_once && err == -EAGAIN;
    if (err < 0)
        fail(l, file_lookup_reason(-err) == R_NONE ? R_file_system_error : file_lookup_reason(-err), -err);
    compare_variants(l->made);
}
