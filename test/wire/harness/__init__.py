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

Upstreams

    app = Upstream("a")                             # listens at once: app.port, app.address; unix=True: app.path
    safe = Upstream(tls=pki.server("up.test"), tls_options={"client_ca": pki.ca, "alpn": ["http/1.1"]})
    app.answer("/a", response(200, b"x", [("X", "y")]))     # or a function of the Request; else it echoes it as JSON
    app.fail("/b", "reset-in-content", sent_bytes=3)        # by a name of FAILURES; app.fail("/b", ..., times=1): once
    app.script("/c", [Interim(103), b"HTTP/1.1 200 OK\r\n", Sleep(0.2), Drip(b"...", size=1, pause=0.1), Reset()])
    app.script("/d", [ReadContent(1000), Silent()])         # else the content has been read; early=True: it has not
    app.at_connect = CONNECT_FAILURES["tls-alert"]          # steps on each new connection, before TLS and requests
    app.down(), app.up(), app.cut(), app.stop(), refusing_port(), full_port()

    one = app.wait_requests(1)[0]                   # .method .target .version .fields .get(name) .content .raw .sha256
    one.connection, one.link.received, one.link.wait_end()          # the number; all bytes; "closed by peer"...
    app.requests, app.connections, app.open, app.wait_open(0), app.expect_quiet(), app.reset_log()

    dns = Dns({"app.test": ["127.0.0.1", "::1"]}, ttl=1)    # dns.address; dns.names[...] = [...]; else NXDOMAIN
    dns.silent("slow.test").servfail("bad.test"), dns.delays["app.test", "AAAA"] = 0.5, dns.questions

    php = FcgiApp("php")                            # an Upstream that speaks FastCGI: answers are what programs write
    php.answer("/a.php", "Status: 404 Gone\r\n\r\nx")   # or raw, from harness.fcgi: php.script("/b.php", [said("...")])
    php.requests[0].parameters["SCRIPT_NAME"], .content .chunks .keeps

    Nginx(tree, config="location / {...}"), Apache(tree, config="...", modules=["dav"]), Node(script), PhpFpm(tree),
    SServer(certificate, "-tls1_2")                 # .port, .address start them, or skip() when there is none
    ns = Netns()                                    # Upstream(host=ns.far, netns=ns); ns.unroutable .swallowed .cut()
"""
from .checks import expect, expect_in, expect_true, skip
from .config import answering, configured, files
from .dns import Dns
from .faults import Faults
from .fcgi import FcgiApp
from .frames import (Error, Flag, Frame, Setting, Type, encode, frame, h2_request, indexed, integer, literal, string,
                     table_size)
from .h2 import H2
from .h2_stream import H2Response
from .netns import Netns
from .peers import Apache, Nginx, Node, Peer, PhpFpm, SServer
from .pki import Authority, Certificate, Pki, openssl
from .server import Server, build_dir, free_port, program, verdict
from .registry import test
from .tls import Run, TlsConnection, client_hello, s_client
from .upstream import Upstream, full_path, full_port, refusing_port
from .upstream_failures import CONNECT_FAILURES, FAILURES
from .upstream_link import Link, Request
from .upstream_steps import (AwaitBytes, Close, Drip, Echo, Flood, HalfClose, Interim, Read, ReadContent, ReadHead,
                             Reset, Send, Silent, Sleep, Switch, Until, chunked, pattern, response, tls_alert)
from .wire import Connection, Malformed, Message, Response

__all__ = ["Apache", "Authority", "AwaitBytes", "CONNECT_FAILURES", "Certificate", "Close", "Connection", "Dns",
           "Drip", "Echo", "Error", "FAILURES", "Faults", "FcgiApp", "Flag", "Flood", "Frame", "H2", "H2Response",
           "HalfClose", "Interim", "Link", "Malformed", "Message", "Netns", "Nginx", "Node", "Peer", "PhpFpm", "Pki",
           "Read", "ReadContent", "ReadHead", "Request", "Reset", "Response", "Run", "SServer", "Send", "Server",
           "Setting", "Silent", "Sleep", "Switch", "TlsConnection", "Type", "Until", "Upstream", "answering",
           "build_dir", "chunked", "client_hello", "configured", "encode", "expect", "expect_in", "expect_true",
           "files", "frame", "free_port", "full_path", "full_port", "h2_request", "indexed", "integer", "literal",
           "openssl", "pattern", "program", "refusing_port", "response", "s_client", "skip", "string", "table_size",
           "test", "tls_alert", "verdict"]
