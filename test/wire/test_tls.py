"""TLS: certificates by name, versions, protocols, tickets, stapling, files read again, and what goes wrong."""
import re
import signal
import ssl
import time

from harness import (Pki, Server, client_hello, configured, expect, expect_in, expect_true, files, openssl,
                     test, verdict)

MEGABYTE = 1 << 20
TREE = {"a.txt": "hello", "large.bin": bytes(range(256)) * (32 * 1024)}
RENEWED, REFUSED = "the new ones are in use", "the old ones stay in use"
RELOADED = "the new configuration is in force"

pki = Pki()
first = pki.server("a.example", "127.0.0.1")
exact = pki.server("x.b.example")
wild = pki.server("*.b.example", "b.example")
deep = pki.server("deep.example", below=pki.intermediate(), algorithm="rsa")
common = pki.server(common_name="common.example")


def get(target="/a.txt", host="a.example", fields="", version="1.1"):
    return f"GET {target} HTTP/{version}\r\nHost: {host}\r\n{fields}\r\n"


def shown(one, **more):
    return {"certificate": str(one.certificate), "key": str(one.key), **more}


def text_of(*certificates, times=None, routes=(), top=None, **tls):
    return configured(*(routes or [files(write=True)]), times={"certificate_check_ms": "100ms", **(times or {})},
                      tls={"listen": "127.0.0.1:{tls_port}", "certificates": list(certificates), **tls}, **(top or {}))


def serving(*certificates, args=(), **more):
    return Server(TREE, config=text_of(*(certificates or [shown(first)]), **more), pki=pki, admin=True, args=args)


def told(server, words, count=1, seconds=5):
    """Waits until its standard error has had the words so many times."""
    until = time.monotonic() + seconds
    while server.stderr.count(words) < count:
        expect_true(time.monotonic() < until, f"{words!r} was not said {count} times:\n{server.stderr}")
        time.sleep(0.01)


def failures(server, reason, count=1):
    """The records of handshakes that ended with the reason, newest first."""
    until = time.monotonic() + 5
    while len(rows := server.api(f"exchanges?reason={reason}")["exchanges"]) < count:
        expect_true(time.monotonic() < until, f"{len(rows)} of {count} {reason}")
        time.sleep(0.02)
    for row in rows:
        expect((row["reason"], row["status"], row["bytes_out"], row["target"]), (reason, 0, 0, ""))
    expect(len(rows), count)
    return rows


def serves(server, **more):
    with server.connect_tls(**more) as c:
        c.send(get(host=more.get("sni") or server.tls_name)).response().expect(200)


site = serving(shown(first), shown(wild), shown(exact), shown(deep), shown(common))


@test()
def the_name_asked_for_chooses_the_certificate():
    for name, wanted in (("a.example", first), ("x.b.example", exact), ("y.b.example", wild), ("b.example", wild),
                         ("X.B.Example", exact), ("deep.example", deep)):
        with site.connect_tls(sni=name) as c:
            expect(c.certificate, wanted.der, name)
            c.send(get(host=name)).response().expect(200, "request-ok")
    with site.connect_tls(sni="common.example", check_name=False) as c:  # a name that clients of today do not look at
        expect(c.certificate, common.der)
    for name in (None, "c.example", "z.y.b.example", "127.0.0.1"):
        with site.connect_tls(sni=name, check_name=name == "127.0.0.1") as c:
            expect(c.certificate, first.der, str(name))


@test()
def versions_and_protocols_are_agreed_on():
    for version in ("TLSv1.2", "TLSv1.3"):
        for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"),
                                (["x", "http/1.1"], "http/1.1"), (["http/1.0"], "http/1.0"), ((), None)):
            with site.connect_tls(alpn=offered, minimum=version, maximum=version) as c:
                expect((c.version(), c.alpn), (version, chosen), str(offered))
                if chosen == "h2":
                    continue
                answer = c.send(get()).response().expect(200, "request-ok")
                expect(site.log_of(answer)["tls"], version)
        with site.h2_tls(tls={"maximum": version}) as h:
            expect(site.log_of(h.get("/a.txt", authority="a.example").expect(200, "request-ok"))["tls"], version)
    expect_in("alert no application protocol", site.s_client("-alpn", "spdy/3").output)
    expect_true("tls" not in site.log_of(site.ask(get()).expect(200)), "plain HTTP has no version of TLS")


