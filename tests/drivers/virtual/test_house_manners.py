"""The virtual house and bad clients: malformed, too many, too late, or at the wrong path."""

import asyncio
import json
import random
import stat
from pathlib import Path

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from drivers.virtual.driver import Driver, HouseError
from hub.shared.unix_socket import SocketError
from tests.drivers.fakes import FakePort, running
from tests.drivers.home import Home, answer, living

pytestmark = pytest.mark.usefixtures("pins")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "bad_request"),
        (b"\xff\xfe\x00", "bad_request"),
        (b"help me", "bad_request"),
        (b"null", "bad_request"),
        (b"[]", "bad_request"),
        (b"{}", "bad_request"),
        (b'{"do":"dance"}', "bad_request"),
        (b'{"do":"press"}', "bad_request"),
        (b'{"do":"press","what":"help","ms":0}', "bad_request"),
        (b'{"do":"press","what":"help","ms":-1}', "bad_request"),
        (b'{"do":"press","what":"help","ms":1e300}', "bad_request"),
        (b'{"do":"press","what":"help","ms":"long"}', "bad_request"),
        (b'{"do":"press","what":"help","m":5}', "bad_request"),
        (b'{"do":"press","what":7}', "bad_request"),
        (b'{"do":"lamps","x":' + b"[" * 2000 + b"]" * 2000 + b"}", "bad_request"),
        (b'{"do":"press","what":"door"}', "unknown_contact"),
        (b'{"do":"release","what":"red"}', "unknown_contact"),
    ],
)
def test_a_wrong_request_is_answered_and_the_house_goes_on(
    tmp_path: Path, line: bytes, error: str
) -> None:
    async def story() -> None:
        async with living(tmp_path) as home, home.visit() as (reader, writer):
            writer.write(line + b"\n")
            told = await answer(reader)
            assert (told["ok"], told["error"]) == (False, error)
            assert told["detail"]
            if error == "unknown_contact":
                assert told["known"] == ["cancel", "cord", "help"]
            writer.write(b'{"do":"lamps"}\n')
            assert (await answer(reader))["ok"]

    asyncio.run(story())


def test_a_huge_line_ends_the_visit_with_a_word(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            async with home.visit() as (reader, writer):
                writer.write(b"x" * 100_000)
                assert (await answer(reader))["error"] == "line_too_long"
            assert (await home.ask({"do": "lamps"}))["ok"]

    asyncio.run(story())


def test_a_thousand_lines_of_nonsense_are_answered_one_by_one(tmp_path: Path) -> None:
    dice = random.Random(11)  # noqa: S311 - reproducible nonsense
    seeds = [b'{"do":"press","what":"door","ms":1}', b'{"do":"release","what":"x"}', b"[1,2]"]

    def nonsense() -> bytes:
        line = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(1, 6)):
            line[dice.randrange(len(line))] = dice.choice([*range(10), *range(11, 256)])
        return bytes(line)

    async def story() -> None:
        async with living(tmp_path) as home, home.visit() as (reader, writer):
            for _ in range(1000):
                writer.write(nonsense() + b"\n")
                assert not (await answer(reader))["ok"]
            assert home.contacts["help"].closed() == [False]

    asyncio.run(story())


def test_a_contact_on_a_lamps_pin_cannot_be_pressed(pins: MockFactory, tmp_path: Path) -> None:
    async def story() -> None:
        home = Home(tmp_path / "house.sock")
        muddled = Driver(socket=str(home.path), contacts={"help": 5}, lamps={"red": 5})
        async with running(muddled, home.house):
            pins.pin(5).function = "output"
            told = await home.ask({"do": "press", "what": "help"})
            assert told["error"] == "not_a_contact"

    asyncio.run(story())


def test_only_the_owner_may_enter_and_one_house_has_the_socket(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path / "new" / "run") as home:
            assert stat.S_IMODE(home.path.stat().st_mode) == 0o600
            with pytest.raises(SocketError, match="another virtual house is running"):
                await home.house_driver().run(FakePort())
            assert (await home.ask({"do": "lamps"}))["ok"]

    asyncio.run(story())


def test_a_socket_left_by_a_killed_house_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "house.sock").write_text("left over")

    async def story() -> None:
        async with living(tmp_path) as home:
            assert (await home.ask({"do": "lamps"}))["ok"]

    asyncio.run(story())


def test_an_impossible_socket_is_refused_by_name(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(SocketError, match="cannot be opened"):
            await Driver(socket=str(tmp_path / ("x" * 200))).run(FakePort())

    asyncio.run(story())


@pytest.mark.parametrize(
    ("factory", "why"), [(None, "--virtual"), (MockFactory(), "use_virtual_pins")]
)
def test_a_house_needs_virtual_pins(
    monkeypatch: pytest.MonkeyPatch, factory: MockFactory | None, why: str
) -> None:
    monkeypatch.setattr(Device, "pin_factory", factory)

    async def story() -> None:
        with pytest.raises(HouseError, match=why):
            await Driver(socket="unused", contacts={"help": 17}).run(FakePort())

    asyncio.run(story())


def test_the_house_closes_while_visitors_are_inside(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            reader, writer = await asyncio.open_unix_connection(home.path)
            writer.write(b'{"do":"watch"}\n')
            await answer(reader)
            _, idle = await asyncio.open_unix_connection(home.path)
            holder, pressing = await asyncio.open_unix_connection(home.path)
            pressing.write(json.dumps({"do": "press", "what": "help", "ms": 60000}).encode())
            pressing.write(b"\n")
            await home.contacts["help"].until(lambda: home.contacts["help"].closed()[-1])
        assert await holder.read() == b""
        for visitor in (writer, idle, pressing):
            visitor.close()
            await visitor.wait_closed()

    asyncio.run(story())
