"""Supervision: how silence, level, battery and power of each device are reported, and their end."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import Cleared, FaultKind, FaultReport, HubState, ReportData, ReportEvent
from hub.contract.scaip import Report, of_report
from hub.core.decide import decide, recover
from hub.core.model.effects import Effect, Lane, Publish
from hub.core.model.events import (
    BatteryMeasured,
    ContactChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    Event,
    HeartRateMeasured,
    LinkUp,
    MainsChanged,
    MotionChanged,
    Started,
    Ticked,
)
from hub.core.model.rules import Room, Rules, Sense, Sensor
from hub.core.model.state import Fault, HomeState
from hub.core.supervision import faults, supervision
from hub.core.supervision.supervision import UNMOVED
from tests.hub.core.histories import examples
from tests.hub.core.scenes import CALM, GREEN, HELP, UTC, press, started
from tests.playbook import Playbook, playbook

HOUR = 3600.0
DAY = 24 * HOUR
WORDS = 4 * HOUR  # how long a sensor of these stories may be silent
KITCHEN = Sensor(Sense.MOTION, "부엌", silent_s=WORDS)
BATHROOM = Sensor(Sense.MOTION, "욕실", Room.BATHROOM)
FRONT = Sensor(Sense.EXIT_DOOR, "현관", silent_s=WORDS)
POWER = Sensor(Sense.MAINS, "허브")
SILENT, STUCK, CHATTER = FaultKind.SILENT, FaultKind.STUCK, FaultKind.CHATTER
LOW, LOST = FaultKind.LOW_BATTERY, FaultKind.MAINS_LOST
LONG_UP = 1000.0  # the machine has had power for a while when the hub starts


def ruled(**sensors: Sensor) -> Rules:
    return replace(CALM, sensors=sensors)


def technical(effect: Effect) -> Effect | None:
    """Keep only what concerns devices, without ids; other tests check check-ins and quiet."""
    if not isinstance(effect, Publish) or effect.lane is not Lane.FAULT:
        return None
    _, message = wire.decode_from_hub(effect.topic, effect.payload)
    payload = effect.payload
    if isinstance(message, ReportEvent):
        block = replace(message.data.scaip, ref="")
        payload = wire.encode(replace(message, id="", data=replace(message.data, scaip=block)))
    return replace(effect, id="", payload=payload)


def begun(
    state: HomeState,
    rules: Rules,
    at: float,
    boot: str,
    chance: float = 0.0,
    off_s: float = 0.0,
) -> HomeState:
    """Start a process at `at` and connect it; `off_s`: how far monotonic time was reset."""
    started = Started(at, UTC + at + off_s, synced=True, boot=boot, chance=chance)
    state = recover(state, started, [])
    state = decide(state, started, rules)[0]
    return decide(state, LinkUp(at, "broker"), rules)[0]


def book(**sensors: Sensor) -> Playbook:
    rules = ruled(**sensors)
    return playbook(begun(HomeState(), rules, 0.0, "b1"), rules, technical)


def told(device: str, kind: FaultKind, at: float, detail: str = "") -> Publish:
    """The centre learns of a fault that began at `at`."""
    fault = f"{device}:{kind}"
    report = FaultReport(fault, kind, device, UTC + at, synced=True, detail=detail)
    return _fault(fault, wire.encode(report))


def over(device: str, kind: FaultKind) -> Publish:
    """The centre learns that a fault has ended."""
    fault = f"{device}:{kind}"
    return _fault(fault, wire.encode(Cleared(fault)))


def _fault(fault: str, payload: bytes) -> Publish:
    return Publish("", Lane.FAULT, wire.topic(CALM.hub, "fault", fault), payload, retain=True)


def report(kind: Report, value: float, at: float, device: str = "power") -> Publish:
    """The centre reads a technical report of what was true at `at`."""
    data = ReportData(kind, value, synced=True, scaip=of_report(kind, ""), device=device)
    time = wire.timestamp(UTC + at)
    message = ReportEvent("", wire.source(CALM.hub), f"anbu.report.{kind}", time, data)
    return Publish("", Lane.FAULT, wire.topic(CALM.hub, "event"), wire.encode(message))


def moved(at: float, device: str = "kitchen") -> MotionChanged:
    return MotionChanged(at, device, active=True)


def still(at: float, device: str = "kitchen") -> MotionChanged:
    return MotionChanged(at, device, active=False)


# Silence.


def test_a_sensor_that_never_spoke_is_silent_after_its_time_and_ends_it_by_a_word() -> None:
    assert (
        book(kitchen=KITCHEN)
        >> Ticked(WORDS - 0.1)
        << []
        >> Ticked(WORDS)
        << [told("kitchen", SILENT, WORDS)]
        >> Ticked(3 * DAY)
        << []
        >> still(3 * DAY + 1)
        << [over("kitchen", SILENT)]
        >> Ticked(3 * DAY + WORDS)
        << []
        >> Ticked(3 * DAY + WORDS + 1)
        << [told("kitchen", SILENT, 3 * DAY + WORDS + 1)]
    )


@pytest.mark.parametrize(
    "word",
    [
        moved(HOUR),
        still(HOUR),
        DeviceSeen(HOUR, "kitchen"),
        BatteryMeasured(HOUR, "kitchen", 80.0),
    ],
)
def test_every_word_gives_a_sensor_its_whole_time_again(word: Event) -> None:
    assert (
        book(kitchen=KITCHEN)
        >> word
        << []
        >> Ticked(WORDS + HOUR - 1)
        << ([told("kitchen", STUCK, WORDS + HOUR - 1)] if word == moved(HOUR) else [])
        >> Ticked(WORDS + HOUR)
        << [told("kitchen", SILENT, WORDS + HOUR)]
    )


def test_a_wearable_speaks_by_its_readings() -> None:
    band = Sensor(Sense.WEARABLE, silent_s=HOUR)
    assert (
        book(band=band)
        >> HeartRateMeasured(HOUR - 1, "band", 61.0)
        >> HeartRateMeasured(HOUR, "band", 61.0)
        >> Ticked(2 * HOUR - 1)
        << []
        >> Ticked(2 * HOUR)
        << [told("band", SILENT, 2 * HOUR)]
        >> HeartRateMeasured(2 * HOUR, "band", 61.0)
        << [over("band", SILENT)]
    )


def test_a_door_speaks_by_its_edges() -> None:
    assert (
        book(front=FRONT)
        >> ContactChanged(0.1, "front", closed=True)
        >> ContactChanged(HOUR, "front", closed=False)
        >> ContactChanged(HOUR + 9, "front", closed=True)
        >> Ticked(HOUR + WORDS)
        << []
        >> Ticked(HOUR + 9 + WORDS)
        << [told("front", SILENT, HOUR + 9 + WORDS)]
        >> DeviceSeen(2 * DAY, "front")
        << [over("front", SILENT)]
    )


def test_what_has_no_sign_of_life_is_never_silent() -> None:
    assert book(bathroom=BATHROOM) >> Ticked(30 * DAY) << []


def test_the_last_word_is_an_edge_or_a_word_without_news() -> None:
    rules = ruled(kitchen=KITCHEN)
    state, _ = decide(HomeState(), Started(0.0, UTC, synced=True, boot="b1"), rules)
    assert supervision.last_word(state, "kitchen") is None
    state, _ = decide(state, DeviceSeen(5.0, "kitchen"), rules)
    assert supervision.last_word(state, "kitchen") == 5.0
    state, _ = decide(state, MotionChanged(7.0, "kitchen", active=True), rules)
    assert supervision.last_word(state, "kitchen") == 7.0
    state, _ = decide(state, DeviceSeen(9.0, "kitchen"), rules)
    assert supervision.last_word(state, "kitchen") == 9.0


def test_a_stranger_has_no_word() -> None:
    stranger = "neighbour"
    assert (
        book(kitchen=KITCHEN)
        >> DeviceSeen(1.0, stranger)
        >> BatteryMeasured(1.0, stranger, 1.0)
        >> MainsChanged(1.0, stranger, present=False)
        >> moved(1.0, stranger)
        >> Ticked(HOUR)
        << []
    )


def test_a_sensor_that_sees_nobody_for_a_week_while_others_do_is_no_witness_of_quiet() -> None:
    """The sensor's wire came off: the line stays low, and reading it works."""
    story = book(kitchen=KITCHEN, bathroom=BATHROOM)
    for hour in range(1, 8 * 24):
        story >> DeviceSeen(hour * HOUR, "kitchen") << []
        if hour in {1, 6 * 24}:
            story >> moved(hour * HOUR, "bathroom") >> still(hour * HOUR + 5, "bathroom") << []
    assert "kitchen" in supervision.working(story.state, story.rules)
    assert (
        story
        >> moved(8 * DAY, "bathroom")
        >> still(8 * DAY + 5, "bathroom")
        << []
        >> DeviceSeen(8 * DAY + HOUR, "kitchen")
        << [told("kitchen", SILENT, 8 * DAY + HOUR, UNMOVED)]
        >> DeviceSeen(9 * DAY, "kitchen")
        << []
        >> still(9 * DAY, "kitchen")
        << []
        >> moved(9 * DAY + 1, "kitchen")
        << [over("kitchen", SILENT)]
    )


