"""The voicebox: whatever the voice process does, the hub gets what it needs and never waits."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from drivers.voicebox import driver as voicebox
from drivers.voicebox.driver import Driver, ProcessLostError
from hub.contract.voice import (
    Heard,
    Hello,
    Meaning,
    Part,
    Phrase,
    Ping,
    Pong,
    Trouble,
    Word,
    decode,
    encode,
)
from hub.contract.voice import Say as SayWord
from hub.contract.voice import Spoke as SpokeWord
from hub.contract.voice import Talking as TalkingWord
from hub.core.model.effects import Ask, Say, Show, Signal
from hub.core.model.events import Answered, Measured, PartChanged, Spoke, Talking, VoiceTold
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.sidecar import host
from hub.shared.sidecar.host import Patience
from tests.drivers.fakes import FakePort

HANGING = """
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b'{"type": "hello", "data": {}}\\n')
print("here", flush=True)
while True:
    line = s.recv(4096)
    n = line.split(b'"n":')[1].split(b"}")[0]
    s.sendall(b'{"type": "pong", "data": {"n": ' + n + b'}}\\n')
"""


class Voice:
    """A voice process, as the hub sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *words: Word) -> None:
        self.writer.write(b"".join(map(encode, words)))

    async def hear(self) -> Word | None:
        async with asyncio.timeout(10):
            line = await self.reader.readline()
        return decode(line) if line else None


async def connected(path: Path) -> Voice:
    async with asyncio.timeout(10):
        while True:
            try:
                return Voice(*await asyncio.open_unix_connection(path))
            except OSError:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(driver: Driver, port: FakePort) -> AsyncIterator[None]:
    """Run the driver. It is ready only after a voice has run for a while."""
    task = asyncio.create_task(driver.run(port))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def voice(tmp_path: Path) -> AsyncIterator[tuple[Voice, FakePort]]:
    path, port = tmp_path / "voice.sock", FakePort()
    async with serving(Driver(socket=str(path)), port):
        speaker = await connected(path)
        speaker.say(Hello())
        assert await speaker.hear() == Ping(1)
        speaker.say(Pong(1))
        await port.until(lambda: port.emitted != [])
        port.emitted.clear()  # what the Hello has told is another test's
        try:
            yield speaker, port
        finally:
            speaker.writer.close()


def test_orders_reach_the_voice_with_their_words(tmp_path: Path) -> None:
    async def story() -> list[dict[str, object]]:
        async with voice(tmp_path) as (speaker, port):
            port.tell(Show(Signal.RAISED))
            port.tell(Say(Phrase.RAISED))
            port.tell(Say(Phrase.ANNOUNCEMENT, "폭염입니다.", "c1"))
            port.tell(Ask(Phrase.ASK_MEALS, slow=True))
            lines = [await speaker.reader.readline() for _ in range(3)]
            assert not (tmp_path / "voice.sock").stat().st_mode & 0o077
            return [json.loads(line) for line in lines]

    said, announced, asked = asyncio.run(story())
    assert said == {
        "type": "say",
        "data": {"key": "raised", "text": "<raised>", "receipt": "", "urgent": True},
    }
    assert announced["data"] == {
        "key": "announcement",
        "text": "<announcement> 폭염입니다.",
        "receipt": "c1",
        "urgent": False,
    }
    assert asked["data"] == {"key": "ask_meals", "text": "<ask_meals>", "slow": True}


def test_facts_reach_the_hub(tmp_path: Path) -> None:
    async def story() -> list[object]:
        async with voice(tmp_path) as (speaker, port):
            speaker.say(
                Heard(Meaning.HELP),
                Heard(Meaning.YES, asked="ask_meals", closes=True),
                Heard(Meaning.VISITOR),
                TalkingWord("ask_meals"),
                SpokeWord("announcement", "c1"),
                SpokeWord("raised"),
                Trouble(Part.MICROPHONE, present=True, detail="usb"),
            )
            await port.until(lambda: len(port.emitted) >= 6)
            return list(port.emitted)

    facts = asyncio.run(story())
    assert [type(fact) for fact in facts] == [Answered] * 3 + [Talking, Spoke, PartChanged]
    assert (facts[0].meaning, facts[1].closes) == (Meaning.HELP, True)  # type: ignore[attr-defined]


