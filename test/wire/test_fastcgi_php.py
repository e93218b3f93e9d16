"""php-fpm behind FastCGI, over a unix socket and TCP, as sites have it."""
import hashlib
import json
import time

from harness import PhpFpm, Server, configured, expect, expect_true, pattern, test

MIB = 1 << 20
BIG = 20 * MIB
STATUSES = {"rfc": 504, "nginx": 504, "iis": 502, "cloudflare": 504}

SCRIPTS = {
    "tell.php": "<?php header('Content-Type: application/json'); echo json_encode($_SERVER);",
    "hello.php": "<?php echo 'hello ' . strlen(file_get_contents('php://input'));",
    "digest.php": "<?php header('Content-Type: text/plain'); $h = hash_init('sha256'); $f = fopen('php://input', 'r');"
                  "while (!feof($f)) hash_update($h, fread($f, 65536)); echo hash_final($h);",
    "status.php": "<?php http_response_code((int)$_GET['code']); echo 'odd';",
    "move.php": "<?php header('Location: /elsewhere');",
    "cookies.php": "<?php setcookie('a', '1'); setcookie('b', '2'); echo 'x';",
    "complain.php": "<?php error_log('it is not well'); echo 'hello';",
    "fatal.php": "<?php nothing_of_the_kind();",
    "late.php": "<?php sleep(30);",
    "crash.php": "<?php posix_kill(getmypid(), 9); sleep(5);",
    "flood.php": "<?php header('Content-Type: x/y'); for ($i = 0; $i < 320; $i++) echo str_repeat('p', 65536);",
    "index.php": "<?php echo 'index ' . $_SERVER['SCRIPT_NAME'];",
}
fpm = PhpFpm(SCRIPTS, children=6, config="php_admin_value[error_log] = /dev/stderr\nphp_admin_flag[log_errors] = on")


def route(path, upstream, **keys):
    top = {"dialect": keys.pop("dialect")} if "dialect" in keys else {}
    return {"path": path, **top, "fastcgi": {"upstream": upstream, "root": str(fpm.root), "read_wait": "5s", **keys}}


servers = []


def site():
    """Started by the first test, which is skipped where there is no php-fpm."""
    if not servers:
        groups = [{"name": "unix", "servers": f"unix:{fpm.path}", "keep": 2}, {"name": "tcp", "servers": fpm.address, "keep": 2},
                  {"name": "brief", "servers": fpm.address}]
        servers.append(Server(config=configured(
            route("/", "unix"), route("/tcp", "tcp"), route("/brief", "brief"),
            route("/front", "brief", fallback="/tell.php"),
            *[route(f"/{dialect}", "unix", dialect=dialect, read_wait="500ms") for dialect in STATUSES],
            upstreams=groups, workers=1, h2c=True)))
    return servers[0]


@test()
def answers():
    server = site()
    for prefix in ("/", "/tcp/"):
        expect(server.get(f"{prefix}hello.php").expect(200, "upstream-answered").content, b"hello 0")
        answer = server.get(f"{prefix}hello.php")
        expect([one["kept"] for one in server.log_of(answer)["tries"]], [True])
        expect(server.get(prefix).content, f"index {prefix}index.php".encode())
    variables = json.loads(server.get("/tell.php/a%20b?x=1", authorization="Basic YTpi", proxy="x").content)
    expect([variables.get(name) for name in ("PATH_INFO", "QUERY_STRING", "PHP_SELF", "PHP_AUTH_USER", "HTTP_PROXY")],
           ["/a b", "x=1", "/tell.php/a b", "a", None])
    for code in (404, 500, 299):
        server.get(f"/status.php?code={code}").expect(code, "upstream-answered")
    expect(server.get("/move.php").expect(302, "upstream-answered").get("Location"), "/elsewhere")
    expect(len(server.get("/cookies.php").all("Set-Cookie")), 2)
    expect(server.get("/none.php").expect(404, "upstream-answered").content, b"File not found.\n")
    server.get("/fatal.php").expect(500, "upstream-answered")
    with server.h2() as h:
        expect(h.get("/hello.php").expect(200, "upstream-answered").content, b"hello 0")
        expect(h.ask("POST", "/hello.php", b"12345").content, b"hello 5")


@test()
def paths_of_its_own():
    variables = json.loads(site().get("/front/2026/a/?b").expect(200, "upstream-answered").content)
    expect([variables.get(name) for name in ("REQUEST_URI", "SCRIPT_NAME", "PHP_SELF", "PATH_INFO")],
           ["/front/2026/a/?b", "/front/tell.php", "/front/tell.php", None])


@test()
def processes_are_free_again():
    server, few = site(), PhpFpm(SCRIPTS, children=2)
    with Server(config=configured({"path": "/", "fastcgi": {"upstream": "few", "root": str(few.root)}}, workers=4,
                                  upstreams=[{"name": "few", "servers": few.address}])) as other:
        for _ in range(12):
            with other.connect() as c:
                c.send("GET /hello.php HTTP/1.1\r\nHost: a\r\n\r\n").response().expect(200, "upstream-answered")
    expect(server.get("/brief/hello.php").expect(200).content, b"hello 0")


@test(seconds=30)
def much_content():
    server, data = site(), pattern(0, 7 * MIB)
    answer = server.request("POST", "/digest.php", data, content_type="x/y").expect(200)
    expect(answer.text, hashlib.sha256(data).hexdigest())
    expect(server.request("POST", "/hello.php", data).expect(200).content, b"hello %d" % len(data))
    with server.connect(window_bytes=16384) as c:
        c.send("GET /flood.php HTTP/1.1\r\nHost: a\r\n\r\n")
        c.head()
        time.sleep(0.2)
        expect(len(c._chunks()[0]), BIG)


@test()
def complaints():
    server = site()
    answer = server.get("/complain.php").expect(200)
    expect(answer.content, b"hello")
    answer = server.get("/none.php")
    server.said(f"fastcgi {answer.id}: Primary script unknown")


@test("R222", "R223")
def a_script_that_is_late_or_dies():
    server = site()
    for dialect, status in STATUSES.items():
        answer = server.get(f"/{dialect}/late.php").expect(status, "cgi-timeout")
        expect(server.log_of(answer)["detail"], "502.1" if dialect == "iis" else "")
    answer = server.get("/crash.php")
    expect(answer.status, 502)
    expect_true(answer.reason in ("cgi-premature-exit", "upstream-connection-terminated"), answer.reason)
    server.get("/hello.php").expect(200, "upstream-answered")
