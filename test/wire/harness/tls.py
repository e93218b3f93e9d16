"""Connections of TLS: through Python's ssl, and through the openssl command for what that lacks."""
import os
import select
import ssl
import subprocess
import time

from .frames import octets
from .wire import Connection

S_CLIENT_SECONDS = 10
SEND_BYTES = 262144
RECORD_BYTES = 16384

VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}


def set_versions(context, minimum, maximum):
    """The old ones need a level at which OpenSSL signs with SHA-1."""
    if maximum in ("TLSv1", "TLSv1.1"):
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = VERSIONS[minimum] if minimum else ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = VERSIONS[maximum] if maximum else ssl.TLSVersion.MAXIMUM_SUPPORTED


def client_context(alpn=("http/1.1",), client=None, minimum="TLSv1.2", maximum=None, ca=None, check_name=True,
                   ciphers=None):
    """Without a ca, whatever certificate is taken. check_name: that it is for the name that was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.check_hostname = bool(ca) and check_name
    if ca:
        context.load_verify_locations(ca)
    else:
        context.verify_mode = ssl.CERT_NONE
    if maximum in ("TLSv1", "TLSv1.1"):
        minimum = maximum
    set_versions(context, minimum, maximum)
    if ciphers:
        context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context


class TlsConnection(Connection):
    """A Connection whose bytes go through TLS.

    sni             the name asked for (and checked, when there is a ca); None: none; an address is checked, not sent
    alpn            protocols offered, the best first; (): none
    client          a Certificate to show
    minimum, maximum  "TLSv1" "TLSv1.1" "TLSv1.2" "TLSv1.3"; TLSv1.2 and up when not said
    ca, check_name  path of the authority that must have signed; that the name must fit
    ciphers         of TLS 1.2, as OpenSSL writes lists
    session         .session of an earlier connection: is resumed, with all else as it was there

    A server that refuses makes the constructor raise ssl.SSLError, whose .reason is the name of its alert. `socket` is
    that of TCP, under the encryption: reset() is one of TCP, and seal() makes records that can be sent there in pieces.
    """

    secure = True

    def __init__(self, address, sni=None, session=None, alpn=("http/1.1",), client=None, minimum="TLSv1.2",
                 maximum=None, ca=None, check_name=True, ciphers=None, **more):
        check_name = check_name and sni is not None
        context, resumed = session or (client_context(alpn, client, minimum, maximum, ca, check_name, ciphers), None)
        super().__init__(address, **more)
        self.close_notify = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=sni, session=resumed)
        try:
            self._going_on(self.tls.do_handshake)
        except BaseException:
            self.close()
            raise

    def version(self):
        """ "TLSv1.3" """
        return self.tls.version()

    def cipher(self):
        """ "TLS_AES_256_GCM_SHA384" """
        return self.tls.cipher()[0]

    @property
    def certificate(self):
        """What the server showed, DER; the same as .der of a Certificate."""
        return self.tls.getpeercert(binary_form=True)

    @property
    def alpn(self):
        """The protocol that the server chose; None: it chose none."""
        return self.tls.selected_alpn_protocol()

    @property
    def session(self):
        """For session= of another connection. TLS 1.3: read an answer first, since the ticket comes with it."""
        return self.tls.context, self.tls.session

    @property
    def resumed(self):
        return self.tls.session_reused

    def seal(self, data):
        """The records that data becomes, not sent yet."""
        self.tls.write(octets(data))
        return self.outgoing.read()

    def send(self, data):
        data = octets(data)
        for at in range(0, len(data), SEND_BYTES):
            self.socket.sendall(self.seal(data[at:at + SEND_BYTES]))
        return self

    def finish_sending(self):
        """Says close_notify; we still read."""
        try:
            while part := self.tls.read(RECORD_BYTES):
                self.kept += part
        except ssl.SSLWantReadError:
            pass
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()
        return self

    def expect_closed(self, notified=True):
        """As of a Connection; and the end was announced (RFC8446:6.1), unless notified=False."""
        super().expect_closed()
        if notified and not self.close_notify:
            raise AssertionError("the connection ended without close_notify")

    def _receive(self):
        try:
            part = self._going_on(lambda: self.tls.read(RECORD_BYTES))
        except ssl.SSLZeroReturnError:
            part = b""
        except ssl.SSLError as said:  # its class depends on the version of Python
            if said.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            self.close_notify = False
            return b""
        if not part:
            self.close_notify = True
        return part

    def _going_on(self, step):
        """What the step returns, once it has read and sent what it needs to."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self._flush()
                part = self.socket.recv(65536)
                self.incoming.write(part) if part else self.incoming.write_eof()
            finally:
                self._flush()

    def _flush(self):
        if self.outgoing.pending:
            self.socket.sendall(self.outgoing.read())


def client_hello(sni="a.example", **more):
    """The bytes that a client begins with; more as of client_context(). To be sent in pieces, or not to its end."""
    out = ssl.MemoryBIO()
    handshake = client_context(**more).wrap_bio(ssl.MemoryBIO(), out, server_hostname=sni)
    try:
        handshake.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


class Run:
    """What openssl s_client wrote, as text; its exit code, None when it had to be ended."""

    def __init__(self, output, code):
        self.output = output
        self.code = code

    @property
    def early_data(self):
        """accepted, rejected or "not sent"; None when it said nothing of it."""
        said = [word for word in ("accepted", "rejected", "not sent") if f"Early data was {word}" in self.output]
        return said[0] if said else None


def s_client(port, *args, say=(), until=None, seconds=S_CLIENT_SECONDS):
    """Runs `openssl s_client` with the arguments until it has written what was waited for, or ends by itself.

    say      what it is told: bytes, or (text, bytes) for bytes that are said when the text was written since the last
             ones. A line that begins with R renegotiates, one that begins with Q quits (not so with -quiet); else
             they go to the server. Its input stays open.
    until    text that must be written, or function of the whole output; then it is ended. None: until it ends by
             itself, or `seconds` have passed
    """
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *map(str, args)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        return Run(*_converse(process, list(say), until, time.monotonic() + seconds))
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def _converse(process, say, until, deadline):
    output, told = "", 0
    seen = until if callable(until) else lambda text: until is not None and until in text
    while True:
        while say and _is_due(say[0], output[told:]):
            what = say.pop(0)
            os.write(process.stdin.fileno(), what if isinstance(what, bytes) else what[1])
            told = len(output)
        if not say and seen(output):
            return output, None
        left = deadline - time.monotonic()
        if left > 0 and select.select([process.stdout], [], [], left)[0]:
            part = os.read(process.stdout.fileno(), 65536)
            output += part.decode("latin-1")
            if part:
                continue
            code = process.wait(max(left, 0.1))
        else:
            code = None
        if say or (until is not None and not seen(output)):
            raise AssertionError(f"s_client did not come to {say[0] if say else until!r}:\n{output}")
        return output, code


def _is_due(what, fresh):
    return isinstance(what, bytes) or what[0] in fresh
