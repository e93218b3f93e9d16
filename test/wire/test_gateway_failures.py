"""Every way in which an upstream can fail before its answer passes has a name of its own, in all dialects: what is sent,
what Proxy-Status says, and what the log tells."""
import json
import threading

from harness import (CONNECT_FAILURES, FAILURES, Dns, Netns, Pki, Reset, Server, Sleep, Upstream, configured, expect,
                     expect_in, expect_true, full_path, full_port, refusing_port, response, test, verdict)

DIALECTS = ("rfc", "nginx", "iis", "cloudflare")
ROWS = {row["name"]: row for row in json.loads(verdict("reasons", "--format", "json").stdout)}

pki = Pki()
app = Upstream("app")
dns = Dns({"empty.test": []}).silent("silent.test").silent("silent-too.test").servfail("broken.test")
shaken = Upstream("shaken", tls=pki.server("up.test", "127.0.0.1"))
expired = Upstream("expired", tls=pki.server("127.0.0.1", days=(-9, -1)))
other = Upstream("other", tls=pki.server("other.test"))
unknown = Upstream("unknown", tls=Pki().server("127.0.0.1"))
picky = Upstream("picky", tls=pki.server("127.0.0.1"), tls_options={"client_ca": pki.ca})
narrow = Upstream("narrow", window_bytes=4096)
unwell = Upstream("unwell").answer("/health", response(500))


def asks_tls(failure):
    one = Upstream(failure)
    one.at_connect = CONNECT_FAILURES[failure]
    return one


TLS = {"tls": {"ca": str(pki.ca)}}
UPSTREAMS = {
    "app": {"servers": app.address, "keep": 0},  # each failure over a connection of its own
    "narrow": {"servers": narrow.address},
    "refusing": {"servers": f"127.0.0.1:{refusing_port()}"},
    "missing-path": {"servers": "unix:/nowhere/at-all"},
    "full": {"servers": f"127.0.0.1:{full_port()}", "connect_wait": "300ms"},
    "full-path": {"servers": f"unix:{full_path()}", "connect_wait": "300ms"},
    "multicast": {"servers": "224.0.0.1:80"},
    "nobody": {"servers": "nobody.test:80"},
    "empty": {"servers": "empty.test:80"},
    "broken": {"servers": "broken.test:80"},
    "silent": {"servers": "silent.test:80"},
    "silent-long": {"servers": "silent-too.test:80", "connect_wait": "50ms"},
    "unwell": {"servers": [unwell.address, f"{app.address} down"],
               "check": {"path": "/health", "interval": "100ms", "timeout": "50ms", "fall": 1}},
    **{failure: {"servers": asks_tls(failure).address, "connect_wait": "300ms", **TLS}
       for failure in ("plain-for-tls", "tls-alert", "tls-garbage", "tls-silent", "tls-close", "tls-reset")},
    "shaken": {"servers": shaken.address, **TLS},
    "expired": {"servers": expired.address, **TLS},
    "other": {"servers": other.address, **TLS},
    "unknown": {"servers": unknown.address, **TLS},
    "picky": {"servers": picky.address, **TLS},
}
SHORT = {"attempts": 1, "read_wait": "300ms", "write_wait": "300ms", "response_wait": "700ms", "head": "16KiB",
         "field": "4KiB", "interim": 3, "response_limit": 100000, "to": "/"}


def routes_of(names, **settings):
    return [{"path": f"/{dialect}/{name}/", "dialect": dialect,
             "gateway": {"upstream": name, **SHORT, **settings}} for dialect in DIALECTS for name in names]


def config_of(upstreams, **top):
    members = [{"name": name, "fails": 0, **keys} for name, keys in upstreams.items()]
    return configured(*routes_of(upstreams), upstreams=members, workers=1,
                      resolver={"servers": dns.address, "timeout": "100ms", "tries": 1}, **top)


site = Server(config=config_of(UPSTREAMS))


def in_all_dialects(target, request, server=site):
    """The answers to one request said in each dialect, at once: waiting costs only once."""
    connections = [server.connect() for _ in DIALECTS]
    method = request.split(" ", 1)[0]
    for dialect, connection in zip(DIALECTS, connections):
        connection.send(request.format(target=f"/{dialect}{target}"))
    answers = [connection.response(to=method) for connection in connections]
    for connection in connections:
        connection.close()
    return dict(zip(DIALECTS, answers))