def test_what_nobody_asked_for_is_not_an_answer(tmp_path: Path) -> None:
    """The television may say "yes" and "I am fine" all day."""

    async def story() -> list[object]:
        async with voice(tmp_path) as (speaker, port):
            unasked = (Meaning.YES, Meaning.FINE, Meaning.NO, Meaning.UNCLEAR, Meaning.UNWELL)
            own = Heard(Meaning.NO, asked="own_away"), Heard(Meaning.UNCLEAR, asked="own_counsel")
            speaker.say(*map(Heard, unasked), *own, Heard(Meaning.COUNSEL, asked="own_counsel"))
            await port.until(lambda: len(port.emitted) > 0)
            return list(port.emitted)

    (only,) = asyncio.run(story())
    assert isinstance(only, Answered)
    assert only.meaning is Meaning.COUNSEL


@pytest.mark.parametrize(
    "nonsense", [b"\n" * 5, b"{}\n", b'{"type": "heard", "data": {"meaning": "x"}}\n', b"\xff\n"]
)
def test_nonsense_is_skipped(tmp_path: Path, nonsense: bytes) -> None:
    async def story() -> None:
        async with voice(tmp_path) as (speaker, port):
            speaker.writer.write(nonsense)
            speaker.say(Heard(Meaning.HELP))
            await port.until(lambda: len(port.emitted) == 1)

    asyncio.run(story())


@pytest.mark.parametrize("nonsense", [b"{}\n" * 50, b" " * 200_000 + b"\n"])
def test_another_program_is_shown_the_door_and_the_voice_may_come(
    tmp_path: Path, nonsense: bytes
) -> None:
    async def story() -> None:
        async with voice(tmp_path) as (speaker, port):
            speaker.writer.write(nonsense)
            async with asyncio.timeout(10):
                assert await speaker.reader.read() == b""
            again = await connected(tmp_path / "voice.sock")
            again.say(Hello(), Heard(Meaning.HELP))
            await port.until(lambda: len(port.emitted) == 2)
            again.writer.close()

    asyncio.run(story())


def test_the_hub_learns_what_the_voice_has(tmp_path: Path) -> None:
    engines = ("espeak", "whisper")

    async def story() -> list[object]:
        async with voice(tmp_path) as (speaker, port):
            speaker.say(Hello(engines=engines, hears=True, spoken_sos=False, tells_words=True))
            await port.until(lambda: len(port.emitted) == 1)
            return list(port.emitted)

    (told,) = asyncio.run(story())
    assert isinstance(told, VoiceTold)
    assert (told.device, told.engines, told.hears) == ("voice", engines, True)
    assert (told.spoken_sos, told.tells_words) == (False, True)


@pytest.mark.parametrize(("consent", "words"), [(True, "살려 주세요"), (False, "")])
def test_words_go_on_only_from_a_voice_that_may_tell_them(
    tmp_path: Path,
    consent: bool,  # noqa: FBT001 - a table
    words: str,
) -> None:
    async def story() -> list[object]:
        async with voice(tmp_path) as (speaker, port):
            speaker.say(Hello(tells_words=consent), Heard(Meaning.HELP, words="살려 주세요"))
            await port.until(lambda: len(port.emitted) == 2)
            return list(port.emitted)

    _, answered = asyncio.run(story())
    assert isinstance(answered, Answered)
    assert answered.words == words


