"""What goes only over TLS, what goes over another connection, and what must wait until the handshake is done."""
from harness import Pki, Server, configured, encode, expect, expect_in, expect_true, files, frame, h2_request, test
from harness.frames import PREFACE, Type

TREE = {"a.txt": "hello", "large.bin": bytes(range(256)) * 8192}
HSTS = "Strict-Transport-Security"

pki = Pki()
first = pki.server("a.example", "hsts.example", "below.example", "*.wild.example", "127.0.0.1")
other = pki.server("b.example")
ROUTES = [files(write=True), files("/strong", tls_minimum="1.3"),
          files("/iis/strong", tls_minimum="1.3", dialect="iis"),
          *[files(f"/{need}", tls=need, write=True) for need in ("refuse", "upgrade", "redirect")],
          files("/iis/refuse", tls="refuse", dialect="iis"), files("/nginx/refuse", tls="refuse", dialect="nginx"),
          files("/cloudflare", dialect="cloudflare")]
SITES = [{"host": ["a.example", "*.wild.example", "127.0.0.1"], "default": True, "routes": ROUTES},
         {"host": "b.example", "routes": [files(write=True)]},
         {"host": "hsts.example", "hsts": "365d", "routes": [files(write=True), files("/over", tls="redirect")]},
         {"host": "below.example", "hsts": "1m", "hsts_subdomains": True, "routes": [files()]}]


def text_of(tls=None, sites=None, **top):
    pairs = [{"certificate": str(one.certificate), "key": str(one.key)} for one in (first, other)]
    return configured(sites=sites or SITES, **top,
                      tls={"listen": "127.0.0.1:{tls_port}", "certificates": pairs, **(tls or {})})


def serving(tls=None, args=(), **top):
    return Server(TREE, config=text_of(tls, **top), pki=pki, admin=True, args=args)


def head(method="GET", target="/a.txt", host="a.example", fields="", content=""):
    length = f"Content-Length: {len(content)}\r\n" if content else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{length}\r\n{content}"


def secured(server, request, to="GET", **more):
    with server.connect_tls(**more) as c:
        return c.send(request).response(to)


def absent(server, name):
    expect_true(not (server.root / name).exists(), f"{name} was stored")


site = serving()


# Plain HTTP where TLS is wanted

def plainly(server, request, to="GET"):
    """One answer in the clear at the port for TLS, and the end."""
    with server.connect(port="tls_port") as c:
        answer = c.send(request).response(to)
        c.expect_closed()
    expect(answer.words("Connection"), ["close"])
    expect(answer.get(HSTS), None)
    return answer


@test("R212")
def plain_http_at_the_port_for_tls_is_told_so_in_the_clear():
    for request in (head(), head(host="hsts.example"), head(fields="Connection: keep-alive\r\n"), head("POST"),
                    "GET / HTTP/1.0\r\n\r\n", "\r\n" + head(), head("OPTIONS", "*"), head("CONNECT", "a.example:443"),
                    head("GET", "https://a.example/"), PREFACE.decode(), head() + head()):
        answer = plainly(site, request).expect(400, "http-on-https-port")
        expect_in("text/plain", answer.get("Content-Type"))
        expect_in("https://", answer.text)
        line = site.log_of(answer)
        expect((line["status"], line["detail"], "tls" in line), (400, "", False))
    expect(plainly(site, head("HEAD"), "HEAD").expect(400, "http-on-https-port").content, b"")
    expect_in("text/html", plainly(site, head(fields="Accept: text/html\r\n")).get("Content-Type"))
    expect([step["node"] for step in site.recorded(answer)["path"]], ["receive", "admitted", "port_fits",
                                                                      "port_redirects"])
    plainly(site, "hello\r\n\r\n").expect(400, "malformed-request-line")


@test("R212", "R116")
def plain_http_at_the_port_for_tls_performs_nothing():
    plainly(site, head("PUT", "/plain", content="new"), "PUT").expect(400, "http-on-https-port")
    absent(site, "plain")
    with site.connect(port="tls_port") as c:
        c.send("PUT /plain HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2000000\r\n\r\n").send(bytes(2000000))
        c.response("PUT").expect(400, "http-on-https-port")
        c.expect_closed()
    absent(site, "plain")


