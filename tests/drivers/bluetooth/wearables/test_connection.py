"""The connection loop on a clock that jumps: hours of a band take no time."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.bluetooth.air import SEEN_S, Lost
from drivers.bluetooth.wearables.service import uuid
from drivers.bluetooth.wearables.wearables import Wearables
from hub.contract.radio import Battery, Part, Presence, Pulse, Trouble
from hub.core.model.wireless import Wearable
from tests.drivers.bluetooth.wearables.fakes import FakeAir, FakeWearable, Told, advert
from tests.drivers.fakes import jump

ADDRESS, OTHER = "C0:11:22:33:44:55", "C0:11:22:33:44:66"
HEART_RATE, LEVEL, MODEL = uuid(0x2A37), uuid(0x2A19), uuid(0x2A24)
BAND = Wearable("band", ADDRESS, "band")
CUFF = Wearable("cuff", OTHER, "cuff")
BEAT = "0048"  # 72/min, no contact bits


class Room:
    """A home with a band, told of by `told`."""

    def __init__(self, *devices: Wearable) -> None:
        self.air, self.told = FakeAir(), Told()
        self.band = FakeWearable({HEART_RATE: b"", LEVEL: b"\x50", MODEL: b"Band 1"})
        self.wearables = Wearables(self.air, self.told.around())
        self.wearables.follow(devices or (BAND,))
        self.task = asyncio.create_task(self.wearables.run())

    async def comes(self) -> None:
        """The band comes into range, and advertises."""
        self.air.devices[ADDRESS] = self.band
        self.wearables.heard(advert(ADDRESS))
        await self.band.subscribed.wait()

    def goes(self) -> None:
        """The band leaves the range: first the link ends, then nothing is heard any more."""
        del self.air.devices[ADDRESS]
        self.band.drop()
        self.wearables.near(ADDRESS, near=False)

    async def beats(self, seconds: int, frame: str = BEAT) -> None:
        for _ in range(seconds):
            self.band.send(HEART_RATE, frame)
            await asyncio.sleep(1)

    @property
    def troubles(self) -> list[tuple[Part, bool]]:
        return [(trouble.part, trouble.present) for trouble in self.told.of(Trouble)]

    @property
    def ranges(self) -> list[tuple[float, bool]]:
        """When it was told as near, or away."""
        return [(at, fact.near) for at, fact in self.told.times if isinstance(fact, Presence)]

    @property
    def presence(self) -> list[bool]:
        return [each.near for each in self.told.of(Presence)]


def story(tell: Callable[[Room], Awaitable[None]], *devices: Wearable) -> None:
    """Play a story in a room, and end the room's tasks."""

    async def play() -> None:
        room = Room(*devices)
        try:
            await tell(room)
            assert not room.task.done()
        finally:
            room.task.cancel()
            await asyncio.wait({room.task})

    jump(play())


def test_a_band_that_comes_into_range_is_connected_and_its_pulse_told() -> None:
    async def tell(room: Room) -> None:
        await asyncio.sleep(3600)
        at = asyncio.get_running_loop().time()
        await room.comes()
        await room.beats(3)
        assert room.band.connects[0] - at < 0.1
        assert room.told.of(Pulse) == [Pulse("band", 72.0)] * 3
        assert room.told.of(Battery) == [Battery("band", 80.0)]
        assert room.presence == [False, True]
        assert room.troubles == []

    story(tell)


def test_a_cuff_that_stays_in_range_is_told_again_each_minute_until_it_goes() -> None:
    """It may lie there all day with nothing to tell; whoever sets up the home has to see it."""

    async def tell(room: Room) -> None:
        for _ in range(0, 600, 4):  # as the scanner tells of it while it is here
            room.wearables.near(OTHER, near=True)
            await asyncio.sleep(4)
        times = [at for at, near in room.ranges if near]
        assert {after - before for before, after in pairwise(times)} == {SEEN_S}
        assert times[-1] >= 600 - SEEN_S
        room.wearables.near(OTHER, near=False)
        await asyncio.sleep(600)
        assert room.presence == [True] * len(times) + [False]

    story(tell, CUFF)


