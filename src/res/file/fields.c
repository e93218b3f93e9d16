/* Which answer carries which of the fields that tell about the selected representation: one table, one place. */
#include <stdlib.h>

#include "http/path.h"
#include "res/file/cache.h"

enum {
    TYPE = 1 << 0,
    NOSNIFF = 1 << 1,
    CODING = 1 << 2,
    LANGUAGE = 1 << 3,
    LOCATION = 1 << 4,
    TAG = 1 << 5,
    MODIFIED = 1 << 6,
    RANGES = 1 << 7,
    VARY = 1 << 8,
    LENGTH = 1 << 9, /* Content-Range without a range */
    OFTEN = 1 << 10, /* sent so often that it is worth to keep them ready */
    WHOLE = TYPE | NOSNIFF | CODING | LANGUAGE | LOCATION | TAG | MODIFIED | RANGES | VARY
};

static const uint16_t sets[R_COUNT] = {
    [R_request_ok] = WHOLE | OFTEN,
    [R_partial_content] = WHOLE | OFTEN,
    [R_not_modified] = LOCATION | VARY | TAG | OFTEN, /* RFC9110:15.4.5 */
    [R_if_match_failed] = TAG,
    [R_if_none_match_failed] = TAG,
    [R_if_unmodified_since_failed] = TAG,
    [R_precondition_required] = TAG,
    [R_already_applied] = TAG,
    [R_range_not_satisfiable] = LENGTH | RANGES | VARY, /* RFC9110:15.5.17 */
    [R_multiple_choices] = VARY,
    [R_not_acceptable] = VARY,
    [R_coding_not_acceptable] = VARY,
    [R_variant_also_negotiates] = VARY,
};

/* A part after If-Range goes to a client that has the rest of the fields already. RFC9110:15.3.7 */
static unsigned set_of_part(const struct exchange *x, unsigned set)
{
    if (request_has(x, FIELD_IF_RANGE))
        set &= TYPE | NOSNIFF | LOCATION | TAG | VARY | OFTEN;
    return x->range_kind == RANGE_MANY ? set & ~(unsigned)TYPE : set;
}

static unsigned set_of(const struct exchange *x, enum reason why)
{
    unsigned set = sets[why];

    if (why == R_partial_content)
        return set_of_part(x, set);
    if (why == R_not_modified && !x->facts.has_etag)
        return set ^ (TAG | MODIFIED);
    return set;
}

/* What Vary says: bits for Accept, Accept-Language, Accept-Encoding. */
static const struct span vary_values[] = {
    SPAN_INIT(""),
    SPAN_INIT("Accept"),
    SPAN_INIT("Accept-Language"),
    SPAN_INIT("Accept, Accept-Language"),
    SPAN_INIT("Accept-Encoding"),
    SPAN_INIT("Accept, Accept-Encoding"),
    SPAN_INIT("Accept-Language, Accept-Encoding"),
    SPAN_INIT("Accept, Accept-Language, Accept-Encoding"),
};

/* Which request fields had a say, or would have had with other values: a place in vary_values. RFC9110:12.5.5 */
static unsigned vary_of(const struct exchange *x, enum reason why)
{
    const struct file_state *s = file_state(x);
    const struct file_entry *e = s->entry;
    bool strict = x->policy->negotiation == NEGOTIATE_STRICT;
    unsigned at = s->coding_matters ? 4 : 0;

    if (why != R_request_ok && why != R_partial_content && why != R_not_modified) /* what explains it is negotiated */
        at |= 3;
    if (e->negotiates && (e->types_differ || strict))
        at |= 1;
    if (e->negotiates && (e->languages_differ || (strict && e->has_language)))
        at |= 2;
    return at;
}

struct span file_link(struct exchange *x, const char *name)
{
    struct span path = x->req.path;
    const char *slash = memrchr(path.p, '/', path.n);
    size_t above = slash != NULL ? (size_t)(slash - path.p) + 1 : 0;
    struct span last = span_of(name);
    size_t room = 3 * (above + last.n);
    char *out = room > 0 ? arena_take(&x->arena, room) : NULL;
    size_t n;

    if (out == NULL)
        return (struct span){ 0 };
    n = path_encode((struct span){ path.p, above }, out, room);
    n += path_encode(last, out + n, room - n);
    return (struct span){ out, n };
}

static void add_unless_empty(struct exchange *x, struct span name, struct span value)
{
    if (value.n > 0)
        reply_add(x, name, value);
}

