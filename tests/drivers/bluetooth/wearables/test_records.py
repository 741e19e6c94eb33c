"""What cuffs, oximeters and thermometers tell: in order, once, and fresh only when it surely is."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bluetooth.air import Lost
from drivers.bluetooth.wearables.service import uuid
from drivers.bluetooth.wearables.wearables import Wearables
from hub.contract.radio import Part, Presence, Reading, Trouble
from hub.core.model.wireless import Wearable
from tests.drivers.bluetooth.wearables.fakes import NOW_UTC, FakeAir, FakeWearable, Told, advert
from tests.drivers.fakes import jump

ADDRESS = "C0:11:22:33:44:55"
PRESSURE, TEMPERATURE = uuid(0x2A35), uuid(0x2A1C)
SPOT, CONTINUOUS = uuid(0x2A5E), uuid(0x2A5F)
DATE_TIME, CURRENT_TIME = uuid(0x2A08), uuid(0x2A2B)
CUFF = Wearable("cuff", ADDRESS, "cuff", user=1)
OXIMETER = Wearable("oximeter", ADDRESS, "oximeter")
THERMOMETER = Wearable("thermometer", ADDRESS, "thermometer")
MINUTE_S, HOUR_S = 60, 3600


class Visit:
    """A device that has come into range, and was connected to."""

    def __init__(self, device: Wearable, values: dict[str, bytes]) -> None:
        self.air, self.told = FakeAir(), Told()
        self.fake = FakeWearable(values)
        self.air.devices[ADDRESS] = self.fake
        self.wearables = Wearables(self.air, self.told.around())
        self.wearables.follow((device,))
        self.wearables.heard(advert(ADDRESS))
        self.task = asyncio.create_task(self.wearables.run())

    @property
    def readings(self) -> list[Reading]:
        return self.told.of(Reading)

    def pressure(self, systolic: int, taken: datetime | None, user: int = 1) -> None:
        self.fake.send(PRESSURE, pressure(systolic, taken, user))


def visit(
    tell: Callable[[Visit], Awaitable[None]], device: Wearable, *characteristics: str
) -> None:
    """Play a visit of a device with the characteristics."""

    async def play() -> None:
        guest = Visit(device, dict.fromkeys(characteristics, b""))
        try:
            await guest.fake.subscribed.wait()
            await asyncio.sleep(0.1)
            await tell(guest)
            assert not guest.task.done()
        finally:
            guest.task.cancel()
            await asyncio.wait({guest.task})

    jump(play())


def local(ago_s: float) -> datetime:
    """The cuff's own clock, so long ago: local time without a zone."""
    return datetime.fromtimestamp(NOW_UTC - ago_s, UTC).astimezone().replace(tzinfo=None)


def stamp(taken: datetime) -> bytes:
    return struct.pack(
        "<H5B", taken.year, taken.month, taken.day, taken.hour, taken.minute, taken.second
    )


def pressure(systolic: int, taken: datetime | None, user: int = 1) -> str:
    dated = bytes(7) if taken is None else stamp(taken)
    return (struct.pack("<B3H", 0x0A, systolic, 80, 93) + dated + bytes([user])).hex()


def test_a_measurement_of_just_now_is_fresh_and_told_with_its_time() -> None:
    async def tell(guest: Visit) -> None:
        guest.pressure(123, local(30))
        await asyncio.sleep(3)
        values = {"systolic_mmhg": 123.0, "diastolic_mmhg": 80.0, "map_mmhg": 93.0}
        assert guest.readings == [Reading("cuff", values, taken_utc=NOW_UTC - 30, ago_s=2.0)]

    visit(tell, CUFF, PRESSURE)


