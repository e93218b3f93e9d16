"""HTTP/2: what a server must enforce of frames, streams, windows, settings and field compression. RFC 9113:3 to 6"""
import time

from harness import (Error, Flag, Server, Setting, Type, configured, encode, expect, expect_in, expect_true, files,
                     frame, h2_request, indexed, literal, string, table_size, test)
from harness.frames import PREFACE

BIG = 300000
WINDOW = 65535          # of a stream, and what HTTP/2 begins with
CONNECTION = 100000     # of a connection
FRAME = 16384
LIMITS = {"h2_window_bytes": WINDOW, "h2_connection_window_bytes": CONNECTION, "h2_streams": 10}
TIMES = {"head_wait_ms": "400ms", "content_wait_ms": "3s", "send_wait_ms": "3s", "linger_ms": "1s"}
site = Server({"a.txt": "hello", "big.bin": b"x" * BIG},
              config=configured(files(write=True), h2c=True, workers=1, limits=LIMITS, times=TIMES,
                                tls={"listen": "127.0.0.1:{tls_port}"}), admin=True)
plain = Server({"a.txt": "hello"})
LONG = {f"X-Long-{i}": chr(97 + i) * (3000 + i) for i in range(12)}
long = Server({"a.txt": "hello"}, config=configured(files(headers=LONG), h2c=True, workers=1))

GET, PUT = h2_request("GET", "/a.txt"), h2_request("PUT", "/new")
DOWN = h2_request("GET", "/big.bin")
REFUSED = h2_request("POST", "/a.txt")     # 405 at once: its content is nobody's


def tls(**more):
    return site.h2_tls(sni="localhost", tls={"check_name": False}, **more)


def alive(h):
    expect(h.get("/a.txt").expect(200).content, b"hello")


def connection_error(about, code, reason, act, operand=None, **more):
    """act(h) ends the connection, which is recorded as an exchange without a request."""
    mark = site.newest()
    with site.h2(forgiving=True, **more) as h:
        act(h)
        expect(h.goaway_code(), code, about)
        expect_true(h.closed(), f"{about}: closed")
        expect(h.goaway_code(), code, about)
    row = site.row_after(mark, method="", reason=reason)
    expect((row["status"], row["target"]), (0, ""), about)
    if operand is not None:
        expect_in(operand, row["operand"], about)


def stream_error(about, stream, code, reason, act):
    """act(h) ends one stream of its own, and no other."""
    mark = site.newest()
    with site.h2() as h:
        act(h)
        h.response(stream).expect_reset(code)
        alive(h)
        expect(h.goaways, [], about)
    site.row_after(mark, reason=reason)


def tolerated(about, act, **more):
    """act(h) does no harm: the same connection goes on."""
    with site.h2(**more) as h:
        act(h)
        answer = h.roundtrip().get("/a.txt")
        expect((answer.status, answer.content, h.goaways, h.ended), (200, b"hello", [], False), about)


# The beginning. RFC9113:3.4

@test()
def a_preface_that_is_none():
    for begun in (PREFACE[:-1] + b"X", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes(30), b"\x16\x03\x01" + bytes(30)):
        mark = site.newest()
        with tls(settings=None, preface=begun + frame(Type.SETTINGS), forgiving=True) as h:
            expect(h.goaway_code(), Error.PROTOCOL_ERROR, repr(begun))
            expect_true(h.closed(), "closed")
        site.row_after(mark, method="", reason="h2-preface-invalid")


@test()
def settings_come_first():
    for about, first in (("ping", frame(Type.PING, 0, 0, bytes(8))), ("ack", frame(Type.SETTINGS, Flag.ACK)),
                         ("headers", frame(Type.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, encode(GET))),
                         ("unknown", frame(0xbe))):
        mark = site.newest()
        with site.h2(settings=None, preface=PREFACE + first, forgiving=True) as h:
            expect(h.goaway_code(), Error.PROTOCOL_ERROR, about)
            expect_true(h.closed(), about)
        expect_in("SETTINGS expected", site.row_after(mark, method="", reason="h2-preface-invalid")["operand"], about)
    expect(site.rows(mark)[0]["reason"], "h2-preface-invalid")


@test()
def broken_first_settings_are_told_as_what_they_are():
    for code, reason, first in ((Error.FRAME_SIZE_ERROR, "h2-frame-size-wrong", frame(Type.SETTINGS, 0, 0, bytes(5))),
                                (Error.PROTOCOL_ERROR, "h2-frame-invalid", frame(Type.SETTINGS, 0, 1)),
                                (Error.PROTOCOL_ERROR, "h2-frame-invalid",
                                 frame(Type.SETTINGS, 0, 0, b"\0\2\0\0\0\2"))):
        connection_error("first", code, reason, lambda h, first=first: h.send(PREFACE + first), settings=None,
                         preface=b"")


