#include "told.h"

#define FORWARDS    ALLOWED "has_content- hints_due- is_origin- open_forward> proxies- loop_free+ forwards_left+ attempt> "
#define RELAYED     "relay> protocol_taken_up- tunnel_made- content_changed-"
#define NAMED(name) .server = (name), .server_bytes = sizeof(name) - 1
#define APP         .upstream = "app", .upstream_bytes = 3

static void an_upstream_that_answers(void **state)
{
    const struct given g = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: 3\r\n\r\n",
        .route = "/",
        .path = FORWARDS "answered- nothing_processed+ content_replayable+ attempts_left+ attempt_again> "
                         "answered_again+ " RELAYED,
        .why = R_upstream_answered,
        .method = M_GET,
        .forwarding = { APP, .status = 503, .relayed = true, .count = 2,
                        .tries = { { NAMED("app1:8080"), .why = R_upstream_connection_refused, .harmless = true },
                                   { NAMED("app2:8080"), .connect_ms = 1, .head_ms = 27 } } },
    };

    (void)state;
    tells(&g, "is_origin",
          "is_origin no e-is_origin-no route=/ resource=file\n"
          "open_forward done e-open_forward-next resource=file upstream=app\n"
          "proxies no e-proxies-no resource=file\n"
          "loop_free yes e-loop_free-yes Via=null\n"
          "forwards_left yes e-forwards_left-yes method=GET Max-Forwards=3\n"
          "attempt done e-attempt-next server=app1:8080 kept_connection=false\n"
          "answered no e-answered-no failed=upstream-connection-refused\n"
          "nothing_processed yes e-nothing_processed-yes harmless=true\n"
          "content_replayable yes e-content_replayable-yes Content-Length=null\n"
          "attempts_left yes e-attempts_left-yes upstream=app route=/\n"
          "attempt_again done e-attempt_again-next server=app2:8080 kept_connection=false connect_ms=1 head_ms=27\n"
          "answered_again yes e-answered_again-yes failed=null\n"
          "relay done e-relay-next server=app2:8080 upstream_status=503\n"
          "protocol_taken_up no e-protocol_taken_up-no Upgrade=null\n"
          "tunnel_made no e-tunnel_made-no method=GET\n"
          "content_changed no e-content_changed-no route=/\n"
          "end r-content_changed-no e-content_changed-no\n");
}

static void an_upstream_that_does_not_answer(void **state)
{
    const struct given refused_thrice = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "app3:8080",
        .route = "/",
        .path = FORWARDS "answered- nothing_processed- repeat_safe+ content_replayable+ attempts_left+ attempt_again> "
                         "answered_again- nothing_processed_again- repeat_safe_again+ content_replayable_again+ "
                         "attempts_left_again+ attempt_last> answered_last- give_up>",
        .why = R_upstream_connection_refused,
        .at = ECONNREFUSED,
        .method = M_GET,
        .forwarding = { APP, .count = 3,
                        .tries = { { NAMED("app1:8080"), .why = R_upstream_connection_terminated, .kept = true },
                                   { NAMED("app2:8080"), .why = R_upstream_read_timeout, .send_ms = 2 },
                                   { NAMED("app3:8080"), .why = R_upstream_connection_refused, .harmless = true } } },
    };
    const struct given bad_line = {
        .request = "POST /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .route = "/",
        .path = FORWARDS "answered- nothing_processed- repeat_safe- give_up>",
        .why = R_upstream_headers_unparseable,
        .at = 17,
        .method = M_POST,
        .forwarding = { APP, .count = 1, .tries = { { NAMED("app1:8080"), .why = R_upstream_headers_unparseable } } },
    };
    const struct given too_many = {
        .request = "POST /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .route = "/",
        .path = FORWARDS "answered- nothing_processed- repeat_safe- give_up>",
        .why = R_upstream_interim_flood,
        .at = 11,
        .method = M_POST,
        .forwarding = { APP, .count = 1, .tries = { { NAMED("app1:8080"), .why = R_upstream_interim_flood } } },
    };

    (void)state;
    tells(&refused_thrice, "nothing_processed",
          "nothing_processed no e-nothing_processed-no harmless=false\n"
          "repeat_safe yes e-repeat_safe-yes method=GET\n"
          "content_replayable yes e-content_replayable-yes Content-Length=null\n"
          "attempts_left yes e-attempts_left-yes upstream=app route=/\n"
          "attempt_again done e-attempt_again-next server=app2:8080 kept_connection=false send_ms=2\n"
          "answered_again no e-answered_again-no failed=upstream-read-timeout\n"
          "nothing_processed_again no e-nothing_processed_again-no harmless=false\n"
          "repeat_safe_again yes e-repeat_safe_again-yes method=GET\n"
          "content_replayable_again yes e-content_replayable_again-yes Content-Length=null\n"
          "attempts_left_again yes e-attempts_left_again-yes upstream=app route=/\n"
          "attempt_last done e-attempt_last-next server=app3:8080 kept_connection=false\n"
          "answered_last no e-answered_last-no failed=upstream-connection-refused\n"
          "give_up stopped e-give_up-stop-upstream-connection-refused tries=3 server=app3:8080 operand=app3:8080 "
          "errno=ECONNREFUSED\n"
          "end r-give_up-stop e-give_up-stop-upstream-connection-refused\n");
    tells(&bad_line, "give_up",
          "give_up stopped e-give_up-stop-upstream-headers-unparseable tries=1 server=app1:8080 offset=17\n"
          "end r-give_up-stop e-give_up-stop-upstream-headers-unparseable\n");
    tells(&too_many, "give_up",
          "give_up stopped e-give_up-stop-upstream-interim-flood tries=1 server=app1:8080\n"
          "end r-give_up-stop e-give_up-stop-upstream-interim-flood\n");
}

