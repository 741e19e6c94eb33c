"""A resident's record: who lives there, whom to call, what was consented to. Pure.

The limits of each field are defined here only: the console's form, the API and the files of
`anbu center home set` use them.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from hub.contract.border import Open
from hub.contract.forms import Form, of

CONTACTS_MAX = 8

Line = Annotated[str, Meta(max_length=120)]
Text = Annotated[str, Meta(max_length=2000)]
Year = Annotated[int, Meta(ge=1890, le=2100)]
Phone = Annotated[str, of(Form.PHONE, r"^(\+?[0-9][0-9() .-]{1,24}[0-9])?$")]
Date = Annotated[str, of(Form.DATE, r"^(20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01]))?$")]


class ConsentItem(Open):
    """What is consented to, each by itself (개인정보보호법)."""

    HEALTH = "health"
    VITALS = "vitals"  # readings of the body are kept and shown; without it they are dropped
    PATTERN = "pattern"
    VOICE = "voice"
    LOCATION = "location"
    SHARE_119 = "share_119"
    SHARE_MEDICAL = "share_medical"  # readings are given to the medical partner, without the name
    SHARE_FAMILY = "share_family"
    PHONE = "phone"  # that a paired phone was seen at home is told; the hub's list says so, too


class Contact(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call; the order of the contacts is the order of calling."""

    name: Line = ""
    relation: Line = ""
    phone: Phone = ""


class Consent(Struct, frozen=True, forbid_unknown_fields=True):
    """Consent to one item, or its refusal: when, and to which version of the text."""

    item: ConsentItem
    given: bool = False
    date: Date = ""
    version: Line = ""


class Record(Struct, frozen=True, forbid_unknown_fields=True):
    """All that the centre holds of a resident; empty where it was never asked."""

    name: Line = ""
    birth_year: Year | None = None
    phone: Phone = ""
    address: Line = ""
    door_code: Line = ""
    entry: Text = ""  # how to get in where nobody opens
    illnesses: Text = ""
    medicines: Text = ""
    contacts: Annotated[tuple[Contact, ...], Meta(max_length=CONTACTS_MAX)] = ()
    consents: tuple[Consent, ...] = ()
    baseline: Text = ""  # how the resident usually lives
    registered_119: bool = False  # 119안심콜 knows the resident's phone number
    notes: Text = ""

    def consent(self, item: ConsentItem) -> Consent | None:
        """Return the consent to an item, or its refusal; None where it was never asked for."""
        found = [one for one in self.consents if one.item is item]
        return found[-1] if found else None

    def allows(self, item: ConsentItem) -> bool:
        """Return whether the item was consented to; False where it was never asked for."""
        one = self.consent(item)
        return one is not None and one.given


class Kept(Struct, frozen=True):
    """A record as stored: its version and who changed it last; version 0: there is none."""

    hub: str
    record: Record = Record()
    version: int = 0
    changed_utc: float = 0.0
    changed_by: str = ""


class WhyNotKept(StrEnum):
    """Why a record was not stored."""

    STALE = "stale"  # somebody else changed it since the operator looked
    NO_HOME = "no_home"


class NotKept(Struct, frozen=True):
    """A record that was not stored, as it is."""

    why: WhyNotKept
    kept: Kept


def changed(before: Record, after: Record) -> tuple[str, ...]:
    """Return the names of the fields that differ, consents by item; not their contents."""
    fields = [
        field.name
        for field in msgspec.structs.fields(Record)
        if field.name != "consents" and getattr(before, field.name) != getattr(after, field.name)
    ]
    items = [item for item in ConsentItem if before.consent(item) != after.consent(item)]
    return (*fields, *(f"consent.{item}" for item in items))


def is_another(before: Record, after: Record) -> bool:
    """Whether a record is about another person now: name and year of birth differ.

    One of them alone may have been written wrongly.
    """
    old, new = (before.name, before.birth_year), (after.name, after.birth_year)
    return all((*old, *new)) and old[0] != new[0] and old[1] != new[1]


def was_taken_back(before: Record, after: Record, item: ConsentItem) -> bool:
    """Whether a consent that was given does not hold any more."""
    return before.allows(item) and not after.allows(item)


def age(record: Record, year: int) -> int | None:
    """Return the age that the resident reaches in `year`; None where it is not known."""
    if record.birth_year is None or record.birth_year > year:
        return None
    return year - record.birth_year
