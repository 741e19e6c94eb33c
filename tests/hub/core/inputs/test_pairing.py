"""A window for pairing: opened by a gesture that no call is, shut by whatever matters more."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Command, CommandKind, HubState, Reply
from hub.contract.radio import How, PairingEnd, Wanted
from hub.contract.voice import Meaning, Phrase
from hub.core.decide import decide, next_wake, recover
from hub.core.inputs import pairing
from hub.core.model.effects import Effect, OpenPairing, PairingAnswer, Publish, Say, Show, Signal
from hub.core.model.events import (
    Answered,
    CommandReceived,
    ContactChanged,
    Event,
    PairingAsked,
    PairingEnded,
    PairingOpened,
    Ticked,
    WirelessPressed,
)
from hub.core.model.rules import Button, Role, Rules
from hub.core.model.state import Farewell, HomeState
from hub.shared.language import Language
from hub.shared.messages import messages
from tests.hub.core.scenes import (
    CALM,
    GREEN,
    HELP,
    RULES,
    UTC,
    accepted,
    calls,
    press,
    quiet,
    received,
    sent,
    started,
    story,
    tell,
)
from tests.playbook import playbook

DIGITS = "470192"


def heard(effect: Effect) -> Effect | None:
    """What the home shows, says and orders; the messages to the centre are other stories."""
    return None if isinstance(effect, Publish) else effect


def held(at: float, s: float, device: str = GREEN) -> tuple[Event, ...]:
    """A finger stays on a button for `s` seconds; the engine wakes at each deadline."""
    wakes = [Ticked(at + t) for t in (0.02, 3.0, RULES.pairing_hold_s) if t < s]
    up = ContactChanged(at + s, device, closed=False)
    return (ContactChanged(at, device, closed=True), *wakes, up, Ticked(at + s + 0.035))


def opened(at: float = 20.0) -> HomeState:
    """A home whose window was opened at the button, and by the radio at `at`."""
    return tell(quiet(), *held(at - 11.0, 10.5), PairingOpened(at, 120.0))


def asked(wanted: Wanted = Wanted.COMPARE, at: float = 25.0) -> HomeState:
    digits = "" if wanted is Wanted.TYPE else DIGITS
    return tell(opened(), PairingAsked(at, "남의 전화", wanted, digits))


def order(text: str = "", at: float = 30.0, counter: int = 1) -> CommandReceived:
    kind = CommandKind.ANSWER_PAIRING if text else CommandKind.OPEN_PAIRING
    return CommandReceived(at, UTC + at, Command(f"c{counter}", kind, counter, UTC + at + 60, text))


def answer_to(ask: int, text: str, at: float, counter: int) -> CommandReceived:
    """The centre's answer to one request."""
    event = order(text, at, counter)
    return replace(event, command=replace(event.command, ask=ask))


def replies(effects: list[Effect]) -> list[Reply]:
    read = [wire.decode_from_hub(e.topic, e.payload)[1] for e in effects if isinstance(e, Publish)]
    return [message for message in read if isinstance(message, Reply)]


def told(effects: list[Effect]) -> list[HubState]:
    read = [wire.decode_from_hub(e.topic, e.payload)[1] for e in effects if isinstance(e, Publish)]
    return [message for message in read if isinstance(message, HubState)]


def orders(effects: list[Effect]) -> list[Effect]:
    return [e for e in effects if isinstance(e, OpenPairing | PairingAnswer)]


def test_a_long_hold_opens_the_window_and_a_press_says_that_the_digits_are_the_same() -> None:
    down, up = ContactChanged(10.0, GREEN, closed=True), ContactChanged(20.5, GREEN, closed=False)
    green = press(40.0, GREEN)
    assert (
        playbook(quiet(), CALM, heard)
        >> down << [] >> Ticked(10.02) << [] >> Ticked(13.0) << [] >> Ticked(19.9) << []
        >> Ticked(20.0) << [OpenPairing(120.0)]
        >> PairingOpened(20.1, 120.0) << [Say(Phrase.PAIRING_OPEN), Show(Signal.PAIRING)]
        >> up << [] >> Ticked(20.535) << []  # the hold itself confirms nothing
        >> PairingAsked(25.0, "전화", Wanted.COMPARE, DIGITS)
        << [Say(Phrase.PAIRING_COMPARE, DIGITS)]
        >> Ticked(39.9) << [] >> Ticked(40.0) << [Say(Phrase.PAIRING_COMPARE, DIGITS)]
        >> green[0] << [] >> green[1] << [] >> green[2] << []
        >> green[3] << [PairingAnswer(yes=True)]
        >> PairingEnded(42.0, "전화", done=True, reason=PairingEnd.PAIRED)
        << [Say(Phrase.PAIRING_DONE), Show(Signal.RESTING)]
    )  # fmt: skip


