"""The harness itself: what its reader of answers takes and refuses, against a server of a few lines of Python; and what
it fills into a configuration."""
import socket
import threading

from harness import Connection, Malformed, Pki, Server, configured, expect, expect_true, files, test


def served(answer, pieces=1):
    """A connection whose peer sends `answer` in so many pieces and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        peer, _ = listener.accept()
        step = max(1, len(answer) // pieces)
        for at in range(0, len(answer), step):
            peer.sendall(answer[at:at + step])
        peer.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return Connection(listener.getsockname())


def refused(answer, words, to="GET"):
    try:
        with served(answer) as connection:
            connection.response(to)
    except Malformed as said:
        expect_true(words in str(said), f"said {said}, wanted {words}")
        return
    raise AssertionError(f"taken: {answer!r}")


@test()
def length_framing_leaves_what_follows():
    with served(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nVerdict: request-ok;id=\"k3\"\r\n\r\nabcHTTP/1.1 204 \r\n\r\n") as c:
        first = c.response()
        expect((first.status, first.content, first.framing), (200, b"abc", "length"))
        expect((first.reason, first.id), ("request-ok", "k3"))
        expect(c.response().status, 204)
        c.expect_closed()


@test()
def chunks_in_any_split():
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n"
    for pieces in (1, 5, len(answer)):
        with served(answer, pieces) as c:
            got = c.response()
            expect((got.content, got.trailers, got.framing), (b"abc0123456789abcdef", [("A", "b")], "chunked"))


@test()
def interim_answers_are_kept_apart():
    with served(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: </a>\r\n\r\nHTTP/1.0 200 OK\r\n\r\nrest") as c:
        got = c.response()
        expect([i.status for i in got.interim], [100, 103])
        expect((got.content, got.framing), (b"rest", "close"))


@test()
def no_content_is_read_where_none_can_be():
    for status, to in ((304, "GET"), (200, "HEAD")):
        with served(b"HTTP/1.1 %d X\r\nContent-Length: 9\r\n\r\n" % status) as c:
            expect(c.response(to).content, b"")
            c.expect_closed()


@test()
def broken_answers_are_refused():
    refused(b"HTTP/1.1 200\r\n\r\n", "status line")
    refused(b"HTTP/1.1 700 No\r\n\r\n", "status line")
    refused(b"HTTP/2.0 200 OK\r\n\r\n", "status line")
    refused(b"HTTP/1.1 200 OK\nA: b\n\n", "bare CR or LF")
    refused(b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "field line")
    refused(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "field line")
    refused(b"HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n", "field line")
    refused(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "2 times")
    refused(b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc", "Content-Length")
    refused(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "after 2 of 3")
    refused(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "in one answer")
    refused(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", "chunk size")
    refused(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", "after a chunk")
    refused(b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", "204 with")


@test()
def bytes_after_an_answer_are_seen():
    with served(b"HTTP/1.1 204 X\r\n\r\nHTTP") as c:
        c.response()
        try:
            c.expect_closed()
        except AssertionError as said:
            expect_true("where the end was wanted" in str(said), str(said))
            return
    raise AssertionError("leftover bytes went unseen")


@test()
def ports_and_folders_are_filled_in():
    both = ["127.0.0.1:{port}", "127.0.0.1:{tls_port}"]
    for listen in (both, both[1:]):
        with Server({"a.txt": "hello"}, config=configured(files(), listen=listen)) as one:
            with one.connect(port="tls_port") as c:
                expect(c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").response().content, b"hello")
    pki = Pki()
    with Server(config=configured(files(directory="{pki}")), pki=pki) as one:
        expect(one.get("/ca.pem").content, pki.ca.read_bytes())
        expect(one.tls_port, None)
