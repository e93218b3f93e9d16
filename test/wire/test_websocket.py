"""WebSockets over HTTP/1.1, with and without TLS: the handshake, the frames, and how they end (RFC 6455)."""
import base64
import hashlib
import signal
import time

from harness import Pki, Server, configured, expect, expect_in, expect_true, files, test
from harness.websocket import ASK, BINARY, CLOSE, KEY, PING, TEXT, WebSocket, bye, head, open_on, said

MESSAGE_BYTES = 65536
MEBIBYTE = 1 << 20
ROUTES = [{"path": "/ws", "websocket": "echo"}, {"path": "/iis", "websocket": "echo", "dialect": "iis"}, files()]
pki = Pki()
own = pki.server("a.example")
TLS = {"tls": {"listen": "127.0.0.1:{tls_port}",
               "certificates": [{"certificate": str(own.certificate), "key": str(own.key)}]}}
site = Server({"a.txt": "hello"}, config=configured(*ROUTES, workers=1, **TLS), admin=True, pki=pki)
hasty = Server({"a.txt": "hello"}, config=configured(
    *ROUTES, workers=1, times={"tunnel_idle_ms": "300ms", "send_wait_ms": "600ms", "drain_ms": "500ms"}, **TLS),
    admin=True, pki=pki)
BOTH = (False, True)


def without(name, *instead):
    """The lines of a good handshake without those of one name, and others for it."""
    return [line for line in ASK if not line.startswith(name + ":")] + list(instead)


def accept_of(key):
    """RFC6455:4.2.2"""
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


def nodes(told):
    """What the graph asked and did, with the answers."""
    return {step["node"]: step["answer"] for step in told["path"]}


def record_of(answer, server=site):
    told = server.recorded(answer)
    expect((told["reason"], told["status"]), (answer.reason, answer.status))
    return told


# The handshake

@test("R016", "R017")
def a_client_that_asks_is_switched():
    other = base64.b64encode(bytes(range(16))).decode()
    for lines, key in ((ASK, KEY), (without("Sec-WebSocket-Key", f"sec-websocket-key:{other}"), other),
                       (without("Connection", "Connection: keep-alive, UPGRADE"), KEY),
                       (without("Connection", "Connection: keep-alive", "Connection: upgrade, x"), KEY),
                       (without("Upgrade", "Upgrade: h2c, WebSocket"), KEY),
                       ([*ASK, "Origin: http://else.example", "Sec-WebSocket-Protocol: chat, superchat",
                               "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"], KEY)):
        for secure in BOTH:
            with site.connect_tls() if secure else site.connect() as c:
                answer = c.send(head(*lines)).response().expect(101, "protocol-switch")
                expect(answer.get("Sec-WebSocket-Accept"), accept_of(key), str(lines))
                expect((answer.words("Upgrade"), answer.words("Connection")), (["websocket"], ["upgrade"]))
                for name in ("Content-Length", "Transfer-Encoding", "Sec-WebSocket-Protocol",
                             "Sec-WebSocket-Extensions", "Sec-WebSocket-Version"):
                    expect(answer.get(name), None, name)
                c.send(said(TEXT, b"x"))
                expect(c._exactly(3), b"\x81\x01x")


def expect_offer(answer):
    """426 says what to ask for, and how. RFC9110:15.5.22"""
    expect((answer.words("Upgrade"), answer.get("Sec-WebSocket-Version")), (["websocket"], "13"))
    expect_in("upgrade", answer.words("Connection"))
    expect(answer.get("Sec-WebSocket-Accept"), None)


@test("R016", "R193")
def a_client_that_does_not_ask_is_told_how():
    for lines in (["Host: a.example"], without("Connection"),
                  without("Connection", "Connection: keep-alive, x-upgrade"), without("Upgrade"),
                  without("Upgrade", "Upgrade: h2c"), without("Upgrade", "Upgrade: websockets"),
                  without("Connection", "Connection: close"), without("Connection", "Upgrade2: Upgrade")):
        with site.connect() as c:
            answer = c.send(head(*lines)).response().expect(426, "upgrade-required")
            expect_offer(answer)
            told = nodes(record_of(answer))
            expect((told["tunnels"], told["tunnel_method"], told["websocket_offered"]), ("yes", "yes", "no"))
            if "close" not in answer.words("Connection"):
                c.send(head(*ASK)).response().expect(101, "protocol-switch")


