"""What a client may do to itself and not to others: heads at awkward places, readers that stall, content in crumbs."""
import time

from harness import Server, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
workers: 1
times: {send_wait_ms: 1s}
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
