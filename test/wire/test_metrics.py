"""/metrics: every metric after known requests, in both formats, and counters that only ever grow."""
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter

from harness import Server, configured, expect, expect_true, files, skip, test, verdict

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
KINDS = {"verdict_requests_total": "counter", "verdict_requests_running": "gauge",
         "verdict_request_duration_seconds": "histogram",
         "verdict_received_bytes_total": "counter", "verdict_sent_bytes_total": "counter",
         "verdict_connections": "gauge",
         "verdict_connections_accepted_total": "counter", "verdict_connections_refused_total": "counter",
         "verdict_broken_total": "counter", "verdict_log_lines_lost_total": "counter",
         "verdict_branches_total": "counter", "verdict_build_info": "gauge", "verdict_start_time_seconds": "gauge",
         "verdict_workers": "gauge", "verdict_upstream_tries_total": "counter"}
OPEN = "application/openmetrics-text; version=1.0.0"


class Metrics(dict):
    """{(name, labels): value}; labels is a sorted tuple of pairs. `kinds`: of families."""

    def __init__(self, text, openmetrics=False):
        super().__init__()
        self.kinds, self.helped, family = {}, set(), None
        lines = text.split("\n")
        expect(lines.pop(), "", "the last line ends")
        if openmetrics:
            expect(lines.pop(), "# EOF")
        for line in lines:
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                expect_true(family not in self.helped and line.endswith("."), line)
                self.helped.add(family)
            elif line.startswith("# TYPE "):
                expect(line.split(" ")[2], family, "HELP comes before TYPE")
                self.kinds[family] = line.split(" ")[3]
            else:
                self._add(line, family, openmetrics)

    def _add(self, line, family, openmetrics):
        found = SAMPLE.fullmatch(line)
        expect_true(found, line)
        name, labels = found[1], tuple(sorted(LABEL.findall(found[2] or "")))
        kind = self.kinds[family]
        ends = ("_bucket", "_sum",
                "_count") if kind == "histogram" else ("_total",) if kind == "counter" and openmetrics else ("",)
        expect_true(name in {family + end for end in ends}, f"{name} is of {family}")
        expect_true((name, labels) not in self, f"twice: {line}")
        self[name, labels] = float(found[3])

    def of(self, name, **labels):
        """The sum of the samples that have these labels."""
        return sum(value for (key, have), value in self.items() if key == name and set(labels.items()) <= set(have))


def metrics(server, **fields):
    answer = server.start().admin_get("/metrics", **fields).expect(200, "request-ok")
    return Metrics(answer.text, "openmetrics" in answer.get("Content-Type"))


def settled(server, count):
    """The metrics when so many requests have ended."""
    until = time.monotonic() + 5
    while (now := metrics(server)).of("verdict_requests_total") < count and time.monotonic() < until:
        time.sleep(0.02)
    expect(now.of("verdict_requests_total"), count)
    return now


@test(seconds=20)
def each_metric_after_known_requests():
    config = configured(sites=[{"host": "one.test", "routes": [files(write=True)]},
                               {"host": "two.test", "routes": [files(dialect="iis")]},
                               {"host": "three.test", "routes": [files(dialect="nginx")]}], workers=2)
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        one.start()
        began = time.time()
        fresh = metrics(one)
        expect(fresh.kinds, KINDS)
        expect((fresh.of("verdict_requests_total"), fresh.of("verdict_request_duration_seconds_count")), (0, 0))
        sent = received = 0
        for host, target, times in (("one.test", "/a.txt", 4), ("one.test", "/none", 3), ("two.test", "/a.txt", 2),
                                    ("two.test", "/none", 1), ("nobody.test", "/", 2)):
            for _ in range(times):
                raw = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n"
                answer = one.ask(raw)
                received, sent = received + len(raw), sent + answer.head_bytes + len(answer.content)
        bad = "GET / HTTP/1.1\nHost: a\n\n"
        answer = one.ask(bad)
        received, sent = received + len(bad), sent + answer.head_bytes + len(answer.content)
        half = one.connect()
        half.send("PUT /up HTTP/1.1\r\nHost: one.test\r\nContent-Length: 10\r\n\r\nhello")
        idle = one.connect()
        raw = "GET /a.txt HTTP/1.1\r\nHost: two.test\r\n\r\n"
        answer = idle.send(raw).response().expect(200)
        received, sent = received + len(raw), sent + answer.head_bytes + len(answer.content)
        now = settled(one, 14)
        for labels, count in (({"site": "one.test", "reason": "request-ok", "status": "200"}, 4),
                              ({"site": "one.test", "reason": "not-found", "status": "404"}, 3),
                              ({"site": "two.test", "reason": "request-ok"}, 3),
                              ({"site": "two.test", "status": "404"}, 1),
                              ({"site": "", "reason": "site-not-found"}, 2),
                              ({"site": "", "reason": "bare-line-feed", "status": "400"}, 1),
                              ({"site": "three.test"}, 0), ({"site": "admin"}, 0)):
            expect(now.of("verdict_requests_total", **labels), count, labels)
        expect(now["verdict_requests_running", ()], 1)
        expect(now["verdict_connections", ()], 2)
        expect(now["verdict_connections_accepted_total", ()], 15)
        expect((now["verdict_received_bytes_total", ()], now["verdict_sent_bytes_total", ()]), (received, sent))
        expect(now["verdict_log_lines_lost_total", ()], 0)
        expect(now["verdict_workers", ()], 2)
        expect(now["verdict_build_info", (("version", verdict("version").stdout.split()[-1]),)], 1)
        expect_true(abs(now["verdict_start_time_seconds", ()] - began) < 10, now["verdict_start_time_seconds", ()])
        half.reset()
        idle.close()
        now = settled(one, 15)
        expect(now.of("verdict_requests_total", site="one.test", reason="client-closed-request", status="none"), 1)
        until = time.monotonic() + 5
        while (now := metrics(one))["verdict_connections", ()] and time.monotonic() < until:
            time.sleep(0.02)
        expect((now["verdict_connections", ()], now["verdict_requests_running", ()]), (0, 0))
        histogram(now, 15)
        branches(one, now)


