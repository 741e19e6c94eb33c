"""A loose plug, a swinging cord: faults that come and go are reported, with limited writes."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from hub.contract import wire
from hub.contract.messages import AlarmEvent, Cleared, FaultKind, FaultReport, ReportEvent, Stage
from hub.contract.scaip import Report, What
from hub.contract.voice import Part
from hub.contract.wire import LinkTrouble
from hub.core.decide import decide, must_commit, next_wake
from hub.core.model.effects import Effect, Lane, Publish, Signal
from hub.core.model.events import (
    BatteryMeasured,
    BrokerAcked,
    BrokerRefused,
    CenterAcked,
    ContactChanged,
    DeviceSeen,
    DriverFailed,
    DriverReady,
    Event,
    LinkDown,
    LinkUp,
    MainsChanged,
    MotionChanged,
    PartChanged,
    StorageFailed,
    StorageRecovered,
    StorageTrouble,
    Ticked,
)
from hub.core.model.rules import Rules, Sense, Sensor
from hub.core.model.state import HomeState
from hub.core.supervision import faults
from tests.hub.core.histories import examples
from tests.hub.core.scenes import (
    CORD,
    HELP,
    RULES,
    accepted,
    called,
    calls,
    offline,
    press,
    quiet,
    read,
    reboot,
    received,
    story,
    tell,
)

DAY_S = 86_400.0
HALL, POWER, CELL, MIC = "hall", "power", "cell", "voice"
HOUSE = replace(
    RULES,
    voice=MIC,
    sensors={
        HALL: Sensor(Sense.MOTION, "복도", silent_s=600.0),
        POWER: Sensor(Sense.MAINS),
        CELL: Sensor(Sense.BATTERY),
    },
)
Make = Callable[[float], Event]


class Day(Struct):
    """What a home wrote: how often it committed, and the messages that it keeps for the broker.

    The centre stores each call at once, where it `hears`.
    """

    state: HomeState
    hears: bool = True
    commits: int = 0
    rows: list[Publish] = []

    def live(self, event: Event, rules: Rules) -> list[Effect]:
        before = self.state
        self.state, effects = decide(before, event, rules)
        self.commits += must_commit(before, self.state, effects)
        self.rows += [e for e in effects if isinstance(e, Publish) and e.lane is not Lane.LIVE]
        for sent in calls(effects) if self.hears else ():
            self.live(receipt(event.at, sent), rules)
        return effects

    def until(self, at: float, rules: Rules) -> None:
        """Serve what is due before `at`."""
        while (wake := next_wake(self.state, rules)) is not None and wake < at:
            self.live(Ticked(wake), rules)

    def told(self) -> list[object]:
        return [wire.decode_from_hub(row.topic, row.payload)[1] for row in self.rows]


def lived(events: Iterable[Event], rules: Rules = HOUSE, *, hears: bool = True) -> Day:
    """Decide events."""
    day = Day(tell(offline(), LinkUp(1.0, "broker")), hears, rows=[])
    for event in events:
        day.until(event.at, rules)
        day.live(event, rules)
    return day


def receipt(at: float, sent: Publish) -> CenterAcked:
    _, event = wire.decode_from_hub(sent.topic, sent.payload)
    alarm = event.data.alarm if isinstance(event, AlarmEvent) else ""
    return CenterAcked(at, sent.id, alarm, Stage.RECEIVED, 1)


def turns(fails: Make, mends: Make, every_s: float, lasts_s: float = DAY_S) -> Iterator[Event]:
    """A fault that comes, and `every_s` later goes, and so on."""
    for n in range(int(lasts_s / every_s)):
        yield (mends if n % 2 else fails)(10.0 + n * every_s)


def part(what: Part) -> tuple[str, Make, Make]:
    return (
        what.value,
        lambda at: PartChanged(at, MIC, what, broken=True),
        lambda at: PartChanged(at, MIC, what, broken=False),
    )


MAINS: tuple[Make, Make] = (
    lambda at: MainsChanged(at, POWER, present=False),
    lambda at: MainsChanged(at, POWER, present=True),
)
FLAPPING: list[tuple[str, Make, Make]] = [
    *map(part, Part),
    ("driver", lambda at: DriverFailed(at, "lamp", "gone"), lambda at: DriverReady(at, "lamp")),
    ("storage", lambda at: StorageFailed(at, StorageTrouble.SLOW), StorageRecovered),
    ("broker", lambda at: BrokerRefused(at, "x"), lambda at: BrokerAcked(at, "x")),
    ("link", lambda at: LinkDown(at, LinkTrouble.CLOSED), lambda at: LinkUp(at, "broker")),
    ("mains", *MAINS),
    ("battery", lambda at: BatteryMeasured(at, CELL, 9.0),
     lambda at: BatteryMeasured(at, CELL, 90.0)),
    ("motion", lambda at: MotionChanged(at, HALL, active=True),
     lambda at: MotionChanged(at, HALL, active=False)),
    ("cord", lambda at: ContactChanged(at, "green", closed=True),
     lambda at: ContactChanged(at, "green", closed=False)),
]  # fmt: skip


@pytest.mark.parametrize("every_s", [5.0, 125.0, 700.0, 1900.0])
@pytest.mark.parametrize(
    ("fails", "mends"), [case[1:] for case in FLAPPING], ids=[case[0] for case in FLAPPING]
)
def test_what_comes_and_goes_all_day_writes_no_more_than_a_hundred_times(
    fails: Make, mends: Make, every_s: float
) -> None:
    day = lived(turns(fails, mends, every_s))
    hours = 24 * 2  # of activity, and a check-in's hour
    assert len([row for row in day.rows if row.lane <= Lane.FAULT]) <= 100
    assert day.commits <= 100 + hours


def test_a_microphone_that_toggles_every_five_seconds_is_one_fault_that_stays() -> None:
    _, fails, mends = part(Part.MICROPHONE)
    day = lived(turns(fails, mends, 5.0))
    told = [said for said in day.told() if isinstance(said, FaultReport | Cleared)]
    mine = [type(said) for said in told if said.fault == "voice:no_microphone"]
    assert mine == [FaultReport, Cleared, FaultReport]
    assert day.state.shown is Signal.FAULT  # nor does the lamp flap
    day.until(2 * DAY_S, HOUSE)
    assert "voice:no_microphone" not in day.state.faults  # it has stayed away


def test_each_end_is_held_back_twice_as_long_up_to_an_hour_and_forgotten_after_a_day() -> None:
    state, at, held = quiet(), 10.0, list[float]()
    for _ in range(10):
        state = tell(state, DriverFailed(at, "lamp", ""), DriverReady(at + 1.0, "lamp"))
        over_at = at + 1.0
        while state.faults:
            over_at = next_wake(replace(state, link=replace(state.link, up=False)), QUIET) or 0
            state = tell(state, Ticked(over_at))
        held.append(over_at - at - 1.0)
        at = over_at + 1.0
    assert held == [0, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    state = tell(state, DriverFailed(at + DAY_S, "lamp", ""), DriverReady(at + DAY_S + 1, "lamp"))
    assert not state.faults


TWICE: list[Event] = [
    DriverFailed(10.0, "x", ""), DriverReady(11.0, "x"), DriverFailed(12.0, "x", ""),
]  # fmt: skip
QUIET = replace(RULES, offline_s=1e9, stage_lasts_s=1e9)


def test_a_fault_whose_end_is_held_back_is_no_ground_to_doubt_a_sensor() -> None:
    """The displayed and reported fault is steady; decisions use the true state."""
    state = tell(quiet(), *TWICE)
    assert faults.stands(state, "x", FaultKind.DRIVER_FAILED)
    state = tell(state, DriverReady(13.0, "x"))
    assert "x:driver_failed" in state.faults
    assert not faults.stands(state, "x", FaultKind.DRIVER_FAILED)


def test_a_second_end_does_not_put_off_the_one_that_is_held_back() -> None:
    state = tell(quiet(), *TWICE, DriverReady(13.0, "x"))
    state = tell(state, DriverReady(40.0, "x"), Ticked(72.0))
    assert "x:driver_failed" in state.faults
    assert "x:driver_failed" not in tell(state, Ticked(13.0 + 60.0)).faults


def test_a_detail_that_changes_without_end_is_told_now_and_then() -> None:
    def failed(n: int) -> Event:
        return DriverFailed(10.0 + 5 * n, "lamp", f"error {n}")

    day = lived(map(failed, range(int(DAY_S / 5))))
    assert len(day.rows) <= 100
    assert day.commits <= 148


def test_a_restart_tells_what_was_held_back_and_forgets_what_is_over() -> None:
    held = tell(quiet(), *TWICE, DriverReady(13.0, "x"))
    state = tell(reboot(held, 5.0, "b2"), Ticked(5.0))
    assert not state.faults
    assert not reboot(state, 9.0, "b3").watch.flaps
    standing = reboot(tell(quiet(), *TWICE), 5.0, "b2")
    assert tell(standing, DriverReady(6.0, "x")).faults  # it is known to come and go


def test_what_half_a_snapshot_holds_back_ends_nothing_and_breaks_nothing() -> None:
    state = lived(turns(*MAINS, 125.0, 1000.0)).state
    assert state.watch.flaps["power:mains_lost"].over_at
    no_faults = replace(state, faults={})
    assert tell(no_faults, Ticked(DAY_S)).watch.flaps["power:mains_lost"].told > 1
    no_mains = replace(state, watch=replace(state.watch, mains={}))
    assert "power:mains_lost" not in tell(no_mains, Ticked(DAY_S)).faults


@examples(100)
@given(st.lists(st.tuples(st.sampled_from(FLAPPING), st.booleans(), st.floats(0.0, 4000.0))))
def test_what_the_centre_was_told_of_faults_is_what_stands(
    history: list[tuple[tuple[str, Make, Make], bool, float]],
) -> None:
    day, at = Day(quiet(), rows=[]), 10.0
    for (_, fails, mends), broken, after_s in history:
        at += after_s
        day.until(at, HOUSE)
        day.live((fails if broken else mends)(at), HOUSE)
        packed = msgspec.msgpack.encode(day.state)
        assert msgspec.msgpack.decode(packed, type=HomeState) == day.state
    told = dict[str, bool]()
    for said in day.told():
        if isinstance(said, FaultReport | Cleared):
            told[said.fault] = isinstance(said, FaultReport)
    assert {fault for fault, stands in told.items() if stands} == set(day.state.faults)
    day.until(at + 8000.0, HOUSE)
    assert not any(flap.over_at for flap in day.state.watch.flaps.values())


def wobble(device: str, lasts_s: float, period_s: float = 0.12) -> Iterator[Event]:
    """A cord that swings: closed for half of each period."""
    for n in range(int(lasts_s / period_s)):
        at = 10.0 + n * period_s
        yield ContactChanged(at, device, closed=True)
        yield ContactChanged(at + period_s / 2, device, closed=False)


def said_of(day: Day) -> list[AlarmEvent]:
    return [said for said in day.told() if isinstance(said, AlarmEvent)]


def test_a_wobbling_cord_tells_a_call_every_ten_to_thirty_seconds_and_is_a_fault() -> None:
    """It caused 501 events and 1,002 commits a minute, and no fault."""
    day = lived(wobble(CORD, 600.0))
    called_at = [said.data.at for said in said_of(day)]
    assert [said.data.what for said in said_of(day)][:2] == [What.RAISED, What.REPEATED]
    assert 20 <= len(called_at) <= 25
    assert day.commits <= 4 * len(called_at)
    fault = [said for said in day.told() if isinstance(said, FaultReport)]
    assert [(one.kind, one.device) for one in fault] == [(FaultKind.CHATTER, CORD)]


@pytest.mark.parametrize("period_s", [0.12, 1.0, 5.0])
def test_a_cord_that_wobbles_slower_than_any_bounce_is_a_fault_until_it_hangs_still(
    period_s: float,
) -> None:
    day = lived(wobble(CORD, 1200.0, period_s))
    assert faults.stands(day.state, CORD, FaultKind.CHATTER)
    assert sum(isinstance(said, FaultReport) for said in day.told()) == 1
    day.until(1210.0 + 600.0 + 600.0 + 1.0, HOUSE)
    assert not day.state.faults


def test_a_finger_that_calls_forty_times_in_ten_minutes_is_no_fault() -> None:
    presses = [event for n in range(40) for event in press(10.0 + n * 15)]
    assert not lived(presses).state.faults


def test_while_nobody_hears_a_wobbling_cord_each_press_is_told_and_the_disk_has_a_bound() -> None:
    few = replace(HOUSE, untold_calls=20)
    day = lived(wobble(CORD, 60.0), few, hears=False)
    assert len(said_of(day)) == 20


def test_a_wobbling_cord_delays_no_other_button_and_is_no_sign_of_life() -> None:
    day = lived(wobble(CORD, 60.0))
    living_at = day.state.house.active_at
    for event in wobble_on(70.0, 30.0):
        day.live(event, HOUSE)
    assert day.state.house.active_at == living_at
    (call,) = calls([e for event in press(101.0, HELP) for e in day.live(event, HOUSE)])
    assert read(call).data.device == HELP
    assert day.state.house.active_at > 101.0


def wobble_on(begins_at: float, lasts_s: float) -> Iterator[Event]:
    for event in wobble(CORD, lasts_s):
        assert isinstance(event, ContactChanged)
        yield replace(event, at=event.at - 10.0 + begins_at)


def test_a_wobble_survives_a_restart_as_a_fault() -> None:
    day = lived(wobble(CORD, 60.0))
    state = reboot(day.state, 5.0, "b2")
    assert "cord:chatter" in state.faults
    state, _ = story(state, Ticked(604.0))
    assert "cord:chatter" in state.faults
    assert "cord:chatter" not in tell(state, Ticked(605.0)).faults


def test_a_held_call_is_heard_again_within_thirty_seconds_of_any_press() -> None:
    state = tell(called(), received(), accepted())
    heard = list[float]()
    for n in range(120):
        at = 20.0 + n
        state, effects = story(state, *press(at))
        heard += [at for _ in calls(effects)]
    gaps = [b - a for a, b in pairwise(heard)]
    assert heard[0] == 20.0
    assert max(gaps) <= 31.0
    assert min(gaps) >= 10.0


def test_a_sensor_that_is_heard_now_and_then_is_told_now_and_then() -> None:
    day = lived(DeviceSeen(10.0 + n * 900.0, HALL) for n in range(int(DAY_S / 900)))
    silent = [said for said in day.told() if isinstance(said, FaultReport | Cleared)]
    assert len(silent) <= 40


def switch(*times: tuple[float, bool]) -> Iterator[Event]:
    for at, present in times:
        yield MainsChanged(at, POWER, present=present)


def mains_told(day: Day) -> list[str]:
    """What the centre heard of the mains: that they are gone, or back."""
    return [said.data.report for said in day.told() if isinstance(said, ReportEvent)]


def test_mains_that_are_off_when_their_return_would_be_told_are_not_back() -> None:
    day = lived(switch((10.0, False), (200.0, True), (210.0, False), (400.0, True), (430.0, False)))
    day.until(DAY_S, HOUSE)
    assert mains_told(day) == [Report.MAINS_LOST, Report.MAINS_BACK, Report.MAINS_LOST]
    assert faults.stands(day.state, POWER, FaultKind.MAINS_LOST)
    day.live(MainsChanged(DAY_S, POWER, present=True), HOUSE)
    day.until(2 * DAY_S, HOUSE)
    assert mains_told(day)[3:] == [Report.MAINS_BACK]
    assert "power:mains_lost" not in day.state.faults


def storage_told(day: Day) -> list[str]:
    """What the centre heard of the disk's fault: its detail, or nothing where it is over."""
    found = [said for said in day.told() if isinstance(said, FaultReport | Cleared)]
    found = [said for said in found if said.fault.startswith("hub:")]
    return [said.detail if isinstance(said, FaultReport) else "" for said in found]


def test_a_detail_that_changed_while_it_was_too_soon_is_told_when_the_time_has_come() -> None:
    full, read_only = StorageTrouble.FULL, StorageTrouble.READ_ONLY
    begins: list[Event] = [
        StorageFailed(100.0, full),
        StorageRecovered(120.0),
        StorageFailed(200.0, full),
    ]
    day = lived([*begins, StorageRecovered(220.0), StorageFailed(230.0, read_only)])
    day.until(259.0, HOUSE)
    assert storage_told(day) == [full, "", full]
    day.until(261.0, HOUSE)
    assert storage_told(day) == [full, "", full, read_only]

    day = lived([*begins, StorageFailed(230.0, read_only), StorageFailed(240.0, full)])
    day.until(400.0, HOUSE)
    assert storage_told(day) == [full, "", full]  # it is as it was told

    day = lived([*begins, StorageFailed(230.0, read_only), StorageRecovered(240.0)])
    day.until(400.0, HOUSE)
    assert storage_told(day) == [full, "", full, ""]
    day.live(StorageFailed(401.0, full), HOUSE)
    day.until(DAY_S, HOUSE)
    assert storage_told(day) == [full, "", full, "", full]
