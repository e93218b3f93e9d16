"""verdict why ID: the story of exchanges of a server that runs, for people and for programs."""
import errno
import json
import re
import socket
import subprocess
import time

from harness import (Connection, Server, answering, configured, expect, expect_in, expect_true, files, free_port,
                     program,
                     test, verdict)

TOKEN = "quite-a-secret-of-the-console"
LANGUAGES = ("en", "zh-CN", "zh-TW")
site = Server({"a.txt": "hello", "d/e.txt": "e", "huge.bin": b"x" * (8 << 20)},
              config=configured(files(write=True, content_limit=1000), answering("/later", "maintenance"), workers=1),
              admin=True)


def why(*args, server=site, **more):
    return verdict("why", *args, "--admin", f"127.0.0.1:{server.admin_port}", **more)


def ask(raw):
    """The answer to a request; what there is to be told of it is there."""
    with site.connect() as c:
        answer = c.send(raw).response(to=raw.split(" ")[0])
    site.recorded(answer)
    return answer


def head(line, *fields):
    return "\r\n".join([line, "Host: a.test", *fields]) + "\r\n\r\n"


ENDS = [
    (head("GET /a.txt HTTP/1.1"), "request-ok", []),
    (head("GET /none HTTP/1.1"), "not-found", ["(/none)", "iis 404.0"]),
    (head("GET /.git HTTP/1.1"), "hidden-segment", ["404.8"]),
    (head("GET /a.txt HTTP/1.1", 'If-Match: "x"'), "if-match-failed", ['If-Match: "x"', "ETag: \""]),
    (head("GET /a.txt HTTP/1.1", "If-None-Match: *"), "not-modified", []),
    (head("POST /a.txt HTTP/1.1", "Content-Length: 0"), "method-not-allowed", ["Allow: "]),
    (head("FOO / HTTP/1.1"), "method-unknown", ["FOO"]),
    (head("GET /later HTTP/1.1"), "maintenance", []),
    (head("PUT /up HTTP/1.1", "Content-Length: 5000"), "content-too-large", ["1000"]),
    (head("GET /a.txt HTTP/1.1", "Range: bytes=9-"), "range-not-satisfiable", ["Range: bytes=9-"]),
    ("GET / HTTP/1.1\nHost: a\n\n", "bare-line-feed", ["byte 14"]),
    ("GET /x\x01y HTTP/1.1\r\n\r\n", "target-malformed", ["byte 6"]),
    (head("GET /a.txt HTTP/4.0"), "version-not-supported", []),
]


@test(seconds=60)
def ten_ends_and_more_in_three_languages():
    for raw, reason, parts in ENDS:
        answer = ask(raw)
        expect(answer.reason, reason, raw)
        for language in LANGUAGES:
            one = site.api(f"exchanges/{answer.id}?lang={language}")
            done = why(answer.id, "--lang", language)
            expect((done.returncode, done.stderr), (0, ""), raw)
            told, last = flat(done.stdout), one["path"][-1]
            for words in (last["text"], last["says"], one["explanation"]["what"], one["explanation"]["todo"], reason,
                          answer.id,
                          f"{answer.status} {answer.phrase}", one["source"]):
                expect_in(flat(words), told, f"{reason} in {language}")
            for node in one["path"]:
                expect_in(flat(node["text"]), told, f"{reason} in {language}")
            if language == "en":
                for part in parts:
                    expect_in(flat(part), told, reason)
            expect_true(max(columns(line) for line in done.stdout.splitlines()) <= 80,
                        f"{reason} in {language}: wide lines")


def flat(text):
    """Without the line breaks and indents: those of Chinese have no space."""
    return re.sub(r"\s+", "", text)


def columns(line):
    return sum(2 if "\u2e80" <= c <= "\uffef" else 1 for c in line)


@test()
def what_the_system_said_is_named():
    (site.root / "loop").exists() or (site.root / "loop").symlink_to("loop")
    answer = ask(head("GET /loop HTTP/1.1"))
    expect(answer.reason, "link-loop")
    done = why(answer.id)
    expect_in("ELOOP", done.stdout)
    expect_true("\n  Where " not in done.stdout, "an errno is no place")
    expect(site.recorded(answer)["at"], errno.ELOOP)
    expect(json.loads(why(answer.id, "--format", "json").stdout)["at_kind"], "errno")


