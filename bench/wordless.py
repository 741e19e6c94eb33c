"""Sounds without a word are no answer: `wordless`, a thousand composed ones, heard by the product.

Bursts, hums, breaths, sighs, groans, sobs, laughter, coughs, sneezes and throats that are cleared
(`wordless_sound`), and where the neural voice is there, its voices that say "eum", "aigo", "ha ha".
Each is played to the detector of speech, and what that takes is judged; what it does not take is
judged all the same. None may be Fine, Yes, No or Cancel: in a check-in, after "do you need help?",
or unasked.
"""

import sys
from collections import Counter
from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from bench.report import Report, arguments, percentile
from bench.voice_heard import Listener, Remembering
from bench.voice_sound import Sound, mixed
from bench.wordless_sound import KINDS, made
from voice.hearing import engines, vad
from voice.hearing.hearing import Hearing, Utterance
from voice.hearing.whisper import Whisper
from voice.sound.pcm import HEARING_HZ, Resampler, from_pcm, to_pcm
from voice.speaking import kokoro_files
from voice.speaking.kokoro import SPEAKER, Kokoro, Person
from voice.understanding import phrases
from voice.understanding.intents import Expecting, Intent

ANSWERS = (Intent.FINE, Intent.YES, Intent.NO, Intent.CANCEL)
SITUATIONS = {
    "in a check-in": Expecting.CHECKIN,
    "after 'do you need help?'": Expecting.HELP,
    "unasked": Expecting.NOTHING,
}
EACH, SHORT_EACH = 100, 2  # of a kind; of a voice's sounds a tenth as many
VOICES_EACH = 20  # a voice more for so many of each kind
SAID = ("음", "으음", "아이고", "하하하", "어흠", "끄응", "아아", "허허허", "으으으", "에휴")
ROOM = 3e-4  # its own noise: 70 dB below full scale


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    parser.add_argument("--show", action="store_true", help="list what was an answer, or a call")
    args = parser.parse_args()
    report = Report("sounds without a word")
    known = phrases.load()
    loaded = engines.load(None, known)
    if not isinstance(loaded.recogniser, Whisper):
        report.notes.append("skipped: no model to hear with")
        return report.finish(as_json=args.json)
    loaded = replace(loaded, recogniser=Remembering(loaded.recogniser))
    listener = Listener(loaded, known)
    counts, told = Counter[tuple[Intent, str]](), list[str]()
    taken = total = 0
    for name, sound in sounds(SHORT_EACH if args.short else EACH):
        listener.hearing = Hearing(replace(loaded, detect=vad.detector()), known)
        utterances = list(listener.play(sound))
        taken, total = taken + bool(utterances), total + 1
        for utterance in utterances or [Utterance(to_pcm(sound))]:
            for where, expecting in SITUATIONS.items():
                meant = listener.judge(utterance, expecting)
                counts[meant, where] += 1
                if meant in (*ANSWERS, Intent.HELP):
                    told.append(f"{name} {where}: {meant} ({listener.written})")
    _tell(report, counts, taken, total)
    report.notes += told if args.show else []
    spent = [0.0, *listener.costs.verify]
    report.add("judged, p95", percentile(spent, 95), "s", at_most=3.0)
    return report.finish(as_json=args.json)


def _tell(report: Report, counts: Counter[tuple[Intent, str]], taken: int, total: int) -> None:
    report.notes.append(f"{total} sounds, of which the detector took {taken} for speech")
    for where in SITUATIONS:
        for intent in ANSWERS:
            report.add(f"{where}: {intent}", counts[intent, where], f"of {total}", at_most=0)
        report.add(f"{where}: a call for help", counts[Intent.HELP, where], f"of {total}")


def sounds(each: int) -> Iterator[tuple[str, Sound]]:
    """Return `each` sounds of every kind, and a tenth as many of every voice, by their names."""
    for kind in KINDS:
        for number in range(each):
            yield f"{kind} {number}", _in_room(made(kind, number), number)
    folder = kokoro_files.find(None)
    voices = sorted((folder / "voices").glob("*.bin")) if kokoro_files.is_whole(folder) else []
    for place, voice in enumerate(voices[: max(1, each // VOICES_EACH)]):
        speaks = Kokoro(folder, Person({voice.stem: 1.0}, SPEAKER.variants))
        for number in range(max(1, each // 10)):
            said = SAID[(number + place) % len(SAID)]
            audio = speaks.speak(said, 0.7 + 0.06 * (number % 8))
            sound = from_pcm(audio.pcm)
            still = np.zeros(audio.rate_hz // 5, np.float32)
            heard = Resampler(audio.rate_hz, HEARING_HZ).push(np.concatenate([sound, still]))
            yield f"{voice.stem} {said}", _in_room(heard.astype(np.float64), number)
        speaks.unload()


def _in_room(sound: Sound, number: int) -> Sound:
    """Put a moment of a quiet room around it."""
    whole = mixed(sound, 0.4, None, 0.0)
    noise = np.random.default_rng(number).standard_normal(len(whole))
    return np.asarray(whole + noise * ROOM)


if __name__ == "__main__":
    sys.exit(main())
