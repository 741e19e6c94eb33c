"""Each object of BTHome, plain and encrypted, beside another parser where that one is right."""

import itertools

import pytest
from bleak.backends.device import BLEDevice
from bthome_ble import BTHomeBluetoothDeviceData
from bthome_ble.const import MEAS_TYPES
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from habluetooth import BluetoothServiceInfoBleak
from hypothesis import given
from hypothesis import strategies as st

from drivers.bluetooth.air import BTHOME
from drivers.bluetooth.frames import bthome
from drivers.bluetooth.frames.octets import Refusal
from hub.contract.radio import How

ADDRESS = "38:39:8F:70:B2:E1"
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
CIPHER = bthome.Cipher(ADDRESS, KEY)
EVENTS = {bthome.BUTTON, bthome.COMMAND, bthome.DIMMER}
THIRDS = 0x58  # temperature in steps of 0.35: the other parser rounds it to 0.1
SIZES = {kind: number.size for kind, number in bthome.NUMBERS.items()}


def seal(objects: bytes, counter: int, *, info: int = 0x45, address: str = ADDRESS) -> bytes:
    """Encrypt as the format has it."""
    mac = bytes.fromhex(address.replace(":", ""))
    count = counter.to_bytes(4, "little")
    sealed = AESCCM(bytes.fromhex(KEY), tag_length=4).encrypt(
        mac + b"\xd2\xfc" + bytes([info]) + count, objects, None
    )
    inside = mac[::-1] if info & bthome.WITH_ADDRESS else b""
    return bytes([info]) + inside + sealed[:-4] + count + sealed[-4:]


def asked_elsewhere(data: bytes) -> dict[str, object]:
    """Return the values that bthome-ble reads, by its own names."""
    device = BLEDevice(ADDRESS, "x", {})
    heard = BluetoothServiceInfoBleak(
        name="x", address=ADDRESS, rssi=-60, manufacturer_data={}, service_data={BTHOME: data},
        service_uuids=[], source="", device=device, advertisement=None,
        connectable=False, time=1.0, tx_power=None,
    )  # fmt: skip
    update = BTHomeBluetoothDeviceData().update(heard)
    found = dict[str, object]()
    found |= {key.key: one.native_value for key, one in update.entity_values.items()}
    found |= {key.key: one.native_value for key, one in update.binary_entity_values.items()}
    found |= {key.key: one.event_type for key, one in update.events.items()}
    del found["signal_strength"]
    return found


def test_every_object_that_the_other_parser_knows_is_known() -> None:
    ours = {bthome.PACKET_ID, *EVENTS, *bthome.NUMBERS, *bthome.STATES}
    assert {*ours, bthome.TEXT, bthome.RAW, *bthome.FIRMWARE} == set(MEAS_TYPES)


@pytest.mark.parametrize("kind", sorted(set(bthome.NUMBERS) - {0x50, 0xF0}))
@given(data=st.data())
def test_each_number_is_as_the_other_parser_reads_it(kind: int, data: st.DataObject) -> None:
    size = SIZES[kind]
    raw = data.draw(
        st.sampled_from([b"\x00" * size, b"\xff" * size, b"\xff" * (size - 1) + b"\x7f"])
        | st.binary(min_size=size, max_size=size)
    )
    advert = bytes([0x40, kind]) + raw
    frame = bthome.read(advert)
    [theirs] = asked_elsewhere(advert).values()
    [ours] = frame.values.values()
    assert ours == pytest.approx(theirs, abs=0.051 if kind == THIRDS else 1e-9)
    assert frame.reason is None


@pytest.mark.parametrize("kind", sorted(bthome.STATES))
@pytest.mark.parametrize("raw", [0, 1, 2, 255])
def test_each_state_is_as_the_other_parser_reads_it(kind: int, raw: int) -> None:
    advert = bytes([0x40, kind, raw])
    frame = bthome.read(advert)
    assert list(frame.values.values()) == list(asked_elsewhere(advert).values()) == [raw > 0]
    assert list(frame.values) == [bthome.STATES[kind][0]]


