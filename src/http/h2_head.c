#include "http/h2_head.h"

#include "http/h2_line.h"
#include "http/token.h"

#define TEXT_BYTES          512u
#define BLANK_LINE_BYTES    2u  /* always left free, so that every text can be finished */
#define LINE_OVERHEAD_BYTES 32u /* RFC9113:6.5.2 */
#define VERSION_LINE_END    " HTTP/2\r\n"

_Static_assert(H2_PSEUDO_FIELDS <= 8, "h2_head.seen has a bit for each");

#define BIT(pseudo) (1u << (pseudo))

#define PSEUDO_NAMES(NAMED)           \
    NAMED(H2_METHOD, ":method")       \
    NAMED(H2_SCHEME, ":scheme")       \
    NAMED(H2_AUTHORITY, ":authority") \
    NAMED(H2_PATH, ":path")           \
    NAMED(H2_PROTOCOL, ":protocol")

static const struct span pseudo_names[H2_PSEUDO_FIELDS] = {
#define NAMED(id, text) [id] = SPAN_INIT(text),
    PSEUDO_NAMES(NAMED)
#undef NAMED
};

void h2_head_init(struct h2_head *h, struct arena *arena, const struct h1_limits *limits, struct head *head)
{
    *h = (struct h2_head){ .arena = arena, .limits = limits, .head = head };
    head->major = 2;
    head->minor = 0;
}

/* What of a name can be shown: as far as it is a token. Copied, as it is the decoder's. */
static struct span shown(struct h2_head *h, struct span name)
{
    size_t colon = name.n > 0 && name.p[0] == ':' ? 1 : 0, n;

    if (name.n == 0)
        return (struct span){ 0 };
    n = colon + token_span(span_from(name, colon), TOKEN_NAME);
    return arena_copy(h->arena, (struct span){ name.p, n < h->limits->field_bytes ? n : h->limits->field_bytes });
}

static struct span part(const struct h2_head *h, enum h2_pseudo id)
{
    return (struct span){ h->text.p + h->pseudo[id].at, h->pseudo[id].bytes };
}

static bool has(const struct h2_head *h, enum h2_pseudo id)
{
    return (h->seen & BIT(id)) != 0;
}

/* Where the target stands in the request line. */
static size_t target_at(const struct h2_head *h)
{
    return h->pseudo[H2_METHOD].bytes + 1;
}

/* Where the next line stands in the head. */
static size_t line_at(const struct h2_head *h)
{
    if (h->begun)
        return h->text.bytes - h->start;
    return target_at(h) + h->pseudo[H2_PATH].bytes + sizeof VERSION_LINE_END - 1;
}

/* Room for `bytes` more and the blank line. What moved is still at its old place, too, until the arena is reset. */
static bool text_grow(struct h2_text *t, struct arena *arena, size_t bytes)
{
    size_t need = t->bytes + bytes + BLANK_LINE_BYTES, room = t->room > 0 ? t->room : TEXT_BYTES;
    char *p;

    if (need <= t->room)
        return true;
    while (room < need)
        room *= 2;
    p = arena_take(arena, room);
    if (p == NULL)
        return false;
    if (t->bytes > 0)
        memcpy(p, t->p, t->bytes);
    t->p = p;
    t->room = room;
    return true;
}

/* There is room. Returns where the next bytes go. */
static inline char *put(char *at, struct span s)
{
    return s.n > 0 ? mempcpy(at, s.p, s.n) : at;
}

static inline void text_put(struct h2_text *t, struct span s)
{
    t->bytes = (size_t)(put(t->p + t->bytes, s) - t->p);
}

static struct span moved(struct span s, const char *from, const char *to)
{
    return (struct span){ to + (s.p - from), s.n };
}

static void head_move(struct head *head, const char *from, const char *to)
{
    head->base = to + (head->base - from);
    head->method_name = moved(head->method_name, from, to);
    head->target = moved(head->target, from, to);
    for (size_t i = 0; i < head->count; i++) {
        head->fields[i].name = moved(head->fields[i].name, from, to);
        head->fields[i].value = moved(head->fields[i].value, from, to);
    }
}

