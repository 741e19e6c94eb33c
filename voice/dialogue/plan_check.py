"""What makes sense in a plan, branch by branch: what may be heard, said and told.

`flaws` gives all that does not, of these rules and of the walk (`plan_walk`).
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
    Flaw,
    Folder,
    Kind,
    Question,
    Sheet,
    Words,
    common,
    sheet,
)
from voice.understanding.understand import Expecting, Intent


def steps(one: Sheet) -> Iterator[Flaw]:
    """Find branches that lead nowhere, and steps that nothing leads to."""
    known = (*one.steps, HELP)
    for path, branch in _branches_plan_walk(one):
        if branch.then and branch.then not in known:
            yield one.flaw((*path, "then"), Kind.UNKNOWN_STEP, known, branch.then)
    if one.plan is None:
        return
    if START not in one.own:
        yield one.flaw(("step",), Kind.NO_START)
        return
    come_to = _come_to(one, START)
    for name in one.own:
        if name not in come_to:
            yield one.flaw(("step", name), Kind.UNREACHABLE)


def loops(one: Sheet) -> Iterator[Flaw]:
    """Find branches through which a step comes round to itself."""
    for path, branch in _branches_plan_walk(one):
        name = str(path[1])
        if branch.then in one.steps and name in _come_to(one, branch.then):
            yield one.flaw((*path, "then"), Kind.LOOP, (name, branch.then, name))


def untold(one: Sheet) -> Iterator[Flaw]:
    """Find ways on which somebody speaks, and the hub is told nothing."""
    if one.plan is None or START not in one.own:
        return
    for path in dict.fromkeys(_ends_untold(one, START, (), set())):
        yield one.flaw((*path, "tell"), Kind.UNTOLD)


def _ends_untold(one: Sheet, name: str, came_by: Path, seen: set[str]) -> Iterator[Path]:
    """Give the last branch in this file of each way that ends, and told nothing."""
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


def _come_to(one: Sheet, name: str) -> set[str]:
    """Name the steps that a talk can be in from `name` on, itself included."""
    found, ahead = set[str](), [name]
    while ahead:
        if (here := ahead.pop()) in found:
            continue
        found.add(here)
        ahead += [b.then for b in one.steps[here].on if b.then in one.steps]
    return found


def _branches_plan_walk(one: Sheet) -> Iterator[tuple[Path, Branch]]:
    for name, question in one.own.items():
        for n, branch in enumerate(question.on):
            yield ("step", name, "on", n), branch


LONGEST = 40  # syllables of a sentence: more is not kept in mind by who listens
SCORES = ("0", "1", "2", "3")  # PHQ-2
ALWAYS = {Intent.HELP, Intent.REPEAT, Intent.TIME, Intent.SLOWER, Intent.LOUDER}  # the talk's own
CAN_BE_HEARD = (*(str(i) for i in Intent if i not in ALWAYS), SILENCE)
GOOD = {str(Intent.FINE), str(Intent.YES)}
NO_WORDS = {str(Intent.UNCLEAR), SILENCE}
ASKED_BY_HUB = tuple(str(phrase) for phrase in Phrase if re.match("ask_|warn_|remind", phrase))
BEGUN_BY_US = ("own_away", "own_counsel")  # asked back, where it was said unasked (`stage`)
ASKED = (*ASKED_BY_HUB, *BEGUN_BY_US)
FIRST = {  # what the first question must have an answer to
    Expecting.NOTHING: (),
    Expecting.CHECKIN: ("fine", "yes", "no"),
    Expecting.HELP: ("yes", "no", "unclear"),
    Expecting.OFTEN: ("often", "unclear"),
}
Rule = Callable[[Sheet], Iterator[Flaw]]


def flaws(folders: tuple[Folder, ...]) -> tuple[Flaw, ...]:
    """Give all that is wrong with the sense of plans, in the order of files and lines."""
    words, found = common(folders), list[Flaw]()
    for folder in folders:
        sheets = [sheet(source, words) for source in folder]
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
            finest = SCORES if intent == Intent.OFTEN else tuple(one.words.heard)
            if intent not in CAN_BE_HEARD:
                yield one.flaw((*path, "heard", n), Kind.UNKNOWN_HEARD, CAN_BE_HEARD, intent)
            elif finer and finer not in finest:
                yield one.flaw((*path, "heard", n), Kind.UNKNOWN_WHAT, finest, finer)
            elif _times(question, heard) > 1:
                yield one.flaw((*path, "heard", n), Kind.HEARD_TWICE)


def _times(question: Question, heard: str) -> int:
    return sum(branch.heard.count(heard) for branch in question.on)


def _told(one: Sheet) -> Iterator[Flaw]:
    """Nobody is fine who has not said so, and nobody who is unwell is passed over."""
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
    """Sentences that are spoken: short, and with nothing in them that nobody fills in."""
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
    if isinstance(words := one.source.says, Words):
        yield from ((("heard", ill), text) for ill, text in words.heard.items())
        fields = ((name, getattr(words, name)) for name in words.__struct_fields__)
        yield from (((name,), text) for name, text in fields if isinstance(text, str))


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
    steps,
    loops,
    untold,
)
