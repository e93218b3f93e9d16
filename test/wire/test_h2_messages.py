"""HTTP/2: requests and responses as messages: what is malformed, what is answered, content both ways. RFC 9113:8"""
import json
import re
import shutil
import signal
import subprocess
import time

from harness import (Error, Flag, Server, Setting, Type, answering, configured, encode, expect, expect_in, expect_true,
                     files, h2_request, skip, test)

BIG = 300000
LIMITS = {"h2_window_bytes": 65535, "h2_connection_window_bytes": 65535, "h2_streams": 20, "head_bytes": 4096,
          "field_bytes": 1024, "target_bytes": 512, "head_fields": 12}
TIMES = {"head_wait_ms": "2s", "content_wait_ms": "600ms", "send_wait_ms": "5s", "linger_ms": "1s",
         "tunnel_idle_ms": "3s"}
HINTS = ["</style.css>; rel=preload; as=style", "<https://fonts.example>; rel=preconnect"]
ROUTES = [files(write=True, path_limit=500, query_limit=400), files("/read"),
          files("/small", write=True, content_limit=1000), files("/known", write=True, require="length"),
          files("/hint", write=True, early_hints=HINTS),
          files("/hint1", early_hints=HINTS, early_hints_h1=True), files("/trace", trace=True),
          answering("/drop", "dropped-silently"), {"path": "/ws", "websocket": "echo"}]
TREE = {"a.txt": "hello", "big.bin": b"0123456789" * (BIG // 10), "mid.bin": b"m" * 20000, "known": None}
site = Server(TREE, admin=True, config=configured(*ROUTES, h2c=True, workers=1, limits=LIMITS, times=TIMES,
                                                  admin={"secret_fields": []}, tls={"listen": "127.0.0.1:{tls_port}"}))

M, S, P, A = (":method", "GET"), (":scheme", "http"), (":path", "/a.txt"), (":authority", "a")
PUT, CONNECT = (":method", "PUT"), (":method", "CONNECT")
WEBSOCKET, VERSION = (":protocol", "websocket"), ("sec-websocket-version", "13")


def kept(answer, name):
    """The values of a field of the request that belongs to an answer, as the server read it."""
    return [value for key, value in site.recorded(answer)["request"]["fields"] if key.lower() == name]


def send(h, fields, end_stream=True):
    """A head on the next stream; its number."""
    stream = h.next_stream
    h.headers(stream, fields, end_stream)
    return stream


class Beside:
    """A connection with a large response under way, which has to arrive whole whatever happens beside it."""

    def __enter__(self):
        self.h = site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0})
        self.large = self.h.request("GET", "/big.bin")
        self.h.head(self.large).expect(200)
        return self.h

    def __exit__(self, kind, *ignored):
        if kind is None:
            self.h.settings({Setting.INITIAL_WINDOW_SIZE: 65535})
            expect(len(self.h.response(self.large).content), BIG)
            expect((self.h.goaways, self.h.get("/a.txt").content), ([], b"hello"))
        self.h.close()


def malformed(cases):
    """Each case (fields, end_stream, what is done next or None, reason, operand) resets its stream, and no more."""
    with Beside() as h:
        for fields, end, then, reason, operand in cases:
            mark, stream = site.newest(), h.next_stream
            h.headers(stream, fields, end)
            if then is not None:
                then(h, stream)
            h.response(stream).expect_reset(Error.PROTOCOL_ERROR)
            row = site.row_after(mark, reason=reason)
            expect((row["status"], row["broken"]), (0, None), f"{fields}")
            if operand is not None:
                expect(row["operand"], operand, f"{fields}")


def answered(cases):
    """Each case (fields, end_stream, status, reason) gets its answer whole, and the connection goes on."""
    with Beside() as h:
        h.settings({Setting.INITIAL_WINDOW_SIZE: 3000})
        for fields, end, status, reason in cases:
            answer = h.response(send(h, fields, end)).expect(status, reason)
            expect_true(answer.ended and (answer.content or status < 300), f"{fields}: the answer is whole")
            expect(site.recorded(answer)["reason"], reason)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 0})


# Malformed requests. RFC9113:8.1.1

@test(seconds=30)
def names_and_values_that_no_field_has():
    name, value = "h2-field-name-invalid", "h2-field-value-invalid"
    malformed([([M, S, P, A, field], True, None, reason, operand) for field, reason, operand in (
        (("Bad", "x"), name, "Bad"), (("X-UPPER", "x"), name, "X-UPPER"), (("", "x"), name, ""),
        (("a b", "x"), name, "a"), (("a:b", "x"), name, "a"), (("a\0", "x"), name, "a"), (("\xe9", "x"), name, ""),
        (("a\x7f", "x"), name, "a"), (("host ", "x"), name, "host"), (("Cookie", "x"), name, "Cookie"),
        (("x", "a\0b"), value, "x"), (("x", "a\rb"), value, "x"), (("x", "a\nb"), value, "x"),
        (("x", " a"), value, "x"), (("x", "a "), value, "x"), (("x", "\ta"), value, "x"), (("x", "a\t"), value, "x"),
        (("x", "\x01"), value, "x"), (("x", "a\x7f"), value, "x"), (("cookie", "a\n"), value, "cookie"),
        (("accept", "a\r\nb: c"), value, "accept"))])


