"""Asking again: only where it can do no harm, within bounds, and told try by try; and whose turn it is meanwhile."""
import collections
import json
import time

from harness import Reset, Server, Sleep, Upstream, configured, expect, expect_true, refusing_port, response, test

a, b, c, spare = Upstream("a"), Upstream("b"), Upstream("c"), Upstream("spare")
members = (a, b, c, spare)
dead = [f"127.0.0.1:{refusing_port()}" for _ in range(3)]
ALL_MEMBERS = [a.address, b.address, c.address]


def upstream(name, servers, **keys):
    return {"name": name, "servers": servers, "fails": 0, **keys}


UPSTREAMS = [
    upstream("one", a.address), upstream("dead", dead), upstream("first-dead", [dead[0], b.address]),
    upstream("two", [a.address, b.address]), upstream("spare", [f"{a.address}", f"{spare.address} backup"], fails=1,
                                                      rest="300ms"),
    upstream("resting", [a.address, b.address], fails=2, rest="300ms"),
    upstream("last", [a.address, f"{b.address} down"], fails=1, rest="1m"),
    upstream("both", [a.address, b.address], fails=1, rest="1m"),
    upstream("turns", ALL_MEMBERS), upstream("weights", [f"{a.address} weight=3", b.address, f"{c.address} weight=2"]),
    upstream("least", ALL_MEMBERS, balance="least-connections"),
    upstream("by-client", ALL_MEMBERS, balance="client"),
    upstream("by-field", ALL_MEMBERS, balance="field", balance_field="X-Shop"),
    upstream("only-b", b.address), upstream("only-c", c.address), upstream("only-spare", spare.address),
    upstream("taken-out", [f"{a.address} down", b.address]),
]
CHOOSE = [{"field": "X-Version", "is": "beta", "upstream": "only-b"},
          {"field": "X-Version", "begins": "c-", "upstream": "only-c"},
          {"query": "v", "is": "b", "upstream": "only-b"}, {"method": "OPTIONS", "upstream": "only-c"},
          {"client": "127.0.0.9/32", "upstream": "only-spare"}, {"field": "X-Any", "upstream": "only-spare"}]


def route(path, name, **keys):
    return {"path": path, "gateway": {"upstream": name, "to": "/", "read_wait": "2s", **keys}}


ROUTES = [route(f"/{one['name']}/", one["name"]) for one in UPSTREAMS]
ROUTES += [route("/thrice/", "dead", attempts=3), route("/once/", "two", attempts=1),
           route("/hurried/", "two", attempts=3, attempts_time="100ms"), route("/small/", "two", replay=1000),
           route("/chosen/", "one", choose=CHOOSE), route("/chosen/deep/", "only-c")]
SITES = [{"host": "b.test", "routes": [route("/", "only-b")]}, {"routes": ROUTES}]
site = Server(config=configured(sites=SITES, upstreams=UPSTREAMS, workers=1), admin=True)


def fresh():
    """Nobody has connections, rules or requests."""
    for one in members:
        one.cut()
        one.wait_open(0)
        one.reset_log()
        one.rules.clear()
    time.sleep(0.03)


def tries_of(answer):
    return [(one["server"], one["reason"], one["kept"]) for one in site.log_of(answer)["tries"]]


def path_of(answer):
    """The nodes of the gateway on the way, with what they answered; and the record's tries."""
    one = site.recorded(answer)
    nodes = [(node["node"], node["answer"]) for node in one["path"] if node["block"] == "gateway"]
    expect([attempt["server"] for attempt in one["upstream"]["tries"]],
           [attempt["server"] for attempt in site.log_of(answer)["tries"]])
    return nodes


def ways(answer, *wanted):
    nodes = path_of(answer)
    for one in wanted:
        expect_true(one in nodes, f"{one} is not in {nodes}")


def served_by(answer):
    return json.loads(answer.expect(200, "upstream-answered").content)["upstream"]


# Who is asked again


@test()
def a_kept_connection_that_went_stale():
    for failure in ("stale", "stale-reset"):
        fresh()
        a.fail("/stale", failure, times=1)
        site.get("/one/stale").expect(200, "upstream-answered")
        answer = site.get("/one/stale").expect(200, "upstream-answered")
        expect(tries_of(answer), [(a.address, "upstream-connection-terminated", True), (a.address, "", False)])
        ways(answer, ("answered", "no"), ("attempt_again", "done"), ("answered_again", "yes"), ("relay", "done"))


@test()
def who_refuses_and_who_does_not():
    fresh()
    seen = set()
    for _ in range(2):
        answer = site.request("POST", "/first-dead/x", b"content")
        expect(served_by(answer), "b")
        seen.add(tuple(tries_of(answer)))
        if len(tries_of(answer)) == 2:
            ways(answer, ("answered", "no"), ("nothing_processed", "yes"), ("content_replayable", "yes"),
                 ("attempts_left", "yes"), ("answered_again", "yes"))
    expect(b.requests[0].content, b"content")
    expect_true(((dead[0], "upstream-connection-refused", False), (b.address, "", False)) in
                {tuple((server, reason, False) for server, reason, _ in one) for one in seen}, seen)


