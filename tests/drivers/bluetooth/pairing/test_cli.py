"""An installer pairs, lists and removes devices at a terminal, with the radio running or not."""

import asyncio
import json
import os
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from drivers.bluetooth.devices import load
from drivers.bluetooth.pairing import add_cli, bonds_cli, control, roster
from drivers.bluetooth.pairing.agent import Said
from drivers.bluetooth.pairing.control import Request
from drivers.bluetooth.pairing.window import Pairing, Wish
from hub.contract.radio import Fact, PairingAsked, PairingEnd, PairingEnded, PairingOpened, Wanted
from hub.core.model.rules import Sense
from hub.core.model.wireless import Pendant, Phone, Wearable, WirelessSensor
from hub.shared import anew
from tests.drivers.bluetooth.private_bus import FakeBlueZ, PrivateBus

REPO = Path(__file__).resolve().parents[4]
CUFF, BAND, PHONE = "A4:C1:38:00:00:11", "A4:C1:38:00:00:12", "6A:00:00:00:00:21"
IDENTITY = "D0:11:22:33:44:55"
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


class Desk:
    """A terminal, and the home's files."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.list, self.capsys = folder, folder / "devices.toml", capsys
        self.config = folder / "radio.toml"
        self.config.write_text('socket = "radio.sock"\nstate_dir = "."\n')

    def say(self, *words: str, code: int = 0) -> str:
        """Run `anbu radio bonds` or `add` in this process."""
        parser = ArgumentParser()
        parser.set_defaults(config=self.config, lang="en")
        module = {"bonds": bonds_cli, "add": add_cli}[words[0]]
        module.add_arguments(parser)
        assert module.run(parser.parse_args(words[1:])) == code
        told = self.capsys.readouterr()
        return told.err if code else told.out

    @contextmanager
    def pair(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run `anbu radio pair` as a process."""
        command = [sys.executable, "-m", "hub", "radio", "--config", str(self.config), "pair"]
        env = os.environ | {"ANBU_LANG": "en", "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            [*command, *words], cwd=REPO, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANBU_LANG", "en")


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def until(process: subprocess.Popen[str], end: str) -> str:
    """Read what the terminal shows, up to `end`."""
    assert process.stdout
    shown = ""
    while not shown.endswith(end):
        letter = process.stdout.read(1)
        assert letter, f"it ended: {shown}\n{process.stderr and process.stderr.read()}"
        shown += letter
    return shown


