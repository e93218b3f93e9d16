#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>

#include "io/tls_impl.h"

/* What the files said when they were read. */
struct clients_set {
    X509_STORE *authorities;
    STACK_OF(X509_NAME) * names; /* told to clients, so that they find a certificate that will do */
    STACK_OF(X509_CRL) * lists;
    unsigned char digest[TLS_DIGEST_BYTES];
};

/*
 * Of a site, or a state of that: what the connections of some time have asked for, which of all that the files said
 * keeps the digest alone. States live as long as the site's.
 */
struct tls_clients {
    struct tls_clients *whole; /* the site's; may be itself */
    struct tls_clients *state; /* of the site's: the present one; of a state: the one before */
    unsigned char digest[TLS_DIGEST_BYTES];

    /* Only of the site's. */
    const char *ca, *crl;
    pthread_mutex_t lock; /* for state and set */
    struct clients_set set;

    /* One thread at a time looks at the files. */
    struct {
        pthread_mutex_t lock;
        struct file_stamp seen[2];
    } reading;
};

/*
 * Who takes certificates back says so of those that clients show; an authority between them and the root need not have
 * a list about itself.
 */
static int allow_no_list(int good, X509_STORE_CTX *verifying)
{
    if (good || X509_STORE_CTX_get_error(verifying) != X509_V_ERR_UNABLE_TO_GET_CRL ||
        X509_STORE_CTX_get_error_depth(verifying) == 0)
        return good;
    X509_STORE_CTX_set_error(verifying, X509_V_OK);
    return 1;
}

static bool add_authority(struct clients_set *set, X509 *one)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(one));

    if (name == NULL || sk_X509_NAME_push(set->names, name) <= 0) {
        X509_NAME_free(name);
        return false;
    }
    return X509_STORE_add_cert(set->authorities, one) == 1;
}

static int add_authorities(struct clients_set *set, STACK_OF(X509) * all, const char *path, char why[TLS_WHY_BYTES])
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (!add_authority(set, sk_X509_value(all, i)))
            return tls_why_library(why, path, "the authority cannot be used");
    return 0;
}

static bool add_list(struct clients_set *set, X509_CRL *one)
{
    if (X509_STORE_add_crl(set->authorities, one) == 1 && sk_X509_CRL_push(set->lists, one) > 0)
        return true;
    X509_CRL_free(one);
    return false;
}

static int add_lists(struct clients_set *set, const struct tls_bytes *text, const char *path, char why[TLS_WHY_BYTES])
{
    BIO *bio = BIO_new_mem_buf(text->p, (int)text->n);
    X509_CRL *one;
    char no_password[] = ""; /* else one may be asked for at the terminal */
    bool added = true;

    if (bio == NULL)
        return tls_why(why, -ENOMEM, "%s: no memory", path);
    ERR_clear_error();
    while (added && (one = PEM_read_bio_X509_CRL(bio, NULL, NULL, no_password)) != NULL)
        added = add_list(set, one);
    BIO_free(bio);
    if (!added || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return tls_why_library(why, path, "a revocation list in it cannot be used");
    ERR_clear_error();
    if (sk_X509_CRL_num(set->lists) == 0)
        return tls_why(why, -EINVAL, "%s: there is no revocation list in it: give a PEM file with BEGIN X509 CRL",
                       path);
    return 0;
}

static bool is_list_of(X509_CRL *list, X509 *authority)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(authority)) == 0 &&
           X509_CRL_verify(list, X509_get0_pubkey(authority)) == 1;
}

/* Others may be by those between an authority and its clients, who are known only when they are shown. */
static int check_lists(const struct clients_set *set, const STACK_OF(X509) * all, const struct tls_clients *c,
                       char why[TLS_WHY_BYTES])
{
    bool found = false;

    for (int l = 0; !found && l < sk_X509_CRL_num(set->lists); l++)
        for (int i = 0; !found && i < sk_X509_num(all); i++)
            found = is_list_of(sk_X509_CRL_value(set->lists, l), sk_X509_value(all, i));
    ERR_clear_error();
    if (found)
        return 0;
    return tls_why(why, -EINVAL,
                   "%s: no list of revoked certificates in it is by an authority in %s: give the list of that "
                   "authority, or add the authority whose list this is",
                   c->crl, c->ca);
}