@test("R212", "R251")
def plain_http_at_the_port_for_tls_in_the_dialects():
    for dialect, detail in (("nginx", "497"), ("iis", ""), ("cloudflare", "")):
        with serving(dialect=dialect) as one:
            answer = plainly(one, head()).expect(400, "http-on-https-port")
            line = one.log_of(answer)
            expect((line["status"], line["detail"], line["reason"]), (400, detail, "http-on-https-port"), dialect)
            expect(one.recorded(answer)["detail"], detail)
            expect_in("Reason: http-on-https-port", answer.text)


@test("R212")
def plain_http_at_the_port_for_tls_is_redirected_where_that_is_wished():
    with serving({"plain": "redirect"}) as one:
        at = f":{one.tls_port}"
        for request, wanted in ((head(target="/a.txt?b=c&d"), f"https://a.example{at}/a.txt?b=c&d"),
                                (head(host="a.example:80"), f"https://a.example{at}/a.txt"),
                                (head(target="/%7Ex/%2f?"), f"https://a.example{at}/%7Ex/%2f?"),
                                (head(host="[::1]:8080"), f"https://[::1]{at}/a.txt"),
                                (head(target="http://b.example/x?y", host="b.example"), f"https://b.example{at}/x?y"),
                                (head(target="http://b.example?y", host="b.example"), f"https://b.example{at}/?y"),
                                (head("PUT", "/plain", content="new"), f"https://a.example{at}/plain"),
                                (head(target="/none"), f"https://a.example{at}/none")):
            answer = plainly(one, request).expect(308, "tls-port-redirect")
            expect(answer.get("Location"), wanted)
            expect(one.log_of(answer)["status"], 308)
        absent(one, "plain")
        secured(one, head()).expect(200, "request-ok")
        one.ask(head()).expect(200, "request-ok")


# What is only served over TLS

@test("R135", "R251")
def a_route_that_needs_tls_refuses_plain_http():
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        answer = site.ask(head(method, "/refuse/a.txt", content="x" if method == "PUT" else ""))
        expect(site.log_of(answer.expect(403, "tls-required"))["detail"], "")
    expect(site.log_of(site.ask(head(target="/iis/refuse/a.txt")).expect(403, "tls-required"))["detail"], "403.4")
    expect_in("403.4", site.ask(head(target="/iis/refuse/a.txt")).text)
    expect(site.log_of(site.ask(head(target="/nginx/refuse/a.txt")).expect(403, "tls-required"))["detail"], "")
    expect((site.root / "a.txt").read_bytes(), b"hello")
    for need in ("refuse", "upgrade", "redirect"):
        secured(site, head("PUT", f"/{need}/{need}.txt", content="new"), "PUT").expect(201, "created")
        expect(secured(site, head(target=f"/{need}/{need}.txt")).expect(200, "request-ok").content, b"new")
        with site.h2_tls() as h:
            h.get(f"/{need}/{need}.txt", authority="a.example").expect(200, "request-ok")


@test("R135")
def what_is_demanded_of_tls_is_not_passed_by_in_the_clear():
    narrow = {"host": "narrow.example", "client_certificate": "required", "client_ca": str(pki.ca),
              "routes": [files(write=True), files("/moved", tls="redirect")]}
    maybe = {"host": "maybe.example", "client_certificate": "optional", "client_ca": str(pki.ca),
             "routes": [files(), files("/one", client_subjects="CN=one")]}
    with Server(TREE, config=text_of(sites=[*SITES, narrow, maybe]), pki=pki) as one:
        for target, host in (("/a.txt", "narrow.example"), ("/one/a.txt", "maybe.example"),
                             ("/strong/a.txt", "a.example")):
            one.ask(head(target=target, host=host)).expect(403, "tls-required")
        one.ask(head(target="/moved/a.txt", host="narrow.example")).expect(308, "tls-redirect")
        one.ask(head("PUT", "/clear", "narrow.example", content="new")).expect(403, "tls-required")
        absent(one, "clear")
        one.ask(head(host="maybe.example")).expect(200)


