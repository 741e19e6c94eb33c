"""Two hubs with one certificate at a real broker: both are shown, and no call of either is lost."""

import time
from pathlib import Path

import pytest

from center.service import own_faults
from center.store.rows import hubs, incidents
from center.store.store import Store
from hub.contract.messages import FaultKind
from tests.broker import Broker, wait_until
from tests.center.linked import mqtt, office
from tests.hub.rig import HUB, HubProcess, figure

pytestmark = pytest.mark.broker
BAR_S = 120.0


def faults(store: Store) -> list[FaultKind]:
    return [fault.kind for hub in store.read(hubs.known) for fault in hub.faults]


def alarms(store: Store) -> set[str]:
    return {one.alarm for one in store.read(incidents.incidents, incidents.Which.OPEN, 10)}


def test_a_cloned_hub_is_shown_within_two_minutes_and_both_can_call(tmp_path: Path) -> None:
    with (
        Broker() as broker,
        office(tmp_path / "center", mqtt(broker)) as center,
        HubProcess(tmp_path / "a", broker.port) as first,
    ):
        center.wait_up()
        store = center.store
        wait_until(lambda: store.read(own_faults.boots, HUB), f"it is there; {first.log()}", 30)
        first.kill()
        first.start()
        wait_until(lambda: len(store.read(own_faults.boots, HUB)) == 2, "it started again", 30)
        assert faults(store) == [], "a restart is none"
        with HubProcess(tmp_path / "b", broker.port) as clone:
            began = time.monotonic()
            wait_until(lambda: FaultKind.TWIN in faults(store), f"seen; {clone.log()}", BAR_S)
            took_s = time.monotonic() - began
            figure(f"a clone was seen after {took_s:.1f} s")
            (hub,) = store.read(hubs.known)
            (fault,) = [one for one in hub.faults if one.kind is FaultKind.TWIN]
            boots = {one.boot for one in store.read(own_faults.boots, HUB)}
            assert set(fault.detail.split(" / ")) <= boots
            first.press()
            clone.press()
            wait_until(lambda: first.signal() == "received", f"the first; {first.log()}", 60)
            wait_until(lambda: clone.signal() == "received", f"the clone; {clone.log()}", 60)
            assert len(alarms(store)) == 2
            assert took_s < BAR_S
