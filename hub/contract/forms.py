"""The forms that texts of settings and records may have, and what can be wrong with one.

A field names its form in its type, and every reader calls `checked` before it uses the text:

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
MOST_LOCAL = 8  # 560-1234, 1588-1234: so long a number needs neither 0 nor +
LAST_LOW = 31
_DASHES = re.compile("[\u2010-\u2015\u2212\uff0d\u3161]")


class Form(StrEnum):
    """What a text must be. A form without a check of its own is checked by its pattern."""

    BROKER = "broker"
    LISTEN = "listen"
    PATH = "path"
    SOCKET = "socket"  # a path that fits a Unix socket
    TIME = "time"  # of day, "HH:MM"
    DATE = "date"  # "YYYY-MM-DD"
    NAME = "name"  # a hub's or device's
    WORD = "word"  # small Latin letters
    PHONE = "phone"
    BLUETOOTH = "bluetooth"  # the address of a Bluetooth device
    BIND_KEY = "bind_key"  # by which a wireless sensor encrypts
    ADAPTER = "adapter"  # a Bluetooth adapter's name, or its address


def of(form: Form, pattern: str | None = None) -> Meta:
    """Return the mark of a text that has this form; `pattern` is what decoders check."""
    return Meta(pattern=pattern, extra={"form": form})


Broker = Annotated[str, of(Form.BROKER)]
FilePath = Annotated[str, of(Form.PATH)]
SocketPath = Annotated[str, of(Form.SOCKET)]
TimeOfDay = Annotated[str, of(Form.TIME, r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]  # local, "HH:MM"
# a name becomes part of a topic: no wildcard, no slash, and no dot, which NATS does not take
Name = Annotated[str, of(Form.NAME, r"^[a-z0-9][a-z0-9_-]{0,62}$")]

Bluetooth = Annotated[str, of(Form.BLUETOOTH, r"^[0-9A-F]{2}(:[0-9A-F]{2}){5}$")]
BindKey = Annotated[str, of(Form.BIND_KEY, r"^[0-9a-f]{32}$")]  # AES-128, as hex
Adapter = Annotated[str, of(Form.ADAPTER, r"^(hci[0-9]{1,2}|[0-9A-F]{2}(:[0-9A-F]{2}){5})?$")]


def form_of(meta: Meta) -> Form | None:
    """Return the form that a mark names."""
    form = (meta.extra or {}).get("form")
    return form if isinstance(form, Form) else None


def checked(form: Form | None, text: str) -> str:
    """Return `text` as it is stored, composed (NFC) but in paths, or raise `FlawError`."""
    check = _CHECKS.get(form) if form else None
    return check(text) if check else composed(text)


def composed(text: str) -> str:
    """Return `text` with each Hangul syllable as one letter, as macOS does not write it."""
    return unicodedata.normalize("NFC", text)


def path(text: str) -> str:
    """Return a path that the system can open; whether it exists is not checked."""
    if any(ord(sign) <= LAST_LOW for sign in text):
        raise FlawError(Flaw.PATH)
    parts = [len(part.encode(errors="surrogateescape")) for part in text.split("/")]
    if max(parts) > LONGEST_PART or sum(parts) + len(parts) - 1 > LONGEST_PATH:
        raise FlawError(Flaw.PATH_LENGTH)
    return text


def socket(text: str) -> str:
    """Return a path that fits a Unix socket."""
    if not text:
        raise FlawError(Flaw.NO_SOCKET)
    if len(path(text).encode(errors="surrogateescape")) > LONGEST_SOCKET:
        raise FlawError(Flaw.SOCKET_LENGTH, str(LONGEST_SOCKET))
    return text


def phone(text: str) -> str:
    """Return a phone number as groups of digits: `(033) 560-1234` becomes `033-560-1234`.

    A spreadsheet removes the leading zero of 01012345678. Such a number is refused, for it cannot
    be called.
    """
    plain = unicodedata.normalize("NFKC", _DASHES.sub("-", text)).strip()
    if not plain:
        return ""
    abroad = plain.startswith("+")
    if abroad:
        plain = plain.replace("(0)", " ")  # the zero that a caller from abroad leaves out
    if not re.fullmatch(r"[0-9() .-]*", plain[abroad:]):
        raise FlawError(Flaw.PHONE_SIGN, text)
    groups = re.findall(r"[0-9]+", plain)
    digits = "".join(groups)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise FlawError(Flaw.PHONE_LENGTH, text)
    if not abroad and digits[0] != "0" and len(digits) > MOST_LOCAL:
        raise FlawError(Flaw.PHONE_ZERO, text)
    return "+" * abroad + "-".join(groups)


def bluetooth(text: str) -> str:
    """Return an address in capitals with colons, as BlueZ writes it: `c0-ff-ee-...` is one, too."""
    return text.strip().upper().replace("-", ":")


def bind_key(text: str) -> str:
    """Return a key in small letters, without the spaces that a label prints between."""
    return re.sub(r"[\s:-]", "", text).lower()


def adapter(text: str) -> str:
    """Return an adapter's name, or its address as BlueZ writes it."""
    return text.strip() if text.strip().startswith("hci") else bluetooth(text)


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
    Form.BLUETOOTH: bluetooth,
    Form.BIND_KEY: bind_key,
    Form.ADAPTER: adapter,
}
