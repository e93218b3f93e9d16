"""What is kept of exchanges: without secrets, no longer than it may be, with the trace it belongs to; and what a reload changes."""
import json
import re
import signal
import time

from harness import Server, configured, expect, expect_in, expect_true, files, test, verdict

SECRET = "hunter2-the-secret"
TOKEN = "quite-a-secret-of-the-console"
ROUTES = [files(write=True, headers={"Set-Cookie": f"session={SECRET}", "X-Api-Key": SECRET}),
          {"path": "/away",
           "redirect": {"to": f"https://user:{SECRET}@other.example/?a=1&token={SECRET}&b=2#code={SECRET}"}},
          {"path": "/old", "redirect": {"to": "/new", "keep_path": True}}]
FIELDS = ["Authorization: Bearer {}", "authorization: Basic {}", "Proxy-Authorization: Digest x={}",
          "Cookie: a=1; session={}",
          "Cookie: {}", "X-Api-Key: {}", "X-AUTH-TOKEN:{}", "X-Csrf-Token: {}", "X-Amz-Security-Token: {}",
          "Referer: http://a/b?x=1&token={}&y=2", "Referer: http://user:{}@a/", "Referer: http://a/#access_token={}",
          "Referer: /x?password={}"]
QUERIES = ["token={}", "a=1&token={}&b=2", "TOKEN={}", "Access_Token={}", "api_key={}", "password={}", "%74oken={}",
           "code={}",
           "X-Amz-Signature={}", "sig={}&sig={}", "a=1&key={}", "a;token={}"]
site = Server({"a.txt": "hello", "d/x": ""}, config=configured(*ROUTES, workers=1), admin=True)


def ask(target="/a.txt", *fields, method="GET", end="\r\n"):
    return site.ask(end.join([f"{method} {target} HTTP/1.1", "Host: a.test", *fields]) + end + end)


def everything(server, answer):
    """All that the listener tells of an exchange."""
    one = server.recorded(answer)
    texts = [json.dumps(one), json.dumps(server.api("exchanges?limit=500")),
             verdict("why", answer.id, "--admin", f"127.0.0.1:{server.admin_port}").stdout]
    return one, "\n".join(texts)


@test(seconds=30)
def fields_that_carry_credentials_are_kept_without_them():
    for field in FIELDS:
        line = field.replace("{}", SECRET)
        one, told = everything(site, ask("/a.txt", line, "X-Other: seen").expect(200))
        expect_true(SECRET not in told, f"{line}: {told[max(0, told.find(SECRET) - 200):][:400]}")
        kept = dict((name.lower(), value) for name, value in one["request"]["fields"])
        expect_in("[removed]", kept[line.split(":")[0].lower()], line)
        expect(kept["x-other"], "seen")
    one, _ = everything(site, ask("/a.txt", "Referer: http://a/b?x=1&token=z&y=2"))
    expect(dict(one["request"]["fields"])["Referer"], "http://a/b?x=1&token=[removed]&y=2")
    one, _ = everything(site, ask("/a.txt", "Authorization:", "Cookie2: plain"))
    expect(one["request"]["fields"][1:], [["Authorization", ""], ["Cookie2", "plain"]])


@test(seconds=30)
def queries_that_carry_credentials_are_kept_without_them():
    for query in QUERIES:
        for target in (f"/a.txt?{query}", f"/none?{query}", f"/d?{query}", f"/old/x?{query}",
                       f"http://a.test/a.txt?{query}"):
            target = target.replace("{}", SECRET)
            one, told = everything(site, ask(target))
            expect_true(SECRET not in told, f"{target}: {told[max(0, told.find(SECRET) - 200):][:400]}")
            expect_in("[removed]", one["target"], target)
    one, _ = everything(site, ask("/a.txt?a=1&token=z&b=2"))
    expect((one["target"], one["request"]["line"]),
           ("/a.txt?a=1&token=[removed]&b=2", "GET /a.txt?a=1&token=[removed]&b=2 HTTP/1.1"))
    one, _ = everything(site, ask("/a.txt?tokens=1&key2=3&xtoken=4"))
    expect(one["target"], "/a.txt?tokens=1&key2=3&xtoken=4")


