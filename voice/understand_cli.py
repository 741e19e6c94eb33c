"""`anbu voice understand [TEXT ...]`: what the voice would understand of a text, and why.

It asks `understanding.home` as hearing does, with a written text in place of what was heard, so it
needs no model and no sound card. A text has no sound that phrases could be weighed against, so
likeness decides alone. Exit codes: 0, 2 (the settings, or an option, cannot be used).
"""

import sys
import unicodedata
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import Struct

from hub.shared.messages import ours, sentence
from voice.settings import load
from voice.understanding import wordless
from voice.understanding.home import Understanding
from voice.understanding.intents import Expecting, Intent
from voice.understanding.likeness import Evidence, Guess, likenesses
from voice.understanding.understand import (
    BY_LIKENESS,
    CROWD,
    DOUBTED,
    MAIN,
    TOLD,
    WHOLE,
    Reason,
    Verdict,
)

SHOWN = 80  # characters of a sign's pattern, which may be long
NEAREST = 3  # meanings that are told besides, the likest first


class Near(Struct, frozen=True):
    """A phrase that is like the text: the likeness that its meaning `needs`, and the `lead`."""

    intent: Intent
    phrase: str
    likeness: float
    needs: float
    lead: float


class Told(Struct, frozen=True):
    """One line of `--json`: what was asked, what was understood, why. Keys are never removed."""

    text: str
    question: Expecting
    log_prob: float
    no_speech: float
    around: float
    intent: Intent
    what: str
    score: int
    sure: float
    wordless: bool
    reason: Reason
    phrase: str
    likeness: float
    sign: str
    refused: Intent | None
    limit: float | None
    nearest: tuple[Near, ...]
    sign_refused: str = ""


def add_arguments(parser: ArgumentParser) -> None:
    """Describe the command line of `anbu voice understand`."""
    about = ours("voice")["understand"]
    kinds = [str(kind) for kind in Expecting]
    parser.add_argument("text", nargs="*", metavar="TEXT", help=about["text"])
    parser.add_argument(
        "--question", choices=kinds, default=kinds[0], metavar="KIND",
        help=about["question"].format(kinds=", ".join(kinds)),
    )  # fmt: skip
    least, chance = _within(-99.0, 0.0), _within(0.0, 1.0)
    for name, kind in (("log-prob", least), ("no-speech", chance), ("around", chance)):
        said = about[name.replace("-", "_")]
        parser.add_argument(f"--{name}", type=kind, default=0.0, metavar="X", help=said)
    parser.add_argument("--json", action="store_true", help=about["json"])


def run(args: Namespace) -> int:
    """Print what is understood of each text; without one, of each line of standard input."""
    home, wrong = Understanding.of(load(args.config))
    if wrong:
        sys.stderr.write(sentence("voice", "check", "phrases_wrong", reason=wrong) + "\n")
    expecting = Expecting(args.question)
    show = _as_json if args.json else _as_text
    for text in args.text or _lines(sys.stdin.buffer):
        guess = Guess(unicodedata.normalize("NFC", text), args.log_prob)
        evidence = Evidence((guess,), args.no_speech, around=args.around)
        sys.stdout.write(show(told(home, evidence, expecting)) + "\n")
        sys.stdout.flush()
    return 0


def told(home: Understanding, evidence: Evidence, expecting: Expecting) -> Told:
    """Ask as hearing does, and return the result with its reasons."""
    verdict, guess = home.explain(evidence, expecting), evidence.guesses[0]
    meant, seen = verdict.understood, (guess.log_prob, evidence.no_speech, evidence.around)
    near = [found[0] for found in likenesses(evidence, home.phrases, expecting).values()]
    near.sort(key=lambda one: -one.value)
    nearest = tuple(
        Near(one.phrase.entry.intent, one.phrase.text, round(one.value, 3), needs.value, needs.lead)
        for one in near[:NEAREST]
        for needs in (BY_LIKENESS.of(one.phrase.entry.intent),)
    )
    sign, why = home.sign_refused(evidence, expecting)
    return Told(
        guess.text, expecting, *seen, meant.intent, meant.what, meant.score, meant.sure,
        meant.wordless, verdict.reason, verdict.phrase, verdict.value, verdict.sign or sign,
        verdict.refused, _limit(verdict, nearest, expecting), nearest, why,
    )  # fmt: skip


def _limit(verdict: Verdict, nearest: tuple[Near, ...], expecting: Expecting) -> float | None:
    """Return the limit by which something was refused; None where it was no number."""
    match verdict.reason:
        case Reason.LOG_PROB:
            return wordless.PLAIN
        case Reason.NO_SPEECH:
            return wordless.SPOKE
        case Reason.PART:
            unasked = expecting is Expecting.NOTHING and verdict.refused is not Intent.FINE
            return MAIN if unasked else WHOLE
        case Reason.NOTHING:
            return nearest[0].needs if nearest else None
        case _:
            return None


def _as_json(found: Told) -> str:
    return msgspec.json.encode(found).decode()


def _as_text(found: Told) -> str:
    shown = msgspec.structs.asdict(found)
    shown["sign"] = found.sign if len(found.sign) <= SHOWN else f"{found.sign[:SHOWN]}…"
    shown["kind"] = f"{found.intent}:{found.what or found.score}".removesuffix(":0")
    best = found.nearest[0] if found.nearest else None
    shown |= {"near": best.phrase if best else "-", "near_as": best.intent if best else "-"}
    shown |= {"near_value": best.likeness if best else 0.0, "crowd": CROWD, "told": TOLD}
    shown |= {"doubted": DOUBTED}
    shown["refused"] = found.refused or Intent.UNCLEAR
    said = ours("voice")["understand"]
    meant = said["meant" if found.intent is not Intent.UNCLEAR else "not_meant"]
    more = said["wordless"] if found.wordless else ""
    if found.sign_refused:
        more += " " * bool(more) + said[f"sign_{found.sign_refused}"].format(**shown)
    because = said[f"because_{found.reason}"].format(**shown)
    return f"{found.text}\n  {meant.format(**shown)} {because} {more}".rstrip()


def _lines(stream: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines that are not empty, as they come."""
    for line in stream:
        try:
            text = line.decode("utf-8-sig").strip()
        except UnicodeDecodeError:  # a Korean Windows, or a terminal of EUC-KR
            text = line.decode("cp949", errors="replace").strip()
        if text:
            yield text


def _within(lowest: float, highest: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not lowest <= value <= highest:
            allowed = f"{lowest:g} .. {highest:g}"
            raise ArgumentTypeError(allowed)
        return value

    return number
