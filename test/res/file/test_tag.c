#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "res/file/tag.h"

static void assert_tag(const struct file_tag *tag, bool weak)
{
    struct etag parsed;

    assert_true(etag_parse(file_tag_value(tag), &parsed));
    assert_int_equal(parsed.weak, weak);
    assert_true(span_is(parsed.opaque, file_tag_parsed(tag).opaque));
    assert_true(parsed.opaque.n >= 13);
}

static bool same(const struct file_tag *a, const struct file_tag *b)
{
    return etag_equal(file_tag_parsed(a), file_tag_parsed(b), ETAG_WEAK);
}

static void test_content(void **state)
{
    uint64_t html = file_tag_seed(SPAN("text/html"), (struct span){ 0 });
    uint64_t english = file_tag_seed(SPAN("text/html"), SPAN("en"));
    struct file_tag a, b;

    (void)state;
    file_tag_of_content(&a, SPAN("hello"), html);
    assert_tag(&a, false);
    file_tag_of_content(&b, SPAN("hello"), html);
    assert_true(same(&a, &b));
    file_tag_of_content(&b, SPAN("hellp"), html);
    assert_false(same(&a, &b));
    file_tag_of_content(&b, SPAN("hello"), english);
    assert_false(same(&a, &b));
    file_tag_of_content(&b, (struct span){ 0 }, html);
    assert_tag(&b, false);
}

/* The same on every machine and in every release: stored copies are compared with it. */
static void test_is_stable(void **state)
{
    struct file_tag tag;

    (void)state;
    file_tag_of_content(&tag, SPAN("hello"), file_tag_seed(SPAN("text/plain"), SPAN("en")));
    assert_memory_equal(tag.text, "\"m5j80f7f1dpf86nj75v6\"", tag.bytes);
}

#define STAMP(device_, inode_, size_, modified_, changed_)                                                            \
    {                                                                                                                 \
        .device = (device_), .inode = (inode_), .size = (size_), .modified_ns = (modified_), .changed_ns = (changed_) \
    }

static void test_stamp(void **state)
{
    const struct file_stamp first = STAMP(1, 2, 3, 4, 5);
    const struct file_stamp others[] = { STAMP(1, 9, 3, 4, 5), STAMP(1, 2, 9, 4, 5), STAMP(1, 2, 3, 0, 5),
                                         STAMP(1, 2, 3, INT64_MAX, 5), STAMP(1, 2, 3, 4, 6) };
    const struct file_stamp moved = STAMP(9, 2, 3, 4, 5);
    struct file_tag a, b;

    (void)state;
    file_tag_of_stamp(&a, &first, 7, false);
    assert_tag(&a, false);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        file_tag_of_stamp(&b, &others[i], 7, false);
        assert_false(same(&a, &b));
    }
    file_tag_of_stamp(&b, &moved, 7, false);
    assert_true(same(&a, &b)); /* a restart may number the devices anew */
    file_tag_of_stamp(&b, &first, 7, true);
    assert_tag(&b, true);
    file_tag_of_stamp(&b, &first, 8, false);
    assert_false(same(&a, &b));
}

static void test_coded(void **state)
{
    struct file_tag plain, weak, tags[CODINGS];

    (void)state;
    file_tag_of_content(&plain, SPAN("hello"), 0);
    for (enum coding i = 0; i < CODING_IDENTITY; i++) {
        file_tag_of_coded(&tags[i], &plain, UINT64_MAX, i, false);
        assert_tag(&tags[i], false);
        assert_true(span_ends(file_tag_parsed(&tags[i]).opaque, coding_info(i)->tag_suffix));
        assert_true(span_starts(file_tag_parsed(&tags[i]).opaque, file_tag_parsed(&plain).opaque));
        for (enum coding other = 0; other < i; other++)
            assert_false(same(&tags[i], &tags[other]));
    }
    file_tag_of_coded(&weak, &plain, 1, CODING_GZIP, true);
    assert_tag(&weak, true);
    file_tag_of_coded(&tags[0], &weak, 1, CODING_GZIP, false);
    assert_tag(&tags[0], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_is_stable),
        cmocka_unit_test(test_stamp),
        cmocka_unit_test(test_coded),
    };

    return cmocka_run_group_tests_name("res/file/tag", tests, NULL, NULL);
}