@pytest.mark.parametrize("s", [0.1, 2.9, 3.1, 9.9])
def test_a_shorter_press_of_the_green_button_opens_nothing(s: float) -> None:
    assert orders(story(quiet(), *held(10.0, s))[1]) == []


def test_without_a_radio_a_long_hold_opens_nothing() -> None:
    state, rules = quiet(), replace(RULES, radio="")
    for event in held(10.0, 10.5):
        state, effects = decide(state, event, rules)
        assert orders(effects) == []
    assert orders(decide(state, PairingOpened(21.0, 120.0), rules)[1]) == [OpenPairing(0.0)]


def test_who_takes_a_call_back_or_has_come_for_one_never_opens_it() -> None:
    called = tell(quiet(), *press(5.0))
    assert orders(story(called, *held(8.0, 12.0))[1]) == []
    helped = tell(called, received(6.0), accepted(7.0), sent(8.0))
    state, effects = story(helped, *held(30.0, 12.0))
    assert calls(effects)
    assert (orders(effects), state.pairing) == ([], None)
    farewell = replace(quiet(), farewell=Farewell(Signal.CANCELLED, 15.0))
    assert orders(story(farewell, *held(10.0, 12.0))[1]) == []


def test_a_palm_on_both_buttons_calls_and_opens_nothing() -> None:
    both = (ContactChanged(10.0, GREEN, closed=True), *held(10.1, 12.0, HELP))
    state, effects = story(quiet(), *both, Ticked(23.0))
    assert len(calls(effects)) == 1
    assert (orders(effects), state.pairing) == ([], None)


def test_a_call_that_comes_while_the_button_is_held_is_more_important() -> None:
    holding = tell(quiet(), ContactChanged(10.0, GREEN, closed=True), Ticked(10.02), Ticked(13.0))
    cried = tell(holding, Answered(15.0, Meaning.HELP))
    assert cried.candidate is not None
    assert orders(story(cried, Ticked(20.0))[1]) == []
    pressed = tell(holding, ContactChanged(15.0, HELP, closed=True), Ticked(15.02))
    assert orders(story(pressed, Ticked(20.0), Ticked(23.0))[1]) == []


def test_a_button_that_chatters_opens_nothing() -> None:
    holding = tell(quiet(), ContactChanged(10.0, GREEN, closed=True), Ticked(10.02), Ticked(13.0))
    edges = [
        ContactChanged(13.0 + n * 0.01, GREEN, closed=n % 2 == 1)
        for n in range(RULES.chatter_edges)
    ]
    state, effects = story(holding, *edges, Ticked(20.0))
    assert state.contacts[GREEN].chattering
    assert orders(effects) == []


def test_a_jammed_button_that_is_looked_at_late_opens_nothing_and_is_one_fault() -> None:
    state = tell(quiet(), ContactChanged(10.0, GREEN, closed=True), Ticked(10.02))
    state, effects = story(state, Ticked(75.0), Ticked(80.0))
    assert orders(effects) == []
    faults = [e for e in effects if isinstance(e, Publish) and "/fault/" in e.topic]
    assert len(faults) == 1


def test_a_bounce_at_the_very_moment_of_the_hold_opens_nothing() -> None:
    state = tell(quiet(), ContactChanged(10.0, GREEN, closed=True), Ticked(10.02))
    late = ContactChanged(13.001, GREEN, closed=False)
    assert orders(story(state, late, Ticked(13.1), Ticked(20.1))[1]) == []


