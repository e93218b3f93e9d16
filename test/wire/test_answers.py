"""What a configuration can answer instead of files, and which site and route a request belongs to."""
import os
import time

from harness import Server, answering, configured, expect, expect_in, expect_true, files, test

REASONS = {
    "no-content": 204, "reset-content": 205, "accepted-queued": 202, "payment-required": 402, "acl-denied": 403,
    "ip-denied": 403,
    "request-policy-denied": 403, "read-denied": 403, "write-denied": 403, "legal-block": 451, "not-found": 404,
    "gone": 410,
    "teapot": 418, "rate-limited": 429, "maintenance": 503, "site-frozen": 503, "bandwidth-limit": 503,
    "application-stopping": 503,
    "application-restarting": 503, "application-unavailable": 503, "seat-limit": 503, "internal-error": 500,
}

LAST = "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

site = Server({"a.txt": "root a", "deep/b.txt": "b", "deep/er/c.txt": "c", "x/deep.txt": "longest"}, config=configured(
    files(), *[answering(f"/{name}", name) for name in REASONS],
    answering("/html", "request-ok", text="<p>hello", type="text/html; charset=utf-8"),
    answering("/queued", "accepted-queued", text="{\"job\": 7}", type="application/json"),
    answering("/withheld", "legal-block", blocked_by="https://authority.example/order",
              text="By order 7 of the court of <Somewhere>."),
    answering("/later", "maintenance", retry_after="90", text="Back at noon."),
    answering("/upgrade", "upgrade-required", upgrade="TLS/1.3, websocket/13"),
    answering("/denied", "request-policy-denied", text="Members of the club only."),
    answering("/drop", "dropped-silently"),
    {"path": "/generate_204", "answer": {"status": "204"}}, answering("/pot", "teapot", text="Short and stout."),
    files("/deep", directory="{root}/x", headers={"X-Where": "deep"}), answering("/deep/er", "gone"),
    files("/deep/er/still", headers={"Cache-Control": "no-store", "Link": ["</a>; rel=x", "</b>; rel=y"]})))


@test("R129", "R130", "R225")
def every_reason_that_may_be_configured():
    for name, status in REASONS.items():
        for method in ("GET", "POST", "PROPFIND"):
            answer = site.request(method, f"/{name}", b"x" if method == "POST" else None).expect(status, name)
            expect(site.log_of(answer)["reason"], name)
        expect(site.get(f"/{name}").get("WWW-Authenticate"), None)
        if status >= 400:
            expect_true(len(answer.content) > 100, "an explanation")


@test("R128")
def a_banned_address_is_not_asked_for_credentials():
    answer = site.get("/ip-denied").expect(403, "ip-denied")
    expect(answer.get("WWW-Authenticate"), None)


@test("R019")
def an_upgrade_that_is_of_no_use_is_ignored():
    answer = site.request("GET", "/a.txt", connection="Upgrade", upgrade="h2c, foo").expect(200)
    expect((answer.text, answer.get("Upgrade")), ("root a", None))


@test("R048", "R044")
def a_path_for_captive_portals():
    with site.connect() as c:
        c.send("GET /generate_204 HTTP/1.1\r\nHost: a\r\n\r\n" + LAST)
        answer = c.response().expect(204, "no-content")
        expect((answer.content, answer.get("Content-Type")), (b"", None))
        expect(c.response().expect(200).text, "root a")
    site.request("HEAD", "/generate_204").expect(204, "no-content")


@test("R051")
def reset_content_has_a_length_of_none():
    with site.connect() as c:
        c.send("POST /reset-content HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=1" + LAST)
        answer = c.response().expect(205, "reset-content")
        expect((answer.content, answer.get("Content-Length"), answer.get("Transfer-Encoding")), (b"", "0", None))
        expect(c.response().expect(200).text, "root a")


