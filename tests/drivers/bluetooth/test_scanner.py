"""The scanner against the fake `org.bluez`: what is heard, and what it does when things break."""

import asyncio
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from dbus_fast import Message, Variant
from dbus_fast.aio import MessageBus

from drivers.bluetooth.air import BTHOME, Advert
from drivers.bluetooth.bluez import bus as dbus
from drivers.bluetooth.bluez import monitor, scanner
from drivers.bluetooth.bluez.scanner import Scanner
from drivers.bluetooth.settings import Adapters
from hub.contract.radio import Part
from tests.drivers.bluetooth.conftest import Addresses, Ear, beside, until
from tests.drivers.bluetooth.fake_bluez import ADAPTER, HCI
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

PENDANT, DOOR, STRANGER = "A4:C1:38:00:00:01", "A4:C1:38:00:00:02", "5A:00:00:00:00:01"
PHONE = "C4:C5:C6:C7:C8:C9"
MENDED = (6, 12, 0)


class Story:
    """A scanner that listens to the pendant, and what it hears."""

    def __init__(self, bluez: FakeBlueZ, rfkill: Path, **settings: object) -> None:
        self.bluez, self.rfkill = bluez, rfkill
        usual = {"kernel": MENDED, "tell_after_s": 0.3, "rfkill": rfkill}
        self.settings = usual | settings
        self.ear, self.addresses = Ear(), Addresses(PENDANT)
        self.scanner: Scanner
        self.presses = 0

    def run(self, story: object) -> None:
        async def all_of_it() -> None:
            self.scanner = Scanner(**self.settings)  # type: ignore[arg-type]
            await beside(self.scanner.listen(self.addresses, self.ear), self._told(story))

        asyncio.run(all_of_it())

    async def _told(self, story: object) -> None:
        await self.scanning()
        await story(self)  # type: ignore[operator]

    async def scanning(self) -> float:
        return await until(lambda: self.scanner.adapter, "it scans")

    async def do(self, what: str, **order: object) -> dict[str, object]:
        """Without stopping the loop: the fake may be asking us something."""
        return await asyncio.to_thread(self.bluez.do, what, **order)

    async def press(self, address: str = PENDANT) -> bool:
        """Press; return whether it was heard."""
        self.presses += 1
        frame = self.presses.to_bytes(4, "big").hex()
        await self.do("advert", address=address, data={BTHOME: frame})
        ends = time.monotonic() + 0.5
        await until(lambda: self._heard(frame) or time.monotonic() > ends, "heard, or not")
        return self._heard(frame)

    async def until_heard_again(self) -> None:
        """Press until it hears; how soon that is, `bench.radio_load` measures."""
        begun = time.monotonic()
        while not await self.press():
            assert time.monotonic() - begun < 60, f"deaf; {self.ear.troubles}"

    def _heard(self, frame: str) -> bool:
        return any(a.service_data.get(BTHOME, b"").hex() == frame for a in self.ear.adverts)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, with less patience."""
    monkeypatch.setattr(scanner, "TICK_S", 0.5)
    monkeypatch.setattr(scanner, "PING_S", 1.0)
    monkeypatch.setattr(dbus, "CALL_S", 3.0)


@pytest.fixture
def home(bluez: FakeBlueZ, tmp_path: Path) -> Story:
    return Story(bluez, tmp_path)


def test_a_press_is_heard_passively_and_once(home: Story) -> None:
    async def story(home: Story) -> None:
        assert await home.press()
        frame = home.ear.adverts[-1].service_data[BTHOME].hex()
        for rssi in (-61, -62, -63):  # the same again: BlueZ tells the strength only
            await home.do("advert", address=PENDANT, data={BTHOME: frame}, rssi=rssi)
        assert await home.press()

    home.run(story)
    assert len(home.ear.adverts) == 2
    assert home.scanner.passive
    assert home.bluez.do("state")["calls"].count("StartDiscovery") == 0
    assert home.ear.out == set()


def test_an_advert_without_data_does_not_bring_the_old_press_back(home: Story) -> None:
    async def story(home: Story) -> None:
        assert await home.press()
        for rssi in range(-70, -60):
            await home.do("advert", address=PENDANT, data={}, rssi=rssi)
        await home.do("forget", address=PENDANT)
        await home.do("advert", address=PENDANT, data={}, name="SBBT")
        await until(lambda: len(home.ear.adverts) == 2, "the name is told")

    home.run(story)
    assert home.ear.adverts[1].service_data == {}
    assert home.ear.adverts[1].name == "SBBT"


def test_a_pendant_that_bluez_has_forgotten_is_heard_at_its_first_advert(home: Story) -> None:
    async def story(home: Story) -> None:
        for _ in range(3):
            assert await home.press()
            await home.do("forget", address=PENDANT)

    home.run(story)


def test_what_strangers_say_is_not_even_delivered(
    home: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivered = list[object]()

    async def story(home: Story) -> None:
        monkeypatch.setattr(home.scanner._devices, "changed", lambda *said: delivered.append(said))
        for n in range(50):
            await home.do("advert", address=STRANGER, data={BTHOME: f"44{n:02x}"}, name="pendant")

    home.run(story)
    assert delivered == []


def test_a_phone_is_near_under_its_identity_though_its_path_is_of_an_address_it_made_up(
    home: Story,
) -> None:
    async def story(home: Story) -> None:
        await home.do("advert", address=STRANGER, data={})
        await home.do("identify", address=STRANGER, identity=PHONE)  # it is paired
        home.addresses.put(PENDANT, PHONE)
        await until(lambda: PHONE in home.scanner._ruled.values(), "it is listed")
        await home.do("advert", address=PHONE, data={}, rssi=-50)
        await until(lambda: home.ear.here.get(PHONE), "it is near")

    home.run(story)


def test_a_phone_that_is_paired_again_is_near_though_the_list_is_the_same(home: Story) -> None:
    async def story(home: Story) -> None:
        home.addresses.put(PENDANT, PHONE)
        await until(lambda: PHONE in home.scanner._ruled.values(), "it is listed")
        await home.do("advert", address=STRANGER, data={})
        await home.do("identify", address=STRANGER, identity=PHONE)
        home.addresses.put(PENDANT, PHONE)
        await until(lambda: len(home.scanner._ruled) == 3, "its path is found")
        await home.do("advert", address=PHONE, data={}, rssi=-50)
        await until(lambda: home.ear.here.get(PHONE), "it is near")

    home.run(story)


def test_a_device_that_is_paired_meanwhile_is_heard_without_a_new_scan(home: Story) -> None:
    async def story(home: Story) -> None:
        assert not await home.press(DOOR)
        home.addresses.put(PENDANT, DOOR)
        await until(lambda: DOOR in home.scanner._ruled.values(), "it is listed")
        assert await home.press(DOOR)
        home.addresses.put(PENDANT)
        await until(lambda: DOOR not in home.scanner._ruled.values(), "it is listed no more")
        assert not await home.press(DOOR)

    home.run(story)
    assert home.bluez.do("state")["calls"].count("RegisterMonitor") == 1


def test_a_steady_device_is_near_until_the_monitor_loses_it(
    bluez: FakeBlueZ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "FOUND_S", 1)

    async def story(home: Story) -> None:
        await home.do("advert", address=PENDANT, data={})
        await until(lambda: home.ear.here.get(PENDANT), "it is near at its first advert")
        async with asyncio.timeout(60):
            while not (await home.do("state"))["found"]:  # `FOUND_S` after the first
                await home.do("advert", address=PENDANT, data={})  # the same: RSSI as before
        lasting = time.monotonic() + 2.0  # beyond `away_s`: nothing is heard, and it is still here
        await until(lambda: time.monotonic() > lasting, "the time is over")
        assert home.ear.here == {PENDANT: True}
        await home.do("silent", address=PENDANT)
        await until(lambda: home.ear.here == {PENDANT: False}, "it is away")
        await home.do("advert", address=PENDANT, data={}, rssi=-50)
        await until(lambda: home.ear.here == {PENDANT: True}, "it is back")

    Story(bluez, tmp_path, away_s=1.0).run(story)


def test_a_steady_device_is_told_as_near_again_and_again_until_it_is_lost(
    bluez: FakeBlueZ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever begins to look later has to learn of it, too: an installation, a hub."""
    monkeypatch.setattr(monitor, "FOUND_S", 1)

    async def story(home: Story) -> None:
        async with asyncio.timeout(60):
            while not (await home.do("state"))["found"]:
                await home.do("advert", address=PENDANT, data={})
        home.ear.nears.clear()  # from here on BlueZ says nothing: the same, again and again
        await until(lambda: len(home.ear.nears) >= 3, "it is told again")
        await home.do("silent", address=PENDANT)
        await until(lambda: home.ear.here == {PENDANT: False}, "it is away")
        home.ear.nears.clear()
        lasting = time.monotonic() + 2.0
        await until(lambda: time.monotonic() > lasting, "the time is over")
        assert home.ear.nears == []

    Story(bluez, tmp_path, away_s=1.0).run(story)


