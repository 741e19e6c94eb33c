"""Faults of the link and of drivers: each is reported once, lasts, and ends."""

import pytest
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import (
    HELD_OR_CUT,
    AlarmBrief,
    Availability,
    Cleared,
    FaultKind,
    FaultReport,
    FromHub,
    HubState,
    Stage,
    Trigger,
    VoiceCan,
    VoiceReport,
)
from hub.contract.scaip import Kind, Report
from hub.contract.wire import LinkTrouble
from hub.core.decide import decide, next_wake
from hub.core.model.effects import Effect, Lane, Pet, Publish, Signal
from hub.core.model.events import (
    BrokerAcked,
    BrokerRefused,
    ContactChanged,
    DriverFailed,
    DriverReady,
    Event,
    Heartbeat,
    LinkDown,
    LinkUp,
    StorageFailed,
    StorageRecovered,
    StorageTrouble,
    Ticked,
    VoiceTold,
)
from hub.core.model.rules import Button, Role
from hub.core.model.state import HomeState
from hub.core.supervision import faults
from tests.hub.core.scenes import (
    CORD,
    FIRST,
    HELP,
    RULES,
    UTC,
    accepted,
    called,
    offline,
    quiet,
    reboot,
    received,
    report_in,
    story,
    tell,
)

DOWN = LinkDown(100.0, LinkTrouble.CLOSED)


def heard(effects: list[Effect], lane: Lane) -> list[FromHub]:
    """What the centre reads in one lane."""
    found = [e for e in effects if isinstance(e, Publish) and e.lane is lane]
    return [wire.decode_from_hub(e.topic, e.payload)[1] for e in found]


