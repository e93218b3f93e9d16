"""One exchange as the admin listener tells it: whole, of every kind, where its time went; and while it still runs."""
import errno
import re
import resource
import time

from harness import Server, configured, expect, expect_in, expect_true, files, skip, test

MEMBERS = {"resource", "route", "traceparent", "started", "phases", "waits", "request", "reply", "at", "at_kind",
           "source", "path", "end",
           "explanation", "broken_explanation"}
CONFIG = configured(files(write=True, listing=True, content_limit=100000, trace=True),
                    files("/docs", "{root}/d", listing=True),
                    {"path": "/old", "redirect": {"to": "/new/"}},
                    workers=1, times={"head_wait_ms": "1s", "content_wait_ms": "1s", "record_slow_ms": "400ms"})
site = Server({"a.txt": "hello", "d/e.txt": "e", "huge.bin": b"x" * (8 << 20)}, config=CONFIG, admin=True)


def ask(raw, to="GET"):
    with site.connect() as c:
        return c.send(raw).response(to=to)


def head(line, *fields):
    return "\r\n".join([line, "Host: a.test", *fields]) + "\r\n\r\n"


def told(answer, raw=None):
    """The record of an answer; what must hold for any is looked at."""
    one = site.recorded(answer)
    expect_true(MEMBERS <= set(one), MEMBERS - set(one))
    expect((one["id"], one["status"], one["reason"]), (answer.id, answer.status, answer.reason))
    expect(one["reply"]["line"], f"HTTP/1.1 {answer.status} {answer.phrase}")
    expect([tuple(pair) for pair in one["reply"]["fields"]], answer.fields)
    expect(one["bytes_out"],
           answer.head_bytes + (len(answer.content)
                                if answer.framing != "chunked" else one["bytes_out"] - answer.head_bytes))
    if raw is not None:
        lines = raw.split("\r\n\r\n")[0].split("\r\n")
        expect(one["request"], {"line": lines[0], "fields": [line.split(": ", 1) for line in lines[1:]], "cut": False})
        expect_true(len(raw.split("\r\n\r\n")[0]) + 4 <= one["bytes_in"] <= len(raw),
                    "content that is not wanted may stay unread")
    well_told(one)
    return one


def well_told(one):
    """What holds for each exchange that came to the graph."""
    path, end = one["path"], one["end"]
    expect(path[0]["node"], "receive")
    for node in path:
        expect_true(node["text"] and node["says"] and node["block"] and node["spec"], node)
        expect_true(node["answer"] in (("yes", "no") if node["kind"] == "ask" else ("done", "stopped", "waits")), node)
        expect_true(node is path[-1] or node["answer"] not in ("stopped", "waits"), node)
        if node["edge"] is not None and node["answer"] != "stopped":
            way = {"done": "next"}.get(node["answer"], node["answer"])
            expect(node["edge"], f"e-{node['node']}-{way}")
    last = path[-1]
    if last["answer"] == "stopped":
        expect(last["edge"], f"e-{last['node']}-stop-{one['reason']}")
        expect(end, {"box": f"r-{last['node']}-stop", "edge": last["edge"]})
    elif end is not None:
        expect(end["edge"], last["edge"])
        expect(end["box"], "r" + last["edge"][1:])
    expect(one["explanation"]["reason"], one["reason"])
    expect_true(all(one["explanation"][name] for name in ("title", "what", "todo", "spec", "lasts")),
                one["explanation"])
    expect_true(re.fullmatch(r"src/[a-z0-9_/]+\.c:\d+", one["source"]), one["source"])
    expect(one["phases"]["total"], one["ms"])


