"""Variants by suffix: which one is sent, what the answer says about the choice, and what happens when none fits."""
import json
import os

from harness import Server, configured, expect, expect_in, expect_true, files, test

TREE = {
    "page.en.html": "<p>en", "page.zh-CN.html": "<p>cn!", "page.zh-TW.html": "<p>tw!!",
    "logo.png": "PNG", "logo.webp": "WEBP!", "doc.html": "<p>doc", "doc.txt": "doc plain",
    "both.en.html": "<p>en", "both.en.txt": "en", "both.de.html": "<p>de",
    "real": "a file without suffix", "real.txt": "never stands for it", "jquery.min.js": "js",
    "index.en.html": "<p>index en",
    "index.de.html": "<p>index de", "sub/index.html": "plain index",
    "turn.en.html/x": "a directory", "turn.de.html": "<p>de", "loop.html": lambda path: os.symlink("page", path),
    "odd <b>.en.txt": "odd",
}

lenient = Server(TREE, config=configured(files(default_language="en"), files("/off", negotiate="off")))
strict = Server(TREE, config=configured(files(negotiate="strict", default_language="en")))
reactive = Server(TREE, config=configured(files(negotiate="reactive", default_language="en")))


@test("R144")
def the_language_asked_for_is_sent():
    for wish, name in (("en", "en"), ("zh-TW", "zh-TW"), ("zh-CN", "zh-CN"), ("zh-TW;q=0.8, en;q=0.3", "zh-TW"),
                       ("zh", "zh-CN"), ("en-US, zh;q=0.1", "en"), ("ZH-tw", "zh-TW"),
                       ("en;q=0, zh-TW;q=0.001", "zh-TW"),
                       ("*", "en"), ("fr, *;q=0.5", "en")):
        got = lenient.get("/page", accept_language=wish).expect(200, "request-ok")
        expect(got.content, (lenient.root / f"page.{name}.html").read_bytes(), wish)
        expect((got.get("Content-Language"), got.get("Content-Location")), (name, f"/page.{name}.html"), wish)
        expect(got.get("Content-Type"), "text/html; charset=utf-8")
        expect_in("accept-language", got.words("Vary"))


@test("R144")
def a_name_with_its_type_negotiates_the_language_alone():
    got = lenient.get("/page.html", accept_language="zh-TW").expect(200, "request-ok")
    expect((got.text, got.get("Content-Location")), ("<p>tw!!", "/page.zh-TW.html"))
    lenient.get("/page.txt").expect(404, "not-found")
    lenient.get("/page.en").expect(200, "request-ok")


@test("R144")
def the_type_asked_for_is_sent():
    for wish, kind in (("image/webp", "image/webp"), ("image/png", "image/png"), ("image/*", "image/png"),
                       ("image/png;q=0.1, image/webp", "image/webp"), ("*/*;q=0.1, image/webp;q=0.2", "image/webp")):
        got = lenient.get("/logo", accept=wish).expect(200, "request-ok")
        expect(got.get("Content-Type"), kind, wish)
        expect(got.words("Vary"), ["accept"])
    for wish, kind in (("text/plain", "text/plain"), ("text/html, text/plain;q=0.9", "text/html")):
        expect_in(kind, lenient.get("/doc", accept=wish).expect(200).get("Content-Type"))


@test("R144")
def type_and_language_weigh_together():
    for accept, language, name in (("text/html, text/plain;q=0.5", "en, de;q=0.9", "both.en.html"),
                                   ("text/plain", "de, en;q=0.2", "both.en.txt"), ("text/html", "de", "both.de.html")):
        got = lenient.get("/both", accept=accept, accept_language=language).expect(200)
        expect(got.get("Content-Location"), "/" + name)
        expect(sorted(got.words("Vary")), ["accept", "accept-language"])


@test("R144")
def lenient_sends_the_default_when_nothing_fits():
    got = lenient.get("/page", accept_language="fr", accept="x/y").expect(200, "request-ok")
    expect((got.text, got.get("Content-Language")), ("<p>en", "en"))
    expect_in("accept-language", got.words("Vary"))
    expect(lenient.get("/logo", accept="x/y").expect(200).get("Content-Type"), "image/png")


