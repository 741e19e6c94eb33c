"""The list of wireless devices: read anew when it changes, and never lost by a slip of the hand."""

from pathlib import Path

import pytest

from drivers.bluetooth import settings
from drivers.bluetooth.devices import DeviceList, in_effect, load
from drivers.bluetooth.settings import RadioSettings
from hub.core.model.rules import Role
from hub.core.model.wireless import Pendant, Wireless
from hub.shared.settings import Problem, SettingsError

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
PENDANT = f"""
[[device]]
kind = "pendant"
name = "pendant"
address = "c0-ff-ee-12-34-56"
key = "{KEY.upper()}"
"""


def test_a_list_is_taken_as_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    assert load(path) == ()
    path.write_text(PENDANT, encoding="utf-8")
    assert load(path) == (Pendant("pendant", "C0:FF:EE:12:34:56", KEY),)


def test_a_pendant_that_says_what_its_button_does_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "devices.toml"
    path.write_text(PENDANT + 'role = "cancel_button"\n', encoding="utf-8")
    assert load(path) == (Pendant("pendant", "C0:FF:EE:12:34:56", KEY, Role.CANCEL_BUTTON),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PENDANT + PENDANT, Problem.DUPLICATE),
        (PENDANT.replace('pendant"\naddress', 'Pendant"\naddress'), Problem.FORM),
        (PENDANT.replace(KEY.upper(), "0f1e"), Problem.FORM),
        (PENDANT.replace('"pendant"\nname', '"pendnat"\nname'), Problem.UNKNOWN_KIND),
        (PENDANT + 'role = "exit_door"\n', Problem.FORM),
        ("[[device", Problem.SYNTAX),
    ],
)
def test_a_list_with_mistakes_is_refused_with_its_line(
    tmp_path: Path, text: str, problem: Problem
) -> None:
    (tmp_path / "devices.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "devices.toml")
    assert problem in {mistake.problem for mistake in caught.value.mistakes}


def test_a_slip_of_the_hand_silences_no_pendant(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, changes = tmp_path / "devices.toml", list[tuple[Wireless, ...]]()
    path.write_text(PENDANT, encoding="utf-8")
    listed = DeviceList(path, changes.append)
    listed.look()
    for text in (PENDANT + "kind = pendant", PENDANT, "# again\n" + PENDANT):
        path.write_text(text, encoding="utf-8")
        listed.look()
        assert [device.name for device in listed.devices] == ["pendant"]
    assert len(changes) == 1
    assert "devices.toml:7" in caplog.text
    path.write_text("", encoding="utf-8")
    listed.look()
    assert changes[1:] == [()], "an empty file lists none"


def test_a_list_that_is_gone_silences_no_pendant(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, troubles = tmp_path / "devices.toml", list[str]()
    path.write_text(PENDANT, encoding="utf-8")
    listed = DeviceList(path, lambda _: None, troubles.append)
    listed.look()
    path.unlink()
    listed.look()
    listed.look()
    assert [device.name for device in listed.devices] == ["pendant"]
    assert troubles == ["devices.toml: No such file or directory"]
    assert len(caplog.messages) == 1, "it is not said again each 2 s"
    path.write_text("", encoding="utf-8")
    listed.look()
    assert (listed.devices, troubles[1:]) == ((), [""]), "who wants none writes an empty file"
    path.unlink()
    listed.look()
    assert not listed.trouble, "nobody was listed"


@pytest.mark.parametrize(("kept", "names"), [(PENDANT, ["pendant"]), ("", []), ("[[device", None)])
def test_who_reads_a_list_that_is_gone_reads_the_devices_of_before(
    tmp_path: Path, kept: str, names: list[str] | None
) -> None:
    path = tmp_path / "devices.toml"
    (tmp_path / "devices.good.toml").write_text(kept, encoding="utf-8")
    listed = DeviceList(path, lambda _: None)
    listed.look()
    assert [device.name for device in listed.devices] == (names or [])
    assert bool(listed.trouble) is (names != []), "also of a copy that cannot be read"
    if names is None:
        with pytest.raises(SettingsError):
            in_effect(path)
    else:
        assert [device.name for device in in_effect(path)] == names


def test_a_radio_without_a_file_of_settings_begins_with_the_usual_ones(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "radio.toml") == RadioSettings()
