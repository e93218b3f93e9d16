"""No request hides in another: what the parser takes, the upstream sees as exactly that one request; else it sees none.

RFC9112:11.2, RFC9113:10.5"""
import time

from harness import (Server, Upstream, chunked, configured, encode, expect, expect_true, h2_request, literal, response,
                     test)

app = Upstream("app", idle_seconds=10)
app.answer("*", lambda request: response(200, f"{request.method} {request.target} {request.length}"))
site = Server(config=configured({"path": "/", "gateway": {"upstream": "app", "read_wait": "500ms"}},
                                {"path": "/to", "gateway": {"upstream": "app", "to": "/in", "read_wait": "500ms"}},
                                upstreams=[{"name": "app", "servers": app.address}], h2c=True, workers=1))

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n"
AFTER = b"GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def everything(data):
    """Statuses and reasons of all answers to these bytes, up to the end of the connection (or of our patience)."""
    answers = []
    with site.connect(wait_seconds=0.4) as c:
        c.send(data)
        try:
            while True:
                answers.append(c.response())
        except (AssertionError, OSError):
            return [(one.status, one.reason) for one in answers]


def saw(data, about):
    """What the upstream saw of these bytes: (method, target, content) of each request. Each of them is well formed."""
    app.reset_log()
    answers = everything(data)
    for one in app.requests:
        expect_true(one.bad is None and one.whole, f"{about}: {one}: {one.bad}")
        expect_true(one.get("Content-Length") is None or one.get("Transfer-Encoding") is None, f"{about}: {one}")
        expect_true(b"\n" not in one.raw.replace(b"\r\n", b"") and b"\0" not in one.raw, f"{about}: {one.raw}")
        expect(len(one.all("Host")), 1, f"{about}: lines of Host")
    return answers, [(one.method, one.target, one.content) for one in app.requests]


def post(*lines, target="/one", version="1.1"):
    return "\r\n".join([f"POST {target} HTTP/{version}", "Host: a", *lines, "", ""]).encode("latin-1")


# Framing: the bytes that follow could be content, or a request.

REFUSED = (
    ("both lengths", post("Content-Length: 6", "Transfer-Encoding: chunked"), "ambiguous-framing"),
    ("both, the other way round", post("Transfer-Encoding: chunked", "Content-Length: 6"), "ambiguous-framing"),
    ("both, chunked in capitals", post("Content-Length: 6", "Transfer-Encoding: CHUNKED"), "ambiguous-framing"),
    ("a coding like chunked", post("Transfer-Encoding: xchunked"), None),
    ("a coding like chunked beside a length", post("Content-Length: 6", "Transfer-Encoding: xchunked"), None),
    ("chunked, then another", post("Transfer-Encoding: chunked, identity"), None),
    ("another line after chunked", post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), None),
    ("chunked twice", post("Transfer-Encoding: chunked, chunked"), None),
    ("chunked in two lines", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), None),
    ("identity", post("Transfer-Encoding: identity"), None),
    ("an empty coding", post("Transfer-Encoding:"), None),
    ("chunked with a parameter", post("Transfer-Encoding: chunked;x=y"), None),
    ("chunked in quotes", post('Transfer-Encoding: "chunked"'), None),
    ("a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked"), None),
    ("a byte of Latin-1 behind chunked", post("Transfer-Encoding: chunked\xa0"), None),
    ("a space before the colon", post("Transfer-Encoding : chunked"), None),
    ("a space before the colon of a length", post("Content-Length : 6"), None),
    ("a tab in the name", post("Transfer-Encoding\t: chunked"), None),
    ("a space before the name", b"POST /one HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n", None),
    ("a folded value", post("Transfer-Encoding:", " chunked"), None),
    ("a folded line elsewhere", post("X-A: b", "\tContent-Length: 6"), None),
    ("a CR in a value", post("X-A: b\rTransfer-Encoding: chunked"), None),
    ("a NUL in a value", post("X-A: b\0c"), None),
    ("a NUL in a name", post("Transfer-Encoding\0: chunked"), None),
    ("1.0 with chunked", post("Transfer-Encoding: chunked", version="1.0"), "transfer-encoding-in-http10"),
    ("two lengths", post("Content-Length: 6", "Content-Length: 5"), "content-length-conflict"),
    ("a list of two lengths", post("Content-Length: 6, 5"), "content-length-conflict"),
    ("a length with a sign", post("Content-Length: +6"), "content-length-invalid"),
    ("a negative length", post("Content-Length: -6"), "content-length-invalid"),
    ("a length in hex", post("Content-Length: 0x6"), "content-length-invalid"),
    ("a length with a space", post("Content-Length: 6 6"), "content-length-invalid"),
    ("a length with a point", post("Content-Length: 6.0"), "content-length-invalid"),
    ("an empty length", post("Content-Length:"), "content-length-invalid"),
    ("a length beyond 64 bits", post("Content-Length: 18446744073709551622"), "content-length-invalid"),
    ("a name that ends in a bare CR", post("X-A\r: b"), None),
    ("a bare CR ends the request line", b"POST /one HTTP/1.1\rHost: a\r\n\r\n", None),
    ("two Host fields", post("Host: b"), "host-repeated"),
    ("Host with a path", b"GET /one HTTP/1.1\r\nHost: a/b\r\n\r\n", None),
    ("Host with a user", b"GET /one HTTP/1.1\r\nHost: a@b\r\n\r\n", None),
    ("no Host", b"GET /one HTTP/1.1\r\n\r\n", "host-missing"),
    ("a space in the target", b"GET /one two HTTP/1.1\r\nHost: a\r\n\r\n", None),
    ("a tab in the request line", b"GET\t/one\tHTTP/1.1\r\nHost: a\r\n\r\n", None),
    ("a line feed in the target", b"GET /one\nX: y HTTP/1.1\r\nHost: a\r\n\r\n", None),
    ("a fragment", b"GET /one#two HTTP/1.1\r\nHost: a\r\n\r\n", None),
    ("no form of a target", b"GET one HTTP/1.1\r\nHost: a\r\n\r\n", None),
    ("HTTP/1.2 in small", b"GET /one http/1.1\r\nHost: a\r\n\r\n", None),
    ("HTTP/3.0", b"GET /one HTTP/3.0\r\nHost: a\r\n\r\n", None),
    ("a method with a bracket", b"GE[T /one HTTP/1.1\r\nHost: a\r\n\r\n", None),
    ("a field without a colon", post("Transfer-Encoding chunked"), None),
    ("a field without a name", post(": chunked"), None),
)


