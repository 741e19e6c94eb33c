"""Tasks of failing equipment in words: what fails where, in how many homes, who has it. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from center.console.lengths import clock
from center.console.tasks import calls
from center.console.tasks.calls import Tried
from center.console.view import Badge, Viewer
from center.domain import times
from center.domain.need import NeedKind
from center.store.rows.needs import Note
from center.store.rows.parts import AreaTask, Row
from hub.contract.messages import HELD_OR_CUT, FaultKind


class TaskLine(Struct, frozen=True):
    """A task of an area, on the board and in the list."""

    id: str
    version: int
    kind: Badge
    where: str  # the area, or the one home
    hub: str  # of the one home
    homes: str
    since: float
    since_at: str
    ago: str
    who: str
    mine: bool
    done: str
    is_open: bool


class PartLine(Struct, frozen=True):
    """A home of a task: what fails there, since when, until when."""

    hub: str
    name: str
    phone: str
    what: Badge
    since_at: str
    over: str
    times: str


class Person(Struct, frozen=True):
    """The part of a home's record that a task shows."""

    name: str = ""
    phone: str = ""


def line(task: AreaTask, people: Mapping[str, Person], viewer: Viewer) -> TaskLine:
    """Return a task in words."""
    need, t = task.need, viewer.t
    unit, count = times.ago(viewer.now - need.since_utc)
    one = task.all_homes == 1
    name = people.get(task.hub, Person()).name
    return TaskLine(
        id=need.id,
        version=need.version,
        kind=calls.kind(need.kind, viewer),
        where=(name or task.hub) if one else need.area or t("equipment.no_area"),
        hub=task.hub if one else "",
        homes=_homes(task, viewer),
        since=need.since_utc,
        since_at=clock(need.since_utc, viewer.now),
        ago=t(f"ago.{unit}", n=count),
        who=need.taken_by,
        mine=bool(need.taken_by) and need.taken_by == viewer.me,
        done=calls.meanwhile(need, viewer) if not need.is_open else "",
        is_open=need.is_open,
    )


def part(row: Row, people: Mapping[str, Person], viewer: Viewer) -> PartLine:
    """Return a home of a task in words."""
    person = people.get(row.hub, Person())
    over = clock(row.over_utc, viewer.now) if row.over_utc is not None else ""
    back = viewer.t("equipment.times", n=row.times) if row.times else ""
    since = clock(row.since_utc, viewer.now) if row.since_utc else ""
    return PartLine(row.hub, person.name, person.phone, _what(row, viewer), since, over, back)


def notes(some: Sequence[Note], viewer: Viewer) -> list[Tried]:
    """Return in words what people did, the newest first."""
    return [calls.tried(note, viewer) for note in reversed(some)]


def _homes(task: AreaTask, viewer: Viewer) -> str:
    if task.homes in {0, task.all_homes}:
        return viewer.t("equipment.homes", n=task.all_homes)
    return viewer.t("equipment.homes_back", n=task.homes, all=task.all_homes)


def _what(row: Row, viewer: Viewer) -> Badge:
    tone = "good" if row.over_utc is not None else "warn"
    icon = "check" if row.over_utc is not None else "triangle"
    if row.kind is NeedKind.HUB_LOST:
        return Badge(icon, tone, viewer.t("equipment.no_contact"))
    text = viewer.t.word("fault", row.fault)
    if row.fault == FaultKind.STUCK and row.detail == HELD_OR_CUT:
        text = viewer.t("equipment.stuck_or_cut")
    return Badge(icon, tone, f"{text} · {row.device}" if row.device else text)