FAULTS: list[tuple[Event, list[Event], FaultReport]] = [
    (
        DriverFailed(10.0, "lamp", "OSError: no chip"),
        [DriverReady(20.0, "lamp")],
        FaultReport("lamp:driver_failed", FaultKind.DRIVER_FAILED, "lamp", UTC + 10, synced=True,
                    detail="OSError: no chip"),
    ),
    (
        StorageFailed(10.0, StorageTrouble.FULL),
        [StorageRecovered(20.0)],
        FaultReport("hub:storage", FaultKind.STORAGE, "hub", UTC + 10, synced=True, detail="full"),
    ),
    (
        BrokerRefused(10.0, "b1-1"),
        [BrokerAcked(20.0, "b1-1")],
        FaultReport("hub:broker_refuses", FaultKind.BROKER_REFUSES, "hub", UTC + 10, synced=True),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("trouble", "cure", "report"), FAULTS)
def test_a_fault_is_told_once_and_its_end_too(
    trouble: Event, cure: list[Event], report: FaultReport
) -> None:
    state, effects = story(quiet(), trouble, trouble)
    assert heard(effects, Lane.FAULT) == [report]
    assert all(e.retain for e in effects if isinstance(e, Publish))
    assert (list(state.faults), state.shown) == ([report.fault], Signal.FAULT)
    state, effects = story(state, *cure, *cure)
    assert heard(effects, Lane.FAULT) == [Cleared(report.fault)]
    assert (state.faults, state.shown) == ({}, Signal.RESTING)


def test_a_new_detail_is_told_but_the_fault_is_as_old_as_it_is() -> None:
    events = [DriverFailed(10.0, "lamp", "one"), DriverFailed(20.0, "lamp", "two")]
    told = heard(story(quiet(), *events)[1], Lane.FAULT)
    assert [(m.detail, m.since_utc) for m in told if isinstance(m, FaultReport)] == [
        ("one", UTC + 10),
        ("two", UTC + 10),
    ]


def test_two_faults_are_two() -> None:
    both = [DriverFailed(10.0, "lamp", ""), DriverFailed(10.0, "help", "")]
    state = tell(quiet(), *both, DriverReady(11.0, "lamp"))
    assert list(state.faults) == ["help:driver_failed"]


def test_a_stuck_button_is_a_fault_until_it_is_freed() -> None:
    state = tell(quiet(), ContactChanged(10.0, HELP, closed=True), Ticked(70.0))
    assert list(state.faults) == ["help:stuck"]
    state = tell(state, ContactChanged(80.0, HELP, closed=False), Ticked(80.1))
    assert not state.faults


def test_a_cut_wire_of_a_normally_closed_button_calls_and_then_is_told_as_what_it_may_be() -> None:
    closed = Button(Role.HELP_BUTTON, "거실", normally_closed=True)
    rules = replace(RULES, buttons={**RULES.buttons, HELP: closed})
    state = quiet()
    for event in (ContactChanged(10.0, HELP, closed=True), Ticked(10.1)):
        state, _ = decide(state, event, rules)
    assert [alarm.kind for alarm in state.alarms] == [Kind.HELP_BUTTON]
    state, effects = decide(state, Ticked(70.0), rules)
    (fault,) = heard(effects, Lane.FAULT)
    assert isinstance(fault, FaultReport)
    assert (fault.kind, fault.device, fault.detail) == (FaultKind.STUCK, HELP, HELD_OR_CUT)


@pytest.mark.parametrize(
    ("told", "spoken_sos", "listed"),
    [
        (None, True, True),  # not heard of yet: better a trigger too many
        (VoiceTold(5.0, "voice", ("vosk",), hears=True, spoken_sos=True), True, True),
        (VoiceTold(5.0, "voice", ("vosk",), hears=True, spoken_sos=False), True, False),
        (None, False, False),
    ],
)
def test_a_voice_that_takes_calls_is_a_trigger(
    told: VoiceTold | None,
    spoken_sos: bool,  # noqa: FBT001 - a table
    listed: bool,  # noqa: FBT001 - a table
) -> None:
    rules = replace(RULES, voice="voice", spoken_sos=spoken_sos)
    state = quiet()
    if told:
        state, _ = decide(state, told, rules)
    kinds = [trigger.kind for trigger in faults.triggers(state, rules)]
    assert (Kind.SPOKEN in kinds) is listed
    assert kinds[:2] == [Kind.HELP_BUTTON, Kind.PULL_CORD]


def chattering() -> HomeState:
    flicker = [ContactChanged(10 + n * 0.01, HELP, closed=n % 2 == 0) for n in range(200)]
    return tell(quiet(), *flicker)


def test_a_chattering_button_is_a_fault_until_it_is_quiet() -> None:
    assert list(chattering().faults) == ["help:chatter"]
    assert not tell(chattering(), Ticked(20.0), Ticked(30.0)).faults


def test_a_restart_does_not_leave_the_fault_of_a_quiet_button_behind() -> None:
    state = reboot(chattering(), 5.0, "b2")
    assert list(state.faults) == ["help:chatter"]
    assert not tell(state, Ticked(15.0)).faults


def test_a_broker_that_refused_gets_another_chance_at_the_next_session() -> None:
    state = tell(quiet(), BrokerRefused(10.0, "x"), DOWN)
    state, effects = story(state, LinkUp(101.0, "other"))
    assert heard(effects, Lane.FAULT) == [Cleared("hub:broker_refuses")]
    assert not state.faults


def test_the_link_brings_the_state_and_the_faults_that_stand() -> None:
    state = tell(called(), DriverFailed(20.0, "lamp", "gone"), received(21.0), accepted(22.0))
    effects = story(tell(state, DOWN), LinkUp(101.0, "broker"))[1]
    told, fault = heard(effects, Lane.LIVE)
    assert told == HubState(
        state=Availability.READY, utc=UTC + 101, synced=True, boot="b1", software="0.1.0",
        interval_s=10.0, alarms=(AlarmBrief(FIRST, Stage.ACCEPTED, 2),),
        faults=("lamp:driver_failed",), voice=VoiceReport(VoiceCan.NOTHING),
        triggers=(Trigger(HELP, Kind.HELP_BUTTON, "거실"), Trigger(CORD, Kind.PULL_CORD, "욕실")),
    )  # fmt: skip
    assert isinstance(fault, FaultReport)
    assert [e.id for e in effects if isinstance(e, Publish)] == [
        "state",
        "fault/lamp:driver_failed",
    ]
    assert not heard(effects, Lane.FAULT)


@pytest.mark.parametrize(("back_at", "told"), [(119.9, False), (120.0, True)])
def test_an_outage_of_twenty_seconds_is_reported(back_at: float, told: bool) -> None:  # noqa: FBT001 - a table
    state = tell(quiet(), DOWN, LinkDown(110.0, LinkTrouble.TIMEOUT))
    effects = story(state, LinkUp(back_at, "broker"))[1]
    assert len(heard(effects, Lane.FAULT)) == told
    if told:
        data = report_in(effects).data
        assert (data.report, data.value, data.scaip.stc) == (Report.LINK_BACK, 20.0, "0112")


def test_a_link_that_is_up_already_reports_no_outage() -> None:
    assert not heard(story(quiet(), LinkUp(500.0, "broker"))[1], Lane.FAULT)


def test_the_state_is_told_every_30_s_and_every_10_s_during_an_alarm() -> None:
    assert next_wake(quiet(), RULES) == 31.0
    assert len(heard(story(quiet(), Ticked(31.0))[1], Lane.LIVE)) == 1
    assert not story(quiet(), Ticked(30.9))[1]
    state = tell(called(at=2.0), received(2.3))
    assert next_wake(state, RULES) == 11.0


def test_an_offline_home_tells_nobody_its_state() -> None:
    assert faults.next_wake(offline(), RULES) is None
    assert not heard(story(offline(), Ticked(500.0))[1], Lane.LIVE)


def test_the_last_will_says_lost() -> None:
    will = faults.state_message(quiet(), Availability.LOST, 5.0, RULES)
    _, message = wire.decode_from_hub(will.topic, will.payload)
    assert isinstance(message, HubState)
    assert (message.state, will.retain) == (Availability.LOST, True)


def test_a_heartbeat_sets_the_clock_and_feeds_the_watchdog() -> None:
    state, effects = story(quiet(), Heartbeat(10.0, UTC + 999, synced=False))
    assert effects == [Pet()]
    assert (state.clock.offset_s, state.clock.synced) == (UTC + 989, False)
