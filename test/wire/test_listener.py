"""What the admin listener must not tell, and what it does when calls fail, sites are many and configurations change."""
import json
import os
import signal
import subprocess
import time

from harness import Faults, Malformed, Server, expect, expect_true, test
from harness.faults import plain_program
from harness.server import free_port

TELLING = """
listen: "127.0.0.1:{port}"
explain: all
admin: {listen: "127.0.0.1:{admin_port}"}
sites:
  - routes:
      - {path: /go, redirect: {to: "https://u:hunter2@example.org/?token=hunter2#access_token=hunter2"}}
      - {path: /plain, redirect: {to: "https://example.org/plain"}}
      - {path: /, files: "{root}", headers: {Set-Cookie: "sid=hunter2", X-Api-Key: hunter2}}
"""
telling = Server({"a.txt": "hello", "folder": None}, config=TELLING, admin=True)


def reply_of(target):
    told = telling.recorded(telling.get(target))
    expect_true("hunter2" not in json.dumps(told), f"{target}: {told}")
    return dict(told["reply"]["fields"])


@test()
def secrets_that_the_configuration_adds_to_replies_are_not_kept():
    for target in ("/a.txt", "/folder"):
        fields = reply_of(target)
        expect((fields["Set-Cookie"], fields["X-Api-Key"]), ("[removed]", "[removed]"), target)
    expect(reply_of("/go")["Location"], "https://[removed]@example.org/?token=[removed]#access_token=[removed]")
    expect(reply_of("/plain")["Location"], "https://example.org/plain")


faults = Faults()
asked = faults.server({"a.txt": "hello"}, args=["--workers", "1"], admin=True)
PATHS = ["/", "/metrics", "/api/exchanges?text=%41", "/api/exchanges/last", "/api/running", "/api/heat?minutes=1",
         "/api/workers", "/api/graph", "/api/reasons", "/api/statuses"]
EACH = 120  # so many calls fail one by one; of those that follow, all alike, every twentieth


def judge_admin(path, answer, call):
    """Whole and good, or an error that says why: nothing in between."""
    names = [name.lower() for name, _ in answer.fields]
    expect_true(len(names) == len(set(names)), f"{path}: {call} failed: fields are there twice: {answer}")
    expect_true(answer.status == 200 or answer.status >= 500 or path.endswith("last"), f"{path}: {call} failed: {answer}")
    if answer.status == 200 and path.startswith("/api/"):
        json.loads(answer.content)


def ask_failing(path, nth):
    """The name of the call that failed; None: there were fewer."""
    answer = None
    faults.arm(nth)
    try:
        answer = asked.admin_get(path)
    except (Malformed, ConnectionError):
        pass
    finally:
        call = faults.disarm()
    expect_true(asked.process.poll() is None, f"{path}: the server died when call {nth} ({call}) failed\n{asked.stderr}")
    if answer is not None:
        judge_admin(path, answer, call)
    return call


@test(seconds=120)
def each_call_fails_once():
    asked.start()
    asked.get("/a.txt"), asked.get("/none")
    for path in PATHS:
        nth = 1
        while ask_failing(path, nth) is not None:
            nth += 1 if nth < EACH else 20
        expect_true(nth > 4, f"{path}: the library was at work")
        asked.admin_get(path).expect(200)


@test(seconds=60)
def streams_outlive_calls_that_fail():
    with asked.admin_connect(wait_seconds=3) as stream:
        stream.send(f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{asked.admin_port}\r\n\r\n".encode())
        expect(stream.head().status, 200)
        for nth in range(1, EACH):
            asked.get("/a.txt")
            faults.arm(nth, ["malloc", "calloc", "realloc"])
            time.sleep(0.22)
            faults.disarm()
        stream.kept = b""
        time.sleep(1.2)
        expect_true(b"event: pulse" in stream.socket.recv(1 << 20), "the stream goes on")
    expect_true(asked.process.poll() is None, asked.stderr)


def start_failing(nth, port):
    """Start, and stop if it did. Returns (name of the call that failed, exit code, what it said)."""
    faults.arm(nth)
    process = subprocess.Popen(
        [plain_program(), "serve", asked.root, "--listen", f"127.0.0.1:{port}", "--admin", "127.0.0.1:0", "--workers", "1",
         "--log", "off"], stderr=subprocess.PIPE, text=True, env={**os.environ, **faults.env})
    said = process.stderr.readline()
    while said and "console" not in said.splitlines()[-1]:
        line = process.stderr.readline()
        if not line:
            break
        said += line
    call = faults.disarm()
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    said += process.communicate(timeout=20)[1]
    return call, process.returncode, said


@test(seconds=120)
def a_start_that_fails_says_so_and_ends():
    port, nth, failed = free_port(), 1, 0
    while True:
        call, code, said = start_failing(nth, port)
        expect_true(code in (0, 1, 2), f"call {nth} ({call}) failed: it ended with {code}\n{said}")
        expect_true(code == 0 or said, f"call {nth} ({call}) failed: not a word")
        if call is None:
            break
        failed += code != 0
        nth += 1
    expect_true(failed > 10, f"{failed} starts failed of {nth}")


moving = Server({"a.txt": "hello"}, config=TELLING, admin=True)


@test()
def the_console_keeps_its_names_where_it_stays():
    """What a reload says of its address waits for a new start: until then it is asked where it is."""
    moving.start()
    for n, listen in enumerate(("off", "unix:{root}/console", "127.0.0.1:1"), 1):
        moving.configure(TELLING.replace("127.0.0.1:{admin_port}", listen))
        moving.signal(signal.SIGHUP)
        until = time.monotonic() + 5
        while moving.stderr.count("the new configuration is in force") < n:
            expect_true(time.monotonic() < until, moving.stderr)
            time.sleep(0.01)
        moving.said("admin.listen: another value needs a new start")
        moving.admin_get("/api/workers").expect(200)
        moving.admin_get("/api/workers", host="example.org").expect(404, "site-not-found")


single = Server({"a.txt": "hello"}, admin=True, config="""
listen: "127.0.0.1:{port}"
workers: 1
explain: all
admin: {listen: "127.0.0.1:{admin_port}"}
limits: {record_count: 1}
sites:
  - routes:
      - {path: /, files: "{root}"}
""")


@test()
def one_exchange_is_kept_where_one_is_asked_for():
    for _ in range(3):
        told = single.recorded(single.get("/a.txt"))
        expect((told["status"], told["target"]), (200, "/a.txt"))
        expect(single.api("workers")["workers"][0]["recorded"], 1)
