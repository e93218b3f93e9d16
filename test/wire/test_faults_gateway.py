"""Each allocation and each system call on the way of a request to an upstream and back fails once: the client gets one
answer, with a reason, or the connection ends, at once; no answer that was cut short looks whole; nothing is lost, and
the next request is served.

A scenario is run with its first call failing, then with its second, until it makes fewer calls than that.
"""
import hashlib
import itertools
import json
import time

from harness import (Dns, Echo, Faults, Malformed, Pki, Switch, Upstream, configured, expect, expect_true, files,
                     pattern, response, test)
from harness.faults import CALLS
from harness.websocket import ASK

MOST = 2000
NAMES = 100  # what is known of a name is kept for a second at least: each that is asked for is a new one
WAIT_SECONDS = 3  # longer than what the server waits for: whoever is kept waiting was forgotten
SMALL = b"all of it " * 20
LARGE = pattern(0, 1 << 20)
CONTENT = b"to be kept " * 3000
PIECES = [b"piece %d " % i for i in range(50)]
OURS = ("upstream-answered", "upstream-switched", "worker-memory-exhausted", "exchange-memory-exhausted",
        "upstream-exchange-failed")
CLOSED = None  # no answer came, or only a part of one, but the end of the connection

pki = Pki()
app = Upstream("app")
safe = Upstream("safe", tls=pki.server("up.test"))
names = [f"n{i}.test" for i in range(NAMES)]
dns = Dns({name: ["127.0.0.1"] for name in names})
for one in (app, safe):
    one.answer("/small", response(200, SMALL))
    one.answer("/pieces", response(200, pieces=PIECES))
    one.answer("/large", response(200, LARGE))
    one.script("/switch", [Switch(), Echo()])
faults = Faults()


def upstream(name, servers, **more):
    return {"name": name, "servers": servers, "fails": 0, **more}


UPSTREAMS = [upstream("kept", app.address), upstream("new", app.address, keep=0),
             upstream("safe", safe.address, keep=0, tls={"ca": str(pki.ca), "name": "up.test"}),
             *(upstream(name, f"{name}:{app.port}", keep=0) for name in names)]
WAITS = {"read_wait": "1s", "write_wait": "1s", "tunnel_idle": "500ms"}
site = faults.server({"a.txt": "hello"}, config=configured(
    *({"path": f"/{one['name']}", "gateway": {"upstream": one["name"], "to": "/", **WAITS}} for one in UPSTREAMS),
    files(), workers=1, upstreams=UPSTREAMS, limits={"cache_entries": 16, "file_threads": 1},
    resolver={"servers": dns.address, "timeout": "200ms"}), sanitized=True)


# One exchange


def or_closed(work, *arguments):
    """What work gives; CLOSED when the connection ended in its midst. To be kept waiting is neither."""
    try:
        return work(*arguments)
    except TimeoutError:
        raise
    except (OSError, Malformed):
        return CLOSED


def answer_of(raw):
    """The answer to one request that asks for the end of the connection, which comes, and nothing before it."""
    with site.connect(wait_seconds=WAIT_SECONDS) as c:
        or_closed(c.send, raw)
        answer = c.response(to=raw.split(b" ", 1)[0].decode())
        or_closed(c.expect_closed)
    return answer


def ask(method, target, *lines, content=b""):
    head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: a", "Connection: close", *lines, "", ""])
    return or_closed(answer_of, head.encode() + content)


# All of a scenario


