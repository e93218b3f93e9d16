"""HTTP/2: answers that come before the request has ended, and https that is asked for in plain text."""
import subprocess
import time

from harness import Server, configured, expect, expect_true, files, test
from harness.frames import Error, Type, h2_request

LINGER_S = 0.6
site = Server({"a.txt": "a"}, config=configured(files(), h2c=True, times={"linger_ms": "600ms"}))
little = Server({"a.txt": "a"}, config=configured(files(), h2c=True, limits={"linger_bytes": "64KiB"}))
trusting = Server({"a.txt": "a"}, config=configured(files(), h2c=True, trusted_proxies="127.0.0.1"))


def refused(server):
    """A PUT that was answered while its content is still being sent."""
    h2 = server.h2()
    h2.headers(1, h2_request("PUT", "/a.txt"), end_stream=False)
    expect(h2.response(1).status, 405)
    return h2


@test("R116", seconds=30)
def curl_gets_the_answer_to_an_upload_that_is_refused():
    site.start()
    for content in ("x" * 10, "x" * 20000, "x" * 3000000):
        for _ in range(5):
            run = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-m", "10", "-T", "-", "-o", "/dev/null", "-w",
                                  "%{http_code}", f"http://127.0.0.1:{site.port}/a.txt"], input=content, text=True,
                                 capture_output=True, check=False)
            expect((run.returncode, run.stdout), (0, "405"))


@test("R116")
def a_stream_is_reset_after_a_while_and_without_an_error():
    h2, begun = refused(site), time.monotonic()
    h2.data(1, b"x" * 8192)
    h2.roundtrip()
    expect(h2.ask("GET", "/a.txt").content, b"a")
    h2.wait_for(Type.RST_STREAM, stream=1)
    expect_true(time.monotonic() - begun > LINGER_S / 2, "not before the client has had its time")
    expect(h2.response(1).reset, Error.NO_ERROR)


@test()
def what_is_read_away_is_bounded_and_credited():
    h2, begun = refused(little), time.monotonic()
    for _ in range(9):
        h2.data(1, b"x" * 8192)
    h2.wait_for(Type.RST_STREAM, stream=1)
    expect_true(time.monotonic() - begun < 5, "long before linger_ms")
    expect(h2.response(1).reset, Error.NO_ERROR)
    expect(h2.ask("GET", "/a.txt").content, b"a")


@test()
def a_client_that_ends_its_request_is_not_reset():
    h2 = refused(site)
    h2.data(1, b"x", end_stream=True)
    h2.expect_quiet(2 * LINGER_S)
    expect(h2.response(1).reset, None)


@test("R181")
def https_is_not_asked_for_in_plain_text():
    for server, status in ((site, 421), (trusting, 200)):
        h2 = server.h2()
        h2.headers(1, h2_request("GET", "/a.txt", scheme="https"))
        expect(h2.response(1).status, status)
