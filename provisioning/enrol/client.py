"""A client of an EST server (RFC 7030), the centre's own or a county's: blocking HTTPS.

    cacerts          the authority's certificates
    simpleenroll     a request; 202 while nobody has typed the digits, 200 with the certificate
    simplereenroll   the same with the present certificate in the TLS handshake

The server is known by the county's authority and its host name, never by the system's authorities.
"""

import base64
import email.utils
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import requests
from cryptography import x509
from msgspec import Struct
from requests.adapters import HTTPAdapter

from hub.contract.provision import Digits
from hub.shared import tls
from hub.shared.system import clock_synced
from provisioning.enrol import keys
from provisioning.enrol.keys import ForeignCertificateError, Issued
from provisioning.enrol.troubles import EnrolError, EnrolTrouble, trouble_of

PATH = "/.well-known/est"
CONNECT_S, READ_S = 5.0, 15.0
LONGEST_BODY = 262_144  # bytes; a chain of certificates has some thousand
POLL_S, SOONEST_S, LATEST_S = 5.0, 1.0, 3600.0
OK, ACCEPTED, NO_CONTENT, NOT_FOUND = 200, 202, 204, 404
NOT_OFFERED = {NOT_FOUND, 405, 501}  # of another EST server
BACKUP, REASON, NO_BACKUP = "/hub/backup", "Anbu-Reason", "no_backup"  # as `center.api.est`
REFUSALS = {EnrolTrouble.REVOKED.value, "not_ours"}  # which `/hub/time` says of a certificate
PKCS10 = "application/pkcs10"
T = TypeVar("T")
BUSY = {408, 425, 429, 500, 502, 503, 504}


class Waiting(Struct, frozen=True):
    """Nobody has typed the digits yet. A server that is not the centre's own gives none."""

    digits: Digits = ""
    valid_s: float = 900.0
    after_s: float = POLL_S


class _Body(Struct, frozen=True):
    digits: Digits = ""
    valid_s: float = 900.0


