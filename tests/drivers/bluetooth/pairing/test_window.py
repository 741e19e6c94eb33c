"""A device is paired in a window, by a person, and in no other way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from drivers.bluetooth.devices import load
from drivers.bluetooth.pairing import bonds, window
from drivers.bluetooth.pairing.agent import Said
from drivers.bluetooth.pairing.window import Pairing, Wish
from hub.contract.radio import (
    Fact,
    OpenPairing,
    PairingAnswer,
    PairingAsked,
    PairingEnd,
    PairingEnded,
    PairingOpened,
    Part,
    Ping,
    Trouble,
    Wanted,
)
from hub.core.model.wireless import Phone, Wearable
from tests.drivers.bluetooth.private_bus import FakeBlueZ

CUFF, BAND, PHONE = "A4:C1:38:00:00:11", "A4:C1:38:00:00:12", "6A:00:00:00:00:21"
IDENTITY = "D0:11:22:33:44:55"
NEW_CUFF = Wearable("cuff", CUFF, "cuff")
NEW_BAND = Wearable("band", BAND, "band")
PATIENCE_S = 15.0


class Room:
    """A radio's pairing over the fake, and what it told."""

    def __init__(self, bluez: FakeBlueZ, folder: Path) -> None:
        self.bluez, self.list = bluez, folder / "devices.toml"
        self.refused, self.paired = Counter[str](), list[str]()
        self.told: asyncio.Queue[Fact] = asyncio.Queue()
        self.pairing = Pairing(
            self.told.put_nowait, self.list, self.refused, paired=self.paired.append
        )
        self.pairing.asks = count(1)

    async def do(self, what: str, **order: object) -> dict[str, Any]:
        return await asyncio.to_thread(self.bluez.do, what, **order)

    async def bonds(self) -> dict[str, Any]:
        return await self.do("bonds")

    async def hear(self) -> Fact:
        async with asyncio.timeout(PATIENCE_S):
            return await self.told.get()

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            found = await self.bonds()
            while not holds(found):
                found = await self.bonds()
        return found

    async def open(self, wish: Wish) -> None:
        assert self.pairing.open(wish)
        assert await self.hear() == PairingOpened(wish.s)


Story = Callable[[Callable[[Room], Awaitable[None]]], None]


