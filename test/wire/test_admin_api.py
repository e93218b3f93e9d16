"""The JSON of the admin listener: what is told of exchanges that have ended, by every parameter, and of all counted."""
import json
import re
import time
from collections import Counter
from itertools import combinations

from harness import Connection, Server, answering, configured, expect, expect_in, expect_true, files, test, verdict

ROWS = {"id", "time", "time_ms", "worker", "site", "client", "protocol", "method", "target", "host", "status", "detail",
        "dialect",
        "reason", "operand", "broken", "ms", "bytes_in", "bytes_out", "failed", "slow", "by", "upstream_name"}


def sites():
    def routes(**keys):
        return [files(write=True, content_limit=1000, **keys), answering("/later", "maintenance"),
                {"path": "/old", "redirect": {"to": "/new/"}}]

    return [{"host": "a.test", "routes": routes()}, {"host": ["b.test", "b2.test"], "routes": routes(dialect="iis")},
            {"host": "c.test", "routes": routes(dialect="nginx")}]


TREE = {"a.txt": "hello", "big.bin": b"x" * 200000, "d/e.txt": "e", "page.en.html": "hi", "page.de.html": "hallo"}
site = Server(TREE, config=configured(sites=sites(), workers=1, times={"record_slow_ms": "150ms"}), admin=True)


def send(raw, source=None, to="GET"):
    with Connection(("127.0.0.1", site.start().port), source=source) as c:
        return c.send(raw).response(to=to)


def request(target="/a.txt", method="GET", host="a.test", fields="", content=""):
    length = f"Content-Length: {len(content)}\r\n" if content else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}{length}\r\n{content}"


def aborted(host):
    """An upload whose client goes away."""
    with site.connect() as c:
        c.send(f"PUT /never HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\nUser-Agent: gone-{host}\r\n\r\nhalf")
        time.sleep(0.05)  # a reset takes away what was not read
        c.reset()
    site.log_where(user_agent=f"gone-{host}")


def slow():
    with site.connect() as c:
        c.send("PUT /slow HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nha")
        time.sleep(0.2)
        return c.send("lf").response()


def traffic():
    """Some of everything, once; all rows of it, the newest first."""
    if not hasattr(traffic, "rows"):
        for host in ("a.test", "b.test", "b2.test", "c.test"):
            send(request(host=host)).expect(200)
            send(request("/None%20here?Q=Word", host=host, fields="Referer: http://From.example/page\r\n")).expect(404)
            send(request("/.git", host=host, fields="User-Agent: Probe/1.0\r\n"), source="127.0.0.2").expect(404)
            send(request("/old", host=host)).expect(302)
            send(request("/later", host=host)).expect(503)
            send(request("/up-" + host, "PUT", host, content="x" * 20))
            send(request("/up", "PUT", host, content="x" * 2000))
            send(request("/d", "DELETE", host))
            aborted(host)
        send(request(host="nobody.test"), source="127.0.0.3").expect(404, "site-not-found")
        send("GET /\x01 HTTP/1.1\r\n\r\n").expect(400, "target-malformed")
        send("GET / HTTP/1.1\nHost: a.test\n\n", source="127.0.0.2").expect(400)
        slow()
        site.recorded(send(request("/last", fields="User-Agent: W\xc3\xb6rt\r\n"), source="127.0.0.2"))
        traffic.rows = site.api("exchanges?limit=500")["exchanges"]
        for row in traffic.rows:
            fields = dict((n.lower(), v) for n, v in site.api(f"exchanges/{row['id']}")["request"]["fields"])
            row["words"] = [row["id"], row["method"], row["target"], row["host"], row["reason"], row["operand"],
                            fields.get("user-agent", ""), fields.get("referer", "")]
    return traffic.rows


def lower(text):
    """As ASCII does: other letters stay."""
    return re.sub("[A-Z]+", lambda m: m[0].lower(), text)


# What a filter must let pass: parameter, value, and what that says about a row.

def by_text(value):
    return lambda row: any(lower(value) in lower(word) for word in row["words"])


FILTERS = [("reason", name, lambda r, n=name: r["reason"] == n) for name in
           ("not-found", "request-ok", "client-closed-request", "site-not-found", "target-malformed", "teapot")]
FILTERS += [("status", number, lambda r, n=number: str(r["status"]) == n or r["detail"] == n) for number in
            ("200", "404", "0", "499", "404.0", "404.8", "404.13", "413", "503", "9999")]
