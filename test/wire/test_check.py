"""verdict check: every mistake of a configuration at its place, with what is allowed; no server starts with one."""
import subprocess

from harness import Server, configured, expect, expect_in, expect_true, files, program, test, verdict

ROUTE = "sites: [{routes: [%s]}]\n"


def complaints(text):
    """The lines that `verdict check -` says, without the name of the file."""
    done = verdict("check", "-", stdin=text)
    expect((done.returncode, done.stdout), (1, ""), text)
    return [line.removeprefix("-:") for line in done.stderr.splitlines()]


@test()
def a_good_one_is_ok():
    done = verdict("check", "-", stdin=configured(files(directory="/tmp")).replace("{port}", "8080"))
    expect((done.returncode, done.stdout, done.stderr), (0, "-: ok: 1 site, 1 route\n", ""))


@test()
def the_examples_are_good():
    root = program().parents[2]
    for path in sorted((root / "examples").glob("*.yaml")):
        done = verdict("check", path)
        expect((done.returncode, done.stderr), (0, ""), str(path))
        expect_true(done.stdout.startswith(f"{path}: ok: "), done.stdout)


@test("R107", "R109")
def single_mistakes_and_their_places():
    fine = "{path: /, files: /tmp}"
    cases = [
        ("lisen: 1\n" + ROUTE % fine, '1:1: unknown key "lisen": did you mean "listen"? allowed here: listen, '),
        ("workers: 0\n" + ROUTE % fine, '1:10: "0" is too small: "workers" takes 1 to 1024'),
        ("workers: 9999\n" + ROUTE % fine, '1:10: "9999" is too large: "workers" takes 1 to 1024'),
        ("workers: many\n" + ROUTE % fine, '1:10: "many" is not a number'),
        ("dialect: apache\n" + ROUTE % fine,
         '1:10: "apache" is nothing that "dialect" takes: allowed: rfc, nginx, iis, cloudflare'),
        ("workers: 1\nworkers: 2\n" + ROUTE % fine, '2:1: "workers" is here twice: the first is in line 1'),
        ("limits: {target_bytes: 1}\n" + ROUTE % fine, '1:24: "1" is too small: "target_bytes" takes 256 to 64KiB'),
        ("times: {keep_alive_ms: 5 parsecs}\n" + ROUTE % fine, '1:24: "5 parsecs" is not a time'),
        ("log: json\n" + ROUTE % fine, '1:6: "log" takes a map: lines of'),
        (ROUTE % "{path: x, files: /tmp}", '1:26: "x" does not begin with /'),
        (ROUTE % "{path: /, files: /nonexistent}", "1:36: /nonexistent: No such file or directory"),
        (ROUTE % "{path: /}", '1:19: a route needs one of "files", "redirect", "answer", "websocket", "gateway", "cgi" and "fastcgi"'),
        (ROUTE % "{files: /tmp}", '1:19: a route needs "path"'),
        (ROUTE % "{path: /, files: /tmp, answer: {reason: gone}}",
         'one route has only one of "files", "redirect", "answer", "websocket", "gateway", "cgi" and "fastcgi"'),
        (ROUTE % "{path: /, answer: {reason: gone}, listing: on}", '"listing" goes only with "files"'),
        (ROUTE % "{path: /, redirect: {status: 301}}", '1:39: redirect needs "to"'),
        (ROUTE % "{path: /, redirect: {to: /x y}}", "has a byte that no URI has"),
        (ROUTE % "{path: /, redirect: {to: example.org}}",
         "is neither a path that begins with / nor a URI with its scheme"),
        (ROUTE % "{path: /, redirect: {to: /x, status: 200}}", "allowed: 301, 302, 303, 307, 308"),
        (ROUTE % "{path: /a, redirect: {to: /x, status: 305}}",
         "use-proxy (305) is deprecated and no client acts on it"),
        (ROUTE % "{path: /a, redirect: {to: /x, status: 306}}", "306"),
        (ROUTE % "{path: /, answer: {status: 306}}", "switch-proxy-reserved (306) is reserved and never sent"),
        (ROUTE % "{path: /, answer: {reason: use-proxy}}", "use-proxy (305) is deprecated and no client acts on it"),
        (ROUTE % "{path: /, answer: {status: 511}}", "511"),
        (ROUTE % "{path: /, answer: {reason: not-fuond}}", '"not-fuond" is no reason: did you mean "not-found"?'),
        (ROUTE % "{path: /, answer: {reason: if-match-failed}}", "is for the server itself to find"),
        (ROUTE % "{path: /, answer: {status: 503}}", "status 503 has several reasons: write \"reason\" with one of "),
        (ROUTE % "{path: /, answer: {reason: gone, status: 410}}", '"reason" says the status already'),
        (ROUTE % "{path: /, answer: {reason: no-content, text: x}}", "this answer has no content"),
        (ROUTE % "{path: /, files: /tmp, headers: {Date: x}}", '"Date" is not for you to set'),
        (ROUTE % '{path: /, files: /tmp, headers: {X: "a\\nb"}}', "has a control character"),
        (ROUTE % "{path: /, files: /tmp}, {path: /, files: /tmp}", 'route "/" is here twice: the first is in line 1'),
        (f"sites: [{{host: a.test, routes: [{fine}]}}, {{host: A.test, routes: [{fine}]}}]\n", "is here twice"),
        ("sites: []\n", '"sites" has 0 members'),
        ("a: &x 1\n", "anchors (&name) and aliases (*name) are not taken"),
        ("sites: [\n", "2:1: while parsing"),
        ("", "there is nothing in it"),
        ("[" * 200, ""),
        ("- a list\n", "1:1: "),
    ]
    for text, wanted in cases:
        said = complaints(text)
        expect_true(any(wanted in line for line in said), f"{text[:80]!r}: {wanted!r} is not in {said}")
        for line in said:
            expect_true(line[0].isdigit(), f"a place first: {line}")


