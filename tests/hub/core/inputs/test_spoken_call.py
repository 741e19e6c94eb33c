"""A spoken call for help: asked back, and raised within 15 s unless it is clearly taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.contract.messages import AnsweredBy, Evidence, FaultKind, Topic
from hub.contract.scaip import Kind, What
from hub.contract.voice import Meaning, Part, Phrase
from hub.core.alarm.alarm import call
from hub.core.decide import decide, must_commit, next_wake, recover
from hub.core.model.checkin import Asked, CheckIn
from hub.core.model.effects import Ask, Effect, Say, Show, Signal
from hub.core.model.events import Answered, ContactChanged, Event, PartChanged, Started, Ticked
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import Accepted, Caution, HomeState
from tests.hub.core.scenes import calls, read
from tests.playbook import Playbook

RULES = Rules(
    hub="js-0001",
    buttons={"help": Button(Role.HELP_BUTTON), "green": Button(Role.CANCEL_BUTTON)},
)
ASKED, OVER = Ask(Phrase.ASK_HELP), Say(Phrase.HELP_NOT_NEEDED)
GROUND = Evidence(0.0, 1.0, 1.0, 1.0)


def spoken(effect: Effect) -> Effect | None:
    return effect if isinstance(effect, Ask | Say) else None


def story(state: HomeState | None = None, rules: Rules = RULES) -> Playbook:
    start, _ = decide(HomeState(), Started(0.0, 1.8e9, synced=True, boot="b0"), rules)
    return Playbook(state or start, rules, spoken)


def said(at: float, meaning: Meaning) -> Answered:
    return Answered(at, meaning)


def warned(kind: Kind = Kind.QUIET) -> HomeState:
    return replace(story().state, warning=Caution(kind, "hall", GROUND, 300.0, 0.0))


def raised(story: Playbook) -> list[tuple[Kind, str]]:
    return [(alarm.kind, alarm.device) for alarm in story.state.alarms]


def heard() -> Playbook:
    return story() >> said(10.0, Meaning.HELP) << [ASKED]


def test_silence_raises_it_after_fifteen_seconds() -> None:
    calling = heard()
    assert next_wake(calling.state, RULES) == 25.0
    assert calling.state.shown is Signal.WARNING
    assert calling >> Ticked(24.9) << [] >> Ticked(25.0) << [Say(Phrase.RAISED)]
    assert raised(calling) == [(Kind.SPOKEN, "voice")]


@pytest.mark.parametrize(
    "meaning", [Meaning.YES, Meaning.UNCLEAR, Meaning.UNWELL, Meaning.HELP, Meaning.AWAY]
)
def test_whatever_is_no_clear_no_raises_it_at_once(meaning: Meaning) -> None:
    calling = heard()
    assert calling >> said(14.0, meaning) << [Say(Phrase.RAISED)]
    assert raised(calling) == [(Kind.SPOKEN, "voice")]


@pytest.mark.parametrize("meaning", [Meaning.NO, Meaning.CANCEL, Meaning.FINE])
def test_a_clear_no_ends_it(meaning: Meaning) -> None:
    calling = heard()
    assert calling >> said(14.0, meaning) << [OVER] >> Ticked(600.0) << []
    assert raised(calling) == []


def test_who_asks_for_a_counsellor_instead_gets_both() -> None:
    calling = heard()
    assert (
        calling >> said(14.0, Meaning.COUNSEL) << [Say(Phrase.COUNSEL_COMING), Say(Phrase.RAISED)]
    )
    assert raised(calling) == [(Kind.SPOKEN, "voice")]


def test_the_green_button_takes_it_back() -> None:
    calling = heard() >> ContactChanged(12.0, "green", closed=True) << []
    calling = calling >> ContactChanged(12.5, "green", closed=False) << []
    assert calling >> Ticked(12.6) << [OVER] >> Ticked(60.0) << []
    assert raised(calling) == []


def test_the_red_button_is_surer_than_the_voice() -> None:
    calling = heard() >> ContactChanged(12.0, "help", closed=True) << []
    assert calling >> Ticked(12.1) << [Say(Phrase.RAISED)] >> Ticked(30.0) << [Say]
    assert raised(calling) == [(Kind.HELP_BUTTON, "help")]
    assert calling.state.order == calling.state.alarms[0].order


def test_a_home_may_switch_it_off() -> None:
    off = story(rules=replace(RULES, spoken_sos=False))
    assert off >> said(10.0, Meaning.HELP) << [] >> Ticked(60.0) << []
    assert raised(off) == []


def test_where_it_is_off_a_cry_is_an_answer_to_a_question_and_calls_after_a_warning() -> None:
    off = replace(RULES, spoken_sos=False)
    asked = story(rules=off)
    visit = CheckIn("x", Topic.MOOD, 0.0, 0.0, Asked(5.0))
    asked.state = replace(asked.state, care=replace(asked.state.care, visit=visit))
    asked >>= said(10.0, Meaning.HELP)
    assert raised(asked) == []
    assert asked.state.care.told_at == {"unwell": 10.0}
    warning = story(warned(), off) >> said(10.0, Meaning.HELP) << [Say(Phrase.RAISED)]
    assert raised(warning) == [(Kind.SPOKEN, "voice")]


def test_a_call_for_help_to_a_warning_needs_no_asking_back() -> None:
    for meaning in (Meaning.HELP, Meaning.UNWELL):
        calling = story(warned()) >> said(10.0, meaning) << [Say(Phrase.RAISED)]
        assert calling
        assert raised(calling) == [(Kind.SPOKEN, "voice")]
        assert calling.state.warning is None


def test_a_no_to_a_warning_is_asked_about_and_may_be_taken_back() -> None:
    doubtful = story(warned()) >> said(10.0, Meaning.NO) << [ASKED]
    assert doubtful >> said(14.0, Meaning.NO) << [OVER, Say(Phrase.WARNING_OVER)]
    assert doubtful.state.warning is None


def test_a_cry_while_an_alarm_is_open_is_one_more_call_of_it_but_not_every_word() -> None:
    calling = heard() >> Ticked(25.0)
    calling.lens = lambda effect: effect
    events = []
    for at in (30.0, 90.0, 95.0, 160.0):
        calling >>= said(at, Meaning.HELP)
        events += [read(e).data.what for e in calls(calling.effects)]
    assert events == [What.REPEATED, What.REPEATED]


def test_a_cry_is_heard_at_once_by_whoever_holds_the_call_and_the_last_one_within_30_seconds() -> (
    None
):
    calling = heard() >> Ticked(25.0)
    (alarm,) = calling.state.alarms
    taken = replace(alarm, life=Accepted("Kim"))
    calling = story(replace(calling.state, alarms=(taken,), owed=()))
    calling.lens = lambda effect: effect
    heard_at = []
    for at, what in ((30.0, "fire"), (33.0, ""), (36.0, "fire")):
        calling >>= replace(said(at, Meaning.HELP), what=what)
        heard_at += [at for _ in calls(calling.effects)]
    assert heard_at == [30.0]
    calling >>= Ticked(60.0)
    last = read(calls(calling.effects)[-1]).data
    assert (last.what, last.about, last.kind, last.at) == (
        What.REPEATED, "fire", Kind.SPOKEN, 36.0,
    )  # fmt: skip


def test_after_a_reboot_a_cry_is_heard_while_an_alarm_is_open() -> None:
    """Monotonic time restarts at 0: a time of 500,003 from before is not in the future."""
    calling = story() >> said(500_000.0, Meaning.HELP) << [ASKED] >> Ticked(500_015.0)
    again = Started(20.0, 1.9e9, synced=True, boot="b1")
    rebooted = story(recover(calling.state, again, [])) >> again
    rebooted.lens = lambda effect: effect
    rebooted >>= said(40.0, Meaning.HELP)
    assert [read(e).data.what for e in calls(rebooted.effects)] == [What.REPEATED]


def test_a_cry_after_the_wish_to_cancel_takes_that_wish_back() -> None:
    calling = heard() >> Ticked(25.0)
    (alarm,) = calling.state.alarms
    asked_off = replace(alarm, life=Accepted("Kim"), cancel_asked=True)
    calling = story(replace(calling.state, alarms=(asked_off,)))
    calling.lens = lambda effect: effect
    calling >>= said(35.0, Meaning.HELP)
    assert [read(e).data.what for e in calls(calling.effects)] == [What.REPEATED]
    assert not calling.state.alarms[0].cancel_asked


def test_a_cry_while_an_automatic_alarm_is_open_is_asked_back_and_a_call_of_its_own() -> None:
    state, _ = call(story().state, Kind.QUIET, "hall", 1.0, RULES, GROUND)
    calling = story(state) >> Ticked(2.0)
    calling = calling >> said(10.0, Meaning.HELP) << [ASKED] >> Ticked(25.0)
    assert raised(calling) == [(Kind.QUIET, "hall"), (Kind.SPOKEN, "voice")]


def test_an_answer_to_another_question_takes_no_call_back() -> None:
    late = replace(said(10.2, Meaning.FINE), asked="ask_mood")
    calling = heard() >> late << [] >> Ticked(25.0) << [Say(Phrase.RAISED)]
    assert calling
    to_it = replace(said(10.2, Meaning.FINE), asked="ask_help")
    assert heard() >> to_it << [OVER]


def test_a_restart_asks_once_more_and_a_second_one_raises() -> None:
    state = heard().state
    again = Started(100.0, 1.8e9, synced=True, boot="b1")
    recovered = recover(state, again, [])
    calling = story(recovered) >> again << [ASKED] >> Ticked(114.0) << []
    twice = recover(calling.state, replace(again, at=130.0, boot="b2"), [])
    assert calling >> Ticked(115.0) << [Say(Phrase.RAISED)]
    assert story(twice) >> replace(again, at=130.0, boot="b2") << [Say(Phrase.RAISED)]


def test_what_was_heard_is_on_the_disk_before_it_is_asked_back() -> None:
    before = story().state
    after, effects = decide(before, said(10.0, Meaning.HELP), RULES)
    assert must_commit(before, after, effects)


MOVES = st.one_of(
    st.builds(Answered, st.just(0.0), st.sampled_from(Meaning), st.sampled_from(AnsweredBy)),
    st.builds(ContactChanged, st.just(0.0), st.sampled_from(["help", "green"]), st.booleans()),
    st.builds(Ticked, st.just(0.0)),
)


@given(st.lists(st.tuples(MOVES, st.floats(0.0, 20.0)), max_size=20))
def test_a_heard_call_is_raised_or_clearly_taken_back(history: list[tuple[Event, float]]) -> None:
    """Whatever follows, within 15 s there is an alarm, or somebody has taken the call back."""
    state, at = heard().state, 10.0
    for event, pause_s in [*history, (Ticked(0.0), 15.0)]:
        at += pause_s
        before = state
        state, _ = decide(state, replace(event, at=at), RULES)
        if before.candidate is not None and state.candidate is None:
            break
    assert state.alarms or _takes_back(event) or _greens(before)


def _takes_back(event: Event) -> bool:
    clear = {Meaning.NO, Meaning.CANCEL, Meaning.FINE}
    return isinstance(event, Answered) and event.meaning in clear


def _greens(state: HomeState) -> bool:
    return "green" in state.contacts


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (Part.MICROPHONE, FaultKind.NO_MICROPHONE),
        (Part.LOUDSPEAKER, FaultKind.NO_LOUDSPEAKER),
        (Part.SPEECH, FaultKind.NO_SPEECH),
        (Part.MUTE, FaultKind.MUTED),
    ],
)
def test_a_broken_part_of_the_voice_is_a_fault_until_it_works(part: Part, kind: FaultKind) -> None:
    told = story() >> PartChanged(5.0, "voice", part, broken=True, detail="usb") << []
    assert set(told.state.faults) == {f"voice:{kind}"}
    assert told.state.shown is Signal.FAULT
    assert told >> PartChanged(6.0, "voice", part, broken=False) << []
    assert told.state.faults == {}


def test_the_lamp_shows_what_is_shown() -> None:
    state, effects = decide(story().state, said(10.0, Meaning.HELP), RULES)
    assert Show(Signal.WARNING) in effects
    assert state.candidate is not None