KINDS = [
    (head("GET /a.txt HTTP/1.1"), 200, "request-ok", "produce", "file", "/"),
    (head("HEAD /a.txt HTTP/1.1"), 200, "request-ok", "produce", "file", "/"),
    (head("GET /a.txt HTTP/1.1", "Range: bytes=1-3"), 206, "partial-content", "produce_part", "file", "/"),
    (head("GET /a.txt HTTP/1.1", "Range: bytes=9-"), 416, "range-not-satisfiable", "range_satisfiable", "file", "/"),
    (head("GET /a.txt HTTP/1.1", "If-None-Match: *"), 304, "not-modified", None, "file", "/"),
    (head("GET /a.txt HTTP/1.1", 'If-Match: "x"'), 412, "if-match-failed", "may_be_applied", "file", "/"),
    (head("GET /none HTTP/1.1"), 404, "not-found", None, "file", "/"),
    (head("GET /docs HTTP/1.1"), 301, "directory-redirect", None, "file", "/docs"),
    (head("GET /docs/ HTTP/1.1"), 200, "listing-served", None, "file", "/docs"),
    (head("GET /old/x HTTP/1.1"), 302, None, "give_answer", "fixed", "/old"),
    (head("GET /.git HTTP/1.1"), 404, "hidden-segment", "name_visible", "file", "/"),
    (head("OPTIONS * HTTP/1.1"), 200, None, None, "", ""),
    (head("OPTIONS /a.txt HTTP/1.1"), 200, None, None, "file", "/"),
    (head("TRACE /a.txt HTTP/1.1", "X-A: b"), 200, None, None, "file", "/"),
    (head("POST /a.txt HTTP/1.1", "Content-Length: 0"), 405, "method-not-allowed", "method_allowed", "file", "/"),
    (head("FOO /a.txt HTTP/1.1"), 501, "method-unknown", None, "", ""),
    (head("GET /a.txt HTTP/2.0"), 505, "version-not-supported", "version_supported", "", ""),
    (head("GET http://a.test/a.txt?q#f HTTP/1.1"), 400, "target-malformed", "understand", "", ""),
    (head("PUT /up HTTP/1.1", "Content-Length: 5") + "hello", 201, "created", None, "file", "/"),
    (head("PUT /up HTTP/1.1", "Content-Length: 200000"), 413, "content-too-large", "content_fits", "file", "/"),
    (head("PUT /d/ HTTP/1.1", "Content-Length: 1") + "x", 405, "dav-put-on-collection", None, "file", "/"),
    (head("DELETE /up HTTP/1.1"), 204, None, None, "file", "/"),
    (head("GET /a.txt HTTP/1.1", "Expect: 200-maybe"), 417, None, "expectation_met", "", ""),
]


@test(seconds=30)
def each_kind_is_told_whole():
    for raw, status, reason, node, resource_name, route in KINDS:
        method = raw.split(" ")[0]
        answer = ask(raw, to=method)
        expect(answer.status, status, f"{raw.splitlines()[0]}: {answer.reason}")
        one = told(answer, raw)
        expect(one["reason"], reason or one["reason"], raw.splitlines()[0])
        expect(one["path"][-1]["node"], node or one["path"][-1]["node"], raw.splitlines()[0])
        expect((one["resource"], one["route"]), (resource_name, route), raw.splitlines()[0])
        expect(one["explanation"]["configured"], route if node == "give_answer" else None, raw.splitlines()[0])
        expect((one["method"], one["target"], one["protocol"]), tuple(raw.split("\r\n")[0].split(" ")))
        if one["path"][-1]["answer"] != "stopped":
            expect((one["at"], one["at_kind"]), (0, None), raw.splitlines()[0])


REFUSED = [
    ("GET /x\x01 HTTP/1.1\r\n\r\n", "target-malformed", 6), ("GET  / HTTP/1.1\r\n\r\n", "malformed-request-line", 4),
    ("GET / HTTP/1.1\nHost: a\n\n", "bare-line-feed", 14),
    ("GET / HTTP/1.1\r\nHo st: a\r\n\r\n", "field-name-invalid", 18),
    ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "space-before-colon", 20),
    ("GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n", "nul-in-head", 20),
    ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "field-line-folded", 22), ("GET /\r\n\r\n", "version-missing", 5),
    ("\x16\x03\x01\x02\r\n\r\n", "method-malformed", 0), ("G\xe9T / HTTP/1.1\r\n\r\n", "method-malformed", 1),
    ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "content-length-conflict", None),
    ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "ambiguous-framing", None),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "host-repeated", None),
    ("GET / HTTP/1.1\r\n\r\n", "host-missing", None),
    ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "target-malformed", 5),
    ("GET /../x HTTP/1.1\r\nHost: a\r\n\r\n", "path-outside-root", None),
    ("GET /" + "u" * 30000 + " HTTP/1.1\r\n\r\n", "uri-too-long", 4 + 16384),
    ("GET / HTTP/1.1\r\nA: " + "b" * 20000 + "\r\n\r\n", "header-field-too-large", None),
]


