"""What the hub is told of adverts: of listed devices only, once, and never by a wrong key."""

from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from drivers.bluetooth.air import BTHOME, Advert
from drivers.bluetooth.sensors import AMBIENT_S, BATTERY_S, HELD_S, SAME_S, SIGN_S, WRONG, Sensors
from hub.contract.radio import (
    Ambient,
    Battery,
    Fact,
    Found,
    How,
    Part,
    Presence,
    Pressed,
    Sensed,
    Trouble,
)
from hub.core.model.rules import Sense
from hub.core.model.wireless import REPEAT_S, Pendant, Phone, Wearable, Wireless, WirelessSensor

ADDRESS, OTHER = "38:39:8F:70:B2:E1", "7C:C6:B6:00:00:01"
KEY, WRONG_KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "00112233445566778899aabbccddeeff"
PENDANT = Pendant("pendant", ADDRESS, KEY)
DOOR = WirelessSensor("door", OTHER, Sense.DOOR)
PRESS, NONE, HOLD, RELEASE = "3a01", "3a00", "3a80", "3a81"


class Home:
    """Sensors, and adverts that come one after another."""

    def __init__(self, *devices: Wireless) -> None:
        self.sensors = Sensors("r")
        self.sensors.follow(devices)
        self.at = 1000.0

    def sealed(
        self,
        objects: str,
        counter: int,
        *,
        after_s: float = 1.0,
        key: str = KEY,
        address: str = ADDRESS,
    ) -> Sequence[Fact]:
        mac, count = bytes.fromhex(address.replace(":", "")), counter.to_bytes(4, "little")
        nonce = mac + b"\xd2\xfc\x45" + count
        sealed = AESCCM(bytes.fromhex(key), 4).encrypt(nonce, bytes.fromhex(objects), None)
        data = "45" + sealed[:-4].hex() + count.hex() + sealed[-4:].hex()
        return self.hear(data, address, after_s=after_s)

    def hear(self, data: str, address: str = OTHER, *, after_s: float = 1.0) -> Sequence[Fact]:
        self.at += after_s
        service = {BTHOME: bytes.fromhex(data)}
        return list(self.sensors.heard(Advert(self.at, address, "", -60, service)))


@pytest.fixture
def home() -> Home:
    return Home(PENDANT, DOOR)


def presses(words: Sequence[Fact]) -> list[Pressed]:
    return [word for word in words if isinstance(word, Pressed)]


def test_a_press_is_told_with_all_that_the_hub_folds_by(home: Home) -> None:
    [press] = presses(home.hear("459e29e26317a901e7226abef80d80", ADDRESS))
    assert press == Pressed(
        "r-1", "pendant", How.PRESS, 1, 93, 1_780_672_257, "bef80d80", rssi_dbm=-60
    )


def test_each_press_has_an_id_of_its_own(home: Home) -> None:
    ids = {press.id for n in range(5) for press in presses(home.sealed(PRESS, n))}
    assert len(ids) == 5


def test_two_buttons_in_one_advert_are_two_presses(home: Home) -> None:
    found = presses(home.sealed(PRESS + NONE + "3a04", 7))
    assert [(one.button, one.how) for one in found] == [(1, How.PRESS), (3, How.LONG)]


def test_a_burst_is_told_once_and_a_repeat_is_counted(home: Home) -> None:
    assert len(presses(home.sealed(PRESS, 7))) == 1
    assert [home.sealed(PRESS, 7, after_s=0.02) for _ in range(9)] == [[]] * 9
    assert home.sealed(PRESS, 7, after_s=SAME_S + 1) == []
    assert home.sensors.refused == {"repeat": 10}


def test_an_older_press_that_comes_back_is_the_hubs_to_judge(home: Home) -> None:
    """The hub's memory outlives this process."""
    new = [*presses(home.sealed(PRESS, 7)), *presses(home.sealed(PRESS, 8))]
    assert [one.doubtful for one in new] == [False, False]
    assert home.sealed(PRESS, 8, after_s=REPEAT_S + 1) == []
    assert [one.doubtful for one in presses(home.sealed(PRESS, 7, after_s=5))] == [True]
    assert home.sensors.refused == {"repeat": 1, "replay": 1}


def test_none_after_a_press_is_a_sign_of_life_and_no_press(home: Home) -> None:
    assert len(presses(home.sealed(PRESS, 7))) == 1
    assert home.sealed(NONE, 8) == []
    assert home.sealed(NONE, 9, after_s=SIGN_S) == [Presence("pendant", near=True, rssi_dbm=-60)]


