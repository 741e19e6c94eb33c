"""The away switch: closed, the resident is going out; open, they are back; never a call."""

import pytest
from msgspec.structs import replace

from hub.contract.messages import PresenceKind
from hub.contract.scaip import Kind
from hub.core.decide import decide, recover
from hub.core.model.effects import Lane, Publish
from hub.core.model.events import ContactChanged, Event, Ticked
from hub.core.model.rules import Button, Role
from hub.core.model.state import Cancelled, HomeState
from tests.hub.core import house_scenes
from tests.hub.core.house_scenes import HOUR, KITCHEN, LIVING, Lived
from tests.hub.core.scenes import CALM, GREEN, HELP, called, press, quiet, started

SWITCH = "going-out"
RULES = replace(CALM, buttons={**CALM.buttons, SWITCH: Button(Role.AWAY_SWITCH, "현관")})


def live(state: HomeState, *events: Event) -> HomeState:
    """Apply `events`; nobody may be called."""
    for event in events:
        state, effects = decide(state, event, RULES)
        assert not [e for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS]
    return state


def put(at: float, *, away: bool) -> tuple[Event, ...]:
    """The switch is turned on and stays on."""
    return ContactChanged(at, SWITCH, closed=away), Ticked(at + 0.05)


@pytest.mark.parametrize("held_s", [1.0, 10.0, 7200.0])
def test_closed_is_away_and_open_is_back_however_long_it_was(held_s: float) -> None:
    state = live(quiet(), *put(10.0, away=True))
    assert state.house.presence.kind is PresenceKind.AWAY
    state = live(state, Ticked(10.0 + held_s))
    assert not state.faults, "a switch is not stuck"
    state = live(state, *put(11.0 + held_s, away=False))
    assert state.house.presence.kind is PresenceKind.HOME


def test_a_glitch_says_nothing() -> None:
    before = quiet()
    glitch = ContactChanged(10.0, SWITCH, closed=True), ContactChanged(10.01, SWITCH, closed=False)
    assert live(before, *glitch, Ticked(11.0)).house.presence == before.house.presence


def test_a_bounce_while_it_is_closed_brings_nobody_home() -> None:
    away = live(quiet(), *put(10.0, away=True))
    bounce = ContactChanged(20.0, SWITCH, closed=False), ContactChanged(20.01, SWITCH, closed=True)
    assert live(away, *bounce, Ticked(21.0)).house.presence == away.house.presence


@pytest.mark.parametrize("closed", [True, False])
def test_after_a_restart_the_switch_says_only_what_is_new(closed: bool) -> None:  # noqa: FBT001 - pytest
    state = live(quiet(), *put(10.0, away=True))
    state = live(recover(state, started(500.0, "b2"), []), started(500.0, "b2"))
    state = live(state, *put(500.1, away=closed))
    wanted = PresenceKind.AWAY if closed else PresenceKind.HOME
    assert state.house.presence.kind is wanted


def test_a_rattling_switch_is_a_fault() -> None:
    rattle = [ContactChanged(10 + n * 0.01, SWITCH, closed=n % 2 == 0) for n in range(200)]
    state = live(quiet(), *rattle)
    assert list(state.faults) == [f"{SWITCH}:chatter"]
    assert not live(state, Ticked(20.0), Ticked(30.0)).faults


def test_a_closed_switch_does_not_keep_the_green_button_from_cancelling() -> None:
    """A red button that is held down does; the switch is no red button."""
    state = decide(called(at=10.0), put(10.5, away=True)[0], RULES)[0]
    for event in press(12.0, GREEN):
        state = decide(state, event, RULES)[0]
    assert [type(alarm.life) for alarm in state.alarms] == [Cancelled]
    assert HELP in state.contacts


HOUSE = replace(
    house_scenes.RULES, buttons={**house_scenes.RULES.buttons, SWITCH: Button(Role.AWAY_SWITCH)}
)
LIFE_H = 12.0


def wobbled(hours: float) -> Lived:
    """A house in which nobody moves any more; its away switch opens and closes once an hour."""
    lived = Lived(HOUSE).move(LIVING, LIFE_H - 0.3).move(KITCHEN, LIFE_H)
    for n in range(int(hours)):
        lived.until(LIFE_H + 0.5 + n)
        for closed in (False, True):
            lived.take(ContactChanged(lived.at + 1.0, SWITCH, closed=closed))
            lived.take(Ticked(lived.at + 0.1))
    return lived


def test_a_switch_that_wobbles_puts_the_24_hours_off_by_one_absence_and_no_more() -> None:
    """Each change of the switch began a new absence of 12 h, so that nobody was ever missed."""
    lived = wobbled(60.0)
    raised = [alarm for alarm in lived.alarms if alarm.kind is Kind.NO_LIFE]
    due_s = HOUSE.care.callout_s + HOUSE.quiet.declared_away_s
    wanted = [due_s + HOUSE.warn_s, HOUSE.care.dispatch_s]
    assert [a.at - LIFE_H * HOUR for a in raised] == pytest.approx(wanted, abs=60.0)


def test_an_absence_that_was_said_once_is_given_to_its_end() -> None:
    lived = wobbled(22.0)
    until_h = LIFE_H + 21.5 + HOUSE.quiet.declared_away_s / HOUR
    assert Kind.NO_LIFE not in lived.until(until_h - 0.1).kinds
    assert Kind.NO_LIFE in lived.until(until_h + HOUSE.warn_s / HOUR + 0.1).kinds
