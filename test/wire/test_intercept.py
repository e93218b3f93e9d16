"""A network that holds its guests back: the proxy that it sends them to without their knowing answers with 511 and the
way to the portal, until the portal has told the admin listener to let them in."""
import json

from harness import Server, Upstream, configured, expect, expect_in, expect_true, files, free_port, response, test

LOCAL = "127.0.0.1"
GUEST = "127.0.0.9"
PORTAL = "https://portal.test/in?a=1&b=2"
DIALECTS = ("rfc", "nginx", "iis", "cloudflare")

app = Upstream("app")


class Network(Server):
    def __init__(self, forward=None, **top):
        self.forward_port = free_port()
        forward = {"listen": f"{LOCAL}:{self.forward_port}", "allow": "127.0.0.0/8", "ports": [app.port],
                   "intercept": True, "portal": PORTAL, **(forward or {})}
        top.setdefault("workers", 2)
        super().__init__({}, config=configured(files(), forward=forward, **top), admin=True)

    def guest(self, target="/", *lines, method="GET", source=GUEST, host=None):
        with self.connect(port="forward_port", source=source) as c:
            lines = [f"{method} {target} HTTP/1.1", f"Host: {host or app.address}", *lines, "", ""]
            return c.send("\r\n".join(lines)).response(method)

    def admissions(self, method="GET", where="", said=None, **fields):
        content = b"" if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
        lines = [f"{method} /api/admissions{where} HTTP/1.1", f"Host: {LOCAL}:{self.admin_port}",
                 *(f"{name}: {value}" for name, value in fields.items())]
        if said is not None:
            lines.append(f"Content-Length: {len(content)}")
        with self.admin_connect() as c:
            return c.send("\r\n".join([*lines, "", ""]).encode() + content).response(method)

    def admit(self, client=GUEST, seconds=60):
        return self.admissions("POST", said={"client": client, "seconds": seconds})


net = Network()


@test("R242", "R243")
def a_guest_is_sent_to_the_portal():
    net.start().admissions("DELETE", f"/{GUEST}")
    mark = len(app.requests)
    for accept, link in (("text/html", b'href="https://portal.test/in?a=1&amp;b=2"'), ("text/plain", PORTAL.encode()),
                         ("application/problem+json", PORTAL.encode())):
        answer = net.guest("/a?b", f"Accept: {accept}").expect(511, "network-auth-required")
        expect_in(link, answer.content, accept)
        expect_true(b"<form" not in answer.content.lower() and b"<input" not in answer.content.lower(), "no form")
        expect_in("no-store", answer.get("Cache-Control"))
        for name in ("WWW-Authenticate", "Proxy-Authenticate", "Location"):
            expect(answer.get(name), None, name)
        expect(net.log_of(answer)["by"], "self")
    net.guest(f"http://{app.address}/").expect(511, "network-auth-required")
    net.guest(app.address, method="CONNECT").expect(511, "network-auth-required")
    net.guest("/", "Authorization: Basic eDp5", "Proxy-Authorization: Basic eDp5").expect(511, "network-auth-required")
    expect(len(app.requests), mark, "requests at the upstream")


@test("R242")
def every_dialect_says_so():
    for dialect in DIALECTS:
        with Network(dialect=dialect) as one:
            expect(one.guest().status, 511, dialect)


@test("R242")
def origins_never_say_so():
    net.ask("GET /none HTTP/1.1\r\nHost: a\r\n\r\n").expect(404, "not-found")


@test("R241")
def who_is_let_in_passes_unchanged():
    net.start().admit().expect(204)
    app.reset_log()
    for _ in range(4):
        net.guest("/a//../b?c=%41", "X-Foo: 1", "Cookie: d=e").expect(200, "upstream-answered")
    request = app.requests[-1]
    expect((request.target, request.get("X-Foo"), request.get("Cookie"), request.get("Host")),
           ("/a//../b?c=%41", "1", "d=e", app.address))
    net.guest("/", source="127.0.0.10").expect(511, "network-auth-required")
    net.admissions("DELETE", f"/{GUEST}").expect(204, "deleted")
    net.guest().expect(511, "network-auth-required")


