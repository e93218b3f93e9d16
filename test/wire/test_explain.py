"""verdict explain, reasons, graph and version: what they print, in which language and format, and how they end."""
import csv
import json
import os
import re
import subprocess
import xml.etree.ElementTree

from harness import expect, expect_in, expect_true, program, test, verdict
from harness.server import ROOT

DIALECTS = ("rfc", "nginx", "iis", "cloudflare")


def explained(*words, **options):
    done = verdict("explain", *words, **options)
    expect((done.returncode, done.stderr), (0, ""), str(words))
    return done.stdout


def rows():
    lines = verdict("reasons").stdout.splitlines()
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


REASONS = {row["name"] for row in rows()}


@test()
def what_can_be_asked_for():
    for what, *wanted in (("404", "404 Not Found", "RFC9110:15.5.5", "Rules", "not-found"),
                          ("404.13", "404.13 Content length too large", "413", "content-too-large"),
                          ("nginx:499", "Client Closed Request", "client-closed-request"),
                          ("cloudflare:521", "Web Server Is Down", "upstream-connection-refused"),
                          ("if-match-failed", "id 4010", "rfc 412, nginx 412, iis 412.0, cloudflare 412",
                           "RFC9110:13.1.1", "Rules"),
                          ("418", "418 (Unused)", "I'm a teapot", "teapot"),
                          ("600", "600 Unparseable Response Headers", "502", "upstream-headers-unparseable"),
                          ("iis:404.8", "hidden-segment"), ("cloudflare:1020", "request-policy-denied"),
                          ("305", "305", "use-proxy"), ("306", "306")):
        text = explained(what, "--lang", "en")
        for word in wanted:
            expect_in(word, text, what)


@test()
def words_find_it():
    for words in (["too many redirects"], ["too", "many", "redirects"]):
        text = explained(*words, "--lang", "en")
        for word in ("301", "302", "307", "308"):
            expect_in(word, text)
    for words, wanted in ((["precondition", "failed"], "412"), (["teapot"], "418"), (["Not Found"], "404"),
                          (["gone"], "410")):
        expect_in(wanted, explained(*words, "--lang", "en"))


@test()
def contradicting_meanings_stand_side_by_side():
    for number, vendors in (("421", ("ietf", "unofficial")), ("425", ("ietf", "webdav")),
                            ("451", ("ietf", "microsoft")), ("499", ("esri", "nginx")),
                            ("530", ("pantheon", "cloudflare"))):
        text = explained(number, "--lang", "en")
        first = text.split("\n\n")[0]
        expect_in("One number, several meanings", first)
        for vendor in vendors:
            expect_in(f"  {vendor} ", first, number)


@test()
def the_codes_of_other_systems_are_told_too():
    for number, reason in (("451", "mailbox-server-moved"), ("421", "connection-limit-per-client"),
                           ("103", "upload-resumption-offer"), ("403", "rate-limited")):
        expect_in(f"  {reason} ", explained(number, "--lang", "en"), number)
        told = json.loads(explained(number, "--format", "json"))
        expect_in(reason, [entry["name"] for entry in told["elsewhere"]], number)
    expect_true(json.loads(explained("4040", "--format", "json"))["by_id"], "4040 is no status")


@test()
def what_is_not_known_gets_the_nearest_and_1():
    for what, near in (("404.99", "404.9"), ("if-mach-failed", "if-match-failed"), ("nginx:999", ""), ("zzqq", ""),
                       ("799", ""), ("too many redirectz", "301"), ("a b c d e f g", "")):
        done = verdict("explain", what)
        expect((done.returncode, done.stdout), (1, ""), what)
        expect_true(done.stderr.startswith(f"verdict: explain: {what}: "), done.stderr)
        expect_in(near, done.stderr)
        expect_in("try ", done.stderr)
    for what, why in (("foo:404", "no such vendor"), ("nginx:", "a number is missing")):
        done = verdict("explain", what)
        expect((done.returncode, done.stdout), (1, ""), what)
        expect_in(why, done.stderr)
    for words in ([], [""], ["404", "--lang", "fr"], ["404", "--format", "xml"], ["404", "--what"]):
        done = verdict("explain", *words)
        expect((done.returncode, done.stdout), (2, ""), str(words))
        expect_true(done.stderr.startswith("verdict: explain: "), done.stderr)


@test()
def three_languages():
    expect_in("該 URI 下沒有資源", explained("404", "--lang", "zh-TW"))
    expect_in("客户端", explained("404", "--lang", "zh-CN"))
    for locale, word in (("zh_TW.UTF-8", "意義"), ("zh_CN.UTF-8", "含义"), ("en_US.UTF-8", "What it means"),
                         ("C", "What it means"), ("fr_FR", "What it means")):
        text = explained("404", env={"LC_ALL": locale})
        expect_in(word, text, locale)


@test(seconds=60)
def every_reason_can_be_explained_in_every_language():
    some = rows()[::7]
    for language in ("en", "zh-CN", "zh-TW"):
        for row in some:
            told = json.loads(explained(row["name"], "--lang", language, "--format", "json"))
            item = told["items"][0]
            expect((told["language"], item["kind"], item["name"], str(item["id"])),
                   (language, "reason", row["name"], row["id"]))
            expect_true(item["what"] and item["todo"], row["name"])


