"""A proxy that clients name themselves: where it goes for them, where it does not, and what it says of itself."""
import subprocess

from harness import (H2, Connection, Dns, Pki, Server, Upstream, configured, expect, expect_in, expect_true, files,
                     free_port, h2_request, response, test, verdict)

LOCAL = "127.0.0.1"
DIALECTS = ("rfc", "nginx", "iis", "cloudflare")

pki = Pki()
app = Upstream("app")
safe = Upstream("safe", tls=pki.server("safe.test", LOCAL))
dns = Dns({"app.test": [LOCAL], "inside.test": ["10.1.2.3"], "both.test": ["10.1.2.3", LOCAL]})


class Proxy(Server):
    """A server with a forward proxy on forward_port, which goes to this machine too."""

    def __init__(self, forward=None, **top):
        self.forward_port = free_port()
        forward = {"listen": f"{LOCAL}:{self.forward_port}", "allow": "127.0.0.0/8",
                   "ports": [443, app.port, safe.port], "read_wait": "500ms", **(forward or {})}
        super().__init__({"a.txt": "of the site"}, config=configured(
            files(), forward=forward, resolver={"servers": dns.address}, workers=1, **top))

    def to_proxy(self, **more):
        return self.connect(port="forward_port", **more)

    def forward(self, *lines, **more):
        """The answer of the proxy to a head of these lines."""
        with self.to_proxy(**more) as c:
            return c.send("\r\n".join([*lines, "", ""])).response(to=lines[0].split(" ")[0])


proxy = Proxy()


def through(target, *lines, method="GET", host="other.test", one=proxy, **more):
    """What the upstream sees of this request; its .answer is the client's."""
    app.reset_log()
    answer = one.forward(f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, **more)
    answer.expect(200, "upstream-answered")
    request = app.wait_requests(1)[0]
    request.answer = answer
    return request


def curl(*args):
    return subprocess.run(["curl", "-sS", "--max-time", "5", *map(str, args)], capture_output=True, text=True,
                          check=False)


# Where it goes


@test("R183")
def an_absolute_target_goes_to_its_host():
    request = through(f"http://app.test:{app.port}/a/../b?c=%2F", "X-Foo: 1", "Proxy-Connection: keep-alive")
    expect((request.target, request.get("Host")), ("/a/../b?c=%2F", f"app.test:{app.port}"))
    expect(request.get("X-Foo"), "1")
    expect(request.get("Via"), "1.1 verdict")
    for name in ("X-Forwarded-For", "Forwarded", "Proxy-Connection", "X-Real-IP"):
        expect(request.get(name), None, name)
    expect_in("app.test:", request.answer.get("Proxy-Status"))
    line = proxy.log_of(request.answer)
    expect((line["by"], line["upstream"], line["upstream_status"]), ("upstream", f"app.test:{app.port}", 200))
    app.answer("/421", response(421, b""))
    proxy.forward(f"GET http://app.test:{app.port}/421 HTTP/1.1", "Host: a").expect(421, "upstream-answered")


@test()
def content_goes_both_ways():
    content = b"x" * 300000
    with proxy.to_proxy() as c:
        c.send(f"POST http://{app.address}/ HTTP/1.1\r\nHost: a\r\nContent-Length: {len(content)}\r\n\r\n")
        c.send(content)
        c.response("POST").expect(200, "upstream-answered")
        c.send(f"GET http://{app.address}/again HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


@test()
def an_empty_path_becomes_one():
    expect(through(f"http://{app.address}", method="OPTIONS").target, "*")
    expect(through(f"http://{app.address}/", method="OPTIONS").target, "/")
    expect(through(f"http://{app.address}?q", method="OPTIONS").target, "/?q")
    expect(through(f"http://{app.address}").target, "/")
    expect(through(f"http://{app.address}//a//%2e%2e/%41;b?").target, "//a//%2e%2e/%41;b?")


@test()
def connect_opens_a_tunnel():
    mark = len(app.requests)
    with proxy.to_proxy() as c:
        answer = c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: {app.address}\r\n\r\n").head()
        answer.expect(200, "proxy-tunnel-opened")
        for name in ("Content-Length", "Transfer-Encoding", "Via", "Connection"):
            expect(answer.get(name), None, name)
        c.send("GET /one HTTP/1.1\r\nHost: a\r\n\r\n").response()
        c.send("GET /two HTTP/1.1\r\nHost: a\r\n\r\n").response()
    expect([request.target for request in app.requests[mark:]], ["/one", "/two"])
    expect(app.requests[-1].get("Via"), None)
    line = proxy.log_of(answer)
    expect((line["method"], line["reason"], line["upstream"]), ("CONNECT", "proxy-tunnel-opened", app.address))


@test()
def a_tunnel_is_as_wide_as_it_is_asked_for():
    with proxy.to_proxy() as c:
        c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n\r\nGET /at-once HTTP/1.1\r\nHost: a\r\n"
               "Connection: close\r\n\r\n")
        c.head().expect(200, "proxy-tunnel-opened")
        c.response().expect(200)
        c.expect_closed()
    expect(app.requests[-1].target, "/at-once")
    with proxy.to_proxy() as c:
        c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n\r\n").head()
        c.send("GET /half HTTP/1.1\r\nHost: a\r\n\r\n").finish_sending()
        c.response().expect(200)
        c.expect_closed()


