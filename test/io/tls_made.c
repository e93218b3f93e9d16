#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_made.h"

#include <fcntl.h>
#include <ftw.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATHS 64
#define DAY_S 86400

static char folder[64];
static char paths[PATHS][128];
static size_t paths_count;

static void add_extension(X509 *x, int kind, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

    assert_non_null(e);
    assert_int_equal(X509_add_ext(x, e, -1), 1);
    X509_EXTENSION_free(e);
}

struct made made_certificate(const struct made_wish *wish)
{
    struct made m = { EVP_EC_gen("P-256"), X509_new() };
    const struct made *issuer = wish->issuer != NULL ? wish->issuer : &m;
    X509_NAME *name = X509_get_subject_name(m.x);
    const char *text = wish->name != NULL ? wish->name : "nobody";

    assert_non_null(m.key);
    X509_set_version(m.x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(m.x), wish->serial != 0 ? wish->serial : 1);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
    X509_set_issuer_name(m.x, X509_get_subject_name(issuer->x));
    X509_gmtime_adj(X509_getm_notBefore(m.x), wish->from_s);
    X509_gmtime_adj(X509_getm_notAfter(m.x), wish->until_s != 0 ? wish->until_s : DAY_S);
    X509_set_pubkey(m.x, m.key);
    add_extension(m.x, NID_basic_constraints, wish->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (wish->alternatives != NULL)
        add_extension(m.x, NID_subject_alt_name, wish->alternatives);
    assert_true(X509_sign(m.x, issuer->key, EVP_sha256()) > 0);
    return m;
}

void made_free(struct made *m)
{
    X509_free(m->x);
    EVP_PKEY_free(m->key);
    *m = (struct made){ 0 };
}

void made_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/verdict-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    paths_count = 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void made_folder_remove(void)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* One name has one path: what is made again and again does not fill the table. */
const char *made_path(const char *name)
{
    char path[sizeof paths[0]];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (size_t i = 0; i < paths_count; i++)
        if (strcmp(paths[i], path) == 0)
            return paths[i];
    assert_true(paths_count < PATHS);
    return memcpy(paths[paths_count++], path, sizeof path);
}

/* As those do who care: a new file takes the place of the old one. */
const char *made_write(const char *name, struct span content, mode_t mode)
{
    const char *path = made_path(name);
    char fresh[160];
    int fd;

    snprintf(fresh, sizeof fresh, "%s.fresh", path);
    fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.p, content.n), content.n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    assert_int_equal(rename(fresh, path), 0);
    return path;
}

static const char *write_text(const char *name, BIO *text, mode_t mode)
{
    char *bytes;
    long n = BIO_get_mem_data(text, &bytes);
    const char *path = made_write(name, (struct span){ bytes, (size_t)n }, mode);

    BIO_free(text);
    return path;
}

const char *made_write_key(const char *name, const struct made *m)
{
    BIO *text = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PrivateKey(text, m->key, NULL, NULL, 0, NULL, NULL), 1);
    return write_text(name, text, 0600);
}

const char *made_write_chain(const char *name, const struct made *const *chain)
{
    BIO *text = BIO_new(BIO_s_mem());

    for (; *chain != NULL; chain++)
        assert_int_equal(PEM_write_bio_X509(text, (*chain)->x), 1);
    return write_text(name, text, 0644);
}

const char *made_write_certificate(const char *name, const struct made *m)
{
    return made_write_chain(name, (const struct made *const[]){ m, NULL });
}

static void list_add(X509_CRL *list, long serial, const ASN1_TIME *when)
{
    X509_REVOKED *one = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();

    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(one, number);
    X509_REVOKED_set_revocationDate(one, (ASN1_TIME *)when);
    X509_CRL_add0_revoked(list, one);
    ASN1_INTEGER_free(number);
}

const char *made_write_list(const char *name, const struct made *issuer, const long *serials)
{
    X509_CRL *list = X509_CRL_new();
    BIO *text = BIO_new(BIO_s_mem());
    ASN1_TIME *t = ASN1_TIME_new();

    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer->x));
    X509_CRL_set1_lastUpdate(list, X509_gmtime_adj(t, 0));
    for (; *serials != 0; serials++)
        list_add(list, *serials, t);
    X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(t, DAY_S));
    assert_true(X509_CRL_sign(list, issuer->key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509_CRL(text, list), 1);
    X509_CRL_free(list);
    ASN1_TIME_free(t);
    return write_text(name, text, 0644);
}

const char *made_write_ocsp(const char *name, const struct made *about, const struct made *issuer, long until_s)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about->x, issuer->x);
    ASN1_TIME *from = X509_gmtime_adj(NULL, -DAY_S), *until = X509_gmtime_adj(NULL, until_s);
    BIO *text = BIO_new(BIO_s_mem());
    OCSP_RESPONSE *response;

    assert_non_null(OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, until));
    assert_int_equal(OCSP_basic_sign(basic, issuer->x, issuer->key, EVP_sha256(), NULL, 0), 1);
    response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    assert_true(i2d_OCSP_RESPONSE_bio(text, response) > 0);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return write_text(name, text, 0644);
}

struct tls_files made_files(const char *name, const struct made *m)
{
    char certificate[64], key[64];

    snprintf(certificate, sizeof certificate, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    return (struct tls_files){ .certificate = made_write_certificate(certificate, m), .key = made_write_key(key, m) };
}
