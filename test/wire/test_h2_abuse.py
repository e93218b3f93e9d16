"""HTTP/2: what costs a client little and a server much ends, is counted, and harms nobody else. RFC 9113:10.5"""
import re
import threading
import time

from harness import (Error, Server, Setting, Type, build_dir, configured, encode, expect, expect_true, files, frame,
                     h2_request, indexed, literal, test)

BIG = 3000000
LIMITS = {"h2_streams": 10, "h2_resets": 10, "h2_control_frames": 20, "h2_continuations": 4, "head_bytes": 4096,
          "field_bytes": 2048, "target_bytes": 512, "h2_window_bytes": 65535, "h2_connection_window_bytes": 65535}
TIMES = {"send_wait_ms": "400ms", "content_wait_ms": "400ms", "head_wait_ms": "400ms", "keep_alive_ms": "2s",
         "linger_ms": "300ms"}
TREE = {"a.txt": "hello", "big.bin": bytes(BIG)}
ROUTES = [files(write=True), {"path": "/ws", "websocket": "echo"}]
site = Server(TREE, config=configured(*ROUTES, h2c=True, workers=1, limits=LIMITS, times=TIMES), admin=True)
patient = Server(TREE, config=configured(*ROUTES, h2c=True, workers=1, times=TIMES,
                                         limits={"h2_control_frames": 1000000, "h2_resets": 1000000}), admin=True)

GET, PUT, DOWN = h2_request("GET", "/a.txt"), h2_request("PUT", "/new"), h2_request("GET", "/big.bin")
EXTRA = 40      # frames: more than any of the limits
LITTLE_BYTES = (400 if build_dir().name in ("asan", "tsan") else 20) << 20   # sanitizers keep what is freed


def counted(reason, server=site, metric="verdict_requests_total"):
    """How often /metrics has this reason."""
    text = server.start().admin_get("/metrics").content.decode("utf-8")
    found = re.findall(rf'^{metric}{{[^}}]*reason="{reason}"[^}}]*}} (\d+)', text, re.MULTILINE)
    return sum(int(n) for n in found)


def unharmed(server=site):
    """Nothing runs any more, and a new connection is served."""
    until = time.monotonic() + 3
    while (running := server.api("workers")["total"]["running"]) > 0 and time.monotonic() < until:
        time.sleep(0.01)
    expect(running, 0, "exchanges that run")
    with server.h2() as h:
        expect(h.get("/a.txt").expect(200).content, b"hello")


def resident(server):
    """Bytes of memory that the process has."""
    with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


def ends(about, reason, act, code=Error.ENHANCE_YOUR_CALM, server=site, **more):
    """act(h) ends the connection; that is recorded once without a request, and counted."""
    mark, before = server.newest(), counted(reason, server)
    with server.h2(forgiving=True, **more) as h:
        act(h)
        expect(h.goaway_code(), code, about)
        expect_true(h.closed(), f"{about}: closed")
    row = server.row_after(mark, method="", reason=reason)
    expect((row["status"], row["target"], row["broken"]), (0, "", None), about)
    expect_true(counted(reason, server) > before, f"{about}: counted")
    unharmed(server)
    return row


def times(count, step):
    """step(h, stream) for as many new streams, unless the connection has ended before."""
    def act(h):
        for i in range(count):
            step(h, 2 * i + 1)
    return act


def repeated(first, count, step):
    """first(h), then step(h) so often."""
    def act(h):
        first(h)
        for _ in range(count):
            step(h)
    return act


def nothing(h):
    return h


def put(h):
    return h.headers(1, PUT, end_stream=False)


# Frames without end

@test(seconds=20)
def streams_that_are_opened_and_reset():
    for about, step in (
            ("GET", lambda h, stream: h.headers(stream, DOWN).rst(stream)),
            ("PUT", lambda h, stream: h.headers(stream, PUT, False).rst(stream)),
            ("with content", lambda h, stream: h.headers(stream, PUT, False).data(stream, b"x").rst(stream)),
            ("each after a while", lambda h, stream: h.headers(stream, DOWN).ping().rst(stream))):
        row = ends(about, "h2-rapid-reset", times(EXTRA if "while" not in about else 15, step))
        expect(row["operand"], "10 in 10 s", about)