@test(seconds=20)
def replies_are_kept_without_credentials():
    answer = ask("/a.txt").expect(200)
    one, told = everything(site, answer)
    expect((answer.get("Set-Cookie"), answer.get("X-Api-Key")), (f"session={SECRET}", SECRET), "the client gets them")
    fields = dict(one["reply"]["fields"])
    expect((fields["Set-Cookie"], fields["X-Api-Key"]), ("[removed]", "[removed]"))
    expect_true(SECRET not in told, told)
    answer = ask("/away")
    one, told = everything(site, answer)
    expect_in(SECRET, answer.get("Location"))
    expect_true(SECRET not in told, told)
    location = dict(one["reply"]["fields"])["Location"]
    expect_true(location.startswith("https://[removed]@other.example/?a=1&token=[removed]&b=2"), location)
    answer = ask(f"/old/x?token={SECRET}&c=3")
    one, told = everything(site, answer)
    expect((answer.get("Location"), dict(one["reply"]["fields"])["Location"]),
           (f"/new/x?token={SECRET}&c=3", "/new/x?token=[removed]&c=3"))
    expect_true(SECRET not in told, told)


MALFORMED = ["GET /a?token={} HTTP/1.1\nHost: a\n\n", "GET /a HTTP/1.1\r\nAuthorization : Bearer {}\r\n\r\n",
             "GET /a HTTP/1.1\r\nHost: a\nAuthorization: Bearer {}\n\n",
             "GET /a HTTP/1.1\r\nCookie: a\r\n b={}\r\n\r\n",
             "GET /a HTTP/1.1\r\nAuthorization: Bearer {}\r\nBad Name: x\r\n\r\n", "GET /a?token={}  HTTP/1.1\r\n\r\n",
             "GET /a?token={}\r\n\r\n", "GET\t/a?password={} HTTP/1.1\r\n\r\n",
             "G\xe9T /a?token={} HTTP/1.1\r\nCookie: {}\r\n\r\n",
             "GET /a HTTP/1.1\r\nCookie: {}\rX: y\r\n\r\n", "GET /a HTTP/1.1\r\nCookie: a\x00{}\r\n\r\n",
             "GET /%zz?token={} HTTP/1.1\r\nHost: a\r\n\r\n",
             "GET http://user:{}@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a HTTP/1.1\r\nAuthorization: Bearer {}\r\n\r\n",
             "GET /a HTTP/3.0\r\nHost: a\r\nCookie: {}\r\n\r\n",
             "\r\n\r\nGET /a?token={}#x HTTP/1.1\r\nHost: a\r\n\r\n",
             "GET /../x?token={} HTTP/1.1\r\nHost: a\r\nReferer: /?token={}\r\n\r\n"]


