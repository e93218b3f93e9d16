"""Loads: the same requests to every server, by wrk where time counts, by turns where a number is wanted."""
import re
import selectors
import socket
import subprocess
from pathlib import Path

LUA = Path(__file__).resolve().parent
LOAD_SECONDS = 30  # beyond what was asked for


def request_of(server, path="/", headers=(), method="GET", content=b""):
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *headers]
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port))


def read_some(connection):
    got = connection.recv(1 << 16)
    if not got:
        raise RuntimeError("the connection was closed")
    return got


def answer_to(server, request):
    """Status, head and content of the one answer; its content must have a length."""
    with connect(server) as connection:
        connection.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += read_some(connection)
        head, content = got.split(b"\r\n\r\n", 1)
        status = int(head.split()[1])
        length = re.search(rb"^content-length: *(\d+)", head, re.IGNORECASE | re.MULTILINE)
        wanted = int(length[1]) if length and status != 304 else 0
        while len(content) < wanted:
            content += read_some(connection)
        return status, head + b"\r\n\r\n", content[:wanted]


def field_of(head, name):
    found = re.search(rb"^" + name.encode() + rb": *([^\r]*)", head, re.IGNORECASE | re.MULTILINE)
    return found[1].decode() if found else None


def wrk(server, path, connections, seconds, headers=(), script=None, wrong=0):
    """How many requests were answered. `wrong`: the number of answers that wrk thinks bad is all of them."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    for line in headers:
        command += ["-H", line]
    if script:
        command += ["-s", str(LUA / script)]
    said = subprocess.run([*command, f"http://127.0.0.1:{server.port}{path}"], capture_output=True, text=True, check=True,
                          timeout=seconds + LOAD_SECONDS).stdout
    count = int(re.search(r"(\d+) requests in", said)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    errors = re.search(r"Socket errors: (.*)", said)
    if errors or (int(bad[1]) if bad else 0) != (count if wrong else 0) or count == 0:
        raise RuntimeError(f"{count} requests; {errors[0] if errors else ''} {bad[0] if bad else ''}".strip("; "))
    return count


def read_all(connections, length):
    """Reads `length` bytes from each."""
    left = dict.fromkeys(connections, length)
    with selectors.DefaultSelector() as waiting:
        for connection in connections:
            waiting.register(connection, selectors.EVENT_READ)
        while left:
            ready = waiting.select(LOAD_SECONDS)
            if not ready:
                raise RuntimeError(f"{len(left)} answers did not come")
            for key, _ in ready:
                left[key.fileobj] -= len(read_some(key.fileobj))
                if left[key.fileobj] <= 0:
                    del left[key.fileobj]
                    waiting.unregister(key.fileobj)


def in_turns(server, request, length, connections, times):
    """All ask, then all read, so many times: the server finds many connections ready in one round."""
    held = [connect(server) for _ in range(connections)]
    for _ in range(times):
        for connection in held:
            connection.sendall(request)
        read_all(held, length)
    for connection in held:
        connection.close()
