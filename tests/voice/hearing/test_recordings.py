"""Recordings are kept only as the resident agrees."""

from pathlib import Path

import msgspec
import pytest

from voice.hearing import recordings as module
from voice.hearing.recordings import Recording, save
from voice.understanding.intents import Expecting, Intent, Understood

SECOND = bytes(32_000)
FINE, NOTHING = Understood(Intent.FINE, sure=0.9), Understood()


def test_an_answer_is_kept_with_what_it_was_understood_as(tmp_path: Path) -> None:
    save(tmp_path, SECOND, Expecting.CHECKIN, FINE)
    (wav,) = tmp_path.glob("*.wav")
    lines = (tmp_path / "manifest.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=Recording) for line in lines] == [
        Recording(wav.name, "fine", "checkin", 1.0, 0.9)
    ]


def test_what_was_not_meant_for_us_is_never_kept(tmp_path: Path) -> None:
    save(tmp_path, SECOND, Expecting.NOTHING, NOTHING)
    assert not list(tmp_path.iterdir())


def test_a_full_folder_or_disk_takes_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 10_000)
    save(tmp_path, SECOND, Expecting.CHECKIN, FINE)
    save(tmp_path, SECOND, Expecting.CHECKIN, FINE)
    assert len(list(tmp_path.glob("*.wav"))) == 1
    save(tmp_path / "manifest.jsonl" / "no folder", SECOND, Expecting.CHECKIN, FINE)
