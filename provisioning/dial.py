"""One try to reach a broker, by hand: TCP, TLS, CONNECT; and why it failed, if it did.

Under TLS 1.3 a broker refuses our certificate after our side of the handshake is done, and what we
write then resets the line and loses the reason: so listen a moment before CONNECT. The client id
is not the hub's, so as not to take the place of a hub that runs.
"""

import re
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from provisioning.findings import Finding, Link, Patient, bad, good, note

PATIENCE_S = 5.0
REFUSAL_S = 0.5
CONNACK = 0x20
USUAL_PORT = {"tls": 8883, "tcp": 1883}
SERVER_FLAWS = {  # OpenSSL's X509_V_ERR_* numbers; 79 to 94: what RFC 5280 asks of a certificate
    **dict.fromkeys(range(79, 95), "server_malformed"),
    85: "server_no_authority_key",
    9: "server_not_yet_valid",
    10: "server_expired",
    62: "server_wrong_name",
    64: "server_wrong_name",
}
ALERTS = {  # what a broker may say of our certificate
    "CERTIFICATE_EXPIRED": "own_expired",
    "UNKNOWN_CA": "own_unknown",
    "CERTIFICATE_REQUIRED": "own_missing",
    "ALERT_BAD_CERTIFICATE": "own_refused",
    "CERTIFICATE_UNKNOWN": "own_refused",
    "CERTIFICATE_REVOKED": "own_refused",
    "ACCESS_DENIED": "own_refused",
}


def examine(patient: Patient) -> Iterator[Finding]:
    """Give one finding per broker address."""
    if not patient.mqtt.brokers:
        yield note("broker", "none")
    for address in patient.mqtt.brokers:
        begin = time.perf_counter()
        code, detail = reach(address, patient.mqtt, f"{patient.hub}-doctor")
        told = {"address": address, "detail": detail}
        if code == "good":
            yield good("broker", ms=f"{(time.perf_counter() - begin) * 1000:.0f}", **told)
        else:
            yield bad("broker", code, **told)


def reach(address: str, link: Link, client_id: str) -> tuple[str, str]:
    """Give what came of a try (`good`, or the code of a sentence) and a detail."""
    try:
        refusal = _connect(address, link, client_id)
    except ssl.SSLCertVerificationError as error:
        return SERVER_FLAWS.get(error.verify_code, "server_unknown"), error.verify_message
    except ssl.SSLError as error:
        return _alert(error.reason or ""), error.reason or ""
    except TimeoutError:
        return "timeout", f"{PATIENCE_S:.0f}"
    except socket.gaierror as error:
        return "unresolved", str(error.strerror)
    except ConnectionResetError:
        return "hung_up", ""
    except (OSError, ValueError, struct.error) as error:
        return "unreachable", str(error)
    return ("good", "") if refusal == 0 else ("not_welcome", f"0x{refusal:02x}")


def _connect(address: str, link: Link, client_id: str) -> int:
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or USUAL_PORT.get(parts.scheme, 0)
    with socket.create_connection((host, port), PATIENCE_S) as raw:
        if parts.scheme == "tcp":
            return _greet(raw, client_id)
        with _context(link).wrap_socket(raw, server_hostname=host) as wrapped:
            _await_refusal(wrapped)
            return _greet(wrapped, client_id)


def _context(link: Link) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=link.ca or None)
    if link.cert:
        context.load_cert_chain(link.cert, link.key or None)
    return context


def _await_refusal(line: ssl.SSLSocket) -> None:
    line.settimeout(REFUSAL_S)
    with suppress(TimeoutError):
        if not line.recv(1):
            raise ConnectionResetError
    line.settimeout(PATIENCE_S)


def _greet(line: socket.socket, client_id: str) -> int:
    """Say CONNECT in MQTT 5 and give the reason code of the CONNACK."""
    name = client_id.encode()
    body = struct.pack(">H4sBBHBH", 4, b"MQTT", 5, 2, 30, 0, len(name)) + name
    line.sendall(struct.pack("BB", 0x10, len(body)) + body)
    answer = line.recv(64)
    if not answer:
        raise ConnectionResetError
    if answer[0] != CONNACK:
        message = "no MQTT 5 broker answers here"
        raise ValueError(message)
    line.sendall(b"\xe0\x00")
    return answer[3]


def _alert(reason: str) -> str:
    found = (code for alert, code in ALERTS.items() if re.search(alert, reason))
    return next(found, "tls")
