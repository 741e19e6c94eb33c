"""Faults become tasks on the board: one row per area; they end by themselves and are never lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text

from center.domain.equipment import Grace, Known, Look, area_of, failing
from center.domain.hub import Fault, Hub
from center.domain.incident import Deed, Entry
from center.domain.need import Called, NeedKind, Try
from center.domain.record import Record
from center.service import equipment
from center.service.equipment import Bounds
from center.store.rows import hubs as hub_rows
from center.store.rows import needs as need_rows
from center.store.rows import parts, records
from center.store.store import Store
from center.store.tables import need_parts, needs, presses
from hub.contract.messages import Availability, Cleared, FaultKind, FaultReport, Trigger
from hub.contract.scaip import Kind
from tests.center.making import HUB, NOW, hear, state, stored

GRACE = Grace(lost_s=300.0, trigger_s=60.0, device_s=86400.0, press_s=30 * 86400.0)
BOUNDS = Bounds(take_s=12 * 3600.0, presses_a_day=20)
HELP = Trigger("help", Kind.HELP_BUTTON, "거실")
VOICE = Trigger("voice", Kind.SPOKEN)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def greet(
    store: Store, *hubs: str, at: float = NOW, said: Availability = Availability.READY
) -> None:
    for hub in hubs:
        message = replace(state(said, utc=at), triggers=(HELP, VOICE))
        hear(store, message, hub, utc=at)


def live_at(store: Store, hub: str, address: str) -> None:
    change = Entry(NOW, Deed.RECORD_CHANGED, version=0)
    store.submit(lambda c: records.put(c, hub, Record(name="가", address=address), change)).result()


def walk(store: Store, at: float, listening_utc: float | None = NOW - 1e6) -> None:
    """Check the hubs once, as the rounds do."""
    hubs = store.read(hub_rows.known)
    look = Look(at, listening_utc, GRACE)
    news = store.read(equipment.watch, hubs, look, BOUNDS)
    if news.is_any:
        store.submit(lambda conn: equipment.follow(conn, news, at)).result(10)


def tasks(store: Store) -> list[tuple[NeedKind, str, int]]:
    """Return the open tasks of areas: kind, area, homes."""
    found = store.read(parts.areas_open, 100)
    return [(one.need.kind, one.need.area, one.homes) for one in found]


def fault(kind: FaultKind, device: str = "help") -> FaultReport:
    return FaultReport(f"{device}:{kind}", kind, device, NOW, synced=True)


def seen_to(store: Store, result: Called, at: float, version: int | None = None) -> None:
    (one,) = store.read(parts.areas_open, 1)
    tried = Try("김하늘", at, result, "한전에 물어봄")
    looked = {one.need.id: version}
    assert isinstance(store.submit(lambda c: need_rows.call(c, looked, tried)).result(), tuple)


@pytest.mark.parametrize(
    ("address", "area"),
    [
        ("강원특별자치도 정선군 정선읍 봉양3길 12", "강원특별자치도 정선군 정선읍"),
        ("가상군 없는면 물결길 12, 101호", "가상군 없는면"),
        ("서울특별시 종로구 세종대로 209", "서울특별시 종로구"),
        ("경기도 성남시 분당구 정자동 178-1", "경기도 성남시 분당구 정자동"),
        ("가상시 한빛아파트 101동 1203호", "가상시"),
        ("101동 1203호", ""),
        ("12 Nowhere Lane", ""),
        ("", ""),
    ],
)
def test_an_area_is_the_township_of_the_address(address: str, area: str) -> None:
    assert area_of(address) == area


def hub(**fields: object) -> Hub:
    made = Hub(HUB, Availability.READY, NOW, "b", "1", 30.0, synced=True, triggers=(HELP, VOICE))
    return replace(made, **fields)


def of_kind(kind: FaultKind, device: str) -> Fault:
    return Fault(f"{device}:{kind}", kind, device, 0.0, synced=True, detail="", stored_utc=NOW)


@pytest.mark.parametrize(
    ("kind", "device", "task"),
    [
        (FaultKind.STUCK, "help", NeedKind.TRIGGER_FAULT),
        (FaultKind.LOW_BATTERY, "help", NeedKind.TRIGGER_FAULT),
        (FaultKind.NO_SPEECH, "voice", NeedKind.TRIGGER_FAULT),
        (FaultKind.MUTED, "voice", NeedKind.DEVICE_FAULT),  # as the resident wishes
        (FaultKind.SILENT, "kitchen", NeedKind.DEVICE_FAULT),
        (FaultKind.STORAGE, "hub", NeedKind.TRIGGER_FAULT),  # of each call
        (FaultKind.MAINS_LOST, "supply", NeedKind.DEVICE_FAULT),
        (FaultKind.FLOOD, "hub", NeedKind.TRIGGER_FAULT),  # the centre's own finding
        (FaultKind.UNBONDED, "hub", NeedKind.TRIGGER_FAULT),  # a pendant may be among them
    ],
)
def test_a_fault_of_what_the_resident_calls_by_cannot_wait(
    kind: FaultKind, device: str, task: NeedKind
) -> None:
    one = hub(faults=(of_kind(kind, device),), heard_utc=NOW + 100_000)
    limit_s = 60.0 if task is NeedKind.TRIGGER_FAULT else 86_400.0
    early, due = (Look(NOW + s, NOW, GRACE) for s in (limit_s - 1, limit_s))
    assert list(failing(one, Known(), early)) == []
    assert [part.kind for part in failing(one, Known(), due)] == [task]


@pytest.mark.parametrize(
    ("device", "known", "urgent"),
    [
        ("help", Known(), True),  # nobody knows what it is: better told early
        ("kitchen", Known(sensors=("kitchen",)), False),
        ("kitchen", Known(sensors=("kitchen",), pressed={"kitchen": NOW}), True),
    ],
)
def test_of_an_older_hub_a_device_that_is_no_known_sensor_may_be_a_trigger(
    device: str,
    known: Known,
    urgent: bool,  # noqa: FBT001 - a table
) -> None:
    one = hub(faults=(of_kind(FaultKind.STUCK, device),), triggers=None, heard_utc=NOW + 3600)
    found = [part.kind for part in failing(one, known, Look(NOW + 3600, NOW, GRACE))]
    assert found == ([NeedKind.TRIGGER_FAULT] if urgent else [])


@pytest.mark.parametrize("said", [Availability.LOST, Availability.DISCONNECTED])
def test_a_hub_that_is_gone_for_minutes_is_a_task_that_ends_when_it_is_back(
    store: Store, said: Availability
) -> None:
    greet(store, HUB)
    greet(store, HUB, at=NOW + 1, said=said)  # a failed update says good-bye, too
    walk(store, NOW + 299)
    assert tasks(store) == []
    walk(store, NOW + 301)
    assert tasks(store) == [(NeedKind.HUB_LOST, "", 1)]
    greet(store, HUB, at=NOW + 400)
    walk(store, NOW + 405)
    assert tasks(store) == []
    (done,) = store.read(parts.areas_done, NOW, 9)
    assert (done.need.result, done.need.done_utc) == (Called.BY_ITSELF, NOW + 405)
    (part,) = store.read(parts.parts_of, done.need.id, 9)
    assert (part.hub, part.over_utc) == (HUB, NOW + 405)


def test_silence_alone_is_enough_and_a_centre_that_hears_nobody_blames_nobody(store: Store) -> None:
    greet(store, HUB)
    walk(store, NOW + 4000, listening_utc=None)
    walk(store, NOW + 4000, listening_utc=NOW + 3800)
    assert tasks(store) == []
    walk(store, NOW + 4101, listening_utc=NOW + 3800)
    assert tasks(store) == [(NeedKind.HUB_LOST, "", 1)]
    walk(store, NOW + 4200, listening_utc=None)
    walk(store, NOW + 4200, listening_utc=NOW + 4190)  # a new session: it has yet to speak
    assert tasks(store) == [(NeedKind.HUB_LOST, "", 1)]


def test_a_clock_that_is_set_back_hides_no_return_of_a_hub(store: Store) -> None:
    greet(store, HUB)
    walk(store, NOW + 400)
    back = NOW - 3600  # the clock ran an hour ahead
    store.submit(lambda conn: hub_rows.set_back(conn, 3600, back)).result(10)
    greet(store, HUB, at=back + 60)
    walk(store, back + 61)
    assert tasks(store) == []


def test_a_power_cut_of_a_valley_is_one_task_with_all_its_homes(store: Store) -> None:
    valley = [f"js-{number:04}" for number in range(1, 301)]
    nowhere = [f"js-{number:04}" for number in range(301, 501)]
    greet(store, *valley, *nowhere)
    for name in valley:
        live_at(store, name, "강원특별자치도 정선군 정선읍 봉양3길 12")
    began = time.perf_counter()
    walk(store, NOW + 400)
    took = time.perf_counter() - began
    assert sorted(tasks(store)) == [
        (NeedKind.HUB_LOST, "", 200),
        (NeedKind.HUB_LOST, "강원특별자치도 정선군 정선읍", 300),
    ]
    assert took < 5.0  # 0.2 s where it was measured
    greet(store, *valley[:100], at=NOW + 500)
    walk(store, NOW + 505)
    assert (NeedKind.HUB_LOST, "강원특별자치도 정선군 정선읍", 200) in tasks(store)
    assert store.read(parts.standing).homes == 400


def test_a_calm_look_writes_nothing(store: Store) -> None:
    greet(store, HUB)
    walk(store, NOW + 1)
    look = Look(NOW + 2, NOW, GRACE)
    assert not store.read(equipment.watch, store.read(hub_rows.known), look, BOUNDS).is_any


def test_a_hub_that_comes_and_goes_is_one_task_and_one_part(store: Store) -> None:
    greet(store, HUB)
    for turn in range(1, 21):
        at = NOW + turn * 900
        walk(store, at - 400)
        greet(store, HUB, at=at - 300)
        walk(store, at - 299)
        greet(store, HUB, at=at - 299, said=Availability.LOST)
    rows = store.read(lambda conn: conn.execute(select(needs)).all())
    (part,) = store.read(lambda conn: conn.execute(select(need_parts)).all())
    assert (len(rows), part.times) == (1, 19)


def test_who_takes_a_task_is_named_until_the_shift_is_over(store: Store) -> None:
    greet(store, HUB)
    walk(store, NOW + 400)
    seen_to(store, Called.TAKEN, NOW + 410)
    (one,) = store.read(parts.areas_open, 1)
    assert one.need.taken_by == "김하늘"
    walk(store, NOW + 410 + BOUNDS.take_s)
    (one,) = store.read(parts.areas_open, 1)
    assert (one.need.taken_by, one.need.is_open) == ("", True)


def test_what_was_seen_to_and_still_fails_comes_back_a_day_later(store: Store) -> None:
    greet(store, HUB, "js-0002")
    greet(store, "js-0002", at=NOW + 86_000)
    walk(store, NOW + 400)
    seen_to(store, Called.SEEN_TO, NOW + 410)
    walk(store, NOW + 420)
    assert tasks(store) == []
    greet(store, "js-0002", at=NOW + 86_800)
    walk(store, NOW + 86_811)
    assert tasks(store) == [(NeedKind.HUB_LOST, "", 1)]


def test_a_fault_of_a_trigger_is_a_task_until_it_is_over(store: Store) -> None:
    greet(store, HUB)
    hear(store, fault(FaultKind.STUCK), utc=NOW)
    walk(store, NOW + 59)
    assert tasks(store) == []
    walk(store, NOW + 60)
    assert tasks(store) == [(NeedKind.TRIGGER_FAULT, "", 1)]
    hear(store, Cleared("help:stuck"), utc=NOW + 70)
    walk(store, NOW + 71)
    assert tasks(store) == []


def test_a_fault_that_flaps_has_stood_all_the_while(store: Store) -> None:
    greet(store, HUB)
    for turn in range(4):
        hear(store, fault(FaultKind.CHATTER), utc=NOW + turn * 40)
        walk(store, NOW + turn * 40 + 1)
        hear(store, Cleared("help:chatter"), utc=NOW + turn * 40 + 20)
    hear(store, fault(FaultKind.CHATTER), utc=NOW + 160)
    walk(store, NOW + 161)
    assert tasks(store) == [(NeedKind.TRIGGER_FAULT, "", 1)]


def test_tasks_are_told_on_the_metrics_page(store: Store) -> None:
    greet(store, HUB)
    walk(store, NOW + 400)
    assert store.read(need_rows.kinds_open)[NeedKind.HUB_LOST] == 1


BAD = "js-0666"


def known_presses(store: Store) -> list[tuple[str, str]]:
    query = select(presses.c.hub, presses.c.device).order_by(presses.c.hub, presses.c.device)
    return [(hub, device) for hub, device in store.read(lambda c: c.execute(query).all())]


def test_a_hub_that_lists_a_trigger_twice_stops_no_task_of_the_others(store: Store) -> None:
    greet(store, HUB)
    twice = (HELP, replace(HELP, place="안방"))
    hear(store, replace(state(utc=NOW), triggers=twice), BAD, utc=NOW)
    walk(store, NOW + 1)
    assert known_presses(store) == [(HUB, "help"), (BAD, "help")]


def test_triggers_of_one_hub_that_cannot_be_noted_hold_up_no_other_hub(store: Store) -> None:
    refuse = text(
        f"CREATE TRIGGER refuse BEFORE INSERT ON presses WHEN NEW.hub = '{BAD}' "
        "BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    store.submit(lambda conn: conn.execute(refuse)).result(10)
    greet(store, BAD, HUB)
    hear(store, fault(FaultKind.STUCK), HUB, utc=NOW)
    walk(store, NOW + 100)
    assert known_presses(store) == [(HUB, "help")]
    assert tasks(store) == [(NeedKind.TRIGGER_FAULT, "", 1)]