@test("R029", "R049")
def content_of_ones_own():
    answer = site.get("/html").expect(200, "request-ok")
    expect((answer.text, answer.get("Content-Type"), answer.get("X-Content-Type-Options")),
           ("<p>hello", "text/html; charset=utf-8", "nosniff"))
    expect(site.request("PUT", "/html", b"new").expect(200).text, "<p>hello")
    expect(site.request("HEAD", "/html").expect(200).get("Content-Length"), "8")
    answer = site.request("POST", "/queued", b"work").expect(202, "accepted-queued")
    expect((answer.text, answer.get("Content-Type")), ('{"job": 7}', "application/json"))


@test("R207")
def withheld_for_legal_reasons():
    for accept in ("text/html", "application/problem+json", "text/plain"):
        answer = site.get("/withheld", accept=accept).expect(451, "legal-block")
        expect(answer.get("Link"), '<https://authority.example/order>; rel="blocked-by"')
        expect_in("https://authority.example/order", answer.text)
        expect_in("By order 7 of the court of", answer.text)
    expect_in("&lt;Somewhere&gt;", site.get("/withheld", accept="text/html").text)


@test("R226", "R230")
def later_says_when():
    answer = site.get("/later").expect(503, "maintenance")
    expect((answer.get("Retry-After"), answer.get("Cache-Control")), ("90", "no-store"))
    expect_in("Back at noon.", answer.text)
    expect_in("Temporary", answer.text)
    for name in ("maintenance",):
        expect(site.get(f"/{name}").get("Retry-After"), "60")


@test("R193")
def upgrade_names_the_protocols():
    answer = site.get("/upgrade").expect(426, "upgrade-required")
    expect((answer.get("Upgrade"), answer.words("Connection")), ("TLS/1.3, websocket/13", ["upgrade"]))


@test("R130", "R132")
def denied_with_the_operators_words():
    answer = site.get("/denied", authorization="Basic dTpw").expect(403, "request-policy-denied")
    expect_in("Members of the club only.", answer.text)
    expect(answer.get("WWW-Authenticate"), None)
    expect(site.request("HEAD", "/denied").expect(403).content, b"")


@test("R178")
def a_teapot():
    for method, kind in (("BREW", "message/coffeepot"), ("POST", "message/coffeepot"), ("GET", None)):
        answer = site.request(method, "/pot", b"start" if kind else None, content_type=kind)
        answer.expect(418, "teapot")
        expect_in("Short and stout.", answer.text)


@test("R203")
def some_get_no_answer_at_all():
    with site.connect() as c:
        c.send("GET /drop/this HTTP/1.1\r\nHost: a\r\n\r\n").expect_closed()
    line = site.log_where(target="/drop/this")
    expect((line["status"], line["reason"], line["bytes_out"]), (0, "dropped-silently", 0))


@test()
def the_longest_path_wins():
    for target, status, text in (("/deep/deep.txt", 200, "longest"), ("/deep", 301, None), ("/deep/", 403, None),
                                 ("/deeper/b.txt", 404, None),
                                 ("/deep/er", 410, None), ("/deep/er/c.txt", 410, None), ("/deep/erx", 404, None),
                                 ("/deep/er/still/a.txt", 200, "root a"), ("/deep/../a.txt", 200, "root a"),
                                 ("/deep/%65r/x", 410, None)):
        answer = site.get(target).expect(status)
        expect_true(text is None or answer.text == text, target)
    site.get("/deep").expect(301, "directory-redirect")


@test()
def fields_are_added_to_successes_only():
    expect(site.get("/deep/deep.txt").get("X-Where"), "deep")
    tag = site.get("/deep/deep.txt").get("ETag")
    expect(site.get("/deep/deep.txt", if_none_match=tag).expect(304).get("X-Where"), "deep")
    expect(site.get("/deep/missing").expect(404).get("X-Where"), None)
    expect(site.get("/deep/er/still/a.txt").all("Link"), ["</a>; rel=x", "</b>; rel=y"])
    expect(site.get("/deep/er/still/a.txt").get("Cache-Control"), "no-store")