GET = "GET {target} HTTP/1.1\r\nHost: a.test\r\n\r\n"


def detail_of(reason, dialect):
    """What the log tells besides the status."""
    code = ROWS[reason]["codes"][dialect]
    if "detail" not in code:
        return ""
    return f"{code['status']}.{code['detail']}" if dialect == "iis" else str(code["detail"])


def fails(reason, group, path="/", request=GET, server=site, tries=1):
    """The request ends with the reason, told as the catalogue says, in each dialect."""
    row = ROWS[reason]
    found = {}
    for dialect, answer in in_all_dialects(f"/{group}{path}", request, server).items():
        status = row["codes"][dialect]["status"]
        answer.expect(status, reason)
        expect(answer.get("Proxy-Status"), f"verdict;error={row['proxy_error']};next-hop={group}")
        expect(answer.get("Via"), None, "nobody's answer was passed on")
        line = found[dialect] = server.log_of(answer)
        expect((line["status"], line["reason"], line["detail"]), (status, reason, detail_of(reason, dialect)), dialect)
        expect((line["by"], line["upstream"], line["upstream_status"]), ("self", group, 0), dialect)
        expect([one["reason"] for one in line["tries"]], [reason] * tries, dialect)
    return found["rfc"]


def fails_after(reason, failure, request=GET, **how):
    """The request meets a failure of the scripted upstream."""
    path = f"/{failure}"
    app.fail(path, failure, **how)
    line = fails(reason, "app", path, request)
    expect(line["tries"][0]["server"], app.address)
    return line


# Finding and connecting


@test("R231", "R245")
def refused():
    line = fails("upstream-connection-refused", "refusing")
    expect(line["tries"][0]["server"], UPSTREAMS["refusing"]["servers"])
    fails("upstream-connection-refused", "missing-path")


@test("R231", "R245", "R247")
def connecting_takes_too_long():
    line = fails("upstream-connect-timeout", "full")
    expect_true(line["ms"]["wait"]["connect"] >= 290, line["ms"])
    fails("upstream-connect-timeout", "full-path")


@test("R245")
def there_is_no_route():
    fails("upstream-unroutable", "multicast")


@test("R245", "R231")
def a_path_that_rejects_or_swallows():
    with Netns() as ns:
        ends = {"rejected": {"servers": f"{ns.unroutable}:80"},
                "swallowed": {"servers": f"{ns.swallowed}:80", "connect_wait": "300ms"}}
        with Server(config=config_of(ends)) as server:
            server.get("/rfc/rejected/").expect(502, "upstream-unroutable")
            server.get("/cloudflare/rejected/").expect(523, "upstream-unroutable")
            fails("upstream-connect-timeout", "swallowed", server=server)


@test("R231")
def the_name_is_not_known():
    for group in ("nobody", "empty", "broken"):
        fails("upstream-dns-error", group)


@test("R232", "R231")
def the_name_server_is_silent():
    line = fails("upstream-dns-timeout", "silent")
    expect_true(line["ms"]["wait"]["connect"] >= 90, line["ms"])
    fails("upstream-dns-timeout", "silent-long")


@test()
def nobody_is_live():
    unwell.wait(lambda: len(unwell.requests) > 1, "check")
    line = fails("upstream-all-down", "unwell")
    expect(line["tries"][0]["server"], "")
    expect_true(int(site.get("/rfc/unwell/").expect(503).get("Retry-After")) > 0, "Retry-After")


# TLS


@test("R245")
def no_tls_is_spoken_there():
    for failure in ("plain-for-tls", "tls-garbage", "tls-close", "tls-reset"):
        fails("upstream-tls-handshake", failure)


@test("R245")
def the_server_sends_an_alert():
    line = fails("upstream-tls-alert", "tls-alert")
    expect(line["operand"], "handshake failure (the server's alert)")


@test("R245")
def the_server_wants_a_certificate():
    line = fails("upstream-tls-alert", "picky")
    expect(line["operand"], "certificate required (the server's alert)")


@test("R231")
def the_handshake_takes_too_long():
    fails("upstream-connect-timeout", "tls-silent")


@test("R245")
def the_certificate_is_no_good():
    for group, why in (("expired", "certificate has expired"), ("other", "IP address mismatch"),
                       ("unknown", "unable to get local issuer certificate")):
        line = fails("upstream-tls-certificate", group)
        expect(line["operand"], why)


