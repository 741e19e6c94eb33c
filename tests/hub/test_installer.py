"""What an installer sees: what the hub knows, at its own socket and in `anbu sensors`."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from drivers.virtual import sensors_cli
from drivers.virtual.cli import ask
from hub.contract.messages import FaultKind
from hub.contract.radio import How, Sensed
from hub.core.decide import decide
from hub.core.model.events import (
    BatteryMeasured,
    ContactChanged,
    DriverFailed,
    DriverReady,
    Event,
    MainsChanged,
    MotionChanged,
    Started,
    Ticked,
    WirelessFound,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role, Rules, Sense, Sensor
from hub.core.model.state import HomeState
from hub.installer import CLIENTS, InstallerSocket, LinkReport, OwnFault, devices_report, own_faults
from hub.shared.command_line import Parser
from hub.shared.language import Language
from hub.shared.messages import messages
from tests.broker import wait_until
from tests.hub.rig import HubProcess, tell, until

RULES = Rules(
    hub="js-0001",
    buttons={"help": Button(Role.HELP_BUTTON, "거실")},
    sensors={
        "kitchen": Sensor(Sense.MOTION, "부엌", silent_s=100.0),
        "front": Sensor(Sense.EXIT_DOOR, "현관문"),
        "power": Sensor(Sense.MAINS),
    },
)


def lived(*events: Event) -> HomeState:
    state = decide(HomeState(), Started(0.0, 0.0, synced=True, boot="b"), RULES)[0]
    for event in events:
        state = decide(state, event, RULES)[0]
    return state


def test_each_device_is_told_as_the_core_has_it() -> None:
    state = lived(
        MotionChanged(1.0, "kitchen", active=False),
        MainsChanged(2.0, "power", present=True),
        BatteryMeasured(3.0, "power", 12.0),
        MotionChanged(5.0, "kitchen", active=True),
        ContactChanged(6.0, "help", closed=True),
        Ticked(6.5),
        DriverFailed(7.0, "front", "gone"),
    )
    kitchen, front, power, help_ = devices_report(state, RULES, 9.0).sensors
    assert (kitchen.on, kitchen.since_s, kitchen.heard_s, kitchen.faults) == (True, 4.0, 4.0, ())
    assert (front.on, front.heard_s, front.faults) == (None, None, (FaultKind.DRIVER_FAILED,))
    assert (power.on, power.since_s, power.battery_pct) == (True, 7.0, 12.0)
    assert power.faults == (FaultKind.LOW_BATTERY,)
    assert (help_.on, help_.what, help_.place) == (True, Role.HELP_BUTTON, "거실")
    assert devices_report(lived(), RULES, 9.0).sensors[-1].on is None


def test_a_pendant_and_a_detector_are_proven_as_wired_devices_are() -> None:
    rules = Rules(
        hub="js-0001",
        buttons={"pendant": Button(Role.HELP_BUTTON, "목걸이", wireless="A4:C1:38:00:00:01")},
        sensors={"smoke": Sensor(Sense.SMOKE, "부엌")},
    )
    state = decide(HomeState(), Started(0.0, 0.0, synced=True, boot="b"), rules)[0]
    smoke, pendant = devices_report(state, rules, 5.0).sensors
    assert (smoke.on, smoke.heard_s, pendant.on, pendant.heard_s) == (None,) * 4
    for event in (
        WirelessPressed(10.0, "pendant", "p1", How.PRESS, 1, 1, 7, "aa"),
        WirelessFound(11.0, "smoke", Sensed.SMOKE, on=True),
    ):
        state = decide(state, event, rules)[0]
    smoke, pendant = devices_report(state, rules, 12.0).sensors
    assert (smoke.on, smoke.heard_s, pendant.on, pendant.heard_s) == (True, 1.0, True, 2.0)
    assert devices_report(state, rules, 16.0).sensors[1].on is False
    for said in (messages("drivers.virtual", language) for language in Language):
        for sense in Sense:
            assert sense == "wearable" or f"{sense}_on" in said["proof"]


class Served:
    """An installer socket, and what it looks at."""

    def __init__(self, folder: Path) -> None:
        self.state, self.path = lived(), folder / "run" / "hub.sock"
        self.visitors: list[asyncio.StreamWriter] = []
        link = LinkReport(True, "js-0001", "tls://b", "", "db", True)  # noqa: FBT003
        self.served = InstallerSocket(self.path, lambda: (self.state, RULES, 100.0), lambda: link)

    def happen(self, event: Event) -> None:
        self.state = decide(self.state, event, RULES)[0]
        self.served.note(event)

    async def visit(self, line: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_unix_connection(self.path)
        writer.write(line + b"\n")
        self.visitors.append(writer)
        return reader


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Served]:
    served = Served(folder)
    task = asyncio.create_task(served.served.run())
    await until(served.path.exists, "it is open")
    try:
        yield served
    finally:
        task.cancel()
        await asyncio.wait({task})
        for visitor in served.visitors:
            visitor.close()
            with suppress(ConnectionError):
                await visitor.wait_closed()
    assert not served.path.exists()


async def answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    async with asyncio.timeout(10):
        told: dict[str, Any] = json.loads(await reader.readline())
        return told


async def heard_nothing(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(10):
        try:
            return await reader.read() == b""
        except ConnectionResetError:  # it did not even read
            return True


def test_whoever_mends_a_device_sees_at_once_that_it_works_though_it_came_and_went() -> None:
    state = lived()
    for at, broken in ((10.0, True), (11.0, False), (12.0, True)):
        event = DriverFailed(at, "help", "") if broken else DriverReady(at, "help")
        state = decide(state, event, RULES)[0]
    assert devices_report(state, RULES, 13.0).sensors[-1].faults == (FaultKind.DRIVER_FAILED,)
    state = decide(state, DriverReady(13.0, "help"), RULES)[0]
    assert "help:driver_failed" in state.faults  # its end is told when it has stayed away
    assert devices_report(state, RULES, 13.0).sensors[-1].faults == ()


def test_faults_that_no_device_has_are_told_as_the_hubs_own() -> None:
    state = lived()
    assert own_faults(state, RULES) == ()
    for name in ("help", "lamp"):
        state = decide(state, DriverFailed(10.0, name, ""), RULES)[0]
    assert own_faults(state, RULES) == (OwnFault("lamp", "driver_failed"),)
    state = decide(state, DriverReady(11.0, "lamp"), RULES)[0]
    assert own_faults(state, RULES) == ()


def test_a_follower_sees_a_change_at_once_and_only_the_owner_may_look(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with opened(tmp_path) as served:
            assert served.path.stat().st_mode & 0o777 == 0o600
            reader = await served.visit(b'{"do":"follow"}')
            assert (await answer(reader))["sensors"][0]["on"] is None
            served.happen(MotionChanged(99.0, "kitchen", active=True))
            assert (await answer(reader))["sensors"][0]["on"] is True
            served.happen(Ticked(99.5))  # no device's word

    tell(story())


@pytest.mark.parametrize(
    "line", [b"", b"{", b'{"do":"press"}', b'{"do":"sensors","x":1}', b"x" * 9000, b"[" * 900]
)
def test_nonsense_is_hung_up_on(tmp_path: Path, line: bytes) -> None:
    async def story() -> None:
        async with opened(tmp_path) as served:
            assert await heard_nothing(await served.visit(line))
            assert (await answer(await served.visit(b'{"do":"sensors"}')))["ok"]

    tell(story())


def test_the_link_is_told_without_a_second_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as served:
            told = await answer(await served.visit(b'{"do":"link"}'))
            assert (told["hub"], told["broker"], told["trouble"]) == ("js-0001", "tls://b", "")
            assert (told["center"], told["center_online"]) == ("db", True)

    tell(story())


def test_the_socket_is_its_owners_alone_from_the_moment_it_is_there(tmp_path: Path) -> None:
    modes: list[int] = []
    real = socket.socket.bind

    def bind(served: socket.socket, path: str) -> None:
        real(served, path)
        modes.append(Path(path).stat().st_mode & 0o777)

    async def story() -> None:
        async with opened(tmp_path):
            pass

    with patch.object(socket.socket, "bind", bind):
        before = os.umask(0)
        try:
            tell(story())
        finally:
            os.umask(before)
    assert modes == [0o600]


def test_more_visitors_than_there_is_room_for_are_sent_away(tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(tmp_path) as served:
            for _ in range(CLIENTS):
                await answer(await served.visit(b'{"do":"follow"}'))
            assert await heard_nothing(await served.visit(b'{"do":"sensors"}'))

    tell(story())


def test_without_a_place_for_the_socket_the_hub_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        asyncio.run(Served(tmp_path).served.run())
    assert "no socket for installers" in caplog.text


# At the shell.


def sensors(*line: str) -> int:
    parser = Parser()
    sensors_cli.add_arguments(parser)
    return sensors_cli.run(parser.parse_args(line))


@pytest.fixture
def story_socket(tmp_path: Path) -> Iterator[Path]:
    """A hub that sends three lines and disconnects."""
    device = {
        "name": "kitchen", "what": "motion", "place": "부엌", "on": False, "since_s": 30.0,
        "heard_s": 7500.0, "battery_pct": None, "faults": [],
    }  # fmt: skip
    button = device | {"name": "help", "what": "help_button", "since_s": None, "heard_s": None}
    power = device | {"name": "power", "what": "mains", "place": "", "on": None, "since_s": 240.0}
    before = [device, button, power]
    after = [device | {"on": True}, button, power]
    worse = [*after[:2], power | {"battery_pct": 9.0, "faults": ["low_battery"]}]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "hub.sock"))
        server.listen()

        def serve() -> None:
            with server.accept()[0] as visitor, suppress(OSError):
                visitor.recv(1000)
                for told in (before, after, after, worse):
                    line = json.dumps({"ok": True, "hub": "x", "sensors": told}) + "\n"
                    visitor.sendall(line.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield tmp_path / "hub.sock"


def test_the_table_says_everything_in_korean(
    story_socket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sensors("--socket", str(story_socket), "--lang", "ko") == 0
    assert capsys.readouterr().out.splitlines() == [
        "○ 부엌 (kitchen)  움직임 없음  30초째  소식 2시간 전",
        "○ 부엌 (help)  도움 버튼",
        "· power (power)  아직 소식 없음  4분째  소식 2시간 전",
    ]


def test_following_proves_them_one_by_one(
    story_socket: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = story_socket.with_name("house.sock")  # as the other commands of `anbu house` have it
    assert sensors("--socket", str(house), "--lang", "en", "--follow") == 3
    told = capsys.readouterr()
    *_, walk, motion, battery = told.out.splitlines()
    assert "walk past" in walk
    assert "● 부엌 (kitchen)  motion" in motion
    assert motion.endswith("[still to prove: help, power]")
    assert "✗ power (power)" in battery
    assert "battery 9 %  fault: battery low" in battery
    assert "No hub answers" in told.err


def test_json_is_the_hubs_own_word(story_socket: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sensors("--socket", str(story_socket), "--json", "--follow") == 3
    assert [json.loads(line)["ok"] for line in capsys.readouterr().out.splitlines()] == [True] * 4


def test_without_a_hub_a_sentence_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANBU_RUN_DIR", str(tmp_path))
    assert sensors("--lang", "en") == 3
    assert f"{tmp_path}/hub.sock" in capsys.readouterr().err
    monkeypatch.delenv("ANBU_RUN_DIR")
    assert sensors_cli.usual_socket() in {"/run/anbu/hub.sock", "run/demo/hub.sock"}


def test_every_level_and_fault_of_a_sensor_has_words() -> None:
    for language in Language:
        said = set(messages("drivers.virtual", language)["proof"])
        assert {f"{what}_{on}" for what in Role for on in ("on", "off")} <= said
        faults = (FaultKind.SILENT, FaultKind.STUCK, FaultKind.CHATTER, FaultKind.LOW_BATTERY)
        also = (FaultKind.MAINS_LOST, FaultKind.DRIVER_FAILED)
        assert {f"fault_{kind}" for kind in (*faults, *also)} <= said


def test_a_real_hub_shows_who_walks_past_within_a_second(tmp_path: Path) -> None:
    with HubProcess(tmp_path, 1) as hub:
        config = hub.config.read_text("utf-8")
        hub.kill()
        motion = '\n[[device]]\nkind = "motion"\nname = "kitchen"\nplace = "부엌"\npin = 23\n'
        hub.config.write_text(config + motion, encoding="utf-8")
        hub.start()
        wait_until((tmp_path / "hub.sock").exists, "the hub is there", 20.0)
        command = [sys.executable, "-m", "hub", "sensors", "--json", "--follow"]
        with subprocess.Popen(
            [*command, "--socket", str(tmp_path / "hub.sock")], stdout=subprocess.PIPE
        ) as follower:
            assert follower.stdout
            assert follower.stdout.readline()
            ask(hub.socket, {"do": "motion", "what": "kitchen"})
            for line in follower.stdout:
                seen = {s["name"]: s["on"] for s in json.loads(line)["sensors"]}
                if seen["kitchen"]:
                    break
            follower.terminate()
