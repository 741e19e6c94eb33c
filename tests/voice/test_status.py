"""The state of the parts, the sound that was lost, and when to restart."""

import asyncio

from hub.contract.voice import Fact, Part, Pong, Trouble
from hub.shared.language import Language
from voice.hearing.capture import Capture
from voice.hearing.overhear import Overhearing
from voice.hearing.queue import JudgementQueue
from voice.sound.microphone import Condition
from voice.speaking.preferences import the_time
from voice.status import LEAST_S, SETTLED_S, Losses, PartStatus, restart_due

NIGHT, NOON = 3.75 * 3600, 12 * 3600.0


def test_a_trouble_is_told_when_it_begins_and_when_it_ends() -> None:
    told: list[Fact] = []
    status = PartStatus(told.append)
    for reason in ("", "missing: USB", "refused", "", ""):
        status.note_microphone(Condition(bool(reason), reason, muted=False, tried_s=0, overflows=0))
    assert told == [
        Trouble(Part.MICROPHONE, present=True, detail="missing: USB"),
        Trouble(Part.MICROPHONE, present=False),
    ]


def test_a_hub_that_starts_again_is_told_of_all_parts_the_well_ones_too() -> None:
    status = PartStatus(lambda _: None)
    status.note(Part.SPEECH, "whisper: missing: " + "x" * 500)
    facts = {fact.part: fact for fact in status.facts() if isinstance(fact, Trouble)}
    assert set(facts) == set(Part)
    assert [part for part, fact in facts.items() if fact.present] == [Part.SPEECH]
    assert len(facts[Part.SPEECH].detail) == 200


def test_a_microphone_switched_off_is_not_a_lost_one() -> None:
    told: list[Fact] = []
    condition = Condition(lost=False, reason="", muted=True, tried_s=0, overflows=0)
    PartStatus(told.append).note_microphone(condition)
    assert told == [Trouble(Part.MUTE, present=True, detail="only zeros")]


def test_it_restarts_when_it_has_grown_or_once_a_night() -> None:
    assert restart_due(701, 700, SETTLED_S + 1, NOON, "03:30")
    assert not restart_due(701, 700, SETTLED_S - 1, NOON, "03:30")
    assert not restart_due(699, 700, 9 * LEAST_S, NOON, "03:30")
    assert restart_due(300, 700, LEAST_S + 1, NIGHT, "03:30")
    assert not restart_due(300, 700, 600, NIGHT, "03:30")
    assert restart_due(300, 700, LEAST_S + 1, 1800, "23:00")


def test_the_time_is_said_as_people_say_it() -> None:
    assert the_time(NOON + 15 * 60, Language.KOREAN) == "지금은 오후 12시 15분입니다."
    assert the_time(0, Language.KOREAN) == "지금은 오전 12시입니다."
    assert the_time(NIGHT, Language.ENGLISH) == "It is 3:45 in the morning."


def test_what_was_lost_in_each_place_is_told_with_each_pong() -> None:
    async def evening() -> None:
        overhearing = Overhearing(lambda _: None, lambda _: None)
        capture = Capture(lambda _: None, lambda _: None, overhearing)
        judgements = JudgementQueue()
        losses = Losses(capture, overhearing, judgements)
        assert losses.pong(1) == Pong(1)
        capture.lost_s, overhearing.lost_s, judgements.unjudged_s = 1.26, 2.0, 4.0
        assert losses.pong(2) == Pong(2, ear_lost_s=1.3, amid_lost_s=2.0, unjudged_s=4.0)

    asyncio.run(evening())
