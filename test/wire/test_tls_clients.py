"""Certificates of clients: asked for by the site, told apart by what is wrong, never carried to another site."""
import shutil
import signal
import ssl
import time

from harness import Pki, Server, configured, expect, expect_in, expect_true, files, openssl, test, verdict

TREE = {"a.txt": "hello", "narrow/a.txt": "narrow"}
RELOADED = "the new configuration is in force"
VERSIONS = ("TLSv1.2", "TLSv1.3")

pki = Pki()
own = pki.server("open.example", "must.example", "may.example", "also.example", "plain.example", "*.wild.example")
crl = pki.crl
GOOD = "CN=good,O=Verdict tests"
BAD = {"foreign": "client-cert-invalid", "self-signed": "client-cert-invalid", "expired": "client-cert-expired",
       "early": "client-cert-expired", "revoked": "client-cert-revoked"}
DETAILS = {"client-cert-required": ("496", "403.7"), "client-cert-invalid": ("495", "403.16"),
           "client-cert-expired": ("495", "403.17"), "client-cert-revoked": ("495", "403.13"),
           "client-cert-mapping-denied": ("", "403.12")}


def routes():
    return [files(write=True), files("/nginx", dialect="nginx"), files("/iis", dialect="iis"),
            files("/narrow", client_subjects=["CN=somebody", GOOD]),
            files("/iis/nobody", dialect="iis", client_subjects="CN=nobody"),
            files("/nginx/nobody", dialect="nginx", client_subjects="CN=nobody")]


def asking(host, how, ca=None, crl_of=crl, only=None, **more):
    return {"host": host, "client_certificate": how, "client_ca": str(ca or pki.ca),
            **({"client_crl": str(crl_of)} if crl_of else {}), "routes": only or routes(), **more}


def text_of(*sites):
    return configured(sites=list(sites), times={"certificate_check_ms": "100ms"}, tls={
        "listen": "127.0.0.1:{tls_port}",
        "certificates": [{"certificate": str(own.certificate), "key": str(own.key)}]})


SITES = [{"host": ["open.example", "*.wild.example"], "default": True, "routes": [files(write=True)]},
         asking("must.example", "required"), asking("may.example", "optional"),
         asking("also.example", "required", crl_of=None)]
site = Server(TREE, config=text_of(*SITES), pki=pki, args=["--workers", "2"])


def get(host, target="/a.txt", method="GET", fields=""):
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n"


def asked(host, client=None, target="/a.txt", server=site, **more):
    with server.connect_tls(sni=host, client=client, **more) as c:
        return c.send(get(host, target)).response()


def refused(host, reason, client, target="/a.txt", status=403, detail="", subject=False):
    """In both versions, and the connection ends after it."""
    for version in VERSIONS:
        with site.connect_tls(sni=host, client=client, maximum=version) as c:
            answer = c.send(get(host, target)).response().expect(status, reason)
            expect(answer.words("Connection"), ["close"])
            c.expect_closed()
        line = site.log_of(answer)
        expect((line["status"], line["reason"], line["detail"], "subject" in line), (status, reason, detail, subject),
               f"{target} {version}")
    return answer, line


@test()
def good_certificates_are_served_and_logged():
    for host in ("must.example", "may.example", "also.example"):
        for version in VERSIONS:
            answer = asked(host, pki.client("good"), maximum=version).expect(200, "request-ok")
            line = site.log_of(answer)
            expect((line["subject"], line["tls"]), (GOOD, version), host)
        with site.h2_tls(sni=host, tls={"client": pki.client("good")}) as h:
            expect(site.log_of(h.get("/a.txt", authority=host).expect(200, "request-ok"))["subject"], GOOD)
    line = site.log_of(asked("open.example", pki.client("good")).expect(200))
    expect_true("subject" not in line, "nobody asked for it")


@test("R211", "R251")
def none_is_refused_where_one_is_required():
    answer, _ = refused("must.example", "client-cert-required", None)
    expect_in("client-cert-required", answer.text)
    refused("must.example", "client-cert-required", None, "/nginx/a.txt", 400, "496")
    refused("must.example", "client-cert-required", None, "/iis/a.txt", 403, "403.7")
    with site.h2_tls(sni="must.example") as h:
        h.get("/a.txt", authority="must.example").expect(403, "client-cert-required")