@test()
def a_certificate_that_is_good():
    site.get("/rfc/shaken/").expect(200, "upstream-answered")


# Sending


MUCH = b"m" * (4 << 20)


def with_content(group, path, method="PUT", content=MUCH):
    """The answers, in each dialect, to requests whose content may not all be taken."""
    answers = {}
    for dialect in DIALECTS:
        with site.connect() as c:
            c.send(f"{method} /{dialect}/{group}{path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(content)}\r\n\r\n")
            sender = threading.Thread(target=lambda to=c: pour(to, content))
            sender.start()
            answers[dialect] = c.response(to=method)
        sender.join()
    return answers


def pour(connection, content):
    try:
        connection.socket.sendall(content)
    except OSError:
        pass


def fails_while_sent(reason, group, path):
    for dialect, answer in with_content(group, path).items():
        status = ROWS[reason]["codes"][dialect]["status"]
        answer.expect(status, reason)
        expect(answer.get("Proxy-Status"), f"verdict;error={ROWS[reason]['proxy_error']};next-hop={group}")
        line = site.log_of(answer)
        expect((line["status"], line["detail"], line["by"]), (status, detail_of(reason, dialect), "self"))
        expect([one["reason"] for one in line["tries"]], [reason])


@test("R231")
def the_upstream_takes_nothing():
    narrow.fail("/stuck", "unread-content")
    fails_while_sent("upstream-write-timeout", "narrow", "/stuck")


@test("R245")
def the_upstream_goes_while_it_is_written_to():
    narrow.script("/gone", [Sleep(0.1), Reset()], early=True)
    fails_while_sent("upstream-write-failed", "narrow", "/gone")


# Waiting for the head


@test("R147", "R231", "R245", "R247")
def no_answer_in_time():
    line = fails_after("upstream-read-timeout", "no-answer")
    expect_true(line["ms"]["wait"]["upstream"] >= 290, line["ms"])
    fails_after("upstream-read-timeout", "stall-in-head")


@test("R231", "R245")
def the_answer_drips():
    line = fails_after("upstream-response-timeout", "slow-head")
    expect_true(690 <= line["ms"]["wait"]["upstream"] < 1500, line["ms"])


@test("R147")
def the_clients_own_time_is_another():
    config = configured(*routes_of(["app"], read_wait="5s"), workers=1, times={"content_wait_ms": "300ms"},
                        upstreams=[{"name": "app", "servers": app.address}])
    with Server(config=config) as server, server.connect() as c:
        answer = c.send("PUT /rfc/app/c HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").response(to="PUT")
        answer.expect(408, "request-content-timeout")
        expect(answer.get("Proxy-Status"), "verdict;error=http_request_error;next-hop=app", "the client is at fault")


@test("R221", "R245")
def the_upstream_goes_without_an_answer():
    for failure in ("close-before-answer", "reset-before-answer", "close-unread", "close-in-head", "reset-in-head",
                    "interim-only"):
        fails_after("upstream-connection-terminated", failure)


# Heads


@test("R221", "R248", "R245")
def what_is_no_head():
    for failure in ("garbage", "garbage-line", "no-head", "empty-lines", "bad-status", "status-of-four"):
        fails_after("upstream-headers-unparseable", failure)


@test("R221", "R245")
def what_is_bad_http():
    for failure in ("bad-version", "status-below", "status-999", "no-colon", "no-name", "nul-in-field",
                    "cr-in-field", "control-in-field", "bare-lf", "two-lengths", "bad-length", "huge-length",
                    "length-and-chunked"):
        fails_after("upstream-bad-response", failure)


@test()
def white_space_before_a_colon_is_left_out():
    """RFC9112:5.1: of a response, which is passed on; what such a field says counts as if it were written well."""
    app.fail("/spaced", "space-before-colon")
    lines = b"X-A\t \t: a\r\nConnection : x-hop\r\nX-Hop : b\r\nTransfer-Encoding : chunked\r\n\r\n"
    app.script("/coded", [b"HTTP/1.1 200 OK\r\n" + lines + b"5\r\nhello\r\n0\r\n\r\n"])
    with site.connect() as c:
        answer = c.send(GET.format(target="/rfc/app/spaced")).response().expect(200, "upstream-answered")
        expect_in(("X-Field", "a"), answer.fields)
        expect(answer.text, "hello")
        answer = c.send(GET.format(target="/rfc/app/coded")).response().expect(200, "upstream-answered")
        expect((answer.get("X-A"), answer.get("X-Hop"), answer.text), ("a", None, "hello"))
    expect(site.log_of(answer)["upstream_status"], 200)


