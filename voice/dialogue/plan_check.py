"""The check of plans: may this be heard, said and told, and does every way through it end well?

Each rule (`RULES`) looks at one file and yields its flaws.
"""

import re
from collections.abc import Callable, Iterator

from hub.contract.voice import Meaning, Phrase
from hub.shared.toml_lines import Path
from voice.dialogue.acts import syllables
from voice.dialogue.plan_files import (
    HEARD,
    HELP,
    SILENCE,
    START,
    Branch,
    Common,
    Flaw,
    Folder,
    Kind,
    Question,
    Sheet,
    common_of,
    sheet,
)
from voice.understanding.intents import Expecting, Intent

LONGEST = 40  # syllables of a sentence: a listener does not remember more
SCORES = ("0", "1", "2", "3")  # PHQ-2
ALWAYS = {Intent.HELP, Intent.REPEAT, Intent.TIME, Intent.SLOWER, Intent.LOUDER}  # no plan's
CAN_BE_HEARD = (*(str(i) for i in Intent if i not in ALWAYS), SILENCE)
GOOD = {str(Intent.FINE), str(Intent.YES)}
NO_WORDS = {str(Intent.UNCLEAR), SILENCE}
ASKED_BY_HUB = tuple(str(phrase) for phrase in Phrase if re.match("ask_|warn_|remind", phrase))
BEGUN_BY_US = ("own_away", "own_counsel")  # the stage asks back what was said unasked
ASKED = (*ASKED_BY_HUB, *BEGUN_BY_US)
FIRST = {  # the answers for which the first question must have a branch
    Expecting.NOTHING: (),
    Expecting.CHECKIN: ("fine", "yes", "no"),
    Expecting.HELP: ("yes", "no", "unclear"),
    Expecting.OFTEN: ("often", "unclear"),
}
Rule = Callable[[Sheet], Iterator[Flaw]]


def flaws(folders: tuple[Folder, ...]) -> tuple[Flaw, ...]:
    """Return all flaws of plans, in the order of files and lines."""
    common, found = common_of(folders), list[Flaw]()
    for folder in folders:
        sheets = [sheet(source, common) for source in folder]
        found += [flaw for one in sheets for rule in RULES for flaw in rule(one)]
        found += _keys_twice(sheets)
    return tuple(sorted(found, key=lambda flaw: (flaw.file, flaw.line)))


def _keys(one: Sheet) -> Iterator[Flaw]:
    for n, key in enumerate(one.plan.answers if one.plan else ()):
        if key not in ASKED:
            yield one.flaw(("answers", n), Kind.UNKNOWN_KEY, ASKED, key)


def _keys_twice(sheets: list[Sheet]) -> Iterator[Flaw]:
    seen: dict[str, str] = {}
    for one in sheets:
        for n, key in enumerate(one.plan.answers if one.plan else ()):
            first = seen.setdefault(key, one.source.file)
            if first != one.source.file:
                yield one.flaw(("answers", n), Kind.KEY_TWICE, (first,))


def _heard(one: Sheet) -> Iterator[Flaw]:
    for path, branch, question in _branches(one):
        for n, heard in enumerate(branch.heard):
            intent, _, finer = heard.partition(":")
            finest = SCORES if intent == Intent.OFTEN else tuple(one.common.heard)
            if intent not in CAN_BE_HEARD:
                yield one.flaw((*path, "heard", n), Kind.UNKNOWN_HEARD, CAN_BE_HEARD, intent)
            elif finer and finer not in finest:
                yield one.flaw((*path, "heard", n), Kind.UNKNOWN_WHAT, finest, finer)
            elif _times(question, heard) > 1:
                yield one.flaw((*path, "heard", n), Kind.HEARD_TWICE)


def _times(question: Question, heard: str) -> int:
    return sum(branch.heard.count(heard) for branch in question.on)


def _told(one: Sheet) -> Iterator[Flaw]:
    """Nobody is told to be fine who has not said so, and whoever is unwell is told of."""
    for path, branch, _ in _branches(one):
        here, intents = (*path, "tell"), {heard.partition(":")[0] for heard in branch.heard}
        if branch.tell in {Meaning.FINE, Meaning.YES} and intents - GOOD:
            yield one.flaw(here, Kind.NOT_FINE, tuple(sorted(intents - GOOD)))
        elif intents & NO_WORDS and branch.tell not in {None, Meaning.UNCLEAR}:
            yield one.flaw(here, Kind.GUESSED, (str(Meaning.UNCLEAR),))
        elif Intent.UNWELL in intents and branch.tell not in {Meaning.UNWELL, Meaning.COUNSEL}:
            yield one.flaw(here, Kind.UNWELL_UNTOLD)
        if branch.then == HELP and branch.say:
            yield one.flaw((*path, "say"), Kind.HELP_SPEAKS)


