"""Redirects: of directories, and those that are configured. None ever leads to a host that the client made up."""
import json

from harness import Server, configured, expect, expect_in, expect_true, files, test


def redirect(path, to, status, **keys):
    return {"path": path, "redirect": {"to": to, "status": str(status), **keys}}


STATUSES = {301: "moved-permanently", 302: "moved-temporarily", 303: "see-other", 307: "temporary-redirect",
            308: "permanent-redirect"}

site = Server({"dir/index.html": "i", "dir/sub/x": "x", "ä b/x": "x", "evil.test/x": "x", "a&b'\"<c/x": "x"},
              config=configured(files(write="on", headers={"X-Added": "yes"}),
                                *[redirect(f"/{status}", "https://new.example/place?a=1&b=2",
                                           status) for status in STATUSES],
                                redirect("/kept", "/new/", 301, keep_path="on"),
                                redirect("/away", "https://other.example", 308, keep_path="on"),
                                redirect("/plain", "/b?x=1", 302)))


@test("R089", "R082")
def a_directory_without_its_slash():
    answer = site.get("/dir").expect(301, "directory-redirect")
    expect((answer.get("Location"), answer.get("X-Added")), ("/dir/", "yes"))
    expect(site.get("/dir/sub").expect(301).get("Location"), "/dir/sub/")
    site.request("HEAD", "/dir").expect(301, "directory-redirect")
    site.get(answer.get("Location")).expect(200, "request-ok")


@test("R088", "R089")
def methods_that_are_not_get_keep_theirs():
    for method in ("PUT", "DELETE"):
        answer = site.request(method, "/dir", b"x" if method == "PUT" else None)
        answer.expect(308, "directory-redirect-method-kept")
        expect(answer.get("Location"), "/dir/")


@test("R089")
def the_query_is_kept():
    for query in ("?", "?a=1&b=2", "?q=%2F..%2F&x=?", "?http://evil.test/"):
        expect(site.get(f"/dir{query}").expect(301).get("Location"), f"/dir/{query}")


@test("R089")
def a_directory_redirect_never_leaves_this_host():
    for target in ("//evil.test", "///evil.test", "//evil.test/..//evil.test", "/.//evil.test", "/x/..//evil.test",
                   "/%2e/%2e//evil.test"):
        location = site.get(target).expect(301, "directory-redirect").get("Location")
        expect(location, "/evil.test/", target)
    for target in ("/%2fevil.test", "/\\evil.test", "/%5cevil.test", "/evil.test%0d%0aX:%20y"):
        answer = site.get(target)
        expect_true(answer.status in (400, 404), f"{target}: {answer.status} {answer.get('Location')}")
    expect(site.ask("GET http://evil.test/dir HTTP/1.1\r\nHost: evil.test\r\n\r\n").expect(301).get("Location"),
           "/dir/")


@test("R083", "R089")
def odd_names_are_encoded_in_the_field_and_escaped_in_the_page():
    expect(site.get("/%C3%A4%20b").expect(301).get("Location"), "/%C3%A4%20b/")
    answer = site.get("/a&b'%22%3Cc", accept="text/html").expect(301)
    expect(answer.get("Location"), "/a&b'%22%3Cc/")
    expect_in('href="/a&amp;b&#39;%22%3Cc/"', answer.text)
    expect_true("'\"<c" not in answer.text and "&lt;c" in answer.text, "escaped")


@test("R082", "R083", "R111")
def every_status_has_location_and_a_note_with_a_link():
    for status, reason in STATUSES.items():
        answer = site.get(f"/{status}", accept="text/html").expect(status, reason)
        expect(answer.get("Location"), "https://new.example/place?a=1&b=2")
        expect_in('<a href="https://new.example/place?a=1&amp;b=2">', answer.text)
        head = site.request("HEAD", f"/{status}", accept="text/html").expect(status, reason)
        expect((head.content, head.get("Location"), head.get("Content-Length")),
               (b"", answer.get("Location"), str(len(answer.content))))
        expect(json.loads(site.get(f"/{status}", accept="application/json").text)["location"], answer.get("Location"))
        expect_in("https://new.example/place?a=1&b=2", site.get(f"/{status}").text)


@test("R111", "R088")
def every_method_is_redirected():
    for method, content in (("POST", b"data"), ("PUT", b"data"), ("DELETE", None), ("OPTIONS", None),
                            ("PROPFIND", None)):
        for status in (307, 308, 303):
            expect(site.request(method, f"/{status}", content).expect(status).get("Location"),
                   "https://new.example/place?a=1&b=2")


@test("R082")
def the_rest_of_the_path_can_be_kept():
    for target, location in (("/kept", "/new/"), ("/kept/", "/new/"), ("/kept/a/b", "/new/a/b"),
                             ("/kept/a%20b?x=1", "/new/a%20b?x=1"),
                             ("/kept?q", "/new/?q"), ("/away", "https://other.example"),
                             ("/away/x", "https://other.example/x"),
                             ("/away//evil.test", "https://other.example/evil.test"), ("/away/..%2f", None),
                             ("/away/@evil.test", "https://other.example/@evil.test"),
                             ("/kept//evil.test/", "/new/evil.test/")):
        answer = site.get(target)
        if location is None:
            expect(answer.status, 400, target)
            continue
        expect(answer.get("Location"), location, target)
    expect(site.get("/plain/more?y=2").expect(302).get("Location"), "/b?x=1")
    site.get("/keptother").expect(404, "not-found")


@test("R168")
def a_redirect_cannot_grow_without_bound():
    with Server(config=configured(redirect("/", "http://example.test/longer/", 302, keep_path="on"))) as server:
        target = "/"
        while (answer := server.get(target)).status == 302:
            location = answer.get("Location").removeprefix("http://example.test")
            expect_true(len(location) > len(target), "it grows")
            target = location
        expect_true(answer.reason in ("uri-too-long", "too-many-url-segments"), answer.reason)


@test("R083")
def the_note_of_a_redirect_is_no_error():
    text = site.get("/301").text
    expect_true("Temporary" not in text and "Permanent:" not in text, text)
    expect(site.get("/301").get("Vary"), "Accept, Accept-Language")
