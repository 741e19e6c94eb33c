"""The microphone over a real PortAudio, in a room of sound without a sound card."""

import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from time import monotonic

import pytest

from tests.voice.room import Room, until
from voice.sound.microphone import SAMPLES, Condition, Microphone
from voice.sound.portaudio import Device, PortAudio, Reason, SoundError


def tone(hz: float = 500, seconds: float = 1.0, rate_hz: int = 16_000) -> bytes:
    step = 2 * math.pi * hz / rate_hz
    return array(
        "h", (int(9000 * math.sin(n * step)) for n in range(int(seconds * rate_hz)))
    ).tobytes()


def loudest(pieces: list[bytes]) -> int:
    return max((max(map(abs, array("h", piece))) for piece in pieces), default=0)


@contextmanager
def running(
    pieces: list[bytes], name: str = "microphone", silent_s: float = 30
) -> Iterator[Microphone]:
    sound = PortAudio()
    microphone = Microphone(sound, name, pieces.append, silent_s=silent_s)
    microphone.start()
    try:
        yield microphone
    finally:
        microphone.stop()
        sound.close()


def test_what_is_said_in_the_room_is_heard(place: Room) -> None:
    pieces: list[bytes] = []
    with running(pieces):
        assert until(lambda: len(pieces) > 10)
        assert loudest(pieces) < 500
        place.say(tone())
        assert until(lambda: loudest(pieces) > 6000)
    assert {len(piece) for piece in pieces} == {SAMPLES * 2}


def test_a_microphone_that_disappears_is_lost_soon_and_back_soon_after_it_returns(
    place: Room,
) -> None:
    pieces: list[bytes] = []
    with running(pieces) as microphone:
        assert until(lambda: len(pieces) > 10)
        gone_at = monotonic()
        place.unplug()
        try:
            assert until(lambda: microphone.condition().lost, 30)
            lost_s = monotonic() - gone_at
            assert microphone.condition().reason
        finally:
            place.plug_in()
        back_at = monotonic()
        assert until(lambda: not microphone.condition().lost, 15)
        assert not microphone.condition().reason
    print(f"lost after {lost_s:.1f} s, back after {monotonic() - back_at:.1f} s")  # noqa: T201


def test_a_microphone_switched_off_is_told_from_one_that_is_lost(place: Room) -> None:
    pieces: list[bytes] = []
    with running(pieces, silent_s=0.5) as microphone:
        assert until(lambda: len(pieces) > 10)
        assert not microphone.condition().muted
        place.mute(on=True)
        try:
            assert until(lambda: microphone.condition().muted)
            assert not microphone.condition().lost
        finally:
            place.mute(on=False)
        assert until(lambda: not microphone.condition().muted)


def test_a_sound_system_that_hangs_is_noticed(place: Room) -> None:
    pieces: list[bytes] = []
    with running(pieces) as microphone:
        assert until(lambda: len(pieces) > 10)
        place.freeze()
        try:
            assert until(lambda: microphone.condition().tried_s > 2)
        finally:
            place.thaw()
        assert until(lambda: microphone.condition().tried_s < 1)


@pytest.mark.usefixtures("place")
def test_no_such_microphone_is_said_by_its_name() -> None:
    with running([], "Grandma's USB") as microphone:
        assert until(lambda: "Grandma's USB" in microphone.condition().reason)


class Card:
    """A sound card that knows one rate only, and whose reads say what the test wants."""

    def __init__(self, rate_hz: int, channels: int, reads: list[bytes | None]) -> None:
        self.rate_hz, self.channels, self.reads = rate_hz, channels, reads
        self.opened, self.looks = False, 0

    def find(self, part: str, *, playing: bool) -> Device:
        return Device(0, part, int(not playing), int(playing), self.rate_hz)

    def record(self, device: Device, rate_hz: int, frames: int, channels: int = 1) -> "Card":
        assert device.rate_hz == self.rate_hz
        assert frames == SAMPLES * rate_hz // 16_000
        if (rate_hz, channels) != (self.rate_hz, self.channels):
            raise SoundError(Reason.REFUSED, f"{rate_hz} Hz")
        self.opened = True
        return self

    def read(self, frames: int) -> bytes | None:
        if not self.reads:
            raise SoundError(Reason.LOST)
        piece = self.reads.pop(0)
        assert piece is None or len(piece) == frames * 2 * self.channels
        return piece

    def close(self) -> None:
        self.opened = False

    def rescan(self) -> None:
        assert not self.opened, "PortAudio would pull the stream away"
        self.looks += 1


def heard_from(card: Card) -> tuple[list[bytes], Condition]:
    pieces: list[bytes] = []
    microphone = Microphone(card, "card", pieces.append)  # type: ignore[arg-type]
    microphone.start()
    assert until(lambda: not card.reads)
    condition = microphone.condition()
    microphone.stop(5)
    return pieces, condition


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 1), (48_000, 1), (48_000, 2)])
def test_a_card_that_knows_only_its_own_rate_is_taken_at_that(rate_hz: int, channels: int) -> None:
    frames = SAMPLES * rate_hz // 16_000
    sound = tone(500, 1.0, rate_hz)
    mono = [sound[n : n + frames * 2] for n in range(0, len(sound) - frames * 2, frames * 2)]
    both = [b"".join(m[n : n + 2] * channels for n in range(0, len(m), 2)) for m in mono]
    pieces, _ = heard_from(Card(rate_hz, channels, list(both)))
    assert {len(piece) for piece in pieces} == {SAMPLES * 2}
    assert abs(len(pieces) - len(mono)) <= 1
    samples = array("h", b"".join(pieces)[3200:])
    crossings = sum(a < 0 <= b for a, b in pairwise(samples))
    assert crossings / (len(samples) / 16_000) == pytest.approx(500, rel=0.02)


def test_sound_that_was_lost_is_counted() -> None:
    whole = bytes(SAMPLES * 2)
    pieces, condition = heard_from(Card(16_000, 1, [whole, None, whole, None]))
    assert len(pieces) == 2
    assert condition.overflows == 2


def test_another_look_at_all_devices_lets_go_of_the_microphone_first(place: Room) -> None:
    del place
    pieces: list[bytes] = []
    looks: list[int] = []

    class Counted(PortAudio):
        def rescan(self) -> None:
            super().rescan()
            looks.append(1)

    microphone = Microphone(Counted(), "microphone", pieces.append)
    microphone.start()
    try:
        assert until(lambda: pieces)
        microphone.open_again()
        assert until(lambda: looks)
        pieces.clear()
        assert until(lambda: pieces)
        assert not microphone.condition().reason
    finally:
        microphone.stop()
