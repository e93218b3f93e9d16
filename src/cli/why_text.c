#include <inttypes.h>
#include <stdarg.h>

#include "cli/output.h"
#include "cli/printable.h"
#include "cli/why_impl.h"
#include "reason/reason.h"

#define BLOCK_AT        2u /* columns of the path: block, mark of the last node, answer, words */
#define MARK_AT         15u
#define ANSWER_AT       (MARK_AT + 2u)
#define WORDS_AT        23u
#define FACT_COLUMNS    57u /* what is left of a line behind WORDS_AT */
#define VALUE_COLUMNS   240u
#define ROW_AT          18u /* where the texts of rows begin */
#define EXCERPT_BEFORE  24u /* bytes shown before a refused one; each may take four columns */
#define EXCERPT_COLUMNS 60u
#define WHOLE           1000u /* a text of ours */

/* A text that is fit for a terminal; room for WHOLE columns of letters. */
struct shown {
    char text[2048];
};

static const char *const answer_names[ANSWERS] = { "yes", "no", "done", "stopped", "waits" };
static const char *const phase_names[PHASES] = { "queue", "head", "content", "first_byte", "total" };

/* What every part of the story needs. */
struct story {
    struct output o;
    const json_t *exchange, *explanation;
    const struct why_labels *l;
    struct shown status, reason; /* as sent; the reason's name */
    bool failed;
};

static struct span span_of_json(const json_t *string)
{
    const char *p = json_string_value(string);

    return (struct span){ p, p != NULL ? json_string_length(string) : 0 };
}

static struct shown shown(struct span text, size_t columns)
{
    struct shown s;

    printable(text, columns, s.text, sizeof s.text);
    return s;
}

static struct shown member(const json_t *object, const char *name, size_t columns)
{
    return shown(span_of_json(json_object_get(object, name)), columns);
}

static uint64_t number(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 ? (uint64_t)n : 0;
}

/* `items` grows by one more, behind a comma unless it is the first. */
__attribute__((format(printf, 3, 4))) static void item_add(struct shown *items, const struct why_labels *l,
                                                           const char *format, ...)
{
    size_t n = strlen(items->text);
    va_list arguments;

    if (n > 0)
        n += (size_t)snprintf(items->text + n, sizeof items->text - n, "%s", l->comma);
    if (n >= sizeof items->text)
        return;
    va_start(arguments, format);
    vsnprintf(items->text + n, sizeof items->text - n, format, arguments);
    va_end(arguments);
}

static size_t columns_of(const char *text)
{
    return output_width(span_of(text));
}

static void feed_columns(struct story *s, size_t at, size_t to)
{
    fprintf(s->o.file, "%*s", (int)(at < to ? to - at : 1), "");
}

static struct shown milliseconds(uint64_t ms)
{
    struct shown s;

    if (ms < 10000)
        snprintf(s.text, sizeof s.text, "%" PRIu64 " ms", ms);
    else
        snprintf(s.text, sizeof s.text, "%.1f s", (double)ms / 1000);
    return s;
}