@test()
def fields_of_a_connection():
    malformed([([M, S, P, A, field], True, None, "h2-connection-field", field[0]) for field in (
        ("connection", "close"), ("connection", "x"), ("keep-alive", "5"), ("proxy-connection", "keep-alive"),
        ("transfer-encoding", "chunked"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABk"),
        ("te", "gzip"), ("te", "trailers, gzip"), ("te", ""))])
    with site.h2() as h:
        for field in (("te", "trailers"), ("te", "Trailers"), ("x", ""), ("x", "a\tb"), ("x", "\xe9"), ("x-_!~", "1")):
            expect(h.response(send(h, [M, S, P, A, field])).expect(200).content, b"hello")


@test(seconds=20)
def pseudo_header_fields():
    unknown, repeated, late = "h2-pseudo-field-unknown", "h2-pseudo-field-repeated", "h2-pseudo-field-late"
    missing, invalid = "h2-pseudo-field-missing", "h2-pseudo-field-invalid"
    malformed([(fields, True, None, reason, operand) for fields, reason, operand in (
        ([M, S, P, A, (":foo", "x")], unknown, ":foo"), ([M, S, P, A, (":status", "200")], unknown, ":status"),
        ([M, S, P, A, (":", "x")], unknown, ":"), ([(":Path", "/"), M, S, P, A], unknown, ":Path"),
        ([M, S, P, A, ("x", "y"), (":foo", "x")], unknown, ":foo"),
        ([M, S, P, A, M], repeated, ":method"), ([M, S, P, A, S], repeated, ":scheme"),
        ([M, S, P, A, P], repeated, ":path"), ([M, S, P, A, A], repeated, ":authority"),
        ([M, S, P, ("x", "y"), A], late, ":authority"), ([("x", "y"), M, S, P, A], late, ":method"),
        ([M, S, A, ("x", "y"), P], late, ":path"), ([M, S, P, A, ("cookie", "x"), M], late, ":method"),
        ([S, P, A], missing, ":method"), ([M, P, A], missing, ":scheme"), ([M, S, A], missing, ":path"),
        ([], missing, ":method"), ([("x", "y")], missing, ":method"),
        ([M, (":scheme", ""), P, A], invalid, ":scheme"), ([M, (":scheme", "1x"), P, A], invalid, ":scheme"),
        ([M, (":scheme", "ht tp"), P, A], invalid, ":scheme"),
        ([M, S, (":path", ""), A], invalid, ":path"), ([M, S, (":path", "*"), A], invalid, ":path"),
        ([M, S, (":path", "a.txt"), A], invalid, ":path"), ([M, S, (":path", "http://a/a.txt"), A], invalid, ":path"),
        ([M, S, P, (":authority", "me@a")], invalid, ":authority"),
        ([M, S, P, (":authority", "")], invalid, ":authority"),
        ([M, S, P, A, WEBSOCKET], invalid, ":protocol"),
        ([M, S, (":path", "/a\0"), A], "h2-field-value-invalid", ":path"),
        ([(":method", "GET\r"), S, P, A], "h2-field-value-invalid", ":method"),
        ([CONNECT, S, A], invalid, ":scheme"), ([CONNECT, P, A], invalid, ":path"), ([CONNECT], missing, ":authority"),
        ([CONNECT, S, A, WEBSOCKET], missing, ":path"), ([CONNECT, P, A, WEBSOCKET], missing, ":scheme"))])


@test()
def host_beside_authority():
    malformed([([M, S, P, A, host], True, None, "h2-authority-conflict", "host") for host in (
        ("host", "b"), ("host", "a:80"), ("host", ""), ("host", "a, a"))])
    with site.h2() as h:
        for fields in ([M, S, P, A, ("host", "a")], [M, S, P, A, ("host", "A")], [M, S, P, ("host", "a")]):
            answer = h.response(send(h, fields)).expect(200)
            expect(kept(answer, "host"), ["a"])
    answered([([M, S, P], True, 400, "host-missing"),
              ([M, S, P, ("host", "a"), ("host", "a")], True, 400, "host-repeated"),
              ([M, S, P, (":authority", "a b")], True, 400, "host-missing-or-invalid"),
              ([M, S, P, (":authority", "a/b")], True, 400, "host-missing-or-invalid"),
              ([M, S, P, (":authority", "a:99999")], True, 400, "host-missing-or-invalid"),
              ([M, S, P, ("host", "a b")], True, 400, "host-missing-or-invalid")])


@test()
def content_that_is_not_as_long_as_it_says():
    def data(content, end=True):
        return lambda h, stream: h.data(stream, content, end)

    def trailers(h, stream):
        h.data(stream, b"abc").headers(stream, [("x", "1")])

    head = [PUT, S, (":path", "/up"), A]
    malformed([(head + [("content-length", length)], then is None, then, "h2-content-length-mismatch", None)
               for length, then in (("5", data(b"abc")), ("2", data(b"abc")), ("2", data(b"abc", False)), ("5", None),
                                    ("1", data(b"")), ("0", data(b"x")), ("0", data(b"x", False)), ("4", trailers),
                                    ("2", trailers))])
    expect_true(not (site.root / "up").exists(), "nothing is stored")
    with site.h2() as h:
        for length, content in (("0", None), ("0", b""), ("3", b"abc")):
            stream = send(h, head + [("content-length", length)], content is None)
            if content is not None:
                h.data(stream, content[:1]).data(stream, content[1:], end_stream=True)
            expect_in(h.response(stream).status, (201, 204))
            expect((site.root / "up").read_bytes(), content or b"")


@test()
def content_of_a_get_is_measured_too():
    with Beside() as h:
        for length, content in (("3", b"ab"), ("1", b"ab")):
            mark, stream = site.newest(), h.next_stream
            h.headers(stream, [M, S, (":path", "/big.bin"), A, ("content-length", length)], False)
            h.head(stream).expect(200)
            h.data(stream, content, end_stream=True)
            h.response(stream).expect_reset(Error.PROTOCOL_ERROR)
            site.row_after(mark, reason="request-ok", broken="h2-content-length-mismatch")
        h.settings({Setting.INITIAL_WINDOW_SIZE: 3000})
        h.ask("GET", "/a.txt", b"content").expect(200)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 0})