# Levels.


def test_motion_without_a_break_is_stuck_until_the_line_rests() -> None:
    assert (
        book(bathroom=BATHROOM)
        >> moved(10.0, "bathroom")
        >> Ticked(1809.9)
        << []
        >> Ticked(1810.0)
        << [told("bathroom", STUCK, 1810.0)]
        >> moved(1900.0, "bathroom")
        << []
        >> Ticked(DAY)
        << []
        >> still(DAY, "bathroom")
        << [over("bathroom", STUCK)]
        >> moved(DAY + 10, "bathroom")
        >> Ticked(DAY + 1810)
        << [told("bathroom", STUCK, DAY + 1810)]
    )


def test_a_door_that_stays_open_is_not_stuck() -> None:
    front = replace(FRONT, silent_s=0.0)
    open_ = ContactChanged(10.0, "front", closed=False)
    assert book(front=front) >> open_ >> Ticked(DAY) << []


def flooded(device: str, begin: float, pulses: int, every_s: float = 0.02) -> list[Event]:
    """A line that picks up noise."""
    edges: list[Event] = []
    for n in range(pulses):
        at = begin + n * every_s
        edges += [moved(at, device), still(at + every_s / 2, device)]
    return edges


def test_a_flood_is_chatter_until_a_minute_without() -> None:
    state = book(bathroom=BATHROOM)
    flood = flooded("bathroom", 10.0, 200)
    for edge in flood[:119]:
        state >> edge << []
    state >> flood[119] << [told("bathroom", CHATTER, flood[119].at)]
    for edge in flood[120:]:
        state >> edge << []
    assert (
        state
        >> Ticked(70.01)
        << []
        >> Ticked(130.0)
        << []
        >> Ticked(130.01)
        << [over("bathroom", CHATTER)]
        >> Ticked(DAY)
        << []
    )


