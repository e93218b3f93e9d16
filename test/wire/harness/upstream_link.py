"""One connection of a scripted upstream, and the requests that came on it, kept to the byte."""
import contextlib
import errno
import hashlib
import re
import socket
import ssl
import struct
import threading
import time
import traceback

from .upstream_steps import response

KEEP_BYTES = 8 << 20
HEAD_BYTES = 1 << 20
PROXY_V1_BYTES = 107


class Over(Exception):
    """The connection has ended."""


class Bad(Exception):
    """What came is not HTTP/1.x; the words say why."""


class Request:
    """method, target, path (of the target, without query), version ("1.1"), fields (pairs, in order), trailers;
    raw: the bytes of the head; content: the first 8 MiB of it, decoded; length, sha256: of all of it; chunks: their
    sizes; framing: none, length or chunked; whole: all of it was read; bad: why it is not HTTP; link: its Link."""

    def __init__(self, link, raw):
        self.link, self.raw = link, raw
        self.method = self.target = self.version = self.path = ""
        self.fields, self.trailers, self.chunks = [], [], []
        self.length = 0
        self.digest = hashlib.sha256()
        self.whole, self.bad, self.framing = False, None, "none"
        self.when = time.monotonic()
        self.kept = bytearray()
        self._parse()
        self._rest = self._pieces()
        self._size = 65536

    def _parse(self):
        first, *lines = self.raw.decode("latin-1").lstrip("\r\n").split("\r\n")
        self.fields = [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines if line)]
        found = re.fullmatch(r"(\S+) (\S+) HTTP/(\d\.\d)", first)
        if not found:
            self.bad = f"request line {first[:200]!r}"
            return
        self.method, self.target, self.version = found.groups()
        self.path = re.sub(r"^[a-z]+://[^/]*", "", self.target).partition("?")[0] or "/"
        if "chunked" in (self.get("Transfer-Encoding") or "").lower():
            self.framing = "chunked"
        elif self.get("Content-Length") is not None:
            self.framing = "length"

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        """The value of the field, the first if it is there more than once; None without it."""
        return next(iter(self.all(name)), None)

    @property
    def connection(self):
        """The number of its connection, from 1."""
        return self.link.number

    @property
    def content(self):
        return bytes(self.kept)

    @property
    def sha256(self):
        return self.digest.hexdigest()

    @property
    def persistent(self):
        words = ",".join(self.all("Connection")).lower()
        return "close" not in words and (self.version != "1.0" or "keep-alive" in words)

    def read(self, count=None, size=65536, after_each=lambda: None):
        """Reads the rest of the content, or about `count` bytes more."""
        have, self._size = 0, size
        for piece in self._rest:
            have += len(piece)
            after_each()
            if count is not None and have >= count:
                return
        if not self.whole:
            self.whole = True
            self.link.tell()

    def _pieces(self):
        if self.framing == "length":
            yield from self._counted(self._announced())
        while self.framing == "chunked":
            line = self.link.line()
            if not re.match(rb"[0-9A-Fa-f]+[ \t]*(;|$)", line):
                raise Bad(f"chunk size {line[:100]!r}")
            self.chunks.append(int(re.match(rb"[0-9A-Fa-f]+", line)[0], 16))
            if self.chunks[-1] == 0:
                self._read_trailers()
                return
            yield from self._counted(self.chunks[-1])
            if self.link.line():
                raise Bad("no end of line after a chunk")

    def _announced(self):
        value = self.get("Content-Length")
        if not re.fullmatch("[0-9]{1,18}", value) or len(self.all("Content-Length")) > 1:
            raise Bad(f"Content-Length {self.all('Content-Length')}")
        return int(value)

    def _counted(self, left):
        while left > 0:
            piece = self.link.take(min(left, self._size))
            left -= len(piece)
            self._keep(piece)
            yield piece

    def _keep(self, piece):
        self.length += len(piece)
        self.digest.update(piece)
        self.kept += piece[:KEEP_BYTES - len(self.kept)]

    def _read_trailers(self):
        while line := self.link.line():
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers.append((name, value.strip(" \t")))

    def __str__(self):
        return f"{self.raw.decode('latin-1')}({self.length} bytes of content{', whole' if self.whole else ''})"


