/* What is at a path: over a real directory, a real loop and real helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exchange/wait.h"
#include "res/file/cache.h"
#include "res/file/walk.h"
#include "site.h"

static struct site site;

static int set_up(void **state)
{
    (void)state;
    site_open(&site);
    return 0;
}

/* What the kernel has in memory, here all of it, is looked at without a helper. */
static int set_up_local(void **state)
{
    set_up(state);
    site.settings.root_is_local = file_root_is_local(site.settings.root_fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void fill(void)
{
    char room[128];

    site_write(&site, "a.txt", SPAN("alpha\n"));
    site_mkdir(&site, "dir");
    site_mkdir(&site, "bare");
    site_write(&site, "dir/index.html", SPAN("<p>index"));
    site_write(&site, "dir/b.txt", SPAN("beta\n"));
    site_link(&site, "dir/b.txt", "inside");
    site_link(&site, "../a.txt", "dir/up");
    site_link(&site, "../../../../../../etc/passwd", "dir/out");
    site_link(&site, "/etc/passwd", "absolute");
    site_link(&site, "loop", "loop");
    site_link(&site, "nowhere", "dangling");
    snprintf(room, sizeof room, "%s/pipe", site.root);
    mkfifo(room, 0644);
    site_settle();
}

static struct exchange *victim;

static void tick(struct exchange *x)
{
    (void)x;
}

static void resume_and_end(struct exchange *x)
{
    (void)x;
    exchange_cancel(victim);
    site_done(&victim);
}

static const struct exchange_host ending_host = { .tick = tick, .resume = resume_and_end };

struct place_case {
    const char *head;
    enum reason want;
    bool exists, is_collection, has_index, parent_exists;
    uint64_t length;
};

static const struct place_case places[] = {
    { "GET /a.txt", R_NONE, true, false, false, true, 6 },
    { "HEAD /a.txt", R_NONE, true, false, false, true, 6 },
    { "PUT /a.txt", R_NONE, true, false, false, true, 6 },
    { "GET /a.txt/", R_NONE, false, false, false, false, 0 },
    { "GET /a.txt/x", R_NONE, false, false, false, false, 0 },
    { "GET /none", R_NONE, false, false, false, true, 0 },
    { "PUT /dir/none", R_NONE, false, false, false, true, 0 },
    { "PUT /none/none", R_NONE, false, false, false, false, 0 },
    { "GET /dir", R_NONE, true, true, false, true, 0 },
    { "GET /dir/", R_NONE, true, true, true, true, 8 },
    { "PUT /dir/", R_NONE, true, true, false, true, 0 },
    { "OPTIONS /dir/", R_NONE, true, true, true, true, 8 },
    { "GET /bare/", R_NONE, true, true, false, true, 0 },
    { "GET /", R_NONE, true, true, false, true, 0 },
    { "GET /inside", R_NONE, true, false, false, true, 5 },
    { "GET /dir/up", R_NONE, true, false, false, true, 6 },
    { "GET /dangling", R_NONE, false, false, false, true, 0 },
    { "GET /dir/out", R_link_outside_root, false, false, false, false, 0 },
    { "GET /absolute", R_link_outside_root, false, false, false, false, 0 },
    { "GET /loop", R_link_loop, false, false, false, false, 0 },
    { "GET /loop/x", R_link_loop, false, false, false, false, 0 },
    { "GET /pipe", R_not_a_regular_file, false, false, false, false, 0 },
};

static void check_places(void)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct place_case *c = &places[i];
        struct exchange *x = site_encoded(&site, c->head);
        const struct facts *f = &x->facts;

        if (x->verdict.why != c->want || f->exists != c->exists || f->is_collection != c->is_collection ||
            f->has_index != c->has_index || f->parent_exists != c->parent_exists || f->length != c->length)
            fail_msg("%s: %d, exists %d, collection %d, index %d, parent %d, %d bytes", c->head, x->verdict.why,
                     f->exists, f->is_collection, f->has_index, f->parent_exists, (int)f->length);
        if (c->want != R_NONE)
            assert_true(span_is(x->verdict.operand, x->req.path));
        site_done(&x);
    }
}

