"""What a server spends for what it is asked: CPU time, and as differences of two runs system calls and instructions."""
import contextlib
import os
import re
import tempfile
import time
from pathlib import Path

TRACER_SECONDS = 10


def cores():
    """Of the servers, and of the loads."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[:-1] or mine, mine[-1]


@contextlib.contextmanager
def on_core(core):
    """Keeps this process and those that it starts on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def one_core():
    """Keeps servers and loads on the same core: whether they wake each other across cores changes a figure by more than
    half, and the other work on the machine would decide it."""
    return on_core(max(os.sched_getaffinity(0)))


def cpu_seconds_each(server, load):
    """Of one of the requests that `load` says it made."""
    before = server.cpu_seconds()
    count = load(server)
    return (server.cpu_seconds() - before) / count


def growth(measure, few, many):
    """What one more adds, so that start and end count for nothing."""
    return (measure(many) - measure(few)) / (many - few)


def calls_made(start, load, times):
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as out:
        counts = Path(out, "calls")
        # -D: the process that was started is the server, so that its end is the end.
        with start(["strace", "-D", "-f", "-c", "-o", str(counts)]) as server:
            load(server, times)
        until = time.monotonic() + TRACER_SECONDS
        while True:
            total = re.search(r"^100\.00 +\S+ +\S+ +(\d+) .*total$", counts.read_text(), re.MULTILINE)
            if total:
                return int(total[1])
            if time.monotonic() > until:
                raise RuntimeError("strace told nothing")
            time.sleep(0.05)


def instructions_run(start, load, times):
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as out:
        Path(out).chmod(0o777)  # for those that go on as another user
        with start(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}/calls.%p"]) as server:
            load(server, times)
        counts = [re.search(r"^(?:summary|totals): (\d+)", file.read_text(), re.MULTILINE)
                  for file in Path(out).iterdir()]
        return sum(int(count[1]) for count in counts if count)