def test_a_call_shuts_the_window_and_is_not_delayed() -> None:
    window = asked()
    state, effects = story(window, *press(30.0)[:2])
    assert len(calls(effects)) == 1
    assert isinstance(effects[0], Publish)  # the call goes first
    assert (orders(effects), state.pairing) == ([OpenPairing(0.0)], None)
    assert state.shown is Signal.RAISED
    assert orders(story(state, *press(32.0, GREEN))[1]) == []  # it takes the call back, and no more


def test_in_the_same_moment_as_a_spoken_call_a_green_press_is_about_the_call() -> None:
    cried = replace(asked(), candidate=tell(quiet(), Answered(26.0, Meaning.HELP)).candidate)
    assert not pairing.compares(cried)
    assert next_wake(cried, RULES) == 20.0  # at once: the window is in the way
    assert orders(story(cried, Ticked(27.0))[1]) == [OpenPairing(0.0)]


def test_the_window_ends_by_itself_and_by_a_hold_of_three_seconds() -> None:
    state, effects = story(opened(20.0), PairingEnded(140.0, reason=PairingEnd.OVER))
    assert [e for e in effects if isinstance(e, Say | Show)] == [
        Say(Phrase.PAIRING_CLOSED), Show(Signal.RESTING)
    ]  # fmt: skip
    dead = story(opened(20.0), Ticked(144.9))[0]  # the radio has died meanwhile
    assert next_wake(replace(dead, told_at=1e9), CALM) == 145.0
    assert Say(Phrase.PAIRING_CLOSED) in story(dead, Ticked(145.0))[1]
    state, effects = story(opened(20.0), *held(30.0, 3.5))
    assert (orders(effects), state.pairing) == ([OpenPairing(0.0)], None)
    assert Say(Phrase.PAIRING_CLOSED) in effects
    assert story(state, PairingEnded(33.6))[1] == []  # said already


def test_where_no_radio_answers_the_home_says_that_nothing_can_be_paired() -> None:
    state = tell(quiet(), order(at=30.0))
    assert state.shown is Signal.RESTING
    effects = story(state, Ticked(35.0))[1]
    assert [e for e in effects if isinstance(e, Say)] == [Say(Phrase.PAIRING_UNREADY)]
    refused = story(state, PairingEnded(31.0, reason=PairingEnd.SHUT))[1]
    assert [e for e in refused if isinstance(e, Say)] == [Say(Phrase.PAIRING_UNREADY)]


@pytest.mark.parametrize(
    ("wanted", "phrase", "digits"),
    [
        (Wanted.COMPARE, Phrase.PAIRING_COMPARE, DIGITS),
        (Wanted.TYPE, Phrase.PAIRING_TYPE, ""),
        (Wanted.SHOW, Phrase.PAIRING_SHOW, DIGITS),
    ],
)
def test_a_person_hears_what_to_do(wanted: Wanted, phrase: Phrase, digits: str) -> None:
    effects = story(opened(), PairingAsked(25.0, "X", wanted, digits))[1]
    assert [e for e in effects if isinstance(e, Say)] == [Say(phrase, digits)]  # never its name


@pytest.mark.parametrize("wanted", [Wanted.TYPE, Wanted.SHOW])
def test_a_green_press_says_yes_only_to_digits_that_are_compared(wanted: Wanted) -> None:
    assert orders(story(asked(wanted), *press(30.0, GREEN))[1]) == []


def test_a_finger_that_was_on_the_button_before_the_digits_came_says_yes_to_nothing() -> None:
    down = ContactChanged(24.9, GREEN, closed=True)
    asks = PairingAsked(25.0, "X", Wanted.COMPARE, DIGITS)
    up = ContactChanged(25.2, GREEN, closed=False)
    state, effects = story(opened(), down, Ticked(24.92), asks, up, Ticked(25.24))
    assert orders(effects) == []
    assert orders(story(state, *press(40.0, GREEN))[1]) == [PairingAnswer(yes=True)]
    lifting = (down, Ticked(24.92), ContactChanged(24.99, GREEN, closed=False), asks)
    assert orders(story(opened(), *lifting, Ticked(25.1))[1]) == []


