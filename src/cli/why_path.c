#include <stdlib.h>

#include "cli/why_impl.h"

#define BLOCK_AT     2u /* columns: block, mark of the last node, answer, words */
#define MARK_AT      15u
#define ANSWER_AT    (MARK_AT + 2u)
#define WORDS_AT     23u
#define FACT_COLUMNS 57u /* what is left of a line behind WORDS_AT */

static const char *const answer_names[ANSWERS] = { "yes", "no", "done", "stopped", "waits" };

static bool ends_with(const char *text, const char *end)
{
    return span_ends(span_of(text), span_of(end));
}

/* Is the fact worth its place? Not what the answer says itself, not what was there already, not what the details tell. */
static bool is_news(const struct why_story *s, const char *name, const json_t *value, bool last)
{
    static const char *const elsewhere[] = { "operand", "offset", "errno", "bytes_in", "field_lines", "head_ms" };
    const char *text = json_string_value(value);

    if (name == NULL || text == NULL || strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return false;
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (strcmp(name, elsewhere[i]) == 0)
            return false;
    if (strcmp(text, "0") == 0 && (!last || ends_with(name, "_ms")))
        return false;
    return last || !json_equal(json_object_get(s->told, name), value);
}

/* "open 3 ms", "path bytes: 12", "If-Match: \"a\"" */
static void fact_add(struct why_shown *facts, const struct why_story *s, const char *name, const json_t *value)
{
    struct why_shown fact = why_shown(span_of(name), FACT_COLUMNS / 2);
    struct why_shown text = why_shown(why_span(value), FACT_COLUMNS - why_columns(fact.text) - 3);

    if (ends_with(fact.text, "_ms")) {
        fact.text[strlen(fact.text) - 3] = '\0';
        why_item_add(facts, s->l, "%s %s", fact.text, why_milliseconds(strtoull(text.text, NULL, 10)).text);
        return;
    }
    for (char *p = fact.text; (p = strchr(p, '_')) != NULL;)
        *p = ' ';
    why_item_add(facts, s->l, "%s: %s", fact.text, text.text);
}

/* What decided a question or came of a step; each fact once, but all of them where it ended. */
static struct why_shown facts_of(const struct why_story *s, const json_t *node, bool last)
{
    struct why_shown facts = { "" };
    const json_t *fact;
    size_t i;

    json_array_foreach(json_object_get(node, "facts"), i, fact)
    {
        const char *name = json_string_value(json_object_get(fact, "name"));
        json_t *value = json_object_get(fact, "value");

        if (!is_news(s, name, value, last))
            continue;
        fact_add(&facts, s, name, value);
        json_object_set(s->told, name, value);
    }
    return facts;
}

const json_t *why_fact(const json_t *node, const char *name)
{
    const json_t *fact;
    size_t i;

    json_array_foreach(json_object_get(node, "facts"), i, fact)
    {
        if (span_is(why_span(json_object_get(fact, "name")), span_of(name)))
            return json_object_get(fact, "value");
    }
    return NULL;
}

static enum why_answer answer_of(const json_t *node)
{
    struct span answer = why_span(json_object_get(node, "answer"));
    enum why_answer a = 0;

    while (a < ANSWER_WAITS && !span_is(answer, span_of(answer_names[a])))
        a++;
    return a;
}

/* One question or step: where it is not the last, a quiet answer, the words, and beside or below them the facts. */
static void node_text(struct why_story *s, const json_t *node, struct span block_before, bool last)
{
    struct span block = why_span(json_object_get(node, "block"));
    struct why_shown name = why_shown(span_is(block, block_before) ? SPAN("") : block, MARK_AT - BLOCK_AT);
    struct why_shown words = why_member(node, "text", WHY_WHOLE), facts = facts_of(s, node, last);
    const char *answer = s->l->answers[answer_of(node)];
    enum output_style style = !last ? OUTPUT_DIM : s->failed ? OUTPUT_RED : OUTPUT_BOLD;
    size_t words_end = WORDS_AT + why_columns(words.text), facts_at = words_end + 2;

    why_feed(s, 0, BLOCK_AT);
    if (name.text[0] != '\0')
        output_styled(&s->o, OUTPUT_DIM, name.text);
    why_feed(s, BLOCK_AT + why_columns(name.text), MARK_AT);
    output_styled(&s->o, style, last ? "> " : "  ");
    output_styled(&s->o, style, answer);
    why_feed(s, ANSWER_AT + why_columns(answer), WORDS_AT);
    if (facts.text[0] != '\0' && facts_at + why_columns(facts.text) <= OUTPUT_COLUMNS) {
        fprintf(s->o.file, "%s  ", words.text);
        output_wrapped(&s->o, OUTPUT_DIM, facts_at, WORDS_AT, facts.text);
        return;
    }
    output_wrapped(&s->o, OUTPUT_PLAIN, WORDS_AT, WORDS_AT, words.text);
    if (facts.text[0] == '\0')
        return;
    why_feed(s, 0, WORDS_AT);
    output_wrapped(&s->o, OUTPUT_DIM, WORDS_AT, WORDS_AT, facts.text);
}

/* What came after the end of the way. */
static void broken_text(struct why_story *s)
{
    struct why_shown broken = why_member(s->exchange, "broken", 60), text;

    if (broken.text[0] == '\0')
        return;
    snprintf(text.text, sizeof text.text, "%s%s%.500s", s->l->broken, s->l->colon, broken.text);
    why_feed(s, 0, WORDS_AT);
    output_wrapped(&s->o, OUTPUT_RED, WORDS_AT, WORDS_AT, text.text);
}

/* Below the last node: what it found, and what that led to. */
static void end_text(struct why_story *s, const json_t *node)
{
    struct why_shown says = why_member(node, "says", WHY_WHOLE),
                     operand = why_member(s->exchange, "operand", FACT_COLUMNS - 2), end;
    bool has_operand = operand.text[0] != '\0';

    if (says.text[0] != '\0')
        output_paragraph(&s->o, WORDS_AT, says.text);
    snprintf(end.text, sizeof end.text, "%.1000s%s%.200s%s%.500s%s", s->status.text, s->l->colon, s->reason.text,
             has_operand ? " (" : "", operand.text, has_operand ? ")" : "");
    why_feed(s, 0, WORDS_AT);
    output_wrapped(&s->o, s->failed ? OUTPUT_RED : OUTPUT_BOLD, WORDS_AT, WORDS_AT, end.text);
    broken_text(s);
}

/* The facts that the line of the request has told. */
static void told_begin(struct why_story *s)
{
    static const char *const members[] = { "method", "target", "client", "site" };

    s->told = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set(s->told, members[i], json_object_get(s->exchange, members[i]));
    json_object_set(s->told, "version", json_object_get(s->exchange, "protocol"));
}

void why_path(struct why_story *s)
{
    const json_t *path = json_object_get(s->exchange, "path"), *node;
    size_t i, count = json_array_size(path);
    struct span block = SPAN("");

    told_begin(s);
    output_heading(&s->o, s->l->path, "");
    if (count == 0)
        output_paragraph(&s->o, BLOCK_AT, s->l->no_path);
    json_array_foreach(path, i, node)
    {
        node_text(s, node, block, i + 1 == count);
        block = why_span(json_object_get(node, "block"));
    }
    if (count > 0)
        end_text(s, json_array_get(path, count - 1));
    json_decref(s->told);
}