def test_that_a_link_ends_is_no_word_that_the_band_is_near() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(90)
        room.goes()  # the link first, and what is heard of it a while later
        await asyncio.sleep(1)
        assert room.presence == [True]

    story(tell)


def test_after_each_reconnect_it_subscribes_again() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        for _ in range(5):
            await room.beats(90)
            room.band.drop()
            await asyncio.sleep(0.1)
            room.wearables.heard(advert(ADDRESS))
            await room.band.subscribed.wait()
        await room.beats(1)
        assert len(room.told.of(Pulse)) == 5 * 90 + 1
        assert len(room.band.connects) == 6
        assert set(room.presence) == {True}

    story(tell)


@pytest.mark.parametrize("away_s", [61, 3600, 86_400])
def test_a_band_is_back_at_once_however_long_it_was_away(away_s: int) -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(90)
        room.goes()
        await asyncio.sleep(away_s)
        assert room.presence == [True, False]
        at = asyncio.get_running_loop().time()
        await room.comes()
        assert room.band.connects[-1] - at <= 1.0
        assert room.presence == [True, False, True]

    story(tell)


@pytest.mark.parametrize("reason", [Lost.TIMEOUT, Lost.BUSY, Lost.BOND_STALE])
def test_a_band_that_comes_into_range_is_tried_at_once_whatever_failed_before(reason: Lost) -> None:
    async def tell(room: Room) -> None:
        room.air.devices[ADDRESS] = room.band
        room.band.refuses = reason
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(7200)
        assert len(room.band.connects) <= 7200 / 300 + 7
        room.wearables.near(ADDRESS, near=False)
        await asyncio.sleep(30)
        room.band.refuses = None
        at = asyncio.get_running_loop().time()
        await room.comes()
        assert room.band.connects[-1] - at <= 1.0

    story(tell)


def test_a_band_that_another_hub_holds_is_out_of_range_and_no_trouble() -> None:
    async def tell(room: Room) -> None:
        await asyncio.sleep(86_400)
        assert room.presence == [False]
        assert room.troubles == []
        assert len(room.air.tries) <= 86_400 / 300 + 1

    story(tell)


def test_a_band_at_the_edge_of_range_is_not_connected_to_again_and_again() -> None:
    async def tell(room: Room) -> None:
        for _ in range(3600):  # each second it is heard, connects, sends once, and is lost
            room.air.devices[ADDRESS] = room.band
            room.wearables.heard(advert(ADDRESS))
            await asyncio.sleep(0.5)
            if room.band.subscribed.is_set():
                await room.beats(1)
                room.goes()
            room.wearables.near(ADDRESS, near=False)
            await asyncio.sleep(0.5)
        assert len(room.band.connects) <= 20
        assert room.troubles == []

    story(tell)


def test_a_band_that_stays_connected_and_silent_is_subscribed_again_then_told_once() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await asyncio.sleep(60 + 4)
        assert room.troubles == []
        assert len(room.band.connects) == 2
        await asyncio.sleep(86_400)
        assert room.troubles == [(Part.MUTE, True)]
        assert len(room.band.connects) <= 86_400 / 300
        await room.band.subscribed.wait()
        await room.beats(1)
        assert room.troubles == [(Part.MUTE, True), (Part.MUTE, False)]

    story(tell)


def test_a_subscription_that_was_lost_is_mended_without_a_word() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(100)
        await asyncio.sleep(61 + 4)
        await room.band.subscribed.wait()
        await room.beats(100)
        assert room.troubles == []
        assert len(room.told.of(Pulse)) == 200

    story(tell)


def test_frames_that_say_not_worn_are_no_silence() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(600, "0400")
        assert room.troubles == []
        assert len(room.band.connects) == 1
        assert set(room.told.of(Pulse)) == {Pulse("band", None, worn=False)}

    story(tell)


def test_a_band_without_a_heart_rate_service_is_told() -> None:
    async def tell(room: Room) -> None:
        room.band.services = frozenset({LEVEL})
        room.air.devices[ADDRESS] = room.band
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(5)
        told = Trouble(Part.MUTE, present=True, device="band", detail="no_service")
        assert room.told.of(Trouble) == [told]

    story(tell)


