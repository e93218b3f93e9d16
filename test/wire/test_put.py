"""PUT: what is made, what is replaced, who wins, and what is left when it does not succeed."""
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from harness import Server, configured, expect, expect_in, expect_true, files, skip, test

site = Server({"dir/x.txt": "x", "a.txt": "old"},
              config=configured(files(write="on", content_limit="4MiB"),
                                files("/strict", write="on", require=["length", "condition"]),
                                files("/small", write="on", content_limit="10"),
                                files("/read", write="off"), workers=2))


def put(target, content, **fields):
    return site.request("PUT", target, content, **fields)


def litter(root=None):
    """Files that no test has made."""
    return [str(path) for path in (root or site.root).rglob("*") if path.name.startswith(".verdict")]


@test("R033", "R035", "R036", "R037")
def what_is_new_is_201():
    answer = put("/new%20file.txt", b"first").expect(201, "created")
    expect(answer.get("Location"), "/new%20file.txt")
    expect_in("/new file.txt", answer.text)
    got = site.get(answer.get("Location")).expect(200, "request-ok")
    expect((got.text, got.get("ETag")), ("first", answer.get("ETag")))
    expect((site.root / "new file.txt").read_text(), "first")
    expect(site.log_of(answer)["status"], 201)


@test("R033", "R044", "R045")
def what_was_there_is_204():
    put("/again.txt", b"1").expect(201, "created")
    answer = put("/again.txt", b"22").expect(204, "replaced")
    expect((answer.content, answer.get("Location")), (b"", None))
    head = site.request("HEAD", "/again.txt").expect(200)
    expect((head.get("ETag"), head.get("Content-Length")), (answer.get("ETag"), "2"))
    expect_true(not answer.get("ETag").startswith("W/"), "strong")


@test("R044")
def a_204_ends_at_its_empty_line():
    with site.connect() as c:
        one = "PUT /pipe.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        c.send(one + one + one + "GET /pipe.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        c.response().expect(201, "created")
        c.response().expect(204, "replaced")
        c.response().expect(204, "replaced")
        expect(c.response().expect(200).text, "abc")
        c.expect_closed()


