"""Ranges: one part, many, none that can be had, and If-Range."""
import email.utils
import gzip
import os
import re
import time

from harness import Server, configured, expect, expect_true, files, test

BYTES = bytes(range(256)) * 4
TEXT = b"a line of text that shrinks well\n" * 200
FIELDS = {"Cache-Control": "max-age=60", "Expires": "Thu, 01 Jan 2037 00:00:00 GMT"}

OLD = email.utils.formatdate(1_000_000_000, usegmt=True)
STAMP = email.utils.formatdate(1_500_000_000, usegmt=True)


def stamped(content):
    def write(path):
        path.write_bytes(content)
        os.utime(path, (1_500_000_000, 1_500_000_000))
    return write


site = Server({"a.png": stamped(BYTES), "text.txt": stamped(TEXT), "empty.bin": "",
               "page.en.html": stamped(b"<p>english"),
               "large.bin": stamped(BYTES * 300), "dir/x": "x", "fresh.bin": "fresh"},
              config=configured(files(headers=FIELDS, write="on")))


def ranged(target, span, **fields):
    return site.get(target, range=span, **fields)


def parts_of(answer):
    """[(Content-Type, Content-Range, bytes)] of a multipart/byteranges; RFC9110:14.6, RFC2046:5.1.1"""
    boundary = re.fullmatch(r'multipart/byteranges; ?boundary="?([^"]+)"?', answer.get("Content-Type"))[1].encode()
    pieces = answer.content.split(b"--" + boundary)
    expect(pieces[0] in (b"", b"\r\n") and pieces[-1] in (b"--\r\n", b"--"), True, "first and last delimiter")
    found = []
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").strip("\r\n").split("\r\n"))
        expect_true(content.endswith(b"\r\n"), "CRLF before the delimiter")
        found.append((fields["Content-Type"], fields["Content-Range"], content[:-2]))
    return found


@test("R054")
def only_get_has_ranges():
    ranged("/a.png", "bytes=0-9").expect(206, "partial-content")
    head = site.request("HEAD", "/a.png", range="bytes=0-9").expect(200, "request-ok")
    expect(head.get("Content-Length"), str(len(BYTES)))
    site.request("HEAD", "/a.png", range="bytes=9999-").expect(200, "request-ok")
    site.get("/a.png").expect(200, "request-ok")


@test("R055", "R057", "R058")
def one_part():
    length = len(BYTES)
    for span, first, last in (("0-9", 0, 9), ("5-5", 5, 5), (f"{length - 1}-", length - 1, length - 1),
                              ("-7", length - 7, length - 1),
                              ("10-99999", 10, length - 1), ("-99999", 0, length - 1), ("0-", 0, length - 1),
                              ("3-99999999999999999999999999", 3, length - 1)):
        got = ranged("/a.png", f"bytes={span}").expect(206, "partial-content")
        expect(got.content, BYTES[first:last + 1], span)
        expect(got.get("Content-Range"), f"bytes {first}-{last}/{length}")
        expect((got.get("Content-Type"), got.get("Content-Length")), ("image/png", str(last - first + 1)))
        expect_true(got.get("Date"), "Date")
    for span in ("Bytes=0-9", "BYTES=0-9", "bytes= 0-9 ", "bytes=0-9,", "bytes=0-4,5-9", "bytes=5-9,0-4",
                 "bytes=0-6,3-9"):
        expect(ranged("/a.png", span).expect(206).get("Content-Range"), f"bytes 0-9/{length}", span)


@test("R056", "R057", "R058")
def many_parts():
    for target, kind in (("/a.png", "image/png"), ("/large.bin", "application/octet-stream")):
        whole = (site.root / target[1:]).read_bytes()
        got = ranged(target, "bytes=0-0,5-6,-3").expect(206, "partial-content")
        expect((got.get("Content-Range"), got.framing), (None, "length"))
        end = len(whole)
        expect(parts_of(got), [(kind, f"bytes 0-0/{end}", whole[:1]), (kind, f"bytes 5-6/{end}", whole[5:7]),
                               (kind, f"bytes {end - 3}-{end - 1}/{end}", whole[-3:])])
        expect_true(got.get("Date"), "Date")
        expect(got.get("ETag"), site.get(target).get("ETag"))


@test("R056")
def parts_come_in_the_order_asked_for():
    got = ranged("/a.png", "bytes=700-700, 5-6").expect(206)
    expect([part[1] for part in parts_of(got)], ["bytes 700-700/1024", "bytes 5-6/1024"])


@test("R056")
def the_boundary_is_another_each_time():
    expect_true(ranged("/a.png", "bytes=0-0,5-6").content != ranged("/a.png", "bytes=0-0,5-6").content,
                "two boundaries")


@test()
def absurd_sets_get_the_whole():
    many = ",".join(f"{i * 3}-{i * 3}" for i in range(100))
    for span in (many, ",".join(["0-"] * 10), ",".join(["0-1023"] * 2), "0-0,0-1023", "9-5", "a-b", "", "-", "0",
                 "0-9;x", "1-2-3",
                 "0 - 9", "+1-2", "0x1-2", "0-9 5-6", "--5"):
        expect(ranged("/a.png", f"bytes={span}").expect(200, "request-ok").content, BYTES, span)
    for span in ("items=0-5", "bytes 0-9", "bytes", "=0-9", "", "bytes:0-9"):
        expect(ranged("/a.png", span).expect(200, "request-ok").content, BYTES, span)
    twice = "GET /a.png HTTP/1.1\r\nHost: a\r\nRange: bytes=0-9\r\nRange: bytes=20-29\r\n\r\n"
    expect(site.ask(twice).expect(200, "request-ok").content, BYTES)


