"""A client of HTTP/2 that sends what it is told and believes nothing: every frame of the server is checked. RFC 9113"""
import os
import sys
import time

from .frames import (FRAME_HEAD_BYTES, PREFACE, Error, Flag, Frame, Setting, Type, encode, frame, h2_request, named,
                     octets, padded, priority_field, settings_payload)
from .h2_stream import H2Response
from .wire import WAIT_SECONDS, Connection, Malformed

WINDOW_BYTES = 65535
WINDOW_MOST = 0x7fffffff
FRAME_BYTES = 16384
LIST_BYTES = 1 << 20  # of a decoded field section: as much as any test wants
LENGTHS = {Type.PRIORITY: (5, 5), Type.RST_STREAM: (4, 4), Type.PING: (8, 8), Type.GOAWAY: (8, None),
           Type.WINDOW_UPDATE: (4, 4)}
ON_CONNECTION = (Type.SETTINGS, Type.PING, Type.GOAWAY)
ON_STREAM = (Type.DATA, Type.HEADERS, Type.PRIORITY, Type.RST_STREAM, Type.CONTINUATION)


def decoder():
    """HPACK of python3-hpack; a Python beside Debian's own takes it from where Debian puts it."""
    try:
        from hpack import Decoder  # pylint: disable=import-outside-toplevel
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")
        from hpack import Decoder  # pylint: disable=import-outside-toplevel
    return Decoder(max_header_list_size=LIST_BYTES)


class Stream:
    """Our side of a stream: windows in bytes, and the response."""

    def __init__(self, number, method, send_window, receive_window):
        self.response = H2Response(number, method)
        self.send_window = send_window
        self.receive_window = receive_window
        self.owed = 0
        self.interims_given = 0