@test()
def who_says_nothing_is_left():
    for preface in (b"", PREFACE[:10], PREFACE):
        with tls(settings=None, preface=preface, ack_settings=False) as h:
            began = time.monotonic()
            expect(h.goaway_code(), Error.NO_ERROR, repr(preface))
            expect_true(h.closed(1), "closed")
            expect_true(0.2 < time.monotonic() - began < 3, "after head_wait_ms")


@test()
def without_tls_another_beginning_is_http_1():
    with site.connect() as c:
        c.send(PREFACE[:-1] + b"X").response().expect(505, "version-not-supported")
    with site.connect() as c:
        c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)
        c.send(PREFACE + frame(Type.SETTINGS)).response().expect(505, "version-not-supported")
    plain.ask(PREFACE + frame(Type.SETTINGS)).expect(505, "version-not-supported")


@test()
def the_beginning_in_pieces():
    begun = PREFACE + frame(Type.SETTINGS) + frame(Type.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, encode(GET))
    for step in (1, 7, len(PREFACE), len(PREFACE) + 9):
        with site.h2(settings=None, preface=b"", ack_settings=False) as h:
            for at in range(0, len(begun), step):
                h.send(begun[at:at + step])
                if at < 60:
                    time.sleep(0.001)
            h._unacked.append({})  # pylint: disable=protected-access # SETTINGS sent by hand
            expect(h.response(1).expect(200).content, b"hello", f"{step} bytes at once")


@test()
def what_the_server_says_first():
    with site.h2(ack_settings=False, preface=PREFACE) as h:
        said = h.settings_of_server
        expect((said[Setting.MAX_CONCURRENT_STREAMS], said[Setting.INITIAL_WINDOW_SIZE]), (10, WINDOW))
        expect((said[Setting.ENABLE_CONNECT_PROTOCOL], said[Setting.NO_OLD_PRIORITIES]), (1, 1))
        expect_true(Setting.ENABLE_PUSH not in said and said[Setting.MAX_HEADER_LIST_SIZE] == 32768, said)
        expect(int.from_bytes(h.wait_for(Type.WINDOW_UPDATE, stream=0).payload, "big"), CONNECTION - WINDOW)
        alive(h)
        expect(h.settings_acks, 1)
        h.settings().settings({Setting.ENABLE_PUSH: 0}).roundtrip()
        expect(h.settings_acks, 3)


# Frames that break a rule. RFC9113:4.2, RFC9113:5.1, RFC9113:6

@test(seconds=30)
def frames_of_a_wrong_length():
    def put(h):
        return h.headers(1, PUT, end_stream=False)

    for about, act in (
            ("SETTINGS of 5", lambda h: h.frame(Type.SETTINGS, 0, 0, bytes(5))),
            ("SETTINGS of 7", lambda h: h.frame(Type.SETTINGS, 0, 0, bytes(7))),
            ("acknowledgement with payload", lambda h: h.frame(Type.SETTINGS, Flag.ACK, 0, bytes(6))),
            ("PING of 7", lambda h: h.frame(Type.PING, 0, 0, bytes(7))),
            ("PING of 9", lambda h: h.frame(Type.PING, 0, 0, bytes(9))),
            ("PRIORITY of 4", lambda h: h.frame(Type.PRIORITY, 0, 1, bytes(4))),
            ("PRIORITY of 6", lambda h: h.frame(Type.PRIORITY, 0, 1, bytes(6))),
            ("RST_STREAM of 3", lambda h: put(h).frame(Type.RST_STREAM, 0, 1, bytes(3))),
            ("RST_STREAM of 5", lambda h: put(h).frame(Type.RST_STREAM, 0, 1, bytes(5))),
            ("WINDOW_UPDATE of 3", lambda h: h.frame(Type.WINDOW_UPDATE, 0, 0, bytes(3))),
            ("WINDOW_UPDATE of 5", lambda h: put(h).frame(Type.WINDOW_UPDATE, 0, 1, bytes(5))),
            ("GOAWAY of 7", lambda h: h.frame(Type.GOAWAY, 0, 0, bytes(7))),
            ("HEADERS too short for priority", lambda h: h.frame(Type.HEADERS, 0x25, 1, bytes(4))),
            ("PRIORITY_UPDATE of 3", lambda h: h.frame(Type.PRIORITY_UPDATE, 0, 0, bytes(3))),
            ("DATA over the limit", lambda h: put(h).data(1, bytes(FRAME + 1))),
            ("HEADERS over the limit", lambda h: h.frame(Type.HEADERS, 5, 1, bytes(FRAME + 1))),
            ("SETTINGS over the limit", lambda h: h.frame(Type.SETTINGS, 0, 0, bytes(FRAME + 2))),
            ("unknown over the limit", lambda h: h.frame(99, 0, 0, bytes(FRAME + 1))),
            ("a length that is a lie", lambda h: h.frame(99, 0, 0, b"", length=0xffffff))):
        connection_error(about, Error.FRAME_SIZE_ERROR, "h2-frame-size-wrong", act)