/* The length of the first keeps "ab" and "c" apart from "a" and "bc". */
static bool digest_make(struct clients_set *set, const struct tls_bytes *ca, const struct tls_bytes *crl)
{
    uint64_t first_bytes = ca->n;
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    bool made = sum != NULL && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(sum, &first_bytes, sizeof first_bytes) == 1 &&
                EVP_DigestUpdate(sum, ca->p, ca->n) == 1 && EVP_DigestUpdate(sum, crl->p, crl->n) == 1 &&
                EVP_DigestFinal_ex(sum, set->digest, NULL) == 1;

    EVP_MD_CTX_free(sum);
    return made;
}

static int read_lists(struct clients_set *set, const struct tls_clients *c, const STACK_OF(X509) * all,
                      struct tls_bytes *text, char why[TLS_WHY_BYTES])
{
    int error = tls_bytes_read(text, c->crl, false, why);

    if (error == 0)
        error = add_lists(set, text, c->crl, why);
    return error == 0 ? check_lists(set, all, c, why) : error;
}

static int set_fill(struct clients_set *set, const struct tls_clients *c, char why[TLS_WHY_BYTES])
{
    struct tls_bytes ca_text, crl_text = { 0 };
    STACK_OF(X509) *all = NULL;
    int error = tls_bytes_read(&ca_text, c->ca, false, why);

    if (error == 0)
        error = tls_files_certificates(&ca_text, c->ca, &all, why);
    if (error == 0)
        error = add_authorities(set, all, c->ca, why);
    if (error == 0 && c->crl != NULL)
        error = read_lists(set, c, all, &crl_text, why);
    if (error == 0 && !digest_make(set, &ca_text, &crl_text))
        error = tls_why(why, -ENOMEM, "%s: no memory", c->ca);
    sk_X509_pop_free(all, X509_free);
    tls_bytes_fini(&ca_text);
    tls_bytes_fini(&crl_text);
    return error;
}

static void set_fini(struct clients_set *set)
{
    X509_STORE_free(set->authorities);
    sk_X509_NAME_pop_free(set->names, X509_NAME_free);
    sk_X509_CRL_pop_free(set->lists, X509_CRL_free);
    *set = (struct clients_set){ 0 };
}

static bool set_init(struct clients_set *set, bool with_lists)
{
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN; /* who is in the file may sign, be it a root or not */

    *set = (struct clients_set){ X509_STORE_new(), sk_X509_NAME_new_null(), sk_X509_CRL_new_null(), { 0 } };
    if (with_lists)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    if (set->authorities == NULL || set->names == NULL || set->lists == NULL ||
        X509_STORE_set_flags(set->authorities, flags) != 1)
        return false;
    X509_STORE_set_verify_cb(set->authorities, allow_no_list);
    return true;
}

static void stamps_take(struct file_stamp stamps[2], const struct tls_clients *c)
{
    file_stamp_take(&stamps[0], c->ca);
    file_stamp_take(&stamps[1], c->crl);
}

/* The set goes to c. */
static bool set_present(struct tls_clients *c, struct clients_set *set)
{
    struct tls_clients *state = calloc(1, sizeof *state);
    struct clients_set old = c->set;

    if (state == NULL)
        return false;
    state->whole = c;
    state->state = c->state;
    memcpy(state->digest, set->digest, sizeof state->digest);
    pthread_mutex_lock(&c->lock);
    c->set = *set;
    c->state = state;
    pthread_mutex_unlock(&c->lock);
    set_fini(&old);
    return true;
}

static int clients_read(struct tls_clients *c, char why[TLS_WHY_BYTES])
{
    struct clients_set set;
    int error = set_init(&set, c->crl != NULL) ? set_fill(&set, c, why) : -ENOMEM;

    if (error == 0 && set_present(c, &set))
        return 0;
    set_fini(&set);
    ERR_clear_error();
    return error != 0 && error != -ENOMEM ? error : tls_why(why, -ENOMEM, "%s: no memory", c->ca);
}

