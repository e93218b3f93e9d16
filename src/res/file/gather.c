/*
 * Finds the files that stand for a name: the variants (whose names fit) and, of each, the coded siblings.
 *
 * A variant that is a directory, or a link to a name that does not exist but has variants itself, negotiates again:
 * it is kept as such and never followed (RFC2295:8.1 wants it refused, not resolved).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "res/file/lookup_impl.h"
#include "res/file/variant.h"
#include "res/file/walk.h"

/* A directory with more names is not searched to its end: a missing name must not cost seconds. */
#define NAMES_MAX 50000

struct names {
    char *name[FILE_VARIANTS_MAX];
    unsigned count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_free(struct names *found)
{
    for (unsigned i = 0; i < found->count; i++)
        free(found->name[i]);
}

/* We are short of something: what is there cannot be told. */
static bool is_shortage(int err)
{
    return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

/* 0 or -errno. */
static int directory_open(const struct file_lookup *l, const struct file_place *at, DIR **out)
{
    int fd = file_walk_open(l->settings->root_fd, at->text, O_RDONLY | O_DIRECTORY);
    int err;

    if (fd < 0)
        return fd;
    *out = fdopendir(fd);
    err = *out != NULL ? 0 : -errno;
    if (err != 0)
        close(fd);
    return err;
}

/* The names in `directory` that fit `asked`, sorted; none where it cannot be read. 0, or -errno of a shortage. */
static int names_find(const struct file_lookup *l, const struct file_place *directory, const char *asked,
                      struct names *found)
{
    DIR *d = NULL;
    int err = directory_open(l, directory, &d);
    struct dirent *e;

    *found = (struct names){ 0 };
    if (err != 0)
        return is_shortage(err) ? err : 0;
    for (unsigned n = 0; n < NAMES_MAX && found->count < FILE_VARIANTS_MAX && (e = readdir(d)) != NULL; n++) {
        if (!file_variant_fits(l->types, span_of(asked), span_of(e->d_name)))
            continue;
        found->name[found->count] = strdup(e->d_name);
        if (found->name[found->count] == NULL) {
            err = -ENOMEM;
            break;
        }
        found->count++;
    }
    closedir(d);
    qsort(found->name, found->count, sizeof found->name[0], by_name);
    return err;
}

/* Is `at` a link whose target, a name beside it, has variants and does not exist? 1, 0, or -errno of a shortage. */
static int links_to_variants(const struct file_lookup *l, const struct file_place *directory, const char *name)
{
    int fd = file_walk_open(l->settings->root_fd, directory->text, O_PATH | O_DIRECTORY);
    char target[NAME_MAX + 1];
    struct names found;
    ssize_t n;
    int err;

    if (fd < 0)
        return is_shortage(fd) ? fd : 0;
    n = readlinkat(fd, name, target, sizeof target);
    close(fd);
    if (n <= 0 || n == sizeof target || memchr(target, '/', (size_t)n) != NULL)
        return 0;
    target[n] = '\0';
    err = names_find(l, directory, target, &found);
    names_free(&found);
    return err != 0 ? err : found.count > 0;
}

/* 0 or -errno; what cannot be read is passed over, as long as something else stands for the name. */
static int variant_look(struct file_lookup *l, const struct file_place *directory, const char *name)
{
    struct file_place at;
    struct stat st = { 0 };
    int fd = file_place_join(&at, directory, name);
    int negotiates;

    if (fd == 0)
        fd = file_walk_open(l->settings->root_fd, at.text, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (is_shortage(fd))
        return fd;
    if (fd >= 0 && fstat(fd, &st) != 0)
        st.st_mode = 0;
    negotiates = fd == -ENOENT ? links_to_variants(l, directory, name) : S_ISDIR(st.st_mode);
    if (negotiates < 0)
        return negotiates;
    if (fd >= 0 && (negotiates || !S_ISREG(st.st_mode)))
        close(fd);
    if (negotiates)
        return file_variant_add(l, &at, -1, &st) != NULL ? 0 : -ENOMEM;
    if (S_ISREG(st.st_mode))
        return file_variant_add(l, &at, fd, &st) != NULL ? 0 : -ENOMEM;
    return 0;
}

int file_variants_find(struct file_lookup *l, const struct file_place *directory, const char *name)
{
    struct names found;
    int err;

    l->would_block = l->at_once;
    if (l->would_block)
        return -EAGAIN;
    err = names_find(l, directory, name, &found);
    for (unsigned i = 0; i < found.count && err == 0; i++)
        err = variant_look(l, directory, found.name[i]);
    names_free(&found);
    return err;
}

static void content_hold(struct file_content *c, int fd, const struct stat *st)
{
    c->fd = fd;
    c->is_there = true;
    c->stamp = file_stamp_of(st);
    c->length = c->stamp.size;
}

/* A sibling older than the file is of an earlier file. */
static void sibling_look(struct file_lookup *l, const struct file_place *at, struct file_variant *v, enum coding coding)
{
    struct span suffix = coding_info(coding)->file_suffix;
    struct file_place place = *at;
    struct stat st;
    int fd;

    if (suffix.n == 0 || place.n + suffix.n >= sizeof place.text)
        return;
    memcpy(place.text + place.n, suffix.p, suffix.n);
    place.text[place.n + suffix.n] = '\0';
    fd = file_lookup_open(l, place.text, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        file_stamp_of(&st).modified_ns >= v->files[CODING_IDENTITY].stamp.modified_ns)
        content_hold(&v->files[coding], fd, &st);
    else
        close(fd);
}

static void variant_describe(struct file_lookup *l, struct file_variant *v, const struct stat *st)
{
    struct span name = span_of(v->name);
    const struct media_type *type = media_type_find(l->types, name);

    v->type = type->value;
    v->compressible = type->compressible;
    if (l->settings->variants)
        v->language = file_variant_language(l->types, name);
    v->modified = st->st_mtim.tv_sec;
    date_write(v->modified_text, v->modified);
}

struct file_variant *file_variant_add(struct file_lookup *l, const struct file_place *at, int fd, const struct stat *st)
{
    struct file_entry *e = l->made;
    struct file_variant *all = reallocarray(e->variants, e->variant_count + 1, sizeof *all);
    struct file_variant *v = all != NULL ? &all[e->variant_count] : NULL;

    if (v != NULL) {
        e->variants = all;
        *v = (struct file_variant){ .name = strdup(file_place_name(at)), .negotiates = fd < 0 };
    }
    if (v == NULL || v->name == NULL) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    for (unsigned i = 0; i < CODINGS; i++)
        file_content_init(&v->files[i]);
    e->variant_count++;
    variant_describe(l, v, st);
    if (fd < 0)
        return v;
    content_hold(&v->files[CODING_IDENTITY], fd, st);
    for (enum coding i = 0; i < CODING_IDENTITY && e->kind == FILE_READ; i++)
        if (l->codings & CODING_BIT(i))
            sibling_look(l, at, v, i);
    return v;
}
