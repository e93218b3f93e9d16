"""Who answered is never in doubt: what the console's API, verdict why and the metrics tell of upstreams and of each try."""
import re
import time

from harness import Close, Server, Upstream, configured, expect, expect_in, expect_true, refusing_port, test, verdict

app = Upstream("app")
app.script("/cut", [Close()])
REFUSING = f"127.0.0.1:{refusing_port()}"
UPSTREAMS = [
    {"name": "app", "servers": app.address},
    {"name": "both", "servers": [f"{REFUSING} weight=1000", app.address], "fails": 0},
    {"name": "dead", "servers": REFUSING, "fails": 2, "rest": "10m"},
    {"name": "out", "servers": [app.address, f"{REFUSING} down"]},
]
ROUTES = [{"path": f"/{one['name']}", "gateway": {"upstream": one["name"], "to": "/"}} for one in UPSTREAMS]
site = Server({}, config=configured(*ROUTES, upstreams=UPSTREAMS, workers=1), admin=True)


def ask(method, path):
    with site.connect() as c:
        answer = c.send(f"{method} {path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n").response(to=method)
    site.recorded(answer)
    return answer


def told(answer, language="en"):
    return site.api(f"exchanges/{answer.id}?lang={language}")


def why(answer, language="en"):
    done = verdict("why", answer.id, "--lang", language, "--admin", f"127.0.0.1:{site.admin_port}")
    expect((done.returncode, done.stderr), (0, ""))
    return done.stdout


def flat(text):
    return re.sub(r"\s+", "", text)


@test()
def an_answer_is_of_the_upstream_that_gave_it():
    answer = ask("GET", "/app/a")
    one = told(answer)
    expect((answer.status, one["by"], one["upstream_name"], one["upstream"]["status"]), (200, "upstream", "app", 200))
    tries = one["upstream"]["tries"]
    expect([(t["server"], t["reason"], t["again"], t["because"]) for t in tries], [(app.address, None, None, None)])
    expect_in(f"Answered by upstream app ({app.address}), status 200", why(answer))


@test()
def a_try_is_told_with_why_it_was_repeated():
    answer = ask("POST", "/both/a")
    one = told(answer)
    first, second = one["upstream"]["tries"]
    expect((first["server"], first["reason"], first["again"], first["because"]["node"]),
           (REFUSING, "upstream-connection-refused", True, "nothing_processed"))
    expect((second["server"], second["reason"], second["again"]), (app.address, None, None))
    for language in ("en", "zh-CN", "zh-TW"):
        because = told(answer, language)["upstream"]["tries"][0]["because"]
        text = flat(why(answer, language))
        expect_in(flat(because["text"] + because["says"]), text, language)


@test()
def a_try_is_told_with_why_it_was_not_repeated():
    answer = ask("POST", "/app/cut")
    one = told(answer)
    expect((answer.status, one["by"], one["upstream_name"]), (502, "self", "app"))
    tried = one["upstream"]["tries"][-1]
    expect((tried["reason"], tried["again"], tried["because"]["node"]),
           ("upstream-connection-terminated", False, "repeat_safe"))
    text = why(answer)
    expect_in("Answered by this server: upstream app gave no answer to pass on", text)
    expect_in("not repeated: ", text)


@test()
def rows_are_found_by_their_upstream():
    ask("GET", "/app/found")
    ask("GET", "/dead/found")
    ask("GET", "/none")
    for name in ("app", "both", "dead", "out", "App", ""):
        rows = site.api("exchanges?limit=500")["exchanges"]
        found = site.api(f"exchanges?limit=500&upstream={name}")["exchanges"]
        expect(found, [row for row in rows if name and row["upstream_name"] == name], name)
    expect({row["by"] for row in site.api("exchanges?upstream=dead")["exchanges"]}, {"self"})


def servers():
    """By upstream and server, from the API."""
    return {(up["name"], one["server"]): one for up in site.api("upstreams")["upstreams"] for one in up["servers"]}


def until(wanted, what):
    """Workers tell once a second."""
    end = time.monotonic() + 4
    while not wanted(servers()):
        expect_true(time.monotonic() < end, what)
        time.sleep(0.1)
    return servers()


def metric(name, upstream, server):
    found = re.search(rf'^verdict_upstream_{name}{{upstream="{upstream}",server="{re.escape(server)}"}} (\S+)$',
                      site.admin_get("/metrics").content.decode(), re.M)
    expect_true(found, f"{name} of {server}")
    return float(found[1])


@test()
def servers_are_live_rest_or_are_taken_out():
    for _ in range(3):
        ask("GET", "/dead/")
    ask("GET", "/out/")
    known = until(lambda all_: all_["dead", REFUSING]["resting"] == 1 and all_["out", app.address]["requests"] > 0,
                  "a server that refuses rests")
    expect(list(known), [("app", app.address), ("both", REFUSING), ("both", app.address), ("dead", REFUSING),
                         ("out", app.address), ("out", REFUSING)])
    expect((known["dead", REFUSING]["live"], known["dead", REFUSING]["workers"]), (0, 1))
    expect((known["out", REFUSING]["down"], known["out", REFUSING]["live"]), (True, 0))
    expect((known["out", app.address]["live"], known["out", app.address]["down"]), (1, False))
    expect((metric("up", "dead", REFUSING), metric("up", "out", app.address), metric("up", "out", REFUSING)), (0, 1, 0))
    expect(metric("requests_total", "out", app.address), known["out", app.address]["requests"])
    expect_true(metric("failures_total", "dead", REFUSING) >= 2, "failures are counted")


@test()
def tries_are_counted_by_how_they_failed():
    def count(reason):
        found = re.search(rf'^verdict_upstream_tries_total{{reason="{reason}"}} (\d+)$',
                          site.admin_get("/metrics").content.decode(), re.M)
        return int(found[1]) if found else 0
    before = count("none"), count("upstream-connection-refused")
    ask("GET", "/both/")
    expect_true((count("none"), count("upstream-connection-refused")) >= (before[0] + 1, before[1]), "one was answered")