@test("R245")
def a_head_too_large():
    fails_after("upstream-headers-too-large", "huge-head")
    fails_after("upstream-headers-too-large", "many-fields")


@test("R245")
def a_line_too_large():
    for failure in ("huge-field", "huge-interim"):
        fails_after("upstream-header-line-too-large", failure)


@test("R245")
def too_many_interim_responses():
    fails_after("upstream-interim-flood", "interim-flood")
    app.script("/four-hints", FAILURES["interim-sequence"]()[0][:3] + [response(200, b"x")])
    with site.connect() as c:
        answer = c.send(GET.format(target="/rfc/app/four-hints")).response()
        expect([one.status for one in answer.interim], [102, 103], "100 was for this server")


@test("R221", "R245")
def a_transfer_coding_that_is_none():
    for failure in ("bad-coding", "coding-after-chunked", "chunked-twice"):
        fails_after("upstream-transfer-coding-error", failure)
    app.answer("/old-coding", response(200, pieces=[b"x"], version="1.0"))
    fails("upstream-transfer-coding-error", "app", "/old-coding")


@test()
def content_longer_than_it_may_be():
    app.answer("/long", response(200, b"l" * 100001))
    fails("upstream-body-too-large", "app", "/long")
    app.answer("/just", response(200, b"l" * 100000))
    site.get("/rfc/app/just").expect(200, "upstream-answered")


@test()
def a_switch_that_nobody_asked_for():
    fails_after("upstream-upgrade-failed", "switch")
    fails_after("upstream-upgrade-failed", "switch-bare")


# Ourselves


@test()
def a_request_that_cannot_go_on():
    fields = ", ".join(f"x-{i}" for i in range(200))
    request = f"GET {{target}} HTTP/1.1\r\nHost: a\r\nConnection: {fields}\r\n\r\n"
    for dialect, answer in in_all_dialects("/app/", request).items():
        row = ROWS["gateway-cannot-forward-request"]
        answer.expect(row["codes"][dialect]["status"], row["name"])


@test()
def the_limit_of_connections():
    limited = {"one": {"servers": app.address, "connections": 1},
               "queue": {"servers": app.address, "connections": 1, "queue": 4, "queue_wait": "200ms"}}
    app.fail("/wait", "late-answer", seconds=0.6)
    with Server(config=config_of(limited).replace('"read_wait": "300ms"', '"read_wait": "3s"')) as server:
        for group, reason in (("one", "upstream-connection-limit"), ("queue", "upstream-queue-timeout")):
            app.reset_log()
            with server.connect() as busy:
                busy.send(GET.format(target=f"/rfc/{group}/wait"))
                app.wait_requests(1)
                fails(reason, group, server=server)
                expect_true(int(server.get(f"/rfc/{group}/").expect(503, reason).get("Retry-After")) > 0, "Retry-After")
                busy.response().expect(200, "upstream-answered")
            server.get(f"/rfc/{group}/").expect(200, "upstream-answered")


# What others call it


@test("R245", "R247", "R248")
def numbers_of_others():
    for number, reason in (("598", "upstream-read-timeout"), ("599", "upstream-connect-timeout"),
                           ("600", "upstream-headers-unparseable"), ("cloudflare:520", "upstream-bad-response"),
                           ("cloudflare:521", "upstream-connection-refused"), ("iis:502.4", "upstream-all-down"),
                           ("cloudflare:522", "upstream-connect-timeout"), ("cloudflare:523", "upstream-unroutable"),
                           ("cloudflare:524", "upstream-read-timeout"), ("cloudflare:525", "upstream-tls-handshake"),
                           ("cloudflare:526", "upstream-tls-certificate"), ("cloudflare:530", "upstream-dns-error")):
        expect_in(reason, verdict("explain", number).stdout, number)
    for row in ROWS.values():
        for code in row["codes"].values():
            expect_true(code["status"] < 600, "such numbers are for look-ups, and never sent")