def histogram(now, count):
    buckets = [(dict(labels)["le"], value) for (name, labels), value in now.items()
               if name == "verdict_request_duration_seconds_bucket"]
    bounds = [float(bound) for bound, _ in buckets]
    expect(bounds, sorted(bounds), "bounds grow")
    expect([value for _, value in buckets], sorted(value for _, value in buckets), "buckets are cumulative")
    expect(buckets[-1], ("+Inf", count))
    expect(now["verdict_request_duration_seconds_count", ()], count)
    expect_true(now["verdict_request_duration_seconds_sum", ()] >= 0, "sum")


def branches(server, now):
    """The same as the heat, with an act's stops in one."""
    wanted = Counter()
    for edge, count in server.api("heat")["edges"].items():
        node, way = re.fullmatch(r"e-([a-z_]+)-(yes|no|next|stop)(?:-.*)?", edge).groups()
        wanted[node, way] += count
    got = {(dict(labels)["node"], dict(labels)["answer"]): value for (name, labels), value in now.items()
           if name == "verdict_branches_total"}
    expect(got, dict(wanted))


@test(seconds=20)
def answers_that_break_are_counted_and_found():
    with Server({"large": bytes(32 << 20)}, config=configured(files(), workers=1), admin=True) as one:
        client = one.connect()
        client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        client.head()
        client.reset()
        settled(one, 1)
        now = metrics(one)
        expect(now["verdict_broken_total", (("reason", "client-closed-during-response"),)], 1)
        rows = one.api("exchanges?reason=client-closed-during-response")["exchanges"]
        expect([(row["reason"], row["broken"], row["failed"]) for row in rows],
               [("request-ok", "client-closed-during-response", True)])


@test()
def connections_that_are_closed_at_once_are_counted():
    config = configured(files(), workers=1, limits={"connections_per_client": 2})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        held = [one.connect() for _ in range(8)]
        for client in held[:4]:
            client.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").response()
        until = time.monotonic() + 5
        while metrics(one)["verdict_connections_refused_total", ()] == 0 and time.monotonic() < until:
            time.sleep(0.02)
        expect_true(metrics(one)["verdict_connections_refused_total", ()] >= 3, "refused connections")
        for client in held:
            client.close()


@test()
def slow_requests_fall_into_their_buckets():
    with Server({"a.txt": "hello"}, args=["--write", "--workers", "1"], admin=True) as one:
        with one.connect() as c:
            c.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
            time.sleep(0.3)
            c.send("b").response().expect(201)
        now = settled(one, 1)
        histogram(now, 1)
        expect([now.of("verdict_request_duration_seconds_bucket", le=le) for le in ("0.25", "1.0", "10.0")], [0, 1, 1])
        expect_true(0.29 <= now["verdict_request_duration_seconds_sum", ()] < 1, "the sum is in seconds")


