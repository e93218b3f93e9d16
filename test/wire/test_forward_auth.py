"""Who may use the forward proxy: credentials by Basic and Digest, asked for with 407 and kept from everybody else."""
import base64
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import Server, Upstream, configured, expect, expect_in, expect_true, files, free_port, test, verdict

LOCAL = "127.0.0.1"
REALM = "inside"
ALICE = "alice", "Wonder:land"

app = Upstream("app")


def crypt_line(user, password):
    hashed = subprocess.run(["openssl", "passwd", "-5", "-salt", "abcdefgh", password], capture_output=True, text=True,
                            check=True).stdout.strip()
    return f"{user}:{hashed}\n"


def digest_line(user, password, realm=REALM, algorithm="sha256"):
    return f"{user}:{realm}:{hashlib.new(algorithm, f'{user}:{realm}:{password}'.encode()).hexdigest()}\n"


class Guarded(Server):
    """A server with a forward proxy for users; .users is their file."""

    def __init__(self, text, forward=None, **top):
        self.forward_port = free_port()
        self.users = Path(tempfile.mkdtemp(prefix="verdict-users-")) / "users"
        self.write(text)
        forward = {"listen": f"{LOCAL}:{self.forward_port}", "allow": "127.0.0.0/8", "ports": [443, app.port],
                   "users": str(self.users), "realm": REALM, **(forward or {})}
        super().__init__({}, config=configured(files(), forward=forward, **{
            "workers": 1, "times": {"certificate_check_ms": 100}, **top}))

    def write(self, text):
        fresh = self.users.with_suffix(".new")
        fresh.write_text(text)
        fresh.chmod(0o600)
        fresh.rename(self.users)

    def remove(self):
        super().remove()
        shutil.rmtree(self.users.parent, ignore_errors=True)

    def to_proxy(self):
        return self.connect(port="forward_port")

    def get(self, credentials=None, target=None, method="GET"):
        target = target or f"http://{app.address}/"
        line = [f"Proxy-Authorization: {credentials}"] if credentials is not None else []
        with self.to_proxy() as c:
            return c.send("\r\n".join([f"{method} {target} HTTP/1.1", "Host: a", *line, "", ""])).response(method)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def parameters(challenge):
    return {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s",]+))', challenge)}


def hashed(algorithm, *parts):
    name = "md5" if algorithm == "MD5" else "sha256"
    return hashlib.new(name, ":".join(parts).encode()).hexdigest()


def digest(challenge, uri, user=ALICE[0], password=ALICE[1], method="GET", count=1, **changed):
    """Credentials that answer a challenge; changed: parameters that are not what they should be."""
    p = parameters(challenge)
    algorithm = p["algorithm"]
    nc, cnonce = f"{count:08x}", "0a4f113b"
    nonce = changed.get("nonce", p["nonce"])
    response = hashed(algorithm, hashed(algorithm, user, REALM, password), nonce, nc, cnonce, "auth",
                      hashed(algorithm, method, uri))
    all_of = {"username": f'"{user}"', "realm": f'"{REALM}"', "nonce": f'"{nonce}"', "uri": f'"{uri}"', "qop": "auth",
              "algorithm": algorithm, "nc": nc, "cnonce": f'"{cnonce}"', "response": f'"{response}"'}
    all_of.update({name: f'"{value}"' for name, value in changed.items() if name != "nonce"})
    return "Digest " + ", ".join(f"{name}={value}" for name, value in all_of.items())


simple = Guarded(crypt_line(*ALICE))
proof = Guarded(digest_line(*ALICE) + digest_line(*ALICE, algorithm="md5"), {"digest": True})


@test("R145", "R146")
def credentials_are_asked_for():
    for credentials, reason in ((None, "proxy-auth-required"), (basic("alice", "wrong"), "proxy-credentials-refused"),
                                (basic("nobody", "x"), "proxy-credentials-refused"),
                                ("Basic !", "proxy-credentials-malformed"), ("Bearer abc", "proxy-auth-required")):
        mark = len(app.requests)
        answer = simple.get(credentials).expect(407, reason)
        expect_in(f'Basic realm="{REALM}"', answer.get("Proxy-Authenticate"))
        expect(answer.get("WWW-Authenticate"), None)
        expect(len(app.requests), mark, "requests at the upstream")
    answer = simple.get(basic(*ALICE)).expect(200, "upstream-answered")
    expect(answer.get("Proxy-Authenticate"), None)
    expect(app.requests[-1].get("Proxy-Authorization"), None)
    expect_true(b"Wonder" not in app.requests[-1].raw and basic(*ALICE)[6:].encode() not in app.requests[-1].raw,
                "no credentials go on")


@test()
def authorization_is_for_the_origin():
    with simple.to_proxy() as c:
        c.send(f"GET http://{app.address}/ HTTP/1.1\r\nHost: a\r\nAuthorization: {basic(*ALICE)}\r\n\r\n")
        c.response().expect(407, "proxy-auth-required")


@test("R145")
def each_dialect_asks():
    for dialect in ("rfc", "nginx", "iis", "cloudflare"):
        with Guarded(crypt_line(*ALICE), dialect=dialect) as one:
            for credentials in (None, basic("alice", "wrong"), "Basic !"):
                answer = one.get(credentials)
                expect(answer.status, 407, dialect)
                expect_in("Basic", answer.get("Proxy-Authenticate"))


@test("R145")
def tunnels_need_credentials_too():
    with simple.to_proxy() as c:
        c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = c.response().expect(407, "proxy-auth-required")
        expect_in("Basic", answer.get("Proxy-Authenticate"))
        c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\nProxy-Authorization: {basic(*ALICE)}\r\n\r\n")
        c.head().expect(200, "proxy-tunnel-opened")
        c.send("GET /in HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200)


@test()
def who_is_unknown_learns_nothing_of_ports_and_places():
    for line in ("CONNECT 127.0.0.1:25", "GET ftp://a/", "GET /a"):
        method, target = line.split(" ")
        simple.get(target=target, method=method).expect(407, "proxy-auth-required")


@test()
def digest_never_sends_a_password():
    challenges = proof.get().expect(407, "proxy-auth-required").all("Proxy-Authenticate")
    expect([parameters(challenge)["algorithm"] for challenge in challenges], ["SHA-256", "MD5"])
    for which in range(len(challenges)):
        challenge = proof.get().all("Proxy-Authenticate")[which]
        expect_in(f'realm="{REALM}"', challenge)
        expect_in("auth", parameters(challenge)["qop"])
        for count, uri in ((1, f"http://{app.address}/"), (2, "/")):
            proof.get(digest(challenge, uri, count=count)).expect(200, "upstream-answered")
        again = proof.get(digest(challenge, "/", count=2)).expect(407, "proxy-nonce-stale")
        expect(parameters(again.all("Proxy-Authenticate")[0])["stale"].lower(), "true")


@test("R145")
def digest_that_proves_nothing():
    fresh = proof.get().all("Proxy-Authenticate")[0]
    uri = f"http://{app.address}/"
    for credentials, reason in (
            (digest(fresh, uri, password="x"), "proxy-credentials-refused"),
            (digest(fresh, uri, user="nobody"), "proxy-credentials-refused"),
            (digest(fresh, "http://other/"), "proxy-credentials-malformed"),
            (digest(fresh, uri, nonce="0" * 60), "proxy-nonce-stale"),
            (digest(fresh, uri, method="POST"), "proxy-credentials-refused"),
            ("Digest username=x", "proxy-credentials-malformed"), (basic(*ALICE), "proxy-auth-required")):
        answer = proof.get(credentials).expect(407, reason)
        expect_true(len(answer.all("Proxy-Authenticate")) == 2, f"two challenges for {reason}")
    challenge = proof.get().all("Proxy-Authenticate")[0]
    with proof.to_proxy() as c:
        c.send(f"CONNECT {app.address} HTTP/1.1\r\nHost: a\r\n"
               f"Proxy-Authorization: {digest(challenge, app.address, method='CONNECT')}\r\n\r\n")
        c.head().expect(200, "proxy-tunnel-opened")


@test("R145")
def only_what_users_have_is_asked_for():
    """RFC7616:3.7: clients take the first algorithm that they know: one that no user has would keep everybody out."""
    with Guarded(digest_line(*ALICE, algorithm="md5"), {"digest": True}) as one:
        for algorithm, label in (("md5", "MD5"), ("sha256", "SHA-256")):
            one.write(digest_line(*ALICE, algorithm=algorithm) + digest_line("bob", "b", realm="elsewhere"))
            if algorithm == "sha256":
                one.said("the new ones are in use")
            challenges = one.get().expect(407, "proxy-auth-required").all("Proxy-Authenticate")
            expect([parameters(challenge)["algorithm"] for challenge in challenges], [label])
            one.get(digest(challenges[0], "/")).expect(200, "upstream-answered")
            other = challenges[0].replace(label, "SHA-256" if label == "MD5" else "MD5")
            one.get(digest(other, "/")).expect(407, "proxy-auth-required")


@test()
def users_who_cannot_log_in_are_told():
    with tempfile.TemporaryDirectory() as folder:
        users, config = Path(folder) / "users", Path(folder) / "site.yaml"
        config.write_text("forward: {users: users, digest: on, realm: inside}\n")
        for text, status in ((digest_line(*ALICE, realm="elsewhere"), 1), (crypt_line(*ALICE), 1),
                             (digest_line(*ALICE, algorithm="md5"), 0)):
            users.write_text(text)
            users.chmod(0o600)
            done = verdict("check", config)
            expect(done.returncode, status, text)
            told = "has no line user:inside:HA1, which digest needs: make one with htdigest" in done.stderr
            expect(told, status == 1, done.stderr)


@test()
def curl_logs_in():
    """What htdigest writes is MD5 alone."""
    made = Guarded(digest_line("bob", "b"), {"digest": True})
    subprocess.run(["htdigest", made.users, REALM, ALICE[0]], input=f"{ALICE[1]}\n{ALICE[1]}\n", text=True,
                   capture_output=True, check=True)
    made.write("".join(line for line in made.users.read_text().splitlines(True) if line.startswith(ALICE[0])))
    new = Guarded(digest_line(*ALICE), {"digest": True})
    for one, how in ((simple, "--proxy-basic"), (proof, "--proxy-digest"), (made, "--proxy-digest"),
                     (new, "--proxy-digest")):
        for tunnel in ([], ["--proxytunnel"]):
            done = subprocess.run(["curl", "-sS", "--max-time", "5", how, "--proxy-user", ":".join(ALICE), *tunnel,
                                   "-x", f"http://{LOCAL}:{one.start().forward_port}", f"http://{app.address}/curl"],
                                  capture_output=True, text=True, check=False)
            expect((done.returncode, done.stderr), (0, ""), how)
            expect_in("/curl", done.stdout)


@test()
def users_are_read_again():
    with Guarded(crypt_line(*ALICE)) as one:
        one.get(basic("bob", "b")).expect(407, "proxy-credentials-refused")
        one.write(crypt_line("bob", "b"))
        one.said("the new ones are in use")
        one.get(basic("bob", "b")).expect(200, "upstream-answered")
        one.get(basic(*ALICE)).expect(407, "proxy-credentials-refused")
        one.write("bob\n")
        one.said("the old ones stay in use")
        one.get(basic("bob", "b")).expect(200, "upstream-answered")


@test()
def a_reload_keeps_nonces_and_users():
    with Guarded(digest_line(*ALICE), {"digest": True}) as one:
        challenge = one.get().all("Proxy-Authenticate")[0]
        one.signal(1)
        one.said("the new configuration is in force")
        one.get(digest(challenge, "/")).expect(200, "upstream-answered")


@test()
def what_is_logged_tells_no_password():
    answer = simple.get(basic("alice", "Secret1"))
    simple.log_of(answer)
    text = (simple.home / "log").read_text()
    expect_true("Secret1" not in text and basic("alice", "Secret1")[6:] not in text, "no password in the log")
