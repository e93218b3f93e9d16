"""What an upstream sees of a request's head, and a client of a response's: RFC9110:7.6 to the letter."""
import re
import socket

from harness import Connection, Pki, Server, Upstream, configured, expect, expect_in, expect_true, response, test

TRUSTED = "127.0.0.2"
OWN = ["Host", "X-Forwarded-For", "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "Via"]
RELAYED = ["Via", "Proxy-Status", "Date", "Verdict", "Content-Length"]
BARE = b"HTTP/1.1 200 OK\r\n"

pki = Pki()
shown = pki.server("a.example", "localhost", "127.0.0.1")
app = Upstream("app")
local = Upstream("local", unix=True)
upstreams = [{"name": "app", "servers": app.address}, {"name": "local", "servers": local.address}]


def route(path, **keys):
    return {"path": path, "gateway": {"upstream": "app", "read_wait": "500ms", **keys}}


site = Server(pki=pki, config=configured(
    route("/"), route("/none", tell="nothing"), route("/std", tell="forwarded"), route("/both", tell="both"),
    route("/own", host="upstream"), route("/fixed", host="fixed.test:8", name="edge"), route("/once", returns=0),
    route("/out", to="/in/x"), route("/out/fixed", to="/in", host="back.test"),
    route("/as-is", to="/in", rewrite=False),
    {"path": "/chosen", "gateway": {"choose": [{"field": "X-To", "is": "app", "upstream": "app"}]}},
    route("/early", early_data=True), {"path": "/unix", "gateway": {"upstream": "local", "host": "upstream"}},
    listen=["127.0.0.1:{port}", "[::1]:{port}", "unix:{root}/socket"], trusted_proxies=[TRUSTED, "unix:"], workers=1,
    upstreams=upstreams, h2c=True,
    tls={"listen": "127.0.0.1:{tls_port}", "early_data": True,
         "certificates": [{"certificate": str(shown.certificate), "key": str(shown.key)}]}))


def head(target, *lines, method="GET", version="1.1", host="a.test"):
    return "\r\n".join([f"{method} {target} HTTP/{version}", *([f"Host: {host}"] if host else []), *lines, "", ""])


def sent(target, *lines, source=None, connection=None, **more):
    """The request that the upstream sees for this one; its .answer is the client's."""
    return seen(lambda: (connection or site.connect(source=source)).send(head(target, *lines, **more)).response(
        more.get("method", "GET")))


def seen(ask, one=app):
    one.reset_log()
    answer = ask().expect(200, "upstream-answered")
    request = one.wait_requests(1)[0]
    expect(len(one.requests), 1, "requests at the upstream")
    request.answer = answer
    return request


def got(*lines, status=200, path="/answer", content=b"x", version=b"HTTP/1.1", **more):
    """The client's answer when the upstream says these lines."""
    first = b"%s %d Said\r\n" % (version, status)
    app.answer(path, first + "".join(line + "\r\n" for line in lines).encode() + b"Content-Length: %d\r\n\r\n"
               % len(content) + content)
    return site.request("GET", path, **more).expect(status, "upstream-answered")


def names(message):
    return [name for name, _ in message.fields]


# Fields of a connection


@test()
def fields_of_the_connection_stay_there():
    request = sent("/a?b", "Connection: X-Foo, keep-alive,x-bar , TE", "X-Foo: 1", "X-Bar: 2", "x-foo: 3",
                   "Keep-Alive: timeout=3", "TE: trailers, gzip", "Proxy-Authorization: Basic eDp5", "X-Stays: 4",
                   "Proxy-Connection: close", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Trailer: X-T")
    expect(names(request), ["Host", "X-Stays", "Trailer", *OWN[1:]], "fields that go on")
    expect((request.method, request.target, request.version), ("GET", "/a?b", "1.1"))
    expect(request.get("X-Stays"), "4")


@test()
def what_is_meant_for_everybody_stays_though_connection_names_it():
    lines = ["Host", "Authorization", "Cookie", "Content-Type", "X-Forwarded-For", "Origin", "If-Match",
             "Content-Length"]
    request = sent("/", "Connection: " + ", ".join(lines), "Authorization: Basic eDp5", "Cookie: c=d",
                   "Content-Type: text/plain", "Origin: http://a.test", 'If-Match: "x"', "X-Forwarded-For: 192.0.2.9",
                   "Content-Length: 0", method="POST", source=TRUSTED)
    for name, value in (("Host", "a.test"), ("Authorization", "Basic eDp5"), ("Cookie", "c=d"), ("If-Match", '"x"'),
                        ("Content-Type", "text/plain"), ("Origin", "http://a.test"), ("Content-Length", "0"),
                        ("X-Forwarded-For", f"192.0.2.9, {TRUSTED}")):
        expect(request.all(name), [value], name)


@test()
def more_options_than_anybody_has_are_no_fit_request():
    app.reset_log()
    answer = site.request("GET", "/", connection=", ".join(f"x-{i}" for i in range(65)))
    answer.expect(400, "gateway-cannot-forward-request")
    expect(answer.get("Proxy-Status"), "verdict;error=http_request_error")
    expect(app.requests, [])


@test()
def fields_of_the_upstreams_connection_stay_there():
    answer = got("Connection: X-Foo, close", "X-Foo: 1", "Keep-Alive: timeout=3", "Proxy-Connection: keep-alive",
                 "Proxy-Authenticate: Basic", "Upgrade: h2c", "X-Stays: 2", "Set-Cookie: a=b", "set-cookie: c=d")
    expect(names(answer), ["X-Stays", "Set-Cookie", "set-cookie", *RELAYED])
    expect((answer.phrase, answer.content), ("OK", b"x"))


@test()
def http2_gets_lower_case_names_and_no_field_of_a_connection():
    app.answer("/h2", BARE + b"Connection: X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=3\r\nUpgrade: h2c\r\nX-Stays: 2\r\n"
               b"Transfer-Encoding: chunked\r\nTE: trailers\r\n\r\n2\r\nab\r\n0\r\nX-T: 1\r\n\r\n")
    for connect in (site.h2_tls, site.h2):
        with connect() as h:
            request = seen(lambda: h.get("/h2", authority="a.example:99", fields=[("te", "trailers"), ("cookie", "a=1"),
                                                                             ("cookie", "b=2")]))
            secure = h.connection.secure
        plain = [name for name in names(request.answer) if not name.startswith(":")]
        expect(plain, ["x-stays", "via", "proxy-status", "date", "verdict"])
        expect(request.answer.content, b"ab")
        expect((request.get("Host"), request.get("Via")), ("a.example:99", "2 verdict"))
        expect(request.get("X-Forwarded-Proto"), "https" if secure else "http")
        expect(request.get("X-Forwarded-Host"), "a.example:99")
        expect(request.all("Cookie"), ["a=1; b=2"], "one line of cookies for HTTP/1.1 (RFC9113:8.2.3)")
        expect(request.get("TE"), None)
        expect_true(request.raw.startswith(b"GET /h2 HTTP/1.1\r\n"), request.raw)


# Who passed it on


@test()
def via_names_us_on_both_ways():
    request = sent("/", "Via: 1.0 fred, 1.1 p.example.net (Apache/1.1)")
    expect(request.all("Via"), ["1.0 fred, 1.1 p.example.net (Apache/1.1), 1.1 verdict"])
    expect(sent("/", version="1.0").get("Via"), "1.0 verdict")
    expect(sent("/fixed").get("Via"), "1.1 edge")
    expect(got("Via: 1.1 inner").words("Via"), ["1.1 inner", "1.1 verdict"])
    expect(got("Via: 1.1 inner", version=b"HTTP/1.0").words("Via"), ["1.1 inner", "1.0 verdict"])


@test()
def a_loop_is_told_by_via_and_by_cdn_loop():
    app.reset_log()
    for target, line in (("/", "Via: 1.1 verdict, 1.0 other, 1.1 VERDICT"), ("/once", "Via: 2 verdict (x)"),
                         ("/once", "CDN-Loop: other, verdict; x=1"), ("/once", "Via: 1.1 verdict:8080")):
        answer = site.ask(head(target, line)).expect(502, "proxy-loop")
        expect(answer.get("Proxy-Status"), "verdict;error=proxy_loop_detected")
        line = site.log_of(answer)
        expect((line["by"], line["upstream_status"], line["tries"]), ("self", 0, []))
    expect(app.requests, [])
    for target, line in (("/", "Via: 1.1 verdict"), ("/once", "Via: 1.1 verdicts"), ("/once", "CDN-Loop: edge"),
                         ("/once", 'Via: 1.1 fred ("1.1 verdict)')):
        sent(target, line)


@test()
def a_client_that_names_no_host_is_told_of_by_the_members():
    app.reset_log()
    site.ask("GET /answer HTTP/1.0\r\n\r\n")
    expect(app.wait_requests(1)[0].get("Host"), app.address)


@test()
def nobody_answers_what_no_choice_is_for():
    answer = site.ask(head("/chosen")).expect(500, "gateway-destination-not-configured")
    expect(answer.get("Proxy-Status"), "verdict;error=destination_not_found")
    sent("/chosen", "X-To: app")


@test()
def what_is_no_http_does_not_go_on():
    app.reset_log()
    site.ask("GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n").expect(400, "gateway-cannot-forward-request")
    expect(app.requests, [])


@test("R221")
def connection_does_not_name_more_than_anybody_needs():
    app.answer("/options", response(200, b"x", [("Connection", ", ".join(f"x{i}" for i in range(65)))]))
    site.ask(head("/options")).expect(502, "upstream-bad-response")


@test()
def long_heads_pass_up_to_the_limit_and_none_is_lost_without_a_word():
    big = Server(config=configured(route("/"), route("/large", head="1MiB", field="64KiB"), upstreams=upstreams,
                                   workers=1, h2c=True, limits={"exchange_memory_bytes": "256KiB"}))
    for path, sizes, status in (("/30", [15000] * 2, 200), ("/33", [11000] * 3, 200), ("/63", [31500] * 2, 200),
                                ("/70", [14000] * 5, 502), ("/line", [40000], 502), ("/large/a", [60000] * 17, 200),
                                ("/large/b", [4200] * 240, 200), ("/large/c", [60000] * 18, 502)):
        lines = [(f"X-Long-{i}", "v" * size) for i, size in enumerate(sizes)]
        app.answer(path, response(200, b"after", lines))
        reason = {200: "upstream-answered"}.get(status, "upstream-header-line-too-large" if path == "/line" else
                                                "upstream-headers-too-large")
        with big.connect() as c:
            for _ in range(2):
                answer = c.send(head(path)).response().expect(status, reason)
                if status == 200:
                    expect([len(value) for name, value in answer.fields if name.startswith("X-Long")], sizes, path)
                    expect(answer.content, b"after")
        with big.h2() as h:
            answer = h.get(path).expect(status, reason)
            if status == 200:
                expect([len(value) for name, value in answer.fields if name.startswith("x-long")], sizes, path)
                expect(answer.content, b"after")
            h.get("/30")


@test("R102")
def a_date_is_added_to_a_response_without_one():
    made = got("Server: theirs")
    expect_true(re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", made.get("Date")), made.get("Date"))
    expect(made.get("Server"), "theirs")
    expect(got("Date: Tue, 15 Nov 1994 08:12:31 GMT").all("Date"), ["Tue, 15 Nov 1994 08:12:31 GMT"])
    expect(got().get("Server"), None)
    expect_true(got(status=404).get("Date"), "Date of a 404")


@test()
def proxy_status_and_log_say_who_answered():
    for status in (200, 404, 500, 503):
        answer = got("Proxy-Status: inner; error=dns_error", status=status)
        expect(answer.all("Proxy-Status"), ["inner; error=dns_error",
                                            f"verdict;next-hop=app;received-status={status}"])
        line = site.log_of(answer)
        expect((line["by"], line["upstream"], line["upstream_status"], line["status"]),
               ("upstream", "app", status, status))
        expect([(one["server"], one["reason"]) for one in line["tries"]], [(app.address, "")])


# Who asked


@test()
def the_client_is_told_and_what_it_says_itself_is_not():
    said = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https",
            "X-Real-IP: 192.0.2.2", "Forwarded: for=192.0.2.3"]
    request = sent("/", *said, host="a.test:81")
    expect(request.fields[1:5], [("X-Forwarded-For", "127.0.0.1"), ("X-Real-IP", "127.0.0.1"),
                                 ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "a.test:81")])
    expect(request.get("Forwarded"), None)
    expect(names(sent("/none", *said)), ["Host", "Via"])
    expect(sent("/std", *said).fields[1:2], [("Forwarded", "for=127.0.0.1;host=a.test;proto=http")])
    expect(names(sent("/both", *said)), [*OWN[:-1], "Forwarded", "Via"])


@test()
def what_clients_say_in_other_letters_is_not_told_either():
    said = ["X_Forwarded_For: 192.0.2.1", "x-forwarded_HOST: evil.test", "X_FORWARDED_PROTO: https",
            "X_Real-IP: 192.0.2.2", "X_Forwarded_Prefix: /x", "X_Forwarded_" + "a" * 99 + ": 1"]
    kept = ["X_Forwarded: 1", "X_Forwardedfor: 2", "X_Real: 3", "_X_Real_IP: 4", "X_Real_IP_: 5"]
    for target in ("/", "/none", "/both"):
        own = {"/": OWN, "/none": ["Host", "Via"], "/both": [*OWN[:-1], "Forwarded", "Via"]}[target]
        expect(names(sent(target, *said, *kept)), ["Host", *(line.split(":")[0] for line in kept), *own[1:]])
    expect(names(sent("/none", *said, source=TRUSTED)), ["Host", *(line.split(":")[0] for line in said), "Via"])


@test()
def what_trusted_proxies_say_is_kept_and_added_to():
    said = ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: good.test", "X-Forwarded-Proto: https",
            "X-Real-IP: 192.0.2.2", "X-Forwarded-For: 192.0.2.3", "Forwarded: for=192.0.2.4;proto=https"]
    request = sent("/both", *said, source=TRUSTED)
    expect(request.all("X-Forwarded-For"), [f"192.0.2.1, 192.0.2.3, {TRUSTED}"])
    expect(request.all("Forwarded"), [f"for=192.0.2.4;proto=https, for={TRUSTED};host=a.test;proto=http"])
    expect((request.all("X-Forwarded-Host"), request.all("X-Forwarded-Proto")), (["good.test"], ["https"]))
    request = sent("/none", *said, source=TRUSTED)
    expect(request.all("X-Forwarded-For"), ["192.0.2.1", "192.0.2.3"], "lines that nothing is added to")
    expect(sent("/both", source=TRUSTED).get("X-Forwarded-For"), TRUSTED)


