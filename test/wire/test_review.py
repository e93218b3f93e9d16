"""Heads at awkward places, readers that stall, and what a reload and a stop leave behind."""
import signal
import time

from harness import Server, expect, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
workers: 1
times: {send_wait_ms: 1s, content_wait_ms: 1s}
sites:
  - routes:
      - {path: /, files: "{root}", write: on}
"""
LARGE_BYTES = 256 << 20
HEAD_ROOM_BYTES = 32768 + 1024  # of the read buffer; behind it lies room for content
BUFFER_BYTES = HEAD_ROOM_BYTES + 49152

def large(path):
    with open(path, "wb") as file:
        file.truncate(LARGE_BYTES)


site = Server({"a.txt": "hello", "large.bin": large}, config=CONFIG)


def put(name, length, more=""):
    return f"PUT /{name} HTTP/1.1\r\nHost: a\r\n{more}Content-Length: {length}\r\n\r\n"


@test(seconds=30)
def a_head_that_ends_where_the_buffer_does_leaves_room_for_its_content():
    """The first read ends at the room for heads, the second behind the head of the next request."""
    second = put("two", 5)
    for more in range(-1, 2):
        with site.connect() as c:
            first = put("one", 100000)
            length = HEAD_ROOM_BYTES - len(first) + BUFFER_BYTES - len(first) - len(second) + more
            c.send(put("one", length) + "x" * length + second + "hello")
            expect_true(c.response().status in (201, 204), "the first")
            expect_true(c.response().status in (201, 204), "the second")


@test(seconds=30)
def a_reader_that_stalls_gains_no_time_by_sending():
    with site.connect(window_bytes=4096) as c:
        c.send("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(15):
            time.sleep(0.3)
            try:
                c.send("G")
            except OSError:
                break
    site.log_where(target="/large.bin", broken="response-send-timeout")


@test(seconds=30)
def unwanted_content_that_trickles_is_not_awaited_for_long():
    with site.connect() as c:
        c.send("POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n")
        c.response().expect(405)
        try:
            for _ in range(15):
                c.send("x")
                time.sleep(0.3)
        except OSError:
            return
        raise AssertionError("still read after 4.5 s")


@test(seconds=30)
def a_reload_lets_go_of_the_files_that_were_served_before_it():
    def held():
        return sum(name.endswith("/large.bin") for name in site.descriptors().values())

    for _ in range(3):
        site.request("HEAD", "/large.bin").expect(200)
        expect(held(), 1)
        before = len(site.stderr)
        site.signal(signal.SIGHUP)
        until = time.monotonic() + 5
        while (held() > 0 or len(site.stderr) == before) and time.monotonic() < until:
            time.sleep(0.02)
        expect(held(), 0)


@test(seconds=60)
def whoever_has_connected_before_the_stop_is_served():
    """More than one worker takes on in a round: the whole backlog."""
    with Server({"a.txt": "hello"}, config=CONFIG) as server:
        server.signal(signal.SIGSTOP)
        clients = [server.connect(wait_seconds=20) for _ in range(600)]
        for c in clients:
            c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        for c in clients:
            with c:
                expect(c.response().expect(200).content, b"hello")
        expect(server.ended(), 0)
