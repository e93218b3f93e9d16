"""Methods, errors that explain themselves for any of them, and nothing that should not show."""
import json

from harness import Server, expect, expect_in, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
limits: {exchange_memory_bytes: 64KiB}
sites:
  - host: [a, site.test]
    stopped_by: "{root}/../stopped"
    routes:
      - {path: /, files: "{root}", hidden: off}
      - {path: /w, files: "{root}/w", write: on}
      - {path: /trace, files: "{root}", trace: on}
      - {path: /pay, answer: {reason: payment-required, text: "The quota of the day is used up."}}
      - {path: /drop, answer: {reason: dropped-silently}}
      - {path: /broken, answer: {reason: internal-error}}
      - {path: /gone, answer: {status: 410}}
      - {path: /down, answer: {reason: maintenance, retry_after: 90s}}
      - {path: /old, redirect: {to: /a.txt, status: 308}}
      - {path: /none, answer: {status: 204}}
      - {path: /quiet, files: "{root}", explain: off}
      - {path: /telling, files: "{root}", explain: all}
"""
site = Server({"a.txt": "hello", "w/x.txt": "old", "d/.keep": "", "d/b.txt": ""}, config=CONFIG)

ERRORS = [  # status, reason, target, what the class of permanence must say
    (404, "not-found", "/z", "unknown"),
    (404, "hidden-segment", "/.git", "permanent"),
    (403, "listing-denied", "/d/", None),
    (402, "payment-required", "/pay", None),
    (410, "gone", "/gone", "permanent"),
    (500, "internal-error", "/broken", None),
    (503, "maintenance", "/down", "temporary"),
    (416, "range-not-satisfiable", "/a.txt", None),
]


def ask(method, target, fields="", content=""):
    return site.ask(f"{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{content}")


def fields_for(reason):
    return "Range: bytes=99-\r\n" if reason == "range-not-satisfiable" else ""


@test()
def chunked_content_that_nobody_wants_keeps_the_connection_if_its_end_is_here():
    head = "POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    whole = "5;x=y\r\nhello\r\n3\r\nyou\r\n0\r\nT: a\r\n\r\n"
    get = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    with site.connect() as c:
        for behind in ("", head + "\r\n" + whole, get):
            answer = c.send(head + "\r\n" + whole + behind).response().expect(405, "method-not-allowed")
            expect(answer.words("Connection"), [])
            if behind:
                c.response().expect(200 if behind == get else 405)
        expect(c.send(get).response().content, b"hello")
    large = f"{0xfff0:x}\r\n{'x' * 0xfff0}\r\n0\r\n\r\n"  # more than is read away, in one piece or not
    for field, content in (("", whole[:-1]), ("", ""), ("", "x\r\n" + get), ("", "5\r\nhello!\r\n0\r\n\r\n" + get),
                           ("Expect: 100-continue\r\n", whole + get), ("", large + get)):
        with site.connect() as c:
            c.send(head + field + "\r\n" + content)
            expect(c.response().expect(405).words("Connection"), ["close"], content[:20])
            c.expect_closed()


@test("R030")
def head_is_get_without_content():
    for target in ("/a.txt", "/w/x.txt", "/d", "/old", "/none", *(row[2] for row in ERRORS)):
        get = ask("GET", target)
        with site.connect() as c:
            c.send(f"HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\nHEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
            head = c.response(to="HEAD").expect(get.status, get.reason)
            expect(c.kept[:5] in (b"", b"HTTP/"), True, f"content of HEAD {target}: {c.kept[:50]}")
        for name in ("Content-Type", "ETag", "Last-Modified", "Location", "Vary", "Retry-After", "Connection"):
            expect(head.get(name), get.get(name), f"{name} of {target}")
        expect(head.get("Content-Length"), get.get("Content-Length"), f"Content-Length of {target}")


@test("R113", "R138")
def errors_explain_themselves_and_say_whether_they_last():
    for status, reason, target, lasts in ERRORS:
        answer = ask("GET", target, fields_for(reason)).expect(status, reason)
        expect_in(reason, answer.text)
        expect_true(any(word in answer.text.lower() for word in ("temporary", "permanent")), answer.text)
        problem = ask("GET", target, fields_for(reason) + "Accept: application/problem+json\r\n").expect(status, reason)
        expect(problem.get("Content-Type"), "application/problem+json")
        told = json.loads(problem.text)
        expect(told["status"], status)
        if lasts is not None:
            expect_in(lasts, json.dumps(told).lower())
        page = ask("GET", target, fields_for(reason) + "Accept: text/html\r\n").expect(status, reason)
        expect_in("<html", page.text)
        if reason != "range-not-satisfiable":  # Range is for GET alone
            expect(ask("HEAD", target).expect(status, reason).content, b"")


@test("R114")
def errors_are_the_same_for_every_method():
    for method in ("GET", "PUT", "POST", "DELETE", "PROPFIND", "PATCH"):
        ask(method, "/down").expect(503, "maintenance")
        ask(method, "/gone").expect(410, "gone")
        site.ask(f"{method} /a.txt HTTP/1.1\r\nHost: nobody.test\r\n\r\n").expect(404, "site-not-found")
        site.ask(f"{method} /a.txt HTTP/1.1\r\n\r\n").expect(400, "host-missing")
        site.ask(f"{method} /a.txt HTTP/3.1\r\n\r\n").expect(505, "version-not-supported")


@test("R129")
def payment_is_required_only_where_it_was_configured():
    answer = ask("GET", "/pay").expect(402, "payment-required")
    expect_in("The quota of the day is used up.", answer.text)


@test("R141", "R216")
def allow_is_true():
    for target, tried in (("/a.txt", "PUT"), ("/w/x.txt", "POST"), ("/trace/a.txt", "DELETE"), ("/z", "PATCH")):
        answer = ask(tried, target).expect(405, "method-not-allowed")
        allowed = [word.upper() for word in answer.words("Allow")]
        expect_true(tried not in allowed, f"{tried} in {allowed}")
        for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "POST", "PATCH", "PROPFIND"):
            status = site.request(method, target + ".new" if method in ("PUT", "DELETE") else target,
                                  b"x" if method == "PUT" else None, host="a").status
            expect(status == 405, method not in allowed, f"{method} {target} gives {status}, Allow is {allowed}")


@test("R216")
def a_method_that_nobody_knows():
    for method in ("FOO", "get", "G-E_T", "X" * 32, "X" * 400):
        with site.connect() as c:
            answer = c.send(f"{method} /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(501, "method-unknown")
            expect_true(answer.content, "an explanation")


@test("R217")
def get_and_head_are_never_unknown():
    for target in ("/a.txt", "/w/x.txt", "/pay", "/broken", "/z", "/d/", "/old"):
        for method in ("GET", "HEAD"):
            expect_true(ask(method, target).status != 501, f"{method} {target}")


@test("R141")
def options():
    answer = ask("OPTIONS", "/w/x.txt").expect(200)
    expect(sorted(answer.words("Allow")), ["delete", "get", "head", "options", "put"])
    answer = site.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").expect(200)
    expect_true({"get", "head", "options"} <= set(answer.words("Allow")), str(answer))
    expect(answer.content, b"")


@test("R031")
def trace_echoes_without_secrets_where_it_is_on():
    raw = ("TRACE /trace/a.txt HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nCookie: secret=1\r\nX-Api-Key: secret\r\nAuthorization: Basic secret\r\n"
           "Max-Forwards: 0\r\n\r\n")
    answer = site.ask(raw).expect(200)
    expect(answer.get("Content-Type"), "message/http")
    expect(answer.text, "TRACE /trace/a.txt HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nMax-Forwards: 0\r\n\r\n")
    ask("TRACE", "/a.txt").expect(405, "method-not-allowed")


@test("R034", "R044")
def success_means_that_it_was_done():
    site.request("PUT", "/w/new.txt", b"made", host="a").expect(201)
    expect(ask("GET", "/w/new.txt").content, b"made")
    answer = site.request("PUT", "/w/new.txt", b"changed", host="a").expect(204)
    expect((answer.get("Content-Length"), answer.content), (None, b""))
    expect(ask("GET", "/w/new.txt").content, b"changed")
    ask("DELETE", "/w/new.txt").expect(204)
    ask("GET", "/w/new.txt").expect(404, "not-found")


@test("R203")
def a_request_can_be_dropped():
    with site.connect() as c:
        c.send("GET /drop HTTP/1.1\r\nHost: a\r\nUser-Agent: dropped\r\n\r\n")
        c.expect_closed()
    line = site.log_where(user_agent="dropped")
    expect((line["reason"], line["status"], line["bytes_out"]), ("dropped-silently", 0, 0))


@test("R225", "R226", "R230")
def maintenance_by_a_file():
    flag = site.home / "stopped"
    flag.write_text("")
    answer = ask("GET", "/a.txt").expect(503, "maintenance")
    expect_true(int(answer.get("Retry-After")) > 0, "Retry-After")
    expect(answer.get("Cache-Control"), "no-store")
    flag.unlink()
    ask("GET", "/a.txt").expect(200)
    expect(ask("GET", "/down").get("Retry-After"), "90")


@test("R215")
def errors_of_the_server_do_not_show_its_inside():
    big = "".join(f"X-{i}: {'v' * 600}\r\n" for i in range(40))
    with site.connect() as c:
        c.send(f"TRACE /trace/a.txt HTTP/1.1\r\nHost: a\r\n{big}\r\n")
        answer = c.response().expect(500, "exchange-memory-exhausted")
        c.expect_closed()
    for found in (answer, ask("GET", "/broken")):
        for word in (str(site.root), str(site.home), ".c:", "verdict serve", "errno"):
            expect_true(word not in str(found.text), f"{word} shows in {found.text}")
    line = site.log_of(answer)
    expect((line["reason"], line["at"]), ("exchange-memory-exhausted", 65536))


@test()
def the_verdict_field_is_sent_as_configured():
    expect(ask("GET", "/quiet/z").expect(404).get("Verdict"), None)
    expect(ask("GET", "/quiet/a.txt").get("Verdict"), None)
    expect(ask("GET", "/a.txt").get("Verdict"), None)
    answer = ask("GET", "/telling/a.txt").expect(200, "request-ok")
    expect(site.log_of(answer)["reason"], "request-ok")


@test()
def languages():
    for wish, tag in (("zh-TW", "zh-TW"), ("zh-CN", "zh-CN"), ("zh-Hant-HK", "zh-TW"), ("de", "en"), ("en;q=0.5, zh-CN", "zh-CN")):
        answer = ask("GET", "/z", f"Accept-Language: {wish}\r\n").expect(404, "not-found")
        expect(answer.get("Content-Language"), tag, wish)
        expect_true({"accept", "accept-language"} <= set(answer.words("Vary")), str(answer))


@test()
def sites_are_found_by_name():
    for host in ("a", "A:8080", "SITE.test", "site.test:1"):
        site.ask(f"GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n").expect(200)
    for host in ("", "b", "a.site.test", "[::1]"):
        site.ask(f"GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n").expect(404, "site-not-found")
    site.ask("GET http://site.test/a.txt HTTP/1.1\r\nHost: b\r\n\r\n").expect(200)
    site.ask("GET /a.txt HTTP/1.0\r\n\r\n").expect(404, "site-not-found")