@test()
def addresses_of_ipv6_and_of_no_kind():
    site.start()
    with Connection(("::1", site.port), family=socket.AF_INET6) as c:
        request = sent("/both", connection=c)
        expect(request.get("Forwarded"), 'for="[::1]";host=a.test;proto=http')
        expect(request.get("X-Forwarded-For"), "::1")
    with Connection(str(site.root / "socket"), family=socket.AF_UNIX) as c:
        request = sent("/both", connection=c)
        expect(request.get("Forwarded"), "for=unknown;host=a.test;proto=http")
        expect(request.get("X-Forwarded-For"), "unknown")


@test()
def the_host_is_what_was_really_asked_for():
    request = sent("http://b.test:81/abs?q", host="a.test")
    expect((request.target, request.get("Host"), request.get("X-Forwarded-Host")), ("/abs?q", "b.test:81", "b.test:81"))
    request = sent("/", version="1.0", host=None)
    expect((request.get("Host"), request.get("X-Forwarded-Host")), (app.address, None))


@test()
def host_is_kept_or_the_upstreams_or_said():
    expect(sent("/", host="A.test:8080").get("Host").lower(), "a.test:8080")
    expect(sent("/own").get("Host"), app.address)
    expect(sent("/fixed").get("Host"), "fixed.test:8")
    expect(sent("/fixed").get("X-Forwarded-Host"), "a.test")
    request = seen(lambda: site.get("/unix/a"), local)
    expect(request.get("Host"), "localhost", "Host over a unix socket")
    expect_true(request.link.peer in ("", b""), "a unix socket")


