"""Content codings: stored beside the file or made here, their tags, and Vary."""
import gzip
import os
import subprocess
import time
import zlib

from harness import Server, configured, expect, expect_in, expect_true, files, skip, test

TEXT = b"".join(b"a line of text, number %d, that shrinks well\n" % i for i in range(400))
RECHECK_SECONDS = 1.0

# The stored forms are no codings of the file, so that it is seen that they are sent as they are.
site = Server({
    "text.txt": TEXT, "small.txt": "short", "noise.txt": os.urandom(20000), "photo.jpg": TEXT,
    "data.json": b"[%s]" % (b"1," * 3000 + b"1"),
    "all.txt": TEXT, "all.txt.br": b"stored br", "all.txt.zst": b"stored zst", "all.txt.gz": b"stored gz",
    "one.txt": TEXT, "one.txt.gz": b"stored gz only", "tiny.txt": "tiny", "tiny.txt.gz": b"stored though tiny",
    "app.js": TEXT, "big.css": TEXT * 40,
}, config=configured(files(write="on"), files("/bare", compress="off", precompressed="off"),
                     files("/stored", compress="off")))


def decoded(answer):
    coding = answer.get("Content-Encoding")
    if coding is None:
        return answer.content
    if coding == "gzip":
        return gzip.decompress(answer.content)
    if coding == "deflate":
        return zlib.decompress(answer.content)
    tool = {"br": ["brotli", "-dc"], "zstd": ["zstd", "-dcq"]}[coding]
    try:
        return subprocess.run(tool, input=answer.content, capture_output=True, check=True).stdout
    except FileNotFoundError:
        skip(f"{tool[0]} is not installed")


def coded_as(target, wish):
    got = site.get(target, accept_encoding=wish).expect(200, "request-ok")
    return got.get("Content-Encoding")


