/* The list of variants, for 300 and 406. RFC9110:15.4.1, 15.5.7 */
#include <stdlib.h>

#include "res/file/file_impl.h"
#include "res/file/text.h"
#include "res/file/words.h"

static void put_attribute(struct file_text *t, struct span name, struct span value)
{
    if (value.n == 0)
        return;
    file_text_put(t, name);
    file_text_put_markup(t, value);
    file_text_put(t, SPAN("\""));
}

static void put_row(struct file_text *t, const struct file_variant *v, struct span link)
{
    put_attribute(t, SPAN("<tr><td><a rel=\"alternate\" href=\""), link);
    put_attribute(t, SPAN(" hreflang=\""), v->language);
    put_attribute(t, SPAN(" type=\""), v->type);
    file_text_put(t, SPAN(">"));
    file_text_put_markup(t, span_of(v->name));
    file_text_put(t, SPAN("</a><td>"));
    file_text_put_markup(t, v->type);
    file_text_put(t, SPAN("<td>"));
    file_text_put_markup(t, v->language);
    file_text_put(t, SPAN("<td class=\"n\">"));
    if (!v->negotiates)
        file_text_put_size(t, v->files[CODING_IDENTITY].length);
    file_text_put(t, SPAN("\n"));
}

static void put_cell(struct file_text *t, struct span word)
{
    file_text_put(t, SPAN("<th>"));
    file_text_put(t, word);
}

static bool is_reactive(const struct exchange *x)
{
    return x->policy->negotiation == NEGOTIATE_REACTIVE;
}

/* A 406 is an error, and tells what errors tell. */
static void put_refusal(struct file_text *t, struct exchange *x, const struct file_words *w)
{
    file_text_put(t, SPAN("<p>"));
    file_text_put(t, w->refused);
    file_text_put(t, SPAN("</p>\n<p><code>"));
    file_text_put(t, span_of(reason_info(R_not_acceptable)->name));
    file_text_put(t, SPAN("</code> <code>"));
    file_text_put(t, exchange_id(x));
    file_text_put(t, SPAN("</code></p>\n"));
}

static void put_html(struct file_text *t, struct exchange *x, const struct file_words *w)
{
    const struct file_entry *e = file_state(x)->entry;

    file_text_put(t, SPAN("<!doctype html>\n<html lang=\""));
    file_text_put(t, w->language);
    file_text_put(t, SPAN("\">\n"));
    file_text_put(t, file_words_style());
    file_text_put(t, SPAN("<title>"));
    file_text_put(t, w->choices);
    file_text_put(t, SPAN("</title>\n<h1>"));
    file_text_put(t, w->choices);
    file_text_put(t, SPAN("</h1>\n"));
    if (!is_reactive(x))
        put_refusal(t, x, w);
    file_text_put(t, SPAN("<table>\n<tr>"));
    put_cell(t, w->name);
    put_cell(t, w->type);
    put_cell(t, w->tongue);
    put_cell(t, w->size);
    file_text_put(t, SPAN("\n"));
    for (uint32_t i = 0; i < e->variant_count; i++)
        put_row(t, &e->variants[i], file_link(x, e->variants[i].name));
    file_text_put(t, SPAN("</table>\n"));
}

static void put_object(struct file_text *t, const struct file_variant *v, struct span link)
{
    file_text_put(t, SPAN("{\"href\":"));
    file_text_put_json(t, link);
    file_text_put(t, SPAN(",\"type\":"));
    file_text_put_json(t, v->type);
    if (v->language.n > 0) {
        file_text_put(t, SPAN(",\"language\":"));
        file_text_put_json(t, v->language);
    }
    if (!v->negotiates) {
        file_text_put(t, SPAN(",\"size\":"));
        file_text_put_number(t, v->files[CODING_IDENTITY].length);
    }
    file_text_put(t, SPAN("}"));
}

static void put_json(struct file_text *t, struct exchange *x)
{
    const struct file_entry *e = file_state(x)->entry;

    file_text_put(t, SPAN("{"));
    if (!is_reactive(x)) {
        file_text_put(t, SPAN("\"reason\":"));
        file_text_put_json(t, span_of(reason_info(R_not_acceptable)->name));
        file_text_put(t, SPAN(",\"lasts\":\"permanent\",\"id\":"));
        file_text_put_json(t, exchange_id(x));
        file_text_put(t, SPAN(",\n"));
    }
    file_text_put(t, SPAN("\"variants\":["));
    for (uint32_t i = 0; i < e->variant_count; i++) {
        file_text_put(t, i > 0 ? SPAN(",\n") : SPAN("\n"));
        put_object(t, &e->variants[i], file_link(x, e->variants[i].name));
    }
    file_text_put(t, SPAN("\n]}\n"));
}

/* One line for each variant. RFC8288:3 */
static void add_link(struct exchange *x, const struct file_variant *v)
{
    const struct span parts[] = { SPAN("<"),
                                  file_link(x, v->name),
                                  SPAN(">; rel=\"alternate\"; type=\""),
                                  { v->type.p, span_find(v->type, ';') },
                                  v->language.n > 0 ? SPAN("\"; hreflang=\"") : SPAN(""),
                                  v->language,
                                  SPAN("\"") };

    reply_add(x, SPAN("Link"), arena_join(&x->arena, parts, sizeof parts / sizeof parts[0]));
}

static void reply_page(struct exchange *x, bool as_json)
{
    const struct file_words *w = file_words_for(request_field(x, FIELD_ACCEPT_LANGUAGE));
    struct file_text t = { 0 };

    if (as_json)
        put_json(&t, x);
    else
        put_html(&t, x, w);
    if (t.failed)
        x->arena.full = true;
    else
        reply_memory(x, arena_copy(&x->arena, (struct span){ t.bytes, t.n }));
    free(t.bytes);
    reply_add(x, SPAN("Content-Type"), as_json ? SPAN("application/json") : SPAN("text/html; charset=utf-8"));
    if (!as_json)
        reply_add(x, SPAN("Content-Language"), w->language);
    reply_add(x, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
}

enum flow file_choices(struct exchange *x)
{
    const struct file_state *s = file_state(x);
    bool reactive = is_reactive(x);

    reply_page(x, file_words_json(request_field(x, FIELD_ACCEPT)));
    if (reactive && x->facts.acceptable && !s->variant->negotiates) /* RFC9110:15.4.1: the one we would prefer */
        reply_add(x, SPAN("Location"), file_link(x, s->variant->name));
    for (uint32_t i = 0; i < s->entry->variant_count; i++)
        add_link(x, &s->entry->variants[i]);
    file_fields(x, reactive ? R_multiple_choices : R_not_acceptable);
    return x->arena.full ? STOP(x, R_exchange_memory_exhausted, 0) : FLOW_GO;
}