@test("R135", "R193")
def a_route_may_ask_for_an_upgrade():
    with site.connect() as c:
        for fields in ("", "Upgrade: TLS/1.2\r\nConnection: upgrade\r\n"):  # RFC 2817 is not taken up
            answer = c.send(head(target="/upgrade/a.txt", fields=fields)).response().expect(426, "tls-upgrade-required")
            expect_in("TLS/1.2", answer.get("Upgrade"))
            expect_in("upgrade", answer.words("Connection"))
    site.ask(head("PUT", "/upgrade/a.txt", content="x")).expect(426, "tls-upgrade-required")
    expect((site.root / "a.txt").read_bytes(), b"hello")


@test("R135")
def a_route_may_redirect_to_tls():
    for target, host in (("/redirect/a.txt?x=%2F&y", "a.example"), ("/redirect", "x.wild.example:8080")):
        for method in ("GET", "HEAD", "PUT"):
            request = head(method, target, host, content="x" if method == "PUT" else "")
            answer = site.ask(request).expect(308, "tls-redirect")
            name = host.split(":", maxsplit=1)[0]
            expect(answer.get("Location"), f"https://{name}:{site.tls_port}{target}")
    expect((site.root / "a.txt").read_bytes(), b"hello")


@test("R251")
def a_route_may_want_more_of_tls():
    for target, detail in (("/strong/a.txt", ""), ("/iis/strong/a.txt", "403.5")):
        with site.connect_tls(maximum="TLSv1.2") as c:
            answer = c.send(head(target=target)).response().expect(403, "tls-too-weak")
            c.expect_closed()
        line = site.log_of(answer)
        expect((line["detail"], line["operand"], line["tls"]), (detail, "TLSv1.2", "TLSv1.2"))
        expect(secured(site, head(target=target)).expect(200, "request-ok").content, b"hello")
        secured(site, head(), maximum="TLSv1.2").expect(200)
    with site.h2_tls(tls={"maximum": "TLSv1.2"}) as h:
        h.get("/strong/a.txt", authority="a.example").expect(403, "tls-too-weak")


@test()
def browsers_are_told_to_come_by_tls_alone():
    wanted = {"hsts.example": "max-age=31536000", "below.example": "max-age=60; includeSubDomains", "a.example": None}
    for name, value in wanted.items():
        for request, status in ((head(host=name), 200), (head(target="/none", host=name), 404),
                                (head("POST", host=name), 405), (head(host=name, fields="If-Match: x\r\n"), 412),
                                (head(host=name, fields="If-None-Match: *\r\n"), 304)):
            expect(secured(site, request, sni=name).expect(status).get(HSTS), value, f"{name} {status}")
            expect(site.ask(request).expect(status).get(HSTS), None, f"{name} {status} in the clear")
        with site.h2_tls(sni=name) as h:
            for path, status in (("/a.txt", 200), ("/none", 404)):
                expect(h.get(path, authority=name).expect(status).get(HSTS), value, name)
    expect(site.ask(head(target="/over/a.txt", host="hsts.example")).expect(308, "tls-redirect").get(HSTS), None)


# Requests for another connection

@test("R181")
def what_the_certificate_does_not_cover_is_misdirected():
    for sni, host, status in (("a.example", "a.example", 200), ("a.example", "A.Example.", 200),
                              ("a.example", "a.example:1234", 200), ("a.example", "x.wild.example", 200),
                              ("x.wild.example", "y.wild.example", 200), ("x.wild.example", "a.example", 200),
                              ("a.example", "c.example", 421), ("a.example", "b.example", 421),
                              ("a.example", "z.y.wild.example", 421), ("a.example", "wild.example", 421),
                              ("b.example", "a.example", 421), ("c.example", "c.example", 200),
                              ("c.example", "a.example", 200), ("c.example", "d.example", 421),
                              (None, "a.example", 200), (None, "127.0.0.1", 200), (None, "b.example", 421)):
        about = f"{sni} to {host}"
        with site.connect_tls(sni=sni, check_name=False) as c:
            answer = c.send(head(host=host)).response()
            expect((answer.status, answer.reason == "misdirected"), (status, status == 421), about)
            if status == 421:
                expect(site.log_of(answer)["operand"], f"{host}, on a connection for {sni}" if sni else host, about)
                c.send(head("PUT", "/wrong", host, content="new")).response("PUT").expect(421, "misdirected")
                c.send(head("DELETE", "/a.txt", host)).response().expect(421, "misdirected")
            c.send(head(host=sni or "a.example")).response().expect(200)  # the connection is good for its own
        with site.h2_tls(sni=sni, tls={"check_name": False}) as h:
            expect(h.get("/a.txt", authority=host).status, status, about)
            if status == 421:
                h.ask("PUT", "/wrong", b"new", authority=host).expect(421, "misdirected")
                h.ask("DELETE", "/a.txt", authority=host).expect(421, "misdirected")
            h.get("/a.txt", authority=sni or "a.example").expect(200)
    absent(site, "wrong")
    expect((site.root / "a.txt").read_bytes(), b"hello")


