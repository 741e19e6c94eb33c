"""The forms that single texts of settings and records have, and what is wrong with one.

A field names its form in its type, and every reader asks `settled` before it takes the text:

    Broker = Annotated[str, of(Form.BROKER)]
"""

import re
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from hub.contract.addresses import Flaw, FlawError, broker, listen

LONGEST_PATH, LONGEST_PART = 4095, 255  # bytes: Linux's PATH_MAX without its NUL, NAME_MAX
LONGEST_SOCKET = 107  # bytes: sockaddr_un's sun_path without its NUL
FEWEST_DIGITS, MOST_DIGITS = 3, 15  # 119; E.164
MOST_LOCAL = 8  # 560-1234, 1588-1234: what may begin with neither 0 nor +
LAST_LOW = 31
_DASHES = re.compile("[\u2010-\u2015\u2212\uff0d\u3161]")


class Form(StrEnum):
    """What a text must be. Those without a check of their own are checked by their pattern."""

    BROKER = "broker"
    LISTEN = "listen"
    PATH = "path"
    SOCKET = "socket"  # a path that fits a Unix socket
    TIME = "time"  # of day, "HH:MM"
    DATE = "date"  # "YYYY-MM-DD"
    NAME = "name"  # a hub's or device's
    WORD = "word"  # small Latin letters
    PHONE = "phone"


def of(form: Form, pattern: str | None = None) -> Meta:
    """Give the mark of a text that has this form; `pattern` is what decoders check of it."""
    return Meta(pattern=pattern, extra={"form": form})


Broker = Annotated[str, of(Form.BROKER)]
FilePath = Annotated[str, of(Form.PATH)]
SocketPath = Annotated[str, of(Form.SOCKET)]
TimeOfDay = Annotated[str, of(Form.TIME, r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]  # local, "HH:MM"


def form_of(meta: Meta) -> Form | None:
    """Give the form that a mark names."""
    form = (meta.extra or {}).get("form")
    return form if isinstance(form, Form) else None


def settled(form: Form | None, text: str) -> str:
    """Give `text` as it is kept, or raise `FlawError`. Letters are composed (NFC), but in paths."""
    check = _CHECKS.get(form) if form else None
    return check(text) if check else composed(text)


def composed(text: str) -> str:
    """Give `text` with each Hangul syllable as one letter: a name typed on macOS is the same."""
    return unicodedata.normalize("NFC", text)


def path(text: str) -> str:
    """Give a path that the system can open; whether it exists is not known here."""
    if any(ord(sign) <= LAST_LOW for sign in text):
        raise FlawError(Flaw.PATH)
    parts = [len(part.encode(errors="surrogateescape")) for part in text.split("/")]
    if max(parts) > LONGEST_PART or sum(parts) + len(parts) - 1 > LONGEST_PATH:
        raise FlawError(Flaw.PATH_LENGTH)
    return text


def socket(text: str) -> str:
    """Give a path that fits a Unix socket."""
    if not text:
        raise FlawError(Flaw.NO_SOCKET)
    if len(path(text).encode(errors="surrogateescape")) > LONGEST_SOCKET:
        raise FlawError(Flaw.SOCKET_LENGTH, str(LONGEST_SOCKET))
    return text


def phone(text: str) -> str:
    """Give a phone number as groups of digits: `(033) 560-1234` becomes `033-560-1234`.

    A spreadsheet takes the leading zero from 01012345678: such a number is refused, for it cannot
    be called.
    """
    plain = unicodedata.normalize("NFKC", _DASHES.sub("-", text)).strip()
    if not plain:
        return ""
    abroad = plain.startswith("+")
    if abroad:
        plain = plain.replace("(0)", " ")  # the zero that is left out from abroad
    if not re.fullmatch(r"[0-9() .-]*", plain[abroad:]):
        raise FlawError(Flaw.PHONE_SIGN, text)
    groups = re.findall(r"[0-9]+", plain)
    digits = "".join(groups)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise FlawError(Flaw.PHONE_LENGTH, text)
    if not abroad and digits[0] != "0" and len(digits) > MOST_LOCAL:
        raise FlawError(Flaw.PHONE_ZERO, text)
    return "+" * abroad + "-".join(groups)


def _broker(text: str) -> str:
    broker(text)
    return text


def _listen(text: str) -> str:
    listen(text)
    return text


_CHECKS: dict[Form, Callable[[str], str]] = {
    Form.BROKER: _broker,
    Form.LISTEN: _listen,
    Form.PATH: path,
    Form.SOCKET: socket,
    Form.PHONE: phone,
}


# a name becomes part of a topic: no wildcard, no slash, and no dot, which NATS does not take
Name = Annotated[str, of(Form.NAME, r"^[a-z0-9][a-z0-9_-]{0,62}$")]
