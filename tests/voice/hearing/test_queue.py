"""The queue of speech to recognise: a cry is never lost, whatever the recogniser does."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event

import pytest

from voice.hearing import queue as module
from voice.hearing.hearing import Utterance
from voice.hearing.queue import JudgementQueue
from voice.understanding.intents import Expecting, Intent, Understood

CRY, BABBLE = Utterance(b"c", Understood(Intent.HELP)), Utterance(b"w")
NOTHING = Expecting.NOTHING


class Court:
    """A recogniser that blocks until `go` and finds everything unclear."""

    def __init__(self) -> None:
        self.go, self.judged = Event(), list[bytes]()
        self.told: list[Intent] = []
        self.answers: list[asyncio.Task[None]] = []
        self.queue = JudgementQueue()
        self.queue.use_judge(self)

    def tell(self, found: Understood) -> None:
        self.told.append(found.intent)

    def judge(self, utterance: Utterance, expecting: Expecting) -> Understood:
        assert expecting in Expecting
        self.go.wait(10)
        self.judged.append(utterance.pcm)
        if utterance.pcm == b"!":
            raise ValueError
        return Understood()

    async def bring(self, *utterances: Utterance) -> list[asyncio.Task[None]]:
        puts = [asyncio.create_task(self.queue.put(u, NOTHING, self.tell)) for u in utterances]
        for _ in range(5):
            await asyncio.sleep(0)
        return puts


def play(story: Callable[[Court], Awaitable[None]]) -> Court:
    async def day() -> Court:
        court = Court()
        try:
            await asyncio.wait_for(story(court), 10)
        finally:
            court.go.set()
        return court

    return asyncio.run(day())


def test_an_answer_is_judged_before_words_that_nobody_asked_for() -> None:
    answer = Utterance(b"a")

    async def story(court: Court) -> None:
        puts = await court.bring(BABBLE, BABBLE)
        puts.append(asyncio.create_task(court.queue.put(answer, Expecting.HELP, court.tell)))
        await asyncio.sleep(0)
        court.go.set()
        await asyncio.gather(*puts)

    assert play(story).judged == [b"w", b"a", b"w"]


def test_a_cry_is_judged_before_what_came_earlier() -> None:
    async def story(court: Court) -> None:
        puts = await court.bring(BABBLE, BABBLE, CRY)
        assert court.queue.busy
        court.go.set()
        await asyncio.gather(*puts)
        assert not court.queue.busy

    assert play(story).judged == [b"w", b"c", b"w"]


def test_a_cry_behind_a_long_queue_is_told_at_once_and_babble_is_let_go() -> None:
    async def story(court: Court) -> None:
        await court.bring(BABBLE, BABBLE, BABBLE, BABBLE)
        await court.bring(CRY)
        assert court.told == [Intent.HELP]
        await court.bring(BABBLE)
        assert court.told == [Intent.HELP, Intent.UNCLEAR]
        assert court.queue.unjudged_s == CRY.seconds + BABBLE.seconds

    play(story)


def test_a_cry_is_told_when_its_judgement_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CRY_S", 0.05)

    async def story(court: Court) -> None:
        puts = await court.bring(CRY)
        await asyncio.wait(puts, timeout=0.3)
        assert court.told == [Intent.HELP]
        court.go.set()
        await asyncio.gather(*puts)

    assert play(story).told == [Intent.HELP]


def test_a_judge_that_breaks_breaks_only_after_the_cry_was_told() -> None:
    async def story(court: Court) -> None:
        court.go.set()
        with pytest.raises(ValueError):  # noqa: PT011 - the judge's own
            await court.queue.put(Utterance(b"!", Understood(Intent.HELP)), NOTHING, court.tell)

    assert play(story).told == [Intent.HELP]


def test_a_judge_that_is_stuck_is_noticed_and_the_cries_behind_it_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(court: Court) -> None:
        await court.bring(BABBLE, CRY)
        assert not court.queue.stuck()
        monkeypatch.setattr(module, "STUCK_S", -1.0)
        assert court.queue.stuck()
        await court.bring()
        assert court.told == [Intent.HELP]

    play(story)


def test_where_too_much_waits_what_is_least_like_a_call_is_let_go() -> None:
    near = {name: Utterance(name.encode(), near=int(name) / 10) for name in "3158264"}

    async def story(court: Court) -> None:
        puts = [task for one in near.values() for task in await court.bring(one)]
        assert court.told == [Intent.UNCLEAR] * 3
        court.go.set()
        await asyncio.gather(*puts)
        assert court.queue.unjudged_s == pytest.approx(3 * BABBLE.seconds)

    assert play(story).judged == [b"3", b"8", b"6", b"5"]


def test_an_answer_gives_way_to_nothing() -> None:
    async def story(court: Court) -> None:
        await court.bring(BABBLE)
        for _ in range(3):
            asked = court.queue.put(Utterance(b"a", near=0.0), Expecting.CHECKIN, court.tell)
            court.answers.append(asyncio.create_task(asked))
            await court.bring()
        await court.bring(Utterance(b"n", near=0.9))
        assert court.told == [Intent.UNCLEAR]
        court.go.set()
        await asyncio.gather(*court.answers)

    assert play(story).judged == [b"w", b"a", b"a", b"a"]


def test_before_the_models_are_loaded_the_first_pass_counts() -> None:
    async def story(court: Court) -> None:
        queue = JudgementQueue()
        await queue.put(CRY, NOTHING, court.tell)
        await queue.put(BABBLE, NOTHING, court.tell)

    assert play(story).told == [Intent.HELP, Intent.UNCLEAR]


@pytest.mark.parametrize("agreed", [True, False])
def test_an_answer_is_recorded_only_where_the_resident_agrees(
    tmp_path: Path, *, agreed: bool
) -> None:
    async def story(court: Court) -> None:
        queue = JudgementQueue(tmp_path / "kept" if agreed else None)
        queue.use_judge(court)
        court.go.set()
        await queue.put(Utterance(b"an answer!"), Expecting.CHECKIN, court.tell)

    play(story)
    assert len([*tmp_path.rglob("*.wav")]) == agreed
