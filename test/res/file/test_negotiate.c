/* Variants and codings: which form is chosen, and what the answer says of the choice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "site.h"

static struct site site;
static char text[1000]; /* shrinks well */

static int set_up(void **state)
{
    (void)state;
    site_open(&site);
    memset(text, 'x', sizeof text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void fill_variants(void)
{
    site_write(&site, "page.en.html", SPAN("english"));
    site_write(&site, "page.zh-TW.html", SPAN("taiwan"));
    site_write(&site, "page.zh-CN.html", SPAN("china."));
    site_write(&site, "logo.png", SPAN("png png"));
    site_write(&site, "logo.webp", SPAN("webp"));
    site_mkdir(&site, "dir");
    site_write(&site, "dir/index.en.html", SPAN("index en"));
    site_write(&site, "dir/index.fr.html", SPAN("index fr"));
    site_write(&site, "one.html", SPAN("one"));
    site_settle();
}

struct choice_case {
    const char *head, *location, *vary;
    bool acceptable;
};

static const struct choice_case choices[] = {
    { "GET /page", "/page.en.html", "Accept-Language", true },
    { "GET /page.html", "/page.en.html", "Accept-Language", true },
    { "GET /page\nAccept-Language: zh-TW", "/page.zh-TW.html", "Accept-Language", true },
    { "GET /page\nAccept-Language: zh-Hant, en;q=0.5", "/page.zh-TW.html", "Accept-Language", true },
    { "GET /page\nAccept-Language: zh", "/page.zh-CN.html", "Accept-Language", true },
    { "GET /page\nAccept-Language: fr, zh-CN;q=0.1", "/page.zh-CN.html", "Accept-Language", true },
    { "GET /page\nAccept-Language: fr", "/page.en.html", "Accept-Language", false },
    { "GET /page\nAccept: image/png", "/page.en.html", "Accept-Language", false },
    { "GET /page\nAccept: text/html;q=0.2, */*;q=0.1", "/page.en.html", "Accept-Language", true },
    { "GET /logo", "/logo.webp", "Accept", true },
    { "GET /logo\nAccept: image/png", "/logo.png", "Accept", true },
    { "GET /logo\nAccept: image/webp;q=0.5, image/*", "/logo.png", "Accept", true },
    { "GET /logo\nAccept: image/avif", "/logo.webp", "Accept", false },
    { "GET /logo\nAccept-Language: fr", "/logo.webp", "Accept", true },
    { "GET /dir/", "/dir/index.en.html", "Accept-Language", true },
    { "HEAD /dir/\nAccept-Language: fr", "/dir/index.fr.html", "Accept-Language", true },
    { "GET /one", "/one.html", "", true },
};

static void assert_choice(const struct choice_case *c)
{
    struct exchange *x = site_get(&site, c->head);

    assert_true(x->facts.negotiates);
    if (strcmp(site_field(x, "Content-Location"), c->location) != 0 || strcmp(site_field(x, "Vary"), c->vary) != 0 ||
        x->facts.acceptable != c->acceptable)
        fail_msg("%s: %s, Vary: %s, acceptable %d", c->head, site_field(x, "Content-Location"), site_field(x, "Vary"),
                 x->facts.acceptable);
    site_done(&x);
}

static void test_choice(void **state)
{
    (void)state;
    fill_variants();
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        assert_choice(&choices[i]);
}

/* No default language is configured; the files are the larger the better their language. */
static const struct choice_case language_choices[] = {
    { "GET /three", "/three.en.html", "Accept-Language", true },
    { "GET /three\nAccept-Language: *", "/three.en.html", "Accept-Language", true },
    { "GET /three\nAccept-Language: fr", "/three.en.html", "Accept-Language", false },
    { "GET /three\nAccept-Language: de;q=1,en;q=0", "/three.zh-CN.html", "Accept-Language", false },
    { "GET /three\nAccept-Language: de, *;q=0", "/three.en.html", "Accept-Language", false },
    { "GET /three\nAccept-Language: en;q=0, zh-CN;q=0", "/three.zh-TW.html", "Accept-Language", false },
    { "GET /three\nAccept-Language: zh", "/three.zh-CN.html", "Accept-Language", true },
    { "GET /three\nAccept: image/png", "/three.en.html", "Accept-Language", false },
    { "GET /region", "/region.en-GB.html", "Accept-Language", true },
    { "GET /foreign", "/foreign.de.html", "Accept-Language", true },
    { "GET /foreign\nAccept-Language: it, de;q=0", "/foreign.fr.html", "Accept-Language", false },
    { "GET /open", "/open.html", "Accept-Language", true },
    { "GET /typed", "/typed.en.txt", "Accept, Accept-Language", true },
    { "GET /typed\nAccept: text/html\nAccept-Language: it", "/typed.en.html", "Accept, Accept-Language", false },
    { "GET /typed\nAccept: text/plain;q=0", "/typed.en.html", "Accept, Accept-Language", false },
    { "GET /typed\nAccept: text/plain;q=0, image/png", "/typed.en.html", "Accept, Accept-Language", false },
};

static void fill_languages(void)
{
    site_write(&site, "three.en.html", SPAN("the longest of all"));
    site_write(&site, "three.zh-CN.html", SPAN("longer"));
    site_write(&site, "three.zh-TW.html", SPAN("short"));
    site_write(&site, "region.de.html", SPAN("de"));
    site_write(&site, "region.en-GB.html", SPAN("british"));
    site_write(&site, "region.en-US.html", SPAN("us"));
    site_write(&site, "foreign.de.html", SPAN("the longer one"));
    site_write(&site, "foreign.fr.html", SPAN("short"));
    site_write(&site, "open.de.html", SPAN("de"));
    site_write(&site, "open.html", SPAN("in no language"));
    site_write(&site, "typed.de.txt", SPAN("x"));
    site_write(&site, "typed.en.html", SPAN("long html"));
    site_write(&site, "typed.en.txt", SPAN("text"));
    site_settle();
}

/* R144 */
static void test_size_chooses_no_language(void **state)
{
    (void)state;
    fill_languages();
    site.settings.default_language = NULL;
    for (size_t i = 0; i < sizeof language_choices / sizeof language_choices[0]; i++)
        assert_choice(&language_choices[i]);
}

static void test_exact_name_wins(void **state)
{
    struct exchange *x;

    (void)state;
    site_write(&site, "page", SPAN("exact"));
    site_write(&site, "page.en.html", SPAN("english"));
    x = site_get(&site, "GET /page");
    assert_false(x->facts.negotiates);
    assert_string_equal(site_field(x, "Content-Location"), "");
    assert_string_equal(site_field(x, "Vary"), "");
    assert_string_equal(site_content(x).p, "exact");
    site_done(&x);
}

/* The same file by its own name and as a variant: one representation, one tag. */
static void test_one_tag(void **state)
{
    struct exchange *a, *b;

    (void)state;
    fill_variants();
    a = site_get(&site, "GET /page\nAccept-Language: en");
    b = site_get(&site, "GET /page.en.html");
    assert_string_equal(site_field(a, "ETag"), site_field(b, "ETag"));
    assert_string_equal(site_field(b, "Content-Language"), "en");
    site_done(&a);
    a = site_get(&site, "GET /page\nAccept-Language: zh-TW");
    assert_string_not_equal(site_field(a, "ETag"), site_field(b, "ETag"));
    site_done(&a);
    site_done(&b);
}

static void test_writing_sees_no_variants(void **state)
{
    struct exchange *x;

    (void)state;
    fill_variants();
    x = site_ask(&site, "PUT /page");
    assert_int_equal(site_run(&site, x, file_resource.open), FLOW_GO);
    assert_false(x->facts.exists);
    assert_true(x->facts.parent_exists);
    site_done(&x);
}

/* R235 */
static void test_variant_negotiates(void **state)
{
    const char *const heads[] = { "GET /map", "GET /self", "GET /other" };

    (void)state;
    site_mkdir(&site, "map.en.html");
    site_link(&site, "self", "self.en.html");
    site_link(&site, "page", "other.en.html");
    fill_variants();
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct exchange *x = site_encoded(&site, heads[i]);

        assert_true(x->facts.exists);
        assert_true(x->facts.negotiates);
        assert_true(x->facts.variant_negotiates);
        site_done(&x);
    }
}

static void test_plain_dangling_link_is_no_variant(void **state)
{
    struct exchange *x;

    (void)state;
    site_link(&site, "nowhere", "gone.en.html");
    x = site_encoded(&site, "GET /gone");
    assert_false(x->facts.exists);
    site_done(&x);
}

/* R077, R078, R143 */
static void test_lists(void **state)
{
    static const char *const uris[] = { "/page.en.html", "/page.zh-CN.html", "/page.zh-TW.html" };
    struct exchange *x;

    (void)state;
    fill_variants();
    site.policy.negotiation = NEGOTIATE_REACTIVE;
    x = site_encoded(&site, "GET /page\nAccept-Language: zh-TW");
    assert_int_equal(file_resource.choices(x), FLOW_GO);
    assert_string_equal(site_field(x, "Location"), "/page.zh-TW.html");
    assert_string_equal(site_field(x, "Vary"), "Accept, Accept-Language");
    assert_string_equal(site_field(x, "Link"), "twice"); /* or more: one for each */
    assert_null(x->reply.body);
    assert_int_equal(x->reply.alternative_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(span_is(x->reply.alternatives[i].uri, span_of(uris[i])));
        assert_true(span_is(x->reply.alternatives[i].name, span_from(span_of(uris[i]), 1)));
        assert_true(span_is(x->reply.alternatives[i].type, SPAN("text/html; charset=utf-8")));
    }
    assert_true(span_is(x->reply.alternatives[2].language, SPAN("zh-TW")));
    assert_true(x->reply.alternatives[0].has_length);
    assert_int_equal(x->reply.alternatives[0].length, 7);
    site_done(&x);
    site.policy.negotiation = NEGOTIATE_STRICT;
    x = site_encoded(&site, "GET /page\nAccept: application/json");
    assert_false(x->facts.acceptable);
    x->reply.count = 0;
    assert_int_equal(file_resource.choices(x), FLOW_GO);
    assert_string_equal(site_field(x, "Location"), "");
    assert_int_equal(x->reply.alternative_count, 3);
    site_done(&x);
}

struct coding_case {
    const char *name, *accept_encoding, *coding, *vary;
};

/* big.html has no siblings, both.html has .gz and an old .br, noise.png is no text, small.html is short. */
static const struct coding_case codings[] = {
    { "big.html", NULL, "", "Accept-Encoding" },
    { "big.html", "", "", "Accept-Encoding" },
    { "big.html", "gzip", "gzip", "Accept-Encoding" },
    { "big.html", "gzip, br", "br", "Accept-Encoding" },
    { "big.html", "zstd", "zstd", "Accept-Encoding" },
    { "big.html", "deflate", "deflate", "Accept-Encoding" },
    { "big.html", "*", "br", "Accept-Encoding" },
    { "big.html", "gzip;q=0.5, identity", "", "Accept-Encoding" },
    { "big.html", "gzip;q=0", "", "Accept-Encoding" },
    { "big.html", "unknown", "", "Accept-Encoding" },
    { "big.html", "identity;q=0, gzip", "gzip", "Accept-Encoding" },
    { "big.html", "identity;q=0, unknown", NULL, "" },
    { "big.html", "*;q=0", NULL, "" },
    { "both.html", "gzip", "gzip", "Accept-Encoding" },
    { "both.html", "br", "br", "Accept-Encoding" },
    { "both.html", "br, gzip", "gzip", "Accept-Encoding" },
    { "small.html", "gzip", "", "" },
    { "small.html", "gzip, identity;q=0", "gzip", "Accept-Encoding" },
    { "noise.png", "gzip", "", "" },
    { "noise.png", "gzip, *;q=0", "gzip", "Accept-Encoding" },
};

static void fill_codings(void)
{
    site_write(&site, "big.html", (struct span){ text, sizeof text });
    site_write(&site, "both.html", (struct span){ text, sizeof text });
    site_write(&site, "both.html.gz", SPAN("ready made"));
    site_write(&site, "both.html.br", SPAN("of yesterday"));
    site_touch(&site, "both.html.br", 1000);
    site_write(&site, "small.html", SPAN("small"));
    site_write(&site, "noise.png", (struct span){ text, sizeof text });
    site_settle();
}

static void test_coding(void **state)
{
    (void)state;
    fill_codings();
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        const struct coding_case *c = &codings[i];
        char head[200];
        struct exchange *x;

        snprintf(head, sizeof head, "GET /%s%s%s", c->name, c->accept_encoding != NULL ? "\nAccept-Encoding: " : "",
                 c->accept_encoding != NULL ? c->accept_encoding : "");
        x = site_get(&site, head);
        assert_int_equal(x->verdict.why, R_NONE);
        if (x->facts.coding_acceptable != (c->coding != NULL) ||
            strcmp(site_field(x, "Content-Encoding"), c->coding != NULL ? c->coding : "") != 0 ||
            strcmp(site_field(x, "Vary"), c->vary) != 0)
            fail_msg("%s: %s, Vary: %s", head, site_field(x, "Content-Encoding"), site_field(x, "Vary"));
        if (c->coding == NULL) {
            file_resource.describe(x, R_coding_not_acceptable);
            assert_string_equal(site_field(x, "Vary"), "Accept, Accept-Language, Accept-Encoding");
        }
        site_done(&x);
    }
}

