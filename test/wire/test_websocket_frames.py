"""What is said on a WebSocket: messages whole and in fragments, control frames, closing, and what breaks the rules."""
from harness import Pki, Server, configured, expect, files, test
from harness.websocket import ASK, BINARY, CLOSE, PING, PONG, TEXT, bye, head, open_on, said

MESSAGE_BYTES = 65536
BOTH = (False, True)
pki = Pki()
own = pki.server("a.example")
TLS = {"listen": "127.0.0.1:{tls_port}", "certificates": [{"certificate": str(own.certificate), "key": str(own.key)}]}
site = Server({"a.txt": "hello"}, config=configured({"path": "/ws", "websocket": "echo"}, files(), workers=1, tls=TLS),
              admin=True, pki=pki)
WHY = {1002: "websocket-protocol-error", 1007: "websocket-text-invalid", 1009: "websocket-message-too-large"}


@test(seconds=20)
def messages_of_all_lengths():
    for secure in BOTH:
        with open_on(site, secure) as w:
            for n in (0, 1, 125, 126, 127, 1000, 16384, 65535, MESSAGE_BYTES):
                payload = bytes(i * 7 % 256 for i in range(n))
                w.echoes(payload)
                w.echoes(b"t" * n, TEXT)
            w.echoes("Grüße, 世界 🌍".encode(), TEXT)
            w.closes()


@test(seconds=20)
def a_thousand_messages_one_after_the_other():
    for secure in BOTH:
        with open_on(site, secure) as w:
            for i in range(1000):
                w.echoes(b"message %d" % i, TEXT)
            w.closes()


@test(seconds=20)
def a_thousand_messages_at_once():
    for secure in BOTH:
        with open_on(site, secure) as w:
            w.c.send(b"".join(said(TEXT, b"message %d" % i) for i in range(1000)))
            for i in range(1000):
                w.expect(TEXT, b"message %d" % i)
            w.closes()


@test(seconds=20)
def a_hundred_at_once():
    for secure in BOTH:
        opened = [open_on(site, secure) for _ in range(100)]
        for turn in range(3):
            for i, w in enumerate(opened):
                w.say(BINARY, b"%d of %d" % (turn, i))
            for i, w in reversed(list(enumerate(opened))):
                w.expect(BINARY, b"%d of %d" % (turn, i))
        site.ask(head("Host: a.example", target="/a.txt")).expect(200)
        for w in opened[::2]:
            w.closes()
        for w in opened:
            w.c.close()


@test()
def messages_in_fragments():
    for secure in BOTH:
        with open_on(site, secure) as w:
            w.say(TEXT, b"Gr\xc3", fin=False).say(PING, b"between").say(0, b"\xbc", fin=False).say(0, b"", fin=False)
            w.expect(PONG, b"between")
            w.say(0, b"\xc3\x9fe").expect(TEXT, "Grüße".encode())
            w.say(BINARY, b"", fin=False).say(0, b"").expect(BINARY, b"")
            for _ in range(1000):
                w.say(BINARY if _ == 0 else 0, b"xy", fin=False)
            w.say(0, b"z").expect(BINARY, b"xy" * 1000 + b"z")
            w.closes()


@test()
def pings_are_answered_and_pongs_are_not():
    with open_on(site) as w:
        for n in (0, 1, 125):
            w.say(PING, b"p" * n).expect(PONG, b"p" * n)
        w.say(PONG, b"unasked").say(PONG)
        w.c.expect_quiet(0.1)
        w.echoes().closes()


@test()
def closing_handshakes():
    for payload in (b"", bye(1000), bye(1001, b"leaving"), bye(3000), bye(4999, "späť".encode()),
                    bye(1011, b"r" * 123)):
        for secure in BOTH:
            with open_on(site, secure) as w:
                code, answer = w.say(CLOSE, payload).hear()
                expect((code, answer[:2]), (CLOSE, payload[:2]))
                w.c.expect_closed()
    with open_on(site) as w:  # nothing is heard behind it
        w.c.send(said(CLOSE, bye(1000)) + said(TEXT, b"more") + said(PING))
        w.expect(CLOSE, bye(1000))
        w.c.expect_closed()