@test()
def all_mistakes_are_told_in_the_order_of_the_file():
    said = complaints("workers: 0\ndialect: x\nsites:\n  - routes:\n      - path: no\n        files: /tmp\n"
                      "      - path: /x\n")
    expect([line.split(":")[:2] for line in said], [["1", "10"], ["2", "10"], ["5", "15"], ["7", "9"]])


@test()
def a_name_stands_before_each_line():
    with Server() as server:
        path = server.home / "bad.yaml"
        path.write_text("workers: 0\n")
        done = verdict("check", path)
        expect(done.returncode, 1)
        expect_true(done.stderr.startswith(f"{path}:1:10: "), done.stderr)
    done = verdict("check", "/nonexistent/file.yaml")
    expect((done.returncode, done.stderr.splitlines()[0][:42]), (1, "verdict: /nonexistent/file.yaml: No such f"))


@test()
def wrong_usage_is_2():
    for words in ([], ["a", "b"], ["--what"]):
        done = verdict("check", *words)
        expect((done.returncode, done.stdout), (2, ""), str(words))
        expect_true(done.stderr, "a line on standard error")
    done = verdict("check", "--help")
    expect(done.returncode, 0)
    expect_in("Usage: verdict check FILE", done.stdout)


@test()
def a_server_does_not_start_with_a_mistake():
    done = subprocess.run([program(), "serve", "-c", "/dev/stdin"], input="workers: 0\n", capture_output=True,
                          text=True, timeout=20, check=False)
    expect(done.returncode, 2)
    expect_in(':1:10: "0" is too small', done.stderr)
    done = verdict("serve", "-c", "/nonexistent.yaml")
    expect(done.returncode, 2)
    expect_in("/nonexistent.yaml: No such file or directory", done.stderr)


@test()
def addresses_for_tls_are_not_dropped():
    for words, said in ((["--tls=127.0.0.1:1", "--tls=127.0.0.1:2"], "127.0.0.1:2: --tls can be given once"),
                        (["--tls", "--tls"], "--tls: --tls can be given once"),
                        (["--tls", "127.0.0.1:1"], "an address for TLS is written --tls=ADDR:PORT"),
                        (["127.0.0.1:1", "--tls"], "an address for TLS is written --tls=ADDR:PORT")):
        done = verdict("serve", *words)
        expect((done.returncode, done.stdout), (2, ""), str(words))
        expect_in(said, done.stderr)


@test()
def a_colour_is_never_in_what_others_read():
    done = verdict("check", "-", stdin="workers: 0\n", env={"NO_COLOR": "1"})
    expect_true("\x1b" not in done.stderr, done.stderr)