@test(seconds=30)
def frames_on_streams_where_they_cannot_be():
    for about, act in (
            ("DATA on 0", lambda h: h.data(0, b"x")),
            ("HEADERS on 0", lambda h: h.headers(0, GET)),
            ("PRIORITY on 0", lambda h: h.frame(Type.PRIORITY, 0, 0, bytes(5))),
            ("RST_STREAM on 0", lambda h: h.rst(0)),
            ("CONTINUATION on 0", lambda h: h.continuation(0, b"")),
            ("SETTINGS on 1", lambda h: h.frame(Type.SETTINGS, 0, 1)),
            ("PING on 1", lambda h: h.frame(Type.PING, 0, 1, bytes(8))),
            ("GOAWAY on 1", lambda h: h.frame(Type.GOAWAY, 0, 1, bytes(8))),
            ("PRIORITY_UPDATE on 1", lambda h: h.frame(Type.PRIORITY_UPDATE, 0, 1, b"\0\0\0\1u=1")),
            ("PRIORITY_UPDATE about 0", lambda h: h.priority_update(0, "u=1")),
            ("PRIORITY_UPDATE about a push", lambda h: h.priority_update(2, "u=1")),
            ("PUSH_PROMISE on 1", lambda h: h.headers(1, PUT, False)
             .frame(Type.PUSH_PROMISE, 4, 1, b"\0\0\0\2" + encode(GET))),
            ("PUSH_PROMISE on an idle one", lambda h: h.frame(Type.PUSH_PROMISE, 4, 1, b"\0\0\0\2"))):
        connection_error(about, Error.PROTOCOL_ERROR, "h2-frame-invalid", act)


@test(seconds=30)
def frames_on_idle_streams():
    for about, act in (("DATA", lambda h: h.data(1, b"x")), ("RST_STREAM", lambda h: h.rst(1)),
                       ("WINDOW_UPDATE", lambda h: h.window(1, 10)), ("CONTINUATION", lambda h: h.continuation(1, b"")),
                       ("DATA on an even one", lambda h: h.data(2, b"x")),
                       ("WINDOW_UPDATE on an even one", lambda h: h.window(2, 9)),
                       ("DATA behind those that are open", lambda h: h.headers(5, PUT, False).data(7, b"x"))):
        connection_error(about, Error.PROTOCOL_ERROR, "h2-frame-invalid", act)


@test()
def numbers_of_streams():
    for about, act in (("even", lambda h: h.headers(2, GET)),
                       ("lower than one before", lambda h: h.headers(5, GET).headers(3, GET)),
                       ("lower, beside one that is open", lambda h: h.headers(9, PUT, False).headers(1, GET)),
                       ("lower, after more", lambda h: h.headers(7, GET).headers(9, GET).headers(11, GET)
                        .headers(5, GET))):
        connection_error(about, Error.PROTOCOL_ERROR, "h2-frame-invalid", act)

    def odd(h):
        h.headers(101, GET)
        expect(h.response(101).expect(200).content, b"hello")
        h.headers(103, GET).headers(0x7ffffffd, GET)
        h.response(0x7ffffffd).expect(200)
        expect(h.response(103).content, b"hello")

    with site.h2() as h:
        odd(h)
        h.headers(0x7fffffff, GET)
        h.response(0x7fffffff).expect(200)
        h.roundtrip()


@test()
def streams_that_the_client_has_ended():
    for about, act in (("DATA", lambda h: h.headers(1, DOWN).data(1, b"x")),
                       ("HEADERS", lambda h: h.headers(1, DOWN).headers(1, GET)),
                       ("DATA after DATA", lambda h: h.headers(1, REFUSED, False).data(1, b"x", end_stream=True)
                        .data(1, b"y"))):
        connection_error(about, Error.STREAM_CLOSED, "h2-stream-closed", act, credit=False,
                         settings={Setting.INITIAL_WINDOW_SIZE: 0})
    connection_error("CONTINUATION", Error.PROTOCOL_ERROR, "h2-frame-invalid",
                     lambda h: h.headers(1, DOWN).continuation(1, b""))


