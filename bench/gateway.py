"""Compares Verdict as a gateway with HAProxy, nginx and h2o: kept connections on both sides, one worker each, the same
upstream behind all of them. CPU time of the gateway, because other work on the machine changes any other time more."""
import contextlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from compare import TURNS, one_core, row
from peers import PROGRAM, configured
from served import Served

CONNECTIONS = 32
SECONDS = 2
FILES = {"small.bin": 1024, "large.bin": 1 << 20}

VERDICT = """
listen: "127.0.0.1:{port}"
upstreams:
  - {{name: origin, servers: ["127.0.0.1:{origin}"]}}
sites:
  - routes:
      - {{path: /, gateway: {{upstream: origin}}}}
"""

NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""

HAPROXY = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    option forwardfor
    option splice-response
    http-reuse always
    timeout client 30s
    timeout server 30s
    timeout connect 3s
frontend all
    bind 127.0.0.1:{port}
    http-request set-header X-Forwarded-Proto http
    default_backend origin
backend origin
    server one 127.0.0.1:{origin}
"""

H2O = """
num-threads: 1
{user}
listen: {{host: 127.0.0.1, port: {port}}}
proxy.preserve-host: ON
proxy.timeout.keepalive: 30000
hosts:
  default:
    paths:
      /: {{proxy.reverse.url: "http://127.0.0.1:{origin}/"}}
"""


def gateways(folder, origin):
    """By name, functions that start those installed here in front of the origin's port."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    commands = {
        "verdict": (VERDICT, PROGRAM, lambda file: [PROGRAM, "serve", "-c", file, "--workers", "1", "--log", "off",
                                                    "--admin", "off"]),
        "haproxy": (HAPROXY, "haproxy", lambda file: ["haproxy", "-db", "-q", "-f", file]),
        "nginx": (NGINX, "nginx", lambda file: ["nginx", "-p", folder, "-e", f"{folder}/nginx.log", "-c", file]),
        "h2o": (H2O, "h2o", lambda file: ["h2o", "-c", file]),
    }
    found = {}
    for name, (text, program, command) in commands.items():
        where = shutil.which(program, path=path)
        if where:
            found[name] = configured(name, folder, text.replace("{origin}", str(origin)),
                                     lambda file, c=command, w=where: [w, *c(file)[1:]])
    return found


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
        servers = [stack.enter_context(start()) for start in gateways(folder, origin.port).values()]
        print("\nGateways, one worker each, kept connections\n" + "".join(f"{s.name:>12}" for s in servers))
        for name, size in FILES.items():
            used = {server: [] for server in servers}
            for _ in range(TURNS):
                for server in servers:
                    used[server].append(load(server, name) * 1e6)
            row((statistics.median(used[server]) for server in servers),
                f"us of CPU a request, {size >> 10} KiB, {CONNECTIONS} connections")
