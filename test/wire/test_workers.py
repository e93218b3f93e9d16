"""Several workers, many clients at once, reloads and reopened logs meanwhile; run under the thread sanitizer, too."""
import json
import signal
import threading
import time

from harness import Server, expect, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
workers: 3
times: {drain_ms: 5s}
sites:
  - routes:
      - {path: /, files: "{root}", write: on, listing: on}
      - {path: /told, answer: {reason: request-ok, text: "ROUND"}}
"""
MIX = [("GET", "/a.txt", 200), ("GET", "/none", 404), ("HEAD", "/big.bin", 200), ("GET", "/told", 200), ("GET", "/d/", 200),
       ("POST", "/a.txt", 405), ("GET", "/big.bin", 200), ("FOO", "/", 501)]


def server():
    return Server({"a.txt": "hello", "big.bin": b"0123456789abcdef" * 10000, "d/one": "1", "d/two": "2"},
                  config=CONFIG.replace("ROUND", "0"))


def in_threads(count, work):
    """Runs work(number) in so many threads; raises what the first of them raised."""
    raised = []

    def guarded(number):
        try:
            work(number)
        except Exception as error:  # pylint: disable=broad-except
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    return threads, raised


def finish(threads, raised):
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def requests(site, rounds):
    def work(number):
        for i in range(rounds):
            with site.connect(wait_seconds=10) as c:
                for k in range(len(MIX)):
                    method, target, status = MIX[(number + i + k) % len(MIX)]
                    c.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                    c.response(to=method).expect(status)
                name = f"/up-{number}"
                c.send(f"PUT {name} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
                expect_true(c.response().status in (201, 204), "PUT")
                expect(c.send(f"GET {name} HTTP/1.1\r\nHost: a\r\n\r\n").response().content, b"hello")
                c.send(f"DELETE {name} HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(204)
    return work


@test(seconds=60)
def many_clients_while_the_configuration_and_the_log_change():
    with server() as site:
        site.start()
        threads, raised = in_threads(6, requests(site, 6))
        while any(thread.is_alive() for thread in threads):
            site.configure(CONFIG.replace("ROUND", str(time.monotonic())))
            site.signal(signal.SIGHUP)
            (site.home / "log").rename(site.home / f"log.{time.monotonic()}")
            site.signal(signal.SIGUSR1)
            until = time.monotonic() + 2
            while not (site.home / "log").exists() and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.03)
        finish(threads, raised)
        time.sleep(0.3)
        lines = sum(path.read_text(encoding="utf-8").count('"reason"') for path in site.home.glob("log*"))
        expect(lines, 6 * 6 * (len(MIX) + 3), "log lines in all files")


@test(seconds=60)
def one_file_is_written_and_read_by_all():
    def work(number):
        mine = bytes([65 + number]) * 5000
        with site.connect(wait_seconds=10) as c:
            for _ in range(15):
                c.send(b"PUT /shared HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + mine)
                expect_true(c.response().status in (201, 204), "PUT")
                got = c.send("GET /shared HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)
                expect((len(got.content), len(set(got.content))), (5000, 1), "whole content of one writer")

    with server() as site:
        site.start()
        finish(*in_threads(6, work))


@test(seconds=60)
def stopping_under_load_cuts_no_answer_short():
    def work(number):
        with site.connect(wait_seconds=10) as c:
            while True:
                try:
                    c.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                    if not c.kept and not c._more():
                        return
                except OSError:
                    return
                answers[number] += 1
                answer = c.response().expect(200)
                expect(len(answer.content), 160000)
                if answer.words("Connection") == ["close"]:
                    c.expect_closed()
                    return

    site, answers = server().start(), [0] * 6
    threads, raised = in_threads(6, work)
    time.sleep(0.3)
    site.signal(signal.SIGTERM)
    expect(site.ended(), 0)
    finish(threads, raised)
    expect_true(min(answers) > 0, f"answers: {answers}")


def put(c, target, content, fields=""):
    return c.send(f"PUT {target} HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {len(content)}\r\n\r\n".encode()
                  + content).response()


def get(c, target, fields=""):
    return c.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n").response()


@test("R035", "R045", seconds=60)
def what_was_written_is_seen_on_every_connection_at_once():
    def work(number):
        target, mine = f"/seen-{number}", [site.connect(wait_seconds=10) for _ in range(8)]
        for i in range(6):
            content = f"{number} {i}".encode()
            stored = put(mine[i % 8], target, content).expect(204 if i % 3 else 201)
            for c in mine:
                got = get(c, target).expect(200)
                expect((got.content, got.get("ETag")), (content, stored.get("ETag")), "what was just stored")
            if i % 3 == 2:
                mine[-i].send(f"DELETE {target} HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(204)
                for c in mine:
                    get(c, target).expect(404)
        for c in mine:
            c.close()

    with server() as site:
        site.start()
        finish(*in_threads(4, work))


def race(connections, fields, good):
    """All of them store something else as /raced under the fields, the last byte of each at the same moment. One has to
    succeed, the others fail; what is there afterwards is its own. Returns the tag of that."""
    answers, together = {}, threading.Barrier(len(connections))
    when = time.monotonic_ns()

    def work(number):
        content = f"{number} at {when}"
        head = f"PUT /raced HTTP/1.1\r\nHost: a\r\n{fields}Content-Length: {len(content)}\r\n\r\n"
        connections[number].send(head + content[:-1])
        together.wait(10)
        answers[content] = connections[number].send(content[-1:]).response().status

    finish(*in_threads(len(connections), work))
    expect(sorted(answers.values()), [good] + [412] * (len(connections) - 1), "statuses of the writers")
    there = get(connections[0], "/raced").expect(200)
    expect(answers.get(there.text), good, f"status of the writer of {there.text!r}")
    return there.get("ETag")


@test("R163", seconds=60)
def one_of_many_writers_under_the_same_condition_wins():
    with server() as site:
        connections = [site.connect(wait_seconds=10) for _ in range(6)]
        for i in range(15):
            connections[0].send("DELETE /raced HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(204 if i else 404)
            tag = race(connections, "If-None-Match: *\r\n", 201)
            for _ in range(4):
                tag = race(connections, f"If-Match: {tag}\r\n", 204)
        for c in connections:
            c.close()


@test("R064", seconds=60)
def readers_see_one_version_while_it_changes():
    """What a reader gets is one whole version with its own tag; a part belongs to the tag that was asked for."""
    versions = [bytes([65 + i]) * (3000 + i) for i in range(20)]
    done = threading.Event()

    def write(c):
        for content in versions * 2:
            put(c, "/changing", content).expect(204)
        done.set()

    def read(c):
        known = {}
        while not done.is_set():
            got = get(c, "/changing").expect(200)
            expect_true(got.content in versions or got.content == b"hello", "a whole version")
            tag = got.get("ETag")
            expect(known.setdefault(tag, got.content), got.content, f"content of {tag}")
            again = get(c, "/changing", f"If-None-Match: {tag}\r\n")
            expect_true(again.status == 304 or again.get("ETag") != tag, "the same tag is the same content")
            part = get(c, "/changing", f"Range: bytes=1-4\r\nIf-Range: {tag}\r\n")
            expect_true(part.status == 206 and part.get("ETag") == tag and part.content == got.content[1:5]
                        or part.status == 200 and part.get("ETag") != tag, f"a part of {tag}: {part}")
            listed = json.loads(get(c, "/", "Accept: application/json\r\n").expect(200).text)
            expect_true("changing" in json.dumps(listed), "it is there all the time")

    def work(number):
        try:
            with site.connect(wait_seconds=10) as c:
                (read if number else write)(c)
        finally:
            done.set()

    with server() as site:
        (site.root / "changing").write_text("hello")
        site.start()
        finish(*in_threads(4, work))


def kept_for_clients(site):
    """How many sockets, and files without a name, the server has open."""
    return sum(name.startswith("socket:") or name.endswith("(deleted)") for name in site.descriptors().values())


@test(seconds=60)
def clients_that_break_off_harm_nobody():
    def download(number):
        c = site.connect()
        c.send("GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n" * (1 + number % 2)).head()
        c.reset()

    def upload(number):
        c = site.connect()
        c.send(f"PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{'x' * 50000}")
        (c.reset if number % 2 else c.close)()

    def whole(_):
        with site.connect(wait_seconds=10) as c:
            for _ in range(5):
                expect(get(c, "/a.txt").expect(200).content, b"hello")
                expect(len(get(c, "/big.bin").expect(200).content), 160000)

    def work(number):
        for i in range(10):
            (whole, download, upload)[number % 3](number + i)

    with server() as site:
        (site.root / "huge.bin").write_bytes(bytes(8 << 20))
        site.start()
        before = kept_for_clients(site)
        finish(*in_threads(6, work))
        until = time.monotonic() + 5
        while kept_for_clients(site) != before and time.monotonic() < until:
            time.sleep(0.05)
        expect(kept_for_clients(site), before, "sockets and nameless files")
        expect(sorted(path.name for path in site.root.iterdir() if path.name.startswith("a")), ["a.txt"])


@test(seconds=60)
def stopping_finishes_what_is_under_way():
    """Uploads half sent and downloads half read when SIGTERM comes are finished, by every worker."""
    with server() as site:
        (site.root / "huge.bin").write_bytes(b"0123456789abcdef" * (1 << 19))
        site.start()
        uploads, downloads = [[site.connect(wait_seconds=10) for _ in range(6)] for _ in range(2)]
        for i, c in enumerate(uploads):
            c.send(f"PUT /new-{i} HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n{'x' * 10000}")
        for c in downloads:
            c.send("GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.3)
        site.signal(signal.SIGTERM)
        time.sleep(0.3)
        finish(*in_threads(6, lambda i: expect(len(downloads[i].response().expect(200).content), 8 << 20)))
        for i, c in enumerate(uploads):
            c.send("x" * 10000).response().expect(201)
            c.expect_closed()
            expect((site.root / f"new-{i}").stat().st_size, 20000)
        expect(site.ended(), 0)


def read_stream(site, begun, from_when):
    """Reads /events from when the event is set until it ends. All that comes is well-formed; returns how many rows were
    told or skipped."""
    with site.admin_connect(wait_seconds=20) as c:
        answer = c.send(f"GET /events HTTP/1.1\r\nHost: localhost:{site.admin_port}\r\n\r\n").head().expect(200)
        begun.wait(10)
        from_when.wait(20)
        c._read_content(answer, "GET")
    events = [dict(line.split(": ", 1) for line in block.split("\n")) for block in answer.text.split("\n\n") if block]
    told = [json.loads(event["data"]) for event in events if event.get("event") == "exchanges"]
    expect_true(any(json.loads(e["data"])["total"]["exchanges"] > 0 for e in events if e.get("event") == "pulse"), "a pulse")
    return sum(len(data["rows"]) + data["skipped"] for data in told)


@test(seconds=60)
def the_admin_listener_reads_while_all_write():
    site = Server({"a.txt": "hello", "big.bin": b"0123456789abcdef" * 10000, "d/one": "1", "d/two": "2"},
                  args=["--workers", "2", "--write"], admin=True).start()
    served, looks, told = [0] * 4, [0] * 3, []
    begun, stop, at_once = threading.Barrier(3), threading.Event(), threading.Event()
    at_once.set()

    def serve(number):
        while not stop.is_set():
            with site.connect(wait_seconds=10) as c:
                for method, target, _ in MIX:
                    c.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").response(to=method)
                    served[number] += 1

    def look(number):
        targets = ("/api/exchanges?limit=50", "/api/running", "/api/heat?minutes=1", "/api/workers", "/metrics",
                   "/api/exchanges?failed=1&text=none", "/api/exchanges/last", "/api/heat?failed=1")
        with site.admin_connect(wait_seconds=10) as c:
            while not stop.is_set():
                target = targets[(looks[number] + number) % len(targets)]
                c.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = c.response()
                expect_true(answer.status == 200 or target.endswith("last"), f"{target}: {answer}")
                if target != "/metrics" and answer.status == 200:
                    rows = json.loads(answer.content)
                    expect_true(isinstance(rows, dict), target)
                    expect(rows.get("silent", 0), 0, "a worker that does not answer")
                looks[number] += 1

    def listen(number):
        told.append(read_stream(site, begun, stop if number else at_once))

    streams, cut = in_threads(2, listen)
    begun.wait(10)
    threads, raised = in_threads(7, lambda number: serve(number) if number < 4 else look(number - 4))
    time.sleep(2)
    stop.set()
    finish(threads, raised)
    time.sleep(0.7)  # what ended last is told
    total = site.api("workers")
    expect_true(all(worker["exchanges"] > 0 for worker in total["workers"]), "both have worked")
    expect(total["total"]["exchanges"], sum(served))
    site.signal(signal.SIGTERM)
    expect(site.ended(), 0)
    finish(streams, cut)
    expect_true(min(looks) > 3, f"looks: {looks}")
    expect(told, [sum(served)] * 2, "each stream has told all, or said how many it did not")
