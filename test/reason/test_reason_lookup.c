#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "reason/reason.h"
#include "reason/reason_lookup.h"

/* As assert_true(), naming the reason that is wrong. */
#define CHECK(c, r)                                       \
    do {                                                  \
        if (!(c))                                         \
            fail_msg("%s: %s", reason_info(r)->name, #c); \
    } while (0)

static enum reason by_name(const char *name)
{
    enum reason r = reason_find(span_of(name));

    if (r == R_NONE)
        fail_msg("no reason is called %s", name);
    return r;
}

/* Does `vendor` know r under the number in `value` (n or n.m)? By default, or only besides? */
static bool known_as(enum reason r, const char *vendor, struct span value, bool first)
{
    struct reason_lookup l;
    struct reason_number n;

    assert_true(reason_lookup_parse(value, &l));
    l.why = r;
    l.vendor = span_of(vendor);
    while (reason_lookup_next(&l, &n))
        if (n.answered || !first)
            return true;
    return false;
}

/* First values that Verdict must not give as its answer: docs/dialects.md says why. */
static bool corrected(enum reason r, enum dialect d)
{
    return (r == R_media_type_unmapped && d == DIALECT_NGINX) || (r == R_tls_required && d == DIALECT_CLOUDFLARE) ||
           (r == R_client_closed_request && d == DIALECT_IIS);
}

static void check_cell(enum reason r, enum dialect d, const char *cell)
{
    struct span left = span_of(cell);
    bool first = !corrected(r, d);

    if (strcmp(cell, "-") == 0) {
        CHECK(d == DIALECT_RFC ? reason_code(r, d).wire == 0 : !reason_differs(r, d), r);
        return;
    }
    for (;;) {
        size_t n = span_find(left, ';');

        CHECK(known_as(r, dialect_name(d), (struct span){ left.p, n }, first), r);
        if (n == left.n)
            return;
        left = span_from(left, n + 1);
        first = false;
    }
}

/* vendor:number, separated by ";". */
static void check_others(enum reason r, const char *cell)
{
    struct span left = span_of(cell);

    while (strcmp(cell, "-") != 0) {
        size_t n = span_find(left, ';');
        struct reason_lookup l;
        struct reason_number found;

        CHECK(reason_lookup_parse((struct span){ left.p, n }, &l), r);
        l.why = r;
        CHECK(reason_lookup_next(&l, &found), r);
        if (n == left.n)
            return;
        left = span_from(left, n + 1);
    }
}

struct catalogue_row {
    const char *name, *cells[DIALECTS], *other, *proxy_error;
};

static const struct catalogue_row catalogue[] = {
#define CATALOGUE(name, rfc, nginx, iis, cf, other, proxy_error) { name, { rfc, nginx, iis, cf }, other, proxy_error },
#include "catalogue.inc"
#undef CATALOGUE
};

static void catalogue_is_covered(void **state)
{
    (void)state;
    assert_int_equal(sizeof(catalogue) / sizeof(catalogue[0]), 211);
    for (size_t i = 0; i < sizeof(catalogue) / sizeof(catalogue[0]); i++) {
        const struct catalogue_row *row = &catalogue[i];
        enum reason r = by_name(row->name);

        for (enum dialect d = 0; d < DIALECTS; d++)
            check_cell(r, d, row->cells[d]);
        check_others(r, row->other);
        CHECK(strcmp(reason_info(r)->proxy_error, strcmp(row->proxy_error, "-") == 0 ? "" : row->proxy_error) == 0, r);
    }
}

static void numbers_have_sources(void **state)
{
    struct reason_lookup l = { .sub = -1 };
    struct reason_number n;

    (void)state;
    while (reason_lookup_next(&l, &n)) {
        bool rfc = strcmp(n.vendor, "rfc") == 0;
        const char *place = NULL;

        if ((reason_lookup_source(&n, &place) == NULL) != rfc || (place == NULL) != rfc)
            fail_msg("%s: %s %d, %d: source", reason_info(n.why)->name, n.vendor, n.wire, n.detail);
        assert_ptr_equal(reason_lookup_source(&n, NULL), reason_lookup_source(&n, &place));
    }
}

struct source_row {
    const char *vendor;
    int wire, wire_last, detail, detail_last;
    const char *document, *place;
};

static bool is_used(const struct source_row *s)
{
    struct reason_lookup l = { .vendor = span_of(s->vendor), .sub = -1 };
    struct reason_number n;

    while (reason_lookup_next(&l, &n))
        if (n.wire >= s->wire && n.wire <= s->wire_last && n.detail >= s->detail && n.detail <= s->detail_last)
            return true;
    return false;
}

static void sources_are_used(void **state)
{
    static const struct source_row rows[] = {
#define SOURCE(...) { __VA_ARGS__ },
#include "reason/sources.def"
#undef SOURCE
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!is_used(&rows[i]))
            fail_msg("%s %d, %d: no number comes from there", rows[i].vendor, rows[i].wire, rows[i].detail);
}

static void others_say_something_new(void **state)
{
    struct reason_lookup l = { .sub = -1 };
    struct reason_number n;

    (void)state;
    while (reason_lookup_next(&l, &n)) {
        struct reason_lookup again = { .why = n.why, .vendor = span_of(n.vendor), .number = n.wire, .sub = -1 };
        struct reason_number same;
        unsigned seen = 0;

        if (n.wire == 0)
            continue;
        while (reason_lookup_next(&again, &same))
            seen += same.wire == n.wire && same.detail == n.detail;
        CHECK(seen == 1, n.why);
    }
}

/* All matches, as "reason vendor wire/detail" separated by "; ", to 1 KiB. */
static const char *listed(struct reason_lookup *l)
{
    static char text[1024];
    struct reason_number n;
    size_t used = 0;

    text[0] = '\0';
    while (reason_lookup_next(l, &n) && used < sizeof(text))
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s %d/%d%s", used > 0 ? "; " : "",
                                 reason_info(n.why)->name, n.vendor, n.wire, n.detail, n.answered ? "" : " also");
    return text;
}

