/* What the server leaves in a tree of its own: files on their way, tombstones, and who clears them away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feed.h"
#include "res/file/litter.h"
#include "res/file/quota.h"
#include "res/file/temp.h"
#include "res/file/tombstone.h"

static struct site site;
static struct exchange *x; /* lends its arena */
static const atomic_bool go_on;

static int set_up(void **state)
{
    (void)state;
    site_open(&site);
    x = site_ask(&site, "GET /");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_done(&x);
    site_close(&site);
    return 0;
}

static int root_open(void)
{
    return open(site.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void assert_file(const char *path, struct span want)
{
    struct span is = feed_file(&site, path, x);

    assert_true(is.p != NULL && span_is(is, want));
}

static const struct {
    const char *path;
    bool own;
} paths[] = {
    { "/", false },
    { "/a/b", false },
    { "/.verdict", true },
    { "/.verdict/gone/x", true },
    { "/a/.verdict/b", true },
    { "/a/.verdict-x", true },
    { "/.verdicts", false },
    { "/a.verdict-x", false },
    { "/.verdict-x/", true },
};

static void test_own_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(file_path_is_own(span_of(paths[i].path)), paths[i].own);
}

/* With a name and without: link takes a free name only, rename takes any, and neither leaves a second one. */
static void test_temp(void **state)
{
    (void)state;
    for (enum file_temp_kind kind = FILE_TEMP_BEST; kind <= FILE_TEMP_NAMED; kind++) {
        struct file_temp t;

        site_write(&site, "taken", SPAN("old"));
        assert_int_equal(file_temp_open(&t, root_open(), kind), 0);
        assert_int_equal(file_temp_write(&t, SPAN("ew"), 1), 0);
        assert_int_equal(file_temp_write(&t, SPAN("n"), 0), 0);
        assert_int_equal(feed_hidden_names(&site, ""), kind == FILE_TEMP_NAMED);
        assert_int_equal(file_temp_link(&t, site.settings.root_fd, "taken"), -EEXIST);
        assert_file("taken", SPAN("old"));
        assert_int_equal(file_temp_link(&t, site.settings.root_fd, "free"), 0);
        file_temp_fini(&t);
        assert_file("free", SPAN("new"));
        assert_int_equal(file_temp_open(&t, root_open(), kind), 0);
        assert_int_equal(file_temp_write(&t, SPAN("newer"), 0), 0);
        assert_int_equal(file_temp_rename(&t, site.settings.root_fd, "taken"), 0);
        file_temp_fini(&t);
        assert_file("taken", SPAN("newer"));
        assert_int_equal(file_temp_open(&t, root_open(), kind), 0);
        site_mkdir(&site, "directory");
        assert_int_equal(file_temp_rename(&t, site.settings.root_fd, "directory"), -EISDIR);
        file_litter_sweep(site.settings.root_fd, &go_on);
        assert_int_equal(feed_hidden_names(&site, ""), 1);
        file_temp_fini(&t);
        assert_int_equal(feed_hidden_names(&site, ""), 0);
        site_remove(&site, "directory");
        site_remove(&site, "free");
    }
}

/* Killed after the write and before the name: the child tells how far it is by dying. */
static void killed_writing(enum file_temp_kind kind)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct file_temp t;

        if (file_temp_open(&t, root_open(), kind) == 0 && file_temp_write(&t, SPAN("half"), 0) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The next start finds the litter, deep down too, and leaves alone what somebody is writing. */
static void test_crash(void **state)
{
    struct file_temp alive;

    (void)state;
    site_write(&site, "f", SPAN("old"));
    killed_writing(FILE_TEMP_BEST);
    assert_int_equal(feed_hidden_names(&site, ""), 0);
    killed_writing(FILE_TEMP_NAMED);
    assert_int_equal(feed_hidden_names(&site, ""), 1);
    site_mkdir(&site, "a");
    site_mkdir(&site, "a/b");
    site_write(&site, "a/b/.verdict-0123456789abcdef", SPAN("litter"));
    site_write(&site, "a/b/.hidden", SPAN("content"));
    assert_int_equal(file_temp_open(&alive, root_open(), FILE_TEMP_NAMED), 0);
    assert_int_equal(file_shared_tidy(site.shared, &site.settings), 0);
    assert_int_equal(file_shared_tidy(site.shared, &site.settings), 0);
    while (atomic_load(&site.shared->roots.first->counted_ms) == 0)
        usleep(1000);
    assert_file("f", SPAN("old"));
    assert_int_equal(feed_hidden_names(&site, "a/b"), 1);
    assert_int_equal(feed_hidden_names(&site, ""), 1);
    assert_int_equal(file_temp_link(&alive, site.settings.root_fd, "new"), 0);
    file_temp_fini(&alive);
    assert_int_equal(feed_hidden_names(&site, ""), 0);
}

static void test_sweep_counts(void **state)
{
    (void)state;
    site_write(&site, "a", SPAN("12345"));
    site_mkdir(&site, "d");
    site_write(&site, "d/b", SPAN("123"));
    site_link(&site, "d/b", "link");
    site_link(&site, "..", "d/up");
    site_write(&site, ".verdict-0123456789abcdef", SPAN("litter"));
    assert_int_equal(file_tombstone_add(site.settings.root_fd, SPAN("gone")), 0);
    assert_int_equal(file_litter_sweep(site.settings.root_fd, &go_on), 8);
}

/* Counted anew after a minute, as told by turning the clock of the count back. */
static void test_recount(void **state)
{
    struct file_root *root;

    (void)state;
    site_write(&site, "a", SPAN("12345"));
    assert_int_equal(file_root_find(&site.shared->roots, site.settings.root_fd, &root), 0);
    file_quota_count(root, &go_on);
    assert_int_equal(root->used_bytes, 5);
    site_write(&site, "b", SPAN("12345"));
    file_quota_count(root, &go_on);
    assert_int_equal(root->used_bytes, 5);
    root->counted_ms -= FILE_QUOTA_FRESH_MS;
    file_quota_count(root, &go_on);
    assert_int_equal(root->used_bytes, 10);
}

static void test_tombstone(void **state)
{
    int fd = site.settings.root_fd;

    (void)state;
    assert_false(file_tombstone_there(fd, SPAN("a/b"), 0));
    file_tombstone_remove(fd, SPAN("a/b"));
    assert_int_equal(file_tombstone_add(fd, SPAN("a/b")), 0);
    assert_int_equal(file_tombstone_add(fd, SPAN("a/b")), 0);
    assert_true(file_tombstone_there(fd, SPAN("a/b"), 0));
    assert_true(file_tombstone_there(fd, SPAN("a/b"), 100));
    assert_false(file_tombstone_there(fd, SPAN("a"), 0));
    file_tombstone_remove(fd, SPAN("a/b"));
    assert_false(file_tombstone_there(fd, SPAN("a/b"), 0));
}

/* R155: as long as the owner wishes; then it is forgotten, at the latest with the next start. */
static void test_tombstone_lifetime(void **state)
{
    int fd = site.settings.root_fd, gone;
    struct stat st;
    char path[128];

    (void)state;
    assert_int_equal(file_tombstone_add(fd, SPAN("old")), 0);
    snprintf(path, sizeof path, "%s/.verdict/gone", site.root);
    gone = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(gone >= 0);
    assert_int_equal(fstat(gone, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    snprintf(path, sizeof path, "cd %s/.verdict/gone && touch -d '-50 seconds' *", site.root);
    assert_int_equal(system(path), 0);
    assert_true(file_tombstone_there(fd, SPAN("old"), 0));
    assert_true(file_tombstone_there(fd, SPAN("old"), 60));
    assert_false(file_tombstone_there(fd, SPAN("old"), 40));
    file_tombstone_prune(fd, 60, &go_on);
    assert_true(file_tombstone_there(fd, SPAN("old"), 0));
    file_tombstone_prune(fd, 0, &go_on);
    assert_true(file_tombstone_there(fd, SPAN("old"), 0));
    file_tombstone_prune(fd, 40, &go_on);
    assert_false(file_tombstone_there(fd, SPAN("old"), 0));
    close(gone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_temp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sweep_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_recount, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tombstone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tombstone_lifetime, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