int tls_clients_new(const char *ca, const char *crl, struct tls_clients **out, char why[TLS_WHY_BYTES])
{
    struct tls_clients *c = calloc(1, sizeof *c);
    int error;

    if (c == NULL)
        return tls_why(why, -ENOMEM, "%s: no memory", ca);
    c->whole = c;
    c->ca = ca;
    c->crl = crl;
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->reading.lock, NULL);
    stamps_take(c->reading.seen, c);
    error = clients_read(c, why);
    if (error == 0)
        *out = c;
    else
        tls_clients_release(&c);
    return error;
}

void tls_clients_release(struct tls_clients **clients)
{
    struct tls_clients *c = *clients, *before;

    *clients = NULL;
    if (c == NULL)
        return;
    for (struct tls_clients *state = c->state; state != NULL; state = before) {
        before = state->state;
        free(state);
    }
    set_fini(&c->set);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->reading.lock);
    free(c);
}

/* The files were looked at before they are read: one that changes meanwhile is read again the next time. */
static int refresh(struct tls_clients *c, char why[TLS_WHY_BYTES])
{
    struct file_stamp now[2];
    int error;

    stamps_take(now, c);
    if (file_stamp_is(&now[0], &c->reading.seen[0]) && file_stamp_is(&now[1], &c->reading.seen[1]))
        return 0;
    error = clients_read(c, why);
    /* What is wrong with the process, not with the files, is tried again. */
    if (error != -ENOMEM && error != -EMFILE && error != -ENFILE)
        memcpy(c->reading.seen, now, sizeof now);
    return error == 0 ? 1 : error;
}

int tls_clients_refresh(struct tls_clients *clients, char why[TLS_WHY_BYTES])
{
    int changed;

    pthread_mutex_lock(&clients->reading.lock);
    changed = refresh(clients, why);
    pthread_mutex_unlock(&clients->reading.lock);
    return changed;
}

static int list_time(const X509_CRL *list, char date[TLS_DATE_BYTES])
{
    return tls_files_when(tls_files_time(X509_CRL_get0_lastUpdate(list)),
                          tls_files_time(X509_CRL_get0_nextUpdate(list)), date);
}

/* Of several lists by one authority the one that is in force counts. */
static bool is_replaced(STACK_OF(X509_CRL) * lists, const X509_CRL *old)
{
    char date[TLS_DATE_BYTES];

    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        const X509_CRL *one = sk_X509_CRL_value(lists, i);

        if (list_time(one, date) == 0 && X509_NAME_cmp(X509_CRL_get_issuer(one), X509_CRL_get_issuer(old)) == 0)
            return true;
    }
    return false;
}

static bool warn(STACK_OF(X509_CRL) * lists, const char *path, char why[TLS_WHY_BYTES])
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        const X509_CRL *one = sk_X509_CRL_value(lists, i);
        char date[TLS_DATE_BYTES];
        int when = list_time(one, date);

        if (when == 0 || is_replaced(lists, one))
            continue;
        if (when > 0)
            tls_why(why, 0,
                    "%s: this list of revoked certificates expired on %s: clients are refused until there is a new "
                    "one: get it from who signs their certificates",
                    path, date);
        else
            tls_why(why, 0,
                    "%s: this list of revoked certificates begins on %s: clients are refused until then: check the "
                    "clock",
                    path, date);
        return true;
    }
    return false;
}

bool tls_clients_warn(struct tls_clients *clients, char why[TLS_WHY_BYTES])
{
    bool warned;

    pthread_mutex_lock(&clients->lock);
    warned = warn(clients->set.lists, clients->crl, why);
    pthread_mutex_unlock(&clients->lock);
    return warned;
}

/* The state of the time when the connection began, or the present one. */
static struct tls_clients *state_of(const struct tls_clients *clients)
{
    struct tls_clients *whole = clients->whole, *state;

    if (clients != whole)
        return (struct tls_clients *)clients;
    pthread_mutex_lock(&whole->lock);
    state = whole->state;
    pthread_mutex_unlock(&whole->lock);
    return state;
}

const unsigned char *tls_clients_digest(const struct tls_clients *clients)
{
    static const unsigned char nobody[TLS_DIGEST_BYTES];

    return clients != NULL ? state_of(clients)->digest : nobody;
}

