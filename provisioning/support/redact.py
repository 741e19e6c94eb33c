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
    "file", "folder", "found", "free_mb", "hub", "interface", "key", "lines", "mb", "member", "ms",
    "n", "now", "provision", "radio", "s", "server", "size", "socket", "status", "there", "timeout",
    "trouble", "url", "used", "version", "voice", "what",
})  # fmt: skip
NAMES_OF_PARTS = frozenset({  # checks whose `name` and `names` are programs, adapters, files
    "bluetooth_adapter", "firstboot", "microphone", "model", "packages", "voice_check",
})  # fmt: skip
MISTAKES = frozenset(
    {"codepage", "hub_offline", "mistake", "trouble"}
)  # codes of findings that bring sentences
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
_FORMS = (
    (re.compile(r"(?s)-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\Z)"), WITHHELD),
    (re.compile(r"\b([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){2})(?::[0-9A-Fa-f]{2}){3}\b"), r"\1:…"),
    (re.compile(r"\b[0-9a-fA-F]{32,}\b"), WITHHELD),  # keys, digests, machine ids
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), WITHHELD),
    (re.compile(r"(?<![\d.])(?:\+82[- ]?|0)\d{1,2}[- ]?\d{3,4}[- ]?\d{4}(?![\d.])"), WITHHELD),
    (re.compile(r"(?<!\d)\d{6}-[1-8]\d{6}(?!\d)"), WITHHELD),  # a resident registration number
    (re.compile(r"(?i)\b((?:psk|password|passphrase|secret|token|ssid)\s*[=:]\s*)\S+"), r"\1…"),
)


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
        elif code in MISTAKES:  # it quotes what the file says
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
