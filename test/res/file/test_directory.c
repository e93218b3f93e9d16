/* What is known of the names in a directory: over a real directory, a real loop and real helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "res/file/cache.h"
#include "res/file/directory.h"
#include "site.h"

#define FILES  20
#define ROUNDS 200
#define ALL    (~0U)

static struct site site;

/* Twenty files in "many", all settled. */
static int set_up(void **state)
{
    char name[32];

    (void)state;
    site_open(&site);
    site.settings.root_is_local = file_root_is_local(site.settings.root_fd);
    site_mkdir(&site, "many");
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "many/f%u.txt", i);
        site_write(&site, name, SPAN("plain"));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

/* The coding of the answer; "" for none. */
static void assert_coding(const char *path, const char *want)
{
    char head[128];
    struct exchange *x;

    snprintf(head, sizeof head, "GET %s\nAccept-Encoding: br, gzip", path);
    x = site_get(&site, head);
    assert_int_equal(x->verdict.why, R_NONE);
    assert_string_equal(site_field(x, "Content-Encoding"), want);
    site_done(&x);
}

static void ask_all(void)
{
    char path[32];

    for (unsigned i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/many/f%u.txt", i);
        assert_coding(path, "");
    }
}

/* CODING_BIT()s, and whether they were found out now. */
static unsigned codings(bool *is_new)
{
    uint64_t since_ms;
    unsigned set = file_directory_codings(site.worker, &site.settings, SPAN("/many/new.txt"), site.now_ms, &since_ms);

    *is_new = since_ms == site.now_ms;
    return set;
}

/* Until what helpers found has come. */
static void wait_until_known(void)
{
    bool is_new;

    for (unsigned i = 0; i < ROUNDS && codings(&is_new) == ALL; i++)
        DIE_UNLESS(loop_round(&site.loop, 10) >= 0);
    assert_int_not_equal(codings(&is_new), ALL);
}

static void learn(void)
{
    site_settle();
    ask_all();
    wait_until_known();
}

static void test_unknown_until_asked_often(void **state)
{
    bool is_new;

    (void)state;
    site_settle();
    for (unsigned i = 0; i < 10; i++)
        assert_coding("/many/f0.txt", "");
    DIE_UNLESS(loop_round(&site.loop, 50) >= 0);
    assert_int_equal(codings(&is_new), ALL);
    assert_true(is_new);
}

static void test_names_without_codings(void **state)
{
    bool is_new;

    (void)state;
    learn();
    assert_int_equal(codings(&is_new), 0);
    site.now_ms += 999;
    assert_int_equal(codings(&is_new), 0);
    assert_false(is_new);
    site.now_ms += 1;
    assert_int_equal(codings(&is_new), 0); /* the stamp is the same */
    assert_true(is_new);
}

/* Whatever the case: some file systems do not tell it. */
static void test_names_with_some(void **state)
{
    bool is_new;

    (void)state;
    site_write(&site, "many/f30.txt.GZ", SPAN("coded"));
    learn();
    assert_int_equal(codings(&is_new), CODING_BIT(CODING_GZIP));
    site_write(&site, "many/f1.txt.br", SPAN("coded"));
    site_settle();
    site.now_ms += 1000;
    assert_coding("/many/f1.txt", "br");
}

/* A file that was looked at later does not make a sibling come later: all of it is as old as the stamp. */
static void test_a_sibling_comes_in_time(void **state)
{
    (void)state;
    learn();
    site.now_ms += 600;
    site_write(&site, "many/f0.txt.gz", SPAN("coded"));
    site_settle();
    assert_coding("/many/f0.txt", "");
    file_cache_clear(&site.worker->cache);
    assert_coding("/many/f0.txt", "");
    site.now_ms += 399;
    assert_coding("/many/f0.txt", "");
    site.now_ms += 1;
    assert_coding("/many/f0.txt", "gzip");
}

static void test_a_change_is_told(void **state)
{
    (void)state;
    learn();
    site_write(&site, "many/f0.txt.gz", SPAN("coded"));
    site_settle();
    atomic_fetch_add(&site.shared->changes, 1);
    assert_coding("/many/f0.txt", "gzip");
}

/* By name it is the same. */
static void test_another_directory(void **state)
{
    char from[128], to[128];

    (void)state;
    learn();
    site_mkdir(&site, "other");
    site_write(&site, "other/f0.txt", SPAN("plain"));
    site_write(&site, "other/f0.txt.gz", SPAN("coded"));
    snprintf(from, sizeof from, "%s/many", site.root);
    snprintf(to, sizeof to, "%s/before", site.root);
    assert_int_equal(rename(from, to), 0);
    snprintf(to, sizeof to, "%s/other", site.root);
    assert_int_equal(rename(to, from), 0);
    site_settle();
    site.now_ms += 1000;
    assert_coding("/many/f0.txt", "gzip");
}

static const struct file_directory *slot(void)
{
    for (unsigned i = 0; i < FILE_DIRECTORIES; i++)
        if (site.worker->directories[i].path != NULL)
            return &site.worker->directories[i];
    return NULL;
}

/* It may change once more without a trace. */
static void test_changed_just_now(void **state)
{
    char path[32];

    (void)state;
    for (unsigned i = 0; i < FILES && (i == 0 || (!slot()->is_read && slot()->names == 0)); i++) {
        site_write(&site, "many/new.txt", SPAN("plain"));
        site_remove(&site, "many/new.txt");
        snprintf(path, sizeof path, "/many/f%u.txt", i);
        assert_coding(path, "");
    }
    for (unsigned i = 0; i < ROUNDS && slot()->is_read; i++)
        DIE_UNLESS(loop_round(&site.loop, 10) >= 0);
    assert_true(slot()->names >= FILES);
    assert_false(slot()->known);
    file_cache_clear(&site.worker->cache);
    learn(); /* when it has come to rest */
}

/* Others in its slot, or none any more: it is unknown, and nothing is lost. */
static void test_slots_are_shared(void **state)
{
    char path[32];
    bool is_new;

    (void)state;
    learn();
    for (unsigned i = 0; i < 64 * FILE_DIRECTORIES; i++) {
        uint64_t since_ms;
        int n = snprintf(path, sizeof path, "/d%u/f.txt", i);

        assert_int_equal(file_directory_codings(site.worker, &site.settings, (struct span){ path, (size_t)n },
                                                site.now_ms, &since_ms),
                         ALL);
    }
    assert_int_equal(codings(&is_new), ALL);
    file_worker_forget(site.worker);
    assert_int_equal(codings(&is_new), ALL);
    assert_coding("/many/f0.txt", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unknown_until_asked_often, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_without_codings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_with_some, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_sibling_comes_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_change_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changed_just_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slots_are_shared, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
