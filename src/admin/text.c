#include "admin/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define FIRST_ROOM 4096u

/* Room for n bytes more and a NUL. */
static bool text_grow(struct text *t, size_t n)
{
    size_t room = t->room > 0 ? t->room : FIRST_ROOM;
    char *p;

    while (room - t->bytes <= n)
        room *= 2;
    if (room == t->room)
        return true;
    p = realloc(t->p, room);
    if (p == NULL)
        return false;
    t->p = p;
    t->room = room;
    return true;
}

/* Once failed, for good: who writes may go on all the same. */
static bool text_put(struct text *t, const char *from, size_t n)
{
    t->failed = t->failed || !text_grow(t, n);
    if (t->failed)
        return false;
    memcpy(t->p + t->bytes, from, n);
    t->bytes += n;
    t->p[t->bytes] = '\0';
    return true;
}

static char *text_end(struct text *t, size_t *bytes_out)
{
    if (t->failed) {
        free(t->p);
        return NULL;
    }
    *bytes_out = t->bytes;
    return t->p;
}

static ssize_t stream_write(void *to, const char *from, size_t n)
{
    return text_put(to, from, n) ? (ssize_t)n : 0;
}

FILE *text_open(struct text *t)
{
    FILE *out = fopencookie(t, "w", (cookie_io_functions_t){ .write = stream_write });

    if (out != NULL)
        setvbuf(out, t->buffer, _IOFBF, sizeof t->buffer);
    return out;
}

char *text_close(struct text *t, FILE *out, size_t *bytes_out)
{
    if (out == NULL || fclose(out) != 0)
        t->failed = true;
    return text_end(t, bytes_out);
}

static int json_put(const char *from, size_t n, void *to)
{
    return text_put(to, from, n) ? 0 : -1;
}

char *text_of_json(const json_t *value, size_t *bytes_out)
{
    struct text t = { 0 };

    if (value == NULL || json_dump_callback(value, json_put, &t, JSON_COMPACT) != 0)
        t.failed = true;
    return text_end(&t, bytes_out);
}
