#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

#include "io/tls_impl.h"

#define NAME_BYTES 16u
#define IV_BYTES   16 /* of AES in CBC mode */

/* RFC5077:4 */
struct ticket_key {
    unsigned char name[NAME_BYTES], cipher[32], mac[32];
};

struct tls_tickets {
    atomic_uint references;
    EVP_CIPHER *cipher; /* looked up once, as that takes longer than to use it */

    struct {
        pthread_rwlock_t lock;
        struct ticket_key present, previous;
        bool has_previous, is_dated;
        uint64_t made_s;
    } shared;
};

static bool key_make(struct ticket_key *k)
{
    return RAND_bytes(k->name, NAME_BYTES) == 1 && RAND_priv_bytes(k->cipher, sizeof k->cipher) == 1 &&
           RAND_priv_bytes(k->mac, sizeof k->mac) == 1;
}

struct tls_tickets *tls_tickets_new(void)
{
    struct tls_tickets *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    atomic_init(&t->references, 1);
    pthread_rwlock_init(&t->shared.lock, NULL);
    t->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    if (t->cipher == NULL || !key_make(&t->shared.present))
        tls_tickets_release(&t);
    return t;
}

struct tls_tickets *tls_tickets_hold(struct tls_tickets *tickets)
{
    if (tickets != NULL)
        atomic_fetch_add_explicit(&tickets->references, 1, memory_order_relaxed);
    return tickets;
}

void tls_tickets_release(struct tls_tickets **tickets)
{
    struct tls_tickets *t = *tickets;

    *tickets = NULL;
    if (t == NULL || atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) != 1)
        return;
    EVP_CIPHER_free(t->cipher);
    pthread_rwlock_destroy(&t->shared.lock);
    OPENSSL_cleanse(t, sizeof *t);
    free(t);
}

static bool is_due(struct tls_tickets *t, uint64_t now_s, uint64_t lifetime_s)
{
    if (!t->shared.is_dated)
        t->shared.made_s = now_s;
    t->shared.is_dated = true;
    return now_s - t->shared.made_s > lifetime_s / 2;
}

void tls_tickets_rotate(struct tls_tickets *tickets, uint64_t now_s, uint64_t lifetime_s)
{
    struct ticket_key fresh;

    pthread_rwlock_wrlock(&tickets->shared.lock);
    /* Without randomness the old key stays, and the next call tries again. */
    if (is_due(tickets, now_s, lifetime_s) && key_make(&fresh)) {
        tickets->shared.previous = tickets->shared.present;
        tickets->shared.has_previous = true;
        tickets->shared.present = fresh;
        tickets->shared.made_s = now_s;
        OPENSSL_cleanse(&fresh, sizeof fresh);
    }
    pthread_rwlock_unlock(&tickets->shared.lock);
}

static void key_present(struct tls_tickets *t, struct ticket_key *out)
{
    pthread_rwlock_rdlock(&t->shared.lock);
    *out = t->shared.present;
    pthread_rwlock_unlock(&t->shared.lock);
}

/* 0: unknown, 1: the present one, 2: the one before. */
static int key_find(struct tls_tickets *t, const unsigned char name[NAME_BYTES], struct ticket_key *out)
{
    int which = 0;

    pthread_rwlock_rdlock(&t->shared.lock);
    if (memcmp(name, t->shared.present.name, NAME_BYTES) == 0) {
        which = 1;
        *out = t->shared.present;
    } else if (t->shared.has_previous && memcmp(name, t->shared.previous.name, NAME_BYTES) == 0) {
        which = 2;
        *out = t->shared.previous;
    }
    pthread_rwlock_unlock(&t->shared.lock);
    return which;
}

static bool mac_init(EVP_MAC_CTX *mac, struct ticket_key *k)
{
    OSSL_PARAM with[] = { OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, k->mac, sizeof k->mac),
                          OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
                          OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_set_params(mac, with) == 1;
}

static int seal(struct tls_tickets *t, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key k;
    bool done;

    key_present(t, &k);
    memcpy(name, k.name, NAME_BYTES);
    done = RAND_bytes(iv, IV_BYTES) == 1 && EVP_EncryptInit_ex2(cipher, t->cipher, k.cipher, iv, NULL) == 1 &&
           mac_init(mac, &k);
    OPENSSL_cleanse(&k, sizeof k);
    return done ? 1 : -1;
}

static int unseal(struct tls_tickets *t, const unsigned char *name, const unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac)
{
    struct ticket_key k;
    int which = key_find(t, name, &k);

    if (which == 0)
        return 0;
    if (EVP_DecryptInit_ex2(cipher, t->cipher, k.cipher, iv, NULL) != 1 || !mac_init(mac, &k))
        which = -1;
    OPENSSL_cleanse(&k, sizeof k);
    return which;
}

int tls_tickets_key(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                    int sealing)
{
    const struct tls *t = SSL_get_app_data(ssl);
    int which;

    if (sealing)
        return seal(t->set->tickets, name, iv, cipher, mac);
    which = unseal(t->set->tickets, name, iv, cipher, mac);
    /* A client uses a ticket of TLS 1.3 once, and would run out of them: 2 asks for a new one. RFC8446:C.4 */
    return which == 1 && SSL_version(ssl) >= TLS1_3_VERSION ? 2 : which;
}

/* The library cannot leave out one ticket; one for a context that no connection has is never taken. */
int tls_tickets_allow(SSL *ssl, void *unused)
{
    static const unsigned char nobody[] = "nobody";
    const struct tls *t = SSL_get_app_data(ssl);

    (void)unused;
    return tls_clients_judge(t->info.clients, ssl) == R_NONE ||
           SSL_SESSION_set1_id_context(SSL_get_session(ssl), nobody, sizeof nobody - 1) == 1;
}

SSL_TICKET_RETURN tls_tickets_use(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t name_bytes,
                                  SSL_TICKET_STATUS status, void *unused)
{
    const struct tls_clients *clients = ((const struct tls *)SSL_get_app_data(ssl))->info.clients;

    (void)name, (void)name_bytes, (void)unused;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (clients != NULL && !tls_clients_are_still(clients, session))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}
