"""TLS to the broker: at least 1.2, its name checked, our certificate shown; and what failed."""

import ssl

from hub.core.events import LinkTrouble


def context(ca: str, cert: str, key: str) -> ssl.SSLContext:
    """Build the context of one dial from files, so that renewed ones are used; raise `OSError`."""
    made = ssl.create_default_context(cafile=ca or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert:
        made.load_cert_chain(cert, key or None)
    return made


def trouble_of(error: OSError | ValueError) -> LinkTrouble:
    """Name why a dial failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY.get(error.verify_code, LinkTrouble.CERTIFICATE_UNKNOWN)
    if isinstance(error, TimeoutError):
        return LinkTrouble.TIMEOUT
    return LinkTrouble.TLS if isinstance(error, ssl.SSLError | ValueError) else _UNREACHABLE


_UNREACHABLE = LinkTrouble.UNREACHABLE
_VERIFY = {  # OpenSSL's X509_V_ERR_* numbers
    9: LinkTrouble.CERTIFICATE_NOT_YET_VALID,
    10: LinkTrouble.CERTIFICATE_EXPIRED,
    62: LinkTrouble.CERTIFICATE_WRONG_NAME,
    64: LinkTrouble.CERTIFICATE_WRONG_NAME,
}
