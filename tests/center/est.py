"""An authority's files, a port for hubs, and hubs that ask there for certificates."""

import base64
import socket
import ssl
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from center.config import Authority
from provisioning.certs.authority import Pair, authority, issue

EST = "/.well-known/est"


def settings(folder: Path) -> Authority:
    """Make an authority, and a port's certificate, in `folder`."""
    parent = authority("Anbu test CA")
    save(folder, "ca", parent)
    save(folder, "est", issue(parent, "center", hosts=("127.0.0.1", "localhost")))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    one, two, three, four = (
        str(folder / name) for name in ("est.crt", "est.key", "ca.crt", "ca.key")
    )
    return Authority(one, two, three, four, f"127.0.0.1:{port}")


def save(folder: Path, name: str, pair: Pair) -> tuple[str, str]:
    """Write a pair; return the names of its files."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    certificate.write_bytes(pair.certificate_pem())
    key.write_bytes(pair.key_pem())
    return str(certificate), str(key)


def request(key: ec.EllipticCurvePrivateKey, name: str = "anbu-hub") -> bytes:
    """Return a request for `key`: base64 on one line."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
    return base64.b64encode(made.public_bytes(Encoding.DER))


def certificate(answer: httpx.Response) -> x509.Certificate:
    """Return the one certificate of an answer."""
    assert answer.status_code == 200, answer.text
    assert b"\n" not in answer.content
    (one,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content))
    return one


class Hub:
    """A hub with a key of its own."""

    def __init__(self, folder: Path, listen: str, name: str = "hub") -> None:
        self.folder, self.url, self.name = folder, f"https://{listen}", name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.pair: Pair | None = None

    def client(self, own: tuple[str, str] | None = None) -> httpx.Client:
        tls = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        if own:
            tls.load_cert_chain(*own)
        return httpx.Client(base_url=self.url, verify=tls, timeout=60.0)

    def files(self) -> tuple[str, str]:
        assert self.pair
        return save(self.folder, self.name, self.pair)

    def ask(self, **headers: str) -> httpx.Response:
        with self.client() as client:
            return client.post(f"{EST}/simpleenroll", content=request(self.key), headers=headers)

    def digits(self) -> str:
        """Ask; return the digits that the hub would say."""
        answer = self.ask()
        assert answer.status_code == 202, answer.text
        return str(answer.json()["digits"])

    def fetch(self) -> x509.Certificate:
        """Ask for what somebody has claimed; the hub then has its certificate."""
        got = certificate(self.ask())
        self.pair = Pair(got, self.key)
        return got

    def renew(self, key: ec.EllipticCurvePrivateKey, name: str = "anbu-hub") -> httpx.Response:
        with self.client(self.files()) as client:
            return client.post(f"{EST}/simplereenroll", content=request(key, name))
