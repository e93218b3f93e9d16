#include "told.h"

static void a_file_that_is_read(void **state)
{
    const struct given g = {
        .request = "GET /docs/./a%20b.txt?x=1 HTTP/1.1\r\nHost: example.org:8080\r\nAccept-Encoding: br\r\n"
                   "accept-encoding: gzip\r\n\r\n",
        .reply = "HTTP/1.1 200 OK\r\nETag: \"k3\"\r\n\r\n",
        .route = "/docs",
        .path = ENCODED "is_conditional- reads+ range_asked- produce>",
        .why = R_request_ok,
        .method = M_GET,
        .facts = { .exists = true, .coding_acceptable = true, .has_etag = true, .length = 1234 },
        .waits = { { "open", 3 }, { "encode", 0 } },
    };

    (void)state;
    tells(&g, NULL,
          "receive done e-receive-next bytes_in=78 field_lines=3 head_ms=2\n"
          "admitted yes e-admitted-yes\n"
          "port_fits yes e-port_fits-yes port=plain\n"
          "version_supported yes e-version_supported-yes version=HTTP/1.1\n"
          "method_known yes e-method_known-yes method=GET\n"
          "understand done e-understand-next target=/docs/./a%20b.txt?x=1 Host=example.org:8080\n"
          "expectation_met yes e-expectation_met-yes Expect=null version=HTTP/1.1\n"
          "server_wide no e-server_wide-no target=/docs/./a%20b.txt?x=1\n"
          "route done e-route-next host=example.org path=/docs/a b.txt\n"
          "secured no e-secured-no tls=none\n"
          "port_moves no e-port_moves-no port=plain\n"
          "https_meant no e-https_meant-no target=/docs/./a%20b.txt?x=1 client=192.0.2.7\n"
          "tls_wanted no e-tls_wanted-no route=/docs\n"
          "site_known yes e-site_known-yes host=example.org site=example.org\n"
          "site_running yes e-site_running-yes site=example.org\n"
          "route_found yes e-route_found-yes site=example.org path=/docs/a b.txt\n"
          "replay_possible no e-replay_possible-no early=false Early-Data=null client=192.0.2.7\n"
          "path_fits yes e-path_fits-yes path_bytes=17\n"
          "query_fits yes e-query_fits-yes query_bytes=3\n"
          "segments_fit yes e-segments_fit-yes segments=2\n"
          "answer_configured no e-answer_configured-no route=/docs resource=file\n"
          "method_allowed yes e-method_allowed-yes method=GET route=/docs resource=file\n"
          "asks_trace no e-asks_trace-no method=GET\n"
          "name_visible yes e-name_visible-yes path=/docs/a b.txt\n"
          "has_content no e-has_content-no Content-Length=null Transfer-Encoding=null\n"
          "hints_due no e-hints_due-no method=GET version=HTTP/1.1 route=/docs\n"
          "is_origin yes e-is_origin-yes route=/docs resource=file\n"
          "open done e-open-next resource=file path=/docs/a b.txt open_ms=3\n"
          "asks_options no e-asks_options-no method=GET\n"
          "condition_demanded no e-condition_demanded-no method=GET route=/docs\n"
          "exists yes e-exists-yes exists=true\n"
          "is_collection no e-is_collection-no is_collection=false\n"
          "select done e-select-next\n"
          "negotiates no e-negotiates-no negotiates=false\n"
          "encode done e-encode-next Accept-Encoding=br, gzip encode_ms=0\n"
          "coding_acceptable yes e-coding_acceptable-yes coding_acceptable=true Accept-Encoding=br, gzip\n"
          "is_conditional no e-is_conditional-no If-Match=null If-None-Match=null If-Modified-Since=null "
          "If-Unmodified-Since=null\n"
          "reads yes e-reads-yes method=GET\n"
          "range_asked no e-range_asked-no method=GET Range=null resource=file\n"
          "produce done e-produce-next length=1234\n"
          "end r-produce-next e-produce-next\n");
}

