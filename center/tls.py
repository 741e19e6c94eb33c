"""TLS to the broker: at least 1.2, its name checked, our certificate shown."""

import ssl

from center.config import Mqtt

STRICT = range(79, 95)  # OpenSSL's X509_V_ERR_* numbers of what RFC 5280 asks of a certificate


def context(settings: Mqtt) -> ssl.SSLContext:
    """Build the context of one dial from files, so that renewed ones are used; raise `OSError`."""
    made = ssl.create_default_context(cafile=settings.ca or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert:
        made.load_cert_chain(settings.cert, settings.key or None)
    return made


def trouble_of(error: OSError | ValueError) -> str:
    """Say why a dial failed, for the log and the health page."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"{type(error).__name__}: {error}"
    flaw = error.verify_message
    if error.verify_code in STRICT:  # the signer is known, and yet Python 3.13 refuses it
        flaw = f"{flaw} (RFC 5280, which Python 3.13 asks for: have it issued again)"
    return f"the broker's certificate: {flaw}"
