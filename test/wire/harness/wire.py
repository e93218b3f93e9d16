"""A client connection that sends what it is told and believes nothing: every octet of an answer is checked.

RFC9112:2 to 7 for the syntax and framing, RFC9110:5 for the fields.
"""
import re
import socket
import struct

LINE_LIMIT_BYTES = 65536
WAIT_SECONDS = 5

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t -~\x80-\xff]*)")
VALUE = re.compile(rb"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})((?:[ \t]*;[\t -~\x80-\xff]*)?)")


class Malformed(AssertionError):
    """The peer broke the syntax of HTTP; the message says how and shows what came."""


class Message:
    """Status, fields and content, of any version of HTTP. `interim` holds the 1xx answers before a final one."""

    protocol = "HTTP"

    def __init__(self, status, fields):
        self.status = status
        self.fields = fields
        self.interim = []
        self.content = b""
        self.trailers = []

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        """The value of a field that may be there once; None when it is not."""
        values = self.all(name)
        if len(values) > 1:
            raise Malformed(f"{name} is there {len(values)} times: {values}")
        return values[0] if values else None

    def words(self, name):
        """The members of a list field, lower case."""
        return [word.strip().lower() for value in self.all(name) for word in value.split(",") if word.strip()]

    @property
    def text(self):
        return self.content.decode("utf-8")

    @property
    def reason(self):
        """The reason named by the Verdict field; None without one."""
        value = self.get("Verdict")
        return value.split(";")[0].strip() if value is not None else None

    @property
    def id(self):
        found = re.search(r';\s*id="([^"]+)"', self.get("Verdict") or "")
        return found.group(1) if found else None

    def expect(self, status, reason=None):
        """Asserts status and, where given, the reason in the Verdict field; returns self."""
        if self.status != status or (reason is not None and self.reason != reason):
            raise AssertionError(f"got {self.status} {self.reason}, wanted {status} {reason or '(any reason)'}\n{self}")
        return self

    def framed(self):
        """What a reader of a failure wants to know besides."""
        return ""

    def __str__(self):
        head = "\n".join([f"{self.protocol} {self.status}"] + [f"{k}: {v}" for k, v in self.fields])
        return f"{head}\n\n{self.content[:300]!r} ({len(self.content)} bytes{self.framed()})"


class Response(Message):
    """One final answer of HTTP/1.x; `framing` is none, length, chunked or close."""

    def __init__(self, minor, status, phrase, fields):
        super().__init__(status, fields)
        self.minor = minor
        self.protocol = f"HTTP/1.{minor}"
        self.phrase = phrase
        self.framing = "none"
        self.head_bytes = 0

    def framed(self):
        return f", {self.framing}"