@test()
def json_says_the_same():
    told = json.loads(explained("404", "--format", "json", "--lang", "en"))
    item = told["items"][0]
    expect((item["kind"], item["status"], item["phrase"], item["heuristically_cacheable"]), ("status", 404, "Not Found", True))
    expect_in("not-found", [reason["name"] for reason in told["reasons"]])
    told = json.loads(explained("iis:404.13", "--format", "json"))
    expect((told["items"][0]["kind"], told["items"][0]["status"], told["items"][0]["sub"]), ("substatus", 404, 13))


@test()
def the_whole_registry():
    table = rows()
    expect_true(len(table) > 200, len(table))
    by_name = {row["name"]: row for row in table}
    expect(len(by_name), len(table))
    expect(len({row["id"] for row in table}), len(table))
    row = by_name["header-fields-too-large"]
    expect([row[dialect] for dialect in DIALECTS], ["431", "400 (494)", "404.10", "431"])
    for row in table:
        expect_true(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", row["name"]), row["name"])
        expect_true(row["lasts"] in ("temporary", "permanent", "unknown") and row["after"] in ("keep", "close"),
                    row["name"])
        expect_true(re.fullmatch(r"RFC\d+:[0-9.]+|local", row["spec"]), row["spec"])
    listed = json.loads(verdict("reasons", "--format", "json").stdout)
    expect([entry["name"] for entry in listed], [row["name"] for row in table])
    expect(verdict("reasons", "--format", "xml").returncode, 2)


@test()
def the_graph_as_text():
    text = verdict("graph").stdout
    for node in ("receive", "route", "open", "if_match_holds", "range_satisfiable", "store"):
        expect_true(re.search(rf"^\S+ +{node}\b", text, re.MULTILINE), node)
    expect(verdict("graph", "server", "--format", "text").stdout, text)
    expect_in("404.8", verdict("graph", "--dialect", "iis").stdout)


@test()
def the_graph_as_json():
    graph = json.loads(verdict("graph", "--format", "json").stdout)
    place = {node["name"]: at for at, node in enumerate(graph["nodes"])}
    expect((graph["graph"], graph["dialect"], len(place)), ("server", "rfc", len(graph["nodes"])))
    expect_true({"receive", "if_match_holds", "range_satisfiable", "store"} <= set(place), "nodes")
    for edge in graph["edges"]:
        if "to" in edge:
            expect_true(place[edge["to"]] > place[edge["from"]], f"{edge['id']} leads down")
        else:
            expect_in(edge["end"], REASONS)


@test(seconds=30)
def the_graph_as_dot():
    dot = verdict("graph", "--format", "dot").stdout
    expect_true(dot.startswith("digraph server {"), dot[:50])
    try:
        done = subprocess.run(["dot", "-Tplain"], input=dot, capture_output=True, text=True, check=False, timeout=25)
    except FileNotFoundError:
        return
    expect((done.returncode, done.stderr), (0, ""))


@test()
def the_graph_as_a_picture():
    svg = verdict("graph", "--format", "svg").stdout
    root = xml.etree.ElementTree.fromstring(svg)
    expect(root.tag, "{http://www.w3.org/2000/svg}svg")
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    expect(len(ids), len(set(ids)), "ids are unique")
    graph = json.loads(verdict("graph", "--format", "json").stdout)
    missing = {part["id"] for part in graph["nodes"] + graph["edges"]} - set(ids)
    expect(missing, set(), "nodes and edges without an id in the picture")
    expect_true("<script" not in svg, "a picture")


@test()
def wrong_usage_of_the_graph():
    for words in (["client"], ["--format", "png"], ["--dialect", "apache"], ["server", "client"]):
        done = verdict("graph", *words)
        expect((done.returncode, done.stdout), (2, ""), str(words))


@test()
def version_help_and_what_is_not_there():
    expect_true(re.fullmatch(r"verdict \d+\.\d+\.\d+\S*\n", verdict("version").stdout), verdict("version").stdout)
    for words in (["--help"], ["explain", "--help"], ["reasons", "--help"], ["graph", "--help"], ["check", "--help"],
                  ["serve", "--help"], ["version", "--help"]):
        done = verdict(*words)
        expect((done.returncode, done.stderr), (0, ""), str(words))
        expect_in("verdict", done.stdout)
    done = verdict("frobnicate")
    expect((done.returncode, done.stdout), (2, ""))
    expect_true(done.stderr.startswith("verdict: "), done.stderr)
    expect(verdict().returncode, 2)


@test()
def a_closed_pipe_is_no_crash():
    for words in (["reasons"], ["graph", "--format", "svg"], ["explain", "404"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([program(), *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
        os.close(writer)
        expect_true("Sanitizer" not in done.stderr, done.stderr)
    full = os.open("/dev/full", os.O_WRONLY)
    done = subprocess.run([program(), "reasons"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    os.close(full)
    expect(done.returncode, 1)
    expect_true(done.stderr.startswith("verdict: reasons: "), done.stderr)


@test()
def the_texts_need_no_terminal():
    for words in (["explain", "404"], ["reasons"], ["graph"]):
        expect_true("\x1b" not in verdict(*words).stdout, str(words))
    expect_true((ROOT / "docs/rules.tsv").exists(), "the rules that explain names")
