"""What is printed after an installation: the report, and the sheet for the resident. Pure."""

from collections.abc import Iterator

from msgspec import Struct

from center.console.install import steps
from center.console.lengths import clock
from center.console.view import Badge, Viewer
from center.domain import times
from center.domain.installation import Item, Part, Report, State, Step
from center.domain.record import Record
from center.service.texts import Texts

CORD, CANCEL, BUTTON = "pull_cord", "cancel_button", "help_button"
HAZARDS = ("smoke", "gas", "carbon_monoxide", "moisture")
MOVES = frozenset({"motion", "occupancy"})
LAMPS = ("fast", "slow", "on", "rest", "amber")


class Line(Struct, frozen=True):
    """A step of the report."""

    n: int
    title: str
    badge: Badge
    time: str
    lines: tuple[str, ...]


class ReportView(Struct, frozen=True):
    """A report in words."""

    begun: str
    finished: str
    lines: tuple[Line, ...]


class Lamp(Struct, frozen=True):
    """A lamp and what it says; `name` is a class of the style sheet."""

    name: str
    look: str
    means: str


class SheetView(Struct, frozen=True):
    """The resident's sheet; each text is one line or two in large letters."""

    name: str
    ways: str
    cancel: str
    lamps: tuple[Lamp, ...]
    who: tuple[str, ...]
    phone: str
    knows: tuple[str, ...]
    unknown: tuple[str, ...]
    foot: str


def report(one: Report, viewer: Viewer) -> ReportView:
    """Return a report in words."""
    now, t = viewer.now, viewer.t
    lines = (
        Line(
            n,
            t.word("install_step", standing.step),
            steps.badge(standing, t),
            clock(standing.proven_utc, now) if standing.proven_utc is not None else "",
            tuple(steps.result(standing, viewer)),
        )
        for n, standing in enumerate(one.standings, 1)
    )
    return ReportView(
        t("install.begun", time=times.in_full(one.begun_utc), who=one.begun_by),
        t("install.finished", time=times.in_full(one.finished_utc), who=one.finished_by),
        tuple(lines),
    )


def sheet(one: Report, record: Record, phone: str, t: Texts) -> SheetView:
    """Return the sheet of a home: only what this home has is promised."""
    has_cancel = any(item.evidence.what == CANCEL for item in _things(one))
    day = times.day_of(one.finished_utc)
    return SheetView(
        name=t("resident_sheet.name", name=record.name) if record.name else "",
        ways=_ways(one, t),
        cancel=t("resident_sheet.cancel" if has_cancel else "resident_sheet.cancel_no_button"),
        lamps=tuple(
            Lamp(name, t(f"resident_sheet.lamp_{name}"), t(f"resident_sheet.lamp_{name}_means"))
            for name in LAMPS
        ),
        who=tuple(_who(record, t)),
        phone=phone,
        knows=tuple(_knows(one, t)),
        unknown=tuple(t(f"resident_sheet.not_{name}") for name in ("camera", "seen", "cut")),
        foot=t("resident_sheet.foot", date=day, who=one.finished_by),
    )


def _things(one: Report) -> list[Item]:
    """Return the devices of a home that work."""
    found = [standing for standing in one.standings if standing.step in {Step.SENSORS, Step.RADIO}]
    items = (item for standing in found for item in standing.items)
    return [item for item in items if item.state is State.PROVEN]


def _speaks(one: Report) -> bool:
    parts = (item for standing in one.standings for item in standing.items)
    return any(item.name == Part.HEARD and item.state is State.PROVEN for item in parts)


def _ways(one: Report, t: Texts) -> str:
    """Return in which other ways the resident can call; '' where there is none."""
    ways = list[str]()
    for item in _things(one):
        held = item.evidence
        if held.what == CORD:
            ways.append(t("resident_sheet.way_cord", place=held.place))
        elif held.what == BUTTON and held.wireless:
            ways.append(t("resident_sheet.way_pendant"))
    if _speaks(one):
        ways.append(t("resident_sheet.way_voice"))
    return t("resident_sheet.ways", ways=", ".join(dict.fromkeys(ways))) if ways else ""


def _who(record: Record, t: Texts) -> Iterator[str]:
    yield t("resident_sheet.who")
    for first in record.contacts[:1]:
        who = " ".join(filter(None, (first.relation, first.name)))
        if who:
            yield t("resident_sheet.who_family", who=who)


def _knows(one: Report, t: Texts) -> Iterator[str]:
    """Yield what the house notices, by the sensors that were proven."""
    kinds = {item.evidence.what for item in _things(one)}
    if kinds & MOVES:
        yield t("resident_sheet.knows_motion")
    if _speaks(one):
        yield t("resident_sheet.knows_checkin")
    sounding = [t.word("install_kind", kind) for kind in HAZARDS if kind in kinds]
    if sounding:
        yield t("resident_sheet.knows_hazard", what=", ".join(sounding))
