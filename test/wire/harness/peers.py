"""Real programs to be in front of, each with a configuration of its own in a folder of its own, on free ports."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .checks import skip
from .server import plant, started
from .upstream import bound_socket

START_SECONDS = 10
STOP_SECONDS = 5
PLACES = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"

NGINX = """
{user}
daemon off; worker_processes 1; pid {home}/pid; error_log stderr info;
events {{ worker_connections 256; }}
http {{
    access_log {home}/access.log;
    client_body_temp_path {home}/b; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f; uwsgi_temp_path {home}/u;
    scgi_temp_path {home}/s; default_type text/plain;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {tls}
        root {root};
        {config}
    }}
}}
"""

APACHE = """
ServerRoot {home}
ServerName localhost
PidFile {home}/pid
ErrorLog {home}/error.log
Listen 127.0.0.1:{port}
{user}
{modules}
TypesConfig /dev/null
AddType text/html .html
AddType text/plain .txt
DocumentRoot {root}
<Directory {root}>
    Require all granted
    Options +Indexes
</Directory>
{tls}
{config}
"""

APACHE_MODULES = ("mpm_event", "authz_core", "dir", "mime", "headers", "rewrite", "alias", "setenvif", "autoindex")

FPM = """
[global]
daemonize = no
error_log = {home}/error.log
{pools}
"""
FPM_POOL = """
[{name}]
{user}
listen = {listen}
pm = static
pm.max_children = {children}
catch_workers_output = yes
{config}
"""


def find(name):
    """Path of a program; skip() without it."""
    return shutil.which(name, path=PLACES) or skip(f"{name} is not installed")


def children_of(pid):
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


class Peer:
    """Starts when its port, path or address is asked for first; ends with the file. home: its folder; root: the `tree`
    in it; output: what it said so far."""

    program = None
    stop_signal = signal.SIGTERM

    def __init__(self, tree=None):
        self.home = Path(tempfile.mkdtemp(prefix="verdict-peer-"))
        self.home.chmod(0o755)
        self.root = self.home / "site"
        self.root.mkdir()
        plant(self.root, tree or {})
        self.process = None
        self.holder = bound_socket()
        self.own_port = self.holder.getsockname()[1]
        started.append(self)

    def __enter__(self):
        return self.start()

    def __exit__(self, *ignored):
        self.stop()

    @property
    def port(self):
        return self.start().own_port

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def output(self):
        path = self.home / "output"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    @property
    def errors(self):
        """What is in its own error log, for those that have one."""
        path = self.home / "error.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def start(self):
        if self.process is None:
            command = [find(self.program), *self.arguments()]
            with open(self.home / "output", "ab") as output:
                self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                                stdout=output, stderr=subprocess.STDOUT, cwd=self.home,
                                                env=self.environment())
            self._wait_until_it_listens()
        return self

    def arguments(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.own_port)) == 0

    def _wait_until_it_listens(self):
        until = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < until:
            if self.listens():
                return
            time.sleep(0.01)
        self.stop()
        raise AssertionError(f"{self.program} does not listen:\n{self.output}\n{self.errors}")

    def write(self, name, text):
        (self.home / name).write_text(text, encoding="utf-8")
        return self.home / name

    def stop(self):
        """Ends it, and when it does not mind, its children with it."""
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(self.stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in [*children_of(process.pid), process.pid]:
                os.kill(pid, signal.SIGKILL)
            process.wait()

    def remove(self):
        self.holder.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Nginx(Peer):
    """config: into its server {}; http: into http {}; tls: the Certificate to show on its port. {root} and {home} in
    either are filled in."""

    program = "nginx"

    def __init__(self, tree=None, config="", http="", tls=None):
        super().__init__(tree)
        self.config, self.http, self.tls = config, http, tls

    def arguments(self):
        tls = f"ssl_certificate {self.tls.certificate}; ssl_certificate_key {self.tls.key};" if self.tls else ""
        user = "user root;" if os.geteuid() == 0 else ""
        text = NGINX.format(user=user, home=self.home, root=self.root, port=self.own_port, tls=tls,
                            http=self._filled(self.http), config=self._filled(self.config))
        text = text.replace(f":{self.own_port};", f":{self.own_port} ssl;") if self.tls else text
        return ["-p", self.home, "-e", "stderr", "-c", self.write("nginx.conf", text)]

    def _filled(self, text):
        return text.replace("{root}", str(self.root)).replace("{home}", str(self.home))


class Apache(Peer):
    """config: at its end; modules: more of them (proxy, dav...); tls: the Certificate to show on its port."""

    program = "apache2"

    def __init__(self, tree=None, config="", modules=(), tls=None):
        super().__init__(tree)
        self.config, self.modules, self.tls = config, (*APACHE_MODULES, *modules, *(["ssl"] if tls else [])), tls

    def arguments(self):
        folder = Path("/usr/lib/apache2/modules")
        load = [f"LoadModule {name}_module {folder}/mod_{name}.so" for name in dict.fromkeys(self.modules)]
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        tls = f"SSLEngine on\nSSLCertificateFile {self.tls.certificate}\nSSLCertificateKeyFile {self.tls.key}" \
            if self.tls else ""
        config = self.config.replace("{root}", str(self.root)).replace("{home}", str(self.home))
        text = APACHE.format(home=self.home, root=self.root, port=self.own_port, user=user, modules="\n".join(load),
                             tls=tls, config=config)
        return ["-DFOREGROUND", "-f", self.write("apache.conf", text)]

    def listens(self):
        return "resuming normal operations" in self.errors and super().listens()


class Node(Peer):
    """script: of a server that listens at process.env.PORT on 127.0.0.1."""

    program = "node"

    def __init__(self, script, tree=None):
        super().__init__(tree)
        self.script = script

    def arguments(self):
        return [self.write("server.js", self.script)]

    def environment(self):
        return {**os.environ, "PORT": str(self.own_port), "ROOT": str(self.root)}


class PhpFpm(Peer):
    """php-fpm with two pools, at `path` (a unix socket) and at `port`; the scripts are in root. children: of each pool;
    config: into both pools."""

    program = "php-fpm8.2"
    stop_signal = signal.SIGINT

    def __init__(self, tree=None, children=2, config=""):
        super().__init__(tree)
        self.children, self.config = children, config

    @property
    def path(self):
        return str(self.start().home / "socket")

    def listens(self):
        return (self.home / "socket").exists() and super().listens()

    def arguments(self):
        user = "user = root\ngroup = root" if os.geteuid() == 0 else ""
        pools = [FPM_POOL.format(name=name, user=user, listen=listen, children=self.children, config=self.config)
                 for name, listen in (("unix", self.home / "socket"), ("tcp", f"127.0.0.1:{self.own_port}"))]
        path = self.write("fpm.conf", FPM.format(home=self.home, pools="\n".join(pools)))
        return ["--nodaemonize", "--fpm-config", path, *(["-R"] if os.geteuid() == 0 else [])]


class SServer(Peer):
    """openssl s_server -www with the Certificate, and more arguments: SServer(one, "-tls1_2", "-Verify", "2")."""

    program = "openssl"

    def __init__(self, certificate, *args, www=True):
        super().__init__()
        self.certificate, self.args, self.www = certificate, args, www

    def arguments(self):
        shown = self.certificate.certificate
        return ["s_server", "-accept", f"127.0.0.1:{self.own_port}", "-cert_chain", shown, "-cert", shown, "-key",
                self.certificate.key, *(["-www"] if self.www else []), *self.args]

    def listens(self):
        return "ACCEPT" in self.output
