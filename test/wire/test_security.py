"""Nothing outside the directory, nothing hidden, nothing but files: whatever the link, the encoding or the kind."""
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from harness import Server, configured, expect, expect_true, files, skip, test

SECRET = "the secret outside\n"

site = Server({
    "site/a.txt": "inside\n", "site/sub/b.txt": "below\n", "site/.env": SECRET, "site/.git/config": SECRET,
    "site/sub/.x/y": SECRET,
    "site/.well-known/acme": "open\n", "site/.well-known/.deep": SECRET, "site/%2e%2e": "odd name\n",
    "site/x%2fy.txt": "literal\n",
    "site/..data": SECRET, "outside.txt": SECRET, "outside/c.txt": SECRET, "site-evil/d.txt": SECRET,
}, config=configured(files(directory="{root}/site", listing="on", write="on"),
                     files("/hid", directory="{root}/site", hidden="on")))

root = site.root / "site"


def link(target, name):
    os.symlink(target, root / name)


def make_links():
    link("a.txt", "in")
    link("sub", "in-dir")
    link("sub/../a.txt", "in-up")
    link("../site/a.txt", "out-and-in")
    link("../outside.txt", "out")
    link("../outside", "out-dir")
    link(str(site.root / "outside.txt"), "out-absolute")
    link(str(root / "a.txt"), "in-absolute")
    link("/etc", "etc")
    link("loop-b", "loop-a")
    link("loop-a", "loop-b")
    link("loop", "loop")
    link("nothing", "dangling")
    link("/proc/self/root", "magic")
    link("out", "chain")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(root / "socket"))


make_links()


def never_secret(answer, about):
    expect_true(SECRET.encode() not in answer.content, f"{about}: the secret")
    expect_true(b"root:" not in answer.content, f"{about}: passwd")
    return answer


@test()
def links_lead_only_inside():
    for name in ("in", "in-up"):
        expect(site.get("/" + name).expect(200, "request-ok").text, "inside\n", name)
    expect(site.get("/in-dir/b.txt").expect(200).text, "below\n")
    for target in ("out", "out-absolute", "out-and-in", "in-absolute", "chain", "out-dir", "out-dir/", "out-dir/c.txt",
                   "etc/passwd",
                   "etc", "magic/etc/passwd", "magic"):
        answer = never_secret(site.get("/" + target), target)
        answer.expect(403, "link-outside-root")
        expect(site.log_of(answer)["operand"], "/" + target)
    for name in ("loop", "loop-a", "loop-b", "loop/x"):
        site.get("/" + name).expect(403, "link-loop")
    site.get("/dangling").expect(404, "not-found")


@test("R113", "R132")
def what_is_refused_says_why_without_telling_where():
    for name in ("out", "loop", "fifo"):
        answer = site.get("/" + name, accept="application/problem+json").expect(403)
        for word in (str(site.root), "outside.txt", "/proc", "/etc"):
            expect_true(word not in answer.text and word not in str(answer.fields), f"{name}: {word}")