@test()
def none_will_do_where_it_is_optional():
    for version in VERSIONS:
        line = site.log_of(asked("may.example", maximum=version).expect(200, "request-ok"))
        expect_true("subject" not in line, line)


@test("R210", "R251", seconds=20)
def bad_certificates_are_told_apart():
    for kind, reason in BAD.items():
        for host in ("must.example", "may.example"):
            answer, line = refused(host, reason, pki.client(kind))
            expect_in(reason, answer.text)
            expect(line["operand"], f"CN={kind},O=Verdict tests")
        nginx, iis = DETAILS[reason]
        refused("must.example", reason, pki.client(kind), "/nginx/a.txt", 400, nginx)
        answer, _ = refused("must.example", reason, pki.client(kind), "/iis/a.txt", 403, iis)
        expect_in(iis, answer.text)


@test("R210")
def a_certificate_for_servers_or_by_somebody_else_is_invalid():
    refused("must.example", "client-cert-invalid", pki.server("must.example"))
    asked("also.example", pki.client("revoked")).expect(200)  # where there is no list
    below = pki.intermediate()
    one = below.sign(pki._fresh("below"), "/CN=below", "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n")
    for version in VERSIONS:
        answer = asked("also.example", one, maximum=version).expect(200, "request-ok")
        expect(site.log_of(answer)["subject"], "CN=below")
    leaf = pki._fresh("leaf")
    shutil.copy(one.key, leaf.key)
    text = one.certificate.read_text()
    leaf.certificate.write_text(text[:text.index("-----END") + 26])
    refused("also.example", "client-cert-invalid", leaf)  # without the one between


@test("R251")
def only_some_subjects_come_in():
    asked("must.example", pki.client("good"), "/narrow/a.txt").expect(200, "request-ok")
    asked("may.example", pki.client("good"), "/narrow/a.txt").expect(200, "request-ok")
    stranger = pki.client("good", "/O=Verdict tests/CN=good enough")
    for host in ("must.example", "may.example"):
        refused(host, "client-cert-mapping-denied", stranger, "/narrow/a.txt", subject=True)
        refused(host, "client-cert-required", None, "/narrow/a.txt")
        refused(host, "client-cert-expired", pki.client("expired"), "/narrow/a.txt")
    refused("must.example", "client-cert-mapping-denied", stranger, "/iis/nobody/x", detail="403.12", subject=True)
    refused("must.example", "client-cert-mapping-denied", stranger, "/nginx/nobody/x", subject=True)
    line = site.log_of(asked("must.example", stranger).expect(200))
    expect(line["subject"], "CN=good enough,O=Verdict tests")


@test()
def subjects_are_told_as_rfc_4514_has_them():
    for subject, wanted in (("/O=A, B/CN=x\\/y", "CN=x/y,O=A\\, B"), ("/CN= blank ", "CN=\\ blank\\ "),
                            ('/CN="quoted"', 'CN=\\"quoted\\"'), ("/C=AT/OU=a\\+b/CN=z", "CN=z,OU=a\\+b,C=AT")):
        answer = asked("may.example", pki.client("good", subject)).expect(200)
        expect(site.log_of(answer)["subject"], wanted)


@test()
def the_authorities_are_told_to_clients():
    for host, wanted in (("must.example", "CN = ca\n"), ("open.example", "No client certificate CA names sent")):
        for version in ("-tls1_2", "-tls1_3"):
            expect_in(wanted, site.s_client(version, sni=host, until="Verify return code").output.split("-----END")[1])


@test("R210", "R211")
def who_is_refused_changes_nothing():
    for client in (None, pki.client("expired"), pki.client("revoked")):
        with site.connect_tls(sni="must.example", client=client) as c:
            c.send(get("must.example", "/new", "PUT", "Content-Length: 3\r\n") + "new").response("PUT").expect(403)
            c.expect_closed()
        with site.h2_tls(sni="must.example", tls={"client": client}) as h:
            h.ask("PUT", "/new", b"new", authority="must.example").expect(403)
    expect_true(not (site.root / "new").exists(), "stored")


# One connection, several sites

