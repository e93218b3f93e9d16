"""A server for the program to be in front of: it answers, or fails, as a test says, and keeps what it saw."""
import atexit
import collections
import json
import random
import shutil
import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path

from .upstream_failures import FAILURES
from .upstream_link import Link
from .upstream_steps import response

PORTS = (20000, 32000)  # below those that the system chooses for clients
WAIT_SECONDS = 5
IDLE_SECONDS = 60
BACKLOG = 128

held = []


def bound_socket(host="127.0.0.1", port=None):
    """A TCP socket bound to the port, or to a free one of PORTS; it does not listen yet. While it is there nobody else
    is given that port by chance, but whoever wants just this one (with SO_REUSEADDR) can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for _ in range(1000):
        one = socket.socket(family, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(port is not None))
        try:
            one.bind((host, port or random.randrange(*PORTS)))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            return one
        except OSError:
            one.close()
            if port:
                raise
    raise AssertionError(f"no free port on {host}")


def refusing_port(host="127.0.0.1"):
    """A port at which connections are refused, and which nobody else gets while this file runs."""
    one = bound_socket(host)
    held.append(one)
    return one.getsockname()[1]


def full_port(host="127.0.0.1"):
    """A port whose backlog is full: a SYN to it is dropped, so that connecting takes for ever."""
    listener = bound_socket(host)
    listener.listen(0)
    held.append(listener)
    for _ in range(8):
        one = socket.socket(listener.family, socket.SOCK_STREAM)
        one.settimeout(0.1)
        held.append(one)
        try:
            one.connect(listener.getsockname())
        except TimeoutError:
            return listener.getsockname()[1]
    raise AssertionError("the backlog does not fill")


def full_path():
    """A unix socket whose backlog is full."""
    folder = Path(tempfile.mkdtemp(prefix="verdict-upstream-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "socket"))
    listener.listen(0)
    held.append(listener)
    for _ in range(8):
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.setblocking(False)
        held.append(one)
        try:
            one.connect(str(folder / "socket"))
        except BlockingIOError:
            return str(folder / "socket")
    raise AssertionError("the backlog does not fill")


def echoed(request):
    """The answer to what no test spoke of: the request, as JSON."""
    told = {"upstream": request.link.app.name, "connection": request.link.number, "method": request.method,
            "target": request.target, "version": request.version, "fields": request.fields, "length": request.length,
            "sha256": request.sha256, "trailers": request.trailers}
    return response(200, json.dumps(told).encode(), [("Content-Type", "application/json")])


def make_context(certificate, client_ca=None, alpn=(), minimum=None, maximum=None):
    """client_ca: path of the authority whose certificate a client must show."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    if minimum:
        context.minimum_version = getattr(ssl.TLSVersion, minimum.replace(".", "_"))
    if maximum:
        context.maximum_version = getattr(ssl.TLSVersion, maximum.replace(".", "_"))
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class Rule:
    """What happens to a request: `make` (bytes, or a function of the request that returns them) or `steps`."""

    def __init__(self, make=None, steps=None, early=False, times=None):
        self.make, self.steps, self.early, self.left = make, steps, early, times


