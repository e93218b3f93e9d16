#include "auth/password.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "auth/recent.h"
#include "exchange/wait.h"

#define KEY_BYTES          32
#define PASSWORD_BYTES_MAX ((size_t)CRYPT_MAX_PASSPHRASE_SIZE - 1)

struct auth_worker {
    struct offload *helpers;
    struct mail_box *mail;
    struct link jobs; /* that others may join */
    unsigned under_way;
    unsigned char key[KEY_BYTES];
    struct recent recent;
};

struct password_job {
    struct job job;
    struct link running, waiters;
    uint32_t holders; /* after the answer: those that wait */
    bool answered;
    struct auth_worker *worker;
    struct users_set *set; /* holds the hash */
    const char *hash;
    bool known;  /* the hash is the user's own */
    bool good;   /* after the run */
    bool failed; /* likewise: no memory for the hash */
    uint64_t good_until_ms;
    unsigned char proof[PROOF_BYTES];
    char password[PASSWORD_BYTES_MAX + 1];
};

_Static_assert(offsetof(struct password_job, job) == 0, "a job is cast back to what embeds it");
_Static_assert(offsetof(struct password_waiter, link) == 0, "a link of waiters is cast back to the waiter");

struct auth_worker *auth_worker_new(struct offload *helpers, struct mail_box *mail)
{
    struct auth_worker *w = calloc(1, sizeof *w);

    if (w == NULL)
        return NULL;
    link_init(&w->jobs);
    w->helpers = helpers;
    w->mail = mail;
    if (RAND_bytes(w->key, sizeof w->key) != 1)
        auth_worker_release(&w);
    return w;
}

void auth_worker_release(struct auth_worker **worker)
{
    struct auth_worker *w = *worker;

    *worker = NULL;
    if (w == NULL)
        return;
    OPENSSL_cleanse(w->key, sizeof w->key);
    free(w);
}

static void job_free(struct password_job *j)
{
    users_set_release(&j->set);
    explicit_bzero(j->password, sizeof j->password);
    free(j);
}

static void job_release(struct password_job *j)
{
    if (--j->holders == 0)
        job_free(j);
}

/* On a helper. Of a hash that cannot be computed crypt(3) says "*0" or nothing. */
static void on_helper(struct job *job)
{
    struct password_job *j = (struct password_job *)job;
    struct crypt_data data = { 0 };
    size_t n = strlen(j->hash);
    const char *result;

    errno = 0;
    result = crypt_r(j->password, j->hash, &data);
    if (result == NULL || result[0] == '*')
        j->failed = errno == ENOMEM;
    else
        j->good = strlen(result) == n && CRYPTO_memcmp(result, j->hash, n) == 0 && j->known;
    explicit_bzero(&data, sizeof data);
    explicit_bzero(j->password, sizeof j->password);
}

static void job_finish(struct password_job *j)
{
    if (link_is_in(&j->running))
        link_remove(&j->running);
    j->worker->under_way--;
    if (j->good)
        recent_add(&j->worker->recent, j->proof, j->good_until_ms);
}

/* A wake-up runs an exchange on, and may end others that wait: cancel() takes them out of the ring. */
static void on_answer(struct job *job)
{
    struct password_job *j = (struct password_job *)job;
    struct link ring;

    job_finish(j);
    j->answered = true;
    link_init(&ring);
    link_move_all(&j->waiters, &ring);
    for (struct link *at = ring.next; at != &ring; at = at->next)
        j->holders++;
    while (!link_is_empty(&ring)) {
        struct password_waiter *waiter = (struct password_waiter *)ring.next;

        link_remove(&waiter->link);
        exchange_wake(waiter->x, waiter->ticket);
    }
}

/* All clients left. */
static void on_drop(struct job *job)
{
    struct password_job *j = (struct password_job *)job;

    job_finish(j);
    job_free(j);
}

/* The last one to leave turns off the light. */
static void cancel(void *with)
{
    struct password_waiter *waiter = with;
    struct password_job *j = waiter->job;

    waiter->job = NULL;
    link_remove(&waiter->link);
    if (j->answered) {
        job_release(j);
    } else if (link_is_empty(&j->waiters)) {
        link_remove(&j->running);
        job_orphan(&j->job);
    }
}

static bool sign(const struct auth_worker *w, const struct span parts[], size_t count, unsigned char out[PROOF_BYTES])
{
    char text[sizeof(uint64_t) + sizeof(size_t) + USER_BYTES_MAX + PASSWORD_BYTES_MAX];
    unsigned bytes = 0;
    size_t n = 0;
    bool done;

    for (size_t i = 0; i < count; n += parts[i].n, i++)
        if (parts[i].n > 0)
            memcpy(text + n, parts[i].p, parts[i].n);
    done = HMAC(EVP_sha256(), w->key, KEY_BYTES, (const unsigned char *)text, n, out, &bytes) != NULL;
    explicit_bzero(text, n);
    return done;
}

