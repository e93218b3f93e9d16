"""A tunnel has two directions, and each ends for itself: who has said all still listens. RFC9110:9.3.6"""
import contextlib
import time
from pathlib import Path

from harness import (H2, Error, Pki, Server, Silent, Switch, Upstream, configured, expect, expect_in, expect_true,
                     free_port, pattern, test)

LOCAL = "127.0.0.1"
LATER = pattern(0, 300000)  # more than sockets, windows and buffers hold unread

pki = Pki()
shown = pki.server("a.example", LOCAL)
app = Upstream("app")
heard = {}


class Both(Server):
    """A gateway and a forward proxy, over all that clients may speak."""

    def __init__(self, **top):
        self.forward_port = free_port()
        idle = "2s"
        super().__init__(pki=pki, config=configured(
            {"path": "/", "gateway": {"upstream": "app", "tunnel_idle": idle}},
            {"path": "/idle", "gateway": {"upstream": "app", "tunnel_idle": "300ms"}},
            upstreams=[{"name": "app", "servers": app.address, "fails": 1}], workers=1, h2c=True,
            tls={"listen": f"{LOCAL}:{{tls_port}}", "certificates": [
                {"certificate": str(shown.certificate), "key": str(shown.key)}]},
            forward={"listen": f"{LOCAL}:{self.forward_port}", "allow": "127.0.0.0/8", "ports": [app.port],
                     "tunnel_idle": idle}, **top))


site = Both()


def says_goodbye(pause=0.0):
    """An upstream that says all it has to say at once, and then listens, slowly at first."""
    def steps(link):
        link.send(b"goodbye")
        link.finish_sending()
        time.sleep(pause)
        all_of_it = b""
        while link.kept or link.fill():
            all_of_it += link.kept
            link.kept = b""
        heard[link.request.target if link.request else "bare"] = all_of_it
        link.finish("closed by peer")
    return steps


def answers_at_the_end(link):
    """An upstream that answers when it has heard all."""
    total = 0
    while link.kept or link.fill():
        total += len(link.kept)
        link.kept = b""
    link.send(b"%d bytes" % total)
    link.finish("closed")


class OverH1:
    """A tunnel in place of a connection: of an Upgrade, or of CONNECT where a proxy is asked."""

    def __init__(self, target, tls=False, proxy=False, **more):
        self.c = site.connect_tls(**more) if tls else site.connect(port="forward_port" if proxy else "port", **more)
        if proxy:
            self.c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n\r\n").head().expect(200, "proxy-tunnel-opened")
            self.c.send(f"GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n")
            self.c.response().expect(101)
            return
        self.c.send(f"GET {target} HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n")
        self.c.response().expect(101, "upstream-switched")

    def say(self, data):
        self.c.send(data)

    def end(self):
        self.c.finish_sending()

    def hears(self, data):
        expect(self.c._exactly(len(data)), data)  # pylint: disable=protected-access

    def hears_the_end(self):
        self.c.expect_closed()

    def is_over(self):
        """The other side has let go of it altogether."""
        self.c.close()

    def reset(self):
        self.c.reset()

    def close(self):
        self.c.close()


class OverH2:
    """A tunnel in one stream: of an extended CONNECT, or of CONNECT where a proxy is asked."""

    def __init__(self, target, tls=False, proxy=False):
        self.h = site.h2_tls() if tls else H2(site.connect(port="forward_port")) if proxy else site.h2()
        if proxy:
            self.stream = 1
            self.h.headers(1, [(":method", "CONNECT"), (":authority", app.address)], end_stream=False)
            self.h.head(1).expect(200, "proxy-tunnel-opened")
            self.h.data(1, f"GET {target} HTTP/1.1\r\nHost: a\r\n".encode() +
                        b"Connection: Upgrade\r\nUpgrade: echo/1\r\n\r\n")
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += self.h.take(1, 1)
            return
        self.stream = self.h.request("CONNECT", target, None, end_stream=False, protocol="websocket", authority="a.example",
                                     fields=[("sec-websocket-version", "13")])
        expect(self.h.head(self.stream).status, 200)

    def say(self, data):
        expect(self.h.content(self.stream, data, end_stream=False), len(data))

    def end(self):
        self.h.data(self.stream, b"", end_stream=True)

    def hears(self, data):
        expect(self.h.take(self.stream, len(data)), data)

    def hears_the_end(self):
        answer = self.h.response(self.stream)
        expect((answer.content, answer.ended, answer.reset), (b"", True, None))

    def is_over(self):
        self.h.roundtrip()
        expect(self.h.response(self.stream).reset, None)
        self.h.close()

    def reset(self):
        self.h.rst(self.stream, Error.CANCEL)
        self.h.roundtrip()

    def close(self):
        self.h.close()


KINDS = [(OverH1, {}), (OverH1, {"tls": True}), (OverH1, {"proxy": True}), (OverH2, {}), (OverH2, {"tls": True}),
         (OverH2, {"proxy": True})]


def each(path, *steps):
    """A tunnel of each kind to an upstream that does the steps after it switched; its target."""
    for number, (kind, how) in enumerate(KINDS):
        target = f"{path}{number}"
        app.reset_log().script(target, [Switch(), *steps])
        with contextlib.closing(kind(target, **how)) as tunnel:
            yield tunnel, target, how


def link_of(target):
    return next(one for one in app.wait_requests() if one.target == target).link


def line_of(target, how):
    return site.log_where(**({"target": app.address} if how.get("proxy") else {"target": target}))


