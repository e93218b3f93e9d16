#include "http/via.h"

#include "http/token.h"

/* Bytes of the quoted string or the comment (with comments in it) that s begins with; 0 when it is never closed. */
static size_t enclosed_length(struct span s)
{
    bool comment = s.p[0] == '(';
    size_t depth = 1;

    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (comment && s.p[i] == '(')
            depth++;
        else if (s.p[i] == (comment ? ')' : '"') && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* Elements of a list in which quoted strings and comments may stand. */
struct elements {
    struct span rest;
    bool comments;
    bool open; /* something is never closed: nothing encloses from there on */
};

static size_t element_length(struct elements *e)
{
    size_t i = 0;

    while (i < e->rest.n && e->rest.p[i] != ',') {
        char c = e->rest.p[i];
        size_t enclosed = 1;

        if (!e->open && (c == '"' || (c == '(' && e->comments))) {
            enclosed = enclosed_length(span_from(e->rest, i));
            e->open = enclosed == 0;
        }
        i += enclosed > 0 ? enclosed : 1;
    }
    return i;
}

static bool elements_next(struct elements *e, struct span *element)
{
    size_t n;

    if (e->rest.n == 0)
        return false;
    n = element_length(e);
    *element = span_trim((struct span){ e->rest.p, n });
    e->rest = span_from(e->rest, n < e->rest.n ? n + 1 : n);
    return true;
}

/* Up to the first white space or one of the two bytes. */
static struct span word(struct span s, char stop, char other)
{
    size_t n = 0;

    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != stop && s.p[n] != other)
        n++;
    return (struct span){ s.p, n };
}

static bool all_digits(struct span s)
{
    return token_span(s, TOKEN_DIGIT) == s.n;
}

/* by: received-by of an element of Via, with or without a port */
static bool is_by(struct span by, struct span pseudonym)
{
    if (by.n > pseudonym.n && by.p[pseudonym.n] == ':' && all_digits(span_from(by, pseudonym.n + 1)))
        by.n = pseudonym.n;
    return span_is_nocase(by, pseudonym);
}

bool via_is_pseudonym(struct span s)
{
    size_t n = token_span(s, TOKEN_NAME);

    return n > 0 && (n == s.n || (s.p[n] == ':' && n + 1 < s.n && all_digits(span_from(s, n + 1))));
}

void via_put(struct bounded *b, unsigned major, unsigned minor, struct span pseudonym)
{
    bounded_put_number(b, major);
    if (major < 2) {
        bounded_put(b, SPAN("."));
        bounded_put_number(b, minor);
    }
    bounded_put(b, SPAN(" "));
    bounded_put(b, pseudonym);
}

static size_t count_via(struct span value, struct span pseudonym)
{
    struct elements list = { .rest = value, .comments = true };
    struct span element;
    size_t count = 0;

    while (elements_next(&list, &element)) {
        struct span protocol = word(element, ' ', '(');
        struct span behind = span_trim(span_from(element, protocol.n));

        count += is_by(word(behind, '(', ','), pseudonym);
    }
    return count;
}

size_t via_count(const struct head *head, struct span pseudonym)
{
    size_t count = 0;

    for (const struct field *f = head_field(head, FIELD_VIA); f != NULL; f = head_next(head, f))
        count += count_via(f->value, pseudonym);
    return count;
}

static size_t count_cdn(struct span value, struct span id)
{
    struct elements list = { .rest = value };
    struct span element;
    size_t count = 0;

    while (elements_next(&list, &element))
        count += span_is_nocase(word(element, ';', ','), id);
    return count;
}

size_t via_count_cdn(const struct head *head, struct span id)
{
    size_t count = 0;

    for (size_t i = 0; i < head->count; i++)
        if (head->fields[i].name.n == 8 && span_is_nocase(head->fields[i].name, SPAN("cdn-loop")))
            count += count_cdn(head->fields[i].value, id);
    return count;
}
