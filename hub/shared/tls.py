"""TLS to the broker: at least 1.2, its name checked, our certificate shown; and what failed."""

import ssl

from hub.contract.wire import LinkTrouble


def context(ca: str, cert: str, key: str) -> ssl.SSLContext:
    """Build the context of one dial from files, so that renewed ones are used.

    Raises `ValueError` when one is missing or is not what it should be.
    """
    try:
        made = ssl.create_default_context(cafile=ca or None)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert:
            made.load_cert_chain(cert, key or None)
    except OSError as error:
        raise ValueError(str(error)) from error
    return made


def trouble_of(error: OSError | ValueError) -> LinkTrouble:
    """Name why a dial failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, LinkTrouble.CERTIFICATE_UNKNOWN)
    if isinstance(error, TimeoutError):
        return LinkTrouble.TIMEOUT
    if isinstance(error, ssl.SSLError):
        return trouble_in(str(error))
    return LinkTrouble.TLS if isinstance(error, ValueError) else _UNREACHABLE


def trouble_in(complaint: str) -> LinkTrouble:
    """Name why a session ended from what OpenSSL had to say, if it had: `[SSL: REASON] ...`.

    Under TLS 1.3 a broker refuses our certificate only after the handshake.
    """
    if "[SSL" not in complaint:
        return LinkTrouble.CLOSED
    return next((t for words, t in _ALERTS.items() if words in complaint), LinkTrouble.TLS)


_UNREACHABLE = LinkTrouble.UNREACHABLE
_ALERTS = {
    "UNEXPECTED_EOF": LinkTrouble.CLOSED,  # the line broke, or who was there died
    "ALERT_CERTIFICATE_EXPIRED": LinkTrouble.CERTIFICATE_EXPIRED,
    "ALERT_UNKNOWN_CA": LinkTrouble.CERTIFICATE_UNKNOWN,
    "ALERT_CERTIFICATE_UNKNOWN": LinkTrouble.CERTIFICATE_UNKNOWN,
    "ALERT_BAD_CERTIFICATE": LinkTrouble.CERTIFICATE_UNKNOWN,
    "ALERT_UNSUPPORTED_CERTIFICATE": LinkTrouble.CERTIFICATE_UNKNOWN,
    "ALERT_CERTIFICATE_REVOKED": LinkTrouble.CERTIFICATE_REVOKED,
    "ALERT_CERTIFICATE_REQUIRED": LinkTrouble.REFUSED,
    "ALERT_ACCESS_DENIED": LinkTrouble.REFUSED,
}
_VERIFY = {  # OpenSSL's X509_V_ERR_* numbers; 79 to 94: what RFC 5280 asks of a certificate
    **dict.fromkeys(range(79, 95), LinkTrouble.CERTIFICATE_MALFORMED),
    85: LinkTrouble.CERTIFICATE_NO_AUTHORITY_KEY,
    9: LinkTrouble.CERTIFICATE_NOT_YET_VALID,
    10: LinkTrouble.CERTIFICATE_EXPIRED,
    62: LinkTrouble.CERTIFICATE_WRONG_NAME,
    64: LinkTrouble.CERTIFICATE_WRONG_NAME,
}