VIOLATIONS = [
    (1002, said(TEXT, b"no mask", mask=None)),
    (1002, said(TEXT, b"", mask=None)),
    (1002, said(TEXT, b"x", reserved=4)),  # permessage-deflate, which was not agreed on
    (1002, said(TEXT, b"x", reserved=1)),
    (1002, said(PING, b"x", reserved=2)),
    (1002, said(3, b"x")),
    (1002, said(7, b"x")),
    (1002, said(11)),
    (1002, said(15)),
    (1002, said(PING, b"p" * 126)),
    (1002, said(CLOSE, bye(1000) + b"p" * 124)),
    (1002, said(PING, b"p", fin=False)),
    (1002, said(0, b"nothing to go on with")),
    (1002, said(TEXT, b"a", fin=False) + said(TEXT, b"b")),
    (1002, said(TEXT, b"a", fin=False) + said(BINARY, b"b", fin=False)),
    (1002, said(CLOSE, b"\x03")),
    (1002, said(CLOSE, bye(999))),
    (1002, said(CLOSE, bye(1004))),
    (1002, said(CLOSE, bye(1005))),
    (1002, said(CLOSE, bye(1006))),
    (1002, said(CLOSE, bye(1015))),
    (1002, said(CLOSE, bye(5000))),
    (1002, b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00aaaa"),
    (1002, b"\x82\xfe\x00\x05aaaa12345"),  # a length that is not as short as it can be
    (1002, b"\x82\xff\x00\x00\x00\x00\x00\x00\xff\xffaaaa"),
    (1007, said(TEXT, b"\xff")),
    (1007, said(TEXT, b"a\xc0\xafb")),
    (1007, said(TEXT, b"\xed\xa0\x80")),
    (1007, said(TEXT, b"ends in the middle \xe2\x82")),
    (1007, said(TEXT, b"\xe2", fin=False) + said(0, b"\x28\xa1")),
    (1007, said(CLOSE, bye(1000, b"\xff"))),
    (1009, said(BINARY, bytes(MESSAGE_BYTES + 1))),
    (1009, said(BINARY, bytes(MESSAGE_BYTES), fin=False) + said(0, b"x")),
    (1009, b"\x82\xff\x00\x00\x01\x00\x00\x00\x00\x00aaaa-"),
    (1009, b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffaaaa-"),
]


def ended_with(w):
    """The code of the close frame that comes next; None: nothing comes."""
    try:
        opcode, payload = w.hear()
    except TimeoutError:
        return None
    expect(opcode, CLOSE)
    return int.from_bytes(payload[:2], "big")


@test(seconds=20)
def what_breaks_the_rules_is_closed_with_a_code():
    for code, frames in VIOLATIONS:
        for secure in BOTH:
            with open_on(site, secure) as w:
                w.echoes()
                w.c.send(frames)
                expect(ended_with(w), code, f"{frames[:40]!r}")
                w.c.expect_closed()
            told = site.recorded(w.answer)
            expect((told["reason"], told["broken"]), ("protocol-switch", WHY[code]), f"{frames[:40]!r}")


@test()
def why_it_was_closed_is_logged():
    for payload, code, why in ((b"\xff", 1007, WHY[1007]), (bytes(MESSAGE_BYTES + 1), 1009, WHY[1009])):
        with open_on(site) as w:
            w.say(TEXT, payload)
            expect(ended_with(w), code)
        line = site.log_of(w.answer)
        expect((line["reason"], line["status"], line["broken"]), ("protocol-switch", 101, why))
    for code in (1000, 1001, 1002, 1007, 1009):  # what the client says is no fault that we found
        with open_on(site) as w:
            w.closes(code)
        expect((site.recorded(w.answer)["broken"], site.log_of(w.answer).get("broken")), (None, None), str(code))


@test()
def a_client_that_goes_on_sending_still_hears_why():
    for secure in BOTH:
        with open_on(site, secure) as w:
            w.c.send(said(3, b"x") + said(BINARY, bytes(MESSAGE_BYTES)) * 8)
            expect(ended_with(w), 1002)
            w.c.expect_closed()


@test()
def nothing_follows_a_close_frame():
    with open_on(site) as w:
        w.c.send(said(TEXT, b"before") + said(BINARY, bytes(MESSAGE_BYTES + 1)) + said(TEXT, b"behind") + said(PING))
        w.expect(TEXT, b"before")
        expect(w.hear()[1][:2], bye(1009))
        w.c.expect_closed()
