"""The board as stories, and as properties under random histories."""

from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import given

from center import board, evidence
from center.board import Act, Refusal, Why
from center.change import Change
from center.incident import Deed, Entry, Incident, Outcome, Urgency, urgency, waited_s
from hub.core.payloads import Stage
from hub.core.scaip import What
from tests.center.making import NAMES, NOW, heard, raised

SKY, SEA = NAMES


def done(decided: Change | Refusal | None) -> Incident:
    assert isinstance(decided, Change), decided
    return decided.incident


def told(incident: Incident) -> tuple[Stage, str, int]:
    return incident.stage, incident.who, incident.version


def act(by: str = SKY, after_s: float = 10.0, version: int | None = None) -> Act:
    return Act(by, NOW + after_s, version)


def test_a_press_waits_for_a_person_and_only_a_person_ends_it() -> None:
    one = raised()
    assert told(one) == (Stage.RECEIVED, "", 1)
    one = done(board.take(one, act(version=1)))
    assert told(one) == (Stage.ACCEPTED, SKY, 2)
    one = done(board.present(one, act(after_s=60, version=2)))
    assert told(one) == (Stage.PRESENT, SKY, 3)
    one = done(board.close(one, act(after_s=90, version=3), Outcome.HELP_GIVEN))
    assert told(one) == (Stage.CLOSED, SKY, 4)
    assert (one.accepted_utc, one.present_utc, one.closed_utc) == (NOW + 10, NOW + 60, NOW + 90)


def test_the_second_of_two_operators_learns_who_was_first() -> None:
    one = done(board.take(raised(), act(SKY, version=1)))
    refused = board.take(one, act(SEA, version=1))
    assert refused == Refusal(Why.STALE, one)
    assert (one.last_by, one.last_deed) == (SKY, Deed.TAKEN)


def test_an_operator_who_has_seen_that_it_is_taken_may_take_it_over() -> None:
    one = done(board.take(raised(), act(SKY)))
    change = board.take(one, act(SEA, version=one.version))
    assert isinstance(change, Change)
    assert change.incident.who == SEA
    assert [(e.deed, e.text) for e in change.entries] == [(Deed.TAKEN_OVER, SKY)]


def test_a_press_meanwhile_does_not_hinder_taking_but_hinders_closing() -> None:
    again = done(evidence.fold(raised(), heard(What.REPEATED, NOW + 5)))
    assert done(board.take(again, act(version=1))).who == SKY
    taken = done(board.take(raised(), act(version=1)))
    again = done(evidence.fold(taken, heard(What.REPEATED, NOW + 20)))
    refused = board.close(again, act(version=taken.version), Outcome.PRESSED_BY_MISTAKE)
    assert refused == Refusal(Why.STALE, again)
    assert again.last_deed is Deed.REPEATED


def test_a_version_from_the_future_is_refused() -> None:
    assert board.take(raised(), act(version=99)) == Refusal(Why.STALE, raised())


def test_a_forgotten_take_comes_back_and_its_age_counts_from_the_press() -> None:
    one = done(board.take(raised(), act(after_s=10)))
    assert evidence.expire(one, NOW + 10 + board.TAKE_EXPIRES_S - 1) is None
    late = NOW + 10 + board.TAKE_EXPIRES_S
    change = evidence.expire(one, late)
    back = done(change)
    assert told(back) == (Stage.RECEIVED, "", 3)
    assert change
    assert [(e.deed, e.text) for e in change.entries] == [(Deed.EXPIRED, SKY)]
    assert waited_s(back, late) == late - NOW
    assert board.take(one, act(version=2)) != board.take(back, act(version=2))
    assert board.close(back, act(version=2), Outcome.TEST) == Refusal(Why.STALE, back)


def test_any_action_of_its_owner_renews_a_take_and_nobody_elses_does() -> None:
    one = done(board.take(raised(), act(after_s=0)))
    noted = done(board.note(one, act(SKY, after_s=500), "전화 연결 중"))
    assert noted.expires_utc == NOW + 500 + board.TAKE_EXPIRES_S
    again = done(board.take(noted, act(SKY, after_s=600)))
    assert again.expires_utc == NOW + 600 + board.TAKE_EXPIRES_S
    others = done(board.note(one, act(SEA, after_s=500), "이웃에 연락함"))
    assert others.expires_utc == one.expires_utc


def test_presence_never_expires() -> None:
    one = done(board.present(done(board.take(raised(), act())), act()))
    assert evidence.expire(one, NOW + 10**9) is None


def test_a_cancelled_alarm_stays_for_a_person_to_close() -> None:
    one = done(evidence.fold(raised(), heard(What.CANCELLED, NOW + 5)))
    assert one.is_open
    assert one.needs_person
    assert one.cancelled_utc == NOW + 5
    again = done(evidence.fold(one, heard(What.REPEATED, NOW + 9)))
    assert again.cancelled_utc is None


def test_a_press_after_closing_reopens_and_its_clock_starts_anew() -> None:
    one = done(board.close(raised(), act(), Outcome.PRESSED_BY_MISTAKE))
    change = evidence.fold(one, heard(What.REPEATED, NOW + 100))
    again = change.incident
    assert told(again) == (Stage.RECEIVED, "", 3)
    assert [e.deed for e in change.entries] == [Deed.REPEATED, Deed.REOPENED]
    assert waited_s(again, NOW + 130) == 30
    assert again.outcome is None


def test_a_late_cancel_after_closing_is_kept_and_wakes_nobody() -> None:
    one = done(board.close(raised(), act(), Outcome.PRESSED_BY_MISTAKE))
    change = evidence.fold(one, heard(What.CANCELLED, NOW + 100))
    assert change.incident.stage is Stage.CLOSED
    assert [e.deed for e in change.entries] == [Deed.CANCELLED]


