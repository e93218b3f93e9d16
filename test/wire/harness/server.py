"""Starts the program as a user does, in a directory made for the test, and stops it as an init system does."""
import itertools
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from .h2 import H2
from .tls import TlsConnection, s_client
from .wire import Connection

START_SECONDS = 15
STOP_SECONDS = 15
LOG_SECONDS = 5

ROOT = Path(__file__).resolve().parents[3]
BAD_WORDS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|internal (check|surprise)")
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": "exitcode=99",
}

started = []


def program():
    """The program under test: $VERDICT, or the release build."""
    return Path(os.environ.get("VERDICT", ROOT / "build/release/verdict")).resolve()


def build_dir():
    return program().parent


def verdict(*args, stdin=None, seconds=30, env=None):
    """Runs the program to its end; returns CompletedProcess with text output. A sanitizer report is an error."""
    done = subprocess.run([program(), *map(str, args)], input=stdin, capture_output=True, text=True, timeout=seconds,
                          env={**os.environ, **SANITIZERS, **(env or {})}, check=False)
    if BAD_WORDS.search(done.stderr):
        raise AssertionError(f"verdict {' '.join(map(str, args))}:\n{done.stderr}")
    return done


def free_port(taken=()):
    """A port outside the system's own choice of ports, so that no client socket of another test takes it; none of those
    taken."""
    while True:
        port = random.randrange(10000, 30000)
        if port in taken:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def plant(root, tree):
    """Writes {path: content}; content is str, bytes, None for a directory, or a callable that is given the path."""
    for name, content in tree.items():
        path = root / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(content):
            content(path)
        else:
            path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