static void test_places(void **state)
{
    (void)state;
    fill();
    check_places();
    site.now_ms += 5000;
    check_places(); /* again, against what was found before */
}

static void test_long_name(void **state)
{
    char head[6000] = "GET /";
    struct exchange *x;

    (void)state;
    memset(head + 5, 'n', 300);
    x = site_encoded(&site, head);
    assert_int_equal(x->verdict.why, R_NONE);
    assert_false(x->facts.exists);
    assert_true(x->facts.parent_exists);
    site_done(&x);
    memset(head + 5, 'n', 5000);
    x = site_encoded(&site, head);
    assert_int_equal(x->verdict.why, R_NONE);
    assert_false(x->facts.exists);
    site_done(&x);
}

struct walk_case {
    const char *path;
    int want; /* 0: opens */
};

static const struct walk_case walks[] = {
    { "", 0 },
    { ".", 0 },
    { "a.txt", 0 },
    { "dir/../a.txt", 0 },
    { "dir//b.txt", 0 },
    { "dir/./b.txt", 0 },
    { "inside", 0 },
    { "dir/up", 0 },
    { "..", -EXDEV },
    { "../x", -EXDEV },
    { "dir/../../x", -EXDEV },
    { "dir/out", -EXDEV },
    { "absolute", -EXDEV },
    { "loop", -ELOOP },
    { "dangling", -ENOENT },
    { "none/x", -ENOENT },
    { "a.txt/x", -ENOTDIR },
};

/* The two ways must agree, and so must the descriptors that they leave open. */
static void test_walks(void **state)
{
    int before, after;

    (void)state;
    fill();
    before = dup(0);
    close(before);
    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
        int (*const ways[])(int, const char *, int) = { file_walk_open, file_walk_steps, file_walk_open_cached };

        for (int way = 0; way < 3; way++) {
            int fd = ways[way](site.settings.root_fd, walks[i].path, O_RDONLY | O_NONBLOCK);

            if ((fd < 0 ? fd : 0) != walks[i].want && (way < 2 || fd != -EAGAIN))
                fail_msg("%s, way %d: %d", walks[i].path, way, fd);
            if (fd >= 0)
                close(fd);
        }
    }
    after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

static void assert_body(const char *head, const char *want)
{
    struct exchange *x = site_get(&site, head);

    assert_int_equal(x->verdict.why, R_NONE);
    assert_non_null(x->reply.body);
    assert_string_equal(site_content(x).p, want);
    site_done(&x);
}

static void test_believed_for_a_while(void **state)
{
    (void)state;
    fill();
    assert_body("GET /a.txt", "alpha\n");
    site_write(&site, "a.txt", SPAN("omega\n"));
    site_settle();
    site.now_ms += 999;
    assert_body("GET /a.txt", "alpha\n");
    site.now_ms += 1;
    assert_body("GET /a.txt", "omega\n");
}

static void test_a_change_is_told(void **state)
{
    (void)state;
    fill();
    assert_body("GET /a.txt", "alpha\n");
    site_write(&site, "a.txt", SPAN("omega\n"));
    atomic_fetch_add_explicit(&site.shared->changes, 1, memory_order_release);
    assert_body("GET /a.txt", "omega\n");
}

static uint64_t changes(void)
{
    return atomic_load(&site.shared->changes);
}

/* True: what is cached was good enough. */
static bool is_hit(const char *head)
{
    struct exchange *x = site_ask(&site, head);
    enum flow flow = file_resource.open(x);

    site_done(&x);
    return flow == FLOW_GO;
}

