"""The twelve steps in words: what to do now, how each stands, and what has shown it. Pure."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from center.console.lengths import clock
from center.console.view import Badge, Viewer
from center.domain import times
from center.domain.installation import (
    ANSWERS,
    BY_WORD,
    WEAK_DBM,
    Answer,
    Evidence,
    Installation,
    Item,
    Standing,
    State,
    Step,
    Why,
)
from center.service.texts import Texts

GOOD_DBM = -67  # makers of Wi-Fi advise it for speech; below `WEAK_DBM` a step does not end
LOOK = {
    State.WAITING: ("ring", "plain", "waiting"),
    State.PROVEN: ("check", "good", "proven"),
    State.LEFT_OUT: ("equal", "plain", "left_out"),
}
OF_WORD = {Step.CONSENTS: "install_answer", Step.ANSIM119: "install_ansim"}
OF_PARTS = frozenset({Step.SOUND, Step.MAINS, Step.RESIDENT})
AGAIN = frozenset({Step.NETWORK, Step.SENSORS, Step.RADIO, Step.SOUND, Step.MAINS, Step.CLOCK})
IN_TEST_MODE = frozenset({Step.SENSORS, Step.RADIO, Step.TEST_CALL, Step.RESIDENT})
BUTTON, PENDANT = "help_button", "pendant"


class AnswerView(Struct, frozen=True):
    """An answer that the resident may give; `chosen`: it was given."""

    value: str
    text: str
    chosen: bool


class PartView(Struct, frozen=True):
    """A part of a step; `do` is what to do now, `note` why it is not done or left out."""

    name: str
    title: str
    done: bool
    badge: Badge
    do: str = ""
    seen: str = ""
    note: str = ""
    question: str = ""  # to be read to the resident
    answers: tuple[AnswerView, ...] = ()
    again: bool = False  # it can be shown anew


class StepView(Struct, frozen=True):
    """A step. `now`: it is the first that waits. `tests`: buttons are pressed in it."""

    name: str
    n: int
    title: str
    do: str
    badge: Badge
    done: bool
    now: bool
    line: str  # beside its name: how it stands, and since when
    note: str
    parts: tuple[PartView, ...]
    answers: tuple[AnswerView, ...]
    again: bool
    by_itself: bool
    tests: bool

    @property
    def fold(self) -> str:
        """The name of its fold: another one, and so opened or shut anew, when its turn changes."""
        return f"fold-{self.name}-{'now' if self.now else 'done' if self.done else 'later'}"


class Progress(Struct, frozen=True):
    """How far an installation is, in words."""

    done: int
    all: int
    text: str
    next: str


def steps(one: Installation, viewer: Viewer) -> list[StepView]:
    """Return all steps in their order."""
    first = next(iter(one.open_steps), None)
    return [
        _step(standing, n, viewer, now=standing.step is first)
        for n, standing in enumerate(one.standings, 1)
    ]


def progress(one: Installation, viewer: Viewer) -> Progress:
    """Return how far an installation is."""
    left, t = one.open_steps, viewer.t
    done = len(one.standings) - len(left)
    title = t("install.next", step=t.word("install_step", left[0])) if left else ""
    return Progress(
        done,
        len(one.standings),
        t("install.count", all=len(one.standings), done=done),
        title or t("install.all_done"),
    )


def titles(names: Iterable[Step], t: Texts) -> str:
    """Return the names of steps in a line."""
    return ", ".join(t.word("install_step", name) for name in names)


def badge(standing: Standing | Item, t: Texts) -> Badge:
    """Return how something stands, in a word."""
    icon, tone, key = LOOK.get(standing.state, LOOK[State.WAITING])
    return Badge(icon, tone, t(f"install.{key}"))


def result(standing: Standing, viewer: Viewer) -> list[str]:
    """Return what has shown a step, part by part: lines of the report."""
    parts = [_part(item, viewer) for item in standing.items]
    if not parts:
        return [_line(standing, viewer)]
    return [": ".join(filter(None, (one.title, one.seen or one.note))) for one in parts]


def _step(standing: Standing, n: int, viewer: Viewer, *, now: bool) -> StepView:
    step, t = standing.step, viewer.t
    done = standing.state is not State.WAITING
    parts = tuple(_part(item, viewer) for item in standing.items)
    return StepView(
        name=step,
        n=n,
        title=t.word("install_step", step),
        do=t.word("install_do", step),
        badge=badge(standing, t),
        done=done,
        now=now,
        line=_line(standing, viewer),
        note="" if done else note(standing.evidence, t),
        parts=parts,
        answers=_answers(standing, t) if not parts else (),
        again=step in AGAIN and not parts and _may_be_shown_again(standing),
        by_itself=step not in BY_WORD and not done,
        tests=step in IN_TEST_MODE,
    )


def _may_be_shown_again(standing: Standing) -> bool:
    return standing.state is State.PROVEN or standing.evidence.why is Why.WEAK


def _line(standing: Standing, viewer: Viewer) -> str:
    """Return how a step stands: what has shown it and when, or how much of it is done."""
    t = viewer.t
    if standing.state is State.LEFT_OUT:
        whys = {note(one.evidence, t) for one in standing.items} or {note(standing.evidence, t)}
        return " · ".join((t("install.left_out"), *sorted(whys)))
    if standing.items:
        count = sum(item.state is not State.WAITING for item in standing.items)
        return t("install.part_count", all=len(standing.items), done=count)
    if standing.state is not State.PROVEN:
        return t("install.waiting")
    return " · ".join(filter(None, (*seen(standing, viewer), _when(standing, viewer))))


def _when(one: Standing | Item, viewer: Viewer) -> str:
    if one.proven_utc is None:
        return ""
    time = clock(one.proven_utc, viewer.now)
    key = "install.proven_by" if one.by and one.step in BY_WORD else "install.proven_at"
    return viewer.t(key, time=time, who=one.by)


def _part(item: Item, viewer: Viewer) -> PartView:
    t, proven = viewer.t, item.state is State.PROVEN
    told = " · ".join(seen(item, viewer))
    asked = item.step is Step.CONSENTS
    return PartView(
        name=item.name,
        title=_title(item, t),
        done=item.state is not State.WAITING,
        badge=badge(item, t),
        do="" if item.state is not State.WAITING or asked else _do(item, t),
        seen=(told or _when(item, viewer)) if proven else "",
        note="" if proven else _note(item, t),
        question=t.word("install_consent", item.name) if asked else "",
        answers=_answers(item, t) if asked else (),
        again=proven and item.step in AGAIN,
    )


def _title(item: Item, t: Texts) -> str:
    if item.step in OF_PARTS:
        done = item.state is not State.WAITING
        return t.word("install_part" if done else "install_part_do", item.name)
    if item.step is Step.CONSENTS:
        return t.word("consent", item.name)
    what = item.evidence.what
    kind = PENDANT if what == BUTTON and item.evidence.wireless else what
    name = t.word("install_kind", kind) if kind else item.name
    if not kind:
        return name
    place = item.evidence.place
    if (place and place in name) or (not place and item.name in {kind, name}):
        return name  # `현관문 센서` in `현관문`, a pendant named `pendant`
    pair = (place, name) if place else (name, item.name)
    return t("install_seen.place", place=pair[0], kind=pair[1])


def _do(item: Item, t: Texts) -> str:
    return "" if item.step in OF_PARTS else t.word("install_item", item.evidence.what)


def _note(item: Item, t: Texts) -> str:
    before = item.evidence.answer
    if item.step is Step.CONSENTS and before is not None:
        return t.word("install_before", before)
    return note(item.evidence, t)


def note(evidence: Evidence, t: Texts) -> str:
    """Return why something waits though it was seen, or is left out; '' where nothing is known."""
    if evidence.why is None:
        return ""
    return t(
        f"install_why.{evidence.why}",
        missing=", ".join(t.word("install_missing", name) for name in evidence.missing),
        seconds=f"{abs(evidence.ahead_s or 0.0):.0f}",
        faults=", ".join(t.word("fault", kind) for kind in evidence.faults),
    )


def _answers(told: Standing | Item, t: Texts) -> tuple[AnswerView, ...]:
    """Return what may be answered; an answer of the record was not given at this visit."""
    allowed = ANSWERS.get(told.step, frozenset())
    given = told.evidence.answer if told.state is State.PROVEN else None
    return tuple(
        AnswerView(one.value, t.word(OF_WORD[told.step], one.value), one is given)
        for one in Answer
        if one in allowed
    )


def seen(one: Standing | Item, viewer: Viewer) -> Iterator[str]:
    """Yield what has shown something, the most telling first."""
    held, t = one.evidence, viewer.t
    match one.step:
        case Step.NETWORK:
            yield _way(held, t)
        case Step.IDENTITY if held.certificate_ends_utc is not None:
            until = times.day_of(held.certificate_ends_utc)
            yield t("install_seen.certificate", time=until)
        case Step.CLOCK if held.ahead_s is not None:
            yield t("install_seen.clock", seconds=f"{abs(held.ahead_s):.1f}")
        case Step.CONSENTS | Step.ANSIM119 if held.answer is not None:
            yield t.word(OF_WORD[one.step], held.answer)
        case Step.TEST_CALL if one.by:
            yield t("install_seen.answered_by", who=one.by)
        case Step.SENSORS | Step.RADIO | Step.SOUND:
            yield from _used(held, viewer)
        case _:
            pass


def _used(held: Evidence, viewer: Viewer) -> Iterator[str]:
    t = viewer.t
    if held.used_utc is not None:
        yield t("install_seen.used", time=clock(held.used_utc, viewer.now))
    elif held.heard_utc is not None:
        yield t("install_seen.heard", time=clock(held.heard_utc, viewer.now))
    if held.battery_pct is not None:
        yield t("install_seen.battery", pct=f"{held.battery_pct:.0f}")


def _way(held: Evidence, t: Texts) -> str:
    if held.way == "ethernet":
        return t("install_seen.ethernet")
    if held.way != "wifi":
        return t("install_seen.unknown_way")
    if held.worst_dbm is None:
        return t("install_seen.wifi", network=held.network)
    word = "good" if held.worst_dbm >= GOOD_DBM else "weak"
    word = "fair" if GOOD_DBM > held.worst_dbm >= WEAK_DBM else word
    said = t(f"install_seen.signal_{word}")
    return t("install_seen.wifi_signal", network=held.network, dbm=held.worst_dbm, word=said)