static enum reason reserve_more(struct h2_head *h, size_t bytes)
{
    const char *from = h->text.p;

    if (!text_grow(&h->text, h->arena, bytes))
        return verdict_set(&h->verdict, R_exchange_memory_exhausted, line_at(h));
    if (h->begun && h->text.p != from)
        head_move(h->head, from, h->text.p);
    return R_NONE;
}

static inline enum reason reserve(struct h2_head *h, size_t bytes)
{
    return h->text.room - h->text.bytes >= bytes + BLANK_LINE_BYTES ? R_NONE : reserve_more(h, bytes);
}

/* Bytes of a line without its CR LF. */
static size_t line_bytes(struct span name, size_t value_bytes)
{
    return name.n + 2 + value_bytes;
}

/* Is there room within the limits for one more line, and for the line of cookies that waits to be the last? Refused
 * where h1_parse_head() would. */
static enum reason check_limits(struct h2_head *h, struct span name, size_t value_bytes, bool cookies_follow)
{
    const struct h1_limits *limits = h->limits;
    size_t at = line_at(h), line = line_bytes(name, value_bytes);
    size_t whole = at + line + 2 + BLANK_LINE_BYTES;

    if (cookies_follow)
        whole += line_bytes(SPAN("cookie"), h->cookies.bytes) + 2;
    if (h->head->count + cookies_follow >= limits->fields)
        return verdict_set(&h->verdict, R_too_many_header_fields, at);
    if (line > limits->field_bytes && at + limits->field_bytes < limits->head_bytes)
        return verdict_about(&h->verdict, R_header_field_too_large, at + limits->field_bytes, shown(h, name));
    if (whole > limits->head_bytes)
        return verdict_set(&h->verdict, R_header_fields_too_large, limits->head_bytes);
    return R_NONE;
}

static void put_line(struct h2_head *h, enum field_id id, struct span name, struct span value)
{
    struct h2_text *t = &h->text;
    char *at, *to;

    if (reserve(h, line_bytes(name, value.n) + 2) != R_NONE)
        return;
    at = t->p + t->bytes;
    to = put(put(at, name), SPAN(": "));
    head_add_found(h->head, id, (struct span){ at, name.n }, (struct span){ to, value.n });
    t->bytes = (size_t)(put(put(to, value), SPAN("\r\n")) - t->p);
}

/* A CONNECT of RFC9110:9.3.6; one with :protocol is of RFC8441:4 and reads as any other request. */
static bool is_plain_connect(const struct h2_head *h)
{
    return h->head->method == M_CONNECT && !has(h, H2_PROTOCOL);
}

/* The target, or nothing when it is refused. Only of CONNECT it was not looked at when it came. */
static struct h2_part choose_target(struct h2_head *h)
{
    const struct h1_limits *limits = h->limits;
    enum h2_pseudo from = is_plain_connect(h) ? H2_AUTHORITY : H2_PATH;
    struct h2_part target = h->pseudo[from];
    size_t at = target_at(h), good;

    if (target.bytes > limits->target_bytes)
        (void)verdict_set(&h->verdict, R_uri_too_long, at + limits->target_bytes);
    else if (from == H2_AUTHORITY && (good = token_span(part(h, from), TOKEN_VISIBLE)) < target.bytes)
        (void)verdict_set(&h->verdict, R_target_malformed, at + good);
    else if (at + target.bytes + sizeof VERSION_LINE_END - 1 + BLANK_LINE_BYTES > limits->head_bytes)
        (void)verdict_set(&h->verdict, R_header_fields_too_large, limits->head_bytes);
    else
        return target;
    return (struct h2_part){ 0 };
}

