"""All mistakes of a config are printed in the language of the shell, and nothing is started."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from gpiozero import Device
from msgspec import Meta, Struct

from center import cli as center_cli
from center.config import Settings
from center.domain.record import Record
from drivers import contact, supply
from drivers.bluetooth import devices
from drivers.bluetooth.settings import RadioSettings
from drivers.bluetooth.settings import load as load_radio
from drivers.gpio_line import SILENT_S
from drivers.virtual import driver
from drivers.virtual.furnish import furnish
from hub.__main__ import _hub_config
from hub.config import Config, driver_kinds, find_driver, load, rules_of
from hub.contract.addresses import Flaw
from hub.contract.forms import form_of
from hub.core.model.driver import Driver
from hub.core.model.rules import Role, Room, Sense, Sensor
from hub.core.model.wireless import WirelessFile
from hub.shared.language import Language
from hub.shared.messages import messages
from hub.shared.settings import Problem, SettingsError, unnoted
from provisioning.certs import inspect
from tests.hub.rig import HUB, write_config
from tests.identities import enrol
from tests.layout import REPO
from voice.dialogue.plan_files import Common, PlanFile
from voice.settings import VoiceSettings

WRONG = """\
hub = "js 0001"
telemetrie_s = 30
telemetry_s = 0

[mqtt]
brokers = []
protocol = "4"
keepalive_s = 0

[[device]]
kind = "contact"
name = "help"
role = "helpbutton"
pin = 17

[[device]]
kind = "kontact"
name = "cord"
"""


def furnished(config: Config) -> tuple[Driver, ...]:
    phrases = messages("hub", config.language, "hub")["say"]
    return furnish(config.device, config.run_dir, phrases, config.state_dir)


def run(config: Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "hub", "hub", "--config", str(config), "--virtual"]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, cwd=cwd)


@pytest.mark.parametrize("language", Language)
def test_every_mistake_is_told_at_once_and_nothing_starts(
    tmp_path: Path, language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANBU_LANG", language)
    file = tmp_path / "hub.toml"
    file.write_text(WRONG, encoding="utf-8")
    ended = run(file, Path.cwd())
    lines = [line for line in ended.stderr.splitlines() if line.startswith(str(file))]
    assert ended.returncode == 2
    assert len(lines) == 8, ended.stderr
    for line in (1, 2, 3, 6, 7, 8, 13, 17):
        assert sum(told.startswith(f"{file}:{line}: ") for told in lines) == 1, line
    assert "telemetry_s" in ended.stderr, "did you mean"
    spoken = any("가" <= letter <= "힣" for letter in ended.stderr)
    assert spoken == (language is Language.KOREAN)
    assert list(tmp_path.iterdir()) == [file], "no state, no socket"


@pytest.mark.parametrize(
    "text", [b"hub = ", b"\xff\xfe\x00", b"", b'hub = "x"\n' * 2, "안부 = 1".encode("euc-kr")]
)
def test_what_is_no_config_at_all_is_refused_in_words(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "hub.toml"
    file.write_bytes(text)
    with pytest.raises(SettingsError):
        load(file)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    ended = run(tmp_path / "none.toml", Path.cwd())
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "none.toml" in ended.stderr


def test_a_good_config_gives_paths_devices_and_rules(tmp_path: Path) -> None:
    config = load(write_config(tmp_path, 8883))
    assert config.state_dir == f"{tmp_path}/state"
    assert [d.name for d in config.device] == ["help", "cancel", "lamp"]
    rules = rules_of(config, "1.0", config.device)
    assert (rules.hub, rules.software) == (HUB, "1.0")
    assert {name: b.role for name, b in rules.buttons.items()} == {
        "help": Role.HELP_BUTTON,
        "cancel": Role.CANCEL_BUTTON,
    }


COUNTY = 'center = "https://c.example:8444"\nbrokers = ["tls://c.example:8883"]\n'


def without(file: Path, *keys: str) -> Path:
    """Leave lines out of a config."""
    lines = file.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(" ")[0] not in keys]
    file.write_text("\n".join(kept), encoding="utf-8")
    return file


def test_a_hub_without_a_name_has_that_of_its_identity_or_none(tmp_path: Path) -> None:
    file = without(write_config(tmp_path, 8883), "hub", "brokers", "ca", "cert", "key")
    (tmp_path / "county.toml").write_text(COUNTY, encoding="utf-8")
    config = load(file)
    assert (config.hub, config.enrolled) == ("", True)
    assert config.mqtt.brokers == ("tls://c.example:8883",)
    assert rules_of(config, "1.0", config.device).hub == ""
    enrol(config.identities, HUB)
    config = load(file)
    rules = rules_of(config, "1.0", config.device)
    assert (config.hub, rules.hub, rules.enrolled) == (HUB, HUB, True)


def test_the_doctor_examines_the_certificate_of_the_identity(tmp_path: Path) -> None:
    file = without(write_config(tmp_path, 8883), "hub", "brokers", "ca", "cert", "key")
    (tmp_path / "county.toml").write_text(COUNTY, encoding="utf-8")
    assert [f.code for f in inspect.examine(_hub_config(file, unnoted))] == ["none"]
    enrol(load(file).identities, HUB)
    found = _hub_config(file, unnoted)
    assert found.hub == HUB
    assert [f.code for f in inspect.examine(found)] == ["good"]


def test_without_the_countys_file_a_hub_still_starts(tmp_path: Path) -> None:
    file = without(write_config(tmp_path, 8883), "hub", "brokers", "ca", "cert", "key")
    assert load(file).mqtt.brokers == ()


def test_a_certificate_without_a_hub_and_a_hub_without_a_broker_are_refused(
    tmp_path: Path,
) -> None:
    for keys, wrong in ((("hub",), "hub"), (("brokers",), "mqtt.brokers")):
        file = without(write_config(tmp_path, 8883), *keys)
        with pytest.raises(SettingsError) as refused:
            load(file)
        (mistake,) = refused.value.mistakes
        assert (mistake.key, mistake.problem) == (wrong, Problem.MISSING_KEY)


def test_relative_paths_are_meant_from_the_files_own_folder(tmp_path: Path) -> None:
    file = write_config(tmp_path, 8883)
    file.write_text(file.read_text().replace(f"{tmp_path}/state", "state"), encoding="utf-8")
    assert load(file).state_dir == str(tmp_path / "state")


def test_two_contacts_cannot_have_one_pin(tmp_path: Path) -> None:
    file = write_config(tmp_path, 8883)
    file.write_text(file.read_text().replace("pin = 27", "pin = 17"), encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load(file)
    assert [m.key for m in error.value.mistakes] == ["device[2].pin"]


def test_a_driver_is_found_by_its_file() -> None:
    assert {"contact", "house", "lamp", "motion", "supply"} <= set(driver_kinds())


SENSING = """
[[device]]
kind = "motion"
name = "bath"
place = "욕실"
room = "bathroom"
pin = 23

