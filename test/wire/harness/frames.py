"""Frames of HTTP/2 and field sections of HPACK, written by hand, so that they can be wrong. RFC 9113, RFC 7541."""
import enum

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEAD_BYTES = 9


class Type(enum.IntEnum):
    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9
    ALTSVC = 10
    ORIGIN = 12
    PRIORITY_UPDATE = 16


class Flag(enum.IntFlag):
    END_STREAM = 0x1
    ACK = 0x1
    END_HEADERS = 0x4
    PADDED = 0x8
    PRIORITY = 0x20


class Error(enum.IntEnum):
    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Setting(enum.IntEnum):
    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6
    ENABLE_CONNECT_PROTOCOL = 8
    NO_OLD_PRIORITIES = 9


def named(kind, number):
    """The member of the enumeration; the number itself when it has no name."""
    return kind(number) if number in kind._value2member_map_ else number


class Frame:
    """One frame that was read. length is that of the whole payload, padding and all."""

    def __init__(self, kind, flags, stream, payload):
        self.type = named(Type, kind)
        self.flags = flags
        self.stream = stream
        self.payload = payload
        self.length = len(payload)
        self.taken = False

    def has(self, flag):
        return bool(self.flags & flag)

    @property
    def error(self):
        """The code of a RST_STREAM or GOAWAY."""
        at = {Type.RST_STREAM: 0, Type.GOAWAY: 4}[self.type]
        return named(Error, int.from_bytes(self.payload[at:at + 4], "big"))

    def __repr__(self):
        return f"<{getattr(self.type, 'name', self.type)} flags={int(self.flags):#x} stream={self.stream} " \
               f"{self.length} bytes {self.payload[:24].hex()}>"


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """The bytes of a frame. length: another one than is true."""
    length = len(payload) if length is None else length
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def padded(payload, pad):
    return payload if pad is None else bytes([pad]) + payload + bytes(pad)


def priority_field(depends_on, weight=16, exclusive=False):
    return (depends_on | (0x80000000 if exclusive else 0)).to_bytes(4, "big") + bytes([weight - 1])


def settings_payload(settings):
    """settings: {Setting: value}, or pairs when one is to be there twice."""
    pairs = settings.items() if isinstance(settings, dict) else settings
    return b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs)


# HPACK. RFC7541:5 and 6

def octets(value):
    return value.encode("latin-1") if isinstance(value, str) else bytes(value)


def integer(value, bits, first=0):
    """An integer with a prefix of so many bits, below the bits of `first`."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out + [value])


def string(value, huffman=False):
    """A string literal; huffman: its octets are said to be of that code, and are sent as they are."""
    value = octets(value)
    return integer(len(value), 7, 0x80 if huffman else 0) + value


def indexed(index):
    """A field that is in a table: 2 is :method GET, 4 :path /, 62 the newest of the dynamic table."""
    return integer(index, 7, 0x80)


FORMS = {"plain": (0x00, 4), "never": (0x10, 4), "added": (0x40, 6)}


def literal(name, value, form="plain"):
    """A field with its value. name: text, or the index of one in a table. form: added to the dynamic table; plain: not;
    never: not by intermediaries either."""
    first, bits = FORMS[form]
    start = integer(name, bits, first) if isinstance(name, int) else bytes([first]) + string(name)
    return start + string(value)


def table_size(octet_count):
    """A change of the dynamic table's size; must come first in a block."""
    return integer(octet_count, 5, 0x20)


def encode(fields):
    """A field block: pairs become plain literals, bytes stay as they are."""
    return b"".join(field if isinstance(field, bytes) else literal(*field) for field in fields)


def h2_request(method, path, authority="a", scheme="http", fields=(), protocol=None):
    """The fields of a request, as pairs. None leaves a pseudo-field out; protocol makes an extended CONNECT."""
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority),
              (":protocol", protocol)]
    return [(name, value) for name, value in pseudo if value is not None] + list(fields)