@test()
def trailers_that_are_none():
    def after(*fields, end=True):
        return lambda h, stream: h.data(stream, b"abc").headers(stream, list(fields), end)

    malformed([([PUT, S, (":path", "/up2"), A], False, then, reason, None) for then, reason in (
        (after(("x-t", "1"), end=False), "h2-trailers-unfinished"),
        (after((":path", "/")), "h2-pseudo-field-in-trailers"),
        (after((":status", "200")), "h2-pseudo-field-in-trailers"),
        (after(("x", "1"), (":foo", "1")), "h2-pseudo-field-in-trailers"),
        (after(("X", "1")), "h2-field-name-invalid"), (after(("x", "1\n")), "h2-field-value-invalid"),
        (after(("connection", "x")), "h2-connection-field"), (after(("te", "gzip")), "h2-connection-field"),
        (lambda h, stream: h.headers(stream, [("x", "1")], False), "h2-trailers-unfinished"))])
    expect_true(not (site.root / "up2").exists(), "nothing is stored")


@test()
def malformed_trailers_of_what_is_answered_already():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}) as h:
        stream = send(h, [(":method", "POST"), S, P, A], False)
        h.head(stream).expect(405)
        h.headers(stream, [("X", "1")])
        answer = h.response(stream).expect_reset(Error.PROTOCOL_ERROR)
        expect(site.recorded(answer)["broken"], "h2-field-name-invalid")


# Requests that are answered with what is wrong, on a connection that goes on

@test("R167", "R199", "R200", "R113", seconds=20)
def limits_are_answered():
    def get(*fields, path="/a.txt"):
        return [M, S, (":path", path), A, *fields]

    answered([(get(path="/" + "a" * 600), True, 414, "uri-too-long"),
              (get(("x", "y" * 1100)), True, 431, "header-field-too-large"),
              (get(("cookie", "y" * 600), ("cookie", "z" * 600)), True, 431, "header-field-too-large"),
              (get(*[(f"x{i}", "y" * 900) for i in range(6)]), True, 431, "header-fields-too-large"),
              (get(*[(f"x{i}", "y") for i in range(14)]), True, 431, "too-many-header-fields"),
              (get(("x", "y" * 1100), ("content-length", "3")), False, 431, "header-field-too-large"),
              (get(path="/" + "a" * 505), True, 414, "uri-too-long"),
              (get(path="/?" + "a" * 450), True, 414, "query-too-long")])
    with site.h2() as h:
        answer = h.response(send(h, get(("x-long", "y" * 1100)))).expect(431)
        expect_in(b"x-long", answer.content)
        answer = h.response(send(h, get(*[("cookie", f"a{i}=b") for i in range(40)]))).expect(200)
        expect(kept(answer, "cookie"), ["; ".join(f"a{i}=b" for i in range(40))])


