#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users.h"
#include "base/check.h"

#define BCRYPT "$2y$04$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e"
#define SHA256 "$5$salt$eC8iHMk0B/acxRGi4idWiCK/.xXHLUsxovn4V591t3."
#define H32    "0123456789abcdef0123456789abcdef"

static char folder[] = "/tmp/verdict-users-XXXXXX", path[64], other[64];
static char why[USERS_WHY_BYTES];

static void file_write(const char *to, const char *text, size_t n, mode_t mode)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    DIE_UNLESS(fd >= 0 && write(fd, text, n) == (ssize_t)n && fchmod(fd, mode) == 0);
    close(fd);
}

static int read_text(const char *text, struct users **out)
{
    static const char *paths[] = { path };

    file_write(path, text, strlen(text), 0640);
    why[0] = '\0';
    return users_new(paths, 1, out, why);
}

struct line_case {
    const char *text;
    const char *why; /* behind the path; NULL: good */
};

static const struct line_case line_cases[] = {
    { "", NULL },
    { "# nobody\n\n \t\r\n", NULL },
    { "a:" BCRYPT "\n", NULL },
    { "a:" BCRYPT "\r\nb:" SHA256, NULL },
    { "a:r:" H32 "\na:r:" H32 H32 "\na:s:" H32 "\na:" BCRYPT "\n", NULL },
    { "a:realm: with colons:" H32 "\n", NULL },
    { "a", ":1: there is no colon: write user:hash, as htpasswd -B does" },
    { "\n#\na\n", ":3: there is no colon: write user:hash, as htpasswd -B does" },
    { ":" BCRYPT, ":1: there is no user before the colon" },
    { "\xc3:" BCRYPT, ":1: the user's name is no UTF-8" },
    { "a\tb:" BCRYPT, ":1: the user's name has a control character" },
    { "a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
      ":1: SHA-1 without salt is guessed fast: make the hash anew with htpasswd -B" },
    { "a:{SSHA}x", ":1: no hash of crypt(3): make it anew with htpasswd -B" },
    { "a:$apr1$salt$x", ":1: MD5 ($apr1$) is guessed fast: make the hash anew with htpasswd -B" },
    { "a:$1$salt$x", ":1: MD5 ($1$) is guessed fast: make the hash anew with htpasswd -B" },
    { "a:secret", ":1: no hash that is known ($2y$, $2b$, $5$, $6$, $y$): make one with htpasswd -B" },
    { "a:", ":1: no hash that is known ($2y$, $2b$, $5$, $6$, $y$): make one with htpasswd -B" },
    { "a:" BCRYPT "x", ":1: the hash is cut off or has something behind it: make it anew with htpasswd -B" },
    { "a:$5$salt$Gcm6", ":1: the hash is cut off or has something behind it: make it anew with htpasswd -B" },
    { "a:$2y$99$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e",
      ":1: crypt(3) does not take this hash: make it anew with htpasswd -B" },
    { "a:r:" H32 "0", ":1: two colons: user:realm: wants 64 (SHA-256) or 32 (MD5) hexadecimal digits behind it" },
    { "a:" BCRYPT ":x", ":1: two colons: user:realm: wants 64 (SHA-256) or 32 (MD5) hexadecimal digits behind it" },
    { "b:" BCRYPT "\na:" BCRYPT "\nb:" SHA256 "\n", ":3: b is in PATH:1 already: remove one of them" },
    { "b:r:" H32 "\nb:r:" H32 "\n", ":2: b is in PATH:1 already: remove one of them" },
};

/* What stands behind the path, with the path in it named PATH. */
static void why_shorten(char out[USERS_WHY_BYTES])
{
    const char *rest = strncmp(why, path, strlen(path)) == 0 ? why + strlen(path) : why, *second = strstr(rest, path);

    if (second == NULL)
        snprintf(out, USERS_WHY_BYTES, "%s", rest);
    else
        snprintf(out, USERS_WHY_BYTES, "%.*sPATH%s", (int)(second - rest), rest, second + strlen(path));
}

static void each_mistake_is_named_by_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof line_cases / sizeof *line_cases; i++) {
        const struct line_case *t = &line_cases[i];
        char told[USERS_WHY_BYTES];
        struct users *users = NULL;
        int error = read_text(t->text, &users);

        why_shorten(told);
        assert_string_equal(told, t->why != NULL ? t->why : "");
        assert_int_equal(error, t->why != NULL ? -EINVAL : 0);
        users_release(&users);
    }
}

