"""A protocol client's socket on the loop: read when it has something, written when it has room.

For a client that works on one non-blocking socket and leaves the waiting to others, as paho does.
All methods belong to the loop's thread.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Protocol


class Client(Protocol):
    """What is pumped."""

    def socket(self) -> object:
        """Give the socket, None where it is closed."""

    def loop_read(self) -> object:
        """Take in what has come, a packet at least."""

    def loop_write(self) -> object:
        """Send what waits."""

    def want_write(self) -> bool:
        """Tell whether something waits to be sent."""


class Pump:
    """`on_error` is told what reading or writing raised; nothing is raised into the loop."""

    def __init__(self, client: Client, on_error: Callable[[Exception], None]) -> None:
        self._client, self._on_error = client, on_error
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Begin with a socket that is connected."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # Nagle costs 44 ms an ack
            self._loop.add_reader(sock, self._on_readable, sock)
            self.await_room()

    def await_room(self) -> None:
        """Have the rest sent when the socket takes more, where there is a rest."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            if self._client.want_write():
                self._loop.add_writer(sock, self._on_writable)
            else:
                self._loop.remove_writer(sock)

    def let_go(self, sock: object) -> None:
        """Take no more part in a socket; to be called before it is closed."""
        if isinstance(sock, socket.socket) and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)

    def stop(self) -> None:
        """Close the socket, whatever state it is in."""
        sock = self._client.socket()
        self.let_go(sock)
        if isinstance(sock, socket.socket):
            sock.close()

    def _on_readable(self, sock: socket.socket) -> None:
        """Read all that has come: what TLS has unwrapped already wakes no loop."""
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
        except Exception as error:  # noqa: BLE001 - handed on, to be raised where it ends something
            self._on_error(error)
