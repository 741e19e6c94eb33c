"""Announcements in words: what was sent, and its fate in each home. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from center.console.announcements.form import whom_of
from center.console.lengths import clock
from center.console.view import Badge, Viewer
from center.domain import times
from center.domain.announcement import Announcement, Delivery, Fate
from center.service.texts import Texts
from center.store.rows.announcements import Sent

SILENT_S = 600.0  # a hub gives up at the end of its time; its report should be here by then
_LOOK = {  # fate -> (shape, tone)
    Fate.WAITING: ("clock", "plain"),
    Fate.TAKEN: ("linked", "plain"),
    Fate.SPOKEN: ("check", "good"),
    Fate.UNSPOKEN: ("mute", "bad"),
    Fate.EXPIRED: ("ring", "warn"),
    Fate.REFUSED: ("cross", "bad"),
    Fate.WITHDRAWN: ("back", "plain"),
}


class SentView(Struct, frozen=True):
    """An announcement: what, by whom, to whom, until when, and how it stands.

    `pending`: while a home may still hear it.
    """

    id: str
    text: str
    sent: str
    whom: str
    homes: int
    urgent: bool
    until: str
    waiting: int
    pending: bool
    counts: tuple[tuple[Badge, int], ...]


class HeardView(Struct, frozen=True):
    """An announcement as the page of one home shows it."""

    id: str
    text: str
    at: str
    badge: Badge
    detail: str


class DeliveryView(Struct, frozen=True):
    """The delivery of an announcement to one home."""

    hub: str
    name: str
    badge: Badge
    detail: str


def sent(one: Sent, viewer: Viewer) -> SentView:
    """Return an announcement in words."""
    told, t = one.announcement, viewer.t
    return SentView(
        id=told.id,
        text=told.text,
        sent=t("announce.sent_by", who=told.by, time=times.short(told.utc, viewer.now)),
        whom=whom_of(told.whom, told.place, t),
        homes=told.homes,
        urgent=told.urgent,
        until=t("announce.until_at", time=clock(told.until_utc, viewer.now)),
        waiting=one.counts.get(Fate.WAITING, 0),
        pending=any(one.counts.get(fate) for fate in (Fate.WAITING, Fate.TAKEN)),
        counts=tuple((badge(fate, t), n) for fate in Fate if (n := one.counts.get(fate, 0))),
    )


def delivery(
    one: Delivery, until_utc: float, names: Mapping[str, str], viewer: Viewer
) -> DeliveryView:
    """Return a delivery in words."""
    return DeliveryView(
        one.hub, names.get(one.hub, ""), badge(one.fate, viewer.t), _detail(one, until_utc, viewer)
    )


def heard(told: Announcement, one: Delivery, viewer: Viewer) -> HeardView:
    """Return an announcement in words, as one home has it."""
    at, detail = times.short(told.utc, viewer.now), _detail(one, told.until_utc, viewer)
    return HeardView(told.id, told.text, at, badge(one.fate, viewer.t), detail)


def badge(fate: Fate, t: Texts) -> Badge:
    """Return a fate's icon and word."""
    shape, tone = _LOOK.get(fate, ("ring", "plain"))
    return Badge(shape, tone, t(f"announce_fate.{fate}"))


def _detail(one: Delivery, until_utc: float, viewer: Viewer) -> str:
    t = viewer.t
    match one.fate:
        case Fate.WAITING:
            parts = [_tries(one, viewer), _reason(one, t)]
        case Fate.TAKEN:
            silent = viewer.now > until_utc + SILENT_S
            taken = t("announce.taken_at", time=_at(one.taken_utc, viewer))
            parts = [taken, t("announce.no_word") if silent else ""]
        case Fate.REFUSED:
            parts = [_at(one.over_utc, viewer), _reason(one, t), _tries(one, viewer)]
        case _:
            parts = [_at(one.over_utc, viewer)]
    return " · ".join(part for part in parts if part)


def _reason(one: Delivery, t: Texts) -> str:
    return t.word("announce_reason", one.reason) if one.reason else ""


def _tries(one: Delivery, viewer: Viewer) -> str:
    if one.sent_utc is None:
        return viewer.t("announce.not_tried")
    return viewer.t("announce.tries", n=one.tries, time=times.short(one.sent_utc, viewer.now))


def _at(utc: float | None, viewer: Viewer) -> str:
    return "" if utc is None else times.short(utc, viewer.now)
