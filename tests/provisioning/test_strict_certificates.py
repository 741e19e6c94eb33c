"""Python 3.13 checks certificates as RFC 5280 asks: ours pass, and what others lack is named."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from center.link import session
from hub.contract.wire import LinkTrouble
from hub.link import backoff
from hub.shared import tls
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning.certs import dev
from provisioning.certs.authority import Pair, authority
from provisioning.doctor import broker
from provisioning.findings import LinkConfig

NO_KEY_ID, EMPTY_ISSUER = 85, 83


def shake(folder: Path) -> None:
    """Do a TLS handshake of a strict client, as in Python 3.13, with the broker of `folder`."""
    client = tls.context(str(folder / "ca.crt"), "", "")
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "broker.crt", folder / "broker.key")
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(down, up, server_hostname="localhost"),
        server.wrap_bio(up, down, server_side=True),
    )
    for side in sides * 3:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert sides[0].version() == "TLSv1.3"


def without_key_id(parent: Pair) -> Pair:
    """Make a server's certificate without key identifiers, as many a county's CA does."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    builder = (
        x509.CertificateBuilder(parent.certificate.subject, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return Pair(builder.sign(parent.key, SHA256()), key)


@pytest.fixture
def refused(tmp_path: Path) -> ssl.SSLCertVerificationError:
    """What a strict client says of such a certificate."""
    parent = authority()
    dev.write(tmp_path, "ca", parent)
    dev.write(tmp_path, "broker", without_key_id(parent))
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        shake(tmp_path)
    assert caught.value.verify_code == NO_KEY_ID
    return caught.value


def test_the_certificates_that_we_make_are_taken_by_python_3_13(tmp_path: Path) -> None:
    list(dev.ensure(tmp_path, ["js-0001"]))
    shake(tmp_path)


def test_the_hub_names_a_missing_key_identifier_and_waits_for_another_certificate(
    refused: ssl.SSLCertVerificationError,
) -> None:
    trouble = tls.trouble_of(refused)
    assert trouble is LinkTrouble.CERTIFICATE_NO_AUTHORITY_KEY
    assert trouble in backoff.REFUSALS


def test_the_center_names_it_too(refused: ssl.SSLCertVerificationError) -> None:
    said = session.trouble_of(refused)
    assert "Missing Authority Key Identifier" in said
    assert "Python 3.13" in said
    assert session.trouble_of(OSError("no route")) == "OSError: no route"


@pytest.mark.parametrize(
    ("reason", "trouble", "code"),
    [
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", LinkTrouble.CERTIFICATE_EXPIRED, "own_expired"),
        ("TLSV1_ALERT_UNKNOWN_CA", LinkTrouble.CERTIFICATE_UNKNOWN, "own_unknown"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", LinkTrouble.REFUSED, "own_missing"),
        ("SSLV3_ALERT_CERTIFICATE_REVOKED", LinkTrouble.CERTIFICATE_REVOKED, "own_refused"),
        ("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", LinkTrouble.CERTIFICATE_UNKNOWN, "own_refused"),
        ("TLSV1_ALERT_ACCESS_DENIED", LinkTrouble.REFUSED, "own_refused"),
        ("WRONG_VERSION_NUMBER", LinkTrouble.TLS, "tls"),
    ],
)
def test_hub_and_doctor_understand_the_same_alerts(
    reason: str, trouble: LinkTrouble, code: str
) -> None:
    error = ssl.SSLError(1, f"[SSL: {reason}] tlsv1 alert (_ssl.c:2580)")
    error.reason = reason
    assert tls.trouble_of(error) is trouble
    with patch.object(broker, "_connect", side_effect=error):
        assert broker.reach("tls://localhost:8883", LinkConfig(), "js-0001") == (code, reason)


def test_a_certificate_file_that_cannot_be_read_is_a_trouble_of_tls_to_everybody(
    tmp_path: Path,
) -> None:
    with pytest.raises(tls.CertificateFilesError) as caught:
        tls.context(str(tmp_path / "none.crt"), "", "")
    assert tls.trouble_of(caught.value) is LinkTrouble.TLS
    assert "No such file" in session.trouble_of(caught.value)
    with patch.object(broker, "_connect", side_effect=caught.value):
        assert broker.reach("tls://localhost:8883", LinkConfig(), "js-0001")[0] == "tls"


def test_the_doctor_names_it_too(refused: ssl.SSLCertVerificationError) -> None:
    with patch.object(broker, "_connect", side_effect=refused):
        code, _ = broker.reach("tls://localhost:8883", LinkConfig(), "js-0001")
    assert code == "server_no_authority_key"
    refused.verify_code = EMPTY_ISSUER
    with patch.object(broker, "_connect", side_effect=refused):
        assert (
            broker.reach("tls://localhost:8883", LinkConfig(), "js-0001")[0] == "server_malformed"
        )
    for language in Language:
        assert (
            "Python 3.13" in messages("provisioning", language)["doctor"][f"broker_{code}"]
            or language == "ko"
        )
    assert tls.trouble_of(refused) is LinkTrouble.CERTIFICATE_MALFORMED
