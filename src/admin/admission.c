#include "admin/admission.h"

#include "io/address.h"

const struct span admission_path = SPAN_INIT("/api/admissions");

static const struct sockaddr *client_of(const struct admission *a)
{
    return (const struct sockaddr *)&a->client;
}

bool admission_find(const struct api *api, struct admission *a, struct span path, bool stores)
{
    struct span rest = span_from(path, admission_path.n);
    const struct admin_source *source = api->source;

    if (source->admit == NULL)
        return false;
    if (rest.n == 0)
        return true;
    a->named = rest.p[0] == '/' && address_of_host(span_from(rest, 1), 0, &a->client) > 0;
    return a->named && !stores && source->is_admitted(source->server, client_of(a), api->now_ms);
}

json_t *admission_json(const struct api *api, const struct admission *a)
{
    const struct admin_source *source = api->source;

    if (a->named)
        return json_pack("{s:b}", "admitted", 1);
    return json_pack("{s:I}", "count", (json_int_t)source->admitted_count(source->server, api->now_ms));
}

static enum flow refuse(struct exchange *x, struct span member)
{
    return STOP_ABOUT(x, R_unprocessable_content, 0, member);
}

/* All of the content, up to its limit, which the codec watches. */
static enum flow content_take(struct exchange *x, struct admission *a)
{
    struct span piece = { 0 };
    enum flow f;

    if (a->content == NULL)
        a->content = arena_take(&x->arena, ADMISSION_CONTENT_BYTES);
    if (a->content == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    while ((f = x->codec->content(x, &piece)) == FLOW_GO && piece.n > 0) {
        if (piece.n > ADMISSION_CONTENT_BYTES - a->bytes)
            return STOP(x, R_content_streamed_too_large, 0);
        memcpy(a->content + a->bytes, piece.p, piece.n);
        a->bytes += (uint32_t)piece.n;
    }
    return f;
}

static enum flow admit(struct exchange *x, const struct api *api, const json_t *said)
{
    const struct admin_source *source = api->source;
    const json_t *client = json_object_get(said, "client"), *seconds = json_object_get(said, "seconds");
    struct span text = { json_string_value(client), json_string_length(client) };
    struct sockaddr_storage socket;
    json_int_t s = json_integer_value(seconds);

    if (!json_is_object(said))
        return refuse(x, SPAN("content"));
    if (text.p == NULL || address_of_host(text, 0, &socket) == 0)
        return refuse(x, SPAN("client"));
    if (!json_is_integer(seconds) || s < 1 || s > ADMISSION_SECONDS_MOST)
        return refuse(x, SPAN("seconds"));
    if (!source->admit(source->server, (const struct sockaddr *)&socket, api->now_ms + (uint64_t)s * 1000, api->now_ms))
        return STOP(x, R_insufficient_storage, 0);
    return FLOW_GO;
}

enum flow admission_store(struct exchange *x, const struct api *api, struct admission *a)
{
    enum flow f = content_take(x, a);
    json_t *said;

    if (f != FLOW_GO)
        return f;
    said = json_loadb(a->content, a->bytes, JSON_REJECT_DUPLICATES, NULL);
    f = admit(x, api, said);
    json_decref(said);
    return f;
}

void admission_remove(const struct api *api, const struct admission *a)
{
    const struct admin_source *source = api->source;

    if (a->named)
        source->expel(source->server, client_of(a));
}
