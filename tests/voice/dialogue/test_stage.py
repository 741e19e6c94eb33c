"""Who speaks when: a real stage and the product's own talks, with a fake mouth and a fake room."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from time import monotonic

import pytest

from hub.contract.voice import Ask, Fact, Heard, Listen, Meaning, Say, Spoke, Stop, Talking
from voice.dialogue import floor as floor_module
from voice.dialogue.plans import Plans
from voice.dialogue.stage import Stage
from voice.hearing.capture import Capture
from voice.hearing.overhear import Overhearing
from voice.sound.effects import chime
from voice.sound.pcm import Audio
from voice.speaking import speech as speech_module
from voice.speaking.speech import Manner, Speech
from voice.understanding.intents import Intent, Understood

PLANS = Plans.load()
MOOD = Ask("ask_mood", "오늘 기분은 괜찮으세요?")
HELP = Ask("ask_help", "도움이 필요하세요?")
RAISED = Say("raised", "도움을 요청하고 있습니다.")
NEWS = Say("announcement", "오늘은 폭염입니다.", "n1")


class Theatre:
    """What was sounded and told, in order; `hold` keeps a sentence from ending."""

    def __init__(self) -> None:
        self.sounded: list[str] = []
        self.talked_over: list[str] = []
        self.told: list[Fact] = []
        self.served: list[Intent] = []
        self.hold: set[str] = set()
        self.held = asyncio.Event()
        self.capture = Capture(
            lambda work: work(), lambda _: None, Overhearing(lambda _: None, lambda _: None)
        )
        self.speech = Speech(self, self.capture, lambda _: Manner(80))  # type: ignore[arg-type]
        self.speech.use_mouth(self)
        self.stage = Stage(self.speech, PLANS, self.told.append, self._serve)

    def parts(self, text: str, *, slow: bool = False) -> Iterator[Audio]:
        yield Audio(f"{'slowly: ' if slow else ''}{text}".encode("utf-16-le"), 16_000)

    def play(self, audio: Audio, volume_pct: float, stop: object) -> bool:
        assert volume_pct == 80
        text = "(chime)" if audio == chime() else audio.pcm.decode("utf-16-le")
        self.sounded.append(text)
        if not self.speech._quiet.is_set():
            self.talked_over.append(text)
        return not (text in self.hold and self._waits(stop))

    def _waits(self, stop: object) -> bool:
        return bool(stop.wait(10))  # type: ignore[attr-defined]

    def _serve(self, intent: Intent) -> str:
        self.served.append(intent)
        return f"served {intent}" if intent in {Intent.TIME, Intent.SLOWER} else ""

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - threads of the mouth's are under way
                await asyncio.sleep(0.005)

    async def listening(self) -> None:
        await self.until(lambda: self.stage.floor.expecting != "nothing")

    async def answer(self, intent: Intent, what: str = "") -> None:
        await self.listening()
        self.stage.heard(Understood(intent, what, sure=0.9))

    def meanings(self) -> list[tuple[Meaning, str]]:
        return [(fact.meaning, fact.asked) for fact in self.told if isinstance(fact, Heard)]

    def spoke(self) -> list[tuple[str, bool]]:
        return [(fact.key, fact.done) for fact in self.told if isinstance(fact, Spoke)]


Scene = Callable[[Theatre], Awaitable[None]]


def play(scene: Scene) -> Theatre:
    async def evening() -> Theatre:
        theatre = Theatre()
        show = asyncio.create_task(theatre.stage.run())
        try:
            await asyncio.wait_for(scene(theatre), 20)
        finally:
            show.cancel()
            with suppress(asyncio.CancelledError):
                await show
        return theatre

    return asyncio.run(evening())


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_module, "POLITE_S", 0.3)
    monkeypatch.setattr(floor_module, "LATEST_S", 0.5)


def test_a_check_in_is_chime_question_answer_and_kind_words() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.order(MOOD)
        await theatre.answer(Intent.FINE)
        await theatre.until(lambda: theatre.spoke() or theatre.stage.floor.expecting != "nothing")
        while not theatre.spoke():
            await theatre.answer(Intent.FINE)
            await theatre.until(lambda: theatre.stage.floor.expecting == "nothing")
            await theatre.until(
                lambda: theatre.spoke() or theatre.stage.floor.expecting != "nothing"
            )

    theatre = play(scene)
    assert theatre.sounded[:2] == ["(chime)", MOOD.text]
    assert theatre.meanings() == [(Meaning.FINE, "ask_mood")]
    assert theatre.spoke() == [("ask_mood", True)]
    assert theatre.told[0] == Talking("ask_mood")
    assert theatre.stage.idle


def test_help_amid_a_talk_is_told_at_once_and_the_question_for_it_has_no_chime() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.order(MOOD)
        await theatre.answer(Intent.HELP)
        await theatre.until(theatre.meanings)
        theatre.stage.order(HELP)
        await theatre.answer(Intent.UNCLEAR)
        await theatre.until(lambda: len(theatre.spoke()) == 2)

    theatre = play(scene)
    assert theatre.sounded == ["(chime)", MOOD.text, HELP.text]
    assert theatre.meanings() == [(Meaning.HELP, "ask_mood"), (Meaning.UNCLEAR, "ask_help")]


def test_help_while_nothing_is_asked_goes_to_the_hub() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.heard(Understood(Intent.HELP, sure=0.8))

    assert play(scene).told == [Heard(Meaning.HELP, sure=0.8)]


def test_an_alarm_is_said_at_once_and_what_it_cut_short_is_told_as_not_said() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.hold.add(NEWS.text)
        theatre.stage.order(NEWS)
        await theatre.until(lambda: NEWS.text in theatre.sounded)
        theatre.stage.order(RAISED)
        await theatre.until(lambda: len(theatre.spoke()) == 2)

    theatre = play(scene)
    assert theatre.sounded == [NEWS.text, RAISED.text]
    assert theatre.told == [Spoke("announcement", "n1", done=False), Spoke("raised")]


def test_an_alarm_ends_a_talk_that_listens() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.order(MOOD)
        await theatre.listening()
        theatre.stage.order(RAISED)
        await theatre.until(lambda: len(theatre.spoke()) == 2)
        assert theatre.stage.floor.expecting == "nothing"

    assert play(scene).spoke() == [("ask_mood", False), ("raised", True)]


def test_stop_is_silence_and_lets_go_of_what_waits() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.hold.add(NEWS.text)
        theatre.stage.order(NEWS)
        theatre.stage.order(MOOD)
        await theatre.until(lambda: NEWS.text in theatre.sounded)
        theatre.stage.order(Stop())
        await theatre.until(lambda: len(theatre.spoke()) == 2)
        assert theatre.stage.idle

    theatre = play(scene)
    assert theatre.sounded == [NEWS.text]
    assert theatre.spoke() == [("ask_mood", False), ("announcement", False)]


def test_again_says_the_last_thing_once_more_and_slower() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.order(NEWS)
        await theatre.until(theatre.spoke)
        theatre.stage.heard(Understood(Intent.REPEAT, sure=0.9))
        await theatre.until(lambda: len(theatre.sounded) == 2 and theatre.stage.idle)

    theatre = play(scene)
    assert theatre.sounded == [NEWS.text, f"slowly: {NEWS.text}"]
    assert theatre.told == [Spoke("announcement", "n1")]


def test_an_announcement_that_is_ordered_again_is_spoken_once() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.hold.add(NEWS.text)
        theatre.stage.order(NEWS)
        await theatre.until(lambda: theatre.sounded)
        theatre.stage.order(NEWS)
        theatre.stage.order(RAISED)
        await theatre.until(lambda: theatre.stage.idle)
        theatre.hold.clear()
        theatre.stage.order(NEWS)
        await theatre.until(lambda: theatre.stage.idle)
        theatre.stage.order(NEWS)

    told = [fact for fact in play(scene).told if isinstance(fact, Spoke) and fact.receipt]
    assert [fact.done for fact in told] == [False, True, True]


@pytest.mark.parametrize("wish", [Intent.AWAY, Intent.COUNSEL])
def test_what_may_be_the_televisions_is_asked_back_before_it_is_told(wish: Intent) -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.heard(Understood(wish, sure=0.9))
        await theatre.listening()
        assert not theatre.meanings()
        await theatre.answer(Intent.YES)
        await theatre.until(lambda: theatre.stage.idle)

    assert play(scene).meanings() == [(Meaning(str(wish)), f"own_{wish}")]


@pytest.mark.parametrize("word", [Intent.VISITOR, Intent.ALONE])
def test_who_is_with_the_resident_is_told_without_a_word_about_it(word: Intent) -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.heard(Understood(word, sure=0.9))
        assert theatre.stage.idle

    assert play(scene).meanings() == [(Meaning(str(word)), "")]


def test_the_time_is_told_unasked_and_amid_a_talk() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.heard(Understood(Intent.TIME, sure=0.9))
        await theatre.until(lambda: theatre.sounded == ["served time"] and theatre.stage.idle)
        theatre.stage.order(MOOD)
        await theatre.answer(Intent.TIME)
        await theatre.until(lambda: theatre.sounded.count(MOOD.text) == 2)

    theatre = play(scene)
    assert theatre.sounded == ["served time", "(chime)", MOOD.text, "served time", MOOD.text]


def test_nothing_is_said_into_what_the_resident_says_but_an_alarm_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speech_module, "POLITE_S", 20)

    async def scene(theatre: Theatre) -> None:
        theatre.stage.resident_talks(talking=True)
        theatre.stage.order(RAISED)
        await theatre.until(theatre.spoke)
        theatre.stage.order(NEWS)
        await theatre.until(lambda: theatre.speech._quiet._waiters)
        theatre.stage.resident_talks(talking=False)
        await theatre.until(lambda: len(theatre.sounded) == 2)

    assert play(scene).talked_over == [RAISED.text]


def test_who_begins_to_answer_in_time_is_heard_to_the_end() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.order(Listen("ask_mood", 0.05))
        await theatre.listening()
        theatre.stage.resident_talks(talking=True)
        late = monotonic() + 0.2  # longer than was to be listened
        await theatre.until(lambda: monotonic() > late)
        theatre.stage.heard(Understood(Intent.UNWELL, "head", sure=0.9))
        await theatre.until(lambda: theatre.told)

    assert play(scene).told == [Heard(Meaning.UNWELL, "ask_mood", what="head", sure=0.9)]


def test_what_was_thrown_away_before_we_listened_is_no_answer() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.resident_talks(talking=True)
        theatre.stage.order(Listen("ask_mood", 5))
        await theatre.listening()
        theatre.stage.forget()
        await theatre.answer(Intent.FINE)
        await theatre.until(lambda: theatre.told)

    assert play(scene).meanings() == [(Meaning.FINE, "ask_mood")]


def test_silence_tells_nothing() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.order(Listen("ask_mood", 0.05))
        theatre.stage.order(NEWS)
        await theatre.until(theatre.spoke)

    assert play(scene).told == [Spoke("announcement", "n1")]


def test_good_news_and_words_nobody_understood_are_no_fact_when_nobody_asked() -> None:
    async def scene(theatre: Theatre) -> None:
        for intent in (Intent.UNCLEAR, Intent.OFTEN, Intent.FINE, Intent.YES, Intent.NO):
            theatre.stage.heard(Understood(intent))

    assert not play(scene).told


def test_what_was_begun_before_the_question_is_not_its_answer() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.stage.resident_talks(talking=True)
        early, _ = theatre.stage.floor.asked()
        theatre.stage.resident_talks(talking=False)
        theatre.stage.order(HELP)
        await theatre.listening()
        theatre.stage.heard(Understood(Intent.NO, sure=0.9), early)
        theatre.stage.resident_talks(talking=True)
        now, expecting = theatre.stage.floor.asked()
        assert expecting == "help"
        theatre.stage.heard(Understood(Intent.YES, sure=0.9), now)
        await theatre.until(theatre.spoke)

    assert Meaning.NO not in [meaning for meaning, _ in play(scene).meanings()]


def test_what_no_engine_could_make_was_not_spoken() -> None:
    async def scene(theatre: Theatre) -> None:
        theatre.parts = lambda _text, **_: iter([Audio(bytes(200), 16_000)])  # type: ignore[method-assign]
        theatre.stage.order(NEWS)
        await theatre.until(theatre.spoke)

    assert play(scene).spoke() == [("announcement", False)]