def test_a_responder_on_site_does_not_take_the_call_from_the_centre() -> None:
    one = done(evidence.fold(raised(), heard(What.PRESENT, NOW + 100)))
    assert one.stage is Stage.PRESENT
    assert one.needs_person
    taken = done(board.take(one, act(version=one.version)))
    assert (taken.stage, taken.who) == (Stage.PRESENT, SKY)


@pytest.mark.parametrize(
    ("outcome", "text", "why"),
    [
        (None, "", Why.NO_OUTCOME),
        (Outcome.OTHER_FALSE, " ", Why.NOTE_NEEDED),
        (Outcome.HELP_GIVEN, "x" * (board.NOTE_MAX + 1), Why.NOTE_TOO_LONG),
    ],
)
def test_closing_says_how_it_ended(outcome: Outcome | None, text: str, why: Why) -> None:
    assert board.close(raised(), act(), outcome, text) == Refusal(why, raised())


def test_what_is_closed_is_closed_and_what_is_open_is_open() -> None:
    shut = done(board.close(raised(), act(), Outcome.PET))
    for decided in (board.take(shut, act()), board.present(shut, act())):
        assert decided == Refusal(Why.IS_CLOSED, shut)
    assert board.close(shut, act(), Outcome.PET) == Refusal(Why.IS_CLOSED, shut)
    assert board.reopen(raised(), act()) == Refusal(Why.NOT_CLOSED, raised())
    assert told(done(board.reopen(shut, act(version=2)))) == (Stage.RECEIVED, "", 3)
    assert board.note(shut, act(), " ") == Refusal(Why.NOTE_NEEDED, shut)
    assert board.note(shut, act(), "x" * 2001) == Refusal(Why.NOTE_TOO_LONG, shut)


def test_a_hub_that_knows_more_than_a_restored_store_is_passed() -> None:
    one = done(evidence.catch_up(raised(), 7, NOW))
    assert (one.version, one.staged) == (8, 7)
    assert evidence.catch_up(one, 8, NOW) is None
    assert evidence.catch_up(one, evidence.VERSION_MAX, NOW) is None


def test_ageing_knows_60_and_180_seconds() -> None:
    ages = [urgency(age) for age in (0, 59.9, 60, 179.9, 180)]
    fresh, late, overdue = Urgency
    assert ages == [fresh, fresh, late, late, overdue]


def test_every_outcome_is_either_a_false_alarm_or_not() -> None:
    false = {o for o in Outcome if o.is_false_alarm}
    assert {Outcome.PRESSED_BY_MISTAKE, Outcome.PET, Outcome.TEST, Outcome.EQUIPMENT_FAULT} < false
    assert {Outcome.EMERGENCY_119, Outcome.HELP_GIVEN, Outcome.REASSURED}.isdisjoint(false)


STEPS = st.one_of(
    st.tuples(st.just("hub"), st.sampled_from(What)),
    st.tuples(st.sampled_from(["take", "present", "reopen", "note"]), st.sampled_from(NAMES)),
    st.tuples(st.just("close"), st.sampled_from(NAMES)),
    st.tuples(st.just("wait"), st.floats(0, 900)),
)
Step = tuple[str, object]


def walk(steps: Sequence[Step], stale_by: int) -> list[tuple[Step, Incident, list[Entry]]]:
    """Run steps on one incident; give what each left behind."""
    one, now = raised(), NOW
    lines: list[Entry] = []
    history: list[tuple[Step, Incident, list[Entry]]] = []
    for name, what in steps:
        now += 1.0
        decided: Change | Refusal | None = None
        match name, what:
            case "hub", What() as said:
                decided = evidence.fold(one, heard(said, now))
            case "wait", float() as pause_s:
                now += pause_s
                decided = evidence.expire(one, now)
            case "close", str() as who:
                act = Act(who, now, one.version - stale_by)
                decided = board.close(one, act, Outcome.HELP_GIVEN)
            case "note", str() as who:
                decided = board.note(one, Act(who, now), "메모")
            case _, str() as who:
                does = {"take": board.take, "present": board.present, "reopen": board.reopen}[name]
                decided = does(one, Act(who, now, one.version))
            case _:
                pytest.fail(f"no such step: {name} {what}")
        if isinstance(decided, Change):
            lines += decided.entries
            assert decided.incident.version == one.version + 1
            one = decided.incident
        history.append(((name, what), one, list(lines)))
    return history


@given(st.lists(STEPS, max_size=30), st.integers(0, 1))
def test_only_a_person_closes_and_nothing_is_forgotten(steps: list[Step], stale_by: int) -> None:
    before, told_before = raised(), 0
    for (name, _), one, lines in walk(steps, stale_by):
        if before.is_open and not one.is_open:
            assert name == "close"
        assert len(lines) >= told_before
        assert (one.stage is Stage.RECEIVED) <= (one.who == "")
        assert (one.stage is Stage.ACCEPTED) == (one.expires_utc is not None)
        assert (one.stage is Stage.CLOSED) == (one.outcome is not None)
        assert one.staged <= one.version
        before, told_before = one, len(lines)
    if stale_by:
        assert before.is_open


@given(st.lists(st.sampled_from(What), min_size=1, max_size=20))
def test_whatever_a_hub_says_its_incident_stays_open(said: list[What]) -> None:
    one = None
    for number, what in enumerate(said):
        one = evidence.fold(one, heard(what, NOW + number)).incident
    assert one
    assert one.is_open
    assert one.version == len(said)
    assert one.presses == sum(what in {What.RAISED, What.REPEATED} for what in said)