def test_a_restless_evening_is_no_flood() -> None:
    state = book(bathroom=BATHROOM)
    for n in range(1000):
        state >> moved(n * 5.0, "bathroom") >> still(n * 5.0 + 2.0, "bathroom") << []
    for n in range(1000):  # a short one now and then
        at = 1e4 + n * 2.0
        state >> moved(at, "bathroom") >> still(at + 0.5, "bathroom") << []
    assert state


def test_a_door_that_rattles_is_chatter_as_well() -> None:
    state = book(front=FRONT)
    edges = [ContactChanged(10 + n * 0.1, "front", closed=n % 2 == 0) for n in range(200)]
    for edge in edges:
        state >> edge
    assert list(state.state.faults) == ["front:chatter"]


# Batteries.


def charged(at: float, pct: float, device: str = "kitchen") -> BatteryMeasured:
    return BatteryMeasured(at, device, pct)


def low(pct: float, at: float) -> Publish:
    return report(Report.BATTERY_LOW, pct, at, "kitchen")


def test_a_low_battery_is_told_every_day_until_there_is_a_new_one() -> None:
    kitchen = replace(KITCHEN, silent_s=0.0)
    assert (
        book(kitchen=kitchen)
        >> charged(10.0, 15.1)
        << []
        >> charged(20.0, 15.0)
        << [told("kitchen", LOW, 20.0), low(15.0, 20.0)]
        >> charged(30.0, 12.0)
        << []
        >> Ticked(DAY + 19.9)
        << []
        >> Ticked(DAY + 20)
        << [low(12.0, DAY + 20)]
        >> charged(DAY + 30, 24.9)
        << []
        >> Ticked(2 * DAY + 20)
        << [low(24.9, 2 * DAY + 20)]
        >> charged(2 * DAY + 30, 25.0)
        << [over("kitchen", LOW)]
        >> Ticked(5 * DAY)
        << []
        >> charged(5 * DAY, 14.0)
        << [told("kitchen", LOW, 5 * DAY), low(14.0, 5 * DAY)]
    )


