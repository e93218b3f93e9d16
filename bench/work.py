"""Loads: the same requests to every server. wrk keeps its connections busy for a second; build/load, a load of ours, makes a
known number of requests, or so many a second; in turns many ask, then many read, where system calls and instructions are
counted."""
import re
import selectors
import socket
import subprocess
from pathlib import Path

BENCH = Path(__file__).resolve().parent
PACED = BENCH.parent / "build/load"
LOAD_SECONDS = 60  # beyond what was asked for
STALL_SECONDS = 15
UNREAD = bytearray(1 << 20)
FLAWS = 0.001  # of the requests may fail in the network: a server under load may close a kept connection


def request_of(server, row):
    return "\r\n".join([f"GET {row.path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *fields_of(server, row), "",
                        ""]).encode()


def fields_of(server, row):
    """Those of the row, with the tags and the times that this server gave."""
    if not any("@" in line for line in row.fields):
        return row.fields
    with connect(server) as connection:
        connection.sendall(f"GET {row.path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        _, head, _ = read_answer(connection)
    return tuple(re.sub("@([A-Za-z-]+)@", lambda name: field_of(head, name[1]), line) for line in row.fields)


def field_of(head, name):
    found = re.search(rb"^" + name.encode() + rb": *([^\r]*)", head, re.IGNORECASE | re.MULTILINE)
    if not found:
        raise RuntimeError(f"gives no {name}")
    return found[1].decode()


def connect(server):
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_some(connection):
    got = connection.recv(1 << 16)
    if not got:
        raise RuntimeError("closed the connection")
    return got


def read_answer(connection):
    """Status, head and content of one answer; the content in chunks as they came, or as long as Content-Length says."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += read_some(connection)
    head, content = got.split(b"\r\n\r\n", 1)
    head, content = head + b"\r\n\r\n", bytearray(content)
    status = int(head.split()[1])
    if re.search(rb"^transfer-encoding: *chunked", head, re.IGNORECASE | re.MULTILINE):
        while not content.endswith(b"\r\n0\r\n\r\n"):
            content += read_some(connection)
    elif status != 304:
        length = int(field_of(head, "Content-Length"))
        while len(content) < length:
            content += read_some(connection)
    return status, head, content


def answer_to(server, row):
    with connect(server) as connection:
        connection.sendall(request_of(server, row))
        return read_answer(connection)


def wrk(server, row, seconds=1):
    """How many requests were answered."""
    command = ["wrk", "-t1", f"-c{row.connections}", f"-d{seconds}s", "--timeout", "30s"]
    for line in fields_of(server, row):
        command += ["-H", line]
    if row.script:
        command += ["-s", str(BENCH / row.script)]
    said = subprocess.run([*command, f"http://127.0.0.1:{server.port}{row.path}"], capture_output=True, text=True,
                          check=True, timeout=seconds + LOAD_SECONDS).stdout
    count = int(re.search(r"(\d+) requests in", said)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if count == 0 or (int(bad[1]) if bad else 0) != (count if row.status >= 400 else 0):
        raise RuntimeError(f"{count} requests; {bad[0] if bad else ''}")
    errors = re.search(r"Socket errors: (.*)", said)
    if errors and sum(map(int, re.findall(r"\d+", errors[1]))) > count * FLAWS:
        raise RuntimeError(f"{count} requests; {errors[0]}")
    return count


def paced(server, row, folder, rate=0):
    """Seconds of CPU a request, and the microseconds in which 99 of 100 requests had their answers."""
    request = Path(folder, "request")
    request.write_bytes(request_of(server, row))
    _, head, content = answer_to(server, row)
    with subprocess.Popen([PACED, *map(str, (server.port, row.connections, row.requests, rate, request,
                                             len(head + content)))],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as load:
        load.stdout.readline()
        before = server.cpu_seconds()
        try:
            told, wrong = load.communicate("\n", timeout=LOAD_SECONDS)
        except subprocess.TimeoutExpired:
            load.kill()
            raise RuntimeError("took too long") from None
        except BrokenPipeError:
            told, wrong = "", load.stderr.read()
        used = server.cpu_seconds() - before
    if load.returncode:
        raise RuntimeError(wrong.strip().removeprefix("load: ") or "the load failed")
    return used / row.requests, int(told.split()[1])


def in_turns(server, row, times):
    """All connections ask, then all are read, so many times: the server finds many of them ready in one round."""
    request, (_, head, content) = request_of(server, row) * row.at_once, answer_to(server, row)
    length = len(head + content) * row.at_once
    held = [connect(server) for _ in range(row.connections // row.at_once)]
    for _ in range(times):
        for connection in held:
            connection.sendall(request)
        read_all(held, length)
    for connection in held:
        connection.close()


def read_all(connections, length):
    """Reads `length` bytes from each."""
    left = dict.fromkeys(connections, length)
    with selectors.DefaultSelector() as waiting:
        for connection in connections:
            waiting.register(connection, selectors.EVENT_READ)
        while left:
            ready = waiting.select(STALL_SECONDS)
            if not ready:
                raise RuntimeError(f"{len(left)} answers did not come")
            for key, _ in ready:
                left[key.fileobj] -= len(read_some(key.fileobj))
                if left[key.fileobj] <= 0:
                    del left[key.fileobj]
                    waiting.unregister(key.fileobj)


def fetch(server, row):
    """Asks for large content so many times, and lets the kernel drop it, so that the server never waits long."""
    request = request_of(server, row)
    with connect(server) as connection:
        for _ in range(row.requests):
            connection.sendall(request)
            got = b""
            while b"\r\n\r\n" not in got:
                got += read_some(connection)
            head, content = got.split(b"\r\n\r\n", 1)
            left = int(field_of(head + b"\r\n", "Content-Length")) - len(content)
            while left > 0:
                count = connection.recv_into(UNREAD, min(left, len(UNREAD)), socket.MSG_TRUNC)
                if not count:
                    raise RuntimeError("closed the connection")
                left -= count
    return row.requests


def hold(server, row):
    """Connections that made one request each and then wait; the caller closes them."""
    request, (_, head, content) = request_of(server, row), answer_to(server, row)
    held = []
    for _ in range(row.connections):
        connection = connect(server)
        connection.sendall(request)
        left = len(head + content)
        while left > 0:
            left -= len(read_some(connection))
        held.append(connection)
    return held
