"""A FastCGI application for the program to be in front of: scripted as an Upstream is, and as able to fail."""
import json
import struct

from .upstream import Upstream
from .upstream_link import KEEP_BYTES, Bad, Link, Request

BEGIN, _, END, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
COMPLETE, CANNOT_MULTIPLEX, OVERLOADED, UNKNOWN_ROLE = range(4)
RESPONDER, KEEP = 1, 1
MOST = 65535


def record(kind, content=b"", number=1, padding=0, version=1):
    """One record, whatever it says."""
    return struct.pack("!BBHHBx", version, kind, number, len(content), padding) + content + b"\xaa" * padding


def stream(kind, data, size=MOST, padding=0):
    """The data in records of at most `size` bytes; of no data, no record."""
    return b"".join(record(kind, data[at:at + size], padding=padding) for at in range(0, len(data), size))


def said(text, size=MOST, padding=0):
    """Standard output: head and content."""
    return stream(STDOUT, text.encode("utf-8") if isinstance(text, str) else text, size, padding)


def complained(text, size=MOST, padding=0):
    return stream(STDERR, text.encode("utf-8") if isinstance(text, str) else text, size, padding)


def ended(status=0, how=COMPLETE, padding=0, number=1):
    """The record that ends a request: the application's status, and the protocol's."""
    return record(END, struct.pack("!IB3x", status, how), number, padding)


def answered(text, size=MOST, padding=0):
    """A whole answer: what a program would write, and all that ends it."""
    return said(text, size, padding) + record(STDOUT, padding=padding) + ended(padding=padding)


def pairs_of(data):
    """The pairs of a stream of parameters, in order."""
    def length(at):
        if data[at] < 128:
            return data[at], at + 1
        return struct.unpack("!I", data[at:at + 4])[0] & 0x7fffffff, at + 4

    pairs, at = [], 0
    while at < len(data):
        name_bytes, at = length(at)
        value_bytes, at = length(at)
        if at + name_bytes + value_bytes > len(data):
            raise Bad("a parameter is cut")
        name, value = data[at:at + name_bytes], data[at + name_bytes:at + name_bytes + value_bytes]
        pairs.append((name.decode("latin-1"), value.decode("latin-1")))
        at += name_bytes + value_bytes
    return pairs


class FcgiRequest(Request):
    """As a Request; `parameters` by name, `keeps`: whether the connection is to stay. Its path is that of the script,
    below the root, with PATH_INFO behind it; its fields are the parameters."""

    def _parse(self):
        self.fields = pairs_of(self.raw)
        self.parameters = dict(self.fields)
        if len(self.parameters) != len(self.fields):
            self.bad = f"a parameter is there twice: {self.fields}"
        self.keeps = False
        self.method, self.target = self.get("REQUEST_METHOD"), self.get("REQUEST_URI")
        script = self.get("SCRIPT_FILENAME") or ""
        self.path = script.removeprefix(self.get("DOCUMENT_ROOT") or "") + (self.get("PATH_INFO") or "")

    def _pieces(self):
        while True:
            kind, content = self.link.read_record()
            if kind != STDIN:
                raise Bad(f"a record of type {kind} within content")
            if not content:
                return
            self.chunks.append(len(content))
            self._keep(content)
            yield content


class FcgiLink(Link):
    """What comes is read strictly: anything but one request after the other is an error of the test."""

    def read_record(self):
        version, kind, number, length, padding = struct.unpack("!BBHHBx", self._exactly(8))
        if version != 1 or number != 1:
            raise Bad(f"version {version}, request {number}")
        content = self._exactly(length)
        self._exactly(padding)
        return kind, content

    def _exactly(self, count):
        while len(self.kept) < count:
            if not self.fill():
                self.finish("closed by peer")
        part, self.kept = self.kept[:count], self.kept[count:]
        return part

    def read_request(self):
        if not self.kept and not self.fill():
            return None
        kind, content = self.read_record()
        if kind != BEGIN or len(content) != 8:
            raise Bad(f"a record of type {kind} where a request begins")
        role, flags = struct.unpack("!HB", content[:3])
        raw = b""
        while True:
            kind, content = self.read_record()
            if kind != PARAMS:
                raise Bad(f"a record of type {kind} within parameters")
            if not content:
                break
            raw += content
        self.request = FcgiRequest(self, raw)
        self.request.keeps = flags == KEEP
        if role != RESPONDER:
            self.request.bad = f"role {role}"
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
            request.read()
        if rule.steps is not None:
            self.perform(rule.steps)
            request.read()
        else:
            self.send(answered(rule.make(request) if callable(rule.make) else rule.make))
        if not request.keeps:
            self.finish("closed")

    def _refuse(self, why):
        self.app.errors.append(f"no FastCGI: {why}")
        self._end("closed")


def told(request):
    """The answer to what no test spoke of: the request, as JSON."""
    content = json.dumps({"connection": request.connection, "parameters": request.parameters, "length": request.length,
                          "sha256": request.sha256})
    return f"Content-Type: application/json\r\n\r\n{content}"


def echoed(request):
    """All content comes back, up to what is kept of it."""
    assert request.length <= KEEP_BYTES
    return b"Content-Type: application/octet-stream\r\n\r\n" + request.content


class FcgiApp(Upstream):
    """answer(path, make): `make` is what a program would write, head and content, or a function of the FcgiRequest that
    returns it. script(path, steps): raw records, from said(), complained() and ended().
    path: of the script below the root, and PATH_INFO."""

    link_class = FcgiLink
    usual = staticmethod(told)
