"""Connections: kept, closed, half closed, reset, stuck; and a final answer that arrives however the client behaves."""
import time

from harness import Server, expect, expect_true, test

MEGABYTE = 1 << 20
CONFIG = """
listen: "127.0.0.1:{port}"
limits: {linger_bytes: 200MiB, drain_bytes: 10000}
times: {send_wait_ms: 600ms, linger_ms: 3s, content_wait_ms: 3s}
sites:
  - routes:
      - {path: /, files: "{root}", write: on, content_limit: 1MiB}
      - {path: /big, files: "{root}", write: on}
      - {path: /read, files: "{root}"}
"""
site = Server({"a.txt": "hello", "large.bin": b"0123456789abcdef" * (4 * MEGABYTE)}, config=CONFIG)

GET = "GET /a.txt HTTP/1.1\r\nHost: a\r\n"


def agent(name):
    return f"User-Agent: {name}\r\n\r\n"


@test()
def kept_and_closed():
    for head, kept in (
            ("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", True),
            ("GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", True),
            ("GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", False),
            ("GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", False),
            ("GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", False),
            ("GET /a.txt HTTP/1.0\r\n\r\n", False),
            ("GET /a.txt HTTP/1.0\r\nConnection: close\r\n\r\n", False),
            ("GET /a.txt HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", True),
            ("GET /a.txt HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", False),
            ("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", True),
            ("GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
            ("POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", True)):
        with site.connect() as c:
            answer = c.send(head).response()
            expect("close" in answer.words("Connection"), not kept, head)
            if "HTTP/1.0" in head:
                expect("keep-alive" in answer.words("Connection"), kept, head)
            if kept:
                c.send(head).response().expect(answer.status)
            else:
                c.expect_closed()


@test()
def hundreds_of_requests_on_one_connection():
    with site.connect() as c:
        for i in range(300):
            answer = c.send(f"GET /{'a.txt' if i % 3 else i} HTTP/1.1\r\nHost: a\r\n\r\n").response()
            expect(answer.status, 200 if i % 3 else 404)


@test()
def content_that_nobody_wants_is_read_away_or_ends_the_connection():
    for length, kept in ((10, True), (10000, True), (10001, False)):
        with site.connect() as c:
            c.send(f"POST /read/a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n" + "x" * length)
            answer = c.response().expect(405, "method-not-allowed")
            expect("close" in answer.words("Connection"), not kept, f"{length} bytes")
            if kept:
                c.send(GET + "\r\n").response().expect(200)
            else:
                c.expect_closed()


@test()
def get_with_content_is_answered():
    with site.connect() as c:
        for content in ("Content-Length: 5\r\n\r\nhello", "Content-Length: 0\r\n\r\n"):
            expect(c.send(GET + content).response().content, b"hello")
        expect(c.send(GET + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").response().content, b"hello")


@test("R116", "R164", seconds=30)
def a_final_answer_reaches_a_client_that_goes_on_sending():
    head = "PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n"
    with site.connect() as c:
        c.send(head)
        block = b"x" * MEGABYTE
        for _ in range(100):  # all of it, although the answer is there long since
            c.send(block)
        c.response().expect(413, "content-too-large")
        c.expect_closed()


@test("R116", seconds=20)
def an_error_in_the_head_reaches_a_client_that_goes_on_sending():
    with site.connect() as c:
        c.send(b"GET / HTTP/1.1\r\nHost : a\r\n" + b"X: " + b"y" * (5 * MEGABYTE))
        c.response().expect(400, "space-before-colon")
        c.expect_closed()


@test("R116", seconds=20)
def a_client_that_never_stops_is_cut_off():
    with site.connect() as c:
        c.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
        start, sent = time.monotonic(), 0
        try:
            while time.monotonic() - start < 10:
                c.send(b"x" * MEGABYTE)
                sent += 1
        except OSError:
            pass
        expect_true(time.monotonic() - start < 8 and sent <= 260, f"{sent} MB in {time.monotonic() - start} s")
    site.ask(GET + "\r\n").expect(200)


@test("R213")
def a_client_that_resets_while_the_server_waits_for_its_content():
    with site.connect() as c:
        c.send("PUT /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n" + agent("reset-upload") + "some")
        time.sleep(0.1)
        c.reset()
    line = site.log_where(user_agent="reset-upload")
    expect((line["reason"], line["status"], line["bytes_out"]), ("client-closed-request", 0, 0))
    expect_true(not (site.root / "gone").exists(), "nothing of it is stored")


@test("R213")
def a_client_that_resets_while_a_reply_is_sent():
    with site.connect() as c:
        c.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n" + agent("reset-reply")).head()
        c.reset()
    line = site.log_where(user_agent="reset-reply")
    expect((line["reason"], line["status"], line["broken"]), ("request-ok", 200, "client-closed-during-response"))
    expect_true(line["bytes_out"] < 64 * MEGABYTE, f"{line['bytes_out']} bytes out")


@test()
def a_reader_that_stops_is_given_up():
    with site.connect(window_bytes=4096) as c:
        start = time.monotonic()
        c.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n" + agent("stuck"))
        line = site.log_where(user_agent="stuck")
        expect((line["reason"], line["broken"]), ("request-ok", "response-send-timeout"))
        expect_true(0.5 < time.monotonic() - start < 3, f"given up after {time.monotonic() - start} s")


@test(seconds=20)
def a_slow_reader_that_goes_on_is_served():
    with site.connect(window_bytes=262144) as c:
        c.send("GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-12582911\r\n" + agent("slow"))
        answer = c.head()
        got, start = len(c.kept), time.monotonic()
        while got < 12 * MEGABYTE:
            slow = time.monotonic() - start < 1.5
            got += len(c.socket.recv(65536 if slow else MEGABYTE))
            if slow:
                time.sleep(0.05)
        expect((answer.status, got), (206, 12 * MEGABYTE))
    expect("broken" in site.log_where(user_agent="slow"), False)


@test()
def a_client_that_closes_without_a_request_leaves_no_trace():
    before = len(site.log())
    for _ in range(20):
        site.connect().close()
        site.connect().reset()
    site.ask(GET + "\r\n").expect(200)
    time.sleep(0.2)
    expect(len(site.log()), before + 1, "log lines")


@test()
def half_closed_connections_get_their_answer():
    with site.connect() as c:
        c.send("GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-999999\r\n\r\n").finish_sending()
        expect(len(c.response().expect(206).content), 1000000)
        c.expect_closed()


@test("R116")
def closing_does_not_reset_what_was_sent_last():
    for _ in range(20):
        with site.connect() as c:
            c.send("GET /large.bin HTTP/1.0\r\nRange: bytes=0-299999\r\n\r\n")
            c.send("and more that nobody asked for" * 100)
            expect(len(c.response().expect(206).content), 300000)


@test()
def descriptors_do_not_leak():
    site.ask(GET + "\r\n")
    before = len(site.descriptors())
    for _ in range(30):
        c = site.connect().send(GET)
        c.close()
        c = site.connect().send("PUT /leak HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        c.reset()
    until = time.monotonic() + 5
    while len(site.descriptors()) > before + 4 and time.monotonic() < until:
        time.sleep(0.05)
    expect_true(len(site.descriptors()) <= before + 4, f"{before} before, now {site.descriptors()}")
