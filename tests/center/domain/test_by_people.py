"""The board as stories, and as properties under random histories."""

from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace

from center.domain import by_hubs, by_people
from center.domain.by_people import Act, Refusal, Why
from center.domain.incident import (
    Change,
    Deed,
    Entry,
    Incident,
    Outcome,
    Urgency,
    urgency,
    waited_s,
)
from hub.contract.messages import Stage
from hub.contract.scaip import Kind, What
from tests.center.making import NAMES, NOW, heard, raised

SKY, SEA = NAMES
DAY_S = 86_400.0


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
    one = done(by_people.take(one, act(version=1)))
    assert told(one) == (Stage.ACCEPTED, SKY, 2)
    one = done(by_people.present(one, act(after_s=60, version=2)))
    assert told(one) == (Stage.PRESENT, SKY, 3)
    one = done(by_people.close(one, act(after_s=90, version=3), Outcome.HELP_GIVEN))
    assert told(one) == (Stage.CLOSED, SKY, 4)
    assert (one.accepted_utc, one.present_utc, one.closed_utc) == (NOW + 10, NOW + 60, NOW + 90)


def test_the_second_of_two_operators_learns_who_was_first() -> None:
    one = done(by_people.take(raised(), act(SKY, version=1)))
    refused = by_people.take(one, act(SEA, version=1))
    assert refused == Refusal(Why.STALE, one)
    assert (one.last_by, one.last_deed) == (SKY, Deed.TAKEN)


def test_an_operator_who_has_seen_that_it_is_taken_may_take_it_over() -> None:
    one = done(by_people.take(raised(), act(SKY)))
    change = by_people.take(one, act(SEA, version=one.version))
    assert isinstance(change, Change)
    assert change.incident.who == SEA
    assert [(e.deed, e.text) for e in change.entries] == [(Deed.TAKEN_OVER, SKY)]


def test_a_press_meanwhile_does_not_hinder_taking_but_hinders_closing() -> None:
    again = done(by_hubs.fold(raised(), heard(What.REPEATED, NOW + 5)))
    assert done(by_people.take(again, act(version=1))).who == SKY
    taken = done(by_people.take(raised(), act(version=1)))
    again = done(by_hubs.fold(taken, heard(What.REPEATED, NOW + 20)))
    refused = by_people.close(again, act(version=taken.version), Outcome.PRESSED_BY_MISTAKE)
    assert refused == Refusal(Why.STALE, again)
    assert again.last_deed is Deed.REPEATED


def test_a_version_from_the_future_is_refused() -> None:
    assert by_people.take(raised(), act(version=99)) == Refusal(Why.STALE, raised())


def test_a_forgotten_take_comes_back_and_its_age_counts_from_the_press() -> None:
    one = done(by_people.take(raised(), act(after_s=10)))
    assert by_hubs.expire(one, NOW + 10 + by_people.PATIENCE.take_expires_s - 1) is None
    late = NOW + 10 + by_people.PATIENCE.take_expires_s
    change = by_hubs.expire(one, late)
    back = done(change)
    assert told(back) == (Stage.RECEIVED, "", 3)
    assert change
    assert [(e.deed, e.text) for e in change.entries] == [(Deed.EXPIRED, SKY)]
    assert waited_s(back, late) == late - NOW
    assert by_people.take(one, act(version=2)) != by_people.take(back, act(version=2))
    assert by_people.close(back, act(version=2), Outcome.TEST) == Refusal(Why.STALE, back)


def test_any_action_of_its_owner_renews_a_take_and_nobody_elses_does() -> None:
    one = done(by_people.take(raised(), act(after_s=0)))
    noted = done(by_people.note(one, act(SKY, after_s=500), "전화 연결 중"))
    assert noted.expires_utc == NOW + 500 + by_people.PATIENCE.take_expires_s
    again = done(by_people.take(noted, act(SKY, after_s=600)))
    assert again.expires_utc == NOW + 600 + by_people.PATIENCE.take_expires_s
    others = done(by_people.note(one, act(SEA, after_s=500), "이웃에 연락함"))
    assert others.expires_utc == one.expires_utc


def present(after_s: float = 10.0) -> Incident:
    return done(by_people.present(done(by_people.take(raised(), act())), act(after_s=after_s)))


