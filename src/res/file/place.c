#include <errno.h>

#include "res/file/lookup_impl.h"

/* A NUL ends a name for the kernel: what comes after it was never asked for, so nothing has such a name. */
int file_place_init(struct file_place *at, struct span path)
{
    *at = (struct file_place){ .has_slash = span_ends(path, SPAN("/")) };
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
    memcpy(at->text, path.p, path.n);
    at->n = path.n;
    return 0;
}

int file_place_join(struct file_place *at, const struct file_place *directory, const char *name)
{
    struct span last = span_of(name);

    *at = *directory;
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

    *at = (struct file_place){ .n = slash != NULL ? (size_t)(slash - of->text) : 1 };
    memcpy(at->text, slash != NULL ? of->text : ".", at->n);
}

const char *file_place_name(const struct file_place *at)
{
    const char *slash = memrchr(at->text, '/', at->n);

    return slash != NULL ? slash + 1 : at->text;
}