def test_a_green_pendant_somewhere_in_the_home_says_yes_to_nothing() -> None:
    wristlet = Button(Role.CANCEL_BUTTON, "손목", wireless="A4:C1:38:00:00:02")
    rules = replace(RULES, buttons={**RULES.buttons, "wristlet": wristlet})
    pressed = WirelessPressed(30.0, "wristlet", "1", How.PRESS, counter=1, mark="0a")
    state, effects = decide(asked(), pressed, rules)
    assert orders(effects) == []
    assert pairing.compares(state)


def test_a_green_button_that_chatters_says_yes_to_nothing() -> None:
    edges = [
        ContactChanged(26.0 + n * 0.01, GREEN, closed=n % 2 == 0)
        for n in range(RULES.chatter_edges)
    ]
    assert orders(story(asked(), *edges, *press(28.5, GREEN))[1]) == []


def test_one_yes_is_one_answer() -> None:
    state, effects = story(asked(), *press(30.0, GREEN), *press(31.0, GREEN))
    assert orders(effects) == [PairingAnswer(yes=True)]
    assert state.pairing is not None


def test_a_request_outside_the_window_is_answered_no() -> None:
    for state in (quiet(), tell(quiet(), order(at=20.0))):
        asks = PairingAsked(21.0, "X", Wanted.COMPARE, DIGITS)
        after, effects = story(state, asks)
        assert orders(effects) == [PairingAnswer(yes=False)]
        assert not [e for e in effects if isinstance(e, Say)]
        assert after.shown is not Signal.PAIRING


def test_what_fails_leaves_the_window_open_while_there_is_time() -> None:
    failed = PairingEnded(30.0, "X", reason=PairingEnd.WRONG_KEY, open=True)
    state, effects = story(asked(), failed)
    assert [e for e in effects if isinstance(e, Say)] == [Say(Phrase.PAIRING_FAILED)]
    assert (state.shown, pairing.compares(state)) == (Signal.PAIRING, False)
    again = story(state, PairingAsked(35.0, "X", Wanted.COMPARE, "000000"))[0]
    assert pairing.compares(again)


def test_a_window_that_a_program_opened_is_shown_and_a_longer_one_is_not_said_twice() -> None:
    state, effects = story(quiet(), PairingOpened(10.0, 60.0))
    assert [e for e in effects if isinstance(e, Say | Show)] == [
        Say(Phrase.PAIRING_OPEN), Show(Signal.PAIRING)
    ]  # fmt: skip
    state, effects = story(state, PairingOpened(20.0, 120.0))
    assert not [e for e in effects if isinstance(e, Say)]
    assert state.pairing is not None
    assert state.pairing.until == 145.0


def test_a_window_during_a_call_is_shut_at_once() -> None:
    called = tell(quiet(), *press(5.0))
    state, effects = story(called, PairingOpened(10.0, 120.0))
    assert (orders(effects), state.pairing) == ([OpenPairing(0.0)], None)


def test_the_centre_opens_the_window_and_sees_what_is_wanted() -> None:
    state, effects = story(quiet(), order(at=10.0))
    assert (orders(effects), replies(effects)) == ([OpenPairing(120.0)], [Reply("c1", done=True)])
    (report,) = told(story(state, PairingOpened(11.0, 120.0))[1])
    assert report.pairing is not None
    assert (report.pairing.until_utc, report.pairing.wanted) == (UTC + 136.0, "")
    (report,) = told(story(opened(), PairingAsked(25.0, "커프", Wanted.COMPARE, DIGITS))[1])
    assert report.pairing is not None
    assert (report.pairing.wanted, report.pairing.digits) == ("compare", DIGITS)
    assert report.pairing.name == "커프"


def test_the_centre_opens_nothing_during_a_call_or_twice() -> None:
    for state in (tell(quiet(), *press(5.0)), opened(), tell(quiet(), order(at=29.0))):
        effects = story(state, order(at=30.0, counter=9))[1]
        assert orders(effects) == []
        assert replies(effects) == [Reply("c9", done=False, reason="not_now")]


