#include "admin/story_fact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/row.h"
#include "graph/graph.h"
#include "http/date.h"
#include "http/host.h"
#include "http/path.h"
#include "io/address.h"

/* Of a text that is no part of the request: a number, a date, an address. */
#define MADE_BYTES 256u

_Static_assert(MADE_BYTES >= ADDRESS_TEXT_BYTES && MADE_BYTES >= DATE_BYTES, "each fits");

struct row;

/* False: nothing can be said. *out with p == NULL: the exchange had none. */
typedef bool (*tell_fn)(struct story_facts *f, const struct row *row, struct span *out);

struct row {
    tell_fn tell;
    struct span name;
    struct span what; /* name of a wait */
    size_t offset;    /* of a member of struct facts, or of struct record_try */
    unsigned node;
};

static struct span made_number(struct story_facts *f, uint64_t number)
{
    int n = snprintf(f->made, MADE_BYTES, "%ju", (uintmax_t)number);

    return (struct span){ f->made, (size_t)n };
}

static struct span or_absent(struct span s)
{
    return s.n > 0 ? s : (struct span){ 0 };
}

static bool tell_string(const char *string, struct span *out)
{
    *out = string != NULL ? or_absent(span_of(string)) : (struct span){ 0 };
    return true;
}

/* All lines of the name, joined as a list (RFC9110:5.3). There is room: each line has more around its value. */
static struct span joined(struct story_facts *f, struct span wanted)
{
    struct span head = record_request(f->record), all = { NULL, 0 }, name, value;
    size_t at = 0;

    while (record_field_next(head, &at, &name, &value)) {
        if (!span_is_nocase(name, wanted))
            continue;
        if (all.p != NULL) {
            memcpy(f->made + all.n, ", ", 2);
            all.n += 2;
        }
        if (value.n > 0)
            memcpy(f->made + all.n, value.p, value.n);
        all.n += value.n;
        all.p = f->made;
    }
    return all;
}

/* Whether a field that is not there was behind the cut cannot be told. */
static bool tell_REQUEST(struct story_facts *f, const struct row *row, struct span *out)
{
    *out = joined(f, row->name);
    return out->p != NULL || !f->record->request_cut;
}

static bool tell_REPLY(struct story_facts *f, const struct row *row, struct span *out)
{
    *out = record_field(record_reply(f->record), row->name);
    return out->p != NULL;
}

static bool tell_flag(struct story_facts *f, const struct row *row, struct span *out)
{
    const bool *flag = (const bool *)((const char *)&f->record->facts + row->offset);

    *out = *flag ? SPAN("true") : SPAN("false");
    return true;
}

static bool tell_wait(struct story_facts *f, const struct row *row, struct span *out)
{
    for (unsigned i = 0; i < EXCHANGE_WAITS && f->record->waits[i].what != NULL; i++)
        if (span_is(span_of(f->record->waits[i].what), row->what)) {
            *out = made_number(f, f->record->waits[i].ms);
            return true;
        }
    return false;
}

static bool tell_bytes_in(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = made_number(f, f->record->bytes_in);
    return true;
}

static bool tell_field_lines(struct story_facts *f, const struct row *row, struct span *out)
{
    struct span name, value;
    size_t at = 0;
    uint64_t count = 0;

    (void)row;
    while (record_field_next(record_request(f->record), &at, &name, &value))
        count++;
    *out = made_number(f, count);
    return f->record->has_request_line && !f->record->request_cut;
}

static bool tell_head_ms(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct moments *m = &f->record->moments;

    (void)row;
    *out = made_number(f, record_between(m->first_byte_ms, m->head_ms));
    return true;
}

static bool tell_client(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record *r = f->record;

    (void)row;
    *out = row_client_print(r->peer, r->peer_bytes, f->made);
    return r->peer_bytes > 0;
}