@test(seconds=40)
def what_is_refused_is_seen_by_nobody():
    for about, data, reason in REFUSED:
        answers, requests = saw(data + SMUGGLED, about)
        expect(requests, [], about)
        expect_true(len(answers) == 1 and answers[0][0] in (400, 501, 505), f"{about}: {answers}")
        if reason:
            expect(answers[0][1], reason, about)


CONTENT = (
    ("a length", post("Content-Length: %d" % len(SMUGGLED)) + SMUGGLED, SMUGGLED),
    ("the same length twice", post(*["Content-Length: %d" % len(SMUGGLED)] * 2) + SMUGGLED, None),
    ("a length with zeros before it", post("Content-Length: 000%d" % len(SMUGGLED)) + SMUGGLED, SMUGGLED),
    ("a length of a GET", post("Content-Length: %d" % len(SMUGGLED)).replace(b"POST", b"GET") + SMUGGLED, SMUGGLED),
    ("chunks", post("Transfer-Encoding: chunked") + chunked([SMUGGLED]), SMUGGLED),
    ("chunked in capitals", post("transfer-ENCODING:\tChunked \t") + chunked([SMUGGLED]), SMUGGLED),
    ("a chunk in hex with zeros and letters", post("Transfer-Encoding: chunked") + b"0000A\r\n0123456789\r\n00\r\n\r\n",
     b"0123456789"),
    ("an extension that looks like a chunk", post("Transfer-Encoding: chunked") +
     b'1;a="0;b"\r\nx\r\n0\r\n\r\n', b"x"),
    ("content that looks like the end", post("Transfer-Encoding: chunked") + chunked([b"0\r\n\r\n" + SMUGGLED]),
     b"0\r\n\r\n" + SMUGGLED),
    ("trailers that look like framing", post("Transfer-Encoding: chunked") +
     chunked([b"x"], [("Content-Length", "99"), ("Transfer-Encoding", "chunked"), ("Host", "b")]), b"x"),
    ("no content", post(), b""),
    ("an empty line before", b"\r\n" + post("Content-Length: 1") + b"x", b"x"),
)


