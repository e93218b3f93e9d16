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

/* *at: from the first byte of the name to the colon. */
static enum reason take_name(const struct h1_reader *r, uint32_t *at, struct span *name_out)
{
    uint32_t end = h1_bound(r, *at, r->limits->field_bytes);
    uint32_t i = h1_run(r, *at, end, TOKEN_NAME);
    struct span name = h1_part(r, *at, i);

    *name_out = name;
    if (i == r->n)
        return h1_out_of_bytes(r);
    if (i == end && (token_is(r->p[i], TOKEN_NAME) || r->p[i] == ':'))
        return verdict_about(r->v, R_header_field_too_large, i, name);
    if (name.n > 0 && (r->p[i] == ' ' || r->p[i] == '\t')) {
        *at = i;
        return take_space(r, at, end, name);
    }
    if (name.n == 0 || r->p[i] != ':')
        return h1_refuse(r, i, R_malformed_header_field, R_field_name_invalid, name);
    *at = i;
    return R_NONE;
}

/* The value between *at, behind the colon, and `end`, the bound of the line. *at: to the CR. */
static enum reason take_value(const struct h1_reader *r, uint32_t *at, uint32_t end, struct span name,
                              struct span *value)
{
    uint32_t start = run_of_space(r, *at, end);
    uint32_t i = h1_run(r, start, end, TOKEN_VALUE);
    enum reason why;

    if (i < r->n && token_is(r->p[i], TOKEN_VALUE))
        return verdict_about(r->v, R_header_field_too_large, i, name);
    why = h1_expect_line_end(r, i, R_field_value_invalid, name);
    if (why != R_NONE)
        return why;
    *at = i;
    while (i > start && (r->p[i - 1] == ' ' || r->p[i - 1] == '\t'))
        i--;
    *value = h1_part(r, start, i);
    return R_NONE;
}

static enum reason take_field(const struct h1_reader *r)
{
    struct head *head = r->head;
    uint32_t at = head->at, end = h1_bound(r, at, r->limits->field_bytes);
    struct span name, value;
    enum reason why = take_name(r, &at, &name);

    if (why != R_NONE)
        return why;
    at++;
    why = take_value(r, &at, end, name, &value);
    if (why != R_NONE)
        return why;
    head_add(head, name, value);
    head->at = at + 2;
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
    enum reason why;

    if (head->at == r->n)
        return h1_out_of_bytes(r);
    switch (r->p[head->at]) {
    case '\r':
        why = h1_expect_line_end(r, head->at, R_malformed_header_field, (struct span){ 0 });
        if (why != R_NONE)
            return why;
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