static void a_copy_that_is_current(void **state)
{
    const struct given g = {
        .request = "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"old\", \"k3\"\r\n\r\n",
        .reply = "HTTP/1.1 304 Not Modified\r\nETag: \"k3\"\r\n\r\n",
        .route = "/",
        .path = ENCODED "is_conditional+ has_if_match- has_if_unmodified- has_if_none_match+ if_none_match_holds- "
                        "read_method+",
        .why = R_not_modified,
        .method = M_GET,
        .facts = { .exists = true, .has_etag = true, .has_modified = true, .modified = MODIFIED },
    };

    (void)state;
    tells(&g, "is_conditional",
          "is_conditional yes e-is_conditional-yes If-Match=null If-None-Match=\"old\", \"k3\" If-Modified-Since=null "
          "If-Unmodified-Since=null\n"
          "has_if_match no e-has_if_match-no If-Match=null\n"
          "has_if_unmodified no e-has_if_unmodified-no If-Unmodified-Since=null "
          "modified=Thu, 31 Dec 2026 23:59:59 GMT\n"
          "has_if_none_match yes e-has_if_none_match-yes If-None-Match=\"old\", \"k3\"\n"
          "if_none_match_holds no e-if_none_match_holds-no If-None-Match=\"old\", \"k3\" ETag=\"k3\"\n"
          "read_method yes e-read_method-yes method=GET\n"
          "end r-read_method-yes e-read_method-yes\n");
}

static void a_part(void **state)
{
    const struct given g = {
        .request = "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\nIf-Range: \"k3\"\r\n\r\n",
        .reply = "HTTP/1.1 206 Partial Content\r\nETag: \"k3\"\r\nContent-Range: bytes 0-9/100\r\n\r\n",
        .route = "/",
        .path = ENCODED "is_conditional- reads+ range_asked+ if_range_holds+ plan_ranges> range_understood+ "
                        "range_satisfiable+ produce_part>",
        .why = R_partial_content,
        .method = M_GET,
        .facts = { .exists = true, .has_etag = true, .length = 100 },
    };

    (void)state;
    tells(&g, "range_asked",
          "range_asked yes e-range_asked-yes method=GET Range=bytes=0-9 resource=file\n"
          "if_range_holds yes e-if_range_holds-yes If-Range=\"k3\" ETag=\"k3\" modified=null\n"
          "plan_ranges done e-plan_ranges-next\n"
          "range_understood yes e-range_understood-yes Range=bytes=0-9 length=100\n"
          "range_satisfiable yes e-range_satisfiable-yes Range=bytes=0-9 length=100\n"
          "produce_part done e-produce_part-next Content-Range=bytes 0-9/100\n"
          "end r-produce_part-next e-produce_part-next\n");
}

static void nothing_at_the_path(void **state)
{
    const struct given g = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "/a",
        .route = "/",
        .path = OPENED "exists- would_create- was_removed-",
        .why = R_not_found,
        .method = M_GET,
    };

    (void)state;
    tells(&g, "exists",
          "exists no e-exists-no exists=false\n"
          "would_create no e-would_create-no method=GET\n"
          "was_removed no e-was_removed-no was_removed=false operand=/a\n"
          "end r-was_removed-no e-was_removed-no\n");
}

static void a_condition_that_is_false(void **state)
{
    const struct given g = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nIf-Match: \"old\"\r\n\r\n",
        .reply = "HTTP/1.1 412 Precondition Failed\r\nETag: \"k3\"\r\n\r\n",
        .operand = "If-Match",
        .route = "/",
        .path = STORES_THERE "coding_acceptable+ is_conditional+ has_if_match+ if_match_holds- may_be_applied-",
        .why = R_if_match_failed,
        .method = M_PUT,
        .facts = { .exists = true, .has_etag = true, .length = 9 },
    };

    (void)state;
    tells(&g, "has_if_match",
          "has_if_match yes e-has_if_match-yes If-Match=\"old\"\n"
          "if_match_holds no e-if_match_holds-no If-Match=\"old\" ETag=\"k3\"\n"
          "may_be_applied no e-may_be_applied-no method=PUT Content-Length=5 length=9 operand=If-Match\n"
          "end r-may_be_applied-no e-may_be_applied-no\n");
}