static struct shown size(uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    double n = (double)bytes / 1024;
    size_t unit = 0;
    struct shown s;

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
static struct shown status_of(const json_t *exchange, const struct why_labels *l)
{
    struct span line = span_of_json(json_object_get(json_object_get(exchange, "reply"), "line"));
    struct shown detail = member(exchange, "detail", 16), s, sent;
    size_t space = span_find(line, ' ');

    if (number(exchange, "status") == 0)
        sent = shown(span_of(l->nothing_sent), WHOLE);
    else if (space + 1 < line.n)
        sent = shown(span_from(line, space + 1), 40);
    else
        snprintf(sent.text, sizeof sent.text, "%" PRIu64, number(exchange, "status"));
    snprintf(s.text, sizeof s.text, detail.text[0] != '\0' ? "%.1000s (%.100s)" : "%.1000s", sent.text, detail.text);
    return s;
}

/* Status, reason, and at the right end the id. */
static void heading_text(struct story *s)
{
    struct shown id = member(s->exchange, "id", 16);
    size_t used = columns_of(s->status.text) + columns_of(s->l->colon) + columns_of(s->reason.text);
    size_t id_at = OUTPUT_COLUMNS - columns_of(id.text);

    output_styled(&s->o, s->failed ? OUTPUT_RED : OUTPUT_BOLD, s->status.text);
    fputs(s->l->colon, s->o.file);
    output_styled(&s->o, OUTPUT_BOLD, s->reason.text);
    feed_columns(s, used, id_at);
    output_styled(&s->o, OUTPUT_DIM, id.text);
    fputc('\n', s->o.file);
}

/* "2026-11-21 06:32:14.123 UTC" */
static struct shown time_of(const json_t *exchange)
{
    struct shown s = member(exchange, "time", 40);
    char *t = strchr(s.text, 'T'), *z = strchr(s.text, 'Z');

    if (t != NULL)
        *t = ' ';
    if (z != NULL)
        strcpy(z, " UTC");
    return s;
}

/* What was asked for; of a head that could not be read, its beginning. */
static struct shown asked(const json_t *exchange)
{
    struct shown method = member(exchange, "method", 32), target = member(exchange, "target", VALUE_COLUMNS);
    struct shown protocol = member(exchange, "protocol", 16), s;

    if (method.text[0] == '\0')
        return member(json_object_get(exchange, "request"), "line", VALUE_COLUMNS);
    snprintf(s.text, sizeof s.text, "%.200s %.1000s %.100s", method.text, target.text, protocol.text);
    return s;
}

/* When, who, what and where, in a line, or in two. */
static void request_text(struct story *s)
{
    struct shown when = time_of(s->exchange), client = member(s->exchange, "client", 60), what = asked(s->exchange);
    struct shown site = member(s->exchange, "site", 80);
    size_t columns;

    if (site.text[0] == '\0')
        site = shown(span_of(s->l->no_site), WHOLE);
    columns =
        2 + columns_of(when.text) + 2 + columns_of(client.text) + 2 + columns_of(what.text) + 2 + columns_of(site.text);
    if (columns <= OUTPUT_COLUMNS) {
        fprintf(s->o.file, "  %s  %s  %s  %s\n", when.text, client.text, what.text, site.text);
        return;
    }
    fprintf(s->o.file, "  %s  %s  %s\n  %s\n", when.text, client.text, site.text, what.text);
}

static void words_text(struct story *s)
{
    const json_t *broken = json_object_get(s->exchange, "broken_explanation");
    struct shown name = member(broken, "reason", 64), what = member(broken, "what", WHOLE), both;

    if (s->explanation != NULL)
        fputc('\n', s->o.file);
    output_row(&s->o, s->l->what, member(s->explanation, "what", WHOLE).text);
    output_row(&s->o, s->l->todo, member(s->explanation, "todo", WHOLE).text);
    if (name.text[0] == '\0')
        return;
    snprintf(both.text, sizeof both.text, "%.200s%s%.1500s", name.text, s->l->colon, what.text);
    output_row(&s->o, s->l->broken, both.text);
    output_row(&s->o, s->l->todo, member(broken, "todo", WHOLE).text);
}

/* What decided a question; for a step, also what it waited. */
static struct shown facts_of(const struct story *s, const json_t *node)
{
    const json_t *waits = json_object_get(s->exchange, "waits"), *item;
    struct span name = span_of_json(json_object_get(node, "node"));
    struct shown facts = { "" };
    size_t i;

    json_array_foreach(json_object_get(node, "facts"), i, item)
    {
        struct shown fact = member(item, "name", FACT_COLUMNS / 2);
        struct shown value = member(item, "value", FACT_COLUMNS - columns_of(fact.text) - 3);

        item_add(&facts, s->l, "%s%s%s", fact.text, s->l->colon, value.text);
    }
    json_array_foreach(waits, i, item)
    {
        if (name.n > 0 && span_is(span_of_json(json_object_get(item, "what")), name))
            item_add(&facts, s->l, s->l->waited, milliseconds(number(item, "ms")).text);
    }
    return facts;
}

static enum why_answer answer_of(const json_t *node)
{
    struct span answer = span_of_json(json_object_get(node, "answer"));
    enum why_answer a = 0;

    while (a < ANSWER_WAITS && !span_is(answer, span_of(answer_names[a])))
        a++;
    return a;
}

/* One question or step: where it is not the last, a quiet answer, the words, and beside or below them the facts. */
static void node_text(struct story *s, const json_t *node, struct span block_before, bool last)
{
    struct span block = span_of_json(json_object_get(node, "block"));
    struct shown name = shown(span_is(block, block_before) ? SPAN("") : block, MARK_AT - BLOCK_AT);
    struct shown words = member(node, "text", WHOLE), facts = facts_of(s, node);
    const char *answer = s->l->answers[answer_of(node)];
    enum output_style style = !last ? OUTPUT_DIM : s->failed ? OUTPUT_RED : OUTPUT_BOLD;
    size_t words_end = WORDS_AT + columns_of(words.text), facts_at = words_end + 2;

    feed_columns(s, 0, BLOCK_AT);
    if (name.text[0] != '\0')
        output_styled(&s->o, OUTPUT_DIM, name.text);
    feed_columns(s, BLOCK_AT + columns_of(name.text), MARK_AT);
    output_styled(&s->o, style, last ? "> " : "  ");
    output_styled(&s->o, style, answer);
    feed_columns(s, ANSWER_AT + columns_of(answer), WORDS_AT);
    if (facts.text[0] != '\0' && facts_at + columns_of(facts.text) <= OUTPUT_COLUMNS) {
        fprintf(s->o.file, "%s  ", words.text);
        output_wrapped(&s->o, OUTPUT_DIM, facts_at, WORDS_AT, facts.text);
        return;
    }
    output_wrapped(&s->o, OUTPUT_PLAIN, WORDS_AT, WORDS_AT, words.text);
    if (facts.text[0] == '\0')
        return;
    feed_columns(s, 0, WORDS_AT);
    output_wrapped(&s->o, OUTPUT_DIM, WORDS_AT, WORDS_AT, facts.text);
}

/* Below the last node: what it found, and what that led to. */
static void end_text(struct story *s, const json_t *node)
{
    struct shown says = member(node, "says", WHOLE), end;

    if (says.text[0] != '\0')
        output_paragraph(&s->o, WORDS_AT, says.text);
    snprintf(end.text, sizeof end.text, "%.1000s%s%.200s", s->status.text, s->l->colon, s->reason.text);
    feed_columns(s, 0, WORDS_AT);
    output_wrapped(&s->o, s->failed ? OUTPUT_RED : OUTPUT_BOLD, WORDS_AT, WORDS_AT, end.text);
}

static void path_text(struct story *s)
{
    const json_t *path = json_object_get(s->exchange, "path"), *node;
    size_t i, count = json_array_size(path);
    struct span block = SPAN("");

    output_heading(&s->o, s->l->path, "");
    if (count == 0)
        output_paragraph(&s->o, BLOCK_AT, s->l->no_path);
    json_array_foreach(path, i, node)
    {
        node_text(s, node, block, i + 1 == count);
        block = span_of_json(json_object_get(node, "block"));
    }
    if (count > 0)
        end_text(s, json_array_get(path, count - 1));
}

static bool is_from(struct span source, const char *folder)
{
    return source.n > 0 && memmem(source.p, source.n, folder, strlen(folder)) != NULL;
}

/* The request line around the byte that was refused, and a mark below that. Only where bytes are columns, and none has
 * been taken out or put in: then the line is as it came. */
static void excerpt_text(struct story *s, uint64_t at)
{
    struct span line = span_of_json(json_object_get(json_object_get(s->exchange, "request"), "line"));
    size_t from = at > EXCERPT_BEFORE ? at - EXCERPT_BEFORE : 0;

    if (at >= line.n || memmem(line.p, line.n, "[removed]", 9) != NULL)
        return;
    for (size_t i = 0; i <= at; i++)
        if ((unsigned char)line.p[i] >= 0x80)
            return;
    feed_columns(s, 0, ROW_AT);
    fprintf(s->o.file, "%s\n", shown(span_from(line, from), EXCERPT_COLUMNS).text);
    feed_columns(s, 0, ROW_AT + columns_of(shown((struct span){ line.p + from, at - from }, WHOLE).text));
    output_wrapped(&s->o, OUTPUT_RED, 0, 0, "^");
}

/* The number of a verdict is a place in the head while that is read, a place in the content, or an error of the system. */
static void place_text(struct story *s)
{
    const json_t *path = json_object_get(s->exchange, "path");
    const json_t *last = json_array_get(path, json_array_size(path) - 1);
    struct span source = span_of_json(json_object_get(s->exchange, "source"));
    uint64_t at = number(s->exchange, "at");
    enum reason why = reason_find(span_of(s->reason.text));
    bool is_syntax = why != R_NONE && reason_info(why)->id / 1000 == 2;
    bool in_head = span_is(span_of_json(json_object_get(last, "block")), SPAN("arrive"));
    struct shown place = { "" };

    if (in_head && is_syntax)
        snprintf(place.text, sizeof place.text, s->l->in_head, at);
    else if (at > 0 && (is_from(source, "wire/") || is_from(source, "http/")))
        snprintf(place.text, sizeof place.text, in_head ? s->l->in_head : s->l->in_content, at);
    else if (at > 0 && is_from(source, "res/") && strerrorname_np((int)at) != NULL)
        snprintf(place.text, sizeof place.text, "%s%s%s", strerrorname_np((int)at), s->l->colon, strerror((int)at));
    output_row(&s->o, s->l->at, place.text);
    if (in_head && is_syntax)
        excerpt_text(s, at);
}

static void codes_text(struct story *s)
{
    const json_t *codes = json_object_get(s->explanation, "codes");
    struct shown all = { "" };
    const char *name;
    json_t *code;

    json_object_foreach((json_t *)codes, name, code)
    {
        item_add(&all, s->l, "%s %s", shown(span_of(name), 20).text, shown(span_of_json(code), 20).text);
    }
    output_row(&s->o, s->l->codes, all.text);
    output_row(&s->o, s->l->others, member(s->explanation, "others", VALUE_COLUMNS).text);
}

/* Whether it passes is told where that is known. */
static void reason_text(struct story *s)
{
    struct shown title = member(s->explanation, "title", 120), both, lasts = member(s->explanation, "lasts", 16);
    struct shown spec = member(s->explanation, "spec", 80);

    snprintf(both.text, sizeof both.text, "%.200s%s%.1000s", s->reason.text, s->l->colon, title.text);
    output_row(&s->o, s->l->reason, title.text[0] != '\0' ? both.text : s->reason.text);
    output_row(&s->o, s->l->about, member(s->exchange, "operand", VALUE_COLUMNS).text);
    place_text(s);
    codes_text(s);
    if (strcmp(lasts.text, "temporary") == 0)
        output_row(&s->o, s->l->lasts, s->l->temporary);
    else if (strcmp(lasts.text, "permanent") == 0)
        output_row(&s->o, s->l->lasts, s->l->permanent);
    output_row(&s->o, s->l->spec, strcmp(spec.text, "local") == 0 ? s->l->no_rfc : spec.text);
}

static void by_text(struct story *s)
{
    struct shown resource = member(s->exchange, "resource", 40), route = member(s->exchange, "route", 80);
    struct shown dialect = member(s->exchange, "dialect", 16), by = { "" };

    if (resource.text[0] != '\0')
        item_add(&by, s->l, "%s", resource.text);
    if (route.text[0] != '\0')
        item_add(&by, s->l, s->l->route, route.text);
    if (dialect.text[0] != '\0' && strcmp(dialect.text, dialect_name(DIALECT_RFC)) != 0)
        item_add(&by, s->l, s->l->dialect, dialect.text);
    output_row(&s->o, s->l->by, by.text);
}

/* Phases that took no time are left away; the whole is always told. */
static void times_text(struct story *s)
{
    const json_t *phases = json_object_get(s->exchange, "phases"), *wait;
    struct shown times = { "" }, waits = { "" };
    size_t i;

    for (enum why_phase p = 0; p < PHASES; p++) {
        uint64_t ms = number(phases, phase_names[p]);

        if (ms > 0 || p == PHASE_TOTAL)
            item_add(&times, s->l, "%s %s", s->l->phases[p], milliseconds(ms).text);
    }
    if (json_is_true(json_object_get(s->exchange, "slow")))
        item_add(&times, s->l, "%s", s->l->slow);
    json_array_foreach(json_object_get(s->exchange, "waits"), i, wait)
    {
        item_add(&waits, s->l, "%s %s", member(wait, "what", 20).text, milliseconds(number(wait, "ms")).text);
    }
    output_row(&s->o, s->l->times, times.text);
    output_row(&s->o, s->l->waits, waits.text);
}

static void sizes_text(struct story *s)
{
    struct shown sizes = { "" };

    item_add(&sizes, s->l, s->l->in, size(number(s->exchange, "bytes_in")).text);
    item_add(&sizes, s->l, s->l->out, size(number(s->exchange, "bytes_out")).text);
    output_row(&s->o, s->l->sizes, sizes.text);
}

void why_text(FILE *out, const json_t *exchange, enum language language)
{
    const struct why_labels *l = &why_labels[language];
    struct story s = {
        .exchange = exchange,
        .explanation = json_object_get(exchange, "explanation"),
        .l = l,
        .status = status_of(exchange, l),
        .reason = member(exchange, "reason", 60),
        .failed = json_is_true(json_object_get(exchange, "failed")),
    };

    output_init(&s.o, out);
    heading_text(&s);
    request_text(&s);
    words_text(&s);
    path_text(&s);
    output_heading(&s.o, l->details, "");
    reason_text(&s);
    by_text(&s);
    times_text(&s);
    sizes_text(&s);
    output_row(&s.o, "traceparent", member(exchange, "traceparent", 80).text);
    output_row(&s.o, l->source, member(exchange, "source", 80).text);
}
