"""The list of revoked certificates (RFC 5280), as PEM."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from center.authority.signing import Authority

VALID = timedelta(days=60)  # a centre that is down for less locks nobody out


def list_of(by: Authority, revoked: Iterable[tuple[str, float]], now_utc: float) -> bytes:
    """Return the list of these (serial as hex, UTC seconds of the revocation)."""
    now = datetime.fromtimestamp(now_utc, UTC)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.pair.certificate.subject)
        .last_update(now - timedelta(days=1))
        .next_update(now + VALID)
        .add_extension(x509.CRLNumber(int(now_utc)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.pair.key.public_key()),
            critical=False,
        )
    )
    for serial, utc in revoked:
        one = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
        made = made.add_revoked_certificate(
            one.revocation_date(datetime.fromtimestamp(utc, UTC)).build()
        )
    return made.sign(by.pair.key, SHA256()).public_bytes(Encoding.PEM)