@test()
def http2_is_not_offered_where_it_is_off():
    with serving(h2=False) as one:
        with one.connect_tls(alpn=["h2", "http/1.1"]) as c:
            expect(c.alpn, "http/1.1")
            c.send(get()).response().expect(200)
        expect_in("no application protocol", one.s_client("-alpn", "h2").output)


@test()
def old_versions_are_refused():
    for version in ("TLSv1", "TLSv1.1"):
        expect(site.tls_refusal(maximum=version), "TLSV1_ALERT_PROTOCOL_VERSION", version)
    with serving(minimum="1.3") as one:
        serves(one)
        for version in ("TLSv1", "TLSv1.1", "TLSv1.2"):
            expect(one.tls_refusal(maximum=version), "TLSV1_ALERT_PROTOCOL_VERSION", version)
        expect([row["operand"] for row in failures(one, "tls-handshake-failed", 3)], ["unsupported protocol"] * 3)


@test()
def only_ciphers_with_forward_secrecy():
    for ciphers in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES256-SHA"):
        expect(site.tls_refusal(maximum="TLSv1.2", ciphers=f"{ciphers}:@SECLEVEL=0"), "SSLV3_ALERT_HANDSHAKE_FAILURE",
               ciphers)
    for ciphers in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        with site.connect_tls(maximum="TLSv1.2", ciphers=ciphers) as c:
            expect(c.cipher(), ciphers)


# What TLS carries

@test()
def records_of_all_sizes_carry_requests():
    with site.connect_tls() as c:
        for byte in c.seal(get()):
            c.socket.sendall(bytes([byte]))
        c.response().expect(200, "request-ok")
        for byte in get():  # a record for each byte
            c.send(byte)
        c.response().expect(200)
        c.send(get() * 300)  # many requests in a record
        for _ in range(300):
            expect(c.response().expect(200).content, b"hello")
    hello = client_hello(ca=pki.ca)
    with site.connect(port="tls_port") as c:
        for byte in hello:
            c.send(bytes([byte]))
        expect(c.socket.recv(3), b"\x16\x03\x03")


@test(seconds=20)
def much_goes_through_in_both_directions():
    large = TREE["large.bin"]
    for version in ("TLSv1.2", "TLSv1.3"):
        with site.connect_tls(maximum=version, window_bytes=65536) as c:
            head = f"PUT /up-{version} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {len(large)}\r\n\r\n"
            c.send(head).send(large).response("PUT").expect(201)
            expect((site.root / f"up-{version}").read_bytes() == large, True)
            c.send(get("/large.bin") + get(f"/up-{version}"))
            time.sleep(0.1)  # until nothing more fits into the socket
            for _ in range(2):
                expect(c.response().expect(200).content == large, True)
            c.send(get("/large.bin", fields="Range: bytes=1000000-3000000\r\n"))
            expect(c.response().expect(206).content == large[1000000:3000001], True)


@test()
def the_end_is_announced():
    with site.connect_tls() as c:
        c.send(get(fields="Connection: close\r\n")).response().expect(200)
        c.expect_closed()
    with site.connect_tls() as c:
        c.send("GET /a.txt HTTP/1.0\r\n\r\n").response().expect(200)
        c.expect_closed()
    for _ in range(5):
        with site.connect_tls(window_bytes=16384) as c:
            c.send("GET /large.bin HTTP/1.0\r\n\r\n")
            time.sleep(0.02)  # until nothing more fits into the socket
            expect(len(c.response().expect(200).content), len(TREE["large.bin"]))
            c.expect_closed()
    with serving(times={"keep_alive_ms": "200ms"}) as one, one.connect_tls() as c:
        c.send(get()).response().expect(200)
        c.expect_closed()


@test()
def a_client_that_announces_its_end_gets_its_answer():
    for version in ("TLSv1.2", "TLSv1.3"):
        with site.connect_tls(maximum=version) as c:
            c.send(get("/large.bin")).finish_sending()
            expect(len(c.response().expect(200).content), len(TREE["large.bin"]))