@test()
def content_has_one_length_or_is_chunked():
    for method, lines, content, wanted in (
            ("POST", ["Content-Length: 0"], "", ("0", None)), ("POST", [], "", (None, None)),
            ("GET", [], "", (None, None)), ("POST", ["Content-Length: 2"], "ok", ("2", None)),
            ("PUT", ["Transfer-Encoding: Chunked"], "2;x=y\r\nok\r\n0\r\nX-T: 1\r\n\r\n", (None, "chunked"))):
        with site.connect() as c:
            request = seen(lambda: c.send(head("/", *lines, method=method) + content).response())
        expect((request.get("Content-Length"), request.get("Transfer-Encoding")), wanted, f"{method} {lines}")
        expect(request.content, b"ok" if content else b"")


# Methods with a word on forwarding


@test()
def max_forwards_counts_down_for_trace_and_options():
    for method in ("TRACE", "OPTIONS"):
        expect(sent("/", "Max-Forwards: 5", method=method).all("Max-Forwards"), ["4"])
        expect(sent("/", method=method).all("Max-Forwards"), [])
    expect(sent("/", "Max-Forwards: 0").all("Max-Forwards"), ["0"], "of a GET nobody heeds it")
    app.reset_log()
    echoed = site.request("TRACE", "/", max_forwards="0", x_a="1", authorization="Basic eDp5")
    echoed.expect(200, "trace-echoed")
    expect_in(b"TRACE / HTTP/1.1\r\n", echoed.content)
    expect_true(b"eDp5" not in echoed.content, "credentials are not echoed")
    answer = site.request("OPTIONS", "/", max_forwards="0").expect(200, "options-answered")
    expect(site.log_of(answer)["by"], "self")
    expect(app.requests, [])