def _missing(one: Sheet) -> Iterator[Flaw]:
    for name, question in one.own.items():
        needed = FIRST[question.expect.kind] if name == START else (str(Intent.UNCLEAR),)
        known = {heard for branch in question.on for heard in branch.heard}
        if lost := tuple(heard for heard in needed if heard not in known):
            yield one.flaw(("step", name, "on"), Kind.MISSING, lost)
        if name != START and not question.ask:
            yield one.flaw(("step", name, "ask"), Kind.NO_QUESTION)
        if question.expect is Expecting.NOTHING:
            expected = tuple(str(e) for e in Expecting if e is not Expecting.NOTHING)
            yield one.flaw(("step", name, "expect"), Kind.NO_LISTENING, expected)


def _sentences(one: Sheet) -> Iterator[Flaw]:
    """A spoken sentence is short, and has no placeholder that is not filled in."""
    for path, text in _spoken(one):
        for sentence in re.split(r"(?<=[.?!])\s+", text):
            if (length := syllables(sentence)) > LONGEST:
                yield one.flaw(path, Kind.TOO_LONG, (sentence, str(length), str(LONGEST)))
        for placeholder in re.findall(r"\{[^}]*\}?", text):
            if placeholder != HEARD or path[-1] != "say":
                yield one.flaw(path, Kind.PLACEHOLDER, (HEARD,), placeholder)


def _spoken(one: Sheet) -> Iterator[tuple[Path, str]]:
    for path, branch, _ in _branches(one):
        yield (*path, "say"), branch.say
    for name, question in one.own.items():
        yield ("step", name, "ask"), question.ask
    if isinstance(common := one.source.says, Common):
        yield from ((("heard", ill), text) for ill, text in common.heard.items())
        fields = ((name, getattr(common, name)) for name in common.__struct_fields__)
        yield from (((name,), text) for name, text in fields if isinstance(text, str))


def _steps(one: Sheet) -> Iterator[Flaw]:
    """Every branch leads to a step that there is, and every step is reachable."""
    known = (*one.steps, HELP)
    for path, branch, _ in _branches(one):
        if branch.then and branch.then not in known:
            yield one.flaw((*path, "then"), Kind.UNKNOWN_STEP, known, branch.then)
    if one.plan is None:
        return
    if START not in one.own:
        yield one.flaw(("step",), Kind.NO_START)
        return
    reachable = _reachable(one, START)
    for name in one.own:
        if name not in reachable:
            yield one.flaw(("step", name), Kind.UNREACHABLE)


def _loops(one: Sheet) -> Iterator[Flaw]:
    """There are no cycles."""
    for path, branch, _ in _branches(one):
        name = str(path[1])
        if branch.then in one.steps and name in _reachable(one, branch.then):
            yield one.flaw((*path, "then"), Kind.LOOP, (name, branch.then, name))


def _untold(one: Sheet) -> Iterator[Flaw]:
    """On every way on which somebody speaks, the hub is told something."""
    if one.plan is None or START not in one.own:
        return
    for path in dict.fromkeys(_ends_untold(one, START, (), set())):
        yield one.flaw((*path, "tell"), Kind.UNTOLD)


def _ends_untold(one: Sheet, name: str, came_by: Path, seen: set[str]) -> Iterator[Path]:
    """Yield the last branch in this file of each way that ends and told nothing."""
    if name in seen:
        return
    seen.add(name)
    for n, branch in enumerate(one.steps[name].on):
        silent = name == START and branch.heard == (SILENCE,)
        if branch.tell is not None or branch.then == HELP or silent:
            continue
        here = ("step", name, "on", n) if name in one.own else came_by
        if not branch.then:
            yield here
        elif branch.then in one.steps:
            yield from _ends_untold(one, branch.then, here, seen)


def _reachable(one: Sheet, name: str) -> set[str]:
    """Return the steps that a talk can reach from `name`, itself included."""
    found, ahead = set[str](), [name]
    while ahead:
        if (here := ahead.pop()) in found:
            continue
        found.add(here)
        ahead += [b.then for b in one.steps[here].on if b.then in one.steps]
    return found


def _branches(one: Sheet) -> Iterator[tuple[Path, Branch, Question]]:
    for name, question in one.own.items():
        for n, branch in enumerate(question.on):
            yield ("step", name, "on", n), branch, question


RULES: tuple[Rule, ...] = (
    _keys,
    _heard,
    _told,
    _missing,
    _sentences,
    _steps,
    _loops,
    _untold,
)