static void assert_inflates(struct span coded, int window_bits)
{
    char out[2 * sizeof text];
    z_stream z = {
        .next_in = (Bytef *)coded.p, .avail_in = (uInt)coded.n, .next_out = (Bytef *)out, .avail_out = sizeof out
    };

    assert_int_equal(inflateInit2(&z, window_bits), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, sizeof text);
    assert_memory_equal(out, text, sizeof text);
    inflateEnd(&z);
}

static void test_coded_content(void **state)
{
    char out[sizeof text];
    struct exchange *x;

    (void)state;
    fill_codings();
    x = site_get(&site, "GET /big.html\nAccept-Encoding: gzip");
    assert_inflates(site_content(x), 15 + 16);
    site_done(&x);
    x = site_get(&site, "GET /big.html\nAccept-Encoding: deflate");
    assert_inflates(site_content(x), 15);
    site_done(&x);
    x = site_get(&site, "GET /big.html\nAccept-Encoding: zstd");
    assert_int_equal(ZSTD_decompress(out, sizeof out, site_content(x).p, site_content(x).n), sizeof text);
    assert_memory_equal(out, text, sizeof text);
    site_done(&x);
    x = site_get(&site, "GET /both.html\nAccept-Encoding: gzip");
    assert_string_equal(site_content(x).p, "ready made");
    site_done(&x);
}

