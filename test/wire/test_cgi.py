"""Programs as users write them, in sh and Python: what they are told, what their answers become, and the name of every
way in which they fail. RFC3875"""
import hashlib
import json
import threading
import time

from harness import (Malformed, Server, chunked, configured, expect, expect_in, expect_true, pattern, test,
                     verdict)

MIB = 1 << 20
BIG = 20 * MIB
HEAD_BYTES = 4096
DIALECTS = ("rfc", "nginx", "iis", "cloudflare")
ROWS = {row["name"]: row for row in json.loads(verdict("reasons", "--format", "json").stdout)}


def program(text, mode=0o755):
    def write(path):
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        path.chmod(mode)
    return write


def sh(text):
    return program("#!/bin/sh\n" + text)


def saying(text):
    """A program that says just this."""
    return sh(f"printf '%b' '{text}'\n")


def python(text):
    return program("#!/usr/bin/python3\nimport os, sys, hashlib, time\nout = sys.stdout.buffer\n" + text)


TELL = "import json\nprint('Content-Type: application/json\\n')\n" \
       "print(json.dumps({'environment': dict(os.environ), 'arguments': sys.argv[1:], 'folder': os.getcwd()}))\n"
DIGEST = "data = sys.stdin.buffer.read()\n" \
         "print('Content-Type: text/plain\\n\\n%d %s %s' % (len(data), hashlib.sha256(data).hexdigest()," \
         " os.environ.get('CONTENT_LENGTH')))\n"

