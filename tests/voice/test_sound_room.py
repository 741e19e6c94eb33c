"""A real voice process: what is played into the room leads to facts, what it says is heard."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import pytest

from drivers.voicebox import driver
from hub.contract.voice import (
    Ask,
    Heard,
    Hello,
    Listen,
    Meaning,
    Part,
    Ping,
    Pong,
    Say,
    Spoke,
    Stop,
    Talking,
    Trouble,
)
from hub.shared.sidecar.host import Patience
from tests.voice.process import StandIn, Voice, voice
from tests.voice.room import Room, until
from voice.dialogue.plans import Plans
from voice.hearing import models
from voice.hearing.models import Model
from voice.hearing.whisper import Whisper
from voice.korean.sounds import distance

MOOD = Ask("ask_mood", "안녕하세요. 오늘 기분은 괜찮으세요?")
HELP = Ask("ask_help", "도움이 필요하세요?")
RAISED = Say("raised", "도움을 요청하고 있습니다.")
PLANS = Plans.load()
Scene = tuple[Voice, StandIn]


@contextmanager
def shortly_named() -> Iterator[Path]:
    """A folder for a unix socket, whose path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="anbu-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def scene(sound_server: Room) -> Iterator[Scene]:
    with shortly_named() as folder, voice(sound_server, folder) as (process, hub):
        hub.wait(Hello, lambda hello: {"vosk", "whisper"} <= set(hello.engines), 90)
        yield process, hub


@pytest.fixture
def fresh(scene: Scene) -> Scene:
    """The same voice, after what was told before has been forgotten."""
    scene[1].facts.clear()
    return scene


def fares(hub: StandIn, part: Part, *, present: bool, within_s: float) -> float:
    """Wait until the voice has told how a part fares; how long that took."""
    begun = monotonic()
    hub.wait(Trouble, lambda told: (told.part, told.present) == (part, present), within_s)
    return monotonic() - begun


def understood(pcm: bytes) -> str:
    """Return what Whisper writes down."""
    whisper = Whisper(models.find(Model.WHISPER))
    guesses, _ = whisper.guess(whisper.encode(pcm))
    return guesses[0].text


def without_pauses(pcm: bytes) -> bytes:
    """Return the loud parts, and a quarter of a second on both sides of each."""
    pieces = [pcm[n : n + 8000] for n in range(0, len(pcm), 8000)]
    loud = [max(map(abs, memoryview(piece).cast("h")), default=0) > 300 for piece in pieces]
    near = zip(pieces, [False, *loud], loud, [*loud[1:], False], strict=False)
    return b"".join(piece for piece, *sounds in near if any(sounds))


def listens(hub: StandIn) -> None:
    """Wait until a talk listens: it tells of itself when it speaks, and when it listens."""
    assert until(lambda: len(hub.all(Talking)) >= 2, 60)


def test_a_spoken_call_for_help_reaches_the_hub(fresh: Scene) -> None:
    process, hub = fresh
    process.hears("help")
    assert hub.wait(Heard).meaning is Meaning.HELP


def test_everyday_talk_is_no_fact_and_a_call_for_help_after_it_is(fresh: Scene) -> None:
    process, hub = fresh
    process.hears("talk")
    process.hears("save")
    assert hub.wait(Heard).meaning is Meaning.HELP
    assert len(hub.all(Heard)) == 1


def test_a_whole_check_in_runs_by_sound_alone(fresh: Scene) -> None:
    process, hub = fresh

    def talk() -> None:
        hub.order(MOOD)
        listens(hub)
        process.hears("fine")
        hub.wait(Spoke, within_s=60)

    spoken = process.place.listen(talk)
    heard = hub.all(Heard)
    assert [(fact.meaning, fact.asked) for fact in heard] == [(Meaning.FINE, "ask_mood")]
    assert hub.all(Spoke) == [Spoke("ask_mood")]
    said = " ".join((MOOD.text, *PLANS.plans["ask_mood"].steps["start"].on[0].say.split()))
    assert distance(understood(without_pauses(spoken)), said) < 0.35


def test_asked_whether_help_is_needed_a_clear_no_is_told(fresh: Scene) -> None:
    process, hub = fresh
    hub.order(HELP)
    listens(hub)
    process.hears("no")
    assert hub.wait(Heard).meaning in {Meaning.NO, Meaning.CANCEL}
    assert hub.wait(Heard).asked == "ask_help"


def test_what_it_says_itself_is_never_heard_as_the_residents(fresh: Scene) -> None:
    process, hub = fresh
    loop = "load-module module-loopback source=loudspeaker.monitor sink=room latency_msec=50"
    process.place.order(loop)
    try:
        hub.order(Say("announcement", "도와주세요! 살려 주세요!", "n1"))
        assert hub.wait(Spoke, within_s=60).done
        hub.order(Listen("ask_mood", 20))
        process.hears("well")
        hub.wait(Heard)
    finally:
        process.place.order("unload-module module-loopback")
    assert [fact.meaning for fact in hub.all(Heard)] == [Meaning.FINE]