/* The try is there from when it begins; before, nothing is said of it. */
static void a_request_cut_short_on_its_way(void **state)
{
    struct given g = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        .route = "/",
        .path = ALLOWED "has_content+ length_given+ content_fits+ content_stored- hints_due- is_origin- open_forward> "
                        "proxies- loop_free+ forwards_left+ attempt>",
        .why = R_request_content_cut_short,
        .at = 4,
        .method = M_PUT,
        .forwarding = { APP, .count = 1, .tries = { { NAMED("app1:8080"), .kept = true } } },
    };

    (void)state;
    tells(&g, "attempt",
          "attempt stopped e-attempt-stop-request-content-cut-short server=app1:8080 kept_connection=true offset=4\n"
          "end r-attempt-stop e-attempt-stop-request-content-cut-short\n");
    g.forwarding.count = 0;
    tells(&g, "attempt",
          "attempt stopped e-attempt-stop-request-content-cut-short offset=4\n"
          "end r-attempt-stop e-attempt-stop-request-content-cut-short\n");
}

static void a_tunnel_through_a_proxy(void **state)
{
    const struct given g = {
        .request = "CONNECT o:443 HTTP/1.1\r\nHost: o:443\r\nProxy-Authorization: [removed]\r\n\r\n",
        .route = "/",
        .path = ALLOWED
        "has_content- hints_due- is_origin- open_forward> proxies+ client_served+ client_let_in+ "
        "authenticate> destination_named+ scheme_spoken+ port_allowed+ plain_port_allowed+ loop_free+ forwards_left+ "
        "attempt> answered+ relay> protocol_taken_up- tunnel_made+",
        .why = R_proxy_tunnel_opened,
        .method = M_CONNECT,
        .waits = { { "password", 80 } },
        .forwarding = { .upstream = "o:443", .upstream_bytes = 5, .count = 1, .tries = { { NAMED("o:443") } } },
    };

    (void)state;
    tells(&g, "proxies",
          "proxies yes e-proxies-yes resource=file\n"
          "client_served yes e-client_served-yes client=192.0.2.7\n"
          "client_let_in yes e-client_let_in-yes client=192.0.2.7\n"
          "authenticate done e-authenticate-next Proxy-Authorization=[removed] password_ms=80\n"
          "destination_named yes e-destination_named-yes target=o:443\n"
          "scheme_spoken yes e-scheme_spoken-yes target=o:443\n"
          "port_allowed yes e-port_allowed-yes method=CONNECT target=o:443\n"
          "plain_port_allowed yes e-plain_port_allowed-yes method=CONNECT target=o:443\n"
          "loop_free yes e-loop_free-yes Via=null\n"
          "forwards_left yes e-forwards_left-yes method=CONNECT Max-Forwards=null\n"
          "attempt done e-attempt-next server=o:443 kept_connection=false\n"
          "answered yes e-answered-yes failed=null\n"
          "relay done e-relay-next server=o:443 upstream_status=null\n"
          "protocol_taken_up no e-protocol_taken_up-no Upgrade=null\n"
          "tunnel_made yes e-tunnel_made-yes method=CONNECT\n"
          "end r-tunnel_made-yes e-tunnel_made-yes\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upstream_that_answers),
        cmocka_unit_test(an_upstream_that_does_not_answer),
        cmocka_unit_test(a_request_cut_short_on_its_way),
        cmocka_unit_test(a_tunnel_through_a_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
