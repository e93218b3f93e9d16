#include "http/framing.h"

#include "http/token.h"

/* Take the element before the next comma, trimmed and perhaps empty. False after the last. */
static bool next_part(struct span *rest, struct span *element)
{
    size_t n;

    if (rest->p == NULL)
        return false;
    n = span_find(*rest, ',');
    *element = span_trim((struct span){ rest->p, n });
    *rest = n < rest->n ? span_from(*rest, n + 1) : (struct span){ 0 };
    return true;
}

/* What the list of transfer codings holds; places point into the values. */
struct codings {
    const char *last;          /* the last element */
    struct span other;         /* the first that is not chunked */
    const char *after_chunked; /* the first behind a chunked */
    bool ends_chunked;
};

static struct codings read_codings(const struct head *head)
{
    struct codings c = { 0 };
    bool chunked_seen = false;

    for (const struct field *f = head_field(head, FIELD_TRANSFER_ENCODING); f != NULL; f = head_next(head, f)) {
        struct span rest = f->value, element;

        while (next_part(&rest, &element)) {
            c.last = element.p;
            c.ends_chunked = span_is_nocase(element, SPAN("chunked"));
            if (c.other.p == NULL && !c.ends_chunked)
                c.other = element;
            if (c.after_chunked == NULL && chunked_seen)
                c.after_chunked = element.p;
            chunked_seen |= c.ends_chunked;
        }
    }
    return c;
}

/* The name of a coding, whatever it may be. Chunked with a parameter is none: somebody might take it for chunked. */
static bool is_foreign(struct span coding)
{
    struct span name = span_trim((struct span){ coding.p, span_find(coding, ';') });

    return name.n > 0 && token_span(name, TOKEN_NAME) == name.n && !span_is_nocase(name, SPAN("chunked"));
}

static __attribute__((noinline)) enum reason choose_by_codings(const struct head *head, struct framing *framing,
                                                               struct verdict *v)
{
    const struct field *te = head_field(head, FIELD_TRANSFER_ENCODING);
    const struct field *length = head_field(head, FIELD_CONTENT_LENGTH);
    struct codings c = read_codings(head);

    if (head->major == 0 || (head->major == 1 && head->minor == 0))
        return verdict_about(v, R_transfer_encoding_in_http10, head_offset(head, te->name.p), te->name);
    if (length != NULL) {
        const struct field *later = length > te ? length : te;

        return verdict_about(v, R_ambiguous_framing, head_offset(head, later->name.p), later->name);
    }
    if (c.after_chunked != NULL)
        return verdict_about(v, R_chunked_not_last, head_offset(head, c.after_chunked), te->name);
    if (!c.ends_chunked && !is_foreign(c.other))
        return verdict_about(v, R_chunked_not_last, head_offset(head, c.last), te->name);
    if (c.other.p != NULL)
        return verdict_about(v, R_transfer_coding_unknown, head_offset(head, c.other.p), te->name);
    *framing = (struct framing){ .kind = FRAMING_CHUNKED };
    return R_NONE;
}

/* 1*DIGIT below 2^63. False with the first byte that makes it something else. */
static bool read_length(struct span s, uint64_t *length, const char **bad)
{
    *length = 0;
    for (size_t i = 0; i < s.n; i++) {
        *bad = s.p + i;
        if (!token_is(s.p[i], TOKEN_DIGIT) || *length > INT64_MAX / 10)
            return false;
        *length = *length * 10 + (uint64_t)(s.p[i] - '0');
        if (*length > INT64_MAX)
            return false;
    }
    *bad = s.p;
    return s.n > 0;
}

static __attribute__((noinline)) enum reason choose_by_length(const struct head *head, struct framing *framing,
                                                              struct verdict *v)
{
    const struct field *first = head_field(head, FIELD_CONTENT_LENGTH);
    const char *bad, *again = NULL;
    uint64_t length, known = 0;
    bool is_known = false;

    for (const struct field *f = first; f != NULL; f = head_next(head, f)) {
        struct span rest = f->value, element;

        while (next_part(&rest, &element)) {
            if (!read_length(element, &length, &bad))
                return verdict_about(v, R_content_length_invalid, head_offset(head, bad), f->name);
            if (is_known && length != known)
                return verdict_about(v, R_content_length_conflict, head_offset(head, element.p), f->name);
            if (is_known && again == NULL)
                again = element.p;
            known = length;
            is_known = true;
        }
    }
    if (again != NULL)
        return verdict_about(v, R_content_length_invalid, head_offset(head, again), first->name);
    *framing = (struct framing){ FRAMING_LENGTH, known };
    return R_NONE;
}

enum reason framing_choose(const struct head *head, struct framing *framing, struct verdict *v)
{
    if (head->first[FIELD_TRANSFER_ENCODING] != 0)
        return choose_by_codings(head, framing, v);
    if (head->first[FIELD_CONTENT_LENGTH] != 0)
        return choose_by_length(head, framing, v);
    *framing = (struct framing){ .kind = FRAMING_NONE };
    return R_NONE;
}
