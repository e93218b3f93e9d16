/* Fields and content of the answers, by reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site.h"

static struct site site;
static char digits[10000]; /* longer than what is kept in memory */

static int set_up(void **state)
{
    (void)state;
    site_open(&site);
    for (size_t i = 0; i < sizeof digits; i++)
        digits[i] = (char)('0' + i % 10);
    site_write(&site, "short.bin", SPAN("0123456789"));
    site_write(&site, "long.bin", (struct span){ digits, sizeof digits });
    site_write(&site, "empty.txt", (struct span){ 0 });
    site_write(&site, "page.en.html", SPAN("english"));
    site_write(&site, "page.fr.html", SPAN("francais"));
    site_settle();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

struct whole_case {
    const char *path;
    struct span content;
};

/* R029 */
static void test_whole(void **state)
{
    const struct whole_case cases[] = {
        { "GET /short.bin", SPAN("0123456789") },
        { "GET /long.bin", { digits, sizeof digits } },
        { "GET /empty.txt", SPAN("") },
        { "GET /page.en.html", SPAN("english") },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exchange *x = site_get(&site, cases[i].path);

        assert_int_equal(x->verdict.why, R_NONE);
        assert_true(span_is(site_content(x), cases[i].content));
        assert_int_equal(x->facts.length, cases[i].content.n);
        assert_string_equal(site_field(x, "Accept-Ranges"), "bytes");
        assert_string_equal(site_field(x, "X-Content-Type-Options"), "nosniff");
        assert_int_equal(strlen(site_field(x, "Last-Modified")), DATE_BYTES);
        assert_true(x->facts.has_etag);
        assert_false(x->facts.etag.weak);
        site_done(&x);
    }
}

/* Which of the fields an answer has: T type, N nosniff, L language, C content location, E tag, M modified, A ranges, V
 * vary, R content range. */
struct fields_case {
    const char *head;
    enum reason why;
    const char *fields;
};

static const struct fields_case fields[] = {
    { "GET /page", R_request_ok, "TNLCEMAV" },                                       /* R030 */
    { "GET /page\nRange: bytes=0-1", R_partial_content, "TNLCEMAVR" },               /* R063 */
    { "GET /page\nRange: bytes=0-1\nIf-Range: \"x\"", R_partial_content, "TNCEVR" }, /* R061 */
    { "GET /page", R_not_modified, "CEV" },                                          /* R100, R103 */
    { "GET /page", R_if_match_failed, "E" },
    { "GET /page", R_if_unmodified_since_failed, "E" },
    { "PUT /page.en.html", R_if_none_match_failed, "E" },
    { "PUT /page.en.html", R_already_applied, "E" },
    { "GET /page", R_range_not_satisfiable, "AVR" }, /* R172 */
    { "GET /page", R_variant_also_negotiates, "V" },
    { "GET /short.bin", R_request_ok, "TNEMA" },
    { "GET /short.bin\nRange: bytes=0-1", R_partial_content, "TNEMAR" },
    { "GET /short.bin\nRange: bytes=0-1\nIf-Range: \"x\"", R_partial_content, "TNER" },
    { "GET /short.bin", R_not_modified, "E" },
    { "GET /page", R_not_found, "" },
    { "GET /page", R_internal_error, "" },
};

static void fields_print(struct exchange *x, char out[16])
{
    static const char *const names[] = {
        "Content-Type", "X-Content-Type-Options", "Content-Language", "Content-Location",
        "ETag",         "Last-Modified",          "Accept-Ranges",    "Vary",
        "Content-Range"
    };
    uint32_t n = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (site_field(x, names[i])[0] != '\0')
            out[n++] = "TNLCEMAVR"[i];
    if (reply_field_at(x, n) != NULL)
        out[n++] = '!';
    out[n] = '\0';
}

static void check_fields(const struct fields_case *c)
{
    struct exchange *x = site_encoded(&site, c->head);
    char got[16];

    x->range_kind = RANGE_ONE;
    x->range_count = 1;
    x->ranges[0] = (struct byte_range){ 0, 1 };
    if (c->why == R_request_ok)
        file_resource.produce(x);
    if (c->why == R_partial_content)
        file_resource.part(x);
    file_resource.describe(x, c->why);
    fields_print(x, got);
    if (strcmp(got, c->fields) != 0)
        fail_msg("%s, reason %d: %s instead of %s", c->head, c->why, got, c->fields);
    site_done(&x);
}

/* Twice: what is sent first may be ready when it is sent again. */
static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof fields / sizeof fields[0]; i++)
        check_fields(&fields[i / 2]);
}

static struct exchange *get_at(int64_t unix_seconds)
{
    struct exchange *x = site_ask(&site, "GET /short.bin");