@test()
def a_place_is_shown_in_the_line():
    answer = ask("GET /x\x01y HTTP/1.1\r\n\r\n")
    lines = why(answer.id).stdout.splitlines()
    mark = next(i for i, line in enumerate(lines) if line.strip() == "^")
    expect_in("GET /x", lines[mark - 1])
    expect(lines[mark].index("^") - lines[mark - 1].index("GET"), 6)


@test()
def what_was_broken_off_is_told():
    with site.connect(window_bytes=4096) as c:
        number = c.send(head("GET /huge.bin HTTP/1.1")).head().id
        time.sleep(0.05)
        c.reset()
    site.recorded(number)
    done = why(number)
    expect_in("Sending failed", done.stdout)
    expect_in("client-closed-during-response", done.stdout)
    with site.connect() as c:
        c.send(head("PUT /never HTTP/1.1", "Content-Length: 100", "User-Agent: goes-away") + "half")
        time.sleep(0.05)
        c.reset()
    number = site.log_where(user_agent="goes-away")["id"]
    site.recorded(number)
    expect_in("Nothing sent: client-closed-request", why(number).stdout)


@test()
def json_is_what_the_server_tells():
    answer = ask(head("GET /none HTTP/1.1"))
    for language in LANGUAGES:
        done = why(answer.id, "--format", "json", "--lang", language)
        expect((done.returncode, done.stderr), (0, ""))
        expect(json.loads(done.stdout), site.api(f"exchanges/{answer.id}?lang={language}"))


@test()
def ids_are_taken_out_of_what_is_pasted():
    answer = ask(head("GET /none HTTP/1.1"))
    for text in (answer.id, answer.id.upper(), f'id="{answer.id}"', f'not-found;id="{answer.id}"',
                 f'Verdict: not-found;id="{answer.id}"',
                 f"https://console.example.org/#id={answer.id}", f"Id: {answer.id}",
                 json.dumps({"time": "x", "id": answer.id, "client": "::1"})):
        done = why(text, "--format", "json")
        expect((done.returncode, done.stderr), (0, ""), text)
        expect(json.loads(done.stdout)["id"], answer.id, text)


@test()
def last_is_the_newest():
    answer = ask(head("GET /none-at-last HTTP/1.1"))
    for text in ("last", "LAST"):
        expect(json.loads(why(text, "--format", "json").stdout)["id"], answer.id)
    expect_in("/none-at-last", why("last").stdout)
    with Server({"a.txt": ""}, admin=True) as fresh:
        done = why("last", server=fresh.start())
        expect((done.returncode, done.stdout), (1, ""))
        expect_in("verdict: why: last: no exchange is kept there: send the server a request first", done.stderr)


@test()
def the_environment_chooses_the_language_and_colours_stay_away():
    answer = ask(head("GET /none HTTP/1.1"))
    one = site.recorded(answer)
    for name, language in (("zh_TW.UTF-8", "zh-TW"), ("zh_CN", "zh-CN"), ("de_DE.UTF-8", "en"), ("C", "en")):
        told = flat(why(answer.id, env={"LC_ALL": name}).stdout)
        expect_in(flat(site.api(f"exchanges/{answer.id}?lang={language}")["explanation"]["what"]), told, name)
    expect_true("\x1b" not in why(answer.id).stdout, "no terminal, no colours")
    expect(one["id"], answer.id)


# What cannot be told

def fails(code, words, *args, env=None):
    done = verdict("why", *args, env={"VERDICT_ADMIN_TOKEN": "", **(env or {})})
    expect((done.returncode, done.stdout), (code, ""), f"{args}: {done.stderr}")
    expect_true(done.stderr.startswith("verdict: why: ") and done.stderr.count("\n") == 1, done.stderr)
    expect_in(words, done.stderr)


@test()
def an_unknown_id():
    site.start()
    at = ("--admin", f"127.0.0.1:{site.admin_port}")
    fails(1, "00000000: not kept by this server", "00000000", *at)
    for text in ("", "7k3v9c2", "7k3v9c2q1", "not an id", "iiiiiiii", "/etc/passwd", "..", "a/b?c#d", "7k3v 9c2q"):
        fails(2, "there is no id in it", text, *at)
    fails(2, "missing", *at)
    fails(2, "only one", "7k3v9c2q", "7k3v9c2r", *at)
    fails(2, "--lang", "7k3v9c2q", "--lang", "de", *at)
    fails(2, "--format", "7k3v9c2q", "--format", "xml", *at)


