"""The ways in which an upstream fails, each by name: what it does after the head of a request, and (early) whether it
does so with the content unread."""
from .upstream_steps import (Close, Drip, Echo, Flood, HalfClose, Interim, Read, Reset, Silent, Sleep, AwaitBytes,
                             Switch, chunked, response, tls_alert)

OK = b"HTTP/1.1 200 OK\r\n"
TEN = b"0123456789"


def sent(data, end=None):
    """Sends the data and closes, or does what `end` says."""
    return lambda: ([data, end or Close()], False)


def cut(part, end):
    """As much as `sent_bytes` of an answer, beyond its head when in the content, then the end."""
    def make(sent_bytes=5):
        whole = response(200, TEN * 10, [("Content-Type", "text/plain")])
        head = whole.index(b"\r\n\r\n") + 4
        return [whole[:(head if part == "content" else 0) + sent_bytes], end], False
    return make


def huge_head(size_bytes=1 << 20, field_bytes=100):
    line = b"X-Filler: " + b"f" * (field_bytes - 12) + b"\r\n"
    return [OK + line * (size_bytes // len(line)) + b"Content-Length: 0\r\n\r\n", Close()], False


def endless_head():
    return [OK + b"X-Filler: ", Flood(1 << 30), Close()], False


def huge_trailers(size_bytes=1 << 20):
    fields = [(f"X-Trailer-{i}", "t" * 1000) for i in range(size_bytes // 1000)]
    return [response(200, pieces=[b"hello"], trailers=fields), Close()], False


def huge_interim(size_bytes=1 << 20):
    return [Interim(103, (("Link", "<" + "l" * size_bytes + ">"),)), response(200, b"late")], False


def slow_head(pause=0.2, size=1):
    return [Drip(response(200, b"slow"), size, pause)], False


def slow_content(pause=0.2, size=1, count=100):
    return [OK + b"Content-Length: %d\r\n\r\n" % count, Drip(b"s" * count, size, pause)], False


def stalled(part, sent_bytes=5, seconds=30):
    steps, early = cut(part, Silent(seconds))(sent_bytes)
    return steps, early


def no_answer(seconds=30):
    return [Silent(seconds)], False


def late_answer(seconds=1):
    return [Sleep(seconds), response(200, b"late")], False


def unread_content(seconds=30):
    return [Silent(seconds)], True


def early_answer(status=200, seconds=30):
    return [response(status, b"early", [("Connection", "close")]), Silent(seconds)], True


def interim_flood(count=30, status=102):
    return [Interim(status)] * count + [response(200, b"after the flood")], False


def interim_sequence():
    hint = Interim(103, (("Link", "</a.css>; rel=preload"),))
    return [Interim(100), Interim(102), hint, response(200, b"final")], False


def extra_bytes(extra=b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"):
    return [response(200, b"right") + extra], False


def stale(reset=False):
    """A good answer on a connection that may be kept; it ends when the next request begins to come."""
    return [response(200, b"fresh"), AwaitBytes(), Reset() if reset else Read(), Close()], False


def fields(*lines):
    """A good answer but for these field lines."""
    return sent(OK + b"".join(line + b"\r\n" for line in lines) + b"Content-Length: 5\r\n\r\nhello")


def lengths(*values, content=b"hello"):
    return sent(OK + b"".join(b"Content-Length: %s\r\n" % one for one in values) + b"\r\n" + content)


def coded(coding, data, end=None):
    return sent(OK + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + data, end)


FAILURES = {
    # No answer
    "no-answer": no_answer, "late-answer": late_answer, "unread-content": unread_content,
    "close-before-answer": sent(b""), "reset-before-answer": sent(b"", Reset()),
    "close-unread": lambda: ([Close()], True), "reset-unread": lambda: ([Reset()], True),
    # The head
    "close-in-head": cut("head", Close()), "reset-in-head": cut("head", Reset()),
    "stall-in-head": lambda **how: stalled("head", **how), "slow-head": slow_head,
    "garbage": sent(bytes(range(128, 256)) * 4), "garbage-line": sent(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "empty-lines": sent(b"\r\n\r\n"), "no-head": sent(b"<html>content without a head</html>"),
    "bad-version": sent(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "bad-status": sent(b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"),
    "status-of-four": sent(b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
    "status-below": sent(b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n"),
    "status-999": sent(b"HTTP/1.1 999 High\r\nContent-Length: 5\r\n\r\nhello"),
    "space-before-colon": fields(b"X-Field : a"), "no-colon": fields(b"X-Field"), "no-name": fields(b": a"),
    "folded-field": fields(b"X-Field: a", b" b"), "nul-in-field": fields(b"X-Field: a\0b"),
    "cr-in-field": fields(b"X-Field: a\rb"), "control-in-field": fields(b"X-Field: a\x01b"),
    "bare-lf": sent(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
    "huge-head": huge_head, "endless-head": endless_head,
    "huge-field": lambda size_bytes=1 << 20: huge_head(size_bytes, size_bytes),
    "many-fields": lambda count=5000: huge_head(count * 20, 20), "huge-interim": huge_interim,
    # Framing
    "two-lengths": lengths(b"5", b"6"), "same-lengths": lengths(b"5", b"5"), "length-list": lengths(b"5, 6"),
    "bad-length": lengths(b"+5"), "huge-length": lengths(b"99999999999999999999999"),
    "length-and-chunked": coded(b"chunked\r\nContent-Length: 5", chunked([b"hello"])),
    "bad-coding": coded(b"gibberish", b"hello"), "coding-after-chunked": coded(b"chunked, gzip", chunked([b"hello"])),
    "chunked-twice": coded(b"chunked, chunked", chunked([b"hello"])),
    "bad-chunk": coded(b"chunked", b"5\r\nhello\r\nZZ\r\nworld\r\n0\r\n\r\n"),
    "bad-chunk-end": coded(b"chunked", b"5\r\nhelloworld\r\n0\r\n\r\n"),
    "huge-chunk-size": coded(b"chunked", b"fffffffffffffffffff\r\nhello"),
    "huge-chunk-extension": coded(b"chunked", b"5;" + b"e" * (1 << 20) + b"\r\nhello\r\n0\r\n\r\n"),
    "cut-chunk": coded(b"chunked", b"a\r\nhello"), "no-last-chunk": coded(b"chunked", b"5\r\nhello\r\n"),
    "reset-in-chunk": coded(b"chunked", b"a\r\nhello", Reset()), "huge-trailers": huge_trailers,
    "http10-no-length": sent(b"HTTP/1.0 200 OK\r\n\r\nto the end"),
    "http10-reset": lambda: ([b"HTTP/1.0 200 OK\r\n\r\nto the end", Sleep(0.05), Reset()], False),
    "extra-bytes": extra_bytes,
    # The content
    "close-in-content": cut("content", Close()), "reset-in-content": cut("content", Reset()),
    "stall-in-content": lambda **how: stalled("content", **how), "slow-content": slow_content,
    "half-close": lambda: ([response(200, b"half"), HalfClose(), Silent()], False),
    "close-notify-missing": sent(OK + b"\r\nto the end", Close(notify=False)),
    # Interim answers and switching
    "interim-flood": interim_flood, "interim-sequence": interim_sequence,
    "interim-only": lambda: ([Interim(103), Close()], False),
    "interim-unknown": lambda: ([Interim(142), response(200, b"final")], False),
    "early-answer": early_answer, "switch": lambda: ([Switch(), Echo()], False),
    "switch-other": lambda: ([Switch("other-protocol"), Echo()], False),
    "switch-bare": sent(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Echo()),
    # Kept connections
    "stale": stale, "stale-reset": lambda: stale(True),
    "stale-idle": lambda: ([response(200, b"fresh"), Close()], False),
}

# What it does on every new connection, for at_connect.
CONNECT_FAILURES = {
    "silent": [Silent()], "close": [Close()], "reset": [Reset()],
    "answer-unasked": [response(200, b"unasked"), Read(), Close()],
    "timeout-unasked": [response(408, b"", [("Connection", "close")]), Close()],
    "plain-for-tls": [Read(), response(400, b"plain"), Close()], "tls-alert": [Read(), tls_alert(40), Close()],
    "tls-garbage": [Read(), b"\xff" * 64, Close()], "tls-silent": [Silent()], "tls-close": [Read(), Close()],
    "tls-reset": [Read(), Reset()],
}
