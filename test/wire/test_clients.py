"""Clients that nobody here wrote: curl, wget, ab, wrk, Chromium. What is not installed is skipped, and said."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from harness import Server, configured, expect, expect_in, expect_true, files, skip, test
from harness.server import ROOT

TEXT = b"".join(b"a line of text, number %d, that shrinks well\n" % i for i in range(2000))
LARGE = os.urandom(3 << 20)

site = Server({"index.html": "<!doctype html><title>Home</title><p>home", "text.txt": TEXT, "large.bin": LARGE,
               "small.bin": os.urandom(1024),
               "list/a b.txt": "x", "list/<script>document.title='evil'<": "x", "dir/index.html": "in dir"},
              config=configured(files(write="on"), files("/list", directory="{root}/list", listing="on"),
                                {"path": "/old", "redirect": {"to": "/text.txt", "status": "301"}}))


def needs(name):
    """Its path; without one the test is skipped."""
    found = shutil.which(name)
    if found is None:
        skip(f"{name} is not installed")
    return found


def url(target):
    site.start()
    return f"http://127.0.0.1:{site.port}{target}"


def run(*words, good=(0,), seconds=20, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, timeout=seconds, check=False, **more)
    expect_true(done.returncode in good,
                f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-1500:]}")
    return done


class Place:
    """A directory for what a client writes."""

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="verdict-client-"))
        return self.path

    def __exit__(self, *ignored):
        shutil.rmtree(self.path, ignore_errors=True)


def curl(*words, **more):
    return run(needs("curl"), "-sS", "--max-time", "15", "--noproxy", "*", *words, **more)


@test("R029")
def curl_gets_and_follows():
    expect(curl(url("/text.txt")).stdout, TEXT)
    expect(curl("-L", url("/old")).stdout, TEXT)
    expect(curl("-L", url("/dir")).stdout, b"in dir")
    expect(curl("--http1.0", url("/large.bin")).stdout == LARGE, True)
    expect(curl("-I", url("/text.txt")).stdout.split(b"\r\n")[0], b"HTTP/1.1 200 OK")
    failed = curl("-f", url("/missing"), good=(22,))
    expect_in(b"404", failed.stderr)


@test("R054", "R055")
def curl_resumes_a_broken_download():
    with Place() as place:
        (place / "part.bin").write_bytes(LARGE[:1_000_000])
        curl("-C", "-", "-o", place / "part.bin", url("/large.bin"))
        expect((place / "part.bin").read_bytes() == LARGE, True)
        curl("-C", "-", "-o", place / "part.bin", url("/large.bin"), good=(0, 22, 33))
        expect((place / "part.bin").read_bytes() == LARGE, True)
    expect(site.log_where(target="/large.bin", status=206)["reason"], "partial-content")
    expect(curl("-r", "10-19", url("/large.bin")).stdout, LARGE[10:20])
    expect_in(b"multipart/byteranges", curl("-D", "-", "-r", "0-1,5-6", url("/large.bin")).stdout)


@test()
def curl_decodes_every_coding():
    codings = [name for name in ("br", "zstd", "gzip", "deflate")
               if {"br": b"brotli", "zstd": b"zstd"}.get(name, b"libz") in run(needs("curl"), "--version").stdout]
    for coding in codings:
        got = curl("--compressed", "-D", "-", "-H", f"Accept-Encoding: {coding}", url("/text.txt")).stdout
        head, _, content = got.partition(b"\r\n\r\n")
        expect_in(b"Content-Encoding: " + coding.encode(), head)
        expect(content == TEXT, True, coding)
    expect(curl("--compressed", url("/text.txt")).stdout == TEXT, True)


@test("R033", "R045")
def curl_uploads():
    with Place() as place:
        (place / "up.bin").write_bytes(LARGE)
        head = curl("-D", "-", "-o", "/dev/null", "-T", place / "up.bin", url("/up.bin")).stdout
        expect_in(b"HTTP/1.1 201 Created", head)
        expect((site.root / "up.bin").read_bytes() == LARGE, True)
        head = curl("-D", "-", "-T", "-", url("/up.bin"), input=TEXT[:50_000]).stdout
        expect_in(b"HTTP/1.1 204 No Content", head)
        expect((site.root / "up.bin").read_bytes(), TEXT[:50_000])
        tag = re.search(rb"ETag: (\S+)", head)[1].decode()
        curl("-f", "-T", place / "up.bin", "-H", 'If-Match: "old"', url("/up.bin"), good=(22,))
        curl("-f", "-T", place / "up.bin", "-H", f"If-Match: {tag}", url("/up.bin"))
        curl("-f", "-X", "DELETE", url("/up.bin"))
        expect((site.root / "up.bin").exists(), False)


@test("R098")
def curl_asks_again_only_for_changes():
    with Place() as place:
        for _ in range(2):
            curl("--etag-save", place / "tag", "--etag-compare", place / "tag", "-o", place / "out", url("/text.txt"))
        expect(site.log_where(target="/text.txt", status=304)["reason"], "not-modified")
        expect((place / "out").read_bytes() in (TEXT, b""), True)
        curl("-z", site.root / "text.txt", "-o", place / "none", url("/text.txt"))
        expect((place / "none").exists() and (place / "none").stat().st_size > 0, False)


@test()
def many_requests_of_curl_on_one_connection():
    done = curl("-w", "%{num_connects}\n", "-o", "/dev/null", url("/text.txt"), "-o", "/dev/null", url("/small.bin"),
                "-o", "/dev/null", url("/missing"))
    expect(done.stdout.split(), [b"1", b"0", b"0"])


@test("R054")
def wget_resumes_and_mirrors():
    wget = needs("wget")
    with Place() as place:
        (place / "large.bin").write_bytes(LARGE[:500_000])
        run(wget, "-q", "--no-proxy", "-c", "-P", place, url("/large.bin"))
        expect((place / "large.bin").read_bytes() == LARGE, True)
        run(wget, "-q", "--no-proxy", "-N", "-P", place, url("/text.txt"))
        expect((place / "text.txt").read_bytes() == TEXT, True)
        expect(int((place / "text.txt").stat().st_mtime), int((site.root / "text.txt").stat().st_mtime))
        run(wget, "-q", "--no-proxy", "-N", "-P", place, url("/text.txt"))
        run(wget, "-q", "--no-proxy", "-r", "-np", "-nH", "-P", place, url("/list/"))
        expect((place / "list" / "a b.txt").read_text(), "x")


@test(seconds=20)
def ab_runs_without_an_error():
    ab = needs("ab")
    for words in (["-k"], []):
        said = run(ab, "-q", "-t", "2", "-n", "3000", "-c", "20", *words, url("/small.bin")).stdout.decode()
        expect(re.search(r"Failed requests: +(\d+)", said)[1], "0", said)
        expect_true("Non-2xx" not in said, said)
        if words:
            expect_true(int(re.search(r"Keep-Alive requests: +(\d+)", said)[1]) > 0, said)


@test(seconds=20)
def wrk_runs_without_an_error():
    wrk = needs("wrk")
    for target in ("/small.bin", "/text.txt"):
        said = run(wrk, "-t", "1", "-c", "32", "-d", "2s", "-H", "Accept-Encoding: gzip", url(target)).stdout.decode()
        expect_true("Socket errors" not in said and "Non-2xx" not in said, said)
        expect_true(int(re.search(r"(\d+) requests in", said)[1]) > 100, said)


@test()
def python_reads_and_writes():
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url("/large.bin"), timeout=10) as answer:
        expect(answer.read() == LARGE, True)
    ask = urllib.request.Request(url("/py.txt"), data=b"from python", method="PUT")
    with opener.open(ask, timeout=10) as answer:
        expect((answer.status, answer.headers["Location"]), (201, "/py.txt"))


def chromium(place, *words):
    """Headless, with a profile of its own; ends by itself or with all its children."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        skip("Chromium is not installed")
    process = subprocess.Popen([found, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                                "--disable-dev-shm-usage", "--no-proxy-server",
                                "--disable-background-networking", "--disable-component-update",
                                f"--user-data-dir={place / 'profile'}",
                                "--virtual-time-budget=5000", *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True,
                               env={**os.environ, "HOME": str(place)})
    try:
        out, err = process.communicate(timeout=40)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"Chromium did not end: {err[-1000:]}") from None
    expect(process.returncode, 0, err[-1000:])
    return out