def clock_ticks():
    """Of processor time that the server has taken, in hundredths of a second."""
    parts = Path(f"/proc/{site.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(parts[11]) + int(parts[12])


@test(seconds=20)
def who_was_told_goodbye_may_go_on():
    for tunnel, target, how in each("/goodbye", says_goodbye()):
        tunnel.hears(b"goodbye")
        tunnel.hears_the_end()
        time.sleep(0.05)
        tunnel.say(b"one more thing, ")
        time.sleep(0.05)
        tunnel.say(LATER)
        tunnel.end()
        expect(link_of(target).wait_end(3), "closed by peer")
        expect_true(heard[target] == b"one more thing, " + LATER, f"{target}: {len(heard[target])} bytes were heard")
        tunnel.is_over()
        if not how.get("proxy"):
            expect("broken" in line_of(target, how), False, target)


@test(seconds=20)
def what_was_said_is_not_lost_on_who_reads_slowly():
    for tunnel, target, _ in each("/slow", says_goodbye(0.3)):
        tunnel.say(LATER[:100000])
        tunnel.say(LATER[100000:])
        tunnel.end()
        expect(link_of(target).wait_end(3), "closed by peer")
        expect_true(heard[target] == LATER, f"{target}: {len(heard[target])} bytes were heard")
        tunnel.hears(b"goodbye")
        tunnel.hears_the_end()
        tunnel.is_over()


@test(seconds=20)
def who_has_said_all_still_listens():
    for tunnel, target, how in each("/all", answers_at_the_end):
        tunnel.say(LATER)
        tunnel.end()
        tunnel.hears(b"300000 bytes")
        tunnel.hears_the_end()
        tunnel.is_over()
        if not how.get("proxy"):
            expect("broken" in line_of(target, how), False, target)


@test()
def silence_ends_a_half_too():
    started = time.monotonic()
    for tunnel, target, how in each("/idle/half", says_goodbye()):
        if how.get("proxy"):
            continue
        tunnel.hears(b"goodbye")
        tunnel.hears_the_end()
        before = clock_ticks()
        for _ in range(4):
            time.sleep(0.1)
            tunnel.say(b"x")
        expect_true(clock_ticks() - before < 15, f"{target}: the wait takes {clock_ticks() - before} ticks")
        expect(link_of(target).wait_end(2), "closed by peer")
        expect(heard[target], b"xxxx")
        expect(line_of(target, how)["broken"], "tunnel-idle", target)
    expect_true(time.monotonic() - started < 8, "no longer than it may be")


@test()
def an_upstream_that_has_closed_both_ways_hears_nothing():
    for tunnel, target, how in each("/closed", b"bye", lambda link: link.finish("closed")):
        tunnel.hears(b"bye")
        tunnel.hears_the_end()
        with contextlib.suppress(ConnectionError, AssertionError):
            for _ in range(4):
                tunnel.say(b"too late")
                time.sleep(0.02)
        if not how.get("proxy"):
            expect("broken" in line_of(target, how), False, target)


@test()
def who_breaks_off_is_no_silence():
    for after in (False, True):
        for tunnel, target, how in each(f"/left{after:d}", *([says_goodbye()] if after else [Silent()])):
            if after:
                tunnel.hears(b"goodbye")
                tunnel.hears_the_end()
            tunnel.say(b"x")
            tunnel.reset()
            link_of(target).wait_end(2)
            if not how.get("proxy"):
                expect_in(line_of(target, how)["broken"], ("client-closed-during-response", "response-cancelled"))
    # Nobody who failed: with fails: 1 the group would be down now.
    expect(site.get("/").expect(200, "upstream-answered").status, 200)


@test()
def a_broken_record_is_no_end():
    app.reset_log().script("/record", [Switch(), Silent()])
    tunnel = OverH1("/record", tls=True)
    tunnel.c.socket.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    link_of("/record").wait_end(2)
    expect(site.log_where(target="/record")["broken"], "client-closed-during-response")
    tunnel.close()


@test()
def the_word_of_the_end_waits_for_room():
    def much(link):
        link.send(LATER * 10)
        says_goodbye()(link)
    for how in ({}, {"tls": True}):
        target = f"/much{len(how)}"
        app.reset_log().script(target, [Switch(), much])
        tunnel = OverH1(target, window_bytes=16384, **how)
        time.sleep(0.2)
        tunnel.hears(LATER * 10)
        tunnel.hears(b"goodbye")
        tunnel.hears_the_end()
        tunnel.say(b"heard")
        tunnel.end()
        expect(link_of(target).wait_end(3), "closed by peer")
        expect(heard[target], b"heard")
        tunnel.close()


@test()
def a_client_may_be_silent_while_it_is_spoken_to():
    def speaks(link):
        for _ in range(6):
            time.sleep(0.1)
            link.send(b"tick")
        link.finish("closed")
    with Server(config=configured({"path": "/", "gateway": {"upstream": "app", "tunnel_idle": "5s"}}, workers=1,
                                  h2c=True, upstreams=[{"name": "app", "servers": app.address}],
                                  times={"tunnel_idle_ms": 100})) as one:
        app.script("/ticks", [Switch(), lambda link: time.sleep(0.4), speaks])
        with one.connect() as c:
            c.send("GET /ticks HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n")
            c.response().expect(101)
            expect(c._exactly(24), b"tick" * 6)  # pylint: disable=protected-access
        with one.h2() as h:
            stream = h.request("CONNECT", "/ticks", None, end_stream=False, protocol="websocket", authority="a.example",
                               fields=[("sec-websocket-version", "13")])
            expect(h.head(stream).status, 200)
            expect(h.take(stream, 24), b"tick" * 6)
