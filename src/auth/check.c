#include "auth/check.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/crypto.h>

#include "auth/response.h"
#include "http/base64.h"
#include "http/credentials.h"

#define CHALLENGE_BYTES 128 /* besides twice the realm */

static enum flow stop_malformed(struct exchange *x, const struct auth_settings *s, const struct field *f, size_t at)
{
    return STOP_ABOUT(x, s->malformed, head_offset(&x->req.head, f->value.p + at), f->name);
}

static enum flow user_let_in(struct exchange *x, struct auth_state *state, struct span user)
{
    state->user = arena_copy(&x->arena, user);
    return state->user.p != NULL ? FLOW_GO : STOP(x, R_exchange_memory_exhausted, 0);
}

static enum flow user_judge(struct exchange *x, const struct auth_settings *s, enum flow flow, bool good)
{
    return flow == FLOW_GO && !good ? STOP(x, s->refused, 0) : flow;
}

static enum flow basic_ask(struct exchange *x, const struct auth_settings *s, struct auth_worker *w,
                           struct auth_state *state, const struct password_question *q)
{
    struct users_set *set;
    enum flow flow;
    bool good;

    if (user_let_in(x, state, q->user) != FLOW_GO)
        return FLOW_STOP;
    set = users_hold(s->users);
    flow = password_check(x, w, set, q, &state->waiter, &good);
    users_set_release(&set);
    return user_judge(x, s, flow, good);
}

static enum flow basic_check(struct exchange *x, const struct auth_settings *s, struct auth_worker *w,
                             struct auth_state *state, struct span token68)
{
    struct password_question q = { .good_lifetime_s = s->good_lifetime_s };
    const struct field *f = head_field(&x->req.head, s->field);
    size_t room = BASE64_BYTES(token68.n) + 1;
    char *memory = arena_take(&x->arena, room);
    enum flow flow;

    if (memory == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    if (token68.n == 0)
        return stop_malformed(x, s, f, 0);
    if (basic_decode(token68, memory, &q.user, &q.password))
        flow = basic_ask(x, s, w, state, &q);
    else
        flow = stop_malformed(x, s, f, (size_t)(token68.p - f->value.p));
    explicit_bzero(memory, room);
    return flow;
}

static bool uri_is_target(const struct exchange *x, struct span uri)
{
    const struct target *target = &x->req.target;
    struct span whole = x->req.head.target;

    if (span_is(uri, whole))
        return true;
    if (target->form != TARGET_ABSOLUTE)
        return false;
    if (target->path.n == 0)
        return !target->has_query && span_is(uri, SPAN("/"));
    return span_is(uri, span_from(whole, (size_t)(target->path.p - whole.p)));
}

/* By enum digest_algorithm. */
struct offer {
    bool digest[DIGEST_ALGORITHMS];
    bool empty; /* of all that may be offered there is no HA1 */
};

static struct offer offer_of(const struct auth_settings *s, const struct users_set *set)
{
    struct offer offer = { .empty = true };

    for (unsigned a = 0; a < DIGEST_ALGORITHMS; a++) {
        offer.digest[a] = s->digest[a] && users_have_ha1(set, s->realm, (enum digest_algorithm)a);
        offer.empty = offer.empty && !offer.digest[a];
    }
    return offer;
}

static struct offer offer_now(const struct auth_settings *s)
{
    struct users_set *set = users_hold(s->users);
    struct offer offer = offer_of(s, set);

