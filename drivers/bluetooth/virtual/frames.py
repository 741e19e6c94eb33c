"""The bytes that virtual devices send: the other direction of `drivers.bluetooth.frames`."""

import struct
from collections.abc import Iterable
from datetime import datetime

from drivers.bluetooth.frames import bthome, gatt
from drivers.virtual.words import Measured, Sent
from hub.contract.radio import How

BATTERY = 0x01
STATE_IDS = {name: number for number, (name, *_) in bthome.STATES.items()}
BUTTON_CODES = {how: code for code, how in reversed(bthome.BUTTONS.items()) if how in set(How)}
PLAIN = (bthome.VERSION << 5) | bthome.TRIGGERED
CONTACT, CONTACT_KNOWN, WITH_RR = 0x02, 0x04, 0x10  # flags of 0x2A37
STAMPED, WITH_PULSE = 0x02, 0x04  # flags of 0x2A35


def service_data(sent: Sent, cipher: bthome.Cipher | None) -> bytes:
    """Return a BTHome frame: with a `cipher` encrypted, else plain."""
    objects = bytes([bthome.PACKET_ID, sent.packet_id, BATTERY, round(sent.battery_pct)])
    for name, on in sent.states.items():
        objects += bytes([STATE_IDS[name], on])
    if sent.how is not None:
        objects += bytes([bthome.BUTTON, BUTTON_CODES.get(sent.how, BUTTON_CODES[How.PRESS])])
    if cipher is None:
        return bytes([PLAIN]) + objects
    return cipher.seal(PLAIN | bthome.ENCRYPTED, objects, sent.counter)


def heart_rate(bpm: float, rr_ms: Iterable[float], *, worn: bool) -> bytes:
    """Return 0x2A37 of a band that knows whether it is worn."""
    if not worn:
        return bytes([CONTACT_KNOWN, 0])
    counts = [round(each * gatt.RR_PER_S / 1000) for each in rr_ms]
    flags = CONTACT_KNOWN | CONTACT | (WITH_RR if counts else 0)
    return struct.pack(f"<BB{len(counts)}H", flags, round(bpm), *counts)


def pressure(measured: Measured, local: datetime) -> bytes:
    """Return 0x2A35 in mmHg with the cuff's own time and the pulse."""
    low, high = round(measured.diastolic_mmhg), round(measured.systolic_mmhg)
    mean = round(low + (high - low) / 3)  # as cuffs estimate it
    stamp = (local.year, local.month, local.day, local.hour, local.minute, local.second)
    flags, pulse = STAMPED | WITH_PULSE, round(measured.pulse_bpm)
    return struct.pack("<B3HH5BH", flags, high, low, mean, *stamp, pulse)


def charge(pct: float) -> bytes:
    """Return 0x2A19."""
    return bytes([round(pct)])
