"""The event stream of the admin listener: what ends is told at once to all who listen, and a reader costs little."""
import json
import re
import select
import signal
import time
from pathlib import Path

from harness import Connection, Server, configured, expect, expect_in, expect_true, files, test
from harness.faults import plain_program
from harness.server import head

MOST = 50  # rows of one event
site = Server({"a.txt": "hello"}, args=["--workers", "2"], admin=True)


class Stream:
    """A reader of /events. `ended`: the server has ended the stream, properly."""

    def __init__(self, server, query="", window_bytes=None, protocol="HTTP/1.1"):
        server.start()
        self.c = Connection(("127.0.0.1", server.admin_port), window_bytes=window_bytes)
        request = head("GET", f"/events{query}", host=f"127.0.0.1:{server.admin_port}").replace(b"HTTP/1.1",
                                                                                                protocol.encode())
        self.answer = self.c.send(request).head()
        self.chunked = self.answer.get("Transfer-Encoding") == "chunked"
        self.raw, self.text, self.left, self.ended = self.c.kept, b"", 0, False
        self.c.kept = b""

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.c.close()

    def _unchunk(self):
        """Content as far as it is there: the line that ends a chunk may come with the next one."""
        while self.raw:
            if not self.chunked or self.left > 0:
                part = self.raw if not self.chunked else self.raw[:self.left]
                self.text, self.raw, self.left = self.text + part, self.raw[len(part):], self.left - len(part)
                continue
            found = re.match(rb"(?:\r\n)?([0-9a-fA-F]+)\r\n", self.raw)
            if found is None:
                return
            self.left, self.raw = int(found[1], 16), self.raw[found.end():]
            self.ended = self.left == 0

    def next(self, seconds=0.0):
        """The next event as (kind, data); None when there is none within the time, or the stream has ended."""
        until = time.monotonic() + seconds
        while True:
            self._unchunk()
            block, blank, rest = self.text.partition(b"\n\n")
            if blank:
                self.text = rest
                lines = dict(line.split(": ", 1) for line in block.decode().split("\n"))
                if "data" in lines:
                    return lines["event"], json.loads(lines["data"])
                continue
            left = until - time.monotonic()
            if self.ended or not select.select([self.c.socket], [], [], max(left, 0))[0]:
                return None
            part = self.c.socket.recv(1 << 18)
            if not part:
                expect_true(self.ended or not self.chunked, "the stream ended in between")
                self.ended = True
                return None
            self.raw += part

    def all(self, kind, seconds):
        """The data of all events of a kind within a time."""
        until, found = time.monotonic() + seconds, []
        while (event := self.next(until - time.monotonic())) is not None:
            if event[0] == kind:
                found.append(event[1])
        return found

    def until(self, enough, seconds=5):
        """The rows, and how many were skipped, when enough(rows, skipped) is true."""
        rows, skipped, until = [], 0, time.monotonic() + seconds
        while not enough(rows, skipped):
            event = self.next(until - time.monotonic())
            expect_true(event is not None, f"only {len(rows)} rows and {skipped} skipped came")
            if event[0] == "exchanges":
                expect_true(len(event[1]["rows"]) <= MOST, f"{len(event[1]['rows'])} rows at once")
                rows += event[1]["rows"]
                skipped += event[1]["skipped"]
        return rows, skipped


