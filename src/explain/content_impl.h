#ifndef EXPLAIN_CONTENT_IMPL_H
#define EXPLAIN_CONTENT_IMPL_H

#include "base/bounded.h"
#include "explain/content.h"

/* Text that may have been cut to its bound. */
struct content_cut {
    struct span text;
    bool cut;
};

/* The words around the facts, in one language. */
struct content_words {
    struct span reason, path, about, limit, field, at, lasts, next, to, versions, note, id, alternatives;
    struct span colon, open, close, space; /* between two sentences: space */
    struct span lasting[PERMANENT + 1];    /* by enum lasts */
    struct span until_room;                /* instead of TEMPORARY, where room is what is missing */
};

/* What all formats say, each in its own way. */
struct content_facts {
    const struct explain_input *in;
    const struct content_words *words;
    enum language language;
    char code[24];      /* "404", "404.10" in IIS, "530 (error 1016)" in Cloudflare */
    struct span phrase; /* may be empty */
    struct span name, what, next;
    bool is_error;
    struct content_cut operand, path, note, link;
    struct span about;    /* label of the operand */
    struct span lasts;    /* empty for what is no error */
    char at[12];          /* empty when it is not known */
    bool has_why;         /* there is a place where the id can be looked up */
    struct span versions; /* of HTTP that are spoken, when the reason is about them */
};

/* Each writes the whole content; called twice, first to count. */
void content_html(struct bounded *b, const struct content_facts *f);
void content_problem(struct bounded *b, const struct content_facts *f);
void content_text(struct bounded *b, const struct content_facts *f);

/* How an escape of http/escape.h is called. */
typedef size_t (*content_escape_fn)(struct span in, char *out, size_t room);

static inline void content_put(struct bounded *b, struct span s, content_escape_fn escape)
{
    size_t room = b->bytes < b->room ? b->room - b->bytes : 0;

    b->bytes += escape(s, room > 0 ? b->out + b->bytes : NULL, room);
}

static inline void content_put_cut(struct bounded *b, struct content_cut c, content_escape_fn escape)
{
    content_put(b, c.text, escape);
    if (c.cut)
        bounded_put(b, SPAN("…"));
}

/* The address of the exchange in the console, if has_why. */
static inline void content_put_why(struct bounded *b, const struct content_facts *f, content_escape_fn escape)
{
    content_put(b, f->in->console, escape);
    bounded_put(b, SPAN("#id="));
    content_put(b, f->in->id, escape);
}

#endif
