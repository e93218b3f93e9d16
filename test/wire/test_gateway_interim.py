"""Responses that come before the last, and what a client expects: passed on, decided here, or kept from who cannot take
them. RFC9110:15.2, RFC9110:10.1.1"""
import socket
import threading
import time

from harness import (Close, Connection, Interim, ReadContent, Server, Silent, Sleep, Upstream, Until, configured,
                     expect, expect_true, response, test)

app = Upstream("app")
HINT = ("Link", "</a.css>; rel=preload")


def route(path, **keys):
    return {"path": path, "gateway": {"upstream": "app", "read_wait": "1500ms", **keys}}


site = Server(config=configured(route("/"), route("/few", interim=3), route("/none", interim=0), workers=1, h2c=True,
                                upstreams=[{"name": "app", "servers": app.address, "fails": 0}]))


def head(method, path, *lines, version="1.1"):
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: a", *lines, "", ""])


EXPECT = ["Expect: 100-continue", "Content-Length: 5"]


@test()
def a_client_that_takes_nothing_loses_hints_and_no_more():
    one = Server(config=configured(route("/", interim=1000), workers=1,
                                   listen=["127.0.0.1:{port}", "unix:{root}/socket"],
                                   upstreams=[{"name": "app", "servers": app.address}]))
    hint = ("Link", "<" + "x" * 4000 + ">;rel=preload")
    app.script("/many", [*[Interim(103, (hint,))] * 150, response(200, b"final")])
    one.start()
    with Connection(str(one.root / "socket"), family=socket.AF_UNIX) as c:
        c.send(head("GET", "/many"))
        time.sleep(0.3)
        answer = c.response().expect(200, "upstream-answered")
        expect(answer.content, b"final")
        expect_true(0 < len(answer.interim) < 150, f"{len(answer.interim)} hints")
        expect({tuple(one.fields) for one in answer.interim}, {(hint,)})
        c.send(head("GET", "/then")).response().expect(200, "upstream-answered")


@test("R007")
def interim_responses_come_through_in_order():
    app.script("/a", [Interim(102), Interim(103, (HINT, ("Connection", "X-Foo"), ("X-Foo", "1"))), Interim(104),
                      Interim(103), response(200, b"final")])
    with site.connect() as c:
        for _ in range(2):
            answer = c.send(head("GET", "/a")).response().expect(200, "upstream-answered")
            expect([one.status for one in answer.interim], [102, 103, 104, 103])
            expect(answer.interim[1].fields, [HINT], "fields of the connection stay there")
            expect(answer.content, b"final")
    with site.h2() as h:
        answer = h.get("/a").expect(200, "upstream-answered")
        expect([one.status for one in answer.interim], [102, 103, 104, 103])
        expect([pair for pair in answer.interim[1].fields if not pair[0].startswith(":")], [("link", HINT[1])])


@test("R007")
def they_come_when_they_come():
    go = threading.Event()
    app.script("/slow", [Interim(103, (HINT,)), Until(go), response(200, b"final")])
    with site.connect() as c:
        expect(c.send(head("GET", "/slow")).head().status, 103)
        c.expect_quiet(0.05)
        go.set()
        expect(c.response().expect(200).interim, [])
    go.clear()
    with site.h2() as h:
        stream = h.request("GET", "/slow")
        expect(h.interim(stream).status, 103)
        go.set()
        h.response(stream).expect(200)


@test("R004")
def clients_of_1_0_get_none():
    app.script("/old", [Interim(100), Interim(102), Interim(103, (HINT,)), response(200, b"final")])
    with site.connect() as c:
        answer = c.send(head("GET", "/old", version="1.0")).response().expect(200, "upstream-answered")
        expect((answer.interim, answer.content), ([], b"final"))


@test("R007")
def those_that_nobody_knows_or_nobody_asked_for_are_swallowed():
    app.script("/odd", [Interim(100), Interim(142), Interim(199), response(200, b"final")])
    with site.connect() as c:
        answer = c.send(head("GET", "/odd")).response().expect(200, "upstream-answered")
        expect((answer.interim, answer.content), ([], b"final"))


@test()
def there_is_a_cap_on_their_number():
    for path, count in (("/few", 3), ("/none", 0), ("/ten", 10)):
        app.script(path, [Interim(102)] * count + [response(200, b"just right")])
        expect(len(site.get(path).expect(200, "upstream-answered").interim), count)
        app.script(path, [Interim(102)] * (count + 1) + [response(200, b"too many")])
        answer = site.get(path).expect(502, "upstream-interim-flood")
        expect(len(answer.interim), count)
        expect(answer.get("Proxy-Status"), "verdict;error=http_protocol_error;next-hop=app")
        line = site.log_of(answer)
        expect((line["by"], line["upstream"], [one["reason"] for one in line["tries"]][:1]),
               ("self", "app", ["upstream-interim-flood"]))


