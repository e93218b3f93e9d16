"""Many requests at once are answered one after the other, in their order, whatever stands between them."""
import time

from harness import Server, expect, expect_true, test

site = Server({"a.txt": "hello", "big.bin": b"0123456789abcdef" * 20000}, args=["--write"])

GET = b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"


@test()
def sixteen_requests_in_one_packet():
    with site.connect() as c:
        c.send(b"".join(b"GET /none/%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(16)))
        for i in range(16):
            answer = c.response().expect(404, "not-found")
            expect_true(f"/none/{i}\n" in answer.text, f"the answer to number {i}: {answer}")
        c.expect_quiet(0.1)


@test("R044", "R162")
def content_in_the_middle():
    put = (b"PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nGET / HTTP"
           b"PUT /put HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    with site.connect() as c:
        c.send(GET * 5 + put + GET * 9)
        answers = [c.response() for _ in range(16)]
        c.expect_quiet(0.1)
    expect([a.status for a in answers], [200] * 5 + [201, 204] + [200] * 9)
    expect({a.content for a in answers[:5] + answers[7:]}, {b"hello"})
    expect((site.root / "put").read_bytes(), b"abc")


@test("R030", "R044")
def answers_without_content_do_not_swallow_the_next():
    with site.connect() as c:
        tag = c.send(GET).response().get("ETag")
        c.send(b"HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
               b"GET /a.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: " + tag.encode() + b"\r\n\r\n"
               b"PUT /del HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
               b"DELETE /del HTTP/1.1\r\nHost: a\r\n\r\n"
               b"HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        got = [c.response(to=m).status for m in ("HEAD", "GET", "PUT", "DELETE", "HEAD", "GET")]
        expect(got, [200, 304, 201, 204, 404, 200])


@test("R118")
def a_bad_request_at_the_end():
    with site.connect() as c:
        c.send(GET * 15 + b"GET / HTTP/1.1\r\nHost : a\r\n\r\n" + GET)
        for _ in range(15):
            c.response().expect(200)
        answer = c.response().expect(400, "space-before-colon")
        c.expect_closed()
    expect(site.log_of(answer)["at"], len("GET / HTTP/1.1\r\nHost"))


@test()
def an_answer_does_not_wait_for_the_next_request():
    """The kernel keeps a part of a segment for 200 ms when it is told that more follows."""
    with site.connect() as c:
        c.send(GET).response()
        began = time.monotonic()
        for _ in range(20):
            c.send(GET + GET[:20])
            c.response().expect(200)
            c.send(GET[20:])
            c.response().expect(200)
        expect_true(time.monotonic() - began < 20 * 0.15, "the answers came late")


@test("R118")
def nothing_after_close_is_answered():
    with site.connect() as c:
        c.send(GET + b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET * 3)
        c.response().expect(200)
        last = c.response().expect(200)
        expect(last.words("Connection"), ["close"])
        c.expect_closed()


@test()
def large_answers_between_small_ones():
    big = b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n"
    with site.connect() as c:
        c.send((GET + big) * 8)
        for _ in range(8):
            expect(c.response().content, b"hello")
            expect(len(c.response().content), 320000)
        c.expect_quiet(0.1)


@test()
def a_refused_upload_in_the_middle_is_read_away():
    post = b"POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + GET * 151 + b"x" * (5000 - 151 * len(GET))
    with site.connect() as c:
        c.send(GET + post + GET)
        c.response().expect(200)
        c.response().expect(405, "method-not-allowed")
        c.response().expect(200)
        c.expect_quiet(0.1)


@test()
def pipelined_pieces_of_heads():
    whole = (GET + b"HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n") * 40
    with site.connect() as c:
        for at in range(0, len(whole), 97):
            c.send(whole[at:at + 97])
        for i in range(80):
            c.response(to="HEAD" if i % 2 else "GET").expect(200)
        c.expect_quiet(0.1)


@test()
def half_closed_after_the_last_request():
    with site.connect() as c:
        c.send(GET * 3).finish_sending()
        for _ in range(3):
            c.response().expect(200)
        c.expect_closed()
