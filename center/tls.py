"""TLS to the broker: at least 1.2, its name checked, our certificate shown."""

import ssl

from center.config import Mqtt


def context(settings: Mqtt) -> ssl.SSLContext:
    """Build the context of one dial from files, so that renewed ones are used; raise `OSError`."""
    made = ssl.create_default_context(cafile=settings.ca or None)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert:
        made.load_cert_chain(settings.cert, settings.key or None)
    return made