def host(server, target, name, version="1.1"):
    line = f"Host: {name}\r\n" if name is not None else ""
    return server.ask(f"GET {target} HTTP/{version}\r\n{line}\r\n")


SITES = [
    {"host": ["a.test", "www.a.test"], "routes": [answering("/", "request-ok", text="a")]},
    {"host": "*.wild.test", "routes": [answering("/", "request-ok", text="wild")]},
    {"host": "*.deep.wild.test", "routes": [answering("/", "request-ok", text="deep")]},
    {"host": "one.wild.test", "routes": [answering("/", "request-ok", text="one")]},
    {"host": "127.0.0.1", "routes": [answering("/only", "request-ok", text="address")]},
    {"host": "[::1]", "routes": [answering("/", "request-ok", text="six")]},
]


HOSTS = {"a.test": "a", "A.TEST": "a", "www.a.test": "a", "a.test:8080": "a", "a.test.": "a", "x.wild.test": "wild",
         "x.y.wild.test": "wild", "x.deep.wild.test": "deep", "one.wild.test": "one", "[::1]:80": "six"}


@test()
def the_host_chooses_the_site():
    for sites in (SITES, SITES[::-1]):
        with Server(config=configured(sites=sites)) as server:
            for name, text in HOSTS.items():
                expect(host(server, "/", name).expect(200, "request-ok").text, text, name)
            for name in ("b.test", "wild.test", "xa.test", "xwild.test", "192.0.2.1"):
                answer = host(server, "/", name).expect(404, "site-not-found")
                expect(server.log_of(answer)["host"], name)
            host(server, "/elsewhere", "127.0.0.1").expect(404, "route-not-found")
            expect(server.ask("GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n").expect(200).text, "a")
            host(server, "/", None, "1.0").expect(404, "site-not-found")


@test()
def one_site_may_be_the_default():
    sites = SITES + [{"host": "last.test", "default": "on", "routes": [answering("/", "request-ok", text="default")]}]
    with Server(config=configured(sites=sites)) as server:
        for name, text in (("b.test", "default"), ("last.test", "default"), ("a.test", "a"), ("192.0.2.1", "default")):
            expect(host(server, "/", name).expect(200).text, text, name)
        expect(host(server, "/", None, "1.0").expect(200).text, "default")


@test("R225", "R226")
def a_flag_stops_a_site():
    sites = [{"host": "a.test", "stopped_by": "{root}/stop", "routes": [files()]},
             {"default": "on", "routes": [files()]}]
    with Server({"f.txt": "f"}, config=configured(sites=sites)) as server:
        host(server, "/f.txt", "a.test").expect(200)
        (server.root / "stop").touch()
        answer = host(server, "/f.txt", "a.test").expect(503, "maintenance")
        expect(answer.get("Retry-After"), "60")
        host(server, "/missing", "a.test").expect(503, "maintenance")
        host(server, "/f.txt", "b.test").expect(200)
        os.unlink(server.root / "stop")
        host(server, "/f.txt", "a.test").expect(200)


@test("R246")
def a_frozen_site():
    expect_in("Temporary", site.get("/site-frozen").expect(503, "site-frozen").text)


@test()
def a_new_configuration_is_taken_on_sighup():
    with Server({"f.txt": "f"}, config=configured(answering("/", "request-ok", text="before"))) as server:
        expect(server.get("/").text, "before")
        with server.connect() as c:
            expect(c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().text, "before")
            server.configure(configured(answering("/", "request-ok", text="after")))
            server.process.send_signal(1)
            until = time.monotonic() + 3
            while server.get("/").text != "after" and time.monotonic() < until:
                time.sleep(0.02)
            expect(server.get("/").text, "after")
            expect(c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response().text, "after")
        server.configure("nonsense: [")
        server.process.send_signal(1)
        time.sleep(0.3)
        expect(server.get("/").expect(200).text, "after")