class Link:
    """number: from 1; peer: its address; received: the first 8 MiB that came, as they came (after TLS); received_bytes
    and sent_bytes: how many in all; requests; ended: None, or how: "closed", "reset", "closed by peer", "reset by
    peer", "timed out", "stopped" or "TLS: REASON"; sni, alpn, tls_version, client (subject of its certificate),
    close_notify (whether the peer said it); proxy_header."""

    def __init__(self, app, connected, peer, number):
        self.app, self.socket, self.peer, self.number = app, connected, peer, number
        self.received, self.received_bytes, self.sent_bytes = bytearray(), 0, 0
        self.requests, self.request, self.ended = [], None, None
        self.kept, self.proxy_header = b"", b""
        self.secured = False
        self.sni = self.alpn = self.tls_version = self.client = self.close_notify = None
        self.wake = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __str__(self):
        return f"#{self.number} {self.ended or 'open'}, {len(self.requests)} requests"

    def tell(self):
        with self.app.changed:
            self.app.changed.notify_all()

    # Its life, in a thread of its own

    def serve(self):
        try:
            self.socket.settimeout(self.app.idle_seconds)
            self.perform(self.app.at_connect)
            self._begin()
            while self.read_request() is not None:
                self._treat(self.request)
            self.finish("closed by peer")
        except Over:
            return
        except Bad as why:
            self._refuse(str(why))
        except TimeoutError:
            self._end("timed out")
        except ssl.SSLError as error:
            self._end(f"TLS: {error.reason}")
        except OSError as error:
            self._end("closed by peer" if error.errno == errno.EPIPE else "reset by peer")
        except Exception:  # pylint: disable=broad-except
            self.app.errors.append(traceback.format_exc())
            self._end("reset", hard=True)

    def perform(self, steps):
        for step in steps:
            self.send(step) if isinstance(step, bytes) else step(self)

    def _begin(self):
        if self.app.proxy_protocol:
            self._read_proxy_header()
        if self.app.context is None:
            return
        self.socket = self.app.context.wrap_socket(self.socket, server_side=True, suppress_ragged_eofs=False,
                                                   do_handshake_on_connect=False)
        self.app.local.link = self
        self.socket.do_handshake()
        self.secured = True
        self.alpn, self.tls_version = self.socket.selected_alpn_protocol(), self.socket.version()
        self.client = (self.socket.getpeercert() or {}).get("subject")

    def _read_proxy_header(self):
        self._add_to_proxy_header(8)
        if self.proxy_header[:1] == b"\r":
            self._add_to_proxy_header(8)
            self._add_to_proxy_header(struct.unpack("!H", self.proxy_header[14:16])[0])
            return
        while not self.proxy_header.endswith(b"\r\n") and len(self.proxy_header) < PROXY_V1_BYTES:
            self._add_to_proxy_header(1)

    def _add_to_proxy_header(self, count):
        want = len(self.proxy_header) + count
        while len(self.proxy_header) < want:
            part = self.socket.recv(want - len(self.proxy_header))
            if not part:
                self.finish("closed by peer")
            self.proxy_header += part

    def _refuse(self, why):
        if self.request is not None:
            self.request.bad = why
        with contextlib.suppress(Over, OSError):
            self.send(response(400, why, [("Connection", "close")]))
        self._end("closed")

    # Requests

    def read_request(self):
        """The next Request, as soon as its head is there; None when the peer has ended."""
        while b"\r\n\r\n" not in self.kept.lstrip(b"\r\n"):
            if len(self.kept) > HEAD_BYTES:
                raise Bad("head too large")
            if not self.fill():
                return None
        end = self.kept.index(b"\r\n\r\n", len(self.kept) - len(self.kept.lstrip(b"\r\n"))) + 4
        self.request = Request(self, self.kept[:end])
        self.kept = self.kept[end:]
        self.requests.append(self.request)
        with self.app.changed:
            self.app.requests.append(self.request)
            self.app.changed.notify_all()
        if self.request.bad:
            raise Bad(self.request.bad)
        return self.request

    def _treat(self, request):
        rule = self.app.rule_for(request)
        if not rule.early:
            self._read_all(request)
        if rule.steps is not None:
            self.perform(rule.steps)
            request.read()
            return
        data = rule.make(request) if callable(rule.make) else rule.make
        head = data.partition(b"\r\n\r\n")[0].lower()
        self.send(data[:len(head) + 4] if request.method == "HEAD" else data)
        framed = b"\r\ncontent-length:" in head or b"\r\ntransfer-encoding:" in head or re.search(rb" (204|304) ", head)
        if b"\r\nconnection: close" in head or not request.persistent or not (framed or request.method == "HEAD"):
            self.say_close_notify()
            self.finish("closed")

    def _read_all(self, request):
        if (request.get("Expect") or "").lower() == "100-continue" and request.framing != "none" and not self.kept:
            self.send(response(100))
        request.read()

    # Bytes

    def fill(self):
        """Waits for bytes, adds them to `kept`; False at the end of the peer's direction."""
        try:
            part = self.socket.recv(65536)
        except ssl.SSLEOFError:
            self.close_notify = False
            return False
        if self.secured and not part:
            self.close_notify = True
        self.kept += part
        self.received_bytes += len(part)
        self.received += part[:max(0, KEEP_BYTES - len(self.received))]
        return bool(part)

    def line(self):
        while b"\r\n" not in self.kept:
            if not self.fill():
                self.finish("closed by peer")
        line, _, self.kept = self.kept.partition(b"\r\n")
        return line

    def take(self, most):
        """At least one byte."""
        if not self.kept and not self.fill():
            self.finish("closed by peer")
        part, self.kept = self.kept[:most], self.kept[most:]
        return part

    def send(self, data):
        rest = memoryview(data)
        while rest:
            sent = self.socket.send(rest[:65536])
            self.sent_bytes += sent
            rest = rest[sent:]

    def sleep(self, seconds):
        if self.wake.wait(seconds):
            self.finish("stopped")

    # Its end

    def end_of_peer(self):
        """How the peer has ended: "closed by peer" or "reset by peer"."""
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return "reset by peer" if error == errno.ECONNRESET else "closed by peer"

    def finish_sending(self):
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def say_close_notify(self):
        if self.secured:
            with contextlib.suppress(OSError, ValueError):
                self.socket.settimeout(0)
                self.socket.unwrap()

    def finish(self, how, hard=False):
        self._end(how, hard)
        raise Over

    def _end(self, how, hard=False):
        with self.app.changed:
            if self.ended is not None:
                return
            self.ended = "stopped" if self.wake.is_set() else how
            if hard:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
            self.app.changed.notify_all()

    def stop(self):
        """Ends it from another thread."""
        self.wake.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        if self.thread is not threading.current_thread():
            self.thread.join(1)

    def wait_end(self, seconds=5):
        """Waits until it has ended; returns how."""
        self.app.wait(lambda: self.ended is not None, f"end of #{self.number}", seconds)
        return self.ended
