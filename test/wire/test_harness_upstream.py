"""The harness's scripted upstream, its name server and its real peers, seen by plain sockets: they do what they say."""
import contextlib
import hashlib
import json
import socket
import ssl
import struct
import time

from harness import (CONNECT_FAILURES, FAILURES, Apache, Close, Connection, Dns, Echo, Flood, Interim, Malformed, Netns,
                     Nginx, Node, PhpFpm, Pki, SServer, Silent, Sleep, TlsConnection, Upstream, Until, expect,
                     expect_in, expect_true, full_path, full_port, pattern, ReadContent, refusing_port, response, test)

app = Upstream("a")
pki = Pki()
shown = pki.server("up.test", "127.0.0.1")
GET = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


def connect(one=app, **more):
    if one.unix:
        return Connection(one.path, family=socket.AF_UNIX, **more)
    return Connection((one.host, one.port), **more)


def everything(connection, wait_seconds=1.0):
    """All bytes that come, and how that ends: "closed", "reset" or "silent"."""
    came = b""
    connection.socket.settimeout(wait_seconds)
    try:
        while part := connection.socket.recv(1 << 20):
            came += part
            if len(came) > 3 << 20:
                return came, "more"
    except ConnectionResetError:
        return came, "reset"
    except TimeoutError:
        return came, "silent"
    return came, "closed"


def failed(name, wait_seconds=1.0, request=GET, **how):
    app.fail("/" + name, name, **how)
    with connect() as c:
        return everything(c.send(request.format("/" + name)), wait_seconds)


# What it says and sees


@test()
def the_echo_tells_the_request():
    app.reset_log()
    content = b"some content"
    with connect() as c:
        head = "PUT /e?q HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a:  2 \r\nContent-Length: 12\r\n\r\n"
        told = json.loads(c.send(head).send(content).response().content)
        expect(told["fields"], [["Host", "a"], ["X-B", "1"], ["x-a", "2"], ["Content-Length", "12"]])
        expect((told["method"], told["target"], told["length"]), ("PUT", "/e?q", 12))
        expect(told["sha256"], hashlib.sha256(content).hexdigest())
        c.send("POST /f HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\nT: u\r\n\r\n")
        expect(json.loads(c.response().content)["trailers"], [["T", "u"]])
    first, second = app.wait_requests(2)
    expect((first.raw, first.content, first.connection), (head.encode(), content, second.connection))
    expect((second.content, second.chunks, second.trailers), (b"abcd", [3, 1, 0], [("T", "u")]))
    expect(first.link.wait_end(), "closed by peer")
    expect(bytes(first.link.received[:len(head)]), head.encode())