@pytest.mark.parametrize("reason", [Lost.BOND_STALE, Lost.NOT_PERMITTED])
def test_a_stale_bond_is_told_once_and_ends_with_the_new_pairing(reason: Lost) -> None:
    async def tell(room: Room) -> None:
        room.band.refuses = reason
        room.air.devices[ADDRESS] = room.band
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(7200)
        assert room.troubles == [(Part.BOND, True)]
        assert len(room.band.connects) <= 7200 / 300 + 7
        room.band.refuses = None
        room.wearables.hurry(ADDRESS)
        await room.band.subscribed.wait()
        await room.beats(1)
        assert room.troubles == [(Part.BOND, True), (Part.BOND, False)]

    story(tell)


def test_what_failed_before_a_band_was_paired_anew_keeps_nobody_waiting_after_it() -> None:
    async def tell(room: Room) -> None:
        room.band.refuses = Lost.BOND_STALE
        room.air.devices[ADDRESS] = room.band
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(3600)
        room.band.refuses = None
        room.wearables.hurry(ADDRESS)
        await room.band.subscribed.wait()
        room.band.drop()  # nobody wears it yet: it has sent nothing
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(0.1)
        await room.band.subscribed.wait()
        assert room.band.connects[-1] - at <= 4.0

    story(tell)


def test_a_battery_that_may_not_be_read_costs_no_pulse() -> None:
    async def tell(room: Room) -> None:
        room.band.locked = frozenset({LEVEL, MODEL})
        await room.comes()
        await room.beats(2)
        assert len(room.told.of(Pulse)) == 2
        assert room.troubles == []

    story(tell)


def test_a_pulse_that_may_not_be_read_is_a_bond_to_be_made() -> None:
    async def tell(room: Room) -> None:
        room.band.locked = frozenset({HEART_RATE})
        room.air.devices[ADDRESS] = room.band
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(60)
        assert room.troubles == [(Part.BOND, True)]

    story(tell)


def test_a_flood_of_frames_is_cut_and_counted() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(1)
        for _ in range(10_000):
            room.band.send(HEART_RATE, BEAT)
        await room.beats(1)
        assert len(room.told.of(Pulse)) <= 1 + 10 + 1
        assert room.told.refused.count("overflow") > 9_700

    story(tell)


def test_garbage_is_counted_by_reason_and_ends_nothing() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(5, "0148")
        await room.beats(1)
        assert room.told.refused == ["truncated"] * 5
        assert room.told.of(Pulse) == [Pulse("band", 72.0)]

    story(tell)


def test_a_fault_of_ours_in_one_loop_leaves_the_other_and_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def tell(room: Room) -> None:
        broken = FakeWearable({})
        broken.notify = None  # type: ignore[method-assign,assignment]
        broken.services = frozenset({uuid(0x2A35)})
        room.air.devices[OTHER] = broken
        room.wearables.heard(advert(OTHER))
        await room.comes()
        await room.beats(120)
        assert len(room.told.of(Pulse)) == 120
        assert len(broken.connects) > 1

    story(tell, BAND, CUFF)
    assert "cuff" in caplog.text


def test_a_band_that_answers_nobody_for_a_moment_is_back_as_soon_as_it_answers() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(90)
        del room.air.devices[ADDRESS]  # out of range; it is told as near for some while
        room.band.drop()
        await asyncio.sleep(25)
        assert len(room.air.tries) <= 1 + 25 / 2 + 1
        room.air.devices[ADDRESS] = room.band
        at = asyncio.get_running_loop().time()
        await room.band.subscribed.wait()
        assert room.band.connects[-1] - at <= 2.0

    story(tell)


def test_a_hub_that_was_restarted_learns_what_lasts() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await asyncio.sleep(200)
        assert list(room.wearables.greeting()) == [
            Presence("band", near=True),
            Trouble(Part.MUTE, present=True, device="band"),
            Battery("band", 80.0),
        ]

    story(tell)