bool tls_clients_are_same(const struct tls_clients *a, const struct tls_clients *b)
{
    return memcmp(tls_clients_digest(a), tls_clients_digest(b), TLS_DIGEST_BYTES) == 0;
}

bool tls_clients_ask(const struct tls_clients *clients, SSL *ssl)
{
    struct tls_clients *whole = clients->whole;
    struct tls *t = SSL_get_app_data(ssl);
    STACK_OF(X509_NAME) * names;
    bool set;

    pthread_mutex_lock(&whole->lock);
    t->info.clients = whole->state;
    names = SSL_dup_CA_list(whole->set.names);
    set = SSL_set1_verify_cert_store(ssl, whole->set.authorities) == 1;
    pthread_mutex_unlock(&whole->lock);
    if (names == NULL)
        return false;
    SSL_set_client_CA_list(ssl, names);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    /* Who asks is known only when the handshake is done. */
    SSL_set_max_early_data(ssl, 0);
    return set;
}

int tls_clients_verify(X509_STORE_CTX *verifying, void *unused)
{
    (void)unused;
    if (X509_verify_cert(verifying) != 1 && X509_STORE_CTX_get_error(verifying) == X509_V_OK)
        X509_STORE_CTX_set_error(verifying, X509_V_ERR_UNSPECIFIED);
    ERR_clear_error();
    return 1;
}

static enum reason reason_of(long error)
{
    switch (error) {
    case X509_V_OK:
        return R_NONE;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return R_client_cert_expired;
    case X509_V_ERR_CERT_REVOKED:
        return R_client_cert_revoked;
    default:
        return R_client_cert_invalid;
    }
}

enum reason tls_clients_judge(const struct tls_clients *clients, const SSL *ssl)
{
    if (clients == NULL)
        return R_NONE;
    return SSL_get0_peer_certificate(ssl) != NULL ? reason_of(SSL_get_verify_result(ssl)) : R_client_cert_required;
}

/*
 * A session tells how the certificate was judged when it began; time has gone on. What was between the certificate and
 * the authorities is not kept, so without it the certificate's own time is all that can be looked at. Lists of what was
 * taken back need no second look then: a session does not outlive its list (tls_clients_digest()).
 */
static int judge_again(X509_STORE *authorities, X509 *shown)
{
    X509_STORE_CTX *verifying = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;

    if (verifying != NULL && X509_STORE_CTX_init(verifying, authorities, shown, NULL) == 1 &&
        X509_STORE_CTX_set_default(verifying, "ssl_client") == 1) {
        tls_clients_verify(verifying, NULL);
        error = X509_STORE_CTX_get_error(verifying);
    }
    X509_STORE_CTX_free(verifying);
    if (error != X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY && error != X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
        return error;
    return X509_cmp_current_time(X509_get0_notAfter(shown)) > 0 ? X509_V_OK : X509_V_ERR_CERT_HAS_EXPIRED;
}

bool tls_clients_are_still(const struct tls_clients *clients, SSL_SESSION *session)
{
    struct tls_clients *whole = clients->whole;
    X509 *shown = SSL_SESSION_get0_peer(session);
    X509_STORE *present;
    bool still;

    if (shown == NULL)
        return false;
    pthread_mutex_lock(&whole->lock);
    present = whole->set.authorities;
    X509_STORE_up_ref(present);
    pthread_mutex_unlock(&whole->lock);
    still = judge_again(present, shown) == X509_V_OK;
    X509_STORE_free(present);
    return still;
}

char *tls_clients_subject(const SSL *ssl)
{
    X509 *shown = SSL_get0_peer_certificate(ssl);
    BIO *text = shown != NULL ? BIO_new(BIO_s_mem()) : NULL;
    char *bytes, *copy = NULL;
    long n;

    if (text == NULL)
        return NULL;
    if (X509_NAME_print_ex(text, X509_get_subject_name(shown), 0, XN_FLAG_RFC2253) >= 0 &&
        (n = BIO_get_mem_data(text, &bytes)) >= 0)
        copy = strndup(bytes, (size_t)n);
    BIO_free(text);
    return copy;
}
