"""The harness's certificates and connections of TLS, against Python's own server of TLS."""
import socket
import ssl
import subprocess
import threading

from harness import (H2, Connection, Pki, TlsConnection, client_hello, expect, expect_in, expect_true, frame, openssl,
                     s_client, test)

pki = Pki()
own = pki.server("a.example", "*.b.example", "127.0.0.1")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Peer:
    """Answers each connection once with `answer`, then says close_notify (or just leaves, abrupt=True). `names`: the
    server names asked for; `shown`: subjects of client certificates."""

    def __init__(self, shows=own, answer=ANSWER, connections=1, abrupt=False, alpn=(), clients=False, **more):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(shows.certificate, shows.key)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(list(alpn))
        self.context.sni_callback = lambda one, name, context: self.names.append(name)
        if clients:
            self.context.verify_mode = ssl.CERT_OPTIONAL
            self.context.load_verify_locations(pki.ca)
        for key, value in more.items():
            setattr(self.context, key, value)
        self.answer, self.connections, self.abrupt = answer, connections, abrupt
        self.names, self.shown = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with self.listener:
            for _ in range(self.connections):
                plain, _ = self.listener.accept()
                plain.settimeout(5)
                try:
                    with self.context.wrap_socket(plain, server_side=True) as one:
                        self._answer(one)
                except OSError:
                    plain.close()

    def _answer(self, one):
        self.shown.append((one.getpeercert() or {}).get("subject"))
        one.recv(65536)
        one.sendall(self.answer)
        if not self.abrupt:
            one.unwrap()

    def connect(self, sni="a.example", ca=pki.ca, **more):
        return TlsConnection(("127.0.0.1", self.port), sni=sni, ca=ca, **more)


def asked(connection):
    return connection.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").response()


@test()
def a_connection_and_what_it_tells():
    peer = Peer(alpn=["http/1.1"])
    with peer.connect(alpn=["h2", "http/1.1"]) as c:
        expect(asked(c).content, b"hello")
        expect((c.version(), c.alpn, c.resumed, c.certificate), ("TLSv1.3", "http/1.1", False, own.der))
        expect_in("TLS_", c.cipher())
        c.expect_closed()
        expect(c.close_notify, True)
    expect(peer.names, ["a.example"])


@test()
def an_end_without_close_notify_is_seen():
    for notified in (True, False):
        with Peer(abrupt=True).connect() as c:
            asked(c)
            try:
                c.expect_closed(notified=notified)
                expect(notified, False)
            except AssertionError as said:
                expect_in("without close_notify", str(said))
            expect(c.close_notify, False)


@test()
def the_end_of_our_bytes_is_told():
    for about in ({}, {"maximum": "TLSv1.2"}):
        with Peer(answer=b"HTTP/1.1 200 OK\r\n\r\nrest").connect(**about) as c:
            expect(c.finish_sending().response().content, b"rest")
            expect(c.close_notify, True)


@test()
def records_can_be_sent_in_pieces():
    with Peer().connect() as c:
        for byte in c.seal("GET / HTTP/1.1\r\n\r\n"):
            c.socket.sendall(bytes([byte]))
        expect(c.response().content, b"hello")


@test()
def much_and_nothing_are_read():
    much = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + bytes(5000000)
    with Peer(answer=much).connect(wait_seconds=0.05) as c:
        c.expect_quiet(0.05)
        try:
            c.response()
            raise AssertionError("an answer to nothing")
        except TimeoutError:
            pass
        c.socket.settimeout(5)
        expect(len(asked(c).content), 5000000)


