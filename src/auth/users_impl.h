#ifndef AUTH_USERS_IMPL_H
#define AUTH_USERS_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "auth/users.h"
#include "io/file_stamp.h"

enum user_kind { USER_PASSWORD, USER_DIGEST /* + enum digest_algorithm */ };

/* One line. */
struct user {
    unsigned kind;
    struct span name, realm;
    struct span secret; /* a NUL behind it */
    uint32_t file, line;
};

/* Users by kind, then realm, then name. */
struct users_set {
    atomic_uint references;
    uint64_t number;
    uint32_t count, passwords, room; /* passwords: how many, and they are the first */
    struct user *all;
    uint32_t file_count;
    struct span texts[]; /* of the files, from malloc() */
};

/* Writes why; returns error. */
int users_why(char why[USERS_WHY_BYTES], int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The whole text, from malloc(), to be wiped. 0 or as users_new(). */
int users_file_read(const char *path, struct span *text, char why[USERS_WHY_BYTES]);

/* One line, without its end and not empty, written over. False: *why is set to what is wrong, and what to do. */
bool users_line_read(char *line, size_t n, struct user *out, const char **why);

#endif