static void a_method_that_is_not_allowed(void **state)
{
    const struct given g = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .reply = "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n",
        .operand = "PUT",
        .route = "/",
        .path = ARRIVE ROUTED "method_allowed-",
        .why = R_method_not_allowed,
        .method = M_PUT,
    };

    (void)state;
    tells(
        &g, "method_allowed",
        "method_allowed no e-method_allowed-no method=PUT route=/ resource=file Allow=GET, HEAD, OPTIONS operand=PUT\n"
        "end r-method_allowed-no e-method_allowed-no\n");
}

static void a_head_that_is_refused(void **state)
{
    const struct given bad_byte = {
        .request = "GET /\rHTTP/1.1\r\n",
        .path = "receive>",
        .why = R_bare_carriage_return,
        .at = 5,
        .unreadable = true,
    };
    const struct given bad_host = {
        .request = "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        .operand = "Host",
        .path = "receive> admitted+ port_fits+ version_supported+ method_known+ understand>",
        .why = R_host_missing_or_invalid,
        .at = 23,
        .method = M_GET,
    };

    (void)state;
    tells(&bad_byte, NULL,
          "receive stopped e-receive-stop-bare-carriage-return bytes_in=78 head_ms=2 offset=5\n"
          "end r-receive-stop e-receive-stop-bare-carriage-return\n");
    tells(&bad_host, "understand",
          "understand stopped e-understand-stop-host-missing-or-invalid target=/ Host=a b operand=Host offset=23\n"
          "end r-understand-stop e-understand-stop-host-missing-or-invalid\n");
}

static void an_act_that_stops(void **state)
{
    const struct given denied = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "/a",
        .route = "/",
        .path = ALLOWED "has_content- hints_due- is_origin+ open>",
        .why = R_acl_denied,
        .at = EACCES,
        .method = M_GET,
        .waits = { { "open", 1 } },
    };
    const struct given full = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .route = "/",
        .path = ALLOWED "has_content- hints_due- is_origin+ open>",
        .why = R_helper_queue_full,
        .method = M_GET,
    };
    const struct given redirect = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .reply = "HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n",
        .operand = "/b",
        .route = "/a",
        .path = ARRIVE FITS "segments_fit+ answer_configured+ tunnels- give_answer>",
        .why = R_moved_temporarily,
        .method = M_GET,
    };

    (void)state;
    tells(&denied, "open",
          "open stopped e-open-stop-acl-denied resource=file path=/a open_ms=1 operand=/a errno=EACCES\n"
          "end r-open-stop e-open-stop-acl-denied\n");
    tells(&full, "open",
          "open stopped e-open-stop-helper-queue-full resource=file path=/a\n"
          "end r-open-stop e-open-stop-helper-queue-full\n");
    tells(&redirect, "give_answer",
          "give_answer stopped e-give_answer-stop-moved-temporarily route=/a Location=/b operand=/b\n"
          "end r-give_answer-stop e-give_answer-stop-moved-temporarily\n");
}

static void a_client_that_leaves(void **state)
{
    const struct given during_open = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .route = "/",
        .path = ALLOWED "has_content- hints_due- is_origin+ open>",
        .why = R_client_closed_request,
        .method = M_GET,
        .unanswered = true,
    };
    const struct given during_remove = {
        .request = "DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .route = "/",
        .path = ENCODED "is_conditional- reads- removes+ remove>",
        .why = R_client_closed_request,
        .method = M_DELETE,
        .unanswered = true,
    };
    const struct given during_content = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n",
        .route = "/",
        .path = STORES
        "hints_due- is_origin+ open> asks_options- condition_demanded- exists- would_create+ names_collection- "
        "parent_exists+ create_guarded- store>",
        .why = R_client_closed_request,
        .at = 100,
        .method = M_PUT,
        .facts = { .parent_exists = true },
        .waits = { { "open", 1 }, { "create", 2 }, { "content", 40 } },
    };

    (void)state;
    tells(&during_open, "open", "open waits null resource=file path=/a\nno end\n");
    tells(&during_remove, "remove", "remove waits null\nno end\n");
    tells(&during_content, "parent_exists",
          "parent_exists yes e-parent_exists-yes parent_exists=true\n"
          "create_guarded no e-create_guarded-no If-Match=null\n"
          "store stopped e-store-stop-client-closed-request Content-Length=500 create_ms=2 content_ms=40 offset=100\n"
          "end r-store-stop e-store-stop-client-closed-request\n");
}

