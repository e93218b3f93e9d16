"""Tells what was measured: a line a row while it goes on, and bench/results.md at the end."""
import os
import platform
import re
import subprocess
import time
from pathlib import Path

from peers import FILES, PROGRAM, environment, program_of
from rows import RATE

SERVERS = [*FILES, "floor"]
PEERS = [name for name in FILES if not name.startswith("verdict")]
OTHERS = [name for name in SERVERS if name != "verdict"]
RESULTS = Path(__file__).resolve().parent / "results.md"
MEMORY_ROWS = ("small", "small-log", "ten-thousand", "many", "large", "put")
VERSIONS = {"verdict": "version", "nginx": "-v", "h2o": "-v", "lighttpd": "-v", "apache": "-v", "caddy": "version",
            "wrk": "-v", "strace": "-V", "valgrind": "--version"}


def best_of(figures):
    """The peer with the least."""
    there = [name for name in PEERS if name in figures]
    return min(there, key=figures.get) if there else None


def ratios(figures):
    """Of all servers to Verdict: above 1, Verdict is better."""
    own = figures.get("verdict")
    return {name: figure / own for name, figure in figures.items()} if own else {}


def shown(figures, name, decimals):
    return f"{figures[name]:,.{decimals}f}" if name in figures else "-"


def decimals_of(line):
    return {"us": 2, "ms": 2, "bytes": 0}[line.row.unit]


def print_head():
    print("\nBeside the peers, one worker each; ratios to Verdict: above 1, Verdict is better\n" +
          "".join(f"{name:>18}" for name in SERVERS))


def print_line(line):
    def told(figures, decimals, words):
        parts = ratios(figures)
        cells = [f"{shown(figures, name, decimals)} ({shown(parts, name, 2)})" if name in figures else "-"
                 for name in SERVERS]
        print("".join(f"{cell:>18}" for cell in cells), f" {words}", flush=True)
    told(line.figures, decimals_of(line), f"{line.row.name}: {line.row.unit}, {line.row.words}")
    if line.calls:
        told(line.calls, 2, "system calls")
    if line.instructions:
        told(line.instructions, 0, "instructions")


def print_notes(lines):
    for line in lines:
        for note in line.notes:
            print(f"  {note}")


def row_of(cells):
    return "| " + " | ".join(cells) + " |\n"


def head_of(*columns):
    return row_of(columns) + "|" + "---|" * len(columns) + "\n"


def ratio_table(lines, figures_of):
    text = head_of("work", *OTHERS, "best peer")
    for line in lines:
        figures = figures_of(line)
        parts = ratios(figures)
        best = best_of(figures)
        text += row_of([line.row.words, *(shown(parts, name, 2) for name in OTHERS),
                        f"{best} {shown(parts, best, 2)}" if best and parts else "-"])
    return text


def absolute_table(lines, figures_of, decimals=None):
    text = head_of("work", "unit" if decimals is None else "", *SERVERS)
    for line in lines:
        places = decimals_of(line) if decimals is None else decimals
        text += row_of([line.row.words, line.row.unit if decimals is None else "",
                        *(shown(figures_of(line), name, places) for name in SERVERS)])
    return text


def memory_table(lines):
    text = head_of("after", *SERVERS)
    first = next((line for line in lines if line.row.name == "small"), None)
    if first:
        text += row_of(["the start", *(shown(mebibytes(first.start_kib), name, 1) for name in SERVERS)])
    for line in lines:
        if line.row.name in MEMORY_ROWS:
            text += row_of([line.row.words, *(shown(mebibytes(line.end_kib), name, 1) for name in SERVERS)])
    return text


def mebibytes(figures):
    return {name: kib / 1024 for name, kib in figures.items()}


def version_of(name):
    program = PROGRAM if name == "verdict" else program_of(name) if name in FILES else name
    if not program:
        return "not there"
    try:
        said = subprocess.run([program, VERSIONS[name]], capture_output=True, text=True, env=environment(name),
                              timeout=10, check=False)
    except OSError:
        return "not there"
    return (said.stdout + said.stderr).strip().split("\n")[0]


def machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB of memory, "
            f"{platform.system()} {platform.release()}")


def write(lines, rounds):
    counted = [line for line in lines if line.calls]
    notes = "".join(f"- {note}\n" for line in lines for note in line.notes)
    versions = "".join(f"- {name}: {version_of(name)}\n" for name in VERSIONS)
    RESULTS.write_text(f"""# Verdict beside its peers

Written by `./dev bench table` on {time.strftime("%Y-%m-%d")}, on a machine with {machine()}. Rounds: {rounds}.

{versions}
## How it is measured

- The server is on one core, the load on another, so that they do not share one; with two workers the load shares a core
  with one of them. Servers take turns, round by round, and the median of all rounds is told.
- *us*, *ms*: CPU time of the server for one request, in user space and in the kernel, of all its processes and threads, by the
  scheduler's clock. The load is wrk for a second a round; with 10,000 connections `bench/load.c`, which begins when all are
  there; for 100 MiB eight requests one after the other.
- The 99th percentile is of the times from when a request was due, at {RATE:,} a second evenly spaced (`bench/load.c`).
- *System calls* (strace) and *instructions* in user space (callgrind) are the difference of two runs, divided by the requests
  that one had more: start and end fall out. Caddy does not run under callgrind.
- *Memory* is the proportional share of what is resident, of all processes. Of a connection that waits: what it grows by, each
  connection with one request behind it, divided by their number.
- The *floor* (`bench/floor.c`) parses nothing, and sends the bytes that Verdict answers; it has no log.
- *verdict-guided* is the release compiled a second time, with what the first counted of some work (`./dev build guided`); it is
  there in the rows whose instructions are counted.
- The configurations are in `bench/peers/`. nginx is there with `open_file_cache` and without. Verdict runs with its defaults:
  trace and recorder are on.

## Ratios to Verdict

Above 1, Verdict is better.

{ratio_table(lines, lambda line: line.figures)}
## CPU time, latency, memory of a connection

{absolute_table(lines, lambda line: line.figures)}
## System calls a request

{absolute_table(counted, lambda line: line.calls, 2)}
## Instructions a request in user space

{absolute_table(counted, lambda line: line.instructions, 0)}
## Memory, MiB

{memory_table(lines)}
## Notes

What is `-` was not there, or failed as told here.

{notes}""")
