#include "admin/row.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/forwarded.h"
#include "admin/member.h"
#include "explain/code.h"
#include "http/date.h"
#include "http/escape.h"

json_t *row_text(struct span text)
{
    json_t *value = json_stringn(text.n > 0 ? text.p : "", text.n);
    size_t bytes;
    char *mended;

    if (value != NULL)
        return value;
    bytes = escape_utf8(text, NULL, 0);
    mended = malloc(bytes);
    if (mended == NULL)
        return NULL;
    escape_utf8(text, mended, bytes);
    value = json_stringn_nocheck(mended, bytes);
    free(mended);
    return value;
}

json_t *row_time(uint64_t unix_ms)
{
    struct date d = date_split((int64_t)(unix_ms / 1000));
    char text[32];

    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", d.year, d.month, d.day, d.hour, d.minute,
             d.second, (unsigned)(unix_ms % 1000));
    return json_string(text);
}

json_t *row_id(uint64_t number)
{
    char id[EXCHANGE_ID_LETTERS];

    exchange_id_write(number, id);
    return json_stringn(id, sizeof id);
}

struct span row_client_print(const uint8_t *peer, uint8_t bytes, char out[ADDRESS_TEXT_BYTES])
{
    struct sockaddr_storage socket = { 0 };

    memcpy(&socket, peer, bytes);
    return address_print((const struct sockaddr *)&socket, bytes, ADDRESS_HOST, out);
}

json_t *row_client(const uint8_t *peer, uint8_t bytes)
{
    char text[ADDRESS_TEXT_BYTES];

    return row_text(row_client_print(peer, bytes, text));
}

static json_t *protocol_json(const struct record *r)
{
    char text[16];

    if (r->major == 0 && r->minor == 0)
        return json_string("");
    snprintf(text, sizeof text, "HTTP/%u.%u", r->major, r->minor);
    return json_string(text);
}

static json_t *site_json(const struct admin_source *source, uint16_t site)
{
    const char *name = source->site_name(source->server, site);

    return row_text(span_of(name != NULL ? name : ""));
}

/* Who asked, and for what. */
static void put_request(json_t **o, const struct record *r)
{
    struct span host = { 0 };

    if (r->has_request_line)
        host = record_field(record_request(r), SPAN("Host"));
    member(o, "client", row_client(r->peer, r->peer_bytes));
    member(o, "protocol", protocol_json(r));
    member(o, "method", row_text(record_method(r)));
    member(o, "target", row_text(record_target(r)));
    member(o, "host", row_text(host));
}

static void put_answer(json_t **o, const struct record *r)
{
    member_number(o, "status", r->status_sent);
    member_string(o, "detail", explain_detail(r->why, r->dialect).text);
    member_string(o, "dialect", dialect_name(r->dialect));
    member_string(o, "reason", reason_info(r->why)->name);
    member(o, "operand", row_text(record_operand(r)));
    member(o, "broken", r->broken != R_NONE ? json_string(reason_info(r->broken)->name) : json_null());
}

json_t *row_json(const struct admin_source *source, const struct record *r, uint32_t worker)
{
    json_t *o = json_object();

    member(&o, "id", row_id(r->number));
    member(&o, "time", row_time(r->unix_ms));
    member_number(&o, "time_ms", r->unix_ms);
    member_number(&o, "worker", worker);
    member(&o, "site", site_json(source, r->site));
    put_request(&o, r);
    put_answer(&o, r);
    member_number(&o, "ms", record_between(r->moments.first_byte_ms, r->moments.ended_ms));
    member_number(&o, "bytes_in", r->bytes_in);
    member_number(&o, "bytes_out", r->bytes_out);
    member(&o, "failed", json_boolean(r->failed));
    member(&o, "slow", json_boolean(r->slow));
    forwarded_row(&o, r);
    return o;
}