@test("R118", "R216", "R141")
def heads_that_are_wrong_in_other_ways():
    def get(path):
        return [M, S, (":path", path), A]

    put = [PUT, S, (":path", "/new"), A]
    answered([(get("/a b"), True, 400, "target-malformed"), (get("/\xe9"), True, 400, "target-malformed"),
              (get("/%zz"), True, 400, "target-malformed"), (get("/a#b"), True, 400, "target-malformed"),
              ([(":method", "G T"), S, P, A], True, 400, "method-malformed"),
              ([(":method", ""), S, P, A], True, 400, "method-malformed"),
              ([(":method", "get"), S, P, A], True, 501, "method-unknown"),
              ([(":method", "FROB"), S, P, A], True, 501, "method-unknown"),
              ([(":method", "POST"), S, P, A], False, 405, "method-not-allowed"),
              (put + [("content-length", "x")], False, 400, "content-length-invalid"),
              (put + [("content-length", "-3")], False, 400, "content-length-invalid"),
              (put + [("content-length", "99999999999999999999")], False, 400, "content-length-invalid"),
              (put + [("content-length", "3"), ("content-length", "4")], False, 400, "content-length-conflict"),
              (put + [("expect", "foo")], False, 417, "expectation-failed"),
              (get("/none"), True, 404, "not-found")])


@test("R203")
def what_is_dropped_is_reset_without_a_word():
    with Beside() as h:
        mark = site.newest()
        h.response(send(h, [M, S, (":path", "/drop"), A])).expect_reset(Error.CANCEL)
        expect(site.row_after(mark, reason="dropped-silently")["status"], 0)


# What a response is made of

@test("R001")
def versions_and_lines_are_those_of_http_2():
    with site.h2() as h:
        answer = h.get("/a.txt?x=1", fields=[("user-agent", "t/1")]).expect(200, "request-ok")
        expect_true(answer.get("date") and answer.get("server") == "verdict", answer)
        one = site.recorded(answer)
        expect((one["request"]["line"], one["reply"]["line"], one["protocol"]),
               ("GET /a.txt?x=1 HTTP/2", "HTTP/2 200", "HTTP/2.0"))
        expect(one["request"]["fields"], [["host", "a"], ["user-agent", "t/1"]])
        expect(site.log_of(answer)["protocol"], "HTTP/2.0")
        first = h.seen[-2]
        expect((one["bytes_out"], first.type), (first.length + 9 + 5 + 9, Type.HEADERS))


@test("R030", "R113")
def head_has_the_fields_and_no_content():
    with site.h2() as h:
        for path, status in (("/a.txt", 200), ("/big.bin", 200), ("/none", 404)):
            got, head = h.get(path).expect(status), h.ask("HEAD", path).expect(status)
            expect((head.get("content-length"), head.content), (str(len(got.content)), b""), path)
            expect(head.ended, True)
            expect([name for name, _ in head.fields], [name for name, _ in got.fields])
        tag = h.get("/a.txt").get("etag")
        not_modified = h.get("/a.txt", fields=[("if-none-match", tag)]).expect(304)
        expect((not_modified.content, not_modified.get("etag")), (b"", tag))
        last = [f for f in h.seen if f.stream == not_modified.stream]
        expect([(f.type, f.has(Flag.END_STREAM)) for f in last], [(Type.HEADERS, True)])
        part = h.get("/big.bin", fields=[("range", "bytes=5-14")]).expect(206)
        expect(part.content, b"5678901234")


@test()
def cookies_that_were_split_are_one():
    with site.h2() as h:
        for crumbs, wanted in ((["a=b"], "a=b"), (["a=b", "c=d", "e=f"], "a=b; c=d; e=f"),
                               (["a=b; c=d", "e"], "a=b; c=d; e")):
            answer = h.get("/a.txt", fields=[("cookie", crumb) for crumb in crumbs] + [("x", "y")]).expect(200)
            expect(kept(answer, "cookie"), [wanted])


@test("R031")
def trace_tells_what_came():
    with site.h2() as h:
        answer = h.ask("TRACE", "/trace/x?y", fields=[("x-seen", "1"), ("cookie", "secret")]).expect(200)
        expect_in(b"x-seen: 1", answer.content)
        expect_true(b"secret" not in answer.content and answer.get("content-type") == "message/http", answer)


@test("R033", "R035", "R044", "R045")
def put_and_delete():
    with site.h2() as h:
        for length in (True, False):
            name = f"/made-{length}"
            stream = h.next_stream
            fields = [("content-length", "6")] if length else []
            h.headers(stream, h2_request("PUT", name, fields=fields), False)
            h.data(stream, b"abc").data(stream, b"def", True).response(stream).expect(201, "created")
            expect(h.get(name).content, b"abcdef")
            replaced = h.ask("PUT", name, b"x" * 7000).expect(204)
            expect((replaced.content, replaced.get("etag")), (b"", h.ask("HEAD", name).get("etag")))
            stream = h.next_stream
            h.headers(stream, h2_request("PUT", name, fields=fields), False).data(stream, b"abcdef")
            h.headers(stream, [("x-checksum", "1"), ("te", "trailers")])
            h.response(stream).expect(204)
            expect((site.root / name[1:]).read_bytes(), b"abcdef")
            h.ask("DELETE", name).expect(204)
            h.get(name).expect(404)


@test()
def options_of_the_server():
    with site.h2() as h:
        expect(h.response(send(h, [(":method", "OPTIONS"), S, (":path", "*"), A])).expect(200).content, b"")
        expect_in("PUT", h.ask("OPTIONS", "/a.txt").expect(200).get("allow"))


