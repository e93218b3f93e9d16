#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/websocket.h"

static const struct {
    struct span key;
    bool valid;
} rows[] = {
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQ=="), true }, /* RFC6455:1.3 */
    { SPAN_INIT("AAAAAAAAAAAAAAAAAAAAAA=="), true },
    { SPAN_INIT("+/09azAZ+/09azAZ+/09ag=="), true },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZR=="), true }, /* bits of the last letter that no byte needs */
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZf=="), true },
    { SPAN_INIT(""), false },
    { SPAN_INIT("=="), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQ="), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQ"), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQ==="), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQA="), false }, /* 17 bytes */
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQAA"), false }, /* 18 bytes */
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZ==="), false },
    { SPAN_INIT("=GhlIHNhbXBsZSBub25jZQ=="), false },
    { SPAN_INIT("dGhl-HNhbXBsZSBub25jZQ=="), false },
    { SPAN_INIT("dGhl_HNhbXBsZSBub25jZQ=="), false },
    { SPAN_INIT("dGhl HNhbXBsZSBub25jZQ=="), false },
    { SPAN_INIT(" GhlIHNhbXBsZSBub25jZQ=="), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQ= "), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZ\0=="), false },
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZ\xe4=="), false },
    { SPAN_INIT("x3JJHMbDL1EzLkh9GBhXDw==, x3JJHMbDL1EzLkh9GBhXDw=="), false },
};

static void keys_are_base64_of_16_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (websocket_key_valid(guarded(rows[i].key)) != rows[i].valid)
            fail_msg("row %zu: %s", i, rows[i].key.p);
    assert_false(websocket_key_valid((struct span){ 0 }));
}

static void every_byte_is_judged_in_every_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < 24; at++)
        for (int byte = 0; byte < 256; byte++) {
            char text[] = "dGhlIHNhbXBsZSBub25jZQ==";
            bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                          (byte >= '0' && byte <= '9') || byte == '+' || byte == '/';

            text[at] = (char)byte;
            assert_int_equal(websocket_key_valid((struct span){ text, 24 }), at < 22 ? letter : byte == '=');
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_base64_of_16_bytes),
        cmocka_unit_test(every_byte_is_judged_in_every_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
