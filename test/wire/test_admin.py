"""The admin listener: who may ask it, under which names, with which token, and what its replies carry."""
import base64
import json
import re
import signal
import socket

from harness import Connection, Server, configured, expect, expect_in, expect_true, files, free_port, test, verdict
from harness.server import head

TOKEN = "quite-a-secret-of-the-console"

plain = Server({"a.txt": "hello"}, admin=True)


def guarded(token=TOKEN, **more):
    return Server({"a.txt": "hello"}, config=configured(files(), admin={"token": token, **more}), admin=True)


closed = guarded(public="https://console.example.org/verdict/", hosts=["console.lan", "192.0.2.7"])


def asked(server, target="/api/workers", **fields):
    return server.start().admin_get(target, **fields)


# Under which name

@test()
def it_answers_to_its_own_names():
    plain.start()
    for name in ("127.0.0.1", "127.0.0.1.", "localhost", "LocalHost", "localhost.", "[::1]"):
        for port in ("", f":{plain.admin_port}", ":9"):
            asked(plain, host=name + port).expect(200, "request-ok")


FOREIGN = ["evil.example", "127.0.0.1.nip.example", "localhost.evil.example", "evil.localhost", "xlocalhost", "0.0.0.0",
           "127.0.0.2", "127.1", "2130706433", "0x7f.0.0.1", "[::]", "[::ffff:127.0.0.1]", "[::2]", "192.168.0.1",
           "local",
           "*"]


@test()
def a_name_of_somebody_else_that_leads_here_reaches_nothing():
    plain.start()
    for name in FOREIGN:
        for target in ("/", "/api/exchanges", "/metrics", "/events", "/nothing"):
            answer = asked(plain, target, host=f"{name}:{plain.admin_port}")
            expect((answer.status, answer.reason), (404, "site-not-found"), f"{target} of {name}")
            expect_true("verdict" not in answer.text.lower().replace(answer.id, ""), answer.text)


@test()
def the_target_and_not_the_field_names_the_host():
    plain.start()
    with plain.admin_connect() as c:
        own = f"127.0.0.1:{plain.admin_port}"
        foreign = f"GET http://evil.example/api/workers HTTP/1.1\r\nHost: {own}\r\n\r\n"
        c.send(foreign).response().expect(404, "site-not-found")
        c.send(f"GET http://{own}/api/workers HTTP/1.1\r\nHost: {own}\r\n\r\n").response().expect(200, "request-ok")
        c.send("GET /api/workers HTTP/1.0\r\n\r\n").response().expect(404, "site-not-found")
    with plain.admin_connect() as c:
        c.send("GET /api/workers HTTP/1.1\r\n\r\n").response().expect(400, "host-missing")


@test()
def further_names_are_configured():
    token = f"Bearer {TOKEN}"
    for name in ("console.example.org", "console.lan", "CONSOLE.LAN:8081", "192.0.2.7", "localhost", "127.0.0.1"):
        asked(closed, host=name, authorization=token).expect(200, "request-ok")
    for name in ("example.org", "console.example.org.evil.example", "x.console.lan"):
        asked(closed, host=name, authorization=token).expect(404, "site-not-found")


def ipv6_works():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@test()
def an_ipv6_address_is_a_name_in_brackets():
    if not ipv6_works():
        return
    port = free_port()
    with Server({"a.txt": ""}, args=["--admin", f"[::1]:{port}"]) as one:
        one.said(f"verdict: console http://[::1]:{port}/")
        for name, status in ((f"[::1]:{port}", 200), ("[::1]", 200), ("[0:0:0:0:0:0:0:1]", 404), ("localhost", 200),
                             ("::1", 400), ("evil.example", 404)):
            with Connection(("::1", port), family=socket.AF_INET6) as c:
                got = c.send(head("GET", "/api/workers", host=name)).response()
                expect(got.status, status, f"Host: {name}: {got.reason}")


# From which page

