/*
 * Heads of HTTP/2: whatever lines come, the text made reads as a head of HTTP/1 with the same fields, in the same places;
 * a refused head is whole as far as it was good.
 *
 * Input: the first byte says whether the stream ended and how much memory there is, then lines: bytes of the name, bytes
 * of the value, name, value.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "http/h2_head.h"
#include "http/host.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUEST_LINE "GET / HTTP/2.0\r\n"

static const struct h1_limits limits = { .target_bytes = 64, .field_bytes = 96, .head_bytes = 1024, .fields = 16 };

/* Limits that refuse nothing of what the other ones take. */
static const struct h1_limits wide = { .target_bytes = 64, .field_bytes = 96, .head_bytes = 2048, .fields = 16 };

static bool lies_in(struct span part, struct span whole)
{
    return part.p >= whole.p && part.p + part.n <= whole.p + whole.n;
}

static bool ends_with(struct span s, struct span end)
{
    return s.n >= end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

/* Take a length, then that much, of what is left. */
static struct span take(struct span *rest, size_t n)
{
    struct span taken = { rest->p, n < rest->n ? n : rest->n };

    *rest = span_from(*rest, taken.n);
    return taken;
}

/* In memory of its own, that is gone after the call: the head has to have copies. */
static void add(struct h2_head *h, struct span name, struct span value)
{
    char *bytes = malloc(name.n + value.n + 1);
    enum reason why;

    DIE_UNLESS(bytes != NULL);
    memcpy(bytes, name.p, name.n);
    memcpy(bytes + name.n, value.p, value.n);
    name.p = bytes;
    value.p = bytes + name.n;
    why = h2_trailer_check(name, value);
    DIE_UNLESS(why != R_MORE);
    h2_head_add(h, name, value);
    free(bytes);
}

static struct span read_lines(struct h2_head *h, struct span rest)
{
    while (rest.n >= 2) {
        size_t name_bytes = (uint8_t)rest.p[0], value_bytes = (uint8_t)rest.p[1];
        struct span name;

        rest = span_from(rest, 2);
        name = take(&rest, name_bytes);
        add(h, name, take(&rest, value_bytes));
    }
    return rest;
}

static void check_request_line(const struct head *head)
{
    const char *at = head->base + head->method_name.n;

    DIE_UNLESS(head->major == 2 && head->minor == 0 && head->method == method_find(head->method_name));
    DIE_UNLESS(head->method_name.p == head->base && head->target.p == at + 1 && *at == ' ');
    at += 1 + head->target.n;
    DIE_UNLESS(memcmp(at, " HTTP/2\r\n", 9) == 0 && head->target.n <= limits.target_bytes);
}

/* The same fields, where another reader finds them. */
static void check_fields(const struct head *head, struct span text)
{
    size_t first = span_find(text, '\n') + 1;
    struct span request_line = SPAN(REQUEST_LINE), lines = span_from(text, first);
    char *copy = malloc(request_line.n + lines.n);
    struct field fields[16];
    struct head read;
    struct verdict v = { 0 };

    DIE_UNLESS(copy != NULL);
    memcpy(copy, request_line.p, request_line.n);
    memcpy(copy + request_line.n, lines.p, lines.n);
    head_init(&read, fields);
    DIE_UNLESS(h1_parse_head((struct span){ copy, request_line.n + lines.n }, &wide, &read, &v) == R_NONE);
    DIE_UNLESS(read.count == head->count && read.bytes == request_line.n + lines.n);
    for (size_t i = 0; i < head->count; i++) {
        const struct field *a = &head->fields[i], *b = &read.fields[i];

        DIE_UNLESS(lies_in(a->name, lines) && lies_in(a->value, lines) && a->id == b->id && a->next == b->next);
        DIE_UNLESS(a->name.p - lines.p == b->name.p - copy - (ptrdiff_t)request_line.n && a->name.n == b->name.n);
        DIE_UNLESS(a->value.p - lines.p == b->value.p - copy - (ptrdiff_t)request_line.n && a->value.n == b->value.n);
        DIE_UNLESS(!field_info(a->id)->h2_forbids);
    }
    DIE_UNLESS(memcmp(read.first, head->first, sizeof read.first) == 0 && !head_repeated(head, FIELD_COOKIE));
    free(copy);
}

static void check_request(const struct head *head, const struct framing *framing, struct span protocol, bool ended)
{
    struct target target;
    struct host host;
    struct verdict v = { 0 };

    DIE_UNLESS(head->method_name.n > 0 && head->target.n > 0 && head->bytes <= limits.head_bytes);
    DIE_UNLESS((protocol.n > 0) <= (head->method == M_CONNECT));
    DIE_UNLESS((framing->kind == FRAMING_NONE) == ended);
    if (target_parse(head->target, protocol.n > 0 ? M_GET : head->method, &target, &v) != R_NONE)
        DIE_UNLESS(v.why == R_target_malformed || head->method == M_CONNECT);
    else if (host_check(head, &target, &host, &v) != R_NONE)
        DIE_UNLESS(v.at < head->bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = { (const char *)data, size }, protocol;
    struct field fields[16];
    struct head head;
    struct h2_head h;
    struct arena arena;
    struct framing framing;
    enum reason why;
    bool ended;

    if (size == 0)
        return 0;
    ended = (data[0] & 1) != 0;
    arena_init(&arena, NULL, 0, (data[0] & 2) != 0 ? (size_t)data[0] * 16 : 1 << 20);
    head_init(&head, fields);
    h2_head_init(&h, &arena, &limits, &head);
    (void)read_lines(&h, span_from(in, 1));
    why = h2_head_end(&h, ended, &framing, &protocol);
    DIE_UNLESS(why == h.verdict.why && why != R_MORE && (why == R_NONE || h.verdict.where != NULL));
    DIE_UNLESS(head.count <= limits.fields && (head.base != NULL || (arena.full && why != R_NONE)));
    if (head.base != NULL) {
        struct span text = { head.base, head.bytes };

        DIE_UNLESS(ends_with(text, SPAN("\r\n")) && h.verdict.at <= 2 * limits.head_bytes);
        check_request_line(&head);
        check_fields(&head, text);
    }
    if (why == R_NONE)
        check_request(&head, &framing, protocol, ended);
    arena_reset(&arena);
    return 0;
}