@test("R162")
def chunked_content_without_a_length():
    chunks = "5\r\nhello\r\n1;ext=1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\n"
    head = "PUT /chunked.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.ask(head + chunks).expect(201, "created")
    expect(site.get("/chunked.txt").text, "hello world")
    put("/empty.txt", b"").expect(201, "created")
    expect(site.get("/empty.txt").content, b"")
    site.ask("PUT /bare.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect(201, "created")
    expect((site.root / "bare.txt").read_bytes(), b"")


@test("R160")
def a_length_may_be_required():
    head = "PUT /strict/l.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.ask(head + "1\r\nx\r\n0\r\n\r\n").expect(411, "length-required")
    put("/strict/l.txt", b"x", if_none_match="*").expect(201, "created")


@test("R194", "R195")
def a_condition_may_be_required():
    put("/guarded.txt", b"v1").expect(201)
    for method in ("PUT", "DELETE"):
        answer = site.request(method, "/strict/guarded.txt", b"v2" if method == "PUT" else None)
        answer.expect(428, "precondition-required")
        expect_in("If-Match", answer.text)
        expect(answer.get("ETag"), site.get("/guarded.txt").get("ETag"))
    put("/strict/guarded.txt", b"v2", if_match='"old"').expect(412, "if-match-failed")
    put("/strict/guarded.txt", b"v2", if_match=answer.get("ETag")).expect(204, "replaced")
    put("/strict/nothing.txt", b"v2").expect(428, "precondition-required")
    site.get("/strict/guarded.txt").expect(200, "request-ok")


@test("R142")
def it_is_off_by_default():
    with Server({"a.txt": "a"}) as plain:
        for method in ("PUT", "DELETE"):
            answer = plain.request(method, "/a.txt", b"x").expect(405, "method-not-allowed")
            expect(set(answer.words("Allow")), {"get", "head", "options"})
        expect((plain.root / "a.txt").read_text(), "a")
    with Server({"a.txt": "a"}, args=["-w"]) as writing:
        writing.request("PUT", "/a.txt", b"b").expect(204)
        expect((writing.root / "a.txt").read_text(), "b")
    expect_in("put", site.request("POST", "/a.txt", b"").expect(405, "method-not-allowed").words("Allow"))
    put("/read/a.txt", b"x").expect(405, "method-not-allowed")


@test("R141", "R216")
def a_collection_does_not_tell_what_it_refuses():
    for method, target, status, reason in (
            ("OPTIONS", "/dir/", 200, None), ("POST", "/dir/", 405, "method-not-allowed"), ("POST", "/", 405, None),
            ("PUT", "/dir/", 405, "dav-put-on-collection"), ("DELETE", "/dir/", 405, "delete-on-collection")):
        (site.root / "dir").mkdir(exist_ok=True)
        got = site.request(method, target, b"x" if method == "PUT" else None).expect(status, reason)
        expect(sorted(got.words("Allow")), ["get", "head", "options"], f"{method} {target}")


@test("R088", "R153", "R154")
def conflicts_can_be_resolved():
    missing = put("/none/such/x.txt", b"x").expect(409, "dav-parent-missing")
    expect_in("/none/such/x.txt", missing.text)
    put("/a.txt/x.txt", b"x").expect(409, "dav-parent-missing")
    put("/newdir/", b"x").expect(409, "conflict-state")
    slash = put("/dir/", b"x").expect(405, "dav-put-on-collection")
    expect_true("put" not in slash.words("Allow"), slash.get("Allow"))
    redirected = put("/dir", b"x").expect(308, "directory-redirect-method-kept")
    expect(redirected.get("Location"), "/dir/")
    expect((site.root / "dir/x.txt").read_text(), "x")


@test("R170")
def content_that_cannot_be_kept_as_it_is():
    answer = put("/coded.txt", b"x", content_encoding="foo").expect(415, "content-coding-unknown")
    expect(answer.get("Accept-Encoding"), "identity")
    put("/coded.txt", b"x", content_encoding="gzip").expect(415, "content-coding-unknown")
    put("/coded.txt", b"x", content_range="bytes 0-0/5").expect(400, "put-range-unsupported")
    site.get("/coded.txt").expect(404)
    put("/coded.txt", b"x", content_encoding="identity").expect(201, "created")


@test("R159", "R164")
def too_much_is_refused_declared_or_not():
    put("/small/ten.txt", b"0123456789").expect(201, "created")
    put("/small/eleven.txt", b"01234567890").expect(413, "content-too-large")
    head = "PUT /small/chunks.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.ask(head + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n").expect(201, "created")
    site.ask(head + "5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n").expect(413, "content-streamed-too-large")
    expect((site.root / "chunks.txt").read_text(), "0123456789")
    site.get("/eleven.txt").expect(404)