@test()
def a_page_of_another_origin_is_refused():
    plain.start()
    port = plain.admin_port
    own = [("127.0.0.1", "http"), ("127.0.0.1", "https"), ("localhost", "http"), ("[::1]", "http")]
    for name, scheme in own:
        asked(plain, host=f"{name}:{port}", origin=f"{scheme}://{name}:{port}").expect(200, "request-ok")
        asked(plain, host=name, origin=f"{scheme}://{name}").expect(200, "request-ok")
    asked(plain, host=f"localhost:{port}", origin=f"http://LOCALHOST:{port}").expect(200)
    foreign = ["http://127.0.0.1", "http://127.0.0.1:1", f"http://127.0.0.1:{plain.port}", f"http://localhost:{port}", "null",
               "http://evil.example", "https://127.0.0.1.evil.example", "http://", "127.0.0.1", "file://",
               "ftp://localhost",
               "http://localhost@evil.example", "http://localhost/", "http://localhost http://evil.example",
               "chrome-extension://x", ""]
    for origin in foreign:
        for target in ("/", "/api/workers", "/events", "/metrics"):
            answer = asked(plain, target, origin=origin)
            expect((answer.status, answer.reason), (403, "origin-foreign"), f"{target} from {origin!r}")
    record = plain.recorded(asked(plain, origin="http://evil.example"))
    expect((record["operand"], record["site"]), ("http://evil.example", "admin"))
    expect(asked(plain, origin=f"http://127.0.0.1:{port}").get("Access-Control-Allow-Origin"), None)


@test()
def an_origin_is_judged_before_the_token():
    asked(closed, origin="http://evil.example", authorization=f"Bearer {TOKEN}").expect(403, "origin-foreign")
    asked(closed, origin="https://console.example.org", authorization=f"Bearer {TOKEN}").expect(200)


# With which token

def basic(pair):
    return "Basic " + base64.b64encode(pair.encode()).decode()


@test()
def without_the_token_nothing_is_told():
    for target in ("/", "/console.js", "/api/exchanges", "/api/exchanges/last", "/metrics", "/events", "/graph.svg",
                   "/nothing"):
        for method in ("GET", "HEAD"):
            answer = asked(closed, target, method=method).expect(401, "credentials-missing")
            expect(challenges(answer), ["basic", "bearer"])
            expect_in('realm="', answer.get("WWW-Authenticate"))


def challenges(answer):
    return sorted(word.lower()
                  for word in re.findall(r"(?:^|, *)([A-Za-z]+) realm=", ", ".join(answer.all("WWW-Authenticate"))))


@test()
def a_wrong_token_is_refused():
    wrong = [f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN.upper()}", "Bearer", "Bearer ",
             f"Bearer {TOKEN} {TOKEN}",
             basic(f"x:{TOKEN}x"), basic(TOKEN), basic(f"{TOKEN}:"), basic(f"x:y:{TOKEN}"), "Basic", "Basic !!!!",
             f"Basic {TOKEN}",
             f"Digest {TOKEN}", f"Token {TOKEN}", TOKEN, f"Bearer{TOKEN}", f"Negotiate {TOKEN}", "Bearer " + "a" * 7000]
    for value in wrong:
        answer = asked(closed, authorization=value)
        expect((answer.status, answer.reason), (401, "credentials-refused"), value)
        expect(challenges(answer), ["basic", "bearer"], value)


@test()
def the_right_token_opens():
    for value in (f"Bearer {TOKEN}", f"bearer   {TOKEN}", basic(f":{TOKEN}"), basic(f"anyone at all:{TOKEN}"),
                  "BASIC " + base64.b64encode(f"u:{TOKEN}".encode()).decode().rstrip("=")):
        for target in ("/", "/api/workers", "/metrics"):
            asked(closed, target, authorization=value).expect(200, "request-ok")


@test()
def a_token_with_colons_is_a_password_too():
    with guarded(token="a:b::c:d:e:f:g:h:i") as one:
        asked(one, authorization=basic("u:a:b::c:d:e:f:g:h:i")).expect(200)
        asked(one, authorization="Bearer a:b::c:d:e:f:g:h:i").expect(200)
        asked(one, authorization=basic("u:b::c:d:e:f:g:h:i")).expect(401, "credentials-refused")


