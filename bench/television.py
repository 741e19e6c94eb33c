"""What is heard of a call over a television: `television [DIR]`, a folder of recordings.

Before each call one or two voices (in turn, the folder's own talk, without a pause) have been
speaking for 22 s, and go on while it is made and after it. The floor is the same sound, cut where
the call begins and ends: what a perfect cut would give. False calls: `bench.voice --part rooms`.
As that it looks for ANBU_SPEECH or ../shared/speech. `--full` takes all calls, else each third.
"""

import sys
from collections.abc import Sequence

import numpy as np

from bench.report import Report, arguments
from bench.voice_heard import Listener
from bench.voice_sound import Recording, Sound, add_folder, babble, given
from voice.hearing import engines
from voice.hearing.hearing import Utterance
from voice.sound.pcm import HEARING_HZ, to_pcm
from voice.understanding import phrases
from voice.understanding.intents import Expecting, Intent

BEFORE, AFTER, AROUND = 22 * HEARING_HZ, HEARING_HZ, HEARING_HZ // 5
LEVELS_DB = (10, 5)
BAR_PCT = 60.0  # at 10 dB; our own, nobody has promised one
SHORT, THIRD = 3, 3


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    add_folder(parser)
    args = parser.parse_args()
    report = Report("a call over a television")
    if not (clips := given(args.folder, report)):
        return report.finish(as_json=args.json)
    known = phrases.load()
    listener = Listener(engines.load(None, known), known)
    calls = [clip for clip in clips if clip.kind == "sos"][:: 1 if args.full else THIRD]
    talk = [clip for clip in clips if clip.kind == "talk"]
    for level in LEVELS_DB[:1] if args.short else LEVELS_DB:
        _measure(report, listener, calls[:SHORT] if args.short else calls, talk, level)
    return report.finish(as_json=args.json)


def _measure(
    report: Report, listener: Listener, calls: Sequence[Recording], talk: Sequence[Recording],
    level: int,
) -> None:  # fmt: skip
    heard, cut = 0, 0
    for number, call in enumerate(calls):
        others = [one for one in talk if one.voice != call.voice]
        sound = _scene(call, others, level, number)
        [*listener.play(sound[:BEFORE], goes_on=True)]  # who speaks there ends in what follows
        heard += _calls(listener, [*listener.play(sound[BEFORE:])])
        whole = sound[BEFORE - AROUND : BEFORE + len(call.sound) + AROUND]
        cut += _calls(listener, [Utterance(to_pcm(whole))])
    share, perfect = (100 * count / len(calls) for count in (heard, cut))
    bar = BAR_PCT if level == max(LEVELS_DB) else None
    name = f"heard of {len(calls)} calls that are {level} dB louder"
    report.add(name, share, "%", at_least=bar, floor=perfect, hard=False)


def _calls(listener: Listener, said: Sequence[Utterance]) -> bool:
    return any(listener.judge(one, Expecting.NOTHING) is Intent.HELP for one in said)


def _scene(call: Recording, talk: Sequence[Recording], level_db: int, number: int) -> Sound:
    """Return the sound of a television, with a call over it after `BEFORE` samples."""
    random = np.random.default_rng([5, number, level_db])
    count = BEFORE + len(call.sound) + AFTER
    around = babble(count, random, talk, voices=1 + number % 2)
    loud = np.abs(call.sound) > np.abs(call.sound).max() / 50
    wanted = np.mean(call.sound[loud] ** 2) / 10 ** (level_db / 10)
    around *= np.sqrt(wanted / np.mean(around**2))
    around[BEFORE : BEFORE + len(call.sound)] += call.sound
    return np.asarray(around * min(1.0, 0.9 / np.abs(around).max()))


if __name__ == "__main__":
    sys.exit(main())
