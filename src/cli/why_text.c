#include <inttypes.h>

#include "cli/output.h"
#include "cli/why_impl.h"
#include "reason/reason.h"

#define VALUE_COLUMNS   240u
#define REQUEST_COLUMNS 150u
#define ROW_AT          18u /* where the texts of rows begin */
#define EXCERPT_BEFORE  24u /* bytes shown before a refused one; each may take four columns */
#define EXCERPT_COLUMNS 60u

static const char *const phase_names[PHASES] = { "queue", "head", "content", "first_byte", "total" };

static struct why_shown size(uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    double n = (double)bytes / 1024;
    size_t unit = 0;
    struct why_shown s;

    while (n >= 1000 && unit < 3) {
        n /= 1024;
        unit++;
    }
    if (bytes < 10240)
        snprintf(s.text, sizeof s.text, "%" PRIu64 " B", bytes);
    else
        snprintf(s.text, sizeof s.text, "%.1f %s", n, units[unit]);
    return s;
}

/* "404 Not Found", as the reply's first line has it; in brackets what the dialect tells besides. */
static struct why_shown status_of(const json_t *exchange, const struct why_labels *l)
{
    struct span line = why_span(json_object_get(json_object_get(exchange, "reply"), "line"));
    struct why_shown detail = why_member(exchange, "detail", 16), s, sent;
    size_t space = span_find(line, ' ');

    if (why_number(exchange, "status") == 0)
        sent = why_shown(span_of(l->nothing_sent), WHY_WHOLE);
    else if (space + 1 < line.n)
        sent = why_shown(span_from(line, space + 1), 40);
    else
        snprintf(sent.text, sizeof sent.text, "%" PRIu64, why_number(exchange, "status"));
    snprintf(s.text, sizeof s.text, detail.text[0] != '\0' ? "%.1000s (%.100s)" : "%.1000s", sent.text, detail.text);
    return s;
}

/* Status, reason, and at the right end the id. */
static void heading_text(struct why_story *s)
{
    struct why_shown id = why_member(s->exchange, "id", 16);
    size_t used = why_columns(s->status.text) + why_columns(s->l->colon) + why_columns(s->reason.text);
    size_t id_at = OUTPUT_COLUMNS - why_columns(id.text);

    output_styled(&s->o, s->failed ? OUTPUT_RED : OUTPUT_BOLD, s->status.text);
    fputs(s->l->colon, s->o.file);
    output_styled(&s->o, OUTPUT_BOLD, s->reason.text);
    why_feed(s, used, id_at);
    output_styled(&s->o, OUTPUT_DIM, id.text);
    fputc('\n', s->o.file);
}

/* "2026-11-21 06:32:14.123 UTC" */
static struct why_shown time_of(const json_t *exchange)
{
    struct why_shown s = why_member(exchange, "time", 40);
    char *t = strchr(s.text, 'T'), *z = strchr(s.text, 'Z');

    if (t != NULL)
        *t = ' ';
    if (z != NULL)
        snprintf(z, sizeof " UTC", " UTC");
    return s;
}

/* What was asked for; of a head that could not be read, its beginning. */
static struct why_shown asked(const json_t *exchange)
{
    struct why_shown method = why_member(exchange, "method", 32),
                     target = why_member(exchange, "target", REQUEST_COLUMNS);
    struct why_shown protocol = why_member(exchange, "protocol", 16), s;

    if (method.text[0] == '\0' || target.text[0] == '\0' || protocol.text[0] == '\0')
        return why_member(json_object_get(exchange, "request"), "line", REQUEST_COLUMNS);
    snprintf(s.text, sizeof s.text, "%.200s %.1000s %.100s", method.text, target.text, protocol.text);
    return s;
}

/* When, who, what and where, in a line, or in two. */
static void request_text(struct why_story *s)
{
    struct why_shown when = time_of(s->exchange), client = why_member(s->exchange, "client", 60),
                     what = asked(s->exchange);
    struct why_shown site = why_member(s->exchange, "site", 80);
    size_t columns;

    if (site.text[0] == '\0')
        site = why_shown(span_of(s->l->no_site), WHY_WHOLE);
    columns = 2 + why_columns(when.text) + 2 + why_columns(client.text) + 2 + why_columns(what.text) + 2 +
              why_columns(site.text);
    if (columns <= OUTPUT_COLUMNS) {
        fprintf(s->o.file, "  %s  %s  %s  %s\n", when.text, client.text, what.text, site.text);
        return;
    }
    fprintf(s->o.file, "  %s  %s  %s\n  %s\n", when.text, client.text, site.text, what.text);
}

