"""Expect: 100-continue: the client learns the answer to its head before it sends its content. RFC9110:10.1.1"""
from harness import Server, expect, expect_true, test

CONFIG = """
listen: "127.0.0.1:{port}"
sites:
  - routes:
      - {path: /, files: "{root}", write: on, content_limit: 1000}
      - {path: /known, files: "{root}", write: on, require: length}
      - {path: /careful, files: "{root}", write: on, require: condition}
      - {path: /read, files: "{root}"}
"""
site = Server({"a.txt": "hello", "known": None, "careful": None}, config=CONFIG)

EXPECT = "Expect: 100-continue\r\n"


def head(line="PUT /up HTTP/1.1", fields="Content-Length: 5\r\n", wish=EXPECT):
    return f"{line}\r\nHost: a\r\n{fields}{wish}\r\n"


@test("R003", "R005", "R009", "R012")
def a_hundred_comes_before_the_content_and_one_final_answer_after():
    for fields, content in (("Content-Length: 5\r\n", b"hello"),
                            ("Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n")):
        with site.connect() as c:
            interim = c.send(head(fields=fields)).head()
            expect((interim.status, interim.phrase, interim.fields), (100, "Continue", []))
            expect(c.kept, b"", "bytes behind the 100")
            c.expect_quiet(0.05)
            answer = c.send(content).response()
            expect_true(answer.status in (201, 204) and not answer.interim, f"one final answer: {answer}")
            c.expect_quiet(0.05)
            c.send("GET /up HTTP/1.1\r\nHost: a\r\n\r\n")
            expect(c.response().content, b"hello")


@test("R009", "R010", "R164")
def what_will_be_refused_is_refused_before_the_upload():
    for status, reason, raw in (
            (413, "content-too-large", head(fields="Content-Length: 1001\r\n")),
            (411, "length-required", head("PUT /known/x HTTP/1.1", "Transfer-Encoding: chunked\r\n")),
            (428, "precondition-required", head("PUT /careful/x HTTP/1.1")),
            (405, "method-not-allowed", head("PUT /read/x HTTP/1.1")),
            (405, "method-not-allowed", head("POST /up HTTP/1.1")),
            (409, "dav-parent-missing", head("PUT /none/x HTTP/1.1")),
            (415, "content-coding-unknown", head(fields="Content-Length: 5\r\nContent-Encoding: gzip\r\n")),
            (412, "if-match-failed", head("PUT /a.txt HTTP/1.1", 'Content-Length: 6\r\nIf-Match: "x"\r\n')),
            (501, "method-unknown", head("FOO /up HTTP/1.1")),
            (404, "hidden-segment", head("PUT /.up HTTP/1.1")),
            (400, "host-repeated", head(fields="Content-Length: 5\r\nHost: b\r\n"))):
        with site.connect() as c:
            answer = c.send(raw).response().expect(status, reason)
            expect(answer.interim, [], f"interim answers to {raw!r}")
            c.expect_closed()


@test("R175")
def other_expectations_cannot_be_met():
    for wish in ("Expect: foo\r\n", "Expect: 100-continue, foo\r\n", "Expect: 100-continue\r\nExpect: foo\r\n",
                 "Expect: 100-continue;q=1\r\n"):
        with site.connect() as c:
            answer = c.send(head(wish=wish)).response().expect(417, "expectation-failed")
            expect(answer.interim, [])


@test("R175")
def the_expectation_is_known_in_any_case_of_letters():
    with site.connect() as c:
        expect(c.send(head(wish="expect: 100-Continue\r\n")).head().status, 100)
        c.send("hello").response()


@test("R004")
def a_client_of_1_0_never_gets_a_hundred():
    for wish in (EXPECT, "Expect: foo\r\n"):
        with site.connect() as c:
            c.send(head("PUT /up HTTP/1.0", wish=wish))
            c.expect_quiet(0.2)
            answer = c.send("hello").response()
            expect_true(answer.status in (201, 204), str(answer))
            expect(answer.interim, [])
            c.expect_closed()


@test("R014")
def content_that_is_there_already_needs_no_hundred():
    with site.connect() as c:
        for _ in range(3):
            answer = c.send(head() + "hello").response()
            expect_true(answer.status in (201, 204), str(answer))
            expect([i.status for i in answer.interim], [])


@test("R009")
def an_expectation_without_content_is_answered_at_once():
    with site.connect() as c:
        for raw in (head("GET /a.txt HTTP/1.1", ""), head("GET /a.txt HTTP/1.1", "Content-Length: 0\r\n"),
                    head(fields="Content-Length: 0\r\n")):
            answer = c.send(raw).response()
            expect_true(answer.status in (200, 201, 204), str(answer))
            expect(answer.interim, [], raw)


@test("R009", "R005")
def a_get_whose_content_nobody_reads_is_answered_and_closed():
    with site.connect() as c:
        answer = c.send(head("GET /a.txt HTTP/1.1")).response().expect(200)
        expect((answer.interim, answer.words("Connection")), ([], ["close"]))
        c.expect_closed()


@test("R159", "R005")
def a_final_answer_after_the_hundred_when_the_content_turns_out_too_large():
    with site.connect() as c:
        expect(c.send(head(fields="Transfer-Encoding: chunked\r\n")).head().status, 100)
        c.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n")
        answer = c.response().expect(413, "content-streamed-too-large")
        c.expect_closed()
    expect(site.log_of(answer)["at"], 1000)
