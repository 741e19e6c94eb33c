"""A record in words, as the home's page and the 119 sheet show it. Pure."""

from msgspec import Struct

from center.console.view import Badge, Eye
from center.domain import times
from center.domain.record import Consent, ConsentItem, Contact, Kept, Record, age
from center.service.texts import Texts


class ConsentView(Struct, frozen=True):
    """An item, whether it was consented to, when, and to which version of the text."""

    item: ConsentItem
    name: str
    badge: Badge
    date: str
    version: str


class RecordView(Struct, frozen=True):
    """What is held of a resident; empty texts where nothing is."""

    hub: str
    version: int
    name: str
    born: str
    phone: str
    address: str
    door_code: str
    texts: tuple[tuple[str, str], ...]  # name of the field, text; those with a text
    contacts: tuple[Contact, ...]
    consents: tuple[ConsentView, ...]
    registered: Badge
    changed: str


_TEXTS = ("entry", "illnesses", "medicines", "baseline", "notes")


def view(kept: Kept, eye: Eye) -> RecordView:
    """Word a record."""
    record, t = kept.record, eye.t
    changed = ""
    if kept.version:
        when = times.short(kept.changed_utc, eye.now)
        key = "record.changed" if kept.changed_by else "record.changed_here"
        changed = t(key, who=kept.changed_by, time=when)
    return RecordView(
        hub=kept.hub,
        version=kept.version,
        name=record.name,
        born=born(record, eye),
        phone=record.phone,
        address=record.address,
        door_code=record.door_code,
        texts=tuple((t(f"record.{name}"), getattr(record, name)) for name in _TEXTS),
        contacts=record.contacts,
        consents=tuple(consent(item, record.consent(item), t) for item in ConsentItem),
        registered=_registered(record, t),
        changed=changed,
    )


def born(record: Record, eye: Eye) -> str:
    """Write year of birth and age."""
    today = times.local(eye.now)
    years = age(record, today.year) if today else None
    if record.birth_year is None or years is None:
        return ""
    return eye.t("record.born", year=record.birth_year, n=years)


def consent(item: ConsentItem, one: Consent | None, t: Texts) -> ConsentView:
    """Word a consent: given, refused, or (None) never asked for."""
    name = t(f"consent.{item}")
    if one is None:
        return ConsentView(item, name, Badge("ring", "plain", t("consent.not_asked")), "", "")
    if one.given:
        badge = Badge("check", "good", t("consent.given"))
    else:
        badge = Badge("cross", "bad", t("consent.refused"))
    return ConsentView(item, name, badge, one.date, one.version)


def _registered(record: Record, t: Texts) -> Badge:
    if record.registered_119:
        return Badge("check", "good", t("record.registered_yes"))
    return Badge("triangle", "warn", t("record.registered_no"))