@test("R181")
def a_connection_for_one_site_is_none_for_another():
    good = pki.client("good")
    for sni, client, host in (("open.example", None, "must.example"), ("open.example", None, "may.example"),
                              ("may.example", None, "must.example"), ("may.example", good, "must.example"),
                              ("must.example", good, "may.example"), ("must.example", good, "open.example"),
                              ("must.example", good, "also.example"), (None, None, "must.example")):
        for version in VERSIONS:
            with site.connect_tls(sni=sni, client=client, maximum=version, check_name=False) as c:
                put = get(host, "/moved", "PUT", "Content-Length: 3\r\n") + "new"
                c.send(put).response("PUT").expect(421, "misdirected")
                if sni is not None:
                    c.send(get(sni)).response().expect(200)
        with site.h2_tls(sni=sni, tls={"client": client, "check_name": False}) as h:
            h.ask("PUT", "/moved", b"new", authority=host).expect(421, "misdirected")
    expect_true(not (site.root / "moved").exists(), "stored")


@test()
def sites_that_ask_the_same_clients_share_connections():
    two = [asking("must.example", "required"), asking("also.example", "required"), asking("may.example", "optional")]
    with Server(TREE, config=text_of(*two), pki=pki) as one, one.h2_tls(
            sni="must.example", tls={"client": pki.client("good")}) as h:
        h.get("/a.txt", authority="must.example").expect(200)
        expect(one.log_of(h.get("/a.txt", authority="also.example").expect(200))["subject"], GOOD)
        h.get("/a.txt", authority="may.example").expect(421, "misdirected")
        with one.connect_tls(sni="may.example") as c:  # which shows none
            c.send(get("may.example")).response().expect(200)
            c.send(get("must.example")).response().expect(421, "misdirected")


# Sessions

def resumed(server, host, session):
    with server.connect_tls(sni=host, session=session) as c:
        answer = c.send(get(host)).response()
        return c.resumed, answer, c.session


def session_of(server, host, client, version, status=200):
    with server.connect_tls(sni=host, client=client, maximum=version) as c:
        c.send(get(host)).response().expect(status)
        return c.session


@test(seconds=20)
def resumed_sessions_keep_what_was_found():
    for version in VERSIONS:
        for host, client, subject in (("must.example", pki.client("good"), GOOD), ("open.example", None, None),
                                      ("may.example", pki.client("good"), GOOD)):
            session = session_of(site, host, client, version)
            for _ in range(4):
                again, answer, session = resumed(site, host, session)
                expect((again, answer.status), (True, 200), f"{host} {version}")
                expect(site.log_of(answer).get("subject"), subject)


@test("R210", "R211", seconds=20)
def who_was_refused_is_asked_again():
    for version in VERSIONS:
        for client, reason in ((None, "client-cert-required"),
                               *((pki.client(kind), reason) for kind, reason in BAD.items())):
            session = session_of(site, "must.example", client, version, 403)
            again, answer, _ = resumed(site, "must.example", session)
            expect((again, answer.status, answer.reason), (False, 403, reason), version)
        again, answer, _ = resumed(site, "may.example", session_of(site, "may.example", None, version))
        expect(answer.status, 200)


def resumed_elsewhere(session, host):
    """Whether the session of another name is resumed for this one, and the answer of the server."""
    context, ticket = session
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=host, session=ticket)
    answer = b""
    with site.connect(port="tls_port") as c:
        for step in (client.do_handshake, lambda: client.write(get(host).encode()), lambda: client.read(65536)):
            while True:
                try:
                    answer = step()
                    break
                except ssl.SSLWantReadError:
                    c.send(outgoing.read())
                    incoming.write(c.socket.recv(65536))
            c.send(outgoing.read())
        return client.session_reused, answer.split(b"\r\n")[0].decode()


@test("R211")
def a_session_is_for_the_site_it_was_made_for():
    refusal, success = "HTTP/1.1 403 Forbidden", "HTTP/1.1 200 OK"
    for version in VERSIONS:
        for made, client, host, wanted in (("open.example", None, "must.example", refusal),
                                           ("may.example", None, "must.example", refusal),
                                           ("also.example", pki.client("revoked"), "must.example", refusal),
                                           ("must.example", pki.client("good"), "open.example", success),
                                           ("must.example", pki.client("good"), "must.example", success)):
            session = session_of(site, made, client, version)
            expect(resumed_elsewhere(session, host), (made == host, wanted), f"{made} to {host}, {version}")


# Files read again, and a reload

