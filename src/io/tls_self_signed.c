#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "io/tls_impl.h"

#define DAY_S       86400L
#define LASTS_S     (397 * DAY_S) /* what browsers take at most */
#define RENEWED_S   (7 * DAY_S)   /* before the end */
#define SKEW_S      3600L         /* a client's clock may be slow */
#define SERIAL_BITS 159

_Static_assert(TLS_PATH_BYTES >= PATH_MAX, "the system's paths fit");

static int why_path(char why[TLS_WHY_BYTES], const char *path, const char *what)
{
    int error = errno;

    return tls_why(why, -error, "%s: %s: %s", path, strerrordesc_np(error), what);
}

static int path_join(char to[TLS_PATH_BYTES], const char *folder, const char *name, char why[TLS_WHY_BYTES])
{
    int n = snprintf(to, TLS_PATH_BYTES, "%s/%s", folder, name);

    if (n >= 0 && n < TLS_PATH_BYTES)
        return 0;
    return tls_why(why, -ENAMETOOLONG, "%s: the path is too long: name another folder", folder);
}

/* With all above it, for the owner alone. */
static int folder_make(const char *folder, char why[TLS_WHY_BYTES])
{
    char path[TLS_PATH_BYTES];
    int error = path_join(path, folder, "", why);

    for (char *p = path + 1; error == 0 && *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
            error = why_path(why, path, "the folder for the certificate cannot be made");
        *p = '/';
    }
    return error;
}

/* Is there a pair that lasts? Whatever is wrong with it, a new one is the answer. */
static bool is_there(const char *certificate, const char *key)
{
    char why[TLS_WHY_BYTES];
    STACK_OF(X509) *chain = NULL;
    EVP_PKEY *pair = NULL;
    struct tls_bytes text;
    bool lasts = false;

    if (tls_bytes_read(&text, certificate, false, why) != 0)
        return false;
    if (tls_files_certificates(&text, certificate, &chain, why) == 0 && tls_files_key(key, &pair, why) == 0)
        lasts = X509_check_private_key(sk_X509_value(chain, 0), pair) == 1 &&
                tls_files_time(X509_get0_notAfter(sk_X509_value(chain, 0))) > time(NULL) + RENEWED_S;
    ERR_clear_error();
    EVP_PKEY_free(pair);
    sk_X509_pop_free(chain, X509_free);
    tls_bytes_fini(&text);
    return lasts;
}

static bool add_extensions(X509 *x)
{
    static const struct {
        int kind;
        const char *value;
    } extensions[] = {
        { NID_subject_alt_name, "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1" },
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature" },
        { NID_ext_key_usage, "serverAuth" },
    };

    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, extensions[i].kind, extensions[i].value);
        bool added = e != NULL && X509_add_ext(x, e, -1) == 1;

        X509_EXTENSION_free(e);
        if (!added)
            return false;
    }
    return true;
}

static bool set_serial(X509 *x)
{
    BIGNUM *number = BN_new();
    bool set = number != NULL && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;

    BN_free(number);
    return set;
}

static bool fill(X509 *x, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(x);

    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"localhost", -1, -1, 0) == 1 &&
           X509_set_issuer_name(x, name) == 1 && X509_gmtime_adj(X509_getm_notBefore(x), -SKEW_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(x), LASTS_S - SKEW_S - 1) != NULL && X509_set_pubkey(x, key) == 1 &&
           add_extensions(x) && X509_sign(x, key, EVP_sha256()) > 0;
}

static int write_all(int fd, BIO *text)
{
    char *bytes;
    long n = BIO_get_mem_data(text, &bytes);

    for (long at = 0; at < n;) {
        ssize_t some = write(fd, bytes + at, (size_t)(n - at));

        if (some < 0 && errno != EINTR)
            return -1;
        at += some > 0 ? some : 0;
    }
    return fsync(fd);
}

/* Whole or not at all; who holds the folder's lock is alone with the temporary name. */
static int file_write(const char *path, BIO *text, mode_t mode, char why[TLS_WHY_BYTES])
{
    char fresh[TLS_PATH_BYTES + sizeof ".new"];
    int fd, error;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    if (unlink(fresh) != 0 && errno != ENOENT)
        return why_path(why, fresh, "it is in the way");
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return why_path(why, fresh, "it cannot be made");
    error = write_all(fd, text);
    if (close(fd) == 0 && error == 0 && rename(fresh, path) == 0)
        return 0;
    error = why_path(why, fresh, "it cannot be written");
    unlink(fresh);
    return error;
}

/* The key first: a certificate that does not fit it is seen the next time, and both are made again. */
static int pair_write(const char *certificate, const char *key, X509 *x, EVP_PKEY *pair, char why[TLS_WHY_BYTES])
{
    BIO *shown = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
    int error;

    if (shown == NULL || secret == NULL || PEM_write_bio_X509(shown, x) != 1 ||
        PEM_write_bio_PrivateKey(secret, pair, NULL, NULL, 0, NULL, NULL) != 1)
        error = tls_why_library(why, certificate, "the certificate cannot be made");
    else if ((error = file_write(key, secret, S_IRUSR | S_IWUSR, why)) == 0)
        error = file_write(certificate, shown, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH, why);
    BIO_free(shown);
    BIO_free(secret);
    return error;
}

static int pair_make(const char *certificate, const char *key, char why[TLS_WHY_BYTES])
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    int error;

    if (pair != NULL && x != NULL && fill(x, pair))
        error = pair_write(certificate, key, x, pair, why);
    else
        error = tls_why_library(why, certificate, "the certificate cannot be made");
    X509_free(x);
    EVP_PKEY_free(pair);
    return error != 0 ? error : 1;
}

int tls_self_signed(const char *folder, char certificate[TLS_PATH_BYTES], char key[TLS_PATH_BYTES],
                    char why[TLS_WHY_BYTES])
{
    int error = folder_make(folder, why), lock;

    if (error != 0 || (error = path_join(certificate, folder, "certificate.pem", why)) != 0 ||
        (error = path_join(key, folder, "key.pem", why)) != 0)
        return error;
    lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Two that start together would write a certificate and a key that do not fit. */
    if (lock < 0 || flock(lock, LOCK_EX) != 0)
        error = why_path(why, folder, "the folder for the certificate cannot be used");
    else
        error = is_there(certificate, key) ? 0 : pair_make(certificate, key, why);
    if (lock >= 0)
        close(lock);
    return error;
}
