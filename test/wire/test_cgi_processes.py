"""The life of programs: how many run, how they end with all that they have started, whoever leaves first, and what much
content costs."""
import hashlib
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness import Malformed, Server, configured, expect, expect_true, pattern, skip, test
from harness import program as program_under_test

MIB = 1 << 20
BIG = 20 * MIB
GROWTH_KIB = 4 * 1024
GRACE_SECONDS = 2


def program(text):
    def write(path):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return write


def sh(text):
    return program("#!/bin/sh\n" + text)


NOTE = "note() { echo $1 >> $NOTES/$QUERY_STRING; }\nnote $$\n"
FAMILY = NOTE + "sleep 60 & note $!\n(sleep 60; true) & note $!\n"
SAY = "echo Content-Type: text/plain; echo; echo begun\n"

PROGRAMS = {
    "id.cgi": sh("echo Content-Type: text/plain; echo; id -u; id -g; id -G\n"),
    "lingers.cgi": sh(NOTE + SAY + "exec >&-\nexec sleep 60\n"),
    "hello.cgi": sh(SAY),
    "late.cgi": sh(FAMILY + "wait\n"),
    "deaf.cgi": sh(NOTE + "trap '' TERM INT HUP\n(trap '' TERM; sleep 60) & note $!\nwhile true; do sleep 0.1; done\n"),
    "polite.cgi": sh(NOTE + "trap 'note term; exit 0' TERM\nwhile true; do sleep 0.05; done\n"),
    "stall.cgi": sh(FAMILY + SAY + "wait\n"),
    "yes.cgi": sh(FAMILY + SAY + "yes\n"),
    "leaves-children.cgi": sh(FAMILY + SAY),
    "half-second.cgi": sh(NOTE + "sleep 0.5\n" + SAY),
    "bad-head.cgi": sh(FAMILY + "echo nothing that is a field; wait\n"),
    "reader.cgi": sh(NOTE + "cat > /dev/null\n" + SAY),
    "slow-reader.py": program("""#!/usr/bin/python3
import hashlib, sys, time
time.sleep(0.5)
data, count = hashlib.sha256(), 0
while piece := sys.stdin.buffer.read(65536):
    data.update(piece)
    count += len(piece)
    if count < 1 << 20: time.sleep(0.02)
print('Content-Type: text/plain\\n\\n%d %s' % (count, data.hexdigest()))
"""),
    "flood.py": program(f"""#!/usr/bin/python3
import os, sys
print('Content-Type: application/octet-stream\\n', flush=True)
piece = bytes(range(251)) * 261
for at in range(0, {BIG}, len(piece)):
    sys.stdout.buffer.write(piece[:min(len(piece), {BIG} - at)])
    sys.stdout.buffer.flush()
    with open(os.environ['NOTES'] + '/next', 'w') as note: note.write(str(at))
    os.replace(os.environ['NOTES'] + '/next', os.environ['NOTES'] + '/flood')
"""),
}


def serving(**keys):
    """With the programs at /, and a place for their notes."""
    top = {key: keys.pop(key) for key in ("admin", "routes", "times") if key in keys}
    cgi = {"directory": "{root}", "read_wait": "10s", "environment": {"NOTES": "{root}/notes"}, **keys}
    more = {"times": top["times"]} if "times" in top else {}
    return Server({**PROGRAMS, "notes": None}, admin=top.get("admin", False), config=configured(
        *top.get("routes", []), {"path": "/", "cgi": cgi}, {"path": "/short", "cgi": {**cgi, "read_wait": "400ms"}},
        workers=1, h2c=True, **more))


site = serving()


def notes(name, server=site):
    path = server.root / "notes" / name
    return path.read_text(encoding="ascii").split() if path.exists() else []


def until(truth, about, seconds=5.0):
    """Waits for it; returns it."""
    end = time.monotonic() + seconds
    while not (found := truth()):
        expect_true(time.monotonic() < end, f"{about} within {seconds} s")
        time.sleep(0.01)
    return found


