#include "explain/content_impl.h"
#include "http/escape.h"

/* `,"name":"value"`; nothing for no value. */
static void member(struct bounded *b, const char *name, struct content_cut value)
{
    if (value.text.n == 0)
        return;
    bounded_put(b, SPAN(",\n  \""));
    bounded_put(b, span_of(name));
    bounded_put(b, SPAN("\": \""));
    content_put_cut(b, value, escape_json);
    bounded_put(b, SPAN("\""));
}

static void sure_member(struct bounded *b, const char *name, struct span value)
{
    member(b, name, (struct content_cut){ value, false });
}

/* What happened here: the sentence of the reason and, in it, what it is about. */
static void detail(struct bounded *b, const struct content_facts *f)
{
    bounded_put(b, SPAN(",\n  \"detail\": \""));
    content_put(b, f->what, escape_json);
    if (f->operand.text.n > 0) {
        bounded_put(b, f->words->open);
        content_put_cut(b, f->operand, escape_json);
        bounded_put(b, f->words->close);
    }
    if (f->note.text.n > 0) {
        bounded_put(b, f->words->space);
        content_put_cut(b, f->note, escape_json);
    }
    bounded_put(b, SPAN("\""));
}

static void alternative(struct bounded *b, const struct alternative *a)
{
    bounded_put(b, SPAN("\n    {\"href\": \""));
    content_put(b, a->uri, escape_json);
    bounded_put(b, SPAN("\", \"type\": \""));
    content_put(b, a->type, escape_json);
    if (a->language.n > 0)
        bounded_put(b, SPAN("\", \"language\": \""));
    content_put(b, a->language, escape_json);
    bounded_put(b, SPAN("\""));
    if (a->has_length) {
        bounded_put(b, SPAN(", \"size\": "));
        bounded_put_number(b, a->length);
    }
    bounded_put(b, SPAN("}"));
}

static void alternatives(struct bounded *b, const struct explain_input *in)
{
    if (in->alternative_count == 0)
        return;
    bounded_put(b, SPAN(",\n  \"alternatives\": ["));
    for (uint32_t i = 0; i < in->alternative_count; i++) {
        if (i > 0)
            bounded_put(b, SPAN(","));
        alternative(b, &in->alternatives[i]);
    }
    bounded_put(b, SPAN("\n  ]"));
}

/*
 * RFC9457:3.1. The type names the reason and the instance the exchange. Both are names and no addresses, so they are
 * the same on every host and nothing is promised to lie behind them.
 */
void content_problem(struct bounded *b, const struct content_facts *f)
{
    static const char *const lasting[] = {
        [UNKNOWN] = "unknown", [TEMPORARY] = "temporary", [PERMANENT] = "permanent"
    };

    bounded_put(b, SPAN("{\n  \"type\": \"urn:verdict:reason:"));
    bounded_put(b, f->name);
    bounded_put(b, SPAN("\",\n  \"title\": \""));
    content_put(b, f->language == LANGUAGE_EN ? span_of(reason_info(f->in->why)->text) : f->what, escape_json);
    bounded_put(b, SPAN("\",\n  \"status\": "));
    bounded_put_number(b, f->in->status);
    detail(b, f);
    if (f->in->id.n > 0) {
        bounded_put(b, SPAN(",\n  \"instance\": \"urn:verdict:exchange:"));
        content_put(b, f->in->id, escape_json);
        bounded_put(b, SPAN("\""));
    }
    sure_member(b, "reason", f->name);
    if (f->in->dialect == DIALECT_IIS && f->in->detail > 0)
        sure_member(b, "substatus", span_of(f->code));
    member(b, "path", f->path);
    member(b, "operand", f->operand);
    if (f->at[0] != '\0') {
        bounded_put(b, SPAN(",\n  \"at\": "));
        bounded_put(b, span_of(f->at));
    }
    sure_member(b, "supported", f->versions);
    sure_member(b, "location", f->in->link_to);
    alternatives(b, f->in);
    if (f->is_error)
        sure_member(b, "lasts", span_of(lasting[reason_info(f->in->why)->lasts]));
    sure_member(b, "next", f->next);
    sure_member(b, "id", f->in->id);
    if (f->has_why) {
        bounded_put(b, SPAN(",\n  \"why\": \""));
        content_put_why(b, f, escape_json);
        bounded_put(b, SPAN("\""));
    }
    bounded_put(b, SPAN("\n}\n"));
}