def test_a_buttons_battery_counts_too() -> None:
    rules = ruled()
    state = begun(HomeState(), rules, 0.0, "b1")
    state = decide(state, charged(9.0, 3.0, HELP), rules)[0]
    assert list(state.faults) == [f"{HELP}:low_battery"]


@pytest.mark.parametrize("off_s", [0.0, 5 * HOUR, -DAY])
def test_a_restart_does_not_tell_of_a_battery_again_before_its_day_is_over(off_s: float) -> None:
    kitchen = replace(KITCHEN, silent_s=0.0)
    first = book(kitchen=kitchen) >> charged(DAY + 100.0, 9.0)
    rules, again_at = first.rules, 2 * DAY + 100 - off_s
    state = begun(first.state, rules, DAY + 6 * HOUR + 100 - off_s, "b2", off_s=off_s)
    assert (
        playbook(state, rules, technical)
        >> Ticked(again_at - 1)
        << []
        >> Ticked(again_at)
        << [report(Report.BATTERY_LOW, 9.0, again_at + off_s, "kitchen")]
    )


def test_a_wrong_clock_at_the_restart_tells_of_it_at_once_or_a_day_later() -> None:
    kitchen = replace(KITCHEN, silent_s=0.0)
    first = book(kitchen=kitchen) >> charged(100.0, 9.0)
    early = begun(first.state, first.rules, 500.0, "b2", off_s=-1e9)
    assert supervision.next_wake(early, first.rules) == 500.0 + DAY
    late = begun(first.state, first.rules, 500.0, "b2", off_s=1e9)
    assert late.order == first.state.order + 1, "told once more"


# The mains.


def mains(at: float, *, present: bool) -> MainsChanged:
    return MainsChanged(at, "power", present=present)


def test_lost_mains_are_told_in_time_and_their_return_too() -> None:
    assert (
        book(power=POWER)
        >> mains(0.1, present=True)
        >> mains(50.0, present=False)
        >> mains(100.0, present=False)
        >> Ticked(169.9)
        << []
        >> Ticked(170.0)
        << [told("power", LOST, 170.0), report(Report.MAINS_LOST, 120.0, 170.0)]
        >> Ticked(HOUR)
        << []
        >> mains(HOUR + 50, present=True)
        << [over("power", LOST), report(Report.MAINS_BACK, HOUR, HOUR + 50)]
        >> Ticked(DAY)
        << []
    )


