#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guarded.h"
#include "http/media_type.h"

#define LIMIT_BYTES ((size_t)1 << 20)

static const char *value_of(const struct media_types *table, const char *file_name)
{
    static char text[256];
    struct span value = media_type_find(table, guarded(span_of(file_name)))->value;

    assert_true(value.n < sizeof text);
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    return text;
}

struct find_case {
    const char *file_name, *want;
};

#define UNKNOWN "application/octet-stream"

static const struct find_case built_in_cases[] = {
    { "index.html", "text/html; charset=utf-8" },
    { "INDEX.HTML", "text/html; charset=utf-8" },
    { "a/b.c/d.css", "text/css; charset=utf-8" },
    { "app.min.js", "text/javascript; charset=utf-8" },
    { "data.json", "application/json" },
    { "picture.svg", "image/svg+xml" },
    { "picture.png", "image/png" },
    { "archive.tar.gz", "application/gzip" },
    { "x.7z", "application/x-7z-compressed" },
    { "font.woff2", "font/woff2" },
    { "", UNKNOWN },
    { ".", UNKNOWN },
    { "..", UNKNOWN },
    { "html", UNKNOWN },
    { ".html", UNKNOWN },
    { "a/.html", UNKNOWN },
    { "/", UNKNOWN },
    { "a.", UNKNOWN },
    { "a.html/", UNKNOWN },
    { "a.html/b", UNKNOWN },
    { "a.nosuch", UNKNOWN },
    { "a.htm l", UNKNOWN },
    { "a.01234567890123456789012345678901", UNKNOWN },
    { "a.0123456789012345678901234567890123456789", UNKNOWN },
};

static void built_in_types_are_found_by_suffix(void **state)
{
    struct arena arena;
    struct media_types table;

    (void)state;
    arena_init(&arena, NULL, 0, LIMIT_BYTES);
    assert_true(media_types_load(&table, (struct span){ NULL, 0 }, &arena));
    for (size_t i = 0; i < sizeof built_in_cases / sizeof built_in_cases[0]; i++) {
        const struct find_case *c = &built_in_cases[i];

        if (strcmp(value_of(&table, c->file_name), c->want) != 0)
            fail_msg("%s: %s", c->file_name, value_of(&table, c->file_name));
    }
    arena_reset(&arena);
}

static const char system_text[] = "# a comment\n"
                                  "\n"
                                  "text/x-mine\t\t html  MINE # not this\n"
                                  "application/x-one\tone two\r\n"
                                  "application/vnd.x+json\tvx\n"
                                  "image/svg+xml svg2\n"
                                  "application/pdf pdf2\n"
                                  "application/x-two two\n"
                                  "application/x-alone\n"
                                  "image/evil:\x01 evil\n"
                                  "a/b/c evil\n"
                                  "plain evil\n"
                                  "/x evil\n"
                                  "x/ evil\n"
                                  "text/x;charset=x evil\n"
                                  "application/x-dot one.dot\n"
                                  "application/x-long a12345678901234567890123456789012\n"
                                  "application/x-last last";

static const struct find_case system_cases[] = {
    { "a.html", "text/x-mine; charset=utf-8" },
    { "a.mine", "text/x-mine; charset=utf-8" },
    { "a.htm", "text/html; charset=utf-8" },
    { "a.one", "application/x-one" },
    { "a.two", "application/x-two" },
    { "a.vx", "application/vnd.x+json" },
    { "a.svg2", "image/svg+xml" },
    { "a.not", UNKNOWN },
    { "a.evil", UNKNOWN },
    { "a.one.dot", UNKNOWN },
    { "a.a12345678901234567890123456789012", UNKNOWN },
    { "a.last", "application/x-last" },
    { "a.png", "image/png" },
};

static void the_systems_types_come_first(void **state)
{
    struct arena arena;
    struct media_types table;

    (void)state;
    arena_init(&arena, NULL, 0, LIMIT_BYTES);
    assert_true(media_types_load(&table, guarded(span_of(system_text)), &arena));
    for (size_t i = 0; i < sizeof system_cases / sizeof system_cases[0]; i++) {
        const struct find_case *c = &system_cases[i];

        if (strcmp(value_of(&table, c->file_name), c->want) != 0)
            fail_msg("%s: %s", c->file_name, value_of(&table, c->file_name));
    }
    arena_reset(&arena);
}