@test(seconds=30)
def what_is_taken_is_seen_as_it_is():
    for about, data, content in CONTENT:
        answers, requests = saw(data + AFTER, about)
        if content is None:
            expect_true(requests in ([], [("POST", "/one", SMUGGLED), ("GET", "/after", b"")]), f"{about}: {requests}")
            continue
        method = "GET" if b"GET /one" in data else "POST"
        expect(requests, [(method, "/one", content), ("GET", "/after", b"")], about)
        expect([status for status, _ in answers], [200, 200], about)


@test(seconds=30)
def chunks_that_are_wrong_never_come_whole():
    for about, data in (
            ("a size with a sign", b"+1\r\nx\r\n0\r\n\r\n"), ("a size with 0x", b"0x1\r\nx\r\n0\r\n\r\n"),
            ("a size with a space before", b" 1\r\nx\r\n0\r\n\r\n"), ("no size", b"\r\nx\r\n0\r\n\r\n"),
            ("a size beyond 64 bits", b"10000000000000001\r\nx\r\n0\r\n\r\n"),
            ("more than the size", b"1\r\nxy\r\n0\r\n\r\n"),
            ("a bare LF behind the size", b"1\nx\r\n0\r\n\r\n"), ("a bare LF behind the chunk", b"1\r\nx\n0\r\n\r\n"),
            ("a bare CR behind the size", b"1\rx\r\n0\r\n\r\n"),
            ("a bare LF in an extension", b"1;a\nb\r\nx\r\n0\r\n\r\n"),
            ("a bare LF at the end", b"1\r\nx\r\n0\r\n\n"), ("a size of no digit", b"g\r\nx\r\n0\r\n\r\n"),
            ("a trailer with a space before the colon", b"1\r\nx\r\n0\r\nX-A : b\r\n\r\n")):
        app.reset_log()
        answers = everything(post("Transfer-Encoding: chunked") + data + SMUGGLED)
        time.sleep(0.03)
        app.wait(lambda: all(one.link.ended for one in app.requests), "end of what came in part")
        expect_true(all(not one.whole and one.target == "/one" for one in app.requests), f"{about}: {app.requests}")
        expect([status for status, _ in answers], [400], about)


