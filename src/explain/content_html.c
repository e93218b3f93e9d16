#include "explain/content_impl.h"
#include "http/escape.h"

/* The page brings all that it needs: it is shown when other things do not work. */
static const struct span style = SPAN_INIT(
    "<style>\n"
    ":root{color-scheme:light "
    "dark;--paper:#f4f5f7;--card:#fff;--ink:#1c2230;--soft:#5c6576;--line:#e1e5ec;--tint:#f7f8fa;--mark:#5c6576}\n"
    ".k3{--mark:#1f5fb0}.k4{--mark:#b45309}.k5{--mark:#b42318}\n"
    "@media(prefers-color-scheme:dark){\n"
    ":root{--paper:#101319;--card:#181c24;--ink:#e8ebf1;--soft:#9aa3b4;--line:#2b313d;--tint:#1e232d}\n"
    ".k3{--mark:#7db2f5}.k4{--mark:#eda45c}.k5{--mark:#f28b82}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;min-height:100vh;display:flex;padding:1.5rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.6 system-ui,sans-serif}\n"
    "main{margin:auto;width:100%;max-width:40rem;padding:2rem 2.25rem;background:var(--card);"
    "border:1px solid var(--line);border-top:4px solid var(--mark);border-radius:.75rem}\n"
    "header{color:var(--mark);font-weight:600}header b{font-size:2.5rem;line-height:1;letter-spacing:-.02em;"
    "margin-right:.35rem}\n"
    "h1{font-size:1.3rem;line-height:1.4;margin:1rem 0 1.25rem;font-weight:600;text-wrap:balance}\n"
    ".do{background:var(--tint);border-left:3px solid var(--mark);border-radius:.25rem;padding:.7rem "
    "1rem;margin:1.25rem 0}\n"
    ".do b{display:block;font-size:.8rem;color:var(--soft)}\n"
    "dl{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1.25rem;margin:0;font-size:.9rem}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}code{font:.95em ui-monospace,monospace}\n"
    "a{color:inherit}ul{padding-left:1.25rem}li{overflow-wrap:anywhere}small{color:var(--soft)}\n"
    "</style>\n");

static void row(struct bounded *b, struct span label, struct content_cut value, bool is_code)
{
    if (value.text.n == 0)
        return;
    bounded_put(b, SPAN("<dt>"));
    bounded_put(b, label);
    bounded_put(b, is_code ? SPAN("</dt><dd><code>") : SPAN("</dt><dd>"));
    content_put_cut(b, value, escape_markup);
    bounded_put(b, is_code ? SPAN("</code></dd>\n") : SPAN("</dd>\n"));
}

static void head(struct bounded *b, const struct content_facts *f)
{
    bounded_put(b, SPAN("<!doctype html>\n<html lang=\""));
    bounded_put(b, span_of(explain_language_tag(f->language)));
    bounded_put(b, SPAN("\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"));
    bounded_put(b, span_of(f->code));
    bounded_put(b, SPAN(" "));
    content_put(b, f->phrase.n > 0 ? f->phrase : f->name, escape_markup);
    bounded_put(b, SPAN("</title>\n"));
    bounded_put(b, style);
    bounded_put(b, SPAN("</head>\n"));
}

static void sentence(struct bounded *b, const struct content_facts *f)
{
    bounded_put(b, SPAN("<header><b>"));
    bounded_put(b, span_of(f->code));
    bounded_put(b, SPAN("</b>"));
    content_put(b, f->phrase, escape_markup);
    bounded_put(b, SPAN("</header>\n<h1>"));
    content_put(b, f->what, escape_markup);
    bounded_put(b, SPAN("</h1>\n"));
    if (f->note.text.n > 0) {
        bounded_put(b, SPAN("<p>"));
        content_put_cut(b, f->note, escape_markup);
        bounded_put(b, SPAN("</p>\n"));
    }
}

