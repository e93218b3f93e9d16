"""The harness's client of HTTP/2: what it sends, what it takes and what it refuses, against a peer of a few lines."""
import socket
import threading

from harness import (H2, Error, Flag, Malformed, Setting, Type, encode, expect, expect_in, expect_true, frame,
                     h2_request, indexed, integer, literal, string, table_size, test)
from harness.frames import PREFACE

END, HEAD = Flag.END_STREAM, Flag.END_HEADERS
SETTINGS = frame(Type.SETTINGS)
ACK = frame(Type.SETTINGS, Flag.ACK)


class Peer:
    """Sends `script` at once, then ends the connection, or reads it to its end: heard() has what came."""

    def __init__(self, script, ends=True):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.script, self.ends, self.bytes = script, ends, b""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        with self.listener, self.listener.accept()[0] as one:
            one.settimeout(5)
            one.sendall(self.script)
            if self.ends:
                one.shutdown(socket.SHUT_WR)
            while part := one.recv(65536):
                self.bytes += part

    def connect(self, **more):
        return H2(socket.create_connection(self.listener.getsockname()), **more)

    def heard(self):
        self.thread.join(5)
        return self.bytes


def served(*frames, ends=True, **more):
    return Peer(SETTINGS + b"".join(frames), ends).connect(**more)


def response(stream, status=200, fields=(), flags=HEAD):
    return frame(Type.HEADERS, flags, stream, encode([(":status", str(status)), *fields]))


# What is sent

@test()
def the_frames_that_are_sent():
    peer = Peer(b"")
    with peer.connect(settings={Setting.ENABLE_PUSH: 0}) as h:
        h.headers(1, [(":method", "GET")])
        h.headers(3, b"\x82", end_stream=False, end_headers=False, pad=2, priority=(1, 256, True))
        h.continuation(3, b"\x84").data(3, "ab").data(3, b"", end_stream=True, pad=1).rst(1, Error.CANCEL)
        h.ping(b"12345678").window(0, 5).goaway(3, Error.NO_ERROR, b"bye").settings(ack=True).priority(5, 3, 1)
        h.priority_update(7, "u=1").frame(0xbe, 0xef, 9, b"?", length=70000).send(b"raw")
    wanted = [PREFACE, "000006 04 00 00000000 000200000000", "00000d 01 05 00000001 00073a6d6574686f6403474554",
              "000009 01 28 00000003 02 80000001 ff 82 0000", "000001 09 04 00000003 84", "000002 00 00 00000003 6162",
              "000002 00 09 00000003 01 00", "000004 03 00 00000001 00000008", "000008 06 00 00000000 3132333435363738",
              "000004 08 00 00000000 00000005", "00000b 07 00 00000000 00000003 00000000 627965",
              "000000 04 01 00000000",
              "000005 02 00 00000005 00000003 00", "000007 10 00 00000000 00000007 753d31", "011170 be ef 00000009 3f",
              b"raw"]
    expect(peer.heard().hex(), b"".join(w if isinstance(w, bytes) else bytes.fromhex(w) for w in wanted).hex())


@test()
def nothing_is_sent_unasked():
    peer = Peer(b"")
    peer.connect(settings=None, preface=b"").close()
    expect(peer.heard(), b"")


@test()
def the_representations_of_fields():
    for made, wanted in ((indexed(2), "82"), (indexed(62), "be"), (indexed(200), "ff49"), (integer(1337, 5), "1f9a0a"),
                         (integer(31, 5), "1f00"), (literal("a", "b"), "0001610162"),
                         (literal("a", "b", "never"), "1001610162"), (literal(4, "/x", "added"), "44022f78"),
                         (literal(61, "x"), "0f2e0178"), (table_size(0), "20"),
                         (table_size(4096), "3fe11f"), (string(b"\x1f", huffman=True), "811f"),
                         (encode([indexed(2), ("x", "")]), "8200017800")):
        expect(made.hex(), wanted)
    expect(h2_request("GET", "/", scheme=None, fields=[("x", "y")]),
           [(":method", "GET"), (":path", "/"), (":authority", "a"), ("x", "y")])


