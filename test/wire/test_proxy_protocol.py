"""Whose connection it is, and whose request: what trusted proxies say, and what others say in vain."""
import socket
import ssl
import struct
import subprocess
import time

from harness import (H2, Connection, Peer, Pki, Server, Upstream, configured, expect, expect_in, expect_true, files,
                     free_port, test)

LOCAL = "127.0.0.1"
TRUSTED = "127.0.0.2"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
GET = b"GET /a.txt HTTP/1.1\r\nHost: a.example\r\n\r\n"

pki = Pki()
shown = pki.server("a.example")
app = Upstream("app")
site = Server({"a.txt": "a"}, pki=pki, config=configured(
    files(), listen_proxy_protocol=True, trusted_proxies=TRUSTED, workers=1, h2c=True,
    limits={"connections_per_client": 3}, times={"head_wait_ms": 400},
    tls={"listen": "127.0.0.1:{tls_port}",
         "certificates": [{"certificate": str(shown.certificate), "key": str(shown.key)}]}))
plain = Server({"a.txt": "a"}, config=configured(
    files(), {"path": "/up", "gateway": {"upstream": "app", "tell": "both"}},
    trusted_proxies=[TRUSTED, "192.0.2.0/24"], real_ip=True, workers=1,
    upstreams=[{"name": "app", "servers": app.address}]))


def v1(client, port=4321, family="TCP4", to="192.0.2.200"):
    return f"PROXY {family} {client} {to} {port} 80\r\n".encode()


def v2(client, command=0x21, extension=b""):
    ipv6 = ":" in client
    family, pack = (0x21, socket.AF_INET6) if ipv6 else (0x11, socket.AF_INET)
    block = socket.inet_pton(pack, client) * 2 + struct.pack("!HH", 4321, 80) + extension
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(block)) + block


def v2_unix(path):
    block = path.encode().ljust(108, b"\0") + bytes(108)
    return SIGNATURE + b"\x21\x31" + struct.pack("!H", len(block)) + block


def through(header, request=GET, source=TRUSTED, port="port"):
    with site.connect(source=source, port=port) as c:
        return c.send(header + request).response()


def client_of(answer, one=site):
    return one.log_of(answer)["client"]


# PROXY protocol


@test()
def the_header_tells_the_client():
    for header, client in ((v1("192.0.2.1"), "192.0.2.1"), (v1("2001:db8::1", family="TCP6", to="2001:db8::2"),
                                                            "2001:db8::1"),
                           (v2("192.0.2.3"), "192.0.2.3"), (v2("2001:db8::4"), "2001:db8::4"),
                           (v2("192.0.2.5", extension=b"\x04\0\x03abc"), "192.0.2.5"),
                           (b"PROXY UNKNOWN\r\n", TRUSTED), (SIGNATURE + b"\x20\x00\0\0", TRUSTED)):
        expect(client_of(through(header).expect(200, "request-ok")), client, header)


@test()
def it_may_come_in_pieces():
    for header in (v1("192.0.2.1"), v2("192.0.2.1")):
        with site.connect(source=TRUSTED) as c:
            for byte in header + GET:
                c.send(bytes([byte]))
            expect(client_of(c.response().expect(200)), "192.0.2.1")
            expect(client_of(c.send(GET).response().expect(200)), "192.0.2.1")


@test()
def tls_and_http2_come_behind_it():
    raw = Connection((LOCAL, site.start().tls_port), source=TRUSTED)
    raw.send(v2("192.0.2.7"))
    context = ssl.create_default_context(cafile=str(pki.ca))
    with context.wrap_socket(raw.socket, server_hostname="a.example") as secured:
        secured.sendall(GET)
        text = secured.recv(65536).decode()
    expect_in("200 OK", text)
    number = text.split('id="')[1][:8]
    expect(client_of(number), "192.0.2.7")
    with site.connect(source=TRUSTED) as c:
        answer = H2(c.send(v1("192.0.2.8"))).get("/a.txt").expect(200, "request-ok")
    expect(client_of(answer), "192.0.2.8")