/* The answer of a route that is configured to give it, whatever is asked. */
static void configured_text(struct why_story *s)
{
    struct why_shown route = why_member(s->explanation, "configured", 80), text = { "" };

    if (route.text[0] != '\0')
        why_item_add(&text, s->l, s->l->configured_so, route.text);
    output_row(&s->o, s->l->configured, text.text);
}

/* What was well begun needs no advice where it was broken off: then that of the end counts. */
static void words_text(struct why_story *s)
{
    const json_t *broken = json_object_get(s->exchange, "broken_explanation");
    struct why_shown name = why_member(broken, "reason", 60), both;
    bool well_begun = why_number(s->exchange, "status") / 100 < 4 && name.text[0] != '\0';

    if (s->explanation != NULL)
        fputc('\n', s->o.file);
    output_row(&s->o, s->l->what, why_member(s->explanation, "what", WHY_WHOLE).text);
    configured_text(s);
    if (!well_begun)
        output_row(&s->o, s->l->todo, why_member(s->explanation, "todo", WHY_WHOLE).text);
    if (name.text[0] == '\0')
        return;
    snprintf(both.text, sizeof both.text, "%.200s%s%.1500s", name.text, s->l->colon,
             why_member(broken, "what", WHY_WHOLE).text);
    output_row(&s->o, s->l->broken, both.text);
    output_row(&s->o, s->l->todo, why_member(broken, "todo", WHY_WHOLE).text);
}

/* The request line around the byte that was refused, and a mark below that. Only where bytes are columns, and none has
 * been taken out or put in: then the line is as it came. */
static void excerpt_text(struct why_story *s, uint64_t at)
{
    struct span line = why_span(json_object_get(json_object_get(s->exchange, "request"), "line"));
    size_t from = at > EXCERPT_BEFORE ? at - EXCERPT_BEFORE : 0;

    if (at >= line.n || memmem(line.p, line.n, "[removed]", 9) != NULL)
        return;
    for (size_t i = 0; i <= at; i++)
        if ((unsigned char)line.p[i] >= 0x80)
            return;
    why_feed(s, 0, ROW_AT);
    fprintf(s->o.file, "%s\n", why_shown(span_from(line, from), EXCERPT_COLUMNS).text);
    why_feed(s, 0, ROW_AT + why_columns(why_shown((struct span){ line.p + from, at - from }, WHY_WHOLE).text));
    output_wrapped(&s->o, OUTPUT_RED, 0, 0, "^");
}

/* The byte that was refused: of the head while that is read, else of the content. Or what the system said. */
static void place_text(struct why_story *s)
{
    const json_t *path = json_object_get(s->exchange, "path");
    const json_t *last = json_array_get(path, json_array_size(path) - 1);
    struct why_shown error = why_shown(why_span(why_fact(last, "errno")), 40), place;
    bool in_head = span_is(why_span(json_object_get(last, "block")), SPAN("arrive"));
    uint64_t at = why_number(s->exchange, "at");

    if (why_fact(last, "offset") != NULL) {
        snprintf(place.text, sizeof place.text, in_head ? s->l->in_head : s->l->in_content, at);
        output_row(&s->o, s->l->at, place.text);
        if (in_head)
            excerpt_text(s, at);
    } else if (error.text[0] != '\0') {
        snprintf(place.text, sizeof place.text, "%.200s%s%s", error.text, s->l->colon, strerror((int)at));
        output_row(&s->o, s->l->error, place.text);
    }
}

static void codes_text(struct why_story *s)
{
    const json_t *codes = json_object_get(s->explanation, "codes");
    struct why_shown all = { "" };
    const char *name;
    json_t *code;

    json_object_foreach((json_t *)codes, name, code)
    {
        why_item_add(&all, s->l, "%s %s", why_shown(span_of(name), 20).text, why_shown(why_span(code), 20).text);
    }
    output_row(&s->o, s->l->codes, all.text);
    output_row(&s->o, s->l->others, why_member(s->explanation, "others", VALUE_COLUMNS).text);
}