@test("R144", "R078")
def size_chooses_no_language():
    tree = {f"index.{name}.html": f"<p>{name}" + "x" * size
            for name, size in (("en", 2228), ("zh-CN", 2187), ("zh-TW", 2193))}
    cases = (({}, "en"), ({"accept_language": "fr"}, "en"), ({"accept_language": "*"}, "en"),
             ({"accept_language": "de;q=1,en;q=0"}, "zh-CN"), ({"accept_language": "zh-Hant"}, "zh-TW"))
    with Server(tree) as plain:
        for fields, name in cases:
            got = plain.get("/", **fields).expect(200)
            expect(got.get("Content-Location"), f"/index.{name}.html", fields)
    with Server(tree, config=configured(files(negotiate="reactive"))) as choosy:
        expect(choosy.get("/index").expect(300).get("Location"), "/index.en.html")


@test()
def an_index_negotiates():
    for wish in ("en", "de"):
        expect(lenient.get("/", accept_language=wish).expect(200, "request-ok").text, f"<p>index {wish}")
    got = lenient.get("/sub/", accept_language="de").expect(200)
    expect((got.text, got.get("Vary"), got.get("Content-Location")), ("plain index", None, None))


@test()
def a_file_that_is_there_does_not_negotiate():
    for target in ("/real", "/jquery.min.js", "/page.en.html"):
        got = lenient.get(target, accept="x/y", accept_language="fr").expect(200, "request-ok")
        expect((got.get("Vary"), got.get("Content-Location")), (None, None), target)
    lenient.get("/jquery.js").expect(404, "not-found")
    lenient.get("/off/page").expect(404, "not-found")
    lenient.get("/pag").expect(404, "not-found")


@test()
def each_variant_has_its_own_tag():
    tags = [lenient.get("/page", accept_language=wish).get("ETag") for wish in ("en", "zh-CN", "zh-TW")]
    expect(len(set(tags)), 3)
    lenient.get("/page", accept_language="en", if_none_match=tags[0]).expect(304, "not-modified")
    lenient.get("/page", accept_language="zh-CN", if_none_match=tags[0]).expect(200, "request-ok")


HTML, TEXT, PROBLEM = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/problem+json"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@test("R113", "R143")
def strict_lists_what_there_is():
    names = ("page.en.html", "page.zh-CN.html", "page.zh-TW.html")
    got = strict.get("/page", accept_language="fr", accept=BROWSER).expect(406, "not-acceptable")
    expect(got.get("Content-Type"), HTML)
    for word in ("406", "Not Acceptable", "What to do", "Permanent", got.reason, got.id, "Available variants"):
        expect_in(word, got.text)
    for name in names:
        expect_in(f'href="/{name}"', got.text)
        expect_in(f"</{name}>; rel=\"alternate\"; type=\"text/html\"", ", ".join(got.all("Link")))
    expect(sorted(got.words("Vary")), ["accept", "accept-language"])
    for accept in ("*/*", None):
        told = strict.get("/page", accept_language="fr", **({"accept": accept} if accept else {})).expect(406)
        expect(told.get("Content-Type"), TEXT)
        for word in ("406 Not Acceptable", "What to do", "Permanent", told.reason, told.id):
            expect_in(word, told.text)
        for name in names:
            expect_in(f"\n  /{name} (text/html; charset=utf-8, {name.split('.')[1]}, ", told.text)
    head = strict.request("HEAD", "/page", accept_language="fr").expect(406, "not-acceptable")
    expect((head.content, head.get("Content-Type")), (b"", TEXT))


