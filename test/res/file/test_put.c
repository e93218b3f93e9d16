#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/wait.h"
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

static void assert_file(struct exchange *x, const char *path, const char *want)
{
    struct span is = feed_file(&site, path, x);

    assert_non_null(is.p);
    assert_int_equal(is.n, strlen(want));
    assert_memory_equal(is.p, want, is.n);
}

static struct stat stat_of(const char *path)
{
    char whole[PATH_MAX];
    struct stat st;

    snprintf(whole, sizeof whole, "%s/%s", site.root, path);
    assert_int_equal(lstat(whole, &st), 0);
    return st;
}

/* RFC9110:15.3.5: the tag of the answer is that of a HEAD right after it. */
static void assert_tag_is_told(struct exchange *x, const char *head)
{
    struct exchange *after = site_get(&site, head);

    assert_int_equal(after->verdict.why, R_NONE);
    assert_string_equal(site_field(x, "ETag"), site_field(after, "ETag"));
    assert_string_not_equal(site_field(x, "ETag"), "");
    site_done(&after);
}

static void test_create(void **state)
{
    struct exchange *x;

    (void)state;
    umask(022);
    x = feed_put_text(&site, "PUT /page.en.html", "hello");
    assert_int_equal(x->verdict.why, R_NONE);
    assert_true(x->facts.created);
    assert_file(x, "page.en.html", "hello");
    assert_int_equal(stat_of("page.en.html").st_mode & 07777, 0644);
    assert_tag_is_told(x, "HEAD /page.en.html");
    assert_int_equal(feed_hidden_names(&site, ""), 0);
    site_done(&x);
}

static void test_create_empty(void **state)
{
    struct exchange *x = feed_put_text(&site, "PUT /empty", "");

    (void)state;
    assert_int_equal(x->verdict.why, R_NONE);
    assert_file(x, "empty", "");
    assert_tag_is_told(x, "HEAD /empty");
    site_done(&x);
}

/* Pieces that come one after the other, each after a wait, of unknown length in all. */
static void test_stream(void **state)
{
    struct feed feed = { .content = SPAN("a stream of bytes"), .piece_bytes = 3, .waits = true };
    struct exchange *x = feed_put(&site, "PUT /s", &feed);

    (void)state;
    assert_int_equal(x->verdict.why, R_NONE);
    assert_true(x->facts.created);
    assert_file(x, "s", "a stream of bytes");
    site_done(&x);
}

/* Longer than one turn, and too long to be tagged by its bytes: no tag is told that would change soon. */
static void test_long(void **state)
{
    size_t n = 3 * 1024 * 1024 + 17;
    char *bytes = malloc(n);
    struct feed feed = { .content = { bytes, n }, .piece_bytes = 65536, .declared = true };
    struct exchange *x;

    (void)state;
    memset(bytes, 'x', n);
    x = feed_put(&site, "PUT /long", &feed);
    assert_int_equal(x->verdict.why, R_NONE);
    assert_int_equal(stat_of("long").st_size, n);
    assert_string_equal(site_field(x, "ETag"), "");
    assert_string_equal(x->waits[2].what, "turn");
    site_done(&x);
    free(bytes);
}

static void test_replace(void **state)
{
    struct exchange *x;
    struct stat before;
    char whole[128];

    (void)state;
    site_write(&site, "f.txt", SPAN("old content"));
    snprintf(whole, sizeof whole, "%s/f.txt", site.root);
    assert_int_equal(chmod(whole, 0640), 0);
    before = stat_of("f.txt");
    x = feed_put_text(&site, "PUT /f.txt", "new");
    assert_int_equal(x->verdict.why, R_NONE);
    assert_false(x->facts.created);
    assert_file(x, "f.txt", "new");
    assert_int_equal(stat_of("f.txt").st_mode & 07777, 0640);
    assert_int_not_equal(stat_of("f.txt").st_ino, before.st_ino);
    assert_tag_is_told(x, "HEAD /f.txt");
    assert_int_equal(feed_hidden_names(&site, ""), 0);
    site_done(&x);
}

/* The rights to run as somebody else are not for content from outside. */
static void test_replace_owner(void **state)
{
    struct exchange *x;
    char whole[128];

    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: only root may give files away\n");
        skip();
    }
    site_write(&site, "f", SPAN("old"));
    snprintf(whole, sizeof whole, "%s/f", site.root);
    assert_int_equal(chown(whole, 12345, 23456), 0);
    assert_int_equal(chmod(whole, 06755), 0);
    x = feed_put_text(&site, "PUT /f", "new");
    assert_int_equal(x->verdict.why, R_NONE);
    assert_int_equal(stat_of("f").st_uid, 12345);
    assert_int_equal(stat_of("f").st_gid, 23456);
    assert_int_equal(stat_of("f").st_mode & 07777, 0755);
    site_done(&x);
}