@test()
def content_keeps_to_the_windows():
    small = frame(Type.SETTINGS, 0, 0, bytes.fromhex("0004 0000000a"))
    credit = frame(Type.WINDOW_UPDATE, 0, 1, b"\0\0\0\x05")
    peer = Peer(small + credit, ends=False)
    with peer.connect() as h:
        expect(h.settings_of_server, {Setting.INITIAL_WINDOW_SIZE: 10})
        h.headers(1, [], end_stream=False)
        try:
            h.content(1, b"x" * 20, seconds=0.2)
            raise AssertionError("more was sent than there was room for")
        except TimeoutError as said:
            expect_in("room to send", str(said))
        expect([f.length for f in h.seen], [6, 4])
    expect_true(peer.heard().endswith(frame(Type.DATA, 0, 1, b"x" * 10) + frame(Type.DATA, 0, 1, b"x" * 5)), "10 + 5")


@test()
def content_stops_when_the_stream_is_reset():
    with served(frame(Type.SETTINGS, 0, 0, bytes.fromhex("0004 00000002")),
                frame(Type.RST_STREAM, 0, 1, b"\0\0\0\0"), ends=False) as h:
        expect_true(len(h.settings_of_server) == 0 and h.next_frame().length == 6, "two frames of SETTINGS")
        stream = h.request("PUT", "/", b"12345")
        expect(h.response(stream).expect_reset(Error.NO_ERROR).ended, False)


# What is read

@test()
def a_response_in_many_frames():
    block = encode([(":status", "200"), ("content-length", "5"), ("a", "b"), ("a", "c")])
    with served(response(1, 103, [("link", "</x>")]), response(1, 100),
                frame(Type.HEADERS, Flag.PADDED, 1, b"\x02" + block[:4] + b"\0\0"),
                frame(Type.CONTINUATION, 0, 1, block[4:9]), frame(Type.CONTINUATION, HEAD, 1, block[9:]),
                frame(Type.DATA, Flag.PADDED, 1, b"\x03he\0\0\0"), frame(0xbe, 0xff, 1, b"unknown"),
                frame(Type.DATA, 0, 1, b"llo"), frame(Type.HEADERS, HEAD | END, 1, encode([("t", "u")]))) as h:
        expect((h.interim(1).get("Link"), h.interim(1).status), ("</x>", 100))
        got = h.response(1).expect(200)
        expect((got.content, got.trailers, got.all("A")), (b"hello", [("t", "u")], ["b", "c"]))
        expect((got.ended, got.reset), (True, None))
        expect([i.status for i in got.interim], [103, 100])
        expect([f.type for f in h.seen][-4:], [Type.DATA, 0xbe, Type.DATA, Type.HEADERS])
        expect_true(h.closed(), "closed")


@test()
def streams_are_told_apart():
    with served(response(3, 404), response(1), frame(Type.DATA, 0, 1, b"on"), frame(Type.DATA, END, 3, b"three"),
                frame(Type.DATA, END, 1, b"e"), frame(Type.RST_STREAM, 0, 1, b"\0\0\0\0"),
                frame(Type.RST_STREAM, 0, 5, b"\0\0\0\7"), frame(Type.RST_STREAM, 0, 7, b"\0\0\0\x63")) as h:
        expect((h.response(1).content, h.response(3).content), (b"one", b"three"))
        expect(h.wait_for(Type.RST_STREAM).error, Error.NO_ERROR)
        expect(h.wait_for(Type.RST_STREAM, stream=7).error, 99)
        expect(h.wait_for(Type.RST_STREAM).stream, 5)
        expect((h.response(1).ended, h.response(1).reset), (True, Error.NO_ERROR))
        h.response(5).expect_reset(Error.REFUSED_STREAM)
        silent = h.response(9)
        expect((silent.status, silent.ended, silent.reset), (None, False, None))


@test()
def content_is_taken_as_it_comes():
    with served(response(1), frame(Type.DATA, 0, 1, b"hel"), frame(Type.DATA, 0, 1, b"lo"), ends=False) as h:
        expect((h.head(1).status, h.take(1, 4), h.take(1, 1)), (200, b"hell", b"o"))
        h.expect_quiet(0.05)
        expect(h.closed(0.05), False)
        try:
            h.response(1, seconds=0.05)
            raise AssertionError("a response without an end")
        except TimeoutError as said:
            expect_in("the end of the response of stream 1", str(said))