NEW, OLD = ("verdict: certificates of clients: the files have changed: " + words for words in
            ("the new ones are in use\n", "the old ones stay in use: "))


def told(server, words, count=1):
    until = time.monotonic() + 5
    while server.stderr.count(words) < count:
        expect_true(time.monotonic() < until, f"{words!r} was not said {count} times:\n{server.stderr}")
        time.sleep(0.01)


@test("R210")
def new_files_are_in_force_without_a_reload():
    mine, other = Pki(), Pki()
    ca, taken_back = mine.folder / "who.pem", mine.folder / "list.pem"
    ca.write_bytes(mine.ca.read_bytes())
    taken_back.write_bytes(mine.crl.read_bytes())
    user = mine.client("good")
    must = asking("must.example", "required", ca=ca, crl_of=taken_back)
    with Server(TREE, config=text_of(must), pki=pki) as one:
        sessions = [session_of(one, "must.example", user, version) for version in VERSIONS]
        with one.connect_tls(sni="must.example", client=user) as c, one.h2_tls(
                sni="must.example", tls={"client": user}) as h:
            c.send(get("must.example")).response().expect(200)
            h.get("/a.txt", authority="must.example").expect(200)
            mine.revoke(user)
            taken_back.write_bytes(mine.crl.read_bytes())
            told(one, NEW)
            c.send(get("must.example")).response().expect(421, "misdirected")
            h.get("/a.txt", authority="must.example").expect(421, "misdirected")
        for version in VERSIONS:
            asked("must.example", user, server=one, maximum=version).expect(403, "client-cert-revoked")
        for session in sessions:
            again, answer, _ = resumed(one, "must.example", session)
            expect((again, answer.reason), (False, "client-cert-revoked"))
        taken_back.write_text("nothing\n")
        told(one, OLD + f"{taken_back}: there is no revocation list in it")
        asked("must.example", user, server=one).expect(403, "client-cert-revoked")
        taken_back.write_bytes(other.crl.read_bytes())
        told(one, f"{OLD}{taken_back}: no list of revoked certificates in it is by an authority in {ca}")
        ca.write_bytes(other.ca.read_bytes())
        told(one, NEW, 2)
        asked("must.example", user, server=one).expect(403, "client-cert-invalid")
        asked("must.example", other.client("good"), server=one).expect(200)
        expect(one.stderr.count(OLD), 2, one.stderr)


@test()
def who_came_before_a_list_is_told_apart_after_a_reload_too():
    mine = Pki()
    taken_back = mine.folder / "list.pem"
    taken_back.write_bytes(mine.crl.read_bytes())
    user = mine.client("good")
    must = asking("must.example", "required", ca=mine.ca, crl_of=taken_back)
    with Server(TREE, config=text_of(must), pki=pki) as one, one.connect_tls(sni="must.example", client=user) as c:
        c.send(get("must.example")).response().expect(200)
        mine.revoke(user)
        taken_back.write_bytes(mine.crl.read_bytes())
        told(one, NEW)
        reload(one, must)
        time.sleep(0.2)
        c.send(get("must.example")).response().expect(421, "misdirected")


@test()
def a_list_that_has_expired_is_warned_of():
    mine = Pki()
    mine.crl
    old = mine.folder / "old.pem"
    openssl("ca", "-config", mine.authority.config, "-gencrl", "-crl_lastupdate", "20200101000000Z",
            "-crl_nextupdate", "20200201000000Z", "-out", old)
    words = (f"verdict: warning: {old}: this list of revoked certificates expired on 2020-02-01 00:00 UTC: clients are "
             "refused until there is a new one: ")
    must = asking("must.example", "required", ca=mine.ca, crl_of=old)
    fresh, stale = mine.crl.read_bytes(), old.read_bytes()
    with Server(TREE, config=text_of(must), pki=pki) as one:
        expect(one.stderr.count(words), 1, one.stderr)
        done = verdict("check", one.home / "verdict.yaml", env=one.env)
        expect((done.returncode, done.stderr.count(words)), (0, 1), done.stderr)
        asked("must.example", mine.client("good"), server=one).expect(403, "client-cert-invalid")
        old.write_bytes(fresh)
        told(one, NEW)
        asked("must.example", mine.client("good"), server=one).expect(200)
        old.write_bytes(stale)
        told(one, words, 2)
        reload(one, must)
        expect(one.stderr.count(words), 3, one.stderr)


