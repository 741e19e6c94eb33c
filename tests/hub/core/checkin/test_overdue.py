"""Not back as usual: what an absence that nobody declared stops, and what it does not."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import CareEvent, PresenceKind
from hub.contract.scaip import Care, Kind
from hub.contract.voice import Meaning
from hub.contract.wire import decode_from_hub
from hub.core.activity import presence
from hub.core.activity.presence import ABSENCE
from hub.core.decide import decide
from hub.core.model.effects import Ask, Effect, Publish
from hub.core.model.events import Answered, Ticked
from hub.core.model.rules import CareRules
from hub.core.model.state import HomeState
from tests.hub.core.house_scenes import HOUR, KITCHEN, LIVING, RULES, Lived, day_long, settled

AWAY = PresenceKind.AWAY
USUAL_H = RULES.quiet.safe_day_s / HOUR
MOST_H = RULES.quiet.most_s / HOUR


def told(effects: list[Effect]) -> list[Care]:
    """The needs so far."""
    events = [e for e in effects if isinstance(e, Publish) and e.topic.endswith("/event")]
    found = [decode_from_hub(e.topic, e.payload)[1] for e in events]
    return [event.data.care for event in found if isinstance(event, CareEvent)]


def out(longest_h: float = 0.0) -> Lived:
    """A home that is known, at noon; somebody has just gone by the exit door."""
    lived = settled()
    for n, hour in enumerate(day_long(till=12.0)):
        lived.move((KITCHEN, LIVING)[n % 2], 14 * 24 + hour)
    habits = replace(lived.state.habits, longest={ABSENCE: longest_h * HOUR} if longest_h else {})
    lived.state = replace(lived.state, habits=habits)
    lived.door(NOON).until(NOON + 0.2)
    assert lived.kind is AWAY
    lived.effects.clear()
    return lived


NOON = 14 * 24 + 12.05


@pytest.mark.parametrize(
    ("longest_h", "after_h"), [(0.0, USUAL_H), (4.0, USUAL_H), (8.0, 10.0), (220.0, MOST_H)]
)
def test_who_is_not_back_as_usual_is_a_task_and_after_a_stay_in_hospital_within_hours(
    longest_h: float, after_h: float
) -> None:
    lived = out(longest_h).until(NOON + after_h - 0.1)
    assert told(lived.effects) == []
    assert told(lived.until(NOON + after_h + 0.1).effects) == [Care.NOT_BACK]
    lived.until(NOON + 23.8)
    assert told(lived.effects) == [Care.NOT_BACK], "it is told once"
    assert lived.kinds == [], "and it is no alarm"


def test_a_day_is_a_day_whatever_absences_there_were() -> None:
    lived = out(220.0).until(NOON + 24.1 + RULES.warn_s / HOUR)
    assert lived.kinds == [Kind.NO_LIFE]


def test_who_comes_back_after_that_is_told_as_well_and_once() -> None:
    lived = out().until(NOON + 7.0).door(NOON + 8.0).until(NOON + 8.5)
    assert told(lived.effects) == [Care.NOT_BACK, Care.BACK]
    lived.move(KITCHEN, NOON + 8.6).until(NOON + 9.0)
    assert len(told(lived.effects)) == 2
    assert told(out().until(NOON + 2.0).door(NOON + 2.0).until(NOON + 2.5).effects) == []


def test_who_has_said_that_they_go_out_is_not_missed_while_that_holds() -> None:
    lived = out(1.0).move(KITCHEN, NOON + 1.0).move(LIVING, NOON + 1.1)
    lived.take(Answered(lived.at, Meaning.AWAY)).until(NOON + 12.9)
    assert lived.kind is AWAY
    assert presence.declared(lived.state.house.presence)
    assert told(lived.effects) == []


def test_that_it_was_told_outlasts_a_restart() -> None:
    lived = out().until(NOON + 7.0)
    lived.effects.clear()
    lived.start(NOON + 7.5).until(NOON + 20.0)
    assert told(lived.effects) == []
    lived.door(NOON + 20.5).until(NOON + 21.0)
    assert told(lived.effects) == [Care.BACK]


def test_nothing_is_due_of_a_home_that_is_new() -> None:
    state, effects = decide(HomeState(), Ticked(1e6), RULES)
    assert not state.house.overdue
    assert effects == [] or told(effects) == []


def test_a_care_worker_leaves_by_the_door_and_the_resident_lies_in_bed() -> None:
    """A door made eleven days of the 24 h; now it only pauses the judgement of quiet."""
    rules = replace(RULES, care=CareRules(times=("18:00",)))
    lived = settled(rules=rules)
    for n, hour in enumerate(day_long(till=12.0)):
        lived.move((KITCHEN, LIVING)[n % 2], 14 * 24 + hour)
    habits = replace(lived.state.habits, longest={ABSENCE: 220 * HOUR})
    lived.state = replace(lived.state, habits=habits)
    lived.door(NOON).until(NOON + 0.2)
    assert lived.kind is AWAY
    life_at = lived.state.house.active_at
    lived.effects.clear()
    lived.until(NOON + 25.0)
    asked = [e for e in lived.effects if isinstance(e, Ask) and e.phrase.startswith("ask_")]
    assert len(asked) == rules.care.attempts
    assert lived.kinds == [Kind.MISSED_CHECKIN, Kind.NO_LIFE]
    assert lived.alarms[1].at == life_at + 24 * HOUR + rules.warn_s
    assert told(lived.effects) == [Care.NOT_BACK]