@pytest.fixture
def story(bluez: FakeBlueZ, tmp_path: Path) -> Story:
    """Run a story in a room, over a fake of its own."""

    @asynccontextmanager
    async def room() -> AsyncIterator[Room]:
        found = Room(bluez, tmp_path)
        task = asyncio.create_task(found.pairing.run())
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()

    def tell(scene: Callable[[Room], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with room() as found:
                await scene(found)

        asyncio.run(whole())

    return tell


def test_a_phone_is_paired_by_digits_that_a_person_compares(story: Story) -> None:
    async def scene(room: Room) -> None:
        room.pairing.take_order(OpenPairing(120.0))
        assert await room.hear() == PairingOpened(120.0)
        bluez = await room.bonds()
        assert bluez["agents"] == {"/anbu/pairing/agent": "KeyboardDisplay"}
        assert (bluez["adapter"]["Pairable"], bluez["adapter"]["Discoverable"]) == (True, True)
        assert bluez["adapter"]["Alias"] == "Anbu Hub"
        await room.do("ask", address=PHONE, number=4711, identity=IDENTITY)
        assert await room.hear() == PairingAsked("그림자전화", Wanted.COMPARE, "004711", 1)
        assert not (await room.bonds())["outcomes"]  # it waits
        room.pairing.take_order(PairingAnswer(yes=True))
        ended = await room.hear()
        assert ended == PairingEnded("phone-1", done=True, reason=PairingEnd.PAIRED)
        bluez = await room.until(lambda found: not found["agents"])
        assert (bluez["adapter"]["Pairable"], bluez["adapter"]["Discoverable"]) == (False, False)
        assert (bluez["shown"].keys(), bluez["adapter"]["Alias"]) == ({"2a4b"}, "")
        (device,) = bluez["devices"].values()
        assert (device["Trusted"], device["Alias"]) == ("True", "phone-1")
        assert load(room.list) == (Phone("phone-1", IDENTITY),)  # and no consent yet
        assert room.list.stat().st_mode & 0o777 == 0o600
        assert room.paired == [IDENTITY]

    story(scene)


def test_what_a_phone_finds_wants_an_authenticated_link(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        shown = (await room.until(lambda found: len(found["shown"]) == 3))["shown"]
        assert "1812" in shown["/anbu/pairing/phone/advert"]
        assert shown["/anbu/pairing/phone"].count("encrypt-authenticated-read") == 4
        assert shown["2a4b"].startswith("050c0901a101")

    story(scene)


def test_an_adapter_that_cannot_advertise_is_still_found_by_phones(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("set", no_peripheral=True)
        await room.open(Wish(phone=True))
        assert (await room.bonds())["adapter"]["Discoverable"]

    story(scene)


def test_digits_that_differ_are_refused_and_there_is_time_for_another_try(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1, identity=IDENTITY)
        assert isinstance(await room.hear(), PairingAsked)
        room.pairing.answer(Said(yes=False))
        name = "그림자전화"
        assert await room.hear() == PairingEnded(name, reason=PairingEnd.NO, open=True)
        assert (await room.until(lambda found: found["outcomes"]))["outcomes"] == ["refused"]
        await room.do("ask", address=PHONE, number=2)
        assert isinstance(await room.hear(), PairingAsked)
        room.pairing.answer(Said(yes=True))
        await room.until(lambda found: found["outcomes"] == ["refused", "agreed"])
        await room.do("drop", address=PHONE)  # the radios found that the keys differ
        assert await room.hear() == PairingEnded(reason=PairingEnd.WRONG_KEY, open=True)
        assert load(room.list) == ()

    story(scene)


@pytest.mark.parametrize("wanted", ["first", "second", "whichever"])
def test_what_is_said_to_one_request_never_answers_the_next(story: Story, wanted: str) -> None:
    """A yes is on its way while the device breaks off, and another one asks."""

    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1, identity=IDENTITY)
        first = await room.hear()
        assert isinstance(first, PairingAsked)
        room.pairing.answer(Said(yes=False))
        await room.hear()
        await room.do("ask", address=PHONE, number=2)
        second = await room.hear()
        assert isinstance(second, PairingAsked)
        ask = {"first": first.ask, "second": second.ask, "whichever": 0}[wanted]
        for yes in (True, False):
            room.pairing.take_order(PairingAnswer(yes=yes, ask=ask))
        if wanted == "first":
            room.pairing.take_order(PairingAnswer(yes=False, ask=second.ask))
        outcomes = ["refused", "refused" if wanted == "first" else "agreed"]
        await room.until(lambda found: found["outcomes"] == outcomes)

    story(scene)


def test_two_processes_name_no_request_alike(tmp_path: Path) -> None:
    """What was said to one that has ended may reach the next."""
    made = [Pairing(lambda _: None, tmp_path, Counter()) for _ in range(2)]
    first, second = (next(one.asks) for one in made)
    assert 0 < first != second > 0


def test_nobody_answers_and_nothing_is_paired(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "ANSWER_S", 0.1)

    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1)
        assert isinstance(await room.hear(), PairingAsked)
        ended = await room.hear()
        assert isinstance(ended, PairingEnded)
        assert (ended.reason, ended.open) == (PairingEnd.UNANSWERED, True)
        assert (await room.until(lambda found: found["outcomes"]))["outcomes"] == ["refused"]
        assert not room.pairing.answer(Said(yes=True))  # too late

    story(scene)


def test_outside_the_window_a_request_is_refused_and_counted(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.until(lambda found: not found["adapter"]["Pairable"])  # even from the start
        await room.do("ask", address=PHONE, number=1)
        assert (await room.until(lambda found: found["outcomes"]))["outcomes"] == ["not pairable"]
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1)
        assert isinstance(await room.hear(), PairingAsked)
        room.pairing.take_order(OpenPairing(0.0))
        assert await room.hear() == PairingEnded(reason=PairingEnd.SHUT)
        await room.until(lambda found: found["outcomes"][1:] == ["refused"])
        await room.do("ask", address=PHONE, number=1, force=True)  # BlueZ has not noticed yet
        await room.until(lambda found: found["outcomes"][2:] == ["refused"])
        assert room.refused == {"pairing_outside": 1}
        assert room.told.empty()

    story(scene)


def test_a_second_request_is_refused_while_a_person_looks_at_the_first(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1)
        assert isinstance(await room.hear(), PairingAsked)
        await room.do("ask", address="6A:00:00:00:00:22", number=2)
        await room.until(lambda found: found["outcomes"] == ["refused"])
        assert room.refused == {"pairing_second": 1}
        room.pairing.answer(Said(yes=True))
        await room.until(lambda found: found["outcomes"] == ["refused", "agreed"])

    story(scene)


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("authorize", "pairing_without_digits"),
        ("type", "pairing_unasked"),
        ("show", "pairing_unasked"),
        ("RequestPinCode", "pairing_old_kind"),
        ("AuthorizeService", "pairing_old_kind"),
    ],
)
def test_a_stranger_gets_in_by_no_other_way(story: Story, way: str, reason: str) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1, way=way)
        await room.until(lambda found: found["outcomes"] == ["refused"])
        assert room.refused[reason] >= 1
        assert room.told.empty()

    story(scene)


