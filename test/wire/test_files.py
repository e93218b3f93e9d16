"""Files: whole answers to GET and HEAD, their fields, tags and dates, and what happens when a file changes."""
import email.utils
import os
import subprocess
import time

from harness import Server, answering, configured, expect, expect_in, expect_true, files, program, skip, test

RECHECK_SECONDS = 1.0  # how long a file that was looked at is believed
TICK_SECONDS = 0.03    # the kernel's clock for files moves in steps
LARGE = 200_000        # beyond what is kept in memory: tagged by its stamp

TEXT = "".join(f"line {i} of a text that can be compressed\n" for i in range(200))

site = Server({
    "a.txt": "hello\n", "empty.txt": "", "odd name é.txt": "odd", "large.bin": os.urandom(LARGE), "text.html": TEXT,
    "stored.txt": TEXT, "stored.txt.gz": "pretend", "page.en.html": "<p>en", "page.zh-TW.html": "<p>tw",
    "dir/index.html": "<p>index", "dir/b.txt": "b", "bare/c.txt": "c", "no-suffix": "\x00\x01", "x.unknownsuffix": "?",
    "s.svg": "<svg/>", "j.json": "{}", "p.PNG": "png",
}, config=configured(files(headers={"Cache-Control": "max-age=60"}, listing="off"),
                     files("/listed", listing="on"), answering("/echo", "request-ok", text="the result\n")))


def only(answer, without=("date", "verdict")):
    """All fields but those that differ between any two answers."""
    return [(name, value) for name, value in answer.fields if name.lower() not in without]


def twice(server, target, **fields):
    """The same with GET and with HEAD."""
    return server.request("GET", target, **fields), server.request("HEAD", target, **fields)


@test("R001", "R029", "R034")
def get_gives_the_bytes_of_the_file():
    for name in ("a.txt", "empty.txt", "large.bin", "text.html", "dir/b.txt", "s.svg"):
        got = site.get("/" + name).expect(200, "request-ok")
        expect(got.content, (site.root / name).read_bytes(), name)
        expect((got.minor, got.framing, got.get("Server")), (1, "length", "verdict"))
    expect(site.get("/odd%20name%20%C3%A9.txt").expect(200, "request-ok").content, b"odd")


@test("R029")
def post_gives_the_result():
    got = site.request("POST", "/echo", b"data").expect(200, "request-ok")
    expect((got.text, got.get("Content-Type")), ("the result\n", "text/plain; charset=utf-8"))


@test("R030")
def head_is_get_without_content():
    cases = [("/a.txt", {}), ("/large.bin", {}), ("/text.html", {"accept_encoding": "gzip"}), ("/dir/", {}),
             ("/page", {"accept_language": "zh-TW"}), ("/stored.txt", {"accept_encoding": "gzip"}), ("/listed/", {}),
             ("/dir", {}), ("/missing", {}), ("/bare/", {}), ("/.hidden", {}), ("/echo", {}),
             ("/page", {"accept": "application/json"}), ("/missing", {"accept": "text/html"})]
    for target, fields in cases:
        got, head = twice(site, target, **fields)
        expect((head.status, head.reason, only(head)), (got.status, got.reason, only(got)), f"{target} {fields}")
        expect(int(head.get("Content-Length")), len(got.content), target)
        expect_true(len(got.content) > 0 or target == "/empty.txt", target)
        expect(head.content, b"")


