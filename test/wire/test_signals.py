"""SIGTERM drains, SIGHUP reads the configuration anew, and a start that cannot be says why in one line."""
import os
import signal
import socket
import time

from harness import Server, expect, expect_in, expect_true, free_port, test, verdict

MEGABYTE = 1 << 20
CONFIG = """
listen: "127.0.0.1:{port}"
times: {drain_ms: DRAIN, send_wait_ms: 20s, content_wait_ms: 20s, head_wait_ms: 20s}
sites:
  - routes:
      - {path: /, files: "{root}", write: on}
      - {path: /told, answer: {reason: request-ok, text: "ANSWER"}}
"""


def server(drain="5s", answer="first"):
    return Server({"a.txt": "hello", "large.bin": b"0123456789abcdef" * (2 * MEGABYTE)},
                  config=CONFIG.replace("DRAIN", drain).replace("ANSWER", answer))


def get(target="/a.txt", fields=""):
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"


def terminated(one, seconds=10, by=signal.SIGTERM):
    one.signal(by)
    expect(one.ended(seconds), 0, "exit code")


@test()
def an_idle_server_ends_at_once():
    for by in (signal.SIGTERM, signal.SIGINT):
        one = server().start()
        start = time.monotonic()
        terminated(one, by=by)
        expect_true(time.monotonic() - start < 2, f"took {time.monotonic() - start} s")
        expect_true("stopping" not in one.stderr, one.stderr)


@test()
def idle_connections_are_closed_and_none_is_taken():
    one = server().start()
    idle, fresh = one.connect(), one.connect()
    idle.send(get()).response().expect(200)
    one.signal(signal.SIGTERM)
    idle.expect_closed()
    fresh.expect_closed()
    expect(one.ended(), 0)
    try:
        one_more = socket.create_connection(("127.0.0.1", one.port), 1)
        one_more.close()
        raise AssertionError("somebody still listens")
    except ConnectionRefusedError:
        pass


@test("R012")
def running_exchanges_are_finished():
    one = server().start()
    download, upload = one.connect(), one.connect()
    answer = download.send(get("/large.bin")).head().expect(200)
    upload.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
    time.sleep(0.2)
    one.signal(signal.SIGTERM)
    time.sleep(0.2)
    expect(upload.send("world").response().expect(201).words("Connection"), ["close"])
    upload.expect_closed()
    upload.close()
    download._read_content(answer, "GET")
    expect(len(answer.content), 32 * MEGABYTE)
    download.close()
    expect(one.ended(), 0)
    expect((one.root / "up").read_bytes(), b"helloworld")


@test()
def what_takes_too_long_is_stopped():
    one = server(drain="300ms").start()
    upload, half, reply = one.connect(), one.connect(), one.connect()
    upload.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nUser-Agent: upload\r\n\r\nhello")
    half.send("GET / HT")
    reply.send(get("/large.bin", "User-Agent: reply\r\n")).head()
    time.sleep(0.2)
    start = time.monotonic()
    terminated(one)
    expect_true(0.2 < time.monotonic() - start < 3, f"took {time.monotonic() - start} s")
    lines = {line["user_agent"]: line for line in one.log()}
    expect((lines["upload"]["reason"], lines["upload"]["status"]), ("draining-stopped", 0))
    expect((lines["reply"]["reason"], lines["reply"]["broken"]), ("request-ok", "draining-stopped"))
    expect(sorted(lines), ["reply", "upload"])
    expect([p for p in one.root.iterdir() if p.name.startswith((".", "up"))], [], "what is left of the upload")
    for c in (upload, half, reply):
        c.close()


