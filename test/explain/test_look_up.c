#include "explain/look_up.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "reason/reason_lookup.h"

static struct look_up found;

static bool look(const char *what)
{
    return look_up(span_of(what), &found);
}

static bool has_reason(enum reason why)
{
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].kind == LOOK_UP_REASON && found.items[i].why == why)
            return true;
    for (size_t i = 0; i < found.reason_count; i++)
        if (found.reasons[i] == why)
            return true;
    for (size_t i = 0; i < found.elsewhere_count; i++)
        if (found.elsewhere[i] == why)
            return true;
    return false;
}

/* What is asked, the items it leads to in their order, and one of the conditions (R_NONE: none is looked for). */
static const struct {
    const char *what, *items;
    enum reason why;
} cases[] = {
    { "404", "404", R_not_found },
    { " 404 ", "404", R_not_found },
    { "404.13", "404.13", R_content_too_large },
    { "iis:404.13", "404.13", R_content_too_large },
    { "IIS:404.13", "404.13", R_content_too_large },
    { "502.3", "502.3 502.3", R_upstream_connection_refused },
    { "arr:502.3", "502.3", R_upstream_connection_refused },
    { "nginx:499", "nginx:499", R_client_closed_request },
    { "esri:499", "esri:499", R_credentials_missing },
    { "499", "esri:499 unofficial:499 nginx:499", R_malware_blocked },
    { "103", "103 unofficial:103", R_early_hints },
    { "103", "103 unofficial:103", R_upload_resumption_offer },
    { "421", "421 unofficial:421", R_misdirected },
    { "421", "421 unofficial:421", R_connection_limit_per_client },
    { "425", "425 425", R_too_early },
    { "451", "451 microsoft:451", R_legal_block },
    { "451", "451 microsoft:451", R_mailbox_server_moved },
    { "530", "pantheon:530 cloudflare:530", R_site_frozen },
    { "cloudflare:521", "cloudflare:521", R_upstream_connection_refused },
    { "twitter:420", "twitter:420", R_rate_limited },
    { "600", "unofficial:600", R_upstream_headers_unparseable },
    { "418", "418", R_teapot },
    { "rfc:412", "412", R_if_match_failed },
    { "rfc:451", "451", R_legal_block },
    { "nginx:400", "400", R_header_fields_too_large },
    { "cloudflare:1020", "request-policy-denied", R_request_policy_denied },
    { "1020", "request-policy-denied", R_request_policy_denied },
    { "if-match-failed", "if-match-failed", R_if_match_failed },
    { "IF_MATCH_failed", "if-match-failed", R_if_match_failed },
    { "Bad Gateway", "502", R_upstream_bad_response },
    { "bad gateway", "502", R_upstream_bad_response },
    { "Moved Temporarily", "302", R_moved_temporarily },
    { "I'm a teapot", "418", R_teapot },
    { "请求头太大", "nginx:494", R_header_fields_too_large },
    { "未找到", "404", R_not_found },
    { "too many redirects", "301 302 307 308", R_directory_redirect },
    { "connection refused", "upstream-connection-refused", R_NONE },
    { "upstream-answered", "upstream-answered", R_upstream_answered },
    { "200", "200", R_upstream_answered },
    { "200", "200", R_proxy_tunnel_opened },
    { "101", "101", R_upstream_switched },
    { "407", "407", R_proxy_nonce_stale },
    { "511", "511", R_network_auth_required },
    { "503.3", "503.3", R_cgi_queue_full },
    { "502.2", "502.2 502.2", R_cgi_head_invalid },
    { "no connection became free", "upstream-queue-timeout", R_NONE },
    { "php-fpm too busy", "fastcgi-overloaded", R_NONE },
    { "upload too big", "content-too-large", R_NONE },
    { "Directory listing denied", "403.14", R_listing_denied },
    { "证书过期", "client-cert-expired", R_NONE },
};

static void everything_leads_to_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char items[256] = "";

        if (!look(cases[i].what))
            fail_msg("%s: unknown", cases[i].what);
        for (size_t k = 0; k < found.count; k++)
            snprintf(items + strlen(items), sizeof items - strlen(items), "%s%s", k > 0 ? " " : "",
                     look_up_name(&found.items[k]).text);
        if (strcmp(items, cases[i].items) != 0)
            fail_msg("%s: %s, not %s", cases[i].what, items, cases[i].items);
        if (cases[i].why != R_NONE && !has_reason(cases[i].why))
            fail_msg("%s: no %s", cases[i].what, reason_info(cases[i].why)->name);
    }
}

static void every_reason_is_found(void **state)
{
    (void)state;
    for (enum reason r = R_MORE + 1; r < R_COUNT; r++) {
        char id[8];

        assert_true(look(reason_info(r)->name) && found.count == 1 && found.items[0].why == r);
        snprintf(id, sizeof id, "%u", reason_info(r)->id);
        assert_true(look(id) && has_reason(r));
    }
}

static void every_row_is_found(void **state)
{
    size_t statuses, substatuses;
    const struct status_info *status = status_rows(&statuses);
    const struct substatus_info *substatus = substatus_rows(&substatuses);
    char code[64];

    (void)state;
    for (size_t i = 0; i < statuses; i++) {
        snprintf(code, sizeof code, "%s:%u", status_vendor_name(status[i].vendor), status[i].code);
        assert_true(look(code) && found.count == 1 && found.items[0].status == &status[i]);
    }
    for (size_t i = 0; i < substatuses; i++) {
        snprintf(code, sizeof code, "%s:%u.%u", status_vendor_name(substatus[i].vendor), substatus[i].status,
                 substatus[i].sub);
        assert_true(look(code) && found.count == 1 && found.items[0].substatus == &substatus[i]);
    }
}