def test_a_band_that_is_taken_off_the_list_leaves_no_trouble_behind() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await asyncio.sleep(200)
        room.wearables.follow(())
        await asyncio.sleep(1)
        assert room.troubles == [(Part.MUTE, True), (Part.MUTE, False)]

    story(tell)


def test_the_list_is_followed_while_it_runs() -> None:
    async def tell(room: Room) -> None:
        await room.comes()
        await room.beats(1)
        room.wearables.follow(())
        await asyncio.sleep(1)
        assert not room.band.subscribed.is_set()
        room.wearables.follow((BAND,))
        await asyncio.sleep(1)
        await room.band.subscribed.wait()
        await room.beats(1)
        room.wearables.follow((BAND,))  # the same list ends no connection
        await room.beats(1)
        assert len(room.band.connects) == 2

    story(tell)


def test_a_foreign_device_with_our_name_is_not_connected_to() -> None:
    async def tell(room: Room) -> None:
        stranger = FakeWearable({HEART_RATE: b""})
        room.air.devices[OTHER] = stranger
        room.wearables.heard(advert(OTHER))
        await asyncio.sleep(600)
        assert stranger.connects == []

    story(tell)


HAPPENS = st.sampled_from(["heard", "near", "away", "drop", "beat", "garbage", "hurry", "wait"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(HAPPENS, st.floats(0, 400)), max_size=40))
def test_whatever_happens_it_tries_seldom_and_comes_back(events: list[tuple[str, float]]) -> None:
    async def tell(room: Room) -> None:
        room.air.devices[ADDRESS] = room.band
        hurries = sum(what == "hurry" for what, _ in events)
        for what, pause_s in events:
            _happen(room, what)
            await asyncio.sleep(pause_s)
        lasted = asyncio.get_running_loop().time()
        # each begins the back-off anew: three tries in its first 13 s
        assert len(room.air.tries) <= 10 + 3 * hurries + lasted / 20
        room.goes()
        await asyncio.sleep(700)
        room.air.devices[ADDRESS] = room.band
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(1.5)
        assert room.band.subscribed.is_set()
        await room.beats(1)
        assert room.told.facts[-1] == Pulse("band", 72.0) or Part.MUTE in {
            part for part, _ in room.troubles
        }
        for (before, was), (after, now) in pairwise(room.ranges):
            assert was != now or after - before >= SEEN_S

    story(tell)


def _happen(room: Room, what: str) -> None:
    match what:
        case "heard":
            room.wearables.heard(advert(ADDRESS))
        case "near" | "away":
            room.wearables.near(ADDRESS, near=what == "near")
        case "drop" | "beat" | "garbage" if not room.band.subscribed.is_set():
            pass
        case "drop":
            room.band.drop()
        case "beat" | "garbage":
            room.band.send(HEART_RATE, BEAT if what == "beat" else "01")
        case "hurry":
            room.wearables.hurry(ADDRESS)
        case _:
            assert what == "wait"


def test_who_pairs_a_band_has_it_to_himself_and_it_is_connected_again_afterwards() -> None:
    async def scene(room: Room) -> None:
        await room.comes()
        async with room.wearables.apart(ADDRESS):
            assert not room.band.subscribed.is_set()  # let go of
            before = len(room.band.connects)
            room.wearables.heard(advert(ADDRESS))
            room.wearables.hurry(ADDRESS)
            room.wearables.follow((BAND, CUFF))
            await asyncio.sleep(120)
            assert len(room.band.connects) == before
        room.wearables.hurry(ADDRESS)
        await room.band.subscribed.wait()
        await room.beats(3)
        assert len(room.told.of(Pulse)) == 3

    story(scene)


def test_of_a_band_that_is_let_go_of_no_trouble_is_forgotten() -> None:
    async def scene(room: Room) -> None:
        room.band.refuses = Lost.BOND_STALE
        room.air.devices[ADDRESS] = room.band
        room.wearables.heard(advert(ADDRESS))
        await asyncio.sleep(5)
        async with room.wearables.apart(ADDRESS):
            pass
        assert room.troubles == [(Part.BOND, True)]  # not paired after all: it lasts

    story(scene)
