"""The check of `bench/loss.py`: it must notice when one press makes two calls."""

import pytest
from msgspec.structs import replace

from bench.loss import doubled
from hub.contract.examples import alarm_event
from hub.contract.messages import AlarmData
from hub.contract.scaip import Kind, What


def calls(*at: float, boot: str = "b") -> list[AlarmData]:
    one = alarm_event(Kind.HELP_BUTTON, What.RAISED).data
    return [replace(one, boot=boot, order=n, at=moment) for n, moment in enumerate(at)]


def test_a_call_for_each_finger_is_not_doubled() -> None:
    assert doubled({"b": [1.0, 2.0, 3.0]}, calls(1.02, 2.05)) == 0, "a kill cut the third short"


@pytest.mark.parametrize(
    "twice",
    [
        calls(1.02, 1.03, 2.02),
        calls(1.02, 1.03),
        calls(1.02, 2.02, 2.03),
        calls(1.02) + calls(1.02, boot="after the restart"),
    ],
)
def test_a_finger_that_made_two_calls_is_seen_though_another_was_cut_short(
    twice: list[AlarmData],
) -> None:
    assert doubled({"b": [1.0, 2.0, 3.0], "after the restart": []}, twice) == 1
