"""One reason, four ways to say it: what is sent, and what is told in log and page."""
import json

from harness import Server, answering, configured, expect, expect_in, expect_true, files, test

DIALECTS = ("rfc", "nginx", "iis", "cloudflare")

ANSWERED = ["gone", "rate-limited", "ip-denied", "request-policy-denied", "acl-denied", "read-denied", "write-denied",
            "legal-block",
            "application-unavailable", "application-stopping", "seat-limit", "dropped-silently", "site-frozen",
            "maintenance", "bandwidth-limit"]

TREE = {"a.txt": "a", "dir/x": "x"}


def routes(dialect):
    prefix = f"/{dialect}"
    return [files(prefix, dialect=dialect, write="on", content_limit="10", query_limit="100", segments_limit="9"),
            *[answering(f"{prefix}/{name}", name) | {"dialect": dialect} for name in ANSWERED]]


site = Server(TREE, config=configured(*[route for dialect in DIALECTS for route in routes(dialect)]))

# For each dialect what is sent, and what the log tells besides. None: nothing is told.
CASES = [
    ("GET", "/missing", {}, "not-found", (404, None), (404, None), (404, "404.0"), (404, None)),
    ("GET", "/.x", {}, "hidden-segment", (404, None), (404, None), (404, "404.8"), (404, None)),
    ("GET", "/dir/", {}, "listing-denied", (403, None), (403, None), (403, "403.14"), (403, None)),
    ("POST", "/a.txt", {}, "method-not-allowed", (405, None), (405, None), (405, "405.0"), (405, None)),
    ("GET", "/a.txt", {"if_match": '"x"'}, "if-match-failed", (412, None), (412, None), (412, "412.0"), (412, None)),
    ("PUT", "/a.txt", {"content": b"01234567890"}, "content-too-large", (413, None), (413, None), (404, "404.13"),
     (413, None)),
    ("GET", "/a.txt?" + "q" * 101, {}, "query-too-long", (414, None), (414, None), (404, "404.15"), (414, None)),
    ("GET", "/1/2/3/4/5/6/7/8/9", {}, "too-many-url-segments", (414, None), (414, None), (404, "404.20"), (414, None)),
    ("PUT", "/a.txt", {"content": b"x", "content_range": "bytes 0-0/1"}, "put-range-unsupported", (400, None),
     (501, None), (400, None), (400, None)),
    ("GET", "/gone", {}, "gone", (410, None), (410, None), (410, None), (410, None)),
    ("GET", "/rate-limited", {}, "rate-limited", (429, None), (503, None), (403, "403.502"), (429, "1015")),
    ("GET", "/ip-denied", {}, "ip-denied", (403, None), (403, None), (403, "403.6"), (403, "1006")),
    ("GET", "/request-policy-denied", {}, "request-policy-denied", (403, None), (403, None), (404, "404.19"),
     (403, "1020")),
    ("GET", "/read-denied", {}, "read-denied", (403, None), (403, None), (403, "403.2"), (403, None)),
    ("GET", "/write-denied", {}, "write-denied", (403, None), (403, None), (403, "403.3"), (403, None)),
    ("GET", "/acl-denied", {}, "acl-denied", (403, None), (403, None), (401, "401.3"), (403, None)),
    ("GET", "/application-unavailable", {}, "application-unavailable", (503, None), (502, None), (503, "503.0"),
     (503, None)),
    ("GET", "/application-stopping", {}, "application-stopping", (503, None), (503, None), (500, "500.11"),
     (503, None)),
    ("GET", "/seat-limit", {}, "seat-limit", (503, None), (503, None), (403, "403.15"), (503, None)),
    ("GET", "/site-frozen", {}, "site-frozen", (503, None), (503, None), (503, None), (503, None)),
    ("GET", "/legal-block", {}, "legal-block", (451, None), (451, None), (451, None), (451, None)),
    ("GET", "/dir", {}, "directory-redirect", (301, None), (301, None), (301, None), (301, None)),
    ("GET", "/a.txt", {}, "request-ok", (200, None), (200, None), (200, None), (200, None)),
]


@test("R251", "R140")
def what_is_sent_and_what_is_told():
    for method, target, fields, reason, *codes in CASES:
        for dialect, (status, detail) in zip(DIALECTS, codes):
            answer = site.request(method, f"/{dialect}{target}", **fields).expect(status, reason)
            line = site.log_of(answer)
            expect((line["status"], line["reason"], line["detail"]), (status, reason, detail or ""),
                   f"{dialect} {target[:40]}")


