"""The virtual house at its socket: exact presses, lamps as people see them, bad clients."""

import asyncio
from pathlib import Path

import pytest

from drivers.virtual import driver as house
from hub.contract.voice import Meaning, Phrase
from hub.core.model.effects import Say, Show, Signal
from hub.core.model.events import Answered, ContactChanged, Spoke, VoiceTold
from tests.drivers.fakes import FakePort, running
from tests.drivers.home import Home, answer, living

pytestmark = pytest.mark.usefixtures("pins")
ROUNDING_S = 1e-5


def test_a_timed_press_moves_the_contact_and_tells_the_edges(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            told = await home.ask({"do": "press", "what": "help", "ms": 50})
            assert told["released_at"] - told["pressed_at"] >= 0.05
            edges = [e for e in home.contacts["help"].emitted if isinstance(e, ContactChanged)]
            assert [edge.closed for edge in edges] == [False, True, False]
            # the driver reckons its time from the edge's age: that rounds by less than 1 us
            begun, ended = edges[1].at - ROUNDING_S, edges[2].at - ROUNDING_S
            assert begun <= told["pressed_at"] < ended <= told["released_at"]
            assert home.contacts["cancel"].closed() == [False]
        assert not home.path.exists()

    asyncio.run(story())


def test_a_press_holds_until_released(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            assert (await home.ask({"do": "press", "what": "cord"}))["ok"]
            assert (await home.ask({"do": "lamps"}))["contacts"]["cord"]
            again = await home.ask({"do": "press", "what": "cord", "ms": 5})
            assert again["error"] == "already_pressed"
            assert (await home.ask({"do": "release", "what": "cord"}))["ok"]
            assert home.contacts["cord"].closed() == [False, True, False]
            assert (await home.ask({"do": "release", "what": "cord"}))["error"] == "not_pressed"

    asyncio.run(story())


def test_a_visitor_who_leaves_takes_the_finger_along(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            async with home.visit() as (_, writer):
                writer.write(b'{"do":"press","what":"help","ms":100}\n')
                await home.contacts["help"].until(lambda: home.contacts["help"].closed()[-1])
            await home.contacts["help"].until(lambda: not home.contacts["help"].closed()[-1])
            assert (await home.ask({"do": "lamps"}))["ok"]

    asyncio.run(story())


def test_what_the_resident_says_is_heard_as_it_is_meant(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            told = await home.ask({"do": "speak", "what": "help"})
            assert told == {"ok": True, "what": "help"}
            assert (await home.ask({"do": "speak", "what": "no", "score": 2}))["ok"]
            answers = [e for e in home.house.emitted if isinstance(e, Answered)]
            assert [(a.meaning, a.score) for a in answers] == [(Meaning.HELP, 0), (Meaning.NO, 2)]
            assert (await home.ask({"do": "speak", "what": "hello"}))["error"] == "bad_request"

    asyncio.run(story())


def test_where_no_voice_speaks_what_is_read_counts_as_spoken(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            home.tell(Say(Phrase.RAISED), Say(Phrase.ANNOUNCEMENT, "새해", receipt="c1"))
            await home.house.until(lambda: any(isinstance(e, Spoke) for e in home.house.emitted))
            spoke = [e for e in home.house.emitted if isinstance(e, Spoke)]
            assert [(s.receipt, s.done) for s in spoke] == [("c1", True)]

    asyncio.run(story())


def test_lamps_tells_what_the_pins_do(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home:
            told = await home.ask({"do": "lamps"})
            assert (told["signal"], told["signal_age_s"], told["said"]) == (None, None, [])
            assert {lamp["pattern"] for lamp in told["lamps"].values()} == {"off"}
            home.tell(Show(Signal.RAISED), Say(Phrase.RAISED), Say(Phrase.ANNOUNCEMENT, "새해"))
            while (told := await home.ask({"do": "lamps"}))["lamps"]["red"]["pattern"] != (
                "fast_flash"
            ):
                pass
            assert told["signal"] == "raised"
            assert told["signal_age_s"] < 5
            assert told["lamps"]["buzzer"]["pattern"] == "beep"
            assert [(say["phrase"], say["text"]) for say in told["said"]] == [
                ("raised", "도움을 요청하고 있습니다."),
                ("announcement", "새해"),
            ]
            home.tell(*[Say(Phrase.RECEIVED)] * 20, Show(Signal.RAISED), Show(Signal.ACCEPTED))
            while (told := await home.ask({"do": "lamps"}))["signal"] != "accepted":
                pass
            assert len(told["said"]) == 10
            assert told["said"][0]["text"] == "received"  # a phrase without a text

    asyncio.run(story())


def test_the_pins_are_told_as_they_are_and_not_as_ordered(tmp_path: Path) -> None:
    async def story() -> None:
        home = Home(tmp_path / "house.sock")
        async with running(home.house_driver(), home.house):  # nobody drives the lamp
            home.house.tell(Show(Signal.ACCEPTED))
            while (told := await home.ask({"do": "lamps"}))["signal"] != "accepted":
                pass
            assert told["lamps"]["red"] == {"on": False, "pattern": "off", "age_s": None}

    asyncio.run(story())


def test_watch_tells_every_change(tmp_path: Path) -> None:
    async def story() -> None:
        async with living(tmp_path) as home, home.visit() as (reader, writer):
            writer.write(b'{"do":"watch"}\n')
            assert (await answer(reader))["signal"] is None
            home.tell(Show(Signal.RAISED))
            flashes: list[bool] = []
            while len(flashes) < 4:
                told = await answer(reader)
                if flashes[-1:] != [told["lamps"]["red"]["on"]]:
                    flashes.append(told["lamps"]["red"]["on"])
            assert flashes in ([True, False, True, False], [False, True, False, True])
            await home.ask({"do": "press", "what": "help"})
            while not (await answer(reader))["contacts"]["help"]:
                pass

    asyncio.run(story())


@pytest.mark.parametrize("voice", [False, True])
def test_the_house_stands_in_for_a_voice_where_there_is_none(
    tmp_path: Path,
    voice: bool,  # noqa: FBT001 - a table
) -> None:
    async def story() -> list[VoiceTold]:
        port, driver = FakePort(), house.Driver(socket=str(tmp_path / "h.sock"), voice=voice)
        async with running(driver, port):
            await port.until(lambda: port.readies > 0)
            return [event for event in port.emitted if isinstance(event, VoiceTold)]

    told = asyncio.run(story())
    assert [(one.device, one.engines, one.hears) for one in told] == (
        [] if voice else [("house", ("page",), True)]
    )