@test(seconds=30)
def heads_that_were_refused_are_told_as_they_came():
    for raw, reason, at in REFUSED:
        answer = ask(raw)
        one = site.recorded(answer)
        well_told(one)
        expect((one["reason"], one["status"]), (reason, answer.status), raw[:60])
        last = one["path"][-1]
        expect(last["answer"], "stopped", raw[:60])
        facts = {fact["name"]: fact["value"] for fact in last["facts"]}
        expect(facts["offset"], str(one["at"]), f"{raw[:60]}: {facts}")
        expect(one["at_kind"], "byte" if one["at"] else None, raw[:60])
        if at is not None:
            expect(one["at"], at, raw[:60])
        line = raw.split("\n")[0].rstrip("\r").encode("latin-1").decode("utf-8", "replace")
        expect(one["request"]["line"][:4000], line[:4000], raw[:60])
        expect(one["request"]["cut"], len(raw) > 4096, raw[:60])
        if reason in ("method-malformed", "malformed-request-line", "version-missing"):
            expect((one["protocol"], one["method"], one["target"], one["host"]), ("", "", "", ""), raw[:60])
        expect_true(site.log_of(answer)["at"] == one["at"], "as in the log")


@test()
def what_the_system_said_is_told_by_name():
    (site.root / "loop").exists() or (site.root / "loop").symlink_to("loop")
    (site.root / "out").exists() or (site.root / "out").symlink_to("/etc/passwd")
    for target, reason, number in (("/loop", "link-loop", errno.ELOOP), ("/out", "link-outside-root", errno.EXDEV)):
        one = told(ask(head(f"GET {target} HTTP/1.1")))
        expect((one["reason"], one["at"], one["at_kind"]), (reason, number, "errno"))
        last = one["path"][-1]
        expect((last["node"], last["answer"]), ("open", "stopped"))
        expect({"name": "errno", "value": errno.errorcode[number]} in last["facts"], True, last["facts"])
        expect({"name": "operand", "value": target} in last["facts"], True, last["facts"])


@test()
def a_full_disk_is_told_by_name():
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    with Server({"a.txt": "x"}, args=["--write", "--log", "off"], limit=small, admin=True) as one:
        answer = one.request("PUT", "/up", b"x" * 50000)
        record = one.recorded(answer)
        if answer.status == 201:
            skip("files may grow beyond the limit here")
        expect((record["at"], record["at_kind"]), (errno.EFBIG, "errno"), record["reason"])
        expect_in({"name": "errno", "value": "EFBIG"}, record["path"][-1]["facts"])


@test()
def those_that_came_to_no_answer():
    with site.connect() as c:
        c.send(head("PUT /never HTTP/1.1", "Content-Length: 100", "User-Agent: gone") + "half")
        time.sleep(0.05)
        c.reset()
    one = site.recorded(site.log_where(user_agent="gone")["id"])
    well_told(one)
    expect((one["status"], one["reason"], one["failed"], one["reply"]),
           (0, "client-closed-request", True, {"line": "", "fields": [], "cut": False}))
    expect((one["at"], one["at_kind"], one["path"][-1]["node"]), (0, None, "store"))
    with site.connect(window_bytes=4096) as c:
        c.send(head("GET /huge.bin HTTP/1.1", "User-Agent: impatient")).head()
        c.reset()
    one = site.recorded(site.log_where(user_agent="impatient")["id"])
    expect((one["status"], one["reason"], one["broken"], one["failed"]),
           (200, "request-ok", "client-closed-during-response", True))
    expect(one["broken_explanation"]["reason"], "client-closed-during-response")
    expect_true(0 < one["bytes_out"] < 8 << 20, one["bytes_out"])
    with site.connect() as c:
        c.send("GET /cut HTTP/1.1\r\nHos").finish_sending()
        c.response().expect(400, "request-head-cut-short")
    with site.connect() as c:
        answer = c.send("GET /late HTTP/1.1\r\nHos").response().expect(408, "request-timeout")
        one = site.recorded(answer)
        expect((one["at"], one["at_kind"], one["path"][-1]["node"]), (23, "byte", "receive"))
        expect(one["request"]["line"], "GET /late HTTP/1.1")


@test()
def an_id_may_be_written_in_capitals_and_last_is_the_newest():
    answer = ask(head("GET /none HTTP/1.1"))
    one = told(answer)
    expect(site.recorded(answer.id.upper()), one)
    expect(site.api("exchanges/last"), one)
    expect(site.api("exchanges/last")["id"], answer.id, "its own questions are not the last")
    later = ask(head("GET /a.txt HTTP/1.1"))
    site.recorded(later)
    expect(site.api("exchanges/last")["id"], later.id)
    with Server({"a.txt": ""}, admin=True) as fresh:
        fresh.start().admin_get("/api/exchanges/last").expect(404, "not-found")
        expect({**fresh.api("exchanges"), "now_ms": 0}, {"exchanges": [], "next": None, "scanned": 0, "now_ms": 0})