def test_a_step_of_035_degrees_is_not_rounded_away() -> None:
    assert bthome.read(bytes.fromhex("405801")).values == {"temperature_c": 0.35}
    assert asked_elsewhere(bytes.fromhex("405801")) == {"temperature": 0.3}  # it errs


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (0x01, How.PRESS),
        (0x02, How.DOUBLE),
        (0x03, How.TRIPLE),
        (0x04, How.LONG),
        (0x05, How.LONG_DOUBLE),
        (0x06, How.LONG_TRIPLE),
        (0x80, How.HOLD),
        (0xFE, How.HOLD),
    ],
)
def test_each_way_of_pressing_is_a_press(code: int, how: How) -> None:
    advert = bytes([0x44, 0x00, 0x05, 0x3A, code])
    assert bthome.presses(bthome.read(advert)) == ((1, how),)
    theirs = asked_elsewhere(advert).get("button")
    assert theirs == (None if code == 0xFE else str(how))  # it drops Shelly's hold


def test_none_and_a_release_are_no_presses() -> None:
    for code in ("00", "81"):
        assert bthome.presses(bthome.read(bytes.fromhex("44000a3a" + code))) == ()


def test_a_way_of_pressing_that_is_not_known_yet_rings() -> None:
    assert bthome.presses(bthome.read(bytes.fromhex("443a07"))) == ((1, How.OTHER),)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 0x80, 0xFE]), min_size=1, max_size=6))
def test_the_place_of_a_button_is_its_number(codes: list[int]) -> None:
    frame = bthome.read(b"\x44" + b"".join(bytes([0x3A, code]) for code in codes))
    assert frame.buttons == tuple(codes)
    pressed = [number for number, code in enumerate(codes, 1) if code]
    assert [number for number, _ in bthome.presses(frame)] == pressed


def test_a_dimmer_turns_by_steps_and_a_command_has_arguments() -> None:
    frame = bthome.read(bytes.fromhex("443c01033c02ff3b02040102"))
    assert frame.dimmers == ((1, 3), (2, 255))
    assert frame.commands == ((0x04, b"\x01\x02"),)
    assert frame.reason is None


def test_text_raw_bytes_time_firmware_and_type_are_read() -> None:
    advert = "405305" + b"hello".hex() + "5402c0de505d396164f10a0b0c0df2010203f00100"
    assert bthome.read(bytes.fromhex(advert)).values == {
        "text": "hello",
        "raw": "c0de",
        "timestamp_utc": 0x6461395D,
        "firmware": "13.12.11.10",
        "firmware_2": "3.2.1",
        "device_type": 1,
    }
    assert bthome.read(bytes.fromhex("405302fffe")).values == {"text": "\ufffd\ufffd"}


def test_a_second_object_of_a_name_has_a_number() -> None:
    frame = bthome.read(bytes.fromhex("4002e80302d00702b80b"))
    assert frame.values == {"temperature_c": 10, "temperature_c_2": 20, "temperature_c_3": 30}


def test_objects_in_any_order_are_read() -> None:
    frame = bthome.read(bytes.fromhex("443a0101640005"))
    assert (frame.buttons, frame.packet_id, frame.values) == ((1,), 5, {"battery_pct": 100})


def test_an_object_of_tomorrow_ends_the_reading_and_nothing_is_guessed() -> None:
    frame = bthome.read(bytes.fromhex("440005015af7013a01"))
    assert (frame.packet_id, frame.values, frame.buttons) == (5, {"battery_pct": 90}, ())
    assert frame.reason is Refusal.UNKNOWN_OBJECT


@pytest.mark.parametrize(
    "kind", sorted({*bthome.NUMBERS, *bthome.STATES, *EVENTS, 0x53, 0x54, 0xF1, 0xF2, 0x00})
)
def test_an_object_that_is_cut_is_truncated_and_what_came_before_is_kept(kind: int) -> None:
    whole = bytes([kind]) + (b"\x03abcd" if kind in {0x3B, 0x53, 0x54} else b"\x01" * 4)
    size = SIZES.get(kind, {0x3C: 2, 0x3B: 5, 0x53: 4, 0x54: 4, 0xF1: 4, 0xF2: 3}.get(kind, 1))
    before = bytes.fromhex("4002e803")
    assert bthome.read(before + whole[: size + 1]).reason is None
    for cut in range(1, size + 1):
        frame = bthome.read(before + whole[:cut])
        assert (frame.values, frame.reason) == ({"temperature_c": 10}, Refusal.TRUNCATED)