static bool tell_version(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    out->p = f->made;
    out->n = (size_t)snprintf(f->made, MADE_BYTES, "HTTP/%u.%u", f->record->major, f->record->minor);
    return true;
}

static bool tell_tls(struct story_facts *f, const struct row *row, struct span *out)
{
    uint16_t version = f->record->brought.tls_version;

    (void)row;
    return tell_string(version == 0 ? "none" : version == TRANSPORT_TLS12 ? "TLSv1.2" : "TLSv1.3", out);
}

static bool tell_port(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    return tell_string(f->record->brought.on_tls_port || f->record->brought.tls_version > 0 ? "TLS" : "plain", out);
}

static bool tell_early(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    return tell_string(f->record->brought.early ? "true" : "false", out);
}

/* Why the client's certificate is not good, by the name of the reason. */
static bool tell_certificate(struct story_facts *f, const struct row *row, struct span *out)
{
    enum reason why = f->record->brought.certificate;

    (void)row;
    if (!f->record->brought.certificate_asked)
        return tell_string("not asked for", out);
    return tell_string(why == R_NONE ? "good" : reason_info(why)->name, out);
}

static bool tell_method(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = record_method(f->record);
    return out->n > 0;
}

static bool tell_target(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = record_target(f->record);
    return out->n > 0;
}

/* The authority of an absolute target wins over Host (RFC9112:3.2.2). */
static bool tell_host(struct story_facts *f, const struct row *row, struct span *out)
{
    struct host host;
    size_t bad;

    (void)row;
    *out = f->has_target ? f->target.authority : (struct span){ 0 };
    if (out->n == 0)
        *out = record_field(record_request(f->record), SPAN("Host"));
    if (out->p == NULL && f->record->request_cut)
        return false;
    if (host_parse(*out, &host, &bad))
        *out = host.name;
    *out = or_absent(*out);
    return true;
}

static bool tell_site(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    return tell_string(f->source->site_name(f->source->server, f->record->site), out);
}

static bool tell_route(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = or_absent(record_route(f->record));
    return true;
}

static bool tell_resource(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    return tell_string(f->record->resource != NULL ? f->record->resource->name : NULL, out);
}

/* As the exchange saw it: decoded, without dot segments; the root where the target has none. */
static bool tell_path(struct story_facts *f, const struct row *row, struct span *out)
{
    struct span raw = f->target.path.n > 0 ? f->target.path : SPAN("/");
    struct verdict v;

    (void)row;
    if (!f->has_target || path_decode(raw, f->made, raw.n + 1, &out->n, &v) != R_NONE)
        return false;
    out->p = f->made;
    return true;
}

static bool tell_path_bytes(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = made_number(f, f->target.path.n);
    return f->has_target;
}

/* How long the query was is not known where something has been taken out of it. */
static bool tell_query_bytes(struct story_facts *f, const struct row *row, struct span *out)
{
    struct span query = f->target.query;

    (void)row;
    *out = made_number(f, query.n);
    return f->has_target &&
           (query.n == 0 || memmem(query.p, query.n, SECRET_REMOVED, sizeof SECRET_REMOVED - 1) == NULL);
}

static bool tell_segments(struct story_facts *f, const struct row *row, struct span *out)
{
    struct span path;

    if (!tell_path(f, row, &path))
        return false;
    *out = made_number(f, path_segments(path));
    return true;
}

/* What PUT has stored bears a tag that was not there when the conditions were looked at. */
static bool tell_etag(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record *r = f->record;

    *out = (struct span){ 0 };
    if (!r->facts.has_etag)
        return true;
    return r->why != R_created && r->why != R_replaced && tell_REPLY(f, row, out);
}

static bool tell_modified(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = (struct span){ 0 };
    if (f->record->facts.has_modified) {
        date_write(f->made, f->record->facts.modified);
        *out = (struct span){ f->made, DATE_BYTES };
    }
    return true;
}

static bool tell_length(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = made_number(f, f->record->facts.length);
    return true;
}

