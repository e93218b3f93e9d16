"""The access log: a line for each exchange, in a form that tools read, and never in the way of the server."""
import os
import re
import signal
import time

from harness import Server, expect, expect_in, expect_true, test

COMBINED = re.compile(r'(\S+) - - \[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+) '
                      r'"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(.*)')
GET = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"


def burst(site, count, length=0):
    """So many requests, each with a query of that length, on one connection; all are answered."""
    with site.connect() as c:
        for i in range(count):
            c.send(f"GET /a.txt?{i}-{'x' * length} HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


@test()
def a_line_says_what_happened():
    with Server({"a.txt": "hello"}) as site:
        raw = ('GET /a.txt?q=1 HTTP/1.1\r\nHost: Name.test:80\r\nReferer: http://b/"\\\r\nUser-Agent: \xe9\u00e4 t\tb\r\n\r\n')
        answer = site.ask(raw).expect(200)
        line = site.log_where(target="/a.txt?q=1")
        expect({k: line[k] for k in ("client", "protocol", "method", "status", "detail", "reason", "operand", "bytes_in")},
               {"client": "127.0.0.1", "protocol": "HTTP/1.1", "method": "GET", "status": 200, "detail": "",
                "reason": "request-ok", "operand": "", "bytes_in": len(raw)})
        expect(line["bytes_out"], answer.head_bytes + 5)
        expect(line["referer"], 'http://b/"\\')
        expect(line["host"], "Name.test")
        expect_true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]), line["time"])
        expect_true({"queue", "head", "content", "wait", "first_byte", "total"} <= set(line["ms"]), line["ms"])
        upload = "PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        line = site.log_of(site.ask(upload).expect(405, "method-not-allowed"))
        expect(line["method"], "PUT")


@test()
def hostile_texts_stay_in_their_line():
    raw = 'GET /a.txt?"\\ HTTP/1.1\r\nHost: a\r\nUser-Agent: x" 200 0 "\\\xff\xfe\r\nReferer: ' + "r" * 5000 + '\r\n\r\n'
    with Server({"a.txt": "hello"}) as site:
        answer = site.ask(raw)
        line = site.log_where(user_agent=answer and site.log_where(method="GET")["user_agent"])
        expect_true(line["user_agent"].startswith('x" 200 0 "\\'), line["user_agent"])
        expect_true(len(line["referer"]) <= 2048, "a long text is cut")
    with Server({"a.txt": "hello"}, args=["--log", "log", "--log-format", "combined", "--workers", "1"]) as site:
        site.ask(raw)
        text = wait_for_lines(site.home / "log", 1)[0]
        found = COMBINED.fullmatch(text)
        expect_true(found is not None, text)
        expect_in("\\x22", found[7])


def wait_for_lines(path, count, seconds=5):
    until = time.monotonic() + seconds
    while True:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        if len(lines) >= count:
            return lines
        expect_true(time.monotonic() < until, f"{count} lines in {path}: {lines[-2:]}")
        time.sleep(0.02)


@test()
def the_combined_format_is_what_tools_read():
    with Server({"a.txt": "hello"}, args=["--log", "log", "--log-format", "combined", "--workers", "1"]) as site:
        site.ask('GET /a.txt HTTP/1.1\r\nHost: a\r\nReferer: http://b/\r\nUser-Agent: me "x"\r\n\r\n').expect(200)
        site.ask("GET /none HTTP/1.0\r\n\r\n").expect(404)
        site.ask("GET / HTTP/1.1\r\nHost : a\r\n\r\n").expect(400)
        site.ask("\x16\x03\x01\x02\r\n\r\n").expect(400)
        lines = [COMBINED.fullmatch(line) for line in wait_for_lines(site.home / "log", 4)]
        expect(lines.count(None), 0, (site.home / "log").read_text(encoding="utf-8"))
        expect([(m[3], m[4]) for m in lines], [("GET /a.txt HTTP/1.1", "200"), ("GET /none HTTP/1.0", "404"),
                                               ("GET / HTTP/1.1", "400"), ("\\x16\\x03\\x01\\x02", "400")])
        expect((lines[0][1], lines[0][5], lines[0][6], lines[0][7]), ("127.0.0.1", "5", "http://b/", 'me \\x22x\\x22'))
        expect_in("space-before-colon", lines[2][8])


@test()
def what_was_refused_can_be_seen():
    long = "GET /" + "u" * 20000
    rows = [("GET  / HTTP/1.1\r\n\r\n", "malformed-request-line", "GET  / HTTP/1.1"),
            ("GET /\x01 HTTP/1.1\r\n\r\n", "target-malformed", "GET /\\x01 HTTP/1.1"),
            ("\r\nGET /\r\n\r\n", "version-missing", "GET /"),
            ("\x16\x03\x01\x02\r\n\r\n", "method-malformed", "\\x16\\x03\\x01\\x02"),
            (long + " HTTP/1.1\r\n\r\n", "uri-too-long", long[:200])]
    get = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    with Server({"a.txt": "hello"}) as site:
        for raw, reason, line in rows:
            with site.connect() as c:  # behind another request, so that the line does not begin the buffer
                c.send(get + raw).response().expect(200)
                found = site.log_of(c.response())
                expect((found["reason"], found["line"]), (reason, line))
        expect_true("line" not in site.log_where(status=200), "what was read needs no line")


@test()
def reopened_after_a_rename():
    with Server({"a.txt": "hello"}) as site:
        for i in range(5):
            burst(site, 3)
            wait_for_lines(site.home / "log", 3)
            (site.home / "log").rename(site.home / f"log.{i}")
            site.signal(signal.SIGUSR1)
            burst(site, 3)
            wait_for_lines(site.home / "log", 1)
        time.sleep(0.3)
        texts = [path.read_text(encoding="utf-8") for path in site.home.glob("log*")]
        expect(sum(text.count("\n") for text in texts), 30, "lines in all files")


