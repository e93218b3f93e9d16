"""A response of HTTP/2 as it grows, and what a server may put into it. RFC9113:8"""
import re

from .wire import Malformed, Message

NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+")
VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
OF_A_CONNECTION = ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")


def check_fields(fields, about):
    """RFC9113:8.2, for fields that are no pseudo-fields."""
    for name, value in fields:
        if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
            raise Malformed(f"{about}: field {name!r}: {value!r}")
        if name in OF_A_CONNECTION or (name == "te" and value != "trailers"):
            raise Malformed(f"{about}: {name} belongs to a connection")


class H2Response(Message):
    """What came on one stream so far.

    status, fields   of the final head; None and [] before it is there
    interim          the 1xx before it, each with .status, .fields and .get()
    trailers         fields after the content
    content          bytes so far
    ended            END_STREAM came
    reset            the code of the server's RST_STREAM (Error), or None
    """

    protocol = "HTTP/2"

    def __init__(self, stream, method=None):
        self.parts = bytearray()
        super().__init__(None, [])
        self.stream = stream
        self.method = method
        self.ended = False
        self.reset = None

    @property
    def content(self):
        return bytes(self.parts)

    @content.setter
    def content(self, value):
        self.parts[:] = value

    @property
    def over(self):
        return self.ended or self.reset is not None

    def expect_reset(self, code):
        """Asserts that the server reset the stream with this code; returns self."""
        if self.reset != code:
            raise AssertionError(f"got reset {self.reset!r}, wanted {code!r}\n{self}")
        return self

    def framed(self):
        return f", stream {self.stream}, {'ended' if self.ended else 'open'}, reset {self.reset!r}"

    # What the server sends

    def take_fields(self, fields, end):
        about = f"stream {self.stream}"
        self._still_open(f"a field section {fields}")
        if self.status is not None:
            check_fields(fields, f"{about}: trailers")
            if not end:
                raise Malformed(f"{about}: trailers without END_STREAM: {fields}")
            self.trailers = fields
        else:
            if not fields or fields[0][0] != ":status" or not re.fullmatch("[1-5][0-9][0-9]", fields[0][1]):
                raise Malformed(f"{about}: a head that does not begin with :status: {fields}")
            check_fields(fields[1:], about)
            self._take_head(int(fields[0][1]), fields[1:], end)
        if end:
            self.end()

    def _take_head(self, status, fields, end):
        if status == 101 or (status < 200 and end):
            raise Malformed(f"stream {self.stream}: {status}{' that ends the stream' if end else ''}")
        if status < 200:
            self.interim.append(Message(status, fields))
        else:
            self.status, self.fields = status, fields

    def take_content(self, data, end):
        self._still_open(f"{len(data)} bytes of DATA")
        if self.status is None:
            raise Malformed(f"stream {self.stream}: DATA before the head")
        self.parts += data
        if end:
            self.end()

    def end(self):
        """RFC9113:8.1.1"""
        self.ended = True
        if self.method == "HEAD" or self.status in (204, 304):
            if self.parts:
                raise Malformed(f"stream {self.stream}: content in {self.status} to {self.method}")
            return
        length = self.get("content-length")
        if length is not None and (not re.fullmatch("[0-9]+", length) or int(length) != len(self.parts)):
            raise Malformed(f"stream {self.stream}: content-length {length}, and {len(self.parts)} bytes came")

    def _still_open(self, what):
        if self.over:
            raise Malformed(f"stream {self.stream}: {what} after {'END_STREAM' if self.ended else 'RST_STREAM'}")
