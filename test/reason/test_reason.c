#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "reason/reason.h"
#include "reason/reason_lookup.h"

/* clang-format off */
#define EACH(r) enum reason r = R_MORE + 1; r < R_COUNT; r++
/* clang-format on */

/* As assert_true(), naming the reason that is wrong. */
#define CHECK(c, r)                                       \
    do {                                                  \
        if (!(c))                                         \
            fail_msg("%s: %s", reason_info(r)->name, #c); \
    } while (0)

static void ids_ascend(void **state)
{
    unsigned last = 1299;

    (void)state;
    for (EACH(r)) {
        CHECK(reason_info(r)->id > last, r);
        CHECK(reason_info(r)->id <= 9999, r);
        CHECK(reason_find_id(reason_info(r)->id) == r, r);
        last = reason_info(r)->id;
    }
    assert_int_equal(reason_find_id(404), R_NONE);
    assert_int_equal(reason_find_id(0), R_NONE);
}

/* The ids of these were published first: they show that nobody renumbers. */
static void ids_stay(void **state)
{
    static const struct {
        unsigned id;
        enum reason why;
    } rows[] = {
        { 1300, R_interim_continue },
        { 1400, R_request_ok },
        { 1600, R_multiple_choices },
        { 2000, R_malformed_request_line },
        { 3000, R_not_found },
        { 4000, R_precondition_failed },
        { 5000, R_internal_error },
        { 6110, R_upstream_connection_refused },
        { 7000, R_client_closed_request },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(reason_info(rows[i].why)->id, rows[i].id);
}

/* `explain 1020` must mean one thing. */
static void ids_are_no_vendors_numbers(void **state)
{
    (void)state;
    for (EACH(r)) {
        struct reason_lookup l = { .number = reason_info(r)->id, .sub = -1 };
        struct reason_number n;

        CHECK(!reason_lookup_next(&l, &n), r);
    }
}

static bool is_kebab(const char *s)
{
    for (size_t i = 0; s[i] != '\0'; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');

        if (!letter && (s[i] != '-' || i == 0 || s[i - 1] == '-' || s[i + 1] == '\0'))
            return false;
    }
    return s[0] != '\0';
}

static void names_are_kebab_and_found(void **state)
{
    (void)state;
    for (EACH(r)) {
        CHECK(is_kebab(reason_info(r)->name), r);
        CHECK(reason_find(span_of(reason_info(r)->name)) == r, r);
    }
    assert_string_equal(reason_info(R_if_match_failed)->name, "if-match-failed");
    assert_int_equal(reason_find(SPAN("if_match_failed")), R_NONE);
    assert_int_equal(reason_find(SPAN("if-match-faile")), R_NONE);
    assert_int_equal(reason_find(SPAN("")), R_NONE);
}

/* Text goes on after a colon: it starts small, unless with a method's name. */
static bool starts_small(const char *text)
{
    size_t capitals = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return capitals == 0 || (capitals >= 3 && text[capitals] == ' ');
}

static void texts_are_short(void **state)
{
    (void)state;
    for (EACH(r)) {
        const char *text = reason_info(r)->text;
        size_t n = strlen(text);

        CHECK(n > 0 && n <= 72, r);
        CHECK(text[n - 1] != '.', r);
        CHECK(starts_small(text), r);
        for (EACH(q))
            CHECK(q >= r || strcmp(text, reason_info(q)->text) != 0, r);
    }
}

/* RFCnnnn:section, such as RFC9110:15.5.5. */
static bool is_citation(const char *s)
{
    size_t digits;

    if (strncmp(s, "RFC", 3) != 0)
        return false;
    s += 3;
    digits = strspn(s, "0123456789");
    return digits >= 3 && digits <= 4 && s[digits] == ':' && strspn(s + digits + 1, "0123456789.") > 0 &&
           s[digits + 1 + strspn(s + digits + 1, "0123456789.")] == '\0' && s[strlen(s) - 1] != '.';
}

static bool is_obsolete(const char *spec)
{
    static const unsigned long old[] = { 2068, 2616, 2617, 7230, 7231, 7232, 7233, 7234, 7235, 7540, 2518 };

    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
        if (strtoul(spec + 3, NULL, 10) == old[i])
            return true;
    return false;
}

static void specs_are_current(void **state)
{
    (void)state;
    for (EACH(r)) {
        const char *spec = reason_info(r)->spec;

        CHECK(strcmp(spec, "local") == 0 || is_citation(spec), r);
        /* 102 was dropped by RFC 4918 and is defined nowhere else. */
        CHECK(strcmp(spec, "local") == 0 || !is_obsolete(spec) || r == R_processing_long, r);
    }
}

static void proxy_errors_are_registered(void **state)
{
    /* RFC9209:2.3.1 to RFC9209:2.3.32 */
    static const char *const types[] = {
        "dns_timeout",
        "dns_error",
        "destination_not_found",
        "destination_unavailable",
        "destination_ip_prohibited",
        "destination_ip_unroutable",
        "connection_refused",
        "connection_terminated",
        "connection_timeout",
        "connection_read_timeout",
        "connection_write_timeout",
        "connection_limit_reached",
        "tls_protocol_error",
        "tls_certificate_error",
        "tls_alert_received",
        "http_request_error",
        "http_request_denied",
        "http_response_incomplete",
        "http_response_header_section_size",
        "http_response_header_size",
        "http_response_body_size",
        "http_response_trailer_section_size",
        "http_response_trailer_size",
        "http_response_transfer_coding",
        "http_response_content_coding",
        "http_response_timeout",
        "http_upgrade_failed",
        "http_protocol_error",
        "proxy_internal_response",
        "proxy_internal_error",
        "proxy_configuration_error",
        "proxy_loop_detected",
        "",
    };

    (void)state;
    for (EACH(r)) {
        size_t i = 0;

        while (i < sizeof(types) / sizeof(types[0]) && strcmp(types[i], reason_info(r)->proxy_error) != 0)
            i++;
        CHECK(i < sizeof(types) / sizeof(types[0]), r);
    }
}

/* Of HTTP/2 one stream alone is reset; the others of its connection go on. RFC9113:5.4.2 */
static bool resets_stream(enum reason r)
{
    return (r >= R_h2_field_name_invalid && r <= R_h2_content_length_mismatch) ||
           (r >= R_request_cancelled && r <= R_h2_window_stalled);
}

static void silence_closes(void **state)
{
    (void)state;
    for (EACH(r))
        for (enum dialect d = 0; d < DIALECTS; d++)
            CHECK(reason_code(r, d).wire != 0 || (reason_info(r)->after == CLOSE) != resets_stream(r), r);
}

/* Who was not heard by the RFC is not heard in any dialect. */
static void silence_is_shared(void **state)
{
    (void)state;
    for (EACH(r))
        for (enum dialect d = 0; d < DIALECTS; d++)
            CHECK(reason_code(r, DIALECT_RFC).wire != 0 || reason_code(r, d).wire == 0, r);
}

static void statuses_have_three_digits(void **state)
{
    (void)state;
    for (EACH(r)) {
        for (enum dialect d = 0; d < DIALECTS; d++) {
            unsigned wire = reason_code(r, d).wire;

            CHECK(wire == 0 || (wire >= 100 && wire <= 599), r);
        }
        CHECK(reason_code(r, DIALECT_RFC).detail == 0, r);
        CHECK(reason_code(r, DIALECT_RFC).wire <= 511, r);
    }
}

static void rfc_never_differs_from_itself(void **state)
{
    (void)state;
    for (EACH(r)) {
        CHECK(!reason_differs(r, DIALECT_RFC), r);
        for (enum dialect d = 0; d < DIALECTS; d++) {
            struct code c = reason_code(r, d), rfc = reason_code(r, DIALECT_RFC);

            CHECK(reason_differs(r, d) == (c.wire != rfc.wire || c.detail != rfc.detail), r);
        }
    }
}

/* Is said in error content: a promise that nobody can keep is worse than none. */
static void lasts_follows_the_status(void **state)
{
    (void)state;
    for (EACH(r)) {
        unsigned wire = reason_code(r, DIALECT_RFC).wire;
        enum lasts lasts = reason_info(r)->lasts;

        CHECK(wire / 100 > 2 || wire == 0 || lasts == UNKNOWN, r);
        CHECK((wire != 408 && wire != 429 && wire != 503 && wire != 507) || lasts == TEMPORARY, r);
        CHECK((wire != 410 && wire != 301 && wire != 308) || lasts == PERMANENT, r);
        CHECK((wire != 302 && wire != 307) || lasts == TEMPORARY, r);
    }
    assert_int_equal(reason_info(R_not_found)->lasts, UNKNOWN);
    assert_int_equal(reason_info(R_malformed_request_line)->lasts, PERMANENT);
}

/* Rows whose vendor answers from another class than the RFC: each one is the vendor's documented habit. */
static bool may_leave_class(enum reason r, enum dialect d)
{
    static const struct {
        enum reason why;
        enum dialect dialect;
    } rows[] = {
        { R_rate_limited, DIALECT_NGINX },                /* limit_req_status is 503 until set */
        { R_connection_limit_per_client, DIALECT_NGINX }, /* limit_conn_status is 503 until set */
        { R_request_timeout, DIALECT_NGINX },             /* closed without an answer, logged as 408 */
        { R_request_content_timeout, DIALECT_NGINX },     /* the same */
        { R_method_unknown, DIALECT_NGINX },              /* the static module refuses what it does not know */
        { R_put_range_unsupported, DIALECT_NGINX },       /* "PUT with range is unsupported", 501 */
        { R_dav_destination_foreign, DIALECT_NGINX },     /* a bad Destination as any other */
        { R_control_file_requested, DIALECT_IIS },        /* 500.15 */
        { R_seat_limit, DIALECT_IIS },                    /* 403.15 */
        { R_too_many_connections_total, DIALECT_IIS },    /* 403.9 */
        { R_proxy_loop, DIALECT_IIS },                    /* 400.605 */
        { R_proxy_loop, DIALECT_CLOUDFLARE },             /* error 1000 comes with 403 */
        { R_upstream_ip_prohibited, DIALECT_CLOUDFLARE }, /* the same */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].why == r && rows[i].dialect == d)
            return true;
    return false;
}

static void dialects_keep_the_class(void **state)
{
    (void)state;
    for (EACH(r)) {
        unsigned class = reason_code(r, DIALECT_RFC).wire / 100;

        for (enum dialect d = 0; d < DIALECTS; d++) {
            unsigned spoken = reason_code(r, d).wire / 100;

            CHECK((spoken != class) == may_leave_class(r, d), r);
            /* An error must never look like success, nor like a redirect without a Location. */
            CHECK(class < 4 || spoken >= 4 || spoken == 0, r);
        }
    }
}

static void dialects_are_named(void **state)
{
    (void)state;
    for (enum dialect d = 0; d < DIALECTS; d++)
        assert_int_equal(dialect_find(span_of(dialect_name(d))), d);
    assert_int_equal(dialect_find(SPAN("nginx")), DIALECT_NGINX);
    assert_int_equal(dialect_find(SPAN("Nginx")), DIALECTS);
    assert_int_equal(dialect_find(SPAN("")), DIALECTS);
}

static void two_numbers(void **state)
{
    static const struct {
        enum reason why;
        enum dialect dialect;
        struct code code;
    } rows[] = {
        { R_header_fields_too_large, DIALECT_RFC, { 431, 0 } },
        { R_header_fields_too_large, DIALECT_NGINX, { 400, 494 } },
        { R_header_fields_too_large, DIALECT_IIS, { 404, 11 } },
        { R_header_fields_too_large, DIALECT_CLOUDFLARE, { 431, 0 } },
        { R_not_found, DIALECT_IIS, { 404, 1 } },
        { R_not_found, DIALECT_NGINX, { 404, 0 } },
        { R_client_closed_request, DIALECT_NGINX, { 0, 499 } },
        { R_client_closed_request, DIALECT_IIS, { 0, 605 } },
        { R_client_closed_request, DIALECT_CLOUDFLARE, { 0, 499 } },
        { R_dropped_silently, DIALECT_NGINX, { 0, 444 } },
        { R_dropped_silently, DIALECT_IIS, { 0, 0 } },
        { R_upstream_connection_refused, DIALECT_CLOUDFLARE, { 521, 0 } },
        { R_request_policy_denied, DIALECT_CLOUDFLARE, { 403, 1020 } },
        { R_session_expired, DIALECT_IIS, { 440, 0 } },
        { R_precondition_required, DIALECT_NGINX, { 428, 0 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct code c = reason_code(rows[i].why, rows[i].dialect);

        CHECK(c.wire == rows[i].code.wire, rows[i].why);
        CHECK(c.detail == rows[i].code.detail, rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest rows[] = {
        cmocka_unit_test(ids_ascend),
        cmocka_unit_test(ids_stay),
        cmocka_unit_test(ids_are_no_vendors_numbers),
        cmocka_unit_test(names_are_kebab_and_found),
        cmocka_unit_test(texts_are_short),
        cmocka_unit_test(specs_are_current),
        cmocka_unit_test(proxy_errors_are_registered),
        cmocka_unit_test(silence_closes),
        cmocka_unit_test(silence_is_shared),
        cmocka_unit_test(statuses_have_three_digits),
        cmocka_unit_test(rfc_never_differs_from_itself),
        cmocka_unit_test(lasts_follows_the_status),
        cmocka_unit_test(dialects_keep_the_class),
        cmocka_unit_test(dialects_are_named),
        cmocka_unit_test(two_numbers),
    };

    return cmocka_run_group_tests(rows, NULL, NULL);
}
