#include "record/secret.h"

#include "http/block.h"
#include "http/token.h"

static const struct span standard_fields[] = {
    SPAN_INIT("authorization"), SPAN_INIT("proxy-authorization"),  SPAN_INIT("cookie"),
    SPAN_INIT("set-cookie"),    SPAN_INIT("authentication-info"),  SPAN_INIT("proxy-authentication-info"),
    SPAN_INIT("x-api-key"),     SPAN_INIT("x-auth-token"),         SPAN_INIT("x-access-token"),
    SPAN_INIT("x-csrf-token"),  SPAN_INIT("x-amz-security-token"),
};

static const struct span standard_queries[] = {
    SPAN_INIT("access_token"),
    SPAN_INIT("id_token"),
    SPAN_INIT("refresh_token"),
    SPAN_INIT("token"),
    SPAN_INIT("api_key"),
    SPAN_INIT("apikey"),
    SPAN_INIT("key"),
    SPAN_INIT("auth"),
    SPAN_INIT("password"),
    SPAN_INIT("passwd"),
    SPAN_INIT("pwd"),
    SPAN_INIT("secret"),
    SPAN_INIT("client_secret"),
    SPAN_INIT("code"),
    SPAN_INIT("sig"),
    SPAN_INIT("signature"),
    SPAN_INIT("session"),
    SPAN_INIT("jwt"),
    SPAN_INIT("x-amz-signature"),
    SPAN_INIT("x-amz-security-token"),
    SPAN_INIT("x-amz-credential"),
};

#define HOLDS_URI(id)                                                                                                  \
    ((id) == FIELD_REFERER || (id) == FIELD_LOCATION || (id) == FIELD_CONTENT_LOCATION || (id) == FIELD_DESTINATION || \
     (id) == FIELD_LINK)

