"""Addresses of brokers and of ports to listen on: read whole, or refused with what is wrong.

    tls://broker.example   tls://[2001:db8::7]:8883   tcp://127.0.0.1:1883   127.0.0.1:8080

Hub, centre and doctor connect to what this module has read, so none of them finds a flaw later.
"""

import ipaddress
import re
import unicodedata
from enum import StrEnum

from msgspec import Struct

PORTS = {"tls": 8883, "tcp": 1883}  # as IANA has registered them for MQTT
LAST_PORT = 65535
LONGEST_HOST = 253  # RFC 1035
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PORT = re.compile(r"[0-9]{1,5}")


class Flaw(StrEnum):
    """What is wrong with a text; each is a key of the message files' `form`."""

    SCHEME = "scheme"
    SIGN = "sign"  # the detail is the sign
    HOST = "host"  # the detail is the host
    NO_HOST = "no_host"
    BRACKETS = "brackets"
    PORT = "port"  # the detail is the port
    REST = "rest"
    NO_PORT = "no_port"
    PATH = "path"
    PATH_LENGTH = "path_length"
    NO_SOCKET = "no_socket"
    SOCKET_LENGTH = "socket_length"
    TIME = "time"
    DATE = "date"
    NAME = "name"
    WORD = "word"
    NOTHING_KNOWN = "nothing_known"  # of a supply
    KEY_ALONE = "key_alone"
    PHONE_SIGN = "phone_sign"
    PHONE_LENGTH = "phone_length"
    PHONE_ZERO = "phone_zero"
    BLUETOOTH = "bluetooth"
    BIND_KEY = "bind_key"
    PENDANT_ROLE = "pendant_role"
    ADAPTER = "adapter"


class FlawError(ValueError):
    """A text that is not what it should be; `flaw` says why."""

    def __init__(self, flaw: Flaw, detail: str = "") -> None:
        super().__init__(flaw.value, detail)
        self.flaw, self.detail = flaw, detail


class Address(Struct, frozen=True):
    """A host to connect to, and whether by TLS. `host` has no brackets."""

    tls: bool
    host: str
    port: int


def broker(text: str) -> Address:
    """Read `tls://host:port` or `tcp://host:port`, or raise `FlawError`; the port may be left out.

    A name is not looked up: it may be one that only the home's network knows.
    """
    _plain(text)
    scheme, found, rest = text.partition("://")
    if not found or scheme not in PORTS:
        raise FlawError(Flaw.SCHEME)
    if strange := next((sign for sign in rest if sign in "/?#@"), ""):
        raise FlawError(Flaw.REST, strange)
    host, port = _split(rest)
    return Address(scheme == "tls", _host(host), _port(port) if port else PORTS[scheme])


def listen(text: str) -> tuple[str, int]:
    """Read `host:port` to listen on, or raise `FlawError`; port 0 lets the system choose."""
    _plain(text)
    host, port = _split(text)
    if not port:
        raise FlawError(Flaw.NO_PORT)
    return _host(host), 0 if port == "0" else _port(port)


def _plain(text: str) -> None:
    """Refuse signs that only look like a colon or a letter, blanks, and control characters."""
    for sign in text:
        if unicodedata.normalize("NFKC", sign) != sign or sign.isspace() or not sign.isprintable():
            raise FlawError(Flaw.SIGN, sign)


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        if (port and not port.startswith(":")) or "[" in host or "]" not in text:
            raise FlawError(Flaw.BRACKETS)
        if not _is_ip(host, ipaddress.IPv6Address):
            raise FlawError(Flaw.BRACKETS)
    elif text.count(":") > 1:
        raise FlawError(Flaw.BRACKETS)
    else:
        host, colon, port = text.partition(":")
        port = colon + port
    if port == ":":
        raise FlawError(Flaw.NO_PORT)
    return host, port[1:]


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 0 < int(text) <= LAST_PORT:
        raise FlawError(Flaw.PORT, text)
    return int(text)


def _host(text: str) -> str:
    """Return `text` if it can be a host's name or address; one of figures alone must be IPv4."""
    if ":" in text:
        return text  # an IPv6 address, looked at already
    if not text:
        raise FlawError(Flaw.NO_HOST)
    labels = text.removesuffix(".").split(".")
    figures = labels[-1].isdecimal()
    good = _is_ip(text, ipaddress.IPv4Address) if figures else all(map(_is_label, labels))
    if not good or len(text) > LONGEST_HOST:
        raise FlawError(Flaw.HOST, text)
    return text


def _is_label(label: str) -> bool:
    try:
        plain = label.encode("idna").decode()
    except UnicodeError:
        return False
    return bool(_LABEL.fullmatch(plain))


def _is_ip(text: str, kind: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    try:
        kind(text)
    except ValueError:
        return False
    return True