@test()
def words_are_in_the_language_asked_for():
    answer = ask(head("GET /none HTTP/1.1"))
    site.recorded(answer)
    seen = []
    for language in ("en", "zh-CN", "zh-TW"):
        one = site.api(f"exchanges/{answer.id}?lang={language}")
        expect(site.api(f"exchanges/{answer.id}", accept_language=language), one)
        seen.append([one["explanation"]["what"], one["explanation"]["todo"], one["path"][-1]["text"],
                     one["path"][-1]["says"]])
        expect((one["reason"], one["explanation"]["codes"]["iis"]), ("not-found", "404.0"))
    for texts in zip(*seen):
        expect(len(set(texts)), 3, texts)


# Where time went

def between(value, least, most, about):
    expect_true(least <= value <= most, f"{about}: {value} ms, wanted {least} to {most}")


@test()
def the_time_of_a_slow_upload_is_its_content():
    with site.connect() as c:
        time.sleep(0.2)
        c.send(head("PUT /slowly HTTP/1.1", "Content-Length: 6") + "ab")
        for _ in range(2):
            time.sleep(0.25)
            c.send("cd")
        one = told(c.response())
    phases, waits = one["phases"], {wait["what"]: wait["ms"] for wait in one["waits"]}
    between(phases["queue"], 180, 400, "queue")
    between(phases["head"], 0, 50, "head")
    between(phases["content"], 480, 900, "content")
    between(phases["total"], 480, 950, "total")
    between(phases["first_byte"], 480, 950, "first byte")
    between(waits["content"], 450, 900, "waited for content")
    expect((one["slow"], one["failed"]), (True, False))
    expect(sum(fact["name"] == "content_ms" for node in one["path"] for fact in node["facts"]), 1)
    expect_in(one["id"], [row["id"] for row in site.api("exchanges?failed=1")["exchanges"]])


@test()
def the_time_of_a_slow_head_is_its_head():
    with site.connect() as c:
        for part in ("GET /a.txt HT", "TP/1.1\r\nHost: ", "a\r\n\r\n"):
            time.sleep(0.15)
            c.send(part)
        one = told(c.response().expect(200))
        phases = one["phases"]
        between(phases["queue"], 130, 300, "queue")
        between(phases["head"], 280, 600, "head")
        between(phases["first_byte"], 0, 100, "first byte")
        between(phases["total"], 280, 650, "total")
        facts = {fact["name"]: fact["value"] for fact in one["path"][0]["facts"]}
        expect((facts["head_ms"], facts["field_lines"]), (str(phases["head"]), "1"))
        again = told(c.send(head("GET /a.txt HTTP/1.1")).response())
        between(again["phases"]["head"], 0, 100, "the next head")


@test()
def the_time_of_a_slow_reader_is_the_total():
    with site.connect(window_bytes=4096) as c:
        answer = c.send(head("GET /huge.bin HTTP/1.1")).head()
        time.sleep(0.5)
        c._read_content(answer, "GET")
        one = site.recorded(answer)
        between(one["phases"]["first_byte"], 0, 150, "first byte")
        between(one["phases"]["total"], 480, 3000, "total")
        expect((one["slow"], one["bytes_out"] > 8 << 20), (True, True))


@test()
def it_began_before_it_ended():
    with site.connect() as c:
        c.send(head("PUT /begun HTTP/1.1", "Content-Length: 4") + "ab")
        time.sleep(0.3)
        one = told(c.send("cd").response())
    started = one["started"].replace("Z", "").split(".")
    ended = one["time"].replace("Z", "").split(".")
    expect_true(started < ended, (one["started"], one["time"]))
    expect_true(abs(one["time_ms"] - time.time() * 1000) < 5000, one["time"])


# While it runs

def running(server=site, **wanted):
    """What runs, when as many as wanted are in each state."""
    until = time.monotonic() + 5
    while True:
        list_ = server.api("running")
        states = [one["state"] for one in list_["exchanges"]]
        if all(states.count(name.replace("_", "-")) == count for name,
               count in wanted.items()) and len(states) == sum(wanted.values()):
            return list_
        expect_true(time.monotonic() < until, f"wanted {wanted}, running: {list_}")
        time.sleep(0.02)