    x->unix_seconds = unix_seconds;
    assert_int_equal(site_run(&site, x, file_resource.open), FLOW_GO);
    assert_int_equal(file_resource.select(x), FLOW_GO);
    assert_int_equal(file_resource.encode(x), FLOW_GO);
    assert_int_equal(file_resource.produce(x), FLOW_GO);
    return x;
}

/* They are made once, take their part of the cache's memory, and say the same then. */
static void test_ready_fields(void **state)
{
    struct exchange *first = get_at(time(NULL)), *second = get_at(time(NULL));
    uint64_t bytes = file_state(second)->entry->bytes;
    struct exchange *third = get_at(time(NULL));

    (void)state;
    assert_int_equal(first->reply.ready_count, 0);
    assert_int_equal(second->reply.ready_count, 1);
    assert_int_equal(second->reply.count, 0);
    assert_ptr_equal(third->reply_ready[0].lines, second->reply_ready[0].lines);
    assert_int_equal(file_state(third)->entry->bytes, bytes);
    assert_in_range(bytes, sizeof(struct file_entry) + sizeof(struct file_variant) + 10 + 2 * 150, 3000);
    assert_int_equal(site.worker->cache.bytes, bytes);
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(span_is(reply_field_at(first, i)->name, reply_field_at(second, i)->name));
        assert_true(span_is(reply_field_at(first, i)->value, reply_field_at(second, i)->value));
    }
    assert_null(reply_field_at(first, 5));
    assert_null(reply_field_at(second, 5));
    site_done(&first);
    site_done(&second);
    site_done(&third);
}

/* Under another path the same file has other links. */
static void test_ready_fields_by_path(void **state)
{
    static const char *const paths[] = { "/page", "/a/page", "/page", "/a/page", "/b/page" };

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct exchange *x = site_encoded(&site, "GET /page\nAccept-Language: fr");
        struct span above = { paths[i], strlen(paths[i]) - strlen("page") };
        char want[32];

        x->req.path = span_of(paths[i]);
        assert_int_equal(file_resource.produce(x), FLOW_GO);
        snprintf(want, sizeof want, "%.*spage.fr.html", (int)above.n, above.p);
        assert_string_equal(site_field(x, "Content-Location"), want);
        assert_int_equal(x->reply.ready_count, i == 2 || i == 3);
        site_done(&x);
    }
}

/* A time in the future is not told before it has come. */
static void test_ready_fields_in_time(void **state)
{
    const int64_t modified = time(NULL) + 1000;

    (void)state;
    site_touch(&site, "short.bin", modified);
    site_settle();
    for (int i = 0; i < 6; i++) {
        struct exchange *x = get_at(modified - 1 + i % 3);

        assert_int_equal(x->reply.ready_count, i > 1);
        assert_int_equal(site_field(x, "Last-Modified")[0] != '\0', i % 3 > 0);
        assert_int_equal(strlen(site_field(x, "ETag")), 22);
        site_done(&x);
    }
}

/* 428 is said before a representation is selected. */
static void test_precondition_required(void **state)
{
    struct exchange *x = site_ask(&site, "PUT /short.bin");

    (void)state;
    assert_int_equal(site_run(&site, x, file_resource.open), FLOW_GO);
    file_resource.describe(x, R_precondition_required);
    assert_int_equal(strlen(site_field(x, "ETag")), 22);
    site_done(&x);
}

static struct exchange *parts(const char *path, const char *range)
{
    char head[200];
    struct exchange *x;
    size_t count;

    snprintf(head, sizeof head, "GET %s\nRange: %s", path, range);
    x = site_encoded(&site, head);
    x->range_kind = range_choose(span_of(range), x->facts.length, x->ranges, EXCHANGE_RANGES, &count);
    x->range_count = (uint32_t)count;
    if (x->range_kind == RANGE_ONE || x->range_kind == RANGE_MANY)
        assert_int_equal(file_resource.part(x), FLOW_GO);
    return x;
}

/* R055, R057 */
static void test_one_part(void **state)
{
    struct exchange *x = parts("/short.bin", "bytes=2-4");

    (void)state;
    assert_string_equal(site_field(x, "Content-Range"), "bytes 2-4/10");
    assert_string_equal(site_field(x, "Content-Type"), "application/octet-stream");
    assert_string_equal(site_content(x).p, "234");
    site_done(&x);
    x = parts("/long.bin", "bytes=-7");
    assert_string_equal(site_field(x, "Content-Range"), "bytes 9993-9999/10000");
    assert_string_equal(site_content(x).p, "3456789");
    site_done(&x);
}

static void expect_text(const char **at, const char *want)
{
    assert_memory_equal(*at, want, strlen(want));
    *at += strlen(want);
}