@test(seconds=30)
def heads_that_were_refused_are_kept_without_credentials():
    for raw in MALFORMED:
        raw = raw.replace("{}", SECRET)
        answer = site.ask(raw)
        expect(answer.status // 100 in (4, 5), True, raw)
        _, told = everything(site, answer)
        expect_true(SECRET not in told, f"{raw!r}: {told[max(0, told.find(SECRET) - 200):][:400]}")


@test(seconds=20)
def secrets_are_in_no_event_and_nothing_that_runs():
    with site.admin_connect() as stream, site.connect() as upload, site.connect() as half:
        stream.send(f"GET /events HTTP/1.1\r\nHost: localhost:{site.admin_port}\r\n\r\n").head().expect(200)
        upload.send(f"PUT /up?token={SECRET} HTTP/1.1\r\nHost: a\r\nCookie: {SECRET}\r\nContent-Length: 4\r\n\r\nab")
        half.send(f"GET /half?token={SECRET} HTTP/1.1\r\nCookie: {SECRET}\r\nAuth")
        time.sleep(0.2)
        running = site.api("running")
        expect(sorted(one["target"] for one in running["exchanges"]), ["/half", "/up"])
        expect_true(SECRET not in json.dumps(running), running)
        upload.send("cd").response()
        ask(f"/none?token={SECRET}", f"Authorization: {SECRET}", f"Referer: /?key={SECRET}").expect(404)
        time.sleep(0.6)
        text = stream._receive().decode()
        expect_in("/none?token=[removed]", text)
        expect_true(SECRET not in text, text)


@test()
def the_search_finds_no_secret():
    site.recorded(ask(f"/none?token={SECRET}", f"Authorization: {SECRET}", f"Referer: /?key={SECRET}"))
    for part in (SECRET, "hunter2", "the-secret"):
        expect(site.api(f"exchanges?text={part}")["exchanges"], [], part)
    expect_true(site.api("exchanges?text=[removed]&limit=500".replace("[", "%5B").replace("]", "%5D"))["exchanges"],
                "what is kept is found")


# Lists of one's own

def with_lists(**admin):
    return configured(files(), admin=admin, workers=1)


def kept(server, *fields, target="/a.txt"):
    raw = "\r\n".join([f"GET {target} HTTP/1.1", "Host: a.test", *fields]) + "\r\n\r\n"
    answer = server.ask(raw)
    one = server.recorded(answer) if answer.id else latest(server, target.split("?")[0])
    return one["target"], dict(one["request"]["fields"])


def latest(server, path):
    """The newest exchange for the path; its answer had no id."""
    until = time.monotonic() + 5
    while True:
        rows = server.api("exchanges?limit=1")["exchanges"]
        if rows and rows[0]["target"].startswith(path):
            return server.api(f"exchanges/{rows[0]['id']}")
        expect_true(time.monotonic() < until, f"{path} is not recorded")
        time.sleep(0.02)


@test(seconds=20)
def lists_of_ones_own_stand_in_place_of_the_standard_ones():
    with Server({"a.txt": ""}, config=with_lists(secret_fields=["X-Mine", "user-agent"], secret_queries="mine"),
                admin=True) as one:
        target, fields = kept(one, "X-MINE: s", "User-Agent: s", "Authorization: seen",
                              target="/a.txt?Mine=s&token=seen&m%69ne=s")
        expect(target, "/a.txt?Mine=[removed]&token=seen&m%69ne=[removed]")
        expect((fields["X-MINE"], fields["User-Agent"], fields["Authorization"]), ("[removed]", "[removed]", "seen"))
        one.configure(with_lists(secret_fields=[], secret_queries=[]))
        one.signal(signal.SIGHUP)
        one.said("the new configuration is in force")
        target, fields = kept(one, "X-Mine: seen", "Cookie: seen", target="/a.txt?mine=seen&token=seen")
        expect((target, fields["X-Mine"], fields["Cookie"]), ("/a.txt?mine=seen&token=seen", "seen", "seen"))
        one.configure(with_lists())
        one.errors.clear()
        one.signal(signal.SIGHUP)
        one.said("the new configuration is in force")
        target, fields = kept(one, "X-Mine: seen", "Cookie: s", target="/a.txt?mine=seen&token=s")
        expect((target, fields["X-Mine"], fields["Cookie"]), ("/a.txt?mine=seen&token=[removed]", "seen", "[removed]"))


# How much is kept

@test(seconds=30)
def long_heads_are_cut_and_marked():
    config = configured(files(), workers=1, limits={"record_head_bytes": 512})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        whole = one.recorded(one.get("/none", x_long="y" * 300))
        expect((whole["request"]["cut"], dict(whole["request"]["fields"])["X-Long"]), (False, "y" * 300))
        for length in (600, 5000):
            cut = one.recorded(one.get("/none", x_long="y" * length))
            expect(cut["request"]["cut"], True)
            expect(cut["request"]["line"], "GET /none HTTP/1.1")
            kept_bytes = sum(len(name) + len(value) for name, value in cut["request"]["fields"])
            expect_true(400 < kept_bytes <= 512, kept_bytes)
            expect((cut["bytes_in"], cut["reply"]["cut"]),
                   (len("GET /none HTTP/1.1\r\nHost: example.test\r\nX-Long: \r\n\r\n") + length, False))
        long_target = "/" + "n" * 3000
        cut = one.recorded(one.get(long_target).expect(404))
        expect_true(cut["request"]["cut"] and cut["target"].startswith("/nnnn") and len(cut["target"]) < 512,
                    cut["target"][:50])
        expect_true(len(cut["operand"]) <= 1024, "the operand is cut too")
        expect(cut["path"][0]["node"], "receive")
        told = verdict("why", cut["id"], "--admin", f"127.0.0.1:{one.admin_port}")
        expect((told.returncode, "not-found" in told.stdout), (0, True))


@test(seconds=30)
def no_part_of_a_secret_is_kept_where_a_head_is_cut():
    config = configured(files(), workers=1, limits={"record_head_bytes": 256})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        for length in range(100, 215, 3):
            for fields in (f"X: {'y' * length}\r\nAuthorization: {SECRET}", f"Referer: /{'y' * length}?token={SECRET}",
                           f"Cookie: {SECRET}\r\nX: {'y' * length}"):
                answer = one.ask(f"GET /none?token={SECRET} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n")
                text = json.dumps(one.recorded(answer))
                expect_true(SECRET[:4] not in text,
                            f"{length} {fields[:9]}: {text[max(0, text.find(SECRET[:4]) - 100):][:200]}")
                expect_true(not re.search(r"\[r(e|em|emo|emov|emove|emoved)?[\"&]", text), f"half a mark: {text}")


@test(seconds=20)
def nothing_is_kept_when_nothing_shall_be():
    with Server({"a.txt": "hello"}, config=configured(files(), workers=2, limits={"record_count": 0}),
                admin=True) as one:
        answers = [one.get(target) for target in ("/a.txt", "/none", "/none")]
        one.log_of(answers[-1])
        for query in ("", "?failed=1", "?status=404", "?site=admin"):
            told = one.api(f"exchanges{query}")
            expect((told["exchanges"], told["next"], told["scanned"]), ([], None, 0), query)
        for name in (answers[-1].id, "last"):
            one.admin_get(f"/api/exchanges/{name}").expect(404, "not-found")
        workers = one.api("workers")
        expect(([worker["recorded"] for worker in workers["workers"]], workers["total"]["exchanges"]), ([0, 0], 3))
        expect(one.api("heat")["edges"]["e-exists-no"], 2)
        expect(one.api("running"), {"exchanges": [], "more": 0, "silent": 0})
        done = verdict("why", answers[-1].id, "--admin", f"127.0.0.1:{one.admin_port}")
        expect(done.returncode, 1)
        expect_in("not kept by this server", done.stderr)
        with one.admin_connect() as stream:
            stream.send(f"GET /events HTTP/1.1\r\nHost: localhost:{one.admin_port}\r\n\r\n").head().expect(200)
            one.get("/none")
            time.sleep(1.3)
            text = stream._receive().decode()
            expect(("event: pulse" in text, "event: exchanges" in text), (True, False))


# The trace it belongs to

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_TRACES = ["", "00", TRACE[:-1], TRACE.upper(), "ff" + TRACE[2:], TRACE.replace("-", "_"), TRACE + "-00",
              TRACE + "0", "g0" + TRACE[2:],
              "00-" + "0" * 32 + "-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
              "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", "<script>", '"}{']


@test(seconds=20)
def a_trace_is_kept_and_logged_where_it_is_one():
    answer = ask("/none", f"traceparent: {TRACE}", "tracestate: a=1")
    expect((site.recorded(answer)["traceparent"], site.log_of(answer)["traceparent"]), (TRACE, TRACE))
    answer = ask("/none", f"TraceParent:   {TRACE}  ")
    expect((site.recorded(answer)["traceparent"], site.log_of(answer)["traceparent"]), (TRACE, TRACE))
    for value in NOT_TRACES:
        answer = ask("/none", f"traceparent: {value}")
        expect((site.recorded(answer)["traceparent"], "traceparent" in site.log_of(answer)), (None, False), value)
    answer = ask("/none")
    expect((site.recorded(answer)["traceparent"], "traceparent" in site.log_of(answer)), (None, False))


# Links to the console

def error(server, accept, language=None):
    return server.get("/none", accept=accept, accept_language=language).expect(404, "not-found")


@test()
def an_error_page_leads_to_the_console():
    public = "https://console.example.org/verdict/"
    with Server({"a.txt": ""}, config=configured(files(), admin={"public": public}), admin=True) as one:
        answer = error(one, "text/html")
        expect_in(f'href="{public}#id={answer.id}"', answer.text)
        answer = error(one, "application/problem+json")
        expect(json.loads(answer.content)["why"], f"{public}#id={answer.id}")
        answer = error(one, "text/plain")
        expect_in(f"Id: {answer.id} ({public}#id={answer.id})", answer.text)
        answer = error(one, "text/html", "zh-TW")
        expect_in(f'href="{public}#id={answer.id}"', answer.text)
        expect_true("127.0.0.1" not in answer.text, "no address of ours")
        answer = one.request("HEAD", "/none", accept="text/html").expect(404)
        one.admin_get("/", host="console.example.org").expect(200)
    for accept in ("text/html", "application/problem+json", "text/plain"):
        answer = error(site, accept)
        expect_true("#id=" not in answer.text and str(site.admin_port) not in answer.text,
                    f"{accept} without public: {answer.text}")


# What a reload changes

def reloaded(server, text):
    server.configure(text)
    server.errors.clear()
    server.signal(signal.SIGHUP)
    server.said("the new configuration is in force")


@test(seconds=20)
def a_reload_changes_who_may_ask():
    def config(**admin):
        return configured(files(), admin=admin)

    def status(host, token=None):
        return one.admin_get("/api/workers", host=host, authorization=token and f"Bearer {token}").reason

    with Server({"a.txt": ""}, config=config(token=TOKEN, hosts=["old.test"], public="https://first.test/"),
                admin=True) as one:
        expect((status("old.test", TOKEN), status("old.test"), status("new.test", TOKEN)),
               ("request-ok", "credentials-missing", "site-not-found"))
        with one.admin_connect() as kept_open:
            ask_with = "GET /api/workers HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n"
            kept_open.send(ask_with.format("old.test", TOKEN)).response().expect(200, "request-ok")
            reloaded(one, config(token=TOKEN + "-2", hosts=["new.test"], public="https://second.test/"))
            kept_open.send(ask_with.format("new.test", TOKEN)).response().expect(401, "credentials-refused")
            kept_open.send(ask_with.format("old.test", TOKEN + "-2")).response().expect(404, "site-not-found")
            kept_open.send(ask_with.format("new.test", TOKEN + "-2")).response().expect(200, "request-ok")
        expect((status("new.test", TOKEN), status("second.test", TOKEN + "-2"), status("first.test", TOKEN + "-2")),
               ("credentials-refused", "request-ok", "site-not-found"))
        answer = error(one, "application/problem+json")
        expect(json.loads(answer.content)["why"], f"https://second.test/#id={answer.id}")
        reloaded(one, config(hosts="new.test"))
        expect((status("new.test"), status("second.test")), ("request-ok", "site-not-found"),
               "a loopback address needs no token")
        expect("why" in json.loads(error(one, "application/problem+json").content), False)
        one.configure(config(token="short", hosts=["newer.test"]))
        one.errors.clear()
        one.signal(signal.SIGHUP)
        one.said("the old one stays in force")
        expect((status("new.test"), status("newer.test")), ("request-ok", "site-not-found"))


@test()
def another_address_needs_a_new_start():
    def config(port):
        return configured(files(),
                          admin={"listen": f"127.0.0.1:{port}"}) + "\n# admin: is in the file, not on the command line"

    with Server({"a.txt": ""}, config=config("{admin_port}"), admin=True) as one:
        one.admin_get("/api/workers").expect(200)
        reloaded(one, config(1))
        one.said("admin.listen: another value needs a new start: the old one stays in force")
        one.admin_get("/api/workers", host="localhost").expect(200)


@test(seconds=30)
def failures_are_kept_however_many_requests_are_refused():
    config = configured(files(), {"path": "/bad", "answer": {"reason": "internal-error"}}, workers=1,
                        limits={"record_count": 64, "record_failures": 64})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        failure = one.get("/bad").expect(500, "internal-error")
        first = one.get("/none-0").expect(404)
        with one.connect() as scanner:
            for number in range(300):
                scanner.send(f"GET /none-{number} HTTP/1.1\r\nHost: a\r\n\r\n").response()
        expect(one.recorded(failure)["reason"], "internal-error")
        expect([row["id"] for row in one.api("exchanges?class=5")["exchanges"]], [failure.id])
        expect(one.admin_get(f"/api/exchanges/{first.id}").status, 404)


@test()
def content_behind_a_refused_head_is_not_kept():
    answer = site.ask("POST /a.txt HTTP/1.1\r\nHost : a\r\n\r\ncontent=hidden").expect(400, "space-before-colon")
    expect_true("hidden" not in json.dumps(site.recorded(answer)), "the content is in the record")