class Server:
    """`verdict serve` on a directory holding `tree`. Starts when first used, stops (with checks) at the end of its file.

    args    more arguments, such as ["--write"]
    config  text of a configuration file: given with -c, and no directory then. {root}, {port}, {admin_port},
            {tls_port} and {pki} (its folder) in it are filled in.
    env     more environment
    limit   function called in the child before the program starts (resource limits)
    stdout  where its standard output goes; without it, to the file home/out
    binary  another program than program()
    admin   has an admin listener, on a port of its own; without it there is none
    tls     has a listener for TLS on tls_port: --tls, or {tls_port} in the configuration, where tls needs no saying
    pki     the Pki whose authority connect_tls() trusts; without it, any certificate is taken

    What it keeps for itself (a certificate for development) is below `state`.
    """

    def __init__(self, tree=None, args=(), config=None, env=None, limit=None, stdout=None, binary=None, admin=False,
                 tls=False, pki=None):
        self.home = Path(tempfile.mkdtemp(prefix="verdict-"))
        self.root = self.home / "site"
        self.root.mkdir()
        plant(self.root, tree or {})
        self.args = list(args)
        self.config = config
        self.state = self.home / "state"
        self.env = {"XDG_STATE_HOME": str(self.state), **(env or {})}
        self.limit = limit
        self.stdout = stdout
        self.binary = binary
        self.admin = admin
        self.tls = tls or "{tls_port}" in (config or "")
        self.pki = pki
        self.port = self.admin_port = self.tls_port = None
        self.process = None
        self.urls = []
        self.errors = []
        started.append(self)

    def __enter__(self):
        return self.start()

    def __exit__(self, *ignored):
        self.stop()

    # Starting and stopping

    def start(self):
        if self.process is not None:
            return self
        self.port = free_port()
        self.admin_port = free_port((self.port,)) if self.admin else None
        self.tls_port = free_port((self.port, self.admin_port)) if self.tls else None
        with open(self.home / "out", "ab") as out:
            self.process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=self.stdout or out, stderr=subprocess.PIPE, text=True,
                env={**os.environ, **SANITIZERS, **self.env}, preexec_fn=self.limit, cwd=self.home)
        threading.Thread(target=self._collect, daemon=True).start()
        self._wait_until_it_listens()
        return self

    def _command(self):
        command = [str(self.binary or program()), "serve"]
        if self.config is None:
            command += [str(self.root), "--listen", f"127.0.0.1:{self.port}"]
            command += [f"--tls=127.0.0.1:{self.tls_port}"] if self.tls else []
        else:
            self.configure(self.config)
            command += ["-c", str(self.home / "verdict.yaml")]
        if "--admin" not in self.args and "admin:" not in (self.config or ""):
            command += ["--admin", f"127.0.0.1:{self.admin_port}" if self.admin else "off"]
        if "--log" not in self.args:
            command += ["--log", str(self.home / "log"), "--log-format", "json"]
        return command + [str(word) for word in self.args]

    def configure(self, text):
        """Writes the configuration file; a running server sees it after SIGHUP."""
        text = text.replace("{root}", str(self.root)).replace("{port}", str(self.port))
        text = text.replace("{admin_port}", str(self.admin_port)).replace("{tls_port}", str(self.tls_port))
        if self.pki is not None:
            text = text.replace("{pki}", str(self.pki.folder))
        (self.home / "verdict.yaml").write_text(text, encoding="utf-8")

    def _collect(self):
        for line in self.process.stderr:
            self.errors.append(line)
            self.urls += re.findall(r"https?://\S+", line)

    def _wait_until_it_listens(self):
        until = time.monotonic() + START_SECONDS
        plain = self.port if self.config is None or "{port}" in self.config else None
        ports = [port for port in (plain, self.admin_port, self.tls_port) if port is not None] or [self.port]
        while time.monotonic() < until and self.process.poll() is None:
            if all(any(f":{port}" in url for url in self.urls) for port in ports):
                return
            time.sleep(0.005)
        self.process.kill()
        self.process.wait()
        time.sleep(0.05)
        raise AssertionError(f"the server said no URL with each port of {ports}: exit {self.process.returncode}\n"
                             f"{' '.join(self._command())}\n{self.stderr}")

    def stop(self):
        """SIGTERM; asserts exit 0 and a standard error without complaints of the sanitizers or of ourselves."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait()
            code = f"none within {STOP_SECONDS} s of SIGTERM"
        time.sleep(0.05)
        if code != 0 or BAD_WORDS.search(self.stderr):
            raise AssertionError(f"the server ended with {code}\n{self.stderr}")

    def remove(self):
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def stderr(self):
        return "".join(self.errors)

    @property
    def pid(self):
        return self.start().process.pid

    def signal(self, number):
        os.kill(self.pid, number)

    def said(self, words, seconds=5):
        """Waits until its standard error has the words; returns the line."""
        until = time.monotonic() + seconds
        while True:
            line = next((line for line in list(self.errors) if words in line), None)
            if line is not None:
                return line
            if time.monotonic() > until:
                raise AssertionError(f"{words!r} was not said:\n{self.stderr}")
            time.sleep(0.01)

    def ended(self, seconds=10):
        """Waits for the end of the process by itself; returns its exit code. stop() has nothing to do then."""
        process, self.process = self.process, None
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"still running after {seconds} s\n{self.stderr}") from None

    def descriptors(self):
        """What it has open, by number."""
        found = {}
        for entry in Path(f"/proc/{self.pid}/fd").iterdir():
            try:
                found[int(entry.name)] = os.readlink(entry)
            except OSError:
                continue
        return found

    # Talking to it

    def connect(self, wait_seconds=5, port="port", **more):
        """port="tls_port": to say there what is not TLS, or not yet."""
        self.start()
        return Connection(("127.0.0.1", getattr(self, port)), wait_seconds=wait_seconds, **more)

    def ask(self, data):
        """Sends the bytes of one request on a connection of its own; returns the answer."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        with self.connect() as connection:
            return connection.send(data).response(to=data.split(b" ", 1)[0].decode("latin-1"))

    def request(self, method, target, content=None, **fields):
        """As ask(), with the head made here; if_match="x" becomes If-Match: x. content adds its Content-Length."""
        return self.ask(head(method, target, content, **fields) + (content or b""))

    def get(self, target, **fields):
        return self.request("GET", target, **fields)

    # Talking TLS and HTTP/2 to it

    @property
    def tls_name(self):
        """The name that is asked for when a test says none: that of the certificate for development, or a.example."""
        return "localhost" if self.config is None else "a.example"

    def connect_tls(self, sni="", ca=None, wait_seconds=5, **more):
        """A TlsConnection, which tells what else may be said. ca: by default that of the pki; False: none."""
        self.start()
        ca = self.pki.ca if ca is None and self.pki is not None else ca
        return TlsConnection(("127.0.0.1", self.tls_port), sni=self.tls_name if sni == "" else sni, ca=ca or None,
                             wait_seconds=wait_seconds, **more)

    def tls_refusal(self, **more):
        """Why connect_tls(**more) fails: the name of the server's alert (TLSV1_ALERT_PROTOCOL_VERSION), or of what is
        not to our liking (CERTIFICATE_VERIFY_FAILED)."""
        try:
            with self.connect_tls(**more) as connection:
                said = f"{connection.version()} {connection.cipher()}"
        except ssl.SSLError as error:
            return error.reason
        except ConnectionError as error:
            return type(error).__name__
        raise AssertionError(f"nobody refused: {said}")

    def h2(self, settings=(), **more):
        """HTTP/2 without TLS, with prior knowledge; more as of H2."""
        return H2(self.connect(), settings, **more)

    def h2_tls(self, settings=(), sni="", tls=None, **more):
        """HTTP/2 over TLS, chosen by ALPN; tls: {} of what connect_tls() takes; more as of H2."""
        connection = self.connect_tls(sni, **{"alpn": ["h2", "http/1.1"], **(tls or {})})
        if connection.alpn != "h2":
            raise AssertionError(f"ALPN chose {connection.alpn!r}")
        return H2(connection, settings, **more)

    def s_client(self, *args, sni="", **more):
        """tls.s_client() on its port for TLS."""
        self.start()
        name = self.tls_name if sni == "" else sni
        return s_client(self.tls_port, *(["-servername", name] if name else ["-noservername"]), *args, **more)

    def early_data(self, data, first=None, until=None, **more):
        """Gets a ticket with the request `first` (GET / of HTTP/1.1), then resumes with `data` as early data.

        until    as of s_client(), to wait for the answer as well
        Returns  a Run, whose .early_data tells whether it was accepted
        """
        ticket, early = self.home / "ticket", self.home / "early"
        early.write_bytes(data)
        self.s_client("-sess_out", ticket, say=[first or head("GET", "/")], until="HTTP/1.1 ", **more)
        found = until if callable(until) else lambda output: until is None or until in output
        return self.s_client("-sess_in", ticket, "-early_data", early,
                             until=lambda output: "Early data was" in output and found(output), **more)

    # Asking its admin listener

    def admin_connect(self, wait_seconds=5):
        self.start()
        return Connection(("127.0.0.1", self.admin_port), wait_seconds=wait_seconds)

    def admin_get(self, target, method="GET", **fields):
        fields.setdefault("host", f"127.0.0.1:{self.admin_port}")
        with self.admin_connect() as connection:
            return connection.send(head(method, target, **fields)).response(to=method)

    def api(self, target, **fields):
        """What /api/... says, parsed."""
        answer = self.admin_get(f"/api/{target}", **fields)
        if answer.status != 200:
            raise AssertionError(f"/api/{target}: {answer.status} {answer.content!r}")
        return json.loads(answer.content)

    def recorded(self, answer):
        """The record of an answer (or of an id), as /api/exchanges/ID tells it; it is there a moment after the answer."""
        number = answer if isinstance(answer, str) else answer.id
        until = time.monotonic() + LOG_SECONDS
        while (told := self.admin_get(f"/api/exchanges/{number}")).status != 200:
            if time.monotonic() > until:
                raise AssertionError(f"{number} is not recorded: {told.status} {told.content!r}")
            time.sleep(0.01)
        return json.loads(told.content)

    def rows(self, mark=None):
        """What was recorded after the exchange `mark`, newest first."""
        found = []
        for row in self.start().api("exchanges?limit=100")["exchanges"]:
            if row["id"] == mark:
                break
            found.append(row)
        return found

    def newest(self):
        """The id of the last exchange that was recorded: a mark for rows() and row_after()."""
        return next((row["id"] for row in self.rows()), None)

    def row_after(self, mark, **wanted):
        """The newest of those recorded after `mark` that has these members; it may take a moment."""
        until = time.monotonic() + LOG_SECONDS
        while True:
            found = [row for row in self.rows(mark) if all(row[key] == value for key, value in wanted.items())]
            if found:
                return found[0]
            if time.monotonic() > until:
                raise AssertionError(f"{wanted} is not recorded, but {self.rows(mark)}")
            time.sleep(0.01)

    # What it wrote

    def log(self):
        """The complete lines of the access log so far, parsed."""
        path = self.home / "log"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def log_where(self, **wanted):
        """The first log line with these members, waiting for it a little (lines are written in batches)."""
        until = time.monotonic() + LOG_SECONDS
        for wait in itertools.count():
            for line in self.log():
                if all(line.get(key) == value for key, value in wanted.items()):
                    return line
            if time.monotonic() > until:
                raise AssertionError(f"no log line with {wanted}; the last: {self.log()[-3:]}")
            time.sleep(0.01 if wait < 20 else 0.1)

    def log_of(self, answer):
        """The log line of an answer (or of an id)."""
        return self.log_where(id=answer if isinstance(answer, str) else answer.id)


def head(method, target, content=None, **fields):
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in fields:
        lines.append("Host: example.test")
    if content is not None and "content_length" not in fields and "transfer_encoding" not in fields:
        lines.append(f"Content-Length: {len(content)}")
    lines += [f"{name.replace('_', '-').title()}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