def test_lost_mains_are_reported_within_180_s() -> None:
    assert CALM.watch.mains_lost_s <= 180.0 - 60.0


def test_a_blip_is_nobodys_trouble() -> None:
    assert (
        book(power=POWER)
        >> mains(0.1, present=True)
        >> mains(50.0, present=False)
        >> mains(169.0, present=True)
        >> Ticked(DAY)
        << []
    )


def test_a_hub_that_starts_without_mains_tells_it() -> None:
    told_at = 0.1 + 120.0
    assert (
        book(power=POWER)
        >> mains(0.1, present=False)
        >> Ticked(told_at)
        << [told("power", LOST, told_at), report(Report.MAINS_LOST, 120.0, told_at)]
    )


def test_mains_that_return_while_the_hub_is_off_end_the_fault_at_its_next_start() -> None:
    lost = book(power=POWER) >> mains(1000.0, present=False) >> Ticked(1120.0)
    state = begun(lost.state, lost.rules, 2000.0, "b2")
    assert (
        playbook(state, lost.rules, technical)
        >> mains(2001.0, present=True)
        << [over("power", LOST), report(Report.MAINS_BACK, 1001.0, 2001.0)]
    )


def test_mains_that_are_away_at_a_restart_have_their_time_again() -> None:
    lost = book(power=POWER) >> mains(9e5, present=False)
    state = begun(lost.state, lost.rules, 1000.0, "b2", off_s=9e5)
    assert (
        playbook(state, lost.rules, technical)
        >> mains(1000.5, present=False)
        >> Ticked(1119.0)
        << []
        >> Ticked(1120.0)
        << [told("power", LOST, 1120.0 + 9e5), report(Report.MAINS_LOST, 120.0, 1120.0 + 9e5)]
        >> mains(1600.0, present=True)
        << [over("power", LOST), report(Report.MAINS_BACK, 1600.0, 1600.0 + 9e5)]
    )


def test_what_a_disk_that_was_read_late_brings_back_is_looked_at_anew() -> None:
    """A fault of the old state joins a new one in which the mains have long been there."""
    now = book(power=POWER) >> mains(0.1, present=True)
    lost = Fault(LOST, "power", UTC, synced=True)
    state = replace(now.state, faults={"power:mains_lost": lost})
    state = replace(state, watch=replace(state.watch, due=0.0))
    assert (
        playbook(state, now.rules, technical)
        >> Ticked(60.0)
        << [over("power", LOST), report(Report.MAINS_BACK, 59.9, 60.0)]
        >> Ticked(DAY)
        << []
    )


# After an area power cut.


def spread(chance: float, at: float = 30.0) -> Playbook:
    """A home whose machine has just got its power back."""
    rules = ruled(kitchen=replace(KITCHEN, silent_s=600.0), power=POWER)
    return playbook(begun(HomeState(), rules, at, "b1", chance), rules, technical)


def test_after_a_power_cut_technical_reports_wait_for_their_own_time() -> None:
    home_ = spread(chance=0.5) >> mains(30.1, present=True) >> charged(40.0, 10.0, "power") << []
    home_ >> Ticked(630.0) << [] >> Ticked(1829.9) << []
    shown = decide(home_.state, LinkUp(1829.9, "broker"), home_.rules)[1]
    assert [e for e in shown if technical(e) is not None] == []
    (hub,) = [wire.decode_from_hub(e.topic, e.payload)[1] for e in shown if isinstance(e, Publish)]
    assert isinstance(hub, HubState)
    assert hub.faults == ()
    assert list(home_.state.faults) == ["power:low_battery", "kitchen:silent"], "the lamp knows"
    assert (
        home_
        >> Ticked(1830.0)
        << [
            told("power", LOW, 40.0),
            told("kitchen", SILENT, 630.0),
            report(Report.BATTERY_LOW, 10.0, 40.0),
        ]
        >> Ticked(2000.0)
        << []
    )


