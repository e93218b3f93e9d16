"""Verdict beside the peers and the floor, row by row: what a request costs the server."""
import contextlib
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import work
from measure import calls_made, cores, cpu_seconds_each, growth, instructions_run, on_core
from peers import FILES, ROOT, starters
from served import Served

FLOOR = ROOT / "build/floor"


@dataclass(frozen=True)
class Row:
    name: str
    words: str
    path: str = "/a.html"
    connections: int = 64
    headers: tuple = ()
    flags: frozenset = frozenset()
    workers: int = 1
    status: int = 200
    script: str = None
    counted: bool = False
    floor: bool = True


ROWS = [
    Row("small", "1 KiB, 64 connections", counted=True),
    Row("small-log", "1 KiB, 64 connections, access log on", flags=frozenset({"log"}), counted=True, floor=False),
]


def plant(folder):
    Path(folder).chmod(0o755)
    site = Path(folder, "site")
    site.mkdir()
    Path(site, "a.html").write_text("x" * 1023 + "\n")


def floor_starter(folder, answer):
    """The floor with what Verdict answered."""
    file = Path(folder, "answer")
    file.write_bytes(answer)

    def start(prefix=()):
        return Served("floor", lambda it: [FLOOR, it.port, file], prefix)
    return start


def pinned(start, workers):
    """On the servers' cores."""
    first = ",".join(map(str, cores()[0][:1] if workers == 1 else range(workers)))
    return lambda prefix=(): start(["taskset", "-c", first, *prefix])


def starters_of(row, folder):
    found = starters(FILES, folder, row.flags, row.workers)
    if row.floor:
        with found["verdict"]() as server:
            _, head, content = work.answer_to(server, work.request_of(server, row.path, row.headers))
        found["floor"] = floor_starter(folder, head + content)
    return {name: pinned(start, row.workers) for name, start in found.items()}


def check(row, server):
    status, _, _ = work.answer_to(server, work.request_of(server, row.path, row.headers))
    if status != row.status:
        raise RuntimeError(f"answers {status}, not {row.status}")


def cpu_of(row, starts, rounds, notes):
    """By name, the median of microseconds a request, and memory before and after."""
    used = {name: [] for name in starts}
    memory = {}
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, start in starts.items():
            try:
                servers[name] = stack.enter_context(start())
                memory[name] = [servers[name].resident_kib()]
                check(row, servers[name])
            except RuntimeError as error:
                servers.pop(name, None)
                notes.append(f"{row.name}: {name}: {error}")
        for _ in range(rounds):
            for name, server in list(servers.items()):
                try:
                    used[name].append(cpu_seconds_each(server, lambda it: work.wrk(
                        it, row.path, row.connections, 1, row.headers, row.script, row.status >= 400)) * 1e6)
                except RuntimeError as error:
                    notes.append(f"{row.name}: {name}: {error}")
        for name, server in servers.items():
            memory[name].append(server.resident_kib())
    return {name: statistics.median(all_) for name, all_ in used.items() if all_}, memory


def table(names, rounds):
    chosen = [row for row in ROWS if not names or row.name in names]
    notes = []
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder, on_core(cores()[1]):
        plant(folder)
        for row in chosen:
            starts = starters_of(row, folder)
            used, memory = cpu_of(row, starts, rounds, notes)
            print(row.words)
            for name in used:
                print(f"  {name:16} {used[name]:8.2f} us {used[name] / used['verdict']:6.2f} {memory[name]}")
    print(*notes, sep="\n")
