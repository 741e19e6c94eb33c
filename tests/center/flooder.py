"""A hub that floods the broker, as a thief could.

    python -m tests.center.flooder PORT CERTS HUB COUNT QOS [ALARM]

It writes MQTT 3.1.1 itself and does not wait for answers. When all is sent, it says so on standard
output and stays until its standard input ends. With ALARM all events belong to that alarm.
"""

import socket
import ssl
import struct
import sys
import threading

from hub.contract import wire
from tests.center.making import event


def packet(kind: int, body: bytes) -> bytes:
    """Frame a packet of MQTT."""
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)[0], rest % 128
        length += bytes([digit | (128 if rest else 0)])
        if not rest:
            return bytes([kind]) + length + body


def text(said: str) -> bytes:
    """Frame a string of MQTT."""
    return struct.pack(">H", len(said.encode())) + said.encode()


def publish(hub: str, number: int, qos: int, alarm: str) -> bytes:
    """Make the packet of one event. Without `alarm` each event has its own alarm."""
    said = event(alarm=alarm or f"{hub}-f{number}", ident=f"{hub}-f{number}", hub=hub)
    mid = struct.pack(">H", number % 65535 + 1) if qos else b""
    return packet(0x30 | qos << 1, text(wire.topic(hub, "event")) + mid + wire.encode(said))


def main() -> None:
    """Connect and flood."""
    port, certs, hub, count, qos = sys.argv[1:6]
    alarm = "".join(sys.argv[6:7])
    context = ssl.create_default_context(cafile=f"{certs}/ca.crt")
    context.load_cert_chain(f"{certs}/hubs/{hub}.crt", f"{certs}/hubs/{hub}.key")
    flood = [publish(hub, n, int(qos), alarm) for n in range(int(count))]
    with (
        socket.create_connection(("127.0.0.1", int(port))) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as line,
    ):
        line.sendall(packet(0x10, text("MQTT") + b"\x04\x02\x00\x00" + text(hub)))
        line.recv(4)
        threading.Thread(target=drain, args=(line,), daemon=True).start()
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        line.sendall(b"".join(flood))
        sys.stdout.write("sent\n")
        sys.stdout.flush()
        sys.stdin.read()


def drain(line: ssl.SSLSocket) -> None:
    """Read and discard the broker's answers, or it would stop reading."""
    while line.recv(65536):
        pass


if __name__ == "__main__":
    main()