@test(seconds=20)
def what_runs_is_told_with_its_place():
    expect(running(), {"exchanges": [], "more": 0, "silent": 0})
    reader = site.connect(window_bytes=4096)
    reader.send(head("GET /huge.bin?secret=1 HTTP/1.1")).head()
    time.sleep(0.05)
    upload = site.connect(source="127.0.0.2")
    upload.send(head("PUT /run HTTP/1.1", "Content-Length: 10") + "hello")
    time.sleep(0.05)
    half = site.connect()
    half.send("GET /half HTTP/1.1\r\nHos")
    time.sleep(0.05)
    list_ = running(sends=1, graph=1, reads_head=1)
    expect((list_["more"], list_["silent"]), (0, 0))
    sends, graph, reads = list_["exchanges"]
    expect([one["state"] for one in (sends, graph, reads)], ["sends", "graph", "reads-head"], "longest first")
    for one in list_["exchanges"]:
        expect(set(one), {"id", "worker", "client", "method", "target", "state", "node", "wait", "wait_ms", "ms",
                          "reason", "bytes_in", "bytes_out"})
        expect(one["worker"], 0)
    expect((sends["method"], sends["target"], sends["reason"], sends["node"], sends["client"]),
           ("GET", "/huge.bin", "request-ok", None, "127.0.0.1"))
    expect_true(sends["bytes_out"] > 0 and sends["ms"] >= 90, sends)
    expect((graph["method"], graph["target"], graph["node"], graph["wait"], graph["reason"], graph["client"]),
           ("PUT", "/run", "store", "content", None, "127.0.0.2"))
    expect_true(graph["bytes_in"] >= 5 and graph["ms"] >= graph["wait_ms"] >= 0 and graph["ms"] >= 80, graph)
    expect((reads["id"], reads["method"], reads["target"], reads["node"], reads["wait"], reads["reason"]),
           (None, "GET", "/half", None, None, None))
    time.sleep(0.3)
    later = {one["state"]: one for one in site.api("running")["exchanges"]}
    expect_true(later["graph"]["wait_ms"] >= 300 and later["graph"]["wait_ms"] <= later["graph"]["ms"], later["graph"])
    expect((later["graph"]["id"], later["sends"]["id"]), (graph["id"], sends["id"]))
    answer = upload.send("world").response().expect(201)
    expect(answer.id, graph["id"])
    half.reset()
    reader.reset()
    expect(running(), {"exchanges": [], "more": 0, "silent": 0})
    upload.close()
    expect(site.recorded(graph["id"])["reason"], "created")


@test(seconds=20)
def what_waits_to_be_compared_says_where():
    with site.connect() as c:
        c.send(head("PUT /a.txt HTTP/1.1", 'If-Match: "x"', "Content-Length: 5") + "he")
        until = time.monotonic() + 5
        while (graph := running(graph=1)["exchanges"][0])["node"] == "open" and time.monotonic() < until:
            time.sleep(0.02)
        expect((graph["node"], graph["wait"]), ("compare", "content"))
        expect(c.send("llo").response().status // 100, 2, "it is there already")


@test(seconds=20)
def the_longest_running_are_told_and_the_others_counted():
    with Server({"a.txt": "hello"}, args=["--workers", "1"], admin=True) as one:
        one.start()
        all_ = []
        for i in range(140):
            c = one.connect()
            c.send(f"PUT /up-{i} HTTP/1.1\r\n")
            all_.append(c)
            if i in (9, 129):
                time.sleep(0.1)
        until = time.monotonic() + 5
        while (list_ := one.api("running"))["more"] != 12 and time.monotonic() < until:
            time.sleep(0.02)
        expect((len(list_["exchanges"]), list_["more"], list_["silent"]), (128, 12, 0))
        times = [row["ms"] for row in list_["exchanges"]]
        expect(times, sorted(times, reverse=True))
        expect_true(times[9] >= times[10] + 50 and times[-1] >= 50,
                    f"the oldest are among them: {times[:12]}, {times[-3:]}")
        for c in all_:
            c.close()


@test(seconds=20)
def every_worker_is_asked():
    with Server({"a.txt": "hello"}, args=["--workers", "2"], admin=True) as one:
        all_ = [one.connect() for _ in range(30)]
        for c in all_:
            c.send("GET / HTTP/1.1\r\n")
        list_ = running(one, reads_head=30)
        expect({row["worker"] for row in list_["exchanges"]}, {0, 1})
        expect(list_["silent"], 0)
        for c in all_:
            c.close()
