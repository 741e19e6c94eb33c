"""Checks of the hub's certificate without a broker: its name, its dates, who has signed it."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from hub.shared import tls
from hub.shared.findings import Finding, bad, good, note
from provisioning.certs.authority import common_name, is_issued_by
from provisioning.findings import HubSettings, Link

SOON_DAYS = 30


def examine(settings: HubSettings) -> Iterator[Finding]:
    """Yield a finding for every flaw of the certificate, or that it is good."""
    if not settings.mqtt.cert:
        yield note("certificate", "none")
        return
    flawless = True
    for flaw in _flaws(settings):
        flawless = False
        yield flaw
    if flawless:
        held = _load(settings)
        yield good("certificate", hub=common_name(held[0]), days=_days_left(held[0]))


def _flaws(settings: HubSettings) -> Iterator[Finding]:
    link = settings.mqtt
    try:
        held = _load(settings)
    except OSError as error:
        yield bad("certificate", "missing", file=error.filename, error=error.strerror)
        return
    except ValueError as error:
        yield bad("certificate", "unreadable", file=link.cert, error=error)
        return
    if mismatch := _mismatch(link):
        key = _key_file(settings)
        yield bad("certificate", "mismatch", file=link.cert, key=key, error=mismatch)
    yield from _dates(held[0])
    yield from _signature(held, link.ca)
    name = common_name(held[0])
    if name != settings.hub:
        yield bad("certificate", "wrong_name", name=name, hub=settings.hub)
    if stat.S_IMODE(Path(_key_file(settings)).stat().st_mode) & 0o077:
        yield note("certificate", "exposed", file=_key_file(settings))


def _dates(held: x509.Certificate) -> Iterator[Finding]:
    now = datetime.now(UTC)
    begins, ends = held.not_valid_before_utc, held.not_valid_after_utc
    if now < begins:
        yield bad("certificate", "not_yet_valid", date=f"{begins:%Y-%m-%d}")
    elif now > ends:
        yield bad("certificate", "expired", date=f"{ends:%Y-%m-%d}")
    elif _days_left(held) < SOON_DAYS:
        yield note("certificate", "expires_soon", days=_days_left(held))


def _signature(held: list[x509.Certificate], authority: str) -> Iterator[Finding]:
    """Check who has signed the first certificate; the others of its file may be intermediate."""
    if not authority:
        return
    try:
        parents = x509.load_pem_x509_certificates(Path(authority).read_bytes())
    except OSError as error:
        yield bad("certificate", "missing", file=authority, error=error.strerror)
    except ValueError as error:
        yield bad("certificate", "unreadable", file=authority, error=error)
    else:
        if not any(is_issued_by(held[0], parent) for parent in (*parents, *held[1:])):
            yield bad("certificate", "unknown_authority", file=authority)


def _load(settings: HubSettings) -> list[x509.Certificate]:
    """Return the certificates of the hub's file, its own first. Raises `OSError`, `ValueError`."""
    held = x509.load_pem_x509_certificates(Path(settings.mqtt.cert).read_bytes())
    Path(_key_file(settings)).read_bytes()  # so that a missing key is named in the error
    return held


def _mismatch(link: Link) -> str:
    """Return why OpenSSL refuses certificate and key, which it loads as the hub does; or empty."""
    try:
        tls.context("", link.cert, link.key)
    except tls.CertificateFilesError as error:
        return error.reason
    return ""


def _key_file(settings: HubSettings) -> str:
    return settings.mqtt.key or settings.mqtt.cert


def _days_left(held: x509.Certificate) -> int:
    return (held.not_valid_after_utc - datetime.now(UTC)).days