def burst(server, count, target="/a.txt", batch=100):
    """So many requests, as fast as they go."""
    with server.connect(wait_seconds=20) as c:
        for _ in range(count // batch):
            c.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" * batch)
            seen, rest = 0, b""
            while seen < batch:
                part = c._receive()
                expect_true(part, "the connection ended")
                rest += part
                seen += rest.count(b"HTTP/1.1 ")
                rest = rest[-8:].split(b"HTTP/1.1 ")[-1]
        time.sleep(0.02)


def rows_of(count):
    return lambda rows, skipped: len(rows) + skipped >= count


@test()
def what_has_ended_is_told():
    with Stream(site) as stream:
        expect((stream.answer.status, stream.answer.get("Content-Type"), stream.answer.get("Cache-Control")),
               (200, "text/event-stream", "no-store"))
        answers = []
        for i in range(6):
            answers.append(site.get(f"/none-{i}").expect(404))
            time.sleep(0.06)
        rows, skipped = stream.until(rows_of(6))
        expect(([row["target"] for row in rows], skipped), ([f"/none-{i}" for i in range(6)], 0), "oldest first")
        expect([row["id"] for row in rows], [answer.id for answer in answers])
        expect({row["id"]: row for row in site.api("exchanges?limit=6")["exchanges"]}, {row["id"]: row for row in rows},
               "rows as in the API")
        site.admin_get("/api/workers").expect(200)
        expect(stream.all("exchanges", 0.5), [], "the listener's own are not told")


@test()
def what_ended_before_is_not_told():
    for round_ in range(2):  # the second stream finds what the first one left
        site.recorded(site.get("/before").expect(404))
        with Stream(site, "?class=4&text=e") as stream:
            site.get("/after").expect(404)
            expect([row["target"] for row in stream.until(rows_of(1))[0]], ["/after"], f"round {round_}")
        time.sleep(1.5)


@test(seconds=20)
def filters_hold_for_streams_too():
    queries = {"?reason=not-found": {"/none", "/none?late"}, "?status=200": {"/a.txt"},
               "?class=4": {"/none", "/none?late", "/.git"},
               "?text=LATE": {"/none?late"}, "?failed=1": {"/none", "/none?late", "/.git"}, "?client=127.0.0.9": set(),
               "?site=default": {"/a.txt", "/none", "/none?late", "/.git"}, "?site=&failed=0&lang=zh-CN": set(),
               "?reason=not-found&text=late": {"/none?late"},
               "?site=admin&text=heat": {"/api/heat", "/api/heat?minutes=3"},
               "?site=admin&status=400": {"/api/heat?minutes=3"}}
    streams = {query: Stream(site, query) for query in queries}
    for target in ("/a.txt", "/none", "/none?late", "/.git"):
        site.get(target)
    for target in ("/api/heat", "/api/heat?minutes=3"):
        site.admin_get(target)
    time.sleep(0.7)
    for query, wanted in queries.items():
        rows = [row["target"] for event in streams[query].all("exchanges", 0.05) for row in event["rows"]]
        expect(sorted(rows), sorted(wanted), query)
        streams[query].c.close()


@test()
def what_a_stream_cannot_do_is_refused():
    for query, name in (("limit=5", "limit"), ("since=5m", "since"), ("before=1-2", "before"), ("colour=red", "colour"),
                        ("reason=nothing", "reason"), ("status=x", "status"), ("cl%61ss=10", "class"),
                        ("h%C3%A9=1", "hé")):
        answer = site.start().admin_get(f"/events?{query}", accept="application/problem+json").expect(400,
                                                                                                      "query-invalid")
        expect(json.loads(answer.content)["operand"], name, query)


@test(seconds=20)
def what_comes_too_fast_is_skipped_and_counted():
    with Stream(site) as stream, Stream(site, "?status=200") as filtered:
        burst(site, 1000)
        last = site.get("/the-last").expect(404)
        rows, skipped = stream.until(lambda rows, skipped: rows and rows[-1]["id"] == last.id)
        expect(len(rows) + skipped, 1001)
        expect_true(skipped > 300, f"{skipped} skipped")
        expect(len({row["id"] for row in rows}), len(rows), "none twice")
        times = [row["time_ms"] for row in rows]
        expect_true(all(a <= b + 3 for a, b in zip(times, times[1:])), "oldest first")
        rows, skipped = filtered.until(rows_of(1000))
        expect((len(rows) + skipped, {row["status"] for row in rows}), (1000, {200}))


@test()
def events_come_five_times_a_second_at_most():
    with Stream(site) as stream:
        until, arrived = time.monotonic() + 2, []
        while time.monotonic() < until:
            site.get("/a.txt")
            event = stream.next(0.001)
            if event is not None and event[0] == "exchanges":
                arrived.append(time.monotonic())
        expect_true(6 <= len(arrived) <= 10, f"{len(arrived)} in two seconds")


@test()
def a_pulse_comes_each_second():
    with Stream(site) as stream, Stream(site, "?reason=teapot") as other:
        site.get("/a.txt").expect(200)
        pulses = stream.all("pulse", 3.6)
        expect_true(3 <= len(pulses) <= 4, f"{len(pulses)} pulses")
        gaps = [b["now_ms"] - a["now_ms"] for a, b in zip(pulses, pulses[1:])]
        expect_true(all(900 <= gap <= 1400 for gap in gaps), gaps)
        total = site.api("workers")["total"]
        expect(set(pulses[-1]), {"now_ms", "total"})
        expect(set(pulses[-1]["total"]), set(total))
        for name in ("exchanges", "bytes_in", "bytes_out", "classes", "reasons"):
            expect(pulses[-1]["total"][name], total[name], name)
        expect(len(other.all("pulse", 0.1)) - len(pulses) in (-1, 0, 1), True)


LONG = "/none-" + "x" * 2500  # a few events fill the buffers of a socket


def memory_kib(server):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())[1])


@test(seconds=60)
def a_stuck_reader_costs_nothing():
    with Server({"a.txt": "hello"}, args=["--workers", "1", "--log", "off"], binary=plain_program(), admin=True) as one:
        with Stream(one) as warm:
            burst(one, 20000, target=LONG)  # what is recorded has its memory
            warm.until(rows_of(20000))
        time.sleep(0.3)
        before = memory_kib(one)
        stuck = [Stream(one, "?" + "&" * i, window_bytes=4096) for i in range(3)]
        with Stream(one) as reader:
            rows, skipped = [], 0
            for _ in range(20):
                burst(one, 1000, target=LONG)
                more, also = reader.until(lambda rows, skipped: rows or skipped)
                rows, skipped = rows + more, skipped + also
            last = one.get("/the-last").expect(404)
            while not rows or rows[-1]["id"] != last.id:
                more, also = reader.until(lambda rows, skipped: rows or skipped)
                rows, skipped = rows + more, skipped + also
            expect(len(rows) + skipped, 20001, "told to who reads")
            grown = memory_kib(one) - before
            expect_true(grown < 4096, f"{grown} KiB more")
        expect(one.api("workers")["total"]["exchanges"], 40001)
        few, skipped = stuck[0].until(lambda rows, skipped: rows and rows[-1]["id"] == last.id)
        expect(len(few) + skipped, 20001, "who was stuck is told how much was missed")
        expect_true(len(few) < len(rows), f"it was stuck: {len(few)} rows of {len(rows)}")
        for stream in stuck:
            stream.c.close()