[[device]]
kind = "contact"
name = "front"
role = "exit_door"
place = "현관문"
pin = 16
silent_s = 100

[[device]]
kind = "contact"
name = "balcony"
role = "door"
pin = 20

[[device]]
kind = "contact"
name = "going-out"
role = "away_switch"
pin = 21

[[device]]
kind = "supply"
name = "power"
pin = 26
battery = "/sys/class/power_supply/*/capacity"
"""


def test_a_driver_says_what_it_senses_and_a_door_is_no_button(tmp_path: Path) -> None:
    file = write_config(tmp_path, 8883)
    file.write_text(file.read_text() + SENSING, encoding="utf-8")
    rules = rules_of(load(file), "1.0", ())
    assert rules.sensors == {
        "bath": Sensor(Sense.MOTION, "욕실", Room.BATHROOM, SILENT_S),
        "front": Sensor(Sense.EXIT_DOOR, "현관문", silent_s=100),
        "balcony": Sensor(Sense.DOOR, silent_s=SILENT_S),
        "power": Sensor(Sense.MAINS, silent_s=SILENT_S),
    }
    assert list(rules.buttons) == ["help", "cancel", "going-out"]
    assert rules.buttons["going-out"].role is Role.AWAY_SWITCH


@pytest.mark.parametrize(
    ("written", "speaks", "times"),
    [
        ("", False, ()),
        ("", True, ("09:00", "18:00")),
        ('[rules.care]\ntimes = ["07:30"]\n', False, ("07:30",)),
        ("[rules.care]\ntimes = []\n", True, ()),
    ],
)
def test_nobody_is_asked_in_a_house_that_cannot_speak_unless_its_config_says_so(
    tmp_path: Path,
    written: str,
    speaks: bool,  # noqa: FBT001 - a case
    times: tuple[str, ...],
) -> None:
    file = write_config(tmp_path, 8883)
    plain = file.read_text(encoding="utf-8").replace("[rules.care]\ntimes = []\n", "")
    file.write_text(plain + written, encoding="utf-8")
    config = load(file)
    drivers = furnished(config) if speaks else config.device
    assert rules_of(config, "1.0", drivers).care.times == times
    assert rules_of(config, "1.0", drivers).voice == ("house" if speaks else "")


def test_a_virtual_house_is_furnished_with_shut_doors_and_a_battery_of_its_own(
    tmp_path: Path,
) -> None:
    file = write_config(tmp_path, 8883)
    file.write_text(file.read_text() + SENSING, encoding="utf-8")
    before = Device.pin_factory
    try:
        *devices, finger = furnished(load(file))
        pins = {pin: Device.pin_factory.pin(pin).finger for pin in (16, 20, 23, 26, 21)}
    finally:
        Device.pin_factory = before
    assert pins == {16: True, 20: True, 23: False, 26: True, 21: False}
    assert isinstance(finger, driver.Driver)
    assert set(finger.contacts) == {"help", "cancel", "going-out"}
    assert set(finger.lamps) == {"red", "green", "amber"}
    assert finger.sensors["power"].battery == f"{tmp_path}/power.battery"
    assert Path(finger.sensors["power"].battery).read_text() == "100\n"
    (power,) = (d for d in devices if isinstance(d, supply.Driver))
    assert power.battery == finger.sensors["power"].battery


def test_a_virtual_button_that_rests_closed_does_not_call_at_the_start(tmp_path: Path) -> None:
    file = write_config(tmp_path, 8883)
    text = file.read_text(encoding="utf-8")
    wired = text.replace('role = "help_button"', 'role = "help_button"\nwiring = "normally_closed"')
    file.write_text(wired, encoding="utf-8")
    before = Device.pin_factory
    try:
        config = load(file)
        furnished(config)
        (help_button,) = (device for device in config.device if device.name == "help")
        assert isinstance(help_button, contact.Driver)
        pin = Device.pin_factory.pin(help_button.pin)
        pin.pull = "up"  # as the driver claims it
        assert pin.state is False
    finally:
        Device.pin_factory = before
    assert rules_of(config, "1", config.device).buttons["help"].normally_closed


@pytest.mark.parametrize(
    "wrong",
    ['kind = "supply"\nname = "x"', 'kind = "motion"\nname = "x"\npin = 20\nrole = "door"'],
)
def test_a_wrong_sensor_is_refused_in_words(tmp_path: Path, wrong: str) -> None:
    file = write_config(tmp_path, 8883)
    file.write_text(f"{file.read_text()}\n[[device]]\n{wrong}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load(file)
    assert len(error.value.mistakes) == 1


GOOD = """\
hub = "js-0001"
state_dir = "state"
[mqtt]
brokers = ["tls://127.0.0.1:8883", "{backup}"]
[[device]]
kind = "contact"
name = "help"
role = "help_button"
pin = 17
place = "욕실"
"""


@pytest.mark.parametrize(
    "backup",
    [
        "tls://[backup.example]:8883",
        "tls://::1:8883",
        "tls://backup.example\uff1a8883",  # a full-width colon
        "tls://backup.example:99999",
    ],
)
def test_a_backup_broker_that_could_never_be_dialled_is_refused_at_the_start(
    tmp_path: Path, backup: str
) -> None:
    file = tmp_path / "hub.toml"
    file.write_text(GOOD.format(backup=backup), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(file)
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.key, mistake.problem) == (4, "mqtt.brokers[2]", Problem.FORM)


def test_a_run_dir_that_is_too_long_for_its_sockets_is_refused_at_the_start(
    tmp_path: Path,
) -> None:
    file = tmp_path / "hub.toml"
    long = "a" * 100
    file.write_text(f"run_dir = '{long}'\n" + GOOD.format(backup="tls://[::1]"), encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert [(m.line, m.key, m.allowed) for m in caught.value.mistakes] == [
        (1, "run_dir", (Flaw.SOCKET_LENGTH,))
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_a_config_that_korean_windows_has_saved_is_read(
    tmp_path: Path, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "hub.toml"
    file.write_bytes(GOOD.format(backup="tls://[::1]").encode(encoding))
    config = load(file)
    assert getattr(config.device[0], "place", "") == "욕실"
    assert ("CP949" in caplog.text) == (encoding == "cp949")


def shapes(hint: object) -> Iterator[object]:
    """Every type that a setting is made of, itself first."""
    yield hint
    if isinstance(hint, type) and issubclass(hint, Struct):
        for one in msgspec.structs.fields(hint):
            yield from shapes(one.type)
    for part in get_args(hint):
        yield from shapes(part)


DEVICES = filter(None, map(find_driver, driver_kinds()))
SETTINGS = (
    Config, Settings, VoiceSettings, RadioSettings, WirelessFile, Record, PlanFile, Common,
    *DEVICES,
)  # fmt: skip


@pytest.mark.parametrize("shape", SETTINGS, ids=str)
def test_no_setting_is_refused_with_a_regular_expression(shape: type[Struct]) -> None:
    marks = [part for part in shapes(shape) if isinstance(part, Meta)]
    assert [mark for mark in marks if mark.pattern and form_of(mark) is None] == []


def test_the_examples_in_the_documents_are_right() -> None:
    hub = load(REPO / "docs" / "examples" / "hub.toml")
    assert [getattr(device, "name", "") for device in hub.device][:2] == ["help", "cord"]
    settings, _ = center_cli.load(REPO / "docs" / "examples" / "center.toml")
    assert settings.center.listen == "127.0.0.1:8080"
    assert load_radio(REPO / "docs" / "examples" / "radio.toml").adapters.listen == "hci0"
    listed = devices.load(REPO / "docs" / "examples" / "devices.toml")
    rules = rules_of(hub, "1", hub.device, listed)
    assert rules.buttons["pendant"].call == "pendant"
    assert rules.sensors["front"].sense is Sense.EXIT_DOOR
