"""Content that a gateway takes in before it goes on: what upstreams and clients see of it."""
import time

from harness import Drip, Close, Send, Server, Sleep, Upstream, configured, expect, expect_true, response, test

KEPT = 32768
app = Upstream("app")
kept = {"upstream": "app", "buffer_request": KEPT, "buffer_response": KEPT, "read_wait": "400ms"}
site = Server({}, config=configured({"path": "/", "gateway": kept},
                                    {"path": "/as-it-comes", "gateway": {"upstream": "app"}}, workers=1,
                                    upstreams=[{"name": "app", "servers": [app.address], "fails": 0}]))


def pattern(count):
    return bytes(i * 31 % 251 for i in range(count))


def put(path, content, length=None):
    return f"PUT {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length or len(content)}\r\n\r\n".encode() + content


@test()
def the_upstream_is_asked_when_all_is_here():
    for path, seen_early in (("/", 0), ("/as-it-comes", 1)):
        app.reset_log()
        with site.connect() as c:
            c.send(put(path, b"abc", length=6))
            time.sleep(0.15)
            expect(len(app.connections), seen_early, path)
            c.send(b"def").response().expect(200, "upstream-answered")
        expect(app.wait_requests(1)[0].content, b"abcdef")


@test()
def longer_content_goes_on_behind_what_was_kept():
    for size in (KEPT - 1, KEPT, KEPT + 1, 5 * KEPT + 3):
        app.reset_log()
        site.ask(put("/", pattern(size))).expect(200, "upstream-answered")
        expect(app.wait_requests(1)[0].content, pattern(size))
        app.reset_log()
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (pattern(size)[:1000], pattern(size)[1000:]))
        site.ask(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n").expect(200)
        expect(app.wait_requests(1)[0].content, pattern(size))


@test()
def content_that_is_kept_can_be_sent_again():
    app.fail("/stale", "close-before-answer", times=1)
    answer = site.ask(put("/stale", pattern(KEPT))).expect(200, "upstream-answered")
    expect([one["reason"] for one in site.log_of(answer)["tries"]][-1], "")


@test()
def the_client_is_told_of_what_breaks_before_it_goes_on():
    for failure, reason in (("close-in-content", "upstream-response-incomplete"),
                            ("cut-chunk", "upstream-response-incomplete"),
                            ("stall-in-content", "upstream-read-timeout")):
        app.fail("/broken", failure)
        answer = site.ask("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
        expect_true(answer.status in (502, 504) and answer.reason == reason, f"{failure}: {answer}")
        expect(site.log_of(answer)["by"], "self")


@test()
def what_was_kept_whole_has_a_length_and_frees_the_upstream():
    app.answer("/chunked", response(200, pieces=[pattern(900), pattern(100)]))
    answer = site.ask("GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n").expect(200, "upstream-answered")
    expect((answer.get("Content-Length"), answer.get("Transfer-Encoding")), ("1000", None))
    expect(answer.content, pattern(900) + pattern(100))


@test()
def longer_answers_go_on_as_they_come():
    for size in (KEPT - 1, KEPT, KEPT + 1, 4 * KEPT + 7):
        app.answer("/long", response(200, pattern(size)))
        expect(site.ask("GET /long HTTP/1.1\r\nHost: a\r\n\r\n").expect(200).content, pattern(size))
        app.answer("/long", response(200, pieces=[pattern(size)[:5000], pattern(size)[5000:]]))
        expect(site.ask("GET /long HTTP/1.1\r\nHost: a\r\n\r\n").expect(200).content, pattern(size))


@test()
def events_are_not_kept():
    app.script("/events", [Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n\n"),
                           Sleep(0.2), Send(b"data: 2\n\n"), Close()])
    with site.connect() as c:
        c.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        begun = time.monotonic()
        c.head()
        expect_true(time.monotonic() - begun < 0.15, "the head comes before all events have")


@test()
def slow_answers_come_whole():
    app.script("/slow", [Send(b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n"), Drip(pattern(300), 100, 0.05)])
    expect(site.ask("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").expect(200).content, pattern(300))