class Watch:
    """The devices of a list on a clock of the test's own, looked at as the scanner does."""

    def __init__(self, *addresses: str) -> None:
        self.at = 0.0
        self.told = list[tuple[float, str, bool]]()
        self.devices = scanner._Devices(lambda: self.at)
        self.devices.listener = self
        self.devices.list(frozenset(addresses))

    def heard(self, advert: Advert) -> None:
        raise NotImplementedError

    def trouble(self, part: Part, *, present: bool, detail: str = "") -> None:
        raise NotImplementedError

    def near(self, address: str, *, near: bool) -> None:
        self.told.append((self.at, address, near))

    def look(self, until: float, every_s: float = 4.0) -> None:
        """Go on to a time, with a look every so often."""
        while self.at < until:
            self.at += every_s
            self.devices.look(scanner.AWAY_S)

    def seen(self, address: str) -> list[float]:
        return [at for at, who, near in self.told if who == address and near]


def test_a_phone_at_home_for_two_hours_is_told_all_the_time_and_not_after_its_last_advert() -> None:
    watch = Watch(PHONE)
    for second in range(0, 7200, 3):
        watch.at = float(second)
        watch.devices.changed(PHONE, {"RSSI": Variant("n", -60)})
        watch.devices.look(scanner.AWAY_S)
    assert max(after - before for before, after in pairwise(watch.seen(PHONE))) <= 8.0
    last = watch.seen(PHONE)[-1]
    watch.look(8000.0)
    assert watch.seen(PHONE)[-1] == last  # near for 30 s more, but nobody has heard it
    at, *away = watch.told[-1]
    assert away == [PHONE, False]
    assert at == pytest.approx(last + scanner.AWAY_S, abs=8.0)