/* Whether it passes is told where that is known. */
static void reason_text(struct why_story *s)
{
    struct why_shown title = why_member(s->explanation, "title", 120), both,
                     lasts = why_member(s->explanation, "lasts", 16);
    struct why_shown spec = why_member(s->explanation, "spec", 80);

    snprintf(both.text, sizeof both.text, "%.200s%s%.1000s", s->reason.text, s->l->colon, title.text);
    output_row(&s->o, s->l->reason, title.text[0] != '\0' ? both.text : s->reason.text);
    output_row(&s->o, s->l->about, why_member(s->exchange, "operand", VALUE_COLUMNS).text);
    place_text(s);
    codes_text(s);
    if (strcmp(lasts.text, "temporary") == 0)
        output_row(&s->o, s->l->lasts, s->l->temporary);
    else if (strcmp(lasts.text, "permanent") == 0)
        output_row(&s->o, s->l->lasts, s->l->permanent);
    output_row(&s->o, s->l->spec, strcmp(spec.text, "local") == 0 ? s->l->no_rfc : spec.text);
}

static void by_text(struct why_story *s)
{
    struct why_shown resource = why_member(s->exchange, "resource", 40), route = why_member(s->exchange, "route", 80);
    struct why_shown dialect = why_member(s->exchange, "dialect", 16), by = { "" };

    if (resource.text[0] != '\0')
        why_item_add(&by, s->l, "%s", resource.text);
    if (route.text[0] != '\0')
        why_item_add(&by, s->l, s->l->route, route.text);
    if (dialect.text[0] != '\0' && strcmp(dialect.text, dialect_name(DIALECT_RFC)) != 0)
        why_item_add(&by, s->l, s->l->dialect, dialect.text);
    output_row(&s->o, s->l->by, by.text);
}

/* Phases and waits that took no time are left away; the whole is always told. */
static void times_text(struct why_story *s)
{
    const json_t *phases = json_object_get(s->exchange, "phases"), *wait;
    struct why_shown times = { "" }, waits = { "" };
    size_t i;

    for (enum why_phase p = 0; p < PHASES; p++) {
        uint64_t ms = why_number(phases, phase_names[p]);

        if (ms > 0 || p == PHASE_TOTAL)
            why_item_add(&times, s->l, "%s %s", s->l->phases[p], why_milliseconds(ms).text);
    }
    if (json_is_true(json_object_get(s->exchange, "slow")))
        why_item_add(&times, s->l, "%s", s->l->slow);
    json_array_foreach(json_object_get(s->exchange, "waits"), i, wait)
    {
        if (why_number(wait, "ms") > 0)
            why_item_add(&waits, s->l, "%s %s", why_member(wait, "what", 20).text,
                         why_milliseconds(why_number(wait, "ms")).text);
    }
    output_row(&s->o, s->l->times, times.text);
    output_row(&s->o, s->l->waits, waits.text);
}

static void sizes_text(struct why_story *s)
{
    struct why_shown sizes = { "" };

    why_item_add(&sizes, s->l, s->l->in, size(why_number(s->exchange, "bytes_in")).text);
    why_item_add(&sizes, s->l, s->l->out, size(why_number(s->exchange, "bytes_out")).text);
    output_row(&s->o, s->l->sizes, sizes.text);
}

void why_text(FILE *out, const json_t *exchange, enum language language)
{
    const struct why_labels *l = &why_labels[language];
    struct why_story s = {
        .exchange = exchange,
        .explanation = json_object_get(exchange, "explanation"),
        .l = l,
        .status = status_of(exchange, l),
        .reason = why_member(exchange, "reason", 60),
        .failed = json_is_true(json_object_get(exchange, "failed")),
    };

    output_init(&s.o, out);
    heading_text(&s);
    request_text(&s);
    words_text(&s);
    why_path(&s);
    why_upstream(&s);
    output_heading(&s.o, l->details, "");
    reason_text(&s);
    by_text(&s);
    times_text(&s);
    sizes_text(&s);
    output_row(&s.o, "traceparent", why_member(exchange, "traceparent", 80).text);
    output_row(&s.o, l->source, why_member(exchange, "source", 80).text);
}