def asked_of_a_first(put):
    """One of two in turn is asked of a first, which fails: the answer to it."""
    fresh()
    a.fail("/r", "reset-before-answer", times=1)
    answers = [put() for _ in range(2)]
    again = [one for one in answers if len(tries_of(one)) > 1]
    expect([served_by(one) for one in again], ["b"])
    return again[0]


@test()
def content_that_is_sent_again():
    content = bytes(range(256)) * 64
    answer = asked_of_a_first(lambda: site.request("PUT", "/two/r", content))
    expect(tries_of(answer)[0][:2], (a.address, "upstream-connection-terminated"))
    expect(tries_of(answer)[1][:2], (b.address, ""))
    expect({one.content for one in a.requests + b.requests}, {content})
    ways(answer, ("nothing_processed", "no"), ("repeat_safe", "yes"), ("content_replayable", "yes"),
         ("attempts_left", "yes"), ("answered_again", "yes"))


@test()
def content_in_chunks_that_is_sent_again():
    def put():
        with site.connect() as connection:
            connection.send("PUT /two/r HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            time.sleep(0.05)
            return connection.send("2\r\nde\r\n0\r\n\r\n").response(to="PUT")

    asked_of_a_first(put)
    expect({one.content for one in b.requests}, {b"abcde"})


@test()
def what_is_not_safe_to_repeat():
    fresh()
    for one in (a, b):
        one.fail("/r", "reset-before-answer")
    answer = site.request("POST", "/two/r", b"once").expect(502, "upstream-connection-terminated")
    expect(len(tries_of(answer)), 1)
    expect(len(a.requests) + len(b.requests), 1)
    ways(answer, ("nothing_processed", "no"), ("repeat_safe", "no"), ("give_up", "stopped"))


@test()
def content_too_long_to_keep():
    fresh()
    for one in (a, b):
        one.fail("/r", "reset-before-answer")
    answer = site.request("PUT", "/small/r", b"x" * 1001).expect(502, "upstream-connection-terminated")
    expect(len(tries_of(answer)), 1)
    ways(answer, ("repeat_safe", "yes"), ("content_replayable", "no"), ("give_up", "stopped"))
    answer = site.request("PUT", "/small/r", b"x" * 1000).expect(502, "upstream-connection-terminated")
    expect(len(tries_of(answer)), 2)


@test()
def no_more_often_than_it_may():
    fresh()
    for one in (a, b):
        one.fail("/r", "reset-before-answer")
    answer = site.get("/once/r").expect(502)
    expect(len(tries_of(answer)), 1)
    ways(answer, ("attempts_left", "no"), ("give_up", "stopped"))
    answer = site.get("/two/r").expect(502)
    expect({server for server, _, _ in tries_of(answer)}, {a.address, b.address})
    ways(answer, ("attempts_left", "yes"), ("answered_again", "no"), ("give_up", "stopped"))
    answer = site.get("/thrice/r").expect(502, "upstream-connection-refused")
    expect({server for server, _, _ in tries_of(answer)}, set(dead), "nobody twice")
    ways(answer, ("attempt_last", "done"), ("answered_last", "no"), ("give_up", "stopped"))


@test()
def no_later_than_it_may():
    fresh()
    for one in (a, b):
        one.script("/r", [Sleep(0.2), Reset()])
    answer = site.get("/hurried/r").expect(502, "upstream-connection-terminated")
    expect(len(tries_of(answer)), 1)
    ways(answer, ("repeat_safe", "yes"), ("attempts_left", "no"))


@test()
def an_answer_of_failure_is_an_answer():
    fresh()
    for one in (a, b):
        one.answer("/r", response(503, b"busy"))
    answer = site.get("/two/r").expect(503, "upstream-answered")
    expect(len(tries_of(answer)), 1)


# Who is well


def asked(name, count, **fields):
    """How often each was asked."""
    return dict(collections.Counter(served_by(site.get(f"/{name}/x", **fields)) for _ in range(count)))


@test()
def a_member_rests_and_comes_back():
    fresh()
    a.down()
    try:
        expect(asked("resting", 8), {"b": 8})
        expect(tries_of(site.get("/resting/x")), [(b.address, "", True)], "nobody asks who rests")
    finally:
        a.up()
    time.sleep(0.35)
    expect(asked("resting", 6), {"a": 3, "b": 3})


@test()
def nobody_rests_for_whom_nobody_steps_in():
    fresh()
    for _ in range(3):
        a.fail("/x", "reset-before-answer", times=1)
        site.get("/last/x").expect(502, "upstream-connection-terminated")
    expect(asked("last", 2), {"a": 2})
    for one in (a, b):
        one.fail("/x", "reset-before-answer", times=1)
    site.get("/both/x").expect(502, "upstream-connection-terminated")
    expect(sum(asked("both", 4).values()), 4)


@test()
def a_rest_ends_when_an_answer_begins():
    fresh()
    a.down()
    try:
        expect(served_by(site.get("/spare/x")), "spare")
    finally:
        a.up()
    a.fail("/long", "slow-content", pause=0.1)
    time.sleep(0.35)
    with site.connect() as slow:
        slow.send("GET /spare/long HTTP/1.1\r\nHost: x\r\n\r\n")
        expect(slow.head().status, 200)
        expect(asked("spare", 3), {"a": 3})


@test()
def a_backup_is_asked_when_no_other_is_there():
    fresh()
    expect(asked("spare", 3), {"a": 3})
    a.down()
    try:
        expect(asked("spare", 3), {"spare": 3})
    finally:
        a.up()
    time.sleep(0.35)
    expect(asked("spare", 3), {"a": 3})


@test()
def a_member_that_was_taken_out():
    expect(asked("taken-out", 4), {"b": 4})


@test(seconds=20)
def members_are_asked_how_they_are():
    one, other = Upstream("one"), Upstream("other")
    checked = upstream("checked", [one.address, other.address],
                       check={"path": "/health?q", "interval": "100ms", "timeout": "50ms", "rise": 2, "fall": 2})
    config = configured(route("/", "checked"), upstreams=[checked], workers=1)
    with Server(config=config) as server:
        def names():
            return {served_by(server.get("/x")) for _ in range(4)}

        def until(wanted):
            end = time.monotonic() + 4
            while names() != wanted and time.monotonic() < end:
                time.sleep(0.05)
            expect(names(), wanted)

        one.wait(lambda: any(r.target == "/health?q" for r in one.requests), "check")
        until({"one", "other"})
        one.answer("/health?q", response(500))
        until({"other"})
        one.fail("/health?q", "no-answer")
        until({"other"})
        bad = len([r for r in one.requests if r.target == "/health?q"])
        one.answer("/health?q", response(204))
        until({"one", "other"})
        good = len([r for r in one.requests if r.target == "/health?q"]) - bad
        expect_true(good >= 2, f"it rose after {good}")
        other.down()
        until({"one"})


# Whose turn it is


@test("R250")
def turns_and_weights():
    expect(asked("turns", 9), {"a": 3, "b": 3, "c": 3})
    expect(asked("weights", 12), {"a": 6, "b": 2, "c": 4})


@test("R250")
def who_has_the_least_to_do():
    fresh()
    busy = []
    for one in (a, b):
        one.fail("/busy", "late-answer", seconds=0.5)
    while len(busy) < 2:
        connection = site.connect()
        connection.send("GET /least/busy HTTP/1.1\r\nHost: x\r\n\r\n")
        busy.append(connection)
        for _ in range(100):
            if len(a.requests) + len(b.requests) + len(c.requests) >= len(busy):
                break
            time.sleep(0.01)
        if c.requests:
            connection.response()
            c.reset_log()
            busy.pop()
    expect(asked("least", 4), {"c": 4})
    for connection in busy:
        connection.response().expect(200)
        connection.close()


@test("R250")
def always_the_same():
    expect(len(asked("by-client", 6)), 1)
    shops = {shop: asked("by-field", 2, x_shop=shop) for shop in map(str, range(48))}
    expect({len(one) for one in shops.values()}, {1}, "one value, one member")
    expect({name for one in shops.values() for name in one}, {"a", "b", "c"})
    expect(asked("by-field", 6), {"a": 2, "b": 2, "c": 2}, "without the field in turns")


@test("R250")
def by_field_query_method_client_host_and_path():
    for fields, wanted in (({}, "a"), ({"x_version": "beta"}, "b"), ({"x_version": "c-1"}, "c"),
                           ({"x_version": "other"}, "a"), ({"x_any": ""}, "spare"), ({"x_any": "1"}, "spare")):
        expect(served_by(site.get("/chosen/x", **fields)), wanted, fields)
    expect(served_by(site.get("/chosen/x?u=1&v=b")), "b")
    expect(served_by(site.get("/chosen/x?v=bb")), "a")
    expect(served_by(site.request("OPTIONS", "/chosen/x")), "c")
    expect(served_by(site.get("/chosen/deep/x")), "c", "the longest path")
    expect(served_by(site.get("/x", host="b.test")), "b", "Host")
    with site.connect(source="127.0.0.9") as connection:
        connection.send("GET /chosen/x HTTP/1.1\r\nHost: x\r\n\r\n")
        expect(served_by(connection.response()), "spare", "client")