@test("R181")
def the_target_says_where_a_request_belongs():
    for target, status in (("https://a.example/a.txt", 200), ("https://x.wild.example/a.txt", 200),
                           ("https://b.example/a.txt", 421), ("https://c.example/a.txt", 421)):
        with site.connect_tls() as c:
            c.send(head(target=target, host=target.split("/")[2])).response().expect(status)
            c.send(head(target=target)).response().expect(status)  # Host is of no account. RFC 9112, 3.2.2
    secured(site, head(target="/cloudflare", host="c.example")).expect(403, "misdirected")


@test("R181")
def https_in_the_clear_is_misdirected():
    for method in ("GET", "PUT", "DELETE"):
        with site.connect() as c:
            request = head(method, "https://a.example/clear", content="new" if method == "PUT" else "")
            c.send(request).response(method).expect(421, "misdirected")
            c.send(head()).response().expect(200)
    absent(site, "clear")
    site.ask(head(target="http://a.example/a.txt")).expect(200)
    with serving(trusted_proxies=["127.0.0.1"]) as one:  # which has kept the promise on its own side
        one.ask(head(target="https://a.example/a.txt")).expect(200)


@test("R184")
def too_many_connections_are_not_called_misdirected():
    with serving(limits={"connections_per_client": 2}) as one:
        kept = [one.connect_tls() for _ in range(2)]
        for c in kept:
            c.send(head()).response().expect(200)
        with one.connect_tls() as c:
            answer = c.send(head()).response().expect(429, "connection-limit-per-client")
            expect_true(answer.get("Retry-After"), "when to come again")
            c.expect_closed()
        for c in kept:
            c.send(head()).response().expect(200)
            c.close()


# Early data. RFC 8470

def played(server, data, say=(), until=None, alpn="http/1.1", first=(head().encode(), "hello")):
    """A session is made (`first`: what is said, and what then must come, behind the tickets), then resumed with early
    data; `until` is waited for, or the end when it is None."""
    ticket, file = server.home / "ticket", server.home / "early"
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    server.s_client("-alpn", alpn, "-sess_out", ticket, say=[first[0]], until=first[1])
    return server.s_client("-alpn", alpn, "-sess_in", ticket, "-early_data", file, say=list(say), until=until)


early = serving({"early_data": True}, args=["--workers", "2"])


def told(text):
    """s_client says whether early data was taken after it has printed some of the answer: both are waited for."""
    return lambda output: "Early data was" in output and text in output


@test("R191")
def safe_methods_are_served_from_early_data():
    for request, wanted in ((head(), "hello"), (head("HEAD"), "request-ok"), (head("OPTIONS"), "Allow: ")):
        done = played(early, request, until=told(wanted))
        expect(done.early_data, "accepted", request)
        expect_in("HTTP/1.1 20", done.output)
    done = played(early, head() + head(target="/none"), until=told("not-found"))
    expect_in("request-ok", done.output)
    done = played(early, head(target="/large.bin", fields="Connection: close\r\n"), until=told("\xfd\xfe\xff"))
    expect(done.early_data, "accepted")


@test("R191")
def unsafe_methods_are_not_served_from_early_data():
    for method in ("PUT", "POST", "DELETE"):
        target = "/a.txt" if method == "DELETE" else "/early"
        request = head(method, target, content="" if method == "DELETE" else "new")
        done = played(early, request, until=told("too-early"))
        expect((done.early_data, "HTTP/1.1 425 Too Early" in done.output), ("accepted", True), method)
    absent(early, "early")
    expect((early.root / "a.txt").read_bytes(), b"hello")
    line = early.log_where(reason="too-early", method="PUT")
    expect((line["status"], line["operand"], line["tls"]), (425, "PUT", "TLSv1.3"))
    path = [step["node"] for step in early.recorded(line["id"])["path"]]
    expect(path[-2:], ["replay_possible", "replay_safe"])


