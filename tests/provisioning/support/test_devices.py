"""What the support bundle tells of the devices: enough to help, nothing of the resident's day."""

import json

import pytest
from msgspec.structs import replace

from hub.contract.messages import FaultKind
from hub.core.model.rules import Role, Sense
from hub.installer import DeviceReport, OwnFault
from provisioning.support import bundle
from tests.provisioning.doctor.test_running import WELL, Hub, device, hub

__all__ = ["hub"]
NAMES = ("kim-yeonghui-bed", "front", "안방", "거실")


def devices(hub: Hub, *told: DeviceReport) -> list[str]:
    with hub.answers(*told):
        return bundle._devices(hub.config).splitlines()


def test_neither_names_nor_when_somebody_was_up_are_in_the_bundle(hub: Hub) -> None:
    bed = device("kim-yeonghui-bed", Sense.MOTION, on=False)
    door = device("front", Role.EXIT_DOOR, on=True)
    said, _ = devices(hub, bed, door)
    assert not [name for name in NAMES if name in said]
    assert not [word for word in ("since", "27012", '"on"', "heard_s") if word in said]
    assert json.loads(said)["sensors"] == [
        {"what": "motion", "battery_pct": None, "faults": [], "heard_days": 0},
        {"what": "exit_door", "battery_pct": None, "faults": [], "heard_days": 0},
    ]


@pytest.mark.parametrize(
    ("heard_s", "days"), [(None, None), (3.0, 0), (86_399.0, 0), (90_000.0, 1), (900_000.0, 10)]
)
def test_a_sign_of_life_is_told_by_the_day_and_faults_and_battery_whole(
    hub: Hub, heard_s: float | None, days: int | None
) -> None:
    pendant = DeviceReport(
        "kim", Role.HELP_BUTTON, "", None, None, heard_s, 12.0, (FaultKind.SILENT,)
    )
    said, link = devices(hub, pendant)
    assert json.loads(said)["sensors"] == [
        {"what": "help_button", "battery_pct": 12.0, "faults": ["silent"], "heard_days": days}
    ]
    assert json.loads(link)["center_online"] is True


def test_the_hubs_own_faults_are_told_without_the_names_of_its_drivers(hub: Hub) -> None:
    with hub.answers(link=replace(WELL, faults=(OwnFault("kims-lamp", FaultKind.STORAGE),))):
        said = bundle._devices(hub.config)
    assert json.loads(said.splitlines()[1])["faults"] == ["storage"]
    assert "kims-lamp" not in said


def test_an_answer_that_is_none_is_told(hub: Hub) -> None:
    with hub.answers(link=b"[]\n"):
        assert bundle._devices(hub.config).splitlines()[1] == "link: ValidationError"


def test_what_systemd_counts_is_not_taken_for_a_telephone_number() -> None:
    said = "Id=anbu-hub.service\nMemoryCurrent=48234496\nStatusText=call 1544-1234\n"
    shown = bundle.units(said)
    assert "MemoryCurrent=48234496" in shown
    assert "1544" not in shown