# Interim answers

@test("R003", "R005", "R009", "R012")
def a_hundred_comes_before_the_content():
    with site.h2() as h:
        for fields in ([("content-length", "5")], []):
            stream = send(h, h2_request("PUT", "/hundred", fields=fields + [("expect", "100-continue")]), False)
            interim = h.interim(stream)
            expect((interim.status, interim.fields), (100, []))
            h.roundtrip().expect_quiet(0.05)
            expect(h.streams[stream].response.status, None)
            answer = h.data(stream, b"hello", end_stream=True).response(stream)
            expect_in(answer.status, (201, 204))
            expect([i.status for i in answer.interim], [100])


@test("R009", "R010", "R014", "R164", "R175")
def a_hundred_is_not_sent_in_vain():
    wish = ("expect", "100-continue")
    with site.h2() as h:
        for path, fields, status in (("/small/x", [("content-length", "5000")], 413), ("/known/x", [], 411),
                                     ("/read/x", [], 405), ("/none/x", [], 409), ("/new", [("expect", "foo")], 417)):
            answer = h.response(send(h, h2_request("PUT", path, fields=fields + [wish]), False)).expect(status)
            expect(answer.interim, [], path)
        h.headers(h.next_stream, h2_request("PUT", "/fast", fields=[wish]), True)
        expect(h.response(h.next_stream - 2).expect(201).interim, [])
        asked = send(h, h2_request("GET", "/a.txt", fields=[wish]))
        expect(h.response(asked).expect(200).interim, [])
        together = h.next_stream
        block = encode(h2_request("PUT", "/fast", fields=[wish]))
        h.send(b"".join(bytes_of(h, together, block)))
        expect_in([i.status for i in h.response(together).expect(204).interim], ([], [100]))


def bytes_of(h, stream, block):
    """HEADERS and DATA in one segment."""
    h._open(stream, "PUT")  # pylint: disable=protected-access
    yield len(block).to_bytes(3, "big") + bytes([Type.HEADERS, Flag.END_HEADERS]) + stream.to_bytes(4, "big") + block
    yield (1).to_bytes(3, "big") + bytes([Type.DATA, Flag.END_STREAM]) + stream.to_bytes(4, "big") + b"x"


@test("R003", "R004", "R005", "R023", "R025", "R027")
def hints_come_before_the_answer():
    for connect, host in ((site.h2, "a"),
                          (lambda: site.h2_tls(sni="localhost", tls={"check_name": False}), "localhost")):
        with connect() as h:
            for method, path, status in (("GET", "/hint/a.txt", 200), ("HEAD", "/hint/a.txt", 200),
                                         ("GET", "/hint/none", 404)):
                answer = h.ask(method, path, authority=host).expect(status)
                expect([(i.status, i.all("link")) for i in answer.interim], [(103, HINTS)])
            for path, method in (("/a.txt", "GET"), ("/hint/x", "PUT"), ("/hint/x", "OPTIONS")):
                answer = h.ask(method, path, b"x" if method == "PUT" else None, authority=host)
                expect((answer.status < 300, answer.interim), (True, []), f"{method} {path}")
    get = "GET {} HTTP/1.{}\r\nHost: a\r\n\r\n"
    expect([i.status for i in site.ask(get.format("/hint/a.txt", 1)).interim], [])
    expect([i.status for i in site.ask(get.format("/hint1/a.txt", 1)).interim], [103])
    expect([i.status for i in site.ask(get.format("/hint1/a.txt", 0)).interim], [])


# Content both ways

@test()
def uploads_larger_than_the_windows():
    content = bytes(range(256)) * 2000
    with site.h2() as h:
        h.ask("PUT", "/large", content).expect(201)
        expect((site.root / "large").read_bytes(), content)
        credited = {0: 0, 1: 0}
        for one in h.seen:
            if one.type == Type.WINDOW_UPDATE:
                credited[one.stream] += int.from_bytes(one.payload, "big")
        expect_true(all(n > len(content) - 65535 for n in credited.values()), credited)
        streams = [send(h, h2_request("PUT", f"/part{i}"), False) for i in range(5)]
        for at in range(0, len(content), 10000):
            for stream in streams:
                h.content(stream, content[at:at + 10000], end_stream=at + 10000 >= len(content))
        for i, stream in enumerate(streams):
            h.response(stream).expect(201)
            expect((site.root / f"part{i}").read_bytes(), content)


@test()
def downloads_through_small_windows():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 1024}) as h:
        streams = [h.request("GET", "/mid.bin") for _ in range(3)]
        for stream in streams:
            expect(h.response(stream).expect(200).content, b"m" * 20000)
        expect_true(all(f.length <= 1024 for f in h.seen if f.type == Type.DATA), "frames fit the window")