/* The answer to a finished act found no memory: the reason is not one that the graph came to. */
static void an_answer_without_memory(void **state)
{
    const struct given after_remove = {
        .request = "DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "65536 bytes",
        .route = "/",
        .path = ENCODED "is_conditional- reads- removes+ remove>",
        .why = R_exchange_memory_exhausted,
        .at = 65536,
        .method = M_DELETE,
        .facts = { .exists = true },
    };
    const struct given in_store = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        .route = "/",
        .path = STORES_THERE "coding_acceptable+ is_conditional- reads- removes- store>",
        .why = R_exchange_memory_exhausted,
        .at = 65536,
        .method = M_PUT,
    };

    (void)state;
    tells(&after_remove, "removes",
          "removes yes e-removes-yes method=DELETE\n"
          "remove done e-remove-next operand=65536 bytes\n"
          "end r-remove-next e-remove-next\n");
    tells(&in_store, "store", "store stopped null Content-Length=5\nend r-store-stop null\n");
}

/* The tag in the reply is that of what was stored, not the one that the condition was held against. */
static void a_file_that_is_replaced(void **state)
{
    const struct given g = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nIf-Match: \"k3\"\r\n\r\n",
        .reply = "HTTP/1.1 204 No Content\r\nETag: \"k4\"\r\n\r\n",
        .route = "/",
        .path = STORES_THERE "coding_acceptable+ is_conditional+ has_if_match+ if_match_holds+ has_if_none_match- "
                             "read_with_if_modified- reads- removes- store> was_created-",
        .why = R_replaced,
        .method = M_PUT,
        .facts = { .exists = true, .has_etag = true, .has_modified = true, .modified = MODIFIED },
        .waits = { { "create", 2 }, { "turn", 1 }, { "store", 7 } },
    };

    (void)state;
    tells(&g, "if_match_holds",
          "if_match_holds yes e-if_match_holds-yes If-Match=\"k3\"\n"
          "has_if_none_match no e-has_if_none_match-no If-None-Match=null\n"
          "read_with_if_modified no e-read_with_if_modified-no method=PUT If-Modified-Since=null "
          "modified=Thu, 31 Dec 2026 23:59:59 GMT\n"
          "reads no e-reads-no method=PUT\n"
          "removes no e-removes-no method=PUT\n"
          "store done e-store-next Content-Length=5 create_ms=2 turn_ms=1 store_ms=7\n"
          "was_created no e-was_created-no created=false\n"
          "end r-was_created-no e-was_created-no\n");
}

static void a_server_that_is_full(void **state)
{
    const struct given g = {
        .request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "10 connections",
        .path = "receive> admitted- descriptors_left+ server_has_room+",
        .why = R_connection_limit_per_client,
        .method = M_GET,
    };

    (void)state;
    tells(&g, "admitted",
          "admitted no e-admitted-no\n"
          "descriptors_left yes e-descriptors_left-yes\n"
          "server_has_room yes e-server_has_room-yes client=192.0.2.7 operand=10 connections\n"
          "end r-server_has_room-yes e-server_has_room-yes\n");
}