/* The link is replaced, what it leads to is not written to. */
static void test_link_replaced(void **state)
{
    struct exchange *x;

    (void)state;
    site_write(&site, "target", SPAN("old"));
    site_link(&site, "target", "link");
    x = feed_put_text(&site, "PUT /link", "new");
    assert_int_equal(x->verdict.why, R_NONE);
    assert_false(x->facts.created);
    assert_file(x, "link", "new");
    assert_file(x, "target", "old");
    assert_true(S_ISREG(stat_of("link").st_mode));
    site_done(&x);
}

static const struct {
    const char *head;
    enum reason why;
    uint32_t at;
} refused[] = {
    { "PUT /missing/f", R_dav_parent_missing, ENOENT },
    { "PUT /out/f", R_link_outside_root, EXDEV },
    { "PUT /file/f", R_dav_parent_missing, ENOTDIR },
    { "PUT /.verdict/gone/f", R_write_denied, 0 },
    { "PUT /a/.verdict-0123456789abcdef", R_write_denied, 0 },
    { "PUT "
      "/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
      "n"
      "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
      R_file_name_too_long, ENAMETOOLONG },
};

/* All of these are told before any content is asked for. */
static void test_refused(void **state)
{
    (void)state;
    site_link(&site, "/etc", "out");
    site_write(&site, "file", SPAN("x"));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct feed feed = { .content = SPAN("new"), .declared = true };
        struct exchange *x = feed_put(&site, refused[i].head, &feed);

        assert_int_equal(x->verdict.why, refused[i].why);
        assert_int_equal(x->verdict.at, refused[i].at);
        assert_int_equal(feed.at, 0);
        site_done(&x);
    }
}

/* What was judged has changed when the content is there: path, head, what happens meanwhile, and the reason. */
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

static void make_new(void)
{
    site_write(&site, "new", SPAN("somebody else's"));
}

static void make_dangling(void)
{
    site_link(&site, "nowhere", "new");
}

static void remove_parent(void)
{
    site_remove(&site, "d");
}

static void touch_file(void)
{
    site_touch(&site, "f", 1000000000);
}

static const struct {
    const char *head;
    bool tag; /* If-Match with the current tag is added */
    void (*meanwhile)(void);
    enum reason why;
} races[] = {
    { "PUT /f", true, change_file, R_write_conflict_stale_version },
    { "PUT /f", true, touch_file, R_write_conflict_stale_version },
    { "PUT /f", true, remove_file, R_write_conflict_stale_version },
    { "PUT /f", true, replace_by_directory, R_write_conflict_stale_version },
    { "PUT /f\nIf-Unmodified-Since: Wed, 01 Jan 2098 00:00:00 GMT", false, change_file,
      R_write_conflict_stale_version },
    { "PUT /f\nIf-None-Match: \"other\"", false, change_file, R_write_conflict_stale_version },
    { "PUT /f\nIf-Match: *", false, change_file, R_NONE },
    { "PUT /f\nIf-Match: *", false, remove_file, R_write_conflict_stale_version },
    { "PUT /f", false, change_file, R_NONE },
    { "PUT /f", false, remove_file, R_NONE },
    { "PUT /f", false, replace_by_directory, R_dav_put_on_collection },
    { "PUT /new\nIf-None-Match: *", false, make_new, R_if_none_match_failed },
    { "PUT /new\nIf-None-Match: *", false, make_dangling, R_if_none_match_failed },
    { "PUT /new\nIf-Unmodified-Since: Wed, 01 Jan 2098 00:00:00 GMT", false, make_new, R_NONE },
    { "PUT /new", false, make_new, R_NONE },
    { "PUT /new", false, make_dangling, R_NONE },
    { "PUT /d/new", false, remove_parent, R_dav_parent_missing },
};