    users_set_release(&set);
    return offer;
}

/* 1: the response proves the password; 0: it does not; -1: no memory. */
static int digest_prove(const struct exchange *x, const struct auth_settings *s, const struct digest *d)
{
    static const char nobody[DIGEST_HEX_MAX + 1] = "0000000000000000000000000000000000000000000000000000000000000000";
    size_t digits = digest_hex_digits(d->algorithm);
    struct users_set *set = users_hold(s->users);
    struct span ha1 = users_ha1(set, d->user, s->realm, d->algorithm);
    struct span tried = ha1.p != NULL ? ha1 : (struct span){ nobody, digits };
    char right[DIGEST_HEX_MAX], said[DIGEST_HEX_MAX];
    bool done = digest_response(d, x->req.head.method_name, tried, right);

    users_set_release(&set);
    if (!done)
        return -1;
    for (size_t i = 0; i < digits; i++)
        said[i] = (char)(d->response.p[i] | 0x20); /* digits have the bit already */
    return CRYPTO_memcmp(right, said, digits) == 0 && ha1.p != NULL && span_is(d->realm, s->realm);
}

static enum flow digest_judge(struct exchange *x, const struct auth_settings *s, struct auth_state *state,
                              const struct digest *d)
{
    int proved = digest_prove(x, s, d);

    if (proved < 0)
        return STOP(x, R_worker_memory_exhausted, 0);
    if (proved == 0)
        return STOP(x, s->refused, 0);
    if (!nonce_use(s->nonces, d->nonce, d->nc_value, x->now_ms, (uint64_t)s->nonce_lifetime_s * 1000))
        return STOP(x, s->stale, 0);
    return user_let_in(x, state, d->user);
}

static enum flow digest_check(struct exchange *x, const struct auth_settings *s, struct auth_state *state,
                              const struct credentials *c)
{
    const struct field *f = head_field(&x->req.head, s->field);
    char *memory = arena_take(&x->arena, f->value.n);
    enum digest_fault fault;
    struct digest d;

    if (memory == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    fault = digest_read(c, memory, &d);
    if (fault == DIGEST_UNKNOWN_ALGORITHM || (fault == DIGEST_GOOD && !offer_now(s).digest[d.algorithm]))
        return STOP(x, s->missing, 0);
    if (fault != DIGEST_GOOD || !uri_is_target(x, d.uri))
        return stop_malformed(x, s, f, 0);
    return digest_judge(x, s, state, &d);
}

static bool asks_digest(const struct auth_settings *s)
{
    return s->nonces != NULL && (s->digest[DIGEST_SHA256] || s->digest[DIGEST_MD5]);
}

static enum flow field_check(struct exchange *x, const struct auth_settings *s, struct auth_worker *w,
                             struct auth_state *state, const struct field *f)
{
    char *memory = arena_take(&x->arena, f->value.n + 1);
    struct credentials c;
    size_t bad;

    if (memory == NULL)
        return STOP(x, R_exchange_memory_exhausted, 0);
    if (!credentials_parse(f->value, memory, &c, &bad))
        return stop_malformed(x, s, f, bad);
    if (s->basic && span_is_nocase(c.scheme, SPAN("Basic")))
        return basic_check(x, s, w, state, c.token68);
    if (asks_digest(s) && span_is_nocase(c.scheme, SPAN("Digest")))
        return digest_check(x, s, state, &c);
    return STOP(x, s->missing, 0);
}

static enum flow check(struct exchange *x, const struct auth_settings *s, struct auth_worker *w,
                       struct auth_state *state)
{
    const struct field *f = head_field(&x->req.head, s->field);
    bool good;

    if (state->waiter.job != NULL) {
        enum flow flow = password_answer(x, &state->waiter, &good);

        return user_judge(x, s, flow, good);
    }
    if (f == NULL)
        return STOP(x, s->missing, 0);
    if (head_next(&x->req.head, f) != NULL)
        return stop_malformed(x, s, head_next(&x->req.head, f), 0);
    return field_check(x, s, w, state, f);
}

enum flow auth_check(struct exchange *x, const struct auth_settings *s, struct auth_worker *w, struct auth_state *state)
{
    enum flow flow = check(x, s, w, state);

    if (flow == FLOW_STOP)
        state->user = (struct span){ 0 };
    return flow;
}

static void challenge_add(struct exchange *x, const struct auth_settings *s, const struct digest_challenge *digest)
{
    size_t room = 2 * s->realm.n + NONCE_BYTES + CHALLENGE_BYTES, n;
    char *out = arena_take(&x->arena, room);

    if (out == NULL)
        return;
    n = digest != NULL ? digest_challenge_write(digest, out, room) : basic_challenge_write(s->realm, out, room);
    DIE_UNLESS(n <= room);
    reply_add(x, s->challenge, (struct span){ out, n });
}

static void digest_challenges(struct exchange *x, const struct auth_settings *s, bool stale)
{
    struct offer offer = offer_now(s);
    char nonce[NONCE_BYTES];

    if (!nonce_write(s->nonces, x->now_ms, nonce))
        return;
    for (unsigned a = 0; a < DIGEST_ALGORITHMS; a++)
        if (offer.empty ? s->digest[a] : offer.digest[a])
            challenge_add(x, s,
                          &(struct digest_challenge){ .realm = s->realm,
                                                      .algorithm = digest_algorithm_name((enum digest_algorithm)a),
                                                      .nonce = { nonce, NONCE_BYTES },
                                                      .stale = stale });
}

void auth_challenges(struct exchange *x, const struct auth_settings *s, bool stale)
{
    if (asks_digest(s))
        digest_challenges(x, s, stale);
    if (s->basic)
        challenge_add(x, s, NULL);
}

int auth_users_new(const struct auth_settings *s, const char *const *paths, uint32_t count, struct users **out,
                   char why[USERS_WHY_BYTES])
{
    struct users *users = NULL;
    struct users_set *set;
    int error = users_new(paths, count, &users, why);

    if (error != 0)
        return error;
    set = users_hold(users);
    if (!s->basic && offer_of(s, set).empty) {
        snprintf(why, USERS_WHY_BYTES, "%s has no line user:%.*s:HA1, which digest needs: make one with htdigest",
                 paths[0], (int)s->realm.n, s->realm.p);
        error = -EINVAL;
    }
    users_set_release(&set);
    if (error == 0)
        *out = users;
    else
        users_release(&users);
    return error;
}
