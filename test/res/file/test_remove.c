#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "feed.h"

static struct site site;

static int set_up(void **state)
{
    (void)state;
    site_open(&site);
    site.settings.write = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

/* Descriptors of files that have no name any more. */
static unsigned deleted_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned count = 0;
    struct dirent *e;

    while ((e = readdir(d)) != NULL) {
        struct stat st;

        count += fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0;
    }
    closedir(d);
    return count;
}

/* What the graph would say to a GET. */
static void assert_found(const char *head, bool exists, bool was_removed)
{
    struct exchange *x = site_ask(&site, head);

    assert_int_equal(site_run(&site, x, file_resource.open), FLOW_GO);
    assert_int_equal(x->facts.exists, exists);
    assert_int_equal(x->facts.was_removed, was_removed);
    site_done(&x);
}

static void test_remove(void **state)
{
    struct exchange *x;

    (void)state;
    site_write(&site, "f", SPAN("x"));
    assert_found("GET /f", true, false);
    x = feed_delete(&site, "DELETE /f");
    assert_int_equal(x->verdict.why, R_NONE);
    site_done(&x);
    assert_found("GET /f", false, false);
    assert_int_equal(feed_hidden_names(&site, ""), 0);
}

/* A file that is served from its descriptor: its bytes are free once it is deleted or replaced. */
static void test_bytes_are_freed(void **state)
{
    unsigned before = deleted_open();
    struct exchange *x;

    (void)state;
    site.worker_settings.content_max_bytes = 1;
    for (int i = 0; i < 2; i++) {
        site_write(&site, "f", SPAN("long content"));
        assert_found("GET /f", true, false);
        x = i == 0 ? feed_delete(&site, "DELETE /f") : feed_put_text(&site, "PUT /f", "new content");
        assert_int_equal(x->verdict.why, R_NONE);
        site_done(&x);
        assert_int_equal(deleted_open(), before);
    }
}

/* The link goes, what it leads to stays. */
static void test_remove_link(void **state)
{
    struct exchange *x;

    (void)state;
    site_write(&site, "target", SPAN("x"));
    site_link(&site, "target", "link");
    x = feed_delete(&site, "DELETE /link");
    assert_int_equal(x->verdict.why, R_NONE);
    site_done(&x);
    assert_found("GET /link", false, false);
    assert_found("GET /target", true, false);
}

static void change_file(void)
{
    site_write(&site, "f", SPAN("somebody else's"));
}

static void remove_file(void)
{
    site_remove(&site, "f");
}

static void replace_by_directory(void)
{
    site_remove(&site, "f");
    site_mkdir(&site, "f");
}

static void nothing(void) {}

static const struct {
    const char *condition;
    bool tag; /* If-Match with the current tag */
    void (*meanwhile)(void);
    enum reason why;
} races[] = {
    { "", true, nothing, R_NONE },
    { "", true, change_file, R_write_conflict_stale_version },
    { "", true, remove_file, R_write_conflict_stale_version },
    { "\nIf-Unmodified-Since: Wed, 01 Jan 2098 00:00:00 GMT", false, change_file, R_write_conflict_stale_version },
    { "\nIf-Match: *", false, change_file, R_NONE },
    { "\nIf-Match: *", false, remove_file, R_write_conflict_stale_version },
    { "", false, change_file, R_NONE },
    { "", false, remove_file, R_NONE },
    { "", false, replace_by_directory, R_delete_on_collection },
};

static void race(size_t i)
{
    struct feed feed = { .declared = true };
    struct exchange *x;
    char head[256];

    site_write(&site, "f", SPAN("judged"));
    snprintf(head, sizeof head, "DELETE /f%s", races[i].condition);
    if (races[i].tag) {
        x = feed_open(&site, "DELETE /f", &feed);
        file_fields(x, R_already_applied);
        snprintf(head, sizeof head, "DELETE /f\nIf-Match: %s", site_field(x, "ETag"));
        site_done(&x);
    }
    x = feed_open(&site, head, &feed);
    races[i].meanwhile();
    feed_run(&site, x, file_resource.remove);
    if (x->verdict.why != races[i].why)
        print_message("race %zu\n", i);
    assert_int_equal(x->verdict.why, races[i].why);
    site_done(&x);
}

static void test_races(void **state)
{
    for (size_t i = 0; i < sizeof races / sizeof races[0]; i++) {
        race(i);
        tear_down(state);
        set_up(state);
    }
}

/* A tombstone, until something new is there; and again. Caches that remember "not there" are not believed. */
static void test_gone(void **state)
{
    struct exchange *x;

    (void)state;
    site.settings.tombstones = true;
    site_mkdir(&site, "d");
    assert_found("GET /d/f", false, false);
    for (int i = 0; i < 2; i++) {
        x = feed_put_text(&site, "PUT /d/f", "x");
        assert_int_equal(x->verdict.why, R_NONE);
        site_done(&x);
        assert_found("GET /d/f", true, false);
        x = feed_delete(&site, "DELETE /d/f");
        assert_int_equal(x->verdict.why, R_NONE);
        site_done(&x);
        assert_found("GET /d/f", false, true);
        assert_found("GET /d/g", false, false);
    }
    x = feed_delete(&site, "DELETE /.verdict/gone");
    assert_int_equal(x->verdict.why, R_write_denied);
    site_done(&x);
}

/* What is not there is remembered by a worker that saw neither the PUT nor the DELETE of another. */
static void test_gone_unseen(void **state)
{
    struct exchange *x;

    (void)state;
    site.settings.tombstones = true;
    assert_found("GET /f", false, false);
    x = feed_put_text(&site, "PUT /f", "x");
    site_done(&x);
    x = feed_delete(&site, "DELETE /f");
    site_done(&x);
    assert_found("GET /f", false, true);
    x = feed_put_text(&site, "PUT /f", "x");
    site_done(&x);
    site_remove(&site, "f");
    site.now_ms += site.worker_settings.recheck_ms;
    assert_found("GET /f", false, false);
}

/* Another server finds what this one has left. */
static void test_gone_after_restart(void **state)
{
    struct exchange *x;

    (void)state;
    site.settings.tombstones = true;
    site_write(&site, "f", SPAN("x"));
    x = feed_delete(&site, "DELETE /f");
    site_done(&x);
    file_worker_release(&site.worker);
    file_shared_release(&site.shared);
    site.shared = file_shared_new();
    assert_found("GET /f", false, true);
}

/* Off: nothing is written, and what was written is not looked at. */
static void test_gone_off(void **state)
{
    struct exchange *x;

    (void)state;
    site_write(&site, "f", SPAN("x"));
    x = feed_delete(&site, "DELETE /f");
    site_done(&x);
    assert_found("GET /f", false, false);
    assert_int_equal(feed_hidden_names(&site, ""), 0);
}

static void test_quota_given_back(void **state)
{
    struct exchange *x;

    (void)state;
    site.settings.quota_bytes = 10;
    x = feed_put_text(&site, "PUT /a", "0123456789");
    site_done(&x);
    x = feed_put_text(&site, "PUT /b", "0123456789");
    assert_int_equal(x->verdict.why, R_quota_exceeded);
    site_done(&x);
    x = feed_delete(&site, "DELETE /a");
    site_done(&x);
    x = feed_put_text(&site, "PUT /b", "0123456789");
    assert_int_equal(x->verdict.why, R_NONE);
    site_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_remove, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bytes_are_freed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_remove_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_races, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone_unseen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone_after_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gone_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quota_given_back, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