class Client:
    """One conversation with one server, which one of `authorities` has to have signed.

    `own`: files of the present certificate and its key.

    `synced` says whether the hub's clock is right; while it is not, the server's certificate is
    checked at the server's own time.
    """

    def __init__(
        self,
        url: str,
        authorities: Sequence[Path],
        own: tuple[str, str] | None = None,
        synced: Callable[[], bool] = clock_synced,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._known = url.rstrip("/"), [str(one) for one in authorities]
        self._utc, self._ended = utc, False
        self._adapter = _Adapter(self._context(own, checks_time=synced()))
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, and no other authorities
        self._session.mount("https://", self._adapter)
        self.utc: float | None = None  # the server's time at its last answer
        self.refusal: EnrolError | None = None  # of the certificate of this session, by `clock`
        self.ahead_s: float | None = None  # by how much this machine's clock is ahead of it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._session.close()

    def authorities(self) -> bytes:
        """Return the authority's certificates as PEM. Raises EnrolError."""
        answer = self._ask("GET", f"{PATH}/cacerts")
        self._succeeded(answer, OK)
        return self._read(lambda: keys.pem_of(keys.certificates(answer.content)))

    def enrol(self, request: bytes, key: bytes, *, again: bool = False) -> Issued | Waiting:
        """Post a request (DER) for `key`; `again`: it renews the certificate of this session.

        Raises EnrolError.
        """
        verb = "simplereenroll" if again else "simpleenroll"
        answer = self._ask("POST", f"{PATH}/{verb}", base64.b64encode(request))
        if answer.status_code == ACCEPTED:
            return self._waiting(answer)
        self._succeeded(answer, OK)
        return self._read(lambda: keys.answered(answer.content, key))

    def clock(self) -> float:
        """Return the server's time in UTC: of `/hub/time`, or of an answer's date.

        Raises EnrolError.
        """
        answer = self._ask("GET", "/hub/time")
        reason = _reason(answer)
        self.refusal = _refused(reason) if reason in REFUSALS else None
        if self.utc is None:
            raise EnrolError(EnrolTrouble.UNREADABLE, f"{answer.status_code}, no date")
        return self.utc

    def backup(self) -> bytes | None:
        """Return what the hub of this home left last; empty: nothing; None: nothing is kept here.

        Raises EnrolError.
        """
        answer = self._ask("GET", BACKUP)
        if answer.status_code == NOT_FOUND and not _is_page(answer):
            return b"" if answer.headers.get(REASON) == NO_BACKUP else None
        self._succeeded(answer, OK)
        return answer.content

    def keep(self, body: bytes) -> bool:
        """Leave what a replacement needs; False: nothing is kept here. Raises EnrolError."""
        answer = self._ask("PUT", BACKUP, body, kind="application/octet-stream")
        if answer.status_code in NOT_OFFERED and not _is_page(answer):
            return False
        self._succeeded(answer, NO_CONTENT)
        return True

    def _ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = PKCS10
    ) -> requests.Response:
        headers = {"Accept": "*/*"}
        if body is not None:
            headers["Content-Type"] = kind
            if kind == PKCS10:
                headers["Content-Transfer-Encoding"] = "base64"
        sent_at = self._utc()
        try:
            answer = self._session.request(
                method,
                self._url + path,
                data=body,
                headers=headers,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
            )
            answer._content = answer.raw.read(LONGEST_BODY, decode_content=True)  # noqa: SLF001
        except (requests.RequestException, OSError) as error:
            raise EnrolError(self._trouble(error), str(error)[:200]) from error
        self._learn_time(answer, (sent_at + self._utc()) / 2)
        return answer

    def _learn_time(self, answer: requests.Response, at: float) -> None:
        """Note the server's time; its certificate has to be valid then."""
        self.utc = _utc_of(answer)
        self.ahead_s = None if self.utc is None else at - self.utc
        if self.utc is None or not self._adapter.peer:
            return
        peer = x509.load_der_x509_certificate(self._adapter.peer)
        begins, ends = peer.not_valid_before_utc, peer.not_valid_after_utc
        if not begins.timestamp() <= self.utc <= ends.timestamp():
            raise EnrolError(EnrolTrouble.CENTER_EXPIRED, str(peer.not_valid_after_utc))

    def _succeeded(self, answer: requests.Response, *wanted: int) -> None:
        code, after_s = answer.status_code, _after_s(answer)
        if code in wanted and not _is_page(answer):
            return
        if code in BUSY:
            raise EnrolError(EnrolTrouble.BUSY, str(code), after_s)
        if answer.is_redirect or (code in wanted and _is_page(answer)):
            raise EnrolError(EnrolTrouble.PORTAL, str(code))
        said = "" if _is_page(answer) else answer.content[:160].decode(errors="replace").strip()
        raise _refused(_reason(answer), f"{code} {said}".strip(), after_s)

    def _waiting(self, answer: requests.Response) -> Waiting:
        """Return the digits; a server that is not the centre's may answer with any text."""
        after_s = max(_after_s(answer), SOONEST_S) if "Retry-After" in answer.headers else POLL_S
        try:
            body = msgspec.json.decode(answer.content, type=_Body)
        except msgspec.DecodeError:
            body = _Body()
        return Waiting(body.digits, body.valid_s, after_s)

    def _read(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except ForeignCertificateError as error:
            unreadable = not str(error).isdecimal()
            trouble = EnrolTrouble.UNREADABLE if unreadable else EnrolTrouble.OTHER_KEY
            raise EnrolError(trouble, str(error)[:200]) from error

    def _context(self, own: tuple[str, str] | None, *, checks_time: bool) -> ssl.SSLContext:
        try:
            files = [Path(one).read_bytes() for one in self._known]
            known = keys.authorities(self._now(), *files).decode()
            context = tls.context(known, *(own or ("", "")), inline=True)
        except (OSError, ValueError) as error:
            why = error.reason if isinstance(error, tls.CertificateFilesError) else str(error)
            raise EnrolError(EnrolTrouble.NOT_SET_UP, why) from error
        self._ended = keys.have_ended(self._now(), *files)
        if not checks_time:
            context.verify_flags |= tls.NO_CHECK_TIME
        return context

    def _now(self) -> datetime:
        """Return this machine's time."""
        return datetime.fromtimestamp(self._utc(), UTC)

    def _trouble(self, error: Exception) -> EnrolTrouble:
        """Return what an error means; a hub whose authorities have ended knows no other."""
        found = trouble_of(error)
        ended = found is EnrolTrouble.NOT_THE_CENTER and self._ended
        return EnrolTrouble.CENTER_EXPIRED if ended else found


class _Adapter(HTTPAdapter):
    """Connects with one TLS context, and keeps the certificate of the server."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.peer = b""
        adapter = self

        class Seen(ssl.SSLSocket):
            """Shows who answered; later the library may have closed the connection."""

            def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as ssl has it
                super().do_handshake(block)
                adapter.peer = self.getpeercert(binary_form=True) or b""

        context.sslsocket_class = Seen
        super().__init__(max_retries=0)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = False,  # noqa: FBT001, FBT002 - as requests has it
        **more: Any,  # noqa: ANN401
    ) -> None:
        """Make the connections with our context."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **more)

    def cert_verify(
        self,
        conn: Any,  # noqa: ANN401 - as requests has it
        url: str,
        verify: bool | str,  # noqa: FBT001
        cert: Any,  # noqa: ANN401
    ) -> None:
        """Check by our context alone: requests would add the authorities of the web."""
        del url, verify, cert
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None


def _utc_of(answer: requests.Response) -> float | None:
    """Return the time in an answer: `{"utc": ...}`, or its `Date`."""
    try:
        return float(msgspec.json.decode(answer.content, type=dict[str, float])["utc"])
    except (msgspec.DecodeError, KeyError):
        pass
    try:
        return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None


def _after_s(answer: requests.Response) -> float:
    """Return the seconds of `Retry-After`, which may be a date as well; 0 without one."""
    text = answer.headers.get("Retry-After", "")
    if text.isdecimal():
        return min(float(text), LATEST_S)
    try:
        at = email.utils.parsedate_to_datetime(text).timestamp()
        sent = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return 0.0
    return min(max(at - sent, 0.0), LATEST_S)


def _reason(answer: requests.Response) -> str:
    return "" if _is_page(answer) else answer.headers.get(REASON, "")


def _refused(reason: str, detail: str = "", after_s: float = 0.0) -> EnrolError:
    struck = reason == EnrolTrouble.REVOKED
    trouble = EnrolTrouble.REVOKED if struck else EnrolTrouble.REFUSED
    return EnrolError(trouble, detail or reason, after_s, reason)


def _is_page(answer: requests.Response) -> bool:
    return "html" in answer.headers.get("Content-Type", "")
