"""A small certificate authority: EC P-256, one certificate per hub with the hub id as its CN.

For development, tests and a county's pilot; a county that has a CA of its own uses that.
"""

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

AUTHORITY_DAYS = 20 * 365
LEAF_DAYS = 365
EARLY = timedelta(days=1)  # a Pi without a clock battery may start with a time in the past


class Pair(Struct, frozen=True):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def certificate_pem(self) -> bytes:
        """Return the certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self) -> bytes:
        """Return the key as unencrypted PKCS#8 PEM: to be kept in a file of mode 0600."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def load(certificate: bytes, key: bytes) -> Pair:
    """Return the pair of two PEM texts; raise `ValueError` when they do not make one."""
    private = load_pem_private_key(key, None)
    leaf = x509.load_pem_x509_certificate(certificate)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        message = "the key is not an elliptic curve key"
        raise ValueError(message)  # noqa: TRY004 - the file's content is wrong, not our types
    if private.public_key() != leaf.public_key():
        message = "the key does not belong to the certificate"
        raise ValueError(message)
    return Pair(leaf, private)


def authority(name: str = "Anbu development CA") -> Pair:
    """Return a new self-signed authority, valid for 20 years."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    ends = now + timedelta(days=AUTHORITY_DAYS)
    builder = _builder(name, _x509_name(name), key.public_key(), now - EARLY, ends)
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    builder = builder.add_extension(constraints, critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Pair(builder.sign(key, SHA256()), key)


def issue(
    parent: Pair,
    name: str,
    *,
    hosts: tuple[str, ...] = (),
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Pair:
    """Return a certificate for `name`, with a new key: a server's when it has `hosts`.

    It is valid from yesterday for one year, unless `begins` and `ends` say otherwise.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    made = certify(parent, name, key.public_key(), hosts=hosts, begins=begins, ends=ends)
    return Pair(made, key)


def certify(
    parent: Pair,
    name: str,
    key: ec.EllipticCurvePublicKey,
    *,
    hosts: tuple[str, ...] = (),
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> x509.Certificate:
    """Return a certificate that says that `key`, made elsewhere, is of `name`; as `issue`."""
    now = datetime.now(UTC)
    begins, ends = begins or now - EARLY, ends or now + timedelta(days=LEAF_DAYS)
    builder = _builder(name, parent.certificate.subject, key, begins, ends)
    constraints = x509.BasicConstraints(ca=False, path_length=None)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.key.public_key())
    builder = builder.add_extension(constraints, critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    builder = builder.add_extension(signer, critical=False)
    if hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(parent.key, SHA256())


def common_name(certificate: x509.Certificate) -> str:
    """Return the certificate's CN, empty where it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def hosts_of(certificate: x509.Certificate) -> set[str]:
    """Return the host names and addresses of a server's certificate."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names.value}


def is_issued_by(certificate: x509.Certificate, parent: x509.Certificate) -> bool:
    """Whether `parent` has signed `certificate`."""
    try:
        certificate.verify_directly_issued_by(parent)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _builder(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    return (
        x509.CertificateBuilder()
        .subject_name(_x509_name(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(own, critical=False)
    )


def _x509_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