def test_a_voice_that_is_too_slow_is_told_of_and_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> list[object]:
        async with voice(tmp_path) as (speaker, port):
            slow = Pong(2, ear_lost_s=1.5), Pong(3, 2.0, 4.0, 3.0)
            speaker.say(Pong(1), *slow, Heard(Meaning.HELP))
            await port.until(lambda: any(isinstance(e, Answered) for e in port.emitted))
            monkeypatch.setattr(voicebox, "LOSS_S", 0.0)
            speaker.say(*slow[1:], *slow[1:], Heard(Meaning.HELP))
            await port.until(lambda: sum(isinstance(e, Answered) for e in port.emitted) > 1)
            return [e for e in port.emitted if not isinstance(e, Answered)]

    told = asyncio.run(story())
    assert [e.readings for e in told if isinstance(e, Measured)] == [
        {"voice_ear_lost_s": 1.5, "voice_amid_lost_s": 0.0, "voice_unjudged_s": 0.0},
        {"voice_ear_lost_s": 2.0, "voice_amid_lost_s": 4.0, "voice_unjudged_s": 3.0},
    ]
    assert len(told) == len([e for e in told if isinstance(e, Measured)])


def test_a_flood_of_facts_is_cut_off(tmp_path: Path) -> None:
    async def story() -> int:
        async with voice(tmp_path) as (speaker, port):
            speaker.say(*[Heard(Meaning.HELP)] * 5000)
            with suppress(ConnectionResetError):
                async with asyncio.timeout(10):
                    await speaker.reader.read()
            return len(port.emitted)

    assert 0 < asyncio.run(story()) <= 500


def test_a_part_that_flickers_is_told_now_and_then_and_as_it_is_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicebox, "PATIENCE", Patience(ping_s=0.01))
    monkeypatch.setattr(voicebox, "CHANGE_S", 0.2)

    async def story() -> list[bool]:
        async with voice(tmp_path) as (speaker, port):
            flicker = [Trouble(Part.MICROPHONE, present=n % 2 == 0) for n in range(101)]
            speaker.say(*flicker, Trouble(Part.MICROPHONE, present=False), Heard(Meaning.HELP))
            await port.until(lambda: any(isinstance(e, Answered) for e in port.emitted))
            await port.until(lambda: len(_parts(port)) == 2)
            return _parts(port)

    assert asyncio.run(story()) == [True, False]


def _parts(port: FakePort) -> list[bool]:
    return [event.broken for event in port.emitted if isinstance(event, PartChanged)]


def test_a_voice_that_dies_again_and_again_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicebox, "PATIENCE", Patience(ping_s=0.01))
    monkeypatch.setattr(host, "LOST_S", 0.3)
    path = tmp_path / "voice.sock"

    async def dying() -> None:
        while True:
            speaker = await connected(path)
            speaker.say(Hello())
            await speaker.hear()
            speaker.writer.close()

    async def story() -> None:
        voices, port = asyncio.create_task(dying()), FakePort()
        try:
            await Driver(socket=str(path)).run(port)
        finally:
            assert port.readies == 0
            voices.cancel()
            await asyncio.gather(voices, return_exceptions=True)

    with pytest.raises(ProcessLostError):
        asyncio.run(story())


def test_a_newer_voice_takes_the_place_of_the_older(tmp_path: Path) -> None:
    async def story() -> Word | None:
        async with voice(tmp_path) as (old, port):
            new = await connected(tmp_path / "voice.sock")
            new.say(Hello())
            assert await new.hear() == Ping(1)
            port.tell(Say(Phrase.RAISED))
            assert await old.hear() is None
            word = await new.hear()
            new.writer.close()
            return word

    word = asyncio.run(story())
    assert word is not None
    assert word.key == "raised"  # type: ignore[union-attr]


