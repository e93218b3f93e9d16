#ifndef AUTH_USERS_H
#define AUTH_USERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "http/digest.h"

#define USERS_WHY_BYTES  512
#define USERS_FILE_BYTES (4 << 20)
#define USERS_MAX        65536
#define USER_BYTES_MAX   255

/*
 * Who may come in, read from files into memory. A line is one of
 *
 *   user:hash         of crypt(3): $2y$, $2b$ (bcrypt), $5$, $6$ (SHA-2), $y$ (yescrypt), as `htpasswd -B` or mkpasswd write
 *                     it; for Basic
 *   user:realm:HA1    64 (SHA-256) or 32 (MD5, as htdigest writes it) hexadecimal digits; for Digest
 *
 * or is empty, or begins with '#'. A user may have one line of the first kind, and of the second one for each realm and
 * algorithm. Hashes that are guessed fast ({SHA}, $apr1$, $1$, DES) are refused, and so is a file that everybody may read
 * or write. At most USERS_FILE_BYTES a file, USERS_MAX lines in all, USER_BYTES_MAX a name.
 *
 * Threads  any; a short lock when somebody asks and when files are read again
 */
struct users;

/* What was in the files at one moment; never changes. */
struct users_set;

/*
 * Read all files.
 *
 * paths    count of them, at least 1; borrowed: they live as long as the users
 * why      set when not 0: a sentence for the operator, with the file and the line, and without any hash
 * Returns  0; -ENOENT, -EACCES or another -errno of a file; -EPERM: everybody may read or write it; -EINVAL: it is no
 *          file, or a line of it is wrong; -EFBIG: too long, or too many users; -ENOMEM
 */
__attribute__((warn_unused_result)) int users_new(const char *const *paths, uint32_t count, struct users **out,
                                                  char why[USERS_WHY_BYTES]);

/* NULL is accepted. Sets that are held stay. */
void users_release(struct users **users);

/*
 * Look at the files again; when one has changed, all are read.
 *
 * Returns  0: none has changed; 1: they have, and what is there now counts; -errno as users_new(): they have, and cannot
 *          be used: what was read last stays in use, and this is told once for each change
 */
__attribute__((warn_unused_result)) int users_refresh(struct users *users, char why[USERS_WHY_BYTES]);

/* The present set; released by the caller. */
struct users_set *users_hold(struct users *users);
struct users_set *users_set_hold(struct users_set *set);
void users_set_release(struct users_set **set);

/* Differs between all sets of a process. */
uint64_t users_set_number(const struct users_set *set);

/* Lines that count. */
uint32_t users_set_lines(const struct users_set *set);

/* The hash for crypt(3), or NULL: no such user. Lives as long as the set. */
const char *users_hash(const struct users_set *set, struct span user);

/* The hash of somebody, the same for the same `pick`; NULL: there is none at all. As users_hash(). */
const char *users_hash_of_somebody(const struct users_set *set, uint64_t pick);

/* HA1 in lower-case digits; p == NULL: no such user. Lives as long as the set. RFC7616:3.4.2 */
struct span users_ha1(const struct users_set *set, struct span user, struct span realm, enum digest_algorithm a);

/* Has anybody an HA1 of this realm and algorithm? */
bool users_have_ha1(const struct users_set *set, struct span realm, enum digest_algorithm a);

#endif