def test_a_phone_is_no_concern_of_a_window_for_another_device(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(new=NEW_CUFF))
        bluez = await room.bonds()
        assert not bluez["adapter"]["Discoverable"]
        await room.do("ask", address=PHONE, number=1)
        await room.until(lambda found: found["outcomes"] == ["refused"])
        assert room.refused == {"pairing_unasked": 1}

    story(scene)


def test_a_cuff_that_shows_a_key_is_paired_by_the_key_that_is_typed(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address=CUFF, how={"way": "type", "number": 4711})
        await room.open(Wish(new=NEW_CUFF))
        assert await room.hear() == PairingAsked("cuff", Wanted.TYPE, ask=1)
        assert not room.pairing.answer(Said(yes=True))  # a yes is no key
        room.pairing.take_order(PairingAnswer(yes=True, key="999999"))
        assert await room.hear() == PairingEnded("cuff", reason=PairingEnd.WRONG_KEY, open=True)
        assert await room.hear() == PairingAsked("cuff", Wanted.TYPE, ask=2)
        room.pairing.take_order(PairingAnswer(yes=True, key="004711"))
        assert await room.hear() == PairingEnded("cuff", done=True, reason=PairingEnd.PAIRED)
        assert load(room.list) == (NEW_CUFF,)
        assert not (await room.until(lambda found: not found["agents"]))["discovering"]

    story(scene)


def test_a_key_that_is_wrong_three_times_ends_the_window_and_it_says_why(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address=CUFF, how={"way": "type", "number": 4711})
        await room.open(Wish(new=NEW_CUFF))
        for n in (1, 2, 3):
            assert await room.hear() == PairingAsked("cuff", Wanted.TYPE, ask=n)
            room.pairing.answer(Said(yes=True, key="1"))
            assert await room.hear() == PairingEnded("cuff", reason=PairingEnd.WRONG_KEY, open=True)
        assert await room.hear() == PairingEnded(reason=PairingEnd.WRONG_KEY)
        assert load(room.list) == ()

    story(scene)


def test_a_key_that_is_typed_at_the_device_is_told_once_and_can_be_given_up(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address=CUFF, how={"way": "show", "number": 12})
        await room.open(Wish(new=NEW_CUFF))
        assert await room.hear() == PairingAsked("cuff", Wanted.SHOW, "000012", 1)
        room.pairing.answer(Said(yes=False))
        assert await room.hear() == PairingEnded("cuff", reason=PairingEnd.NO, open=True)
        assert await room.hear() == PairingAsked("cuff", Wanted.SHOW, "000012", 2)
        assert await room.hear() == PairingEnded("cuff", done=True, reason=PairingEnd.PAIRED)

    story(scene)


@pytest.mark.parametrize("way", ["just_works", "authorize"])
def test_a_band_without_keys_and_screen_is_paired_as_it_is(story: Story, way: str) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address=BAND, how={"way": way, "name": "X"})
        await room.open(Wish(new=NEW_BAND))
        assert await room.hear() == PairingEnded("band", done=True, reason=PairingEnd.PAIRED)
        assert load(room.list) == (NEW_BAND,)
        assert room.refused == {}

    story(scene)


def test_a_foreign_device_with_our_name_is_another_device(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address="A4:C1:38:00:00:99", how={"name": "cuff"})
        await room.open(Wish(new=NEW_CUFF, s=1.5))
        assert await room.hear() == PairingEnded(reason=PairingEnd.OVER)
        bluez = await room.until(lambda found: not found["agents"])
        assert bluez["outcomes"] == []

    story(scene)


