"""The content of errors: three formats, three languages, escaped, with the id, without a path of the system."""
import json
import re

from harness import Server, answering, configured, expect, expect_in, expect_true, files, test

site = Server({"a.txt": "a", "dir/x": "x", "page.en.html": "p", "page.de.html": "q"}, config=configured(
    files(write="on", content_limit="10"), files("/strict", negotiate="strict"),
    files("/off", explain="off", write="on"),
    files("/errors", explain="errors"), files("/need", write="on", require=["condition", "length"]),
    answering("/gone", "gone"), answering("/pot", "teapot"),
    answering("/law", "legal-block", text="Order <7> & \"more\""),
    answering("/pay", "payment-required"), answering("/later", "maintenance"), answering("/slow", "rate-limited"),
    answering("/broken", "internal-error"),
    answering("/tls", "upgrade-required", upgrade="TLS/1.3")))

# What to send, what comes of it, and how long it lasts.
ERRORS = [
    ("GET /missing HTTP/1.1\r\nHost: a\r\n\r\n", 404, "not-found", "unknown"),
    ("GET /.x HTTP/1.1\r\nHost: a\r\n\r\n", 404, "hidden-segment", "permanent"),
    ("GET /dir/ HTTP/1.1\r\nHost: a\r\n\r\n", 403, "listing-denied", "permanent"),
    ("POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405, "method-not-allowed", "permanent"),
    ("FROB /a.txt HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method-unknown", "permanent"),
    ("GET /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity;q=0\r\n\r\n", 406, "coding-not-acceptable",
     "permanent"),
    ("GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n", 412, "if-match-failed", "permanent"),
    ("GET /a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=99-\r\n\r\n", 416, "range-not-satisfiable", "permanent"),
    ("GET /a.txt HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417, "expectation-failed", "permanent"),
    ("PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n01234567890", 413, "content-too-large", "permanent"),
    ("PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Encoding: x\r\n\r\n0", 415, "content-coding-unknown",
     "permanent"),
    ("PUT /no/b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n0", 409, "dav-parent-missing", "unknown"),
    ("PUT /need/b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n0", 428, "precondition-required", "permanent"),
    ("PUT /need/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411, "length-required",
     "permanent"),
    ("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n", 410, "gone", "permanent"),
    ("GET /pot HTTP/1.1\r\nHost: a\r\n\r\n", 418, "teapot", "permanent"),
    ("GET /law HTTP/1.1\r\nHost: a\r\n\r\n", 451, "legal-block", "unknown"),
    ("GET /pay HTTP/1.1\r\nHost: a\r\n\r\n", 402, "payment-required", "unknown"),
    ("GET /tls HTTP/1.1\r\nHost: a\r\n\r\n", 426, "upgrade-required", "permanent"),
    ("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", 429, "rate-limited", "temporary"),
    ("GET /later HTTP/1.1\r\nHost: a\r\n\r\n", 503, "maintenance", "temporary"),
    ("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", 500, "internal-error", "unknown"),
    ("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "target-malformed", "permanent"),
    ("GET /?" + "q" * 9000 + " HTTP/1.1\r\nHost: a\r\n\r\n", 414, "query-too-long", "permanent"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 9000 + "\r\n\r\n", 431, "header-field-too-large", "permanent"),
    ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "version-not-supported", "permanent"),
]

FORMATS = {"text/html": "text/html; charset=utf-8", "application/problem+json": "application/problem+json",
           "text/plain": "text/plain; charset=utf-8"}


def asking(request, *lines):
    head, _, content = request.partition("\r\n\r\n")
    return "".join([head, "\r\n", *[line + "\r\n" for line in lines], "\r\n", content])


@test("R113", "R138", "R249", "R034")
def every_error_says_what_why_and_how_long():
    for request, status, reason, lasts in ERRORS:
        problem = site.ask(asking(request, "Accept: application/problem+json")).expect(status, reason)
        if reason == "header-field-too-large":  # what was read before it counts no more
            expect_true(len(problem.content) > 100, "content")
            continue
        told = json.loads(problem.text)
        expect((told["status"], told["reason"], told["lasts"], told["id"]), (status, reason, lasts, problem.id))
        expect((told["type"], told["instance"]), (f"urn:verdict:reason:{reason}", f"urn:verdict:exchange:{problem.id}"))
        expect_true(len(told["title"]) > 5 and len(told["detail"]) > 10 and len(told["next"]) > 5, f"{reason}: {told}")
        text = site.ask(asking(request, "Accept: text/plain")).expect(status, reason).text
        expect_in({"unknown": "it cannot be told whether this is temporary or permanent", "temporary": "Temporary",
                   "permanent": "Permanent"}[lasts], text)


@test("R113")
def head_has_the_same_fields_and_no_content():
    for request, status, reason, _ in ERRORS:
        if not request.startswith("GET") or "Range" in request:
            continue
        got, head = site.ask(request), site.ask("HEAD" + request[3:]).expect(status, reason)
        expect(head.content, b"")
        for name in ("Content-Type", "Content-Length", "Content-Language", "Vary", "Allow", "Retry-After", "Link",
                     "Cache-Control"):
            expect(head.all(name), got.all(name), f"{reason}: {name}")


@test("R249")
def a_client_of_1_0_gets_the_same_and_the_end():
    for request, status, reason in (("GET /missing HTTP/1.0\r\n\r\n", 404, "not-found"),
                                    ("POST /a.txt HTTP/1.0\r\nContent-Length: 0\r\n\r\n", 405, "method-not-allowed"),
                                    ("GET /a.txt HTTP/1.0\r\nRange: bytes=99-\r\n\r\n", 416, "range-not-satisfiable"),
                                    ("PUT /no/b HTTP/1.0\r\nContent-Length: 1\r\n\r\n0", 409, "dav-parent-missing"),
                                    ("GET / HTTP/9.9\r\n\r\n", 505, "version-not-supported")):
        with site.connect() as c:
            answer = c.send(request).response().expect(status, reason)
            expect_true(len(answer.content) > 100 and "ermanent" in answer.text or reason == "not-found", "explained")
            expect(answer.minor, 1)
            c.expect_closed()
    site.ask("GET /a.txt HTTP/1.0\r\n\r\n").expect(200)


@test()
def the_format_is_the_one_that_the_client_likes():
    chrome = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    for accept, kind in (("text/html", "text/html"), (chrome, "text/html"),
                         ("application/json", "application/problem+json"),
                         ("application/problem+json", "application/problem+json"), ("text/plain", "text/plain"),
                         ("*/*", "text/plain"), (None, "text/plain"),
                         ("application/json;q=0.5, text/html;q=0.4", "application/problem+json"),
                         ("image/png", "text/plain"), ("text/html;q=0, */*", "text/plain"),
                         ("text/*", "text/plain"), ("", "text/plain")):
        answer = site.get("/missing", accept=accept).expect(404, "not-found")
        expect(answer.get("Content-Type").split(";")[0], kind, accept)
        expect(sorted(answer.words("Vary")), ["accept", "accept-language"])


@test()
def the_language_is_the_readers():
    words = {"en": "The server has nothing to show at this path.", "zh-CN": "未知：无法判断", "zh-TW": "未知：無法判斷"}
    for wish, language in (("en", "en"), ("zh-CN", "zh-CN"), ("zh-TW", "zh-TW"), ("zh-Hant", "zh-TW"),
                           ("zh-Hans", "zh-CN"), ("zh-HK", "zh-TW"),
                           ("zh", "zh-CN"), ("fr, zh-TW;q=0.5", "zh-TW"), ("fr", "en"), (None, "en"), ("*", "en"),
                           ("zh-TW;q=0.1, en;q=0.9", "en")):
        for accept, kind in FORMATS.items():
            answer = site.get("/missing", accept=accept, accept_language=wish).expect(404, "not-found")
            expect((answer.get("Content-Language"), answer.get("Content-Type")), (language, kind), f"{wish} {accept}")
            if accept == "text/plain":
                expect_in(words[language], answer.text)
            if accept == "text/html":
                expect_in(f'<html lang="{language}">', answer.text)


@test()
def the_id_is_the_same_everywhere():
    seen = set()
    for accept in FORMATS:
        answer = site.get("/missing", accept=accept)
        expect_true(re.fullmatch(r"[0-9a-z]{8}", answer.id), answer.id)
        expect_in(answer.id, answer.text)
        expect(site.log_of(answer)["reason"], "not-found")
        seen.add(answer.id)
    expect(len(seen), 3)


@test()
def foreign_text_is_escaped():
    evil = "/%3Cscript%3Ealert(1)%3C/script%3E%22'%26"
    page = site.get(evil, accept="text/html").expect(404, "not-found")
    expect_true("<script" not in page.text, page.text)
    expect_in("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;", page.text)
    problem = json.loads(site.get("/%22%5C%01%0a%E4%B8%AD%FF", accept="application/json").text)
    expect_true(problem["path"].startswith('/"\\\x01\n中'), problem["path"])
    text = site.get("/%1b%5B31m%0a%07", accept="text/plain").text
    expect_true("\x1b" not in text and "\x07" not in text, text)
    law = site.get("/law", accept="text/html").text
    expect_in("Order &lt;7&gt; &amp; &quot;more&quot;", law)
    expect_in('Order <7> & "more"', json.loads(site.get("/law", accept="application/json").text)["detail"])
    injected = site.ask("GET /missing HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\nAccept-Language: <script>\r\n\r\n")
    expect_true("<script" not in injected.text, "Accept-Language")
    field = site.ask("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n<b>: x\r\n\r\n")
    field.expect(400, "field-name-invalid")
    expect_true("<b>:" not in field.text, field.text)


@test()
def long_names_are_cut():
    for accept in FORMATS:
        answer = site.get("/" + "n" * 4000 + "%E4%B8%AD", accept=accept).expect(404, "not-found")
        expect_true(len(answer.content) < 6000, f"{len(answer.content)}")
        expect_in("…", answer.text)


@test("R215")
def nothing_of_the_system_is_told():
    for request, _, reason, _ in ERRORS:
        for accept in FORMATS:
            answer = site.ask(asking(request, f"Accept: {accept}"))
            whole = answer.text + str(answer.fields)
            for word in (str(site.root), str(site.home), "127.0.0.1", "src/", ".c:", "errno", "0.1.0"):
                expect_true(word not in whole, f"{reason}: {word}")
            expect(answer.get("Server"), "verdict")


@test()
def the_page_needs_nothing_else():
    page = site.get("/missing", accept="text/html").text
    for word in ("<link", "<script", "src=", "@import", "url(", "<form"):
        expect_true(word not in page, word)
    expect_in("prefers-color-scheme:dark", page)
    expect_in('name="viewport"', page)


@test()
def the_verdict_field_can_be_turned_off():
    for target, on_error, on_success in (("", True, True), ("/errors", True, False), ("/off", False, False)):
        expect(site.get(f"{target}/missing").expect(404).get("Verdict") is not None, on_error, target)
        expect(site.get(f"{target}/a.txt").expect(200).get("Verdict") is not None, on_success, target)
    expect_true(re.fullmatch(r'[a-z][a-z0-9-]*;id="[0-9a-z]{8}"', site.get("/missing").get("Verdict")),
                "a Structured Field")


@test("R141")
def a_405_tells_the_methods_that_there_are():
    for target, content in (("/a.txt", b""), ("/missing", b""), ("/strict/a.txt", None)):
        answer = site.request("POST", target, content).expect(405, "method-not-allowed")
        allowed = answer.words("Allow")
        expect_true({"get", "head", "options"} <= set(allowed), allowed)
        for method in allowed:
            expect_true(site.request(method.upper(), target, b"x" if method == "put" else None).status != 405,
                        f"{target}: {method}")


@test("R168", "R200")
def a_limit_and_the_place_are_told():
    long_uri = site.ask("GET /?" + "q" * 9000 + " HTTP/1.1\r\nHost: a\r\n\r\n").expect(414, "query-too-long").text
    expect_true(re.search(r"^Limit: \d+ bytes$", long_uri, re.MULTILINE), long_uri)
    field = site.ask("GET / HTTP/1.1\r\nHost: a\r\nX: " + "x" * 9000 + "\r\n\r\n").expect(431).text
    expect_true(re.search(r"^Field: X: \d+ bytes$", field, re.MULTILINE), field)
    name = site.ask("GET / HTTP/1.1\r\nHost: a\r\nb@d: x\r\n\r\n").expect(400, "field-name-invalid").text
    expect_in("\nAt byte: ", name)


@test("R195")
def a_428_says_how_to_go_on():
    answer = site.request("PUT", "/need/a.txt", b"x", accept="application/problem+json")
    answer.expect(428, "precondition-required")
    expect_in("If-Match", json.loads(answer.text)["next"])
    expect(answer.get("ETag"), site.get("/a.txt").get("ETag"))