@test(seconds=30)
def large_content_arrives_whole():
    content = os.urandom(3 << 20)
    put("/large.bin", content).expect(201, "created")
    expect((site.root / "large.bin").read_bytes() == content, True)
    with site.connect() as c:
        c.send("PUT /large2.bin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(content), 50_000):
            piece = content[at:at + 50_000]
            c.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        c.send("0\r\n\r\n")
        c.response().expect(201, "created")
    expect((site.root / "large2.bin").read_bytes() == content, True)
    got = site.get("/large2.bin").expect(200)
    expect(got.content == content, True)
    said = put("/large.bin", content[1:]).expect(204, "replaced").get("ETag")
    time.sleep(0.03)
    expect_true(said in (None, site.get("/large.bin").get("ETag")), "no tag, or the one that it has")


@test(seconds=30)
def content_in_pieces_of_any_length_arrives_whole_and_no_byte_of_the_next_request_with_it():
    """Whatever the length of the head, and wherever what the network brings begins and ends."""
    for head_bytes, piece_bytes, length in ((100, 5000, 300_001), (3000, 77_777, 1 << 18), (7000, 131_073, 400_000)):
        content = os.urandom(length)
        head = f"PUT /pieces.bin HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nX-Long: ".encode()
        with site.connect() as c:
            c.send(head + b"x" * (head_bytes - len(head)) + b"\r\n\r\n")
            stream = content + b"GET /pieces.bin HTTP/1.1\r\nHost: a\r\n\r\n"
            for at in range(0, len(stream), piece_bytes):
                c.send(stream[at:at + piece_bytes])
                time.sleep(0.001)
            expect(c.response().status // 100, 2)
            expect(c.response().expect(200).content == content, True)
        expect((site.root / "pieces.bin").read_bytes() == content, True)


def half_sent(target, after):
    with site.connect() as c:
        c.send(f"PUT {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + "x" * 200_000)
        time.sleep(0.1)
        expect((site.root / "kept.txt").read_text(), "old content")
        after(c)


@test()
def an_interrupted_upload_leaves_the_old_content_and_no_litter():
    put("/kept.txt", b"old content").expect(201)
    tag = site.get("/kept.txt").get("ETag")
    half_sent("/kept.txt", lambda c: c.close())
    half_sent("/kept.txt", lambda c: c.reset())
    half_sent("/kept.txt?cut", lambda c: c.finish_sending().response().expect(400, "request-content-cut-short"))
    expect(site.log_where(target="/kept.txt?cut")["reason"], "request-content-cut-short")
    time.sleep(0.1)
    got = site.get("/kept.txt")
    expect((got.text, got.get("ETag")), ("old content", tag))
    expect(litter(), [])


@test()
def a_bad_chunk_leaves_the_old_content():
    put("/chunk-kept.txt", b"old").expect(201)
    head = "PUT /chunk-kept.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    site.ask(head + "5\r\nhello\r\nzz\r\n").expect(400, "bad-chunk")
    expect((site.root / "chunk-kept.txt").read_text(), "old")
    expect(litter(), [])


@test(seconds=20)
def a_server_killed_in_the_middle_leaves_the_old_content():
    with Server({"a.txt": "old"}, config=configured(files(write="on"))) as server:
        with server.connect() as c:
            c.send("PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + "x" * 500_000)
            time.sleep(0.2)
            server.process.kill()
            server.process.wait()
        server.process = None
        expect((server.root / "a.txt").read_text(), "old")
        server.start()
        expect(server.get("/a.txt").text, "old")
        until = time.monotonic() + 3
        while litter(server.root) and time.monotonic() < until:
            time.sleep(0.05)
        expect(litter(server.root), [])


@test()
def readers_of_two_workers_see_the_old_or_the_new_never_a_mixture():
    put("/mixed.bin", b"0" * 300_000).expect(201)
    stop, seen, wrong = threading.Event(), set(), []

    def read():
        with site.connect() as c:
            while not stop.is_set():
                content = c.send("GET /mixed.bin HTTP/1.1\r\nHost: a\r\n\r\n").response().content
                seen.add(content[:1])
                if len(set(content)) != 1 or len(content) != 300_000:
                    wrong.append(content[:10])

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for i in range(30):
        put("/mixed.bin", str(i % 10).encode() * 300_000).expect(204, "replaced")
    stop.set()
    for reader in readers:
        reader.join()
    expect((wrong, len(seen) > 2), ([], True))


@test()
def a_write_is_seen_at_once_by_all_workers():
    connections = [site.connect() for _ in range(8)]
    for i in range(20):
        put("/seen.txt", b"%d" % i)
        for c in connections:
            expect(c.send("GET /seen.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().text, str(i))
    for c in connections:
        c.close()


def race(requests):
    """Sends all of them at once, the last byte of each at the same moment; returns the answers."""
    connections = [site.connect() for _ in requests]
    for c, request in zip(connections, requests):
        c.send(request[:-1])
    time.sleep(0.05)
    barrier = threading.Barrier(len(requests))
    answers = [None] * len(requests)

    def go(i):
        barrier.wait()
        answers[i] = connections[i].send(requests[i][-1:]).response()

    threads = [threading.Thread(target=go, args=(i,)) for i in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for c in connections:
        c.close()
    return answers


def writer(target, content, condition):
    return b"PUT %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n%s\r\n\r\n%s" % (target.encode(), len(content),
                                                                                  condition.encode(), content)


def outcome(answers):
    return sorted((answer.status, answer.reason) for answer in answers)


@test("R163", seconds=30)
def of_writers_over_two_workers_with_the_same_tag_one_wins():
    for size in (10, 200_000):
        for turn in range(6):
            target = f"/race-{size}.bin"
            put(target, os.urandom(size))
            time.sleep(0.03)
            tag = site.get(target).get("ETag")
            contents = [bytes([65 + i]) * size for i in range(8)]
            answers = race([writer(target, content, f"If-Match: {tag}") for content in contents])
            won = [i for i, answer in enumerate(answers) if answer.status == 204]
            expect(len(won), 1, f"{outcome(answers)}")
            for answer in answers:
                expect_true(answer.reason in ("replaced", "write-conflict-stale-version", "if-match-failed"),
                            answer.reason)
                expect_true(answer.status in (204, 412), f"turn {turn}: {outcome(answers)}")
            expect(site.get(target).content == contents[won[0]], True)
    expect(litter(), [])


@test("R163", seconds=30)
def of_those_who_create_over_two_workers_one_wins():
    for turn in range(10):
        target = f"/create-{turn}.txt"
        answers = race([writer(target, b"writer %d" % i, "If-None-Match: *") for i in range(8)])
        won = [i for i, answer in enumerate(answers) if answer.status == 201]
        expect(len(won), 1, f"{outcome(answers)}")
        expect({answer.reason for answer in answers}, {"created", "if-none-match-failed"})
        expect(site.get(target).text, f"writer {won[0]}")
    expect(litter(), [])


@test(seconds=30)
def without_a_condition_the_last_over_two_workers_wins_whole():
    for turn in range(5):
        answers = race([writer("/free.bin", bytes([65 + i]) * 100_000, "X: y") for i in range(8)])
        expect({answer.status for answer in answers} <= {201, 204}, True, f"turn {turn}")
        expect(len(set(site.get("/free.bin").content)), 1)


@test()
def the_place_of_a_link_is_taken_not_its_target():
    (site.root / "target.txt").write_text("target")
    os.symlink("target.txt", site.root / "link.txt")
    put("/link.txt", b"new").expect(204, "replaced")
    expect(((site.root / "target.txt").read_text(), (site.root / "link.txt").read_text()), ("target", "new"))
    expect_true(not (site.root / "link.txt").is_symlink(), "no link any more")
    (site.home / "outside").mkdir()
    for name, to in (("away", "../outside"), ("absolute", str(site.home / "outside"))):
        os.symlink(to, site.root / name)
        put(f"/{name}/new.txt", b"x").expect(403, "link-outside-root")
        put(f"/{name}", b"x").expect(403, "link-outside-root")
    expect(list((site.home / "outside").iterdir()), [])


@test()
def permissions_are_kept():
    path = site.root / "mode.txt"
    path.write_text("x")
    path.chmod(0o640)
    put("/mode.txt", b"y").expect(204)
    expect(path.stat().st_mode & 0o777, 0o640)


@test()
def the_server_follows_expect_100_continue():
    head = "PUT /expected.txt HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
    with site.connect() as c:
        c.send(f"{head}Content-Length: 5\r\n\r\n")
        expect(c.head().status, 100)
        c.send("12345")
        c.response().expect(201, "created")
    with site.connect() as c:
        c.send(f"{head}Content-Length: 6\r\nIf-Match: \"x\"\r\n\r\n")
        expect(c.response().expect(412, "if-match-failed").interim, [])
    with site.connect() as c:  # as long as what is there: it may be the same, so it must be seen
        c.send(f"{head}Content-Length: 5\r\nIf-Match: \"x\"\r\n\r\n")
        expect(c.head().status, 100)
        c.send("54321").response().expect(412, "if-match-failed")


def on_tmpfs(size):
    """A small file system of its own, or the test is skipped."""
    place = Path(tempfile.mkdtemp(prefix="verdict-tmpfs-"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True,
                          check=False)
    if done.returncode != 0:
        place.rmdir()
        skip("file systems cannot be mounted here")
    return place


@test("R236", seconds=30)
def a_full_disk_is_507():
    place = on_tmpfs("256k")
    try:
        with Server(config=configured(files(directory=str(place), write="on"))) as server:
            server.request("PUT", "/old.txt", b"old").expect(201)
            answer = server.request("PUT", "/old.txt", b"x" * 500_000).expect(507, "insufficient-storage")
            expect_in("Temporary", answer.text)
            expect(answer.get("Retry-After"), None, "repeated only when its user wants it, RFC 4918, 11.5")
            body = b"".join(b"%x\r\n%s\r\n" % (50_000, b"y" * 50_000) for _ in range(10)) + b"0\r\n\r\n"
            head = b"PUT /old.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            server.ask(head + body).expect(507, "insufficient-storage")
            expect(server.get("/old.txt").text, "old")
            time.sleep(0.1)
            expect([path.name for path in place.iterdir()], ["old.txt"])
            server.request("PUT", "/fits.txt", b"z" * 100_000).expect(201, "created")
    finally:
        subprocess.run(["umount", str(place)], check=False)
        shutil.rmtree(place, ignore_errors=True)


@test()
def a_read_only_file_system_is_403():
    place = on_tmpfs("64k")
    try:
        (place / "a.txt").write_text("a")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with Server(config=configured(files(directory=str(place), write="on"))) as server:
            server.request("PUT", "/a.txt", b"b").expect(403, "write-denied")
            server.request("DELETE", "/a.txt").expect(403, "write-denied")
            server.get("/a.txt").expect(200, "request-ok")
    finally:
        subprocess.run(["umount", str(place)], check=False)
        shutil.rmtree(place, ignore_errors=True)


@test("R236")
def a_quota_is_not_exceeded():
    with Server({"have.bin": b"h" * 600}, config=configured(files(write="on", quota="1000"))) as server:
        server.request("PUT", "/a.bin", b"a" * 300).expect(201, "created")
        answer = server.request("PUT", "/b.bin", b"b" * 200).expect(507, "quota-exceeded")
        expect_in("Temporary", answer.text)
        head = "PUT /b.bin HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        server.ask(head + "c8\r\n" + "b" * 200 + "\r\n0\r\n\r\n").expect(507, "quota-exceeded")
        server.get("/b.bin").expect(404)
        server.request("PUT", "/a.bin", b"a" * 400).expect(204, "replaced")
        server.request("PUT", "/c.bin", b"c").expect(507, "quota-exceeded")
        server.request("DELETE", "/have.bin").expect(204, "deleted")
        server.request("PUT", "/c.bin", b"c" * 600).expect(201, "created")
        expect(litter(server.root), [])


@test()
def every_way_to_be_safe_on_disk_works():
    for sync in ("none", "data", "full"):
        with Server(config=configured(files(write="on", sync=sync))) as server:
            server.request("PUT", "/a.txt", b"x" * 100_000).expect(201, "created")
            expect(server.get("/a.txt").content, b"x" * 100_000)


@test()
def an_upload_over_a_unix_socket():
    with Server(config=configured(files(write="on"), listen=["127.0.0.1:{port}", "unix:{root}/v.sock"])) as server:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(server.root / "v.sock"))
            s.sendall(b"PUT /u.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nu")
            expect_true(s.recv(4096).startswith(b"HTTP/1.1 201 "), "201")
        expect(server.get("/u.txt").text, "u")
