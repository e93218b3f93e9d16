"""Other protocols through a gateway: what both sides agreed on passes, both ways, to the end of each. RFC9110:7.8,
RFC6455:4, RFC8441:5"""
import hashlib
import re
import threading
import time
from pathlib import Path

from harness import (Close, Echo, Error, Flood, Node, ReadContent, Reset, Server, Setting, Silent, Sleep, Switch,
                     Upstream, build_dir, configured, expect, expect_in, expect_true, pattern, response, test)
from harness.websocket import ASK, BINARY, PING, TEXT, WebSocket, said

MIB = 1 << 20
COUNT = 4 * MIB
GROWTH_KIB = (64 if build_dir().name in ("asan", "tsan") else 4) << 10  # sanitizers keep what is freed
NODE = """
const http = require('http'), crypto = require('crypto');
const server = http.createServer((q, r) => r.end('plain'));
server.on('upgrade', (q, s, head) => {
  const accept = crypto.createHash('sha1');
  accept.update(q.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11');
  s.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
          `Sec-WebSocket-Accept: ${accept.digest('base64')}\\r\\n\\r\\n`);
  let kept = head;
  const take = data => {
    kept = Buffer.concat([kept, data]);
    while (kept.length >= 6) {
      let n = kept[1] & 127, at = 2;
      if (n == 126) { if (kept.length < 8) return; n = kept.readUInt16BE(2); at = 4; }
      if (kept.length < at + 4 + n) return;
      const mask = kept.subarray(at, at + 4), body = Buffer.from(kept.subarray(at + 4, at + 4 + n));
      for (let i = 0; i < n; i++) body[i] ^= mask[i % 4];
      s.write(Buffer.concat([kept.subarray(0, 1), Buffer.from(n < 126 ? [n] : [126, n >> 8, n & 255]), body]));
      const closes = (kept[0] & 15) == 8;
      kept = kept.subarray(at + 4 + n);
      if (closes) s.end();
    }
  };
  take(Buffer.alloc(0));
  s.on('data', take).on('error', () => {});
});
server.listen(process.env.PORT, '127.0.0.1');
"""

app = Upstream("app")
node = Node(NODE)


def route(path, upstream="app", **keys):
    return {"path": path, "gateway": {"upstream": upstream, "read_wait": "500ms", **keys}}


site = Server(config=configured(route("/"), route("/idle", tunnel_idle="300ms"), route("/off", upgrade=False),
                                route("/ws", "node"), workers=1, h2c=True,
                                upstreams=[{"name": "app", "servers": app.address, "fails": 0},
                                           {"name": "node", "servers": node.address}]))
OTHER = ("Host: a", "Connection: Upgrade", "Upgrade: echo/1")


def head(path, *lines, method="GET", version="1.1"):
    return "\r\n".join([f"{method} {path} HTTP/{version}", *(lines or OTHER), "", ""])


def tunnel(path, also=b"", lines=OTHER, **more):
    """A connection on which the other protocol is spoken now."""
    c = site.connect(**more)
    c.send(head(path, *lines).encode() + also)
    c.response().expect(101, "upstream-switched")
    return c


def exactly(c, count):
    return c._exactly(count)  # pylint: disable=protected-access


def line_of(path):
    return site.log_where(target=path)


# WebSocket