@test()
def closed_streams_hear_what_was_on_its_way():
    def after_the_end(h):
        h.headers(1, GET)
        h.response(1).expect(200)
        h.window(1, 10).rst(1).priority(1).priority_update(1, "u=1")

    def after_our_reset(h):
        h.headers(1, REFUSED, end_stream=False)
        h.response(1).expect(405, "method-not-allowed")
        expect(h.wait_for(Type.RST_STREAM, stream=1).error, Error.NO_ERROR)
        h.data(1, b"late").window(1, 10).headers(1, [("x", "y")]).rst(1)

    def after_theirs(h):
        h.headers(1, PUT, end_stream=False).rst(1).window(1, 10).rst(1).priority(1)

    tolerated("after the end", after_the_end)
    tolerated("after the server's reset", after_our_reset)
    tolerated("after the client's reset", after_theirs)


@test()
def data_on_a_closed_stream_counts_on_the_connection():
    with site.h2() as h:
        h.headers(1, REFUSED, end_stream=False)
        h.response(1).expect(405)
        for _ in range(30):
            h.data(1, bytes(10000))
            h.roundtrip()
        credited = sum(int.from_bytes(f.payload, "big") for f in h.seen
                       if f.type == Type.WINDOW_UPDATE and f.stream == 0)
        expect_true(credited > 300000 - CONNECTION // 2, f"{credited} bytes")
        h.ask("PUT", "/up", b"u" * 200000).expect(201)


@test(seconds=20)
def field_blocks_that_are_interrupted():
    for about, act in (
            ("PING", lambda h: h.ping()), ("HEADERS of another", lambda h: h.headers(3, GET)),
            ("DATA", lambda h: h.data(1, b"x")), ("SETTINGS", lambda h: h.settings()),
            ("CONTINUATION of another", lambda h: h.continuation(3, b"")),
            ("RST_STREAM", lambda h: h.rst(1)), ("WINDOW_UPDATE", lambda h: h.window(0, 1)),
            ("PRIORITY", lambda h: h.priority(1)), ("GOAWAY", lambda h: h.goaway()),
            ("PUSH_PROMISE", lambda h: h.frame(Type.PUSH_PROMISE, 4, 1, bytes(4))),
            ("unknown", lambda h: h.frame(99)), ("PRIORITY_UPDATE", lambda h: h.priority_update(1, "u=1"))):
        connection_error(about, Error.PROTOCOL_ERROR, "h2-frame-invalid",
                         lambda h, act=act: act(h.headers(1, PUT, False, end_headers=False)))
    connection_error("in the trailers", Error.PROTOCOL_ERROR, "h2-frame-invalid",
                     lambda h: h.headers(1, PUT, False).headers(1, [("x", "y")], end_headers=False).ping())


@test()
def continuation_without_a_beginning():
    for about, act in (("idle", lambda h: h.continuation(1, encode(GET))),
                       ("after END_HEADERS", lambda h: h.headers(1, PUT, False).continuation(1, b"")),
                       ("after CONTINUATION", lambda h: h.headers(1, PUT, False, end_headers=False)
                        .continuation(1, b"").continuation(1, b"")),
                       ("after DATA", lambda h: h.headers(1, PUT, False).data(1, b"x").continuation(1, b""))):
        connection_error(about, Error.PROTOCOL_ERROR, "h2-frame-invalid", act)


@test()
def field_blocks_in_pieces():
    block = encode(GET)
    for step in (1, 5, len(block) - 1):
        with site.h2() as h:
            h.headers(1, block[:step], end_headers=False)
            for at in range(step, len(block), step) if step > 1 else ():
                h.continuation(1, block[at:at + step], at + step >= len(block))
            if step == 1:
                for part, end in ((b"", False), (block[1:2], False), (b"", False), (block[2:], False), (b"", True)):
                    h.continuation(1, part, end)
            expect(h.response(1).expect(200).content, b"hello")
    with site.h2() as h:
        h.headers(1, PUT, False).data(1, b"new").headers(1, encode([("x-t", "1")])[:2], end_headers=False)
        h.continuation(1, encode([("x-t", "1")])[2:])
        expect_in(h.response(1).status, (201, 204))


@test()
def padding():
    def put(h):
        return h.headers(1, PUT, end_stream=False)

    for about, act in (("DATA", lambda h: put(h).frame(Type.DATA, Flag.PADDED, 1, b"\x05ab")),
                       ("DATA, one too many", lambda h: put(h).frame(Type.DATA, Flag.PADDED, 1, b"\x03ab")),
                       ("DATA without length", lambda h: put(h).frame(Type.DATA, Flag.PADDED, 1, b"")),
                       ("HEADERS", lambda h: h.frame(Type.HEADERS, Flag.PADDED | 5, 1, b"\x05ab")),
                       ("HEADERS with priority", lambda h: h.frame(Type.HEADERS, 0x2d, 1, b"\x03" + bytes(5) + b"ab"))):
        connection_error(about, Error.PROTOCOL_ERROR, "h2-frame-invalid", act)
    with site.h2() as h:
        h.headers(1, PUT, end_stream=False, pad=255).data(1, b"ab", pad=0).data(1, b"", pad=200)
        h.data(1, b"cd", end_stream=True, pad=255)
        expect_in(h.response(1).status, (201, 204))
        expect(h.get("/new").content, b"abcd")
    expect((site.root / "new").read_bytes(), b"abcd")


@test()
def padding_is_credited_though_nobody_reads_it():
    with site.h2() as h:
        h.headers(1, h2_request("PUT", "/padded"), end_stream=False)
        for _ in range(3 * WINDOW // 256):
            h.data(1, b"", pad=255)
            if h._send_window < 1000 or h.streams[1].send_window < 1000:  # pylint: disable=protected-access
                h.roundtrip()
        h.data(1, b"x", end_stream=True, pad=255)
        h.response(1).expect(201, "created")
    expect((site.root / "padded").read_bytes(), b"x")


# What is allowed, or to be ignored. RFC9113:4.1, RFC9113:5.5

@test(seconds=20)
def what_nobody_needs_is_ignored():
    for about, act in (
            ("unknown types", lambda h: h.frame(99, 0xff, 0, b"xx").frame(0xbe, 0, 1, b"").frame(0xff, 4, 0x7fffffff)),
            ("the longest", lambda h: h.frame(99, 0, 0, bytes(FRAME))),
            ("unknown on an open stream", lambda h: h.headers(1, PUT, False).frame(99, 1, 1, b"x").data(1, b"y", True)),
            ("ALTSVC and ORIGIN", lambda h: h.frame(Type.ALTSVC, 0, 0, bytes(4)).frame(Type.ORIGIN, 0, 0, b"\0\1a")),
            ("unknown flags", lambda h: h.frame(Type.PING, 0xfe, 0, bytes(8))
             .frame(Type.WINDOW_UPDATE, 0xff, 0, b"\0\0\1\0")),
            ("the reserved bit", lambda h: h.frame(Type.PING, 0, 0x80000000, bytes(8))
             .frame(Type.WINDOW_UPDATE, 0, 0, b"\x80\0\0\x01")),
            ("... of a request", lambda h: h.frame(Type.HEADERS, 5, 0x80000001, encode(GET))),
            ("unknown settings", lambda h: h.settings([(0, 1), (7, 1 << 31), (99, 0xffffffff)])),
            ("settings twice", lambda h: h.settings([(4, 5), (4, 65535), (4, 100000), (4, 65535)])),
            ("PRIORITY on an idle stream", lambda h: h.priority(7).priority(2).priority(9, 7, 256, True)),
            ("PRIORITY of a closed stream", lambda h: h.headers(1, GET).priority(1)),
            ("a PING that answers nothing", lambda h: h.ping(ack=True)),
            ("a priority that cannot be read", lambda h: h.headers(1, DOWN).priority_update(1, "u=,,")
             .priority_update(1, "")),
            ("a very long one", lambda h: h.priority_update(1, "u=1" + " " * 3000)),
            ("a priority before its stream", lambda h: h.priority_update(5, "u=1"))):
        tolerated(about, act)


@test()
def a_stream_that_depends_on_itself():
    tolerated("PRIORITY", lambda h: h.priority(1, 1))
    connection_error("HEADERS", Error.PROTOCOL_ERROR, "h2-frame-invalid",
                     lambda h: h.headers(1, GET, priority=(1, 16, False)))
    with site.h2() as h:
        expect(h.headers(1, GET, priority=(3, 256, True)).response(1).expect(200).content, b"hello")


# SETTINGS. RFC9113:6.5

@test(seconds=20)
def settings_out_of_range():
    for about, code, settings in (("push", Error.PROTOCOL_ERROR, [(2, 2)]),
                                  ("window", Error.FLOW_CONTROL_ERROR, [(4, 1 << 31)]),
                                  ("window", Error.FLOW_CONTROL_ERROR, [(4, 0xffffffff)]),
                                  ("frame size", Error.PROTOCOL_ERROR, [(5, 100)]),
                                  ("frame size", Error.PROTOCOL_ERROR, [(5, FRAME - 1)]),
                                  ("frame size", Error.PROTOCOL_ERROR, [(5, 1 << 24)]),
                                  ("connect", Error.PROTOCOL_ERROR, [(8, 2)]),
                                  ("priorities", Error.PROTOCOL_ERROR, [(9, 2)]),
                                  ("the last of them", Error.PROTOCOL_ERROR, [(3, 1), (4, 9), (2, 7)])):
        reason = "h2-frame-invalid" if code == Error.PROTOCOL_ERROR else "h2-flow-control-violated"
        connection_error(about, code, reason, lambda h, settings=settings: h.settings(settings))
    connection_error("priorities, later", Error.PROTOCOL_ERROR, "h2-frame-invalid", lambda h: h.settings([(9, 1)]))
    connection_error("an acknowledgement too many", Error.PROTOCOL_ERROR, "h2-frame-invalid",
                     lambda h: h.settings(ack=True).settings(ack=True))
    for settings in ([(2, 0)], [(2, 1)], [(4, 0x7fffffff)], [(4, 0), (4, WINDOW)], [(5, FRAME), (5, 0xffffff)],
                     [(3, 0)], [(6, 0)], [(8, 1)], [(1, 0xffffffff)], []):
        tolerated(settings, lambda h, settings=settings: h.settings(settings))


@test()
def frames_are_no_longer_than_the_client_takes():
    with site.h2() as h:
        expect(len(h.get("/big.bin").content), BIG)
        longest = max(f.length for f in h.seen if f.type == Type.DATA)
        expect_true(8192 <= longest <= FRAME, longest)
    with site.h2(settings={Setting.MAX_FRAME_SIZE: FRAME * 2, Setting.INITIAL_WINDOW_SIZE: 1 << 20}) as h:
        expect(len(h.get("/big.bin").content), BIG)


@test()
def the_table_of_the_client_may_be_small():
    for size in (0, 100, 1 << 20):
        with site.h2(settings={Setting.HEADER_TABLE_SIZE: size}) as h:
            for _ in range(3):
                alive(h)
            h.settings({Setting.HEADER_TABLE_SIZE: 50}).roundtrip()
            alive(h)
            h.settings({Setting.HEADER_TABLE_SIZE: 0}).settings({Setting.HEADER_TABLE_SIZE: 4096}).roundtrip()
            alive(h)
            expect(h.get("/none").status, 404)


@test()
def heads_longer_than_a_frame_go_on_in_others():
    with long.h2() as h:
        for _ in range(3):
            r = h.get("/a.txt").expect(200)
            for name, value in LONG.items():
                expect(r.get(name.lower()), value)
            expect(r.content, b"hello")


# Windows. RFC9113:5.2, RFC9113:6.9

@test()
def a_window_that_grows_by_nothing_or_too_much():
    connection_error("0 on the connection", Error.PROTOCOL_ERROR, "h2-frame-invalid", lambda h: h.window(0, 0))
    connection_error("0 on a stream", Error.PROTOCOL_ERROR, "h2-frame-invalid",
                     lambda h: h.headers(1, PUT, False).window(1, 0))
    connection_error("the connection's", Error.FLOW_CONTROL_ERROR, "h2-flow-control-violated",
                     lambda h: h.window(0, 0x7fffffff))
    connection_error("... in two steps", Error.FLOW_CONTROL_ERROR, "h2-flow-control-violated",
                     lambda h: h.window(0, 0x40000000).window(0, 0x3fffffff))
    stream_error("a stream's", 1, Error.FLOW_CONTROL_ERROR, "h2-flow-control-violated",
                 lambda h: h.headers(1, PUT, False).window(1, 0x7fffffff))
    stream_error("a stream's by SETTINGS", 1, Error.FLOW_CONTROL_ERROR, "h2-flow-control-violated",
                 lambda h: h.headers(1, PUT, False).window(1, 0x7ffeffff).settings([(4, 0x7fffffff)]))
    tolerated("as far as it goes", lambda h: h.window(0, 0x7fffffff - WINDOW).headers(1, PUT, False)
              .window(1, 0x7fffffff - WINDOW).data(1, b"x", end_stream=True))


@test()
def more_content_than_the_window():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}) as h:      # the answer waits, and the content for it
        h.headers(1, REFUSED, end_stream=False)
        for _ in range(3):
            h.data(1, bytes(FRAME))
        h.data(1, bytes(FRAME - 1)).roundtrip()
        expect(h.head(1).expect(405, "method-not-allowed").reset, None)
        h.data(1, b"x")
        told = h.response(1).expect_reset(Error.FLOW_CONTROL_ERROR)
        alive(h.settings({Setting.INITIAL_WINDOW_SIZE: WINDOW}))
        expect(site.recorded(told)["broken"], "h2-flow-control-violated")


