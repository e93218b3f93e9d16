"""An upstream that fails when its head has passed already: the message is cut short, as the protocol says it, so that
nobody can take it for a whole one."""
from harness import FAILURES, Error, Server, Sleep, Type, Upstream, chunked, configured, expect, expect_true, test

app = Upstream("app")
MEMBER = {"name": "app", "servers": app.address, "fails": 0}
SHORT = {"upstream": "app", "read_wait": "600ms", "response_wait": "1200ms", "attempts": 3, "response_limit": 1000}
site = Server(config=configured({"path": "/", "gateway": SHORT}, upstreams=[MEMBER], workers=1, h2c=True))
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PAUSE = Sleep(0.05)

# What the upstream does, and the reason that the log tells of the end.
LENGTH = [("close-in-content", "upstream-response-incomplete"), ("reset-in-content", "upstream-connection-terminated"),
          ("stall-in-content", "upstream-read-timeout"), ("slow-content", "upstream-response-timeout")]
CHUNKED = [("bad-chunk", "upstream-transfer-coding-error"), ("bad-chunk-end", "upstream-transfer-coding-error"),
           ("cut-chunk", "upstream-response-incomplete"), ("no-last-chunk", "upstream-response-incomplete"),
           ("reset-in-chunk", "upstream-connection-terminated"), ("huge-trailers", "upstream-trailers-too-large")]
SCRIPTS = {"too-much": ([HEAD, PAUSE, chunked([b"c" * 600, b"c" * 600])], "upstream-body-too-large"),
           "old-reset": (FAILURES["http10-reset"]()[0], "upstream-connection-terminated")}


def prepared(name):
    if name in SCRIPTS:
        app.script("/" + name, SCRIPTS[name][0])
    else:
        app.fail("/" + name, name)
    return "/" + name


def everything(connection):
    """All bytes up to the end of the connection."""
    came = connection.kept
    try:
        while part := connection.socket.recv(65536):
            came += part
    except ConnectionResetError:
        pass
    return came


def broken_line(path, reason, before, protocol="HTTP/1.1"):
    """The line of the log: what was decided stays, what broke stands beside it."""
    line = site.log_where(target=path, broken=reason, protocol=protocol)
    expect((line["status"], line["reason"], line["by"]), (200, "upstream-answered", "upstream"))
    expect((line["upstream"], line["upstream_status"]), ("app", 200))
    expect([one["reason"] for one in line["tries"]], [""], "an answer that has begun is not asked for again")
    expect(len(app.requests) - before, 1)
    return line


def cut_over_h1(name, reason):
    """The bytes behind the head, which are all that came."""
    path, before = prepared(name), len(app.requests)
    with site.connect() as c:
        c.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
        head = c.head()
        expect(head.status, 200)
        rest = everything(c)
    expect_true(b"HTTP/1." not in rest, f"a second status line: {rest[:200]!r}")
    broken_line(path, reason, before)
    return head, rest


@test("R220")
def a_length_falls_short():
    for name, reason in LENGTH:
        head, rest = cut_over_h1(name, reason)
        expect_true(len(rest) < int(head.get("Content-Length")), name)


@test("R220")
def chunks_have_no_end():
    for name, reason in CHUNKED + [(name, reason) for name, (_, reason) in SCRIPTS.items()]:
        head, rest = cut_over_h1(name, reason)
        expect(head.get("Transfer-Encoding"), "chunked", name)
        expect_true(not rest.endswith(b"0\r\n\r\n"), f"{name}: {rest!r}")


@test("R220")
def an_end_by_closing_is_told_by_a_reset():
    path, before = prepared("cut-chunk"), len(app.requests)
    with site.connect() as c:
        c.send(f"GET {path} HTTP/1.0\r\nHost: a\r\n\r\n")
        expect(c.head().get("Content-Length"), None)
        ended = "closed"
        try:
            while c.socket.recv(65536):
                pass
        except ConnectionResetError:
            ended = "reset"
    broken_line(path, "upstream-response-incomplete", before, "HTTP/1.0")
    expect(ended, "reset", "a client of HTTP/1.0 would take the end for that of the content")


@test("R220")
def a_stream_is_reset():
    for name, reason in LENGTH + CHUNKED + [(name, reason) for name, (_, reason) in SCRIPTS.items()]:
        path, before = prepared(name), len(app.requests)
        with site.h2() as h:
            stream = h.request("GET", path)
            answer = h.head(stream)
            expect(answer.status, 200, name)
            expect(h.wait_for(Type.RST_STREAM, stream=stream).error, Error.INTERNAL_ERROR, name)
            broken_line(path, reason, before, "HTTP/2.0")
            h.get("/well").expect(200, "upstream-answered")


@test("R220")
def the_record_tells_both():
    with Server(config=site.config, admin=True) as server:
        path = prepared("cut-chunk")
        with server.connect() as c:
            c.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
            identity = c.head().id
            everything(c)
        one = server.recorded(identity)
        expect((one["reason"], one["broken"], one["status"]),
               ("upstream-answered", "upstream-response-incomplete", 200))
        expect((one["upstream"]["by"], one["upstream"]["status"]), ("upstream", 200))
        expect(one["broken_explanation"]["reason"], "upstream-response-incomplete")


@test("R220")
def an_end_by_closing_that_is_whole():
    app.fail("/to-the-end", "http10-no-length")
    with site.connect() as c:
        c.send("GET /to-the-end HTTP/1.0\r\nHost: a\r\n\r\n")
        expect(c.response().content, b"to the end")
