"""A server under measurement: a process of its own on free loopback ports, with the processes that it starts, ended by
its pid whatever happens."""
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from harness import Connection
from harness.server import free_port

START_SECONDS = 30
STOP_SECONDS = 20
CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED: what the scheduler counts


class Served:
    """`command` makes the arguments from the object, whose port, tls_port and admin_port are free."""

    def __init__(self, name, command, prefix=(), environment=None):
        self.name = name
        self.port = free_port()
        self.tls_port = free_port((self.port,))
        self.admin_port = free_port((self.port, self.tls_port))
        # A group of its own: lighttpd ends its workers by a signal to all of its group.
        self.process = subprocess.Popen([*prefix, *map(str, command(self))], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=environment, start_new_session=True)

    def __enter__(self):
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
                return self
            except ConnectionError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.stop()
                    raise RuntimeError(f"{self.name} did not start") from None
                time.sleep(0.05)
            except BaseException:
                self.stop()
                raise

    def __exit__(self, *ignored):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def connect(self):
        return Connection(("127.0.0.1", self.port))

    def tls_address(self):
        return "127.0.0.1", self.tls_port

    def pids(self):
        """Its own, then those of all processes below it."""
        found = [self.process.pid]
        for pid in found:
            try:
                for children in Path(f"/proc/{pid}/task").glob("*/children"):
                    found += map(int, children.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                pass
        return found

    def cpu_seconds(self):
        """Of all processes and threads, in user space and in the kernel, to the nanosecond: /proc/PID/stat counts in
        steps of 10 ms."""
        return sum(time.clock_gettime(~pid << 3 | CLOCK_OF_PROCESS) for pid in self.pids())

    def threads_cpu_seconds(self):
        """By thread, in the order of their start: of Verdict the first waits for signals, the second works."""
        tasks = sorted(Path(f"/proc/{self.process.pid}/task").iterdir(), key=lambda task: int(task.name))
        fields = [Path(task, "stat").read_text().rsplit(")", 1)[1].split() for task in tasks]
        return [(int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK") for f in fields]

    def resident_kib(self):
        """Of all processes; what they share counts once."""
        return sum(int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])
                   for pid in self.pids())