def test_stored_records_are_told_oldest_first_and_only_the_new_one_is_fresh() -> None:
    async def tell(guest: Visit) -> None:
        for ago_s in (2 * MINUTE_S, 25 * HOUR_S, 49 * HOUR_S, HOUR_S):
            guest.pressure(120, local(ago_s))
            await asyncio.sleep(0.5)
        await asyncio.sleep(3)
        told = [(NOW_UTC - (each.taken_utc or 0), each.fresh) for each in guest.readings]
        assert told == [(176400, False), (90000, False), (3600, False), (120, True)]

    visit(tell, CUFF, PRESSURE)


@pytest.mark.parametrize(
    "taken",
    [
        pytest.param(None, id="year 0"),
        pytest.param(datetime(2000, 1, 1, 0, 5), id="never set"),  # noqa: DTZ001
        pytest.param(local(-HOUR_S), id="in the future"),
        pytest.param(datetime(2099, 12, 31), id="the maker's own"),  # noqa: DTZ001
    ],
)
def test_an_unknown_clock_is_never_fresh_and_no_time(taken: datetime | None) -> None:
    async def tell(guest: Visit) -> None:
        guest.pressure(190, taken)
        await asyncio.sleep(3)
        assert [(each.fresh, each.taken_utc) for each in guest.readings] == [(False, None)]
        await asyncio.sleep(15)  # not even while we listen: the device has a clock, and it is wrong
        guest.pressure(191, taken)
        await asyncio.sleep(3)
        assert guest.readings[-1].fresh is False

    visit(tell, CUFF, PRESSURE)


def test_without_our_own_clock_no_age_is_known_and_no_clock_set() -> None:
    async def tell(guest: Visit) -> None:
        guest.pressure(190, local(30))
        await asyncio.sleep(3)
        assert [each.fresh for each in guest.readings] == [False]
        assert guest.fake.written == []

    async def play() -> None:
        guest = Visit(CUFF, {PRESSURE: b"", DATE_TIME: b""})
        guest.told.offset_s = None
        try:
            await guest.fake.subscribed.wait()
            await tell(guest)
        finally:
            guest.task.cancel()
            await asyncio.wait({guest.task})

    jump(play())


@pytest.mark.parametrize("user", [0, 2, 255])
def test_another_user_of_the_cuff_is_refused_and_counted(user: int) -> None:
    async def tell(guest: Visit) -> None:
        guest.pressure(190, local(30), user)
        guest.pressure(120, local(30))
        await asyncio.sleep(3)
        assert [each.values["systolic_mmhg"] for each in guest.readings] == [120.0]
        assert guest.told.refused == ["other_user"]

    visit(tell, CUFF, PRESSURE)


def test_a_cuff_that_tells_all_its_records_at_each_connect_is_heard_once() -> None:
    async def tell(guest: Visit) -> None:
        for _ in range(3):
            for ago_s in (49 * HOUR_S, HOUR_S):
                guest.pressure(120, local(ago_s))
            await asyncio.sleep(3)
            guest.fake.drop()
            await asyncio.sleep(30)
            guest.wearables.near(ADDRESS, near=False)
            await asyncio.sleep(60)
            guest.wearables.heard(advert(ADDRESS))
            await guest.fake.subscribed.wait()
            await asyncio.sleep(0.1)
        assert len(guest.readings) == 2
        assert guest.told.refused == ["repeat"] * 4

    visit(tell, CUFF, PRESSURE)


def test_a_memory_full_of_records_is_told_whole_and_not_in_one_second() -> None:
    async def tell(guest: Visit) -> None:
        for number in range(100):
            guest.pressure(100 + number, local((number + 1) * HOUR_S))
        guest.fake.drop()
        told = []
        for _ in range(8):
            await asyncio.sleep(1)
            told.append(len(guest.readings))
        assert told[-1] == 100
        assert all(after - before <= 32 for before, after in pairwise([0, *told]))
        taken = [each.taken_utc or 0.0 for each in guest.readings]
        assert taken == sorted(taken)

    visit(tell, CUFF, PRESSURE)