@test()
def more_content_than_the_window_of_the_connection():
    def flood(h):
        h.headers(1, REFUSED, end_stream=False).headers(3, REFUSED, end_stream=False)
        for stream in (1, 3):
            for _ in range(3):
                h.data(stream, bytes(FRAME))
        h.data(1, bytes(CONNECTION - 6 * FRAME)).roundtrip()
        expect((h.head(1).reset, h.head(3).reset, h.goaways), (None, None, []))
        h.data(3, b"x")

    connection_error("all streams", Error.FLOW_CONTROL_ERROR, "h2-flow-control-violated", flood,
                     settings={Setting.INITIAL_WINDOW_SIZE: 0})


@test()
def an_empty_data_frame_needs_no_window():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}) as h:
        h.headers(1, h2_request("PUT", "/empty"), end_stream=False).data(1, b"", end_stream=True)
        h.head(1).expect(201)
        h.window(1, 1000)
        expect(h.response(1).ended, True)
        h.headers(3, h2_request("HEAD", "/big.bin"))
        expect(h.response(3).expect(200).get("content-length"), str(BIG))


def stands_at(h, stream, count):
    """So much of the content comes, and no more."""
    answer = h.streams[stream].response
    while len(answer.content) < count:
        expect_true(h.next_frame() is not None, "the connection goes on")
    h.roundtrip().expect_quiet(0.05)
    expect(len(answer.content), count)


