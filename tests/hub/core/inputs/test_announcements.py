"""Announcements of the centre: spoken when they may be, and each confirmed by a receipt."""

from msgspec.structs import replace

from hub.contract.messages import AnnouncementEvent, Command, CommandKind, PresenceKind
from hub.contract.voice import Meaning, Phrase
from hub.contract.wire import decode_from_hub
from hub.core.decide import decide, must_commit, recover
from hub.core.inputs.announcements import LOOK_S, MOST, RECEIPT_S
from hub.core.model.activity import Presence
from hub.core.model.effects import Effect, Publish, Say
from hub.core.model.events import Answered, CommandReceived, Spoke, Started, Ticked
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState
from tests.playbook import Playbook

RULES = Rules(hub="js-0001")
NOON = 1_772_334_000.0  # 12:00 in Korea on 1 March 2026
NIGHT = NOON + 11 * 3600.0
TEXT = "오늘은 폭염 경보입니다. 물을 자주 드세요."


def lens(effect: Effect) -> Effect | None:
    """Keep only the announcements and what the centre is told of them."""
    if isinstance(effect, Say):
        return effect if effect.phrase is Phrase.ANNOUNCEMENT else None
    if isinstance(effect, Publish) and effect.topic.endswith("/event"):
        message = decode_from_hub(effect.topic, effect.payload)[1]
        return effect if isinstance(message, AnnouncementEvent) else None
    return None


def outcomes(effects: list[Effect]) -> list[str]:
    told = [decode_from_hub(e.topic, e.payload)[1] for e in effects if isinstance(e, Publish)]
    return [e.data.outcome for e in told if isinstance(e, AnnouncementEvent)]


def story(utc: float = NOON) -> Playbook:
    started = Started(0.0, utc, synced=True, boot="b0")
    state, _ = decide(recover(HomeState(), started, []), started, RULES)
    return Playbook(state, RULES, lens)


def order(
    at: float, utc: float = NOON, *, urgent: bool = False, until_utc: float = 0.0, name: str = "c1"
) -> CommandReceived:
    counter = int(at * 1000) + 1
    command = Command(name, CommandKind.ANNOUNCE, counter, utc + at + 60, TEXT, urgent, until_utc)
    return CommandReceived(at, utc + at, command)


def words(*, urgent: bool = False) -> Say:
    return Say(Phrase.ANNOUNCEMENT, TEXT, "c1", urgent)


def test_by_day_it_is_spoken_at_once_and_the_centre_gets_the_receipt() -> None:
    told = story() >> order(1.0) << [words()] >> Spoke(20.0, "c1", done=True) << [Publish]
    assert told
    assert outcomes(told.effects) == ["spoken"]
    assert told >> Ticked(1000.0) << []


def test_at_night_it_waits_for_the_morning_unless_it_is_urgent() -> None:
    told = story(NIGHT) >> order(1.0, NIGHT) << [] >> Ticked(8 * 3600.0) << []
    assert told >> Ticked(9 * 3600.0 + 61.0) << [words()]
    assert story(NIGHT) >> order(1.0, NIGHT, urgent=True) << [words(urgent=True)]


def test_it_does_not_speak_into_the_question_whether_help_is_needed() -> None:
    told = story() >> Answered(1.0, Meaning.HELP) << [] >> order(2.0, urgent=True) << []
    assert told >> Answered(5.0, Meaning.NO) << [] >> Ticked(2.0 + LOOK_S) << [words(urgent=True)]


def test_nobody_is_told_who_is_away_or_asleep() -> None:
    for kind in (PresenceKind.AWAY, PresenceKind.ASLEEP):
        out = story()
        out.state = replace(out.state, house=replace(out.state.house, presence=Presence(kind, 0.0)))
        assert out >> order(1.0) << [] >> Ticked(2.0 + LOOK_S) << []
        out.state = replace(out.state, house=HomeState().house)
        assert out >> Ticked(3.0 + 2 * LOOK_S) << [words()]


def test_without_a_receipt_it_is_said_three_times_and_then_given_up() -> None:
    told = story() >> order(0.0) << [words()] >> Ticked(RECEIPT_S) << [words()]
    told = told >> Ticked(2 * RECEIPT_S) << [words()] >> Ticked(3 * RECEIPT_S) << [Publish]
    assert told
    assert outcomes(told.effects) == ["unspoken"]


