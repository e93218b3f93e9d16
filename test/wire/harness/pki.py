"""Certificates for tests, made by the openssl command into a folder that lives as long as the process."""
import atexit
import datetime
import ipaddress
import os
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

OPENSSL_SECONDS = 20

AUTHORITY = """
[ca]
default_ca = this
[this]
dir = {folder}
database = $dir/{name}.index
serial = $dir/{name}.serial
crlnumber = $dir/{name}.crlnumber
new_certs_dir = $dir
certificate = $dir/{name}.pem
private_key = $dir/{name}.key
default_md = sha256
default_crl_days = 30
unique_subject = no
policy = any
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
"""
CA_EXTENSIONS = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n" \
                "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
ALGORITHMS = {"ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["-newkey", "rsa:2048"]}
LEAF_EXTENSIONS = "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n" \
                  "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"


def openssl(*args):
    """Runs the command to its end; its standard output as bytes. A failure is an error that shows what it said."""
    done = subprocess.run(["openssl", *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=OPENSSL_SECONDS, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(map(str, args))}: {done.returncode}\n{done.stderr.decode('latin-1')}")
    return done.stdout


def alternative_names(names):
    kinds = []
    for name in names:
        try:
            kinds.append(f"IP:{ipaddress.ip_address(name)}")
        except ValueError:
            kinds.append(f"DNS:{name}")
    return ",".join(kinds)


def moment(days):
    """So many days from now, as openssl ca takes it."""
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Certificate:
    """certificate, key: paths of PEM files; the first begins with the certificate, then those below the root."""

    def __init__(self, folder, name):
        self.name = name
        self.certificate = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"

    @property
    def der(self):
        """The certificate itself, as a client sees it."""
        text = self.certificate.read_text(encoding="ascii")
        end = "-----END CERTIFICATE-----"
        return ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN"):text.index(end) + len(end)])

    def become(self, other):
        """The files of this one now hold what is in those of another: the key first, each replaced as a whole."""
        for own, others in ((self.key, other.key), (self.certificate, other.certificate)):
            fresh = own.with_name(own.name + ".new")
            shutil.copy(others, fresh)
            os.replace(fresh, own)


class Authority(Certificate):
    """Somebody who signs. Its index tells `openssl ocsp` and the CRL what was taken back."""

    def __init__(self, folder, name, by=None):
        super().__init__(folder, name)
        self.folder = folder
        self.below_root = b""
        self.config = folder / f"{name}.cnf"
        self.config.write_text(AUTHORITY.format(folder=folder, name=name), encoding="ascii")
        self.index = folder / f"{name}.index"
        self.index.touch()
        self._file("serial").write_text("1000\n", encoding="ascii")
        self._file("crlnumber").write_text("01\n", encoding="ascii")
        (by or self).sign(self, f"/O=Verdict tests/CN={name}", CA_EXTENSIONS, self_signed=by is None)
        if by is not None:
            self.below_root = self.certificate.read_bytes()

    def _file(self, ending):
        return self.folder / f"{self.name}.{ending}"

    def sign(self, one, subject, extensions, days=(-1, 30), self_signed=False, algorithm="ec"):
        """Makes the key of `one` and its certificate, valid between so many days from now."""
        request, wanted = one.key.with_suffix(".csr"), one.key.with_suffix(".ext")
        wanted.write_text(extensions, encoding="ascii")
        openssl("req", "-new", "-config", os.devnull, *ALGORITHMS[algorithm], "-nodes", "-subj", subject,
                "-keyout", one.key, "-out", request)
        one.key.chmod(0o600)
        openssl("ca", "-batch", "-notext", "-config", self.config, "-in", request, "-out", one.certificate,
                "-extfile", wanted, "-startdate", moment(days[0]), "-enddate", moment(days[1]),
                *(["-selfsign", "-keyfile", one.key] if self_signed else []))
        if self.below_root:
            with open(one.certificate, "ab") as chain:
                chain.write(self.below_root)
        return one

    def revoke(self, one):
        openssl("ca", "-config", self.config, "-revoke", one.certificate)

    def write_crl(self):
        openssl("ca", "-config", self.config, "-gencrl", "-out", self._file("crl"))
        return self._file("crl")

    def write_ocsp(self, one):
        to = one.certificate.with_suffix(".ocsp")
        openssl("ocsp", "-index", self.index, "-CA", self.certificate, "-rsigner", self.certificate, "-rkey", self.key,
                "-issuer", self.certificate, "-cert", one.certificate, "-ndays", "7", "-no_nonce", "-noverify",
                "-respout", to)
        return to


class Pki:
    """An authority, and whatever certificates a test asks for.

    folder  where all files are
    ca      path of the authority's certificate
    crl     path of its revocation list, in which client("revoked") is; revoke() writes it again
    """

    CLIENTS = ("good", "expired", "early", "foreign", "self-signed", "revoked")

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="verdict-pki-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.authority = Authority(self.folder, "ca")
        self.ca = self.authority.certificate
        self._clients = {}
        self._others = {}

    def server(self, *names, days=(-1, 30), algorithm="ec", below=None, common_name=None):
        """A certificate for these names (a.example, *.b.example, 127.0.0.1, ::1), a new one at each call.

        days         valid from and to, in days from now
        algorithm    ec or rsa
        below        an Authority that signs instead; below=pki.intermediate() makes a chain of two
        common_name  without names: no subjectAltName, only this common name
        """
        one = self._fresh(names[0] if names else common_name)
        extensions = LEAF_EXTENSIONS + "extendedKeyUsage=serverAuth\n"
        if names:
            extensions += f"subjectAltName={alternative_names(names)}\n"
        subject = f"/CN={common_name or 'Verdict tests'}"
        return (below or self.authority).sign(one, subject, extensions, days, algorithm=algorithm)

    def client(self, kind="good", subject=None):
        """A client's certificate, the same at each call: good, expired, early (not yet valid), foreign (by another
        authority), self-signed or revoked. Its subject is /O=Verdict tests/CN=KIND unless said otherwise."""
        if kind not in self.CLIENTS:
            raise ValueError(f"{kind!r} is none of {', '.join(self.CLIENTS)}")
        if (kind, subject) not in self._clients:
            self._clients[kind, subject] = self._make_client(kind, subject or f"/O=Verdict tests/CN={kind}")
        return self._clients[kind, subject]

    def _make_client(self, kind, subject):
        one = self._fresh(f"client-{kind}")
        extensions = LEAF_EXTENSIONS + "extendedKeyUsage=clientAuth\n"
        days = {"expired": (-20, -10), "early": (10, 20)}.get(kind, (-1, 30))
        by = self.other("foreign-ca") if kind in ("foreign", "self-signed") else self.authority
        by.sign(one, subject, extensions, days, self_signed=kind == "self-signed")
        if kind == "revoked":
            self.authority.revoke(one)
        return one

    def other(self, name):
        """Another authority, unknown to the first."""
        if name not in self._others:
            self._others[name] = Authority(self.folder, name)
        return self._others[name]

    def intermediate(self, name="intermediate"):
        """An authority below the first; what it signs comes with its certificate in the same file."""
        if name not in self._others:
            self._others[name] = Authority(self.folder, name, by=self.authority)
        return self._others[name]

    def revoke(self, one):
        self.authority.revoke(one)
        self.authority.write_crl()

    @property
    def crl(self):
        path = self.folder / "ca.crl"
        if not path.exists():
            self.client("revoked")
            self.authority.write_crl()
        return path

    def ocsp(self, one):
        """Path of an OCSP response (DER) about a certificate of this authority: good, or revoked after revoke()."""
        return self.authority.write_ocsp(one)

    def _fresh(self, name):
        """Files of a name that no other certificate has: a.example, wildcard.b.example, a.example-2."""
        plain = name.replace("*", "wildcard").replace(":", ".")
        count = 1
        while (self.folder / f"{plain}{f'-{count}' if count > 1 else ''}.key").exists():
            count += 1
        return Certificate(self.folder, f"{plain}-{count}" if count > 1 else plain)
