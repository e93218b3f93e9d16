"""A gateway that changes content, where its route says so: what it may not touch, what it says of it, and how it flows."""
import base64
import json
import random
import subprocess
import threading
import time
import zlib
from pathlib import Path
from shutil import which

from harness import (Malformed, Nginx, Pki, Send, Server, Until, Upstream, configured, expect, expect_in, expect_true,
                     response, skip, test)

PAGE = b"<!doctype html><title>t</title><body>" + b"<p>It was a dark and stormy night.</p>" * 40 + b"</BODY></html>"
BANNER = b'<script src="/banner.js"></script>'
INSERTED = PAGE.replace(b"</BODY>", BANNER + b"</BODY>")
HTML = ("Content-Type", "text/html; charset=utf-8")
NOISE = base64.b64encode(random.Random(1).randbytes(192 << 10)) * 96  # beyond any window, so that coding it takes time

pki = Pki()
shown = pki.server("a.example", "localhost", "127.0.0.1")
app = Upstream("app")
nginx = Nginx({"page.html": PAGE})


def route(path, **keys):
    return {"path": path, "gateway": {"upstream": "app", "read_wait": "500ms", "to": "/", **keys}}


INSERT = {"insert": {"before": "</body>", "text": BANNER.decode()}}
site = Server(pki=pki, config=configured(
    route("/as-is/"), route("/coded/", compress=True), route("/banner/", **INSERT),
    route("/both/", compress=True, **INSERT), route("/nginx/", upstream="nginx", compress=True), workers=1, h2c=True,
    upstreams=[{"name": "app", "servers": app.address, "fails": 0},
               {"name": "nginx", "servers": nginx.address if which("nginx") else "127.0.0.1:9"}],
    tls={"listen": "127.0.0.1:{tls_port}",
         "certificates": [{"certificate": str(shown.certificate), "key": str(shown.key)}]}))


def gunzip(data):
    one = zlib.decompressobj(47)
    text = one.decompress(data)
    expect_true(one.eof, "the coding has come to its end")
    expect(one.unused_data, b"")
    return text


def piped(*words):
    if which(words[0]) is None:
        return None
    return lambda data: subprocess.run(words, input=data, stdout=subprocess.PIPE, check=True, timeout=10).stdout


DECODERS = {"gzip": gunzip, "deflate": gunzip, "br": piped("brotli", "-dc"), "zstd": piped("zstd", "-dcq")}


def page(*fields, content=PAGE, status=200, **more):
    app.answer("/page", response(status, content, [HTML, *fields], **more))


def ask(path, accept="gzip", method="GET", **fields):
    if accept is not None:
        fields["accept_encoding"] = accept
    return site.request(method, path, **fields)


def changed(answer):
    return answer.expect(203, "transformed-by-proxy")


def untouched(answer, content=PAGE, status=200):
    answer.expect(status, "upstream-answered")
    expect(answer.content, content)
    return answer


# What is changed, and what is said of it