@test(seconds=20)
def streams_that_the_server_is_made_to_reset():
    def slowly(step):
        def one(h, stream):
            if not h.broken and not h.goaways:
                try:
                    step(h, stream).response(stream)
                except OSError:
                    pass
        return one

    for about, step in (("malformed", lambda h, stream: h.headers(stream, [("X", "y")])),
                        ("too large a window", lambda h, stream: h.headers(stream, PUT, False)
                         .window(stream, 0x7fffffff)),
                        ("trailers that are none", lambda h, stream: h.headers(stream, PUT, False)
                         .headers(stream, [(":path", "/")]))):
        ends(about, "h2-rapid-reset", times(EXTRA, slowly(step)))
        ends(f"{about}, all at once", "h2-rapid-reset", times(EXTRA, step))


@test()
def resets_within_the_limit_are_nothing():
    with site.h2() as h:
        for _ in range(5):
            stream = h.request("GET", "/big.bin")
            h.head(stream).expect(200)
            h.rst(stream).roundtrip()
        expect(h.get("/a.txt").content, b"hello")
        expect(h.goaways, [])


@test(seconds=20)
def floods_of_frames():
    for reason, about, first, step in (
            ("h2-settings-flood", "SETTINGS", nothing, lambda h: h.settings({Setting.INITIAL_WINDOW_SIZE: 65535})),
            ("h2-settings-flood", "empty SETTINGS", nothing, lambda h: h.settings()),
            ("h2-ping-flood", "PING", nothing, lambda h: h.ping()),
            ("h2-empty-frame-flood", "DATA", put, lambda h: h.data(1, b"")),
            ("h2-empty-frame-flood", "padding", put, lambda h: h.data(1, b"", pad=9)),
            ("h2-empty-frame-flood", "HEADERS of a closed stream", lambda h: h.headers(1, GET).response(1),
             lambda h: h.headers(1, b"", False)),
            ("h2-window-flood", "WINDOW_UPDATE", nothing, lambda h: h.window(0, 1)),
            ("h2-window-flood", "WINDOW_UPDATE of a stream", put, lambda h: h.window(1, 255)),
            ("h2-priority-flood", "PRIORITY", nothing, lambda h: h.priority(1)),
            ("h2-priority-flood", "PRIORITY of many", put, lambda h: h.priority(101, 1)),
            ("h2-priority-flood", "PRIORITY_UPDATE", put, lambda h: h.priority_update(1, "u=1")),
            ("h2-rapid-reset", "RST_STREAM of a closed stream", lambda h: h.headers(1, GET).response(1),
             lambda h: h.rst(1))):
        row = ends(about, reason, repeated(first, EXTRA, step))
        expect(row["operand"], "10 in 10 s" if reason == "h2-rapid-reset" else "20 in 10 s", about)


@test()
def many_values_in_one_settings_frame():
    ends("unknown", "h2-settings-flood", lambda h: h.settings([(99, i) for i in range(100)]))
    with site.h2() as h:
        h.settings([(99, i) for i in range(20)]).roundtrip()


