"""What comes late, and what must not be waited for: slow clients of HTTP/2, streams beside others, records of TLS one after
the other, the way to the end. RFC 9113:5.2, 6.8, 10.5"""
import signal
import ssl
import time

from harness import H2, Error, Pki, Server, Setting, Type, configured, expect, expect_true, files, test

MOST = 0x7fffffff
WINDOW_BYTES = 65535
BIG = 12 << 20
TREE = {"a.txt": "hello", "big.bin": bytes(BIG), "some.bin": bytes(BIG // 4)}


def server(times=None, **top):
    return Server(TREE, config=configured(files(write=True), h2c=True, workers=1, times=times or {}, **top), admin=True)


brief = server({"send_wait_ms": "400ms", "content_wait_ms": "400ms", "keep_alive_ms": "5s", "linger_ms": "300ms"})
# Only send_wait_ms is for clients that do not read: what others may take must not matter to them.
hurried = server({"send_wait_ms": "1600ms", "content_wait_ms": "200ms", "head_wait_ms": "200ms", "keep_alive_ms": "5s",
                  "tunnel_idle_ms": "200ms", "linger_ms": "300ms"})
usual = server()


def greedy(to, window_bytes=65536):
    """A client that opens the windows of HTTP/2 as far as they go, so that only its socket holds the server back."""
    h = H2(to.connect(window_bytes=window_bytes), {Setting.INITIAL_WINDOW_SIZE: MOST}, wait_seconds=10, credit=False)
    return h.window(0, MOST - WINDOW_BYTES)


def broken(to, path):
    """Why sending the newest response for this path failed; None: it did not."""
    until = time.monotonic() + 3
    while time.monotonic() < until:
        found = [row for row in to.api("exchanges?limit=20")["exchanges"] if row["target"] == path]
        if found:
            return found[0]["broken"]
        time.sleep(0.01)
    raise AssertionError(f"{path} is not recorded")


# Clients that read slowly

@test(seconds=20)
def who_reads_steadily_is_served_to_the_end():
    with greedy(brief) as h:
        h.request("GET", "/big.bin")
        until = time.monotonic() + 4
        while time.monotonic() < until:
            expect_true(h.next_frame() is not None, "not cut off")
            time.sleep(0.01)


@test(seconds=20)
def who_stops_reading_has_the_time_of_sending():
    with greedy(hurried) as h:
        stream = h.request("GET", "/big.bin")
        time.sleep(1)
        expect(len(h.response(stream).expect(200).content), BIG)
    with greedy(hurried) as h:
        h.request("GET", "/big.bin")
        time.sleep(3.5)
        try:
            expect_true(h.closed(3), "cut off in the end")
        except (ConnectionError, AssertionError):
            pass
        expect(broken(hurried, "/big.bin"), "response-send-timeout")


def part(h, count):
    """Asks for so many bytes. How many the kernel takes before the socket is full is not known: many counts are tried."""
    return h.request("GET", "/big.bin", fields=[("range", f"bytes=0-{count - 1}")])


PARTS = range(2000000, 6000000, 200000)


@test(seconds=20)
def what_came_while_the_socket_was_full_is_read_when_there_is_room():
    for count in PARTS:
        with greedy(usual) as h:
            stream = part(h, count)
            time.sleep(0.05)
            h.ping(b"12345678")
            time.sleep(0.02)
            expect(len(h.response(stream).expect(206).content), count)
            began = time.monotonic()
            h.wait_for(Type.PING)
            expect_true(time.monotonic() - began < 0.5, f"{count}: {time.monotonic() - began} s")


@test(seconds=20)
def the_end_of_a_slow_response_is_no_idle_time():
    for count in PARTS:
        with greedy(hurried) as h:
            stream = part(h, count)
            time.sleep(0.2)
            expect(len(h.response(stream).expect(206).content), count)
            time.sleep(0.15)
            expect(h.get("/a.txt").expect(200).content, b"hello")
            expect(h.goaways, [], str(count))


# Streams beside others

@test()
def requests_do_not_put_off_the_end_of_others():
    with brief.h2() as h:
        stream = h.request("PUT", "/new", end_stream=False)
        until = time.monotonic() + 1.5
        while h.streams[stream].response.status is None and time.monotonic() < until:
            h.get("/a.txt").expect(200)
            time.sleep(0.05)
        h.response(stream).expect(408, "request-content-timeout")
        expect_true(time.monotonic() < until, "in time")


@test()
def who_waits_for_its_turn_does_not_stand_still():
    with brief.h2({Setting.INITIAL_WINDOW_SIZE: MOST}, credit=False) as h:
        streams = [h.request("GET", "/some.bin"), h.request("GET", "/some.bin")]
        for _ in range(60):
            h.window(0, 40000)
            time.sleep(0.02)
        h.window(0, MOST // 2)
        for stream in streams:
            expect(len(h.response(stream).expect(200).content), BIG // 4)


@test()
def windows_of_a_stream_alone_are_no_progress():
    with brief.h2(credit=False) as h:
        stream = h.request("GET", "/some.bin")
        began = time.monotonic()
        while h.streams[stream].response.reset is None and time.monotonic() - began < 2:
            h.window(stream, 300).roundtrip()
            time.sleep(0.1)
        h.response(stream).expect_reset(Error.CANCEL)
        expect_true(time.monotonic() - began < 1.5, f"{time.monotonic() - began} s")
        expect(broken(brief, "/some.bin"), "h2-window-stalled")


# Heads of replies

@test()
def long_heads_are_sent():
    fields = {f"X-{i}": "v" * 7000 for i in range(12)}
    verbose = Server(TREE, config=configured(files("/long", headers=fields), files(), h2c=True, workers=1))
    with verbose, verbose.h2() as h:
        answer = h.get("/long/a.txt").expect(200)
        expect(sum(len(value) for name, value in answer.fields if name.startswith("x-")) >= 12 * 7000, True)
        expect(answer.content, b"hello")
        expect(h.get("/a.txt").expect(200).content, b"hello")


# The way to the end

@test()
def who_is_one_too_many_does_not_stay():
    full = server(limits={"connections_per_client": 1})
    with full, full.h2() as first:
        first.roundtrip()
        with full.h2() as second:
            second.get("/a.txt").expect(429, "connection-limit-per-client")
            expect((second.goaway_code(2), second.closed(3)), (Error.NO_ERROR, True))
        expect(first.get("/a.txt").expect(200).content, b"hello")


@test(seconds=20)
def who_comes_while_the_server_stops_is_served_and_told():
    late = server({"drain_ms": "8s", "keep_alive_ms": "20s"})
    with late:
        connection = late.connect()
        connection.send(b"PRI * HTTP/2.0\r\n")
        time.sleep(0.2)
        late.signal(signal.SIGTERM)
        time.sleep(0.2)
        h = H2(connection, preface=b"\r\nSM\r\n\r\n")
        expect(h.get("/a.txt").expect(200).content, b"hello")
        expect((h.goaway_code(1), h.closed(2)), (Error.NO_ERROR, True))
        h.close()
        expect(late.ended(3), 0)


@test(seconds=20)
def handshakes_go_on_while_the_server_stops():
    late = Server(TREE, tls=True).start()
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    secured = context.wrap_bio(coming, going, server_hostname="localhost")
    with late.connect(port="tls_port") as c:
        def until_done(act):
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    c.send(going.read())
                    coming.write(c.socket.recv(65536))

        try:
            secured.do_handshake()
        except ssl.SSLWantReadError:
            hello = going.read()
        c.send(hello[:40])
        time.sleep(0.1)
        late.signal(signal.SIGTERM)
        time.sleep(0.1)
        c.send(hello[40:])
        until_done(secured.do_handshake)
        secured.write(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = until_done(lambda: secured.read(65536))
        expect_true(answer.startswith(b"HTTP/1.1 200 ") and b"\r\nConnection: close\r\n" in answer, answer)
    expect(late.ended(3), 0)


# TLS

@test(seconds=20)
def requests_in_many_records_are_all_answered():
    secured = Server(TREE, tls=True)
    with secured:
        for records, each in ((5, 60), (50, 6), (300, 1)) * 4:
            with secured.connect_tls() as c:
                for _ in range(records):
                    c.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n" * each)
                for _ in range(records * each):
                    expect(c.response().content, b"hello")


@test()
def a_reload_without_certificates_is_not_used():
    pki = Pki()
    shown = pki.server("a.example")
    tls = {"listen": "127.0.0.1:{tls_port}",
           "certificates": [{"certificate": str(shown.certificate), "key": str(shown.key)}]}
    secured = Server(TREE, config=configured(files(), tls=tls), pki=pki)
    with secured:
        secured.connect_tls().close()
        secured.configure(configured(files()))
        secured.signal(signal.SIGHUP)
        secured.said("reload: tls: its listeners stay open: keep their certificates")
        secured.said("reload: the new configuration is not used")
        with secured.connect_tls() as c:
            c.send(b"GET /a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n").response().expect(200)
