"""A home's record: in words, as its page and the 119 sheet show it, and the form to change it."""

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from center.console.frame import show
from center.console.view import Badge, Viewer
from center.console.visit import Visit, acted, visited, whole
from center.domain import times
from center.domain.record import CONTACTS_MAX, Consent, ConsentItem, Contact, Kept, Record, age
from center.service import homes
from center.service.desk import Desk
from center.service.homes import NotKeptError
from center.service.refusals import CONFLICT
from center.service.texts import Texts
from center.store.rows import records
from hub.contract.addresses import FlawError
from hub.contract.forms import checked, form_of
from hub.shared.settings import plain

LINES = ("name", "phone", "address", "door_code")
TEXTS = ("entry", "illnesses", "medicines", "baseline", "notes")
CONTACT = ("name", "relation", "phone")
YES, NO = "yes", "no"
BLANKS = 2  # contacts that may be added at once
_BAD = {"birth_year": "bad_birth_year", "phone": "bad_phone_length", "date": "bad_date"}
Typed = Mapping[str, str]


class ConsentView(Struct, frozen=True):
    """An item, whether it was consented to, when, and to which version of the text."""

    item: ConsentItem
    name: str
    badge: Badge
    date: str
    version: str


class RecordView(Struct, frozen=True):
    """A resident's record in words; empty texts where nothing is stored."""

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


def view(kept: Kept, viewer: Viewer) -> RecordView:
    """Return a record in words."""
    record, t = kept.record, viewer.t
    changed = ""
    if kept.version:
        when = times.short(kept.changed_utc, viewer.now)
        key = "record.changed" if kept.changed_by else "record.changed_here"
        changed = t(key, who=kept.changed_by, time=when)
    return RecordView(
        hub=kept.hub,
        version=kept.version,
        name=record.name,
        born=born(record, viewer),
        phone=record.phone,
        address=record.address,
        door_code=record.door_code,
        texts=tuple((t(f"record.{name}"), getattr(record, name)) for name in TEXTS),
        contacts=record.contacts,
        consents=tuple(consent(item, record.consent(item), t) for item in ConsentItem),
        registered=_registered(record, t),
        changed=changed,
    )


def born(record: Record, viewer: Viewer) -> str:
    """Return year of birth and age in words."""
    today = times.local(viewer.now)
    years = age(record, today.year) if today else None
    if record.birth_year is None or years is None:
        return ""
    return viewer.t("record.born", year=record.birth_year, n=years)


def consent(item: ConsentItem, one: Consent | None, t: Texts) -> ConsentView:
    """Return a consent in words: given, refused, or (None) never asked for."""
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


def routes(desk: Desk) -> list[Route]:
    """Return the routes of the form."""
    path = "/homes/{hub}/edit"
    return [visited(path, desk, _read), acted(path, desk, _write)]


