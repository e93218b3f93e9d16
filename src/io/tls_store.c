#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/tls_impl.h"

#define FILES_OF_ONE 3u
#define DAY_S        86400

struct tls_store {
    struct tls_store_settings settings;
    SSL_CTX *front;
    bool kernel_sends;

    struct {
        pthread_mutex_t lock;
        struct tls_set *present;
    } shared;

    /* One thread at a time looks at the files. */
    struct {
        pthread_mutex_t lock;
        struct file_stamp *seen, *now; /* three for each certificate */
    } reading;
};

static SSL_CTX *front_new(const struct tls_store_settings *s, bool kernel_sends)
{
    SSL_CTX *front = tls_context_new(s, kernel_sends);

    if (front == NULL)
        return NULL;
    SSL_CTX_set_client_hello_cb(front, tls_hello_choose, NULL);
    if (s->tickets != NULL) {
        SSL_CTX_set_tlsext_ticket_key_evp_cb(front, tls_tickets_key);
        SSL_CTX_set_session_ticket_cb(front, tls_tickets_allow, tls_tickets_use, NULL);
    }
    return front;
}

static struct tls_set *set_new(const struct tls_store *s)
{
    const struct tls_store_settings *settings = &s->settings;
    struct tls_set *set = calloc(1, sizeof *set + settings->certificate_count * sizeof *set->certificates);

    if (set == NULL)
        return NULL;
    atomic_init(&set->references, 1);
    SSL_CTX_up_ref(s->front);
    set->front = s->front;
    set->tickets = tls_tickets_hold(settings->tickets);
    set->early_data_bytes = settings->tickets != NULL ? settings->early_data_bytes : 0;
    set->h2 = settings->h2;
    set->kernel_sends = s->kernel_sends;
    return set;
}

void tls_set_release(struct tls_set *set)
{
    if (set == NULL || atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < set->count; i++)
        tls_certificate_fini(&set->certificates[i]);
    tls_names_fini(&set->names);
    tls_tickets_release(&set->tickets);
    SSL_CTX_free(set->front);
    free(set);
}

static int set_fill(struct tls_set *set, const struct tls_store *s, char why[TLS_WHY_BYTES])
{
    for (uint32_t i = 0; i < s->settings.certificate_count; i++) {
        SSL_CTX *fresh = tls_context_new(&s->settings, s->kernel_sends);
        int error;

        if (fresh == NULL)
            return tls_why_library(why, s->settings.certificates[i].certificate, "TLS cannot be set up");
        set->count++;
        error = tls_certificate_read(&set->certificates[i], fresh, &s->settings.certificates[i], &set->names, i, why);
        if (error != 0)
            return error;
    }
    tls_names_sort(&set->names);
    return 0;
}

static int set_read(const struct tls_store *s, struct tls_set **out, char why[TLS_WHY_BYTES])
{
    struct tls_set *set = set_new(s);
    int error = set != NULL ? set_fill(set, s, why) : tls_why(why, -ENOMEM, "TLS: no memory for certificates");

    if (error == 0)
        *out = set;
    else
        tls_set_release(set);
    return error;
}

static void stamps_take(struct tls_store *s)
{
    struct file_stamp *to = s->reading.now;

    for (uint32_t i = 0; i < s->settings.certificate_count; i++, to += FILES_OF_ONE) {
        const struct tls_files *files = &s->settings.certificates[i];

        file_stamp_take(&to[0], files->certificate);
        file_stamp_take(&to[1], files->key);
        file_stamp_take(&to[2], files->ocsp);
    }
}

static bool stamps_are_seen(const struct tls_store *s)
{
    for (size_t i = 0; i < (size_t)FILES_OF_ONE * s->settings.certificate_count; i++)
        if (!file_stamp_is(&s->reading.now[i], &s->reading.seen[i]))
            return false;
    return true;
}

static void stamps_keep(struct tls_store *s)
{
    struct file_stamp *seen = s->reading.seen;

    s->reading.seen = s->reading.now;
    s->reading.now = seen;
}