class H2:
    """One connection of HTTP/2, on a Connection, a TlsConnection or a socket.

    settings      {Setting: value}, or pairs, of our first SETTINGS frame; None: none is sent
    preface       what the connection begins with; b"": nothing
    ack_settings, ack_pings, credit   answer SETTINGS and PING, give WINDOW_UPDATE; may be changed at any time
    forgiving     sending to a connection that the server has ended is no error; sets .broken
    wait_seconds  how long each call may wait for the server, unless it is told otherwise (seconds=)

    A call that waits for longer raises TimeoutError, a server that breaks the protocol Malformed. seen holds all frames
    that came (those of DATA without payload), goaways those of GOAWAY.
    """

    def __init__(self, connection, settings=(), preface=PREFACE, ack_settings=True, ack_pings=True, credit=True,
                 forgiving=False, wait_seconds=WAIT_SECONDS):
        self.connection = connection if isinstance(connection, Connection) else Connection.over(connection)
        self.ack_settings, self.ack_pings, self.credit = ack_settings, ack_pings, credit
        self.forgiving, self.broken = forgiving, False
        self.wait_seconds = wait_seconds
        self.decoder = decoder()
        self.streams, self.next_stream = {}, 1
        self.seen, self.goaways, self.settings_acks = [], [], 0
        self.ended = False
        self._send_window, self._receive_window, self._owed = WINDOW_BYTES, WINDOW_BYTES, 0
        self._own = {Setting.INITIAL_WINDOW_SIZE: WINDOW_BYTES, Setting.MAX_FRAME_SIZE: FRAME_BYTES,
                     Setting.HEADER_TABLE_SIZE: 4096}
        self._unacked = []
        self._server = {}
        self._block = None
        self._turn = {Type.DATA: self._take_data, Type.HEADERS: self._take_headers, Type.SETTINGS: self._take_settings,
                      Type.RST_STREAM: self._take_reset, Type.PING: self._take_ping, Type.GOAWAY: self._take_goaway,
                      Type.WINDOW_UPDATE: self._take_window, Type.CONTINUATION: self._take_continuation,
                      Type.PUSH_PROMISE: self._refuse, Type.PRIORITY_UPDATE: self._refuse}
        self.send(preface)
        if settings is not None:
            self.settings(settings)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.connection.close()

    # Sending frames. Each returns self; none looks at windows or limits, or at what came before.

    def send(self, data):
        """Bytes as they are."""
        self.connection.socket.settimeout(self.wait_seconds)
        try:
            self.connection.send(data)
        except OSError:
            if not self.forgiving:
                raise
            self.broken = True
        return self

    def frame(self, kind, flags=0, stream=0, payload=b"", length=None):
        """length: a lie about the length of the payload."""
        return self.send(frame(kind, flags, stream, payload, length))

    def headers(self, stream, fields, end_stream=True, end_headers=True, pad=None, priority=None):
        """fields: pairs, or bytes of a block (encode() makes them); pad: so many bytes; priority: (depends_on, weight,
        exclusive)."""
        block = fields if isinstance(fields, bytes) else encode(fields)
        pairs = [] if isinstance(fields, bytes) else [pair for pair in fields if not isinstance(pair, bytes)]
        self._open(stream, dict(pairs).get(":method"))
        flags = (Flag.END_STREAM if end_stream else 0) | (Flag.END_HEADERS if end_headers else 0)
        flags |= (Flag.PADDED if pad is not None else 0) | (Flag.PRIORITY if priority is not None else 0)
        if priority is not None:
            block = priority_field(*priority) + block
        return self.frame(Type.HEADERS, flags, stream, padded(block, pad))

    def continuation(self, stream, block, end_headers=True):
        return self.frame(Type.CONTINUATION, Flag.END_HEADERS if end_headers else 0, stream, block)

    def data(self, stream, data=b"", end_stream=False, pad=None):
        flags = (Flag.END_STREAM if end_stream else 0) | (Flag.PADDED if pad is not None else 0)
        payload = padded(octets(data), pad)
        self._send_window -= len(payload)
        if stream in self.streams:
            self.streams[stream].send_window -= len(payload)
        return self.frame(Type.DATA, flags, stream, payload)

    def rst(self, stream, code=Error.CANCEL):
        return self.frame(Type.RST_STREAM, 0, stream, code.to_bytes(4, "big"))

    def ping(self, payload=b"verdict!", ack=False):
        return self.frame(Type.PING, Flag.ACK if ack else 0, 0, payload)

    def window(self, stream, increment):
        """WINDOW_UPDATE; stream 0 is the connection."""
        if stream == 0:
            self._receive_window += increment
        elif stream in self.streams:
            self.streams[stream].receive_window += increment
        return self.frame(Type.WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))

    def goaway(self, last=0, code=Error.NO_ERROR, debug=b""):
        return self.frame(Type.GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + debug)

    def settings(self, settings=(), ack=False):
        """What allows the server more counts at once, what allows it less when it has acknowledged it."""
        if not ack:
            values = dict(settings)
            self._allow({k: v for k, v in values.items() if v >= self._own.get(k, 0)})
            self._unacked.append(values)
        return self.frame(Type.SETTINGS, Flag.ACK if ack else 0, 0, settings_payload(settings))

    def priority(self, stream, depends_on=0, weight=16, exclusive=False):
        return self.frame(Type.PRIORITY, 0, stream, priority_field(depends_on, weight, exclusive))

    def priority_update(self, stream, value):
        """value: "u=1, i". RFC9218:7.1"""
        return self.frame(Type.PRIORITY_UPDATE, 0, 0, stream.to_bytes(4, "big") + octets(value))

    # Whole requests

    def request(self, method, path, content=None, end_stream=True, authority="a", fields=(), protocol=None):
        """Sends a request on the next stream, with its content; returns the stream's number."""
        stream = self.next_stream
        pairs = h2_request(method, path, authority, "https" if self.connection.secure else "http", fields, protocol)
        if content is not None:
            pairs.append(("content-length", str(len(content))))
        block = encode(pairs)
        ends = end_stream and not content
        self._open(stream, method)
        self.headers(stream, block[:FRAME_BYTES], ends, len(block) <= FRAME_BYTES)
        for at in range(FRAME_BYTES, len(block), FRAME_BYTES):
            self.continuation(stream, block[at:at + FRAME_BYTES], at + FRAME_BYTES >= len(block))
        if content:
            self.content(stream, content, end_stream)
        return stream

    def ask(self, method, path, content=None, seconds=None, **more):
        """The response to request(method, path, content, **more)."""
        return self.response(self.request(method, path, content, **more), seconds)

    def get(self, path, **more):
        return self.ask("GET", path, **more)

    def content(self, stream, data, end_stream=True, seconds=None):
        """Sends DATA within the server's windows and frame size, waiting for more room where there is none. Returns the
        bytes sent: fewer when the server has reset the stream or ended the connection."""
        until, at = self._deadline(seconds), 0
        one = self.streams[stream]
        while at < len(data) and one.response.reset is None:
            room = min(self._send_window, one.send_window, self._server.get(Setting.MAX_FRAME_SIZE, FRAME_BYTES))
            if room > 0:
                part = data[at:at + room]
                at += len(part)
                self.data(stream, part, end_stream and at == len(data))
            elif not self._advance(until, f"room to send on stream {stream}"):
                break
        return at

    # Reading

    def next_frame(self, seconds=None):
        """The next frame of the server, acted upon; None: the server has ended the connection."""
        one = self._next(self._deadline(seconds), "a frame")
        if one is not None:
            self.seen[-1].taken = True
        return one

    def wait_for(self, kind, stream=None, flags=0, seconds=None):
        """The first frame of this type (on this stream, with these flags) that neither wait_for() nor next_frame() has
        given so far, whether it came already or is still to come."""
        until = self._deadline(seconds)
        at = 0
        while True:
            for one in self.seen[at:]:
                if not one.taken and one.type == kind and stream in (None, one.stream) and one.flags & flags == flags:
                    one.taken = True
                    return one
            at = len(self.seen)
            if not self._advance(until, f"a frame {kind!r}"):
                raise AssertionError(f"the connection ended before a frame {kind!r}; {self}")

    def response(self, stream, seconds=None):
        """Reads until the response has ended, or the stream was reset, or the connection ended (neither then)."""
        return self._read_until(stream, lambda r: r.over, "the end of the response", seconds)

    def head(self, stream, seconds=None):
        """Reads until the final head of the response is there; the content is still to come (response(), take())."""
        return self._read_until(stream, lambda r: r.over or r.status is not None, "the head", seconds)

    def interim(self, stream, seconds=None):
        """Reads until there is an interim answer that was not returned before; returns it."""
        given = self._stream(stream).interims_given
        answer = self._read_until(stream, lambda r: r.over or len(r.interim) > given, "an interim answer", seconds)
        if len(answer.interim) <= given:
            raise AssertionError(f"no interim answer came\n{answer}")
        self._stream(stream).interims_given += 1
        return answer.interim[given]

    def take(self, stream, count, seconds=None):
        """Takes so many bytes of content out of the response: for tunnels and streams of events."""
        answer = self._read_until(stream, lambda r: r.over or len(r.parts) >= count, f"{count} bytes", seconds)
        if len(answer.parts) < count:
            raise AssertionError(f"{len(answer.parts)} of {count} bytes came\n{answer}")
        data = bytes(answer.parts[:count])
        del answer.parts[:count]
        return data

    @property
    def settings_of_server(self):
        """{Setting: value} of the server's SETTINGS so far, the first of which is waited for."""
        until = self._deadline(None)
        while not self.seen and self._advance(until, "the server's SETTINGS"):
            pass
        return dict(self._server)

    def goaway_code(self, seconds=None):
        """Waits for a GOAWAY; returns the code of the last one (Error); None: the connection ended without."""
        until = self._deadline(seconds)
        while not self.goaways and self._advance(until, "GOAWAY"):
            pass
        return self.goaways[-1].error if self.goaways else None

    def closed(self, seconds=None):
        """Reads to the end of the connection. True; False when it has not ended within the time."""
        until = self._deadline(seconds)
        try:
            while self._advance(until, "the end"):
                pass
        except TimeoutError:
            return False
        return True

    def roundtrip(self, seconds=None):
        """Sends a PING and waits for its answer: the connection lives, and all that was sent before was read."""
        payload = os.urandom(8)
        until = self._deadline(seconds)
        self.ping(payload)
        while not any(f.type == Type.PING and f.has(Flag.ACK) and f.payload == payload for f in self.seen):
            if not self._advance(until, "the answer to a PING"):
                raise AssertionError(f"the connection ended before the answer to a PING; {self}")
        return self

    def expect_quiet(self, seconds):
        """Neither a frame nor the end comes within `seconds`."""
        try:
            came = self._next(time.monotonic() + seconds, "silence")
        except TimeoutError:
            return
        raise AssertionError(f"wanted silence, got {came or 'the end'}")

    def __str__(self):
        return f"the last frames: {self.seen[-8:]}"

    # The work of reading

    def _deadline(self, seconds):
        return time.monotonic() + (self.wait_seconds if seconds is None else seconds)

    def _read_until(self, stream, enough, what, seconds):
        until, answer = self._deadline(seconds), self._stream(stream).response
        while not enough(answer) and self._advance(until, f"{what} of stream {stream}"):
            pass
        return answer

    def _advance(self, until, what):
        return self._next(until, what) is not None

    def _next(self, until, what):
        head = self._have(FRAME_HEAD_BYTES, until, what)
        if head is None:
            return None
        length = int.from_bytes(head[:3], "big")
        if length > self._own[Setting.MAX_FRAME_SIZE]:
            raise Malformed(f"a frame of {length} bytes; {self}")
        if self._have(FRAME_HEAD_BYTES + length, until, what) is None:
            return None
        whole = self.connection.kept[:FRAME_HEAD_BYTES + length]
        self.connection.kept = self.connection.kept[len(whole):]
        one = Frame(head[3], head[4], int.from_bytes(head[5:9], "big") & WINDOW_MOST, whole[FRAME_HEAD_BYTES:])
        self._take(one)
        return one

    def _have(self, count, until, what):
        """The first bytes of what is kept, when there are so many; None at the end of the connection."""
        while len(self.connection.kept) < count:
            if self.ended or not self._receive(until, what):
                if self.connection.kept and not self.broken:
                    raise Malformed(f"the connection ended within a frame: {self.connection.kept[:64].hex()}; {self}")
                return None
        return self.connection.kept[:count]

    def _receive(self, until, what):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"{what}: not within the time; {self}")
        self.connection.socket.settimeout(left)
        try:
            self.ended = not self.connection._more()  # pylint: disable=protected-access
        except ConnectionError:
            self.ended = self.broken = True
        except TimeoutError:
            raise TimeoutError(f"{what}: not within the time; {self}") from None
        return not self.ended

    def _take(self, one):
        first = not self.seen
        shown = one if one.type != Type.DATA else Frame(one.type, one.flags, one.stream, b"")
        shown.length = one.length
        self.seen.append(shown)
        if first and (one.type != Type.SETTINGS or one.has(Flag.ACK)):
            raise Malformed(f"the first frame is no SETTINGS: {one}")
        if self._block is not None and (one.type != Type.CONTINUATION or one.stream != self._block[0]):
            raise Malformed(f"{one} within a field block")
        least, most = LENGTHS.get(one.type, (0, None))
        if one.length < least or (most is not None and one.length > most):
            raise Malformed(f"{one} has a wrong length")
        if (one.type in ON_CONNECTION and one.stream) or (one.type in ON_STREAM and one.stream % 2 == 0):
            raise Malformed(f"{one} on a stream that it cannot be on")
        self._turn.get(one.type, lambda ignored: None)(one)

    def _refuse(self, one):
        raise Malformed(f"{one} from a server")

    def _take_data(self, one):
        stream = self._stream(one.stream)
        for about, window in (("stream", stream.receive_window), ("connection", self._receive_window)):
            if one.length > window:
                raise Malformed(f"{one}: the window of the {about} has {window} bytes")
        stream.receive_window -= one.length
        self._receive_window -= one.length
        stream.response.take_content(self._unpadded(one), one.has(Flag.END_STREAM))
        if self.credit:
            self._give_credit(one, stream)

    def _give_credit(self, one, stream):
        """When half a window is used up; more often would look like a flood."""
        self._owed += one.length
        stream.owed += one.length
        if self._owed * 2 >= WINDOW_BYTES:
            self._owed = self._credit(0, self._owed)
        if not stream.response.over and stream.owed * 2 >= self._own[Setting.INITIAL_WINDOW_SIZE] and stream.owed:
            stream.owed = self._credit(one.stream, stream.owed)

    def _credit(self, stream, octet_count):
        self._answer(lambda: self.window(stream, octet_count))
        return 0

    def _answer(self, send):
        """What we send by ourselves while reading may come too late."""
        try:
            send()
        except OSError:
            self.broken = True

    def _unpadded(self, one):
        if not one.has(Flag.PADDED):
            return one.payload
        if not one.payload or one.payload[0] >= one.length:
            raise Malformed(f"{one}: padding longer than the frame")
        if any(one.payload[one.length - one.payload[0]:]):
            raise Malformed(f"{one}: padding that is not zero")
        return one.payload[1:one.length - one.payload[0]]

    def _take_headers(self, one):
        block = self._unpadded(one)
        if one.has(Flag.PRIORITY):
            block = block[5:]
        self._block = (one.stream, block, one.has(Flag.END_STREAM))
        self._end_block(one)

    def _take_continuation(self, one):
        if self._block is None:
            raise Malformed(f"{one} outside a field block")
        stream, block, end = self._block
        self._block = (stream, block + one.payload, end)
        self._end_block(one)

    def _end_block(self, one):
        if not one.has(Flag.END_HEADERS):
            return
        stream, block, end = self._block
        self._block = None
        try:
            fields = self.decoder.decode(block, raw=True)
        except Exception as said:
            raise Malformed(f"stream {stream}: HPACK: {said!r}: {block[:200].hex()}") from said
        pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
        self._stream(stream).response.take_fields(pairs, end)

    def _take_settings(self, one):
        if one.length % 6 or (one.has(Flag.ACK) and one.length):
            raise Malformed(f"{one} has a wrong length")
        if one.has(Flag.ACK):
            if not self._unacked:
                raise Malformed("an acknowledgement of SETTINGS that were not sent")
            self.settings_acks += 1
            self._allow(self._unacked.pop(0))
            return
        for at in range(0, one.length, 6):
            key = named(Setting, int.from_bytes(one.payload[at:at + 2], "big"))
            value = int.from_bytes(one.payload[at + 2:at + 6], "big")
            self._take_setting(key, value)
        if self.ack_settings:
            self._answer(lambda: self.settings(ack=True))

    def _take_setting(self, key, value):
        """RFC9113:6.5.2"""
        if (key == Setting.ENABLE_PUSH and value != 0) or \
                (key == Setting.INITIAL_WINDOW_SIZE and value > WINDOW_MOST) or \
                (key == Setting.MAX_FRAME_SIZE and not FRAME_BYTES <= value <= 0xffffff):
            raise Malformed(f"the server set {key!r} to {value}")
        if key == Setting.INITIAL_WINDOW_SIZE:
            for stream in self.streams.values():
                stream.send_window += value - self._server.get(key, WINDOW_BYTES)
        self._server[key] = value

    def _allow(self, values):
        """From now on the server is judged by these settings of ours."""
        grown = values.get(Setting.INITIAL_WINDOW_SIZE, self._own[Setting.INITIAL_WINDOW_SIZE]) - \
            self._own[Setting.INITIAL_WINDOW_SIZE]
        for stream in self.streams.values():
            stream.receive_window += grown
        self._own.update(values)
        self.decoder.max_allowed_table_size = self._own[Setting.HEADER_TABLE_SIZE]

    def _take_reset(self, one):
        response = self._stream(one.stream).response
        response.reset = one.error

    def _take_ping(self, one):
        if not one.has(Flag.ACK) and self.ack_pings:
            self._answer(lambda: self.ping(one.payload, ack=True))

    def _take_goaway(self, one):
        last = [int.from_bytes(g.payload[:4], "big") for g in self.goaways + [one]]
        if len(last) > 1 and last[-1] > last[-2]:
            raise Malformed(f"GOAWAY raises the last stream from {last[-2]} to {last[-1]}")
        self.goaways.append(one)

    def _take_window(self, one):
        increment = int.from_bytes(one.payload, "big") & WINDOW_MOST
        window = self._stream(one.stream).send_window if one.stream else self._send_window
        if increment == 0 or window + increment > WINDOW_MOST:
            raise Malformed(f"{one}: {increment} more than {window}")
        if one.stream:
            self._stream(one.stream).send_window += increment
        else:
            self._send_window += increment

    def _open(self, stream, method):
        self._stream(stream, method)
        self.next_stream = max(self.next_stream, stream + 2 - (stream + 1) % 2)

    def _stream(self, number, method=None):
        """Our side of a stream, made when it is first named: tests open streams with raw frames, too."""
        if number not in self.streams:
            self.streams[number] = Stream(number, method,
                                          self._server.get(Setting.INITIAL_WINDOW_SIZE, WINDOW_BYTES),
                                          self._own[Setting.INITIAL_WINDOW_SIZE])
        return self.streams[number]
