"""A small EST server for tests: real HTTPS, and each answer as a test wants it."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from center.secure_port import NO_CHECK_TIME
from provisioning.certs import dev
from provisioning.certs.authority import Pair, common_name

DIGITS = "40718235"
PLAIN = {"Content-Type": "text/plain"}


class Answer(Struct, frozen=True):
    """What the server says, whatever it was asked."""

    code: int
    body: bytes = b""
    headers: dict[str, str] = {}


class Est:
    """The server; `typed` says under which hub id the digits were typed, "" while they were not."""

    def __init__(self, folder: Path, server: str = "broker") -> None:
        self.parent = dev.read(folder, "ca")
        assert self.parent
        self.folder = folder
        self.typed = ""
        self.asked: list[tuple[str, str, str]] = []  # path, CN of the client's certificate, SPKI
        self.one_line = True
        self.utc: Callable[[], float] = time.time
        self.answer: Answer | None = None
        self.struck_off: set[str] = set()  # until it is claimed anew
        self.late = True  # it renews what has expired
        self.above: tuple[x509.Certificate, ...] = ()  # more authorities, of `cacerts`
        self.days = 90.0
        self.kept: dict[str, bytes] | None = {}  # by hub; None: another server, which keeps nothing
        self.puts: list[bytes] = []  # each body that was kept
        self.fit: Pair = self.parent  # by whom certificates are signed
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=folder / "ca.crt")
        context.load_cert_chain(folder / f"{server}.crt", folder / f"{server}.key")
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= NO_CHECK_TIME  # as the centre does: an expired one may be renewed
        answering = type("Answering", (_Answering,), {"est": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), answering)
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._http.server_address[1])
        self.url = f"https://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def county(self, folder: Path) -> Path:
        """Write a county's file for this server."""
        file = folder / "county.toml"
        file.write_text(f'center = "{self.url}"\nca = "{self.folder}/ca.crt"\n', encoding="utf-8")
        return file

    def issue(self, request: x509.CertificateSigningRequest, name: str) -> x509.Certificate:
        """Sign what was asked, under a name of ours."""
        now = datetime.fromtimestamp(self.utc(), UTC)
        begins = now - timedelta(hours=1)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.fit.certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=self.days))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.fit.key.public_key()),
                critical=False,
            )
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        )
        return made.sign(self.fit.key, SHA256())

    def pkcs7(self, *found: x509.Certificate) -> bytes:
        """Return certificates as EST does, in one line or in many."""
        der = pkcs7.serialize_certificates(list(found), Encoding.DER)
        return base64.b64encode(der) if self.one_line else base64.encodebytes(der)

    def reply(self, path: str, body: bytes, peer: str) -> Answer:
        """Return what a well-behaved server says."""
        if path == "/hub/time":
            why = {"Anbu-Reason": "revoked"} if peer and peer in self.struck_off else {}
            return Answer(200, json.dumps({"utc": self.utc()}).encode(), why)
        if path == "/hub/backup":
            return self._keep(body, peer)
        if path.endswith("/cacerts"):
            return Answer(200, self.pkcs7(self.fit.certificate, *self.above))
        request = x509.load_der_x509_csr(base64.b64decode(body))
        spki = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.asked.append((path.rpartition("/")[2], peer, spki.hex()))
        if path.endswith("/simplereenroll") and not self.late:
            return Answer(403, b"it ended too long ago", PLAIN | {"Anbu-Reason": "lapsed"})
        name = peer if path.endswith("/simplereenroll") else self.typed
        if path.endswith("/simpleenroll"):
            self.struck_off.discard(name)
        if not name:
            body = json.dumps({"digits": DIGITS, "valid_s": 900}).encode()
            return Answer(202, body, {"Retry-After": "5", "Content-Type": "application/json"})
        return Answer(200, self.pkcs7(self.issue(request, name)))

    def _keep(self, body: bytes, peer: str) -> Answer:
        if self.kept is None:
            return Answer(404, b"?", PLAIN)
        if body:
            self.kept[peer] = body
            self.puts.append(body)
            return Answer(204)
        if peer not in self.kept:
            return Answer(404, b"nothing", PLAIN | {"Anbu-Reason": "no_backup"})
        return Answer(200, self.kept[peer], {"Content-Type": "application/octet-stream"})


class _Answering(BaseHTTPRequestHandler):
    est: Est

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def do_PUT(self) -> None:
        self._reply()

    def _reply(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        assert isinstance(self.connection, ssl.SSLSocket)
        der = self.connection.getpeercert(binary_form=True)
        peer = common_name(x509.load_der_x509_certificate(der)) if der else ""
        said = self.est.answer or self.est.reply(self.path, body, peer)
        self.send_response_only(said.code)
        headers = {
            "Content-Type": "application/pkcs7-mime; smime-type=certs-only",
            "Date": formatdate(self.est.utc(), usegmt=True),
            "Content-Length": str(len(said.body)),
        }
        for name, value in (headers | said.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
