#include <errno.h>

#include "res/file/lookup_impl.h"

/* Not the whole struct: most of its room is never used. */
static void place_set(struct file_place *at, struct span text)
{
    memcpy(at->text, text.p, text.n);
    at->text[text.n] = '\0';
    at->n = text.n;
}

/* A NUL ends a name for the kernel: what comes after it was never asked for, so nothing has such a name. */
int file_place_init(struct file_place *at, struct span path)
{
    at->n = 0;
    at->text[0] = '\0';
    at->has_slash = span_ends(path, SPAN("/"));
    while (span_starts(path, SPAN("/")))
        path = span_from(path, 1);
    while (span_ends(path, SPAN("/")))
        path.n--;
    if (path.n == 0)
        path = SPAN(".");
    if (path.n >= sizeof at->text)
        return -ENAMETOOLONG;
    if (span_find(path, '\0') != path.n)
        return -ENOENT;
    place_set(at, path);
    return 0;
}

int file_place_join(struct file_place *at, const struct file_place *directory, const char *name)
{
    struct span last = span_of(name);

    place_set(at, (struct span){ directory->text, directory->n });
    at->has_slash = false;
    if (at->n + 1 + last.n >= sizeof at->text)
        return -ENAMETOOLONG;
    at->text[at->n++] = '/';
    memcpy(at->text + at->n, last.p, last.n + 1);
    at->n += last.n;
    return 0;
}

void file_place_above(struct file_place *at, const struct file_place *of)
{
    const char *slash = memrchr(of->text, '/', of->n);

    at->has_slash = false;
    place_set(at, slash != NULL ? (struct span){ of->text, (size_t)(slash - of->text) } : SPAN("."));
}

const char *file_place_name(const struct file_place *at)
{
    const char *slash = memrchr(at->text, '/', at->n);

    return slash != NULL ? slash + 1 : at->text;
}
