"""The hub's TOML file as typed settings; relative paths start at the file's own folder.

A driver is found by its `kind`: `[[device]] kind = "contact"` is `drivers/contact.py`.
"""

import logging
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from hub.contract.addresses import FlawError
from hub.contract.forms import FilePath, Form, of, socket
from hub.core.model.driver import Driver
from hub.core.model.rules import Button, CareRules, Role, Room, Rules, Sense, Sensor
from hub.core.model.wireless import Pendant, Phone, Wireless
from hub.link.session import MqttSettings
from hub.shared import identity
from hub.shared.county import load as load_county
from hub.shared.language import Language
from hub.shared.messages import tell, usual_language
from hub.shared.settings import (
    Kinds,
    Mistake,
    Noted,
    Problem,
    SettingsError,
    read,
    refuse,
    text_of,
)

LONGEST_SOCKET = "/house.sock"  # the longest name of a socket in `run_dir`


class OutboxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[outbox]`: `patience_s` is how long a commit may take before an SOS goes without it."""

    patience_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    telemetry_rows: Annotated[int, Meta(ge=1, le=1_000_000)] = 2000


class BlackBoxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[blackbox]`: the transcript of decisions, for `anbu replay`; 0 MB switches it off.

    It takes at most `files` times `file_mb`. Each file is packed when it is full.
    """

    file_mb: Annotated[float, Meta(ge=0, le=1000)] = 4.0
    files: Annotated[int, Meta(ge=1, le=1000)] = 4


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of a hub.

    `hub` may be left out, and `ca`, `cert` and `key` of `[mqtt]` with it: then they are those of
    the identity in `state_dir`; without one the hub is not registered (`hub` is empty). One whose
    identity is lost keeps its name: it cannot dial, but what is called in its home stays owed.
    Brokers that are left out are those of the county's file.
    """

    device: tuple[Driver, ...]
    hub: Annotated[str, of(Form.NAME, r"^([a-z0-9][a-z0-9_-]{0,62})?$")] = ""
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    county: FilePath = "county.toml"
    language: Language = Language.KOREAN
    state_dir: FilePath = "/var/lib/anbu"
    run_dir: FilePath = "/run/anbu"
    zone_h: Annotated[float, Meta(ge=-12, le=14)] = 9.0  # ahead of UTC; Korea has no summer time
    telemetry_s: Annotated[float, Meta(gt=0, le=86_400)] = 300.0
    outbox: OutboxSettings = field(default_factory=OutboxSettings)
    blackbox: BlackBoxSettings = field(default_factory=BlackBoxSettings)
    rules: Rules = field(default_factory=Rules)
    enrolled: bool = False  # the certificate is the identity's; always so where `hub` is left out

    @property
    def identities(self) -> Path:
        """The folder of the hub's identity."""
        return Path(self.state_dir) / identity.FOLDER


def _log(note: Mistake) -> None:
    logging.getLogger("anbu").warning("%s", tell(note, usual_language()))


def load(path: Path, noted: Noted = _log) -> Config:
    """Read the file; raise `SettingsError` with every mistake, or `OSError`.

    `noted` is called for what is not a mistake, but should be corrected.
    """
    kinds = Kinds(find_driver, driver_kinds(), unique=("name", "pin"))
    text = text_of(path.read_bytes(), str(path), noted)
    config = read(text, str(path), Config, kinds={"device": kinds})
    folder = path.resolve().parent
    try:
        socket(_from(folder, config.run_dir) + LONGEST_SOCKET)
    except FlawError as flaw:
        raise refuse(text, str(path), ("run_dir",), flaw) from flaw
    mqtt = {key: _from(folder, getattr(config.mqtt, key)) for key in ("ca", "cert", "key")}
    config = replace(
        config,
        mqtt=replace(config.mqtt, **mqtt),
        state_dir=_from(folder, config.state_dir),
        run_dir=_from(folder, config.run_dir),
        county=_from(folder, config.county),
    )
    return _with_county(_identified(config, str(path)), str(path), noted)


def _identified(config: Config, filename: str) -> Config:
    """Return the config under the name of the identity on the disk, where it names no hub itself.

    Raises SettingsError where a certificate is named and no hub.
    """
    if config.hub:
        return config
    if config.mqtt.cert or config.mqtt.key:
        raise SettingsError((Mistake(filename, 1, "hub", Problem.MISSING_KEY, detail=Form.NAME),))
    return replace(config, hub=identity.known_name(config.identities), enrolled=True)