/* A change from outside is told once to all workers: by whoever comes upon it. */
static void test_a_change_from_outside_is_told(void **state)
{
    struct exchange *x;
    uint64_t before;

    (void)state;
    site.worker_settings.recheck_ms = 1000;
    site_write(&site, "x.txt", SPAN("old"));
    site_touch(&site, "x.txt", 1000000000);
    site_settle();
    assert_body("GET /x.txt", "old");
    assert_int_equal(changes(), 1); /* new to this worker, and so recent that another may know its predecessor */
    assert_true(is_hit("GET /x.txt"));
    site_write(&site, "x.txt", SPAN("new"));
    site_settle();
    assert_true(is_hit("GET /x.txt"));
    before = changes();
    site.now_ms += 1000;
    assert_body("GET /x.txt", "new");
    assert_int_equal(changes(), before + 1);
    assert_true(is_hit("GET /x.txt")); /* the count that it raised itself does not count for it */
    site.now_ms += 1000;
    assert_body("GET /x.txt", "new");
    assert_int_equal(changes(), before + 1);
    site_remove(&site, "x.txt");
    site.now_ms += 1000;
    x = site_encoded(&site, "GET /x.txt");
    assert_false(x->facts.exists);
    site_done(&x);
    assert_int_equal(changes(), before + 2);
}

static void test_unchanged_is_kept(void **state)
{
    struct exchange *first, *second;

    (void)state;
    fill();
    first = site_get(&site, "GET /a.txt");
    site.now_ms += 2000;
    second = site_get(&site, "GET /a.txt");
    assert_ptr_equal(file_state(first)->entry, file_state(second)->entry);
    site_done(&first);
    site_done(&second);
}

/* The old bytes stay whole for whoever is being sent them. */
static void test_replaced_while_sent(void **state)
{
    struct exchange *first;

    (void)state;
    fill();
    first = site_get(&site, "GET /a.txt");
    site_write(&site, "a.txt", SPAN("omega\n"));
    site.now_ms += 2000;
    assert_body("GET /a.txt", "omega\n");
    assert_string_equal(site_content(first).p, "alpha\n");
    site_done(&first);
}

static void test_hit_does_not_wait(void **state)
{
    struct exchange *x;

    (void)state;
    fill();
    assert_body("GET /a.txt", "alpha\n");
    x = site_ask(&site, "GET /a.txt");
    assert_int_equal(file_resource.open(x), FLOW_GO);
    assert_int_equal(file_resource.select(x), FLOW_GO);
    assert_int_equal(file_resource.encode(x), FLOW_GO);
    site_done(&x);
}

/* The first look is a helper's, who leaves in memory what is there and what is not. */
static void test_at_once_without_helpers(void **state)
{
    static const char *const heads[] = { "GET /a.txt", "GET /dir/", "GET /none", "PUT /a.txt", "GET /none/none" };

    (void)state;
    if (!site.settings.root_is_local)
        skip();
    fill();
    site.settings.variants = false;
    for (int again = 0; again < 3; again++) {
        for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
            struct exchange *x = site_ask(&site, heads[i]);

            assert_int_equal(site_run(&site, x, file_resource.open), FLOW_GO);
            assert_int_equal(x->facts.exists, i < 2 || i == 3);
            site_done(&x);
        }
        site.now_ms += 5000;
        site.helpers.fixed.queue_limit = 0;
    }
}

/* Whole directories are read by helpers alone: for variants of a missing name, and for what was removed. */
static void test_not_at_once(void **state)
{
    (void)state;
    fill();
    for (int tombstones = 0; tombstones < 2; tombstones++) {
        struct exchange *x = site_ask(&site, tombstones ? "GET /gone" : "GET /a");

        site.settings.variants = !tombstones;
        site.settings.tombstones = tombstones;
        assert_int_equal(file_resource.open(x), FLOW_WAIT);
        while (x->wait.what != NULL)
            assert_true(loop_round(&site.loop, 1000) >= 0);
        assert_int_equal(file_resource.open(x), FLOW_GO);
        assert_int_equal(x->facts.negotiates, !tombstones);
        site_done(&x);
    }
}