def test_a_release_calls_only_where_the_hold_was_not_heard(home: Home) -> None:
    assert [one.how for one in presses(home.sealed(HOLD, 1))] == [How.HOLD]
    assert presses(home.sealed(RELEASE, 2)) == []
    late = presses(home.sealed(RELEASE, 3, after_s=HELD_S + 1))
    assert [one.how for one in late] == [How.HOLD]


def test_a_foreign_device_is_nothing_even_with_our_name_and_frame(home: Home) -> None:
    foreign = Advert(1.0, "00:00:00:00:00:09", "pendant", -40, {BTHOME: b"\x44\x3a\x01"})
    assert home.sensors.heard(foreign) == ()
    assert home.sensors.refused == {}


def test_an_advert_without_bthome_is_nothing(home: Home) -> None:
    assert home.sensors.heard(Advert(1.0, ADDRESS)) == ()


def test_a_plain_press_in_the_pendants_name_is_refused_and_told(home: Home) -> None:
    trouble = Trouble(Part.KEY, present=True, device="pendant", detail="downgrade")
    assert home.hear("44" + PRESS, ADDRESS) == [trouble]
    assert home.hear("4400ff" + PRESS, ADDRESS) == []
    assert home.sensors.troubles() == [trouble]
    assert home.sensors.refused == {"downgrade": 2}


def test_a_wrong_key_is_told_after_a_few_frames_and_over_with_an_authentic_one(home: Home) -> None:
    told = [home.sealed(PRESS, n, key=WRONG_KEY) for n in range(WRONG + 2)]
    trouble = Trouble(Part.KEY, present=True, device="pendant", detail="not_authentic")
    assert told == [[], [], [trouble], [], []]
    over, press = home.sealed(PRESS, 100)
    assert over == Trouble(Part.KEY, present=False, device="pendant")
    assert isinstance(press, Pressed)
    assert home.sensors.troubles() == []
    assert home.sensors.refused == {"not_authentic": WRONG + 2}


def test_an_authentic_frame_in_between_begins_the_count_anew(home: Home) -> None:
    for n in range(3 * WRONG):
        assert home.sealed(PRESS, n, key=WRONG_KEY) == []
        assert len(presses(home.sealed(PRESS, n))) == 1


def test_an_encrypted_sensor_that_is_listed_without_a_key_is_told(home: Home) -> None:
    told = [home.sealed("2d01", n, address=OTHER) for n in range(WRONG)]
    assert told[-1] == [Trouble(Part.KEY, present=True, device="door", detail="no_key")]


def test_a_new_key_takes_the_trouble_along_until_it_opens_a_frame(home: Home) -> None:
    for n in range(WRONG):
        home.sealed(PRESS, n, key=WRONG_KEY)
    home.sensors.follow([Pendant("pendant", ADDRESS, WRONG_KEY), DOOR])
    over, _press = home.sealed(PRESS, 9, key=WRONG_KEY)
    assert over == Trouble(Part.KEY, present=False, device="pendant")


def test_a_list_that_comes_again_forgets_nothing(home: Home) -> None:
    assert len(presses(home.sealed(PRESS, 7))) == 1
    home.sensors.follow([PENDANT, DOOR])
    assert home.sealed(PRESS, 7) == []
    home.sensors.follow([DOOR])
    assert home.sealed(PRESS, 8) == []


def test_a_door_that_says_window_is_a_door(home: Home) -> None:
    words = home.hear("440088016405e803002d013f0000")
    assert words == [
        Found("door", Sensed.DOOR, on=True),
        Battery("door", 100),
        Ambient("door", {"illuminance_lux": 10.0}),
    ]
    assert home.hear("4400892d00") == [Found("door", Sensed.DOOR, on=False)]