@test()
def a_token_comes_from_a_file():
    one = Server({"a.txt": ""}, config=configured(files(), admin={"token_file": "{root}/../token"}), admin=True)
    (one.home / "token").write_text(TOKEN + "\r\nnot this\n")
    (one.home / "token").chmod(0o600)
    with one:
        asked(one, authorization=f"Bearer {TOKEN}").expect(200)
        asked(one, authorization="Bearer not this").expect(401, "credentials-refused")


# What may be asked

@test()
def nothing_can_be_changed():
    for target in ("/", "/api/exchanges", "/api/exchanges/last", "/metrics", "/events", "/graph.svg", "/nothing"):
        for method in ("POST", "PUT", "DELETE", "TRACE"):
            answer = asked(plain, target, method=method)
            expect((answer.status, answer.reason), (405, "method-not-allowed"), f"{method} {target}")
            expect(sorted(answer.words("Allow")), ["get", "head", "options"])
    asked(plain, method="FOO").expect(501, "method-unknown")
    with plain.admin_connect() as c:
        upload = head("POST", "/api/exchanges", b"x" * 10, host="localhost") + b"x" * 10
        c.send(upload).response().expect(405, "method-not-allowed")
    answer = asked(plain, "/api/exchanges", method="OPTIONS")
    expect_true(answer.status in (200, 204), answer)
    expect(sorted(answer.words("Allow")), ["get", "head", "options"])


@test()
def there_is_nothing_at_other_paths():
    for target in ("/nothing", "/api", "/api/", "/api/exchanges/", "/api/exchange", "/API/workers", "/api/workers/",
                   "/metrics/",
                   "/events/", "/index.htm", "/api/exchanges/00000000", "/api/exchanges/zzzzzzzz",
                   "/api/exchanges/last/",
                   "/api/exchanges/LAST1", "/api/exchanges/%00", "/api/exchanges/" + "0" * 400, "/a.txt",
                   "/src/admin/page/index.html"):
        answer = asked(plain, target)
        expect(answer.status // 100, 4, target)
        expect_true(answer.reason in ("not-found", "target-malformed"), f"{target}: {answer.reason}")
    asked(plain, "/../etc/passwd").expect(400, "path-outside-root")
    asked(plain, "/%61pi/workers").expect(200, "request-ok")


# Which address

@test()
def an_address_that_others_reach_needs_a_token():
    for address in ("192.0.2.1:8081", "[2001:db8::1]:8081"):
        text = configured(files(directory="/tmp"), admin={"listen": address}).replace("{port}", "8080")
        done = verdict("check", "-", stdin=text)
        expect(done.returncode, 1, done.stderr)
        expect_in("can be reached from other machines", done.stderr + done.stdout)
        done = verdict("serve", "/tmp", "--listen", "127.0.0.1:0", "--admin", address)
        expect(done.returncode, 2, done.stderr)
        expect_in("can be reached from other machines: set admin.token, or listen on 127.0.0.1", done.stderr)
        with_token = configured(files(directory="/tmp"), admin={"listen": address, "token": TOKEN}).replace("{port}",
                                                                                                            "8080")
        expect(verdict("check", "-", stdin=with_token).returncode, 0)


@test()
def an_address_that_stands_for_all_needs_a_name():
    for address in ("0.0.0.0:8081", "[::]:8081"):
        for admin, code in (({"token": TOKEN}, 1), ({"token": TOKEN, "hosts": ["a.example"]}, 0),
                            ({"hosts": ["a.example"]}, 1),
                            ({"token": TOKEN, "public": "https://a.example/"}, 0)):
            text = configured(files(directory="/tmp"), admin={"listen": address, **admin}).replace("{port}", "8080")
            done = verdict("check", "-", stdin=text)
            expect(done.returncode, code, f"{address} {admin}: {done.stderr}")


@test()
def with_a_token_and_a_name_all_addresses_serve():
    port = free_port()
    config = configured(files(), admin={"listen": f"0.0.0.0:{port}", "token": TOKEN, "hosts": ["127.0.0.1"]})
    with Server({"a.txt": ""}, config=config, args=["--admin", f"0.0.0.0:{port}"]) as one:
        with Connection(("127.0.0.1", port)) as c:
            c.send(head("GET", "/", host="127.0.0.1", authorization=f"Bearer {TOKEN}")).response().expect(200)
            c.send(head("GET", "/", host="0.0.0.0",
                        authorization=f"Bearer {TOKEN}")).response().expect(404, "site-not-found")


@test()
def a_unix_socket_needs_no_token():
    path = plain.home / "console.sock"
    with Server({"a.txt": "hello"}, args=["--admin", f"unix:{path}"]) as one:
        one.said(f"verdict: console unix:{path}")
        one.get("/a.txt").expect(200)
        with Connection(str(path), family=socket.AF_UNIX) as c:
            c.send(head("GET", "/api/exchanges", host="localhost")).response().expect(200, "request-ok")
            answer = c.send(head("GET", "/api/exchanges?site=admin", host="127.0.0.1")).response().expect(200)
            expect({row["client"] for row in json.loads(answer.text)["exchanges"]}, {"unix:"})
            c.send(head("GET", "/api/exchanges", host="evil.example")).response().expect(404, "site-not-found")
    expect(path.exists(), False, "the socket is gone")


class Bare(Server):
    """Started without a word about the admin listener."""

    def _command(self):
        command = super()._command()
        at = command.index("--admin")
        return command[:at] + command[at + 2:]


@test()
def a_default_address_that_is_taken_leaves_the_server_without_a_console():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8081))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        with Bare({"a.txt": "hello"}) as one:
            one.get("/a.txt").expect(200)
            expect_in("127.0.0.1:8081 is in use: choose another place with --admin, or --admin off",
                      one.said("verdict: no console: "))
            expect_true("verdict: console" not in one.stderr, one.stderr)


