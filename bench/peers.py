"""The servers that are compared, each with the configuration in peers/ that fits its purpose. Those that are not there are
left out. `./dev bench` unpacks the peers below build/peers, so that none is installed and started as a service; without
that, those of the system are taken. Verdict also on a directory alone, as its users start it.

In a configuration, @name@ stands for a value; a line marked @flag@ is there when the flag is up, one marked @no-flag@ when
it is not."""
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path

from served import Served

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = str(ROOT / "build/release/verdict")
GUIDED = str(ROOT / "build/guided/verdict")  # the same, compiled with what was counted of some work
UNPACKED = ROOT / "build/peers/usr"
CONFIGURATIONS = Path(__file__).resolve().parent / "peers"
CONNECTIONS = 16000  # more than any row has; nginx takes memory for them at its start
THREADS = (128, 2000)  # at least and at most, of one process of Apache httpd

# Name, program, arguments after it. Of a name with a dash, the first part says whose configuration it is.
COMMANDS = {
    "verdict": (PROGRAM, "serve -c {file}"),
    "verdict-guided": (GUIDED, "serve -c {file}"),
    "nginx": ("nginx", "-p {own} -e {own}/error.log -c {file}"),
    "nginx-uncached": ("nginx", "-p {own} -e {own}/error.log -c {file}"),
    "h2o": ("h2o", "-c {file}"),
    "lighttpd": ("lighttpd", "-D -m {modules}/lighttpd -f {file}"),
    "apache": ("apache2", "-D FOREGROUND -f {file}"),
    "caddy": ("caddy", "run --adapter caddyfile --config {file}"),
    "haproxy": ("haproxy", "-db -q -f {file}"),
}
FILES = {"verdict": "verdict.yaml", "verdict-guided": "verdict.yaml", "nginx": "nginx.conf",
         "nginx-uncached": "nginx.conf", "h2o": "h2o.conf", "lighttpd": "lighttpd.conf", "apache": "apache.conf",
         "caddy": "Caddyfile"}
TLS = {"verdict": "verdict-tls.yaml", "nginx": "nginx-tls.conf", "h2o": "h2o-tls.conf"}
GATEWAYS = {"verdict": "verdict-gateway.yaml", "haproxy": "haproxy.cfg", "nginx": "nginx-gateway.conf",
            "h2o": "h2o-gateway.conf"}


def on_directory(site, prefix=(), program=PROGRAM, admin=False, log="off"):
    """Verdict as `verdict serve DIR` starts it, under `prefix` (such as valgrind) where given."""
    return Served("verdict", lambda it: [
        program, "serve", site, "--listen", f"127.0.0.1:{it.port}", "--admin",
        f"127.0.0.1:{it.admin_port}" if admin else "off", "--workers", "1", "--log", log], prefix)


def program_of(name):
    """Its path, or None."""
    path = f"{UNPACKED}/sbin:{UNPACKED}/bin:{os.environ.get('PATH', '')}:/usr/sbin"
    return shutil.which(COMMANDS[name][0], path=path)


def modules_of(program):
    return Path(program).parents[1] / "lib"


def environment(name, workers=1, own="/"):
    """What the program needs, wherever it was unpacked to."""
    if name.startswith("verdict"):
        return dict(os.environ)
    libraries = f"{UNPACKED}/lib/x86_64-linux-gnu"
    return {**os.environ, "LD_LIBRARY_PATH": libraries, "GOMAXPROCS": str(workers), "HOME": str(own)}


def filled(text, flags, values):
    """The configuration for these flags, which are up, and these values."""
    lines = []
    for line in text.splitlines():
        mark = re.match(r"(\s*)@(no-)?([a-z]+)@", line)
        if mark and mark[3] not in values:
            if (mark[3] in flags) == bool(mark[2]):
                continue
            line = mark[1] + line[mark.end():]
        lines.append(re.sub(r"@([a-z_]+)@", lambda found: str(values[found[1]]), line))
    return "\n".join(lines) + "\n"


def flags_of(name, program, flags, workers):
    """Those asked for, and what holds for this server besides."""
    up = set(flags)
    if os.getuid() == 0:
        up.add("root")
    if workers > 1:
        up.add("many")
    if name == "nginx":
        up.add("cache")
    if (modules_of(program) / "nginx/modules/ngx_http_brotli_filter_module.so").exists() and "compress" in up:
        up.add("brotli")
    return up


def threads_for(clients):
    """Apache httpd closes kept connections when all threads are busy."""
    return max(THREADS[0], min(2 * clients, THREADS[1]))


def starter(name, file, folder, flags=(), workers=1, clients=64, **values):
    """A function that starts the server, under a prefix where one is given; None: it is not there."""
    program = program_of(name)
    if not program:
        return None
    own = Path(folder, name)

    def start(prefix=()):
        def arguments(it):
            own.mkdir(exist_ok=True)
            own.chmod(0o777)  # for those that go on as another user
            descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            places = {"folder": folder, "own": own, "modules": modules_of(program), "file": own / file}
            text = filled((CONFIGURATIONS / file).read_text(), flags_of(name, program, flags, workers),
                          {**places, "port": it.port, "tls_port": it.tls_port, "workers": workers,
                           "threads": threads_for(clients), "all_threads": workers * threads_for(clients),
                           "descriptors": descriptors,
                           "connections": min(descriptors - 1000, CONNECTIONS), **values})
            (own / file).write_text(text)
            return [program, *COMMANDS[name][1].format(**places).split()]
        return Served(name, arguments, prefix, environment(name, workers, own))
    return start


def starters(files, folder, **wishes):
    """By name, functions that start those of `files` that are there, on `folder`."""
    found = {name: starter(name, file, folder, **wishes) for name, file in files.items()}
    return {name: start for name, start in found.items() if start}


def certify(folder):
    """A key and a certificate for localhost: an elliptic curve, as most public servers have today."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"],
                   check=True, capture_output=True, timeout=30)
    Path(folder, "key.pem").chmod(0o600)