@test()
def content_that_is_cut_off_is_not_stored():
    whole = b"Host: a.example\r\nContent-Length: 10\r\n\r\nhello"
    for name, end in (("notified", lambda c: c.finish_sending()), ("closed", lambda c: c.socket.shutdown(1)),
                      ("broken", lambda c: c.socket.sendall(b"\x17\x03\x03\x00\x20" + bytes(32)))):
        with site.connect_tls() as c:
            c.send(f"PUT /cut-{name} HTTP/1.1\r\nUser-Agent: {name}\r\n".encode() + whole)
            time.sleep(0.05)
            end(c)
            line = site.log_where(user_agent=name)
        expect_in(line["reason"], ("request-content-cut-short", "client-closed-request"), name)
        expect_true(not (site.root / f"cut-{name}").exists(), f"{name}: stored")


@test()
def a_broken_record_ends_its_connection_alone():
    for version in ("TLSv1.2", "TLSv1.3"):
        with site.connect_tls() as other, site.connect_tls(maximum=version) as c:
            other.send(get()).response().expect(200)
            c.send(get()).response().expect(200)
            record = bytearray(c.seal(get()))
            record[20] ^= 1
            c.socket.sendall(record)
            try:
                c.expect_closed(notified=False)
            except ssl.SSLError as said:
                expect(said.reason, "SSLV3_ALERT_BAD_RECORD_MAC")
            other.send(get()).response().expect(200)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x17\x03\x03\xff\xff" + bytes(70000), b"\x16\x03\x03\x00\x00" * 100,
                    bytes(range(256)), b"\x15\x03\x03\x00\x02\x02\x00"):
        with site.connect_tls() as c:
            c.send(get()).response().expect(200)
            try:
                c.socket.sendall(garbage)
                while c.socket.recv(65536):
                    pass
            except ConnectionError:
                pass
    serves(site)


@test()
def nobody_negotiates_anew():
    done = site.s_client("-tls1_2", say=[("Verify return code", b"R\n")], until="no renegotiation")
    expect_in("no renegotiation", done.output.split("RENEGOTIATING")[1])
    done = site.s_client("-tls1_3", say=[("Verify return code", b"K\n"), ("KEYUPDATE", get().encode())], until="hello")
    expect_in("request-ok", done.output.split("KEYUPDATE")[1])  # new keys are no new agreement


# Handshakes that fail

@test()
def what_is_no_handshake_is_told_and_recorded():
    with serving() as one:
        for garbage in (b"\x16\x03\x01\x00\x05hello", b"\x00\x00\x00\x00\x00", b"\x80\x2e\x01\x00\x02" + bytes(60),
                        b"\x16\x03\x01\xff\xff" + bytes(16), b"\x17\x03\x03\x00\x05hello", b"\xff" * 2000):
            with one.connect(port="tls_port") as c:
                c.send(garbage)
                expect_in(c.socket.recv(5)[:1], (b"\x15", b""), f"an alert or nothing for {garbage[:8]}")
        for row in failures(one, "tls-handshake-failed", 6):
            expect_true(row["operand"], f"no word about {row}")
        for row in one.log():
            expect((row["reason"], row["status"], row["protocol"]), ("tls-handshake-failed", 0, ""))
        serves(one)


@test()
def a_handshake_that_nobody_ends_is_told():
    with serving() as one:
        with one.connect(port="tls_port") as c:
            c.send(client_hello())
            while len(c.kept) < 500:
                c._more()
        with one.connect(port="tls_port") as c:
            c.send(client_hello()[:50])
        expect(one.tls_refusal(ca=pki.other("stranger").certificate), "CERTIFICATE_VERIFY_FAILED")
        expect({row["operand"] for row in failures(one, "tls-handshake-failed", 3)},
               {"the client left", "unknown CA (the client's alert)"})
        for _ in range(3):
            one.connect(port="tls_port").close()
            one.connect(port="tls_port").reset()
        serves(one)
        failures(one, "tls-handshake-failed", 3)


@test()
def a_handshake_that_stalls_is_given_up():
    hello = client_hello()
    with serving(times={"head_wait_ms": "400ms"}) as one:
        start = time.monotonic()
        silent, half, later, drips = [one.connect(port="tls_port") for _ in range(4)]
        half.send(hello[:60])
        later.send(hello)
        for byte in hello[:9]:
            drips.send(bytes([byte]))
            time.sleep(0.05)
        silent.expect_closed()
        for c in (half, drips):
            c.expect_closed()
        while later.socket.recv(65536):
            pass
        expect_true(0.3 < time.monotonic() - start < 2, f"took {time.monotonic() - start} s")
        rows = failures(one, "tls-handshake-timeout", 3)
        expect([row["operand"] for row in rows], ["400 ms"] * 3)
        for c in (silent, half, later, drips):
            c.close()
        serves(one)


