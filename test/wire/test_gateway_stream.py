"""Content through a gateway: whole, in both directions, at the pace of the slower side, in little memory; and what
becomes of it when a side leaves. RFC9112:6 and 7, RFC9110:6.4"""
import hashlib
import re
import threading
import time
from pathlib import Path

from harness import (Apache, Close, Flood, Malformed, Nginx, Node, Pki, ReadContent, Server, Silent, Sleep,
                     Upstream, Until, build_dir, chunked, configured, expect, expect_in,
                     expect_true, pattern, response, test)

MIB = 1 << 20
BIG = 20 * MIB
MUCH = 3 * BIG  # more than the system keeps of it in four sockets
# Of resident memory, for all that is on its way.
GROWTH_KIB = (64 if build_dir().name in ("asan", "tsan") else 4) << 10  # sanitizers keep what is freed

NODE = """
const http = require('http');
http.createServer((q, r) => {
  if (q.url == '/echo') { r.writeHead(200, {'Content-Type': 'x/echo'}); q.pipe(r); return; }
  let n = 0; q.on('data', d => n += d.length);
  q.on('end', () => { r.setHeader('X-Method', q.method); r.end(`${q.method} ${q.url} ${n}`); });
}).listen(process.env.PORT, '127.0.0.1');
"""

pki = Pki()
shown = pki.server("up.test")
app = Upstream("app", window_bytes=65536)
local = Upstream("local", unix=True)
safe = Upstream("safe", tls=shown)
text = "".join(f"line {i} of a text\n" for i in range(3000))
nginx = Nginx({"text.txt": text, "a.txt": "hello"}, config="gzip on; gzip_proxied any;"
              "gzip_types text/plain; gzip_min_length 100;"
              "location /post { return 200 posted; }")
apache = Apache({"text.txt": text, "a.txt": "hello"}, modules=["filter", "deflate"],
                config="<Location /text.txt>\nSetOutputFilter DEFLATE\n</Location>")
node = Node(NODE)


def route(path, upstream="app", **keys):
    return {"path": path, "gateway": {"upstream": upstream, "read_wait": "3s", **keys}}


def serving(*routes, **top):
    groups = [{"name": "app", "servers": app.address}, {"name": "local", "servers": local.address},
              {"name": "safe", "servers": safe.address, "tls": {"ca": str(pki.ca), "name": "up.test"}}]
    groups = [{**one, "fails": 0} for one in groups + top.pop("more", [])]
    return Server(config=configured(*routes, upstreams=groups, h2c=True, workers=1, **top))


site = serving(route("/"), route("/half", half_closed=True), route("/unix", "local"), route("/safe", "safe"),
               route("/limited", response_limit="100KiB"))


def resident_kib():
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{site.pid}/status").read_text(encoding="ascii"))[1])


class Watch:
    """The most resident memory of the server, beyond what it had in the beginning, while the block runs."""

    def __enter__(self):
        site.get("/warm")
        self.first, self.most, self.over = resident_kib(), 0, threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self):
        while not self.over.wait(0.01):
            self.most = max(self.most, resident_kib() - self.first)

    def __exit__(self, kind, *ignored):
        self.over.set()
        self.thread.join()
        if kind is None:
            expect_true(self.most < GROWTH_KIB, f"the server grew by {self.most} KiB")


def head(method, path, *lines, version="1.1"):
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: a", *lines, "", ""])


def drained(connection, count, pause=0.0):
    """Takes so many bytes of content, slowly at first; returns their digest."""
    digest, have = hashlib.sha256(connection.kept), len(connection.kept)
    while have < count:
        part = connection.socket.recv(min(262144, count - have))
        expect_true(part, f"the connection ended after {have} of {count} bytes")
        have += len(part)
        digest.update(part)
        if pause and have < count // 8:
            time.sleep(pause)
    return digest.hexdigest()


def pattern_sha256(count):
    return hashlib.sha256(pattern(0, count)).hexdigest()


def logged(**wanted):
    return site.log_where(**wanted)


# Much content