static void types_tell_what_they_are(void **state)
{
    static const struct {
        struct span file_name, name;
        bool is_text, compressible;
    } cases[] = {
        { SPAN_INIT("a.txt"), SPAN_INIT("text/plain"), true, true },
        { SPAN_INIT("a.mine"), SPAN_INIT("text/x-mine"), true, true },
        { SPAN_INIT("a.json"), SPAN_INIT("application/json"), false, true },
        { SPAN_INIT("a.vx"), SPAN_INIT("application/vnd.x+json"), false, true },
        { SPAN_INIT("a.svg2"), SPAN_INIT("image/svg+xml"), false, true },
        { SPAN_INIT("a.pdf2"), SPAN_INIT("application/pdf"), false, false },
        { SPAN_INIT("a.jpg"), SPAN_INIT("image/jpeg"), false, false },
        { SPAN_INIT("a.one"), SPAN_INIT("application/x-one"), false, false },
        { SPAN_INIT("a"), SPAN_INIT(UNKNOWN), false, false },
    };
    struct arena arena;
    struct media_types table;

    (void)state;
    arena_init(&arena, NULL, 0, LIMIT_BYTES);
    assert_true(media_types_load(&table, span_of(system_text), &arena));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct media_type *type = media_type_find(&table, cases[i].file_name);

        assert_true(span_is(type->name, cases[i].name));
        assert_true(span_starts(type->value, type->name));
        assert_int_equal(type->is_text, cases[i].is_text);
        assert_int_equal(type->compressible, cases[i].compressible);
    }
    arena_reset(&arena);
}

static const char *const built_in_suffixes[] = {
#define TEXT(suffix_, name_)        suffix_,
#define TYPE(suffix_, name_, size_) suffix_,
#include "http/media_types.def"
#undef TEXT
#undef TYPE
};

static void each_built_in_suffix_is_lower_case_and_there_once(void **state)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t count = sizeof built_in_suffixes / sizeof built_in_suffixes[0];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *s = built_in_suffixes[i];

        assert_in_range(strlen(s), 1, 32);
        assert_int_equal(strspn(s, allowed), strlen(s));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(s, built_in_suffixes[j]);
    }
}

static void a_full_arena_is_told(void **state)
{
    size_t limit = 0;
    bool loaded = false;

    (void)state;
    for (; !loaded && limit < LIMIT_BYTES; limit += 97) {
        struct arena arena;
        struct media_types table;

        arena_init(&arena, NULL, 0, limit);
        loaded = media_types_load(&table, span_of(system_text), &arena);
        assert_int_equal(loaded, !arena.full);
        arena_reset(&arena);
    }
    assert_true(loaded);
}

static void the_systems_own_file_is_read(void **state)
{
    static char text[1 << 20];
    FILE *file = fopen("/etc/mime.types", "r");
    struct arena arena;
    struct media_types table;
    size_t bytes;

    (void)state;
    if (file == NULL)
        skip();
    bytes = fread(text, 1, sizeof text, file);
    fclose(file);
    arena_init(&arena, NULL, 0, LIMIT_BYTES);
    assert_true(media_types_load(&table, guarded((struct span){ text, bytes }), &arena));
    assert_string_equal(value_of(&table, "a.html"), "text/html; charset=utf-8");
    assert_string_equal(value_of(&table, "a.css"), "text/css; charset=utf-8");
    assert_string_equal(value_of(&table, "a.png"), "image/png");
    arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_types_are_found_by_suffix),
        cmocka_unit_test(the_systems_types_come_first),
        cmocka_unit_test(types_tell_what_they_are),
        cmocka_unit_test(each_built_in_suffix_is_lower_case_and_there_once),
        cmocka_unit_test(a_full_arena_is_told),
        cmocka_unit_test(the_systems_own_file_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
