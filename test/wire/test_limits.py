"""What is too long, too much or too slow: each limit has its reason, and the server lives on."""
import resource
import signal
import subprocess
import time
from pathlib import Path

from harness import Server, expect, expect_in, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
limits: {connections: 40, connections_per_client: 30, linger_bytes: 200MiB}
times: {head_wait_ms: 400ms, content_wait_ms: 400ms, keep_alive_ms: 900ms, send_wait_ms: 900ms, linger_ms: 2s}
sites:
  - routes:
      - {path: /, files: "{root}", write: on, content_limit: 10000}
      - {path: /short, files: "{root}", query_limit: 10, path_limit: 30, segments_limit: 4}
      - {path: /known, files: "{root}", write: on, require: length}
"""
site = Server({"a.txt": "hello", "known": None}, config=CONFIG)
standard = Server({"a.txt": "hello"}, args=["--write"])


def get(target="/a.txt", fields=""):
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"


def alive(server=site):
    expect(server.get("/a.txt").expect(200).content, b"hello")


def refused(status, reason, raw, server=standard):
    """Sends until refused; one final answer, then the end."""
    data = raw.encode("latin-1") if isinstance(raw, str) else raw
    with server.connect() as c:
        try:
            c.send(data)
        except OSError:
            pass
        answer = c.response().expect(status, reason)
        expect(answer.words("Connection"), ["close"])
        c.expect_closed()
    alive(server)
    return answer, server.log_of(answer)


@test("R167")
def a_target_beyond_the_limit():
    standard.get("/" + "a" * 7999).expect(404)
    _, line = refused(414, "uri-too-long", get("/" + "a" * 100000))
    expect((line["at"], line["operand"]), (4 + 16384, "16384 bytes"))
    standard.get("/" + "a" * 8192).expect(414, "uri-too-long")


@test("R167")
def a_path_a_query_and_segments_beyond_the_limits_of_their_route():
    for reason, target, limit in (("uri-too-long", "/short/" + "a" * 30, "30 bytes"),
                                  ("query-too-long", "/short/a?" + "q" * 11, "10 bytes"),
                                  ("too-many-url-segments", "/short/a/b/c/d", "4 segments")):
        answer = site.get(target).expect(414, reason)
        expect_in(f": {limit}\n", answer.text)
        expect(site.log_of(answer)["operand"], limit)
    site.get("/short/z?" + "q" * 10).expect(404)
    site.get("/short/z/b/c").expect(404)


@test("R199", "R200")
def one_field_too_large_is_named():
    answer, line = refused(431, "header-field-too-large", get(fields="Cookie: " + "c" * 65536 + "\r\n"))
    expect_in("Cookie", answer.text)
    expect(line["operand"], "Cookie: 8192 bytes")
    expect(line["at"], len(get()) - 2 + 8192)
    _, line = refused(431, "header-field-too-large", get(fields="Y" * 9000 + ": a\r\n"))
    expect(line["operand"], "Y" * 200 + ": 8192 bytes", "the name, cut, and the limit")


@test("R199", "R200")
def all_fields_together_too_large():
    answer, line = refused(431, "header-fields-too-large", get(fields=("X-One: " + "a" * 4000 + "\r\n") * 9))
    expect_in("header-fields-too-large", answer.text)
    expect((line["at"], line["operand"]), (32768, "32768 bytes"))


@test("R199", "R200")
def too_many_fields():
    standard.ask(get(fields="X-One: a\r\n" * 99)).expect(200)
    answer, line = refused(431, "too-many-header-fields", get(fields="X-One: a\r\n" * 1000))
    expect_in("too-many-header-fields", answer.text)
    expect(line["operand"], "100 fields")


@test("R164", "R116")
def declared_content_beyond_the_limit_is_refused_before_it_is_read():
    with site.connect() as c:
        answer = c.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n").response()
        answer.expect(413, "content-too-large")
        expect((answer.words("Connection"), answer.get("Retry-After")), (["close"], None))


@test("R159", "R164", "R165")
def chunked_content_is_refused_at_the_limit():
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with site.connect() as c:
        c.send(b"PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 9)
        c.expect_quiet(0.1)
        answer = c.send(chunk).response().expect(413, "content-streamed-too-large")
        expect(answer.get("Retry-After"), None, "Retry-After of a limit that stays")
        c.expect_closed()
    line = site.log_of(answer)
    expect((line["at"], line["operand"]), (10000, "10000 bytes"))
    expect_true(not (site.root / "up").exists(), "nothing of it is stored")
    alive()


@test("R160", "R162")
def a_route_may_want_the_length():
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with site.connect() as c:
        c.send(b"PUT /known/x HTTP/1.1\r\nHost: a\r\n" + chunked)
        c.response().expect(411, "length-required")
    with site.connect() as c:
        c.send(b"PUT /x HTTP/1.1\r\nHost: a\r\n" + chunked)
        expect_true(c.response().status in (201, 204), "taken elsewhere")
    site.request("PUT", "/known/x", b"hello").expect(204)


@test("R147", "R148", "R149")
def half_a_head_times_out():
    raw = "GET /a.txt HTTP/1.1\r\nHost: a\r\nX-"
    start = time.monotonic()
    with site.connect() as c:
        answer = c.send(raw).response().expect(408, "request-timeout")
        expect(answer.words("Connection"), ["close"])
        c.expect_closed()
    expect_true(0.35 < time.monotonic() - start < 1.5, f"took {time.monotonic() - start}")
    line = site.log_of(answer)
    expect((line["at"], line["operand"]), (len(raw), "400 ms"))


@test("R148", "R149")
def a_head_that_trickles_times_out_all_the_same():
    start = time.monotonic()
    with site.connect() as c:
        for letter in get() * 2:
            c.send(letter)
            time.sleep(0.03)
            if time.monotonic() - start > 0.7:
                break
        c.response().expect(408, "request-timeout")
        c.expect_closed()


@test("R148")
def half_a_head_behind_a_whole_request_times_out():
    with site.connect() as c:
        c.send(get() + "GET / HT")
        c.response().expect(200)
        answer = c.response().expect(408, "request-timeout")
        c.expect_closed()
    expect(site.log_of(answer)["at"], len("GET / HT"))


@test("R147", "R148", "R149")
def half_the_content_times_out():
    for raw, taken in (("PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello", 5),
                       ("PUT /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", 3)):
        with site.connect() as c:
            answer = c.send(raw).response().expect(408, "request-content-timeout")
            expect(answer.words("Connection"), ["close"])
            c.expect_closed()
        expect(site.log_of(answer)["at"], taken)
    expect_true(not (site.root / "slow").exists(), "nothing of it is stored")


@test("R148")
def content_that_trickles_is_taken():
    with site.connect() as c:
        c.send("PUT /trickle HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        for letter in "0123456789":
            time.sleep(0.1)
            c.send(letter)
        expect_true(c.response().status in (201, 204), "taken")


@test("R150")
def an_idle_connection_is_closed_without_a_byte():
    time.sleep(0.2)
    before = len(site.log())
    with site.connect() as c:
        c.expect_closed()
    with site.connect() as c:
        c.send(get()).response().expect(200)
        start = time.monotonic()
        c.expect_closed()
        expect_true(0.7 < time.monotonic() - start < 2, f"closed after {time.monotonic() - start} s")
    time.sleep(0.2)
    expect(len(site.log()), before + 1, "log lines")


@test("R184", "R226", "R229", "R230")
def too_many_connections_of_one_client():
    open_ones = [site.connect() for _ in range(30)]
    try:
        for c in open_ones:
            c.send(get()).response().expect(200)
        with site.connect() as c:
            answer = c.send(get(fields="Accept: text/html\r\n")).response()
            answer.expect(429, "connection-limit-per-client")
            expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
            expect((answer.get("Content-Type"), answer.get("Cache-Control")), ("text/html; charset=utf-8", "no-store"))
            expect(answer.words("Connection"), ["close"])
            c.expect_closed()
        open_ones[0].send(get()).response().expect(200)
        with site.connect(source="127.0.0.2") as other:
            other.send(get()).response().expect(200)
    finally:
        for c in open_ones:
            c.close()
    until_alive()


def is_alive():
    """False too while there are so many connections that one more is closed at once."""
    try:
        return site.get("/a.txt").status == 200
    except ConnectionError:
        return False


def until_alive():
    until = time.monotonic() + 3
    while not is_alive():
        expect_true(time.monotonic() < until, "the server answers 200 again")
        time.sleep(0.02)


@test("R225", "R226", "R228", "R229", "R230")
def too_many_connections_in_all():
    taken = []
    try:
        for i in range(40):
            taken.append(site.connect(source=f"127.0.0.{3 + i // 20}"))
            taken[-1].send(get()).response().expect(200)
        with site.connect(source="127.0.0.5") as c:
            answer = c.send(get(fields="Accept: text/html\r\n")).response().expect(503, "too-many-connections-total")
            expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
            expect(answer.get("Cache-Control"), "no-store")
            expect_in("<html", answer.text)
            expect(answer.words("Connection"), ["close"])
            c.expect_closed()
        for i in range(50):  # twice the limit is refused outright
            taken.append(site.connect(source=f"127.0.0.{6 + i // 20}"))
        try:
            taken[-1].expect_closed()
        except ConnectionResetError:
            pass
    finally:
        for c in taken:
            c.close()
    until_alive()


@test("R225", "R226", seconds=20)
def out_of_descriptors():
    small = Server({"a.txt": "hello", "b.txt": "there"}, args=["--workers", "1"])
    with small:
        small.get("/a.txt").expect(200)
        lowest = len(small.descriptors())
        room = lowest + 4
        subprocess.run(["prlimit", "--pid", str(small.pid), f"--nofile={room}:"], check=True)
        held, refusals = [], []
        for _ in range(12):
            c = small.connect()
            held.append(c)
            answer = c.send(get("/.x")).response()  # this answer takes no descriptor but the connection's
            if answer.status != 404:
                refusals.append(answer.expect(503, "descriptors-exhausted"))
                expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
                break
        expect(len(refusals), 1, "a client was told why")
        for c in held[1:]:
            c.close()
        time.sleep(0.1)
        held[0].send(get()).response().expect(200)
        held[0].close()
        until = time.monotonic() + 5
        while small.get("/b.txt").status != 200:
            expect_true(time.monotonic() < until, "the server answers again")
            time.sleep(0.05)
        expect(small.log_of(refusals[0])["reason"], "descriptors-exhausted")


@test("R225")
def a_limit_of_descriptors_found_at_the_start_is_raised():
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 1024))

    with Server({"a.txt": "hello"}, limit=few) as raised:
        limits = Path(f"/proc/{raised.pid}/limits").read_text(encoding="ascii")
        expect_true("Max open files            1024" in limits, limits)
        alive(raised)


@test("R225", "R226")
def more_file_jobs_than_may_wait():
    config = """
listen: "127.0.0.1:{port}"
workers: 1
limits: {file_jobs: 1, file_threads: 1}
sites: [{routes: [{path: /, files: "{root}"}]}]
"""
    with Server({f"{i}.txt": "hello" for i in range(30)}, config=config) as small:
        clients = [small.connect().send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(30)]
        for c in clients:
            c.response().expect(200)
        small.signal(signal.SIGSTOP)  # so that all of them are found at once
        for i, c in enumerate(clients):
            c.send(get(f"/{i}.txt"))
        small.signal(signal.SIGCONT)
        refused_ones = 0
        for c in clients:
            answer = c.response()
            if answer.status == 503:
                expect((answer.reason, answer.words("Connection")), ("helper-queue-full", []))
                expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
                refused_ones += 1
        expect_true(0 < refused_ones < 30, f"{refused_ones} of 30 refused")
        clients[-1].send(get("/1.txt")).response().expect(200)
        for c in clients:
            c.close()