static void race(size_t i)
{
    struct feed feed = { .content = SPAN("mine"), .waits = true, .declared = true };
    struct exchange *x;
    char head[256];

    site_write(&site, "f", SPAN("judged"));
    site_mkdir(&site, "d");
    snprintf(head, sizeof head, "%s", races[i].head);
    if (races[i].tag) {
        x = feed_open(&site, "PUT /f", &feed);
        file_fields(x, R_already_applied);
        snprintf(head, sizeof head, "%s\nIf-Match: %s", races[i].head, site_field(x, "ETag"));
        site_done(&x);
    }
    x = feed_open(&site, head, &feed);
    while (file_resource.accept(x) == FLOW_WAIT && strcmp(x->wait.what, "content") != 0)
        while (!feed_round(&site, x))
            ;
    races[i].meanwhile();
    exchange_wake(x, x->wait.ticket);
    feed_run(&site, x, file_resource.accept);
    if (x->verdict.why != races[i].why)
        print_message("race %zu\n", i);
    assert_int_equal(x->verdict.why, races[i].why);
    if (races[i].why == R_NONE)
        assert_file(x, x->req.path.p[1] == 'f' ? "f" : "new", "mine");
    assert_int_equal(feed_hidden_names(&site, ""), 0);
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

/* The file of a moment ago is not what a condition is judged by. */
static void test_judged_anew(void **state)
{
    struct feed feed = { .declared = true };
    char before[64];
    struct exchange *x;

    (void)state;
    site_write(&site, "f", SPAN("a"));
    site_settle();
    x = feed_open(&site, "PUT /f", &feed);
    file_fields(x, R_already_applied);
    snprintf(before, sizeof before, "%s", site_field(x, "ETag"));
    site_done(&x);
    site_write(&site, "f", SPAN("b"));
    x = feed_open(&site, "PUT /f", &feed);
    file_fields(x, R_already_applied);
    assert_string_not_equal(site_field(x, "ETag"), before);
    site_done(&x);
}

/* Eight writers of two workers hold the same tag: one wins, seven are told that they were too late. */
static void test_one_winner(void **state)
{
    struct site other;
    struct feed feeds[8];
    struct exchange *x[8];
    char head[128], content[8][8];
    unsigned winners = 0, losers = 0, done = 0, winner = 0;

    (void)state;
    site_write(&site, "f", SPAN("judged"));
    site_open(&other);
    file_shared_release(&other.shared);
    other.shared = site.shared;
    other.settings = site.settings;
    feeds[0] = (struct feed){ .declared = true };
    x[0] = feed_open(&site, "PUT /f", &feeds[0]);
    file_fields(x[0], R_already_applied);
    snprintf(head, sizeof head, "PUT /f\nIf-Match: %s", site_field(x[0], "ETag"));
    site_done(&x[0]);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(content[i], sizeof content[i], "w%u", i);
        feeds[i] = (struct feed){ .content = span_of(content[i]), .waits = true, .declared = true };
        x[i] = feed_open(i % 2 ? &other : &site, head, &feeds[i]);
        assert_true(x[i]->facts.exists);
    }
    while (done < 8) {
        done = 0;
        for (unsigned i = 0; i < 8; i++) {
            if (x[i]->verdict.why == R_NONE && x[i]->wait.since_ms != UINT64_MAX &&
                feed_round(i % 2 ? &other : &site, x[i]) && file_resource.accept(x[i]) == FLOW_GO)
                x[i]->wait.since_ms = UINT64_MAX;
            done += x[i]->verdict.why != R_NONE || x[i]->wait.since_ms == UINT64_MAX;
        }
    }
    for (unsigned i = 0; i < 8; i++) {
        if (x[i]->verdict.why == R_NONE)
            winner = i;
        winners += x[i]->verdict.why == R_NONE;
        losers += x[i]->verdict.why == R_write_conflict_stale_version;
    }
    assert_int_equal(winners, 1);
    assert_int_equal(losers, 7);
    assert_file(x[winner], "f", content[winner]);
    for (unsigned i = 0; i < 8; i++)
        site_done(&x[i]);
    other.settings.root_fd = open(other.root, O_PATH | O_DIRECTORY);
    other.shared = file_shared_new();
    site_close(&other);
    assert_int_equal(feed_hidden_names(&site, ""), 0);
}

/* A bad chunk, a content cut short: what was there stays. */
static void test_broken_content(void **state)
{
    static const enum reason breaks[] = { R_bad_chunk, R_request_content_cut_short, R_content_streamed_too_large };

    (void)state;
    site_write(&site, "f", SPAN("old"));
    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        struct feed feed = { .content = SPAN("half of it"), .piece_bytes = 4, .broken = breaks[i] };
        struct exchange *x = feed_put(&site, "PUT /f", &feed);

        assert_int_equal(x->verdict.why, breaks[i]);
        assert_file(x, "f", "old");
        site_done(&x);
        assert_int_equal(feed_hidden_names(&site, ""), 0);
    }
}

