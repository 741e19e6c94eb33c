"""Only a change is activity: a repeated value of a sensor is no sign of a person."""

import csv
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from hub.contract.messages import FaultKind, PresenceKind
from hub.contract.scaip import Kind
from hub.contract.voice import Phrase
from hub.core.model.events import ContactChanged, DriverFailed, DriverReady, MotionChanged
from hub.core.model.rules import Sense, Sensor
from tests.hub.core.house_scenes import (
    FRIDGE,
    FRONT,
    HOUR,
    KITCHEN,
    LIVING,
    RULES,
    WITH_FRIDGE,
    Lived,
)

CASE = """\
time,device,kind,value
2026-03-01T08:00:00+09:00,front,contact,0
2026-03-01T09:00:00+09:00,kitchen,motion,1
2026-03-01T09:00:20+09:00,kitchen,motion,0
2026-03-02T08:00:00+09:00,front,contact,0
2026-03-03T07:00:00+09:00,front,contact,0
2026-03-04T06:00:00+09:00,front,contact,0
"""
GIVEN = Path(__file__).parents[5] / "shared/cases/door_still_shut.csv"
STILL_SHUT = replace(
    RULES, sensors={KITCHEN: Sensor(Sense.MOTION), FRONT: Sensor(Sense.DOOR, "현관")}
)


def seen(home: Lived) -> tuple[str, float]:
    """Who saw the last activity, and at what hour."""
    return home.state.house.active_by, round(home.state.house.active_at / HOUR, 2)


@pytest.mark.parametrize("case", [CASE, None], ids=["here", "given"])
def test_a_door_that_says_still_shut_holds_back_no_rule_of_24_hours(case: str | None) -> None:
    if case is None and not GIVEN.exists():
        pytest.skip("the case lies beside the checkout")
    text = GIVEN.read_text(encoding="utf-8") if case is None else case
    home = Lived(STILL_SHUT).start(8.0)
    rows = list(csv.DictReader(text.splitlines()))
    begin = datetime.fromisoformat(rows[0]["time"])
    for row in rows:
        at = (datetime.fromisoformat(row["time"]) - begin).total_seconds()
        home.until(at / HOUR + 8.0)
        on = row["value"] == "1"
        if row["kind"] == "contact":
            home.take(ContactChanged(at, row["device"], closed=not on))
        else:
            home.take(MotionChanged(at, row["device"], on))
    raised = [alarm.at for alarm in home.alarms if alarm.kind is Kind.NO_LIFE]
    assert raised[:1] == [25 * HOUR + RULES.warn_s], "24 h after the kitchen, and the warning"


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("device", [FRONT, FRIDGE])
def test_the_same_level_again_is_a_sign_of_the_device_and_not_of_life(
    device: str, *, closed: bool
) -> None:
    home = Lived(WITH_FRIDGE).move(KITCHEN, 9.0).take(ContactChanged(9.1 * HOUR, device, closed))
    for n in range(10):
        home.until(10.0 + n * 50 / 60).take(ContactChanged(home.at, device, closed))
        assert home.state.house.sensed[device].seen_at == home.at
    assert seen(home) == (KITCHEN, 9.0)
    home.take(ContactChanged(home.at + 1.0, device, not closed))
    assert seen(home)[0] == device


def test_a_driver_that_starts_again_tells_a_level_and_no_life() -> None:
    home = Lived(WITH_FRIDGE).move(KITCHEN, 9.0).take(ContactChanged(9.1 * HOUR, FRIDGE, True))  # noqa: FBT003
    for n in range(5):
        home.until(10.0 + n).take(DriverFailed(home.at, FRIDGE, "gone"))
        home.take(DriverReady(home.at + 1.0, FRIDGE))
        home.take(ContactChanged(home.at + 1.0, FRIDGE, True))  # noqa: FBT003
    assert seen(home) == (KITCHEN, 9.0)


def test_a_door_that_was_moved_while_the_hub_was_off_is_life_when_it_is_seen() -> None:
    home = Lived(WITH_FRIDGE).take(ContactChanged(9.1 * HOUR, FRIDGE, True)).move(KITCHEN, 9.2)  # noqa: FBT003
    home.start(12.0).take(ContactChanged(1.0, FRIDGE, True))  # noqa: FBT003
    assert home.state.house.active_by == KITCHEN
    home.start(14.0).take(ContactChanged(1.0, FRIDGE, False))  # noqa: FBT003
    assert home.state.house.active_by == FRIDGE


def test_motion_that_was_on_before_a_start_and_still_is_may_be_a_stuck_line() -> None:
    home = Lived().take(MotionChanged(9.0 * HOUR, KITCHEN, active=True)).move(LIVING, 9.1)
    home.start(10.0).take(MotionChanged(1.0, KITCHEN, active=True))
    assert home.state.house.active_by == LIVING
    home.take(MotionChanged(60.0, KITCHEN, active=True))
    assert home.state.house.active_by == KITCHEN, "a retrigger is somebody"


def test_a_retrigger_is_life_until_nobody_could_have_moved_for_so_long() -> None:
    home = Lived()
    for n in range(40):
        home.until(9.0 + n / 60).take(MotionChanged(home.at, KITCHEN, active=True))
    assert FaultKind.STUCK in {fault.kind for fault in home.state.faults.values()}
    stuck_h = RULES.watch.stuck_s / HOUR
    assert 9.0 + stuck_h - 0.02 <= seen(home)[1] <= 9.0 + stuck_h
    for n in range(30):
        home.until(10.0 + n).take(MotionChanged(home.at, KITCHEN, active=True))
    assert Phrase.WARN_NO_LIFE in home.warnings
    home.take(MotionChanged(home.at + 1.0, KITCHEN, active=False)).until(home.at / HOUR + 0.1)
    home.take(MotionChanged(home.at, KITCHEN, active=True))
    assert seen(home)[1] == round(home.at / HOUR, 2), "it rested, and can be believed again"


def test_a_door_that_says_it_is_shut_again_is_no_passage() -> None:
    home = Lived().move(KITCHEN, 9.0).take(ContactChanged(9.1 * HOUR, FRONT, closed=True))
    home.until(10.0).take(ContactChanged(home.at, FRONT, closed=True)).until(11.0)
    assert home.kind is PresenceKind.HOME