static void a_name_of_255_bytes_is_the_longest(void **state)
{
    char text[400];
    struct users *users = NULL;

    (void)state;
    memset(text, 'x', 255);
    strcpy(text + 255, ":" BCRYPT);
    assert_int_equal(read_text(text, &users), 0);
    users_release(&users);
    memset(text, 'x', 256);
    strcpy(text + 256, ":" BCRYPT);
    assert_int_equal(read_text(text, &users), -EINVAL);
    assert_non_null(strstr(why, ":1: the user's name is too long: at most 255 bytes"));
}

static void users_are_found(void **state)
{
    struct users_set *set;
    struct users *users;
    struct span ha1;

    (void)state;
    assert_int_equal(read_text("b:" SHA256 "\na:r:" H32 "\na:r:" H32 "ABCDEFABCDEFABCDEFABCDEFABCDEFAB\na:" BCRYPT "\n",
                               &users),
                     0);
    set = users_hold(users);
    users_release(&users);
    assert_int_equal(users_set_lines(set), 4);
    assert_string_equal(users_hash(set, SPAN("a")), BCRYPT);
    assert_string_equal(users_hash(set, SPAN("b")), SHA256);
    assert_null(users_hash(set, SPAN("c")));
    assert_null(users_hash(set, SPAN("")));
    assert_string_equal(users_hash_of_somebody(set, 0), BCRYPT);
    assert_string_equal(users_hash_of_somebody(set, 3), SHA256);
    ha1 = users_ha1(set, SPAN("a"), SPAN("r"), DIGEST_MD5);
    assert_true(span_is(ha1, SPAN(H32)));
    ha1 = users_ha1(set, SPAN("a"), SPAN("r"), DIGEST_SHA256);
    assert_true(span_is(ha1, SPAN(H32 "abcdefabcdefabcdefabcdefabcdefab")));
    assert_null(users_ha1(set, SPAN("a"), SPAN("s"), DIGEST_MD5).p);
    assert_null(users_ha1(set, SPAN("b"), SPAN("r"), DIGEST_MD5).p);
    users_set_release(&set);
}

/* Somebody of the set below has it. */
struct ha1_case {
    const char *realm;
    bool md5, sha256;
};

static const struct ha1_case ha1_cases[] = {
    { "both", true, true }, { "old", true, false },    { "new", false, true },
    { "ne", false, false }, { "newer", false, false }, { "", false, false },
};

static void a_realm_has_the_algorithms_of_its_lines(void **state)
{
    struct users_set *set;
    struct users *users;

    (void)state;
    assert_int_equal(read_text("a:" BCRYPT "\nz:both:" H32 "\na:both:" H32 H32 "\nb:old:" H32 "\nc:old:" H32
                               "\nb:new:" H32 H32 "\n",
                               &users),
                     0);
    set = users_hold(users);
    users_release(&users);
    for (size_t i = 0; i < sizeof ha1_cases / sizeof *ha1_cases; i++) {
        const struct ha1_case *t = &ha1_cases[i];

        assert_int_equal(users_have_ha1(set, span_of(t->realm), DIGEST_MD5), t->md5);
        assert_int_equal(users_have_ha1(set, span_of(t->realm), DIGEST_SHA256), t->sha256);
    }
    assert_non_null(users_ha1(set, SPAN("z"), SPAN("both"), DIGEST_MD5).p);
    users_set_release(&set);
    assert_int_equal(read_text("", &users), 0);
    set = users_hold(users);
    assert_false(users_have_ha1(set, SPAN("r"), DIGEST_MD5));
    users_set_release(&set);
    users_release(&users);
}

static void nobody_is_there(void **state)
{
    struct users_set *set;
    struct users *users;

    (void)state;
    assert_int_equal(read_text("a:r:" H32 "\n", &users), 0);
    set = users_hold(users);
    assert_null(users_hash_of_somebody(set, 7));
    assert_null(users_hash(set, SPAN("a")));
    users_set_release(&set);
    users_release(&users);
}

