#include <inttypes.h>
#include <stdarg.h>

#include "cli/printable.h"
#include "cli/why_impl.h"

struct span why_span(const json_t *string)
{
    const char *p = json_string_value(string);

    return (struct span){ p, p != NULL ? json_string_length(string) : 0 };
}

struct why_shown why_shown(struct span text, size_t columns)
{
    struct why_shown s;

    printable(text, columns, s.text, sizeof s.text);
    return s;
}

struct why_shown why_member(const json_t *object, const char *name, size_t columns)
{
    return why_shown(why_span(json_object_get(object, name)), columns);
}

uint64_t why_number(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 ? (uint64_t)n : 0;
}

void why_item_add(struct why_shown *items, const struct why_labels *l, const char *format, ...)
{
    size_t n = strlen(items->text), room = sizeof items->text - n, bytes;
    va_list arguments;

    va_start(arguments, format);
    bytes = (size_t)snprintf(items->text + n, room, "%s", n > 0 ? l->comma : "");
    if (bytes < room)
        bytes += (size_t)vsnprintf(items->text + n + bytes, room - bytes, format, arguments);
    va_end(arguments);
    if (bytes >= room)
        items->text[n] = '\0';
}

size_t why_columns(const char *text)
{
    return output_width(span_of(text));
}

void why_feed(struct why_story *s, size_t at, size_t to)
{
    fprintf(s->o.file, "%*s", (int)(at < to ? to - at : 1), "");
}

struct why_shown why_milliseconds(uint64_t ms)
{
    struct why_shown s;

    if (ms < 10000)
        snprintf(s.text, sizeof s.text, "%" PRIu64 " ms", ms);
    else
        snprintf(s.text, sizeof s.text, "%.1f s", (double)ms / 1000);
    return s;
}