static void hosts_and_targets_of_other_forms(void **state)
{
    const struct given absolute = {
        .request = "GET http://Other.example:81 HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "Other.example",
        .path = ARRIVE "route> secured- port_moves- https_meant- tls_wanted- site_known-",
        .why = R_site_not_found,
        .method = M_GET,
    };
    const struct given unrouted = {
        .request = "GET /a HTTP/1.1\r\nHost: example.org\r\n\r\n",
        .operand = "/a",
        .path = ARRIVE SITED "route_found-",
        .why = R_route_not_found,
        .method = M_GET,
    };
    const struct given asterisk = {
        .request = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        .reply = "HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n",
        .path =
            "receive> admitted+ port_fits+ version_supported+ method_known+ understand> expectation_met+ server_wide+ "
            "describe_server>",
        .why = R_server_options_answered,
        .method = M_OPTIONS,
    };
    const struct given no_host = {
        .request = "GET /%ff%41 HTTP/1.0\r\n\r\n",
        .path = ARRIVE "route> secured- port_moves- https_meant- tls_wanted- site_known-",
        .why = R_site_not_found,
        .method = M_GET,
    };

    (void)state;
    tells(&absolute, "route",
          "route done e-route-next host=Other.example path=/\n"
          "secured no e-secured-no tls=none\n"
          "port_moves no e-port_moves-no port=plain\n"
          "https_meant no e-https_meant-no target=http://Other.example:81 client=192.0.2.7\n"
          "tls_wanted no e-tls_wanted-no route=null\n"
          "site_known no e-site_known-no host=Other.example site=null operand=Other.example\n"
          "end r-site_known-no e-site_known-no\n");
    tells(&unrouted, "route_found",
          "route_found no e-route_found-no site=example.org path=/a operand=/a\n"
          "end r-route_found-no e-route_found-no\n");
    tells(&asterisk, "server_wide",
          "server_wide yes e-server_wide-yes target=*\n"
          "describe_server done e-describe_server-next Allow=GET\n"
          "end r-describe_server-next e-describe_server-next\n");
    tells(&no_host, "route",
          "route done e-route-next host=null path=/\xEF\xBF\xBD"
          "A\n"
          "secured no e-secured-no tls=none\n"
          "port_moves no e-port_moves-no port=plain\n"
          "https_meant no e-https_meant-no target=/%ff%41 client=192.0.2.7\n"
          "tls_wanted no e-tls_wanted-no route=null\n"
          "site_known no e-site_known-no host=null site=null\n"
          "end r-site_known-no e-site_known-no\n");
}

#define SECURED ARRIVE "route> secured+ authority_covered+ tls_strong+ "
#define TALKS   "site_known+ site_running+ route_found+ replay_possible- path_fits+ query_fits+ segments_fit+ "

static void a_connection_that_will_not_do(void **state)
{
    const struct given uncovered = {
        .request = "GET / HTTP/1.1\r\nHost: other.example\r\n\r\n",
        .operand = "other.example",
        .path = ARRIVE "route> secured+ authority_covered-",
        .why = R_misdirected,
        .method = M_GET,
        .brought = { .tls_version = TRANSPORT_TLS12 },
    };
    const struct given stranger = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .operand = "CN=bob",
        .route = "/a",
        .path = SECURED "certificate_asked+ certificate_shown+ certificate_current+ certificate_standing+ "
                        "certificate_trusted+ subject_admitted-",
        .why = R_client_cert_mapping_denied,
        .method = M_GET,
        .brought = { .tls_version = TRANSPORT_TLS13, .certificate_asked = true },
    };
    const struct given plain = {
        .request = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
        .reply = "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a/a\r\n\r\n",
        .route = "/a",
        .path = ARRIVE "route> secured- port_moves- https_meant- tls_wanted+ tls_redirects+",
        .why = R_tls_redirect,
        .method = M_GET,
    };

    (void)state;
    tells(&uncovered, "secured",
          "secured yes e-secured-yes tls=TLSv1.2\n"
          "authority_covered no e-authority_covered-no host=other.example operand=other.example\n"
          "end r-authority_covered-no e-authority_covered-no\n");
    tells(&stranger, "tls_strong",
          "tls_strong yes e-tls_strong-yes tls=TLSv1.3 route=/a\n"
          "certificate_asked yes e-certificate_asked-yes certificate=good site=example.org\n"
          "certificate_shown yes e-certificate_shown-yes certificate=good\n"
          "certificate_current yes e-certificate_current-yes certificate=good\n"
          "certificate_standing yes e-certificate_standing-yes certificate=good\n"
          "certificate_trusted yes e-certificate_trusted-yes certificate=good\n"
          "subject_admitted no e-subject_admitted-no route=/a operand=CN=bob\n"
          "end r-subject_admitted-no e-subject_admitted-no\n");
    tells(&plain, "tls_wanted",
          "tls_wanted yes e-tls_wanted-yes route=/a\n"
          "tls_redirects yes e-tls_redirects-yes route=/a host=a Location=https://a/a\n"
          "end r-tls_redirects-yes e-tls_redirects-yes\n");
}

