"""The shapes of the API's JSON on announcements. Pure; times are RFC 3339 in UTC."""

from collections.abc import Mapping

from msgspec import Struct

from center.announcing.fate import Delivery, Fate
from center.domain.announcement import Whom
from center.store.rows.announcements import Sent
from hub.contract.wire import timestamp


class DeliveryOut(Struct, frozen=True):
    """An announcement in one home; `over` is when it was spoken, or ended in another way."""

    hub: str
    fate: Fate
    tries: int
    reason: str  # why the hub refused it last
    sent: str | None
    taken: str | None
    over: str | None


class AnnouncementOut(Struct, frozen=True):
    """An announcement; `deliveries` come only when it is asked for by its id."""

    id: str
    text: str
    by: str
    sent: str
    until: str
    urgent: bool
    whom: Whom
    place: str
    homes: int
    counts: Mapping[Fate, int]
    deliveries: tuple[DeliveryOut, ...] | None = None


class Announcements(Struct, frozen=True):
    """Announcements, the newest first."""

    announcements: tuple[AnnouncementOut, ...]


def announcement(one: Sent, deliveries: tuple[Delivery, ...] | None = None) -> AnnouncementOut:
    """Show an announcement."""
    told = one.announcement
    return AnnouncementOut(
        id=told.id,
        text=told.text,
        by=told.by,
        sent=timestamp(told.utc),
        until=timestamp(told.until_utc),
        urgent=told.urgent,
        whom=told.whom,
        place=told.place,
        homes=told.homes,
        counts={fate: one.counts.get(fate, 0) for fate in Fate},
        deliveries=None if deliveries is None else tuple(map(_delivery, deliveries)),
    )


def _delivery(one: Delivery) -> DeliveryOut:
    return DeliveryOut(
        hub=one.hub,
        fate=one.fate,
        tries=one.tries,
        reason=one.reason,
        sent=_maybe(one.sent_utc),
        taken=_maybe(one.taken_utc),
        over=_maybe(one.over_utc),
    )


def _maybe(utc: float | None) -> str | None:
    return None if utc is None else timestamp(utc)
