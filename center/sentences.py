"""What the API says in words: `messages/api.ko.toml` and `api.en.toml`, chosen by the request."""

import tomllib
from functools import cache
from importlib import resources
from math import ceil

from starlette.requests import HTTPConnection

from center.domain.by_people import Why
from center.domain.incident import Deed, Incident
from center.service.auth import DeniedError
from center.service.texts import Lang
from hub.contract.wire import timestamp

_CLOCK = frozenset({Deed.EXPIRED, Deed.UNANSWERED, Deed.PRESENT_EXPIRED, Deed.CAUGHT_UP})


def language(request: HTTPConnection) -> Lang:
    """Choose by Accept-Language; programs that ask for none get English."""
    wishes = request.headers.get("accept-language", "").lower()
    return Lang.KO if wishes.startswith("ko") else Lang.EN


def say(lang: Lang, table: str, key: str, **values: object) -> str:
    """Give a sentence with its values filled in; a newer program's value by the table's `other`."""
    held = _sentences(lang)[table]
    return (held.get(key) or held["other"]).format_map({"raw": key, **values})


def refusal(lang: Lang, why: Why, incident: Incident | None) -> str:
    """Say why an action was not done, and who did what meanwhile."""
    if incident is None:
        return say(lang, "why", why)
    who = incident.last_by
    if not who:
        who = say(lang, "who", "clock" if incident.last_deed in _CLOCK else "hub")
    deed = say(lang, "deed", incident.last_deed)
    return say(lang, "why", why, who=who, deed=deed, when=timestamp(incident.last_utc))


def denial(lang: Lang, error: DeniedError) -> str:
    """Say why somebody was turned away."""
    return say(lang, "denied", error.why, seconds=ceil(error.wait_s))


@cache
def _sentences(lang: Lang) -> dict[str, dict[str, str]]:
    file = resources.files("center") / "messages" / f"api.{lang}.toml"
    return tomllib.loads(file.read_text("utf-8"))