static bool tell_name(const char *name, uint8_t bytes, struct span *out)
{
    *out = or_absent((struct span){ name, bytes });
    return true;
}

static bool tell_upstream(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    return tell_name(f->forwarding.upstream, f->forwarding.upstream_bytes, out);
}

/* The try that a node is about; what comes after all of them is about the last. NULL: it was not begun. */
static const struct record_try *try_of(const struct story_facts *f, unsigned node)
{
    unsigned count = f->forwarding.count, number = node < N_attempt_again ? 0 : node < N_attempt_last ? 1 : 2;

    if (node >= N_give_up && count > 0)
        number = count - 1;
    return number < count ? &f->forwarding.tries[number] : NULL;
}

static bool tell_server(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record_try *try = try_of(f, row->node);

    return try != NULL && tell_name(try->server, try->server_bytes, out);
}

static bool tell_kept(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record_try *try = try_of(f, row->node);

    return try != NULL && tell_string(try->kept ? "true" : "false", out);
}

static bool tell_took(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record_try *try = try_of(f, row->node);
    uint32_t ms = 0;

    if (try != NULL)
        memcpy(&ms, (const char *)try + row->offset, sizeof ms);
    *out = made_number(f, ms);
    return ms > 0;
}

/* By the name of the reason. */
static bool tell_failed(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record_try *try = try_of(f, row->node);

    return try != NULL && tell_string(try->why != R_NONE ? reason_info(try->why)->name : NULL, out);
}

static bool tell_harmless(struct story_facts *f, const struct row *row, struct span *out)
{
    const struct record_try *try = try_of(f, row->node);

    return try != NULL && tell_string(try->harmless ? "true" : "false", out);
}

static bool tell_tries(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = made_number(f, f->forwarding.count);
    return true;
}

/* A tunnel that a proxy makes is no answer of anybody's. */
static bool tell_upstream_status(struct story_facts *f, const struct row *row, struct span *out)
{
    (void)row;
    *out = f->forwarding.status > 0 ? made_number(f, f->forwarding.status) : (struct span){ 0 };
    return true;
}

