#include <crypt.h>

#include "auth/users_impl.h"
#include "http/escape.h"
#include "http/token.h"

#define BCRYPT_BYTES 60

/* whole: bytes of all of it; tail: bytes behind the last '$'; 0: they vary. */
static const struct {
    struct span prefix;
    size_t whole, tail;
} methods[] = {
    { SPAN_INIT("$2y$"), BCRYPT_BYTES, 0 },
    { SPAN_INIT("$2b$"), BCRYPT_BYTES, 0 },
    { SPAN_INIT("$5$"), 0, 43 },
    { SPAN_INIT("$6$"), 0, 86 },
    { SPAN_INIT("$y$"), 0, 43 },
};

static const struct {
    struct span prefix;
    const char *why;
} refused[] = {
    { SPAN_INIT("{SHA}"), "SHA-1 without salt is guessed fast: make the hash anew with htpasswd -B" },
    { SPAN_INIT("$apr1$"), "MD5 ($apr1$) is guessed fast: make the hash anew with htpasswd -B" },
    { SPAN_INIT("$1$"), "MD5 ($1$) is guessed fast: make the hash anew with htpasswd -B" },
    { SPAN_INIT("{"), "no hash of crypt(3): make it anew with htpasswd -B" },
};

static size_t tail_of(struct span hash)
{
    size_t n = 0;

    while (n < hash.n && hash.p[hash.n - n - 1] != '$')
        n++;
    return n;
}

/* The letters of all these methods. */
static bool is_hash_text(struct span hash)
{
    for (size_t i = 0; i < hash.n; i++)
        if (!token_is(hash.p[i], TOKEN_VISIBLE) || hash.p[i] == ':')
            return false;
    return true;
}

/* $2y$NN$: two digits from 04 to 31. The library looks at what is before them alone. */
static bool is_bcrypt_cost(struct span hash)
{
    unsigned tens = (unsigned)(hash.p[4] - '0'), ones = (unsigned)(hash.p[5] - '0');

    return hash.p[6] == '$' && tens <= 3 && ones <= 9 && 10 * tens + ones >= 4 && 10 * tens + ones <= 31;
}

/* hash has a NUL behind it. To the library SHA-2 is legacy already, which is no reason to turn users away. */
static bool is_crypt_hash(struct span hash)
{
    int salt = is_hash_text(hash) ? crypt_checksalt(hash.p) : CRYPT_SALT_INVALID;

    return salt != CRYPT_SALT_INVALID && salt != CRYPT_SALT_METHOD_DISABLED &&
           (!span_starts(hash, SPAN("$2")) || is_bcrypt_cost(hash));
}

static const char *hash_fault(struct span hash)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (span_starts(hash, refused[i].prefix))
            return refused[i].why;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (!span_starts(hash, methods[i].prefix))
            continue;
        if ((methods[i].whole != 0 && hash.n != methods[i].whole) ||
            (methods[i].tail != 0 && tail_of(hash) != methods[i].tail))
            return "the hash is cut off or has something behind it: make it anew with htpasswd -B";
        if (!is_crypt_hash(hash))
            return "crypt(3) does not take this hash: make it anew with htpasswd -B";
        return NULL;
    }
    return "no hash that is known ($2y$, $2b$, $5$, $6$, $y$): make one with htpasswd -B";
}

static const char *name_fault(struct span name)
{
    if (name.n == 0)
        return "there is no user before the colon";
    if (name.n > USER_BYTES_MAX)
        return "the user's name is too long: at most 255 bytes";
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return "the user's name has a control character";
    return escape_utf8(name, NULL, 0) == name.n ? NULL : "the user's name is no UTF-8";
}

static const char *ha1_take(char *text, size_t n, struct user *out)
{
    struct span digits = { text, n };
    unsigned a = 0;

    while (a < DIGEST_ALGORITHMS && digest_hex_digits((enum digest_algorithm)a) != n)
        a++;
    if (a == DIGEST_ALGORITHMS || token_span(digits, TOKEN_HEX) < n)
        return "two colons: user:realm: wants 64 (SHA-256) or 32 (MD5) hexadecimal digits behind it";
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20 : text[i]);
    out->kind = USER_DIGEST + a;
    out->secret = digits;
    return NULL;
}

bool users_line_read(char *line, size_t n, struct user *out, const char **why)
{
    struct span all = { line, n };
    size_t colon = span_find(all, ':'), last = n;

    *out = (struct user){ .kind = USER_PASSWORD, .name = { line, colon } };
    *why = colon == n ? "there is no colon: write user:hash, as htpasswd -B does" : name_fault(out->name);
    if (*why != NULL)
        return false;
    while (line[last - 1] != ':')
        last--;
    line[n] = '\0';
    out->secret = span_from(all, last);
    if (last - 1 == colon) {
        *why = hash_fault(out->secret);
    } else {
        out->realm = (struct span){ line + colon + 1, last - colon - 2 };
        *why = ha1_take(line + last, n - last, out);
    }
    return *why == NULL;
}