@test()
def an_idle_tunnel_is_closed():
    one = Proxy({"tunnel_idle": "200ms"})
    with one.to_proxy() as c:
        answer = c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n\r\n").head().expect(200)
        c.expect_closed()
    expect_in("tunnel-idle", str(one.log_of(answer)))


@test()
def http2_is_spoken_with_clients():
    one = Proxy(h2c=True)
    with H2(one.to_proxy()) as h:
        mark = len(app.requests)
        stream = h.request("GET", "/a//b?c", authority=app.address)
        h.response(stream).expect(200, "upstream-answered")
        expect((app.requests[mark].target, app.requests[mark].get("Host")), ("/a//b?c", app.address))
        h.headers(5, h2_request("GET", "/", app.address, "https"), end_stream=True)
        h.response(5).expect(501, "proxy-target-scheme-unsupported")
        h.headers(7, [(":method", "CONNECT"), (":authority", f"{LOCAL}:25")], end_stream=True)
        h.response(7).expect(403, "connect-port-denied")
        h.headers(9, [(":method", "CONNECT"), (":authority", app.address)], end_stream=False)
        h.head(9).expect(200, "proxy-tunnel-opened")
        h.data(9, b"GET /in HTTP/1.1\r\nHost: a\r\n\r\n")
        expect_in(b"200 OK", h.take(9, 15))
    expect(app.requests[-1].target, "/in")


@test()
def curl_goes_through():
    plain = curl("-x", f"http://{LOCAL}:{proxy.start().forward_port}", f"http://app.test:{app.port}/curl")
    expect((plain.returncode, plain.stderr), (0, ""))
    expect_in("/curl", plain.stdout)
    tls = curl("--proxytunnel", "-x", f"http://{LOCAL}:{proxy.forward_port}", "--cacert", pki.ca,
               f"https://{safe.address}/tls")
    expect((tls.returncode, tls.stderr), (0, ""))
    expect_in("/tls", tls.stdout)