@test(seconds=20)
def there_are_no_more_streams_than_the_limit():
    with Server({"a.txt": "hello"}, config=configured(files(), limits={"event_streams": 2}), admin=True) as one:
        first, second = Stream(one), Stream(one, "?class=4")
        for _ in range(3):
            answer = one.admin_get("/events").expect(503, "event-streams-full")
            expect(int(answer.get("Retry-After")) in range(1, 61), True, answer.get("Retry-After"))
            expect_in("2 readers", answer.text)
        one.admin_get("/api/workers").expect(200)
        second.c.close()
        until = time.monotonic() + 5
        while (third := Stream(one)).answer.status != 200 and time.monotonic() < until:
            third.c.close()
            time.sleep(0.05)
        one.get("/a.txt")
        expect(len(third.until(rows_of(1))[0]), 1)
        third.c.close()
        first.c.close()
        time.sleep(1.5)  # that a reader has gone is seen with the next pulse
        for _ in range(5):
            one.admin_get("/events", method="HEAD").expect(200, "request-ok")
        time.sleep(0.1)
        with Stream(one) as again, Stream(one) as more:
            expect((again.answer.status, more.answer.status), (200, 200), "HEAD takes no place")


@test(seconds=20)
def the_end_of_the_server_ends_them_at_once():
    one = Server({"a.txt": "hello"}, admin=True).start()
    streams = [Stream(one, "?failed=1" if i % 2 else "") for i in range(10)]
    one.get("/a.txt").expect(200)
    streams[0].until(rows_of(1))
    start = time.monotonic()
    one.signal(signal.SIGTERM)
    expect(one.ended(), 0)
    expect_true(time.monotonic() - start < 2, f"took {time.monotonic() - start} s")
    for stream in streams:
        while stream.next(1) is not None:
            pass
        expect_true(stream.ended, "with the last chunk")
        stream.c.close()


@test(seconds=20)
def a_reload_keeps_them():
    config = configured(files(), times={"record_slow_ms": "1s"})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one, Stream(one) as stream:
        for i in range(3):
            one.configure(config)
            one.errors.clear()
            one.signal(signal.SIGHUP)
            one.said("the new configuration is in force")
            answer = one.get(f"/none-{i}").expect(404)
            expect([row["id"] for row in stream.until(rows_of(1))[0]], [answer.id])
        expect(stream.ended, False)


@test(seconds=30)
def a_hundred_at_once():
    site.start()
    before = len(site.descriptors())
    streams = [Stream(site, f"?text=&class={i % 5}" if i % 4 == 0 else "") for i in range(100)]
    expect({stream.answer.status for stream in streams}, {200})
    answer = site.get("/hundred").expect(404)
    for i, stream in enumerate(streams):
        if i % 4 != 0 or i % 5 == 4:
            expect([row["id"] for row in stream.until(rows_of(1))[0]], [answer.id])
        stream.c.close()
    until = time.monotonic() + 5
    while len(site.descriptors()) > before and time.monotonic() < until:
        time.sleep(0.05)
    expect_true(len(site.descriptors()) <= before, "their connections are closed")


@test(seconds=20)
def readers_that_break_off_harm_nobody():
    with Stream(site) as steady:
        for i in range(30):
            stream = Stream(site, f"?class={i % 6}", window_bytes=4096)
            site.get(f"/none-{i}")
            (stream.c.reset if i % 2 else stream.c.close)()
        rows, skipped = steady.until(rows_of(30))
        expect((sorted(row["target"] for row in rows), skipped), (sorted(f"/none-{i}" for i in range(30)), 0))


@test()
def an_old_client_reads_to_the_end_of_the_connection():
    with Stream(site, protocol="HTTP/1.0") as stream:
        expect((stream.answer.status, stream.answer.get("Transfer-Encoding")), (200, None))
        site.get("/old").expect(404)
        expect([row["target"] for row in stream.until(rows_of(1))[0]], ["/old"])


@test(seconds=20)
def the_record_of_a_stream_tells_what_it_sent():
    stream = Stream(site, "?reason=not-found")
    number = stream.answer.id
    running = [row for row in site.api("running")["exchanges"] if row["id"] == number]
    expect(running, [], "what the listener does itself is no traffic")
    site.get("/told").expect(404)
    stream.until(rows_of(1))
    stream.c.close()
    one = site.recorded(number)
    expect((one["target"], one["site"], one["broken"]),
           ("/events?reason=not-found", "admin", "client-closed-during-response"))
    expect_true(one["bytes_out"] > 500, one["bytes_out"])
