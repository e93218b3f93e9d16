"""Compares Verdict as a gateway with HAProxy, nginx and h2o: kept connections on both sides, one worker each, the same
upstream behind all of them. CPU time of the gateway, because other work on the machine changes any other time more."""
import contextlib
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from compare import TURNS, row
from measure import one_core
from peers import GATEWAYS, PROGRAM, starters
from served import Served

CONNECTIONS = 32
SECONDS = 2
FILES = {"small.bin": 1024, "large.bin": 1 << 20}


def origin_of(folder):
    """Verdict itself, which serves the files: the same cost behind all gateways, and not counted."""
    return Served("origin", lambda it: [PROGRAM, "serve", f"{folder}/site", "--listen", f"127.0.0.1:{it.port}",
                                        "--admin", "off", "--workers", "1", "--log", "off"])


def load(server, name):
    """Requests answered, and CPU seconds of the gateway."""
    before = server.cpu_seconds()
    said = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", f"http://127.0.0.1:{server.port}/{name}"],
                          capture_output=True, text=True, check=True, timeout=SECONDS + 30).stdout
    used = server.cpu_seconds() - before
    if re.search(r"Non-2xx|Socket errors", said):
        raise RuntimeError(f"{server.name}: {said}")
    return used / int(re.search(r"(\d+) requests in", said)[1])


def compare_gateways():
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder, contextlib.ExitStack() as stack:
        Path(folder, "site").mkdir()
        for name, size in FILES.items():
            Path(folder, "site", name).write_bytes(os.urandom(size))
        stack.enter_context(one_core())
        origin = stack.enter_context(origin_of(folder))
        servers = [stack.enter_context(start()) for start in starters(GATEWAYS, folder, origin=origin.port).values()]
        print("\nGateways, one worker each, kept connections\n" + "".join(f"{s.name:>12}" for s in servers))
        for name, size in FILES.items():
            used = {server: [] for server in servers}
            for _ in range(TURNS):
                for server in servers:
                    used[server].append(load(server, name) * 1e6)
            row((statistics.median(used[server]) for server in servers),
                f"us of CPU a request, {size >> 10} KiB, {CONNECTIONS} connections")
