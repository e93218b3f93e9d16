"""A network namespace beside ours, with one wire between: for paths that lose, delay, reject or swallow packets.

It lives as long as a process that we started, so that nothing of it is left when the file ends, however it ends."""
import contextlib
import ctypes
import os
import shutil
import subprocess
import threading
import time

from .checks import skip
from .server import started

LIFE_SECONDS = 300
COMMAND_SECONDS = 5
CLONE_NEWNET = 0x40000000

count = 0


def run(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=COMMAND_SECONDS,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}\n{done.stderr}")
    return done.stdout


class Netns:
    """near, far    the addresses of our end and of the other, where an Upstream(host=ns.far, netns=ns) can listen
    unroutable   an address of which the other end says "no route to host"
    prohibited   ... and "administratively prohibited"
    swallowed    an address to which packets leave and are never seen again: connecting takes for ever
    skip() when this machine allows no namespaces.
    """

    def __init__(self):
        global count  # pylint: disable=global-statement
        count += 1
        net = f"10.{200 + count % 50}.{os.getpid() % 256}"
        self.near, self.far, self.swallowed = f"{net}.1", f"{net}.2", f"{net}.3"
        self.unroutable, self.prohibited = f"{net}.130", f"{net}.194"
        self.name = f"vd{os.getpid() % 1000000}n{count}"
        if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
            skip("no right or no tools to make network namespaces")
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", str(LIFE_SECONDS)], stdin=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        started.append(self)
        try:
            self._wait_for_it()
            self._lay(net)
        except (AssertionError, OSError, subprocess.SubprocessError) as why:
            self.stop()
            skip(f"no network namespace to be had: {why}")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.stop()

    def _wait_for_it(self):
        ours, until = os.readlink("/proc/self/ns/net"), time.monotonic() + COMMAND_SECONDS
        while os.readlink(f"/proc/{self.holder.pid}/ns/net") == ours:
            if self.holder.poll() is not None or time.monotonic() > until:
                raise AssertionError("unshare --net failed")
            time.sleep(0.005)

    def _lay(self, net):
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "far", "netns", self.holder.pid)
        run("ip", "address", "add", f"{self.near}/25", "dev", self.name)
        run("ip", "link", "set", self.name, "up")
        for words in (f"address add {self.far}/25 dev far", "link set far up", "link set lo up",
                      f"route add unreachable {net}.128/26", f"route add prohibit {net}.192/26"):
            self.run("ip", *words.split())
        with contextlib.suppress(AssertionError):
            self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        run("ip", "route", "add", f"{net}.128/25", "via", self.far, "dev", self.name)
        run("ip", "neighbour", "add", self.swallowed, "lladdr", "02:00:00:00:00:03", "dev", self.name)

    def command(self, *words):
        """The words of a command that runs there."""
        return ["nsenter", "-t", str(self.holder.pid), "-n", *map(str, words)]

    def run(self, *words):
        """Runs a command there to its end; returns its output."""
        return run(*self.command(*words))

    def inside(self, function):
        """Calls the function in a thread that is there; sockets made so stay there."""
        results = []

        def enter():
            library = ctypes.CDLL(None, use_errno=True)
            with open(f"/proc/{self.holder.pid}/ns/net", "rb") as there:
                if library.setns(there.fileno(), CLONE_NEWNET) != 0:
                    results.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                results.append(function())
            except OSError as error:
                results.append(error)

        thread = threading.Thread(target=enter, daemon=True)
        thread.start()
        thread.join(COMMAND_SECONDS)
        if not results or isinstance(results[0], Exception):
            raise results[0] if results else TimeoutError("in the namespace")
        return results[0]

    def cut(self):
        """From now nothing comes back, on connections that are there, too."""
        self.run("ip", "route", "add", "blackhole", f"{self.near}/32")
        return self

    def mend(self):
        self.run("ip", "route", "del", "blackhole", f"{self.near}/32")
        return self

    def shape(self, words):
        """What our end does with what it sends: "loss 30%", "delay 50ms"; skip() without netem."""
        try:
            run("tc", "qdisc", "replace", "dev", self.name, "root", "netem", *words.split())
        except (AssertionError, OSError) as why:
            skip(f"no netem: {why}")
        return self

    def stop(self):
        if self.holder.poll() is None:
            self.holder.kill()
        self.holder.wait()

    def remove(self):
        with contextlib.suppress(AssertionError):
            run("ip", "link", "del", self.name)
