"""What is said first, what is cut short, and what is dropped."""

from hub.contract.voice import Ask, Listen, Say
from hub.core.alarm import signals
from hub.core.inputs import wireless
from voice.dialogue.queue import ALARM, MOST, STALE_S, TaskQueue, cuts_short, is_blunt

GREETING, HEAT = Say("thanks_fine", "네, 다행입니다."), Say("announcement", "폭염입니다.", "n1")
FIRE = Say("announcement", "불이 났습니다.", "n2", urgent=True)
RAISED = Say("raised", "도움을 요청하고 있습니다.")
MOOD, HELP, QUIET = Ask("ask_mood", "?"), Ask("ask_help", "?"), Ask("warn_quiet", "?")


def order_of(*tasks: Say | Ask | Listen) -> list[Say | Ask | Listen | None]:
    queue = TaskQueue()
    for task in tasks:
        assert not queue.put(task, 0)
    return [queue.next(1)[0] for _ in range(len(queue) + 1)]


def test_an_alarm_goes_first_then_the_question_for_help_then_a_warning() -> None:
    found = order_of(GREETING, MOOD, QUIET, HELP, RAISED, FIRE)
    assert found == [RAISED, HELP, QUIET, FIRE, GREETING, MOOD, None]


def test_every_sentence_of_an_alarm_goes_first() -> None:
    said = {*signals.PHRASE.values(), *signals.OUTSIDE.values(), *wireless.SAID.values()}
    assert {str(phrase) for phrase in said} <= ALARM
    leave = Say("leave_smoke", "연기가 감지되었습니다. 지금 바로 집 밖으로 나가 주세요.")
    assert order_of(MOOD, leave, RAISED) == [leave, RAISED, MOOD, None]
    assert cuts_short(leave, MOOD)
    assert is_blunt(leave)


def test_what_is_said_twice_is_said_once() -> None:
    assert order_of(GREETING, GREETING, HEAT, GREETING) == [GREETING, HEAT, None]


def test_two_announcements_with_the_same_words_each_have_their_receipt() -> None:
    again = Say("announcement", "폭염입니다.", "n9")
    assert order_of(HEAT, again) == [HEAT, again, None]


def test_an_alarm_cuts_short_all_but_another_alarm() -> None:
    assert all(cuts_short(RAISED, running) for running in (GREETING, MOOD, HELP, QUIET, HEAT))
    assert all(cuts_short(HELP, running) for running in (GREETING, MOOD, QUIET, HEAT))
    assert not cuts_short(RAISED, Say("received", "?"))
    assert not cuts_short(HELP, RAISED)
    assert not any(cuts_short(QUIET, running) for running in (GREETING, MOOD, RAISED))
    assert not any(cuts_short(HEAT, running) for running in (GREETING, MOOD, RAISED))


def test_an_urgent_announcement_cuts_what_can_wait_and_is_cut_by_the_question_for_help() -> None:
    assert cuts_short(HELP, FIRE)
    assert cuts_short(RAISED, FIRE)
    assert all(cuts_short(FIRE, running) for running in (GREETING, MOOD, HEAT))
    assert not any(cuts_short(FIRE, running) for running in (RAISED, HELP, QUIET))


def test_a_warning_hears_out_who_answers_it() -> None:
    assert not is_blunt(QUIET)
    assert all(is_blunt(task) for task in (RAISED, HELP, FIRE))


def test_too_much_is_let_go_beginning_with_what_matters_least() -> None:
    queue = TaskQueue()
    assert not queue.put(RAISED, 0)
    for n in range(MOST - 1):
        assert not queue.put(Say("announcement", f"{n}"), 0)
    assert queue.put(HELP, 0) == [Say("announcement", "0")]
    assert queue.next(0) == (RAISED, [])


def test_what_has_waited_too_long_is_let_go() -> None:
    queue = TaskQueue()
    queue.put(HEAT, 0)
    queue.put(GREETING, 10)
    assert queue.next(STALE_S + 5) == (GREETING, [HEAT])


def test_stop_drops_everything() -> None:
    queue = TaskQueue()
    queue.put(HEAT, 0)
    queue.put(RAISED, 0)
    assert queue.clear() == [RAISED, HEAT]
    assert queue.next(0) == (None, [])
