"""The client of a WebSocket over HTTP/1.1, which knows the rules and may break them (RFC 6455)."""
import struct

from .checks import expect, expect_true

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ASK = ("Host: a.example", "Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {KEY}",
       "Sec-WebSocket-Version: 13")


def head(*lines, target="/ws", method="GET", version="HTTP/1.1"):
    return "\r\n".join([f"{method} {target} {version}", *lines, "", ""])


def said(opcode, payload=b"", fin=True, mask=b"\x11\x22\x33\x44", reserved=0):
    """A frame as a client sends it; mask=None: as it must not. RFC6455:5.2"""
    n, masked = len(payload), 0x80 if mask is not None else 0
    out = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if n < 126:
        out += bytes([masked | n])
    elif n < 65536:
        out += struct.pack(">BH", masked | 126, n)
    else:
        out += struct.pack(">BQ", masked | 127, n)
    if mask is None:
        return out + payload
    keys = (mask * (n // 4 + 1))[:n]
    return out + mask + (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(n, "big")


def bye(code, reason=b""):
    return struct.pack(">H", code) + reason


class WebSocket:
    """The far side of an echo, on a connection on which nothing was said yet. also: what is said with the handshake.
    may_fail: that there is another answer than the switch."""

    def __init__(self, connection, target="/ws", also=b"", may_fail=False):
        self.c = connection
        self.c.send(head(*ASK, target=target).encode() + also)
        self.answer = self.c.response()
        if not may_fail:
            self.answer.expect(101, "protocol-switch")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.c.close()

    def say(self, *frame, **more):
        self.c.send(said(*frame, **more))
        return self

    def hear(self):
        """The next frame, (opcode, payload): whole, without a mask, its length written as short as it can be."""
        first, second = self.c._exactly(2)
        expect((first >> 4, second >> 7), (8, 0), "FIN alone, no mask")
        n = second
        if n > 125:
            n = int.from_bytes(self.c._exactly(2 if n == 126 else 8), "big")
            expect_true(n > (125 if second == 126 else 65535), f"{n} is not written as short as it can be")
        return first & 15, self.c._exactly(n)

    def expect(self, opcode, payload=b""):
        got = self.hear()
        if got != (opcode, payload):
            raise AssertionError(f"got {got[0]} {got[1][:80]!r} ({len(got[1])}), wanted {opcode} {payload[:80]!r}"
                                 f" ({len(payload)})")
        return self

    def echoes(self, payload=b"hello", opcode=BINARY):
        return self.say(opcode, payload).expect(opcode, payload)

    def closes(self, code=1000):
        """Ends it in good order: the server says goodbye, and closes first. RFC6455:7.1.1"""
        self.say(CLOSE, bye(code)).expect(CLOSE, bye(code))
        self.c.expect_closed()
        return self.answer


def open_on(server, secure=False, target="/ws", also=b"", **more):
    return WebSocket(server.connect_tls(**more) if secure else server.connect(**more), target, also)