static void add_content_fields(struct exchange *x, unsigned set)
{
    const struct file_state *s = file_state(x);

    if (set & TYPE)
        reply_add(x, SPAN("Content-Type"), s->variant->type);
    if (set & NOSNIFF)
        reply_add(x, SPAN("X-Content-Type-Options"), SPAN("nosniff"));
    if ((set & CODING) && s->coding != CODING_IDENTITY)
        reply_add(x, SPAN("Content-Encoding"), coding_info(s->coding)->token);
    if (set & LANGUAGE)
        add_unless_empty(x, SPAN("Content-Language"), s->variant->language);
    if ((set & LOCATION) && s->entry->negotiates)
        add_unless_empty(x, SPAN("Content-Location"), file_link(x, s->variant->name));
}

static void add_length(struct exchange *x)
{
    char *text = arena_take(&x->arena, CONTENT_RANGE_BYTES);

    if (text != NULL)
        reply_add(x, SPAN("Content-Range"),
                  (struct span){ text, content_range_write_unsatisfied(text, x->facts.length) });
}

static void add_fields(struct exchange *x, unsigned set, unsigned vary)
{
    const struct file_state *s = file_state(x);

    if (s->content != NULL)
        add_content_fields(x, set);
    if ((set & TAG) && s->content != NULL)
        reply_add(x, SPAN("ETag"), file_tag_value(&s->content->tag));
    if ((set & MODIFIED) && x->facts.has_modified)
        reply_add(x, SPAN("Last-Modified"), (struct span){ s->variant->modified_text, DATE_BYTES });
    if (set & RANGES)
        reply_add(x, SPAN("Accept-Ranges"), SPAN("bytes"));
    if (set & VARY)
        add_unless_empty(x, SPAN("Vary"), vary_values[vary]);
    if (set & LENGTH)
        add_length(x);
}

static bool is_repeated(const struct file_state *s, unsigned set)
{
    return (set & OFTEN) && s->content != NULL;
}

/* All that the fields depend on, but for the path. */
static uint32_t key_of(const struct exchange *x, unsigned set, unsigned vary)
{
    return set << 4 | vary << 1 | x->facts.has_modified;
}

static bool links_fit(const struct file_ready *ready, struct span path)
{
    return ready->path.n == 0 || span_is(ready->path, path);
}

static const struct file_ready *ready_find(const struct exchange *x, uint32_t key)
{
    const struct file_ready *ready = file_state(x)->content->ready;

    while (ready != NULL && (ready->key != key || !links_fit(ready, x->req.path)))
        ready = ready->next;
    return ready;
}

/* Of the fields that have been added since there were `before` of them. Without memory they are made again next time. */
static void ready_keep(struct exchange *x, uint32_t before, uint32_t key)
{
    const struct reply_field *fields = x->reply_fields + before;
    uint32_t count = x->reply.count - before;
    struct file_state *s = file_state(x);
    struct span path = s->entry->negotiates ? x->req.path : (struct span){ 0 };
    size_t lines_bytes = ready_fields_bytes(fields, count);
    size_t bytes = sizeof(struct file_ready) + lines_bytes + path.n;
    struct file_ready *ready = malloc(bytes);
    char *path_room;

    if (ready == NULL)
        return;
    path_room = (char *)(ready + 1) + lines_bytes;
    if (path.n > 0)
        memcpy(path_room, path.p, path.n);
    *ready = (struct file_ready){ .next = s->content->ready, .key = key, .path = { path_room, path.n } };
    ready_fields_write(&ready->lines, fields, count, ready + 1);
    s->content->ready = ready;
    file_cache_grow(&file_worker(x)->cache, s->entry, bytes + FILE_MALLOC_BYTES);
}

/* They are made, and kept if they can be asked for again. Apart: most of what is asked for is ready. */
static __attribute__((noinline)) void make_fields(struct exchange *x, unsigned set, unsigned vary, bool repeated)
{
    uint32_t before = x->reply.count;

    add_fields(x, set, vary);
    if (repeated && !x->arena.full)
        ready_keep(x, before, key_of(x, set, vary));
}

void file_fields(struct exchange *x, enum reason why)
{
    unsigned set = set_of(x, why), vary = vary_of(x, why);
    bool repeated = is_repeated(file_state(x), set);
    const struct file_ready *ready = repeated ? ready_find(x, key_of(x, set, vary)) : NULL;

    if (ready != NULL)
        reply_add_ready(x, &ready->lines);
    else
        make_fields(x, set, vary, repeated);
}

static bool made_by_method(enum reason why)
{
    return why == R_request_ok || why == R_partial_content || why == R_multiple_choices || why == R_not_acceptable;
}

/* precondition_required is said before anything is selected: what is there is meant, as it is. */
void file_describe(struct exchange *x, enum reason why)
{
    struct file_state *s = file_state(x);

    if (s == NULL || s->entry == NULL || made_by_method(why))
        return;
    if (why == R_precondition_required && s->variant != NULL && !s->variant->negotiates)
        s->content = &s->variant->files[CODING_IDENTITY];
    file_fields(x, why);
}
