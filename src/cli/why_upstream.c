#include "cli/why_impl.h"

#define NAME_COLUMNS 96u

static const char *const try_phase_names[TRY_PHASES] = { "connect", "send", "head" };

/* "app (127.0.0.1:3000)", or the name alone: a proxy's upstream is its only server. */
static struct why_shown who(const json_t *upstream, const json_t *try)
{
    struct why_shown name = why_member(upstream, "name", NAME_COLUMNS),
                     server = why_member(try, "server", NAME_COLUMNS), both;

    if (server.text[0] == '\0' || strcmp(server.text, name.text) == 0)
        return name;
    snprintf(both.text, sizeof both.text, "%.900s (%.900s)", name.text, server.text);
    return both;
}

/* Of an answer that no upstream gave. */
static const char *own_answer(const struct why_story *s, size_t tries)
{
    if (why_number(s->exchange, "status") == 0)
        return s->l->by_nobody;
    return tries > 0 ? s->l->by_self : s->l->by_self_unasked;
}

static void answer_text(struct why_story *s, const json_t *upstream, const json_t *tries)
{
    size_t count = json_array_size(tries);
    bool relayed = span_is(why_span(json_object_get(upstream, "by")), SPAN("upstream"));
    uint64_t status = why_number(upstream, "status");
    struct why_shown text = { "" };

    if (relayed)
        why_item_add(&text, s->l, s->l->by_upstream, who(upstream, json_array_get(tries, count - 1)).text);
    else
        why_item_add(&text, s->l, own_answer(s, count), who(upstream, NULL).text);
    if (status > 0)
        why_item_add(&text, s->l, s->l->status_was, (unsigned)status);
    output_paragraph(&s->o, 2, text.text);
}

/* How it went: where there is neither a reason nor an answer, nobody waited for one any more. */
static const char *outcome_of(const struct why_story *s, const json_t *upstream, const struct why_shown *reason,
                              bool last)
{
    if (reason->text[0] != '\0')
        return reason->text;
    return last && why_number(upstream, "status") == 0 ? s->l->cut_off : s->l->answered;
}

/* Why it was repeated, or not: the question that decided it, with its answer. */
static void again_text(struct why_story *s, const json_t *try)
{
    const json_t *because = json_object_get(try, "because");
    struct why_shown question = why_member(because, "text", WHY_WHOLE), answer = why_member(because, "says", WHY_WHOLE),
                     both, text = { "" };

    if (question.text[0] == '\0')
        return;
    snprintf(both.text, sizeof both.text, "%.900s %.900s", question.text, answer.text);
    why_item_add(&text, s->l, json_is_true(json_object_get(try, "again")) ? s->l->repeated : s->l->not_repeated,
                 both.text);
    output_row(&s->o, "", text.text);
}

static void try_text(struct why_story *s, const json_t *upstream, const json_t *try, size_t number, bool last)
{
    struct why_shown label = { "" }, text = { "" }, times = { "" };
    struct why_shown server = why_member(try, "server", NAME_COLUMNS), reason = why_member(try, "reason", 60);
    bool kept = json_is_true(json_object_get(try, "kept"));

    why_item_add(&label, s->l, s->l->try_number, (unsigned)number);
    if (server.text[0] != '\0') {
        why_item_add(&text, s->l, "%s", server.text);
        why_item_add(&text, s->l, "%s", kept ? s->l->kept : s->l->fresh);
    }
    why_item_add(&text, s->l, "%s", outcome_of(s, upstream, &reason, last));
    output_row(&s->o, label.text, text.text);
    for (enum why_try_phase p = 0; p < TRY_PHASES; p++)
        if (why_number(try, try_phase_names[p]) > 0)
            why_item_add(&times, s->l, "%s %s", s->l->try_phases[p],
                         why_milliseconds(why_number(try, try_phase_names[p])).text);
    output_row(&s->o, "", times.text);
    again_text(s, try);
}

void why_upstream(struct why_story *s)
{
    const json_t *upstream = json_object_get(s->exchange, "upstream"), *tries = json_object_get(upstream, "tries"),
                 *try;
    size_t i, count = json_array_size(tries);

    if (!json_is_object(upstream))
        return;
    output_heading(&s->o, s->l->upstream, "");
    answer_text(s, upstream, tries);
    json_array_foreach(tries, i, try)
    {
        try_text(s, upstream, try, i + 1, i + 1 == count);
    }
}
