"""Connects a protocol client's socket to the event loop, which calls the client to read and write.

It suits a client that uses one non-blocking socket and leaves the waiting to its caller, as paho
can. Call all methods on the loop's thread.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol


class Client(Protocol):
    """The protocol client."""

    def socket(self) -> object:
        """Return the socket, None where it is closed."""

    def loop_read(self) -> object:
        """Read what has arrived, at least one packet."""

    def loop_write(self) -> object:
        """Send what waits to be sent."""

    def want_write(self) -> bool:
        """Whether something waits to be sent."""


class Pump:
    """Calls the client on the loop. An error of the client goes to `on_error`, not to the loop."""

    def __init__(self, client: Client, on_error: Callable[[Exception], None]) -> None:
        self._client, self._on_error = client, on_error
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin to read and write. The client's socket must be connected."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            # Nagle's algorithm delays each ack by 44 ms
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._loop.add_reader(sock, self._on_readable, sock)
            self.await_room()

    def await_room(self) -> None:
        """Send what still waits, if anything does, as soon as the socket has room."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            if self._client.want_write():
                self._loop.add_writer(sock, self._on_writable)
            else:
                self._loop.remove_writer(sock)

    def let_go(self, sock: object) -> None:
        """Stop watching a socket. Call it before the socket is closed."""
        if isinstance(sock, socket.socket) and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def stop(self) -> None:
        """Close the socket in any state."""
        sock = self._client.socket()
        self.let_go(sock)
        if isinstance(sock, socket.socket):
            sock.close()

    def _on_readable(self, sock: socket.socket) -> None:
        """Read all that has arrived: the loop is not woken for bytes that TLS has decrypted."""
        self._guarded(self._client.loop_read)
        while self._client.socket() is sock and isinstance(sock, ssl.SSLSocket) and sock.pending():
            self._guarded(self._client.loop_read)
        self.await_room()

    def _on_writable(self) -> None:
        self._guarded(self._client.loop_write)
        self.await_room()

    def _guarded(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - `on_error` raises it where it ends the session
            self._on_error(error)
