"""Check-ins: the page of a day with all homes, and the strip of a home's last 30 days."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from center.console.frame import address, show
from center.console.view import Badge, Viewer
from center.console.visit import Visit, visited
from center.domain import times
from center.service.desk import Desk
from center.service.texts import Texts
from center.store.rows import days, records
from center.store.rows import words as word_rows
from center.store.rows.days import CheckIn
from center.store.rows.words import Words
from hub.contract.messages import CheckInResult

DAYS = 30
WORDED = 5
LOOK = {  # result -> (shape, tone)
    CheckInResult.FINE: ("check", "good"),
    CheckInResult.ALIVE: ("dot", "plain"),
    CheckInResult.AWAY: ("back", "plain"),
    CheckInResult.UNCLEAR: ("ring", "warn"),
    CheckInResult.UNWELL: ("triangle", "warn"),
    CheckInResult.MISSED: ("octagon", "bad"),
}


class Spot(Struct, frozen=True):
    """A check-in of the strip: its result as shape and word, and who answered."""

    badge: Badge
    by: str
    letter: str
    brief: str  # without its day
    title: str


class Strip(Struct, frozen=True):
    """Days from left to right, slots downwards; None where nothing was due."""

    days: tuple[str, ...]
    slots: tuple[tuple[str, tuple[Spot | None, ...]], ...]
    counts: tuple[tuple[Badge, int], ...]


class Worded(Struct, frozen=True):
    """What was said to a check-in, as transcribed by a machine."""

    badge: Badge
    when: str
    words: str


class HomeDay(Struct, frozen=True):
    """A home's check-ins of a day."""

    hub: str
    name: str
    spots: tuple[Spot, ...]
    worst: int
    words: tuple[Worded, ...]


def routes(desk: Desk) -> list[Route]:
    """Return the route of the day's check-ins."""
    return [visited("/checkins", desk, _read)]


def look(conn: Connection, day: str, start: float) -> tuple[list[CheckIn], dict[str, str], Words]:
    """Read a day's check-ins, the residents' names, and what was said from its `start` on."""
    words = word_rows.newest(conn, start)
    return days.of_day(conn, day), records.names(conn), words


async def _read(visit: Visit) -> Response:
    today = times.day_of(visit.viewer.now)
    day = visit.request.query_params.get("day") or today
    start = times.day_start(day)
    if start is None:
        return visit.error(400, visit.t("checkin.no_day"))
    day = times.day_of(start)
    found, names, words = await visit.desk.store.ask(look, day, start)
    return show(
        visit.request,
        "homes/checkins.html",
        page=visit.page("checkins", visit.t("checkin.page"), address("/checkins", day=day)),
        day=day,
        today=today,
        before=times.day_of(start - 1),
        after=times.day_of(start + times.DAY_S) if day < today else "",
        homes=of_day(found, names, words, visit.viewer),
        counts=counts(found, visit.t),
    )


def since(now: float) -> str:
    """Return the first day of the strip."""
    return times.day_of(now - (DAYS - 1) * times.DAY_S)


def strip(found: Sequence[CheckIn], viewer: Viewer) -> Strip:
    """Return a home's check-ins as a strip."""
    days = [times.day_of(viewer.now - back * times.DAY_S) for back in range(DAYS - 1, -1, -1)]
    held = {(one.slot, one.day): spot(one, viewer.t) for one in found if one.day in days}
    slots = sorted({slot for slot, _ in held})
    return Strip(
        tuple(days),
        tuple((slot, tuple(held.get((slot, day)) for day in days)) for slot in slots),
        counts(found, viewer.t),
    )


def worded(found: Sequence[CheckIn], words: Words, viewer: Viewer) -> list[Worded]:
    """Return what was said to check-ins, the newest first, where it is stored."""
    told = [one for one in reversed(found) if (one.hub, one.checkin) in words]
    return [
        Worded(
            badge(one.result, viewer.t, one.wordless),
            f"{one.day} {one.slot}",
            words[one.hub, one.checkin],
        )
        for one in told[:WORDED]
    ]


def of_day(
    found: Iterable[CheckIn], names: Mapping[str, str], words: Words, viewer: Viewer
) -> list[HomeDay]:
    """Return the check-ins of a day by home, those that need a person first."""
    by_hub: dict[str, list[CheckIn]] = {}
    for one in found:
        by_hub.setdefault(one.hub, []).append(one)
    homes = [
        HomeDay(
            hub,
            names.get(hub, ""),
            tuple(spot(one, viewer.t) for one in some),
            max(_worry(one.result) for one in some),
            tuple(worded(some, words, viewer)),
        )
        for hub, some in by_hub.items()
    ]
    return sorted(homes, key=lambda home: (-home.worst, home.hub))


def _worry(result: CheckInResult) -> int:
    """Return the rank of a result; one that only a newer hub knows ranks as unclear."""
    return list(LOOK).index(result if result.is_known else CheckInResult.UNCLEAR)


def spot(one: CheckIn, t: Texts) -> Spot:
    """Return a check-in in words."""
    by = t(f"answered.{one.by}")
    about = t("checkin.title", slot=one.slot, topic=t(f"topic.{one.topic}"), n=one.attempts)
    shown = badge(one.result, t, one.wordless)
    brief = f"{about} · {shown.text} · {by}"
    letter = t(f"answered_letter.{one.by}")
    return Spot(shown, by, letter, brief, f"{one.day} {brief}")


def badge(result: CheckInResult, t: Texts, wordless: int | None = None) -> Badge:
    """Return a result's icon and word; `wordless`: how many answers were only sounds."""
    shape, tone = LOOK.get(result, ("ring", "warn"))
    sounds = result is CheckInResult.UNCLEAR and wordless
    return Badge(shape, tone, t("checkin.wordless" if sounds else f"checkin.{result}"))


def counts(found: Iterable[CheckIn], t: Texts) -> tuple[tuple[Badge, int], ...]:
    """Return the number of each result, from harmless to worst."""
    results = [one.result for one in found]
    return tuple((badge(result, t), results.count(result)) for result in LOOK)