@test()
def methods_that_nobody_knows_go_on():
    expect(sent("/pot", method="BREW").method, "BREW")
    expect(sent("/pot", method="PROPFIND").method, "PROPFIND")


# Early data


@test("R191")
def what_came_early_says_so_or_does_not_go_on():
    ask = b"GET %s HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
    app.reset_log()
    run = site.early_data(ask % b"/early/1", first=ask % b"/first", until="HTTP/1.1 200 ")
    expect(run.early_data, "accepted")
    request = next(one for one in app.wait_requests(2) if one.target == "/early/1")
    expect((request.all("Early-Data"), request.get("X-Forwarded-Proto")), (["1"], "https"))


@test("R191")
def a_trusted_hop_says_that_it_was_early():
    expect(sent("/early", "Early-Data: 1", source=TRUSTED).all("Early-Data"), ["1"])
    site.connect(source=TRUSTED).send(head("/", "Early-Data: 1")).response().expect(425, "too-early")
    site.connect(source=TRUSTED).send(head("/", "Early-Data: 1", method="POST")).response().expect(425, "too-early")
    expect(got(status=425).get("Proxy-Status"), "verdict;next-hop=app;received-status=425")


# Places


@test()
def a_path_takes_the_place_of_the_routes():
    for target, wanted in (("/out", "/in/x"), ("/out/", "/in/x/"), ("/out/a/b?c=/out", "/in/x/a/b?c=/out"),
                           ("/out/a%2Fb;c", "/in/x/a%2Fb;c"), ("/out/a/../b", "/in/x/b"), ("/out//a", "/in/x/a"),
                           ("/%6Fut/a", "/in/x/a"), ("/out/fixed/a", "/in/a"), ("/outer", "/outer"),
                           ("http://b.test/out/a?", "/in/x/a?"), ("/out?", "/in/x?")):
        expect(sent(target).target, wanted, target)