PROGRAMS = {
    "tell.py": python(TELL),
    "below/deep/tell.py": python(TELL),
    "digest.py": python(DIGEST),
    "descriptors.cgi": sh("echo Content-Type: text/plain\necho\nls -l /proc/self/fd; grep -E 'SigIgn|SigBlk' "
                          "/proc/self/status\n"),
    "hello.cgi": saying("Content-Type: text/plain\\n\\nhello\\n"),
    "crlf.cgi": saying("Content-Type: text/plain\\r\\nX-A: b\\r\\n\\r\\nhello\\r\\n"),
    "404.cgi": saying("Status: 404 Not Found\\nContent-Type: text/plain\\n\\nno such thing\\n"),
    "500.cgi": saying("Status: 500 Broken\\nContent-Type: text/plain\\n\\nbroken\\n"),
    "599.cgi": saying("Status: 599 Odd\\n\\n"),
    "299.cgi": saying("status:299\\n\\nodd\\n"),
    "204.cgi": saying("Status: 204 No Content\\n\\n"),
    "304.cgi": saying("Status: 304 Not Modified\\nETag: \"a\"\\n\\n"),
    "relative.cgi": saying("Location: /elsewhere?a=b\\n\\n"),
    "absolute.cgi": saying("Status: 303 Other\\nLocation: https://b.test/\\nContent-Type: text/plain\\n\\nthere\\n"),
    "cookies.cgi": saying("Set-Cookie: a=1; Path=/\\nContent-Type: text/x\\nSet-Cookie: b=2\\nset-cookie: c=3\\n\\n"),
    "hop.cgi": saying("Content-Type: text/plain\\nConnection: close\\nKeep-Alive: 5\\nTransfer-Encoding: chunked\\n"
                      "Upgrade: x\\nX-Own: 1\\nServer: mine\\nDate: Mon, 01 Jan 2024 00:00:00 GMT\\n\\nhello"),
    "length.cgi": saying("Content-Type: text/plain\\nContent-Length: 5\\n\\nhello"),
    "long.cgi": saying("Content-Type: text/plain\\nContent-Length: 5\\n\\nhello, and more"),
    "short.cgi": saying("Content-Type: text/plain\\nContent-Length: 50\\n\\nhello"),
    "method.cgi": sh("printf 'Content-Type: text/plain\\nX-Method: %s\\n\\n' $REQUEST_METHOD\nprintf hello\n"),
    "yes.cgi": sh("echo Content-Type: text/plain; echo; exec yes\n"),
    "flood.py": python("""
print('Content-Type: application/octet-stream\\n', flush=True)
data = bytes(range(251)) * 261
for at in range(0, %d, len(data)):
    out.write(data[:min(len(data), %d - at)])
    out.flush()
    open(os.environ['NOTE'], 'w').write(str(at))
""" % (BIG, BIG)),
    "deaf.cgi": sh("echo Content-Type: text/plain; echo; echo I do not listen\n"),
    "deaf-late.cgi": sh("echo Content-Type: text/plain; echo; echo I do not listen; exec <&-; sleep 0.3; echo still\n"),
    "drip.cgi": sh("echo Content-Type: text/plain; echo\nfor i in 1 2 3 4 5 6; do sleep 0.3; echo $i; done\n"),
    "stall.cgi": sh("echo Content-Type: text/plain; echo; echo half; exec sleep 60\n"),
    "late.cgi": sh("exec sleep 60\n"),
    "late-head.cgi": sh("echo Content-Type: text/plain; exec sleep 60\n"),
    "nothing.cgi": sh("exit 3\n"),
    "half.cgi": saying("Content-Type: text/plain\\n"),
    "half-line.cgi": saying("Content-Ty"),
    "killed.cgi": sh("kill -9 $$\n"),
    "mute.cgi": sh("exec >&-; exec sleep 60\n"),
    "soon.cgi": sh("exec >&-; sleep 0.05; exit 7\n"),
    "no-fields.cgi": saying("\\nhello\\n"),
    "no-type.cgi": saying("X-A: b\\n\\nhello\\n"),
    "no-head.cgi": saying("<html>hello\\n\\n"),
    "no-name.cgi": saying(": a\\n\\n"),
    "space.cgi": saying("Content-Type : text/plain\\n\\n"),
    "folded.cgi": saying("Content-Type: text/plain\\n  x\\n\\n"),
    "control.cgi": saying("Content-Type: text/plain\\nX-A: a\\001b\\n\\n"),
    "nph.cgi": saying("HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\n"),
    "status-word.cgi": saying("Status: fine\\n\\n"),
    "status-100.cgi": saying("Status: 100 Continue\\n\\n"),
    "status-600.cgi": saying("Status: 600\\n\\n"),
    "status-2000.cgi": saying("Status: 2000\\n\\n"),
    "status-twice.cgi": saying("Status: 200\\nStatus: 404\\n\\n"),
    "length-word.cgi": saying("Status: 200\\nContent-Length: five\\n\\nhello"),
    "location-empty.cgi": saying("Location:\\n\\n"),
    "huge-line.cgi": python("print('Content-Type: text/plain\\nX-A: ' + 'a' * 5000 + '\\n')"),
    "huge-head.cgi": python("print('Content-Type: a/b')\nfor i in range(200): print('X-A: ' + 'a' * 40)\nprint()"),
    "many-lines.cgi": python("print('Content-Type: text/plain')\nfor i in range(300): print('X: ')\nprint()"),
    "large-head.cgi": python("print('Content-Type: text/plain\\nX-A: ' + 'a' * 3900 + '\\n')"),
    "no-interpreter.cgi": program("#!/nowhere/at-all\n"),
    "no-format.cgi": program("echo Content-Type: text/plain\necho\n"),
    "text.cgi": program("#!/bin/sh\necho Content-Type: text/plain\necho\necho run\n", 0o644),
    "text.txt": "not a program\n",
    "outside.cgi": lambda path: path.symlink_to("/bin/true"),
    "inside.cgi": lambda path: path.symlink_to("hello.cgi"),
    "complain.cgi": sh("echo first complaint >&2; printf 'second \\033[1m' >&2; printf '%s' half >&2\n"
                       "echo Content-Type: text/plain; echo; echo hello\n"),
    "complain-much.py": python("sys.stderr.write('x' * 300000)\nprint('Content-Type: text/plain\\n\\nhello')\n"),
}


def route(path, directory="{root}", methods=None, **keys):
    top = {key: keys.pop(key) for key in ("dialect", "content_limit") if key in keys}
    top = {**top, "methods": methods} if methods else top
    return {"path": path, **top, "cgi": {"directory": directory, "read_wait": "1s", "head": HEAD_BYTES,
                                         "processes": 64, **keys}}


site = Server(PROGRAMS, admin=True, env={"SERVERS_SECRET": "s", "HTTP_PROXY": "http://evil.test/"}, config=configured(
    *[route(f"/{dialect}", dialect=dialect) for dialect in DIALECTS],
    route("/run"), route("/patient", read_wait="20s", environment={"NOTE": "{root}/note"}),
    route("/more", environment={"APP_MODE": "test", "PATH": "/bin", "SERVER_SOFTWARE": "mine"}),
    route("/cgi", extensions=[".cgi"]), route("/sh", interpreter="/bin/sh"), route("/get", methods=["GET", "POST"]),
    route("/limited", content_limit="1KiB"), route("/lost", interpreter="/bin/sh", directory="{root}/below"),
    workers=1, h2c=True))