@test("R251")
def the_page_tells_it_too():
    page = site.get("/iis/.x", accept="text/html").expect(404, "hidden-segment")
    expect_in("<b>404.8</b>", page.text)
    expect(page.phrase, "Not Found")
    expect(json.loads(site.get("/iis/.x", accept="application/json").text)["substatus"], "404.8")
    expect_in("404.8", site.get("/iis/.x").text)
    expect_in("403 (error 1020)", site.get("/cloudflare/request-policy-denied").text)
    told = json.loads(site.get("/nginx/rate-limited", accept="application/json").expect(503).text)
    expect((told["status"], told["reason"]), (503, "rate-limited"))
    expect_true("404.8" not in site.get("/rfc/.x").text, "nothing of it in the rfc dialect")


@test("R124")
def a_status_brings_its_fields_with_it():
    answer = site.get("/iis/acl-denied").expect(401, "acl-denied")
    expect_true(answer.get("WWW-Authenticate"), "a 401 has a challenge")
    expect(site.get("/rfc/acl-denied").expect(403).get("WWW-Authenticate"), None)


@test("R203")
def silence_has_a_number_in_nginx():
    for dialect in DIALECTS:
        with site.connect() as c:
            c.send(f"GET /{dialect}/dropped-silently HTTP/1.1\r\nHost: a\r\n\r\n").expect_closed()
        line = site.log_where(target=f"/{dialect}/dropped-silently")
        expect((line["status"], line["detail"], line["reason"]), (0, "444" if dialect == "nginx" else "",
                                                                  "dropped-silently"))


def whole(dialect):
    return Server(TREE, args=["--dialect", dialect])


@test("R209", "R251")
def heads_that_are_refused_speak_the_servers_dialect():
    requests = [("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + "c" * 9000 + "\r\n\r\n", "header-field-too-large",
                 (431, ""), (400, "494"), (404, "404.10"), (431, "")),
                ("GET /" + "p" * 20000 + " HTTP/1.1\r\nHost: a\r\n\r\n", "uri-too-long", (414, ""), (414, ""),
                 (404, "404.14"), (414, "")),
                ("FROB / HTTP/1.1\r\nHost: a\r\n\r\n", "method-unknown", (501, ""), (405, ""), (501, ""), (501, "")),
                ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "content-length-invalid", (400, ""),
                 (400, ""), (400, "400.7"), (400, ""))]
    for at, dialect in enumerate(DIALECTS):
        with whole(dialect) as server:
            for request, reason, *codes in requests:
                answer = server.ask(request).expect(codes[at][0], reason)
                line = server.log_of(answer)
                expect((line["status"], line["detail"], line["reason"]), (*codes[at], reason), dialect)
                if answer.status == 405:
                    expect_true(answer.get("Allow") is not None, "405 has Allow")


@test()
def no_site_is_409_in_cloudflare():
    for dialect, status, detail in (("rfc", 404, ""), ("nginx", 404, ""), ("iis", 404, "404.1"),
                                    ("cloudflare", 409, "1001")):
        with Server(TREE, config=configured(sites=[{"host": "a.test", "routes": [files()]}],
                                            dialect=dialect)) as server:
            answer = server.get("/", host="other.test").expect(status, "site-not-found")
            expect(server.log_of(answer)["detail"], detail)


@test()
def the_command_line_wins_over_the_top_of_the_file():
    with Server(TREE, config=configured(files("/", query_limit="9"), dialect="nginx"),
                args=["--dialect", "iis"]) as server:
        server.get("/?0123456789").expect(404, "query-too-long")


@test()
def the_combined_log_has_what_the_vendors_log_has():
    with Server(TREE, args=["--dialect", "nginx", "--log-format", "combined", "--log", "combined.log"]) as server:
        server.ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + "c" * 9000 + "\r\n\r\n").expect(400)
        server.get("/a.txt", referer="http://r.test/", user_agent="tester \"quoted\"").expect(200)
        server.stop()
        lines = sorted((server.home / "combined.log").read_text().splitlines(), key=lambda line: " 494 " not in line)
    expect_in('" 494 ', lines[0])
    expect_in('"GET /a.txt HTTP/1.1" 200 ', lines[1])
    expect_in('"http://r.test/"', lines[1])
    expect_true(lines[1].count('tester "quoted"') == 0, "quotes are escaped")