def test_a_stale_bond_is_removed_and_paired_anew(story: Story) -> None:
    async def scene(room: Room) -> None:
        room.list.write_text(
            f'[[device]]\nkind = "wearable"\nname = "band"\naddress = "{BAND}"\nwhat = "band"\n'
        )
        await room.do("around", address=BAND, how={"paired": True})
        room.pairing.noted(Trouble(Part.BOND, present=True, device="band"))
        room.pairing.take_order(OpenPairing(120.0))
        assert await room.hear() == PairingOpened(120.0)
        assert await room.hear() == PairingEnded("band", done=True, reason=PairingEnd.PAIRED)
        bluez = await room.until(lambda found: not found["agents"])
        assert f"RemoveDevice={BAND.replace(':', '_')}" in bluez["calls"]
        assert bluez["outcomes"] == ["paired"]
        assert (load(room.list), room.paired) == ((NEW_BAND,), [BAND])
        room.pairing.take_order(OpenPairing(1.0))  # nothing is stale any more: it is for phones
        assert await room.hear() == PairingOpened(1.0)
        assert await room.hear() == PairingEnded(reason=PairingEnd.OVER)

    story(scene)


def test_nobody_else_connects_to_a_device_from_before_its_bond_is_removed_until_it_is_paired(
    story: Story,
) -> None:
    async def scene(room: Room) -> None:
        seen = list[tuple[str, bool, bool]]()

        @asynccontextmanager
        async def apart(address: str) -> AsyncIterator[None]:
            calls = (await room.bonds())["calls"]
            seen.append((address, any(call.startswith("RemoveDevice") for call in calls), False))
            yield
            bluez = await room.bonds()
            removed = any(call.startswith("RemoveDevice") for call in bluez["calls"])
            seen.append((address, removed, bluez["outcomes"] == ["paired"]))

        room.pairing.apart = apart
        room.list.write_text(
            f'[[device]]\nkind = "wearable"\nname = "band"\naddress = "{BAND}"\nwhat = "band"\n'
        )
        await room.do("around", address=BAND, how={"paired": True})
        await room.open(Wish(names=("band",)))
        assert await room.hear() == PairingEnded("band", done=True, reason=PairingEnd.PAIRED)
        await room.pairing.settled()
        assert seen == [(BAND, False, False), (BAND, True, True)]

    story(scene)