@test()
def windows_bound_the_response():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 1}, credit=False) as h:
        h.headers(1, DOWN)
        stands_at(h, 1, 1)
        h.window(1, 10)
        stands_at(h, 1, 11)
        h.window(1, WINDOW)
        stands_at(h, 1, WINDOW)                 # that of the connection is used up
        h.window(0, 1)
        stands_at(h, 1, WINDOW + 1)
        h.window(0, BIG)
        stands_at(h, 1, WINDOW + 11)
        h.window(1, BIG)
        expect(len(h.response(1).content), BIG)


@test()
def a_changed_initial_window_applies_to_open_streams():
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}, credit=False) as h:
        h.window(0, 1 << 20).headers(1, DOWN).headers(3, DOWN)
        expect((h.head(1).status, h.head(3).status), (200, 200))
        stands_at(h, 1, 0)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 100})
        stands_at(h, 1, 100)
        stands_at(h, 3, 100)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 40}).window(1, 59)
        stands_at(h, 1, 100)                    # 40 + 59 - 100 is below nothing
        h.window(1, 1)
        stands_at(h, 1, 100)
        h.window(1, 1)
        stands_at(h, 1, 101)
        h.settings({Setting.INITIAL_WINDOW_SIZE: 141})
        stands_at(h, 1, 202)
        stands_at(h, 3, 141)
        h.settings({Setting.INITIAL_WINDOW_SIZE: BIG})
        expect((len(h.response(1).content), len(h.response(3).content)), (BIG, BIG))


