"""Recordings, and the noises of a home: a fan, a kettle, a television next door (babble)."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from bench.report import Report
from voice.sound.pcm import HEARING_HZ, from_pcm
from voice.sound.wav import read_wav

GIVEN = Path(__file__).resolve().parents[2] / "shared/speech"  # beside the repository
Sound: TypeAlias = npt.NDArray[np.float64]
Random: TypeAlias = np.random.Generator
NOISES: tuple[str, ...] = ("babble", "kettle", "fan")


class Recording(Struct, frozen=True):
    """One line of a manifest, and its sound."""

    kind: str
    text: str
    voice: str
    sound: Sound


def add_folder(parser: ArgumentParser) -> None:
    """Add the argument for the folder of recordings; none are in the repository."""
    usual = Path(os.environ.get("ANBU_SPEECH", GIVEN))
    parser.add_argument("folder", nargs="?", type=Path, default=usual, help="has manifest.jsonl")


def given(folder: Path, report: Report) -> list[Recording]:
    """Read a folder's recordings; none, and a note, where it holds none."""
    if (folder / "manifest.jsonl").exists():
        return recordings(folder)
    report.notes.append("skipped: no recordings (name a folder, or set ANBU_SPEECH)")
    return []


def recordings(folder: Path) -> list[Recording]:
    """Read the recordings of a folder's `manifest.jsonl`."""
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [
        Recording(row["kind"], row["text"], row["voice"], _read(folder / row["file"]))
        for row in rows
    ]


def _read(path: Path) -> Sound:
    audio = read_wav(path)
    if audio is None:
        message = f"no 16-bit mono sound: {path}"
        raise OSError(message)
    return from_pcm(audio.pcm).astype(np.float64)


def mixed(clip: Sound, around: float, noise: Sound | None, snr_db: float) -> Sound:
    """Put `around` seconds before and after a clip, and noise over all of it.

    The level is measured where the clip is louder than a fiftieth of its peak.
    """
    gap = np.zeros(int(around * HEARING_HZ))
    whole = np.concatenate([gap, clip, gap, gap])
    if noise is None:
        return whole
    speech = np.mean(clip[np.abs(clip) > np.abs(clip).max() / 50] ** 2)
    wanted = speech / 10 ** (snr_db / 10)
    noise = np.resize(noise, len(whole))
    return np.asarray(whole + noise * np.sqrt(wanted / np.mean(noise**2)))


def from_afar(clips: Sequence[Recording], random: Random) -> list[Recording]:
    """Return recordings as they come from across a room: twice as much by its walls as straight.

    0.4 s of reverberation (a furnished room has 0.3 to 0.5 s), 34 dB below full scale.
    """
    time_s = np.arange(int(0.35 * HEARING_HZ)) / HEARING_HZ
    told = []
    for clip in clips:
        walls = random.standard_normal(len(time_s)) * 10 ** (-3 * time_s / 0.4)
        walls *= np.sqrt(2 / np.sum(walls**2))
        walls[0] = 1
        heard = np.convolve(clip.sound, walls)
        told.append(replace(clip, sound=heard * 0.02 / np.std(heard)))
    return told


def noise(kind: str, count: int, random: Random, others: Sequence[Recording]) -> Sound:
    """Return `count` samples of a noise; babble is made of the speech of `others`."""
    if kind == "babble":
        return babble(count, random, others)
    made: Callable[[int, Random], Sound] = {"fan": fan, "kettle": kettle}[kind]
    return made(count, random)


def fan(count: int, random: Random) -> Sound:
    """Return the sound of a fan: noise that falls with frequency, and the hum of its blades."""
    air = _shaped(random.standard_normal(count), lambda hz: 1 / np.maximum(hz, 60) ** 0.8)
    time_s = np.arange(count) / HEARING_HZ
    hum = 0.5 * np.sin(2 * np.pi * 118 * time_s) + 0.2 * np.sin(2 * np.pi * 236 * time_s)
    return np.asarray(air / air.std() + hum)


def kettle(count: int, random: Random) -> Sound:
    """Return the sound of a kettle: bubbling noise around 1.5 kHz and a whistle that wavers."""
    steam = _shaped(random.standard_normal(count), lambda hz: np.exp(-(((hz - 1500) / 1500) ** 2)))
    swell = 1 + 0.6 * _shaped(random.standard_normal(count), lambda hz: (hz < 12) * 30.0)
    time_s = np.arange(count) / HEARING_HZ
    whistle = 0.3 * np.sin(2 * np.pi * 2600 * time_s + 3 * np.sin(2 * np.pi * 5 * time_s))
    return np.asarray(steam / steam.std() * np.clip(swell, 0.1, 3) + whistle)


def babble(count: int, random: Random, others: Sequence[Recording], *, voices: int = 2) -> Sound:
    """Return speech of several voices at once, each without a pause."""
    told = np.zeros(count)
    for _ in range(voices):
        said: list[Sound] = []
        while sum(map(len, said)) < count + HEARING_HZ:
            clip = others[int(random.integers(len(others)))].sound
            said.append(clip / (clip.std() + 1e-6))
        start = int(random.integers(HEARING_HZ))
        told += np.concatenate(said)[start : start + count]
    return told


def _shaped(sound: Sound, by: Callable[[Sound], npt.NDArray[np.floating]]) -> Sound:
    hz: Sound = np.asarray(np.fft.rfftfreq(len(sound), 1 / HEARING_HZ), np.float64)
    spectrum = np.fft.rfft(sound) * by(hz)
    return np.asarray(np.fft.irfft(spectrum, len(sound)))
