"""One attempt to reach a broker, without paho: TCP, TLS, CONNECT; and why it failed, if it did.

Under TLS 1.3 a broker refuses a certificate after the client's part of the handshake. If the client
writes then, the connection is reset and the reason lost: so the doctor reads a moment before
CONNECT.

A broker has one session for each name: a CONNECT with the hub's certificate would end the session
of a running hub. Where a hub may be running, CONNECT asks for a version of MQTT that does not
exist: each broker refuses it (CONNACK 0x01, MQTT 3.1.1 section 3.1.2.2) and touches no session.
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
from hub.shared.language import Language
from hub.shared.messages import messages
from provisioning.doctor.running import Running, look
from provisioning.findings import HubConfig, LinkConfig

PATIENCE_S = 5.0
REFUSAL_S = 0.5
CONNACK = 0x20
LEVELS = {"5": 5, "3.1.1": 4}
NO_LEVEL = 99
WRONG_LEVEL = {0x01, 0x84}  # "unsupported protocol version" of MQTT 3.1.1, and of MQTT 5
NAMED = {tls.Flaw.EXPIRED, tls.Flaw.UNKNOWN, tls.Flaw.MISSING}  # flaws of our own certificate


def examine(
    config: HubConfig, *, ours: bool = True, running: Running | None = None
) -> Iterator[Finding]:
    """Yield one finding per broker address; a running hub keeps its session.

    `ours`: the certificate was made on this board. Else the hub of that name runs elsewhere.
    `running`: what was seen of a hub here; None: this looks itself.
    """
    if not config.mqtt.brokers:
        yield bad("broker", "none") if config.enrolled else note("broker", "none")
    running = running or look(config)
    level = NO_LEVEL if running.may or not ours else LEVELS.get(config.mqtt.protocol, 5)
    for address in config.mqtt.brokers:
        begin = time.perf_counter()
        code, detail = reach(address, config.mqtt, config.hub, level)
        ms = f"{(time.perf_counter() - begin) * 1000:.0f}"
        if code != "good":
            yield bad("broker", code, address=address, detail=detail)
        elif not ours:
            yield note("broker", "foreign", ms=ms, address=address)
        elif not running.may:
            yield good("broker", ms=ms, address=address)
        else:
            yield _beside(running, address, ms)


def _beside(running: Running, address: str, ms: str) -> Finding:
    """Return a finding on a broker that answers, with what the running hub says of its link."""
    if running.word is None:
        return note("broker", "answers", address=address, ms=ms)
    if running.word.broker == address:
        return good("broker", "in_use", address=address, ms=ms)
    if running.word.broker:
        return good("broker", "in_reserve", address=address, ms=ms, used=running.word.broker)
    trouble = running.word.trouble or "none"
    said = {
        str(language): messages("provisioning", language, "doctor")["link"].get(trouble, trouble)
        for language in Language
    }
    return bad("broker", "hub_offline", address=address, ms=ms, trouble=trouble, **said)


def reach(address: str, link: LinkConfig, hub: str, level: int = NO_LEVEL) -> tuple[str, str]:
    """Return the result of an attempt (`good`, or the code of a sentence) and a detail.

    `level` is the version that CONNECT asks for; `NO_LEVEL` only finds out if a broker answers.
    """
    try:
        refusal = _connect(address, link, hub, level)
    except ssl.SSLCertVerificationError as error:
        return f"server_{tls.flaw_of(error)}", error.verify_message
    except ssl.SSLError as error:
        return _alert(error.reason or ""), error.reason or ""
    except tls.CertificateFilesError as error:
        return "tls", error.reason
    except TimeoutError:
        return "timeout", f"{PATIENCE_S:.0f}"
    except socket.gaierror as error:
        return "unresolved", str(error.strerror)
    except ConnectionResetError:
        return "hung_up", ""
    except (OSError, ValueError, struct.error) as error:
        return "unreachable", str(error)
    fine = refusal == 0 or (level == NO_LEVEL and refusal in WRONG_LEVEL)
    return ("good", "") if fine else ("not_welcome", f"0x{refusal:02x}")


def _connect(address: str, link: LinkConfig, hub: str, level: int) -> int:
    broker = addresses.broker(address)
    with socket.create_connection((broker.host, broker.port), PATIENCE_S) as raw:
        if not broker.tls:
            return _greet(raw, hub, level)
        context = tls.context(link.ca, link.cert, link.key)
        with context.wrap_socket(raw, server_hostname=broker.host) as wrapped:
            _await_refusal(wrapped)
            return _greet(wrapped, hub, level)


def _await_refusal(line: ssl.SSLSocket) -> None:
    line.settimeout(REFUSAL_S)
    with suppress(TimeoutError):
        if not line.recv(1):
            raise ConnectionResetError
    line.settimeout(PATIENCE_S)


def _greet(line: socket.socket, hub: str, level: int) -> int:
    """Send CONNECT and return the reason code of the CONNACK."""
    name, properties = hub.encode(), b"\0" if level == LEVELS["5"] else b""
    body = struct.pack(">H4sBBH", 4, b"MQTT", level, 2, 30) + properties
    body += struct.pack(">H", len(name)) + name
    line.sendall(struct.pack("BB", 0x10, len(body)) + body)
    answer = line.recv(64)
    if not answer:
        raise ConnectionResetError
    if answer[0] != CONNACK:
        message = "no MQTT broker answers here"
        raise ValueError(message)
    if answer[3] == 0:
        line.sendall(b"\xe0\x00")
    return answer[3]


def _alert(reason: str) -> str:
    flaw = tls.alert_in(reason)
    if flaw is None:
        return "tls"
    return f"own_{flaw}" if flaw in NAMED else "own_refused"
