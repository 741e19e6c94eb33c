"""A record as a form has it: texts by field name, there and back, with what is wrong. Pure."""

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from center.domain.record import CONTACTS_MAX, Consent, ConsentItem, Contact, Record
from hub.contract.addresses import FlawError
from hub.contract.forms import form_of, settled
from hub.shared.settings import plain

LINES = ("name", "phone", "address", "door_code")
TEXTS = ("entry", "illnesses", "medicines", "baseline", "notes")
CONTACT = ("name", "relation", "phone")
YES, NO = "yes", "no"
_BAD = {"birth_year": "bad_birth_year", "phone": "bad_phone_length", "date": "bad_date"}

Typed = Mapping[str, str]


def typed_of(record: Record) -> dict[str, str]:
    """Give the form's texts for a record."""
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
    """Give the record that was typed, without what is wrong, and the problem of each such field.

    A problem is a key of the message files' `record`.
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
            value = settled(form_of(plain(hint)[1]), value)
        return msgspec.convert(value, hint)
    except FlawError as error:
        problems[name] = f"bad_{error.flaw}"
        return ""
    except msgspec.ValidationError:
        problems[name] = _BAD.get(field, "bad_text" if field in TEXTS else "bad_line")
        return ""
