/* A member is asked, again and again, whether it is well: a connection, GET, the status, and the connection goes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/h1_response.h"
#include "upstream/making.h"

#define CHECK_FIELDS 64
#define REQUEST_FORM "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: verdict-check\r\nConnection: close\r\n\r\n"

struct check {
    struct upstream_member *member;
    struct timer timer; /* the next one, or the end of the one under way */
    struct making making;
    struct connection *up; /* NULL: being made, or none */
    char *request;
    uint32_t request_bytes, sent;
    uint64_t random;
    bool busy;
};

static struct upstream_world *world_of(const struct check *c)
{
    return &c->member->pool->all->world;
}

static const struct upstream_check *rules_of(const struct check *c)
{
    return &c->member->pool->group->check;
}

static void timer_set_in(struct check *c, uint64_t delay_ms)
{
    timer_set(world_of(c)->wheel, &c->timer, world_of(c)->loop->now_ms, delay_ms);
}

/* Up to `most`; that workers do not ask all at once. */
static uint64_t some_of(struct check *c, uint64_t most)
{
    c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return most > 0 ? (c->random >> 33) % most : 0;
}

static void hang_up(struct check *c)
{
    making_cancel(&c->making);
    if (c->up != NULL)
        connection_free(c->up);
    c->up = NULL;
    c->busy = false;
}

/* A fifth of the interval is left to chance. */
static void end(struct check *c, bool well)
{
    const uint64_t interval_ms = rules_of(c)->interval_ms;

    hang_up(c);
    health_checked(&c->member->health, c->member->pool->group, well, world_of(c)->loop->now_ms);
    timer_set_in(c, interval_ms - interval_ms / 10 + some_of(c, interval_ms / 5));
}

/* --- The exchange --- */

/* R_MORE, R_NONE with *well, or a refusal. Interim responses are stepped over. */
static enum reason judge(const struct upstream *up, bool *well)
{
    static const struct h1_limits limits = { .field_bytes = 8192, .head_bytes = 16384, .fields = CHECK_FIELDS };
    struct span in = { up->buffer, up->have };
    struct field fields[CHECK_FIELDS];
    struct response_head head;
    struct verdict v;
    enum reason why;

    for (;;) {
        response_init(&head, fields);
        why = h1_parse_response(in, &limits, &head, &v);
        if (why != R_NONE || head.status / 100 != 1)
            break;
        in = span_from(in, head.head.bytes);
    }
    *well = why == R_NONE && (head.status / 100 == 2 || head.status / 100 == 3);
    return why;
}

static void receive(struct check *c)
{
    bool well = false;

    for (;;) {
        long n = upstream_read(&c->up->up);

        if (n == -EAGAIN)
            return;
        if (n <= 0 || judge(&c->up->up, &well) != R_MORE)
            break;
    }
    end(c, well);
}

static void converse(struct check *c)
{
    while (c->sent < c->request_bytes) {
        const struct iovec rest = { c->request + c->sent, c->request_bytes - c->sent };
        long n = upstream_write(&c->up->up, &rest, 1);

        if (n == -EAGAIN)
            return;
        if (n < 0) {
            end(c, false);
            return;
        }
        c->sent += (uint32_t)n;
    }
    receive(c);
}

static void happened(struct connection *up)
{
    converse(up->with);
}

/* --- Its beginning and end --- */

static void made(struct check *c)
{
    c->up = c->making.up;
    if (c->up == NULL) {
        end(c, false);
        return;
    }
    c->up->happened = happened;
    c->up->with = c;
    c->sent = 0;
    converse(c);
}

static void making_done(struct making *m)
{
    made((struct check *)((char *)m - offsetof(struct check, making)));
}

static void begin(struct check *c)
{
    const struct upstream_origin *origin = c->member->origin;
    const struct making_settings settings = { .member = c->member,
                                              .host = origin->host,
                                              .port = origin->port,
                                              .address = origin->address.len > 0 ? &origin->address : NULL,
                                              .limit_ms = rules_of(c)->timeout_ms };

    c->busy = true;
    timer_set_in(c, rules_of(c)->timeout_ms);
    if (making_start(&c->making, &settings))
        made(c);
}

static void fire(struct timer *t)
{
    struct check *c = (struct check *)((char *)t - offsetof(struct check, timer));

    if (c->busy)
        end(c, false);
    else
        begin(c);
}

/* Host is who it is for, when the operator does not say otherwise: its name; of a unix socket, nobody. */
static bool write_request(struct check *c)
{
    const struct upstream_check *rules = rules_of(c);
    const struct upstream_origin *origin = c->member->origin;
    const struct span host = rules->host.n > 0 ? rules->host : origin->host.n > 0 ? origin->text : SPAN("localhost");
    int n = asprintf(&c->request, REQUEST_FORM, (int)rules->path.n, rules->path.p, (int)host.n, host.p);

    c->request_bytes = n > 0 ? (uint32_t)n : 0;
    return n > 0;
}

struct check *check_new(struct upstream_member *m)
{
    struct check *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->member = m;
    c->making.done = making_done;
    c->random = balance_key(m->origin->text) ^ (uint64_t)(uintptr_t)c;
    timer_init(&c->timer, fire);
    if (!write_request(c)) {
        free(c);
        return NULL;
    }
    timer_set_in(c, some_of(c, rules_of(c)->interval_ms));
    return c;
}

void check_free(struct check *c)
{
    if (c == NULL)
        return;
    hang_up(c);
    timer_drop(&c->timer);
    free(c->request);
    free(c);
}
