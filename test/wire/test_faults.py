"""Each allocation and each system call fails once: the server answers at most once, gives a reason, and goes on.

A scenario is run with its first call failing, then with its second, until it makes fewer calls than that.
"""
import errno
import itertools
import time

from harness import Faults, Malformed, expect, expect_true, test

MOST = 400
WAIT_SECONDS = 4
faults = Faults()
site = faults.server({"a.txt": "hello", "list": None}, config="""
listen: "127.0.0.1:{port}"
workers: 1
explain: all
limits: {cache_entries: 16}
sites:
  - routes:
      - {path: /, files: "{root}", write: on, listing: on, sync: full}
""")


def exchange(raw, target, method):
    """One request on a new connection, the fault being armed. The answer, or None when the connection just ended."""
    with site.connect(wait_seconds=WAIT_SECONDS) as c:
        try:
            c.send(raw)
        except OSError:
            pass
        try:
            answer = c.response(to=method)
        except (Malformed, ConnectionError):
            answer = None
        if answer is not None:
            expect_true(not c.kept, f"{target}: answered twice: {c.kept[:200]!r}")
            c.finish_sending()
            try:
                c.expect_closed()
            except ConnectionError:
                pass
    return answer


def each_call_fails_once(prepare, raw_of, good):
    """prepare(name) makes what the request needs; raw_of(target) is the request; good: statuses without a fault."""
    failed, ends = [], []
    for nth in itertools.count(1):
        name = f"{prepare.__name__}-{nth}"
        target = prepare(name)
        raw = raw_of(target)
        raw = raw if isinstance(raw, bytes) else raw.encode()
        faults.arm(nth)
        try:
            answer = exchange(raw, target, raw.split(b" ")[0].decode())
        finally:
            call = faults.disarm()
        expect_true(site.process.poll() is None, f"the server died when call {nth} ({call}) failed\n{site.stderr}")
        judge(answer, good, call)
        ends.append((call, target, answer))
        if call is None:
            break
        failed.append(call)
        expect_true(nth < MOST, f"{nth} calls and no end: {failed[-5:]}")
    expect_true(len(failed) > 3, f"the library was at work: {failed}")
    logged_once(ends)
    print(f"# {prepare.__name__}: failed {len(failed)} calls: {' '.join(sorted(set(failed)))}")
    serves_normally()


def judge(answer, good, call):
    if call is None:
        expect_true(answer is not None and answer.status in good, f"without a fault: {answer}")
    if answer is not None:
        expect_true(answer.status in good or answer.status >= 500, f"{call} failed: {answer}")
        expect_true(answer.reason and answer.id, f"a reason: {answer}")


def logged_once(ends):
    """Every answer has its line; an exchange without an answer has at most one, with a reason."""
    site.log_of(site.get("/none-such"))
    lines = site.log()
    for call, target, answer in ends:
        own = [line for line in lines if line.get("target") == target]
        if answer is None:
            expect_true(len(own) <= 1 and all(line["reason"] for line in own), f"{call} failed: {own}")
        else:
            expect([(line["id"], line["reason"], line["status"]) for line in own],
                   [(answer.id, answer.reason, answer.status)], f"{call} failed")


def serves_normally():
    expect(site.get("/a.txt").expect(200).content, b"hello")
    site.get("/none-such").expect(404, "not-found")


def sockets():
    """Cached files may stay open, connections may not."""
    return sum("socket:" in name for name in site.descriptors().values())


def sockets_settle(before):
    until = time.monotonic() + 5
    while True:
        if sockets() <= before or time.monotonic() > until:
            return
        time.sleep(0.05)


def bounded(prepare, raw_of, good):
    serves_normally()
    before = sockets()
    each_call_fails_once(prepare, raw_of, good)
    sockets_settle(before)
    expect_true(sockets() <= before, f"sockets leak: {before} before, now {site.descriptors()}")
    held = [name for name in site.descriptors().values() if name.startswith(str(site.root) + "/")]
    expect_true(len(held) <= 16 * 3, f"files that stay open, cached ones included: {held}")
    litter = [p.name for p in site.root.rglob(".*")]
    expect(litter, [], "files left behind")


def get(target):
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"


