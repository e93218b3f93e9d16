#include "res/file/text.h"

#include <stdio.h>
#include <stdlib.h>

#include "http/date.h"
#include "http/escape.h"
#include "http/path.h"

#define PATH_GROWTH 3

/* Room for `more` bytes at the end; NULL: none. */
static char *reserve(struct file_text *t, size_t more)
{
    size_t room = t->room > 0 ? t->room : 1024;
    char *bytes;

    if (t->failed)
        return NULL;
    while (room - t->n < more)
        room *= 2;
    if (room > t->room) {
        bytes = realloc(t->bytes, room);
        if (bytes == NULL) {
            t->failed = true;
            return NULL;
        }
        t->bytes = bytes;
        t->room = room;
    }
    return t->bytes + t->n;
}

void file_text_put(struct file_text *t, struct span s)
{
    char *out = reserve(t, s.n);

    if (out == NULL || s.n == 0)
        return;
    memcpy(out, s.p, s.n);
    t->n += s.n;
}

void file_text_put_number(struct file_text *t, uint64_t number)
{
    char text[24];

    file_text_put(t, (struct span){ text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)number) });
}

void file_text_put_markup(struct file_text *t, struct span s)
{
    char *out = reserve(t, ESCAPE_GROWTH * s.n);

    if (out != NULL)
        t->n += escape_markup(s, out, ESCAPE_GROWTH * s.n);
}

void file_text_put_json(struct file_text *t, struct span s)
{
    char *out;

    file_text_put(t, SPAN("\""));
    out = reserve(t, ESCAPE_GROWTH * s.n);
    if (out != NULL)
        t->n += escape_json(s, out, ESCAPE_GROWTH * s.n);
    file_text_put(t, SPAN("\""));
}

/* '&' and "'" may stand in a path and not in markup; percent-encoded they may stand in both. */
static void put_path_byte(struct file_text *t, char c)
{
    char *out = reserve(t, PATH_GROWTH);

    if (c == '&')
        file_text_put(t, SPAN("%26"));
    else if (c == '\'')
        file_text_put(t, SPAN("%27"));
    else if (out != NULL)
        t->n += path_encode((struct span){ &c, 1 }, out, PATH_GROWTH);
}

void file_text_put_path(struct file_text *t, struct span path)
{
    for (size_t i = 0; i < path.n; i++)
        put_path_byte(t, path.p[i]);
}

void file_text_put_size(struct file_text *t, uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    char text[32];
    unsigned unit = 0;
    double size = (double)bytes / 1024;

    if (bytes < 1024) {
        file_text_put_number(t, bytes);
        file_text_put(t, SPAN(" B"));
        return;
    }
    for (; size >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        size /= 1024;
    snprintf(text, sizeof text, "%.1f %s", size, units[unit]);
    file_text_put(t, span_of(text));
}

void file_text_put_minute(struct file_text *t, int64_t seconds)
{
    struct date d = date_split(seconds);
    char text[80];

    snprintf(text, sizeof text, "%04u-%02u-%02u %02u:%02u", d.year, d.month, d.day, d.hour, d.minute);
    file_text_put(t, span_of(text));
}

void file_text_put_time(struct file_text *t, int64_t seconds)
{
    struct date d = date_split(seconds);
    char text[96];

    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02uZ", d.year, d.month, d.day, d.hour, d.minute, d.second);
    file_text_put(t, span_of(text));
}