@test()
def the_best_coding_is_made():
    for wish, coding in (("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("deflate", "deflate"),
                         ("gzip, br, zstd, deflate", "br"),
                         ("gzip, zstd", "zstd"), ("br;q=0.1, gzip;q=0.9", "gzip"), ("x-gzip", "gzip"), ("GZIP", "gzip"),
                         ("*", "br"),
                         ("*;q=0.1, gzip", "gzip"), ("br;q=0, *", "zstd"), ("identity", None), ("", None),
                         ("compress", None),
                         ("gzip;q=0", None), ("identity, gzip;q=0.5", None), ("nonsense, gzip", "gzip"), (None, None)):
        expect(coded_as("/text.txt", wish), coding, wish)


@test()
def gzip_and_deflate_give_the_file_back():
    for coding in ("gzip", "deflate"):
        for target in ("/text.txt", "/app.js", "/data.json", "/big.css"):
            got = site.get(target, accept_encoding=coding)
            expect(got.get("Content-Encoding"), coding, target)
            expect(decoded(got), (site.root / target[1:]).read_bytes(), target)
            expect_true(len(got.content) < 0.5 * len(decoded(got)), "much shorter")


@test()
def brotli_gives_the_file_back():
    expect(decoded(site.get("/text.txt", accept_encoding="br")), TEXT)


@test()
def zstd_gives_the_file_back():
    expect(decoded(site.get("/text.txt", accept_encoding="zstd")), TEXT)


@test()
def what_gains_nothing_is_sent_plain():
    for target in ("/small.txt", "/noise.txt", "/photo.jpg"):
        got = site.get(target, accept_encoding="gzip, br").expect(200)
        expect((got.get("Content-Encoding"), got.content), (None, (site.root / target[1:]).read_bytes()), target)


@test()
def stored_forms_come_first():
    for wish, coding, content in (("gzip", "gzip", b"stored gz"), ("br", "br", b"stored br"),
                                  ("zstd", "zstd", b"stored zst"),
                                  ("gzip, br", "br", b"stored br"), ("gzip, br;q=0.5", "gzip", b"stored gz"),
                                  (None, None, TEXT)):
        got = site.get("/all.txt", accept_encoding=wish).expect(200, "request-ok")
        expect((got.get("Content-Encoding"), got.content), (coding, content), wish)
        expect(got.get("Content-Type"), "text/plain; charset=utf-8")
    expect(site.get("/one.txt", accept_encoding="br, gzip").content, b"stored gz only")
    expect(site.get("/tiny.txt", accept_encoding="gzip").content, b"stored though tiny")
    expect_true(site.get("/all.txt.gz").expect(200).get("Content-Encoding") is None,
                "the stored file by its own name is a file")


@test()
def a_stored_form_older_than_its_file_is_not_sent():
    with Server({"a.txt": TEXT, "a.txt.gz": b"old"}) as server:
        past = time.time() - 1000
        os.utime(server.root / "a.txt.gz", (past, past))
        expect(decoded(server.get("/a.txt", accept_encoding="gzip")), TEXT)


@test()
def routes_can_do_without():
    for wish in ("gzip", "br, gzip"):
        expect(site.get("/bare/all.txt", accept_encoding=wish).expect(200).get("Content-Encoding"), None)
        expect(site.get("/stored/text.txt", accept_encoding=wish).expect(200).get("Content-Encoding"), None)
        expect_true(site.get("/stored/all.txt", accept_encoding=wish).get("Content-Encoding"), "stored")
    expect(site.get("/bare/text.txt", accept_encoding="gzip").get("Vary"), None)


@test("R100")
def vary_tells_on_every_answer_that_might_have_been_another():
    for target in ("/text.txt", "/all.txt", "/one.txt"):
        for wish in (None, "identity", "gzip", "br;q=0, gzip;q=0", "*;q=0.5"):
            got = site.get(target, accept_encoding=wish).expect(200)
            expect(got.words("Vary"), ["accept-encoding"], f"{target} {wish}")
            again = site.get(target, accept_encoding=wish, if_none_match=got.get("ETag")).expect(304, "not-modified")
            expect(again.words("Vary"), ["accept-encoding"], f"{target} {wish}")
    for target in ("/photo.jpg", "/small.txt"):
        expect(site.get(target, accept_encoding="gzip").get("Vary"), None, target)


@test()
def each_coding_has_its_own_strong_tag():
    for target in ("/text.txt", "/all.txt"):
        tags = [site.get(target, accept_encoding=coding).get("ETag") for coding in (None, "gzip", "br", "zstd")]
        expect(len(set(tags)), 4, target)
        expect_true(all(tag.startswith('"') for tag in tags), "strong")


@test()
def identity_may_be_refused():
    for wish, coding in (("identity;q=0, gzip", "gzip"), ("*;q=0, br", "br"), ("gzip;q=0.1, identity;q=0", "gzip")):
        for target in ("/text.txt", "/small.txt", "/photo.jpg"):
            expect(coded_as(target, wish), coding, f"{target} {wish}")
    for wish in ("identity;q=0", "*;q=0", "identity;q=0, compress", "*;q=0, gzip;q=0"):
        got = site.get("/text.txt", accept_encoding=wish).expect(406, "coding-not-acceptable")
        expect_in("accept-encoding", got.words("Vary"), wish)
    site.get("/bare/text.txt", accept_encoding="identity;q=0, gzip").expect(406, "coding-not-acceptable")
    site.request("HEAD", "/text.txt", accept_encoding="identity;q=0").expect(406, "coding-not-acceptable")
    expect(decoded(site.get("/small.txt", accept_encoding="identity;q=0, gzip")), b"short")


@test()
def head_tells_the_same_as_get():
    for target in ("/text.txt", "/all.txt"):
        got, head = (site.request(method, target, accept_encoding="gzip") for method in ("GET", "HEAD"))
        for name in ("Content-Length", "Content-Encoding", "ETag", "Vary"):
            expect(head.get(name), got.get(name), f"{target} {name}")


@test()
def a_change_is_coded_again():
    site.request("PUT", "/changing.txt", TEXT).expect(201, "created")
    first = site.get("/changing.txt", accept_encoding="gzip")
    site.request("PUT", "/changing.txt", TEXT[::-1]).expect(204, "replaced")
    second = site.get("/changing.txt", accept_encoding="gzip")
    expect((decoded(first), decoded(second)), (TEXT, TEXT[::-1]))
    expect_true(first.get("ETag") != second.get("ETag"), "another tag")


@test()
def put_is_judged_by_the_plain_tag():
    site.request("PUT", "/judged.txt", TEXT).expect(201)
    coded = site.get("/judged.txt", accept_encoding="gzip").get("ETag")
    plain = site.get("/judged.txt").get("ETag")
    site.request("PUT", "/judged.txt", b"x", if_match=coded, accept_encoding="gzip").expect(412, "if-match-failed")
    site.request("PUT", "/judged.txt", b"x", if_match=plain).expect(204, "replaced")


@test(seconds=20)
def a_stored_form_that_comes_later_is_found():
    (site.root / "later.txt").write_bytes(TEXT)
    expect(coded_as("/later.txt", "gzip"), "gzip")
    (site.root / "later.txt.gz").write_bytes(b"stored now")
    time.sleep(RECHECK_SECONDS + 0.1)
    expect(site.get("/later.txt", accept_encoding="gzip").content, b"stored now")
