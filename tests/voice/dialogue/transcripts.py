"""A talk as a transcript: what was heard (`>>`) and what was done about it (`<<`).

>> unwell:head
<< tell unwell head, more follows
<< "머리가 아프거나 어지러우시군요."
<< listen 10 s for checkin
"""

import difflib
from collections.abc import Iterable

from hub.contract.voice import Meaning
from hub.shared.language import Language
from hub.shared.messages import messages
from voice.dialogue.acts import (
    Act,
    Chime,
    End,
    Happening,
    Listen,
    Listened,
    Pause,
    Silence,
    Speak,
    Tell,
)
from voice.dialogue.plan_files import Common, Question
from voice.dialogue.plans import Plan, Plans
from voice.dialogue.talk import Talk, begin, step
from voice.understanding.intents import Intent, Understood

PLANS = Plans.load()
HUB = messages("hub", Language.KOREAN, "hub")["say"]
WORDS = PLANS.common


def shipped(key: str) -> Plan:
    return PLANS.for_key(key, HUB.get(key, ""))


def plan(common: Common = WORDS, **steps: Question) -> Plan:
    """A plan of a test's own; its hub asks "괜찮으세요?"."""
    return Plan("ask_test", "괜찮으세요?", steps, common, chime=False)


def happening(heard: str) -> Happening:
    """Return the event for a word such as `silence`, `unwell:head` or `often:3`."""
    intent, _, finer = heard.partition(":")
    if intent == "silence":
        return Silence()
    if intent == "wordless":
        return Listened(Understood(wordless=True))
    if intent == Intent.OFTEN:
        return Listened(Understood(Intent.OFTEN, score=int(finer or 0)))
    return Listened(Understood(Intent(intent), finer))


def line(act: Act) -> str:
    match act:
        case Chime():
            return "chime"
        case Pause(s=s):
            return f"pause {s:g} s"
        case Speak(text=text, slow=slow):
            return f'slowly "{text}"' if slow else f'"{text}"'
        case Listen(expecting=expecting, s=s):
            return f"listen {s:g} s for {expecting}"
        case Tell(meaning=meaning, score=score, what=what, closes=closes):
            parts = ("tell", meaning, what, str(score) if score else "")
            return " ".join(filter(None, parts)) + (", more follows" if closes else "")
        case End():
            return "end"


def run(talk_plan: Plan, heard: Iterable[str], *, slow: bool = False) -> tuple[Talk, list[str]]:
    talk, acts = begin(talk_plan, slow=slow)
    lines = [f"<< {line(act)}" for act in acts]
    for one in heard:
        talk, acts = step(talk, happening(one))
        lines += [f">> {one}", *(f"<< {line(act)}" for act in acts)]
    return talk, lines


def plays(talk_plan: Plan, story: str, *, slow: bool = False) -> bool:
    """Whether the talk goes as the story says; print the difference where it does not."""
    expected = [text for text in map(str.strip, story.strip().splitlines()) if text]
    heard = [text.removeprefix(">> ") for text in expected if text.startswith(">>")]
    _, actual = run(talk_plan, heard, slow=slow)
    if actual == expected:
        return True
    diff = "\n".join(difflib.ndiff(expected, actual))
    message = f"the transcript differs (- expected, + actual):\n{diff}"
    raise AssertionError(message)


def told(lines: Iterable[str]) -> list[Meaning]:
    """Name what the hub was told."""
    return [Meaning(text.split()[2].rstrip(",")) for text in lines if text.startswith("<< tell")]
