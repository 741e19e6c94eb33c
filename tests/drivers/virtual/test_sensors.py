"""The sensors of the virtual house: at the socket, at the shell, at the page."""

import asyncio
import json
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from drivers.virtual.sensors import Fitting, NoSensorError, Sensors
from hub.core.model.events import BatteryMeasured, ContactChanged, MainsChanged, MotionChanged
from hub.core.model.rules import Sense
from hub.shared.language import Language
from hub.shared.messages import messages
from tests.drivers.fakes import FakePort
from tests.drivers.home import Home, living
from tests.drivers.virtual.test_cli import anbu_house, at
from tests.drivers.virtual.test_web import touch

pytestmark = pytest.mark.usefixtures("pins")


def levels(port: FakePort) -> list[bool]:
    """Motion, an open door, mains."""
    found = []
    for event in port.emitted:
        match event:
            case MotionChanged(active=on) | MainsChanged(present=on):
                found.append(on)
            case ContactChanged(closed=closed):
                found.append(not closed)
            case _:
                pass
    return found


def charges(port: FakePort) -> list[float]:
    return [event.battery_pct for event in port.emitted if isinstance(event, BatteryMeasured)]


def test_at_the_beginning_the_doors_are_shut_and_the_mains_are_there(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert [levels(port) for port in home.sensors.values()] == [[False], [False], [True]]
            seen = (await home.ask({"do": "lamps"}))["sensors"]
            assert {name: s["on"] for name, s in seen.items()} == {
                "kitchen": False,
                "front": False,
                "power": True,
            }
            assert (seen["power"]["battery_pct"], seen["kitchen"]["place"]) == (100.0, "부엌")

    asyncio.run(story())


def test_a_walk_is_seen_for_a_while_and_a_longer_one_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            kitchen = home.sensors["kitchen"]
            told = await home.ask({"do": "motion", "what": "kitchen", "ms": 60_000})
            assert (told["ok"], told["on"], told["lasts_s"]) == (True, True, 60.0)
            event = kitchen.emitted[-1]
            assert isinstance(event, MotionChanged)
            assert event.at == pytest.approx(told["at"], abs=0.001)
            again = await home.ask({"do": "motion", "what": "kitchen", "ms": 50})
            assert not again["changed"]
            await kitchen.until(lambda: levels(kitchen) == [False, True, False])
            assert (await home.ask({"do": "motion", "what": "kitchen"}))["lasts_s"] == 3.0
            assert not (await home.ask({"do": "motion", "what": "kitchen", "still": True}))["on"]
            assert levels(kitchen) == [False, True, False, True, False]

    asyncio.run(story())


def test_a_door_stays_as_it_was_put(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            for is_open, changed in ((True, True), (True, False), (False, True)):
                told = await home.ask({"do": "door", "what": "front", "open": is_open})
                assert told["changed"] is changed
            assert levels(home.sensors["front"]) == [False, True, False]

    asyncio.run(story())


def test_the_mains_and_the_battery(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            power = home.sensors["power"]
            await home.ask({"do": "mains", "present": False})
            assert levels(power) == [True, False]
            await power.until(lambda: charges(power) == [100.0])
            assert (await home.ask({"do": "battery", "pct": 12}))["what"] == "power"
            await power.until(lambda: charges(power) == [100.0, 12.0])
            seen = (await home.ask({"do": "lamps"}))["sensors"]["power"]
            assert (seen["on"], seen["battery_pct"]) == (False, 12.0)

    asyncio.run(story())


@pytest.mark.parametrize(
    "request_",
    [
        {"do": "motion", "what": "front"},
        {"do": "door", "what": "kitchen", "open": True},
        {"do": "door", "what": "x" * 99, "open": True},
        {"do": "battery", "what": "kitchen", "pct": 5},
    ],
)
def test_what_is_no_such_sensor_is_refused(tmp_path: Path, request_: dict[str, object]) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            told = await home.ask(request_)
            assert (told["ok"], told["error"]) == (False, "unknown_sensor")
            assert len(told["known"]) == 1
            assert (await home.ask({"do": "press", "what": "front"}))["error"] == "unknown_contact"

    asyncio.run(story())


def test_a_house_without_plugs_has_none_to_pull() -> None:
    sensors = Sensors({}, {})
    with pytest.raises(NoSensorError, match="none"):
        sensors.mains(present=False)
    with pytest.raises(NoSensorError, match="none"):
        sensors.charge("", 5.0)


def test_a_battery_whose_file_is_gone_is_not_known(tmp_path: Path) -> None:
    fitting = Fitting(Sense.BATTERY, battery=f"{tmp_path}/none")
    assert Sensors({"power": fitting}, {}).seen()["power"]["battery_pct"] is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (("motion", "kitchen", "--ms", "500"), "kitchen: 0.5초 동안 움직임이 있습니다."),
        (("motion", "kitchen", "--still"), "kitchen: 움직임이 없습니다."),
        (("door", "front", "open"), "front: 열었습니다."),
        (("door", "front", "shut"), "front: 닫았습니다."),
        (("mains", "off"), "power: 전원을 끊었습니다."),
        (("mains", "on"), "power: 전원을 다시 연결했습니다."),
        (("battery", "0"), "power: 배터리 잔량 0 %"),
    ],
)
def test_the_shell_moves_them_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: tuple[str, ...], sentence: str
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert await at(home.path, *line, "--lang", "ko") == 0
            assert capsys.readouterr().out == sentence + "\n"
            assert await at(home.path, *line, "--lang", "en") == 0
            assert capsys.readouterr().out
            assert await at(home.path, *line, "--json") == 0
            assert json.loads(capsys.readouterr().out)["ok"]
            assert await at(home.path, "door", "kitchen", "open", "--lang", "en") == 1
            assert "It has: front" in capsys.readouterr().err

    asyncio.run(story())


def test_a_wrong_command_line_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = [["battery", pct] for pct in ("101", "-1", "full", "nan")]
    for line in (
        ["motion"],
        ["motion", "kitchen", "--ms", "0"],
        ["motion", "kitchen", "--ms", "5", "--still"],
        ["door", "front", "ajar"],
        ["mains"],
        *numbers,
    ):
        with pytest.raises(SystemExit) as ended:
            anbu_house(*line)
        assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_the_page_moves_them_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert (await touch(home.path, b'{"do":"door","what":"front","open":true}'))[0] == 200
            assert (await touch(home.path, b'{"do":"motion","what":"kitchen"}'))[0] == 200
            assert (await touch(home.path, b'{"do":"battery","pct":400}'))[0] == 400
            assert (await touch(home.path, b'{"do":"motion","what":"attic"}'))[0] == 409
            assert levels(home.sensors["front"]) == [False, True]

    asyncio.run(story())


def test_a_restarted_house_finds_the_doors_as_they_were(tmp_path: Path, pins: MockFactory) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            await home.ask({"do": "door", "what": "front", "open": True})
        assert not pins.pin(16).finger
        assert Home(tmp_path / "house.sock").house_driver().sensors["front"].pin == 16

    asyncio.run(story())


def test_each_sense_has_words_on_the_page() -> None:
    for language in Language:
        for sense in (Sense.MOTION, Sense.DOOR, Sense.EXIT_DOOR, Sense.MAINS, Sense.BATTERY):
            assert f"flip_{sense}" in messages("drivers.virtual", language)["page"]
            assert {f"{sense}_on", f"{sense}_off"} <= set(
                messages("drivers.virtual", language)["proof"]
            )