def reload(server, *sites):
    before = server.stderr.count(RELOADED)
    server.configure(text_of(*sites))
    server.signal(signal.SIGHUP)
    until = time.monotonic() + 5
    while server.stderr.count(RELOADED) == before:
        expect_true(time.monotonic() < until, server.stderr)
        time.sleep(0.01)


def settled(ask, status):
    """Workers take up the new configuration one after the other."""
    until = time.monotonic() + 3
    while (answer := ask()).status != status:
        expect_true(time.monotonic() < until, f"{answer}")
        time.sleep(0.01)
    return answer


@test()
def a_certificate_taken_back_is_refused_from_the_next_reload_on():
    mine = Pki()
    list_before = mine.crl.read_bytes()
    copy = mine.folder / "list.pem"
    copy.write_bytes(list_before)
    user = mine.client("good")
    must = asking("must.example", "required", ca=mine.ca, crl_of=copy)
    with Server(TREE, config=text_of(must), pki=pki) as one:
        sessions = [session_of(one, "must.example", user, version) for version in VERSIONS]
        with one.connect_tls(sni="must.example", client=user) as c:
            c.send(get("must.example")).response().expect(200)
            mine.revoke(user)
            copy.write_bytes(mine.crl.read_bytes())
            reload(one, must)
            answer = settled(lambda: c.send(get("must.example")).response(), 421)
            expect(answer.reason, "misdirected")
        asked("must.example", user, server=one).expect(403, "client-cert-revoked")
        for session in sessions:
            again, answer, _ = resumed(one, "must.example", session)
            expect((again, answer.reason), (False, "client-cert-revoked"))


@test()
def a_reload_that_asks_the_same_clients_leaves_their_connections():
    told = {"path": "/told", "answer": {"reason": "gone"}}
    with Server(TREE, config=text_of(*SITES), pki=pki) as one:
        good = pki.client("good")
        session = session_of(one, "must.example", good, "TLSv1.3")
        with one.connect_tls(sni="must.example", client=good) as c, one.h2_tls(
                sni="may.example", tls={"client": good}) as h:
            c.send(get("must.example", "/told")).response().expect(404)
            h.get("/told", authority="may.example").expect(404)
            reload(one, SITES[0], asking("must.example", "required", only=[told]),
                   asking("may.example", "optional", only=[told]))
            settled(lambda: c.send(get("must.example", "/told")).response(), 410)
            settled(lambda: h.get("/told", authority="may.example"), 410)
        again, answer, _ = resumed(one, "must.example", session)
        expect((again, answer.status), (True, 404))


@test()
def a_reload_that_asks_other_clients_wants_new_connections():
    with Server(TREE, config=text_of(*SITES), pki=pki) as one:
        with one.connect_tls(sni="may.example") as c, one.connect_tls(sni="open.example") as other:
            c.send(get("may.example")).response().expect(200)
            other.send(get("open.example")).response().expect(200)
            reload(one, SITES[1], asking("may.example", "required"), asking("open.example", "required"))
            for connection, host in ((c, "may.example"), (other, "open.example")):
                settled(lambda: connection.send(get(host)).response(), 421)
                expect(connection.send(get(host)).response().reason, "misdirected")
                asked(host, server=one).expect(403, "client-cert-required")
                asked(host, pki.client("good"), server=one).expect(200)


@test()
def files_that_are_no_authorities_are_refused():
    one = Server(TREE, config="{tls_port}", pki=pki)
    one.port, one.tls_port = 1, 2
    empty = pki.folder / "empty.pem"
    empty.write_text("")
    for ca, crl_of, words in ((pki.folder / "none.pem", None, "check the path"), (empty, None, "empty.pem"),
                              (pki.ca, pki.folder / "none.pem", "check the path"),
                              (pki.ca, pki.ca, "there is no revocation list in it"),
                              (pki.other("foreign-ca").certificate, crl, "is by an authority in")):
        one.configure(text_of(asking("must.example", "required", ca=ca, crl_of=crl_of)))
        for command in (["serve", "--admin", "off", "-c"], ["check"]):
            done = verdict(*command, one.home / "verdict.yaml", env=one.env)
            expect(done.returncode, {"serve": 2, "check": 1}[command[0]], done.stderr + done.stdout)
            expect_in(words, done.stderr + done.stdout)