def _with_county(config: Config, filename: str, noted: Noted) -> Config:
    """Return the config with the county's brokers, where it names none. Raises SettingsError."""
    if config.mqtt.brokers or not config.county:
        return config
    try:
        brokers = load_county(Path(config.county), noted).brokers
    except FileNotFoundError:
        brokers = ()
    if not brokers and not config.enrolled:
        missing = Mistake(filename, 1, "mqtt.brokers", Problem.MISSING_KEY, detail=Form.BROKER)
        raise SettingsError((missing,))
    return replace(config, mqtt=replace(config.mqtt, brokers=brokers))


BESIDE = {"voice": "speaks", "radio": "pairs", "setup": "registers"}  # rule -> who it names
_KIND = {"virtual": "house"}  # folders of drivers whose `kind` in the settings is another word


def rules_of(
    config: Config, software: str, drivers: tuple[Driver, ...],
    wireless: tuple[Wireless, ...] | None = (),
) -> Rules:  # fmt: skip
    """Return the rules of this home: the config's numbers, with its buttons and sensors.

    A driver's `sense` says what it senses in the home; without one it is no sensor. If no driver
    `speaks`, each check-in would be missed: then only check-ins that the config names are held.
    `wireless` are the devices of `devices.toml`; None: it could not be read yet.
    """
    sensors = {d.name: sensor for d in config.device if (sensor := _sensor(d)) is not None}
    others = (d for d in config.device if d.name not in sensors)
    buttons = {d.name: button for d in others if (button := _button(d)) is not None}
    care = config.rules.care
    if care.times == CareRules().times and not _named(drivers, "speaks"):
        care = replace(care, times=())
    for one in wireless or ():
        if isinstance(one, Pendant):
            identity = _identity(one)
            buttons[one.name] = Button(
                one.role, one.place, wireless=identity, silent_s=one.silent_s
            )
        elif sensor := _sensor(one):
            sensors[one.name] = sensor
    phones = tuple(one.name for one in wireless or () if isinstance(one, Phone))
    found = {"buttons": buttons, "sensors": sensors, "care": care, "phones": phones}
    told = (one for one in wireless or () if isinstance(one, Phone) and one.consent)
    found["phones_told"] = tuple(one.name for one in told)
    found["listed"] = wireless is not None
    found |= {field: _named(drivers, mark) for field, mark in BESIDE.items()}
    found |= {"hub": config.hub, "software": software, "enrolled": config.enrolled}
    return replace(config.rules, **found)


def _named(drivers: tuple[Driver, ...], mark: str) -> str:
    """Return the name of the first driver of which `mark` is true."""
    return next((driver.name for driver in drivers if getattr(driver, mark, False)), "")


def driver_kinds() -> tuple[str, ...]:
    """Return the kinds of driver there are; none is imported."""
    return tuple(sorted(_drivers()))


def find_driver(kind: str) -> type[Struct] | None:
    """Return the config's shape of one kind, or None where there is no such driver."""
    module = _drivers().get(kind)
    if module is None:
        return None
    shape: type[Struct] = import_module(module).Driver
    return shape


def _drivers() -> dict[str, str]:
    """Return the module of each kind: `drivers/<kind>.py`, or `drivers/<kind>/driver.py`."""
    (root,) = import_module("drivers").__path__
    files = [*Path(root).glob("*.py"), *Path(root).glob("*/driver.py")]
    found = [file.relative_to(root).with_suffix("").parts for file in files if _is_driver(file)]
    return {_KIND.get(parts[0], parts[0]): ".".join(("drivers", *parts)) for parts in found}


def _is_driver(file: Path) -> bool:
    return "class Driver(" in file.read_text(encoding="utf-8")


def _identity(pendant: Pendant) -> str:
    """Return by what its presses are remembered: another key is another device, and counts anew."""
    return f"{pendant.address}/{sha256(pendant.key.encode()).hexdigest()[:8]}"


def _button(driver: Driver) -> Button | None:
    role = getattr(driver, "role", None)
    closed = bool(getattr(driver, "normally_closed", False))
    return Button(role, _place(driver), closed) if isinstance(role, Role) else None


def _sensor(driver: Driver | Wireless) -> Sensor | None:
    sense = getattr(driver, "sense", None)
    if not isinstance(sense, Sense):
        return None
    room, silent_s = getattr(driver, "room", Room.OTHER), getattr(driver, "silent_s", 0.0)
    return Sensor(sense, _place(driver), room, silent_s)


def _place(driver: Driver | Wireless) -> str:
    return str(getattr(driver, "place", ""))


def _from(folder: Path, path: str) -> str:
    return str(folder / path) if path else ""