def small_file(name):
    (site.root / name).write_text("small")
    return f"/{name}"


def large_file(name):
    (site.root / name).write_bytes(b"x" * 300000)
    return f"/{name}"


def variants(name):
    for end in ("en.html", "zh-CN.html", "en.html.gz"):
        (site.root / f"{name}.{end}").write_bytes(b"<p>" + b"text " * 500)
    return f"/{name}.html"


def listing(name):
    (site.root / "list" / name).mkdir()
    (site.root / "list" / name / "one").write_text("1")
    return f"/list/{name}/"


def new_name(name):
    return f"/{name}"


def there(name):
    (site.root / name).write_text("old")
    return f"/{name}"


@test(seconds=60)
def reading_a_small_file():
    bounded(small_file, get, [200])


@test(seconds=60)
def reading_a_large_file():
    bounded(large_file, get, [200])


@test(seconds=60)
def reading_ranges():
    bounded(large_file_ranges, lambda target: get(target)[:-2] + "Range: bytes=0-9,100-200,-5\r\n\r\n", [206])


def large_file_ranges(name):
    return large_file(name)


@test(seconds=60)
def negotiating():
    bounded(variants, lambda target: get(target)[:-2] + "Accept-Encoding: gzip, br\r\nAccept-Language: zh\r\n\r\n", [200])


@test(seconds=60)
def listing_a_directory():
    bounded(listing, get, [200])


@test("R215", seconds=60)
def an_error_page():
    bounded(new_name, get, [404])


@test(seconds=60)
def creating_a_file():
    bounded(created, lambda t: f"PUT {t} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", [201])
    for path in site.root.glob("created-*"):
        expect(path.read_bytes(), b"hello", f"content of {path.name}: whole or nothing")


def created(name):
    return new_name(name)


@test(seconds=60)
def replacing_a_file_in_chunks():
    raw = "PUT {} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnew\r\n0\r\n\r\n"
    bounded(there, raw.format, [204])
    for path in site.root.glob("there-*"):
        expect_true(path.read_text() in ("old", "new"), f"{path.name} is old or new: {path.read_text()!r}")


@test(seconds=60)
def deleting_a_file():
    bounded(deleted, "DELETE {} HTTP/1.1\r\nHost: a\r\n\r\n".format, [204])


def deleted(name):
    return there(name)


@test("R215")
def a_broken_disk_is_told_without_the_inside():
    target = small_file("broken-disk")
    faults.arm(1, ["fstat"])
    answer = exchange(get(target).encode(), target, "GET").expect(500, "file-system-error")
    expect(faults.disarm(), "fstat")
    for word in (str(site.root), "fstat", "errno", ".c:"):
        expect_true(word not in answer.text, f"{word} shows in {answer.text}")
    expect(site.log_of(answer)["at"], errno.EIO)
    site.get(target).expect(200)


@test("R225", "R226")
def no_memory_for_another_exchange_is_said():
    reasons, held = [], []
    try:
        for nth in range(1, 7):
            faults.arm(nth, ["malloc"])
            answer = exchange(get("/a.txt").encode(), "/a.txt", "GET")
            faults.disarm()
            reasons.append(answer.reason if answer is not None else None)
            if answer is not None and answer.reason == "worker-memory-exhausted":
                expect((answer.status, answer.words("Connection")), (503, ["close"]))
                expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
                expect(site.log_of(answer)["reason"], "worker-memory-exhausted")
            held.append(site.connect().send("PUT /held HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n"
                                            "Expect: 100-continue\r\n\r\n"))
            expect(held[-1].head().status, 100)  # now it is the server's, and the next one needs another
    finally:
        for c in held:
            c.reset()
    expect_true("worker-memory-exhausted" in reasons, f"reasons: {reasons}")
    serves_normally()


@test("R225", "R226")
def no_thread_to_look_at_files_with():
    with faults.server({"a.txt": "hello"}) as fresh:
        with fresh.connect() as c:
            faults.arm(1, ["pthread_create"])
            answer = c.send(get("/a.txt")).response().expect(503, "helper-queue-full")
            expect(faults.disarm(), "pthread_create")
            expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
            expect(c.send(get("/a.txt")).response().expect(200).content, b"hello")