@test("R191")
def the_same_after_the_handshake_is_performed():
    put = head("PUT", "/after", content="new")
    done = played(early, put, say=[("too-early", put.encode())], until=told("201 Created"))
    expect(done.early_data, "accepted")
    expect((early.root / "after").read_bytes(), b"new")
    done = played(early, head(), say=[("hello", head("DELETE", "/after").encode())], until=told("204 No Content"))
    absent(early, "after")
    secured(early, put, "PUT").expect(201, "created")
    secured(early, head("DELETE", "/after"), "DELETE").expect(204)


@test("R191")
def what_is_complete_only_after_the_handshake_is_not_early():
    request = head("PUT", "/split", content="new").encode()
    for at, wanted in ((len(request) - 2, "too-early"), (10, "created"), (len(request) - 8, "replaced")):
        done = played(early, request[:at], say=[("Verify return code", request[at:])], until=told("HTTP/1.1 "))
        expect_in(f"Verdict: {wanted}", done.output)
        if wanted == "too-early":
            absent(early, "split")


@test("R191")
def early_data_over_http2():
    def request(method, path):
        block = encode(h2_request(method, path, "a.example", "https"))
        return PREFACE + frame(Type.SETTINGS) + frame(Type.HEADERS, 5, 1, block)

    for method, wanted, content in (("GET", "request-ok", "hello"), ("DELETE", "too-early", "425 Too Early"),
                                    ("POST", "too-early", "425 Too Early")):
        done = played(early, request(method, "/a.txt"), alpn="h2", until=told(content),
                      first=(PREFACE + frame(Type.SETTINGS), "\x04\0\0\0\0\0"))  # the server's SETTINGS
        expect(done.early_data, "accepted", method)
        early.log_where(method=method, protocol="HTTP/2.0", reason=wanted)
    expect((early.root / "a.txt").read_bytes(), b"hello")


@test("R191")
def early_data_that_is_played_again_is_rejected():
    expect(played(early, head(), until=told("hello")).early_data, "accepted")
    for _ in range(4):
        done = early.s_client("-alpn", "http/1.1", "-sess_in", early.home / "ticket",
                              "-early_data", early.home / "early", until="Early data was")
        expect(done.early_data, "rejected")


@test("R191")
def early_data_is_rejected_unless_it_is_on():
    for done in (played(site, head(), until="Early data was"),
                 site.early_data(head("PUT", "/early", content="new").encode())):
        expect(done.early_data in ("rejected", "not sent", None), True, str(done.early_data))
    absent(site, "early")
    asked = {"host": "b.example", "client_certificate": "optional", "client_ca": str(pki.ca), "routes": [files()]}
    with Server(TREE, config=text_of({"early_data": True}, [SITES[0], asked]), pki=pki) as one:
        expect(one.early_data(head().encode(), until=told("hello")).early_data, "accepted")
        done = one.early_data(head(host="b.example").encode(), first=head(host="b.example").encode(), sni="b.example")
        expect(done.early_data in ("rejected", "not sent"), True, f"where clients are asked: {done.early_data}")


@test("R191")
def a_trusted_proxy_may_say_that_it_was_early():
    with serving(trusted_proxies=["127.0.0.1"]) as one:
        for method, content in (("PUT", "new"), ("DELETE", ""), ("POST", "x")):
            request = head(method, "/proxied", fields="Early-Data: 1\r\n", content=content)
            one.ask(request).expect(425, "too-early")
            secured(one, request, method).expect(425, "too-early")
            with one.h2_tls() as h:
                h.ask(method, "/proxied", content.encode() or None, authority="a.example",
                      fields=[("early-data", "1")]).expect(425, "too-early")
        absent(one, "proxied")
        one.ask(head(fields="Early-Data: 1\r\n")).expect(200, "request-ok")
        one.ask(head("PUT", "/proxied", content="new")).expect(201, "created")
    put = head("PUT", "/others", fields="Early-Data: 1\r\n", content="new")
    site.ask(put).expect(201, "created")
    secured(site, put, "PUT").expect(204)
