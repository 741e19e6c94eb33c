"""How well speech is understood: `voice [DIR]`, a folder of recordings with their manifest.jsonl.

The product hears each recording clean, from across a room, and at 20, 10 and 5 dB in a noise of
its own making (a television's babble, a kettle, a fan, in turn); then 30 min of babble
alone, and rooms without speech. The repository holds no recordings: without DIR it looks for
ANBU_SPEECH or ../shared/speech, and says so where there are none. `--full`: in each of the noises,
and 2 h of babble, for the growth of memory. `--part` takes the recordings alone, or the rooms.
`--short` takes a few of them, always the same; no bar that hangs on the machine's speed fails it.
"""

import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from bench.report import Report, arguments, percentile
from bench.voice_heard import Heard, Listener, Remembering, hear
from bench.voice_rooms import rooms
from bench.voice_sound import NOISES, Recording, add_folder, from_afar, given
from hub.shared.system import one_heap, settle_memory
from voice.hearing import engines, vad
from voice.hearing.whisper import Whisper
from voice.understanding import phrases
from voice.understanding.intents import Intent

ITSELF = {
    "sos": {Intent.HELP}, "unwell": {Intent.UNWELL, Intent.COUNSEL}, "yes": {Intent.YES},
    "no": {Intent.NO}, "fine": {Intent.FINE}, "cancel": {Intent.CANCEL},
}  # fmt: skip
SHORT_SOS, SHORT_OTHERS = 3, 1  # so many of a kind are enough for a short run
SHORT_BARS = (60, 20)  # sos as itself, others as Help, clean, in %: one of them may go astray
CLEAN, ACROSS = "clean", "across a room"
LEVELS_DB = {CLEAN: None, ACROSS: None, "20 dB": 20, "10 dB": 10, "5 dB": 5}
SHORT_LEVELS = (CLEAN, "10 dB")
HELP_BAR = {CLEAN: 95, "10 dB": 85}
ANSWERS_BAR = {"fine": 80, "yes": 85, "no": 85, "cancel": 85}
SLOWER = {"Pi 4": 5.0, "Pi 5": 2.0}  # assumed, a core against one of here; not measured
END_S = vad.SILENCE * vad.PIECE_S


def main() -> int:
    """Measure, and print."""
    parser = arguments(__doc__)
    add_folder(parser)
    parser.add_argument("--alone", action="store_true", help="Vosk alone, as without Whisper")
    parser.add_argument("--show", action="store_true", help="list what was not understood")
    parser.add_argument("--minutes", type=float, help="of babble (30; short: a half; full: 120)")
    parser.add_argument("--part", choices=("words", "rooms"), help="the recordings, or the rooms")
    args = parser.parse_args()
    report = Report("speech understood" + (", by Vosk alone" if args.alone else ""))
    if not (clips := given(args.folder, report)):
        return report.finish(as_json=args.json)
    listener = _start(report, alone=args.alone)
    report.notes.append(f"{len(clips)} recordings, {len({c.text for c in clips})} phrases")
    talk = [clip for clip in clips if clip.kind == "talk"]
    if args.part != "rooms":
        _words(report, listener, clips, talk, args)
    minutes = args.minutes or (0.5 if args.short else 120 if args.full else 30)
    del clips  # the memory of hearing is measured, not the recordings'
    if args.part != "words":
        rooms(report, listener, talk, minutes, short=args.short)
    _speed(report, listener)
    return report.finish(as_json=args.json)


def _words(
    report: Report, listener: Listener, clips: Sequence[Recording], talk: Sequence[Recording],
    args: Namespace,
) -> None:  # fmt: skip
    levels, kinds = tuple(LEVELS_DB), NOISES
    if args.short:
        clips, levels, kinds = _few(clips), SHORT_LEVELS, ("babble",)
    for name in levels:
        said = from_afar(clips, np.random.default_rng(9)) if name == ACROSS else clips
        told = hear(listener, said, LEVELS_DB[name], kinds, talk, every=args.full)
        _tell(report, name, told, short=args.short)
        report.notes += _missed(name, told) if args.show else []


