"""The servers that are compared, each with one worker, no log, the same files and the same certificate; those that are
not installed are left out. Verdict also on a directory alone, as its users start it."""
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from served import Served

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = str(ROOT / "build/release/verdict")

VERDICT = """
listen: "127.0.0.1:{port}"
h2c: on
tls:
  listen: "127.0.0.1:{tls_port}"
  certificates:
    - {{certificate: {folder}/certificate.pem, key: {folder}/key.pem}}
sites:
  - routes:
      - {{path: /, files: {folder}/site}}
"""

# Without tcp_nodelay, or with tcp_nopush, one stream at a time waits 40 ms for each answer; so it does with sendfile
# over HTTP/2 without TLS, where nginx turns tcp_nodelay off again. Large files are asked for over TLS alone.
NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush off;
    tcp_nodelay on;
    keepalive_requests 1000000000;
    open_file_cache max=100 inactive=600s;
    types {{ text/html html; }}
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    ssl_certificate {folder}/certificate.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets on;
    ssl_conf_command Options KTLS;
    server {{
        listen 127.0.0.1:{port} http2;
        sendfile off;
        root {folder}/site;
    }}
    server {{
        listen 127.0.0.1:{tls_port} ssl http2;
        root {folder}/site;
    }}
}}
"""

# Without neverbleed, which uses the key in another process, whose work would not be counted.
H2O = """
num-threads: 1
{user}
ssl-session-resumption: {{mode: ticket}}
listen: {{host: 127.0.0.1, port: {port}}}
listen:
  host: 127.0.0.1
  port: {tls_port}
  ssl:
    certificate-file: {folder}/certificate.pem
    key-file: {folder}/key.pem
    neverbleed: OFF
    ocsp-update-interval: 0
hosts:
  default:
    paths:
      /: {{file.dir: {folder}/site}}
"""


def on_directory(site, prefix=(), program=PROGRAM, admin=False, log="off"):
    """Verdict as `verdict serve DIR` starts it, under `prefix` (such as valgrind) where given."""
    return Served("verdict", lambda it: [
        program, "serve", site, "--listen", f"127.0.0.1:{it.port}", "--admin",
        f"127.0.0.1:{it.admin_port}" if admin else "off", "--workers", "1", "--log", log], prefix)


def configured(name, folder, text, command):
    """`command` is what follows from the path of the configuration."""
    def start(prefix=()):
        def arguments(it):
            # As root, h2o would go on as nobody, who may not read the folder.
            user = f"user: {pwd.getpwuid(0).pw_name}" if os.getuid() == 0 else ""
            path = Path(folder, f"{name}.conf")
            path.write_text(text.format(folder=folder, port=it.port, tls_port=it.tls_port, user=user))
            return command(path)
        return Served(name, arguments, prefix)
    return start


def all_of(folder):
    """By name, functions that start the servers installed here on `folder`, which has site/ and a certificate."""
    path = os.environ.get("PATH", "") + ":/usr/sbin"
    nginx, h2o = shutil.which("nginx", path=path), shutil.which("h2o", path=path)
    peers = {"verdict": configured("verdict", folder, VERDICT, lambda file: [
        PROGRAM, "serve", "-c", file, "--workers", "1", "--log", "off", "--admin", "off"])}
    if nginx:
        peers["nginx"] = configured("nginx", folder, NGINX, lambda file: [
            nginx, "-p", folder, "-e", f"{folder}/nginx.log", "-c", file])
    if h2o:
        peers["h2o"] = configured("h2o", folder, H2O, lambda file: [h2o, "-c", file])
    return peers


def certify(folder):
    """A key and a certificate for localhost: an elliptic curve, as most public servers have today."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"],
                   check=True, capture_output=True, timeout=30)
    Path(folder, "key.pem").chmod(0o600)