def refused(*steps):
    """What is logged of a trusted proxy that begins so."""
    told = len(refusals())
    with site.connect(source=TRUSTED) as c:
        for step in steps:
            step(c)
        ends(c)
    until = time.monotonic() + 5
    while len(refusals()) == told and time.monotonic() < until:
        time.sleep(0.01)
    line = refusals()[told]
    expect((line["client"], line["status"], line["method"]), (TRUSTED, 0, ""))
    return line["operand"]


def refusals():
    return [line for line in site.start().log() if line["reason"] == "proxy-header-invalid"]


def ends(connection):
    try:
        connection.expect_closed()
    except ConnectionResetError:
        pass


@test()
def headers_that_cannot_be_read():
    for bad in (GET, b"PROXY TCP4 192.0.2.1\r\n", b"PROXY TCP4 192.0.2.999 192.0.2.1 1 2\r\n", b"PROXY " + b"x" * 200,
                SIGNATURE + b"\x31\x11\0\x0c" + b"\0" * 12, v2("192.0.2.1", extension=b"x" * 2000),
                b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"):
        expect_true(refused(lambda c, bad=bad: c.send(bad)), f"it is told what is wrong with {bad!r}")


@test()
def half_a_header_is_not_waited_for_for_ever():
    half = b"PROXY TCP4 192.0.2.1"
    expect_in("in time", refused(lambda c: c.send(half)))
    expect_in("ended before", refused(lambda c: c.send(half).finish_sending()))


@test()
def who_says_nothing_is_not_logged():
    before = len(site.start().log())
    with site.connect(source=TRUSTED) as c:
        c.expect_closed()
    with site.connect(source=TRUSTED) as c:
        c.finish_sending().expect_closed()
    expect(len(site.log()), before)


@test()
def others_are_served_as_they_are():
    expect(client_of(through(b"", source="127.0.0.3").expect(200, "request-ok")), "127.0.0.3")
    with site.connect() as c:
        c.send(v1("192.0.2.1") + GET).response().expect(400)
    expect(client_of(through(b"", source=LOCAL)), LOCAL)


@test()
def limits_are_those_of_the_client():
    held = []
    try:
        for number in range(8):
            c = site.connect(source=TRUSTED)
            held.append(c)
            c.send(v1(f"192.0.2.{100 + number}") + GET).response().expect(200)
        for _ in range(2):
            c = site.connect(source=TRUSTED)
            held.append(c)
            c.send(v1("192.0.2.100") + GET).response().expect(200)
        through(v1("192.0.2.100")).expect(429, "connection-limit-per-client")
    finally:
        for c in held:
            c.close()


@test()
def curl_speaks_it():
    site.start()
    done = subprocess.run(["curl", "-sS", "--max-time", "5", "--haproxy-protocol", "--interface", TRUSTED, "-D", "-",
                           f"http://{LOCAL}:{site.port}/a.txt"], capture_output=True, text=True, check=False)
    expect((done.returncode, done.stderr), (0, ""))
    expect_in("200 OK", done.stdout)


@test()
def unix_sockets_may_be_trusted():
    with Server({"a.txt": "a"}, config=configured(
            files(), listen=[LOCAL + ":{port}", "unix:{root}/.socket"], listen_proxy_protocol=True,
            trusted_proxies="unix:")) as one:
        with Connection(str(one.root / ".socket"), family=socket.AF_UNIX) as c:
            answer = c.send(v1("192.0.2.1") + GET).response().expect(200, "request-ok")
        expect(client_of(answer, one), "192.0.2.1")
        one.ask(GET).expect(200, "request-ok")


@test()
def long_addresses_are_whole():
    for path in ("/run/client", "/run/" + "x" * 100):
        expect(client_of(through(v2_unix(path)).expect(200, "request-ok")), "unix:" + path)


class HAProxy(Peer):
    """A load balancer in front of the server, which says whose connection it is, in this version of the protocol."""

    program = "haproxy"

    def __init__(self, version):
        super().__init__()
        self.version = version

    def arguments(self):
        return ["-f", self.write("haproxy.cfg", f"""
defaults
    mode tcp
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend in
    bind {LOCAL}:{self.own_port}
    default_backend out
backend out
    source {TRUSTED}
    server verdict {LOCAL}:{site.start().port} {"send-proxy-v2" if self.version == 2 else "send-proxy"}
""")]


@test()
def haproxy_tells_its_clients():
    for version in (1, 2):
        with Connection((LOCAL, HAProxy(version).port), source="127.0.0.5") as c:
            answer = c.send(GET).response().expect(200, "request-ok")
        expect(client_of(answer), "127.0.0.5", version)


# Forwarded and X-Forwarded-For


def told(*lines, source=TRUSTED, target="/a.txt"):
    with plain.connect(source=source) as c:
        return c.send("\r\n".join([f"GET {target} HTTP/1.1", "Host: a", *lines, "", ""])).response()


@test()
def trusted_proxies_tell_the_client():
    for lines, client in ((["X-Forwarded-For: 198.51.100.1"], "198.51.100.1"),
                          (["X-Forwarded-For: 203.0.113.9, 198.51.100.1, 192.0.2.7"], "198.51.100.1"),
                          (["X-Forwarded-For: 2001:db8::1"], "2001:db8::1"),
                          (["Forwarded: for=198.51.100.2;proto=https"], "198.51.100.2"),
                          (['Forwarded: for="[2001:db8::2]:1234", for=192.0.2.1'], "2001:db8::2"),
                          (["Forwarded: for=198.51.100.2", "X-Forwarded-For: 198.51.100.1"], "198.51.100.2"),
                          (["X-Forwarded-For: nobody"], TRUSTED), (["Forwarded: for=unknown"], TRUSTED),
                          (["Forwarded: for=_hidden"], TRUSTED), (["Forwarded: ;;="], TRUSTED),
                          (["X-Forwarded-For: 198.51.100.1, ?"], TRUSTED), ([], TRUSTED)):
        expect(client_of(told(*lines).expect(200), plain), client, lines)


@test()
def others_tell_nothing():
    expect(client_of(told("X-Forwarded-For: 198.51.100.1", source=LOCAL), plain), LOCAL)
    expect(client_of(told("Forwarded: for=198.51.100.1", source=LOCAL), plain), LOCAL)


@test()
def upstreams_hear_of_client_and_proxy():
    app.reset_log()
    told("X-Forwarded-For: 198.51.100.1", target="/up").expect(200)
    request = app.wait_requests(1)[0]
    expect(request.get("X-Forwarded-For"), f"198.51.100.1, {TRUSTED}")
    expect(request.get("X-Real-IP"), "198.51.100.1")
    app.reset_log()
    told("Forwarded: for=198.51.100.1", target="/up").expect(200)
    expect_in(f"for=198.51.100.1,for={TRUSTED}", app.wait_requests(1)[0].get("Forwarded").replace(" ", ""))
    app.reset_log()
    told("X-Forwarded-For: 198.51.100.1", target="/up", source=LOCAL).expect(200)
    expect(app.wait_requests(1)[0].get("X-Forwarded-For"), LOCAL)


@test()
def forward_proxies_serve_who_is_told():
    port = free_port()
    with Server({}, config=configured(
            files(), trusted_proxies=TRUSTED, real_ip=True, listen_proxy_protocol=True,
            forward={"listen": f"{LOCAL}:{port}", "clients": "198.51.100.0/24", "allow": LOCAL})):
        for source, status in ((TRUSTED, 200), (LOCAL, 403)):
            with Connection((LOCAL, port), source=source) as c:
                c.send(f"GET http://{app.address}/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n")
                c.response().expect(status)