@test()
def a_drain_that_takes_long_is_told_and_a_second_signal_ends_it():
    for by in (signal.SIGTERM, signal.SIGINT):
        one = server(drain="9s").start()
        with one.connect() as upload:
            upload.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            time.sleep(0.2)
            one.signal(signal.SIGTERM)
            one.said("verdict: stopping: waiting up to 9 s for 1 connection: again to stop now")
            one.signal(signal.SIGUSR1)
            one.signal(signal.SIGHUP)
            time.sleep(0.1)
            expect(one.process.poll(), None, "other signals do not end it")
            start = time.monotonic()
            terminated(one, by=by)
            expect_true(time.monotonic() - start < 2, f"took {time.monotonic() - start} s")
        expect([line["reason"] for line in one.log()], ["draining-stopped"])
        expect(one.stderr.count("stopping"), 1, one.stderr)


@test()
def a_request_whose_head_is_complete_only_later_is_still_answered():
    one = server().start()
    with one.connect() as c:
        c.send(get()[:-2])
        time.sleep(0.1)
        one.signal(signal.SIGTERM)
        time.sleep(0.1)
        expect(c.send("\r\n").response().expect(200).words("Connection"), ["close"])
        c.expect_closed()
    expect(one.ended(), 0)


@test()
def who_has_asked_before_is_answered():
    one = server().start()
    kept = one.connect()
    kept.send(get()).response().expect(200)
    one.signal(signal.SIGSTOP)
    fresh = [one.connect().send(get()) for _ in range(5)]
    kept.send(get())
    one.signal(signal.SIGTERM)
    one.signal(signal.SIGCONT)
    for c in (kept, *fresh):
        c.response().expect(200)
        c.expect_closed()
        c.close()
    expect(one.ended(), 0)


@test()
def a_good_configuration_comes_into_force():
    with server() as one:
        with one.connect() as kept:
            expect(kept.send(get("/told")).response().content, b"first")
            one.configure(CONFIG.replace("DRAIN", "5s").replace("ANSWER", "second"))
            one.signal(signal.SIGHUP)
            one.said("the new configuration is in force")
            until = time.monotonic() + 3
            while one.get("/told").content != b"second":
                expect_true(time.monotonic() < until, "the new answer comes")
            expect(kept.send(get("/told")).response().content, b"second")


@test()
def a_bad_configuration_changes_nothing():
    with server() as one:
        one.get("/told").expect(200)
        one.configure(CONFIG.replace("DRAIN", "5s").replace("answer:", "anwser:"))
        one.signal(signal.SIGHUP)
        expect_in("verdict.yaml:7:", one.said('did you mean "answer"'))
        one.said("the old one stays in force")
        expect(one.get("/told").content, b"first")


@test()
def times_are_reloaded_and_what_needs_a_new_start_is_told():
    with server() as one:
        one.get("/told").expect(200)
        text = CONFIG.replace("DRAIN", "5s").replace("ANSWER", "second").replace("head_wait_ms: 20s", "head_wait_ms: 300ms")
        one.configure(text + "limits: {head_bytes: 64KiB}\nworkers: 7\nlog: {format: combined, file: other}\n")
        one.signal(signal.SIGHUP)
        one.said("limits.head_bytes: another value needs a new start")
        one.said("workers: another value needs a new start")
        one.said("the new configuration is in force")
        expect_true("listen: another" not in one.stderr and "log.file" not in one.stderr, one.stderr)
        until = time.monotonic() + 3
        while one.get("/told").content != b"second":
            expect_true(time.monotonic() < until, "the new answer comes")
        with one.connect(wait_seconds=3) as c:
            c.send("GET / HT").response().expect(408, "request-timeout")


