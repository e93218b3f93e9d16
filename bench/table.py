"""Verdict beside the peers and the floor, row by row: what a request costs the server."""
import contextlib
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import results
import work
from measure import calls_made, cores, growth, instructions_run, on_core
from peers import FILES, ROOT, starters
from rows import MEASURES, ROWS, plant
from served import Served

FLOOR = ROOT / "build/floor"
FEW, MANY = 10, 40  # turns
FAILURES = (RuntimeError, OSError, subprocess.SubprocessError)
NOT_UNDER_CALLGRIND = ("caddy",)


def floor_starter(folder, answer):
    """The floor with what Verdict answered."""
    file = Path(folder, "answer")

    def start(prefix=()):
        file.write_bytes(answer)
        return Served("floor", lambda it: [FLOOR, it.port, file], prefix)
    return start


def pinned(start, workers):
    """On the first core, or for several workers on as many as there are."""
    cpus = cores()[0][:1] if workers == 1 else [*cores()[0], cores()[1]][:workers]
    return lambda prefix=(): start(["taskset", "-c", ",".join(map(str, cpus)), *prefix])


class Line:
    """One row with what was measured: each figure by server, and what failed."""

    def __init__(self, row, folder):
        self.row = row
        self.folder = folder
        self.notes = []
        self.starts = self.starters()
        self.taken, self.figures, self.calls, self.instructions = {}, {}, {}, {}
        self.start_kib, self.end_kib = {}, {}

    def starters(self):
        row = self.row
        found = starters(FILES, self.folder, flags=row.flags, workers=row.workers,
                         clients=1 if row.once else row.connections)
        with self.noted("floor"):
            if row.floor:
                with found["verdict"]() as server:
                    _, head, content = work.answer_to(server, row)
                found["floor"] = floor_starter(self.folder, head + content)
        return {name: pinned(start, row.workers) for name, start in found.items()
                if name not in row.without and (row.counted or name != "verdict-guided")}

    @contextlib.contextmanager
    def noted(self, name):
        try:
            yield
        except FAILURES as error:
            note = f"{self.row.name}: {name}: {error}"
            if note not in self.notes:
                self.notes.append(note)

    def start_all(self, stack):
        servers = {}
        for name, start in self.starts.items():
            with self.noted(name):
                server = stack.enter_context(start())
                self.start_kib[name] = server.resident_kib()
                status, head, content = work.answer_to(server, self.row)
                if status != self.row.status:
                    raise RuntimeError(f"answers {status}, not {self.row.status}")
                self.tell_coding(name, head, content)
                servers[name] = server
        return servers

    def tell_coding(self, name, head, content):
        if "compress" in self.row.flags and name != "floor":
            if b"content-encoding: " not in head.lower():
                raise RuntimeError("did not compress")
            self.notes.append(f"{self.row.name}: {name}: {len(content):,} bytes of content")

    def measure(self, rounds):
        with contextlib.ExitStack() as stack:
            servers = self.start_all(stack)
            for _ in range(1 if self.row.once else rounds):
                servers = {name: server for name, server in servers.items() if self.measured(name, server)}
        self.figures = {name: statistics.median(taken) for name, taken in self.taken.items()}

    def measured(self, name, server):
        """One round; false: it failed, and shall not be asked again."""
        with self.noted(name):
            figure = MEASURES[self.row.measure](server, self.row, self.folder)
            self.taken.setdefault(name, []).append(figure)
            self.end_kib[name] = server.resident_kib()
            return True
        return False

    def count(self):
        """System calls and instructions of a request."""
        self.calls = self.grown(calls_made, self.starts)
        self.instructions = self.grown(instructions_run, [name for name in self.starts if name not in NOT_UNDER_CALLGRIND])

    def grown(self, counter, names):
        def load(server, times):
            work.in_turns(server, self.row, times)
        found = {}
        for name in names:
            with self.noted(name):
                grown = growth(lambda n, it=self.starts[name]: again(lambda: counter(it, load, n)), FEW, MANY)
                found[name] = grown / self.row.connections
        return found


def again(measure):
    """Twice where the first time fails: under a tracer, a server may be too slow for its own times."""
    try:
        return measure()
    except FAILURES:
        return measure()


def table(names, rounds):
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        sys.exit(f"bench: {', '.join(unknown)}: no such row: {', '.join(row.name for row in ROWS)}")
    chosen = [row for row in ROWS if not names or row.name in names]
    lines = []
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder, on_core(cores()[1]):
        plant(folder, chosen)
        results.print_head()
        for row in chosen:
            line = Line(row, folder)
            line.measure(rounds)
            if row.counted:
                line.count()
            results.print_line(line)
            lines.append(line)
    results.print_notes(lines)
    if not names:
        results.write(lines, rounds)
