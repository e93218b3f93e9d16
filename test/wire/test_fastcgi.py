"""An application that speaks FastCGI, and fails in every way: each has a name of its own."""
import hashlib
import json
import signal
import threading
import time

from harness import (Close, Drip, FcgiApp, Malformed, Pki, ReadContent, Reset, Server, Silent, Sleep, configured,
                     expect, expect_in, expect_true, pattern, refusing_port, test, verdict)
from harness.fcgi import (CANNOT_MULTIPLEX, OVERLOADED, STDERR, STDOUT, UNKNOWN_ROLE, answered, complained, echoed,
                          ended, record, said)

MIB = 1 << 20
DIALECTS = ("rfc", "nginx", "iis", "cloudflare")
ROWS = {row["name"]: row for row in json.loads(verdict("reasons", "--format", "json").stdout)}
TEXT = "Content-Type: text/plain\r\n\r\n"
HELLO = TEXT + "hello"

app = FcgiApp("app", window_bytes=65536)
local = FcgiApp("local", unix=True)
narrow = FcgiApp("narrow", window_bytes=4096)


def group(name, servers, **keys):
    return {"name": name, "servers": servers, "fails": 0, **keys}


def route(path, upstream="app", root="/app", **keys):
    top = {key: keys.pop(key) for key in ("dialect", "methods") if key in keys}
    return {"path": path, **top, "fastcgi": {"upstream": upstream, "root": root, "read_wait": "500ms",
                                             "write_wait": "500ms", "head": "4KiB", **keys}}


GROUPS = [group("app", app.address, keep=64), group("local", local.address, keep=64), group("narrow", narrow.address),
          group("refusing", f"127.0.0.1:{refusing_port()}"), group("one", app.address, connections=1),
          group("both", [app.address, local.address]), group("brief", local.address), group("none", local.address, keep=0)]
site = Server(admin=True, config=configured(
    *[route(f"/{dialect}", dialect=dialect) for dialect in DIALECTS], route("/"), route("/unix", "local"),
    *[route(f"/{dialect}/refusing", "refusing", dialect=dialect) for dialect in DIALECTS],
    route("/narrow", "narrow"), route("/brief", "brief"), route("/none", "none"),
    route("/front", fallback="/lib/front.php"), route("/front/own", fallback="/own.php"), route("/one", "one"), route("/both", "both"),
    route("/other", index="main.app", split=".app"),
    route("/more/", parameters={"APP_MODE": "test", "SCRIPT_FILENAME": "/other.php"}),
    route("/patient", read_wait="10s", write_wait="10s"), upstreams=GROUPS, workers=1, h2c=True))


def told(target, server=site, **fields):
    return json.loads(server.get(target, **fields).expect(200, "upstream-answered").content)["parameters"]


def fails(reason, path, steps=None, early=False):
    """The failure is told as the catalogue says, in each dialect; all are asked at once."""
    row = ROWS[reason]
    if steps is not None:
        app.script(path, steps, early)
    connections = [site.connect() for _ in DIALECTS]
    for dialect, one in zip(DIALECTS, connections):
        one.send(f"GET /{dialect}{path} HTTP/1.1\r\nHost: a.test\r\n\r\n")
    for dialect, one in zip(DIALECTS, connections):
        answer, code = one.response(), row["codes"][dialect]
        answer.expect(code["status"], reason)
        line = site.log_of(answer)
        detail = "" if "detail" not in code else \
            f"{code['status']}.{code['detail']}" if dialect == "iis" else str(code["detail"])
        expect((line["status"], line["reason"], line["detail"], line["by"], line["upstream_status"]),
               (code["status"], reason, detail, "self", 0), dialect)
        expect([one["reason"] for one in line["tries"]], [reason], "nobody else could be asked")
        one.close()
    return answer, line


def breaks(reason, path, steps):
    """The answer has begun, and is not whole; the log tells why."""
    app.script(path, steps)
    with site.connect() as c:
        c.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
        expect(c.head().status, 200)
        try:
            while c._chunks():
                raise AssertionError("a whole answer")
        except Malformed:
            pass
    line = site.log_where(target=path)
    expect((line["reason"], line.get("broken"), line["by"]), ("upstream-answered", reason, "upstream"))


# What an application is told