# Tickets

def resumed(server, session):
    """Whether it was, and the session to come again with."""
    with server.connect_tls(session=session) as c:
        c.send(get()).response().expect(200, "request-ok")
        return c.resumed, c.session


def session_of(server, **more):
    with server.connect_tls(**more) as c:
        c.send(get()).response().expect(200)
        return c.session


def key_name(server):
    """Of the key that tickets are sealed with: what each ticket begins with. RFC5077:4"""
    output = server.s_client("-tls1_2", until="Extended master secret").output
    return re.search(r"0000 - ((?:[0-9a-f]{2}[ -]){16})", output)[1]


@test(seconds=20)
def sessions_are_resumed_by_all_workers():
    with serving(shown(pki.server("a.example")), args=["--workers", "2"]) as one:
        for version in ("TLSv1.2", "TLSv1.3"):
            session = session_of(one, maximum=version)
            for i in range(24):
                again, session = resumed(one, session)
                expect(again, True, f"{version}, connection {i}")
        expect({row["worker"] for row in one.api("exchanges?limit=500")["exchanges"]}, {0, 1})
        expect(len({key_name(one) for _ in range(6)}), 1, "names of keys")


@test()
def sessions_outlive_new_certificates_and_configurations():
    own = pki.server("a.example")
    with serving(shown(own), args=["--workers", "2"]) as one:
        sessions = [session_of(one, maximum=version) for version in ("TLSv1.2", "TLSv1.3")]
        own.become(pki.server("a.example"))
        told(one, RENEWED)
        sessions = [resumed(one, session) for session in sessions]
        expect([again for again, _ in sessions], [True, True], "after new certificates")
        one.signal(signal.SIGHUP)
        told(one, RELOADED)
        expect([resumed(one, session)[0] for _, session in sessions], [True, True], "after a reload")


@test()
def a_session_is_for_its_name():
    session = session_of(site)
    context, ticket = session
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="y.b.example", session=ticket)
    with site.connect(port="tls_port") as c:
        for _ in range(10):
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                c.send(outgoing.read())
                incoming.write(c.socket.recv(65536))
        expect((client.session_reused, client.getpeercert(binary_form=True)), (False, wild.der))
    expect(resumed(site, session)[0], True)


@test(seconds=20)
def keys_of_tickets_change_and_nobody_notices():
    with serving(ticket_lifetime="2s") as one:
        session, name, start = session_of(one), key_name(one), time.monotonic()
        old, changes = session, 0
        while changes < 2:
            again, session = resumed(one, session)
            expect(again, True, f"after {time.monotonic() - start} s and {changes} new keys")
            fresh = key_name(one)
            name, changes = fresh, changes + (fresh != name)
            expect_true(time.monotonic() - start < 10, f"{changes} new keys")
            time.sleep(0.1)
        expect(resumed(one, old)[0], False, "a session whose key is gone")


@test()
def no_tickets_where_they_are_off():
    with serving(ticket_lifetime=0) as one:
        for version in ("TLSv1.2", "TLSv1.3"):
            expect(resumed(one, session_of(one, maximum=version))[0], False, version)


@test()
def a_session_lasts_as_long_as_is_configured():
    for lifetime, wanted in (("1d", 86400), ("10m", 600)):
        with serving(ticket_lifetime=lifetime) as one:
            for version in ("-tls1_2", "-tls1_3"):
                output = one.s_client(version, say=[get().encode(), ("hello", b"Q\n")]).output
                found = re.search(r"ticket lifetime hint: (\d+)", output)
                expect(found and int(found[1]), wanted, f"{lifetime} {version}")


# Stapling

def stapled(server, *args):
    return server.s_client("-status", *args, until="Verify return code").output