@test()
def only_regular_files_are_served():
    for name in ("fifo", "socket"):
        start = time.monotonic()
        site.get("/" + name).expect(403, "not-a-regular-file")
        expect_true(time.monotonic() - start < 2, f"{name} does not block")
    try:
        os.mknod(root / "device", 0o666 | 0o020000, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        skip("devices cannot be made here")
    site.get("/device").expect(403, "not-a-regular-file")


@test()
def dots_do_not_climb():
    for target in ("/../outside.txt", "/%2e%2e/outside.txt", "/sub/../../outside.txt", "/%2E./outside.txt",
                   "/.%2e/outside.txt",
                   "/sub/%2e%2e/%2e%2e/outside.txt", "/..", "/%2e%2e", "/a/../..", "/..%2foutside.txt",
                   "/%2e%2e%2foutside.txt",
                   "/sub/..%2f..%2foutside.txt", "/..%5coutside.txt", "/..\\outside.txt", "/../site-evil/d.txt",
                   "/../site/a.txt"):
        never_secret(site.get(target), target).expect(400)
    site.get("/../outside.txt").expect(400, "path-outside-root")
    expect(site.get("/sub/../a.txt").expect(200).text, "inside\n")
    expect(site.get("/sub/%2e%2e/a.txt").expect(200).text, "inside\n")
    expect(site.get("/./sub/./b.txt").expect(200).text, "below\n")
    expect(site.get("//a.txt").expect(200).text, "inside\n")
    expect(site.get("/sub//b.txt").expect(200).text, "below\n")


@test()
def escapes_are_decoded_once():
    never_secret(site.get("/%252e%252e/outside.txt"), "twice").expect(404, "not-found")
    expect(site.get("/%252e%252e").expect(200).text, "odd name\n")
    site.get("/sub%2fb.txt").expect(404, "not-found")
    site.get("/sub%2Fb.txt").expect(404, "not-found")
    site.get("/a.txt%2f").expect(404, "not-found")
    site.get("/a.txt%00").expect(400, "target-malformed")
    site.get("/a.txt%00.html").expect(400, "target-malformed")
    site.get("/%zz").expect(400, "target-malformed")
    site.get("/a%").expect(400, "target-malformed")
    site.get("/%c0%ae%c0%ae/outside.txt").expect(404, "not-found")
    site.get("/%61.txt").expect(200, "request-ok")
    site.get("/a.txt%20").expect(404, "not-found")
    site.get("/a.txt.").expect(404, "not-found")
    site.get("/A.TXT").expect(404, "not-found")


@test("R140")
def hidden_names_are_404():
    for target in ("/.env", "/.git/config", "/.git/", "/.git", "/sub/.x/y", "/%2eenv", "/.%65nv", "/.missing",
                   "/..data",
                   "/.well-known/.deep", "/sub/../.env", "/.verdict/gone"):
        answer = never_secret(site.get(target), target).expect(404, "hidden-segment")
        expect(site.log_of(answer)["reason"], "hidden-segment")
        expect(site.request("PUT", target, b"x", if_none_match="*").status, 404, target)
        expect(site.request("DELETE", target).status, 404, target)
    expect(site.get("/.well-known/acme").expect(200).text, "open\n")
    expect((root / ".env").read_text(), SECRET)


@test()
def where_they_are_served_the_servers_own_names_are_not():
    expect(site.get("/hid/.env").expect(200, "request-ok").text, SECRET)
    tree = {"a": "a", "sub/a": "a"}
    with Server(tree, config=configured(files(hidden="on", listing="on", write="on", tombstones="on"))) as server:
        for name in ("/.verdict", "/.verdict-upload-x", "/sub/.verdict", "/sub/.verdict-x"):
            server.request("PUT", name, b"x").expect(403, "write-denied")
        server.request("DELETE", "/a").expect(204, "deleted")
        gone = next((server.root / ".verdict" / "gone").iterdir()).name
        server.request("DELETE", f"/.verdict/gone/{gone}").expect(403, "write-denied")
        server.request("PUT", f"/.verdict/gone/{gone}", b"x").expect(403, "write-denied")
        for target in (f"/.verdict/gone/{gone}", "/.verdict/gone/", "/.verdict/", "/.verdict", "/sub/../.verdict/"):
            server.get(target).expect(404, "not-found")
        expect_true(".verdict" not in server.get("/").text, "not listed")
        server.request("PUT", "/.verdict/gone/new", b"x").expect(403, "write-denied")
        server.request("PUT", "/.env", b"mine").expect(201, "created")
        expect(server.get("/.env").text, "mine")


@test("R140")
def what_is_refused_is_not_opened():
    if shutil.which("strace") is None:
        skip("strace is not installed")
    log = Path(tempfile.mkdtemp(prefix="verdict-strace-")) / "calls"
    tracer = subprocess.Popen(["strace", "-f", "-q", "-e", "trace=%file,openat2", "-o", str(log), "-p", str(site.pid)],
                              stderr=subprocess.PIPE)
    try:
        time.sleep(0.5)
        if tracer.poll() is not None:
            skip("processes cannot be traced here")
        long = "/" + "segment/" * 300
        for target, reason in (("/.env", "hidden-segment"), ("/..%2foutside.txt", "path-outside-root"),
                               ("/%00", "target-malformed"),
                               ("/x" * 5000, "uri-too-long"), (long, "too-many-url-segments"),
                               ("/a.txt?" + "q" * 9000, "query-too-long")):
            expect(site.get(target).reason, reason)
        site.request("FROB", "/refused.txt").expect(501, "method-unknown")
        site.request("POST", "/refused.txt", b"x").expect(405, "method-not-allowed")
        site.get("/opened.txt").expect(404, "not-found")
        time.sleep(0.2)
    finally:
        tracer.terminate()
        tracer.wait()
    calls = log.read_text()
    shutil.rmtree(log.parent)
    expect_true("opened.txt" in calls, "what is looked for is opened")
    for word in (".env", "outside", "segment", "refused", "a.txt"):
        expect_true(word not in calls, f"{word} is not: {[line for line in calls.splitlines() if word in line][:3]}")


@test("R140")
def limits_of_a_route():
    with Server({"a.txt": "a"}, config=configured(files(path_limit="100", query_limit="50",
                                                        segments_limit="5"))) as server:
        server.get("/a.txt?" + "q" * 50).expect(200, "request-ok")
        server.get("/a.txt?" + "q" * 51).expect(414, "query-too-long")
        server.get("/" + "p" * 99).expect(404, "not-found")
        server.get("/" + "p" * 100).expect(414, "uri-too-long")
        server.get("/1/2/3/4/5").expect(404, "not-found")
        server.get("/1/2/3/4/5/6").expect(414, "too-many-url-segments")


@test("R133")
def whether_something_hidden_is_there_is_not_told():
    for there, missing in (("/.env", "/.nve"), ("/.git/config", "/.git/gifnoc"), ("/sub/.x/y", "/sub/.x/n")):
        for accept in ("text/html", "text/plain", "application/json"):
            answers = [site.get(target, accept=accept).expect(404, "hidden-segment") for target in (there, missing)]
            expect(*[answer.text.replace(answer.id, "ID").replace(target, "PATH")
                     for answer, target in zip(answers, (there, missing))])
            expect(*[[field for field in answer.fields if field[0] not in ("Date", "Verdict")] for answer in answers])


NOBODY = 65534


@test("R130", "R133")
def what_the_system_denies_is_denied():
    if os.geteuid() != 0:
        skip("only root can start a server as somebody else")
    tree = {"open.txt": "open", "denied.txt": SECRET, "closed/x.txt": SECRET, "kept/x.txt": "x"}
    server = Server(tree, config=configured(files(write="on", listing="on")), limit=lambda: os.setuid(NOBODY))
    server.home.chmod(0o777)
    (server.root / "denied.txt").chmod(0)
    (server.root / "closed").chmod(0)
    with server:
        server.get("/open.txt").expect(200, "request-ok")
        for target in ("/denied.txt", "/closed/", "/closed/x.txt", "/closed/none"):
            answer = never_secret(server.get(target), target).expect(403, "acl-denied")
            expect(answer.get("WWW-Authenticate"), None)
        server.request("PUT", "/kept/x.txt", b"y").expect(403, "write-denied")
        server.request("PUT", "/kept/new.txt", b"y").expect(403, "write-denied")
        server.request("DELETE", "/kept/x.txt").expect(403, "write-denied")
        expect((server.root / "kept/x.txt").read_text(), "x")


@test()
def a_directory_swapped_for_a_link_leads_nowhere():
    (root / "swap").mkdir()
    (root / "swap" / "c.txt").write_text("inside\n")
    until, seen = time.monotonic() + 1.5, set()
    while time.monotonic() < until:
        os.rename(root / "swap", root / "swap-kept")
        os.symlink("../outside", root / "swap")
        seen.add(never_secret(site.get("/swap/c.txt"), "swapped").reason)
        os.unlink(root / "swap")
        os.rename(root / "swap-kept", root / "swap")
        seen.add(never_secret(site.get(f"/swap/c.txt?{time.monotonic()}"), "back").reason)
    expect_true(seen <= {"request-ok", "link-outside-root", "not-found"}, f"{seen}")
    shutil.rmtree(root / "swap")


@test()
def names_of_any_bytes():
    for raw in (b"\xff\xfe", b"a b", b"q?", b"h#", b"100%", b"back\\slash", b"tab\t", b"new\nline", "ü".encode(),
                b"%41", b"semi;x=1", b"plus+"):
        (Path(os.fsdecode(os.fsencode(root) + b"/name-" + raw))).write_bytes(raw)
        target = "/name-" + "".join(f"%{byte:02X}" for byte in raw)
        expect(site.get(target).expect(200, "request-ok").content, raw, target)


@test()
def a_name_too_long_for_the_system_is_not_there():
    site.get("/" + "n" * 300).expect(404, "not-found")
    site.get("/" + "n" * 5000).expect(404, "not-found")
    site.request("PUT", "/" + "n" * 300, b"x").expect(414, "file-name-too-long")