FILTERS += [("class", digit, lambda r, n=digit: r["status"] // 100 == int(n)) for digit in "012345"]
FILTERS += [("site", name, lambda r, n=name: r["site"] == n)
            for name in ("a.test", "b.test", "b2.test", "c.test", "", "nothing.test")]
FILTERS += [("client", name, lambda r, n=name: r["client"] == n)
            for name in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0", "::1")]
FILTERS += [("text", words, by_text(words)) for words in
            ("none", "NONE%20HERE", "q=word", "probe/1", "FROM.example", "b2.test", "delete", "not-FOUND", "127.0.0.1",
             "http/1.1",
             "content-length", "ö", "zzz", "")]
FILTERS += [("failed", "1", lambda r: r["failed"] or r["slow"]), ("failed", "0", lambda r: True)]
FILTERS += [("since", "1h", lambda r: True), ("since", "0", lambda r: True),
            ("since", "9000000000000000", lambda r: False)]


def escaped(value):
    return "".join(c if c.isalnum() and c.isascii() or c in ".-:" else "".join(f"%{b:02X}" for b in c.encode())
                   for c in value)


def filtered(filters):
    query = "&".join(f"{name}={escaped(value)}" for name, value, _ in filters)
    wanted = [row["id"] for row in traffic() if all(passes(row) for _, _, passes in filters)]
    got = site.api(f"exchanges?limit=500&{query}")
    expect([row["id"] for row in got["exchanges"]], wanted, query)
    return wanted


@test(seconds=30)
def each_filter_alone():
    rows = traffic()
    expect(sorted({row["site"] for row in rows}), ["", "a.test", "b.test", "c.test"])
    empty = [f"{name}={value}" for name, value, passes in FILTERS if not filtered([(name, value, passes)])]
    expect(sorted(empty),
           sorted(["reason=teapot", "status=9999", "class=1", "site=b2.test", "site=nothing.test", "client=127.0.0",
                   "client=::1", "text=content-length", "text=zzz", "since=9000000000000000", "text=127.0.0.1",
                   "text=http/1.1"]), "filters that nothing passes")


@test(seconds=60)
def filters_are_joined_by_and():
    for pair in combinations(FILTERS, 2):
        if pair[0][0] != pair[1][0] and hash(pair[0][1] + pair[1][1]) % 4 == 0:
            filtered(pair)
    by_name = {}
    for row in FILTERS:
        by_name.setdefault(row[0], row)
    filtered(list(by_name.values()))
    strict = [("status", "404"), ("class", "4"), ("site", "a.test"), ("reason", "not-found"), ("client", "127.0.0.1"),
              ("text", "none"), ("failed", "1")]
    expect_true(filtered([row for row in FILTERS if row[:2] in strict]), "some pass them all")


@test()
def a_time_back_from_now():
    rows, now_ms = traffic(), site.api("exchanges?limit=1")["now_ms"]
    expect_true(abs(now_ms - time.time() * 1000) < 1000, f"now_ms: {now_ms}")
    middle = rows[len(rows) // 2]["time_ms"]
    got = site.api(f"exchanges?limit=500&since={middle}")["exchanges"]
    expect([row["id"] for row in got], [row["id"] for row in rows if row["time_ms"] >= middle])
    time.sleep(1.1)
    expect(site.api("exchanges?since=1s")["exchanges"], [])
    expect(len(site.api("exchanges?since=60m&limit=500")["exchanges"]), len(rows))


WRONG = [("reason", ["nothing-of-the-kind", "", "Not-Found", "404"]),
         ("status", ["x", "", "-1", "404.", ".13", "404.x", "10000", "4 4", "0x10"]),
         ("class", ["6x", "", "-1", "10"]), ("failed", ["2", "yes", "", "-1"]),
         ("since", ["x", "", "1d", "s", "-5s", "1.5h"]),
         ("limit", ["0", "501", "", "x", "-1", "1e2"]), ("before", ["x", "", "1", "1-", "-1", "1-2-3", "a-b"]),
         ("lang", ["xx", "", "de"]),
         ("colour", ["red", ""]), ("Reason", ["not-found"]), ("n\u00e4me", ["x"])]


@test()
def what_cannot_be_understood_is_named():
    for name, values in WRONG:
        for value in values:
            query = f"{escaped(name)}={escaped(value)}"
            answer = site.start().admin_get(f"/api/exchanges?{query}", accept="application/problem+json")
            answer.expect(400, "query-invalid")
            expect((json.loads(answer.content)["operand"], site.recorded(answer)["operand"]), (name, name), query)
    for target in ("running", "workers", "graph", "reasons", "statuses", "exchanges/last"):
        answer = site.admin_get(f"/api/{target}?limit=3", accept="application/problem+json")
        answer.expect(400, "query-invalid")
        expect(json.loads(answer.content)["operand"], "limit", target)
        site.admin_get(f"/api/{target}?lang=zh-TW").expect(200)
    for query, name in (("minutes=2", "minutes"), ("minutes=", "minutes"), ("failed=x", "failed"), ("hours=1", "hours"),
                        ("reason=gone", "reason")):
        answer = site.admin_get(f"/api/heat?{query}", accept="application/problem+json").expect(400, "query-invalid")
        expect(json.loads(answer.content)["operand"], name, query)
    many = "&".join(f"p{i}=1" for i in range(40))
    site.admin_get(f"/api/exchanges?{many}").expect(400, "query-invalid")
    for query in ("", "&", "&&limit=1&", "limit=1&&", "reason=not-found&reason=nothing"):
        site.admin_get(f"/api/exchanges?{query}").expect(200, "request-ok")


@test()
def a_row_says_what_the_log_says():
    for row in traffic():
        expect(set(row) - {"words"}, ROWS)
        line = site.log_of(row["id"])
        for name in ("client", "status", "detail", "reason", "operand", "bytes_in", "bytes_out"):
            expect(row[name], line[name], f"{name} of {row['id']}")
        if "line" not in line:  # a head that was refused is logged as it came
            for name in ("protocol", "method", "target", "host"):
                expect(row[name], line[name], f"{name} of {row['id']}")
        expect(row["ms"], line["ms"]["total"])
        expect(row["failed"], row["status"] // 100 not in (1, 2, 3), row)
        expect(row["time"][:19], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(row["time_ms"] // 1000)))
    expect([row["slow"] for row in traffic() if row["target"] == "/slow"], [True])
    times = [row["time_ms"] for row in traffic()]
    expect(times, sorted(times, reverse=True))
    expect(Counter(row["dialect"] for row in traffic() if row["site"] == "b.test"), Counter({"iis": 14, "rfc": 4}))


@test()
def its_own_exchanges_are_told_when_asked_for():
    site.start()
    answer = site.admin_get("/api/heat?minutes=7").expect(400)
    site.recorded(answer)
    rows = site.api("exchanges?site=admin&reason=query-invalid&limit=500")["exchanges"]
    expect(rows[0]["id"], answer.id)
    expect({row["site"] for row in rows}, {"admin"})
    expect(site.api("exchanges?site=admin&text=minutes%3D7")["exchanges"][0]["id"], answer.id)


# Pages

def walk(server, query, limit, between=lambda page: None):
    """The rows of all pages to the end."""
    rows, before = [], ""
    for page in range(1000):
        answer = server.api(f"exchanges?limit={limit}{query}{before}")
        expect_true(len(answer["exchanges"]) <= limit, "no more than asked for")
        rows += answer["exchanges"]
        if answer["next"] is None:
            return rows
        before = f"&before={answer['next']}"
        between(page)
    raise AssertionError("no end")


@test(seconds=40)
def pages_are_whole_while_new_exchanges_arrive():
    with Server({"a.txt": "hello"}, args=["--workers", "2"], admin=True) as one:
        def ask(count):
            for i in range(count // 5):
                with one.connect() as c:
                    for k in range(5):
                        c.send(f"GET /{'a.txt' if k else 'none'}?{i} HTTP/1.1\r\nHost: a\r\n\r\n").response()

        ask(300)
        time.sleep(0.3)
        for query in ("", "&failed=1", "&status=404", "&class=2", "&text=none"):
            for limit in (1, 7, 100, 500) if query == "" else (7, 500):
                there = {row["id"] for row in walk(one, query, 500)}
                rows = walk(one, query, limit, lambda page: ask(5) if page % 5 == 0 else None)
                ids = [row["id"] for row in rows]
                expect(len(ids), len(set(ids)), f"double rows with limit {limit}{query}")
                expect(there - set(ids), set(), f"missing rows with limit {limit}{query}")
                times = [row["time_ms"] for row in rows]
                expect_true(all(a >= b - 3 for a, b in zip(times, times[1:])), f"newest first, but for clocks: {times}")
                time.sleep(0.05)
        rows = walk(one, "", 500)
        expect({row["worker"] for row in rows}, {0, 1}, "both have worked")
        expect(Counter(row["status"] for row in rows)[404] * 4, Counter(row["status"] for row in rows)[200])
        one.admin_get("/api/exchanges?before=0-0").expect(200)
        nothing = one.api("exchanges?before=0-0")
    expect((nothing["exchanges"], nothing["next"]), ([], None))


@test(seconds=40)
def what_failed_is_kept_longer():
    config = configured(files(), workers=1, limits={"record_count": 64, "record_failures": 32})
    with Server({"a.txt": "hello"}, config=config, admin=True) as one:
        first = one.get("/a.txt").expect(200)
        failed = [one.get(f"/none-{i}").expect(404).id for i in range(20)]
        with one.connect(wait_seconds=20) as c:
            for _ in range(50):
                c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
                for _ in range(100):
                    last = c.response()
        one.recorded(last)
        expect([row["id"] for row in one.api("exchanges?failed=1")["exchanges"]], failed[::-1])
        expect([row["id"] for row in walk(one, "&class=4", 3)], failed[::-1])
        expect([one.recorded(number)["target"] for number in failed], [f"/none-{i}" for i in range(20)])
        one.admin_get(f"/api/exchanges/{first.id}").expect(404, "not-found")
        rows = walk(one, "", 500)
        expect_true(20 + 32 <= len(rows) <= 20 + 64, f"{len(rows)} rows")
        expect([row["status"] for row in rows[-20:]], [404] * 20)
        expect(one.api("workers")["workers"][0]["recorded"], len(rows) - 20)
        more = [one.get(f"/more-{i}").expect(404).id for i in range(100)]
        one.recorded(more[-1])
        kept = [row["id"] for row in one.api("exchanges?failed=1&limit=500")["exchanges"]]
        expect(kept[:16], more[:-17:-1])
        expect_true(failed[0] not in kept, "the oldest failures have gone too")


# Counters

def from_paths(server, failed=False):
    """What /api/heat must say, from what is kept of each exchange."""
    edges, count = Counter(), 0
    for row in walk(server, "", 500):
        one = server.api(f"exchanges/{row['id']}")
        if failed and one["explanation"]["codes"]["rfc"][0] in "123":
            continue
        count += 1
        edges.update(node["edge"] for node in one["path"] if node["edge"] is not None)
    return dict(edges), count


@test(seconds=60)
def heat_is_what_was_asked():
    traffic()
    picture = site.admin_get("/graph.svg").text
    for failed in (0, 1):
        heat = site.api(f"heat?failed={failed}")
        edges, count = from_paths(site, failed == 1)
        expect((heat["exchanges"], heat["failed"], heat["minutes"]), (count, failed == 1, 0))
        expect(heat["edges"], edges, f"failed={failed}")
        for minutes in (1, 5, 15):
            again = site.api(f"heat?minutes={minutes}&failed={failed}")
            expect((again["edges"], again["minutes"]), (edges, minutes))
        for edge in edges:
            expect_in(f'id="{edge}"', picture)
    expect_true(heat["covers_ms"] <= site.api("workers")["uptime_ms"] + 1000, heat["covers_ms"])
    expect(heat["edges"]["e-receive-stop-bare-line-feed"], 1)


@test(seconds=20)
def heat_tells_every_way_out_of_a_node():
    with Server({"a.txt": "hello"}, args=["--workers", "1"], admin=True) as one:
        (one.root / "out").symlink_to("/etc")
        for count, target in ((5, "/a.txt"), (3, "/none"), (2, "/out/passwd")):
            for _ in range(count):
                one.get(target)
        for _ in range(2):
            last = one.ask("GET / HTTP/1.1\nHost: a\n\n").expect(400, "bare-line-feed")
        one.recorded(last)
        heat = one.api("heat")
        expect(heat["exchanges"], 12)
        for edge, count in (("e-receive-next", 10), ("e-receive-stop-bare-line-feed", 2), ("e-open-next", 8),
                            ("e-open-stop-link-outside-root", 2), ("e-exists-yes", 5), ("e-exists-no", 3),
                            ("e-produce-next", 5)):
            expect(heat["edges"].get(edge), count, edge)
        failures = one.api("heat?failed=1")
        expect((failures["exchanges"], failures["edges"]["e-exists-no"], "e-exists-yes" in failures["edges"]),
               (7, 3, False))
        expect(failures["edges"]["e-receive-next"], 5)


@test(seconds=20)
def workers_and_their_sum():
    rows = traffic()
    time.sleep(0.3)
    told = site.api("workers")
    expect(verdict("version").stdout.split()[-1].strip(), told["version"])
    expect(sorted(told["sites"]), ["", "a.test", "b.test", "c.test"])
    expect([worker["index"] for worker in told["workers"]], [0])
    worker, total = told["workers"][0], told["total"]
    expect((worker["exchanges"], worker["recorded"], worker["running"], worker["connections"]),
           (len(rows), len(rows), 0, 0))
    expect((worker["bytes_in"], worker["bytes_out"]),
           (sum(r["bytes_in"] for r in rows), sum(r["bytes_out"] for r in rows)))
    for name in ("connections", "running", "exchanges", "bytes_in", "bytes_out", "log_lines_lost"):
        expect(total[name], worker[name], name)
    expect(total["reasons"], dict(Counter(row["reason"] for row in rows)))
    expect(total["classes"], {str(n): Counter(r["status"] // 100 for r in rows)[n] for n in range(6)})
    expect_true(0 <= told["uptime_ms"] <= 120000 and abs(told["now_ms"] - time.time() * 1000) < 2000, told)
    expect(told["started"][:4], time.strftime("%Y"))


@test(seconds=20)
def workers_are_counted_apart_and_the_rate_follows():
    with Server({"a.txt": "hello"}, args=["--workers", "2"], admin=True) as one:
        one.start()
        idle = [one.connect() for _ in range(3)]
        idle[0].send("GET / HT")
        for i in range(60):
            one.get("/a.txt").expect(200)
        time.sleep(1.5)
        told = one.api("workers")
        total = told["total"]
        for name in ("connections", "running", "exchanges", "bytes_in", "bytes_out", "log_lines_lost"):
            expect(total[name], sum(worker[name] for worker in told["workers"]), name)
        expect((total["exchanges"], total["connections"], total["running"], len(told["workers"])), (60, 3, 0, 2),
               "what runs has a head")
        expect_true(5 < total["rate"] <= 60, f"rate: {total['rate']}")
        for c in idle:
            c.close()


# What is the same for all

LANGUAGES = [("en", "en"), ("zh-CN", "zh-CN,en;q=0.1"), ("zh-TW", "zh-Hant-TW, en;q=0.5")]


def without(value, *names):
    if isinstance(value, list):
        return [without(one, *names) for one in value]
    return {k: without(v, *names) for k, v in value.items() if k not in names} if isinstance(value, dict) else value


def in_languages(path, texts_of):
    """The document of one path in each language: the same but for the texts, which are all there and all differ."""
    seen, bare = [], None
    for language, accept in LANGUAGES:
        document = site.start().api(f"{path}?lang={language}")
        expect(site.api(path, accept_language=accept), document, f"{path} by Accept-Language")
        expect(site.api(f"{path}?lang={language}", accept_language="en, zh;q=0.1"), document, "lang wins")
        texts = texts_of(document)
        expect_true(all(texts), f"{path} in {language}: an empty text")
        expect(bool(re.search("[\u4e00-\u9fff]", "".join(texts))), language != "en", language)
        seen.append(texts)
        bare = bare or without(document, "text", "what", "todo")
        expect(without(document, "text", "what", "todo"), bare, path)
    for one, other in combinations(seen, 2):
        same = [a for a, b in zip(one, other) if a == b]
        expect_true(len(same) <= len(one) // 5, f"{path}: the same in two languages: {same[:5]}")
    expect(site.api(path, accept_language="fr, xx"), site.api(f"{path}?lang=en"), "English for all others")
    return bare


@test(seconds=20)
def the_graph_with_words():
    bare = in_languages("graph", lambda d: [node["text"] for node in d["nodes"]])
    expect(bare, json.loads(verdict("graph", "--format", "json").stdout))


@test(seconds=20)
def the_reasons_with_words():
    bare = in_languages("reasons", lambda d: [row[name] for row in d for name in ("what", "todo")])
    expect(without(bare, "others", "shown"),
           without(json.loads(verdict("reasons", "--format", "json").stdout), "text", "others"))
    row = next(row for row in bare if row["name"] == "not-found")
    expect(row["shown"], {"rfc": "404", "nginx": "404", "iis": "404.0", "cloudflare": "404"})
    expect({frozenset(row["shown"]) for row in bare}, {frozenset(("rfc", "nginx", "iis", "cloudflare"))})


@test(seconds=20)
def the_statuses_with_words():
    bare = in_languages("statuses", lambda d: [row["what"] for row in d["statuses"] + d["substatuses"]])
    expect(set(bare), {"statuses", "substatuses"})
    expect({frozenset(row) for row in bare["statuses"]}, {frozenset(("code", "vendor", "standing", "phrase", "spec"))})
    expect({frozenset(row) for row in bare["substatuses"]}, {frozenset(("status", "sub", "vendor", "meaning"))})
    expect([row["phrase"] for row in bare["statuses"] if row["code"] == 404 and row["vendor"] == "ietf"], ["Not Found"])
    expect(len([row for row in bare["substatuses"] if (row["status"], row["sub"]) == (404, 13)]), 1)
    vendors = {row["vendor"] for row in bare["statuses"]}
    expect_true({"ietf", "webdav", "nginx", "cloudflare"} <= vendors, vendors)
