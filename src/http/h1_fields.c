#include "http/h1_fields_impl.h"

enum reason h1_refuse(const struct h1_reader *r, uint32_t at, enum reason at_line_end, enum reason otherwise,
                      struct span operand)
{
    switch (r->p[at]) {
    case '\0':
        return verdict_about(r->v, R_nul_in_head, at, operand);
    case '\n':
        return verdict_about(r->v, R_bare_line_feed, at, operand);
    case '\r':
        if (at + 1 == r->n)
            return h1_out_of_bytes(r);
        if (r->p[at + 1] != '\n')
            return verdict_about(r->v, R_bare_carriage_return, at, operand);
        return verdict_about(r->v, at_line_end, at, operand);
    default:
        return verdict_about(r->v, otherwise, at, operand);
    }
}

static uint32_t run_of_space(const struct h1_reader *r, uint32_t from, uint32_t to)
{
    while (from < to && (r->p[from] == ' ' || r->p[from] == '\t'))
        from++;
    return from;
}

/* White space stands where the name has to go on. *at: from there to the colon. RFC9112:5.1 */
static enum reason take_space(const struct h1_reader *r, uint32_t *at, uint32_t end, struct span name)
{
    uint32_t i = run_of_space(r, *at, end);

    if (i == r->n)
        return h1_out_of_bytes(r);
    if (r->p[i] != ':')
        return verdict_about(r->v, R_field_name_invalid, *at, name);
    if (!r->takes_spaced_names)
        return verdict_about(r->v, R_space_before_colon, *at, name);
    if (i == end)
        return verdict_about(r->v, R_header_field_too_large, i, name);
    *at = i;
    return R_NONE;
}

/* The name ends at *at, and not at a colon that it may end at. *at: to the colon that it may. */
static enum reason settle_name(const struct h1_reader *r, uint32_t *at, uint32_t end, struct span name)
{
    uint32_t i = *at;

    if (i == r->n)
        return h1_out_of_bytes(r);
    if (i == end && (token_is(r->p[i], TOKEN_NAME) || r->p[i] == ':'))
        return verdict_about(r->v, R_header_field_too_large, i, name);
    if (name.n > 0 && (r->p[i] == ' ' || r->p[i] == '\t'))
        return take_space(r, at, end, name);
    return h1_refuse(r, i, R_malformed_header_field, R_field_name_invalid, name);
}

/* The value ends at `at`, and not at a line end. */
static enum reason refuse_value(const struct h1_reader *r, uint32_t at, struct span name)
{
    if (at < r->n && token_is(r->p[at], TOKEN_VALUE))
        return verdict_about(r->v, R_header_field_too_large, at, name);
    return h1_expect_line_end(r, at, R_field_value_invalid, name);
}

/* A value without white space at its ends: nothing else below '!' is in it. */
static struct span trimmed(const char *p, const char *end)
{
    while (p < end && (uint8_t)*p <= ' ')
        p++;
    while (p < end && (uint8_t)end[-1] <= ' ')
        end--;
    return (struct span){ p, (size_t)(end - p) };
}

static enum reason take_field(const struct h1_reader *r)
{
    uint32_t start = r->head->at, end = h1_bound(r, start, r->limits->field_bytes);
    uint32_t colon = h1_run(r, start, end, TOKEN_NAME), i;
    struct span name = h1_part(r, start, colon);

    if (colon == start || colon >= end || r->p[colon] != ':') {
        uint32_t at = colon;
        enum reason why = settle_name(r, &at, end, name);

        if (why != R_NONE)
            return why;
        colon = at;
    }
    i = h1_run(r, colon + 1, end, TOKEN_VALUE);
    if (!h1_is_line_end(r, i))
        return refuse_value(r, i, name);
    head_add(r->head, name, trimmed(r->p + colon + 1, r->p + i));
    r->head->at = i + 2;
    return R_NONE;
}

/* A line that begins with white space goes on with the one before. RFC9112:5.2, and RFC9112:2.2 for the first */
static enum reason refuse_folded(const struct h1_reader *r)
{
    const struct head *head = r->head;

    if (head->count == 0)
        return verdict_set(r->v, R_malformed_header_field, head->at);
    return verdict_about(r->v, R_field_line_folded, head->at, head->fields[head->count - 1].name);
}

/* A field line or the blank line. */
static enum reason take_line(const struct h1_reader *r)
{
    struct head *head = r->head;

    if (head->at == r->n)
        return h1_out_of_bytes(r);
    switch (r->p[head->at]) {
    case '\r':
        if (!h1_is_line_end(r, head->at))
            return h1_refuse(r, head->at, R_malformed_header_field, R_malformed_header_field, (struct span){ 0 });
        head->at += 2;
        head->bytes = head->at;
        head->stage = H1_DONE;
        return R_NONE;
    case ' ':
    case '\t':
        return refuse_folded(r);
    default:
        if (head->count == r->limits->fields)
            return verdict_set(r->v, R_too_many_header_fields, head->at);
        return take_field(r);
    }
}

enum reason h1_fields_take(const struct h1_reader *r)
{
    enum reason why = R_NONE;

    while (why == R_NONE && r->head->stage == H1_FIELDS)
        why = take_line(r);
    return why;
}
