"""Checks whether each broker can be reached (TCP, TLS, CONNECT), and says why not.

It uses plain sockets. Under TLS 1.3 a broker refuses our certificate after our side of the
handshake is done. Whatever we then send resets the connection, and the reason is lost: so we wait
`REFUSAL_S` for a refusal before CONNECT.

A broker gives one session to each name, so a CONNECT with the hub's certificate would end the
session of a hub that runs. Where one may run, CONNECT asks for a version of MQTT that does not
exist: every broker refuses it (CONNACK 0x01, MQTT 3.1.1 section 3.1.2.2), and no session ends.
"""

import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

from hub.contract import addresses
from hub.shared import tls
from hub.shared.findings import Finding, bad, good, note
from provisioning.doctor.running import Running, find_running
from provisioning.findings import HubSettings, Link

PATIENCE_S = 5.0
REFUSAL_S = 0.5
CONNACK = 0x20
LEVELS = {"5": 5, "3.1.1": 4}
NO_LEVEL = 99
WRONG_LEVEL = {0x01, 0x84}  # "unsupported protocol version" of MQTT 3.1.1, and of MQTT 5
NAMED = {tls.Flaw.EXPIRED, tls.Flaw.UNKNOWN, tls.Flaw.MISSING}  # flaws of our own certificate


def examine(settings: HubSettings) -> Iterator[Finding]:
    """Yield one finding per broker address. A hub that runs keeps its session."""
    if not settings.mqtt.brokers:
        yield note("broker", "none")
    running = find_running(settings)
    level = NO_LEVEL if running.may else LEVELS.get(settings.mqtt.protocol, 5)
    for address in settings.mqtt.brokers:
        begin = time.perf_counter()
        code, detail = reach(address, settings.mqtt, settings.hub, level)
        ms = f"{(time.perf_counter() - begin) * 1000:.0f}"
        if code != "good":
            yield bad("broker", code, address=address, detail=detail)
        elif not running.may:
            yield good("broker", ms=ms, address=address)
        else:
            yield _beside(running, address, ms)


def _beside(running: Running, address: str, ms: str) -> Finding:
    """Return the finding for a broker that answers while a hub runs, by what the hub reports."""
    link = running.link
    if link is None:
        return note("broker", "answers", address=address, ms=ms)
    if link.broker == address:
        return good("broker", "in_use", address=address, ms=ms)
    if link.broker:
        return good("broker", "in_reserve", address=address, ms=ms, used=link.broker)
    return bad("broker", "hub_offline", address=address, ms=ms, trouble=link.trouble or "-")


def reach(address: str, link: Link, hub: str, level: int = NO_LEVEL) -> tuple[str, str]:
    """Try to reach a broker; return `good` or the code of a finding, and a detail.

    `level` is the MQTT version that CONNECT asks for. `NO_LEVEL` only checks that a broker answers.
    """
    try:
        refusal = _connect(address, link, hub, level)
    except ssl.SSLCertVerificationError as error:
        return f"server_{tls.flaw_of(error)}", error.verify_message
    except ssl.SSLError as error:
        return _alert(error.reason or ""), error.reason or ""
    except tls.CertificateFilesError as error:
        return "tls", str(error)
    except TimeoutError:
        return "timeout", f"{PATIENCE_S:.0f}"
    except socket.gaierror as error:
        return "unresolved", str(error.strerror)
    except ConnectionResetError:
        return "hung_up", ""
    except (OSError, ValueError, struct.error) as error:
        return "unreachable", str(error)
    answered = refusal == 0 or (level == NO_LEVEL and refusal in WRONG_LEVEL)
    return ("good", "") if answered else ("not_welcome", f"0x{refusal:02x}")


def _connect(address: str, link: Link, hub: str, level: int) -> int:
    broker = addresses.broker(address)
    with socket.create_connection((broker.host, broker.port), PATIENCE_S) as raw:
        if not broker.tls:
            return _send_connect(raw, hub, level)
        context = tls.context(link.ca, link.cert, link.key)
        with context.wrap_socket(raw, server_hostname=broker.host) as wrapped:
            _await_refusal(wrapped)
            return _send_connect(wrapped, hub, level)


def _await_refusal(sock: ssl.SSLSocket) -> None:
    sock.settimeout(REFUSAL_S)
    with suppress(TimeoutError):
        if not sock.recv(1):
            raise ConnectionResetError
    sock.settimeout(PATIENCE_S)


def _send_connect(sock: socket.socket, hub: str, level: int) -> int:
    """Send CONNECT and return the reason code of the CONNACK. Raises OSError and ValueError."""
    name, properties = hub.encode(), b"\0" if level == LEVELS["5"] else b""
    body = struct.pack(">H4sBBH", 4, b"MQTT", level, 2, 30) + properties
    body += struct.pack(">H", len(name)) + name
    sock.sendall(struct.pack("BB", 0x10, len(body)) + body)
    answer = sock.recv(64)
    if not answer:
        raise ConnectionResetError
    if answer[0] != CONNACK:
        message = "no MQTT broker answers here"
        raise ValueError(message)
    if answer[3] == 0:
        sock.sendall(b"\xe0\x00")  # DISCONNECT
    return answer[3]


def _alert(reason: str) -> str:
    flaw = tls.alert_in(reason)
    if flaw is None:
        return "tls"
    return f"own_{flaw}" if flaw in NAMED else "own_refused"