@test("R030")
def head_has_no_content_on_the_connection():
    with site.connect() as c:
        c.send("HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\nHEAD /missing HTTP/1.1\r\nHost: a\r\n\r\n"
               "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        c.response("HEAD").expect(200, "request-ok")
        c.response("HEAD").expect(404, "not-found")
        expect(c.response().expect(200).content, b"hello\n")
        c.expect_closed()


@test()
def types_come_from_the_suffix_and_are_not_to_be_guessed():
    for name, wanted in (("a.txt", "text/plain"), ("text.html", "text/html"), ("s.svg", "image/svg+xml"),
                         ("j.json", "application/json"), ("p.PNG", "image/png"),
                         ("large.bin", "application/octet-stream"),
                         ("no-suffix", "application/octet-stream"), ("x.unknownsuffix", "application/octet-stream")):
        got = site.get("/" + name).expect(200)
        expect(got.get("Content-Type").split(";")[0], wanted, name)
        expect(got.get("X-Content-Type-Options"), "nosniff", name)
    expect(site.get("/missing").get("X-Content-Type-Options"), "nosniff")


@test()
def an_index_stands_for_its_directory():
    got = site.get("/dir/").expect(200, "request-ok")
    expect((got.text, got.get("Content-Type")), ("<p>index", "text/html; charset=utf-8"))
    site.get("/bare/").expect(403, "listing-denied")
    site.get("/dir/b.txt/").expect(404, "not-found")
    site.get("/dir/index.html").expect(200, "request-ok")


@test()
def names_of_indexes_are_tried_in_order():
    tree = {"one/a.htm": "a", "one/b.htm": "b", "two/b.htm": "b", "none/index.html": "i", "three/a.htm/x": "x",
            "three/b.htm": "b"}
    with Server(tree, config=configured(files(index=["a.htm", "b.htm"]))) as server:
        expect(server.get("/one/").expect(200, "request-ok").text, "a")
        expect(server.get("/two/").expect(200, "request-ok").text, "b")
        expect(server.get("/three/").expect(200, "request-ok").text, "b")
        server.get("/none/").expect(403, "listing-denied")


@test()
def last_modified_is_the_files_and_date_is_now():
    got = site.get("/a.txt")
    modified = email.utils.parsedate_to_datetime(got.get("Last-Modified")).timestamp()
    expect(int(modified), int((site.root / "a.txt").stat().st_mtime))
    expect_true(abs(email.utils.parsedate_to_datetime(got.get("Date")).timestamp() - time.time()) < 3, got.get("Date"))
    expect_true(got.get("Date").endswith(" GMT") and len(got.get("Date")) == 29, got.get("Date"))


@test()
def times_that_cannot_be_true_are_not_told():
    for i, when in enumerate((0, 1000, time.time() + 86400, time.time() + 3600 * 24 * 365 * 30)):
        path = site.root / f"time{i}.txt"
        path.write_text("time")
        os.utime(path, (when, when))
        got = site.get(f"/time{i}.txt").expect(200)
        expect(got.get("Last-Modified"), None, f"time {when}")
        site.get(f"/time{i}.txt", if_none_match=got.get("ETag")).expect(304, "not-modified")
        for since in (0, when, time.time() + 7 * 86400):
            since = email.utils.formatdate(since, usegmt=True)
            site.get(f"/time{i}.txt", if_modified_since=since).expect(200, "request-ok")
            site.get(f"/time{i}.txt", if_unmodified_since=since).expect(200, "request-ok")


@test()
def tags_are_strong_and_tell_representations_apart():
    time.sleep(TICK_SECONDS)
    tags = [site.get("/" + name).get("ETag") for name in ("a.txt", "empty.txt", "large.bin", "text.html",
                                                          "page.en.html")]
    tags += [site.get("/text.html", accept_encoding=coding).get("ETag") for coding in ("gzip", "br", "zstd", "deflate")]
    for tag in tags:
        expect_true(tag.startswith('"') and tag.endswith('"') and len(tag) > 12, f"a strong tag: {tag}")
    expect(len(set(tags)), len(tags), "different tags")


@test()
def the_same_bytes_of_another_type_have_another_tag():
    for name in ("same.txt", "same.css", "same.en.css"):
        (site.root / name).write_text("same")
    expect(len({site.get("/" + name).get("ETag") for name in ("same.txt", "same.css", "same.en.css")}), 3)


@test(seconds=20)
def tags_survive_a_restart():
    cases = [("/a.txt", None), ("/large.bin", None), ("/text.html", "gzip"), ("/text.html", "br"),
             ("/stored.txt", "gzip")]

    def tags():
        return [site.get(target, accept_encoding=coding).expect(200).get("ETag") for target, coding in cases]

    time.sleep(TICK_SECONDS)
    before = tags()
    site.stop()
    expect(tags(), before)


def change_unseen(path, content):
    """Other bytes, as many as before, and the old time of modification."""
    before = path.stat()
    path.write_bytes(content)
    expect(len(content), before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def changes_are_served(name, first, second):
    path = site.root / name
    path.write_bytes(first)
    time.sleep(TICK_SECONDS)
    before = site.get("/" + name).expect(200)
    expect(before.content, first)
    change_unseen(path, second)
    time.sleep(RECHECK_SECONDS + 0.1)
    after = site.get("/" + name, if_none_match=before.get("ETag")).expect(200, "request-ok")
    expect(after.content, second)
    expect_true(before.get("ETag") != after.get("ETag"), "another tag")


@test()
def a_change_of_the_same_size_and_time_changes_the_tag():
    changes_are_served("small-change.txt", b"one\n", b"two\n")


@test()
def so_does_one_of_a_large_file():
    changes_are_served("large-change.bin", b"1" * LARGE, b"2" * LARGE)


@test()
def a_large_file_written_over_does_not_go_out_under_its_old_tag():
    path = site.root / "over.bin"
    path.write_bytes(b"1" * LARGE)
    time.sleep(TICK_SECONDS)
    before = site.get("/over.bin").expect(200)
    site.get("/over.bin", if_none_match=before.get("ETag")).expect(304, "not-modified")
    change_unseen(path, b"2" * LARGE)
    after = site.get("/over.bin", range="bytes=0-9", if_range=before.get("ETag")).expect(200, "request-ok")
    expect(after.content == b"2" * LARGE, True)
    expect_true(before.get("ETag") != after.get("ETag"), "another tag")


@test()
def a_tag_is_never_true_of_two_contents_however_fast_they_change():
    path = site.root / "fast.bin"
    strong = {}
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        path.write_bytes(os.urandom(8) * (LARGE // 8))
        got = site.get("/fast.bin").expect(200)
        if not got.get("ETag").startswith("W/"):
            expect(strong.setdefault(got.get("ETag"), got.content), got.content, "one content for one strong tag")


@test()
def a_file_that_comes_or_goes_is_seen_within_a_second():
    path = site.root / "soon.txt"
    site.get("/soon.txt").expect(404, "not-found")
    path.write_text("now")
    time.sleep(RECHECK_SECONDS + 0.1)
    site.get("/soon.txt").expect(200, "request-ok")
    path.unlink()
    time.sleep(RECHECK_SECONDS + 0.1)
    site.get("/soon.txt").expect(404, "not-found")


@test(seconds=20)
def a_file_replaced_while_it_is_sent_comes_whole():
    path, size = site.root / "replaced.bin", 24 << 20
    path.write_bytes(b"1" * size)
    with site.connect() as c:
        c.send("GET /replaced.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = c.head()
        (site.root / "next").write_bytes(b"2" * size)
        (site.root / "next").rename(path)
        time.sleep(RECHECK_SECONDS + 0.1)
        after = site.get("/replaced.bin").expect(200, "request-ok")
        content = c._exactly(int(answer.get("Content-Length")))
    expect(content.count(b"1"), size, "bytes of the first version")
    expect(after.content.count(b"2"), size, "bytes of the second version")
    expect_true(after.get("ETag") != answer.get("ETag"), "another tag")
    path.unlink()


@test()
def a_file_cut_short_while_it_is_sent_breaks_the_connection():
    path, size = site.root / "cut.bin", 24 << 20
    path.write_bytes(b"1" * size)
    with site.connect() as c:
        c.send("GET /cut.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = c.head()
        os.truncate(path, 1000)
        got = len(c.kept)
        try:
            while part := c._receive():
                got += len(part)
        except ConnectionResetError:
            pass
    expect_true(got < size, "the content is not made whole with anything")
    line = site.log_where(target="/cut.bin")
    expect((line["reason"], line["broken"]), ("request-ok", "content-source-failed"))
    expect_true(answer.id == line["id"], "of this exchange")


def counted(connection, length):
    """Reads so many bytes of content; they are only counted."""
    left = length - len(connection.kept)
    connection.kept = b""
    room = bytearray(1 << 20)
    while left > 0:
        n = connection.socket.recv_into(room, min(left, len(room)))
        expect_true(n > 0, f"{left} bytes before the end")
        left -= n
    return length


@test("R055", "R057", seconds=60)
def two_gibibytes_come_whole_and_in_ranges():
    path, size = site.root / "huge.bin", (2 << 30) + 12345
    with open(path, "wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    time.sleep(TICK_SECONDS)
    with site.connect(wait_seconds=30) as c:
        c.send("GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = c.head()
        expect((answer.status, answer.get("Content-Length")), (200, str(size)))
        counted(c, size)
        c.send(f"GET /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes={size - 3}-\r\n"
               f"If-Range: {answer.get('ETag')}\r\n\r\n")
        end = c.response().expect(206, "partial-content")
        expect((end.content, end.get("Content-Range")), (b"end", f"bytes {size - 3}-{size - 1}/{size}"))
        c.send(f"GET /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes={1 << 31}-{(1 << 31) + 9}\r\n\r\n")
        expect(c.response().expect(206).content, b"\0" * 10)
        c.send("GET /huge.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=1000-\r\n\r\n")
        expect(c.head().get("Content-Length"), str(size - 1000))
    path.unlink()


@test()
def accept_charset_is_ignored():
    got = site.get("/a.txt", accept_charset="iso-8859-5;q=1, *;q=0").expect(200, "request-ok")
    expect_true(got.get("Vary") is None or "charset" not in got.get("Vary").lower(), "no Vary")


@test()
def the_log_tells_what_the_answer_told():
    answer = site.get("/missing/thing?x=1", referer="http://a.test/", user_agent="test").expect(404, "not-found")
    line = site.log_of(answer)
    expect({key: line[key] for key in ("method", "target", "host", "status", "reason", "referer", "user_agent")},
           {"method": "GET", "target": "/missing/thing?x=1", "host": "example.test", "status": 404,
            "reason": "not-found",
            "referer": "http://a.test/", "user_agent": "test"})
    expect_in("open", line["ms"]["wait"])


@test()
def a_directory_that_may_not_be_read_is_told_at_the_start():
    if os.geteuid() != 0:
        skip("only root can start a server as somebody else")
    for mode in (0o700, 0o711, 0o744):
        closed = site.home / f"closed-{mode:o}"
        closed.mkdir()
        closed.chmod(mode)
        site.home.chmod(0o755)
        done = subprocess.run([program(), "serve", closed, "-l", "127.0.0.1:0", "--log", "off"], capture_output=True,
                              text=True, timeout=20, user=65534, group=65534, extra_groups=[], check=False)
        expect((done.returncode, done.stdout), (2, ""), oct(mode))
        expect(done.stderr, f"verdict: {closed} exists, but this user may not read it: let the user enter and read it, "
                            "or name another directory\n")


@test()
def no_worker_answers_with_the_old_after_one_has_answered_with_the_new():
    def now():
        return [both.get("/x.txt").text for _ in range(12)]  # each on a connection, and so on a worker, of its own choice

    with Server({"x.txt": "0"}, args=["--workers", "2"]) as both:
        for state in range(1, 5):
            expect(set(now()), {str(state - 1)})
            time.sleep(0.1)
            (both.root / "x.txt").write_text(str(state))
            seen, until = [], time.monotonic() + 2 * RECHECK_SECONDS
            while str(state) not in seen and time.monotonic() < until:
                seen = now()
            expect(set((seen + now())[seen.index(str(state)):]), {str(state)}, f"then {seen}")
