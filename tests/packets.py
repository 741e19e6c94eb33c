"""MQTT packets, as far as a failing line must see them."""

import struct
from asyncio import StreamReader
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """MQTT control packets, by the number in their first byte."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True)
class Packet:
    """One MQTT packet on its way up to the broker or down to the hub."""

    kind: Kind
    up: bool
    data: bytes
    body: bytes

    @property
    def topic(self) -> str:
        """The topic of a PUBLISH, else nothing."""
        if self.kind is not Kind.PUBLISH:
            return ""
        (size,) = struct.unpack_from(">H", self.body)
        return self.body[2 : 2 + size].decode()


async def read_packet(reader: StreamReader, *, up: bool) -> Packet:
    """Return the next packet, or raise `asyncio.IncompleteReadError` at the end."""
    head = await reader.readexactly(1)
    size = shift = 0
    more = True
    while more:
        byte = await reader.readexactly(1)
        head += byte
        size |= (byte[0] & 0x7F) << shift
        shift, more = shift + 7, bool(byte[0] & 0x80)
    body = await reader.readexactly(size)
    return Packet(Kind(head[0] >> 4), up, head + body, body)