def deeds(change: Change | None) -> list[tuple[Deed, str]]:
    assert change
    return [(e.deed, e.text) for e in change.entries]


def test_that_somebody_is_on_site_runs_out_in_hours_and_any_act_of_its_owner_renews_it() -> None:
    lasts_s = by_people.PATIENCE.present_expires_s
    one = present(after_s=10)
    assert by_hubs.expire(one, NOW + 10 + lasts_s - 1) is None
    noted = done(by_people.note(one, act(after_s=5000), "119와 함께 있음"))
    assert by_hubs.expire(noted, NOW + 10 + lasts_s) is None
    others = done(by_people.note(one, act(SEA, after_s=5000), "이웃에 연락함"))
    change = by_hubs.expire(others, NOW + 10 + lasts_s)
    assert deeds(change) == [(Deed.PRESENT_EXPIRED, SKY)]
    back = done(change)
    assert (back.stage, back.who, back.needs_person) == (Stage.RECEIVED, "", True)
    assert waited_s(back, NOW + 10 + lasts_s + 5) == 5


def test_a_server_whose_clock_was_put_back_gives_back_what_it_cannot_time() -> None:
    """Else a call would wait an hour longer until its holder's minute is over."""
    taken = done(by_people.take(raised(), act()))
    again = by_hubs.fold(taken, heard(What.REPEATED, NOW + 60)).incident
    assert deeds(by_hubs.expire(again, NOW - 3600)) == [(Deed.UNANSWERED, SKY)]
    assert deeds(by_hubs.expire(taken, NOW - 3600)) == [(Deed.EXPIRED, SKY)]
    assert deeds(by_hubs.expire(present(), NOW - 3600)) == [(Deed.PRESENT_EXPIRED, SKY)]


def test_a_presence_of_an_older_release_runs_out_too() -> None:
    one = replace(present(after_s=10), expires_utc=None, acted_utc=None)
    lasts_s = by_people.PATIENCE.present_expires_s
    assert by_hubs.expire(one, NOW + 10 + lasts_s - 1) is None
    assert deeds(by_hubs.expire(one, NOW + 10 + lasts_s)) == [(Deed.PRESENT_EXPIRED, SKY)]


@pytest.mark.parametrize("there", [False, True])
def test_a_call_that_comes_again_is_its_holders_for_a_minute_and_then_everybodys(
    there: bool,  # noqa: FBT001 - a case
) -> None:
    one = present() if there else done(by_people.take(raised(), act()))
    again = by_hubs.fold(one, heard(What.REPEATED, NOW + 60))
    assert (again.incident.stage, again.incident.who) == (one.stage, SKY)
    assert again.incident.again_utc == NOW + 60
    more = by_hubs.fold(again.incident, heard(What.REPEATED, NOW + 100)).incident
    assert more.again_utc == NOW + 60  # further calls give no more time
    assert by_hubs.expire(more, NOW + 119) is None
    change = by_hubs.expire(more, NOW + 120)
    assert deeds(change) == [(Deed.UNANSWERED, SKY)]
    back = done(change)
    assert (back.stage, back.who, back.again_utc) == (Stage.RECEIVED, "", None)
    assert waited_s(back, NOW + 120) == 60


@pytest.mark.parametrize("name", ["take", "send", "present", "note"])
def test_whatever_its_holder_does_answers_the_call_and_nobody_elses_act_does(name: str) -> None:
    again = done(
        by_hubs.fold(done(by_people.take(raised(), act())), heard(What.REPEATED, NOW + 60))
    )

    def does(who: str) -> Incident:
        acts = {"take": by_people.take, "send": by_people.send, "present": by_people.present}
        what = act(who, after_s=90)
        return done(
            by_people.note(again, what, "통화 중") if name == "note" else acts[name](again, what)
        )

    assert does(SKY).again_utc is None
    assert by_hubs.expire(does(SKY), NOW + 120) is None
    if name != "take":  # who takes it over has it
        assert deeds(by_hubs.expire(does(SEA), NOW + 120)) == [(Deed.UNANSWERED, SKY)]


