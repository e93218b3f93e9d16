#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explain/code.h"

static const struct {
    enum reason why;
    enum dialect dialect;
    const char *detail, *code;
} cases[] = {
    { R_not_found, DIALECT_RFC, "", "404" },
    { R_not_found, DIALECT_NGINX, "", "404" },
    { R_content_too_large, DIALECT_IIS, "404.13", "404.13" },
    { R_header_fields_too_large, DIALECT_NGINX, "494", "400 (494)" },
    { R_header_fields_too_large, DIALECT_IIS, "404.10", "404.10" },
    { R_client_closed_request, DIALECT_NGINX, "499", "(499)" },
    { R_client_closed_request, DIALECT_RFC, "", "-" },
};

static void what_is_told_besides_is_written_as_in_logs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(explain_detail(cases[i].why, cases[i].dialect).text, cases[i].detail);
        assert_string_equal(explain_code(cases[i].why, cases[i].dialect).text, cases[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_besides_is_written_as_in_logs),
    };

    return cmocka_run_group_tests_name("code", tests, NULL, NULL);
}