async def _read(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    kept = await visit.desk.store.ask(records.find, hub)
    if kept is None:
        return visit.error(404, visit.t("home.not_found"))
    if not visit.bare:
        await homes.note_record_seen(visit.desk, hub, visit.person.name, again=False)
    return _page(visit, kept, typed_of(kept.record), kept.version)


async def _write(visit: Visit) -> Response:
    hub = homes.hub_of(visit.request)
    kept = await visit.desk.store.ask(records.find, hub)
    if kept is None:
        return visit.error(404, visit.t("home.not_found"))
    form = await visit.request.form()
    typed = {name: str(value) for name, value in form.items()}
    said = whole(typed.get("version", ""))
    version = -1 if said is None else said
    record, problems = record_of(typed)
    if problems:
        return _page(visit, kept, typed, version, problems, status=422)
    try:
        await homes.keep(visit.desk, hub, record, visit.person.name, version)
    except NotKeptError as error:
        return _page(visit, error.kept, typed, error.kept.version, status=error.status)
    return RedirectResponse(homes.path(hub), 303)


def _page(
    visit: Visit,
    kept: Kept,
    typed: Mapping[str, str],
    version: int,
    problems: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    t, found = visit.t, problems or {}
    problem = t("record.problems", n=len(found)) if found else ""
    if status == CONFLICT:
        when = times.short(kept.changed_utc, visit.viewer.now)
        key = "record.stale" if kept.changed_by else "record.stale_here"
        problem = t(key, who=kept.changed_by, time=when)
    return show(
        visit.request,
        "homes/edit.html",
        status,
        page=visit.page("edit", t("record.edit_title"), homes.path(kept.hub, "edit")),
        hub=kept.hub,
        typed=typed,
        version=version,
        problem=problem,
        stale=status == CONFLICT,
        problems=found,
        lines=(*LINES[:1], "birth_year", *LINES[1:]),
        texts=TEXTS,
        contacts=range(min(CONTACTS_MAX, _filled_contacts(typed) + BLANKS)),
        contact_parts=CONTACT,
        items=tuple(ConsentItem),
        yes=YES,
        no=NO,
    )


def _filled_contacts(typed: Mapping[str, str]) -> int:
    filled = [
        number
        for number in range(CONTACTS_MAX)
        if any(typed.get(f"contact-{number}-{part}") for part in CONTACT)
    ]
    return max(filled, default=-1) + 1


def typed_of(record: Record) -> dict[str, str]:
    """Return the form's texts for a record."""
    typed = {name: getattr(record, name) for name in (*LINES, *TEXTS)}
    typed["birth_year"] = str(record.birth_year or "")
    typed["registered_119"] = YES if record.registered_119 else ""
    for number, contact in enumerate(record.contacts):
        typed |= {f"contact-{number}-{part}": getattr(contact, part) for part in CONTACT}
    for one in record.consents:
        typed[f"consent-{one.item}"] = YES if one.given else NO
        typed[f"consent-{one.item}-date"] = one.date
        typed[f"consent-{one.item}-version"] = one.version
    return typed


def record_of(typed: Typed) -> tuple[Record, dict[str, str]]:
    """Return the record that was typed, without the wrong fields, and the problem of each of those.

    A problem is a key in the group `record` of the message files.
    """
    problems: dict[str, str] = {}
    values: dict[str, Any] = {
        name: _checked(Record, name, _text(typed, name), name, problems)
        for name in (*LINES, *TEXTS)
    }
    born = _text(typed, "birth_year")
    year = int(born) if born.isascii() and born.isdecimal() and len(born) == 4 else born or None  # noqa: PLR2004
    record = Record(
        **values,
        birth_year=_checked(Record, "birth_year", year, "birth_year", problems) or None,
        contacts=_contacts(typed, problems),
        consents=_consents(typed, problems),
        registered_119=typed.get("registered_119") == YES,
    )
    return record, problems


def _contacts(typed: Typed, problems: dict[str, str]) -> tuple[Contact, ...]:
    some = []
    for number in range(CONTACTS_MAX):
        names = {part: f"contact-{number}-{part}" for part in CONTACT}
        one = Contact(
            **{
                part: _checked(Contact, part, _text(typed, name), name, problems)
                for part, name in names.items()
            }
        )
        some.append(one)
    return tuple(one for one in some if one != Contact())


def _consents(typed: Typed, problems: dict[str, str]) -> tuple[Consent, ...]:
    some = []
    for item in ConsentItem:
        name = f"consent-{item}"
        if typed.get(name) in {YES, NO}:
            date, version = (
                _checked(Consent, part, _text(typed, f"{name}-{part}"), f"{name}-{part}", problems)
                for part in ("date", "version")
            )
            some.append(Consent(item, typed[name] == YES, date, version))
    return tuple(some)


def _text(typed: Typed, name: str) -> str:
    return typed.get(name, "").replace("\r\n", "\n").strip()


def _checked(
    shape: type[Struct], field: str, value: object, name: str, problems: dict[str, str]
) -> Any:  # noqa: ANN401 - of the field's own type
    hint = get_type_hints(shape, include_extras=True)[field]
    try:
        if isinstance(value, str):
            value = checked(form_of(plain(hint)[1]), value)
        return msgspec.convert(value, hint)
    except FlawError as error:
        problems[name] = f"bad_{error.flaw}"
        return ""
    except msgspec.ValidationError:
        problems[name] = _BAD.get(field, "bad_text" if field in TEXTS else "bad_line")
        return ""