@test()
def the_parameters_of_a_request():
    long = "q=" + "x" * 3000
    wanted = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "verdict", "SERVER_PROTOCOL": "HTTP/1.1",
              "SERVER_NAME": "example.test", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1",
              "REMOTE_HOST": "127.0.0.1", "REQUEST_SCHEME": "http", "REQUEST_METHOD": "GET",
              "REQUEST_URI": f"/rfc/a/b.php/c%20d?{long}", "QUERY_STRING": long, "SCRIPT_NAME": "/rfc/a/b.php",
              "PATH_INFO": "/c d", "SCRIPT_FILENAME": "/app/a/b.php", "DOCUMENT_ROOT": "/app",
              "HTTP_HOST": "example.test", "HTTP_AUTHORIZATION": "Basic eA==", "HTTP_X_ONE": "1"}
    fields = {"authorization": "Basic eA==", "proxy": "http://evil.test/", "x_one": "1"}
    expect(told(f"/rfc/a/b.php/c%20d?{long}", **fields), wanted)
    expect(told("/unix/a.php")["SCRIPT_FILENAME"], "/app/a.php")
    expect_true(app.requests[-1].keeps, "the connection is to stay")


@test()
def tls_is_told():
    pki = Pki()
    shown = pki.server("a.example")
    tls = {"listen": "127.0.0.1:{tls_port}", "certificates": [{"certificate": str(shown.certificate),
                                                               "key": str(shown.key)}]}
    with Server(config=configured(route("/"), upstreams=GROUPS, workers=1, tls=tls), pki=pki) as server:
        with server.connect_tls() as c:
            c.send("GET /a.php HTTP/1.1\r\nHost: a.example\r\n\r\n")
            found = json.loads(c.response().expect(200).content)["parameters"]
        expect([found.get(name) for name in ("HTTPS", "REQUEST_SCHEME", "SERVER_PORT")], ["on", "https", "443"])
        with server.h2_tls() as h:
            found = json.loads(h.get("/a.php", authority="a.example").expect(200).content)["parameters"]
            expect((found["HTTPS"], found["SERVER_PROTOCOL"]), ("on", "HTTP/2.0"))


@test()
def a_request_goes_on_through_a_reload():
    local.script("/slow.php", [Sleep(0.3), answered(HELLO)])
    with Server(config=configured(route("/", "local"), upstreams=GROUPS, workers=1)) as server:
        with server.connect() as c:
            local.reset_log()
            c.send("GET /slow.php HTTP/1.1\r\nHost: a\r\n\r\n")
            local.wait_requests(1)
            server.configure(configured({"path": "/", "answer": {"reason": "gone"}}, workers=1))
            server.signal(signal.SIGHUP)
            c.response().expect(200, "upstream-answered")
        server.get("/slow.php").expect(410)


@test()
def which_script():
    names = ("SCRIPT_FILENAME", "SCRIPT_NAME", "PATH_INFO")
    for target, wanted in (("/", ("/app/index.php", "/index.php", None)),
                           ("/a/", ("/app/a/index.php", "/a/index.php", None)),
                           ("/a.php", ("/app/a.php", "/a.php", None)),
                           ("/a.php/", ("/app/a.php", "/a.php", "/")),
                           ("/a.php/b.php", ("/app/a.php", "/a.php", "/b.php")),
                           ("/a.phpx/b.php", ("/app/a.phpx/b.php", "/a.phpx/b.php", None)),
                           ("/a/../b.php", ("/app/b.php", "/b.php", None)),
                           ("/other/x/", ("/app/x/main.app", "/other/x/main.app", None)),
                           ("/other/a.php/b.app/c", ("/app/a.php/b.app", "/other/a.php/b.app", "/c"))):
        found = told(target)
        expect(tuple(found.get(name) for name in names), wanted, target)


@test()
def the_script_of_paths_without_one():
    names = ("SCRIPT_FILENAME", "SCRIPT_NAME", "PATH_INFO", "REQUEST_URI")
    for target, script in (("/front", "/lib/front.php"), ("/front/", "/lib/front.php"), ("/front/2026/a%20b/?p=1",
                           "/lib/front.php"), ("/front/a.phpx", "/lib/front.php"), ("/front/a.php", "/a.php")):
        found = told(target)
        expect(tuple(found.get(name) for name in names), (f"/app{script}", f"/front{script}", None, target), target)
    found = told("/front/a.php/b/")
    expect([found.get(name) for name in names[:3]], ["/app/a.php", "/front/a.php", "/b/"])
    expect(told("/front/own/x")["SCRIPT_NAME"], "/front/own/own.php")