@test("R016", "R193")
def a_client_of_http_1_0_cannot_switch():
    with site.connect() as c:
        answer = c.send(head(*ASK, version="HTTP/1.0") + "\x82\x80aaaa").response().expect(426, "upgrade-required")
        expect_offer(answer)
        c.expect_closed()
    with site.connect() as c:
        lines = without("Connection", "Connection: keep-alive, upgrade")
        c.send(head(*lines, version="HTTP/1.0")).response().expect(426, "upgrade-required")
        c.send(head("Host: a.example", "Connection: close", target="/a.txt")).response().expect(200)


@test("R019")
def plain_pages_do_not_switch():
    for upgrade in ("websocket", "h2c", "TLS/1.3, HTTP/2.0", "x/y"):
        with site.connect() as c:
            for _ in range(2):
                answer = c.send(head(*without("Upgrade", f"Upgrade: {upgrade}"), target="/a.txt")).response()
                expect((answer.expect(200).text, answer.get("Upgrade"), answer.words("Connection")),
                       ("hello", None, []))


@test()
def handshakes_that_are_not_valid():
    key, version = "Sec-WebSocket-Key", "Sec-WebSocket-Version"
    for lines in (without(key), without(key, f"{key}:"), without(key, f"{key}: {KEY[:-1]}"),
                  without(key, f"{key}: {KEY[:-2]}"), without(key, f"{key}: {KEY[:20]}A==="),
                  without(key, f"{key}: {KEY}A"), without(key, f"{key}: {KEY[:4]}*{KEY[5:]}"),
                  without(key, f"{key}: {base64.b64encode(bytes(15)).decode()}"),
                  without(key, f"{key}: {base64.b64encode(bytes(17)).decode()}"),
                  without(key, f"{key}: {base64.urlsafe_b64encode(bytes([255] * 16)).decode()}"),
                  [*ASK, f"{key}: {KEY}"], without(version)):
        with site.connect() as c:
            answer = c.send(head(*lines)).response().expect(400, "websocket-handshake-invalid")
            expect((answer.get("Upgrade"), answer.get("Sec-WebSocket-Accept")), (None, None), str(lines))
            told = nodes(record_of(answer))
            expect(told.get("websocket_version_given", told["websocket_key_valid"]), "no", str(lines))
            expect("switch_protocol" in told, False)
            c.send(head("Host: a.example", target="/a.txt")).response().expect(200)


@test()
def an_invalid_handshake_in_the_dialect_of_iis():
    answer = site.ask(head(*without("Sec-WebSocket-Key"), target="/iis")).expect(400, "websocket-handshake-invalid")
    told = record_of(answer)
    expect((told["dialect"], told["detail"]), ("iis", "400.11"))
    expect_in("400.11", answer.text)
    expect(site.log_of(answer)["detail"], "400.11")


@test("R193")
def versions_that_are_not_spoken():
    for version in ("8", "0", "14", "013", "13.0", "thirteen", "7, 8"):
        with site.connect() as c:
            c.send(head(*without("Sec-WebSocket-Version", f"Sec-WebSocket-Version: {version}")))
            answer = c.response().expect(426, "websocket-version-unsupported")
            expect_offer(answer)
            told = nodes(record_of(answer))
            expect((told["websocket_version_given"], told["websocket_version_spoken"]), ("yes", "no"))
            c.send(head(*ASK)).response().expect(101, "protocol-switch")


@test()
def methods_that_do_not_switch():
    for method in ("HEAD", "POST", "PUT", "DELETE"):
        with site.connect() as c:
            answer = c.send(head(*ASK, method=method)).response(to=method).expect(405, "method-not-allowed")
            expect((answer.words("Allow"), answer.get("Upgrade")), (["get", "options"], None))
            expect(nodes(record_of(answer))["tunnel_method"], "no")
            answer = c.send(head(*ASK, method="OPTIONS")).response().expect(200, "options-answered")
            expect(answer.words("Allow"), ["get", "options"])
            expect(nodes(record_of(answer))["tunnel_options"], "yes")


# Where the new protocol begins

@test("R018")
def the_new_protocol_begins_behind_the_head():
    frames = said(TEXT, b"one") + said(PING, b"two") + said(BINARY, b"3" * 200)
    echo = b"\x81\x03one" + b"\x8a\x03two" + b"\x82\x7e\x00\xc8" + b"3" * 200
    for secure in BOTH:
        with open_on(site, secure, also=frames) as w:  # head and frames in one piece
            expect(w.c._exactly(len(echo)), echo)
            w.closes()
        with site.connect_tls() if secure else site.connect() as c:
            for byte in head(*ASK).encode() + frames:  # each byte alone
                c.send(bytes([byte]))
            c.response().expect(101)
            expect(c._exactly(len(echo)), echo)


