"""Our own voice is removed from what the microphone hears; the other person's voice is left."""

import numpy as np
import pytest

from voice.sound import echo
from voice.sound.echo import Floats
from voice.sound.pcm import HEARING_HZ, from_pcm, resampled, to_pcm
from voice.speaking.bank import Bank, fixed_sentences

LATE = HEARING_HZ // 5


def spoken(number: int) -> Floats:
    """Return a sentence of the bank, 4 s long with the silence after it."""
    audio = Bank().find(fixed_sentences()[number])
    assert audio is not None
    sound = from_pcm(resampled(audio.pcm, audio.rate_hz, HEARING_HZ))[: 4 * HEARING_HZ]
    return np.concatenate([sound, np.zeros(4 * HEARING_HZ - len(sound), np.float32)])


def in_a_room(sound: Floats, seed: int = 1) -> Floats:
    """Return its echo: 0.2 s late, with 0.4 s of reverberation and a loudspeaker's distortion."""
    random = np.random.default_rng(seed)
    time_s = np.arange(int(0.35 * HEARING_HZ)) / HEARING_HZ
    room = random.standard_normal(len(time_s)) * 10 ** (-3 * time_s / 0.4) * 0.15
    room[0] = 1
    heard = np.convolve(np.tanh(1.5 * sound) / 1.5, room)[: len(sound) - LATE]
    return np.asarray(np.concatenate([np.zeros(LATE), heard]) * 0.5, np.float32)


def level_db(sound: Floats) -> float:
    return float(10 * np.log10(np.mean(sound**2)))


@pytest.mark.parametrize("number", [0, 20, 40])
def test_of_our_own_voice_hardly_anything_is_left(number: int) -> None:
    own = spoken(number)
    heard = in_a_room(own)
    left = from_pcm(echo.without(to_pcm(heard), to_pcm(own)))
    assert len(left) == len(heard)
    assert level_db(left) < level_db(heard) - 17


def test_another_voice_amid_ours_is_left_as_it_was() -> None:
    own, other = spoken(0), in_a_room(spoken(30), seed=2)
    echoed = in_a_room(own)
    other *= np.sqrt(np.mean(echoed**2) / np.mean(other**2)) / 2  # 6 dB below ours
    left = from_pcm(echo.without(to_pcm(echoed + other), to_pcm(own)))
    assert level_db(left - other) < level_db(other) - 8


def test_while_we_are_silent_all_that_is_heard_is_left() -> None:
    heard = to_pcm(in_a_room(spoken(10)))
    assert echo.without(heard, bytes(len(heard))) == heard


def test_where_nothing_of_us_can_be_heard_the_other_voice_is_left() -> None:
    """As with a speakerphone that takes our voice out by itself."""
    other = in_a_room(spoken(30))
    left = from_pcm(echo.without(to_pcm(other), to_pcm(spoken(0))))
    assert level_db(left - other) < level_db(other) - 8


def test_the_delay_is_found() -> None:
    own = spoken(0)
    assert echo.delay(in_a_room(own), own) == pytest.approx(LATE, abs=32)