SAID_OF_CLIENTS = {"x_forwarded_for": "192.0.2.9", "x_forwarded_proto": "https", "x_forwarded_port": "443",
                   "x_real_ip": "192.0.2.9", "forwarded": "for=192.0.2.9"}


@test()
def what_clients_say_of_themselves():
    fields = {name.replace("_", "-"): value for name, value in SAID_OF_CLIENTS.items()}
    found = told("/a.php", x_own="1", **fields)
    expect([name for name in found if name.startswith("HTTP_")], ["HTTP_HOST", "HTTP_X_OWN"])
    with Server(config=configured(route("/"), upstreams=GROUPS, workers=1, trusted_proxies="127.0.0.1")) as server:
        found = told("/a.php", server, **fields)
        expect({name[5:].lower(): value for name, value in found.items() if name[5:].lower() in SAID_OF_CLIENTS},
               SAID_OF_CLIENTS)


@test()
def parameters_that_a_route_adds():
    found = told("/more/a.php")
    expect((found["APP_MODE"], found["SCRIPT_FILENAME"]), ("test", "/other.php"))


@test(seconds=20)
def content_for_an_application():
    data = pattern(0, 5 * MIB)
    app.answer("/echo.php", echoed)
    with site.connect() as c:
        threading.Thread(target=lambda: c.send(
            b"POST /echo.php HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(data) + data)).start()
        answer = c.response().expect(200, "upstream-answered")
    expect(hashlib.sha256(answer.content).hexdigest(), hashlib.sha256(data).hexdigest())
    request = next(one for one in app.requests if one.path == "/echo.php")
    expect((request.parameters["CONTENT_LENGTH"], max(request.chunks) <= 65535), (str(len(data)), True))
    expect(site.request("POST", "/echo.php", b"").expect(200).content, b"")
    with site.h2() as h:
        answer = h.ask("POST", "/echo.php", data[:MIB], seconds=10).expect(200, "upstream-answered")
    expect(answer.content == data[:MIB], True)


@test()
def content_of_unknown_length():
    site.ask("POST /echo.php HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").expect(
        411, "length-required")


# What its answer becomes


@test()
def the_upstream_is_named():
    app.answer("/named.php", HELLO).answer("/named-404.php", "Status: 404\r\n" + HELLO).script("/unnamed.php", [ended()])
    for path, said_of in (("/named.php", "verdict;next-hop=app;received-status=200"),
                          ("/named-404.php", "verdict;next-hop=app;received-status=404"),
                          ("/unnamed.php", "verdict;error=http_response_incomplete;next-hop=app"),
                          ("/rfc/refusing/a.php", "verdict;error=connection_refused;next-hop=refusing")):
        expect(site.get(path).all("Proxy-Status"), [said_of], path)


@test()
def answers():
    for path, text, status in (("/hello.php", HELLO, 200), ("/404.php", "Status: 404 None\r\n" + HELLO, 404),
                               ("/500.php", "Status: 500\r\n" + HELLO, 500), ("/lf.php", HELLO.replace("\r", ""), 200),
                               ("/299.php", "Status: 299 Odd\n\nhello", 299)):
        app.answer(path, text)
        for dialect in DIALECTS:
            answer = site.get(f"/{dialect}{path}").expect(status, "upstream-answered")
            expect((answer.content, answer.get("Status")), (b"hello", None))
            line = site.log_of(answer)
            expect((line["by"], line["upstream"], line["upstream_status"]), ("upstream", "app", status))
            expect([(one["server"], one["reason"]) for one in line["tries"]], [(app.address, "")])
    app.answer("/move.php", "Location: /there\r\n\r\n")
    expect(site.get("/move.php").expect(302, "upstream-answered").get("Location"), "/there")
    app.answer("/cookies.php", "Set-Cookie: a\r\nSet-Cookie: b\r\nConnection: close\r\n" + HELLO)
    answer = site.get("/cookies.php").expect(200)
    expect((answer.all("Set-Cookie"), answer.get("Connection")), (["a", "b"], None))
    for status in (204, 304):
        app.answer("/empty.php", f"Status: {status}\r\n\r\n")
        site.get("/empty.php").expect(status, "upstream-answered")


@test(seconds=20)
def records_of_any_shape():
    whole = answered(HELLO)
    shapes = {"byte-by-byte": [Drip(whole, 1, 0.002)], "records-of-one": [answered(HELLO, 1)],
              "padded": [answered(HELLO, 1, 255)], "padded-bytes": [Drip(answered(HELLO, 9, 3), 1, 0.001)],
              "no-empty-one": [said(HELLO) + ended()], "with-status": [said(HELLO) + ended(3)],
              "empty-ones": [record(STDOUT) + record(STDERR, padding=9) + said(HELLO, 7) + record(STDOUT) * 3,
                             ended()],
              "complaints-between": [b"".join(said(one) + complained("no\n", padding=2) for one in HELLO) + ended()],
              "in-two": [whole[:20], Sleep(0.05), whole[20:]], "end-later": [said(HELLO), Sleep(0.1), ended()]}
    for name, steps in shapes.items():
        app.script(f"/{name}.php", steps)
        expect(site.get(f"/{name}.php").expect(200, "upstream-answered").content, b"hello", name)
    app.script("/64k.php", [said(TEXT + "x" * 200000) + ended()])
    expect(site.get("/64k.php").expect(200).content, b"x" * 200000)


@test()
def lengths_that_it_tells():
    head = "Content-Length: 5\r\n"
    app.answer("/exact.php", head + HELLO).answer("/more.php", head + HELLO + " and more")
    for path in ("/exact.php", "/more.php"):
        answer = site.get(path).expect(200)
        expect((answer.framing, answer.content), ("length", b"hello"))
    app.answer("/less.php", "Content-Length: 50\r\n" + HELLO)
    with site.connect() as c:
        try:
            raise AssertionError(c.send("GET /less.php HTTP/1.1\r\nHost: a\r\n\r\n").response())
        except Malformed:
            pass
    expect(site.log_where(target="/less.php").get("broken"), "upstream-response-incomplete")


@test()
def head_gets_no_content():
    with site.connect() as c:
        for path in ("/hello.php", "/exact.php", "/hello.php"):
            c.send(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n").response(to="HEAD").expect(200, "upstream-answered")
    expect(app.requests[-1].method, "HEAD")


# Connections


@test()
def connections_are_kept():
    local.reset_log()
    for _ in range(3):
        local.answer("/kept.php", HELLO)
        answer = site.get("/unix/kept.php").expect(200)
    expect(len({one.connection for one in local.requests}), 1)
    expect([one["kept"] for one in site.log_of(answer)["tries"]], [True])
    local.script("/after.php", [answered(HELLO) + b"and more"])
    site.get("/unix/after.php").expect(200)
    site.get("/unix/kept.php").expect(200)
    expect(len({one.connection for one in local.requests}), 2, "what came behind the end is nobody's answer")


@test()
def connections_are_not_kept_unasked():
    for path in ("/brief/kept.php", "/none/kept.php"):
        local.answer("/kept.php", HELLO)
        local.reset_log()
        for _ in range(2):
            answer = site.get(path).expect(200)
        expect([one.keeps for one in local.requests], [False, False])
        expect(len({one.connection for one in local.requests}), 2)
        expect([one["kept"] for one in site.log_of(answer)["tries"]], [False])


@test()
def a_kept_connection_that_ends_when_it_is_used_again():
    for method, status in (("GET", 200), ("POST", 502)):
        local.answer("/kept.php", HELLO).script("/stale.php", [Close()], times=1).answer("/stale.php", HELLO)
        site.get("/unix/kept.php").expect(200)
        answer = site.request(method, "/unix/stale.php", b"x" if method == "POST" else None).expect(status)
        tries = site.log_of(answer)["tries"]
        expect((tries[0]["reason"], tries[0]["kept"]), ("upstream-connection-terminated", True))
        expect(len(tries), 2 if method == "GET" else 1)
        local.script("/stale.php", [answered(HELLO)])


@test()
def the_limit_of_connections():
    app.script("/slow.php", [Sleep(0.4), answered(HELLO)])
    with site.connect() as c:
        app.reset_log()
        c.send("GET /one/slow.php HTTP/1.1\r\nHost: a\r\n\r\n")
        app.wait_requests(1)
        answer = site.get("/one/hello.php").expect(503, "upstream-connection-limit")
        expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
        c.response().expect(200)


# Failures


@test("R223")
def an_end_before_the_head():
    for name, steps in {"at-once": [ended()], "in-head": [said("Content-Type: text/plain\r\n") + ended()],
                        "complaint": [complained("no\n") + ended(1)], "closed": [Close()],
                        "cut": [said(HELLO)[:30], Close()], "cut-header": [said(HELLO)[:4], Close()]}.items():
        fails("cgi-premature-exit", f"/{name}.php", steps)


@test("R222")
def silence():
    _, line = fails("cgi-timeout", "/silent.php", [Silent()])
    expect_true(line["ms"]["wait"]["upstream"] >= 490, line["ms"])
    fails("cgi-timeout", "/half.php", [said("Content-Type: text/plain\r\n"), Silent()])
    fails("cgi-timeout", "/only-header.php", [said(HELLO)[:8], Silent()])


@test("R245")
def what_is_no_record():
    for name, data in {"version-0": record(STDOUT, b"x", version=0), "version-2": record(STDOUT, b"x", version=2),
                       "http": b"HTTP/1.1 200 OK\r\n\r\n", "request-2": record(STDOUT, b"x", number=2),
                       "request-0": record(STDOUT, b"x", number=0), "params": record(4, b"x"), "type-99": record(99),
                       "end-2": ended(number=2), "end-short": record(3, b"1234"), "end-long": record(3, b"1" * 9),
                       "multiplex": ended(how=CANNOT_MULTIPLEX), "role": ended(how=UNKNOWN_ROLE),
                       "end-odd": ended(how=77)}.items():
        fails("fastcgi-protocol-error", f"/{name}.php", [data, Silent(0.3)])


@test()
def too_much_to_do():
    answer, _ = fails("fastcgi-overloaded", "/overloaded.php", [ended(how=OVERLOADED)])
    expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
    app.script("/busy.php", [ended(how=OVERLOADED)])
    local.answer("/busy.php", HELLO)
    answers = [site.request("POST", "/both/busy.php", b"").expect(200, "upstream-answered") for _ in range(2)]
    expect({tuple(one["reason"] for one in site.log_of(answer)["tries"]) for answer in answers},
           {("",), ("fastcgi-overloaded", "")}, "who was refused may ask somebody else, whatever the method")


@test("R245")
def who_is_not_there_or_goes():
    fails("upstream-connection-refused", "/refusing/a.php")
    fails("upstream-connection-terminated", "/reset.php", [Reset()])


@test("R223")
def heads_that_cannot_be_read():
    for name, text in {"no-type": "X-A: b\r\n\r\nx", "no-colon": "hello\r\n\r\n", "status": "Status: fine\r\n\r\n",
                       "twice": "Status: 200\r\nStatus: 200\r\n\r\n", "space": "Content-Type : a/b\r\n\r\n",
                       "nothing": "\r\n", "interim": "Status: 103\r\n\r\n"}.items():
        fails("cgi-head-invalid", f"/bad-{name}.php", [answered(text)])
    for name, text in {"line": f"X-A: {'a' * 5000}\r\n" + TEXT, "head": "X: aaaaaaaaaaaaaa\r\n" * 400 + TEXT}.items():
        fails("cgi-head-too-large", f"/large-{name}.php", [answered(text)])


@test(seconds=20)
def failures_within_content():
    breaks("upstream-response-incomplete", "/in-closed.php", [said(HELLO), Sleep(0.1), Close()])
    breaks("upstream-response-incomplete", "/in-cut.php", [said(HELLO), Sleep(0.1), said("more")[:10], Close()])
    breaks("upstream-read-timeout", "/in-silent.php", [said(HELLO), Silent()])
    breaks("fastcgi-protocol-error", "/in-garbage.php", [said(HELLO), Sleep(0.1), b"garbage!" * 4, Silent(0.3)])
    breaks("fastcgi-overloaded", "/in-late-end.php", [said(HELLO), Sleep(0.1), ended(how=OVERLOADED)])
    breaks("upstream-connection-terminated", "/in-reset.php", [said(HELLO), Sleep(0.1), Reset()])
    with site.h2() as h:
        expect_true(h.response(h.request("GET", "/in-closed.php")).reset is not None, "it is not whole")


def pour(connection, data):
    try:
        connection.socket.sendall(data)
    except OSError:
        pass


def posted(path, count=4 * MIB):
    with site.connect() as c:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {count}\r\n\r\n".encode()
        sender = threading.Thread(target=lambda: pour(c, head + b"m" * count))
        sender.start()
        answer = c.response(to="POST")
    sender.join()
    return answer


@test("R231")
def content_that_is_not_taken():
    narrow.script("/stuck.php", [Silent()], early=True).script("/gone.php", [Reset()], early=True)
    posted("/narrow/stuck.php").expect(504, "upstream-write-timeout")
    answer = posted("/narrow/gone.php")
    expect_true(answer.reason in ("upstream-write-failed", "upstream-connection-terminated"), answer)


@test()
def an_answer_before_the_content():
    app.script("/early.php", [answered("Status: 403\r\n" + HELLO), ReadContent()], early=True)
    expect(posted("/early.php").expect(403, "upstream-answered").content, b"hello")
    site.get("/hello.php").expect(200)


# Complaints


@test(seconds=20)
def complaints():
    app.script("/complain.php", [complained("first\nsec"), complained("ond\n\x1b[1m", 1), said(HELLO) + ended()])
    answer = site.get("/complain.php").expect(200)
    site.said(f"fastcgi {answer.id}: first")
    site.said(f"fastcgi {answer.id}: second")
    site.said(f"fastcgi {answer.id}: ?[1m")
    app.script("/much.php", [complained("c" * 3 * MIB), said(HELLO), complained("c" * MIB), ended()])
    answer = site.get("/much.php").expect(200)
    expect(answer.content, b"hello")
    site.said(f"fastcgi {answer.id}: (it says more")
    expect_true(sum(len(line) for line in site.errors if answer.id in line) < 200000, "what is told has a limit")


# Clients that leave, and slow ones


@test()
def the_client_goes():
    app.script("/waits.php", [Silent()])
    app.reset_log()
    c = site.connect().send("GET /patient/waits.php HTTP/1.1\r\nHost: a\r\n\r\n")
    link = app.wait_requests(1)[0].link
    c.close()
    expect(link.wait_end(), "closed by peer")
    expect(site.log_where(target="/patient/waits.php")["reason"], "client-closed-request")
    with site.h2() as h:
        app.reset_log()
        stream = h.request("GET", "/patient/waits.php?h2")
        link = app.wait_requests(1)[0].link
        h.rst(stream, 8)
        expect(link.wait_end(), "closed by peer")
    expect(site.log_where(target="/patient/waits.php?h2")["reason"], "request-cancelled")


@test(seconds=20)
def a_slow_client_holds_the_application_up():
    piece = said("x" * 65000, padding=3)
    app.script("/flood.php", [said(TEXT)] + [piece] * 300 + [ended()])
    app.reset_log()
    with site.connect(window_bytes=16384) as c:
        c.send("GET /patient/flood.php HTTP/1.1\r\nHost: a\r\n\r\n")
        expect(c.head().status, 200)
        time.sleep(0.3)
        sent = app.wait_requests(1)[0].link.sent_bytes
        expect_true(sent < 150 * 65000, f"{sent} bytes were taken while the client took none")
        expect(len(c._chunks()[0]), 300 * 65000)


@test()
def the_console_shows_the_way():
    record_of = site.recorded(site.get("/at-once.php").expect(502, "cgi-premature-exit"))
    expect((record_of["resource"], record_of["by"], record_of["upstream"]["name"]), ("fastcgi", "self", "app"))
    expect([(one["server"], one["reason"]) for one in record_of["upstream"]["tries"]],
           [(app.address, "cgi-premature-exit")])
    expect_in("give_up", [one["node"] for one in record_of["path"]])
    app.answer("/hello.php", HELLO)
    expect_in("relay", [one["node"] for one in site.recorded(site.get("/hello.php"))["path"]])