def test_to_take_ones_own_again_answers_the_call_that_came_in() -> None:
    again = done(
        by_hubs.fold(done(by_people.take(raised(), act())), heard(What.REPEATED, NOW + 60))
    )
    change = by_people.take(again, act(after_s=70))
    assert isinstance(change, Change)
    assert deeds(change) == [(Deed.ANSWERED, "")]
    renewed = by_people.take(change.incident, act(after_s=80))
    assert isinstance(renewed, Change)
    assert deeds(renewed) == [(Deed.RENEWED, "")]


@pytest.mark.parametrize("there", [False, True])
def test_a_call_is_everybodys_at_once_when_its_holder_did_nothing_for_minutes(
    there: bool,  # noqa: FBT001 - a case
) -> None:
    one = present() if there else done(by_people.take(raised(), act()))
    late = NOW + 10 + by_people.PATIENCE.fresh_act_s
    change = by_hubs.fold(one, heard(What.REPEATED, late))
    assert deeds(change) == [(Deed.REPEATED, ""), (Deed.RETURNED, SKY)]
    back = change.incident
    assert (back.stage, back.who, back.needs_person) == (Stage.RECEIVED, "", True)
    assert waited_s(back, late + 3) == 3
    soon = by_hubs.fold(one, heard(What.REPEATED, late - 1)).incident
    assert soon.who == SKY


def test_a_call_is_everybodys_at_once_when_somebody_is_there_and_nobody_holds_it() -> None:
    sent = done(by_people.send(raised(), act()))
    waits = done(by_hubs.expire(sent, NOW + 700))
    there = by_hubs.fold(waits, heard(What.PRESENT, NOW + 710)).incident
    assert (there.stage, there.who) == (Stage.PRESENT, "")
    change = by_hubs.fold(there, heard(What.REPEATED, NOW + 711))
    assert deeds(change) == [(Deed.REPEATED, ""), (Deed.RETURNED, "")]
    assert change.incident.stage is Stage.RECEIVED


def test_a_call_in_a_stage_of_a_newer_release_is_everybodys_at_once() -> None:
    """The incident does not say who holds it, nor when the hold ends."""
    one = replace(done(by_people.take(raised(), act())), stage=Stage.of("on the way"))
    change = by_hubs.fold(one, heard(What.REPEATED, NOW + 20))
    assert deeds(change) == [(Deed.REPEATED, ""), (Deed.RETURNED, SKY)]
    assert change.incident.needs_person


def test_an_automatic_alarm_in_a_call_that_somebody_holds_says_what_it_is() -> None:
    held, event = present(), heard(What.REPEATED, NOW + 5 * DAY_S)
    data = replace(event.event.data, kind=Kind.NO_LIFE)
    change = by_hubs.fold(held, replace(event, event=replace(event.event, data=data)))
    assert deeds(change) == [(Deed.REPEATED, "no_life"), (Deed.RETURNED, SKY)]
    assert change.incident.needs_person


@pytest.mark.parametrize("what", [What.CANCELLED, What.CANCEL_ASKED, What.CLEARED, What.PRESENT])
def test_what_is_no_call_gives_nothing_back(what: What) -> None:
    one = done(by_hubs.fold(present(), heard(what, NOW + 500)))
    assert (one.stage, one.who, one.again_utc) == (Stage.PRESENT, SKY, None)


def test_a_held_green_button_is_on_site_only_once_the_centre_has_sent_somebody() -> None:
    taken = done(by_people.take(raised(), act()))
    change = by_hubs.fold(taken, heard(What.PRESENT, NOW + 100))
    assert deeds(change) == [(Deed.HELD, "")]
    assert (change.incident.stage, change.incident.present_utc) == (Stage.ACCEPTED, None)
    sent = by_people.send(change.incident, act(after_s=110))
    assert isinstance(sent, Change)
    assert deeds(sent) == [(Deed.SENT, "")]
    there = by_hubs.fold(sent.incident, heard(What.PRESENT, NOW + 900)).incident
    assert (there.stage, there.who, there.present_utc) == (Stage.PRESENT, SKY, NOW + 900)
    assert there.expires_utc == NOW + 900 + by_people.PATIENCE.present_expires_s