/* The client leaves while a helper is at work, after `jobs` answers, or while content is waited for. */
static void leave(unsigned jobs, size_t content_bytes)
{
    char *bytes = calloc(1, content_bytes + 1);
    struct feed feed = { .content = { bytes, content_bytes }, .waits = true, .piece_bytes = 1 << 20 };
    struct exchange *x = feed_open(&site, "PUT /f", &feed);

    for (unsigned i = 0; file_resource.accept(x) == FLOW_WAIT && i < jobs; i++)
        while (!feed_round(&site, x))
            ;
    exchange_cancel(x);
    exchange_stop(x, R_client_closed_request, 0, (struct span){ 0 }, HERE);
    site_done(&x);
    free(bytes);
}

static void test_client_leaves(void **state)
{
    (void)state;
    for (unsigned jobs = 0; jobs < 8; jobs++)
        leave(jobs, 3 << 20);
    for (unsigned jobs = 0; jobs < 3; jobs++)
        leave(jobs, 0);
    offload_fini(&site.helpers);
    mail_box_fini(&site.mail);
    assert_int_equal(feed_hidden_names(&site, ""), 0);
    DIE_UNLESS(mail_box_init(&site.mail, &site.loop) == 0);
    offload_init(&site.helpers, 1, 1);
}

static const struct {
    const char *path;
    uint64_t bytes;
    bool declared;
    enum reason why;
    uint64_t taken; /* of the content when it is refused */
} quotas[] = {
    { "/a", 700, true, R_quota_exceeded, 0 },
    { "/a", 700, false, R_quota_exceeded, 700 },
    { "/a", 600, true, R_NONE, 600 }, /* 400 of 1000 are there */
    { "/b", 1, true, R_quota_exceeded, 0 },
    { "/b", 0, true, R_NONE, 0 },
    { "/a", 600, false, R_NONE, 600 }, /* no larger than what it replaces */
    { "/a", 601, false, R_quota_exceeded, 700 },
    { "/f", 100, true, R_NONE, 100 },
    { "/b", 300, true, R_NONE, 300 },
};

static void test_quota(void **state)
{
    static char bytes[1000];

    (void)state;
    site.settings.quota_bytes = 1000;
    site_write(&site, "f", (struct span){ bytes, 400 });
    for (size_t i = 0; i < sizeof quotas / sizeof quotas[0]; i++) {
        struct feed feed = { .content = { bytes, quotas[i].bytes },
                             .declared = quotas[i].declared,
                             .piece_bytes = 100 };
        struct exchange *x;
        char head[32];

        snprintf(head, sizeof head, "PUT %s", quotas[i].path);
        x = feed_put(&site, head, &feed);
        assert_int_equal(x->verdict.why, quotas[i].why);
        assert_true(feed.at <= quotas[i].taken);
        site_done(&x);
    }
    assert_int_equal(site.shared->roots.first->used_bytes, 1000);
    assert_int_equal(site.shared->roots.first->reserved_bytes, 0);
}

/* Two uploads that fit one by one and not together. */
static void test_quota_of_two(void **state)
{
    static char bytes[600];
    struct feed first = { .content = { bytes, 600 }, .waits = true, .declared = true };
    struct feed second = { .content = { bytes, 600 }, .declared = true };
    struct exchange *x, *y;

    (void)state;
    site.settings.quota_bytes = 1000;
    x = feed_open(&site, "PUT /x", &first);
    assert_int_equal(file_resource.accept(x), FLOW_WAIT);
    while (!feed_round(&site, x))
        ;
    y = feed_put(&site, "PUT /y", &second);
    assert_int_equal(y->verdict.why, R_quota_exceeded);
    site_done(&y);
    exchange_cancel(x);
    site_done(&x);
    y = feed_put(&site, "PUT /y", &second);
    assert_int_equal(y->verdict.why, R_NONE);
    site_done(&y);
}

/* A small file system of its own in the site. */
static void mounted(const char *options, unsigned long flags)
{
    char whole[128];

    site_mkdir(&site, "disk");
    snprintf(whole, sizeof whole, "%s/disk", site.root);
    if (mount("tmpfs", whole, "tmpfs", flags, options) != 0) {
        print_message("skipped: no tmpfs can be mounted here (%s)\n", strerror(errno));
        skip();
    }
}