def _few(clips: Sequence[Recording]) -> list[Recording]:
    """Return the same few recordings of each kind every time."""
    kinds = {kind: [clip for clip in clips if clip.kind == kind] for kind in (*ITSELF, "talk")}
    most = {"sos": SHORT_SOS}
    return [clip for kind, some in kinds.items() for clip in some[: most.get(kind, SHORT_OTHERS)]]


def _start(report: Report, *, alone: bool) -> Listener:
    one_heap()
    began = time.monotonic()
    known = phrases.load()
    loaded = engines.load(None, known)
    report.add("ready", time.monotonic() - began, "s", at_most=10)
    report.notes += [f"not to be had: {trouble}" for trouble in loaded.troubles]
    if isinstance(loaded.recogniser, Whisper):
        recogniser = None if alone else Remembering(loaded.recogniser)
        loaded = msgspec.structs.replace(loaded, recogniser=recogniser)
    settle_memory()  # as the voice does
    return Listener(loaded, known)


def _tell(report: Report, name: str, told: Sequence[Heard], *, short: bool = False) -> None:
    for kind, good in ITSELF.items():
        some = [one for one in told if one.kind == kind]
        if some:
            share = 100 * sum(one.meant in good for one in some) / len(some)
            bar = HELP_BAR.get(name) if kind == "sos" else None
            bar = ANSWERS_BAR.get(kind) if name == CLEAN and kind in ANSWERS_BAR else bar
            report.add(f"{name}: {kind} as itself", share, "%", at_least=bar, hard=False)
    others = [one for one in told if one.kind != "sos"]
    false = sum(Intent.HELP in one.unasked for one in others)
    false_pct = 100 * false / len(others)
    report.add(f"{name}: other speech as Help", false_pct, "%", at_most=2, hard=False)
    if short and name == CLEAN:
        calls = [one.meant is Intent.HELP for one in told if one.kind == "sos"]
        heard_pct = 100 * sum(calls) / max(1, len(calls))
        report.add("least: sos as itself", heard_pct, "%", at_least=SHORT_BARS[0], hard=True)
        report.add("least: other speech as Help", false_pct, "%", at_most=SHORT_BARS[1], hard=True)
    not_fine = [one for one in told if one.kind in ("unwell", "no", "talk")]
    fine = sum(Intent.FINE in (*one.unasked, *one.answer) for one in not_fine)
    hard = name == CLEAN or not short
    of = f"of {len(not_fine)}"
    report.add(f"{name}: unwell, no, talk as Fine", fine, of, at_most=0, hard=hard)
    asked = [one for one in told if one.kind in ("yes", "no")]
    swapped = sum({one.kind, str(one.meant)} == {"yes", "no"} for one in asked)
    report.add(
        f"{name}: yes taken for no, no for yes", 100 * swapped / max(1, len(asked)), "%",
        at_most=1, hard=False,
    )  # fmt: skip
    for kind in (*ITSELF, "talk"):
        counts = Counter(str(one.meant) for one in told if one.kind == kind)
        row = ", ".join(f"{heard} {count}" for heard, count in counts.most_common())
        report.notes.append(f"{name}: {kind} was heard as {row}")


def _missed(name: str, told: Sequence[Heard]) -> list[str]:
    bad = (one for one in told if one.kind in ITSELF and one.meant not in ITSELF[one.kind])
    return [f"{name}: {one.kind} {one.text} -> {one.meant}" for one in bad]


def _speed(report: Report, listener: Listener) -> None:
    first = END_S + percentile(listener.costs.first, 95)
    verify = END_S + percentile(listener.costs.verify, 95)
    bare = END_S + listener.bare_s()
    report.add("end of speech to first pass, p95", first, "s", at_most=1.0, floor=END_S)
    report.add("end of speech to verdict, p95", verify, "s", at_most=3.0, floor=bare)
    for board, slower in SLOWER.items():
        worst = END_S + slower * (verify - END_S)
        report.notes.append(
            f"{board}, were a core {slower:g} times slower: verdict {worst:.1f} s on one core, "
            f"{END_S + slower * (verify - END_S) / 3:.1f} s if three share it evenly"
        )


if __name__ == "__main__":
    sys.exit(main())