def test_who_sends_somebody_has_the_call_unless_another_has_it() -> None:
    assert told(done(by_people.send(raised(), act()))) == (Stage.ACCEPTED, SKY, 2)
    taken = done(by_people.take(raised(), act()))
    assert told(done(by_people.send(taken, act(SEA)))) == (Stage.ACCEPTED, SKY, 3)
    shut = done(by_people.close(taken, act(), Outcome.PET))
    assert by_people.send(shut, act()) == Refusal(Why.IS_CLOSED, shut)


def test_who_is_on_the_way_stays_sent_and_who_was_there_must_be_sent_anew() -> None:
    sent = done(by_people.send(raised(), act()))
    assert done(by_hubs.expire(sent, NOW + 700)).sent_utc == NOW + 10
    there = done(by_hubs.fold(sent, heard(What.PRESENT, NOW + 100)))
    gone = done(by_hubs.expire(there, NOW + 10**6))
    assert (gone.stage, gone.sent_utc) == (Stage.RECEIVED, None)
    shut = done(by_people.close(sent, act(), Outcome.PET))
    assert done(by_hubs.fold(shut, heard(What.REPEATED, NOW + 100))).sent_utc is None


def test_a_cancelled_alarm_stays_for_a_person_to_close() -> None:
    one = done(by_hubs.fold(raised(), heard(What.CANCELLED, NOW + 5)))
    assert one.is_open
    assert one.needs_person
    assert one.cancelled_utc == NOW + 5
    again = done(by_hubs.fold(one, heard(What.REPEATED, NOW + 9)))
    assert again.cancelled_utc is None


def test_a_press_after_closing_reopens_and_its_clock_starts_anew() -> None:
    one = done(by_people.close(raised(), act(), Outcome.PRESSED_BY_MISTAKE))
    change = by_hubs.fold(one, heard(What.REPEATED, NOW + 100))
    again = change.incident
    assert told(again) == (Stage.RECEIVED, "", 3)
    assert [e.deed for e in change.entries] == [Deed.REPEATED, Deed.REOPENED]
    assert waited_s(again, NOW + 130) == 30
    assert again.outcome is None


def test_a_late_cancel_after_closing_is_kept_and_wakes_nobody() -> None:
    one = done(by_people.close(raised(), act(), Outcome.PRESSED_BY_MISTAKE))
    change = by_hubs.fold(one, heard(What.CANCELLED, NOW + 100))
    assert change.incident.stage is Stage.CLOSED
    assert [e.deed for e in change.entries] == [Deed.CANCELLED]


def test_a_responder_on_site_does_not_take_the_call_from_the_centre() -> None:
    waits = done(by_hubs.expire(done(by_people.send(raised(), act())), NOW + 700))
    one = done(by_hubs.fold(waits, heard(What.PRESENT, NOW + 800)))
    assert one.stage is Stage.PRESENT
    assert one.needs_person
    taken = done(by_people.take(one, act(version=one.version)))
    assert (taken.stage, taken.who) == (Stage.PRESENT, SKY)


@pytest.mark.parametrize(
    ("outcome", "text", "why"),
    [
        (None, "", Why.NO_OUTCOME),
        (Outcome.OTHER_FALSE, " ", Why.NOTE_NEEDED),
        (Outcome.HELP_GIVEN, "x" * (by_people.NOTE_MAX + 1), Why.NOTE_TOO_LONG),
    ],
)
def test_closing_says_how_it_ended(outcome: Outcome | None, text: str, why: Why) -> None:
    assert by_people.close(raised(), act(), outcome, text) == Refusal(why, raised())


def test_what_is_closed_is_closed_and_what_is_open_is_open() -> None:
    shut = done(by_people.close(raised(), act(), Outcome.PET))
    for decided in (by_people.take(shut, act()), by_people.present(shut, act())):
        assert decided == Refusal(Why.IS_CLOSED, shut)
    assert by_people.close(shut, act(), Outcome.PET) == Refusal(Why.IS_CLOSED, shut)
    assert by_people.reopen(raised(), act()) == Refusal(Why.NOT_CLOSED, raised())
    assert told(done(by_people.reopen(shut, act(version=2)))) == (Stage.RECEIVED, "", 3)
    assert by_people.note(shut, act(), " ") == Refusal(Why.NOTE_NEEDED, shut)
    assert by_people.note(shut, act(), "x" * 2001) == Refusal(Why.NOTE_TOO_LONG, shut)