def logged(answer, **wanted):
    line = site.log_of(answer)
    for key, value in wanted.items():
        expect(line[key], value, key)
    return line


def run(name, **fields):
    return site.get(f"/run/{name}", **fields)


def told(target, server=site, **fields):
    answer = server.get(target, **fields).expect(200, "upstream-answered")
    return json.loads(answer.content)


def fails(reason, name, about="path", tries=1):
    """The program's failure is told as the catalogue says, in each dialect; all run at once. about: "path", None for any
    operand, or that operand."""
    row = ROWS[reason]
    connections = [site.connect() for _ in DIALECTS]
    for dialect, one in zip(DIALECTS, connections):
        one.send(f"GET /{dialect}/{name} HTTP/1.1\r\nHost: a.test\r\n\r\n")
    for dialect, one in zip(DIALECTS, connections):
        answer = one.response()
        code = row["codes"][dialect]
        answer.expect(code["status"], reason)
        expect_true(str(site.root) not in answer.text, "the client is not told where files are")
        detail = "" if "detail" not in code else \
            f"{code['status']}.{code['detail']}" if dialect == "iis" else str(code["detail"])
        line = logged(answer, status=code["status"], reason=reason, detail=detail, by="self", upstream_status=0)
        expect([one["reason"] for one in line.get("tries", [])], [reason] * tries)
        if about == "path":
            expect(line["operand"], f"/{dialect}/{name}")
        elif about is not None:
            expect(line["operand"], about, name)
        one.close()
    return line


# What a program is told


@test()
def the_variables_of_a_request():
    text = told("/run/tell.py/a%20b/c?x=1&y=%20", accept="text/*", x_my_field="v", user_agent="t")
    expect(text["arguments"], [])
    expect(text["folder"], str(site.root))
    wanted = {"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "verdict", "SERVER_PROTOCOL": "HTTP/1.1",
              "SERVER_NAME": "example.test", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1",
              "REMOTE_HOST": "127.0.0.1", "REQUEST_SCHEME": "http", "REQUEST_METHOD": "GET",
              "REQUEST_URI": "/run/tell.py/a%20b/c?x=1&y=%20", "QUERY_STRING": "x=1&y=%20",
              "SCRIPT_NAME": "/run/tell.py", "PATH_INFO": "/a b/c", "SCRIPT_FILENAME": f"{site.root}/tell.py",
              "DOCUMENT_ROOT": str(site.root), "PATH": "/usr/local/bin:/usr/bin:/bin",
              "HTTP_HOST": "example.test", "HTTP_ACCEPT": "text/*", "HTTP_X_MY_FIELD": "v", "HTTP_USER_AGENT": "t"}
    text["environment"].pop("LC_CTYPE", None)
    expect(text["environment"], wanted, "nothing else is told, and nothing of the server's own environment")


@test()
def a_program_in_a_folder():
    text = told("/run/below/deep/tell.py?")
    expect(text["folder"], f"{site.root}/below/deep")
    expect(text["environment"]["SCRIPT_NAME"], "/run/below/deep/tell.py")
    expect(text["environment"]["QUERY_STRING"], "")
    expect("PATH_INFO" in text["environment"], False)
    expect(told("/run/tell.py/")["environment"]["PATH_INFO"], "/")


@test()
def fields_that_are_kept_from_programs():
    request = "\r\n".join(["GET /run/tell.py HTTP/1.1", "Host: a.test:81", "Proxy: http://evil.test/", "proxy: again",
                           "Authorization: Basic c2VjcmV0", "Proxy-Authorization: Basic c2VjcmV0", "X_Forwarded: no",
                           "X-One: 1", "x-one: 2", "Cookie: a=1", "Cookie: b=2", "Connection: x-hop", "X-Hop: no",
                           "Content-Type: text/x", "", ""])
    environment = json.loads(site.ask(request).expect(200).content)["environment"]
    http = {name: value for name, value in environment.items() if name.startswith("HTTP_")}
    expect(http, {"HTTP_HOST": "a.test:81", "HTTP_X_ONE": "1, 2", "HTTP_COOKIE": "a=1; b=2"})
    expect([environment[name] for name in ("CONTENT_TYPE", "SERVER_NAME", "SERVER_PORT")], ["text/x", "a.test", "81"])
    expect("c2VjcmV0" in json.dumps(environment), False)


