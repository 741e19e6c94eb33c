"""Sounds that people make without a word, and some that no person makes: composed, always the same.

    breath or glottal pulses --> one or two vowels of a mouth --> an envelope --> the sound

Each kind is drawn anew for each number: length, pitch, mouth and loudness are at random within what
such sounds have. No recording of anybody is in them, and nothing here is spoken by a voice.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from bench.voice_sound import Random, Sound
from voice.sound.pcm import HEARING_HZ

Mouth: TypeAlias = tuple[tuple[float, float], ...]  # resonances: Hz, and how wide they are in Hz
# The vowels in which people groan, by the resonances of a grown person (Peterson and Barney 1952,
# and Yang 1996 for Korean), and what is left of them with the lips shut.
MOUTHS: Mapping[str, Mouth] = {
    "a": ((770, 90), (1400, 110), (2600, 160), (3500, 250)),
    "eo": ((600, 80), (1000, 100), (2550, 160), (3400, 250)),
    "eu": ((400, 70), (1400, 110), (2450, 160), (3400, 250)),
    "o": ((430, 80), (780, 90), (2550, 160), (3400, 250)),
    "u": ((350, 70), (850, 90), (2400, 160), (3300, 250)),
    "m": ((260, 60), (1100, 250), (2150, 300), (2900, 300)),
    "ng": ((280, 70), (1300, 300), (2300, 300), (3000, 300)),
}
VOWELS = tuple(name for name in MOUTHS if name not in ("m", "ng"))
SEED = 4711


def made(kind: str, number: int) -> Sound:
    """Return the sound of a kind with this number: always the same, its peak at 0.05 to 0.9."""
    random = np.random.default_rng([SEED, list(KINDS).index(kind), number])
    sound = KINDS[kind](random)
    peak = float(np.abs(sound).max()) or 1.0
    return np.asarray(sound / peak * 10 ** random.uniform(-1.3, -0.05))


def burst(random: Random) -> Sound:
    """Return the sound of a burst of noise: a door, a pot, cloth, water."""
    count = _samples(random.uniform(0.1, 1.5))
    centre_hz, width_hz = 10 ** random.uniform(2.3, 3.7), 10 ** random.uniform(2.3, 3.6)
    noise = _filtered(random.standard_normal(count), ((centre_hz, width_hz),))
    return noise * np.exp(-np.arange(count) / HEARING_HZ * random.uniform(1, 25))


def hum(random: Random) -> Sound:
    """Return the sound of a hum with the lips shut, steady or swaying."""
    seconds, low = random.uniform(0.4, 3.0), random.uniform(90, 260)
    pitch = _pitch(seconds, [low, low * random.uniform(0.8, 1.3)], random)
    return _voiced(pitch, ("m", str(random.choice(["m", "ng"]))), 0.03, random) * _swell(
        len(pitch), random
    )


def breath(random: Random) -> Sound:
    """Return the sound of one to four breaths, in and out."""
    parts = []
    for _ in range(int(random.integers(1, 5))):
        count = _samples(random.uniform(0.3, 1.2))
        mouth = MOUTHS[str(random.choice(VOWELS))]
        air = _filtered(random.standard_normal(count), (*mouth, (4500, 2500)))
        parts += [air * _swell(count, random), np.zeros(_samples(random.uniform(0.05, 0.4)))]
    return np.concatenate(parts)


def sigh(random: Random) -> Sound:
    """Return the sound of a sigh: air, and a voice that falls away."""
    seconds, high = random.uniform(0.7, 2.2), random.uniform(120, 280)
    pitch = _pitch(seconds, [high, high * random.uniform(0.4, 0.7)], random)
    return _voiced(pitch, _two(random), random.uniform(0.2, 0.8), random) * _fall(len(pitch))


def groan(random: Random) -> Sound:
    """Return the sound of a groan: long, rough, low, its mouth opening or closing."""
    seconds, low = random.uniform(0.5, 3.5), random.uniform(70, 210)
    pitch = _pitch(
        seconds, [low, low * random.uniform(1, 1.5), low * random.uniform(0.6, 1)], random
    )
    rough = 1 + random.uniform(0, 0.6) * np.sin(np.cumsum(pitch) * np.pi / HEARING_HZ)
    return (
        _voiced(pitch, _two(random), random.uniform(0.02, 0.3), random)
        * rough
        * _swell(len(pitch), random)
    )


def whimper(random: Random) -> Sound:
    """Return the sound of a sob: breaths drawn in jerks, and a high voice that breaks off."""
    parts = []
    for _ in range(int(random.integers(2, 6))):
        air = _filtered(random.standard_normal(_samples(random.uniform(0.06, 0.2))), MOUTHS["eo"])
        high = random.uniform(220, 480)
        pitch = _pitch(random.uniform(0.12, 0.5), [high, high * random.uniform(0.6, 1.1)], random)
        voice = _voiced(pitch, _two(random), 0.2, random) * _fall(len(pitch))
        parts += [air * 0.3 / (np.abs(air).max() + 1e-9), voice / (np.abs(voice).max() + 1e-9)]
        parts.append(np.zeros(_samples(random.uniform(0.03, 0.3))))
    return np.concatenate(parts)


def laughter(random: Random) -> Sound:
    """Return the sound of laughter: a breath and a vowel, some five times a second, falling."""
    high, mouth = random.uniform(130, 380), str(random.choice(VOWELS))
    parts = []
    for number in range(int(random.integers(3, 10))):
        pitch = _pitch(random.uniform(0.06, 0.16), [high * 0.96**number] * 2, random)
        voice = _voiced(pitch, (mouth, mouth), 0.15, random) * _fall(len(pitch))
        air = _filtered(random.standard_normal(_samples(random.uniform(0.04, 0.1))), MOUTHS[mouth])
        parts += [air * 0.4 / np.abs(air).max(), voice / np.abs(voice).max() * 0.93**number]
    return np.concatenate(parts)


def cough(random: Random) -> Sound:
    """Return the sound of one to four coughs: a bang of air, and what the throat makes after it."""
    parts = []
    for _ in range(int(random.integers(1, 5))):
        count = _samples(random.uniform(0.12, 0.35))
        air = _filtered(random.standard_normal(count), ((600, 400), (1700, 900), (3200, 1500)))
        bang = air / np.abs(air).max() * np.exp(-np.arange(count) / HEARING_HZ * 14)
        low = random.uniform(110, 300)
        pitch = _pitch(random.uniform(0.08, 0.3), [low, low * 0.7], random)
        tail = _voiced(pitch, _two(random), 0.6, random) * _fall(len(pitch))
        parts += [bang, tail / np.abs(tail).max() * random.uniform(0.1, 0.6)]
        parts.append(np.zeros(_samples(random.uniform(0.03, 0.4))))
    return np.concatenate(parts)


def sneeze(random: Random) -> Sound:
    """Return the sound of a sneeze: air drawn in, a short vowel, hissing air."""
    drawn = _filtered(random.standard_normal(_samples(random.uniform(0.2, 0.7))), MOUTHS["a"])
    low = random.uniform(150, 350)
    pitch = _pitch(random.uniform(0.08, 0.25), [low, low * 1.3], random)
    vowel = _voiced(pitch, _two(random), 0.2, random) * _fall(len(pitch))
    count = _samples(random.uniform(0.15, 0.45))
    hiss = _filtered(random.standard_normal(count), ((3500, 1500), (6000, 2000))) * _fall(count)
    rising = np.linspace(0.05, 0.3, len(drawn)) / np.abs(drawn).max()
    return np.concatenate(
        [drawn * rising, vowel / np.abs(vowel).max(), hiss / np.abs(hiss).max() * 0.8]
    )


def throat(random: Random) -> Sound:
    """Return the sound of clearing a throat: slow pulses, first with a shut mouth, then open."""
    seconds, low = random.uniform(0.3, 1.0), random.uniform(45, 110)
    pitch = _pitch(seconds, [low, low * random.uniform(1, 2)], random)
    ends = (str(random.choice(["m", "ng", "eu", "eo"])), str(random.choice(["m", "ng", "eo"])))
    return _voiced(pitch, ends, 0.7, random) * _swell(len(pitch), random)


KINDS: Mapping[str, Callable[[Random], Sound]] = {
    "burst": burst, "hum": hum, "breath": breath, "sigh": sigh, "groan": groan,
    "whimper": whimper, "laughter": laughter, "cough": cough, "sneeze": sneeze, "throat": throat,
}  # fmt: skip


def _samples(seconds: float) -> int:
    return int(seconds * HEARING_HZ)


def _two(random: Random) -> tuple[str, str]:
    """Return the mouth at the beginning and at the end; every other one does not move."""
    first = str(random.choice(list(MOUTHS)))
    return first, first if random.random() < 0.5 else str(random.choice(list(MOUTHS)))


def _pitch(seconds: float, points: list[float], random: Random) -> Sound:
    """Return a pitch in Hz for each sample: through these points, never quite steady."""
    count = max(_samples(seconds), 64)
    line = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(points)), points)
    sway = np.interp(np.arange(count), np.arange(0, count + 800, 800),
                     random.standard_normal(len(np.arange(0, count + 800, 800))))  # fmt: skip
    return np.asarray(line * (1 + 0.03 * sway))


def _voiced(pitch: Sound, mouths: tuple[str, str], air: float, random: Random) -> Sound:
    """Return a voice of this pitch through a mouth that moves; `air`: how much of it is breath."""
    turns = np.cumsum(pitch) / HEARING_HZ
    phase = turns - np.floor(turns)
    pulses = np.maximum(0, np.sin(2 * np.pi * phase)) ** 3 * (1 - phase)  # a glottis opens, shuts
    noise = random.standard_normal(len(pitch)) * pulses.std()
    source = np.diff(pulses - pulses.mean(), prepend=0) * 8 * (1 - air) + noise * air
    begin, end = (_filtered(source, MOUTHS[name]) for name in mouths)
    there = np.linspace(0, 1, len(source))
    return np.asarray(begin * (1 - there) + end * there)


def _filtered(sound: Sound, mouth: Mouth) -> Sound:
    """Return sound as resonances let it through."""
    hz = np.fft.rfftfreq(len(sound), 1 / HEARING_HZ)
    through = sum(1 / (1 + ((hz - at) / (width / 2)) ** 2) for at, width in mouth)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound) * (through + 0.003), len(sound)))


def _swell(count: int, random: Random) -> Sound:
    """Return an envelope that rises and falls."""
    top = random.uniform(0.15, 0.6)
    return np.asarray(np.interp(np.linspace(0, 1, count), [0, top, 0.9, 1], [0, 1, 0.5, 0]))


def _fall(count: int) -> Sound:
    """Return an envelope that begins at once and falls."""
    return np.asarray(np.interp(np.linspace(0, 1, count), [0, 0.08, 1], [0, 1, 0]))