static void unmounted(void)
{
    char whole[128];

    snprintf(whole, sizeof whole, "%s/disk", site.root);
    assert_int_equal(umount2(whole, MNT_DETACH), 0);
}

/* Declared: at once. Streamed: when the disk is full. Neither leaves anything, and the disk is free again. */
static void test_disk_full(void **state)
{
    size_t n = 2 << 20;
    char *bytes = calloc(1, n);
    struct feed feed = { .content = { bytes, n }, .piece_bytes = 65536, .declared = true };
    struct exchange *x;

    (void)state;
    mounted("size=1m", 0);
    site_write(&site, "disk/f", SPAN("old"));
    x = feed_put(&site, "PUT /disk/f", &feed);
    assert_int_equal(x->verdict.why, R_insufficient_storage);
    assert_int_equal(feed.at, 0);
    site_done(&x);
    feed.declared = false;
    x = feed_put(&site, "PUT /disk/f", &feed);
    assert_int_equal(x->verdict.why, R_insufficient_storage);
    assert_int_equal(x->verdict.at, ENOSPC);
    assert_true(feed.at > 65536 && feed.at <= 1 << 20);
    assert_file(x, "disk/f", "old");
    site_done(&x);
    assert_int_equal(feed_hidden_names(&site, "disk"), 0);
    feed = (struct feed){ .content = { bytes, 900000 }, .declared = true };
    x = feed_put(&site, "PUT /disk/g", &feed);
    assert_int_equal(x->verdict.why, R_NONE);
    site_done(&x);
    unmounted();
    free(bytes);
}

static void test_read_only(void **state)
{
    struct exchange *x;

    (void)state;
    mounted("size=1m", MS_RDONLY);
    x = feed_put_text(&site, "PUT /disk/f", "new");
    assert_int_equal(x->verdict.why, R_write_denied);
    assert_int_equal(x->verdict.at, EROFS);
    site_done(&x);
    unmounted();
}

static void test_full_sync(void **state)
{
    struct exchange *x;

    (void)state;
    site.settings.sync = FILE_SYNC_FULL;
    x = feed_put_text(&site, "PUT /f", "new");
    assert_int_equal(x->verdict.why, R_NONE);
    assert_file(x, "f", "new");
    site_done(&x);
}

/* No descriptor is left for the file on its way. */
static void test_no_descriptor(void **state)
{
    struct feed feed = { .content = SPAN("new"), .declared = true };
    struct exchange *x = feed_open(&site, "PUT /f", &feed);
    struct rlimit before, few;
    int all[256], n = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){ .rlim_cur = 256, .rlim_max = before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < 256 && (all[n] = dup(0)) >= 0)
        n++;
    feed_run(&site, x, file_resource.accept);
    while (n > 0)
        close(all[--n]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(x->verdict.why, R_descriptors_exhausted);
    assert_int_equal(x->verdict.at, EMFILE);
    site_done(&x);
}

static void test_queue_full(void **state)
{
    struct feed feed = { .content = SPAN("new"), .declared = true };
    struct exchange *x = feed_open(&site, "PUT /f", &feed);

    (void)state;
    site.helpers.fixed.queue_limit = 0;
    assert_int_equal(file_resource.accept(x), FLOW_STOP);
    assert_int_equal(x->verdict.why, R_helper_queue_full);
    site_done(&x);
}

static const struct {
    const char *content;
    bool same;
    size_t taken;
} compared[] = {
    { "0123456789", true, 10 }, { "01234x6789", false, 6 }, { "0123456789a", false, 11 },
    { "012345678", false, 9 },  { "", false, 0 },
};

/* From memory, and from the descriptor of a file that is too long for it. */
static void test_compare(void **state)
{
    (void)state;
    for (unsigned max_bytes = 5; max_bytes < 50; max_bytes += 40) {
        site.worker_settings.content_max_bytes = max_bytes;
        file_worker_release(&site.worker);
        site_write(&site, "f", SPAN("0123456789"));
        for (size_t i = 0; i < sizeof compared / sizeof compared[0]; i++) {
            struct feed feed = { .content = span_of(compared[i].content), .piece_bytes = 3, .waits = true };
            struct exchange *x = feed_open(&site, "PUT /f", &feed);

            assert_int_equal(feed_run(&site, x, file_resource.compare), FLOW_GO);
            assert_int_equal(x->facts.content_same, compared[i].same);
            assert_true(feed.at == compared[i].taken);
            site_done(&x);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_create_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_races, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_judged_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_winner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_client_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quota, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quota_of_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_disk_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compare, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