def test_a_window_is_a_window() -> None:
    home = Home(WirelessSensor("window", OTHER, Sense.WINDOW))
    assert home.hear("442d01") == [Found("window", Sensed.WINDOW, on=True)]
    assert home.hear("441101") == [Found("window", Sensed.OPENING, on=True)]


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (0x1A, Sensed.DOOR),
        (0x1B, Sensed.DOOR),
        (0x2D, Sensed.WINDOW),
        (0x11, Sensed.OPENING),
        (0x21, Sensed.MOTION),
        (0x23, Sensed.OCCUPANCY),
        (0x2C, Sensed.VIBRATION),
        (0x29, Sensed.SMOKE),
        (0x1C, Sensed.GAS),
        (0x17, Sensed.CARBON_MONOXIDE),
        (0x20, Sensed.MOISTURE),
        (0x2B, Sensed.TAMPER),
    ],
)
def test_each_kind_of_sensor_is_told_on_and_off(kind: int, what: Sensed) -> None:
    home = Home(WirelessSensor("sensor", OTHER, Sense.MOTION))
    for on in (1, 0):
        assert home.hear(f"44{kind:02x}0{on}") == [Found("sensor", what, on=bool(on))]


@pytest.mark.parametrize("data", ["4429002901", "4429012900"])
def test_two_objects_of_a_kind_are_on_where_either_is(data: str) -> None:
    home = Home(WirelessSensor("sensor", OTHER, Sense.SMOKE))
    assert home.hear(data) == [Found("sensor", Sensed.SMOKE, on=True)]


def test_the_same_plain_advert_ten_times_a_second_is_looked_at_once(home: Home) -> None:
    assert home.hear("442d01") == [Found("door", Sensed.DOOR, on=True)]
    assert [home.hear("442d01", after_s=0.1) for _ in range(20)] == [[]] * 20
    assert home.sensors.refused == {"repeat": 20}
    assert home.hear("442d01", after_s=SAME_S) == [Found("door", Sensed.DOOR, on=True)]


def test_a_state_that_lasts_is_told_again_after_minutes(home: Home) -> None:
    packets = [f"4400{n:02x}2d01" for n in range(10)]
    told = [home.hear(packet, after_s=SIGN_S / 4) for packet in packets]
    assert [len(words) for words in told] == [1, 0, 0, 0, 1, 0, 0, 0, 1, 0]


def test_a_recorded_smoke_of_an_encrypted_detector_is_no_fire() -> None:
    home = Home(WirelessSensor("smoke", ADDRESS, Sense.SMOKE, KEY))
    assert home.sealed("2901", 7) == [Found("smoke", Sensed.SMOKE, on=True)]
    assert home.sealed("2900", 8) == [Found("smoke", Sensed.SMOKE, on=False)]
    assert home.sealed("2901", 7, after_s=REPEAT_S + 1) == []
    assert home.sealed("2901", 9) == [Found("smoke", Sensed.SMOKE, on=True)]


def test_a_button_of_a_sensor_is_no_press_of_a_pendant(home: Home) -> None:
    assert home.hear("44" + PRESS) == [Presence("door", near=True, rssi_dbm=-60)]


def test_what_came_before_an_unknown_object_is_told_and_counted(home: Home) -> None:
    assert home.hear("44005a2d01f7013a01") == [Found("door", Sensed.DOOR, on=True)]
    assert home.sensors.refused == {"unknown_object": 1}
    assert home.hear("4400052d") == []
    assert home.sensors.refused == {"unknown_object": 1, "truncated": 1}


@pytest.mark.parametrize(("data", "reason"), [("40", "empty"), ("", "empty"), ("203a", "version")])
def test_an_advert_that_says_nothing_is_counted(home: Home, data: str, reason: str) -> None:
    assert home.hear(data) == []
    assert home.sensors.refused == {reason: 1}


def test_a_room_and_a_charge_are_told_seldom(home: Home) -> None:
    first = home.hear("40015a02e803037017")
    assert first == [
        Battery("door", 90),
        Ambient("door", {"temperature_c": 10.0, "humidity_pct": 60.0}),
    ]
    assert home.hear("40015a02e903") == []
    assert home.hear("40015a02ea03", after_s=AMBIENT_S) == [
        Ambient("door", {"temperature_c": 10.02})
    ]
    assert home.hear("400159") == [Battery("door", 89)]
    assert home.hear("4000000159", after_s=BATTERY_S) == [Battery("door", 89)]


def test_a_battery_that_says_only_low_and_one_that_lies(home: Home) -> None:
    assert home.hear("401501") == [Battery("door", 0)]
    assert home.hear("401500") == [Battery("door", 100)]
    assert home.hear("4001ff") == []


def test_wearables_and_phones_are_not_heard_here() -> None:
    home = Home(Wearable("band", OTHER, "band"), Phone("phone", ADDRESS))
    assert home.hear("44" + PRESS) == []
    assert home.sensors.refused == {}