@test()
def bare_line_feeds_are_one_thing_for_all():
    """Whether they end lines is ours to say (RFC9112:2.2); that nobody behind sees another request is not."""
    for about, data in (("between lines", b"POST /one HTTP/1.1\nHost: a\nContent-Length: 1\n\nx"),
                        ("in the middle of fields", b"POST /one HTTP/1.1\r\nHost: a\nContent-Length: 1\r\n\r\nx"),
                        ("at the end of the head", b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\nx")):
        answers, requests = saw(data + AFTER, about)
        both = [("POST", "/one", b"x"), ("GET", "/after", b"")]
        expect_true((requests == [] and len(answers) == 1) or requests == both, f"{about}: {requests} {answers}")


@test()
def pipelined_requests_stay_as_many():
    data = b"".join(post(f"Content-Length: {i}", target=f"/p{i}") + b"x" * i for i in range(12))
    answers, requests = saw(data + AFTER, "twelve")
    expect(requests, [("POST", f"/p{i}", b"x" * i) for i in range(12)] + [("GET", "/after", b"")])
    expect([status for status, _ in answers], [200] * 13)


# Targets: whoever judges them after us must see the same path.


@test(seconds=30)
def a_path_is_judged_here_as_it_is_there():
    for target, wanted in (
            ("/a/../one", "/one"), ("/a/%2e%2e/one", "/one"), ("/a/.%2E/one", "/one"), ("/./one", "/one"),
            ("/%2e/one", "/one"), ("/a/b/../../one", "/one"), ("/one/.", "/one/"), ("/one/a/..", "/one/"),
            ("//one", "/one"), ("/a//one", "/a//one"), ("/one?../..", "/one?../.."), ("/one%2Ftwo", "/one%2Ftwo"),
            ("/%6fne", "/%6fne"), ("/to/../one", "/one"), ("/one/../to/x", "/in/x"), ("/to/%2e%2e/one", "/one"),
            ("/to//x", "/in/x"), ("//to/x", "/in/x"), ("/one;a=b/c", "/one;a=b/c"), ("/...", "/..."), ("/..a", "/..a"),
            ("http://a", "/"), ("http://a?q", "/?q"), ("HTTP://a:80/to/x", "/in/x"), ("/one%20two", "/one%20two"),
            ("/one%0d%0aX:%20y", "/one%0d%0aX:%20y"), ("/%c3%a9", "/%c3%a9"), ("/one?a%0d%0ab", "/one?a%0d%0ab")):
        _, requests = saw(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode(), target)
        expect_true([one[1] for one in requests] in ([wanted], []), f"{target}: {requests}")
        if "%0d" not in target:
            expect([one[1] for one in requests], [wanted], target)


@test(seconds=30)
def a_path_that_others_read_otherwise_does_not_go_on():
    for target in ("/../one", "/%2e%2e/one", "/a/../../one", "/one%00", "/one%zz", "/one%", "/a/..%2f..%2fone",
                   "/a/..%5c..%5cone", "/a\\..\\one", "/a/..;/one", "/a/..;x=y/one", "/to/..%2fone", "/to/..;/one",
                   "/to/..%5cone"):
        answers, requests = saw(f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode(), target)
        expect(requests, [], target)
        expect(answers[0][0], 400, f"{target}: {answers}")


# HTTP/2: lengths and lines are what the frames say, and never become framing in there.


def over_h2(fields, content=None, data=None):
    """Requests at the upstream for these fields on a stream; content: its DATA, whole."""
    app.reset_log()
    with site.h2(forgiving=True) as h:
        h.headers(1, encode(h2_request("POST" if content is not None else "GET", "/one", "a", "http", fields))
                  if data is None else data, end_stream=content is None)
        if content is not None:
            h.data(1, content, end_stream=True)
        answer = h.response(1)
    return answer, [(one.method, one.target, one.content) for one in app.requests if one.whole]


@test(seconds=30)
def fields_of_http2_that_would_become_others_do_not_go_on():
    for name, value in (("transfer-encoding", "chunked"), ("connection", "close"), ("keep-alive", "1"),
                        ("upgrade", "x"),
                        ("proxy-connection", "close"), ("te", "gzip"), ("x-a", "b\r\nTransfer-Encoding: chunked"),
                        ("x-a", "b\nc"), ("x-a", "b\0c"), ("x-a\r\nx-b", "c"), ("x-a: b\r\nx-c", "d"), ("x a", "b"),
                        ("x-a:", "b"), ("", "b"), ("X-Upper", "b"), ("x-a", " b"), ("x-a", "b\t"), ("host", "other"),
                        ("content-length", "+3"), ("content-length", "4"), (":path", "/two")):
        answer, requests = over_h2([(name, value)], b"abc")
        expect(requests, [], f"{name!r}: {value!r}")
        expect_true(answer.reset is not None or answer.status == 400 or not answer.over, f"{name!r}: {answer}")


@test()
def pseudo_fields_of_http2_are_no_way_into_the_request_line():
    for pairs in ([(":method", "GET /two HTTP/1.1\r\nHost: x\r\n\r\nGET")], [(":method", "GET\t")],
                  [(":path", "/one HTTP/1.1\r\nX: y")], [(":path", "/one two")], [(":path", "one")], [(":path", "")],
                  [(":path", "/one#two")], [(":authority", "a\r\nX: y")], [(":authority", "a/b")],
                  [(":authority", "u@a")], [(":scheme", "http://x/?")], [(":path", "*")]):
        base = dict([(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/one")])
        base.update(dict(pairs))
        answer, requests = over_h2([], data=encode(list(base.items())))
        expect(requests, [], f"{pairs}")
        expect_true(answer.reset is not None or answer.status in (400, 421, 200, 404), f"{pairs}: {answer}")


@test()
def content_of_http2_is_framed_anew():
    for fields, content in (([], SMUGGLED), ([("content-length", str(len(SMUGGLED)))], SMUGGLED), ([], b""),
                            ([], b"0\r\n\r\n" + SMUGGLED)):
        answer, requests = over_h2(fields, content)
        answer.expect(200, "upstream-answered")
        expect(requests, [("POST", "/one", content)])
    answer, requests = over_h2([("content-length", "9")], b"abc")
    expect(requests, [], "a length that is not kept")


@test()
def literals_of_hpack_are_judged_like_all():
    answer, requests = over_h2([], data=encode([*h2_request("GET", "/one", "a", "http"),
                                                literal("x-a", "b\r\nHost: c", form="never")]))
    expect((requests, answer.reset is not None or answer.status == 400), ([], True))