def test_an_oximeter_that_has_gone_mad_is_cut_and_counted() -> None:
    async def tell(guest: Visit) -> None:
        for _ in range(200):
            guest.fake.send(CONTINUOUS, "0060004800")
        await asyncio.sleep(1)
        assert len(guest.readings) == 10
        assert guest.told.refused == ["too_many"] * 190

    visit(tell, OXIMETER, CONTINUOUS)


def test_the_last_record_before_the_link_ends_is_not_lost() -> None:
    async def tell(guest: Visit) -> None:
        guest.pressure(120, local(10))
        guest.fake.drop()
        await asyncio.sleep(0.1)
        assert len(guest.readings) == 1

    visit(tell, CUFF, PRESSURE)


def test_a_failed_measurement_is_no_reading_and_neither_is_a_cut_frame() -> None:
    async def tell(guest: Visit) -> None:
        guest.fake.send(PRESSURE, "10ff07ff07ff070400")
        guest.fake.send(PRESSURE, pressure(190, local(10))[:-4])  # the user is cut off
        await asyncio.sleep(3)
        assert guest.readings == []
        assert guest.told.refused == ["nan", "truncated"]

    visit(tell, CUFF, PRESSURE)


def test_a_cuff_that_has_told_its_records_is_let_go_and_no_trouble() -> None:
    async def tell(guest: Visit) -> None:
        guest.pressure(120, local(10))
        await asyncio.sleep(2 * HOUR_S)  # it stays in range, and would be connected again and again
        assert guest.told.of(Trouble) == []
        assert len(guest.fake.connects) <= 2 + 2 * HOUR_S / 300
        assert guest.told.of(Presence) == [Presence("cuff", near=True, rssi_dbm=-60)]

    visit(tell, CUFF, PRESSURE)


def test_a_cuff_that_comes_again_and_again_and_tells_nothing_is_told_until_it_does() -> None:
    async def tell(guest: Visit) -> None:
        for _ in range(6):
            await asyncio.sleep(31)
            guest.wearables.near(ADDRESS, near=False)
            await asyncio.sleep(HOUR_S)
            guest.wearables.heard(advert(ADDRESS))
            await guest.fake.subscribed.wait()
        assert guest.told.of(Trouble) == [Trouble(Part.MUTE, present=True, device="cuff")]
        await asyncio.sleep(1)
        guest.pressure(120, local(10))
        await asyncio.sleep(3)
        assert guest.told.of(Trouble)[1:] == [Trouble(Part.MUTE, present=False, device="cuff")]

    visit(tell, CUFF, PRESSURE)


def test_the_next_measurement_is_fetched_at_once_however_often_there_was_none() -> None:
    async def tell(guest: Visit) -> None:
        await asyncio.sleep(HOUR_S)
        guest.wearables.near(ADDRESS, near=False)
        await asyncio.sleep(40)
        at = asyncio.get_running_loop().time()
        guest.wearables.heard(advert(ADDRESS))
        await guest.fake.subscribed.wait()
        assert guest.fake.connects[-1] - at <= 1.0

    visit(tell, CUFF, PRESSURE)


@pytest.mark.parametrize("characteristic", [DATE_TIME, CURRENT_TIME])
def test_the_clock_of_a_cuff_is_set_to_local_time(characteristic: str) -> None:
    async def tell(guest: Visit) -> None:
        [(where, value)] = guest.fake.written
        assert where == characteristic
        assert value[:7] == stamp(local(0))

    visit(tell, CUFF, PRESSURE, characteristic)


def test_a_clock_that_can_only_be_read_costs_no_measurement() -> None:
    async def play() -> None:
        guest = Visit(CUFF, {PRESSURE: b"", DATE_TIME: b""})
        guest.fake.locked = frozenset({DATE_TIME})
        try:
            await guest.fake.subscribed.wait()
            guest.pressure(120, local(10))
            await asyncio.sleep(3)
            assert len(guest.readings) == 1
        finally:
            guest.task.cancel()
            await asyncio.wait({guest.task})

    jump(play())