@pytest.mark.parametrize("chance", [0.25, 0.999])
def test_each_home_of_a_town_has_its_own_time(chance: float) -> None:
    due = 30.0 + chance * HOUR
    rules = replace(CALM, sensors={"power": POWER})
    state = begun(HomeState(), rules, 30.0, "b1", chance)
    assert (
        playbook(state, rules, technical)
        >> charged(31.0, 10.0, "power")
        >> Ticked(due - 0.1)
        << []
        >> Ticked(due)
        << [told("power", LOW, 31.0), report(Report.BATTERY_LOW, 10.0, 31.0)]
    )


def test_a_fault_alone_waits_and_is_not_forgotten() -> None:
    rules = replace(CALM, sensors={"power": POWER})
    state = begun(HomeState(), rules, 30.0, "b1", chance=0.5)
    assert (
        playbook(state, rules, technical)
        >> DriverFailed(40.0, "power", "gone")
        << []
        >> Ticked(1830.0)
        << [told("power", FaultKind.DRIVER_FAILED, 40.0, "gone")]
    )


def test_where_nothing_is_spread_nothing_waits() -> None:
    rules = replace(CALM, sensors={"power": POWER}, watch=replace(CALM.watch, spread_s=0.0))
    state = begun(HomeState(), rules, 30.0, "b1", chance=0.9)
    told_now = [told("power", LOW, 31.0), report(Report.BATTERY_LOW, 10.0, 31.0)]
    assert playbook(state, rules, technical) >> charged(31.0, 10.0, "power") << told_now


def test_help_and_lost_mains_and_broken_buttons_never_wait() -> None:
    state = spread(chance=0.999)
    assert state >> mains(31.0, present=False) << []
    lost_at = 151.0
    assert (
        state
        >> Ticked(lost_at)
        << [told("power", LOST, lost_at), report(Report.MAINS_LOST, 120.0, lost_at)]
        >> DriverFailed(160.0, HELP, "gone")
        << [told(HELP, FaultKind.DRIVER_FAILED, 160.0, "gone")]
        >> DriverFailed(161.0, "kitchen", "gone")
        << []
    )
    effects: list[Effect] = []
    now = state.state
    for event in press(200.0):
        now, more = decide(now, event, state.rules)
        effects += more
    assert [e for e in effects if isinstance(e, Publish) and e.lane is Lane.SOS]


def test_the_return_of_the_mains_is_reported_later_but_the_fault_ends_at_once() -> None:
    rules = ruled(power=POWER)
    state = begun(HomeState(), rules, LONG_UP, "b1", chance=0.5)
    at = LONG_UP + 10
    assert (
        playbook(state, rules, technical)
        >> mains(at, present=False)
        >> Ticked(at + 120)
        << [told("power", LOST, at + 120), report(Report.MAINS_LOST, 120.0, at + 120)]
        >> mains(at + 600, present=True)
        << [over("power", LOST)]
        >> Ticked(at + 2399)
        << []
        >> Ticked(at + 2400)
        << [report(Report.MAINS_BACK, 600.0, at + 600)]
    )


def test_a_hub_that_only_starts_again_holds_nothing_back() -> None:
    rules = ruled(kitchen=KITCHEN)
    state = begun(HomeState(), rules, LONG_UP, "b1", chance=0.9)
    assert (
        playbook(state, rules, technical)
        >> DriverFailed(LONG_UP + 1, "kitchen", "gone")
        << [told("kitchen", FaultKind.DRIVER_FAILED, LONG_UP + 1, "gone")]
    )