@test()
def no_server_and_one_that_is_none():
    fails(1, f"127.0.0.1:{(port := free_port())}: ", "7k3v9c2q", "--admin", f"127.0.0.1:{port}")
    fails(2, "not-an-address", "7k3v9c2q", "--admin", "not-an-address")
    fails(1, "unix:/nonexistent/socket", "7k3v9c2q", "--admin", "unix:/nonexistent/socket")
    site.start()
    fails(1, "", "7k3v9c2q", "--admin", f"127.0.0.1:{site.port}")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        fails(1, "", "7k3v9c2q", "--admin", f"127.0.0.1:{silent.getsockname()[1]}")
        expect_true(4 < time.monotonic() - start < 7, "it waits five seconds")


@test(seconds=20)
def a_token():
    config = configured(files(), admin={"token": TOKEN})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        number = one.get("/none").expect(404).id
        at = (number, "--admin", f"127.0.0.1:{one.admin_port}")
        one.log_of(number)
        fails(1, "it wants a token: set VERDICT_ADMIN_TOKEN, or give --token", *at)
        fails(1, "the token is not its token", *at, "--token", TOKEN + "x")
        fails(1, "the token is not its token", *at, env={"VERDICT_ADMIN_TOKEN": "x" * 1000})
        fails(2, "it holds spaces or other characters that no token has, or is too long", *at, "--token",
              "a\r\nHost: evil")
        fails(2, "too long", *at, "--token", "x" * 1025)
        for done in (verdict("why", *at, "--token", TOKEN), verdict("why", *at, env={"VERDICT_ADMIN_TOKEN": TOKEN}),
                     verdict("why", *at, "--token", TOKEN, env={"VERDICT_ADMIN_TOKEN": "wrong"})):
            expect((done.returncode, done.stderr), (0, ""))
            expect_in("404 Not Found: not-found", done.stdout)
            expect_true(TOKEN not in done.stdout, "the token is not told")


@test()
def over_a_unix_socket():
    path = site.home / "console.sock"
    with Server({"a.txt": "hello"}, args=["--admin", f"unix:{path}"]) as one:
        one.said(f"console unix:{path}")
        number = one.get("/none").expect(404).id
        one.log_of(number)
        time.sleep(0.1)
        done = verdict("why", number, "--admin", f"unix:{path}")
        expect((done.returncode, done.stderr), (0, ""))
        expect_in("404 Not Found: not-found", done.stdout)
        with Connection(str(path), family=socket.AF_UNIX) as c:
            c.send(f"GET /api/exchanges/{number} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            told = json.loads(c.response().expect(200).content)
        expect(json.loads(verdict("why", number, "--admin", f"unix:{path}", "--format", "json").stdout), told)


HOSTILE = ["\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\x08\x08\x08\x7f", "\xc2\x9b31m", "\xe2\x80\xae\xe2\x80\x8f",
           "\xff\xfe", "\r\x0b\x0c", "%1b%5B2J", "\t", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xef\xbf\xbe"]
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@test(seconds=30)
def hostile_bytes_reach_no_terminal():
    for text in HOSTILE:
        a = "\r\nHost: a\r\n"
        for raw in (f"GET /none{text} HTTP/1.1{a}\r\n", f"G{text}T / HTTP/1.1\r\nHost: a\r\n\r\n",
                    f"GET /none HTTP/1.1\r\nHost: a\r\nIf-Match: {text}\r\nUser-Agent: {text}\r\n\r\n",
                    f"GET / HTTP/1.1\r\nHost: {text}\r\n\r\n",
                    f"{text}\r\n\r\n"):
            with site.connect() as c:
                answer = c.send(raw).finish_sending().response()
            site.recorded(answer)
            done = why(answer.id)
            expect((done.returncode, done.stderr), (0, ""), raw)
            expect_true(not CONTROLS.search(done.stdout), f"{raw!r}: {CONTROLS.findall(done.stdout)}")
            expect(json.loads(why(answer.id, "--format", "json").stdout)["id"], answer.id)


@test()
def a_full_output_is_an_error():
    answer = ask(head("GET /none HTTP/1.1"))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program(), "why", answer.id, "--admin", f"127.0.0.1:{site.admin_port}"], stdout=full,
                              stderr=subprocess.PIPE,
                              check=False, timeout=10)
    expect_true(done.returncode != 0 and done.stderr.startswith(b"verdict: "), done)