example = Server(args=["--dialect", "rfc"], config=configured(files(directory=str(ROOT / "examples/site"),
                                                                    default_language="en"),
                                                              files("/photos",
                                                                    directory=str(ROOT / "examples/site/photos"),
                                                                    listing="on")))


@test(seconds=60)
def chromium_shows_the_example_site_with_its_image():
    example.start()
    with Place() as place:
        page = chromium(place, "--lang=en", "--dump-dom", f"http://127.0.0.1:{example.port}/")
        expect_in("</html>", page)
    expect_true(re.search(r"<h1", page), page[:500])
    asked = {line["target"]: (line["status"], line["reason"]) for line in example.log()}
    expect(asked["/"], (200, "request-ok"))
    expect(asked["/style.css"], (200, "request-ok"))
    images = [target for target in asked if target.startswith(("/logo", "/photos/"))]
    expect_true(images and all(asked[target] == (200, "request-ok") for target in images), str(asked))
    expect(example.log_where(target=images[0])["bytes_out"] > 300, True)


@test(seconds=60)
def chromium_takes_a_picture_of_it():
    example.start()
    with Place() as place:
        chromium(place, "--window-size=1200,900", f"--screenshot={place / 'shot.png'}",
                 f"http://127.0.0.1:{example.port}/")
        shot = (place / "shot.png").read_bytes()
    expect_true(shot.startswith(b"\x89PNG") and len(shot) > 20_000, f"{len(shot)} bytes of picture")


@test("R136", seconds=60)
def chromium_shows_a_listing_and_runs_no_name_of_it():
    with Place() as place:
        page = chromium(place, "--dump-dom", url("/list/"))
    expect_in(">a b.txt</a>", page)
    expect_true("<title>evil" not in page and "<script" not in page, page)
    expect_in("&lt;script&gt;document.title='evil'&lt;", page)


@test("R113", seconds=60)
def chromium_shows_an_error_page():
    with Place() as place:
        page = chromium(place, "--dump-dom", url("/no/such/page"))
    expect_in("<b>404</b>Not Found", page)
    expect_in("<code>not-found</code>", page)
    expect_in("<code>/no/such/page</code>", page)
