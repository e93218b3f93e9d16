#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/tls_impl.h"
#include "tls_made.h"

static void names_are_chosen(void **state)
{
    static const struct {
        const char *name;
        bool known;
        uint32_t certificate;
    } cases[] = {
        { "a.test", true, 0 },      { "b.test", true, 1 },       { "www.b.test", true, 2 },   { "x.b.test", true, 1 },
        { "x.y.b.test", false, 0 }, { ".b.test", false, 0 },     { "c.test", false, 0 },      { "test", false, 0 },
        { "", false, 0 },           { "twice.test", true, 1 },   { "x.twice.test", true, 1 }, { "upper.test", true, 2 },
        { "dotted.test", true, 2 }, { "f1.odd.test", false, 0 }, { "*.b.test", true, 1 },     { "x.", false, 0 },
    };
    static const struct {
        const char *name;
        uint32_t certificate;
    } given[] = {
        { "twice.test", 2 },  { "*.twice.test", 2 }, { "a.test", 0 },       { "b.test", 1 },     { "*.b.test", 1 },
        { "www.b.test", 2 },  { "twice.test", 1 },   { "*.twice.test", 1 }, { "UPPER.test", 2 }, { "dotted.test.", 2 },
        { "f*.odd.test", 2 }, { "*.*.odd.test", 2 }, { "sp ace.test", 2 },  { "*.", 2 },         { "", 2 },
    };
    struct tls_names names = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        assert_true(tls_names_add(&names, span_of(given[i].name), given[i].certificate));
    tls_names_sort(&names);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t certificate = 9;
        bool known = tls_names_find(&names, span_of(cases[i].name), &certificate);

        if (known != cases[i].known || certificate != cases[i].certificate)
            fail_msg("%s: %d %u", cases[i].name, known, certificate);
    }
    tls_names_fini(&names);
}

static void names_are_had(void **state)
{
    struct tls_names names = { 0 };

    (void)state;
    assert_true(tls_names_add(&names, SPAN("a.test"), 1) && tls_names_add(&names, SPAN("a.test"), 0) &&
                tls_names_add(&names, SPAN("*.b.test"), 0) && tls_names_add(&names, SPAN("x.b.test"), 1));
    tls_names_sort(&names);
    assert_true(tls_names_has(&names, SPAN("a.test"), 0));
    assert_true(tls_names_has(&names, SPAN("a.test"), 1));
    assert_false(tls_names_has(&names, SPAN("a.test"), 2));
    assert_true(tls_names_has(&names, SPAN("x.b.test"), 0));
    assert_true(tls_names_has(&names, SPAN("x.b.test"), 1));
    assert_false(tls_names_has(&names, SPAN("y.b.test"), 1));
    assert_false(tls_names_has(&names, SPAN("b.test"), 0));
    assert_false(tls_names_has(&names, SPAN(""), 0));
    tls_names_fini(&names);
}

static void names_come_from_certificates(void **state)
{
    struct made both = made_certificate(
        &(struct made_wish){ .name = "common.test", .alternatives = "DNS:a.test,DNS:*.b.test,IP:127.0.0.1" });
    struct made common = made_certificate(&(struct made_wish){ .name = "common.test" });
    struct made addresses = made_certificate(&(struct made_wish){ .name = "unused.test", .alternatives = "IP:::1" });
    struct tls_names names = { 0 };
    uint32_t at;

    (void)state;
    assert_true(tls_names_add_all(&names, both.x, 1) && tls_names_add_all(&names, common.x, 2) &&
                tls_names_add_all(&names, addresses.x, 3));
    tls_names_sort(&names);
    assert_true(tls_names_find(&names, SPAN("a.test"), &at) && at == 1);
    assert_true(tls_names_find(&names, SPAN("x.b.test"), &at) && at == 1);
    assert_true(tls_names_find(&names, SPAN("common.test"), &at) && at == 2);
    assert_false(tls_names_find(&names, SPAN("unused.test"), &at));
    tls_names_fini(&names);
    made_free(&both);
    made_free(&common);
    made_free(&addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_chosen),
        cmocka_unit_test(names_are_had),
        cmocka_unit_test(names_come_from_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