def begun(name, count=1, server=site):
    """The ids that a program noted, when there are so many."""
    return until(lambda: len(notes(name, server)) >= count and notes(name, server), f"{count} processes of {name}")


def is_there(pid):
    try:
        return re.search(r"^State:\s+(\S)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"), re.M)[1] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_gone(pids, seconds=GRACE_SECONDS + 1.0):
    until(lambda: not any(is_there(pid) for pid in pids), f"the end of {pids}", seconds)


def children(server=site):
    """Processes that the server has started and not reaped, zombies among them."""
    tasks = Path(f"/proc/{server.pid}/task")
    return [pid for task in tasks.iterdir() for pid in (task / "children").read_text(encoding="ascii").split()]


def no_children(server=site):
    until(lambda: not children(server), "no child, no zombie", GRACE_SECONDS + 2.0)


def resident_kib():
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{site.pid}/status").read_text(encoding="ascii"))[1])


class Watch:
    """The server does not grow while the block runs."""

    def __enter__(self):
        site.get("/hello.cgi")
        self.first, self.most, self.over = resident_kib(), 0, threading.Event()
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self):
        while not self.over.wait(0.01):
            self.most = max(self.most, resident_kib() - self.first)

    def __exit__(self, kind, *ignored):
        self.over.set()
        self.thread.join()
        if kind is None:
            expect_true(self.most < GROWTH_KIB, f"the server grew by {self.most} KiB")


def get(connection, target, method="GET", lines=""):
    return connection.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\n{lines}\r\n")


# Ends


@test("R222", seconds=15)
def a_late_program_ends_with_all_that_it_has_started():
    site.get("/short/late.cgi?late").expect(504, "cgi-timeout")
    expect(len(notes("late")), 3)
    all_gone(notes("late"), 1.5)


@test(seconds=15)
def who_does_not_want_to_end_is_killed():
    site.get("/short/deaf.cgi?deaf").expect(504, "cgi-timeout")
    expect_true(all(is_there(pid) for pid in notes("deaf")), "they have time to end by themselves")
    all_gone(notes("deaf"))


@test()
def who_wants_to_may_end_by_itself():
    site.get("/short/polite.cgi?polite").expect(504, "cgi-timeout")
    until(lambda: notes("polite")[1:] == ["term"], "SIGTERM")
    all_gone(notes("polite")[:1])


@test()
def a_program_that_breaks_the_rules_is_ended():
    site.get("/bad-head.cgi?bad").expect(502, "cgi-head-invalid")
    all_gone(notes("bad"))


@test()
def silence_in_content_ends_it():
    with site.connect() as c:
        try:
            raise AssertionError(f"a whole answer: {get(c, '/short/stall.cgi?stall').response()}")
        except Malformed:
            pass
    all_gone(notes("stall"))


@test()
def children_that_outlive_a_program():
    """They hold its output open: content ends with them."""
    with site.connect() as c:
        try:
            raise AssertionError(f"a whole answer: {get(c, '/short/leaves-children.cgi?left').response()}")
        except Malformed:
            pass
    all_gone(notes("left"))


@test()
def a_program_that_goes_on_behind_its_answer():
    for target, seconds in (("/short/lingers.cgi?short", 2), ("/lingers.cgi?long", None)):
        answer = site.get(target).expect(200, "upstream-answered")
        expect(answer.content, b"begun\n")
        name = target.partition("?")[2]
        if seconds:
            all_gone(notes(name))
        else:
            expect_true(all(is_there(pid) for pid in notes(name)), "it has read_wait to end")
            for pid in notes(name):
                os.kill(int(pid), signal.SIGTERM)


# Clients that leave


def gone(name, target, reason, broken=None):
    begun(name)
    line = site.log_where(target=target)
    expect((line["reason"], line.get("broken")), (reason, broken))
    all_gone(notes(name))


