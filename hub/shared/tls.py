"""TLS to a broker: at least TLS 1.2; we check the broker's name and send our certificate.

Either side may refuse the other's certificate. We refuse the broker's during the handshake
(`flaw_of`). Under TLS 1.3 the broker refuses ours only after the handshake, with an alert
(`alert_in`).
"""

import ssl
from collections.abc import Callable
from enum import StrEnum

from hub.contract.wire import LinkTrouble

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python gives no name
UtcNow = Callable[[], float | None]  # seconds since 1970; None: nobody knows


class CertificateFilesError(ValueError):
    """The file of the CA, the certificate or the key is missing, or cannot be used."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.reason = (error.reason if isinstance(error, ssl.SSLError) else "") or str(error)


class DatesError(ValueError):
    """The broker's certificate is not valid at the time that we were told."""

    def __init__(self, flaw: "Flaw") -> None:
        super().__init__(flaw)
        self.flaw = flaw


class Flaw(StrEnum):
    """Why one side refuses the other's certificate. Codes of `anbu doctor` end in these values."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNKNOWN = "unknown"  # who signed it is unknown
    WRONG_NAME = "wrong_name"
    NO_AUTHORITY_KEY = "no_authority_key"  # Python 3.13 refuses it
    MALFORMED = "malformed"  # not as RFC 5280 asks
    REVOKED = "revoked"
    MISSING = "missing"  # no certificate was sent
    REFUSED = "refused"  # the other side does not say why
    DENIED = "denied"  # the certificate is valid, but its owner is not allowed


def context(
    ca: str, cert: str, key: str, *, inline: bool = False, utc: UtcNow | None = None
) -> ssl.SSLContext:
    """Return a TLS context for one dial. It reads the files anew, so renewed ones are used.

    `inline`: `ca` is no file, but the certificates themselves. Raises CertificateFilesError.

    `utc`: for a machine whose own clock is not right. Dates are not checked by that clock, but the
    dates of the broker's own certificate by `utc`, where it knows the time: then the handshake
    raises DatesError. Authority and name are checked as ever. Where nobody knows the time, a thief
    with the key of an expired certificate of this broker passes for the broker: no more than he
    gains by giving such a machine, by NTP, the time at which that certificate was valid.
    """
    try:
        where = {"cadata": ca} if inline else {"cafile": ca or None}
        made = ssl.create_default_context(**where)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert:
            made.load_cert_chain(cert, key or None, password="")  # nobody is there to be asked
    except OSError as error:
        raise CertificateFilesError(error) from error
    if utc is not None:
        made.verify_flags |= NO_CHECK_TIME
        made.sslsocket_class = _dated_by(utc)
    return made


def _dated_by(utc: UtcNow) -> type[ssl.SSLSocket]:
    class Dated(ssl.SSLSocket):
        """Checks the dates of who answers before anything is sent."""

        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as ssl has it
            super().do_handshake(block)
            now, peer = utc(), self.getpeercert()
            if now is None or not peer:
                return
            if now < ssl.cert_time_to_seconds(str(peer["notBefore"])):
                raise DatesError(Flaw.NOT_YET_VALID)
            if now > ssl.cert_time_to_seconds(str(peer["notAfter"])):
                raise DatesError(Flaw.EXPIRED)

    return Dated


def flaw_of(error: ssl.SSLCertVerificationError) -> Flaw:
    """Return why we refuse the broker's certificate."""
    return _VERIFY_CODES.get(error.verify_code, Flaw.UNKNOWN)


def alert_in(complaint: str) -> Flaw | None:
    """Return why the broker refuses our certificate, or None where OpenSSL's text does not say."""
    return next((flaw for words, flaw in _ALERTS.items() if words in complaint), None)


def trouble_of(error: OSError | ValueError) -> LinkTrouble:
    """Return why a dial failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _TROUBLES[flaw_of(error)]
    if isinstance(error, DatesError):
        return _TROUBLES[error.flaw]
    if isinstance(error, TimeoutError):
        return LinkTrouble.TIMEOUT
    if isinstance(error, ssl.SSLError):
        return trouble_in(str(error))
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return LinkTrouble.CLOSED  # it answered first: a server may refuse a certificate like this
    return LinkTrouble.TLS if isinstance(error, ValueError) else LinkTrouble.UNREACHABLE


def trouble_in(complaint: str) -> LinkTrouble:
    """Return why a session ended, from OpenSSL's text `[SSL: REASON] ...`, if there is one."""
    if "[SSL" not in complaint or _BROKEN_LINE in complaint:
        return LinkTrouble.CLOSED
    flaw = alert_in(complaint)
    return LinkTrouble.TLS if flaw is None else _TROUBLES[flaw]


_BROKEN_LINE = "UNEXPECTED_EOF"  # the connection broke, or the process at the other end died
_ALERTS = {  # OpenSSL's names of the alerts of RFC 8446 section 6.2
    "ALERT_CERTIFICATE_EXPIRED": Flaw.EXPIRED,
    "ALERT_UNKNOWN_CA": Flaw.UNKNOWN,
    "ALERT_CERTIFICATE_UNKNOWN": Flaw.REFUSED,
    "ALERT_BAD_CERTIFICATE": Flaw.REFUSED,
    "ALERT_UNSUPPORTED_CERTIFICATE": Flaw.REFUSED,
    "ALERT_CERTIFICATE_REVOKED": Flaw.REVOKED,
    "ALERT_CERTIFICATE_REQUIRED": Flaw.MISSING,
    "ALERT_ACCESS_DENIED": Flaw.DENIED,
}
_VERIFY_CODES = {  # OpenSSL's X509_V_ERR_* numbers; 79 to 94: what RFC 5280 asks of a certificate
    **dict.fromkeys(range(79, 95), Flaw.MALFORMED),
    85: Flaw.NO_AUTHORITY_KEY,
    9: Flaw.NOT_YET_VALID,
    10: Flaw.EXPIRED,
    62: Flaw.WRONG_NAME,
    64: Flaw.WRONG_NAME,
}
_TROUBLES = {
    Flaw.EXPIRED: LinkTrouble.CERTIFICATE_EXPIRED,
    Flaw.NOT_YET_VALID: LinkTrouble.CERTIFICATE_NOT_YET_VALID,
    Flaw.UNKNOWN: LinkTrouble.CERTIFICATE_UNKNOWN,
    Flaw.WRONG_NAME: LinkTrouble.CERTIFICATE_WRONG_NAME,
    Flaw.NO_AUTHORITY_KEY: LinkTrouble.CERTIFICATE_NO_AUTHORITY_KEY,
    Flaw.MALFORMED: LinkTrouble.CERTIFICATE_MALFORMED,
    Flaw.REVOKED: LinkTrouble.CERTIFICATE_REVOKED,
    Flaw.MISSING: LinkTrouble.REFUSED,
    Flaw.REFUSED: LinkTrouble.CERTIFICATE_UNKNOWN,
    Flaw.DENIED: LinkTrouble.REFUSED,
}
