"""Faults that only the centre can see: two machines with one name, a flood, too many alarms."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from msgspec.structs import replace

from center.config import Mqtt
from center.domain.equipment import Grace, Known, Look, failing
from center.domain.need import NeedKind
from center.link.session import Arrived
from center.service import inbox, own_faults, removal
from center.service.intake import store_message
from center.service.own_faults import QUIET_S
from center.service.rate_limit import CALLS
from center.service.removal import Removed
from center.store.rows import hubs as hub_rows
from center.store.rows import incidents
from center.store.store import Store
from hub.contract import wire
from hub.contract.messages import Availability, Cleared, FaultKind, FaultReport
from tests.broker import wait_until
from tests.center.e2e.office import Office
from tests.center.linked import office as linked
from tests.center.making import HUB, NOW, event, hear, received, state, stored

READY = Availability.READY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stored(tmp_path) as opened:
        yield opened


def say(
    store: Store, boot: str, utc: float, said: Availability = READY, *, old: bool = False
) -> None:
    told = replace(state(said), boot=boot, utc=utc)
    one = received(told, utc=max(utc, NOW), retained=old)
    store.submit(lambda conn: store_message(conn, one)).result(10)


def faults(store: Store) -> list[tuple[FaultKind, str]]:
    (hub,) = store.read(hub_rows.known)
    return [(fault.kind, fault.detail) for fault in hub.faults]


def test_two_machines_with_one_name_are_a_fault_that_names_both(store: Store) -> None:
    for turn in range(4):
        say(store, f"b{turn % 2}", NOW + 60.0 * turn)
    assert faults(store) == [(FaultKind.TWIN, "b1 / b0")]
    (hub,) = store.read(hub_rows.known)
    say(store, "b0", NOW + 240.0)
    assert hub.faults == store.read(hub_rows.known)[0].faults, "since when it is so stays"


def test_a_clone_is_a_task_at_once_and_seen_at_its_first_turn(store: Store) -> None:
    for turn, boot in enumerate(("b0", "b1", "b0")):
        say(store, boot, NOW + 60.0 * turn)
    assert faults(store) == [(FaultKind.TWIN, "b1 / b0")]
    (hub,) = store.read(hub_rows.known)
    look = Look(NOW + 121.0, NOW, Grace(300.0, 300.0, 86_400.0, 30 * 86_400.0))
    assert [part.kind for part in failing(hub, Known(), look)] == [NeedKind.TRIGGER_FAULT]


def test_a_hub_that_restarts_again_and_again_is_no_twin(store: Store) -> None:
    for n in range(50):
        say(store, f"b{n}", NOW + n)
        say(store, f"b{n}", NOW + n + 0.5)
    assert faults(store) == []


@pytest.mark.parametrize(
    ("said", "old"),
    [(Availability.LOST, False), (Availability.DISCONNECTED, False), (READY, True)],
)
def test_a_last_word_of_the_process_before_is_no_twin(
    store: Store, said: Availability, *, old: bool
) -> None:
    for n in range(10):
        say(store, "b1", NOW + n)
        say(store, "b0", NOW + n + 0.5, said, old=old)
    assert faults(store) == []


def test_what_the_broker_brings_a_second_time_is_no_twin(store: Store) -> None:
    for _ in range(5):
        say(store, "b0", NOW)
        say(store, "b1", NOW + 1.0)
    assert faults(store) == []


def test_a_hubs_own_list_of_faults_does_not_end_what_it_cannot_see(store: Store) -> None:
    own = FaultReport("help:stuck", FaultKind.STUCK, "help", NOW, synced=True)
    hear(store, own)
    for turn in range(5):
        say(store, f"b{turn % 2}", NOW + 60.0 * turn)
    assert [kind for kind, _ in faults(store)] == [FaultKind.TWIN], "its own list is empty"


def test_a_hub_neither_ends_nor_invents_what_only_the_centre_sees(store: Store) -> None:
    say(store, "b0", NOW)
    store.submit(lambda conn: own_faults.see(conn, HUB, FaultKind.FLOOD, NOW)).result(10)
    for part, said in (
        (FaultKind.FLOOD, Cleared(own_faults.name(FaultKind.FLOOD))),
        (FaultKind.TWIN, fault_of(own_faults.name(FaultKind.TWIN), FaultKind.TWIN)),
    ):
        topic = wire.topic(HUB, f"fault/{own_faults.name(part)}")
        hear(store, wire.decode_from_hub(topic, wire.encode(said))[1])
    assert [kind for kind, _ in faults(store)] == [FaultKind.FLOOD]


def fault_of(name: str, kind: FaultKind) -> FaultReport:
    return FaultReport(name, kind, own_faults.HUB, NOW, synced=True)


def test_a_twin_that_is_gone_is_over_after_an_hour(store: Store) -> None:
    for turn in range(4):
        say(store, f"b{turn % 2}", NOW + 60.0 * turn)
    last = NOW + 180.0
    ease = own_faults.ease
    assert store.submit(lambda c: ease(c, last + QUIET_S[FaultKind.TWIN] - 1)).result(10) == []
    assert store.submit(lambda c: ease(c, last + QUIET_S[FaultKind.TWIN])).result(10) == [HUB]
    assert faults(store) == []
    say(store, "b0", last + 7200.0)
    assert faults(store) == [], "it is the one that is left"


def test_a_hub_that_was_removed_begins_anew(store: Store) -> None:
    for turn in range(4):
        say(store, f"b{turn % 2}", NOW + 60.0 * turn)
    removed = removal.remove_hub
    assert store.submit(lambda c: removed(c, NOW + 300, HUB)).result(10) is Removed.DONE
    for turn in range(4):
        say(store, f"b{turn % 2}", NOW + 600.0 + 60.0 * turn)
    assert [kind for kind, _ in faults(store)] == [FaultKind.TWIN], "it is told again"


def test_two_machines_with_one_name_are_a_task_within_minutes(store: Store) -> None:
    for turn in range(4):
        say(store, f"b{turn % 2}", NOW + 60.0 * turn)
    (hub,) = store.read(hub_rows.known)
    grace = Grace(lost_s=600.0, trigger_s=600.0, device_s=86_400.0, press_s=1e9)
    parts = failing(hub, Known(), Look(NOW + 900.0, NOW - 9000.0, grace))
    assert (NeedKind.TRIGGER_FAULT, "twin") in {(part.kind, part.fault) for part in parts}


def test_the_page_of_hubs_names_both_boots(office: Office, operator: httpx.Client) -> None:
    for turn in range(4):
        office.greet("js-0001", boot=f"boot-{turn % 2}", utc=NOW + turn)
    listed = operator.get("/hubs").text
    assert "두 기기가 같은 허브 이름을 쓰고 있음 · boot-1 / boot-0" in listed
    assert "어떻게 할지 보기" in listed
    page = operator.get("/homes/js-0001").text
    assert page.index('id="cloned"') < page.index("boot-1") < page.index("boot-0")
    assert "등록 취소는 관리자만" in page, "an operator asks the supervisor"
    office.greet("js-0002", boot="boot-2", utc=NOW)
    assert 'id="cloned"' not in operator.get("/homes/js-0002").text


def test_a_flood_is_counted_and_shown_with_its_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no link in this test: it passes messages on as the link would."""
    booted = time.monotonic()
    fresh = SimpleNamespace(monotonic=lambda: time.monotonic() - booted)
    monkeypatch.setattr(inbox, "time", fresh)  # the machine has only just started
    settings = Mqtt(brokers=("tcp://127.0.0.1:1",), back_off_s=60.0)
    with linked(tmp_path, settings) as center:
        settled: list[int] = []
        now = time.monotonic()  # the budget refills only when all have come, however long it takes
        monkeypatch.setattr(center.rate_limit, "_clock", lambda: now)
        for n in range(int(CALLS[0][0]) + 30):
            payload = wire.encode(event(alarm=f"a{n}"))
            topic = wire.topic(HUB, "event")
            arrived = Arrived(topic, payload, retained=False, settle=lambda n=n: settled.append(n))  # type: ignore[misc]
            inbox.receive(center.inbox, arrived)
        monkeypatch.setattr(center.rate_limit, "_clock", time.monotonic)

        def is_told() -> bool:
            hubs = center.store.read(hub_rows.known)
            return any(f.kind is FaultKind.FLOOD for hub in hubs for f in hub.faults)

        wait_until(is_told, "the hub's fault is shown")
        wait_until(lambda: center.rate_limit.waiting() == 0, "all is taken in by and by")
        center.store.submit(lambda _: None).result(10)
        assert sorted(settled) == list(range(int(CALLS[0][0]) + 30)), "each is settled, and once"
        assert sum(one.surplus or 1 for one in center.store.read(incidents.board, 500)[0]) >= 130
        (held,) = (m for m in center.tally.metrics() if m.name == "anbu_held_back")
        assert sum(sample.value for sample in held.samples) == 30