@test("R116", "R159", "R164", seconds=20)
def a_refusal_is_whole_while_content_is_being_sent():
    for path, status, reason, fields in (("/read/x", 405, "method-not-allowed", []),
                                         ("/small/x", 413, "content-too-large", [("content-length", "500000")]),
                                         ("/small/x", 413, "content-streamed-too-large", []),
                                         ("/known/x", 411, "length-required", [])):
        with site.h2() as h:
            stream = send(h, h2_request("PUT", path, fields=fields), False)
            h.data(stream, b"x" * 10000)
            answer = h.response(stream).expect(status, reason)
            expect((answer.ended, str(len(answer.content))), (True, answer.get("content-length")), "it is whole")
            expect(h.wait_for(Type.RST_STREAM, stream=stream).error, Error.NO_ERROR)
            own = [(f.type, f.has(Flag.END_STREAM)) for f in h.seen
                   if f.stream == stream and f.type != Type.WINDOW_UPDATE]
            expect(own[-2:], [(Type.DATA, True), (Type.RST_STREAM, False)])
            expect([kind for kind, _ in own].count(Type.HEADERS), 1)
            for _ in range(20):                     # what was on its way comes in, and is credited on the connection
                h.data(stream, b"x" * 10000)
                h.roundtrip()
            h.ask("PUT", "/other", b"y" * 200000).expect(201 if path == "/read/x" else 204)
            expect(h.goaways, [])


@test("R148")
def content_that_does_not_come():
    with Beside() as h:
        h.settings({Setting.INITIAL_WINDOW_SIZE: 3000})
        stream = send(h, h2_request("PUT", "/slow"), False)
        h.data(stream, b"abc")
        answer = h.response(stream).expect(408, "request-content-timeout")
        expect(answer.get("connection"), None)
        expect(h.wait_for(Type.RST_STREAM, stream=stream).error, Error.NO_ERROR)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 0})
    expect_true(not (site.root / "slow").exists(), "nothing is stored")


@test()
def clients_that_cancel():
    with Beside() as h:
        mark = site.newest()
        stream = send(h, h2_request("PUT", "/cancelled"), False)
        h.data(stream, b"abc").roundtrip().rst(stream, Error.CANCEL)
        expect(site.row_after(mark, reason="request-cancelled")["status"], 0)
        stream = h.request("GET", "/big.bin")
        answer = h.head(stream).expect(200)
        h.rst(stream, Error.CANCEL).roundtrip()
        expect(site.recorded(answer)["broken"], "response-cancelled")
    expect_true(not (site.root / "cancelled").exists(), "nothing is stored")


# CONNECT, and other protocols. RFC9113:8.5, RFC8441:4

@test("R141")
def connect_without_a_protocol():
    with Beside() as h:
        h.settings({Setting.INITIAL_WINDOW_SIZE: 3000})
        for authority, status, reason in (("a:443", 405, "method-not-allowed"), ("[::1]:80", 405, "method-not-allowed"),
                                          ("a", 400, "target-form-invalid")):
            stream = send(h, [CONNECT, (":authority", authority)], False)
            answer = h.response(stream).expect(status, reason)
            expect("GET" in (answer.get("allow") or ""), status == 405)
            expect(h.wait_for(Type.RST_STREAM, stream=stream).error, Error.NO_ERROR)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 0})


@test("R141")
def connect_with_a_protocol_where_there_is_none():
    with Beside() as h:
        h.settings({Setting.INITIAL_WINDOW_SIZE: 3000})
        for fields, status, reason in (
                ([CONNECT, S, P, A, WEBSOCKET, VERSION], 405, "method-not-allowed"),
                ([CONNECT, S, P, A, (":protocol", "foo")], 405, "method-not-allowed"),
                ([CONNECT, S, (":path", "/ws"), A, (":protocol", "foo"), VERSION], 501, "connect-protocol-unknown"),
                ([CONNECT, S, (":path", "/ws"), A, (":protocol", "connect-udp")], 501, "connect-protocol-unknown"),
                ([CONNECT, S, (":path", "/ws"), A, WEBSOCKET], 400, "websocket-handshake-invalid"),
                ([CONNECT, S, (":path", "/ws"), A, WEBSOCKET, ("sec-websocket-version", "8")], 426,
                 "websocket-version-unsupported")):
            stream = send(h, fields, False)
            answer = h.response(stream).expect(status, reason)
            expect((answer.get("allow") is not None, answer.ended), (status == 405, True))
            expect(h.wait_for(Type.RST_STREAM, stream=stream).error, Error.NO_ERROR)
        answer = h.get("/ws").expect(426, "upgrade-required")
        expect((answer.get("upgrade"), answer.get("sec-websocket-version")), (None, "13"))
        h.ask("PUT", "/ws", b"x").expect(405)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 0})


def masked(opcode, payload=b"", mask=b"\1\2\3\4"):
    """A frame of a client, with the last of its message. RFC6455:5.2"""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


def tunnel(h):
    stream = send(h, [CONNECT, S, (":path", "/ws"), A, WEBSOCKET, VERSION], False)
    expect(h.head(stream).expect(200).get("content-length"), None)
    return stream