@test()
def what_clients_say_of_themselves():
    said = {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.9",
            "Forwarded": "for=192.0.2.9"}
    environment = told("/run/tell.py", **said)["environment"]
    expect([name for name in environment if name.startswith("HTTP_")], ["HTTP_HOST"])
    with Server(PROGRAMS, config=configured(route("/run"), workers=1, trusted_proxies="127.0.0.1")) as server:
        environment = told("/run/tell.py", server, **said)["environment"]
        expect({name: environment.get("HTTP_" + name.upper().replace("-", "_")) for name in said}, said)


@test()
def variables_that_a_route_adds():
    environment = told("/more/tell.py")["environment"]
    expect([environment[name] for name in ("APP_MODE", "PATH", "SERVER_SOFTWARE")], ["test", "/bin", "mine"])


@test()
def a_query_gives_no_options():
    expect(told("/run/tell.py?-s+--help")["arguments"], [])


@test()
def nothing_but_the_three_descriptors_and_default_signals():
    text = run("descriptors.cgi").text
    expect(sum("->" in line and "/proc" not in line for line in text.splitlines()), 3, text)
    for line in text.splitlines():
        if line.startswith("Sig"):
            expect(int(line.split()[1], 16), 0, line)


# What its answer becomes


@test()
def a_document():
    for name, content in (("hello.cgi", b"hello\n"), ("crlf.cgi", b"hello\r\n"), ("inside.cgi", b"hello\n")):
        answer = run(name).expect(200, "upstream-answered")
        expect((answer.get("Content-Type"), answer.content, answer.framing), ("text/plain", content, "chunked"))
        line = logged(answer, by="upstream", upstream_status=200, upstream=f"{site.root}/{name}")
        expect([one["reason"] for one in line["tries"]], [""])


@test()
def the_status_is_the_programs():
    for status, content in ((404, b"no such thing\n"), (500, b"broken\n"), (299, b"odd\n"), (599, b"")):
        for dialect in DIALECTS:
            answer = site.get(f"/{dialect}/{status}.cgi").expect(status, "upstream-answered")
            expect((answer.content, answer.get("Status")), (content, None))
            logged(answer, status=status, by="upstream", upstream_status=status)