static struct tls_store *store_alloc(const struct tls_store_settings *settings)
{
    struct tls_store *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->settings = *settings;
    pthread_mutex_init(&s->shared.lock, NULL);
    pthread_mutex_init(&s->reading.lock, NULL);
    s->reading.seen = calloc((size_t)FILES_OF_ONE * settings->certificate_count, sizeof *s->reading.seen);
    s->reading.now = calloc((size_t)FILES_OF_ONE * settings->certificate_count, sizeof *s->reading.now);
    /* The kernel's sending starts before early data is read, and could not be held back then. */
    s->kernel_sends = settings->early_data_bytes == 0 && tls_socket_kernel_knows();
    if (s->reading.seen != NULL && s->reading.now != NULL)
        return s;
    tls_store_release(&s);
    return NULL;
}

int tls_store_new(const struct tls_store_settings *settings, struct tls_store **out, char why[TLS_WHY_BYTES])
{
    struct tls_store *s = store_alloc(settings);
    int error;

    if (s == NULL)
        return tls_why(why, -ENOMEM, "TLS: no memory for certificates");
    s->front = front_new(settings, s->kernel_sends);
    if (s->front == NULL) {
        tls_store_release(&s);
        return tls_why_library(why, settings->certificates[0].certificate, "TLS cannot be set up");
    }
    stamps_take(s);
    stamps_keep(s);
    error = set_read(s, &s->shared.present, why);
    if (error == 0)
        *out = s;
    else
        tls_store_release(&s);
    return error;
}

void tls_store_release(struct tls_store **store)
{
    struct tls_store *s = *store;

    *store = NULL;
    if (s == NULL)
        return;
    tls_set_release(s->shared.present);
    SSL_CTX_free(s->front);
    free(s->reading.seen);
    free(s->reading.now);
    pthread_mutex_destroy(&s->shared.lock);
    pthread_mutex_destroy(&s->reading.lock);
    free(s);
}

struct tls_set *tls_store_hold(struct tls_store *store)
{
    struct tls_set *set;

    pthread_mutex_lock(&store->shared.lock);
    set = store->shared.present;
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&store->shared.lock);
    return set;
}

static void set_present(struct tls_store *s, struct tls_set *set)
{
    struct tls_set *old;

    pthread_mutex_lock(&s->shared.lock);
    old = s->shared.present;
    s->shared.present = set;
    pthread_mutex_unlock(&s->shared.lock);
    tls_set_release(old);
}

/* The files were looked at before they are read: one that changes meanwhile is read again the next time. */
static int refresh(struct tls_store *s, char why[TLS_WHY_BYTES])
{
    struct tls_set *set;
    int error;

    stamps_take(s);
    if (stamps_are_seen(s))
        return 0;
    error = set_read(s, &set, why);
    /* What is wrong with the process, not with the files, is tried again. */
    if (error != -ENOMEM && error != -EMFILE && error != -ENFILE)
        stamps_keep(s);
    if (error != 0)
        return error;
    set_present(s, set);
    return 1;
}

int tls_store_refresh(struct tls_store *store, char why[TLS_WHY_BYTES])
{
    int changed;

    pthread_mutex_lock(&store->reading.lock);
    changed = refresh(store, why);
    pthread_mutex_unlock(&store->reading.lock);
    return changed;
}

static time_t first_end(const struct tls_set *set)
{
    time_t first = set->certificates[0].expires;

    for (uint32_t i = 1; i < set->count; i++)
        if (set->certificates[i].expires < first)
            first = set->certificates[i].expires;
    return first;
}

int tls_store_days_left(const struct tls_store *store)
{
    struct tls_set *set = tls_store_hold((struct tls_store *)store);
    int64_t left_s = (int64_t)first_end(set) - (int64_t)time(NULL);

    tls_set_release(set);
    return (int)((left_s < 0 ? left_s - (DAY_S - 1) : left_s) / DAY_S);
}

bool tls_store_warn(struct tls_store *store, uint32_t number, char why[TLS_WHY_BYTES])
{
    struct tls_set *set = tls_store_hold(store);
    const struct tls_certificate *c = &set->certificates[number];
    const char *path = store->settings.certificates[number].certificate;
    char date[TLS_DATE_BYTES];
    int when = tls_files_when(c->begins, c->expires, date);

    tls_set_release(set);
    if (when > 0)
        tls_why(why, 0, "%s: this certificate expired on %s: clients will refuse it: renew it", path, date);
    else if (when < 0)
        tls_why(why, 0, "%s: this certificate begins on %s: clients will refuse it until then: check the clock", path,
                date);
    return when != 0;
}