class Connection:
    """A raw connection. Bytes that were read and belong to no answer yet stay in `kept`."""

    secure = False

    def __init__(self, address, family=socket.AF_INET, wait_seconds=WAIT_SECONDS, source=None, window_bytes=None):
        """source: an address of our own to come from; window_bytes: how much may be under way to us."""
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(wait_seconds)
        if source is not None:
            self.socket.bind((source, 0))
        if window_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""

    @classmethod
    def over(cls, connected):
        """On a socket that is connected already."""
        one = cls.__new__(cls)
        one.socket = connected
        one.kept = b""
        return one

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """Sends str (as Latin-1) or bytes as they are."""
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def reset(self):
        """Ends the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def finish_sending(self):
        """Half close: the server sees the end of our bytes, we still read."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def expect_closed(self):
        """The server sends nothing more and ends the connection."""
        if self.kept or self._more():
            raise AssertionError(f"bytes where the end was wanted: {self.kept[:200]!r}")

    def expect_quiet(self, seconds):
        """Neither bytes nor the end come within `seconds`."""
        before, usual = len(self.kept), self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            more = self._more()
        except TimeoutError:
            return
        finally:
            self.socket.settimeout(usual)
        raise AssertionError(f"wanted silence, got {self.kept[before:][:200]!r}" if more else "wanted silence, got the end")

    def response(self, to="GET"):
        """Reads one answer to a request of method `to`, with the interim answers before it."""
        interim = []
        while True:
            answer = self.head()
            if answer.status >= 200:
                break
            interim.append(answer)
            if answer.status == 101:
                return answer
        answer.interim = interim
        self._read_content(answer, to)
        return answer

    def head(self):
        """Reads one status line with its fields, interim or final; content is left unread."""
        line = self._line("status line")
        found = STATUS_LINE.fullmatch(line)
        if not found:
            raise Malformed(f"status line: {line[:200]!r}")
        fields, taken = self._fields()
        answer = Response(int(found[1]), int(found[2]), found[3].decode("latin-1"), fields)
        answer.head_bytes = len(line) + 2 + taken
        return answer

    def take(self, count):
        """So many bytes of content, behind a head that was read by itself."""
        return self._exactly(count)

    def _fields(self):
        fields, taken = [], 0
        while True:
            line = self._line("field line")
            taken += len(line) + 2
            if not line:
                return fields, taken
            name, colon, value = line.partition(b":")
            value = value.strip(b" \t")
            if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
                raise Malformed(f"field line: {line[:200]!r}")
            fields.append((name.decode("ascii"), value.decode("latin-1")))

    def _read_content(self, answer, to):
        """RFC9112:6.3, for a client."""
        length, coding = answer.get("Content-Length"), answer.get("Transfer-Encoding")
        if length is not None and not re.fullmatch(r"[0-9]+", length):
            raise Malformed(f"Content-Length: {length!r}")
        if length is not None and coding is not None:
            raise Malformed("Content-Length and Transfer-Encoding in one answer")
        if answer.status == 204 and (length is not None or coding is not None):
            raise Malformed("204 with a framing field")
        if to == "HEAD" or answer.status in (204, 304):
            return
        if coding is not None:
            if coding.lower() != "chunked":
                raise Malformed(f"Transfer-Encoding: {coding!r}")
            answer.framing = "chunked"
            answer.content, answer.trailers = self._chunks()
        elif length is not None:
            answer.framing = "length"
            answer.content = self._exactly(int(length))
        else:
            answer.framing = "close"
            while self._more():
                pass
            answer.content, self.kept = self.kept, b""

    def _chunks(self):
        parts = []
        while True:
            line = self._line("chunk size")
            found = CHUNK_SIZE.fullmatch(line)
            if not found:
                raise Malformed(f"chunk size: {line[:100]!r}")
            size = int(found[1], 16)
            if size == 0:
                return b"".join(parts), self._fields()[0]
            parts.append(self._exactly(size))
            if self._exactly(2) != b"\r\n":
                raise Malformed("no CRLF after a chunk")

    def _line(self, what):
        """The next line without its CRLF; a bare CR or LF is refused."""
        while b"\n" not in self.kept:
            if len(self.kept) > LINE_LIMIT_BYTES:
                raise Malformed(f"{what}: longer than {LINE_LIMIT_BYTES} bytes")
            if not self._more():
                raise Malformed(f"{what}: the connection ended after {self.kept[:200]!r}")
        line, _, self.kept = self.kept.partition(b"\n")
        if not line.endswith(b"\r") or b"\r" in line[:-1]:
            raise Malformed(f"{what}: bare CR or LF in {line[:200]!r}")
        return line[:-1]

    def _exactly(self, count):
        parts, have = [self.kept], len(self.kept)
        while have < count:
            part = self._receive()
            if not part:
                raise Malformed(f"content: the connection ended after {have} of {count} bytes")
            parts.append(part)
            have += len(part)
        whole = b"".join(parts)
        self.kept = whole[count:]
        return whole[:count]

    def _more(self):
        part = self._receive()
        self.kept += part
        return bool(part)

    def _receive(self):
        return self.socket.recv(262144)
