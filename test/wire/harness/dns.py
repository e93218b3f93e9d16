"""A name server of a few names, over UDP and TCP, that can be slow, silent or wrong about them."""
import contextlib
import socket
import struct
import threading
import time

from .upstream import bound_socket

TYPES = {1: "A", 5: "CNAME", 28: "AAAA"}
NUMBERS = {name: number for number, name in TYPES.items()}
NO_ERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
MOST_ALIASES = 16  # so that a circle of them has an end
WAIT_SECONDS = 5


class Dns:
    """names       {"app.test": ["127.0.0.1", "::1"]}: all others are NXDOMAIN, types not there are empty
    aliases     {"www.test": "app.test"}: CNAME
    ttl         seconds; ttls: {name: seconds} for single ones
    delays      {name or (name, "AAAA"): seconds}
    questions   (name, type) of each, in order
    """

    def __init__(self, names=None, ttl=60):
        self.names, self.aliases, self.ttl, self.ttls, self.delays = dict(names or {}), {}, ttl, {}, {}
        self.behaviours = {}
        self.questions = []
        self.changed = threading.Condition()
        self.stream, self.datagrams = pair()
        self.stream.listen(16)
        self.port = self.stream.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._serve_datagrams, daemon=True).start()
        threading.Thread(target=self._serve_stream, daemon=True).start()

    # What it says of a name, or of all with "*"

    def silent(self, name):
        return self._behave(name, "silent")

    def servfail(self, name):
        return self._behave(name, SERVFAIL)

    def refused(self, name):
        return self._behave(name, REFUSED)

    def truncated(self, name):
        """Over UDP only that the answer is too long; over TCP all of it."""
        return self._behave(name, "truncated")

    def garbage(self, name):
        return self._behave(name, "garbage")

    def right(self, name):
        """As names says, again."""
        self.behaviours.pop(name, None)
        return self

    def _behave(self, name, how):
        self.behaviours[name] = how
        return self

    def wait_questions(self, count=1, seconds=WAIT_SECONDS):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.questions) >= count, seconds):
                raise AssertionError(f"no {count} questions within {seconds} s, but {self.questions}")
            return list(self.questions)

    # Serving

    def _serve_datagrams(self):
        while True:
            query, peer = self.datagrams.recvfrom(4096)
            threading.Thread(target=self._serve_one, args=(query, False, lambda data, to=peer: self._send_to(data, to)),
                             daemon=True).start()

    def _send_to(self, data, peer):
        with contextlib.suppress(OSError):
            self.datagrams.sendto(data, peer)

    def _serve_stream(self):
        while True:
            connected, _ = self.stream.accept()
            connected.settimeout(WAIT_SECONDS)
            threading.Thread(target=self._serve_connection, args=(connected,), daemon=True).start()

    def _serve_connection(self, connected):
        with connected, contextlib.suppress(OSError, struct.error):
            while True:
                (size,) = struct.unpack("!H", connected.recv(2, socket.MSG_WAITALL))
                query = connected.recv(size, socket.MSG_WAITALL)
                self._serve_one(query, True, lambda data: connected.sendall(struct.pack("!H", len(data)) + data))

    def _serve_one(self, query, stream, send):
        name, kind, end = asked(query)
        with self.changed:
            self.questions.append((name, kind))
            self.changed.notify_all()
        time.sleep(self.delays.get((name, kind), self.delays.get(name, 0)))
        how = self.behaviours.get(name, self.behaviours.get("*"))
        if how == "garbage":
            send(query[:2] + b"\xff" * 30)
        elif how == "truncated" and not stream:
            send(reply(query, end, NO_ERROR, [], truncated=True))
        elif how in (SERVFAIL, REFUSED):
            send(reply(query, end, how, []))
        elif how != "silent":
            send(reply(query, end, *self._records(name, kind)))

    def _records(self, name, kind):
        records, known = [], name in self.aliases or name in self.names
        while name in self.aliases and len(records) < MOST_ALIASES:
            records.append(record(name, "CNAME", written(self.aliases[name]), self.ttls.get(name, self.ttl)))
            name = self.aliases[name]
        for address in self.names.get(name, ()):
            if (":" in address) == (kind == "AAAA") and kind in ("A", "AAAA"):
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                records.append(record(name, kind, socket.inet_pton(family, address), self.ttls.get(name, self.ttl)))
        return NO_ERROR if known else NXDOMAIN, records


def pair():
    """Sockets of TCP and UDP that have the same port."""
    while True:
        stream, datagrams = bound_socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind(stream.getsockname())
            return stream, datagrams
        except OSError:
            stream.close()
            datagrams.close()


def asked(query):
    """(name, type, offset of the end) of the first question."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    (number,) = struct.unpack("!H", query[at + 1:at + 3])
    return ".".join(labels), TYPES.get(number, str(number)), at + 5


def written(name):
    return b"".join(bytes((len(label),)) + label.encode("latin-1") for label in name.split(".")) + b"\0"


def record(name, kind, data, ttl):
    return written(name) + struct.pack("!HHIH", NUMBERS[kind], 1, ttl, len(data)) + data


def reply(query, end, code, records, truncated=False):
    """RFC 1035 section 4.1: authoritative, recursion as was desired."""
    flags = 0x8480 | (query[2] & 1) << 8 | code | (0x0200 if truncated else 0)
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + query[12:end] + b"".join(records)