@test("R048", "R241")
def a_device_finds_the_portal_and_later_the_network():
    app.answer("/generate_204", response(204))
    net.start().admissions("DELETE", f"/{GUEST}")
    net.guest("/generate_204").expect(511, "network-auth-required")
    net.admit().expect(204)
    net.guest("/generate_204").expect(204, "upstream-answered")
    net.admissions("DELETE", f"/{GUEST}").expect(204)


@test()
def the_time_runs_out():
    net.start().admit(seconds=1).expect(204)
    net.guest().expect(200)
    for _ in range(40):
        if net.guest().status == 511:
            break
        net.connect().expect_quiet(0.05)
    else:
        raise AssertionError("still in")
    expect(json.loads(net.admissions().content)["count"], 0)


@test()
def who_is_in_is_told():
    net.start()
    expect(json.loads(net.admissions().expect(200, "request-ok").content), {"count": 0})
    net.admissions(where=f"/{GUEST}").expect(404, "not-found")
    net.admit("2001:db8::1").expect(204)
    net.admit("192.0.2.1").expect(204)
    net.admit("192.0.2.1", 120).expect(204)
    expect(json.loads(net.admissions().content), {"count": 2})
    expect(json.loads(net.admissions(where="/2001:db8::2").content), {"admitted": True})
    for client in ("2001:db8::1", "192.0.2.1"):
        net.admissions("DELETE", f"/{client}").expect(204)
        net.admissions("DELETE", f"/{client}").expect(404, "not-found")
    expect(json.loads(net.admissions().content), {"count": 0})


@test()
def what_cannot_be_understood_lets_nobody_in():
    net.start()
    for said in (b"", b"{", b"[]", b"null", {}, {"client": "x", "seconds": 1}, {"client": "192.0.2.1"},
                 {"client": "192.0.2.1", "seconds": 0}, {"client": "192.0.2.1", "seconds": "1"},
                 {"client": "192.0.2.1", "seconds": 2592001}, {"client": 1, "seconds": 1},
                 {"client": "192.0.2.0/24", "seconds": 1}, b'{"client":"192.0.2.1\\u0000","seconds":1}',
                 b'{"client":"192.0.2.1","client":"192.0.2.2","seconds":1}'):
        net.admissions("POST", said=said).expect(422, "unprocessable-content")
    net.admissions("POST", said=b" " * 1025).expect(413, "content-too-large")
    net.admissions("POST", f"/{GUEST}", said={"client": GUEST, "seconds": 1}).expect(404, "not-found")
    net.admissions("DELETE").expect(404, "not-found")
    net.admissions("GET", "x").expect(404, "not-found")
    net.admissions("PUT", f"/{GUEST}", said={}).expect(405, "method-not-allowed")
    expect(json.loads(net.admissions().content), {"count": 0})


@test()
def the_rest_of_the_console_changes_nothing():
    for method in ("POST", "DELETE"):
        answer = net.start().admin_get("/api/workers", method=method).expect(405, "method-not-allowed")
        expect(sorted(answer.words("Allow")), ["get", "head", "options"])
    expect(sorted(net.admissions("OPTIONS").words("Allow")), ["delete", "get", "head", "options", "post"])


@test()
def other_pages_may_not_let_anybody_in():
    net.start().admissions("POST", said={"client": GUEST, "seconds": 9}, Origin="http://evil.test").expect(
        403, "origin-foreign")
    net.guest().expect(511)


@test()
def a_token_is_asked_for():
    with Network(admin={"listen": f"{LOCAL}:{{admin_port}}", "token": "t0ken-of-the-portal"}) as one:
        one.admit().expect(401, "credentials-missing")
        one.guest().expect(511)
        one.admissions("POST", said={"client": GUEST, "seconds": 9},
                       Authorization="Bearer t0ken-of-the-portal").expect(204)
        one.guest().expect(200)


@test()
def a_reload_lets_nobody_out():
    with Network() as one:
        one.admit().expect(204)
        one.signal(1)
        one.said("the new configuration is in force")
        one.guest().expect(200)


@test()
def without_a_proxy_there_is_nothing_to_tell():
    with Server({}, admin=True) as one:
        one.admin_get("/api/admissions").expect(404, "not-found")