def test_without_a_clock_only_what_is_measured_while_we_listen_is_fresh() -> None:
    async def tell(guest: Visit) -> None:
        for _ in range(3):
            guest.fake.send(TEMPERATURE, "006e0100ff")  # 36.6: at once, so perhaps stored
            await asyncio.sleep(1)
        await asyncio.sleep(12)
        guest.fake.send(TEMPERATURE, "00860100ff")  # 39.0
        await asyncio.sleep(3)
        told = [(each.values["temperature_c"], each.fresh) for each in guest.readings]
        assert told == [(36.6, False)] * 3 + [(39.0, True)]

    visit(tell, THERMOMETER, TEMPERATURE)


def test_an_oximeter_on_a_finger_is_told_each_second() -> None:
    async def tell(guest: Visit) -> None:
        for _ in range(3):
            guest.fake.send(CONTINUOUS, "0060004800")
            await asyncio.sleep(1)
        assert guest.readings == [Reading("oximeter", {"spo2_pct": 96.0, "pulse_bpm": 72.0})] * 3

    visit(tell, OXIMETER, CONTINUOUS)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param("00ff07ff07", "nan", id="finger out"),
        pytest.param("04500048000080", "invalid", id="invalid measurement"),
        pytest.param("04500048000004", "invalid", id="demonstration"),
        pytest.param("0850004800000800", "invalid", id="not on the user"),
        pytest.param("0050", "truncated", id="cut"),
    ],
)
def test_what_the_oximeter_calls_invalid_is_no_low_oxygen(frame: str, reason: str) -> None:
    async def tell(guest: Visit) -> None:
        guest.fake.send(CONTINUOUS, frame)
        await asyncio.sleep(1)
        assert guest.readings == []
        assert guest.told.refused == [reason]

    visit(tell, OXIMETER, CONTINUOUS)


def test_a_poor_signal_of_cold_fingers_is_told() -> None:
    async def tell(guest: Visit) -> None:
        guest.fake.send(CONTINUOUS, "0858004800300000")
        await asyncio.sleep(1)
        assert [each.values["spo2_pct"] for each in guest.readings] == [88.0]

    visit(tell, OXIMETER, CONTINUOUS)


def test_a_stored_spot_check_without_a_time_is_never_fresh() -> None:
    async def tell(guest: Visit) -> None:
        await asyncio.sleep(20)
        guest.fake.send(SPOT, "02580048000002")
        await asyncio.sleep(3)
        assert [each.fresh for each in guest.readings] == [False]

    visit(tell, OXIMETER, SPOT)


@given(st.lists(st.floats(-2 * HOUR_S, 72 * HOUR_S), max_size=12))
def test_whatever_order_they_come_in_no_old_record_is_fresh(ages_s: list[float]) -> None:
    async def tell(guest: Visit) -> None:
        for number, ago_s in enumerate(ages_s):
            guest.pressure(100 + number, local(ago_s))
        await asyncio.sleep(3)
        taken = [each.taken_utc or 0.0 for each in guest.readings]
        assert taken == sorted(taken)
        assert len(guest.readings) == len(ages_s)
        for each in guest.readings:
            age_s = ages_s[int(each.values["systolic_mmhg"]) - 100]
            assert each.fresh <= (-122 <= age_s <= 602)

    visit(tell, CUFF, PRESSURE)


def test_a_link_that_ends_while_it_is_set_up_is_no_trouble() -> None:
    async def play() -> None:
        guest = Visit(CUFF, {PRESSURE: b""})
        guest.fake.refuses = Lost.TIMEOUT
        try:
            await asyncio.sleep(HOUR_S)
            assert guest.told.of(Trouble) == []
            assert len(guest.fake.connects) <= 6 + HOUR_S / 300
        finally:
            guest.task.cancel()
            await asyncio.wait({guest.task})

    jump(play())
