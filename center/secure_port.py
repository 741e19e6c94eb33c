"""A port with TLS on which clients may show a certificate, for a server of uvicorn.

uvicorn's own TLS tells an application neither who the client is nor why a handshake failed. Here a
connection is first counted, then shakes hands, and only then is uvicorn's:

    connected -> (too many: closed) -> TLS -> (failed: told) -> HTTP, `request.state.certificate`

The centre must go on when this port is flooded: it has a bounded number of connections, each for a
bounded time.
"""

import asyncio
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from center.domain.enrolment import network
from center.service.strangers import Budget

CONNECTIONS = 200  # systemd grants a process 1,024 files, and the console needs its own
OF_NETWORK = 60
HANDSHAKE_S = 8.0
LIFE_S = 120.0  # of a connection, with all its requests
FAILED_COST = 5.0  # of a network's handshakes
LEAVE_S = 3
EVERYBODY = ""
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python gives no name

Complain = Callable[[str, str], object]  # why, address


def context(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """Return the TLS settings: at least TLS 1.2, a client's certificate only of `authority`.

    When that certificate has ended is for the application to judge, which can say so.
    """
    made = _Context(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(certificate, key or None)
    made.load_verify_locations(authority)
    made.verify_mode = ssl.CERT_OPTIONAL
    made.verify_flags |= NO_CHECK_TIME
    return made


_raw: ContextVar[asyncio.Transport] = ContextVar("raw")  # of the connection that shakes hands


class _Talk(ssl.SSLObject):
    """A TLS connection that says why it refuses: asyncio alone would drop that alert."""

    out: ssl.MemoryBIO

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        try:
            super().do_handshake()
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError:
            if alert := self.out.read():
                _raw.get().write(alert)
            raise


class _Context(ssl.SSLContext):
    sslobject_class = _Talk

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - as ssl has it
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> _Talk:
        """Return a connection that can still send its last word."""
        made = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        assert isinstance(made, _Talk)  # noqa: S101 - of `sslobject_class`
        made.out = outgoing
        return made


class Port:
    """What all connections of a port share. Only in the event loop's thread."""

    def __init__(self, tls: ssl.SSLContext, complain: Complain) -> None:
        self.tls, self.complain = tls, complain
        self.open: Counter[str] = Counter()
        self.shaking: set[asyncio.Task[None]] = set()  # a task that nobody holds may vanish
        self._of_network, self._of_all = Budget(200.0, 20.0), Budget(400.0, 100.0)

    def admits(self, whose: str) -> bool:
        """Whether a network may open one more connection now."""
        if self.open.total() >= CONNECTIONS or self.open[whose] >= OF_NETWORK:
            return False
        now = time.monotonic()
        return self._of_network.spend(whose, 1.0, now) and self._of_all.spend(EVERYBODY, 1.0, now)

    def began(self, task: asyncio.Task[None], whose: str) -> None:
        """Count a connection until its task ends; asyncio accepts many before one task runs."""
        self.open[whose] += 1
        self.shaking.add(task)
        task.add_done_callback(partial(self._over, whose))

    def _over(self, whose: str, task: asyncio.Task[None]) -> None:
        self.shaking.discard(task)
        self.open[whose] -= 1
        if not self.open[whose]:
            del self.open[whose]

    def failed(self, why: str, address: str) -> None:
        """Note that a handshake failed."""
        self._of_network.spend(network(address), FAILED_COST, time.monotonic())
        if why:
            self.complain(why, address)


class Server(uvicorn.Server):
    """A second server of a process: the first one has the signals."""

    def __init__(self, app: ASGIApp, port: Port) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=partial(_Doorstep, port),  # type: ignore[arg-type]  # it makes a protocol
                ws="none",
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=LEAVE_S,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class _Http(H11Protocol):
    """uvicorn's HTTP, which keeps what comes before it is told of its connection.

    asyncio passes on the client's first bytes as soon as the handshake is done.
    """

    def __init__(self, **of_uvicorn: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(**of_uvicorn)
        self.over = asyncio.Event()
        self._early: bytes | None = b""  # None: it has begun

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, with the client's certificate in the state of each request."""
        shown = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self.app_state = {**self.app_state, "certificate": shown}
        super().connection_made(transport)
        early, self._early = self._early, None
        if early:
            super().data_received(early)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._early is None:
            super().data_received(data)
        else:
            self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        """End, unless it never began."""
        self.over.set()
        if self._early is None:
            super().connection_lost(exc)


class _Doorstep(asyncio.Protocol):
    """A connection before TLS: it is counted, and handed on."""

    def __init__(self, port: Port, **of_uvicorn: Any) -> None:  # noqa: ANN401 - uvicorn's own
        self._port, self._of_uvicorn = port, of_uvicorn

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, or close at once."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of TCP
        address = (transport.get_extra_info("peername") or ("",))[0]
        if not self._port.admits(network(address)):
            transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._shake(transport, address))
        self._port.began(task, network(address))

    async def _shake(self, transport: asyncio.Transport, address: str) -> None:
        loop, port = asyncio.get_running_loop(), self._port
        http = _Http(**self._of_uvicorn)
        _raw.set(transport)
        late = loop.call_later(LIFE_S, transport.abort)
        try:
            secure = await loop.start_tls(
                transport, http, port.tls, server_side=True, ssl_handshake_timeout=HANDSHAKE_S
            )
        except OSError as error:
            transport.abort()
            port.failed(_why(error), address)
        else:
            if secure is not None:
                http.connection_made(secure)
                await http.over.wait()
        finally:
            late.cancel()


def _why(error: OSError) -> str:
    """Return in a word or a few why a handshake failed; '' where the client just went away."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError) or not isinstance(error, ssl.SSLError):
        return ""
    return f"tls: {error.reason or 'broken'}"
