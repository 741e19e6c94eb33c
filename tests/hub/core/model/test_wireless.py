"""One press is one call: what tells a press from what was heard before."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract.addresses import FlawError
from hub.contract.radio import How
from hub.core.model import wireless
from hub.core.model.events import WirelessPressed
from hub.core.model.rules import Role, Sense
from hub.core.model.wireless import (
    FRAMES,
    NEAR,
    PLAIN_S,
    REPEAT_S,
    SMALL,
    SPANS,
    STALE_S,
    WRAP,
    Presses,
    Verdict,
    Wearable,
    fold,
)

PRESS, RESTARTED = Verdict.PRESS, Verdict.RESTARTED
REPEAT, REPLAY = Verdict.REPEAT, Verdict.REPLAY
CLOCK = 1_780_672_257  # a counter that began as a clock (core #173146)
LATE = 2 * REPEAT_S


class Pendant:
    """What is heard of one device; each frame is some seconds after the one before."""

    def __init__(self) -> None:
        self.memory = Presses()
        self.at = 100.0

    def hear(
        self, counter: int, mark: str = "", *, after_s: float = 1.0, button: int = 1
    ) -> Verdict:
        self.at += after_s
        press = WirelessPressed(
            self.at, "pendant", "1", How.PRESS, button, 1, counter, mark or f"m{counter}"
        )
        self.memory, verdict = fold(self.memory, press)
        return verdict

    def plain(self, packet_id: int | None, mark: str = "m", *, after_s: float) -> Verdict:
        self.at += after_s
        press = WirelessPressed(self.at, "sensor", "1", How.PRESS, packet_id=packet_id, mark=mark)
        self.memory, verdict = fold(self.memory, press)
        return verdict


@pytest.fixture
def pendant() -> Pendant:
    return Pendant()


def test_each_counter_that_goes_up_is_a_press(pendant: Pendant) -> None:
    assert [pendant.hear(counter) for counter in (CLOCK, CLOCK + 1, CLOCK + 9)] == [PRESS] * 3


def test_a_burst_and_a_shadow_40_s_late_are_one_press(pendant: Pendant) -> None:
    heard = [pendant.hear(7), pendant.hear(7, after_s=0.02), pendant.hear(7, after_s=40)]
    assert heard == [PRESS, REPEAT, REPEAT]


def test_the_last_frame_is_no_press_however_long_bluez_holds_it(pendant: Pendant) -> None:
    assert [pendant.hear(7), pendant.hear(7, after_s=7200)] == [PRESS, REPEAT]
    assert pendant.hear(7, after_s=90 * STALE_S) is REPEAT


def test_a_frame_before_the_last_is_a_replay(pendant: Pendant) -> None:
    assert [pendant.hear(CLOCK), pendant.hear(CLOCK + 1)] == [PRESS, PRESS]
    for after_s in (5, LATE, 90 * STALE_S):
        assert pendant.hear(CLOCK, after_s=after_s) is REPLAY


def test_two_adapters_that_hear_two_presses_in_another_order_are_no_replay(
    pendant: Pendant,
) -> None:
    heard = [pendant.hear(counter, after_s=0.3) for counter in (7, 8, 7, 8, 7)]
    assert heard == [PRESS, PRESS, REPEAT, REPEAT, REPEAT]


def test_a_press_after_a_change_of_battery_calls_and_says_so(pendant: Pendant) -> None:
    assert pendant.hear(CLOCK) is PRESS
    assert pendant.hear(3) is RESTARTED
    assert [pendant.hear(3), pendant.hear(4), pendant.hear(5)] == [REPEAT, PRESS, PRESS]


@pytest.mark.parametrize(
    ("before", "after"), [(154_553, 148), (67_117_068, 194), (3_103_785_729, 33_221), (91_302, 2)]
)
def test_counters_seen_after_real_changes_of_battery_call(before: int, after: int) -> None:
    pendant = Pendant()  # bthome-ble #116 and #99
    assert [pendant.hear(before), pendant.hear(after)] == [PRESS, RESTARTED]
    assert pendant.hear(after + 60) is PRESS


def test_one_restart_after_another_calls_each_time(pendant: Pendant) -> None:
    heard = [pendant.hear(CLOCK), pendant.hear(3), pendant.hear(1, "a"), pendant.hear(1, "b")]
    assert heard == [PRESS, RESTARTED, RESTARTED, RESTARTED]
    assert pendant.hear(2, "c") is PRESS


def test_a_brown_out_amid_a_press_still_calls(pendant: Pendant) -> None:
    heard = [pendant.hear(n, f"battery 99, {n}") for n in (1, 2, 3)]
    assert heard == [PRESS] * 3
    assert [pendant.hear(n, f"battery 98, {n}") for n in (1, 2, 3)] == [RESTARTED, PRESS, PRESS]


def test_after_a_restart_a_frame_from_before_it_is_a_replay(pendant: Pendant) -> None:
    assert [pendant.hear(CLOCK), pendant.hear(CLOCK + 1), pendant.hear(3)] == [
        PRESS,
        PRESS,
        RESTARTED,
    ]
    assert pendant.hear(CLOCK + 1, after_s=LATE) is REPLAY
    assert pendant.hear(CLOCK, after_s=LATE) is REPLAY
    assert pendant.hear(4) is PRESS


def test_a_forgotten_frame_from_before_a_restart_is_a_replay(pendant: Pendant) -> None:
    for n in range(FRAMES + 8):
        assert pendant.hear(CLOCK + n) is PRESS
    assert pendant.hear(3) is RESTARTED
    assert pendant.hear(CLOCK + 1, after_s=LATE) is REPLAY
    assert pendant.hear(4) is PRESS


def test_a_pendant_that_counts_its_beacons_calls_on_through_the_numbers_of_its_old_battery(
    pendant: Pendant,
) -> None:
    """Months pass between two presses, and each beacon has a number of its own."""
    heard = [pendant.hear(n) for n in (900, 150_000, 300_000)]
    assert heard == [PRESS] * 3
    assert [pendant.hear(n, after_s=STALE_S) for n in (50_000, 140_000, 290_000, 400_000)] == [
        RESTARTED,
        PRESS,
        PRESS,
        PRESS,
    ]


def test_an_old_counter_that_was_never_heard_is_a_replay(pendant: Pendant) -> None:
    assert [pendant.hear(CLOCK), pendant.hear(CLOCK - 1)] == [PRESS, REPLAY]
    assert pendant.hear(CLOCK - 1, after_s=1) is REPLAY  # the same one again
    assert pendant.hear(CLOCK - 100_000) is REPLAY
    assert pendant.hear(CLOCK - 50_000, after_s=LATE) is REPLAY


def test_who_was_not_heard_and_presses_again_calls(pendant: Pendant) -> None:
    assert [pendant.hear(CLOCK), pendant.hear(CLOCK - 9_000_000)] == [PRESS, REPLAY]
    assert pendant.hear(CLOCK - 8_999_999, after_s=20) is RESTARTED
    assert pendant.hear(CLOCK - 8_999_998) is PRESS


def test_a_counter_that_begins_at_random_calls(pendant: Pendant) -> None:
    assert pendant.hear(3_000_000_000) is PRESS  # bthome-ble #338
    assert pendant.hear(3_000_000_000 - NEAR - 1) is RESTARTED
    assert pendant.hear(100_000) is RESTARTED
    assert pendant.hear(4_000_000_000) is PRESS


def test_other_content_under_a_counter_that_was_heard_calls(pendant: Pendant) -> None:
    assert [pendant.hear(CLOCK, "a"), pendant.hear(CLOCK + 1, "b")] == [PRESS, PRESS]
    assert pendant.hear(CLOCK, "c") is RESTARTED
    assert pendant.hear(CLOCK, "d") is RESTARTED  # one that never counts


def test_a_counter_wraps_to_zero_as_it_goes_on(pendant: Pendant) -> None:
    heard = [pendant.hear(n % WRAP) for n in range(WRAP - 2, WRAP + 2)]
    assert heard == [PRESS] * 4
    assert pendant.hear(WRAP - 1, after_s=LATE) is REPLAY


def test_the_same_bytes_after_the_next_change_of_battery_call_again(pendant: Pendant) -> None:
    """A counter that begins at 1, full batteries: same nonce, same content, same bytes."""
    for _year in range(3):
        heard = [pendant.hear(1, after_s=365 * STALE_S), pendant.hear(2), pendant.hear(3)]
        assert heard in ([PRESS] * 3, [RESTARTED, PRESS, PRESS])
    assert pendant.hear(2, after_s=LATE) is REPLAY


def test_two_buttons_in_one_frame_are_two_presses(pendant: Pendant) -> None:
    assert [pendant.hear(7, button=1), pendant.hear(7, button=2)] == [PRESS, PRESS]
    assert [pendant.hear(7, button=1), pendant.hear(7, button=2)] == [REPEAT, REPEAT]
    assert pendant.hear(8) is PRESS
    assert pendant.hear(7, button=2) is REPLAY


def test_a_plain_frame_of_a_device_that_counted_is_none(pendant: Pendant) -> None:
    assert pendant.hear(7) is PRESS
    assert pendant.plain(90, after_s=1) is Verdict.DOWNGRADE
    assert pendant.hear(8) is PRESS


def test_a_packet_id_is_folded_for_minutes_and_not_for_ever(pendant: Pendant) -> None:
    assert [pendant.plain(90, after_s=0), pendant.plain(90, after_s=40)] == [PRESS, REPEAT]
    assert [pendant.plain(91, after_s=1), pendant.plain(90, after_s=1)] == [PRESS, REPEAT]
    assert pendant.plain(90, after_s=7200) is PRESS


def test_without_a_packet_id_the_same_frame_is_folded_for_seconds(pendant: Pendant) -> None:
    assert [pendant.plain(None, after_s=0), pendant.plain(None, after_s=0.5)] == [PRESS, REPEAT]
    assert pendant.plain(None, "n", after_s=0.5) is PRESS
    assert pendant.plain(None, "n", after_s=PLAIN_S + 1) is PRESS


def test_a_press_seen_20_s_before_the_power_cut_is_still_folded_in_the_next_boot() -> None:
    pendant = Pendant()
    assert pendant.plain(90, after_s=500) is PRESS
    offset_before, offset_now = 1_000.0, 1_600.0  # 620 s after its press; the new boot is at 20
    pendant.memory = pendant.memory.moved(offset_before - offset_now, 20.0)
    assert pendant.memory.frames[0].at == 0.0
    pendant.at = 20.0
    assert pendant.plain(90, after_s=1) is REPEAT


def test_a_clock_that_went_back_at_the_start_makes_no_frame_come_later_than_now() -> None:
    pendant = Pendant()
    assert pendant.hear(7) is PRESS
    pendant.memory = pendant.memory.moved(1e9, 5.0)
    assert pendant.memory.frames[0].at == 5.0


def test_what_is_remembered_of_64_devices_is_at_most_64_kb() -> None:
    pendant = Pendant()
    for n in range(200):
        pendant.at += 1e5 / 3
        pendant.hear(WRAP - 1 - (n * 300_000_000) % (WRAP - 1), "0011aabb")
    assert len(pendant.memory.frames) == FRAMES
    assert len(pendant.memory.spans) == SPANS
    assert 64 * len(msgspec.msgpack.encode(pendant.memory)) <= 65_536


def test_a_memory_is_read_back_as_it_was(pendant: Pendant) -> None:
    assert [pendant.hear(CLOCK), pendant.hear(3)] == [PRESS, RESTARTED]
    raw = msgspec.msgpack.encode(pendant.memory)
    assert msgspec.msgpack.decode(raw, type=Presses) == pendant.memory


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3, SMALL, SMALL + 1, CLOCK, CLOCK + 1, WRAP - 1]),
            st.sampled_from("ab"),
            st.sampled_from([0.5, LATE]),
        ),
        max_size=FRAMES,
    )
)
def test_within_a_day_no_frame_is_ever_two_presses(heard: list[tuple[int, str, float]]) -> None:
    pendant = Pendant()
    taken = [
        (counter, mark)
        for counter, mark, after_s in heard
        if pendant.hear(counter, mark, after_s=after_s) in {PRESS, RESTARTED}
    ]
    assert len(taken) == len(set(taken))


def test_a_pendant_calls_or_cancels_and_is_nothing_else() -> None:
    given = ("green", "A4:C1:38:00:00:05", "0" * 32)
    with pytest.raises(FlawError, match="pendant_role"):
        wireless.Pendant(*given, Role.DOOR)
    assert wireless.Pendant(*given, Role.CANCEL_BUTTON).role is Role.CANCEL_BUTTON


def test_a_wearable_is_a_sensor_of_its_wearer() -> None:
    band = Wearable("band", "A4:C1:38:00:00:05", "band")
    assert band.sense is Sense.WEARABLE
