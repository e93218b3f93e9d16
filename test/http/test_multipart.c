#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/multipart.h"

static const char content[] = "0123456789";

/* The whole content as a sender would put it together; returns its bytes. */
static size_t content_build(const struct multipart *m, const struct byte_range ranges[], size_t count, char *out,
                            size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        size_t bytes = (size_t)range_bytes(ranges[i]);

        n += multipart_head_write(m, ranges[i], i == 0, out + n, room - n);
        assert_true(n + bytes < room);
        memcpy(out + n, content + ranges[i].first, bytes);
        n += bytes;
    }
    n += multipart_end_write(m, out + n, room - n);
    assert_true(n < room);
    out[n] = '\0';
    return n;
}

static void the_length_told_is_the_length_built(void **state)
{
    const struct multipart m = { SPAN("B0"), SPAN("text/plain"), 10 };
    const struct byte_range ranges[] = { { 0, 0 }, { 5, 6 } };
    char out[512];
    size_t n = content_build(&m, ranges, 2, out, sizeof out);

    (void)state;
    assert_string_equal(out, "--B0\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n0"
                             "\r\n--B0\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/10\r\n\r\n56"
                             "\r\n--B0--\r\n");           /* R056 */
    assert_int_equal(multipart_length(&m, ranges, 2), n); /* R057 */
}

static void a_type_may_be_missing(void **state)
{
    const struct multipart m = { SPAN("B0"), { 0 }, 10 };
    const struct byte_range ranges[] = { { 9, 9 }, { 0, 1 } };
    char out[512];
    size_t n = content_build(&m, ranges, 2, out, sizeof out);

    (void)state;
    assert_string_equal(out, "--B0\r\nContent-Range: bytes 9-9/10\r\n\r\n9"
                             "\r\n--B0\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--B0--\r\n");
    assert_int_equal(multipart_length(&m, ranges, 2), n);
}

static void lengths_do_not_wrap(void **state)
{
    const struct multipart m = { SPAN("B0"), { 0 }, UINT64_MAX };
    const struct byte_range huge[] = { { 0, UINT64_MAX - 2 } };
    const struct byte_range two[] = { { 0, UINT64_MAX / 2 }, { UINT64_MAX / 2 + 2, UINT64_MAX - 1 } };

    (void)state;
    assert_true(multipart_length(&m, huge, 1) == UINT64_MAX);
    assert_true(multipart_length(&m, two, 2) == UINT64_MAX);
}

static void writers_never_pass_their_room(void **state)
{
    const struct multipart m = { SPAN("B0"), SPAN("text/plain"), 10 };
    char out[64], whole[64];
    size_t need = multipart_type_write(&m, whole, sizeof whole);

    (void)state;
    assert_int_equal(need, strlen("multipart/byteranges; boundary=B0"));
    assert_memory_equal(whole, "multipart/byteranges; boundary=B0", need);
    for (size_t room = 0; room <= need; room++) {
        memset(out, '#', sizeof out);
        assert_int_equal(multipart_type_write(&m, out, room), need);
        assert_memory_equal(out, whole, room);
        assert_int_equal(out[room], '#');
    }
    assert_true(multipart_head_write(&m, (struct byte_range){ 0, 0 }, true, NULL, 0) > 0);
}

static void boundaries_are_hexadecimal(void **state)
{
    char a[MULTIPART_BOUNDARY_BYTES + 1] = "", b[MULTIPART_BOUNDARY_BYTES + 1] = "";

    (void)state;
    multipart_boundary_write(a, 0x0123456789abcdef);
    multipart_boundary_write(b, 0);
    assert_string_equal(a, "fedcba9876543210");
    assert_string_equal(b, "0000000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_told_is_the_length_built),
        cmocka_unit_test(a_type_may_be_missing),
        cmocka_unit_test(lengths_do_not_wrap),
        cmocka_unit_test(writers_never_pass_their_room),
        cmocka_unit_test(boundaries_are_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
