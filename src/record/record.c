#include "record/record.h"

size_t record_room(const struct recorder *r)
{
    return sizeof(struct record) + 2 * (size_t)r->head_bytes + RECORD_OPERAND_BYTES + RECORD_ROUTE_BYTES +
           sizeof(struct record_forwarding);
}

const struct record *record_read(const struct ring *ring, uint64_t n, void *to, size_t room)
{
    return ring_read(ring, n, to, room) > 0 ? to : NULL;
}

static struct span text_at(const struct record *r, uint64_t offset, uint32_t bytes)
{
    return (struct span){ (const char *)(r + 1) + offset, bytes };
}

struct span record_request(const struct record *r)
{
    return text_at(r, r->reply_bytes, r->request_bytes);
}

struct span record_reply(const struct record *r)
{
    return text_at(r, 0, r->reply_bytes);
}

struct span record_operand(const struct record *r)
{
    return text_at(r, (uint64_t)r->request_bytes + r->reply_bytes, r->operand_bytes);
}

struct span record_route(const struct record *r)
{
    return text_at(r, (uint64_t)r->request_bytes + r->reply_bytes + r->operand_bytes, r->route_bytes);
}

/* The texts before it leave it at any place. */
bool record_forwarding(const struct record *r, struct record_forwarding *out)
{
    struct span route = record_route(r);

    if (r->forwarded)
        memcpy(out, route.p + route.n, sizeof *out);
    return r->forwarded;
}

size_t record_bytes(const struct record *r)
{
    struct span route = record_route(r);

    return (size_t)(route.p + route.n - (const char *)r) + (r->forwarded ? sizeof(struct record_forwarding) : 0);
}

/* The line that begins at *at, up to what ends it: CR LF, LF, or a CR alone. *at: to the next one. */
static struct span line_take(struct span text, size_t *at)
{
    struct span rest = span_from(text, *at), line = { rest.p, span_find(rest, '\n') };

    line.n = span_find(line, '\r');
    *at += line.n;
    *at += span_starts(span_from(text, *at), SPAN("\r\n")) ? 2 : *at < text.n;
    return line;
}

static struct span first_line(const struct record *r)
{
    size_t at = 0;

    return r->has_request_line && r->request_bytes > 0 ? line_take(record_request(r), &at) : (struct span){ 0 };
}

struct span record_method(const struct record *r)
{
    struct span line = first_line(r);

    return (struct span){ line.p, span_find(line, ' ') };
}

/* One that could be read has no space within, whatever follows. */
struct span record_target(const struct record *r)
{
    struct span line = first_line(r);
    size_t space = span_find(line, ' ');

    if (space == line.n)
        return (struct span){ 0 };
    line = span_from(line, space + 1);
    return (struct span){ line.p, span_find(line, ' ') };
}

bool record_field_next(struct span head, size_t *at, struct span *name, struct span *value)
{
    struct span line;
    size_t colon;

    if (*at == 0 && head.n > 0)
        line_take(head, at);
    if (*at >= head.n)
        return false;
    line = line_take(head, at);
    if (line.n == 0)
        return false;
    colon = line.p[0] == ' ' || line.p[0] == '\t' ? line.n : span_find(line, ':');
    *name = (struct span){ line.p, colon < line.n ? colon : 0 };
    *name = span_trim(*name);
    *value = span_trim(colon < line.n ? span_from(line, colon + 1) : line);
    return true;
}

struct span record_field(struct span head, struct span name)
{
    struct span found, value;
    size_t at = 0;

    while (record_field_next(head, &at, &found, &value))
        if (span_is_nocase(found, name))
            return value;
    return (struct span){ 0 };
}

uint64_t record_between(uint64_t from_ms, uint64_t to_ms)
{
    return from_ms != 0 && to_ms > from_ms ? to_ms - from_ms : 0;
}