static void test_client_leaves(void **state)
{
    struct exchange *x;

    (void)state;
    fill();
    for (int i = 0; i < 20; i++) {
        site.now_ms += 2000;
        x = site_ask(&site, "GET /a.txt");
        assert_int_equal(file_resource.open(x), FLOW_WAIT);
        if (i % 2 == 0)
            usleep(2000);
        exchange_cancel(x);
        site_done(&x);
    }
    loop_round(&site.loop, 50);
}

static void test_queue_full(void **state)
{
    struct exchange *x;

    (void)state;
    fill();
    site.helpers.fixed.queue_limit = 0;
    x = site_encoded(&site, "GET /a.txt");
    assert_int_equal(x->verdict.why, R_helper_queue_full);
    site_done(&x);
    site.helpers.fixed.queue_limit = 1;
    assert_body("GET /a.txt", "alpha\n");
}

/* A crowd that asks for one file waits for one look-up, however short the queue. */
static void test_crowd(void **state)
{
    struct exchange *x[16];

    (void)state;
    fill();
    site.helpers.fixed.queue_limit = 1;
    for (int i = 0; i < 16; i++) {
        x[i] = site_ask(&site, "GET /a.txt");
        assert_int_equal(file_resource.open(x[i]), FLOW_WAIT);
    }
    for (int i = 0; i < 16; i += 3) { /* some leave */
        exchange_cancel(x[i]);
        site_done(&x[i]);
    }
    while (x[1]->wait.what != NULL)
        assert_true(loop_round(&site.loop, 1000) >= 0);
    for (int i = 0; i < 16; i++) {
        if (i % 3 == 0)
            continue;
        assert_null(x[i]->wait.what);
        assert_int_equal(file_resource.open(x[i]), FLOW_GO);
        assert_ptr_equal(file_state(x[i])->entry, file_state(x[1])->entry);
    }
    for (int i = 0; i < 16; i++)
        if (i % 3 != 0)
            site_done(&x[i]);
}

/* An exchange that is woken may end another that waits for the same. */
static void test_crowd_that_ends_itself(void **state)
{
    (void)state;
    fill();
    for (int i = 0; i < 4; i++) {
        struct exchange *first = site_ask(&site, "GET /a.txt");

        victim = site_ask(&site, "GET /a.txt");
        site.now_ms += 2000;
        first->now_ms = victim->now_ms = site.now_ms;
        assert_int_equal(file_resource.open(first), FLOW_WAIT);
        assert_int_equal(file_resource.open(victim), FLOW_WAIT);
        first->host = &ending_host;
        while (first->wait.what != NULL)
            assert_true(loop_round(&site.loop, 1000) >= 0);
        assert_int_equal(file_resource.open(first), FLOW_GO);
        assert_true(first->facts.exists);
        site_done(&first);
    }
}

static void test_least_used_go(void **state)
{
    char name[32], head[64];

    (void)state;
    site.worker_settings.cache_entries = 4;
    site.worker_settings.content_max_bytes = 6; /* so that each keeps its file open */
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "f%d", i);
        site_write(&site, name, SPAN("content"));
    }
    for (int i = 0; i < 12; i++) {
        snprintf(head, sizeof head, "GET /f%d", i);
        assert_body(head, "content");
        assert_true(site.worker->cache.opened <= 4);
    }
    assert_null(file_cache_find(&site.worker->cache, 1, FILE_READ, SPAN("/f3")));
    assert_non_null(file_cache_find(&site.worker->cache, 1, FILE_READ, SPAN("/f11")));
}

/* All that an entry takes counts. */
static void test_bytes_are_counted(void **state)
{
    const struct file_content *c;
    struct file_entry *e;
    uint64_t taken;

    (void)state;
    fill();
    assert_body("GET /a.txt", "alpha\n");
    e = file_cache_find(&site.worker->cache, 1, FILE_READ, SPAN("/a.txt"));
    assert_non_null(e);
    c = &e->variants->files[CODING_IDENTITY];
    taken = malloc_usable_size(e) + malloc_usable_size((void *)e->path) + malloc_usable_size(e->variants) +
            malloc_usable_size(e->variants->name) + malloc_usable_size(c->bytes) + malloc_usable_size(c->ready);
    assert_in_range(e->bytes, taken, taken + 200);
    assert_int_equal(site.worker->cache.bytes, e->bytes);
}