@test()
def the_table_of_hpack_is_kept():
    with served(frame(Type.HEADERS, HEAD | END, 1, indexed(8) + literal("x", "y", "added")),
                frame(Type.HEADERS, HEAD | END, 3, indexed(13) + indexed(62))) as h:
        expect((h.response(1).get("x"), h.response(3).status, h.response(3).get("x")), ("y", 404, "y"))


@test()
def goaway_and_its_code():
    def goaway(last, code):
        return frame(Type.GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + b"why")

    with served(goaway(9, 0), goaway(7, 11)) as h:
        expect(h.goaway_code(), Error.NO_ERROR)
        expect_true(h.closed(), "closed")
        expect(h.goaway_code(), Error.ENHANCE_YOUR_CALM)
        expect(h.goaways[-1].payload[8:], b"why")
    with served() as h:
        expect(h.goaway_code(), None)
    refused("raises the last stream", goaway(7, 0), goaway(9, 0))


@test()
def acknowledgements_and_credit():
    big = frame(Type.DATA, 0, 1, bytes(16384))
    frames = (frame(Type.PING, 0, 0, b"12345678"), response(1), big, big, frame(Type.DATA, END, 1, b""))
    heads = {"settings": ACK, "ping": frame(Type.PING, Flag.ACK, 0, b"12345678"),
             "credit": frame(Type.WINDOW_UPDATE, 0, 0, b"\0\0\x80\0") + frame(Type.WINDOW_UPDATE, 0, 1, b"\0\0\x80\0")}
    for on in (True, False):
        peer = Peer(SETTINGS + b"".join(frames), ends=False)
        with peer.connect(ack_settings=on, ack_pings=on, credit=on) as h:
            expect(len(h.response(1).content), 32768)
        expect(peer.heard(), PREFACE + SETTINGS + (b"".join(heads.values()) if on else b""))


@test()
def roundtrips():
    ping = frame(Type.PING, Flag.ACK, 0, b"not this")
    with served(ping) as h:
        try:
            h.roundtrip()
            raise AssertionError("an answer that was none")
        except AssertionError as said:
            expect_in("ended before the answer", str(said))
    peer = Peer(SETTINGS, ends=False)
    with peer.connect(settings=None) as h:
        h.wait_for(Type.SETTINGS)
        try:
            h.roundtrip(seconds=0.05)
            raise AssertionError("no answer")
        except TimeoutError:
            pass


@test()
def settings_bind_the_server():
    refused("the window of the stream has 1 bytes", response(1), frame(Type.DATA, 0, 1, b"xy"),
            settings={Setting.INITIAL_WINDOW_SIZE: 1}, acked=True)
    refused("a frame of 16385", frame(Type.DATA, 0, 1, bytes(16385)))
    with served(response(1), frame(Type.DATA, END, 1, bytes(16385)), settings={Setting.MAX_FRAME_SIZE: 20000}) as h:
        expect(len(h.response(1).content), 16385)
    with served(ACK, response(1), frame(Type.DATA, END, 1, b"xy"), settings={Setting.INITIAL_WINDOW_SIZE: 1}) as h:
        h.window(1, 1)  # a stream that is not open on our side yet
        h.headers(1, []).window(1, 1)
        expect(h.response(1).content, b"xy")


def refused(words, *frames, acked=False, **more):
    try:
        with served(*([ACK] if acked else []), *frames, **more) as h:
            h.closed()
    except Malformed as said:
        expect_in(words, str(said))
        return
    raise AssertionError(f"taken: {frames}")


