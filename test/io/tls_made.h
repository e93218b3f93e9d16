#ifndef TEST_IO_TLS_MADE_H
#define TEST_IO_TLS_MADE_H

#include <openssl/x509.h>
#include <sys/stat.h>

#include "io/tls_store.h"

/* Certificates made for a test, and a folder for their files. What cannot be made ends the test. */
struct made {
    EVP_PKEY *key;
    X509 *x;
};

struct made_wish {
    const char *name;          /* common name; NULL: "nobody" */
    const char *alternatives;  /* as OpenSSL writes them: "DNS:a.test,IP:127.0.0.1"; NULL: none */
    const struct made *issuer; /* NULL: itself */
    bool authority;
    long from_s, until_s; /* from now; until 0: a day */
    long serial;
};

struct made made_certificate(const struct made_wish *wish);
void made_free(struct made *m);

/* A new folder, and with it all paths that follow; made_folder_remove() removes both. */
void made_folder(void);
void made_folder_remove(void);
/* A path in the folder; lives as long as it. */
const char *made_path(const char *name);

/* Each replaces the file and gives its path. */
const char *made_write(const char *name, struct span content, mode_t mode);
const char *made_write_key(const char *name, const struct made *m);
/* One after the other, up to NULL. */
const char *made_write_chain(const char *name, const struct made *const *chain);
const char *made_write_certificate(const char *name, const struct made *m);
/* Taken back: these serials, up to 0. */
const char *made_write_list(const char *name, const struct made *issuer, const long *serials);
/* About one certificate, good until then, s from now. */
const char *made_write_ocsp(const char *name, const struct made *about, const struct made *issuer, long until_s);

/* Certificate and key as NAME.pem and NAME.key. */
struct tls_files made_files(const char *name, const struct made *m);

#endif