@test()
def versions_ciphers_and_refusals():
    with Peer().connect(maximum="TLSv1.2", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256", alpn=()) as c:
        expect((asked(c).status, c.version(), c.cipher()), (200, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"))
        expect(c.alpn, None)
    for about, wanted in (({"maximum": "TLSv1.1"}, "TLSV1_ALERT_PROTOCOL_VERSION"),
                          ({"sni": "c.example"}, "CERTIFICATE_VERIFY_FAILED"),
                          ({"ca": pki.other("stranger").certificate}, "CERTIFICATE_VERIFY_FAILED")):
        try:
            Peer().connect(**about).close()
        except ssl.SSLError as said:
            expect(said.reason, wanted, str(about))
            continue
        raise AssertionError(f"taken: {about}")


@test()
def names_may_be_none_or_wrong():
    for about, name in (({"sni": None}, None), ({"sni": "x.b.example"}, "x.b.example"), ({"sni": "127.0.0.1"}, None),
                        ({"sni": "other.example", "check_name": False}, "other.example"),
                        ({"sni": "other.example", "ca": None}, "other.example")):
        peer = Peer()
        with peer.connect(**about) as c:
            expect(asked(c).status, 200)
        expect(peer.names, [name], str(about))


@test()
def sessions_are_resumed():
    for version in ("TLSv1.2", "TLSv1.3"):
        peer = Peer(connections=2)
        with peer.connect(maximum=version) as first:
            asked(first)
            session = first.session
        with peer.connect(session=session) as again:
            expect((asked(again).status, again.version(), again.resumed), (200, version, True))


@test()
def chains_and_keys():
    chain = pki.server("deep.example", below=pki.intermediate())
    with Peer(shows=chain).connect(sni="deep.example") as c:
        expect((asked(c).status, c.certificate), (200, chain.der))
    with Peer(shows=pki.server("rsa.example", algorithm="rsa")).connect(sni="rsa.example") as c:
        expect(asked(c).status, 200)
    for name in (own, chain, pki.client("good")):
        expect(name.key.stat().st_mode & 0o777, 0o600)


@test()
def certificates_change_places():
    one, other = pki.server("same.example"), pki.server("same.example")
    expect_true(one.certificate != other.certificate and one.der != other.der, "two certificates of one name")
    wanted = other.der, other.key.read_bytes()
    one.become(other)
    expect((one.der, one.key.read_bytes()), wanted)


@test()
def clients_show_theirs():
    peer = Peer(clients=True, connections=2)
    for client in (pki.client("good", "/CN=somebody"), None):
        with peer.connect(client=client) as c:
            asked(c)
    expect(peer.shown, [((("commonName", "somebody"),),), None])


@test()
def what_is_wrong_with_each_client():
    for kind, wanted in (("good", "OK"), ("expired", "has expired"), ("early", "not yet valid"), ("foreign", "issuer"),
                         ("self-signed", "self-signed"), ("revoked", "revoked")):
        said = subprocess.run(["openssl", "verify", "-CAfile", pki.ca, "-CRLfile", pki.crl, "-crl_check", "-purpose",
                               "sslclient", pki.client(kind).certificate], capture_output=True, text=True, check=False)
        expect_in(wanted, said.stdout + said.stderr, kind)


@test()
def responses_of_ocsp():
    one = pki.server("stapled.example")
    for wanted in ("good", "revoked"):
        if wanted == "revoked":
            pki.revoke(one)
        told = openssl("ocsp", "-respin", pki.ocsp(one), "-issuer", pki.ca, "-cert", one.certificate, "-CAfile", pki.ca,
                       "-no_nonce").decode()
        expect_in(f": {wanted}", told)


@test()
def openssl_s_client_is_led():
    done = s_client(Peer().port, "-servername", "a.example", "-CAfile", pki.ca, until="hello",
                    say=[("Verify return code: 0", b"GET /\n")])
    expect_in("TLSv1.3", done.output)
    done = s_client(Peer().port, "-quiet", say=[b"x\n"])
    expect_in("hello", done.output)
    expect_true(done.code is not None, "ended by itself")
    try:
        s_client(Peer().port, until="never said", seconds=0.3)
        raise AssertionError("what was never said")
    except AssertionError as said:
        expect_in("did not come to 'never said'", str(said))
    expect(s_client(Peer().port, seconds=0.2).code, None)


@test()
def renegotiation_can_be_asked_for():
    peer = Peer(maximum_version=ssl.TLSVersion.TLSv1_2, options=ssl.OP_NO_RENEGOTIATION)
    done = s_client(peer.port, "-tls1_2", say=[("Verify return code", b"R\n")], until="no renegotiation")
    expect_in("RENEGOTIATING", done.output)


@test()
def a_client_hello_in_pieces():
    hello = client_hello(sni="a.example", alpn=["h2"])
    expect((hello[:3], b"a.example" in hello, b"\x02h2" in hello), (b"\x16\x03\x01", True, True))
    peer = Peer()
    with Connection(("127.0.0.1", peer.port)) as c:
        c.send(hello[:100]).send(hello[100:])
        expect(c.socket.recv(3), b"\x16\x03\x03")
    expect(peer.names, ["a.example"])


@test()
def http2_over_tls():
    answer = frame(4) + frame(1, 5, 1, b"\x88")
    with H2(Peer(alpn=["h2"], answer=answer).connect(alpn=["h2"])) as h:
        expect((h.connection.alpn, h.connection.secure, h.get("/").status), ("h2", True, 200))
        expect_true(h.closed(), "closed")
