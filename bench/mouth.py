"""How well the mouth is understood, and what it costs.

An independent listener (`bench/judge.py`) writes down what it hears; text and transcript are
compared as they are said, so that spelling does not count. The phrase bank is judged as it lies in
the repo; the neural voice and espeak-ng say invented announcements (`mouth_free.txt`). Without
Kokoro's files the neural part is skipped, and says so.
"""

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from bench.judge import Listener
from bench.report import Report, arguments, percentile
from hub.shared.system import rss_mb
from voice.hearing.models import ModelError
from voice.korean.sounds import errors, said
from voice.recording.build import gaps
from voice.sound.loudness import measured, trimmed
from voice.sound.pcm import Audio
from voice.speaking import kokoro_files
from voice.speaking.bank import SHIPPED, Bank, fixed_sentences
from voice.speaking.espeak import Espeak
from voice.speaking.kokoro import Kokoro
from voice.speaking.mouth import USUAL_SPEED, Mouth, MouthError, Synthesizer

FREE = Path(__file__).parent / "mouth_free.txt"
BANK_BAR, FREE_BAR = 0.04, 0.12
SPOILT = 0.3  # beyond this a voice is not merely short of its bar: something has broken
SHORT_BANK, SHORT_FREE, SHORT_ESPEAK = 12, 4, 3
# 4 KB: some 3.7 are Opus as the bank has it; the bank may grow by sentences, not by their size
KB_PER_S, PACE, SPREAD_DB, SILENCE_S = 4.0, 4.5, 3.0, 0.15
ANNOUNCED = "알려 드립니다. 내일 오전에 마을 회관에서 건강 검진이 있습니다. 신분증을 챙기세요."
UNKNOWN = "내일 오전에 마을 회관에서 건강 검진이 있습니다."


def main(argv: list[str] | None = None) -> int:
    """Measure and print; return 1 when a promise is broken."""
    args = arguments(__doc__).parse_args(argv)
    report = Report("mouth: as an independent listener understands it")
    fixed, free = fixed_sentences(), FREE.read_text(encoding="utf-8").splitlines()
    the_bank(report, fixed)
    try:
        listener = Listener()
    except ModelError as error:
        report.notes.append(f"SKIPPED, nobody to listen: {error}")
        return report.finish(as_json=args.json)
    short = bool(args.short)
    heard_bank(report, listener, every(fixed, SHORT_BANK) if short else fixed)
    folder = kokoro_files.find()
    if kokoro_files.is_whole(folder):
        kokoro = Kokoro(folder)
        the_engine(report, kokoro)
        sample = every(free, SHORT_FREE) if short else free
        heard_engine(report, listener, kokoro, sample, FREE_BAR)
    else:
        report.notes.append("SKIPPED, the neural voice: Kokoro's files are not installed")
    heard_engine(report, listener, Espeak(), every(free, SHORT_ESPEAK) if short else free, None)
    return report.finish(as_json=args.json)


def every(texts: list[str], wanted: int) -> list[str]:
    """Return about `wanted` texts, evenly from a list."""
    return texts[:: max(1, len(texts) // wanted)]


def the_bank(report: Report, texts: list[str]) -> None:
    """Look at the files themselves: missing, size, pace, loudness, silence before the voice."""
    found = gaps(SHIPPED, texts)
    sounds = [(text, audio) for text in texts if (audio := Bank().find(text))]
    report.add("bank: sentences", len(texts), "")
    report.add("bank: missing or orphaned", len(found.missing) + len(found.orphaned), "", at_most=0)
    size_mb = sum(path.stat().st_size for path in SHIPPED.glob("*.ogg")) / 1e6
    report.add("bank: size", size_mb, "MB")
    if not sounds:
        return
    seconds = sum(audio.seconds for _, audio in sounds)
    report.add("bank: speech", seconds, "sec.")
    report.add("bank: size of a second", 1000 * size_mb / seconds, "KB", at_most=KB_PER_S)
    pace = sum(len(said(text)) for text, _ in sounds) / seconds
    report.add("bank: syllables a second", pace, "", at_most=PACE)
    looks = [measured(audio) for _, audio in sounds]
    levels = [look.speech_db for look in looks]
    report.add("bank: loudness p50", percentile(levels, 50), "dB")
    report.add("bank: loudest - quietest", max(levels) - min(levels), "dB", at_most=SPREAD_DB)
    report.add("bank: clipped samples", sum(look.clipped for look in looks), "", at_most=0)
    longest_s = max(look.before_s for look in looks)
    report.add("bank: longest silence before", longest_s, "sec.", at_most=SILENCE_S)


def heard_bank(report: Report, listener: Listener, texts: list[str]) -> None:
    """Measure how well the bank's files are understood."""
    heard = ((text, audio) for text in texts if (audio := Bank().find(text)))
    _judge(report, "bank", listener, heard, BANK_BAR)


def heard_engine(
    report: Report, listener: Listener, engine: Synthesizer, texts: list[str], bar: float | None
) -> None:
    """Measure how well an engine's speech is understood."""
    name = engine.name.split()[0]
    try:
        spoken = [(text, trimmed(engine.speak(text, USUAL_SPEED))) for text in texts]
    except MouthError as error:
        report.notes.append(f"SKIPPED, {name}: {error}")
        return
    _judge(report, f"{name}, free text", listener, spoken, bar)


def _judge(
    report: Report, name: str, listener: Listener, spoken: Iterable[tuple[str, Audio]],
    bar: float | None,
) -> None:  # fmt: skip
    found = [(text, heard, *errors(text, heard)) for text, audio in spoken
             for heard in [listener.hear(audio)]]  # fmt: skip
    wrong, of = sum(one[2] for one in found), sum(one[3] for one in found)
    rate = wrong / max(1, of)
    report.add(f"{name}: character error rate", rate, "", at_most=bar, hard=False)
    if bar is not None:
        report.add(f"{name}: is it spoilt", rate, "", at_most=SPOILT)
    whole = sum(one[2] == 0 for one in found)
    report.add(f"{name}: understood whole", 100 * whole / max(1, len(found)), "pct")
    worst = sorted(found, key=lambda one: one[2] / max(1, one[3]), reverse=True)[:3]
    report.notes += [f"{name}: {text} | {heard}" for text, heard, wrong, _ in worst if wrong]


def the_engine(report: Report, kokoro: Kokoro) -> None:
    """Measure the neural voice: load, real-time factor, memory; the first sound of a text."""
    before_mb, began = rss_mb(), time.monotonic()
    kokoro.speak("네.", USUAL_SPEED)
    report.add("neural: load and first word", time.monotonic() - began, "s")
    began, cpu = time.monotonic(), time.process_time()
    audio = kokoro.speak(UNKNOWN, USUAL_SPEED)
    report.add("neural: real-time factor", (time.monotonic() - began) / audio.seconds, "s/s")
    report.add("neural: CPU per second of speech", (time.process_time() - cpu) / audio.seconds, "s")
    report.add("neural: memory while it speaks", rss_mb() - before_mb, "MB", at_most=700)
    for name, bank in (("known sentence", Bank()), ("unknown sentence", None)):
        began = time.monotonic()
        next(Mouth(bank, [kokoro], None).parts(ANNOUNCED))
        report.add(f"first sound, {name} first", time.monotonic() - began, "s")
    kokoro.unload()
    report.add("neural: memory after it let go", rss_mb() - before_mb, "MB")


if __name__ == "__main__":
    sys.exit(main())