@test()
def a_websocket_over_a_stream():
    with Beside() as h:
        h.settings({Setting.INITIAL_WINDOW_SIZE: 3000})
        first, second = tunnel(h), tunnel(h)
        for word in (b"hello", b"", b"x" * 125, b"y" * 1000):
            for stream in (first, second):
                echo = bytes([0x81, len(word)]) if len(word) < 126 else b"\x81\x7e" + len(word).to_bytes(2, "big")
                h.data(stream, masked(1, word))
                expect(h.take(stream, len(echo + word)), echo + word)
        one = masked(9, b"ping")
        for at in range(len(one)):
            h.data(first, one[at:at + 1])
        expect(h.take(first, 6), b"\x8a\4ping")
        h.data(first, masked(8, b"\x03\xe8"))
        expect(h.take(first, 4), b"\x88\2\x03\xe8")
        answer = h.response(first)
        expect((answer.ended, answer.content), (True, b""))
        expect(site.recorded(answer)["reason"], "tunnel-opened")
        h.data(second, b"", end_stream=True)
        expect(h.response(second).ended, True)
        expect((site.recorded(h.response(second))["broken"], site.recorded(answer)["broken"]), (None, None))
        h.settings({Setting.INITIAL_WINDOW_SIZE: 0})


@test()
def a_websocket_that_ends_badly_over_a_stream():
    for frame, code, why in ((masked(3, b"x"), 1002, "protocol-error"), (masked(1, b"\xff"), 1007, "text-invalid"),
                             (b"\x82\xff\x7f" + b"\xff" * 7 + b"aaaa-", 1009, "message-too-large")):
        with site.h2() as h:
            stream = tunnel(h)
            h.data(stream, frame)
            expect(h.take(stream, 4), b"\x88\2" + code.to_bytes(2, "big"))
            answer = h.response(stream)
            expect((answer.ended, answer.content), (True, b""))
            told = site.recorded(answer)
            expect((told["reason"], told["broken"]), ("tunnel-opened", "websocket-" + why))


@test()
def an_idle_websocket_over_a_stream():
    with site.h2() as h:
        stream = tunnel(h)
        expect(h.take(stream, 8, seconds=6), b"\x88\6\x03\xe9idle")
        answer = h.response(stream)
        expect((answer.ended, answer.content), (True, b""))
        told = site.recorded(answer)
        expect((told["reason"], told["broken"]), ("tunnel-opened", "websocket-idle"))


@test()
def a_websocket_waits_for_the_window():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}) as h:
        stream = tunnel(h)
        h.data(stream, masked(1, b"hello")).roundtrip().expect_quiet(0.05)
        h.window(stream, 1000)
        expect(h.take(stream, 7), b"\x81\5hello")
        h.rst(stream).roundtrip()


@test("R019")
def upgrades_to_http_2_are_ignored():
    for field in ("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n",
                  "Upgrade: h2c, foo\r\nConnection: Upgrade\r\n", "Upgrade: h2\r\nConnection: Upgrade\r\n"):
        with site.connect() as c:
            c.send(f"GET /a.txt HTTP/1.1\r\nHost: a\r\n{field}\r\n")
            expect((c.response().expect(200).content), b"hello")
            c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


# Priorities. RFC 9218

def shares(priorities, update=None):
    """Bytes that each of the downloads got of one window of the connection, all of them being ready to go."""
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}, credit=False) as h:
        streams = [h.request("GET", "/big.bin", fields=[("priority", p)] if p else []) for p in priorities]
        for stream in streams:
            h.head(stream).expect(200)
        for at, value in (update or {}).items():
            h.priority_update(streams[at], value)
        h.roundtrip().settings({Setting.INITIAL_WINDOW_SIZE: 1 << 20})
        got = [h.streams[stream].response for stream in streams]
        while sum(len(answer.content) for answer in got) < 65535:
            h.next_frame()
        return [len(answer.content) for answer in got]


@test()
def urgent_responses_go_first():
    for priorities, update, first in ((["u=6", "u=1"], None, 1), (["u=1", "u=6"], None, 0), ([None, "u=2"], None, 1),
                                      (["u=4", None], None, 1), (["u=7, i", "u=6, i"], None, 1),
                                      (["u=6", "u=1"], {0: "u=0"}, 0), ([None, None], {1: "u=1"}, 1),
                                      (["u=5", "u=5", "u=0"], None, 2)):
        got = shares(priorities, update)
        expect(got, [65535 if i == first else 0 for i in range(len(got))], f"{priorities} {update}")


@test()
def incremental_responses_share_and_others_do_not():
    for priorities in (["i", "i"], ["u=3, i", "u=3, i", "i"]):
        got = shares(priorities)
        expect_true(min(got) > 10000, f"{priorities}: {got}")
    expect(shares([None, None]), [65535, 0])
    expect(shares(["u=2", "u=2", "u=2"]), [65535, 0, 0])


# The end of a connection. RFC9113:6.8

