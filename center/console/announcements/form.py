"""The form of an announcement: from what was typed to a draft, and to hidden fields. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from center.domain import times
from center.domain.announcement import KEY_MAX, UNTIL_S, Draft, Whom, digest, plain
from center.service.texts import Lang, Texts, texts

TEMPLATES = ("heat", "cold", "disaster", "visit", "outage")
YES = "yes"
PLACE_MAX = 60


class Typed(Struct, frozen=True):
    """What stands in the form's fields; `hub` is that of a home's own page."""

    text: str = ""
    whom: Whom = Whom.ALL
    place: str = ""
    hub: str = ""
    urgent: bool = False
    until: str = ""
    key: str = ""


def blank(hub: str, template: str, now: float) -> Typed:
    """Give a form to start from: for one home or for all, empty or with a template's text.

    Homes are spoken to in Korean, whatever the console speaks.
    """
    text = texts(Lang.KO)(f"announce_text.{template}") if template in TEMPLATES else ""
    whom = Whom.HOME if hub else Whom.ALL
    return Typed(text, whom, "", hub, until=times.for_field(now + UNTIL_S))


def meaning(template: str, t: Texts) -> str:
    """Give a template's text in the console's language where that is not the homes' Korean."""
    known = template in TEMPLATES and t.lang is not Lang.KO
    return t(f"announce_text.{template}") if known else ""


def typed_of(form: Mapping[str, str]) -> Typed:
    """Read the form's fields as they are."""
    wish = form.get("whom", "")
    return Typed(
        text=form.get("text", ""),
        whom=Whom(wish) if wish in set(Whom) else Whom.ALL,
        place=form.get("place", "")[:PLACE_MAX],
        hub=form.get("hub", "")[:PLACE_MAX],
        urgent=form.get("urgent") == YES,
        until=form.get("until", "")[:PLACE_MAX],
        key=form.get("key", "")[:KEY_MAX],
    )


def draft_of(typed: Typed, form: Mapping[str, str]) -> Draft:
    """Make a draft of what was typed."""
    return Draft(
        text=plain(typed.text),
        whom=typed.whom,
        place=plain(typed.place),
        hubs=(typed.hub,),
        urgent=typed.urgent,
        until_utc=times.of_field(typed.until),
        key=typed.key,
        seen=form.get("seen", ""),
        again=form.get("again") == YES,
    )


def hidden(typed: Typed, hubs: tuple[str, ...]) -> dict[str, str]:
    """Give the fields of the form that sends, with the digest of the homes that are shown."""
    return {
        "text": typed.text,
        "whom": typed.whom.value,
        "place": typed.place,
        "hub": typed.hub,
        "urgent": YES if typed.urgent else "",
        "until": typed.until,
        "key": typed.key,
        "seen": digest(hubs=hubs),
    }


def whom_of(whom: Whom, place: str, t: Texts) -> str:
    """Say to whom, in words."""
    return t("announce.place_said", place=place) if place else t(f"announce.whom_{whom}")