def each_call_fails_once(scenario, least, calls=CALLS, library=False):
    """scenario(nth) gives (answer, the content it must have if it is good). least: the calls there must be; library:
    they are those of one that does not always tell that it got no memory."""
    serves_normally()
    before, failed, ends = sockets_and_pipes(), [], []
    for nth in itertools.count(1):
        faults.arm(nth, calls)
        try:
            answer, wanted = scenario(nth)
        except (AssertionError, TimeoutError) as why:
            raise AssertionError(f"call {nth} ({faults.disarm()}) failed: {why}") from why
        finally:
            call = faults.disarm()
        expect_true(site.process.poll() is None, f"the server died when call {nth} ({call}) failed\n{site.stderr}")
        judge(answer, wanted, f"call {nth} ({call})", call is None)
        if answer is not CLOSED and "alloc" in str(call) and not library:
            expect_true(answer.reason in OURS, f"call {nth} ({call}) failed: nobody else is to blame: {answer}")
        site.get("/kept/small").expect(200, "upstream-answered")
        if call is None:
            break
        ends.append((f"call {nth} ({call})", answer))
        failed.append(call)
        expect_true(nth < MOST, f"{nth} calls and no end: {failed[-5:]}")
    expect_true(len(failed) >= least, f"the library was at work: {failed}")
    print(f"# {scenario.__name__}: failed {len(failed)} calls: {' '.join(sorted(set(failed)))}")
    logged_once(ends)
    nothing_is_held(before)
    serves_normally()


def judge(answer, wanted, call, is_whole):
    if is_whole:
        expect_true(answer is not CLOSED and answer.status in (101, 200), f"without a fault: {answer}")
    if answer is CLOSED:
        return
    expect_true(answer.status in (101, 200) or answer.status >= 500, f"{call} failed: {answer}")
    expect_true(answer.reason and answer.id, f"{call} failed: a reason: {answer}")
    expect_true(answer.reason != "upstream-read-timeout", f"{call} failed: nobody was slow: {answer}")
    if answer.status == 200:
        expect_true(answer.content == wanted, f"{call} failed: {len(answer.content)} bytes of {len(wanted)}: {answer}")


def logged_once(ends):
    """Each answer has one line, which says what the answer said, and how each try went."""
    known = {line["id"] for line in site.log()}
    for _, answer in ends:
        if answer is not CLOSED and answer.id not in known:
            site.log_of(answer)
    lines = {}
    for line in site.log():
        expect_true(line["id"] not in lines, f"two lines: {line}")
        lines[line["id"]] = line
    for call, answer in ends:
        if answer is CLOSED:
            continue
        line = lines[answer.id]
        if answer.status >= 500:
            expect((line["reason"], line["status"], line["by"]), (answer.reason, answer.status, "self"), call)
        for one in line.get("tries") or []:
            expect_true(one["server"] or one["reason"], f"{call} failed: {line}")


def serves_normally():
    expect(site.get("/a.txt").expect(200).content, b"hello")
    expect(site.get("/kept/large").expect(200, "upstream-answered").content, LARGE)
    expect(site.get("/safe/small").expect(200, "upstream-answered").content, SMALL)


def sockets_and_pipes():
    return sum("socket:" in name or "pipe:" in name for name in site.descriptors().values())


def nothing_is_held(before):
    """A kept connection and the pipes of the worker were there before."""
    until = time.monotonic() + 5
    while sockets_and_pipes() > before and time.monotonic() < until:
        time.sleep(0.05)
    expect_true(sockets_and_pipes() <= before, f"descriptors leak: {before} before, now {site.descriptors()}")


# What is asked


def a_connection_that_was_kept(_):
    return ask("GET", "/kept/small"), SMALL


def a_connection_that_is_new(_):
    return ask("GET", "/new/small"), SMALL


def a_head(_):
    return ask("HEAD", "/kept/large"), b""


def chunks(_):
    return ask("GET", "/new/pieces"), b"".join(PIECES)


def past_us(_):
    return ask("GET", "/new/large"), LARGE


def to_an_old_client(_):
    with site.connect(wait_seconds=WAIT_SECONDS) as c:
        c.send("GET /new/pieces HTTP/1.0\r\n\r\n")
        answer = or_closed(c.response)
    # Nothing but a reset would tell such a client that its answer was cut short.
    return (CLOSED, b"") if answer is not CLOSED and answer.status == 200 and answer.content != b"".join(PIECES) \
        else (answer, b"".join(PIECES))


def over_tls(_):
    return ask("GET", "/safe/small"), SMALL


