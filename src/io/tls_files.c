#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/tls_impl.h"

#define FILE_BYTES_MAX ((off_t)64 << 20)

int tls_why(char why[TLS_WHY_BYTES], int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, TLS_WHY_BYTES, format, args);
    va_end(args);
    return error;
}

int tls_why_library(char why[TLS_WHY_BYTES], const char *path, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    bool memory = code == 0 || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;

    ERR_clear_error();
    return tls_why(why, memory ? -ENOMEM : -EINVAL, "%s: %s: %s", path, what,
                   memory ? "no memory" : (reason != NULL ? reason : "an unknown reason"));
}

static const char *advice_for(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "check the path";
    case EACCES:
        return "let the server's user read it";
    default:
        return "the file cannot be read";
    }
}

static int why_errno(char why[TLS_WHY_BYTES], const char *path)
{
    int error = errno;

    return tls_why(why, -error, "%s: %s: %s", path, strerrordesc_np(error), advice_for(error));
}

static int check_kind(const struct stat *st, const char *path, char why[TLS_WHY_BYTES])
{
    if (!S_ISREG(st->st_mode))
        return tls_why(why, -EINVAL, "%s: it is not a file: give the path of a file", path);
    if (st->st_size > FILE_BYTES_MAX)
        return tls_why(why, -EINVAL, "%s: it has more than %d MiB: is this the right file?", path,
                       (int)(FILE_BYTES_MAX >> 20));
    return 0;
}

static int check_secret(const struct stat *st, const char *path, char why[TLS_WHY_BYTES])
{
    if ((st->st_mode & (S_IROTH | S_IWOTH)) != 0)
        return tls_why(why, -EPERM, "%s: everybody may read or write this key: chmod 600 %s", path, path);
    if ((st->st_mode & S_IWGRP) != 0)
        return tls_why(why, -EPERM, "%s: its group may write this key: chmod 600 %s", path, path);
    return 0;
}

/* The file may grow or shrink meanwhile: what was there at the first look is the bound. */
static int read_all(int fd, struct tls_bytes *out, size_t size)
{
    out->p = malloc(size + 1);
    if (out->p == NULL)
        return -1;
    while (out->n < size) {
        ssize_t n = read(fd, out->p + out->n, size - out->n);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            break;
        out->n += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static bool has_key(const struct tls_bytes *text)
{
    static const char mark[] = "PRIVATE KEY-----";

    return memmem(text->p, text->n, mark, sizeof mark - 1) != NULL;
}

static int read_open(int fd, struct tls_bytes *out, const char *path, bool secret, char why[TLS_WHY_BYTES])
{
    struct stat st;
    int error;

    if (fstat(fd, &st) != 0)
        return why_errno(why, path);
    error = check_kind(&st, path, why);
    if (error != 0)
        return error;
    if (read_all(fd, out, (size_t)st.st_size) != 0)
        return why_errno(why, path);
    return secret && has_key(out) ? check_secret(&st, path, why) : 0;
}

int tls_bytes_read(struct tls_bytes *out, const char *path, bool secret, char why[TLS_WHY_BYTES])
{
    /* Not to wait for the other end, should this be a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error;

    *out = (struct tls_bytes){ 0 };
    if (fd < 0)
        return why_errno(why, path);
    error = read_open(fd, out, path, secret, why);
    close(fd);
    if (error != 0)
        tls_bytes_fini(out);
    return error;
}

void tls_bytes_fini(struct tls_bytes *b)
{
    if (b->p != NULL)
        OPENSSL_cleanse(b->p, b->n);
    free(b->p);
    *b = (struct tls_bytes){ 0 };
}

/* Without this the library asks for a password at the terminal. */
static int password_refuse(char *to, int room, int writing, void *asked)
{
    (void)to, (void)room, (void)writing;
    if (asked != NULL)
        *(bool *)asked = true;
    return -1;
}

static bool is_end(unsigned long code)
{
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static int read_certificates(BIO *text, const char *path, STACK_OF(X509) * to, char why[TLS_WHY_BYTES])
{
    X509 *one;

    ERR_clear_error();
    while ((one = PEM_read_bio_X509(text, NULL, password_refuse, NULL)) != NULL) {
        if (sk_X509_push(to, one) > 0)
            continue;
        X509_free(one);
        return tls_why(why, -ENOMEM, "%s: no memory", path);
    }
    if (!is_end(ERR_peek_last_error()))
        return tls_why_library(why, path, "a certificate in it is broken");
    ERR_clear_error();
    if (sk_X509_num(to) == 0)
        return tls_why(why, -EINVAL, "%s: there is no certificate in it: give a PEM file with BEGIN CERTIFICATE", path);
    return 0;
}

int tls_files_certificates(const struct tls_bytes *text, const char *path, STACK_OF(X509) * *out,
                           char why[TLS_WHY_BYTES])
{
    BIO *bio = BIO_new_mem_buf(text->p, (int)text->n);
    int error;

    *out = sk_X509_new_null();
    if (bio == NULL || *out == NULL)
        error = tls_why(why, -ENOMEM, "%s: no memory", path);
    else
        error = read_certificates(bio, path, *out, why);
    BIO_free(bio);
    if (error == 0)
        return 0;
    sk_X509_pop_free(*out, X509_free);
    *out = NULL;
    return error;
}

static int why_no_key(char why[TLS_WHY_BYTES], const struct tls_bytes *text, const char *path, bool asked)
{
    if (!asked && has_key(text))
        return tls_why_library(why, path, "the key in it cannot be read");
    ERR_clear_error();
    if (asked)
        return tls_why(why, -EINVAL, "%s: the key has a password: store it without (openssl pkey -in %s -out FILE)",
                       path, path);
    return tls_why(why, -EINVAL, "%s: there is no key in it: name a PEM file with BEGIN PRIVATE KEY as \"key\"", path);
}

int tls_files_key(const char *path, EVP_PKEY **out, char why[TLS_WHY_BYTES])
{
    struct tls_bytes text;
    int error = tls_bytes_read(&text, path, true, why);
    bool asked = false;
    BIO *bio;

    if (error != 0)
        return error;
    ERR_clear_error();
    bio = BIO_new_mem_buf(text.p, (int)text.n);
    *out = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, password_refuse, &asked) : NULL;
    if (*out == NULL)
        error = why_no_key(why, &text, path, asked);
    BIO_free(bio);
    tls_bytes_fini(&text);
    return error;
}

time_t tls_files_time(const ASN1_TIME *t)
{
    struct tm tm;

    return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? timegm(&tm) : 0;
}

int tls_files_when(time_t from, time_t until, char date[TLS_DATE_BYTES])
{
    time_t now = time(NULL), end = now < from ? from : until;
    struct tm tm;

    if (now >= from && (until == 0 || now < until))
        return 0;
    if (gmtime_r(&end, &tm) == NULL || strftime(date, TLS_DATE_BYTES, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        snprintf(date, TLS_DATE_BYTES, "an unknown day");
    return now < from ? -1 : 1;
}
