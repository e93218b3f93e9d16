"""The rows of the table: what is asked for, how it is measured, and what has to be there for it."""
import os
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path

import work
from measure import cpu_seconds_each

RATE = 5000  # requests a second that every server carries
MANY = 100000
WORDS = "the quick brown fox jumps over the lazy dog and a server tells why it answered so before evening comes".split()


@dataclass(frozen=True)
class Row:
    name: str
    words: str
    path: str = "/a.html"
    connections: int = 64
    fields: tuple = ()  # of requests; @ETag@ is what the server said there
    status: int = 200
    script: str = None
    at_once: int = 1  # requests of a connection
    requests: int = 0  # where a load does not run for a time
    flags: frozenset = frozenset()
    workers: int = 1
    measure: str = "by_wrk"
    unit: str = "us"
    counted: bool = False  # system calls and instructions too
    floor: bool = True  # the answer is short and always the same
    once: bool = False  # the second time would find what the first left
    without: tuple = ()  # servers that cannot do it


def on(*flags):
    return frozenset(flags)


ROWS = [
    Row("small", "1 KiB, 64 connections", counted=True),
    Row("small-log", "1 KiB, 64 connections, access log on", flags=on("log"), counted=True, floor=False),
    Row("one", "1 KiB, 1 connection", connections=1),
    Row("thousand", "1 KiB, 1,000 connections", connections=1000),
    Row("ten-thousand", "1 KiB, 10,000 connections", connections=10000, requests=60000, measure="by_number"),
    Row("pipelined", "1 KiB, 16 requests at a time", script="scripts/pipelined.lua", at_once=16, counted=True),
    Row("medium", "16 KiB", path="/b.html", counted=True),
    Row("large", "100 MiB", path="/large.bin", connections=1, requests=8, measure="by_fetch", unit="ms", floor=False),
    Row("not-modified", "304 to If-None-Match", fields=("If-None-Match: @ETag@",), status=304, counted=True),
    Row("range", "206, 200 bytes of 16 KiB", path="/b.html", fields=("Range: bytes=100-299",), status=206, counted=True),
    Row("not-found", "404", path="/none.html", status=404, counted=True),
    Row("many", "100,000 files of 200 bytes at random", path="/many/00000.html", script="scripts/random.lua", floor=False),
    Row("gzip", "64 KiB of text, gzip", path="/text.txt", fields=("Accept-Encoding: gzip",), flags=on("compress"),
        connections=4, floor=False),
    Row("brotli", "64 KiB of text, brotli", path="/text.txt", fields=("Accept-Encoding: br",), flags=on("compress"),
        connections=4, floor=False, without=("caddy",)),
    Row("put", "PUT of 1 MiB, nobody waits for the disk", script="scripts/put.lua", flags=on("write", "unsynced"),
        connections=4, floor=False, without=("h2o", "caddy")),
    Row("put-synced", "PUT of 1 MiB, Verdict waits for the disk (its default), the peers cannot", script="scripts/put.lua",
        flags=on("write"), connections=4, floor=False, without=("h2o", "caddy")),
    Row("two-workers", "1 KiB, 64 connections, two workers", workers=2, floor=False),
    Row("idle", "memory of a connection that waits, of 10,000, after other requests", connections=10000,
        measure="by_holding", unit="bytes", once=True),
    Row("latency", f"99th percentile at {RATE:,} requests a second, 64 connections", requests=RATE, measure="by_rate"),
]


def by_wrk(server, row, folder):
    return cpu_seconds_each(server, lambda it: work.wrk(it, row)) * 1e6


def by_fetch(server, row, folder):
    return cpu_seconds_each(server, lambda it: work.fetch(it, row)) * 1e3


def by_number(server, row, folder):
    return work.paced(server, row, folder)[0] * 1e6


def by_rate(server, row, folder):
    return work.paced(server, row, folder, RATE)[1]


def by_holding(server, row, folder):
    # What servers keep of requests, whoever makes them, is no connection's.
    work.wrk(server, replace(row, connections=1), 2)
    before = server.resident_kib()
    held = work.hold(server, row)
    grown = server.resident_kib() - before
    for connection in held:
        connection.close()
    return grown * 1024 / len(held)


MEASURES = {f.__name__: f for f in (by_wrk, by_fetch, by_number, by_rate, by_holding)}


def plant(folder, rows):
    """The files that these rows ask for."""
    Path(folder).chmod(0o755)  # for servers that go on as another user
    site = Path(folder, "site")
    Path(site, "upload").mkdir(parents=True)
    Path(site, "upload").chmod(0o777)
    Path(site, "a.html").write_text("x" * 1023 + "\n")
    Path(site, "b.html").write_text("x" * 16383 + "\n")
    Path(site, "text.txt").write_text(text(64 << 10))
    names = {row.name for row in rows}
    if "large" in names:
        with Path(site, "large.bin").open("wb") as file:
            for _ in range(100):
                file.write(os.urandom(1 << 20))
    if "many" in names:
        Path(site, "many").mkdir()
        for i in range(MANY):
            Path(site, "many", f"{i:05}.html").write_text(f"{i:05} {'x' * 193}\n")
    yesterday = time.time() - 86400  # a file of this second has a weak tag, or none
    for file in site.rglob("*.*"):
        os.utime(file, (yesterday, yesterday))


def text(size):
    """Words in the same order each time, so that it can be compressed as texts can."""
    chance = random.Random(1)
    return " ".join(chance.choice(WORDS) + str(chance.randrange(1000)) for _ in range(size // 4))[:size]
