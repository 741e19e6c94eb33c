"""A home for the tests of the core, with a red button, a cord, a green button; event helpers."""

from collections.abc import Iterable

from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, ReportEvent, Stage
from hub.core.decide import decide, recover
from hub.core.model.effects import Effect, Lane, Publish
from hub.core.model.events import CenterAcked, ContactChanged, Event, LinkUp, Started, Ticked
from hub.core.model.rules import Button, CareRules, Role, Rules
from hub.core.model.state import Alarm, HomeState

HELP, CORD, GREEN = "help", "cord", "green"
RULES = Rules(
    hub="js-0001",
    software="0.1.0",
    radio="radio",
    buttons={
        HELP: Button(Role.HELP_BUTTON, "거실"),
        CORD: Button(Role.PULL_CORD, "욕실"),
        GREEN: Button(Role.CANCEL_BUTTON, "거실"),
    },
    care=CareRules(times=()),  # check-ins are another story: see `care_scenes`
)
# for transcripts: the state message and the resends are other stories
CALM = replace(RULES, state_interval_s=1e9, alarm_state_interval_s=1e9, quick_resend_s=1e9)
UTC = 1_772_323_200.0  # the wall clock at monotonic 0
FIRST = "b1-1"  # the id of the first event of the first boot


def tell(state: HomeState, *events: Event) -> HomeState:
    """Apply `events`; return the state."""
    return story(state, *events)[0]


def tell_by(rules: Rules, state: HomeState, *events: Event) -> HomeState:
    """Apply `events` in a home with other rules; return the state."""
    for event in events:
        state, _ = decide(state, event, rules)
    return state


def story(state: HomeState, *events: Event) -> tuple[HomeState, list[Effect]]:
    """Apply `events`; return the state and all effects."""
    effects: list[Effect] = []
    for event in events:
        state, more = decide(state, event, RULES)
        effects += more
    return state, effects


def started(at: float = 0.0, boot: str = "b1", *, synced: bool = True) -> Started:
    """A process starts at `at`."""
    return Started(at, UTC + at, synced, boot)


def reboot(state: HomeState, at: float, boot: str, unsent: Iterable[str] = ()) -> HomeState:
    """Start again from `state`, with what the outbox holds besides."""
    event = started(at, boot)
    return tell(recover(state, event, unsent), event)


def offline() -> HomeState:
    """A home that has just started."""
    return reboot(HomeState(), 0.0, "b1")


def quiet() -> HomeState:
    """A home that is linked and at rest, at 1.0."""
    return tell(offline(), LinkUp(1.0, "broker"))


def press(at: float, device: str = HELP, ms: float = 100.0) -> tuple[Event, ...]:
    """A finger goes down at `at` and up `ms` later, and the ticks that follow."""
    up = at + ms / 1000
    ticks: list[Event] = (
        [Ticked(at + RULES.press_settle_s)] if at + RULES.press_settle_s <= up else []
    )
    down = ContactChanged(at, device, closed=True)
    return (
        down,
        *ticks,
        ContactChanged(up, device, closed=False),
        Ticked(up + RULES.release_settle_s),
    )


def called(at: float = 10.0, device: str = HELP) -> HomeState:
    """A home whose resident has called at `at`."""
    return tell(quiet(), *press(at, device))


def acked(
    at: float, stage: Stage, version: int, event: str = "", alarm: str = FIRST, who: str = ""
) -> CenterAcked:
    """The centre speaks of the first alarm."""
    return CenterAcked(at, event, alarm, stage, version, who)


def received(at: float = 11.0, version: int = 1) -> CenterAcked:
    """The centre has stored the first alarm's first event."""
    return acked(at, Stage.RECEIVED, version, FIRST)


def accepted(at: float = 12.0, version: int = 2) -> CenterAcked:
    """Kim has taken the first alarm."""
    return acked(at, Stage.ACCEPTED, version, who="Kim")


def sent(at: float = 13.0, version: int = 3) -> CenterAcked:
    """Kim has sent somebody to the home."""
    return replace(accepted(at, version), sent=True)


def closed(at: float = 13.0, version: int = 3) -> CenterAcked:
    """The first alarm has an outcome."""
    return acked(at, Stage.CLOSED, version, who="Kim")


def alarm(state: HomeState) -> Alarm:
    """The only alarm."""
    (one,) = state.alarms
    return one


def calls(effects: Iterable[Effect]) -> list[Publish]:
    """The messages in the SOS lane."""
    return [e for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS]


def read(publish: Publish) -> AlarmEvent:
    """What a call says, as the centre reads it."""
    _, message = wire.decode_from_hub(publish.topic, publish.payload)
    assert isinstance(message, AlarmEvent)
    return message


def report_in(effects: Iterable[Effect]) -> ReportEvent:
    """The only technical report."""
    bulk = [e for e in effects if isinstance(e, Publish) and e.lane is Lane.FAULT]
    (message,) = [wire.decode_from_hub(e.topic, e.payload)[1] for e in bulk]
    assert isinstance(message, ReportEvent)
    return message


def unlinked(state: HomeState) -> HomeState:
    """The same home without a link from the start."""
    return replace(state, link=replace(state.link, up=False))