@test()
def an_address_that_was_given_and_is_taken_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = verdict("serve", str(plain.root), "--listen", "127.0.0.1:0", "--admin", f"127.0.0.1:{port}")
        expect(done.returncode, 1, done.stderr)
        expect_in(f"verdict: cannot listen on 127.0.0.1:{port}", done.stderr)
        config = configured(files(directory=str(plain.root)), admin={"listen": f"127.0.0.1:{port}"}).replace("{port}",
                                                                                                             "0")
        (plain.home / "taken.yaml").write_text(config)
        done = verdict("serve", "-c", plain.home / "taken.yaml")
        expect(done.returncode, 1, done.stderr)
        expect_in(f"verdict: cannot listen on 127.0.0.1:{port}", done.stderr)


@test()
def off_is_off():
    def sockets(server):
        """Those that listen: nobody has connected yet."""
        server.start()
        return sum(name.startswith("socket:") for name in server.descriptors().values())

    with Server({"a.txt": "hello"}) as one, Server({"a.txt": "hello"}, admin=True) as other:
        expect_true(sockets(other) > sockets(one), "one more listens")
        expect_true("console" not in one.stderr, one.stderr)
        one.get("/a.txt").expect(200)


@test()
def the_same_address_for_both_is_refused():
    port = free_port()
    done = verdict("serve", "/tmp", "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{port}")
    expect(done.returncode, 2, done.stderr)
    expect_in('the console needs an address of its own', done.stderr)


# What replies carry

@test()
def pages_run_nothing_from_elsewhere():
    for target in ("/", "/console.js", "/console.css", "/graph.svg", "/api/workers", "/metrics"):
        answer = asked(plain, target).expect(200, "request-ok")
        policy = dict(part.strip().split(" ", 1) for part in answer.get("Content-Security-Policy").split(";"))
        expect((policy["default-src"], policy["script-src"], policy["base-uri"], policy["form-action"],
                policy["frame-ancestors"]),
               ("'none'", "'self'", "'none'", "'none'", "'none'"), target)
        expect_true("unsafe" not in answer.get("Content-Security-Policy"), target)
        expect(answer.get("X-Content-Type-Options"), "nosniff", target)
        expect(answer.get("Cross-Origin-Resource-Policy"), "same-origin", target)
        expect(answer.get("Referrer-Policy"), "no-referrer", target)
    page = asked(plain, "/").text
    expect_true(not re.search(r"<script(?![^>]*src=)|<style|style=|\son\w+=|https?://",
                              page.replace("http://www.w3.org", "")), page)