/* Every number that anybody has for a reason leads back to it. */
static void every_number_leads_to_its_reason(void **state)
{
    (void)state;
    for (enum reason r = R_MORE + 1; r < R_COUNT; r++) {
        struct reason_lookup asked = { .why = r, .sub = -1 };
        struct reason_number n;

        while (reason_lookup_next(&asked, &n)) {
            char code[64];
            size_t vendor = strcspn(n.vendor, "/");
            bool sub = strcmp(n.vendor, "iis") == 0 && n.detail >= 0 && n.wire > 0;
            int number = n.wire > 0 ? n.wire : n.detail;

            if (number <= 0 || (n.wire == 0 && strcmp(n.vendor, "iis") == 0))
                continue;
            if (sub)
                snprintf(code, sizeof code, "%.*s:%d.%d", (int)vendor, n.vendor, number, n.detail);
            else
                snprintf(code, sizeof code, "%.*s:%d", (int)vendor, n.vendor, number);
            if (!look(code) || !has_reason(r))
                fail_msg("%s does not lead to %s", code, reason_info(r)->name);
            snprintf(code, sizeof code, "%d", number);
            if (!look(code) || !has_reason(r))
                fail_msg("%s does not lead to %s", code, reason_info(r)->name);
        }
    }
}

static void the_unknown_is_unknown(void **state)
{
    static const char *const unknown[] = { "",
                                           " ",
                                           "299",
                                           "4044",
                                           "404.99",
                                           "nginx:1",
                                           "not-fuond",
                                           "xyzzy",
                                           "404.",
                                           "nobody:404",
                                           ":404",
                                           "99999",
                                           "\xff\xff",
                                           "teapto",
                                           "the of is",
                                           "rfc:499",
                                           "if-mach-failed",
                                           "too many redirectz",
                                           "a b c d e f g",
                                           "nginx:",
                                           "nginx:x",
                                           "foo:" };

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (look(unknown[i]))
            fail_msg("%s: %s", unknown[i], look_up_name(&found.items[0]).text);
        assert_int_equal(found.count + found.reason_count + found.also_count, 0);
    }
}

static void the_nearest_is_offered(void **state)
{
    static const struct {
        const char *what, *nearest;
    } near[] = {
        { "not-fuond", "not-found" }, { "teapto", "teapot" },
        { "Bad Gatewya", "502" },     { "40", "400" },
        { "nginx:498", "nginx:494" }, { "if_match_faild", "if-match-failed" },
        { "404.99", "404.9" },        { "too many redirectz", "301" },
        { "timeot", "408" },          { "Dierctory listing denied", "403.14" },
    };
    static const char *const far[] = { "zzqq", "99999", "a b c d e f g", "x", "" };

    (void)state;
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        struct look_up_item items[3];

        if (look_up_near(span_of(near[i].what), items, 3) == 0)
            fail_msg("nothing is near %s", near[i].what);
        if (strcmp(look_up_name(&items[0]).text, near[i].nearest) != 0)
            fail_msg("%s: %s", near[i].what, look_up_name(&items[0]).text);
    }
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        struct look_up_item item;

        if (look_up_near(span_of(far[i]), &item, 1) > 0)
            fail_msg("%s: %s", far[i], look_up_name(&item).text);
    }
}

static void faults_are_told_apart(void **state)
{
    static const struct {
        const char *what;
        enum look_up_fault fault;
    } faults[] = {
        { "foo:404", LOOK_UP_NO_VENDOR }, { "nginx:", LOOK_UP_NO_NUMBER },   { "IIS8:x", LOOK_UP_NO_NUMBER },
        { "nginx:1", LOOK_UP_UNKNOWN },   { "error: foo", LOOK_UP_UNKNOWN }, { ":404", LOOK_UP_UNKNOWN },
        { "404", LOOK_UP_UNKNOWN },       { "cpanel:", LOOK_UP_NO_NUMBER },  { "", LOOK_UP_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (look_up_fault(span_of(faults[i].what)) != faults[i].fault)
            fail_msg("%s: %d", faults[i].what, look_up_fault(span_of(faults[i].what)));
}

static void ids_are_told_from_codes(void **state)
{
    (void)state;
    assert_true(look("4040") && found.by_id);
    assert_true(look("404") && !found.by_id);
    assert_true(look("1020") && !found.by_id);
}

static void long_input_ends(void **state)
{
    static char text[20000];
    struct look_up_item item;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_false(look(text));
    assert_int_equal(look_up_near(span_of(text), &item, 1), 0);
    memset(text, ' ', sizeof text - 1);
    assert_false(look(text));
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = (char)(i % 5 == 4 ? ' ' : 'a' + i % 7);
    (void)look(text);
    for (size_t i = 0; i + 1 < sizeof text; i++)
        text[i] = (char)0xE8;
    (void)look(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_leads_to_its_meaning),
        cmocka_unit_test(every_reason_is_found),
        cmocka_unit_test(every_row_is_found),
        cmocka_unit_test(every_number_leads_to_its_reason),
        cmocka_unit_test(the_unknown_is_unknown),
        cmocka_unit_test(the_nearest_is_offered),
        cmocka_unit_test(faults_are_told_apart),
        cmocka_unit_test(ids_are_told_from_codes),
        cmocka_unit_test(long_input_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