@test()
def a_response_of_ocsp_is_stapled():
    own = pki.server("a.example", "other.a.example")
    ocsp = pki.ocsp(own)
    with serving(shown(wild), shown(own, ocsp=str(ocsp))) as one:
        for version in ("-tls1_2", "-tls1_3"):
            said = stapled(one, version)
            expect_in("OCSP Response Status: successful", said)
            expect_in("Cert Status: good", said)
        expect_in("no response sent", one.s_client("-status", sni="y.b.example", until="Verify return code").output)
        expect_true("OCSP" not in one.s_client(until="Verify return code").output, "nobody asked")
        pki.revoke(own)
        pki.ocsp(own)
        told(one, RENEWED)
        expect_in("Cert Status: revoked", stapled(one))
        ocsp.write_bytes(pki.ocsp(wild).read_bytes())
        told(one, REFUSED)
        expect_in("about another certificate", one.stderr)
        expect_in("Cert Status: revoked", stapled(one))


# Files read again

@test()
def new_certificates_are_for_new_connections():
    own, later = pki.server("a.example"), pki.server("a.example")
    old = own.der
    with serving(shown(own)) as one, one.connect_tls() as c, one.h2_tls() as h:
        large = one.connect_tls(window_bytes=4096)
        answer = large.send(get("/large.bin")).head().expect(200)
        h.get("/a.txt", authority="a.example").expect(200)
        expect(c.certificate, old)
        own.become(later)
        told(one, RENEWED)
        with one.connect_tls() as fresh:
            expect(fresh.certificate, later.der)
            fresh.send(get()).response().expect(200)
        c.send(get()).response().expect(200)
        h.get("/a.txt", authority="a.example").expect(200)
        large._read_content(answer, "GET")
        expect(answer.content == TREE["large.bin"], True)
        large.close()
        serves(one)


@test()
def a_broken_file_is_told_and_not_used():
    own = pki.server("a.example")
    old, text, key = own.der, own.certificate.read_bytes(), own.key.read_bytes()
    with serving(shown(own)) as one, one.connect_tls() as c:
        def still_old(count, *words):
            told(one, REFUSED, count)
            for word in words:
                expect_in(word, one.stderr)
            with one.connect_tls() as fresh:
                expect(fresh.certificate, old)
            c.send(get()).response().expect(200)

        own.certificate.write_text("no certificate at all")
        still_old(1, str(own.certificate))
        own.certificate.unlink()
        still_old(2, "check the path")
        own.certificate.write_bytes(text)
        told(one, RENEWED, 1)
        own.key.write_bytes(first.key.read_bytes())
        still_old(3, "does not fit")
        own.key.write_bytes(key)
        told(one, RENEWED, 2)
        own.key.chmod(0o644)
        still_old(4, f"chmod 600 {own.key}")
        own.key.chmod(0o600)
        told(one, RENEWED, 3)
        own.become(pki.server("a.example"))
        told(one, RENEWED, 4)
        with one.connect_tls() as fresh:
            expect(fresh.certificate, own.der)


# Starting

def refused_start(words, *certificates, **tls):
    one = Server(TREE, config=text_of(*certificates, **tls), pki=pki)
    one.port, one.tls_port = 1, 2
    one.configure(one.config)
    done = verdict("serve", "-c", one.home / "verdict.yaml", "--admin", "off", env=one.env)
    expect(done.returncode, 2, done.stderr)
    expect_in(words, done.stderr)
    expect(done.stderr.count("\n"), 1, done.stderr)


@test()
def a_start_with_keys_that_others_read_is_refused():
    own = pki.server("a.example")
    for mode, words in ((0o644, "everybody may read or write this key: chmod 600"), (0o602, "everybody may"),
                        (0o660, "its group may write this key: chmod 600")):
        own.key.chmod(mode)
        refused_start(words, shown(own))
    own.key.chmod(0o640)
    with serving(shown(own)) as one:
        serves(one)


@test()
def a_start_with_files_that_do_not_fit_is_refused():
    own = pki.server("a.example")
    locked = pki.folder / "locked.key"
    locked.write_bytes(openssl("pkey", "-in", own.key, "-aes128", "-passout", "pass:x"))
    locked.chmod(0o600)
    empty, alone = pki.folder / "empty.pem", pki.folder / "alone.pem"
    empty.write_text("")
    alone.write_bytes(own.certificate.read_bytes())
    alone.chmod(0o644)
    for words, certificate in (("does not fit the certificate", shown(own, key=str(first.key))),
                               ("has a password", shown(own, key=str(locked))),
                               ("check the path", shown(own, certificate=str(pki.folder / "nowhere.pem"))),
                               ("empty.pem", shown(own, certificate=str(empty))),
                               ("no key in it", {"certificate": str(alone)}),
                               ("about another certificate", shown(own, ocsp=str(pki.ocsp(first)))),
                               ("is not an OCSP response", shown(own, ocsp=str(own.certificate)))):
        refused_start(words, certificate)