@test()
def answers_by_path_and_for_so_many_times():
    one = Upstream().answer("/x", response(200, b"standing", [("A", "b")])).answer("/x", response(503), times=1)
    one.answer("*", lambda request: response(200, request.method + request.target))
    with connect(one) as c:
        expect(c.send(GET.format("/x")).response().status, 503)
        expect(c.send(GET.format("/x?y")).response().content, b"standing")
        expect(c.send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").response("HEAD").get("A"), "b")
        expect(c.send(GET.format("/y")).response().content, b"GET/y")
        c.send("GET /x HTTP/1.1\r\nConnection: close\r\n\r\n").response()
        c.expect_closed()
    one.stop()


@test()
def malformed_requests_are_kept_and_refused():
    for data in ("nonsense\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                 "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"):
        app.reset_log()
        with connect() as c:
            expect(c.send(data).response().status, 400)
        expect_true(app.requests[0].bad, data)


@test()
def expectations_early_steps_and_slow_reading():
    app.script("/early", [response(413, b""), ReadContent()]).script("/slow", [ReadContent(pause=0.01, size=10), b"",
                                                                              response(204)])
    with connect() as c:
        c.send("PUT /e HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        expect(c.head().status, 100)
        expect(c.send("ab").response().status, 200)
        c.send("PUT /early HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
        expect(c.response().status, 413)
        began = time.monotonic()
        c.send("abPUT /slow HTTP/1.1\r\nContent-Length: 100\r\n\r\n" + "x" * 100)
        expect(c.response().status, 204)
        expect_true(time.monotonic() - began > 0.08, "content is read slowly")


@test()
def how_the_peer_ended_is_seen():
    app.script("/silent", [Silent()]).script("/sleep", [Until(lambda: False, 0.3), response()])
    for end, words in ((lambda c: c.close(), "closed by peer"), (lambda c: c.reset(), "reset by peer")):
        app.reset_log()
        c = connect().send(GET.format("/silent"))
        link = app.wait_requests()[0].link
        expect(link.ended, None)
        end(c)
        expect(link.wait_end(), words)
    expect(app.open, 0)


@test()
def floods_stop_when_nobody_reads():
    app.script("/flood", [b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n", Flood(50000000)])
    app.reset_log()
    with connect(window_bytes=4096) as c:
        c.send(GET.format("/flood"))
        link = app.wait_requests()[0].link
        time.sleep(0.2)
        expect_true(0 < link.sent_bytes < 20000000, f"{link.sent_bytes} sent to nobody who reads")
    expect_in(link.wait_end(), ("reset by peer", "closed by peer"))
    expect(pattern(0, 600)[250:254], pattern(250, 4))


@test()
def it_goes_down_and_up():
    one = Upstream()
    kept = connect(one)
    one.wait_connections()
    one.down()
    kept.expect_closed()
    expect(one.connections[0].ended, "stopped")
    for port in (one.port, refusing_port()):
        try:
            Connection(("127.0.0.1", port))
            raise AssertionError("not refused")
        except ConnectionRefusedError:
            pass
    one.up()
    with connect(one) as c:
        expect(c.send(GET.format("/")).response().status, 200)
    one.stop()


@test()
def full_backlogs():
    with socket.socket() as one:
        one.settimeout(0.3)
        try:
            one.connect(("127.0.0.1", full_port()))
            raise AssertionError("connected")
        except TimeoutError:
            pass
    with socket.socket(socket.AF_UNIX) as one:
        one.setblocking(False)
        expect(one.connect_ex(full_path()), 11)


@test()
def unix_sockets_ipv6_and_proxy_headers():
    for one in (Upstream(unix=True), Upstream(host="::1")):
        with connect(one, **({} if one.unix else {"family": socket.AF_INET6})) as c:
            expect(c.send(GET.format("/")).response().status, 200)
        one.stop()
    one = Upstream(proxy_protocol=True)
    second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + bytes(12)
    for header in (b"PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n", b"PROXY UNKNOWN\r\n", second):
        one.reset_log()
        with connect(one) as c:
            expect(c.send(header).send(GET.format("/")).response().status, 200)
        expect((one.requests[0].link.proxy_header, one.requests[0].raw), (header, GET.format("/").encode()))


# Failures on the wire


@test(seconds=30)
def every_failure_says_what_its_name_says():
    wanted = {
        "close-before-answer": (b"", "closed"), "reset-before-answer": (b"", "reset"),
        "close-in-head": (b"HTTP/", "closed"), "reset-in-head": (b"HTTP/", "reset"),
        "stall-in-head": (b"HTTP/", "silent"),
        "garbage-line": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "closed"), "empty-lines": (b"\r\n\r\n", "closed"),
        "no-head": (b"<html>content without a head</html>", "closed"), "no-answer": (b"", "silent"),
        "switch-bare": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "silent"),
        "close-unread": (b"", "closed"), "reset-unread": (b"", "reset"), "unread-content": (b"", "silent"),
    }
    for name, (data, end) in wanted.items():
        expect(failed(name, 0.1 if end == "silent" else 1), (data, end), name)
    for name, words in {
            "two-lengths": b"Length: 5\r\nContent-Length: 6\r\n", "same-lengths": b"5\r\nContent-Length: 5\r\n",
            "length-and-chunked": b"chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello", "bad-chunk": b"\r\nZZ\r\n",
            "bad-coding": b"Encoding: gibberish\r\n", "bad-length": b"Length: +5\r\n", "bad-status": b" 2x0 ",
            "folded-field": b"X-Field: a\r\n b\r\n", "nul-in-field": b"a\0b", "bare-lf": b"OK\nContent",
            "extra-bytes": b"rightHTTP/1.1 200", "interim-only": b"HTTP/1.1 103 Early Hints\r\n\r\n"}.items():
        expect_in(words, failed(name, 0.5)[0], name)
    for name, size in (("huge-head", 1 << 20), ("huge-field", 1 << 20), ("huge-trailers", 1 << 20),
                       ("endless-head", 3 << 20), ("huge-interim", 1 << 20), ("huge-chunk-extension", 1 << 20),
                       ("many-fields", 99000)):
        expect_true(len(failed(name)[0]) > size * 0.98, name)


@test()
def cuts_of_content():
    for name, end in (("close-in-content", "closed"), ("reset-in-content", "reset"), ("stall-in-content", "silent")):
        came, how = failed(name, 0.5, sent_bytes=7)
        head, _, content = came.partition(b"\r\n\r\n")
        expect((content, how), (b"0123456", end), name)
        expect_in(b"Content-Length: 100", head, name)
    for name, end, data in (("cut-chunk", "closed", b"a\r\nhello"), ("no-last-chunk", "closed", b"5\r\nhello\r\n"),
                            ("reset-in-chunk", "reset", b"a\r\nhello")):
        came, how = failed(name)
        expect((came.partition(b"\r\n\r\n")[2], how), (data, end), name)
    expect(failed("http10-no-length"), (b"HTTP/1.0 200 OK\r\n\r\nto the end", "closed"))
    expect(failed("half-close")[1], "closed")


@test(seconds=30)
def every_failure_can_be_done_and_a_good_request_after_it():
    for name in FAILURES:
        expect_true(failed(name, 0.05)[0] is not None, name)
    app.cut()
    with connect() as c:
        expect(c.send(GET.format("/")).response().status, 200)
    expect(app.errors, [])


@test()
def slow_ones_are_slow():
    for name, how in (("slow-head", {"size": 20, "pause": 0.05}), ("slow-content", {"count": 4, "pause": 0.05}),
                      ("late-answer", {"seconds": 0.2})):
        app.fail("/" + name, name, **how)
        began = time.monotonic()
        with connect() as c:
            expect(c.send(GET.format("/" + name)).response().status, 200)
        expect_true(time.monotonic() - began > 0.1, name)


@test()
def interim_answers():
    app.fail("/flood", "interim-flood").fail("/sequence", "interim-sequence")
    app.script("/one", [Interim(103, (("Link", "</a>"),)), Sleep(0.01), response(200, b"x"), Close()])
    with connect() as c:
        expect([one.status for one in c.send(GET.format("/flood")).response().interim], [102] * 30)
        expect([one.status for one in c.send(GET.format("/sequence")).response().interim], [100, 102, 103])
        expect(c.send(GET.format("/one")).response().interim[0].get("Link"), "</a>")
        c.expect_closed()


@test()
def switching_and_raw_echo():
    app.fail("/ws", "switch")
    with connect() as c:
        c.send("GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly")
        got = c.response()
        expect((got.status, got.get("Upgrade"), got.get("Sec-WebSocket-Accept")),
               (101, "websocket", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        c.send(b"\0raw")
        expect(c.finish_sending() and everything(c), (b"early\0raw"[len(c.kept):], "closed"))
    with Upstream(at_connect=[Echo()]) as raw, connect(raw) as c:
        c.send(b"ping").finish_sending()
        expect(everything(c), (b"ping", "closed"))


@test()
def kept_connections_that_end():
    for name, end in (("stale", "closed"), ("stale-reset", "reset"), ("stale-idle", "closed")):
        app.fail("/" + name, name).reset_log()
        with connect() as c:
            expect(c.send(GET.format("/" + name)).response().content, b"fresh")
            if name != "stale-idle":
                c.expect_quiet(0.05)
                c.send(GET.format("/next"))
            expect(everything(c), (b"", end), name)
        expect(len(app.requests), 1, name)


@test()
def what_a_write_meets_that_nobody_reads():
    one = Upstream(window_bytes=4096).fail("/", "unread-content").fail("/early", "early-answer", status=413)
    with connect(one, wait_seconds=0.3) as c:
        with contextlib.suppress(TimeoutError):
            c.send("PUT / HTTP/1.1\r\nContent-Length: 50000000\r\n\r\n").send(bytes(50000000))
            raise AssertionError("all of it was taken")
    with connect(one) as c:
        expect(c.send("PUT /early HTTP/1.1\r\nContent-Length: 50000000\r\n\r\n").response().status, 413)
    expect([request.whole for request in one.requests], [False, False])
    one.stop()


@test()
def failures_of_new_connections():
    one = Upstream()
    wanted = {"silent": (b"", "silent"), "close": (b"", "closed"), "reset": (b"", "reset"),
              "tls-alert": (b"\x15\x03\x03\0\x02\x02\x28", "closed"), "tls-garbage": (b"\xff" * 64, "closed"),
              "tls-close": (b"", "closed"), "tls-reset": (b"", "reset"), "tls-silent": (b"", "silent")}
    for name, steps in CONNECT_FAILURES.items():
        one.at_connect = steps
        with connect(one) as c:
            c.send(b"hello" if name.startswith(("tls-", "plain-")) else b"")
            came, how = everything(c, 0.5)
        if name in wanted:
            expect((came, how), wanted[name], name)
        else:
            expect_in(b"HTTP/1.1 ", came, name)
    one.stop()


# TLS


@test()
def an_upstream_of_tls():
    one = Upstream(tls=shown, tls_options={"client_ca": pki.ca, "alpn": ["http/1.1"], "maximum": "TLSv1.2"})
    good = pki.client("good")
    with TlsConnection(("127.0.0.1", one.port), sni="up.test", ca=pki.ca, alpn=["http/1.1"], client=good) as c:
        expect(c.send(GET.format("/")).response().status, 200)
        link = one.wait_requests()[0].link
        expect((link.sni, link.alpn, link.tls_version), ("up.test", "http/1.1", "TLSv1.2"))
        expect_in((("commonName", "good"),), link.client)
        c.send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").response()
        c.expect_closed()
        expect(c.close_notify, True)
    one.reset_log()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        TlsConnection(("127.0.0.1", one.port), sni="up.test", ca=pki.ca)
    expect_in("TLS: ", one.wait_connections()[-1].wait_end())
    one.stop()


@test()
def tls_that_is_cut():
    one = Upstream(tls=shown).fail("/missing", "close-notify-missing").fail("/cut", "reset-in-content")
    with TlsConnection(("127.0.0.1", one.port), sni="up.test", ca=pki.ca) as c:
        with contextlib.suppress(Malformed, OSError):
            c.send(GET.format("/missing")).response()
        expect_true(not c.close_notify, "no close_notify")
    with TlsConnection(("127.0.0.1", one.port), sni="up.test", ca=pki.ca) as c:
        try:
            c.send(GET.format("/cut")).response()
            raise AssertionError("nothing was cut")
        except ConnectionResetError:
            pass
    one.stop()


# Names


def ask_dns(dns, name, kind, stream=False, seconds=1.0):
    """(code, truncated, count of answers, the last bytes)."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    query = b"\x12\x34\x01\0\0\x01" + bytes(6) + labels + struct.pack("!BHH", 0, kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as one:
        one.settimeout(seconds)
        one.connect(("127.0.0.1", dns.port))
        one.sendall(struct.pack("!H", len(query)) + query if stream else query)
        got = one.recv(2048)[2 if stream else 0:]
    expect(got[:2], b"\x12\x34")
    return got[3] & 15, bool(got[2] & 2), struct.unpack("!H", got[6:8])[0], got[-16:]


@test()
def the_name_server():
    dns = Dns({"app.test": ["127.0.0.1", "127.0.0.2", "::1"], "long.test": ["127.0.0.1"]}, ttl=7)
    dns.silent("slow.test").servfail("bad.test").truncated("long.test").aliases["www.test"] = "app.test"
    code, _, count, last = ask_dns(dns, "app.test", 1)
    expect((code, count, last[-10:]), (0, 2, struct.pack("!IH", 7, 4) + bytes((127, 0, 0, 2))))
    expect(ask_dns(dns, "app.test", 28)[3], bytes(15) + b"\1")
    expect(ask_dns(dns, "app.test", 1, stream=True)[2], 2)
    expect(ask_dns(dns, "WWW.test", 1)[:3], (0, False, 3))
    expect(ask_dns(dns, "long.test", 28)[1:3], (True, 0))
    expect(ask_dns(dns, "long.test", 28, stream=True)[:3], (0, False, 0))
    expect((ask_dns(dns, "no.test", 1)[0], ask_dns(dns, "bad.test", 1)[0]), (3, 2))
    try:
        ask_dns(dns, "slow.test", 1, seconds=0.1)
        raise AssertionError("answered")
    except TimeoutError:
        pass
    dns.aliases.update({"x.test": "y.test", "y.test": "x.test"})
    expect(ask_dns(dns, "x.test", 1)[2], 16)
    dns.delays["app.test", "A"] = 0.5
    began = time.monotonic()
    ask_dns(dns, "app.test", 28)
    expect_true(time.monotonic() - began < 0.4, "only A is slow")
    expect(dns.wait_questions(3)[:3], [("app.test", "A"), ("app.test", "AAAA"), ("app.test", "A")])


# Real programs


def get_from(peer, target="/a.txt"):
    with Connection(("127.0.0.1", peer.port)) as c:
        return c.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").response()


@test(seconds=20)
def nginx():
    with Nginx({"a.txt": "hello"}, config="location /b { return 200 \"{root}\"; }") as one:
        expect(get_from(one).content, b"hello")
        expect(get_from(one, "/b").content, str(one.root).encode())
    with Nginx({"a.txt": "hello"}, tls=shown) as one:
        with TlsConnection(("127.0.0.1", one.port), sni="up.test", ca=pki.ca) as c:
            expect(c.send(GET.format("/a.txt")).response().content, b"hello")


@test(seconds=20)
def apache():
    with Apache({"a.txt": "hello"}, config="Header set X-Peer apache") as one:
        got = get_from(one)
        expect((got.content, got.get("X-Peer")), (b"hello", "apache"))


@test(seconds=20)
def node():
    script = "require('http').createServer((q, a) => a.end('node ' + q.url)).listen(process.env.PORT, '127.0.0.1')"
    with Node(script) as one:
        expect(get_from(one, "/x").content, b"node /x")


@test(seconds=20)
def php():
    with PhpFpm({"a.php": "<?php echo 'php ', $_SERVER['X'];"}) as one:
        begin = b"\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0"
        pairs = b"".join(bytes((len(k), len(v))) + k + v for k, v in (
            (b"SCRIPT_FILENAME", str(one.root / "a.php").encode()), (b"REQUEST_METHOD", b"GET"), (b"X", b"there")))
        request = begin + b"\1\4\0\1" + struct.pack("!HH", len(pairs), 0) + pairs + b"\1\4\0\1\0\0\0\0\1\5\0\1\0\0\0\0"
        for address, family in ((("127.0.0.1", one.port), socket.AF_INET), (one.path, socket.AF_UNIX)):
            with Connection(address, family=family) as c:
                expect_in(b"php there", everything(c.send(request), 5)[0])


@test(seconds=20)
def openssl_s_server():
    with SServer(shown, "-tls1_2") as one:
        with TlsConnection(("127.0.0.1", one.port), sni="up.test", ca=pki.ca) as c:
            expect(c.version(), "TLSv1.2")
            expect(c.send(GET.format("/")).response().status, 200)


@test(seconds=20)
def paths_through_a_namespace():
    ns = Netns()
    one = Upstream(host=ns.far, netns=ns)
    with connect(one) as c:
        expect(c.send(GET.format("/")).response().status, 200)
        ns.cut()
        c.send(GET.format("/")).expect_quiet(0.2)
        ns.mend()
        expect(c.response().status, 200)
    for address, error in ((ns.unroutable, OSError), (ns.swallowed, TimeoutError)):
        try:
            Connection((address, 80), wait_seconds=0.5)
            raise AssertionError("connected")
        except error as said:
            expect_true(isinstance(said, TimeoutError) == (error is TimeoutError), f"{address}: {said!r}")
    expect(ns.run("hostname") != "", True)
    ns.stop()
