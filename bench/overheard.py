"""What is heard of a cry amid our own words: `overheard [DIR]`, a folder of recordings.

The bank's sentences are spoken one after another in a simulated room (0.4 s of reverberation, a
loudspeaker that distorts, each sentence late by an amount of its own), first alone, then with cries
over them as loud as their echo, and 6 and 10 dB below. The floor of the cries is the same without
taking out our own voice. As `bench.voice` it looks for ANBU_SPEECH or ../shared/speech.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from bench.report import Report, arguments
from bench.voice_sound import Recording, Sound, add_folder, given
from voice.hearing import engines, vad
from voice.hearing.hearing import Hearing, Utterance
from voice.sound import echo
from voice.sound.pcm import HEARING_HZ, from_pcm, resampled, to_pcm
from voice.speaking.bank import Bank, fixed_sentences
from voice.understanding import phrases
from voice.understanding.intents import Expecting, Intent

LATE_S, VARIES_S, GAP_S, BETWEEN_S = 0.11, 0.03, 0.4, 4.0
LEVELS_DB = (0, -6, -10)


class Scene(Struct, frozen=True):
    """What we played and what the microphone heard of all; `cries`: from, to (samples)."""

    own: Sound
    heard: Sound
    sentences: list[tuple[int, str]]
    cries: list[tuple[int, int]]


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    add_folder(parser)
    args = parser.parse_args()
    report = Report("a cry amid our own words")
    if not (clips := given(args.folder, report)):
        return report.finish(as_json=args.json)
    known = phrases.load()
    hearing = Hearing(engines.load(None, known), known)
    cries = [clip for clip in clips if clip.kind == "sos"]
    seconds = 30 if args.short else 600 if args.full else 180
    _alone(report, hearing, seconds)
    for level in LEVELS_DB[:1] if args.short else LEVELS_DB:
        _cries(report, hearing, cries, seconds, level)
    return report.finish(as_json=args.json)


def _alone(report: Report, hearing: Hearing, seconds: int) -> None:
    scene = acted(seconds, (), 0, seed=1)
    began = time.process_time()
    left = cleaned(scene)
    work = (time.process_time() - began) / seconds
    power = 10 * np.log10(np.mean(scene.heard**2) / np.mean(left**2))
    report.add("our own voice taken out", float(power), "dB", at_least=15)
    report.add("work per second of our speech", work, "s", at_most=0.2)
    for name, sound in (("", left), (", were it not taken out", scene.heard)):
        found = [hearing.judge(one, Expecting.NOTHING).intent for _, one in spoken(sound, scene)]
        false = found.count(Intent.HELP)
        bar = None if name else 0
        report.add(f"our own voice as Help{name}", false, f"in {seconds} s", at_most=bar)


def _cries(
    report: Report, hearing: Hearing, clips: Sequence[Recording], seconds: int, level_db: float
) -> None:
    scene = acted(seconds, clips, level_db, seed=2)
    shares = [
        100 * heard_of(scene, sound, hearing) / len(scene.cries)
        for sound in (cleaned(scene), scene.heard)
    ]
    name = f"cries heard, {-level_db:g} dB below our echo"
    bar = 60 if level_db == 0 else None
    report.add(name, shares[0], "%", at_least=bar, floor=shares[1], hard=False)
    report.notes.append(f"{len(scene.cries)} cries at {level_db:g} dB")


def acted(seconds: float, cries: Sequence[Recording], level_db: float, seed: int) -> Scene:
    """Play the scene: our sentences without end, and a cry every few seconds."""
    random = np.random.default_rng(seed)
    count, at = int(seconds * HEARING_HZ), 0
    own, echoed = np.zeros(count + 30 * HEARING_HZ), np.zeros(count + 30 * HEARING_HZ)
    texts, room, sentences = fixed_sentences(), _room(random), list[tuple[int, str]]()
    while at < count:
        text = texts[int(random.integers(len(texts)))]
        if (audio := Bank().find(text)) is None:
            continue
        sound = from_pcm(resampled(audio.pcm, audio.rate_hz, HEARING_HZ)) * 0.8
        late = at + int((LATE_S + random.uniform(0, VARIES_S)) * HEARING_HZ)
        own[at : at + len(sound)] = sound
        reflected = np.convolve(np.tanh(1.5 * sound) / 1.5, room) * 0.5
        echoed[late : late + len(reflected)] += reflected
        sentences.append((at, text))
        at += len(sound) + int(GAP_S * HEARING_HZ)
    heard = echoed[:count] + random.standard_normal(count) * 2e-3
    loud = np.sqrt(np.mean(echoed[np.abs(echoed) > 0.01] ** 2)) * 10 ** (level_db / 20)
    marks = _cried(heard, cries, loud, random)
    return Scene(own[:count], heard, sentences, marks)


def _cried(
    heard: Sound, cries: Sequence[Recording], loud: float, random: np.random.Generator
) -> list[tuple[int, int]]:
    marks, at = list[tuple[int, int]](), int(BETWEEN_S * HEARING_HZ)
    while cries:
        sound = np.convolve(cries[int(random.integers(len(cries)))].sound, _room(random))
        if at + len(sound) + HEARING_HZ > len(heard):
            break
        spoken_at = np.abs(sound) > np.abs(sound).max() / 50
        sound *= loud / np.sqrt(np.mean(sound[spoken_at] ** 2))
        heard[at : at + len(sound)] += sound
        marks.append((at, at + len(sound)))
        at += len(sound) + int(BETWEEN_S * HEARING_HZ)
    return marks


def _room(random: np.random.Generator) -> Sound:
    time_s = np.arange(int(0.35 * HEARING_HZ)) / HEARING_HZ
    room = random.standard_normal(len(time_s)) * 10 ** (-3 * time_s / 0.4) * 0.15
    room[0] = 1
    return np.asarray(room)


def cleaned(scene: Scene) -> Sound:
    """Remove the hub's own voice from each sentence's part, as the product does."""
    starts = [at for at, _ in scene.sentences if at < len(scene.heard)]
    left = []
    for start, end in zip(starts, [*starts[1:], len(scene.heard)], strict=True):
        pcm = echo.without(to_pcm(scene.heard[start:end]), to_pcm(scene.own[start:end]))
        left.append(from_pcm(pcm))
    return np.concatenate(left).astype(np.float64)


def spoken(sound: Sound, scene: Scene) -> list[tuple[int, Utterance]]:
    """Return each utterance with its end, and the sentence that was spoken at that time."""
    segments, found = vad.Segmenter(vad.detector()), list[tuple[int, Utterance]]()
    pcm, size = to_pcm(np.concatenate([sound, np.zeros(HEARING_HZ)])), vad.PIECE * 2
    for start in range(0, len(pcm) - size + 1, size):
        for turn in segments.take_piece(pcm[start : start + size]):
            if isinstance(turn, vad.Ended) and turn.pcm:
                end = (start + size) // 2
                begin = end - len(turn.pcm) // 2
                after = [at for at, _ in scene.sentences[1:]] + [len(pcm)]
                own_words = " ".join(
                    text
                    for (at, text), until in zip(scene.sentences, after, strict=True)
                    if at < end and until > begin
                )
                found.append((end, Utterance(turn.pcm, cut=turn.cut, own_words=own_words)))
    return found


def heard_of(scene: Scene, sound: Sound, hearing: Hearing) -> int:
    """Count the cries that some utterance over them was heard as."""
    calls = [
        (end - len(one.pcm) // 2, end)
        for end, one in spoken(sound, scene)
        if hearing.judge(one, Expecting.NOTHING).intent is Intent.HELP
    ]
    return sum(any(a < end and b > begin for a, b in calls) for begin, end in scene.cries)


if __name__ == "__main__":
    sys.exit(main())