@test()
def frames_that_open_windows_are_no_flood():
    with site.h2(credit=False) as h:
        stream = h.request("GET", "/big.bin")
        for _ in range(100):
            h.window(0, BIG // 100).window(stream, BIG // 100)
        expect(len(h.response(stream, 5).content), BIG)


@test()
def the_end_tells_the_streams_that_it_ends():
    mark = site.newest()
    ends("PING", "h2-ping-flood", repeated(put, EXTRA, lambda h: h.ping()))
    row = site.row_after(mark, method="PUT")
    expect((row["reason"], row["status"], row["broken"]), ("h2-ping-flood", 0, None))
    before = counted("h2-ping-flood", metric="verdict_broken_total")
    ends("PING", "h2-ping-flood", repeated(lambda h: h.headers(1, DOWN).head(1), EXTRA, lambda h: h.ping()),
         settings={Setting.INITIAL_WINDOW_SIZE: 0})
    expect(site.row_after(mark, method="GET", target="/big.bin")["broken"], "h2-ping-flood")
    expect(counted("h2-ping-flood", metric="verdict_broken_total"), before + 1)


# Field blocks

@test()
def field_blocks_in_too_many_frames():
    for about, part in (("full", encode([("x", "y")])), ("empty", b"")):
        row = ends(about, "h2-continuation-flood",
                   repeated(lambda h: h.headers(1, encode(GET), end_headers=False), EXTRA,
                            lambda h, part=part: h.continuation(1, part, end_headers=False)))
        expect(row["operand"], "4 frames")
    ends("trailers", "h2-continuation-flood",
         repeated(lambda h: put(h).headers(1, b"", end_headers=False), EXTRA,
                  lambda h: h.continuation(1, b"", end_headers=False)))


@test()
def field_blocks_that_grow_when_they_are_decoded():
    bomb = literal("x", "y" * 2000, "added") + indexed(62) * 13000
    for about, act in (("head", lambda h: h.headers(1, encode(GET) + bomb)),
                       ("table filled before", lambda h: h.headers(1, encode(GET + [literal("x", "y" * 2000, "added")]))
                        .headers(3, encode(GET) + indexed(62) * 16000)),
                       ("cookies", lambda h: h.headers(1, encode(GET) + literal("cookie", "y" * 2000, "added")
                                                       + indexed(62) * 13000)),
                       ("trailers", lambda h: put(h).headers(1, bomb))):
        began = time.monotonic()
        ends(about, "h2-field-block-bomb", act)
        expect_true(time.monotonic() - began < 2, f"{about}: {time.monotonic() - began} s")


@test()
def field_blocks_that_nobody_reads_cost_little():
    with site.h2() as h:
        put(h).rst(1).headers(1, literal("x", "y" * 2000, "added") + indexed(62) * 14000)
        began = time.monotonic()
        h.roundtrip()
        expect_true(time.monotonic() - began < 1, "quickly")
        expect(h.get("/a.txt").expect(200).content, b"hello")


@test(seconds=20)
def heads_that_never_end():
    def trickle(h):
        h.headers(1, encode(GET), end_headers=False)
        for _ in range(3):
            time.sleep(0.15)
            h.continuation(1, b"", end_headers=False)

    for about, act in (("no CONTINUATION", lambda h: h.headers(1, encode(GET), end_headers=False)),
                       ("one after the other", trickle),
                       ("a frame cut short", lambda h: h.frame(Type.HEADERS, 5, 1, encode(GET), length=100)),
                       ("beside another", lambda h: put(h).headers(3, encode(GET), end_headers=False))):
        began = time.monotonic()
        row = ends(about, "h2-head-timeout", act, code=Error.PROTOCOL_ERROR, ack_settings=False)
        expect(row["operand"], "400 ms")
        expect_true(0.3 < time.monotonic() - began < 3, f"{about}: {time.monotonic() - began} s")


@test()
def trailers_that_never_end():
    mark = site.newest()
    with site.h2(ack_settings=False) as h:
        put(h).data(1, b"x").headers(1, [("x", "y")], end_headers=False)
        h.response(1).expect(408, "request-content-timeout")
    expect(site.row_after(mark, method="PUT")["status"], 408)
    unharmed()


# Streams

@test()
def more_streams_than_were_allowed():
    def act(h):
        h.roundtrip()                               # the server's SETTINGS are acknowledged
        for stream in range(1, 23, 2):
            h.headers(stream, PUT, end_stream=False)

    row = ends("acknowledged", "h2-too-many-streams", act, code=Error.PROTOCOL_ERROR)
    expect(row["operand"], "request HEADERS: max concurrent streams exceeded")


@test()
def more_streams_than_the_client_could_know_of():
    mark, before = site.newest(), counted("h2-too-many-streams")
    with site.h2(ack_settings=False) as h:
        for stream in range(1, 25, 2):
            h.headers(stream, h2_request("PUT", f"/up{stream}"), end_stream=False)
        for stream in (21, 23):
            h.response(stream).expect_reset(Error.REFUSED_STREAM)
        expect(site.row_after(mark, reason="h2-too-many-streams")["operand"], "10 streams")
        for stream in range(1, 21, 2):
            h.data(stream, b"x", end_stream=True)
            h.response(stream).expect(201)
        h.headers(21, [("x", "y")]).headers(25, GET)     # trailers of what was refused are no more than late
        expect(h.response(25).expect(200).content, b"hello")
        expect(h.goaways, [])
    expect(counted("h2-too-many-streams"), before + 2)
    ends("far more", "h2-rapid-reset", times(EXTRA, lambda h, stream: h.headers(stream, PUT, end_stream=False)),
         ack_settings=False)


# Clients that do not take what they asked for

@test()
def windows_that_stay_shut():
    mark, before = site.newest(), counted("h2-window-stalled", metric="verdict_broken_total")
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: 0}) as h:
        began = time.monotonic()
        stream = h.request("GET", "/big.bin")
        h.head(stream).expect(200)
        h.response(stream).expect_reset(Error.CANCEL)
        expect_true(0.3 < time.monotonic() - began < 2, f"{time.monotonic() - began} s")
        expect(site.row_after(mark, target="/big.bin")["broken"], "h2-window-stalled")
        expect(h.settings({Setting.INITIAL_WINDOW_SIZE: 65535}).get("/a.txt").expect(200).content, b"hello")
        expect(h.goaways, [])
    with site.h2(credit=False) as h:                # the window of the connection, with the frames of another stream
        stream = h.request("GET", "/big.bin")
        for _ in range(4):
            time.sleep(0.15)
            h.ping()
        h.response(stream).expect_reset(Error.CANCEL)
        expect(len(h.response(stream).content), 65535)
    expect(counted("h2-window-stalled", metric="verdict_broken_total"), before + 2)
    unharmed()


