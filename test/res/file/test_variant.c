#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "res/file/variant.h"

static struct arena arena;
static struct media_types types;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 1 << 20);
    return media_types_load(&types, SPAN(""), &arena) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_reset(&arena);
    return 0;
}

struct variant_case {
    const char *asked, *name;
    bool fits;
    const char *language; /* of the name */
};

static const struct variant_case cases[] = {
    { "page", "page.html", true, "" },
    { "page", "page.en.html", true, "en" },
    { "page", "page.zh-TW.html", true, "zh-TW" },
    { "page", "page.zh-Hant.html", true, "zh-Hant" },
    { "page.html", "page.en.html", true, "en" },
    { "page.html", "page.zh-TW.html", true, "zh-TW" },
    { "page.html", "page.html", false, "" },
    { "page.html", "page.en.txt", false, "en" },
    { "page.html", "page.html.png", false, "" },
    { "page.en", "page.en.html", true, "en" },
    { "logo", "logo.png", true, "" },
    { "logo", "logo.webp", true, "" },
    { "logo", "logo", false, "" },
    { "logo", "logo.", false, "" },
    { "logo", "logos.png", false, "" },
    { "logo", "LOGO.png", false, "" },
    { "logo", "logo.unknown", false, "" },
    { "v1.2", "v1.2.html", true, "" },
    { "jquery.js", "jquery.min.js", false, "" },
    { "page", "page.html.br", false, "" },
    { "page", "page.html.gz", false, "" },
    { "archive", "archive.tar.gz", false, "" },
    { "page", "page.en.fr.html", false, "fr" },
    { "", ".html", false, "" },
    { "page", ".page.html", false, "" },
    { ".page", ".page.html", true, "" },
    { "en", "en.html", true, "" },
};

static void test_fits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct variant_case *c = &cases[i];
        bool fits = file_variant_fits(&types, span_of(c->asked), span_of(c->name));
        struct span language = file_variant_language(&types, span_of(c->name));

        if (fits != c->fits || !span_is(language, span_of(c->language)))
            fail_msg("%s for %s: fits %d, language %.*s", c->name, c->asked, fits, (int)language.n, language.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_fits) };

    return cmocka_run_group_tests_name("res/file/variant", tests, set_up, tear_down);
}