@test()
def broken_frames_are_refused():
    for words, frames in (
            ("field block", [frame(Type.HEADERS, 0, 1, b"\x88"), frame(Type.PING, 0, 0, bytes(8))]),
            ("field block", [frame(Type.HEADERS, 0, 1, b"\x88"), frame(Type.CONTINUATION, HEAD, 3, b"")]),
            ("outside a field block", [frame(Type.CONTINUATION, HEAD, 1, b"")]),
            ("wrong length", [frame(Type.PING, 0, 0, bytes(7))]),
            ("wrong length", [frame(Type.SETTINGS, 0, 0, bytes(5))]),
            ("wrong length", [frame(Type.SETTINGS, Flag.ACK, 0, bytes(6))]),
            ("wrong length", [frame(Type.GOAWAY, 0, 0, bytes(7))]),
            ("cannot be on", [frame(Type.SETTINGS, 0, 1)]),
            ("cannot be on", [frame(Type.DATA, 0, 0)]),
            ("cannot be on", [frame(Type.HEADERS, HEAD, 2, b"\x88")]),
            ("from a server", [frame(Type.PUSH_PROMISE, HEAD, 1, bytes(4))]),
            ("padding longer", [response(1), frame(Type.DATA, Flag.PADDED, 1, b"\x04abc")]),
            ("not zero", [response(1), frame(Type.DATA, Flag.PADDED, 1, b"\x01ab")]),
            ("were not sent", [ACK, ACK]),
            ("the server set", [frame(Type.SETTINGS, 0, 0, bytes.fromhex("0002 00000001"))]),
            ("0 more than", [frame(Type.WINDOW_UPDATE, 0, 0, bytes(4))]),
            ("more than 65535", [frame(Type.WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff")]),
            ("the window of the stream has 16383", [response(1)] + [frame(Type.DATA, 0, 1, bytes(16384))] * 4),
            ("HPACK", [frame(Type.HEADERS, HEAD, 1, b"\x80")]),
            ("within a frame", [SETTINGS[:5]])):
        refused(words, *frames, credit=False)
    with Peer(frame(Type.PING, 0, 0, bytes(8))).connect() as h:
        try:
            h.closed()
        except Malformed as said:
            expect_in("the first frame", str(said))
            return
    raise AssertionError("taken: a connection without SETTINGS")


@test()
def broken_responses_are_refused():
    def head(*fields, flags=HEAD):
        return frame(Type.HEADERS, flags, 1, encode(fields))

    ok = (":status", "200")
    for words, frames in (
            ("does not begin with :status", [head(("a", "b"))]),
            ("does not begin with :status", [head((":status", "0200"))]),
            ("field ':status'", [head(ok, ok)]),
            ("field 'A'", [head(ok, ("A", "b"))]),
            ("field 'a'", [head(ok, ("a", " b"))]),
            ("field 'a'", [head(ok, ("a", "b\nc"))]),
            ("belongs to a connection", [head(ok, ("transfer-encoding", "chunked"))]),
            ("101", [head((":status", "101"))]),
            ("100 that ends", [head((":status", "100"), flags=HEAD | END)]),
            ("DATA before the head", [frame(Type.DATA, 0, 1, b"x")]),
            ("trailers without END_STREAM", [head(ok), head(("a", "b"))]),
            ("trailers: field ':status'", [head(ok), head(ok, flags=HEAD | END)]),
            ("after END_STREAM", [head(ok, flags=HEAD | END), frame(Type.DATA, 0, 1, b"x")]),
            ("after RST_STREAM", [head(ok), frame(Type.RST_STREAM, 0, 1, bytes(4)), frame(Type.DATA, 0, 1, b"x")]),
            ("content-length 3", [head(ok, ("content-length", "3")), frame(Type.DATA, END, 1, b"x")]),
            ("content in 304", [head((":status", "304")), frame(Type.DATA, END, 1, b"x")])):
        refused(words, *frames)
    with served(response(1, 200, [("content-length", "9")], HEAD | END)) as h:
        h.headers(1, h2_request("HEAD", "/"))
        expect((h.response(1).status, h.response(1).content), (200, b""))


@test()
def a_flood_does_not_end_the_test():
    listener = socket.create_server(("127.0.0.1", 0))
    with H2(socket.create_connection(listener.getsockname()), forgiving=True) as h:
        one = listener.accept()[0]
        one.close()
        listener.close()
        for _ in range(100):
            h.ping()
        expect((h.broken, h.closed(), h.goaway_code()), (True, True, None))