def much_over_tls(_):
    return ask("GET", "/safe/large"), LARGE


def by_name(nth):
    expect_true(nth <= NAMES, f"{NAMES} names are too few")
    return ask("GET", f"/{names[nth - 1]}/small"), SMALL


def a_switch(_):
    """What comes back through the tunnel is what was sent, as far as it comes."""
    with site.connect(wait_seconds=WAIT_SECONDS) as c:
        or_closed(c.send, "\r\n".join(["GET /kept/switch HTTP/1.1", *ASK, "", ""]))
        answer = or_closed(c.response)
        if answer is not CLOSED and answer.status == 101:
            or_closed(c.send, CONTENT)
            back = b""
            while len(back) < len(CONTENT) and (more := or_closed(c.socket.recv, 65536)):
                back += more
            expect_true(CONTENT.startswith(back), f"other bytes than were sent: {back[:200]!r}")
    return answer, b""


def echo_of(target, method, *lines, content):
    """The upstream tells what it got."""
    answer = ask(method, target, *lines, content=content)
    if answer is not CLOSED and answer.status == 200:
        told = json.loads(answer.content)
        expect((told["length"], told["sha256"]), (len(CONTENT), hashlib.sha256(CONTENT).hexdigest()), "what was got")
    return answer


def what_was_got(target, most):
    """Content that looked whole to the upstream was; nobody was asked more often than does no harm."""
    got = [one for one in app.requests if one.target == target]
    expect_true(len(got) <= most, f"asked {len(got)} times")
    for one in got:
        expect_true(one.content == CONTENT if one.whole else CONTENT.startswith(one.content), f"got {one}")


def posted(nth):
    answer = echo_of(f"/kept/post-{nth}", "POST", f"Content-Length: {len(CONTENT)}", content=CONTENT)
    what_was_got(f"/post-{nth}", 1)
    return answer, answer.content if answer is not CLOSED else b""


def put_in_chunks(nth):
    raw = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (CONTENT[:100], CONTENT[100:])) + b"0\r\n\r\n"
    answer = echo_of(f"/new/put-{nth}", "PUT", "Transfer-Encoding: chunked", content=raw)
    what_was_got(f"/put-{nth}", 2)
    return answer, answer.content if answer is not CLOSED else b""


@test("R220", seconds=60)
def getting_over_a_new_connection():
    each_call_fails_once(a_connection_that_is_new, 10)


@test("R220", seconds=60)
def getting_over_a_kept_connection():
    each_call_fails_once(a_connection_that_was_kept, 5)
    each_call_fails_once(a_head, 5)


@test("R220", seconds=60)
def posting_content():
    each_call_fails_once(posted, 8)


@test("R220", seconds=60)
def putting_chunks():
    each_call_fails_once(put_in_chunks, 10)


@test("R220", seconds=60)
def an_answer_in_chunks():
    each_call_fails_once(chunks, 10)
    each_call_fails_once(to_an_old_client, 10)


@test("R220", seconds=60)
def an_answer_through_a_pipe():
    each_call_fails_once(past_us, 15)


@test("R220", seconds=60)
def a_change_of_protocol():
    each_call_fails_once(a_switch, 10)


@test("R220", seconds=60)
def an_upstream_that_speaks_tls():
    each_call_fails_once(over_tls, 100, library=True)


@test("R220", seconds=60)
def much_from_an_upstream_that_speaks_tls():
    each_call_fails_once(much_over_tls, 20, [call for call in CALLS if not call.endswith("alloc")])


@test("R220", seconds=60)
def an_upstream_that_has_a_name():
    each_call_fails_once(by_name, 15, library=True)


@test("R220")
def no_pipe_to_be_had():
    """What was to go past us is copied."""
    with faults.server({}, config=site.config) as fresh:
        faults.arm(1, ["pipe2"])
        expect(fresh.get("/new/large").expect(200, "upstream-answered").content, LARGE)
        expect(faults.disarm(), "pipe2")
