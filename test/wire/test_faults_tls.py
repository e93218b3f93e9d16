"""Each allocation and each system call on the way of a connection of TLS, HTTP/2 or WebSocket fails once: the client is
told, or the connection ends, at once; nothing is lost, and the next one is served.

A scenario is run with its first call failing, then with its second, until it makes fewer calls than that.
"""
import itertools
import time

from harness import Faults, Malformed, Pki, Setting, configured, expect, expect_true, files, test
from harness.websocket import BINARY, CLOSE, WebSocket, bye

MOST = 3000
WAIT_SECONDS = 3  # shorter than what the server waits for: whoever is kept waiting was forgotten
pki = Pki()
own = pki.server("a.example")
faults = Faults()
site = faults.server({"a.txt": "hello", "large.bin": b"x" * 100000}, config=configured(
    {"path": "/ws", "websocket": "echo"}, files(write=True), workers=1, h2c=True,
    limits={"cache_entries": 16, "file_threads": 1},
    tls={"listen": "127.0.0.1:{tls_port}",
         "certificates": [{"certificate": str(own.certificate), "key": str(own.key)}]}), pki=pki, sanitized=True)
GET = "GET {} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
ENDED = None  # no answer came, but the end of the connection or the stream


def or_ended(work, *arguments):
    """What work gives; ENDED when the connection ended in its midst. To be kept waiting is neither."""
    try:
        return work(*arguments)
    except TimeoutError:
        raise
    except (OSError, Malformed):  # TLS that was broken off is an OSError, too
        return ENDED


def each_call_fails_once(scenario, least):
    """scenario(nth) gives the answers, ENDED for those that never came; least: the calls there must be."""
    serves_normally()
    before, failed = sockets(), []
    for nth in itertools.count(1):
        faults.arm(nth)
        try:
            answers = scenario(nth)
        except (AssertionError, TimeoutError) as why:
            raise AssertionError(f"call {nth} ({faults.disarm()}) failed: {why}") from why
        finally:
            call = faults.disarm()
        expect_true(site.process.poll() is None, f"the server died when call {nth} ({call}) failed\n{site.stderr}")
        for answer in answers:
            judge(answer, call)
        site.get("/a.txt").expect(200)
        if call is None:
            break
        failed.append(call)
        expect_true(nth < MOST, f"{nth} calls and no end: {failed[-5:]}")
    expect_true(len(failed) >= least, f"the library was at work: {failed}")
    print(f"# {scenario.__name__}: failed {len(failed)} calls: {' '.join(sorted(set(failed)))}")
    nothing_is_held(before)
    serves_normally()


def judge(answer, call):
    if call is None:
        expect_true(answer is not ENDED and answer.status < 400, f"without a fault: {answer}")
    elif answer is not ENDED:
        expect_true(answer.status < 400 or answer.status >= 500, f"{call} failed: {answer}")
        expect_true(answer.reason and answer.id, f"{call} failed: a reason: {answer}")


def serves_normally():
    with site.connect_tls(wait_seconds=WAIT_SECONDS) as c:
        expect(c.send(GET.format("/a.txt")).response().expect(200).content, b"hello")
    with site.h2() as h:
        expect(h.get("/a.txt").expect(200, "request-ok").content, b"hello")


def sockets():
    return sum("socket:" in name for name in site.descriptors().values())


def nothing_is_held(before):
    until = time.monotonic() + 5
    while sockets() > before and time.monotonic() < until:
        time.sleep(0.05)
    expect_true(sockets() <= before, f"sockets leak: {before} before, now {site.descriptors()}")
    expect([p.name for p in site.root.rglob(".*")], [], "files left behind")


# TLS

def over_tls(target, **more):
    """One request on a connection of its own, which the server closes."""
    with site.connect_tls(wait_seconds=WAIT_SECONDS, **more) as c:
        answer = c.send(GET.format(target)).response()
        or_ended(c.expect_closed, False)
    resumptions.append(c.resumed)
    return answer