static void two_files_are_one_set(void **state)
{
    const char *paths[] = { path, other };
    struct users_set *set;
    struct users *users;

    (void)state;
    file_write(path, "a:" BCRYPT, strlen("a:" BCRYPT), 0600);
    file_write(other, "\na:r:" H32 "\n", strlen("\na:r:" H32 "\n"), 0600);
    assert_int_equal(users_new(paths, 2, &users, why), 0);
    set = users_hold(users);
    assert_int_equal(users_set_lines(set), 2);
    users_set_release(&set);
    users_release(&users);
    file_write(other, "\na:" BCRYPT, strlen("\na:" BCRYPT), 0600);
    assert_int_equal(users_new(paths, 2, &users, why), -EINVAL);
    assert_int_equal(strncmp(why, other, strlen(other)), 0);
    assert_non_null(strstr(why, ":2: a is in "));
    unlink(other);
    assert_int_equal(users_new(paths, 2, &users, why), -ENOENT);
}

static void files_that_protect_nothing_are_refused(void **state)
{
    const char *paths[] = { path };
    struct users *users;

    (void)state;
    file_write(path, "", 0, 0604);
    assert_int_equal(users_new(paths, 1, &users, why), -EPERM);
    assert_non_null(strstr(why, "can be read or written by every user of this machine: chmod o= it"));
    file_write(path, "", 0, 0602);
    assert_int_equal(users_new(paths, 1, &users, why), -EPERM);
    paths[0] = folder;
    assert_int_equal(users_new(paths, 1, &users, why), -EINVAL);
    assert_non_null(strstr(why, "is no file: name one with users"));
    file_write(path, "", 0, 0600);
    DIE_UNLESS(truncate(path, USERS_FILE_BYTES + 1) == 0);
    paths[0] = path;
    assert_int_equal(users_new(paths, 1, &users, why), -EFBIG);
}

static void a_nul_in_a_line_is_no_hash(void **state)
{
    static const char text[] = "a:$5$sa\0t$eC8iHMk0B/acxRGi4idWiCK/.xXHLUsxovn4V591t3.";
    const char *paths[] = { path };
    struct users *users;

    (void)state;
    file_write(path, text, sizeof text - 1, 0600);
    assert_int_equal(users_new(paths, 1, &users, why), -EINVAL);
    assert_non_null(strstr(why, ":1: crypt(3) does not take this hash"));
}

static void a_change_counts_and_a_broken_one_is_told_once(void **state)
{
    struct users_set *before, *after;
    struct users *users;

    (void)state;
    assert_int_equal(read_text("a:" BCRYPT "\n", &users), 0);
    assert_int_equal(users_refresh(users, why), 0);
    before = users_hold(users);
    file_write(path, "a:" BCRYPT "\nb", sizeof("a:" BCRYPT "\nb") - 1, 0600);
    assert_int_equal(users_refresh(users, why), -EINVAL);
    assert_non_null(strstr(why, ":2: there is no colon"));
    assert_int_equal(users_refresh(users, why), 0);
    unlink(path);
    assert_int_equal(users_refresh(users, why), -ENOENT);
    assert_int_equal(users_refresh(users, why), 0);
    after = users_hold(users);
    assert_ptr_equal(before, after);
    users_set_release(&after);
    file_write(path, "b:" BCRYPT, sizeof("b:" BCRYPT) - 1, 0600);
    assert_int_equal(users_refresh(users, why), 1);
    after = users_hold(users);
    assert_true(users_set_number(before) != users_set_number(after));
    assert_null(users_hash(after, SPAN("a")));
    assert_non_null(users_hash(after, SPAN("b")));
    assert_non_null(users_hash(before, SPAN("a")));
    users_set_release(&before);
    users_set_release(&after);
    users_release(&users);
}

static int folder_make(void **state)
{
    (void)state;
    DIE_UNLESS(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/users", folder);
    snprintf(other, sizeof other, "%s/others", folder);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_named_by_its_line),
        cmocka_unit_test(a_name_of_255_bytes_is_the_longest),
        cmocka_unit_test(users_are_found),
        cmocka_unit_test(a_realm_has_the_algorithms_of_its_lines),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(two_files_are_one_set),
        cmocka_unit_test(files_that_protect_nothing_are_refused),
        cmocka_unit_test(a_nul_in_a_line_is_no_hash),
        cmocka_unit_test(a_change_counts_and_a_broken_one_is_told_once),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
