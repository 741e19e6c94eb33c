"""Tests of the power-cut test's own checks; they need no virtual Pi."""

from tests.pi.evidence import Cut, Stored, doubled, lost

BOOT = "b0"


def _cut(*fingers: float, durable: int) -> Cut:
    return Cut(list(fingers), {f"{BOOT}-{n}": 0.0 for n in range(1, durable + 1)})


def _stored(*times: float, boot: str = BOOT) -> list[Stored]:
    return [Stored(f"{boot}-{n}", boot, at, 0.0) for n, at in enumerate(times, 1)]


def test_one_event_for_each_finger_is_neither_lost_nor_doubled() -> None:
    cut, stored = _cut(1.0, 1.3, 1.6, durable=3), _stored(1.01, 1.31, 1.61)
    assert not lost([cut], stored)
    assert not doubled([cut], stored)


def test_a_durable_call_that_the_centre_does_not_have_is_lost() -> None:
    assert lost([_cut(1.0, 1.3, durable=2)], _stored(1.01)) == {"b0-2"}


def test_a_call_of_an_earlier_life_that_was_still_on_the_card_may_not_be_lost() -> None:
    assert lost([Cut(inherited={"a9-7"})], _stored(1.01)) == {"a9-7"}


def test_a_second_event_of_one_finger_is_doubled() -> None:
    assert doubled([_cut(1.0, 1.3, durable=3)], _stored(1.01, 1.05, 1.31)) == ["b0-2"]


def test_the_same_id_twice_is_doubled() -> None:
    (event,) = _stored(1.01)
    assert doubled([_cut(1.0, 1.3, durable=1)], [event, event]) == ["b0-1"]


def test_an_event_of_a_life_without_fingers_is_doubled() -> None:
    assert doubled([_cut(1.0, durable=1)], _stored(1.01, boot="b9")) == ["b9-1"]


def test_an_edge_that_an_emulated_core_saw_late_is_still_one_press() -> None:
    fingers, seen = (93.479, 93.765, 94.090), (93.557, 94.091, 94.275)  # measured
    assert not doubled([_cut(*fingers, durable=3)], _stored(*seen))


def test_a_finger_that_nothing_was_made_of_is_no_ones_second_event() -> None:
    assert doubled([_cut(1.0, 3.0, durable=2)], _stored(3.01, 3.02)) == ["b0-2"]
