"""Personal data and secrets taken out of texts and settings. Pure.

Settings are held back by default: a word is shown only where its key is known to say nothing about
a person. Free text, such as a log, is searched for what has a form: keys, addresses, numbers.
"""

import re
from typing import Any

WITHHELD = "(withheld)"
SHOWN = frozenset({  # keys whose words say nothing about a person or a place
    "adapter", "brokers", "how", "kind", "language", "on", "protocol", "pull", "role", "room",
    "sense", "what", "wiring",
})  # fmt: skip
SHOWN_OF_FINDINGS = frozenset({  # values of the doctor's findings that are of the machine
    "address", "addresses", "center", "chip", "chips", "date", "days", "dbm", "detail", "error",
    "fault", "file", "folder", "found", "free_mb", "hub", "interface", "key", "lines", "mb",
    "member", "ms", "n", "now", "provision", "radio", "s", "server", "size", "socket", "status",
    "there", "timeout", "trouble", "url", "used", "version", "voice", "what",
})  # fmt: skip
NAMES_OF_PARTS = frozenset({  # checks whose `name` and `names` are programs, adapters, files
    "bluetooth_adapter", "firstboot", "microphone", "model", "packages", "voice_check",
})  # fmt: skip
MISTAKES = frozenset(
    {"codepage", "fault", "hub_offline", "mistake", "trouble"}
)  # codes of findings that bring sentences
SENTENCES = frozenset({"en", "ko"})
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_OPENS = r"(?<![A-Za-z])(?:psk|pass(?:word|phrase|wd)|secret|token|ssid|비밀번호|암호)\w*"
_IN_QUOTES = r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'"
_HEX, _NO_HEX = r"[0-9A-Fa-f]{2}", r"(?![0-9A-Za-z])"
_ALONE, _ENDS = r"(?<!\d)(?<!\d\.)", r"(?!\d|\.\d)"  # no part of a longer number
_FORMS = (
    (re.compile(r"(?s)-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\Z)"), WITHHELD),
    # What opens a home, as TOML, JSON or a sentence: in quotes, or up to the end of the line.
    (re.compile(rf"(?i)({_OPENS}[\\\"']*\s*[=:]\s*)(?:{_IN_QUOTES}|[^\n]+)"), r"\1…"),
    (re.compile(rf"(?i)({_OPENS}\s+)(?:{_IN_QUOTES})"), r"\1…"),
    (re.compile(rf"(?i)({_OPENS}\s+(?:is|was)\s+|(?<![a-z])ssid[ \t]+)(?!…)[^\n]+"), r"\1…"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{6,}"), r"\1…"),
    (re.compile(r"\beyJ[\w-]+(?:\.[\w-]*)+"), WITHHELD),  # a JSON web token
    # Addresses of devices: the maker's half stays. The last form is one within an IPv6 address.
    (re.compile(rf"(?<![0-9A-Za-z])({_HEX}(?:([:_-]){_HEX}){{2}})(?:\2{_HEX}){{3,}}{_NO_HEX}"),
     r"\1\2…"),
    (re.compile(rf"(?<![0-9A-Za-z])[0-9A-Fa-f]{{12}}{_NO_HEX}"), WITHHELD),
    (re.compile(r"(?i)[0-9a-f:]*:[0-9a-f]{0,2}ff:fe[0-9a-f]{2}:[0-9a-f]{1,4}(?![0-9a-f])"),
     WITHHELD),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), WITHHELD),  # keys, digests, machine ids
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), WITHHELD),
    (re.compile(rf"(?<!\d)\d{{6}}[- ]?[1-8]\d{{6}}{_ENDS}"), WITHHELD),  # a resident's number
    (re.compile(rf"{_ALONE}\(?(?:\+82[-. ]?(?:\(0\)[-. ]?)?|0)\d{{1,2}}[-. )]{{0,2}}\d{{3,4}}[-. ]?"
                rf"\d{{4}}{_ENDS}"), WITHHELD),
    # Numbers such as 1544-1234, and the digits by which a hub is registered.
    (re.compile(rf"(?<!\w){_ALONE}\d{{4}}[- ]?\d{{4}}(?!\w|\.\d)"), WITHHELD),
)  # fmt: skip


def text(found: str) -> str:
    """Return a text without what looks like a key, an address or a number of a person."""
    for form, instead in _FORMS:
        found = form.sub(instead, found)
    return found


def finding(check: str, code: str, values: dict[str, str]) -> dict[str, str]:
    """Return a finding's values without what names a person, a place, a Wi-Fi or a device."""
    told = {}
    for key, value in values.items():
        if key in SHOWN_OF_FINDINGS or (key in {"name", "names"} and check in NAMES_OF_PARTS):
            told[key] = text(value)
        elif code in MISTAKES and key in SENTENCES:  # it may quote what the file says
            told[key] = text(_QUOTED.sub(f"“{WITHHELD}”", value))
        else:
            told[key] = WITHHELD
    return told


def settings(found: Any, key: str = "") -> Any:  # noqa: ANN401 - whatever TOML can hold
    """Return settings with each word withheld whose key is not known to be harmless."""
    match found:
        case dict():
            return {name: settings(value, name) for name, value in found.items()}
        case list():
            return [settings(value, key) for value in found]
        case str() if found and key not in SHOWN:
            return WITHHELD
        case str():
            return text(found)
        case _:
            return found