@test(seconds=20)
def reloads_while_requests_run():
    with server() as one:
        with one.connect() as upload, one.connect() as c:
            upload.send("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            for i in range(20):
                one.configure(CONFIG.replace("DRAIN", "5s").replace("ANSWER", f"answer {i}"))
                one.signal(signal.SIGHUP)
                for _ in range(20):
                    c.send(get("/told")).response().expect(200)
            upload.send("world").response().expect(201)


def refused_start(*args, code=None, env=None):
    done = verdict("serve", *args, env=env)
    lines = done.stderr.strip().splitlines()
    expect_true(done.returncode in ([code] if code else [1, 2]), f"exit {done.returncode}: {done.stderr}")
    expect(len(lines), 1, f"lines on standard error: {lines}")
    expect_true(lines[0].startswith("verdict: "), lines[0])
    expect(done.stdout, "")
    return lines[0]


@test()
def a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        line = refused_start("-l", f"127.0.0.1:{port}", "--log", "off", code=1)
        expect_in(f"127.0.0.1:{port}", line)
        expect_in("in use", line)


@test()
def another_server_on_the_same_port():
    with server() as one:
        line = refused_start("-l", f"127.0.0.1:{one.port}", "--log", "off", code=1)
        expect_in("in use", line)
        one.get("/a.txt").expect(200)


@test()
def starts_that_cannot_be():
    port = free_port()
    listen = ("-l", f"127.0.0.1:{port}", "--log", "off")
    expect_in("/no/such/directory", refused_start("/no/such/directory", *listen))
    expect_in("no such", refused_start(".", *listen, "--dialect", "klingon", code=2))
    expect_in("workers", refused_start(".", *listen, "--workers", "0", code=2))
    expect_in("log format", refused_start(".", *listen, "--log-format", "xml", code=2))
    expect_in("only one directory", refused_start(".", "..", *listen, code=2))
    expect_in("/no/such/log", refused_start(".", "-l", f"127.0.0.1:{port}", "--log", "/no/such/log", code=1))
    expect_in("192.0.2.1", refused_start(".", "-l", "192.0.2.1:80", "--log", "off", code=1))
    for address in ("nonsense", "127.0.0.1", "127.0.0.1:99999", "[::1:80", ":"):
        expect_in(address, refused_start(".", "-l", address, "--log", "off", code=2))
    for address in ("8080", ":8080"):
        expect_in("write 127.0.0.1:8080", refused_start(".", "-l", address, "--log", "off", code=2))


@test()
def unknown_options_and_commands():
    for args in (("serve", "--nonsense"), ("serve", "-x"), ("serve", "--listen"), ("nonsense",)):
        done = verdict(*args)
        expect(done.returncode, 2, str(args))
        expect_true(done.stderr.strip(), "a word on standard error")
        expect(done.stdout, "")
    done = verdict("serve", "--help")
    expect((done.returncode, done.stderr), (0, ""))
    expect_in("--log-format", done.stdout)


@test()
def no_permission():
    if os.geteuid() != 0:
        expect_in("permission", refused_start(".", "-l", "127.0.0.1:80", "--log", "off", code=1).lower())
        return

    def nobody():
        os.setgid(65534)
        os.setuid(65534)

    one = Server({"a.txt": "hello"}, limit=nobody)
    one.home.chmod(0o755)
    try:
        one.start()
    except AssertionError as said:
        expect_in("log", str(said))
        expect_in("ermission denied", str(said))
        expect_in("exit 1", str(said))
        return
    finally:
        one.process = None
    raise AssertionError("a log was opened where there is no permission")


@test()
def a_unix_socket():
    one = Server({"a.txt": "hello"})
    path = one.home / "socket"
    one.args += ["-l", f"unix:{path}"]
    with one:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(str(path))
            s.sendall(get(fields="Connection: close\r\n").encode())
            text = b""
            while part := s.recv(65536):
                text += part
            expect_true(text.startswith(b"HTTP/1.1 200 ") and text.endswith(b"hello"), text)
        one.said(f"unix:{path}")
    expect(path.exists(), False, "the socket is left")


@test()
def a_unix_socket_for_tls_is_told_as_one():
    one = Server({"a.txt": "hello"})
    path = one.home / "socket"
    one.args += [f"--tls=unix:{path}"]
    with one:
        one.said(f"verdict: serving unix:{path} (TLS)")