@test("R018")
def the_head_of_the_switch_is_complete_before_a_frame():
    with site.connect() as c:
        c.send(head(*ASK).encode() + said(CLOSE))
        data = b""
        while part := c.socket.recv(65536):
            data += part
    answer, _, rest = data.partition(b"\r\n\r\n")
    expect((answer.split(b"\r\n")[0], rest), (b"HTTP/1.1 101 Switching Protocols", b"\x88\x00"))


@test("R018")
def pipelined_behind_another_request():
    with site.connect() as c:
        c.send(head("Host: a.example", target="/a.txt").encode() + head(*ASK).encode() + said(TEXT, b"third"))
        c.response().expect(200)
        c.response().expect(101, "protocol-switch")
        expect(c._exactly(7), b"\x81\x05third")


@test("R020", "R018")
def content_is_asked_for_before_the_switch():
    for secure in BOTH:
        for framing, content in (("Content-Length: 4", b"abcd"),
                                 ("Transfer-Encoding: chunked", b"4\r\nabcd\r\n0\r\nX-Trailer: y\r\n\r\n")):
            with site.connect_tls() if secure else site.connect() as c:
                c.send(head(*ASK, "Expect: 100-continue", framing))
                expect(c.head().status, 100)
                c.expect_quiet(0.1)
                c.send(content + said(TEXT, b"after"))
                c.response().expect(101, "protocol-switch")
                expect(c._exactly(7), b"\x81\x05after")


@test("R018")
def content_that_comes_unasked_is_read_before_the_switch():
    with site.connect() as c:
        c.send(head(*ASK, "Content-Length: 100000").encode() + b"x" * 60000)
        c.expect_quiet(0.1)
        c.send(b"x" * 40000 + said(TEXT, b"after"))
        c.response().expect(101, "protocol-switch")
        expect(c._exactly(7), b"\x81\x05after")


@test()
def content_that_breaks_prevents_the_switch():
    with site.connect() as c:
        c.send(head(*ASK, "Content-Length: 10") + "abc").finish_sending()
        answer = c.response().expect(400, "request-content-cut-short")
        expect(answer.get("Upgrade"), None)
        c.expect_closed()
    with site.connect() as c:
        c.send(head(*ASK, "Transfer-Encoding: chunked") + "x\r\n").response().expect(400, "bad-chunk")
        c.expect_closed()
    for framing, start in (("Transfer-Encoding: chunked", f"{2 * MEBIBYTE:x}\r\n"),
                           (f"Content-Length: {2 * MEBIBYTE}", "")):
        with site.connect() as c:
            c.send(head(*ASK, framing) + start + "x" * 2 * MEBIBYTE)
            c.response().expect(413, "content-streamed-too-large")
            c.expect_closed()


