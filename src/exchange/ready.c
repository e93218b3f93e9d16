#include "exchange/ready.h"

#include "base/check.h"
#include "http/field.h"

size_t reply_text_bytes(const struct reply_field *fields, uint32_t count)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < count; i++)
        bytes += fields[i].name.n + fields[i].value.n + sizeof ": \r\n" - 1;
    return bytes;
}

size_t ready_fields_bytes(const struct reply_field *fields, uint32_t count)
{
    return count * sizeof *fields + 2 * reply_text_bytes(fields, count);
}

static char *append(char *to, struct span s)
{
    return s.n > 0 ? mempcpy(to, s.p, s.n) : to;
}

/* Returns where the next line goes. */
static char *line_write(char *at, const struct reply_field *f, struct reply_field *written)
{
    char *value = append(append(at, f->name), SPAN(": "));

    *written = (struct reply_field){ { at, f->name.n }, { value, f->value.n } };
    return append(append(value, f->value), SPAN("\r\n"));
}

static void lower_write(char *at, struct span name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] >= 'A' && name.p[i] <= 'Z')
            at[i] = (char)(name.p[i] | 0x20);
}

void ready_fields_write(struct ready_fields *out, const struct reply_field *fields, uint32_t count, void *room)
{
    struct reply_field *own = room;
    char *text = (char *)(own + count), *end = text;

    for (uint32_t i = 0; i < count; i++) {
        DIE_UNLESS(!field_info(field_find(fields[i].name))->h2_forbids);
        end = line_write(end, &fields[i], &own[i]);
    }
    *out = (struct ready_fields){ own, count, { text, (size_t)(end - text) }, end };
    append(end, out->text);
    for (uint32_t i = 0; i < count; i++)
        lower_write(end + (own[i].name.p - text), own[i].name);
}