@test()
def lost_lines_of_the_log_are_counted():
    reader, writer = os.pipe()
    with Server({"a.txt": "hello"}, args=["--log", "-", "--workers", "1"], stdout=writer, admin=True) as one:
        os.close(writer)
        with one.connect() as c:
            for _ in range(30):
                c.send(f"GET /a.txt?{'x' * 1000} HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
                for _ in range(100):
                    c.response().expect(200)
        lost = settled(one, 3000)["verdict_log_lines_lost_total", ()]
        expect_true(0 < lost <= 3000, lost)
        expect(one.api("workers")["total"]["log_lines_lost"], metrics(one)["verdict_log_lines_lost_total", ()])
        os.set_blocking(reader, False)
        os.close(reader)


@test()
def the_format_is_chosen_by_accept():
    with Server({"a.txt": "hello"}, args=["--workers", "1"], admin=True) as one:
        for target in ("/a.txt", "/none", "/a.txt"):
            one.get(target)
        one.recorded("last")
        plain, openly = metrics(one), metrics(one, accept=OPEN)
        for each in (plain, openly):
            each.pop(("verdict_requests_running", ()))
        expect(dict(plain), dict(openly))
        expect({name.removesuffix("_total"): kind for name, kind in plain.kinds.items()}, openly.kinds)
        text, other = "text/plain; version=0.0.4; charset=utf-8", OPEN + "; charset=utf-8"
        prometheus = f"{OPEN};q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5,*/*;q=0.1"
        for accept, kind in ((None, text), ("*/*", text), ("text/plain", text), ("text/html,*/*;q=0.1", text),
                             ("application/json", text),
                             (OPEN, other), (prometheus, other), ("application/openmetrics-text", other),
                             (f"text/plain;q=0.9,{OPEN};q=0.1", text), (f"{OPEN};q=0, text/plain", text),
                             (f"{OPEN};q=0", text)):
            answer = one.admin_get("/metrics", accept=accept).expect(200)
            expect((answer.get("Content-Type"), answer.text.endswith("# EOF\n")), (kind, kind == other), accept)


@test()
def promtool_finds_nothing():
    if shutil.which("promtool") is None:
        skip("promtool is not here: Debian's package prometheus has it, but is large and starts a service")
    with Server({"a.txt": "hello"}, admin=True) as one:
        for target in ("/a.txt", "/none"):
            one.get(target)
        one.recorded("last")
        text = one.admin_get("/metrics").content
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=8)
        expect((done.returncode, done.stdout + done.stderr), (0, b""))


def renamed(*names):
    return configured(sites=[{"host": name, "routes": [files()]} for name in names], workers=1)


@test(seconds=20)
def counters_only_grow_over_reloads_that_rename_sites():
    with Server({"a.txt": "hello"}, config=renamed("one.test"), admin=True) as one:
        before, count = metrics(one), 0
        for names in (["one.test"], ["two.test"], ["three.test", "one.test"], ["two.test", "four.test"]):
            one.configure(renamed(*names))
            one.errors.clear()
            one.signal(signal.SIGHUP)
            one.said("the new configuration is in force")
            for name in names:
                for _ in range(3):
                    one.get("/a.txt", host=name).expect(200)
            count += 3 * len(names)
            now = settled(one, count)
            for key, value in before.items():
                if KINDS.get(key[0]) == "counter" or "duration" in key[0]:
                    expect_true(now.get(key, 0) >= value, f"{key}: {value}, then {now.get(key)}")
            before = now
        expect([now.of("verdict_requests_total", site=name)
                for name in ("one.test", "two.test", "three.test", "four.test")], [6, 6, 3, 3])
        expect(sorted(one.api("workers")["sites"]), ["", "four.test", "one.test", "three.test", "two.test"])


@test(seconds=30)
def the_names_of_many_sites_are_counted_together():
    names = [f"s{i}.test" for i in range(140)]
    with Server({"a.txt": "hello"}, config=renamed(*names), admin=True) as one:
        for name in names:
            one.get("/a.txt", host=name).expect(200)
        now = settled(one, 140)
        told = {dict(labels)["site"]: value for (name, labels), value in now.items()
                if name == "verdict_requests_total"}
        expect((told["s0.test"], told["s125.test"], told["other"], len(told)), (1, 1, 14, 127))
        expect(one.recorded(one.admin_get("/api/heat"))["site"], "admin")
        row = one.api("exchanges?limit=1")["exchanges"][0]
        expect((row["site"], row["host"]), ("other", "s139.test"))
        expect(len(one.api("exchanges?site=other&limit=500")["exchanges"]), 14)


@test()
def no_site_in_the_name_of_one():
    with Server({"a.txt": "hello"}, admin=True) as one:
        one.get("/a.txt").expect(200)
        expect(settled(one, 1).of("verdict_requests_total", site="default"), 1)
        for _ in range(5):
            one.admin_get("/api/workers").expect(200)
        expect(metrics(one).of("verdict_requests_total"), 1, "the listener's own are not counted")