@test(seconds=20)
def a_slow_client_of_much_content_costs_no_memory():
    for path, one in (("/flood", app), ("/safe/flood", safe)):
        one.reset_log().script(path, [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MUCH, Flood(MUCH)])
        with Watch(), site.connect(window_bytes=16384) as c:
            c.send(head("GET", path))
            expect(c.head().status, 200)
            time.sleep(0.3)
            sent = one.wait_requests()[0].link.sent_bytes
            expect_true(sent < MUCH // 2, f"{sent} bytes were taken while the client took none")
            expect(drained(c, MUCH, 0.001), pattern_sha256(MUCH))


@test(seconds=20)
def a_slow_upstream_of_much_content_costs_no_memory():
    app.script("/up", [Sleep(0.3), ReadContent(BIG // 8, 65536, 0.001), ReadContent(), response(200, b"thanks")])
    with Watch(), site.connect(wait_seconds=15) as c:
        app.reset_log()
        c.send(head("PUT", "/up", f"Content-Length: {BIG}"))
        data = pattern(0, BIG)
        writer = threading.Thread(target=lambda: c.socket.sendall(data))
        writer.start()
        time.sleep(0.2)
        taken = app.wait_requests(whole=False)[0].link.received_bytes
        expect_true(taken < BIG // 4, f"{taken} bytes were read by who reads none")
        answer = c.response().expect(200, "upstream-answered")
        writer.join()
    expect(app.requests[0].sha256, pattern_sha256(BIG))
    expect_true(logged(id=answer.id)["bytes_in"] > BIG, "bytes_in")


@test(seconds=20)
def chunks_pass_in_both_directions():
    count = 3 * MIB
    data = pattern(0, count)
    pieces = [data[at:at + 50001] for at in range(0, count, 50001)]
    app.reset_log().answer("/chunks", lambda request: response(200, pieces=[request.content[at:at + 70000] for at in
                                                                            range(0, request.length, 70000)]))
    with site.connect() as c:
        threading.Thread(target=lambda: c.send(head("POST", "/chunks", "Transfer-Encoding: chunked")).send(
            chunked(pieces))).start()
        answer = c.response().expect(200, "upstream-answered")
        expect((answer.framing, hashlib.sha256(answer.content).hexdigest()), ("chunked", pattern_sha256(count)))
    expect(app.requests[0].sha256, pattern_sha256(count))


@test(seconds=20)
def http2_streams_both_ways():
    count = 2 * MIB
    app.script("/flood2", [b"HTTP/1.1 200 OK\r\n\r\n", Flood(count), Close()])
    with Watch(), site.h2() as h:
        stream = h.request("GET", "/flood2")
        answer = h.response(stream, 10).expect(200, "upstream-answered")
        expect(hashlib.sha256(answer.content).hexdigest(), pattern_sha256(count))
        app.reset_log()
        h.ask("PUT", "/up2", pattern(0, count), seconds=10).expect(200)
    expect(app.wait_requests()[0].sha256, pattern_sha256(count))


# An answer that does not wait for the request


@test()
def an_answer_begins_while_the_request_is_still_sent():
    def echo(link):
        link.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):
            piece = link.take(100)
            link.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        link.request.read()
        link.send(b"0\r\n\r\n")
    echo.reads_content = True
    app.script("/echo", [echo])
    with site.connect() as c:
        c.send(head("POST", "/echo", "Content-Length: 25"))
        answer = None
        for i in range(5):
            c.send(b"%05d" % i)
            answer = answer or c.head()
            expect(c._exactly(8 if i == 0 else 10), b"%s5\r\n%05d" % (b"\r\n" if i else b"", i))


@test()
def an_early_answer_goes_on_at_once():
    app.fail("/early", "early-answer", status=413)
    for lines in (["Content-Length: 5000000"], ["Transfer-Encoding: chunked"]):
        with site.connect() as c:
            answer = c.send(head("POST", "/early", *lines)).response().expect(413, "upstream-answered")
            expect(answer.content, b"early")
            expect(answer.words("Connection"), ["close"], "who is not read to the end cannot be kept")
    with site.h2() as h:
        stream = h.request("POST", "/early", b"x" * 10, end_stream=False)
        h.response(stream).expect(413, "upstream-answered")


@test()
def an_answer_is_not_lost_when_the_rest_of_the_request_breaks():
    app.script("/stop", [ReadContent(1000), response(403, b"no more", [("Connection", "close")]), Close()])
    with site.connect() as c:
        c.send(head("PUT", "/stop", f"Content-Length: {BIG}"))
        try:
            c.socket.sendall(bytes(4 * MIB))
        except OSError:
            pass
        answer = c.response().expect(403, "upstream-answered")
        expect(answer.content, b"no more")


# Answers of unusual shape


@test()
def answers_without_content_and_unusual_statuses():
    for status in (200, 201, 204, 205, 299, 304, 404, 418, 451, 499, 599):
        content = b"" if status in (204, 205, 304) else b"content"
        app.answer("/s", response(status, content, [("ETag", '"x"')]))
        answer = site.get("/s").expect(status, "upstream-answered")
        expect((answer.content, answer.get("ETag")), (content, '"x"'))
        expect(logged(id=answer.id)["upstream_status"], status)
        with site.connect() as c:
            c.send(head("HEAD", "/s") + head("GET", "/s"))
            empty, full = c.response("HEAD"), c.response()
            expect((empty.status, empty.get("ETag"), full.content), (status, '"x"', content))
            if status not in (204, 304):
                expect(empty.get("Content-Length"), str(len(content)), f"Content-Length of HEAD, {status}")
        with site.h2() as h:
            expect(h.get("/s").expect(status).content, content)


@test()
def a_304_tells_the_length_of_what_it_is_not():
    app.answer("/n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: \"x\"\r\n\r\n")
    with site.connect() as c:
        for _ in range(2):
            answer = c.send(head("GET", "/n", 'If-None-Match: "x"')).response().expect(304, "upstream-answered")
            expect(answer.get("Content-Length") in (None, "1234"), True, "the length of a 304")


@test()
def the_end_of_a_connection_is_the_end_of_content():
    app.answer("/close", b"HTTP/1.1 200 OK\r\n\r\nto the end")
    app.answer("/old", b"HTTP/1.0 200 OK\r\nContent-Type: x/y\r\n\r\nto the end")
    for path in ("/close", "/old"):
        answer = site.get(path).expect(200, "upstream-answered")
        expect((answer.framing, answer.content, answer.minor), ("chunked", b"to the end", 1))
        with site.connect() as c:
            answer = c.send(head("GET", path, version="1.0")).response().expect(200)
            expect((answer.framing, answer.content), ("close", b"to the end"))
            c.expect_closed()


@test()
def clients_of_1_0_get_no_chunks():
    app.answer("/ch", response(200, pieces=[b"ab", b"cd"], trailers=[("X-T", "1")]))
    with site.connect() as c:
        answer = c.send(head("GET", "/ch", "Connection: keep-alive", version="1.0")).response()
        expect((answer.framing, answer.content), ("close", b"abcd"))
    app.answer("/len", response(200, b"abcd"))
    with site.connect() as c:
        for _ in range(2):
            answer = c.send(head("GET", "/len", "Connection: keep-alive", version="1.0")).response()
            expect((answer.framing, answer.words("Connection")), ("length", ["keep-alive"]))


@test()
def an_upstream_of_1_0_is_kept_only_when_it_says_so():
    for lines, kept in (("", False), ("Connection: keep-alive\r\n", True)):
        app.reset_log().answer("/v0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n" + lines.encode() + b"\r\nok")
        for _ in range(2):
            site.get("/v0").expect(200)
        first, second = app.wait_requests(2)
        expect(first.connection == second.connection, kept, f"kept with {lines!r}")
        expect(site.log_where(target="/v0")["tries"][0]["server"], app.address)


@test()
def content_longer_than_its_limit_is_cut_off():
    app.answer("/limited/long", response(200, b"x" * 200000))
    site.get("/limited/long").expect(502, "upstream-body-too-large")
    app.answer("/limited/chunks", response(200, pieces=[b"x" * 10000] * 20))
    with site.connect() as c:
        c.send(head("GET", "/limited/chunks"))
        try:
            got = c.response()
        except Malformed:
            got = None
    expect(got, None, "content that looks whole")
    expect(logged(target="/limited/chunks")["broken"], "upstream-body-too-large")


# Who leaves


@test()
def a_client_that_leaves_takes_the_upstream_along():
    for name, leave in (("fin", lambda c: c.close()), ("rst", lambda c: c.reset())):
        app.reset_log().script(f"/wait-{name}", [Silent()])
        c = site.connect().send(head("GET", f"/wait-{name}"))
        link = app.wait_requests()[0].link
        before = time.monotonic()
        leave(c)
        link.wait_end(2)
        expect_true(time.monotonic() - before < 1, "the upstream is left at once")
        line = logged(target=f"/wait-{name}")
        expect((line["reason"], line["status"], line["by"], line["upstream_status"]),
               ("client-closed-request", 0, "self", 0))
        expect([one["server"] for one in line["tries"]], [app.address])


@test()
def a_stream_that_is_reset_takes_the_upstream_along():
    app.reset_log().script("/wait-h2", [Silent()])
    with site.h2() as h:
        stream = h.request("GET", "/wait-h2")
        link = app.wait_requests()[0].link
        h.rst(stream)
        link.wait_end(2)
        h.roundtrip()
    expect(logged(target="/wait-h2")["reason"], "request-cancelled")


@test()
def a_client_that_leaves_in_its_content_or_in_the_answer():
    app.reset_log().script("/leave-in", [ReadContent()])
    with site.connect() as c:
        c.send(head("PUT", "/leave-in", "Content-Length: 1000")).send(b"x" * 10)
        link = app.wait_requests(whole=False)[0].link
    link.wait_end(2)
    expect(logged(target="/leave-in")["reason"], "request-content-cut-short")
    app.reset_log().script("/leave-out", [b"HTTP/1.1 200 OK\r\n\r\n", Flood(BIG, pause=0.001), Close()])
    c = site.connect()
    c.send(head("GET", "/leave-out")).head()
    c.reset()
    app.wait_requests()[0].link.wait_end(2)
    line = logged(target="/leave-out")
    expect((line["status"], line["reason"], line["broken"]),
           (200, "upstream-answered", "client-closed-during-response"))


@test()
def pieces_go_out_at_once_though_another_request_waits():
    """Held back, each would come 200 ms late: the upstream sends the next one when the client has the last."""
    got = [threading.Event() for _ in range(60)]
    steps = [b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n"]
    for one in got:
        steps += [b"x", Until(one)]
    app.script("/pieces", steps)
    with site.connect() as c:
        c.send(head("GET", "/pieces") + head("GET", "/next"))
        c.head()
        for one in got:
            expect(c.take(1), b"x")
            one.set()
        c.response().expect(200)


@test()
def half_closed_clients_are_answered_where_the_route_says_so():
    go = threading.Event()
    app.reset_log().script("/half/a", [Until(go), response(200, b"late")])
    with site.connect() as c:
        c.send(head("GET", "/half/a")).finish_sending()
        app.wait_requests()
        c.expect_quiet(0.1)
        go.set()
        expect(c.response().expect(200, "upstream-answered").content, b"late")
        c.expect_closed()
    app.reset_log().script("/half/b", [Silent()])
    c = site.connect().send(head("GET", "/half/b"))
    app.wait_requests()
    c.reset()
    app.requests[0].link.wait_end(2)
    expect(logged(target="/half/b")["reason"], "client-closed-request")


@test()
def an_upstream_that_breaks_off_leaves_no_whole_content():
    for name, reason in (("close-in-content", "upstream-response-incomplete"),
                         ("cut-chunk", "upstream-response-incomplete"),
                         ("reset-in-content", "upstream-connection-terminated")):
        app.fail(f"/{name}", name)
        with site.connect() as c:
            c.send(head("GET", f"/{name}"))
            expect(c.head().status, 200)
            try:
                while c._more():  # pylint: disable=protected-access
                    pass
            except ConnectionError:
                pass
            expect_true(b"0\r\n\r\n" not in c.kept, f"{name}: {c.kept}")
        line = logged(target=f"/{name}")
        expect((line["status"], line["broken"], line["upstream_status"]), (200, reason, 200), name)
        with site.h2() as h:
            expect_true(h.get(f"/{name}").reset is not None, f"{name}: the stream is reset")


# Where it is


@test()
def over_a_unix_socket_and_over_tls():
    for path, one, server in (("/unix/a", local, local.address), ("/safe/a", safe, safe.address)):
        one.cut()
        one.wait_open(0)
        one.reset_log()
        time.sleep(0.02)
        for kept in (False, True):
            answer = site.get(path).expect(200, "upstream-answered")
            expect([(each["server"], each["kept"]) for each in logged(id=answer.id)["tries"]], [(server, kept)])
    link = safe.requests[0].link
    expect((link.sni, link.alpn), ("up.test", None))
    expect_true(link.tls_version in ("TLSv1.2", "TLSv1.3"), link.tls_version)


@test(seconds=30)
def real_servers_answer_through_it():
    real = serving(*[route(f"/{name}", name, to="/") for name in ("nginx", "apache", "node")],
                   more=[{"name": one.program.rstrip("2"), "servers": one.address} for one in (nginx, apache, node)])
    for name in ("nginx", "apache"):
        with real.connect() as c:
            for _ in range(4):
                expect(c.send(head("GET", f"/{name}/a.txt")).response().expect(200).content, b"hello")
            for _ in range(3):
                empty = c.send(head("HEAD", f"/{name}/text.txt")).response("HEAD").expect(200)
            expect(empty.get("Content-Length"), str(len(text)))
            part = c.send(head("GET", f"/{name}/text.txt", "Range: bytes=10-19")).response().expect(206)
            expect(part.content, text[10:20].encode())
            many = c.send(head("GET", f"/{name}/text.txt", "Range: bytes=0-1,5-6")).response().expect(206)
            expect_in("multipart/byteranges", many.get("Content-Type"))
            c.send(head("GET", f"/{name}/text.txt", "Range: bytes=999999-")).response().expect(416, "upstream-answered")
            tag = empty.get("ETag")
            c.send(head("GET", f"/{name}/text.txt", f"If-None-Match: {tag}")).response().expect(304)
            packed = c.send(head("GET", f"/{name}/text.txt", "Accept-Encoding: gzip")).response().expect(200)
            expect(packed.get("Content-Encoding"), "gzip")
            c.send(head("GET", f"/{name}/none")).response().expect(404, "upstream-answered")
            post = c.send(head("POST", f"/{name}/post" if name == "nginx" else "/apache/a.txt", "Content-Length: 3")
                          + "abc").response()
            expect(post.status in (200, 405), True, f"POST to {name}: {post}")
            for _ in range(6):
                answer = c.send(head("GET", f"/{name}/text.txt")).response().expect(200)
                expect(answer.text, text)
        expect(real.log_of(answer)["tries"][0]["kept"], True, f"connections to {name} are kept")
    with real.connect() as c:
        for i in range(10):
            expect(c.send(head("POST", "/node/p?q", "Content-Length: 3") + "abc").response().content, b"POST /p?q 3")
            chunks = head("PUT", "/node/c", "Transfer-Encoding: chunked").encode() + chunked([b"ab", b"cde"])
            expect(c.send(chunks).response().content, b"PUT /c 5")
        expect(c.send(head("HEAD", "/node/h")).response("HEAD").get("X-Method"), "HEAD")
        data = bytes(range(256)) * 2000
        asked = head("POST", "/node/echo", f"Content-Length: {len(data)}").encode() + data
        threading.Thread(target=lambda: c.send(asked)).start()
        expect(c.response().content, data)
    with real.h2() as h:
        expect(h.get("/nginx/a.txt").content + h.get("/apache/a.txt").content, b"hellohello")
        expect(h.ask("POST", "/node/echo", b"abc").content, b"abc")
