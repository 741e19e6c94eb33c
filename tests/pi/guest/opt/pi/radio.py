"""The virtual Pi's Bluetooth adapter: packets between /dev/vhci and a controller on the host.

The kernel takes and gives one whole packet at a time (H4: its kind, its header, its body); over the
virtio serial port they are a stream. The adapter is plugged in while this program runs.
"""

import os
import select
import threading
import time

PORT, VHCI = "/dev/virtio-ports/anbu.hci", "/dev/vhci"
VENDOR, PRIMARY = 0xFF, 0x00
HEADERS = {2: (4, 2, 2), 3: (3, 2, 1), 4: (2, 1, 1), 5: (4, 2, 2)}  # size, place and size of length


def exactly(port: int, size: int) -> bytes:
    """Read `size` bytes; the host may send them in pieces."""
    data = b""
    while len(data) < size:
        piece = os.read(port, size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def next_packet(port: int) -> bytes:
    """Read one packet from the stream."""
    kind = exactly(port, 1)
    size, at, width = HEADERS[kind[0]]
    header = exactly(port, size)
    length = int.from_bytes(header[at : at + width], "little")
    return kind + header + exactly(port, length & 0x3FFF if kind[0] == 5 else length)


def to_host(port: int, vhci: int) -> None:
    """Carry what the kernel sends to its controller."""
    while True:
        packet = os.read(vhci, 4096)
        if packet[0] != VENDOR:
            os.write(port, packet)


def wait_for_host(port: int) -> None:
    """Wait until a controller stands at the host's end: a port without one reads as ended."""
    watch = select.poll()
    watch.register(port, select.POLLIN)
    while any(event & select.POLLHUP for _, event in watch.poll(1000)):
        time.sleep(0.2)


def main() -> None:
    """Plug the adapter in, and carry packets until the host goes."""
    port = os.open(PORT, os.O_RDWR)
    wait_for_host(port)
    vhci = os.open(VHCI, os.O_RDWR)
    os.write(vhci, bytes((VENDOR, PRIMARY)))
    threading.Thread(target=to_host, args=(port, vhci), daemon=True).start()
    while True:
        os.write(vhci, next_packet(port))


if __name__ == "__main__":
    main()