@pytest.mark.parametrize(
    ("advert", "reason"),
    [
        ("", Refusal.EMPTY),
        ("40", Refusal.EMPTY),
        ("41", Refusal.EMPTY),
        ("42", Refusal.TRUNCATED),
        ("42e1b2708f3938", Refusal.EMPTY),
        ("41000000000000", Refusal.TRUNCATED),
        ("203a01", Refusal.VERSION),
        ("003a01", Refusal.VERSION),
        ("e03a01", Refusal.VERSION),
        ("459e29e26317a901e7226abef80d80", Refusal.NO_KEY),
    ],
)
def test_what_is_no_advert_says_why(advert: str, reason: Refusal) -> None:
    frame = bthome.read(bytes.fromhex(advert))
    assert (frame.reason, frame.values, frame.buttons) == (reason, {}, ())


@given(
    st.binary(max_size=18),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0x41, 0x43, 0x45, 0x47, 0x59]),
)
def test_what_was_sealed_is_opened(objects: bytes, counter: int, info: int) -> None:
    frame = bthome.read(seal(objects, counter, info=info), CIPHER)
    plain = bthome.read(bytes([0x40]) + objects)
    assert (frame.values, frame.buttons, frame.packet_id, frame.reason) == (
        plain.values,
        plain.buttons,
        plain.packet_id,
        plain.reason,
    )
    assert (frame.authenticated, frame.counter, len(frame.mark)) == (True, counter, 8)


def test_an_address_inside_the_frame_is_the_one_of_the_nonce() -> None:
    sealed = seal(bytes.fromhex("3a01"), 7, info=0x47, address="AA:BB:CC:DD:EE:FF")
    assert bthome.read(sealed, CIPHER).buttons == (1,)


def test_a_sealed_frame_with_any_bit_turned_is_not_authentic() -> None:
    sealed = seal(bytes.fromhex("005d3a01"), 1_780_672_257)
    assert bthome.read(sealed, CIPHER).buttons == (1,)
    for place, bit in itertools.product(range(1, len(sealed)), range(8)):
        turned = bytearray(sealed)
        turned[place] ^= 1 << bit
        frame = bthome.read(bytes(turned), CIPHER)
        assert (frame.reason, frame.buttons) == (Refusal.NOT_AUTHENTIC, ())


def test_the_trigger_bit_of_the_info_byte_is_guarded_too() -> None:
    sealed = seal(bytes.fromhex("3a01"), 7)
    assert bthome.read(b"\x41" + sealed[1:], CIPHER).reason is Refusal.NOT_AUTHENTIC


def test_a_frame_of_another_key_or_address_is_not_authentic() -> None:
    sealed = seal(bytes.fromhex("3a01"), 7)
    for other in (bthome.Cipher(ADDRESS, "00" + KEY[2:]), bthome.Cipher("38:39:8F:70:B2:E2", KEY)):
        assert bthome.read(sealed, other).reason is Refusal.NOT_AUTHENTIC


def test_a_plain_frame_of_a_device_with_a_key_says_nothing() -> None:
    frame = bthome.read(bytes.fromhex("44006001643a01"), CIPHER)
    assert (frame.reason, frame.values, frame.buttons) == (Refusal.DOWNGRADE, {}, ())


def test_frames_have_marks_that_tell_them_apart() -> None:
    plain = [bthome.read(bytes.fromhex(one)).mark for one in ("44003a01", "44013a01", "44003a01")]
    assert plain[0] != plain[1]
    assert plain[0] == plain[2]


@given(st.binary(max_size=31), st.booleans())
def test_no_bytes_break_the_parser(data: bytes, keyed: bool) -> None:  # noqa: FBT001 - drawn
    frame = bthome.read(data, CIPHER if keyed else None)
    assert frame.reason is None or frame.reason in Refusal
    bthome.presses(frame)
