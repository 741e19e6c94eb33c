"""Keys, requests and certificates of one hub. The private key never leaves this machine."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs7,
)
from cryptography.x509.oid import NameOID
from msgspec import Struct

from provisioning.certs.authority import common_name, is_issued_by

UNNAMED = "anbu-hub"  # the centre gives the name: what a request says does not count
OVERDUE = 2 / 3  # of its life: by now it should have been renewed, so it is told
RENEW_AT = 1 / 3  # of its life: so ACME's clients do with short-lived ones, and it leaves 60 days


class ForeignCertificateError(ValueError):
    """The answer holds no certificate of this hub's key, or none that can be read."""


class Issued(Struct, frozen=True):
    """A hub's certificate and those that lead to the authority."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def hub(self) -> str:
        """The hub's id: the certificate's CN."""
        return common_name(self.leaf)

    def pem(self) -> bytes:
        """Return the file that TLS sends, the hub's own certificate first."""
        return pem_of((self.leaf, *self.chain))

    def renewed_at(self) -> datetime:
        """Return when a third of its life is over."""
        begins, ends = self.leaf.not_valid_before_utc, self.leaf.not_valid_after_utc
        return begins + (ends - begins) * RENEW_AT

    @property
    def ends(self) -> datetime:
        """When it expires."""
        return self.leaf.not_valid_after_utc


def new_key() -> bytes:
    """Return a new private key, EC P-256, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def request(key: bytes, name: str = UNNAMED) -> bytes:
    """Return a request (PKCS#10, DER) for the key. Raises ValueError for a damaged key."""
    private = load_pem_private_key(key, None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        message = "no elliptic curve key"
        raise ValueError(message)  # noqa: TRY004 - the file's content is wrong, not our types
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(private, SHA256())
    return made.public_bytes(Encoding.DER)


def is_request(request: bytes, key: bytes) -> bool:
    """Whether `request` (DER) can be read, and is of this key."""
    try:
        asked = x509.load_der_x509_csr(request).public_key()
        return _public(asked) == _public(load_pem_private_key(key, None).public_key())
    except (ValueError, TypeError):
        return False


def name_of(request: bytes) -> str:
    """Return the name in a request (DER). Raises ValueError."""
    found = x509.load_der_x509_csr(request).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def load(certificate: bytes) -> Issued:
    """Return the certificates of a file. Raises ValueError."""
    leaf, *chain = x509.load_pem_x509_certificates(certificate)
    return Issued(leaf, tuple(chain))


def answered(body: bytes, key: bytes) -> Issued:
    """Return the certificate that an EST answer holds for `key`, with those above it.

    The base64 may be one line or many. Raises ForeignCertificateError.
    """
    found = certificates(body)
    try:
        ours = _public(load_pem_private_key(key, None).public_key())
    except (ValueError, TypeError) as error:
        raise ForeignCertificateError(str(error)) from error
    leaf = next((one for one in found if _public(one.public_key()) == ours), None)
    if leaf is None:
        raise ForeignCertificateError(str(len(found)))
    return Issued(leaf, tuple(_above(leaf, found)))


def certificates(body: bytes) -> list[x509.Certificate]:
    """Return the certificates of an EST answer: PKCS#7, certs-only. Raises ForeignCertificateError.

    Some servers leave out the transfer encoding, so plain DER is read, too.
    """
    try:
        der = (
            body if body[:1] == b"\x30" else base64.b64decode(b"".join(body.split()), validate=True)
        )
        return pkcs7.load_der_pkcs7_certificates(der)
    except (ValueError, binascii.Error) as error:
        raise ForeignCertificateError(str(error)) from error


def belongs(leaf: x509.Certificate, key: bytes) -> bool:
    """Whether a private key is that of a certificate. Raises ValueError for a damaged key."""
    return _public(load_pem_private_key(key, None).public_key()) == _public(leaf.public_key())


def pem_of(found: Iterable[x509.Certificate]) -> bytes:
    """Return certificates as one PEM file."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in found)


def authorities(now: datetime, *files: bytes) -> bytes:
    """Return the certificates of several PEM files as one, each once. Raises ValueError.

    An intermediate one that has lapsed is left out: OpenSSL would take it rather than its successor
    that a server sends. A root stays, so that what has ended can be told.
    """
    found = dict.fromkeys(one for file in files if file for one in _all(file))
    return pem_of(one for one in found if _is_root(one) or one.not_valid_after_utc > now)


def same(one: bytes, other: bytes) -> bool:
    """Whether two PEM files have the same certificates. Raises ValueError."""
    return set(_all(one)) == set(_all(other))


def have_ended(now: datetime, *files: bytes) -> bool:
    """Whether no authority of these files is valid any more. Raises ValueError."""
    roots = [one for file in files for one in _all(file) if _is_root(one)]
    return bool(roots) and all(one.not_valid_after_utc <= now for one in roots)


def _all(file: bytes) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(file)


def _is_root(one: x509.Certificate) -> bool:
    return one.subject == one.issuer


def _above(leaf: x509.Certificate, found: list[x509.Certificate]) -> Iterable[x509.Certificate]:
    """Yield the intermediate certificates; the one that signs itself is known to all sides."""
    child, left = leaf, [one for one in found if one != leaf]
    while parent := next((one for one in left if is_issued_by(child, one)), None):
        left.remove(parent)
        if parent.subject == parent.issuer:
            return
        yield parent
        child = parent


def _public(key: object) -> bytes:
    encode = getattr(key, "public_bytes")  # noqa: B009 - a union of key types
    made: bytes = encode(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return made
