"""What a scripted upstream can do with a connection, step by step, and the bytes of its answers.

A step is called with the Link; bytes are a step, too, and so is any function."""
import base64
import hashlib
import select
import time
from dataclasses import dataclass
from http import HTTPStatus

WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SILENT_SECONDS = 30


def phrase_of(status):
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def field_lines(fields):
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")


def response(status=200, content=b"", fields=(), version="1.1", length=True, pieces=None, trailers=()):
    """The bytes of an answer. length: has Content-Length, where the status lets it; pieces: in chunks, these ones;
    without either the end of the connection ends it."""
    content = content.encode("utf-8") if isinstance(content, str) else content
    head = f"HTTP/{version} {status} {phrase_of(status)}\r\n".encode("latin-1") + field_lines(fields)
    if pieces is not None:
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(pieces, trailers)
    if length and status >= 200 and status not in (204, 304):
        head += b"Content-Length: %d\r\n" % len(content)
    return head + b"\r\n" + content


def chunked(pieces, trailers=()):
    """Pieces of content as chunks, up to the end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces) + b"0\r\n" + field_lines(trailers) + b"\r\n"


def tls_alert(description=40, level=2):
    """A record of TLS with an alert: 40 handshake_failure, 48 unknown_ca, 112 unrecognized_name..."""
    return bytes((21, 3, 3, 0, 2, level, description))


@dataclass
class Send:
    data: bytes

    def __call__(self, link):
        link.send(self.data)


@dataclass
class Drip:
    """Sends data in pieces of `size` bytes, with a pause after each."""
    data: bytes
    size: int = 1
    pause: float = 0.05

    def __call__(self, link):
        for at in range(0, len(self.data), self.size):
            link.send(self.data[at:at + self.size])
            link.sleep(self.pause)


@dataclass
class Flood:
    """Sends `count` bytes of a pattern as fast as they are taken; link.sent_bytes tells how far it is."""
    count: int
    piece: int = 65536
    pause: float = 0

    def __call__(self, link):
        for at in range(0, self.count, self.piece):
            link.send(pattern(at, min(self.piece, self.count - at)))
            if self.pause:
                link.sleep(self.pause)


def pattern(at, count):
    """The bytes at..at+count of what Flood sends: the numbers 0 to 250, again and again."""
    shift = at % 251
    return (bytes(range(251)) * ((shift + count) // 251 + 1))[shift:shift + count]


@dataclass
class Sleep:
    seconds: float

    def __call__(self, link):
        link.sleep(self.seconds)


@dataclass
class Until:
    """Waits until a threading.Event is set, or a function says true."""
    event: object
    seconds: float = 10

    def __call__(self, link):
        truth = self.event if callable(self.event) else self.event.is_set
        until = time.monotonic() + self.seconds
        while not truth() and time.monotonic() < until:
            link.sleep(0.005)


@dataclass
class Silent:
    """Neither reads nor sends nor closes, until the peer does or the seconds are over; closes then."""
    seconds: float = SILENT_SECONDS

    def __call__(self, link):
        watch = select.poll()
        watch.register(link.socket.fileno(), select.POLLRDHUP)
        if watch.poll(int(self.seconds * 1000)):
            link.finish(link.end_of_peer())
        link.finish("closed")


@dataclass
class AwaitBytes:
    """Waits until the peer sends something, and leaves that unread."""
    seconds: float = SILENT_SECONDS

    def __call__(self, link):
        pending = link.kept or (link.secured and link.socket.pending())
        if not pending and not select.select([link.socket], [], [], self.seconds)[0]:
            link.finish("timed out")


@dataclass
class Close:
    """Ends the connection: with a RST when something is unread, says TCP. notify: says close_notify before, on TLS."""
    notify: bool = True

    def __call__(self, link):
        if self.notify:
            link.say_close_notify()
        link.finish("closed")


class Reset:
    """Ends the connection with a RST."""

    def __call__(self, link):
        link.finish("reset", hard=True)


class HalfClose:
    """Ends our direction only (on TLS without close_notify)."""

    def __call__(self, link):
        link.finish_sending()


@dataclass
class ReadContent:
    """Reads the content of the request, or `count` bytes of it, at most `size` at once with a pause after each."""
    count: int = None
    size: int = 65536
    pause: float = 0
    reads_content = True

    def __call__(self, link):
        link.request.read(self.count, self.size, lambda: link.sleep(self.pause) if self.pause else None)


class ReadHead:
    """Reads the head of the next request, which is recorded as all are."""

    def __call__(self, link):
        if link.read_request() is None:
            link.finish(link.end_of_peer())


class Read:
    """Waits for bytes and takes all that are there."""

    def __call__(self, link):
        if not link.kept and not link.fill():
            link.finish(link.end_of_peer())
        link.kept = b""


@dataclass
class Interim:
    """An answer of 1xx."""
    status: int = 100
    fields: tuple = ()

    def __call__(self, link):
        link.send(response(self.status, fields=self.fields))


@dataclass
class Switch:
    """101 to the protocol, or to the one that was asked for; a WebSocket key is answered."""
    protocol: str = None
    fields: tuple = ()

    def __call__(self, link):
        request = link.request
        fields = [("Connection", "Upgrade"), ("Upgrade", self.protocol or request.get("Upgrade") or "echo")]
        key = request.get("Sec-WebSocket-Key")
        if key:
            digest = hashlib.sha1(key.encode("latin-1") + WEBSOCKET).digest()
            fields.append(("Sec-WebSocket-Accept", base64.b64encode(digest).decode("ascii")))
        link.send(response(101, fields=fields + list(self.fields)))


class Echo:
    """Sends back all that comes, until the peer ends its direction."""

    def __call__(self, link):
        while link.kept or link.fill():
            data, link.kept = link.kept, b""
            link.send(data)
        link.say_close_notify()
        link.finish(link.end_of_peer())
