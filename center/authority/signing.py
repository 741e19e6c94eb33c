"""Signing: a request (PKCS#10) is read strictly, and becomes a certificate for a name of ours.

The name in a request is never used for the certificate: the centre says which hub it is.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.oid import NameOID
from msgspec import Struct

from provisioning.certs import authority
from provisioning.certs.authority import Pair

CURVE = "secp256r1"  # P-256
LIST_DAYS = 40  # of a revocation list; it is made anew each day
PEM_BEGINS = b"-----BEGIN"


class Unfit(StrEnum):
    """Why a request is not signed; a key of the message files."""

    NO_REQUEST = "no_request"  # neither DER nor base64 of it
    BAD_SIGNATURE = "bad_signature"  # whoever sent it does not show that the key is theirs
    WRONG_KEY = "wrong_key"  # not EC P-256


class UnfitError(ValueError):
    """A request that is not signed."""

    def __init__(self, why: Unfit) -> None:
        super().__init__(why.value)
        self.why = why


class Request(Struct, frozen=True):
    """A request that was made with its own key. `key` is the SHA-256 of the public key, as hex."""

    key: str
    name: str
    public: ec.EllipticCurvePublicKey


class Issued(Struct, frozen=True):
    """A certificate: its serial number as hex, its key as in `Request`, times in UTC seconds."""

    serial: str
    hub: str
    key: str
    begins_utc: float
    ends_utc: float
    der: bytes


class Authority(Struct, frozen=True):
    """The pair that signs, and what clients have to know: its chain, the issuing one first."""

    pair: Pair
    chain: tuple[x509.Certificate, ...]
    days: int
    server_ends_utc: float  # of the certificate of the port

    @property
    def ends_utc(self) -> float:
        """When the first certificate of the chain ends, in UTC seconds."""
        return min(one.not_valid_after_utc.timestamp() for one in self.chain)

    @property
    def cacerts(self) -> bytes:
        """The chain as PKCS#7 (DER)."""
        return pkcs7.serialize_certificates(list(self.chain), Encoding.DER)


def load(certificate: Path, key: Path, server: Path, days: int) -> Authority:
    """Return the authority of these files. Raises `OSError`, or `ValueError` for unfit content.

    `certificate` may hold a chain, the issuing one first.
    """
    text = certificate.read_bytes()
    chain = tuple(x509.load_pem_x509_certificates(text))
    own = x509.load_pem_x509_certificate(server.read_bytes())
    pair = authority.load(text, key.read_bytes())
    return Authority(pair, chain, days, own.not_valid_after_utc.timestamp())


def read(body: bytes) -> Request:
    """Return the request of a body: base64 on one line or many, PEM, or DER. Raises `UnfitError`.

    RFC 7030 says base64; clients differ in how they break it, and tools send the others.
    """
    try:
        made = x509.load_der_x509_csr(_der(body))
        public, proven = made.public_key(), made.is_signature_valid
        names = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except UnsupportedAlgorithm as error:
        raise UnfitError(Unfit.WRONG_KEY) from error
    except (ValueError, TypeError) as error:
        raise UnfitError(Unfit.NO_REQUEST) from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != CURVE:
        raise UnfitError(Unfit.WRONG_KEY)
    if not proven:
        raise UnfitError(Unfit.BAD_SIGNATURE)
    return Request(key_of(public), str(names[0].value) if names else "", public)


def sign(by: Authority, request: Request, hub: str, now_utc: float) -> Issued:
    """Return a certificate that says that the key of a request is of `hub`.

    It never outlives the authority's own.
    """
    now = datetime.fromtimestamp(now_utc, UTC)
    ends = min(now + timedelta(days=by.days), datetime.fromtimestamp(by.ends_utc, UTC))
    begins = now - authority.EARLY
    return of(authority.certify(by.pair, hub, request.public, begins=begins, ends=ends))


def revocation_list(by: Authority, serials: Mapping[str, float], now_utc: float) -> bytes:
    """Return the list (PEM) of certificates that are no longer valid: serial (hex), since when.

    It is good for `LIST_DAYS`: past its end a broker refuses everybody.
    """
    now = datetime.fromtimestamp(now_utc, UTC)
    ends = now + timedelta(days=LIST_DAYS)
    builder = x509.CertificateRevocationListBuilder(
        by.pair.certificate.subject, now - authority.EARLY, ends
    )
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.pair.key.public_key())
    builder = builder.add_extension(signer, critical=False)
    builder = builder.add_extension(x509.CRLNumber(int(now_utc)), critical=False)
    for serial, utc in sorted(serials.items()):
        one = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
        one = one.revocation_date(datetime.fromtimestamp(utc, UTC))
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign(by.pair.key, SHA256()).public_bytes(Encoding.PEM)


def of(certificate: x509.Certificate) -> Issued:
    """Return what we note of a certificate."""
    return Issued(
        f"{certificate.serial_number:x}",
        authority.common_name(certificate),
        key_of(certificate.public_key()),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
        certificate.public_bytes(Encoding.DER),
    )


def shown(der: bytes) -> Issued:
    """Return what a certificate says that a client has shown. TLS has verified who signed it."""
    return of(x509.load_der_x509_certificate(der))


def envelope(der: bytes) -> bytes:
    """Return a certificate as PKCS#7, certificates only (DER)."""
    one = x509.load_der_x509_certificate(der)
    return pkcs7.serialize_certificates([one], Encoding.DER)


def key_of(public: CertificatePublicKeyTypes) -> str:
    """Return the SHA-256 of a public key (its SubjectPublicKeyInfo), as hex."""
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(info).hexdigest()


def _der(body: bytes) -> bytes:
    text = body.strip()
    if text.startswith(PEM_BEGINS):
        text = b"".join(line for line in text.splitlines() if not line.startswith(b"-----"))
    elif not body.isascii():  # a signature is random: DER of it never is ASCII
        return body
    return base64.b64decode(b"".join(text.split()), validate=True)