@test()
def websocket_passes_to_a_real_server():
    with site.connect() as c:
        c.send("\r\n".join(["GET /ws HTTP/1.1", *ASK, "", ""]))
        answer = c.response().expect(101, "upstream-switched")
        expect(answer.get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        expect((answer.words("Upgrade"), answer.words("Connection")), (["websocket"], ["upgrade"]))
        one = WebSocket.__new__(WebSocket)
        one.c, one.answer = c, answer
        for payload in (b"", b"hello", bytes(range(256)) * 10, b"x" * 60000):
            one.echoes(payload)
        one.say(TEXT, b"text").expect(TEXT, b"text").closes()
    line = site.log_of(answer)
    expect((line["status"], line["by"], line["upstream"], line["upstream_status"]), (101, "upstream", "node", 101))
    expect([one["server"] for one in line["tries"]], [node.address])


@test()
def what_comes_with_the_request_passes_behind_the_switch():
    with site.connect() as c:
        c.send("\r\n".join(["GET /ws HTTP/1.1", *ASK, "", ""]).encode() + said(BINARY, b"early"))
        c.response().expect(101)
        expect(exactly(c, 7), b"\x82\x05early")
    app.script("/first", [Switch(), b"from the server", Echo()])
    with tunnel("/first", b"from the client") as c:
        expect(exactly(c, 30), b"from the serverfrom the client")


@test()
def the_handshake_goes_as_it_came():
    app.reset_log().script("/shake", [Switch(), Echo()])
    lines = [*ASK, "Sec-WebSocket-Protocol: chat, super", "Sec-WebSocket-Extensions: permessage-deflate"]
    with tunnel("/shake", lines=lines):
        request = app.wait_requests()[0]
        for line in lines:
            name, _, value = line.partition(": ")
            expect(request.all(name), [value], name)


@test()
def plain_requests_go_to_the_same_place():
    expect(site.get("/ws").expect(200, "upstream-answered").content, b"plain")


# Any protocol


@test()
def any_protocol_is_passed_byte_by_byte():
    app.reset_log().script("/any", [Switch(), Echo()])
    with tunnel("/any") as c:
        for data in (b"\0", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(range(256)), b"0\r\n\r\n"):
            c.send(data)
            expect(exactly(c, len(data)), data)
        c.finish_sending()
        c.expect_closed()
    expect(len(app.requests), 1, "what is said in there is no request")
    expect(app.requests[0].link.wait_end(), "closed by peer")
    line = line_of("/any")
    expect((line["status"], line["reason"], "broken" in line), (101, "upstream-switched", False))


@test()
def a_switch_is_made_with_content_too():
    app.reset_log().script("/post", [ReadContent(), Switch(), Echo()])
    with site.connect() as c:
        c.send(head("/post", *OTHER, "Content-Length: 5", method="POST") + "hello").response().expect(101)
        expect(exactly(c.send(b"more"), 4), b"more")
    expect(app.requests[0].content, b"hello")


@test()
def other_ways_to_speak_http_are_not_offered():
    for value, lines in (("h2c", ["HTTP2-Settings: AAMAAABkAAQAAP__"]), ("H2C", []), ("HTTP/2.0", []), ("TLS/1.0", []),
                         ("tls/1.0", []), ("http/2.0", []), ("h2c, HTTP/2.0 ,tls/1.2", []), ('"a, h2c"', []),
                         ("a b", []), ("a/", []), ("/1", []), ("a/b/c", []), (",", [])):
        app.reset_log()
        with site.connect() as c:
            c.send(head("/x", "Host: a", "Connection: Upgrade, HTTP2-Settings", f"Upgrade: {value}", *lines))
            c.response().expect(200, "upstream-answered")
            for name in ("Upgrade", "Connection", "HTTP2-Settings"):
                expect(app.requests[0].get(name), None, f"{name}, for {value}")
            c.send(head("/y", "Host: a")).response().expect(200)


@test()
def of_a_list_only_what_may_be_spoken_is_offered():
    for value, wanted in (("foo, h2c", "foo"), ("h2c,Foo/1 , TLS/1.0,, bar", "Foo/1, bar"),
                          ("websocket,foo", "websocket, foo"), ("HTTP/2.0, httpx/2", "httpx/2")):
        app.reset_log()
        with site.connect() as c:
            c.send(head("/x", "Host: a", "Connection: Upgrade", f"Upgrade: {value}")).response().expect(200)
            expect((app.requests[0].all("Upgrade"), app.requests[0].get("Connection")), ([wanted], "Upgrade"))
    for said in ("foo/1", "FOO/1", "bar, foo/1"):
        app.reset_log().script("/of", [Switch(said), Echo()])
        with site.connect() as c:
            c.send(head("/of", "Host: a", "Connection: Upgrade", "Upgrade: h2c, bar, foo/1"))
            expect(c.response().expect(101, "upstream-switched").get("Upgrade"), said)


@test()
def a_switch_to_what_was_not_offered_is_a_failure():
    for said in ("h2c", "other/1", "foo/2", "foo/1, h2c", ""):
        said_lines = b"Upgrade: %s\r\n" % said.encode() if said else b""
        app.reset_log().script("/else", [b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + said_lines
                                         + b"\r\n", Echo()])
        with site.connect() as c:
            c.send(head("/else", "Host: a", "Connection: Upgrade", "Upgrade: foo/1, h2c"))
            answer = c.response().expect(502, "upstream-upgrade-failed")
            expect(answer.get("Proxy-Status"), "verdict;error=http_upgrade_failed;next-hop=app")


@test()
def nobody_is_asked_to_switch_who_was_not_to():
    for lines, version in ((["Upgrade: echo/1"], "1.1"), (list(OTHER[1:]), "1.0"), (["Connection: Upgrade"], "1.1")):
        app.reset_log()
        with site.connect() as c:
            c.send(head("/x", "Host: a", *lines, version=version)).response().expect(200, "upstream-answered")
        expect((app.requests[0].get("Upgrade"), app.requests[0].get("Connection")), (None, None), f"{lines}")
    app.reset_log()
    with site.connect() as c:
        c.send(head("/off/x")).response().expect(200, "upstream-answered")
    expect(app.requests[0].get("Upgrade"), None, "where the route has upgrade: off")


@test()
def a_switch_that_nobody_asked_for_is_a_failure():
    app.script("/unasked", [Switch("echo/1"), Echo()])
    for target, lines in (("/unasked", ["Host: a"]), ("/off/unasked", list(OTHER))):
        app.script(target, [Switch("echo/1"), Echo()])
        with site.connect() as c:
            answer = c.send(head(target, *lines)).response().expect(502, "upstream-upgrade-failed")
            expect(answer.get("Proxy-Status"), "verdict;error=http_upgrade_failed;next-hop=app")
            expect(answer.interim, [])
            line = site.log_of(answer)
            expect((line["by"], {one["reason"] for one in line["tries"]}), ("self", {"upstream-upgrade-failed"}))


@test()
def a_refusal_to_switch_is_passed_on():
    for status in (200, 400, 403, 426, 503):
        app.reset_log().answer("/refused", response(status, b"no", [("Upgrade", "echo/2"), ("Connection", "Upgrade")]))
        with site.connect() as c:
            for _ in range(2):
                answer = c.send(head("/refused")).response().expect(status, "upstream-answered")
                expect(answer.content, b"no")
                expect(site.log_of(answer)["upstream_status"], status)


# The ends


@test()
def silence_ends_a_tunnel():
    app.reset_log().script("/idle/a", [Switch(), Echo()])
    with tunnel("/idle/a") as c:
        started = time.monotonic()
        for _ in range(4):
            time.sleep(0.15)
            expect(exactly(c.send(b"x"), 1), b"x")
        expect_true(time.monotonic() - started > 0.5, "words keep it open")
        started = time.monotonic()
        c.expect_closed()
        expect_true(0.2 < time.monotonic() - started < 1.5, "silence closes it")
    app.requests[0].link.wait_end(2)
    line = line_of("/idle/a")
    expect((line["status"], line["broken"]), (101, "tunnel-idle"))


@test()
def a_side_that_has_nothing_more_to_say_still_listens():
    def answers_at_the_end(link):
        total = 0
        while link.kept or link.fill():
            total += len(link.kept)
            link.kept = b""
        link.send(b"%d bytes" % total)
        link.finish("closed")
    app.script("/half-client", [Switch(), answers_at_the_end])
    with tunnel("/half-client") as c:
        c.send(b"x" * 100000).finish_sending()
        expect(exactly(c, 12), b"100000 bytes")
        c.expect_closed()
    heard = []

    def ends_first(link):
        link.send(b"goodbye")
        link.finish_sending()
        while link.kept or link.fill():
            heard.append(link.kept)
            link.kept = b""
        link.finish("closed by peer")
    app.reset_log().script("/half-server", [Switch(), ends_first])
    c = site.connect()
    c.send(head("/half-server")).response().expect(101)
    expect(exactly(c, 7), b"goodbye")
    c.close()
    expect(app.requests[0].link.wait_end(2), "closed by peer")


@test(seconds=20)
def much_passes_both_ways_in_little_memory():
    app.script("/big", [Switch(), Echo()])

    def resident_kib():
        text = Path(f"/proc/{site.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1])
    with tunnel("/big", wait_seconds=10) as c:
        before, data = resident_kib(), pattern(0, COUNT)
        writer = threading.Thread(target=lambda: (c.socket.sendall(data), c.finish_sending()))
        writer.start()
        time.sleep(0.2)
        back = exactly(c, COUNT)
        writer.join()
        expect_true(resident_kib() - before < GROWTH_KIB, f"the server grew by {resident_kib() - before} KiB")
        expect(hashlib.sha256(back).digest(), hashlib.sha256(data).digest())
        c.expect_closed()
    app.script("/flood", [Switch(), Flood(COUNT), Close()])
    with tunnel("/flood", window_bytes=16384) as c:
        time.sleep(0.1)
        expect(exactly(c, COUNT), pattern(0, COUNT))
        c.expect_closed()


@test()
def who_breaks_off_takes_the_other_along():
    app.reset_log().script("/reset", [Switch(), Sleep(0.1), Reset()])
    with tunnel("/reset") as c:
        try:
            c.expect_closed()
        except ConnectionError:
            pass
    line = line_of("/reset")
    expect((line["status"], line["broken"]), (101, "upstream-connection-terminated"))
    app.reset_log().script("/left", [Switch(), Silent()])
    c = tunnel("/left")
    c.reset()
    app.requests[0].link.wait_end(2)
    expect(line_of("/left")["broken"], "client-closed-during-response")
    app.reset_log().script("/closed", [Switch(), b"bye", Close()])
    with tunnel("/closed") as c:
        expect(exactly(c, 3), b"bye")
        c.expect_closed()
    expect_true("broken" not in line_of("/closed"), "an end in good order")


# Over HTTP/2


@test()
def extended_connect_becomes_an_upgrade():
    with site.h2() as h:
        expect(h.settings_of_server[Setting.ENABLE_CONNECT_PROTOCOL], 1)
        app.reset_log().script("/h2", [Switch(), Echo()])
        stream = h.request("CONNECT", "/h2?q", None, end_stream=False, authority="b.test", protocol="websocket",
                           fields=[("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat"),
                                   ("origin", "http://a")])
        answer = h.head(stream)
        expect((answer.status, answer.reason), (200, "tunnel-opened"))
        expect([answer.get(name) for name in ("upgrade", "connection", "sec-websocket-accept")], [None] * 3)
        request = app.wait_requests()[0]
        expect((request.method, request.target, request.get("Host")), ("GET", "/h2?q", "b.test"))
        expect((request.get("Upgrade"), request.get("Connection")), ("websocket", "Upgrade"))
        expect(len(request.get("Sec-WebSocket-Key")), 24)
        expect((request.get("Sec-WebSocket-Version"), request.get("Sec-WebSocket-Protocol")), ("13", "chat"))
        for data in (b"hello", bytes(5000)):
            h.data(stream, data)
            expect(h.take(stream, len(data)), data)
        h.data(stream, b"", end_stream=True)
        answer = h.response(stream)
        expect((answer.ended, answer.reset), (True, None))
        h.roundtrip()
    expect(request.link.wait_end(2), "closed by peer")


@test()
def a_real_server_hears_a_stream_of_http2():
    with site.h2() as h:
        stream = h.request("CONNECT", "/ws", None, end_stream=False, protocol="websocket",
                           fields=[("sec-websocket-version", "13")])
        expect(h.head(stream).status, 200)
        h.data(stream, said(BINARY, b"hello"))
        expect(h.take(stream, 7), b"\x82\x05hello")
        h.data(stream, said(PING, b"p"))
        expect(h.take(stream, 3)[1:], b"\x01p")
        expect(h.get("/ws").expect(200).content, b"plain", "other streams live on")


@test()
def a_stream_is_refused_as_the_upstream_says():
    fields = [("sec-websocket-version", "13")]
    app.answer("/h2-no", response(403, b"no"))
    app.answer("/h2-ok", response(200, b"no tunnel"))
    with site.h2() as h:
        stream = h.request("CONNECT", "/h2-no", None, end_stream=False, protocol="websocket", fields=fields)
        answer = h.response(stream).expect(403, "upstream-answered")
        expect(answer.content, b"no")
        stream = h.request("CONNECT", "/h2-ok", None, end_stream=False, protocol="websocket", fields=fields)
        answer = h.response(stream).expect(502, "upstream-upgrade-failed")
        expect_in("error=http_upgrade_failed", answer.get("proxy-status"))
        stream = h.request("CONNECT", "/off/x", None, end_stream=False, protocol="websocket", fields=fields)
        expect_true(h.response(stream).status != 200, "no tunnel where the route has upgrade: off")


@test()
def a_stream_ends_as_its_upstream_does():
    fields = [("sec-websocket-version", "13")]
    app.reset_log().script("/h2-close", [Switch(), b"bye", Close()])
    app.script("/h2-reset", [Switch(), Sleep(0.1), Reset()])
    app.script("/h2-left", [Switch(), Silent()]).script("/idle/h2", [Switch(), Silent()])
    with site.h2() as h:
        stream = h.request("CONNECT", "/h2-close", None, end_stream=False, protocol="websocket", fields=fields)
        answer = h.response(stream)
        expect((answer.content, answer.ended), (b"bye", True))
        stream = h.request("CONNECT", "/h2-reset", None, end_stream=False, protocol="websocket", fields=fields)
        expect_true(h.response(stream).reset is not None, "RST_STREAM for a RST")
        stream = h.request("CONNECT", "/idle/h2", None, end_stream=False, protocol="websocket", fields=fields)
        expect_true(h.response(stream).over, "silence ends it")
        stream = h.request("CONNECT", "/h2-left", None, end_stream=False, protocol="websocket", fields=fields)
        expect(h.head(stream).status, 200)
        h.rst(stream, Error.CANCEL)
        next(one for one in app.requests if one.target == "/h2-left").link.wait_end(2)
    expect(line_of("/idle/h2")["broken"], "tunnel-idle")