@test()
def what_changes_is_not_stored_and_errors_are_not_either():
    for target in ("/api/exchanges", "/api/running", "/api/heat", "/api/workers", "/api/graph", "/api/reasons",
                   "/api/statuses"):
        answer = asked(plain, target).expect(200)
        expect((answer.get("Cache-Control"), answer.get("Content-Type"), answer.get("ETag")),
               ("no-store", "application/json", None))
        expect(answer.words("Vary"), ["accept-language"])
    expect(asked(plain, "/metrics").get("Cache-Control"), "no-store")
    expect(asked(plain, "/metrics").words("Vary"), ["accept"])


@test()
def assets_are_kept_by_their_tags():
    tags = {}
    for target, kind in (("/", "text/html; charset=utf-8"), ("/console.js", "text/javascript; charset=utf-8"),
                         ("/console.css", "text/css; charset=utf-8"), ("/graph.svg", "image/svg+xml")):
        answer = asked(plain, target).expect(200, "request-ok")
        expect((answer.get("Content-Type"), answer.get("Cache-Control")), (kind, "no-cache"), target)
        tag = tags[target] = answer.get("ETag")
        for value in (tag, "*", f'"x", {tag}', f"W/{tag}"):
            again = asked(plain, target, if_none_match=value).expect(304, "not-modified")
            expect((again.get("ETag"), again.get("Cache-Control"), again.content), (tag, "no-cache", b""), target)
        asked(plain, target, if_none_match='"other"').expect(200, "request-ok")
        asked(plain, target, if_match='"other"').expect(412, "if-match-failed")
    expect(len(set(tags.values())), 4, tags)


@test()
def parts_are_not_given():
    for target in ("/", "/graph.svg", "/api/workers", "/metrics"):
        answer = asked(plain, target, range="bytes=0-3").expect(200, "request-ok")
        expect(answer.get("Content-Range"), None)
        expect_true(len(answer.content) > 4, "whole")
        expect_true(answer.get("Accept-Ranges") in (None, "none"), answer.get("Accept-Ranges"))


@test("R030")
def head_is_get_without_content():
    for target in ("/", "/graph.svg", "/api/reasons", "/api/statuses", "/api/exchanges/nothing0"):
        got, bare = asked(plain, target), asked(plain, target, method="HEAD")
        expect((bare.status, bare.reason, bare.content), (got.status, got.reason, b""), target)
        for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
            expect(bare.get(name), got.get(name), f"{name} of {target}")
    bare = asked(plain, "/events", method="HEAD").expect(200)
    expect((bare.get("Content-Type"), bare.content), ("text/event-stream", b""))


@test()
def connections_are_kept_and_requests_pipelined():
    plain.start()
    with plain.admin_connect() as c:
        c.send(head("GET", "/api/workers", host="localhost") * 8)
        for _ in range(8):
            c.response().expect(200, "request-ok")
    with plain.admin_connect() as c:
        c.send(head("GET", "/api/workers", host="localhost", connection="close")).response().expect(200)
        c.expect_closed()


@test()
def its_own_exchanges_are_kept_apart():
    answer = asked(plain, "/api/heat")
    record = plain.recorded(answer)
    expect((record["site"], record["resource"], record["target"], record["reason"]),
           ("admin", "admin", "/api/heat", "request-ok"))
    rows = plain.api("exchanges?limit=500")["exchanges"]
    expect([row for row in rows if row["site"] == "admin"], [])
    before = plain.api("workers")["total"]["exchanges"]
    for _ in range(3):
        asked(plain, "/api/heat")
    expect(plain.api("workers")["total"]["exchanges"], before, "its own are not counted")
    expect_true(answer.id not in (plain.home / "log").read_text(), "nor logged")


@test()
def a_reload_keeps_it_running():
    with guarded() as one:
        with one.admin_connect() as c:
            c.send(head("GET", "/", host="localhost", authorization=f"Bearer {TOKEN}")).response().expect(200)
            one.signal(signal.SIGHUP)
            one.said("the new configuration is in force")
            c.send(head("GET", "/", host="localhost", authorization=f"Bearer {TOKEN}")).response().expect(200)
