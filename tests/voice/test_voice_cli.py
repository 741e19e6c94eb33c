"""`anbu voice`: what an installer sees when something is missing, wrong or damaged."""

import argparse
import re
import tomllib
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.shared.findings import Finding, Verdict, bad, good
from hub.shared.models import Why
from hub.shared.settings import SettingsError
from tests.layout import REPO
from tests.voice.room import Room
from voice import check, cli
from voice.check import examine, key_of
from voice.settings import VoiceSettings, load
from voice.sound.portaudio import PortAudio

MESSAGES = REPO / "voice" / "messages"


def findings(**settings: str) -> dict[str, Finding]:
    return {key_of(found): found for found in examine(VoiceSettings(**settings))}  # type: ignore[arg-type]


@pytest.mark.usefixtures("place")
def test_devices_that_work_are_told_by_their_names() -> None:
    sound = PortAudio()
    assert list(check.microphone(sound, "microphone")) == [
        good("microphone", name="anbu_microphone")
    ]
    assert check.loudspeaker(sound, "loudspeaker") == good("loudspeaker", name="anbu_loudspeaker")


def test_a_microphone_that_is_switched_off_is_told(place: Room) -> None:
    place.mute(on=True)
    try:
        (found,) = check.microphone(PortAudio(), "microphone")
    finally:
        place.mute(on=False)
    assert found == bad("microphone", "silent")


@pytest.mark.usefixtures("place")
def test_whatever_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    vosk = tmp_path / "models" / "vosk" / "am"
    vosk.mkdir(parents=True)
    (vosk / "final.mdl").write_bytes(b"torn")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "mood.toml").write_text('answers = ["ask_moood"]\n')
    (tmp_path / "phrases.toml").write_text('[[phrases]]\nintent = "hepl"\nsay = ["도와줘"]\n')
    found = findings(
        microphone="no such microphone", loudspeaker="no such loudspeaker",
        models=str(tmp_path / "models"), plans=str(tmp_path / "plans"),
        phrases=str(tmp_path / "phrases.toml"), socket=str(tmp_path / "voice.sock"),
    )  # fmt: skip
    wrong = {key for key, finding in found.items() if finding.verdict is Verdict.BAD}
    assert wrong == {
        "microphone_missing", "loudspeaker_missing", "model_missing", "model_damaged",
        "mouth_missing", "phrases_wrong", "plans_wrong",
    }  # fmt: skip
    assert found["hub_missing"].verdict is Verdict.NOTE
    assert "no such microphone" in found["microphone_missing"].values["reason"]
    assert "phrases.toml:2" in found["phrases_wrong"].values["reason"]


@pytest.mark.usefixtures("place")
def test_it_is_told_that_words_leave_the_home() -> None:
    consented = {key_of(found) for found in examine(VoiceSettings(tell_words=True))}
    assert consented - set(findings()) == {"tells_words"}


def test_each_finding_has_its_sentence_in_both_languages() -> None:
    said = [tomllib.loads((MESSAGES / f"{language}.toml").read_text()) for language in ("ko", "en")]
    for table in said[0]:
        assert set(said[0][table]) == set(said[1][table])
    source = Path(check.__file__).read_text("utf-8")
    made = re.findall(r'(?:good|note|bad)\("(\w+)"(?:, "(\w+)")?', source)
    made += [("model", why) for why in Why]
    made += [(file, code) for file in ("phrases", "plans") for code in ("good", "wrong")]
    named = {key_of(Finding(part, Verdict.NOTE, code or "good")) for part, code in made}
    assert named == set(said[0]["check"])


@pytest.mark.usefixtures("place")
def test_devices_are_listed_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    args = parser.parse_args(["devices"])
    assert args.do is cli._devices
    devices = PortAudio().devices()
    assert {"anbu_microphone", "anbu_loudspeaker"} <= {device.name for device in devices}
    assert not capsys.readouterr().err


def test_a_config_with_mistakes_is_refused_with_all_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "voice.toml"
    file.write_text("volume_pct = 400\nspeeed = 1\n")
    assert main(["voice", "--config", str(file), "check"]) == 2
    told = capsys.readouterr().err
    assert f"{file}:1: volume_pct" in told
    assert f"{file}:2: speeed" in told
    assert "speed" in told
    with pytest.raises(SettingsError):
        load(file)


def test_the_example_in_the_documents_is_right() -> None:
    assert load(REPO / "docs" / "examples" / "voice.toml").microphone == "USB"
