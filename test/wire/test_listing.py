"""Listings: refused by default, sorted, escaped, in two formats and three languages, without what is hidden."""
import html
import json
import os
import re
from html.parser import HTMLParser
from urllib.parse import unquote

from harness import Server, configured, expect, expect_in, expect_true, files, test

EVIL = "<script>alert(1)<"  # and its end tag would need a slash
NAMES = {
    "b.txt": "bb", "a.txt": "a", "B.txt": "", "z/inner.txt": "", "m/x": "", EVIL + ".txt": "", "a&b=c.txt": "",
    "quote\".txt": "",
    "apos'.txt": "", "100%.txt": "", "two  words.txt": "", "q?x#y.txt": "", "new\nline.txt": "",
    "javascript:alert(1)": "",
    "中文.txt": "", "back\\slash.txt": "", ".hidden": "", ".git/config": "",
}


def links(tree_root):
    os.symlink("b.txt", tree_root / "link-inside")
    os.symlink("/etc/passwd", tree_root / "link-outside")
    os.symlink("nothing", tree_root / "link-dangling")
    os.symlink("m", tree_root / "link-directory")
    os.mkfifo(tree_root / "fifo")
    with open(os.fsencode(tree_root) + b"/not-utf8-\xff.txt", "w", encoding="ascii"):
        pass


site = Server({"list/" + name: content for name, content in NAMES.items()} | {"empty": None, EVIL: None,
                                                                              "list/.d": None},
              config=configured(files(listing="on", compress="off"), files("/off", listing="off"),
                                files("/all", listing="on", hidden="on")))
links(site.root / "list")

SHOWN = sorted(name for name in NAMES if "/" not in name and not name.startswith(".")) + ["link-inside"]


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.hrefs, self.tags = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.hrefs += [value for name, value in attrs if name == "href"]


def listed(target="/list/", **fields):
    return json.loads(site.get(target, accept="application/json", **fields).expect(200, "listing-served").text)


@test("R136")
def off_is_403_and_on_is_200():
    got = site.get("/off/list/").expect(403, "listing-denied")
    expect_true("b.txt" not in got.text, "no names")
    site.get("/list/").expect(200, "listing-served")
    with Server({"d/x": ""}) as plain:
        plain.get("/d/").expect(403, "listing-denied")
        plain.get("/").expect(403, "listing-denied")


@test("R136")
def json_has_all_members_sorted():
    got = listed()
    names = [member["name"] for member in got["members"]]
    expect((got["path"], got["cut"]), ("/list/", False))
    expect(names[:3], ["link-directory", "m", "z"])
    plain = [name for name in names[3:] if "utf8" not in name]
    expect(plain, sorted(SHOWN, key=os.fsencode))
    expect(len(names), len(plain) + 4)
    by_name = {member["name"]: member for member in got["members"]}
    expect((by_name["b.txt"]["size"], by_name["b.txt"]["type"], by_name["m"]["type"]), (2, "file", "directory"))
    expect_true(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", by_name["b.txt"]["modified"]),
                by_name["b.txt"]["modified"])


@test("R136")
def each_link_leads_to_its_file():
    for member in listed()["members"]:
        expect_true(member["href"].startswith("./"), member["href"])
        target = "/list/" + member["href"][2:]
        site.get(target).expect(200)


@test("R136")
def html_is_escaped():
    got = site.get("/list/", accept="text/html").expect(200, "listing-served")
    expect(got.get("Content-Type"), "text/html; charset=utf-8")
    page = got.content.decode("utf-8", "replace")
    parsed = Links(page)
    expect_true("script" not in parsed.tags, f"tags: {parsed.tags}")
    expect_in(html.escape(EVIL, quote=False).replace("'", "&#39;"), page)
    wanted = [member["href"] for member in listed()["members"]]
    expect([href for href in parsed.hrefs if href != "../"], wanted)
    expect([unquote(href)[2:] for href in wanted if "alert(1)%3C" in href], [EVIL + ".txt"])


@test("R136")
def the_path_in_the_title_is_escaped():
    got = site.get("/%3Cscript%3Ealert(1)%3C/").expect(200, "listing-served")
    expect_true("script" not in Links(got.text).tags, "escaped")
    expect_in("&lt;script&gt;alert(1)&lt;", got.text)


@test("R136")
def nothing_hidden_and_nothing_outside():
    names = {member["name"] for member in listed()["members"]}
    for name in (".hidden", ".git", "link-outside", "link-dangling", "fifo", ".", ".."):
        expect_true(name not in names, name)
    shown = {member["name"] for member in json.loads(site.get("/all/list/", accept="application/json").text)["members"]}
    expect_true({".hidden", ".git"} <= shown and not {".", ".."} & shown, "hidden names where they are served")


@test()
def the_format_and_the_language_are_negotiated():
    for accept, kind in (("application/json", "application/json"), ("text/html", "text/html; charset=utf-8"),
                         (None, "text/html; charset=utf-8"), ("*/*", "text/html; charset=utf-8"),
                         ("text/html;q=0.5, application/json", "application/json")):
        got = site.get("/list/", accept=accept).expect(200, "listing-served")
        expect((got.get("Content-Type"), got.get("X-Content-Type-Options")), (kind, "nosniff"), accept)
        expect(sorted(got.words("Vary")), ["accept", "accept-language"])
    for language, word in (("en", "Index of"), ("zh-CN", "目录"), ("zh-TW", "目錄"), ("fr", "Index of")):
        got = site.get("/list/", accept_language=language)
        expect_in(word, got.content.decode("utf-8", "replace"))
        expect_in(f'<html lang="{got.get("Content-Language")}">', got.content.decode("utf-8", "replace"))


@test("R030")
def head_of_a_listing():
    got, head = site.get("/list/"), site.request("HEAD", "/list/").expect(200, "listing-served")
    expect((head.get("Content-Length"), head.content), (str(len(got.content)), b""))


@test()
def an_empty_directory_and_the_root():
    expect(listed("/empty/")["members"], [])
    expect_in('href="../"', site.get("/empty/").text)
    expect_true('href="../"' not in site.get("/").text, "no way up from the root")
    names = [member["name"] for member in listed("/")["members"]]
    expect(names, sorted(["list", "empty", EVIL]))


@test()
def a_listing_shows_what_is_there_now():
    (site.root / "empty" / "new.txt").write_text("x")
    expect([member["name"] for member in listed("/empty/")["members"]], ["new.txt"])
    (site.root / "empty" / "new.txt").unlink()
    expect(listed("/empty/")["members"], [])


@test(seconds=20)
def many_names():
    big = site.root / "big"
    big.mkdir()
    for i in range(3000):
        (big / f"file-{i:05}").touch()
    got = listed("/big/")
    expect([member["name"] for member in got["members"]], [f"file-{i:05}" for i in range(3000)])