class Upstream:
    """Listens as soon as it is made, until the file ends or stop().

    name            told by the echo that answers when nothing else is said
    host, port      to listen there; a free port by default
    unix            listens at a unix socket, `path`, instead
    tls             the Certificate to show; tls_options: client_ca=, alpn=, minimum= and maximum= "TLSv1.2"
    at_connect      steps done on each new connection before anything is read, also before TLS
    proxy_protocol  a PROXY header (v1 or v2) comes first; link.proxy_header has its bytes
    window_bytes    how much may be under way to us
    idle_seconds    how long to wait for a next request or for the rest of one
    netns           a Netns in which to listen; host is an address there

    requests        of each Request whose head was read, in order
    connections     of each Link that was accepted, in order
    """

    link_class = Link
    usual = staticmethod(echoed)

    def __init__(self, name="upstream", host="127.0.0.1", port=None, unix=False, tls=None, tls_options=None,
                 at_connect=(), proxy_protocol=False, window_bytes=None, idle_seconds=IDLE_SECONDS, netns=None):
        self.name, self.host, self.unix, self.port = name, host, unix, port
        self.at_connect, self.proxy_protocol = list(at_connect), proxy_protocol
        self.window_bytes, self.idle_seconds, self.netns = window_bytes, idle_seconds, netns
        self.context = make_context(tls, **(tls_options or {})) if tls else None
        if self.context:
            self.context.sni_callback = self._asked_for
        self.requests, self.connections, self.errors = [], [], []
        self.changed = threading.Condition()
        self.over, self.local = threading.Event(), threading.local()
        self.rules = collections.defaultdict(list)
        self.accepted = 0
        self.listener = self.holder = None
        self.folder = Path(tempfile.mkdtemp(prefix="verdict-upstream-")) if unix else None
        self.path = str(self.folder / "socket") if unix else None
        atexit.register(self.remove)
        self.up()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()

    @property
    def address(self):
        """127.0.0.1:PORT, [::1]:PORT or unix:PATH."""
        if self.unix:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    # What it does

    def answer(self, path, make, times=None):
        """Requests for `path` get these bytes, see response(), or what the function `make` returns for the Request.

        path   a path, a whole target, or "*" for all that nothing else was said of
        times  only so many requests; then what was said before holds again
        """
        return self._say(path, Rule(make=make, times=times))

    def script(self, path, steps, early=False, times=None):
        """Requests for `path` make it do the steps. early: they begin with the content unread; so they do when
        ReadContent is among them."""
        reads = any(getattr(step, "reads_content", False) for step in steps)
        return self._say(path, Rule(steps=list(steps), early=early or reads, times=times))

    def fail(self, path, failure, times=None, **how):
        """Requests for `path` meet a failure of FAILURES, by name; how: what that failure lets one say."""
        steps, early = FAILURES[failure](**how)
        return self.script(path, steps, early, times)

    def _say(self, path, rule):
        with self.changed:
            others = [one for one in self.rules[path] if rule.left is not None or one.left is not None]
            self.rules[path] = others + [rule]
        return self

    def rule_for(self, request):
        with self.changed:
            for path in (request.target, request.path, "*"):
                for rule in sorted(self.rules.get(path, ()), key=lambda one: one.left is None):
                    return self._used(path, rule)
        return Rule(make=self.usual)

    def _used(self, path, rule):
        if rule.left is not None:
            rule.left -= 1
            if rule.left == 0:
                self.rules[path].remove(rule)
        return rule

    # What it saw

    @property
    def open(self):
        """How many connections are open now."""
        return sum(1 for link in list(self.connections) if link.ended is None)

    def wait(self, truth, about, seconds=WAIT_SECONDS):
        """Waits until truth() of what was seen."""
        with self.changed:
            if not self.changed.wait_for(lambda: truth() or self.errors, seconds) or self.errors:
                raise AssertionError(f"{self.name}: no {about} within {seconds} s; {len(self.requests)} requests, "
                                     f"{[str(link) for link in self.connections]}\n{''.join(self.errors)}")

    def wait_requests(self, count=1, seconds=WAIT_SECONDS, whole=True):
        """Waits for so many requests in all; whole: with their content. Returns all of them."""
        self.wait(lambda: sum(1 for one in self.requests if one.whole or not whole) >= count,
                  f"{count} requests", seconds)
        return list(self.requests)

    def wait_connections(self, count=1, seconds=WAIT_SECONDS):
        self.wait(lambda: len(self.connections) >= count, f"{count} connections", seconds)
        return list(self.connections)

    def wait_open(self, count=0, seconds=WAIT_SECONDS):
        """Waits until so many connections are open."""
        self.wait(lambda: self.open == count, f"{count} open connections", seconds)

    def expect_quiet(self, seconds=0.2):
        """No further request comes within so many seconds."""
        before = len(self.requests)
        time.sleep(seconds)
        if len(self.requests) != before:
            raise AssertionError(f"{self.name}: got {self.requests[before]}")

    def reset_log(self):
        """Forgets the requests, and the connections that have ended."""
        with self.changed:
            self.requests.clear()
            self.connections[:] = [link for link in self.connections if link.ended is None]
        return self

    # Being there

    def up(self):
        """Listens (again)."""
        if self.holder is not None:
            self.holder.close()
            self.holder = None
        self.listener = self.netns.inside(self._listen) if self.netns else self._listen()
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()
        return self

    def _listen(self):
        if self.unix:
            Path(self.path).unlink(missing_ok=True)
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            one.bind(self.path)
        else:
            one = bound_socket(self.host, self.port)
            self.port = one.getsockname()[1]
        if self.window_bytes is not None:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window_bytes)
        one.listen(BACKLOG)
        return one

    def down(self, cut=True):
        """Refuses connections until up(); cut: those that are open end, too. The port stays ours."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        if not self.unix and not self.netns and self.holder is None:
            self.holder = bound_socket(self.host, self.port)
        if cut:
            self.cut()
        return self

    def cut(self):
        """Ends all connections that are open."""
        for link in list(self.connections):
            link.stop()

    def stop(self):
        self.over.set()
        self.down()
        if self.holder is not None:
            self.holder.close()

    def remove(self):
        self.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _accept(self, listener):
        while not self.over.is_set():
            try:
                connected, peer = listener.accept()
            except OSError:
                return
            if listener is not self.listener:
                connected.close()
                return
            with self.changed:
                self.accepted += 1
                link = self.link_class(self, connected, peer, self.accepted)
                self.connections.append(link)
                link.thread.start()
                self.changed.notify_all()

    def _asked_for(self, _, name, context):
        self.local.link.sni = name