def test_what_was_cut_short_is_said_again_soon() -> None:
    told = story() >> order(0.0) << [words()] >> Spoke(5.0, "c1", done=False) << []
    assert told >> Ticked(5.0 + LOOK_S) << [words()]


def test_what_has_time_waits_for_a_loudspeaker_to_come_back() -> None:
    told = story() >> order(0.0, until_utc=NOON + 3600.0) << [words()]
    for n in range(5):
        told = told >> Spoke(5.0 + 60 * n, "c1", done=False) << []
        told = told >> Ticked(65.0 + 60 * n) << [words()]
    assert told


def test_one_is_spoken_after_the_other() -> None:
    told = story() >> order(0.0) << [words()] >> order(1.0, name="c2") << []
    told = told >> Spoke(30.0, "c1", done=True) << [Publish]
    assert told >> Ticked(1.0 + LOOK_S) << [replace(words(), receipt="c2")]


def test_an_urgent_one_does_not_wait_for_the_receipt_of_one_that_is_not() -> None:
    told = story() >> order(0.0) << [words()] >> order(1.0, urgent=True, name="c2")
    assert told << [replace(words(urgent=True), receipt="c2")]


def test_what_is_out_of_date_is_not_spoken() -> None:
    late = story(NIGHT) >> order(1.0, NIGHT, until_utc=NIGHT + 3600.0) << []
    late = late >> Ticked(3500.0) << [] >> Ticked(3700.0) << [Publish]
    assert late
    assert outcomes(late.effects) == ["expired"]


def test_a_receipt_that_nobody_waits_for_is_nothing() -> None:
    assert story() >> Spoke(1.0, "c9", done=True) << []


def test_too_many_at_once_push_out_the_oldest_which_is_told() -> None:
    told = story(NIGHT)
    for n in range(MOST):
        told = told >> order(1.0 + n, NIGHT, name=f"c{n}") << []
    assert told >> order(100.0, NIGHT, name="last") << [Publish]
    assert outcomes(told.effects) == ["unspoken"]
    assert [notice.over for notice in told.state.notices].count(False) == MOST


def test_after_a_restart_it_is_spoken_once_the_voice_is_up() -> None:
    told = story() >> order(1.0) << [words()]
    again = Started(5.0, NOON + 5.0, synced=True, boot="b1")
    told.state = recover(told.state, again, [])
    assert told >> again << [] >> Ticked(5.0 + LOOK_S) << [words()]


def test_an_announcement_is_on_the_disk_before_it_is_said() -> None:
    before = story().state
    after, effects = decide(before, order(1.0), RULES)
    assert must_commit(before, after, effects)


def test_ordered_again_while_it_waits_it_is_one_announcement() -> None:
    told = story(NIGHT) >> order(1.0, NIGHT) << [] >> order(40.0, NIGHT) << []
    assert len(told.state.notices) == 1
    assert told >> Ticked(9 * 3600.0 + 61.0) << [words()] >> order(40_000.0, NIGHT) << []
    assert told >> Spoke(40_010.0, "c1", done=True) << [Publish]
    assert outcomes(told.effects) == ["spoken"]


def test_ordered_again_after_it_was_spoken_it_is_not_said_twice() -> None:
    told = story() >> order(1.0) << [words()] >> Spoke(20.0, "c1", done=True) << [Publish]
    assert told >> order(30.0) << [] >> Ticked(1000.0) << []
    assert told.state.notices[0].text == ""
    again = Started(5.0, NOON + 5.0, synced=True, boot="b1")
    told.state = recover(told.state, again, [])
    assert told >> again << [] >> order(2000.0) << []


def test_of_those_that_are_over_the_newest_are_known() -> None:
    told = story()
    for n in range(MOST + 1):
        told = told >> order(1.0 + n, name=f"c{n}") << [Say] >> Spoke(1.5 + n, f"c{n}", done=True)
        told = told << [Publish]
    assert len(told.state.notices) == MOST
    assert told >> order(100.0, name=f"c{MOST}") << []
    assert told >> order(101.0, name="c0") << [Say]