def test_a_phone_that_was_connected_before_this_process_began_is_near() -> None:
    watch = Watch(PHONE)
    held = {"Address": Variant("s", PHONE), "Connected": Variant("b", True)}  # noqa: FBT003
    watch.devices.known(PHONE, {scanner.DEVICE: held})
    watch.look(100.0)
    assert len(watch.seen(PHONE)) > 20


def test_that_a_device_is_lost_is_no_word_that_it_is_near() -> None:
    watch = Watch(PHONE)
    watch.devices.came(PHONE, here=False)
    watch.look(100.0)
    assert [(who, near) for _, who, near in watch.told] == [(PHONE, False)]
    assert watch.told[0][0] > scanner.AWAY_S


def test_that_a_device_is_lost_or_a_scan_begins_is_no_word_that_it_is_still_near() -> None:
    watch = Watch(PHONE)
    watch.devices.came(PHONE, here=True)
    watch.look(20.0)
    watch.told.clear()
    watch.devices.came(PHONE, here=False)
    watch.look(40.0)
    watch.devices.begin()
    watch.look(100.0)
    assert [(who, near) for _, who, near in watch.told] == [(PHONE, False)]


def test_a_device_that_left_while_it_was_off_the_list_is_not_near_when_it_is_back_on_it() -> None:
    """Else a dead sensor would be told as alive each minute: nobody heard that it was lost."""
    watch = Watch(PHONE)
    watch.devices.came(PHONE, here=True)
    watch.devices.list(frozenset())
    watch.devices.came(PHONE, here=False)
    watch.devices.list(frozenset({PHONE}))
    watch.told.clear()
    watch.look(100.0)
    assert [(who, near) for _, who, near in watch.told] == [(PHONE, False)]