@test("R113", "R143")
def strict_lists_for_programs():
    for accept in ("application/json", "application/problem+json"):
        got = strict.get("/logo", accept=accept).expect(406, "not-acceptable")
        listed = json.loads(got.text)
        expect(got.get("Content-Type"), PROBLEM)
        expect([(v["href"], v["type"], v["size"]) for v in listed["alternatives"]],
               [("/logo.png", "image/png", 3), ("/logo.webp", "image/webp", 5)])
        expect((listed["status"], listed["reason"], listed["lasts"], listed["id"]),
               (406, "not-acceptable", "permanent", got.id))
        expect_true(listed["next"], "what to do")
    for wish, word in (("fr", "Permanent"), ("zh-CN", "永久"), ("zh-TW", "可用的版本")):
        page = strict.get("/both", accept="x/y", accept_language=wish).expect(406, "not-acceptable")
        expect_in(word, page.text)
        expect_in(page.id, page.text)


@test("R143")
def strict_sends_what_fits():
    for fields in ({"accept_language": "zh-TW"}, {"accept": "text/*"}, {}, {"accept": "*/*", "accept_language": "*"}):
        strict.get("/page", **fields).expect(200, "request-ok")
    strict.get("/page", accept="x/y").expect(406, "not-acceptable")
    strict.get("/page", accept="text/html;q=0").expect(406, "not-acceptable")
    strict.get("/real", accept="x/y").expect(200, "request-ok")


@test("R077", "R078")
def reactive_lets_the_client_choose():
    got = reactive.get("/page", accept_language="zh-TW", accept=BROWSER).expect(300, "multiple-choices")
    expect((got.get("Location"), got.get("Content-Type")), ("/page.zh-TW.html", HTML))
    told = reactive.get("/page", accept_language="en").expect(300, "multiple-choices")
    expect((told.get("Location"), told.get("Content-Type")), ("/page.en.html", TEXT))
    for name in ("page.en.html", "page.zh-CN.html", "page.zh-TW.html"):
        expect_in(f'href="/{name}"', got.text)
        expect_in(f"\n  /{name} (", told.text)
    as_json = reactive.get("/page", accept="application/json").expect(300, "multiple-choices")
    expect(as_json.get("Content-Type"), PROBLEM)
    expect([(v["href"], v["language"]) for v in json.loads(as_json.text)["alternatives"]],
           [("/page.en.html", "en"), ("/page.zh-CN.html", "zh-CN"), ("/page.zh-TW.html", "zh-TW")])
    head = reactive.request("HEAD", "/page", accept_language="zh-TW").expect(300, "multiple-choices")
    expect((head.content, head.get("Location")), (b"", "/page.zh-TW.html"))
    reactive.get(got.get("Location")).expect(200, "request-ok")


@test("R077")
def the_list_speaks_the_readers_language_and_escapes_names():
    got = reactive.get("/page", accept_language="zh-TW")
    expect(got.get("Content-Language"), "zh-TW")
    expect_in("可用的版本", got.text)
    odd = reactive.get("/odd%20%3Cb%3E", accept="text/html").expect(300, "multiple-choices")
    expect_true("<b>.en" not in odd.text and "odd &lt;b&gt;.en.txt" in odd.text, "escaped")
    expect_in('href="/odd%20%3Cb%3E.en.txt"', odd.text)


@test("R235")
def a_variant_that_negotiates_itself_is_506():
    for server in (lenient, strict):
        got = server.get("/turn", accept_language="en").expect(506, "variant-also-negotiates")
        expect_in("accept-language", got.words("Vary"))
        server.get("/turn", accept_language="de").expect(200, "request-ok")
        server.get("/loop").expect(506, "variant-also-negotiates")
    expect(reactive.get("/turn", accept_language="de").expect(300).get("Location"), "/turn.de.html")


@test()
def changes_are_about_the_very_name():
    with Server(TREE, config=configured(files(write="on"))) as server:
        server.request("DELETE", "/page").expect(404, "not-found")
        server.request("PUT", "/page", b"mine", if_none_match="*").expect(201, "created")
        expect(server.get("/page", accept_language="en").text, "mine")
        server.request("DELETE", "/page").expect(204, "deleted")
        expect(server.get("/page", accept_language="en").text, "<p>en")
