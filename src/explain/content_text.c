#include "explain/content_impl.h"

/* A terminal may obey what is no text: the controls of ASCII and those that begin with C2 in UTF-8. */
static size_t escape_controls(struct span in, char *out, size_t room)
{
    struct bounded b = { out, room, 0 };

    for (size_t i = 0; i < in.n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        bool pair =
            c == 0xC2 && i + 1 < in.n && (unsigned char)in.p[i + 1] >= 0x80 && (unsigned char)in.p[i + 1] < 0xA0;

        if (c < 0x20 || c == 0x7F || pair)
            bounded_put(&b, SPAN("\xEF\xBF\xBD"));
        else
            bounded_put(&b, span_from((struct span){ in.p, i + 1 }, i));
        i += pair;
    }
    return b.bytes;
}

static void row(struct bounded *b, const struct content_facts *f, struct span label, struct content_cut value)
{
    if (value.text.n == 0)
        return;
    bounded_put(b, label);
    bounded_put(b, f->words->colon);
    content_put_cut(b, value, escape_controls);
    bounded_put(b, SPAN("\n"));
}

/* What we have written ourselves: nothing in it is to be escaped. */
static void own_row(struct bounded *b, const struct content_facts *f, struct span label, struct span value)
{
    if (value.n == 0)
        return;
    bounded_put(b, label);
    bounded_put(b, f->words->colon);
    bounded_put(b, value);
    bounded_put(b, SPAN("\n"));
}

/* "(text/html, en, 2228 B)" */
static void alternative(struct bounded *b, const struct alternative *a)
{
    bounded_put(b, SPAN("  "));
    content_put(b, a->uri, escape_controls);
    bounded_put(b, SPAN(" ("));
    bounded_put(b, a->type);
    if (a->language.n > 0)
        bounded_put(b, SPAN(", "));
    bounded_put(b, a->language);
    if (a->has_length) {
        bounded_put(b, SPAN(", "));
        bounded_put_number(b, a->length);
        bounded_put(b, SPAN(" B"));
    }
    bounded_put(b, SPAN(")\n"));
}

static void alternatives(struct bounded *b, const struct content_facts *f)
{
    if (f->in->alternative_count == 0)
        return;
    bounded_put(b, f->words->alternatives);
    bounded_put(b, span_trim(f->words->colon));
    bounded_put(b, SPAN("\n"));
    for (uint32_t i = 0; i < f->in->alternative_count; i++)
        alternative(b, &f->in->alternatives[i]);
}

/* "Id: 7k3v9c2q (https://console.example.org/#id=7k3v9c2q)" */
static void id_row(struct bounded *b, const struct content_facts *f)
{
    if (f->in->id.n == 0)
        return;
    bounded_put(b, f->words->id);
    bounded_put(b, f->words->colon);
    content_put(b, f->in->id, escape_controls);
    if (f->has_why) {
        bounded_put(b, SPAN(" ("));
        content_put_why(b, f, escape_controls);
        bounded_put(b, SPAN(")"));
    }
    bounded_put(b, SPAN("\n"));
}

void content_text(struct bounded *b, const struct content_facts *f)
{
    const struct content_words *w = f->words;

    bounded_put(b, span_of(f->code));
    if (f->phrase.n > 0)
        bounded_put(b, SPAN(" "));
    bounded_put(b, f->phrase);
    bounded_put(b, SPAN("\n\n"));
    bounded_put(b, f->what);
    bounded_put(b, SPAN("\n\n"));
    row(b, f, w->note, f->note);
    own_row(b, f, w->reason, f->name);
    row(b, f, w->path, f->path);
    row(b, f, f->about, f->operand);
    own_row(b, f, w->at, span_of(f->at));
    own_row(b, f, w->versions, f->versions);
    row(b, f, w->to, (struct content_cut){ f->in->link_to, false });
    own_row(b, f, w->lasts, f->lasts);
    own_row(b, f, w->next, f->next);
    alternatives(b, f);
    id_row(b, f);
}