@test()
def a_certificate_out_of_its_time_is_warned_of():
    own, late = pki.server("a.example"), pki.server("a.example", days=(-20, -10))
    early = pki.server("b.example", days=(10, 20))
    expired = f"verdict: warning: {own.certificate}: this certificate expired on 20"
    begins = f"verdict: warning: {early.certificate}: this certificate begins on 20"
    with serving(shown(own), shown(early)) as one:
        expect((one.stderr.count(expired), one.stderr.count(begins)), (0, 1), one.stderr)
        own.become(late)
        told(one, expired)
        expect_in(": clients will refuse it: renew it\n", one.stderr)
        done = verdict("check", one.home / "verdict.yaml", env=one.env)
        expect((done.returncode, done.stderr.count(expired), done.stderr.count(begins)), (0, 1, 1), done.stderr)


@test(seconds=20)
def a_certificate_for_development_is_made_once():
    with Server(TREE, tls=True) as one:
        folder = one.state / "verdict"
        path, key = folder / "certificate.pem", folder / "key.pem"
        expect_in(str(path), one.said("made a certificate for development"))
        made = path.read_bytes(), key.read_bytes()
        expect([file.stat().st_mode & 0o777 for file in (folder, key)], [0o700, 0o600])
        for name in ("localhost", "127.0.0.1"):
            with one.connect_tls(sni=name, ca=path) as c:
                expect(c.alpn, "http/1.1")
                c.send(get(host=name)).response().expect(200)
        serves(one, sni=None, ca=False)
    one.errors.clear()
    with one:
        serves(one, ca=path)
        expect_true("made a certificate" not in one.stderr, one.stderr)
        expect((path.read_bytes(), key.read_bytes()), made)
    key.chmod(0o644)  # nobody knows who has read it
    with one:
        one.said("made a certificate for development")
        expect_true(key.read_bytes() != made[1], "another key")
        serves(one, ca=path)


@test()
def no_folder_for_a_certificate_is_told():
    one = Server(TREE)
    done = verdict("serve", one.root, "--tls", "--admin", "off", env={"XDG_STATE_HOME": "", "HOME": ""})
    expect(done.returncode, 2, done.stderr)
    expect_in("set XDG_STATE_HOME or HOME", done.stderr)


# Reload and stop

@test()
def connections_outlive_a_reload():
    with serving() as one, one.connect_tls(maximum="TLSv1.2") as c, one.h2_tls() as h:
        c.send(get("/told")).response().expect(404)
        upload = one.connect_tls()
        upload.send("PUT /up HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhello")
        h.get("/told", authority="a.example").expect(404)
        answer = {"path": "/told", "answer": {"reason": "request-ok", "text": "new"}}
        one.configure(text_of(shown(exact), routes=[files(), answer], minimum="1.3"))
        one.signal(signal.SIGHUP)
        told(one, RELOADED)
        until = time.monotonic() + 3
        while c.send(get("/told")).response().content != b"new":
            expect_true(time.monotonic() < until, "the new answer comes")
        expect(h.get("/told", authority="a.example").content, b"new")
        upload.send("world").response("PUT").expect(201)
        upload.close()
        expect(one.tls_refusal(maximum="TLSv1.2"), "TLSV1_ALERT_PROTOCOL_VERSION")
        with one.connect_tls(sni="x.b.example") as fresh:
            expect(fresh.certificate, exact.der)


@test()
def a_stop_waits_for_what_runs():
    one = serving(times={"drain_ms": "5s", "head_wait_ms": "1s"}).start()
    idle, upload, half = one.connect_tls(), one.connect_tls(), one.connect(port="tls_port")
    idle.send(get()).response().expect(200)
    half.send(client_hello()[:40])
    upload.send("PUT /up HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nhello")
    time.sleep(0.1)
    one.signal(signal.SIGTERM)
    idle.expect_closed()
    expect(upload.send("world").response("PUT").expect(201).words("Connection"), ["close"])
    upload.expect_closed()
    half.expect_closed()                            # when its time is over
    for c in (idle, upload, half):
        c.close()
    expect(one.ended(), 0)
    expect((one.root / "up").read_bytes(), b"helloworld")
