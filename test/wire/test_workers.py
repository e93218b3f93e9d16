"""Several workers, many clients at once, reloads and reopened logs meanwhile; run under the thread sanitizer, too."""
import signal
import threading
import time

from harness import Server, expect, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
workers: 3
times: {drain_ms: 5s}
sites:
  - routes:
      - {path: /, files: "{root}", write: on, listing: on}
      - {path: /told, answer: {reason: request-ok, text: "ROUND"}}
"""
MIX = [("GET", "/a.txt", 200), ("GET", "/none", 404), ("HEAD", "/big.bin", 200), ("GET", "/told", 200), ("GET", "/d/", 200),
       ("POST", "/a.txt", 405), ("GET", "/big.bin", 200), ("FOO", "/", 501)]


def server():
    return Server({"a.txt": "hello", "big.bin": b"0123456789abcdef" * 10000, "d/one": "1", "d/two": "2"},
                  config=CONFIG.replace("ROUND", "0"))


def in_threads(count, work):
    """Runs work(number) in so many threads; raises what the first of them raised."""
    raised = []

    def guarded(number):
        try:
            work(number)
        except Exception as error:  # pylint: disable=broad-except
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    return threads, raised


def finish(threads, raised):
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def requests(site, rounds):
    def work(number):
        for i in range(rounds):
            with site.connect(wait_seconds=10) as c:
                for k in range(len(MIX)):
                    method, target, status = MIX[(number + i + k) % len(MIX)]
                    c.send(f"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                    c.response(to=method).expect(status)
                name = f"/up-{number}"
                c.send(f"PUT {name} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
                expect_true(c.response().status in (201, 204), "PUT")
                expect(c.send(f"GET {name} HTTP/1.1\r\nHost: a\r\n\r\n").response().content, b"hello")
                c.send(f"DELETE {name} HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(204)
    return work


@test(seconds=60)
def many_clients_while_the_configuration_and_the_log_change():
    with server() as site:
        site.start()
        threads, raised = in_threads(6, requests(site, 6))
        while any(thread.is_alive() for thread in threads):
            site.configure(CONFIG.replace("ROUND", str(time.monotonic())))
            site.signal(signal.SIGHUP)
            (site.home / "log").rename(site.home / f"log.{time.monotonic()}")
            site.signal(signal.SIGUSR1)
            until = time.monotonic() + 2
            while not (site.home / "log").exists() and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(0.03)
        finish(threads, raised)
        time.sleep(0.3)
        lines = sum(path.read_text(encoding="utf-8").count('"reason"') for path in site.home.glob("log*"))
        expect(lines, 6 * 6 * (len(MIX) + 3), "log lines in all files")


@test(seconds=60)
def one_file_is_written_and_read_by_all():
    def work(number):
        mine = bytes([65 + number]) * 5000
        with site.connect(wait_seconds=10) as c:
            for _ in range(15):
                c.send(b"PUT /shared HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + mine)
                expect_true(c.response().status in (201, 204), "PUT")
                got = c.send("GET /shared HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)
                expect((len(got.content), len(set(got.content))), (5000, 1), "whole content of one writer")

    with server() as site:
        site.start()
        finish(*in_threads(6, work))


@test(seconds=60)
def stopping_under_load_cuts_no_answer_short():
    def work(number):
        with site.connect(wait_seconds=10) as c:
            while True:
                try:
                    c.send("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                    if not c.kept and not c._more():
                        return
                except OSError:
                    return
                answers[number] += 1
                answer = c.response().expect(200)
                expect(len(answer.content), 160000)
                if answer.words("Connection") == ["close"]:
                    c.expect_closed()
                    return

    site, answers = server().start(), [0] * 6
    threads, raised = in_threads(6, work)
    time.sleep(0.3)
    site.signal(signal.SIGTERM)
    expect(site.ended(), 0)
    finish(threads, raised)
    expect_true(min(answers) > 0, f"answers: {answers}")