def test_a_hub_that_knows_more_than_a_restored_store_is_passed() -> None:
    one = done(by_hubs.catch_up(raised(), 7, NOW))
    assert (one.version, one.staged) == (8, 7)
    assert by_hubs.catch_up(one, 8, NOW) is None
    assert by_hubs.catch_up(one, by_hubs.VERSION_MAX, NOW) is None


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
    st.tuples(
        st.sampled_from(["take", "send", "present", "reopen", "note"]), st.sampled_from(NAMES)
    ),
    st.tuples(st.just("close"), st.sampled_from(NAMES)),
    st.tuples(st.just("wait"), st.one_of(st.floats(0, 900), st.floats(0, 20_000))),
)
Step = tuple[str, object]


def walk(steps: Sequence[Step], stale_by: int) -> list[tuple[Step, Incident, list[Entry]]]:
    """Run steps on one incident; return the incident after each step."""
    one, now = raised(), NOW
    lines: list[Entry] = []
    history: list[tuple[Step, Incident, list[Entry]]] = []
    for name, what in steps:
        now += 1.0
        decided: Change | Refusal | None = None
        match name, what:
            case "hub", What() as said:
                decided = by_hubs.fold(one, heard(said, now))
            case "wait", float() as pause_s:
                now += pause_s
                decided = by_hubs.expire(one, now)
            case "close", str() as who:
                act = Act(who, now, one.version - stale_by)
                decided = by_people.close(one, act, Outcome.HELP_GIVEN)
            case "note", str() as who:
                decided = by_people.note(one, Act(who, now), "메모")
            case _, str() as who:
                does = {
                    "take": by_people.take,
                    "send": by_people.send,
                    "present": by_people.present,
                    "reopen": by_people.reopen,
                }[name]
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
        held = one.stage in {Stage.ACCEPTED, Stage.PRESENT}
        assert held == (one.expires_utc is not None)
        assert (one.again_utc is None) or (held and one.who)
        assert (one.stage is Stage.CLOSED) == (one.outcome is not None)
        assert one.staged <= one.version
        before, told_before = one, len(lines)
    if stale_by:
        assert before.is_open


@given(st.lists(STEPS, max_size=30), st.floats(0, 10**7))
def test_no_history_silences_the_next_call(steps: list[Step], pause_s: float) -> None:
    """After any history, a call rings at once, and after a minute it rings for everybody."""
    history = walk(steps, 0)
    one = history[-1][1] if history else raised()
    now = one.last_utc + pause_s
    one = by_hubs.expire(one, now).incident if by_hubs.expire(one, now) else one  # type: ignore[union-attr]
    called = by_hubs.fold(one, heard(What.REPEATED, now)).incident
    assert called.needs_person or (called.again_utc is not None and called.who)
    later = by_hubs.expire(called, now + by_people.PATIENCE.answer_s)
    assert called.needs_person or done(later).needs_person


@given(st.lists(STEPS, max_size=30))
def test_nobody_holds_a_call_for_ever(steps: list[Step]) -> None:
    one = walk([*steps, ("wait", 4 * 3600.0 + 1)], 0)[-1][1]
    assert one.needs_person or not one.is_open


@given(st.lists(STEPS, max_size=30))
def test_nobody_is_on_site_by_a_button_alone(steps: list[Step]) -> None:
    sent = False
    for (name, what), one, _ in walk(steps, 0):
        if name == "send" and one.last_deed is Deed.SENT:
            sent = True
        if name == "hub" and what is What.PRESENT and one.last_deed is Deed.ON_SITE:
            assert sent


@given(st.lists(st.sampled_from(What), min_size=1, max_size=20))
def test_whatever_a_hub_says_its_incident_stays_open(said: list[What]) -> None:
    one = None
    for number, what in enumerate(said):
        one = by_hubs.fold(one, heard(what, NOW + number)).incident
    assert one
    assert one.is_open
    assert one.version == len(said)
    assert one.presses == sum(what in {What.RAISED, What.REPEATED} for what in said)