def test_of_many_devices_few_are_told_at_a_look_and_each_has_its_turn() -> None:
    """What is told in a second has a bound, and an opened door must not be beyond it."""
    everybody = [f"A4:C1:38:00:01:{n:02X}" for n in range(64)]
    watch = Watch(*everybody)
    for address in everybody:
        watch.devices.came(address, here=True)
    watch.told.clear()
    watch.look(600.0)
    looks = Counter(at for at, _, _ in watch.told)
    assert max(looks.values()) <= 16
    for address in everybody:
        assert max(after - before for before, after in pairwise(watch.seen(address))) <= 20.0


def test_adverts_of_strangers_are_no_calls_to_the_monitor(
    home: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BlueZ calls a monitor without RSSI thresholds for each advert of each device."""
    called = list[object]()
    monkeypatch.setattr(scanner.Scanner, "_came", lambda _, *said: called.append(said))

    async def story(home: Story) -> None:
        for n in range(50):
            await home.do("advert", address=STRANGER, data={BTHOME: f"44{n:02x}"})
        assert await home.press()

    home.run(story)
    assert called == []


def test_the_patterns_fit_into_bluezs_request() -> None:
    assert 1 + 34 * len(monitor.PATTERNS) < 256


def test_after_bluetoothd_was_restarted_it_hears_again_and_nobody_is_told(
    bluez: FakeBlueZ, tmp_path: Path
) -> None:
    home = Story(bluez, tmp_path, tell_after_s=5.0)

    async def story(home: Story) -> None:
        assert await home.press()
        await asyncio.to_thread(home.bluez.restart)
        await home.until_heard_again()

    home.run(story)
    assert True not in {present for _, present in home.ear.troubles}
    assert home.scanner._rung == 0  # the scanner was not at fault


def test_without_bluetoothd_it_says_so_and_goes_on_when_there_is_one(home: Story) -> None:
    async def story(home: Story) -> None:
        await asyncio.to_thread(home.bluez.kill)
        await until(lambda: home.ear.out == {Part.DAEMON}, "it is told")
        await asyncio.to_thread(home.bluez.start)
        await home.until_heard_again()

    home.run(story)
    assert home.ear.out == set()


def test_a_bluetoothd_that_hangs_is_told_and_heard_through_again(home: Story) -> None:
    async def story(home: Story) -> None:
        home.bluez.stop()
        await until(lambda: Part.DAEMON in home.ear.out, "it is told")
        home.bluez.resume()
        await home.until_heard_again()

    home.run(story)
    assert home.ear.out == set()


def test_after_the_bus_itself_was_restarted_it_hears_again(bus: PrivateBus, home: Story) -> None:
    async def story(home: Story) -> None:
        await asyncio.to_thread(bus.kill)
        await until(lambda: home.ear.out == {Part.DAEMON}, "it is told")
        await asyncio.to_thread(bus.start)
        await asyncio.to_thread(home.bluez.restart)
        await home.until_heard_again()

    home.run(story)


def test_an_adapter_that_is_pulled_out_is_told_and_heard_through_again(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("vanish")
        await until(lambda: home.ear.out == {Part.ADAPTER}, "it is told")
        assert home.ear.details[Part.ADAPTER] == "missing: any"
        await home.do("return")
        await home.until_heard_again()

    home.run(story)
    assert home.ear.out == set()


def test_an_adapter_that_somebody_switches_off_is_switched_on_again(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("powered", on=False)
        await home.until_heard_again()

    home.run(story)
    assert "Powered=True" in home.bluez.do("state")["calls"]


def test_an_adapter_that_goes_off_while_the_scan_begins_is_switched_on_again(home: Story) -> None:
    """Else the radio would look well, and hear nothing for ever."""

    async def story(home: Story) -> None:
        await home.until_heard_again()

    home.bluez.do("set", goes_off=True)
    home.run(story)


def test_a_blocked_adapter_is_told_as_blocked_until_it_is_free(home: Story) -> None:
    switch = home.rfkill / "rfkill0"

    async def story(home: Story) -> None:
        switch.mkdir()
        for name, text in (("type", "bluetooth"), ("name", "hci0"), ("soft", "1"), ("hard", "0")):
            (switch / name).write_text(f"{text}\n")
        await home.do("set", blocked=True)
        await home.do("powered", on=False)
        await until(lambda: home.ear.out == {Part.BLOCKED}, "it is told")
        assert home.ear.details[Part.BLOCKED] == "rfkill: soft"
        (switch / "soft").write_text("0\n")
        await home.do("set", blocked=False)
        await home.until_heard_again()

    home.run(story)
    assert home.ear.out == set()


def test_an_adapter_that_another_program_holds_is_told(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("set", busy=True)
        await home.do("powered", on=False)
        await until(lambda: home.ear.out == {Part.ADAPTER}, "it is told")
        assert "org.bluez.Error.Busy" in home.ear.details[Part.ADAPTER]
        await home.do("set", busy=False)
        await home.until_heard_again()

    home.run(story)


def test_the_adapter_that_was_named_is_waited_for(bluez: FakeBlueZ, tmp_path: Path) -> None:
    home = Story(bluez, tmp_path, wanted=Adapters(listen="B8:27:EB:00:00:01"))

    async def story(home: Story) -> None:
        assert await home.press()

    home.run(story)
    other = Story(bluez, tmp_path, wanted=Adapters(listen="hci1"))

    async def waits() -> None:
        scanner = Scanner(**other.settings)  # type: ignore[arg-type]
        missing = until(lambda: other.ear.out == {Part.ADAPTER}, "it is told")
        await beside(scanner.listen(other.addresses, other.ear), missing)  # type: ignore[arg-type]

    asyncio.run(waits())
    assert other.ear.details[Part.ADAPTER] == "missing: hci1"


def test_where_passive_scanning_is_refused_it_scans_actively_and_says_so(home: Story) -> None:
    home.bluez.do("set", no_passive=True)

    async def story(home: Story) -> None:
        assert home.ear.out == {Part.PASSIVE}
        assert await home.press()
        await home.do("set", no_passive=False)
        await asyncio.to_thread(home.bluez.restart)  # with Experimental on
        await home.until_heard_again()

    home.run(story)
    assert home.ear.out == set()
    assert home.scanner.passive


def test_a_kernel_that_drops_repeats_is_told_and_scanned_around(
    bluez: FakeBlueZ, tmp_path: Path
) -> None:
    home = Story(bluez, tmp_path, kernel=(6, 1, 90))

    async def story(home: Story) -> None:
        assert await home.press()
        state = await home.do("state")
        assert (state["monitors"], state["discovering"]) == (1, True)

    home.run(story)
    assert home.ear.out == {Part.PASSIVE}
    assert "6.1.90" in home.ear.details[Part.PASSIVE]


def test_a_scanner_that_fails_is_mended_by_switching_the_adapter_off_and_on(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("set", refuse_until_cycled=True)
        await home.do("release")
        await home.until_heard_again()

    home.run(story)
    assert "Powered=False" in home.bluez.do("state")["calls"]
    assert home.scanner.passive


@pytest.mark.parametrize("name", scanner.GONE)
def test_a_call_to_somebody_who_has_just_left_is_no_refusal(
    home: Story, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def gone(*_: object) -> None:
        raise dbus.RefusedError(name)

    async def story(home: Story) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(home.scanner, "_watch", gone)
            await home.do("release")
            await until(lambda: home.scanner._failures > 2, "it fails again and again")
        await home.until_heard_again()

    home.run(story)
    assert "Powered=False" not in home.bluez.do("state")["calls"]


def test_one_refusal_after_a_long_absence_does_not_switch_the_adapter_off(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("vanish")
        await until(lambda: home.scanner._failures > 3, "it has waited for long")
        await home.do("set", refuse_times=1)
        await home.do("return")
        await home.until_heard_again()

    home.run(story)
    calls = home.bluez.do("state")["calls"]
    assert calls.count("RegisterMonitor") == 3
    assert "Powered=False" not in calls
    assert home.scanner.passive


def test_a_monitor_that_is_released_again_and_again_leads_to_active_scanning(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("set", releases=True)
        await home.do("release")
        await until(lambda: home.ear.out == {Part.PASSIVE}, "it scans actively")
        assert await home.press()

    home.run(story)
    calls = home.bluez.do("state")["calls"]
    assert calls.count("RegisterMonitor") <= 4
    assert calls.count("Powered=False") == 1
    assert home.ear.details[Part.PASSIVE] == scanner.RELEASED


def test_a_ladder_that_was_climbed_in_vain_is_a_fault_and_is_climbed_again(home: Story) -> None:
    async def story(home: Story) -> None:
        await home.do("set", refuse=True)
        await home.do("release")
        await until(lambda: home.ear.out == {Part.SCANNER}, "it is told")
        await home.do("set", refuse=False)
        await until(lambda: home.ear.out == set(), "it works again")
        assert await home.press()

    home.run(story)
    assert "Powered=False" in home.bluez.do("state")["calls"]


def test_after_a_long_silence_it_scans_anew_and_a_quiet_home_is_no_fault(
    bluez: FakeBlueZ, tmp_path: Path
) -> None:
    home = Story(bluez, tmp_path, silent_s=1.0)

    async def story(home: Story) -> None:
        await home.do("set", deaf=True)
        await until(lambda: bluez.do("state")["calls"].count("RegisterMonitor") > 1, "anew")
        await home.do("set", deaf=False)
        await home.until_heard_again()

    home.run(story)
    assert home.ear.out == set()


def test_an_adapter_that_hears_nothing_however_often_is_switched_off_and_on(
    bluez: FakeBlueZ, tmp_path: Path
) -> None:
    home = Story(bluez, tmp_path, silent_s=0.2)

    async def story(home: Story) -> None:
        await home.do("set", deaf=True)
        await until(lambda: home.scanner._silences == 2, "it scans anew")
        assert "Powered=False" not in (await home.do("state"))["calls"]  # type: ignore[operator]
        await until(lambda: "Powered=False" in bluez.do("state")["calls"], "it is cycled")
        await home.do("set", deaf=False)
        begun = time.monotonic()
        while home.scanner._silences >= 2:  # what it hears ends the count
            await home.press()
            assert time.monotonic() - begun < 60

    home.run(story)
    assert home.ear.out == set()


def test_what_bluez_still_holds_is_told_at_the_start(bluez: FakeBlueZ, tmp_path: Path) -> None:
    """A press that was heard by a process which was killed before it could tell it."""

    async def first(home: Story) -> None:
        assert await home.press()

    async def second(home: Story) -> None:
        await until(lambda: home.ear.adverts, "the press")

    Story(bluez, tmp_path).run(first)
    again = Story(bluez, tmp_path)
    again.run(second)
    assert [a.service_data[BTHOME].hex() for a in again.ear.adverts] == ["00000001"]


def test_a_press_while_the_scan_is_being_prepared_is_told(
    home: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BlueZ hears for another program, and tells each press once."""
    match, frame, others = dbus.match, "0000abcd", list[MessageBus]()

    async def late(bus: MessageBus, rule: str, *, wanted: bool = True) -> None:
        if PENDANT.replace(":", "_") in rule and not others:
            other = await dbus.connect()
            others.append(other)
            await dbus.call(other, Message(dbus.BLUEZ, HCI, ADAPTER, "StartDiscovery"))
            await home.do("advert", address=PENDANT, data={BTHOME: frame})
        await match(bus, rule, wanted=wanted)

    async def story(home: Story) -> None:
        await until(lambda: home._heard(frame), "the press", patience_s=5.0)
        others[0].disconnect()
        await others[0].wait_for_disconnect()  # type: ignore[no-untyped-call]

    monkeypatch.setattr(dbus, "match", late)
    home.run(story)
