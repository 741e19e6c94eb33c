"""Bad messages in short form; `bench/fuzz.py` runs a million."""

from bench.fuzz import SHORT, run
from hub.contract.wire import Reason

REFUSED_BY_THE_WIRE = set(Reason) - {
    Reason.EXPIRED,
    Reason.REPLAYED,
    Reason.UNKNOWN,
    Reason.NOT_NOW,
}


def test_whatever_comes_is_understood_or_refused() -> None:
    found = run(SHORT)
    assert found.total() == 2 * SHORT
    assert {f"centre: {reason}" for reason in REFUSED_BY_THE_WIRE} <= set(found)
    assert found["centre: Ack"] > 100
    assert found["centre: Command"] > 100
    assert found["hub: AlarmEvent"] > 100


def test_the_same_seed_is_the_same_run() -> None:
    assert run(500, seed=7) == run(500, seed=7) != run(500, seed=8)