static void test_bytes_are_limited(void **state)
{
    char content[4000];

    (void)state;
    memset(content, 'c', sizeof content);
    site.worker_settings.cache_bytes = 20000;
    for (int i = 0; i < 12; i++) {
        char name[32], head[64];
        struct exchange *x;

        snprintf(name, sizeof name, "f%d", i);
        snprintf(head, sizeof head, "GET /f%d", i);
        site_write(&site, name, (struct span){ content, sizeof content });
        x = site_get(&site, head);
        site_done(&x);
        assert_true(site.worker->cache.bytes <= 20000);
    }
    assert_true(site.worker->cache.entries >= 2);
}

static void test_no_permission(void **state)
{
    char room[128];
    struct exchange *x;

    (void)state;
    if (geteuid() == 0) /* nothing is forbidden to root */
        skip();
    site_write(&site, "secret", SPAN("s"));
    snprintf(room, sizeof room, "%s/secret", site.root);
    chmod(room, 0);
    x = site_get(&site, "GET /secret");
    assert_int_equal(x->verdict.why, R_acl_denied);
    site_done(&x);
}

/* A directory that may be entered, though not read, has its index and no listing. */
static void test_unreadable_directory(void **state)
{
    char room[128];
    struct exchange *x;

    (void)state;
    if (geteuid() == 0)
        skip();
    fill();
    snprintf(room, sizeof room, "%s/dir", site.root);
    chmod(room, 0311);
    assert_body("GET /dir/", "<p>index");
    site.settings.index[0] = NULL;
    site.now_ms += 5000;
    x = site_encoded(&site, "GET /dir/");
    assert_true(x->facts.is_collection);
    assert_false(x->facts.has_index);
    assert_int_equal(site_run(&site, x, file_resource.list), FLOW_STOP);
    assert_int_equal(x->verdict.why, R_acl_denied);
    site_done(&x);
    chmod(room, 0755);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_LOCAL(name) cmocka_unit_test_setup_teardown(name, set_up_local, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_places),
        TEST(test_long_name),
        TEST(test_walks),
        TEST(test_believed_for_a_while),
        TEST(test_a_change_is_told),
        TEST(test_a_change_from_outside_is_told),
        TEST(test_unchanged_is_kept),
        TEST(test_replaced_while_sent),
        TEST(test_hit_does_not_wait),
        TEST(test_client_leaves),
        TEST(test_queue_full),
        TEST(test_crowd),
        TEST(test_crowd_that_ends_itself),
        TEST(test_least_used_go),
        TEST(test_bytes_are_counted),
        TEST(test_bytes_are_limited),
        TEST(test_no_permission),
        TEST(test_unreadable_directory),
        TEST_LOCAL(test_places),
        TEST_LOCAL(test_long_name),
        TEST_LOCAL(test_believed_for_a_while),
        TEST_LOCAL(test_a_change_is_told),
        TEST_LOCAL(test_a_change_from_outside_is_told),
        TEST_LOCAL(test_unchanged_is_kept),
        TEST_LOCAL(test_replaced_while_sent),
        TEST_LOCAL(test_at_once_without_helpers),
        TEST_LOCAL(test_not_at_once),
        TEST_LOCAL(test_least_used_go),
        TEST_LOCAL(test_bytes_are_counted),
        TEST_LOCAL(test_bytes_are_limited),
        TEST_LOCAL(test_no_permission),
        TEST_LOCAL(test_unreadable_directory),
    };

    return cmocka_run_group_tests_name("res/file/lookup", tests, NULL, NULL);
}
