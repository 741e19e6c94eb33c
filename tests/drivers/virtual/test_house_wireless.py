"""The wireless devices of the virtual house by themselves: what a device counts by."""

import asyncio

import pytest

from drivers.virtual import wireless
from drivers.virtual.wireless import Deed, Devices
from drivers.virtual.words import Sent
from hub.core.model.wireless import Pendant

PENDANT = Pendant("pendant", "AA:BB:CC:00:00:01", "00" * 16, place="거실")


async def _pressed_once() -> Sent:
    """Open a house, press its pendant, and return the frame."""
    house = Devices()
    house.follow([PENDANT])
    air = house.air()
    heard = asyncio.ensure_future(anext(air))
    await asyncio.sleep(0)
    house.pendant("pendant", Deed.PRESS)
    sent = await heard
    assert isinstance(sent, Sent)
    return sent


def test_a_house_that_is_opened_again_within_a_second_sends_other_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frames = []
    for utc in (1_800_000_000.0, 1_800_000_000.4):
        monkeypatch.setattr(wireless, "time", lambda utc=utc: utc)
        frames.append(asyncio.run(_pressed_once()))
    assert frames[0].counter < frames[1].counter
