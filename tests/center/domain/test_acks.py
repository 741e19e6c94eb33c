"""What the centre answers, against a model of how a hub takes it (`hub/core/alarm/alarm.py`)."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from center.domain import acks, by_hubs, by_people
from center.domain.by_people import Act
from center.domain.incident import Change, Incident, Outcome
from hub.contract.messages import Ack, AlarmBrief, Stage
from hub.contract.scaip import What
from tests.center.making import NOW, event, heard, raised

ACT = Act("김하늘", NOW + 10)


def after(incident: Incident, *names: str) -> Incident:
    for name in names:
        if name == "close":
            decided = by_people.close(incident, ACT, Outcome.PET)
        else:
            decided = {"take": by_people.take, "present": by_people.present}[name](incident, ACT)
        assert isinstance(decided, Change)
        incident = decided.incident
    return incident


def follow(stage: Stage, version: int, told: tuple[Ack, ...]) -> tuple[list[Stage], int]:
    """Take an ack as a hub does: ignore one that is older than what the hub knows."""
    seen = [stage]
    for ack in told:
        if ack.version >= version:
            version = ack.version
            seen.append(ack.stage)
    return seen, version


def test_a_fresh_alarm_is_received() -> None:
    (ack,) = acks.of_event("b1-1", raised(), NOW)
    assert ack == Ack("b1-1", "b1-1", Stage.RECEIVED, 1, NOW)


@pytest.mark.parametrize("names", [("take",), ("take", "present"), ("take", "close")])
def test_a_later_event_is_received_without_the_hub_falling_back(names: tuple[str, ...]) -> None:
    known = after(raised(), *names)
    now = by_hubs.fold(known, heard(What.CANCEL_ASKED, NOW + 20)).incident
    told = acks.of_event("b1-9", now, NOW)
    assert (told[0].event, told[0].stage) == ("b1-9", Stage.RECEIVED)
    seen, version = follow(known.stage, known.version, told)
    assert set(seen) == {known.stage}
    assert version == now.version


@given(st.integers(0, 3), st.sampled_from([("take",), ("take", "present"), ("take", "take")]))
def test_a_hub_that_missed_acks_ends_up_right(known: int, names: tuple[str, ...]) -> None:
    now = by_hubs.fold(after(raised(), *names), heard(What.REPEATED, NOW + 20)).incident
    seen, version = follow(Stage.SENT, known, acks.of_event("b1-9", now, NOW))
    assert (seen[-1], version) == (now.stage, now.version)


def test_a_hub_that_is_right_is_left_alone() -> None:
    taken = after(raised(), "take")
    assert acks.of_brief(AlarmBrief("b1-1", Stage.ACCEPTED, 2), taken, NOW) is None
    cancelled = by_hubs.fold(raised(), heard(What.CANCELLED, NOW + 5)).incident
    assert acks.of_brief(AlarmBrief("b1-1", Stage.CANCELLED, 2), cancelled, NOW) is None


@pytest.mark.parametrize(
    ("believed", "version"), [(Stage.RECEIVED, 1), (Stage.RECEIVED, 2), (Stage.SENT, 0)]
)
def test_a_hub_that_missed_a_take_is_told_again(believed: Stage, version: int) -> None:
    ack = acks.of_brief(AlarmBrief("b1-1", believed, version), after(raised(), "take"), NOW)
    assert ack == Ack("", "b1-1", Stage.ACCEPTED, 2, NOW, "김하늘")


def test_an_alarm_that_is_closed_here_is_closed_there() -> None:
    shut = after(raised(), "close")
    for believed in (Stage.CANCELLED, Stage.ACCEPTED):
        ack = acks.of_brief(AlarmBrief("b1-1", believed, shut.version), shut, NOW)
        assert ack
        assert ack.stage is Stage.CLOSED


def test_an_alarm_that_was_never_heard_of_is_asked_for() -> None:
    assert event().data.alarm == "b1-1"
    ack = acks.of_brief(AlarmBrief("b1-1", Stage.RECEIVED, 3), None, NOW)
    assert ack == Ack("", "b1-1", Stage.UNKNOWN, 0, NOW)