@test()
def other_listeners_are_no_proxies():
    answer = proxy.ask(f"GET http://{app.address}/a.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect(200, "request-ok")
    expect(answer.content, b"of the site")
    proxy.ask(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n\r\n").expect(405, "method-not-allowed")


# Where it does not go


@test()
def a_request_without_a_destination():
    answer = proxy.forward("GET /a.txt HTTP/1.1", f"Host: {app.address}").expect(400, "proxy-destination-missing")
    expect_in("verdict;error=http_request_error", answer.get("Proxy-Status"))


@test()
def schemes_that_are_not_spoken():
    for target in (f"https://{app.address}/", f"ftp://{app.address}/a"):
        answer = proxy.forward(f"GET {target} HTTP/1.1", "Host: a").expect(501, "proxy-target-scheme-unsupported")
        expect_in("error=http_request_error", answer.get("Proxy-Status"))
    through(f"HTTP://{app.address}/")


@test()
def tunnels_go_to_some_ports_only():
    answer = proxy.forward(f"CONNECT {LOCAL}:25 HTTP/1.1", "Host: a").expect(403, "connect-port-denied")
    expect_in("error=http_request_denied", answer.get("Proxy-Status"))
    standard = Proxy({"ports": 443})
    standard.forward(f"CONNECT {app.address} HTTP/1.1", "Host: a").expect(403, "connect-port-denied")
    through(f"http://{app.address}/", one=standard)
    proxy.forward("CONNECT app.test HTTP/1.1", "Host: a").expect(400, "target-form-invalid")


@test()
def other_requests_go_to_some_ports_too():
    for port in (21, 25, 1024):
        answer = proxy.forward(f"GET http://{LOCAL}:{port}/ HTTP/1.1", "Host: a").expect(403, "proxy-port-denied")
        expect_in("error=http_request_denied", answer.get("Proxy-Status"))
        expect(proxy.log_of(answer)["tries"], [])
    for target in (f"http://{LOCAL}", f"http://{LOCAL}:443/", f"http://{LOCAL}:1025/"):
        expect_true(proxy.forward(f"GET {target} HTTP/1.1", "Host: a").reason != "proxy-port-denied", target)
    some = Proxy({"plain_ports": ["25", f"{app.port}-{app.port}"]})
    through(f"http://{app.address}/", one=some)
    some.forward(f"GET http://{LOCAL}:{app.port + 1}/ HTTP/1.1", "Host: a").expect(403, "proxy-port-denied")
    some.forward(f"GET http://{LOCAL}/ HTTP/1.1", "Host: a").expect(403, "proxy-port-denied")
    expect_true(some.forward(f"GET http://{LOCAL}:25/ HTTP/1.1", "Host: a").reason != "proxy-port-denied", "25")
    with some.to_proxy() as c:
        c.send(f"CONNECT {safe.address} HTTP/1.1\r\nHost: a\r\n\r\n").head().expect(200, "proxy-tunnel-opened")


@test()
def what_leads_inside_in_other_words():
    inside = ("64:ff9b::10.1.2.3", "64:ff9b:1::1", "2002:a01:203::1", "::10.1.2.3", "::ffff:0:10.1.2.3", "2001::1",
              "2001:1ff::1", "fec0::1", "fd00::1", "3fff::1", "5f00::1", "100::1", "4000::1", "192.88.99.1",
              "2001:db8::1", "ff02::1")
    for address in inside:
        target = f"[{address}]" if ":" in address else address
        answer = proxy.forward(f"GET http://{target}/ HTTP/1.1", "Host: a")
        expect((answer.status, answer.reason), (502, "upstream-ip-prohibited"), address)
    closed = Proxy({"allow": "fec0::/10", "deny": "198.41.0.4", "connect_wait": "50ms"})
    for address in ("64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b::198.41.0.4", "2002:c629:4::1"):
        closed.forward(f"GET http://[{address}]/ HTTP/1.1", "Host: a").expect(502, "upstream-ip-prohibited")
    for address in ("64:ff9b::192.0.43.8", "2002:c000:2b08::1", "2001:200::1", "fec0::1"):
        reason = closed.forward(f"GET http://[{address}]/ HTTP/1.1", "Host: a").reason
        expect_true(reason.startswith("upstream-") and reason != "upstream-ip-prohibited", f"{address}: {reason}")


@test()
def private_places_are_judged_by_address():
    for target in ("http://10.1.2.3/", "http://inside.test/", "http://[::1]:1025/", "http://[::ffff:10.1.2.3]/",
                   "http://169.254.169.254/latest/meta-data", "http://0.0.0.0/"):
        answer = proxy.forward(f"GET {target} HTTP/1.1", "Host: a").expect(502, "upstream-ip-prohibited")
        expect_in("error=destination_ip_prohibited", answer.get("Proxy-Status"))
    proxy.forward("CONNECT inside.test:443 HTTP/1.1", "Host: a").expect(502, "upstream-ip-prohibited")
    closed = Proxy({"allow": "192.0.2.1"})
    for target in (app.address, f"app.test:{app.port}", f"localhost:{app.port}"):
        answer = closed.forward(f"GET http://{target}/ HTTP/1.1", "Host: a").expect(502, "upstream-ip-prohibited")
        expect(closed.log_of(answer)["tries"][0]["reason"], "upstream-ip-prohibited")


@test()
def what_is_denied_is_not_allowed():
    one = Proxy({"deny": LOCAL})
    one.forward(f"GET http://{app.address}/ HTTP/1.1", "Host: a").expect(502, "upstream-ip-prohibited")


@test()
def a_name_that_leads_inside_and_outside():
    mark = len(app.requests)
    answer = proxy.forward(f"GET http://both.test:{app.port}/ HTTP/1.1", "Host: a")
    if answer.status == 200:
        expect(len(app.requests), mark + 1)
    else:
        answer.expect(502, "upstream-ip-prohibited")


@test()
def some_clients_are_served():
    one = Proxy({"clients": "127.0.0.2"})
    answer = one.forward(f"GET http://{app.address}/ HTTP/1.1", "Host: a").expect(403, "proxy-client-denied")
    expect_in("error=http_request_denied", answer.get("Proxy-Status"))
    one.forward(f"CONNECT {app.address} HTTP/1.1", "Host: a").expect(403, "proxy-client-denied")
    through(f"http://{app.address}/", one=one, source="127.0.0.2")


@test()
def a_place_that_does_not_answer():
    refused = free_port()
    answer = proxy.forward(f"GET http://{LOCAL}:{refused}/ HTTP/1.1", "Host: a")
    answer.expect(502, "upstream-connection-refused")
    expect_in("error=connection_refused", answer.get("Proxy-Status"))
    answer = proxy.forward("GET http://missing.test/ HTTP/1.1", "Host: a")
    expect_in("error=dns_error", answer.get("Proxy-Status"))


@test("R232")
def a_name_server_that_is_silent():
    dns.silent("silent.test")
    one = Proxy({"connect_wait": "300ms"})
    answer = one.forward("GET http://silent.test/ HTTP/1.1", "Host: a")
    expect(answer.status, 504)
    expect_true(answer.reason in ("upstream-dns-timeout", "upstream-connect-timeout"), answer.reason)


# Coming back, and going on


@test()
def a_loop_ends():
    answer = proxy.forward(f"GET http://{app.address}/ HTTP/1.1", "Host: a", "Via: 1.1 verdict")
    answer.expect(502, "proxy-loop")
    expect_in("error=proxy_loop_detected", answer.get("Proxy-Status"))
    through(f"http://{app.address}/", "Via: 1.1 verdicts, 1.0 other")
    proxy.forward(f"GET http://{app.address}/ HTTP/1.1", "Host: a", "CDN-Loop: verdict").expect(502, "proxy-loop")


@test()
def forwards_are_counted():
    for method in ("OPTIONS", "TRACE"):
        mark = len(app.requests)
        answer = proxy.forward(f"{method} http://{app.address}/x HTTP/1.1", "Host: a", "Max-Forwards: 0")
        answer.expect(200, "trace-echoed" if method == "TRACE" else "options-answered")
        expect(len(app.requests), mark, "requests at the upstream")
        expect(through(f"http://{app.address}/x", "Max-Forwards: 3", method=method).get("Max-Forwards"), "2")
    expect(through(f"http://{app.address}/x", "Max-Forwards: 0").get("Max-Forwards"), "0")


@test("R146")
def what_is_for_the_proxy_stays_there():
    request = through(f"http://{app.address}/", "Proxy-Authorization: Basic eDp5", "Authorization: Basic YTpi")
    expect((request.get("Proxy-Authorization"), request.get("Authorization")), (None, "Basic YTpi"))


# Starting it


@test()
def it_is_off_by_default_and_closed_to_the_world():
    for keys, said in (({}, "set forward.clients or forward.users"), ({"clients": "0.0.0.0/0"}, "serve everybody")):
        text = configured(forward={"listen": "0.0.0.0:3128", **keys}).replace("{port}", "1")
        told = verdict("check", "-", stdin=text)
        expect_true(told.returncode != 0, "it is refused")
        expect_in(said, told.stderr + told.stdout)


@test()
def the_command_line_is_enough():
    port = free_port()
    with Server({}, args=[f"--forward={LOCAL}:{port}"]) as one:
        one.said(f"forward proxy http://{LOCAL}:{port}")
        with Connection((LOCAL, port)) as c:
            c.send(f"GET http://{app.address}/ HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(502)


@test()
def the_codes_of_dialects():
    wanted = {"rfc": (403, 502, 501), "nginx": (403, 502, 501), "iis": (403, 502, 501), "cloudflare": (403, 403, 501)}
    for dialect in DIALECTS:
        with Proxy(dialect=dialect) as one:
            got = tuple(one.forward(line + " HTTP/1.1", "Host: a").status for line in (
                f"CONNECT {LOCAL}:25", "GET http://10.0.0.1/", "GET ftp://a/"))
            expect(got, wanted[dialect], dialect)


@test()
def a_reload_keeps_it_closed():
    with Proxy() as one:
        text = one.config
        one.configure(configured(files()))
        one.signal(1)
        one.said("forward: its listeners stay open")
        through(f"http://{app.address}/", one=one)
        one.configure(text.replace("127.0.0.0/8", "192.0.2.1"))
        one.signal(1)
        one.said("the new configuration is in force")
        one.forward(f"GET http://{app.address}/ HTTP/1.1", "Host: a").expect(502, "upstream-ip-prohibited")