def test_what_was_said_while_the_voice_started_is_said_when_it_is_up(tmp_path: Path) -> None:
    async def story() -> list[str]:
        path, port = tmp_path / "voice.sock", FakePort()
        async with serving(Driver(socket=str(path)), port):
            speaker = await connected(path)
            for _ in range(20):
                port.tell(Say(Phrase.RECEIVED))
            port.tell(Say(Phrase.RAISED))
            await _settled()
            speaker.say(Hello())
            assert await speaker.hear() == Ping(1)
            heard = [await speaker.hear() for _ in range(8)]
            speaker.writer.close()
            return [word.key for word in heard]  # type: ignore[union-attr]

    assert asyncio.run(story()) == ["received"] * 7 + ["raised"]


def test_a_voice_that_nobody_starts_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicebox, "PATIENCE", Patience(ping_s=0.01))
    monkeypatch.setattr(host, "LOST_S", 0.05)

    async def story() -> None:
        await Driver(socket=str(tmp_path / "voice.sock")).run(FakePort())

    with pytest.raises(ProcessLostError, match="no voice process"):
        asyncio.run(story())
    assert not (tmp_path / "voice.sock").exists()


def test_a_ping_is_answered_and_the_voice_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicebox, "PATIENCE", Patience(ping_s=0.01))

    async def story() -> list[int]:
        async with voice(tmp_path) as (speaker, _):
            pings: list[int] = []
            while len(pings) < 3:
                word = await speaker.hear()
                assert isinstance(word, Ping)
                pings.append(word.n)
                speaker.say(Pong(word.n))
            return pings

    assert asyncio.run(story()) == [2, 3, 4]


def test_a_voice_that_hangs_is_killed_even_if_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voicebox, "PATIENCE", Patience(ping_s=0.02, hang_s=0.2))
    monkeypatch.setattr(host, "STEADY_S", 0.1)

    async def story() -> int:
        path, port = tmp_path / "voice.sock", FakePort()
        async with serving(Driver(socket=str(path)), port):
            (await connected(path)).writer.close()
            process = await _hanging(path)
            await port.until(lambda: port.readies > 0)  # it has lived for a while
            os.kill(process.pid, signal.SIGSTOP)
            port.tell(Say(Phrase.RAISED))
            async with asyncio.timeout(10):
                return await process.wait()

    assert asyncio.run(story()) == -signal.SIGKILL


async def _hanging(path: Path) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANGING, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"here\n"
    return process


async def _settled() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


def test_digits_are_spoken_one_by_one_with_a_pause_in_the_middle() -> None:
    words = messages("hub", Language.KOREAN, "hub")["say"]
    order = voicebox.voice_order(Say(Phrase.PAIRING_COMPARE, "470192"), words.__getitem__)
    assert isinstance(order, SayWord)
    assert order.text == f"{words['pairing_compare']} 넷, 칠, 공. 하나, 아홉, 둘."
    unsaid = voicebox.voice_order(Say(Phrase.PAIRING_SHOW, "000012"), lambda phrase: phrase)
    assert isinstance(unsaid, SayWord)
    assert unsaid.text == "pairing_show 0, 0, 0. 0, 1, 2."  # without the words
    claimed = voicebox.voice_order(Say(Phrase.UNCLAIMED_DIGITS, "40718235"), words.__getitem__)
    assert isinstance(claimed, SayWord)
    assert claimed.text.endswith(" 넷, 공, 칠, 하나. 팔, 둘, 삼, 오.")
    password = voicebox.voice_order(Say(Phrase.HOTSPOT_OPEN, "ab1"), words.__getitem__)
    assert isinstance(password, SayWord)
    assert password.text.endswith(" a, b, 1.")
    other = voicebox.voice_order(Say(Phrase.ANNOUNCEMENT, "119"), lambda phrase: phrase)
    assert isinstance(other, SayWord)
    assert other.text == "announcement 119"


@pytest.mark.parametrize("language", Language)
def test_each_language_has_ten_words_for_digits(language: Language) -> None:
    assert len(set(messages("hub", language, "hub")["say"][Phrase.DIGITS].split())) == 10
