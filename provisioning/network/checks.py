"""Whether the centre is behind this network, step by step, and how far our clock is from its own.

    name -> address (DNS) -> TLS, with the centre's authority -> GET /hub/time
                              '- fails: who answers on port 80? a portal answers for any address

No certificate of ours is sent: this is no session, and it throws nobody off.
"""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from secrets import token_hex
from time import time
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from hub.contract.provision import NetworkTrouble
from hub.shared.tls import CertificateFilesError, Flaw, context, flaw_of

log = logging.getLogger(__name__)
STEP_S = 8.0  # for each step: a slow LTE router needs 3 to 5 s for its first connection
ANSWER_BYTES = 16384
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL
HTTPS, HTTP = 443, 80
MOVED, ERRORS, LOGIN_REQUIRED = 300, 400, 511  # statuses of HTTP; 511: RFC 6585
TIME_PATH = "/hub/time"
RESOLVER_BROKEN = {socket.EAI_AGAIN, socket.EAI_FAIL}  # no answer; others: there is no such name


class Center(Struct, frozen=True):
    """Where the centre's authority is. `ca`: file of the certificate that it is checked against."""

    host: str
    port: int
    ca: str

    @classmethod
    def at(cls, url: str, ca: str) -> "Center":
        """Return the centre at an address such as `https://HOST:8444`. Raises ValueError."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or HTTPS, ca)


class Way(Struct, frozen=True):
    """What the check found. `ahead_s`: of our clock to the centre's, where it was told."""

    trouble: NetworkTrouble | None = None
    ahead_s: float | None = None


class _FoundError(Exception):
    def __init__(self, trouble: NetworkTrouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class _Told(Struct, frozen=True):
    utc: float


_told: msgspec.json.Decoder[_Told] = msgspec.json.Decoder(_Told)


async def check(center: Center, portal_port: int = HTTP) -> Way:
    """Check the way to the centre. It takes at most three steps of `STEP_S`."""
    try:
        await _resolve(center.host)
        return Way(None, await _ahead(center, _context(center)))
    except _FoundError as found:
        trouble = found.trouble
    except ssl.SSLCertVerificationError as error:
        if flaw_of(error) in {Flaw.NOT_YET_VALID, Flaw.EXPIRED}:
            return await _out_of_date(center)
        trouble = NetworkTrouble.WRONG_CENTER
    except ssl.SSLError:
        trouble = NetworkTrouble.WRONG_CENTER  # something answers that speaks no TLS of ours
    except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
        log.info("%s:%d: %r", center.host, center.port, error)
        trouble = NetworkTrouble.CENTER_UNREACHABLE
    portal = trouble is not NetworkTrouble.NO_DNS and await _is_portal(center.host, portal_port)
    return Way(NetworkTrouble.CAPTIVE_PORTAL if portal else trouble)


async def _resolve(host: str) -> None:
    with suppress(ValueError):
        ip_address(host)
        return
    try:
        async with asyncio.timeout(STEP_S):
            await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError as error:
        raise _FoundError(NetworkTrouble.NO_DNS) from error
    except socket.gaierror as error:
        broken = error.errno in RESOLVER_BROKEN
        trouble = NetworkTrouble.NO_DNS if broken else NetworkTrouble.WRONG_CENTER
        raise _FoundError(trouble) from error


def _context(center: Center) -> ssl.SSLContext:
    try:
        return context(center.ca, "", "")
    except CertificateFilesError as error:
        log.warning("%s: %s", center.ca, error)
        raise _FoundError(NetworkTrouble.WRONG_CENTER) from error


async def _out_of_date(center: Center) -> Way:
    """Tell a wrong clock here from a centre whose certificate has really lapsed.

    The same authority has to have signed it; only the dates are left aside, and only to read the
    time. What is then sent to it is nothing.
    """
    lenient = _context(center)
    lenient.verify_flags |= NO_CHECK_TIME
    try:
        ahead_s = await _ahead(center, lenient)
    except (OSError, EOFError, ValueError) as error:
        log.info("%s: %r", center.host, error)
        return Way(NetworkTrouble.WRONG_CENTER)
    wrong = ahead_s is None or abs(ahead_s) > HOUR_S
    return Way(NetworkTrouble.NO_TIME if wrong else NetworkTrouble.WRONG_CENTER, ahead_s)


HOUR_S = 3600.0  # a clock less wrong makes no certificate of 90 days invalid


async def _ahead(center: Center, tls: ssl.SSLContext) -> float | None:
    """Ask the centre for its time. Raises OSError, EOFError, ValueError."""
    async with asyncio.timeout(STEP_S):
        reader, writer = await asyncio.open_connection(
            center.host, center.port, ssl=tls, limit=ANSWER_BYTES
        )
        try:
            begun = time()
            await _ask(writer, center.host, TIME_PATH)
            head = _headers(await _head(reader))
            ours = (begun + time()) / 2
            return _clock(head, await reader.read(ANSWER_BYTES), ours)
        finally:
            writer.transport.abort()  # a goodbye by TLS may outlast a command's loop


def _clock(head: dict[str, str], body: bytes, ours: float) -> float | None:
    """Return how far our clock is ahead.

    Another authority than our centre has no `/hub/time`; the header `Date` of its answer has whole
    seconds: half a second later is meant.
    """
    try:
        return round(ours - _told.decode(body).utc, 3)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        there = parsedate_to_datetime(head["date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None
    return round(ours - there.timestamp() - 0.5, 3)


async def _is_portal(host: str, port: int) -> bool:
    """Whether somebody intercepts HTTP: a portal answers for any address and any path.

    A web server of the centre's own knows nothing of this path, or sends to its own name.
    """
    try:
        async with asyncio.timeout(STEP_S):
            reader, writer = await asyncio.open_connection(host, port, limit=ANSWER_BYTES)
            try:
                await _ask(writer, host, f"/anbu-{token_hex(8)}")
                raw = await _head(reader)
            finally:
                writer.close()
        status, head = int(raw.split(maxsplit=2)[1]), _headers(raw)
        elsewhere = urlsplit(head.get("location", "")).hostname not in {None, host}
    except (OSError, EOFError, ValueError, IndexError):
        return False
    if MOVED <= status < ERRORS:
        return elsewhere
    return status < MOVED or status == LOGIN_REQUIRED


async def _ask(writer: asyncio.StreamWriter, host: str, path: str) -> None:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """Raises OSError, EOFError, and ValueError where it is too long."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise ValueError(str(error)) from error


def _headers(raw: bytes) -> dict[str, str]:
    lines = raw.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