const struct secrets secrets_standard = {
    .fields = standard_fields,
    .queries = standard_queries,
    .field_count = sizeof standard_fields / sizeof standard_fields[0],
    .query_count = sizeof standard_queries / sizeof standard_queries[0],
    .kinds = {
        [FIELD_OTHER] = SECRET_HARMLESS,
#define FIELD(id, ...)                                              \
    [FIELD_##id] = FIELD_##id > SECRETS_FIRST_IDS ? SECRET_HARMLESS \
                   : HOLDS_URI(FIELD_##id)        ? SECRET_URI      \
                                                  : SECRET_LISTED,
#include "http/fields.def"
#undef FIELD
    },
    .first_ids_only = true,
};

void secrets_prepare(struct secrets *s)
{
    for (unsigned id = 0; id < FIELD_IDS; id++)
        s->kinds[id] = HOLDS_URI(id) ? SECRET_URI : SECRET_HARMLESS;
    s->first_ids_only = true;
    for (uint32_t i = 0; i < s->field_count; i++) {
        enum field_id id = field_find(s->fields[i]);

        s->kinds[id] = id != FIELD_OTHER ? SECRET_LISTED : SECRET_UNKNOWN;
        if (id == FIELD_OTHER || id > SECRETS_FIRST_IDS)
            s->first_ids_only = false;
    }
}

bool secrets_field(const struct secrets *s, struct span name)
{
    for (uint32_t i = 0; i < s->field_count; i++)
        if (span_is_nocase(s->fields[i], name))
            return true;
    return false;
}

static inline enum secret_kind kind_of(const struct secrets *s, const struct field *f)
{
    enum secret_kind kind = s->kinds[f->id];

    if (kind != SECRET_UNKNOWN)
        return kind;
    if (secrets_field(s, f->name))
        return SECRET_LISTED;
    return HOLDS_URI(f->id) ? SECRET_URI : SECRET_HARMLESS;
}

/* Userinfo ends with '@', and what is hidden of parameters comes behind '='. */
static bool may_hold_any(struct span uris)
{
    while (uris.n > 0) {
        size_t n = uris.n < BLOCK_BYTES ? uris.n : BLOCK_BYTES;
        block bytes = block_load_some(uris.p, n);

        if (block_bits(block_is(bytes, '@') | block_is(bytes, '=')) != 0)
            return true;
        uris = span_from(uris, n);
    }
    return false;
}

bool secrets_in_field(const struct secrets *s, const struct field *f)
{
    enum secret_kind kind = kind_of(s, f);

    return kind == SECRET_LISTED || (kind == SECRET_URI && may_hold_any(f->value));
}

__attribute__((noinline)) bool secrets_in_fields(const struct secrets *s, const struct head *head)
{
    const struct field *end = head->fields + head->count;

    for (const struct field *f = head->fields; f < end; f++)
        if (s->kinds[f->id] != SECRET_HARMLESS && secrets_in_field(s, f))
            return true;
    return false;
}

/* A text on its way to where it is kept. What is hidden is named from left to right. */
struct copy {
    const struct secrets *secrets;
    const char *from, *end; /* what is left of the text */
    const char *hidden;     /* the end of what was hidden last */
    const char *cut_at;     /* its end, if it may have been cut off there */
    char *out;
    size_t room, bytes;
    bool cut; /* there was no room; nothing more is written */
};

static void put(struct copy *c, const char *from, const char *to)
{
    size_t n = (size_t)(to - from), left = c->room - c->bytes;

    if (c->cut || n == 0)
        return;
    c->cut = n > left;
    if (n > left)
        n = left;
    if (n > 0)
        memcpy(c->out + c->bytes, from, n);
    c->bytes += n;
}

static bool is_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
        p++;
    return p == end;
}

/* Let a mark stand for [from, to) but for white space at its end, and copy what is before. Nothing stays nothing; what
 * begins in what was hidden before, or right behind it, needs no mark of its own. */
static void hide(struct copy *c, const char *from, const char *to)
{
    static const char mark[] = SECRET_REMOVED;

    if (is_blank(from, to))
        return;
    while (to[-1] == ' ' || to[-1] == '\t')
        to--;
    if (c->hidden == NULL || from > c->hidden) {
        put(c, c->from, from);
        c->cut |= c->room - c->bytes < sizeof mark - 1;
        put(c, mark, mark + sizeof mark - 1);
    }
    if (to > c->from)
        c->hidden = c->from = to;
}

/* Sets of bytes below 64: all that separates parts of a URI, and white space. */
#define BYTE(c)          (UINT64_C(1) << (c))
#define ENDS_AUTHORITY   (BYTE('/') | BYTE('?') | BYTE('#'))
#define ENDS_PARAMETER   (BYTE('&') | BYTE('#'))
#define ENDS_NAME        (BYTE('=') | BEGINS_SOMETHING)
#define BEGINS_SOMETHING (BYTE('/') | BYTE('?') | BYTE('&') | BYTE(';') | BYTE('#'))
#define ENDS_WORD        (BYTE(' ') | BYTE('\t'))

/* The first byte that is in `set`. */
static const char *find_any(const char *p, const char *end, uint64_t set)
{
    while (p < end && ((uint8_t)*p >= 64 || (set >> *p & 1) == 0))
        p++;
    return p;
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* The next byte of a parameter's name, decoded; -1 at its end. A folded line may lie within. */
static int name_next(const char **p, const char *end)
{
    while (*p < end && is_blank(*p, *p + 1))
        ++*p;
    if (*p == end)
        return -1;
    if (end - *p >= 3 && **p == '%' && token_is((*p)[1], TOKEN_HEX) && token_is((*p)[2], TOKEN_HEX)) {
        *p += 3;
        return (int)(token_hex((*p)[-2]) << 4 | token_hex((*p)[-1]));
    }
    return (unsigned char)*(*p)++;
}

static bool name_is(const char *p, const char *end, struct span want)
{
    for (size_t i = 0; i < want.n; i++) {
        int c = name_next(&p, end);
        char byte = (char)c;

        if (c < 0 || !span_is_nocase((struct span){ &byte, 1 }, (struct span){ want.p + i, 1 }))
            return false;
    }
    return name_next(&p, end) < 0;
}

static bool name_listed(const struct secrets *s, const char *p, const char *end)
{
    for (uint32_t i = 0; i < s->query_count; i++)
        if (name_is(p, end, s->queries[i]))
            return true;
    return false;
}

/* The '@' behind the userinfo of an authority that begins at p; NULL: it has none. Where the text was cut off in what
 * may be a password, that is its end. RFC3986:3.2 */
static const char *userinfo_end(const struct copy *c, const char *p, const char *end)
{
    const char *stop = find_any(p, end, ENDS_AUTHORITY), *at;

    if (stop == p)
        return NULL;
    at = memrchr(p, '@', (size_t)(stop - p));
    return at == NULL && stop == c->cut_at && memchr(p, ':', (size_t)(stop - p)) != NULL ? stop : at;
}

/* Where what must be hidden of a parameter's value ends, which begins at p and is separated from the next one at `stop`:
 * there, unless that lies in a nested URI's userinfo. */
static const char *value_end(const struct copy *c, const char *p, const char *stop, const char *end)
{
    const char *slash = memrchr(p, '/', (size_t)(stop - p));
    const char *at = slash != NULL && slash > p && slash[-1] == '/' ? userinfo_end(c, slash + 1, end) : NULL;

    return at != NULL && at > stop ? at : stop;
}

/*
 * A text in which URIs lie, whole, relative or nested in each other. Userinfo goes wherever two slashes come before it,
 * and from the very beginning, where the scheme may be missing. What follows '?', '&', ';' or '#' may be a parameter, in
 * what looks like userinfo too: clients are sent tokens in fragments. Some servers take ';' for '&', others for a part
 * of a value: it begins a parameter, and ends none.
 */
static void hide_in_some(struct copy *c, const char *p, const char *end)
{
    const char *at = memrchr(p, '@', (size_t)(find_any(p, end, ENDS_AUTHORITY) - p));

    if (at != NULL)
        hide(c, p, at);
    while ((p = find_any(p, end, BEGINS_SOMETHING)) < end) {
        const char *name = p + 1;

        if (*p == '/') {
            p = name;
            if (p < end && *p == '/' && (at = userinfo_end(c, p + 1, end)) != NULL)
                hide(c, p + 1, at);
        } else {
            p = find_any(name, end, ENDS_NAME);
            if (p == end || *p != '=' || !name_listed(c->secrets, name, p))
                continue;
            name = p + 1;
            p = find_any(name, end, ENDS_PARAMETER);
            hide(c, name, value_end(c, name, p, end));
        }
    }
}

/* As a rule there is nothing to hide. Where a text was cut off, a password may have lost what tells it. */
static void hide_in_uris(struct copy *c, const char *p, const char *end)
{
    if (c->cut_at != NULL || may_hold_any((struct span){ p, (size_t)(end - p) }))
        hide_in_some(c, p, end);
}

struct line {
    const char *p, *end; /* without what ends it: CR LF, LF, or a CR alone */
    const char *next;
};

/* The first CR or LF. By pieces, so that a text with many of one and none of the other is not looked through for each. */
static const char *line_end(const char *p, const char *end)
{
    while (p < end) {
        size_t n = end - p < 256 ? (size_t)(end - p) : 256;
        const char *feed = memchr(p, '\n', n);
        const char *back = memchr(p, '\r', feed != NULL ? (size_t)(feed - p) : n);

        if (back != NULL || feed != NULL)
            return back != NULL ? back : feed;
        p += n;
    }
    return end;
}

static struct line line_at(const char *p, const char *end)
{
    struct line l = { p, line_end(p, end), NULL };

    l.next = l.end < end ? l.end + 1 : end;
    if (l.next < end && *l.end == '\r' && *l.next == '\n')
        l.next++;
    return l;
}

/* The first line from p on that is not empty; l.p == end: there is none. */
static struct line filled_line_at(const char *p, const char *end)
{
    struct line l = line_at(p, end);

    while (l.p < end && l.p == l.end)
        l = line_at(l.next, end);
    return l;
}

/* Does the line go on with what was before? Folded, or no field line at all. */
static bool goes_on(struct line l)
{
    return l.p < l.end && (*l.p == ' ' || *l.p == '\t' || memchr(l.p, ':', (size_t)(l.end - l.p)) == NULL);
}

/* Where the value begins behind a name that ends at p. */
static const char *value_of(const char *p, const char *end)
{
    p = skip_blank(p, end);
    return p < end && *p == ':' ? skip_blank(p + 1, end) : p;
}

enum line_kind { LINE_PLAIN, LINE_URIS, LINE_SECRET };

/* What a field line is, and where its value begins. Each word before the colon may be the name that was meant. */
static enum line_kind line_kind(const struct secrets *s, struct line l, const char **value)
{
    enum line_kind kind = LINE_PLAIN;
    const char *p = l.p;

    while (p < l.end && !token_is(*p, TOKEN_NAME))
        p++;
    while (p < l.end && *p != ':') {
        struct span word = { p, token_span((struct span){ p, (size_t)(l.end - p) }, TOKEN_NAME) };
        enum field_id id = field_find(word);

        p += word.n;
        if (s->kinds[id] != SECRET_HARMLESS && secrets_field(s, word)) {
            *value = value_of(p, l.end);
            return LINE_SECRET;
        }
        if (HOLDS_URI(id)) {
            *value = value_of(p, l.end);
            kind = LINE_URIS;
        }
        while (p < l.end && *p != ':' && !token_is(*p, TOKEN_NAME))
            p++;
    }
    return kind;
}

/* The end of a secret value that begins at p: a CR alone does not end it, nor does a line that goes on. */
static const char *secret_end(const char *p, const char *end)
{
    const char *feed = memchr(p, '\n', (size_t)(end - p));

    while (feed != NULL) {
        struct line later = filled_line_at(feed + 1, end);

        if (!goes_on(later))
            break;
        feed = memchr(later.end, '\n', (size_t)(end - later.end));
    }
    if (feed == NULL)
        feed = end;
    return feed > p && feed[-1] == '\r' ? feed - 1 : feed;
}

/* The end of a text of URIs, which goes on as a secret does, but not over the name of one. */
static const char *uris_end(const struct secrets *s, struct line l, const char *end)
{
    struct line later = filled_line_at(l.next, end);
    const char *value;

    while (goes_on(later) && line_kind(s, later, &value) != LINE_SECRET) {
        l = later;
        later = filled_line_at(l.next, end);
    }
    return l.end;
}

/* Where the target ends in [p, end), which is all of the first line behind the method: before the version. */
static const char *target_end(const char *p, const char *end)
{
    const char *space = end;

    while (space > p && (space = memrchr(p, ' ', (size_t)(space - p))) != NULL)
        if (end - space >= 6 && strncasecmp(space + 1, "HTTP/", 5) == 0)
            return space;
    return end;
}

/* A first line that is a field line: the line before got lost. */
static bool is_stray(const struct copy *c, struct line l)
{
    const char *colon = memchr(l.p, ':', (size_t)(l.end - l.p));

    return colon != NULL && secrets_field(c->secrets, span_trim((struct span){ l.p, (size_t)(colon - l.p) }));
}

/* These two hide what is in a line and in all that goes on with it, and return where that ends. */
static const char *hide_in_field(struct copy *c, struct line l)
{
    const char *value = l.p, *stop = l.end;

    switch (line_kind(c->secrets, l, &value)) {
    case LINE_SECRET:
        stop = secret_end(value, c->end);
        hide(c, value, stop);
        break;
    case LINE_URIS:
        stop = uris_end(c->secrets, l, c->end);
        hide_in_uris(c, value, stop);
        break;
    case LINE_PLAIN:
        break;
    }
    return stop;
}

static const char *hide_in_first(struct copy *c, struct line l)
{
    const char *word = skip_blank(l.p, l.end), *target = find_any(word, l.end, ENDS_WORD);
    const char *stop = uris_end(c->secrets, l, c->end), *version;

    if (is_stray(c, l))
        return hide_in_field(c, l);
    target = target < l.end ? skip_blank(target, l.end) : word;
    version = target_end(target, stop);
    hide_in_uris(c, target, version);
    hide_in_uris(c, version, stop);
    return stop;
}

static struct copy copy_begin(const struct secrets *s, struct span text, char *out, size_t room)
{
    const char *end = text.n > 0 ? text.p + text.n : text.p;

    return (struct copy){ .secrets = s, .from = text.p, .end = end, .out = out, .room = room };
}

static size_t copy_end(struct copy *c, bool *cut)
{
    put(c, c->from, c->end);
    *cut = c->cut;
    return c->bytes;
}

size_t secrets_copy(const struct secrets *s, struct span head, char *out, size_t room, bool *cut)
{
    struct copy c = copy_begin(s, head, out, room);
    bool first = true;

    c.cut_at = c.end;
    for (struct line l = { .next = head.p }; l.next < c.end && !c.cut;) {
        const char *stop;

        l = line_at(l.next, c.end);
        if (l.p == l.end)
            continue;
        stop = first ? hide_in_first(&c, l) : hide_in_field(&c, l);
        if (stop != l.end)
            l.next = line_at(stop, c.end).next;
        first = false;
    }
    return copy_end(&c, cut);
}

size_t secrets_copy_uris(const struct secrets *s, struct span text, char *out, size_t room, bool *cut)
{
    struct copy c = copy_begin(s, text, out, room);

    if (text.n > 0)
        hide_in_uris(&c, c.from, c.end);
    return copy_end(&c, cut);
}

static void hide_in_known_field(struct copy *c, const struct field *f)
{
    enum secret_kind kind = kind_of(c->secrets, f);

    if (kind == SECRET_LISTED)
        hide(c, f->value.p, f->value.p + f->value.n);
    else if (kind == SECRET_URI)
        hide_in_uris(c, f->value.p, f->value.p + f->value.n);
}

/* Do the parts of the head lie in its text? */
static bool is_in_place(const struct request *r)
{
    struct span target = r->head.target, text = r->head_text;

    return target.n > 0 && target.p >= text.p && target.p + target.n <= text.p + text.n;
}

size_t secrets_copy_request(const struct secrets *s, const struct exchange *x, char *out, size_t room, bool *cut)
{
    const struct head *head = &x->req.head;
    struct copy c = copy_begin(s, x->req.head_text, out, room);

    if (x->head_verdict.why != R_NONE || !is_in_place(&x->req))
        return secrets_copy(s, x->req.head_text, out, room, cut);
    hide_in_uris(&c, head->target.p, head->target.p + head->target.n);
    for (const struct field *f = head->fields, *last = f + head->count; f < last; f++)
        if (s->kinds[f->id] != SECRET_HARMLESS)
            hide_in_known_field(&c, f);
    return copy_end(&c, cut);
}