static const struct row rows[] = {
#define FACT(node_, how, name_) { .node = N_##node_, .tell = tell_##how, .name = SPAN_INIT(name_) },
#define FLAG(node_, member) \
    { .node = N_##node_, .tell = tell_flag, .name = SPAN_INIT(#member), .offset = offsetof(struct facts, member) },
#define TOOK(node_, member) \
    { .node = N_##node_, .tell = tell_took, .name = SPAN_INIT(#member), .offset = offsetof(struct record_try, member) },
#define WAIT(node_, what_) \
    { .node = N_##node_, .tell = tell_wait, .name = SPAN_INIT(#what_ "_ms"), .what = SPAN_INIT(#what_) },
#include "admin/story.def"
#undef FACT
#undef FLAG
#undef TOOK
#undef WAIT
};

/* Is the verdict's place an errno? It is when the system was asked, and 0 when it had nothing to say. */
static bool is_of_system(enum reason why)
{
    static const uint16_t all[] = {
        R_acl_denied,
        R_write_denied,
        R_link_outside_root,
        R_link_loop,
        R_not_a_regular_file,
        R_file_system_error,
        R_helper_queue_full,
        R_descriptors_exhausted,
        R_worker_memory_exhausted,
        R_quota_exceeded,
        R_insufficient_storage,
        R_write_conflict_stale_version,
        R_if_none_match_failed,
        R_dav_parent_missing,
        R_dav_put_on_collection,
        R_delete_on_collection,
        R_file_name_too_long,
        R_cgi_identity_denied,
        R_cgi_start_failed,
        R_upstream_unroutable,
        R_upstream_connection_refused,
        R_upstream_connect_timeout,
        R_upstream_exchange_failed,
        R_upstream_write_failed,
        R_upstream_connection_terminated,
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i] == why)
            return true;
    return false;
}

/* The verdict names how much there may be or has come, or the error code of HTTP/2, and no place. */
static bool has_no_place(enum reason why)
{
    return why == R_content_streamed_too_large || why == R_exchange_memory_exhausted ||
           why == R_upstream_headers_too_large || why == R_upstream_interim_flood || why == R_upstream_body_too_large ||
           (why >= R_request_cancelled && why <= R_proxy_header_invalid);
}

const char *story_at_kind(const struct record *r)
{
    if (r->at == 0 || has_no_place(r->why))
        return NULL;
    return is_of_system(r->why) ? "errno" : "byte";
}

/* Something is wrong with what an upstream sent: a place is an offset in it. */
static bool is_of_reply(enum reason why)
{
    return why == R_upstream_bad_response || why == R_upstream_headers_unparseable ||
           why == R_upstream_header_line_too_large || why == R_upstream_transfer_coding_error ||
           why == R_cgi_head_invalid;
}

/* Acts that read what the client sent: a place is an offset in it. */
static bool has_offset(unsigned node, enum reason why)
{
    switch (node) {
    case N_receive:
    case N_understand:
    case N_compare:
    case N_compare_since:
    case N_store:
    case N_switch_protocol:
    case N_attempt:
    case N_attempt_again:
    case N_attempt_last:
        return !has_no_place(why);
    case N_give_up:
        return is_of_reply(why);
    default:
        return false;
    }
}

static int add(json_t *list, const char *name, struct span value)
{
    json_t *text = value.p != NULL ? row_text(value) : json_null();

    return json_array_append_new(list, json_pack("{s:s, s:o}", "name", name, "value", text));
}

static int add_errno(struct story_facts *f, json_t *list)
{
    const char *name = strerrorname_np((int)f->record->at);

    return add(list, "errno", name != NULL ? span_of(name) : made_number(f, f->record->at));
}

static int add_place(struct story_facts *f, json_t *list, unsigned node)
{
    enum reason why = f->record->why;

    if (is_of_system(why))
        return f->record->at != 0 ? add_errno(f, list) : 0;
    return has_offset(node, why) ? add(list, "offset", made_number(f, f->record->at)) : 0;
}

static int add_rows(struct story_facts *f, json_t *list, unsigned node)
{
    struct span value;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].node == node && rows[i].tell(f, &rows[i], &value) && add(list, rows[i].name.p, value) != 0)
            return -1;
    return 0;
}

json_t *story_facts_of(struct story_facts *f, unsigned node, bool ends, bool stopped)
{
    struct span operand = record_operand(f->record);
    json_t *list = json_array();
    int failed = list != NULL ? add_rows(f, list, node) : -1;

    if (failed == 0 && ends && operand.n > 0)
        failed = add(list, "operand", operand);
    if (failed == 0 && ends && stopped)
        failed = add_place(f, list, node);
    if (failed == 0)
        return list;
    json_decref(list);
    return NULL;
}

/* Is the first line of the request there to its end? */
static bool has_whole_line(const struct record *r)
{
    struct span head = record_request(r);

    return r->has_request_line && (!r->request_cut || span_find(head, '\n') < head.n);
}

/* An extended CONNECT names a resource as other methods do. RFC8441:4 */
static enum method target_method(const struct record *r)
{
    return r->method == M_CONNECT && span_starts(record_target(r), SPAN("/")) ? M_GET : (enum method)r->method;
}

bool story_facts_begin(struct story_facts *f, const struct admin_source *source, const struct record *r)
{
    struct verdict v;

    *f = (struct story_facts){ .source = source, .record = r, .made = malloc(r->request_bytes + MADE_BYTES) };
    f->has_target = has_whole_line(r) && target_parse(record_target(r), target_method(r), &f->target, &v) == R_NONE;
    record_forwarding(r, &f->forwarding);
    return f->made != NULL;
}

void story_facts_end(struct story_facts *f)
{
    free(f->made);
    f->made = NULL;
}