@test("R041")
def compressing_makes_203_of_200():
    page()
    for coding, decode in DECODERS.items():
        if decode is None:
            continue
        answer = changed(ask("/coded/page", coding))
        expect(answer.get("Content-Encoding"), coding)
        expect_true(len(answer.content) < len(PAGE) // 4, f"{len(answer.content)} bytes")
        expect(decode(answer.content), PAGE)
        expect((answer.framing, answer.get("Content-Length")), ("chunked", None))
        expect(answer.get("Vary"), "Accept-Encoding")
        expect(answer.get("Proxy-Status"), "verdict;next-hop=app;received-status=200")


@test("R041")
def inserting_makes_203_of_200():
    page()
    for path in ("/banner/page", "/both/page"):
        answer = changed(ask(path, None))
        expect(answer.content, INSERTED)
        expect((answer.get("Content-Length"), answer.get("Content-Encoding")), (None, None))
    answer = changed(ask("/both/page", "gzip"))
    expect(gunzip(answer.content), INSERTED)


@test("R041")
def a_route_that_does_not_ask_for_it_changes_nothing():
    page(("ETag", '"a"'))
    answer = untouched(ask("/as-is/page"))
    expect((answer.get("ETag"), answer.get("Vary"), answer.get("Content-Encoding")), ('"a"', None, None))


@test("R041")
def the_log_tells_both_statuses():
    page()
    line = site.log_of(changed(ask("/coded/page")))
    expect((line["reason"], line["status"], line["upstream_status"], line["by"]),
           ("transformed-by-proxy", 203, 200, "upstream"))


@test()
def the_tag_becomes_weak_and_sums_of_other_bytes_go():
    page(("ETag", '"a"'), ("Last-Modified", "Sat, 21 Nov 2026 10:00:00 GMT"), ("Content-MD5", "x"), ("Digest", "md5=x"),
         ("Content-Digest", "sha-256=:x:"), ("Repr-Digest", "sha-256=:x:"), ("Accept-Ranges", "bytes"),
         ("Vary", "Cookie"), ("X-Stays", "1"))
    answer = changed(ask("/coded/page"))
    expect(answer.get("ETag"), 'W/"a"')
    expect(answer.get("Last-Modified"), "Sat, 21 Nov 2026 10:00:00 GMT")
    expect(answer.words("Vary"), ["cookie", "accept-encoding"])
    for name in ("Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "Accept-Ranges"):
        expect(answer.get(name), None, name)
    expect((answer.get("X-Stays"), answer.get("Content-Type")), ("1", HTML[1]))


@test()
def a_tag_that_was_made_weak_here_is_told_again():
    app.answer("/page", response(304, b"", [("ETag", '"a"')]))
    for asked, told in (('W/"a"', 'W/"a"'), ('"a"', '"a"')):
        answer = ask("/coded/page", if_none_match=asked).expect(304, "upstream-answered")
        expect(answer.get("ETag"), told)
    expect(ask("/as-is/page", if_none_match='W/"a"').expect(304).get("ETag"), '"a"')


@test()
def nginx_knows_its_tag_though_it_is_weak():
    if which("nginx") is None:
        skip("no nginx")
    first = changed(ask("/nginx/page.html"))
    expect(gunzip(first.content), PAGE)
    expect_true(first.get("ETag").startswith('W/"'), first.get("ETag"))
    again = ask("/nginx/page.html", if_none_match=first.get("ETag")).expect(304, "upstream-answered")
    expect(again.get("ETag"), first.get("ETag"))


@test()
def parts_that_fit_nothing_are_not_asked_for():
    page()
    app.reset_log()
    date = "Sat, 21 Nov 2026 10:00:00 GMT"
    changed(ask("/coded/page", range="bytes=0-9", if_range=date))
    ask("/coded/page", range="bytes=0-9", if_range='"a"')
    untouched(ask("/as-is/page", range="bytes=0-9", if_range=date))
    expect([one.get("Range") for one in app.wait_requests(3)], [None, "bytes=0-9", "bytes=0-9"])


@test()
def caches_are_told_what_the_coding_hangs_on():
    page()
    for accept in (None, "identity", "gzip;q=0"):
        answer = untouched(ask("/coded/page", accept))
        expect((answer.get("Vary"), answer.get("Content-Encoding")), ("Accept-Encoding", None), accept)
        expect(answer.get("Content-Length"), str(len(PAGE)))


@test()
def an_upstream_is_not_asked_to_code_what_shall_be_inserted_into():
    page()
    app.reset_log()
    ask("/both/page", "gzip, br")
    ask("/coded/page", "gzip, br")
    ask("/both/page", "gzip, br", cache_control="no-transform")
    expect([one.get("Accept-Encoding") for one in app.wait_requests(3)], ["identity", "gzip, br", "gzip, br"])


@test("R030")
def head_is_told_what_get_would_be():
    for fields in ((), (("ETag", '"a"'),)):
        page(*fields)
        for path in ("/coded/page", "/banner/page", "/both/page", "/as-is/page"):
            get, head = ask(path), ask(path, method="HEAD")
            expect((head.status, head.reason, head.content), (get.status, get.reason, b""))
            for name in ("Content-Encoding", "Content-Length", "Transfer-Encoding", "ETag", "Vary", "Content-Type"):
                expect(head.get(name), get.get(name), f"{path}: {name}")


# What is not


@test("R042")
def only_200_is_changed():
    for status in (201, 203, 206, 300, 404, 410, 500, 503):
        page(status=status)
        for path in ("/coded/page", "/banner/page"):
            answer = untouched(ask(path), status=status)
            expect((answer.get("Content-Encoding"), answer.get("Vary")), (None, None))
    for status in (204, 304):
        page(status=status, content=b"")
        untouched(ask("/both/page"), b"", status)


@test("R042")
def errors_of_our_own_are_not_changed():
    app.fail("/bad", "garbage")
    expect(ask("/both/bad").expect(502, "upstream-headers-unparseable").get("Content-Encoding"), None)


@test("R043")
def no_transform_is_kept_to_whoever_says_it():
    page(("Cache-Control", "max-age=3, No-Transform"), ("ETag", '"a"'), ("Accept-Ranges", "bytes"))
    for path in ("/coded/page", "/banner/page", "/both/page"):
        answer = untouched(ask(path))
        expect((answer.get("ETag"), answer.get("Accept-Ranges"), answer.get("Vary")), ('"a"', "bytes", None))
    page()
    for path in ("/coded/page", "/banner/page", "/both/page"):
        untouched(ask(path, cache_control="no-transform"))
    page(("Cache-Control", "max-age=3"), ("Cache-Control", "no-transform"))
    untouched(ask("/both/page"))


@test()
def what_is_coded_already_passes_as_it_is():
    coded = zlib.compress(PAGE)
    page(("Content-Encoding", "deflate"), content=coded)
    answer = untouched(ask("/both/page", "deflate"), coded)
    expect(answer.get("Content-Encoding"), "deflate")


@test()
def what_is_not_worth_it_passes_as_it_is():
    for type_, content in (("image/png", PAGE), ("text/event-stream", PAGE), ("text/plain", b"short"), (None, PAGE)):
        app.answer("/page", response(200, content, [("Content-Type", type_)] if type_ else []))
        untouched(ask("/both/page"), content)


@test()
def content_without_the_tag_stays():
    for content in (b"<p>no end</bod", b"<", PAGE.replace(b"</BODY>", b"")):
        page(content=content)
        expect(changed(ask("/banner/page", None)).content, content)


# How it flows


@test()
def tags_are_found_wherever_the_upstream_cuts_them():
    start = PAGE.index(b"</BODY>")
    for cut in range(start - 1, start + 9):
        app.script("/cut", [Send(response(200, b"", [HTML], length=False) + PAGE[:cut]), Until(lambda: True),
                            lambda link: time.sleep(0.02), Send(PAGE[cut:]), lambda link: link.finish("closed")])
        expect(changed(ask("/banner/cut", None)).content, INSERTED, f"cut at {cut - start}")


class Flow:
    """Content as it comes to somebody who reads along."""

    def __init__(self, target, accept):
        self.link = site.connect()
        self.link.send(f"GET {target} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accept}\r\n\r\n")
        self.answer = changed(self.link.head())
        self.decoder, self.text, self.between = zlib.decompressobj(47), b"", b""

    def read_until(self, text):
        until = time.monotonic() + 3
        while self.text != text and time.monotonic() < until:
            expect(self.link._exactly(len(self.between)), self.between)
            data = self.link._exactly(int(self.link._line("chunk size"), 16))
            self.between = b"\r\n"
            self.text += self.decoder.decompress(data) if self.answer.get("Content-Encoding") else data
        expect(self.text, text)


@test()
def a_pause_of_the_upstream_holds_nothing_back():
    for path in ("/coded/slow", "/banner/slow", "/both/slow"):
        go = threading.Event()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        app.script("/slow", [Send(head + b"5\r\nfirst\r\n"), Until(go), Send(b"6\r\nsecond\r\n0\r\n\r\n")])
        flow = Flow(path, "gzip" if path != "/banner/slow" else "identity")
        flow.read_until(b"first")
        go.set()
        flow.read_until(b"firstsecond")
        flow.link.close()


@test()
def an_answer_that_was_cut_off_is_never_made_whole():
    for path in ("/coded/cut", "/banner/cut", "/both/cut"):
        app.script("/cut", [Send(response(200, PAGE, [HTML])[:-9]), lambda link: link.finish("closed")])
        try:
            answer = ask(path)
        except Malformed:
            continue
        raise AssertionError(f"whole: {answer}")
    expect_true(site.log_where(broken="upstream-response-incomplete"), "the log tells why")


@test()
def a_changed_answer_leaves_both_connections_fit():
    page()
    app.reset_log()
    with site.connect() as one:
        for _ in range(3):
            for path in ("/coded/page", "/both/page"):
                one.send(f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
                changed(one.response())
    expect(len({request.connection for request in app.wait_requests(6)}), 1)


@test()
def http_1_0_reads_until_the_end():
    page()
    answer = changed(site.ask("GET /both/page HTTP/1.0\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"))
    expect(answer.framing, "close")
    expect(gunzip(answer.content), INSERTED)


@test()
def http_2_is_the_same():
    page(("ETag", '"a"'))
    for connect in (site.h2_tls, site.h2):
        with connect() as h:
            answer = changed(h.get("/both/page", authority="a.example", fields=[("accept-encoding", "gzip")]))
            expect(gunzip(answer.content), INSERTED)
            expect((answer.get("content-encoding"), answer.get("content-length"), answer.get("etag")),
                   ("gzip", None, 'W/"a"'))
            head = h.ask("HEAD", "/both/page", authority="a.example", fields=[("accept-encoding", "gzip")])
            expect((changed(head).get("content-encoding"), head.content), ("gzip", b""))


@test()
def others_are_served_beside_long_content_and_memory_stays():
    app.answer("/flood", response(200, NOISE, [HTML]))
    page()
    changed(ask("/both/page", "br"))
    before, most, beside = memory_kib(), 0, 0
    got = {}
    with site.connect(wait_seconds=20) as one:
        one.send("GET /coded/flood HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        reader = threading.Thread(target=lambda: got.update(answer=one.response()))
        reader.start()
        while reader.is_alive():
            asked = time.monotonic()
            untouched(ask("/as-is/page"))
            expect_true(time.monotonic() - asked < 1, "others wait")
            beside, most = beside + 1, max(most, memory_kib())
            reader.join(0.01)
    whole = gunzip(changed(got["answer"]).content)
    expect_true(whole == NOISE, "nothing is lost")
    expect_true(beside > 3, f"{beside} answers beside it")
    expect_true(most - before < 4096, f"grew by {most - before} KiB")


@test()
def a_client_who_does_not_read_holds_the_upstream_back():
    app.script("/flood", [Send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"), *[Send(NOISE)] * 4])
    for accept in ("br", "gzip"):
        app.reset_log()
        before = memory_kib()
        with site.connect(window_bytes=4096) as one:
            one.send(f"GET /both/flood HTTP/1.1\r\nHost: a\r\nAccept-Encoding: {accept}\r\n\r\n")
            link = app.wait_requests(1)[0].link
            sent = -1
            while link.sent_bytes != sent:
                sent = link.sent_bytes
                time.sleep(0.2)
            expect_true(sent < 2 * len(NOISE), f"{sent} bytes sent to nobody who reads")
            expect_true(memory_kib() - before < 4096, f"grew by {memory_kib() - before} KiB")
        link.wait_end()


def memory_kib():
    status = Path(f"/proc/{site.pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


@test()
def curl_reads_what_it_asked_for():
    if which("curl") is None:
        skip("no curl")
    page()
    for more in ([], ["--http2-prior-knowledge"]):
        ran = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", "5", "--compressed", *more, "-w",
                              "%{stderr}%{json}", f"http://127.0.0.1:{site.port}/both/page"],
                             capture_output=True, check=True)
        told = json.loads(ran.stderr)
        expect(ran.stdout, INSERTED)
        expect(told["http_code"], 203)
        expect_true(told["size_download"] < len(PAGE) // 4, str(told["size_download"]))
        expect_in("text/html", told["content_type"])