/* The request line, now that no more pseudo-header fields may come, and the line of host. */
static void begin(struct h2_head *h)
{
    struct head *head = h->head;
    struct h2_text *t = &h->text;
    struct h2_part target;
    char *to;
    size_t bytes = t->bytes + h->pseudo[H2_AUTHORITY].bytes + sizeof "  HTTP/2\r\nhost: \r\n";

    if (reserve(h, bytes) != R_NONE)
        return;
    head->method = method_find(part(h, H2_METHOD));
    target = choose_target(h);
    h->start = t->bytes;
    h->begun = true;
    to = put(put(t->p + t->bytes, part(h, H2_METHOD)), SPAN(" "));
    to = put(to, (struct span){ t->p + target.at, target.bytes });
    t->bytes = (size_t)(put(to, SPAN(VERSION_LINE_END)) - t->p);
    head->base = t->p + h->start;
    head->method_name = (struct span){ head->base, h->pseudo[H2_METHOD].bytes };
    head->target = (struct span){ head->base + target_at(h), target.bytes };
    if (h->verdict.why == R_NONE && has(h, H2_AUTHORITY) &&
        check_limits(h, SPAN("host"), h->pseudo[H2_AUTHORITY].bytes, false) == R_NONE)
        put_line(h, FIELD_HOST, SPAN("host"), part(h, H2_AUTHORITY));
}

/* With literals, which the compiler compares as words. */
static enum h2_pseudo pseudo_find(struct span name)
{
#define NAMED(id, text)            \
    if (span_is(name, SPAN(text))) \
        return id;
    PSEUDO_NAMES(NAMED)
#undef NAMED
    return H2_PSEUDO_FIELDS;
}

