"""Conditional requests on files: what each field compares, which comes first, and what 304 and 412 carry."""
import email.utils
import os

from harness import Server, configured, expect, expect_in, expect_true, files, test

OLD = email.utils.formatdate(1_000_000_000, usegmt=True)
STAMP = email.utils.formatdate(1_500_000_000, usegmt=True)
NEW = email.utils.formatdate(1_600_000_000, usegmt=True)

FIELDS = {"Cache-Control": "max-age=60", "Expires": "Thu, 01 Jan 2037 00:00:00 GMT", "X-Extra": "yes"}


def stamped(text):
    def write(path):
        path.write_text(text)
        os.utime(path, (1_500_000_000, 1_500_000_000))
    return write


site = Server({"a.txt": stamped("the content\n"), "page.en.html": stamped("<p>en"), "page.de.html": stamped("<p>de"),
               "large.txt": stamped("line\n" * 1000), "nodate.txt": lambda path: (path.write_text("x"),
                                                                                  os.utime(path, (0, 0)))},
              config=configured(files(write="on", headers=FIELDS)))


def tag_of(target, **fields):
    return site.get(target, **fields).expect(200).get("ETag")


@test("R098")
def get_and_head_of_what_is_known_are_304():
    tag = tag_of("/a.txt")
    for listed in (tag, f'"x", {tag}', f"W/{tag}", f'"other",W/{tag} , "z"', "*"):
        for method in ("GET", "HEAD"):
            site.request(method, "/a.txt", if_none_match=listed).expect(304, "not-modified")
    for listed in ('"x"', tag.strip('"'), f'"x" {tag}x', f"w/{tag}x"):
        site.get("/a.txt", if_none_match=listed).expect(200, "request-ok")


@test("R098")
def a_false_if_none_match_of_a_change_is_412():
    tag = tag_of("/a.txt")
    site.request("PUT", "/a.txt", b"no", if_none_match=tag).expect(412, "if-none-match-failed")
    site.request("PUT", "/a.txt", b"no", if_none_match=f"W/{tag}").expect(412, "if-none-match-failed")
    site.request("DELETE", "/a.txt", if_none_match="*").expect(412, "if-none-match-failed")
    expect(site.get("/a.txt").text, "the content\n")


@test("R098")
def what_would_not_be_a_success_is_told_without_conditions():
    for name in ("if_none_match", "if_match"):
        site.get("/missing", **{name: "*"}).expect(404, "not-found")
        site.get("/.hidden", **{name: "*"}).expect(404, "hidden-segment")
        site.get("/", **{name: "*"}).expect(403, "listing-denied")
        site.request("POST", "/a.txt", b"x", **{name: '"x"'}).expect(405, "method-not-allowed")
    site.get("/missing", if_modified_since=NEW).expect(404, "not-found")


@test("R099")
def a_304_ends_at_its_empty_line():
    tag = tag_of("/a.txt")
    with site.connect() as c:
        ask = f"GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: {tag}\r\n"
        c.send(f"{ask}\r\n{ask}\r\n{ask}Connection: close\r\n\r\n")
        for _ in range(3):
            expect(c.response().expect(304, "not-modified").framing, "none")
        c.expect_closed()


@test("R100", "R101", "R103")
def a_304_has_the_fields_that_a_cache_needs_and_no_others():
    for target, fields in (("/a.txt", {}), ("/page", {"accept_language": "de"}),
                           ("/large.txt", {"accept_encoding": "gzip"})):
        full = site.get(target, **fields).expect(200)
        short = site.get(target, if_none_match=full.get("ETag"), **fields).expect(304, "not-modified")
        for name in ("Cache-Control", "Content-Location", "ETag", "Expires", "Vary"):
            expect(short.all(name), full.all(name), f"{target}: {name}")
        expect_true(short.get("Date"), "Date")
        for name in ("Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Last-Modified",
                     "Content-Range", "Transfer-Encoding"):
            expect(short.all(name), [], f"{target}: {name}")
    expect(site.get("/page", accept_language="de").get("Content-Location"), "/page.de.html")


@test("R098")
def dates_are_compared_to_the_second():
    for since, status in ((OLD, 200), (STAMP, 304), (NEW, 304), ("yesterday", 200), ("0", 200), ("", 200),
                          ("Friday, 14-Jul-17 02:40:00 GMT", 304), ("Fri Jul 14 02:40:00 2017", 304),
                          ("Fri, 14 Jul 2017 02:39:59 GMT", 200), ("Fri, 31 Feb 2017 02:40:00 GMT", 200)):
        site.get("/a.txt", if_modified_since=since).expect(status)
    site.get("/a.txt", if_modified_since=STAMP).expect(304, "not-modified")
    site.request("DELETE", "/missing", if_modified_since=STAMP).expect(404, "not-found")
    site.request("PUT", "/since.txt", b"x", if_modified_since=NEW).expect(201, "created")
    site.request("PUT", "/since.txt", b"y", if_modified_since=NEW).expect(204, "replaced")