static void a_change_in_early_data(void **state)
{
    const struct given g = {
        .request = "PUT /a HTTP/1.1\r\nHost: a\r\nEarly-Data: 1\r\n\r\n",
        .operand = "PUT",
        .route = "/",
        .path = ARRIVE SITED "route_found+ replay_possible+ replay_safe-",
        .why = R_too_early,
        .method = M_PUT,
        .brought = { .tls_version = TRANSPORT_TLS13, .early = true },
    };

    (void)state;
    tells(&g, "replay_possible",
          "replay_possible yes e-replay_possible-yes early=true Early-Data=1 client=192.0.2.7\n"
          "replay_safe no e-replay_safe-no method=PUT operand=PUT\n"
          "end r-replay_safe-no e-replay_safe-no\n");
}

static void a_websocket_by_upgrade(void **state)
{
    const struct given h1 = {
        .request = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n"
                   "connection: upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 8\r\n\r\n",
        .operand = "Sec-WebSocket-Version",
        .route = "/chat",
        .path = ARRIVE FITS "segments_fit+ answer_configured+ tunnels+ tunnel_method+ open_tunnel> tunnel_options- "
                            "connects- websocket_offered+ websocket_key_valid+ websocket_version_given+ "
                            "websocket_version_spoken-",
        .why = R_websocket_version_unsupported,
        .method = M_GET,
    };
    const struct given cut_short = {
        .request = "GET /chat HTTP/1.1\r\nHost: a\r\n\r\n",
        .route = "/chat",
        .path = ARRIVE FITS "segments_fit+ answer_configured+ tunnels+ tunnel_method+ open_tunnel> tunnel_options- "
                            "connects- websocket_offered+ websocket_key_valid+ websocket_version_given+ "
                            "websocket_version_spoken+ has_stream- switch_protocol>",
        .why = R_request_content_cut_short,
        .at = 3,
        .method = M_GET,
        .waits = { { "content", 7 } },
    };

    (void)state;
    tells(&h1, "tunnels",
          "tunnels yes e-tunnels-yes route=/chat resource=file\n"
          "tunnel_method yes e-tunnel_method-yes method=GET route=/chat resource=file\n"
          "open_tunnel done e-open_tunnel-next resource=file path=/chat\n"
          "tunnel_options no e-tunnel_options-no method=GET\n"
          "connects no e-connects-no method=GET version=HTTP/1.1\n"
          "websocket_offered yes e-websocket_offered-yes version=HTTP/1.1 Connection=keep-alive, upgrade "
          "Upgrade=websocket\n"
          "websocket_key_valid yes e-websocket_key_valid-yes Sec-WebSocket-Key=dGhlIHNhbXBsZSBub25jZQ==\n"
          "websocket_version_given yes e-websocket_version_given-yes Sec-WebSocket-Version=8\n"
          "websocket_version_spoken no e-websocket_version_spoken-no Sec-WebSocket-Version=8 "
          "operand=Sec-WebSocket-Version\n"
          "end r-websocket_version_spoken-no e-websocket_version_spoken-no\n");
    tells(&cut_short, "has_stream",
          "has_stream no e-has_stream-no version=HTTP/1.1\n"
          "switch_protocol stopped e-switch_protocol-stop-request-content-cut-short content_ms=7 offset=3\n"
          "end r-switch_protocol-stop e-switch_protocol-stop-request-content-cut-short\n");
}

static void a_websocket_by_connect(void **state)
{
    const struct given g = {
        .request = "CONNECT /chat HTTP/2\r\nhost: a\r\n\r\n",
        .route = "/chat",
        .path = SECURED "certificate_asked- " TALKS "answer_configured+ tunnels+ tunnel_method+ open_tunnel> "
                        "tunnel_options- connects+ connect_protocol_spoken+ websocket_version_given+ "
                        "websocket_version_spoken+ has_stream+ open_stream>",
        .why = R_tunnel_opened,
        .method = M_CONNECT,
        .h2 = true,
    };

    (void)state;
    tells(&g, "open_tunnel",
          "open_tunnel done e-open_tunnel-next resource=file path=/chat\n"
          "tunnel_options no e-tunnel_options-no method=CONNECT\n"
          "connects yes e-connects-yes method=CONNECT version=HTTP/2.0\n"
          "connect_protocol_spoken yes e-connect_protocol_spoken-yes\n"
          "websocket_version_given yes e-websocket_version_given-yes Sec-WebSocket-Version=null\n"
          "websocket_version_spoken yes e-websocket_version_spoken-yes Sec-WebSocket-Version=null\n"
          "has_stream yes e-has_stream-yes version=HTTP/2.0\n"
          "open_stream done e-open_stream-next\n"
          "end r-open_stream-next e-open_stream-next\n");
}