@test("R059", "R060", "R063")
def without_if_range_a_part_has_all_fields_of_the_whole():
    cases = [("/a.png", {}, "bytes=1-2"), ("/page", {"accept_language": "en"}, "bytes=0-1"),
             ("/text.txt", {"accept_encoding": "gzip"}, "bytes=0-1"), ("/text.txt", {}, "bytes=0-1,5-6")]
    for target, fields, span in cases:
        whole = site.get(target, **fields).expect(200)
        part = ranged(target, span, **fields).expect(206, "partial-content")
        for name in ("ETag", "Content-Location", "Expires", "Cache-Control", "Vary", "Last-Modified",
                     "Content-Encoding",
                     "Content-Language", "Accept-Ranges", "X-Content-Type-Options"):
            expect(part.all(name), whole.all(name), f"{target}: {name}")
    expect(site.get("/page").get("Content-Location"), "/page.en.html")


@test("R059", "R060", "R061")
def after_a_true_if_range_the_part_does_not_repeat_the_rest():
    for target, fields in (("/a.png", {}), ("/page", {"accept_language": "en"})):
        whole = site.get(target, **fields)
        part = ranged(target, "bytes=1-2", if_range=whole.get("ETag"), **fields).expect(206, "partial-content")
        for name in ("ETag", "Content-Location", "Expires", "Cache-Control", "Vary"):
            expect(part.all(name), whole.all(name), f"{target}: {name}")
        for name in ("Last-Modified", "Content-Language", "Content-Encoding"):
            expect(part.all(name), [], f"{target}: {name}")
    many = ranged("/a.png", "bytes=0-0,5-5", if_range=site.get("/a.png").get("ETag")).expect(206)
    expect([part[0] for part in parts_of(many)], ["image/png", "image/png"])


@test("R062", "R064")
def a_false_if_range_gives_the_whole():
    tag = site.get("/a.png").get("ETag")
    for value in ('"old"', f"W/{tag}", OLD, "nonsense", tag.strip('"'), f"{tag}, {tag}", "*",
                  email.utils.formatdate(1_500_000_001, usegmt=True)):
        expect(ranged("/a.png", "bytes=0-9", if_range=value).expect(200, "request-ok").content, BYTES, value)
    expect(ranged("/a.png", "bytes=99999-", if_range='"old"').expect(200).content, BYTES)
    ranged("/a.png", "bytes=0-9", if_range=STAMP).expect(206, "partial-content")
    fresh = site.get("/fresh.bin").get("Last-Modified")
    ranged("/fresh.bin", "bytes=0-1", if_range=fresh).expect(200, "request-ok")


@test("R064")
def a_changed_file_is_not_mixed_with_its_past():
    (site.root / "v.bin").write_bytes(b"1111")
    time.sleep(0.03)
    old = site.get("/v.bin").get("ETag")
    site.request("PUT", "/v.bin", b"22222").expect(204, "replaced")
    got = ranged("/v.bin", "bytes=2-", if_range=old).expect(200, "request-ok")
    expect(got.content, b"22222")
    expect(ranged("/v.bin", "bytes=2-", if_range=got.get("ETag")).expect(206).content, b"222")


@test("R171", "R172", "R173")
def nothing_of_it_is_there():
    for span in ("1000000-", "1024-", "1024-1030", "5000-6000,7000-", "-0", "99999999999999999999999-"):
        got = ranged("/a.png", f"bytes={span}").expect(416, "range-not-satisfiable")
        expect(got.get("Content-Range"), "bytes */1024", span)
        expect_true(not got.get("Content-Type").startswith("multipart"), got.get("Content-Type"))
        expect(got.get("Accept-Ranges"), "bytes")
    expect(ranged("/empty.bin", "bytes=0-").expect(416).get("Content-Range"), "bytes */0")
    ranged("/a.png", "bytes=1000000-", if_range=site.get("/a.png").get("ETag")).expect(416, "range-not-satisfiable")
    some = ranged("/a.png", "bytes=2000-,3-4").expect(206, "partial-content")
    expect(some.get("Content-Range"), "bytes 3-4/1024")


@test()
def errors_and_listings_have_no_parts():
    for target, status in (("/missing", 404), ("/dir/", 403), ("/dir", 301)):
        got = ranged(target, "bytes=0-1").expect(status)
        expect(got.get("Content-Range"), None, target)
    got = site.get("/a.png", range="bytes=0-1", if_match='"x"').expect(412, "if-match-failed")
    expect(got.get("Content-Range"), None)


@test()
def parts_of_a_coded_form_are_parts_of_its_bytes():
    whole = site.get("/text.txt", accept_encoding="gzip").expect(200)
    tag, length = whole.get("ETag"), len(whole.content)
    content = b"".join(ranged("/text.txt", f"bytes={at}-{at + 19}", accept_encoding="gzip",
                              if_range=tag).expect(206).content
                       for at in range(0, length, 20))
    expect(gzip.decompress(content), TEXT)
    expect(ranged("/text.txt", "bytes=0-9", if_range=tag).expect(200).content, TEXT)


@test("R054")
def ranges_on_one_connection():
    with site.connect() as c:
        for i in range(0, 1000, 100):
            c.send(f"GET /large.bin HTTP/1.1\r\nHost: a\r\nRange: bytes={i}-{i + 9},{i + 50}-{i + 59}\r\n\r\n")
        for i in range(0, 1000, 100):
            whole = BYTES * 300
            expect([part[2] for part in parts_of(c.response().expect(206))], [whole[i:i + 10], whole[i + 50:i + 60]])
