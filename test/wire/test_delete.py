"""DELETE, and what is remembered of it."""
import os
import threading
import time

from harness import Server, configured, expect, expect_in, expect_true, files, test

TREE = {"a.txt": "a", "b.txt": "b", "dir/x.txt": "x", "empty": None}

site = Server(TREE, config=configured(files(write="on"), workers=2))
graves = Server(TREE, config=configured(files(write="on", tombstones="on")))


@test("R033", "R044", "R163")
def what_is_deleted_is_gone():
    answer = site.request("DELETE", "/a.txt").expect(204, "deleted")
    expect((answer.content, answer.framing), (b"", "none"))
    site.get("/a.txt").expect(404, "not-found")
    site.request("DELETE", "/a.txt").expect(404, "not-found")
    expect((site.root / "a.txt").exists(), False)
    expect(site.log_of(answer)["status"], 204)


@test("R163")
def conditions_guard_it():
    site.request("PUT", "/c.txt", b"c").expect(201)
    tag = site.get("/c.txt").get("ETag")
    site.request("DELETE", "/c.txt", if_match='"old"').expect(412, "if-match-failed")
    site.request("DELETE", "/c.txt", if_none_match=tag).expect(412, "if-none-match-failed")
    site.request("DELETE", "/none.txt", if_match="*").expect(404, "not-found")
    expect((site.root / "c.txt").exists(), True)
    site.request("DELETE", "/c.txt", if_match=tag).expect(204, "deleted")


@test()
def collections_stay():
    for target in ("/dir/", "/empty/", "/"):
        answer = site.request("DELETE", target).expect(405, "delete-on-collection")
        expect_true("delete" not in answer.words("Allow"), answer.get("Allow"))
    expect(site.request("DELETE", "/dir").expect(308, "directory-redirect-method-kept").get("Location"), "/dir/")
    expect((site.root / "dir/x.txt").exists(), True)


@test()
def a_link_is_deleted_not_its_target():
    os.symlink("b.txt", site.root / "link")
    site.request("DELETE", "/link").expect(204, "deleted")
    expect((site.root / "b.txt").read_text(), "b")
    expect((site.root / "link").is_symlink(), False)


@test(seconds=20)
def of_those_who_delete_over_two_workers_one_wins():
    for _ in range(6):
        site.request("PUT", "/race.txt", b"x").expect(201)
        tag = site.get("/race.txt").get("ETag")
        barrier, answers = threading.Barrier(6), []

        def go(barrier=barrier, answers=answers, tag=tag):
            with site.connect() as c:
                barrier.wait()
                answers.append(c.send(f"DELETE /race.txt HTTP/1.1\r\nHost: a\r\nIf-Match: {tag}\r\n\r\n").response())

        threads = [threading.Thread(target=go) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(sum(answer.status == 204 for answer in answers), 1)
        expect_true({a.status for a in answers} <= {204, 404, 412}, f"{[(a.status, a.reason) for a in answers]}")


@test("R139", "R156")
def what_was_deleted_here_is_410():
    graves.request("DELETE", "/a.txt").expect(204, "deleted")
    answer = graves.get("/a.txt").expect(410, "gone")
    expect_in("Permanent", answer.text)
    expect(answer.get("Location"), None)
    graves.request("HEAD", "/a.txt").expect(410, "gone")
    graves.request("DELETE", "/a.txt").expect(410, "gone")
    graves.get("/never.txt").expect(404, "not-found")
    graves.get("/dir/a.txt").expect(404, "not-found")
    (graves.root / "b.txt").unlink()
    time.sleep(1.1)
    graves.get("/b.txt").expect(404, "not-found")


@test("R139", "R156", seconds=20)
def also_after_a_restart_until_it_is_put_again():
    graves.request("PUT", "/r.txt", b"r").expect(201)
    graves.request("DELETE", "/r.txt").expect(204, "deleted")
    graves.stop()
    graves.get("/r.txt").expect(410, "gone")
    graves.request("PUT", "/r.txt", b"again", if_none_match="*").expect(201, "created")
    expect(graves.get("/r.txt").expect(200).text, "again")
    (graves.root / "r.txt").unlink()
    time.sleep(1.1)
    graves.get("/r.txt").expect(404, "not-found")


@test("R155", seconds=20)
def the_owner_can_forget():
    for name in ("one", "two"):
        graves.request("PUT", f"/{name}", b"x").expect(201)
        graves.request("DELETE", f"/{name}").expect(204)
        graves.get(f"/{name}").expect(410, "gone")
    for stone in (graves.root / ".verdict" / "gone").iterdir():
        if stone.read_text().endswith("one"):
            stone.unlink()
    time.sleep(1.1)
    graves.get("/one").expect(404, "not-found")
    graves.get("/two").expect(410, "gone")


@test("R139")
def without_tombstones_it_is_404():
    site.request("PUT", "/plain.txt", b"x").expect(201)
    site.request("DELETE", "/plain.txt").expect(204)
    site.get("/plain.txt").expect(404, "not-found")
    expect((site.root / ".verdict").exists(), False)


@test("R155", seconds=20)
def a_tombstone_may_end():
    with Server(TREE, config=configured(files(write="on", tombstones="on", tombstone_lifetime="2s"))) as server:
        server.request("DELETE", "/a.txt").expect(204, "deleted")
        server.get("/a.txt").expect(410, "gone")
        time.sleep(3.2)
        server.get("/a.txt").expect(404, "not-found")