static void check_many(const char *path, const char *length)
{
    struct exchange *x = parts(path, "bytes=0-0,5-6");
    const char *type = site_field(x, "Content-Type");
    const char *boundary = strstr(type, "boundary=") + strlen("boundary=");
    struct span content = site_content(x); /* of as many bytes as the body has announced */
    char want[400];
    const char *at = content.p;

    assert_memory_equal(type, "multipart/byteranges; ", 22);
    assert_string_equal(site_field(x, "Content-Range"), "");
    snprintf(want, sizeof want,
             "--%s\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 0-0/%s\r\n\r\n0\r\n"
             "--%s\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes 5-6/%s\r\n\r\n56\r\n--%s--\r\n",
             boundary, length, boundary, length, boundary);
    expect_text(&at, want);
    assert_int_equal(at - content.p, content.n);
    site_done(&x);
}

/* R056, R057 */
static void test_many_parts(void **state)
{
    (void)state;
    check_many("/short.bin", "10");
    check_many("/long.bin", "10000");
}

static void test_unsatisfiable(void **state)
{
    struct exchange *x = parts("/short.bin", "bytes=10-");

    (void)state;
    assert_int_equal(x->range_kind, RANGE_UNSATISFIABLE);
    file_resource.describe(x, R_range_not_satisfiable);
    assert_string_equal(site_field(x, "Content-Range"), "bytes */10");
    site_done(&x);
}

/* Ranges are of the coded form. */
static void test_part_of_coded(void **state)
{
    struct exchange *x;

    (void)state;
    site_write(&site, "page.txt", (struct span){ digits, 2000 });
    site_write(&site, "page.txt.gz", SPAN("abcdefgh"));
    site_settle();
    x = site_encoded(&site, "GET /page.txt\nAccept-Encoding: gzip\nRange: bytes=1-2");
    x->range_kind = RANGE_ONE;
    x->ranges[0] = (struct byte_range){ 1, 2 };
    assert_int_equal(file_resource.part(x), FLOW_GO);
    assert_string_equal(site_field(x, "Content-Encoding"), "gzip");
    assert_string_equal(site_field(x, "Content-Range"), "bytes 1-2/8");
    assert_string_equal(site_content(x).p, "bc");
    site_done(&x);
}

static struct span tag_now(const char *head, char room[FILE_TAG_BYTES])
{
    struct exchange *x;
    struct span tag;

    site.now_ms += 5000;
    x = site_encoded(&site, head);
    tag = x->facts.etag.opaque;
    memcpy(room, tag.p, tag.n);
    tag.p = room;
    site_done(&x);
    return tag;
}

/* Same size, same second, and a time of modification that was set by hand. */
static void check_tag_changes(const char *name, int64_t modified)
{
    char head[64], first[FILE_TAG_BYTES], second[FILE_TAG_BYTES];
    struct span before;

    snprintf(head, sizeof head, "GET /%s", name);
    digits[0] = 'a';
    site_write(&site, name, (struct span){ digits, name[0] == 'l' ? sizeof digits : 10 });
    site_touch(&site, name, modified);
    site_settle();
    before = tag_now(head, first);
    assert_true(span_is(before, tag_now(head, second)));
    digits[0] = 'b';
    site_write(&site, name, (struct span){ digits, name[0] == 'l' ? sizeof digits : 10 });
    site_touch(&site, name, modified);
    site_settle();
    assert_false(span_is(before, tag_now(head, second)));
}

static void test_tag_changes(void **state)
{
    const int64_t times[] = { 0, 1, 1000000000, 4000000000 };

    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        check_tag_changes("short.bin", times[i]);
        check_tag_changes("long.bin", times[i]);
    }
}