def test_what_is_over_before_its_time_is_not_told_and_the_rest_survives_a_restart() -> None:
    waiting = spread(chance=0.9) >> DriverFailed(40.0, "kitchen", "gone")
    waiting >> charged(41.0, 10.0, "power") >> DriverReady(50.0, "kitchen")
    waiting << [over("kitchen", FaultKind.DRIVER_FAILED)]
    restarted = started(400.0, "b2")
    state = recover(waiting.state, restarted, [])
    assert (
        playbook(state, waiting.rules, technical)
        >> restarted
        << []
        >> Ticked(400.0)
        << [told("power", LOW, 41.0), report(Report.BATTERY_LOW, 10.0, 41.0)]
    )  # fmt: skip


# Restarts.


@pytest.mark.parametrize("at", [50.0, 1e6])
def test_after_a_restart_nobody_is_late_and_no_fault_is_over(at: float) -> None:
    before = book(kitchen=KITCHEN, front=FRONT)
    for hour in range(1, 6):
        before >> DeviceSeen(hour * HOUR, "kitchen")
    before.lens = lambda _: None
    before >> DeviceSeen(8 * HOUR, "kitchen")
    assert list(before.state.faults) == ["front:silent"]
    state = begun(before.state, before.rules, at, "b2")
    assert list(state.faults) == ["front:silent"]
    shut = ContactChanged(at + WORDS, "front", closed=True)
    assert (
        playbook(state, before.rules, technical)
        >> Ticked(at + WORDS - 1)
        << []
        >> Ticked(at + WORDS)
        << [told("kitchen", SILENT, at + WORDS)]
        >> shut
        << [over("front", SILENT)]
    )


def test_a_sensor_that_is_still_busy_after_a_restart_has_its_time_again() -> None:
    before = book(bathroom=BATHROOM) >> moved(9e5, "bathroom")
    state = begun(before.state, before.rules, 1000.0, "b2")
    assert (
        playbook(state, before.rules, technical)
        >> moved(1000.5, "bathroom")
        >> Ticked(2799.0)
        << []
        >> Ticked(2800.0)
        << [told("bathroom", STUCK, 2800.0)]
    )


def test_a_flood_that_a_restart_cuts_off_is_over_only_when_the_sensor_has_spoken() -> None:
    before = book(bathroom=BATHROOM)
    for edge in flooded("bathroom", 10.0, 100):
        before >> edge
    state = begun(before.state, before.rules, 1000.0, "b2")
    assert (
        playbook(state, before.rules, technical)
        >> Ticked(1060.0)
        >> Ticked(1120.0)
        << []
        >> still(1150.0, "bathroom")
        >> Ticked(1180.0)
        << [over("bathroom", CHATTER)]
    )


def test_a_sensor_that_was_taken_out_leaves_no_fault_behind() -> None:
    before = book(kitchen=KITCHEN, front=FRONT) >> Ticked(WORDS) >> charged(WORDS + 1, 3.0)
    for edge in flooded("kitchen", WORDS + 2, 70):
        before >> edge
    assert len(before.state.faults) == 3
    state = begun(before.state, ruled(front=FRONT), WORDS + 100, "b2")
    assert list(state.faults) == ["front:silent"]
    assert not state.watch.batteries
    assert not state.watch.flickers


# Who can be believed.


def test_only_what_spoke_and_has_no_fault_is_a_witness_of_quiet() -> None:
    rules = ruled(kitchen=KITCHEN, bathroom=BATHROOM, front=FRONT, power=POWER)
    state = begun(HomeState(), rules, 0.0, "b1")

    def working(*events: Event) -> tuple[str, ...]:
        now = state
        for event in events:
            now = decide(now, event, rules)[0]
        return supervision.working(now, rules)

    shut = ContactChanged(1.0, "front", closed=True)
    heard: list[Event] = [still(1.0), DeviceSeen(1.0, "bathroom"), shut]
    assert working() == ()
    assert working(MainsChanged(1.0, "power", present=True)) == ()
    assert working(*heard) == ("kitchen", "bathroom", "front")
    assert working(*heard, DriverFailed(2.0, "kitchen", "gone")) == ("bathroom", "front")
    assert working(*heard, DriverFailed(2.0, "k", "gone")) == ("kitchen", "bathroom", "front")
    assert working(*heard, moved(2.0), Ticked(2000.0)) == ("bathroom", "front")
    assert working(*heard, Ticked(WORDS + 1)) == ("bathroom",)
    assert working(*heard, charged(2.0, 1.0)) == ("kitchen", "bathroom", "front")
    assert working(*heard, *flooded("kitchen", 2.0, 70)) == ("bathroom", "front")