@pytest.mark.parametrize(
    ("wanted", "text", "answer"),
    [
        (Wanted.COMPARE, "yes", PairingAnswer(yes=True)),
        (Wanted.COMPARE, "no", PairingAnswer(yes=False)),
        (Wanted.COMPARE, "123456", None),
        (Wanted.TYPE, "012345", PairingAnswer(yes=True, key="012345")),
        (Wanted.TYPE, "yes", None),
        (Wanted.TYPE, "1234567", None),
        (Wanted.TYPE, "no", PairingAnswer(yes=False)),
        (Wanted.SHOW, "yes", None),
    ],
)
def test_the_centre_answers_a_device(wanted: Wanted, text: str, answer: Effect | None) -> None:
    effects = story(asked(wanted), order(text))[1]
    assert orders(effects) == ([] if answer is None else [answer])
    assert replies(effects)[0].done is (answer is not None)


def test_an_answer_of_the_centre_that_nobody_waits_for_is_refused() -> None:
    called = tell(asked(), *press(26.0)[:2])  # the window is shut in the next moment
    for state in (quiet(), opened(), called):
        effects = story(state, order("yes"))[1]
        assert PairingAnswer(yes=True) not in effects
        assert replies(effects) == [Reply("c1", done=False, reason="not_now")]


def test_after_a_restart_no_window_is_open() -> None:
    state = recover(asked(), started(50.0, "b2"), ())
    assert state.pairing is None


def test_offline_the_window_works_as_well() -> None:
    rules: Rules = CALM
    state = replace(opened(), link=replace(quiet().link, up=False))
    state, effects = decide(state, PairingEnded(30.0, done=True, reason=PairingEnd.PAIRED), rules)
    assert not [e for e in effects if isinstance(e, Publish)]
    assert Say(Phrase.PAIRING_DONE) in effects


def test_a_hold_of_a_button_that_was_down_before_a_restart_opens_nothing() -> None:
    holding = tell(quiet(), ContactChanged(10.0, GREEN, closed=True), Ticked(10.02), Ticked(13.0))
    again = tell(recover(holding, started(14.0, "b2"), ()), started(14.0, "b2"))
    down = ContactChanged(14.1, GREEN, closed=True)
    assert orders(story(again, down, Ticked(20.0), Ticked(26.0))[1]) == []


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.KOREAN, ("무선 호출 단추", "빨간 단추")), (Language.ENGLISH, ("wireless", "red"))],
)
def test_who_opens_a_window_hears_what_may_not_be_heard_meanwhile(
    language: Language, words: tuple[str, ...]
) -> None:
    """It may search, and then a press of a pendant may be lost."""
    said = messages("hub", language, "hub")["say"][Phrase.PAIRING_OPEN]
    assert all(word in said for word in words)


@pytest.mark.parametrize("text", ["yes", "no"])
def test_what_the_centre_says_to_one_request_never_answers_the_next(text: str) -> None:
    """A page was drawn, and another device asks by the time that somebody clicks on it."""
    state = tell(
        quiet(), order(at=20.0, counter=1), PairingOpened(20.1, 120.0),
        PairingAsked(21.0, "하나", Wanted.COMPARE, DIGITS, ask=7),
        PairingAsked(22.0, "둘", Wanted.COMPARE, "000001", ask=8),
    )  # fmt: skip
    late, effects = story(state, answer_to(7, text, 23.0, 2))
    assert orders(effects) == []
    assert [(one.done, one.reason) for one in replies(effects)] == [(False, "not_now")]
    _, effects = story(late, answer_to(8, text, 24.0, 3))
    assert orders(effects) == [PairingAnswer(yes=text == "yes", ask=8)]
    _, effects = story(late, order(text, 24.0, 3))
    assert orders(effects) == [PairingAnswer(yes=text == "yes", ask=8)], "of an older centre"


def test_the_button_answers_the_request_that_waits() -> None:
    state = tell(
        quiet(), order(at=20.0, counter=1), PairingOpened(20.1, 120.0),
        PairingAsked(21.0, "하나", Wanted.COMPARE, DIGITS, ask=7),
    )  # fmt: skip
    _, effects = story(state, *press(25.0, GREEN))
    assert orders(effects) == [PairingAnswer(yes=True, ask=7)]
    closed, effects = story(quiet(), PairingAsked(21.0, "하나", Wanted.COMPARE, DIGITS, ask=7))
    assert orders(effects) == [PairingAnswer(yes=False, ask=7)]
    assert closed.pairing is None