static void link_to(struct bounded *b, const struct content_facts *f)
{
    if (f->link.text.n == 0)
        return;
    bounded_put(b, SPAN("<p>"));
    bounded_put(b, f->words->to);
    bounded_put(b, f->words->colon);
    bounded_put(b, SPAN("<a href=\""));
    content_put(b, f->in->link_to, escape_markup);
    bounded_put(b, SPAN("\">"));
    content_put_cut(b, f->link, escape_markup);
    bounded_put(b, SPAN("</a></p>\n"));
}

static void next(struct bounded *b, const struct content_facts *f)
{
    bounded_put(b, SPAN("<p class=\"do\"><b>"));
    bounded_put(b, f->words->next);
    bounded_put(b, SPAN("</b>"));
    content_put(b, f->next, escape_markup);
    bounded_put(b, SPAN("</p>\n"));
}

static void attribute(struct bounded *b, struct span name, struct span value)
{
    if (value.n == 0)
        return;
    bounded_put(b, name);
    content_put(b, value, escape_markup);
    bounded_put(b, SPAN("\""));
}

static void alternative(struct bounded *b, const struct alternative *a)
{
    attribute(b, SPAN("<li><a rel=\"alternate\" href=\""), a->uri);
    attribute(b, SPAN(" hreflang=\""), a->language);
    attribute(b, SPAN(" type=\""), a->type);
    bounded_put(b, SPAN(">"));
    content_put(b, a->name, escape_markup);
    bounded_put(b, SPAN("</a> <small>"));
    content_put(b, a->type, escape_markup);
    if (a->language.n > 0)
        bounded_put(b, SPAN(" · "));
    content_put(b, a->language, escape_markup);
    if (a->has_length) {
        bounded_put(b, SPAN(" · "));
        bounded_put_number(b, a->length);
        bounded_put(b, SPAN(" B"));
    }
    bounded_put(b, SPAN("</small></li>\n"));
}

static void alternatives(struct bounded *b, const struct content_facts *f)
{
    if (f->in->alternative_count == 0)
        return;
    bounded_put(b, SPAN("<p>"));
    bounded_put(b, f->words->alternatives);
    bounded_put(b, span_trim(f->words->colon));
    bounded_put(b, SPAN("</p>\n<ul>\n"));
    for (uint32_t i = 0; i < f->in->alternative_count; i++)
        alternative(b, &f->in->alternatives[i]);
    bounded_put(b, SPAN("</ul>\n"));
}

/* The id leads to the place that tells why. */
static void id_row(struct bounded *b, const struct content_facts *f)
{
    if (!f->has_why) {
        row(b, f->words->id, (struct content_cut){ f->in->id, false }, true);
        return;
    }
    bounded_put(b, SPAN("<dt>"));
    bounded_put(b, f->words->id);
    bounded_put(b, SPAN("</dt><dd><code><a href=\""));
    content_put_why(b, f, escape_markup);
    bounded_put(b, SPAN("\">"));
    content_put(b, f->in->id, escape_markup);
    bounded_put(b, SPAN("</a></code></dd>\n"));
}

static void rows(struct bounded *b, const struct content_facts *f)
{
    const struct content_words *w = f->words;

    bounded_put(b, SPAN("<dl>\n"));
    row(b, w->path, f->path, true);
    row(b, f->about, f->operand, true);
    row(b, w->at, (struct content_cut){ span_of(f->at), false }, true);
    row(b, w->versions, (struct content_cut){ f->versions, false }, true);
    row(b, w->lasts, (struct content_cut){ f->lasts, false }, false);
    row(b, w->reason, (struct content_cut){ f->name, false }, true);
    id_row(b, f);
    bounded_put(b, SPAN("</dl>\n"));
}

void content_html(struct bounded *b, const struct content_facts *f)
{
    head(b, f);
    bounded_put(b, SPAN("<body>\n<main class=\"k"));
    bounded_put_number(b, f->in->status / 100);
    bounded_put(b, SPAN("\">\n"));
    sentence(b, f);
    link_to(b, f);
    next(b, f);
    alternatives(b, f);
    rows(b, f);
    bounded_put(b, SPAN("</main>\n</body>\n</html>\n"));
}