def test_cries_amid_our_own_words_are_heard_though_the_room_echoes_them(fresh: Scene) -> None:
    """One cry in three is lost amid our words (bench.overheard), more where a busy machine tears
    the sound: who is not heard cries again, and must be heard before we have said it all.
    """
    process, hub = fresh
    loop = "load-module module-loopback source=loudspeaker.monitor sink=room latency_msec=80"
    process.place.order(f"{loop} adjust_time=0")  # else it changes the pitch of what it repeats
    long = "오늘은 폭염입니다. 물을 자주 드시고 낮에는 집에서 쉬세요. 밭일은 해가 진 뒤에 하세요."
    try:
        hub.order(Say("announcement", " ".join([long] * 6), "n2"))
        assert until(lambda: process.place.is_loud("loudspeaker.monitor"), 60)
        while not hub.all(Heard) and not hub.all(Spoke):
            process.hears("help")
            until(lambda: hub.all(Heard) or hub.all(Spoke), 3)
        assert [fact.meaning for fact in hub.all(Heard)] == [Meaning.HELP]
        hub.order(Stop())
        hub.wait(Spoke, within_s=60)
    finally:
        process.place.order("unload-module module-loopback")


def test_a_lost_microphone_is_told_soon_and_heard_again_soon_after_it_returns(
    fresh: Scene,
) -> None:
    process, hub = fresh
    process.place.unplug()
    try:
        assert fares(hub, Part.MICROPHONE, present=True, within_s=30) < 30
    finally:
        process.place.plug_in()
    assert fares(hub, Part.MICROPHONE, present=False, within_s=15) < 15
    process.hears("help")
    assert hub.wait(Heard).meaning is Meaning.HELP


def test_a_microphone_that_is_switched_off_is_told_as_that(fresh: Scene) -> None:
    process, hub = fresh
    process.place.mute(on=True)
    try:
        fares(hub, Part.MUTE, present=True, within_s=20)
    finally:
        process.place.mute(on=False)
    fares(hub, Part.MUTE, present=False, within_s=10)
    assert not [told for told in hub.all(Trouble) if told.part is Part.MICROPHONE]


def test_pings_are_answered_while_it_speaks(fresh: Scene) -> None:
    _, hub = fresh
    hub.order(RAISED)
    for n in range(5):
        asked_at = monotonic()
        hub.order(Ping(n))
        hub.wait(Pong, lambda pong, n=n: pong.n == n, 10)  # type: ignore[misc]
        assert monotonic() - asked_at < 5
    assert hub.wait(Spoke, within_s=60).done


def test_a_sound_system_that_hangs_for_good_ends_the_process_to_be_started_again(
    fresh: Scene,
) -> None:
    process, hub = fresh
    process.place.freeze()
    try:
        fares(hub, Part.MICROPHONE, present=True, within_s=30)
        assert process.process.wait(40) == 75
    finally:
        process.place.thaw()


def test_without_models_it_says_so_and_speaks_all_the_same(
    sound_server: Room, tmp_path_factory: pytest.TempPathFactory
) -> None:
    empty = tmp_path_factory.mktemp("models")
    nowhere = {"ANBU_MODELS": str(empty)}
    with shortly_named() as folder, voice(sound_server, folder, **nowhere) as (process, hub):
        fares(hub, Part.SPEECH, present=True, within_s=60)
        hub.order(RAISED)
        assert hub.wait(Spoke).done
        process.process.terminate()
        assert process.process.wait(20) == 0


def test_a_voice_that_is_stopped_is_killed_by_the_hub(
    sound_server: Room, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(driver, "PATIENCE", Patience(ping_s=0.2, hang_s=1.0))
    empty = tmp_path_factory.mktemp("models")

    async def story(folder: Path) -> None:
        ready = asyncio.Event()

        async def orders() -> AsyncIterator[None]:
            await asyncio.Event().wait()
            yield

        port = SimpleNamespace(ready=ready.set, emit=lambda _: None, words=str, orders=orders)
        box = driver.Driver(socket=str(folder / "voice.sock"))
        serving = asyncio.create_task(box.run(port))
        process = Voice(sound_server, folder, ANBU_MODELS=str(empty))
        try:
            await asyncio.wait_for(ready.wait(), 60)
            process.process.send_signal(signal.SIGSTOP)
            code = await asyncio.wait_for(asyncio.to_thread(process.process.wait), 20)
            assert code == -signal.SIGKILL
        finally:
            process.end()
            serving.cancel()

    with shortly_named() as folder:
        asyncio.run(story(folder))