@test("R163")
def if_unmodified_since():
    for since, status in ((OLD, 412), (STAMP, 200), (NEW, 200), ("never", 200)):
        site.get("/a.txt", if_unmodified_since=since).expect(status)
    site.get("/a.txt", if_unmodified_since=OLD).expect(412, "if-unmodified-since-failed")
    site.get("/nodate.txt", if_unmodified_since=OLD).expect(200, "request-ok")
    site.request("PUT", "/a.txt", b"other", if_unmodified_since=OLD).expect(412, "if-unmodified-since-failed")
    site.request("DELETE", "/a.txt", if_unmodified_since=OLD).expect(412, "if-unmodified-since-failed")
    expect(site.get("/a.txt").text, "the content\n")


@test("R163")
def if_match_compares_strongly():
    tag = tag_of("/a.txt")
    for listed, status in ((tag, 200), (f'"x", {tag}', 200), ("*", 200), ('"x"', 412), (f"W/{tag}", 412), ("", 412)):
        site.get("/a.txt", if_match=listed).expect(status)
    failed = site.get("/a.txt", if_match='"x"').expect(412, "if-match-failed")
    expect(failed.get("ETag"), tag)
    site.request("PUT", "/a.txt", b"no", if_match='"old"').expect(412, "if-match-failed")
    site.request("PUT", "/a.txt", b"no", if_match=f"W/{tag}").expect(412, "if-match-failed")
    site.request("PUT", "/new.txt", b"no", if_match="*").expect(412, "if-match-failed")
    site.request("PUT", "/new.txt", b"no", if_match='"x"').expect(412, "if-match-failed")
    site.request("PUT", "/a.txt", b"no", if_none_match="*").expect(412, "if-none-match-failed")
    expect(site.get("/a.txt").text, "the content\n")
    site.get("/new.txt").expect(404, "not-found")


@test("R098", "R163")
def the_order_of_the_fields_is_that_of_the_rfc():
    tag = tag_of("/a.txt")
    cases = [  # If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, Range: what comes of it
        (tag, OLD, None, None, None, 200, "request-ok"),
        ('"x"', NEW, None, None, None, 412, "if-match-failed"),
        ('"x"', None, tag, None, None, 412, "if-match-failed"),
        (tag, None, tag, None, None, 304, "not-modified"),
        (None, OLD, tag, None, None, 412, "if-unmodified-since-failed"),
        (None, NEW, tag, None, None, 304, "not-modified"),
        (None, None, '"x"', NEW, None, 200, "request-ok"),
        (None, None, tag, OLD, None, 304, "not-modified"),
        (None, None, None, NEW, "bytes=0-1", 304, "not-modified"),
        (None, None, '"x"', None, "bytes=0-1", 206, "partial-content"),
        ('"x"', None, None, None, "bytes=0-1", 412, "if-match-failed"),
        (tag, None, None, None, "bytes=0-1", 206, "partial-content"),
    ]
    for match, unmodified, none_match, modified, span, status, reason in cases:
        site.get("/a.txt", if_match=match, if_unmodified_since=unmodified, if_none_match=none_match,
                 if_modified_since=modified, range=span).expect(status, reason)


@test("R098")
def a_list_may_be_on_several_lines():
    tag = tag_of("/a.txt")
    lines = f'If-None-Match: "x"\r\nIf-None-Match: {tag}\r\n'
    site.ask(f"GET /a.txt HTTP/1.1\r\nHost: a\r\n{lines}\r\n").expect(304, "not-modified")
    site.ask(f"GET /a.txt HTTP/1.1\r\nHost: a\r\n{lines.replace('None-', '')}\r\n").expect(200, "request-ok")


@test("R098")
def every_coding_has_its_own_tag_to_compare():
    plain, coded = tag_of("/large.txt"), tag_of("/large.txt", accept_encoding="gzip")
    expect_true(plain != coded, "two tags")
    site.get("/large.txt", accept_encoding="gzip", if_none_match=coded).expect(304, "not-modified")
    site.get("/large.txt", accept_encoding="gzip", if_none_match=plain).expect(200, "request-ok")
    site.get("/large.txt", if_none_match=coded).expect(200, "request-ok")


@test("R163")
def a_change_that_was_made_already_is_no_failure():
    site.request("PUT", "/again.txt", b"v1").expect(201, "created")
    old = tag_of("/again.txt")
    site.request("PUT", "/again.txt", b"v2", if_match=old).expect(204, "replaced")
    repeated = site.request("PUT", "/again.txt", b"v2", if_match=old).expect(204, "already-applied")
    expect(repeated.get("ETag"), tag_of("/again.txt"))
    site.request("PUT", "/again.txt", b"v3", if_match=old).expect(412, "if-match-failed")
    site.request("PUT", "/again.txt", b"longer", if_match=old).expect(412, "if-match-failed")
    expect(site.get("/again.txt").text, "v2")


@test("R113", "R163")
def a_412_explains_itself():
    failed = site.get("/a.txt", if_match='"x"', accept="application/problem+json").expect(412, "if-match-failed")
    expect_in('"lasts": "permanent"', failed.text)
    expect(site.request("HEAD", "/a.txt", if_match='"x"').expect(412, "if-match-failed").content, b"")