def ending(**times):
    return Server(TREE, config=configured(files(write=True), h2c=True, workers=1, times={"linger_ms": "1s", **times}))


@test()
def idle_connections_are_told_that_they_end():
    with ending(keep_alive_ms="300ms") as server, server.h2() as h:
        h.get("/a.txt").expect(200)
        began = time.monotonic()
        expect((h.goaway_code(3), int.from_bytes(h.goaways[-1].payload[:4], "big")), (Error.NO_ERROR, 1))
        expect_true(h.closed(2), "closed")
        expect_true(0.15 < time.monotonic() - began < 2, time.monotonic() - began)


@test(seconds=20)
def a_running_download_finishes_when_the_server_stops():
    server = ending(drain_ms="8s")
    with server.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}, ack_pings=False) as h:
        stream = h.request("GET", "/big.bin")
        h.head(stream).expect(200)
        server.signal(signal.SIGTERM)
        expect((h.goaway_code(), int.from_bytes(h.goaways[0].payload[:4], "big")), (Error.NO_ERROR, 0x7fffffff))
        late = h.request("GET", "/a.txt")               # on its way when the server said so
        ping = h.wait_for(Type.PING)
        h.ping(ping.payload, ack=True)
        last = h.wait_for(Type.GOAWAY)
        while int.from_bytes(last.payload[:4], "big") == 0x7fffffff:
            last = h.wait_for(Type.GOAWAY)
        expect((last.error, int.from_bytes(last.payload[:4], "big")), (Error.NO_ERROR, late))
        refused = h.request("GET", "/a.txt")
        h.settings({Setting.INITIAL_WINDOW_SIZE: 65535})
        expect((len(h.response(stream).content), h.response(late).expect(200).content), (BIG, b"hello"))
        expect_true(h.closed(), "closed")
        expect(h.response(refused).status, None)
    expect(server.ended(), 0)


@test(seconds=20)
def what_does_not_finish_is_ended():
    server = ending(drain_ms="300ms")
    with server.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}, forgiving=True) as h:
        stream = h.request("GET", "/big.bin")
        answer = h.head(stream).expect(200)
        server.signal(signal.SIGTERM)
        expect_true(h.closed(5), "closed")
        expect(h.response(stream).ended, False)
    expect(server.ended(), 0)
    line = next(line for line in server.log() if line["target"] == "/big.bin")
    expect((line["reason"], line["broken"] if "broken" in line else None, answer.status),
           ("request-ok", "draining-stopped", 200))


# Other people's clients

def run(*command):
    if shutil.which(command[0]) is None:
        skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    expect(done.returncode, 0, f"{command}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done.stdout


@test(seconds=20)
def nghttp_is_served():
    site.start()
    for url in (f"http://127.0.0.1:{site.port}", f"https://localhost:{site.tls_port}"):
        said = run("nghttp", "--verbose", "--null-out", f"{url}/big.bin", f"{url}/a.txt", f"{url}/none")
        expect(re.findall(r":status: (\d+)", said).count("200"), 2)
        expect_true(":status: 404" in said and "recv GOAWAY" not in said, said[-3000:])
    expect_in("hello", run("nghttp", f"http://127.0.0.1:{site.port}/a.txt"))


@test(seconds=20)
def h2load_is_served():
    site.start()
    for url in (f"http://127.0.0.1:{site.port}/a.txt", f"https://localhost:{site.tls_port}/a.txt"):
        said = run("h2load", "-n", "500", "-c", "5", "-m", "10", url)
        expect_in("500 succeeded, 0 failed, 0 errored", said)
        expect_in("500 2xx", said)


@test("R025", seconds=20)
def curl_is_served():
    site.start()
    one = site.home / "from-curl"
    said = run("curl", "-sS", "--http2-prior-knowledge", "-o", str(one), "-w",
               "%{http_version} %{http_code} %{size_download}", f"http://127.0.0.1:{site.port}/big.bin")
    expect((said, one.read_bytes()), (f"2 200 {BIG}", TREE["big.bin"]))
    said = run("curl", "-sS", "--http2-prior-knowledge", "-T", str(one), "-w", "%{http_version} %{http_code}",
               "-H", "Expect: 100-continue", "-o", str(site.home / "x"), f"http://127.0.0.1:{site.port}/curled")
    expect((said, (site.root / "curled").read_bytes()), ("2 201", TREE["big.bin"]))
    said = run("curl", "-sSki", "--http2", f"https://localhost:{site.tls_port}/hint/a.txt")
    expect(re.findall(r"^HTTP/2 (\d+)", said, re.MULTILINE), ["103", "200"])
    said = run("curl", "-sSi", "--http1.1", f"http://127.0.0.1:{site.port}/hint/a.txt")
    expect(re.findall(r"^HTTP/1.1 (\d+)", said, re.MULTILINE), ["200"])
    expect(json.loads(run("curl", "-sS", f"http://127.0.0.1:{site.admin_port}/api/workers"))["total"]["running"], 0)