static void numbers_are_explained(void **state)
{
    static const struct {
        const char *asked, *answer;
    } rows[] = {
        { "nginx:499", "client-closed-request nginx 0/499; request-cancelled nginx 0/499" },
        { "NGINX:444", "dropped-silently nginx 0/444" },
        { "nginx:494", "header-fields-too-large nginx 400/494; header-field-too-large nginx 400/494; "
                       "too-many-header-fields nginx 400/494" },
        { "nginx:428", "precondition-required nginx 428/-1; more-information-required nginx 428/-1" },
        { "cloudflare:521", "upstream-connection-refused cloudflare 521/-1" },
        { "cloudflare:1020", "request-policy-denied cloudflare 403/1020" },
        { "1020", "request-policy-denied cloudflare 403/1020" },
        { "cloudflare:1002", "upstream-ip-prohibited cloudflare 403/1002 also" },
        { "404.13", "content-too-large iis 404/13; content-streamed-too-large iis 404/13" },
        { "iis:404.0", "not-found iis 404/0; route-not-found iis 404/0" },
        { "arr:502.6", "upstream-write-timeout iis 502/6; upstream-write-failed iis 502/6" },
        { "iis:400.604", "client-closed-request iis 400/604 also" },
        { "iis:413.0", "content-too-large iis 413/0 also" },
        { "iis:13", "" },
        { "esri:499", "credentials-missing esri 499/-1 also" },
        { "twitter:420", "rate-limited twitter 420/-1 also" },
        { "cpanel:509", "bandwidth-limit apache/cpanel 509/-1 also" },
        { "Apache:509", "bandwidth-limit apache/cpanel 509/-1 also" },
        { "apache/cpanel:509", "bandwidth-limit apache/cpanel 509/-1 also" },
        { "419", "form-token-expired laravel 419/-1 also; session-expired unofficial 419/-1 also" },
        { "410", "gone rfc 410/-1" },
        { "nobody:404", "" },
        { "nginx:404.13", "" },
        { "nginx:400.494", "" },
        { "999", "" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reason_lookup l;

        assert_true(reason_lookup_parse(span_of(rows[i].asked), &l));
        assert_string_equal(listed(&l), rows[i].answer);
        assert_string_equal(listed(&l), ""); /* the end stays the end */
    }
}

static void reasons_list_their_numbers(void **state)
{
    struct reason_lookup l = { .why = R_rate_limited, .sub = -1 };

    (void)state;
    assert_string_equal(listed(&l), "rate-limited rfc 429/-1; rate-limited nginx 503/-1; rate-limited iis 403/502; "
                                    "rate-limited cloudflare 429/1015; rate-limited iis 401/502 also; "
                                    "rate-limited iis 404/502 also; rate-limited twitter 420/-1 also");
}

static void bad_numbers_are_refused(void **state)
{
    static const char *const rows[] = { "",          ":",    ":404",   "nginx:",   "not-found", "404.", ".13",
                                        "404.x",     "404x", "x404",   "404.13.1", "0",         "00",   "12345",
                                        "404.12345", "-1",   "iis:.1", "a:b:1",    " 404",      "404 " };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reason_lookup l;

        if (reason_lookup_parse(span_of(rows[i]), &l))
            fail_msg("\"%s\" was taken for a number", rows[i]);
    }
}

/* Not NUL-terminated, and an empty span without memory. */
static void parse_stays_inside(void **state)
{
    char *bytes = malloc(3);
    struct reason_lookup l;

    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, "404", 3);
    assert_true(reason_lookup_parse((struct span){ bytes, 3 }, &l));
    assert_int_equal(l.number, 404);
    assert_true(reason_lookup_parse((struct span){ bytes, 2 }, &l));
    assert_int_equal(l.number, 40);
    memcpy(bytes, "4.1", 3);
    assert_false(reason_lookup_parse((struct span){ bytes, 2 }, &l));
    memcpy(bytes, "n:1", 3);
    assert_false(reason_lookup_parse((struct span){ bytes, 2 }, &l));
    assert_false(reason_lookup_parse((struct span){ 0 }, &l));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest rows[] = {
        cmocka_unit_test(catalogue_is_covered),    cmocka_unit_test(numbers_have_sources),
        cmocka_unit_test(sources_are_used),        cmocka_unit_test(others_say_something_new),
        cmocka_unit_test(numbers_are_explained),   cmocka_unit_test(reasons_list_their_numbers),
        cmocka_unit_test(bad_numbers_are_refused), cmocka_unit_test(parse_stays_inside),
    };

    return cmocka_run_group_tests(rows, NULL, NULL);
}
