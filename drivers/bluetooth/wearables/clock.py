"""Sets a device's clock, where the device has one that can be written and ours is right.

A cuff forgets the time with its batteries, and then says 2000-01-01 of whatever it measures. Its
time is the local time: cuffs show it to their owner and know no time zone.
"""

import struct
from datetime import UTC, datetime

from drivers.bluetooth.air import LostError, Peripheral
from drivers.bluetooth.wearables.service import WITHHELD, Around, uuid

DATE_TIME = uuid(0x2A08)  # inside the cuff's own service
CURRENT_TIME = uuid(0x2A2B)  # the Current Time service
MANUAL_UPDATE = 1  # "adjust reason" of the Current Time service


async def set_clock(peripheral: Peripheral, around: Around) -> None:
    """Set the device's clock. Raises LostError when the connection has ended."""
    now = around.utc()
    if now is None:
        return
    local = datetime.fromtimestamp(now, UTC).astimezone()
    for characteristic, value in ((CURRENT_TIME, _current_time(local)), (DATE_TIME, _date(local))):
        if characteristic in peripheral.services:
            try:
                await peripheral.write(characteristic, value)
            except LostError as error:
                if error.reason not in WITHHELD:  # many clocks can only be read
                    raise


def _date(local: datetime) -> bytes:
    return struct.pack(
        "<H5B", local.year, local.month, local.day, local.hour, local.minute, local.second
    )


def _current_time(local: datetime) -> bytes:
    """Date, day of the week (Monday is 1), 1/256 s, and why it is set."""
    return _date(local) + bytes([local.isoweekday(), 0, MANUAL_UPDATE])
