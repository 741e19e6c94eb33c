"""The voice's settings, and how a resident wants to be spoken to."""

import shutil
import threading
from importlib.resources import files
from pathlib import Path

import pytest

from hub.shared.settings import Mistake, Problem, SettingsError, unnoted
from voice.dialogue.plans import SHIPPED
from voice.loading import mistakes_of, plans_of
from voice.settings import VoiceSettings, load
from voice.speaking import preferences
from voice.speaking.preferences import LOUDEST_PCT, Preferences, VoiceRequests
from voice.understanding.home import phrases_of
from voice.understanding.intents import Intent

NOON, MIDNIGHT = 12 * 3600.0, 86_400.0


def test_a_slow_card_holds_up_no_answer_and_the_wish_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free, kept = threading.Event(), threading.Event()

    def slow(path: Path, content: bytes) -> None:
        assert free.wait(10)
        path.write_bytes(content)
        kept.set()

    monkeypatch.setattr(preferences, "write_whole", slow)
    requests = VoiceRequests(VoiceSettings(state_dir=str(tmp_path)))
    assert requests.answer(Intent.LOUDER)
    assert not kept.is_set()
    free.set()
    assert kept.wait(10)
    assert preferences.load(tmp_path).louder_pct > 0


def test_without_a_file_it_speaks_slowly_and_keeps_nothing() -> None:
    settings = load(None)
    assert settings.speed == 0.8
    assert settings.spoken_sos
    assert not settings.keep_audio
    assert not settings.tell_words


def test_all_mistakes_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text('mikrophone = "USB"\nspeed = 9\nnight_from = "25:00"\nsensitivity = "hgh"\n')
    with pytest.raises(SettingsError) as caught:
        load(file)
    told = [(m.line, m.key, m.problem, m.did_you_mean) for m in caught.value.mistakes]
    assert told[0] == (1, "mikrophone", Problem.UNKNOWN_KEY, "microphone")
    assert [(line, key) for line, key, _, _ in told[1:]] == [
        (2, "speed"), (3, "night_from"), (4, "sensitivity"),
    ]  # fmt: skip
    assert told[3][3] == "high"


def test_paths_start_at_the_files_own_folder(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text('socket = "run/voice.sock"\nplans = "/etc/anbu/plans"\n')
    settings = load(file)
    assert settings.socket == str(tmp_path / "run/voice.sock")
    assert settings.plans == "/etc/anbu/plans"
    assert settings.bank == ""
    assert settings.state_dir == VoiceSettings().state_dir


def test_by_night_only_what_is_urgent_is_as_loud_as_by_day() -> None:
    settings, asked = VoiceSettings(), Preferences()
    assert asked.volume_pct(settings, NOON, urgent=False) == 80
    assert asked.volume_pct(settings, MIDNIGHT, urgent=False) == 50
    assert asked.volume_pct(settings, MIDNIGHT, urgent=True) == 80


def test_louder_and_slower_go_on_to_their_ends_and_no_further() -> None:
    settings, asked = VoiceSettings(), Preferences()
    volumes, speeds = [], []
    for _ in range(12):
        asked = asked.slower(settings).louder()
        volumes.append(asked.volume_pct(settings, NOON, urgent=False))
        speeds.append(asked.speed * settings.speed)
    assert volumes[0] == 95
    assert volumes[-1] == LOUDEST_PCT
    assert speeds[0] == pytest.approx(0.72)
    assert speeds[-1] == pytest.approx(0.6)


def test_what_was_asked_for_is_kept_over_a_restart(tmp_path: Path) -> None:
    assert preferences.load(tmp_path) == Preferences()
    asked = Preferences().louder()
    preferences.save(asked, tmp_path)
    assert preferences.load(tmp_path) == asked
    (tmp_path / "voice.json").write_bytes(b"{")
    assert preferences.load(tmp_path) == Preferences()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_what_a_county_has_saved_on_korean_windows_is_read(tmp_path: Path, encoding: str) -> None:
    ours = files("voice").joinpath("phrases", "ko.toml").read_text(encoding="utf-8")
    phrases, plans = tmp_path / "phrases.toml", tmp_path / "plans"
    phrases.write_bytes(ours.encode(encoding, errors="replace"))
    shutil.copytree(SHIPPED, plans)
    for plan in plans.glob("*.toml"):
        plan.write_bytes(plan.read_text(encoding="utf-8").encode(encoding, errors="replace"))
    config = tmp_path / "voice.toml"
    text = 'microphone = "마이크"\nphrases = "phrases.toml"\nplans = "plans"\n'
    config.write_bytes(text.encode(encoding))
    told = list[Mistake]()
    settings = load(config, told.append)
    assert settings.microphone == "마이크"
    assert [note.problem for note in told] == [Problem.CODEPAGE] * (encoding == "cp949")
    assert phrases_of(settings)[1] == ""
    assert plans_of(settings)[1] == ""


def test_all_mistakes_of_phrases_and_plans_are_found_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "phrases.toml").write_text("[[phrases]]\nintent = 'hepl'\nsay = ['x']\n")
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "meals.toml").write_text("answers = ['Meals']\n")
    config = tmp_path / "voice.toml"
    config.write_text("phrases = 'phrases.toml'\nplans = 'plans'\n", encoding="utf-8")
    found = mistakes_of(load(config), unnoted)
    assert {(Path(one.file).name, one.line, one.key) for one in found} >= {
        ("phrases.toml", 2, "phrases[1].intent"),
        ("meals.toml", 1, "answers[1]"),
    }
    assert mistakes_of(VoiceSettings(phrases=str(tmp_path / "none")), unnoted) == ()


def test_a_socket_that_is_too_long_is_refused_with_its_line(tmp_path: Path) -> None:
    config = tmp_path / "voice.toml"
    config.write_text(f"speed = 0.8\nsocket = '{'a' * 100}'\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(config)
    assert [(one.line, one.key) for one in caught.value.mistakes] == [(2, "socket")]
