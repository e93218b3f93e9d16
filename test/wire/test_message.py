"""Syntax and framing of requests: each refusal has a name and a place, and arrives whole in whatever pieces we send."""
import time

from harness import Server, expect, expect_in, expect_true, test

site = Server({"a.txt": "hello", "d/b.txt": "there"}, args=["--write"])

LINE = "GET /a.txt HTTP/1.1\r\n"
HOST = "Host: a\r\n"
PUT = "PUT /up HTTP/1.1\r\n" + HOST

# status, reason, request with a § before the byte that the log line's "at" tells, and the operand where there is one
SYNTAX = [
    (400, "malformed-request-line", "GET§\r\n\r\n"),
    (400, "malformed-request-line", "GET §  / HTTP/1.1\r\n\r\n"),
    (400, "malformed-request-line", "GET / § HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "malformed-request-line", "GET / HTTP/1.1§ \r\n" + HOST + "\r\n"),
    (400, "malformed-request-line", "\r\n\r\n§\r\n" + LINE + HOST + "\r\n"),
    (400, "method-malformed", "§ GET / HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "method-malformed", "G§{T / HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "method-malformed", "§\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    (400, "target-malformed", "GET /a§\tb HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-malformed", "GET /§\xe9t\xe9 HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-malformed", "GET /a§%zz HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-malformed", "GET /a§%00b HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-malformed", "GET http://§/a.txt HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-form-invalid", "GET §a.txt HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-form-invalid", "GET §* HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-form-invalid", "GET §a.test:80 HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "target-form-invalid", "CONNECT §/a.txt HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "version-malformed", "GET / §http/1.1\r\n" + HOST + "\r\n"),
    (400, "version-malformed", "GET / HTTP/1§,1\r\n" + HOST + "\r\n"),
    (400, "version-malformed", "GET / HTTP/1.1§1\r\n" + HOST + "\r\n"),
    (400, "version-missing", "GET /a.txt§\r\n"),
    (400, "version-missing", "GET /a.txt §\r\n\r\n"),
    (400, "bare-carriage-return", "GET /a§\rb HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "bare-carriage-return", LINE + "Host: a§\rb\r\n\r\n", "Host"),
    (400, "bare-line-feed", "GET /a.txt HTTP/1.1§\nHost: a\n\n"),
    (400, "bare-line-feed", LINE + "Host: a§\n\r\n", "Host"),
    (400, "bare-line-feed", LINE + HOST + "§\n"),
    (400, "nul-in-head", "GET /a§\0 HTTP/1.1\r\n" + HOST + "\r\n"),
    (400, "nul-in-head", LINE + HOST + "X-One: a§\0b\r\n\r\n", "X-One"),
    (400, "nul-in-head", LINE + HOST + "X§\0: a\r\n\r\n", "X"),
    (400, "field-line-folded", LINE + "Host: a\r\nX-One: b\r\n§ c\r\n\r\n", "X-One"),
    (400, "field-line-folded", LINE + "X-One: b\r\n§\tc\r\nHost: a\r\n\r\n", "X-One"),
    (400, "malformed-header-field", LINE + "§ Host: a\r\n\r\n"),
    (400, "malformed-header-field", LINE + HOST + "X-One§\r\n\r\n", "X-One"),
    (400, "space-before-colon", LINE + "Host§ : a\r\n\r\n", "Host"),
    (400, "space-before-colon", LINE + HOST + "Transfer-Encoding§\t: chunked\r\n\r\n", "Transfer-Encoding"),
    (400, "field-name-invalid", LINE + HOST + "X-O§(ne: a\r\n\r\n", "X-O"),
    (400, "field-name-invalid", LINE + HOST + "X§ One: a\r\n\r\n", "X"),
    (400, "field-name-invalid", LINE + HOST + "§: a\r\n\r\n"),
    (400, "field-value-invalid", LINE + HOST + "X-One: a§\x01b\r\n\r\n", "X-One"),
    (400, "field-value-invalid", LINE + HOST + "X-One: a§\x7f\r\n\r\n", "X-One"),
    (400, "host-missing", LINE + "X-One: a\r\n§\r\n", "host"),
    (400, "host-repeated", LINE + "Host: a\r\n§Host: a\r\n\r\n", "Host"),
    (400, "host-missing-or-invalid", LINE + "Host: a§ b\r\n\r\n", "Host"),
    (400, "host-missing-or-invalid", LINE + "Host: §/a\r\n\r\n", "Host"),
    (400, "host-missing-or-invalid", LINE + "Host: a:§x\r\n\r\n", "Host"),
]
FRAMING = [
    (400, "ambiguous-framing", PUT + "Content-Length: 5\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding"),
    (400, "ambiguous-framing", PUT + "Transfer-Encoding: chunked\r\n§Content-Length: 5\r\n\r\n0\r\n\r\n",
     "Content-Length"),
    (400, "chunked-not-last", PUT + "Transfer-Encoding: chunked, §gzip\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    (501, "transfer-coding-unknown", PUT + "Transfer-Encoding: §foo\r\n\r\n", "Transfer-Encoding"),
    (400, "chunked-not-last", PUT + "Transfer-Encoding: chunked\r\nTransfer-Encoding: §chunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding"),
    (400, "chunked-not-last", PUT + "Transfer-Encoding: §chunked;a=b\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    (501, "transfer-coding-unknown", PUT + "Transfer-Encoding: §xchunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding"),
    (400, "transfer-encoding-in-http10", "PUT /up HTTP/1.0\r\n§Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "Transfer-Encoding"),
    (501, "transfer-coding-unknown", PUT + "Transfer-Encoding: §gzip, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding"),
    (400, "content-length-invalid", PUT + "Content-Length: §+5\r\n\r\nhello", "Content-Length"),
    (400, "content-length-invalid", PUT + "Content-Length: §-1\r\n\r\n", "Content-Length"),
    (400, "content-length-invalid", PUT + "Content-Length: 5§ 0\r\n\r\n", "Content-Length"),
    (400, "content-length-invalid", PUT + "Content-Length: 0§x5\r\n\r\nhello", "Content-Length"),
    (400, "content-length-invalid", PUT + "Content-Length: 999999999999999999§9\r\n\r\n", "Content-Length"),
    (400, "content-length-invalid", PUT + "Content-Length: 5\r\nContent-Length: §5\r\n\r\nhello", "Content-Length"),
    (400, "content-length-invalid", PUT + "Content-Length: 5, §5\r\n\r\nhello", "Content-Length"),
    (400, "content-length-conflict", PUT + "Content-Length: 5\r\nContent-Length: §6\r\n\r\nhello", "Content-Length"),
    (400, "content-length-conflict", PUT + "Content-Length: 1, §2\r\n\r\nhello", "Content-Length"),
]


def marked(raw):
    """The bytes without the mark, and where it was."""
    at = raw.index("§")
    return raw.replace("§", "", 1).encode("latin-1"), at


def refused(status, reason, raw, operand=None, pieces=None):
    """Sends the request, whole or in pieces; asserts one final answer, its reason, place and operand, and the end."""
    data, at = marked(raw)
    with site.connect() as c:
        for piece in pieces(data) if pieces else [data]:
            c.send(piece)
        answer = c.response().expect(status, reason)
        expect(answer.words("Connection"), ["close"], f"Connection for {raw!r}")
        expect_true(answer.content, "an explanation")
        c.expect_closed()
    line = site.log_of(answer)
    expect((line["reason"], line["at"], line["status"]), (reason, at, status), f"log line of {raw!r}")
    if operand is not None:
        expect(line["operand"], operand, f"operand for {raw!r}")
    expect_true(0 < line["bytes_in"] <= len(data), f"bytes_in {line['bytes_in']} of {len(data)}")


@test("R118", "R001", seconds=30)
def each_mistake_in_a_head_has_its_reason_and_place():
    for row in SYNTAX:
        refused(*row)


@test("R118", seconds=20)
def each_mistake_in_framing_has_its_reason_and_place():
    for row in FRAMING:
        refused(*row)


@test("R118")
def a_head_that_ends_early():
    raw = LINE + "Host: a\r\nX"
    with site.connect() as c:
        answer = c.send(raw).finish_sending().response().expect(400, "request-head-cut-short")
        c.expect_closed()
    expect(site.log_of(answer)["at"], len(raw))


@test()
def up_to_two_empty_lines_before_a_request_are_forgiven():
    for empty in ("\r\n", "\r\n\r\n"):
        expect(site.ask(empty.encode() + b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").content, b"hello")


GOOD = [
    "GET /a.txt HTTP/1.1\r\nHost: a\r\nUser-Agent: x y\r\nX-Empty:\r\nX-Spaces: \t a \t\r\n\r\n",
    "HEAD http://a.test:80/a.txt?q HTTP/1.1\r\nHost: b\r\n\r\n",
]


def split_once(data, at):
    yield data[:at]
    time.sleep(0.001)
    yield data[at:]


def one_by_one(data):
    for i in range(len(data)):
        yield data[i:i + 1]


@test(seconds=20)
def a_request_split_at_any_byte_gets_the_same_answer():
    for raw in GOOD:
        data, method = raw.encode(), raw.split()[0]
        with site.connect() as c:
            whole = c.send(data).response(to=method).expect(200)
            for at in range(1, len(data)):
                for piece in split_once(data, at):
                    c.send(piece)
                again = c.response(to=method)
                expect((again.status, again.content, again.get("ETag")), (200, whole.content, whole.get("ETag")), at)


@test("R118", seconds=30)
def a_bad_request_split_at_any_byte_gets_the_same_reason_and_place():
    for row in (SYNTAX[3], SYNTAX[23], SYNTAX[30], FRAMING[7], FRAMING[15]):
        data, _ = marked(row[2])
        for at in range(1, len(data)):
            with site.connect() as c:
                for piece in split_once(data, at):
                    try:
                        c.send(piece)
                    except OSError:  # refused already: the rest was not wanted
                        break
                c.response().expect(row[0], row[1])
                c.expect_closed()


@test(seconds=20)
def requests_sent_byte_by_byte():
    for raw in GOOD:
        with site.connect() as c:
            for byte in one_by_one(raw.encode()):
                c.send(byte)
            c.response(to=raw.split()[0]).expect(200)


CHUNKED = (b"PUT /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
           b"5;name=value;flag\r\nhello\r\n00006 ; q=\"a b\"\r\n world\r\n0\r\nX-Sum: 1\r\nX-Other:\r\n\r\n")


@test("R162", seconds=30)
def chunked_content_split_at_any_byte_is_stored_whole():
    with site.connect() as c:
        for at in range(1, len(CHUNKED)):
            for piece in split_once(CHUNKED, at):
                c.send(piece)
            answer = c.response()
            expect_true(answer.status in (201, 204), f"split at {at}: {answer}")
        for byte in one_by_one(CHUNKED):
            c.send(byte)
        c.response().expect(204)
    expect((site.root / "chunked").read_bytes(), b"hello world")


CHUNK_MISTAKES = [
    ("bad-chunk", "§x\r\n"),
    ("bad-chunk", "§\r\n"),
    ("bad-chunk", "5§\nhello\r\n0\r\n\r\n"),
    ("bad-chunk", "5\r\nhello§0\r\n\r\n"),
    ("bad-chunk", "5\r\nhello\r§x\n0\r\n\r\n"),
    ("bad-chunk", "§-1\r\n"),
    ("bad-chunk", "0§x5\r\nhello\r\n0\r\n\r\n"),
    ("bad-chunk", "100000000000000§0\r\n"),
    ("bad-chunk", "5;a=§\0\r\nhello\r\n0\r\n\r\n"),
    ("malformed-trailer-field", "0\r\nX-One§ : a\r\n\r\n"),
    ("malformed-trailer-field", "0\r\n§ folded\r\n\r\n"),
    ("malformed-trailer-field", "0\r\nX-One: a§\0\r\n\r\n"),
]


@test("R118", seconds=20)
def each_mistake_in_chunks_has_its_reason_and_place():
    for reason, raw in CHUNK_MISTAKES:
        data, at = marked(raw)
        with site.connect() as c:
            c.send(b"PUT /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
            answer = c.response().expect(400, reason)
            c.expect_closed()
        expect(site.log_of(answer)["at"], at, f"place in {raw!r}")
    expect_true(not (site.root / "broken").exists(), "nothing of broken content is stored")


@test()
def endless_extensions_and_trailers_are_refused():
    for reason, status, data in (("chunk-extension-too-long", 400, b"5;" + b"a" * 100000),
                                 ("request-trailers-too-large", 431, b"0\r\nX: " + b"a" * 100000)):
        with site.connect() as c:
            try:
                c.send(b"PUT /broken HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
            except OSError:
                pass
            c.response().expect(status, reason)
            c.expect_closed()


@test()
def content_that_ends_early_is_not_stored():
    for head, sent in (("Content-Length: 10\r\n", b"short"), ("Transfer-Encoding: chunked\r\n", b"5\r\nhel")):
        with site.connect() as c:
            c.send("PUT /cut HTTP/1.1\r\nHost: a\r\n" + head + "\r\n").send(sent).finish_sending()
            answer = c.response().expect(400, "request-content-cut-short")
            c.expect_closed()
        expect(site.log_of(answer)["at"], len(sent.rpartition(b"\n")[2]))
    expect_true(not (site.root / "cut").exists(), "nothing of it is stored")


@test()
def nothing_is_smuggled_behind_a_refused_frame():
    smuggled = b"0\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
    with site.connect() as c:
        c.send(b"PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + smuggled)
        c.response().expect(400, "ambiguous-framing")
        c.expect_closed()


@test()
def absolute_form_wins_over_host():
    answer = site.ask("GET http://other.test/missing HTTP/1.1\r\nHost: a\r\n\r\n").expect(404, "not-found")
    line = site.log_of(answer)
    expect((line["host"], line["target"]), ("other.test", "http://other.test/missing"))


@test()
def authority_form_is_for_connect_only_and_connect_is_not_offered():
    answer = site.ask("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n").expect(405, "method-not-allowed")
    expect_in("get", answer.words("Allow"))


@test()
def a_path_that_climbs_out_keeps_the_connection():
    with site.connect() as c:
        answer = c.send("GET /d/../../a HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(400, "path-outside-root")
        expect(site.log_of(answer)["at"], len("GET /d/../"))
        c.send("GET /d/../a.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)
        c.send("GET /d/%2e%2e/%61.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


@test("R233", "R234", "R249")
def versions():
    for version, to_read in (("HTTP/2.0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ("HTTP/3.0", None), ("HTTP/0.9", None),
                             ("HTTP/9.9", None)):
        data = to_read or f"GET /a.txt {version}\r\nHost: a\r\n\r\n".encode()
        with site.connect() as c:
            answer = c.send(data).response().expect(505, "version-not-supported")
            c.expect_closed()
        expect_in("HTTP/1.0", answer.text)
        expect_in("HTTP/1.1", answer.text)
    for version in ("HTTP/1.1", "HTTP/1.2", "HTTP/1.9"):
        answer = site.ask(f"GET /a.txt {version}\r\nHost: a\r\n\r\n").expect(200)
        expect((answer.minor, answer.content), (1, b"hello"))


@test("R249")
def new_statuses_explain_themselves_to_a_client_of_1_0():
    for status, reason, raw in (
            (405, "method-not-allowed", "POST /a.txt HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
            (416, "range-not-satisfiable", "GET /a.txt HTTP/1.0\r\nRange: bytes=99-\r\n\r\n"),
            (409, "dav-parent-missing", "PUT /no/such HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
            (505, "version-not-supported", "GET /a.txt HTTP/5.0\r\n\r\n")):
        with site.connect() as c:
            answer = c.send(raw).response().expect(status, reason)
            expect_true(len(answer.text) > 100, "content that explains")
            expect(answer.words("Connection"), ["close"])
            c.expect_closed()
    expect(site.ask("GET /a.txt HTTP/1.0\r\n\r\n").status, 200)
    expect(site.ask("GET /a.txt HTTP/1.0\r\nRange: bytes=0-0\r\n\r\n").status, 206)


@test("R001")
def every_status_line_is_well_formed():
    for raw in ("GET /a.txt", "GET /none", "PUT /new", "DELETE /new", "BREW /", "GET /d"):
        answer = site.ask(f"{raw} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        expect_true(200 <= answer.status <= 599 and answer.phrase, f"status line of {raw}: {answer}")
        expect_true(answer.get("Date") and answer.get("Server") == "verdict", f"Date and Server of {raw}")