@test()
def no_final_response_after_them_is_none():
    app.fail("/only", "interim-only")
    answer = site.request("POST", "/only", b"").expect(502, "upstream-connection-terminated")
    expect([one.status for one in answer.interim], [103])


# Expect: 100-continue


@test("R015", "R007")
def the_upstreams_hundred_is_the_clients():
    go = threading.Event()
    app.reset_log().script("/h", [Until(go), Interim(100), ReadContent(), response(201, b"made")])
    with site.connect() as c:
        c.send(head("PUT", "/h", *EXPECT))
        request = app.wait_requests(whole=False)[0]
        expect(request.get("Expect"), "100-continue", "the expectation goes on")
        c.expect_quiet(0.1)
        go.set()
        expect(c.head().status, 100)
        c.expect_quiet(0.03)
        answer = c.send("hello").response().expect(201, "upstream-answered")
        expect((answer.interim, answer.content), ([], b"made"))
        c.send(head("GET", "/next")).response().expect(200)
    expect(app.requests[0].content, b"hello")


@test("R015")
def a_final_answer_instead_of_the_hundred():
    app.reset_log().script("/no", [response(403, b"no", [("Connection", "close")]), Close()], early=True)
    with site.connect() as c:
        answer = c.send(head("PUT", "/no", *EXPECT)).response().expect(403, "upstream-answered")
        expect((answer.interim, answer.content), ([], b"no"))
        expect(answer.words("Connection"), ["close"], "the content may come, or may not")
        c.expect_closed()
    app.script("/no-keep", [response(401, b"no")], early=True)
    with site.connect() as c:
        c.send(head("PUT", "/no-keep", *EXPECT)).response().expect(401, "upstream-answered")
        c.expect_closed()
    with site.h2() as h:
        stream = h.request("PUT", "/no", None, end_stream=False, fields=[("expect", "100-continue")])
        expect(h.response(stream).expect(403).interim, [])


@test("R015", seconds=15)
def content_is_not_held_for_ever():
    """Who knows no expectations waits for the content: after a second the client gets its 100 from us."""
    app.reset_log().script("/deaf", [ReadContent(), response(200, b"got it")])
    with site.connect() as c:
        started = time.monotonic()
        expect(c.send(head("PUT", "/deaf", *EXPECT)).head().status, 100)
        expect_true(0.5 < time.monotonic() - started < 3, "a hundred of our own")
        c.send("hello").response().expect(200, "upstream-answered")
    expect(app.requests[0].content, b"hello")


@test("R015")
def clients_that_do_not_wait_need_no_hundred():
    app.reset_log().script("/now", [ReadContent(), response(200, b"got it")])
    with site.connect() as c:
        answer = c.send(head("PUT", "/now", *EXPECT) + "hello").response().expect(200, "upstream-answered")
        expect(answer.content, b"got it")
    expect(app.requests[0].content, b"hello")


@test("R015", "R004")
def an_expectation_of_1_0_is_none():
    app.reset_log().script("/old-up", [Interim(100), ReadContent(), response(200, b"got it")])
    with site.connect() as c:
        answer = c.send(head("PUT", "/old-up", *EXPECT, version="1.0") + "hello").response()
        expect((answer.expect(200).interim, answer.content), ([], b"got it"))
    expect(app.requests[0].content, b"hello")


@test("R015")
def over_http2_the_hundred_comes_too():
    app.reset_log().script("/h2", [Interim(100), ReadContent(), response(201, b"made")])
    with site.h2() as h:
        stream = h.request("PUT", "/h2", None, end_stream=False, fields=[("expect", "100-continue")])
        expect(h.interim(stream).status, 100)
        h.data(stream, b"hello", end_stream=True)
        h.response(stream).expect(201, "upstream-answered")
    expect(app.wait_requests()[0].content, b"hello")


@test("R176")
def expectations_that_cannot_be_met_are_refused_here():
    app.reset_log()
    for value in ("foo", "100-continue, foo", "100-continue;x"):
        answer = site.request("PUT", "/e", b"", expect=value).expect(417, "expectation-failed")
        expect(site.log_of(answer)["by"], "self")
    expect(app.requests, [])


@test("R176")
def a_417_of_the_upstream_is_passed_on():
    app.script("/417", [response(417, b"not here", [("Connection", "close")]), Close()], early=True)
    with site.connect() as c:
        answer = c.send(head("PUT", "/417", *EXPECT)).response().expect(417, "upstream-answered")
        expect(site.log_of(answer)["upstream_status"], 417)


@test()
def a_client_that_leaves_while_it_expects_takes_the_upstream_along():
    app.reset_log().script("/leave", [Sleep(0.05), Silent()], early=True)
    with site.connect() as c:
        c.send(head("PUT", "/leave", *EXPECT))
        link = app.wait_requests(whole=False)[0].link
    link.wait_end(2)
    expect(site.log_where(target="/leave")["status"], 0)