def a_small_file_over_tls(_):
    return [or_ended(over_tls, "/a.txt")]


def a_large_file_over_tls(_):
    return [or_ended(over_tls, "/large.bin")]


def a_file_over_tls_1_2(_):
    def fetch():
        return over_tls("/a.txt", maximum="TLSv1.2")
    return [or_ended(fetch)]


def a_session_that_is_resumed(_):
    def fetch():
        return over_tls("/a.txt", session=tickets[0])
    return [or_ended(fetch)]


tickets = []
resumptions = []


@test(seconds=60)
def a_handshake_and_a_small_file():
    each_call_fails_once(a_small_file_over_tls, 100)


@test(seconds=60)
def a_handshake_and_a_large_file():
    each_call_fails_once(a_large_file_over_tls, 100)


@test(seconds=60)
def a_handshake_of_tls_1_2():
    each_call_fails_once(a_file_over_tls_1_2, 100)


@test(seconds=60)
def a_handshake_that_resumes():
    with site.connect_tls() as c:
        c.send(GET.format("/a.txt")).response().expect(200)
        tickets.append(c.session)
    each_call_fails_once(a_session_that_is_resumed, 50)
    expect(resumptions[-1], True, "resumed, without a fault")


# HTTP/2

def on_streams(connect, nth):
    """An upload and two files, all at once, and what else clients say. A stream that was reset has no answer."""
    with connect() as h:
        streams = [h.request("PUT", f"/made-{nth}", b"new" * 10000, authority="a.example"),
                   h.request("GET", "/a.txt", authority="a.example"),
                   h.request("GET", "/large.bin", authority="a.example")]
        h.rst(h.request("PUT", "/given-up", end_stream=False, authority="a.example")).ping()
        h.priority_update(streams[2], "u=1, i").settings({Setting.HEADER_TABLE_SIZE: 100})
        answers = [or_ended(h.response, stream) for stream in streams]
    return [answer if answer is not ENDED and answer.status is not None and answer.reset is None else ENDED
            for answer in answers]


def streams_without_tls(nth):
    return or_ended(on_streams, lambda: site.h2(forgiving=True, wait_seconds=WAIT_SECONDS), nth) or [ENDED]


def streams_over_tls(nth):
    return or_ended(on_streams, lambda: site.h2_tls(forgiving=True, wait_seconds=WAIT_SECONDS), nth) or [ENDED]


def uploads_are_whole():
    for path in site.root.glob("made-*"):
        expect_true(path.read_bytes() == b"new" * 10000, f"content of {path.name}: whole or nothing")
        path.unlink()


@test(seconds=60)
def streams_of_http_2():
    each_call_fails_once(streams_without_tls, 50)
    uploads_are_whole()


@test(seconds=60)
def streams_of_http_2_over_tls():
    each_call_fails_once(streams_over_tls, 100)
    uploads_are_whole()


# WebSocket

def talk(connect):
    """A handshake, a message and a goodbye. What comes back is right, or nothing."""
    with WebSocket(connect(), may_fail=True) as w:
        if w.answer.status == 101:
            or_ended(converse, w)
    return w.answer


def converse(w):
    w.say(BINARY, b"m" * 3000).expect(BINARY, b"m" * 3000)
    w.say(CLOSE, bye(1000)).expect(CLOSE, bye(1000))
    while w.c._more():  # with or without a word of TLS
        pass


def a_websocket_without_tls(_):
    return [or_ended(talk, lambda: site.connect(wait_seconds=WAIT_SECONDS))]


def a_websocket_over_tls(_):
    return [or_ended(talk, lambda: site.connect_tls(wait_seconds=WAIT_SECONDS))]


@test(seconds=60)
def a_websocket():
    each_call_fails_once(a_websocket_without_tls, 10)


@test(seconds=60)
def a_websocket_on_tls():
    each_call_fails_once(a_websocket_over_tls, 100)