@test()
def answers_without_content():
    with site.connect() as c:
        for status in (204, 304, 204):
            c.send(f"GET /run/{status}.cgi HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(status, "upstream-answered")


@test()
def redirects():
    expect(run("relative.cgi").expect(302, "upstream-answered").get("Location"), "/elsewhere?a=b")
    answer = run("absolute.cgi").expect(303, "upstream-answered")
    expect((answer.get("Location"), answer.content), ("https://b.test/", b"there\n"))


@test()
def fields_of_answers():
    expect(run("cookies.cgi").all("Set-Cookie"), ["a=1; Path=/", "b=2", "c=3"])
    with site.connect() as c:
        answer = c.send("GET /run/hop.cgi HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)
        for name in ("Connection", "Keep-Alive", "Upgrade"):
            expect(answer.get(name), None, name)
        expect((answer.get("X-Own"), answer.get("Server"), answer.get("Date"), answer.content),
               ("1", "mine", "Mon, 01 Jan 2024 00:00:00 GMT", b"hello"))
        c.send("GET /run/hello.cgi HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


@test()
def lengths_that_programs_tell():
    for name in ("length.cgi", "long.cgi"):
        answer = run(name).expect(200)
        expect((answer.framing, answer.content), ("length", b"hello"))
    with site.connect() as c:
        c.send("GET /run/short.cgi HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            raise AssertionError(f"a whole answer: {c.response()}")
        except Malformed:
            pass
    line = site.log_where(target="/run/short.cgi")
    expect((line["reason"], line.get("broken")), ("upstream-answered", "upstream-response-incomplete"))


@test()
def head_runs_the_program_and_gets_no_content():
    with site.connect() as c:
        for name in ("method.cgi", "yes.cgi", "length.cgi"):
            answer = c.send(f"HEAD /run/{name} HTTP/1.1\r\nHost: a\r\n\r\n").response(to="HEAD")
            answer.expect(200, "upstream-answered")
            expect(answer.get("X-Method"), "HEAD" if name == "method.cgi" else None)


@test()
def methods():
    expect(site.request("DELETE", "/run/method.cgi").expect(200).get("X-Method"), "DELETE")
    site.request("FROBNICATE", "/run/method.cgi").expect(501, "method-unknown")
    answer = site.request("DELETE", "/get/method.cgi").expect(405, "method-not-allowed")
    expect(sorted(answer.words("Allow")), ["get", "options", "post"])
    expect(site.request("POST", "/get/method.cgi", b"x").expect(200).get("X-Method"), "POST")


# Which program


@test()
def what_is_no_program():
    for target in ("/run/none.cgi", "/run/", "/run/below", "/run/below/deep/", "/run", "/cgi/tell.py", "/cgi/text.txt",
                   "/run/hello.cgi%00", "/run/below/none/x", "/lost/../hello.cgi/x"):
        answer = site.get(target)
        expect(answer.status // 100, 4 if target != "/lost/../hello.cgi/x" else 4, target)
        expect_true(answer.status in (400, 404), f"{target}: {answer.status} {answer.reason}")


@test()
def files_that_may_not_be_run():
    for name in ("text.cgi", "text.txt", "text.cgi/info"):
        logged(site.get(f"/run/{name}").expect(403, "execute-denied"), by="self", upstream="")
    expect(site.get("/sh/text.cgi").expect(200, "upstream-answered").content, b"run\n")
    expect(site.get("/cgi/hello.cgi").expect(200).content, b"hello\n")


@test()
def outside_the_directory():
    run("outside.cgi").expect(403, "acl-denied")
    for target in ("/lost/%2e%2e/hello.cgi", "/lost/..%2fhello.cgi", "/lost/deep/../../hello.cgi"):
        expect_true(site.get(target).status in (400, 403, 404), target)


@test()
def programs_that_cannot_be_started():
    for name in ("no-interpreter.cgi", "no-format.cgi"):
        line = fails("cgi-start-failed", name)
    expect_true(line["at"] > 0, "errno is told")


# Content of requests


@test(seconds=30)
def content_of_any_length():
    data = pattern(0, BIG)
    wanted = hashlib.sha256(data).hexdigest()
    with site.connect(wait_seconds=15) as c:
        head = f"POST /patient/digest.py HTTP/1.1\r\nHost: a\r\nContent-Length: {BIG}\r\n\r\n".encode()
        threading.Thread(target=lambda: pour(c, head + data)).start()
        answer = c.response().expect(200, "upstream-answered")
        expect(answer.text.split(), [str(BIG), wanted, str(BIG)])
    for pieces in ([], [b"x"], [data[:70000], data[70000:70001]]):
        request = b"POST /run/digest.py HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(pieces)
        whole = b"".join(pieces)
        expect(site.ask(request).text.split(), [str(len(whole)), hashlib.sha256(whole).hexdigest(), "None"])
    expect(site.request("POST", "/run/digest.py", b"").text.split()[::2], ["0", "0"])


@test()
def content_that_is_waited_for():
    with site.connect() as c:
        c.send("POST /run/digest.py HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        expect(c.head().status, 100)
        time.sleep(0.2)
        expect(c.send("abcd").response().expect(200).text.split()[0], "4")


def pour(connection, data):
    try:
        connection.socket.sendall(data)
    except OSError:
        pass


@test(seconds=20)
def content_that_the_program_does_not_read():
    for name, content in (("deaf.cgi", b"I do not listen\n"), ("deaf-late.cgi", b"I do not listen\nstill\n"),
                          ("404.cgi", b"no such thing\n")):
        with site.connect() as c:
            head = f"POST /run/{name} HTTP/1.1\r\nHost: a\r\nContent-Length: {BIG}\r\n\r\n".encode()
            sender = threading.Thread(target=lambda to=c, data=head + b"x" * BIG: pour(to, data))
            sender.start()
            answer = c.response()
            expect((answer.content, answer.reason), (content, "upstream-answered"))
        sender.join()
    with site.connect() as c:
        c.send("POST /run/deaf.cgi HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").response().expect(200)
        c.send("GET /run/hello.cgi HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


@test()
def content_larger_than_it_may_be():
    site.request("POST", "/limited/digest.py", b"x" * 1025).expect(413)
    site.request("POST", "/limited/digest.py", b"x" * 1024).expect(200)


# Failures


@test("R222", seconds=20)
def a_program_that_is_late():
    fails("cgi-timeout", "late.cgi")
    line = fails("cgi-timeout", "late-head.cgi")
    expect_true(line["ms"]["wait"]["program"] >= 990, line["ms"])


@test("R223")
def a_program_that_ends_too_early():
    for name, end in (("nothing.cgi", "exit status 3"), ("half.cgi", "exit status 0"), ("half-line.cgi", "exit status 0"),
                      ("killed.cgi", "signal 9"), ("mute.cgi", "still running"), ("soon.cgi", "exit status 7")):
        fails("cgi-premature-exit", name, about=end)
    with site.connect() as c:
        c.send("POST /run/nothing.cgi HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        answer = c.response().expect(502, "cgi-premature-exit")
        expect(answer.all("Proxy-Status"), ["verdict;error=http_response_incomplete"])
    expect(site.log_of(answer)["operand"], "exit status 3", "the client's content is not waited for")
    expect(run("hello.cgi").all("Proxy-Status"), [])


@test("R223")
def heads_that_cannot_be_read():
    for name in ("no-fields.cgi", "no-type.cgi", "no-head.cgi", "no-name.cgi", "space.cgi", "folded.cgi", "control.cgi",
                 "nph.cgi", "status-word.cgi", "status-100.cgi", "status-600.cgi", "status-2000.cgi",
                 "status-twice.cgi", "length-word.cgi", "location-empty.cgi"):
        fails("cgi-head-invalid", name, about=None)


@test()
def heads_too_large():
    for name in ("huge-line.cgi", "huge-head.cgi", "many-lines.cgi"):
        fails("cgi-head-too-large", name, about=None)
    expect(len(run("large-head.cgi").expect(200).get("X-A")), 3900)


@test()
def what_others_call_it():
    for number, reason in (("iis:502.1", "cgi-timeout"), ("iis:502.2", "cgi-premature-exit")):
        expect_in(reason, verdict("explain", number).stdout, number)


@test(seconds=20)
def silence_within_content():
    with site.connect() as c:
        c.send("GET /run/stall.cgi HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            raise AssertionError(f"a whole answer: {c.response()}")
        except Malformed:
            pass
    line = site.log_where(target="/run/stall.cgi")
    expect((line["reason"], line.get("broken"), line["status"]), ("upstream-answered", "upstream-read-timeout", 200))
    expect(run("drip.cgi").expect(200).content, b"1\n2\n3\n4\n5\n6\n", "each byte begins the time anew")


@test()
def complaints():
    answer = run("complain.cgi").expect(200)
    site.said(f"cgi {answer.id}: first complaint")
    expect_in("second ?[1mhalf", site.said(f"cgi {answer.id}: second"))
    answer = run("complain-much.py").expect(200)
    site.said(f"cgi {answer.id}: (it says more")


@test()
def the_console_shows_the_way():
    record = site.recorded(run("nothing.cgi"))
    expect((record["resource"], record["route"], record["reason"], record["by"]),
           ("cgi", "/run", "cgi-premature-exit", "self"))
    expect([(one["server"], one["reason"]) for one in record["upstream"]["tries"]],
           [(f"{site.root}/nothing.cgi", "cgi-premature-exit")])
    nodes = [one["node"] for one in record["path"]]
    expect([node for node in nodes if node in ("attempt", "answered", "relay", "give_up")],
           ["attempt", "answered", "give_up"])
    nodes = [one["node"] for one in site.recorded(run("hello.cgi"))["path"]]
    expect_in("relay", nodes)


# HTTP/2


@test(seconds=20)
def over_http2():
    data = pattern(0, 2 * MIB)
    with site.h2() as h:
        h.get("/run/hello.cgi").expect(200, "upstream-answered")
        environment = json.loads(h.get("/run/tell.py/x").expect(200).content)["environment"]
        expect((environment["SERVER_PROTOCOL"], environment["PATH_INFO"]), ("HTTP/2.0", "/x"))
        answer = h.ask("POST", "/run/digest.py", data, seconds=10).expect(200)
        expect(answer.text.split()[:2], [str(len(data)), hashlib.sha256(data).hexdigest()])
        h.get("/run/nothing.cgi").expect(502, "cgi-premature-exit")
        h.get("/run/404.cgi").expect(404, "upstream-answered")
        expect(h.get("/run/cookies.cgi").all("set-cookie"), ["a=1; Path=/", "b=2", "c=3"])
        h.ask("HEAD", "/run/yes.cgi").expect(200)
        one = h.request("GET", "/run/short.cgi")
        expect_true(h.response(one).reset is not None, "what is not whole does not end as if it were")
