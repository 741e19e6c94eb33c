"""What was said, from the engine over the socket to the wire: with the consent, and never without.

The engine, the mouth and the room are fakes; stage, line, driver and hub are the product's own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.voicebox.driver import Driver
from hub.contract.messages import Topic
from hub.contract.voice import Ask, Hello
from hub.core.decide import decide
from hub.core.model.checkin import Asked, CheckIn
from hub.core.model.effects import Publish
from hub.core.model.events import Answered, Started, Ticked
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from tests.drivers.fakes import FakePort
from tests.voice.dialogue.test_stage import Theatre
from tests.voice.hearing.test_hearing import LOUD, Spotter, Writer
from voice.hearing.engines import Engines
from voice.hearing.hearing import Hearing, Utterance
from voice.link import link_to
from voice.understanding.intents import Expecting
from voice.understanding.phrases import load

CRY, WELL, TELEVISION = "도와주세요", "잘 지내고 있어요", "오늘 장날이에요"
RULES = Rules(hub="js-0001")
phrases = cache(load)  # before the voice is there: the hub does not wait for long

Story = Callable[["Way"], Awaitable[None]]


class Way:
    """From hearing to the socket, with a copy of the bytes on their way to the hub."""

    def __init__(self, folder: Path, *, consent: bool) -> None:
        self.consent, self.bytes = consent, b""
        phrases()
        self.theatre = Theatre()
        self._door, self._hub = folder / "voice.sock", folder / "hub.sock"
        self.link = link_to(str(self._door), self.theatre.stage.order, lambda: [self.hello])
        self.theatre.stage._tell = self.link.tell
        self.port = FakePort()

    @property
    def hello(self) -> Hello:
        return Hello(engines=("whisper",), hears=True, tells_words=self.consent)

    def say(self, text: str, expecting: Expecting = Expecting.NOTHING) -> None:
        """Play it as the resident's speech."""
        engines = Engines(lambda _: 1.0, Spotter(text), Writer(text))
        hearing = Hearing(engines, phrases(), tell_words=self.consent)
        self.theatre.stage.heard(hearing.judge(Utterance(LOUD * 20), expecting))

    async def run(self, story: Story) -> None:
        server = await asyncio.start_unix_server(self._pass, self._door)
        driver = Driver(socket=str(self._hub)).run(self.port)
        tasks = [
            asyncio.create_task(work)
            for work in (driver, self.link.run(), self.theatre.stage.run())
        ]
        try:
            await self.port.until(lambda: self.port.emitted != [])
            await story(self)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server.close()

    async def answered(self, count: int) -> list[Answered]:
        def found() -> list[Answered]:
            return [event for event in self.port.emitted if isinstance(event, Answered)]

        await self.port.until(lambda: len(found()) == count)
        return found()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self._hub.exists():  # noqa: ASYNC110 - the driver is about to open its door
            await asyncio.sleep(0.005)
        _, on = await asyncio.open_unix_connection(self._hub)
        with suppress(ConnectionError):
            while line := await reader.readline():
                self.bytes += line
                on.write(line)
        writer.close()
        on.close()


def told(answers: list[Answered]) -> bytes:
    """Return all that the hub sends after a cry or an answer to a check-in."""
    begun = Started(0.0, 1.8e9, synced=True, boot="b0")
    state, effects = decide(HomeState(), begun, RULES)
    visit = CheckIn("x", Topic.MOOD, 0.0, 0.0, Asked(5.0), attempts=1)
    state = replace(state, care=replace(state.care, visit=visit))
    for at, answer in enumerate(answers, start=10):
        state, more = decide(state, replace(answer, at=float(at)), RULES)
        effects += more
    effects += decide(state, Ticked(60.0), RULES)[1]
    return b"".join(e.payload for e in effects if isinstance(e, Publish))


async def _cry(way: Way) -> None:
    way.say(TELEVISION)
    way.say(CRY)
    await way.answered(1)


async def _answer(way: Way) -> None:
    way.theatre.stage.order(Ask("ask_mood", "오늘 기분은 괜찮으세요?"))
    await way.theatre.listening()
    way.say(WELL, Expecting.CHECKIN)
    await way.answered(1)


@pytest.mark.parametrize(("story", "words"), [(_cry, CRY), (_answer, WELL)])
@pytest.mark.parametrize("consent", [True, False])
def test_words_reach_the_wire_by_consent_only_and_no_log_ever(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    story: Story,
    words: str,
    consent: bool,  # noqa: FBT001 - a table
) -> None:
    caplog.set_level(logging.DEBUG)

    async def evening() -> tuple[bytes, list[Answered]]:
        way = Way(tmp_path, consent=consent)
        await way.run(story)
        return way.bytes, await way.answered(1)

    socket, answers = asyncio.run(evening())
    wire = told(answers)
    for travels in (socket, wire):
        assert b'"heard"' in travels or b"anbu." in travels
        assert (words.encode() in travels) is consent
        assert TELEVISION.encode() not in travels
    assert caplog.records
    assert words not in caplog.text


def test_an_understood_word_shows_no_words_where_it_is_printed() -> None:
    engines = Engines(lambda _: 1.0, Spotter(CRY), Writer(CRY))
    found = Hearing(engines, phrases(), tell_words=True).judge(Utterance(LOUD), Expecting.NOTHING)
    assert CRY not in repr(found)
    assert CRY in str(found.words)  # type: ignore[attr-defined]


def test_what_the_first_pass_alone_has_spelt_is_not_told() -> None:
    engines = Engines(lambda _: 1.0, Spotter(CRY))
    hearing = Hearing(engines, phrases(), tell_words=True)
    found = hearing.judge(Utterance(LOUD, spotted=Spotter(CRY).end()), Expecting.NOTHING)
    assert not hasattr(found, "words")