/* The same as GET, length and tag included. R030 */
static void test_head_is_get(void **state)
{
    struct exchange *get, *head;

    (void)state;
    fill_codings();
    get = site_get(&site, "GET /big.html\nAccept-Encoding: br");
    head = site_get(&site, "HEAD /big.html\nAccept-Encoding: br");
    assert_int_equal(get->reply.body->length, head->reply.body->length);
    for (uint32_t i = 0; reply_field_at(get, i) != NULL; i++)
        assert_true(span_is(reply_field_at(get, i)->value, reply_field_at(head, i)->value));
    assert_null(reply_field_at(head, 7));
    site_done(&get);
    site_done(&head);
}

static void test_each_coding_its_tag(void **state)
{
    struct exchange *x[3];

    (void)state;
    fill_codings();
    x[0] = site_get(&site, "GET /big.html");
    x[1] = site_get(&site, "GET /big.html\nAccept-Encoding: gzip");
    x[2] = site_get(&site, "GET /big.html\nAccept-Encoding: br");
    for (int i = 0; i < 3; i++) {
        assert_false(x[i]->facts.etag.weak);
        for (int j = 0; j < i; j++)
            assert_false(etag_equal(x[i]->facts.etag, x[j]->facts.etag, ETAG_WEAK));
    }
    for (int i = 0; i < 3; i++)
        site_done(&x[i]);
    x[0] = site_encoded(&site, "PUT /big.html\nAccept-Encoding: gzip");
    assert_int_equal(x[0]->facts.length, sizeof text);
    assert_true(span_find(x[0]->facts.etag.opaque, '.') == x[0]->facts.etag.opaque.n);
    site_done(&x[0]);
}