@test()
def the_limit_of_content_is_not_one_of_messages():
    with open_on(site) as w:
        for _ in range(1 + 2 * MEBIBYTE // MESSAGE_BYTES):
            w.echoes(bytes(MESSAGE_BYTES))
        w.closes()


# Waiting, and clients that do not

@test()
def an_idle_client_is_told_that_it_is():
    for secure in BOTH:
        for frames in (b"", said(TEXT, b"half of")[:-3], said(TEXT, b"one", fin=False)):
            with open_on(hasty, secure, also=frames) as w:
                start = time.monotonic()
                w.expect(CLOSE, bye(1001, b"idle"))
                w.c.expect_closed()
                waited = time.monotonic() - start
                expect_true(0.2 < waited < 1.5, f"closed after {waited} s")
            told = record_of(w.answer, hasty)
            expect((told["broken"], told["waits"][0]["what"]), ("websocket-idle", "content"))
            expect(hasty.log_of(w.answer)["broken"], "websocket-idle")


@test()
def every_byte_puts_the_end_off():
    with open_on(hasty) as w:
        for byte in said(TEXT, b"slow"):
            time.sleep(0.1)
            w.c.send(bytes([byte]))
        w.expect(TEXT, b"slow").closes()
    expect_true(hasty.recorded(w.answer)["ms"] > 900, "more than once tunnel_idle_ms")


def memory_kib(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def pour(w, most_bytes):
    """Sends messages until the server takes no more for a while; returns how many bytes it took."""
    sent, block = 0, b"".join(said(BINARY, b"%08d" % i + bytes(4088)) for i in range(64))
    w.c.socket.settimeout(0.4)
    try:
        while sent < most_bytes:
            sent += w.c.socket.send(block)
    except TimeoutError:
        pass
    finally:
        w.c.socket.settimeout(5)
    return sent


@test(seconds=30)
def a_client_that_does_not_read_is_not_read():
    with site.connect(window_bytes=4096) as c:
        w = WebSocket(c)
        before = memory_kib(site)
        sent = pour(w, 100 << 20)
        expect_true(sent < 30 << 20, f"{sent} bytes were taken")
        expect_true(memory_kib(site) - before < 16384, f"{before} KiB before, {memory_kib(site)} KiB now")
        site.ask(head("Host: a.example", target="/a.txt")).expect(200)
        heard = 0  # all that was sent whole comes back, in its order
        while heard < sent // (8 + 4096):
            w.expect(BINARY, b"%08d" % (heard % 64) + bytes(4088))
            heard += 1


@test(seconds=20)
def a_client_that_never_reads_is_left():
    for secure in BOTH:
        with hasty.connect_tls(window_bytes=4096) if secure else hasty.connect(window_bytes=4096) as c:
            w = WebSocket(c)
            try:
                while True:
                    w.say(BINARY, bytes(60000))
            except (ConnectionError, TimeoutError) as end:
                expect_true(isinstance(end, ConnectionError), f"the end, not {end}")
        told = record_of(w.answer, hasty)
        expect(told["broken"], "response-send-timeout")


@test()
def a_client_that_vanishes():
    for secure in BOTH:
        for frames in (b"", said(TEXT, b"half of")[:-3]):
            with open_on(site, secure, also=frames) as w:
                w.echoes() if not frames else None
                time.sleep(0.05)
                w.c.reset()
            told = record_of(w.answer)
            expect(told["broken"], "client-closed-during-response")
            expect(told["reason"], "protocol-switch")


@test()
def a_client_that_ends_without_a_goodbye():
    for secure in BOTH:
        with open_on(site, secure) as w:
            w.say(TEXT, b"last")
            w.c.finish_sending()
            w.expect(TEXT, b"last")
            w.c.expect_closed()
        expect(record_of(w.answer)["broken"], None)
    with open_on(site, secure=True) as w:  # not even one of TLS
        w.echoes()
        w.c.socket.close()
    site.recorded(w.answer)


# What is known of it

@test("R017")
def recorded_with_its_path_and_its_bytes():
    for secure in BOTH:
        with open_on(site, secure) as w:
            frames = [said(TEXT, b"a" * n) for n in (1, 200, 1000)]
            for n in (1, 200, 1000):
                w.echoes(b"a" * n, TEXT)
            answer = w.closes()
        told = record_of(answer)
        answers = nodes(told)
        expect([answers[name] for name in ("tunnels", "tunnel_method", "open_tunnel", "tunnel_options", "connects",
                                           "websocket_offered", "websocket_key_valid", "websocket_version_given",
                                           "websocket_version_spoken", "has_stream", "switch_protocol")],
               ["yes", "yes", "done", "no", "no", "yes", "yes", "yes", "yes", "no", "done"])
        expect(told["path"][-1]["node"], "switch_protocol")
        expect((told["reason"], told["status"], told["resource"], told["route"], told["broken"], told["failed"]),
               ("protocol-switch", 101, "websocket", "/ws", None, False))
        echoed = 3 + 204 + 1004 + 4
        expect(told["bytes_in"], len(head(*ASK)) + sum(map(len, frames)) + len(said(CLOSE, bye(1000))))
        expect(told["bytes_out"], answer.head_bytes + echoed)
        line = site.log_of(answer)
        expect((line["reason"], line["status"], line["bytes_out"]), ("protocol-switch", 101, told["bytes_out"]))


@test()
def told_while_it_is_open():
    with open_on(site) as w:
        running = [one for one in site.api("running")["exchanges"] if one["id"] == w.answer.id]
        expect([(one["target"], one["wait"]) for one in running], [("/ws", "content")])
        w.closes()


@test(seconds=20)
def an_open_one_ends_with_the_server():
    for secure in BOTH:
        hasty.start()
        with open_on(hasty, secure) as talks, open_on(hasty, secure) as idles:
            hasty.signal(signal.SIGTERM)
            start = time.monotonic()
            try:
                while time.monotonic() - start < 5:
                    talks.echoes(b"still there")
                    time.sleep(0.05)
            except (AssertionError, OSError):
                pass
            waited = time.monotonic() - start
            expect(hasty.ended(), 0)
            expect_true(waited < 2, f"ended {waited} s after SIGTERM")
        expect_true(talks.answer.id != idles.answer.id, "two exchanges")
        for w in (talks, idles):
            line = hasty.log_of(w.answer)
            expect((line["reason"], line["status"]), ("protocol-switch", 101))