@test()
def location_and_content_location_come_back_as_the_client_knows_them():
    for path, said, wanted in (
            ("/out/a", "/in/x/b?c#d", "/out/b?c#d"), ("/out/a", "/in/x", "/out"), ("/out/a", "/other", "/other"),
            ("/out/a", "http://example.test/in/x/b", "http://example.test/out/b"), ("/out/a", "b", "b"),
            ("/out/a", "http://other.test/in/x/b", "http://other.test/in/x/b"), ("/out/a", "/in/xy", "/in/xy"),
            ("/out/a", "//example.test/in/x/b", None), ("/out/fixed/a", "http://back.test/in/b",
                                                        "http://example.test/out/fixed/b"),
            ("/out/a", f"http://{app.address}/in/x/b", "http://example.test/out/b"),
            ("/as-is/a", "/in/b", "/in/b"), ("/a", "/in/x/b", "/in/x/b")):
        for name, status in (("Location", 302), ("Content-Location", 200)):
            inside = {"/out/a": "/in/x/a", "/out/fixed/a": "/in/a", "/as-is/a": "/in/a"}.get(path, path)
            app.answer(inside, response(status, b"", [(name, said)]))
            answer = site.get(path).expect(status)
            if wanted is not None:
                expect(answer.get(name), wanted, f"{name}: {said} of {path}")


@test()
def cookies_come_back_with_the_clients_path():
    for said, wanted in (("a=b; Path=/in/x/sub; HttpOnly", "a=b; Path=/out/sub; HttpOnly"), ("a=b", "a=b"),
                         ("a=b; path=/in/x", "a=b; path=/out"), ("a=b; Path=/", "a=b; Path=/"),
                         ("__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure")):
        app.answer("/in/x/a", response(200, b"", [("Set-Cookie", said)]))
        expect(site.get("/out/a").get("Set-Cookie"), wanted)


@test()
def destination_goes_where_the_upstream_knows_it():
    for said, wanted in (("http://a.test/out/b%20c", "http://a.test/in/x/b%20c"), ("/out/b", "/in/x/b")):
        expect(sent("/out/a", f"Destination: {said}", method="MOVE").get("Destination"), wanted)
    expect(sent("/out/fixed/a", "Destination: http://a.test/out/fixed/b", method="COPY").get("Destination"),
           "http://back.test/in/b")
    expect(sent("/own/a", "Destination: http://a.test/own/b", method="COPY").get("Destination"),
           f"http://{app.address}/own/b")
    app.reset_log()
    for said, status, reason in (("http://b.test/out/b", 502, "dav-destination-foreign"),
                                 ("http://a.test/elsewhere", 502, "dav-destination-foreign"),
                                 ("not a uri", 400, "dav-destination-invalid")):
        site.ask(head("/out/a", f"Destination: {said}", method="MOVE")).expect(status, reason)
    expect(app.requests, [])