# Field compression. RFC9113:4.3, RFC 7541

@test(seconds=20)
def field_blocks_that_cannot_be_decoded():
    block = encode(GET)
    for about, broken in (
            ("index 0", indexed(0)), ("an index behind the tables", indexed(62)), ("far behind", indexed(20000)),
            ("a name behind the tables", literal(70, "x")), ("a size change at the end", block + table_size(0)),
            ("in between", encode(GET[:2]) + table_size(10) + encode(GET[2:])),
            ("more than was allowed", table_size(4097) + block), ("far more", table_size(1 << 20) + block),
            ("the end of the Huffman code", block + b"\0\1x" + string(b"\xff\xff\xff\xff", True)),
            ("Huffman padding of a byte", block + b"\0\1x" + string(b"\x1f\xff", True)),
            ("Huffman padding of zeros", block + b"\0\1x" + string(b"\x18", True)),
            ("a string cut short", block + b"\0\5ab"), ("a length cut short", block + b"\0\x7f"),
            ("an integer without end", b"\xff" + b"\xff" * 20 + b"\1"), ("a name alone", block + b"\x40"),
            ("an integer cut short", b"\xff\x80")):
        connection_error(about, Error.COMPRESSION_ERROR, "h2-field-block-broken",
                         lambda h, broken=broken: h.headers(1, broken))
    connection_error("trailers", Error.COMPRESSION_ERROR, "h2-field-block-broken",
                     lambda h: h.headers(1, PUT, False).headers(1, indexed(0)))
    connection_error("a block that nobody reads", Error.COMPRESSION_ERROR, "h2-field-block-broken",
                     lambda h: h.headers(1, PUT, False).rst(1).headers(1, indexed(0)))


