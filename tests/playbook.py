"""A playbook reads as a transcript: events in (`>>`), effects out (`<<`).

    assert playbook(state) >> ContactChanged(0.0, "help", True) << [] >> Ticked(0.02) << [...]

An effect may be given as an instance, or as a type where the details are another test's. It
fails with a diff of the two transcripts. A `lens` leaves only what is of this test's story, perhaps
in short.
"""

import difflib
from collections.abc import Callable, Iterable
from typing import Self, cast

from msgspec import Struct

from hub.core.decide import decide
from hub.core.model.effects import Effect
from hub.core.model.events import Event
from hub.core.model.rules import Rules
from hub.core.model.state import HomeState

Lens = Callable[[Effect], Struct | None]


def _whole(effect: Effect) -> Struct | None:
    return effect


class Playbook:
    def __init__(self, state: HomeState, rules: Rules, lens: Lens = _whole) -> None:
        self.state, self.rules, self.lens = state, rules, lens
        self.effects: list[Effect] = []
        self.expected: list[str] = []
        self.actual: list[str] = []
        self._told = True

    def __rshift__(self, event: Event) -> Self:
        self._settle([])
        self.state, effects = decide(self.state, event, self.rules)
        seen = [e for effect in effects if (e := self.lens(effect)) is not None]
        self.effects = cast("list[Effect]", seen)
        self.expected.append(f">> {event}")
        self.actual.append(f">> {event}")
        self._told = False
        return self

    def __lshift__(self, effects: Iterable[Struct | type[Effect]]) -> Self:
        self._settle(list(effects))
        return self

    def __bool__(self) -> bool:
        self._settle([])
        if self.expected == self.actual:
            return True
        diff = "\n".join(difflib.ndiff(self.expected, self.actual))
        message = f"the transcript differs (- expected, + actual):\n{diff}"
        raise AssertionError(message)

    def _settle(self, expected: list[Struct | type[Effect]]) -> None:
        if self._told:
            return
        self._told = True
        for n, effect in enumerate(self.effects):
            wanted = expected[n] if n < len(expected) else None
            same = isinstance(wanted, type) and isinstance(effect, wanted)
            self.actual.append(f"<< {wanted.__name__}" if same else f"<< {effect}")  # type: ignore[union-attr]
        self.expected += [
            f"<< {w.__name__}" if isinstance(w, type) else f"<< {w}" for w in expected
        ]


def playbook(state: HomeState, rules: Rules, lens: Lens = _whole) -> Playbook:
    return Playbook(state, rules, lens)