static void test_credible_dates(void **state)
{
    static const struct {
        int64_t modified;
        const char *field;
    } cases[] = {
        { 0, "" },
        { 1, "" },
        { 1000000000, "Sun, 09 Sep 2001 01:46:40 GMT" },
        { 100000000000, "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct exchange *x;

        site_touch(&site, "short.bin", cases[i].modified);
        site.now_ms += 5000;
        x = site_get(&site, "GET /short.bin");
        assert_string_equal(site_field(x, "Last-Modified"), cases[i].field);
        assert_int_equal(x->facts.has_modified, cases[i].field[0] != '\0');
        site_done(&x);
    }
}

/* What may still be changing has no strong tag, unless its bytes are the tag, and is looked at again at once. */
static void test_unsettled(void **state)
{
    struct exchange *x;

    (void)state;
    for (int tries = 0; tries < 20; tries++) { /* a busy machine may take longer than the file is fresh */
        site_write(&site, "long.bin", (struct span){ digits, sizeof digits });
        site.now_ms += 5000;
        x = site_encoded(&site, "GET /long.bin");
        if (x->facts.etag.weak)
            break;
        site_done(&x);
    }
    assert_true(x->facts.etag.weak);
    site_done(&x);
    site_settle();
    x = site_encoded(&site, "GET /long.bin");
    assert_false(x->facts.etag.weak);
    site_done(&x);
}

static void fill_listing(void)
{
    site_mkdir(&site, "list");
    site_mkdir(&site, "list/zoo");
    site_mkdir(&site, "list/.hidden");
    site_write(&site, "list/b <&>'\".txt", SPAN("b"));
    site_write(&site, "list/a:b%?#.txt", (struct span){ digits, 2000 });
    site_write(&site, "list/\xff\xfe.txt", SPAN("odd"));
    site_write(&site, "list/.secret", SPAN("s"));
    site_link(&site, "zoo", "list/animals");
    site_link(&site, "/etc/passwd", "list/outside");
    site_touch(&site, "list/b <&>'\".txt", 1000000000);
    site_settle();
}

static void expect_in(const char *page, const char *want)
{
    if (strstr(page, want) == NULL)
        fail_msg("'%s' is not in %s", want, page);
}

static void test_listing_html(void **state)
{
    struct exchange *x;
    const char *page;

    (void)state;
    fill_listing();
    x = site_encoded(&site, "GET /list/");
    assert_int_equal(site_run(&site, x, file_resource.list), FLOW_GO);
    page = site_content(x).p;
    assert_string_equal(site_field(x, "Content-Type"), "text/html; charset=utf-8");
    assert_string_equal(site_field(x, "Vary"), "Accept, Accept-Language");
    expect_in(page, "<title>Index of /list/</title>");
    expect_in(page, "<a href=\"./zoo/\">zoo/</a>");
    expect_in(page, "<a href=\"./animals/\">");
    expect_in(page, "<a href=\"./b%20%3C%26%3E%27%22.txt\">b &lt;&amp;&gt;");
    expect_in(page, "2001-09-09 01:46");
    expect_in(page, "<a href=\"./a:b%25%3F%23.txt\">a:b%?#.txt</a><td class=\"n\">2.0 KiB");
    expect_in(page, "<a href=\"./%FF%FE.txt\">");
    expect_in(page, "<a href=\"../\">");
    assert_null(strstr(page, "secret"));
    assert_null(strstr(page, "hidden"));
    assert_null(strstr(page, "outside"));
    assert_true(strstr(page, "./zoo/") < strstr(page, "./a:b"));
    assert_true(strstr(page, "./animals/") < strstr(page, "./zoo/"));
    site_done(&x);
}

static void test_listing_other_forms(void **state)
{
    struct exchange *x;

    (void)state;
    fill_listing();
    x = site_encoded(&site, "GET /list/\nAccept-Language: zh-Hant\nAccept: text/html");
    assert_int_equal(site_run(&site, x, file_resource.list), FLOW_GO);
    assert_string_equal(site_field(x, "Content-Language"), "zh-TW");
    expect_in(site_content(x).p, "目錄");
    site_done(&x);
    site.policy.hidden_served = true;
    x = site_encoded(&site, "GET /list/\nAccept: application/json");
    assert_int_equal(site_run(&site, x, file_resource.list), FLOW_GO);
    assert_string_equal(site_field(x, "Content-Type"), "application/json");
    expect_in(site_content(x).p, "{\"path\":\"/list/\",\"cut\":false,\"members\":[");
    expect_in(site_content(x).p, "{\"name\":\".secret\",\"href\":\"./.secret\",\"type\":\"file\",\"size\":1,");
    expect_in(site_content(x).p, "\"modified\":\"2001-09-09T01:46:40Z\"}");
    expect_in(site_content(x).p, "\"href\":\"./%FF%FE.txt\"");
    site_done(&x);
}

static void test_listing_of_nothing(void **state)
{
    struct exchange *x;

    (void)state;
    site_mkdir(&site, "bare");
    x = site_encoded(&site, "GET /bare/");
    assert_true(x->facts.is_collection);
    site_remove(&site, "bare");
    assert_int_equal(site_run(&site, x, file_resource.list), FLOW_STOP);
    assert_int_equal(x->verdict.why, R_file_system_error);
    assert_int_equal(x->verdict.at, 2 /* ENOENT */);
    site_done(&x);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_whole),
        TEST(test_fields),
        TEST(test_ready_fields),
        TEST(test_ready_fields_by_path),
        TEST(test_ready_fields_in_time),
        TEST(test_precondition_required),
        TEST(test_one_part),
        TEST(test_many_parts),
        TEST(test_unsatisfiable),
        TEST(test_part_of_coded),
        TEST(test_tag_changes),
        TEST(test_credible_dates),
        TEST(test_unsettled),
        TEST(test_listing_html),
        TEST(test_listing_other_forms),
        TEST(test_listing_of_nothing),
    };

    return cmocka_run_group_tests_name("res/file/answer", tests, NULL, NULL);
}
