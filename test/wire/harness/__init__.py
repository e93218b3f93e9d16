"""Drives the built program from outside, over real sockets, with raw bytes.

    from harness import Server, expect, test

    site = Server({"index.html": "hello"})          # a directory made for this file; started when first used

    @test("R030")                                   # the rules of docs/rules.tsv that this test proves
    def head_is_get_without_content():
        got = site.ask("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        head = site.ask("HEAD / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
        expect(head.get("Content-Length"), got.get("Content-Length"))

A test passes when it returns; it has ten seconds unless it says otherwise (seconds=30). test/run runs the files.

TLS

    pki = Pki()                                     # an authority in a folder of its own; openssl makes the rest
    a = pki.server("a.example", "*.b.example", "::1")     # .certificate .key (paths), .der, .become(other) for reloads
    site = Server(tree, config=TEXT, pki=pki)       # {tls_port} and {pki} in TEXT are filled in; site.tls_port
    site = Server(tree, tls=True)                   # without a configuration: --tls=127.0.0.1:PORT, state in site.state

    with site.connect_tls(sni="a.example", alpn=["http/1.1"], client=pki.client("good")) as c:
        c.send("GET / HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n").response().expect(200)
        c.version(), c.cipher(), c.certificate, c.alpn, c.session, c.resumed, c.close_notify
    site.connect_tls(session=c.session).resumed     # further: minimum= maximum= "TLSv1.2", ciphers=, ca=, check_name=
    expect(site.tls_refusal(maximum="TLSv1.1"), "TLSV1_ALERT_PROTOCOL_VERSION")
    site.connect(port="tls_port").send("GET / HTTP/1.1...")     # plain bytes where TLS is wanted
    client_hello(sni="a.example")                   # bytes, to be sent in pieces; c.seal(data): records, likewise

    pki.server(days=(-9, -1), algorithm="rsa", below=pki.intermediate(), common_name="x")     # what is unusual
    pki.client("good" "expired" "early" "foreign" "self-signed" "revoked", subject="/CN=x")
    pki.ca, pki.crl, pki.folder, pki.ocsp(a), pki.revoke(one)

    site.early_data(b"GET / HTTP/1.1...").early_data            # "accepted", "rejected"; .output has the answer
    site.s_client("-tls1_2", say=[("Verify return code", b"R\\n")], until="RENEGOTIATING").output

With a pki its authority must have signed and the name must fit; ca=False takes any certificate, check_name=False any
name. Names asked for when none is said: a.example, without a configuration localhost.

HTTP/2

    with site.h2_tls() as h:                        # ALPN; tls={...} as of connect_tls(). site.h2(): prior knowledge
        h.get("/a.txt").expect(200, "request-ok")   # an H2Response: all that a Response has, and .ended .reset .stream
        one = h.request("PUT", "/b", b"new", fields=[("if-match", "*")])     # the number of its stream
        h.response(one), h.head(one), h.interim(one), h.take(one, 5)

        h.headers(5, h2_request("GET", "/", "a", "https"), end_stream=False, end_headers=False, pad=3,
                  priority=(0, 16, False)).continuation(5, encode([("x", "y"), indexed(2)]))
        h.data(5, b"x", end_stream=True, pad=3).rst(5, Error.CANCEL).ping(b"12345678").window(0, 9).goaway()
        h.settings({Setting.ENABLE_PUSH: 0}).priority(5, 3).priority_update(5, "u=1")
        h.frame(99, flags=0, stream=0, payload=b"", length=7).send(b"raw")

        h.next_frame(), h.wait_for(Type.RST_STREAM, stream=5).error, h.expect_quiet(0.2), h.roundtrip(), h.seen
        h.settings_of_server[Setting.MAX_CONCURRENT_STREAMS], h.settings_acks
        expect(h.goaway_code(), Error.PROTOCOL_ERROR)           # None: the connection ended without GOAWAY
        expect_true(h.closed(), "the connection ends")

What sends returns at once, with no look at windows, limits or order, so that tests can break them all; only request(),
ask(), get() and content() keep the server's windows and frame size. What reads has a deadline (seconds=, else five),
and raises TimeoutError or, when the server breaks a rule of RFC 9113, Malformed. SETTINGS and PING are acknowledged
and windows refilled while a call reads: h.ack_settings, h.ack_pings, h.credit = False stop that. H2(connection,
settings=None, preface=b"") sends nothing by itself; forgiving=True goes on sending to a server that has closed, for
floods.
Field blocks: encode(pairs and bytes), literal(name or index, value, form="plain" "never" "added"), indexed(n),
table_size(n), integer(), string(octets, huffman=True). A field of headers() may be such bytes, too.
"""
from .checks import expect, expect_in, expect_true, skip
from .config import answering, configured, files
from .faults import Faults
from .frames import (Error, Flag, Frame, Setting, Type, encode, frame, h2_request, indexed, integer, literal, string,
                     table_size)
from .h2 import H2
from .h2_stream import H2Response
from .pki import Authority, Certificate, Pki, openssl
from .server import Server, build_dir, free_port, program, verdict
from .registry import test
from .tls import Run, TlsConnection, client_hello, s_client
from .wire import Connection, Malformed, Message, Response

__all__ = ["Authority", "Certificate", "Connection", "Error", "Faults", "Flag", "Frame", "H2", "H2Response",
           "Malformed", "Message", "Pki", "Response", "Run", "Server", "Setting", "TlsConnection", "Type", "answering",
           "build_dir", "client_hello", "configured", "encode", "expect", "expect_in", "expect_true", "files", "frame",
           "free_port", "h2_request", "indexed", "integer", "literal", "openssl", "program", "s_client", "skip",
           "string", "table_size", "test", "verdict"]