def types(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_a_pendant_and_a_sensor_are_listed_as_they_are_typed(desk: Desk) -> None:
    pendant = ("--name", "pendant", "--address", "a4-c1-38-00-00-01", "--key", KEY.upper())
    assert "listed" in desk.say("add", "pendant", *pendant)
    sensor = ("--name", "front", "--address", CUFF, "--sense", "exit_door", "--place", "현관")
    desk.say("add", "sensor", *sensor)
    desk.say("add", "wearable", "--name", "arm", "--address", BAND, "--what", "cuff", "--user", "2")
    assert load(desk.list) == (
        Pendant("pendant", "A4:C1:38:00:00:01", KEY),
        WirelessSensor("front", CUFF, Sense.EXIT_DOOR, place="현관"),
        Wearable("arm", BAND, "cuff", user=2),
    )


WIRED = """
hub = "js-0001"
[[device]]
kind = "contact"
name = "help"
pin = 17
[[device]]
kind = "voice"
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_a_name_of_a_wired_device_is_refused(desk: Desk, encoding: str) -> None:
    (desk.folder / "hub.toml").write_text(f"# 허브\n{WIRED}", encoding=encoding)
    pendant = ("--address", CUFF, "--key", KEY)
    for name in ("help", "voice"):
        assert "hub.toml" in desk.say("add", "pendant", "--name", name, *pendant, code=1)
    desk.say("add", "pendant", "--name", "pendant", *pendant)
    assert "hub.toml" in desk.say("bonds", "rename", "pendant", "help", code=1)
    assert [one.name for one in load(desk.list)] == ["pendant"]
    with desk.pair("--address", BAND, "--name", "help", "--what", "band") as pair:
        assert "hub.toml" in pair.communicate(timeout=30)[1]


def test_settings_of_the_hub_that_cannot_be_read_hinder_nothing(desk: Desk) -> None:
    (desk.folder / "hub.toml").write_text("[[device")
    desk.say("add", "pendant", "--name", "help", "--address", CUFF, "--key", KEY)
    assert [one.name for one in load(desk.list)] == ["help"]


def test_what_cannot_be_listed_is_said_in_words(desk: Desk) -> None:
    one = ("--name", "pendant", "--address", CUFF)
    assert "false call" in desk.say("add", "pendant", *one, code=2)
    assert "--sense" in desk.say("add", "sensor", *one, code=2)
    assert "--what" in desk.say("add", "wearable", *one, code=2)
    assert "key" in desk.say("add", "pendant", *one, "--key", "12", code=1)
    desk.say("add", "pendant", *one, "--key", KEY)
    assert "taken" in desk.say("add", "pendant", *one, "--key", KEY, code=1)
    assert len(load(desk.list)) == 1


def test_bonds_are_listed_renamed_and_removed(desk: Desk, bluez: FakeBlueZ) -> None:
    band, phone = Wearable("band", BAND, "band"), Phone("phone-1", IDENTITY)
    roster.write(desk.list, (band, phone, Pendant("pendant", CUFF, KEY)))
    bluez.do("known", address=BAND)
    bluez.do("known", address="A4:C1:38:00:00:99")
    rows = {row["address"]: row for row in json.loads(desk.say("bonds", "--json"))}
    assert (rows[BAND]["name"], rows[BAND]["kind"], rows[BAND]["paired"]) == ("band", "band", True)
    assert (rows[IDENTITY]["paired"], rows[IDENTITY]["consent"]) == (False, False)
    stranger = rows["A4:C1:38:00:00:99"]
    assert (stranger["listed"], stranger["paired"]) == (False, True)
    shown = desk.say("bonds", "list")
    assert "needs no pairing" in shown
    assert "(not listed)" in shown
    desk.say("bonds", "rename", "band", "wrist")
    desk.say("bonds", "consent", "phone-1", "yes")
    assert "consented" in desk.say("bonds")
    (device,) = [d for d in bluez.do("bonds")["devices"].values() if d["Address"] == BAND]
    assert device["Alias"] == "wrist"
    desk.say("bonds", "remove", "wrist")
    assert [one.name for one in load(desk.list)] == ["phone-1", "pendant"]
    assert BAND not in [d["Address"] for d in bluez.do("bonds")["devices"].values()]
    assert "no device" in desk.say("bonds", "remove", "wrist", code=1)
    assert "no phone" in desk.say("bonds", "consent", "pendant", "yes", code=1)


@pytest.mark.usefixtures("bluez")
def test_devices_of_the_hub_of_before_are_marked_until_they_are_paired_or_given_up(
    desk: Desk,
) -> None:
    old = [
        {"kind": "pendant", "name": "old", "address": "A4:C1:38:00:00:09", "place": "목걸이"},
        {"kind": "wearable", "name": "band", "what": "band", "address": "A4:C1:38:00:00:08"},
    ]
    (desk.folder / anew.FILE).write_text(anew.written(old), encoding="utf-8")
    shown = desk.say("bonds")
    assert "add it anew with its key" in shown
    assert "pair it anew" in shown
    key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    desk.say("add", "pendant", "--name", "old", "--address", old[0]["address"], "--key", key)
    assert "add it anew" not in desk.say("bonds")
    desk.say("bonds", "remove", "band")
    assert "band" not in desk.say("bonds")


def test_without_bluetooth_the_list_is_shown_and_what_is_left_undone_is_said(
    desk: Desk, bus: PrivateBus
) -> None:
    roster.write(desk.list, (Phone("phone-1", IDENTITY),))
    assert "cannot be asked" in desk.say("bonds", code=1)
    desk.say("bonds", "rename", "phone-1", "son")
    assert "still there" in desk.say("bonds", "remove", "son", code=1)
    assert load(desk.list) == ()
    assert bus.address


def test_a_cuff_is_searched_chosen_named_and_paired_by_its_key(
    desk: Desk, bluez: FakeBlueZ
) -> None:
    bluez.do("around", address=CUFF, how={"way": "type", "number": 4711, "name": "BP\x07 cuff"})
    with desk.pair("--search-s", "1") as terminal:
        shown = until(terminal, "(Enter to stop)? ")
        assert f"BP cuff                      {CUFF}" in shown
        types(terminal, "1")
        until(terminal, "thermometer)? ")
        types(terminal, "cuff")
        until(terminal, "in the list: ")
        types(terminal, "arm")
        assert "pairs by itself" in until(terminal, "its screen shows: ")
        types(terminal, "twelve")  # no number: it asks again
        until(terminal, "its screen shows: ")
        types(terminal, "4711")
        until(terminal, '"arm" is paired.\n')
        assert terminal.wait(10) == 0
    assert load(desk.list) == (Wearable("arm", CUFF, "cuff"),)
    assert not bluez.do("bonds")["agents"]


def test_a_name_that_is_taken_is_said_before_the_window_opens(desk: Desk, bluez: FakeBlueZ) -> None:
    roster.write(desk.list, (Wearable("arm", BAND, "cuff"),))
    with desk.pair("--address", CUFF, "--name", "arm", "--what", "cuff") as terminal:
        assert terminal.wait(10) == 1
        assert terminal.stderr
        assert "taken" in terminal.stderr.read()
    assert "RegisterAgent" not in bluez.do("bonds")["calls"]


def test_without_bluez_pairing_fails_in_words(desk: Desk, bus: PrivateBus) -> None:
    with desk.pair("--phone") as terminal:
        assert "anbu doctor" in until(terminal, "doctor.\n")
        assert terminal.wait(10) == 1
    assert bus.address


def test_a_phone_is_paired_over_the_running_radio(desk: Desk, bluez: FakeBlueZ) -> None:
    async def story() -> None:
        async with radio(desk) as told:
            with desk.pair("--phone") as terminal:
                await asyncio.to_thread(until, terminal, "of the phone.\n")
                await asyncio.to_thread(bluez.do, "ask", address=PHONE, number=7, identity=IDENTITY)
                shown = await asyncio.to_thread(until, terminal, "n if not: ")
                assert "000007" in shown
                types(terminal, "ㅛ")
                await asyncio.to_thread(until, terminal, "phone-1 yes\n")
                assert await asyncio.to_thread(terminal.wait, 10) == 0
            assert [type(fact) for fact in told] == [PairingOpened, PairingAsked, PairingEnded]

    asyncio.run(story())
    assert load(desk.list) == (Phone("phone-1", IDENTITY),)


def test_who_leaves_shuts_the_window_that_he_opened_and_no_other(
    desk: Desk, bluez: FakeBlueZ
) -> None:
    async def story() -> None:
        async with radio(desk) as told:
            path = control.path_of(str(desk.folder / "radio.sock"))
            first, second = await control.connected(path), await control.connected(path)
            assert first
            assert second
            facts = first.facts()
            first.send(Request("open", wish=Wish(phone=True)))
            assert await anext(facts) == PairingOpened(120.0)
            second.send(Request("open", wish=Wish(phone=True)))
            refused = second.facts()
            async with asyncio.timeout(10):  # it may hear of the open one first
                while await anext(refused) != PairingEnded(reason=PairingEnd.NOT_ALLOWED):
                    pass
            await second.leave()
            await asyncio.to_thread(bluez.do, "ask", address=PHONE, number=7)
            asked = await anext(facts)
            assert isinstance(asked, PairingAsked)
            assert asked == PairingAsked("그림자전화", Wanted.COMPARE, "000007", asked.ask)
            first.send(Request("answer", said=Said(yes=False)))
            ended = await anext(facts)
            assert isinstance(ended, PairingEnded)
            assert ended.open
            await first.leave()
            async with asyncio.timeout(10):
                while told[-1] != PairingEnded(reason=PairingEnd.SHUT):  # noqa: ASYNC110 - as told
                    await asyncio.sleep(0.01)

    asyncio.run(story())


def test_a_client_that_talks_nonsense_is_left_and_the_socket_works_on(
    desk: Desk, bluez: FakeBlueZ
) -> None:
    async def story() -> None:
        async with radio(desk):
            path = control.path_of(str(desk.folder / "radio.sock"))
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b'{"do": "format"}\n')
            async with asyncio.timeout(10):
                assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
            found = await control.connected(path)
            assert found
            found.send(Request("shut"))
            found.send(Request("open", wish=Wish(0.2, phone=True)))
            facts = [fact async for fact in _first(found, 2)]
            await found.leave()
            assert facts == [PairingOpened(0.2), PairingEnded(reason=PairingEnd.OVER)]
            assert path.stat().st_mode & 0o777 == 0o600

    asyncio.run(story())
    assert not bluez.do("bonds")["agents"]


async def _first(found: control.Session, count: int) -> AsyncIterator[Fact]:
    async with asyncio.timeout(15):
        async for fact in found.facts():
            yield fact
            count -= 1
            if not count:
                return


@asynccontextmanager
async def radio(desk: Desk) -> AsyncIterator[list[Fact]]:
    """The part of the radio process that pairs; what it tells the hub."""
    told = list[Fact]()
    pairing = Pairing(told.append, desk.list, Counter())
    path = control.path_of(str(desk.folder / "radio.sock"))
    tasks = [
        asyncio.create_task(pairing.run()),
        asyncio.create_task(control.serve(path, pairing)),
    ]
    async with asyncio.timeout(10):
        while not path.exists():  # noqa: ASYNC110 - the socket is made by the task
            await asyncio.sleep(0.01)
    try:
        yield told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
