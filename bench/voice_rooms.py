"""Rooms in which nobody calls: what hearing makes of them, and what that costs."""

import math
from collections.abc import Sequence

import numpy as np

from bench.report import Report
from bench.voice_heard import Listener, memory_mb
from bench.voice_sound import Recording, babble, fan, kettle
from hub.shared.system import give_back
from voice.sound.pcm import HEARING_HZ
from voice.understanding.intents import Expecting, Intent

AFTER = (Expecting.CHECKIN, Expecting.HELP)


def rooms(
    report: Report, listener: Listener, talk: Sequence[Recording], minutes: float, *,
    short: bool = False,
) -> None:  # fmt: skip
    """Play `minutes` of television, then a minute each of rooms in which nobody speaks."""
    give_back()
    start_mb, _ = memory_mb()
    random, false = np.random.default_rng(7), list[str]()
    listener.costs.heard_s = listener.costs.spent_s = 0.0
    for minute in range(math.ceil(minutes)):
        length = round(min(minutes, 1) * 60 * HEARING_HZ)
        for utterance in listener.play(babble(length, random, talk) * 0.05, goes_on=True):
            if listener.judge(utterance, Expecting.NOTHING) is Intent.HELP:
                false.append(f"minute {minute + 1}: {listener.written}")
        give_back()  # as the voice does each minute
    listener.hearing.reset()
    report.notes += [f"babble: {len(false)} false Help in {minutes:g} min", *false]
    report.add("babble heard as Help", len(false) * 60 / minutes, "/h", at_most=0.5, hard=False)
    busy = 100 * listener.costs.spent_s / listener.costs.heard_s
    report.add(f"CPU, {minutes:g} min of television", busy, "% of a core", at_most=40, hard=False)
    end_mb, peak_mb = memory_mb()
    grown = f"memory grown in {minutes:g} min of speech"
    for name, took_mb, bar in (("memory, highest", peak_mb, 700), (grown, end_mb - start_mb, 60)):
        report.add(name, took_mb, "MB", at_most=bar, hard=not short)
    _quiet(report, listener)


def _quiet(report: Report, listener: Listener) -> None:
    random, found = np.random.default_rng(8), list[Intent]()
    rooms = {
        "silence": random.standard_normal(60 * HEARING_HZ) * 3e-4,
        "kettle": kettle(30 * HEARING_HZ, random) * 0.05,
        "fan": fan(30 * HEARING_HZ, random) * 0.05,
    }
    for name, sound in rooms.items():
        listener.costs.heard_s = listener.costs.spent_s = 0.0
        for utterance in listener.play(sound):
            found += [listener.judge(utterance, one) for one in (Expecting.NOTHING, *AFTER)]
        if name == "silence":
            busy = 100 * listener.costs.spent_s / listener.costs.heard_s
            report.add("CPU, silent room", busy, "% of a core", at_most=3, hard=False)
    report.add("silence, kettle, fan as Fine", found.count(Intent.FINE), "", at_most=0)
    report.add("silence, kettle, fan as Help", found.count(Intent.HELP), "", at_most=0)