/* Coded once, kept, and kept over a look that finds the file unchanged. */
static void test_coded_once(void **state)
{
    struct exchange *x;

    (void)state;
    fill_codings();
    x = site_get(&site, "GET /big.html\nAccept-Encoding: gzip");
    site_done(&x);
    site.now_ms += 2000;
    x = site_ask(&site, "GET /big.html\nAccept-Encoding: gzip");
    assert_int_equal(site_run(&site, x, file_resource.open), FLOW_GO);
    assert_int_equal(file_resource.encode(x), FLOW_GO);
    assert_true(x->facts.length < 100);
    site_done(&x);
}

/* A crowd waits for one compression. */
static void test_coded_for_a_crowd(void **state)
{
    struct exchange *x[8];

    (void)state;
    fill_codings();
    for (int i = 0; i < 8; i++) {
        x[i] = site_ask(&site, "GET /big.html\nAccept-Encoding: zstd");
        assert_int_equal(site_run(&site, x[i], file_resource.open), FLOW_GO);
    }
    site.helpers.fixed.queue_limit = 1;
    for (int i = 0; i < 8; i++)
        assert_int_equal(file_resource.encode(x[i]), FLOW_WAIT);
    while (x[0]->wait.what != NULL)
        assert_true(loop_round(&site.loop, 1000) >= 0);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(file_resource.encode(x[i]), FLOW_GO);
        assert_ptr_equal(file_state(x[i])->content, file_state(x[0])->content);
    }
    for (int i = 0; i < 8; i++)
        site_done(&x[i]);
}