/* Of what was cut off or taken out nothing is claimed. */
static void nothing_is_guessed(void **state)
{
    const struct given cut = {
        .request = "GET /a?k=[removed] HTTP/1.1\r\nExpect: 100-contin",
        .path = ARRIVE ROUTED "method_allowed-",
        .why = R_method_not_allowed,
        .method = M_GET,
        .request_cut = true,
    };
    const struct given cut_early = {
        .request = "GET /aaaaaaaaaaaaaaaa",
        .path = ARRIVE FITS "segments_fit-",
        .why = R_too_many_url_segments,
        .method = M_GET,
        .request_cut = true,
    };

    (void)state;
    tells(&cut, NULL,
          "receive done e-receive-next bytes_in=78 head_ms=2\n"
          "admitted yes e-admitted-yes\n"
          "port_fits yes e-port_fits-yes port=plain\n"
          "version_supported yes e-version_supported-yes version=HTTP/1.1\n"
          "method_known yes e-method_known-yes method=GET\n"
          "understand done e-understand-next target=/a?k=[removed]\n"
          "expectation_met yes e-expectation_met-yes Expect=100-contin version=HTTP/1.1\n"
          "server_wide no e-server_wide-no target=/a?k=[removed]\n"
          "route done e-route-next path=/a\n"
          "secured no e-secured-no tls=none\n"
          "port_moves no e-port_moves-no port=plain\n"
          "https_meant no e-https_meant-no target=/a?k=[removed] client=192.0.2.7\n"
          "tls_wanted no e-tls_wanted-no route=null\n"
          "site_known yes e-site_known-yes site=null\n"
          "site_running yes e-site_running-yes site=null\n"
          "route_found yes e-route_found-yes site=null path=/a\n"
          "replay_possible no e-replay_possible-no early=false client=192.0.2.7\n"
          "path_fits yes e-path_fits-yes path_bytes=2\n"
          "query_fits yes e-query_fits-yes\n"
          "segments_fit yes e-segments_fit-yes segments=1\n"
          "answer_configured no e-answer_configured-no route=null resource=null\n"
          "method_allowed no e-method_allowed-no method=GET route=null resource=null\n"
          "end r-method_allowed-no e-method_allowed-no\n");
    tells(&cut_early, "path_fits",
          "path_fits yes e-path_fits-yes\n"
          "query_fits yes e-query_fits-yes\n"
          "segments_fit no e-segments_fit-no\n"
          "end r-segments_fit-no e-segments_fit-no\n");
}

static void a_trace_that_no_graph_made(void **state)
{
    const struct given g = {
        .request = "GET / HTTP/1.1\r\n\r\n",
        .path = "receive> admitted+ port_fits+ exists-",
        .why = R_not_found,
        .method = M_GET,
    };

    (void)state;
    tells(&g, "admitted",
          "admitted yes e-admitted-yes\n"
          "port_fits yes e-port_fits-yes port=plain\n"
          "version_supported no e-version_supported-no version=HTTP/1.1\n"
          "end r-version_supported-no e-version_supported-no\n");
}

static const struct given refused = {
    .request = "GET /\xff\rHTTP/1.1\r\n",
    .operand = "\xff",
    .path = "receive>",
    .why = R_bare_carriage_return,
    .at = 6,
    .unreadable = true,
};

