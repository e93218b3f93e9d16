"""Compares Verdict with the peers on TLS and HTTP/2. All are measured in turn, three times, and the median is told: CPU
time of the server, because other work on the machine changes any other time more. Instructions and system calls, which
it changes least, are counted once. About a minute and a half in all."""
import contextlib
import os
import re
import socket
import ssl
import statistics
import subprocess
import tempfile
from pathlib import Path

from measure import calls_made, growth, instructions_run, one_core
from peers import TLS, certify, starters

TURNS = 3
LOAD_SECONDS = 30
LARGE_BYTES = 100 << 20
FETCHES = 3  # of the large file in a turn
HANDSHAKES = 500
STREAMS = {1: 4000, 100: 20000}  # requests of a turn: each is about a quarter of a second of the server
VERSIONS = {"TLS 1.3": ssl.TLSVersion.TLSv1_3, "TLS 1.2": ssl.TLSVersion.TLSv1_2}


def compare():
    with tempfile.TemporaryDirectory(prefix="verdict-bench-") as folder:
        plant(folder)
        peers = starters(TLS, folder)
        missing = {"nginx", "h2o"} - set(peers)
        print("\nTLS and HTTP/2, one worker each" + "".join(f"; {name} is not installed: left out" for name in missing))
        print("".join(f"{name:>12}" for name in peers))
        with contextlib.ExitStack() as stack:
            stack.enter_context(one_core())
            servers = [stack.enter_context(start()) for start in peers.values()]
            small_files(servers)
            handshakes(servers)
            large_file(servers)
        system_calls(peers)
        instructions(peers)


def plant(folder):
    site = Path(folder, "site")
    site.mkdir()
    Path(site, "a.html").write_text("x" * 1023 + "\n")
    with Path(site, "large.bin").open("wb") as file:
        for _ in range(LARGE_BYTES >> 20):
            file.write(os.urandom(1 << 20))
    certify(folder)


def row(figures, words, decimals=1):
    print("".join(f"{figure:12,.{decimals}f}" for figure in figures), f" {words}", flush=True)


def cpu_row(servers, load, count, scale, words):
    """`load` asks a server `count` times for something; told is what one of these costs."""
    used = {server: [] for server in servers}
    for _ in range(TURNS):
        for server in servers:
            before = server.cpu_seconds()
            load(server)
            used[server].append((server.cpu_seconds() - before) / count * scale)
    row((statistics.median(used[server]) for server in servers), words)


def h2load(server, streams, requests, scheme="http"):
    """One connection with so many streams at a time."""
    port = server.tls_port if scheme == "https" else server.port
    said = subprocess.run(["h2load", "-t1", "-c1", f"-m{streams}", f"-n{requests}",
                           f"{scheme}://127.0.0.1:{port}/a.html"],
                          capture_output=True, text=True, check=True, timeout=LOAD_SECONDS).stdout
    done = int(re.search(r"status codes: (\d+) 2xx", said)[1])
    if done != requests:
        raise RuntimeError(f"{server.name}: {done} of {requests} requests had an answer")


def small_files(servers):
    for scheme, words in (("http", "without TLS"), ("https", "over TLS")):
        for streams, requests in STREAMS.items():
            cpu_row(servers, lambda it, s=streams, r=requests, how=scheme: h2load(it, s, r, how), requests, 1e6,
                    f"us of CPU a request, HTTP/2 {words}, 1 KiB, streams at a time: {streams}")


def client(version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context


def shake(context, server, session=None):
    """One connection with one request, to its end, where the tickets have come for sure; returns the session, and whether it was resumed."""
    plain = socket.create_connection(server.tls_address())
    # Else the request waits for the acknowledgement of the client's last word of the handshake.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with context.wrap_socket(plain, session=session) as tls:
        tls.sendall(b"GET /a.html HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = b"".join(iter(lambda: tls.recv(1 << 16), b""))
        if not got.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{server.name}: {got[:100]!r}")
        return tls.session, tls.session_reused


def shake_all(server, version, resumed, times=HANDSHAKES):
    context = client(version)
    session = shake(context, server)[0] if resumed else None
    missed = 0
    for _ in range(times):
        last, reused = shake(context, server, session)
        missed += reused != resumed
        session = last if resumed else None
    if missed > times / 10:  # a server under callgrind may find a ticket too old now and then
        raise RuntimeError(f"{server.name}: {version.name}: {missed} of {times} not as wanted, resumed: {resumed}")


def handshakes(servers):
    for name, version in VERSIONS.items():
        for resumed in (False, True):
            cpu_row(servers, lambda it, v=version, r=resumed: shake_all(it, v, r), HANDSHAKES, 1e6,
                    f"us of CPU a connection with one request, {name}, {'resumed' if resumed else 'full'} handshake")


def fetch_all(server, how):
    for _ in range(FETCHES):
        fetch(server, how)


def fetch(server, how):
    said = subprocess.run(["curl", "-sk", how, "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                           f"https://127.0.0.1:{server.tls_port}/large.bin"],
                          capture_output=True, text=True, check=True, timeout=LOAD_SECONDS).stdout
    if said != f"200 {LARGE_BYTES}":
        raise RuntimeError(f"{server.name}: {said}")


def large_file(servers):
    offered = Path("/proc/sys/net/ipv4/tcp_available_ulp")
    kernel = "with" if offered.exists() and "tls" in offered.read_text().split() else "without"
    for how, name in (("--http1.1", "HTTP/1.1"), ("--http2", "HTTP/2")):
        cpu_row(servers, lambda it, option=how: fetch_all(it, option), FETCHES, 1e3,
                f"ms of CPU for 100 MiB over TLS, {name}, kernel {kernel} kTLS")


def system_calls(peers):
    for streams, few, many in ((1, 100, 600), (100, 1000, 6000)):
        def load(server, requests, at_a_time=streams):
            h2load(server, at_a_time, requests)
        row([growth(lambda n, it=start: calls_made(it, load, n), few, many) for start in peers.values()],
            f"system calls a request, HTTP/2 without TLS, streams at a time: {streams}", 2)


def instructions(peers):
    for streams in STREAMS:
        def load(server, requests, at_a_time=streams):
            h2load(server, at_a_time, requests)
        instructions_row(peers, load, 1000, 4000,
                         f"instructions a request in user space, HTTP/2 without TLS, streams at a time: {streams}")
    for resumed in (False, True):
        def load(server, times, again=resumed):
            shake_all(server, ssl.TLSVersion.TLSv1_3, again, times)
        instructions_row(peers, load, 10, 30, "instructions a connection with one request in user space, TLS 1.3, "
                                              f"{'resumed' if resumed else 'full'} handshake")


def instructions_row(peers, load, few, many, words):
    row([growth(lambda n, it=start: instructions_run(it, load, n), few, many) for start in peers.values()], words, 0)