@pytest.mark.parametrize("sensor", [replace(KITCHEN, silent_s=0.0), FRONT])
def test_a_flood_is_no_sign_of_life(sensor: Sensor) -> None:
    """Else noise on a wire would count as activity in a house in which nobody moves any more."""
    rules = ruled(noisy=sensor)
    state = begun(HomeState(), rules, 0.0, "b1")
    for n in range(400):
        at, on = 10.0 + n * 0.01, n % 2 == 0
        door = ContactChanged(at, "noisy", closed=not on)
        event = door if sensor is FRONT else MotionChanged(at, "noisy", active=on)
        state = decide(state, event, rules)[0]
    assert 10.0 < state.house.active_at < 12.0
    assert state.house.sensed["noisy"].seen_at > 13.9


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["move", "still", "open", "shut", "seen", "pct", "on", "off", "tick"]),
        st.one_of(st.sampled_from([0.0, 0.01, 0.5, 120.0, 1800.0, WORDS, DAY]), st.floats(0, 2e4)),
        st.floats(0, 100),
    ),
    max_size=40,
)
WHOLE = ruled(kitchen=KITCHEN, front=FRONT, power=POWER)


def event_of(what: str, at: float, pct: float) -> Event:
    match what:
        case "move" | "still":
            return MotionChanged(at, "kitchen", active=what == "move")
        case "open" | "shut":
            return ContactChanged(at, "front", closed=what == "shut")
        case "seen":
            return DeviceSeen(at, "kitchen")
        case "pct":
            return charged(at, pct)
        case "on" | "off":
            return mains(at, present=what == "on")
        case _:
            return Ticked(at)


@examples(150)
@given(EVENTS)
def test_silence_is_told_exactly_and_no_deadline_is_served_twice(
    history: list[tuple[str, float, float]],
) -> None:
    state, at = begun(HomeState(), WHOLE, 0.0, "b1"), 0.0
    heard = {"kitchen": 0.0, "front": 0.0}
    for what, after_s, pct in history:
        at += after_s
        while (due := supervision.next_wake(state, WHOLE)) is not None and due <= at:
            state = decide(state, Ticked(due), WHOLE)[0]
            assert (supervision.next_wake(state, WHOLE) or math.inf) > due
        for device, last in heard.items():
            silent = faults.stands(state, device, FaultKind.SILENT)
            assert silent is (last + WORDS <= at), (device, at)
        event = event_of(what, at, pct)
        state = decide(state, event, WHOLE)[0]
        if not isinstance(event, Ticked | MainsChanged):
            heard[event.device] = at  # type: ignore[union-attr]
        assert set(supervision.working(state, WHOLE)) <= {
            d for d, t in heard.items() if t + WORDS > at
        }
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=HomeState) == state


def test_an_edge_of_a_healthy_sensor_leaves_supervision_as_it_is() -> None:
    """At 50,000 events a second no needless object may be created."""
    state = begun(HomeState(), WHOLE, 0.0, "b1")
    state = decide(state, moved(1.0), WHOLE)[0]
    for n in range(100):
        after = decide(state, moved(10.0 + n * 5), WHOLE)[0]
        after = decide(after, still(13.0 + n * 5), WHOLE)[0]
        assert after.watch is state.watch
        state = after


def test_the_green_button_is_no_sensor() -> None:
    assert GREEN not in supervision.working(begun(HomeState(), WHOLE, 0.0, "b1"), WHOLE)