static void test_nothing_gained(void **state)
{
    char noise[500];
    struct exchange *x;

    (void)state;
    for (size_t i = 0, seed = 12345; i < sizeof noise; i++)
        noise[i] = (char)((seed = seed * 6364136223846793005U + 1442695040888963407U) >> 56);
    site_write(&site, "noise.html", (struct span){ noise, sizeof noise });
    x = site_get(&site, "GET /noise.html\nAccept-Encoding: gzip, br");
    assert_string_equal(site_field(x, "Content-Encoding"), "");
    assert_string_equal(site_field(x, "Vary"), "Accept-Encoding");
    assert_int_equal(x->facts.length, sizeof noise);
    site_done(&x);
    x = site_get(&site, "GET /noise.html\nAccept-Encoding: gzip, identity;q=0");
    assert_string_equal(site_field(x, "Content-Encoding"), "gzip");
    site_done(&x);
}

static void test_long_file_is_coded(void **state)
{
    static char content[20000];
    struct exchange *x;

    (void)state;
    memset(content, 'y', sizeof content);
    site_write(&site, "long.txt", (struct span){ content, sizeof content });
    site_settle();
    x = site_get(&site, "GET /long.txt\nAccept-Encoding: br");
    assert_true(file_state(x)->variant->files[CODING_IDENTITY].fd >= 0);
    assert_string_equal(site_field(x, "Content-Encoding"), "br");
    assert_true(x->facts.length < 200);
    site_done(&x);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_choice),
        TEST(test_size_chooses_no_language),
        TEST(test_exact_name_wins),
        TEST(test_one_tag),
        TEST(test_writing_sees_no_variants),
        TEST(test_variant_negotiates),
        TEST(test_plain_dangling_link_is_no_variant),
        TEST(test_lists),
        TEST(test_coding),
        TEST(test_coded_content),
        TEST(test_head_is_get),
        TEST(test_each_coding_its_tag),
        TEST(test_coded_once),
        TEST(test_coded_for_a_crowd),
        TEST(test_nothing_gained),
        TEST(test_long_file_is_coded),
    };

    return cmocka_run_group_tests_name("res/file/negotiate", tests, NULL, NULL);
}
