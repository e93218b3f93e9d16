#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "res/websocket/accept_key.h"

static bool memory_gone;

static void *give(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_gone ? NULL : malloc(bytes);
}

static void *regive(void *p, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_gone ? NULL : realloc(p, bytes);
}

static void take(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static const struct {
    struct span key;
    const char *accept;
} cases[] = {
    { SPAN_INIT("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" }, /* RFC6455:1.3 */
    { SPAN_INIT("AAAAAAAAAAAAAAAAAAAAAA=="), "ICX+Yqv66kxgM0FcWaLWlFLwTAI=" },
};

static void each_key_has_its_answer(void **state)
{
    char out[ACCEPT_KEY_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(accept_key_write(out, cases[i].key));
        assert_string_equal(out, cases[i].accept);
    }
}

static void without_memory_there_is_none(void **state)
{
    char out[ACCEPT_KEY_BYTES + 1];

    (void)state;
    memory_gone = true;
    assert_false(accept_key_write(out, cases[0].key));
    memory_gone = false;
    assert_true(accept_key_write(out, cases[0].key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_has_its_answer),
        cmocka_unit_test(without_memory_there_is_none),
    };

    if (CRYPTO_set_mem_functions(give, regive, take) != 1)
        return 1;
    return cmocka_run_group_tests_name("accept_key", tests, NULL, NULL);
}