@test()
def a_pipe_whose_reader_is_gone():
    reader, writer = os.pipe()
    with Server({"a.txt": "hello"}, args=["--log", "-"], stdout=writer) as site:
        os.close(writer)
        burst(site, 3)
        os.close(reader)
        burst(site, 50)
        site.said("lines are being lost")
        burst(site, 50)
    expect_in("lines were lost", site.stderr)


@test()
def a_full_disk():
    with Server({"a.txt": "hello"}, args=["--log", "/dev/full"]) as site:
        burst(site, 50)
        site.said("lines are being lost")
        burst(site, 50)
    expect_in("lines were lost", site.stderr)


@test(seconds=30)
def a_reader_that_is_stuck():
    reader, writer = os.pipe()
    with Server({"a.txt": "hello"}, args=["--log", "-", "--workers", "1"], stdout=writer) as site:
        os.close(writer)
        start = time.monotonic()
        burst(site, 4000, 1000)
        expect_true(time.monotonic() - start < 15, "the server was not held up")
        site.said("standard output: taken too slowly: lines are being lost")
        whole = b""
        os.set_blocking(reader, False)
        until = time.monotonic() + 5
        while time.monotonic() < until and b"log_lines_lost" not in whole:
            try:
                whole += os.read(reader, 1 << 20)
            except BlockingIOError:
                site.get("/a.txt").expect(200)
                time.sleep(0.02)
        found = re.search(rb'"log_lines_lost":(\d+)', whole)
        expect_true(found is not None, "lost lines are counted in the log")
        expect_true(0 < int(found[1]) < 4000, found[0])
    os.close(reader)


@test()
def a_stuck_reader_does_not_keep_the_server_from_ending():
    reader, writer = os.pipe()
    site = Server({"a.txt": "hello"}, args=["--log", "-", "--workers", "1"], stdout=writer).start()
    os.close(writer)
    burst(site, 300, 1000)
    site.signal(signal.SIGTERM)
    expect(site.ended(12), 0)
    os.close(reader)


@test()
def no_log():
    with Server({"a.txt": "hello"}, args=["--log", "off"]) as site:
        burst(site, 3)
        expect((site.home / "log").exists(), False)


@test()
def standard_output_closed_from_the_start():
    with Server({"a.txt": "hello"}, args=["--log", "-"], limit=lambda: os.close(1)) as site:
        burst(site, 3)


BIG = "GET /a.txt HTTP/1.1\r\nHost: a\r\nCookie: " + "c" * 65536 + "\r\n\r\n"
DIALECTS = [  # dialect, request, sent, told in the combined format, detail in JSON, reason
    ("rfc", BIG, 431, 431, "", "header-field-too-large"),
    ("nginx", BIG, 400, 494, "494", "header-field-too-large"),
    ("iis", BIG, 404, 404, "404.10", "header-field-too-large"),
    ("cloudflare", BIG, 431, 431, "", "header-field-too-large"),
    ("iis", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404, 404, "404.0", "not-found"),
    ("iis", "GET /.git HTTP/1.1\r\nHost: a\r\n\r\n", 404, 404, "404.8", "hidden-segment"),
    ("nginx", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404, 404, "", "not-found"),
]


@test("R209", "R251", seconds=20)
def dialects_change_what_is_sent_and_what_is_told_but_not_the_reason():
    for dialect in ("rfc", "nginx", "iis", "cloudflare"):
        for form in ("json", "combined"):
            args = ["--dialect", dialect, "--log", "log", "--log-format", form, "--workers", "1"]
            rows = [row for row in DIALECTS if row[0] == dialect]
            with Server({"a.txt": "hello"}, args=args) as site:
                for _, raw, sent, told, detail, reason in rows:
                    with site.connect() as c:
                        answer = c.send(raw).response().expect(sent, reason)
                    if dialect == "iis":
                        expect_in(detail, answer.text)
                    expect_true("." not in str(answer.status), "no sub-status on the status line")
                    if form == "json":
                        line = site.log_of(answer)
                        expect((line["status"], line["detail"], line["reason"]), (sent, detail, reason))
                if form == "combined":
                    lines = [COMBINED.fullmatch(line) for line in wait_for_lines(site.home / "log", len(rows))]
                    expect([int(m[4]) for m in lines], [row[3] for row in rows])
                    expect([m[8].rsplit(" ", 1)[1] for m in lines], [f'"{row[4] or "-"}"' for row in rows])


@test("R213", "R203")
def numbers_that_are_only_logged():
    config = """
listen: "127.0.0.1:{port}"
dialect: nginx
times: {head_wait_ms: 300ms}
sites:
  - routes:
      - {path: /, files: "{root}", write: on}
      - {path: /drop, answer: {reason: dropped-silently}}
"""
    with Server({"a.txt": "hello"}, config=config) as site:
        with site.connect() as c:
            c.send("GET /drop HTTP/1.1\r\nHost: a\r\nUser-Agent: one\r\n\r\n").expect_closed()
        with site.connect() as c:
            c.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nUser-Agent: two\r\n\r\nx")
            time.sleep(0.1)
            c.reset()
        with site.connect() as c:
            c.send("GET / HT")
            c.expect_closed()
        for where, detail in (({"user_agent": "one"}, "444"), ({"user_agent": "two"}, "499"),
                              ({"reason": "request-timeout"}, "408")):
            line = site.log_where(**where)
            expect((line["status"], line["detail"], line["bytes_out"]), (0, detail, 0))
