"""What a resident said leaves the home with its outcome, and only where it came with consent."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, CheckInEvent, Evidence, Happened, Stage, Topic
from hub.contract.scaip import Kind, What
from hub.contract.voice import Meaning
from hub.core.alarm.alarm import cancel
from hub.core.decide import decide, recover
from hub.core.model.checkin import Asked, CheckIn, Due, Missed, Screening
from hub.core.model.effects import Effect, Publish
from hub.core.model.events import Answered, CenterAcked, Event, Started, Ticked
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import Caution, HomeState
from tests.hub.core.scenes import press

CRY, YES, WELL = "살려 주세요", "네 빨리요", "잘 있어요"
RULES = Rules(hub="js-0001", buttons={"help": Button(Role.HELP_BUTTON)})
VISIT = CheckIn("x", Topic.MOOD, 0.0, 0.0, Asked(5.0), attempts=1)


def begun() -> HomeState:
    started = Started(0.0, 1.8e9, synced=True, boot="b0")
    return decide(HomeState(), started, RULES)[0]


def said(at: float, meaning: Meaning, words: str = "") -> Answered:
    return Answered(at, meaning, words=words)


def lived(state: HomeState, *events: Event) -> tuple[HomeState, list[Effect]]:
    effects: list[Effect] = []
    for event in events:
        state, more = decide(state, event, RULES)
        effects += more
    return state, effects


def events(effects: list[Effect]) -> list[Happened]:
    """Return what the centre reads of alarms and check-ins."""
    told = [e for e in effects if isinstance(e, Publish) and e.topic.endswith("/event")]
    found = [wire.decode_from_hub(e.topic, e.payload)[1] for e in told]
    return [e for e in found if isinstance(e, AlarmEvent | CheckInEvent)]


def alarms(effects: list[Effect]) -> list[tuple[What, str]]:
    return [(e.data.what, e.data.words) for e in events(effects) if isinstance(e, AlarmEvent)]


def outcomes(effects: list[Effect]) -> list[tuple[str, str]]:
    found = [e.data for e in events(effects) if isinstance(e, CheckInEvent)]
    return [(str(data.result), data.words) for data in found]


def visited(visit: CheckIn = VISIT) -> HomeState:
    state = begun()
    return replace(state, care=replace(state.care, visit=visit))


@pytest.mark.parametrize(
    ("answer", "words"),
    [(Ticked(25.0), CRY), (said(14.0, Meaning.YES, YES), f"{CRY} · {YES}")],
)
def test_a_spoken_call_is_told_in_its_words(answer: Event, words: str) -> None:
    _, effects = lived(begun(), said(10.0, Meaning.HELP, CRY), answer)
    assert alarms(effects) == [(What.RAISED, words)]


def test_without_words_none_are_told() -> None:
    state, effects = lived(begun(), said(10.0, Meaning.HELP), said(14.0, Meaning.YES))
    assert alarms(effects) == [(What.RAISED, "")]
    assert state.alarms[0].words == ""


@pytest.mark.parametrize(
    ("cry", "answer", "told"),
    [
        ("fire", Ticked(25.0), "fire"),
        ("fire", Answered(14.0, Meaning.HELP, what="burn"), "fire"),
        ("", Answered(14.0, Meaning.HELP, what="chest"), "chest"),
        ("", Answered(14.0, Meaning.UNWELL, what="head"), "head"),
        ("", Answered(14.0, Meaning.COUNSEL, what="counsel"), ""),
    ],
)
def test_what_a_call_is_about_is_told_without_its_words(cry: str, answer: Event, told: str) -> None:
    state, effects = lived(begun(), Answered(10.0, Meaning.HELP, what=cry), answer)
    calls = [e.data for e in events(effects) if isinstance(e, AlarmEvent)]
    assert [(call.about, call.words) for call in calls] == [(told, "")]
    later = Answered(30.0 + RULES.spoken_again_s, Meaning.HELP, what="breath")
    _, effects = lived(state, later)
    again = [e.data for e in events(effects) if isinstance(e, AlarmEvent)]
    assert [(call.what, call.about) for call in again] == [(What.REPEATED, "breath")]


def test_a_cry_that_is_taken_back_is_forgotten_with_its_words() -> None:
    state, effects = lived(begun(), said(10.0, Meaning.HELP, CRY), said(14.0, Meaning.NO, "아니요"))
    assert events(effects) == []
    assert CRY not in str(state)


def test_a_cry_to_a_warning_is_told_in_its_words() -> None:
    warned = replace(begun(), warning=Caution(Kind.QUIET, "hall", Evidence(0, 1, 1, 1), 300.0, 0.0))
    assert alarms(lived(warned, said(10.0, Meaning.UNWELL, CRY))[1]) == [(What.RAISED, CRY)]


def test_a_second_cry_brings_its_own_words_and_other_news_none() -> None:
    open_, _ = lived(begun(), said(10.0, Meaning.HELP, CRY), Ticked(25.0))
    _, effects = lived(open_, said(100.0, Meaning.HELP, YES))
    assert alarms(effects) == [(What.REPEATED, YES)]
    alarm = replace(open_.alarms[0], words=CRY)
    _, effects = lived(replace(open_, alarms=(alarm,)), *press(110.0))
    assert alarms(effects) == [(What.REPEATED, "")]


def cried(at: float, about: str) -> Answered:
    return Answered(at, Meaning.HELP, what=about)


def abouts(effects: list[Effect]) -> list[str]:
    return [e.data.about for e in events(effects) if isinstance(e, AlarmEvent)]


@pytest.mark.parametrize("stored", [True, False])
def test_what_was_not_told_yet_is_told_at_once_and_only_the_same_again_waits(stored: bool) -> None:  # noqa: FBT001 - pytest
    """A cry of fire that came after one of a fall was dropped."""
    state, _ = lived(begun(), cried(10.0, ""), Ticked(25.0))
    if stored:
        heard = CenterAcked(26.0, state.owed[0].id, state.alarms[0].id, Stage.RECEIVED, 1)
        state, _ = lived(state, heard)
    told = list[str]()
    for at, about in ((26.5, "fall"), (27.0, "fire"), (28.0, "fall"), (29.0, "fire"), (29.5, "")):
        state, effects = lived(state, cried(at, about))
        told += abouts(effects)
    assert told == ["fall", "fire"]
    _, effects = lived(state, *(Ticked(float(at)) for at in range(30, 200)))
    assert abouts(effects) == (["fall"] if stored else [])


def test_a_wait_without_a_cause_gets_the_cause_that_is_told_already() -> None:
    state, _ = lived(begun(), cried(10.0, "fire"), Ticked(25.0))
    heard = CenterAcked(26.0, state.owed[0].id, state.alarms[0].id, Stage.RECEIVED, 1)
    state, effects = lived(state, heard, cried(27.0, ""), cried(28.0, ""), cried(29.0, "fire"))
    assert abouts(effects) == [""]
    _, effects = lived(state, Ticked(58.0))
    assert abouts(effects) == ["fire"]


def test_a_centre_that_has_lost_a_call_is_told_again_of_what_it_was_about() -> None:
    state, _ = lived(begun(), cried(10.0, ""), Ticked(25.0), cried(60.0, "fire"))
    plea = CenterAcked(61.0, "", state.alarms[0].id, Stage.UNKNOWN, 0)
    state, effects = lived(state, plea, cried(62.0, "fire"))
    assert abouts(effects) == ["", "fire"]


def test_what_becomes_of_a_call_is_told_without_its_words() -> None:
    state, _ = lived(begun(), said(10.0, Meaning.HELP, CRY), Ticked(25.0))
    assert state.alarms[0].words == CRY
    assert alarms(cancel(state, 26.0, RULES)[1]) == [(What.CANCELLED, "")]


def test_a_centre_that_has_lost_a_call_is_told_it_in_its_words_again() -> None:
    state, _ = lived(begun(), said(10.0, Meaning.HELP, CRY), Ticked(25.0))
    plea = CenterAcked(30.0, "", state.alarms[0].id, Stage.UNKNOWN, 0)
    assert alarms(lived(state, plea)[1]) == [(What.RAISED, CRY)]


def test_the_words_outlast_a_restart() -> None:
    state, _ = lived(begun(), said(10.0, Meaning.HELP, CRY))
    again = Started(100.0, 1.8e9, synced=True, boot="b1")
    _, effects = lived(recover(state, again, []), again, Ticked(115.0))
    assert alarms(effects) == [(What.RAISED, CRY)]


def test_a_check_in_is_told_with_what_was_said_to_it_last() -> None:
    heard = said(8.0, Meaning.UNCLEAR, "뭐라고"), said(16.0, Meaning.FINE, WELL)
    assert outcomes(lived(visited(), *heard)[1]) == [("fine", WELL)]
    assert outcomes(lived(visited(), said(8.0, Meaning.FINE))[1]) == [("fine", "")]


def test_what_was_not_understood_is_told_with_its_words() -> None:
    last = replace(VISIT, attempts=RULES.care.attempts)
    assert outcomes(lived(visited(last), said(8.0, Meaning.UNCLEAR, "음냐"))[1]) == [
        ("unclear", "음냐")
    ]


def test_a_late_answer_brings_its_words() -> None:
    state = begun()
    state = replace(state, care=replace(state.care, missed=Missed(VISIT, 5.0)))
    assert outcomes(lived(state, said(8.0, Meaning.FINE, WELL))[1]) == [("fine", WELL)]


def test_what_is_said_to_nothing_of_ours_is_kept_nowhere() -> None:
    due = replace(VISIT, stage=Due(9999.0))
    for state in (begun(), visited(due)):
        assert WELL not in str(lived(state, said(8.0, Meaning.HOME, WELL))[0])


def test_what_is_said_to_the_two_questions_of_mood_is_told_to_nobody() -> None:
    state = visited()
    care = replace(state.care, visit=None, missed=Missed(VISIT, 5.0), screening=Screening(7.0))
    state, effects = lived(replace(state, care=care), said(8.0, Meaning.NO, "전혀요"))
    assert "전혀요" not in str((state, events(effects)))
