#include "base/bounded.h"
#include "http/cgi.h"
#include "http/forward.h"
#include "http/token.h"

#define PREFIX    "HTTP_"
#define FORWARDED SPAN("x-forwarded-")

/* Where pairs are put. */
struct pairs {
    struct cgi_pair *out;
    size_t count;
};

static void put(struct pairs *p, struct span name, struct span value)
{
    p->out[p->count++] = (struct cgi_pair){ name, value };
}

static void put_number(struct pairs *p, struct arena *arena, struct span name, uint64_t number)
{
    char digits[20];
    struct bounded b = { digits, sizeof digits, 0 };

    bounded_put_number(&b, number);
    put(p, name, arena_copy(arena, (struct span){ digits, b.bytes }));
}

/* --- Fields --- */

static bool is_nameable(struct span name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned letter = (unsigned char)(name.p[i] | 0x20);

        if ((letter < 'a' || letter > 'z') && !token_is(name.p[i], TOKEN_DIGIT) && name.p[i] != '-')
            return false;
    }
    return true;
}

/* Said of a client by a proxy, or by anybody who would like to be taken for another. */
static bool is_said_of_client(const struct field *line)
{
    size_t n = FORWARDED.n < line->name.n ? FORWARDED.n : line->name.n;

    return line->id == FIELD_FORWARDED || line->id == FIELD_X_REAL_IP ||
           span_is_nocase((struct span){ line->name.p, n }, FORWARDED);
}

static bool is_told(const struct cgi_request *r, const struct field *line)
{
    if (!r->from_trusted && is_said_of_client(line))
        return false;
    switch (line->id) {
    case FIELD_CONTENT_TYPE:
    case FIELD_CONTENT_LENGTH:
    case FIELD_PROXY_AUTHORIZATION:
        return false;
    case FIELD_AUTHORIZATION:
        return r->tells_credentials;
    case FIELD_OTHER:
        return is_nameable(line->name) && !span_is_nocase(line->name, SPAN("proxy"));
    default:
        return true;
    }
}

static bool is_same_name(const struct field *a, const struct field *b)
{
    return a->id == b->id && (a->id != FIELD_OTHER || span_is_nocase(a->name, b->name));
}

/* HTTP_ACCEPT_LANGUAGE of Accept-Language. RFC3875:4.1.18 */
static struct span name_of(struct arena *arena, struct span field)
{
    size_t n = sizeof PREFIX - 1;
    char *name = arena_take(arena, n + field.n);

    if (name == NULL)
        return (struct span){ 0 };
    memcpy(name, PREFIX, n);
    for (size_t i = 0; i < field.n; i++, n++) {
        char c = field.p[i];

        name[n] = c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c);
    }
    return (struct span){ name, n };
}

/* The values of all lines of that name that are left, which are taken. RFC9110:5.3, RFC6265:5.4 */
static struct span join(const struct head *head, size_t first, struct forward *left, struct arena *arena)
{
    const struct field *line = &head->fields[first];
    struct span between = line->id == FIELD_COOKIE ? SPAN("; ") : SPAN(", "), all = line->value;

    for (size_t i = first + 1; i < head->count; i++)
        if (forward_has(left, i) && is_same_name(line, &head->fields[i])) {
            all = arena_join(arena, (struct span[]){ all, between, head->fields[i].value }, 3);
            forward_drop(left, i);
        }
    return all;
}

static void put_fields(struct pairs *p, const struct cgi_request *r, struct arena *arena)
{
    struct forward left;

    if (!forward_choose(r->head, FORWARD_OWN_LENGTH, &left))
        return;
    for (size_t i = 0; i < r->head->count; i++) {
        const struct field *line = &r->head->fields[i];

        if (forward_has(&left, i) && is_told(r, line))
            put(p, name_of(arena, line->name), join(r->head, i, &left, arena));
    }
}

/* --- The others --- */

static void put_server(struct pairs *p, const struct cgi_request *r, struct arena *arena)
{
    put(p, SPAN("GATEWAY_INTERFACE"), SPAN("CGI/1.1"));
    put(p, SPAN("SERVER_SOFTWARE"), r->software);
    put(p, SPAN("SERVER_PROTOCOL"), r->protocol);
    put(p, SPAN("SERVER_NAME"), r->server_name.n > 0 ? r->server_name : SPAN("localhost"));
    put_number(p, arena, SPAN("SERVER_PORT"), r->server_port);
    put(p, SPAN("REMOTE_ADDR"), r->client);
    put(p, SPAN("REMOTE_HOST"), r->client);
    put(p, SPAN("REQUEST_SCHEME"), r->scheme);
    if (span_is(r->scheme, SPAN("https")))
        put(p, SPAN("HTTPS"), SPAN("on"));
}

static void put_target(struct pairs *p, const struct cgi_request *r)
{
    put(p, SPAN("REQUEST_METHOD"), r->head->method_name);
    put(p, SPAN("REQUEST_URI"), r->target);
    put(p, SPAN("QUERY_STRING"), r->query);
    put(p, SPAN("SCRIPT_NAME"), r->script_name);
    put(p, SPAN("SCRIPT_FILENAME"), r->script_file);
    put(p, SPAN("DOCUMENT_ROOT"), r->root);
    if (r->path_info.n > 0)
        put(p, SPAN("PATH_INFO"), r->path_info);
}

static void put_content(struct pairs *p, const struct cgi_request *r, struct arena *arena)
{
    const struct field *type = head_field(r->head, FIELD_CONTENT_TYPE);

    if (r->length_known)
        put_number(p, arena, SPAN("CONTENT_LENGTH"), r->content_length);
    if (type != NULL)
        put(p, SPAN("CONTENT_TYPE"), type->value);
}

size_t cgi_pairs(const struct cgi_request *r, struct arena *arena, struct cgi_pair *out)
{
    struct pairs p = { out, 0 };

    put_server(&p, r, arena);
    put_target(&p, r);
    put_content(&p, r, arena);
    put_fields(&p, r, arena);
    return p.count;
}

void cgi_pair_set(struct cgi_pair *out, size_t *count, struct span name, struct span value)
{
    size_t i = 0;

    while (i < *count && !span_is(out[i].name, name))
        i++;
    out[i] = (struct cgi_pair){ name, value };
    *count += i == *count;
}

size_t cgi_split(struct span path, struct span split)
{
    for (size_t at = 0; at < path.n;) {
        struct span rest = span_from(path, at);
        size_t end = at + 1 + (rest.n > 1 ? span_find(span_from(rest, 1), '/') : 0);

        if (split.n > 0 && span_ends((struct span){ rest.p, end - at }, split))
            return end;
        at = end;
    }
    return path.n;
}