static void the_json_is_as_described(void **state)
{
    static const char *const words[LANGUAGES][2] = {
        { "Read the request line and the header fields.",
          "The head did not come whole, or was not taken: the reason says why." },
        { "读取请求行和首部字段。", "首部没有完整到达，或没有被接受：详见原因。" },
        { "讀取請求行和標頭欄位。", "標頭沒有完整送達，或沒有被接受：詳見原因。" },
    };
    struct record *r = record_of(&refused);
    json_t *end = story_end(r);

    (void)state;
    for (enum language l = 0; l < LANGUAGES; l++) {
        json_t *path = story_path(&source, r, l);
        char *got = json_dumps(path, JSON_COMPACT), want[1024];

        snprintf(want, sizeof want,
                 "[{\"node\":\"receive\",\"block\":\"arrive\",\"kind\":\"act\",\"answer\":\"stopped\","
                 "\"edge\":\"e-receive-stop-bare-carriage-return\",\"text\":\"%s\",\"says\":\"%s\","
                 "\"spec\":\"RFC9112:2.2\",\"facts\":[{\"name\":\"bytes_in\",\"value\":\"78\"},"
                 "{\"name\":\"head_ms\",\"value\":\"2\"},{\"name\":\"operand\",\"value\":\"\xEF\xBF\xBD\"},"
                 "{\"name\":\"offset\",\"value\":\"6\"}]}]",
                 words[l][0], words[l][1]);
        assert_string_equal(got, want);
        free(got);
        json_decref(path);
    }
    assert_string_equal(member(end, "box"), "r-receive-stop");
    assert_string_equal(member(end, "edge"), "e-receive-stop-bare-carriage-return");
    json_decref(end);
    free(r);
}

static bool has_fact(unsigned node)
{
    static const uint16_t nodes[] = {
#define FACT(node, tell, name) N_##node,
#define FLAG(node, member)     N_##node,
#define WAIT(node, what)
#define TOOK(node, member)
#include "admin/story.def"
#undef FACT
#undef FLAG
#undef WAIT
#undef TOOK
    };

    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        if (nodes[i] == node)
            return true;
    return false;
}

/* Of these a record holds nothing: how full the server is, and what the connection brought. */
static bool is_told_by_nothing(unsigned node)
{
    switch (node) {
    case N_admitted:
    case N_descriptors_left:
    case N_connect_protocol_spoken:
        return true;
    default:
        return false;
    }
}

/* Every other question tells something. */
static void questions_have_facts(void **state)
{
    (void)state;
    for (unsigned n = 0; n < GRAPH_NODES; n++)
        if (graph_nodes[n].ask != NULL && has_fact(n) == is_told_by_nothing(n))
            fail_msg("%s", graph_nodes[n].name);
}

static unsigned allocations_left;

static void *scarce_malloc(size_t bytes)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(bytes);
}

static json_t *path_with(const struct record *r, unsigned allocations)
{
    allocations_left = allocations;
    return story_path(&source, r, LANGUAGE_EN);
}

static json_t *end_with(const struct record *r, unsigned allocations)
{
    allocations_left = allocations;
    return story_end(r);
}

/* Without memory there is no half of a story. */
static void memory_fails(void **state)
{
    struct record *r = record_of(&refused);
    unsigned needed = 0;
    json_t *whole;

    (void)state;
    json_set_alloc_funcs(scarce_malloc, free);
    while ((whole = path_with(r, needed)) == NULL)
        needed++;
    assert_true(needed > 20);
    assert_int_equal(json_array_size(json_object_get(json_array_get(whole, 0), "facts")), 4);
    json_decref(whole);
    for (needed = 0; (whole = end_with(r, needed)) == NULL;)
        needed++;
    assert_true(needed > 2);
    json_decref(whole);
    json_set_alloc_funcs(malloc, free);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_read),
        cmocka_unit_test(a_copy_that_is_current),
        cmocka_unit_test(a_part),
        cmocka_unit_test(nothing_at_the_path),
        cmocka_unit_test(a_condition_that_is_false),
        cmocka_unit_test(a_method_that_is_not_allowed),
        cmocka_unit_test(a_head_that_is_refused),
        cmocka_unit_test(an_act_that_stops),
        cmocka_unit_test(a_client_that_leaves),
        cmocka_unit_test(an_answer_without_memory),
        cmocka_unit_test(a_file_that_is_replaced),
        cmocka_unit_test(a_server_that_is_full),
        cmocka_unit_test(hosts_and_targets_of_other_forms),
        cmocka_unit_test(a_connection_that_will_not_do),
        cmocka_unit_test(a_change_in_early_data),
        cmocka_unit_test(a_websocket_by_upgrade),
        cmocka_unit_test(a_websocket_by_connect),
        cmocka_unit_test(nothing_is_guessed),
        cmocka_unit_test(a_trace_that_no_graph_made),
        cmocka_unit_test(the_json_is_as_described),
        cmocka_unit_test(questions_have_facts),
        cmocka_unit_test(memory_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