@test()
def the_client_goes_while_it_runs():
    for name, leave in (("client", lambda c: c.close()), ("client-reset", lambda c: c.reset())):
        target = f"/late.cgi?{name}"
        c = get(site.connect(), target)
        begun(name, 3)
        leave(c)
        gone(name, target, "client-closed-request")


@test()
def the_client_goes_while_it_is_told():
    c = get(site.connect(), "/yes.cgi?yes")
    expect(c.head().status, 200)
    c.reset()
    gone("yes", "/yes.cgi?yes", "upstream-answered", "client-closed-during-response")


@test()
def the_client_goes_while_it_sends():
    c = get(site.connect(), "/reader.cgi?sends", "POST", "Content-Length: 100\r\n").send("some")
    begun("sends")
    c.reset()
    begun("sends")
    all_gone(notes("sends"))
    line = site.log_where(target="/reader.cgi?sends")
    expect_true(line["reason"].startswith("client-") or line["reason"].startswith("request-"), line)


@test()
def a_stream_is_reset():
    with site.h2() as h:
        for name, program_name in (("h2-late", "late"), ("h2-stall", "stall"), ("h2-yes", "yes")):
            stream = h.request("GET", f"/{program_name}.cgi?{name}")
            begun(name, 3)
            if program_name != "late":
                h.head(stream)
            h.rst(stream, 8)
            all_gone(notes(name))
        h.get("/hello.cgi").expect(200, "upstream-answered")
    expect(site.log_where(target="/late.cgi?h2-late")["reason"], "request-cancelled")


# How many


@test(seconds=20)
def one_runs_one_waits_and_one_more_is_too_much():
    with serving(processes=1, queue=1, queue_wait="5s") as server:
        with server.connect() as first, server.connect() as second:
            get(first, "/half-second.cgi?first")
            begun("first", server=server)
            get(second, "/half-second.cgi?second")
            time.sleep(0.1)
            refused = server.get("/half-second.cgi?third").expect(503, "cgi-queue-full")
            expect_true(int(refused.get("Retry-After")) > 0, "Retry-After")
            line = server.log_of(refused)
            expect((line["by"], [one["reason"] for one in line["tries"]]), ("self", ["cgi-queue-full"]))
            expect((notes("second", server), notes("third", server)), ([], []))
            first.response().expect(200)
            answer = second.response().expect(200, "upstream-answered")
        expect_true(server.log_of(answer)["ms"]["wait"]["queue"] >= 200, "it waited for the first one")
        server.get("/hello.cgi").expect(200)
        no_children(server)


@test(seconds=20)
def waiting_ends():
    with serving(processes=1, queue=5, queue_wait="300ms") as server:
        busy = get(server.connect(), "/late.cgi?busy")
        begun("busy", 3, server)
        answer = server.get("/hello.cgi").expect(503, "cgi-queue-full")
        expect_true(290 <= server.log_of(answer)["ms"]["wait"]["queue"] < 2000, server.log_of(answer)["ms"])
        waiting = get(server.connect(), "/hello.cgi?leaves")
        time.sleep(0.1)
        waiting.close()
        expect(server.log_where(target="/hello.cgi?leaves")["reason"], "client-closed-request")
        busy.close()
        all_gone(notes("busy", server))
        until(lambda: server.get("/hello.cgi").status == 200, "a free slot")


@test()
def the_limit_in_each_dialect():
    codes = {"rfc": "", "nginx": "", "iis": "503.3", "cloudflare": ""}
    cgi = {"directory": "{root}", "processes": 1, "queue": 0, "environment": {"NOTES": "{root}/notes"}}
    routes = [{"path": f"/{name}", "dialect": name, "cgi": cgi} for name in codes]
    with serving(routes=routes) as server:
        busy = get(server.connect(), "/rfc/late.cgi?busy")
        begun("busy", 3, server)
        for name, detail in codes.items():
            answer = server.get(f"/{name}/hello.cgi").expect(503, "cgi-queue-full")
            expect(server.log_of(answer)["detail"], detail)
        busy.close()