/* Offset of the first byte that makes it no scheme; s.n when there is none. RFC3986:3.1 */
static size_t scheme_span(struct span s)
{
    size_t i = 0;

    if (span_is(s, SPAN("http")) || span_is(s, SPAN("https")))
        return s.n;
    while (i < s.n && (((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') ||
                       (i > 0 && (token_is(s.p[i], TOKEN_DIGIT) || memchr("+-.", s.p[i], 3) != NULL))))
        i++;
    return i;
}

/* Offset of the first byte that the field does not take; value.n when there is none. */
static size_t pseudo_span(enum h2_pseudo id, struct span value)
{
    size_t good;

    switch (id) {
    case H2_SCHEME:
        return scheme_span(value);
    case H2_AUTHORITY:
        good = h2_line_value_span(value);
        return span_find((struct span){ value.p, good }, '@');
    case H2_PATH:
        return token_span(value, TOKEN_VISIBLE);
    default:
        return token_span(value, TOKEN_NAME);
    }
}

/* Where the value would stand in the head. */
static size_t pseudo_at(const struct h2_head *h, enum h2_pseudo id)
{
    if (id == H2_METHOD)
        return 0;
    return id == H2_PATH ? target_at(h) : line_at(h) + pseudo_names[id].n + 2;
}

/* The value is empty, or its byte at `bad` is one that the field does not take. */
static enum reason refuse_pseudo(struct h2_head *h, enum h2_pseudo id, struct span value, size_t bad)
{
    size_t at = pseudo_at(h, id) + bad;
    bool anywhere = bad < value.n && memchr("\0\r\n", value.p[bad], 3) != NULL; /* bad in all fields */

    if (id == H2_METHOD && !anywhere)
        return verdict_set(&h->verdict, R_method_malformed, at);
    if (id == H2_PATH && !anywhere && value.n > 0)
        return verdict_set(&h->verdict, R_target_malformed, at);
    if (anywhere || (id == H2_AUTHORITY && bad < value.n && value.p[bad] != '@'))
        return verdict_about(&h->verdict, R_h2_field_value_invalid, at, pseudo_names[id]);
    return verdict_about(&h->verdict, R_h2_pseudo_field_invalid, at, pseudo_names[id]);
}

/* RFC9113:8.3.1 */
static enum reason check_pseudo(struct h2_head *h, enum h2_pseudo id, struct span value)
{
    const struct h1_limits *limits = h->limits;
    struct span name = pseudo_names[id];
    size_t good;

    if (id == H2_PATH && value.n > limits->target_bytes)
        return verdict_set(&h->verdict, R_uri_too_long, target_at(h) + limits->target_bytes);
    if (id != H2_PATH && line_bytes(name, value.n) > limits->field_bytes)
        return verdict_about(&h->verdict, R_header_field_too_large, line_at(h) + limits->field_bytes, name);
    good = pseudo_span(id, value);
    return good == value.n && good > 0 ? R_NONE : refuse_pseudo(h, id, value, good);
}

static void add_pseudo(struct h2_head *h, struct span name, struct span value)
{
    enum h2_pseudo id = pseudo_find(name);
    size_t at = line_at(h);

    if (id == H2_PSEUDO_FIELDS)
        (void)verdict_about(&h->verdict, R_h2_pseudo_field_unknown, at, shown(h, name));
    else if (h->begun)
        (void)verdict_about(&h->verdict, R_h2_pseudo_field_late, at, pseudo_names[id]);
    else if (has(h, id))
        (void)verdict_about(&h->verdict, R_h2_pseudo_field_repeated, at, pseudo_names[id]);
    else if (check_pseudo(h, id, value) == R_NONE && reserve(h, value.n) == R_NONE) {
        h->pseudo[id] = (struct h2_part){ h->text.bytes, value.n };
        h->seen |= (uint8_t)BIT(id);
        text_put(&h->text, value);
    }
}

/* A client may split the line of cookies, to compress it better. RFC9113:8.2.3 */
static void add_cookie(struct h2_head *h, struct span name, struct span value)
{
    struct span separator = h->cookies.bytes > 0 && value.n > 0 ? SPAN("; ") : (struct span){ 0 };
    size_t more = separator.n + value.n;

    if (check_limits(h, name, h->cookies.bytes + more, false) != R_NONE)
        return;
    if (!text_grow(&h->cookies, h->arena, more)) {
        (void)verdict_set(&h->verdict, R_exchange_memory_exhausted, line_at(h));
        return;
    }
    text_put(&h->cookies, separator);
    text_put(&h->cookies, value);
    h->cookies_wait = true;
}

/* The line of :authority stands there already; this one may say the same again, and nothing else. RFC9113:8.3.1 */
static void compare_host(struct h2_head *h, struct span name, struct span value)
{
    if (!span_is_nocase(value, part(h, H2_AUTHORITY)))
        (void)verdict_about(&h->verdict, R_h2_authority_conflict, line_at(h) + name.n + 2, shown(h, name));
}

static void add_regular(struct h2_head *h, struct span name, struct span value)
{
    enum field_id id = field_find(name);
    size_t at = line_at(h), good;

    if (!h2_line_name_valid(name, id)) {
        (void)verdict_about(&h->verdict, R_h2_field_name_invalid, at + h2_line_name_span(name), shown(h, name));
    } else if (h2_line_forbidden(id, value)) {
        (void)verdict_about(&h->verdict, R_h2_connection_field, at, shown(h, name));
    } else if ((good = h2_line_value_span(value)) < value.n) {
        (void)verdict_about(&h->verdict, R_h2_field_value_invalid, at + name.n + 2 + good, shown(h, name));
    } else if (id == FIELD_COOKIE) {
        add_cookie(h, name, value);
    } else if (id == FIELD_HOST && has(h, H2_AUTHORITY)) {
        compare_host(h, name, value);
    } else if (check_limits(h, name, value.n, h->cookies_wait) == R_NONE) {
        put_line(h, id, name, value);
    }
}

void h2_head_count(struct h2_head *h, struct span name, struct span value)
{
    uint64_t bytes = (uint64_t)h->block_bytes + name.n + value.n + LINE_OVERHEAD_BYTES;

    h->block_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

void h2_head_add(struct h2_head *h, struct span name, struct span value)
{
    h2_head_count(h, name, value);
    if (h->verdict.why != R_NONE)
        return;
    if (name.n > 0 && name.p[0] == ':') {
        add_pseudo(h, name, value);
        return;
    }
    if (!h->begun)
        begin(h);
    if (h->verdict.why == R_NONE)
        add_regular(h, name, value);
}

/* The line of cookies and the blank line. */
static void finish(struct h2_head *h)
{
    if (h->cookies_wait)
        put_line(h, FIELD_COOKIE, SPAN("cookie"), (struct span){ h->cookies.p, h->cookies.bytes });
    text_put(&h->text, SPAN("\r\n"));
    h->head->bytes = (uint32_t)(h->text.bytes - h->start);
}

/* RFC9113:8.3.1, RFC9113:8.5 for CONNECT, RFC8441:4 for CONNECT with :protocol */
static enum reason check_request(struct h2_head *h)
{
    const struct head *head = h->head;
    unsigned needed = BIT(H2_METHOD) | BIT(H2_SCHEME) | BIT(H2_PATH), refused = BIT(H2_PROTOCOL), odd;

    if (head->method == M_CONNECT)
        refused = 0;
    if (is_plain_connect(h)) {
        needed = BIT(H2_METHOD) | BIT(H2_AUTHORITY);
        refused = BIT(H2_SCHEME) | BIT(H2_PATH);
    }
    odd = needed & ~(unsigned)h->seen;
    if (odd != 0)
        return verdict_about(&h->verdict, R_h2_pseudo_field_missing, 0, pseudo_names[__builtin_ctz(odd)]);
    odd = refused & h->seen;
    if (odd != 0)
        return verdict_about(&h->verdict, R_h2_pseudo_field_invalid, 0, pseudo_names[__builtin_ctz(odd)]);
    if (is_plain_connect(h) || head->target.p[0] == '/' ||
        (head->method == M_OPTIONS && span_is(head->target, SPAN("*"))))
        return R_NONE;
    return verdict_about(&h->verdict, R_h2_pseudo_field_invalid, target_at(h), pseudo_names[H2_PATH]);
}

static enum reason choose_framing(struct h2_head *h, bool ended, struct framing *framing)
{
    const struct field *length = head_field(h->head, FIELD_CONTENT_LENGTH);
    struct framing found;

    if (length == NULL)
        return R_NONE;
    if (framing_choose(h->head, &found, &h->verdict) != R_NONE)
        return h->verdict.why;
    if (!ended)
        *framing = found;
    else if (found.length > 0)
        return verdict_about(&h->verdict, R_h2_content_length_mismatch, head_offset(h->head, length->value.p),
                             length->name);
    return R_NONE;
}

enum reason h2_head_end(struct h2_head *h, bool ended, struct framing *framing, struct span *protocol_out)
{
    struct verdict first = h->verdict;

    *framing = (struct framing){ .kind = ended ? FRAMING_NONE : FRAMING_CHUNKED };
    *protocol_out = (struct span){ 0 };
    h->verdict = (struct verdict){ 0 };
    if (!h->begun)
        begin(h);
    if (h->begun)
        finish(h);
    if (has(h, H2_SCHEME))
        h->head->scheme = part(h, H2_SCHEME);
    if (first.why != R_NONE)
        h->verdict = first;
    if (h->verdict.why != R_NONE || check_request(h) != R_NONE)
        return h->verdict.why;
    if (has(h, H2_PROTOCOL))
        *protocol_out = part(h, H2_PROTOCOL);
    return choose_framing(h, ended, framing);
}

enum reason h2_trailer_check(struct span name, struct span value)
{
    enum field_id id = field_find(name);

    if (name.n > 0 && name.p[0] == ':')
        return R_h2_pseudo_field_in_trailers;
    if (!h2_line_name_valid(name, id))
        return R_h2_field_name_invalid;
    if (h2_line_forbidden(id, value))
        return R_h2_connection_field;
    return h2_line_value_span(value) < value.n ? R_h2_field_value_invalid : R_NONE;
}
