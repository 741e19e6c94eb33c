"""The list of wireless devices in a running hub: taken up at once, and never lost by a mistake."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from msgspec.structs import replace

from drivers.bluetooth import devices
from hub import app
from hub.config import Config, load, rules_of
from hub.contract.messages import FaultKind, HubState
from hub.contract.radio import How
from hub.contract.wire import decode_from_hub
from hub.core.decide import decide
from hub.core.model.driver import Port
from hub.core.model.effects import Publish
from hub.core.model.events import DevicesChanged, LinkUp, WirelessPressed
from hub.core.model.rules import Button, Role, Sense, Sensor
from hub.core.model.state import HomeState
from hub.core.model.wireless import Pendant, Phone, Wearable, WirelessSensor
from hub.core.supervision import faults
from hub.process.blackbox import Opening
from hub.replay.transcript import opened
from hub.shared.language import Language
from hub.shared.messages import tell
from hub.shared.settings import Problem, SettingsError
from tests.broker import free_port
from tests.hub.rig import tell as live
from tests.hub.rig import until, write_config

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PENDANT = f"""
[[device]]
kind = "pendant"
name = "pendant"
address = "C0:FF:EE:12:34:56"
key = "{KEY}"
place = "목걸이"
"""
SMOKE = """
[[device]]
kind = "sensor"
name = "smoke"
address = "C0:FF:EE:12:34:57"
sense = "smoke"
place = "부엌"
"""
PRESS = WirelessPressed(0.0, "pendant", "p1", How.PRESS, 1, 1, 7, "aa")


class Quiet(msgspec.Struct, frozen=True):
    """A device that works and emits no events."""

    name: str = "help"

    async def run(self, port: Port) -> None:
        port.ready()
        async for _ in port.orders():
            pass


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(write_config(tmp_path, free_port()))


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """The list is looked at often, and the heap is that of all tests."""
    with (
        patch.object(devices, "LOOK_S", 0.02),
        patch("hub.shared.system.one_heap"),
        patch("hub.shared.system.settle_memory"),
    ):
        yield


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[app.Hub]:
    hub = app.Hub(config, (Quiet(),))
    task = asyncio.ensure_future(hub.run())
    try:
        await until(lambda: hub.link is not None or task.done(), "the hub has started")
        yield hub
    finally:
        await hub.leave()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def write(config: Config, text: str) -> None:
    folder = Path(config.state_dir)
    folder.mkdir(exist_ok=True)
    (folder / "new").write_text(text, encoding="utf-8")
    (folder / "new").rename(folder / devices.FILE)


def test_listed_devices_are_buttons_and_sensors_of_the_home(config: Config) -> None:
    some = (
        Pendant("pendant", "C0:FF:EE:12:34:56", KEY, place="목걸이"),
        Pendant("green", "C0:FF:EE:12:34:58", KEY, Role.CANCEL_BUTTON, silent_s=60.0),
        WirelessSensor("smoke", "C0:FF:EE:12:34:57", Sense.SMOKE, place="부엌"),
        Wearable("band", "C0:FF:EE:12:34:59", "band"),
        Phone("phone", "C0:FF:EE:12:34:60"),
        Phone("hers", "C0:FF:EE:12:34:61", consent=True),
    )
    rules = rules_of(config, "1", (Quiet(),), some)
    pendant = rules.buttons["pendant"]
    assert replace(pendant, wireless="") == Button(Role.HELP_BUTTON, "목걸이")
    assert pendant.wireless.startswith("C0:FF:EE:12:34:56/")
    assert KEY[:8] not in pendant.wireless
    other = rules_of(config, "1", (), (replace(some[0], key="0" * 32),)).buttons["pendant"]
    assert other.wireless != pendant.wireless, "with another key its counter begins anew"
    green = rules.buttons["green"]
    assert (green.role, green.silent_s, green.call) == (Role.CANCEL_BUTTON, 60.0, None)
    assert rules.sensors["smoke"] == Sensor(Sense.SMOKE, "부엌", silent_s=86_400.0)
    assert rules.sensors["band"].sense is Sense.WEARABLE
    assert (rules.phones, rules.listed) == (("phone", "hers"), True)
    assert rules.phones_told == ("hers",), "by consent only"
    assert "help" in rules.buttons, "the wired ones, too"
    assert not rules_of(config, "1", (Quiet(),), None).listed


@pytest.mark.parametrize("language", Language)
def test_a_pendant_without_a_key_is_refused_and_told_why(
    config: Config, language: Language
) -> None:
    write(config, PENDANT.replace(f'key = "{KEY}"\n', ""))
    with pytest.raises(SettingsError) as caught:
        devices.load(Path(config.state_dir) / devices.FILE)
    (mistake,) = caught.value.mistakes
    assert (mistake.problem, mistake.key) == (Problem.MISSING_KEY, "device[1].key")
    why = "예전 호출을 다시" if language is Language.KOREAN else "send an old one again"
    assert why in tell(mistake, language)


def test_each_name_and_address_is_one_device(config: Config) -> None:
    twin = PENDANT.replace("C0:FF:EE:12:34:56", "c0-ff-ee-12-34-56").replace(
        '"pendant"\na', '"b"\na'
    )
    write(config, PENDANT + twin + SMOKE.replace('"smoke"\naddress', '"help"\naddress'))
    with pytest.raises(SettingsError) as caught:
        devices.load(Path(config.state_dir) / devices.FILE, {"help", "cancel", "lamp"})
    found = [(m.line, m.key, m.problem, m.detail) for m in caught.value.mistakes]
    assert found == [
        (12, "device[2].address", Problem.DUPLICATE, "5"),
        (18, "device[3].name", Problem.TAKEN, ""),
    ]
    assert "허브 설정" in tell(caught.value.mistakes[1], Language.KOREAN)


def test_a_new_list_is_taken_up_without_a_restart(config: Config) -> None:
    async def story() -> None:
        async with running(config) as hub:
            assert "pendant" not in hub.rules.buttons
            write(config, PENDANT + SMOKE)
            await until(lambda: "pendant" in hub.rules.buttons, "the list is read")
            hub.engine.emit(msgspec.structs.replace(PRESS, at=time.monotonic()))
            await until(lambda: hub.engine.state.alarms, "the new pendant calls")
            assert {t.device for t in faults.triggers(hub.engine.state, hub.rules)} == {
                "help",
                "pendant",
            }
            write(config, SMOKE)
            await until(lambda: "pendant" not in hub.rules.buttons, "the list is read again")
            await until(lambda: not hub.engine.state.wireless.presses, "it is forgotten")
            assert len(hub.engine.state.alarms) == 1

    live(story())
    boxes = sorted((Path(config.state_dir) / "blackbox").iterdir())
    openings = list[Opening]()
    for box in boxes:
        with opened(box) as file:
            openings.append(msgspec.json.decode(file.readline(), type=Opening))
    assert [set(o.rules.buttons) & {"pendant"} for o in openings] == [set(), {"pendant"}, set()]


def test_a_broken_list_at_the_start_stops_nothing_and_is_told(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    write(config, PENDANT.replace(KEY, "short"))

    async def story() -> None:
        async with running(config) as hub:
            state = hub.engine
            await until(lambda: "hub:device_list" in state.state.faults, "the fault is raised")
            assert state.state.faults["hub:device_list"].detail == "devices.toml:6"
            assert (set(hub.rules.buttons), hub.rules.listed) == ({"help", "cancel"}, False)
            write(config, "")
            await until(lambda: not state.state.faults, "the list is right again")
            assert hub.rules.listed

    live(story())
    assert "devices.toml:6" in caplog.text


def test_a_broken_list_later_silences_no_pendant(config: Config) -> None:
    write(config, PENDANT)

    async def story() -> None:
        async with running(config) as hub:
            write(config, PENDANT + "kind = pendant")
            await until(lambda: "hub:device_list" in hub.engine.state.faults, "the fault is raised")
            hub.engine.emit(msgspec.structs.replace(PRESS, at=time.monotonic()))
            await until(lambda: hub.engine.state.alarms, "it calls all the same")
            write(config, PENDANT)
            await until(lambda: "hub:device_list" not in hub.engine.state.faults, "it is mended")

    live(story())


def test_a_hub_that_starts_with_a_broken_list_goes_by_the_last_good_one(config: Config) -> None:
    """A slip of the hand, and then an update: the pendant calls all the same."""
    write(config, PENDANT)
    kept = Path(config.state_dir) / devices.KEPT

    async def first() -> None:
        async with running(config):
            await until(kept.exists, "the list is kept")

    async def second() -> None:
        write(config, PENDANT.replace(KEY, "short"))
        async with running(config) as hub:
            await until(lambda: "hub:device_list" in hub.engine.state.faults, "the fault is raised")
            hub.engine.emit(msgspec.structs.replace(PRESS, at=time.monotonic()))
            await until(lambda: hub.engine.state.alarms, "it calls")
            radio = devices.DeviceList(kept.with_name(devices.FILE), lambda _: None)
            radio.look()
            assert [one.name for one in radio.devices] == ["pendant"], "the radio hears it, too"
            write(config, "")
            await until(lambda: kept.read_bytes() == b"", "nobody is listed, and that is kept")

    live(first())
    assert kept.stat().st_mode & 0o777 == 0o600, "it has keys"
    live(second())


def test_a_hub_whose_list_is_deleted_goes_on_with_its_pendants_and_tells_it(
    config: Config,
) -> None:
    """Also over a restart. Before, the pendants were silently gone."""
    write(config, PENDANT)
    listed = Path(config.state_dir) / devices.FILE

    async def deleted() -> None:
        async with running(config) as hub:
            await until(listed.with_name(devices.KEPT).exists, "the list is kept")
            listed.unlink()
            await until(lambda: "hub:device_list" in hub.engine.state.faults, "the fault is raised")
            assert "pendant" in hub.rules.buttons

    async def restarted() -> None:
        async with running(config) as hub:
            await until(lambda: "hub:device_list" in hub.engine.state.faults, "the fault is raised")
            hub.engine.emit(msgspec.structs.replace(PRESS, at=time.monotonic()))
            await until(lambda: hub.engine.state.alarms, "it calls")
            write(config, "")
            await until(lambda: "pendant" not in hub.rules.buttons, "it is meant so")
            gone = (faults.HUB, FaultKind.DEVICE_LIST)
            await until(lambda: not faults.stands(hub.engine.state, *gone), "nothing is wrong")

    live(deleted())
    live(restarted())


def test_a_wireless_name_that_a_wired_device_has_is_told_and_changes_nothing(
    config: Config,
) -> None:
    write(config, PENDANT)

    async def story() -> None:
        async with running(config) as hub:
            write(config, PENDANT + SMOKE.replace('"smoke"\naddress', '"help"\naddress'))
            await until(lambda: "hub:device_list" in hub.engine.state.faults, "the fault is raised")
            assert hub.engine.state.faults["hub:device_list"].detail == "devices.toml:11"
            assert set(hub.rules.buttons) == {"help", "cancel", "pendant"}

    live(story())


def test_a_list_that_changed_is_told_to_the_centre_at_once(config: Config) -> None:
    rules = rules_of(config, "1", (Quiet(),), (Pendant("pendant", "C0:FF:EE:12:34:56", KEY),))
    linked, _ = decide(HomeState(), LinkUp(1.0, "broker"), rules)
    _, effects = decide(linked, DevicesChanged(2.0), rules)
    told = [decode_from_hub(e.topic, e.payload)[1] for e in effects if isinstance(e, Publish)]
    (state,) = [one for one in told if isinstance(one, HubState)]
    assert "pendant" in {t.device for t in state.triggers or ()}
