"""Where a talk can go: every step exists and is come to, none comes round, each way ends told.

The words that all talks share have steps too; these are walked with each plan that uses them.
"""

from collections.abc import Iterator

from hub.shared.toml_lines import Path
from voice.dialogue.plan_files import HELP, SILENCE, START, Branch
from voice.plan_flaws import Flaw, Kind, Sheet


def steps(one: Sheet) -> Iterator[Flaw]:
    """Find branches that lead nowhere, and steps that nothing leads to."""
    known = (*one.steps, HELP)
    for path, branch in _branches(one):
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
    for path, branch in _branches(one):
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


def _branches(one: Sheet) -> Iterator[tuple[Path, Branch]]:
    for name, question in one.own.items():
        for n, branch in enumerate(question.on):
            yield ("step", name, "on", n), branch
