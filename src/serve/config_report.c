#include <stdlib.h>

#include "serve/config_impl.h"

#define COMPLAINT_BYTES 2048
#define QUOTE_BYTES     60

const struct yaml_node config_options_node = { .kind = YAML_TEXT };

void config_complain(struct config_report *r, const struct yaml_node *at, const char *format, ...)
{
    char text[COMPLAINT_BYTES];
    va_list args;
    int n;

    if (r->count++ >= CONFIG_COMPLAINTS_MOST)
        return;
    va_start(args, format);
    n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n >= (int)sizeof text)
        n = (int)sizeof text - 1;
    r->all[r->count - 1] = (struct config_complaint){
        .line = at != NULL ? at->line : 0,
        .column = at != NULL ? at->column : 0,
        .of_options = at == &config_options_node,
        .order = r->count,
        .text = arena_copy(r->arena, (struct span){ text, n > 0 ? (size_t)n : 0 }),
    };
}

static int by_place(const void *a_in, const void *b_in)
{
    const struct config_complaint *a = a_in, *b = b_in;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void config_report_print(struct config_report *r, const char *title, FILE *out)
{
    uint32_t kept = r->count < CONFIG_COMPLAINTS_MOST ? r->count : CONFIG_COMPLAINTS_MOST;

    qsort(r->all, kept, sizeof r->all[0], by_place);
    for (uint32_t i = 0; i < kept; i++) {
        const struct config_complaint *c = &r->all[i];

        if (c->line > 0)
            fprintf(out, "%s:%u:%u: ", title, c->line, c->column);
        else
            fprintf(out, "%s: ", c->of_options ? "verdict" : title);
        fprintf(out, "%.*s\n", (int)c->text.n, c->text.n > 0 ? c->text.p : "");
    }
    if (r->count > kept)
        fprintf(out, "%s: %u more mistakes: mend these first\n", title, r->count - kept);
}

static bool is_follower(char c)
{
    return ((uint8_t)c & 0xC0) == 0x80;
}

const char *config_quote(struct config_report *r, struct span text)
{
    bool cut = text.n > QUOTE_BYTES;
    char *out = arena_take(r->arena, QUOTE_BYTES + sizeof "\"...\"");
    size_t n = cut ? QUOTE_BYTES : text.n, at = 0;

    if (out == NULL)
        return "\"\"";
    while (cut && n > 0 && is_follower(text.p[n]))
        n--;
    out[at++] = '"';
    for (size_t i = 0; i < n; i++)
        out[at++] = (uint8_t)text.p[i] < ' ' || text.p[i] == '\x7F' ? '?' : text.p[i];
    for (unsigned i = 0; cut && i < 3; i++)
        out[at++] = '.';
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