@test()
def windows_that_open_by_little_and_little():
    def act(h):
        h.headers(1, DOWN)
        for _ in range(EXTRA):
            h.window(1, 1)
            time.sleep(0.01)

    mark = site.newest()
    ends("one byte at a time", "h2-window-flood", act, settings={Setting.INITIAL_WINDOW_SIZE: 0})
    expect(site.row_after(mark, target="/big.bin")["broken"], "h2-window-flood")


@test(seconds=20)
def clients_that_never_read():
    before, mark = resident(site), site.newest()
    most = 0x7fffffff
    with site.h2(settings={Setting.INITIAL_WINDOW_SIZE: most}, forgiving=True) as h:
        h.window(0, most - 65535)
        for _ in range(10):
            h.request("GET", "/big.bin")
        began = time.monotonic()
        row = site.row_after(mark, broken="response-send-timeout")
        expect_true(time.monotonic() - began < 2.5, f"{time.monotonic() - began} s")
        expect((row["status"], row["reason"]), (200, "request-ok"))
        expect_true(resident(site) - before < LITTLE_BYTES, f"{resident(site) - before} bytes more")
    expect_true(counted("response-send-timeout", metric="verdict_broken_total") >= 1, "counted")
    unharmed()


@test()
def answers_that_pile_up():
    burst = frame(Type.PING, 0, 0, b"12345678") * 3000
    ends("PING", "h2-unread-flood", lambda h: h.send(burst), server=patient)
    before = resident(patient)
    with patient.h2(forgiving=True, wait_seconds=1, credit=False) as h:
        h.request("GET", "/big.bin")
        until = time.monotonic() + 5
        while not h.broken and time.monotonic() < until:
            h.send(frame(Type.PING, 0, 0, b"12345678") * 500)
        expect_true(h.broken, "the server reads no further, or has ended it")
        expect_true(resident(patient) - before < LITTLE_BYTES, f"{resident(patient) - before} bytes more")
    unharmed(patient)


@test()
def connections_that_only_begin():
    before = resident(site)
    idle = [site.h2(ack_settings=False) for _ in range(100)]
    expect_true(resident(site) - before < LITTLE_BYTES, f"{resident(site) - before} bytes more")
    for h in idle:
        expect((h.goaway_code(), h.closed()), (Error.NO_ERROR, True))
        h.close()
    unharmed()


# Others

@test(seconds=20)
def others_are_served_meanwhile():
    stop = threading.Event()

    def flood(act, **more):
        while not stop.is_set():
            with site.h2(forgiving=True, **more) as h:
                act(h)
                h.closed(1)

    bomb = encode(GET) + literal("x", "y" * 2000, "added") + indexed(62) * 13000
    floods = [threading.Thread(target=flood, args=(act,), daemon=True) for act in (
        times(EXTRA, lambda h, stream: h.headers(stream, DOWN).rst(stream)), lambda h: h.headers(1, bomb),
        repeated(put, EXTRA, lambda h: h.ping()))]
    for one in floods:
        one.start()
    slowest = 0
    try:
        with site.h2() as h:
            for _ in range(100):
                began = time.monotonic()
                expect(h.get("/a.txt").expect(200).content, b"hello")
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.01)
    finally:
        stop.set()
        for one in floods:
            one.join(5)
    expect_true(slowest < 0.5, f"the slowest took {slowest} s")
    unharmed()


@test()
def nothing_is_left_when_all_is_over():
    for server in (site, patient):
        unharmed(server)
        until = time.monotonic() + 5
        while (open_now := server.api("workers")["total"]["connections"]) > 0 and time.monotonic() < until:
            time.sleep(0.02)
        expect_true(open_now <= 1, f"{open_now} connections")
        expect(server.stderr.count("surprise"), 0)