def test_an_absent_device_is_searched_for_by_turns_and_no_longer_than_the_window(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it searches, the press of a pendant may be missed; in between it listens as always."""
    monkeypatch.setattr(bonds, "LOOK_S", 0.05)

    async def scene(room: Room) -> None:
        async def searching(*, now: bool) -> None:
            async with asyncio.timeout(PATIENCE_S):
                while (await room.do("state"))["discovering"] is not now:
                    pass

        await room.open(Wish(new=NEW_BAND))
        for now in (True, False, True, False):
            await searching(now=now)
        await searching(now=True)
        room.pairing.shut()
        await room.pairing.settled()
        assert await room.hear() == PairingEnded(reason=PairingEnd.SHUT)
        state = await room.do("state")
        assert not state["discovering"]
        ends = [c for c in state["calls"] if c in {"StopDiscovery", "UnregisterAgent"}]
        assert ends[-2:] != ["UnregisterAgent", "StopDiscovery"], "first of all"
        await room.open(Wish(new=NEW_BAND))
        await searching(now=True)
        await room.do("around", address=BAND, how={"way": "just_works"})
        assert await room.hear() == PairingEnded("band", done=True, reason=PairingEnd.PAIRED)
        assert not (await room.do("state"))["discovering"]

    story(scene)


def test_a_bond_that_works_again_is_not_paired_anew(story: Story) -> None:
    async def scene(room: Room) -> None:
        room.list.write_text(
            f'[[device]]\nkind = "wearable"\nname = "band"\naddress = "{BAND}"\nwhat = "band"\n'
        )
        await room.do("around", address=BAND, how={"paired": True})
        room.pairing.noted(Trouble(Part.BOND, present=True, device="band"))
        room.pairing.noted(Trouble(Part.BOND, present=False, device="band"))
        room.pairing.noted(Trouble(Part.MUTE, present=True, device="band"))
        room.pairing.take_order(OpenPairing(0.5))
        assert await room.hear() == PairingOpened(0.5)
        assert await room.hear() == PairingEnded(reason=PairingEnd.OVER)
        assert (await room.bonds())["outcomes"] == []

    story(scene)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("AuthenticationTimeout", PairingEnd.UNANSWERED),
        ("ConnectionAttemptFailed", PairingEnd.ABSENT),
        ("AuthenticationCanceled", PairingEnd.LEFT),
        ("InProgress", PairingEnd.FAILED),
    ],
)
def test_the_reason_of_bluez_is_told(story: Story, error: str, reason: PairingEnd) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address=BAND, how={"error": error})
        await room.open(Wish(new=NEW_BAND))
        assert await room.hear() == PairingEnded("band", reason=reason, open=True)

    story(scene)


def test_a_pairing_that_bluez_holds_no_bond_of_is_none(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("around", address=BAND, how={"no_bond": True})
        await room.open(Wish(new=NEW_BAND))
        assert await room.hear() == PairingEnded("band", reason=PairingEnd.FAILED, open=True)
        assert not room.list.exists()

    story(scene)


def test_a_device_that_is_listed_by_then_is_not_listed_twice(story: Story) -> None:
    async def scene(room: Room) -> None:
        room.list.write_text(
            f'[[device]]\nkind = "wearable"\nname = "band"\naddress = "{CUFF}"\nwhat = "cuff"\n'
        )
        await room.do("around", address=BAND, how={})
        await room.open(Wish(new=NEW_BAND))
        assert await room.hear() == PairingEnded("band", reason=PairingEnd.FAILED, open=True)
        assert len(load(room.list)) == 1

    story(scene)


def test_a_phone_that_breaks_off_leaves_time_for_another(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await room.do("ask", address=PHONE, number=1)
        assert isinstance(await room.hear(), PairingAsked)
        await room.do("cancel")
        assert await room.hear() == PairingEnded(reason=PairingEnd.LEFT, open=True)
        await room.until(lambda found: found["outcomes"] == ["refused"])
        await room.do("ask", address=PHONE, number=2)
        assert isinstance(await room.hear(), PairingAsked)

    story(scene)


def test_a_phone_that_was_bonded_before_is_known_by_the_link_that_stays(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "FINISH_S", 0.3)

    async def scene(room: Room) -> None:
        room.list.write_text(
            f'[[device]]\nkind = "phone"\nname = "daughter"\naddress = "{PHONE}"\nconsent = true\n'
        )
        await room.open(Wish(phone=True))
        for paired in (False, True):
            await room.do("ask", address=PHONE, number=1)
            assert isinstance(await room.hear(), PairingAsked)
            if paired:
                await room.do("known", address=PHONE)
            room.pairing.answer(Said(yes=True))
            ended = await room.hear()
            assert isinstance(ended, PairingEnded)
            assert (ended.done, ended.open) == (paired, not paired)
        assert load(room.list) == (Phone("daughter", PHONE, consent=True),)

    story(scene)


def test_bluez_that_goes_away_ends_the_window_and_the_next_one_works(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(phone=True))
        await asyncio.to_thread(room.bluez.restart)
        assert await room.hear() == PairingEnded(reason=PairingEnd.FAILED)
        await room.open(Wish(phone=True))
        await room.do("release")
        assert await room.hear() == PairingEnded(reason=PairingEnd.FAILED)

    story(scene)


def test_without_bluez_or_where_it_refuses_the_window_is_told_as_failed(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.do("set", no_agents=True)
        assert room.pairing.open(Wish(phone=True))
        assert await room.hear() == PairingEnded(reason=PairingEnd.FAILED)
        await room.do("vanish")
        assert room.pairing.open(Wish(phone=True))
        assert await room.hear() == PairingEnded(reason=PairingEnd.FAILED)
        await asyncio.to_thread(room.bluez.kill)
        assert room.pairing.open(Wish(phone=True))
        assert await room.hear() == PairingEnded(reason=PairingEnd.FAILED)
        assert not room.pairing.is_open

    story(scene)


def test_a_hub_that_has_just_begun_learns_that_the_window_is_open(story: Story) -> None:
    async def scene(room: Room) -> None:
        await room.open(Wish(60.0, phone=True))
        room.pairing.take_order(OpenPairing(120.0))
        again = await room.hear()
        assert isinstance(again, PairingOpened)
        assert 50.0 < again.s <= 60.0

    story(scene)


def test_one_window_at_a_time_and_other_orders_are_none_of_ours(story: Story) -> None:
    async def scene(room: Room) -> None:
        room.pairing.take_order(Ping(1))
        assert not room.pairing.answer(Said(yes=True))
        await room.open(Wish(phone=True))
        assert not room.pairing.open(Wish(phone=True))
        room.pairing.shut()
        assert await room.hear() == PairingEnded(reason=PairingEnd.SHUT)
        assert room.pairing.open(Wish(phone=True))
        room.pairing.shut()  # before it was open
        assert isinstance(await room.hear(), PairingEnded | PairingOpened)

    story(scene)