/* Of these users, this name and this password; the length keeps name and password apart. */
static bool proof_make(const struct auth_worker *w, const struct users_set *set, const struct password_question *q,
                       unsigned char out[PROOF_BYTES])
{
    uint64_t number = users_set_number(set);
    const struct span parts[] = {
        { (const char *)&number, sizeof number }, { (const char *)&q->user.n, sizeof q->user.n }, q->user, q->password
    };

    return sign(w, parts, 4, out);
}

/* The hash to be computed; NULL: nobody has one. */
static const char *hash_choose(const struct auth_worker *w, const struct users_set *set, struct span user, bool *known)
{
    const char *own = users_hash(set, user);
    unsigned char name[PROOF_BYTES] = { 0 };
    uint64_t pick;

    *known = own != NULL;
    if (own != NULL || !sign(w, &user, 1, name))
        return own;
    memcpy(&pick, name, sizeof pick);
    return users_hash_of_somebody(set, pick);
}

static struct password_job *running_find(const struct auth_worker *w, const unsigned char proof[PROOF_BYTES])
{
    for (struct link *at = w->jobs.next; at != &w->jobs; at = at->next) {
        struct password_job *j = (struct password_job *)((char *)at - offsetof(struct password_job, running));

        if (CRYPTO_memcmp(j->proof, proof, PROOF_BYTES) == 0)
            return j;
    }
    return NULL;
}

static enum flow job_join(struct exchange *x, struct password_job *j, struct password_waiter *waiter)
{
    *waiter = (struct password_waiter){ .x = x, .job = j, .ticket = x->wait.ticket };
    link_append(&j->waiters, &waiter->link);
    return exchange_wait(x, "password", cancel, waiter);
}

static struct password_job *job_new(struct exchange *x, struct auth_worker *w, const struct password_question *q,
                                    const unsigned char proof[PROOF_BYTES])
{
    struct password_job *j = calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    j->job.run = on_helper;
    j->job.done = on_answer;
    j->job.drop = on_drop;
    j->worker = w;
    j->good_until_ms = x->now_ms + (uint64_t)q->good_lifetime_s * 1000;
    link_init(&j->waiters);
    memcpy(j->proof, proof, PROOF_BYTES);
    if (q->password.n > 0)
        memcpy(j->password, q->password.p, q->password.n);
    return j;
}

/* Takes the set over. */
static enum flow job_start(struct exchange *x, struct password_job *j, struct users_set *set,
                           struct password_waiter *waiter)
{
    struct auth_worker *w = j->worker;

    j->set = set;
    if (w->under_way >= PASSWORD_JOBS_MAX || offload_submit(w->helpers, &j->job, w->mail) != 0) {
        job_free(j);
        return STOP(x, R_helper_queue_full, 0);
    }
    w->under_way++;
    link_append(&w->jobs, &j->running);
    return job_join(x, j, waiter);
}

enum flow password_check(struct exchange *x, struct auth_worker *w, struct users_set *set,
                         const struct password_question *q, struct password_waiter *waiter, bool *good)
{
    unsigned char proof[PROOF_BYTES];
    struct password_job *j;
    const char *hash;
    bool known;

    *good = false;
    if (q->user.n > USER_BYTES_MAX || q->password.n > PASSWORD_BYTES_MAX)
        return FLOW_GO;
    if (!proof_make(w, set, q, proof))
        return STOP(x, R_worker_memory_exhausted, 0);
    *good = recent_has(&w->recent, proof, x->now_ms);
    hash = hash_choose(w, set, q->user, &known);
    if (*good || hash == NULL)
        return FLOW_GO;
    j = running_find(w, proof);
    if (j != NULL)
        return job_join(x, j, waiter);
    j = job_new(x, w, q, proof);
    if (j == NULL)
        return STOP(x, R_worker_memory_exhausted, 0);
    j->hash = hash;
    j->known = known;
    return job_start(x, j, users_set_hold(set), waiter);
}

enum flow password_answer(struct exchange *x, struct password_waiter *waiter, bool *good)
{
    struct password_job *j = waiter->job;
    bool failed = j->failed;

    *good = j->good;
    waiter->job = NULL;
    job_release(j);
    return failed ? STOP(x, R_worker_memory_exhausted, 0) : FLOW_GO;
}