@test()
def many_at_once():
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(site.get("/hello.cgi?many"))) for _ in range(24)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    expect([(one.status, one.content) for one in answers], [(200, b"begun\n")] * 24)


# As whom


@test()
def another_user():
    if os.geteuid() != 0:
        skip("only root may")
    with serving(user="nobody") as server:
        expect(server.get("/id.cgi").expect(200).text.split(), ["65534"] * 3, "user, group, groups")


@test()
def a_server_that_may_not_switch_users():
    if os.geteuid() != 0:
        skip("root makes such a server")
    server = serving(user="daemon")
    server.home.chmod(0o755)
    server.port = 8080
    server.configure(server.config)
    done = subprocess.run([program_under_test(), "check", server.home / "verdict.yaml"], capture_output=True, text=True,
                          check=False, preexec_fn=lambda: (os.setgroups([]), os.setgid(65534), os.setuid(65534)))
    expect_true(done.returncode != 0 and "only root can run programs as" in done.stdout + done.stderr,
                done.stdout + done.stderr)


# The server's own changes


@test()
def a_program_runs_on_through_a_reload():
    with serving() as server:
        with server.connect() as c:
            get(c, "/half-second.cgi?reload")
            begun("reload", server=server)
            server.configure(configured({"path": "/", "answer": {"reason": "gone"}}, workers=1))
            server.signal(signal.SIGHUP)
            until(lambda: server.get("/hello.cgi").status == 410, "the new configuration")
            c.response().expect(200, "upstream-answered")
        no_children(server)


@test()
def a_program_runs_on_to_its_end_when_the_server_stops():
    server = serving()
    with server.connect() as c:
        get(c, "/half-second.cgi?stop")
        begun("stop", server=server)
        server.signal(signal.SIGTERM)
        c.response().expect(200, "upstream-answered")
    expect(server.ended(), 0)


@test(seconds=20)
def nothing_is_left_of_a_server_that_has_ended():
    server = serving(times={"drain_ms": "300ms"})
    c = get(server.connect(), "/deaf.cgi?end")
    begun("end", 2, server)
    server.signal(signal.SIGTERM)
    expect(server.ended(), 0)
    all_gone(notes("end", server))
    c.close()


# Much content


@test(seconds=30)
def a_slow_client_holds_the_program_up():
    with Watch(), site.connect(window_bytes=16384) as c:
        get(c, "/flood.py")
        expect(c.head().status, 200)
        until(lambda: notes("flood"), "a note")
        time.sleep(0.5)
        at = int(until(lambda: notes("flood"), "a note")[0])
        expect_true(at < BIG // 2, f"{at} bytes were taken while the client took none")
        content, _ = c._chunks()
    expect(hashlib.sha256(content).hexdigest(), hashlib.sha256(pattern(0, BIG)).hexdigest())


@test(seconds=30)
def a_slow_program_holds_the_client_up():
    data = pattern(0, BIG)
    with Watch(), site.connect(wait_seconds=20) as c:
        get(c, "/slow-reader.py", "POST", f"Content-Length: {BIG}\r\n")
        writer = threading.Thread(target=lambda: c.socket.sendall(data))
        writer.start()
        answer = c.response().expect(200, "upstream-answered")
        writer.join()
    expect(answer.text.split(), [str(BIG), hashlib.sha256(data).hexdigest()])


@test(seconds=20)
def windows_of_http2_hold_the_program_up():
    with Watch(), site.h2() as h:
        (site.root / "notes" / "flood").unlink(missing_ok=True)
        h.credit = False
        stream = h.request("GET", "/flood.py")
        h.head(stream)
        time.sleep(0.5)
        expect_true(int(until(lambda: notes("flood"), "a note")[0]) < BIG // 2, "the program waits")
        h.rst(stream, 8)
        h.roundtrip()
    no_children()


@test()
def nothing_is_left():
    no_children()
    pipes = [name for name in site.descriptors().values() if name.startswith("pipe:") or "pidfd" in name]
    expect_true(len(pipes) <= 4, f"pipes of programs: {pipes}")