@test()
def all_representations_are_decoded():
    get = [indexed(2), indexed(6), literal(4, "/a.txt", "added"), literal(1, "a", "never")]
    for about, fields in (("static and added", get), ("two changes of size", [table_size(0), table_size(4096)] + get),
                          ("small table", [table_size(0)] + get),
                          ("Huffman", get + [b"\0" + string(b"\xf3", True) + b"\1y"]),
                          ("a long integer", get + [b"\0\1x" + b"\x7f\x81\1" + b"v" * 256])):
        with site.h2() as h:
            expect(h.headers(1, encode(fields)).response(1).expect(200).content, b"hello", about)
            alive(h)
    with site.h2() as h:
        alive(h.headers(1, encode(get)))
        expect(h.response(1).status, 200)
        h.headers(5, encode([indexed(2), indexed(6), indexed(62), literal(1, "a")]))
        expect(h.response(5).expect(200).content, b"hello")
        h.headers(7, encode([table_size(0), indexed(2), indexed(6), literal(4, "/none"), literal(1, "a")]))
        h.response(7).expect(404)
        h.headers(9, encode([indexed(2), indexed(6), indexed(62), literal(1, "a")]))
        expect(h.goaway_code(), Error.COMPRESSION_ERROR)


@test()
def the_table_follows_blocks_that_nobody_reads():
    added = literal(4, "/a.txt", "added")
    request = encode([indexed(2), indexed(6), indexed(62), literal(1, "a")])

    def refused(h):                                  # one more than h2_streams, which the client has acknowledged
        for stream in range(1, 21, 2):
            h.headers(stream, h2_request("PUT", f"/{stream}"), end_stream=False)
        h.headers(21, encode([indexed(2), indexed(6), added, literal(1, "a")]))
        h.response(21).expect_reset(Error.REFUSED_STREAM)
        h.rst(1)
        return 23

    def closed(h):
        h.headers(1, PUT, end_stream=False).rst(1).headers(1, encode([literal("x", "y"), added]))
        return 3

    def malformed(h):
        h.headers(1, encode([("Bad", "x"), added])).headers(3, encode([("x", "y"), indexed(62)]))
        h.response(1).expect_reset(Error.PROTOCOL_ERROR)
        return 5

    for act in (refused, closed, malformed):
        with site.h2(ack_settings=False) as h:
            stream = act(h)
            expect(h.headers(stream, request).response(stream).expect(200).content, b"hello", act.__name__)


# PING and GOAWAY. RFC9113:6.7, RFC9113:6.8

@test()
def pings_are_answered_with_what_they_hold():
    with site.h2(credit=False) as h:
        h.headers(1, DOWN).ping(b"\0\1\2\3\xff\xfe\xfd\xfc").ping(b"another!")
        for payload in (b"\0\1\2\3\xff\xfe\xfd\xfc", b"another!"):
            expect(h.wait_for(Type.PING, flags=Flag.ACK).payload, payload)
        h.ping(b"ignored!", ack=True).roundtrip()
        expect(len([f for f in h.seen if f.type == Type.PING]), 3)


@test()
def a_client_that_says_goodbye_gets_the_rest():
    for code in (Error.NO_ERROR, Error.PROTOCOL_ERROR, 0xbad):
        with site.h2() as h:
            h.headers(1, DOWN).goaway(0, code, b"bye")
            expect(len(h.response(1).expect(200, "request-ok").content), BIG)
            expect_true(h.closed(), "closed after the last response")
    with site.h2() as h:
        h.goaway()
        expect_true(h.closed(), "closed at once")


@test()
def goaway_tells_the_last_stream():
    with site.h2(forgiving=True) as h:
        h.headers(1, GET).headers(5, PUT, end_stream=False)
        h.response(1)
        h.ping(b"short")
        expect(h.goaway_code(), Error.FRAME_SIZE_ERROR)
        expect(int.from_bytes(h.goaways[-1].payload[:4], "big"), 5)


@test()
def nothing_runs_when_all_is_over():
    total = None
    for _ in range(100):
        total = site.api("workers")["total"]
        if total["running"] == 0:
            break
        time.sleep(0.02)
    expect(total["running"], 0)
    with site.h2() as h:
        alive(h)
